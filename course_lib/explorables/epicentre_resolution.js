// ---- the model: pure functions, twins of those in epicentre_resolution.py ----

// Park and Miller's generator and the rule of Box and Muller: rows of eight normal random numbers.
const readingErrors = (() => {
  let state = (8 * 1000003) % 2147483647;
  const uniform = () => (state = (state * 16807) % 2147483647) / 2 ** 31;
  return Array.from({ length: COURSE.repeats }, () => Array.from({ length: 8 }, () => {
    const [first, second] = [uniform(), uniform()];
    return Math.sqrt(-2 * Math.log(first)) * Math.cos(2 * Math.PI * second);
  }));
})();

const mean = (list) => list.reduce((sum, value) => sum + value, 0) / list.length;

// Arrival times without reading errors: station 1 P, station 1 S, station 2 P, ...
function arrivalTimes({ source_km: source, stations_km: stations }) {
  return stations.flatMap(([x, y], station) => COURSE.velocities.map((velocity, wave) =>
    Math.hypot(source[0] - x, source[1] - y) / velocity + COURSE.offsets[2 * station + wave]));
}

function locate(times, stations, clocksKnown) {
  const [vp, vs] = COURSE.velocities, [wp, ws] = [vp ** -2, vs ** -2];
  const travel = times.map((time, channel) => time - (clocksKnown ? COURSE.offsets[channel] : 0));
  const squares = stations.map((_, at) => ((wp * vp * travel[2 * at] + ws * vs * travel[2 * at + 1]) / (wp + ws)) ** 2);
  const sums = [0, 0, 0, 0, 0];
  for (let at = 1; at < 4; at++) {
    const [a, b] = [0, 1].map((axis) => 2 * (stations[at][axis] - stations[0][axis]));
    const norm = ([x, y]) => x * x + y * y, right = norm(stations[at]) - norm(stations[0]) - (squares[at] - squares[0]);
    [a * a, a * b, b * b, a * right, b * right].forEach((term, index) => { sums[index] += term; });
  }
  const [aa, ab, bb, ar, br] = sums, determinant = aa * bb - ab * ab;
  if (determinant < 1e-6 * (aa + bb) ** 2) return null;
  return [(bb * ar - ab * br) / determinant, (aa * br - ab * ar) / determinant];
}

function measure(state) {
  const { source_km: source, stations_km: stations, jitter_s: jitter, clocks_known: known } = state;
  const times = arrivalTimes(state);
  const estimates = readingErrors.map((errors) => locate(times.map((time, channel) => time + jitter * errors[channel]), stations, known));
  if (estimates[0] === null) return { times, estimates: [], distances: [], sigma: null, mean: null, median: null };
  const distances = estimates.map(([x, y]) => Math.hypot(x - source[0], y - source[1]));
  const sorted = [...distances].sort((a, b) => a - b), middle = sorted.length / 2;
  return {
    times, estimates, distances, mean: mean(distances), median: (sorted[middle - 1] + sorted[middle]) / 2,
    sigma: Math.sqrt(mean(distances.map((distance) => distance ** 2)) / 2),
  };
}

function resolutionSummary(state) {
  const located = measure(state), [x, y] = state.source_km.map(show);
  const seen = `The quake at (${x}, ${y}) km is seen first after ${show(Math.min(...located.times))} s and last after ${show(Math.max(...located.times))} s`;
  if (located.mean === null) return `${seen}; stations on one line cannot tell its two sides apart.`;
  return `${seen}; the place is wrong by ${Math.floor(1000 * located.mean + 0.5)} m on average.`;
}

// ---- the view ----

const metres = (km) => (km === null ? "–" : Math.round(1000 * km) + " m");
const circle = ([x, y], radius) => Array.from({ length: 61 }, (_, at) => [x + radius * Math.cos(at * Math.PI / 30), y + radius * Math.sin(at * Math.PI / 30)]);

export { locate, measure };
export default explorable({
  summary: resolutionSummary,
  predict: {
    question: "The quake moves to twice its distance from the middle. The clocks stay as good as they are. The error of the place …",
    options: ["stays the same", "grows", "shrinks"],
    reveal(guess, opening) {
      const near = measure(opening).mean;
      const far = measure({ ...opening, source_km: opening.source_km.map((value) => Math.max(-COURSE.halfWidth, Math.min(COURSE.halfWidth, 2 * value))) }).mean;
      const said = far > 1.02 * near ? "grows" : far < 0.98 * near ? "shrinks" : "stays the same";
      return `${guess === said ? "Right. " : ""}It ${said}, from ${metres(near)} to ${metres(far)} on average: from far away all stations lie in nearly the same direction. Drag the quake and see the cloud turn.`;
    },
  },
  build(view) {
    let held = 0;
    const places = () => [view.state.source_km, ...view.state.stations_km];
    const put = (x, y) => {
      const at = [x, y].map((value) => Math.round(2 * value) / 2);
      view.set(held < 1 ? { source_km: at } : { stations_km: view.state.stations_km.map((old, index) => (index === held - 1 ? at : old)) });
    };
    const edge = COURSE.halfWidth, map = axesPicture(view, {
      label: "map: drag the quake (cross) and the stations (triangles)", wide: 372, high: 362,
      x: { label: "x, east (km)", low: -edge, high: edge }, y: { label: "y, north (km)", low: -edge, high: edge },
      pick(x, y, first) {
        if (first) {
          const near = places().map(([a, b]) => Math.hypot(a - x, b - y)), least = Math.min(...near);
          held = least < 4 ? near.indexOf(least) : 0;
        }
        put(x, y);
      },
      walk(dx, dy) {
        held = 0;
        const within = (value) => Math.max(-edge, Math.min(edge, value));
        put(within(view.state.source_km[0] + dx), within(view.state.source_km[1] + dy));
      },
    });
    const seen = view.grid({ label: "what a network sees: eight times (s)", cell: 60 });
    const cloud = axesPicture(view, { label: "located at, around the true place", wide: 236, high: 226, x: { label: "Δx (m)" }, y: { label: "Δy (m)" } });
    const histogram = axesPicture(view, {
      label: `${COURSE.repeats} repetitions`, wide: 280, high: 226, x: { label: "distance (m)", low: 0 }, y: { label: "repetitions", low: 0 },
    });
    const chips = ["median", "mean", "Rayleigh σ"].map((label) => view.chip(label));
    view.stage(map.panel, element("div", { class: "ce-column" }, seen.panel, view.veil(element("div", { class: "ce-row" }, cloud.panel, histogram.panel))));
    view.note(view.veil(element("div", { class: "ce-row ce-middle" }, chips.map((chip) => chip.node))));
    view.controls(
      view.slider({ field: "jitter_s", label: "reading error of each time", unit: "ms", min: 0, max: 0.1, step: 0.002, write: (value) => show(1000 * value) }),
      view.toggle({ field: "clocks_known", label: "the offsets of the clocks are known" }),
      view.button("line up the stations", () => view.set({ stations_km: [[-15, 5], [-5, 5], [5, 5], [15, 5]] })),
      view.resetButton());
    view.draw((state) => {
      const located = measure(state), { times, estimates, distances } = located;
      const delays = state.stations_km.map((_, at) => (times[2 * at + 1] - times[2 * at]) / (1 / COURSE.velocities[1] - 1 / COURSE.velocities[0]));
      map.paint({
        layers: [
          { line: COURSE.border, colour: COURSE.palette.reference, dash: [6, 4], name: "plate border" },
          ...delays.map((radius, at) => ({ line: circle(state.stations_km[at], radius), colour: COURSE.palette.validation, width: 1.2, dash: [2, 3], name: at ? undefined : "distance from S − P" })),
          { points: state.stations_km, shape: "triangle", size: 8 },
          { points: [state.source_km], shape: "cross", size: 7, colour: COURSE.palette.negative },
        ],
        describe: `quake at ${state.source_km.map(show).join(", ")} km`,
      });
      const offsets = estimates.map((place) => place.map((value, axis) => 1000 * (value - state.source_km[axis]))), [ox, oy] = [0, 1].map((axis) => mean(offsets.map((offset) => offset[axis])) || 0);
      const reach = 4 * Math.sqrt(mean(offsets.map(([a, b]) => (a - ox) ** 2 + (b - oy) ** 2)) / 2 || 0) + Math.max(Math.abs(ox), Math.abs(oy)) + 2;
      const ticks = [-1, 0, 1].map((side) => side * Number((reach / 2).toPrecision(1))).map((value) => [value, show(value)]);
      cloud.paint({
        layers: [{ points: offsets, size: 2.2, colour: COURSE.palette.training, dim: 0.6 }, { points: [[0, 0]], shape: "cross", size: 6, colour: COURSE.palette.negative }],
        x: { low: -reach, high: reach, ticks }, y: { low: -reach, high: reach, ticks }, describe: `mean offset ${show(ox)}, ${show(oy)} m`,
      });
      seen.paint({
        values: [0, 1].map((wave) => state.stations_km.map((_, at) => times[2 * at + wave])), colour: intensity(0, 14),
        write: (time, row, col) => ["P", "S"][row] + (col + 1) + " " + time.toFixed(1), describe: times.map((time) => time.toFixed(2)).join(", "),
      });
      const top = 3.6 * Math.max(located.sigma || 0, 0.004), width = top / 24, counts = Array(24).fill(0);
      for (const distance of distances) counts[Math.min(23, Math.floor(distance / width))] += 1;
      const curve = Array.from({ length: 73 }, (_, at) => {
        const distance = (at * top) / 72, s2 = located.sigma ** 2 || 1e-12;
        return [1000 * distance, COURSE.repeats * width * (distance / s2) * Math.exp(-(distance ** 2) / (2 * s2))];
      });
      const fits = state.jitter_s > 0 && located.sigma;
      histogram.paint({
        layers: [
          { bars: counts.map((count, at) => [1000 * (at + 0.5) * width, count]), width: 920 * width, colour: COURSE.palette.training, dim: 0.5 },
          ...(fits ? [{ line: curve, colour: COURSE.palette.reference, name: "Rayleigh" }, { vertical: 1000 * located.sigma, colour: COURSE.palette.negative, dash: [2, 3], name: "σ" },
            { vertical: 1000 * located.mean, colour: COURSE.palette.validation, dash: [7, 3], name: "mean" }] : []),
        ],
        x: { high: 1000 * top }, y: { high: 1.15 * Math.max(...counts, 1) }, describe: `mean ${metres(located.mean)}`,
      });
      ["median", "mean", "sigma"].forEach((name, at) => chips[at].write(metres(located[name]), ["half are nearer", "", "mean square is 2σ²"][at]));
    });
  },
});
