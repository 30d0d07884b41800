"""Figure 1.2: a decision tree with three cuts, its counts, and the cut that the data would choose."""

from __future__ import annotations

import functools
import itertools
import math
from typing import ClassVar, NamedTuple

from course_lib import style
from course_lib.explorables.base import Explorable, choice, integer, number, written


class Observable(NamedTuple):
    """One measured quantity: label with unit, and the upper end of its scale, which starts at 0."""

    label: str
    high: float


OBSERVABLES = [Observable("charge x₁ (10³ e)", 60), Observable("width x₂ (mm)", 100), Observable("time x₃ (ns)", 300)]

#: Cuts of the figure: (observable, threshold); an event below the threshold goes to the left.
FIGURE_CUTS = [(0, 30.0), (1, 50.0), (2, 185.0)]

#: Signal and background in the leaves of the figure: right of cut 1, left of cut 2, left and right of cut 3.
FIGURE_LEAVES = [(10, 31), (32, 5), (12, 2), (1, 7)]

#: Mean and standard deviation of each observable.
_SIGNAL_SHAPE = [(22, 9), (41, 18), (166, 42)]
_BACKGROUND_SHAPE = [(35, 10), (57, 18), (182, 45)]

#: Where the branches of the three cuts lead: to another cut, or to one of the four leaves.
_BRANCHES = {
    1: {"left": 2, "right": "leaf 0"},
    2: {"left": "leaf 1", "right": 3},
    3: {"left": "leaf 2", "right": "leaf 3"},
}


@functools.cache
def events():
    """Return the simulated sample: 55 signal and 45 background events, which the figure's cuts sort as printed.

    Events are drawn from one Gaussian for each class and observable and kept as long as the leaf in which they
    end still lacks an event of their class, so that the counts of figure 1.2 hold exactly.

    Returns
    -------
    observables : tuple of tuple of int, 100 x 3
        Charge (10³ electrons), width (mm), time (ns).
    is_signal : tuple of bool, 100
        The signal events stand first.

    Examples
    --------
    >>> observables, is_signal = events()
    >>> len(observables), sum(is_signal)
    (100, 55)
    """
    import numpy as np

    rng = np.random.default_rng(13)
    drawn = []
    for wanted, shape in ((0, _SIGNAL_SHAPE), (1, _BACKGROUND_SHAPE)):
        missing = [leaf[wanted] for leaf in FIGURE_LEAVES]
        while any(missing):
            event = [round(rng.normal(mean, width)) for mean, width in shape]
            inside = all(0.5 < value < item.high - 0.5 for value, item in zip(event, OBSERVABLES, strict=True))
            leaf = leaf_of(event, FIGURE_CUTS)
            if inside and missing[leaf]:
                missing[leaf] -= 1
                drawn.append((tuple(event), wanted == 0))
    return tuple(event for event, _ in drawn), tuple(is_signal for _, is_signal in drawn)


def path_of(event, cuts):
    """Follow one event through the tree.

    Parameters
    ----------
    event : sequence of float
        The three observables.
    cuts : sequence of (int, float)
        Observable and threshold of the three cuts; below the threshold the event goes to the left.

    Returns
    -------
    list
        Numbers of the cuts that it meets, then the leaf (0 to 3).

    Examples
    --------
    >>> path_of((20, 70, 150), FIGURE_CUTS)
    [1, 2, 3, 2]
    """
    place, path = 1, []
    while not isinstance(place, str):
        path.append(place)
        observable, threshold = cuts[place - 1]
        place = _BRANCHES[place]["left" if event[observable] < threshold else "right"]
    return [*path, int(place.split()[1])]


def leaf_of(event, cuts):
    """Return the leaf, 0 to 3, in which an event ends.

    Examples
    --------
    >>> leaf_of((40, 10, 10), FIGURE_CUTS)
    0
    """
    return path_of(event, cuts)[-1]


def leaf_counts(cuts):
    """Count signal and background in the four leaves.

    Examples
    --------
    >>> leaf_counts(FIGURE_CUTS)
    [(10, 31), (32, 5), (12, 2), (1, 7)]
    """
    counts = [[0, 0] for _ in FIGURE_LEAVES]
    for event, is_signal in zip(*events(), strict=True):
        counts[leaf_of(event, cuts)][0 if is_signal else 1] += 1
    return [tuple(pair) for pair in counts]


class LeafMetrics(NamedTuple):
    """Efficiency and purity (None where no leaf votes signal) and accuracy, shares between 0 and 1."""

    efficiency: float
    purity: float | None
    accuracy: float


def leaf_metrics(counts):
    """Judge a tree by the counts of its leaves, each of which votes for its majority.

    Parameters
    ----------
    counts : sequence of (int, int)
        Signal and background in each leaf; a tie votes background.

    Returns
    -------
    LeafMetrics

    Examples
    --------
    >>> metrics = leaf_metrics(FIGURE_LEAVES)
    >>> metrics.efficiency, round(metrics.purity, 4), metrics.accuracy
    (0.8, 0.8627, 0.82)
    """
    n_signal, n_background = (sum(column) for column in zip(*counts, strict=True))
    found = sum(signal for signal, background in counts if signal > background)
    false = sum(background for signal, background in counts if signal > background)
    purity = found / (found + false) if found else None
    right = found + n_background - false
    return LeafMetrics(found / n_signal, purity, right / (n_signal + n_background))


def gini(n_signal, n_background):
    """Gini impurity 2 p (1 - p) of a box, 0 for an empty one.

    Examples
    --------
    >>> round(gini(55, 45), 3), gini(0, 0)
    (0.495, 0.0)
    """
    total = n_signal + n_background
    return 2 * n_signal * n_background / total**2 if total else 0.0


class Cut(NamedTuple):
    """An observable, a threshold, and the drop of the count-weighted impurity that this cut gives."""

    observable: int
    threshold: float
    gain: float


def gain(members, observable, threshold):
    """Drop of the count-weighted Gini impurity when the events `members` are cut.

    Examples
    --------
    >>> round(gain(range(100), 0, 30.0), 3)
    0.13
    """
    values, is_signal = events()
    sides = [[0, 0], [0, 0]]
    for member in members:
        sides[values[member][observable] >= threshold][0 if is_signal[member] else 1] += 1
    (left_s, left_b), (right_s, right_b) = sides
    n_left, n_right = left_s + left_b, right_s + right_b
    total = n_left + n_right
    if not total:
        return 0.0
    after = (n_left * gini(left_s, left_b) + n_right * gini(right_s, right_b)) / total
    return gini(left_s + right_s, left_b + right_b) - after


def best_cut(members, observables=(0, 1, 2)):
    """Find the cut with the largest gain; candidates lie half-way between neighbouring values.

    Parameters
    ----------
    members : sequence of int
        The events that arrive.
    observables : sequence of int
        Among which observables to search.

    Returns
    -------
    Cut or None
        None if there is nothing to cut.

    Examples
    --------
    >>> cut = best_cut(range(100))
    >>> OBSERVABLES[cut.observable].label, cut.gain > 0.1
    ('charge x₁ (10³ e)', True)
    """
    values, _ = events()
    best = None
    for observable in observables:
        distinct = sorted({values[member][observable] for member in members})
        for low, high in itertools.pairwise(distinct):
            threshold = math.floor((low + high) * 50 + 0.5) / 100
            reached = gain(members, observable, threshold)
            if best is None or reached > best.gain + 1e-12:
                best = Cut(observable, threshold, reached)
    return best


class DecisionTree(Explorable):
    """Three cuts on three observables, the counts in every box, and the cut that the data choose (figure 1.2).

    Parameters
    ----------
    observable_1, observable_2, observable_3 : int
        Which observable each cut looks at, 0 to 2.
    cut_1, cut_2, cut_3 : float
        The thresholds, in the unit of the observable; events below go to the left.
    node : int
        The cut that is shown in the histogram, 1 to 3.
    event : int
        The event whose path lights up, 0 to 99; -1 for none.

    Examples
    --------
    >>> DecisionTree().summary()
    'The tree finds 80 % of the signal with a purity of 86.27 %, and 82 % of all votes are right.'
    """

    name = "decision_tree"
    title = "A tree of three cuts"
    figure = "Figure 1.2"
    goal = "Cut by hand, then let the data choose. What does each cut win, and what does it cost?"
    shared_scripts: ClassVar = ("kit", "plot")
    fields: ClassVar = {
        **{
            f"observable_{at}": choice(observable, range(3), f"observable of cut {at}")
            for at, (observable, _) in enumerate(FIGURE_CUTS, start=1)
        },
        **{
            f"cut_{at}": number(threshold, 0, 300, f"threshold of cut {at}, in the unit of its observable")
            for at, (_, threshold) in enumerate(FIGURE_CUTS, start=1)
        },
        "node": integer(1, 1, 3, "the cut that is looked at"),
        "event": integer(-1, -1, 99, "event whose path is shown"),
    }

    @classmethod
    def constants(cls):
        values, is_signal = events()
        observables = [item._asdict() for item in OBSERVABLES]
        return {"observables": observables, "columns": list(zip(*values, strict=True)), "nSignal": sum(is_signal)}

    def reconcile(self, state):
        """Keep every threshold on the scale of its observable."""
        for at in (1, 2, 3):
            high = OBSERVABLES[state[f"observable_{at}"]].high
            state[f"cut_{at}"] = min(state[f"cut_{at}"], float(high))
        return state

    def cuts(self):
        """Return observable and threshold of the three cuts."""
        return [(self.state[f"observable_{at}"], self.state[f"cut_{at}"]) for at in (1, 2, 3)]

    def summary(self):
        metrics = leaf_metrics(leaf_counts(self.cuts()))
        right = written(100 * metrics.accuracy)
        if metrics.purity is None:
            text = f"No leaf votes signal, and {right} % of all votes are right"
        else:
            text = (
                f"The tree finds {written(100 * metrics.efficiency)} % of the signal with a purity of "
                f"{written(100 * metrics.purity)} %, and {right} % of all votes are right"
            )
        number_of_event = self.state["event"]
        if number_of_event >= 0:
            values, is_signal = events()
            signal, background = leaf_counts(self.cuts())[leaf_of(values[number_of_event], self.cuts())]
            kind = "signal" if is_signal[number_of_event] else "background"
            vote = "signal" if signal > background else "background"
            text += f"; event {number_of_event} is {kind}, the tree votes {vote}"
        return text + "."

    def static_figure(self):
        """Return the leaves as stacked bars, in the order of the tree from left to right."""
        import plotly.graph_objects as go

        counts = leaf_counts(self.cuts())
        texts = [f"{OBSERVABLES[o].label.split(' (')[0]} {{}} {written(cut)}" for o, cut in self.cuts()]
        below, above = [text.format("<") for text in texts], [text.format("≥") for text in texts]
        names = {
            1: [below[0], below[1]],
            2: [below[0], above[1], below[2]],
            3: [below[0], above[1], above[2]],
            0: [above[0]],
        }
        figure = go.Figure()
        for place, kind in enumerate(("signal", "background")):
            figure.add_bar(
                x=["<br>".join(lines) for lines in names.values()],
                y=[counts[leaf][place] for leaf in names],
                text=[counts[leaf][place] for leaf in names],
                textangle=0,
                marker_color=style.PALETTE[kind],
                name=kind,
            )
        figure.update_xaxes(title="leaf, and the cuts that lead to it (10³ e, mm, ns)")
        figure.update_yaxes(title="events", range=[0, 1.1 * max(map(max, counts))])
        figure.update_layout(
            template=style.template(),
            title={"text": "A tree of three cuts", "subtitle": {"text": self.summary()}, "y": 0.95, "yanchor": "top"},
            height=430,
            margin={"t": 120},
        )
        return figure
