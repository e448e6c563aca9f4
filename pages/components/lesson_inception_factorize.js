// Large windows taken apart: the windows drawn, and what they cost for every size and every number of channels.
const FACTORIZE_COUNTS = ['No', 'One', 'Two', 'Three', 'Four', 'Five'];
const FACTORIZE_TITLES = { whole: (n) => `One ${n} × ${n}`, stacked: (n) => `${FACTORIZE_COUNTS[(n - 1) / 2]} 3 × 3 in a row`,
  split: (n) => `1 × ${n}, then ${n} × 1` };

class Figure {
  constructor(board) {
    this.board = board;
    this.kernel = board.slider({ name: 'kernel', label: 'Window n × n', min: 3, max: 11, step: 2,
      words: (at) => `${at} × ${at}`, onMove: () => this.draw() });
    this.channels = board.slider({ name: 'channels', label: 'Channels, in and out', min: 1, max: 512, onMove: () => this.draw() });
    this.list = element('div', { className: 'lab-factorize' });
    board.stage.append(this.list);
  }

  show(data, state, arrays) {
    Object.assign(this, { data, arrays });
    this.draw();
  }

  draw() {
    const kernel = this.kernel.value, channels = this.channels.value;
    const { forms } = this.data.kernels.find((each) => each.kernel === kernel);
    this.list.replaceChildren(...forms.map((form) => this.form(form, kernel, channels)));
    const share = (name) => `${number(100 * forms.find((form) => form.name === name).share, 3)} %`;
    this.board.words.textContent = kernel === 3
      ? `A 3 × 3 window takes 9 weights for each pair of channels; 1 × 3 and 3 × 1 see as much with ${share('split')} of them.`
      : `All three see ${kernel} × ${kernel} pixels. The 3 × 3 in a row take ${share('stacked')} of the weights, 1 × ${kernel} and ${kernel} × 1 take ${share('split')}.`;
  }

  form({ name, shapes, field, per_pair, share }, kernel, channels) {
    const bar = element('span', { className: 'lab-factorize-bar' });
    bar.style.width = `${100 * share}%`;
    const weights = this.arrays[`weights_${kernel}_${name}`][channels - 1];
    const macs = this.arrays[`macs_${kernel}_${name}`][channels - 1];
    return element('section', { className: 'lab-factorize-form' },
      element('h4', { textContent: FACTORIZE_TITLES[name](kernel) }),
      element('div', { className: 'lab-factorize-windows' }, ...shapes.map((shape) => this.window(shape))),
      element('span', { className: 'lab-factorize-track' }, bar),
      element('p', { textContent: `${number(per_pair)} weights for each pair of channels: ${large(weights)}` }),
      element('p', { textContent: `${large(macs)} multiplications on maps of ${this.data.side} × ${this.data.side}` }),
      element('p', { textContent: `sees ${field[0]} × ${field[1]} pixels, ${shapes.length} ${shapes.length === 1 ? 'layer' : 'layers'}` }));
  }

  window([rows, columns]) {
    const box = element('span', { className: 'lab-factorize-window', role: 'img', 'aria-label': `${rows} × ${columns}` },
      ...Array.from({ length: rows * columns }, () => element('i')));
    box.style.gridTemplateColumns = `repeat(${columns}, .8rem)`;
    return box;
  }
}
