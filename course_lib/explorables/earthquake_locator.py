"""Figures 2.2 and 2.3: two waves run from an earthquake to four stations, and circles find the epicentre."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from course_lib import style
from course_lib.explorables.base import Explorable, flag, integer, number, written
from course_lib.simulators import earthquakes

#: Half the side of the map in km.
HALF_WIDTH_KM = 45.0

#: From one step of the animation to the next, in s, and how many there are.
STEP_S = 0.25
N_STEPS = 72

#: Earlier quakes whose arrivals fill the two bands.
N_EARLIER = 30

#: The assumed S wave must stay slower than the assumed P wave by this, in km/s: else no delay, no distance.
LEAST_DIFFERENCE_KM_PER_S = 0.5

P_COLOUR, S_COLOUR = style.SEQUENCE[6], style.SEQUENCE[4]


def distances(x_km, y_km):
    """Distances of a place from the four stations.

    Parameters
    ----------
    x_km, y_km : float

    Returns
    -------
    numpy.ndarray, shape (4,)
        In km.

    Examples
    --------
    >>> distances(-10.0, 45.0)[0]
    np.float64(35.0)
    """
    return np.hypot(*(earthquakes.STATIONS_KM - [x_km, y_km]).T)


def arrivals(x_km, y_km, *, origin_time_s=0.0, offsets=False):
    """Clock times at which both waves reach the four stations.

    Parameters
    ----------
    x_km, y_km : float
        The epicentre.
    origin_time_s : float
        When the quake happened.
    offsets : bool
        Whether every channel has its constant clock offset.

    Returns
    -------
    numpy.ndarray, shape (4, 2)
        P and S in s.

    Examples
    --------
    >>> arrivals(-10.0, 45.0, origin_time_s=1.0)[0]
    array([6., 8.])
    """
    clock = earthquakes.CLOCK_OFFSETS_S if offsets else 0.0
    return earthquakes.arrival_times([[x_km, y_km]], clock_offsets_s=clock, origin_time_s=origin_time_s).reshape(4, 2)


def circle_radii(times_s, v_p, v_s):
    r"""Distance of the source from each station, from the delay of S after P.

    .. math:: d = (t_S - t_P) \, (1/v_S - 1/v_P)^{-1}

    Parameters
    ----------
    times_s : array_like, shape (4, 2)
    v_p, v_s : float
        Assumed speeds in km/s.

    Returns
    -------
    numpy.ndarray, shape (4,)
        In km.

    Examples
    --------
    >>> circle_radii([[6.0, 8.0]] * 4, 7.0, 5.0)
    array([35., 35., 35., 35.])
    """
    times_s = np.asarray(times_s, dtype=float)
    return (times_s[:, 1] - times_s[:, 0]) / (1 / v_s - 1 / v_p)


class EarthquakeLocator(Explorable):
    """Waves, arrival times and circles: the physicist's model of an earthquake (figures 2.2 and 2.3).

    Parameters
    ----------
    x, y : float
        Epicentre in km, east and north, from -45 to 45.
    step : int
        Quarter seconds since the quake, 0 to 72.
    origin_time : float
        What the clocks show when the quake happens, in s, 0 to 5.
    v_p, v_s : float
        Speeds that the model assumes, in km/s; nature has 7 and 5.
    n_stations : int
        Stations that are used, 1 to 4.
    offsets : bool
        Whether every channel has a constant, unknown clock offset of about 0.1 s.

    Examples
    --------
    >>> round(EarthquakeLocator(v_p=7, v_s=5, step=72).miss_km(), 6)
    0.0
    """

    name = "earthquake_locator"
    title = "Where was the earthquake?"
    figure = "Figures 2.2 and 2.3"
    goal = "Find the two speeds with which the points lie on the lines and all circles meet at the epicentre."
    shared_scripts = ("kit", "plot")
    fields: ClassVar = {
        "x": number(16.0, -HALF_WIDTH_KM, HALF_WIDTH_KM, "epicentre, km east"),
        "y": number(22.0, -HALF_WIDTH_KM, HALF_WIDTH_KM, "epicentre, km north"),
        "step": integer(24, 0, N_STEPS, "quarter seconds since the quake"),
        "origin_time": number(0.0, 0, 5, "clock time of the quake in s"),
        "v_p": number(6.0, 4, 10, "assumed speed of the P wave in km/s"),
        "v_s": number(4.0, 2, 8, "assumed speed of the S wave in km/s"),
        "n_stations": integer(4, 1, 4, "stations used"),
        "offsets": flag(False, "constant clock offset of every channel"),
    }

    @classmethod
    def constants(cls):
        return {
            "stations": earthquakes.STATIONS_KM.tolist(),
            "clockOffsets": earthquakes.CLOCK_OFFSETS_S.tolist(),
            "speeds": [earthquakes.P_VELOCITY_KM_PER_S, earthquakes.S_VELOCITY_KM_PER_S],
            "earlier": earthquakes.epicentres(N_EARLIER, seed=2).round(1).tolist(),
            "halfWidth": HALF_WIDTH_KM,
            "stepSeconds": STEP_S,
            "steps": N_STEPS,
            "leastDifference": LEAST_DIFFERENCE_KM_PER_S,
            "waveColours": [P_COLOUR, S_COLOUR],
        }

    def reconcile(self, state):
        """Keep the assumed S wave slower than the assumed P wave."""
        state["v_s"] = min(state["v_s"], state["v_p"] - LEAST_DIFFERENCE_KM_PER_S)
        return state

    def radii_km(self):
        """Return the radii of the circles of all four stations, in km."""
        state = self.state
        times_s = arrivals(state["x"], state["y"], origin_time_s=state["origin_time"], offsets=state["offsets"])
        return circle_radii(times_s, state["v_p"], state["v_s"])

    def heard(self):
        """Return for each station whether it is used and both waves have arrived: an array of four flags."""
        state = self.state
        times_s = arrivals(state["x"], state["y"], offsets=state["offsets"])
        return (times_s[:, 1] <= state["step"] * STEP_S + 1e-9) & (np.arange(4) < state["n_stations"])

    def miss_km(self):
        """Return the root mean square distance in km of the drawn circles from the epicentre, or None without any."""
        heard = self.heard()
        if not heard.any():
            return None
        residual = (self.radii_km() - distances(self.state["x"], self.state["y"]))[heard]
        return float(np.sqrt(np.mean(residual**2)))

    def summary(self):
        """Say who has heard the quake and how far the circles miss it."""
        state, heard, miss_km = self.state, int(self.heard().sum()), self.miss_km()
        told = (
            "so that no circle can be drawn yet"
            if miss_km is None
            else f"and with {written(state['v_p'])} and {written(state['v_s'])} km/s "
            f"the circle{'s miss' if heard > 1 else ' misses'} the epicentre by {written(miss_km)} km"
        )
        return (
            f"{written(state['step'] * STEP_S)} s after the quake {heard} of {state['n_stations']} "
            f"station{'s have' if state['n_stations'] > 1 else ' has'} heard both waves, {told}."
        )

    def static_figure(self):
        """Return the map with the circles beside the arrival times."""
        import textwrap

        from plotly.subplots import make_subplots

        state = self.state
        figure = make_subplots(cols=2, horizontal_spacing=0.14)
        earlier_km = np.array(self.constants()["earlier"])
        figure.add_scatter(
            x=earlier_km[:, 0],
            y=earlier_km[:, 1],
            mode="markers",
            name="earlier quakes",
            marker={"color": style.PALETTE["background"], "size": 5},
            row=1,
            col=1,
        )
        stations_km = earthquakes.STATIONS_KM[: state["n_stations"]]
        figure.add_scatter(
            x=stations_km[:, 0],
            y=stations_km[:, 1],
            mode="markers+text",
            text=[str(number + 1) for number in range(len(stations_km))],
            textposition="top center",
            name="stations",
            marker={"color": style.PALETTE["ink"], "size": 10, "symbol": "square"},
            row=1,
            col=1,
        )
        angle = np.linspace(0, 2 * np.pi, 73)
        radii_km = self.radii_km()
        for at, (centre_x, centre_y) in enumerate(stations_km):
            figure.add_scatter(
                x=(centre_x + radii_km[at] * np.cos(angle)).astype("float32"),
                y=(centre_y + radii_km[at] * np.sin(angle)).astype("float32"),
                mode="lines",
                name="circles from the delay",
                showlegend=at == 0,
                line={"color": style.PALETTE["highlight"], "width": 2},
                row=1,
                col=1,
            )
        figure.add_scatter(
            x=[state["x"]],
            y=[state["y"]],
            mode="markers",
            name="epicentre",
            marker={"color": style.PALETTE["signal"], "size": 12, "symbol": "star"},
            row=1,
            col=1,
        )
        far_km = distances(state["x"], state["y"])[: state["n_stations"]]
        times_s = arrivals(state["x"], state["y"], origin_time_s=state["origin_time"], offsets=state["offsets"])
        for wave, (name, colour, speed) in enumerate((("P", P_COLOUR, state["v_p"]), ("S", S_COLOUR, state["v_s"]))):
            figure.add_scatter(
                x=far_km,
                y=times_s[: state["n_stations"], wave],
                mode="markers",
                name=f"{name} arrivals",
                marker={"color": colour, "size": 10, "symbol": ["circle", "diamond"][wave]},
                row=1,
                col=2,
            )
            figure.add_scatter(
                x=[0, 80],
                y=[0, 80 / speed],
                mode="lines",
                name=f"assumed {written(speed)} km/s",
                line={"color": colour, "dash": ["solid", "dash"][wave]},
                row=1,
                col=2,
            )
        reach = HALF_WIDTH_KM
        figure.update_xaxes(title_text="x, east (km)", range=[-reach, reach], constrain="domain", row=1, col=1)
        figure.update_yaxes(title_text="y, north (km)", range=[-reach, reach], scaleanchor="x", row=1, col=1)
        figure.update_xaxes(title_text="distance from the epicentre (km)", range=[0, 80], row=1, col=2)
        figure.update_yaxes(title_text="arrival on the clock (s)", range=[0, 20], row=1, col=2)
        figure.update_layout(
            template=style.template(),
            title={"text": self.title, "subtitle": {"text": "<br>".join(textwrap.wrap(self.summary(), 110))}},
            legend={"y": -0.18, "yanchor": "top"},
            margin={"t": 110, "b": 110},
            height=520,
        )
        return figure
