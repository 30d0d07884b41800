"""What an instructor wants to know after a run: which questions went how, why marks were lost, what it cost.

Everything is read from the grading records of one exercise (``grading/EXERCISE/STUDENT.json``); nothing is run again.
`summarise` turns them into a `Report`, which `print_report` shows in the terminal and `autograder.report_page` as one
page with plots. `explain` says for one student why each mark was given.

Messages are grouped by what they say, numbers aside. A message that one of the problem set's mutants also provokes
names a likely misunderstanding: a mutant is a wrong answer that students are known to write, and its docstring says
what is wrong about it.
"""

from __future__ import annotations

import ast
import dataclasses
import hashlib
import json
import re
import statistics
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from autograder import similarity
from autograder.errors import CourseError
from autograder.pages import points
from autograder.results import Receipt, Status, SubmissionResult
from autograder.sanitising import one_line, printable

#: Fewer submissions say nothing about how well a question tells students apart.
DISCRIMINATION_AT_LEAST = 5
#: Said instead of the error that an answer gives when nobody wrote it.
UNTOUCHED = "The answer was left as it was handed out."
#: Rows of tables in the terminal that could be long.
ROWS_LIMIT = 12
#: Files of ours beside the records begin with a dot.
_MISTAKES_FILE = ".mistakes.json"


@dataclass(frozen=True)
class Question:
    """How one test went.

    Attributes
    ----------
    grade_id : str
    maximum, mean, spread : float
        Points; `spread` is the standard deviation over the class.
    full, zero : float
        Share of students with all and with no points.
    discrimination : float or None
        Correlation of this question's points with the points of all others, -1 to 1: low means that good and weak
        students do alike here, negative that something is wrong with the question. None where it says nothing.
    statuses : dict
        Status to number of students.
    """

    grade_id: str
    maximum: float
    mean: float
    spread: float
    full: float
    zero: float
    discrimination: float | None
    statuses: dict[str, int]


@dataclass(frozen=True)
class Message:
    """A message that students got, numbers aside, and who got it."""

    grade_id: str
    text: str
    students: tuple[str, ...]
    mistakes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Mistake:
    """A wrong answer that is known: the mutant's name, what is wrong about it, and what the tests say to it."""

    name: str
    task: str
    description: str
    messages: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Misunderstanding:
    """A known mistake that students of this class probably made.

    ``certain`` is False where other known mistakes provoke the same messages.
    """

    mistake: Mistake
    students: tuple[str, ...]
    certain: bool


@dataclass(frozen=True)
class Report:
    """Everything about one exercise of one class."""

    exercise: str
    title: str
    records: tuple[SubmissionResult, ...]
    questions: tuple[Question, ...]
    messages: tuple[Message, ...]
    misunderstandings: tuple[Misunderstanding, ...]
    pairs: tuple[similarity.Pair, ...] = ()
    answers: dict[str, dict[str, str]] = field(default_factory=dict, repr=False)
    given: tuple[str, ...] = field(default=(), repr=False)


# -- reading ----------------------------------------------------------------------------------------------------


def exercise_name(folder: Path, exercise: str) -> str:
    """Return the name under which a class keeps an exercise; any usual spelling may be given.

    Raises
    ------
    CourseError
        If nothing of it has been graded.
    """
    if not (folder / "grading" / exercise).is_dir():
        from autograder import problem_sets

        exercise = problem_sets.find(exercise).name
    if not (folder / "grading" / exercise).is_dir():
        raise CourseError(
            f"{exercise} has not been graded in this class: run 'course grade {folder} {exercise}' first."
        )
    return exercise


def load(folder: Path, exercise: str) -> tuple[list[SubmissionResult], dict[str, dict[str, str]]]:
    """Read the records of one exercise.

    Parameters
    ----------
    folder : pathlib.Path
        Of the class.
    exercise : str
        Its name there.

    Returns
    -------
    records : list of SubmissionResult
        Sorted by student, without their notebooks and logs: 500 of them would fill the memory.
    answers : dict
        Student to (grade id to source) of the code cells that the student wrote.

    Raises
    ------
    CourseError
        If there is no record.
    """
    records, answers = [], {}
    for path in sorted((folder / "grading" / exercise).glob("*.json")):
        try:
            record = SubmissionResult.from_json(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue  # a file of something else
        answers[record.student] = answers_in(record.notebook)
        records.append(dataclasses.replace(record, notebook="", log=""))
    if not records:
        place = folder / "grading" / exercise
        raise CourseError(f"No grading record in {place}: run 'course grade {folder} {exercise}' first.")
    return records, answers


def answers_in(notebook: str | dict) -> dict[str, str]:
    """Return the code that a student wrote: answer cells by grade id, and all own cells together as ``own cells``.

    Examples
    --------
    >>> answer = {"grade_id": "mean-answer", "solution": True}
    >>> cells = [{"cell_type": "code", "source": "x = 1", "metadata": {"nbgrader": answer}}]
    >>> answers_in({"cells": cells})
    {'mean-answer': 'x = 1'}
    """
    try:
        content = json.loads(notebook) if isinstance(notebook, str) else notebook
        cells = content["cells"]
    except (ValueError, KeyError, TypeError):
        return {}
    found: dict[str, str] = {}
    own = []
    for cell in cells:
        if cell.get("cell_type") != "code":
            continue
        source = cell.get("source") or ""
        source = source if isinstance(source, str) else "".join(source)
        grading = cell.get("metadata", {}).get("nbgrader") or {}
        if grading.get("solution"):
            found[str(grading.get("grade_id"))] = source
        elif not grading:
            own.append(source)
    return found | ({"own cells": "\n".join(own)} if own else {})


def report_of(folder: Path, exercise: str, *, learn_mistakes: bool = True, on_wait=None) -> Report:
    """Read one exercise of a class and summarise it.

    Parameters
    ----------
    folder : pathlib.Path
        Of the class.
    exercise : str
        Any usual spelling.
    learn_mistakes : bool
        Run the problem set's mutants once, to recognise their messages. They are kept beside the records.
    on_wait : callable, optional
        Called with a sentence before something that takes minutes.

    Returns
    -------
    Report

    Raises
    ------
    CourseError
        If there is nothing to report.
    """
    folder = Path(folder)
    name = exercise_name(folder, exercise)
    records, answers = load(folder, name)
    given, solution, title = _of_the_author(folder, name)
    mistakes = known_mistakes(name, folder / "grading" / name / _MISTAKES_FILE, run=learn_mistakes, on_wait=on_wait)
    with_solution = answers | ({similarity.SOLUTION: solution} if solution else {})
    return summarise(name, records, title=title or name, mistakes=mistakes, answers=with_solution, given=given)


def _of_the_author(folder: Path, name: str) -> tuple[list[str], dict[str, str], str]:
    """Code that everybody got, the solution, and the title of the problem set, as far as they are there."""
    given, solution, title = [], {}, ""
    release = _notebook(folder / "release" / name)
    for cell in release.get("cells", []):
        source = "".join(cell.get("source", ""))
        if cell.get("cell_type") == "code":
            given.append(source)
        elif not title and (heading := re.search(r"^# (.+)$", source, re.MULTILINE)):
            title = one_line(heading[1])
    markers = re.compile(r"^.*### (?:BEGIN|END) SOLUTION.*\n?", re.MULTILINE)
    for grade_id, source in answers_in(_notebook(folder / "source" / name)).items():
        if grade_id != "own cells":
            solution[grade_id] = markers.sub("", source)
    return given, solution, title


def _notebook(folder: Path) -> dict:
    for path in sorted(folder.glob("*.ipynb")):
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            return content if isinstance(content, dict) else {}
        except (OSError, ValueError):
            continue
    return {}


# -- known mistakes -----------------------------------------------------------------------------------------------

_NUMBER = re.compile(r"(?<![\w#])[-+−]?(?:\d[\d_]*\.?\d*(?:[eE][-+]?\d+)?|\.\d+|nan|inf)(?![\w])")
_PLACE = re.compile(r" \(<cell [^)]*\)\s*$")


def pattern(message: str) -> str:
    """Return what a message says, whatever numbers it holds.

    Examples
    --------
    >>> pattern("Accuracy 0.953, expected at least 0.975.") == pattern("Accuracy 0.5, expected at least 0.975.")
    True
    >>> pattern("the shape (6, 1), not (6,)")
    'the shape (#), not (#)'
    """
    text = _PLACE.sub("", one_line(message, limit=600))
    text = re.sub(r"\[[^\[\]]*\]", "[#]", _NUMBER.sub("#", text))
    return re.sub(r"#(?:,\s*#)*,?(?=\))|#(?:,\s*#)+", "#", text)[:300]


def known_mistakes(exercise: str, cache: Path, *, run: bool = True, on_wait=None) -> list[Mistake]:
    """Return the mutants of a problem set with the messages that they provoke.

    Parameters
    ----------
    exercise : str
    cache : pathlib.Path
        Where the messages are kept; they count as long as problem set and mutants are the same.
    run : bool
        Run the mutants if the cache does not know them; otherwise none are known then.
    on_wait : callable, optional
        Called with a sentence before they are run.

    Returns
    -------
    list of Mistake
        Empty for an exercise that is not one of the course's problem sets, or has no mutants.
    """
    from autograder import gate, problem_sets

    try:
        problem_set = problem_sets.find(exercise)
        paths = _mutant_files(problem_set.name)
    except CourseError:  # a problem set of the instructor's own, or a package without its checkout
        return []
    digest = hashlib.sha256()
    for path in (problem_set.path, *paths):
        digest.update(f"{path.name}\0".encode() + path.read_bytes() + b"\0")
    key = digest.hexdigest()
    try:
        kept = json.loads(cache.read_text(encoding="utf-8"))
        if kept["key"] == key:
            return [
                Mistake(one["name"], one["task"], one["description"], tuple(map(tuple, one["messages"])))
                for one in kept["mistakes"]
            ]
    except (OSError, ValueError, KeyError, TypeError):
        pass  # never made, or made by another version
    if not (run and paths):
        return []
    if on_wait is not None:
        on_wait(
            f"Running the {len(paths)} known wrong answers of {exercise} once, to recognise what the tests say to "
            "them; this takes minutes (Ctrl-C or --quick leaves it out)."
        )

    def tell(run):
        if on_wait is not None:
            on_wait(f"  {run.kind}: {run.name}")

    try:
        said = {one.name: one.results for one in gate.check(exercise, on_run=tell).runs if one.kind == "mutant"}
    except KeyboardInterrupt:
        return []
    found = []
    for path in paths:
        fields, description = _docstring(path)
        messages = tuple(
            (one.grade_id, pattern(one.message)) for one in said.get(path.stem, []) if one.points < one.max_points
        )
        found.append(Mistake(path.stem, fields.get("task", ""), description, messages))
    cache.parent.mkdir(parents=True, exist_ok=True)
    kept = {"key": key, "mistakes": [dataclasses.asdict(one) for one in found]}
    cache.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    return found


def _mutant_files(name: str) -> list[Path]:
    from autograder import problem_sets
    from autograder.repository import find_repository

    # As the gate does: beside a private folder of problem sets, else in the checkout.
    private = problem_sets.assignments_folder() / "tests"
    tests = private if private.is_dir() else find_repository() / "tests"
    return sorted((tests / "mutants" / name).glob("*.py"))


def _docstring(path: Path) -> tuple[dict[str, str], str]:
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    head, _, description = text.partition("\n\n")
    fields = dict(line.split(":", 1) for line in head.splitlines() if ":" in line)
    return {name.strip(): value.strip() for name, value in fields.items()}, " ".join(description.split())


# -- counting -----------------------------------------------------------------------------------------------------


def summarise(
    exercise: str,
    records: list[SubmissionResult],
    *,
    title: str = "",
    mistakes: list[Mistake] | None = None,
    answers: dict[str, dict[str, str]] | None = None,
    given: list[str] | None = None,
) -> Report:
    """Count what there is to count.

    Parameters
    ----------
    exercise : str
    records : list of SubmissionResult
    title : str
    mistakes : list of Mistake, optional
        Known wrong answers.
    answers : dict, optional
        Student to (grade id to source), to look for answers that are alike.
    given : list of str, optional
        Code that everybody got.

    Returns
    -------
    Report

    Examples
    --------
    >>> right = Receipt("mean-test", Status.PASS, 3.0, 3.0)
    >>> wrong = Receipt("mean-test", Status.FAIL, 0.0, 3.0, "the mean is 2, not 3")
    >>> records = [SubmissionResult("ada", "ex01_1", (right,)), SubmissionResult("ben", "ex01_1", (wrong,))]
    >>> report = summarise("ex01_1", records)
    >>> report.questions[0].mean, report.questions[0].full, report.messages[0].text
    (1.5, 0.5, 'the mean is 2, not 3')
    """
    mistakes, answers, given = mistakes or [], answers or {}, given or []
    messages = _messages(records, mistakes)
    return Report(
        exercise,
        title or exercise,
        tuple(records),
        tuple(_questions(records)),
        tuple(messages),
        tuple(_misunderstandings(records, mistakes)),
        tuple(similarity.compare(answers, given)),
        answers,
        tuple(given),
    )


def _questions(records) -> list[Question]:
    order = list(dict.fromkeys(receipt.grade_id for record in records for receipt in record.receipts))
    by_student = [{receipt.grade_id: receipt for receipt in record.receipts} for record in records]
    found = []
    for grade_id in order:
        receipts = [mine[grade_id] for mine in by_student if grade_id in mine]
        maximum = max(receipt.maximum for receipt in receipts)
        # No receipt, no points: who has none did not get this far.
        reached = [mine[grade_id].points if grade_id in mine else 0.0 for mine in by_student]
        rest = [
            sum(receipt.points for receipt in mine.values()) - points_here
            for mine, points_here in zip(by_student, reached, strict=True)
        ]
        found.append(
            Question(
                grade_id,
                maximum,
                statistics.fmean(reached),
                statistics.pstdev(reached),
                sum(value >= maximum for value in reached) / len(reached),
                sum(value <= 0 for value in reached) / len(reached),
                _correlation(reached, rest) if len(reached) >= DISCRIMINATION_AT_LEAST else None,
                dict(Counter(str(receipt.status) for receipt in receipts)),
            )
        )
    return found


def _correlation(first, second) -> float | None:
    try:
        return statistics.correlation(first, second)
    except statistics.StatisticsError:  # all the same
        return None


def _lost(record) -> list[Receipt]:
    """Receipts with something to say about the answer; that a notebook did not run is said once, with its reason."""
    return [
        receipt
        for receipt in record.receipts
        if receipt.points < receipt.maximum and receipt.message and receipt.status is not Status.NOT_RUN
    ]


def is_untouched(message: str) -> bool:
    """Whether a message only says that the answer was left as it was handed out.

    Examples
    --------
    >>> is_untouched("NotImplementedError"), is_untouched("the mean is wrong")
    (True, False)
    """
    return "NotImplementedError" in message


def _messages(records, mistakes) -> list[Message]:
    groups: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    for record in records:
        for receipt in _lost(record):
            message = UNTOUCHED if is_untouched(receipt.message) else receipt.message
            groups[receipt.grade_id, pattern(message)].append((record.student, message))
    provoking: dict[tuple[str, str], list[str]] = defaultdict(list)
    for mistake in mistakes:
        for key in mistake.messages:
            provoking[key].append(mistake.name)
    found = []
    for key, some in groups.items():
        said = {one_line(message) for _, message in some}
        text = said.pop() if len(said) == 1 else key[1].replace("#", "…")
        students = tuple(sorted(student for student, _ in some))
        found.append(Message(key[0], text, students, tuple(provoking.get(key, ()))))
    return sorted(found, key=lambda message: (-len(message.students), message.grade_id, message.text))


def _misunderstandings(records, mistakes) -> list[Misunderstanding]:
    """Which mistakes explain what a student got in the task that the mistake is about.

    A mistake counts when every message of the student in that task is one that it provokes. Of several that fit, those
    which explain most messages of all tasks are kept.
    """
    found: dict[str, list[tuple[str, bool]]] = defaultdict(list)
    by_name = {mistake.name: mistake for mistake in mistakes}
    for record in records:
        got = {
            (receipt.grade_id, pattern(receipt.message))
            for receipt in _lost(record)
            if not is_untouched(receipt.message)
        }
        for task in {mistake.task for mistake in mistakes}:
            here = {key for key in got if key[0].split("-", 1)[0] == task}
            fitting = [
                mistake
                for mistake in mistakes
                if mistake.task == task
                and here
                and here <= {key for key in mistake.messages if key[0].split("-", 1)[0] == task}
            ]
            best = max((len(got & set(mistake.messages)) for mistake in fitting), default=0)
            names = [mistake.name for mistake in fitting if len(got & set(mistake.messages)) == best]
            for name in names:
                found[name].append((record.student, len(names) == 1))
    rows = [
        Misunderstanding(
            by_name[name], tuple(sorted(student for student, _ in some)), all(certain for _, certain in some)
        )
        for name, some in found.items()
    ]
    return sorted(rows, key=lambda row: (-len(row.students), not row.certain, row.mistake.name))


# -- one student --------------------------------------------------------------------------------------------------


def explain(folder: str | Path, exercise: str, student: str) -> str:
    """Say for one student why each mark was given, hidden tests and tracebacks included.

    Parameters
    ----------
    folder : path
        Of the class.
    exercise : str
        Any usual spelling.
    student : str

    Returns
    -------
    str
        Plain text for the terminal, without escape sequences.

    Raises
    ------
    CourseError
        If this student's submission has not been graded.
    """
    from autograder.feedback import record_of

    folder = Path(folder)
    name = exercise_name(folder, exercise)
    record = record_of(folder, name, student)
    if record is None:
        known = sorted(one.stem for one in (folder / "grading" / name).glob("*.json") if not one.name.startswith("."))
        raise CourseError(
            f"No grading record of {name} by {student!r}; there are those of {', '.join(known[:8]) or 'nobody'}"
            f"{' ...' if len(known) > 8 else ''}: run 'course grade {folder} {name} --student {student}'."
        )
    return explanation(record) + _by_hand(folder, name, student)


def explanation(record: SubmissionResult) -> str:
    """Say in plain text what a grading record holds.

    Examples
    --------
    >>> wrong = Receipt("mean-test", Status.FAIL, 0.0, 3.0, "the mean is 2, not 3")
    >>> print(explanation(SubmissionResult("ben", "ex01_1", (wrong,))))
    ben, ex01_1: 0 of 3 points by tests
    <BLANKLINE>
    mean-test: 0 of 3, fail
      the mean is 2, not 3
    """
    reached = f"{points(record.points)} of {points(record.maximum)} points by tests"
    lines = [f"{one_line(record.student)}, {record.exercise}: {reached}"]
    if record.waiting:
        lines[0] += f"; {points(record.waiting)} more are for a person to give"
    if record.reason:
        lines.append(f"Did not run to its end: {one_line(record.reason)}. {one_line(record.explanation, limit=1000)}")
    if record.cpu_s or record.peak_memory_mb:
        lines.append(
            f"Cost: {record.cpu_s:.1f} CPU seconds of the student's code, {record.checker_cpu_s:.1f} of the tests, "
            f"{record.wall_s:.1f} s in all, {record.peak_memory_mb:.0f} MB"
        )
    if record.isolation:
        lines.append(f"Isolation: {one_line(record.isolation)}")
    lines += [f"Put right ({repair.kind}): {one_line(repair.words)}" for repair in record.repairs]
    for receipt in record.receipts:
        lines += ["", f"{receipt.grade_id}: {points(receipt.points)} of {points(receipt.maximum)}, {receipt.status}"]
        if receipt.message:
            lines += [f"  {line}" for line in printable(receipt.message, limit=3000).splitlines()]
        if receipt.staff_message:
            lines += [f"  | {line}" for line in printable(receipt.staff_message, limit=6000).splitlines()]
    return "\n".join(lines)


def _by_hand(folder: Path, name: str, student: str) -> str:
    """What people gave, from the gradebook."""
    from nbgrader.api import MissingEntry

    from autograder.classroom import Classroom
    from autograder.feedback import marks_in_gradebook

    lines = []
    with Classroom(folder).gradebook() as gradebook:
        try:
            notebooks = [one.name for one in gradebook.find_submission(name, student).notebooks]
        except MissingEntry:
            return ""
        for notebook in notebooks:
            marks = marks_in_gradebook(gradebook, notebook, name, student)
            for one in marks.questions:
                if one.by_hand and one.maximum:
                    given = "-" if one.waiting else points(one.points)
                    how = "waits for a person" if one.waiting else "by hand"
                    lines += ["", f"{one.grade_id}: {given} of {points(one.maximum)}, {how}"]
                    lines += [f"  {line}" for line in printable(one.comment).splitlines()]
            if marks.late_penalty:
                lines += ["", f"Late: {points(marks.late_penalty)} points less"]
    return "\n".join(["", *lines]) if lines else ""


# -- the terminal -------------------------------------------------------------------------------------------------


def listing(students, limit: int = 6) -> str:
    """Join the first few names, and say how many more there are."""
    shown = ", ".join(one_line(student, limit=40) for student in students[:limit])
    return shown + (f" and {len(students) - limit} more" if len(students) > limit else "")


def percent(share: float) -> str:
    """Return a share as people read it."""
    return f"{100 * share:.0f} %"


def median(values) -> float:
    """Return the middle value, 0 of none."""
    return statistics.median(values) if values else 0.0


def isolation_levels(report: Report) -> Counter:
    """Count the levels of isolation that were in force."""
    return Counter(record.isolation or "not run" for record in report.records)


def put_right(report: Report) -> Counter:
    """Count the repairs by their kind."""
    return Counter(repair.kind for record in report.records for repair in record.repairs)


def print_report(report: Report, console) -> None:
    """Print a report as tables.

    Parameters
    ----------
    report : Report
    console : rich.console.Console
    """
    from rich import box
    from rich.table import Table
    from rich.text import Text

    def table(title, *columns):
        made = Table(title=Text(title), title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
        for name, justify in columns:
            made.add_column(name, justify=justify, overflow="fold")
        return made

    def say(*parts, style=""):
        # Text, never markup: names and messages are the students'.
        console.print(Text("".join(parts), style=style))

    n = len(report.records)
    reached = [record.points for record in report.records]
    maximum = max(record.maximum for record in report.records)
    say(f"{report.exercise}: {report.title}", style="bold")
    mean = f"{points(statistics.fmean(reached))} of {points(maximum)} points by tests"
    say(f"{n} submission{'s' if n > 1 else ''}, mean {mean}, half have at least {points(median(reached))}")
    rows = table(
        "Questions",
        ("question", "left"), ("mean", "right"), ("spread", "right"), ("full", "right"), ("none", "right"),
        ("tells apart", "right"),
    )  # fmt: skip
    for one in report.questions:
        apart = "" if one.discrimination is None else f"{one.discrimination:.2f}"
        mean = f"{points(one.mean)} of {points(one.maximum)}"
        rows.add_row(Text(one.grade_id), mean, points(one.spread), percent(one.full), percent(one.zero), apart)
    console.print(rows)
    if report.misunderstandings:
        rows = table("Likely misunderstandings", ("students", "right"), ("what they think", "left"), ("who", "left"))
        for one in report.misunderstandings[:ROWS_LIMIT]:
            mark = "" if one.certain else " (or another mistake with the same message)"
            rows.add_row(str(len(one.students)), Text(one.mistake.description + mark), Text(listing(one.students, 3)))
        console.print(rows)
    if report.messages:
        rows = table("Messages most often seen", ("students", "right"), ("question", "left"), ("message", "left"))
        for message in report.messages[:ROWS_LIMIT]:
            rows.add_row(str(len(message.students)), Text(message.grade_id), Text(one_line(message.text, limit=200)))
        console.print(rows)
    stopped = [record for record in report.records if record.reason]
    if stopped:
        rows = table("Did not run to their end", ("student", "left"), ("reason", "left"), ("explanation", "left"))
        for record in stopped[:ROWS_LIMIT]:
            explanation_here = one_line(record.explanation, limit=160)
            rows.add_row(Text(one_line(record.student)), Text(one_line(record.reason)), Text(explanation_here))
        console.print(rows)
        if len(stopped) > ROWS_LIMIT:
            say(f"... and {len(stopped) - ROWS_LIMIT} more")
    if report.pairs:
        rows = table(
            "Answers that are alike", ("students", "left"), ("alike", "right"), ("evidence", "right"), ("cells", "left")
        )
        for group in similarity.groups(report.pairs)[:ROWS_LIMIT]:
            pair = group.strongest
            bits = f"{pair.evidence_bits:.0f} bits"
            rows.add_row(Text(listing(group.students)), percent(pair.likeness), bits, Text(", ".join(pair.cells[:4])))
        console.print(rows)
        say(similarity.CAUTION, style="italic")
    cpu = [record.cpu_s + record.checker_cpu_s for record in report.records]
    memory = [record.peak_memory_mb for record in report.records]
    say(
        f"Cost: half of the submissions took {median(cpu):.1f} CPU seconds or less, the longest {max(cpu):.1f}, all "
        f"{sum(cpu):.0f}; {median(memory):.0f} MB of memory, {max(memory):.0f} at most"
    )
    levels = isolation_levels(report)
    say("Isolation: " + ", ".join(f"{one_line(level)} ({count})" for level, count in levels.most_common()))
    fixed = put_right(report)
    if fixed:
        say("Put right before running: " + ", ".join(f"{kind} ({count})" for kind, count in fixed.most_common()))
