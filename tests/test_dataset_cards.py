"""Every data set has a complete card."""

from pathlib import Path

import pytest

CARDS = sorted((Path(__file__).resolve().parents[1] / "datasets").glob("*/card.md"))
HEADINGS = ["Source", "Licence", "Units", "Columns", "Physics", "Known limits", "Used in"]


def sections(card):
    """Heading -> text below it."""
    found, current = {}, None
    for line in card.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            current = line[3:].strip()
            found[current] = ""
        elif current is not None:
            found[current] += line.strip()
    return found


def test_there_are_cards_and_no_folder_without_one():
    assert CARDS
    folders = [path for path in CARDS[0].parents[1].iterdir() if path.is_dir() and any(path.iterdir())]
    assert sorted(path.name for path in folders) == [card.parent.name for card in CARDS]


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.parent.name)
def test_card_is_complete(card):
    lines = card.read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("# ") and sum(line.startswith("# ") for line in lines) == 1
    found = sections(card)
    for heading in HEADINGS:
        assert found.get(heading), f"{card}: '## {heading}' is missing or empty"
    fetched = any(
        line.startswith(f"{card.parent.name}/") and "https://" in line
        for line in (card.parents[1] / "registry.txt").read_text(encoding="utf-8").splitlines()
    )
    if fetched:
        assert found.get("How the stand-in differs"), f"{card}: '## How the stand-in differs' is missing or empty"
