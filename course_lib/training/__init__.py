"""Watching a network learn: the live training monitor and what it is made of.

- `LiveTraining`: a Keras callback whose curves move while ``fit`` runs; it also shows hand-written loops, races of
  several models, and the spread over seeds;
- `TrainingRecord`: what happened in one training, the truth behind every curve;
- `curves_figure`, `spread_figure`, `layers_figure`: the static figures;
- `Finding`: what the curves of a record say (overfitting, diverging, not learning, not a number);
- `EarlierRun`, `earlier_run`: a training that is over, drawn behind a new one;
- `inspect_layers`, `Inspection`, `LayerState`: norms of gradients and weights, size of updates, dead units.

Importing this package loads neither Keras nor plotly; both load when they are used.

Examples
--------
>>> from course_lib import training
>>> record = training.TrainingRecord(title="demonstration")
>>> record.add_epoch(0, {"loss": 1.5, "val_loss": 1.7})
>>> record.best_epoch
1
"""

import importlib

_MODULES = {
    "EarlierRun": "earlier",
    "Finding": "verdict",
    "Inspection": "inspection",
    "LayerState": "inspection",
    "LiveTraining": "live_training",
    "TrainingRecord": "record",
    "curves_figure": "figure",
    "earlier_run": "earlier",
    "inspect_layers": "inspection",
    "layers_figure": "layer_curves",
    "spread_figure": "figure",
}

__all__ = [
    "EarlierRun",
    "Finding",
    "Inspection",
    "LayerState",
    "LiveTraining",
    "TrainingRecord",
    "curves_figure",
    "earlier_run",
    "inspect_layers",
    "layers_figure",
    "spread_figure",
]


def __getattr__(name):
    if name in _MODULES:
        return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted(set(globals()) | set(_MODULES))
