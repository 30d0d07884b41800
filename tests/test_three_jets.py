"""Three-jet events against the published integral, numerical integration and kinematics."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import dblquad, quad

from course_lib.data import make_three_jets
from course_lib.simulators import three_jets


def matrix_element(first, second):
    """The leading-order weight, written out once more."""
    return (first**2 + second**2) / (1 - first) / (1 - second)


@pytest.mark.parametrize("resolution", [0.005, 0.02, 0.1, 0.3])
def test_the_closed_form_is_the_integral_of_the_density(resolution):
    largest = 1 - resolution
    by_hand = dblquad(
        lambda second, first: matrix_element(first, second),
        2 * resolution,
        largest,
        lambda first: 1 + resolution - first,
        lambda first: largest,
    )[0]
    assert three_jets.integral(resolution) == pytest.approx(by_hand, rel=1e-6)


def test_the_density_is_the_matrix_element_where_jets_are_resolved_and_zero_elsewhere():
    axis = np.linspace(0.003, 0.993, 100)  # no event on the border
    first, second = np.meshgrid(axis, axis)
    density = three_jets.density(first, second, resolution=0.05)
    third = 2 - first - second
    resolved = np.max([first, second, third], axis=0) <= 0.95
    assert np.allclose(density[resolved], matrix_element(first, second)[resolved])
    assert not density[~resolved].any() and np.array_equal(density, density.T)


def test_events_follow_the_density_in_two_dimensions():
    number, resolution = 400_000, 0.02
    shares, _ = make_three_jets(number, resolution=resolution, seed=1)
    border = 1 - np.geomspace(0.96, 0.02, 9)
    observed = np.histogram2d(shares[:, 0], shares[:, 1], bins=[border, border])[0]
    expected = np.zeros_like(observed)
    for row, column in itertools.product(range(8), repeat=2):

        def line(first, row=row, column=column):
            low = max(border[column], 1 + resolution - first)
            # Integral over the second share: elementary, as its numerator is a quadratic.
            if low >= border[column + 1]:
                return 0.0
            antiderivative = [-(first**2 + 1) * math.log(1 - x) - x - x**2 / 2 for x in (low, border[column + 1])]
            return (antiderivative[1] - antiderivative[0]) / (1 - first)

        kink = 1 + resolution - border[column : column + 2]
        expected[row, column] = quad(line, border[row], border[row + 1], points=np.clip(kink, *border[row : row + 2]))[
            0
        ]
    assert expected.sum() == pytest.approx(three_jets.integral(resolution), rel=1e-6)
    expected *= number / expected.sum()
    used = expected > 5
    assert observed[expected < 1e-9].sum() == 0
    chi_squared = ((observed - expected)[used] ** 2 / expected[used]).sum()
    assert 1e-6 < stats.chi2(used.sum() - 1).sf(chi_squared) < 1 - 1e-6


def test_jets_conserve_four_momentum_and_have_no_mass():
    shares, momenta = make_three_jets(2000, energy_gev=200.0, seed=2)
    assert np.allclose(momenta.sum(1), [200.0, 0, 0, 0], atol=1e-9)
    assert np.abs(momenta[..., 0] ** 2 - (momenta[..., 1:] ** 2).sum(-1)).max() < 1e-8
    assert np.allclose(momenta[..., 0], 100.0 * shares)


def test_every_pair_of_jets_is_resolved():
    _, momenta = make_three_jets(3000, resolution=0.07, seed=3)
    for one, two in itertools.combinations(range(3), 2):
        pair = momenta[:, one] + momenta[:, two]
        squared = pair[:, 0] ** 2 - (pair[:, 1:] ** 2).sum(1)
        assert squared.min() >= 0.07 * three_jets.Z_MASS_GEV**2 * (1 - 1e-9)


def test_events_have_no_preferred_orientation():
    _, momenta = make_three_jets(4000, seed=4)
    quark = momenta[:, 0, 1:] / momenta[:, 0, :1]
    normal = np.cross(momenta[:, 0, 1:], momenta[:, 1, 1:])
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    for vectors, axis in itertools.product((quark, normal), range(3)):
        # Archimedes: each coordinate on the unit sphere is uniform.
        assert stats.kstest(vectors[:, axis], "uniform", args=(-1, 2)).pvalue > 1e-6


def test_quark_and_antiquark_are_alike_and_the_gluon_is_softer():
    shares, _ = make_three_jets(20_000, seed=5)
    assert stats.ks_2samp(shares[:, 0], shares[:, 1]).pvalue > 1e-6
    assert shares[:, 2].mean() < 0.6 * shares[:, 0].mean()


def test_bad_arguments_are_named():
    for argument, value in (("resolution", 0.4), ("resolution", 0.0), ("energy_gev", -1.0)):
        with pytest.raises(ValueError, match=f"{argument} must be"):
            make_three_jets(3, **{argument: value})
    with pytest.raises(ValueError, match="sum to 2"):
        three_jets.momenta([[0.5, 0.5, 0.5]])
    with pytest.raises(ValueError, match="shape"):
        three_jets.momenta([0.5, 0.5, 1.0])
