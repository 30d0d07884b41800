"""How fast submissions are stored when a class hands in at the last minute, next to nbgrader's own exchange.

Usage: python bench/bench_exchange.py [SUBMISSIONS [STUDENTS [KILOBYTES]]]

The service runs in its own process with a hub that only says whose token it sees; students hand in over HTTP, all at
the same time. Afterwards each stored notebook is compared with what was sent: all there, none twice, none mixed up. The
peer, in the same run, is nbgrader's exchange of a shared folder on the same disk, which copies and checks nothing, and
whose time and owner the student's side sets; it is called by as many threads.
"""

import concurrent.futures
import logging
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from exchange_stage import EXERCISE, PEOPLE, make_class, notebook, running_service
from nbgrader.auth import Authenticator
from nbgrader.coursedir import CourseDirectory
from nbgrader.exchange.default import ExchangeSubmit

from autograder import exchange_store as store


def tasks(n_submissions, n_students, kilobytes):
    filling = "x" * (1000 * kilobytes)
    return [
        (f"student{number % n_students:02d}", notebook(f"answer = {number}  # {filling}"))
        for number in range(n_submissions)
    ]


def timed(function, work, n_threads):
    """Seconds of all, and of each."""

    def one(task):
        start = time.perf_counter()
        function(*task)
        return time.perf_counter() - start

    start = time.perf_counter()
    with concurrent.futures.ThreadPoolExecutor(n_threads) as pool:
        each = list(pool.map(one, work))
    return time.perf_counter() - start, each


def through_the_service(folder, work, n_threads):
    make_class(folder / "class", EXERCISE)
    with running_service(folder / "class", folder / "service.log") as service:

        def hand_in(student, content):
            while (answer := service.submit(student, content)).status_code == 429:
                time.sleep(0.05)
            answer.raise_for_status()

        result = timed(hand_in, work, n_threads)
    found = {}
    for student in store.students(folder / "class", EXERCISE):
        found[student] = sorted(
            store.submitted_notebook(folder / "class", EXERCISE, student, receipt.attempt).read_bytes()
            for receipt in store.attempts(folder / "class", EXERCISE, student)
        )
    sent = {student: sorted(content for owner, content in work if owner == student) for student, _ in work}
    print(f"stored: {sum(map(len, found.values()))} of {len(work)}, each with its owner: {found == sent}")
    return result


def through_a_shared_folder(folder, work, n_threads):
    root, name = folder / "shared", "winter"
    for place in ("inbound", "outbound"):
        (root / name / place).mkdir(parents=True)
    released = root / name / "outbound" / EXERCISE
    released.mkdir()
    (released / f"{EXERCISE}.ipynb").write_bytes(notebook())
    root.chmod(0o777)
    logger = logging.Logger("nbgrader", level=logging.CRITICAL)
    prepared = []
    for number, (student, content) in enumerate(work):
        home = folder / "homes" / str(number)
        (home / EXERCISE).mkdir(parents=True)
        (home / EXERCISE / f"{EXERCISE}.ipynb").write_bytes(content)
        course = CourseDirectory(course_id=name, assignment_id=EXERCISE, student_id=student)
        submit = ExchangeSubmit(coursedir=course, authenticator=Authenticator(), log=logger)
        submit.root, submit.cache, submit.assignment_dir = str(root), str(home / "cache"), str(home)
        prepared.append((submit,))
    return timed(lambda submit: submit.start(), prepared, n_threads)


def main(n_submissions=200, n_students=40, kilobytes=100):
    n_students = min(n_students, sum(name.startswith("student") for name in PEOPLE))
    work, n_threads = tasks(n_submissions, n_students, kilobytes), n_students
    print(f"{n_submissions} submissions of {kilobytes} kB by {n_students} students, {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as scratch:
        results = {
            "exchange service": through_the_service(Path(scratch), work, n_threads),
            "nbgrader, shared folder": through_a_shared_folder(Path(scratch), work, n_threads),
        }
    print(f"{'':24} {'all (s)':>8} {'a minute':>9} {'median (s)':>11} {'90 % (s)':>9} {'99 % (s)':>9} {'slowest':>8}")
    for name, (seconds, each) in results.items():
        cuts = statistics.quantiles(each, n=100)
        rate = 60 * n_submissions / seconds
        print(
            f"{name:24} {seconds:8.2f} {rate:9.0f} {statistics.median(each):11.3f} {cuts[89]:9.3f} {cuts[98]:9.3f} "
            f"{max(each):8.3f}"
        )
    ours, peer = (results[name][0] for name in results)
    print(f"the service takes {ours / peer:.2f} of the time of the shared folder")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
