// The lesson on normalization: the maps of a batch before and after a layer, and each channel's values. Everything
// comes from the server, which is asked at every move.
const ZOOM = 3, GAP = 2;

// What can be set, by layer: the sliders in their order.
const SLIDERS = {
  scale: ({ scales }) => ({ label: 'Activations times', places: scales, words: (at) => number(at) }),
  shift: () => ({ label: 'Activations plus', min: -2, max: 2, step: 0.1 }),
  gamma: () => ({ label: 'γ: learned scale', min: 0, max: 3, step: 0.1 }),
  beta: () => ({ label: 'β: learned shift', min: -3, max: 3, step: 0.1 }),
  batch: ({ most }) => ({ label: 'Batch', min: 1, max: most, words: (at) => `number ${at}` }),
  size: ({ channels }) => ({ label: 'n: channels in the sum', min: 1, max: channels.length }),
  k: () => ({ label: 'k: the least divisor', min: 0.5, max: 10, step: 0.5 }),
  alpha: ({ alphas }) => ({ label: 'α: their weight', places: alphas, words: (at) => number(at, 1) }),
  power: () => ({ label: 'β: exponent', min: 0, max: 1.5, step: 0.05 }),
  rate: () => ({ label: 'p: share that is switched off', min: 0, max: 95, step: 5, words: (at) => `${at} %` }),
  draws: ({ averaged }) => ({ label: 'Mean of', places: averaged, words: (at) => at === 1 ? '1 draw' : `${at} draws` }),
};
const OF_LAYER = {
  batch: ['scale', 'shift', 'gamma', 'beta', 'batch'],
  response: ['scale', 'size', 'k', 'alpha', 'power'],
  dropout: ['scale', 'rate', 'draws'],
};
const AFTER = {
  batch: ({ gamma, beta }) => `After, with γ = ${number(gamma)} and β = ${number(beta)}. Blue is below 0, white 0, red above; 3 and more in full color.`,
  response: () => 'After: white is what is left of it by k alone, so that darker places were divided by their neighbors.',
  dropout: () => 'After, in the same grays.',
};

class Figure {
  constructor(board) {
    this.board = board;
    this.place = element('div', { className: 'lab-norm-sliders' });
    board.controls.append(this.place);
    this.again = board.button('Draw again', () => board.tell({ seed: (this.state.seed + 1) % 10000 }));
    this.said = element('p', { className: 'lab-norm-said' });
    board.stage.before(this.said);
    this.maps = {
      before: new Maps(this),
      after: new Maps(this),
    };
    this.table = element('div', { className: 'lab-norm-table', role: 'table', 'aria-label': 'The values of each channel' });
    this.bars = element('div', { className: 'lab-norm-bars' });
    this.note = element('p', { className: 'lab-norm-note', textContent: 'How often a channel has which value (heights are square roots, '
      + 'so that what is rare is seen). The upright line is 0; the outermost bars hold whatever lies beyond.' });
    board.words.before(this.bars, this.table, this.note);
  }

  show(data, state, arrays) {
    const others = data.layer !== this.data?.layer;
    const kept = this.at && this.pointing;
    Object.assign(this, { data, state, arrays });
    if (!kept) this.at = { image: state.image - 1, channel: state.channel - 1, row: state.row, column: state.column };
    if (others) this.build();
    this.again.hidden = data.layer !== 'dropout' || state.mode !== 'train';
    this.said.textContent = data.words;
    const shifted = state.shift ? `, shifted by ${number(state.shift)}` : '';
    this.maps.before.caption.textContent = `Before: activations × ${number(state.scale)}${shifted}. A row an image, a column a channel; `
      + `black is 0, white the largest value${data.layer === 'response' ? '' : ' at × 1'}.`;
    this.maps.after.caption.textContent = AFTER[data.layer](state);
    this.draw();
  }

  build() {
    this.board.clear(this.place);
    for (const name of OF_LAYER[this.data.layer]) {
      this.board.slider({ name, value: this.state[name], into: this.place, ...SLIDERS[name](this.data) });
    }
  }

  // The value of an array (image, channel, row, column) at a place.
  value(name, { image, channel, row, column }) {
    const { side, channels } = this.data;
    return this.arrays[name][((image * channels.length + channel) * side + row) * side + column];
  }

  draw() {
    const { board, arrays, data } = this;
    const count = data.channels.length;
    this.maps.before.paint(arrays.before, (value, channel) => board.gray(value / arrays.white[channel]));
    this.maps.after.paint(arrays.after, data.layer === 'batch' ? (value) => board.signed(value / 3)
      : (value, channel) => board.gray(value / arrays.white[count + channel]));
    this.fillTable();
    this.fillBars();
    this.say();
  }

  say() {
    const { image, channel, row, column } = this.at;
    const divided = this.arrays.divisor ? `, divided by ${number(this.value('divisor', this.at))}` : '';
    this.board.words.textContent = `Image ${image + 1}, channel ${channel + 1} (${this.data.channels[channel]}), row ${row}, `
      + `column ${column}: ${number(this.value('before', this.at))} before, ${number(this.value('after', this.at))} after${divided}.`;
  }

  point(at, settled) {
    this.at = at;
    this.pointing = !settled;
    this.draw();
    if (settled) this.board.tell({ image: at.image + 1, channel: at.channel + 1, row: at.row, column: at.column });
  }

  fillTable() {
    const { data, arrays } = this;
    const [, count, bins] = arrays.histograms.shape;
    if (!this.rows) {
      this.table.append(this.line('Channel', 'Before', 'Mean ± deviation', 'After', 'Mean ± deviation', 'lab-norm-head'));
      this.rows = data.channels.map((name, channel) => this.makeRow(name, channel));
    }
    this.rows.forEach((row, channel) => {
      const [mean, deviation, meanAfter, deviationAfter] = data.stands[channel];
      row.line.classList.toggle('lab-norm-chosen', channel === this.at.channel);
      row.stands[0].textContent = `${number(mean, 2)} ± ${number(deviation, 2)}`;
      row.stands[1].textContent = `${number(rounded(meanAfter), 2)} ± ${number(deviationAfter, 2)}`;
      row.charts.forEach((chart, when) => {
        const start = (when * count + channel) * bins;
        this.drawHistogram(chart, arrays.histograms.subarray(start, start + bins), data.axes[when][channel], when);
      });
    });
  }

  makeRow(name, channel) {
    const charts = ['before', 'after'].map((when) => element('canvas', { width: 240, height: 36, role: 'img',
      'aria-label': `How often ${name} has which value ${when}` }));
    const stands = [element('span'), element('span')];
    const line = this.line(`${channel + 1} ${name}`, charts[0], stands[0], charts[1], stands[1], '');
    line.addEventListener('click', () => this.point({ ...this.at, channel }, true));
    this.table.append(line);
    return { line, charts, stands };
  }

  line(...cells) {
    const name = cells.pop();
    return element('div', { className: `lab-norm-line ${name}`, role: 'row' },
      ...cells.map((cell) => element('div', { role: name ? 'columnheader' : 'cell' }, cell)));
  }

  drawHistogram(canvas, shares, [low, high], when) {
    const ink = canvas.getContext('2d');
    const { width, height } = canvas;
    const most = Math.max(...shares, 0.05);
    ink.clearRect(0, 0, width, height);
    ink.fillStyle = when ? '#E07B00' : this.board.color('primary');
    shares.forEach((share, bin) => {
      // A root, so that what is rare is seen beside a pile of zeros.
      const tall = Math.sqrt(share / most) * (height - 3);
      ink.fillRect(bin * width / shares.length, height - 1 - tall, width / shares.length - 1, tall);
    });
    ink.fillStyle = this.board.color('text');
    ink.fillRect(0, height - 1, width, 1);
    ink.fillRect((0 - low) / (high - low) * width, 0, 1, height);
  }

  // The channels of one place side by side, before and after: neighbors that the sum counts are framed.
  fillBars() {
    this.bars.hidden = this.data.layer !== 'response';
    if (this.bars.hidden) return;
    const { channels } = this.data;
    const before = Math.floor(this.state.size / 2);
    const [first, last] = [this.at.channel - before, this.at.channel - before + this.state.size - 1];
    this.bars.replaceChildren(...['before', 'after'].map((name) => {
      const values = channels.map((_, channel) => this.value(name, { ...this.at, channel }));
      const most = Math.max(...values, 1e-9);
      return element('div', { className: 'lab-norm-group' },
        element('p', { textContent: name === 'before' ? 'All channels at this place, before' : 'and after' }),
        element('div', { className: 'lab-norm-columns' }, ...values.map((value, channel) => {
          const bar = element('span', { className: 'lab-norm-bar' });
          bar.style.height = `${Math.max(0, 100 * value / most)}%`;
          const column = element('div', { title: channels[channel] },
            element('span', { textContent: number(value, 2) }),
            element('span', { className: 'lab-norm-room' }, bar), element('span', { textContent: channel + 1 }));
          column.classList.toggle('lab-norm-near', channel >= first && channel <= last);
          column.classList.toggle('lab-norm-chosen', channel === this.at.channel);
          return column;
        })));
    }));
  }
}

// Means that are 0 but for what floating point leaves over.
const rounded = (value) => Math.abs(value) < 1e-9 ? 0 : value;

// The maps of a batch, images in rows and channels in columns, with a ring at the place looked at in every channel.
class Maps {
  constructor(figure) {
    this.figure = figure;
    this.canvas = element('canvas', { tabIndex: 0, role: 'application',
      'aria-label': 'The maps of the batch, images in rows, channels in columns; arrow keys choose a place' });
    this.caption = element('figcaption');
    figure.board.stage.append(element('figure', { className: 'lab-norm-maps' }, this.canvas, this.caption));
    this.canvas.addEventListener('pointermove', (event) => { if (event.pointerType === 'mouse') this.point(event, false); });
    this.canvas.addEventListener('pointerdown', (event) => this.point(event, true));
    this.canvas.addEventListener('pointerleave', (event) => { if (event.pointerType === 'mouse') this.leave(); });
    this.canvas.addEventListener('keydown', (event) => this.press(event));
  }

  point(event, settled) {
    const box = this.canvas.getBoundingClientRect();
    const [images, channels, side] = this.shape;
    const step = side + GAP;
    const along = (share, count) => {
      const at = clamp(Math.floor(share * (count * step - GAP)), 0, count * step - GAP - 1);
      return [Math.floor(at / step), Math.min(at % step, side - 1)];
    };
    const [image, row] = along((event.clientY - box.top) / box.height, images);
    const [channel, column] = along((event.clientX - box.left) / box.width, channels);
    this.figure.point({ image, channel, row, column }, settled);
  }

  leave() {
    const { state } = this.figure;
    this.figure.pointing = false;
    this.figure.at = { image: state.image - 1, channel: state.channel - 1, row: state.row, column: state.column };
    this.figure.draw();
  }

  press(event) {
    const steps = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] };
    if (!(event.key in steps) || event.ctrlKey || event.metaKey || event.altKey) return;
    const [images, channels, side] = this.shape;
    const { at } = this.figure;
    const down = clamp(at.image * side + at.row + steps[event.key][0], 0, images * side - 1);
    const right = clamp(at.channel * side + at.column + steps[event.key][1], 0, channels * side - 1);
    const to = { image: Math.floor(down / side), row: down % side, channel: Math.floor(right / side), column: right % side };
    this.figure.point(to, false);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.figure.point(to, true), SETTLE_MS);
    event.preventDefault();
    event.stopPropagation();
  }

  paint(array, color) {
    const [images, channels, side] = array.shape;
    this.shape = [images, channels, side];
    const step = side + GAP;
    const small = element('canvas', { width: channels * step - GAP, height: images * step - GAP });
    const pixels = new ImageData(small.width, small.height);
    let from = 0;
    for (let image = 0; image < images; image++) {
      for (let channel = 0; channel < channels; channel++) {
        for (let row = 0; row < side; row++) {
          for (let column = 0; column < side; column++) {
            const to = 4 * ((image * step + row) * small.width + channel * step + column);
            [pixels.data[to], pixels.data[to + 1], pixels.data[to + 2]] = color(array[from++], channel);
            pixels.data[to + 3] = 255;
          }
        }
      }
    }
    small.getContext('2d').putImageData(pixels, 0, 0);
    const { canvas } = this;
    const [width, height] = [small.width * ZOOM, small.height * ZOOM];
    if (canvas.width !== width) Object.assign(canvas, { width, height });
    const ink = canvas.getContext('2d');
    ink.fillStyle = this.figure.board.color('border');
    ink.fillRect(0, 0, width, height);
    ink.imageSmoothingEnabled = false;
    ink.drawImage(small, 0, 0, width, height);
    this.ring(ink, channels, step);
  }

  ring(ink, channels, step) {
    const { image, channel, row, column } = this.figure.at;
    for (let each = 0; each < channels; each++) {
      const [x, y] = [ZOOM * (each * step + column + 0.5), ZOOM * (image * step + row + 0.5)];
      for (const [width, color] of [[4, '#FFFFFF'], [2, '#E07B00']]) {
        ink.lineWidth = width;
        ink.strokeStyle = color;
        ink.beginPath();
        ink.arc(x, y, each === channel ? 7 : 4, 0, 2 * Math.PI);
        ink.stroke();
      }
    }
  }
}
