"""Simulated white wines: the stand-in for the public wine-quality table when there is no network.

Nothing of a single real wine is stored here. The model keeps summary statistics of the public table
(P. Cortez et al., Decision Support Systems 47 (2009) 547; CC BY 4.0): quantiles of each feature, the correlation
matrix, and a few coefficients for density and quality.

1. Ten features are drawn from a Gaussian copula: correlated standard normals (`CORRELATIONS`), each mapped
   to its feature through the quantiles of the real one.
2. Density follows from the others, as it does physically: sugar makes wine denser, alcohol lighter
   (a linear fit explains 98 % of the real density's variance).
3. The tasters' mark is a latent liking, linear in the normals plus three square terms (too much or too little
   of citric acid and free sulphur dioxide is bad), plus personal taste, cut into the marks 3 to 9.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from course_lib.simulators._arguments import require_count

FEATURE_NAMES = (
    "fixed acidity",  # g/dm3, as tartaric acid
    "volatile acidity",  # g/dm3, as acetic acid
    "citric acid",  # g/dm3
    "residual sugar",  # g/dm3
    "chlorides",  # g/dm3, as sodium chloride
    "free sulfur dioxide",  # mg/dm3
    "total sulfur dioxide",  # mg/dm3
    "density",  # g/cm3
    "pH",
    "sulphates",  # g/dm3, as potassium sulphate
    "alcohol",  # percent by volume
)

_DENSITY = FEATURE_NAMES.index("density")

#: Probabilities at which the quantiles of the real features are tabulated.
_LEVELS = np.array([0.0005, 0.005, 0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975, 0.995, 0.9995])

#: One row a feature, density left out.
_QUANTILES = np.array(
    [
        [4.2, 4.9, 5.3, 5.9, 6.3, 6.8, 7.3, 7.9, 8.7575, 9.6, 10.7],
        [0.08, 0.11, 0.14, 0.17, 0.21, 0.26, 0.32, 0.4, 0.54, 0.68, 0.9493],
        [0.0, 0.01, 0.13, 0.22, 0.27, 0.32, 0.39, 0.49, 0.64, 0.74, 1.0],
        [0.7, 0.8, 1.0, 1.2, 1.7, 5.2, 9.9, 14.0, 17.5, 19.8, 29.1],
        [0.0134, 0.018, 0.024, 0.03, 0.036, 0.043, 0.05, 0.058, 0.0946, 0.184, 0.2815],
        [3.0, 5.0, 8.0, 15.0, 23.0, 34.0, 46.0, 57.0, 69.0, 94.0, 135.0],
        [18.0, 37.0, 65.4, 87.0, 108.0, 134.0, 167.0, 195.0, 225.0, 249.0, 330.0],
        [2.779, 2.86, 2.92, 3.0, 3.09, 3.18, 3.28, 3.38, 3.52, 3.66, 3.8],
        [0.25, 0.28, 0.32, 0.36, 0.41, 0.47, 0.55, 0.64, 0.77, 0.9, 1.0055],
        [8.4, 8.6, 8.8, 9.0, 9.5, 10.4, 11.4, 12.4, 13.0, 13.6, 14.0],
    ]
)

_LOWER_TRIANGLE = [
    [],
    [-0.02],
    [0.30, -0.16],
    [0.09, 0.07, 0.10],
    [0.03, 0.09, 0.15, 0.12],
    [-0.05, -0.11, 0.10, 0.32, 0.13],
    [0.09, 0.09, 0.13, 0.42, 0.25, 0.62],
    [-0.43, -0.03, -0.17, -0.21, -0.12, 0.0, 0.0],
    [-0.02, -0.04, 0.07, -0.03, 0.02, 0.06, 0.14, 0.16],
    [-0.13, 0.07, -0.08, -0.49, -0.49, -0.26, -0.46, 0.13, -0.02],
]

#: Correlations of the normals behind the ten features (density left out).
CORRELATIONS = np.eye(10)
for _row, _values in enumerate(_LOWER_TRIANGLE):
    CORRELATIONS[_row, :_row] = CORRELATIONS[:_row, _row] = _values

#: Density in g/cm3 = constant + coefficients . features, fitted to the real table.
_DENSITY_CONSTANT = 0.98671864
_DENSITY_COEFFICIENTS = np.array(
    [7.693e-4, 2.866e-4, 2.315e-4, 3.528e-4, 4.098e-3, -5.82e-6, 4.40e-6, 3.285e-3, 1.310e-3, -1.1506e-3]
)
_DENSITY_SCATTER = 4.2e-4

_LIKING_LINEAR = np.array([-0.044, -0.239, 0.008, 0.168, -0.031, 0.142, -0.071, 0.031, 0.061, 0.534])
_LIKING_SQUARE = {2: -0.07, 5: -0.13, 9: 0.08}
_TASTE_SCATTER = 0.794
_MARK_BOUNDARIES = np.array([-2.602, -1.753, -0.436, 0.772, 1.818, 3.277])


def sample(n_samples, *, seed=None):
    """Draw simulated wines.

    Parameters
    ----------
    n_samples : int
    seed : int, optional

    Returns
    -------
    features : numpy.ndarray, float64, shape (n_samples, 11)
        Columns and units as `FEATURE_NAMES`: acidities, sugar and sulphates in g/dm3, chlorides in g/dm3, sulphur
        dioxide in mg/dm3, density in g/cm3, alcohol in percent by volume.
    quality : numpy.ndarray, int64, shape (n_samples,)
        Mark of the tasters, 3 (bad) to 9.

    Raises
    ------
    ValueError
        If `n_samples` is not a positive whole number.

    Examples
    --------
    >>> from course_lib.simulators import wine_quality
    >>> features, quality = wine_quality.sample(5, seed=0)
    >>> features.shape, quality.min() >= 3
    ((5, 11), np.True_)
    """
    n_samples = require_count("n_samples", n_samples)
    rng = np.random.default_rng(seed)
    normals = rng.standard_normal((n_samples, 10)) @ np.linalg.cholesky(CORRELATIONS).T
    probabilities = ndtr(normals)
    columns = np.stack([np.interp(probabilities[:, j], _LEVELS, _QUANTILES[j]) for j in range(10)], axis=1)
    density = _DENSITY_CONSTANT + columns @ _DENSITY_COEFFICIENTS
    density += _DENSITY_SCATTER * rng.standard_normal(n_samples)
    liking = normals @ _LIKING_LINEAR + _TASTE_SCATTER * rng.standard_normal(n_samples)
    for column, coefficient in _LIKING_SQUARE.items():
        liking += coefficient * (normals[:, column] ** 2 - 1)
    quality = 3 + np.searchsorted(_MARK_BOUNDARIES, liking)
    return np.insert(columns, _DENSITY, density, axis=1), quality.astype(np.int64)
