"""Figure 8.4: a stack of layers, the input region that one output sees, and which part of it counts."""

from __future__ import annotations

import math
from typing import ClassVar

from course_lib import convolution, style
from course_lib.explorables.base import Explorable, Field, integer, written

#: Side of the square input image in pixels, and its colour channels.
INPUT_SIZE = 32
INPUT_CHANNELS = 3

#: Feature maps of a convolution at full resolution.
FIRST_CHANNELS = 8

MAXIMUM_LAYERS = 6
MAXIMUM_KERNEL_SIZE = 7
MAXIMUM_STRIDE = 4
MAXIMUM_DILATION = 4

#: What the challenge asks for.
TARGET_FIELD = 15
TARGET_LAYERS = 4

MAXIMUM_NETWORKS = 20

#: Layers from the input on (side of a filter, or a pooling over 2 x 2 pixels) -> name.
PRESETS = {
    "3 3 3": "three 3 × 3",
    "3 pool 3 3": "pooling after the first",
    "7": "one 7 × 7",
    "3 3 3 3 3 3": "six 3 × 3",
    "3 pool 3 pool 3": "pyramid",
}

#: Full width at half maximum of a Gaussian in units of its standard deviation.
HALF_MAXIMUM_WIDTH = 2 * math.sqrt(2 * math.log(2))

SHAPE_RULE = (
    f"must be a list of 1 to {MAXIMUM_LAYERS} layers, each (kernel_size, stride, dilation) or a dict with kind "
    f"('convolution' or 'pooling'), kernel_size 1 to {MAXIMUM_KERNEL_SIZE}, stride 1 to {MAXIMUM_STRIDE}, "
    f"dilation 1 to {MAXIMUM_DILATION}; pooling has kernel_size = stride and dilation 1"
)


def convolution_layer(kernel_size=3, stride=1, dilation=1):
    """Describe a convolutional layer as the state of `ReceptiveFieldBuilder` holds it.

    Examples
    --------
    >>> convolution_layer(5)
    {'kind': 'convolution', 'kernel_size': 5, 'stride': 1, 'dilation': 1}
    """
    return {"kind": "convolution", "kernel_size": kernel_size, "stride": stride, "dilation": dilation}


def pooling_layer(size=2):
    """Describe a pooling layer over patches of ``size`` x ``size`` pixels.

    Examples
    --------
    >>> pooling_layer()
    {'kind': 'pooling', 'kernel_size': 2, 'stride': 2, 'dilation': 1}
    """
    return {"kind": "pooling", "kernel_size": size, "stride": size, "dilation": 1}


_LIMITS = {"kernel_size": MAXIMUM_KERNEL_SIZE, "stride": MAXIMUM_STRIDE, "dilation": MAXIMUM_DILATION}


def _check_layers(value):
    try:
        layers = [dict(entry) if isinstance(entry, dict) else convolution_layer(*entry) for entry in value]
    except TypeError:
        raise ValueError(SHAPE_RULE) from None
    if not (1 <= len(layers) <= MAXIMUM_LAYERS and all(map(_is_layer, layers))):
        raise ValueError(SHAPE_RULE)
    return [{"kind": layer["kind"], **{name: int(layer[name]) for name in _LIMITS}} for layer in layers]


def _is_layer(layer):
    if set(layer) != {"kind", *_LIMITS} or layer["kind"] not in ("convolution", "pooling"):
        return False
    if any(isinstance(layer[name], bool) or layer[name] not in range(1, limit + 1) for name, limit in _LIMITS.items()):
        return False
    pooling_rule = layer["kernel_size"] == layer["stride"] and layer["dilation"] == 1
    return layer["kind"] == "convolution" or pooling_rule


def plain_layers(layers):
    """Return the layers as ``(kernel_size, stride, dilation)``, the form of `course_lib.convolution`."""
    return [(layer["kernel_size"], layer["stride"], layer["dilation"]) for layer in layers]


def map_sizes(layers):
    """Side of the maps from the input to the last layer, all layers padded so that only strides shrink.

    Parameters
    ----------
    layers : list of dict
        As `convolution_layer` and `pooling_layer` make them.

    Returns
    -------
    list of int
        One more than there are layers; ``ceil(size / stride)`` each, the rule of ``padding="same"`` in Keras.

    Examples
    --------
    >>> map_sizes([convolution_layer(), pooling_layer(), convolution_layer(stride=3)])
    [32, 32, 16, 6]
    """
    sizes = [INPUT_SIZE]
    for layer in layers:
        sizes.append(-(-sizes[-1] // layer["stride"]))
    return sizes


def left_padding(layer, size):
    """Zeros in front of the first pixel, so that ``ceil(size / stride)`` outputs come out (Keras' rule)."""
    n_outputs = -(-size // layer["stride"])
    extent = layer["dilation"] * (layer["kernel_size"] - 1) + 1
    return max((n_outputs - 1) * layer["stride"] + extent - size, 0) // 2


def map_channels(layers):
    """Channels from the input to the last layer, after the pyramid rule: smaller maps, more channels.

    Parameters
    ----------
    layers : list of dict

    Returns
    -------
    list of int
        Behind a convolution `FIRST_CHANNELS` times the product of the strides so far; pooling keeps them.

    Examples
    --------
    >>> map_channels([convolution_layer(), pooling_layer(), convolution_layer()])
    [3, 8, 8, 16]
    """
    channels, step = [INPUT_CHANNELS], 1
    for layer in layers:
        step *= layer["stride"]
        channels.append(channels[-1] if layer["kind"] == "pooling" else FIRST_CHANNELS * step)
    return channels


def output_step(layers):
    """Input pixels from one output pixel to the next: the product of the strides.

    Examples
    --------
    >>> output_step([convolution_layer(), pooling_layer(), convolution_layer(stride=3)])
    6
    """
    return math.prod(layer["stride"] for layer in layers)


def footprints(layers, position):
    """Pixels along one axis, in every map, that an output pixel depends on.

    Parameters
    ----------
    layers : list of dict
    position : int
        Input pixel over which the output pixel lies.

    Returns
    -------
    list of list of int
        Sorted indices, first those in the input, last the output pixel itself.

    Examples
    --------
    >>> footprints([convolution_layer(), convolution_layer(dilation=2)], 10)
    [[7, 8, 9, 10, 11, 12, 13], [8, 10, 12], [10]]
    """
    sizes = map_sizes(layers)
    seen = [[position // output_step(layers)]]
    for layer, size in zip(reversed(layers), reversed(sizes[:-1]), strict=True):
        start = -left_padding(layer, size)
        reached = {
            start + layer["stride"] * index + layer["dilation"] * point
            for index in seen[0]
            for point in range(layer["kernel_size"])
        }
        seen.insert(0, sorted(index for index in reached if 0 <= index < size))
    return seen


def effective_width(layers):
    r"""Full width at half maximum of the effective field of an infinitely wide random linear stack.

    The squared gradients of random layers average to the number of paths from an input pixel to the output,
    whose variance is a sum over the layers,

    .. math:: \sigma^2 = \tfrac{1}{12} + \sum_\ell \tfrac{k_\ell^2 - 1}{12}\, d_\ell^2 \prod_{m<\ell} s_m^2 ,

    where the first term is the width of a pixel. It grows like the square root of the depth, the receptive
    field like the depth itself (Luo et al., NeurIPS 2016, arXiv:1701.04128).

    Returns
    -------
    float
        :math:`2\sqrt{2\ln 2}\,\sigma` in input pixels.

    Examples
    --------
    >>> round(effective_width([convolution_layer()] * 3), 2)
    3.4
    """
    variance, pixel_distance = 1 / 12, 1
    for kernel_size, stride, dilation in plain_layers(layers):
        variance += (kernel_size**2 - 1) / 12 * (dilation * pixel_distance) ** 2
        pixel_distance *= stride
    return HALF_MAXIMUM_WIDTH * math.sqrt(variance)


def random_weights(seed, count):
    """Uniform random numbers from -1 to 1, the same as in the browser (generator of Park and Miller).

    Parameters
    ----------
    seed, count : int

    Returns
    -------
    list of float

    Examples
    --------
    >>> [round(weight, 3) for weight in random_weights(0, 3)]
    [0.653, -0.634, 0.178]
    """
    state = (seed + 1) * 1000003 % 2147483647
    weights = []
    for _ in range(count):
        state = state * 16807 % 2147483647
        weights.append(state / 2**30 - 1)
    return weights


def effective_field(layers, row, column, *, networks=MAXIMUM_NETWORKS, seed=0):
    """Map of how much each input pixel moves one output pixel of a random linear stack.

    Parameters
    ----------
    layers : list of dict
    row, column : int
        Input pixel over which the output pixel lies.
    networks : int
        How many stacks with random weights are averaged.
    seed : int
        Of the weights, uniform between -1 and 1; pooling averages.

    Returns
    -------
    numpy.ndarray, shape (INPUT_SIZE, INPUT_SIZE)
        Mean squared gradient of the output pixel, largest entry 1.

    Examples
    --------
    >>> field = effective_field([convolution_layer()] * 2, 8, 8)
    >>> field.shape, int((field > 0).sum())  # 5 x 5 pixels
    ((32, 32), 25)
    """
    import numpy as np

    sizes = map_sizes(layers)
    per_network = sum(layer["kernel_size"] ** 2 for layer in layers if layer["kind"] == "convolution")
    weights = np.reshape(random_weights(seed, networks * per_network), (networks, per_network))
    gradient = np.zeros((networks, sizes[-1], sizes[-1]))
    gradient[:, row // output_step(layers), column // output_step(layers)] = 1.0
    used = 0
    for layer, size in zip(reversed(layers), reversed(sizes[:-1]), strict=True):
        kernel_size, stride, dilation = layer["kernel_size"], layer["stride"], layer["dilation"]
        side = gradient.shape[1]
        # The gradient of a convolution is the transposed convolution; all networks at once.
        canvas = np.zeros((networks, *[stride * side + dilation * (kernel_size - 1) + size] * 2))
        for point in range(kernel_size**2):
            top, left = dilation * (point // kernel_size), dilation * (point % kernel_size)
            weight = 1.0
            if layer["kind"] == "convolution":
                weight = weights[:, used, None, None]
                used += 1
            end = stride * side
            canvas[:, top : top + end : stride, left : left + end : stride] += weight * gradient
        start = left_padding(layer, size)
        gradient = canvas[:, start : start + size, start : start + size]
    total = (gradient**2).sum(axis=0)
    return total / total.max()


class ReceptiveFieldBuilder(Explorable):
    """Build a stack of layers and see which input pixels one output pixel depends on.

    Parameters
    ----------
    layers : list
        From the input to the output: dicts as from `convolution_layer` and `pooling_layer`, or
        ``(kernel_size, stride, dilation)`` for convolutions.
    row, column : int
        The output pixel that is looked at, given by the input pixel below it.
    lit : int
        How many layers, counted from the output, show their footprint.
    networks : int
        How many random linear networks give the effective field, 1 to 20.
    seed : int
        Of their weights.

    Examples
    --------
    >>> builder = ReceptiveFieldBuilder(layers=[(3, 1, 1), (3, 1, 2), (3, 1, 4)])
    >>> builder.receptive_field()
    15
    """

    name = "receptive_field_builder"
    title = "Receptive field builder"
    figure = "Figure 8.4"
    goal = (
        "Stack layers until one output pixel sees far enough, and find out which input pixels really count. "
        f"Challenge: exactly {TARGET_FIELD} px with at most {TARGET_LAYERS} layers."
    )
    fields: ClassVar = {
        "layers": Field(
            [convolution_layer()] * 3,
            "the stack, input first",
            _check_layers,
            samples=(
                [convolution_layer()] * 3,
                [pooling_layer(3)],
                [convolution_layer(7, 3, 4), pooling_layer(4), convolution_layer(1)],
                [convolution_layer(3, dilation=1), convolution_layer(3, dilation=2), convolution_layer(3, dilation=4)],
                [pooling_layer()] * MAXIMUM_LAYERS,
            ),
        ),
        "row": integer(15, 0, INPUT_SIZE - 1, "input row below the output pixel"),
        "column": integer(15, 0, INPUT_SIZE - 1, "input column below the output pixel"),
        "lit": integer(MAXIMUM_LAYERS, 0, MAXIMUM_LAYERS, "layers whose footprint is shown, from the output"),
        "networks": integer(MAXIMUM_NETWORKS, 1, MAXIMUM_NETWORKS, "random networks that are averaged"),
        "seed": integer(0, 0, 9999, "seed of the random weights"),
    }

    @classmethod
    def constants(cls):
        return {
            "input": INPUT_SIZE,
            "inputChannels": INPUT_CHANNELS,
            "firstChannels": FIRST_CHANNELS,
            "maximum": [MAXIMUM_LAYERS, MAXIMUM_KERNEL_SIZE, MAXIMUM_STRIDE, MAXIMUM_DILATION],
            "target": [TARGET_FIELD, TARGET_LAYERS],
            "presets": list(PRESETS.items()),
        }

    def reconcile(self, state):
        """Keep the step within the stack."""
        state["lit"] = min(state["lit"], len(state["layers"]))
        return state

    def receptive_field(self):
        """Return the width of the input region that an output pixel sees, in pixels."""
        return convolution.receptive_field(plain_layers(self.state["layers"]))

    def summary(self):
        """Say how far an output sees and how much of it counts."""
        layers = self.state["layers"]
        field = self.receptive_field()
        size = map_sizes(layers)[-1]
        reached = field == TARGET_FIELD and len(layers) <= TARGET_LAYERS
        return (
            f"{len(layers)} layer{'s' if len(layers) > 1 else ''}: an output pixel sees {field} x {field} input "
            f"pixels, of which the central {written(effective_width(layers))} count most; the output map has "
            f"{size} x {size} pixels{'; challenge solved' if reached else ''}."
        )

    def static_figure(self):
        """Return the effective field with the receptive field drawn in, and its growth with depth."""
        import textwrap

        import plotly.graph_objects as go
        from plotly.subplots import make_subplots

        state = self.state
        layers = state["layers"]
        growth = [1, *convolution.receptive_field_growth(plain_layers(layers))]
        field = effective_field(layers, state["row"], state["column"], networks=state["networks"], seed=state["seed"])
        figure = make_subplots(
            cols=2,
            column_widths=[0.5, 0.5],
            horizontal_spacing=0.2,
            subplot_titles=("one output pixel looks at the input", "growth with depth"),
        )
        figure.add_trace(
            go.Heatmap(
                z=field.round(4),
                colorscale=style.INTENSITY,
                zmin=0,
                zmax=1,
                colorbar={"title": {"text": "influence"}, "x": 0.42, "thickness": 12},
                hovertemplate="row %{y}, column %{x}<br>influence %{z:.2f}<extra></extra>",
            ),
            row=1,
            col=1,
        )
        rows = footprints(layers, state["row"])[0]
        columns = footprints(layers, state["column"])[0]
        figure.add_shape(
            type="rect",
            x0=columns[0] - 0.5,
            x1=columns[-1] + 0.5,
            y0=rows[0] - 0.5,
            y1=rows[-1] + 0.5,
            line={"color": style.PALETTE["highlight"], "width": 3},
            row=1,
            col=1,
        )
        depth = list(range(len(growth)))
        figure.add_trace(
            go.Scatter(
                x=depth,
                y=growth,
                name="receptive field",
                mode="lines+markers+text",
                text=[str(width) for width in growth],
                textposition="top left",
                line={"color": style.SEQUENCE[0]},
            ),
            row=1,
            col=2,
        )
        figure.add_trace(
            go.Scatter(
                x=depth,
                y=[effective_width(layers[:number]) for number in depth],
                name="effective field (full width at half maximum)",
                mode="lines+markers",
                line={"color": style.SEQUENCE[1], "dash": "dash"},
                marker={"symbol": "square"},
            ),
            row=1,
            col=2,
        )
        figure.update_xaxes(title_text="column of the input (pixels)", constrain="domain", row=1, col=1)
        figure.update_yaxes(title_text="row of the input (pixels)", autorange="reversed", scaleanchor="x", row=1, col=1)
        figure.update_xaxes(title_text="layer", dtick=1, row=1, col=2)
        figure.update_yaxes(title_text="width (input pixels)", range=[0, 1.12 * growth[-1]], row=1, col=2)
        figure.update_layout(
            template=style.template(),
            title={
                "text": f"{self.title}: {growth[-1]} pixels after {len(layers)} layers",
                "subtitle": {"text": "<br>".join(textwrap.wrap(self.summary(), 110))},
            },
            legend={"y": -0.2, "yanchor": "top", "x": 1, "xanchor": "right"},
            margin={"t": 130, "b": 90},
            height=480,
        )
        return figure
