// Three windows of 3 × 3 against one of 7 × 7: what both see, and what both cost for every number of channels.
class Figure {
  constructor(board) {
    this.board = board;
    this.slider = board.slider({ name: 'channels', label: 'Channels C, in and out', min: 1, max: 512,
      words: (at) => number(at), onMove: () => this.draw() });
    this.parts = { three: this.part(), one: this.part() };
  }

  part() {
    const title = element('h4'), facts = element('dl');
    const box = element('section', { className: 'lab-compare' }, title);
    this.board.stage.append(box);
    const grid = this.board.grid({ label: 'How much each of the pixels counts', into: box, most: 40,
      caption: 'How much each pixel counts: root mean square of the gradient over random weights' });
    box.append(facts);
    return { title, facts, grid };
  }

  show(data, state, arrays) {
    Object.assign(this, { data, arrays });
    this.slider.limit(1, data.most);
    this.draw();
  }

  draw() {
    const channels = this.slider.value;
    const most = this.arrays.one_params[channels - 1];
    for (const stack of this.data.stacks) {
      const { title, facts, grid } = this.parts[stack.name];
      const counts = this.arrays[stack.name], side = counts.shape[1];
      const params = this.arrays[`${stack.name}_params`][channels - 1];
      title.textContent = stack.title;
      grid.paint({ rows: side, columns: side, color: (row, column) => this.board.heat(counts[row * side + column]),
        text: (row, column) => number(counts[row * side + column], 2) });
      const bar = element('span', { className: 'lab-compare-bar' });
      bar.style.width = `${100 * params / most}%`;
      facts.replaceChildren(...[
        ['One output sees', `${stack.field} × ${stack.field} pixels`],
        [`Weights: ${stack.per_pair} · C²`, large(params), bar],
        [`Multiplications (MACs) on maps of ${this.data.side} × ${this.data.side}`,
          large(this.arrays[`${stack.name}_macs`][channels - 1])],
        ['Nonlinearities, one after each layer', String(stack.layers)],
        [`Influence (gradient squared) of the middle ${stack.middle} × ${stack.middle}, ${number(100 * stack.area, 3)} % of the pixels`,
          `${number(100 * stack.share, 3)} %`],
      ].flatMap(([name, value, extra]) => [element('dt', { textContent: name }),
        element('dd', {}, element('span', { textContent: value }), ...(extra ? [extra] : []))]));
    }
    const three = this.arrays.three_params[channels - 1];
    this.board.words.textContent = `With ${number(channels)} channels three layers of 3 × 3 take ${number(100 * three / most, 3)} % `
      + 'of the weights that one layer of 7 × 7 takes, and see the same pixels.';
  }
}
