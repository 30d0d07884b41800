"""Which classes a network mixes up, with the images behind every number and what spoke for the answers."""

from __future__ import annotations

import math

from course_lib import style
from course_lib.explorables.attribution_methods import METHODS, chosen_methods
from course_lib.explorables.base import choice, integer
from course_lib.explorables.network_viewer import NetworkViewer, as_map, as_picture, symmetric

#: Images shown at once.
PAGE = 8

MAXIMUM_CLASSES = 30


class ConfusionExplorer(NetworkViewer):
    """Click a cell of the confusion matrix: the images of this kind, and what spoke for the answer.

    The network answers once, when the explorer is made; make a new one after further training.

    Parameters
    ----------
    model : keras.Model
        A classifier with 2 to 30 classes (or one sigmoid output). It is not changed.
    inputs : array_like
        Shape ``(n, ...)``, best of a validation or test set.
    labels : array_like of int
        True class of each input, shape ``(n,)``.
    class_names : sequence of str, optional
        A name for each class.
    methods : sequence of str, or dict, optional
        Which attribution methods can be chosen, as for `AttributionViewer`; the first one opens.
    baseline : float or array_like
        As for `AttributionViewer`.
    truth, predicted : int
        The cell that is shown; the most frequent mistake by default.
    page : int
        Which images of the cell, eight at a time, the most confident ones first.
    method : str
        Name of the attribution method.
    explain : {"predicted", "truth", "difference"}
        Whether the maps show what spoke for the prediction, for the true class, or for the prediction against the
        truth (for right answers: against the second most probable class).
    show : {"counts", "shares"}
        Numbers in the matrix: counts, or the share of each true class in percent (rows add up to 100).

    Raises
    ------
    ValueError
        If labels are missing or do not fit, or there are too many classes.

    Examples
    --------
    >>> import keras, numpy as np
    >>> model = keras.Sequential([keras.layers.Input((2,)), keras.layers.Dense(2, use_bias=False)])
    >>> model.set_weights([np.eye(2)])
    >>> explorer = ConfusionExplorer(model, [[1.0, 0.0], [0.0, 1.0], [2.0, 0.0]], [0, 1, 1])
    >>> explorer.counts.tolist(), (explorer.state["truth"], explorer.state["predicted"])
    ([[1, 0], [1, 1]], (1, 0))
    """

    name = "confusion_explorer"
    title = "Confusions"
    figure = "Chapter 12"
    goal = "Find the pair of classes that is mixed up most, and see in the images why."

    def __init__(self, model, inputs, labels, *, class_names=None, methods=None, baseline=0.0, **opening):
        import numpy as np

        from course_lib.introspection.gradients import broadcast_baseline

        default = ("input x gradient", *(name for name in METHODS if name != "input x gradient"))
        self.methods = chosen_methods("ConfusionExplorer", methods, default)
        if labels is None:
            raise ValueError(
                "ConfusionExplorer needs labels, the true class of each input: without them no mistake is known."
            )
        self.take_network(model, inputs, labels, class_names)
        if self.n_classes > MAXIMUM_CLASSES:
            raise ValueError(
                f"ConfusionExplorer shows at most {MAXIMUM_CLASSES} classes, but the model has {self.n_outputs} "
                "outputs: make a model of those outputs that you want to compare."
            )
        self.baseline = broadcast_baseline(baseline, self.inputs[:1])
        scores = self._scores(self.inputs)
        self.predictions = self.predicted_classes(scores)
        self._probabilities = self.probabilities(scores)
        self.counts = np.zeros((self.n_classes, self.n_classes), dtype=int)
        np.add.at(self.counts, (self.labels, self.predictions), 1)
        mistakes = self.counts - np.diag(np.diag(self.counts))
        truth, predicted = np.unravel_index((mistakes if mistakes.any() else self.counts).argmax(), mistakes.shape)
        last = self.n_classes - 1
        names = list(self.methods)
        fields = {
            "truth": integer(int(truth), 0, last, "true class of the cell"),
            "predicted": integer(int(predicted), 0, last, "predicted class of the cell"),
            "page": integer(0, 0, len(self.inputs) // PAGE, "page of images"),
            "method": choice(names[0], names, "attribution method"),
            "explain": choice("predicted", ["predicted", "truth", "difference"], "what the maps speak for"),
            "show": choice("counts", ["counts", "shares"], "numbers in the matrix"),
        }
        super().__init__(fields, opening)

    def reconcile(self, state):
        """Keep the page within the cell."""
        count = int(self.counts[state["truth"], state["predicted"]])
        state["page"] = min(state["page"], max(0, -(-count // PAGE) - 1))
        return state

    def setup(self):
        """Return the matrix, the names of the classes and the methods."""
        return {
            "counts": self.counts.tolist(),
            "classes": list(self.class_names),
            "methods": list(self.methods),
            "page": PAGE,
        }

    @property
    def accuracy(self):
        """Share of right answers."""
        return float(self.counts.trace() / self.counts.sum())

    @property
    def accuracy_error(self):
        """Binomial standard error of the accuracy."""
        return math.sqrt(self.accuracy * (1 - self.accuracy) / self.counts.sum())

    def indices(self):
        """Return which inputs are in the chosen cell, the most confident answers first."""
        import numpy as np

        truth, predicted = self._state["truth"], self._state["predicted"]
        found = np.flatnonzero((self.labels == truth) & (self.predictions == predicted))
        return found[np.argsort(-self._probabilities[found, predicted], kind="stable")]

    def answer(self):
        """Return the images of the cell and page, and their maps."""
        import numpy as np

        state = self._state
        truth, predicted = state["truth"], state["predicted"]
        found = self.indices()
        shown = found[PAGE * state["page"] : PAGE * (state["page"] + 1)]
        count, of_truth = int(self.counts[truth, predicted]), int(self.counts[truth].sum())
        named = [self.class_names[truth], self.class_names[predicted]]
        share = f" ({100 * count / of_truth:.1f} %)" if of_truth else ""
        problem = ""
        maps = np.zeros((0, 1, 1), dtype=np.float32)
        if len(shown):
            try:
                maps = np.stack([as_map(entry) for entry in self._maps(shown, truth, predicted)])
            except ValueError as error:
                problem = str(error)
        pictures = [as_picture(self.inputs[index], self.colours) for index in shown]
        pages = max(1, -(-len(found) // PAGE))
        rival = "the runner-up" if truth == predicted else named[0]
        explained = {
            "predicted": f"for {named[1]}",
            "truth": f"for {named[0]}",
            "difference": f"for {named[1]} against {rival}",
        }
        return {
            "pictures": np.stack(pictures) if pictures else np.zeros((0, 1, 1), dtype=np.float32),
            "picture_colours": self.colours,
            "maps": maps,
            "map_colours": symmetric(maps),
            "indices": [int(index) for index in shown],
            "probabilities": [float(self._probabilities[index, predicted]) for index in shown],
            "count": count,
            "of_truth": of_truth,
            "pages": pages,
            "accuracy": self.accuracy,
            "accuracy_error": self.accuracy_error,
            "explained": explained[state["explain"]],
            "problem": problem,
            "summary": (
                f"{count} of {of_truth} inputs of class {named[0]}{share} are taken for {named[1]}; page "
                f"{state['page'] + 1} of {pages} shows {len(shown)} of them with {state['method']} "
                f"{explained[state['explain']]}; the accuracy is "
                f"{100 * self.accuracy:.1f} ± {100 * self.accuracy_error:.1f} %"
                + (f"; {problem.rstrip('.')}" if problem else "")
                + "."
            ),
        }

    def _maps(self, shown, truth, predicted):
        inputs = self.inputs[shown]

        def maps_for(target):
            # A single output speaks for class 1; its negative speaks for class 0.
            sign, output = (1, target) if self.n_outputs > 1 else (2 * target - 1, 0)
            method = self.methods[self._state["method"]]
            return sign * method.attribute(self.model, inputs, output, self.baseline, 20)

        if self._state["explain"] == "difference":
            return maps_for(predicted) - maps_for(truth if truth != predicted else self._runners_up(shown, predicted))
        return maps_for(predicted if self._state["explain"] == "predicted" else truth)

    def _runners_up(self, shown, predicted):
        """Return what right answers were closest to being mistaken for: a class for each input, or the only other."""
        import numpy as np

        if self.n_outputs == 1:
            return 1 - predicted
        others = self._probabilities[shown].copy()
        others[:, predicted] = -np.inf
        return others.argmax(axis=1)

    def static_figure(self):
        """Return the confusion matrix, the chosen cell outlined, the counts written in."""
        import textwrap

        import plotly.graph_objects as go

        state = self._state
        total = self.counts.sum(axis=1, keepdims=True).clip(min=1)
        shares = 100 * self.counts / total
        figure = go.Figure(
            go.Heatmap(
                z=shares.astype("float32"),
                x=list(self.class_names),
                y=list(self.class_names),
                zmin=0,
                zmax=100,
                colorscale=style.INTENSITY,
                text=self.counts,
                texttemplate="%{text}",
                colorbar={"title": {"text": "share of the<br>true class (%)"}, "thickness": 12},
                hovertemplate="true %{y}, predicted %{x}: %{text} (%{z:.1f} %)<extra></extra>",
            )
        )
        row, column = state["truth"], state["predicted"]
        line = {"color": style.PALETTE["highlight"], "width": 4}
        figure.add_shape(type="rect", x0=column - 0.5, x1=column + 0.5, y0=row - 0.5, y1=row + 0.5, line=line)
        figure.update_xaxes(title="predicted class", type="category", showgrid=False, constrain="domain")
        figure.update_yaxes(title="true class", type="category", autorange="reversed", showgrid=False, scaleanchor="x")
        lines = textwrap.wrap(self.summary(), 110)
        figure.update_layout(
            template=style.template(),
            title={"text": self.title, "subtitle": {"text": "<br>".join(lines)}},
            margin={"t": 84 + 18 * len(lines)},
            height=560,
        )
        return figure
