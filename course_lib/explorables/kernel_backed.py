"""Explorables whose pictures the kernel computes: views of a network that the student trained.

The state is one JSON dictionary, as in every explorable. What differs: the browser does not compute. After each change
it sends the state to Python, which answers with what is to be drawn.

- One request is in flight; of those made meanwhile only the newest is kept (``ask`` and ``answered`` in
  ``kernel_backed.js``). A slider therefore never builds up a queue, however slow the network.
- An answer may be marked as unfinished (``"more": True``): the browser draws it and asks again, unless the student
  wants something else by then. Long computations are cut into pieces in this way and stay interruptible.
- The answer depends on the state alone. What is kept between two pieces only saves time.
- While a cell runs, the kernel answers nobody; the view says "busy" and catches up afterwards.

How to add one
--------------
1. ``<name>.py``: a subclass of `KernelBacked`. ``__init__`` checks its inputs and calls ``super().__init__(fields,
   opening)``: the fields may depend on the model (its layers, for example). Write `KernelBacked.answer`, and
   `KernelBacked.setup` for what never changes; arrays in an answer travel as binary float32.
   `Explorable.static_figure` and `Explorable.reconcile` as always; the summary is part of the answer.
2. ``<name>.js``: ``export default kernelBacked({ build(view, kernel) { ... } })``. In it ``kernel.setup``, and
   ``kernel.draw((answer, state) => ...)``, which runs at every redraw once there is an answer; arrays arrive as
   ``{shape, values}``. The other functions are listed at the top of ``kernel_backed.js`` and ``choosers.js`` (for
   which a class names it in ``shared_scripts``).
3. A line in ``__init__.py``, ``tests/test_<name>.py``, and a control driven in
   ``tests/test_introspection_viewers_browser.py``.
"""

from __future__ import annotations

import functools
import math
from typing import ClassVar

from course_lib.explorables.base import FOLDER, PREDICTION, Explorable, _view_class


class KernelBacked(Explorable):
    """An explorable that asks the kernel for every picture.

    Parameters
    ----------
    fields : dict of str to Field
        What the state of this object holds; defaults and rules may depend on the model.
    opening : dict
        Opening values; what is not named takes its default.

    Raises
    ------
    ValueError
        If a field does not exist or its value breaks its rule.
    """

    shared_scripts: ClassVar = ("kit", "kernel_backed")

    def __init__(self, fields, opening):
        self.fields = {**fields, "prediction": PREDICTION}
        super().__init__(**opening)

    # --- what a subclass writes ------------------------------------------------------------------------

    def answer(self):
        """Return what the view draws for the present state.

        Returns
        -------
        dict
            Plain values, lists, dicts and numpy arrays. ``"summary"``: one sentence that says what is on the screen.
            ``"more"``: True if a part is still missing; the next call computes at least one more part.
        """
        raise NotImplementedError

    def setup(self):
        """Return JSON-able data that the browser needs once, for example the names of the layers."""
        return {}

    def forget(self):
        """Drop what was kept of earlier answers: called before each display, as the model may have been trained."""

    # --- what it gets for it ---------------------------------------------------------------------------

    def complete_answer(self):
        """Return the answer to the present state with no part missing.

        Returns
        -------
        dict
            As `answer`, with ``"more"`` false or absent.
        """
        while (content := self.answer()).get("more"):
            pass
        return content

    def summary(self):
        """Say what the complete picture shows."""
        return self.complete_answer()["summary"]

    @staticmethod
    @functools.cache
    def stylesheet():
        """Return the style sheet of all explorables and that of the kernel-backed ones."""
        return Explorable.stylesheet() + (FOLDER / "kernel_backed.css").read_text("utf-8")

    def _ipython_display_(self):
        self.forget()
        super()._ipython_display_()

    def _make_view(self):
        view = _kernel_view_class()(state=self.state, setup=self.setup(), _esm=self.script(), _css=self.stylesheet())
        view.on_msg(self._take_request)
        return view

    def _static_bundle(self):
        # No page without a kernel can make it live: the static figure is all that is saved.
        return self.static_figure()._repr_mimebundle_()

    def _take_request(self, view, request, buffers):
        """Answer a request of a view: ``{"id", "state"}`` in, ``{"id", "state", "content"}`` or an error out."""
        identity = request.get("id")
        try:
            self._state = self._checked({**self._state, **request.get("state", {})})
            content, arrays = packed(self.answer())
        except (Exception, KeyboardInterrupt) as error:
            # Nobody sees what a message handler raises; the student reads it in the view, which stays usable.
            words = "interrupted" if isinstance(error, KeyboardInterrupt) else str(error) or type(error).__name__
            view.send({"id": identity, "error": words})
            return
        for other in self._views:
            # The asking view too: a reloaded page opens in the present state.
            other.state = self.state
        view.send({"id": identity, "state": self.state, "content": content}, buffers=arrays)


@functools.cache
def _kernel_view_class():
    import traitlets

    class KernelView(_view_class()):
        setup = traitlets.Dict().tag(sync=True)

    return KernelView


def packed(content):
    """Split an answer into what JSON can hold and its arrays.

    Parameters
    ----------
    content : dict
        Nested dicts and lists of plain values, numpy scalars and numpy arrays.

    Returns
    -------
    content : dict
        Each array replaced by ``{"array": index, "shape": [...]}``, each number that is not finite by None.
    arrays : list of bytes
        The arrays as little-endian float32.

    Examples
    --------
    >>> import numpy as np
    >>> packed({"map": np.zeros((2, 3)), "score": np.float32(0.5)})[0]
    {'map': {'array': 0, 'shape': [2, 3]}, 'score': 0.5}
    """
    import numpy as np

    arrays = []

    def plain(value):
        if isinstance(value, np.ndarray):
            arrays.append(np.ascontiguousarray(value, dtype="<f4").tobytes())
            return {"array": len(arrays) - 1, "shape": list(value.shape)}
        if isinstance(value, dict):
            return {name: plain(entry) for name, entry in value.items()}
        if isinstance(value, list | tuple):
            return [plain(entry) for entry in value]
        value = value.item() if isinstance(value, np.generic) else value
        # JSON has no NaN.
        return None if isinstance(value, float) and not math.isfinite(value) else value

    return plain(content), arrays
