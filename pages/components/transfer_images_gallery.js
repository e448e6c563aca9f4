// A page of thumbnails that are selected by click, by keyboard and, with Shift, as a range.
const SETTLE_MS = 250;  // clicks in quick succession are told to the server once

const HTML = `
  <div class="lab-gallery-bar">
    <span class="lab-gallery-count" aria-live="polite"></span>
    <button data-do="all">Select these</button>
    <button data-do="none">Clear</button>
  </div>
  <div class="lab-gallery-tiles" role="listbox" aria-multiselectable="true"></div>
  <p class="lab-gallery-empty"></p>`;

function make(parent, name, attributes = {}, text) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (text !== undefined) node.textContent = text;
  parent.appendChild(node);
  return node;
}

class Gallery {
  constructor(root) {
    root.innerHTML = HTML;
    this.root = root;
    this.grid = root.querySelector('.lab-gallery-tiles');
    this.picked = new Set();
    this.turn = null;
    this.anchor = 0;
    this.grid.addEventListener('click', (event) => {
      const tile = event.target.closest('[role=option]');
      if (!tile) return;
      const index = this.nodes.indexOf(tile);
      if (event.shiftKey) this.range(index); else this.toggle(index);
      this.focus(index);
    });
    this.grid.addEventListener('mousedown', (event) => { if (event.shiftKey) event.preventDefault(); });  // no text
    this.grid.addEventListener('keydown', (event) => this.press(event));
    root.querySelector('.lab-gallery-bar').addEventListener('click', (event) => {
      if (event.target.dataset.do === 'all') this.pickAll();
      if (event.target.dataset.do === 'none') this.clear();
    });
  }

  press(event) {
    const now = Math.max(0, this.nodes.indexOf(event.target.closest('[role=option]')));
    const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: this.columns(), ArrowUp: -this.columns() };
    const ends = { Home: 0, End: this.nodes.length - 1 };
    if (event.key in steps || event.key in ends) {
      const next = Math.min(this.nodes.length - 1, Math.max(0, ends[event.key] ?? now + steps[event.key]));
      if (event.shiftKey) { if (!this.picked.has(this.keys[now])) this.anchor = now; this.range(next); }
      this.focus(next);
    } else if (event.key === ' ' || event.key === 'Enter') this.toggle(now);
    else if (event.key === 'a' && (event.ctrlKey || event.metaKey)) this.pickAll();
    else if (event.key === 'Escape') this.clear();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  columns() {
    const top = this.nodes[0]?.offsetTop;
    const next = this.nodes.findIndex((node) => node.offsetTop !== top);
    return next > 0 ? next : this.nodes.length;
  }

  toggle(index) {
    const key = this.keys[index];
    if (!this.picked.delete(key)) this.picked.add(key);
    this.anchor = index;
    this.changed();
  }

  range(index) {
    const [from, to] = [Math.min(this.anchor, index), Math.max(this.anchor, index)];
    for (let each = from; each <= to; each++) this.picked.add(this.keys[each]);
    this.changed();
  }

  pickAll() { this.picked = new Set(this.keys); this.changed(); }

  clear() { this.picked.clear(); this.changed(); }

  changed() {
    this.mark();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.send({ turn: this.turn, keys: [...this.picked] }), SETTLE_MS);
  }

  mark() {
    this.nodes.forEach((node, index) => node.setAttribute('aria-selected', this.picked.has(this.keys[index])));
    const count = this.picked.size;
    this.root.querySelector('.lab-gallery-count').textContent =
      count ? `${this.label}, ${count} selected` : this.label;
    this.root.querySelector('[data-do=none]').hidden = !count;
    this.root.querySelector('[data-do=all]').hidden = !this.keys.length || count === this.keys.length;
  }

  focus(index) {
    this.nodes.forEach((node, each) => node.setAttribute('tabindex', each === index ? '0' : '-1'));
    this.nodes[index]?.focus({ preventScroll: false });
  }

  show({ turn, label, empty, colors, tiles }) {
    const focused = this.nodes?.indexOf(document.activeElement) ?? -1;
    if (turn !== this.turn) { this.picked.clear(); this.anchor = 0; clearTimeout(this.timer); }
    this.turn = turn;
    this.keys = tiles.map((tile) => tile.key);
    this.picked = new Set(this.keys.filter((key) => this.picked.has(key)));
    this.label = label;
    this.grid.setAttribute('aria-label', label);
    this.grid.replaceChildren();
    this.nodes = tiles.map((tile, index) => this.tile(tile, colors, index));
    this.root.querySelector('.lab-gallery-empty').textContent = tiles.length ? '' : empty;
    this.root.querySelector('.lab-gallery-bar').hidden = !tiles.length;
    this.mark();
    if (focused >= 0) this.focus(Math.min(focused, this.nodes.length - 1));
  }

  tile({ src, label, split, splitName, excluded, words }, colors, index) {
    const tile = make(this.grid, 'div', { role: 'option', tabindex: index ? '-1' : '0', 'aria-label': words,
                                          title: words, class: excluded ? 'is-excluded' : '' });
    tile.style.setProperty('--split', colors[split]);
    make(tile, 'img', { src, alt: '', draggable: 'false' });
    make(tile, 'span', { class: 'lab-gallery-tick', 'aria-hidden': 'true' }, '✓');
    const line = make(tile, 'span', { class: 'lab-gallery-line', 'aria-hidden': 'true' });
    make(line, 'span', {}, label);
    make(line, 'small', {}, excluded ? 'excluded' : splitName);
    return tile;
  }
}

export default function (component) {
  const root = component.parentElement.querySelector('.lab-gallery');
  root.gallery ??= new Gallery(root);
  root.gallery.send = (picked) => component.setStateValue('picked', picked);
  const text = new TextDecoder().decode(component.data);
  if (root.gallery.text !== text) {
    root.gallery.text = text;
    root.gallery.show(JSON.parse(text));
  }
  return () => { clearTimeout(root.gallery?.timer); root.gallery = undefined; };
}
