"""The website: chapters as they ran, released problem sets, pages for teachers; all of it works without a network.

``make site`` executes the notebooks (``course run``) and builds ``_build/site`` from the executed copies. Figures
are drawn by the installed plotly.js, formulas by the installed MathJax, and the explorables that compute in the
browser are live: their script and their state are all they need.

Problem sets come from the release only: a page made from the source would ship its solutions, hidden or not.
"""

from __future__ import annotations

import html
import importlib.metadata
import json
import re
import shutil
import sys
from pathlib import Path

import nbformat

from autograder.errors import CourseError

EXPLORABLE = "application/vnd.course.explorable+json"
PLOTLY = "application/vnd.plotly.v1+json"

#: Pages for teachers and authors: title of their part of the table of contents, files in ``docs/``.
_GUIDES = "Teaching"


class FigureRenderer:
    """Turns plotly figures and explorables into HTML; myst-nb finds it by its entry point ``course_figures``."""

    mime_priority_overrides = ()

    @staticmethod
    def handle_mime(renderer, data, inline):
        """Return the HTML node of an output, or None for every other kind of output.

        Parameters
        ----------
        renderer : myst_nb.core.render.NbElementRenderer
        data : myst_nb.core.render.MimeData
        inline : bool

        Returns
        -------
        list of docutils.nodes.raw or None
        """
        if inline or data.mime_type not in {EXPLORABLE, PLOTLY}:
            return None
        from docutils import nodes

        write = explorable_html if data.mime_type == EXPLORABLE else figure_html
        return [nodes.raw(text=write(data.content), format="html")]


def explorable_html(content: dict) -> str:
    """Return the place of a live explorable, with its state inside and its summary for those without scripts.

    Parameters
    ----------
    content : dict
        ``class``, ``state`` and ``summary``, as `course_lib.explorables.base` saves them.

    Examples
    --------
    >>> explorable_html({"class": "PixelArithmetic", "state": {}, "summary": "The sum is <b>."})[:57]
    '<div class="course-live" data-name="pixel_arithmetic"><p>'
    """
    from course_lib import explorables

    name = getattr(explorables, content["class"]).name
    return f'<div class="course-live" data-name="{name}">{_summary(content["summary"])}{_json(content["state"])}</div>'


def figure_html(content: dict) -> str:
    """Return the place of a plotly figure, with its data inside and its title for those without scripts.

    Examples
    --------
    >>> figure_html({"data": [], "layout": {"title": {"text": "Energy"}}})[:62]
    '<div class="course-figure" role="figure" aria-label="Energy"><'
    """
    title = content.get("layout", {}).get("title", {})
    words = [title.get("text"), (title.get("subtitle") or {}).get("text")] if isinstance(title, dict) else [title]
    label = " ".join(re.sub(r"<[^>]*>", " ", word) for word in words if word) or "Figure"
    keep = {"data": content["data"], "layout": content.get("layout", {}), "config": content.get("config", {})}
    return (
        f'<div class="course-figure" role="figure" aria-label="{html.escape(label)}">'
        f"{_summary(label)}{_json(keep)}</div>"
    )


def _summary(text):
    return f"<p>{html.escape(text)}</p>"


def _json(content):
    # "</script>" inside a text would end the element.
    text = json.dumps(content, separators=(",", ":"), ensure_ascii=False).replace("<", "\\u003c")
    return f'<script type="application/json">{text}</script>'


def lay_out(repository: Path, executed_folder: Path, target: Path) -> None:
    """Write all pages of the site, as Sphinx reads them, into an empty folder.

    Parameters
    ----------
    repository : pathlib.Path
    executed_folder : pathlib.Path
        Where ``course run`` left the executed copies of all notebooks.
    target : pathlib.Path
        What is in there is deleted first.

    Raises
    ------
    CourseError
        If an executed copy is missing.
    """
    from autograder import problem_sets
    from autograder.gate import release_notebook

    shutil.rmtree(target, ignore_errors=True)
    (target / "exercises").mkdir(parents=True)
    names = sorted(source.stem for source in (repository / "notebooks").glob("*.md"))
    for name in names:
        executed = executed_folder / f"{name}.ipynb"
        if not executed.is_file():
            raise CourseError(f"{executed} is missing: execute the notebooks first (course run).")
        notebook = nbformat.read(executed, as_version=4)
        _drop_empty_outputs(notebook)
        nbformat.write(notebook, target / executed.name)
    exercises = problem_sets.all_problem_sets()
    for problem_set in exercises:
        built = problem_sets.build_source(problem_set, target / "exercises" / f"{problem_set.name}.ipynb")
        nbformat.write(_folded_tests(release_notebook(nbformat.read(built, as_version=4))), built)
    guides = sorted((repository / "docs").glob("*.md"))
    for guide in guides:
        shutil.copyfile(guide, target / guide.name)
    for picture in (repository / "docs" / "_static").glob("*/*.png"):
        copy = target / picture.relative_to(repository / "docs")
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(picture, copy)

    chapters = [name for name in names if re.match(r"\d\d_", name)]
    tours = [name for name in names if name not in chapters and name != "index"]
    parts = [
        ("Chapters", chapters),
        ("Tours", tours),
        ("Problem sets", [f"exercises/{problem_set.name}" for problem_set in exercises]),
        (_GUIDES, [guide.stem for guide in guides]),
    ]
    index = nbformat.read(target / "index.ipynb", as_version=4)
    # Directives are raw text in Jupyter, so the table of contents exists on the site only.
    index.cells += [nbformat.v4.new_markdown_cell(_toctree(title, pages)) for title, pages in parts if pages]
    nbformat.write(index, target / "index.ipynb")


def _folded_tests(release):
    """Fold the tests away: a reader of the page looks for the questions first."""
    for cell in release.cells:
        if cell.cell_type == "code" and cell.metadata.get("nbgrader", {}).get("grade"):
            cell.metadata["tags"] = [*cell.metadata.get("tags", []), "hide-input"]
            cell.metadata["mystnb"] = {"code_prompt_show": "Show the test", "code_prompt_hide": "Hide the test"}
    return release


def _toctree(title, pages):
    return "\n".join(["```{toctree}", ":hidden:", f":caption: {title}", "", *pages, "```"])


def _drop_empty_outputs(notebook):
    """Leave out outputs that say nothing (a repr of None, an empty stream): each would be an empty box."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if output.output_type != "stream" or output.text.strip()]


def write_static_files(folder: Path) -> None:
    """Copy what the pages load: plotly.js, MathJax, and the scripts and style sheet of all explorables.

    Parameters
    ----------
    folder : pathlib.Path
        The ``_static`` folder of the built site.
    """
    import plotly

    from course_lib import explorables
    from course_lib.explorables.base import Explorable
    from course_lib.explorables.kernel_backed import KernelBacked

    shutil.copyfile(Path(plotly.__file__).parent / "package_data" / "plotly.min.js", folder / "plotly.min.js")
    # Its folder has a hyphen and cannot be imported. Speech rules and other bundles would double the size of the site.
    (script,) = (file for file in importlib.metadata.files("sphinx-mathjax-offline") if file.name == "tex-chtml.js")
    shutil.copytree(
        Path(script.locate()).parent, folder / "mathjax", ignore=shutil.ignore_patterns("sre", "tex-*", "mml-*")
    )
    shutil.copyfile(script.locate(), folder / "mathjax" / "tex-chtml.js")
    (folder / "explorables").mkdir(exist_ok=True)
    for name in explorables.__all__:
        explorable = getattr(explorables, name)
        if not issubclass(explorable, KernelBacked):  # without a kernel these leave their figure only
            (folder / "explorables" / f"{explorable.name}.js").write_text(explorable.script(), encoding="utf-8")
    (folder / "explorables.css").write_text(Explorable.stylesheet(), encoding="utf-8")


def build(repository: Path, executed_folder: Path, target: Path) -> Path:
    """Build the website; any warning of Sphinx is an error.

    Parameters
    ----------
    repository : pathlib.Path
    executed_folder : pathlib.Path
        Where ``course run`` left the executed notebooks.
    target : pathlib.Path
        Folder of the site; its sources are laid out beside it.

    Returns
    -------
    pathlib.Path
        The first page.

    Raises
    ------
    CourseError
        If a notebook is missing, or Sphinx warns.
    """
    from sphinx.application import Sphinx
    from sphinx.errors import SphinxError
    from sphinx.util.docutils import docutils_namespace, patch_docutils

    sources = target.parent / f"{target.name}_source"
    lay_out(repository, executed_folder, sources)
    shutil.rmtree(target, ignore_errors=True)
    (target / "_static").mkdir(parents=True)
    write_static_files(target / "_static")
    try:
        with patch_docutils(str(repository / "docs")), docutils_namespace():
            sphinx = Sphinx(
                srcdir=str(sources),
                confdir=str(repository / "docs"),
                outdir=str(target),
                doctreedir=str(target.parent / f"{target.name}_doctrees"),
                buildername="html",
                status=None,
                warningiserror=True,
                freshenv=True,
            )
            sphinx.build(force_all=True)
    except SphinxError as error:
        raise CourseError(f"The website was not built: {error}") from error
    if sphinx.statuscode:
        raise CourseError("The website was not built: see the warnings of Sphinx above.")
    return target / "index.html"


def main() -> int:
    """Execute all notebooks and build the site: what ``make site`` calls."""
    from rich.console import Console

    from autograder.repository import find_repository
    from autograder.running import print_report, run_notebooks

    console = Console()
    repository = find_repository()
    try:
        results = run_notebooks(repository, on_finished=lambda result: console.print(f"executed {result.name}"))
        print_report(results, console)
        if not all(result.ok for result in results):
            raise CourseError("The website was not built: a notebook failed.")
        page = build(repository, repository / "_build" / "executed", repository / "_build" / "site")
    except CourseError as error:
        print(error, file=sys.stderr)
        return 1
    # Browsers load no script modules from files, so the live explorables need a server.
    console.print(f"Built {page.parent}. To read it: {sys.executable} -m http.server -d {page.parent}", soft_wrap=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
