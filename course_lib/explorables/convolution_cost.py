"""Figures 8.7 and 8.8: what an Inception module and a separable convolution cost, and what the saving gives up."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

import numpy as np

from course_lib import style
from course_lib.explorables.base import Explorable, choice, flag, integer
from course_lib.explorables.playground.data import normal

CHANNELS = (1, 4, 16, 32, 64, 128, 256)
FILTERS = (0, 4, 8, 16, 32, 64)
BOTTLENECKS = (4, 8, 16, 32)
KERNELS = (3, 5, 7)
SIDES = (7, 14, 28, 56)

#: The stream of random numbers from which a standard kernel is drawn.
KERNEL_STREAM = 87

#: A random kernel is drawn with so many channels and filters: enough to see the limit, few enough to be quick.
DRAWN_CHANNELS, DRAWN_FILTERS = 4, 12


class Cost(NamedTuple):
    """Names, parameters and multiplications a pixel of the parts; the same sums for all of them."""

    names: list
    parameters: list
    weights: list


def inception_cost(channels, filters_1, filters_3, filters_5, filters_pool, bottleneck):
    """Count an Inception module, branch by branch.

    Parameters
    ----------
    channels : int
        Channels that come in.
    filters_1, filters_3, filters_5, filters_pool : int
        Filters of the branches 1 x 1, 3 x 3, 5 x 5 and pooling; 0 takes the branch away.
    bottleneck : int
        Filters of the 1 x 1 convolutions before the larger ones; 0 for none.

    Returns
    -------
    Cost
        A convolution of k x k from n to m channels has k k n m weights and m biases; each weight multiplies once a
        pixel.

    Examples
    --------
    >>> sum(inception_cost(64, 0, 0, 64, 0, 0).weights)
    102400
    """
    names, parameters, weights = [], [], []
    for name, kernel, filters in (("1 × 1", 1, filters_1), ("3 × 3", 3, filters_3), ("5 × 5", 5, filters_5)):
        before = channels
        own_weights = own_biases = 0
        if filters and kernel > 1 and bottleneck:
            own_weights, own_biases, before = channels * bottleneck, bottleneck, bottleneck
        own_weights += kernel * kernel * before * filters
        own_biases += filters
        names.append(name)
        weights.append(own_weights if filters else 0)
        parameters.append(own_weights + own_biases if filters else 0)
    names.append("pooling, 1 × 1")
    weights.append(channels * filters_pool)
    parameters.append((channels + 1) * filters_pool if filters_pool else 0)
    return Cost(names, parameters, weights)


def separable_cost(channels, filters, kernel):
    """Count a standard and a depth-wise separable convolution.

    Parameters
    ----------
    channels, filters, kernel : int
        Channels that come in, filters, and side of the kernel.

    Returns
    -------
    Cost
        First the standard convolution, then depth-wise, then point-wise; without biases, as in the formula
        1 / filters + 1 / kernel**2 for the ratio.

    Examples
    --------
    >>> standard, *separable = separable_cost(64, 64, 3).weights
    >>> round(sum(separable) / standard, 4), round(1 / 64 + 1 / 9, 4)
    (0.1267, 0.1267)
    """
    weights = [kernel * kernel * channels * filters, kernel * kernel * channels, channels * filters]
    return Cost(["standard", "depth-wise", "point-wise"], list(weights), weights)


def random_kernel(kernel, seed):
    """Draw a standard kernel, shape (channels 4, kernel**2, filters 12)."""
    values = normal(seed, KERNEL_STREAM, DRAWN_CHANNELS * kernel * kernel * DRAWN_FILTERS)
    return np.asarray(values).reshape(DRAWN_CHANNELS, kernel * kernel, DRAWN_FILTERS)


def separable_error(kernel, seed):
    """Return how badly the best separable convolution reproduces a random standard kernel.

    Parameters
    ----------
    kernel : int
        Side of the kernel.
    seed : int
        Of the random kernel.

    Returns
    -------
    float
        Relative error (Frobenius norm). For each channel, the best separable kernel is the leading term of the singular
        value decomposition of the matrix (kernel**2, filters).

    Examples
    --------
    >>> 0.5 < separable_error(3, 1) < 1
    True
    """
    drawn = random_kernel(kernel, seed)
    kept = sum(np.linalg.svd(matrix, compute_uv=False)[0] ** 2 for matrix in drawn)
    return float(np.sqrt(1 - kept / (drawn**2).sum()))


def _counted(number):
    return f"{number:,}".replace(",", "\u202f")


class ConvolutionCost(Explorable):
    """Parameters and multiplications of Inception modules and of separable convolutions (figures 8.7 and 8.8).

    Parameters
    ----------
    module : {"inception", "separable"}
        Which of the two is counted.
    channels : int
        Channels that come in, one of `CHANNELS`.
    side : int
        Rows and columns of the maps, one of `SIDES`; padding keeps the size.
    filters_1, filters_3, filters_5, filters_pool : int
        Filters of the four branches of the Inception module, one of `FILTERS`.
    bottleneck : int
        Filters of the 1 x 1 convolutions before 3 x 3 and 5 x 5, one of `BOTTLENECKS`.
    bottleneck_on : bool
        Whether they are there.
    filters, kernel : int
        Filters and side of the kernel of the separable convolution, from `FILTERS` (not 0) and `KERNELS`.
    seed : int
        Of the random kernel that a separable one tries to reproduce, 0 to 99.
    prediction : str, optional
        The student's guess; ``"skipped"`` opens with the result shown.

    Examples
    --------
    >>> ConvolutionCost().summary().split(",")[0]
    'The Inception module has 12\\u202f896 parameters'
    """

    name = "convolution_cost"
    title = "What does a convolution cost?"
    figure = "Figures 8.7 and 8.8"
    goal = "Make the module four times cheaper without losing a branch; then see what separable kernels cannot do."
    shared_scripts = ("kit", "plot", "random_numbers")
    fields: ClassVar = {
        "module": choice("inception", ("inception", "separable"), "which module is counted"),
        "channels": choice(64, CHANNELS, "channels that come in"),
        "side": choice(28, SIDES, "rows and columns of the maps"),
        "filters_1": choice(16, FILTERS, "filters of the branch 1 x 1"),
        "filters_3": choice(16, FILTERS, "filters of the branch 3 x 3"),
        "filters_5": choice(16, FILTERS, "filters of the branch 5 x 5"),
        "filters_pool": choice(16, FILTERS, "filters after the pooling"),
        "bottleneck": choice(16, BOTTLENECKS, "filters of the 1 x 1 convolutions before 3 x 3 and 5 x 5"),
        "bottleneck_on": flag(True, "whether the bottlenecks are there"),
        "filters": choice(64, FILTERS[1:], "filters of the separable convolution"),
        "kernel": choice(3, KERNELS, "side of its kernel"),
        "seed": integer(1, 0, 99, "seed of the random kernel"),
    }

    @classmethod
    def constants(cls):
        return {
            "channels": CHANNELS,
            "filters": FILTERS,
            "bottlenecks": BOTTLENECKS,
            "kernels": KERNELS,
            "sides": SIDES,
            "drawn": [DRAWN_CHANNELS, DRAWN_FILTERS],
        }

    def cost(self):
        """Return the `Cost` of the present state."""
        state = self.state
        if state["module"] == "separable":
            return separable_cost(state["channels"], state["filters"], state["kernel"])
        branches = (state[f"filters_{branch}"] for branch in ("1", "3", "5", "pool"))
        return inception_cost(state["channels"], *branches, state["bottleneck"] if state["bottleneck_on"] else 0)

    def summary(self):
        state, cost = self.state, self.cost()
        if state["module"] == "separable":
            standard, *parts = cost.weights
            percent = round_half_up(100 * separable_error(state["kernel"], state["seed"]))
            factor = round_half_up(10 * standard / sum(parts)) / 10
            return (
                f"The separable convolution has {_counted(sum(parts))} weights instead of {_counted(standard)}, "
                f"a factor {factor:g} less, and reproduces a random kernel with an error of {percent} %."
            )
        maps = sum(state[f"filters_{branch}"] for branch in ("1", "3", "5", "pool"))
        million = round_half_up(sum(cost.weights) * state["side"] ** 2 / 1e5) / 10
        return (
            f"The Inception module has {_counted(sum(cost.parameters))} parameters, makes {maps} maps from "
            f"{state['channels']} and needs {million:g} million multiplications for "
            f"{state['side']} × {state['side']} pixels."
        )

    def static_figure(self):
        import textwrap

        import plotly.graph_objects as go

        cost = self.cost()
        labels = [_counted(number) for number in cost.parameters]
        figure = go.Figure(go.Bar(x=cost.names, y=cost.parameters, text=labels, marker_color=style.SEQUENCE[0]))
        lines = "<br>".join(textwrap.wrap(self.summary(), 105))
        figure.update_layout(
            template=style.template(),
            title={"text": self.title, "subtitle": {"text": lines}},
            height=420,
            margin_t=120,
            xaxis_title="part",
            yaxis_title="parameters",
        )
        return figure


def round_half_up(value):
    """Round as JavaScript does.

    Examples
    --------
    >>> round_half_up(2.5), round(2.5)
    (3, 2)
    """
    return int(np.floor(value + 0.5))
