"""Grading a class beside stock nbgrader, in the same run on the same submissions; and a class of 500.

Usage: python bench/bench_grading.py [STUDENTS] [COPIES]

STUDENTS or COPIES 0 leave their part out.

First twelve students hand in a small variant of exercise 8.1: a convolutional network on Ising configurations, about
a CPU second of training. Stock nbgrader and ``course grade`` mark them with isolation on; both must give the same
marks, and the throughput is compared, with the start of the command and without. The CPU overhead of one submission is
what the engine uses for it in its sandboxed processes, in the worker, the server and the writer, less what the same
cells use in a process that has imported TensorFlow and does nothing else. Beside other work on the same cores the wall
times say little, and the CPU seconds are what can be compared. Then ``course grade`` marks COPIES (5 if not
given) such classes in one run; what stock nbgrader would take for them follows from its twelve.

Then STUDENTS (500 if not given) hand in a toy without TensorFlow: right and wrong answers in notebooks that went
through other hands. The memory of the run, of its workers and of their server is watched. A copy of the class is graded
by a run that SIGKILL ends at ten random moments; its gradebook must be that of the undisturbed run.
"""

import json
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

STOCK = "import os\nc = get_config()\nc.CourseDirectory.root = os.path.dirname(os.path.abspath(__file__))\n"
EXERCISE = "ex08_1"
HEAD = """---
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

# Phases of small magnets

"""
IMPORTS = """
import os
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
import keras
import numpy as np
keras.utils.set_random_seed(8)
generator = np.random.default_rng(8)
ordered = generator.choice([-1.0, 1.0], (600, 1, 1)) * np.where(generator.random((600, 16, 16)) < 0.1, -1.0, 1.0)
images = np.concatenate([ordered, generator.choice([-1.0, 1.0], (600, 16, 16))])[..., None].astype("float32")
labels = np.repeat([1, 0], 600)
order = generator.permutation(1200)
images, labels = images[order], labels[order]
"""
NETWORK = """
cnn = keras.Sequential([
    keras.layers.Conv2D(8, 3, activation="relu"),
    keras.layers.GlobalAveragePooling2D(),
    keras.layers.Dense(1, activation="sigmoid"),
])
cnn.compile(optimizer=keras.optimizers.Adam(0.03), loss="binary_crossentropy")
cnn.fit(images[:1000], labels[:1000], epochs=4, batch_size=50, verbose=0)
"""
COUNT = """
def conv_parameters(n_channels, height, width, n_filters):
    return n_filters * (n_channels * height * width + 1)
"""
CELLS = [
    (None, IMPORTS),
    ("cnn-answer", NETWORK),
    (
        "cnn-test",
        """
probabilities = cnn.predict(images[1000:], verbose=0).ravel()
accuracy = float(((probabilities > 0.5) == labels[1000:]).mean())
assert accuracy > 0.8, f"an accuracy of {accuracy} is too low"
### BEGIN HIDDEN TESTS
upside_down = cnn.predict(-images[1000:], verbose=0).ravel()
assert float(((upside_down > 0.5) == labels[1000:]).mean()) > 0.8, "a network must not see which way is up"
### END HIDDEN TESTS
""",
    ),
    ("parameters-answer", COUNT),
    (
        "parameters-test",
        """
assert conv_parameters(1, 3, 3, 8) == 80, "8 filters of 3 x 3 and their biases"
### BEGIN HIDDEN TESTS
assert conv_parameters(4, 5, 3, 2) == 122, "filters have a weight for each channel"
### END HIDDEN TESTS
""",
    ),
]
#: Twelve students: half of them right, the others wrong in one task or both.
WRONG_NETWORK = "cnn = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(1)])\ncnn.build((None, 16, 16, 1))"
WRONG_COUNT = "def conv_parameters(n_channels, height, width, n_filters):\n    return n_filters * height * width"
STUDENTS = [{}] * 6 + [{"cnn-answer": WRONG_NETWORK}] * 2 + [{"parameters-answer": WRONG_COUNT}] * 3
STUDENTS += [{"cnn-answer": "raise NotImplementedError()", "parameters-answer": WRONG_COUNT}]


def problem_set():
    text = HEAD
    for grade_id, source in CELLS:
        metadata = ""
        if grade_id:
            solution = grade_id.endswith("answer")
            if solution:
                source = f"### BEGIN SOLUTION\n{source.strip()}\n### END SOLUTION"
            points = "" if solution else "  points: 3\n"
            metadata = (
                f"---\nnbgrader:\n  grade: {json.dumps(not solution)}\n  grade_id: {grade_id}\n"
                f"  locked: {json.dumps(not solution)}\n{points}  schema_version: 3\n"
                f"  solution: {json.dumps(solution)}\n  task: false\n---\n"
            )
        text += f"```{{code-cell}} ipython3\n{metadata}{source.strip()}\n```\n\n"
    return text


def make_class(folder, text):
    from autograder.classroom import new_class

    sets = folder / "sets"
    sets.mkdir()
    (sets / f"{EXERCISE}_magnets.md").write_text(text)
    os.environ["COURSE_ASSIGNMENTS_DIR"] = str(sets)
    classroom = new_class(folder / "class")
    classroom.release(EXERCISE)
    return classroom


def hand_in(folder, student, release, answers):
    content = json.loads(json.dumps(release))
    for cell in content["cells"]:
        cell["source"] = answers.get(cell["metadata"].get("nbgrader", {}).get("grade_id"), cell["source"])
    place = folder / "submitted" / student / EXERCISE
    place.mkdir(parents=True)
    (place / f"{EXERCISE}.ipynb").write_text(json.dumps(content))


def measured(command, folder):
    """Wall and CPU seconds of a command and of all that it waited for, and when it wrote each line."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = os.environ | {"PATH": path, "PYTHONUNBUFFERED": "1"}
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True, bufsize=1
        )
        lines = [(time.monotonic() - start, line) for line in process.stdout]
        if process.wait():
            errors.seek(0)
            sys.exit(f"{' '.join(command)} failed:\n{errors.read()[-3000:]}")
    wall = time.monotonic() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, lines


def marks(folder):
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{folder}/gradebook.db") as gradebook:
        return {one.student.id: one.score for one in gradebook.find_assignment(EXERCISE).submissions}


def bare_cpu_s():
    """CPU seconds of the right submission's cells, tests included, after the imports."""
    code = [source for _, source in CELLS]
    program = (
        "import time, json, sys\n"
        "import os; os.environ.update(TF_CPP_MIN_LOG_LEVEL='3', TF_ENABLE_ONEDNN_OPTS='0', OMP_NUM_THREADS='2',"
        " TF_NUM_INTRAOP_THREADS='2', TF_NUM_INTEROP_THREADS='1')\n"
        "import tensorflow, keras, numpy\n"
        "start = time.process_time()\n"
        "for code in json.loads(sys.argv[1]): exec(code, globals())\n"
        "print(time.process_time() - start)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, json.dumps(code)], capture_output=True, text=True, check=True)
    return float(done.stdout)


def overhead_cpu_s(classroom, n_submissions=5):
    """CPU seconds of one right submission: in the sandbox, and around it (repair, server, gradebook)."""
    from autograder.drop_in import GradingEngine
    from autograder.gradebook_writer import GradebookWriter
    from autograder.grading_run import Exercise, Grader, Submission, warm_server_for

    settings = GradingEngine(config=classroom._configuration).exercise_settings()
    with GradebookWriter(classroom._course(classroom.folder), classroom._configuration) as writer:
        assignment = writer.assignment(EXERCISE)
        with warm_server_for(assignment.notebook) as server:
            grader = Grader(Exercise.of(assignment, **settings), server=server)
            submission = Submission("right-0", writer.collect(assignment, "right-0"), "")
            grader.grade(submission)
            inside, around = 0.0, -time.process_time() - sum(psutil.Process(server.pid).cpu_times()[:2])
            for _ in range(n_submissions):
                result = grader.grade(submission)
                writer.write(assignment, result, submission.collected.files)
                inside += result.cpu_s + result.checker_cpu_s
            around += time.process_time() + sum(psutil.Process(server.pid).cpu_times()[:2])
    return inside / n_submissions, around / n_submissions


def sandboxed_cpu_s(folder):
    """CPU seconds that the system adds to nobody's account, because the kernel ended their namespace as a whole."""
    records = [json.loads(path.read_text()) for path in (folder / "grading" / EXERCISE).glob("[!.]*.json")]
    shut_in = [one for one in records if one["isolation"] == "namespaces"]
    return sum(one["cpu_s"] + one["checker_cpu_s"] for one in shut_in)


def compare(folder, n_copies):
    classroom = make_class(folder, problem_set())
    release = json.loads((classroom.folder / "release" / EXERCISE / f"{EXERCISE}.ipynb").read_text())
    answers = {"cnn-answer": NETWORK, "parameters-answer": COUNT}
    for number, changes in enumerate(STUDENTS):
        hand_in(classroom.folder, f"{'wrong' if changes else 'right'}-{number}", release, answers | changes)
    stock = Path(shutil.copytree(classroom.folder, folder / "stock"))
    many = Path(shutil.copytree(classroom.folder, folder / "many"))
    for copy in range(1, n_copies):
        for number, changes in enumerate(STUDENTS):
            hand_in(many, f"{'wrong' if changes else 'right'}-{number}-{copy}", release, answers | changes)
    (stock / "nbgrader_config.py").write_text(STOCK)

    wall_stock, cpu_stock, _ = measured([sys.executable, "-m", "nbgrader", "autograde", EXERCISE], stock)
    course = [sys.executable, "-m", "autograder.cli", "grade", ".", EXERCISE]
    wall_ours, cpu_ours, lines = measured(course, classroom.folder)
    cpu_ours += sandboxed_cpu_s(classroom.folder)
    done = [when for when, line in lines if f"/{len(STUDENTS)} " in line]
    # The first ones of two workers wait for the import of TensorFlow; a large class does not notice it.
    running = (done[-1] - done[1]) / (len(done) - 2)

    theirs, ours = marks(stock), marks(classroom.folder)
    print(
        f"{f'{len(STUDENTS)} TensorFlow submissions':28s} {'wall s':>8s} {'CPU s':>8s} {'a minute':>9s} {'points':>8s}"
    )
    rows = (("nbgrader autograde", wall_stock, cpu_stock, theirs), ("course grade", wall_ours, cpu_ours, ours))
    for name, wall, cpu, found in rows:
        print(f"{name:28s} {wall:8.1f} {cpu:8.1f} {60 * len(found) / wall:9.1f} {sum(found.values()):8.0f}")
    print(f"{'course grade, once it runs':46s} {60 / running:9.1f}")
    print(f"equal marks: {'yes' if theirs == ours else f'NO {theirs} {ours}'}")
    print(
        f"throughput ratio: {wall_stock / wall_ours:.1f} with the start, {wall_stock / len(theirs) / running:.1f} "
        f"after; CPU ratio {cpu_stock / cpu_ours:.1f}"
    )
    if n_copies > 1:
        wall_many, _, _ = measured(course, many)
        n_many = len(marks(many))
        print(
            f"{n_many} TensorFlow submissions: {wall_many:.1f} s; {wall_stock / len(theirs) * n_many / wall_many:.1f} "
            f"times the throughput of stock nbgrader with its twelve"
        )
    inside, around = overhead_cpu_s(classroom)
    bare = sum(bare_cpu_s() for _ in range(3)) / 3
    print(
        f"CPU of a right submission: {inside:.2f} s in the sandbox, {around:.2f} s around it; bare cells {bare:.2f} s; "
        f"overhead {inside + around - bare:.2f} s"
    )


TOY_CELLS = {
    "mean-answer": [
        "def mean(numbers):\n    return sum(numbers) / len(numbers)",
        "def mean(numbers):\n    return 2",
        "import statistics\nmean = statistics.fmean",
        "def mean(numbers):\n    return max(numbers)",
    ],
    "fraction-answer": ["def fraction():\n    return 1.0", "def fraction():\n    return 0.25", "fraction = None"],
}


def large_class(folder, n_students):
    toy = Path(__file__).parent.parent / "tests" / "toy_assignments" / "ex01_1_toy.md"
    classroom = make_class(folder, toy.read_text(encoding="utf-8"))
    release = json.loads((classroom.folder / "release" / EXERCISE / f"{EXERCISE}.ipynb").read_text())
    generator = random.Random(1)
    for number in range(n_students):
        answers = {grade_id: generator.choice(sources) for grade_id, sources in TOY_CELLS.items()}
        noise = json.loads(json.dumps(release))
        if number % 3 == 1:
            generator.shuffle(noise["cells"])
        if number % 3 == 2:
            noise["cells"].append({**noise["cells"][0], "id": f"copy-{number}", "source": f"note {number}"})
        hand_in(classroom.folder, f"student-{number:03}", noise, answers)

    disturbed = Path(shutil.copytree(classroom.folder, folder / "disturbed"))

    process, megabytes = psutil.Process(), {}
    # The first has just started its workers and their server.
    moments = [max(2, n_students * part // 4) for part in range(5)]

    def watch(progress):
        if progress.done in moments and progress.done not in megabytes:
            megabytes[progress.done] = [process.memory_info().rss / 1e6, *memory_of_children(process)]

    start = time.monotonic()
    graded = classroom.grade_all(EXERCISE, on_change=watch)
    wall = time.monotonic() - start
    print(f"\n{len(graded)} submissions without TensorFlow: {wall:.0f} s, {60 * len(graded) / wall:.0f} a minute")
    print(f"{'memory / MB after':20s}" + "".join(f"{done:8d}" for done in megabytes))
    for name, sizes in zip(
        ("the run", "its workers", "their server"), zip(*megabytes.values(), strict=True), strict=True
    ):
        print(f"  {name:18s}" + "".join(f"{size:8.0f}" for size in sizes))
    start = time.monotonic()
    classroom.grade_all(EXERCISE)
    print(f"again, nothing changed: {time.monotonic() - start:.1f} s")

    start = time.monotonic()
    n_kills = grade_with_kills(disturbed, generator, wall / 12)
    same = rows(disturbed) == rows(classroom.folder)
    print(
        f"killed {n_kills} times: {time.monotonic() - start:.0f} s; the same gradebook: {'yes' if same else 'NO'}; "
        f"gradings of a submission that was graded before: {n_repeated(disturbed)}"
    )


def memory_of_children(process):
    """Megabytes of the workers and of the warm server of a run."""
    sums = {"autograder.grading_run": 0.0, "autograder.warm_server": 0.0}
    for child in process.children():
        for name in sums:
            if any(name in part for part in child.cmdline()):
                sums[name] += child.memory_info().rss / 1e6
    return list(sums.values())


def grade_with_kills(folder, generator, mean_s, most=10):
    """Grade a class, with SIGKILL for the run `most` times, after random times around `mean_s`; return how often."""
    course = [sys.executable, "-m", "autograder.cli", "grade", ".", EXERCISE]
    for n_kills in range(most + 1):
        process = subprocess.Popen(course, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            # The last one comes to its end.
            process.wait(None if n_kills == most else 2 * mean_s * generator.random())
            return n_kills
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def rows(folder):
    """What the gradebook says of each student and cell: points, and words of the comments."""
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{folder}/gradebook.db") as gradebook:
        return {
            submission.student.id: (
                sorted((one.name, one.auto_score, one.needs_manual_grade) for one in submission.notebooks[0].grades),
                sorted((one.name, one.auto_comment or "") for one in submission.notebooks[0].comments),
            )
            for submission in gradebook.find_assignment(EXERCISE).submissions
        }


def n_repeated(folder):
    """How many gradings the journal has beyond one a student."""
    lines = (folder / "grading" / EXERCISE / "journal.jsonl").read_text().splitlines()
    graded = [entry["student"] for entry in map(json.loads, filter(None, lines)) if entry["event"] == "graded"]
    return len(graded) - len(set(graded))


def main():
    n_students, n_copies = (int(text) for text in (*sys.argv[1:], *("500", "5")[len(sys.argv) - 1 :]))
    print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    for part, size in ((compare, n_copies), (large_class, n_students)):
        if size:
            with tempfile.TemporaryDirectory() as folder:
                part(Path(folder), size)


if __name__ == "__main__":
    main()
