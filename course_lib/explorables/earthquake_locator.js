// ---- the model: pure functions, twins of those in earthquake_locator.py ----

const distancesOf = (x, y) => COURSE.stations.map(([a, b]) => Math.hypot(a - x, b - y));

function arrivalsOf(x, y, originTime, offsets) {
  return distancesOf(x, y).map((distance, at) =>
    COURSE.speeds.map((speed, wave) => originTime + distance / speed + (offsets ? COURSE.clockOffsets[2 * at + wave] : 0)));
}

const circleRadii = (times, vP, vS) => times.map(([p, s]) => (s - p) / (1 / vS - 1 / vP));

function quakeReconcile(state) {
  return { ...state, v_s: Math.min(state.v_s, state.v_p - COURSE.leastDifference) };
}

// Which stations are used and have heard both waves, the radii of the circles, and by how much these miss.
function located({ x, y, step, origin_time, v_p, v_s, n_stations, offsets }) {
  const travel = arrivalsOf(x, y, 0, offsets), now = step * COURSE.stepSeconds;
  const heard = travel.map(([, s], at) => s <= now + 1e-9 && at < n_stations);
  const radii = circleRadii(arrivalsOf(x, y, origin_time, offsets), v_p, v_s), far = distancesOf(x, y);
  const errors = radii.map((radius, at) => radius - far[at]).filter((_, at) => heard[at]);
  const miss = errors.length ? Math.sqrt(errors.reduce((sum, error) => sum + error ** 2, 0) / errors.length) : null;
  return { heard, radii, miss };
}

function quakeSummary(state) {
  const { heard, miss } = located(state), many = heard.filter(Boolean).length;
  const told = miss === null ? "so that no circle can be drawn yet"
    : `and with ${show(state.v_p)} and ${show(state.v_s)} km/s the circle${many > 1 ? "s miss" : " misses"} the epicentre by ${show(miss)} km`;
  return `${show(state.step * COURSE.stepSeconds)} s after the quake ${many} of ${state.n_stations} station${state.n_stations > 1 ? "s have" : " has"} heard both waves, ${told}.`;
}

// ---- the view ----

const ring = (x, y, radius) => Array.from({ length: 91 }, (_, at) => [x + radius * Math.cos((at * Math.PI) / 45), y + radius * Math.sin((at * Math.PI) / 45)]);

// A record: quiet until the wave comes, then a swing that dies away.
function record(times, row, now) {
  const points = [];
  for (let t = 0; t <= now; t += 0.06) {
    const swing = times.reduce((sum, start, wave) => sum + (t > start ? (wave ? 0.4 : 0.2) * Math.sin(11 * (t - start)) * Math.exp(-(t - start) / 0.7) : 0), 0);
    points.push([t, row + swing]);
  }
  return points;
}

export { arrivalsOf, circleRadii, distancesOf, located, quakeReconcile, quakeSummary };
export default explorable({
  reconcile: quakeReconcile,
  summary: quakeSummary,
  predict: {
    question: "A station notes the S wave 2 s after the P wave. Nobody knows when the quake happened. What does the station know?",
    options: ["nothing yet", "how far", "in which direction", "where"],
    reveal: (guess) => `${guess === "how far" ? "Right." : "Only how far."} The unknown start drops out of the difference, and each second of delay means 17.5 km: a circle of 35 km. Two circles leave two places, three leave one.`,
  },
  build(view) {
    const reach = COURSE.halfWidth, round = (value) => Math.max(-reach, Math.min(reach, Math.round(value * 10) / 10));
    const place = (x, y) => view.set({ x: round(x), y: round(y) });
    const map = axesPicture(view, {
      label: "map", x: { label: "x, east (km)", low: -reach, high: reach }, y: { label: "y, north (km)", low: -reach, high: reach }, wide: 380, high: 370,
      pick(x, y) {
        // Close to an earlier quake its own place is meant.
        const near = COURSE.earlier.find(([a, b]) => Math.hypot(a - x, b - y) < 1.6);
        place(...(near || [x, y]));
      },
      walk: (dx, dy) => place(view.state.x + dx, view.state.y + dy),
    });
    const times = axesPicture(view, { label: "arrival times", x: { label: "distance from the epicentre (km)", low: 0, high: 80 }, y: { label: "arrival on the clock (s)", low: 0, high: 20 }, wide: 380, high: 370 });
    const strip = axesPicture(view, { label: "what the stations record", x: { label: "clock (s)", low: 0, high: 23 }, wide: 640, high: 190,
      y: { label: "station", low: 0.4, high: 4.6, ticks: [1, 2, 3, 4].map((at) => [5 - at, String(at)]) } });
    const chips = ["delay at station 1", "circles miss by"].map((label) => view.chip(label));
    view.stage(map.panel, view.veil(element("div", {}, times.panel)), view.veil(element("div", {}, strip.panel)),
      view.veil(element("div", { class: "ce-column" }, chips.map((chip) => chip.node))));
    view.controls(
      view.player({ field: "step", max: () => COURSE.steps, interval: () => 90 }),
      view.slider({ field: "step", label: "time since the quake", unit: "s", max: COURSE.steps, write: (value) => show(value * COURSE.stepSeconds) }),
      view.slider({ field: "origin_time", label: "the quake happens at", unit: "s", max: 5, step: 0.5 }),
      view.slider({ field: "v_p", label: "assumed speed P", unit: "km/s", min: 4, max: 10, step: 0.1 }),
      view.slider({ field: "v_s", label: "assumed speed S", unit: "km/s", min: 2, max: 8, step: 0.1 }),
      view.slider({ field: "n_stations", label: "stations", min: 1, max: 4 }),
      view.toggle({ field: "offsets", label: "clocks are off by about 0.1 s" }),
      view.resetButton());
    view.draw((state) => {
      const { x, y, step, origin_time, v_p, v_s, n_stations, offsets } = state, now = step * COURSE.stepSeconds;
      const { heard, radii, miss } = located(state), [pColour, sColour] = COURSE.waveColours, { highlight, signal, background } = COURSE.palette;
      const clock = arrivalsOf(x, y, origin_time, offsets), far = distancesOf(x, y), used = COURSE.stations.slice(0, n_stations);
      map.paint({
        layers: [
          { points: COURSE.earlier, colour: background, size: 2.5, name: "earlier quakes" },
          ...COURSE.speeds.map((speed, wave) => ({ line: ring(x, y, speed * now), colour: COURSE.waveColours[wave], dash: wave ? [6, 4] : undefined, width: 1.8, name: `${"PS"[wave]} wave now` })),
          ...(view.pending() ? [] : radii.map((radius, at) => ({ line: ring(...COURSE.stations[at], radius), colour: highlight, width: 3, dim: 0.9 })).filter((_, at) => heard[at]).map((layer, at) => (at ? layer : { ...layer, name: "distance from the delay" }))),
          { points: used, colour: view.theme.ink, size: 5, shape: "square", name: "stations" },
          ...used.map(([a, b], at) => ({ text: String(at + 1), at: [a + 2, b + 3], colour: view.theme.ink })),
          { points: [[x, y]], colour: signal, size: 7, shape: "triangle", name: "epicentre" },
        ],
        title: "map: click to place the quake (or arrow keys)",
        describe: `epicentre at ${show(x)} km east, ${show(y)} km north`,
      });
      const bands = [0, 1].map((wave) => COURSE.earlier.flatMap(([a, b]) => {
        const away = distancesOf(a, b), travel = arrivalsOf(a, b, 0, offsets);
        return away.map((distance, at) => [distance, travel[at][wave]]);
      }));
      const arrived = [0, 1].map((wave) => used.map((_, at) => [far[at], clock[at][wave]]).filter(([, t]) => t <= now + origin_time));
      times.paint({
        layers: [
          ...bands.map((points, wave) => ({ points, colour: COURSE.waveColours[wave], size: 2, dim: 0.45 })),
          { line: [[0, 0], [80, 80 / v_p]], colour: pColour, name: `t = x / ${show(v_p)} km/s` },
          { line: [[0, 0], [80, 80 / v_s]], colour: sColour, dash: [6, 4], name: `t = x / ${show(v_s)} km/s` },
          ...arrived.map((points, wave) => ({ points, colour: COURSE.waveColours[wave], size: 6, shape: wave ? "square" : "circle" })),
        ],
        title: "arrival times: this quake large, earlier ones small",
        describe: `${arrived[0].length} P and ${arrived[1].length} S arrivals`,
      });
      strip.paint({
        layers: used.flatMap((_, at) => [
          { line: record(clock[at], 4 - at, now + origin_time), colour: view.theme.ink, width: 1.2 },
          ...(heard[at] ? [{ text: `S − P: ${show(clock[at][1] - clock[at][0])} s`, at: [22.8, 4 - at + 0.3], colour: view.theme.ink, align: "right" }] : []),
        ]),
      });
      const delay = clock[0][1] - clock[0][0];
      chips[0].write(heard[0] ? `${show(delay)} s` : "…", heard[0] ? `radius ${show(radii[0])} km, true ${show(far[0])} km` : "S has not arrived yet");
      chips[1].write(miss === null ? "…" : `${show(miss)} km`, miss !== null && miss < 0.2 ? "they meet" : "root mean square");
    });
  },
});
