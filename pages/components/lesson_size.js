// The lesson on sizes, first part: a row of pixels and the windows that fit into it. All settings' numbers have come
// along, so that every slider answers at once.
const NAMES = { n: 'Pixels n', k: 'Kernel k', p: 'Padding p', s: 'Stride s', d: 'Dilation d' };
const MOST_CELL = 34, LEAST_STEP = 4, MOST_STEP = 30, WINDOWS_HIGH = 192, GAP = 10;

const many = (count, one, more = `${one}s`) => `${count} ${count === 1 ? one : more}`;

class Figure {
  constructor(board) {
    this.board = board;
    board.root.classList.add('lab-size');
    this.sliders = {};
    for (const [name, label] of Object.entries(NAMES)) {
      this.sliders[name] = board.slider({ name, label, min: 0, max: 1, words: String, onMove: () => this.draw() });
    }
    this.formula = element('div', { className: 'lab-size-formula' });
    this.picture = drawn('svg', { tabindex: 0, role: 'application', 'aria-label': 'The windows that fit into the row; arrow keys go through them' });
    this.problem = element('p', { className: 'lab-size-problem', hidden: true });
    board.stage.append(this.formula, element('div', { className: 'lab-size-place' }, this.picture, this.problem));
    this.chosen = -1;
    this.picture.addEventListener('pointermove', (event) => this.point(event));
    this.picture.addEventListener('pointerleave', () => { this.pointed = undefined; this.draw(); });
    this.picture.addEventListener('click', (event) => { this.point(event); this.choose(this.pointed ?? -1); });
    this.picture.addEventListener('keydown', (event) => this.press(event));
  }

  show(data, state, arrays) {
    this.data = data;
    this.arrays = arrays;
    for (const [name, slider] of Object.entries(this.sliders)) slider.limit(...data.ranges[name]);
    for (const [name, slider] of Object.entries(this.sliders)) slider.set(state[name]);
    if (this.timer === undefined) this.chosen = state.place;
    this.draw();
  }

  close() { clearTimeout(this.timer); }

  // Where the tables have what the sliders say.
  place() {
    return Object.keys(NAMES).reduce((place, name) => {
      const [low, high] = this.data.ranges[name];
      return place * (high - low + 1) + this.sliders[name].value - low;
    }, 0);
  }

  values() { return Object.fromEntries(Object.entries(this.sliders).map(([name, slider]) => [name, slider.value])); }

  point(event) {
    const hit = event.target.closest?.('[data-place]');
    const place = hit ? Number(hit.dataset.place) : undefined;
    if (place === this.pointed) return;
    this.pointed = place;
    this.draw();
  }

  choose(place) {
    this.chosen = place;
    this.draw();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => { this.timer = undefined; this.board.tell({ place: this.chosen }); }, SETTLE_MS);
  }

  press(event) {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (step && this.outputs) this.choose(clamp(this.chosen + step, 0, this.outputs - 1));
    else if (event.key === 'Escape') this.choose(-1);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  draw() {
    const values = this.values(), place = this.place();
    const [outputs, room, left] = ['outputs', 'room', 'left'].map((name) => this.arrays[name][place]);
    const fits = outputs !== this.data.noRoom;
    this.outputs = fits ? outputs : 0;
    this.write(values, fits ? { outputs, room } : null);
    this.problem.hidden = fits;
    this.picture.style.visibility = fits ? '' : 'hidden';
    if (!fits) {
      const extent = values.d * (values.k - 1) + 1;
      this.problem.textContent = this.data.problem.replace('{extent}', extent).replace('{size}', values.n).replace('{padding}', values.p);
      this.board.words.textContent = '';
      return;
    }
    const at = Math.min(this.pointed ?? this.chosen, outputs - 1);
    this.lay(values, outputs, left, at);
    this.board.words.textContent = at >= 0 ? this.windowWords(values, at) : this.restWords(values, outputs, left);
  }

  write({ n, k, p, s, d }, found) {
    const value = (name, at) => element('b', { textContent: at, className: `lab-size-${name}` });
    const line = (...parts) => element('div', {}, ...parts);
    const end = found ? [element('span', { textContent:
      ` = ⌊${found.room} / ${s}⌋ + 1 = ` }), element('strong', { textContent: found.outputs })] : [' = ?'];
    this.formula.replaceChildren(
      line('output = ⌊(n + 2p − d(k − 1) − 1) / s⌋ + 1'),
      line('= ⌊(', value('n', n), ' + 2 · ', value('p', p), ' − ', value('d', d), ' · (', value('k', k), ' − 1) − 1) / ',
        value('s', s), '⌋ + 1', ...end));
  }

  windowWords({ n, k, p, s, d }, at) {
    const first = at * s - p + 1, last = first + d * (k - 1);
    const inside = `from ${Math.max(first, 1)} to ${Math.min(last, n)}`;
    const seen = last < 1 || first > n ? 'padding only' : `${d > 1 ? `every ${d === 2 ? '2nd' : '3rd'} of the pixels` : 'the pixels'} ${inside}`;
    return `Output ${at + 1} sees ${seen}${(first < 1 || last > n) && seen !== 'padding only' ? ' and padding' : ''}.`;
  }

  restWords({ k, p, s, d }, outputs, left) {
    const extent = d * (k - 1) + 1, pixels = left - p;
    const parts = [`${many(outputs, 'window')} fit${outputs === 1 ? 's' : ''}.`];
    if (pixels > 0) parts.push(`The last ${pixels === 1 ? '1 pixel is' : `${pixels} pixels are`} not seen: another step of ${s} would not fit.`);
    else if (left) parts.push(`Left over: the last ${left === 1 ? 'zero' : `${left} zeros`} of the padding.`);
    else parts.push('Nothing is left over at the end.');
    if (s > extent && outputs > 1) parts.push(`Between the windows ${many(s - extent, 'pixel')} are skipped.`.replace('1 pixel are', '1 pixel is'));
    return parts.join(' ');
  }

  // The row of pixels, a line of squares for each window, and the outputs.
  lay({ n, k, p, s, d }, outputs, left, at) {
    const room = this.board.stage.clientWidth - 2, total = n + 2 * p;
    const cell = Math.min(MOST_CELL, room / total);
    const step = clamp(WINDOWS_HIGH / outputs, LEAST_STEP, MOST_STEP), bar = step * 0.72;
    const high = Math.min(cell, 24), top = high + GAP, bottom = top + WINDOWS_HIGH + GAP;
    const parts = [];
    const square = (x, y, wide, tall, kind, extra = {}) => {
      parts.push(drawn('rect', { x: x + 0.5, y: y + 0.5, width: Math.max(wide - 1, 1), height: Math.max(tall - 1, 1), rx: 2, class: kind, ...extra }));
    };
    const word = (x, y, text, kind = '') => {
      parts.push(drawn('text', { x, y, class: kind, 'font-size': clamp(cell * 0.5, 8, 12) }, String(text)));
    };
    const taps = Array.from({ length: k }, (_, tap) => tap * d);
    const seen = new Set(Array.from({ length: outputs }, (_, place) => taps.map((tap) => place * s + tap)).flat());
    const chosen = new Set(at >= 0 ? taps.map((tap) => at * s + tap) : []);
    for (let pixel = 0; pixel < total; pixel++) {
      const padding = pixel < p || pixel >= n + p;
      square(pixel * cell, 0, cell, high, `pixel${padding ? ' padding' : ''}${chosen.has(pixel) ? ' chosen' : ''}`);
      if (!seen.has(pixel)) square(pixel * cell, 0, cell, high, 'unseen', { fill: 'url(#lab-size-hatch)' });
      if (cell >= 16) word((pixel + 0.5) * cell, high / 2, padding ? 0 : pixel - p + 1, padding ? 'faint' : '');
    }
    if (left) square((total - left) * cell, top, left * cell, WINDOWS_HIGH, 'unseen', { fill: 'url(#lab-size-hatch)', opacity: 0.5 });
    for (let place = 0; place < outputs; place++) {
      const mark = place === at ? ' chosen' : '', y = top + place * step;
      const middle = (place * s + (d * (k - 1) + 1) / 2) * cell;
      parts.push(drawn('line', { x1: place * s * cell, x2: (place * s + d * (k - 1) + 1) * cell, y1: y + bar / 2, y2: y + bar / 2, class: `reach${mark}` }));
      for (const tap of taps) square((place * s + tap) * cell, y, cell, bar, `tap${mark}`, { 'data-place': place });
      const side = Math.min(cell, 24);
      square(middle - side / 2, bottom, side, high, `output${mark}`, { 'data-place': place });
      if (cell >= 16) word(middle, bottom + high / 2, place + 1, 'light');
    }
    const hatch = drawn('pattern', { id: 'lab-size-hatch', width: 6, height: 6, patternUnits: 'userSpaceOnUse', patternTransform: 'rotate(45)' },
      drawn('rect', { width: 2, height: 6, class: 'hatch' }));
    this.picture.replaceChildren(drawn('defs', {}, hatch), ...parts);
    this.picture.setAttribute('viewBox', `0 0 ${Math.max(total * cell, 1)} ${bottom + 25}`);
    Object.assign(this.picture.style, { width: `${total * cell}px`, height: `${bottom + 25}px` });
  }
}
