// The lesson on sizes, second part: a stack of layers to build. The server says what comes out of each layer; here it
// is edited, written as short text and drawn.
const KINDS = { conv: 'Convolution', pool: 'Pooling', flatten: 'Flatten', dense: 'Dense' };
const PLAIN = { units: 1, kernel: 1, stride: 1, padding: 0, dilation: 1, groups: 1 };
const FRESH = {
  conv: { units: 16, kernel: 3, padding: 1 }, pool: { kernel: 2, stride: 2 }, flatten: {}, dense: { units: 10 },
};
const WRITTEN = {
  conv: (at) => `c${at.units}k${at.kernel}s${at.stride}p${at.padding}d${at.dilation}g${at.groups}`,
  pool: (at) => `m${at.kernel}s${at.stride}p${at.padding}`, flatten: () => 'f', dense: (at) => `d${at.units}`,
};
const SHOWN = ['units', 'kernel', 'stride', 'padding'], FOLDED = ['dilation', 'groups'];
const HEADS = ['', 'Layer', 'Filters', 'Window', 'Stride', 'Padding', '', 'Output', 'Parameters', 'MACs', 'Sees', ''];
const HIGH = 130, BESIDE = 10;  // of the input in the drawing of the blocks, and between them, in pixels

const times = (sides) => sides.map((side) => side.toLocaleString('en-US')).join(' × ');

function sayField(name, kind) {
  if (name === 'units') return kind === 'dense' ? 'Outputs' : 'Filters';
  return { kernel: 'Window', stride: 'Stride', padding: 'Padding', dilation: 'Dilation', groups: 'Groups' }[name];
}

// How a shape is drawn: maps as blocks as high as their side, numbers in a row as bars.
function blockSides(size) {
  return (shape) => {
    if (shape.length === 1) return { high: Math.max(4, HIGH * Math.log2(shape[0] + 1) / 18), thick: 5, deep: 0, lift: 0 };
    const high = Math.max(3, HIGH * shape[1] / size);
    return { high, thick: 3 + 2 * Math.log2(shape[0]), deep: 0.35 * high, lift: 0.18 * high };
  };
}

// One layer: its fields, what comes out of it, and the buttons that move and remove it.
class LayerRow {
  constructor(figure, place) {
    Object.assign(this, { figure, place, inputs: {} });
    this.mark = element('button', { type: 'button', className: 'lab-stack-mark', textContent: place + 1, ariaLabel: `Layer ${place + 1}: show what it sees` });
    this.mark.addEventListener('click', () => figure.choose(figure.chosen === place ? -1 : place));
    this.kind = element('select', { 'aria-label': `Layer ${place + 1}: kind`, className: 'lab-stack-kind' },
      ...Object.entries(KINDS).map(([value, text]) => element('option', { value, textContent: text })));
    this.kind.addEventListener('change', () => figure.setKind(place, this.kind.value));
    const fields = [...SHOWN, ...FOLDED].map((name) => this.field(name));
    this.more = element('details', { className: 'lab-stack-more' }, element('summary', { textContent: '⋯', 'aria-label': `Layer ${place + 1}: dilation and groups`, title: 'Dilation and groups' }));
    this.folded = element('div', { className: 'lab-stack-folded' }, ...fields.slice(SHOWN.length));
    this.more.addEventListener('toggle', () => { this.folded.hidden = !this.more.open; });
    this.cells = Object.fromEntries(['output', 'params', 'macs', 'sees'].map((name) => [name, element('span', { className: `lab-stack-${name}` })]));
    this.formula = element('span', { className: 'lab-stack-formula' });
    this.problem = element('div', { className: 'lab-stack-problem', hidden: true });
    const buttons = element('span', { className: 'lab-board-controls lab-stack-buttons' });
    for (const [text, title, act] of [['↑', 'up', () => figure.move(place, -1)], ['↓', 'down', () => figure.move(place, 1)],
      ['×', 'away', () => figure.remove(place)]]) {
      const label = title === 'away' ? `Remove layer ${place + 1}` : `Move layer ${place + 1} ${title}`;
      this[title] = figure.board.button(text, act, { into: buttons, title: label });
      this[title].ariaLabel = label;
    }
    this.box = element('li', { className: 'lab-stack-row' }, this.mark, this.kind, ...fields.slice(0, SHOWN.length), this.more,
      ...Object.values(this.cells), buttons, this.formula, this.folded, this.problem);
    this.box.addEventListener('pointerenter', () => figure.point(place));
    this.box.addEventListener('pointerleave', () => figure.point(undefined));
    this.box.addEventListener('focusin', () => figure.point(place));
    this.box.addEventListener('focusout', () => figure.point(undefined));
  }

  field(name) {
    const input = element('input', { type: 'number', inputMode: 'numeric', step: 1 });
    const change = (settled) => {
      const value = Number(input.value);
      if (input.value !== '' && Number.isInteger(value) && value >= Number(input.min) && value <= Number(input.max)) {
        this.figure.set(this.place, name, value, settled);
      } else if (settled) this.update();
    };
    input.addEventListener('input', () => change(false));
    input.addEventListener('change', () => change(true));
    const box = element('label', { className: `lab-stack-field lab-stack-${name}` }, element('span', { textContent: name }), input);
    this.inputs[name] = { input, box };
    return box;
  }

  // Take over what the figure holds; the field somebody types in is left alone unless what it holds is refused.
  update() {
    const { figure, place } = this, layer = figure.layers[place], row = figure.data.rows[place];
    this.kind.value = layer.kind;
    for (const [name, { input, box }] of Object.entries(this.inputs)) {
      const has = figure.data.fields[layer.kind].includes(name);
      box.classList.toggle('absent', !has);
      input.disabled = !has;
      [input.min, input.max] = figure.data.ranges[name];
      box.firstChild.textContent = sayField(name, layer.kind);
      input.ariaLabel = `Layer ${place + 1}: ${sayField(name, layer.kind).toLowerCase()}`;
      if (input !== document.activeElement || !input.validity.valid || input.value === '') input.value = layer[name];
    }
    const conv = layer.kind === 'conv', unusual = layer.dilation > 1 || layer.groups > 1;
    this.more.classList.toggle('absent', !conv);
    if (conv && unusual && !this.more.open) this.more.open = true;
    if (!conv) this.more.open = false;
    this.folded.hidden = !conv || !this.more.open;
    const words = row ? [times(row.shape), short(row.params), short(row.macs), row.sees ? `${row.sees} px` : 'all'] : ['–', '–', '–', '–'];
    Object.values(this.cells).forEach((cell, at) => { cell.textContent = words[at]; });
    if (row) [this.cells.params.title, this.cells.macs.title] = [row.params, row.macs].map((value) => value.toLocaleString('en-US'));
    this.formula.textContent = row?.formula ?? '';
    this.up.disabled = place === 0;
    this.down.disabled = place === figure.layers.length - 1;
    this.box.classList.toggle('beyond', !row);
    this.tell();
  }

  tell() {
    const { data } = this.figure, broken = data.broken === this.place;
    this.box.classList.toggle('broken', broken);
    this.problem.hidden = !broken;
    if (!broken) return;
    const mends = data.mends.map(({ words, stack, size }) => {
      const button = element('button', { type: 'button', className: 'lab-board-button', textContent: words });
      button.addEventListener('click', () => this.figure.board.tell({ stack, size }));
      return button;
    });
    const text = element('p', {}, element('strong', { textContent: 'It breaks here. ' }), data.problem);
    const ways = element('div', { className: 'lab-stack-mends' }, element('span', { textContent: 'What would mend it:' }), ...mends);
    this.problem.replaceChildren(text, ...(mends.length ? [ways] : []));
  }
}

class Figure {
  constructor(board) {
    Object.assign(this, { board, rows: [], layers: [], chosen: -1 });
    board.root.classList.add('lab-stack');
    this.presets = element('div', { className: 'lab-stack-presets', role: 'group', 'aria-label': 'Stacks to begin with' });
    this.size = this.inputField('size', 'Input: pixels along a side');
    this.channels = this.inputField('channels', 'Input: channels');
    board.controls.append(this.presets, this.size.box, this.channels.box);
    this.about = element('p', { className: 'lab-stack-about' });
    this.blocks = drawn('svg', { role: 'img' });
    this.fields = drawn('svg', { role: 'img' });
    this.fieldWords = element('figcaption');
    const pictures = element('div', { className: 'lab-stack-pictures' },
      element('figure', { className: 'lab-stack-blocks' }, this.blocks, element('figcaption', { textContent:
        'What comes out of each layer. Height: pixels along a side; thickness: channels, logarithmic; thin bars: numbers in a row, logarithmic.' })),
      element('figure', { className: 'lab-stack-fields' }, this.fields, this.fieldWords));
    this.head = element('div', { className: 'lab-stack-row lab-stack-head', 'aria-hidden': 'true' },
      ...HEADS.map((text) => element('span', { textContent: text })));
    this.list = element('ol', { className: 'lab-stack-list', 'aria-label': 'Layers' });
    this.adders = element('div', { className: 'lab-board-controls lab-stack-adders' });
    this.add = Object.entries(KINDS).map(([kind, text]) => board.button(`+ ${text}`, () => this.insert(kind), { into: this.adders }));
    this.totals = element('p', { className: 'lab-stack-totals' });
    board.stage.append(this.about, pictures, this.head, this.list, this.adders, this.totals);
  }

  inputField(name, label) {
    const input = element('input', { type: 'number', inputMode: 'numeric', step: 1 });
    input.addEventListener('input', () => { if (input.validity.valid && input.value) this.board.tell({ [name]: Number(input.value) }, { settled: false }); });
    input.addEventListener('change', () => {
      if (!input.validity.valid || !input.value) input.value = this.state[name];
      this.board.tell({ [name]: Number(input.value) });
    });
    return { input, box: element('label', { className: 'lab-stack-input' }, element('span', { textContent: label }), input) };
  }

  show(data, state, arrays) {
    Object.assign(this, { data, state, layers: data.layers.map((layer) => ({ ...layer })), chosen: state.row });
    this.picture ??= {};
    if (this.picture.from !== arrays.picture) this.picture = { from: arrays.picture, url: canvasOf(arrays.picture).toDataURL() };
    for (const [name, range] of [['size', data.sizes], ['channels', [1, data.mostChannels]]]) {
      const { input } = this[name];
      [input.min, input.max] = range;
      if (input !== document.activeElement || !input.validity.valid) input.value = state[name];
    }
    this.offer();
    this.arrange();
    this.draw();
  }

  offer() {
    const { presets } = this.data;
    if (!this.presets.childElementCount) {
      for (const { title, stack, size, channels } of presets) {
        this.board.button(title, () => this.board.tell({ stack, size, channels, row: -1 }), { into: this.presets });
      }
    }
    const at = presets.findIndex(({ stack, size, channels }) => stack === this.state.stack && size === this.state.size && channels === this.state.channels);
    [...this.presets.children].forEach((button, place) => { button.ariaPressed = String(place === at); });
    const { size, channels } = this.state;
    this.about.textContent = `Input: ${times([channels, size, size])}. ${presets[at]?.words ?? 'A stack of your own.'}`;
  }

  // A row for each layer; rows that stay keep the focus.
  arrange() {
    while (this.rows.length > this.layers.length) this.rows.pop().box.remove();
    while (this.rows.length < this.layers.length) {
      const row = new LayerRow(this, this.rows.length);
      this.rows.push(row);
      this.list.append(row.box);
    }
    for (const row of this.rows) row.update();
    for (const button of this.add) button.disabled = this.layers.length >= this.data.most;
    const { broken, params, macs } = this.data;
    this.totals.replaceChildren(element('strong', { textContent: `${params.toLocaleString('en-US')} parameters, ${short(macs)} multiply-accumulates (MACs) for one image` }),
      broken < 0 ? `, ${this.layers.length} ${this.layers.length === 1 ? 'layer' : 'layers'}.` : `, up to layer ${broken}.`);
    this.board.words.textContent = broken < 0 ? '' : `The stack breaks at layer ${broken + 1}.`;
  }

  // Edits: the text goes to the server, the focus to where the layer is now.
  send(settled = true, more = {}) {
    const stack = this.layers.map((layer) => WRITTEN[layer.kind](layer)).join('-');
    this.board.tell({ stack, ...more }, { settled });
  }

  set(place, name, value, settled) {
    this.layers[place][name] = value;
    this.send(settled);
  }

  setKind(place, kind) {
    this.layers[place] = { ...PLAIN, ...FRESH[kind], kind };
    this.send();
  }

  insert(kind) {
    const flatten = this.layers.findIndex((layer) => layer.kind === 'flatten');
    const maps = kind === 'conv' || kind === 'pool';
    const wished = this.chosen >= 0 ? this.chosen + 1 : this.layers.length;
    const place = maps && flatten >= 0 ? Math.min(wished, flatten) : wished;
    this.layers.splice(place, 0, { ...PLAIN, ...FRESH[kind], kind });
    this.send(true, { row: place });
  }

  move(place, by) {
    const [layer] = this.layers.splice(place, 1);
    this.layers.splice(place + by, 0, layer);
    this.send(true, this.chosen === place ? { row: place + by } : {});
    const { [by < 0 ? 'up' : 'down']: same, mark } = this.rows[place + by];
    (place + by > 0 && place + by < this.layers.length - 1 ? same : mark).focus();
  }

  remove(place) {
    this.layers.splice(place, 1);
    this.send(true, this.chosen >= place ? { row: -1 } : {});
    (this.layers.length ? this.rows[Math.min(place, this.layers.length - 1)].mark : this.add[0]).focus();
  }

  choose(place) {
    this.chosen = place;
    this.draw();
    this.board.tell({ row: place });
  }

  point(place) {
    if (this.pointed === place) return;
    this.pointed = place;
    this.draw();
  }

  draw() {
    if (!this.data) return;
    const reached = this.data.rows.length;
    const wished = this.pointed ?? this.chosen;
    const seeing = this.data.rows.findLastIndex((row) => row.sees);
    const at = wished >= 0 && wished < reached ? wished : -1;
    this.rows.forEach((row, place) => {
      row.box.classList.toggle('chosen', place === wished);
      row.mark.ariaPressed = String(place === this.chosen);
    });
    this.drawBlocks(at);
    this.drawFields(at >= 0 ? at : seeing);
  }

  drawBlocks(chosen) {
    const { size, channels } = this.state;
    const shapes = [[channels, size, size], ...this.data.rows.map((row) => row.shape)];
    const boxes = shapes.map(blockSides(size));
    const broken = this.data.broken >= 0 ? 24 : 0, room = (this.blocks.clientWidth || 330) - broken - 10;
    const needed = boxes.reduce((sum, box) => sum + box.thick + box.deep + BESIDE, 0);
    const squeeze = Math.min(1.6, room / needed);
    const base = 1.2 * HIGH + 4, parts = [];
    let x = 6, labeled = -Infinity;
    boxes.forEach((box, place) => {
      const thick = Math.max(1.5, box.thick * squeeze), deep = box.deep * squeeze;
      parts.push(this.block({ ...box, x, thick, deep, base, place, chosen: place > 0 && place - 1 === chosen, words: times(shapes[place]) }));
      const middle = x + thick / 2;
      if (middle - labeled >= 13 || place - 1 === chosen) {
        parts.push(drawn('text', { x: middle, y: base + 14, class: place - 1 === chosen ? 'chosen' : '' }, place ? String(place) : 'in'));
        labeled = middle;
      }
      x += thick + deep + BESIDE * squeeze;
    });
    if (broken) {
      parts.push(drawn('text', { x: x + 10, y: base - 4, class: 'broken' }, '✕'), drawn('text', { x: x + 10, y: base + 14 }, String(this.data.broken + 1)));
    }
    this.blocks.setAttribute('viewBox', `0 0 ${room + broken + 10} ${base + 20}`);
    this.blocks.setAttribute('aria-label', `Shapes: ${shapes.map(times).join('; ')}`);
    this.blocks.replaceChildren(...parts);
  }

  block({ x, thick, deep, lift, high, base, place, chosen, words }) {
    const top = base - high;
    const face = (points, kind) => drawn('polygon', { points: points.map((each) => each.join(',')).join(' '), class: `${kind}${chosen ? ' chosen' : ''}` });
    const block = drawn('g', { class: 'block' }, drawn('title', {}, `${place ? `Layer ${place}: ` : 'Input: '}${words}`),
      face([[x, top], [x + deep, top - lift], [x + deep + thick, top - lift], [x + thick, top]], 'lid'),
      face([[x + thick, top], [x + thick + deep, top - lift], [x + thick + deep, base - lift], [x + thick, base]], 'side'),
      face([[x, top], [x + thick, top], [x + thick, base], [x, base]], 'front'));
    if (place) {
      block.addEventListener('click', () => this.choose(this.chosen === place - 1 ? -1 : place - 1));
      block.addEventListener('pointerenter', () => this.point(place - 1));
      block.addEventListener('pointerleave', () => this.point(undefined));
    }
    return block;
  }

  // What the output in the middle of each layer sees, on the input.
  drawFields(chosen) {
    const { size } = this.state, margin = 0.08 * size;
    const line = size / 260;
    const parts = [drawn('image', { href: this.picture.url, x: 0, y: 0, width: size, height: size, preserveAspectRatio: 'none', style: 'image-rendering: pixelated' })];
    const square = ([first, end], kind, width) => drawn('rect', { x: first, y: first, width: end - first, height: end - first, class: kind, 'stroke-width': width * line });
    this.data.rows.forEach((row, place) => {
      if (row.sees && place !== chosen) parts.push(square(row.seen, 'halo', 4.5), square(row.seen, 'field', 2.2));
    });
    const row = this.data.rows[chosen];
    if (row?.sees) parts.push(square(row.seen, 'halo', 6), square(row.seen, 'field chosen', 3));
    this.fields.setAttribute('viewBox', `${-margin} ${-margin} ${size + 2 * margin} ${size + 2 * margin}`);
    this.fields.replaceChildren(...parts);
    const more = row?.sees > size ? ', more than there are: the rest is padding' : '';
    this.fieldWords.textContent = !row ? 'The input.' : row.sees
      ? `One output of layer ${chosen + 1} sees ${times([row.sees, row.sees])} pixels of the input${more}.`
      : `Every output of layer ${chosen + 1} sees all of the input.`;
    this.fields.setAttribute('aria-label', this.fieldWords.textContent);
  }
}
