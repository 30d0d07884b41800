"""Section 5.1: efficiency, purity and accuracy at a threshold, and two curves that are both called ROC."""

from __future__ import annotations

import math
from typing import ClassVar, NamedTuple

import numpy as np

from course_lib import style
from course_lib.explorables.base import Explorable, choice, number, written

#: Events in the table.
N_EVENTS = 1000

#: Places where the curves are computed: the observable in units of its width.
_PLACES = np.linspace(-8.0, 8.0, 641)


def normal_tail(x):
    """Share of a standard normal distribution above `x`.

    Examples
    --------
    >>> round(float(normal_tail(1.0)), 4)
    0.1587
    """
    return 0.5 * np.vectorize(math.erfc)(np.asarray(x, dtype=float) / math.sqrt(2))


class Rates(NamedTuple):
    """What a threshold gives, each a share.

    Attributes
    ----------
    efficiency, false_positive_rate, purity, accuracy : float or numpy.ndarray
    """

    efficiency: float
    false_positive_rate: float
    purity: float
    accuracy: float


def rates_at(place, separation, prevalence):
    """Rates of the cut ``x > place`` on two normal distributions of width 1, eqs. (5.3) to (5.5).

    Parameters
    ----------
    place : array_like
        The cut, in units of the width; halfway between the classes is 0.
    separation : float
        Distance of the class means.
    prevalence : float
        Share of class A among all events.

    Returns
    -------
    Rates

    Examples
    --------
    >>> [round(float(rate), 2) for rate in rates_at(0.0, 1.0, 0.05)]
    [0.69, 0.31, 0.11, 0.69]
    """
    efficiency, false = normal_tail(place - separation / 2), normal_tail(place + separation / 2)
    accepted = prevalence * efficiency + (1 - prevalence) * false
    with np.errstate(invalid="ignore", divide="ignore"):
        purity = np.where(accepted > 0, prevalence * efficiency / accepted, 1.0)
    return Rates(efficiency, false, purity, prevalence * efficiency + (1 - prevalence) * (1 - false))


def areas(separation, prevalence):
    """Area under the usual ROC curve, and under the curve of 1 - purity against efficiency.

    Parameters
    ----------
    separation, prevalence : float
        See `rates_at`.

    Returns
    -------
    auc, impurity_area : float

    Examples
    --------
    >>> [round(area, 2) for area in areas(1.0, 0.5)]
    [0.76, 0.25]
    """
    rates = rates_at(_PLACES, separation, prevalence)
    order = np.argsort(rates.efficiency)
    impurity = np.trapezoid((1 - rates.purity)[order], rates.efficiency[order])
    auc = np.trapezoid(rates.efficiency[order], rates.false_positive_rate[order])
    return float(auc), float(impurity)


class WorkingPoint(Explorable):
    """Choose the threshold of a classifier and read off efficiency, purity and accuracy.

    Parameters
    ----------
    threshold : float
        An event is accepted as A if the network's output is larger, 0.01 to 0.99.
    separation : float
        Distance of the class means in units of their width, 0.25 to 3.
    prevalence : float
        Share of class A: 0.5, 0.2, 0.05 or 0.01.
    curve : str
        ``"roc"`` (efficiency against false-positive rate) or ``"purity"`` (1 - purity against efficiency).

    Examples
    --------
    >>> rare, even = WorkingPoint(prevalence=0.05), WorkingPoint(prevalence=0.5)
    >>> rare.areas()[0] == even.areas()[0]
    True
    """

    name = "working_point"
    title = "The working point"
    figure = "Equations 5.3 to 5.5"
    goal = "Class A is rare: find a threshold with a purity above one half, and see what it costs in efficiency."
    shared_scripts = ("kit", "plot")
    fields: ClassVar = {
        "threshold": number(0.5, 0.01, 0.99, "accepted as A above this output"),
        "separation": number(1, 0.25, 3, "distance of the class means in units of their width"),
        "prevalence": choice(0.5, [0.5, 0.2, 0.05, 0.01], "share of class A"),
        "curve": choice("roc", ["roc", "purity"], "which pair of axes"),
    }

    def rates(self):
        """Return the `Rates` at the present threshold."""
        state = self._state
        # The output of a network trained on equal numbers of both: the probability of A given x.
        place = math.log(state["threshold"] / (1 - state["threshold"])) / state["separation"]
        return Rates(*map(float, rates_at(place, state["separation"], state["prevalence"])))

    def areas(self):
        """Return the areas under both curves, see `areas`."""
        return areas(self._state["separation"], self._state["prevalence"])

    def summary(self):
        rates = self.rates()
        auc, impurity = self.areas()
        return (
            f"Above {written(self._state['threshold'])}: efficiency {written(rates.efficiency)}, purity "
            f"{written(rates.purity)}, accuracy {written(rates.accuracy)}; area under the ROC curve {written(auc)}, "
            f"under 1 − purity against efficiency {written(impurity)}."
        )

    def static_figure(self):
        from plotly.subplots import make_subplots

        state, here = self._state, self.rates()
        rates = rates_at(_PLACES[::8], state["separation"], state["prevalence"])
        figure = make_subplots(rows=1, cols=2, horizontal_spacing=0.14)
        x = _PLACES[::8]
        for sign, label, share in ((1, "signal", state["prevalence"]), (-1, "background", 1 - state["prevalence"])):
            density = share * np.exp(-0.5 * (x - sign * state["separation"] / 2) ** 2) / math.sqrt(2 * math.pi)
            name = "class A" if sign == 1 else "not A"
            figure.add_scatter(x=x, y=density, name=name, line_color=style.PALETTE[label], row=1, col=1)
        usual = state["curve"] == "roc"
        curve = (rates.false_positive_rate, rates.efficiency) if usual else (rates.efficiency, 1 - rates.purity)
        point = (here.false_positive_rate, here.efficiency) if usual else (here.efficiency, 1 - here.purity)
        figure.add_scatter(x=curve[0], y=curve[1], name="all thresholds", line_color=style.PALETTE["ink"], row=1, col=2)
        figure.add_scatter(
            x=point[:1], y=point[1:], mode="markers", name="working point", marker={"size": 11}, row=1, col=2
        )
        figure.update_traces(marker_color=style.PALETTE["highlight"], selector={"name": "working point"})
        figure.update_xaxes(title="observable x (widths)", range=[-4, 4], row=1, col=1)
        figure.update_yaxes(title="density", row=1, col=1)
        figure.update_xaxes(title="false-positive rate" if usual else "efficiency", range=[0, 1], row=1, col=2)
        figure.update_yaxes(title="efficiency" if usual else "1 − purity", range=[0, 1], row=1, col=2)
        return figure.update_layout(
            template=style.template(),
            title={"text": self.title, "subtitle": {"text": self.summary()}},
            legend={"y": -0.2, "yanchor": "top"},
            margin={"t": 90, "b": 90},
            height=430,
        )
