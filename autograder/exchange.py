"""nbgrader's exchange by way of the exchange service: what its commands, Assignment List and formgrader call.

`autograder.exchange_service` decides about owner and time; these classes only ask it, with the token that the hub gives
each single-user server. A shared folder is not needed. To use them, put into ``nbgrader_config.py``::

    from autograder.exchange import use_exchange_service

    use_exchange_service(c)

and into the environment of the server ``COURSE_EXCHANGE_URL``, such as ``http://127.0.0.1:8000/services/exchange/``;
``JUPYTERHUB_API_TOKEN`` is there already. Then ``nbgrader list``, ``fetch_assignment``, ``submit``, ``fetch_feedback``
and JupyterLab's Assignment List work for students, ``release_assignment``, ``collect``, ``release_feedback`` and the
formgrader's buttons for instructors.

What differs from nbgrader's own exchange: a submission is the notebook and nothing else; the list says the number of
the attempt; releasing again changes the settings and needs no ``--force``; what was handed in cannot be removed.
"""

from __future__ import annotations

import datetime
import hashlib
import os
import shutil
import tempfile
import time
from pathlib import Path

import requests
from nbgrader.exchange import abc
from traitlets import Bool, Enum, Float, Integer, Unicode, default

from autograder.errors import CourseError
from autograder.exchange_store import COUNTING, FEEDBACK_DEGREES, check_size, is_name, time_text
from autograder.sanitising import one_line

#: A service that is just restarting answers the next time.
TRIES, PAUSE_S = 4, 1.0
#: Seconds to connect, and to wait for an answer.
TIMEOUT_S = (10.0, 180.0)
#: Larger feedback pages (of nbgrader's own template) are not sent; the mark is.
PAGE_LIMIT = 3_000_000
#: As nbgrader writes and reads ``timestamp.txt``.
TIMESTAMP = "%Y-%m-%d %H:%M:%S.%f %Z"


def use_exchange_service(configuration) -> None:
    """Make nbgrader use the classes of this module.

    Parameters
    ----------
    configuration : traitlets.config.Config
        The ``c`` of a configuration file.
    """
    factory = configuration.ExchangeFactory
    factory.exchange = ServiceExchange
    factory.list = ServiceList
    factory.fetch_assignment = ServiceFetchAssignment
    factory.submit = ServiceSubmit
    factory.fetch_feedback = ServiceFetchFeedback
    factory.release_assignment = ServiceReleaseAssignment
    factory.collect = ServiceCollect
    factory.release_feedback = ServiceReleaseFeedback


class ServiceExchange(abc.Exchange):
    """What all of them share: asking the service, and where the student's files are."""

    service_url = Unicode(help="Address of the exchange service; COURSE_EXCHANGE_URL if not set.").tag(config=True)
    path_includes_course = Bool(
        False, help="Whether an assignment's folder lies in one that is named after the course."
    ).tag(config=True)

    @default("service_url")
    def _service_url_default(self):
        return os.environ.get("COURSE_EXCHANGE_URL", "")

    def ask(self, method: str, path: str, **options) -> requests.Response:
        """Send a request and return the answer.

        Parameters
        ----------
        method, path : str
            The path below the service's address.
        **options
            Of `requests.Session.request`.

        Raises
        ------
        ExchangeError
            If there is no service, or it refuses; the message is the service's own.
        """
        token = os.environ.get("JUPYTERHUB_API_TOKEN", "")
        if not self.service_url or not token:
            self.fail(
                "There is no exchange here: COURSE_EXCHANGE_URL and JUPYTERHUB_API_TOKEN must be set, as they are in a "
                "server that the class's JupyterHub has started."
            )
        url = f"{self.service_url.rstrip('/')}/{path}"
        with requests.Session() as session:
            # Neither a proxy for the world outside nor a .netrc of the user has anything to do with it.
            session.trust_env = False
            for left in reversed(range(TRIES)):
                try:
                    answer = session.request(
                        method,
                        url,
                        headers={"Authorization": f"token {token}"},
                        timeout=TIMEOUT_S,
                        allow_redirects=False,
                        **options,
                    )
                except requests.RequestException as error:
                    problem = type(error).__name__
                else:
                    if answer.status_code not in {502, 503, 504}:
                        break
                    problem = f"status {answer.status_code}"
                # Asking twice does no harm: the same notebook again gets the receipt that it has.
                if not left:
                    self.fail(
                        f"The exchange at {self.service_url} does not answer ({problem}). Your files are as they were; "
                        f"try again in a minute, and tell your instructor if it stays so."
                    )
                time.sleep(PAUSE_S)
        if not answer.ok or answer.is_redirect:
            self.fail(_message(answer))
        return answer

    def exercises(self) -> dict:
        """All that the service tells the owner of the token."""
        return self.ask("GET", "api/exercises").json()

    @property
    def wanted(self) -> str:
        """The exercise that is asked for, or "" for all."""
        exercise = self.coursedir.assignment_id if self.coursedir else ""
        return "" if exercise == "*" else exercise

    def local_folder(self, exercise: str, course: str = "") -> Path:
        """Where the student has an exercise."""
        parts = [self.coursedir.course_id or course] if self.path_includes_course else []
        return Path(self.assignment_dir, *parts, exercise).absolute()

    def demand_exercise(self) -> str:
        """The one exercise that this is about."""
        if not is_name(self.wanted):
            self.fail(f"{self.wanted!r} is no exercise: name one, such as ex08_1.")
        return self.wanted

    def init_src(self):
        """Nothing to be found out beforehand."""

    def init_dest(self):
        """Nothing to be found out beforehand."""


def _message(answer: requests.Response) -> str:
    try:
        return str(answer.json()["message"])
    except (ValueError, KeyError, TypeError):
        return f"The exchange answered with status {answer.status_code}, which no exchange of this course does."


def _time(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text)


def _write(path: Path, content: bytes) -> None:
    """Write a file as a whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=path.suffix)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        os.chmod(draft, 0o644)
        os.replace(draft, path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise


# -- for students -----------------------------------------------------------------------------------------------------


class ServiceList(abc.ExchangeList, ServiceExchange):
    """``nbgrader list`` and the Assignment List: what is released, what was handed in, where feedback waits."""

    def copy_files(self):
        """Listing copies nothing."""

    def list_files(self) -> list[dict]:
        """Return (and log) the assignments in nbgrader's form.

        Returns
        -------
        list of dict
            Beyond nbgrader's keys there are ``due``, ``attempts`` and ``attempts_left``.
        """
        told = self.exercises()
        shown = [one for one in told["exercises"] if self.wanted in {"", one["exercise"]}]
        course = self.coursedir.course_id or told["course"]
        if not self.inbound and not self.cached:
            self.log.info("Released assignments:")
            return [self._released(one, course) for one in shown]
        self.log.info("Submitted assignments:")
        if self.inbound:
            groups = [group for one in shown for group in self._inbound(one)]
        else:
            groups = [(told["student"], one, one["submissions"]) for one in shown]
        return [self._submitted(*group, course) for group in groups if group[2]]

    def remove_files(self) -> list[dict]:
        """Withdraw an exercise that nobody has handed in yet; submissions stay whatever is asked."""
        if self.inbound or self.cached:
            self.fail("What was handed in stays: the exchange removes nothing.")
        exercise = self.demand_exercise()
        self.ask("DELETE", f"api/class/{exercise}")
        self.log.info("Withdrawn: %s", exercise)
        return []

    def _released(self, one: dict, course: str) -> dict:
        exercise = one["exercise"]
        folder = self.local_folder(exercise, course)
        is_fetched = folder.is_dir()
        due = f", deadline {time_text(_time(one['due']))}" if one["due"] else ""
        self.log.info(
            "%s %s%s, %d of %d attempts left%s",
            *(course, exercise, due, one["attempts_left"], one["attempts"]),
            " (already downloaded)" if is_fetched else "",
        )
        notebooks = sorted(folder.glob("*.ipynb")) if is_fetched else [Path(f"{exercise}.ipynb")]
        return {
            "course_id": course,
            "assignment_id": exercise,
            "status": "fetched" if is_fetched else "released",
            "path": str(folder) if is_fetched else exercise,
            "notebooks": [{"notebook_id": path.stem, "path": str(path)} for path in notebooks],
            "due": one["due"],
            "attempts": one["attempts"],
            "attempts_left": one["attempts_left"],
        }

    def _inbound(self, one: dict) -> list[tuple[str, dict, list]]:
        submissions = self.ask("GET", f"api/class/{one['exercise']}").json()["submissions"]
        students = sorted({each["student"] for each in submissions})
        only = self.coursedir.student_id
        return [
            (student, one, [each for each in submissions if each["student"] == student])
            for student in students
            if only in {"", "*", student}
        ]

    def _submitted(self, student: str, one: dict, submissions: list, course: str) -> dict:
        attempts = [self._attempt(each, one, course) for each in submissions]
        for each in attempts:
            if each["has_local_feedback"] and not each["feedback_updated"]:
                feedback = "feedback already fetched"
            else:
                feedback = "feedback ready to be fetched" if each["has_exchange_feedback"] else "no feedback available"
            self.log.info("%s %s %s %s (%s)", course, student, one["exercise"], each["timestamp"], feedback)
        return {
            "course_id": course,
            "student_id": student,
            "assignment_id": one["exercise"],
            "status": "submitted",
            "submissions": attempts,
            "due": one["due"],
            "attempts": one["attempts"],
            "attempts_left": one["attempts_left"],
        }

    def _attempt(self, receipt: dict, one: dict, course: str) -> dict:
        exercise = receipt["exercise"]
        page = self.local_folder(exercise, course) / "feedback" / f"{receipt['attempt']:04d}" / f"{exercise}.html"
        is_local = page.is_file()
        there = receipt["feedback_sha256"] is not None
        state = {
            "has_local_feedback": is_local,
            "has_exchange_feedback": there,
            "feedback_updated": is_local
            and there
            and hashlib.sha256(page.read_bytes()).hexdigest() != receipt["feedback_sha256"],
        }
        # The only words of an attempt that the Assignment List shows.
        words = f"{_time(receipt['received']):%Y-%m-%d %H:%M:%S} UTC, attempt {receipt['attempt']} of {one['attempts']}"
        if receipt["late"]:
            words += ", late"
        if receipt["mark"]:
            words += f", {receipt['mark']['points']:g} of {receipt['mark']['maximum']:g} points"
        notebook = {
            "notebook_id": exercise,
            "path": exercise,
            "local_feedback_path": str(page) if is_local else None,
        }
        return {
            "course_id": course,
            "student_id": receipt["student"],
            "assignment_id": exercise,
            "timestamp": words,
            "status": "submitted",
            "path": exercise,
            "notebooks": [notebook | state],
            "local_feedback_path": str(page.parent) if is_local else None,
            **state,
        }


class ServiceFetchAssignment(abc.ExchangeFetchAssignment, ServiceExchange):
    """``nbgrader fetch_assignment``: the student version, never over something that is there."""

    def copy_files(self):
        """Fetch the notebook."""
        exercise = self.demand_exercise()
        folder = self.local_folder(exercise)
        target = folder / f"{exercise}.ipynb"
        if target.exists() or (folder.is_dir() and not self.replace_missing_files):
            self.fail(
                f"You already have a copy of the assignment in this directory: {exercise}. To begin anew, rename it "
                f"and fetch again."
            )
        _write(target, self.ask("GET", f"api/exercises/{exercise}/notebook").content)
        self.log.info("Fetched as: %s", target)


class ServiceSubmit(abc.ExchangeSubmit, ServiceExchange):
    """``nbgrader submit``: hand the notebook in, and show the receipt."""

    def copy_files(self):
        """Hand in, and log what the service confirms."""
        # As nbgrader's own: the name may be that of a folder on the way to it.
        exercise = Path(self.wanted).name
        if not is_name(exercise):
            self.fail(f"{self.wanted!r} is no exercise: name one, such as ex08_1.")
        self.coursedir.assignment_id = exercise
        folder = self.local_folder(exercise)
        notebook = folder / f"{exercise}.ipynb"
        if not notebook.is_file():
            others = ", ".join(sorted(path.name for path in folder.glob("*.ipynb"))[:5])
            self.fail(
                f"There is no {exercise}.ipynb in {folder}{f' (there is {others})' if others else ''}: the notebook "
                f"must have the name under which it was fetched."
            )
        try:
            check_size(notebook.stat().st_size)
        except CourseError as error:
            self.fail(str(error))
        ignored = {notebook.name, "feedback", "__pycache__"}
        besides = sorted(path.name for path in folder.iterdir() if path.name not in ignored and path.name[0] != ".")
        if besides:
            self.log.warning(
                "Only %s is handed in, and graded; left out: %s", notebook.name, one_line(", ".join(besides))
            )
        answer = self.ask("POST", f"api/exercises/{exercise}/submissions", data=notebook.read_bytes())
        self.receipt = answer.json()
        received = time_text(_time(self.receipt["received"]), seconds=True)
        if self.receipt["known"]:
            self.log.warning("This is what you handed in before: no attempt was used.")
        self.log.info(
            "Submitted as: %s, attempt %d, received %s%s. Receipt (SHA-256): %s. Attempts left: %d",
            *(exercise, self.receipt["attempt"], received),
            ", after the deadline" if self.receipt["late"] else "",
            *(self.receipt["sha256"], self.receipt["attempts_left"]),
        )


class ServiceFetchFeedback(abc.ExchangeFetchFeedback, ServiceExchange):
    """``nbgrader fetch_feedback``: the pages of all attempts, into ``EXERCISE/feedback/NNNN/``."""

    def copy_files(self):
        """Fetch what is new or changed."""
        told = self.exercises()
        for one in told["exercises"]:
            if self.wanted not in {"", one["exercise"]}:
                continue
            for receipt in one["submissions"]:
                self._fetch(receipt, told["course"])

    def _fetch(self, receipt: dict, course: str) -> None:
        exercise, attempt = receipt["exercise"], receipt["attempt"]
        if receipt["feedback_sha256"] is None:
            self.log.warning("There is no feedback yet for attempt %d of %s", attempt, exercise)
            return
        page = self.local_folder(exercise, course) / "feedback" / f"{attempt:04d}" / f"{exercise}.html"
        if page.is_file() and hashlib.sha256(page.read_bytes()).hexdigest() == receipt["feedback_sha256"]:
            return
        _write(page, self.ask("GET", f"api/exercises/{exercise}/feedback/{attempt}").content)
        self.log.info("Fetched feedback: %s", page)


# -- for instructors --------------------------------------------------------------------------------------------------


class ServiceReleaseAssignment(abc.ExchangeReleaseAssignment, ServiceExchange):
    """``nbgrader release_assignment``: let students fetch what lies in ``release/``, until the gradebook's due date."""

    attempts = Integer(None, allow_none=True, help="How often a student may hand in.").tag(config=True)
    pause_s = Float(None, allow_none=True, help="Seconds between two attempts of a student.").tag(config=True)
    feedback_before_deadline = Enum(
        FEEDBACK_DEGREES, None, allow_none=True, help="What students may read before their deadline."
    ).tag(config=True)
    counts = Enum(COUNTING, None, allow_none=True, help="Which attempt gives the mark.").tag(config=True)

    def copy_files(self):
        """Tell the service; the notebook is in the class's folder already."""
        exercise = self.demand_exercise()
        release = self.coursedir.format_path(self.coursedir.release_directory, ".", exercise)
        notebook = Path(release) / f"{exercise}.ipynb"
        if not notebook.is_file():
            self.fail(f"There is no {notebook}: run 'course release' (or nbgrader generate_assignment) first.")
        settings = {"sha256": hashlib.sha256(notebook.read_bytes()).hexdigest(), "due": self._due(exercise)}
        settings |= {
            name: getattr(self, name) for name in ("attempts", "pause_s", "feedback_before_deadline", "counts")
        }
        given = {name: value for name, value in settings.items() if value is not None}
        told = self.ask("PUT", f"api/class/{exercise}", json=given).json()
        due = f", deadline {time_text(_time(told['due']))}" if told["due"] else ", without a deadline"
        self.log.info("Released: %s%s", exercise, due)

    def _due(self, exercise: str) -> str | None:
        from nbgrader.api import Gradebook, MissingEntry

        scheme, _, path = self.coursedir.db_url.partition(":///")
        if scheme == "sqlite" and not Path(path).is_file():
            return None  # opening it would make one
        with Gradebook(self.coursedir.db_url, self.coursedir.course_id) as gradebook:
            try:
                due = gradebook.find_assignment(exercise).duedate
            except MissingEntry:
                return None
        # The gradebook has UTC, and does not say so.
        return due.replace(tzinfo=datetime.UTC).isoformat() if due else None


class ServiceCollect(abc.ExchangeCollect, ServiceExchange):
    """``nbgrader collect``: the latest attempt of each student, into ``submitted/STUDENT/EXERCISE/``."""

    def copy_files(self):
        """Copy what is new."""
        exercise = self.demand_exercise()
        told = self.ask("GET", f"api/class/{exercise}").json()
        # In the order of arrival, so that the last one stays; before_duedate: late ones only of who was never in time.
        submissions = told["submissions"]
        chosen = {one["student"]: one for one in submissions}
        if self.before_duedate:
            chosen |= {one["student"]: one for one in submissions if not one["late"]}
        only = self.coursedir.student_id
        for student, receipt in sorted(chosen.items()):
            if only in {"", "*", student}:
                self._collect(exercise, student, receipt)
        if not chosen:
            self.log.warning("No submissions of %s to collect", exercise)

    def _collect(self, exercise: str, student: str, receipt: dict) -> None:
        target = Path(self.coursedir.format_path(self.coursedir.submitted_directory, student, exercise))
        received = _time(receipt["received"])
        if target.is_dir():
            earlier = self.coursedir.get_existing_timestamp(str(target))
            is_same = earlier is not None and earlier.replace(tzinfo=datetime.UTC) == received
            if is_same or not (self.update or self.before_duedate):
                self.log.info("Submission already exists, use --update to update: %s %s", student, exercise)
                return
        content = self.ask("GET", f"api/class/{exercise}/{student}/{receipt['attempt']}").content
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".collecting-") as scratch:
            draft = Path(scratch) / exercise
            draft.mkdir()
            (draft / f"{exercise}.ipynb").write_bytes(content)
            (draft / "timestamp.txt").write_text(received.strftime(TIMESTAMP), encoding="utf-8")
            if target.is_dir():
                shutil.move(target, Path(scratch) / "earlier")
            os.replace(draft, target)
        self.log.info("Collected: %s %s, attempt %d", student, exercise, receipt["attempt"])


class ServiceReleaseFeedback(abc.ExchangeReleaseFeedback, ServiceExchange):
    """``nbgrader release_feedback``: the pages in ``feedback/`` and the gradebook's marks, to the students."""

    def copy_files(self):
        """Send each student's page with the mark, for the attempt that was graded."""
        exercise = self.demand_exercise()
        receipts: dict[str, list] = {}
        for receipt in self.ask("GET", f"api/class/{exercise}").json()["submissions"]:
            receipts.setdefault(receipt["student"], []).append(receipt)
        excluded = {name.strip() for name in self.coursedir.student_id_exclude.split(",")}
        only = self.coursedir.student_id
        for student, attempts in sorted(receipts.items()):
            if student not in excluded and only in {"", "*", student}:
                self._release(exercise, student, attempts)

    def _release(self, exercise: str, student: str, attempts: list) -> None:
        folder = Path(self.coursedir.format_path(self.coursedir.feedback_directory, student, exercise))
        page, mark = folder / f"{exercise}.html", self._mark(exercise, student)
        attempt = self._graded_attempt(folder, exercise, student, attempts)
        if not page.is_file() or mark is None or attempt is None:
            self.log.warning("No feedback of %s for %s to release", exercise, student)
            return
        text = page.read_text(encoding="utf-8")
        if len(text) > PAGE_LIMIT:
            self.log.warning("%s has more than %d MB: only the mark is released", page, PAGE_LIMIT // 1_000_000)
            text = None
        self.ask("PUT", f"api/class/{exercise}/{student}/{attempt}", json={"mark": mark, "page": text})
        self.log.info("Released feedback: %s %s, attempt %d", student, exercise, attempt)

    def _graded_attempt(self, folder: Path, exercise: str, student: str, attempts: list) -> int | None:
        """The attempt that arrived when the graded submission did."""
        submitted = Path(self.coursedir.format_path(self.coursedir.submitted_directory, student, exercise))
        for place in (folder, submitted):
            when = self.coursedir.get_existing_timestamp(str(place))
            for receipt in attempts:
                if when is not None and when.replace(tzinfo=datetime.UTC) == _time(receipt["received"]):
                    return receipt["attempt"]
        return None

    def _mark(self, exercise: str, student: str) -> dict | None:
        from nbgrader.api import Gradebook, MissingEntry

        from autograder.feedback import marks_in_gradebook

        with Gradebook(self.coursedir.db_url, self.coursedir.course_id) as gradebook:
            try:
                marks = marks_in_gradebook(gradebook, exercise, exercise, student)
            except MissingEntry:
                return None
        return {"points": marks.reached, "maximum": marks.maximum, "waiting": marks.waiting}
