"""The colours: far enough apart for everybody, and the picture of them up to date."""

import itertools
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from course_lib import style

REPOSITORY = Path(__file__).resolve().parents[1]

#: Linear RGB as people with one kind of cone missing see it (Vienot, Brettel, Mollon 1999; tritan: Brettel 1997).
BLINDNESS = {
    "none": np.eye(3),
    "protan": np.array([[0.11238, 0.88762, 0.0], [0.11238, 0.88762, 0.0], [0.00401, -0.00401, 1.0]]),
    "deutan": np.array([[0.29275, 0.70725, 0.0], [0.29275, 0.70725, 0.0], [-0.02234, 0.02234, 1.0]]),
}

#: Colours that stand for opposites or side by side in one picture.
TOGETHER = [
    ("training", "validation"),
    ("training", "test"),
    ("validation", "test"),
    ("signal", "background"),
    ("positive", "negative"),
    ("spin_up", "spin_down"),
]


def linear(colour):
    values = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def lab(rgb):
    """CIE L*a*b* of linear RGB, D65."""
    matrix = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    x, y, z = np.clip(matrix @ rgb, 0, None) / np.array([0.9505, 1.0, 1.089])
    f = [value ** (1 / 3) if value > 0.008856 else 7.787 * value + 16 / 116 for value in (x, y, z)]
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("kind", BLINDNESS)
@pytest.mark.parametrize("pair", TOGETHER, ids="-".join)
def test_pairs_stay_apart_for_every_eye(pair, kind):
    one, other = (lab(np.clip(BLINDNESS[kind] @ linear(style.PALETTE[name]), 0, 1)) for name in pair)
    assert np.linalg.norm(one - other) > 15  # a difference of 2 is just visible side by side


def test_no_two_curves_share_a_dash():
    assert len(set(style.DASHES.values())) == len(style.DASHES)


def test_the_signed_scale_is_neutral_in_the_middle_and_equally_light_at_its_ends():
    assert [place for place, _ in style.DIVERGING] == pytest.approx([0, 0.25, 0.5, 0.75, 1])
    lightness = [lab(linear(colour))[0] for _, colour in style.DIVERGING]
    assert lightness[2] > 95 and abs(lightness[0] - lightness[4]) < 10 and abs(lightness[1] - lightness[3]) < 12


def test_curves_are_visible_on_both_grounds():
    def luminance(colour):
        return linear(colour) @ np.array([0.2126, 0.7152, 0.0722])

    def contrast(one, other):
        low, high = sorted((luminance(one), luminance(other)))
        return (high + 0.05) / (low + 0.05)

    for name, ground in itertools.product(("training", "validation", "test"), ("#ffffff", "#14181e")):
        assert contrast(style.PALETTE[name], ground) > 2.4, (name, ground)


def test_the_picture_of_the_colours_is_up_to_date():
    command = [sys.executable, str(REPOSITORY / "tools" / "draw_visual_language.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
