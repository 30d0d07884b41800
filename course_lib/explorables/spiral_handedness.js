// ---- the model: pure functions, twins of those in spiral_handedness.py ----

const size = COURSE.size, middle = (size - 1) / 2;
const picture = (make) => Array.from({ length: size }, (_, row) => Array.from({ length: size }, (_, col) => make(row, col)));

// Park and Miller's generator, from 0 to 1.
function uniformNumbers(seed) {
  let state = ((seed + 1) * 1000003) % 2147483647;
  return () => (state = (state * 16807) % 2147483647) / 2 ** 31;
}

function polar(row, col, angle = 0, ratio = 1, shiftX = 0, shiftY = 0) {
  const x = col - middle - shiftX, y = middle - row - shiftY, turn = (angle * Math.PI) / 180;
  const along = Math.cos(turn) * x + Math.sin(turn) * y, across = (Math.cos(turn) * y - Math.sin(turn) * x) / ratio;
  return [Math.hypot(along, across), Math.atan2(across, along)];
}

const shine = (radius) => Math.exp(-radius / COURSE.scale);

function spiralImage(state) {
  const uniform = uniformNumbers(state.seed);
  const image = picture((row, col) => {
    const [radius, azimuth] = polar(row, col, state.angle_deg, state.axis_ratio, state.shift_x_px, state.shift_y_px);
    const arms = Math.cos(azimuth - state.winding * state.twist * Math.log(radius + 1)) ** 2;
    const [first, second] = [uniform(), uniform()];
    const normal = Math.sqrt(-2 * Math.log(first)) * Math.cos(2 * Math.PI * second);
    return Math.max(0, Math.min(1, shine(radius) * (0.2 + 0.8 * arms) + state.noise * normal));
  });
  return state.mirrored ? image.map((row) => [...row].reverse()) : image;
}

const templates = [1, -1].flatMap((winding) => [Math.cos, Math.sin].map((wave) => {
  const raw = picture((row, col) => {
    const [radius, azimuth] = polar(row, col);
    return shine(radius) * wave(2 * azimuth - 2 * winding * COURSE.templateTwist * Math.log(radius + 1));
  });
  const norm = Math.sqrt(raw.flat().reduce((sum, value) => sum + value ** 2, 0));
  return raw.map((row) => row.map((value) => value / norm));
}));

const order = (() => {
  const places = Array.from({ length: size * size }, (_, at) => at), uniform = uniformNumbers(11);
  const draws = places.map(uniform);
  for (let last = places.length - 1; last > 0; last--) {
    const other = Math.floor(draws[last] * (last + 1));
    [places[last], places[other]] = [places[other], places[last]];
  }
  return places;
})();

function shuffled(image) {
  const flat = image.flat();
  return picture((row, col) => flat[order[row * size + col]]);
}

const seenImage = (state) => (state.pixels_shuffled ? shuffled(spiralImage(state)) : spiralImage(state));
const weightsOf = (state) => (state.retrained ? templates.map(shuffled) : templates);

function networkAnswer(state) {
  const image = seenImage(state).flat();
  const hidden = weightsOf(state).map((weights) => weights.flat().reduce((sum, weight, at) => sum + weight * image[at], 0) ** 2);
  const first = 1 / (1 + Math.exp(COURSE.gain * (hidden[2] + hidden[3] - hidden[0] - hidden[1])));
  return { hidden, probabilities: [first, 1 - first] };
}

const direction = (winding) => (winding > 0 ? "anticlockwise" : "clockwise");

function spiralSummary(state) {
  const [first] = networkAnswer(state).probabilities, truth = direction(state.mirrored ? -state.winding : state.winding);
  const said = direction(first > 0.5 ? 1 : -1);
  return `The arms turn ${truth}; the network gives ${show(first)} to anticlockwise and says ${said}, which is ${said === truth ? "right" : "wrong"}.`;
}

// ---- the view ----

export { networkAnswer, seenImage };
export default explorable({
  summary: spiralSummary,
  predict: {
    question: "All 1024 pixels change places, in the same way for every image, and the network is trained again on such images. Its answers become …",
    options: ["pure guessing", "a little worse", "exactly as good"],
    reveal(guess, opening) {
      const [before] = networkAnswer({ ...opening, pixels_shuffled: false, retrained: false }).probabilities;
      const [after] = networkAnswer({ ...opening, pixels_shuffled: true, retrained: true }).probabilities;
      return `${guess === "exactly as good" ? "Right. " : ""}${show(before)} before, ${show(after)} after: every weight moves along with its pixel and no sum changes. A fully-connected layer never knew which pixels are neighbours.`;
    },
  },
  build(view) {
    const image = view.grid({ label: "image, 32 × 32 = 1024 inputs", cell: 8, largest: 256 });
    const anticlockwise = view.grid({ label: "weights of a node for anticlockwise", cell: 4, largest: 130 });
    const clockwise = view.grid({ label: "weights of a node for clockwise", cell: 4, largest: 130 });
    const hidden = view.grid({ label: "four hidden nodes, squared", cell: 54 });
    const output = view.grid({ label: "softmax", cell: 64 });
    const arrow = () => element("span", { class: "ce-sign ce-flat", "aria-hidden": "true" }, "→");
    const truth = view.chip("the arms turn"), said = view.chip("the network says");
    view.stage(image.panel, arrow(), element("div", { class: "ce-column" }, anticlockwise.panel, clockwise.panel), arrow(),
      view.veil(element("div", {}, hidden.panel)), arrow(), view.veil(element("div", {}, output.panel)));
    view.note(truth.node, view.veil(element("div", {}, said.node)));
    view.controls(
      view.segments({ field: "winding", label: "arms", options: [[1, "anticlockwise"], [-1, "clockwise"]] }),
      view.toggle({ field: "mirrored", label: "mirror" }),
      view.slider({ field: "angle_deg", label: "rotate", unit: "°", min: 0, max: 360, step: 5 }),
      view.slider({ field: "shift_x_px", label: "shift right", unit: "px", min: -8, max: 8 }),
      view.slider({ field: "shift_y_px", label: "shift up", unit: "px", min: -8, max: 8 }),
      view.slider({ field: "twist", label: "twist of the arms", min: 0.3, max: 3, step: 0.1 }),
      view.slider({ field: "noise", label: "noise", min: 0, max: 0.6, step: 0.05 }),
      view.slider({ field: "axis_ratio", label: "short : long axis", min: 0.3, max: 1, step: 0.05 }),
      view.toggle({ field: "pixels_shuffled", label: "shuffle all pixels" }),
      view.toggle({ field: "retrained", label: "train again on shuffled images" }),
      view.button("new noise", () => view.set({ seed: (view.state.seed + 1) % 100 })),
      view.resetButton());
    view.draw((state) => {
      const { hidden: values, probabilities } = networkAnswer(state), weights = weightsOf(state);
      image.paint({ values: seenImage(state), colour: intensity(0, 1), describe: direction(state.mirrored ? -state.winding : state.winding) });
      const limit = diverging(0.12);
      anticlockwise.paint({ values: weights[0], colour: limit });
      clockwise.paint({ values: weights[2], colour: limit });
      hidden.paint({ values: values.map((value) => [value]), colour: intensity(0, Math.max(...values, 0.5)), write: show, describe: values.map(show).join(", ") });
      output.paint({
        values: probabilities.map((value) => [value]), colour: intensity(0, 1), describe: probabilities.map(show).join(", "),
        write: (value, row) => ["↺ ", "↻ "][row] + show(value),
      });
      truth.write(direction(state.mirrored ? -state.winding : state.winding), "followed outwards");
      const first = probabilities[0];
      said.write(direction(first > 0.5 ? 1 : -1), Math.max(first, 1 - first) < 0.75 ? "but is not sure" : "and is sure");
    });
  },
});
