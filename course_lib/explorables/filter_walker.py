"""Figure 8.1: filters glide over an image, every position gives one number, every filter one feature map."""

from __future__ import annotations

import functools
from typing import ClassVar

import numpy as np

from course_lib import convolution
from course_lib.explorables.base import (
    Explorable,
    Field,
    Panel,
    choice,
    figure_of_panels,
    integer,
    numbers,
    written,
)

KERNEL_SIZES = (1, 3, 5)
MOST_FILTERS = 4
SMALLEST_SIDE, LARGEST_SIDE = 5, 32

IMAGE_LABELS = {
    "example": "7 × 7 example",
    "edge": "edge of a detector shadow",
    "track": "particle track",
    "ising": "Ising spins, almost critical",
}


@functools.cache
def preset_images():
    """Return the images to choose from.

    Returns
    -------
    dict of str to numpy.ndarray
        ``example`` (7, 7), ``edge`` (16, 16), ``track`` (20, 20) whole numbers; ``ising`` (32, 32), a spin
        configuration of the bundled set at 2.3 J/k_B, just above the critical temperature, where that set is
        installed.

    Examples
    --------
    >>> preset_images()["track"].shape
    (20, 20)
    """
    rows, columns = np.indices((16, 16))
    images = {
        # The middle is the patch of figure 8.2.
        "example": np.array(
            [
                [2, 0, 1, 1, 0, -1, 0],
                [0, 1, 3, 0, 2, 0, 1],
                [1, 2, -1, 0, 2, 1, 0],
                [0, 3, 0, 0, 3, -2, 1],
                [-1, 0, 0, -5, 2, 0, 2],
                [2, 1, 0, 1, -3, 1, 0],
                [0, 0, 2, 0, 1, 0, -1],
            ]
        ),
        "edge": np.where(columns > 4 + 0.45 * rows, 8, 1),
    }
    track = np.zeros((20, 20), dtype=int)
    along = np.arange(2, 18)
    track[along, along] = 9
    track[along[:-1], along[:-1] + 1] = 4
    # A few pixels of noise, at fixed places.
    for row, column in [(2, 13), (5, 1), (9, 17), (13, 4), (16, 9), (18, 2), (4, 9)]:
        track[row, column] = 6
    images["track"] = track
    try:
        from course_lib import data

        configurations, temperatures = data.load_ising()
    except (ImportError, AttributeError, OSError):
        return images
    images["ising"] = configurations[np.argmin(np.abs(temperatures - 2.3))].astype(int)
    return images


def preset_filters(kernel_size):
    """Return the four filters that the explorable offers.

    Parameters
    ----------
    kernel_size : {1, 3, 5}
        Side of the filters in pixels.

    Returns
    -------
    numpy.ndarray, shape (4, kernel_size, kernel_size)
        Vertical edge, horizontal edge, sum over the neighbourhood, diagonal line; one pixel has no
        neighbourhood, so for size 1: copy, negative, double, half.

    Examples
    --------
    >>> preset_filters(3)[0]
    array([[-1.,  0.,  1.],
           [-1.,  0.,  1.],
           [-1.,  0.,  1.]])
    """
    if kernel_size == 1:
        return np.array([1.0, -1.0, 2.0, 0.5]).reshape(4, 1, 1)
    rows, columns = np.indices((kernel_size, kernel_size)) - kernel_size // 2
    diagonal = np.where(rows == columns, kernel_size - 1, -1)
    return np.stack([columns, rows, np.ones_like(rows), diagonal]).astype(float)


FILTER_LABELS = {
    1: ["copy", "negative", "double", "half"],
    3: ["vertical edge", "horizontal edge", "neighbour sum", "diagonal line"],
    5: ["vertical edge", "horizontal edge", "neighbour sum", "diagonal line"],
}


def _check_image(value):
    if isinstance(value, str):
        if value in preset_images():
            return value
        raise ValueError(f"must be an array or one of {', '.join(map(repr, preset_images()))}")
    rule = f"must be one image, shape (height, width), {SMALLEST_SIDE} to {LARGEST_SIDE} pixels a side"
    array = _without_single_channel(value, dimensions=2)
    if array.ndim != 2 or min(array.shape) < SMALLEST_SIDE or max(array.shape) > LARGEST_SIDE:
        raise ValueError(f"{rule}, not {array.shape}: cut out a part, or choose one image and one channel of it")
    return _short(numbers(None, "", dimensions=2, largest_side=LARGEST_SIDE).check(array))


def _check_filters(value):
    if value is None:
        return None
    array = _without_single_channel(value, dimensions=3)
    array = array[None] if array.ndim == 2 else array
    square = array.ndim == 3 and array.shape[1] == array.shape[2] and array.shape[1] in KERNEL_SIZES
    if not square or not 1 <= len(array) <= MOST_FILTERS:
        raise ValueError(
            f"must be 1 to {MOST_FILTERS} filters, shape (filters, size, size) with size 1, 3 or 5, "
            f"not {array.shape}: slice them, and choose one channel"
        )
    return _short(numbers(None, "", dimensions=3).check(array))


def _without_single_channel(value, dimensions):
    try:
        array = np.asarray(value)
    except ValueError:
        raise ValueError("must be an array of numbers, with rows of equal length") from None
    return array[..., 0] if array.ndim == dimensions + 1 and array.shape[-1] == 1 else array


def _short(value):
    # Four significant digits show the same picture in a fifth of the bytes.
    if isinstance(value, list):
        return [_short(entry) for entry in value]
    return value if isinstance(value, int) else float(f"{value:.4g}")


class FilterWalker(Explorable):
    """Filters glide over an image and fill one feature map each (figure 8.1).

    Parameters
    ----------
    image : {"example", "edge", "track", "ising"} or array_like, shape (height, width)
        One channel, 5 to 32 pixels a side; kept with four significant digits.
    filters : array_like, shape (n_filters, size, size), optional
        The student's own filters, for example of a trained layer; None offers the preset ones.
    kernel_size : {1, 3, 5}
        Side of the preset filters; own filters decide themselves.
    n_filters : int
        How many filters, 1 to 4: each gives one feature map. All own filters unless stated.
    shown_filter : int
        The filter whose products are written out, counted from 0.
    position : int
        The pixel of the feature map that is being computed, counted row by row from 0.
    prediction : str, optional
        The student's guess; ``"skipped"`` opens with the result shown.

    Examples
    --------
    >>> walker = FilterWalker(kernel_size=3, n_filters=2)
    >>> walker.feature_maps().shape  # 7 - 3 + 1 = 5
    (2, 5, 5)
    >>> walker.n_parameters()
    20
    """

    name = "filter_walker"
    title = "Filter walker"
    figure = "Figure 8.1"
    goal = "Move the filter over the image: where does each number of a feature map come from, and what does it cost?"
    fields: ClassVar = {
        "image": Field("example", "preset name, or pixels (height, width)", _check_image),
        "filters": Field(None, "own filters (n_filters, size, size), or None", _check_filters),
        "kernel_size": choice(3, KERNEL_SIZES, "side of the filters in pixels"),
        "n_filters": integer(1, 1, MOST_FILTERS, "number of filters, that is of feature maps"),
        "shown_filter": integer(0, 0, MOST_FILTERS - 1, "filter whose products are written out"),
        "position": integer(0, 0, LARGEST_SIDE**2 - 1, "pixel of the feature map, row by row"),
    }

    def __init__(self, **fields):
        if fields.get("filters") is not None and "n_filters" not in fields:
            fields["n_filters"] = len(_check_filters_of_constructor(fields["filters"]))
        super().__init__(**fields)

    @classmethod
    def constants(cls):
        images = preset_images()
        return {
            "images": [
                {
                    "name": name,
                    "label": IMAGE_LABELS[name],
                    # One character a pixel: value + lowest in base 36.
                    "low": int(image.min()),
                    "rows": ["".join(np.base_repr(value - image.min(), 36) for value in row) for row in image],
                }
                for name, image in images.items()
            ],
            "filters": {size: preset_filters(size).astype(float).tolist() for size in KERNEL_SIZES},
            "filterLabels": FILTER_LABELS,
        }

    def reconcile(self, state):
        if state["filters"] is not None:
            state["kernel_size"] = len(state["filters"][0])
            state["n_filters"] = min(state["n_filters"], len(state["filters"]))
        state["shown_filter"] = min(state["shown_filter"], state["n_filters"] - 1)
        rows, columns = _map_shape(state)
        state["position"] = min(state["position"], rows * columns - 1)
        return state

    def image(self):
        """Return the pixels of the present image, shape (height, width)."""
        return _pixels(self.state)

    def filters(self):
        """Return the filters in use, shape (n_filters, size, size)."""
        state = self.state
        own = state["filters"]
        chosen = preset_filters(state["kernel_size"]) if own is None else np.array(own, dtype=float)
        return chosen[: state["n_filters"]]

    def feature_maps(self):
        """Return the complete feature maps, shape (n_filters, rows, columns), without bias and activation."""
        kernels = np.moveaxis(self.filters(), 0, -1)[:, :, None, :]
        return np.moveaxis(convolution.correlate2d(self.image(), kernels), -1, 0)

    def n_parameters(self):
        """Return the number of weights and biases of the layer."""
        size = self.state["kernel_size"]
        return convolution.parameter_count(1, size, size, self.state["n_filters"])

    def summary(self):
        state = self.state
        rows, columns = _map_shape(state)
        row, column = divmod(state["position"], columns)
        value = self.feature_maps()[state["shown_filter"], row, column]
        size = state["kernel_size"]
        height, width = self.image().shape
        return (
            f"Filter {state['shown_filter'] + 1} of {state['n_filters']} ({size} × {size}) stands at row {row + 1}, "
            f"column {column + 1}: its products add up to {written(value)}; the {height} × {width} image gives "
            f"{rows} × {columns} numbers per filter, and the layer has {self.n_parameters()} parameters."
        )

    def static_figure(self):
        state = self.state
        image, filters, maps = self.image(), self.filters(), self.feature_maps()
        row, column = divmod(state["position"], maps.shape[2])
        size, chosen = state["kernel_size"], state["shown_filter"]
        small = max(image.shape) <= 12
        is_spins = set(np.unique(image)) <= {-1.0, 1.0}
        colours = "spins" if is_spins else "diverging" if image.min() < 0 else "intensity"
        panels = [
            Panel(image, "image", colours, numbers=small, boxes=((row, column, size, size),)),
            Panel(filters[chosen], f"filter {chosen + 1}"),
            *(
                Panel(
                    feature_map,
                    f"feature map {index + 1}",
                    numbers=small and len(maps) < 3,
                    boxes=((row, column, 1, 1),) if index == chosen else (),
                )
                for index, feature_map in enumerate(maps)
            ),
        ]
        return figure_of_panels(panels, title="Filter walker", summary=self.summary())


def _check_filters_of_constructor(value):
    try:
        return _check_filters(value)
    except ValueError as error:
        raise ValueError(f"FilterWalker: filters {error}.") from None


def _pixels(state):
    image = state["image"]
    return np.array(preset_images()[image] if isinstance(image, str) else image, dtype=float)


def _map_shape(state):
    return tuple(convolution.output_size(side, state["kernel_size"]) for side in _pixels(state).shape)
