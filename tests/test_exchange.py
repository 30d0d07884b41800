"""nbgrader's own commands, Assignment List and formgrader, by way of the live exchange service."""

import datetime
import json
import logging
import os

import pytest
import requests
from exchange_stage import EXERCISE, exercise_of, make_class, notebook, running_service
from nbgrader.api import Gradebook
from nbgrader.apps import NbGrader, NbGraderAPI
from nbgrader.auth import Authenticator
from nbgrader.coursedir import CourseDirectory
from nbgrader.exchange import ExchangeError, ExchangeFactory
from nbgrader.server_extensions.assignment_list.handlers import AssignmentList

from autograder import exchange
from autograder import exchange_store as store

CONFIGURATION = """\
import os

from autograder.exchange import use_exchange_service

c = get_config()
use_exchange_service(c)
"""
CLASS_CONFIGURATION = (
    CONFIGURATION
    + """\
c.CourseDirectory.root = os.path.dirname(os.path.abspath(__file__))
c.CourseDirectory.course_id = "winter"
c.ServiceReleaseAssignment.attempts = 3
"""
)
DAY = datetime.timedelta(days=1)


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exchange")
    make_class(folder / "class", configuration=CLASS_CONFIGURATION)
    with running_service(folder / "class", folder / "service.log") as running:
        yield running


@pytest.fixture
def exercise(service, request):
    """An exercise of this test's own: they all share one service."""
    return exercise_of(request.node, service.class_folder)


@pytest.fixture
def become(service, tmp_path, monkeypatch):
    """Return a function that makes this process that of a person's server: folder, token, address."""
    monkeypatch.setattr(exchange, "PAUSE_S", 0.05)

    def become(person, folder=None):
        folder = folder or tmp_path / person
        if not folder.is_dir():
            folder.mkdir()
            (folder / "nbgrader_config.py").write_text(CONFIGURATION)
        monkeypatch.setenv("COURSE_EXCHANGE_URL", service.address)
        monkeypatch.setenv("JUPYTERHUB_API_TOKEN", f"token-of-{person}")
        monkeypatch.chdir(folder)
        return folder

    return become


def assignment_list(folder):
    """What the server extension of JupyterLab's Assignment List works with."""
    extension = AssignmentList()
    extension.root_dir = str(folder)
    return extension


def listed(extension, exercise):
    told = extension.list_assignments()
    assert told["success"], told["value"]
    return [one for one in told["value"] if one["assignment_id"] == exercise]


def instructors_api(folder):
    application = NbGrader()
    application.config_file_paths.append(str(folder))
    application.load_config_file()
    course = CourseDirectory(config=application.config)
    return NbGraderAPI(course, Authenticator(config=application.config), config=application.config)


def one(factory_method, exercise, **course):
    """One of nbgrader's exchange classes, as its commands make it."""
    application = NbGrader()
    application.load_config_file()
    config = application.config
    course = CourseDirectory(config=config, assignment_id=exercise, **course)
    factory = ExchangeFactory(config=config)
    return getattr(factory, factory_method)(coursedir=course, authenticator=Authenticator(config=config), config=config)


def test_a_student_fetches_submits_twice_and_reads_feedback_in_the_assignment_list(service, exercise, become):
    store.release(service.class_folder, exercise, attempts=3, due=store.now() + DAY)
    extension = assignment_list(become("ada"))
    [released] = listed(extension, exercise)
    assert (released["status"], released["course_id"], released["attempts_left"]) == ("released", "winter", 3)
    assert extension.list_courses() == {"success": True, "value": ["winter"]}

    assert extension.fetch_assignment("winter", exercise) == {"success": True}
    mine = become("ada") / exercise / f"{exercise}.ipynb"
    assert mine.read_bytes() == store.release_notebook(service.class_folder, exercise).read_bytes()
    [fetched] = listed(extension, exercise)
    assert (fetched["status"], fetched["path"]) == ("fetched", exercise)
    assert fetched["notebooks"] == [{"notebook_id": exercise, "path": f"{exercise}/{exercise}.ipynb"}]

    for text in ("first", "second"):
        mine.write_bytes(notebook(text))
        assert extension.submit_assignment("winter", exercise) == {"success": True}
    receipts = store.attempts(service.class_folder, exercise, "ada")
    [_, submitted] = listed(extension, exercise)
    assert (submitted["student_id"], submitted["status"]) == ("ada", "submitted")
    words = [each["timestamp"] for each in submitted["submissions"]]
    assert words == [f"{r.received:%Y-%m-%d %H:%M:%S} UTC, attempt {r.attempt} of 3" for r in receipts]

    mark, page = {"points": 1.5, "maximum": 2}, "<p>feedback on the second</p>"
    store.put_feedback(service.class_folder, exercise, "ada", 2, mark=mark, page=page)
    [_, submitted] = listed(extension, exercise)
    assert [each["has_exchange_feedback"] for each in submitted["submissions"]] == [False, True]
    assert submitted["submissions"][1]["timestamp"].endswith("attempt 2 of 3, 1.5 of 2 points")
    assert extension.fetch_feedback("winter", exercise) == {"success": True}
    [_, submitted] = listed(extension, exercise)
    read = submitted["submissions"][1]
    assert read["has_local_feedback"] and not read["feedback_updated"]
    place = become("ada") / read["local_feedback_path"]
    assert (place / f"{exercise}.html").read_text() == page
    # Graded again: the list says so, and fetching brings the new page.
    store.put_feedback(service.class_folder, exercise, "ada", 2, mark=mark, page="<p>changed</p>")
    assert listed(extension, exercise)[1]["submissions"][1]["feedback_updated"]
    extension.fetch_feedback("winter", exercise)
    assert (place / f"{exercise}.html").read_text() == "<p>changed</p>"
    # Fetched again, the student's work stays as it is.
    assert not extension.fetch_assignment("winter", exercise)["success"]
    assert mine.read_bytes() == notebook("second")


def test_another_student_has_nothing_of_it_whatever_the_client_asks(service, exercise, become):
    service.submit("ada", notebook("of ada"), exercise)
    store.put_feedback(service.class_folder, exercise, "ada", 1, mark={"points": 1, "maximum": 2}, page="<p>ada</p>")
    folder = become("emmy")
    extension = assignment_list(folder)
    extension.fetch_feedback("winter", exercise)
    assert not list(folder.rglob("*.html"))
    # The client's own idea of who asks counts for nothing.
    assert one("List", exercise, student_id="ada").start()[0]["status"] == "released"
    lister = one("List", exercise, student_id="ada")
    lister.inbound = True
    for forbidden in (
        lister.start,
        one("Collect", exercise).start,
        one("ReleaseFeedback", exercise, student_id="ada").start,
        one("FetchAssignment", "../../etc").start,
        one("FetchAssignment", "ex_none").start,
    ):
        with pytest.raises(ExchangeError):
            forbidden()
    (folder / exercise).mkdir()
    (folder / exercise / f"{exercise}.ipynb").write_bytes(notebook("of emmy"))
    one("Submit", exercise, student_id="ada").start()
    assert [r.student for r in store.attempts(service.class_folder, exercise, "emmy")] == ["emmy"]
    assert len(store.attempts(service.class_folder, exercise, "ada")) == 1


def test_a_refusal_is_told_in_the_services_words_and_a_mistake_before_anything_is_sent(service, exercise, become):
    store.release(service.class_folder, exercise, attempts=1)
    folder = become("ada") / exercise
    with pytest.raises(ExchangeError, match=f"There is no {exercise}.ipynb"):
        one("Submit", exercise).start()
    folder.mkdir()
    (folder / "copy.ipynb").write_bytes(notebook())
    with pytest.raises(ExchangeError, match=r"there is copy\.ipynb"):
        one("Submit", exercise).start()
    mine = folder / f"{exercise}.ipynb"
    mine.write_bytes(b'{"cells": [')
    with pytest.raises(ExchangeError, match="damaged"):
        one("Submit", exercise).start()
    mine.write_bytes(b" " * (store.SIZE_LIMIT + 1))
    with pytest.raises(ExchangeError, match="20 MB are the most"):
        one("Submit", exercise).start()
    mine.write_bytes(notebook("a"))
    one("Submit", f"../ada/{exercise}").start()  # as nbgrader's own, which takes a folder's path
    mine.write_bytes(notebook("b"))
    with pytest.raises(ExchangeError, match="All 1 attempts"):
        one("Submit", exercise).start()


def test_what_lies_besides_the_notebook_is_not_sent_and_is_named(service, exercise, become, caplog):
    folder = become("ada") / exercise
    (folder / "feedback").mkdir(parents=True)
    (folder / f"{exercise}.ipynb").write_bytes(notebook("a"))
    (folder / "model.keras").write_bytes(b"weights")
    (folder / "link.txt").symlink_to("/etc/passwd")
    submit = one("Submit", exercise)
    submit.log = logging.getLogger("submitting")
    with caplog.at_level(logging.INFO, "submitting"):
        submit.start()
        submit.start()
    assert "left out: link.txt, model.keras" in caplog.text and "no attempt was used" in caplog.text
    assert submit.receipt["sha256"] in caplog.text and "Attempts left: 99" in caplog.text
    [attempt] = (service.class_folder / "exchange" / "submissions" / exercise / "ada").glob("0*")
    assert sorted(os.listdir(attempt)) == [f"{exercise}.ipynb", "receipt.json"]


def test_without_a_service_the_message_says_what_to_do_and_a_restart_is_waited_for(service, become, monkeypatch):
    folder = become("ada")
    # Neither a proxy for the world outside nor a .netrc, whose name and password would replace the token, is asked.
    (folder / "netrc").write_text("machine 127.0.0.1 login emmy password secret\n")
    for name, value in {"HTTP_PROXY": "http://127.0.0.1:9", "NO_PROXY": "", "NETRC": str(folder / "netrc")}.items():
        monkeypatch.setenv(name, value)
        monkeypatch.setenv(name.lower(), value)
    real, answers = requests.Session.request, []

    def restarting(*arguments, **options):
        answers.append(1)
        if len(answers) < 3:
            raise requests.ConnectionError("refused")
        return real(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(requests.Session, "request", restarting)
        one("List", "").start()
    assert len(answers) == 3
    monkeypatch.setenv("COURSE_EXCHANGE_URL", service.address.replace("127.0.0.1", "127.0.0.2"))
    with pytest.raises(ExchangeError, match="Your files are as they were"):
        one("List", "").start()
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "")
    with pytest.raises(ExchangeError, match="There is no exchange here"):
        one("List", "").start()
    # As the Assignment List sees it: an answer, no exception.
    assert not assignment_list(os.getcwd()).list_assignments()["success"]


def test_an_instructor_releases_collects_and_returns_feedback_through_nbgraders_api(service, become, monkeypatch):
    exercise, folder = "ex_instructor", service.class_folder
    # A new gradebook asks a program of its own for this number, which takes seconds, and which nothing here reads.
    monkeypatch.setattr("nbgrader.api.get_alembic_version", lambda: "not needed")
    path = folder / "release" / exercise / f"{exercise}.ipynb"
    path.parent.mkdir(parents=True)
    path.write_bytes(notebook("raise NotImplementedError()"))
    due = datetime.datetime(2030, 5, 1, 12)  # nbgrader's gradebook has UTC without saying so
    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}", "winter") as gradebook:
        gradebook.add_assignment(exercise, duedate=due)
        gradebook.add_notebook(exercise, exercise)
        gradebook.add_grade_cell("mean", exercise, exercise, max_score=5, cell_type="code")
    become("lise", folder)
    api = instructors_api(folder)
    assert not api.exchange_missing and exercise not in api.get_released_assignments()
    done = api.release_assignment(exercise)
    assert done["success"], done
    assert exercise in api.get_released_assignments()
    settings = store.released(folder, exercise)
    assert settings.due == due.replace(tzinfo=datetime.UTC) and settings.attempts == 3

    assert api.unrelease(exercise)["success"] and exercise not in api.get_released_assignments()
    assert api.release_assignment(exercise)["success"]
    for student in ("ada", "emmy"):
        for text in ("first", "second"):
            service.submit(student, notebook(f"{text} of {student}"), exercise)
    assert not api.unrelease(exercise)["success"]
    assert api.collect(exercise)["success"]
    collected = folder / "submitted" / "emmy" / exercise
    assert (collected / f"{exercise}.ipynb").read_bytes() == notebook("second of emmy")
    receipt = store.attempts(folder, exercise, "emmy")[-1]
    arrived = CourseDirectory().get_existing_timestamp(str(collected))
    assert arrived.replace(tzinfo=datetime.UTC) == receipt.received
    service.submit("emmy", notebook("third of emmy"), exercise)
    assert api.collect(exercise, update=False)["success"]
    assert (collected / f"{exercise}.ipynb").read_bytes() == notebook("second of emmy")
    assert api.collect(exercise, update=True)["success"]
    assert (collected / f"{exercise}.ipynb").read_bytes() == notebook("third of emmy")
    assert sorted(os.listdir(folder / "submitted" / "emmy")) == [exercise]

    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}", "winter") as gradebook:
        gradebook.add_student("emmy")
        gradebook.add_submission(exercise, "emmy")
        gradebook.find_grade("mean", exercise, exercise, "emmy").auto_score = 4
        gradebook.db.commit()
    page = folder / "feedback" / "emmy" / exercise / f"{exercise}.html"
    page.parent.mkdir(parents=True)
    page.write_text("<p>on the third</p>")
    assert api.release_feedback(exercise)["success"]
    read = store.read_feedback(folder, exercise, "emmy", 3)
    assert (read.mark["points"], read.mark["maximum"], read.page.read_text()) == (4, 5, "<p>on the third</p>")
    assert store.read_feedback(folder, exercise, "ada", 2) is None

    lister = api.exchange.List(coursedir=api.coursedir, authenticator=api.authenticator, parent=api)
    lister.inbound = True
    api.coursedir.assignment_id = exercise
    submissions = {each["student_id"]: len(each["submissions"]) for each in lister.start()}
    assert submissions == {"ada": 2, "emmy": 3}
    # What was handed in cannot be removed, by whichever command.
    lister.remove = True
    with pytest.raises(ExchangeError, match="stays"):
        lister.start()


def test_collecting_before_the_deadline_takes_the_last_that_was_in_time(service, exercise, become):
    folder = become("lise", service.class_folder)
    due = store.now() + DAY
    store.release(folder, exercise, due=due)
    for student, times in {"ada": (-1, -2, 1), "emmy": (1, 2)}.items():
        for number, days in enumerate(sorted(times)):
            when = due + days * DAY / 2
            store.receive(folder, exercise, student, notebook(f"{number} of {student}"), when=when)
    collect = one("Collect", exercise)
    collect.before_duedate = True
    collect.start()
    got = {student: folder / "submitted" / student / exercise / f"{exercise}.ipynb" for student in ("ada", "emmy")}
    assert got["ada"].read_bytes() == notebook("1 of ada")
    # Who was in time with nothing is collected late.
    assert got["emmy"].read_bytes() == notebook("1 of emmy")


def test_the_release_must_be_that_of_the_services_class(service, exercise, become, tmp_path):
    other = make_class(tmp_path / "other", exercise, configuration=CLASS_CONFIGURATION)
    (other / "release" / exercise / f"{exercise}.ipynb").write_bytes(notebook("another version"))
    become("lise", other)
    with pytest.raises(ExchangeError, match="not that of this class"):
        one("ReleaseAssignment", exercise).start()
    with pytest.raises(ExchangeError, match="course release"):
        one("ReleaseAssignment", EXERCISE).start()
    assert json.loads((service.class_folder / "exchange" / "released" / f"{exercise}.json").read_text())["due"] is None
