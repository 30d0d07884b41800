"""Handwritten digits of 28 x 28 pixels without network: the stand-in for MNIST.

The strokes are real: 1797 digits of 8 x 8 pixels that come with scikit-learn. Each new image takes one of them,
interpolates it with cubic B-splines to about 20 x 20 pixels at a random position and with random width and
height, and raises the contrast.

References
----------
E. Alpaydin, C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository (1998),
doi:10.24432/C50P49, CC BY 4.0. Cubic B-splines: M. Unser, IEEE Signal Processing Magazine 16 (1999) 22.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from course_lib.simulators._arguments import require_count

CLASS_NAMES = tuple(str(digit) for digit in range(10))

#: The first 1500 originals serve training sets, the other 297 test sets, so that no stroke is in both.
N_TRAINING_ORIGINALS = 1500

_SIZE = 28
_CHUNK = 512


@cache
def _originals():
    """Spline coefficients (1797, 8, 8) and labels of scikit-learn's digits."""
    from scipy.ndimage import spline_filter1d
    from sklearn.datasets import load_digits

    digits = load_digits()
    images = digits.images / 16.0
    for axis in (1, 2):
        images = spline_filter1d(images, order=3, axis=axis, mode="mirror")
    return images.astype(np.float32), digits.target


def _spline_matrix(centre_pixels, pixels_per_cell):
    """Weights (n, 28, 8) of the eight cells of an original in each of the 28 pixels along one axis."""
    pixel = np.arange(_SIZE)
    cell = 3.5 + (pixel[None, :] - centre_pixels[:, None]) / pixels_per_cell[:, None]
    distance = np.abs(cell[:, :, None] - np.arange(8)).astype(np.float32)
    inner = 2 / 3 - distance * distance * (1 - distance / 2)
    beyond = np.maximum(2 - distance, 0)
    outer = beyond * beyond * beyond / 6
    return np.where(distance < 1, inner, outer)


def sample(n_samples, *, part="training", seed=None):
    """Draw digits.

    Parameters
    ----------
    n_samples : int
    part : {"training", "test"}
        Which of the two disjoint groups of originals to draw from.
    seed : int, optional

    Returns
    -------
    images : numpy.ndarray, uint8, shape (n_samples, 28, 28)
        0 paper, 255 ink.
    labels : numpy.ndarray, int64, shape (n_samples,)

    Raises
    ------
    ValueError
        For a bad number of samples or another `part`.

    Examples
    --------
    >>> from course_lib.simulators import digits
    >>> images, labels = digits.sample(10, seed=0)
    >>> images.shape, images.dtype
    ((10, 28, 28), dtype('uint8'))
    """
    n_samples = require_count("n_samples", n_samples)
    coefficients, targets = _originals()
    if part == "training":
        candidates = np.arange(N_TRAINING_ORIGINALS)
    elif part == "test":
        candidates = np.arange(N_TRAINING_ORIGINALS, len(targets))
    else:
        raise ValueError(f'part must be "training" or "test", got {part!r}')
    rng = np.random.default_rng(seed)
    originals = rng.choice(candidates, n_samples)
    images = np.empty((n_samples, _SIZE, _SIZE), dtype=np.uint8)
    for start in range(0, n_samples, _CHUNK):
        chosen = originals[start : start + _CHUNK]
        n = len(chosen)
        centres = 13.5 + rng.uniform(-1.5, 1.5, (2, n))
        pixels_per_cell = rng.uniform(2.4, 2.9, (2, n))
        rows = _spline_matrix(centres[0], pixels_per_cell[0])
        columns = _spline_matrix(centres[1], pixels_per_cell[1])
        grey = rows @ coefficients[chosen] @ columns.transpose(0, 2, 1)
        # Interpolation blurs; a steep middle part gives strokes back their edges.
        images[start : start + n] = 255 * np.clip(1.8 * grey - 0.35, 0, 1)
    return images, targets[originals].astype(np.int64)
