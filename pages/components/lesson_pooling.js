// The lesson on pooling: every shift has come along, so that the slider answers at once.
class Figure {
  constructor(board) {
    this.board = board;
    this.slider = board.slider({ name: 'shift', label: 'Shift to the right', min: 0, max: 4,
      words: (at) => `${at} px`, onMove: () => this.draw() });
    this.grids = {
      images: board.grid({ label: 'The image', caption: 'The image' }),
      apart: board.grid({ label: 'After 2 × 2 with stride 2', caption: '2 × 2, stride 2', onPoint: (...at) => this.point('apart', 2, ...at) }),
      overlapping: board.grid({ label: 'After 3 × 3 with stride 2', caption: '3 × 3, stride 2: overlapping',
        onPoint: (...at) => this.point('overlapping', 3, ...at) }),
    };
  }

  show(data, state, arrays) {
    this.slider.limit(0, data.most);
    this.arrays = arrays;
    this.draw();
  }

  draw() {
    const shift = this.slider.value;
    for (const [name, grid] of Object.entries(this.grids)) {
      const array = this.arrays[name];
      const [, rows, columns] = array.shape;
      const at = (row, column) => array[(shift * rows + row) * columns + column];
      grid.paint({ rows, columns, color: (row, column) => this.board.gray(at(row, column)),
        text: (row, column) => number(at(row, column), 2) });
    }
  }

  point(name, kernel, row, column) {
    this.grids.images.frame([{ row: 2 * row, column: 2 * column, height: kernel, width: kernel, kind: 'window' }]);
    this.grids[name].frame([{ row, column, height: 1, width: 1, kind: 'mark' }]);
  }
}
