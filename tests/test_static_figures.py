"""Plotly figures as still pictures: values are where the axes say, and no figure, however broken, does harm."""

import base64
import json
import struct
import zlib
from xml.etree import ElementTree

import numpy as np
import plotly.graph_objects as go
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plotly.subplots import make_subplots

from autograder import static_figures
from course_lib import style


def drawn(figure):
    """The picture of a plotly figure, as its JSON in a saved notebook gives it."""
    content = json.loads(figure.to_json()) if isinstance(figure, go.Figure) else figure
    return ElementTree.fromstring(static_figures.draw(content))


def texts(tree):
    return ["".join(element.itertext()) for element in tree.iter("text")]


def tick_positions(tree, *, across):
    """Value to pixel, read back from the tick labels of one axis."""
    found = {}
    for element in tree.iter("text"):
        at_axis = element.get("text-anchor") == ("middle" if across else "end")
        try:
            value = float("".join(element.itertext()).replace("−", "-"))
        except ValueError:
            continue
        if at_axis:
            found[value] = float(element.get("x")) if across else float(element.get("y")) - 4
    return found


def value_at(positions, pixel):
    """Linear through the ticks."""
    values = np.array(sorted(positions))
    pixels = np.array([positions[value] for value in values])
    slope, start = np.polyfit(pixels, values, 1)
    return start + slope * pixel


def test_points_lie_where_the_ticks_say():
    x, y = np.array([1.0, 2.27, 3.5]), np.array([-0.4, 0.5, 7.0])
    figure = go.Figure(go.Scatter(x=x, y=y, mode="markers"))
    tree = drawn(figure)
    across, up = tick_positions(tree, across=True), tick_positions(tree, across=False)
    circles = [(float(c.get("cx")), float(c.get("cy"))) for c in tree.iter("circle")]
    assert len(circles) == 3
    for (cx, cy), x_value, y_value in zip(circles, x, y, strict=True):
        assert value_at(across, cx) == pytest.approx(x_value, abs=0.01)
        assert value_at(up, cy) == pytest.approx(y_value, abs=0.05)


def test_bars_have_the_length_of_their_values_and_stand_on_zero():
    tree = drawn(go.Figure(go.Bar(x=["dense", "convolutional", "none"], y=[2.0, 4.0, 0.0])))
    heights = [float(bar.get("height")) for bar in tree.iter("rect") if bar.get("class") == "bar"]
    assert heights[1] == pytest.approx(2 * heights[0], abs=0.2) and heights[2] == 0
    assert {"dense", "convolutional", "none"} <= set(texts(tree))
    bottoms = {
        round(float(b.get("y")) + float(b.get("height")), 1) for b in tree.iter("rect") if b.get("class") == "bar"
    }
    assert bottoms == {round(tick_positions(tree, across=False)[0.0], 1)}


def test_a_histogram_counts_as_numpy_does():
    values = np.random.default_rng(5).normal(size=400)
    figure = go.Figure(go.Histogram(x=values, xbins={"start": -3, "end": 3, "size": 0.5}))
    tree = drawn(figure)
    counts, _ = np.histogram(values, bins=np.arange(-3, 3.25, 0.5))
    bars = [float(bar.get("height")) for bar in tree.iter("rect") if bar.get("class") == "bar"]
    scale = max(bars) / counts.max()
    assert np.allclose(np.array(bars) / scale, counts, atol=0.5)


def pixels_of(tree):
    """The first picture in the drawing, decoded by hand: (height, width, 3)."""
    url = next(tree.iter("image")).get("href")
    content = base64.b64decode(url.partition(",")[2])
    width, height = struct.unpack(">II", content[16:24])
    start = content.index(b"IDAT") + 4
    (length,) = struct.unpack(">I", content[start - 8 : start - 4])
    rows = np.frombuffer(zlib.decompress(content[start : start + length]), np.uint8).reshape(height, 1 + 3 * width)
    return rows[:, 1:].reshape(height, width, 3)


@pytest.mark.parametrize("upside_down", [False, True])
def test_a_heat_map_has_its_cells_in_place(upside_down):
    spins = np.random.default_rng(3).choice([-1, 1], size=(4, 6))
    figure = go.Figure(go.Heatmap(z=spins, colorscale=style.SPINS, zmin=-1, zmax=1))
    if upside_down:
        figure.update_yaxes(autorange="reversed")
    dark = tuple(int(style.PALETTE["spin_up"][k : k + 2], 16) for k in (1, 3, 5))
    shown = (pixels_of(drawn(figure)) == dark).all(axis=-1)
    # Row 0 is at the bottom of a usual axis, and at the top of one turned over.
    assert (shown == (spins == 1)[:: 1 if upside_down else -1]).all()


def test_logarithmic_axes_have_even_decades():
    figure = go.Figure(go.Scatter(x=[1, 10, 100, 1000], y=[1e-3, 1e-2, 0.1, 1], mode="markers"))
    figure.update_xaxes(type="log").update_yaxes(type="log")
    places = np.array([float(circle.get("cx")) for circle in drawn(figure).iter("circle")])
    assert np.allclose(np.diff(places), np.diff(places)[0], atol=0.2)


def test_titles_units_and_legend_are_there():
    figure = go.Figure(
        [go.Scatter(y=[1, 2], name="training"), go.Scatter(y=[2, 1], name="validation <b>part</b>")],
        layout={
            "title": {"text": "Loss & accuracy"},
            "xaxis_title": "time / s<sup>-1</sup>",
            "yaxis_title": "T<sub>2</sub>",
        },
    )
    said = texts(drawn(figure))
    for words in ("Loss & accuracy", "training", "validation part", "time / s⁻¹", "T₂"):
        assert words in said


def test_panels_have_their_own_axes():
    figure = make_subplots(1, 2, subplot_titles=["cold", "hot"])
    figure.add_trace(go.Scatter(x=[0, 1], y=[0, 1], mode="markers"), 1, 1)
    figure.add_trace(go.Scatter(x=[0, 1], y=[0, 1000], mode="markers"), 1, 2)
    tree = drawn(figure)
    assert {"cold", "hot", "1000"} <= set(texts(tree))
    places = [float(circle.get("cx")) for circle in tree.iter("circle")]
    assert max(places[:2]) < static_figures.WIDTH / 2 < min(places[2:])


def test_other_kinds_say_what_they_are():
    card = drawn(go.Figure(go.Surface(z=[[1, 2], [3, 4]]), layout={"title": {"text": "The potential"}}))
    assert "The potential" in texts(card) and "surface" in card.get("aria-label")
    assert drawn({}).get("aria-label") == "Figure: empty."


@pytest.mark.parametrize("low", [0.0, -17.3, 1e-9, 123456.0])
@pytest.mark.parametrize("width", [1.0, 3.7e-6, 9e5])
def test_ticks_are_round_and_inside(low, width):
    found = static_figures.ticks(low, low + width)
    assert 2 <= len(found) <= 14
    assert all(low - 1e-9 * width <= value <= low + width * (1 + 1e-9) for value in found)
    steps = np.diff(found)
    assert np.allclose(steps, steps[0], rtol=1e-3)
    mantissa = steps[0] / 10.0 ** np.floor(np.log10(steps[0] * 1.0000001))
    assert min(abs(mantissa - nice) for nice in (1, 2, 5, 10)) < 1e-2


HOSTILE = "</text><script>x()</script>'\" onload='x()"
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from([HOSTILE, "log", "bar", "", "1", "é"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["text", "color", "size", "array", "bdata", "dtype", "shape"]), inner, max_size=3
        )
    ),
    max_leaves=6,
)
NUMBERS = st.lists(st.floats() | st.integers() | st.none() | st.just(HOSTILE), max_size=6)
TRACE = st.fixed_dictionaries(
    {"type": st.sampled_from(["scatter", "bar", "heatmap", "histogram", HOSTILE])},
    optional={
        "x": NUMBERS | ANYTHING,
        "y": NUMBERS | ANYTHING,
        "z": st.lists(NUMBERS, max_size=3) | ANYTHING,
        "name": st.just(HOSTILE) | ANYTHING,
        "mode": st.sampled_from(["lines", "markers", "lines+markers", HOSTILE]) | ANYTHING,
        "marker": ANYTHING,
        "line": st.fixed_dictionaries(
            {}, optional={"color": st.just(HOSTILE), "dash": st.just(HOSTILE), "width": ANYTHING}
        ),
        "error_y": st.fixed_dictionaries({"array": NUMBERS}) | ANYTHING,
        "colorscale": ANYTHING,
        "xaxis": st.sampled_from(["x", "x2", HOSTILE]),
    },
)
LAYOUT = st.fixed_dictionaries(
    {},
    optional={
        "title": ANYTHING,
        "xaxis": st.fixed_dictionaries(
            {}, optional={"type": ANYTHING, "range": NUMBERS, "domain": NUMBERS, "title": ANYTHING}
        ),
        "width": ANYTHING,
        "height": ANYTHING,
        "annotations": st.lists(
            st.fixed_dictionaries({"text": st.just(HOSTILE), "xref": st.just("paper"), "yref": st.just("paper")})
            | ANYTHING,
            max_size=2,
        ),
        "barmode": st.sampled_from(["stack", "overlay"]) | ANYTHING,
        "colorway": ANYTHING,
    },
)


@settings(max_examples=250, deadline=None)
@given(st.fixed_dictionaries({"data": st.lists(TRACE, max_size=3) | ANYTHING, "layout": LAYOUT | ANYTHING}) | ANYTHING)
def test_no_figure_breaks_the_page(figure):
    text = static_figures.draw(figure)
    tree = ElementTree.fromstring(text)
    allowed = {"svg", "rect", "path", "text", "g", "clipPath", "circle", "image"}
    assert {element.tag for element in tree.iter()} <= allowed
    for element in tree.iter():
        assert not any(name.startswith("on") for name in element.attrib)
        assert element.get("href", "data:image/png;base64,").startswith("data:image/png;base64,")
    assert len(text) < 400_000
    static_figures.describe(figure)


def test_many_points_stay_small():
    x = np.linspace(0, 50, 100_000)
    text = static_figures.draw(json.loads(go.Figure(go.Scatter(x=x, y=np.sin(x), mode="lines+markers")).to_json()))
    assert len(text) < 250_000


def test_a_long_summary_is_cut_before_it_is_escaped():
    """Half an entity is no XML."""
    traces = [{"type": "pie", "name": "'" * k} for k in range(12)]
    for length in range(60, 130):
        svg = static_figures.draw({"data": [{"type": "pie", "name": "x" * length + "'" * 20}, *traces], "layout": {}})
        ElementTree.fromstring(svg)
