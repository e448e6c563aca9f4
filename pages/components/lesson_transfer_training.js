// The lesson on transfer, second part: the costs of every position of the slider have come along.
function percent(share) {
  return share > 0 && share < 0.001 ? '< 0.1 %' : `${number(100 * share, share < 0.1 ? 2 : 3)} %`;
}

class Figure {
  constructor(board) {
    this.board = board;
    board.root.classList.add('lab-stages');
    this.slider = board.slider({ name: 'learning', label: 'Stages that learn, besides the new head', min: 0, max: 1,
      words: (at) => this.words(at), onMove: () => this.draw() });
    this.facts = element('dl', { className: 'lab-stages-facts' });
    this.table = element('table', { className: 'lab-stages-table' });
    this.note = element('p', { className: 'lab-stages-note' });
    board.stage.append(this.facts, this.table, this.note);
  }

  show(data, state) {
    this.data = data;
    this.slider.limit(0, data.positions.length - 1);
    this.slider.set(Math.min(state.learning, data.positions.length - 1));
    this.draw();
  }

  words(at) {
    const most = (this.data?.positions.length ?? 1) - 1;
    return at === 0 ? 'none: feature extraction' : at === most ? `all ${most}: fine-tuning of everything` : `${at} of ${most}`;
  }

  draw() {
    const { rows, positions, batch } = this.data;
    this.slider.say();
    const at = positions[this.slider.value];
    const facts = [
      ['Parameters that learn', short(at.learning), `${short(at.frozen)} stay as they are`],
      ['Work of a step', percent(at.work), this.slider.value ? 'of training everything'
        : 'of training everything: features are computed once and kept'],
      ['Memory of a step', `${short(at.memory)}B`, `for ${batch} images, estimated`],
    ];
    this.facts.replaceChildren(...facts.map(([name, value, below]) => element('div', {},
      element('dt', { textContent: name }), element('dd', { textContent: value }),
      element('dd', { className: 'is-small', textContent: below }))));
    const first = rows.length - 1 - this.slider.value;
    const head = element('tr', {}, ...['', 'In training', 'Parameters', 'Share of the work', 'A linear classifier on it is right in']
      .map((name) => element('th', { scope: 'col', textContent: name })));
    this.table.replaceChildren(element('thead', {}, head),
      element('tbody', {}, ...rows.map((row, place) => this.row(row, place, first))));
    this.note.textContent = this.data.words || 'Not measured yet: how well a linear classifier does on what each stage leaves.';
  }

  row({ title, params, work, share, low, high }, place, first) {
    const isPixels = place === 0;
    const learns = place >= first;
    const state = isPixels ? '' : element('span', { className: `lab-stages-state ${learns ? 'is-learning' : 'is-frozen'}`,
      textContent: learns ? '● learns' : '❄ frozen' });
    const bar = element('div', { className: 'lab-stages-bar' });
    if (share !== undefined) {
      const fill = element('i'), line = element('b');
      fill.style.width = `${100 * share}%`;
      Object.assign(line.style, { left: `${100 * low}%`, width: `${100 * (high - low)}%` });
      bar.append(fill, line);
    }
    const words = share === undefined ? '–' : `${number(100 * share, 3)} %`;
    const cells = [state, isPixels ? '' : short(params), isPixels ? '' : percent(work),
      place === this.data.rows.length - 1 ? '' : element('div', { className: 'lab-stages-measured' }, bar, element('span', { textContent: words }))];
    return element('tr', {}, element('th', { scope: 'row', textContent: title }),
      ...cells.map((cell) => element('td', {}, cell)));
  }
}
