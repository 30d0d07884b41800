"""The playground: a small neural network that learns in the browser, and its twin in Python.

`Playground` is the explorable. It computes in the page, with a busy kernel or none; `run` computes the same training in
Python, weight for weight, so that what a student shows can be replayed:

>>> from course_lib.explorables import playground
>>> result = playground.replay('{"dataset": "checkerboard", "layers": [4], "seed": 4, "epoch": 60}')
>>> result.epoch, len(result.test_loss), result.test_accuracy[-1] > 0.9
(60, 61, True)

Which numbers follow from a state: `data` (points and features), `network` (weights and losses), `settings` (the
fields, their rules, presets). Their JavaScript twins have the same names; ``playground.js`` beside this folder is the
view.
"""

from course_lib.explorables.playground.explorable import Playground, keras_code, make_data, replay, run, score

__all__ = ["Playground", "keras_code", "make_data", "replay", "run", "score"]
