// A strip of pictures, one of which is chosen: a listbox whose arrow keys choose at once.
class Strip {
  constructor(root) {
    this.root = root;
    root.setAttribute('role', 'listbox');
    root.addEventListener('click', (event) => {
      const tile = event.target.closest('[role=option]');
      if (tile) this.pick(this.nodes.indexOf(tile));
    });
    root.addEventListener('keydown', (event) => {
      const now = Math.max(0, this.nodes.indexOf(document.activeElement));
      const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: this.columns(), ArrowUp: -this.columns() };
      const last = this.nodes.length - 1;
      const next = { Home: 0, End: last }[event.key] ?? now + (steps[event.key] ?? NaN);
      if (event.key === 'Enter' || event.key === ' ') this.pick(now);
      else if (Number.isNaN(next)) return;
      else if (next >= 0 && next <= last) this.pick(next);
      event.preventDefault();
      event.stopPropagation();
    });
  }

  columns() {
    const top = this.nodes[0]?.offsetTop;
    const next = this.nodes.findIndex((node) => node.offsetTop !== top);
    return next > 0 ? next : this.nodes.length;
  }

  pick(index) {
    this.chosen = this.names[index];
    this.mark();
    this.nodes[index]?.focus();
    this.send(this.chosen);
  }

  mark() {
    const found = this.names.indexOf(this.chosen);
    this.nodes.forEach((node, index) => {
      node.setAttribute('aria-selected', index === found);
      node.setAttribute('tabindex', index === Math.max(0, found) ? '0' : '-1');
    });
  }

  show({ label, chosen, tiles }) {
    const focused = this.nodes?.indexOf(document.activeElement) ?? -1;
    this.root.setAttribute('aria-label', label);
    this.names = tiles.map((tile) => tile.name);
    this.chosen = chosen;
    this.nodes = tiles.map((tile) => this.tile(tile));
    this.root.replaceChildren(...this.nodes);
    this.mark();
    if (focused >= 0) this.nodes[Math.min(focused, this.nodes.length - 1)]?.focus({ preventScroll: true });
  }

  tile({ src, label, words }) {
    const node = document.createElement('div');
    for (const [name, value] of [['role', 'option'], ['aria-label', words], ['title', words]]) {
      node.setAttribute(name, value);
    }
    const picture = node.appendChild(document.createElement('img'));
    picture.src = src;
    picture.alt = '';
    picture.draggable = false;
    picture.onload = () => { if (picture.naturalWidth < 80) picture.classList.add('is-small'); };
    node.appendChild(document.createElement('span')).textContent = label;
    return node;
  }
}

export default function (component) {
  const root = component.parentElement.querySelector('.lab-choice');
  root.strip ??= new Strip(root);
  root.strip.send = (name) => component.setTriggerValue('picked', name);
  const text = new TextDecoder().decode(component.data);
  if (root.strip.text !== text) {
    root.strip.text = text;
    root.strip.show(JSON.parse(text));
  }
}
