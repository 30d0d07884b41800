r"""Small craters on Mars as a camera in orbit sees them, and what looks like them.

A height map is lit by the sun from one side and reflects after Lambert: the brightness is the cosine of the angle
between the ground's normal and the sun,

.. math:: B = \max(0, \vec n\cdot\vec s), \qquad
          \vec n = \frac{(-\partial_x h, -\partial_y h, 1)}{\sqrt{1+(\partial_x h)^2+(\partial_y h)^2}}.

- A fresh crater is a parabolic bowl, a fifth as deep as it is wide from the rim, with a rim of a fifth of that depth,
  whose outside falls off with the third power of the distance.
- Erosion moves ground downhill by diffusion: the height map is blurred by a Gaussian, which keeps its volume.
- The ground is fractal: the power of its heights falls as :math:`k^{-2H-2}` with H = 0.8.
- What is not a crater: hills, ridges, half rims and plain ground. A hill is a crater upside down, and the same
  picture as a crater lit from the other side: no network can tell them apart without knowing where the sun stands.

Heights and lengths are in pixels of 12.5 m.

References
----------
J. P. Cohen, H. Z. Lo, T. Lu, W. Ding, Crater detection via convolutional neural networks, 47th Lunar and Planetary
Science Conference (2016) 1143: the task. R. J. Pike, Proc. Lunar Sci. Conf. 8 (1977) 3427: depth over diameter of
simple craters. T. R. McGetchin, M. Settle, J. W. Head, Earth Planet. Sci. Lett. 20 (1973) 226: fall-off of the rim.
C. I. Fassett, B. J. Thomson, J. Geophys. Res. Planets 119 (2014) 2255: erosion as diffusion. M. K. Shepard et al.,
J. Geophys. Res. 106 (2001) 32777: fractal ground. The mixture and its ranges are ours.
"""

from __future__ import annotations

import numpy as np
import scipy.fft

from course_lib.simulators._arguments import require_count, require_positive, require_range

#: Edge of a pixel.
PIXEL_M = 12.5

#: Pixels along an edge of a candidate.
SIZE = 15

#: What a candidate may show.
KINDS = ("crater", "hill", "ridge", "half_rim", "plain")

#: Depth below the rim over diameter, and rim height over that depth, of a fresh crater.
DEPTH_OVER_DIAMETER, RIM_OVER_DEPTH = 0.2, 0.2

#: Exponent H of the ground's heights.
HURST_EXPONENT = 0.8

#: The number of craters larger than a diameter falls with this power of it.
SIZE_EXPONENT = 2.0

#: Brightness of flat ground in an image.
FLAT_BRIGHTNESS = 0.5

# Heights are computed on a periodic square of this edge, of which the middle is shown.
_GROUND = 32
_CHUNK = 256


def crater_height(distance, radius, *, depth_over_diameter=DEPTH_OVER_DIAMETER):
    """Height of a fresh crater above the ground around it.

    Parameters
    ----------
    distance, radius : array-like
        Distance from the centre and radius of the rim, in the same unit.
    depth_over_diameter : array-like
        Depth below the rim over diameter.

    Returns
    -------
    numpy.ndarray
        In that unit.

    Examples
    --------
    A crater of 100 m: the floor lies 16 m below the ground, the rim 4 m above it.

    >>> from course_lib.simulators import craters
    >>> craters.crater_height([0.0, 50.0, 100.0], 50.0)
    array([-16. ,   4. ,   0.5])
    """
    relative = np.asarray(distance, dtype=float) / radius
    depth = 2 * depth_over_diameter * np.asarray(radius)
    rim = RIM_OVER_DEPTH * depth
    outside = rim / np.maximum(relative, 1.0) ** 3
    return np.where(relative < 1, rim - depth * (1 - relative**2), outside)


def shade(heights, *, sun_azimuth_deg=135.0, sun_elevation_deg=35.0):
    """Brightness of the ground after Lambert, without shadows cast on other ground.

    Parameters
    ----------
    heights : array-like, shape (..., rows, columns)
        In pixels; the first row is the northern one. Slopes are central differences, one-sided at the edges.
    sun_azimuth_deg : array-like, broadcastable to the leading axes
        Where the light comes from: 0 from the right (east), 90 from above (north).
    sun_elevation_deg : float
        Above the horizon.

    Returns
    -------
    numpy.ndarray, shape (..., rows, columns)
        Cosine of the angle of incidence; 0 where the ground turns away from the sun.

    Raises
    ------
    ValueError
        For fewer than two rows or columns, or a sun that is not above the horizon.

    Examples
    --------
    Flat ground:

    >>> import numpy as np
    >>> from course_lib.simulators import craters
    >>> float(craters.shade(np.zeros((3, 3)), sun_elevation_deg=30.0)[1, 1].round(6))
    0.5
    """
    heights = np.asarray(heights)
    if heights.ndim < 2 or min(heights.shape[-2:]) < 2:
        raise ValueError(f"heights must have at least 2 rows and 2 columns, got the shape {heights.shape}")
    elevation = np.deg2rad(require_positive("sun_elevation_deg", sun_elevation_deg))
    if elevation > np.pi / 2:
        raise ValueError(f"sun_elevation_deg must be at most 90, got {sun_elevation_deg!r}")
    azimuth = np.deg2rad(np.asarray(sun_azimuth_deg, dtype=heights.dtype if heights.dtype.kind == "f" else float))
    azimuth = azimuth[..., None, None]
    south, east = np.gradient(heights, axis=(-2, -1))
    # Rows run to the south: the slope to the north is minus the difference along them.
    towards_sun = np.cos(azimuth) * -east + np.sin(azimuth) * south
    cosine = (np.cos(elevation) * towards_sun + np.sin(elevation)) / np.sqrt(1 + east**2 + south**2)
    return np.maximum(cosine, 0.0)


def _wave_numbers(size):
    frequency = 2 * np.pi * scipy.fft.fftfreq(size)
    return np.hypot(frequency[:, None], frequency[None, : size // 2 + 1])


def ground(n_maps, *, size=32, slope=0.06, seed=None):
    """Fractal ground.

    Parameters
    ----------
    n_maps : int
    size : int
        Pixels along an edge; an even number.
    slope : float
        Root mean square of the slope along one axis, from pixel to pixel.
    seed : int or numpy.random.Generator, optional

    Returns
    -------
    numpy.ndarray, float32, shape (n_maps, size, size)
        Heights in pixels, mean 0; periodic at the edges.

    Raises
    ------
    ValueError
        For bad numbers.

    Examples
    --------
    >>> from course_lib.simulators import craters
    >>> craters.ground(2, seed=0).shape
    (2, 32, 32)
    """
    n_maps = require_count("n_maps", n_maps)
    size = require_count("size", size, minimum=4)
    if size % 2:
        raise ValueError(f"size must be even, got {size}")
    slope = require_positive("slope", slope, zero_allowed=True)
    wave_number = _wave_numbers(size)
    amplitude = np.zeros_like(wave_number)
    amplitude[wave_number > 0] = wave_number[wave_number > 0] ** -(HURST_EXPONENT + 1)
    # Slope squared from pixel to pixel is the sum over modes of power times |e^{ik} - 1|^2; both half-planes count.
    step = 2 - 2 * np.cos(2 * np.pi * scipy.fft.fftfreq(size))[:, None]
    both = np.full(size // 2 + 1, 2.0)
    both[[0, -1]] = 1.0
    amplitude *= slope * size / np.sqrt((amplitude**2 * step * both).sum())
    noise = np.random.default_rng(seed).standard_normal((n_maps, size, size), dtype=np.float32)
    return scipy.fft.irfft2(scipy.fft.rfft2(noise) * amplitude.astype(np.float32), s=(size, size))


def erode(heights, blur_px):
    """Diffuse height maps, periodic at the edges.

    Parameters
    ----------
    heights : array-like, shape (n, size, size)
        In pixels; an even size.
    blur_px : array-like, shape (n,)
        Standard deviation of the Gaussian: the root of twice diffusivity times time.

    Returns
    -------
    numpy.ndarray, float32, shape (n, size, size)

    Examples
    --------
    >>> import numpy as np
    >>> from course_lib.simulators import craters
    >>> spike = np.zeros((1, 8, 8))
    >>> spike[0, 4, 4] = 1
    >>> eroded = craters.erode(spike, [1.0])
    >>> round(float(eroded.max()), 2), round(float(eroded.sum()), 4)
    (0.16, 1.0)
    """
    heights = np.asarray(heights, dtype=np.float32)
    squared = (_wave_numbers(heights.shape[-1]) ** 2).astype(np.float32)
    spread = np.asarray(blur_px, dtype=np.float32)[:, None, None] ** 2 / 2
    return scipy.fft.irfft2(scipy.fft.rfft2(heights) * np.exp(-spread * squared), s=heights.shape[-2:])


def _camera(rng, brightness, sun_elevation_deg, noise):
    """Images in which flat ground has the brightness `FLAT_BRIGHTNESS`."""
    # Reflectivity differs from place to place, smoothly.
    reflectivity = 1 + 0.05 * rng.standard_normal((len(brightness), 1, 1), dtype=np.float32)
    images = brightness * reflectivity * np.float32(FLAT_BRIGHTNESS / np.sin(np.deg2rad(sun_elevation_deg)))
    images += np.float32(noise) * rng.standard_normal(images.shape, dtype=np.float32)
    return np.clip(images, 0, 1).astype(np.float32)[..., None]


def sample(
    n_candidates,
    *,
    crater_fraction=0.41,
    radius_range_px=(3.0, 6.0),
    blur_range_px=(0.3, 1.6),
    slope=0.06,
    sun_azimuth_deg=135.0,
    sun_elevation_deg=35.0,
    noise=0.025,
    seed=None,
):
    """Draw candidates: 15 x 15 pixels with a crater in the middle, or something else.

    Parameters
    ----------
    n_candidates : int
    crater_fraction : float
        Share of craters, rounded to whole ones; the rest is shared by the other `KINDS`.
    radius_range_px : (float, float)
        Of craters and hills, uniform.
    blur_range_px : (float, float)
        Erosion, uniform, see `erode`.
    slope : float
        Of the ground, see `ground`.
    sun_azimuth_deg, sun_elevation_deg : float
        Where the light comes from, see `shade`; the azimuth varies by 10 degrees from picture to picture.
    noise : float
        Standard deviation of each pixel; flat ground has the brightness 0.5.
    seed : int, optional

    Returns
    -------
    images : numpy.ndarray, float32, shape (n_candidates, 15, 15, 1)
        Brightness from 0 to 1.
    labels : numpy.ndarray, int64, shape (n_candidates,)
        1 crater, 0 anything else, in random order.
    kinds : numpy.ndarray, int64, shape (n_candidates,)
        Index into `KINDS`.

    Raises
    ------
    ValueError
        For bad numbers.

    Examples
    --------
    >>> from course_lib.simulators import craters
    >>> images, labels, kinds = craters.sample(100, seed=0)
    >>> images.shape, int(labels.sum())
    ((100, 15, 15, 1), 41)
    """
    n_candidates = require_count("n_candidates", n_candidates)
    crater_fraction = require_positive("crater_fraction", crater_fraction, zero_allowed=True)
    if crater_fraction > 1:
        raise ValueError(f"crater_fraction must be at most 1, got {crater_fraction}")
    smallest, largest = require_range("radius_range_px", radius_range_px)
    weakest, strongest = require_range("blur_range_px", blur_range_px)
    if smallest <= 0:
        raise ValueError(f"radius_range_px must be positive, got {radius_range_px!r}")
    if weakest < 0:
        raise ValueError(f"blur_range_px must not be negative, got {blur_range_px!r}")
    noise = require_positive("noise", noise, zero_allowed=True)

    rng = np.random.default_rng(seed)
    n_craters = round(crater_fraction * n_candidates)
    others = 1 + np.arange(n_candidates - n_craters) % (len(KINDS) - 1)
    kinds = rng.permutation(np.concatenate([np.zeros(n_craters, np.int64), others]))
    images = np.empty((n_candidates, SIZE, SIZE, 1), np.float32)
    axis = np.arange(_GROUND, dtype=float) - _GROUND // 2
    first = _GROUND // 2 - SIZE // 2
    shown = slice(first, first + SIZE)
    for start in range(0, n_candidates, _CHUNK):
        kind = kinds[start : start + _CHUNK]
        draw = rng.uniform(size=(6, len(kind), 1, 1))
        x, y = axis[None, None, :] - 2 * draw[0] + 1, -axis[None, :, None] - 2 * draw[1] + 1
        radius = smallest + (largest - smallest) * draw[2]
        direction = 2 * np.pi * draw[3]
        across = np.cos(direction) * x + np.sin(direction) * y
        # Depths of real craters differ: from three fifths to the full one.
        steepness = DEPTH_OVER_DIAMETER * (0.6 + 0.4 * draw[4])
        form = crater_height(np.hypot(x, y), radius, depth_over_diameter=steepness)
        named = [np.broadcast_to((kind == KINDS.index(name))[:, None, None], form.shape) for name in KINDS]
        ridge = 2 * steepness * radius * np.exp(-0.5 * (across / (0.35 * radius)) ** 2)
        half = form / (1 + np.exp(-np.clip(4 * across / radius, -50, 50)))
        heights = np.select(named, [form, -form, ridge, half, np.zeros_like(form)])
        heights = erode(heights, weakest + (strongest - weakest) * draw[5, :, 0, 0])
        heights += ground(len(kind), size=_GROUND, slope=slope, seed=rng)
        azimuth = np.float32(sun_azimuth_deg) + 10 * rng.standard_normal(len(kind), dtype=np.float32)
        brightness = shade(heights, sun_azimuth_deg=azimuth, sun_elevation_deg=sun_elevation_deg)
        images[start : start + _CHUNK] = _camera(rng, brightness[:, shown, shown], sun_elevation_deg, noise)
    return images, (kinds == 0).astype(np.int64), kinds


def sample_tiles(
    n_tiles,
    *,
    size=128,
    n_craters=24.0,
    radius_range_px=(3.0, 20.0),
    slope=0.06,
    sun_azimuth_deg=135.0,
    sun_elevation_deg=35.0,
    noise=0.025,
    seed=None,
):
    r"""Draw larger pictures with many craters, and the list of the craters.

    The number of craters larger than a diameter falls with the square of it; their number follows a Poisson law. Older
    craters are more eroded: the blur, uniform, reaches up to a fifth of the radius.

    Parameters
    ----------
    n_tiles : int
    size : int
        Pixels along an edge; an even number.
    n_craters : float
        Mean number of craters in a tile.
    radius_range_px : (float, float)
    slope : float
        Of the ground, see `ground`.
    sun_azimuth_deg, sun_elevation_deg : float
        Where the light comes from, see `shade`.
    noise : float
        Standard deviation of each pixel; flat ground has the brightness 0.5.
    seed : int, optional

    Returns
    -------
    images : numpy.ndarray, float32, shape (n_tiles, size, size, 1)
        Brightness from 0 to 1.
    annotations : numpy.ndarray, float64, shape (m, 4)
        One row a crater: number of the tile, row, column and radius in pixels. Centres lie inside the tile.

    Raises
    ------
    ValueError
        For bad numbers.

    Examples
    --------
    >>> from course_lib.simulators import craters
    >>> images, annotations = craters.sample_tiles(2, seed=0)
    >>> images.shape, annotations.shape[1], sorted(set(annotations[:, 0].tolist()))
    ((2, 128, 128, 1), 4, [0.0, 1.0])
    """
    n_tiles = require_count("n_tiles", n_tiles)
    size = require_count("size", size, minimum=16)
    n_craters = require_positive("n_craters", n_craters, zero_allowed=True)
    smallest, largest = require_range("radius_range_px", radius_range_px)
    if smallest <= 0:
        raise ValueError(f"radius_range_px must be positive, got {radius_range_px!r}")
    noise = require_positive("noise", noise, zero_allowed=True)
    rng = np.random.default_rng(seed)
    images = np.empty((n_tiles, size, size, 1), np.float32)
    annotations = []
    axis = np.arange(size, dtype=float)
    for tile in range(n_tiles):
        heights = ground(1, size=size, slope=slope, seed=rng)[0]
        number = rng.poisson(n_craters)
        place = rng.uniform(-0.5, size - 0.5, (number, 2))
        # Inverse of the cumulative distribution of the power law, cut at both ends.
        ends = np.array([smallest, largest]) ** -SIZE_EXPONENT
        radius = (ends[0] + rng.uniform(size=number) * (ends[1] - ends[0])) ** (-1 / SIZE_EXPONENT)
        blur = 0.2 * rng.uniform(size=number) * radius
        for (row, column), radius_px, blur_px in zip(place, radius, blur, strict=True):
            form = crater_height(np.hypot(axis[:, None] - row, axis[None, :] - column), radius_px)
            heights = heights + erode(form[None], [blur_px])[0]
        brightness = shade(heights[None], sun_azimuth_deg=sun_azimuth_deg, sun_elevation_deg=sun_elevation_deg)
        images[tile] = _camera(rng, brightness, sun_elevation_deg, noise)[0]
        annotations.append(np.column_stack([np.full(number, float(tile)), place, radius]))
    return images, np.concatenate(annotations)
