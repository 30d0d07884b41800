"""What a trained network has learned: pure functions from a Keras 3 model and numpy inputs to numpy arrays.

Neither model nor inputs are changed. A function is compiled once for each (model, layer) and kept as long as the
model lives: calling it again costs about a fiftieth of ``model.predict`` on one image.

- `filters`: the weights of a convolutional layer, filter by filter;
- `activations`: the outputs of a layer (feature maps) for given inputs.
"""

from course_lib.introspection.layers import activations, filters, find_layer

__all__ = ["activations", "filters", "find_layer"]
