// ---- the model: pure functions, twins of those in data_types.py ----

// Park and Miller's generator (exact in floating point), scaled to -1 ... 1.
function randomWeights(seed) {
  let state = ((seed + 1) * 1000003) % 2147483647;
  return () => (state = (state * 16807) % 2147483647) / 2 ** 30 - 1;
}

const pulse = (time, start, rise) => { const late = Math.max(time - start, 0) / rise; return late * Math.exp(1 - late); };

// {values, shape, rows}: rows is the whole table of events, else absent.
function simulate(kind, amount) {
  const draw = randomWeights(5), { side, nTimes, film: [frames, small], points } = COURSE, values = [];
  if (kind === "events") {
    const rows = Array.from({ length: amount }, () => [Math.abs(draw()) + 0.2, 2 * draw(), Math.PI * draw(), Math.abs(draw()), Math.abs(draw()) + 0.3]);
    return { values: rows[0], shape: [5], rows };
  }
  if (kind === "sequence") {
    for (let at = 0; at < nTimes; at++) values.push(2 * amount * pulse((10 * at) / (nTimes - 1), 2, 1.2) + 0.3 * draw());
    return { values, shape: [nTimes, 1] };
  }
  if (kind === "camera") {
    const angle = (Math.PI * amount) / 10, [c, s] = [Math.cos(angle), Math.sin(angle)];
    for (let row = 0; row < side; row++) for (let column = 0; column < side; column++) {
      const x = column + 0.5 * (row % 2) - side / 2 + 0.25, y = (row - (side - 1) / 2) * Math.sqrt(0.75);
      values.push(Math.max(0, 10 * Math.exp(-0.5 * (((x * c + y * s) / 3.2) ** 2 + (y * c - x * s) ** 2)) + 0.6 * draw()));
    }
    return { values, shape: [side, side, 1] };
  }
  if (kind === "collision") {
    values.push(...Array(side * side).fill(0));
    for (let number = 0; number < 4 * amount; number++) {
      const centre = [[0.3, 0.25], [0.62, 0.75], [0.5, 0.5]][number % 3], width = [0.14, 0.14, 0.5][number % 3];
      const [eta, phi] = centre.map((middle) => Math.min(Math.max(middle + width * draw(), 0), 0.999));
      values[Math.floor(side * phi) * side + Math.floor(side * eta)] += Math.abs(draw()) * 20;
    }
    return { values, shape: [side, side, 1] };
  }
  if (kind === "film") {
    for (let frame = 0; frame < frames; frame++) for (let row = 0; row < small; row++) for (let column = 0; column < small; column++) {
      const x = 0.3 + 0.05 * amount * frame, y = 0.6 + 0.035 * amount * frame;
      values.push(Math.max(0, 9 * Math.exp(-((column - x) ** 2 + (row - y) ** 2) / 1.1) + 0.5 * draw()));
    }
    return { values, shape: [frames, small, small, 1] };
  }
  if (kind === "cloud") {
    for (let at = 0; at < points; at++) {
      if (at >= 2 * amount + 4) values.push(0, 0, 0, 0);
      else {
        const [x, y, z] = [2 * draw(), 2 * draw(), draw()];
        values.push(x, y, z, 20 - 2 * x + 1.5 * z + 0.3 * draw());
      }
    }
    return { values, shape: [points, 4] };
  }
  const stations = [[-10, 10], [10, 10], [-10, -10], [10, -10]], far = stations.map(([x, y]) => Math.hypot(x - 4 * amount, y - 6));
  values.push(...stations.flat(), ...far.flatMap((distance) => [distance / 7, distance / 5]), 1, 1, amount > 7 ? 0 : 1, 1);
  return { values, shape: [values.length] };
}

function permutation(count) {
  const order = Array.from({ length: count }, (_, at) => at), draw = randomWeights(count);
  const drawn = order.slice(1).map(() => draw());
  for (let at = count - 1; at > 0; at--) {
    const other = Math.floor(((drawn[at - 1] + 1) / 2) * (at + 1));
    [order[at], order[other]] = [order[other], order[at]];
  }
  return order;
}

function nodeSum(values, order) {
  const draw = randomWeights(99), weights = values.map(() => draw());
  return order.reduce((sum, place) => sum + weights[place] * values[place], 0);
}

function neighbourLikeness(values) {
  const [a, b] = [values.slice(0, -1), values.slice(1)], mean = (list) => list.reduce((sum, value) => sum + value, 0) / list.length;
  const [ma, mb] = [mean(a), mean(b)], dot = (f, g, mf, mg) => f.reduce((sum, value, at) => sum + (value - mf) * (g[at] - mg), 0);
  return dot(a, b, ma, mb) / Math.sqrt(dot(a, a, ma, ma) * dot(b, b, mb, mb));
}

const shapeText = (kind, shape) => (kind === "ensemble" ? "(4, 2) + (4, 2) + (4,)" : `(${shape.join(", ")}${shape.length === 1 ? "," : ""})`);

function typesSummary({ kind, amount, permuted }) {
  const { values, shape } = simulate(kind, amount), name = COURSE.kinds.find(([key]) => key === kind)[1];
  return `${name[0].toUpperCase()}${name.slice(1)}: one input has the shape ${shapeText(kind, shape)}, and flattened it is a vector of ${values.length} numbers${permuted ? ", here in another order" : ""}.`;
}

// ---- the view ----

// What the slider means.
const AMOUNTS = {
  events: (a) => String(a), sequence: (a) => `${2 * a} V`, camera: (a) => `${18 * a}°`, collision: (a) => String(4 * a),
  film: (a) => `${show(0.05 * a)} px/frame`, cloud: (a) => String(2 * a + 4), ensemble: (a) => `${4 * a} km`,
};

// What axes and layers show values of a kind; the values may be in any order.
function pictureOf(kind, values, theme) {
  const { side, film: [frames, small], palette } = COURSE, most = Math.max(...values), shade = intensity(0, most);
  const rowsOf = (list, wide) => Array.from({ length: list.length / wide }, (_, at) => list.slice(at * wide, (at + 1) * wide));
  if (kind === "sequence") return {
    x: { label: "time (ns)", low: 0, high: 10 }, y: { label: "U (V)", low: -1, high: Math.max(20, most) },
    layers: [{ line: values.map((value, at) => [(10 * at) / (values.length - 1), value]), colour: palette.training }],
  };
  if (kind === "camera") return {
    x: { label: "pixel", low: -0.8, high: side + 0.3 }, y: { label: "row", low: side - 0.2, high: -0.8, ticks: [0, 5, 10].map((row) => [row, String(row)]) },
    layers: [{ points: values.map((_, at) => [(at % side) + 0.5 * (Math.floor(at / side) % 2), Math.floor(at / side)]), size: 10.5, colour: (at) => shade(values[at]).fill }],
  };
  if (kind === "collision") return {
    x: { label: "pseudorapidity η", low: -4, high: 4 }, y: { label: "azimuth φ (rad)", low: -Math.PI, high: Math.PI },
    layers: [{ field: rowsOf(values, side), colour: shade }],
  };
  if (kind === "film") {
    const strip = Array.from({ length: small }, (_, row) => Array.from({ length: frames }, (_, frame) => values.slice((frame * small + row) * small, (frame * small + row + 1) * small)).flat());
    return {
      x: { label: "time (ns), a frame every 10 ns", low: 0, high: 100 }, y: { label: "row", low: 0, high: small },
      layers: [{ field: strip, colour: shade }, ...Array.from({ length: frames - 1 }, (_, at) => ({ vertical: 10 * (at + 1), colour: theme.surface, width: 4 }))],
    };
  }
  if (kind === "cloud") {
    const points = rowsOf(values, 4).filter((row) => row.some((value) => value !== 0)), warm = intensity(15, 25);
    return {
      x: { label: "x (m)", low: -2.4, high: 2.4 }, y: { label: "y (m)", low: -2.4, high: 2.4 },
      layers: [{ points: points.map(([x, y]) => [x, y]), size: 7, colour: (at) => warm(points[at][3]).fill }],
    };
  }
  const stations = rowsOf(values.slice(0, 8), 2), times = rowsOf(values.slice(8, 16), 2), late = intensity(0, 10);
  return {
    x: { label: "x, east (km)", low: -20, high: 20 }, y: { label: "y, north (km)", low: -20, high: 20 },
    layers: [
      { points: stations, size: 9, shape: "square", colour: (at) => late(times[at][0]).fill },
      ...stations.map(([x, y], at) => ({ text: `P ${show(times[at][0])} s, S ${show(times[at][1])} s${values[16 + at] === 0 ? ", dead" : ""}`, at: [x, y + 3.2], align: "center", colour: theme.ink })),
    ],
  };
}

export { neighbourLikeness, nodeSum, permutation, simulate, typesSummary };
export default explorable({
  summary: typesSummary,
  predict: {
    question: "All pixels of all images change places by one fixed rule. Does a node that forms a weighted sum of all pixels lose anything?",
    options: ["everything", "something", "nothing"],
    reveal: (guess) => `${guess === "nothing" ? "Right. " : ""}Nothing changes: its weights change places with the pixels and the sum stays. It never knew who is whose neighbour. You did: switch the order and look at the picture.`,
  },
  build(view) {
    const picture = axesPicture(view, { label: "the measurement", wide: 400, high: 330 });
    const table = view.grid({ label: "events, one a row", cell: 58, largest: 330 });
    const flat = view.grid({ label: "", cell: 38, largest: 330 });
    const chips = ["shape of one input", "shape of a batch of k", "one node, Σ w x", "likeness of neighbours"].map((label) => view.chip(label));
    view.stage(picture.panel, table.panel, flat.panel);
    view.note(element("div", { class: "ce-row ce-middle" }, chips.slice(0, 2).map((chip) => chip.node)),
      view.veil(element("div", { class: "ce-row ce-middle" }, chips.slice(2).map((chip) => chip.node))));
    const named = () => COURSE.kinds.find(([key]) => key === view.state.kind);
    const amount = view.slider({ field: "amount", label: "amount", min: 1, max: 10, write: (value, now) => AMOUNTS[now.kind](value) });
    view.controls(
      view.segments({ field: "kind", label: "type of data", options: COURSE.kinds.map(([key, name]) => [key, name]) }),
      amount,
      view.toggle({ field: "permuted", label: "permute the entries by one fixed rule" }),
      view.resetButton());
    view.draw(({ kind, amount: much, permuted }) => {
      const { values, shape, rows } = simulate(kind, much), same = values.map((_, at) => at), order = permuted ? permutation(values.length) : same;
      const ordered = order.map((place) => values[place]), most = Math.max(...ordered.map(Math.abs));
      const title = permuted ? "drawn as if nothing had happened" : "the measurement";
      amount.querySelector("label").textContent = named()[2];
      [picture.panel.hidden, table.panel.hidden] = [Boolean(rows), !rows];
      if (rows) table.paint({ values: rows.map((row) => order.map((place) => row[place])), colour: diverging(4), write: show, boxes: [{ row: 0, col: 0, cols: 5 }], title: "events: rows, variables: columns" });
      else picture.paint({ ...pictureOf(kind, ordered, view.theme), title });
      const wide = kind === "events" ? 5 : kind === "film" ? 25 : kind === "cloud" ? 16 : kind === "ensemble" ? 8 : kind === "sequence" ? 20 : COURSE.side;
      const lines = Array.from({ length: Math.ceil(ordered.length / wide) }, (_, at) => Array.from({ length: wide }, (_, column) => ordered[at * wide + column] ?? null));
      flat.paint({
        values: lines, title: `the input vector x, ${values.length} numbers, read line by line`,
        colour: ordered.some((value) => value < 0) ? diverging(most) : intensity(0, most), write: values.length <= 20 ? show : undefined,
      });
      chips[0].write(shapeText(kind, shape), kind === "cloud" ? `${2 * much + 4} points, filled up to ${COURSE.points}` : `flattened: (${values.length},)`);
      chips[1].write(named()[3], "k comes first, always");
      chips[2].write(show(nodeSum(values, order)), `${show(nodeSum(values, same))} in the original order`);
      chips[3].write(show(neighbourLikeness(ordered)), "correlation with the next entry");
    });
  },
});
