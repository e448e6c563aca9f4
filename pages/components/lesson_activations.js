// The lesson on activations, one unit: every place of the functions has come along.
class Figure {
  constructor(board) {
    this.board = board;
    this.x = board.slider({ name: 'x', label: 'x, the sum of what comes in', min: -4, max: 4, step: 0.05,
      words: (at) => number(at), onMove: () => this.draw() });
    this.said = element('p', { className: 'lesson-part-words', 'aria-live': 'polite' });
    this.charts = element('div', { className: 'lesson-part-charts' });
    board.stage.append(this.said, this.charts);
    const curve = (label) => board.lines({ into: this.charts, label: `${label}; arrow keys change x`, high: 220,
      onPoint: (at) => this.moveX(at), onChoose: () => board.tell({ x: this.x.value }) });
    this.curves = { values: curve('The functions'), slopes: curve('Their slopes') };
  }

  show(data, state, arrays) {
    Object.assign(this, { data, arrays, state });
    this.keys = Object.keys(data.names);
    this.xs = Array.from({ length: arrays.values.shape[1] }, (_, at) => Number((-data.furthest + at * data.step).toFixed(2)));
    this.draw();
  }

  curve(name, key) {
    const long = this.xs.length, start = this.keys.indexOf(key) * long;
    return this.arrays[name].slice(start, start + long);
  }

  get place() { return clamp(Math.round((this.x.value + this.data.furthest) / this.data.step), 0, this.xs.length - 1); }

  moveX(at) {
    this.x.set(this.xs[at]);
    this.draw();
  }

  draw() {
    const { data, board, state } = this;
    const ranges = { values: [-1.5, 2.5], slopes: [0, 1.2] }, titles = { values: 'f(x)', slopes: 'slope f′(x)' };
    for (const [name, chart] of Object.entries(this.curves)) {
      const [low, high] = ranges[name];
      chart.at = this.place;
      chart.paint({ xs: this.xs, range: ranges[name], xTitle: 'x', yTitle: titles[name], legend: name === 'values', lines: this.keys.map((key) => ({ name: data.names[key],
        color: board.series(this.keys.indexOf(key)), faint: key !== state.activation,
        values: this.curve(name, key).map((value) => (value < low || value > high ? NaN : value)) })) });
    }
    const read = (name) => number(this.curve(name, state.activation)[this.place], 3);
    this.said.replaceChildren(`${data.names[state.activation]}: f(x) = ${data.formula}. At x = ${number(this.xs[this.place])} it puts out `,
      element('b', { textContent: read('values') }), ', and a gradient that comes back is multiplied by its slope there, ',
      element('b', { textContent: read('slopes') }), '.');
  }
}
