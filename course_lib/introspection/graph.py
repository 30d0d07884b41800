"""A model as a list of steps that can be walked forward and backward."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, eq=False)
class Step:
    """One call of one layer: what it is, and the identities of the tensors that go in and come out."""

    operation: object
    arguments: object
    inputs: tuple
    output: int

    @property
    def kind(self) -> str:
        return type(self.operation).__name__

    @property
    def name(self) -> str:
        return self.operation.name

    @property
    def only_copies(self) -> bool:
        """Whether a layer of one's own says that its outputs are copies of its inputs (periodic padding, mirroring)."""
        return bool(getattr(self.operation, "only_copies", False))


def steps_of(model) -> list[Step]:
    """Return the calls of a Sequential or Functional model, each after those that it needs.

    Raises
    ------
    ValueError
        If the model has no graph (subclassed), or holds another model.
    """
    # A built Sequential keeps the Functional model of its layers.
    functional = getattr(model, "_functional", None) or model
    by_depth = getattr(functional, "_nodes_by_depth", None)
    if not by_depth or not getattr(model, "outputs", None):
        raise ValueError(
            f"{type(model).__name__} {model.name!r} has no graph of layers: this method walks back layer by layer; "
            "build the model as Sequential or Functional (a Sequential needs an Input layer)."
        )
    steps = []
    for depth in sorted(by_depth, reverse=True):
        for node in by_depth[depth]:
            if node.is_input:
                continue
            if hasattr(node.operation, "layers"):
                raise ValueError(
                    f"Layer {node.operation.name!r} is a model itself: this method walks back layer by layer; "
                    "put its layers into the outer model."
                )
            tensors = tuple(id(tensor) for tensor in node.arguments.keras_tensors)
            steps.append(Step(node.operation, node.arguments, tensors, id(node.outputs[0])))
    return steps


def input_and_output(model) -> tuple[int, int]:
    """Return the identities of the model's input and output tensors."""
    functional = getattr(model, "_functional", None) or model
    return id(functional.inputs[0]), id(functional.outputs[0])


def run_forward(model, steps, batch) -> dict:
    """Return every tensor of the model for one batch: identity -> value, in inference mode."""
    tensors = {input_and_output(model)[0]: batch}
    for step in steps:
        positional, named = step.arguments.fill_in(tensors)
        tensors[step.output] = step.operation(*positional, **named)
    return tensors
