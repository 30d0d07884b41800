"""Attribution methods against something independent: finite differences, loops, brute force, exact identities."""

import itertools
import math

import keras
import numpy as np
import pytest
from scipy.ndimage import zoom

from course_lib import introspection
from course_lib.introspection import compilation

layers = keras.layers


def randomise_weights(model, seed, *, biases=True):
    """Weights of a size at which activations neither die nor explode, with biases or without."""
    generator = np.random.default_rng(seed)
    for weight in model.weights:
        shape = weight.shape
        if "moving_variance" in weight.path or "gamma" in weight.path:
            weight.assign(generator.uniform(0.5, 1.5, shape))
        elif len(shape) == 1:
            weight.assign(generator.normal(0, 0.2, shape) * (biases or "bias" not in weight.path))
        else:
            weight.assign(generator.normal(0, 1.4 / math.sqrt(math.prod(shape[:-1])), shape))
    return model


def convolutional(*, activation="relu", last="softmax", biases=True, seed=0):
    """Convolutions, pooling, global average pooling, one dense layer."""
    model = keras.Sequential(
        [
            layers.Input((12, 10, 2)),
            layers.Conv2D(6, 3, padding="same", activation=activation, use_bias=biases),
            layers.MaxPooling2D(2),
            layers.Conv2D(5, 3, activation=activation, use_bias=biases, name="last_maps"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(3, activation=last, use_bias=biases),
        ]
    )
    return randomise_weights(model, seed)


def dense(*, activation="relu", biases=True, n_features=5, seed=0):
    model = keras.Sequential(
        [
            layers.Input((n_features,)),
            layers.Dense(16, activation=activation, use_bias=biases),
            layers.Dense(12, activation=activation, use_bias=biases),
            layers.Dense(3, activation="softmax", use_bias=biases),
        ]
    )
    return randomise_weights(model, seed)


def residual(*, biases, normalise):
    """A residual block with batch normalisation, concatenation, average pooling and flattening."""
    start = layers.Input((8, 8, 2))
    first = layers.Conv2D(4, 3, padding="same", activation="relu", use_bias=biases)(start)
    inner = layers.Conv2D(4, 3, padding="same", use_bias=biases)(first)
    if normalise:
        inner = layers.BatchNormalization(center=biases)(inner)
    inner = layers.ReLU()(inner)
    added = layers.Add()([first, inner])
    both = layers.Concatenate()([added, layers.Conv2D(2, 1, use_bias=biases)(first)])
    pooled = layers.Flatten()(layers.AveragePooling2D(2)(layers.ZeroPadding2D(1)(both)))
    hidden = layers.Dropout(0.5)(layers.Dense(8, activation="relu", use_bias=biases)(pooled))
    model = randomise_weights(keras.Model(start, layers.Dense(2, use_bias=biases)(hidden)), 1)
    if not biases:
        for layer in model.layers:
            if isinstance(layer, layers.BatchNormalization):
                layer.moving_mean.assign(np.zeros(layer.moving_mean.shape))
    return model


def images(n=4, shape=(12, 10, 2), seed=3):
    return np.random.default_rng(seed).normal(size=(n, *shape)).astype(np.float32)


def target_scores(model, values, targets):
    result = introspection.scores(model, values)
    return result[np.arange(len(values)), np.broadcast_to(targets, len(values))]


class Subclassed(keras.Model):
    """The layers of `convolutional`, called by hand."""

    def __init__(self):
        super().__init__()
        self.first = layers.Conv2D(6, 3, activation="tanh")
        self.pooling = layers.GlobalAveragePooling2D()
        self.last = layers.Dense(3, activation="softmax")

    def call(self, values):
        return self.last(self.pooling(self.first(values)))


METHODS = {
    "saliency": introspection.saliency,
    "smoothgrad": lambda *arguments: introspection.smoothgrad(*arguments, n_samples=3),
    "input_x_gradient": introspection.input_x_gradient,
    "integrated_gradients": lambda *arguments: introspection.integrated_gradients(*arguments, n_steps=4),
    "class_activation_map": introspection.class_activation_map,
    "grad_cam": introspection.grad_cam,
    "lrp": introspection.lrp,
    "occlusion": lambda *arguments: introspection.occlusion(*arguments, patch_size=4, stride=3),
    "shapley_sampling": lambda *arguments: introspection.shapley_sampling(
        *arguments, n_permutations=2, groups=np.arange(240).reshape(12, 10, 2) // 60
    ),
}
every_method = pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)


@every_method
def test_shape_and_type_are_the_inputs_and_nothing_is_changed(method):
    model, values = convolutional(), images()
    before, weights = values.copy(), [weight.copy() for weight in model.get_weights()]
    result = method(model, values, np.array([0, 1, 2, 0]))
    assert result.shape == values.shape and result.dtype == np.float32 and np.isfinite(result).all()
    np.testing.assert_array_equal(values, before)
    for weight, expected in zip(model.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(weight, expected)
    # One target for all is the same as this target for each.
    np.testing.assert_allclose(method(model, values, 1), method(model, values, [1] * 4), atol=1e-6)


@every_method
def test_clear_errors_for_target_shape_and_missing_values(method):
    model, values = convolutional(), images()
    with pytest.raises(ValueError, match="target must lie between 0 and 2"):
        method(model, values, 3)
    with pytest.raises(ValueError, match="target must be an output index"):
        method(model, values, [0, 1])
    with pytest.raises(ValueError, match=r"shape \(n, 12, 10, 2\), not \(4, 12, 10, 1\)"):
        method(model, values[..., :1], 0)
    values[1, 2, 3, 0] = np.inf
    with pytest.raises(ValueError, match=r"inputs\[1, 2, 3, 0\] is inf"):
        method(model, values, 0)


@every_method
def test_a_second_call_traces_nothing(method):
    model, values = convolutional(), images()
    method(model, values, 0)
    traced = {key: id(function) for key, function in compilation._COMPILED[model].items()}
    method(model, images(n=2, seed=9), 1)
    assert {key: id(function) for key, function in compilation._COMPILED[model].items()} == traced


@pytest.mark.parametrize("make", [convolutional, lambda **_: Subclassed()], ids=["Sequential", "subclassed"])
def test_saliency_is_the_finite_difference_of_the_score(make):
    model = make(activation="tanh")
    values = images(n=2)
    model(values)
    targets = np.array([2, 0])
    gradient = introspection.saliency(model, values, targets)
    step = 0.02
    for index in [(0, 3, 4, 1), (0, 11, 9, 0), (1, 0, 0, 0), (1, 7, 2, 1)]:
        up, down = values.copy(), values.copy()
        up[index] += step
        down[index] -= step
        difference = (target_scores(model, up, targets) - target_scores(model, down, targets))[index[0]] / (2 * step)
        assert gradient[index] == pytest.approx(difference, abs=float(2e-3 * np.abs(gradient).max() + 1e-4))


def test_saliency_does_not_vanish_behind_a_confident_softmax():
    model = convolutional()
    model.layers[-1].kernel.assign(model.layers[-1].kernel * 1e3)
    values = images()
    assert (model.predict(values, verbose=0).max(axis=1) > 0.9999).all()
    assert np.abs(introspection.saliency(model, values, 0)).max() > 1


def test_smoothgrad_without_noise_is_saliency_and_with_noise_depends_on_the_seed_only():
    model, values = convolutional(), images()
    plain = introspection.saliency(model, values, 0)
    np.testing.assert_allclose(introspection.smoothgrad(model, values, 0, noise_level=0, n_samples=2), plain, atol=1e-6)
    one, same, other = (introspection.smoothgrad(model, values, 0, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("baseline", [0.0, 0.3, "each"])
def test_integrated_gradients_are_complete_to_one_percent(baseline):
    model, values = convolutional(), images(n=6)
    start = images(n=6, seed=8) * 0.5 if baseline == "each" else baseline
    result = introspection.integrated_gradients(model, values, 1, baseline=start)
    check = introspection.completeness(model, values, 1, result, baseline=start)
    assert check.relative_error.max() < 0.01
    loop = [
        introspection.integrated_gradients(
            model, values[i : i + 1], 1, baseline=np.broadcast_to(start, values.shape)[i]
        )
        for i in range(6)
    ]
    np.testing.assert_allclose(np.concatenate(loop), result, atol=1e-5)


def test_class_activation_map_averages_to_the_score_and_is_linear_in_the_maps():
    model, values = convolutional(), images(n=5)
    targets = np.array([0, 1, 2, 1, 0])
    coarse = introspection.class_activation_map(model, values, targets, upsample=False)
    np.testing.assert_allclose(coarse.mean(axis=(1, 2)), target_scores(model, values, targets), atol=1e-5)
    maps = introspection.activations(model, values, "last_maps")
    kernel, bias = (np.asarray(weight) for weight in model.layers[-1].weights)
    for index, target in enumerate(targets):
        np.testing.assert_allclose(coarse[index], maps[index] @ kernel[:, target] + bias[target], atol=1e-5)


def test_upsampling_keeps_the_orientation():
    model, values = convolutional(), images(n=1)
    coarse = introspection.class_activation_map(model, values, 0, upsample=False)[0]
    fine = introspection.class_activation_map(model, values, 0)[0, ..., 0]
    expected = zoom(coarse, (12 / coarse.shape[0], 10 / coarse.shape[1]), order=1, grid_mode=True, mode="nearest")
    assert np.corrcoef(fine.ravel(), expected.ravel())[0, 1] > 0.98


def test_grad_cam_is_the_class_activation_map_up_to_scale():
    model, values = convolutional(biases=False), images()
    coarse = introspection.class_activation_map(model, values, 2, upsample=False)
    found = introspection.grad_cam(model, values, 2, relu=False, upsample=False)
    np.testing.assert_allclose(found * coarse[0].size, coarse, atol=1e-5)
    assert introspection.grad_cam(model, values, 2).min() >= 0


def test_grad_cam_needs_feature_maps_and_class_activation_maps_need_pooling():
    model = dense()
    with pytest.raises(ValueError, match="no two-dimensional convolution among"):
        introspection.grad_cam(model, np.ones((1, 5)), 0)
    with pytest.raises(ValueError, match=r"needs GlobalAveragePooling2D .* use grad_cam"):
        introspection.class_activation_map(model, np.ones((1, 5)), 0)
    with pytest.raises(ValueError, match="no feature maps"):
        introspection.grad_cam(convolutional(), images(), 0, layer=-1)


@pytest.mark.parametrize("rule", ["epsilon", "gamma"])
@pytest.mark.parametrize(
    ("make", "shape"),
    [
        (lambda: dense(biases=False), (5,)),
        (lambda: convolutional(biases=False), (12, 10, 2)),
        (lambda: residual(biases=False, normalise=False), (8, 8, 2)),
        (lambda: residual(biases=False, normalise=True), (8, 8, 2)),
    ],
    ids=["dense", "convolution", "residual", "batch normalisation"],
)
def test_relevance_is_conserved_without_biases(make, shape, rule):
    model = make()
    values = np.abs(images(shape=shape))  # rule gamma is made for activations that are not negative
    result = introspection.lrp(model, values, 1, rule=rule, epsilon=1e-9)
    check = introspection.completeness(model, values, 1, result)
    assert check.relative_error.max() < 1e-4


def test_alpha_beta_conserves_and_gives_no_negative_relevance_for_alpha_one():
    model = dense(biases=False)
    values = np.abs(images(n=20, shape=(5,)))
    chosen = introspection.scores(model, values).argmax(axis=1)
    values = values[target_scores(model, values, chosen) > 0.2]
    chosen = introspection.scores(model, values).argmax(axis=1)
    result = introspection.lrp(model, values, chosen, rule="alpha_beta", alpha=1.0, beta=0.0, epsilon=1e-9)
    assert result.min() >= -1e-6
    assert introspection.completeness(model, values, chosen, result).relative_error.max() < 1e-4


def test_relevance_equals_input_times_gradient_without_biases():
    model, values = convolutional(biases=False), images()
    np.testing.assert_allclose(
        introspection.lrp(model, values, 0, epsilon=1e-12),
        introspection.input_x_gradient(model, values, 0),
        atol=1e-4,
    )


def reference_lrp(model, value, target, epsilon):
    """Relevance of one input of a dense network by the written-out sums, and the share of biases and epsilon."""
    kernels = [np.asarray(layer.kernel, dtype=np.float64) for layer in model.layers]
    biases = [np.asarray(layer.bias, dtype=np.float64) for layer in model.layers]
    activities = [value.astype(np.float64)]
    for kernel, bias in zip(kernels[:-1], biases[:-1], strict=True):
        activities.append(np.maximum(activities[-1] @ kernel + bias, 0))
    relevance = np.zeros(kernels[-1].shape[1])
    relevance[target] = (activities[-1] @ kernels[-1] + biases[-1])[target]
    lost = []
    for kernel, bias, activity in zip(kernels[::-1], biases[::-1], activities[::-1], strict=True):
        below = np.zeros(len(activity))
        taken = 0.0
        for j in range(kernel.shape[1]):
            total = bias[j] + sum(activity[i] * kernel[i, j] for i in range(len(activity)))
            stabiliser = epsilon if total >= 0 else -epsilon
            for i in range(len(activity)):
                below[i] += activity[i] * kernel[i, j] / (total + stabiliser) * relevance[j]
            taken += (bias[j] + stabiliser) / (total + stabiliser) * relevance[j]
        lost.append(taken)
        relevance = below
    return relevance, lost


@pytest.mark.parametrize("epsilon", [1e-3, 0.3])
def test_relevance_follows_the_written_out_sums_and_biases_take_their_exact_share(epsilon):
    model = dense()
    values = images(n=3, shape=(5,))
    result = introspection.lrp(model, values, 2, epsilon=epsilon)
    flow = np.array(list(introspection.relevance_flow(model, values, 2, epsilon=epsilon).values()))
    for index, value in enumerate(values):
        expected, lost = reference_lrp(model, value, 2, epsilon)
        np.testing.assert_allclose(result[index], expected, rtol=2e-3, atol=1e-4 * np.abs(expected).max())
        np.testing.assert_allclose(flow[:-1, index] - flow[1:, index], lost, rtol=2e-3, atol=1e-3)


def test_batch_normalisation_is_folded_exactly():
    """The same function, once with a normalisation layer and once with its numbers in the kernel."""
    with_layer = keras.Sequential(
        [
            layers.Input((8, 8, 2)),
            layers.Conv2D(4, 3),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Flatten(),
            layers.Dense(2),
        ]
    )
    randomise_weights(with_layer, 4)
    normalisation = with_layer.layers[1]
    scale = np.asarray(normalisation.gamma) / np.sqrt(np.asarray(normalisation.moving_variance) + normalisation.epsilon)
    kernel, bias = with_layer.layers[0].get_weights()
    folded = keras.Sequential(
        [layers.Input((8, 8, 2)), layers.Conv2D(4, 3, activation="relu"), layers.Flatten(), layers.Dense(2)]
    )
    shift = (bias - np.asarray(normalisation.moving_mean)) * scale + np.asarray(normalisation.beta)
    folded.set_weights([kernel * scale, shift, *with_layer.layers[-1].get_weights()])
    values = images(shape=(8, 8, 2))
    for options in ({"epsilon": 0.05}, {"rule": "gamma"}, {"rule": "alpha_beta"}):
        np.testing.assert_allclose(
            introspection.lrp(with_layer, values, 0, **options),
            introspection.lrp(folded, values, 0, **options),
            atol=2e-4,
        )


def test_rules_for_single_layers_change_only_what_they_name():
    model, values = convolutional(), np.abs(images())
    everywhere = introspection.lrp(model, values, 0, rule="gamma")
    names = {layer.name: "gamma" for layer in model.layers if hasattr(layer, "kernel")}
    np.testing.assert_array_equal(introspection.lrp(model, values, 0, rules=names), everywhere)
    one = introspection.lrp(model, values, 0, rules={"last_maps": "gamma"})
    assert not np.allclose(one, everywhere) and not np.allclose(one, introspection.lrp(model, values, 0))


def test_lrp_refuses_what_it_cannot_do_by_name():
    attention = keras.Sequential([layers.Input((4, 2)), layers.LSTM(3, name="memory"), layers.Dense(1)])
    with pytest.raises(ValueError, match=r"'memory' \(LSTM\) has no rule .* integrated_gradients works"):
        introspection.lrp(attention, np.ones((1, 4, 2)), 0)
    with pytest.raises(ValueError, match="rule 'zeta': choose one of epsilon, gamma, alpha_beta"):
        introspection.lrp(dense(), np.ones((1, 5)), 0, rule="zeta")
    with pytest.raises(ValueError, match="rules names nowhere"):
        introspection.lrp(dense(), np.ones((1, 5)), 0, rules={"nowhere": "gamma"})
    with pytest.raises(ValueError, match="alpha - beta must be 1"):
        introspection.lrp(dense(), np.ones((1, 5)), 0, rule="alpha_beta", alpha=2, beta=2)
    subclassed = Subclassed()
    subclassed(images())
    with pytest.raises(ValueError, match="has no graph of layers"):
        introspection.lrp(subclassed, images(), 0)


@pytest.mark.parametrize(("patch", "stride", "baseline"), [(3, 1, 0.0), ((4, 3), 3, 0.5)])
def test_occlusion_equals_a_loop(patch, stride, baseline):
    model, values = convolutional(), images(n=2)
    heights, widths = (patch, patch) if np.ndim(patch) == 0 else patch
    result = introspection.occlusion(model, values, 1, patch_size=patch, stride=stride, baseline=baseline)
    whole = target_scores(model, values, 1)
    total, covered = np.zeros((2, 12, 10)), np.zeros((12, 10))
    rows = sorted({*range(0, 12 - heights + 1, stride), 12 - heights})
    columns = sorted({*range(0, 10 - widths + 1, stride), 10 - widths})
    for row, column in itertools.product(rows, columns):
        changed = values.copy()
        changed[:, row : row + heights, column : column + widths] = baseline
        drop = whole - target_scores(model, changed, 1)
        total[:, row : row + heights, column : column + widths] += drop[:, None, None]
        covered[row : row + heights, column : column + widths] += 1
    np.testing.assert_allclose(result, np.repeat((total / covered)[..., None], 2, axis=-1), atol=1e-5)


def test_occlusion_refuses_patches_that_do_not_fit():
    with pytest.raises(ValueError, match=r"patch_size 13 is larger than the input \(12, 10\)"):
        introspection.occlusion(convolutional(), images(), 0, patch_size=13)
    with pytest.raises(ValueError, match="stride must be a positive number"):
        introspection.occlusion(convolutional(), images(), 0, stride=0)
    with pytest.raises(ValueError, match=r"stride 4 is larger than patch_size 3"):
        introspection.occlusion(convolutional(), images(), 0, patch_size=3, stride=4)


def brute_force_shapley(value_of, n_features):
    """Shapley's definition: the mean gain over all orders, one by one."""
    gains = np.zeros(n_features)
    orders = list(itertools.permutations(range(n_features)))
    for order in orders:
        present = np.zeros(n_features, dtype=bool)
        before = value_of(present)
        for feature in order:
            present[feature] = True
            after = value_of(present)
            gains[feature] += after - before
            before = after
    return gains / len(orders)


def test_exact_shapley_values_equal_the_definition_and_sampling_converges_to_them():
    model, value = dense(activation="tanh"), images(n=1, shape=(5,))
    baseline = np.full(5, 0.2, dtype=np.float32)

    def value_of(present):
        return target_scores(model, np.where(present, value, baseline), 1)[0]

    expected = brute_force_shapley(value_of, 5)
    exact = introspection.shapley_exact(model, value, 1, baseline=baseline)[0]
    np.testing.assert_allclose(exact, expected, atol=1e-5)
    few, many = (
        introspection.shapley_sampling(model, value, 1, baseline=baseline, n_permutations=n, seed=4)[0]
        for n in (2, 2000)
    )
    assert np.abs(many - exact).max() < 0.02 * np.abs(exact).max() + 0.01
    # The sum is exact for any number of orders.
    difference = value_of(np.ones(5, bool)) - value_of(np.zeros(5, bool))
    assert few.sum() == pytest.approx(difference, abs=1e-4)


def test_shapley_groups_share_and_too_many_features_are_refused():
    model, values = convolutional(), images(n=1)
    groups = np.zeros((12, 10, 2), dtype=int)
    groups[6:] = 1
    groups[:, 5:] += 2
    result = introspection.shapley_exact(model, values, 0, groups=groups)
    assert all(len(np.unique(result[0][groups == number])) == 1 for number in range(4))
    assert introspection.completeness(model, values, 0, result, baseline=0.0).relative_error.max() < 1e-4
    with pytest.raises(ValueError, match=r"240 features have 2\^240 coalitions: use shapley_sampling"):
        introspection.shapley_exact(model, values, 0)
    with pytest.raises(ValueError, match="groups must have the shape of one input"):
        introspection.shapley_sampling(model, values, 0, groups=groups[:3])
