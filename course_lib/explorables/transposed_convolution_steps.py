"""Figure 8.9: a transposed convolution, patch by patch, and where its checkerboards come from."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np

from course_lib import convolution
from course_lib.explorables.base import (
    Explorable,
    Panel,
    choice,
    figure_of_panels,
    flag,
    integer,
    numbers,
    written,
)

#: Largest side of the image in pixels.
MAXIMUM_SIDE = 4

#: Side of the image of ones in the comparison.
UNIFORM_SIDE = 6

KERNELS = ("ones", "tent", "uneven")


def kernel_values(name, kernel_size):
    """Return the weights of a square filter.

    Parameters
    ----------
    name : {"ones", "tent", "uneven"}
        All equal; falling off from the middle; made-up whole numbers, as a random start gives them.
    kernel_size : int

    Returns
    -------
    numpy.ndarray, shape (kernel_size, kernel_size)

    Examples
    --------
    >>> kernel_values("tent", 3)
    array([[1., 2., 1.],
           [2., 4., 2.],
           [1., 2., 1.]])
    """
    row, column = np.indices((kernel_size, kernel_size))
    if name == "ones":
        return np.ones((kernel_size, kernel_size))
    if name == "tent":
        profile = np.minimum(np.arange(1, kernel_size + 1), np.arange(kernel_size, 0, -1))
        return np.outer(profile, profile).astype(float)
    return 1.0 + (3 * row + 5 * column + row * column) % 4


def first_pixels(shape, n_pixels):
    """Mark the first pixels of an image, row by row.

    Examples
    --------
    >>> first_pixels((2, 2), 3)
    array([[1., 1.],
           [1., 0.]])
    """
    return (np.arange(shape[0] * shape[1]).reshape(shape) < n_pixels).astype(float)


def overlap_count(shape, kernel_size, *, stride, padding, n_pixels):
    """Count the patches that reach each output pixel.

    Parameters
    ----------
    shape : (int, int)
        Of the image.
    kernel_size, stride, padding : int
    n_pixels : int
        How many image pixels, row by row, have written their patch.

    Returns
    -------
    numpy.ndarray, shape (rows, columns) of the output

    Examples
    --------
    >>> overlap_count((2, 2), 3, stride=2, padding=0, n_pixels=4)[2].tolist()
    [2.0, 2.0, 4.0, 2.0, 2.0]
    """
    patch = np.ones((kernel_size, kernel_size))
    return convolution.transposed_convolution2d(first_pixels(shape, n_pixels), patch, stride=stride, padding=padding)


def checkerboard_contrast(kernel, stride):
    """How uneven the response to a uniform image is, away from the borders.

    An output pixel collects the filter points whose distance from it is a multiple of the stride; there are
    ``stride ** 2`` such groups, and the response is even if all groups have the same sum. With equal weights
    that needs a kernel size divisible by the stride (Odena et al., Distill 2016).

    Parameters
    ----------
    kernel : array_like, shape (rows, columns)
    stride : int

    Returns
    -------
    float
        (largest - smallest) / mean response.

    Examples
    --------
    >>> checkerboard_contrast(np.ones((4, 4)), 2), round(checkerboard_contrast(np.ones((3, 3)), 2), 2)
    (0.0, 1.33)
    """
    kernel = np.asarray(kernel, dtype=float)
    sums = [kernel[row::stride, column::stride].sum() for row in range(stride) for column in range(stride)]
    return float((max(sums) - min(sums)) / np.mean(sums))


def upsampled_convolution(image, kernel, stride):
    """Repeat every pixel ``stride`` times in both directions, then convolve with the same filter.

    Parameters
    ----------
    image, kernel : array_like, shape (rows, columns)
    stride : int

    Returns
    -------
    numpy.ndarray
        As large as the upsampled image for odd kernels, one pixel smaller for even ones.

    Examples
    --------
    >>> upsampled_convolution(np.ones((2, 2)), np.ones((3, 3)), 2)[1].tolist()
    [6.0, 9.0, 9.0, 6.0]
    """
    kernel = np.asarray(kernel)
    return convolution.correlate2d(convolution.upsample2d(image, stride), kernel, padding=(len(kernel) - 1) // 2)


class TransposedConvolutionSteps(Explorable):
    """Every image pixel writes a patch, overlapping patches add (figure 8.9).

    Parameters
    ----------
    image : array_like, shape (rows, columns)
        1 to 4 pixels a side, values from -9 to 9.
    kernel : {"ones", "tent", "uneven"}
        The filter, see `kernel_values`.
    kernel_size, stride, padding : int
        1 to 6, 1 to 4, 0 to 2.
    step : int
        How many pixels have written their patch, row by row.
    compare : bool
        Whether the response to a uniform image is shown next to that of upsampling and convolution.

    Examples
    --------
    >>> steps = TransposedConvolutionSteps()
    >>> steps.output()[2].tolist()
    [3.0, 3.0, 10.0, 7.0, 7.0]
    """

    name = "transposed_convolution_steps"
    title = "Transposed convolution, patch by patch"
    figure = "Figure 8.9"
    goal = (
        "Add the patches one at a time and watch where they overlap. "
        "Challenge: at stride 3, find two kernel sizes that leave no checkerboard with a filter of ones."
    )
    fields: ClassVar = {
        "image": numbers(
            [[2, 4], [1, 3]],
            "image that is enlarged",
            dimensions=2,
            largest_side=MAXIMUM_SIDE,
            low=-9,
            high=9,
        ),
        "kernel": choice("ones", KERNELS, "weights of the filter"),
        "kernel_size": integer(3, 1, 6, "side of the filter (pixels)"),
        "stride": integer(2, 1, 4, "distance of neighbouring patches (output pixels)"),
        "padding": integer(0, 0, 2, "pixels cut off on each side"),
        "step": integer(MAXIMUM_SIDE**2, 0, MAXIMUM_SIDE**2, "patches added so far"),
        "compare": flag(False, "show a uniform image, also with upsampling and convolution"),
    }

    @classmethod
    def constants(cls):
        return {"uniform": UNIFORM_SIDE, "side": MAXIMUM_SIDE, "kernels": KERNELS}

    def reconcile(self, state):
        """Leave at least one output pixel after the padding, and no more steps than pixels."""
        shape = np.shape(state["image"])
        uncut = (min(shape) - 1) * state["stride"] + state["kernel_size"]
        state["padding"] = min(state["padding"], (uncut - 1) // 2)
        state["step"] = min(state["step"], shape[0] * shape[1])
        return state

    def output(self):
        """Return what the patches added so far sum to, shape (rows, columns)."""
        state = self.state
        image = np.array(state["image"], dtype=float)
        return convolution.transposed_convolution2d(
            image * first_pixels(image.shape, state["step"]),
            kernel_values(state["kernel"], state["kernel_size"]),
            stride=state["stride"],
            padding=state["padding"],
        )

    def contrast(self):
        """Return the `checkerboard_contrast` of the present filter and stride."""
        return checkerboard_contrast(
            kernel_values(self.state["kernel"], self.state["kernel_size"]), self.state["stride"]
        )

    def summary(self):
        state = self.state
        rows, columns = np.shape(state["image"])
        output = self.output()
        contrast = self.contrast()
        even = "even" if contrast < 1e-9 else f"a checkerboard, uneven by {math.floor(100 * contrast + 0.5)} %"
        return (
            f"{state['step']} of {rows * columns} patches added: a {rows} x {columns} image becomes "
            f"{output.shape[0]} x {output.shape[1]}, largest value {written(output.max())}; "
            f"with kernel {state['kernel_size']} and stride {state['stride']} a uniform image becomes {even}."
        )

    def static_figure(self):
        state = self.state
        image = np.array(state["image"], dtype=float)
        kernel = kernel_values(state["kernel"], state["kernel_size"])
        count = overlap_count(
            image.shape,
            state["kernel_size"],
            stride=state["stride"],
            padding=state["padding"],
            n_pixels=state["step"],
        )
        panels = [
            Panel(image, "image"),
            Panel(kernel, "filter"),
            # Pixels that no patch has reached yet stay empty.
            Panel(np.where(count > 0, self.output(), np.nan), "sum of the patches"),
            Panel(np.where(count > 0, count, np.nan), "patches per pixel", colours="intensity"),
        ]
        if state["compare"]:
            uniform = np.ones((UNIFORM_SIDE, UNIFORM_SIDE))
            panels = [
                Panel(
                    convolution.transposed_convolution2d(uniform, kernel, stride=state["stride"]),
                    "uniform image, transposed convolution",
                    colours="intensity",
                    numbers=False,
                ),
                Panel(
                    upsampled_convolution(uniform, kernel, state["stride"]),
                    "uniform image, upsampling and convolution",
                    colours="intensity",
                    numbers=False,
                ),
            ]
        return figure_of_panels(panels, title=self.title, summary=self.summary())
