"""``make demo``: play one class with three students and compare their marks with what they must be.

One fills in the author's answers, one the same but for a single task, which a mutant of the problem set answers,
one hands the release in as it came. Run ``python -m autograder.demo [EXERCISE]``; the exit status is 1 if a mark
differs.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

from autograder.errors import CourseError

EXERCISE = "ex08_1"


def play(folder: Path, exercise: str = EXERCISE, *, console=None) -> bool:
    """Make a class in `folder`, release, hand in, grade, give feedback, and print where to look.

    Parameters
    ----------
    folder : pathlib.Path
        Made anew each time: whatever it holds is deleted.
    exercise : str
        A problem set with a mutant that loses all points of one task and nothing else.
    console : rich.console.Console, optional
        Where to print.

    Returns
    -------
    bool
        Whether all marks are as they must be.

    Raises
    ------
    CourseError
        If there is no such problem set or mutant, or a step fails.
    """
    from rich.console import Console

    from autograder import problem_sets
    from autograder.classroom import Classroom, new_class
    from autograder.cli import grade_all, print_marks

    console = console or Console()

    def say(text):
        # Paths and names in one piece: no markup, no line breaks.
        console.print(text, markup=False, soft_wrap=True)

    problem_set = problem_sets.find(exercise)
    name = problem_set.name
    mutant, lost = one_wrong_answer(problem_set)

    shutil.rmtree(folder, ignore_errors=True)
    classroom: Classroom = new_class(folder, "Demonstration")
    say(f"Released {problem_set.title}: {classroom.release(name)}")
    release = json.loads((classroom.folder / "release" / name / f"{name}.ipynb").read_text(encoding="utf-8"))
    source = json.loads((classroom.folder / "source" / name / f"{name}.ipynb").read_text(encoding="utf-8"))
    right = solutions(source)
    hand_in(classroom.folder, "ada-right", name, with_answers(release, right))
    hand_in(classroom.folder, "ben-partly", name, with_answers(release, right | mutant.answers))
    hand_in(classroom.folder, "cleo-untouched", name, release)

    marks = grade_all(classroom, name, classroom.submissions(name), console)
    print_marks(marks, console, title=problem_set.title)
    say(f"ben-partly answers the task '{mutant.task}' as {mutant.name} does: {lost:g} points fewer.")
    for mark in marks:
        for page in classroom.feedback(name, mark.student).pages:
            say(f"Feedback of {mark.student}: {page}")
    say(f"Mark the written answers in the formgrader: cd {classroom.folder} && jupyter lab, then Nbgrader, Formgrader.")
    differences = unexpected(marks, lost)
    for line in differences:
        console.print(line, style="red")
    return not differences


def unexpected(marks, lost: float) -> list[str]:
    """Return a sentence for each mark that is not as it must be: everything, `lost` points fewer, nothing."""
    maximum = marks[0].maximum
    expected = {"ada-right": maximum, "ben-partly": maximum - lost, "cleo-untouched": 0.0}
    return [
        f"{mark.student} has {mark.points:g} points ({mark.status}) instead of {expected[mark.student]:g}"
        for mark in marks
        if mark.status != "graded" or abs(mark.points - expected[mark.student]) > 1e-9
    ] + [f"{student} was not graded" for student in sorted(expected.keys() - {mark.student for mark in marks})]


def one_wrong_answer(problem_set):
    """Return a mutant that loses one whole task and no other, and the points of that task."""
    from autograder import gate, problem_sets
    from autograder.repository import find_repository

    task_list = problem_sets.tasks(problem_set)
    points = {task.name: task.points for task in task_list}
    # The gate looks beside a private folder of problem sets first, and so do we.
    private = problem_sets.assignments_folder() / "tests"
    tests = private if private.is_dir() else find_repository() / "tests"
    folder = tests / "mutants" / problem_set.name
    for mutant in gate.read_variants(folder, problem_set, task_list, mutants=True):
        if mutant.loses == "all" and not mutant.may_also_lose:
            return mutant, points[mutant.task]
    raise CourseError(
        f"The demonstration needs a mutant of {problem_set.name} that loses all points of one task only: "
        f"add one to {folder}."
    )


def solutions(source: dict) -> dict[str, str]:
    """Return the author's answers by grade id, without the lines that mark them as solutions."""
    answers = {}
    for cell in source["cells"]:
        grading = cell["metadata"].get("nbgrader", {})
        if grading.get("solution"):
            lines = "".join(cell["source"]).splitlines(keepends=True)
            kept = [line for line in lines if "BEGIN SOLUTION" not in line and "END SOLUTION" not in line]
            answers[grading["grade_id"]] = "".join(kept)
    return answers


def with_answers(notebook: dict, answers: dict[str, str]) -> dict:
    """Return a copy of a notebook with other sources for the answer cells named by their grade id."""
    changed = json.loads(json.dumps(notebook))
    for cell in changed["cells"]:
        grade_id = cell["metadata"].get("nbgrader", {}).get("grade_id")
        if grade_id in answers:
            cell["source"] = answers[grade_id]
    return changed


def hand_in(class_folder: Path, student: str, exercise: str, notebook: dict) -> None:
    """Put a notebook where nbgrader looks for submissions."""
    place = class_folder / "submitted" / student / exercise
    place.mkdir(parents=True)
    (place / f"{exercise}.ipynb").write_text(json.dumps(notebook), encoding="utf-8")


def main() -> None:
    """Play the class in ``_build/demo/class`` of the checkout."""
    from autograder.repository import find_repository

    try:
        as_expected = play(find_repository() / "_build" / "demo" / "class", *sys.argv[1:2])
    except CourseError as error:
        sys.exit(f"demo: {error}")
    sys.exit(0 if as_expected else 1)


if __name__ == "__main__":
    main()
