"""Figures 8.12 and 8.13: two ways to number hexagonal pixels, and convolutions that turn with their input."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from course_lib import style
from course_lib.explorables.base import Explorable, Field, choice, integer

#: The patch: all cells at most so many steps from the centre.
RADIUS = 3

#: Axial coordinates (q, r) of the cells, row by row.
CELLS = tuple((q, r) for r in range(-RADIUS, RADIUS + 1) for q in range(-RADIUS, RADIUS + 1) if abs(q + r) <= RADIUS)
_PLACE = {cell: place for place, cell in enumerate(CELLS)}

#: The six neighbours in axial coordinates; each is the one before, turned by 60 degrees.
DIRECTIONS = ((1, 0), (0, 1), (-1, 1), (-1, 0), (0, -1), (1, -1))

#: First layer: weight of the centre, then of the six neighbours in the order of `DIRECTIONS`.
FIRST_FILTER = (1.0, 2.0, 1.0, 0.0, -1.0, 0.0, -2.0)

#: Second layer: one such filter for each of the six channels of the first.
SECOND_FILTERS = (
    (1.0, 1.0, 0.0, 0.0, -1.0, 0.0, 0.0),
    (0.0, 0.0, 1.0, 0.0, 0.0, -1.0, 0.0),
    (-1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0),
    (0.0, 1.0, 0.0, 0.0, 1.0, 0.0, -1.0),
    (0.0, 0.0, -1.0, 0.0, 0.0, 1.0, 0.0),
    (1.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0),
)

#: Cells that are lit at the start: a bent track.
TRACK = tuple(_PLACE[cell] for cell in ((-3, 0), (-2, 0), (-1, 0), (0, 0), (0, 1), (0, 2), (0, 3)))


def turned(cell, turns=1):
    """Turn a cell around the centre by 60 degrees, `turns` times.

    Parameters
    ----------
    cell : tuple of int
        Axial coordinates (q, r).
    turns : int

    Returns
    -------
    tuple of int
        (q, r) becomes (-r, q + r) at each turn.

    Examples
    --------
    >>> turned((1, 0)), turned((1, 0), 6)
    ((0, 1), (1, 0))
    """
    q, r = cell
    for _ in range(turns % 6):
        q, r = -r, q + r
    return q, r


def offset(cell):
    """Return (row, column) of a cell when odd rows are shifted to the right by half a cell.

    Examples
    --------
    >>> offset((1, 0)), offset((-1, 1)), offset((0, 1))
    ((0, 1), (1, -1), (1, 0))
    """
    q, r = cell
    return r, q + (r - r % 2) // 2


def neighbour_steps(cell, system):
    """Return the steps to the six neighbours of a cell.

    Parameters
    ----------
    cell : tuple of int
        Axial coordinates (q, r).
    system : {"axial", "offset"}

    Returns
    -------
    list of list of int
        Changes of (q, r) or of (row, column), in the order of `DIRECTIONS`. Axial: always the same six. Offset: they
        depend on whether the row is even or odd.

    Examples
    --------
    >>> neighbour_steps((0, 0), "offset") == neighbour_steps((0, 2), "offset")
    True
    >>> neighbour_steps((0, 0), "offset") == neighbour_steps((0, 1), "offset")
    False
    """
    if system == "axial":
        return [list(step) for step in DIRECTIONS]
    row, column = offset(cell)
    around = [offset((cell[0] + q, cell[1] + r)) for q, r in DIRECTIONS]
    return [[other_row - row, other_column - column] for other_row, other_column in around]


def picture(lit, turns):
    """Return the values of all cells, shape (37,): 1 where `lit`, turned by `turns` times 60 degrees."""
    values = np.zeros(len(CELLS))
    values[[_PLACE[turned(CELLS[place], turns)] for place in lit]] = 1.0
    return values


def _convolve(values, weights, turns):
    """Cross-correlation with zeros around the patch; the filter is turned by `turns` times 60 degrees."""
    result = weights[0] * values
    for direction in range(6):
        step = DIRECTIONS[(direction + turns) % 6]
        for place, (q, r) in enumerate(CELLS):
            other = _PLACE.get((q + step[0], r + step[1]))
            if other is not None:
                result[place] += weights[1 + direction] * values[other]
    return result


def channels(values, layer):
    """Apply one or two layers of a group convolution to a hexagonal picture.

    Parameters
    ----------
    values : array_like, shape (37,)
        One number for each cell of `CELLS`.
    layer : {1, 2}
        How many layers.

    Returns
    -------
    numpy.ndarray, shape (6, 37)
        Channel k belongs to the orientation k x 60 degrees. Layer 1: y_k = (T_k w) * x. Layer 2, after a ReLU:
        z_k = sum_j (T_k v_(j - k)) * y_j (Hoogeboom and others, HexaConv, 2018).

    Examples
    --------
    >>> channels(picture(TRACK, 0), 2).shape
    (6, 37)
    """
    first = np.array([_convolve(np.asarray(values, dtype=float), FIRST_FILTER, turn) for turn in range(6)])
    if layer == 1:
        return first
    active = np.maximum(first, 0)
    return np.array(
        [sum(_convolve(active[j], SECOND_FILTERS[(j - turn) % 6], turn) for j in range(6)) for turn in range(6)]
    )


def equivariance_error(lit, turns, layer, *, shared=True):
    """Compare the channels of a turned picture with turned channels of the picture.

    Parameters
    ----------
    lit : list of int
        Lit cells.
    turns, layer : int
        Turns by 60 degrees, and number of layers.
    shared : bool
        Whether channels are also shifted cyclically by `turns`. Without that, channel k is compared with channel k.

    Returns
    -------
    float
        Largest difference of two cells.

    Examples
    --------
    >>> equivariance_error(TRACK, 1, 2), equivariance_error(TRACK, 1, 2, shared=False) > 1
    (0.0, True)
    """
    seen, expected = channels(picture(lit, turns), layer), np.zeros((6, len(CELLS)))
    order = [_PLACE[turned(cell, turns)] for cell in CELLS]
    for channel, values in enumerate(channels(picture(lit, 0), layer)):
        expected[(channel + (turns if shared else 0)) % 6, order] = values
    return float(np.abs(seen - expected).max())


def _check_lit(value):
    good = isinstance(value, list | tuple) and all(type(place) is int and 0 <= place < len(CELLS) for place in value)
    if not good or len(set(value)) != len(value):
        raise ValueError(f"must be a list of different cells, 0 to {len(CELLS) - 1}")
    return sorted(value)


class HexagonalGrid(Explorable):
    """Hexagonal pixels: coordinates and neighbours (figure 8.12), and a group convolution (figure 8.13).

    Parameters
    ----------
    show : {"coordinates", "channels"}
        Numbers and neighbours of one cell, or the six channels of a layer.
    system : {"axial", "offset"}
        How cells are numbered.
    cell : int
        The cell whose neighbours are shown, 0 to 36.
    lit : list of int
        Cells of the picture that are lit.
    turns : int
        Turns of the picture by 60 degrees, 0 to 5.
    layer : {1, 2}
        Layer whose channels are shown.
    prediction : str, optional
        The student's guess; ``"skipped"`` opens with the result shown.

    Examples
    --------
    >>> HexagonalGrid(show="channels", turns=2).summary().split(": ")[0]
    'Layer 1, picture turned by 120 degrees'
    """

    name = "hexagonal_grid"
    title = "Six neighbours"
    figure = "Figures 8.12 and 8.13"
    goal = "Find the numbering with the same neighbours everywhere; then turn the picture and follow its channels."
    fields: ClassVar = {
        "show": choice("coordinates", ("coordinates", "channels"), "numbers of the cells, or channels of a layer"),
        "system": choice("axial", ("axial", "offset"), "how cells are numbered"),
        "cell": integer(_PLACE[(0, 0)], 0, len(CELLS) - 1, "the cell whose neighbours are shown"),
        "lit": Field(sorted(TRACK), "lit cells", _check_lit, samples=([], sorted(TRACK), [3, 17, 18, 30])),
        "turns": integer(0, 0, 5, "turns of the picture by 60 degrees"),
        "layer": choice(1, (1, 2), "layer whose channels are shown"),
    }

    @classmethod
    def constants(cls):
        return {
            "cells": CELLS,
            "directions": DIRECTIONS,
            "first": FIRST_FILTER,
            "second": SECOND_FILTERS,
        }

    def summary(self):
        state = self.state
        if state["show"] == "coordinates":
            cell, axial = CELLS[state["cell"]], state["system"] == "axial"
            here = cell if axial else offset(cell)
            steps = ", ".join(f"+({one}, {other})" for one, other in neighbour_steps(cell, state["system"]))
            row = "odd" if cell[1] % 2 else "even"
            where = "the same steps in every row" if axial else f"as in every {row} row, other steps in the others"
            text = f"{state['system'].capitalize()}: cell ({here[0]}, {here[1]}) has the neighbours {steps}, {where}."
            return text.replace("-", "−")
        error = equivariance_error(state["lit"], state["turns"], state["layer"])
        plain = equivariance_error(state["lit"], state["turns"], state["layer"], shared=False)
        return (
            f"Layer {state['layer']}, picture turned by {60 * state['turns']} degrees: the six channels are those of "
            f"the unturned picture, turned and shifted by {state['turns']} places, with a difference of {error:g}; "
            f"without the shift they differ by up to {plain:g}."
        )

    def static_figure(self):
        import textwrap

        from plotly.subplots import make_subplots

        state = self.state
        across = np.array([q + r / 2 for q, r in CELLS])
        down = np.array([r * np.sqrt(3) / 2 for _, r in CELLS])
        if state["show"] == "coordinates":
            figure = make_subplots(cols=2, subplot_titles=["axial (q, r)", "offset (row, column)"])
            near = [(CELLS[state["cell"]][0] + q, CELLS[state["cell"]][1] + r) for q, r in DIRECTIONS]
            colours = [
                style.PALETTE["highlight"]
                if place == state["cell"]
                else style.PALETTE["test"]
                if cell in near
                else style.PALETTE["grid"]
                for place, cell in enumerate(CELLS)
            ]
            for column, label in ((1, lambda cell: cell), (2, offset)):
                text = [f"{one},{other}".replace("-", "−") for one, other in map(label, CELLS)]
                marker = {"symbol": "hexagon2", "size": 34, "color": colours}
                figure.add_scatter(x=across, y=down, text=text, mode="markers+text", marker=marker, row=1, col=column)
            height = 480
        else:
            figure = make_subplots(rows=2, cols=3, subplot_titles=[f"channel {60 * k}°" for k in range(6)])
            values = channels(picture(state["lit"], state["turns"]), state["layer"])
            limit = float(np.abs(values).max()) or 1.0
            for k in range(6):
                marker = {"symbol": "hexagon2", "size": 19, "color": values[k].astype(np.float32)}
                marker |= {"colorscale": style.DIVERGING, "cmin": -limit, "cmax": limit}
                figure.add_scatter(x=across, y=down, mode="markers", marker=marker, row=1 + k // 3, col=1 + k % 3)
            height = 560
        lines = textwrap.wrap(self.summary(), 110)
        figure.update_xaxes(title="x (cell widths)", showgrid=False, zeroline=False, range=[-3.8, 3.8])
        figure.update_yaxes(title="y (cell widths)", showgrid=False, zeroline=False, range=[3.4, -3.4])
        figure.update_layout(
            template=style.template(),
            title={"text": self.title, "subtitle": {"text": "<br>".join(lines)}, "y": 0.97, "yanchor": "top"},
            showlegend=False,
            height=height + 18 * len(lines),
            margin_t=96 + 18 * len(lines),
        )
        return figure
