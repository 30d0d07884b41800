"""Gradient ascent on the input, live: what excites a class, a layer, a map or a single unit of a network."""

from __future__ import annotations

import json

from course_lib import style
from course_lib.explorables.base import choice, flag, integer
from course_lib.explorables.network_viewer import (
    NetworkViewer,
    as_picture,
    brief,
    layer_shapes,
    symmetric,
)

MAXIMUM_STEPS = 200

#: Steps between two pictures: on a network for digits about a twentieth of a second.
STEPS_PER_ANSWER = 4

STEP_SIZES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
PENALTIES = (0.0, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
OBJECTIVES = ("class", "layer", "map", "unit")


class MaximizationViewer(NetworkViewer):
    """Watch gradient ascent change an input until a part of the network answers strongly.

    Parameters
    ----------
    model : keras.Model
        Sequential, Functional or subclassed, with one input. Its weights are not changed.
    inputs : array_like, optional
        Shape ``(n, ...)``: sets the scale of the noise, and examples to start from. Needed where the model does not
        know the shape of its inputs.
    class_names : sequence of str, optional
        A name for each class.
    objective : {"class", "layer", "map", "unit"}
        Score of a class before the softmax; mean square of a layer ("DeepDream"); mean of one map; its central unit.
    layer : str
        Name of the layer; the last one with maps by default. Not used for a class.
    channel : int
        Index of the class or the map.
    start : {"noise", "example"}
        Gaussian noise, or one of the inputs.
    example : int
        Which of the inputs to start from.
    steps : int
        Steps of ascent, 0 to 200. Equal states give equal pictures, however they were reached.
    step_size : float
        In units of the input (root mean square of a step), if the gradient is normalised; one of `STEP_SIZES`.
    normalize_gradient : bool
        Whether to divide each gradient by its root mean square.
    jitter : int
        Largest random shift before each step, 0 to 4 pixels.
    total_variation, l2 : float
        Weights of the penalties on rough and on large inputs, each one of `PENALTIES`.
    seed : int
        Seed of noise and jitter.

    Raises
    ------
    ValueError
        If the layer does not exist, inputs do not fit, or the shape of the inputs is unknown.

    Examples
    --------
    >>> import keras
    >>> keras.utils.set_random_seed(0)
    >>> layers = [keras.layers.Input((8, 8, 1)), keras.layers.Conv2D(4, 3, activation="relu"),
    ...           keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(3)]
    >>> viewer = MaximizationViewer(keras.Sequential(layers), objective="class", channel=1, steps=10)
    >>> content = viewer.complete_answer()
    >>> content["picture"].shape, bool(content["objective"][-1] > content["objective"][0])
    ((8, 8), True)
    """

    name = "maximization_viewer"
    title = "Activation maximization"
    figure = "Chapter 12"
    goal = "Let the network paint what it answers to, and find out which regulariser turns noise into a picture."

    def __init__(self, model, inputs=None, *, class_names=None, **opening):
        self._given = inputs is not None
        self.take_network(model, inputs if self._given else _zero_input(model), class_names=class_names)
        self._shapes = layer_shapes(model, self.inputs)
        names = list(self._shapes)
        with_maps = [name for name, shape in self._shapes.items() if len(shape) == 3] or names
        most = max(shape[-1] for shape in self._shapes.values())
        starts = ["noise", "example"] if self._given else ["noise"]
        fields = {
            "objective": choice("class", OBJECTIVES, "what is to answer strongly"),
            "layer": choice(with_maps[-1], names, "the layer"),
            "channel": integer(0, 0, most - 1, "index of the class or the map"),
            "start": choice("noise", starts, "where the ascent starts"),
            "example": integer(0, 0, len(self.inputs) - 1, "index of the input to start from"),
            "steps": integer(24, 0, MAXIMUM_STEPS, "steps of ascent"),
            "step_size": choice(0.05, STEP_SIZES, "size of a step, in units of the input if normalised"),
            "normalize_gradient": flag(True, "whether each gradient is divided by its root mean square"),
            "jitter": integer(0, 0, 4, "largest random shift, in pixels"),
            "total_variation": choice(0.0, PENALTIES, "weight of the penalty on roughness"),
            "l2": choice(0.0, PENALTIES, "weight of the penalty on the mean square"),
            "seed": integer(0, 0, 99, "seed of noise and jitter"),
        }
        self._ascent = None
        super().__init__(fields, opening)

    def reconcile(self, state):
        """Keep the channel within the layer, or within the classes."""
        state["channel"] = min(state["channel"], self._n_channels(state) - 1)
        return state

    def _n_channels(self, state):
        return self.n_outputs if state["objective"] == "class" else self._shapes[state["layer"]][-1]

    def setup(self):
        """Return the layers with their numbers of maps, the classes, and what the controls offer."""
        return {
            "layers": {name: shape[-1] for name, shape in self._shapes.items()},
            "classes": list(self.class_names[-self.n_outputs :]),
            "examples": len(self.inputs) if self._given else 0,
            "maximum": MAXIMUM_STEPS,
            "sizes": STEP_SIZES,
            "penalties": PENALTIES,
        }

    # --- the ascent ------------------------------------------------------------------------------------

    def _start(self, state):
        """Return the input at step 0, shape ``(1, ...)``."""
        import numpy as np

        if state["start"] == "example":
            return self.inputs[state["example"] : state["example"] + 1]
        centre, spread = (float(self.inputs.mean()), float(self.inputs.std())) if self._given else (0.0, 1.0)
        noise = np.random.default_rng(state["seed"]).standard_normal((1, *self.inputs.shape[1:]), dtype=np.float32)
        return (centre + 0.1 * (spread or 1.0) * noise).astype(np.float32)

    def _options(self, state):
        """Return the arguments of `maximize_activation` that follow from the state."""
        options = {
            "step_size": state["step_size"],
            "normalize_gradient": state["normalize_gradient"],
            "jitter": state["jitter"],
            "total_variation": state["total_variation"],
            "l2": state["l2"],
        }
        if state["objective"] == "class":
            return options | {"channel": state["channel"]}
        options["layer"] = state["layer"]
        if state["objective"] != "layer":
            options["channel"] = state["channel"]
        if state["objective"] == "unit":
            options["position"] = tuple(side // 2 for side in self._shapes[state["layer"]][:-1])
        return options

    def _advance(self):
        """Bring the ascent nearer to the state by at most `STEPS_PER_ANSWER` steps; return it."""
        from course_lib import introspection

        state = self._state
        settings = json.dumps({name: value for name, value in state.items() if name != "steps"})
        options = self._options(state)
        ascent = self._ascent
        if ascent is None or ascent["settings"] != settings or len(ascent["objective"]) - 1 > state["steps"]:
            start = introspection.maximize_activation(self.model, self._start(state), n_steps=0, **options)
            ascent = {
                "settings": settings,
                "image": start.images,
                "objective": [float(start.objective[0, 0])],
                "moved": False,
            }
        for step in range(len(ascent["objective"]) - 1, state["steps"])[:STEPS_PER_ANSWER]:
            # Single steps with a seed of their own: the picture does not depend on how the steps were asked for.
            result = introspection.maximize_activation(
                self.model, ascent["image"], n_steps=1, seed=1000 * state["seed"] + step, **options
            )
            ascent["image"] = result.images
            ascent["objective"].append(float(result.objective[-1, 0]))
            ascent["moved"] |= not bool(result.is_dead[0])
        self._ascent = ascent
        return ascent

    def answer(self):
        """Return the picture after a few more steps, and the objective after each one."""
        import numpy as np

        state = self._state
        ascent = self._advance()
        done = len(ascent["objective"]) - 1
        scores = self._scores(ascent["image"])
        predicted = int(self.predicted_classes(scores)[0])
        probability = float(self.probabilities(scores)[0, predicted])
        before, now = ascent["objective"][0], ascent["objective"][-1]
        picture = as_picture(ascent["image"][0], self.colours)
        stuck = done > 0 and not ascent["moved"]
        return {
            "picture": picture,
            # The start may be small and the end large: signed values need a scale that grows with them.
            "colours": self.colours if self.colours["kind"] == "colours" else symmetric(picture),
            "objective": np.array(ascent["objective"]),
            "done": done,
            "more": done < state["steps"],
            "stuck": stuck,
            "predicted": self.class_names[predicted],
            "probability": probability,
            "summary": (
                f"After {done} step{'' if done == 1 else 's'} the {self._objective_words(state)} went from "
                f"{brief(before)} to {brief(now)}"
                + (", the gradient is zero, so this start cannot move" if stuck else "")
                + f"; the network takes the picture for {self.class_names[predicted]} with {100 * probability:.0f} %."
            ),
        }

    def _objective_words(self, state):
        if state["objective"] == "class":
            return f"score of class {self.class_names[-self.n_outputs :][state['channel']]}"
        if state["objective"] == "layer":
            return f"mean square of layer {state['layer']}"
        where = "mean of" if state["objective"] == "map" else "central unit of"
        return f"{where} map {state['channel']} in layer {state['layer']}"

    def forget(self):
        """Forget the ascent: the model may have been trained further."""
        self._ascent = None

    def static_figure(self):
        """Return the picture and the objective against the steps."""
        import textwrap

        import numpy as np
        from plotly.subplots import make_subplots

        content = self.complete_answer()
        array, colours = content["picture"], content["colours"]
        figure = make_subplots(cols=2, column_widths=[0.5, 0.5], horizontal_spacing=0.2)
        if colours["kind"] == "colours":
            figure.add_image(z=np.uint8(255 * np.clip(array / colours["high"], 0, 1)), row=1, col=1)
        else:
            bar = {"title": {"text": "input"}, "x": 0.42, "thickness": 12}
            figure.add_heatmap(
                z=array,
                zmin=colours["low"],
                zmax=colours["high"],
                colorscale=style.DIVERGING,
                colorbar=bar,
                row=1,
                col=1,
            )
        line = {"color": style.PALETTE["training"]}
        figure.add_scatter(y=content["objective"], mode="lines", line=line, showlegend=False, row=1, col=2)
        figure.update_xaxes(title_text="column (pixels)", constrain="domain", showgrid=False, row=1, col=1)
        figure.update_yaxes(
            title_text="row (pixels)", autorange="reversed", scaleanchor="x", showgrid=False, row=1, col=1
        )
        figure.update_xaxes(title_text="step", row=1, col=2)
        figure.update_yaxes(title_text=self._objective_words(self._state), row=1, col=2)
        lines = textwrap.wrap(content["summary"], 110)
        figure.update_layout(
            template=style.template(),
            title={"text": self.title, "subtitle": {"text": "<br>".join(lines)}},
            margin={"t": 110},
            height=440,
        )
        return figure


def _zero_input(model):
    import numpy as np

    tensors = getattr(model, "inputs", None)
    shape = tuple(tensors[0].shape[1:]) if tensors else (None,)
    if None in shape:
        raise ValueError(
            f"MaximizationViewer cannot tell the shape of the inputs of model {model.name!r}, {shape}: "
            "give inputs, some examples of what the model takes."
        )
    return np.zeros((1, *shape), dtype=np.float32)
