"""The interpolation curve against printed properties and direct evaluation."""

import math

import numpy as np

from course_lib.data import make_interpolation
from course_lib.simulators import interpolation


def test_curve_equals_the_formula_with_the_standard_library():
    for x in (-9.7, -math.pi / 2, -1e-3, 0.0, 2.5, 10.0):
        numerator = math.sqrt(abs(x)) + 0.1 * x + 0.01 * x * x + 1 - math.sin(x) + 0.5 * math.exp(x / 10)
        assert math.isclose(interpolation.function(x), numerator / (0.5 + abs(math.cos(x))), rel_tol=1e-12)


def test_curve_has_the_printed_range_and_variance():
    values = interpolation.function(np.linspace(-10, 10, 200_001))
    # Printed: 1.04 to 11.2, from a coarser grid that cuts the kink and the highest peak.
    assert abs(values.min() - 1.04) < 0.05 and abs(values.max() - 11.2) < 0.15
    assert abs(values.var() - 3.78) < 0.02


def test_noise_is_independent_and_of_the_asked_size():
    x, y = make_interpolation(100_000, noise=1.0, seed=1)
    residuals = y - interpolation.function(x)
    assert x.shape == y.shape == (100_000, 1)
    assert abs(residuals.mean()) < 5 / math.sqrt(100_000)
    assert abs(residuals.var() - 1) < 5 * math.sqrt(2 / 100_000)
    assert abs(np.corrcoef(x.ravel(), residuals.ravel())[0, 1]) < 5 / math.sqrt(100_000)
    clean = make_interpolation(100, noise=0, x_range=(10, 15), seed=2)
    assert np.array_equal(clean.y, interpolation.function(clean.x)) and clean.x.min() >= 10
