// The lesson on reading curves: loss and accuracy of one recorded training, read off epoch by epoch.
class Figure {
  constructor(board) {
    this.board = board;
    const both = { high: 270, onPoint: (place) => this.point(place), onChoose: (place) => board.tell({ epoch: place + 1 }) };
    this.loss = board.lines({ label: 'Loss; arrow keys go from epoch to epoch', ...both });
    this.accuracy = board.lines({ label: 'Accuracy; arrow keys go from epoch to epoch', ...both });
  }

  show(data, state, arrays) {
    Object.assign(this, { data, arrays });
    const { colors, band, loss, every } = data;
    const count = arrays.train_loss.length;
    const shared = { xs: Array.from({ length: count }, (_, at) => at + 1), span: [0, data.high], xTitle: 'epoch', legend: true };
    const stretch = (chart) => (band?.chart === chart ? [band.from, band.to] : null);
    const curves = (chart) => (count ? [
      { name: 'training, mean over the epoch', color: colors.train, values: arrays[`train_${chart}`] },
      { name: 'validation, after the epoch', color: colors.validation, values: arrays[`val_${chart}`], dots: true },
    ] : []);
    const steps = { name: every === 1 ? 'training, every step' : `training, mean of ${every} steps`, color: colors.train,
      xs: arrays.step_epochs, values: arrays.step_loss, faint: count > 0 };
    this.loss.paint({ ...shared, lines: [steps, ...curves('loss')], range: loss.range, log: loss.log,
      yTitle: loss.log ? 'Loss (logarithmic)' : 'Loss', stretch: stretch('loss') });
    this.accuracy.paint({ ...shared, lines: curves('accuracy'), range: data.accuracy, yTitle: 'Accuracy in percent',
      stretch: stretch('accuracy'),
      levels: data.test === null ? [] : [{ name: `test, weights of epoch ${data.scored}: ${number(data.test, 3)} %`, color: colors.test, value: data.test }] });
    const seen = (chart) => (band?.chart === chart ? `Marked: ${band.words}.` : '');
    const beyond = loss.beyond === null ? '' : ` The first steps reached ${number(loss.beyond)}, beyond the axis.`;
    this.loss.caption.textContent = seen('loss') + beyond;
    this.accuracy.caption.textContent = count ? seen('accuracy') : 'No epoch was finished.';
    this.point(state.epoch && state.epoch <= count ? state.epoch - 1 : null);
  }

  point(place) {
    const { arrays } = this;
    this.loss.mark(place);
    this.accuracy.mark(place);
    const at = (name) => number(arrays[name][place], 3);
    this.board.words.textContent = place === null
      ? this.data.stopped || 'Point at an epoch, or use the arrow keys, to read the numbers.'
      : `Epoch ${place + 1}: loss ${at('train_loss')} in training, ${at('val_loss')} in validation; `
        + `accuracy ${at('train_accuracy')} % in training, ${at('val_accuracy')} % in validation.`;
  }
}
