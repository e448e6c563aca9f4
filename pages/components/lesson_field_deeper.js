// Ever more layers of 3 × 3: what an output sees, what counts of it, and how much along one row.
class Figure {
  constructor(board) {
    this.board = board;
    this.slider = board.slider({ name: 'depth', label: 'Layers of 3 × 3', min: 1, max: 40, words: (at) => number(at),
      onMove: () => this.draw() });
    this.sizes = board.lines({ label: 'What one output sees and what counts of it, by layers' });
    this.row = board.lines({ label: 'How much each pixel of a row counts' });
  }

  show(data, state, arrays) {
    Object.assign(this, { data, arrays });
    this.slider.limit(1, data.fields.length);
    this.draw();
  }

  draw() {
    const { fields, effective } = this.data, { board } = this;
    const at = this.slider.value - 1, most = fields.length;
    const field = fields[at], inner = effective[at];
    this.sizes.at = at;
    this.sizes.paint({ xs: fields.map((_, place) => place + 1), range: [0, fields[most - 1]], xTitle: 'layers', yTitle: 'pixels along a side',
      lines: [{ name: 'what one output sees', color: board.series(0), values: fields, dash: true },
        { name: 'the middle with 95 % of the influence', color: '#E07B00', values: effective }] });
    const wide = this.arrays.lines.shape[1];
    this.row.paint({ xs: Array.from({ length: wide }, (_, place) => place - most), range: [0, 1], xTitle: 'pixels from the middle',
      yTitle: 'how much it counts', legend: true,
      lines: [{ name: 'one row of what it sees', color: '#E07B00', values: this.arrays.lines.slice(at * wide, (at + 1) * wide) }] });
    board.words.textContent = `${this.slider.value} ${at ? 'layers' : 'layer'} of 3 × 3: one output sees ${field} × ${field} pixels, and 95 % of the `
      + `influence lies in the middle ${inner} × ${inner} of them. What it sees grows with the layers, what counts with their square root.`;
  }
}
