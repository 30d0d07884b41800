"""Figure 2.1: six types of data, the array that holds each, and what flattening throws away."""

from __future__ import annotations

import math
from typing import ClassVar, NamedTuple

import numpy as np

from course_lib.explorables.base import Explorable, Panel, choice, figure_of_panels, flag, integer, written
from course_lib.explorables.receptive_field_builder import random_weights

#: Kind -> (name, what the slider changes, batch shape in words).
KINDS = {
    "events": ("table of events", "events k", "(k, n)"),
    "sequence": ("sequence", "pulse height", "(k, T, n)"),
    "camera": ("camera image", "shower angle", "(k, H, W, C)"),
    "collision": ("collision on a grid", "particles", "(k, H, W, C)"),
    "film": ("film: grid and time", "speed of the spot", "(k, T, H, W, C)"),
    "cloud": ("point cloud", "points", "(k, N, 3 + f) and a mask"),
    "ensemble": ("detector ensemble", "distance of the source", "a dict of arrays"),
}

SIDE = 12  # pixels of the camera and of the collision, along one axis
N_TIMES = 40  # samples of the pulse
FILM = (10, 5)  # frames, and pixels along one side of a frame
N_VARIABLES = 5  # of an event
MAXIMUM_POINTS = 24  # of the point cloud; shorter ones are filled up with zeros

#: Parts of the detector ensemble and their shapes: station positions, arrival times of two waves, alive or not.
ENSEMBLE = {"position": (4, 2), "times": (4, 2), "alive": (4,)}


class Measurement(NamedTuple):
    """One simulated measurement.

    Attributes
    ----------
    values : numpy.ndarray, shape (n,)
        One input of a network, flattened.
    shape : tuple of int
        Shape of the input before it was flattened; for the ensemble of its flattened form.
    """

    values: np.ndarray
    shape: tuple[int, ...]


def _pulse(time_ns, start_ns, rise_ns):
    late = max(time_ns - start_ns, 0.0) / rise_ns
    return late * math.exp(1 - late)


def simulate(kind, amount):
    """Simulate one measurement of each kind; the browser computes the same numbers.

    Parameters
    ----------
    kind : str
        A key of `KINDS`.
    amount : int
        1 to 10: pulse height, angle, number of particles or points, speed, distance.

    Returns
    -------
    Measurement

    Examples
    --------
    >>> simulate("film", 5).shape
    (10, 5, 5, 1)
    """
    draw = iter(random_weights(5, 400))
    if kind == "events":
        # Energy (TeV), pseudorapidity, azimuth (rad), opening angle (rad), number of tracks (10).
        rows = [
            [abs(next(draw)) + 0.2, 2 * next(draw), math.pi * next(draw), abs(next(draw)), abs(next(draw)) + 0.3]
            for _ in range(amount)
        ]
        return Measurement(np.array(rows[0]), (N_VARIABLES,))
    if kind == "sequence":
        times_ns = [10 * index / (N_TIMES - 1) for index in range(N_TIMES)]
        values = [2 * amount * _pulse(time_ns, 2.0, 1.2) + 0.3 * next(draw) for time_ns in times_ns]
        return Measurement(np.array(values), (N_TIMES, 1))
    if kind == "camera":
        angle = math.pi * amount / 10
        values = []
        for row in range(SIDE):
            for column in range(SIDE):
                # Odd rows of hexagonal pixels are shifted by half a pixel.
                x = column + 0.5 * (row % 2) - SIDE / 2 + 0.25
                y = (row - (SIDE - 1) / 2) * math.sqrt(0.75)
                along, across = x * math.cos(angle) + y * math.sin(angle), y * math.cos(angle) - x * math.sin(angle)
                light = 10 * math.exp(-0.5 * ((along / 3.2) ** 2 + (across / 1.0) ** 2))
                values.append(max(0.0, light + 0.6 * next(draw)))
        return Measurement(np.array(values), (SIDE, SIDE, 1))
    if kind == "collision":
        values = np.zeros((SIDE, SIDE))
        for number in range(4 * amount):
            # Two jets, back to back in azimuth, and some particles anywhere.
            centre = ((0.3, 0.25), (0.62, 0.75), (0.5, 0.5))[number % 3]
            width = (0.14, 0.14, 0.5)[number % 3]
            eta, phi = (min(max(middle + width * next(draw), 0.0), 0.999) for middle in centre)
            values[int(SIDE * phi), int(SIDE * eta)] += abs(next(draw)) * 20
        return Measurement(values.ravel(), (SIDE, SIDE, 1))
    if kind == "film":
        n_frames, side = FILM
        values = []
        for frame in range(n_frames):
            for row in range(side):
                for column in range(side):
                    x, y = 0.3 + 0.05 * amount * frame, 0.6 + 0.035 * amount * frame
                    light = 9 * math.exp(-((column - x) ** 2 + (row - y) ** 2) / 1.1)
                    values.append(max(0.0, light + 0.5 * next(draw)))
        return Measurement(np.array(values), (n_frames, side, side, 1))
    if kind == "cloud":
        rows = []
        for _ in range(2 * amount + 4):
            x, y, z = 2 * next(draw), 2 * next(draw), next(draw)
            rows.append([x, y, z, 20 - 2 * x + 1.5 * z + 0.3 * next(draw)])
        rows += [[0.0] * 4] * (MAXIMUM_POINTS - len(rows))
        return Measurement(np.array(rows).ravel(), (MAXIMUM_POINTS, 4))
    if kind == "ensemble":
        place = (4.0 * amount, 6.0)
        stations = [(-10.0, 10.0), (10.0, 10.0), (-10.0, -10.0), (10.0, -10.0)]
        far = [math.hypot(x - place[0], y - place[1]) for x, y in stations]
        values = [number for station in stations for number in station]
        values += [time_s for distance in far for time_s in (distance / 7, distance / 5)]
        values += [1.0, 1.0, 0.0 if amount > 7 else 1.0, 1.0]
        return Measurement(np.array(values), (len(values),))
    raise ValueError(f"kind must be one of {', '.join(KINDS)}, not {kind!r}")


def permutation(n):
    """Return a fixed order of n places, the same in the browser (Fisher and Yates' shuffle).

    Parameters
    ----------
    n : int

    Returns
    -------
    list of int

    Examples
    --------
    >>> sorted(permutation(5))
    [0, 1, 2, 3, 4]
    """
    order, draw = list(range(n)), random_weights(n, max(n - 1, 1))
    for at in range(n - 1, 0, -1):
        other = math.floor((draw[at - 1] + 1) / 2 * (at + 1))
        order[at], order[other] = order[other], order[at]
    return order


def node_sum(values, order):
    """Weighted sum of one node of a plain network, its inputs and its weights taken in the given order.

    Parameters
    ----------
    values : sequence of float
    order : sequence of int

    Returns
    -------
    float
        The same for every order, apart from rounding.

    Examples
    --------
    >>> round(node_sum([1.0, 2.0, 3.0], [0, 1, 2]) - node_sum([1.0, 2.0, 3.0], [2, 0, 1]), 12)
    0.0
    """
    weights = random_weights(99, len(values))
    return sum(weights[place] * values[place] for place in order)


def neighbour_likeness(values):
    """Correlation of each entry of a vector with the next one.

    Parameters
    ----------
    values : array_like, shape (n,)

    Returns
    -------
    float
        From -1 to 1; near 0 when neighbours have nothing to do with each other.

    Examples
    --------
    >>> round(neighbour_likeness([0.0, 1.0, 2.0, 3.0]), 3)
    1.0
    """
    values = np.asarray(values, dtype=float)
    return float(np.corrcoef(values[:-1], values[1:])[0, 1])


class DataTypes(Explorable):
    """Six types of data as pictures, as arrays and as plain vectors (figure 2.1).

    Parameters
    ----------
    kind : {"events", "sequence", "camera", "collision", "film", "cloud", "ensemble"}
        The type of data; camera and collision are both regular grids.
    amount : int
        1 to 10: what is measured.
    permuted : bool
        Put the entries of the vector into another, fixed order.

    Examples
    --------
    >>> DataTypes(kind="camera").summary()
    'Camera image: one input has the shape (12, 12, 1), and flattened it is a vector of 144 numbers.'
    """

    name = "data_types"
    title = "Six types of data"
    figure = "Figure 2.1"
    goal = (
        "Turn every measurement into a plain vector, shuffle the vector by one fixed rule, and find out who notices: "
        "you, or a node that sums up weighted inputs."
    )
    shared_scripts = ("kit", "plot")
    fields: ClassVar = {
        "kind": choice("camera", list(KINDS), "type of data"),
        "amount": integer(3, 1, 10, "pulse height, angle, particles, speed, points or distance"),
        "permuted": flag(False, "entries in another, fixed order"),
    }

    @classmethod
    def constants(cls):
        return {
            "kinds": [[kind, *texts] for kind, texts in KINDS.items()],
            "side": SIDE,
            "nTimes": N_TIMES,
            "film": FILM,
            "points": MAXIMUM_POINTS,
        }

    def measurement(self):
        """Return the `Measurement` of the present state, always in its own order."""
        return simulate(self.state["kind"], self.state["amount"])

    def vector(self):
        """Return the input vector as the network gets it, permuted or not: an array of shape (n,)."""
        values = self.measurement().values
        return values[permutation(len(values))] if self.state["permuted"] else values

    def summary(self):
        """Say what shape the input has."""
        kind, (values, shape) = self.state["kind"], self.measurement()
        written_shape = "(" + ", ".join(map(str, shape)) + ("," if len(shape) == 1 else "") + ")"
        if kind == "ensemble":
            written_shape = " + ".join(str(part) for part in ENSEMBLE.values())
        name = KINDS[kind][0]
        order = ", here in another order" if self.state["permuted"] else ""
        return (
            f"{name[0].upper()}{name[1:]}: one input has the shape {written_shape}, and flattened it is a vector of "
            f"{len(values)} numbers{order}."
        )

    def static_figure(self):
        """Return the measurement before and after the permutation."""
        values, shape = self.measurement()
        shuffled = values[permutation(len(values))]
        n_columns = {"events": 5, "sequence": 20, "film": 25, "cloud": 12}.get(self.state["kind"], 4)
        n_columns = shape[1] if self.state["kind"] in {"camera", "collision"} else n_columns
        titles = ("as measured", "the same numbers in another order")
        total = written(node_sum(values, range(len(values))))
        return figure_of_panels(
            [
                Panel(numbers.reshape(-1, n_columns), title, colours="intensity", numbers=False)
                for numbers, title in zip((values, shuffled), titles, strict=True)
            ],
            title=f"{self.title}: {KINDS[self.state['kind']][0]}",
            summary=f"{self.summary()} One node sums up {total} in both orders.",
        )
