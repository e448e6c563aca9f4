// The lesson on convolution, one channel: the image with the window on it, the pixels below it, the kernel and the
// products, and the feature map. The server has computed every number but products of two numbers.
const CELLS = [44, 44, 44, 40, 36, 32, 28];  // px, by the size of the kernel
const ADDED = [148, 163, 224];  // what padding is tinted with

class Figure {
  constructor(board) {
    this.board = board;
    this.walk = new Walk(board, { onMove: () => this.draw() });
    this.image = board.grid({ label: 'The image; arrow keys move the window', onPoint: (...at) => this.walk.over(...at),
      onChoose: () => this.walk.settle() });
    this.middle = element('div', { className: 'lab-conv-middle' });
    board.stage.append(this.middle);
    this.patch = this.part('Pixels below');
    const box = element('figure', { className: 'lab-conv-part' });
    this.middle.append(box);
    this.numbers = board.numbers({ label: 'Kernel', into: box, most: 99,
      onEdit: (values, settled) => board.tell({ k: values.join(',') }, { settled }),
      onPoint: (place) => this.touch(place === null ? null : this.turn(place)) });
    this.numbersCaption = element('figcaption');
    box.append(this.numbersCaption);
    this.turned = this.part('× kernel, turned');
    this.products = this.part('= products');
    this.mapBox = element('div', { className: 'lab-conv-map' });
    board.stage.append(this.mapBox);
    this.map = board.grid({ label: 'The feature map; arrow keys move the window', into: this.mapBox,
      onPoint: (...at) => this.walk.visit(...at), onChoose: () => this.walk.settle() });
    this.problem = element('p', { className: 'lab-conv-problem', role: 'alert' });
    this.mapBox.append(this.problem);
    this.sum = element('div', { className: 'lab-conv-sum' });
    this.size = element('p', { className: 'lab-conv-size' });
    board.words.before(this.sum, this.size);
  }

  part(caption) {
    const grid = this.board.grid({ label: `${caption}; arrow keys show what meets what`, caption, into: this.middle,
      onPoint: (row, column) => this.touch(row * this.data.side + column), onLeave: () => this.touch(null) });
    grid.box.classList.add('lab-conv-part');
    return grid;
  }

  close() { this.walk.close(); }

  // Where a number of the kernel as it is written is in the kernel as it is applied, and the other way round.
  turn(place) { return this.state.flip ? this.data.side ** 2 - 1 - place : place; }

  // Show which pixel, number, product and term belong together; null for none.
  touch(place) {
    this.touched = place;
    const { side, problem } = this.data;
    const [row, column] = [Math.floor(place / side), place % side];
    const mark = (at, over, kind) => (place === null ? [] : [{ row: at, column: over, height: 1, width: 1, kind }]);
    for (const grid of [this.patch, this.turned, this.products]) grid.frame(mark(row, column, 'mark'));
    this.numbers.mark(place === null ? null : this.turn(place));
    this.sum.querySelectorAll('[data-place]').forEach((term) => {
      term.classList.toggle('lab-conv-touched', Number(term.dataset.place) === place);
    });
    if (problem) return;
    const [rows, columns] = this.walk.covered();
    this.image.frame([...this.walk.frames(), ...mark(rows[row], columns[column], 'touch')]);
  }

  show(data, state, arrays) {
    Object.assign(this, { data, state, arrays });
    this.walk.receive(state, arrays.map?.shape ?? [0, 0], arrays.rows, arrays.columns);
    this.cell = this.cellSide();
    this.middle.style.setProperty('--cell', `${this.cell}px`);
    this.numbers.set(data.kernel, data.side);
    this.numbersCaption.textContent = `${state.flip ? 'Kernel as written' : '× kernel'}, sum ${decimal(data.sum)}`;
    this.turned.box.hidden = !state.flip;
    for (const { box } of [this.patch, this.turned, this.products]) {
      box.style.width = `${Math.max(this.cell * data.side, 96)}px`;
    }
    for (const box of [this.mapBox, this.middle]) box.classList.toggle('lab-conv-none', Boolean(data.problem));
    if (this.problem.textContent !== data.problem) this.problem.textContent = data.problem;
    this.size.textContent = data.problem ? '' : `Height of the map: ${data.formula}`;
    this.shown = null;
    if (this.touched >= data.side ** 2) this.touched = null;
    this.drawImage();
    this.draw();
  }

  // Side of a square of the kernel; on a phone so that three kernels fit side by side, if one can still read them.
  cellSide() {
    const { side } = this.data;
    const fitting = Math.floor((this.board.root.clientWidth - 24 - 2 * side) / (3 * side));
    const narrow = window.matchMedia('(max-width: 760px)').matches && fitting >= 30;
    return narrow ? Math.min(CELLS[side - 1], fitting) : CELLS[side - 1];
  }

  draw() {
    if (this.data.problem) {
      this.image.frame([]);
      this.sum.replaceChildren();
      this.board.words.textContent = '';
      return;
    }
    this.drawMap();
    this.drawWindow();
  }

  drawImage() {
    const { data, board, arrays: { padded } } = this;
    const [height, width] = padded.shape;
    const [top, bottom, left, right] = data.sides;
    const added = (row, column) => row < top || row >= height - bottom || column < left || column >= width - right;
    this.image.paint({ rows: height, columns: width,
      color: (row, column) => {
        const gray = board.gray(padded[row * width + column]);
        return added(row, column) ? gray.map((level, channel) => Math.round(0.4 * level + 0.6 * ADDED[channel])) : gray;
      },
      text: (row, column) => decimal(padded[row * width + column], 2) });
    const size = `Image, ${height - top - bottom} × ${width - left - right}`;
    const around = data.mirrored ? 'the image mirrored at its edge' : 'zeros';
    this.image.caption.textContent = Math.max(...data.sides) ? `${size}; bluish: padding, ${around}` : size;
  }

  drawMap() {
    const { data, board, walk, arrays: { map } } = this;
    this.map.at = [walk.row, walk.column];
    this.map.boxes = [{ row: walk.row, column: walk.column, height: 1, width: 1, kind: 'mark' }];
    const shown = `${walk.upto} ${Math.max(walk.at, walk.upto)}`;
    if (shown === this.shown) { this.map.draw(); return; }
    this.shown = shown;
    const gray = this.state.colors === 'gray';
    this.map.most = this.image.side;
    this.map.paint({ rows: walk.height, columns: walk.width,
      color: (row, column) => {
        const place = row * walk.width + column;
        if (!walk.seen(place)) return null;
        return gray ? board.gray(map[place]) : board.signed(map[place] / (data.scale || 1));
      },
      text: (row, column) => {
        const value = map[row * walk.width + column];
        return decimal(value, Math.abs(value) < 10 ? 2 : 1);
      } });
    const end = decimal(data.scale, 2);
    const colors = gray ? 'black is 0, white is 1' : `blue −${end}, white 0, red ${end}`;
    this.map.caption.textContent = `Feature map, ${walk.height} × ${walk.width}; ${colors}`;
  }

  drawWindow() {
    const { walk, arrays: { padded, applied, map } } = this;
    const [rows, columns] = walk.covered();
    this.image.at = [rows[rows.length >> 1], columns[columns.length >> 1]];
    const pixels = rows.flatMap((row) => columns.map((column) => padded[row * padded.shape[1] + column]));
    const products = pixels.map((pixel, place) => pixel * applied[place]);
    this.small(this.patch, pixels, (pixel) => this.board.gray(pixel));
    this.small(this.turned, [...applied]);
    this.small(this.products, products);
    this.write(pixels, products, map[walk.at]);
    this.touch(this.touched ?? null);
  }

  // A square of numbers beside the kernel.
  small(grid, values, color = null) {
    const { side } = this.data;
    const largest = Math.max(...values.map(Math.abs), 1e-9);
    grid.most = this.cell;
    const shade = color ?? ((value) => this.board.signed(0.8 * value / largest));
    grid.paint({ rows: side, columns: side, color: (row, column) => shade(values[row * side + column]),
      text: (row, column) => decimal(values[row * side + column], 2) });
  }

  // The sum as one writes it by hand; of large kernels the products only.
  write(pixels, products, value) {
    const { walk, data: { side }, arrays: { applied } } = this;
    const terms = products.flatMap((product, place) => {
      if (side > 3 && product === 0) return [];
      const text = side > 3 ? decimal(product) : `${decimal(pixels[place], 2)} × ${decimal(applied[place])}`;
      return [element('span', { textContent: text, 'data-place': place })];
    });
    if (terms.length < products.length) terms.push(element('span', { textContent: `${products.length - terms.length} times 0` }));
    // What is below zero is taken away.
    const added = (term) => {
      if (!term.textContent.startsWith('−')) return ' + ';
      term.textContent = term.textContent.slice(1);
      return ' − ';
    };
    const exact = [...products, ...applied, value].every((each) => Math.abs(each - Number(each.toFixed(3))) < 5e-5);
    this.sum.replaceChildren(
      ...terms.flatMap((term, place) => (place ? [added(term), term] : [term])),
      element('strong', { textContent: ` ${exact ? '=' : '≈'} ${decimal(value)}` }));
    this.sum.style.minHeight = `${1.5 * [1, 1, 2, 1, 2, 3, 4][side - 1]}em`;
    if (walk.playing) return;
    this.board.words.textContent = `Row ${walk.row + 1}, column ${walk.column + 1} of the feature map: ${decimal(value)}.`;
  }
}
