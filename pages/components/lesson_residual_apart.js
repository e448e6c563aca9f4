// The lesson on residual connections, three problems told apart: a column each; the chosen one's curves below.
class Figure {
  constructor(board) {
    this.board = board;
    this.columns = element('div', { className: 'lesson-apart' });
    board.stage.append(this.columns);
    this.chart = board.lines({ label: 'Error after each epoch; arrow keys go from epoch to epoch', onPoint: (at) => this.point(at) });
    this.made = element('p', { className: 'lesson-apart-made' });
    board.stage.append(this.made);
  }

  show(data, state) {
    this.data = data;
    this.chosen = state.case;
    this.made.textContent = `${data.made} Bands and brackets: smallest to largest. Made by ${data.command}.`;
    this.buttons ??= this.build(data.cases);
    this.draw();
  }

  // The columns never change, and a button that has the focus must keep it.
  build(cases) {
    const found = cases.map((each) => {
      const rows = element('dl');
      for (const { name, sign, measured } of each.rows) {
        rows.append(element('dt', { textContent: name }), element('dd', {}, sign, element('small', { textContent: measured })));
      }
      rows.append(element('dt', { textContent: 'What helps' }), element('dd', { textContent: each.remedy }));
      const button = element('button', { type: 'button', className: 'lab-board-button', textContent: 'Show its curves', 'aria-label': `Show the curves of ${each.title.toLowerCase()}` });
      button.addEventListener('click', () => { this.chosen = each.key; this.draw(); this.board.tell({ case: each.key }); });
      const column = element('section', {}, element('h3', { textContent: each.title }), button, element('small', { textContent: `Measured: ${each.subject}` }), rows);
      return { button, column, key: each.key };
    });
    this.columns.replaceChildren(...found.map(({ column }) => column));
    return found;
  }

  draw() {
    for (const { button, column, key } of this.buttons) {
      button.ariaPressed = String(key === this.chosen);
      column.classList.toggle('chosen', key === this.chosen);
    }
    const found = this.data.cases.find(({ key }) => key === this.chosen);
    const depths = [...new Set(found.lines.map(({ depth }) => depth))];
    const several = depths.length > 1;
    const color = (line, at) => this.board.series(several ? depths.indexOf(line.depth) : at);
    const epochs = found.lines[0].values.length;
    this.chart.caption.textContent = found.words;
    this.chart.paint({ xs: Array.from({ length: epochs }, (_, at) => at + 1), range: [0, 100], xTitle: 'epoch', yTitle: 'Wrong answers, %',
      lines: found.lines.map((line, at) => ({ ...line, low: several ? null : line.low, color: color(line, at), dash: several ? !line.residual : at > 0 })) });
    this.lines = found.lines;
  }

  point(at) {
    this.board.words.textContent = `After epoch ${at + 1}: ${this.lines.map(({ name, values, low, high }) =>
      `${name} ${number(values[at])} % (${number(low[at])} to ${number(high[at])})`).join('; ')}.`;
  }
}
