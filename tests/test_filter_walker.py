"""Figure 8.1: feature maps against scipy, parameters against counting, and the JavaScript twin."""

import javascript
import numpy as np
import pytest
import scipy.signal

from course_lib.explorables import FilterWalker
from course_lib.explorables.filter_walker import preset_filters, preset_images


@pytest.mark.parametrize("image", ["example", "edge", "track", "ising"])
@pytest.mark.parametrize("kernel_size", [1, 3, 5])
def test_feature_maps_are_scipys_correlation(image, kernel_size):
    walker = FilterWalker(image=image, kernel_size=kernel_size, n_filters=4)
    expected = [
        scipy.signal.correlate2d(walker.image(), kernel, mode="valid") for kernel in preset_filters(kernel_size)
    ]
    np.testing.assert_allclose(walker.feature_maps(), expected)


def test_the_example_holds_the_patch_of_figure_82():
    kernel = [[3, 1, 0], [4, 0, 2], [2, -3, 4]]
    assert FilterWalker(filters=[kernel]).feature_maps()[0, 2, 2] == 26


@pytest.mark.parametrize("kernel_size", [1, 3, 5])
def test_parameters_do_not_depend_on_the_image(kernel_size):
    counts = {
        FilterWalker(image=image, kernel_size=kernel_size, n_filters=3).n_parameters() for image in preset_images()
    }
    assert counts == {preset_filters(kernel_size)[:3].size + 3}


def test_each_line_filter_answers_to_its_own_direction():
    vertical, horizontal, _, diagonal = preset_filters(3)
    for kernel in (vertical, horizontal, diagonal):
        assert kernel.sum() == 0  # silent on even ground
    walker = FilterWalker(image="track", n_filters=4)
    brightest = np.unravel_index(walker.feature_maps()[3].argmax(), (18, 18))
    assert brightest[0] == brightest[1]


def test_the_ising_preset_is_a_configuration_between_order_and_disorder():
    spins = preset_images()["ising"]
    assert spins.shape == (32, 32)
    assert set(np.unique(spins)) == {-1, 1}
    # Exact energy per spin at 2.3 J/k_B is -1.28; of a random picture it is 0, of full order -2.
    energy = -np.mean(spins * (np.roll(spins, 1, 0) + np.roll(spins, 1, 1)))
    assert -1.8 < energy < -0.9


def test_own_filters_decide_size_and_number():
    own = np.random.default_rng(1).normal(size=(3, 5, 5))
    walker = FilterWalker(image="edge", filters=own)
    assert walker.state["kernel_size"] == 5
    assert walker.state["n_filters"] == 3
    # Four significant digits are kept.
    np.testing.assert_allclose(walker.filters(), own, rtol=1e-3)
    walker.state = {"kernel_size": 3}
    assert walker.state["kernel_size"] == 5


def test_arrays_as_a_network_gives_them_are_taken():
    image = np.random.default_rng(2).choice(np.array([-1, 1], dtype=np.int8), size=(32, 32, 1))
    filters = np.ones((2, 3, 3, 1), dtype=np.float32)
    assert FilterWalker(image=image, filters=filters).feature_maps().shape == (2, 30, 30)
    assert FilterWalker(image=image[..., 0], filters=filters[0, :, :, 0]).feature_maps().shape == (1, 30, 30)


def test_the_position_stays_on_the_map():
    walker = FilterWalker(position=24)
    walker.state = {"kernel_size": 5}
    assert walker.state["position"] == 8  # 3 x 3 positions
    walker.state = {"n_filters": 4, "shown_filter": 3}
    walker.state = {"n_filters": 2}
    assert walker.state["shown_filter"] == 1


@pytest.mark.parametrize(
    ("field", "value", "rule"),
    [
        ("image", "cat", "one of 'example'"),
        ("image", np.zeros((4, 9)), "5 to 32 pixels a side, not \\(4, 9\\)"),
        ("image", np.zeros((33, 9)), "5 to 32 pixels"),
        ("image", np.zeros((9, 9, 3)), "one channel"),
        ("image", [[1, 2], [3]], "equal length"),
        ("image", np.full((9, 9), np.nan), "finite"),
        ("filters", np.zeros((5, 3, 3)), "1 to 4 filters"),
        ("filters", np.zeros((2, 4, 4)), "size 1, 3 or 5"),
        ("filters", np.zeros((2, 3, 3, 16)), "choose one channel"),
        ("kernel_size", 4, "one of 1, 3, 5"),
        ("n_filters", 5, "from 1 to 4"),
    ],
)
def test_bad_input_gets_one_clear_error(field, value, rule):
    with pytest.raises(ValueError, match=f"FilterWalker: {field} .*{rule}"):
        FilterWalker(**{field: value})


def test_both_languages_compute_the_same_maps():
    images = ["example", "edge", "track", "ising"]
    states = javascript.random_states(
        FilterWalker,
        40,
        seed=4,
        image=lambda g: images[g.integers(4)] if g.random() < 0.7 else np.round(g.normal(size=(9, 12)), 2),
        filters=lambda g: None if g.random() < 0.6 else np.round(g.normal(size=(3, 3, 3)), 2),
        position=lambda g: int(g.integers(1024)),
    )
    walkers = [FilterWalker(**state) for state in states]
    calls = [(name, walker.state) for name in ("featureMaps", "parameterCount", "walkerSummary") for walker in walkers]
    results = javascript.call(FilterWalker, calls)
    for walker, maps, count, sentence in zip(walkers, results[:40], results[40:80], results[80:], strict=True):
        np.testing.assert_allclose(maps, walker.feature_maps(), atol=1e-9)
        assert count == walker.n_parameters()
        assert sentence == walker.summary()
    reconciled = javascript.call(FilterWalker, [("default.reconcile", state) for state in states])
    assert reconciled == [walker.state for walker in walkers]


def test_the_static_figure_holds_image_filter_and_every_map():
    walker = FilterWalker(n_filters=2)
    image, kernel, *maps = (np.array(trace.z) for trace in walker.static_figure().data)
    assert np.array_equal(image, walker.image())
    assert np.array_equal(kernel, walker.filters()[0])
    assert np.array_equal(maps, walker.feature_maps())
