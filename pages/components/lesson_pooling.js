// The lesson on pooling: the maps and numbers of every shift have come along, so that the sliders answer at once.
const MAPS = { image: 'The image', apart: '2 × 2, stride 2', overlapping: '3 × 3, stride 2: overlapping' };
const FULL = 1.25;  // of the contrast: a bar over the whole width
const percent = (share) => (Number.isFinite(share) ? `${Math.round(100 * share)} %` : 'all of it');
const pixels = (count, way) => `${Math.abs(count)} ${Math.abs(count) === 1 ? 'pixel' : 'pixels'} ${way}`;

class Figure {
  constructor(board) {
    this.board = board;
    board.root.classList.add('lab-pooling');
    const slider = (name, label, ways) => {
      const words = (at) => (at ? pixels(at, ways[at > 0 ? 0 : 1]) : 'none');
      return Object.assign(board.slider({ name, label, min: -4, max: 4, value: 0, words, onMove: () => this.draw() }), { words });
    };
    this.right = slider('right', 'Shift to the side', ['to the right', 'to the left']);
    this.down = slider('down', 'Shift up or down', ['down', 'up']);
    this.back = board.button('No shift', () => {
      this.right.set(0);
      this.down.set(0);
      this.draw();
      board.tell({ right: 0, down: 0 });
    });
    this.grids = Object.fromEntries(Object.entries(MAPS).map(([name, caption]) => [name, board.grid(name === 'image'
      ? { label: caption, caption }
      : { label: `After pooling by ${caption}; arrow keys go through it`, caption,
          onPoint: (...at) => this.point(name, ...at), onChoose: (...at) => board.tell({ at: [name, ...at].join('.') }) })]));
    this.bars = element('table', { className: 'lab-pooling-bars' });
    board.root.insertBefore(this.bars, board.words);
    const meaning = 'In shares of a map\'s contrast, the mean distance of its values from their mean: at 100 % values differ from what they were as much as from one another.';
    board.root.insertBefore(element('p', { className: 'lab-pooling-meaning', textContent: meaning }), board.words);
    this.still = element('p', { className: 'lab-pooling-note' });
    board.root.insertBefore(this.still, board.words);
    this.lines = this.table();
  }

  table() {
    const head = element('tr', {}, ...['', 'Changed by the shift', 'Still changed when moved back', ''].map((text) => element('th', { textContent: text, scope: 'col' })));
    this.global = head.lastChild;
    const lines = Object.entries(MAPS).map(([, title]) => {
      const bars = [0, 1].map(() => {
        const fill = element('span', { className: 'fill' }), text = element('span', { className: 'value' });
        return { fill, text, cell: element('td', {}, element('span', { className: 'bar' }, fill), text) };
      });
      const overall = element('td');
      const row = element('tr', {}, element('th', { textContent: title.replace(': overlapping', ''), scope: 'row' }), ...bars.map(({ cell }) => cell), overall);
      return { row, bars, overall };
    });
    this.bars.append(element('thead', {}, head), element('tbody', {}, ...lines.map(({ row }) => row)));
    return lines;
  }

  show(data, state, arrays) {
    Object.assign(this, { data, arrays, kind: state.kind });
    for (const slider of [this.right, this.down]) slider.limit(-data.most, data.most);
    if (state.at !== this.told) {
      this.told = state.at;
      const [name, row, column] = state.at.split('.');
      this.pointed = name ? [name, Number(row), Number(column)] : undefined;
      if (name) this.grids[name].at = [Number(row), Number(column)];
    }
    this.draw();
  }

  // Which of the shifts the sliders say.
  place() {
    const { most } = this.data;
    return (this.right.value + most) * (2 * most + 1) + this.down.value + most;
  }

  value(name, row, column) {
    const array = this.arrays[name], [, rows, columns] = array.shape;
    return array[(this.place() * rows + row) * columns + column];
  }

  draw() {
    const boxes = this.frames();
    for (const [name, grid] of Object.entries(this.grids)) {
      grid.boxes = boxes[name];
      const [, rows, columns] = this.arrays[name].shape;
      const at = (row, column) => this.value(name, row, column);
      grid.paint({ rows, columns, color: (row, column) => this.board.gray(at(row, column)),
        text: (row, column) => number(Math.round(100 * at(row, column)) / 100) });
    }
    const by = [this.right, this.down].filter((slider) => slider.value).map((slider) => slider.words(slider.value));
    this.grids.image.caption.textContent = by.length ? `The image, shifted by ${by.join(' and ')}` : MAPS.image;
    this.measure();
  }

  measure() {
    this.global.textContent = this.kind === 'max' ? 'Global maximum' : 'Global mean';
    const { changes, moves } = this.arrays, place = this.place();
    const still = (2 * this.data.most + 1) * this.data.most + this.data.most;
    this.lines.forEach(({ bars, overall }, map) => {
      const at = 9 * place + 3 * map;
      bars.forEach(({ fill, text }, which) => {
        const share = changes[at + which];
        fill.style.width = `${100 * clamp(share / FULL, 0, 1) || 0}%`;
        text.textContent = Number.isNaN(share) ? 'nothing left' : percent(share);
      });
      const before = changes[9 * still + 3 * map + 2], now = changes[at + 2];
      overall.textContent = Math.abs(now - before) < 1e-6 ? `${number(now, 3)}, unchanged` : `${number(now, 3)}, was ${number(before, 3)}`;
    });
    const [right, down] = moves.subarray(2 * place, 2 * place + 2);
    const moved = [[right, 'to the side'], [down, 'up or down']].filter(([by]) => by).map(([by, way]) => `${Math.abs(by)} ${Math.abs(by) === 1 ? 'place' : 'places'} ${way}`);
    const whole = [this.right.value, this.down.value].every((by) => by % this.data.stride === 0);
    this.still.textContent = !this.right.value && !this.down.value ? 'Shift the image, and see what its maps make of it.'
      : whole ? `The shift is a whole number of strides: moved back by ${moved.join(' and ')}, the pooled maps are what they were, but for what came in at the edge.`
      : `The shift lies between two places of the pooled maps: ${moved.length ? `moved back by ${moved.join(' and ')}` : 'with no whole place to move back by'}, they still differ. The image, moved back, is the same.`;
  }

  point(name, row, column) {
    this.pointed = [name, row, column];
    for (const [each, boxes] of Object.entries(this.frames())) this.grids[each].frame(boxes);
  }

  // The window of the place that is pointed at, and the pixel that won; said in words, too.
  frames() {
    if (!this.pointed) return { image: [], apart: [], overlapping: [] };
    const [name, row, column] = this.pointed;
    const kernel = this.data.windows[name], { stride } = this.data;
    const boxes = [{ row: stride * row, column: stride * column, height: kernel, width: kernel, kind: 'window' }];
    const winner = this.value(`winners_${name}`, row, column);
    const won = [stride * row + Math.floor(winner / kernel), stride * column + winner % kernel];
    if (this.kind === 'max') boxes.push({ row: won[0], column: won[1], height: 1, width: 1, kind: 'mark' });
    const kept = number(this.value(name, row, column), 2);
    this.board.words.textContent = `Row ${row + 1}, column ${column + 1} of the map keeps ${kept}: ${this.kind === 'max'
      ? `the largest value of its window, from row ${won[0] + 1}, column ${won[1] + 1} of the image.`
      : `the mean of the ${kernel * kernel} values of its window.`}`;
    return { apart: [], overlapping: [], image: boxes, [name]: [{ row, column, height: 1, width: 1, kind: 'mark' }] };
  }
}
