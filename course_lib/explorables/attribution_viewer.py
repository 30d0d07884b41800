"""Several explanations of one prediction side by side, on one colour scale, each with the sum that it should have."""

from __future__ import annotations

from typing import ClassVar

from course_lib.explorables.attribution_methods import chosen_methods
from course_lib.explorables.base import choice, integer
from course_lib.explorables.kernel_backed import KernelBacked
from course_lib.explorables.network_viewer import (
    NetworkViewer,
    Picture,
    as_map,
    as_picture,
    brief,
    figure_of_pictures,
    symmetric,
)

DEFAULT_METHODS = ("saliency", "SmoothGrad", "input x gradient", "integrated gradients", "LRP", "Grad-CAM", "occlusion")

STEPS = (1, 2, 5, 10, 20, 50, 100)


class AttributionViewer(NetworkViewer):
    """Ask several attribution methods why the network answered as it did, and check their sums.

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
    methods : sequence of str, or dict, optional
        Names of `course_lib.explorables.attribution_methods.METHODS`; or name -> function ``(model, inputs, target)``
        that returns an array of the inputs' shape. `DEFAULT_METHODS` when not given.
    baseline : float or array_like
        What counts as "nothing there", broadcast to one input: for integrated gradients, occlusion, Shapley values.
    example : int
        Which of the inputs.
    target : int or "predicted"
        Which output is explained: its score before the softmax.
    n_steps : int
        Points on the path of integrated gradients, one of `STEPS`.
    scale : {"shared", "own"}
        One colour scale for all maps of the same unit (shares of the score, slopes, ...), or one for each map.

    Raises
    ------
    ValueError
        If the inputs do not fit the model, or a method does not exist. What a method cannot do with this model
        (relevance of a subclassed one, for example) is said in its place instead of a map.

    Examples
    --------
    >>> import keras, numpy as np
    >>> model = keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(2, use_bias=False)])
    >>> viewer = AttributionViewer(model, np.ones((1, 3)), methods=["input x gradient", "integrated gradients"])
    >>> [bool(abs(tile["sum"] - tile["should_be"]) < 1e-5) for tile in viewer.complete_answer()["tiles"]]
    [True, True]
    """

    name = "attribution_viewer"
    title = "Attributions"
    figure = "Chapter 12"
    shared_scripts: ClassVar = (*KernelBacked.shared_scripts, "choosers")
    goal = "Compare what the methods call important, and see whose shares add up to the score."

    def __init__(self, model, inputs, labels=None, *, class_names=None, methods=None, baseline=0.0, **opening):
        from course_lib.introspection.gradients import broadcast_baseline

        self.methods = chosen_methods("AttributionViewer", methods, DEFAULT_METHODS)
        self._found = {}
        self.take_network(model, inputs, labels, class_names)
        self.baseline = broadcast_baseline(baseline, self.inputs[:1])
        fields = {
            "example": integer(0, 0, len(self.inputs) - 1, "index of the input"),
            "target": choice("predicted", ["predicted", *range(self.n_outputs)], "index of the output explained"),
            "n_steps": choice(50, STEPS, "points on the path of integrated gradients"),
            "scale": choice("shared", ["shared", "own"], "one colour scale for each unit, or for each map"),
        }
        super().__init__(fields, opening)

    def setup(self):
        """Return names and numbers for the controls."""
        return {
            "examples": len(self.inputs),
            "methods": list(self.methods),
            "steps": STEPS,
            "usesSteps": any(method.uses_steps for method in self.methods.values()),
        }

    def answer(self):
        """Return the input, the scores, and a map with its sum for each method that is ready."""
        import numpy as np

        from course_lib import introspection

        state = self._state
        example = state["example"]
        value = self.inputs[example : example + 1]
        scores = self._scores(np.concatenate([value, self.baseline]))
        predicted = int(self.predicted_classes(scores[:1])[0])
        target = state["target"]
        if target == "predicted":
            target = predicted if self.n_outputs > 1 else 0
        score = float(scores[0, target])
        expected = {"score": score, "difference": score - float(scores[1, target]), None: None}
        missing = self._compute_next(value, target, (example, target))
        tiles = []
        for name, method in self.methods.items():
            tile = {
                "name": name,
                "unit": method.unit,
                "should_be": expected[method.should_be],
                "rule": method.should_be,
            }
            found = self._found.get(self._part(name))
            if isinstance(found, str):
                tile["problem"] = found
            elif found is not None:
                tile["map"], tile["sum"] = as_map(found), float(found.sum(dtype=np.float64))
            tiles.append(tile)
        maps = {tile["name"]: tile["map"] for tile in tiles if "map" in tile}
        for tile in tiles:
            if "map" in tile:
                alike = [other["map"] for other in tiles if "map" in other and other["unit"] == tile["unit"]]
                # A share of the score and a slope are not the same thing: only equal units share a scale.
                tile["colours"] = symmetric(*alike) if state["scale"] == "shared" else symmetric(tile["map"])
        agreement = None
        if len(maps) > 1 and not missing:
            # A constant map has no ranks.
            ranked = {name: found[None] for name, found in maps.items() if np.ptp(found) > 0}
            pairs = introspection.agreement(ranked)[1][np.triu_indices(len(ranked), 1)] if len(ranked) > 1 else []
            agreement = float(np.mean(pairs)) if len(pairs) else None
        named = self.class_names[-self.n_outputs :]
        return {
            "input": as_picture(value[0], self.colours),
            "input_colours": self.colours,
            "scores": [{"name": name, "value": float(score)} for name, score in zip(named, scores[0], strict=True)],
            "target": target,
            "score": score,
            "difference": expected["difference"],
            "tiles": tiles,
            "agreement": agreement,
            "more": missing,
            "summary": self._sentence(example, predicted, named[target], score, tiles, missing),
        }

    def _part(self, name):
        return (name, self._state["n_steps"] if self.methods[name].uses_steps else None)

    def _compute_next(self, value, target, subject):
        """Compute one method that has no map yet for this subject; return whether others are still missing."""
        if self._found.get("subject") != subject:
            self._found = {"subject": subject}
        missing = [name for name in self.methods if self._part(name) not in self._found]
        if missing:
            name = missing[0]
            try:
                found = self.methods[name].attribute(self.model, value, target, self.baseline, self._state["n_steps"])[
                    0
                ]
            except ValueError as error:
                found = str(error)
            self._found[self._part(name)] = found
        return len(missing) > 1

    def _sentence(self, example, predicted, target, score, tiles, missing):
        exact = [
            tile["name"]
            for tile in tiles
            if tile.get("sum") is not None
            and tile["should_be"] is not None
            and abs(tile["sum"] - tile["should_be"]) <= 0.01 * max(abs(tile["should_be"]), 1e-6)
        ]
        promised = [tile["name"] for tile in tiles if tile["should_be"] is not None and "problem" not in tile]
        sums = f"within 1 % of their sum rule: {', '.join(exact) or 'none'}" if promised else "no method promises a sum"
        ready = sum("map" in tile for tile in tiles)
        return (
            f"Input {example} is taken for {self.class_names[predicted]}{self.truth_of(example)}; {ready} "
            f"maps explain its score {brief(score)} for {target}, {'more are on their way' if missing else sums}."
        )

    def forget(self):
        """Forget the maps computed so far: the model may have been trained further."""
        self._found = {}

    def static_figure(self):
        """Return the input and all maps, with the sums in their titles."""
        content, state = self.complete_answer(), self._state
        pictures = [Picture(content["input"], f"input {state['example']}", self.colours)]
        for tile in content["tiles"]:
            if "map" not in tile:
                continue
            title = f"{tile['name']}, to ±{tile['colours']['high']:.2g} {tile['unit']}"
            if tile["should_be"] is not None:
                title += f"<br>sum {brief(tile['sum'])}, should be {brief(tile['should_be'])}"
            pictures.append(Picture(tile["map"], title, tile["colours"]))
        return figure_of_pictures(pictures, title=self.title, summary=content["summary"])
