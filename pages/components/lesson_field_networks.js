// What a unit of the last maps of real networks sees, against the side of their images.
class Figure {
  constructor(board) {
    this.board = board;
    this.list = element('dl', { className: 'lab-networks' });
    board.stage.append(this.list);
  }

  show(data) {
    const most = Math.max(...data.networks.map(({ share }) => share));
    this.list.replaceChildren(...data.networks.flatMap(({ title, field, side, share }) => {
      const bar = element('span', { className: 'lab-networks-bar' }), whole = element('span', { className: 'lab-networks-whole' });
      bar.style.width = `${100 * share / most}%`;
      whole.style.left = `${100 / most}%`;
      return [element('dt', { textContent: title }), element('dd', {},
        element('span', { className: 'lab-networks-track' }, bar, whole),
        element('span', { textContent: `${number(field, 4)} of ${number(side, 4)} pixels` }))];
    }));
    this.board.words.textContent = 'What one output of the last convolution sees; where branches join, the widest counts. The line marks the side of the '
      + 'image: a field that is longer lies on padding too.';
  }
}
