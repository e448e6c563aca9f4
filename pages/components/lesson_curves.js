// The lesson on reading curves: loss and accuracy of one recorded training, read off epoch by epoch.
class Figure {
  constructor(board) {
    this.board = board;
    this.names = element('div', { className: 'lab-plot-names' });
    board.root.insertBefore(this.names, board.stage);
    const both = { onPoint: (epoch) => this.point(epoch), onChoose: (epoch) => board.tell({ epoch }) };
    this.loss = new Plot(board, { label: 'Loss after each epoch; arrow keys read it off', ...both });
    this.accuracy = new Plot(board, { label: 'Accuracy after each epoch; arrow keys read it off', ...both });
  }

  show(data, state, arrays) {
    Object.assign(this, { data, arrays });
    const count = arrays.train_loss.length, { colors, band } = data;
    const epochs = Array.from({ length: count }, (_, at) => at + 1);
    const x = { low: 0, high: data.high, label: 'epoch' };
    const train = { name: 'training, mean over the epoch', x: epochs, color: colors.train };
    const held = { name: 'validation, after the epoch', x: epochs, color: colors.validation, width: 2.5, dots: true };
    const steps = { name: data.every === 1 ? 'training, every step' : `training, mean of ${data.every} steps`,
      x: Array.from(arrays.step_epochs), y: Array.from(arrays.step_loss), color: colors.train, width: 1.2, faint: count > 0 };
    const test = data.test === null ? [] : [{ y: data.test, name: `test, once: ${number(data.test, 4)} %`, color: colors.test }];
    const alone = (chart) => (band?.chart === chart ? band : null);
    const lines = (name) => [{ ...train, y: Array.from(arrays[`train_${name}`]) }, { ...held, y: Array.from(arrays[`val_${name}`]) }];
    this.loss.paint({ x, y: { ...data.loss, label: data.loss.log ? 'Loss (logarithmic)' : 'Loss' },
      lines: [steps, ...lines('loss')], band: alone('loss'), stops: epochs });
    this.accuracy.paint({ x, y: { low: data.accuracy_low, high: 100, label: 'Accuracy', words: (at) => `${number(at, 3)} %` },
      lines: lines('accuracy'), levels: test, band: alone('accuracy'), stops: epochs });
    Plot.legend([steps, ...(count ? [train, held] : []), ...test.map((each) => ({ name: 'test, once at the end', color: each.color, dash: '2 4' }))], this.names);
    const beyond = data.loss.beyond === null ? '' : ` The first steps reached ${number(data.loss.beyond)}, beyond the axis.`;
    this.loss.caption.textContent = (band?.chart === 'loss' ? `Marked: ${band.words}.` : '') + beyond;
    this.accuracy.caption.textContent = band?.chart === 'accuracy' ? `Marked: ${band.words}.` : (count ? '' : 'No epoch was finished.');
    this.point(state.epoch && state.epoch <= count ? state.epoch : null);
  }

  point(epoch) {
    this.loss.mark(epoch);
    this.accuracy.mark(epoch);
    const at = epoch - 1, { arrays } = this;
    const share = (value) => `${number(value, 3)} %`;
    this.board.words.textContent = epoch === null
      ? (arrays.train_loss.length ? 'Point at an epoch, or use the arrow keys, to read the numbers.' : this.data.stopped)
      : `Epoch ${epoch}: loss ${number(arrays.train_loss[at])} in training, ${number(arrays.val_loss[at])} in validation; `
        + `accuracy ${share(arrays.train_accuracy[at])} in training, ${share(arrays.val_accuracy[at])} in validation.`;
  }
}
