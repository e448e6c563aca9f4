// The lesson on augmentation, what training sees: random draws at one strength, which the server makes.
class Figure {
  constructor(board) {
    this.board = board;
    this.title = element('h4', { className: 'lab-draws-title', textContent: 'What training sees' });
    this.summary = element('p', { className: 'lab-draws-summary' });
    board.controls.before(this.title, this.summary);
    this.place = element('div', { className: 'lab-draws-strength' });
    board.controls.append(this.place);
    this.again = board.button('Draw again', () => board.tell({ seed: (this.state.seed + 1) % 10000 }));
    this.tiles = [];
  }

  show(data, state, arrays) {
    const others = data.kind !== this.data?.kind;
    Object.assign(this, { data, state });
    this.summary.textContent = data.summary;
    if (others) this.build(data, state);
    if (arrays.sheet === this.shown) return;
    this.shown = arrays.sheet;
    createImageBitmap(new Blob([arrays.sheet], { type: 'image/jpeg' })).then((sheet) => {
      if (this.shown === arrays.sheet) this.draw(sheet);
    });
  }

  build({ maximum, step, words }, state) {
    this.board.clear(this.place);
    this.board.slider({ name: 'strength', label: 'Strength', min: 0, max: maximum, step, value: state.strength,
      words: (at) => words[Math.round(at / step)] ?? '', into: this.place });
  }

  draw(sheet) {
    const { num, words, step, columns, side, says, label, smooth } = this.data;
    while (this.tiles.length < num) {
      this.tiles.push(this.board.picture({ label: `Draw ${this.tiles.length + 1}` }));
    }
    this.tiles.forEach((tile, place) => {
      const [row, column] = [Math.floor(place / columns), place % columns];
      tile.paint(sheet, [column * side, row * side, side, side], smooth);
      tile.caption.textContent = says.length ? `${says[place]} ${label}` : '';
      tile.caption.hidden = !says.length;
    });
    const more = says.length ? '; with which other picture it is mixed, too' : '';
    this.board.words.textContent = `Strength: ${words[Math.round(this.state.strength / step)]}. The same picture in ${num} epochs: each time it is drawn anew${more}.`;
  }
}
