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
  // 0, lies at the bottom. A line may have `xs` of its own and `dots` on it; without a name it is not in the legend.
  // `span`: the ends of the x axis, where not those of `xs`; `stretch`: [from, to], a part of it that is marked;
  // `levels`: [{ name, color, value }] are dotted from side to side.
  paint({ xs, lines, range, xTitle, yTitle, log = false, legend = lines.length > 1, span = null, stretch = null, levels = [] }) {
    this.drawn = { xs, lines, range, xTitle, yTitle, log, span: span ?? [xs[0], xs[xs.length - 1]], stretch, levels };
    this.legend.replaceChildren(...(legend ? lines : []).filter(({ name }) => name).map(({ name, color, dash, dots, faint }) => {
      const key = element('i', {}, ...(dots ? [element('b')] : []));
      if (dots) key.firstChild.style.backgroundColor = color;
      key.style.cssText = `border-top: 3px ${dash ? 'dashed' : 'solid'} ${color}; opacity: ${faint ? 0.45 : 1}`;
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
    const { xs, span: [from, to] } = this.drawn;
    const share = (event.clientX - this.svg.getBoundingClientRect().left - this.left) / this.wide;
    if (xs.length) this.go(nearest(xs, from + share * (to - from)));
  }

  go(place) {
    this.mark(clamp(place, 0, this.drawn.xs.length - 1));
    this.onPoint(this.at);
  }

  press(event) {
    const last = this.drawn ? this.drawn.xs.length - 1 : 0;
    const places = { ArrowRight: (this.at ?? -1) + 1, ArrowLeft: (this.at ?? last + 1) - 1, Home: 0, End: last };
    if (last < 0 || !this.drawn || event.ctrlKey || event.metaKey || event.altKey) return;
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
    const { xs, lines, range, xTitle, yTitle, log, span: [begin, end], stretch, levels } = this.drawn;
    const top = 22, foot = 36, deep = this.high - top - foot;
    Object.assign(this, { left: 46, wide: room - 46 - 12 });
    const across = (x) => this.left + (x - begin) / ((end - begin) || 1) * this.wide;
    const down = (y) => top + deep * (1 - clamp((y - range[0]) / ((range[1] - range[0]) || 1), 0, 1));
    this.svg.replaceChildren();
    this.svg.setAttribute('viewBox', `0 0 ${room} ${this.high}`);
    this.svg.style.height = `${this.high}px`;
    const text = 'currentColor';  // follows the theme, and paper, without being drawn again
    if (stretch) {
      const [from, to] = stretch.map(across);
      this.add('rect', { x: from, width: Math.max(4, to - from), y: top, height: deep, fill: 'var(--st-primary-color)', 'fill-opacity': 0.12,
        stroke: 'var(--st-primary-color)', 'stroke-dasharray': '5 4' });
    }
    const zero = log && lines.some(({ values }) => values.includes(-Infinity));
    const marks = ticks(...range, 5, log).filter((y) => !zero || y > range[0]);
    for (const y of zero ? [range[0], ...marks] : marks) {
      this.add('line', { x1: this.left, x2: this.left + this.wide, y1: down(y), y2: down(y), stroke: text, opacity: 0.18 });
      this.add('text', { x: this.left - 6, y: down(y) + 4, 'text-anchor': 'end', fill: text }, !log ? number(y) : zero && y === range[0] ? '0' : tenTo(y));
    }
    for (const x of ticks(begin, end, this.wide / 50, xs.length > 0 && xs.every(Number.isInteger))) {
      this.add('text', { x: across(x), y: this.high - foot + 16, 'text-anchor': 'middle', fill: text }, number(x));
    }
    this.add('text', { x: 0, y: 12, fill: text }, yTitle);
    this.add('text', { x: this.left + this.wide, y: this.high - 5, 'text-anchor': 'end', fill: text }, xTitle);
    const known = (values, place) => !Number.isNaN(values[place]);
    const path = (values, places, own = xs) => places.map((place) => `${across(own[place]).toFixed(1)},${down(values[place]).toFixed(1)}`);
    const all = [...xs.keys()];
    for (const { color, value } of levels) {
      this.add('line', { x1: this.left, x2: this.left + this.wide, y1: down(value), y2: down(value), stroke: color, 'stroke-width': 2, 'stroke-dasharray': '2 4' });
    }
    for (const { color, low, high } of lines) {
      if (!low) continue;
      const places = all.filter((place) => known(low, place));
      const points = [...path(low, places), ...path(high, places.reverse())];
      this.add('polygon', { points: points.join(' '), fill: color, opacity: 0.2 });
    }
    for (const { color, values, dash, faint, bars, dots, xs: own = xs } of [...lines].sort((one, other) => Boolean(other.faint) - Boolean(one.faint))) {
      if (bars) {
        const width = this.wide / xs.length;
        for (const place of all) {
          this.add('rect', { x: across(xs[place]) - 0.45 * width, width: 0.9 * width, y: down(values[place]),
            height: Math.max(0, top + deep - down(values[place])), fill: color });
        }
        continue;
      }
      const places = [...own.keys()].filter((place) => known(values, place));
      if (dots) for (const place of places) this.add('circle', { cx: across(own[place]), cy: down(values[place]), r: 3, fill: color });
      this.add('polyline', { points: path(values, places, own).join(' '), fill: 'none', stroke: color, 'stroke-width': faint ? 1.5 : 2.5,
        'stroke-linejoin': 'round', ...(faint ? { opacity: 0.35 } : {}), ...(dash ? { 'stroke-dasharray': '7 4' } : {}) });
    }
    for (const { name, color, value } of levels) {
      this.add('text', { x: this.left + this.wide - 4, y: down(value) + (down(value) < top + 40 ? 17 : -7), fill: color, 'font-weight': 600,
        'text-anchor': 'end', stroke: 'var(--st-background-color)', 'stroke-width': 4, 'paint-order': 'stroke' }, name);
    }
    if (this.at === null || this.at >= xs.length) return;
    const x = across(xs[this.at]);
    this.add('line', { x1: x, x2: x, y1: top, y2: top + deep, stroke: text, 'stroke-width': 1, 'stroke-dasharray': '2 3' });
    for (const { color, values, faint, xs: own } of lines) {
      if (!own && known(values, this.at) && !faint) this.add('circle', { cx: x, cy: down(values[this.at]), r: 5, fill: color, stroke: 'var(--st-background-color)', 'stroke-width': 1.5 });
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
