"""The galleries show every data set and every explorable. That they run is tested with the chapters."""

import re
from pathlib import Path

import nbformat
import pytest

from course_lib import explorables
from course_lib.explorables.kernel_backed import KernelBacked

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


def test_every_explorable_that_needs_no_kernel_is_in_its_gallery_with_a_question():
    text = (REPOSITORY / "notebooks" / "explorables.md").read_text(encoding="utf-8")
    for name in explorables.__all__:
        kind = getattr(explorables, name)
        if issubclass(kind, KernelBacked):
            assert f"`{name}`" in text
            continue
        section = re.search(
            rf"^### {re.escape(kind.title)}\n\n(.+)\n\n```.*\nexplorables\.{name}\(", text, re.MULTILINE
        )
        assert section and "?" in section.group(1), name


def test_the_table_of_figures_names_every_explorable_and_only_those():
    text = (REPOSITORY / "CONTRIBUTING.md").read_text(encoding="utf-8")
    table = text[text.index("| figure | explorable |") : text.index("| question (chapter 12) | viewer |")]
    named = set(
        re.findall(
            r"`(\w+)`", "\n".join(line.rsplit("|", 2)[1] for line in table.splitlines() if line.startswith("| "))
        )
    )
    expected = {name for name in explorables.__all__ if not issubclass(getattr(explorables, name), KernelBacked)}
    assert named - {"playground"} == expected
