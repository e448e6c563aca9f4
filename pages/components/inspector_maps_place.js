// One feature map, large, beside the image: the place below the pointer shows what it sees, a click chooses it.
// Data: four bytes with the length of a JSON header, the header, padding to a multiple of four, the map's values as
// float32, then the image's bytes.

const HTML = `
  <div class="lab-place-pair">
    <figure><div class="lab-place-field" tabindex="0" role="application"><canvas></canvas>
      <div class="lab-place-box"></div><div class="lab-place-box is-over" hidden></div></div><figcaption></figcaption>
    </figure>
    <figure><div class="lab-place-field"><canvas role="img"></canvas>
      <div class="lab-place-box"></div><div class="lab-place-box is-over" hidden></div></div><figcaption></figcaption>
    </figure>
  </div>
  <p class="lab-place-words" role="status"></p>`;
const SETTLE_MS = 350;  // steps of a held arrow key are told to the server once
const OPENED_MS = 8000;

function unpack(data) {
  const length = new DataView(data.buffer, data.byteOffset, 4).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(data.subarray(4, 4 + length)));
  const start = Math.ceil((4 + length) / 4) * 4;
  const end = start + 4 * header.map.width * header.map.height;
  return { header, values: new Float32Array(data.slice(start, end).buffer), pixels: data.subarray(end) };
}

function paint(canvas, width, height, colorOf) {
  Object.assign(canvas, { width, height });
  const image = new ImageData(width, height);
  for (let cell = 0; cell < width * height; cell++) {
    image.data.set(colorOf(cell), 4 * cell);
    image.data[4 * cell + 3] = 255;
  }
  canvas.getContext('2d').putImageData(image, 0, 0);
}

function number(value) {
  return Number(value.toPrecision(3)).toString().replace('-', '−');
}

class Place {
  constructor(root) {
    root.innerHTML = HTML;
    this.root = root;
    [this.map, this.image] = root.querySelectorAll('.lab-place-field');
    this.words = root.querySelector('.lab-place-words');
    this.map.addEventListener('pointermove', (event) => this.mark(this.at(event), true));
    this.map.addEventListener('pointerleave', () => this.leave());
    this.map.addEventListener('click', (event) => this.choose(this.at(event), 0));
    this.map.addEventListener('keydown', (event) => this.press(event));
  }

  at(event) {
    const box = this.map.getBoundingClientRect();
    const { width, height } = this.header.map;
    const cell = (offset, length, count) => Math.min(count - 1, Math.max(0, Math.floor(offset / length * count)));
    return [cell(event.clientY - box.top, box.height, height), cell(event.clientX - box.left, box.width, width)];
  }

  press(event) {
    const steps = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] };
    if (!(event.key in steps) || event.ctrlKey || event.metaKey || event.altKey) return;
    const { width, height } = this.header.map;
    const [down, right] = steps[event.key];
    const row = Math.min(height - 1, Math.max(0, this.place[0] + down));
    const column = Math.min(width - 1, Math.max(0, this.place[1] + right));
    this.choose([row, column], SETTLE_MS);
    event.preventDefault();
    event.stopPropagation();
  }

  choose(place, delay) {
    this.place = place;
    this.mark(place, false);
    this.leave();
    clearTimeout(this.timer);
    this.waiting = true;
    this.timer = setTimeout(() => { this.waiting = false; this.send(place); }, delay);
  }

  leave() {
    for (const box of this.root.querySelectorAll('.is-over')) box.hidden = true;
    this.tell(this.place);
  }

  seen([row, column]) {
    const [[top, bottom], [left, right]] = [this.header.rows[row], this.header.columns[column]];
    return [top, left, bottom, right];
  }

  mark(place, over) {
    const { map, image } = this.header;
    this.put(this.map, over, [place[0], place[1], place[0] + 1, place[1] + 1], map);
    this.put(this.image, over, this.seen(place), image);
    if (over) this.tell(place);
  }

  put(field, over, [top, left, bottom, right], { height, width }) {
    const box = field.querySelector(over ? '.is-over' : '.lab-place-box:not(.is-over)');
    box.hidden = false;
    box.style.top = `${100 * top / height}%`;
    box.style.left = `${100 * left / width}%`;
    box.style.height = `${100 * (bottom - top) / height}%`;
    box.style.width = `${100 * (right - left) / width}%`;
  }

  tell([row, column]) {
    const [top, left, bottom, right] = this.seen([row, column]);
    const value = number(this.values[row * this.header.map.width + column]);
    const { height, width } = this.header.image;
    const whole = bottom - top >= height && right - left >= width;
    const range = (from, to) => `${Math.floor(from)}–${Math.ceil(to) - 1}`;
    this.words.textContent = `Row ${row}, column ${column}: ${value}. ` + (whole ? 'It sees the whole image.' :
      `It sees rows ${range(top, bottom)} and columns ${range(left, right)} of the image, inside the box.`);
  }

  show({ header, values, pixels }) {
    this.header = header;
    this.values = values;
    if (!this.waiting) this.place = header.place;
    const { width, height, low, high } = header.map;
    const scale = high > low ? 255 / (high - low) : 0;
    paint(this.map.querySelector('canvas'), width, height, (cell) => {
      const level = 3 * Math.min(255, Math.max(0, Math.round((values[cell] - low) * scale)));
      return header.palette.slice(level, level + 3);
    });
    const { channels } = header.image;
    paint(this.image.querySelector('canvas'), header.image.width, header.image.height, (cell) =>
      channels === 3 ? pixels.subarray(3 * cell, 3 * cell + 3) : [pixels[cell], pixels[cell], pixels[cell]]);
    this.map.setAttribute('aria-label', header.label);
    this.image.querySelector('canvas').setAttribute('aria-label', header.imageWords);
    const captions = this.root.querySelectorAll('figcaption');
    captions[0].textContent = header.mapWords;
    captions[1].textContent = header.imageWords;
    this.mark(this.place, false);
    this.leave();
    this.comeIntoView();
  }

  comeIntoView() {
    const opened = performance.now() - (window.labTileChosen ?? -Infinity) < OPENED_MS;
    window.labTileChosen = undefined;
    if (!opened) return;
    const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
    this.root.scrollIntoView({ block: 'center', behavior: still ? 'auto' : 'smooth' });
  }
}

export default function (component) {
  const root = component.parentElement.querySelector('.lab-place');
  root.place ??= new Place(root);
  root.place.send = (place) => component.setTriggerValue('chosen', place);
  const data = unpack(component.data);
  if (root.place.digest !== data.header.digest) {
    root.place.digest = data.header.digest;
    root.place.show(data);
  }
  return () => { clearTimeout(root.place?.timer); root.place = undefined; };
}
