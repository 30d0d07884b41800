// ---- the model: pure functions, twins of those in hyperparameter_search.py ----

function validationLoss({ surface, best_first: best }, [first, second]) {
  const [a, b] = [first - best, second - COURSE.bestSecond];
  const distance2 = {
    one: (a / 0.12) ** 2 + (b / 1.5) ** 2,
    both: (a * a + b * b) / 0.25 ** 2,
    ridge: ((a - b) / 0.12) ** 2 + ((a + b) / 2) ** 2,
  }[surface];
  return 1.2 - Math.exp(-distance2);
}

function gridTrials(count) {
  const side = Math.round(Math.sqrt(count));
  return Array.from({ length: count }, (_, at) => [((at % side) + 0.5) / side, (Math.floor(at / side) + 0.5) / side]);
}

function randomTrials(count, seed) {
  const values = uniform(seed, 8, 2 * count);
  return Array.from({ length: count }, (_, at) => [values[at], values[count + at]]);
}

const bestOf = (state, trials) => Math.min(...trials.map((trial) => validationLoss(state, trial)));
function shareWon(state) {
  const grid = bestOf(state, gridTrials(state.n_trials));
  let won = 0;
  for (let seed = 0; seed < COURSE.repetitions; seed++) won += bestOf(state, randomTrials(state.n_trials, seed)) < grid;
  return won / COURSE.repetitions;
}

const made = (state) => [gridTrials(state.n_trials), randomTrials(state.n_trials, state.seed)].map((trials) => trials.slice(0, state.made));

function searchSummary(state) {
  if (!state.made) return "No trial made yet.";
  const both = made(state), values = both.map((trials) => new Set(trials.map(([first]) => first)).size);
  return `After ${state.made} of ${state.n_trials} trials the grid has tried ${values[0]} values of θ₁ and reached ${show(bestOf(state, both[0]))}, the random search ${values[1]} and ${show(bestOf(state, both[1]))}; random wins in ${show(Math.floor(100 * shareWon(state) + 0.5))} % of ${COURSE.repetitions} repetitions.`;
}

export { shareWon, randomTrials };
export default explorable({
  reconcile: (state) => ({ ...state, made: Math.min(state.made, state.n_trials) }),
  change: (changes) => ("n_trials" in changes ? { ...changes, made: changes.n_trials } : changes),
  summary: searchSummary,
  predict: {
    question: "Nine trainings are paid for, and only one of two hyperparameters matters. How many different values of that one does each search try?",
    options: ["both 9", "grid 3, random 9", "grid 9, random 3"],
    reveal: (guess) => `${guess === "grid 3, random 9" ? "Right. " : ""}The grid repeats each of its 3 values three times; the random search never repeats itself, so it comes closer to the best one.`,
  },
  build(view) {
    const palette = COURSE.palette, wide = 330, cells = 34;
    const maps = ["grid", "random"].map((label) => axesPicture(view, { label, x: { label: "θ₁ (scaled)", low: 0, high: 1 }, y: { label: "θ₂ (scaled)", low: 0, high: 1 }, wide, high: 300 }));
    const axes = ["grid", "random"].map((label) => axesPicture(view, { label: `${label}: what was seen along θ₁`, x: { label: "θ₁ (scaled)", low: 0, high: 1 }, y: { label: "validation loss", low: 0, high: 1.3 }, wide, high: 190 }));
    const hidden = axes.map((each) => view.veil(element("div", {}, each.panel)));
    view.stage(...maps.map((map, at) => element("div", { class: "ce-column" }, map.panel, hidden[at])));
    view.controls(
      view.player({ field: "made", max: (state) => state.n_trials }),
      view.choice({ field: "surface", label: "what matters", options: [["one", "mostly θ₁"], ["both", "both alike"], ["ridge", "their difference"]] }),
      view.segments({ field: "n_trials", label: "trials", options: [4, 9, 16, 25].map((count) => [count, String(count)]) }),
      view.slider({ field: "best_first", label: "best θ₁", min: 0.05, max: 0.95, step: 0.01 }),
      view.button("New random search", () => view.set({ seed: (view.state.seed + 1) % COURSE.repetitions })),
      view.resetButton());
    view.draw((state) => {
      const both = made(state), colour = intensity(0.2, 1.2);
      const field = Array.from({ length: cells }, (_, row) => Array.from({ length: cells }, (_, col) => validationLoss(state, [(col + 0.5) / cells, (row + 0.5) / cells])));
      both.forEach((trials, at) => {
        const losses = trials.map((trial) => validationLoss(state, trial)), best = losses.indexOf(Math.min(...losses));
        const paint = (index) => (index === best ? palette.highlight : "#ffffff");
        maps[at].paint({
          title: `${["grid", "random"][at]}: best ${trials.length ? show(losses[best]) : "–"}`,
          layers: [{ field, colour }, { points: trials, size: 6, colour: "#14181f" }, { points: trials, size: 4.5, colour: paint }],
        });
        axes[at].paint({ layers: [
          ...trials.map(([first], index) => ({ line: [[first, 0], [first, losses[index]]], colour: view.theme.line, width: 1 })),
          { points: trials.map(([first], index) => [first, losses[index]]), size: 5, colour: (index) => (index === best ? palette.highlight : palette.training) },
          ...(trials.length ? [{ horizontal: losses[best], colour: view.theme.muted, dash: [4, 4] }] : [])] });
      });
    });
  },
});
