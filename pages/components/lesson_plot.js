// Curves in a plane, drawn as SVG, with a place that pointer and arrow keys choose. Lines are told apart by color, style
// and dots. All in one name, so that figures may call what they like what they like.
const Plot = (() => {
const SVG = 'http://www.w3.org/2000/svg';
const PLOT = { left: 46, right: 14, top: 26, bottom: 34 };
const RAISED = '⁰¹²³⁴⁵⁶⁷⁸⁹';

function svg(name, attributes, text) {
  const found = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) found.setAttribute(key, value);
  if (text !== undefined) found.textContent = text;
  return found;
}

// A power of ten as it is written: 0.01, 1, 100, 10⁶.
function powerOfTen(value) {
  const exponent = Math.round(Math.log10(value));
  return Math.abs(exponent) < 4 ? number(value, 3) : `10${exponent < 0 ? '⁻' : ''}${Array.from(String(Math.abs(exponent)), (digit) => RAISED[digit]).join('')}`;
}

// About five round numbers from low to high; powers of ten where the axis is logarithmic.
function plotTicks(low, high, log) {
  if (log) {
    const from = Math.floor(Math.log10(low)), to = Math.ceil(Math.log10(high)), every = Math.ceil((to - from) / 6);
    return Array.from({ length: Math.floor((to - from) / every) + 1 }, (_, at) => 10 ** (from + at * every));
  }
  const rough = (high - low) / 5 || 1, decade = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * decade).find((each) => each >= rough * 0.999);
  const found = [];
  for (let at = Math.ceil(low / step - 1e-9); at * step <= high + 1e-9 * step; at++) found.push(at * step);
  return found;
}

class Plot {
  // `onPoint(x)` is told the place under the pointer, `onChoose(x)` also when it stays; places are the `stops` of paint.
  constructor(board, { label, caption = '', height = 260, into = null, onPoint = null, onChoose = null }) {
    Object.assign(this, { board, label, height, onPoint, onChoose, at: null });
    this.canvas = svg('svg', { role: onPoint ? 'application' : 'img', 'aria-label': label });
    this.canvas.style.cssText = `display: block; width: 100%; height: ${height}px; touch-action: pan-y;`;
    this.caption = element('figcaption', { textContent: caption });
    this.box = element('figure', { className: 'lab-board-grid lab-plot' }, this.canvas, this.caption);
    (into ?? board.stage).append(this.box);
    board.parts.push(this);
    if (!onPoint) return;
    this.canvas.setAttribute('tabindex', 0);
    this.canvas.style.cursor = 'crosshair';
    this.canvas.addEventListener('pointermove', (event) => this.point(event));
    this.canvas.addEventListener('pointerdown', (event) => { this.point(event); if (this.at !== null) this.onChoose?.(this.at); });
    this.canvas.addEventListener('keydown', (event) => this.press(event));
  }

  // x: { low, high, label }; y: { low, high, label, log, words }; lines: [{ name, x, y, color, width, dash, dots, faint }]
  // with NaN where there is a gap; band: { from, to, words } marks a stretch; levels: [{ y, name, color }] are dotted;
  // stops: the places that can be chosen, on the x axis.
  paint(drawing) {
    this.drawing = drawing;
    this.draw();
  }

  mark(x) {
    this.at = x;
    this.drawMark();
  }

  point(event) {
    if (event.pointerType !== 'mouse' && event.type === 'pointermove' && !event.buttons) return;
    const box = this.canvas.getBoundingClientRect();
    const { x, stops } = this.drawing;
    if (!stops.length) return;
    const share = (event.clientX - box.left - PLOT.left) / Math.max(1, box.width - PLOT.left - PLOT.right);
    const there = x.low + share * (x.high - x.low);
    this.move(stops.reduce((best, each) => (Math.abs(each - there) < Math.abs(best - there) ? each : best)));
  }

  move(x) {
    this.mark(x);
    this.onPoint(x);
  }

  press(event) {
    const { stops } = this.drawing;
    if (!stops.length || event.ctrlKey || event.metaKey || event.altKey) return;
    const last = stops.length - 1, place = this.at === null ? -1 : stops.indexOf(this.at);
    const next = { ArrowRight: place + 1, ArrowLeft: place < 0 ? last : place - 1, Home: 0, End: last }[event.key];
    if (next === undefined) return;
    this.move(stops[clamp(next, 0, last)]);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.onChoose?.(this.at), SETTLE_MS);
    event.preventDefault();
    event.stopPropagation();
  }

  across(x) {
    const { low, high } = this.drawing.x;
    return PLOT.left + (x - low) / (high - low || 1) * (this.wide - PLOT.left - PLOT.right);
  }

  down(y) {
    const { low, high, log } = this.drawing.y;
    const scale = log ? Math.log10 : (value) => value;
    const share = (scale(clamp(y, low, high)) - scale(low)) / (scale(high) - scale(low) || 1);
    return this.height - PLOT.bottom - share * (this.height - PLOT.top - PLOT.bottom);
  }

  draw() {
    this.wide = this.canvas.getBoundingClientRect().width || this.box.parentElement?.clientWidth || 0;
    if (!this.drawing || this.wide < 80) return;
    this.canvas.replaceChildren();
    this.ink = this.board.color('text');
    this.drawBand();
    this.drawAxes();
    for (const level of this.drawing.levels ?? []) this.drawLevel(level);
    for (const line of this.drawing.lines) this.drawLine(line);
    this.marks = svg('g', { 'pointer-events': 'none' });
    this.canvas.append(this.marks);
    this.drawMark();
  }

  text(x, y, words, attributes = {}) {
    const style = { x, y, fill: this.ink, 'font-size': 11, 'pointer-events': 'none', ...attributes };
    this.canvas.append(svg('text', style, words));
  }

  drawAxes() {
    const { x, y } = this.drawing;
    const right = this.wide - PLOT.right, floor = this.height - PLOT.bottom, border = this.board.color('border');
    for (const at of plotTicks(y.low, y.high, y.log)) {
      if (at < y.low * (y.log ? 0.999 : 1) || at > y.high * 1.001) continue;
      const line = this.down(at);
      this.canvas.append(svg('line', { x1: PLOT.left, x2: right, y1: line, y2: line, stroke: border }));
      this.text(PLOT.left - 6, line + 4, (y.words ?? (y.log ? powerOfTen : (value) => number(value, 3)))(at), { 'text-anchor': 'end' });
    }
    for (const at of plotTicks(x.low, x.high, false)) {
      this.text(this.across(at), floor + 16, number(at, 3), { 'text-anchor': 'middle' });
    }
    this.canvas.append(svg('line', { x1: PLOT.left, x2: right, y1: floor, y2: floor, stroke: this.ink, opacity: 0.5 }));
    this.text((PLOT.left + right) / 2, this.height - 3, x.label, { 'text-anchor': 'middle', opacity: 0.8 });
    this.text(4, 11, y.label, { 'font-weight': 600 });
  }

  drawBand() {
    const { band } = this.drawing;
    if (!band) return;
    const from = this.across(band.from), wide = Math.max(4, this.across(band.to) - from);
    const floor = this.height - PLOT.bottom - PLOT.top, ink = this.board.color('primary');
    this.canvas.append(svg('rect', { x: from, y: PLOT.top, width: wide, height: floor, fill: ink, opacity: 0.13 }));
    this.canvas.append(svg('rect', { x: from, y: PLOT.top, width: wide, height: floor, fill: 'none', stroke: ink, 'stroke-dasharray': '5 4' }));
  }

  drawLevel({ y, name, color }) {
    const line = this.down(y), right = this.wide - PLOT.right;
    this.canvas.append(svg('line', { x1: PLOT.left, x2: right, y1: line, y2: line, stroke: color, 'stroke-width': 2, 'stroke-dasharray': '2 4' }));
    this.text(PLOT.left + 6, line + (line < PLOT.top + 30 ? 14 : -5), name, { fill: color, 'font-weight': 600 });
  }

  drawLine({ x, y, color, width = 2, dash = '', dots = false, faint = false }) {
    let path = '', pen = 'M';
    for (let at = 0; at < x.length; at++) {
      if (!Number.isFinite(y[at])) { pen = 'M'; continue; }
      path += `${pen}${this.across(x[at]).toFixed(1)} ${this.down(y[at]).toFixed(1)}`;
      pen = 'L';
      if (dots) this.canvas.append(svg('circle', { cx: this.across(x[at]), cy: this.down(y[at]), r: 2.6, fill: color }));
    }
    this.canvas.append(svg('path', { d: path, fill: 'none', stroke: color, 'stroke-width': width, 'stroke-dasharray': dash,
      'stroke-linejoin': 'round', opacity: faint ? 0.35 : 1 }));
  }

  drawMark() {
    if (!this.marks || !this.drawing) return;
    this.marks.replaceChildren();
    if (this.at === null) return;
    const place = this.across(this.at);
    this.marks.append(svg('line', { x1: place, x2: place, y1: PLOT.top, y2: this.height - PLOT.bottom, stroke: this.ink, opacity: 0.6 }));
    for (const { x, y, color, faint } of this.drawing.lines) {
      const at = faint ? -1 : x.indexOf(this.at);
      if (at < 0 || !Number.isFinite(y[at])) continue;
      this.marks.append(svg('circle', { cx: place, cy: this.down(y[at]), r: 4.5, fill: color, stroke: this.board.color('background'), 'stroke-width': 1.5 }));
    }
  }
}

// Names of lines with a piece of each, drawn as the lines are.
Plot.legend = (lines, into) => {
  const parts = lines.map(({ name, color, width = 2, dash = '', dots = false, faint = false }) => {
    const sample = svg('svg', { width: 30, height: 12, 'aria-hidden': 'true' });
    sample.append(svg('line', { x1: 0, x2: 30, y1: 6, y2: 6, stroke: color, 'stroke-width': width, 'stroke-dasharray': dash, opacity: faint ? 0.35 : 1 }));
    if (dots) sample.append(svg('circle', { cx: 15, cy: 6, r: 3, fill: color }));
    return element('span', { className: 'lab-plot-name' }, sample, element('span', { textContent: name }));
  });
  into.replaceChildren(...parts);
};
return Plot;
})();
