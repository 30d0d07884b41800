"""The filters of a convolutional layer, as they are stored: what the first layer looks for can be read off."""

from __future__ import annotations

from typing import ClassVar

from course_lib.explorables.base import choice, integer
from course_lib.explorables.kernel_backed import KernelBacked
from course_lib.explorables.network_viewer import (
    LARGEST_GALLERY,
    Picture,
    brief,
    figure_of_pictures,
    gallery_start,
    mosaic,
    symmetric,
)

#: Side of the picture of the frequency response: odd, so that the frequency zero lies in the middle.
RESPONSE_SIZE = 17


class FilterViewer(KernelBacked):
    """See the filters of a network's convolutions: weights, what a uniform image gives, which frequencies pass.

    Parameters
    ----------
    model : keras.Model
        Sequential, Functional or subclassed, built, with at least one Conv2D layer. It is not changed.
    layer : str
        Name of a Conv2D layer; the first one by default.
    filter : int
        The filter that is shown large.
    input_channel : int
        Which of its input channels.

    Raises
    ------
    ValueError
        If the model has no such layer, no convolution, or no weights yet.

    Examples
    --------
    >>> import keras
    >>> model = keras.Sequential([keras.layers.Input((8, 8, 1)), keras.layers.Conv2D(5, 3, name="edges")])
    >>> viewer = FilterViewer(model, filter=2)
    >>> viewer.answer()["filters"].shape
    (5, 3, 3)
    """

    name = "filter_viewer"
    title = "Filters"
    figure = "Chapter 12"
    shared_scripts: ClassVar = (*KernelBacked.shared_scripts, "choosers")
    goal = "Find filters that answer to edges, to spots, or only to the mean brightness."

    def __init__(self, model, **opening):
        self.model = model
        self._shapes = _filter_shapes(model)
        most_filters = max(shape[0] for shape in self._shapes.values())
        most_channels = max(shape[3] for shape in self._shapes.values())
        names = list(self._shapes)
        fields = {
            "layer": choice(names[0], names, "the convolutional layer"),
            "filter": integer(0, 0, most_filters - 1, "index of the filter"),
            "input_channel": integer(0, 0, most_channels - 1, "index of the input channel"),
        }
        super().__init__(fields, opening)

    def reconcile(self, state):
        """Keep filter and channel within the layer."""
        n_filters, _, _, n_channels = self._shapes[state["layer"]]
        state["filter"] = min(state["filter"], n_filters - 1)
        state["input_channel"] = min(state["input_channel"], n_channels - 1)
        return state

    def setup(self):
        """Return the layers with the shape ``(n_filters, height, width, n_channels)`` of their filters."""
        return {"layers": {name: list(shape) for name, shape in self._shapes.items()}}

    def answer(self):
        """Return the filters of the layer (one input channel), and the chosen one in all channels."""
        import numpy as np

        from course_lib import introspection

        layer, index, channel = (self._state[name] for name in ("layer", "filter", "input_channel"))
        weights = introspection.filters(self.model, layer)
        bias = introspection.find_layer(self.model, layer).bias
        first, first_channel = gallery_start(index), gallery_start(channel)
        chosen = weights[index, :, :, channel]
        total = float(chosen.sum())
        return {
            "filters": weights[first : first + LARGEST_GALLERY, :, :, channel],
            "first": first,
            "channels": np.moveaxis(weights[index, :, :, first_channel : first_channel + LARGEST_GALLERY], -1, 0),
            "first_channel": first_channel,
            "chosen": chosen,
            "colours": symmetric(weights),
            "response": frequency_response(chosen),
            "sum": total,
            "norm": float(np.sqrt((chosen**2).sum())),
            "bias": None if bias is None else float(np.asarray(bias)[index]),
            "summary": (
                f"Filter {index} of layer {layer} ({len(weights)} filters of {chosen.shape[0]} x {chosen.shape[1]} "
                f"pixels, input channel {channel} of {weights.shape[3]}): weights from {brief(chosen.min())} to "
                f"{brief(chosen.max())}, sum {brief(total)}, which is what a uniform image of ones gives."
            ),
        }

    def static_figure(self):
        """Return all filters side by side, the chosen one, and its frequency response."""
        content = self.answer()
        array, n_shown = mosaic(content["filters"])
        response = content["response"]
        last = content["first"] + n_shown - 1
        return figure_of_pictures(
            [
                Picture(array, f"filters {content['first']} to {last}", content["colours"]),
                Picture(content["chosen"], f"filter {self._state['filter']}", content["colours"], unit="weight"),
                Picture(response, "frequency response", _intensity(response)),
            ],
            title=f"Filters of layer {self._state['layer']}",
            summary=content["summary"],
            columns=3,
        )


def _intensity(array):
    return {"kind": "intensity", "low": 0.0, "high": float(array.max()) or 1.0}


def frequency_response(kernel):
    """Return how strongly a filter answers to waves of each spatial frequency.

    Parameters
    ----------
    kernel : numpy.ndarray, shape (height, width)

    Returns
    -------
    numpy.ndarray, shape (RESPONSE_SIZE, RESPONSE_SIZE)
        Amplitude of the answer to a wave of amplitude 1. In the middle the uniform image, at the border waves of
        about two pixels, rows for the vertical and columns for the horizontal frequency.

    Examples
    --------
    >>> import numpy as np
    >>> response = frequency_response(np.array([[1.0, -1.0]]))
    >>> float(response[8, 8]), bool(response[8, 0] > 1.9)  # blind to the mean, awake to stripes
    (0.0, True)
    """
    import numpy as np

    size = [max(RESPONSE_SIZE, side) for side in kernel.shape]
    return np.fft.fftshift(np.abs(np.fft.fft2(kernel, size))).astype(np.float32)


def _filter_shapes(model):
    from course_lib import introspection
    from course_lib.introspection.compilation import all_layers

    convolutions = [layer for layer in all_layers(model) if type(layer).__name__ == "Conv2D"]
    if not convolutions:
        kinds = ", ".join(type(layer).__name__ for layer in model.layers)
        raise ValueError(f"FilterViewer needs a model with a Conv2D layer; this one has {kinds or 'no layers'}.")
    unbuilt = [layer.name for layer in convolutions if not layer.built]
    if unbuilt:
        raise ValueError(
            f"FilterViewer: layer {unbuilt[0]!r} has no weights yet: call the model once on its inputs, or train it."
        )
    return {layer.name: introspection.filters(model, layer).shape for layer in convolutions}
