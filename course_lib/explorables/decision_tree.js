// ---- the model: pure functions, twins of those in decision_tree.py ----

const { palette, columns, observables } = COURSE, events = columns[0].map((_, at) => columns.map((column) => column[at])), isSignal = (member) => member < COURSE.nSignal;
const branches = { 1: [2, "0"], 2: ["1", 3], 3: ["2", "3"] };
const cutsOf = (state) => [1, 2, 3].map((at) => [state[`observable_${at}`], state[`cut_${at}`]]);

// Numbers of the cuts that an event meets, then its leaf.
function pathOf(event, cuts) {
  let place = 1;
  const path = [];
  while (typeof place === "number") {
    path.push(place);
    const [observable, threshold] = cuts[place - 1];
    place = branches[place][event[observable] < threshold ? 0 : 1];
  }
  return [...path, Number(place)];
}

function countClasses(members) {
  const signal = members.filter(isSignal).length;
  return [signal, members.length - signal];
}

// The events at cuts 1, 2, 3 and in the four leaves.
function membersOf(cuts) {
  const atCut = { 1: [], 2: [], 3: [] }, inLeaf = [[], [], [], []];
  events.forEach((event, member) => {
    const path = pathOf(event, cuts);
    path.slice(0, -1).forEach((cut) => atCut[cut].push(member));
    inLeaf[path.at(-1)].push(member);
  });
  return { atCut, inLeaf };
}

const leafCounts = (cuts) => membersOf(cuts).inLeaf.map(countClasses);

function leafMetrics(counts) {
  const total = (place, of = counts) => of.reduce((sum, pair) => sum + pair[place], 0);
  const votes = counts.filter(([signal, background]) => signal > background);
  const found = total(0, votes), wrong = total(1, votes);
  return {
    efficiency: found / total(0), purity: found ? found / (found + wrong) : null,
    accuracy: (found + total(1) - wrong) / (total(0) + total(1)),
  };
}

const gini = ([signal, background]) => (signal + background ? (2 * signal * background) / (signal + background) ** 2 : 0);

function gain(members, observable, threshold) {
  if (!members.length) return 0;
  const sides = [true, false].map((below) => members.filter((member) => events[member][observable] < threshold === below));
  const after = sides.reduce((sum, side) => sum + side.length * gini(countClasses(side)), 0) / members.length;
  return gini(countClasses(members)) - after;
}

function bestCut(members, among = [0, 1, 2]) {
  let best = null;
  for (const observable of among) {
    const distinct = [...new Set(members.map((member) => events[member][observable]))].sort((a, b) => a - b);
    for (let at = 1; at < distinct.length; at++) {
      const threshold = Math.floor((distinct[at - 1] + distinct[at]) * 50 + 0.5) / 100, reached = gain(members, observable, threshold);
      if (best === null || reached > best[2] + 1e-12) best = [observable, threshold, reached];
    }
  }
  return best;
}

function treeReconcile(state) {
  const limited = {};
  for (const at of [1, 2, 3]) limited[`cut_${at}`] = Math.min(state[`cut_${at}`], observables[state[`observable_${at}`]].high);
  return { ...state, ...limited };
}

const className = (signal) => (signal ? "signal" : "background");

function treeSummary(state) {
  const cuts = cutsOf(state), counts = leafCounts(cuts), { efficiency, purity, accuracy } = leafMetrics(counts);
  const right = show(100 * accuracy);
  let text = purity === null ? `No leaf votes signal, and ${right} % of all votes are right`
    : `The tree finds ${show(100 * efficiency)} % of the signal with a purity of ${show(100 * purity)} %, and ${right} % of all votes are right`;
  if (state.event >= 0) {
    const [signal, background] = counts[pathOf(events[state.event], cuts).at(-1)];
    text += `; event ${state.event} is ${className(isSignal(state.event))}, the tree votes ${className(signal > background)}`;
  }
  return text + ".";
}

// ---- the view ----

// Centres of the boxes: cuts 1 to 3, leaves 0 to 3.
const spots = { 1: [250, 24], 2: [160, 114], 3: [250, 204], L0: [360, 114], L1: [70, 204], L2: [180, 294], L3: [320, 294] };
const links = [[1, 2], [1, "L0"], [2, "L1"], [2, 3], [3, "L2"], [3, "L3"]];

function treePicture(view) {
  const { theme } = view, wide = 92, high = 26;
  const canvas = element("canvas", { role: "img", "aria-label": "tree", style: "width: 430px; height: 336px" }), pen = canvas.getContext("2d");
  const write = (text, x, y, colour = theme.muted, size = 12) => {
    pen.font = `${size}px system-ui, sans-serif`;
    [pen.textAlign, pen.textBaseline, pen.fillStyle] = ["center", "middle", colour];
    pen.fillText(text, x, y);
  };
  const line = (points, colour, width) => {
    [pen.strokeStyle, pen.lineWidth] = [colour, width];
    pen.beginPath();
    for (const [x, y] of points) pen.lineTo(x, y);
    pen.stroke();
  };
  const box = (x, y, w, h, colour) => { pen.fillStyle = colour; pen.fillRect(x, y, w, h); };
  canvas.addEventListener("pointerdown", (event) => {
    const at = [1, 2, 3].find((cut) => Math.hypot(event.offsetX - spots[cut][0], event.offsetY - spots[cut][1]) < 50);
    if (at) view.set({ node: at });
  });
  return { panel: element("figure", { class: "ce-panel" }, element("figcaption", {}, "signal / background in every box; press a cut to look at it"), canvas), paint(state, groups) {
    const scale = devicePixelRatio || 1;
    [canvas.width, canvas.height] = [430 * scale, 336 * scale];
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    const cuts = cutsOf(state), path = state.event < 0 ? [] : pathOf(events[state.event], cuts);
    const lit = path.map((place, at) => (at === path.length - 1 ? "L" + place : place));
    for (const [from, to] of links) {
      const on = lit.includes(from) && lit.includes(to);
      line([[spots[from][0], spots[from][1] + 33], [spots[to][0], spots[to][1] - high / 2]], on ? palette.highlight : theme.line, on ? 5 : 2);
    }
    for (const [name, [x, y]] of Object.entries(spots)) {
      const leaf = name[0] === "L", members = leaf ? groups.inLeaf[name[1]] : groups.atCut[name];
      const [signal, background] = countClasses(members), share = members.length ? (signal / members.length) * wide : 0;
      const on = lit.includes(leaf ? name : Number(name)), edge = on ? palette.highlight : state.node === Number(name) ? theme.ink : theme.surface;
      box(x - wide / 2 - 3, y - high / 2 - 3, wide + 6, high + 6, edge);
      box(x - wide / 2, y - high / 2, wide, high, palette.background);
      box(x - wide / 2, y - high / 2, share, high, palette.signal);
      // Dark letters on their own ground: readable on both colours.
      box(x - 28, y - 9, 56, 18, "rgba(20,24,34,.72)");
      write(`${signal} / ${background}`, x, y, "#fff", 13);
      if (leaf) write(`votes ${className(signal > background)}`, x, y + 27);
      else {
        box(x - 46, y + 17, 92, 17, theme.surface);
        const [observable, threshold] = cuts[name - 1];
        write(`${observables[observable].label.split(" ")[1]} < ${show(threshold)} ?`, x, y + 26, theme.ink, 13);
        write("yes", x - 52, y + 40);
        write("no", x + 52, y + 40);
      }
    }
    const leaves = [1, 2, 3, 0].map((leaf) => countClasses(groups.inLeaf[leaf]).join(" / "));
    canvas.setAttribute("aria-label", "tree, its leaves from left to right: " + leaves.join(", "));
  } };
}

// The events that arrive at the chosen cut, signal above and background below; under it what each threshold would gain.
function cutPictures(view) {
  const bins = 20;
  const pick = (value) => view.set({ [`cut_${view.state.node}`]: Math.round(2 * value) / 2 });
  const sample = axesPicture(view, { label: "events at the cut", y: { label: "events" }, wide: 380, high: 190, pick });
  const gains = axesPicture(view, { label: "what each threshold would gain", y: { label: "drop of impurity" }, wide: 380, high: 170, pick });
  return { node: element("div", { class: "ce-column" }, sample.panel, gains.panel), paint(state, groups) {
    const { node } = state, [observable, threshold] = cutsOf(state)[node - 1], { label, high } = observables[observable];
    const members = groups.atCut[node], width = high / bins;
    const heights = [Array(bins).fill(0), Array(bins).fill(0)];
    for (const member of members) heights[isSignal(member) ? 0 : 1][Math.floor(events[member][observable] / width)]++;
    const most = Math.max(4, ...heights.flat()), x = { label, low: 0, high };
    const bars = ([counts, sign]) => counts.map((count, bin) => [(bin + 0.5) * width, sign * count]);
    const line = { vertical: threshold, colour: palette.highlight, width: 3 };
    sample.paint({
      layers: [
        { bars: bars([heights[0], 1]), width: 0.9 * width, colour: palette.signal, name: "signal" },
        { bars: bars([heights[1], -1]), width: 0.9 * width, colour: palette.background, name: "background (downwards)" },
        { horizontal: 0, colour: view.theme.muted, width: 1 }, line,
      ],
      x, y: { low: -most - 1, high: most + 1, ticks: [-most, 0, most].map((value) => [value, String(Math.abs(value))]) },
      title: `events at cut ${node}: drag the yellow line`,
    });
    const places = Array.from({ length: 121 }, (_, at) => (at * high) / 120), values = places.map((place) => gain(members, observable, place));
    gains.paint({
      layers: [{ line: places.map((place, at) => [place, values[at]]), colour: palette.training }, line],
      x, y: { low: 0, high: 1.15 * Math.max(0.1, ...values) },
    });
  } };
}

export { bestCut, gain, leafCounts, leafMetrics, pathOf, treeReconcile, treeSummary };
export default explorable({
  reconcile: treeReconcile,
  summary: treeSummary,
  predict: {
    question: (opening) => {
      const counts = leafCounts(cutsOf(opening)), votes = counts.filter(([signal, background]) => signal > background);
      return `The leaves that vote signal hold ${votes.map((pair) => pair.join(" / ")).join(" and ")} (signal / background), the whole sample 55 / 45. How many percent of the signal are found?`;
    },
    reveal(guess, opening) {
      const { efficiency, purity } = leafMetrics(leafCounts(cutsOf(opening)));
      return `${Math.abs(guess - 100 * efficiency) < 0.6 ? "Right. " : ""}${show(COURSE.nSignal * efficiency)} of 55 signal events are found: efficiency ${show(100 * efficiency)} %. Purity is another question: ${show(100 * purity)} %.`;
    },
  },
  build(view) {
    const tree = treePicture(view), cut = cutPictures(view);
    view.stage(tree.panel, cut.node);
    const chips = ["efficiency", "purity", "accuracy"].map((label) => view.chip(label));
    view.note(view.veil(element("div", { class: "ce-row ce-middle" }, chips.map((chip) => chip.node))));
    const optimise = (all) => () => {
      const { node } = view.state, own = view.state[`observable_${node}`];
      const best = bestCut(membersOf(cutsOf(view.state)).atCut[node], all ? [0, 1, 2] : [own]);
      if (best) view.set({ [`observable_${node}`]: best[0], [`cut_${node}`]: best[1] });
    };
    const names = observables.map(({ label }, at) => [at, label]);
    view.controls(
      ...[1, 2, 3].map((at) => element("div", { style: "display: grid; gap: 6px" },
        view.choice({ label: `observable of cut ${at}`, options: names, current: (state) => state[`observable_${at}`],
          apply: (value) => ({ [`observable_${at}`]: value, [`cut_${at}`]: observables[value].high / 2, node: at }) }),
        view.slider({ field: `cut_${at}`, label: `cut ${at}`, step: 0.5, max: (state) => observables[state[`observable_${at}`]].high }))),
      element("i"),
      view.segments({ field: "node", label: "look at", options: [1, 2, 3].map((at) => [at, `cut ${at}`]) }),
      view.button("Best threshold of its observable", optimise(false)),
      view.button("Best cut", optimise(true)),
      view.button("Drop an event", () => view.set({ event: (view.state.event + 37) % 100 })),
      view.resetButton());
    view.draw((state) => {
      const groups = membersOf(cutsOf(state)), { efficiency, purity, accuracy } = leafMetrics(groups.inLeaf.map(countClasses));
      tree.paint(state, groups);
      cut.paint(state, groups);
      const percent = (share) => (share === null ? "none" : `${show(100 * share)} %`);
      chips[0].write(percent(efficiency), "of the signal is found");
      chips[1].write(percent(purity), "of the found is signal");
      chips[2].write(percent(accuracy), "of all votes are right");
    });
  },
});
