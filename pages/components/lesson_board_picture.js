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
