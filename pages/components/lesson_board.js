// What the lessons' figures share. A figure's own script follows and defines `class Figure` with a constructor that
// takes the board and builds what stays, and `show(data, state, arrays)`, which draws what the server has sent.
const SETTLE_MS = 400;  // after the last step of a held arrow key the value is written to the address
const ANSWER_MS = 4000;  // what has no answer by then is told again: the server may have started anew
const ARRAYS = { u1: Uint8Array, i2: Int16Array, f4: Float32Array, i4: Int32Array };

function unpack(data) {
  const length = new DataView(data.buffer, data.byteOffset, 4).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(data.subarray(4, 4 + length)));
  let start = Math.ceil((4 + length) / 4) * 4;
  const arrays = {};
  for (const [name, type, shape] of header.arrays) {
    const count = shape.reduce((product, side) => product * side, 1);
    const size = count * ARRAYS[type].BYTES_PER_ELEMENT;
    arrays[name] = Object.assign(new ARRAYS[type](data.slice(start, start + size).buffer), { shape });
    start += Math.ceil(size / 4) * 4;
  }
  return { header, arrays };
}

// Made once: `toLocaleString` makes one at every call, which takes longer than all of a grid's drawing.
const DECIMALS = new Intl.NumberFormat('en-US', { maximumFractionDigits: 10 });

// A number as people read it: at most `digits` significant ones, with a real minus sign.
function number(value, digits = 3) {
  if (!Number.isFinite(value)) return value > 0 ? '∞' : value < 0 ? '−∞' : 'not a number';
  const text = Math.abs(value) >= 1e6 || (value !== 0 && Math.abs(value) < 1e-4)
    ? value.toExponential(digits - 1) : DECIMALS.format(Number(value.toPrecision(digits)));
  return text.replaceAll('-', '−');
}

// The number with this logarithm to the base of ten; minus infinity is 0.
function power(log) {
  if (log === -Infinity) return '0';
  if (Math.abs(log) < 4) return number(10 ** log, 2);
  const exponent = Math.floor(log);
  return `${number(10 ** (log - exponent), 2)} × ${tenTo(exponent)}`;
}

const tenTo = (exponent) => `10${[...String(exponent)].map((sign) => '⁰¹²³⁴⁵⁶⁷⁸⁹'[sign] ?? '⁻').join('')}`;

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

// Place of the value that is next to this one.
const nearest = (values, value) => values.reduce((best, each, place) =>
  Math.abs(each - value) < Math.abs(values[best] - value) ? place : best, 0);

function element(name, attributes = {}, ...children) {
  const found = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key in found && key !== 'list') found[key] = value; else found.setAttribute(key, value);
  }
  found.append(...children);
  return found;
}

// The same for a shape of an SVG.
function drawn(name, attributes = {}, ...children) {
  const found = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) found.setAttribute(key, value);
  found.append(...children);
  return found;
}

class Board {
  constructor(root) {
    this.root = root;
    this.sent = 0;  // how often something was told
    this.kept = {};  // values to write to the address that the server has not answered yet
    this.live = {};  // values of what is being dragged
    this.players = [];
    this.controls = element('div', { className: 'lab-board-controls' });
    this.stage = element('div', { className: 'lab-board-stage' });
    this.words = element('p', { className: 'lab-board-words', role: 'status' });
    root.replaceChildren(this.controls, this.stage, this.words);
    this.parts = [];
    this.settings = {};
    this.print = (event) => { this.onPaper = event.type === 'beforeprint'; this.redraw(); };
    window.addEventListener('beforeprint', this.print);
    window.addEventListener('afterprint', this.print);
    this.watcher = new ResizeObserver(() => this.redraw());
    this.watcher.observe(root);
    this.figure = new Figure(this);
  }

  close() {
    clearTimeout(this.patience);
    for (const setting of Object.values(this.settings)) setting.close();
    for (const player of this.players) player.stop();
    for (const part of this.parts) part.close?.();
    this.figure.close?.();
    this.watcher.disconnect();
    window.removeEventListener('beforeprint', this.print);
    window.removeEventListener('afterprint', this.print);
  }

  // What the server has sent. What it sent before it heard of the last change is not shown.
  show({ header, arrays }) {
    if (this.waiting && header.count < this.sent) return;
    clearTimeout(this.patience);
    this.waiting = false;
    this.kept = {};
    this.sent = Math.max(this.sent, header.count);
    this.palette = header.palette;
    this.received = [header.data, header.state, arrays];
    if (this.untold) this.flush();
    for (const [name, setting] of Object.entries(this.settings)) {
      if (name in header.state) setting.set(header.state[name]);
    }
    this.figure.show(header.data, header.state, arrays);
  }

  redraw() {
    if (this.received) this.figure.show(...this.received);
    for (const part of this.parts) part.draw();
  }

  // Tell the server values of the lesson's state. Those that are `settled` go to the address, at once; others are what
  // is being dragged: one change at a time, the newest.
  tell(values, { settled = true } = {}) {
    for (const [name, value] of Object.entries(values)) {
      if (settled) { this.kept[name] = value; delete this.live[name]; } else this.live[name] = value;
    }
    this.untold = true;
    if (!this.waiting || settled) this.flush();
  }

  // Streamlit hands on the newest of several changes only, so each says again what has no answer yet.
  flush() {
    this.untold = false;
    this.waiting = true;
    this.sent += 1;
    clearTimeout(this.patience);
    this.patience = setTimeout(() => this.flush(), ANSWER_MS);
    this.send({ kept: { ...this.kept }, live: { ...this.live }, count: this.sent });
  }

  // A slider with its name and its value. `onMove` draws what the browser knows already; without it the server is
  // asked at every move. `name` is the field of the lesson's state; `also` gives fields that change with it. `places`
  // are its values where they are not evenly apart.
  slider({ name, label, min = 0, max, step = 1, value = min, words = (at) => number(at), onMove = null, into = null,
           places = null, also = () => ({}) }) {
    const output = element('output');
    if (places) [min, max, step, value] = [0, places.length - 1, 1, nearest(places, value)];
    const range = element('input', { type: 'range', min, max, step, value, 'aria-label': label });
    const box = element('label', { className: 'lab-board-slider' },
      element('span', { className: 'lab-board-label' }, element('span', { textContent: label }), output), range);
    (into ?? this.controls).append(box);
    const setting = {
      box, range,
      get value() { return places ? places[range.value] : Number(range.value); },
      say() {
        output.textContent = words(setting.value);
        range.setAttribute('aria-valuetext', words(setting.value));
        range.style.setProperty('--at', `${100 * (range.value - range.min) / ((range.max - range.min) || 1)}%`);
      },
      set(at) { if (!setting.moving) { range.value = places ? nearest(places, at) : at; setting.say(); } },
      limit(low, high) { range.min = low; range.max = high; setting.say(); },
      close() { clearTimeout(setting.timer); },
    };
    const settle = () => {
      clearTimeout(setting.timer);
      if (!setting.moving) return;
      setting.moving = false;
      this.tell({ [name]: setting.value, ...also() });
    };
    const rest = () => {
      clearTimeout(setting.timer);
      if (!setting.pressed) setting.timer = setTimeout(settle, SETTLE_MS);
    };
    const release = () => { setting.pressed = false; rest(); };
    range.addEventListener('input', () => {
      setting.moving = true;
      setting.say();
      if (onMove) onMove(setting.value); else this.tell({ [name]: setting.value }, { settled: false });
      rest();
    });
    range.addEventListener('pointerdown', () => { setting.pressed = true; });
    for (const over of ['change', 'pointerup', 'pointercancel']) range.addEventListener(over, release);
    // Who goes on to something else, say the next lesson, is through with this.
    range.addEventListener('blur', settle);
    setting.say();
    this.settings[name] = setting;
    return setting;
  }

  button(label, onClick, { into = null, title = '' } = {}) {
    const found = element('button', { type: 'button', textContent: label, title, className: 'lab-board-button' });
    found.addEventListener('click', onClick);
    (into ?? this.controls).append(found);
    return found;
  }

  // Step, play and go back through `count()` places; `onStep(place)` draws one.
  player({ count, onStep, into = null, label = 'step', perSecond = () => 4 }) {
    const bar = element('div', { className: 'lab-board-player', role: 'group', 'aria-label': `Play, ${label} by ${label}` });
    (into ?? this.controls).append(bar);
    const player = {
      bar, place: 0, timer: 0,
      go(place) {
        player.place = clamp(place, 0, Math.max(0, count() - 1));
        onStep(player.place);
      },
      stop() { clearInterval(player.timer); player.timer = 0; play.textContent = 'Play'; play.ariaPressed = 'false'; },
      start() {
        if (player.place >= count() - 1) player.go(0);
        play.textContent = 'Pause';
        play.ariaPressed = 'true';
        player.timer = setInterval(() => {
          if (player.place >= count() - 1) player.stop(); else player.go(player.place + 1);
        }, 1000 / perSecond());
      },
    };
    this.players.push(player);
    this.button('|◀', () => { player.stop(); player.go(0); }, { into: bar, title: 'To the beginning' }).ariaLabel = 'To the beginning';
    this.button('◀', () => { player.stop(); player.go(player.place - 1); }, { into: bar, title: `One ${label} back` }).ariaLabel = `One ${label} back`;
    const play = this.button('Play', () => { if (player.timer) player.stop(); else player.start(); }, { into: bar });
    this.button('▶', () => { player.stop(); player.go(player.place + 1); }, { into: bar, title: `One ${label} on` }).ariaLabel = `One ${label} on`;
    return player;
  }

  // Colors of the theme, or of paper while the page is printed.
  color(name) {
    const paper = { text: '#1B2130', background: '#FFFFFF', border: '#C9CED8', primary: '#3F5BD9', secondary: '#F5F6F9' };
    if (this.onPaper) return paper[name];
    const css = getComputedStyle(this.root);
    const names = { text: '--st-text-color', background: '--st-background-color', border: '--st-border-color',
                    primary: '--st-primary-color', secondary: '--st-secondary-background-color' };
    return css.getPropertyValue(names[name]).trim() || paper[name];
  }

  // Categorical colors of the theme's charts.
  series(place) {
    const found = getComputedStyle(this.root).getPropertyValue('--st-chart-categorical-colors').split(',');
    return found[place % found.length].trim();
  }

  // 0 to 1 as gray.
  gray(share) {
    const level = Math.round(255 * clamp(share, 0, 1));
    return [level, level, level];
  }

  // 0 to 1 on the perceptually even palette of heat.
  heat(share) {
    const at = 3 * Math.round(255 * clamp(share, 0, 1));
    return this.palette.slice(at, at + 3);
  }

  // −1 to 1: blue below zero, white at it, red above.
  signed(share) {
    const end = share < 0 ? [36, 96, 196] : [190, 40, 60];
    const part = Math.abs(clamp(share, -1, 1));
    return end.map((channel) => Math.round(248 + part * (channel - 248)));
  }

  numbers(options) { return new Numbers(this, options); }

  grid(options) {
    const grid = new Grid(this, options);
    this.parts.push(grid);
    return grid;
  }

  lines(options) {
    const lines = new Lines(this, options);
    this.parts.push(lines);
    return lines;
  }

  picture(options) {
    return new Picture(this, options);
  }
}

// Pixels (H, W, C), or one of many (N, H, W, C), as a canvas that can be drawn from.
function canvasOf(array, place = 0) {
  const [height, width, channels] = array.shape.slice(-3);
  const canvas = element('canvas', { width, height });
  const pixels = new ImageData(width, height);
  for (let at = 0, from = place * height * width * channels; at < width * height; at++, from += channels) {
    for (let channel = 0; channel < 3; channel++) pixels.data[4 * at + channel] = array[from + channel % channels];
    pixels.data[4 * at + 3] = 255;
  }
  canvas.getContext('2d').putImageData(pixels, 0, 0);
  return canvas;
}

// A picture as large as its box is wide, with one frame on it.
class Picture {
  constructor(board, { label, into = null, caption = '' }) {
    this.canvas = element('canvas', { role: 'img', 'aria-label': label });
    this.caption = element('figcaption', { textContent: caption });
    this.mark = element('div', { className: 'lab-board-frame', hidden: true });
    this.box = element('figure', { className: 'lab-board-picture' },
      element('div', { className: 'lab-board-canvas' }, this.canvas, this.mark), this.caption);
    (into ?? board.stage).append(this.box);
  }

  // The part [left, top, width, height] of a bitmap or canvas; pixels stay sharp squares unless `smooth`.
  paint(source, [left, top, width, height], smooth = false) {
    const { canvas } = this;
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    canvas.style.imageRendering = smooth ? 'auto' : 'pixelated';
    canvas.getContext('2d').drawImage(source, left, top, width, height, 0, 0, width, height);
  }

  // A frame around [left, top, width, height], in pixels of what is painted; none without a box.
  frame(box = null) {
    this.mark.hidden = !box;
    if (!box) return;
    const sides = [this.canvas.width, this.canvas.height];
    ['left', 'top', 'width', 'height'].forEach((name, place) => {
      this.mark.style[name] = `${100 * box[place] / sides[place % 2]}%`;
    });
  }
}

// A number with at most `places` decimals, with a real minus sign.
function decimal(value, places = 3) {
  const rounded = Number(value.toFixed(places));
  return String(rounded === 0 ? 0 : rounded).replace('-', '−');
}

// What was typed into a field as a number: a point or a comma, a fraction like 1/9; NaN where it is none.
function typed(text) {
  const [top, bottom = '1', ...rest] = text.trim().replace('−', '-').replace(',', '.').split('/');
  return rest.length || !top.trim() || !bottom.trim() ? NaN : Number(top) / Number(bottom);
}

// A square of numbers that can be edited: typed, or changed by the arrow keys up and down (with Shift by 0.1).
// `onEdit(values, settled)` is called at every change that leaves numbers between −most and most.
class Numbers {
  constructor(board, { label, into, most, onEdit }) {
    Object.assign(this, { board, label, most, onEdit, values: [] });
    this.box = element('div', { className: 'lab-board-numbers', role: 'group', 'aria-label': label });
    into.append(this.box);
    board.parts.push(this);
  }

  // The values, row by row. A field that somebody types into keeps what is typed.
  set(values, side) {
    if (side !== this.side) {
      this.side = side;
      this.fields = values.map((_, place) => this.field(place));
      this.box.style.setProperty('--columns', side);
      this.box.replaceChildren(...this.fields);
    }
    this.values = values;
    this.draw();
  }

  field(place) {
    const field = element('input', { type: 'text', autocomplete: 'off', spellcheck: false,
      'aria-label': `${this.label}: row ${Math.floor(place / this.side) + 1}, column ${place % this.side + 1}` });
    field.addEventListener('focus', () => { field.value = String(this.values[place]); field.select(); });
    field.addEventListener('input', () => this.take(place, typed(field.value), false));
    field.addEventListener('change', () => this.take(place, typed(field.value), true));
    field.addEventListener('blur', () => { field.ariaInvalid = null; this.draw(); });
    field.addEventListener('keydown', (event) => {
      const way = { ArrowUp: 1, ArrowDown: -1 }[event.key];
      if (!way || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      const value = Number((this.values[place] + way * (event.shiftKey ? 0.1 : 1)).toFixed(4));
      field.value = String(value);
      this.take(place, value, false);
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.onEdit(this.values, true), SETTLE_MS);
    });
    return field;
  }

  close() { clearTimeout(this.timer); }

  take(place, value, settled) {
    const right = Number.isFinite(value) && Math.abs(value) <= this.most;
    this.fields[place].ariaInvalid = right ? null : 'true';
    this.fields[place].title = right ? '' : `A number from −${this.most} to ${this.most}`;
    if (!right) return;
    this.values = this.values.with(place, value);
    this.draw();
    this.onEdit(this.values, settled);
  }

  draw() {
    const largest = Math.max(...this.values.map(Math.abs), 1e-9);
    this.fields?.forEach((field, place) => {
      const value = this.values[place];
      if (field !== document.activeElement) field.value = decimal(value, Math.abs(value) < 1 ? 3 : 2);
      const [red, green, blue] = this.board.signed(0.8 * value / largest);
      field.style.background = `rgb(${red} ${green} ${blue})`;
      field.style.color = 0.299 * red + 0.587 * green + 0.114 * blue > 140 ? '#1B2130' : '#FFFFFF';
    });
  }
}

// A window that walks over an image row by row: its place `at` and how far it has come, `upto`, two fields of the
// lesson's state. `onMove` draws; `rows` and `columns` say which of the padded image it covers at each place.
class Walk {
  constructor(board, { onMove }) {
    Object.assign(this, { board, onMove, at: 0, upto: 0, known: {}, height: 0, width: 0 });
    this.player = board.player({ count: () => this.count, onStep: (place) => this.step(place),
      perSecond: () => clamp(this.count / 30, 4, 30) });
    board.button('Whole map', () => this.fill(), { into: this.player.bar, title: 'Walk to the last place' });
  }

  get count() { return this.height * this.width; }
  get row() { return this.width ? Math.floor(this.at / this.width) : 0; }
  get column() { return this.width ? this.at % this.width : 0; }
  get playing() { return Boolean(this.player.timer); }

  receive(state, [height, width], rows, columns) {
    Object.assign(this, { height, width, rows, columns });
    if (!this.playing && (state.at !== this.known.at || state.upto !== this.known.upto)) {
      Object.assign(this, { at: state.at, upto: state.upto });
    }
    this.known = { at: state.at, upto: state.upto };
    this.at = clamp(this.at, 0, Math.max(this.count - 1, 0));
    this.player.place = this.at;
  }

  // Whether the window has been at a place.
  seen(place) { return place <= this.upto || place === this.at; }

  // A step of the player; back at the beginning the map is empty again.
  step(place) {
    this.at = place;
    this.upto = place === 0 ? 0 : Math.max(this.upto, place);
    this.onMove();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.settle(), SETTLE_MS);
  }

  fill() {
    this.player.stop();
    this.at = this.upto = Math.max(this.count - 1, 0);
    this.settle();
  }

  // To a place of the map, to look at it.
  visit(row, column) {
    if (!this.count) return;
    this.player.stop();
    this.at = this.player.place = row * this.width + column;
    this.onMove();
  }

  // To the place whose window has its middle next to a pixel of the padded image.
  over(row, column) {
    if (this.count) this.visit(this.nearest(this.rows, row), this.nearest(this.columns, column));
  }

  nearest(covered, at) {
    const [places, length] = covered.shape;
    const far = (place) => Math.abs(covered[place * length + (length >> 1)] - at);
    let best = 0;
    for (let place = 1; place < places; place++) if (far(place) < far(best)) best = place;
    return best;
  }

  close() { clearTimeout(this.timer); }

  // Write the place to the link.
  settle(more = {}) {
    clearTimeout(this.timer);
    this.known = { at: this.at, upto: this.upto };
    this.board.tell({ ...this.known, ...more });
    this.onMove();
  }

  // Rows and columns of the padded image that the window covers now.
  covered() {
    const part = (all, place) => [...all.slice(place * all.shape[1], (place + 1) * all.shape[1])];
    return [part(this.rows, this.row), part(this.columns, this.column)];
  }

  // Frames around what it covers; with gaps in between also around each pixel that counts.
  frames() {
    const [rows, columns] = this.covered();
    const [row, column] = [rows[0], columns[0]];
    const whole = { row, column, height: rows.at(-1) - row + 1, width: columns.at(-1) - column + 1, kind: 'window' };
    if (whole.height === rows.length) return [whole];
    const each = rows.flatMap((r) => columns.map((c) => ({ row: r, column: c, height: 1, width: 1, kind: 'window' })));
    return [{ ...whole, kind: 'mark' }, ...each];
  }
}

// Numbers in squares, with frames around some of them. With `onPoint` it follows pointer and arrow keys; `onChoose` is
// called for clicks, Enter and Space.
class Grid {
  constructor(board, { label, into = null, caption = '', onPoint = null, onChoose = null, most = 44, least = 1 }) {
    Object.assign(this, { board, onPoint, onChoose, most, least, rows: 0, columns: 0, boxes: [], at: [0, 0] });
    this.canvas = element('canvas', { role: onPoint || onChoose ? 'application' : 'img', 'aria-label': label });
    this.caption = element('figcaption', { textContent: caption });
    this.box = element('figure', { className: 'lab-board-grid' }, this.canvas, this.caption);
    (into ?? board.stage).append(this.box);
    if (!onPoint && !onChoose) return;
    this.canvas.tabIndex = 0;
    this.canvas.addEventListener('pointermove', (event) => { if (event.pointerType === 'mouse' || event.buttons) this.point(event); });
    this.canvas.addEventListener('pointerdown', (event) => { this.point(event); this.onChoose?.(...this.at); });
    this.canvas.addEventListener('keydown', (event) => this.press(event));
  }

  // rows × columns squares; `color(row, column)` gives [r, g, b], or null for an empty square, `text(row, column)` what
  // stands in a square that is large enough for it.
  paint({ rows, columns, color, text = null }) {
    Object.assign(this, { rows, columns, colorOf: color, textOf: text, painted: null });
    this.at = [clamp(this.at[0], 0, rows - 1), clamp(this.at[1], 0, columns - 1)];
    this.draw();
  }

  // Frames: [{ row, column, height, width, kind }] with kind 'window' (filled) or 'mark' (outlined).
  frame(boxes) {
    this.boxes = boxes;
    this.draw();
  }

  point(event) {
    const box = this.canvas.getBoundingClientRect();
    const cell = (offset, length, count) => clamp(Math.floor(offset / length * count), 0, count - 1);
    this.move(cell(event.clientY - box.top, box.height, this.rows), cell(event.clientX - box.left, box.width, this.columns));
  }

  move(row, column) {
    this.at = [clamp(row, 0, this.rows - 1), clamp(column, 0, this.columns - 1)];
    this.onPoint?.(...this.at);
  }

  press(event) {
    const steps = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] };
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key in steps) {
      this.move(this.at[0] + steps[event.key][0], this.at[1] + steps[event.key][1]);
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.onChoose?.(...this.at), SETTLE_MS);
    } else if (event.key === 'Enter' || event.key === ' ') this.onChoose?.(...this.at);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  // Squares too small for numbers, as one bitmap that is drawn larger, which is ten times as quick; false where a square
  // is empty.
  drawSmall(ink, wide, high) {
    const pixels = new ImageData(this.columns, this.rows);
    for (let at = 0; at < this.rows * this.columns; at++) {
      const color = this.colorOf(Math.floor(at / this.columns), at % this.columns);
      if (!color) return false;
      pixels.data.set(color, 4 * at);
      pixels.data[4 * at + 3] = 255;
    }
    this.bitmap ??= element('canvas');
    Object.assign(this.bitmap, { width: this.columns, height: this.rows });
    this.bitmap.getContext('2d').putImageData(pixels, 0, 0);
    ink.imageSmoothingEnabled = false;
    ink.drawImage(this.bitmap, 0, 0, wide, high);
    return true;
  }

  draw() {
    const room = this.box.parentElement?.clientWidth ?? 0;
    if (!this.rows || !room) return;
    const side = clamp(Math.floor(Math.min(this.box.clientWidth || room, room) / this.columns), this.least, this.most);
    const scale = window.devicePixelRatio || 1;
    const { canvas } = this;
    this.side = side;
    const wide = side * this.columns, high = side * this.rows;
    if (canvas.width !== Math.round(wide * scale) || canvas.height !== Math.round(high * scale)) {
      Object.assign(canvas, { width: Math.round(wide * scale), height: Math.round(high * scale) });
      Object.assign(canvas.style, { width: `${wide}px`, height: `${high}px` });
    }
    // Frames move far more often than numbers change, so the squares are drawn once and kept.
    if (this.painted?.width !== canvas.width || this.painted.height !== canvas.height) this.painted = this.squares(scale);
    const ink = canvas.getContext('2d');
    ink.setTransform(1, 0, 0, 1, 0, 0);
    ink.clearRect(0, 0, canvas.width, canvas.height);
    ink.drawImage(this.painted, 0, 0);
    ink.setTransform(scale, 0, 0, scale, 0, 0);
    for (const { row, column, height, width, kind } of this.boxes) {
      const place = [column * side + 1, row * side + 1, width * side - 2, height * side - 2];
      if (kind === 'window') { ink.fillStyle = 'rgba(224, 123, 0, .22)'; ink.fillRect(...place); }
      ink.lineWidth = 3.5;
      ink.strokeStyle = '#FFFFFF';
      ink.strokeRect(...place);
      ink.lineWidth = 2;
      ink.strokeStyle = '#E07B00';
      ink.strokeRect(...place);
    }
  }

  // A canvas with the squares and what stands in them.
  squares(scale) {
    const { side, canvas: { width, height } } = this;
    const canvas = element('canvas', { width, height });
    const ink = canvas.getContext('2d');
    ink.setTransform(scale, 0, 0, scale, 0, 0);
    ink.font = `${clamp(side * 0.36, 8, 13)}px ${getComputedStyle(this.board.root).fontFamily}`;
    ink.textAlign = 'center';
    ink.textBaseline = 'middle';
    ink.lineWidth = 1;
    ink.strokeStyle = this.board.color('border');
    const small = side < 18 && this.drawSmall(ink, side * this.columns, side * this.rows);
    for (let row = 0; row < this.rows && !small; row++) {
      for (let column = 0; column < this.columns; column++) {
        const color = this.colorOf(row, column);
        if (!color) {
          ink.strokeRect(column * side + 0.5, row * side + 0.5, side - 1, side - 1);
          continue;
        }
        const [red, green, blue] = color;
        ink.fillStyle = `rgb(${red} ${green} ${blue})`;
        ink.fillRect(column * side, row * side, side, side);
        if (this.textOf && side >= 18) {
          ink.fillStyle = 0.299 * red + 0.587 * green + 0.114 * blue > 140 ? '#1B2130' : '#FFFFFF';
          ink.fillText(this.textOf(row, column), (column + 0.5) * side, (row + 0.5) * side, side - 2);
        }
      }
    }
    return canvas;
  }
}

// Lines with bands around them. `onPoint(place)` is called with the place in `xs` that is pointed at, by pointer or arrow
// keys, and `onChoose(place)` for clicks, Enter and Space; a line across the drawing marks it.
class Lines {
  constructor(board, { label, into = null, caption = '', high = 240, onPoint = null, onChoose = null }) {
    Object.assign(this, { board, onPoint, onChoose, high, at: null, drawn: null });
    this.svg = drawn('svg', { role: onPoint ? 'application' : 'img', 'aria-label': label });
    this.legend = element('div', { className: 'lab-board-legend' });
    this.caption = element('figcaption', { textContent: caption });
    this.box = element('figure', { className: 'lab-board-lines' }, this.legend, this.svg, this.caption);
    (into ?? board.stage).append(this.box);
    if (!onPoint) return;
    this.svg.setAttribute('tabindex', '0');
    this.svg.addEventListener('pointermove', (event) => { if (event.pointerType === 'mouse' || event.buttons) this.point(event); });
    this.svg.addEventListener('pointerdown', (event) => { this.point(event); if (this.drawn) this.onChoose?.(this.at); });
    this.svg.addEventListener('keydown', (event) => this.press(event));
  }

  // `lines`: [{ name, color, values, low, high, dash, faint, bars }], a value for each of `xs`, NaN where there is none;
  // `low` and `high` are a band's edges, faint lines lie below the others, bars stand on the axis. `range`: lowest and
  // highest value of the axis. With `log` values are logarithms to the base of ten, and minus infinity, which stands for
  // 0, lies at the bottom.
  paint({ xs, lines, range, xTitle, yTitle, log = false, legend = lines.length > 1 }) {
    this.drawn = { xs, lines, range, xTitle, yTitle, log };
    this.legend.replaceChildren(...(legend ? lines : []).map(({ name, color, dash }) => {
      const key = element('i');
      key.style.borderTop = `3px ${dash ? 'dashed' : 'solid'} ${color}`;
      return element('span', {}, key, name);
    }));
    this.draw();
  }

  // Mark a place of `xs`, or none.
  mark(place) {
    this.at = place;
    this.draw();
  }

  point(event) {
    if (!this.drawn) return;
    const { xs } = this.drawn;
    const share = (event.clientX - this.svg.getBoundingClientRect().left - this.left) / this.wide;
    this.go(nearest(xs, xs[0] + share * (xs[xs.length - 1] - xs[0])));
  }

  go(place) {
    this.mark(clamp(place, 0, this.drawn.xs.length - 1));
    this.onPoint(this.at);
  }

  press(event) {
    const last = this.drawn ? this.drawn.xs.length - 1 : 0;
    const places = { ArrowRight: (this.at ?? -1) + 1, ArrowLeft: (this.at ?? last + 1) - 1, Home: 0, End: last };
    if (!this.drawn || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key in places) this.go(places[event.key]);
    else if ((event.key === 'Enter' || event.key === ' ') && this.onChoose && this.at !== null) this.onChoose(this.at);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  add(name, attributes, text = '') {
    this.svg.append(drawn(name, attributes, text));
  }

  draw() {
    const room = this.box.clientWidth;
    if (!this.drawn || !room) return;
    const { xs, lines, range, xTitle, yTitle, log } = this.drawn;
    const top = 22, foot = 36, deep = this.high - top - foot;
    Object.assign(this, { left: 46, wide: room - 46 - 12 });
    const end = xs[xs.length - 1];
    const across = (x) => this.left + (x - xs[0]) / ((end - xs[0]) || 1) * this.wide;
    const down = (y) => top + deep * (1 - clamp((y - range[0]) / ((range[1] - range[0]) || 1), 0, 1));
    this.svg.replaceChildren();
    this.svg.setAttribute('viewBox', `0 0 ${room} ${this.high}`);
    this.svg.style.height = `${this.high}px`;
    const text = 'currentColor';  // follows the theme, and paper, without being drawn again
    const zero = log && lines.some(({ values }) => values.includes(-Infinity));
    const marks = ticks(...range, 5, log).filter((y) => !zero || y > range[0]);
    for (const y of zero ? [range[0], ...marks] : marks) {
      this.add('line', { x1: this.left, x2: this.left + this.wide, y1: down(y), y2: down(y), stroke: text, opacity: 0.18 });
      this.add('text', { x: this.left - 6, y: down(y) + 4, 'text-anchor': 'end', fill: text }, !log ? number(y) : zero && y === range[0] ? '0' : tenTo(y));
    }
    for (const x of ticks(xs[0], end, this.wide / 50, xs.every(Number.isInteger))) {
      this.add('text', { x: across(x), y: this.high - foot + 16, 'text-anchor': 'middle', fill: text }, number(x));
    }
    this.add('text', { x: 0, y: 12, fill: text }, yTitle);
    this.add('text', { x: this.left + this.wide, y: this.high - 5, 'text-anchor': 'end', fill: text }, xTitle);
    const known = (values, place) => !Number.isNaN(values[place]);
    const path = (values, places) => places.map((place) => `${across(xs[place]).toFixed(1)},${down(values[place]).toFixed(1)}`);
    const all = [...xs.keys()];
    for (const { color, low, high } of lines) {
      if (!low) continue;
      const places = all.filter((place) => known(low, place));
      const points = [...path(low, places), ...path(high, places.reverse())];
      this.add('polygon', { points: points.join(' '), fill: color, opacity: 0.2 });
    }
    for (const { color, values, dash, faint, bars } of [...lines].sort((one, other) => Boolean(other.faint) - Boolean(one.faint))) {
      if (bars) {
        const width = this.wide / xs.length;
        for (const place of all) {
          this.add('rect', { x: across(xs[place]) - 0.45 * width, width: 0.9 * width, y: down(values[place]),
            height: Math.max(0, top + deep - down(values[place])), fill: color });
        }
        continue;
      }
      const points = path(values, all.filter((place) => known(values, place)));
      this.add('polyline', { points: points.join(' '), fill: 'none', stroke: color, 'stroke-width': 2.5,
        'stroke-linejoin': 'round', ...(faint ? { opacity: 0.35 } : {}), ...(dash ? { 'stroke-dasharray': '7 4' } : {}) });
    }
    if (this.at === null || this.at >= xs.length) return;
    const x = across(xs[this.at]);
    this.add('line', { x1: x, x2: x, y1: top, y2: top + deep, stroke: text, 'stroke-width': 1, 'stroke-dasharray': '2 3' });
    for (const { color, values, faint } of lines) {
      if (known(values, this.at) && !faint) this.add('circle', { cx: x, cy: down(values[this.at]), r: 5, fill: color, stroke: 'var(--st-background-color)', 'stroke-width': 1.5 });
    }
  }
}

// Round numbers from `low` to `high`, at most about `most`; whole ones where asked for.
function ticks(low, high, most, whole = false) {
  const rough = Math.max((high - low) / Math.max(most, 1), whole ? 1 : 1e-9);
  const unit = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * unit).find((each) => each >= rough - 1e-12);
  const first = Math.ceil(low / step - 1e-9);
  return Array.from({ length: Math.floor(high / step + 1e-9) - first + 1 }, (_, at) => Number(((first + at) * step).toPrecision(12)));
}

export default function (component) {
  const root = component.parentElement.querySelector('.lab-board');
  root.board ??= new Board(root);
  root.board.send = (told) => component.setStateValue('told', told);
  root.board.show(unpack(component.data));
  return () => { root.board?.close(); root.board = undefined; };
}
