// A field to draw in. Strokes are kept as lists of points over a start picture, so that each can be undone.
const LIVE_MS = 250;  // the drawing is told so often while a stroke is on
const SETTLE_MS = 700;  // and once more when nothing has changed for so long
const STEP = 10;  // pixels that an arrow key moves the pen, of 280
const PENS = [12, 18, 24, 32];
const HELP = 'Drawing field. Arrow keys move the pen, Space puts it down and lifts it, Backspace undoes a stroke, '
  + 'Delete clears.';

const HTML = `
  <div class="lab-pad-field">
    <canvas class="lab-pad-ink" tabindex="0" role="application"></canvas>
    <span class="lab-pad-pen" aria-hidden="true" hidden></span>
  </div>
  <div class="lab-pad-bar">
    <button type="button" data-do="undo">Undo</button>
    <button type="button" data-do="clear">Clear</button>
    <label>Pen <input type="range" min="0" max="3" step="1" value="1" aria-label="Width of the pen"></label>
  </div>
  <p class="lab-pad-words" aria-live="polite"></p>`;

class Pad {
  constructor(root) {
    root.innerHTML = HTML;
    this.root = root;
    this.canvas = root.querySelector('canvas');
    this.canvas.setAttribute('aria-label', HELP);
    this.pen = root.querySelector('.lab-pad-pen');
    this.words = root.querySelector('.lab-pad-words');
    this.range = root.querySelector('input');
    this.strokes = [];
    this.count = 0;
    this.listen();
  }

  listen() {
    const canvas = this.canvas;
    canvas.addEventListener('pointerdown', (event) => {
      if (!event.isPrimary || event.button > 0) return;
      canvas.setPointerCapture(event.pointerId);
      this.lift();
      this.pen.hidden = true;
      this.pointer = event.pointerId;
      this.begin(this.place(event));
      event.preventDefault();
      canvas.focus({ preventScroll: true });
    });
    canvas.addEventListener('pointermove', (event) => {
      if (event.pointerId !== this.pointer) return;
      const events = event.getCoalescedEvents?.() ?? [];
      for (const each of events.length ? events : [event]) this.extend(this.place(each));
      this.live();
    });
    const end = (event) => {
      if (event.pointerId !== this.pointer) return;
      this.pointer = undefined;
      this.finish();
    };
    canvas.addEventListener('pointerup', end);
    canvas.addEventListener('pointercancel', end);
    canvas.addEventListener('keydown', (event) => this.press(event));
    canvas.addEventListener('focus', () => {
      if (canvas.matches(':focus-visible') && this.pointer === undefined) this.showPen();
    });
    canvas.addEventListener('blur', () => { this.lift(); this.pen.hidden = true; });
    this.root.querySelector('.lab-pad-bar').addEventListener('click', (event) => {
      if (event.target.dataset.do === 'undo') this.undo();
      if (event.target.dataset.do === 'clear') this.clear();
    });
    this.range.addEventListener('input', () => { if (!this.pen.hidden) this.showPen(); });
  }

  get width() { return PENS[Number(this.range.value)] ?? PENS[1]; }

  place(event) {
    const box = this.canvas.getBoundingClientRect();
    const scale = this.side / box.width;
    return [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
  }

  // Keyboard

  press(event) {
    const step = STEP * (event.shiftKey ? 3 : 1);
    const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
    if (event.key in moves) this.move(...moves[event.key]);
    else if (event.key === ' ') { if (this.isDown) this.lift(); else this.putDown(); }
    else if (event.key === 'Backspace' || (event.key === 'z' && (event.ctrlKey || event.metaKey))) this.undo();
    else if (event.key === 'Delete') this.clear();
    else return;
    event.preventDefault();  // the page would scroll
    event.stopPropagation();
  }

  move(right, down) {
    const within = (value) => Math.min(this.side, Math.max(0, value));
    this.cursor = [within(this.cursor[0] + right), within(this.cursor[1] + down)];
    if (this.isDown) { this.extend(this.cursor); this.live(); }
    this.showPen();
  }

  putDown() {
    this.isDown = true;
    this.begin(this.cursor);
    this.live();
    this.showPen();
    this.words.textContent = 'Pen down';
  }

  lift() {
    if (!this.isDown) return;
    this.isDown = false;
    this.words.textContent = 'Pen up';
    if (!this.pen.hidden) this.showPen();
    this.finish();
  }

  showPen() {
    const percent = (value) => `${100 * value / this.side}%`;
    Object.assign(this.pen.style, { left: percent(this.cursor[0]), top: percent(this.cursor[1]),
                                    width: percent(this.width), height: percent(this.width) });
    this.pen.classList.toggle('is-down', !!this.isDown);
    this.pen.hidden = false;
  }

  // Strokes

  begin(point) {
    clearTimeout(this.settling);
    if (this.example) { this.start = null; this.example = false; }
    this.strokes.push({ width: this.width, points: [point] });
    this.draw();
  }

  extend(point) {
    this.strokes.at(-1)?.points.push(point);
    this.draw();
  }

  undo() {
    this.isDown = false;
    if (this.strokes.length) this.strokes.pop(); else this.start = null;
    this.draw();
    this.finish();
  }

  clear() {
    this.isDown = false;
    this.strokes = [];
    this.start = null;
    this.example = false;
    this.draw();
    this.finish();
  }

  draw() {
    const ink = this.canvas.getContext('2d');
    ink.fillStyle = '#000';
    ink.fillRect(0, 0, this.side, this.side);
    ink.imageSmoothingEnabled = false;  // so that it comes back exactly as it was
    if (this.start) ink.drawImage(this.start, 0, 0, this.side, this.side);
    ink.strokeStyle = '#fff';
    ink.lineCap = ink.lineJoin = 'round';
    for (const { width, points } of this.strokes) {
      ink.lineWidth = width;
      ink.beginPath();
      ink.moveTo(...points[0]);
      for (const point of points.length > 1 ? points.slice(1) : points) ink.lineTo(...point);
      ink.stroke();
    }
  }

  // Telling the server

  live() {
    this.timer ??= setTimeout(() => this.tell(), LIVE_MS);
    clearTimeout(this.settling);
  }

  finish() {
    this.tell();
    clearTimeout(this.settling);
    this.settling = setTimeout(() => this.send('settled', { turn: this.turn, count: ++this.count }), SETTLE_MS);
  }

  tell() {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.send('drawn', { turn: this.turn, png: this.canvas.toDataURL('image/png') });
  }

  stop() { clearTimeout(this.timer); clearTimeout(this.settling); }

  show({ turn, side, start, example }) {
    if (turn === this.turn) return;
    this.stop();
    Object.assign(this, { turn, side, example, timer: undefined, strokes: [], start: null, isDown: false,
                          cursor: [side / 2, side / 4] });
    this.canvas.width = this.canvas.height = side;
    this.draw();
    if (!start) return;
    const picture = new Image();
    picture.onload = () => {
      if (this.turn !== turn || this.strokes.length) return;
      this.start = picture;
      this.draw();
    };
    picture.src = start;
  }
}

export default function (component) {
  const root = component.parentElement.querySelector('.lab-pad');
  root.pad ??= new Pad(root);
  root.pad.send = (name, value) => component.setStateValue(name, value);
  root.pad.show(JSON.parse(new TextDecoder().decode(component.data)));
  return () => { root.pad?.stop(); root.pad = undefined; };
}
