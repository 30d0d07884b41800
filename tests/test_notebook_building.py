"""The builder: same source, same bytes; unique ids; a stale file is caught."""

import json
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.errors import CourseError
from autograder.notebook_building import build_all, build_notebook

REPOSITORY = Path(__file__).resolve().parent.parent

HEADER = """\
---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
    format_version: 0.13
kernelspec:
  display_name: Python 3 (ipykernel)
  language: python
  name: python3
---

"""

SOURCE = (
    HEADER
    + """\
# Title

Some text with $x^2$.

```{code-cell} ipython3
:tags: [parameters]

SEED = 1
```

```{code-cell} ipython3
print(SEED)
```

```{code-cell} ipython3
print(SEED)
```
"""
)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "01_first.md").write_text(SOURCE)
    (tmp_path / "02_second.md").write_text(SOURCE.replace("Title", "Another"))
    return tmp_path


def test_same_bytes_twice_also_in_another_process(folder):
    source = folder / "01_first.md"
    here = build_notebook(source)
    assert build_notebook(source) == here
    script = (
        "import sys, pathlib; from autograder.notebook_building import build_notebook; "
        "sys.stdout.write(build_notebook(pathlib.Path(sys.argv[1])))"
    )
    # Another hash seed: nothing may depend on the order of a set.
    there = subprocess.run(
        [sys.executable, "-c", script, str(source)],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONHASHSEED": "77", "PATH": "/usr/bin:/bin"},
    )
    assert there.stdout == here


def test_the_notebook_is_valid_has_no_outputs_and_keeps_the_content(folder):
    notebook = nbformat.reads(build_notebook(folder / "01_first.md"), as_version=4)
    nbformat.validate(notebook)
    assert [cell.cell_type for cell in notebook.cells] == ["markdown", "code", "code", "code"]
    assert notebook.cells[0].source == "# Title\n\nSome text with $x^2$."
    assert notebook.cells[1].metadata.tags == ["parameters"]
    assert all(cell.outputs == [] and cell.execution_count is None for cell in notebook.cells[1:])
    assert notebook.metadata.kernelspec.name == "python3"


@pytest.mark.filterwarnings("error")  # nbformat would mend equal ids by random ones, with a warning only
def test_ids_are_unique_also_for_equal_cells(folder):
    cells = json.loads(build_notebook(folder / "01_first.md"))["cells"]
    assert cells[2]["source"] == cells[3]["source"]
    assert len({cell["id"] for cell in cells}) == len(cells)


def test_an_edit_changes_only_the_id_of_its_own_cell(folder):
    source = folder / "01_first.md"
    before = [cell["id"] for cell in json.loads(build_notebook(source))["cells"]]
    source.write_text(SOURCE.replace("SEED = 1", "SEED = 2"))
    after = [cell["id"] for cell in json.loads(build_notebook(source))["cells"]]
    assert [old == new for old, new in zip(before, after, strict=True)] == [True, False, True, True]


@settings(max_examples=40, deadline=None)
@given(texts=st.lists(st.text("ab#`=\n :-+{}$", max_size=30), max_size=6))
def test_any_markdown_body_builds_to_unique_ids_or_is_refused(texts, tmp_path_factory):
    source = tmp_path_factory.mktemp("any") / "any.md"
    source.write_text(HEADER + "\n\n+++\n\n".join(texts))
    try:
        cells = json.loads(build_notebook(source))["cells"]
    except CourseError:
        return
    assert len({cell["id"] for cell in cells}) == len(cells)


def test_grade_id_becomes_the_cell_id(folder):
    graded = HEADER + (
        "```{code-cell} ipython3\n---\nnbgrader:\n  grade: false\n  grade_id: energy\n  locked: false\n"
        "  schema_version: 3\n  solution: true\n  task: false\n---\nx = 1\n```\n"
    )
    source = folder / "03_graded.md"
    source.write_text(graded)
    assert json.loads(build_notebook(source))["cells"][0]["id"] == "energy"
    source.write_text(graded + "\n" + graded.split("---\n\n", 1)[1])
    with pytest.raises(CourseError, match="grade_id energy more than once"):
        build_notebook(source)


def test_check_catches_a_stale_a_missing_and_an_orphaned_notebook_and_writes_nothing(folder):
    build_all(folder)
    assert not any(result.was_stale for result in build_all(folder, check=True))
    (folder / "01_first.md").write_text(SOURCE + "\nnew text\n")
    (folder / "02_second.ipynb").unlink()
    (folder / "09_gone.ipynb").write_text("{}")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    stale = {result.target.name for result in build_all(folder, check=True) if result.was_stale}
    assert stale == {"01_first.ipynb", "02_second.ipynb", "09_gone.ipynb"}
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    build_all(folder)
    assert not any(result.was_stale for result in build_all(folder, check=True))
    assert not (folder / "09_gone.ipynb").exists()


def test_one_bad_source_leaves_every_notebook_as_it_was(folder):
    build_all(folder)
    before = (folder / "01_first.ipynb").read_bytes()
    (folder / "01_first.md").write_text(SOURCE + "\nnew text\n")
    (folder / "02_second.md").write_text("no header")
    with pytest.raises(CourseError, match="no jupytext header"):
        build_all(folder)
    assert (folder / "01_first.ipynb").read_bytes() == before


def test_missing_source_and_empty_folder_are_told(tmp_path):
    with pytest.raises(CourseError, match=r"does not exist"):
        build_notebook(tmp_path / "none.md")
    with pytest.raises(CourseError, match=r"No notebook source"):
        build_all(tmp_path)


def command(*arguments):
    script = REPOSITORY / "tools" / "build_notebooks.py"
    return subprocess.run([sys.executable, str(script), *map(str, arguments)], capture_output=True, text=True)


def test_the_command_builds_checks_and_names_the_remedy(folder):
    assert command("--check", folder).returncode == 1
    built = command(folder)
    assert built.returncode == 0 and "2 changed" in built.stdout
    assert command("--check", folder).returncode == 0
    (folder / "01_first.ipynb").write_text("{}")
    stale = command("--check", folder)
    assert stale.returncode == 1
    assert "01_first.ipynb: differs from its source" in stale.stdout
    assert "make notebooks" in stale.stderr
    (folder / "01_first.md").write_text("broken")
    broken = command(folder)
    assert broken.returncode == 2 and "Traceback" not in broken.stderr


def test_the_committed_notebooks_belong_to_their_sources():
    stale = [result.target.name for result in build_all(REPOSITORY / "notebooks", check=True) if result.was_stale]
    assert not stale, f"run 'make notebooks' and commit {stale}"


def test_saving_from_jupyterlab_gives_the_same_source_back(tmp_path):
    """md -> ipynb -> (a save adds outputs and counts) -> md: not one byte of the source changes."""
    import jupytext

    for source in sorted((REPOSITORY / "notebooks").glob("*.md")):
        notebook = nbformat.reads(build_notebook(source), as_version=4)
        for index, cell in enumerate(notebook.cells):
            if cell.cell_type == "code":
                cell["execution_count"] = index
                cell["outputs"] = [nbformat.v4.new_output("stream", text="seen\n")]
                cell.metadata["collapsed"] = False
        # The settings of the repository, which JupyterLab's jupytext reads from jupytext.toml.
        config = jupytext.config.load_jupytext_configuration_file(str(REPOSITORY / "jupytext.toml"))
        notebook.metadata["jupytext"] = {
            "notebook_metadata_filter": config.notebook_metadata_filter,
            "cell_metadata_filter": config.cell_metadata_filter,
            "text_representation": {"extension": ".md", "format_name": "myst", "format_version": 0.13},
        }
        again = tmp_path / source.name
        again.write_text(jupytext.writes(notebook, fmt="md:myst"))
        assert build_notebook(again) == build_notebook(source)
