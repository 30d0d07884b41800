"""The frame of every HTML page that this package writes: one file, readable without a network, without scripts."""

from __future__ import annotations

import functools
import html
from pathlib import Path

from autograder.sanitising import PAGE_POLICY, one_line


@functools.cache
def _style() -> str:
    return (Path(__file__).parent / "templates" / "page.css").read_text(encoding="utf-8")


def page(title: str, body: str) -> str:
    """Return a complete page.

    Parameters
    ----------
    title : str
        Plain text.
    body : str
        HTML that is safe already.

    Returns
    -------
    str
        With a policy that lets no script run and no request leave, light and dark, printable.

    Examples
    --------
    >>> "<title>a &lt; b</title>" in page("a < b", "<p>less</p>")
    True
    """
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{PAGE_POLICY}">\n'
        '<meta name="referrer" content="no-referrer">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(one_line(title))}</title>\n<style>\n{_style()}</style>\n</head>\n"
        f"<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def points(value: float) -> str:
    """Return points as people write them.

    Examples
    --------
    >>> points(3.0), points(2.25), points(1 / 3)
    ('3', '2.25', '0.33')
    """
    return f"{value:.2f}".rstrip("0").rstrip(".") if value else "0"
