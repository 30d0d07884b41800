"""Watching a network learn: the live training monitor and what it is made of.

- `LiveTraining`: a Keras callback whose curves move while ``fit`` runs;
- `TrainingRecord`: what happened in one training, the truth behind every curve;
- `curves_figure`: the static figure of a record;
- `Finding`: what the curves of a record say (overfitting, diverging, not learning, not a number).

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
    "Finding": "verdict",
    "LiveTraining": "live_training",
    "TrainingRecord": "record",
    "curves_figure": "figure",
}

__all__ = ["Finding", "LiveTraining", "TrainingRecord", "curves_figure"]


def __getattr__(name):
    if name in _MODULES:
        return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted(set(globals()) | set(_MODULES))
