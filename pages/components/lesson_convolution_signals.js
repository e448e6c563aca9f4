// The lesson on convolution, one dimension: one signal slides over another; below it what they give where they overlap,
// and the result as far as the slider has come. Every place has come along.
const ROWS = [{ name: 'signals', height: 150 }, { name: 'products', height: 110 }, { name: 'result', height: 150 }];
const TOP = 24, FOOT = 10, MARGIN = 34;  // px

class Figure {
  constructor(board) {
    this.board = board;
    this.slider = board.slider({ name: 'lag', label: 'Place of the sliding signal', min: 0, max: 1,
      words: (lag) => (this.arrays ? `begins at ${decimal(this.arrays.starts[lag])}` : ''), onMove: () => this.draw() });
    this.player = board.player({ count: () => this.data.last + 1, onStep: (lag) => this.go(lag), perSecond: () => 5 });
    this.canvas = element('canvas', { className: 'lab-sig', role: 'img' });
    board.stage.append(this.canvas);
    this.canvas.addEventListener('pointerdown', (event) => this.drag(event));
    this.canvas.addEventListener('pointermove', (event) => { if (event.buttons) this.drag(event); });
    this.sum = element('p', { className: 'lab-conv-sum' });
    board.words.before(this.sum);
  }

  close() { clearTimeout(this.timer); }

  show(data, state, arrays) {
    Object.assign(this, { data, state, arrays });
    this.slider.limit(0, data.last);
    if (state.lag !== this.known) this.slider.set(state.lag);
    this.known = state.lag;
    this.draw();
  }

  // To a place; it is written to the address once it stays.
  go(lag) {
    this.slider.range.value = lag;
    this.slider.say();
    this.draw();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.board.tell({ lag: this.slider.value }), SETTLE_MS);
  }

  drag(event) {
    this.player.stop();
    const { marks } = this.arrays;
    const at = (event.offsetX - MARGIN) / this.step + this.first - 0.5;
    this.go(clamp(Math.round(at) - marks[0], 0, this.data.last));
  }

  draw() {
    const { arrays: { signal, moving, starts, marks, products, result }, board, canvas } = this;
    const lag = this.slider.value;
    this.player.place = lag;
    const room = board.stage.clientWidth;
    if (!room) return;
    this.first = starts[0];
    this.step = (room - 2 * MARGIN) / (signal.length + 2 * (moving.length - 1));
    const scale = window.devicePixelRatio || 1;
    const high = ROWS.reduce((sum, { height }) => sum + height, 0);
    Object.assign(canvas, { width: Math.round(room * scale), height: Math.round(high * scale) });
    Object.assign(canvas.style, { width: `${room}px`, height: `${high}px` });
    const ink = canvas.getContext('2d');
    ink.setTransform(scale, 0, 0, scale, 0, 0);
    const own = products.slice(lag * moving.length, (lag + 1) * moving.length);
    const both = [...signal, ...moving];
    const [one, other, sum] = [board.series(0), '#E07B00', board.series(2)];
    this.row(ink, 0, `Signal, and ${this.state.flip ? 'the sliding one, turned round' : 'the sliding one'} (orange)`, both);
    signal.forEach((value, at) => this.bar(ink, at, value, one, 0.8));
    moving.forEach((value, at) => this.bar(ink, starts[lag] + at, value, other, 0.4));
    this.row(ink, 1, 'Products where they overlap', [...products]);
    own.forEach((value, at) => this.bar(ink, starts[lag] + at, value, board.color('text'), 0.4));
    this.row(ink, 2, `${this.state.flip ? 'Convolution' : 'Cross-correlation'}: the sum of the products at each place`, [...result]);
    result.forEach((value, at) => { if (at <= lag) this.bar(ink, marks[at], value, at === lag ? other : sum, 0.8); });
    this.write(lag);
  }

  // An axis with its name; bars of this row are drawn next.
  row(ink, place, name, values) {
    const top = ROWS.slice(0, place).reduce((sum, { height }) => sum + height, 0) + TOP;
    const room = ROWS[place].height - TOP - FOOT;
    const [low, high] = [Math.min(0, ...values), Math.max(0, ...values, 1e-9)];
    this.unit = room / (high - low || 1);
    this.zero = top + high * this.unit;
    const width = this.canvas.clientWidth || parseFloat(this.canvas.style.width);
    ink.font = `13px ${getComputedStyle(this.board.root).fontFamily}`;
    ink.fillStyle = this.board.color('text');
    ink.fillText(name, 0, top - 11);
    ink.font = `11px ${getComputedStyle(this.board.root).fontFamily}`;
    for (const value of new Set([low, 0, high])) ink.fillText(decimal(value, 2), 0, this.zero - value * this.unit + 4);
    ink.strokeStyle = this.board.color('border');
    ink.lineWidth = 1;
    ink.beginPath();
    ink.moveTo(MARGIN, Math.round(this.zero) + 0.5);
    ink.lineTo(width - MARGIN, Math.round(this.zero) + 0.5);
    ink.stroke();
  }

  bar(ink, at, value, color, share) {
    const left = MARGIN + (at - this.first + 0.5 - share / 2) * this.step;
    const height = value * this.unit;
    ink.fillStyle = color;
    ink.fillRect(left, this.zero - Math.max(height, 0), share * this.step, Math.max(Math.abs(height), value ? 1 : 0));
    ink.beginPath();
    ink.arc(left + share * this.step / 2, this.zero - height, Math.min(2.5, this.step / 4), 0, 7);
    ink.fill();
  }

  write(lag) {
    const { signal, moving, starts, marks, result } = this.arrays;
    const terms = [...moving].flatMap((value, at) => {
      const place = starts[lag] + at;
      return place >= 0 && place < signal.length ? [`${decimal(signal[place], 2)} × ${decimal(value, 4)}`] : [];
    });
    this.sum.replaceChildren(element('span', { textContent: terms.join(' + ').replaceAll('+ −', '− ') }),
      element('strong', { textContent: ` = ${decimal(result[lag], 4)}` }));
    const words = `Result at ${decimal(marks[lag])}: ${decimal(result[lag], 4)}, of ${terms.length} ${terms.length === 1 ? 'product' : 'products'}.`;
    this.canvas.ariaLabel = words;
    if (!this.player.timer) this.board.words.textContent = words;
  }
}
