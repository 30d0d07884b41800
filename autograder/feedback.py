"""What a student reads after grading: marks, messages, comments and the notebook, as one page that runs nothing.

nbgrader's own template shows the outputs of the student's notebook as they are, scripts included, loads MathJax from
the network and says little besides the points. `FeedbackExporter` takes its place in ``nbgrader generate_feedback``:
the folders and names stay, the page is made here. Everything that students or their programs wrote goes through
`autograder.sanitising`; figures are drawn by `autograder.static_figures`; formulas are MathML.

Hidden tests and mark schemes stay out unless asked for. A failed test shows its message, never its traceback, because
a traceback quotes lines.
"""

from __future__ import annotations

import html
import json
import re
from dataclasses import dataclass
from pathlib import Path

from nbconvert.exporters import Exporter
from traitlets import Bool, default

from autograder import static_figures
from autograder.pages import page, points
from autograder.results import Receipt, Status, SubmissionResult
from autograder.sanitising import (
    clean_html,
    clean_markdown,
    clean_picture,
    clean_svg,
    one_line,
    preformatted,
    printable,
)

#: Bytes of one page; what does not fit is said to be left out.
PAGE_LIMIT = 460_000
CODE_LIMIT = 40_000
OUTPUT_LIMIT = 8_000
#: Of one message in the table of marks.
MESSAGE_LIMIT = 1_500

#: How the outcome of a test is told to a student: class of the badge, words.
STATUS_WORDS = {
    Status.PASS: ("good", "right"),
    Status.PARTIAL: ("part", "partly right"),
    Status.FAIL: ("bad", "not right yet"),
    Status.ERROR: ("bad", "could not be judged"),
    Status.TIMEOUT: ("bad", "took too long"),
    Status.MEMORY: ("bad", "needed too much memory"),
    Status.KILLED: ("bad", "its program ended early"),
    Status.NOT_RUN: ("bad", "was not reached"),
    Status.TAMPERED: ("bad", "its value could not be accepted"),
}


@dataclass(frozen=True)
class Question:
    """Marks of one graded cell.

    Attributes
    ----------
    grade_id : str
    points, maximum : float
    waiting : bool
        Whether a person still has to decide; then `points` mean nothing yet.
    by_hand : bool
        Whether a person marks it.
    comment : str
        What the grader wrote, in Markdown.
    """

    grade_id: str
    points: float
    maximum: float
    waiting: bool = False
    by_hand: bool = False
    comment: str = ""


@dataclass(frozen=True)
class Marks:
    """All marks of one submission, as the gradebook has them."""

    questions: tuple[Question, ...]
    late_penalty: float = 0.0

    @property
    def reached(self) -> float:
        """Points decided so far, less what being late costs."""
        return max(0.0, sum(one.points for one in self.questions if not one.waiting) - self.late_penalty)

    @property
    def maximum(self) -> float:
        return sum(one.maximum for one in self.questions)

    @property
    def waiting(self) -> float:
        return sum(one.maximum for one in self.questions if one.waiting)


def marks_in_gradebook(gradebook, notebook: str, exercise: str, student: str) -> Marks:
    """Read the marks of one notebook.

    Parameters
    ----------
    gradebook : nbgrader.api.Gradebook
        Open.
    notebook, exercise, student : str

    Returns
    -------
    Marks
        In no particular order; comments without points come as questions of 0 points.
    """
    submitted = gradebook.find_submission_notebook(notebook, exercise, student)
    known = submitted.notebook
    by_hand = {cell.name for cell in (*known.solution_cells, *known.task_cells)}
    comments = {comment.cell.name: comment.comment or "" for comment in submitted.comments}
    questions = [
        Question(
            grade.name,
            float(grade.score or 0.0),
            float(grade.max_score or 0.0),
            waiting=grade.name in by_hand and bool(grade.needs_manual_grade) and grade.manual_score is None,
            by_hand=grade.name in by_hand,
            comment=comments.pop(grade.name, ""),
        )
        for grade in submitted.grades
    ]
    questions += [Question(name, 0.0, 0.0, comment=comment) for name, comment in comments.items() if comment]
    return Marks(tuple(questions), float(submitted.late_submission_penalty or 0.0))


def record_of(class_folder: Path, exercise: str, student: str) -> SubmissionResult | None:
    """Return the grading record of a submission, or None where there is none that can be read."""
    path = Path(class_folder) / "grading" / exercise / f"{student}.json"
    try:
        return SubmissionResult.from_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


class FeedbackExporter(Exporter):
    """Makes the feedback page; nbgrader calls it when the class's configuration names it."""

    show_hidden_tests = Bool(False, help="Leave hidden tests and mark schemes in.").tag(config=True)
    output_mimetype = "text/html"

    @default("file_extension")
    def _file_extension_default(self):
        return ".html"

    def from_notebook_node(self, nb, resources=None, **options):
        notebook, resources = super().from_notebook_node(nb, resources, **options)
        if not self.show_hidden_tests:
            from autograder.preprocessors import HideHiddenTests

            # Also where the configuration is nbgrader's own and forgets it.
            notebook, resources = HideHiddenTests().preprocess(notebook, resources)
        names = resources["nbgrader"]
        from nbgrader.api import Gradebook

        with Gradebook(names["db_url"]) as gradebook:
            marks = marks_in_gradebook(gradebook, names["notebook"], names["assignment"], names["student"])
        record = record_of(self.parent.coursedir.root, names["assignment"], names["student"])
        text = feedback_page(
            notebook,
            marks,
            record,
            student=names["student"],
            exercise=names["assignment"],
            show_hidden_tests=self.show_hidden_tests,
        )
        return text, resources


def page_without_notebook(classroom, exercise: str, student: str) -> Path | None:
    """Write the page of a student whose notebook could not be run, and return where it is.

    Parameters
    ----------
    classroom : autograder.classroom.Classroom
    exercise, student : str

    Returns
    -------
    pathlib.Path or None
        None if no grading record says what happened.
    """
    record = record_of(classroom.folder, exercise, student)
    if record is None or not record.reason:
        return None
    questions = tuple(Question(one.grade_id, one.points, one.maximum) for one in record.receipts)
    place = classroom.folder / "feedback" / student / exercise
    place.mkdir(parents=True, exist_ok=True)
    path = place / f"{exercise}.html"
    path.write_text(feedback_page(None, Marks(questions), record, student=student, exercise=exercise), encoding="utf-8")
    return path


def feedback_page(
    notebook,
    marks: Marks,
    record: SubmissionResult | None = None,
    *,
    student: str,
    exercise: str,
    show_hidden_tests: bool = False,
    note: str = "",
) -> str:
    """Return the feedback of one student as a page.

    Parameters
    ----------
    notebook : NotebookNode or None
        The executed notebook, without hidden tests unless these are to be shown; None if it could not be run.
    marks : Marks
    record : SubmissionResult, optional
        Adds messages, repairs and reasons.
    student, exercise : str
    show_hidden_tests : bool
        Show tracebacks of tests, which quote their lines.
    note : str
        What is to be known before the marks are read, such as which attempt this is: plain text, a paragraph a line.

    Returns
    -------
    str
        HTML below `PAGE_LIMIT` bytes and the style sheet, without scripts.

    Examples
    --------
    >>> text = feedback_page(None, Marks((Question("mean-test", 2.0, 3.0),)), student="ada", exercise="ex01_1")
    >>> "<strong>2 of 3</strong>" in text and "<script" not in text
    True
    """
    receipts = {receipt.grade_id: receipt for receipt in (record.receipts if record else ())}
    questions = {one.grade_id: one for one in marks.questions}
    cells = notebook.cells if notebook is not None else []
    headings = _headings(cells)
    title = next((cell_title for cell in cells if (cell_title := _first_heading(cell))), exercise)
    parts = [
        _page_header(title, exercise, student),
        _note(note),
        _score(marks),
        _what_went_wrong(record),
        _marks_table(cells, questions, receipts, headings, record),
        _repairs(record),
    ]
    if notebook is not None:
        parts.append("<h2>Your notebook, as it was run</h2>")
        parts += _cells(
            cells, questions, receipts, show_hidden_tests, PAGE_LIMIT - sum(len(part.encode()) for part in parts)
        )
    parts.append(_footer(record))
    return page(f"{title}: {student}", "\n".join(part for part in parts if part))


def notice_page(note: str, *, student: str, exercise: str) -> str:
    """Return a page for a submission that has no marks: it says why.

    Parameters
    ----------
    note : str
        As for `feedback_page`.
    student, exercise : str

    Returns
    -------
    str

    Examples
    --------
    >>> text = notice_page("Attempt 4 was not graded.", student="ada", exercise="ex01_1")
    >>> "Attempt 4 was not graded." in text and "points" not in text
    True
    """
    return page(f"{exercise}: {student}", _page_header(exercise, exercise, student) + _note(note))


def _page_header(title: str, exercise: str, student: str) -> str:
    kicker = f'<p class="kicker">Feedback · {_inline(exercise)} · {_inline(student)}</p>'
    return f"<header>{kicker}<h1>{_inline(title)}</h1></header>"


def _note(note: str) -> str:
    paragraphs = "".join(f"<p>{_inline(line)}</p>" for line in note.splitlines() if line)
    return f'<div class="comment">{paragraphs}</div>' if paragraphs else ""


def _inline(text) -> str:
    return html.escape(one_line(str(text)))


def _score(marks: Marks) -> str:
    pieces = [f"<strong>{points(marks.reached)} of {points(marks.maximum)}</strong><span>points</span>"]
    if marks.waiting:
        pieces.append(f'<span class="soft">{points(marks.waiting)} more wait for a person to decide</span>')
    if marks.late_penalty:
        pieces.append(f"<span>{points(marks.late_penalty)} were taken off, because it came late</span>")
    total = marks.maximum or 1.0
    reached, waiting = 100 * marks.reached / total, 100 * marks.waiting / total
    meter = (
        '<svg class="meter" viewBox="0 0 100 12" preserveAspectRatio="none" aria-hidden="true">'
        '<rect width="100" height="12" fill="var(--line)"/>'
        f'<rect width="{reached + waiting:.2f}" height="12" fill="var(--wait)" opacity="0.45"/>'
        f'<rect width="{reached:.2f}" height="12" fill="var(--good)"/></svg>'
    )
    return f'<div class="score">{"".join(pieces)}</div>{meter}'


def _what_went_wrong(record: SubmissionResult | None) -> str:
    if record is None or not record.reason:
        return ""
    explanation = html.escape(printable(record.explanation or record.reason, limit=MESSAGE_LIMIT))
    return (
        f'<div class="notice bad"><strong>Your notebook did not run to its end: {_inline(record.reason)}.</strong>'
        f'<div class="message">{explanation}</div></div>'
    )


def _badge(question: Question, receipt: Receipt | None) -> str:
    if question.waiting:
        return '<span class="badge wait">waits for a person</span>'
    if question.maximum and question.points >= question.maximum:
        kind, words = "good", "right" if not question.by_hand else "full marks"
    elif question.points > 0:
        kind, words = "part", "partly right"
    elif receipt is not None and receipt.status in STATUS_WORDS and receipt.status is not Status.PASS:
        kind, words = STATUS_WORDS[receipt.status]
    else:
        kind, words = "bad", "no points"
    return f'<span class="badge {kind}">{words}</span>'


def _marks_table(cells, questions, receipts, headings, record) -> str:
    order = [_grade_id(cell) for cell in cells]
    rows = []
    shown = [one for one in questions.values() if one.maximum or one.points]
    shown.sort(key=lambda one: order.index(one.grade_id) if one.grade_id in order else len(order))
    for one in shown:
        receipt = receipts.get(one.grade_id)
        message = (
            printable(receipt.message, limit=MESSAGE_LIMIT) if receipt else _message_in_outputs(cells, one.grade_id)
        )
        if record is not None and receipt is not None and receipt.message == record.explanation:
            message = ""  # said once, above
        said = [f'<div class="message">{html.escape(message)}</div>'] if message and one.points < one.maximum else []
        if one.comment:
            said.append(f'<div class="comment">{clean_markdown(one.comment)}</div>')
        here = f'<a href="#cell-{order.index(one.grade_id)}">' if one.grade_id in order else ""
        name, code = _inline(headings.get(one.grade_id) or one.grade_id), ""
        if one.grade_id in headings:
            code = f'<br><code class="soft">{_inline(one.grade_id)}</code>'
        reached = "–" if one.waiting else points(one.points)
        rows.append(
            f'<tr><th scope="row">{here}{name}{"</a>" if here else ""}{code}</th>'
            f'<td class="number">{reached} / {points(one.maximum)}</td><td>{_badge(one, receipt)}</td>'
            f"<td>{''.join(said)}</td></tr>"
        )
    if not rows:
        return ""
    return (
        '<h2>Your marks</h2><div class="wide"><table class="full">'
        "<caption>Points of each question, and what the test or the grader said</caption>"
        '<thead><tr><th scope="col">Question</th><th scope="col" class="number">Points</th>'
        '<th scope="col">Result</th><th scope="col">Remark</th></tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _message_in_outputs(cells, grade_id: str) -> str:
    """Without a record the message of a failed assertion is all there is."""
    for cell in cells:
        if _grade_id(cell) == grade_id and cell.cell_type == "code":
            for output in cell.get("outputs", []):
                if output.get("output_type") == "error":
                    return _error_message(output)
    return ""


def _error_message(output) -> str:
    said = printable(str(output.get("evalue", "")), limit=MESSAGE_LIMIT)
    name = one_line(str(output.get("ename", "")), limit=60)
    return said if name == "AssertionError" and said else f"{name}: {said}".removesuffix(": ")


def _repairs(record: SubmissionResult | None) -> str:
    if record is None or not record.repairs:
        return ""
    items = "".join(f"<li>{_inline(repair.words)}</li>" for repair in record.repairs[:50])
    return (
        "<h2>What was put right before your notebook ran</h2>"
        "<p>None of this costs points. It shows where your copy differed from the one that was handed out.</p>"
        f"<ul>{items}</ul>"
    )


def _footer(record: SubmissionResult | None) -> str:
    words = ["This page is a picture of the run: it needs no network, and nothing in it can be run."]
    if record is not None and record.cpu_s:
        words.append(
            f"Your notebook took {record.cpu_s:.1f} s of computing time and {record.peak_memory_mb:.0f} MB of memory."
        )
    return f"<footer>{' '.join(words)}</footer>"


# -- the notebook -----------------------------------------------------------------------------------------------


def _grading(cell) -> dict:
    grading = cell.get("metadata", {}).get("nbgrader")
    return grading if isinstance(grading, dict) else {}


def _grade_id(cell) -> str:
    return str(_grading(cell).get("grade_id", ""))


_HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*\s*$", re.MULTILINE)


def _first_heading(cell) -> str:
    found = _HEADING.search(cell.source) if cell.cell_type == "markdown" else None
    return _without_markup(found[1]) if found else ""


def _headings(cells) -> dict[str, str]:
    """The heading above each graded cell."""
    last, found = "", {}
    for cell in cells:
        if cell.cell_type == "markdown" and not _grading(cell).get("solution"):
            for heading in _HEADING.findall(cell.source[:20_000]):
                last = _without_markup(heading)
        if _grade_id(cell):
            found[_grade_id(cell)] = last
    # One heading for all, usually the title, tells nothing about a question.
    return found if len(set(found.values())) > 1 else {}


def _without_markup(text: str) -> str:
    return one_line(re.sub(r"[*_`$]", "", text), limit=120)


def _cells(cells, questions, receipts, show_hidden_tests, budget) -> list[str]:
    parts = []
    for number, cell in enumerate(cells):
        part = _cell(cell, number, questions, receipts, show_hidden_tests, budget)
        budget -= len(part.encode())
        if budget < 0:
            left = len(cells) - number
            parts.append(
                f'<p class="notice">The last {left} cell{"s are" if left > 1 else " is"} left out, because the page '
                "would become too large. Your own notebook has them.</p>"
            )
            break
        parts.append(part)
    return parts


def _cell(cell, number, questions, receipts, show_hidden_tests, budget) -> str:
    grading = _grading(cell)
    question = questions.get(_grade_id(cell))
    is_test = bool(grading.get("grade")) and not grading.get("solution")
    is_own = bool(grading.get("solution"))
    if cell.cell_type == "markdown":
        inside = f'<div class="text">{clean_markdown(cell.source, cell.get("attachments"))}</div>'
    elif cell.cell_type == "code":
        code = f"<pre>{highlighted(cell.source)}</pre>" if cell.source.strip() else ""
        if is_test:
            code = f"<details><summary>The test</summary>{code}</details>"
        inside = code + _outputs(cell.get("outputs", []), is_test and not show_hidden_tests, budget - len(code))
    else:
        inside = preformatted(cell.source)
    header = ""
    if question is not None or is_test or is_own or grading.get("task"):
        what = "Test" if is_test else "Your answer" if is_own else "Task"
        badge = score = ""
        if question is not None and question.maximum:
            badge = _badge(question, receipts.get(question.grade_id))
            score = f"{'–' if question.waiting else points(question.points)} of {points(question.maximum)} points"
        name = f"<code>{_inline(_grade_id(cell))}</code>"
        header = f"<header><strong>{what}</strong>{name}<span>{score}</span>{badge}</header>"
    comment = (
        f'<div class="comment"><strong>Comment</strong>{clean_markdown(question.comment)}</div>'
        if (question is not None and question.comment)
        else ""
    )
    kind = "cell graded" if header else "cell"
    return f'<section class="{kind}" id="cell-{number}">{header}{inside}{comment}</section>'


def highlighted(source: str) -> str:
    """Return Python code as escaped HTML with a few marks for colour.

    Examples
    --------
    >>> highlighted("x = 1  # <one>")
    'x = <span class="m">1</span>  <span class="c"># &lt;one&gt;</span>'
    """
    from pygments.lexers import PythonLexer
    from pygments.token import Comment, Keyword, Name, Number, Operator, String

    text = printable(source, limit=CODE_LIMIT)
    kinds = (
        (Keyword, "k"),
        (Operator.Word, "k"),
        (String, "s"),
        (Comment, "c"),
        (Number, "m"),
        (Name.Function, "f"),
        (Name.Class, "f"),
    )
    parts = []
    for token, value in PythonLexer(ensurenl=False, stripnl=False).get_tokens(text):
        kind = next((name for family, name in kinds if token in family), "")
        escaped = html.escape(value, quote=False)
        parts.append(f'<span class="{kind}">{escaped}</span>' if kind and value.strip() else escaped)
    return "".join(parts)


def _outputs(outputs, only_messages: bool, budget: int) -> str:
    parts = []
    for output in outputs[:200]:
        shown = _output(output, only_messages)
        budget -= len(shown)
        if budget < 0:
            parts.append('<p class="soft small">More output is left out here. Your own notebook has it.</p>')
            break
        parts.append(shown)
    return "".join(parts)


def _output(output, only_messages: bool) -> str:
    kind = output.get("output_type")
    if kind == "stream":
        shown = preformatted(_joined(output.get("text")), limit=OUTPUT_LIMIT)
        if output.get("name") == "stderr":
            return f'<details class="output"><summary>Notes and warnings</summary>{shown}</details>'
        return f'<div class="output">{shown}</div>'
    if kind == "error":
        message = f'<div class="output message error bad">{html.escape(_error_message(output))}</div>'
        if only_messages:
            return message
        trace = preformatted("\n".join(str(line) for line in _lines(output.get("traceback"))), limit=OUTPUT_LIMIT)
        return f'{message}<details class="output"><summary>Where it happened</summary>{trace}</details>'
    data = output.get("data")
    return f'<div class="output">{_best_picture_of(data)}</div>' if isinstance(data, dict) else ""


def _joined(text) -> str:
    return "".join(str(part) for part in text) if isinstance(text, list) else str(text or "")


def _lines(value) -> list:
    return value if isinstance(value, list) else [value or ""]


def _best_picture_of(data: dict) -> str:
    """The richest form of an output that can be shown without running anything."""
    plotly = data.get("application/vnd.plotly.v1+json")
    if isinstance(plotly, dict):
        return static_figures.draw(plotly)
    plain = _joined(data.get("text/plain"))
    alternative = html.escape(one_line(plain, limit=120))
    for kind in ("image/png", "image/jpeg"):
        if kind in data:
            source = clean_picture(kind, _joined(data[kind]))
            return f'<img src="{source}" alt="{alternative}">' if source else _not_shown("A picture", alternative)
    if "image/svg+xml" in data:
        source = clean_svg(_joined(data["image/svg+xml"]))
        return f'<img src="{source}" alt="{alternative}">' if source else _not_shown("A drawing", alternative)
    if "text/html" in data:
        shown = clean_html(_joined(data["text/html"]))
        if re.sub(r"<[^>]*>", "", shown).strip() or "<img" in shown:
            return shown
    if "text/markdown" in data:
        return clean_markdown(_joined(data["text/markdown"]))
    if "text/latex" in data:
        return clean_markdown(_joined(data["text/latex"]))
    if "application/json" in data and not plain:
        return preformatted(json.dumps(data["application/json"], indent=1, default=str), limit=OUTPUT_LIMIT)
    return preformatted(plain, limit=OUTPUT_LIMIT) if plain else ""


def _not_shown(what: str, alternative: str) -> str:
    return f'<p class="soft small">{what} that cannot be shown here. {alternative}</p>'
