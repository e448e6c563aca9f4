// How many weights three layers have: every number comes from the server, which is asked at every move of a slider.
class Figure {
  constructor(board) {
    this.board = board;
    board.slider({ name: 'side', label: 'Side of the image', min: 8, max: 224, words: (at) => `${at} px` });
    board.slider({ name: 'channels', label: 'Channels', min: 1, max: 64 });
    board.slider({ name: 'filters', label: 'Filters, or outputs', min: 1, max: 256 });
    board.slider({ name: 'kernel', label: 'Side of the kernel', min: 1, max: 11, words: (at) => `${at} px` });
    this.rows = Array.from({ length: 3 }, () => {
      const parts = { name: element('b'), params: element('b'), sum: element('span'), gives: element('span'), bar: element('i') };
      parts.box = element('div', { className: 'lab-count' },
        element('div', {}, parts.name, parts.params), element('div', { className: 'lab-count-bar' }, parts.bar),
        element('div', { className: 'lab-count-small' }, parts.sum, parts.gives));
      board.stage.append(parts.box);
      return parts;
    });
  }

  show(data) {
    data.rows.forEach((row, at) => {
      const parts = this.rows[at];
      parts.name.textContent = row.name;
      parts.params.textContent = `${row.params} parameters`;
      parts.sum.textContent = `${row.sum}; ${row.memory} as 32-bit numbers`;
      parts.gives.textContent = row.gives;
      parts.bar.style.width = `${100 * row.share}%`;
    });
    this.board.words.textContent = `For the same maps a dense layer has ${data.times} times the parameters. `
      + 'Bars are logarithmic: twice as long is the square of the number.';
  }
}
