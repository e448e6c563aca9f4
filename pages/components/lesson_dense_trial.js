// The experiment on dense layers: a digit in both orders, and accuracy after each epoch, as far as it is known.
class Figure {
  constructor(board) {
    this.board = board;
    this.digits = ['as they are', 'shuffled, the same way in every image'].map((words) =>
      board.grid({ label: `A digit, its pixels ${words}`, caption: `Pixels ${words}`, most: 5 }));
    this.digits.forEach((grid) => { grid.box.style.flex = '0 1 9rem'; });
    this.names = element('div', { className: 'lab-plot-names' });
    this.plot = new Plot(board, { label: 'Validation accuracy after each epoch; arrow keys read it off', height: 250,
      onPoint: (epoch) => this.point(epoch) });
    this.plot.box.prepend(this.names);
  }

  show(data, state, arrays) {
    Object.assign(this, { data, arrays });
    this.digits.forEach((grid, at) => {
      const [, rows, columns] = arrays.digits.shape;
      grid.paint({ rows, columns, color: (row, column) => this.board.gray(arrays.digits[(at * rows + row) * columns + column]) });
    });
    const stops = Array.from({ length: data.epochs }, (_, at) => at + 1);
    const lines = [], names = [];
    data.arms.forEach((arm, place) => {
      const [, seeds, epochs] = arrays.curves.shape;
      for (let seed = 0; seed < seeds; seed++) {
        const start = (place * seeds + seed) * epochs;
        lines.push({ ...arm, x: stops, y: Array.from(arrays.curves.slice(start, start + epochs)), width: 1.2, faint: true });
      }
      names.push({ ...arm, x: stops, y: Array.from(arrays.means.slice(place * epochs, (place + 1) * epochs)), width: 2.5, dots: true });
    });
    Plot.legend(names, this.names);
    this.lines = names;
    this.plot.paint({ x: { low: 0, high: data.epochs, label: 'epoch' }, y: { low: data.low, high: 100, label: 'Validation accuracy',
      words: (at) => `${number(at, 3)} %` }, lines: [...lines, ...names], stops: names.length ? stops : [] });
    this.plot.caption.textContent = names.length ? 'Thick: mean of the trainings so far; thin: each of them.' : '';
    this.point(null);
  }

  point(epoch) {
    this.plot.mark(epoch);
    const known = epoch === null ? [] : this.lines.filter((line) => Number.isFinite(line.y[epoch - 1]));
    this.board.words.textContent = known.length
      ? `Epoch ${epoch}: ${known.map((line) => `${line.name} ${number(line.y[epoch - 1], 3)} %`).join('; ')}.`
      : this.data.arms.length ? 'Point at an epoch to read the means.' : '';
  }
}
