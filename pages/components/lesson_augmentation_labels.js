// The lesson on augmentation, digits: a digit of each class at every place of the dial, and what its 50 are taken for.
const RARE = 30;  // classes that never get this many percent of the digits have no line

class Figure {
  constructor(board) {
    this.board = board;
    this.place = element('div', { className: 'lab-labels-dial' });
    board.controls.append(this.place);
    this.intro = element('p', { className: 'lab-labels-intro' });
    board.stage.before(this.intro);
    this.tiles = [...Array(10).keys()].map((digit) => this.tile(digit));
    this.title = element('h4', { className: 'lab-labels-title' });
    this.below = element('div', { className: 'lab-labels-chart' });
    board.words.before(this.title, this.below);
    this.chart = board.lines({ label: 'What the chosen digit is taken for, at each place of the slider', into: this.below });
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
    this.intro.textContent = 'You are the judge: is it still the same digit? Below each one stands what most digits of its kind are '
      + `taken for by a judge that only compares pixels, with the most similar of ${number(data.known, 4)} unchanged digits.`;
    this.draw();
  }

  build(state) {
    const { dial, title, places, words } = this.data;
    this.board.clear(this.place);
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
    const said = ranked.slice(0, 3).map((digit, at) => `${counts[digit]} ${at ? '' : 'are taken '}for ${digit}`).join(', ');
    this.board.words.textContent = `${this.data.title}: ${this.data.words[place].toLowerCase()}. Of ${sum(counts)} digits ${this.digit}, ${said}.`;
  }

  drawChart(now) {
    const { places, title } = this.data;
    const total = sum(this.counts(0, this.digit));
    const lines = [...Array(10).keys()].map((digit) => ({ digit, name: digit === this.digit ? `still ${digit}` : `taken for ${digit}`,
      values: places.map((_, place) => 100 * this.counts(place, this.digit)[digit] / total),
      color: digit === this.digit ? this.board.color('text') : this.board.series(digit), dash: digit !== this.digit }));
    this.title.textContent = `What the ${this.digit} is taken for`;
    this.chart.paint({ xs: places, lines: lines.filter(({ digit, values }) => digit === this.digit || Math.max(...values) >= RARE),
      range: [0, 100], xTitle: places.length > 2 ? title : `${title}: 0 is no, 1 is yes`, yTitle: `% of ${total} digits` });
    this.chart.mark(now);
  }
}

const sum = (values) => values.reduce((total, value) => total + value, 0);
