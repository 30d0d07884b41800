"""The feedback page: marks as in the gradebook, secrets kept, hostile notebooks quiet, small, the same by nbgrader."""

import base64
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_sanitising import HOSTILE_HTML, HOSTILE_MARKDOWN, HOSTILE_SVG, MARK, asked_of_the_browser, png

from autograder.classroom import Classroom, new_class
from autograder.feedback import Marks, Question, feedback_page, highlighted
from autograder.results import Receipt, Repair, Status, SubmissionResult

TOY = Path(__file__).parent / "toy_assignments"
EXERCISE = "ex01_1"


def graded_cell(grade_id, source="assert True", outputs=(), points=3):
    grading = {"grade": True, "solution": False, "locked": True, "task": False, "points": points, "grade_id": grade_id}
    return nbformat.v4.new_code_cell(source, metadata={"nbgrader": grading}, outputs=list(outputs))


def own_cell(source="", outputs=()):
    return nbformat.v4.new_code_cell(source, outputs=list(outputs))


def display(**data):
    return nbformat.v4.new_output("display_data", data={key.replace("_", "/", 1): value for key, value in data.items()})


def shown(*cells, questions=(), record=None, **options):
    notebook = nbformat.v4.new_notebook(cells=list(cells))
    return feedback_page(notebook, Marks(tuple(questions)), record, student="ada", exercise=EXERCISE, **options)


# -- what it says ---------------------------------------------------------------------------------------------------


def test_marks_messages_repairs_and_comments_are_there():
    record = SubmissionResult(
        "ada",
        EXERCISE,
        receipts=(
            Receipt("mean-test", Status.FAIL, 0.0, 3.0, "the mean of 1, 2, 3 is 2, yours is 3", "secret traceback"),
            Receipt("fraction-test", Status.TIMEOUT, 0.0, 2.0, "It took longer than 60 s."),
        ),
        repairs=(Repair("restored", "mean-test", "The test cell mean-test was missing and is back."),),
        waiting=4.0,
    )
    questions = [
        Question("mean-test", 0.0, 3.0),
        Question("fraction-test", 0.0, 2.0),
        Question("median-answer", 0.0, 4.0, waiting=True, by_hand=True),
        Question("sketch-task", 2.5, 5.0, by_hand=True, comment="Good **sketch**, but no units."),
    ]
    text = shown(graded_cell("mean-test"), graded_cell("fraction-test"), questions=questions, record=record)
    for words in (
        "<strong>2.5 of 14</strong>",
        "4 more wait for a person",
        "the mean of 1, 2, 3 is 2, yours is 3",
        "not right yet",
        "took too long",
        "waits for a person",
        "partly right",
        "The test cell mean-test was missing and is back.",
        "Good <strong>sketch</strong>, but no units.",
    ):
        assert words in text, words
    assert "secret traceback" not in text


def test_being_late_is_said_and_never_below_zero():
    marks = Marks((Question("q", 1.0, 3.0),), late_penalty=2.0)
    assert marks.reached == 0.0
    text = feedback_page(None, marks, student="ada", exercise=EXERCISE)
    assert "<strong>0 of 3</strong>" in text and "2 were taken off" in text


def test_a_notebook_that_could_not_run_has_its_reason():
    record = SubmissionResult("ada", EXERCISE, reason="unreadable", explanation="Its JSON breaks in line 1.\nOpen it.")
    text = feedback_page(None, Marks(()), record, student="ada", exercise=EXERCISE)
    assert "did not run to its end: unreadable" in text and "Its JSON breaks in line 1." in text


def test_a_failed_test_shows_its_message_and_not_its_traceback():
    error = nbformat.v4.new_output(
        "error", ename="AssertionError", evalue="another mean is wrong", traceback=["assert mean([3.875]) == hidden"]
    )
    text = shown(graded_cell("mean-test", outputs=[error]), questions=[Question("mean-test", 0.0, 3.0)])
    assert "another mean is wrong" in text and "3.875" not in text
    assert "3.875" in shown(graded_cell("mean-test", outputs=[error]), show_hidden_tests=True)
    # In the student's own cell the traceback is of help.
    assert "3.875" in shown(own_cell(outputs=[error]))


# -- outputs --------------------------------------------------------------------------------------------------------


def test_each_kind_of_output_has_its_form():
    figure = {"data": [{"type": "scatter", "y": [1, 2, 3]}], "layout": {"title": {"text": "A curve"}}}
    picture = base64.b64encode(png()).decode()
    text = shown(
        own_cell(outputs=[display(**{"application_vnd.plotly.v1+json": figure, "text_html": "<div>plotly div</div>"})]),
        own_cell(outputs=[display(image_png=picture, text_plain="<Figure>")]),
        own_cell(
            outputs=[display(**{"image_svg+xml": "<svg xmlns='http://www.w3.org/2000/svg'><rect width='3'/></svg>"})]
        ),
        own_cell(outputs=[display(text_html="<table><tr><td>7</td></tr></table>", text_plain="a table")]),
        own_cell(outputs=[display(text_markdown="**bold** $x^2$")]),
        own_cell(outputs=[display(text_latex="$$E=mc^2$$")]),
        own_cell(outputs=[nbformat.v4.new_output("stream", name="stderr", text="\x1b[31ma warning\x1b[0m")]),
        own_cell(outputs=[nbformat.v4.new_output("execute_result", data={"text/plain": "np.float64(0.5)"})]),
    )
    assert ">A curve</text>" in text and "plotly div" not in text
    assert f"data:image/png;base64,{picture}" in text and 'alt="&lt;Figure&gt;"' in text
    assert "data:image/svg+xml;base64," in text
    assert "<td>7</td>" in text and "a table" not in text
    assert text.count("<math") == 2
    assert re.search(r"<summary>Notes and warnings</summary><pre>a warning</pre>", text)
    assert "<pre>np.float64(0.5)</pre>" in text


def test_a_page_stays_small_and_says_what_it_leaves_out():
    big = base64.b64encode(png(300, 300, extra=[(b"tEXt", b"x" * 100_000)])).decode()
    noise = base64.b64encode(os.urandom(900_000)).decode()
    cells = [
        own_cell("x = 1\n" * 20_000, [nbformat.v4.new_output("stream", name="stdout", text="line\n" * 1_000_000)]),
        *(own_cell(f"n = {n}", [display(image_png=big), display(image_png=noise)]) for n in range(40)),
        *(own_cell(outputs=[display(text_html="<b>x</b>" * 12_000)]) for _ in range(20)),
    ]
    text = shown(*cells)
    assert len(text.encode()) < 500_000
    assert "characters more]" in text and "left out" in text and "cannot be shown here" in text
    assert text.rstrip().endswith("</html>")


JSONISH = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.just("<script>x()</script>"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)
KINDS = st.sampled_from(
    [
        *("text/html", "text/plain", "image/png", "image/svg+xml", "text/markdown", "text/latex", "application/json"),
        *("application/vnd.plotly.v1+json", "application/javascript", "text/unknown"),
    ]
)
DATA = st.dictionaries(KINDS, JSONISH, max_size=3) | JSONISH
OUTPUTS = st.one_of(
    st.fixed_dictionaries({"output_type": st.just("display_data"), "data": DATA}),
    st.fixed_dictionaries({"output_type": st.just("stream"), "name": JSONISH, "text": JSONISH}),
    st.fixed_dictionaries({"output_type": st.just("error"), "ename": JSONISH, "evalue": JSONISH, "traceback": JSONISH}),
    st.fixed_dictionaries({"output_type": JSONISH}),
)


@settings(max_examples=120, deadline=None)
@given(st.lists(OUTPUTS, max_size=3), st.text(max_size=60), st.dictionaries(st.text(max_size=9), JSONISH, max_size=2))
def test_no_output_stops_the_feedback(outputs, source, grading):
    # What the engine writes is checked, what other tools left in autograded/ is not.
    cells = [
        nbformat.from_dict({"cell_type": kind, "source": source, "metadata": {"nbgrader": grading}, "outputs": outputs})
        for kind in ("code", "markdown", "raw")
    ]
    text = feedback_page(nbformat.from_dict({"cells": cells}), Marks(()), student="ada", exercise=EXERCISE)
    assert "<script" not in text
    text.encode("utf-8")


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=120))
def test_code_is_escaped_and_complete(source):
    import html

    from autograder.sanitising import printable

    colourless = re.sub(r'</?span(?: class="[a-z]")?>', "", highlighted(source))
    # Pygments ends lines in its own way; nothing else may be lost or added.
    assert html.unescape(colourless).splitlines() == printable(source).splitlines()


@pytest.mark.browser
def test_a_hostile_notebook_is_quiet_in_a_browser(browser_page, tmp_path):
    from autograder.feedback import Question

    hostile = [*HOSTILE_HTML, *HOSTILE_MARKDOWN, *HOSTILE_SVG]
    cells = [nbformat.v4.new_markdown_cell(text) for text in hostile]
    for text in hostile:
        plotly = {"data": [{"type": "scatter", "y": [1, 2], "name": text}], "layout": {"title": {"text": text}}}
        pictures = [display(**{"image_svg+xml": text}), display(text_markdown=text)]
        cells.append(own_cell(text, [display(text_html=text), *pictures]))
        cells.append(own_cell(outputs=[display(**{"application_vnd.plotly.v1+json": plotly})]))
        cells.append(own_cell(outputs=[nbformat.v4.new_output("error", ename=text, evalue=text, traceback=[text])]))
        cells.append(own_cell(outputs=[display(application_javascript=MARK, text_plain=text)]))
    record = SubmissionResult(
        HOSTILE_HTML[0],
        EXERCISE,
        receipts=(Receipt("q", Status.FAIL, 0.0, 1.0, HOSTILE_HTML[1]),),
        repairs=(Repair("renamed", "q", HOSTILE_HTML[2]),),
        reason=HOSTILE_HTML[0],
        explanation=HOSTILE_HTML[1],
    )
    cells += [nbformat.from_dict({"cell_type": "raw", "source": HOSTILE_HTML[0], "metadata": {}})]
    questions = [Question("q", 0.0, 1.0, comment=HOSTILE_HTML[1])]
    notebook = nbformat.v4.new_notebook(cells=cells)
    text = feedback_page(notebook, Marks(tuple(questions)), record, student=HOSTILE_HTML[0], exercise=HOSTILE_HTML[1])
    path = tmp_path / "feedback.html"
    path.write_text(text.replace("Content-Security-Policy", "X-None"), encoding="utf-8")
    quiet = {"ran": 0, "dialogs": [], "sent": [], "at": path.as_uri()}
    assert asked_of_the_browser(browser_page, path) == quiet


@pytest.mark.browser
def test_the_page_reads_well_in_both_themes(browser_page, tmp_path):
    from axe_playwright_python.sync_playwright import Axe

    figure = {"data": [{"type": "scatter", "y": [1, 3, 2]}], "layout": {"title": {"text": "Loss"}}}
    record = SubmissionResult("ada", EXERCISE, receipts=(Receipt("mean-test", Status.FAIL, 0.0, 3.0, "it is 2"),))
    text = shown(
        nbformat.v4.new_markdown_cell("# Means\n\nThe mean is $\\frac{1}{n}\\sum_i x_i$."),
        own_cell(
            "import math  # a comment\nx = 'text' + str(1.5)\ndef f(): return x",
            [display(**{"application_vnd.plotly.v1+json": figure})],
        ),
        graded_cell("mean-test"),
        questions=[Question("mean-test", 0.0, 3.0), Question("median-answer", 0.0, 4.0, waiting=True, by_hand=True)],
        record=record,
    )
    path = tmp_path / "checked.html"
    path.write_text(text.replace("Content-Security-Policy", "X-None"), encoding="utf-8")
    for scheme in ("light", "dark"):
        browser_page.emulate_media(color_scheme=scheme)
        browser_page.goto(path.as_uri())
        found = Axe().run(browser_page)
        assert found.violations_count == 0, found.generate_report()
    # A formula is laid out by the browser itself.
    assert browser_page.locator("mfrac").bounding_box()["height"] > 15


# -- in a class -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def classroom(tmp_path_factory):
    """The toy class with one submission, executed by hand: a script in an output, a failed hidden test, a comment."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COURSE_ASSIGNMENTS_DIR", str(TOY))
        made = new_class(tmp_path_factory.mktemp("class"), "Toy")
        made.release(EXERCISE)
        notebook = nbformat.read(made.folder / "source" / EXERCISE / f"{EXERCISE}.ipynb", as_version=4)
        for cell in notebook.cells:
            if cell.metadata.get("nbgrader", {}).get("grade_id") == "mean-test":
                hidden = [line for line in cell.source.splitlines() if "3.875" in line]
                cell.outputs = [
                    nbformat.v4.new_output(
                        "error", ename="AssertionError", evalue="another mean is wrong", traceback=hidden
                    )
                ]
        notebook.cells.insert(1, own_cell("show()", [display(text_html="<script>alert(1)</script><b>shown</b>")]))
        for step in ("submitted", "autograded"):
            place = made.folder / step / "ada" / EXERCISE
            place.mkdir(parents=True)
            nbformat.write(notebook, place / f"{EXERCISE}.ipynb")
        with made.gradebook() as gradebook:
            gradebook.add_student("ada")
            submission = gradebook.add_submission(EXERCISE, "ada")
            for grade in submission.notebooks[0].grades:
                grade.auto_score = {"fraction-test": 2.0, "mean-test": 0.0}.get(grade.name)
                grade.needs_manual_grade = grade.name == "median-answer"
                if grade.name == "sketch-task":
                    grade.manual_score = 4.0
            for comment in submission.notebooks[0].comments:
                if comment.name == "sketch-task":
                    comment.manual_comment = "Nice <img src=x onerror=alert(1)> sketch"
            gradebook.db.commit()
        yield made


def check_page(text):
    assert "<strong>6 of 14</strong>" in text and "4 more wait for a person" in text
    assert "another mean is wrong" in text and "<b>shown</b>" in text and "sketch" in text
    for secret in ("3.875", "Three points for the sample", "HIDDEN", "<script", "onerror"):
        assert secret not in text


def test_the_class_writes_the_page_where_nbgrader_would(classroom):
    (path,) = classroom.feedback(EXERCISE, "ada").pages
    assert path == classroom.folder / "feedback" / "ada" / EXERCISE / f"{EXERCISE}.html"
    check_page(path.read_text(encoding="utf-8"))
    (path,) = classroom.feedback(EXERCISE, "ada", show_hidden_tests=True).pages
    text = path.read_text(encoding="utf-8")
    assert "3.875" in text and "Three points for the sample" in text and "<script" not in text
    classroom.feedback(EXERCISE, "ada")


@pytest.mark.slow
def test_nbgraders_own_command_writes_the_same_page(classroom):
    (path,) = classroom.feedback(EXERCISE, "ada").pages
    ours = path.read_text(encoding="utf-8")
    shutil.rmtree(path.parent)
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", "generate_feedback", EXERCISE],
        cwd=classroom.folder,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert path.read_text(encoding="utf-8") == ours


def test_a_student_without_a_notebook_gets_the_reason_as_a_page(classroom):
    place = classroom.folder / "grading" / EXERCISE
    place.mkdir(parents=True, exist_ok=True)
    record = SubmissionResult("ben", EXERCISE, reason="no notebook", explanation="Hand in ex01_1.ipynb.")
    (place / "ben.json").write_text(record.to_json())
    (path,) = classroom.feedback(EXERCISE, "ben").pages
    assert "no notebook" in path.read_text(encoding="utf-8") and "Hand in ex01_1.ipynb." in path.read_text(
        encoding="utf-8"
    )
    assert json.loads((place / "ben.json").read_text())["reason"] == "no notebook"
    assert Classroom(classroom.folder).feedback(EXERCISE, "nobody").pages == ()
