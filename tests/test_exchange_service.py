"""The exchange service, live: owner and time cannot be forged, nothing of others is seen, nothing is lost."""

import concurrent.futures
import datetime
import hashlib
import json
import re
import signal
import socket
import time
from pathlib import Path

import pytest
from exchange_stage import EXERCISE, exercise_of, make_class, notebook, running_service

from autograder import exchange_store as store
from autograder.errors import CourseError
from autograder.exchange_service import UPLOADS, UPLOADS_OF_ONE, Settings, watch_words

DAY = datetime.timedelta(days=1)


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exchange")
    with running_service(make_class(folder / "class"), folder / "service.log") as running:
        yield running


@pytest.fixture
def exercise(service, request):
    """An exercise of this test's own: they all share one service."""
    return exercise_of(request.node, service.class_folder)


def stored(service, exercise, student):
    return [
        store.submitted_notebook(service.class_folder, exercise, student, receipt.attempt).read_bytes()
        for receipt in store.attempts(service.class_folder, exercise, student)
    ]


def files(service, exercise):
    place = service.class_folder / "exchange" / "submissions" / exercise
    return sorted(str(path.relative_to(place)) for path in place.rglob("*") if path.name != ".lock" and path.is_file())


# -- handing in -------------------------------------------------------------------------------------------------------


def test_a_submission_gets_the_hubs_user_and_the_services_time_whatever_the_request_says(service, exercise):
    content = notebook("answer = 42")
    before = store.now()
    answer = service.submit(
        "ada",
        content,
        exercise,
        headers={"X-Forwarded-User": "emmy", "REMOTE_USER": "emmy", "Date": "Mon, 01 Jan 2001 00:00:00 GMT"},
        params={"student": "emmy", "user": "emmy", "received": "2001-01-01", "attempt": 9},
        cookies={"student": "emmy"},
    )
    assert answer.status_code == 201
    receipt = answer.json()
    assert (receipt["student"], receipt["attempt"], receipt["known"], receipt["late"]) == ("ada", 1, False, False)
    assert receipt["sha256"] == hashlib.sha256(content).hexdigest()
    assert before <= datetime.datetime.fromisoformat(receipt["received"]) <= store.now()
    assert stored(service, exercise, "ada") == [content] and store.students(service.class_folder, exercise) == ["ada"]
    again = service.submit("ada", content, exercise)
    assert again.status_code == 200 and again.json()["known"] and again.json()["received"] == receipt["received"]


def test_deadline_attempts_and_pause(service, exercise):
    store.release(service.class_folder, exercise, due=store.now() - DAY, attempts=3)
    assert service.submit("ada", notebook("a"), exercise).json()["late"]
    store.extend(service.class_folder, exercise, "ada", store.now() + DAY)
    second = service.submit("ada", notebook("b"), exercise).json()
    assert not second["late"] and second["attempts_left"] == 1
    store.release(service.class_folder, exercise, pause_s=1000)
    early = service.submit("ada", notebook("c"), exercise)
    assert early.status_code == 429 and 0 < int(early.headers["Retry-After"]) <= 1000
    due = datetime.datetime.fromisoformat(second["received"]) + datetime.timedelta(seconds=1000)
    assert datetime.datetime.fromisoformat(early.json()["next_possible"]) == due
    assert store.time_text(due, seconds=True) in early.json()["message"]
    store.release(service.class_folder, exercise, pause_s=0)
    assert service.submit("ada", notebook("c"), exercise).status_code == 201
    over = service.submit("ada", notebook("d"), exercise)
    assert over.status_code == 409 and "All 3 attempts" in over.json()["message"]
    assert len(stored(service, exercise, "ada")) == 3


def test_what_is_no_single_notebook_is_refused_with_the_reason_and_leaves_nothing(service, exercise):
    for content, status, words in (
        (b"", 422, "empty"),
        (b'{"cells": [', 422, "damaged"),
        (b"[" * 300_000, 422, "nested too deeply"),
        (b"x" * (store.SIZE_LIMIT + 1), 413, "20 MB are the most"),
        ((b"x" * 1_000_000 for _ in range(25)), 413, "25.0 MB; 20 MB are the most"),  # sent in chunks, without a length
    ):
        answer = service.submit("ada", content, exercise)
        assert (answer.status_code, words in answer.json()["message"]) == (status, True), answer.text
    several = service.api(
        *("ada", "POST", f"exercises/{exercise}/submissions"),
        files={"one": (f"{exercise}.ipynb", notebook()), "two": ("../../data.csv", b"1,2")},
    )
    assert several.status_code == 400 and "files besides it" in several.json()["message"]
    for name in ("ex_unknown", "..%2F..%2Fetc", "EX", "a" * 65):
        assert service.submit("ada", notebook(), name).status_code == 404
    assert files(service, exercise) == []
    assert not list((service.class_folder / "exchange").glob("incoming/*"))


def begin_upload(service, exercise, person, content):
    """A connection on which half of an upload is sent."""
    head = (
        f"POST /services/exchange/api/exercises/{exercise}/submissions HTTP/1.1\r\nHost: hub\r\n"
        f"Authorization: token token-of-{person}\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    connection = socket.create_connection(("127.0.0.1", int(service.host.rpartition(":")[2])))
    connection.sendall(head.encode() + content[: len(content) // 2])
    return connection


def test_a_lost_connection_in_the_middle_leaves_nothing_and_holds_no_place(service, exercise):
    content = notebook("answer = 1")
    for _ in range(UPLOADS + 2):
        begin_upload(service, exercise, "ada", content).close()
    deadline = time.monotonic() + 120
    # Until the service has seen that they are gone, they are uploads under way.
    while (answer := service.submit("ada", content, exercise)).status_code == 429 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert answer.json()["attempt"] == 1
    assert files(service, exercise) == [f"ada/0001/{exercise}.ipynb", "ada/0001/receipt.json"]
    assert not list((service.class_folder / "exchange").glob("incoming/*"))


def test_an_upload_counts_from_its_beginning_and_nobody_has_many_at_a_time(service, exercise):
    contents = [notebook(f"answer = {number}") for number in range(UPLOADS_OF_ONE)]
    service.api("student38", "GET", "exercises")  # so that the service knows the token, and takes all in order
    connections = [begin_upload(service, exercise, "student38", content) for content in contents]
    deadline = time.monotonic() + 120
    while (answer := service.submit("student38", b"nothing", exercise)).status_code != 429:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert "wait for them to end" in answer.json()["message"]
    # All have begun by now, and none is complete.
    middle = store.now()
    for connection, content in zip(connections, contents, strict=True):
        with connection:
            connection.sendall(content[len(content) // 2 :])
            assert connection.recv(100).startswith(b"HTTP/1.1 201")
    receipts = store.attempts(service.class_folder, exercise, "student38")
    assert len(receipts) == UPLOADS_OF_ONE and all(receipt.received < middle for receipt in receipts)


def test_many_submissions_at_once_are_all_stored_none_twice_and_none_mixed_up(service, exercise):
    # The short form of bench/bench_exchange.py: 60 from 12 students, each of them two or three at the same moment.
    tasks = [(f"student{number % 12:02d}", notebook(f"answer = {number}")) for number in range(60)]

    def hand_in(task):
        while (answer := service.submit(*task, exercise)).status_code == 429:
            time.sleep(0.1)  # more than three of one student at the same moment wait
        return answer

    with concurrent.futures.ThreadPoolExecutor(24) as pool:
        answers = list(pool.map(hand_in, tasks))
    assert {answer.status_code for answer in answers} == {201}
    for student in {student for student, _ in tasks}:
        mine = [content for owner, content in tasks if owner == student]
        assert sorted(stored(service, exercise, student)) == sorted(mine)
    for (student, content), answer in zip(tasks, answers, strict=True):
        receipt = answer.json()
        path = store.submitted_notebook(service.class_folder, exercise, student, receipt["attempt"])
        assert receipt["student"] == student and path.read_bytes() == content
    for student in store.students(service.class_folder, exercise):
        times = [receipt.received for receipt in store.attempts(service.class_folder, exercise, student)]
        assert times == sorted(times)


def test_killed_and_started_again_it_has_lost_nothing(service, exercise):
    content = notebook("answer = 7")
    first = service.submit("ada", content, exercise).json()
    service.stop(signal.SIGKILL)
    service.start()
    again = service.submit("ada", content, exercise).json()
    assert again["known"] and again["received"] == first["received"]
    assert service.submit("ada", notebook("answer = 8"), exercise).json()["attempt"] == 2


# -- who may what -----------------------------------------------------------------------------------------------------


def test_the_api_takes_tokens_of_users_only_and_no_cookie(service, exercise):
    path = f"exercises/{exercise}/submissions"
    for person in ("guest", "watch", "nobody", "Odd Name"):
        assert service.api(person, "POST", path, data=notebook()).status_code == 403
    browser = service.browser("ada")
    assert browser.get(service.address).status_code == 200  # logged in
    for method in ("GET", "POST", "PUT", "DELETE"):
        answer = browser.request(method, f"{service.address}api/{path}", data=notebook())
        assert answer.status_code == 403, method
    assert files(service, exercise) == []


def test_students_see_their_own_and_cannot_tell_what_else_there_is(service, exercise):
    service.submit("ada", notebook("of ada"), exercise)
    store.put_feedback(
        service.class_folder, exercise, "ada", 1, mark={"points": 1, "maximum": 2}, page="<p>for ada</p>"
    )
    own = service.api("ada", "GET", f"exercises/{exercise}/feedback/1")
    assert own.status_code == 200 and own.text == "<p>for ada</p>"
    nothing = service.api("emmy", "GET", "exercises/ex_none/feedback/1")
    assert nothing.status_code == 404
    put = {"mark": {"points": 2, "maximum": 2}}
    for method, path, options in (
        ("GET", f"exercises/{exercise}/feedback/1", {}),
        ("GET", f"exercises/{exercise}/feedback/999999", {}),
        ("GET", f"class/{exercise}", {}),
        ("GET", "class/ex_none", {}),
        ("GET", f"class/{exercise}/ada/1", {}),
        ("GET", f"class/{exercise}/nobody/1", {}),
        ("PUT", f"class/{exercise}/ada/1", {"json": put}),
        ("PUT", f"class/{exercise}", {"json": {"attempts": 1}}),
        ("DELETE", f"class/{exercise}", {}),
        ("POST", f"class/{exercise}", {}),
        ("GET", "gradebook.db", {}),
        ("GET", "..%2f..%2fgradebook.db", {}),
    ):
        answer = service.api("emmy", method, path, **options)
        assert (answer.status_code, answer.text) == (404, nothing.text), (method, path)
    told = service.api("emmy", "GET", "exercises").json()
    mine = next(one for one in told["exercises"] if one["exercise"] == exercise)
    assert told["student"] == "emmy" and mine["submissions"] == [] and "ada" not in json.dumps(mine)
    browser = service.browser("emmy")
    gone = browser.get(f"{service.address}no/such/page")
    assert gone.status_code == 404
    for path in (
        f"feedback/{exercise}/1",
        f"notebook/{exercise}/1",
        "class",
        f"class/{exercise}",
        f"class/{exercise}/ada/1/notebook",
        f"class/{exercise}/ada/1/feedback",
        "%2e%2e/%2e%2e/gradebook.db",
    ):
        answer = browser.get(f"{service.address}{path}")
        assert (answer.status_code, answer.text) == (404, gone.text), path


def test_instructors_read_all_and_release_and_return_feedback(service, exercise):
    service.submit("ada", notebook("of ada"), exercise)
    for person in ("lise", "vera"):
        told = service.api(person, "GET", f"class/{exercise}").json()
        assert [(one["student"], one["attempt"]) for one in told["submissions"]] == [("ada", 1)]
    assert service.api("lise", "GET", f"class/{exercise}/ada/1").content == notebook("of ada")
    put = {"mark": {"points": 1.5, "maximum": 2}, "page": "<p>good</p>"}
    assert service.api("lise", "PUT", f"class/{exercise}/ada/1", json=put).status_code == 200
    assert service.api("ada", "GET", f"exercises/{exercise}/feedback/1").text == "<p>good</p>"
    assert service.api("lise", "PUT", f"class/{exercise}/ada/2", json=put).status_code == 404
    for bad in ({"mark": {}}, {"mark": 3}, {"mark": put["mark"], "page": 4}, []):
        assert service.api("lise", "PUT", f"class/{exercise}/ada/1", json=bad).status_code == 400
    settings = {"due": "2030-01-01T12:00+00:00", "attempts": 4}
    assert service.api("lise", "PUT", f"class/{exercise}", json=settings).json()["due"].startswith("2030-01-01T12:00")
    assert store.released(service.class_folder, exercise).attempts == 4
    for bad in ({"attempts": 0}, {"colour": "red"}, {"sha256": "0" * 64}, {"due": "soon"}):
        answer = service.api("lise", "PUT", f"class/{exercise}", json=bad)
        assert answer.status_code == 400, answer.text
    assert "stays released" in service.api("lise", "DELETE", f"class/{exercise}").json()["message"]


def test_without_the_hub_nobody_is_let_in_and_nothing_is_told(service, exercise):
    service.hub.down = True
    try:
        # Somebody whom the service has not asked about yet.
        answer = service.submit("student39", notebook(), exercise)
    finally:
        service.hub.down = False
    assert answer.status_code >= 500 and "Traceback" not in answer.text and service.hub.address not in answer.text
    assert files(service, exercise) == []


# -- pages ------------------------------------------------------------------------------------------------------------


def form_token(page):
    return re.search(r'name="form_token" value="([^"]+)"', page.text).group(1)


def test_a_student_reads_state_receipt_mark_and_feedback(service, exercise):
    store.release(service.class_folder, exercise, title="<script>alert(1)</script> & more", due=store.now() + DAY)
    receipt = service.submit("ada", notebook("answer = 1"), exercise).json()
    store.put_feedback(service.class_folder, exercise, "ada", 1, mark={"points": 1, "maximum": 2}, page="<script>1")
    browser = service.browser("ada")
    page = browser.get(service.address)
    assert page.status_code == 200 and "&lt;script&gt;alert(1)&lt;/script&gt; &amp; more" in page.text
    assert "<script" not in page.text and receipt["sha256"] in page.text and "1 of 2" in page.text
    assert "sandbox" in page.headers["Content-Security-Policy"]
    feedback = browser.get(f"{service.address}feedback/{exercise}/1")
    assert feedback.text == "<script>1"
    policy = feedback.headers["Content-Security-Policy"]
    assert "script-src 'none'" in policy and policy.endswith("sandbox")
    for answer in (page, feedback, browser.get(f"{service.address}nothing"), browser.get(f"{service.address}class")):
        headers = answer.headers
        assert headers["X-Content-Type-Options"] == "nosniff" and headers["X-Frame-Options"] == "DENY"
        assert "script-src 'none'" in headers["Content-Security-Policy"] and headers["Cache-Control"] == "no-store"
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"] and "Server" not in headers
    download = browser.get(f"{service.address}notebook/{exercise}/1")
    assert download.content == notebook("answer = 1") and "attachment" in download.headers["Content-Disposition"]


def test_pages_are_read_as_pages_only_so_that_no_script_of_this_origin_reads_them(service, exercise):
    browser = service.browser("lise")
    assert browser.get(f"{service.address}class/{exercise}").status_code == 200
    for use in ("empty", "iframe", "script", "image", "object"):
        answer = browser.get(f"{service.address}class/{exercise}", headers={"Sec-Fetch-Dest": use})
        assert answer.status_code == 403 and exercise not in answer.text


def test_an_instructor_extends_a_deadline_and_nobody_else_can(service, exercise):
    due = store.now() + DAY
    store.release(service.class_folder, exercise, due=due)
    address = f"{service.address}class/{exercise}"
    instructor, student = service.browser("lise"), service.browser("emmy")
    student.get(service.address)
    token = form_token(instructor.get(address))
    later = (due + DAY).astimezone().strftime("%Y-%m-%dT%H:%M")
    form = {"student": "emmy", "due": later, "action": "extend"}
    other = form_token(instructor.get(f"{service.address}class/{other_exercise(service)}"))
    # Without the form's token, with a forged, another exercise's: neither with the instructor's cookies nor without.
    for value in (None, "", "lise/" + exercise, token[:-4] + "0000", other):
        for session in (instructor, student):
            answer = session.post(address, data=form if value is None else form | {"form_token": value})
            assert answer.status_code == 403
    assert store.released(service.class_folder, exercise).extensions == {}
    done = instructor.post(address, data=form | {"form_token": token})
    assert done.status_code == 200 and done.url.endswith("?changed=emmy") and "emmy: the deadline is" in done.text
    given = store.released(service.class_folder, exercise).extensions["emmy"]
    assert abs(given - (due + DAY)) < datetime.timedelta(minutes=1)
    for bad, words in (
        (form | {"due": "2001-01-01T00:00"}, "must be later"),
        (form | {"due": ""}, "is no time"),
        (form | {"student": "<b>../x"}, "is no name"),
    ):
        answer = instructor.post(address, data=bad | {"form_token": token})
        assert answer.status_code == 400 and words in answer.text and "<b>" not in answer.text
    instructor.post(address, data=form | {"form_token": token, "action": "take back"})
    assert store.released(service.class_folder, exercise).extensions == {}


def other_exercise(service):
    make_class(service.class_folder, "ex_other")
    store.release(service.class_folder, "ex_other", due=store.now())
    return "ex_other"


@pytest.mark.browser
def test_the_pages_in_a_browser(service, exercise, repository):
    """No serious violation for axe, both themes; the form works from a sandboxed page; nothing runs."""
    from accessibility import serious_violations
    from playwright.sync_api import sync_playwright

    from autograder.browser import find_browser

    path = find_browser()
    if not path:
        pytest.skip("No browser")
    store.release(service.class_folder, exercise, title="Magnetic phases", due=store.now() + DAY, attempts=5)
    for text in ("a", "b"):
        service.submit("emmy", notebook(text), exercise)
    service.submit("ada", notebook("c"), exercise)
    page_text = "<p>Well done</p><script>document.title = 'ran'</script>"
    mark = {"points": 7, "maximum": 9, "waiting": 2}
    store.put_feedback(service.class_folder, exercise, "emmy", 1, mark=mark, page=page_text)
    screens = repository / "_build" / "screens" / "exchange"
    screens.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])

        def visit(person, scheme="light", **options):
            context = browser.new_context(color_scheme=scheme, viewport={"width": 1100, "height": 800}, **options)
            context.set_default_timeout(120_000)
            context.add_cookies([{"name": "person", "value": person, "url": f"{service.hub.address}/hub/"}])
            return context.new_page()

        # Axe is a script; only for it the policy is switched off.
        for person, address in (("emmy", ""), ("lise", "class"), ("lise", f"class/{exercise}"), ("emmy", "nothing")):
            for scheme in ("light", "dark") if address.endswith(exercise) else ("light",):
                page = visit(person, scheme, bypass_csp=True)
                page.goto(f"{service.address}{address}")
                assert page.locator("main h1").count() == 1
                assert serious_violations(page) == {}, (address, scheme)
                name = re.sub(r"\W", "_", address.replace(exercise, "exercise")) or "student"
                page.screenshot(path=str(screens / f"{name}_{scheme}.png"), full_page=True)
                page.context.close()
        page = visit("emmy")
        page.goto(f"{service.address}feedback/{exercise}/1")
        assert page.get_by_text("Well done").is_visible() and page.title() != "ran"
        # Extend by the keyboard alone, from a page that has no origin and so sends no cookie.
        page = visit("lise")
        page.goto(f"{service.address}class/{exercise}")
        page.get_by_label("Student").focus()
        page.keyboard.type("emmy")
        page.get_by_label("New deadline").fill((store.now() + 3 * DAY).astimezone().strftime("%Y-%m-%dT%H:%M"))
        page.keyboard.press("Enter")
        page.get_by_role("status").wait_for()
        assert "emmy: the deadline is" in page.get_by_role("status").inner_text()
        page.screenshot(path=str(screens / "extended.png"), full_page=True)
        browser.close()


def test_the_class_page_says_whether_grading_on_submit_runs(tmp_path):
    assert watch_words(tmp_path) == ""
    path = tmp_path / "exchange" / "watch.json"
    path.parent.mkdir()
    said = {"alive": True, "seen": store.now().isoformat(), "waiting": 2, "graded": 5, "error": None}
    path.write_text(json.dumps(said))
    assert watch_words(tmp_path) == "Grading on submit runs; 2 waiting, 5 graded."
    for changed in ({"alive": False}, {"seen": (store.now() - DAY).isoformat()}):
        path.write_text(json.dumps(said | changed | {"error": "disk\nfull"}))
        words = watch_words(tmp_path)
        assert "does not run (last seen" in words and words.endswith("Last error: disk full")
    for damage in ("", "[]", "{}", json.dumps(said | {"waiting": []})):
        path.write_text(damage)
        assert "cannot be read" in watch_words(tmp_path)


def test_the_service_needs_a_class(tmp_path):
    for value in ("", str(tmp_path), "/nonexistent"):
        with pytest.raises(CourseError, match="COURSE_CLASS"):
            Settings.from_environment({"COURSE_CLASS": value})
    folder = make_class(tmp_path / "winter", EXERCISE)
    read = Settings.from_environment({"COURSE_CLASS": str(folder), "COURSE_INSTRUCTORS": "lise, vera,"})
    assert read == Settings(Path(folder).resolve(), "winter", frozenset({"lise", "vera"}))
