// Numbers in squares, with frames around some of them. With `onPoint` it follows pointer and arrow keys; `onChoose` is
// called for clicks, Enter and Space, `onLeave` when the pointer or the focus has gone.
class Grid {
  constructor(board, { label, into = null, caption = '', onPoint = null, onChoose = null, onLeave = null, most = 44, least = 1 }) {
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
    for (const gone of ['pointerleave', 'blur']) this.canvas.addEventListener(gone, () => onLeave?.());
  }

  // rows × columns squares; `color(row, column)` gives [r, g, b], or null for an empty square, `text(row, column)` what
  // stands in a square that is large enough for it.
  paint({ rows, columns, color, text = null }) {
    Object.assign(this, { rows, columns, colorOf: color, textOf: text, painted: null });
    this.at = [clamp(this.at[0], 0, rows - 1), clamp(this.at[1], 0, columns - 1)];
    this.draw();
  }

  // Frames: [{ row, column, height, width, kind }] with kind 'window' (filled), 'mark' (outlined) or 'touch' (a single
  // square among others that are framed, filled more).
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
      const fill = { window: 'rgba(224, 123, 0, .22)', touch: 'rgba(224, 123, 0, .6)' }[kind];
      if (fill) { ink.fillStyle = fill; ink.fillRect(...place); }
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
    ink.font = `${clamp(side * 0.45, 10, 13)}px ${getComputedStyle(this.board.root).fontFamily}`;
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
        ink.fillStyle = `rgb(${color.join(' ')})`;
        ink.fillRect(column * side, row * side, side, side);
        if (this.textOf && side >= 18) {
          ink.fillStyle = inkOn(color);
          ink.fillText(this.textOf(row, column), (column + 0.5) * side, (row + 0.5) * side, side - 2);
        }
      }
    }
    return canvas;
  }
}
