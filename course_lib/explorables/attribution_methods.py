"""The attribution methods that the viewers offer: what each computes, in which unit, and what it should add up to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from course_lib import introspection


@dataclass(frozen=True)
class Method:
    """One attribution method as a viewer uses it.

    Parameters
    ----------
    attribute : callable
        ``attribute(model, inputs, target, baseline, n_steps)`` -> array of the inputs' shape.
    unit : str
        Of the values: maps of the same unit may share a colour scale.
    should_be : {"difference", "score", None}
        What the sum over an input should be: ``f(x) - f(baseline)``, ``f(x)``, or nothing is promised.
    uses_steps : bool
        Whether the number of steps matters.
    """

    attribute: Callable
    unit: str = "per pixel"
    should_be: str | None = None
    uses_steps: bool = False


def _patch(inputs):
    """Return size and stride of the patches: a sixth of an image, single features of a table."""
    sides = inputs.shape[1:-1]
    if not sides:
        return {"patch_size": 1, "stride": 1}
    size = max(1, round(min(sides) / 6))
    size = tuple(min(size, side) for side in sides)
    return {"patch_size": size, "stride": tuple(max(1, side // 2) for side in size)}


def _patch_numbers(inputs):
    """Return the number of the patch of each input element, about 16 patches: the features of Shapley values."""
    import numpy as np

    shape = inputs.shape[1:]
    sides = shape[:-1] or shape
    parts = 16 if len(sides) == 1 else 4
    number = np.zeros(sides, dtype=int)
    for axis, side in enumerate(sides):
        index = np.arange(side) * min(parts, side) // side
        number = number * parts + index.reshape([-1 if other == axis else 1 for other in range(len(sides))])
    return np.broadcast_to(number[..., None], shape) if shape[:-1] else number


def _shapley(model, inputs, target, baseline, n_steps):
    return introspection.shapley_sampling(
        model, inputs, target, baseline=baseline, n_permutations=8, groups=_patch_numbers(inputs)
    )


def _integrated(model, inputs, target, baseline, n_steps):
    return introspection.integrated_gradients(model, inputs, target, baseline=baseline, n_steps=n_steps)


def _occlusion(model, inputs, target, baseline, n_steps):
    return introspection.occlusion(model, inputs, target, baseline=baseline, **_patch(inputs))


#: Name in the viewers -> method. Input times gradient and relevance add up to the score only without biases.
METHODS = {
    "saliency": Method(
        lambda model, inputs, target, *_: introspection.saliency(model, inputs, target), "per unit of input"
    ),
    "SmoothGrad": Method(
        lambda model, inputs, target, *_: introspection.smoothgrad(model, inputs, target), "per unit of input"
    ),
    "input x gradient": Method(
        lambda model, inputs, target, *_: introspection.input_x_gradient(model, inputs, target), should_be="score"
    ),
    "integrated gradients": Method(_integrated, should_be="difference", uses_steps=True),
    "LRP": Method(lambda model, inputs, target, *_: introspection.lrp(model, inputs, target), should_be="score"),
    "LRP gamma": Method(
        lambda model, inputs, target, *_: introspection.lrp(model, inputs, target, rule="gamma"), should_be="score"
    ),
    # What speaks against the target is shown too: without the ReLU of the paper.
    "Grad-CAM": Method(
        lambda model, inputs, target, *_: introspection.grad_cam(model, inputs, target, relu=False), "per map pixel"
    ),
    "class activation map": Method(
        lambda model, inputs, target, *_: introspection.class_activation_map(model, inputs, target), "mean = score"
    ),
    "occlusion": Method(_occlusion, "per patch"),
    "Shapley values": Method(_shapley, should_be="difference"),
}


def chosen_methods(owner, methods, default):
    """Return name -> `Method` for what a viewer was asked to show.

    Parameters
    ----------
    owner : str
        Who asks, for the message.
    methods : None, sequence of str, or dict
        None for `default`; names of `METHODS`; or a dict whose values are `Method` objects or plain functions
        ``function(model, inputs, target)``.
    default : sequence of str

    Raises
    ------
    ValueError
        If a name is unknown, or nothing is chosen.

    Examples
    --------
    >>> list(chosen_methods("Viewer", ["saliency", "LRP"], ()))
    ['saliency', 'LRP']
    """
    if isinstance(methods, str):
        methods = [methods]
    if isinstance(methods, dict):
        return {
            str(name): method if isinstance(method, Method) else _own_method(owner, name, method)
            for name, method in methods.items()
        }
    names = list(default if methods is None else methods)
    unknown = [name for name in names if name not in METHODS]
    if unknown or not names:
        seen = ", ".join(map(repr, unknown)) or "none"
        raise ValueError(f"{owner}: methods must be some of {', '.join(METHODS)}; seen: {seen}.")
    return {name: METHODS[name] for name in names}


def _own_method(owner, name, function):
    if not callable(function):
        raise ValueError(f"{owner}: methods[{name!r}] must be a function of (model, inputs, target), not {function!r}.")
    return Method(lambda model, inputs, target, *_: function(model, inputs, target))
