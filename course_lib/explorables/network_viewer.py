"""What the viewers of networks share: checked inputs and labels, inputs and maps as pictures, static figures."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import Any

from course_lib import style
from course_lib.explorables.kernel_backed import KernelBacked

#: Small pictures shown at once; of a layer with more maps the ones around the chosen map.
LARGEST_GALLERY = 64

#: Cells in the galleries of a static figure: each costs five bytes in every saved notebook.
LARGEST_STATIC_GALLERY = 5000


class NetworkViewer(KernelBacked):
    """A view of one network and some of its inputs; a subclass calls `take_network` first.

    Attributes
    ----------
    n_outputs : int
        Scores that the model gives for an input.
    """

    def take_network(self, model, inputs, labels=None, class_names=None):
        """Check and keep what is to be looked at; the fields may depend on it.

        Parameters
        ----------
        model : keras.Model
            Sequential, Functional or subclassed, with one input. It is not changed.
        inputs : array_like
            Shape ``(n, ...)``, as the model takes them; at least one.
        labels : array_like of int, optional
            Class of each input, shape ``(n,)``.
        class_names : sequence of str, optional
            A name for each output (two for a single sigmoid output); the numbers when not given.

        Raises
        ------
        ValueError
            If one does not fit the other.
        """
        self.model = model
        self.inputs = checked_inputs(self, model, inputs)
        # Also finds out at once whether a softmax hides in the model.
        self.n_outputs = self._scores(self.inputs[:1]).shape[1]
        self.class_names = self._checked_names(class_names)
        self.labels = self._checked_labels(labels)
        self.colours = input_colours(self.inputs)

    def _scores(self, inputs):
        from course_lib import introspection

        return introspection.scores(self.model, inputs)

    @property
    def n_classes(self):
        """Number of classes: a single output decides between two."""
        return max(self.n_outputs, 2)

    def _checked_names(self, class_names):
        if class_names is None:
            return tuple(str(index) for index in range(self.n_classes))
        names = tuple(str(name) for name in class_names)
        if len(names) != self.n_classes:
            raise ValueError(
                f"{type(self).__name__}: class_names must name {self.n_classes} classes, as the model has "
                f"{self.n_outputs} outputs; seen: {len(names)} names."
            )
        return names

    def _checked_labels(self, labels):
        import numpy as np

        if labels is None:
            return None
        values = np.asarray(labels)
        if values.shape != (len(self.inputs),) or values.dtype.kind not in "iub":
            raise ValueError(
                f"{type(self).__name__}: labels must be one whole number for each of the {len(self.inputs)} inputs, "
                f"not {values.dtype} of shape {values.shape}: of one-hot labels take labels.argmax(axis=1)."
            )
        values = values.astype(int)
        if values.min() < 0 or values.max() >= self.n_classes:
            raise ValueError(
                f"{type(self).__name__}: labels must lie between 0 and {self.n_classes - 1}, "
                f"but hold {values.min()}..{values.max()}."
            )
        return values

    def predicted_classes(self, scores):
        """Return the class that scores ``(n, n_outputs)`` decide for: a single output is class 1 above zero."""
        return scores.argmax(axis=1) if self.n_outputs > 1 else (scores[:, 0] > 0).astype(int)

    def probabilities(self, scores):
        """Return the probability of each class, ``(n, n_classes)``, by the softmax (or sigmoid) of the scores."""
        import numpy as np

        if self.n_outputs == 1:
            scores = np.concatenate([np.zeros_like(scores), scores], axis=1)
        exponentials = np.exp(scores - scores.max(axis=1, keepdims=True))
        return exponentials / exponentials.sum(axis=1, keepdims=True)

    def truth_of(self, example):
        """Return ``", in truth 3"`` where the labels are known, else nothing."""
        return "" if self.labels is None else f", in truth {self.class_names[self.labels[example]]}"


def checked_inputs(viewer, model, inputs):
    """Return inputs as float32 ``(n, ...)`` with n at least 1, or say what is wrong with them."""
    from course_lib.introspection.compilation import check_inputs

    values = check_inputs(model, inputs)
    if not len(values):
        raise ValueError(
            f"{type(viewer).__name__} needs at least one input: the array of shape {values.shape} has none."
        )
    return values


def layer_shapes(model, inputs):
    """Return layer name -> output shape for the layers of `model` that are used; input layers have none."""
    from course_lib import introspection

    return introspection.output_shapes(model, inputs)


def brief(value):
    """Write a number with three significant digits and a true minus sign, as `number` in ``kernel_backed.js``.

    Examples
    --------
    >>> brief(-1.23456), brief(1200.0)
    ('−1.23', '1200')
    """
    return str(float(f"{value:.3g}")).removesuffix(".0").replace("-", "−")


# --- arrays as pictures ---------------------------------------------------------------------------------


def input_colours(inputs):
    """Return how inputs are coloured, the same for all of them.

    Parameters
    ----------
    inputs : numpy.ndarray, shape (n, ...)

    Returns
    -------
    dict
        ``kind`` is ``"colours"`` (three channels without negative values), ``"spins"`` (only -1 and 1), ``"diverging"``
        (negative values occur; symmetric limits) or ``"intensity"``; ``low`` and ``high`` are its limits.

    Examples
    --------
    >>> import numpy as np
    >>> input_colours(np.array([[[[1.0], [-1.0]]]]))
    {'kind': 'spins', 'low': -1.0, 'high': 1.0}
    """
    low, high = float(inputs.min()), float(inputs.max())
    if inputs.ndim == 4 and inputs.shape[-1] == 3 and low >= 0:
        return {"kind": "colours", "low": 0.0, "high": max(high, 1e-12)}
    if low < 0:
        spins = bool((abs(inputs) == 1).all())
        limit = max(-low, high)
        return {"kind": "spins" if spins else "diverging", "low": -limit, "high": limit}
    return {"kind": "intensity", "low": 0.0, "high": max(high, 1e-12)}


def symmetric(*arrays):
    """Return the colours of signed values, zero in the middle, the same limit for all arrays.

    Examples
    --------
    >>> import numpy as np
    >>> symmetric(np.array([0.5, -2.0]))
    {'kind': 'diverging', 'low': -2.0, 'high': 2.0}
    """
    import numpy as np

    limit = max((float(np.abs(array).max(initial=0)) for array in arrays), default=0.0) or 1.0
    return {"kind": "diverging", "low": -limit, "high": limit}


def as_picture(value, colours):
    """Return one input as rows of pixels.

    Parameters
    ----------
    value : numpy.ndarray
        An image ``(height, width, n_channels)``, a sequence ``(length, n_channels)`` or a table row ``(n_features,)``.
    colours : dict
        As from `input_colours`.

    Returns
    -------
    numpy.ndarray
        ``(rows, columns)``, or ``(rows, columns, 3)`` for colour images. Other channels are averaged; a sequence has a
        row for each channel; a table row is one row.

    Examples
    --------
    >>> import numpy as np
    >>> as_picture(np.zeros((50, 2)), {"kind": "intensity"}).shape
    (2, 50)
    """
    import numpy as np

    if value.ndim >= 3:
        return value if colours["kind"] == "colours" else value.mean(axis=-1)
    return value.T if value.ndim == 2 else np.atleast_2d(value)


def as_map(attribution):
    """Return an attribution of the shape of one input as rows of pixels; channels are added, so that sums are kept.

    Examples
    --------
    >>> import numpy as np
    >>> as_map(np.ones((4, 5, 3))).sum()
    np.float64(60.0)
    """
    import numpy as np

    if attribution.ndim >= 3:
        return attribution.sum(axis=-1)
    return attribution.T if attribution.ndim == 2 else np.atleast_2d(attribution)


def as_maps(activation):
    """Return the output of a layer for one input as a stack of maps ``(n_channels, rows, columns)``.

    Examples
    --------
    >>> import numpy as np
    >>> as_maps(np.zeros((6, 5, 3))).shape, as_maps(np.zeros((50, 2))).shape, as_maps(np.zeros(7)).shape
    ((3, 6, 5), (2, 1, 50), (7, 1, 1))
    """
    import numpy as np

    maps = np.moveaxis(activation, -1, 0)
    return maps.reshape(len(maps), *([1] * (3 - maps.ndim)), *maps.shape[1:])


def gallery_start(chosen):
    """Return the first index of the page of a gallery that holds `chosen`.

    Examples
    --------
    >>> gallery_start(70)
    64
    """
    return LARGEST_GALLERY * (chosen // LARGEST_GALLERY)


# --- static figures -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Picture:
    """One picture of a static figure.

    Parameters
    ----------
    array : array_like, shape (rows, columns) or (rows, columns, 3)
        Not a number leaves a pixel empty.
    title : str
    colours : dict
        As from `input_colours` and `symmetric`.
    boxes : tuple of (row, column, height, width)
        Outlined rectangles, in pixels.
    unit : str, optional
        If given, a colour bar with this title stands beside the picture.
    """

    array: Any
    title: str
    colours: dict
    boxes: tuple = ()
    unit: str | None = None


def mosaic(stack, *, columns=None):
    """Return pictures of a stack side by side as one array, with a gap of NaN between them.

    Parameters
    ----------
    stack : numpy.ndarray, shape (n, rows, columns)
        Shortened to what a saved notebook should carry.
    columns : int, optional
        Pictures in a row; about a square without it.

    Returns
    -------
    array : numpy.ndarray, shape (rows, columns)
    n_shown : int

    Examples
    --------
    >>> import numpy as np
    >>> array, n_shown = mosaic(np.ones((5, 2, 3)))
    >>> array.shape, n_shown
    ((5, 11), 5)
    """
    import numpy as np

    n_rows, n_columns = stack.shape[1:]
    n_shown = max(1, min(len(stack), LARGEST_STATIC_GALLERY // (n_rows * n_columns)))
    per_row = columns or int(np.ceil(np.sqrt(n_shown)))
    lines = -(-n_shown // per_row)
    array = np.full((lines * (n_rows + 1) - 1, per_row * (n_columns + 1) - 1), np.nan, dtype=np.float32)
    for index in range(n_shown):
        top, left = (index // per_row) * (n_rows + 1), (index % per_row) * (n_columns + 1)
        array[top : top + n_rows, left : left + n_columns] = stack[index]
    return array, n_shown


def figure_of_pictures(pictures, *, title, summary, columns=4, height_px=300):
    """Return a plotly figure of pictures in rows.

    Parameters
    ----------
    pictures : list of Picture
    title, summary : str
        Heading, and the sentence below it.
    columns : int
        Pictures in a row.
    height_px : int
        Height of a row.

    Returns
    -------
    plotly.graph_objects.Figure
        Rows of pixels count downwards; the first picture names the axes for all.

    Examples
    --------
    >>> import numpy as np
    >>> picture = Picture(np.eye(3), "unit matrix", symmetric(np.eye(3)))
    >>> figure_of_pictures([picture], title="One", summary="A picture.").data[0].zmax
    1.0
    """
    import numpy as np
    from plotly.subplots import make_subplots

    columns = min(columns, len(pictures))
    rows = -(-len(pictures) // columns)
    figure = make_subplots(
        rows=rows,
        cols=columns,
        subplot_titles=[picture.title for picture in pictures],
        horizontal_spacing=0.16 / columns,
        vertical_spacing=0.28 / rows,
    )
    scales = {"diverging": style.DIVERGING, "intensity": style.INTENSITY, "spins": style.SPINS}
    for index, picture in enumerate(pictures):
        place = {"row": index // columns + 1, "col": index % columns + 1}
        array, colours = np.asarray(picture.array, dtype=np.float32), picture.colours
        if colours["kind"] == "colours":
            span = colours["high"] - colours["low"]
            figure.add_image(z=np.uint8(255 * np.clip((array - colours["low"]) / span, 0, 1)), **place)
        else:
            figure.add_heatmap(
                z=array,
                zmin=colours["low"],
                zmax=colours["high"],
                colorscale=scales[colours["kind"]],
                showscale=picture.unit is not None,
                colorbar={"title": {"text": picture.unit}, "thickness": 12},
                hoverongaps=False,
                hovertemplate="row %{y}, column %{x}: %{z:.3~r}<extra></extra>",
                **place,
            )
        suffix = "" if index == 0 else index + 1
        hidden = {"visible": False} if index else {"showgrid": False, "ticks": "", "showline": False}
        figure.update_xaxes(title_text="column (pixels)", constrain="domain", **hidden, **place)
        figure.update_yaxes(
            title_text="row (pixels)",
            autorange="reversed",
            scaleanchor=f"x{suffix}",
            # A table is a single row: stretched, else nobody could see it.
            scaleratio=max(1.0, array.shape[1] / array.shape[0] / 8),
            constrain="domain",
            constraintoward="top",
            **hidden,
            **place,
        )
        for row, column, height, width in picture.boxes:
            ends = {"x0": column - 0.5, "x1": column + width - 0.5, "y0": row - 0.5, "y1": row + height - 0.5}
            figure.add_shape(type="rect", line={"color": style.PALETTE["highlight"], "width": 3}, **ends, **place)
    lines = textwrap.wrap(summary, 110)
    top_px = 84 + 18 * len(lines)
    figure.update_layout(
        template=style.template(),
        title={"text": title, "subtitle": {"text": "<br>".join(lines)}, "y": 0.98, "yanchor": "top"},
        height=height_px * rows + top_px,
        margin={"t": top_px},
    )
    return figure
