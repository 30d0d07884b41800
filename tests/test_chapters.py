"""Every chapter: its form, and its execution as students get it."""

import json
import re
from pathlib import Path

import nbformat
import pytest

from autograder.notebook_building import build_notebook

REPOSITORY = Path(__file__).resolve().parent.parent
NOTEBOOKS = REPOSITORY / "notebooks"
SOURCES = sorted(NOTEBOOKS.glob("*.md"))
CHAPTERS = [source for source in SOURCES if re.match(r"\d\d_", source.name)]
ALLOWED_TAGS = {"parameters", "slow", "remove-input", "raises-exception"}

#: Quality of issue "The course runs": what a laptop or a Binder machine can give.
MEMORY_BUDGET_MEGABYTES = 1536
WIDGET_STATE_BUDGET_BYTES = 200_000

by_name = pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)
by_chapter = pytest.mark.parametrize("source", CHAPTERS, ids=lambda source: source.stem)


def notebook(source):
    return nbformat.reads(build_notebook(source), as_version=4)


@by_name
def test_one_title_at_the_top(source):
    cells = notebook(source).cells
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    titles = re.findall(r"^# .+", re.sub(r"```.*?```", "", text, flags=re.S), flags=re.M)
    assert len(titles) == 1, titles
    assert cells[0].cell_type == "markdown" and cells[0].source.startswith("# ")


@by_name
def test_code_cells_stand_at_top_level_and_tags_are_known(source):
    for cell in notebook(source).cells:
        if cell.cell_type == "markdown":
            assert "{code-cell}" not in cell.source, cell.source[:200]
            # Directives and roles of MyST are raw text in Jupyter.
            assert not re.search(r"^\s*(:::|```)\{", cell.source, flags=re.M), cell.source[:200]
        assert set(cell.metadata.get("tags", [])) <= ALLOWED_TAGS, cell.metadata.tags


@by_name
def test_no_address_in_code_because_data_come_from_course_lib(source):
    for cell in notebook(source).cells:
        if cell.cell_type == "code":
            assert "://" not in cell.source, cell.source


@by_chapter
def test_one_parameters_cell_with_a_seed(source):
    tagged = [cell for cell in notebook(source).cells if "parameters" in cell.metadata.get("tags", [])]
    assert len(tagged) == 1 and tagged[0].cell_type == "code"
    assert re.search(r"^SEED = \d+", tagged[0].source, flags=re.M)


@by_name
def test_links_inside_the_course_lead_somewhere(source):
    text = "\n".join(cell.source for cell in notebook(source).cells if cell.cell_type == "markdown")
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text):
        if "://" in target or target.startswith("mailto:"):
            continue
        path = (source.parent / target).resolve()
        assert path.exists(), f"{source.name} links to {target}"


@pytest.mark.slow
@by_name
def test_executes_within_memory(source, executed_chapters):
    result = executed_chapters[source.stem]
    assert result.ok, f"cell {result.cell}: {result.error}\n{result.source}\n{result.traceback}"
    assert result.peak_megabytes <= MEMORY_BUDGET_MEGABYTES


def outputs(result):
    for cell in nbformat.read(result.executed_copy, as_version=4).cells:
        if cell.cell_type == "code":
            for output in cell.outputs:
                yield cell, output


@pytest.mark.slow
@by_name
def test_leaves_no_widget_state_and_no_noise(source, executed_chapters):
    """Without a front end there is no widget, and nothing red."""
    result = executed_chapters[source.stem]
    saved = nbformat.read(result.executed_copy, as_version=4)
    assert len(json.dumps(saved.metadata.get("widgets", {}))) <= WIDGET_STATE_BUDGET_BYTES
    for cell, output in outputs(result):
        assert output.output_type != "error" or "raises-exception" in cell.metadata.get("tags", [])
        assert output.get("name") != "stderr", f"{cell.source[:200]}\n-> {output.text[:500]}"
        assert "application/vnd.jupyter.widget-view+json" not in output.get("data", {})


CARTESIAN = {"scatter", "scattergl", "bar", "heatmap", "histogram", "contour", "box"}


def unlabelled_axes(figure):
    """Axes that are drawn, have no title, and stand in no row (or column) of panels in which one has it."""
    layout = figure["layout"]
    used = sorted(
        {
            f"{letter}axis{trace.get(f'{letter}axis', letter)[1:]}"
            for trace in figure["data"]
            if trace.get("type", "scatter") in CARTESIAN
            for letter in "xy"
        }
    )

    def titled(name):
        return bool((layout.get(name, {}).get("title") or {}).get("text"))

    def hidden(name):
        return layout.get(name, {}).get("visible") is False or layout.get(name, {}).get("showticklabels") is False

    def place(name):
        axis = layout.get(name, {})
        # A second axis over the first one needs its own title.
        return (name[0], tuple(axis.get("domain", (0, 1))), axis.get("overlaying", name if "side" in axis else ""))

    labelled = {place(name) for name in used if titled(name)}
    return [name for name in used if not hidden(name) and place(name) not in labelled]


@pytest.mark.slow
@by_name
def test_every_figure_has_labelled_axes(source, executed_chapters):
    """Of panels in a row the first one names the quantity for all; an axis of pixels may be hidden instead."""
    for cell, output in outputs(executed_chapters[source.stem]):
        figure = output.get("data", {}).get("application/vnd.plotly.v1+json")
        if figure is not None:
            assert not unlabelled_axes(figure), f"{unlabelled_axes(figure)} in the figure of\n{cell.source[:400]}"


def test_an_unlabelled_axis_is_found():
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    alone = go.Figure(go.Scatter(y=[1, 2])).update_xaxes(title="time (s)")
    assert unlabelled_axes(alone.to_dict()) == ["yaxis"]
    row = make_subplots(rows=1, cols=2).add_scatter(y=[1], row=1, col=1).add_scatter(y=[2], row=1, col=2)
    row.update_xaxes(title="time (s)").update_yaxes(title="signal (V)", row=1, col=1)
    assert unlabelled_axes(row.to_dict()) == []
    row.update_xaxes(title=None, row=1, col=2)
    assert unlabelled_axes(row.to_dict()) == ["xaxis2"]
    two = make_subplots(specs=[[{"secondary_y": True}]]).add_scatter(y=[1]).add_scatter(y=[2], secondary_y=True)
    two.update_xaxes(title="time (s)").update_yaxes(title="signal (V)", secondary_y=False)
    assert unlabelled_axes(two.to_dict()) == ["yaxis2"]
