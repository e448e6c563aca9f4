// A window that walks over an image row by row: its place `at` and how far it has come, `upto`, two fields of the
// lesson's state. `onMove` draws; `rows` and `columns` say which of the padded image it covers at each place.
class Walk {
  constructor(board, { onMove }) {
    Object.assign(this, { board, onMove, at: 0, upto: 0, known: {}, height: 0, width: 0 });
    this.player = board.player({ count: () => this.count, onStep: (place) => this.step(place),
      perSecond: () => clamp(this.count / 30, 4, 30) });
    board.button('Whole map', () => this.fill(), { into: this.player.bar, title: 'Walk to the last place' });
  }

  get count() { return this.height * this.width; }
  get row() { return this.width ? Math.floor(this.at / this.width) : 0; }
  get column() { return this.width ? this.at % this.width : 0; }
  get playing() { return Boolean(this.player.timer); }

  receive(state, [height, width], rows, columns) {
    Object.assign(this, { height, width, rows, columns });
    if (!this.playing && (state.at !== this.known.at || state.upto !== this.known.upto)) {
      Object.assign(this, { at: state.at, upto: state.upto });
    }
    this.known = { at: state.at, upto: state.upto };
    this.at = clamp(this.at, 0, Math.max(this.count - 1, 0));
    this.player.place = this.at;
  }

  // Whether the window has been at a place.
  seen(place) { return place <= this.upto || place === this.at; }

  // A step of the player; back at the beginning the map is empty again.
  step(place) {
    this.at = place;
    this.upto = place === 0 ? 0 : Math.max(this.upto, place);
    this.onMove();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.settle(), SETTLE_MS);
  }

  fill() {
    this.player.stop();
    this.at = this.upto = Math.max(this.count - 1, 0);
    this.settle();
  }

  // To a place of the map, to look at it.
  visit(row, column) {
    if (!this.count) return;
    this.player.stop();
    this.at = this.player.place = row * this.width + column;
    this.onMove();
  }

  // To the place whose window has its middle next to a pixel of the padded image.
  over(row, column) {
    if (this.count) this.visit(this.nearest(this.rows, row), this.nearest(this.columns, column));
  }

  nearest(covered, at) {
    const [places, length] = covered.shape;
    const far = (place) => Math.abs(covered[place * length + (length >> 1)] - at);
    let best = 0;
    for (let place = 1; place < places; place++) if (far(place) < far(best)) best = place;
    return best;
  }

  close() { clearTimeout(this.timer); }

  // Write the place to the link.
  settle(more = {}) {
    clearTimeout(this.timer);
    this.known = { at: this.at, upto: this.upto };
    this.board.tell({ ...this.known, ...more });
    this.onMove();
  }

  // Rows and columns of the padded image that the window covers now.
  covered() {
    const part = (all, place) => [...all.slice(place * all.shape[1], (place + 1) * all.shape[1])];
    return [part(this.rows, this.row), part(this.columns, this.column)];
  }

  // Frames around what it covers; with gaps in between also around each pixel that counts.
  frames() {
    const [rows, columns] = this.covered();
    const [row, column] = [rows[0], columns[0]];
    const whole = { row, column, height: rows.at(-1) - row + 1, width: columns.at(-1) - column + 1, kind: 'window' };
    if (whole.height === rows.length) return [whole];
    const each = rows.flatMap((r) => columns.map((c) => ({ row: r, column: c, height: 1, width: 1, kind: 'window' })));
    return [{ ...whole, kind: 'mark' }, ...each];
  }
}
