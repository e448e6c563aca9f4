// The lesson on augmentation, digits: a digit of each class at every place of the dial, and what its 50 are taken for.
const WIDTH = 640, HEIGHT = 200, EDGE = { left: 34, right: 28, top: 12, bottom: 24 };
const RARE = 0.1;  // classes that never get this share of the digits have no line

function drawing(name, attributes = {}, ...children) {
  const found = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) found.setAttribute(key, value);
  found.append(...children);
  return found;
}

class Figure {
  constructor(board) {
    this.board = board;
    this.place = element('div', { className: 'lab-labels-dial' });
    board.controls.append(this.place);
    this.intro = element('p', { className: 'lab-labels-intro' });
    board.stage.before(this.intro);
    this.tiles = [...Array(10).keys()].map((digit) => this.tile(digit));
    this.title = element('h4', { className: 'lab-labels-title' });
    this.chart = drawing('svg', { class: 'lab-labels-chart', viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img' });
    board.words.before(this.title, this.chart);
  }

  tile(digit) {
    const box = element('button', { type: 'button', className: 'lab-labels-tile' });
    box.addEventListener('click', () => { this.digit = digit; this.draw(); this.board.tell({ digit }); });
    this.board.stage.append(box);
    const picture = this.board.picture({ label: `A ${digit}, changed`, into: box });
    return { box, picture };
  }

  show(data, state, arrays) {
    const others = data.change !== this.data?.change;
    Object.assign(this, { data, arrays });
    this.digit = state.digit;
    if (others) this.build(state);
    this.intro.textContent = 'You are the judge: is it still the same digit? Below each one is what a judge without eyes says, who '
      + `takes it for whatever is pixel by pixel the most similar of ${number(data.known, 4)} unchanged digits.`;
    this.draw();
  }

  build(state) {
    const { dial, title, places, words } = this.data;
    for (const name of this.dials ?? []) delete this.board.settings[name];
    this.dials = [dial];
    this.place.replaceChildren();
    this.slider = this.board.slider({ name: dial, label: title, places, value: state[dial],
      words: (at) => words[nearest(places, at)], onMove: () => this.draw(), into: this.place });
  }

  // How many of a class are taken for which, at a place of the dial.
  counts(place, digit) {
    const start = (place * 10 + digit) * 10;
    return this.arrays.counts.subarray(start, start + 10);
  }

  draw() {
    const place = nearest(this.data.places, this.slider.value);
    this.tiles.forEach(({ box, picture }, digit) => {
      const counts = this.counts(place, digit);
      const most = counts.indexOf(Math.max(...counts));
      picture.paint(canvasOf(this.arrays.examples, 10 * place + digit), [0, 0, 28, 28]);
      const said = `taken for ${most}: ${counts[most]} of ${sum(counts)}`;
      picture.caption.textContent = said;
      box.setAttribute('aria-label', `A ${digit}, ${said}`);
      box.ariaPressed = String(digit === this.digit);
      box.classList.toggle('lab-labels-other', most !== digit);
    });
    this.drawChart(place);
    this.say(place);
  }

  say(place) {
    const counts = this.counts(place, this.digit);
    const ranked = [...counts.keys()].filter((digit) => counts[digit]).sort((one, other) => counts[other] - counts[one]);
    const said = ranked.slice(0, 3).map((digit) => `for ${digit} ${counts[digit]} times`).join(', ');
    this.board.words.textContent = `${this.data.title}, ${this.data.words[place].toLowerCase()}: of ${sum(counts)} digits ${this.digit}, taken ${said}.`;
  }

  drawChart(now) {
    const { places, words } = this.data;
    const x = (place) => EDGE.left + place / (places.length - 1) * (WIDTH - EDGE.left - EDGE.right);
    const y = (share) => HEIGHT - EDGE.bottom - share * (HEIGHT - EDGE.top - EDGE.bottom);
    const text = (at, down, content, anchor, more = {}) => {
      const found = drawing('text', { x: at, y: down, 'text-anchor': anchor, fill: this.board.color('text'), 'font-size': 12, ...more });
      found.textContent = content;
      return found;
    };
    this.title.textContent = `What the ${this.digit} is taken for`;
    this.chart.setAttribute('aria-label', this.title.textContent);
    const parts = [0, 0.5, 1].flatMap((share) => [
      drawing('line', { x1: EDGE.left, x2: WIDTH - EDGE.right, y1: y(share), y2: y(share), stroke: this.board.color('border') }),
      text(EDGE.left - 6, y(share) + 4, `${100 * share}%`, 'end')]);
    const shown = places.length > 2 ? [0, (places.length - 1) / 2, places.length - 1] : [0, 1];
    parts.push(...shown.map((place) => text(x(place), HEIGHT - 6, words[place], 'middle')));
    parts.push(drawing('line', { x1: x(now), x2: x(now), y1: y(0), y2: y(1), stroke: '#E07B00', 'stroke-width': 2 }));
    const labels = [];
    for (let digit = 0; digit < 10; digit++) {
      const shares = places.map((_, place) => this.counts(place, this.digit)[digit] / sum(this.counts(place, this.digit)));
      const most = Math.max(...shares);
      if (most < RARE) continue;
      const own = digit === this.digit;
      const color = own ? this.board.color('text') : this.board.series(digit);
      const points = shares.map((share, place) => `${x(place).toFixed(1)},${y(share).toFixed(1)}`).join(' ');
      parts.push(drawing('polyline', { points, fill: 'none', stroke: color, 'stroke-width': own ? 3 : 2,
        'stroke-dasharray': own ? 'none' : '6 3' }));
      labels.push(text(x(shares.indexOf(most)), y(most) - 4, digit, 'middle', { fill: color, 'font-size': 15, 'font-weight': 600 }));
    }
    this.chart.replaceChildren(...parts, ...labels);
  }
}

const sum = (values) => values.reduce((total, value) => total + value, 0);
