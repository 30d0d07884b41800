"""Figures 7.2 and 7.3, table 7.1: eight arrival times, the place they lead to, and how wrong it is."""

from __future__ import annotations

import functools
import math
from typing import ClassVar, NamedTuple

import numpy as np

from course_lib import style
from course_lib.explorables.base import Explorable, flag, number, numbers, written
from course_lib.explorables.receptive_field_builder import random_weights
from course_lib.simulators import earthquakes

#: How often the same quake is measured, each time with new reading errors.
N_REPEATS = 200

HALF_WIDTH_KM = earthquakes.MAP_HALF_WIDTH_KM


class Located(NamedTuple):
    """Repeated measurements of one quake.

    Attributes
    ----------
    times_s : numpy.ndarray, shape (n_repeats, 8)
    estimates_km : numpy.ndarray, shape (n_repeats, 2)
        NaN where the stations stand on one line.
    distances_km : numpy.ndarray, shape (n_repeats,)
        Between the estimates and the true place.
    sigma_km, mean_km, median_km : float
        Parameter of the Rayleigh curve with the same mean square (half of it is sigma squared), mean and median.
    """

    times_s: np.ndarray
    estimates_km: np.ndarray
    distances_km: np.ndarray
    sigma_km: float
    mean_km: float
    median_km: float


@functools.cache
def _reading_errors():
    """Normal random numbers, shape (n_repeats, 8), the same as in the browser (Box and Muller)."""
    uniform = (np.array(random_weights(7, 2 * N_REPEATS * 8)) + 1) / 2
    first, second = uniform[::2], uniform[1::2]
    return (np.sqrt(-2 * np.log(first)) * np.cos(2 * np.pi * second)).reshape(N_REPEATS, 8)


def locate(times_s, stations_km, clock_offsets_s):
    r"""Find epicentres from arrival times by linear algebra.

    Squares of distances are quadratic in the place, their differences are linear:
    :math:`d_i^2-d_1^2=|s_i|^2-|s_1|^2-2\,(s_i-s_1)\cdot x`. Least squares solve that for x.

    Parameters
    ----------
    times_s : array_like, shape (n, 2 m)
        Station 1 P, station 1 S, station 2 P, ...; the quakes happened at time 0.
    stations_km : array_like, shape (m, 2)
    clock_offsets_s : float or array_like, shape (2 m,)
        What is subtracted from the times.

    Returns
    -------
    numpy.ndarray, shape (n, 2)
        NaN where the stations stand on one line: then two places fit.

    Examples
    --------
    Without reading errors it is exact:

    >>> times_s = earthquakes.arrival_times([[-4.0, 20.0]])
    >>> locate(times_s, earthquakes.STATIONS_KM, earthquakes.CLOCK_OFFSETS_S).round(9)
    array([[-4., 20.]])
    """
    stations_km = np.asarray(stations_km, dtype=float)
    travel_s = np.asarray(times_s, dtype=float) - clock_offsets_s
    p_velocity, s_velocity = earthquakes.P_VELOCITY_KM_PER_S, earthquakes.S_VELOCITY_KM_PER_S
    # Equal reading errors in s are larger ones in km for the faster wave: weights 1 / v^2.
    weight_p, weight_s = p_velocity**-2, s_velocity**-2
    by_p, by_s = p_velocity * travel_s[:, ::2], s_velocity * travel_s[:, 1::2]
    squares = ((weight_p * by_p + weight_s * by_s) / (weight_p + weight_s)) ** 2
    lever = 2 * (stations_km[1:] - stations_km[0])
    norms = (stations_km**2).sum(axis=1)
    right = (norms[1:] - norms[0]) - (squares[:, 1:] - squares[:, :1])
    normal = lever.T @ lever
    determinant = normal[0, 0] * normal[1, 1] - normal[0, 1] ** 2
    if determinant < 1e-6 * np.trace(normal) ** 2:
        return np.full((len(travel_s), 2), np.nan)
    return np.linalg.solve(normal, lever.T @ right.T).T


def measure(source_km, stations_km, *, jitter_s, clocks_known=True):
    """Measure one quake `N_REPEATS` times.

    Parameters
    ----------
    source_km : array_like, shape (2,)
    stations_km : array_like, shape (4, 2)
    jitter_s : float
        Standard deviation of the reading error of every time.
    clocks_known : bool
        Whether the constant offsets of the clocks are subtracted.

    Returns
    -------
    Located

    Examples
    --------
    >>> located = measure([-4, 20], earthquakes.STATIONS_KM, jitter_s=0.01)
    >>> bool(located.sigma_km < located.median_km < located.mean_km)
    True
    """
    source_km = np.asarray(source_km, dtype=float)
    offsets_s = earthquakes.CLOCK_OFFSETS_S
    times_s = earthquakes.arrival_times(source_km[None], stations_km=stations_km) + jitter_s * _reading_errors()
    estimates_km = locate(times_s, stations_km, offsets_s if clocks_known else 0.0)
    distances_km = np.hypot(*(estimates_km - source_km).T)
    sigma_km = math.sqrt(np.mean(distances_km**2) / 2)
    return Located(
        times_s, estimates_km, distances_km, sigma_km, float(distances_km.mean()), float(np.median(distances_km))
    )


class EpicentreResolution(Explorable):
    """Place a quake, see the eight numbers that a network gets, and how well they fix the place (figures 7.2, 7.3).

    Parameters
    ----------
    source_km : array_like, shape (2,)
        Place of the quake, east and north, within 45 km.
    stations_km : array_like, shape (4, 2)
        Places of the stations, within 45 km.
    jitter_s : float
        Reading error of every time, from 0 to 0.1 s.
    clocks_known : bool
        Whether the constant offsets of the eight clocks are subtracted first.
    prediction : str, optional
        The student's guess; ``"skipped"`` opens with the result shown.

    Examples
    --------
    >>> EpicentreResolution(jitter_s=0).summary()
    'The quake at (−4, 20) km is seen first after 1.77 s and last after 6.6 s; the place is wrong by 0 m on average.'
    """

    name = "epicentre_resolution"
    title = "Eight times, one place"
    figure = "Figures 7.2, 7.3, table 7.1"
    goal = (
        "Find where in the map the same clocks give the worst place, and which number you would publish as resolution."
    )
    shared_scripts = ("kit", "plot")
    fields: ClassVar = {
        "source_km": numbers([-4, 20], "place of the quake in km", shape=(2,), low=-HALF_WIDTH_KM, high=HALF_WIDTH_KM),
        "stations_km": numbers(
            [[-10, 10], [10, 10], [-10, -10], [10, -10]],
            "places of the stations in km",
            shape=(4, 2),
            low=-HALF_WIDTH_KM,
            high=HALF_WIDTH_KM,
        ),
        "jitter_s": number(0.02, 0, 0.1, "reading error of every time in s"),
        "clocks_known": flag(True, "whether the offsets of the clocks are subtracted"),
    }

    @classmethod
    def constants(cls):
        y_km = np.linspace(-40, 40, 41)
        return {
            "repeats": N_REPEATS,
            "velocities": [earthquakes.P_VELOCITY_KM_PER_S, earthquakes.S_VELOCITY_KM_PER_S],
            "offsets": earthquakes.CLOCK_OFFSETS_S.tolist(),
            "border": [[round(float(x), 2), float(y)] for x, y in zip(earthquakes.border(y_km), y_km, strict=True)],
            "halfWidth": HALF_WIDTH_KM,
        }

    def measure(self):
        """Return what the present state gives, a `Located`."""
        state = self.state
        return measure(
            state["source_km"],
            state["stations_km"],
            jitter_s=state["jitter_s"],
            clocks_known=state["clocks_known"],
        )

    def summary(self):
        located = self.measure()
        x_km, y_km = map(written, self.state["source_km"])
        times_s = earthquakes.arrival_times([self.state["source_km"]], stations_km=self.state["stations_km"])
        seen = f"is seen first after {written(times_s.min())} s and last after {written(times_s.max())} s"
        if math.isnan(located.mean_km):
            return f"The quake at ({x_km}, {y_km}) km {seen}; stations on one line cannot tell its two sides apart."
        wrong_m = math.floor(1000 * located.mean_km + 0.5)
        return f"The quake at ({x_km}, {y_km}) km {seen}; the place is wrong by {wrong_m} m on average."

    def static_figure(self):
        from plotly.subplots import make_subplots

        located = self.measure()
        stations = np.array(self.state["stations_km"], dtype=float)
        figure = make_subplots(rows=1, cols=2, column_widths=[0.5, 0.5], horizontal_spacing=0.14)
        y_km = np.linspace(-40, 40, 41)
        figure.add_scatter(
            x=earthquakes.border(y_km),
            y=y_km,
            mode="lines",
            line={"color": style.PALETTE["reference"], "dash": "dash"},
            name="plate border",
        )
        estimates = located.estimates_km[:100].round(3)
        blue = {"color": style.PALETTE["training"], "size": 4}
        figure.add_scatter(x=estimates[:, 0], y=estimates[:, 1], mode="markers", marker=blue, name="located at")
        triangle = {"symbol": "triangle-up", "size": 13, "color": style.PALETTE["ink"]}
        figure.add_scatter(x=stations[:, 0], y=stations[:, 1], mode="markers", marker=triangle, name="stations")
        figure.add_histogram(
            x=(1000 * located.distances_km).round(2),
            nbinsx=25,
            marker_color=style.PALETTE["training"],
            showlegend=False,
            row=1,
            col=2,
        )
        limits = [-HALF_WIDTH_KM, HALF_WIDTH_KM]
        figure.update_xaxes(title="x (km)", range=limits, constrain="domain", row=1, col=1)
        figure.update_yaxes(title="y (km)", range=limits, scaleanchor="x", row=1, col=1)
        figure.update_xaxes(title="distance from the true place (m)", row=1, col=2)
        figure.update_yaxes(title="repetitions", row=1, col=2)
        title = {"text": self.title, "subtitle": {"text": self.summary()}}
        return figure.update_layout(template=style.template(), title=title, height=440, margin={"t": 100})
