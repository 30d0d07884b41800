"""The gallery shows every data set. That it runs and labels its axes is tested with the chapters."""

import re
from pathlib import Path

import nbformat
import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
GALLERY = REPOSITORY / "notebooks" / "datasets.md"
SIZE_BUDGET_BYTES = 1_200_000


def sections():
    """Heading of each data set -> text and code below it."""
    found, current = {}, None
    for line in GALLERY.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            current = line if line.startswith("### ") else None
            if current:
                found[current] = ""
        elif current:
            found[current] += line + "\n"
    return found


def test_every_data_set_has_its_section_with_physics_and_code():
    shown = {name for heading in sections() for name in re.findall(r"`(\w+)`", heading)}
    cards = {card.parent.name for card in (REPOSITORY / "datasets").glob("*/card.md")}
    assert cards <= shown, f"not in the gallery: {sorted(cards - shown)}"
    for heading, body in sections().items():
        text, _, code = body.partition("```{code-cell}")
        assert len(text.strip()) > 40, heading
        assert re.search(r"\bdata\.(make|load|fetch)_\w+\(", code), heading


def test_the_map_of_the_course_leads_to_it():
    assert "(datasets.ipynb)" in (GALLERY.parent / "index.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_each_section_draws_one_small_picture(executed_chapters):
    copy = executed_chapters["datasets"].executed_copy
    assert copy.stat().st_size < SIZE_BUDGET_BYTES
    heading, pictures = None, {}
    for cell in nbformat.read(copy, as_version=4).cells:
        if cell.cell_type == "markdown":
            for line in cell.source.splitlines():
                if line.startswith("#"):
                    heading = line
        elif heading in sections():
            figures = [output for output in cell.outputs if "application/vnd.plotly.v1+json" in output.get("data", {})]
            pictures[heading] = pictures.get(heading, 0) + len(figures)
    assert pictures == dict.fromkeys(sections(), 1)
