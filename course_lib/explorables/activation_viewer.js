export default kernelBacked({ build(view, kernel) {
  const { layers, examples } = kernel.setup, shape = (state) => layers[state.layer];
  const input = picture({ label: "input", side: 172 });
  const moves = picture({ label: "what moves the pixel", side: 172 });
  const maps = gallery(view, { label: "maps of the layer: click one, or use the arrow keys", field: "channel", side: 52 });
  const map = picture({ label: "map", side: 172, pick: (row, column) => view.set({ row, column }) });
  const activation = scaleStrip(), brightness = scaleStrip(), slope = scaleStrip();
  const chips = ["activation of the pixel", "on the input", "maps never above zero"].map((label) => view.chip(label));
  const column = (...nodes) => element("div", { class: "ce-column" }, nodes);
  view.stage(maps.panel, column(map.panel, activation.panel), column(input.panel, brightness.panel), column(moves.panel, slope.panel));
  view.note(...chips.map((chip) => chip.node));
  const limit = (at) => (state) => shape(state)[at] - 1, alone = (at) => (state) => shape(state)[at] === 1;
  view.controls(
    view.choice({ field: "layer", label: "layer", options: Object.entries(layers).map(([name, [n, h, w]]) => [name, `${name}: ${n} of ${h} × ${w}`]) }),
    view.slider({ field: "example", label: "input", max: examples - 1, off: () => examples === 1 }),
    view.slider({ field: "channel", label: "map", max: limit(0), off: alone(0) }),
    view.slider({ field: "row", label: "row of the pixel", max: limit(1), off: alone(1) }),
    view.slider({ field: "column", label: "column of the pixel", max: limit(2), off: alone(2) }),
    view.resetButton());
  kernel.draw((answer, state) => {
    const [row, col, rows, cols] = answer.window || [], boxes = answer.window ? [{ row, col, rows, cols }] : [];
    maps.paint({ array: answer.maps, colours: answer.colours, chosen: state.channel, first: answer.first });
    map.paint({ array: answer.map, colours: answer.colours, boxes: [{ row: state.row, col: state.column }], title: `map ${state.channel}: click a pixel` });
    activation.paint(answer.colours, "activation");
    input.paint({ array: answer.input, colours: answer.input_colours, boxes, title: `input ${state.example}, framed: what it sees`, describe: answer.window_words });
    brightness.paint(answer.input_colours, "input");
    moves.paint({ array: answer.gradient, colours: answer.gradient_colours, boxes, title: "brightening a pixel raises (teal) or lowers it" });
    slope.paint(answer.gradient_colours, "change per unit");
    chips[0].write(number(answer.activation));
    chips[1].write(answer.window ? `${rows} × ${cols} px` : "nothing", answer.window_words);
    chips[2].write(answer.silent, `of ${shape(state)[0]}, for this input`);
  });
} });
