// The objective against the steps.
function curve(view) {
  const canvas = element("canvas", { role: "img" }), pen = canvas.getContext("2d"), wide = 330, high = 190, left = 54, base = high - 34;
  return { panel: element("figure", { class: "ce-panel" }, element("figcaption", {}, "objective"), canvas), paint({ values }) {
    const scale = devicePixelRatio || 1, last = Math.max(values.length - 1, 10), low = Math.min(0, ...values), top = Math.max(...values, low + 1e-9);
    [canvas.width, canvas.height] = [wide * scale, high * scale];
    canvas.style.width = wide + "px";
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.font = "11px system-ui, sans-serif";
    const x = (step) => left + ((wide - left - 12) * step) / last, y = (value) => base - ((base - 12) * (value - low)) / (top - low);
    const text = (words, at, height, align) => { pen.textAlign = align; pen.fillStyle = view.theme.muted; pen.fillText(words, at, height); };
    pen.strokeStyle = view.theme.line;
    pen.strokeRect(left, 12, wide - left - 12, base - 12);
    [low, top].forEach((value) => text(number(value), left - 5, y(value) + 4, "right"));
    [0, last].forEach((step) => text(step, x(step), base + 15, "center"));
    text("step", (left + wide) / 2, base + 28, "center");
    pen.strokeStyle = COURSE.palette.training;
    pen.lineWidth = 2.5;
    pen.beginPath();
    values.forEach((value, step) => pen.lineTo(x(step), y(value)));
    pen.stroke();
    pen.lineWidth = 1;
    pen.fillStyle = COURSE.palette.training;
    pen.fillRect(x(values.length - 1) - 3, y(values.at(-1)) - 3, 6, 6);
    canvas.setAttribute("aria-label", `objective: from ${number(values[0])} to ${number(values.at(-1))} in ${values.length - 1} steps`);
  } };
}

export default kernelBacked({ build(view, kernel) {
  const { layers, classes, examples, maximum, sizes, penalties } = kernel.setup, isClass = (state) => state.objective === "class";
  const image = picture({ label: "input", side: 260 }), scale = scaleStrip(), line = curve(view);
  const chips = ["objective", "the network sees"].map((label) => view.chip(label));
  let running = false;
  // Each answer asks for the next steps: the ascent is as fast as the kernel, and never ahead of it.
  const advance = (by) => view.set({ steps: Math.min(maximum, view.state.steps + by) });
  const start = view.button("", () => {
    running = !running;
    if (running && view.state.steps === maximum) view.set({ steps: 0 });
    else if (running) advance(2);
    view.redraw();
  });
  start.className = "ce-main";
  const column = (...nodes) => element("div", { class: "ce-column" }, nodes);
  view.stage(column(image.panel, scale.panel), line.panel);
  view.note(...chips.map((chip) => chip.node));
  const reset = view.resetButton();
  reset.addEventListener("click", () => { running = false; });
  const weight = (value) => (value ? show(value) : "off");
  const layer = view.choice({ field: "layer", label: "layer", options: Object.keys(layers).map((name) => [name, `${name}: ${layers[name]} maps`]) });
  view.controls(
    element("div", { class: "ce-control ce-player", role: "group", "aria-label": "Ascent" }, start,
      view.button("Step ▶", () => { running = false; advance(1); }), view.button("Back to step 0", () => view.set({ steps: 0 }))),
    view.segments({ field: "objective", label: "what is to answer", options: ["class", "layer", "map", "unit"].map((name) => [name, name]) }),
    layer,
    view.slider({ field: "channel", label: "class or map", max: (state) => (isClass(state) ? classes.length : layers[state.layer]) - 1,
      write: (value, state) => (isClass(state) ? classes[value] : value), off: (state) => state.objective === "layer" }),
    view.slider({ field: "step_size", label: "step size", values: sizes }),
    view.toggle({ field: "normalize_gradient", label: "normalise the gradient" }),
    view.slider({ field: "jitter", label: "jitter", unit: "px", max: 4 }),
    view.slider({ field: "total_variation", label: "total variation (smooth)", values: penalties, write: weight }),
    view.slider({ field: "l2", label: "L2 (small)", values: penalties, write: weight }),
    ...(examples ? [view.segments({ field: "start", label: "start", options: [["noise", "noise"], ["example", "an input"]] }),
      view.slider({ field: "example", label: "input", max: examples - 1, off: (state) => state.start === "noise" })] : []),
    view.slider({ field: "seed", label: "seed of the noise", max: 99 }),
    reset);
  view.draw((state) => { layer.hidden = isClass(state); });
  kernel.draw((answer, state) => {
    if (running && state.steps >= maximum) running = false;
    if (running && answer.done === state.steps) advance(2);
    start.textContent = running ? "❚❚ Stop" : "▶ Start";
    image.paint({ array: answer.picture, colours: answer.colours, title: `input after ${answer.done} of ${state.steps} steps` });
    scale.paint(answer.colours, "input");
    line.paint(answer.objective);
    const { values } = answer.objective;
    chips[0].write(number(values.at(-1)), answer.stuck ? "gradient zero: cannot move" : `started at ${number(values[0])}`);
    chips[1].write(answer.predicted, `with ${Math.round(100 * answer.probability)} %`);
  });
} });
