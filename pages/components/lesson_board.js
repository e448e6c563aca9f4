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

class Board {
  constructor(root, fixed) {
    this.root = root;
    this.fixed = fixed;
    root.classList.toggle('lab-board-fixed', fixed);
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
    if (this.fixed) this.fix();
  }

  // The link hides what changes the figure: fields within it are read only.
  fix() {
    for (const field of this.stage.querySelectorAll('input, select')) field.disabled = true;
  }

  redraw() {
    if (this.received) this.figure.show(...this.received);
    if (this.fixed) this.fix();
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

  // Take away what a box holds, sliders too; others may come there.
  clear(box) {
    const gone = Object.entries(this.settings).filter(([, setting]) => box.contains(setting.box));
    box.replaceChildren();
    for (const [name, setting] of gone) {
      setting.close();
      delete this.settings[name];
    }
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

export default function (component) {
  const root = component.parentElement.querySelector('.lab-board');
  const sent = unpack(component.data);
  if (root.board && root.board.fixed !== sent.header.fixed) {
    root.board.close();
    root.board = undefined;
  }
  root.board ??= new Board(root, sent.header.fixed);
  root.board.send = (told) => component.setStateValue('told', told);
  root.board.show(sent);
  return () => { root.board?.close(); root.board = undefined; };
}
