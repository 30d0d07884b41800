"""The interactive figures of the chapters: what needs only mathematics computes in the browser.

Each explorable loads on first use; `base` says how to add one.

Examples
--------
>>> from course_lib.explorables import PixelArithmetic
>>> PixelArithmetic(bias=0).summary().startswith("The nine products add up to 26")
True
"""

import importlib

_MODULES = {
    "ActivationGallery": "activation_gallery",
    "ActivationViewer": "activation_viewer",
    "AnalysisLadder": "analysis_ladder",
    "AttributionViewer": "attribution_viewer",
    "BackpropagationGraph": "backpropagation_graph",
    "BandedMatrix": "banded_matrix",
    "BiasVariance": "bias_variance",
    "ConfusionExplorer": "confusion_explorer",
    "ConvolutionCost": "convolution_cost",
    "ConvolutionOperations": "convolution_operations",
    "DataTypes": "data_types",
    "DecisionTree": "decision_tree",
    "DeepNetwork": "deep_network",
    "DescentSteps": "descent_steps",
    "DetectorEvents": "detector_events",
    "DifferentiableNodes": "differentiable_nodes",
    "EarthquakeLocator": "earthquake_locator",
    "EmbeddingViewer": "embedding_viewer",
    "EpicentreResolution": "epicentre_resolution",
    "FilterViewer": "filter_viewer",
    "FilterWalker": "filter_walker",
    "ForwardPass": "forward_pass",
    "FunctionApproximator": "function_approximator",
    "GlossaryCards": "glossary_cards",
    "HexagonalGrid": "hexagonal_grid",
    "HyperparameterSearch": "hyperparameter_search",
    "InterpolationTraining": "interpolation_training",
    "KerasProgram": "keras_program",
    "MaximizationViewer": "maximization_viewer",
    "MomentMap": "moment_map",
    "NeighbourhoodRegression": "neighbourhood_regression",
    "NetworkPaths": "network_paths",
    "ObjectiveChooser": "objective_chooser",
    "OneNode": "one_node",
    "OptimiserPaths": "optimiser_paths",
    "OverfittingMonitor": "overfitting_monitor",
    "PixelArithmetic": "pixel_arithmetic",
    "Playground": "playground",
    "ProjectConveyor": "project_conveyor",
    "ReceptiveFieldBuilder": "receptive_field_builder",
    "Regularisation": "regularisation",
    "ShortcutBudget": "shortcut_budget",
    "SkipConnections": "skip_connections",
    "SpiralHandedness": "spiral_handedness",
    "TrainingCounter": "training_counter",
    "TransposedConvolutionSteps": "transposed_convolution_steps",
    "WorkingPoint": "working_point",
}

__all__ = [
    "ActivationGallery",
    "ActivationViewer",
    "AnalysisLadder",
    "AttributionViewer",
    "BackpropagationGraph",
    "BandedMatrix",
    "BiasVariance",
    "ConfusionExplorer",
    "ConvolutionCost",
    "ConvolutionOperations",
    "DataTypes",
    "DecisionTree",
    "DeepNetwork",
    "DescentSteps",
    "DetectorEvents",
    "DifferentiableNodes",
    "EarthquakeLocator",
    "EmbeddingViewer",
    "EpicentreResolution",
    "FilterViewer",
    "FilterWalker",
    "ForwardPass",
    "FunctionApproximator",
    "GlossaryCards",
    "HexagonalGrid",
    "HyperparameterSearch",
    "InterpolationTraining",
    "KerasProgram",
    "MaximizationViewer",
    "MomentMap",
    "NeighbourhoodRegression",
    "NetworkPaths",
    "ObjectiveChooser",
    "OneNode",
    "OptimiserPaths",
    "OverfittingMonitor",
    "PixelArithmetic",
    "Playground",
    "ProjectConveyor",
    "ReceptiveFieldBuilder",
    "Regularisation",
    "ShortcutBudget",
    "SkipConnections",
    "SpiralHandedness",
    "TrainingCounter",
    "TransposedConvolutionSteps",
    "WorkingPoint",
]


def __getattr__(name):
    if name in _MODULES:
        return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted(set(globals()) | set(_MODULES))
