"""Draw plotly figures as still SVG pictures, for pages that run no scripts.

Feedback must not run what a student's notebook brings along, and plotly's own pictures need its JavaScript. The kinds
of figures that problem sets ask for (curves, points, error bars, bars, histograms, heat maps, in one or several
panels) are drawn here from the figure's numbers. All other kinds become a card with the title and what the figure
holds, which sends the reader to the notebook.

A figure is what came out of the student's process: everything is checked, and every text is escaped.
"""

from __future__ import annotations

import base64
import html
import math
import re
import struct
import zlib

import numpy as np

from autograder.sanitising import one_line

WIDTH, HEIGHT = 720, 430
#: More points than pixels help nobody; a curve keeps its shape when every n-th is drawn.
POINTS_LIMIT = 1500
TRACES_LIMIT = 30
PANELS_LIMIT = 16
ELEMENTS_LIMIT = 400_000

_INK, _GRID, _PAPER = "#1f2430", "#e3e6eb", "#ffffff"
_COLOURS = ("#2563c9", "#e8820c", "#1b998b", "#7b3fb5", "#c2185b", "#8a6d00", "#0b7fab", "#5c5f66")
_DASHES = {"dash": "7 4", "dot": "2 3", "dashdot": "7 3 2 3", "longdash": "11 5", "longdashdot": "11 4 2 4"}
_VIRIDIS = ((0.0, "#440154"), (0.25, "#3b528b"), (0.5, "#21918c"), (0.75, "#5ec962"), (1.0, "#fde725"))
_COLOUR = re.compile(r"#[0-9a-fA-F]{3}(?:[0-9a-fA-F]{3})?|[a-z]{3,20}|rgba?\([\d.,% ]{3,40}\)")
_TAG = re.compile(r"<[^<>]{0,60}>")
_RAISED = str.maketrans("0123456789+-−", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻")
_LOWERED = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def draw(figure: dict) -> str:
    """Return a plotly figure as an SVG element.

    Parameters
    ----------
    figure : dict
        With ``data`` and ``layout``, as in the MIME type ``application/vnd.plotly.v1+json``.

    Returns
    -------
    str
        An ``<svg>`` element with a title and a description for screen readers; a card that says what the figure
        holds if it is of a kind that is not drawn, or broken.

    Examples
    --------
    >>> svg = draw({"data": [{"type": "bar", "x": ["a", "b"], "y": [1, 2]}], "layout": {"title": {"text": "Two bars"}}})
    >>> svg.startswith("<svg") and svg.count("<rect class='bar'") == 2
    True
    """
    if not isinstance(figure, dict):
        figure = {}
    traces = [trace for trace in _list(figure.get("data")) if isinstance(trace, dict)]
    layout = _dict(figure.get("layout"))
    title = _text(_dict(layout.get("title")).get("text") or layout.get("title"))
    traces = [trace for trace in traces if trace.get("visible", True) is True]
    try:
        kinds = {str(trace.get("type", "scatter")) for trace in traces}
        if not traces or kinds - _Panel.KINDS or len(traces) > TRACES_LIMIT:
            return _card(title, traces)
        return _Figure(traces, layout, title).svg()
    except (ValueError, TypeError, KeyError, IndexError, OverflowError, AttributeError, ZeroDivisionError):
        # A figure that plotly itself might refuse: say what it was meant to be.
        return _card(title, traces)


def describe(figure: dict) -> str:
    """Return a figure in one sentence, as a text alternative.

    Examples
    --------
    >>> describe({"data": [{"type": "scatter", "name": "loss", "y": [1, 2]}], "layout": {}})
    'Figure: curve or points (loss).'
    """
    layout = _dict(_dict(figure).get("layout"))
    title = _text(_dict(layout.get("title")).get("text") or layout.get("title"))
    return _summary(title, [trace for trace in _list(_dict(figure).get("data")) if isinstance(trace, dict)])


_WORDS = {
    "scatter": "curve or points",
    "scattergl": "curve or points",
    "bar": "bars",
    "histogram": "histogram",
    "heatmap": "heat map",
    "image": "picture",
    "contour": "contour lines",
    "surface": "surface",
}


def _summary(title: str, traces: list[dict]) -> str:
    parts = []
    for trace in traces[:6]:
        word = _WORDS.get(str(trace.get("type", "scatter")), one_line(str(trace.get("type")), limit=20))
        name = _text(trace.get("name"))
        parts.append(f"{word} ({name})" if name else word)
    more = f" and {len(traces) - 6} more" if len(traces) > 6 else ""
    return f"Figure{f' “{title}”' if title else ''}: {', '.join(parts) or 'empty'}{more}."


def _card(title: str, traces: list[dict]) -> str:
    summary = html.escape(_summary(title, traces))
    return (
        f"<svg class='figure' role='img' viewBox='0 0 {WIDTH} 120' aria-label='{summary}'>"
        f"<rect width='{WIDTH}' height='120' fill='{_PAPER}'/>"
        f"<rect x='1' y='1' width='{WIDTH - 2}' height='118' rx='6' fill='none' "
        f"stroke='#8b929e' stroke-dasharray='6 4'/>"
        f"<text x='24' y='52' font-size='16' fill='{_INK}'>{html.escape(title or 'A figure')}</text>"
        f"<text x='24' y='82' font-size='13' fill='#4b5160'>{html.escape(_summary('', traces)[:110])} "
        f"Open the notebook to see it.</text></svg>"
    )


# -- what came in -----------------------------------------------------------------------------------------------


def _dict(value) -> dict:
    return value if isinstance(value, dict) else {}


def _list(value) -> list:
    return list(value) if isinstance(value, (list, tuple)) else []


def _text(value) -> str:
    """Plotly's texts hold a few tags; what they say is enough."""
    if not isinstance(value, (str, int, float)) or isinstance(value, bool):
        return ""
    text = str(value)[:500].replace("<br>", " ")
    text = re.sub(r"<sup>([\d+−-]+)</sup>", lambda found: found[1].translate(_RAISED), text)
    text = re.sub(r"<sub>(\d+)</sub>", lambda found: found[1].translate(_LOWERED), text)
    return one_line(html.unescape(_TAG.sub("", text)), limit=90)


def _colour(value, default: str) -> str:
    return value if isinstance(value, str) and _COLOUR.fullmatch(value) else default


def _number(value, default: float, low: float, high: float) -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
        return min(max(float(value), low), high)
    return default


def _array(value):
    """An array as plotly writes it: a list, or base64 with a type and a shape."""
    if isinstance(value, dict) and isinstance(value.get("bdata"), str):
        kinds = {"f8", "f4", "i1", "i2", "i4", "u1", "u2", "u4"}
        kind = value.get("dtype")
        if kind not in kinds or len(value["bdata"]) > 8 * ELEMENTS_LIMIT * 4 // 3:
            raise ValueError("an array that is too large, or of an unknown type")
        array = np.frombuffer(base64.b64decode(value["bdata"], validate=True), dtype="<" + kind)
        if "shape" in value:
            array = array.reshape([int(n) for n in str(value["shape"]).split(",")])
    elif isinstance(value, list):
        array = np.array([_list(row) if isinstance(row, (list, tuple)) else row for row in value], dtype=object)
    else:
        return None
    if array.size > ELEMENTS_LIMIT:
        raise ValueError("an array that is too large")
    return array


def _numbers(array) -> np.ndarray:
    """Floats, NaN where there is no number."""
    if array.dtype != object:
        return array.astype(float)
    return np.array([_float(value) for value in array.ravel()]).reshape(array.shape)


def _float(value) -> float:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if is_number and abs(value) < 1e300 else math.nan


def _is_categories(array) -> bool:
    return array is not None and array.dtype == object and any(isinstance(value, str) for value in array.ravel())


# -- axes -------------------------------------------------------------------------------------------------------


def ticks(low: float, high: float, wanted: int = 6) -> list[float]:
    """Return round numbers inside a range.

    Parameters
    ----------
    low, high : float
        Finite, low < high.
    wanted : int
        About how many.

    Returns
    -------
    list of float
        Multiples of 1, 2 or 5 times a power of ten.

    Examples
    --------
    >>> ticks(0.0, 1.0)
    [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    >>> ticks(-3.2, 11.0)
    [0.0, 5.0, 10.0]
    """
    rough = (high - low) / wanted
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    digits = max(0, -math.floor(math.log10(step)) + 1)
    return [round(k * step, digits) + 0.0 for k in range(first, math.floor(high / step + 1e-9) + 1)]


def _label(value: float) -> str:
    if value != 0 and not 1e-3 <= abs(value) < 1e5:
        return f"{value:.0e}".replace("e+0", "e").replace("e-0", "e-").replace("e+", "e").replace("-", "−")
    return f"{value:.6g}".replace("-", "−")


class _Axis:
    """Where values lie between the two ends of a panel, in pixels."""

    def __init__(self, options: dict, values: list, start: float, end: float, *, tight: bool, from_zero: bool):
        self.title = _text(_dict(options.get("title")).get("text") or options.get("title"))
        self.log = options.get("type") == "log"
        self.start, self.end = start, end
        self.categories: list[str] = []
        self.hidden = options.get("showticklabels") is False or options.get("visible") is False
        self.visible = options.get("visible") is not False
        for array in values:
            if _is_categories(array):
                for value in array.ravel():
                    name = _text(value)
                    if name not in self.categories:
                        self.categories.append(name)
        if len(self.categories) > 200:
            raise ValueError("too many categories")
        if self.categories:
            self.log = False
            self.low, self.high = -0.5, len(self.categories) - 0.5
        else:
            self.low, self.high = self._range(options, values, tight, from_zero)
        if options.get("autorange") == "reversed":
            self.low, self.high = self.high, self.low

    def _range(self, options, values, tight, from_zero):
        given = _list(options.get("range"))
        if len(given) == 2 and all(isinstance(v, (int, float)) and math.isfinite(v) for v in given):
            low, high = (float(v) for v in given)
            if low != high and max(abs(low), abs(high)) < 1e300:
                return low, high
        numbers = np.concatenate([_numbers(array).ravel() for array in values] or [np.zeros(0)])
        numbers = np.log10(numbers[numbers > 0]) if self.log else numbers
        numbers = numbers[np.isfinite(numbers)]
        if not numbers.size:
            return 0.0, 1.0
        low, high = float(numbers.min()), float(numbers.max())
        if low == high:
            low, high = low - (abs(low) or 1) * 0.5, high + (abs(high) or 1) * 0.5
        room = 0.0 if tight else 0.04 * (high - low)
        # Bars stand on the axis.
        return low - room * (not (from_zero and low == 0)), high + room * (not (from_zero and high == 0))

    def place(self, array) -> np.ndarray:
        """Pixels of an array of values; NaN where a value has no place."""
        if self.categories:
            index = {name: k for k, name in enumerate(self.categories)}
            if array.dtype == object:
                places = [
                    index.get(_text(value), math.nan) if isinstance(value, str) else _float(value) for value in array
                ]
                numbers = np.array(places)
            else:
                numbers = array.astype(float)
        else:
            numbers = _numbers(array)
        if self.log:
            with np.errstate(divide="ignore", invalid="ignore"):
                numbers = np.where(numbers > 0, np.log10(np.where(numbers > 0, numbers, 1)), math.nan)
        return self.start + (numbers - self.low) / (self.high - self.low) * (self.end - self.start)

    def marks(self) -> list[tuple[float, str]]:
        """Pixels and labels of the ticks."""
        if self.categories:
            every = math.ceil(len(self.categories) / 12)
            labels = [(float(k), name) for k, name in enumerate(self.categories)][::every]
            places = [v for v, _ in labels]
            names = [one_line(name, limit=18) for _, name in labels]
        else:
            low, high = min(self.low, self.high), max(self.low, self.high)
            wanted = max(2, int(abs(self.end - self.start) / 70))
            places = ticks(low, high, wanted)
            if self.log:
                whole = [value for value in places if value == round(value)]
                names = [_label(10.0**value) for value in (whole or places)]
                places = whole or places
            else:
                names = [_label(value) for value in places]
        scale = (self.end - self.start) / (self.high - self.low)
        return [(self.start + (value - self.low) * scale, name) for value, name in zip(places, names, strict=True)]


class _Panel:
    """One pair of axes and the traces in it."""

    KINDS = frozenset({"scatter", "scattergl", "bar", "histogram", "heatmap"})

    def __init__(self, box, x_options, y_options, traces, layout):
        self.left, self.top, self.right, self.bottom = box
        self.traces = [_histogram_as_bars(trace) for trace in traces]
        self.layout = layout
        x_values, y_values = [], []
        self.bars = [trace for trace in self.traces if trace.get("type") == "bar"]
        stacked = layout.get("barmode") == "stack"
        self.stacked = stacked
        for trace in self.traces:
            x, y = self._xy(trace)
            if trace.get("type") == "heatmap":
                x_values += [_edges(x)] if not _is_categories(x) else [x]
                y_values += [_edges(y)] if not _is_categories(y) else [y]
                continue
            x_values.append(x)
            y_values += [y, *_error_ends(trace, y)]
            if trace.get("type") == "bar":
                flat = trace.get("orientation") == "h"
                (x_values if flat else y_values).append(np.zeros(1))
                along = y if flat else x
                if not _is_categories(along):
                    (y_values if flat else x_values).append(_edges(along))
        if stacked and self.bars and not any(trace.get("orientation") == "h" for trace in self.bars):
            sums: dict = {}
            for trace in self.bars:
                x, y = self._xy(trace)
                for key, value in zip(x.ravel(), _numbers(y).ravel(), strict=False):
                    sums[key] = sums.get(key, 0.0) + (value if math.isfinite(value) else 0.0)
            y_values.append(np.array(list(sums.values()) or [0.0]))
        tight = any(trace.get("type") == "heatmap" for trace in self.traces)
        sides = {trace.get("orientation") == "h" for trace in self.bars}
        self.x = _Axis(x_options, x_values, self.left, self.right, tight=tight, from_zero=True in sides)
        self.y = _Axis(y_options, y_values, self.bottom, self.top, tight=tight, from_zero=False in sides)
        if x_options.get("scaleanchor") or y_options.get("scaleanchor"):
            self._same_scale()

    def _same_scale(self):
        """Shrink one side, so that a step to the right is as long as one up."""
        width, height = abs(self.x.high - self.x.low), abs(self.y.high - self.y.low)
        scale = min((self.right - self.left) / width, (self.bottom - self.top) / height)
        self.right, self.bottom = self.left + scale * width, self.top + scale * height
        self.x.end, self.y.start = self.right, self.bottom

    def _xy(self, trace):
        if trace.get("type") == "heatmap":
            z = np.atleast_2d(_numbers(_array(trace.get("z"))))
            x, y = _array(trace.get("x")), _array(trace.get("y"))
            return (np.arange(z.shape[1]) if x is None else x), (np.arange(z.shape[0]) if y is None else y)
        x, y = _array(trace.get("x")), _array(trace.get("y"))
        if x is None and y is None:
            raise ValueError("a trace without values")
        x = np.arange(len(y)) if x is None else x
        y = np.arange(len(x)) if y is None else y
        n = min(len(x), len(y))
        return x[:n], y[:n]

    def draw(self, clip: str) -> list[str]:
        parts = [
            f"<clipPath id='{clip}'><rect x='{self.left:.1f}' y='{self.top:.1f}' width='{self.right - self.left:.1f}' "
            f"height='{self.bottom - self.top:.1f}'/></clipPath>"
        ]
        if not any(trace.get("type") == "heatmap" for trace in self.traces):
            # Under the data.
            for place, _ in self.x.marks():
                parts.append(f"<path d='M{place:.1f} {self.top:.1f}V{self.bottom:.1f}' stroke='{_GRID}'/>")
            for place, _ in self.y.marks():
                parts.append(f"<path d='M{self.left:.1f} {place:.1f}H{self.right:.1f}' stroke='{_GRID}'/>")
        parts.append(f"<g clip-path='url(#{clip})'>")
        base: dict = {}
        for number, trace in enumerate(self.traces):
            kind = trace.get("type", "scatter")
            if kind == "heatmap":
                parts.append(self._heatmap(trace))
            elif kind == "bar":
                parts += self._bar(trace, self.bars.index(trace), base)
            else:
                parts += self._curve(trace, number)
        parts.append("</g>")
        parts += self._axes()
        return parts

    def _axes(self):
        parts = []
        if self.x.visible:
            parts.append(f"<path d='M{self.left:.1f} {self.bottom:.1f}H{self.right:.1f}' stroke='{_INK}'/>")
        if self.y.visible:
            parts.append(f"<path d='M{self.left:.1f} {self.top:.1f}V{self.bottom:.1f}' stroke='{_INK}'/>")
        if not self.x.hidden:
            marks = self.x.marks()
            turned = sum(len(name) for _, name in marks) * 6.5 > self.right - self.left
            for place, name in marks:
                turn = f" transform='rotate(-30 {place:.1f} {self.bottom + 16:.1f})'" if turned else ""
                anchor = "end" if turned else "middle"
                parts.append(f"<path d='M{place:.1f} {self.bottom:.1f}v5' stroke='{_INK}'/>")
                parts.append(
                    f"<text x='{place:.1f}' y='{self.bottom + 19:.1f}' text-anchor='{anchor}'{turn}>"
                    f"{html.escape(name)}</text>"
                )
        if not self.y.hidden:
            for place, name in self.y.marks():
                parts.append(f"<path d='M{self.left:.1f} {place:.1f}h-5' stroke='{_INK}'/>")
                parts.append(
                    f"<text x='{self.left - 8:.1f}' y='{place + 4:.1f}' text-anchor='end'>{html.escape(name)}</text>"
                )
        if self.x.title:
            middle = (self.left + self.right) / 2
            parts.append(
                f"<text x='{middle:.1f}' y='{self.bottom + 42:.1f}' text-anchor='middle' font-size='13'>"
                f"{html.escape(self.x.title)}</text>"
            )
        if self.y.title:
            middle, place = (self.top + self.bottom) / 2, self.left - 46
            parts.append(
                f"<text x='{place:.1f}' y='{middle:.1f}' text-anchor='middle' font-size='13' "
                f"transform='rotate(-90 {place:.1f} {middle:.1f})'>{html.escape(self.y.title)}</text>"
            )
        return parts

    def _curve(self, trace, number):
        x, y = self._xy(trace)
        every = max(1, math.ceil(len(x) / POINTS_LIMIT))
        line, marker = _dict(trace.get("line")), _dict(trace.get("marker"))
        colour = _colour(line.get("color"), _colour(marker.get("color"), trace["course_colour"]))
        mode = str(trace.get("mode", "lines+markers" if len(x) <= 20 else "lines"))
        across, up = self.x.place(x)[::every], self.y.place(y)[::every]
        inside = np.isfinite(across) & np.isfinite(up)
        # Beyond the panel by more than its size nothing is seen, and numbers stay short.
        across, up = np.clip(across, -5000, 5000), np.clip(up, -5000, 5000)
        parts = []
        opacity = _number(trace.get("opacity"), 1.0, 0.0, 1.0)
        if "lines" in mode:
            path, pen_down = [], False
            for a, u, is_inside in zip(across, up, inside, strict=True):
                if is_inside:
                    path.append(f"{'L' if pen_down else 'M'}{a:.1f} {u:.1f}")
                pen_down = bool(is_inside)
            if line.get("shape") in {"hv", "vh", "hvh"}:
                path = _steps(across[inside], up[inside])
            filled = _colour(trace.get("fillcolor"), "none") if trace.get("fill") in {"toself", "tozeroy"} else "none"
            dash = _DASHES.get(str(line.get("dash")), "")
            width = _number(line.get("width"), 2.0, 0.0, 10.0)
            dashed = f" stroke-dasharray='{dash}'" if dash else ""
            parts.append(
                f"<path d='{''.join(path)}' fill='{filled}' stroke='{colour}' stroke-width='{width:g}' "
                f"stroke-linejoin='round' opacity='{opacity:g}'{dashed}/>"
            )
        for low, high in self._error_bars(trace, x, y, every=every):
            parts.append(f"<path d='M{low[0]:.1f} {low[1]:.1f}L{high[0]:.1f} {high[1]:.1f}' stroke='{colour}'/>")
        if "markers" in mode:
            colours = self._point_colours(marker, len(x))
            sizes = _list(marker.get("size"))
            for k in np.flatnonzero(inside):
                size = sizes[k * every] if k * every < len(sizes) else marker.get("size")
                radius = _number(size, 6.0, 1.0, 40.0) / 2
                fill = colours[k * every] if colours else _colour(marker.get("color"), colour)
                parts.append(
                    f"<circle cx='{across[k]:.1f}' cy='{up[k]:.1f}' r='{radius:.1f}' fill='{fill}' "
                    f"opacity='{opacity:g}'/>"
                )
        return parts

    def _point_colours(self, marker, n):
        values = marker.get("color")
        if not isinstance(values, (list, dict)):
            return []
        array = _array(values)
        if len(array) < n:
            return []
        if _is_categories(array):
            return [_colour(value, _INK) for value in array]
        numbers = _numbers(array)
        low, high = np.nanmin(numbers), np.nanmax(numbers)
        scale = _colour_scale(marker.get("colorscale") or _default_scale(self.layout))
        shares = (numbers - low) / ((high - low) or 1.0)
        return ["#{:02x}{:02x}{:02x}".format(*rgb) for rgb in _coloured(np.nan_to_num(shares), scale)]

    def _error_bars(self, trace, x, y, *, every=1, shift=0.0):
        """Yield the two ends of each error bar, in pixels."""
        for name, axis, other, values, others in (
            ("error_y", self.y, self.x, y, x),
            ("error_x", self.x, self.y, x, y),
        ):
            error = _dict(trace.get(name))
            above = _array(error.get("array"))
            if above is None or error.get("visible") is False or axis.categories:
                continue
            below = _array(error.get("arrayminus"))
            below = above if below is None else below
            n = min(len(values), len(above), len(below))
            numbers = _numbers(values[:n])
            middle = other.place(others[:n]) + shift
            ends = [
                np.clip(axis.place(numbers + sign * _numbers(size[:n])), -5000, 5000)
                for sign, size in ((-1, below), (1, above))
            ]
            for k in range(0, n, every):
                if math.isfinite(middle[k] + ends[0][k] + ends[1][k]):
                    low, high = ((middle[k], end[k]) for end in ends)
                    yield (low, high) if axis is self.y else (low[::-1], high[::-1])

    def _bar(self, trace, number, base):
        x, y = self._xy(trace)
        flat = trace.get("orientation") == "h"
        along, lengths = (y, x) if flat else (x, y)
        axis, value_axis = (self.y, self.x) if flat else (self.x, self.y)
        middle = axis.place(along)
        gaps = np.diff(np.unique(middle[np.isfinite(middle)]))
        step = float(np.abs(gaps).min()) if gaps.size else abs(axis.end - axis.start) / 2
        together = self.stacked or self.layout.get("barmode") in {"overlay", "relative"} or trace.get("course_bins")
        n = 1 if together else len(self.bars)
        width = step * (0.96 if trace.get("course_bins") else 0.8) / n
        shift = 0.0 if together else (number - (n - 1) / 2) * width
        marker = _dict(trace.get("marker"))
        fill = _colour(marker.get("color"), trace["course_colour"])
        opacity = _number(trace.get("opacity"), 1.0, 0.0, 1.0)
        parts = []
        numbers = _numbers(lengths)
        for k in range(min(len(along), POINTS_LIMIT)):
            start = base.get(along[k], 0.0) if self.stacked else 0.0
            if self.stacked and math.isfinite(numbers[k]):
                base[along[k]] = start + numbers[k]
            ends = value_axis.place(np.array([start, start + numbers[k]]))
            if value_axis.log:
                ends = np.array([value_axis.start, ends[1]])
            if not (np.isfinite(ends).all() and math.isfinite(middle[k])):
                continue
            ends = np.clip(ends, -5000, 5000)
            low, size = ends.min(), abs(ends[1] - ends[0])
            side = middle[k] + shift - width / 2
            left, top, wide, high = (low, side, size, width) if flat else (side, low, width, size)
            parts.append(
                f"<rect class='bar' x='{left:.1f}' y='{top:.1f}' width='{wide:.1f}' height='{high:.1f}' fill='{fill}' "
                f"opacity='{opacity:g}'/>"
            )
        for low, high in [] if flat else self._error_bars(trace, x, y, shift=shift):
            parts.append(f"<path d='M{low[0]:.1f} {low[1]:.1f}L{high[0]:.1f} {high[1]:.1f}' stroke='{_INK}'/>")
        return parts

    def _heatmap(self, trace):
        z = np.atleast_2d(_numbers(_array(trace.get("z"))))
        x, y = self._xy(trace)
        finite = z[np.isfinite(z)]
        low = _number(trace.get("zmin"), float(finite.min()) if finite.size else 0.0, -1e300, 1e300)
        high = _number(trace.get("zmax"), float(finite.max()) if finite.size else 1.0, -1e300, 1e300)
        if isinstance(trace.get("zmid"), (int, float)):
            reach = max(abs(high - trace["zmid"]), abs(trace["zmid"] - low))
            low, high = trace["zmid"] - reach, trace["zmid"] + reach
        scale = trace.get("colorscale") or _dict(self.layout.get("coloraxis")).get("colorscale")
        colours = _coloured((z - low) / ((high - low) or 1.0), _colour_scale(scale or _default_scale(self.layout)))
        if trace.get("reversescale") is True:
            colours = _coloured(1 - (z - low) / ((high - low) or 1.0), _colour_scale(scale))
        colours[~np.isfinite(z)] = 255
        if self.y.high > self.y.low:
            colours = colours[::-1]
        if self.x.high < self.x.low:
            colours = colours[:, ::-1]
        ends = [
            axis.place(np.array([-0.5, n - 0.5]) if axis.categories else _edges(values)[[0, -1]])
            for axis, values, n in ((self.x, x, z.shape[1]), (self.y, y, z.shape[0]))
        ]
        (left, right), (top, bottom) = np.sort(ends[0]), np.sort(ends[1])
        return (
            f"<image x='{left:.1f}' y='{top:.1f}' width='{right - left:.1f}' height='{bottom - top:.1f}' "
            f"preserveAspectRatio='none' style='image-rendering:pixelated' href='{_png(colours)}'/>"
        )


def _edges(values) -> np.ndarray:
    """The outer edges of cells around positions."""
    numbers = _numbers(values)
    numbers = numbers[np.isfinite(numbers)]
    if not numbers.size:
        return np.array([-0.5, 0.5])
    gaps = np.diff(np.unique(numbers))
    half = float(gaps.min()) / 2 if gaps.size else 0.5
    return np.array([numbers.min() - half, numbers.max() + half])


def _error_ends(trace, y):
    sizes = _array(_dict(trace.get("error_y")).get("array"))
    if sizes is None or _is_categories(y):
        return []
    n = min(len(y), len(sizes))
    return [_numbers(y[:n]) - _numbers(sizes[:n]), _numbers(y[:n]) + _numbers(sizes[:n])]


def _steps(across, up):
    path = [f"M{across[0]:.1f} {up[0]:.1f}"] if len(across) else []
    for a, u in zip(across[1:], up[1:], strict=True):
        path.append(f"H{a:.1f}V{u:.1f}")
    return path


def _histogram_as_bars(trace):
    if trace.get("type") != "histogram":
        return trace
    flat = trace.get("x") is None
    values = _array(trace.get("y" if flat else "x"))
    if values is None:
        raise ValueError("a histogram without values")
    along, counts, bins = "y" if flat else "x", "x" if flat else "y", False
    if _is_categories(values):
        names, numbers = np.unique([_text(value) for value in values], return_counts=True)
        middle = names.tolist()
    else:
        numbers = _numbers(values)
        numbers = numbers[np.isfinite(numbers)]
        asked = _dict(trace.get(f"{along}bins"))
        low, high, size = (asked.get(name) for name in ("start", "end", "size"))
        if all(isinstance(value, (int, float)) for value in (low, high, size)) and 0 < (high - low) / size <= 1000:
            edges = np.arange(low, high + size / 2, size)
        else:
            n = int(_number(trace.get(f"nbins{along}"), 0, 0, 500)) or "auto"
            edges = np.histogram_bin_edges(numbers, bins=n) if n != "auto" else _automatic_edges(numbers)
        numbers, edges = np.histogram(numbers, bins=edges)
        middle, bins = ((edges[1:] + edges[:-1]) / 2).tolist(), True
        if trace.get("histnorm") in {"probability", "percent", "probability density", "density"} and numbers.sum():
            widths = np.diff(edges) if "density" in trace["histnorm"] else 1.0
            total = 1 if trace["histnorm"] == "density" else numbers.sum()
            numbers = numbers / total / widths * (100 if trace["histnorm"] == "percent" else 1)
    flat_bars = {"orientation": "h"} if flat else {}
    return trace | {"type": "bar", along: middle, counts: numbers.tolist(), "course_bins": bins} | flat_bars


def _automatic_edges(numbers):
    # numpy's own choice can ask for millions of bins when one value lies far out.
    if not numbers.size:
        return np.array([0.0, 1.0])
    low, high = float(numbers.min()), float(numbers.max())
    return np.linspace(low, high if high > low else low + 1, min(60, max(5, int(2 * numbers.size ** (1 / 3)))) + 1)


def _default_scale(layout):
    return _dict(_dict(_dict(layout.get("template")).get("layout")).get("colorscale")).get("sequential")


def _colour_scale(scale):
    """Stops of a colour scale: (position, (red, green, blue))."""
    stops = []
    for stop in _list(scale)[:50]:
        if isinstance(stop, (list, tuple)) and len(stop) == 2 and isinstance(stop[1], str):
            rgb = _rgb(stop[1])
            if rgb is not None and isinstance(stop[0], (int, float)):
                stops.append((min(max(float(stop[0]), 0.0), 1.0), rgb))
    if len(stops) < 2:
        names = {"greys": ((0.0, "#000000"), (1.0, "#ffffff")), "gray": ((0.0, "#000000"), (1.0, "#ffffff"))}
        stops = [(place, _rgb(colour)) for place, colour in names.get(str(scale).lower(), _VIRIDIS)]
    return stops


def _rgb(text):
    if re.fullmatch(r"#[0-9a-fA-F]{6}", text):
        return tuple(int(text[k : k + 2], 16) for k in (1, 3, 5))
    if re.fullmatch(r"rgba?\([\d., ]{5,40}\)", text):
        numbers = [float(part) for part in text.partition("(")[2][:-1].split(",")[:3]]
        return tuple(int(min(max(number, 0), 255)) for number in numbers) if len(numbers) == 3 else None
    return None


def _coloured(shares: np.ndarray, stops) -> np.ndarray:
    """Red, green and blue (uint8, last axis) for shares between 0 and 1."""
    places = [place for place, _ in stops]
    channels = [np.interp(np.nan_to_num(shares), places, [rgb[c] for _, rgb in stops]) for c in range(3)]
    return np.stack(channels, axis=-1).round().astype(np.uint8)


def _png(pixels: np.ndarray) -> str:
    """A picture (height, width, 3) of uint8 as a data URL."""
    # A grid of cells needs no more pixels than the panel has.
    every = [max(1, math.ceil(n / 800)) for n in pixels.shape[:2]]
    pixels = np.ascontiguousarray(pixels[:: every[0], :: every[1]])
    height, width = pixels.shape[:2]
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)

    def chunk(name, body):
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(rows, 9)), chunk(b"IEND", b"")
    content = b"\x89PNG\r\n\x1a\n" + b"".join(chunks)
    return "data:image/png;base64," + base64.b64encode(content).decode()


class _Figure:
    """Panels side by side, a title and a legend."""

    _count = 0

    def __init__(self, traces, layout, title):
        self.layout, self.title = layout, title
        self.summary = _summary(title, traces)
        wide = _number(layout.get("width"), WIDTH, 200, 1200)
        self.aspect = _number(layout.get("height"), HEIGHT, 150, 1000) / wide if "width" in layout else None
        rows = len({str(self._axis_options(str(trace.get("yaxis", "y"))).get("domain")) for trace in traces})
        usual = HEIGHT if rows == 1 else 240 * rows
        self.height = _number(layout.get("height"), usual, 200, 900) if self.aspect is None else WIDTH * self.aspect
        self.height = min(self.height, 900)
        palette = [_colour(c, _INK) for c in _list(layout.get("colorway"))] or self._template_colours() or _COLOURS
        for number, trace in enumerate(traces):
            trace["course_colour"] = palette[number % len(palette)]
        self.legend = [
            (_text(trace.get("name")), trace)
            for trace in traces
            if _text(trace.get("name")) and trace.get("showlegend", len(traces) > 1) and trace.get("type") != "heatmap"
        ][:12]
        if layout.get("showlegend") is False:
            self.legend = []
        pairs: dict = {}
        for trace in traces:
            pairs.setdefault((str(trace.get("xaxis", "x")), str(trace.get("yaxis", "y"))), []).append(trace)
        if len(pairs) > PANELS_LIMIT:
            raise ValueError("too many panels")
        self.legend_rows = self._legend_rows()
        self.top = 14 + (26 if title else 0) + 20 * len(self.legend_rows)
        self.top += 14 if _list(layout.get("annotations")) else 0
        frame = (64.0, float(self.top), WIDTH - 22.0, self.height - 56.0)
        self.panels = []
        for (x_name, y_name), some in pairs.items():
            options = [self._axis_options(name) for name in (x_name, y_name)]
            box = self._box(options, frame)
            self.panels.append(_Panel(box, *options, some, layout))

    def _template_colours(self):
        template = _dict(_dict(self.layout.get("template")).get("layout"))
        return [_colour(c, _INK) for c in _list(template.get("colorway"))]

    def _axis_options(self, name):
        if not re.fullmatch(r"[xy]\d{0,3}", name):
            raise ValueError("an axis with a strange name")
        return _dict(self.layout.get(f"{name[0]}axis{name[1:]}"))

    def _box(self, options, frame):
        left, top, right, bottom = frame
        domains = []
        for one in options:
            given = [_number(value, k, 0.0, 1.0) for k, value in enumerate(_list(one.get("domain"))[:2])]
            domains.append(given if len(given) == 2 and given[0] < given[1] else [0.0, 1.0])
        (x0, x1), (y0, y1) = domains
        # Panels in a row need room for their own labels.
        room = 26 if x0 > 0 else 0
        below = 22 if y0 > 0 else 0
        return (
            left + x0 * (right - left) + room,
            top + (1 - y1) * (bottom - top),
            left + x1 * (right - left),
            top + (1 - y0) * (bottom - top) - below,
        )

    def _legend_rows(self):
        rows, used = [], WIDTH
        for name, trace in self.legend:
            width = 40 + 7.2 * len(name)
            if used + width > WIDTH - 80:
                rows.append([])
                used = 0
            rows[-1].append((used, name, trace))
            used += width
        return rows

    def svg(self) -> str:
        _Figure._count += 1
        summary = html.escape(self.summary)
        parts = [
            f"<svg class='figure' role='img' viewBox='0 0 {WIDTH} {self.height:.0f}' aria-label='{summary}' "
            f"font-size='12' font-family='system-ui, sans-serif' fill='{_INK}'>"
            f"<rect width='{WIDTH}' height='{self.height:.0f}' fill='{_PAPER}'/>"
        ]
        line = 14
        if self.title:
            parts.append(f"<text x='20' y='24' font-size='16' font-weight='600'>{html.escape(self.title)}</text>")
            line = 38
        for row in self.legend_rows:
            for start, name, trace in row:
                parts.append(_key(64 + start, line, trace))
                parts.append(f"<text x='{64 + start + 28:.0f}' y='{line + 4}'>{html.escape(name)}</text>")
            line += 20
        for number, panel in enumerate(self.panels):
            parts += panel.draw(f"panel-{_Figure._count}-{number}")
        for note in _list(self.layout.get("annotations"))[:20]:
            parts += self._annotation(_dict(note))
        return "".join([*parts, "</svg>"])

    def _annotation(self, note):
        """Titles of panels and remarks placed by their share of the paper; arrows at data are left out."""
        text = _text(note.get("text"))
        if not text or note.get("xref") != "paper" or note.get("yref") != "paper":
            return []
        x, y = _number(note.get("x"), 0.5, -0.1, 1.1), _number(note.get("y"), 1.0, -0.1, 1.1)
        place = 64 + x * (WIDTH - 86), self.top + (1 - y) * (self.height - 56 - self.top) - 4
        anchor = {"left": "start", "right": "end"}.get(str(note.get("xanchor")), "middle")
        return [f"<text x='{place[0]:.1f}' y='{place[1]:.1f}' text-anchor='{anchor}'>{html.escape(text)}</text>"]


def _key(x, y, trace):
    line, marker = _dict(trace.get("line")), _dict(trace.get("marker"))
    colour = _colour(line.get("color"), _colour(marker.get("color"), trace["course_colour"]))
    if trace.get("type") in {"bar", "histogram"}:
        return f"<rect x='{x:.0f}' y='{y - 6}' width='20' height='12' fill='{colour}'/>"
    dash = _DASHES.get(str(line.get("dash")), "")
    drawn = f"<path d='M{x:.0f} {y}h22' stroke='{colour}' stroke-width='2' stroke-dasharray='{dash or 'none'}'/>"
    if str(trace.get("mode", "")) == "markers":
        drawn = f"<circle cx='{x + 11:.0f}' cy='{y}' r='4' fill='{colour}'/>"
    return drawn
