// The lesson on dense layers: one output of a dense layer and of a convolution, what each is connected to, and what
// becomes of all outputs when the image is shifted. Every shift has come along.
class Figure {
  constructor(board) {
    this.board = board;
    this.slider = board.slider({ name: 'shift', label: 'Shift the image to the right', min: 0, max: 4,
      words: (at) => `${at} px`, onMove: () => this.draw() });
    board.button('Other random weights', () => board.tell({ weights: (this.state.weights + 1) % 100 }));
    const part = (name) => element('div', { className: `lab-dense-${name}` });
    const [image, first, second] = [part('image'), part('layer'), part('layer')];
    board.stage.classList.add('lab-dense');
    board.stage.append(image, first, second);
    first.append(element('h4', { textContent: 'Dense layer' }));
    second.append(element('h4', { textContent: 'Convolution' }));
    const choose = { onPoint: (row, column) => this.point(row, column), onChoose: (row, column) => board.tell({ row, column }) };
    this.image = board.grid({ label: 'The image', caption: 'The image; framed: the pixels of the convolution’s output. The dense one has all of them.', into: image, most: 21 });
    const pair = (into, name) => ({
      weights: board.grid({ label: `What the chosen output of the ${name} is connected to`, into, most: 19 }),
      outputs: board.grid({ label: `All outputs of the ${name}; pointer or arrow keys choose one`, into, most: 22, ...choose }),
    });
    this.dense = pair(first, 'dense layer');
    this.convolution = pair(second, 'convolution');
  }

  show(data, state, arrays) {
    Object.assign(this, { data, state, arrays });
    if (!this.pointed) this.at = [state.row, state.column];
    this.draw();
  }

  point(row, column) {
    this.at = [row, column];
    this.pointed = true;
    this.draw();
  }

  draw() {
    const { arrays, board, data } = this, shift = this.slider.value, [row, column] = this.at;
    const [, side] = arrays.images.shape, [, out] = arrays.dense.shape, size = arrays.kernel.shape[0];
    const window = [{ row, column, height: size, width: size, kind: 'mark' }];
    const tint = (value) => board.signed(value / data.most_weight);
    this.image.paint({ rows: side, columns: side, color: (r, c) => board.gray(arrays.images[(shift * side + r) * side + c]) });
    this.image.frame(window);
    const output = row * out + column;
    this.dense.weights.paint({ rows: side, columns: side, color: (r, c) => tint(arrays.weights[(output * side + r) * side + c]) });
    const inside = (r, c) => r >= row && r < row + size && c >= column && c < column + size;
    this.convolution.weights.paint({ rows: side, columns: side,
      color: (r, c) => (inside(r, c) ? tint(arrays.kernel[(r - row) * size + c - column]) : null) });
    for (const name of ['dense', 'convolution']) {
      const grid = this[name].outputs;
      const value = (r, c) => arrays[name][(shift * out + r) * out + c];
      grid.paint({ rows: out, columns: out, color: (r, c) => board.signed(value(r, c) / data.most[name]) });
      grid.at = [row, column];
      grid.frame([{ row, column, height: 1, width: 1, kind: 'mark' }]);
      grid.caption.textContent = shift === 0 ? `All ${out} × ${out} outputs` : data.off[name][shift] < 0.005
        ? 'Outputs: the earlier ones, moved along' : `Outputs: ${number(100 * data.off[name][shift], 2)} % off the earlier ones moved along`;
    }
    this.dense.weights.caption.textContent = `The ${number(side * side)} weights of one output, its own`;
    this.convolution.weights.caption.textContent = `The ${size * size} weights of one output, shared by all`;
    const now = (name) => number(arrays[name][(shift * out + row) * out + column], 2);
    board.words.textContent = `Output in row ${row + 1}, column ${column + 1}: the dense one adds up ${number(side * side)} pixels `
      + `with ${number(side * side)} weights of its own and gives ${now('dense')}; the convolution's adds up ${size * size} `
      + `pixels with the ${size * size} weights that all outputs share and gives ${now('convolution')}.`;
  }
}
