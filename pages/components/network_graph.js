// Draws what cnncore.figures.graph laid out; opening and closing a block asks for a new layout.
const SVG = 'http://www.w3.org/2000/svg';
const LEAST = 0.35, MOST = 2.5, READABLE = 0.62, STEP = 1.25;

const HTML = `
  <div class="lab-graph-bar"><div class="lab-graph-legend"></div>
    <div class="lab-graph-buttons">
      <button data-do="out" aria-label="Smaller" title="Smaller">−</button>
      <button data-do="in" aria-label="Larger" title="Larger">+</button>
      <button data-do="fit" title="Fit the width">Fit</button>
      <button data-do="close" title="Close all blocks">Close all</button>
      <button data-do="reset" title="Open what was open at first">Reset</button>
    </div></div>
  <div class="lab-graph-body">
    <div class="lab-graph-view" tabindex="0" role="group"></div>
    <aside class="lab-graph-facts is-empty" aria-live="polite"></aside>
  </div>`;
const HINT = 'Choose a box to see its facts. The plus on a box opens it, the minus on a header closes it again.';

function make(parent, name, attributes = {}, text) {
  const svg = parent.namespaceURI === SVG || name === 'svg';
  const node = svg ? document.createElementNS(SVG, name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (text !== undefined) node.textContent = text;
  parent.appendChild(node);
  return node;
}

// What a mouse clicks, the keyboard presses.
function press(node, label, act) {
  node.setAttribute('role', 'button');
  node.setAttribute('tabindex', '0');
  node.setAttribute('aria-label', label);
  node.addEventListener('click', (event) => { event.stopPropagation(); act(); });
  node.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' && event.key !== ' ') return;
    event.preventDefault();
    event.stopPropagation();
    act();
  });
}

class Graph {
  constructor(root) {
    this.root = root;
    root.innerHTML = HTML;
    this.view = root.querySelector('.lab-graph-view');
    this.facts = root.querySelector('.lab-graph-facts');
    this.scale = 0;
    this.chosen = null;
    root.querySelector('.lab-graph-buttons').addEventListener('click', (event) => {
      const action = event.target.dataset.do;
      if (action === 'in') this.zoom(this.scale * STEP);
      if (action === 'out') this.zoom(this.scale / STEP);
      if (action === 'fit') this.fit();
      if (action === 'close') this.ask([], null);
      if (action === 'reset') this.ask(null, null);
    });
    this.listen();
    this.resized = new ResizeObserver(() => { if (this.fitted) this.fit(); });
    this.resized.observe(this.view);
  }

  listen() {
    const view = this.view;
    view.addEventListener('wheel', (event) => {
      if (!event.ctrlKey && !event.metaKey) return;  // a plain wheel scrolls
      event.preventDefault();
      this.zoom(this.scale * Math.exp(-event.deltaY / 300), event);
    }, { passive: false });
    view.addEventListener('keydown', (event) => {
      if (event.key === '+' || event.key === '=') this.zoom(this.scale * STEP);
      if (event.key === '-') this.zoom(this.scale / STEP);
    });
    let pinch = null;
    const spread = (event) => Math.hypot(event.touches[0].clientX - event.touches[1].clientX,
                                         event.touches[0].clientY - event.touches[1].clientY);
    const middle = (event) => ({ clientX: (event.touches[0].clientX + event.touches[1].clientX) / 2,
                                 clientY: (event.touches[0].clientY + event.touches[1].clientY) / 2 });
    view.addEventListener('touchstart', (event) => {
      pinch = event.touches.length === 2 ? { spread: spread(event), scale: this.scale } : null;
    }, { passive: true });
    view.addEventListener('touchmove', (event) => {
      if (!pinch || event.touches.length !== 2) return;
      event.preventDefault();
      this.zoom(pinch.scale * spread(event) / pinch.spread, middle(event));
    }, { passive: false });
    this.drag();
  }

  drag() {
    const view = this.view;
    let from = null;
    view.addEventListener('pointerdown', (event) => {
      if (event.pointerType !== 'mouse' || event.button !== 0) return;
      from = { x: event.clientX, y: event.clientY, left: view.scrollLeft, top: view.scrollTop, moved: false };
    });
    view.addEventListener('pointermove', (event) => {
      if (!from || !(event.buttons & 1)) { from = null; return; }
      const [dx, dy] = [event.clientX - from.x, event.clientY - from.y];
      from.moved ||= Math.hypot(dx, dy) > 4;
      if (!from.moved) return;
      view.classList.add('is-dragged');
      view.scrollTo(from.left - dx, from.top - dy);
    });
    // The click that ends a drag chooses nothing.
    view.addEventListener('click', (event) => {
      if (view.classList.contains('is-dragged')) event.stopPropagation();
      view.classList.remove('is-dragged');
      from = null;
    }, true);
  }

  zoom(scale, at) {
    const view = this.view, frame = view.getBoundingClientRect();
    const [x, y] = at ? [at.clientX - frame.left, at.clientY - frame.top] : [frame.width / 2, 0];
    const before = this.scale;
    this.scale = Math.min(MOST, Math.max(LEAST, scale));
    this.fitted = false;
    const [left, top] = [(view.scrollLeft + x) * this.scale / before - x, (view.scrollTop + y) * this.scale / before - y];
    this.size();
    view.scrollTo(left, top);
  }

  fit() {
    const room = this.view.clientWidth - 2;
    if (room <= 0 || !this.drawing) return;
    this.scale = Math.min(1, Math.max(READABLE, room / this.drawing.width));
    this.fitted = true;
    this.size();
  }

  size() {
    const svg = this.view.querySelector('svg');
    if (!svg) return;
    svg.setAttribute('width', this.drawing.width * this.scale);
    svg.setAttribute('height', this.drawing.height * this.scale);
  }

  ask(open, id) {
    this.anchor = id === null ? null : this.where(id);
    this.view.classList.add('is-waiting');
    this.send(open);
  }

  where(id) {
    const node = this.view.querySelector(`[data-id="${CSS.escape(id)}"]`);
    if (!node) return null;
    const [own, frame] = [node.getBoundingClientRect(), this.view.getBoundingClientRect()];
    return { id, top: own.top - frame.top, left: own.left + own.width / 2 - frame.left };
  }

  show(drawing) {
    const focused = document.activeElement?.closest?.('[data-id]')?.dataset.id;
    this.drawing = drawing;
    this.view.classList.remove('is-waiting');
    this.view.setAttribute('aria-label', 'Graph of the network, input first');
    const legend = this.root.querySelector('.lab-graph-legend');
    legend.replaceChildren();
    for (const [words, color] of drawing.legend) {
      const item = make(legend, 'span');
      make(item, 'i', { style: `background:${color}` });
      item.append(words);
    }
    this.view.replaceChildren();
    const svg = make(this.view, 'svg', { viewBox: `0 0 ${drawing.width} ${drawing.height}` });
    svg.style.setProperty('--join', drawing.colors.join);
    for (const frame of drawing.frames) this.frame(svg, frame);
    for (const path of drawing.paths) this.line(svg, path);
    for (const label of drawing.labels) make(svg, 'text', { x: label.x, y: label.y, class: 'shape' }, label.text);
    for (const box of drawing.boxes) this.box(svg, box);
    if (this.scale === 0 || this.fitted) this.fit(); else this.size();
    this.settle(focused);
  }

  // The block that was opened or closed stays where it was on the screen.
  settle(focused) {
    const anchor = this.anchor, now = anchor && this.where(anchor.id);
    if (now) this.view.scrollBy(now.left - anchor.left, now.top - anchor.top);
    this.anchor = null;
    const known = [...this.drawing.boxes, ...this.drawing.frames].find((each) => each.id === this.chosen);
    this.choose(known ?? null);
    if (focused) this.view.querySelector(`[data-id="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  }

  frame(svg, { id, x, y, width, height, header, title, facts }) {
    const group = make(svg, 'g', { class: 'frame', transform: `translate(${x} ${y})` });
    make(group, 'rect', { class: 'edge', width, height, rx: 8 });
    const head = make(group, 'g', { class: 'head', 'data-id': id });
    make(head, 'path', { class: 'bar', d: `M0 ${header}V8Q0 0 8 0H${width - 8}Q${width} 0 ${width} 8V${header}Z` });
    make(head, 'text', { x: 10, y: header / 2 + 4, class: 'title' }, title);
    press(head, `${title}, open block`, () => this.choose({ id, title, facts }));
    const open = this.drawing.opened.filter((each) => each !== id && !each.startsWith(id + '.'));
    this.toggle(group, width - 15, header / 2, false, `Close ${title}`, () => this.ask(open, id));
  }

  toggle(parent, x, y, opens, label, act) {
    const group = make(parent, 'g', { class: 'toggle', transform: `translate(${x} ${y})` });
    make(group, 'rect', { x: -12, y: -12, width: 24, height: 24, fill: 'transparent' });  // room for a finger
    make(group, 'circle', { r: 7 });
    make(group, 'path', { d: opens ? 'M-3.5 0H3.5M0 -3.5V3.5' : 'M-3.5 0H3.5' });
    press(group, label, act);
  }

  line(svg, { d, passes, arrow }) {
    const kind = passes ? ' passes' : '';
    make(svg, 'path', { class: `line${kind}`, d });
    if (!arrow) return;
    const [x, y] = d.match(/[-\d.]+/g).slice(-2).map(Number);
    make(svg, 'path', { class: `tip${kind}`, d: `M${x} ${y}l-3.6 -6.5h7.2z` });
  }

  box(svg, box) {
    const { id, x, y, width, height, form, title, note, kind, strip, opens, label } = box;
    const group = make(svg, 'g', { class: 'box', 'data-id': id, transform: `translate(${x} ${y})` });
    group.style.setProperty('--kind', this.drawing.colors[kind]);
    const rx = form === 'box' ? 7 : height / 2;
    make(group, 'rect', { class: 'body', width, height, rx });
    const middle = width / 2;
    const lines = note ? [16, 29] : [height / 2 + 4.5];
    make(group, 'text', { x: middle, y: lines[0], class: 'title', 'text-anchor': 'middle' }, title);
    if (note) make(group, 'text', { x: middle, y: lines[1], class: 'note', 'text-anchor': 'middle' }, note);
    strip.forEach((each, index) => {
      const part = (width - 16) / strip.length;
      const color = this.drawing.colors[each];
      make(group, 'rect', { x: 8 + index * part, y: height - 6.5, width: part - 2, height: 3, rx: 1.5, fill: color });
    });
    press(group, label, () => this.choose(box));
    const open = [...this.drawing.opened, id];
    if (opens) this.toggle(group, width - 3, 3, true, `Open ${title}`, () => this.ask(open, id));
  }

  choose(item) {
    this.chosen = item?.id ?? null;
    for (const node of this.view.querySelectorAll('.is-chosen')) node.classList.remove('is-chosen');
    this.facts.replaceChildren();
    this.facts.classList.toggle('is-empty', !item);
    if (!item) { make(this.facts, 'p', {}, HINT); return; }
    this.view.querySelector(`[data-id="${CSS.escape(item.id)}"]`)?.classList.add('is-chosen');
    make(this.facts, 'button', { class: 'lab-graph-close', 'aria-label': 'Close the facts' }, '×')
      .addEventListener('click', () => this.choose(null));
    make(this.facts, 'h4', {}, item.title);
    const list = make(this.facts, 'dl');
    for (const [name, value] of item.facts) {
      make(list, 'dt', {}, name);
      make(list, 'dd', {}, value);
    }
    if (!item.opens) return;
    make(this.facts, 'button', {}, 'Show what is inside')
      .addEventListener('click', () => this.ask([...this.drawing.opened, item.id], item.id));
  }
}

export default function (component) {
  const root = component.parentElement.querySelector('.lab-graph');
  root.graph ??= new Graph(root);
  root.graph.send = (open) => component.setStateValue('open', open);
  const text = new TextDecoder().decode(component.data);
  if (root.graph.text !== text) {
    root.graph.text = text;
    root.graph.show(JSON.parse(text));
  } else {
    root.graph.view.classList.remove('is-waiting');
  }
  return () => { root.graph?.resized.disconnect(); root.graph = undefined; };
}
