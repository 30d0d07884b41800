"""Maximization, the deconvolutional network, statistics over data, and the judgement of explanations."""

import gc
import weakref

import keras
import numpy as np
import pytest
from test_introspection_attribution import (
    Subclassed,
    convolutional,
    dense,
    images,
    randomise_weights,
    residual,
    target_scores,
)

from course_lib import introspection
from course_lib.introspection import compilation

layers = keras.layers


def relu_stack(*, biases=False, seed=2):
    """Two convolutions with pooling between, as a deconvolutional network can walk back."""
    model = keras.Sequential(
        [
            layers.Input((12, 12, 1)),
            layers.Conv2D(3, 3, activation="relu", use_bias=biases, name="one"),
            layers.MaxPooling2D(2),
            layers.Conv2D(4, 3, use_bias=biases, name="two"),
            layers.ReLU(name="two_relu"),
        ]
    )
    return randomise_weights(model, seed)


class TestMaximization:
    def test_ascent_raises_every_live_map_and_leaves_start_and_weights_alone(self):
        model, start = convolutional(), 0.1 * images(n=5)
        before, weights = start.copy(), [weight.copy() for weight in model.get_weights()]
        result = introspection.maximize_activation(model, start, "last_maps", channel=np.arange(5), step_size=0.1)
        alive = ~result.is_dead
        assert alive.sum() >= 3
        assert (result.objective[-1, alive] > 5 * np.maximum(result.objective[0, alive], 1e-3)).all()
        rising = np.diff(result.objective[:, alive], axis=0) >= -1e-6
        assert rising.mean() > 0.9
        np.testing.assert_array_equal(start, before)
        for weight, expected in zip(model.get_weights(), weights, strict=True):
            np.testing.assert_array_equal(weight, expected)
        for index in range(5):
            maps = introspection.activations(model, result.images, "last_maps")
            np.testing.assert_allclose(maps[index, ..., index].mean(), result.objective[-1, index], atol=1e-5)

    def test_first_step_is_parallel_to_the_numerical_gradient_and_has_the_stated_size(self):
        model, start = dense(activation="tanh"), images(n=1, shape=(5,))
        for normalise in (True, False):
            result = introspection.maximize_activation(
                model, start, 0, channel=3, n_steps=1, step_size=0.5, normalize_gradient=normalise
            )
            step = (result.images - start)[0]
            numerical = np.zeros(5)
            for feature in range(5):
                up, down = start.copy(), start.copy()
                up[0, feature] += 0.01
                down[0, feature] -= 0.01
                values = introspection.activations(model, np.concatenate([up, down]), 0)[:, 3]
                numerical[feature] = (values[0] - values[1]) / 0.02
            assert step @ numerical / np.linalg.norm(step) / np.linalg.norm(numerical) > 0.999
            if normalise:
                assert np.sqrt((step**2).mean()) == pytest.approx(0.5, rel=1e-4)
            else:
                np.testing.assert_allclose(step, 0.5 * numerical, rtol=0.02, atol=1e-4)

    def test_no_steps_return_the_start_and_dead_maps_are_told(self):
        model, start = relu_stack(biases=True), images(n=3, shape=(12, 12, 1))
        model.get_layer("one").bias.assign([-1e3, 0.0, 0.0])
        nothing = introspection.maximize_activation(model, start, "one", channel=0, n_steps=0)
        np.testing.assert_array_equal(nothing.images, start)
        dead = introspection.maximize_activation(model, start, "one", channel=[0, 1, 2], n_steps=3)
        assert dead.is_dead.tolist() == [True, False, False]
        np.testing.assert_array_equal(dead.images[0], start[0])

    def test_neuron_layer_and_class_objectives_are_what_they_say(self):
        model, start = convolutional(), images(n=2)
        neuron = introspection.maximize_activation(model, start, "last_maps", channel=1, position=(2, 1), n_steps=0)
        maps = introspection.activations(model, start, "last_maps")
        np.testing.assert_allclose(neuron.objective[0], maps[:, 2, 1, 1], atol=1e-6)
        dream = introspection.maximize_activation(model, start, "last_maps", n_steps=0)
        np.testing.assert_allclose(dream.objective[0], (maps**2).mean(axis=(1, 2, 3)), rtol=1e-5)
        score = introspection.maximize_activation(model, start, channel=2, n_steps=0)
        np.testing.assert_allclose(score.objective[0], target_scores(model, start, 2), atol=1e-5)

    def test_regularisers_do_what_they_are_for(self):
        model, start = convolutional(), 0.1 * images(n=2)

        def roughness(pictures):
            return (np.diff(pictures, axis=1) ** 2).mean() + (np.diff(pictures, axis=2) ** 2).mean()

        def ascend(**options):
            return introspection.maximize_activation(model, start, "last_maps", channel=1, n_steps=30, **options).images

        assert roughness(ascend(total_variation=20.0)) < 0.5 * roughness(ascend())
        assert (ascend(l2=20.0) ** 2).mean() < 0.5 * (ascend() ** 2).mean()
        np.testing.assert_array_equal(ascend(jitter=2, seed=1), ascend(jitter=2, seed=1))
        assert not np.array_equal(ascend(jitter=2, seed=1), ascend(jitter=2, seed=2))

    def test_a_watcher_sees_each_step_and_may_end_the_ascent(self):
        seen = []

        def watch(step, pictures, objective):
            seen.append((step, pictures.shape, objective.shape))
            return step == 3

        result = introspection.maximize_activation(convolutional(), images(n=1), channel=0, n_steps=10, on_step=watch)
        assert [step for step, _, _ in seen] == [1, 2, 3] and len(result.objective) == 4

    def test_other_penalties_trace_nothing_anew(self):
        model, start = convolutional(), 0.1 * images(n=1)
        introspection.maximize_activation(model, start, channel=0, n_steps=1)
        traced = len(compilation._COMPILED[model])
        introspection.maximize_activation(model, start, channel=1, n_steps=1, total_variation=0.3, l2=2.0)
        assert len(compilation._COMPILED[model]) == traced

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"layer": "nowhere"}, "no layer 'nowhere'"),
            ({"layer": "last_maps", "channel": 9}, "channel must lie between 0 and 4"),
            ({"layer": "last_maps", "channel": 0, "position": (9, 0)}, r"position \(9, 0\) lies outside"),
            ({"layer": "last_maps", "position": (0, 0)}, "give the channel too"),
            ({}, "give channel, the output index"),
            ({"channel": 0, "n_steps": -1}, "must not be negative"),
        ],
    )
    def test_bad_objectives_are_told(self, arguments, message):
        with pytest.raises(ValueError, match=message):
            introspection.maximize_activation(convolutional(), images(n=1), **arguments)


class TestDeconvnet:
    def test_only_the_receptive_field_of_the_strongest_activation_lights_up(self):
        model, values = relu_stack(), images(n=3, shape=(12, 12, 1))
        maps = introspection.activations(model, values, "two_relu")
        found = introspection.deconvnet(model, values, "two_relu", 1)
        assert found.shape == values.shape and found.min() >= 0
        for index in range(3):
            row, column = np.unravel_index(maps[index, ..., 1].argmax(), maps.shape[1:3])
            outside = np.ones((12, 12), dtype=bool)
            # Stride 2 by the pooling; field 3 + (2 - 1) + 2 (3 - 1) = 8 pixels.
            outside[2 * row : 2 * row + 8, 2 * column : 2 * column + 8] = False
            assert (found[index, outside] == 0).all()

    def test_one_layer_puts_the_positive_part_of_the_filter_at_the_maximum(self):
        model, values = relu_stack(), images(n=1, shape=(12, 12, 1))
        maps = introspection.activations(model, values, "one")[0, ..., 2]
        row, column = np.unravel_index(maps.argmax(), maps.shape)
        expected = np.zeros((12, 12))
        kernel = introspection.filters(model, "one")[2, ..., 0]
        expected[row : row + 3, column : column + 3] = np.maximum(maps.max() * kernel, 0)
        np.testing.assert_allclose(introspection.deconvnet(model, values, "one", 2)[0, ..., 0], expected, atol=1e-5)

    def test_what_has_no_counterpart_is_refused_by_name(self):
        with pytest.raises(ValueError, match="has no counterpart in a deconvolutional network"):
            # Keras numbers layers as they are made in this process, so the name is asked for.
            model = residual(biases=True, normalise=True)
            activation = next(layer.name for layer in model.layers if layer.name.startswith("re_lu"))
            introspection.deconvnet(model, images(shape=(8, 8, 2)), activation, 0)
        with pytest.raises(ValueError, match="has no feature map 7"):
            introspection.deconvnet(relu_stack(), images(n=1, shape=(12, 12, 1)), "one", 7)


class TestStatistics:
    def test_dead_units_are_those_that_no_input_excites(self):
        model, values = relu_stack(biases=True), images(n=20, shape=(12, 12, 1))
        model.get_layer("one").bias.assign([0.0, -1e3, 0.0])
        assert introspection.dead_units(model, values, "one").tolist() == [False, True, False]

    def test_most_activating_examples_against_a_sort(self):
        model, values = convolutional(), images(n=30)
        found = introspection.most_activating(model, values, "last_maps", 2, n_examples=4)
        maps = introspection.activations(model, values, "last_maps")[..., 2]
        peaks = maps.reshape(30, -1).max(axis=1)
        np.testing.assert_array_equal(found.indices, np.argsort(-peaks)[:4])
        for index, value, (row, column) in zip(found.indices, found.values, found.positions, strict=True):
            assert maps[index, row, column] == value == peaks[index]

    def test_a_probe_reads_what_is_there_and_not_what_is_not(self):
        model = dense(activation="tanh")
        values = np.random.default_rng(0).normal(size=(600, 5)).astype(np.float32)
        hidden = introspection.activations(model, values, 0)
        there = introspection.linear_probe(model, values, (hidden @ np.arange(16.0)).astype(float), 0)
        noise = np.random.default_rng(1).normal(size=600)
        assert there.score > 0.99
        assert introspection.linear_probe(model, values, noise, 0).score < 0.1
        classes = np.where(hidden[:, 0] > 0, "above", "below")
        assert introspection.linear_probe(model, values, classes, 0).score > 0.95
        with pytest.raises(ValueError, match="one entry for each of the 600 inputs"):
            introspection.linear_probe(model, values, noise[:10], 0)

    def test_pixel_correlation_equals_numpy(self):
        values = np.random.default_rng(0).normal(size=(50, 4, 3))
        outputs = np.random.default_rng(1).normal(size=50)
        found = introspection.pixel_correlation(values, outputs)
        for index in np.ndindex(4, 3):
            assert found[index] == pytest.approx(np.corrcoef(values[(slice(None), *index)], outputs)[0, 1], abs=1e-6)

    def test_filtered_class_difference_is_the_difference_of_mean_maps(self):
        model, values = convolutional(), images(n=8)
        labels = np.array([0, 1, 1, 0, 1, 0, 0, 1])
        found = introspection.filtered_class_difference(model, values, labels, "last_maps")
        maps = introspection.activations(model, values, "last_maps")
        for index in range(5):
            expected = maps[labels == 1, ..., index].mean(axis=0) - maps[labels == 0, ..., index].mean(axis=0)
            np.testing.assert_allclose(found[index], expected, atol=1e-6)
        with pytest.raises(ValueError, match="labels must be 0 or 1"):
            introspection.filtered_class_difference(model, values, labels + 1, "last_maps")

    @pytest.mark.parametrize("dilation", [1, 2])
    def test_receptive_field_is_what_a_changed_pixel_reaches(self, dilation):
        model = keras.Sequential(
            [
                layers.Input((40, 40, 1)),
                layers.Conv2D(2, 3, dilation_rate=dilation),
                layers.AveragePooling2D(2),
                layers.Conv2D(2, (5, 3), strides=(1, 2) if dilation == 1 else 1),
                layers.Conv2D(1, 3, name="end"),
            ]
        )
        for weight in model.weights:
            weight.assign(np.abs(np.random.default_rng(0).normal(size=weight.shape)) + 0.1)
        field = introspection.receptive_field(model, "end", np.ones((1, 40, 40, 1)))
        start = np.zeros((1, 40, 40, 1), dtype=np.float32)
        maps = introspection.activations(model, start, "end")
        row, column = maps.shape[1] // 2, maps.shape[2] // 2
        pixels = np.zeros((1600, 40, 40, 1), dtype=np.float32)
        pixels[np.arange(1600), np.arange(1600) // 40, np.arange(1600) % 40] = 1
        reached = introspection.activations(model, pixels, "end")[:, row, column, 0] != maps[0, row, column, 0]
        rows, columns = np.nonzero(reached.reshape(40, 40))
        assert field.size == (np.ptp(rows) + 1, np.ptp(columns) + 1)
        assert field.effective.sum() == pytest.approx(1, abs=1e-5)
        np.testing.assert_array_equal(field.effective > 0, reached.reshape(40, 40))


class TestJudgement:
    def test_completeness_sees_a_missing_share(self):
        model, values = dense(), images(shape=(5,))
        found = introspection.integrated_gradients(model, values, 0, n_steps=200)
        assert introspection.completeness(model, values, 0, found, baseline=0.0).relative_error.max() < 0.01
        assert introspection.completeness(model, values, 0, 0.7 * found, baseline=0.0).relative_error.max() > 0.2
        with pytest.raises(ValueError, match="must have the inputs' shape"):
            introspection.completeness(model, values, 0, found[:2])

    def test_a_good_order_deletes_faster_and_inserts_faster_than_a_bad_one(self):
        model = keras.Sequential([layers.Input((10,)), layers.Dense(1, use_bias=False)])
        model.set_weights([np.arange(1.0, 11.0)[:, None]])
        values = np.ones((3, 10), dtype=np.float32)
        exact = introspection.input_x_gradient(model, values, 0)
        best = introspection.deletion_curve(model, values, 0, exact, n_steps=10)
        np.testing.assert_allclose(best.score, 55 - np.concatenate([[0], np.cumsum(np.arange(10, 0, -1))]), atol=1e-4)
        assert best.area < 0.5 < introspection.deletion_curve(model, values, 0, -exact, n_steps=10).area
        assert introspection.insertion_curve(model, values, 0, exact, n_steps=10).area > 0.5
        assert best.fraction[0] == 0 and best.fraction[-1] == 1

    def test_randomised_weights_spare_what_explains_only_the_input(self):
        model, values = convolutional(), images()
        before = [weight.copy() for weight in model.get_weights()]
        honest = introspection.randomized_weights(model, introspection.saliency, values, 0)
        edges = introspection.randomized_weights(model, lambda _, inputs, target: inputs, values, 0)
        assert list(honest) == [layer.name for layer in reversed(model.layers) if layer.weights]
        assert list(honest.values())[-1] < 0.5
        assert all(value == pytest.approx(1) for value in edges.values())
        for weight, expected in zip(model.get_weights(), before, strict=True):
            np.testing.assert_array_equal(weight, expected)

    def test_randomised_weights_of_a_subclassed_model_are_put_back_even_after_an_error(self):
        model, values = Subclassed(), images()
        model(values)
        before = [weight.copy() for weight in model.get_weights()]
        found = introspection.randomized_weights(model, introspection.saliency, values, 0)
        assert list(found) == [model.last.name, model.first.name]
        assert list(found.values())[-1] < 0.5
        calls = []

        def fails_when_called_again(model, inputs, target):
            calls.append([weight.copy() for weight in model.get_weights()])
            return inputs if len(calls) == 1 else 1 / 0

        with pytest.raises(ZeroDivisionError):
            introspection.randomized_weights(model, fails_when_called_again, values, 0)
        assert not np.array_equal(calls[0][-2], calls[1][-2])
        for weight, expected in zip(model.get_weights(), before, strict=True):
            np.testing.assert_array_equal(weight, expected)

    def test_agreement_is_the_rank_correlation(self):
        from scipy.stats import spearmanr

        generator = np.random.default_rng(0)
        first, second = generator.normal(size=(2, 3, 4, 5))
        names, matrix = introspection.agreement({"a": first, "b": second, "-a": -first})
        expected = np.mean([spearmanr(x.ravel(), y.ravel())[0] for x, y in zip(first, second, strict=True)])
        assert names == ["a", "b", "-a"]
        assert matrix[0, 1] == pytest.approx(expected) and matrix[0, 2] == pytest.approx(-1)
        with pytest.raises(ValueError, match="same shape"):
            introspection.agreement({"a": first, "b": second[:2]})


class PeriodicPadding(layers.Layer):
    """A layer of one's own, which says of itself that it only copies pixels."""

    only_copies = True

    def call(self, values):
        values = keras.ops.concatenate([values[:, -1:], values, values[:, :1]], axis=1)
        return keras.ops.concatenate([values[:, :, -1:], values, values[:, :, :1]], axis=2)


class TestLayersThatOnlyCopy:
    def periodic(self):
        body = [layers.Input((6, 6, 1)), PeriodicPadding(), layers.Conv2D(4, 3, activation="relu", use_bias=False)]
        body += [PeriodicPadding(name="again"), layers.Conv2D(3, 3, activation="relu", use_bias=False, name="maps")]
        return randomise_weights(
            keras.Sequential([*body, layers.GlobalAveragePooling2D(), layers.Dense(2, use_bias=False)]), 5
        )

    def test_relevance_passes_and_nothing_is_lost(self):
        model, values = self.periodic(), images(n=3, shape=(6, 6, 1))
        found = introspection.lrp(model, values, 1, epsilon=1e-9)
        assert introspection.completeness(model, values, 1, found).relative_error.max() < 1e-4
        np.testing.assert_allclose(found, introspection.input_x_gradient(model, values, 1), atol=1e-4)

    def test_a_deconvolutional_network_moves_with_the_image_around_the_border(self):
        model, values = self.periodic(), images(n=1, shape=(6, 6, 1))
        found = introspection.deconvnet(model, values, "maps", 1)
        assert found.max() > 0
        moved = introspection.deconvnet(model, np.roll(values, (4, 3), axis=(1, 2)), "maps", 1)
        np.testing.assert_allclose(moved, np.roll(found, (4, 3), axis=(1, 2)), atol=1e-5)

    def test_a_field_has_a_size_and_a_window_is_refused(self):
        model = self.periodic()
        assert introspection.receptive_field(model, "maps").size == (5, 5)
        with pytest.raises(ValueError, match="copies pixels in a way that is not known here: use activation_gradient"):
            introspection.receptive_window(model, "maps", (0, 0))

    def test_a_layer_that_does_not_say_so_is_refused(self):
        silent = type("Silent", (PeriodicPadding,), {"only_copies": False})
        model = keras.Sequential([layers.Input((6, 6, 1)), silent(name="silent"), layers.Flatten(), layers.Dense(2)])
        with pytest.raises(ValueError, match=r"'silent' \(Silent\) has no rule .* only_copies = True"):
            introspection.lrp(model, images(n=1, shape=(6, 6, 1)), 0)


def test_explaining_a_model_does_not_keep_it_alive():
    model, values = convolutional(), images()
    for method in (introspection.saliency, introspection.lrp, introspection.grad_cam, introspection.occlusion):
        method(model, values, 0)
    introspection.maximize_activation(model, values, "last_maps", channel=0, n_steps=1)
    watched = weakref.ref(model)
    del model
    keras.backend.clear_session()
    gc.collect()
    assert watched() is None


@pytest.fixture(scope="module")
def planted():
    """Images of noise in which a bright 5 x 5 ring somewhere makes the class: the cause is known to the pixel."""
    generator = np.random.default_rng(0)
    n_images, size = 1200, 20
    noise = generator.normal(0, 0.35, (n_images, size, size, 1)).astype(np.float32)
    labels = np.arange(n_images) % 2
    ring = np.ones((5, 5))
    ring[1:4, 1:4] = 0
    region = np.zeros((n_images, size, size, 1), dtype=bool)
    for index in np.flatnonzero(labels):
        row, column = generator.integers(0, size - 5, 2)
        noise[index, row : row + 5, column : column + 5, 0] += 1.2 * ring
        region[index, row : row + 5, column : column + 5, 0] = True
    keras.utils.set_random_seed(1)
    model = keras.Sequential(
        [
            layers.Input((size, size, 1)),
            layers.Conv2D(12, 5, activation="relu", padding="same"),
            layers.Conv2D(12, 3, activation="relu", padding="same"),
            layers.GlobalMaxPooling2D(),
            layers.Dense(2, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(5e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(noise[:1000], labels[:1000], epochs=12, batch_size=50, verbose=0)
    held_out = noise[1000:], labels[1000:], region[1000:]
    assert model.evaluate(*held_out[:2], verbose=0)[1] > 0.97
    signal = held_out[1] == 1
    return model, held_out[0][signal][:40], held_out[2][signal][:40]


@pytest.mark.slow
def test_good_methods_put_their_mass_where_the_cause_was_planted(planted, capsys):
    model, values, region = planted
    maps = {
        "saliency x input": introspection.input_x_gradient(model, values, 1),
        "|saliency|": np.abs(introspection.saliency(model, values, 1)),
        "SmoothGrad": np.abs(introspection.smoothgrad(model, values, 1)),
        "integrated gradients": introspection.integrated_gradients(model, values, 1),
        "LRP gamma": introspection.lrp(model, values, 1, rule="gamma"),
        "LRP epsilon": introspection.lrp(model, values, 1, epsilon=0.1),
        "Grad-CAM": introspection.grad_cam(model, values, 1, layer=0),
        "occlusion": introspection.occlusion(model, values, 1, patch_size=5, stride=1),
    }
    shares = {name: float(introspection.mass_inside(found, region).mean()) for name, found in maps.items()}
    by_chance = float(region[0].mean())
    with capsys.disabled():
        print(f"\nmass inside the planted region (by chance {by_chance:.2f}):")
        for name, share in shares.items():
            print(f"  {name:22s} {share:.2f}")
    for name in ("saliency x input", "integrated gradients", "LRP gamma", "LRP epsilon"):
        assert shares[name] > 0.6, (name, shares)
    assert all(share > 2 * by_chance for share in shares.values()), shares
