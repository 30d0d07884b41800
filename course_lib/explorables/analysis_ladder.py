"""Figures 1.1 and 1.4: who designs each box of an analysis, and which methods contain which."""

from __future__ import annotations

import textwrap
from typing import ClassVar, NamedTuple

from course_lib import style
from course_lib.explorables.base import Explorable, choice, flag, integer, numbers

#: The four steps of the ladder, from the least to the most autonomous.
STEPS = ["rule-based", "classic machine learning", "representation learning", "deep learning"]

#: From the outermost set to the innermost one; each contains all that follow.
SETS = ["artificial intelligence", "machine learning", "representation learning", "deep learning"]

OPEN = -1


class Card(NamedTuple):
    """One thing to place: its name, the right place, and the reason."""

    name: str
    answer: int
    reason: str


class Sorting(NamedTuple):
    """One sorting task: its label, what is asked, the places, and the cards."""

    label: str
    task: str
    places: list[str]
    cards: list[Card]


#: How many boxes each of the four pipelines has between input and output (figure 1.1).
BOXES_PER_STEP = [1, 2, 2, 3]

#: State field -> task.
SORTINGS = {
    "boxes": Sorting(
        "four pipelines",
        "Press a box until it says who designs it.",
        ["by hand", "learned"],
        [
            Card("program", 0, "a person writes the whole rule"),
            Card("variables", 0, "a person chooses what is computed from the raw input"),
            Card("mapping", 1, "the data decide how the variables are combined"),
            Card("variables", 1, "the machine must find the useful combination itself"),
            Card("mapping", 1, "the data decide how the variables are combined"),
            Card("simple variables", 1, "the first stage of features is learned"),
            Card("more abstract variables", 1, "features of features: this extra stage is what deep means"),
            Card("mapping", 1, "the data decide how the variables are combined"),
        ],
    ),
    "analyses": Sorting(
        "six analyses",
        "Take a card, then press the step of the ladder where it belongs.",
        STEPS,
        [
            Card("g from height and fall time, g = 2h/t²", 0, "the formula is written by hand"),
            Card("veto: drop the event if an outer counter fired", 0, "nothing is tuned from data"),
            Card(
                "boosted trees on 12 variables that we chose", 1, "the variables come from people, the cuts from data"
            ),
            Card("straight-line fit of energy against shower width", 1, "one chosen variable, two learned numbers"),
            Card("principal components of spectra, then a learned cut", 2, "the one stage of features comes from data"),
            Card("12 layers of filters on raw scattering images", 3, "features of features, all learned"),
        ],
    ),
    "methods": Sorting(
        "nested sets",
        "Take a card, then press the smallest set that contains it.",
        SETS,
        [
            Card("expert system with 500 rules", 0, "a person typed in every rule"),
            Card("chess by search, hand-made score", 0, "no parameter is tuned from data"),
            Card("linear fit", 1, "two parameters from data, on given variables"),
            Card("boosted decision trees", 1, "classic: trees cut on the given variables, they build no new ones"),
            Card("nearest neighbours", 1, "it compares the variables that it is given"),
            Card("principal components", 2, "new variables from data, one linear stage"),
            Card("autoencoder with one hidden layer", 2, "one learned stage of features: not deep"),
            Card("autoencoder with six hidden layers", 3, "several learned nonlinear stages"),
            Card("convolutional network with 12 layers", 3, "filters on filters on filters"),
            Card("large language model", 3, "about a hundred stages, one on the other"),
        ],
    ),
}


def count_right(task, answers):
    """Count what is placed, and what is placed rightly.

    Parameters
    ----------
    task : {"boxes", "analyses", "methods"}
        Which sorting task.
    answers : list of int
        Index of the place for each card; -1 is still open.

    Returns
    -------
    placed, right : int

    Examples
    --------
    >>> count_right("analyses", [0, 0, 1, -1, 3, -1])
    (4, 3)
    """
    cards = SORTINGS[task].cards
    placed = sum(answer != OPEN for answer in answers)
    right = sum(answer == card.answer for answer, card in zip(answers, cards, strict=True))
    return placed, right


def solution(task):
    """Return the right place of every card.

    Examples
    --------
    >>> solution("boxes")
    [0, 0, 1, 1, 1, 1, 1, 1]
    """
    return [card.answer for card in SORTINGS[task].cards]


def _answers(task):
    sorting = SORTINGS[task]
    n_cards = len(sorting.cards)
    return numbers(
        [OPEN] * n_cards,
        f"place of each card, -1: open ({task})",
        shape=(n_cards,),
        low=-1,
        high=len(sorting.places) - 1,
    )


class AnalysisLadder(Explorable):
    """Sort boxes, analyses and methods by what a person designs and what is learned (figures 1.1 and 1.4).

    Parameters
    ----------
    task : {"boxes", "analyses", "methods"}
        The four pipelines of figure 1.1, six analyses to put on them, or the nested sets of figure 1.4.
    boxes : array_like, shape (8,)
        Who designs each box: 0 a person, 1 the data, -1 still open.
    analyses : array_like, shape (6,)
        Step of the ladder for each analysis, 0 to 3, or -1.
    methods : array_like, shape (10,)
        Smallest set for each method, from 0 (artificial intelligence) to 3 (deep learning), or -1.
    held : int
        The card in hand.
    checked : bool
        Whether the verdict is shown.

    Examples
    --------
    >>> AnalysisLadder(task="analyses", analyses=[0, 0, 1, 1, 2, 2], checked=True).summary()
    'Six analyses: 6 of 6 placed, 5 of them rightly.'
    """

    name = "analysis_ladder"
    title = "Who designs what?"
    figure = "Figures 1.1 and 1.4"
    goal = "Find out what really changes from a hand-written rule to a deep network."
    fields: ClassVar = {
        "task": choice("boxes", SORTINGS, "the sorting task"),
        "boxes": _answers("boxes"),
        "analyses": _answers("analyses"),
        "methods": _answers("methods"),
        "held": integer(0, 0, 9, "the card in hand"),
        "checked": flag(False, "whether the verdict is shown"),
    }

    @classmethod
    def constants(cls):
        sortings = {
            name: {**sorting._asdict(), "cards": [card._asdict() for card in sorting.cards]}
            for name, sorting in SORTINGS.items()
        }
        return {"sortings": sortings, "steps": STEPS, "boxesPerStep": BOXES_PER_STEP}

    def reconcile(self, state):
        """Keep the card in hand among those of the task."""
        state["held"] = min(state["held"], len(SORTINGS[state["task"]].cards) - 1)
        return state

    def summary(self):
        state = self.state
        sorting, answers = SORTINGS[state["task"]], state[state["task"]]
        placed, right = count_right(state["task"], answers)
        verdict = f", {right} of them rightly" if state["checked"] else ""
        return f"{sorting.label.capitalize()}: {placed} of {len(answers)} placed{verdict}."

    def static_figure(self):
        """Return the solved figure: the pipelines of figure 1.1, or for the methods the sets of figure 1.4."""
        return _sets_figure() if self.state["task"] == "methods" else _pipelines_figure()


def _pipelines_figure():
    """One column a step, one block a box, coloured by who designs it."""
    import plotly.graph_objects as go

    figure = go.Figure()
    colours = [style.PALETTE["background"], style.PALETTE["training"]]
    cards = iter(SORTINGS["boxes"].cards)
    blocks = {0: ([], [], []), 1: ([], [], [])}
    for column, n_boxes in enumerate(BOXES_PER_STEP):
        for row in range(n_boxes):
            card = next(cards)
            for values, value in zip(blocks[card.answer], (column, row + 1, card.name), strict=True):
                values.append(value)
    for answer, (columns, rows, names) in blocks.items():
        figure.add_bar(
            x=columns,
            y=[0.86] * len(rows),
            base=[row - 0.43 for row in rows],
            width=0.86,
            text=["<br>".join(name.rsplit(" ", 1)) for name in names],
            textposition="inside",
            insidetextanchor="middle",
            textangle=0,
            insidetextfont={"color": "white", "size": 13},
            marker_color=colours[answer],
            name=f"{SORTINGS['boxes'].places[answer]}",
        )
    for column in range(len(STEPS)):
        top = BOXES_PER_STEP[column]
        figure.add_annotation(x=column, y=0.28, text="input ↑", showarrow=False)
        figure.add_annotation(x=column, y=top + 0.65, text="↑ output", showarrow=False)
    steps = ["<br>".join(step.rsplit(" ", 1)) for step in STEPS]
    figure.update_xaxes(
        title="step of the ladder", tickmode="array", tickvals=list(range(4)), ticktext=steps, showgrid=False
    )
    figure.update_yaxes(
        title="stage of the program", tickmode="array", tickvals=[1, 2, 3], range=[0, 4], showgrid=False
    )
    figure.update_layout(
        template=style.template(),
        title={"text": "Only who designs the boxes changes", "y": 0.96, "yanchor": "top"},
        barmode="overlay",
        height=430,
        margin={"t": 100},
    )
    return figure


def _sets_figure():
    """Four rectangles, each inside the last one, with the methods that belong into it and no further."""
    import plotly.graph_objects as go

    figure = go.Figure()
    lines = [(0.5 * at, 8 - 0.35 * at, 1.7 * at, 9.4 - 0.25 * at) for at in range(len(SETS))]
    for at, (left, right, low, high) in enumerate(lines):
        figure.add_scatter(
            x=[left, right, right, left, left],
            y=[low, low, high, high, low],
            mode="lines",
            fill="toself",
            fillcolor=f"rgba(37, 99, 201, {0.06 + 0.06 * at})",
            line={"color": style.PALETTE["training"], "width": 1},
            showlegend=False,
            hoverinfo="skip",
        )
        names = ", ".join(card.name for card in SORTINGS["methods"].cards if card.answer == at)
        text = f"<b>{SETS[at]}</b><br>{'<br>'.join(textwrap.wrap(names, 58))}"
        top = low + 1.55 if at < len(SETS) - 1 else (low + high) / 2 + 0.6
        figure.add_annotation(
            x=left + 0.15, y=top, text=text, showarrow=False, xanchor="left", yanchor="top", align="left", font_size=12
        )
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False, range=[-0.3, 9.8])
    figure.update_layout(
        template=style.template(),
        title="Each set contains the next one",
        height=430,
        margin={"l": 20, "t": 60, "b": 20},
    )
    return figure
