"""What every layer makes of one input, and which part of the input a single unit looks at."""

from __future__ import annotations

from typing import ClassVar

from course_lib.explorables.base import choice, integer
from course_lib.explorables.kernel_backed import KernelBacked
from course_lib.explorables.network_viewer import (
    LARGEST_GALLERY,
    NetworkViewer,
    Picture,
    as_map,
    as_maps,
    as_picture,
    brief,
    figure_of_pictures,
    gallery_start,
    layer_shapes,
    mosaic,
    symmetric,
)


class ActivationViewer(NetworkViewer):
    """Click a layer, one of its maps and a pixel of it: the pixel's receptive field is outlined on the input.

    Parameters
    ----------
    model : keras.Model
        Sequential, Functional or subclassed, with one input. It is not changed.
    inputs : array_like
        Shape ``(n, ...)``: images, sequences or table rows.
    labels : array_like of int, optional
        Class of each input, shape ``(n,)``; only named in the summary.
    class_names : sequence of str, optional
        A name for each class.
    example : int
        Which of the inputs.
    layer : str
        Name of a layer; the first one by default.
    channel : int
        Map of the layer (unit of a dense layer).
    row, column : int
        Pixel of the map. Map and pixel are by default those with the strongest activation.

    Raises
    ------
    ValueError
        If the inputs do not fit the model, or the layer does not exist.

    Notes
    -----
    The outline is the theoretical receptive field where the way to the layer is made of convolutions and poolings.
    Behind dense layers, and in subclassed models, it is the rectangle around all pixels of this input that move the
    unit.

    Examples
    --------
    >>> import keras, numpy as np
    >>> layers = [keras.layers.Input((8, 8, 1)), keras.layers.Conv2D(2, 3, name="maps"),
    ...           keras.layers.Flatten(), keras.layers.Dense(3)]
    >>> viewer = ActivationViewer(keras.Sequential(layers), np.ones((1, 8, 8, 1)), row=0, column=5)
    >>> viewer.answer()["window"]
    [0, 5, 3, 3]
    """

    name = "activation_viewer"
    title = "Activations"
    figure = "Chapter 12"
    shared_scripts: ClassVar = (*KernelBacked.shared_scripts, "choosers")
    goal = (
        "Follow one image through the layers: click a map, then a pixel, and see which part of the image it looks at."
    )

    def __init__(self, model, inputs, labels=None, *, class_names=None, **opening):
        self.take_network(model, inputs, labels, class_names)
        self._shapes = layer_shapes(model, self.inputs)
        names = list(self._shapes)
        stacks = {name: (shape[-1], *_map_size(shape)) for name, shape in self._shapes.items()}
        most = [max(stack[axis] for stack in stacks.values()) for axis in range(3)]
        self._stacks = stacks
        channel, row, column = self._strongest(opening)
        fields = {
            "example": integer(0, 0, len(self.inputs) - 1, "index of the input"),
            "layer": choice(names[0], names, "the layer"),
            "channel": integer(channel, 0, most[0] - 1, "index of the map"),
            "row": integer(row, 0, most[1] - 1, "row of the pixel in the map"),
            "column": integer(column, 0, most[2] - 1, "column of the pixel in the map"),
        }
        super().__init__(fields, opening)

    def _strongest(self, opening):
        """Return map, row and column of the strongest activation at the opening: a view that shows something."""
        import numpy as np

        from course_lib import introspection

        layer, example = opening.get("layer", next(iter(self._stacks))), opening.get("example", 0)
        if layer not in self._stacks or example not in range(len(self.inputs)):
            return 0, 0, 0  # the fields say what is wrong
        maps = as_maps(introspection.activations(self.model, self.inputs[example : example + 1], layer)[0])
        channel = opening.get("channel")
        if channel in range(len(maps)):
            return (channel, *map(int, np.unravel_index(maps[channel].argmax(), maps.shape[1:])))
        return tuple(map(int, np.unravel_index(maps.argmax(), maps.shape)))

    def reconcile(self, state):
        """Keep map and pixel within the layer."""
        sizes = self._stacks[state["layer"]]
        for name, size in zip(("channel", "row", "column"), sizes, strict=True):
            state[name] = min(state[name], size - 1)
        return state

    def setup(self):
        """Return the layers with ``(n_maps, rows, columns)``, and how many inputs there are."""
        return {"layers": {name: list(stack) for name, stack in self._stacks.items()}, "examples": len(self.inputs)}

    def answer(self):
        """Return the input, the maps of the layer, what the chosen unit looks at and what moves it."""
        from course_lib import introspection

        state = self._state
        example, layer, channel = state["example"], state["layer"], state["channel"]
        value = self.inputs[example : example + 1]
        maps = as_maps(introspection.activations(self.model, value, layer)[0])
        position = (state["row"], state["column"])
        # A map of a sequence has one row in the picture but only one index in the model.
        place = position[2 - (len(self._shapes[layer]) - 1) :]
        gradient = introspection.activation_gradient(self.model, value, layer, channel, place)
        first = gallery_start(channel)
        window, words = self._window(layer, position, as_map(gradient[0]))
        activation = float(maps[(channel, *position)])
        n_silent = int((maps.max(axis=(1, 2)) <= 0).sum())
        moved = as_map(gradient[0])
        return {
            "input": as_picture(value[0], self.colours),
            "input_colours": self.colours,
            "maps": maps[first : first + LARGEST_GALLERY],
            "first": first,
            "map": maps[channel],
            "colours": symmetric(maps),
            "gradient": moved,
            "gradient_colours": symmetric(moved),
            "window": window,
            "window_words": words,
            "activation": activation,
            "silent": n_silent,
            "summary": (
                f"Input {example}{self.truth_of(example)}: in layer {layer}, map {channel} of {len(maps)}, the pixel "
                f"in row {position[0]} and column {position[1]} has the activation {brief(activation)} and {words}; "
                f"{n_silent} of the maps {'is' if n_silent == 1 else 'are'} never above zero."
            ),
        }

    def _window(self, layer, position, gradient):
        """Return the rectangle ``[row, column, height, width]`` of the input that the unit sees, and words for it."""
        import numpy as np

        from course_lib import introspection

        if self.inputs.ndim == 4 and len(self._shapes[layer]) == 3:
            try:
                size = self.inputs.shape[1:3]
                window = introspection.receptive_window(self.model, layer, position, image_size=size)
                return list(window), f"sees {window[2]} x {window[3]} pixels of the input"
            except ValueError:
                # No graph (a subclassed model), or a layer on the way that is no window: what moves it has to do.
                pass
        rows, columns = np.nonzero(gradient)
        if not len(rows):
            return None, "does not react to any pixel of this input"
        top, left = int(rows.min()), int(columns.min())
        height, width = int(rows.max()) - top + 1, int(columns.max()) - left + 1
        return [top, left, height, width], f"reacts to pixels within {height} x {width} of the input"

    def static_figure(self):
        """Return the input with the receptive field, the chosen map, what moves the unit, and maps side by side."""
        content, state = self.answer(), self._state
        boxes = (tuple(content["window"]),) if content["window"] else ()
        array, n_shown = mosaic(content["maps"])
        pixel = ((state["row"], state["column"], 1, 1),)
        last = content["first"] + n_shown - 1
        return figure_of_pictures(
            [
                Picture(content["input"], f"input {state['example']}", self.colours, boxes),
                Picture(content["map"], f"map {state['channel']}", content["colours"], pixel),
                Picture(content["gradient"], "what moves the pixel", content["gradient_colours"], boxes),
                Picture(array, f"maps {content['first']} to {last}", content["colours"], unit="activation"),
            ],
            title=f"Activations of layer {state['layer']}",
            summary=content["summary"],
        )


def _map_size(shape):
    """Return rows and columns of the maps of a layer whose output has this shape, as `as_maps` makes them."""
    sizes = (1, 1, *shape[:-1])[-2:]
    return sizes if len(shape) <= 3 else (shape[-3], shape[-2])
