"""Helper library of the course "Deep learning for physics research".

Submodules load on first use, so that ``import course_lib`` stays under 0.1 s and pulls in neither
TensorFlow nor plotly:

- ``data``: ``load_*`` (bundled), ``fetch_*`` (downloaded and verified), ``make_*`` (simulated);
- ``simulators``: the physics behind ``make_*``;
- ``training``: live training monitor and other Keras callbacks;
- ``introspection``: what a trained network has learned;
- ``explorables``: the interactive figures of the chapters;
- ``convolution``: the arithmetic of convolutional layers in plain numpy;
- ``style``: colours and the plotly template shared by the whole course;
- ``front_end``: whether somebody is looking at widgets.

Examples
--------
>>> import course_lib
>>> course_lib.style.PALETTE["training"]
'#2563c9'
"""

import importlib

__version__ = "0.1.0"

_SUBMODULES = frozenset(
    {"convolution", "data", "explorables", "front_end", "introspection", "simulators", "style", "training"}
)


def __getattr__(name):
    if name in _SUBMODULES:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted(set(globals()) | _SUBMODULES)
