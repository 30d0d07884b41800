// ---- the model: pure functions, twins of those in project_conveyor.py ----

function faults(lanes) {
  const laneOf = {}, place = {}, found = [];
  lanes.forEach((lane, number) => lane.forEach((step, at) => { laneOf[step] = number; place[step] = at; }));
  COURSE.rightLane.forEach((right, step) => {
    const reasons = COURSE.wrongLane[step];
    if (laneOf[step] !== 0 && laneOf[step] !== right) found.push([step, ...(reasons[laneOf[step]] || reasons[-1])]);
  });
  for (const [first, second, text, leak] of COURSE.order)
    if (laneOf[first] === laneOf[second] && laneOf[first] === COURSE.rightLane[first] && place[first] > place[second])
      found.push([second, text, leak]);
  return found;
}

// Take `step` out and put it into `lane` before position `at`.
function moved(lanes, step, lane, at) {
  const left = lanes.map((one) => one.filter((other) => other !== step));
  left[lane].splice(Math.max(0, Math.min(at, left[lane].length)), 0, step);
  return left;
}

function conveyorSummary({ lanes, checked }) {
  const placed = 10 - lanes[0].length, found = faults(lanes);
  if (placed === 0) return "Nothing is placed yet: ten steps lie on the tray.";
  if (placed === 10 && checked && !found.length)
    return "All ten steps are placed, and nothing leaks: four once before, four for every batch, one an epoch, one at the end.";
  const counted = `${placed} of ten steps are placed`;
  if (!checked) return `${counted}; press Check to see what goes wrong.`;
  if (!found.length) return `${counted}, and nothing is wrong so far.`;
  const [step, text] = found[0];
  return `${counted}, ${found.length} go wrong, ${found.filter(([, , leak]) => leak).length} of them leak; ${COURSE.steps[step][0]}: ${text}.`;
}

// ---- the view ----

export { faults, moved, conveyorSummary };
export default explorable({
  summary: conveyorSummary,
  change: (changes) => ("lanes" in changes && !("checked" in changes) ? { ...changes, checked: false } : changes),
  build(view) {
    let chosen = null, dragged = null;
    const put = (step, lane, at) => { chosen = null; view.set({ lanes: moved(view.state.lanes, step, lane, at) }); };
    const whereIs = (step) => {
      const lane = view.state.lanes.findIndex((one) => one.includes(step));
      return [lane, view.state.lanes[lane].indexOf(step)];
    };
    const cards = COURSE.steps.map(([name, what], step) => {
      const walk = (event) => {
        const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
        if (!by) return;
        event.preventDefault();
        const [lane, at] = whereIs(step), next = lane + by[0];
        if (next < 0 || next > 4) return;
        put(step, next, by[0] ? 99 : at + by[1]);
      };
      return element("button", {
        type: "button", class: "ce-step", draggable: "true", onkeydown: walk,
        ondragstart: (event) => { dragged = step; event.dataTransfer.setData("text/plain", name); },
        onclick: (event) => { event.stopPropagation(); chosen = chosen === step ? null : step; view.redraw(); },
      }, element("b", {}, name), element("small", {}, what));
    });
    const lanes = COURSE.lanes.map((name, lane) => {
      const list = element("div", { class: "ce-lane-list" });
      const drop = (event) => {
        event.preventDefault();
        if (dragged === null) return;
        const rows = [...list.children].filter((node) => node !== cards[dragged]);
        const at = rows.filter((node) => { const box = node.getBoundingClientRect(); return box.top + box.height / 2 < event.clientY; }).length;
        put(dragged, lane, at);
        dragged = null;
      };
      const node = element("div", {
        class: `ce-lane ce-lane-${lane}`, role: "group", "aria-label": name, ondragover: (event) => event.preventDefault(), ondrop: drop,
        onclick: () => chosen !== null && put(chosen, lane, 99),
      }, element("h4", {}, lane === 2 || lane === 3 ? "↻ " + name : name), list);
      return { node, list };
    });
    const report = element("ul", { class: "ce-report" });
    view.stage(element("div", { class: "ce-lanes" }, lanes.map(({ node }) => node)));
    view.note(report);
    const check = view.button("Check", () => view.set({ checked: true }));
    check.className = "ce-main";
    view.controls(check, view.button("Show the answer", () => view.set({ lanes: COURSE.solution, checked: true })), view.resetButton(),
      element("p", { class: "ce-hint" }, "Drag a card, or click it and then a column, or move it with the arrow keys."));
    view.draw((state) => {
      const found = state.checked ? faults(state.lanes) : [], active = cards.find((card) => card === card.getRootNode().activeElement);
      state.lanes.forEach((steps, lane) => {
        const wanted = steps.map((step) => cards[step]);
        if (wanted.length !== lanes[lane].list.children.length || wanted.some((card, at) => card !== lanes[lane].list.children[at]))
          lanes[lane].list.replaceChildren(...wanted);
      });
      // A node that moves to another column loses the focus.
      if (active && active !== active.getRootNode().activeElement) active.focus();
      cards.forEach((card, step) => {
        const wrong = found.filter(([one]) => one === step);
        card.classList.toggle("ce-chosen", chosen === step);
        card.classList.toggle("ce-wrong", wrong.length > 0);
        card.classList.toggle("ce-leak", wrong.some(([, , leak]) => leak));
        card.classList.toggle("ce-right", state.checked && !wrong.length && !state.lanes[0].includes(step));
      });
      report.replaceChildren(...found.map(([step, text, leak]) => element("li", {},
        element("b", {}, `${leak ? "⚠ leak: " : ""}${COURSE.steps[step][0]}`), `: ${text}.`)));
      report.hidden = !found.length;
    });
  },
});
