// The lesson on convolution, several channels: each with its own kernel of the chosen filter and the sum of its
// products; the three sums added up are one number of the filter's one map.
const NAMES = ['Red', 'Green', 'Blue'];
const CELL = [36, 36, 36, 30, 26, 24, 22];  // px, by the size of the kernel

class Figure {
  constructor(board) {
    this.board = board;
    this.walk = new Walk(board, { onMove: () => this.draw() });
    const inputs = element('div', { className: 'lab-chan-inputs' });
    this.maps = element('div', { className: 'lab-chan-maps' });
    board.stage.append(inputs, this.maps);
    this.channels = NAMES.map((name, channel) => this.channel(name, channel, inputs));
    this.problem = element('p', { className: 'lab-conv-problem', role: 'alert' });
    this.maps.append(this.problem);
    this.tiles = [];
    this.sum = element('p', { className: 'lab-conv-sum' });
    this.size = element('p', { className: 'lab-conv-size' });
    this.params = element('p', { className: 'lab-conv-size' });
    board.words.before(this.sum, this.params, this.size);
  }

  channel(name, channel, into) {
    const row = element('div', { className: 'lab-chan-row' });
    into.append(row);
    const grid = this.board.grid({ label: `${name} channel; arrow keys move the window`, caption: name, into: row,
      onPoint: (...at) => this.walk.over(...at), onChoose: () => this.walk.settle() });
    const patch = this.board.grid({ label: `${name}: pixels below the window`, caption: 'pixels', into: row });
    patch.box.classList.add('lab-chan-part');
    const box = element('figure', { className: 'lab-chan-part' });
    row.append(box);
    const numbers = this.board.numbers({ label: `Kernel for ${name.toLowerCase()}`, into: box, most: 99,
      onEdit: (values, settled) => this.edit(channel, values, settled) });
    const caption = element('figcaption', { textContent: '× kernel' });
    box.append(caption);
    const sum = element('output', { className: 'lab-chan-sum' });
    row.append(sum);
    return { row, grid, patch, box, numbers, caption, sum };
  }

  edit(channel, values, settled) {
    const { data } = this;
    const kernels = data.kernels[data.chosen].map((each, at) => (at === channel ? values : each));
    data.kernels[data.chosen] = kernels;
    const texts = data.named.map((text, at) => (at === data.chosen ? kernels.flat().join(',') : text));
    this.board.tell({ filters: texts.join(';') }, { settled });
  }

  close() { this.walk.close(); }

  show(data, state, arrays) {
    Object.assign(this, { data, state, arrays });
    const shape = arrays.maps?.shape ?? [0, 0, 0];
    this.walk.receive(state, shape.slice(1), arrays.rows, arrays.columns);
    if (this.problem.textContent !== data.problem) this.problem.textContent = data.problem;
    while (this.tiles.length < data.titles.length) this.tiles.push(this.tile(this.tiles.length));
    this.tiles.forEach((tile, at) => { tile.box.hidden = at >= data.titles.length || Boolean(data.problem); });
    this.params.textContent = data.params ?? '';
    this.size.textContent = data.problem ? '' : `Height of each map: ${data.formula}`;
    this.board.stage.style.setProperty('--cell', `${CELL[data.side - 1]}px`);
    this.channels.forEach(({ numbers, patch, row }, channel) => {
      patch.box.style.width = `${CELL[data.side - 1] * data.side}px`;
      patch.box.style.visibility = data.problem ? 'hidden' : '';
      numbers.set(data.kernels[data.chosen][channel], data.side);
      row.classList.toggle('lab-chan-unseen', !data.seen[data.chosen].includes(channel));
      this.drawPlane(channel);
    });
    this.shown = null;
    this.draw();
  }

  tile(at) {
    return this.board.grid({ label: `Map of filter ${at + 1}; arrow keys move the window`, into: this.maps, most: 22,
      onPoint: (...place) => this.walk.visit(...place), onChoose: () => this.walk.settle({ chosen: at }) });
  }

  draw() {
    const { data, walk, board } = this;
    this.channels.forEach((_, channel) => this.drawChannel(channel));
    this.sum.hidden = Boolean(data.problem);
    if (data.problem) { board.words.textContent = ''; return; }
    const shown = `${walk.upto} ${Math.max(walk.at, walk.upto)}`;
    data.titles.forEach((_, at) => this.drawMap(at, shown !== this.shown));
    this.shown = shown;
    this.write();
  }

  // A pixel of a channel in the padded image, and its color.
  value(channel, row, column) {
    const [, height, width] = this.arrays.padded.shape;
    return this.arrays.padded[(channel * height + row) * width + column];
  }

  light(channel, level) { return [0, 1, 2].map((at) => Math.round(255 * (at === channel ? level : 0.12 * level))); }

  drawPlane(channel) {
    const [, height, width] = this.arrays.padded.shape;
    const [top, bottom, left, right] = this.data.sides;
    const added = (row, column) => row < top || row >= height - bottom || column < left || column >= width - right;
    this.channels[channel].grid.paint({ rows: height, columns: width, color: (row, column) => {
      const color = this.light(channel, this.value(channel, row, column));
      return added(row, column) ? color.map((part) => Math.round(0.4 * part + 90)) : color;
    } });
  }

  drawChannel(channel) {
    const { data, walk } = this;
    const { grid, patch, sum } = this.channels[channel];
    if (data.problem) { grid.frame([]); sum.textContent = ''; return; }
    const [rows, columns] = walk.covered();
    grid.at = [rows[rows.length >> 1], columns[columns.length >> 1]];
    grid.frame(walk.frames());
    patch.most = CELL[data.side - 1];
    patch.paint({ rows: data.side, columns: data.side,
      color: (row, column) => this.light(channel, this.value(channel, rows[row], columns[column])),
      text: (row, column) => decimal(this.value(channel, rows[row], columns[column]), 2) });
    const part = this.part(channel);
    sum.textContent = part === null ? 'not seen' : `Σ = ${decimal(part)}`;
  }

  // What a channel adds to the chosen filter's map at the window's place; null where the filter does not see it.
  part(channel) {
    const { data, walk, arrays: { sums } } = this;
    const place = data.seen[data.chosen].indexOf(channel);
    return place < 0 ? null : sums[(data.chosen * sums.shape[1] + place) * walk.count + walk.at];
  }

  drawMap(at, changed) {
    const { data, walk, board, arrays: { maps } } = this;
    const tile = this.tiles[at];
    tile.at = [walk.row, walk.column];
    tile.boxes = [{ row: walk.row, column: walk.column, height: 1, width: 1, kind: 'mark' }];
    if (!changed) { tile.draw(); return; }
    const scale = data.scales[at] || 1;
    tile.paint({ rows: walk.height, columns: walk.width,
      color: (row, column) => {
        const place = row * walk.width + column;
        return walk.seen(place) ? board.signed(maps[at * walk.count + place] / scale) : null;
      } });
    tile.box.classList.toggle('lab-chan-chosen', at === data.chosen);
    const seen = data.seen[at].length < 3 ? `, sees ${data.seen[at].map((one) => NAMES[one].toLowerCase()).join(', ')}` : '';
    tile.caption.textContent = `${at + 1}. ${data.titles[at]}${seen}; colors to ±${decimal(data.scales[at], 2)}`;
  }

  write() {
    const { data, walk, arrays: { maps } } = this;
    const parts = data.seen[data.chosen].map((channel) => `${NAMES[channel].toLowerCase()} ${decimal(this.part(channel))}`);
    const value = maps[data.chosen * walk.count + walk.at];
    this.sum.replaceChildren(element('span', { textContent: `Filter ${data.chosen + 1}: ${parts.join(' + ')}` }),
      element('strong', { textContent: ` = ${decimal(value)}` }));
    if (walk.playing) return;
    this.board.words.textContent = `Row ${walk.row + 1}, column ${walk.column + 1} of map ${data.chosen + 1}: ${decimal(value)}.`;
  }
}
