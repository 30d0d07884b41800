// One method: its map, and its sum as a bar beside what the sum should be.
function methodTile(name) {
  const map = picture({ label: name, side: 164 }), sum = element("div", { class: "ce-sum" }), problem = element("p", { class: "ce-problem" });
  const node = element("div", { class: "ce-tile" }, map.panel, problem, sum);
  return { node, paint(tile, limit) {
    const ready = Boolean(tile.map), rule = { score: "f(x)", difference: "f(x) − f(x₀)" }[tile.rule];
    map.panel.hidden = Boolean(tile.problem);
    problem.textContent = tile.problem ? `${name}: ${tile.problem}` : ready ? "" : "computing …";
    sum.hidden = !ready;
    if (!ready) return;
    const largest = tile.map.values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    map.paint({ array: tile.map, colours: tile.colours, title: name, describe: `largest magnitude ${number(largest)}, sum ${number(tile.sum)}` });
    const lines = [`colours to ±${number(tile.colours.high)} ${tile.unit}`];
    if (rule) lines.push(`Σ R = ${number(tile.sum)}`, `${rule} = ${number(tile.should_be)}`);
    sum.replaceChildren(...(rule ? [signedBar(tile.sum, limit, tile.should_be)] : []), ...lines.map((line) => element("span", {}, line)));
  } };
}

export default kernelBacked({ build(view, kernel) {
  const { examples, methods, steps, usesSteps } = kernel.setup;
  const input = picture({ label: "input", side: 190 }), scale = scaleStrip();
  const scores = bars(view, { label: "scores before the softmax: click one to explain it", field: "target" });
  const tiles = methods.map(methodTile);
  const chips = ["explained score f(x)", "agreement of the methods"].map((label) => view.chip(label));
  view.stage(element("div", { class: "ce-row ce-top" }, input.panel, scores.panel, element("div", { class: "ce-column" }, ...chips.map((chip) => chip.node), scale.panel)),
    element("div", { class: "ce-tiles" }, tiles.map((tile) => tile.node)));
  view.controls(
    view.slider({ field: "example", label: "input", max: examples - 1, off: () => examples === 1 }),
    view.button("Explain the prediction", () => view.set({ target: "predicted" })),
    view.segments({ field: "scale", label: "colour scale", options: [["shared", "one for each unit"], ["own", "one for each map"]] }),
    ...(usesSteps ? [view.slider({ field: "n_steps", label: "points on the path (integrated gradients)", values: steps })] : []),
    view.resetButton());
  kernel.draw((answer, state) => {
    input.paint({ array: answer.input, colours: answer.input_colours, title: `input ${state.example}` });
    scores.paint({ entries: answer.scores, chosen: answer.target });
    const sums = answer.tiles.filter((tile) => tile.rule && tile.map);
    const limit = Math.max(...sums.flatMap((tile) => [Math.abs(tile.sum), Math.abs(tile.should_be)]), 1e-9);
    answer.tiles.forEach((tile, at) => tiles[at].paint(tile, limit));
    scale.paint({ kind: "diverging", low: "lowers f(x)", high: "raises it" }, "0");
    chips[0].write(number(answer.score), `f(x) − f(x₀) = ${number(answer.difference)}`);
    chips[1].write(number(answer.agreement), "mean rank correlation");
  });
} });
