"""Figure 8.3: padding, stride, dilation and pooling, what they touch, and how large the output becomes."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from course_lib import convolution
from course_lib.explorables.base import (
    Explorable,
    Panel,
    choice,
    figure_of_panels,
    integer,
    numbers,
    written,
)

POOLING_EXAMPLE = [[3, 1, 2, 0], [3, 5, 9, 3], [4, 1, -1, 2], [2, 3, 1, 2]]


def touch_counts(size, kernel_size, *, stride=1, padding=0, dilation=1):
    """Count how often each pixel of a square image is read while a filter visits all its positions.

    Parameters
    ----------
    size, kernel_size : int
        Side of the image and of the filter.
    stride, padding, dilation : int
        As in `course_lib.convolution.output_size`.

    Returns
    -------
    numpy.ndarray of int, shape (size + 2 padding, size + 2 padding)
        With the padded border; 0 where no position of the filter ever looks.

    Examples
    --------
    >>> touch_counts(4, 2, stride=2)
    array([[1, 1, 1, 1],
           [1, 1, 1, 1],
           [1, 1, 1, 1],
           [1, 1, 1, 1]])
    """
    steps = convolution.output_size(size, kernel_size, stride=stride, padding=padding, dilation=dilation)
    places = stride * np.arange(steps)[:, None] + dilation * np.arange(kernel_size)
    along_one_axis = np.bincount(places.ravel(), minlength=size + 2 * padding)
    return np.outer(along_one_axis, along_one_axis)


def dropped_lines(size, kernel_size, *, stride=1, padding=0, dilation=1):
    """Count the rows at the far edge that the filter never reaches, because the output size is rounded down.

    Parameters
    ----------
    size, kernel_size, stride, padding, dilation : int
        As in `touch_counts`.

    Returns
    -------
    int
        The same number of columns is lost.

    Examples
    --------
    >>> dropped_lines(8, 3, stride=2)  # the third position ends at row 7 of 8
    1
    """
    steps = convolution.output_size(size, kernel_size, stride=stride, padding=padding, dilation=dilation)
    return size + 2 * padding - (stride * (steps - 1) + dilation * (kernel_size - 1) + 1)


class ConvolutionOperations(Explorable):
    """Padding, stride, dilation and pooling on one page, with the output size (figure 8.3).

    Parameters
    ----------
    mode : {"convolution", "pooling"}
        Which of the two pages is open.
    size : int
        Side n of the square image, 5 to 12 pixels.
    kernel_size : int
        Side k of the filter, 1 to 5.
    padding, stride : int
        Zeros p added on each side, 0 to 3; step s between two positions, 1 to 4.
    dilation : int
        Step d between two filter points, 1 to 3, as frameworks count (1: no holes); lowered where the
        filter would not fit.
    convention : {"framework", "book"}
        Whether the page shows the dilation as steps d or as holes d - 1.
    position : int
        Highlighted pixel of the output, counted row by row from 0.
    image : array_like, shape (4, 4)
        The picture that is pooled, from -99 to 99.
    pooling : {"max", "average"}
        What is kept of each patch.
    pool_size : {2, 4}
        Side of the patches; 4 is global pooling.
    shift : int
        By how many pixels the picture is shifted to the right, 0 to 3; what leaves comes in on the left.
    prediction : str, optional
        The student's guess; ``"skipped"`` opens with the result shown.

    Examples
    --------
    >>> operations = ConvolutionOperations(size=7, kernel_size=3, stride=2)
    >>> operations.output_size()
    3
    >>> operations.pooled()
    array([[5., 9.],
           [4., 2.]])
    """

    name = "convolution_operations"
    title = "Convolution operations"
    figure = "Figure 8.3"
    goal = "Find out which pixels a layer reads, how large its output becomes, and what a shift of one pixel changes."
    fields: ClassVar = {
        "mode": choice("convolution", ["convolution", "pooling"], "page"),
        "size": integer(7, 5, 12, "side n of the image in pixels"),
        "kernel_size": integer(3, 1, 5, "side k of the filter in pixels"),
        "padding": integer(0, 0, 3, "zeros p on each side"),
        "stride": integer(2, 1, 4, "step s between two positions in pixels"),
        "dilation": integer(1, 1, 3, "step d between two filter points in pixels"),
        "convention": choice("framework", ["framework", "book"], "dilation as steps or as holes"),
        "position": integer(0, 0, 18**2 - 1, "pixel of the output, row by row"),
        "image": numbers(POOLING_EXAMPLE, "picture that is pooled", shape=(4, 4), low=-99, high=99),
        "pooling": choice("max", ["max", "average"], "what is kept of a patch"),
        "pool_size": choice(2, [2, 4], "side of the patches in pixels"),
        "shift": integer(0, 0, 3, "cyclic shift to the right in pixels"),
    }

    def reconcile(self, state):
        if state["kernel_size"] > 1:
            room = state["size"] + 2 * state["padding"] - 1
            state["dilation"] = min(state["dilation"], room // (state["kernel_size"] - 1))
        state["position"] = min(state["position"], _output_size(state) ** 2 - 1)
        return state

    def output_size(self):
        """Return the side of the output of the convolution page, in pixels."""
        return _output_size(self.state)

    def pooled(self):
        """Return the picture after shift and pooling, shape (4 / pool_size, 4 / pool_size)."""
        return self._pool(self.state["pooling"], self.state["shift"])

    def changes(self):
        """Return how much the shift changes the result: mean absolute difference per output pixel.

        Returns
        -------
        dict of str to float
            For ``max`` and ``average`` pooling, and for ``stride``: the first pixel of each patch, which is
            what a stride without pooling keeps.

        Examples
        --------
        >>> ConvolutionOperations(shift=1).changes()
        {'max': 0.75, 'average': 0.375, 'stride': 2.0}
        """
        shift = self.state["shift"]
        return {
            kind: float(np.abs(self._pool(kind, shift) - self._pool(kind, 0)).mean())
            for kind in ("max", "average", "stride")
        }

    def _pool(self, kind, shift):
        image = np.roll(np.array(self.state["image"], dtype=float), shift, axis=1)
        size = self.state["pool_size"]
        if kind == "stride":
            return image[::size, ::size]
        pool = convolution.max_pool2d if kind == "max" else convolution.average_pool2d
        return pool(image, size)

    def summary(self):
        state = self.state
        if state["mode"] == "pooling":
            size, changes = state["pool_size"], self.changes()
            values = ", ".join(written(value) for value in self.pooled().ravel())
            return (
                f"{state['pooling'].capitalize()} pooling over {size} × {size} patches gives {values}; a shift by "
                f"{state['shift']} px changes max pooling by {written(changes['max'])}, average pooling by "
                f"{written(changes['average'])} and every {'second' if size == 2 else 'fourth'} pixel alone by "
                f"{written(changes['stride'])} per number."
            )
        size, kernel_size, steps = state["size"], state["kernel_size"], self.output_size()
        return (
            f"A {kernel_size} × {kernel_size} filter with padding {state['padding']}, stride {state['stride']} and "
            f"dilation {state['dilation']} (holes: {state['dilation'] - 1}) turns {size} × {size} pixels into "
            f"{steps} × {steps}; rounding down leaves an edge of {dropped_lines(**_geometry(state))} px unread."
        )

    def static_figure(self):
        state = self.state
        if state["mode"] == "pooling":
            image = np.roll(np.array(state["image"], dtype=float), state["shift"], axis=1)
            size = state["pool_size"]
            blocks = tuple((row, column, size, size) for row in range(0, 4, size) for column in range(0, 4, size))
            panels = [
                Panel(image, f"picture, shifted by {state['shift']} px", boxes=blocks),
                Panel(self._pool("max", state["shift"]), "max pooling"),
                Panel(self._pool("average", state["shift"]), "average pooling"),
                Panel(self._pool("stride", state["shift"]), f"every {size}th pixel" if size > 2 else "every 2nd pixel"),
            ]
        else:
            steps, counts = self.output_size(), touch_counts(**_geometry(state))
            row, column = divmod(state["position"], steps)
            reach = state["dilation"] * (state["kernel_size"] - 1) + 1
            here = (row * state["stride"], column * state["stride"], reach, reach)
            output = np.arange(1, steps**2 + 1).reshape(steps, steps)
            panels = [
                Panel(counts, "how often each pixel is read", "intensity", boxes=(here,)),
                Panel(output, "output, numbered by position", "intensity", boxes=((row, column, 1, 1),)),
            ]
        return figure_of_panels(panels, title="Convolution operations", summary=self.summary())


def _geometry(state):
    return {name: state[name] for name in ("size", "kernel_size", "stride", "padding", "dilation")}


def _output_size(state):
    return convolution.output_size(**_geometry(state))
