"""Draw docs/_static/visual_language.svg: the colours, dashes and markers of the course on light and dark ground.

    python tools/draw_visual_language.py [--check]

The picture is committed because GitHub shows CONTRIBUTING.md as it is; a test draws it again and compares. Only
rectangles, lines and text, so that the bytes are the same everywhere.
"""

import argparse
import sys
from pathlib import Path

from course_lib import style

PICTURE = Path(__file__).resolve().parent.parent / "docs" / "_static" / "visual_language.svg"

#: Ground and ink of the two themes.
THEMES = {"light": ("#ffffff", "#1f2430"), "dark": ("#14181e", "#ced6dd")}

#: Rows: (text, names in the palette, dash of a sample curve or None).
ROWS = [
    ("training", ("training",), "solid"),
    ("validation", ("validation",), "dash"),
    ("test", ("test",), "dot"),
    ("reference: exact result, baseline", ("reference",), "dashdot"),
    ("signal, background", ("signal", "background"), None),
    ("positive, negative weight", ("positive", "negative"), None),
    ("spin up, spin down", ("spin_up", "spin_down"), None),
    ("you are here; selected; guess", ("highlight",), None),
]

DASHES = {"solid": "", "dash": "9 5", "dot": "2 4", "dashdot": "9 4 2 4"}
WIDTH, ROW, TOP = 430, 34, 46


def scale(colours, x, y, width, steps=40):
    """Return rectangles that show a colour map from left to right."""
    stops = [(place, [int(colour[at : at + 2], 16) for at in (1, 3, 5)]) for place, colour in colours]
    parts = []
    for step in range(steps):
        share = step / (steps - 1)
        upper = next(index for index, (place, _) in enumerate(stops) if place >= share and index) if share else 1
        (low, first), (high, last) = stops[upper - 1], stops[upper]
        part = (share - low) / (high - low)
        mixed = "".join(f"{round(a + part * (b - a)):02x}" for a, b in zip(first, last, strict=True))
        left = x + width * step / steps
        parts.append(f'<rect x="{left:.2f}" y="{y}" width="{width / steps + 0.5:.2f}" height="18" fill="#{mixed}"/>')
    return parts


def theme_panel(name, x):
    """Return the elements of one half of the picture."""
    ground, ink = THEMES[name]
    height = TOP + ROW * (len(ROWS) + 1) + 16
    parts = [f'<rect x="{x}" y="0" width="{WIDTH}" height="{height}" fill="{ground}"/>']
    parts.append(f'<text x="{x + 18}" y="28" font-size="15" font-weight="600" fill="{ink}">{name} theme</text>')
    for index, (text, colours, dash) in enumerate(ROWS):
        y = TOP + ROW * index
        for place, colour in enumerate(colours):
            left = x + 18 + 26 * place
            parts.append(
                f'<rect x="{left}" y="{y}" width="20" height="20" rx="4" fill="{style.PALETTE[colour]}" '
                f'stroke="{ink}" stroke-opacity="0.25"/>'
            )
        if dash:
            pattern = f' stroke-dasharray="{DASHES[dash]}"' if DASHES[dash] else ""
            line = (
                f'<line x1="{x + 52}" y1="{y + 10}" x2="{x + 116}" y2="{y + 10}" stroke="{style.PALETTE[colours[0]]}"'
            )
            parts.append(f'{line} stroke-width="3"{pattern}/>')
        parts.append(f'<text x="{x + 130}" y="{y + 15}" font-size="13.5" fill="{ink}">{text}</text>')
    y = TOP + ROW * len(ROWS)
    parts += scale(style.DIVERGING, x + 18, y, 100)
    parts.append(
        f'<text x="{x + 130}" y="{y + 14}" font-size="13.5" fill="{ink}">signed numbers, zero in the middle</text>'
    )
    return parts


def draw():
    """Return the picture as SVG text."""
    height = TOP + ROW * (len(ROWS) + 1) + 16
    parts = [part for number, name in enumerate(THEMES) for part in theme_panel(name, number * WIDTH)]
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {2 * WIDTH} {height}" role="img" '
        'font-family="Inter, system-ui, Helvetica, Arial, sans-serif">'
    )
    title = "<title>The colours of the course and what they mean, in the light and in the dark theme</title>"
    return "\n".join([head, title, *parts, "</svg>", ""])


def main():
    """Write the picture, or with --check say whether it is what would be written."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="only compare")
    if parser.parse_args().check:
        if PICTURE.read_text("utf-8") != draw():
            sys.exit(f"{PICTURE.name} is stale: run python tools/draw_visual_language.py")
        return
    PICTURE.write_text(draw(), "utf-8")


if __name__ == "__main__":
    main()
