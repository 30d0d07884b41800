"""Figure 8.11: why a U-Net hands fine details across: discs and tracks, segmented with and without skip connections."""

from __future__ import annotations

import functools
from typing import ClassVar, NamedTuple

import numpy as np

from course_lib.explorables.base import Explorable, Panel, figure_of_panels, flag, integer, number
from course_lib.explorables.playground.data import normal, uniform

SIDE = 32
DEEPEST = 4
N_DISCS, N_TRACKS = 3, 3

#: Thresholds that are tried, and the added seed of the scene on which they are chosen.
THRESHOLDS = tuple(step / 20 for step in range(1, 20))
TRAINING_SEED = 5000

_STREAM = 811

CLASSES = ("background", "track", "disc")


class Segmentation(NamedTuple):
    """Image, truth and answer, all (32, 32); mean intersection over union; wrong pixels at borders and elsewhere."""

    image: np.ndarray
    truth: np.ndarray
    answer: np.ndarray
    mean_iou: float
    wrong_at_borders: int
    wrong_elsewhere: int


def scene(seed, noise):
    """Draw an image with discs and tracks, and its truth.

    Parameters
    ----------
    seed : int
    noise : float
        Standard deviation; discs and tracks are 1 bright, the background 0.

    Returns
    -------
    image, truth : numpy.ndarray, shape (32, 32)
        Truth: 0 background, 1 track, 2 disc.

    Examples
    --------
    >>> image, truth = scene(1, 0.0)
    >>> sorted(set(truth.ravel().tolist())), float(image[truth > 0].min())
    ([0, 1, 2], 1.0)
    """
    drawn = np.asarray(uniform(seed, _STREAM, 3 * N_DISCS + 2 * N_TRACKS))
    rows, columns = np.mgrid[:SIDE, :SIDE]
    truth = np.zeros((SIDE, SIDE), dtype=int)
    for place, slope in drawn[3 * N_DISCS :].reshape(N_TRACKS, 2):
        middle = 4 + 24 * place + (columns - SIDE / 2) * (1.6 * slope - 0.8)
        truth[np.abs(rows - middle) < 0.75] = 1
    for x, y, size in drawn[: 3 * N_DISCS].reshape(N_DISCS, 3):
        radius = 3.5 + 2 * size
        truth[(columns - 5 - 22 * x) ** 2 + (rows - 5 - 22 * y) ** 2 < radius**2] = 2
    random = np.asarray(normal(seed, _STREAM + 1, SIDE * SIDE)).reshape(SIDE, SIDE)
    return (truth > 0) + noise * random, truth


def _pooled(field):
    return (field[::2, ::2] + field[1::2, ::2] + field[::2, 1::2] + field[1::2, 1::2]) / 4


def _upsampled(field):
    """Twice as many rows and columns, linear between the centres, constant beyond the outermost."""
    for axis in (0, 1):
        field = np.moveaxis(field, axis, 0)
        before, after = np.concatenate([field[:1], field[:-1]]), np.concatenate([field[1:], field[-1:]])
        field = np.stack([0.75 * field + 0.25 * before, 0.75 * field + 0.25 * after], axis=1).reshape(
            -1, *field.shape[1:]
        )
        field = np.moveaxis(field, 0, axis)
    return field


def coarse_view(image, depth):
    """Pool `depth` times by two, and bring the result back to full size.

    Examples
    --------
    >>> coarse_view(np.ones((32, 32)), 3).shape
    (32, 32)
    """
    for _ in range(depth):
        image = _pooled(image)
    for _ in range(depth):
        image = _upsampled(image)
    return image


def _answer(fine, coarse, low, high):
    return np.where(fine > low, np.where(coarse > high, 2, 1), 0)


def mean_iou(answer, truth):
    """Return the mean over the classes of intersection over union; a class that neither has counts as one."""
    ratios = []
    for kind in range(len(CLASSES)):
        union = ((answer == kind) | (truth == kind)).sum()
        ratios.append(((answer == kind) & (truth == kind)).sum() / union if union else 1.0)
    return float(sum(ratios) / len(ratios))


def _at_borders(truth):
    padded = np.pad(truth, 1, mode="edge")
    shifts = [
        padded[1 + down : 1 + down + SIDE, 1 + right : 1 + right + SIDE] for down in (-1, 0, 1) for right in (-1, 0, 1)
    ]
    return np.max(shifts, axis=0) != np.min(shifts, axis=0)


@functools.lru_cache(maxsize=128)
def segment(depth, skips, noise, seed):
    """Segment one scene by two thresholds that were chosen on another.

    Parameters
    ----------
    depth : int
        How often the image is pooled by two, 0 to 4.
    skips : bool
        With skip connections the fine image says *where* something is and the coarse one says *what*. Without, the
        coarse image must say both.
    noise : float
        Standard deviation of the noise.
    seed : int

    Returns
    -------
    Segmentation
        Averages and linear upsampling stand for the filters of a trained network; only two thresholds are fitted.

    Examples
    --------
    >>> segment(2, True, 0.2, 1).mean_iou > segment(2, False, 0.2, 1).mean_iou + 0.1
    True
    """
    views = []
    for one in (seed + TRAINING_SEED, seed):
        image, truth = scene(one, noise)
        coarse = coarse_view(image, depth)
        views.append((image, truth, image if skips else coarse, coarse))
    _, truth, fine, coarse = views[0]
    best = (-1.0, 0.0, 0.0)
    for low in THRESHOLDS:
        for high in THRESHOLDS:
            reached = mean_iou(_answer(fine, coarse, low, high), truth)
            if reached > best[0] + 1e-12:
                best = (reached, low, high)
    image, truth, fine, coarse = views[1]
    answer = _answer(fine, coarse, *best[1:])
    wrong, border = answer != truth, _at_borders(truth)
    return Segmentation(
        image, truth, answer, mean_iou(answer, truth), int((wrong & border).sum()), int((wrong & ~border).sum())
    )


def _hundredth(value):
    return f"{np.floor(value * 100 + 0.5) / 100:.2f}"


class SkipConnections(Explorable):
    """Discs and tracks, told apart with and without skip connections (figure 8.11).

    Parameters
    ----------
    depth : int
        How often the image is pooled by two, 0 to 4.
    skips : bool
        Whether fine details are handed across.
    noise : float
        Noise of the image in units of the signal, 0 to 0.6.
    seed : int
        Of the scene, 0 to 99.
    prediction : str, optional
        The student's guess; ``"skipped"`` opens with the result shown.

    Examples
    --------
    >>> SkipConnections(skips=True).summary().startswith("With skip connections and depth 2")
    True
    """

    name = "skip_connections"
    title = "Where it is, and what it is"
    figure = "Figure 8.11"
    goal = "Tell discs from tracks: find the depth that knows what a pixel belongs to without losing where it is."
    shared_scripts = ("kit", "random_numbers")
    fields: ClassVar = {
        "depth": integer(2, 0, DEEPEST, "how often the image is pooled by two"),
        "skips": flag(False, "whether fine details are handed across"),
        "noise": number(0.2, 0, 0.6, "noise in units of the signal"),
        "seed": integer(1, 0, 99, "seed of the scene"),
    }

    @classmethod
    def constants(cls):
        return {
            "side": SIDE,
            "deepest": DEEPEST,
            "counts": [N_DISCS, N_TRACKS],
            "thresholds": THRESHOLDS,
            "trainingSeed": TRAINING_SEED,
            "stream": _STREAM,
            "classes": CLASSES,
        }

    def segmentation(self):
        """Return the `Segmentation` of the present state."""
        return segment(*(self.state[name] for name in ("depth", "skips", "noise", "seed")))

    def summary(self):
        now = self.segmentation()
        how = "With" if self.state["skips"] else "Without"
        return (
            f"{how} skip connections and depth {self.state['depth']}, the mean intersection over union is "
            f"{_hundredth(now.mean_iou)}; {now.wrong_at_borders} wrong pixels lie at borders, "
            f"{now.wrong_elsewhere} elsewhere."
        )

    def static_figure(self):
        now = self.segmentation()
        both = [segment(self.state["depth"], skips, self.state["noise"], self.state["seed"]) for skips in (False, True)]
        panels = [
            Panel(now.image, "image", limit=1.5, numbers=False),
            Panel(now.truth, "truth", colours="intensity", limit=2, numbers=False),
        ]
        panels += [
            Panel(
                one.answer, f"{name} skips, IoU {_hundredth(one.mean_iou)}", colours="intensity", limit=2, numbers=False
            )
            for one, name in zip(both, ("without", "with"), strict=True)
        ]
        return figure_of_panels(panels, title=self.title, summary=self.summary(), height=360)
