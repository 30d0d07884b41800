"""Figure 8.14: muon, electron or noise? Raw hits of a tracking calorimeter, and what pixels leave of them."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from course_lib import style
from course_lib.explorables.base import Explorable, choice, integer, number
from course_lib.explorables.playground.data import normal, uniform

#: Side view of the detector: along the beam and across it, in cm.
LENGTH_CM, HEIGHT_CM = 600, 240

#: A muon loses 2 MeV a cm in a liquid scintillator; hits are read every 3 cm.
LOSS_MEV_CM, STEP_CM = 2.0, 3.0

#: Radiation length, Moliere radius, critical energy of the scintillator.
RADIATION_LENGTH_CM, MOLIERE_CM, CRITICAL_ENERGY_GEV = 42.0, 10.0, 0.1

#: Energy of one hit of a shower.
HIT_MEV = 8.0

PIXELS_CM = (3, 6, 12, 24, 40, 60)
N_NOISE_HITS = 70

_STREAMS = {"muon": 140, "electron": 150, "noise": 160}


def hits(kind, energy_gev, seed):
    """Draw the hits of one event.

    Parameters
    ----------
    kind : {"muon", "electron", "noise"}
        A straight track whose length is energy / (2 MeV/cm); a shower along the gamma profile of depths, with the
        Moliere radius across; or unrelated hits anywhere.
    energy_gev : float
        Energy of the particle in GeV. Noise does not depend on it.
    seed : int

    Returns
    -------
    numpy.ndarray, shape (n, 3)
        Position along and across the beam in cm, and energy in MeV. Hits outside the detector are lost.

    Examples
    --------
    >>> track = hits("muon", 0.6, 1)
    >>> 270 < float(track[:, 0].max() - track[:, 0].min()) < 310
    True
    """
    stream = _STREAMS[kind]
    angle = 0.5 * (float(np.asarray(uniform(seed, stream, 1))[0]) - 0.5)
    if kind == "noise":
        places = np.asarray(uniform(seed, stream + 1, 2 * N_NOISE_HITS))
        energies = -4 * np.log(1 - np.asarray(uniform(seed, stream + 2, N_NOISE_HITS)) * 0.999)
        drawn = np.stack([LENGTH_CM * places[::2], HEIGHT_CM * places[1::2], energies], axis=1)
    else:
        if kind == "muon":
            count = max(2, int(energy_gev * 1000 / LOSS_MEV_CM / STEP_CM))
            along = STEP_CM * np.arange(count)
            across = 0.6 * np.asarray(normal(seed, stream + 3, count))
            energies = LOSS_MEV_CM * STEP_CM * (1 + 0.15 * np.abs(np.asarray(normal(seed, stream + 5, count))))
        else:
            count = max(2, int(energy_gev * 1000 / HIT_MEV))
            deepest = max(0.2, np.log(energy_gev / CRITICAL_ENERGY_GEV) - 0.5)
            # Gamma distribution of the depth with its maximum there; a sum of exponentials for a whole shape.
            shape = max(2, int(np.floor(1.5 + 0.5 * deepest)))
            depths = sum(
                -np.log(1 - np.asarray(uniform(seed, stream + 10 + part, count)) * 0.9999) for part in range(shape)
            )
            along = RADIATION_LENGTH_CM * depths / (shape - 1) * deepest
            across = MOLIERE_CM * (0.25 + along / LENGTH_CM) * np.asarray(normal(seed, stream + 3, count))
            energies = np.full(count, HIT_MEV)
        x = 40 + along * np.cos(angle) - across * np.sin(angle)
        y = HEIGHT_CM / 2 + along * np.sin(angle) + across * np.cos(angle)
        drawn = np.stack([x, y, energies], axis=1)
    inside = (drawn[:, 0] >= 0) & (drawn[:, 0] < LENGTH_CM) & (drawn[:, 1] >= 0) & (drawn[:, 1] < HEIGHT_CM)
    return drawn[inside]


def image(points, pixel_cm):
    """Sum the energies of hits in square pixels.

    Parameters
    ----------
    points : array_like, shape (n, 3)
        From `hits`.
    pixel_cm : int
        Side of a pixel in cm.

    Returns
    -------
    numpy.ndarray, shape (rows, columns)
        Energy in MeV; row 0 is the lowest.

    Examples
    --------
    >>> image([[1, 1, 5.0], [2, 2, 5.0], [599, 239, 1.0]], 60).shape
    (4, 10)
    """
    pixels = np.zeros((-(-HEIGHT_CM // pixel_cm), -(-LENGTH_CM // pixel_cm)))
    for x, y, energy in points:
        pixels[int(y // pixel_cm), int(x // pixel_cm)] += energy
    return pixels


def width_cm(points):
    """Return the energy-weighted width across the principal axis, in cm.

    Parameters
    ----------
    points : array_like, shape (n, 3)
        Positions in cm and energies; the smaller eigenvalue of their covariance is the square of the width.

    Examples
    --------
    >>> width_cm([[0, 0, 1], [10, 10, 1], [20, 20, 1]])
    0.0
    """
    points = np.asarray(points, dtype=float)
    weights = points[:, 2] / points[:, 2].sum()
    x, y = (points[:, axis] - (weights * points[:, axis]).sum() for axis in (0, 1))
    xx, yy, xy = (weights * x * x).sum(), (weights * y * y).sum(), (weights * x * y).sum()
    smaller = (xx + yy) / 2 - np.sqrt(((xx - yy) / 2) ** 2 + xy**2)
    return float(np.sqrt(max(0.0, smaller)))


def centres(pixels, pixel_cm):
    """Return the lit pixels of an image as points: centres in cm, and energies."""
    rows, columns = np.nonzero(pixels)
    return np.stack([(columns + 0.5) * pixel_cm, (rows + 0.5) * pixel_cm, pixels[rows, columns]], axis=1)


def _tenth(value):
    return f"{np.floor(value * 10 + 0.5) / 10:g}"


class DetectorEvents(Explorable):
    """A muon, an electron or noise in the side view of a detector, as hits and as pixels (figure 8.14).

    Parameters
    ----------
    kind : {"muon", "electron", "noise"}
        What made the hits.
    energy_gev : float
        Energy in GeV, 0.2 to 3.
    pixel_cm : int
        Side of a pixel in cm, one of `PIXELS_CM`.
    seed : int
        Of the event, 0 to 99.
    prediction : str, optional
        The student's guess; ``"skipped"`` opens with the result shown.

    Examples
    --------
    >>> DetectorEvents(kind="noise").summary().startswith("Noise")
    True
    """

    name = "detector_events"
    title = "Track, shower, or nothing"
    figure = "Figure 8.14"
    goal = "Tell muons from electrons by their pictures, then make the pixels larger until you cannot any more."
    shared_scripts = ("kit", "plot", "random_numbers")
    fields: ClassVar = {
        "kind": choice("electron", ("muon", "electron", "noise"), "what made the hits"),
        "energy_gev": number(1.0, 0.2, 3.0, "energy in GeV"),
        "pixel_cm": choice(6, PIXELS_CM, "side of a pixel in cm"),
        "seed": integer(4, 0, 99, "seed of the event"),
    }

    @classmethod
    def constants(cls):
        return {
            "detector": [LENGTH_CM, HEIGHT_CM],
            "muon": [LOSS_MEV_CM, STEP_CM],
            "shower": [RADIATION_LENGTH_CM, MOLIERE_CM, CRITICAL_ENERGY_GEV, HIT_MEV],
            "pixels": PIXELS_CM,
            "noiseHits": N_NOISE_HITS,
            "streams": _STREAMS,
        }

    def event(self):
        """Return hits, shape (n, 3), and image of the present state."""
        points = hits(self.state["kind"], self.state["energy_gev"], self.state["seed"])
        return points, image(points, self.state["pixel_cm"])

    def summary(self):
        points, pixels = self.event()
        state = self.state
        seen = width_cm(centres(pixels, state["pixel_cm"]))
        what = "Noise" if state["kind"] == "noise" else f"{state['kind'].capitalize()} of {state['energy_gev']:g} GeV"
        return (
            f"{what}: {len(points)} hits light {np.count_nonzero(pixels)} pixels of {state['pixel_cm']} cm; the width "
            f"across the axis is {_tenth(width_cm(points))} cm in hits and {_tenth(seen)} cm in pixels."
        )

    def static_figure(self):
        from plotly.subplots import make_subplots

        points, pixels = self.event()
        side = self.state["pixel_cm"]
        figure = make_subplots(rows=2, subplot_titles=["hits", f"pixels of {side} cm"], vertical_spacing=0.16)
        marker = {"size": 4, "color": style.PALETTE["training"]}
        figure.add_scatter(
            x=points[:, 0].round(1), y=points[:, 1].round(1), mode="markers", marker=marker, row=1, col=1
        )
        rows, columns = pixels.shape
        # Few pixels are lit: points cost less than an image.
        lit = centres(pixels, side)
        marker = {"symbol": "square", "size": max(3, side * 0.9), "color": lit[:, 2].round(1), "showscale": True}
        marker |= {"colorscale": style.INTENSITY, "cmin": 0, "colorbar": {"title": "MeV", "len": 0.45, "y": 0.2}}
        figure.add_scatter(x=lit[:, 0], y=lit[:, 1], mode="markers", marker=marker, row=2, col=1)
        figure.update_xaxes(title="along the beam (cm)", range=[0, columns * side], showgrid=False)
        figure.update_yaxes(title="across (cm)", range=[0, rows * side], showgrid=False)
        figure.update_layout(
            template=style.template(),
            title={"text": self.title, "subtitle": {"text": self.summary()}},
            showlegend=False,
            height=600,
        )
        return figure
