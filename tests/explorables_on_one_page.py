"""Several explorables in one notebook of JupyterLab: opened once, their states read back by one cell, photographed."""

import json

from test_explorables_browser import expect_summary, look, output_of, run_cell

MAKE = "from course_lib.explorables import {name}\n{name}_shown = {name}()\n{name}_shown"

#: A busy machine needs a while until the last change of the browser is in Python.
MOST_READINGS = 120


def open_all(lab, page, notebook, kinds):
    """Show explorables, one a cell, and below them a cell that prints all states; returns class -> card."""
    page.set_viewport_size({"width": 1280, "height": 1500})
    shown = ", ".join(f'"{kind.__name__}": {kind.__name__}_shown.state' for kind in kinds)
    read = f"import json\nprint(json.dumps({{{shown}}}))"
    lab.write(notebook, [*(MAKE.format(name=kind.__name__) for kind in kinds), read])
    lab.open(page, notebook)
    lab.run_all(page)
    cards = {kind: page.locator(f'.course-explorable[aria-label="{kind.title}"]') for kind in kinds}
    for card in cards.values():
        card.wait_for(timeout=120_000)
    return cards


def states_in_python(lab, page, wanted):
    """Run the reading cell until Python has the `wanted` fields (class -> fields); returns class -> state."""
    states = {}
    for _ in range(MOST_READINGS):
        page.wait_for_timeout(500)
        run_cell(lab, page, len(wanted))
        page.wait_for_timeout(500)
        try:
            printed = json.loads(output_of(page, len(wanted)))
        except ValueError:  # the cell is still running
            continue
        states = {kind: printed[kind.__name__] for kind in wanted}
        if all(fields.items() <= states[kind].items() for kind, fields in wanted.items()):
            break
    for kind, fields in wanted.items():
        assert fields.items() <= states[kind].items(), kind.__name__
    return states


def assert_told_and_clean(page, cards, states):
    """Each card says what Python says of its state; photographs in both themes; no error, no request elsewhere."""
    for kind, card in cards.items():
        expect_summary(card, kind(**states[kind]).summary())
        card.evaluate("node => node.scrollIntoView({ block: 'center' })")
        look(page, card, kind.name)
    assert page.external_requests == []
    assert page.console_errors == []
