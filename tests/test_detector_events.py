"""Events: lengths and widths that the physics demands, energy that pixels keep, and JavaScript."""

import javascript
import numpy as np
import pytest

from course_lib.explorables import DetectorEvents
from course_lib.explorables import detector_events as module


def test_a_muon_is_as_long_as_its_energy_allows():
    for energy in (0.3, 0.6, 0.9):
        lengths = []
        for seed in range(10):
            track = module.hits("muon", energy, seed)
            lengths.append(np.hypot(*(track[-1, :2] - track[0, :2])))
        assert np.mean(lengths) == pytest.approx(energy * 1000 / module.LOSS_MEV_CM, rel=0.03)


def test_the_depth_of_showers_grows_with_the_logarithm_of_the_energy():
    def depth(energy):
        return np.mean([np.median(module.hits("electron", energy, seed)[:, 0] - 40) for seed in range(30)])

    depths = [depth(energy) for energy in (0.5, 1.0, 2.0)]
    first, second = np.diff(depths)
    assert first > 10 and second > 10  # cm for each doubling
    assert depths[2] < 2 * depths[0] * 1.6  # nothing like proportional to the energy
    energy = np.mean([module.hits("electron", 1.0, seed)[:, 2].sum() for seed in range(10)])
    assert energy == pytest.approx(1000, rel=0.1)  # MeV, but for what leaves the detector


def test_electrons_are_wider_than_muons_until_pixels_are_too_large():
    def widths(kind, pixel):
        events = [module.hits(kind, 0.8, seed) for seed in range(15)]
        return [module.width_cm(module.centres(module.image(points, pixel), pixel)) for points in events]

    assert min(widths("electron", 3)) > max(widths("muon", 3))
    assert min(widths("electron", 60)) < max(widths("muon", 60))


def test_pixels_keep_the_energy():
    for kind in ("muon", "electron", "noise"):
        points = module.hits(kind, 1.3, 2)
        for pixel in module.PIXELS_CM:
            assert module.image(points, pixel).sum() == pytest.approx(points[:, 2].sum())


def test_the_width_is_the_spread_across_a_turned_line():
    generator = np.random.default_rng(1)
    along, across, angle = 50 * generator.normal(size=4000), 3 * generator.normal(size=4000), 0.7
    x, y = along * np.cos(angle) - across * np.sin(angle), along * np.sin(angle) + across * np.cos(angle)
    assert module.width_cm(np.stack([x, y, np.ones(4000)], axis=1)) == pytest.approx(3, rel=0.05)


def test_both_languages_agree():
    states = javascript.random_states(DetectorEvents, 24, seed=5)
    theirs = javascript.call(DetectorEvents, [("eventHits", s["kind"], s["energy_gev"], s["seed"]) for s in states])
    for state, points in zip(states, theirs, strict=True):
        np.testing.assert_allclose(points, module.hits(state["kind"], state["energy_gev"], state["seed"]), atol=1e-6)
