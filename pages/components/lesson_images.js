// The lesson on images: every resolution has come along, so that the slider and the pointer answer at once.
const SHOWN = 5;  // pixels along a side of an excerpt
const CELLS = 9;  // numbers of the memory that are written out
const SPACES = {
  rgb: { names: ['Red', 'Green', 'Blue'], units: ['', '', ''], ends: [255, 255, 255],
         inks: ['#D1344B', '#23924B', '#3B6FE0'], says: ['0 to 255', '0 to 255', '0 to 255'] },
  hsv: { names: ['Hue', 'Saturation', 'Brightness'], units: ['°', ' %', ' %'], ends: [360, 100, 100],
         inks: ['#A4508B', '#B26B00', '#5B6477'], says: ['0° to 359°, around the color wheel', '0 to 100 %', '0 to 100 %'] },
  gray: { names: ['Gray'], units: [''], ends: [255], inks: ['#5B6477'], says: ['0 to 255'] },
};
const AXES = { n: 'n', c: 'c', h: 'y', w: 'x' };
const STEPS = { n: 'image to image', c: 'channel to channel', h: 'row to row', w: 'column to column' };

class Figure {
  constructor(board) {
    this.board = board;
    board.root.classList.add('lab-images');
    this.slider = board.slider({ name: 'side', label: 'Resolution', min: 8, max: 64, step: 4,
      words: (at) => `${at} × ${at} pixels`, onMove: () => this.paint(this.chosen), also: () => this.chosenFields() });
    const top = this.part('lab-images-top', board.stage);
    this.picture = this.pointed(board.grid({ label: 'The picture. Arrow keys choose a pixel.', into: top, most: 64,
      caption: 'Point at a pixel, or use the arrow keys; a click keeps it.',
      onPoint: (...at) => this.point(...at), onChoose: (...at) => this.choose(...at) }));
    this.buildReadout(this.part('lab-images-readout', top));
    this.all = this.part('lab-images-planes', board.stage);
    this.planes = [0, 1, 2].map((channel) => this.buildPlane(this.part('lab-images-plane', this.all), channel));
    this.buildMemory(this.part('lab-images-memory', board.stage));
  }

  part(className, into) {
    const found = element('div', { className });
    into.append(found);
    return found;
  }

  pointed(grid) {
    grid.canvas.addEventListener('pointerleave', (event) => { if (event.pointerType === 'mouse') this.point(...this.chosen); });
    return grid;
  }

  buildReadout(box) {
    this.swatch = this.part('lab-images-swatch', box);
    this.where = element('p', { className: 'lab-images-where' });
    this.rows = [0, 1, 2].map(() => {
      const parts = { name: element('th', { scope: 'row' }), whole: element('td'), share: element('td'),
                      bar: element('i'), };
      parts.row = element('tr', {}, parts.name, parts.whole, parts.share, element('td', { className: 'lab-images-bar' }, parts.bar));
      return parts;
    });
    const head = element('tr', {}, ...['', '0 to 255', '0 to 1', ''].map((text) => element('th', { textContent: text, scope: 'col' })));
    this.also = element('p', { className: 'lab-images-also' });
    box.append(this.where, element('table', {}, element('thead', {}, head), element('tbody', {}, ...this.rows.map((each) => each.row))), this.also);
  }

  buildPlane(box, channel) {
    const title = element('p', { className: 'lab-images-title' });
    box.append(title);
    const plane = this.pointed(this.board.grid({ label: `Plane ${channel + 1}. Arrow keys choose a pixel.`, into: box, most: 64,
      onPoint: (...at) => this.point(...at), onChoose: (...at) => this.choose(...at) }));
    const excerpt = this.board.grid({ label: `The numbers around the pixel in plane ${channel + 1}`, into: box, most: 80 });
    return { box, title, plane, excerpt };
  }

  buildMemory(box) {
    this.shape = element('p', { className: 'lab-images-shape' });
    this.place = this.board.slider({ name: 'place', label: 'Which image of the batch it is', min: 0, max: 7,
      words: (at) => `n = ${at}`, onMove: () => this.point(...this.at), into: element('div', { className: 'lab-board-controls' }) });
    this.bar = element('div', { className: 'lab-images-strip', ariaHidden: 'true' });
    this.cells = Array.from({ length: CELLS }, () => {
      const cell = { value: element('b'), position: element('small') };
      cell.box = element('span', { className: 'lab-images-cell' }, cell.value, cell.position);
      return cell;
    });
    this.formulas = element('div', { className: 'lab-images-formulas' });
    this.steps = element('p', { className: 'lab-images-also' });
    box.append(element('p', { className: 'lab-images-title', textContent: 'The same numbers in memory' }), this.shape,
      this.place.box.parentElement, this.bar, element('div', { className: 'lab-images-cells' }, ...this.cells.map((each) => each.box)),
      this.formulas, this.steps);
  }

  show(data, state, arrays) {
    Object.assign(this, { data, arrays, layout: state.layout });
    const { row, column, side } = state;
    // An answer to something else leaves the pixel that is pointed at.
    const same = this.base && row === this.base.row && column === this.base.column && side === this.base.side;
    if (!same) Object.assign(this, { base: { row, column, side }, at: null });
    this.space = SPACES[data.planes];
    this.place.limit(0, data.batch - 1);
    this.paint(this.at ?? this.chosen);
  }

  // The chosen pixel at the resolution that is shown; the same place of the picture at every resolution.
  get chosen() {
    const { row, column, side } = this.base;
    return [row, column].map((at) => clamp(Math.floor((Math.min(at, side - 1) + 0.5) / side * this.side), 0, this.side - 1));
  }

  chosenFields() {
    const [row, column] = this.chosen;
    return { row, column };
  }

  choose(row, column) {
    this.base = { row, column, side: this.side };
    this.board.tell({ row, column });
    this.point(row, column);
  }

  get side() { return this.slider.value; }
  get count() { return this.space.names.length; }

  color(row, column) {
    const { colors } = this.arrays;
    const channels = colors.shape[1], at = (this.start + row * this.side + column) * channels;
    return channels === 3 ? colors.subarray(at, at + 3) : [colors[at], colors[at], colors[at]];
  }

  // The number of a plane.
  value(channel, row, column) {
    const pixel = this.start + row * this.side + column;
    if (this.data.planes === 'hsv') return this.arrays.hsv[3 * pixel + channel];
    if (this.data.planes === 'gray' && this.arrays.gray) return this.arrays.gray[pixel];
    return this.arrays.colors[pixel * this.arrays.colors.shape[1] + channel];
  }

  ink(channel, row, column) {
    const value = this.value(channel, row, column);
    if (this.data.planes === 'hsv' && channel === 0) return this.arrays.wheel.subarray(3 * value, 3 * value + 3);
    return this.board.gray(value / this.space.ends[channel]);
  }

  paint([row, column]) {
    const { side } = this;
    this.start = this.arrays.starts[this.data.sides.indexOf(side)];
    this.strides = this.data.strides[side];
    this.picture.paint({ rows: side, columns: side, color: (...at) => this.color(...at) });
    this.all.classList.toggle('is-single', this.count === 1);
    this.planes.forEach(({ box, title, plane }, channel) => {
      box.hidden = channel >= this.count;
      if (box.hidden) return;
      title.replaceChildren(element('i', { style: `background:${this.space.inks[channel]}` }), this.space.names[channel],
        element('small', { textContent: this.space.says[channel] }));
      plane.paint({ rows: side, columns: side, color: (...at) => this.ink(channel, ...at) });
    });
    this.point(row, column);
  }

  point(row, column) {
    this.at = [row, column];
    const mark = { row, column, height: 1, width: 1, kind: 'mark' };
    const first = [row, column].map((at) => clamp(at - 2, 0, this.side - SHOWN));
    const around = { row: first[0], column: first[1], height: SHOWN, width: SHOWN, kind: 'mark' };
    this.picture.at = [row, column];
    this.picture.frame([mark]);
    this.planes.slice(0, this.count).forEach(({ plane, excerpt }, channel) => {
      plane.at = [row, column];
      plane.frame([around]);
      excerpt.paint({ rows: SHOWN, columns: SHOWN, color: (...at) => this.ink(channel, first[0] + at[0], first[1] + at[1]),
        text: (...at) => String(this.value(channel, first[0] + at[0], first[1] + at[1])) });
      excerpt.frame([{ ...mark, row: row - first[0], column: column - first[1] }]);
    });
    this.read(row, column);
    this.remember(row, column);
  }

  read(row, column) {
    const { colors, hsv } = this.arrays;
    const channels = colors.shape[1], pixel = this.start + row * this.side + column;
    const rgb = this.color(row, column);
    this.swatch.style.background = `rgb(${rgb[0]} ${rgb[1]} ${rgb[2]})`;
    this.where.textContent = `Row ${row}, column ${column}`;
    const space = channels === 3 ? SPACES.rgb : SPACES.gray;
    this.rows.forEach((each, channel) => {
      each.row.style.visibility = channel < channels ? 'visible' : 'hidden';
      if (channel >= channels) return;
      const value = colors[pixel * channels + channel];
      each.name.textContent = space.names[channel];
      each.whole.textContent = value;
      each.share.textContent = (value / 255).toFixed(3);
      Object.assign(each.bar.style, { width: `${100 * value / 255}%`, background: space.inks[channel] });
    });
    this.also.textContent = hsv
      ? `Hue ${hsv[3 * pixel]}°, saturation ${hsv[3 * pixel + 1]} %, brightness ${hsv[3 * pixel + 2]} %`
      : 'One channel: gray has neither hue nor saturation.';
  }

  // Where the numbers of a pixel lie.
  remember(row, column) {
    const { strides, side, count } = this, { batch, order, numbers } = this.data;
    const index = { n: this.place.value, h: row, w: column };
    const terms = (channel) => [...order].map((axis) => [axis === 'c' ? channel : index[axis], strides[axis]]);
    const positions = this.space.names.map((_, channel) => terms(channel).reduce((sum, [at, step]) => sum + at * step, 0));
    const sizes = { n: batch, c: count, h: side, w: side };
    const shape = (axes) => `(${[...axes].map((axis) => sizes[axis]).join(', ')})`;
    const letters = (axes) => `(${[...axes].map((axis) => axis.toUpperCase()).join(', ')})`;
    const one = order.slice(1);
    this.shape.textContent = `One image: ${letters(one)} = ${shape(one)}. A batch of ${batch}: ${letters(order)} = ${shape(order)}, `
      + `${number(numbers[side], 9)} numbers: ${this.layout === 'chw' ? 'as PyTorch has it.' : 'as Keras and most image libraries have it.'}`;
    this.drawStrip(positions.map((at) => at - index.n * strides.n));
    this.drawCells(positions, index.n * strides.n);
    this.formulas.replaceChildren(...positions.map((position, channel) => element('div', {},
      element('span', { textContent: this.space.names[channel] }),
      element('code', { textContent: `batch[${terms(channel).map(([at]) => at).join(', ')}] = ${this.value(channel, row, column)}` }),
      element('code', { textContent: `at ${terms(channel).map(([at, step]) => `${at} · ${number(step, 9)}`).join(' + ')} = ${number(position, 9)}` }))));
    const rule = [...order].map((axis) => `${AXES[axis]} · ${number(strides[axis], 9)}`).join(' + ');
    const steps = [...order].map((axis) => `${number(strides[axis], 9)} from ${STEPS[axis]}`).join(', ');
    this.steps.textContent = `Position = ${rule}. The factors are the strides: ${steps}.`
      + (this.layout === 'hwc' && count > 1 ? ` PyTorch keeps a tensor of the shape ${shape('nchw')} like this too, with the memory format channels_last.` : '');
    const values = this.space.names.map((name, channel) => `${name.toLowerCase()} ${this.value(channel, row, column)}${this.space.units[channel]} at position ${number(positions[channel], 9)}`);
    this.board.words.textContent = `Row ${row}, column ${column}: ${values.join(', ')}.`;
  }

  // The whole image as one strip, with marks where the numbers of the pixel are.
  drawStrip(places) {
    const { inks } = this.space, total = this.strides.n;
    const share = 100 / inks.length;
    const bands = inks.map((ink, channel) => `${ink} ${channel * share}% ${(channel + 1) * share}%`).join(', ');
    const fine = inks.map((ink, channel) => `${ink} ${3 * channel}px ${3 * channel + 3}px`).join(', ');
    this.bar.style.backgroundImage = this.layout === 'chw' ? `linear-gradient(90deg, ${bands})` : `repeating-linear-gradient(90deg, ${fine})`;
    this.bar.replaceChildren(...places.map((at) => element('i', { style: `left:${100 * (at + 0.5) / total}%` })));
  }

  drawCells(positions, begin) {
    const { count } = this, end = begin + this.strides.n;
    const each = CELLS / count;
    this.cells.forEach((cell, place) => {
      const apart = this.layout === 'chw' && count > 1;
      const middle = apart ? positions[Math.floor(place / each)] : positions[0];
      const position = middle + (apart ? place % each - 1 : place - (count > 1 ? count : Math.floor(CELLS / 2)));
      const inside = position >= begin && position < end;
      const [channel, row, column] = this.indexOf(position - begin);
      cell.value.textContent = inside ? this.value(channel, row, column) : '–';
      cell.position.textContent = position >= 0 ? number(position, 9) : '';
      cell.box.className = `lab-images-cell${positions.includes(position) ? ' is-chosen' : ''}${apart && place && place % each === 0 ? ' is-apart' : ''}`;
      cell.box.style.setProperty('--ink', inside ? this.space.inks[channel] : 'transparent');
    });
  }

  // Channel, row and column of a number of the image.
  indexOf(position) {
    const found = {};
    let rest = position;
    for (const axis of this.data.order.slice(1)) {
      found[axis] = Math.floor(rest / this.strides[axis]);
      rest -= found[axis] * this.strides[axis];
    }
    return [found.c, found.h, found.w];
  }
}
