// The lesson on augmentation, one transform: every place of its dial has come along as one file of frames; where the
// picture is only moved, the picture with black around it has, and the dials move a window over it.
class Figure {
  constructor(board) {
    this.board = board;
    this.dials = element('div', { className: 'lab-augmentation-dials' });
    board.controls.append(this.dials);
    this.original = board.picture({ label: 'The picture as it is' });
    this.other = board.picture({ label: 'The other picture' });
    this.result = board.picture({ label: 'The changed picture' });
    const { canvas } = this.original;
    canvas.addEventListener('pointerdown', (event) => this.drag(event));
    canvas.addEventListener('pointermove', (event) => { if (event.buttons) this.drag(event); });
    canvas.addEventListener('pointerup', () => this.drop());
  }

  // The middle of the frame goes where the pointer is, as far as the dials reach.
  drag(event) {
    if (!this.data.moves || !this.ready) return;
    this.original.canvas.setPointerCapture(event.pointerId);
    const box = this.original.canvas.getBoundingClientRect();
    const at = [(event.clientX - box.left) / box.width * this.wide.width, (event.clientY - box.top) / box.height * this.wide.height];
    this.sliders.forEach(({ setting }, place) => {
      setting.set(clamp(Math.round(this.data.margin + this.side / 2 - at[place]), -this.data.margin, this.data.margin));
    });
    this.draw();
  }

  drop() {
    if (!this.data.moves) return;
    this.board.tell(Object.fromEntries(this.sliders.map(({ name, setting }) => [name, setting.value])));
  }

  show(data, state, arrays) {
    const others = data.kind !== this.data?.kind;
    Object.assign(this, { data, arrays });
    if (others) this.build(data, state);
    if (arrays.original !== this.shown) this.take(arrays);
    this.draw();
  }

  build(data, state) {
    this.board.clear(this.dials);
    this.sliders = data.dials.map(({ name, title, low, high, step, words }) => ({ name, low, step, words,
      setting: this.board.slider({ name, label: title, min: low, max: high, step, value: state[name],
        words: (at) => words[Math.round((at - low) / step)] ?? '', onMove: () => this.draw(), into: this.dials }) }));
  }

  // New pictures; until the file of frames is unpacked, what was drawn last stays.
  take(arrays) {
    const { kind, labels, smooth } = this.data;
    this.shown = arrays.original;
    this.ready = Boolean(arrays.wide);
    const [height, width] = arrays.original.shape;
    this.side = height;
    if (!arrays.wide) this.original.paint(canvasOf(arrays.original), [0, 0, width, height], smooth);
    this.wide = arrays.wide && canvasOf(arrays.wide);
    this.original.canvas.classList.toggle('lab-augmentation-moves', Boolean(arrays.wide));
    this.other.box.hidden = !arrays.other;
    if (arrays.other) this.other.paint(canvasOf(arrays.other), [0, 0, width, height], smooth);
    this.other.caption.textContent = labels.length ? `Another one of the batch. Label: ${labels[1]}` : '';
    this.original.caption.textContent = arrays.wide ? 'Black around the picture; drag the frame, which is cut out'
      : labels.length ? `The picture. Label: ${labels[0]}` : 'The picture';
    if (!arrays.sheet) return;
    createImageBitmap(new Blob([arrays.sheet], { type: 'image/jpeg' })).then((sheet) => {
      if (this.arrays.sheet !== arrays.sheet) return;
      Object.assign(this, { sheet, ready: true });
      this.draw();
    });
  }

  draw() {
    const { data, side } = this;
    const places = this.sliders.map(({ low, step, setting }) => Math.round((setting.value - low) / step));
    const said = this.sliders.map(({ words, setting }, at) => `${setting.range.ariaLabel}: ${words[places[at]]}.`).join(' ');
    this.result.canvas.setAttribute('aria-label', `The changed picture. ${said}`);
    this.result.caption.textContent = `${said} ${this.label(places[0])}`;
    if (!this.ready) return;
    if (data.moves) {
      const [left, top] = this.sliders.map(({ setting }) => data.margin - setting.value);
      const whole = [0, 0, this.wide.width, this.wide.height];
      this.original.paint(this.wide, whole, data.smooth);
      this.original.frame([left, top, side, side]);
      this.result.paint(this.wide, [left, top, side, side], data.smooth);
    } else {
      const [row, column] = [Math.floor(places[0] / data.columns), places[0] % data.columns];
      this.original.frame();
      this.result.paint(this.sheet, [column * side, row * side, side, side], data.smooth);
    }
  }

  label(place) {
    const { labels, shares } = this.data;
    if (!labels.length) return 'Training keeps the label: is it still true?';
    const share = Math.round(100 * shares[place]);
    return `Label: ${share} % ${labels[0]}, ${100 - share} % ${labels[1]}.`;
  }
}
