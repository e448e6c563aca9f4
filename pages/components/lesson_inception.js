// The lesson on Inception: the module as a drawing whose boxes have a slider each; the server counts.
const INCEPTION_BRANCHES = [
  { boxes: [null, { name: '1 × 1', field: 'ones' }] },
  { boxes: [{ name: '1 × 1', note: 'fewer channels first', field: 'reduce3' }, { name: '3 × 3', field: 'threes' }] },
  { boxes: [{ name: '1 × 1', note: 'fewer channels first', field: 'reduce5' }, { name: '5 × 5', field: 'fives' }] },
  { boxes: [{ name: '3 × 3 max pooling', pooling: true }, { name: '1 × 1', note: 'fewer channels', field: 'pool' }] },
];
const INCEPTION_COLORS = ['#3F5BD9', '#E07B00', '#1D9A6C', '#B5479B'];

class Figure {
  constructor(board) {
    this.board = board;
    board.slider({ name: 'inputs', label: 'Input channels', min: 1, max: 1024, words: (at) => number(at, 4) });
    board.slider({ name: 'side', label: 'Side of the maps', min: 1, max: 56, words: (at) => `${at} px` });
    this.input = element('div', { className: 'lab-inception-end' });
    this.output = element('div', { className: 'lab-inception-end' });
    this.rows = INCEPTION_BRANCHES.map((branch, place) => this.row(branch, place));
    this.drawing = element('div', { className: 'lab-inception' }, this.input,
      element('div', { className: 'lab-inception-branches' }, ...this.rows.map(({ box }) => box)), this.output);
    this.totals = element('table', { className: 'lab-inception-totals' });
    this.chain = element('figure', { className: 'lab-inception-chain' });
    board.stage.before(board.words);
    board.stage.append(this.drawing, this.totals, this.chain);
  }

  row(branch, place) {
    const boxes = branch.boxes.map((each) => this.box(each, place));
    return { boxes, box: element('div', { className: 'lab-inception-branch' }, ...boxes.map(({ box }) => box)) };
  }

  box(facts, place) {
    const box = element('div', { className: facts ? 'lab-inception-box' : 'lab-inception-way' });
    box.style.setProperty('--branch', INCEPTION_COLORS[place]);
    if (!facts) return { box, facts };
    const title = element('strong', { textContent: facts.name });
    const note = element('span', { className: 'lab-inception-note', textContent: facts.note ?? '' });
    const cost = element('span', { className: 'lab-inception-cost' });
    const bar = element('span', { className: 'lab-inception-bar' });
    box.append(element('div', { className: 'lab-inception-title' }, title, note));
    if (facts.field) {
      const controls = element('div', { className: 'lab-board-controls' });
      const { range } = this.board.slider({ name: facts.field, label: 'Filters', min: 1, max: 512, into: controls });
      range.setAttribute('aria-label', `Filters of ${facts.name}${facts.note ? `, ${facts.note}` : ''}, branch ${place + 1}`);
      box.append(controls, cost, element('span', { className: 'lab-inception-track' }, bar));
    } else box.append(cost);
    return { box, facts, cost, bar, title, note };
  }

  show(data, state) {
    const naive = state.kind === 'naive', module = data.modules[state.kind];
    this.board.words.textContent = this.sentence(data, state);
    this.input.replaceChildren(element('strong', { textContent: number(state.inputs, 4) }),
      element('span', { textContent: `channels of ${state.side} × ${state.side}` }));
    this.rows.forEach((row, place) => this.showRow(row, place, module.branches[place], data, naive));
    this.showOutput(module);
    this.showTotals(data, state.kind);
    this.showChain(data, state.kind);
  }

  showRow({ boxes }, place, branch, data, naive) {
    const [first, second] = boxes;
    // The convolutions of a branch fill its boxes from the right; a naive one has none before, and none after pooling.
    const pooled = place === 3, convolutions = branch.convolutions;
    const kept = pooled ? convolutions[0] : convolutions.at(-1);
    if (pooled) {
      first.cost.textContent = `No weights; hands on all ${number(data.inputs, 4)} channels.`;
      first.box.classList.toggle('lab-inception-wide', naive);
    } else if (first.facts) this.showBox(first, naive ? null : convolutions[0], data);
    if (second.facts) this.showBox(second, kept, data);
  }

  showBox(each, convolution, data) {
    each.box.classList.toggle('lab-inception-gone', !convolution);
    if (!convolution) return;
    each.cost.textContent = `${number(convolution.inputs, 4)} → ${number(convolution.filters, 4)} channels · `
      + `${large(convolution.params)} parameters · ${large(convolution.macs)} multiplications`;
    each.bar.style.width = `${100 * convolution.macs / data.most_macs}%`;
  }

  showOutput(module) {
    const parts = module.branches.map(({ channels }, place) => {
      const part = element('span', { className: 'lab-inception-part', textContent: number(channels, 4) });
      part.style.flexGrow = channels;
      part.style.background = INCEPTION_COLORS[place];
      return part;
    });
    this.output.replaceChildren(element('strong', { textContent: number(module.channels, 4) }),
      element('span', { textContent: 'channels' }), element('div', { className: 'lab-inception-parts' }, ...parts));
  }

  showTotals({ modules, ratios }, kind) {
    const head = element('tr', {}, ...['', 'With reductions', 'Naive', 'Naive : reduced'].map((textContent, place) =>
      element('th', { textContent, scope: 'col', className: ['', 'reduced', 'naive'][place] === kind ? 'lab-inception-now' : '' })));
    const rows = [['channels', 'Output channels'], ['params', 'Parameters'], ['macs', 'Multiplications (MACs)']].map(([name, label]) =>
      element('tr', {}, element('th', { textContent: label, scope: 'row' }),
        element('td', { textContent: large(modules.reduced[name]) }),
        element('td', { textContent: large(modules.naive[name]) }),
        element('td', { textContent: `${number(ratios[name], 3)} ×` })));
    this.totals.replaceChildren(element('thead', {}, head), element('tbody', {}, ...rows));
  }

  // Two bars for each module of a row: what is chosen in color, the other kind beside it in gray.
  showChain({ chains, chain_ratio }, kind) {
    const most = 1.15 * Math.max(...chains.naive.channels, ...chains.reduced.channels);
    const bar = (name, place) => {
      const found = element('span', { className: name === kind ? 'lab-inception-column' : 'lab-inception-other' });
      found.style.height = `${100 * chains[name].channels[place] / most}%`;
      return element('div', {}, ...(name === kind ? [element('span', { textContent: number(chains[name].channels[place], 5) })] : []), found);
    };
    const steps = chains[kind].channels.map((_, place) => element('div', { className: 'lab-inception-step' },
      element('div', { className: 'lab-inception-pair' }, bar('reduced', place), bar('naive', place)),
      element('span', { textContent: String(place + 1) })));
    this.chain.replaceChildren(element('div', { className: 'lab-inception-bars' }, ...steps),
      element('figcaption', { textContent: `Channels after 1 to ${steps.length} modules of these widths in a row, with reductions (left) and naive `
        + `(right). All ${steps.length} together: ${large(chains.reduced.macs)} and ${large(chains.naive.macs)} multiplications, `
        + `${number(chain_ratio, 3)} times as many.` }));
  }

  sentence({ modules, ratios, five }, state) {
    const { channels, params, macs } = modules[state.kind];
    const start = `${number(state.inputs, 4)} channels in, ${number(channels, 5)} out: ${number(params, 9)} parameters and `
      + `${large(macs)} multiplications.`;
    return state.kind === 'reduced' ? start
      : `${start} That is ${number(ratios.macs, 3)} times the multiplications of the module with reductions, and `
        + `${number(five, 3)} times for the 5 × 5 branch.`;
  }
}
