"""What the report says is what the records hold: statistics against numpy, messages, mistakes, and the page itself."""

import random
import re
import shutil
from pathlib import Path

import nbformat
import numpy as np
import pytest
from rich.console import Console
from test_sanitising import check_clean
from test_similarity import ANSWER

from autograder import report_page, reports, similarity
from autograder.errors import CourseError
from autograder.results import Receipt, Repair, Status, SubmissionResult

HOSTILE = "<script>alert(1)</script>\x1b[31m\u202e[bold]red[/bold]"
GRADE_IDS = {"mean-test": 3.0, "fraction-test": 2.0, "spread-test": 1.0}


def a_class(n=40, seed=2):
    """Marks drawn by ability: the third question is answered the better, the weaker a student is."""
    chance = random.Random(seed)
    records = []
    for number in range(n):
        ability = chance.random()
        receipts = []
        for grade_id, maximum in GRADE_IDS.items():
            good = ability if grade_id != "spread-test" else 1 - ability
            reached = chance.choice([maximum, maximum / 2]) if good > chance.random() * 0.6 + 0.2 else 0.0
            status = Status.PASS if reached == maximum else Status.PARTIAL if reached else Status.FAIL
            message = "" if reached else f"{grade_id}: expected 2, got {chance.random():.3f}"
            receipts.append(Receipt(grade_id, status, reached, maximum, message, "Traceback ...", 0.1))
        records.append(
            SubmissionResult(
                f"s{number:02d}",
                "ex01_1",
                tuple(receipts),
                waiting=4.0,
                isolation="namespaces",
                isolation_details=("network: none",),
                cpu_s=1.0 + ability,
                checker_cpu_s=0.5,
                wall_s=3.0,
                peak_memory_mb=200 + 50 * ability,
                repairs=(Repair("restored", "mean-test", "The test mean-test was missing."),) if number == 3 else (),
            )
        )
    receipts = tuple(Receipt(name, Status.NOT_RUN, 0.0, most, "It is damaged.") for name, most in GRADE_IDS.items())
    records.append(SubmissionResult(HOSTILE, "ex01_1", receipts, reason="unreadable", explanation="It is damaged."))
    return records


def test_statistics_are_those_of_numpy():
    records = a_class()
    table = np.array([[receipt.points for receipt in record.receipts] for record in records])
    for k, question in enumerate(reports.summarise("ex01_1", records).questions):
        column, rest = table[:, k], np.delete(table, k, axis=1).sum(axis=1)
        assert question.grade_id == list(GRADE_IDS)[k]
        assert question.mean == pytest.approx(column.mean()) and question.spread == pytest.approx(column.std())
        assert question.full == pytest.approx(np.mean(column == question.maximum))
        assert question.zero == pytest.approx(np.mean(column == 0))
        assert question.discrimination == pytest.approx(np.corrcoef(column, rest)[0, 1])
    # The question that weak students answer better must be seen.
    assert question.discrimination < 0 < reports.summarise("ex01_1", records).questions[0].discrimination


def test_a_missing_receipt_counts_as_nothing():
    one = SubmissionResult("ada", "e", (Receipt("q", Status.PASS, 2.0, 2.0), Receipt("r", Status.PASS, 1.0, 1.0)))
    other = SubmissionResult("ben", "e", (Receipt("q", Status.PASS, 2.0, 2.0),))
    first, second = reports.summarise("e", [one, other]).questions
    assert (first.mean, second.mean, second.zero) == (2.0, 0.5, 0.5)
    assert first.discrimination is None  # two students say nothing


def test_messages_are_grouped_by_what_they_say():
    report = reports.summarise("ex01_1", a_class())
    lost = {
        grade_id: {
            record.student
            for record in report.records
            for r in record.receipts
            if r.grade_id == grade_id and r.status is Status.FAIL
        }
        for grade_id in GRADE_IDS
    }
    assert {message.grade_id: set(message.students) for message in report.messages} == lost
    assert report.messages[0].text.endswith("expected …, got …")
    assert len(report.messages[0].students) == max(map(len, lost.values()))
    # That a notebook could not be read is no message about an answer.
    assert not any("damaged" in message.text for message in report.messages)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("got 0.5", "got 17", True),
        ("got -1e-3, nan", "got 2, 3", True),
        ("the shape (6, 1)", "the shape (6,)", True),
        ("among your layers: ['Conv2D', 'Dense']", "among your layers: ['Dense']", True),
        ("NameError: cnn (<cell 5 cnn-answer> line 3)", "NameError: cnn (<cell 9 other> line 1)", True),
        ("The mean is wrong", "The spread is wrong", False),
        ("conv2d is missing", "conv3d is missing", False),
    ],
)
def test_numbers_do_not_make_another_message(one, other, same):
    assert (reports.pattern(one) == reports.pattern(other)) == same


MISTAKES = [
    reports.Mistake(
        "median", "mean", "The median is taken for the mean.", (("mean-test", "got #"), ("mean-test-2", "far off by #"))
    ),
    reports.Mistake("constant", "mean", "Always 2.", (("mean-test", "got #"),)),
    reports.Mistake("inverse", "fraction", "The inverse.", (("fraction-test", "not #"),)),
]


def student_with(name, **messages):
    receipts = tuple(
        Receipt(grade_id.replace("_", "-"), Status.FAIL, 0.0, 1.0, message) for grade_id, message in messages.items()
    )
    return SubmissionResult(name, "e", receipts)


def test_a_mistake_explains_what_its_mutant_provokes_and_nothing_more():
    records = [
        student_with("both", mean_test="got 3", mean_test_2="far off by 9"),
        student_with("one", mean_test="got 5"),
        student_with("other", mean_test="got 5", mean_test_2="something else"),
        student_with("empty", fraction_test="NotImplementedError"),
        student_with("inverse", fraction_test="not 3", mean_test="unknown"),
    ]
    found = {one.mistake.name: one for one in reports.summarise("e", records, mistakes=MISTAKES).misunderstandings}
    # "one" fits two mistakes alike and is named with both, as uncertain; "other" got what no mistake explains.
    assert {name: one.students for name, one in found.items()} == {
        "median": ("both", "one"),
        "constant": ("one",),
        "inverse": ("inverse",),
    }
    assert not found["median"].certain and not found["constant"].certain and found["inverse"].certain


# -- the toy class -------------------------------------------------------------------------------------------------

TOY = Path(__file__).parent / "toy_assignments"


@pytest.fixture
def class_folder(tmp_path, monkeypatch):
    """A class as grading leaves it, records written by hand: three students of the toy, one with a copy."""
    monkeypatch.setenv("COURSE_ASSIGNMENTS_DIR", str(TOY))
    place = tmp_path / "grading" / "ex01_1"
    place.mkdir(parents=True)
    # Longer than the task needs, as a copy must be to tell anything.
    answer = ANSWER + "\ndef mean(numbers):\n    return 2\n"
    copied = answer.replace("shares", "s").replace("grid", "g").replace("right", "r")
    sources = {"ada": answer, "ben": copied, "cleo": "def mean(numbers):\n    return 2"}
    for student, source in sources.items():
        grading = {"grade_id": "mean-answer", "solution": True, "grade": False, "locked": False, "schema_version": 3}
        cell = nbformat.v4.new_code_cell(source, metadata={"nbgrader": grading})
        notebook = nbformat.writes(nbformat.v4.new_notebook(cells=[cell]))
        receipt = Receipt("mean-test", Status.FAIL, 0.0, 3.0, "another mean is wrong", "line 3: assert <hidden>")
        record = SubmissionResult(student, "ex01_1", (receipt,), notebook=notebook, cpu_s=1.0, peak_memory_mb=90.0)
        (place / f"{student}.json").write_text(record.to_json())
    (place / ".release.json").write_text("{}")
    (place / "other.json").write_text('{"no": "record"}')
    return tmp_path


def test_mutants_are_run_once_and_recognised(class_folder, monkeypatch):
    from autograder import gate

    said = []
    first = reports.report_of(class_folder, "1.1", on_wait=said.append)
    assert [one.mistake.name for one in first.misunderstandings] == ["always_two"]
    assert first.misunderstandings[0].mistake.description.startswith(
        "Returns the number that the visible test asks for"
    )
    assert first.misunderstandings[0].students == ("ada", "ben", "cleo")
    assert "known wrong answers of ex01_1 once" in said[0]
    monkeypatch.setattr(gate, "check", lambda *_, **__: pytest.fail("the mutants were run again"))
    assert reports.report_of(class_folder, "ex01_1") == first
    (class_folder / "grading" / "ex01_1" / ".mistakes.json").write_text("[broken")
    assert reports.report_of(class_folder, "ex01_1", learn_mistakes=False).misunderstandings == ()


def test_copies_are_shown_side_by_side_and_the_page_holds(class_folder):
    report = reports.report_of(class_folder, "ex01_1", learn_mistakes=False)
    assert [(pair.first, pair.second) for pair in report.pairs] == [("ada", "ben")]
    text = report_page.html_report(report)
    assert "ada and ben, side by side" in text and text.count("<mark>") >= 4
    assert similarity.CAUTION.split(":")[0] in text


#: What the frame and the plots consist of, beside what students may write.
FRAME = {"html", "head", "meta", "title", "style", "body", "main", "header", "figure", "footer"}
DRAWN = {"svg", "path", "rect", "circle", "text"}
OWN = {"class", "scope", "lang", "charset", "name", "content", "http-equiv", "id", "role", "viewbox", "aria-label"}
PLACES = {"x", "y", "cx", "cy", "r", "d", "width", "height", "text-anchor", "font-size", "transform", "aria-hidden"}


def test_the_page_is_small_and_runs_nothing():
    records = a_class(500)
    report = reports.summarise("ex01_1", records, title=HOSTILE)
    text = report_page.html_report(report)
    assert len(text.encode()) < 300_000
    assert (
        "Content-Security-Policy" in text
        and "alert(1)</script>" not in text
        and "\x1b" not in text
        and "\u202e" not in text
    )
    check_clean(text.removeprefix("<!DOCTYPE html>"), FRAME | DRAWN, OWN | PLACES)
    for record in records[:3]:
        assert record.student in text


def test_the_terminal_shows_names_as_they_are():
    console = Console(width=120, force_terminal=True, color_system=None, record=True)
    reports.print_report(reports.summarise("ex01_1", a_class(), mistakes=MISTAKES), console)
    shown = console.export_text()
    assert "[bold]red[/bold]" in shown and "\x1b[31m" not in shown and "\u202e" not in shown
    assert "namespaces (40), not run (1)" in shown and "restored (1)" in shown and "unreadable" in shown
    assert re.search(r"mean-test +\d", shown)


def test_explain_says_why_and_hides_no_reason():
    record = a_class()[-1]
    said = reports.explanation(record)
    assert "Did not run to its end: unreadable. It is damaged." in said and "\x1b" not in said
    record = a_class()[0]
    said = reports.explanation(record)
    for receipt in record.receipts:
        assert f"{receipt.grade_id}: {receipt.points:g} of {receipt.maximum:g}, {receipt.status}" in said
    assert "| Traceback ..." in said


def test_what_is_not_there_is_said_with_the_way_out(class_folder):
    with pytest.raises(CourseError, match=r"No grading record of ex01_1 by 'eda'; there are those of ada, ben"):
        reports.explain(class_folder, "ex01_1", "eda")
    shutil.rmtree(class_folder / "grading")
    with pytest.raises(CourseError, match=r"ex01_1 has not been graded.*course grade"):
        reports.report_of(class_folder, "ex01_1")
    (class_folder / "grading" / "ex01_1").mkdir(parents=True)
    with pytest.raises(CourseError, match=r"No grading record in .*course grade"):
        reports.report_of(class_folder, "ex01_1")


@pytest.mark.browser
def test_the_page_can_be_read_in_both_themes_and_by_a_screen_reader(browser_page, tmp_path):
    from axe_playwright_python.sync_playwright import Axe

    path = tmp_path / "report.html"
    report = reports.summarise("ex01_1", a_class(), title="Means", mistakes=MISTAKES)
    text = report_page.html_report(report)
    path.write_text(text, encoding="utf-8")
    # The page's own policy forbids every script, the checker's too: it looks at the page without.
    (tmp_path / "checked.html").write_text(text.replace("Content-Security-Policy", "X-None"), encoding="utf-8")
    for scheme in ("light", "dark"):
        browser_page.emulate_media(color_scheme=scheme)
        browser_page.goto(path.as_uri())
        assert browser_page.locator("svg.plot").count() == 3
        assert browser_page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        browser_page.goto((tmp_path / "checked.html").as_uri())
        found = Axe().run(browser_page)
        assert found.violations_count == 0, found.generate_report()
    assert browser_page.console_errors == [] and browser_page.external_requests == []
