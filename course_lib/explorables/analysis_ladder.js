// ---- the model: pure functions, twins of those in analysis_ladder.py ----

function countRight(task, answers) {
  const { cards } = COURSE.sortings[task];
  return [answers.filter((answer) => answer !== -1).length, answers.filter((answer, at) => answer === cards[at].answer).length];
}

const ladderReconcile = (state) => ({ ...state, held: Math.min(state.held, COURSE.sortings[state.task].cards.length - 1) });

function ladderSummary(state) {
  const answers = state[state.task], { label } = COURSE.sortings[state.task];
  const [placed, right] = countRight(state.task, answers);
  return `${label[0].toUpperCase()}${label.slice(1)}: ${placed} of ${answers.length} placed` + (state.checked ? `, ${right} of them rightly.` : ".");
}

// ---- the view ----

const muted = "color: var(--ce-muted); font-size: 12.5px";
const tinted = (name, share) => `color-mix(in srgb, var(--course-${name}) ${share}%, var(--ce-surface))`;

export { countRight, ladderReconcile, ladderSummary };
export default explorable({
  reconcile: ladderReconcile,
  summary: ladderSummary,
  predict: {
    question: "A rule, boosted trees, a network with one layer of learned features, a deep network: in how many of the four is anything learned from data?",
    options: ["1", "2", "3", "4"],
    reveal: (guess) => `${guess === "3" ? "Right. " : ""}It is 3. Only the rule-based program has no learned box. Now find out which boxes are learned.`,
  },
  build(view) {
    const answersOf = (state) => state[state.task];
    const place = (card, answer) => {
      const answers = answersOf(view.state).map((old, at) => (at === card ? answer : old));
      const next = answers.findIndex((value, at) => value === -1 && at > card);
      view.set({ [view.state.task]: answers, checked: false, held: next < 0 ? Math.max(answers.indexOf(-1), 0) : next });
    };
    const mark = (state, card) => {
      const answer = answersOf(state)[card];
      return state.checked && answer !== -1 ? (answer === COURSE.sortings[state.task].cards[card].answer ? " ✓" : " ✗") : "";
    };
    const frame = element("div", { style: "width: 100%" });
    view.stage(frame);

    // The four pipelines: a press on a box turns it from open to "by hand", to "learned", and back.
    const boxes = COURSE.sortings.boxes.cards.map((card, at) => view.button("", () => {
      const answer = view.state.boxes[at];
      place(at, answer === 1 ? -1 : answer + 1);
    }));
    const starts = COURSE.boxesPerStep.map((_, step) => COURSE.boxesPerStep.slice(0, step).reduce((sum, count) => sum + count, 0));
    const pipelines = element("div", { style: "display: grid; grid-template-columns: repeat(auto-fit, minmax(190px, 1fr)); gap: 14px" },
      COURSE.steps.map((step, at) => element("div", { role: "group", "aria-label": step, style: "display: flex; flex-direction: column; gap: 3px; text-align: center" },
        element("b", {}, step), element("span", { style: muted }, "input"),
        boxes.slice(starts[at], starts[at] + COURSE.boxesPerStep[at]).flatMap((box) => [element("span", { style: muted, "aria-hidden": "true" }, "↓"), box]),
        element("span", { style: muted }, "↓ output"))));

    // Cards and places, for the other two tasks: press a card, then a place; or drag it there.
    const sorters = ["analyses", "methods"].map((task) => {
      const { cards, places } = COURSE.sortings[task], nested = task === "methods";
      const buttons = cards.map((card, at) => {
        const button = view.button(card.name, () => view.set({ held: at }));
        button.draggable = true;
        button.addEventListener("dragstart", (event) => { event.dataTransfer.setData("text/plain", at); view.set({ held: at }); });
        return button;
      });
      const hand = element("div", { class: "ce-row", role: "group", "aria-label": "cards", style: "justify-content: center; min-height: 42px; margin-bottom: 12px" });
      const rows = places.map(() => element("div", { class: "ce-row", style: "justify-content: center; min-height: 34px" }));
      const regions = places.map((label, at) => {
        const here = view.button(label, () => place(view.state.held, at), "Put the card in hand here");
        here.style.fontWeight = 650;
        const region = element("div", {
          style: `display: flex; flex-direction: column; gap: 6px; padding: 8px; border: 1px solid var(--ce-line); border-radius: 10px; background: ${tinted("training", 5 + 7 * at)}`,
          ondragover: (event) => event.preventDefault(),
          ondrop: (event) => { event.preventDefault(); event.stopPropagation(); place(view.state.held, at); },
        }, here, rows[at]);
        return region;
      });
      // Each set contains the next one.
      if (nested) regions.slice(1).forEach((inner, at) => regions[at].append(inner));
      const shown = nested ? [regions[0]] : regions;
      const node = element("div", {}, hand,
        element("div", { style: nested ? "" : "display: grid; grid-template-columns: repeat(auto-fit, minmax(200px, 1fr)); gap: 10px" }, shown));
      return { task, node, paint(state) {
        buttons.forEach((button, at) => {
          const answer = state[task][at], home = answer === -1 ? hand : rows[answer];
          if (button.parentNode !== home) {
            const focused = button.matches(":focus");
            home.append(button);
            if (focused) button.focus();
          }
          const inHand = at === state.held;
          button.textContent = cards[at].name + mark(state, at);
          button.style.cssText = `font-size: 13px; border-width: 2px; border-color: ${inHand ? "var(--course-highlight)" : "var(--ce-line)"}`;
          button.setAttribute("aria-pressed", inHand);
        });
      } };
    });
    frame.append(pipelines, ...sorters.map((sorter) => sorter.node));

    const task = element("p", { style: "margin: 0; flex: 1 1 100%; text-align: center" });
    const reasons = element("div", { style: "flex: 1 1 100%; text-align: center; font-size: 13.5px" });
    view.note(task, reasons);
    let told = ["", 0];
    const reveal = () => {
      const { cards } = COURSE.sortings[view.state.task];
      const at = answersOf(view.state).findIndex((answer, card) => answer !== cards[card].answer);
      if (at < 0) return;
      told = [view.state.task, at];
      place(at, cards[at].answer);
    };
    view.controls(
      view.segments({ field: "task", label: "sort", options: Object.entries(COURSE.sortings).map(([name, { label }]) => [name, label]) }),
      view.button("Check", () => view.set({ checked: true })),
      view.button("Place one for me", reveal), view.resetButton());
    view.draw((state) => {
      const { cards, places } = COURSE.sortings[state.task], answers = answersOf(state);
      pipelines.hidden = state.task !== "boxes";
      boxes.forEach((box, at) => {
        const answer = state.boxes[at], said = answer === -1 ? "?" : COURSE.sortings.boxes.places[answer];
        const text = `${COURSE.sortings.boxes.cards[at].name}: ${said}${state.task === "boxes" ? mark(state, at) : ""}`;
        if (box.textContent !== text) box.textContent = text;
        box.style.background = answer === -1 ? "" : tinted(answer ? "training" : "background", 34);
        box.style.borderStyle = answer === -1 ? "dashed" : "solid";
      });
      for (const sorter of sorters) {
        sorter.node.hidden = sorter.task !== state.task;
        if (!sorter.node.hidden) sorter.paint(state);
      }
      task.textContent = COURSE.sortings[state.task].task;
      const wrong = cards.filter((card, at) => state.checked && answers[at] !== -1 && answers[at] !== card.answer);
      let lines = wrong.map((card) => `✗ ${card.name}: ${card.reason}.`);
      if (state.checked && !wrong.length && !answers.includes(-1)) lines = ["✓ All right."];
      const [toldTask, toldCard] = told;
      if (!state.checked && toldTask === state.task && answers[toldCard] === cards[toldCard].answer) {
        lines = [`${cards[toldCard].name}: ${places[cards[toldCard].answer]}, because ${cards[toldCard].reason}.`];
      }
      reasons.replaceChildren(...lines.map((line) => element("div", {}, line)));
    });
  },
});
