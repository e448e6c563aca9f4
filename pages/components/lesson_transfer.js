// The lesson on transfer, first part: maps of every stage have come along, so that the slider answers at
// once; what excites the chosen one is searched by the server.
const INK = { frame: '#E07B00', halo: '#FFFFFF' };

class Figure {
  constructor(board) {
    this.board = board;
    board.root.classList.add('lab-transfer');
    this.slider = board.slider({ name: 'depth', label: 'How deep', min: 0, max: 1, words: (at) => this.words(at),
      onMove: () => { this.draw(); this.empty(); }, also: () => ({ unit: -1 }) });
    this.picture = element('canvas', { role: 'img', 'aria-label': 'The picture as the network gets it' });
    this.tiles = element('div', { className: 'lab-transfer-tiles', role: 'group', 'aria-label': 'Maps of this stage' });
    this.patches = element('div', { className: 'lab-transfer-patches' });
    this.patchTitle = element('p', { className: 'lab-transfer-title' });
    this.mapTitle = element('p', { className: 'lab-transfer-title' });
    this.note = element('p', { className: 'lab-transfer-note' });
    board.stage.append(
      element('figure', { className: 'lab-transfer-picture' }, this.picture,
        element('figcaption', { textContent: 'The picture as the network gets it' })),
      element('div', { className: 'lab-transfer-maps' }, this.mapTitle, this.tiles),
      element('div', { className: 'lab-transfer-below' }, this.patchTitle, this.patches, this.note));
    this.buttons = [];
  }

  show(data, state, arrays) {
    this.data = data;
    this.arrays = arrays;
    this.slider.limit(0, data.stages.length - 1);
    this.slider.set(data.depth);
    this.draw();
    if (this.slider.value === data.depth) this.drawPatches(); else this.empty();
  }

  words(at) {
    const stage = this.data?.stages[at];
    return stage ? `${stage.title}, ${at + 1} of ${this.data.stages.length}` : '';
  }

  draw() {
    const place = this.slider.value, stage = this.data.stages[place];
    this.slider.say();
    this.drawPicture();
    const sees = stage.sees === null ? 'all of the picture'
      : stage.sees >= this.data.size ? `${stage.sees} × ${stage.sees} pixels: more than the picture` : `${stage.sees} × ${stage.sees} pixels`;
    this.mapTitle.textContent = stage.count
      ? `The ${stage.units.length} most contrasted of ${number(stage.count, 4)} maps, ${stage.side} × ${stage.side} numbers each; one number sees ${sees}`
      : 'Computing the maps…';
    const maps = this.arrays[`maps${place}`];
    while (this.buttons.length < stage.units.length) this.addTile();
    this.buttons.forEach(({ button }, at) => { button.hidden = at >= stage.units.length; });
    stage.units.forEach((unit, at) => this.drawTile(this.buttons[at], maps, at, unit, place));
  }

  addTile() {
    const canvas = element('canvas'), name = element('span');
    const button = element('button', { type: 'button', className: 'lab-transfer-tile' }, canvas, name);
    const tile = { button, canvas, name };
    button.addEventListener('click', () => { if (tile.unit !== undefined) this.choose(tile.unit); });
    canvas.addEventListener('pointermove', (event) => this.point(tile, event));
    canvas.addEventListener('pointerleave', () => { this.board.words.textContent = ''; this.drawPicture(); });
    this.buttons.push(tile);
    this.tiles.append(button);
  }

  drawTile(tile, maps, at, unit, place) {
    const [, rows, columns] = maps.shape;
    const paint = (value) => this.board.signed((value - 128) / 127);
    colorize(tile.canvas, rows, columns, (cell) => paint(maps[at * rows * columns + cell]));
    Object.assign(tile, { unit, at, place, rows, columns });
    tile.name.textContent = `Map ${unit}`;
    const chosen = place === this.data.depth ? unit === this.data.unit : at === 0;
    tile.button.setAttribute('aria-pressed', String(chosen));
    tile.button.setAttribute('aria-label', `Map ${unit}, number ${at + 1} by contrast`);
  }

  choose(unit) {
    if (this.slider.value === this.data.depth) this.data.unit = unit;
    this.draw();
    this.empty();
    this.board.tell({ depth: this.slider.value, unit });
  }

  // A place of a map: its frame on the picture.
  point(tile, event) {
    const box = tile.canvas.getBoundingClientRect();
    const row = clamp(Math.floor((event.clientY - box.top) / box.height * tile.rows), 0, tile.rows - 1);
    const column = clamp(Math.floor((event.clientX - box.left) / box.width * tile.columns), 0, tile.columns - 1);
    const spans = (name, at) => [...this.arrays[`${name}${tile.place}`].slice(2 * at, 2 * at + 2)];
    const [[top, bottom], [left, right]] = [spans('rows', row), spans('columns', column)];
    const value = (this.arrays[`maps${tile.place}`][(tile.at * tile.rows + row) * tile.columns + column] - 128) / 127;
    this.drawPicture([top, left, bottom, right]);
    const size = this.data.size;
    const sees = right - left >= size && bottom - top >= size ? 'all of the picture' : `${right - left} × ${bottom - top} pixels of it`;
    this.board.words.textContent = `Map ${tile.unit}, row ${row + 1}, column ${column + 1}: ${number(Math.round(100 * value), 3)} % of its largest magnitude; this place sees ${sees}.`;
  }

  drawPicture(box = null) {
    const { picture } = this.arrays;
    const side = picture.shape[0];
    colorize(this.picture, side, side, (cell) => picture.slice(3 * cell, 3 * cell + 3));
    if (!box) return;
    const ink = this.picture.getContext('2d');
    const [top, left, bottom, right] = box;
    for (const [width, color] of [[5, INK.halo], [3, INK.frame]]) {
      ink.lineWidth = width;
      ink.strokeStyle = color;
      ink.strokeRect(left + 1.5, top + 1.5, right - left - 3, bottom - top - 3);
    }
  }

  empty() {
    const unit = this.buttons.find(({ button }) => button.getAttribute('aria-pressed') === 'true')?.unit;
    this.patchTitle.textContent = unit === undefined ? '' : `What excites map ${unit} most`;
    this.patches.replaceChildren(...Array.from({ length: 8 }, () => element('div', { className: 'lab-transfer-blank' })));
    this.note.textContent = '';
  }

  drawPatches() {
    const { patches } = this.arrays;
    if (!patches) {
      this.empty();
      if (this.data.unit >= 0) this.note.textContent = this.data.searching || 'This map is dead: it is the same everywhere in all images searched.';
      return;
    }
    this.patchTitle.textContent = `What excites map ${this.data.unit} most, among ${this.data.searched}: the strongest place of each image, with its class`;
    const [count, side] = patches.shape;
    this.patches.replaceChildren(...Array.from({ length: count }, (_, at) => {
      const canvas = element('canvas', { role: 'img', 'aria-label': `Number ${at + 1}: a place in an image of ${this.data.labels[at]}` });
      const start = at * side * side;
      colorize(canvas, side, side, (cell) => patches.slice(3 * (start + cell), 3 * (start + cell) + 3));
      return element('figure', {}, canvas, element('figcaption', { textContent: this.data.labels[at] }));
    }));
    this.note.textContent = '';
  }
}

function colorize(canvas, rows, columns, color) {
  if (canvas.width !== columns || canvas.height !== rows) Object.assign(canvas, { width: columns, height: rows });
  const ink = canvas.getContext('2d');
  const pixels = ink.createImageData(columns, rows);
  for (let cell = 0; cell < rows * columns; cell++) {
    const [red, green, blue] = color(cell);
    pixels.data.set([red, green, blue, 255], 4 * cell);
  }
  ink.putImageData(pixels, 0, 0);
}
