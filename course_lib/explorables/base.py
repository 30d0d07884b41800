"""What every explorable shares: the state, the live widget, the static figure, the summary.

An explorable is one Python file and one JavaScript file of the same name, for example
``pixel_arithmetic.py`` and ``pixel_arithmetic.js``. The state is one dictionary that JSON can hold. Python
and the browser each hold a copy; a control moved in the browser changes both, and so does an assignment to
``state`` in Python.

How to add one
--------------
1. ``<name>.py``: a subclass of `Explorable` with ``name`` (the file name), ``title``, ``figure``, ``goal`` and
   ``fields``: field name -> `Field`, made by `integer`, `number`, `choice`, `flag` or `numbers`. Write
   `Explorable.summary` and `Explorable.static_figure`; write `Explorable.reconcile` if one field limits
   another, and `Explorable.constants` if the browser needs data. Numbers come from ``course_lib``, never from
   the view. Every explorable also has the field ``prediction``.
2. ``<name>.js``: first the model as pure functions (no document, no state of its own), then

   .. code-block:: javascript

       export { pureFunction };
       export default explorable({
         reconcile: (state) => state,                // the same rule as in Python
         summary: (state) => "One sentence.",        // the same sentence as in Python
         predict: { question: "...", options: ["a", "b"], reveal: (guess) => "Why it is b." },
         build(view) {                               // runs once: make panels and controls
           const image = view.grid({ label: "image" });
           view.stage(image.panel);
           view.controls(view.slider({ field: "bias", label: "bias b", min: -5, max: 5 }), view.resetButton());
           view.draw((state) => image.paint({ values: state.patch, colour: diverging(5) }));  // every frame
         },
       });

   The functions that may be used are listed at the top of ``kit.js``; labelled axes with curves, points and fields
   at the top of ``plot.js`` (set ``shared_scripts = ("kit", "plot")``). No imports, no addresses, no ``eval``;
   the constants of `Explorable.constants` are in ``COURSE``.
3. Add the class to ``_MODULES`` and ``__all__`` in ``__init__.py`` and write ``tests/test_<name>.py``, which compares
   the pure functions of both languages (``tests/javascript.py`` calls them). ``tests/test_explorables_base.py``
   checks size, fields, static figure, ``reconcile`` and ``summary`` of every class by itself. Drive one control
   by mouse and one by keyboard in ``tests/test_explorables_browser.py``.

What shows a network of the student needs the kernel: see `course_lib.explorables.kernel_backed`.

Inside JavaScript the widget is only an object with ``get``, ``set``, ``save_changes``, ``on`` and ``off``; the
website passes one without a kernel (``localModel`` in ``kit.js``).
"""

from __future__ import annotations

import copy
import functools
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from course_lib import style
from course_lib.front_end import has_front_end

FOLDER = Path(__file__).parent

#: The script is sent for every live view, so it stays small.
MAXIMUM_SCRIPT_BYTES = 45_000

#: Says which explorable stands here and in which state; the website makes it live, other readers pass it over.
WEBSITE_MIME_TYPE = "application/vnd.course.explorable+json"

#: Lives in the page as long as a live view does: the output after a live view is its static twin.
HIDE_STATIC_TWIN = ".jp-OutputArea-child:has(.course-explorable) + .jp-OutputArea-child { display: none }\n"


@dataclass(frozen=True)
class Field:
    """One entry of the state.

    Parameters
    ----------
    default : object
        Value of a new explorable, as JSON holds it.
    meaning : str
        What it is, with its unit.
    check : callable
        Takes a value and returns it as JSON holds it, or raises ValueError with the rule ("must be ...").
    samples : tuple
        Allowed values, the extreme ones among them: the tests compare both languages at these.
    """

    default: Any
    meaning: str
    check: Callable[[Any], Any]
    samples: tuple = ()


def _rule(condition, rule):
    if not condition:
        raise ValueError(rule)


def integer(default, low, high, meaning):
    """Return the `Field` of a whole number between `low` and `high`, both included.

    Examples
    --------
    >>> integer(3, 1, 7, "kernel size").check(5)
    5
    >>> integer(3, 1, 7, "kernel size").check(5.5)
    Traceback (most recent call last):
    ...
    ValueError: must be a whole number from 1 to 7
    """

    def check(value):
        rule = f"must be a whole number from {low} to {high}"
        _rule(_is_number(value) and value == int(value) and low <= value <= high, rule)
        return int(value)

    return Field(default, meaning, check, samples=(low, (low + high) // 2, high))


def number(default, low, high, meaning):
    """Return the `Field` of a real number between `low` and `high`, both included.

    Examples
    --------
    >>> number(-1.0, -5, 5, "bias").check(2)
    2.0
    """

    def check(value):
        _rule(_is_number(value) and low <= value <= high, f"must be a number from {low} to {high}")
        return float(value)

    return Field(default, meaning, check, samples=(low, 0.25 * low + 0.75 * high, high))


def choice(default, options, meaning):
    """Return the `Field` of one of the listed values.

    Examples
    --------
    >>> choice("max", ["max", "average"], "pooling").check("max")
    'max'
    """
    options = list(options)

    def check(value):
        # True == 1: a flag must not pass as a number.
        scalar = isinstance(value, str | bool) or _is_number(value)
        known = [o for o in options if scalar and isinstance(o, bool) == isinstance(value, bool) and o == value]
        _rule(known, "must be one of " + ", ".join(map(repr, options)))
        return known[0]

    return Field(default, meaning, check, samples=tuple(options))


def flag(default, meaning):
    """Return the `Field` of a switch, True or False.

    Examples
    --------
    >>> flag(False, "play").check(True)
    True
    """

    def check(value):
        import numpy as np

        _rule(isinstance(value, bool | np.bool_), "must be True or False")
        return bool(value)

    return Field(default, meaning, check, samples=(False, True))


def numbers(default, meaning, *, shape=None, dimensions=None, largest_side=32, low=-1e6, high=1e6):
    """Return the `Field` of an array of finite numbers, held as nested lists.

    Parameters
    ----------
    default : nested list
        Value of a new explorable.
    meaning : str
        What it is, with its unit.
    shape : tuple of int, optional
        The one allowed shape.
    dimensions : int, optional
        Where the shape is free, the number of dimensions.
    largest_side : int
        Most entries along one dimension.
    low, high : float
        Allowed range of every entry.

    Returns
    -------
    Field
        Its check takes anything that numpy can turn into a real array.

    Examples
    --------
    >>> numbers([[0.0]], "patch", shape=(1, 2)).check([[1, 2.5]])
    [[1, 2.5]]
    >>> numbers([[0.0]], "patch", dimensions=2).check([1, 2])
    Traceback (most recent call last):
    ...
    ValueError: must be an array of numbers with 2 dimensions and at most 32 entries a side
    """
    if shape is not None:
        rule = f"must be an array of numbers with shape {tuple(shape)}"
    else:
        rule = f"must be an array of numbers with {dimensions} dimensions and at most {largest_side} entries a side"

    def check(value):
        import numpy as np

        try:
            array = np.asarray(value)
        except ValueError:  # rows of unequal length
            raise ValueError(rule) from None
        _rule(array.dtype.kind in "iuf" and array.size > 0, rule)
        if shape is not None:
            _rule(array.shape == tuple(shape), f"{rule}, not {array.shape}")
        else:
            _rule(array.ndim == dimensions and max(array.shape) <= largest_side, rule)
        _rule(np.isfinite(array).all(), "must be finite: no NaN, no infinity")
        _rule(array.min() >= low and array.max() <= high, f"must hold values from {low:g} to {high:g}")
        return _plain(array.astype(float).tolist())

    return Field(default, meaning, check)


def _is_number(value):
    import numbers as abstract

    try:
        return isinstance(value, abstract.Real) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:  # JSON allows whole numbers that no float can hold
        return False


def _plain(value):
    """Write whole floats as integers, as JavaScript does: shorter messages and readable states."""
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    return int(value) if value == int(value) else value


def written(value):
    """Write a number as the browser does (`show` in ``kit.js``): at most two decimals, a true minus sign.

    Examples
    --------
    >>> written(-2.0), written(1 / 3), written(-0.001)
    ('−2', '0.33', '0')
    """
    hundredths = math.floor(value * 100 + 0.5)
    text = f"{hundredths // 100}" if hundredths % 100 == 0 else repr(hundredths / 100)
    return text.replace("-", "−")


def _check_prediction(value):
    acceptable = value is None or _is_number(value) or (isinstance(value, str) and len(value) <= 80)
    _rule(acceptable, "must be None (not asked yet), 'skipped', or the guess: a number or a short text")
    return value


PREDICTION = Field(None, "the guess made before the result was revealed; None hides the result", _check_prediction)


class Explorable:
    """An interactive figure: one state, a live view in the browser, a static figure everywhere else.

    As the last expression of a notebook cell it shows itself. With a front end that is a live widget,
    followed by the static figure, which stays hidden as long as the widget lives; a saved and reopened
    notebook therefore still shows the figure. Without a front end only the static figure is shown.

    Parameters
    ----------
    **fields
        Opening values; what is not named takes its default.

    Attributes
    ----------
    fields : dict of str to Field
        What the state holds. ``prediction`` is added to every explorable.

    Raises
    ------
    ValueError
        If a field does not exist or its value breaks its rule.

    Examples
    --------
    >>> from course_lib.explorables import PixelArithmetic
    >>> explorable = PixelArithmetic(bias=-2)
    >>> explorable.state["bias"]
    -2.0
    >>> explorable.state = {"bias": 4}  # the other fields keep their values
    >>> PixelArithmetic(colour="red")
    Traceback (most recent call last):
    ...
    ValueError: PixelArithmetic has no field 'colour': it has patch, kernel, bias, activation, ...
    """

    name: ClassVar[str]
    title: ClassVar[str]
    figure: ClassVar[str]
    goal: ClassVar[str]
    fields: ClassVar[dict[str, Field]] = {}
    #: A class that raises it says why.
    maximum_script_bytes: ClassVar[int] = MAXIMUM_SCRIPT_BYTES
    #: JavaScript files that stand before the explorable's own, first to last.
    shared_scripts: ClassVar[tuple[str, ...]] = ("kit",)

    def __init_subclass__(cls, **keywords):
        super().__init_subclass__(**keywords)
        cls.fields = {**cls.fields, "prediction": PREDICTION}

    def __init__(self, **fields):
        self._views = []
        defaults = {name: copy.deepcopy(field.default) for name, field in self.fields.items()}
        self._state = self._checked({**defaults, **fields})

    def __repr__(self):
        changed = {n: value for n, value in self._state.items() if value != self.fields[n].default}
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in changed.items())})"

    # --- state -----------------------------------------------------------------------------------------

    @property
    def state(self):
        """A copy of the present state, as JSON holds it; assigning a dict changes the fields that it names."""
        return copy.deepcopy(self._state)

    @state.setter
    def state(self, changes):
        if not isinstance(changes, dict):
            raise ValueError(
                f"the state of {type(self).__name__} must be a dict of fields, not {type(changes).__name__}: "
                f"it has {', '.join(self.fields)}."
            )
        self._state = self._checked({**self._state, **changes})
        for view in self._views:
            view.state = self.state

    def _checked(self, state):
        checked = {}
        for name, value in state.items():
            if name not in self.fields:
                known = ", ".join(self.fields)
                raise ValueError(f"{type(self).__name__} has no field {name!r}: it has {known}.")
            try:
                checked[name] = self.fields[name].check(value)
            except ValueError as error:
                seen = repr(value)
                seen = seen if len(seen) <= 60 else seen[:57] + "..."
                # Without its context: one error, not two.
                raise ValueError(f"{type(self).__name__}: {name} {error}; seen: {seen}.") from None
        return self.reconcile(checked)

    def reconcile(self, state):
        """Return `state` with fields that contradict each other brought in line; the browser does the same.

        Parameters
        ----------
        state : dict
            Complete state, every field checked on its own; it may be changed in place.

        Returns
        -------
        dict
            A state that can be shown.

        Raises
        ------
        ValueError
            Where the fields given cannot be shown together.
        """
        return state

    # --- what a subclass writes ------------------------------------------------------------------------

    def summary(self):
        """Return one sentence that says what the picture shows now; a screen reader hears it."""
        raise NotImplementedError

    def static_figure(self):
        """Return the present state as a labelled ``plotly.graph_objects.Figure``."""
        raise NotImplementedError

    @classmethod
    def constants(cls):
        """Return JSON-able data that the browser needs beside the state (presets, for example)."""
        return {}

    # --- in the browser --------------------------------------------------------------------------------

    @classmethod
    @functools.cache
    def script(cls):
        """Return the JavaScript module of this explorable: constants, ``kit.js``, its own file.

        Returns
        -------
        str
            A module without imports whose default export has anywidget's ``render``.

        Raises
        ------
        ValueError
            If it has more than `maximum_script_bytes` bytes.

        Examples
        --------
        >>> from course_lib.explorables import PixelArithmetic
        >>> "export default" in PixelArithmetic.script()
        True
        """
        import plotly.colors

        course = {
            "title": cls.title,
            "figure": cls.figure,
            "goal": cls.goal,
            "defaults": {name: field.default for name, field in cls.fields.items()},
            "palette": style.PALETTE,
            "diverging": style.DIVERGING,
            "intensity": plotly.colors.get_colorscale(style.INTENSITY),
            **cls.constants(),
        }
        head = "const COURSE = " + json.dumps(course, separators=(",", ":"), ensure_ascii=False) + ";\n"
        parts = [(FOLDER / f"{name}.js").read_text("utf-8") for name in (*cls.shared_scripts, cls.name)]
        module = head + "\n".join(map(_without_comments, parts))
        size = len(module.encode())
        if size > cls.maximum_script_bytes:
            raise ValueError(
                f"the script of {cls.__name__} has {size} bytes, more than {cls.maximum_script_bytes}: "
                "every live view sends it anew, so make it or its constants smaller."
            )
        return module

    @staticmethod
    @functools.cache
    def stylesheet():
        """Return the style sheet of all explorables: ``kit.css`` with the palette as CSS variables.

        Examples
        --------
        >>> "--course-highlight: #f2b705" in Explorable.stylesheet()
        True
        """
        palette = "".join(f"  --course-{name.replace('_', '-')}: {colour};\n" for name, colour in style.PALETTE.items())
        return f".course-explorable {{\n{palette}}}\n{HIDE_STATIC_TWIN}" + (FOLDER / "kit.css").read_text("utf-8")

    def _ipython_display_(self):
        from IPython.display import display

        style.use()
        if has_front_end():
            view = self._make_view()
            self._views = [*(other for other in self._views if other.comm is not None), view]
            _close_views_of_earlier_runs(view)
            display(view)
        display(self._static_bundle(), raw=True)

    def _make_view(self):
        view = _view_class()(state=self.state, _esm=self.script(), _css=self.stylesheet())
        view.observe(self._take_state_of_view, "state")
        return view

    def _static_bundle(self):
        """Return what is saved: the static figure, and what a page without a kernel needs for the live view."""
        live = {"class": type(self).__name__, "state": self.state, "summary": self.summary()}
        return {**self.static_figure()._repr_mimebundle_(), WEBSITE_MIME_TYPE: live}

    def _take_state_of_view(self, change):
        try:
            self.state = change["new"]
        except ValueError:
            # A page of an older version of the course: its view goes back to the last good state.
            change["owner"].state = self.state


def _without_comments(source):
    """Drop comment lines and indentation: a third of the bytes. (No line of the sources starts inside a string.)"""
    lines = (line.strip() for line in source.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))


@functools.cache
def _view_class():
    # Made on first use: grading and papermill never import anywidget.
    import anywidget
    import traitlets

    class View(anywidget.AnyWidget):
        state = traitlets.Dict().tag(sync=True)
        _esm = traitlets.Unicode().tag(sync=True)
        _css = traitlets.Unicode().tag(sync=True)

    return View


#: Cell id -> (the run that made them, the live views that it made).
_views_of_cell: dict[str, tuple[str, list]] = {}


def _close_views_of_earlier_runs(view):
    """Close what earlier runs of the running cell left behind, so that fifty runs cost what one costs."""
    from IPython import get_ipython

    parent = getattr(get_ipython(), "get_parent", dict)() or {}
    cell = parent.get("metadata", {}).get("cellId")
    if cell is None:
        return
    run = parent["header"]["msg_id"]
    earlier_run, views = _views_of_cell.get(cell, (run, []))
    if earlier_run != run:
        for earlier in views:
            earlier.close()
        views = []
    _views_of_cell[cell] = (run, [*views, view])


@dataclass(frozen=True)
class Panel:
    """One picture of cells in a static figure.

    Parameters
    ----------
    values : array_like, shape (rows, columns)
        NaN leaves a cell empty.
    title : str
        Stands above the cells.
    colours : {"diverging", "intensity", "spins"}
        ``diverging`` for signed numbers (zero in the middle), ``intensity`` for non-negative ones.
    limit : float, optional
        Largest magnitude of the colour map; of the values without it.
    numbers : bool
        Whether the numbers stand in the cells.
    boxes : tuple of (row, column, rows, columns)
        Highlighted rectangles, counted in cells.
    """

    values: Any
    title: str
    colours: str = "diverging"
    limit: float | None = None
    numbers: bool = True
    boxes: tuple = ()


def figure_of_panels(panels, *, title, summary, height=380):
    """Return a plotly figure that shows pictures of cells side by side.

    Parameters
    ----------
    panels : list of Panel
        From left to right.
    title, summary : str
        Heading, and the sentence below it.
    height : int
        Height in pixels.

    Returns
    -------
    plotly.graph_objects.Figure
        Cells are square; rows count downwards, as in a matrix.

    Examples
    --------
    >>> figure = figure_of_panels([Panel([[1, -2]], "filter")], title="Filter", summary="Two weights.")
    >>> figure.layout.title.subtitle.text
    'Two weights.'
    """
    import textwrap

    import numpy as np
    from plotly.subplots import make_subplots

    arrays = [np.atleast_2d(np.asarray(panel.values, dtype=float)) for panel in panels]
    most_columns = max(array.shape[1] for array in arrays)
    figure = make_subplots(
        rows=1,
        cols=len(panels),
        subplot_titles=[panel.title for panel in panels],
        # A 3 x 3 filter beside an image of 32 x 32 must stay readable.
        column_widths=[max(array.shape[1], 0.6 * most_columns) + 1 for array in arrays],
        horizontal_spacing=0.22 / len(panels),
    )
    for column, (panel, array) in enumerate(zip(panels, arrays, strict=True), start=1):
        finite = array[np.isfinite(array)]
        limit = panel.limit or (np.abs(finite).max() if finite.size else 0) or 1.0
        scales = {"diverging": style.DIVERGING, "intensity": style.INTENSITY, "spins": style.SPINS}
        rows, columns = array.shape
        figure.add_heatmap(
            z=_compact(array),
            x=np.arange(1, columns + 1),
            y=np.arange(1, rows + 1),
            zmin=0 if panel.colours == "intensity" else -limit,
            zmax=limit,
            colorscale=scales[panel.colours],
            showscale=False,
            hoverongaps=False,
            xgap=float(most_columns <= 12),
            ygap=float(most_columns <= 12),
            texttemplate="%{z:.3~r}" if panel.numbers else None,
            hovertemplate="row %{y}, column %{x}: %{z:.4~r}<extra></extra>",
            row=1,
            col=column,
        )
        step = 1 if max(rows, columns) <= 12 else 10
        axis = {"showgrid": False, "showline": False, "ticks": "", "dtick": step, "tick0": 1, "constrain": "domain"}
        # One subplot gets the plain names x and y, the next x2, y2, ...
        anchor = "x" if column == 1 else f"x{column}"
        figure.update_xaxes(title="column", row=1, col=column, **axis)
        axis |= {"autorange": "reversed", "scaleanchor": anchor, "constraintoward": "top"}
        figure.update_yaxes(title="row" if column == 1 else "", row=1, col=column, **axis)
        for top, left, high, wide in panel.boxes:
            figure.add_shape(
                type="rect",
                x0=left + 0.5,
                x1=left + wide + 0.5,
                y0=top + 0.5,
                y1=top + high + 0.5,
                line={"color": style.PALETTE["highlight"], "width": 4 if most_columns <= 12 else 2},
                row=1,
                col=column,
            )
    lines = textwrap.wrap(summary, 110)
    figure.update_layout(
        template=style.template(),
        title={"text": title, "subtitle": {"text": "<br>".join(lines)}, "y": 0.97, "yanchor": "top"},
        height=height + 18 * len(lines),
        margin={"t": 96 + 18 * len(lines)},
    )
    return figure


def _compact(array):
    """Store whole numbers in two bytes and others in four: plotly writes arrays into the notebook as they are."""
    import numpy as np

    whole = np.isfinite(array).all() and (array == np.round(array)).all() and np.abs(array).max(initial=0) < 32_000
    return array.astype(np.int16 if whole else np.float32)
