// The lesson on receptive fields: everything that any unit sees has come along, so that a click answers at once.
const FIELD_ORANGE = [224, 123, 0];
const FIELD_MOST = 8;

class Figure {
  constructor(board) {
    this.board = board;
    this.sliders = [
      board.slider({ name: 'layers', label: 'Layers', min: 1, max: FIELD_MOST }),
      board.slider({ name: 'kernel', label: 'Window', min: 1, max: 7, words: (at) => `${at} × ${at}` }),
      board.slider({ name: 'stride', label: 'Stride', min: 1, max: 3 }),
      board.slider({ name: 'dilation', label: 'Dilation', min: 1, max: 4 }),
    ];
    this.padded = board.button('Padding', () => board.tell({ padded: !this.state.padded }));
    this.heat = board.button('Show how much each pixel counts', () => {
      this.effective = !this.effective;
      this.draw();
      board.tell({ effective: this.effective });
    });
    this.image = board.grid({ label: 'The image, and what the chosen unit sees of it', most: 7 });
    this.image.box.classList.add('lab-field-image');
    this.side = element('div', { className: 'lab-field-maps' });
    board.stage.append(this.side);
    this.maps = Array.from({ length: FIELD_MOST }, (_, layer) => this.map(layer));
    this.side.append(element('p', { className: 'lab-field-note', textContent: 'Each map shows the mean of what every window covers, poolings too.' }));
    this.cone = element('canvas', { role: 'img', 'aria-label': 'The layers from the side: one row of each, and the paths from the unit down to the pixels' });
    board.stage.append(element('figure', { className: 'lab-field-cone' }, this.cone,
      element('figcaption', { textContent: 'From the side: the unit above, one row of the image below, and every path between them' })));
    this.problem = element('p', { className: 'lab-field-problem', role: 'alert' });
    board.stage.before(this.problem, board.words);
  }

  map(layer) {
    const grid = this.board.grid({ label: `Map of layer ${layer + 1}: arrow keys choose a unit`, into: this.side,
      onPoint: (row, column) => this.look([layer, row, column]),
      onChoose: (row, column) => this.choose([layer, row, column]) });
    // What an arrow key chooses is told after a moment; until then it counts as chosen here.
    grid.canvas.addEventListener('keydown', (event) => {
      if (event.defaultPrevented) Object.assign(this, { chosen: this.unit, pending: event.key.startsWith('Arrow') });
    });
    grid.canvas.addEventListener('pointerleave', (event) => { if (event.pointerType === 'mouse') this.look(this.chosen); });
    return grid;
  }

  show(data, state, arrays) {
    const same = String(data.sizes) === String(this.data?.sizes);
    Object.assign(this, { data, state, arrays, effective: state.effective });
    if (!this.pending || !same) Object.assign(this, { chosen: data.unit, unit: data.unit, pending: false });
    const own = state.stack === 'own';
    for (const slider of this.sliders) slider.box.hidden = !own;
    this.padded.hidden = !own;
    this.padded.ariaPressed = String(state.padded);
    this.problem.textContent = data.problem || data.outside;
    this.problem.hidden = !this.problem.textContent;
    this.draw();
  }

  choose(unit) {
    Object.assign(this, { chosen: unit, pending: false });
    this.look(unit);
    this.board.tell({ layer: unit[0] + 1, row: unit[1] + 1, column: unit[2] + 1 });
  }

  // A pointer moves more often than the screen is drawn.
  look(unit) {
    this.unit = unit;
    this.frame ??= requestAnimationFrame(() => { this.frame = undefined; this.draw(); });
  }

  close() {
    cancelAnimationFrame(this.frame);
  }

  // The entry of an array for a unit's layer and place.
  at(name, layer, place, ...rest) {
    const array = this.arrays[name];
    return array[[layer, place, ...rest].reduce((index, each, axis) => index * array.shape[axis] + each, 0)];
  }

  touched(level, axis, unit) {
    const place = this.at('touched', this.unit[0], this.unit[axis], level, unit >> 3);
    return (place >> (7 - (unit & 7))) & 1;
  }

  draw() {
    const { sizes, names } = this.data;
    this.paper = this.background();
    this.heat.ariaPressed = String(this.effective);
    this.drawImage();
    const room = this.side.clientWidth || this.board.root.clientWidth;
    const cell = clamp(Math.floor((room > 480 ? 230 : room / 2 - 12) / sizes[0]), 2, 7);
    this.maps.forEach((grid, layer) => {
      grid.box.hidden = layer >= names.length;
      if (grid.box.hidden) { grid.rows = 0; return; }
      const units = sizes[layer + 1];
      grid.most = grid.least = Math.max(cell, Math.ceil(44 / units));
      grid.caption.textContent = `Layer ${layer + 1}: ${names[layer]} → ${units} × ${units}`;
      grid.at = layer === this.unit[0] ? this.unit.slice(1) : grid.at;
      grid.boxes = names.length ? this.boxes(layer + 1) : [];
      const array = this.arrays[`map${layer}`];
      grid.paint({ rows: units, columns: units, color: (row, column) => {
        const level = array[row * units + column];
        return this.faded([level, level, level], layer + 1, row, column);
      } });
    });
    this.drawCone();
    this.board.words.textContent = names.length ? this.sentence() : '';
  }

  // What the unit does not see steps back.
  faded(color, level, row, column) {
    if (!this.data.names.length || level > this.unit[0] + 1) return color;
    if (this.touched(level, 1, row) && this.touched(level, 2, column)) return color;
    return color.map((channel, each) => Math.round(0.45 * channel + 0.55 * this.paper[each]));
  }

  background() {
    const hex = this.board.color('background').replace('#', '');
    return /^[0-9a-f]{6}$/i.test(hex) ? [0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16)) : [255, 255, 255];
  }

  boxes(level) {
    const [layer, row, column] = this.unit;
    if (level > layer + 1 || !this.data.names.length) return [];
    const size = this.data.sizes[level];
    const [top, bottom] = [0, 1].map((end) => clamp(this.at('spans', layer, row, level, end), 0, size));
    const [left, right] = [0, 1].map((end) => clamp(this.at('spans', layer, column, level, end), 0, size));
    return [{ row: top, column: left, height: bottom - top, width: right - left, kind: 'mark' }];
  }

  drawImage() {
    const { sizes, names } = this.data;
    const [layer, y, x] = this.unit;
    const pixels = this.arrays.image;
    this.image.most = Math.floor(340 / sizes[0]);
    this.image.caption.textContent = this.effective ? 'Brighter: counts more (root mean square of the gradient over random weights)'
      : `The image: ${sizes[0]} × ${sizes[0]} pixels`;
    this.image.boxes = this.boxes(0);
    this.image.paint({ rows: sizes[0], columns: sizes[0], color: (row, column) => {
      const at = 3 * (row * sizes[0] + column);
      const color = [pixels[at], pixels[at + 1], pixels[at + 2]];
      const counts = this.effective && names.length ? this.at('lines', layer, y, row) * this.at('lines', layer, x, column) : 0;
      if (!counts) return this.faded(color, 0, row, column);
      const heat = this.board.heat(counts);
      return color.map((channel, each) => Math.round(0.2 * channel + 0.8 * heat[each]));
    } });
  }

  sentence() {
    const [layer, row, column] = this.unit;
    const size = this.data.sizes[0], field = this.data.fields[layer], middle = this.data.middles[layer];
    const seen = [row, column].map((place) => [0, 1].map((end) => this.at('spans', layer, place, 0, end)));
    const inside = seen.map(([first, end]) => [clamp(first, 0, size), clamp(end, 0, size)]);
    const unit = `Layer ${layer + 1}, row ${row + 1}, column ${column + 1} sees ${field} × ${field} pixels`;
    const [rows, columns] = inside.map(([first, end]) => `${first + 1} to ${end}`);
    const cut = seen.some(([first, end], each) => first !== inside[each][0] || end !== inside[each][1]);
    const where = inside.some(([first, end]) => first >= end) ? ', all of them padding.'
      : `: rows ${rows} and columns ${columns} of the image${cut ? '; the rest is padding' : ''}.`;
    if (!this.effective) return unit + where;
    const [share, area] = [0, 1].map((each) => this.at('shares', layer, row, each) * this.at('shares', layer, column, each));
    return `${unit}${where} The middle ${middle} × ${middle}, ${number(100 * area, 3)} % of what it sees, `
      + `${middle === 1 ? 'has' : 'have'} ${number(100 * share, 3)} % of the influence (the gradient squared).`;
  }

  drawCone() {
    const { sizes, names } = this.data;
    const wide = this.cone.parentElement.clientWidth, step = 38, bars = 46, top = 14;
    if (!wide) return;
    const high = top + names.length * step + bars;
    const scale = window.devicePixelRatio || 1;
    Object.assign(this.cone, { width: Math.round(wide * scale), height: Math.round(high * scale) });
    Object.assign(this.cone.style, { width: `${wide}px`, height: `${high}px` });
    const ink = this.cone.getContext('2d');
    ink.setTransform(scale, 0, 0, scale, 0, 0);
    const label = wide > 600 ? 64 : 0;
    const pitch = (wide - label) / sizes[0];
    const place = (level, unit) => [label + this.arrays.centers[level * this.arrays.centers.shape[1] + unit] * pitch,
      top + (names.length - level) * step];
    const orange = `rgb(${FIELD_ORANGE.join(' ')})`;
    const [layer] = this.unit;
    const lit = (level, unit) => names.length && level <= layer + 1 && this.touched(level, 2, unit);
    ink.strokeStyle = orange;
    ink.globalAlpha = 0.45;
    ink.lineWidth = 1;
    ink.beginPath();
    for (let level = 1; level <= Math.min(names.length, layer + 1); level++) {
      for (let unit = 0; unit < sizes[level]; unit++) {
        if (!lit(level, unit)) continue;
        for (let tap = 0; tap < this.arrays.taps.shape[2]; tap++) {
          const below = this.at('taps', level - 1, unit, tap);
          if (below < 0) continue;
          ink.moveTo(...place(level, unit));
          ink.lineTo(...place(level - 1, below));
        }
      }
    }
    ink.stroke();
    ink.globalAlpha = 1;
    const dot = clamp(pitch * 0.5, 3, 9);
    for (let level = 0; level <= names.length; level++) {
      for (let unit = 0; unit < sizes[level]; unit++) {
        const [x, y] = place(level, unit);
        ink.fillStyle = lit(level, unit) ? orange : this.board.color('border');
        ink.fillRect(x - dot / 2, y - dot / 2, dot, dot);
      }
    }
    this.drawLabels(ink, label, step, top);
    if (names.length) this.drawBars(ink, pitch, label, top + names.length * step + 12, bars - 14);
  }

  drawLabels(ink, label, step, top) {
    if (!label) return;
    const count = this.data.names.length;
    ink.font = `12px ${getComputedStyle(this.board.root).fontFamily}`;
    ink.textBaseline = 'middle';
    ink.fillStyle = this.board.color('text');
    for (let level = 0; level <= count; level++) ink.fillText(level ? `Layer ${level}` : 'Image', 0, top + (count - level) * step);
  }

  // Below each pixel, how much it counts along this row.
  drawBars(ink, pitch, label, top, high) {
    if (!this.effective) return;
    const [layer, , column] = this.unit;
    for (let pixel = 0; pixel < this.data.sizes[0]; pixel++) {
      const counts = this.at('lines', layer, column, pixel);
      ink.fillStyle = `rgb(${this.board.heat(counts).join(' ')})`;
      ink.fillRect(label + (pixel + 0.1) * pitch, top, 0.8 * pitch, high * counts);
    }
  }
}
