// The lesson on activations, many layers: every depth of the stack has come along.
class Figure {
  constructor(board) {
    this.board = board;
    this.layers = board.slider({ name: 'layers', label: 'Layers', min: 1, max: 40,
      words: (at) => `${at} layer${at === 1 ? '' : 's'}`, onMove: () => this.draw() });
    this.layer = board.slider({ name: 'layer', label: 'Layer to look at', min: 1, max: 40,
      words: (at) => `layer ${Math.min(at, this.layers.value)}`, onMove: () => { this.pointed = null; this.draw(); } });
    this.said = element('p', { className: 'lesson-part-words', 'aria-live': 'polite' });
    this.place = element('div', { className: 'lesson-part-charts' });
    board.stage.append(this.said, this.place);
    const chart = (label) => board.lines({ into: this.place, label: `${label}; arrow keys go from layer to layer, Enter chooses one`,
      high: 210, onPoint: (at) => this.point(at), onChoose: (at) => this.choose(at) });
    this.charts = { gradients: chart('Size of the gradient at each layer'), signals: chart('Size of the signal at each layer'),
      dead: chart('Dead units of each layer') };
    this.histogram = board.lines({ into: this.place, label: 'Outputs of the chosen layer; arrow keys go from bin to bin', high: 210,
      onPoint: (at) => this.pointBin(at) });
  }

  show(data, state, arrays) {
    Object.assign(this, { data, arrays });
    this.draw();
  }

  // Median (0), smallest (1) or largest (2) of all draws, layer by layer, the input first.
  row(name, part) {
    const array = this.arrays[name], depth = this.layers.value, long = array.shape[array.shape.length - 1];
    const start = name === 'gradients' ? part * array.shape[1] + depth - 1 : part;
    const found = array.slice(start * long, start * long + depth + (name === 'dead' ? 0 : 1));
    return name === 'dead' ? [NaN, ...found] : found;
  }

  get chosen() { return Math.min(this.layer.value, this.layers.value); }

  draw() {
    const { data, board } = this;
    const depth = this.layers.value, color = board.series(data.color);
    this.layer.say();
    const titles = { gradients: 'Gradient (1 at the last layer)', signals: 'Signal (standard deviation)', dead: 'Dead units, % (0 for every image)' };
    for (const [name, chart] of Object.entries(this.charts)) {
      const [values, low, high] = [0, 1, 2].map((part) => this.row(name, part));
      chart.at = Math.min(this.pointed ?? this.chosen, depth);
      chart.paint({ xs: Array.from({ length: depth + 1 }, (_, at) => at), range: name === 'dead' ? [0, 100] : data[name], log: name !== 'dead',
        xTitle: 'layer (0 is the input)', yTitle: titles[name], lines: [{ name, color, values, low, high }] });
    }
    this.drawHistogram(color);
    const [middle, low, high] = [0, 1, 2].map((part) => this.row('gradients', part)[1]);
    this.said.replaceChildren('Of a gradient of size 1 at the last layer, the first one gets ', element('b', { textContent: power(middle) }),
      ` (${power(low)} to ${power(high)} in ${data.draws} draws). In layer ${this.chosen}, `, element('b', { textContent: `${number(this.row('dead', 0)[this.chosen], 2)} %` }),
      ' of the units are dead: 0 for every image, so that no gradient gets through them.');
  }

  drawHistogram(color) {
    const [bottom, top] = this.data.outputs, bins = this.arrays.histograms.shape[1];
    const start = (this.chosen - 1) * bins;
    this.bins = this.arrays.histograms.slice(start, start + bins);
    this.middles = Array.from({ length: bins }, (_, at) => bottom + (at + 0.5) * (top - bottom) / bins);
    this.histogram.at = null;
    this.histogram.paint({ xs: this.middles, range: [0, 100], xTitle: `output of layer ${this.chosen}`, yTitle: 'Share of all outputs, %',
      lines: [{ name: 'outputs', color, values: this.bins, bars: true }] });
  }

  point(at) {
    const layer = this.pointed = Math.max(1, at);
    for (const chart of Object.values(this.charts)) if (chart.at !== layer) chart.mark(layer);
    this.board.words.textContent = `Layer ${layer}: gradient ${power(this.row('gradients', 0)[layer])}, signal ${power(this.row('signals', 0)[layer])}, `
      + `${number(this.row('dead', 0)[layer], 2)} % dead. Click, or press Enter, to see its outputs.`;
  }

  choose(at) {
    this.layer.set(Math.max(1, at));
    this.pointed = null;
    this.draw();
    this.board.tell({ layer: this.layer.value });
  }

  pointBin(at) {
    const last = this.bins.length - 1, [bottom, top] = this.data.outputs, half = (top - bottom) / this.bins.length / 2;
    const from = number(this.middles[at] - half, 2), to = number(this.middles[at] + half, 2);
    const where = at === 0 ? `${to} or less` : at === last ? `${from} or more` : `${from} to ${to}`;
    this.board.words.textContent = `Layer ${this.chosen}: ${number(this.bins[at], 2)} % of the outputs are ${where}.`;
  }
}
