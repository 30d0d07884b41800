"""Random numbers, data sets and input features of the playground; ``data.js`` computes the same numbers.

Browsers and numpy have different random generators, and their sines and logarithms differ in the last digit. So the
playground has a generator of its own, made of 32-bit integers, and whatever comes out of a sine, a logarithm or an
exponential is rounded to 24 binary places before anything depends on it. The data are then the same in every browser
and in Python.

References
----------
The generator is counter based: a mixing function applied to multiples of the golden ratio, after G. L. Steele,
D. Lea, C. H. Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014; the mixing function is the
finaliser of A. Appleby's MurmurHash3. Normal numbers: G. E. P. Box, M. E. Muller, Ann. Math. Stat. 29 (1958) 610.
"""

from __future__ import annotations

import numpy as np

from course_lib.simulators import interpolation, plane_classes

#: The picture shows the plane from -HALF_WIDTH to HALF_WIDTH in both directions.
HALF_WIDTH = 6.0

#: What the sets are scaled by to fill the picture.
CIRCLE_RADIUS = 5.0
MOON_RADIUS = 3.5
CLUSTER_CENTRE = 2.5
HILL_DISTANCE = 3.5
HILL_WIDTH = 1.4

#: The curve f(x) of `course_lib.simulators.interpolation` is learnt as (f - CURVE_MEAN) / CURVE_SCALE, for x from
#: -CURVE_HALF_RANGE to CURVE_HALF_RANGE.
CURVE_MEAN, CURVE_SCALE, CURVE_HALF_RANGE = 4.0, 2.0, 10.0

CLASSIFICATION = ["checkerboard", "two_moons", "circles", "spirals", "clusters"]
REGRESSION = ["interpolation", "plane", "hills"]

#: Which random numbers serve what: (seed, stream) names a sequence.
COORDINATES, NOISE, WEIGHTS, BATCHES = 0, 2, 16, 64

GOLDEN_RATIO = 0x9E3779B9


def _mixed(bits):
    """Spread every bit of unsigned 32-bit integers over all others (arrays only: they wrap around silently)."""
    bits = (bits ^ (bits >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    bits = (bits ^ (bits >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    return bits ^ (bits >> np.uint32(16))


def random_bits(seed, stream, count):
    """Return `count` random 32-bit integers, the same as in the browser.

    Parameters
    ----------
    seed, stream : int
        0 to 2**32 - 1; each pair names its own sequence.
    count : int

    Returns
    -------
    numpy.ndarray of uint32, shape (count,)

    Examples
    --------
    >>> random_bits(0, 0, 2)
    array([2462723854, 1020716019], dtype=uint32)
    """
    start = _mixed(_mixed(np.array([seed], np.uint32)) + np.uint32(stream))
    return _mixed(start + np.arange(1, count + 1, dtype=np.uint32) * np.uint32(GOLDEN_RATIO))


def uniform(seed, stream, count):
    """Return `count` random numbers, uniform from 0 to 1 (excluded).

    Examples
    --------
    >>> uniform(0, 0, 2).round(3)
    array([0.573, 0.238])
    """
    return random_bits(seed, stream, count) / 2.0**32


def normal(seed, stream, count):
    """Return `count` standard normal random numbers; uses the streams `stream` and ``stream + 1``.

    Examples
    --------
    >>> normal(0, 2, 3).shape
    (3,)
    """
    radius = np.sqrt(-2.0 * np.log((random_bits(seed, stream, count) + 1.0) / 2.0**32))
    return rounded(radius * np.cos(2.0 * np.pi * uniform(seed, stream + 1, count)))


def rounded(values):
    """Round to multiples of 2**-24, so that the last digit of a library function does not matter.

    Examples
    --------
    >>> float(rounded(0.1)) * 2**24
    1677722.0
    """
    return np.floor(np.asarray(values) * 2.0**24 + 0.5) / 2.0**24


def n_training(settings):
    """Return how many of the points train; the rest tests."""
    return int(np.floor(settings["n_points"] * settings["train_share"] + 0.5))


def make_points(settings):
    """Return the data of a playground.

    Parameters
    ----------
    settings : dict
        ``dataset``, ``noise`` (0 to 0.5), ``n_points``, ``data_seed``. The noise displaces the points of the
        checkerboard by up to ``5 * noise`` before the label is read off (as
        `course_lib.simulators.plane_classes.checkerboard` does); it is half the standard deviation of a Gaussian
        displacement of the other classes in units of the circle's radius (a quarter for the spirals); for
        regression it is the standard deviation of the target.

    Returns
    -------
    points : numpy.ndarray, float64, shape (n_points, 2)
        Within the picture: what noise throws out stays on its edge. The second coordinate is 0 for a curve.
    targets : numpy.ndarray, float64, shape (n_points,)
        0 or 1 for classes. The first points train, the others test.

    Examples
    --------
    >>> points, labels = make_points({"dataset": "checkerboard", "noise": 0, "n_points": 50, "data_seed": 1})
    >>> bool(((points.prod(axis=1) > 0) == labels).all())
    True
    """
    count, seed, noise = settings["n_points"], settings["data_seed"], settings["noise"]
    first, second = uniform(seed, COORDINATES, count), uniform(seed, COORDINATES + 1, count)
    shift_x, shift_y = normal(seed, NOISE, count), normal(seed, NOISE + 2, count)
    labels = np.arange(count) % 2.0
    target = None
    match settings["dataset"]:
        case "checkerboard":
            width, gap = plane_classes.CHECKERBOARD_HALF_WIDTH, plane_classes.CHECKERBOARD_GAP
            x, y = (2 * first - 1) * width, (2 * second - 1) * width
            x, y = x + np.where(x < 0, -gap, gap), y + np.where(y < 0, -gap, gap)
            away = [(2 * uniform(seed, NOISE + place, count) - 1) * width * noise for place in (0, 1)]
            labels = ((x + away[0]) * (y + away[1]) > 0) * 1.0
            shift_x = shift_y = np.zeros(count)
        case "two_moons":
            angle, sign, spread = np.pi * first, 1 - 2 * labels, 0.5 * noise
            x = MOON_RADIUS * (labels + sign * np.cos(angle) - 0.5 + spread * shift_x)
            y = MOON_RADIUS * (0.5 * labels + sign * np.sin(angle) - 0.25 + spread * shift_y)
        case "circles":
            angle, radius, spread = 2 * np.pi * first, 1 - 0.5 * labels, 0.5 * noise
            x = CIRCLE_RADIUS * (radius * np.cos(angle) + spread * shift_x)
            y = CIRCLE_RADIUS * (radius * np.sin(angle) + spread * shift_y)
        case "spirals":
            radius, spread = np.sqrt(first), 0.25 * noise
            angle = 3.5 * np.pi * radius + np.pi * labels
            x = CIRCLE_RADIUS * (radius * np.cos(angle) + spread * shift_x)
            y = CIRCLE_RADIUS * (radius * np.sin(angle) + spread * shift_y)
        case "clusters":
            centre, spread = CLUSTER_CENTRE * (2 * labels - 1), 0.5 + 4 * noise
            x, y = centre + spread * shift_x, centre + spread * shift_y
        case "interpolation":
            x, y = (2 * first - 1) * HALF_WIDTH, np.zeros(count)
            target = curve(x)
        case "plane":
            x, y = (2 * first - 1) * HALF_WIDTH, (2 * second - 1) * HALF_WIDTH
            target = (x + y) / 10
        case "hills":
            x, y = (2 * first - 1) * HALF_WIDTH, (2 * second - 1) * HALF_WIDTH
            target = hills(x, y)
    points = np.clip(rounded(np.column_stack([x, y])), -HALF_WIDTH, HALF_WIDTH)
    return points, labels if target is None else rounded(target + noise * shift_x)


def curve(x):
    """Return the noiseless target of the set ``interpolation`` at places of the picture.

    Examples
    --------
    >>> float(curve(0.0))  # f(0) = 1
    -1.5
    """
    return (interpolation.function(np.asarray(x) * (CURVE_HALF_RANGE / HALF_WIDTH)) - CURVE_MEAN) / CURVE_SCALE


def hills(x, y):
    """Return the noiseless target of the set ``hills``: six Gaussian hills and hollows that alternate on a ring.

    Examples
    --------
    >>> [round(float(hills(*place)), 2) for place in [(3.5, 0), (-3.5, 0), (0, 0)]]
    [0.91, -0.91, 0.0]
    """
    height = 0.0
    for k in range(6):
        angle = np.pi * k / 3
        distance2 = (x - HILL_DISTANCE * np.cos(angle)) ** 2 + (y - HILL_DISTANCE * np.sin(angle)) ** 2
        height = height + (-1) ** k * np.exp(-distance2 / (2 * HILL_WIDTH**2))
    return height


#: Name in the state -> what the network sees, and how it is written.
FEATURES = {
    "x": (lambda x, y: x, "x"),
    "y": (lambda x, y: y, "y"),
    "x2": (lambda x, y: x * x, "x²"),
    "y2": (lambda x, y: y * y, "y²"),
    "xy": (lambda x, y: x * y, "xy"),
    "sin_x": (lambda x, y: rounded(np.sin(x)), "sin x"),
    "sin_y": (lambda x, y: rounded(np.sin(y)), "sin y"),
}

#: Features that mean something where the data have one coordinate only.
CURVE_FEATURES = ["x", "x2", "sin_x"]


def feature_matrix(names, points):
    """Return the inputs of the network.

    Parameters
    ----------
    names : list of str
        Of `FEATURES`.
    points : array_like, shape (n, 2)

    Returns
    -------
    numpy.ndarray, float64, shape (n, len(names))

    Examples
    --------
    >>> feature_matrix(["x", "y2", "xy"], [[2, 3]])
    array([[2., 9., 6.]])
    """
    x, y = np.asarray(points, dtype=float).T
    return np.column_stack([FEATURES[name][0](x, y) for name in names])
