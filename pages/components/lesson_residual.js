// The lesson on residual connections, through a stack: every depth has come along, so that the slider answers at once.
class Figure {
  constructor(board) {
    this.board = board;
    this.slider = board.slider({ name: 'layers', label: 'Layers', min: 4, max: 100, step: 4,
      words: (at) => `${at} layers`, onMove: () => this.draw() });
    this.tiles = element('div', { className: 'lesson-residual-tiles', 'aria-live': 'polite' });
    board.root.insertBefore(this.tiles, board.stage);
    this.first = ['Plain', 'With shortcuts'].map((name) => {
      const value = element('b'), range = element('span');
      this.tiles.append(element('div', {}, element('span', { textContent: name }), value, range));
      return { value, range };
    });
    this.tiles.append(this.sentence = element('p'));
    const caption = 'With shortcuts: what each block of two layers hands on.';
    const chart = (label) => board.lines({ label, caption, onPoint: (at) => this.point(at) });
    this.charts = {
      gradients: chart('Size of the gradient at each layer; arrow keys go from layer to layer'),
      signals: chart('Size of the signal at each layer; arrow keys go from layer to layer'),
    };
  }

  show(data, state, arrays) {
    Object.assign(this, { data, arrays });
    this.draw();
  }

  // Of the plain (0) or the residual (1) stack: median (0), smallest (1) or largest (2) of all draws, input first.
  row(name, kind, part) {
    const array = this.arrays[name];
    const long = array.shape[array.shape.length - 1], depth = this.slider.value;
    const stack = 3 * kind + part, { depths } = this.data;
    const start = long * (name === 'signals' ? stack : stack * depths.length + depths.indexOf(depth));
    return array.slice(start, start + depth + 1);
  }

  draw() {
    const depth = this.slider.value;
    const { data, board } = this;
    const parts = { gradients: 'Gradient (1 at the top)', signals: 'Signal (standard deviation)' };
    for (const [name, chart] of Object.entries(this.charts)) {
      chart.paint({ xs: Array.from({ length: depth + 1 }, (_, at) => at), range: data[name], log: true, xTitle: 'layer (0 is the input)',
        yTitle: parts[name], lines: ['plain', 'with shortcuts'].map((kind, at) => {
          const [values, low, high] = [0, 1, 2].map((part) => this.row(name, at, part).map((value, layer) => (at && layer % 2 ? NaN : value)));
          return { name: kind, color: board.series(at), dash: !at, values, low, high };
        }) });
    }
    const found = [0, 1].map((kind) => [0, 1, 2].map((part) => this.row('gradients', kind, part)[1]));
    found.forEach(([middle, low, high], kind) => {
      this.first[kind].value.textContent = power(middle);
      this.first[kind].value.style.color = board.series(kind);
      this.first[kind].range.textContent = `${power(low)} to ${power(high)} in ${data.draws} draws`;
    });
    const apart = found[1][0] - found[0][0];
    this.sentence.textContent = 'What becomes of a gradient of size 1 on its way from the last layer down to the first. '
      + (Number.isFinite(apart) && Math.abs(apart) >= 0.3
        ? `With shortcuts ${power(Math.abs(apart))} times ${apart > 0 ? 'as much' : 'less'}.` : '');
  }

  point(at) {
    for (const chart of Object.values(this.charts)) if (chart.at !== at) chart.mark(at);
    const of = (name) => ['plain', 'with shortcuts'].map((kind, place) => `${power(this.row(name, place, 0)[at])} ${kind}`).join(', ');
    const inside = at % 2 ? ' (with shortcuts it is inside a block)' : '';
    this.board.words.textContent = `${at ? `Layer ${at}` : 'Input'}${inside}: gradient ${of('gradients')}; signal ${of('signals')}.`;
  }
}
