// A square of numbers that can be edited: typed, or changed by the arrow keys up and down (with Shift by 0.1).
// `onEdit(values, settled)` is called at every change that leaves numbers between −most and most, `onPoint(place)` for
// the field that is pointed at or has the focus, with null for none.
class Numbers {
  constructor(board, { label, into, most, onEdit, onPoint = null }) {
    Object.assign(this, { board, label, most, onEdit, onPoint, values: [] });
    this.box = element('div', { className: 'lab-board-numbers', role: 'group', 'aria-label': label });
    this.box.addEventListener('pointerleave', () => onPoint?.(null));
    into.append(this.box);
    board.parts.push(this);
  }

  // The values, row by row. A field that somebody types into keeps what is typed.
  set(values, side) {
    if (side !== this.side) {
      this.side = side;
      this.fields = values.map((_, place) => this.field(place));
      this.box.style.setProperty('--columns', side);
      this.box.replaceChildren(...this.fields);
    }
    this.values = values;
    this.draw();
  }

  field(place) {
    const field = element('input', { type: 'text', autocomplete: 'off', spellcheck: false,
      'aria-label': `${this.label}: row ${Math.floor(place / this.side) + 1}, column ${place % this.side + 1}` });
    field.addEventListener('focus', () => { field.value = String(this.values[place]); field.select(); this.onPoint?.(place); });
    field.addEventListener('pointerenter', () => this.onPoint?.(place));
    field.addEventListener('input', () => this.take(place, typed(field.value), false));
    field.addEventListener('change', () => this.take(place, typed(field.value), true));
    field.addEventListener('blur', () => { field.ariaInvalid = null; this.draw(); this.onPoint?.(null); });
    field.addEventListener('keydown', (event) => {
      const way = { ArrowUp: 1, ArrowDown: -1 }[event.key];
      if (!way || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      const value = Number((this.values[place] + way * (event.shiftKey ? 0.1 : 1)).toFixed(4));
      field.value = String(value);
      this.take(place, value, false);
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.onEdit(this.values, true), SETTLE_MS);
    });
    return field;
  }

  close() { clearTimeout(this.timer); }

  // Mark a field, or none.
  mark(place) { this.fields?.forEach((field, at) => field.classList.toggle('lab-board-marked', at === place)); }

  take(place, value, settled) {
    const right = Number.isFinite(value) && Math.abs(value) <= this.most;
    this.fields[place].ariaInvalid = right ? null : 'true';
    this.fields[place].title = right ? '' : `A number from −${this.most} to ${this.most}`;
    if (!right) return;
    this.values = this.values.with(place, value);
    this.draw();
    this.onEdit(this.values, settled);
  }

  draw() {
    const largest = Math.max(...this.values.map(Math.abs), 1e-9);
    this.fields?.forEach((field, place) => {
      const value = this.values[place];
      if (field !== document.activeElement) field.value = decimal(value, Math.abs(value) < 1 ? 3 : 2);
      const color = this.board.signed(0.8 * value / largest);
      field.style.background = `rgb(${color.join(' ')})`;
      field.style.color = inkOn(color);
    });
  }
}
