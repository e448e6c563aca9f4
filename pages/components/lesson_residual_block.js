// The lesson on residual connections, one block: every factor of its weights has come along.
const NAMES = { x: 'x, what goes in', added: 'F(x): convolution, ReLU, convolution', total: 'F(x) + x',
  residual: 'With the shortcut: ReLU(F(x) + x)', plain: 'Without it: ReLU(F(x))' };

class Figure {
  constructor(board) {
    this.board = board;
    this.slider = board.slider({ name: 'weights', label: 'Weights of the two convolutions', min: 0, max: 2, step: 0.1,
      words: (at) => `× ${at.toFixed(1)}`, onMove: () => this.draw() });
    const into = element('div', { className: 'lesson-block' });
    board.stage.append(into);
    this.grids = Object.fromEntries(Object.entries(NAMES).map(([name, title]) => [name,
      board.grid({ into, label: `${title}; arrow keys go from place to place`, caption: title, most: 9, onPoint: (row, column) => this.point(row, column) })]));
    into.append(this.sentence = element('p', { className: 'lesson-block-words', 'aria-live': 'polite' }));
  }

  show(data, state, arrays) {
    Object.assign(this, { data, arrays });
    this.draw();
  }

  value(name, row, column) {
    const array = this.arrays[name], [rows, columns] = array.shape.slice(-2);
    const start = name === 'x' ? 0 : this.factor * rows * columns;
    return array[start + row * columns + column];
  }

  draw() {
    const { data } = this;
    this.factor = clamp(Math.round(this.slider.value * 10), 0, data.weights.length - 1);
    const [rows, columns] = this.arrays.x.shape;
    for (const [name, grid] of Object.entries(this.grids)) {
      grid.paint({ rows, columns, color: (...at) => this.board.signed(this.value(name, ...at)) });
    }
    const part = (name) => `${number(data.changed[name][this.factor], 2)} %`;
    this.sentence.replaceChildren('What is handed on differs from x by ', element('b', { textContent: part('residual') }), ' with the shortcut and by ',
      element('b', { textContent: part('plain') }), ' without it (mean difference over all four maps, as a share of their mean). Red is above 0, blue below, white is 0.',
      this.factor ? '' : ' With weights of 0, F(x) is 0: with the shortcut x goes through untouched, without it nothing is left.');
  }

  point(row, column) {
    for (const grid of Object.values(this.grids)) grid.frame([{ row, column, height: 1, width: 1, kind: 'mark' }]);
    const at = (name) => number(this.value(name, row, column), 2);
    this.board.words.textContent = `Row ${row + 1}, column ${column + 1}: x = ${at('x')}, F(x) = ${at('added')}, F(x) + x = `
      + `${at('total')}; handed on with the shortcut ${at('residual')}, without it ${at('plain')}.`;
  }
}
