"""Chapter 6: the terms of part 1 as cards; what was not known comes back."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

import numpy as np

from course_lib import style
from course_lib.explorables.base import Explorable, Field, choice, flag, integer
from course_lib.explorables.playground.data import random_bits
from course_lib.glossary import GROUPS, TERMS

#: Deck -> its terms. Words of the later parts have a deck of their own.
DECKS = {"part 1": tuple(term for term in TERMS if term.group != "architectures")} | {
    group: tuple(term for term in TERMS if term.group == group) for group in GROUPS
}

#: A card that was not known comes back after this many others.
COMES_BACK_AFTER = 3

#: So many answers are kept; nobody needs more for one deck.
MOST_ANSWERS = 400

#: So many terms stand in the static figure.
SHOWN_IN_PRINT = 14

#: The stream of random numbers that shuffles the cards.
SHUFFLE_STREAM = 60


def _check_answers(value):
    good = isinstance(value, list | tuple) and len(value) <= MOST_ANSWERS
    if not (good and all(type(answer) is int and answer in (0, 1) for answer in value)):
        raise ValueError(f"must be a list of at most {MOST_ANSWERS} answers, 1 for known and 0 for not known")
    return list(value)


class Round(NamedTuple):
    """Where a round of cards stands: the cards still to come (first: the one shown), and how many are done."""

    queue: list
    known: int
    missed: list


def play(deck, shuffle, answers):
    """Replay a round of cards.

    Parameters
    ----------
    deck : str
        One of `DECKS`.
    shuffle : int
        Seed of the order; 0 keeps the order of the glossary.
    answers : list of {0, 1}
        Answers so far, 1 for known. What is left after the last card is ignored.

    Returns
    -------
    Round
        Cards are numbered as in ``DECKS[deck]``. A card that was not known comes back after three others.

    Examples
    --------
    >>> play("learning", 0, [1, 0]).queue[:4]
    [2, 3, 4, 1]
    """
    count = len(DECKS[deck])
    queue = list(range(count))
    if shuffle:
        bits = random_bits(shuffle, SHUFFLE_STREAM, count).tolist()
        queue.sort(key=lambda card: (bits[card], card))
    known, missed = 0, []
    for answer in answers:
        if not queue:
            break
        card = queue.pop(0)
        if answer:
            known += 1
        else:
            queue.insert(COMES_BACK_AFTER, card)
            if card not in missed:
                missed.append(card)
    return Round(queue, known, missed)


class GlossaryCards(Explorable):
    """Cards with the terms of part 1: say what it means, turn the card, judge yourself.

    Parameters
    ----------
    deck : str
        ``"part 1"`` for all terms of the first part, or one of the groups of the glossary.
    shuffle : int
        Seed of the order, 1 to 999; 0 keeps the order of the glossary.
    answers : list of {0, 1}
        Answers so far, 1 for known.
    turned : bool
        Whether the meaning is shown.

    Examples
    --------
    >>> GlossaryCards(deck="learning").card().name
    'training'
    >>> GlossaryCards(deck="learning", answers=[1, 0]).summary()
    'Card 3 of the deck learning, mean squared error: 1 of 19 known, 18 still to come.'
    """

    name = "glossary_cards"
    title = "Do you know the words?"
    figure = "Chapter 6, glossary"
    goal = "Say what the word means before you turn the card. What you did not know comes back after three others."
    shared_scripts = ("kit", "random_numbers")
    fields: ClassVar = {
        "deck": choice("part 1", DECKS, "which terms"),
        "shuffle": integer(0, 0, 999, "seed of the order, 0 for that of the glossary"),
        "answers": Field(
            [], "answers so far, 1 for known", _check_answers, samples=([], [1, 0, 0], [0] * 5, [1] * 100)
        ),
        "turned": flag(False, "whether the meaning is shown"),
    }

    @classmethod
    def constants(cls):
        groups = list(GROUPS)
        return {
            "terms": [[term.name, groups.index(term.group), term.meaning, term.sections] for term in TERMS],
            "groups": list(GROUPS.items()),
        }

    def round(self):
        """Return the `Round` of the present state."""
        return play(self.state["deck"], self.state["shuffle"], self.state["answers"])

    def card(self):
        """Return the `Term` that is shown, or None at the end of the deck."""
        queue = self.round().queue
        return DECKS[self.state["deck"]][queue[0]] if queue else None

    def summary(self):
        state, now = self.state, self.round()
        count, card = len(DECKS[state["deck"]]), self.card()
        if card is None:
            return f"The deck {state['deck']} is done: {count} of {count} known, {len(now.missed)} not at first sight."
        meaning = f", {card.meaning}" if state["turned"] else ""
        number = len(state["answers"]) + 1
        return (
            f"Card {number} of the deck {state['deck']}, {card.name}{meaning}: "
            f"{now.known} of {count} known, {len(now.queue)} still to come."
        )

    def static_figure(self):
        import textwrap

        import plotly.graph_objects as go

        state = self.state
        terms = DECKS[state["deck"]][:SHOWN_IN_PRINT]
        lines = ["<br>".join(textwrap.wrap(term.meaning, 84)) for term in terms]
        places = np.arange(len(terms))
        figure = go.Figure(
            go.Scatter(
                x=np.zeros(len(terms)),
                y=places,
                mode="markers+text",
                text=lines,
                textposition="middle right",
                marker={"size": 8, "color": style.SEQUENCE[0]},
            )
        )
        figure.update_layout(
            template=style.template(),
            title={
                "text": self.title,
                "subtitle": {"text": f"The first {len(terms)} cards of the deck {state['deck']}"},
            },
            height=150 + 34 * len(terms),
            xaxis={"visible": False, "range": [-0.02, 1]},
            yaxis={
                "title": "term",
                "tickvals": places,
                "ticktext": [term.name for term in terms],
                "autorange": "reversed",
                "showgrid": False,
            },
        )
        return figure
