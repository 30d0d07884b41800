"""The ascent is the one of the library, wherever it was interrupted."""

import keras
import numpy as np
import pytest
from test_kernel_backed import BrandNew, network, request

from course_lib import introspection
from course_lib.explorables import MaximizationViewer
from course_lib.explorables.maximization_viewer import STEPS_PER_ANSWER

STEPS = 9


def viewer_of(**opening):
    model, inputs, _ = network()
    opening = {"objective": "map", "layer": "last_maps", "channel": 1, "steps": STEPS} | opening
    return MaximizationViewer(model, inputs, **opening)


@pytest.mark.parametrize(
    ("opening", "options"),
    [
        ({}, {"layer": "last_maps", "channel": 1}),
        ({"objective": "class", "channel": 2}, {"channel": 2}),
        ({"objective": "layer"}, {"layer": "last_maps"}),
        ({"objective": "unit"}, {"layer": "last_maps", "channel": 1, "position": (2, 1)}),
        (
            {"total_variation": 3.0, "l2": 1.0, "step_size": 0.2, "normalize_gradient": False},
            {"layer": "last_maps", "channel": 1, "total_variation": 3, "l2": 1, "normalize_gradient": False},
        ),
    ],
)
def test_pieces_of_the_ascent_add_up_to_one_ascent(opening, options):
    viewer = viewer_of(start="example", example=4, **opening)
    model, inputs, _ = network()
    expected = introspection.maximize_activation(
        model, inputs[4:5], n_steps=STEPS, step_size=opening.get("step_size", 0.05), **options
    )
    content = viewer.complete_answer()
    np.testing.assert_allclose(content["picture"], expected.images[0].mean(axis=-1), atol=1e-4)
    np.testing.assert_allclose(content["objective"], expected.objective[:, 0], rtol=1e-3, atol=1e-4)
    assert content["done"] == STEPS


def test_each_answer_goes_on_a_few_steps_and_asks_to_be_asked_again():
    viewer = viewer_of()
    answers = [request(viewer, {})[0]["content"]]
    while answers[-1]["more"]:
        answers.append(request(viewer, {})[0]["content"])
    assert [one["done"] for one in answers] == [*range(STEPS_PER_ANSWER, STEPS, STEPS_PER_ANSWER), STEPS]
    assert answers[-1]["summary"].startswith("After 9 steps the mean of map 1 in layer last_maps went from ")


def test_equal_states_give_equal_pictures_however_they_were_reached():
    straight = viewer_of(jitter=2).complete_answer()["picture"]
    winding = viewer_of(jitter=2, steps=1)
    for changes in ({}, {"steps": 3}, {"steps": 12, "channel": 0}, {"steps": 2, "channel": 1}, {"steps": STEPS}):
        winding.state = changes
        content = winding.complete_answer()
    np.testing.assert_array_equal(content["picture"], straight)


def test_the_seed_decides_the_noise_and_the_jitter():
    for opening in ({"steps": 0}, {"start": "example", "jitter": 2}):
        pictures = [viewer_of(seed=seed, **opening).complete_answer()["picture"] for seed in (0, 1)]
        assert not np.allclose(*pictures)


def test_a_changed_setting_starts_anew_with_the_next_request():
    viewer = viewer_of(steps=200)
    request(viewer, {})
    # Superseded before it was complete: the new objective begins at step 0 and is answered at once.
    content = request(viewer, {"channel": 3})[0]["content"]
    assert content["done"] == STEPS_PER_ANSWER


def test_steps_of_zero_show_the_start():
    content = viewer_of(start="example", example=2, steps=0).answer()
    np.testing.assert_allclose(content["picture"], network()[1][2].mean(axis=-1), atol=1e-6)
    assert len(content["objective"]) == 1 and not content["more"]


def test_a_dead_map_is_told_from_a_live_one():
    model = BrandNew()
    model(np.zeros((1, 8, 8, 1)))
    model.maps.bias.assign([-1e3, 0, 0, 0])
    inputs = np.random.default_rng(0).normal(size=(2, 8, 8, 1))
    viewer = MaximizationViewer(model, inputs, objective="map", layer="maps", channel=0, steps=2)
    content = viewer.complete_answer()
    assert content["stuck"] and "cannot move" in content["summary"]
    viewer.state = {"channel": 1}
    assert not viewer.complete_answer()["stuck"]


def test_the_channel_stays_within_classes_and_maps():
    viewer = viewer_of(channel=4)
    assert request(viewer, {"objective": "class"})[0]["state"]["channel"] == 2


def test_the_shape_of_the_inputs_must_be_known():
    free = keras.Sequential([keras.layers.Input((None, None, 1)), keras.layers.Conv2D(2, 3, name="maps")])
    with pytest.raises(ValueError, match=r"cannot tell the shape of the inputs .* give inputs"):
        MaximizationViewer(free)
    fixed = keras.Sequential([keras.layers.Input((6, 6, 1)), keras.layers.Conv2D(2, 3), keras.layers.Flatten()])
    with pytest.raises(ValueError, match="start must be one of 'noise'; seen: 'example'"):
        MaximizationViewer(fixed, start="example")
    assert MaximizationViewer(fixed, steps=1).complete_answer()["picture"].shape == (6, 6)


def test_after_further_training_a_new_display_starts_anew():
    viewer = viewer_of()
    before = viewer.complete_answer()["objective"]
    viewer.forget()
    np.testing.assert_array_equal(viewer.complete_answer()["objective"], before)
