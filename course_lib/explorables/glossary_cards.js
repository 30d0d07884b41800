// ---- the model: pure functions, twins of those in glossary_cards.py ----

const part1 = COURSE.groups.length - 1;
const deckOf = (name) => COURSE.terms.filter(([, group]) => (name === "part 1" ? group < part1 : COURSE.groups[group][0] === name));

function playRound({ deck, shuffle, answers }) {
  const count = deckOf(deck).length, queue = Array.from({ length: count }, (_, card) => card);
  if (shuffle) {
    const bits = randomBits(shuffle, 60, count);
    queue.sort((one, other) => bits[one] - bits[other] || one - other);
  }
  let known = 0;
  const missed = [];
  for (const answer of answers) {
    if (!queue.length) break;
    const card = queue.shift();
    if (answer) known++;
    else {
      queue.splice(3, 0, card);
      if (!missed.includes(card)) missed.push(card);
    }
  }
  return { queue, known, missed };
}

function cardsSummary(state) {
  const { queue, known, missed } = playRound(state), terms = deckOf(state.deck), count = terms.length;
  if (!queue.length) return `The deck ${state.deck} is done: ${count} of ${count} known, ${missed.length} not at first sight.`;
  const [name, , meaning] = terms[queue[0]];
  return `Card ${state.answers.length + 1} of the deck ${state.deck}, ${name}${state.turned ? ", " + meaning : ""}: ` +
    `${known} of ${count} known, ${queue.length} still to come.`;
}

// ---- the view ----

export { playRound, cardsSummary };
export default explorable({
  summary: cardsSummary,
  change: (changes) => ("deck" in changes || "shuffle" in changes ? { answers: [], turned: false, ...changes } : changes),
  build(view) {
    const group = element("span"), word = element("strong"), meaning = element("p"), sections = element("small");
    const card = element("div", { class: "ce-card" }, group, word, meaning, sections);
    const answer = (known) => () => {
      if (playRound(view.state).queue.length && view.state.answers.length < 400)
        view.set({ answers: [...view.state.answers, known], turned: false });
    };
    const turn = view.button("Turn the card", () => view.set({ turned: true }));
    turn.className = "ce-main";
    const judged = [view.button("I knew it", answer(1)), view.button("Not yet", answer(0))];
    const dots = element("div", { class: "ce-dots", "aria-hidden": "true" });
    const chips = ["known", "still to come", "came back"].map((label) => view.chip(label));
    view.stage(element("div", { class: "ce-column" }, card, element("div", { class: "ce-row ce-middle" }, turn, judged)),
      element("div", { class: "ce-column" }, chips.map((chip) => chip.node)));
    view.note(dots);
    view.controls(
      view.choice({ field: "deck", label: "deck", options: [["part 1", "all of part 1"], ...COURSE.groups] }),
      view.button("⤨ Shuffle", () => view.set({ shuffle: 1 + (view.state.shuffle * 7 + 13) % 998 })),
      view.button("◀ Undo", () => view.set({ answers: view.state.answers.slice(0, -1), turned: false })),
      view.resetButton());
    view.draw((state) => {
      const { queue, known, missed } = playRound(state), terms = deckOf(state.deck), done = queue.length === 0;
      const [name, at, text, where] = done ? ["All known", 0, "Take another deck, or shuffle and play again.", ""] : terms[queue[0]];
      group.textContent = done ? "end of the deck" : COURSE.groups[at][1];
      word.textContent = name;
      meaning.textContent = done || state.turned ? text : "…";
      sections.textContent = where && state.turned ? `chapter ${where}` : "";
      card.classList.toggle("ce-turned", state.turned || done);
      turn.disabled = done || state.turned;
      for (const button of judged) button.disabled = done || !state.turned;
      chips[0].write(String(known), `of ${terms.length}`);
      chips[1].write(String(queue.length), "cards");
      chips[2].write(String(missed.length), "not known at first");
      dots.replaceChildren(...terms.map((_, index) => element("i", {
        class: queue.includes(index) ? (queue[0] === index ? "ce-now" : missed.includes(index) ? "ce-missed" : "") : "ce-known",
      })));
    });
  },
});
