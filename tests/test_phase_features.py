"""Features of spin lattices against brute force, exact limits and exact energies."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from course_lib.data import load_phase_features
from course_lib.simulators.phase_features import phase_features


def by_hand(lattice):
    """The five features of one lattice with plain loops."""
    n = len(lattice)
    energy = (
        -sum(lattice[i][j] * (lattice[(i + 1) % n][j] + lattice[i][(j + 1) % n]) for i in range(n) for j in range(n))
        / n**2
    )
    seen, largest = set(), 0
    for start in np.ndindex(n, n):
        if start in seen:
            continue
        cluster, todo = {start}, [start]
        while todo:
            i, j = todo.pop()
            for near in (((i + 1) % n, j), ((i - 1) % n, j), (i, (j + 1) % n), (i, (j - 1) % n)):
                if near not in cluster and lattice[near] == lattice[start]:
                    cluster.add(near)
                    todo.append(near)
        seen |= cluster
        largest = max(largest, len(cluster))
    q = n // 4
    correlation = np.mean(
        [lattice[i][j] * (lattice[(i + q) % n][j] + lattice[i][(j + q) % n]) / 2 for i in range(n) for j in range(n)]
    )
    spectrum = np.abs(np.fft.fft2(lattice)) ** 2
    structure = (spectrum[1, 0] + spectrum[0, 1]) / 2 / n**4
    return [abs(lattice.mean()), energy, largest / n**2, correlation, structure]


def test_features_equal_plain_loops():
    rng = np.random.default_rng(1)
    lattices = np.where(rng.uniform(size=(6, 8, 8)) < np.linspace(0.3, 0.7, 6)[:, None, None], 1, -1)
    assert np.allclose(phase_features(lattices), [by_hand(lattice) for lattice in lattices])


def test_exact_limits():
    checkerboard = np.indices((8, 8)).sum(0) % 2 * 2 - 1
    # Alternating spins: neighbours opposite, spins two apart equal, every spin a cluster of its own.
    assert np.allclose(phase_features(checkerboard[None])[0], [0, 2, 1 / 64, 1, 0])
    stripes = np.where(np.arange(8) < 4, 1, -1)[:, None] * np.ones((8, 8), dtype=int)
    features = phase_features(stripes[None])[0]
    assert features[0] == 0 and features[2] == 0.5
    # |sum of e^{ikr} over half a period|^2 = (2 / sin(pi/8))^2 for one axis, zero for the other, over 64.
    assert np.isclose(features[4], (2 / np.sin(np.pi / 8)) ** 2 / 64 / 2)


def test_features_do_not_see_symmetries():
    rng = np.random.default_rng(2)
    lattices = np.where(rng.uniform(size=(5, 12, 12)) < 0.6, 1, -1)
    expected = phase_features(lattices)
    for moved in (-lattices, np.rot90(lattices, axes=(1, 2)), lattices[:, ::-1], np.roll(lattices, (3, 5), (1, 2))):
        assert np.allclose(phase_features(moved), expected)


def test_bundled_features_separate_the_phases_and_have_onsagers_energy():
    found = load_phase_features(4000)
    assert found.features.shape == (4000, 5) and set(found.labels.tolist()) == {0, 1}
    assert np.array_equal(found.labels == 1, found.temperatures > 2 / np.log(1 + np.sqrt(2)))
    cold = found.features[np.isclose(found.temperatures, 1.0)]
    # Low-temperature series of the exact solution: m = 1 - 2 x^4 - 8 x^6, u = -2 + 8 x^4 + 24 x^6, x = e^{-2/T}.
    x = np.exp(-2.0)
    assert abs(cold[:, 0].mean() - (1 - 2 * x**4 - 8 * x**6)) < 5 * cold[:, 0].std() / np.sqrt(len(cold)) + 1e-4
    assert abs(cold[:, 1].mean() - (-2 + 8 * x**4 + 24 * x**6)) < 5 * cold[:, 1].std() / np.sqrt(len(cold)) + 1e-4
    scaled = (found.features - found.features[:3000].mean(0)) / found.features[:3000].std(0)
    model = LogisticRegression().fit(scaled[:3000], found.labels[:3000])
    assert model.score(scaled[3000:], found.labels[3000:]) > 0.97


def test_wrong_input_is_named():
    with pytest.raises(ValueError, match="must have the shape"):
        phase_features(np.ones((8, 8)))
    with pytest.raises(ValueError, match="at most 26000"):
        load_phase_features(30_000)
