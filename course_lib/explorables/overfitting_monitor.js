// ---- the model: pure functions, twins of those in overfitting_monitor.py ----

const N_TRAINING = 80, N_VALIDATION = 320, N_EPOCHS = 200, BATCH_SIZE = 10, LEARNING_RATE = 0.2, INITIAL_SCALE = 0.2;

const trained = {};
function train({ label_noise: noise, n_hidden: nodes, seed }) {
  const key = [noise, nodes, seed].join();
  return (trained[key] = trained[key] || runTraining(noise, nodes, seed));
}

function runTraining(noise, nodes, seed) {
  const count = N_TRAINING + N_VALIDATION;
  const [x, y] = [0, 1].map((stream) => uniform(seed, stream, count).map((value) => 4 * value - 2));
  const target = uniform(seed, 2, count).map((value, at) => Number((x[at] * y[at] > 0) !== (value < noise)));
  // Weights in one row: x, y and bias of the hidden nodes, then those of the output and its bias.
  const weights = Float64Array.from([...normal(seed, 16, 3 * nodes).map((value) => INITIAL_SCALE * value), ...normal(seed, 18, nodes + 1).map((value) => value / Math.sqrt(nodes))]);
  const size = weights.length, last = 3 * nodes;
  const hidden = new Float64Array(nodes), slope = new Float64Array(size);
  const logitOf = (at) => {
    let sum = weights[size - 1];
    for (let k = 0; k < nodes; k++) {
      hidden[k] = Math.tanh(weights[k] * x[at] + weights[nodes + k] * y[at] + weights[2 * nodes + k]);
      sum += hidden[k] * weights[last + k];
    }
    return sum;
  };
  const curves = { loss: { training: [], validation: [] }, accuracy: { training: [], validation: [] } };
  for (let epoch = 0; epoch <= N_EPOCHS; epoch++) {
    for (const [part, from, to] of [["training", 0, N_TRAINING], ["validation", N_TRAINING, count]]) {
      let [loss, right] = [0, 0];
      for (let at = from; at < to; at++) {
        const logit = logitOf(at);
        loss += Math.max(logit, 0) - logit * target[at] + Math.log1p(Math.exp(-Math.abs(logit)));
        right += (logit > 0) === (target[at] > 0);
      }
      curves.loss[part].push(loss / (to - from));
      curves.accuracy[part].push(right / (to - from));
    }
    for (let start = 0; start < N_TRAINING; start += BATCH_SIZE) {
      slope.fill(0);
      for (let at = start; at < start + BATCH_SIZE; at++) {
        const error = (1 / (1 + Math.exp(-logitOf(at))) - target[at]) / BATCH_SIZE;
        for (let k = 0; k < nodes; k++) {
          slope[last + k] += error * hidden[k];
          const back = error * weights[last + k] * (1 - hidden[k] ** 2);
          slope[k] += back * x[at];
          slope[nodes + k] += back * y[at];
          slope[2 * nodes + k] += back;
        }
        slope[size - 1] += error;
      }
      for (let k = 0; k < size; k++) weights[k] -= LEARNING_RATE * slope[k];
    }
  }
  return curves;
}

function stoppingEpoch(losses, patience) {
  let best = 0;
  for (let epoch = 0; epoch < losses.length; epoch++) {
    if (losses[epoch] < losses[best]) best = epoch;
    else if (epoch - best >= patience) return [epoch, best];
  }
  return [losses.length - 1, best];
}

function stopOf(state) {
  const { loss } = train(state), [stopped, best] = stoppingEpoch(loss.validation, state.patience);
  return { loss, stopped, best, kept: state.restore ? best : stopped };
}

function monitorSummary(state) {
  const { loss, stopped, kept } = stopOf(state);
  return `After epoch ${state.epoch} the validation loss lies ${show(loss.validation[state.epoch] - loss.training[state.epoch])} above the training loss; with a patience of ${state.patience} the training ends at epoch ${stopped} and keeps the weights of epoch ${kept}, validation loss ${show(loss.validation[kept])}.`;
}

export { train, stoppingEpoch };
export default explorable({
  summary: monitorSummary,
  predict: {
    question: "The validation loss will soon rise, up to twice its best value. What will the validation accuracy do meanwhile?",
    options: ["fall to chance", "hardly change", "rise"],
    reveal: (guess) => `${guess === "hardly change" ? "Right. " : ""}It hardly changes: the network gets surer of the same answers, and the loss punishes every mistake that is made with confidence. Switch between loss and accuracy.`,
  },
  build(view) {
    const palette = COURSE.palette;
    const picture = axesPicture(view, { label: "curves", x: { label: "epoch", low: 0, high: N_EPOCHS }, wide: 640, high: 320 });
    const chips = ["gap now", "best so far", "early stopping"].map((label) => view.chip(label));
    view.stage(view.veil(element("div", {}, picture.panel)));
    view.note(view.veil(element("div", { class: "ce-row ce-middle" }, chips.map((chip) => chip.node))));
    view.controls(
      view.player({ field: "epoch", max: () => N_EPOCHS, interval: () => 30 }),
      view.segments({ field: "view", label: "show", options: [["loss", "loss"], ["accuracy", "accuracy"]] }),
      view.slider({ field: "epoch", label: "epochs trained", min: 0, max: N_EPOCHS }),
      view.slider({ field: "patience", label: "patience", unit: "epochs", min: 1, max: 60 }),
      view.toggle({ field: "restore", label: "restore the best weights" }),
      view.slider({ field: "label_noise", label: "wrong labels", min: 0, max: 0.3, step: 0.05 }),
      view.segments({ field: "n_hidden", label: "hidden nodes", options: [[4, "4"], [16, "16"]] }),
      view.slider({ field: "seed", label: "seed", min: 0, max: 9 }),
      view.resetButton());
    view.draw((state) => {
      const curves = train(state)[state.view], { loss, stopped, best, kept } = stopOf(state);
      const line = (values) => values.slice(0, state.epoch + 1).map((value, epoch) => [epoch, value]);
      const isLoss = state.view === "loss";
      const highest = isLoss ? Math.max(1, ...loss.validation) * 1.05 : 1.02;
      picture.paint({
        title: isLoss ? "mean cross-entropy" : "share of right answers",
        y: { label: isLoss ? "loss (nat)" : "accuracy", low: isLoss ? 0 : 0.4, high: highest },
        layers: [
          ...(state.epoch >= stopped ? [{ vertical: stopped, colour: palette.negative, dash: [3, 3], name: "stopped here" }] : []),
          ...(state.epoch >= best ? [{ vertical: best, colour: view.theme.muted, dash: [8, 4], name: "best validation loss before" }] : []),
          { line: line(curves.training), colour: palette.training, name: "training" },
          { line: line(curves.validation), colour: palette.validation, dash: [7, 4], name: "validation" },
          ...(state.epoch >= kept ? [{ points: [[kept, curves.validation[kept]]], colour: palette.highlight, size: 6, name: "weights kept" }] : []),
        ],
        describe: `training ${show(curves.training[state.epoch])}, validation ${show(curves.validation[state.epoch])} at epoch ${state.epoch}`,
      });
      const lowest = Math.min(...loss.validation.slice(0, state.epoch + 1));
      chips[0].write(show(Math.abs(curves.validation[state.epoch] - curves.training[state.epoch])), `generalisation gap, ${state.view}`);
      chips[1].write(show(lowest), `validation loss, epoch ${loss.validation.indexOf(lowest)}`);
      chips[2].write(`epoch ${kept}`, `validation loss ${show(loss.validation[kept])}`);
    });
  },
});
