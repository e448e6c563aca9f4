// Small pictures in a grid, one cell a number, that are chosen by a click or with the keyboard.
// Data: four bytes with the length of a JSON header, the header, then the pictures' bytes one after the other: one
// byte a cell, which the palette turns into a color, or three.

function unpack(data) {
  const length = new DataView(data.buffer, data.byteOffset, 4).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(data.subarray(4, 4 + length)));
  return { header, bytes: data.subarray(4 + length) };
}

function paint(canvas, bytes, palette, channels) {
  const { width, height } = canvas;
  const image = new ImageData(width, height);
  for (let cell = 0; cell < width * height; cell++) {
    for (let part = 0; part < 3; part++) {
      image.data[4 * cell + part] = channels === 3 ? bytes[3 * cell + part] : palette[3 * bytes[cell] + part];
    }
    image.data[4 * cell + 3] = 255;
  }
  canvas.getContext('2d').putImageData(image, 0, 0);
}

class Tiles {
  // What is drawn is drawn again only when its digest changes, so that the focus stays.
  constructor(root) {
    this.root = root;
    root.innerHTML = '<div class="lab-maps-grid" role="group"></div><p class="lab-maps-words" aria-hidden="true"></p>';
    this.grid = root.querySelector('.lab-maps-grid');
    this.words = root.querySelector('.lab-maps-words');
    this.grid.addEventListener('click', (event) => {
      const tile = event.target.closest('button');
      if (tile) this.choose(tile);
    });
    this.grid.addEventListener('keydown', (event) => this.press(event));
    for (const kind of ['pointerover', 'focusin']) {
      this.grid.addEventListener(kind, (event) => {
        const tile = event.target.closest('button');
        if (tile) this.words.textContent = tile.title;
      });
    }
    this.grid.addEventListener('pointerleave', () => { this.words.textContent = this.hint; });
  }

  choose(tile) {
    // Who follows a link is not moved; who clicks a tile is shown what it opens, further down.
    window.labTileChosen = performance.now();
    this.focus(this.nodes.indexOf(tile));
    this.mark(Number(tile.dataset.key));
    this.send(Number(tile.dataset.key));
  }

  press(event) {
    const now = this.nodes.indexOf(event.target.closest('button'));
    if (now < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    const columns = getComputedStyle(this.grid).gridTemplateColumns.split(' ').length;
    const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns };
    const ends = { Home: 0, End: this.nodes.length - 1 };
    if (!(event.key in steps || event.key in ends)) return;
    const next = ends[event.key] ?? now + steps[event.key];
    if (next >= 0 && next < this.nodes.length) this.focus(next);
    event.preventDefault();
    event.stopPropagation();
  }

  focus(index) {
    this.nodes.forEach((node, each) => { node.tabIndex = each === index ? 0 : -1; });
    this.nodes[index]?.focus();
  }

  mark(key) {
    for (const each of this.nodes) each.setAttribute('aria-pressed', Number(each.dataset.key) === key);
  }

  show({ header, bytes }) {
    if (header.digest === this.digest) { this.mark(header.chosen); return; }
    this.digest = header.digest;
    const focused = this.nodes?.indexOf(document.activeElement) ?? -1;
    this.hint = header.hint;
    this.words.textContent = header.hint;
    this.grid.setAttribute('aria-label', header.label);
    this.grid.style.gridTemplateColumns = `repeat(auto-fill, minmax(${header.side}px, 1fr))`;
    this.grid.replaceChildren();
    let from = 0;
    this.nodes = header.tiles.map((tile, index) => {
      const size = tile.width * tile.height * header.channels;
      const node = this.tile(tile, bytes.subarray(from, from + size), header);
      from += size;
      node.tabIndex = index ? -1 : 0;
      return node;
    });
    this.mark(header.chosen);
    if (focused >= 0) this.focus(Math.min(focused, this.nodes.length - 1));
  }

  tile({ key, label, words, width, height }, bytes, { palette, channels }) {
    const node = document.createElement('button');
    node.type = 'button';
    node.dataset.key = key;
    node.title = words;
    node.setAttribute('aria-label', words);
    const canvas = document.createElement('canvas');
    Object.assign(canvas, { width, height });
    paint(canvas, bytes, palette, channels);
    const name = document.createElement('span');
    name.textContent = label;
    node.append(canvas, name);
    this.grid.append(node);
    return node;
  }
}

export default function (component) {
  const root = component.parentElement.querySelector('.lab-maps');
  root.tiles ??= new Tiles(root);
  root.tiles.send = (key) => component.setTriggerValue('chosen', key);
  root.tiles.show(unpack(component.data));
  return () => { root.tiles = undefined; };
}
