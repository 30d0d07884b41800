export default kernelBacked({ build(view, kernel) {
  const { layers } = kernel.setup, shape = (state) => layers[state.layer];
  const filters = gallery(view, { label: "filters of the layer: click one, or use the arrow keys", field: "filter", side: 46 });
  const channels = gallery(view, { label: "its input channels", field: "input_channel", side: 34 });
  const chosen = view.grid({ label: "chosen filter", cell: 46, largest: 190 });
  const response = picture({ label: "frequency response (middle: uniform image, border: stripes two pixels wide)", side: 136 });
  const colours = scaleStrip(), strength = scaleStrip();
  const chips = ["sum of the weights", "norm", "bias"].map((label) => view.chip(label));
  const column = (...nodes) => element("div", { class: "ce-column" }, nodes);
  view.stage(filters.panel, column(chosen.panel, colours.panel), column(response.panel, strength.panel), channels.panel);
  view.note(...chips.map((chip) => chip.node));
  view.controls(
    view.choice({ field: "layer", label: "layer", options: Object.entries(layers).map(([name, [n, h, w, c]]) => [name, `${name}: ${n} of ${h} × ${w} × ${c}`]) }),
    view.slider({ field: "filter", label: "filter", max: (state) => shape(state)[0] - 1 }),
    view.slider({ field: "input_channel", label: "input channel", max: (state) => shape(state)[3] - 1, off: (state) => shape(state)[3] === 1 }),
    view.resetButton());
  kernel.draw((answer, state) => {
    filters.paint({ array: answer.filters, colours: answer.colours, chosen: state.filter, first: answer.first });
    channels.panel.hidden = answer.channels.shape[0] === 1;
    channels.paint({ array: answer.channels, colours: answer.colours, chosen: state.input_channel, first: answer.first_channel });
    const { shape: [rows], values } = answer.chosen, wide = values.length / rows;
    chosen.paint({
      values: Array.from({ length: rows }, (_, row) => Array.from(values.subarray(row * wide, (row + 1) * wide))),
      colour: diverging(answer.colours.high), write: show, title: `filter ${state.filter}, input channel ${state.input_channel}`,
    });
    colours.paint(answer.colours, "weight");
    const scale = { kind: "intensity", low: 0, high: Math.max(...answer.response.values) };
    response.paint({ array: answer.response, colours: scale });
    strength.paint(scale, "amplitude");
    chips[0].write(number(answer.sum), "answer to a uniform image of ones");
    chips[1].write(number(answer.norm));
    chips[2].write(number(answer.bias), answer.bias === null ? "the layer has none" : "");
  });
} });
