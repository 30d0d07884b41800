"""What a network has learned and why it answered as it did: pure functions from a Keras 3 model to numpy arrays.

Neither model nor inputs are changed. What is computed is compiled once for each (model, layer, method) and kept as
long as the model lives: calling it again costs about a fiftieth of ``model.predict`` on one image.

Attribution methods share one signature, ``method(model, inputs, target, **options)``: `inputs` of shape ``(n, ...)``,
`target` an output index or one for each input, result of the inputs' shape, scores taken before the softmax.

- the model: `filters`, `activations`, `scores`, `maximize_activation`, `deconvnet`, `receptive_field`,
  `receptive_window`, `activation_gradient`, `output_shapes`, `dead_units`, `linear_probe`, `most_activating`,
  `pixel_correlation`, `filtered_class_difference`;
- a prediction: `saliency`, `smoothgrad`, `input_x_gradient`, `integrated_gradients`, `class_activation_map`,
  `grad_cam`, `lrp` (`relevance_flow`), `occlusion`, `shapley_sampling` (`shapley_exact`);
- the explanation itself: `completeness`, `deletion_curve`, `insertion_curve`, `randomized_weights`, `agreement`,
  `mass_inside`.
"""

from course_lib.introspection.compilation import find_layer, scores
from course_lib.introspection.gradients import (
    activation_gradient,
    input_x_gradient,
    integrated_gradients,
    saliency,
    smoothgrad,
)
from course_lib.introspection.judgement import (
    agreement,
    completeness,
    deletion_curve,
    insertion_curve,
    mass_inside,
    randomized_weights,
)
from course_lib.introspection.layers import activations, filters, output_shapes
from course_lib.introspection.localization import class_activation_map, grad_cam
from course_lib.introspection.maximization import deconvnet, maximize_activation
from course_lib.introspection.perturbation import occlusion, shapley_exact, shapley_sampling
from course_lib.introspection.relevance import lrp, relevance_flow
from course_lib.introspection.statistics import (
    dead_units,
    filtered_class_difference,
    linear_probe,
    most_activating,
    pixel_correlation,
    receptive_field,
    receptive_window,
)

__all__ = [
    "activation_gradient",
    "activations",
    "agreement",
    "class_activation_map",
    "completeness",
    "dead_units",
    "deconvnet",
    "deletion_curve",
    "filtered_class_difference",
    "filters",
    "find_layer",
    "grad_cam",
    "input_x_gradient",
    "insertion_curve",
    "integrated_gradients",
    "linear_probe",
    "lrp",
    "mass_inside",
    "maximize_activation",
    "most_activating",
    "occlusion",
    "output_shapes",
    "pixel_correlation",
    "randomized_weights",
    "receptive_field",
    "receptive_window",
    "relevance_flow",
    "saliency",
    "scores",
    "shapley_exact",
    "shapley_sampling",
    "smoothgrad",
]
