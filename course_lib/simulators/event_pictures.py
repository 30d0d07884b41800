"""Coloured pictures of physics events, 32 x 32 pixels: the stand-in for CIFAR-10.

Ten classes that a detector or a telescope could show: rings of Cherenkov light, tracks, decays, galaxies,
showers. Position, angle, size and colour are random, the colour only loosely tied to the class, and pixel noise
covers everything, so that the shape has to be recognised.

References
----------
Ring shapes: Super-Kamiokande, Y. Ashie et al., Phys. Rev. D 71 (2005) 112005 (a muon makes a sharp ring, an electron
a diffuse one). Galaxy profiles: J. L. Sersic (1963) with index 1; logarithmic spiral arms.
"""

from __future__ import annotations

import numpy as np

from course_lib.simulators._arguments import require_count

CLASS_NAMES = (
    "sharp ring",
    "diffuse ring",
    "straight track",
    "curved track",
    "vee",
    "kink",
    "elliptical galaxy",
    "spiral galaxy",
    "shower cone",
    "double blob",
)

#: Standard deviation of the noise of each pixel and colour, in units of the full brightness.
NOISE = 0.22

_SIZE = 32
_CHUNK = 64  # pictures at once: their noise then fits into the processor's cache


def _line(distance, along, half_length):
    """A blurred line: Gaussian across, soft ends."""
    ends = np.clip((half_length - np.abs(along)) * 8 + 0.5, 0, 1)
    return np.exp(-0.5 * (distance / 0.07) ** 2) * ends


def _sharp_ring(x, y, a, b):
    return np.exp(-0.5 * ((np.hypot(x, y) - 0.5 - 0.2 * a) / 0.07) ** 2)


def _diffuse_ring(x, y, a, b):
    return 0.9 * np.exp(-0.5 * ((np.hypot(x, y) - 0.5 - 0.2 * a) / (0.17 + 0.04 * b)) ** 2)


def _straight_track(x, y, a, b):
    return _line(y, x, 0.75 + 0.15 * a)


def _curved_track(x, y, a, b):
    curvature = (0.65 + 0.25 * a) * np.sign(b)
    # Divided by the local slope, so that the width across the track stays the same.
    return _line((y - curvature * (x**2 - 0.2)) / np.hypot(1, 2 * curvature * x), x, 0.75)


def _vee(x, y, a, b):
    slope = 0.5 + 0.25 * a
    return _line((np.abs(y) - slope * (x + 0.5)) / np.hypot(1, slope), x - 0.1, 0.6)


def _kink(x, y, a, b):
    slope = (0.6 + 0.25 * a) * np.sign(b)
    outgoing = np.maximum(x, 0)
    return _line((y - slope * outgoing) / np.where(x > 0, np.hypot(1, slope), 1), x, 0.75)


def _elliptical_galaxy(x, y, a, b):
    return 1.1 * np.exp(-np.hypot(x, y / (0.6 + 0.25 * a)) / (0.3 + 0.05 * b))


def _spiral_galaxy(x, y, a, b):
    radius = np.hypot(x, y) + 0.02
    arms = np.cos(np.arctan2(y, x) - (3.2 + 0.6 * a) * np.sign(b) * np.log(radius)) ** 2
    return 1.3 * np.exp(-radius / 0.4) * (0.15 + 0.85 * arms)


def _shower_cone(x, y, a, b):
    depth = np.maximum(x + 0.8, 0)
    width = 0.06 + (0.22 + 0.06 * b) * depth
    return 1.3 * np.exp(-0.5 * (y / width) ** 2) * (depth / 0.6) * np.exp(1 - depth / (0.6 + 0.1 * a)) * 0.9


def _double_blob(x, y, a, b):
    half_distance = 0.42 + 0.12 * a
    width = 0.18 + 0.04 * b
    return np.exp(-0.5 * (np.hypot(np.abs(x) - half_distance, y) / width) ** 2)


_SHAPES = (
    _sharp_ring,
    _diffuse_ring,
    _straight_track,
    _curved_track,
    _vee,
    _kink,
    _elliptical_galaxy,
    _spiral_galaxy,
    _shower_cone,
    _double_blob,
)


def sample(n_samples, *, noise=NOISE, seed=None):
    """Draw event pictures of all classes in equal numbers.

    Parameters
    ----------
    n_samples : int
    noise : float
        Standard deviation of the pixel noise in units of the full brightness.
    seed : int, optional

    Returns
    -------
    images : numpy.ndarray, uint8, shape (n_samples, 32, 32, 3)
        Red, green, blue.
    labels : numpy.ndarray, int64, shape (n_samples,)
        Index into `CLASS_NAMES`, in random order.

    Raises
    ------
    ValueError
        For a bad number of samples.

    Examples
    --------
    >>> from course_lib.simulators import event_pictures
    >>> images, labels = event_pictures.sample(20, seed=0)
    >>> images.shape, images.dtype
    ((20, 32, 32, 3), dtype('uint8'))
    """
    n_samples = require_count("n_samples", n_samples)
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(n_samples) % 10)
    axis = ((np.arange(_SIZE) + 0.5) / _SIZE * 2 - 1).astype(np.float32)
    images = np.empty((n_samples, _SIZE, _SIZE, 3), dtype=np.uint8)
    for label, shape in enumerate(_SHAPES):
        members = np.flatnonzero(labels == label)
        for start in range(0, len(members), _CHUNK):
            chosen = members[start : start + _CHUNK]
            draws = rng.uniform(-1, 1, (7, len(chosen), 1, 1)).astype(np.float32)
            shift_x, shift_y, turn, size, a, b, strength = draws
            cosine, sine = np.cos(np.pi * turn), np.sin(np.pi * turn)
            x = axis[None, None, :] - 0.3 * shift_x
            y = axis[None, :, None] - 0.3 * shift_y
            scale = 0.95 + 0.15 * size
            brightness = shape((cosine * x + sine * y) / scale, (cosine * y - sine * x) / scale, a, b)
            brightness *= 0.7 + 0.3 * strength
            hue = label / 10 + 0.25 * rng.standard_normal(len(chosen))
            colour = 0.6 + 0.4 * np.cos(2 * np.pi * (hue[:, None] - np.array([0, 1, 2]) / 3))
            image = rng.standard_normal((len(chosen), _SIZE, _SIZE, 3), dtype=np.float32)
            image *= 255 * np.float32(noise)
            colour = (255 * 0.85 * colour).astype(np.float32)
            image += (255 * 0.12) + brightness[..., None] * colour[:, None, None, :]
            images[chosen] = np.clip(image, 0, 255, out=image)
    return images, labels
