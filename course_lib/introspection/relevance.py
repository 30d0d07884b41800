"""Layer-wise relevance propagation: a score handed back from layer to layer as a current."""

from __future__ import annotations

import weakref

import numpy as np

from course_lib.introspection.compilation import (
    check_inputs,
    check_target,
    compiled,
    input_signature,
    key_of_inputs,
    scores,
    scores_instead_of_probabilities,
)
from course_lib.introspection.graph import input_and_output, run_forward, steps_of

RULES = ("epsilon", "gamma", "alpha_beta")

#: Layers whose output is linear in their input through a kernel, activation apart.
_KERNEL_LAYERS = {"Dense", "Conv1D", "Conv2D"}
#: Element-wise or absent at prediction time: relevance passes unchanged.
_PASSING = {
    *("ReLU", "LeakyReLU", "PReLU", "ELU", "Activation", "Softmax"),
    *("Dropout", "SpatialDropout1D", "SpatialDropout2D", "AlphaDropout", "GaussianNoise", "GaussianDropout"),
}
#: Linear without weights: each output's relevance is shared in proportion to the inputs' contributions.
_SHARING = {
    *("AveragePooling1D", "AveragePooling2D", "GlobalAveragePooling1D", "GlobalAveragePooling2D"),
    *("UpSampling1D", "UpSampling2D", "Add"),
}
#: Outputs are copies of inputs: relevance goes back to where each value came from (the winner of a maximum).
_ROUTING = {
    *("MaxPooling1D", "MaxPooling2D", "GlobalMaxPooling1D", "GlobalMaxPooling2D"),
    *("Flatten", "Reshape", "Permute", "ZeroPadding1D", "ZeroPadding2D", "Cropping1D", "Cropping2D", "Concatenate"),
}


def lrp(
    model,
    inputs,
    target,
    *,
    rule: str = "epsilon",
    rules: dict | None = None,
    epsilon: float = 1e-6,
    gamma: float = 0.25,
    alpha: float = 2.0,
    beta: float = 1.0,
    batch_size: int = 256,
) -> np.ndarray:
    r"""Return the relevance of each input by layer-wise relevance propagation.

    .. math:: R_i = \sum_j \frac{a_i w_{ij}}{z_j + \epsilon\,\mathrm{sign}(z_j)} R_j, \qquad
              z_j = b_j + \sum_i a_i w_{ij}

    (rule "epsilon"). Rule "gamma" favours positive weights, :math:`w \to w + \gamma w^+`; rule "alpha_beta" treats
    positive and negative contributions apart with the shares alpha and beta = alpha - 1. Batch normalisation behind a
    dense or convolutional layer is folded into it. Pooling, residual additions, concatenation, flattening and global
    pooling are walked through; so are layers of one's own that only copy values (periodic padding), if they say so by
    a class attribute ``only_copies = True``.

    With epsilon to zero and without biases the relevances add up to the score, and for ReLU networks equal input times
    gradient. Biases and epsilon keep the share :math:`(b_j + \epsilon_j) / (z_j + \epsilon_j)` of each :math:`R_j`;
    `relevance_flow` shows where.

    Parameters
    ----------
    model : keras.Model
        Sequential or Functional.
    inputs : array_like
        Shape ``(n, ...)``.
    target : int or array_like of int
        Output index, or one for each input.
    rule : {"epsilon", "gamma", "alpha_beta"}
        Rule for all dense and convolutional layers that `rules` does not name.
    rules : dict, optional
        Layer name -> rule.
    epsilon : float
        Stabiliser, in units of the pre-activations; takes its sign, so that negative ones do not explode.
    gamma, alpha, beta : float
        Parameters of the other rules.
    batch_size : int
        How many inputs are computed at once.

    Returns
    -------
    numpy.ndarray
        float32, the inputs' shape, in units of the score.

    Raises
    ------
    ValueError
        For an unknown rule, a layer that has none, alpha - beta not 1, or a subclassed model.

    References
    ----------
    S. Bach et al., PLOS ONE 10 (2015) e0130140; G. Montavon et al., "Layer-wise relevance propagation: an overview",
    in Explainable AI, Springer (2019).

    Examples
    --------
    >>> import keras, numpy as np
    >>> model = keras.Sequential([keras.layers.Input((2,)), keras.layers.Dense(1)])
    >>> model.set_weights([np.array([[2.0], [3.0]]), np.zeros(1)])
    >>> lrp(model, [[5.0, 1.0]], 0).round(3)
    array([[10.,  3.]], dtype=float32)
    """
    options = (rule, tuple(sorted((rules or {}).items())), epsilon, gamma, alpha, beta)
    relevance, _ = _propagated(model, inputs, target, options, batch_size)
    return relevance


def relevance_flow(model, inputs, target, *, batch_size: int = 256, **options) -> dict[str, np.ndarray]:
    """Return how much relevance arrives at the input of each layer, summed over its units.

    Parameters
    ----------
    model, inputs, target, batch_size, **options
        As in `lrp`.

    Returns
    -------
    dict
        Layer name -> float32 array ``(n,)``, from the output (``"score"``) back to the first layer. A drop between two
        entries is what the biases and epsilon of the layer above took.

    Examples
    --------
    >>> import keras, numpy as np
    >>> model = keras.Sequential([keras.layers.Input((2,)), keras.layers.Dense(1, name="sum")])
    >>> model.set_weights([np.array([[2.0], [3.0]]), np.array([4.0])])
    >>> {name: float(total[0].round(3)) for name, total in relevance_flow(model, [[5.0, 1.0]], 0).items()}
    {'score': 17.0, 'sum': 13.0}
    """
    unknown = set(options) - {"rule", "rules", "epsilon", "gamma", "alpha", "beta"}
    if unknown:
        raise TypeError(f"relevance_flow has no option {', '.join(sorted(unknown))}: see lrp.")
    defaults = {"rule": "epsilon", "rules": None, "epsilon": 1e-6, "gamma": 0.25, "alpha": 2.0, "beta": 1.0}
    chosen = defaults | options
    chosen["rules"] = tuple(sorted((chosen["rules"] or {}).items()))
    _, totals = _propagated(model, inputs, target, tuple(chosen.values()), batch_size)
    return totals


def _propagated(model, inputs, target, options, batch_size):
    import tensorflow as tf

    rule, rules, epsilon, _, alpha, beta = options
    values = check_inputs(model, inputs)
    steps = steps_of(model)
    _check_rules(steps, rule, dict(rules), epsilon, alpha, beta)
    _refuse_unsupported(steps)
    targets = check_target(target, len(values), scores(model, values[:1]).shape[1])
    names = [step.name for step in reversed(steps)]
    key = ("lrp", options, key_of_inputs(model, values))
    function = compiled(model, key, _traceable(model, options), input_signature(model, values), ((None,), "int32"))
    relevances, sums = [], []
    for start in range(0, max(len(values), 1), batch_size):
        stop = start + batch_size
        relevance, totals = function(tf.constant(values[start:stop]), tf.constant(targets[start:stop]))
        relevances.append(np.asarray(relevance))
        sums.append(np.asarray(totals))
    totals = np.concatenate(sums, axis=1)
    return np.concatenate(relevances), dict(zip(["score", *names], totals, strict=True))


def _check_rules(steps, rule, rules, epsilon, alpha, beta):
    for name, chosen in [("rule", rule), *rules.items()]:
        if chosen not in RULES:
            raise ValueError(f"{name!r} asks for the rule {chosen!r}: choose one of {', '.join(RULES)}.")
    names = {step.name for step in steps if step.kind in _KERNEL_LAYERS}
    unknown = set(rules) - names
    if unknown:
        raise ValueError(
            f"rules names {', '.join(sorted(unknown))}, but the dense and convolutional layers are "
            f"{', '.join(sorted(names))}."
        )
    if epsilon < 0:
        raise ValueError(f"epsilon must not be negative, not {epsilon}.")
    if abs(alpha - beta - 1) > 1e-9:
        raise ValueError(f"alpha - beta must be 1 for relevance to be conserved, not {alpha} - {beta}.")


def _refuse_unsupported(steps):
    supported = _KERNEL_LAYERS | _PASSING | _SHARING | _ROUTING | {"BatchNormalization"}
    for step in steps:
        if step.kind not in supported and not step.only_copies:
            raise ValueError(
                f"Layer {step.name!r} ({step.kind}) has no rule for relevance: supported are "
                f"{', '.join(sorted(supported))}, and layers of your own with only_copies = True; "
                "integrated_gradients works for any layer."
            )


def _traceable(model, options):
    """Return the function (batch, target) -> (relevance of the inputs, sums of relevance at each layer's input)."""
    import tensorflow as tf

    reference = weakref.ref(model)
    rule, rules, epsilon, gamma, alpha, beta = options

    def function(batch, target):
        model = reference()
        steps = steps_of(model)
        with scores_instead_of_probabilities(model):
            tensors = run_forward(model, steps, batch)
        first, last = input_and_output(model)
        folded = _foldable(steps)
        output = tensors[last]
        flat = tf.reshape(output, (tf.shape(output)[0], -1))
        chosen = flat * tf.one_hot(target, tf.shape(flat)[1])
        relevance = {last: tf.reshape(chosen, tf.shape(output))}
        totals = [tf.reduce_sum(chosen, axis=1)]
        for step in reversed(steps):
            arrived = relevance.pop(step.output, None)
            values = [tensors[identity] for identity in step.inputs]
            if arrived is None:  # a branch that does not lead to the output
                shares = [tf.zeros_like(value) for value in values]
            elif step in folded.values():
                shares = [arrived]  # its scale is folded into the layer in front of it
            elif step.kind in _KERNEL_LAYERS:
                chosen_rule = dict(rules).get(step.name, rule)
                kernel, bias = _kernel_and_bias(step.operation, folded.get(step))
                parameters = (chosen_rule, epsilon, gamma, alpha, beta)
                shares = [_through_kernel(step.operation, values[0], kernel, bias, arrived, parameters)]
            elif step.kind == "BatchNormalization":
                scale, shift = _scale_and_shift(step.operation)
                share = values[0] * scale
                shares = [share * arrived / _stabilised(share + shift, epsilon)]
            elif step.kind in _PASSING:
                shares = [arrived]
            else:
                shares = _through_operation(step, values, arrived, epsilon)
            for identity, share in zip(step.inputs, shares, strict=True):
                relevance[identity] = relevance[identity] + share if identity in relevance else share
            totals.append(tf.add_n([tf.reduce_sum(s, axis=tuple(range(1, len(s.shape)))) for s in shares]))
        return relevance[first], tf.stack(totals)

    return function


def _foldable(steps):
    """Return linear step -> the batch normalisation right behind it, where nothing else reads in between."""
    readers: dict = {}
    for step in steps:
        for identity in step.inputs:
            readers.setdefault(identity, []).append(step)
    folded = {}
    for step in steps:
        following = readers.get(step.output, [])
        linear = getattr(getattr(step.operation, "activation", None), "__name__", "linear") == "linear"
        if step.kind in _KERNEL_LAYERS and linear and len(following) == 1 and following[0].kind == "BatchNormalization":
            folded[step] = following[0]
    return folded


def _scale_and_shift(layer):
    import tensorflow as tf

    scale = tf.math.rsqrt(layer.moving_variance + layer.epsilon)
    if layer.scale:
        scale = scale * layer.gamma
    shift = -layer.moving_mean * scale
    return scale, shift + layer.beta if layer.center else shift


def _kernel_and_bias(layer, normalisation):
    import tensorflow as tf

    kernel = tf.convert_to_tensor(layer.kernel)
    bias = tf.convert_to_tensor(layer.bias) if layer.use_bias else tf.zeros(kernel.shape[-1])
    if normalisation is None:
        return kernel, bias
    scale, shift = _scale_and_shift(normalisation.operation)
    return kernel * scale, bias * scale + shift


def _linear(layer, values, kernel):
    import keras

    if type(layer).__name__ == "Dense":
        return keras.ops.matmul(values, kernel)
    return keras.ops.conv(
        values,
        kernel,
        strides=layer.strides,
        padding=layer.padding,
        data_format=layer.data_format,
        dilation_rate=layer.dilation_rate,
    )


def _stabilised(values, epsilon):
    import tensorflow as tf

    # A unit that gets nothing has nothing to hand back: 0 / tiny instead of 0 / 0.
    tiny = max(epsilon, 1e-12)
    return values + tf.where(values >= 0, tiny, -tiny)


def _back(layer, values, kernel, weights):
    """Return values times the transposed linear map of `weights`: each input's contribution, weighted."""
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(values)
        output = _linear(layer, values, kernel)
    return values * tape.gradient(output, values, output_gradients=weights)


def _through_kernel(layer, values, kernel, bias, arrived, parameters):
    import tensorflow as tf

    rule, epsilon, gamma, alpha, beta = parameters
    if rule == "gamma":
        kernel, bias = kernel + gamma * tf.nn.relu(kernel), bias + gamma * tf.nn.relu(bias)
    if rule != "alpha_beta":
        total = _linear(layer, values, kernel) + bias
        return _back(layer, values, kernel, arrived / _stabilised(total, epsilon))
    positive, negative = tf.nn.relu(values), -tf.nn.relu(-values)
    kernel_positive, kernel_negative = tf.nn.relu(kernel), -tf.nn.relu(-kernel)
    result = 0.0
    for share, first, second, constant in (
        (alpha, kernel_positive, kernel_negative, tf.nn.relu(bias)),
        (-beta, kernel_negative, kernel_positive, -tf.nn.relu(-bias)),
    ):
        if share == 0:
            continue
        total = _linear(layer, positive, first) + _linear(layer, negative, second) + constant
        weights = share * arrived / _stabilised(total, epsilon)
        result += _back(layer, positive, first, weights) + _back(layer, negative, second, weights)
    return result


def _through_operation(step, values, arrived, epsilon):
    """Layers without weights: share in proportion to the contributions, or route to where a value came from."""
    import tensorflow as tf

    with tf.GradientTape() as tape:
        for value in values:
            tape.watch(value)
        output = step.operation(values if len(values) > 1 else values[0])
    if step.kind in _ROUTING or step.only_copies:
        return tape.gradient(output, values, output_gradients=arrived)
    gradients = tape.gradient(output, values, output_gradients=arrived / _stabilised(output, epsilon))
    return [value * gradient for value, gradient in zip(values, gradients, strict=True)]
