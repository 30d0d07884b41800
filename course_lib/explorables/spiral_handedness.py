"""Figure 7.4: a spiral galaxy of 1024 pixels and a fully-connected network that tells which way it turns."""

from __future__ import annotations

import functools
import math
from typing import ClassVar, NamedTuple

import numpy as np

from course_lib.explorables.base import Explorable, Panel, choice, figure_of_panels, flag, integer, number, written
from course_lib.explorables.receptive_field_builder import random_weights

SIZE = 32

#: Scale length of the disc in pixels, and the twist of the arms that the network was made for.
SCALE_PX = 8.0
TEMPLATE_TWIST = 1.5

#: Factor of the squares of the hidden nodes in the two outputs.
GAIN = 0.8

DIRECTIONS = {1: "anticlockwise", -1: "clockwise"}


class SpiralAnswer(NamedTuple):
    """Hidden values (4,), squared: cosine and sine for anticlockwise, the same for clockwise; and the softmax (2,)."""

    hidden: np.ndarray
    probabilities: np.ndarray


def _polar(*, angle_deg=0.0, axis_ratio=1.0, shift_px=(0, 0)):
    """Radius in pixels and azimuth of the pixel centres in the plane of the disc, each (32, 32)."""
    row, column = np.indices((SIZE, SIZE))
    x, y = column - (SIZE - 1) / 2 - shift_px[0], (SIZE - 1) / 2 - row - shift_px[1]
    cosine, sine = math.cos(math.radians(angle_deg)), math.sin(math.radians(angle_deg))
    along, across = cosine * x + sine * y, (cosine * y - sine * x) / axis_ratio
    return np.hypot(along, across), np.arctan2(across, along)


def spiral_image(
    *, winding=1, twist=1.5, noise=0.0, axis_ratio=1.0, angle_deg=0.0, shift_px=(0, 0), mirrored=False, seed=0
):
    r"""Draw one galaxy.

    The brightness is :math:`e^{-r/8}\,[0.2+0.8\cos^2(\phi-s\,t\ln(r+1))]` with r in pixels, the winding s and the
    twist t; noise is added, and the result is cut to the range from 0 to 1.

    Parameters
    ----------
    winding : {1, -1}
        Arms followed outwards turn anticlockwise (1) or clockwise (-1).
    twist : float
        Radians for each factor e in the radius.
    noise : float
        Standard deviation of the noise.
    axis_ratio : float
        Short over long axis of the inclined disc.
    angle_deg : float
        The whole galaxy is turned by this, anticlockwise.
    shift_px : (int, int)
        To the right and upwards.
    mirrored : bool
        Whether left and right change places at last.
    seed : int
        Of the noise.

    Returns
    -------
    numpy.ndarray, shape (32, 32)

    Examples
    --------
    The mirror image of a spiral is a spiral of the other kind:

    >>> mirrored = spiral_image(mirrored=True)
    >>> bool(np.allclose(mirrored, spiral_image(winding=-1)))
    True
    """
    radius, azimuth = _polar(angle_deg=angle_deg, axis_ratio=axis_ratio, shift_px=shift_px)
    arms = np.cos(azimuth - winding * twist * np.log(radius + 1)) ** 2
    image = np.exp(-radius / SCALE_PX) * (0.2 + 0.8 * arms)
    image = np.clip(image + noise * _noise(seed), 0, 1)
    return image[:, ::-1] if mirrored else image


def _noise(seed):
    """Normal numbers (32, 32), the same as in the browser (Box and Muller)."""
    uniform = (np.array(random_weights(seed, 2 * SIZE * SIZE)) + 1) / 2
    first, second = uniform[::2], uniform[1::2]
    return (np.sqrt(-2 * np.log(first)) * np.cos(2 * np.pi * second)).reshape(SIZE, SIZE)


@functools.cache
def templates():
    """Return the weights of the four hidden nodes, shape (4, 32, 32), each of norm 1.

    A spiral with two arms is, along a circle, a wave with two crests, whose phase depends on the radius. Cosine and
    sine together find it at any angle.

    Examples
    --------
    >>> templates().shape
    (4, 32, 32)
    """
    radius, azimuth = _polar()
    weights = []
    for winding in DIRECTIONS:
        phase = 2 * azimuth - 2 * winding * TEMPLATE_TWIST * np.log(radius + 1)
        weights += [np.exp(-radius / SCALE_PX) * np.cos(phase), np.exp(-radius / SCALE_PX) * np.sin(phase)]
    weights = np.stack(weights)
    return weights / np.sqrt((weights**2).sum(axis=(1, 2), keepdims=True))


@functools.cache
def permutation():
    """Return the new order of the 1024 pixels, the same one every time.

    Examples
    --------
    >>> order = permutation()
    >>> sorted(order.tolist()) == list(range(1024))
    True
    """
    order = np.arange(SIZE * SIZE)
    draws = random_weights(11, len(order))
    for last in range(len(order) - 1, 0, -1):
        other = math.floor((draws[last] + 1) / 2 * (last + 1))
        order[[last, other]] = order[[other, last]]
    return order


def shuffled(image):
    """Return the image with its pixels in the order of `permutation`.

    Parameters
    ----------
    image : array_like, shape (32, 32)

    Returns
    -------
    numpy.ndarray, shape (32, 32)

    Examples
    --------
    >>> image = spiral_image()
    >>> bool(np.isclose(shuffled(image).sum(), image.sum()))
    True
    """
    return np.asarray(image).ravel()[permutation()].reshape(SIZE, SIZE)


def answer(image, *, weights_shuffled=False):
    """Ask the network: 1024 inputs, four hidden nodes with a square as activation, two outputs with softmax.

    Parameters
    ----------
    image : array_like, shape (32, 32)
    weights_shuffled : bool
        Whether the weights were learned from shuffled images.

    Returns
    -------
    SpiralAnswer

    Examples
    --------
    >>> bool(answer(spiral_image()).probabilities[0] > 0.95)
    True
    """
    weights = np.stack([shuffled(each) for each in templates()]) if weights_shuffled else templates()
    hidden = (weights * np.asarray(image, dtype=float)).sum(axis=(1, 2)) ** 2
    difference = GAIN * (hidden[2] + hidden[3] - hidden[0] - hidden[1])
    first = 1 / (1 + math.exp(difference))
    return SpiralAnswer(hidden, np.array([first, 1 - first]))


class SpiralHandedness(Explorable):
    """Turn, mirror, shift and shuffle a galaxy, and watch a fully-connected network judge it (figure 7.4).

    Parameters
    ----------
    winding : {1, -1}
        Arms followed outwards turn anticlockwise (1) or clockwise (-1), before mirroring.
    twist : float
        How tightly the arms are wound, from 0.3 to 3; the network was made for 1.5.
    noise : float
        Standard deviation of the noise, from 0 to 0.6; the centre of the galaxy has brightness 1.
    axis_ratio : float
        Short over long axis, from 0.3 to 1.
    angle_deg : int
        The galaxy is turned by this, from 0 to 360 degrees.
    shift_x_px, shift_y_px : int
        Shift to the right and upwards, from -8 to 8 pixels.
    mirrored : bool
        Whether left and right change places.
    pixels_shuffled : bool
        Whether the pixels change places, always in the same way.
    retrained : bool
        Whether the network was trained on shuffled images.
    seed : int
        Of the noise, from 0 to 99.
    prediction : str, optional
        The student's guess; ``"skipped"`` opens with the result shown.

    Examples
    --------
    >>> SpiralHandedness(mirrored=True).summary()
    'The arms turn clockwise; the network gives 0... to anticlockwise and says clockwise, which is right.'
    """

    name = "spiral_handedness"
    title = "Which way does it turn?"
    figure = "Figure 7.4"
    goal = "Find out which changes of the image the network does not mind, which flip its answer, and which confuse it."
    fields: ClassVar = {
        "winding": choice(1, DIRECTIONS, "direction of the arms, followed outwards"),
        "twist": number(1.5, 0.3, 3.0, "twist of the arms"),
        "noise": number(0.05, 0, 0.6, "standard deviation of the noise"),
        "axis_ratio": number(0.85, 0.3, 1.0, "short over long axis"),
        "angle_deg": integer(40, 0, 360, "angle of the galaxy in degrees"),
        "shift_x_px": integer(0, -8, 8, "shift to the right in pixels"),
        "shift_y_px": integer(0, -8, 8, "shift upwards in pixels"),
        "mirrored": flag(False, "left and right changed"),
        "pixels_shuffled": flag(False, "pixels in another order"),
        "retrained": flag(False, "network trained on shuffled images"),
        "seed": integer(0, 0, 99, "seed of the noise"),
    }

    @classmethod
    def constants(cls):
        return {"size": SIZE, "scale": SCALE_PX, "templateTwist": TEMPLATE_TWIST, "gain": GAIN}

    def image(self):
        """Return what the network sees, shape (32, 32)."""
        state = self.state
        image = spiral_image(
            **{
                name: state[name]
                for name in ("winding", "twist", "noise", "axis_ratio", "angle_deg", "mirrored", "seed")
            },
            shift_px=(state["shift_x_px"], state["shift_y_px"]),
        )
        return shuffled(image) if state["pixels_shuffled"] else image

    def answer(self):
        """Return the `SpiralAnswer` of the present state."""
        return answer(self.image(), weights_shuffled=self.state["retrained"])

    def summary(self):
        first = self.answer().probabilities[0]
        truth = DIRECTIONS[-self.state["winding"] if self.state["mirrored"] else self.state["winding"]]
        said = DIRECTIONS[1] if first > 0.5 else DIRECTIONS[-1]
        return (
            f"The arms turn {truth}; the network gives {written(first)} to anticlockwise and says {said}, "
            f"which is {'right' if said == truth else 'wrong'}."
        )

    def static_figure(self):
        weights = templates()[[0, 2]]
        if self.state["retrained"]:
            weights = [shuffled(each) for each in weights]
        return figure_of_panels(
            [
                Panel(self.image().round(3), "image", "intensity", numbers=False, limit=1.0),
                Panel(np.round(weights[0], 3), "weights, anticlockwise", numbers=False),
                Panel(np.round(weights[1], 3), "weights, clockwise", numbers=False),
            ],
            title=self.title,
            summary=self.summary(),
        )


_GALAXY = ("winding", "twist", "noise", "axis_ratio", "angle_deg", "mirrored", "seed")
