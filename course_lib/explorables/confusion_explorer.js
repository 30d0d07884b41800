export default kernelBacked({ build(view, kernel) {
  const { counts, classes, methods, page } = kernel.setup, totals = counts.map((row) => row.reduce((sum, count) => sum + count, 0));
  const matrix = view.grid({ label: "confusion matrix", cell: 36, largest: 380, pick: (truth, predicted) => view.set({ truth, predicted, page: 0 }) });
  const examples = Array.from({ length: page }, () => {
    const image = picture({ label: "input", side: 104 }), map = picture({ label: "map", side: 104 });
    const node = element("div", { class: "ce-pair" }, image.panel, map.panel);
    return { node, image, map };
  });
  const scale = scaleStrip(), nothing = element("p", { class: "ce-problem" });
  const chips = ["this cell", "accuracy"].map((label) => view.chip(label));
  const pages = view.slider({ field: "page", label: "page", max: (state) => Math.max(0, Math.ceil(counts[state.truth][state.predicted] / page) - 1),
    write: (value) => value + 1, off: (state) => counts[state.truth][state.predicted] <= page });
  view.stage(element("div", { class: "ce-column" }, matrix.panel, element("div", { class: "ce-row" }, chips.map((chip) => chip.node))),
    element("div", { class: "ce-column ce-examples" }, element("div", { class: "ce-row ce-middle" }, examples.map(({ node }) => node)), nothing, scale.panel));
  const classSlider = (field, label) => view.slider({ field, label, max: classes.length - 1, write: (value) => classes[value] });
  view.controls(classSlider("truth", "true class (row)"), classSlider("predicted", "predicted class (column)"), pages,
    view.choice({ field: "method", label: "map", options: methods.map((name) => [name, name]) }),
    view.segments({ field: "explain", label: "what speaks for", options: [["predicted", "the prediction"], ["truth", "the truth"], ["difference", "one against the other"]] }),
    view.segments({ field: "show", label: "numbers", options: [["counts", "counts"], ["shares", "% of the true class"]] }),
    view.resetButton());
  kernel.draw((answer, { truth, predicted, show: numbers }) => {
    const share = (row, col) => (totals[row] ? (100 * counts[row][col]) / totals[row] : 0), most = counts.map((_, row) => Math.max(...counts.map((_, col) => share(row, col))));
    matrix.paint({
      values: counts, title: "true class in rows, predicted in columns: click a cell",
      // Mistakes are rare: the root of the share makes them visible beside the diagonal.
      colour: (_, row, col) => intensity(0, 1)(Math.sqrt(share(row, col) / Math.max(...most, 1))),
      write: (value, row, col) => (numbers === "counts" ? String(value) : String(Math.round(share(row, col)))),
      boxes: [{ row: truth, col: predicted }],
      describe: `row ${classes[truth]}, column ${classes[predicted]}: ${counts[truth][predicted]}`,
    });
    examples.forEach(({ node, image, map }, at) => {
      node.hidden = at >= answer.indices.length;
      if (node.hidden) return;
      image.paint({ array: part(answer.pictures, at), colours: answer.picture_colours, title: `input ${answer.indices[at]}, ${Math.round(100 * answer.probabilities[at])} %`,
        describe: "probability of the prediction" });
      map.panel.hidden = at >= answer.maps.shape[0];
      if (!map.panel.hidden) map.paint({ array: part(answer.maps, at), colours: answer.map_colours, title: "", describe: `map ${answer.explained}` });
    });
    nothing.textContent = answer.problem || (answer.count ? "" : "No input is in this cell.");
    scale.panel.hidden = !answer.maps.shape[0];
    if (answer.maps.shape[0]) scale.paint(answer.map_colours, answer.explained);
    chips[0].write(`${answer.count} of ${answer.of_truth}`, `${classes[truth]} taken for ${classes[predicted]}`);
    chips[1].write(`${(100 * answer.accuracy).toFixed(1)} %`, `± ${(100 * answer.accuracy_error).toFixed(1)} %`);
  });
} });
