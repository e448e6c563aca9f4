// The experiment on dense layers: a digit in both orders, and accuracy after each epoch, as far as it is known.
class Figure {
  constructor(board) {
    this.board = board;
    this.digits = ['as they are', 'shuffled, the same way in every image'].map((words) =>
      board.grid({ label: `A digit, its pixels ${words}`, caption: `Pixels ${words}`, most: 5 }));
    this.digits.forEach((grid) => { grid.box.style.flex = '0 1 9rem'; });
    this.chart = board.lines({ label: 'Validation accuracy; arrow keys go from epoch to epoch', high: 260, onPoint: (place) => this.point(place) });
  }

  show(data, state, arrays) {
    Object.assign(this, { data, arrays });
    this.digits.forEach((grid, at) => {
      const [, rows, columns] = arrays.digits.shape;
      grid.paint({ rows, columns, color: (row, column) => this.board.gray(arrays.digits[(at * rows + row) * columns + column]) });
    });
    const thin = [];
    this.means = data.arms.map((arm, place) => {
      const [, seeds, epochs] = arrays.curves.shape;
      for (let start = place * seeds * epochs; start < (place + 1) * seeds * epochs; start += epochs) {
        thin.push({ ...arm, name: '', values: arrays.curves.slice(start, start + epochs), faint: true });
      }
      return { ...arm, values: arrays.means.slice(place * epochs, (place + 1) * epochs), dots: true };
    });
    this.chart.paint({ xs: Array.from({ length: data.epochs }, (_, at) => at + 1), span: [0, data.epochs], range: [data.low, 100],
      xTitle: 'epoch', yTitle: 'Validation accuracy in percent', lines: [...thin, ...this.means], legend: true });
    this.chart.caption.textContent = this.means.length ? 'Thick: mean of the trainings so far; thin: each of them.' : '';
    this.point(null);
  }

  point(place) {
    this.chart.mark(place);
    const known = place === null ? [] : this.means.filter(({ values }) => Number.isFinite(values[place]));
    this.board.words.textContent = known.length
      ? `Epoch ${place + 1}: ${known.map(({ name, values }) => `${name} ${number(values[place], 3)} %`).join('; ')}.`
      : this.means.length ? 'Point at an epoch to read the means.' : '';
  }
}
