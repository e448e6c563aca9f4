// 1 × 1 convolutions as a small network that looks at one pixel: every sum of the pixel that is pointed at.
const PIXEL_INPUTS = ['red', 'green', 'blue'];
const PIXEL_HIDDEN = 4;

class Figure {
  constructor(board) {
    this.board = board;
    this.image = board.grid({ label: 'The image: arrow keys choose a pixel', caption: 'The image: choose a pixel', most: 9,
      onPoint: (...at) => this.look(at), onChoose: (row, column) => this.choose(row, column) });
    this.image.canvas.addEventListener('pointerleave', (event) => { if (event.pointerType === 'mouse') this.look(this.chosen); });
    this.image.canvas.addEventListener('keydown', (event) => { if (event.defaultPrevented) this.chosen = this.pixel; });
    this.side = element('div', { className: 'lab-pixel-maps' });
    board.stage.append(this.side);
    this.maps = Array.from({ length: PIXEL_HIDDEN }, (_, unit) => board.grid({ label: `Map of unit ${unit + 1}`, into: this.side, most: 4 }));
    this.output = board.grid({ label: 'The output', caption: 'The output', most: 9 });
    this.table = element('div', { className: 'lab-pixel-sums' });
    this.same = element('p', { className: 'lab-pixel-same' });
    board.stage.append(this.table, this.same);
    this.fields = [];
    this.lines = [...Array.from({ length: PIXEL_HIDDEN }, (_, unit) => this.line(`Unit ${unit + 1}`, PIXEL_INPUTS)),
      this.line('Output', Array.from({ length: PIXEL_HIDDEN }, (_, unit) => `unit ${unit + 1}`))];
  }

  // One unit: a number to edit for each input and the bias, and the sum as it stands for the chosen pixel.
  line(name, inputs) {
    const sum = element('output', { className: 'lab-pixel-sum' });
    const fields = [...inputs, 'bias'].map((input) => {
      const field = element('input', { type: 'number', step: 'any', min: -10, max: 10, inputMode: 'decimal',
        'aria-label': `${name}: ${input === 'bias' ? 'bias' : `weight of ${input}`}` });
      field.addEventListener('change', () => this.edited());
      this.fields.push(field);
      return element('label', { textContent: input }, field);
    });
    this.table.append(element('div', { className: 'lab-pixel-line' }, element('strong', { textContent: name }),
      element('div', { className: 'lab-pixel-weights lab-board-controls' }, ...fields), sum));
    return { sum, inputs };
  }

  edited() {
    const numbers = this.fields.map((field) => (field.value === '' ? NaN : Number(field.value)));
    if (numbers.every((each) => Math.abs(each) <= 10)) this.board.tell({ numbers: numbers.join(',') });
    else this.board.words.textContent = 'A weight is a number from −10 to 10.';
  }

  show(data, state, arrays) {
    Object.assign(this, { data, arrays, chosen: data.pixel, pixel: data.pixel });
    this.fields.forEach((field, place) => {
      if (document.activeElement !== field || Number(field.value) !== data.numbers[place]) field.value = data.numbers[place];
    });
    const size = arrays.image.shape[1];
    this.same.textContent = `${data.words} Dense layers of 3 → 4 → 1 that get one of the ${number(size * size, 5)} pixels after the `
      + `other tell the same as two 1 × 1 convolutions: largest difference ${number(data.apart, 2)}.`;
    this.draw();
  }

  look(pixel) {
    this.pixel = pixel;
    this.draw();
  }

  choose(row, column) {
    this.chosen = [row, column];
    this.look(this.chosen);
    this.board.tell({ row: row + 1, column: column + 1 });
  }

  draw() {
    const { image, hidden, output } = this.arrays;
    const [, rows, columns] = image.shape;
    const [row, column] = this.pixel, mark = [{ row, column, height: 1, width: 1, kind: 'mark' }];
    const value = (array, channel, y = row, x = column) => array[(channel * rows + y) * columns + x];
    this.image.at = this.pixel;
    this.image.boxes = mark;
    this.image.paint({ rows, columns, color: (y, x) => [0, 1, 2].map((channel) => Math.round(255 * value(image, channel, y, x))) });
    this.maps.forEach((grid, unit) => {
      grid.boxes = mark;
      grid.caption.textContent = `Unit ${unit + 1}: ${number(value(hidden, unit), 2)}`;
      grid.paint({ rows, columns, color: (y, x) => this.board.gray(value(hidden, unit, y, x)) });
    });
    this.output.boxes = mark;
    this.output.paint({ rows, columns, color: (y, x) => this.board.gray(value(output, 0, y, x)) });
    this.drawSums(value);
  }

  drawSums(value) {
    const { image, sums, hidden, total, output } = this.arrays, { numbers } = this.data;
    const inputs = [0, 1, 2].map((channel) => value(image, channel));
    let at = 0;
    this.lines.forEach(({ sum }, line) => {
      const last = line === PIXEL_HIDDEN, given = last ? [0, 1, 2, 3].map((unit) => value(hidden, unit)) : inputs;
      const weights = numbers.slice(at, at + given.length), bias = numbers[at + given.length];
      at += given.length + 1;
      const products = given.map((each, place) => `${weights[place] < 0 ? `(${number(weights[place])})` : number(weights[place])} · ${number(each, 2)}`).join(' + ');
      const before = last ? value(total, 0) : value(sums, line), after = last ? value(output, 0) : value(hidden, line);
      sum.textContent = `${products} + ${number(bias)} = ${number(before, 2)} → ${number(after, 2)}`;
    });
    const [row, column] = this.pixel;
    const [red, green, blue] = inputs.map((each) => number(each, 2));
    this.board.words.textContent = `Row ${row + 1}, column ${column + 1}: red ${red}, green ${green}, blue ${blue} make `
      + `${number(value(output, 0), 2)}; what is below 0 becomes 0 (ReLU).`;
  }
}
