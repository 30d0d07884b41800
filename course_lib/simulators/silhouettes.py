"""Silhouettes of clothes, 28 x 28 pixels: the stand-in for Fashion-MNIST.

Each of the ten classes is a shape built from a few lines and circles (a signed distance, positive inside; union
is the maximum, intersection the minimum), drawn at a random position and size, in a random grey, with random
proportions and sometimes stripes. Nothing of the real photographs is used.

References
----------
Classes and their order: H. Xiao, K. Rasul, R. Vollgraf, arXiv:1708.07747 (2017).
"""

from __future__ import annotations

import numpy as np

from course_lib.simulators._arguments import require_count

CLASS_NAMES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)

_SIZE = 28
_CHUNK = 256


def _box(u, v, left, right, top, bottom):
    return np.minimum(np.minimum(u - left, right - u), np.minimum(v - top, bottom - v))


def _circle(u, v, centre_u, centre_v, radius):
    return radius - np.hypot(u - centre_u, v - centre_v)


def _upper_body(u, v, width, sleeve_end, sleeve_width):
    """Torso with two sleeves that hang down to `sleeve_end`, and a neck opening."""
    side = np.abs(u)
    torso = _box(u, v, -width, width, -0.72, 0.8)
    # The sleeve runs along a line from the shoulder outwards and down.
    sleeve = np.minimum(sleeve_width - np.abs(side - width - 0.42 * (v + 0.62)), np.minimum(v + 0.72, sleeve_end - v))
    return np.minimum(np.maximum(torso, sleeve), -_circle(u, v, 0.0, -0.8, 0.22))


def _tshirt(u, v, a, b):
    return _upper_body(u, v, 0.38 + 0.08 * a, -0.22 + 0.12 * b, 0.24)


def _trouser(u, v, a, b):
    side = np.abs(u)
    outside = 0.34 + 0.05 * a + 0.06 * v - side
    gap = side - 0.05 - 0.04 * b - 0.05 * v
    return np.minimum(np.minimum(outside, np.maximum(gap, -0.45 - v)), np.minimum(v + 0.88, 0.88 - v))


def _pullover(u, v, a, b):
    return _upper_body(u, v, 0.38 + 0.07 * a, 0.62 + 0.1 * b, 0.17)


def _dress(u, v, a, b):
    waist = -0.15
    width = 0.24 + 0.04 * a + np.maximum(v - waist, 0) * (0.25 + 0.15 * b) + 0.1 * np.maximum(waist - v, 0)
    body = np.minimum(width - np.abs(u), np.minimum(v + 0.85, 0.88 - v))
    return np.minimum(body, -_circle(u, v, 0.0, -0.9, 0.16))


def _coat(u, v, a, b):
    body = _upper_body(u, v, 0.42 + 0.06 * a, 0.7 + 0.08 * b, 0.19)
    # The open front is a dark line that widens to the collar.
    return np.minimum(body, np.abs(u) - 0.035 - 0.16 * np.maximum(-0.35 - v, 0))


def _shirt(u, v, a, b):
    body = _upper_body(u, v, 0.37 + 0.07 * a, 0.3 + 0.35 * b, 0.17)
    button = np.hypot(u, np.mod(v + 0.6, 0.24) - 0.12) - 0.05
    collar = np.hypot(np.abs(u) - 0.14, v + 0.62) - 0.06
    return np.minimum(body, np.minimum(button, collar))


def _sole(u, v, top):
    return _box(u, v, -0.85, 0.85, top, 0.5)


def _sandal(u, v, a, b):
    sole = np.minimum(_sole(u, v, 0.3), v - 0.3 - 0.1 * (1 - u) * (0.3 + 0.4 * a))
    straps = np.maximum(
        0.07 - np.abs(v - 0.35 + (0.75 + 0.2 * b) * (0.55 - np.abs(u - 0.15))), 0.06 - np.abs(u + 0.6 + 0.2 * v)
    )
    return np.maximum(sole, np.minimum(straps, np.minimum(v + 0.35, 0.4 - v)))


def _sneaker(u, v, a, b):
    height = -0.05 - 0.1 * a - 0.32 * np.clip(0.25 - u, 0, 0.75)
    return np.maximum(_sole(u, v, 0.33), np.minimum(_box(u, v, -0.8, 0.82, -0.9, 0.45), v - height - 0.22 * b * u**2))


def _bag(u, v, a, b):
    body = _box(u, v, -0.7 - 0.1 * a, 0.7 + 0.1 * a, -0.2, 0.75)
    ring = 0.06 - np.abs(np.hypot(u, (v + 0.2) / (1.0 + 0.4 * b)) - 0.42)
    return np.maximum(body, np.minimum(ring, -0.15 - v))


def _ankle_boot(u, v, a, b):
    shaft = _box(u, v, -0.78, -0.05 + 0.12 * a, -0.75 - 0.1 * b, 0.45)
    foot = np.minimum(_box(u, v, -0.78, 0.82, -0.2, 0.5), v + 0.05 - 0.35 * u)
    return np.maximum(np.maximum(shaft, foot), _sole(u, v, 0.38))


_SHAPES = (_tshirt, _trouser, _pullover, _dress, _coat, _sandal, _shirt, _sneaker, _bag, _ankle_boot)


def sample(n_samples, *, seed=None):
    """Draw silhouettes of all classes in equal numbers.

    Parameters
    ----------
    n_samples : int
    seed : int, optional

    Returns
    -------
    images : numpy.ndarray, uint8, shape (n_samples, 28, 28)
        0 background.
    labels : numpy.ndarray, int64, shape (n_samples,)
        Index into `CLASS_NAMES`, in random order.

    Raises
    ------
    ValueError
        For a bad number of samples.

    Examples
    --------
    >>> from course_lib.simulators import silhouettes
    >>> images, labels = silhouettes.sample(20, seed=0)
    >>> images.shape, sorted(set(labels.tolist())) == list(range(10))
    ((20, 28, 28), True)
    """
    n_samples = require_count("n_samples", n_samples)
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(n_samples) % 10)
    axis = ((np.arange(_SIZE) + 0.5) / _SIZE * 2 - 1).astype(np.float32)
    images = np.empty((n_samples, _SIZE, _SIZE), dtype=np.uint8)
    for label, shape in enumerate(_SHAPES):
        members = np.flatnonzero(labels == label)
        for start in range(0, len(members), _CHUNK):
            chosen = members[start : start + _CHUNK]
            # One row of random numbers an image: position, size, proportions, grey, stripes.
            draws = rng.uniform(-1, 1, (9, len(chosen), 1, 1)).astype(np.float32)
            shift_u, shift_v, scale_u, scale_v, a, b, grey, stripes, phase = draws
            u = (axis[None, None, :] - 0.06 * shift_u) / (0.95 + 0.1 * scale_u)
            v = (axis[None, :, None] - 0.06 * shift_v) / (0.95 + 0.1 * scale_v)
            inside = shape(u, v, a, b)
            # An edge one pixel wide keeps the outline smooth.
            image = np.clip(inside * (_SIZE / 2) + 0.5, 0, 1) * (0.725 + 0.275 * grey)
            period = 6 + 3 * np.abs(stripes)
            image *= 1 - (stripes > 0.5) * 0.25 * (1 + np.sin(2 * np.pi * period * v / 2 + np.pi * phase))
            images[chosen] = 255 * image
    return images, labels
