"""The exchange of a class as a service of its JupyterHub: it alone decides who handed something in, and when.

``python -m autograder.exchange_service`` runs it; the hub starts it with the variables that every managed service gets,
and three of ours: ``COURSE_CLASS`` (the folder of the class), ``COURSE_NAME`` (course id; the folder's name if not
given) and ``COURSE_INSTRUCTORS`` (names, separated by commas, besides the hub's group ``instructors``). What is stored
where is said in `autograder.exchange_store`.

Pages, for browsers logged in at the hub::

    /                                            a student's exercises: deadline, attempts, marks, feedback
    /feedback/EXERCISE/ATTEMPT                   a feedback page, which runs nothing
    /notebook/EXERCISE/ATTEMPT                   what was handed in
    /class  /class/EXERCISE                      instructors: who handed in what; extension of a deadline
    /class/EXERCISE/STUDENT/ATTEMPT/feedback     instructors: the feedback of a student
    /class/EXERCISE/STUDENT/ATTEMPT/notebook     instructors: what a student handed in

API, for programs with a token of the hub::

    GET  api/exercises                           all exercises, and where the owner of the token stands
    GET  api/exercises/EXERCISE/notebook         the student version
    POST api/exercises/EXERCISE/submissions      hand in: the body is the notebook, the answer the receipt
    GET  api/exercises/EXERCISE/feedback/ATTEMPT  a feedback page
    GET  api/class/EXERCISE                      instructors: all receipts
    PUT  api/class/EXERCISE                      instructors: release, with settings in JSON (DELETE: withdraw)
    GET  api/class/EXERCISE/STUDENT/ATTEMPT      instructors: a notebook that was handed in
    PUT  api/class/EXERCISE/STUDENT/ATTEMPT      instructors: mark and feedback page, in JSON

Users and tokens need the scope ``access:services!service=exchange``; to the token of a student's server the hub gives
it by ``c.Spawner.server_token_scopes``.

What keeps students apart:

- The owner is the hub's user behind the token or cookie. No path, form or header names one, but in the instructors'
  part, and that does not exist for others: unknown, forbidden and mistyped addresses have one answer.
- The API takes tokens in the ``Authorization`` header and never a cookie, so no page can use it in somebody's name.
- Students' servers share the hub's origin, and their programs could serve pages there. So every page here is sandboxed
  (an origin of its own, nothing of it can be read or framed), cookies are taken for whole pages only, and forms carry a
  signed token that names user and purpose instead of relying on a cookie.
- The service's only secret is its hub token; what it signs with is derived from that.
"""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import hashlib
import json
import logging
import os
import re
import signal
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlparse

from jupyterhub.services.auth import HubOAuth, HubOAuthCallbackHandler, HubOAuthenticated
from tornado import escape, httpserver, netutil, web

from autograder import exchange_store as store
from autograder.errors import CourseError
from autograder.pages import points
from autograder.sanitising import PAGE_POLICY, one_line

INSTRUCTORS_GROUP = "instructors"
#: Uploads read and checked at a time: each may take `exchange_store.SIZE_LIMIT` of memory, and ten times that to parse.
UPLOADS = 8
CHECKS = 2
UPLOADS_OF_ONE = 3
#: A longer body is read to its end for a clear answer only up to here.
READ_LIMIT = 4 * store.SIZE_LIMIT
#: Of everything else that is sent; feedback pages are the largest.
BODY_LIMIT = 4_000_000
#: Who sends more slowly than this is cut off, so that nobody holds a place for ever.
BODY_TIMEOUT_S = 120.0
FORM_AGE_DAYS = 0.5
#: The watch says every 15 s that it lives; longer silence is its end.
WATCH_SILENCE_S = 60.0

_TEMPLATES = Path(__file__).parent / "templates"
_PAGE_CSP = (
    "default-src 'none'; script-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'; sandbox allow-forms allow-downloads"
)
_FEEDBACK_CSP = f"{PAGE_POLICY}; script-src 'none'; frame-ancestors 'none'; sandbox"
_STATUS = {
    "name": 404,
    "not released": 404,
    "no attempt": 404,
    "too large": 413,
    "unreadable": 422,
    "no attempts left": 409,
    "too early": 429,
    "disk full": 507,
}
_EXERCISE, _STUDENT, _ATTEMPT = r"([a-z0-9._-]{1,64})", r"([a-z0-9._-]{1,64})", r"([0-9]{1,6})"


@dataclass(frozen=True)
class Person:
    """The hub's user behind a request."""

    name: str
    instructor: bool


@dataclass(frozen=True)
class Settings:
    """What the service is told.

    Attributes
    ----------
    class_folder : pathlib.Path
    course : str
        Course id.
    instructors : frozenset of str
        Besides the members of the hub's group.
    uploads : int
        How many uploads are read at a time.
    """

    class_folder: Path
    course: str
    instructors: frozenset[str] = frozenset()
    uploads: int = UPLOADS

    @classmethod
    def from_environment(cls, environment=os.environ) -> Settings:
        """Read ``COURSE_CLASS``, ``COURSE_NAME`` and ``COURSE_INSTRUCTORS``.

        Raises
        ------
        CourseError
            If there is no class.
        """
        folder = environment.get("COURSE_CLASS", "")
        if not (Path(folder) / "nbgrader_config.py").is_file():
            raise CourseError(f"COURSE_CLASS={folder or '(not set)'} is not a class: set it to the folder of one.")
        names = environment.get("COURSE_INSTRUCTORS", "")
        path = Path(folder).resolve()
        return cls(
            class_folder=path,
            course=environment.get("COURSE_NAME") or path.name,
            instructors=frozenset(name.strip() for name in names.split(",") if name.strip()),
        )


class Handler(HubOAuthenticated, web.RequestHandler):
    """What all pages and the API share: who asks, and answers that give nothing away."""

    #: For instructors only; for others it does not exist.
    for_instructors = False
    person: Person | None = None

    @property
    def exchange(self) -> Settings:
        return self.application.settings["exchange"]

    @property
    def class_folder(self) -> Path:
        return self.exchange.class_folder

    def set_default_headers(self):
        self.set_header("Content-Security-Policy", _PAGE_CSP)
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("X-Frame-Options", "DENY")
        self.set_header("Referrer-Policy", "no-referrer")
        self.set_header("Cross-Origin-Resource-Policy", "same-origin")
        self.set_header("Cache-Control", "no-store")
        self.clear_header("Server")

    def check_xsrf_cookie(self):
        # Nothing that changes anything takes a cookie: the API takes tokens, forms are signed. See `Handler.person_of`.
        pass

    def person_of(self, model: dict | None) -> Person | None:
        """The person whom the hub describes; None if it is none who may use this service.

        Raises
        ------
        tornado.web.HTTPError
            403 for somebody known who may not.
        """
        if model is None:
            return None
        name = model.get("name")
        allowed = self.hub_auth.check_scopes(self.hub_auth.access_scopes, model)
        if model.get("kind") != "user" or not store.is_name(name) or not allowed:
            raise web.HTTPError(403)
        groups = model.get("groups") or []
        return Person(name, name in self.exchange.instructors or INSTRUCTORS_GROUP in groups)

    def demand(self, person: Person | None) -> None:
        """Let only those pass whom this address is for."""
        if person is None:
            raise web.HTTPError(403)
        self.person = person
        if self.for_instructors and not person.instructor:
            raise web.HTTPError(404)

    async def in_thread(self, function, *arguments, **options):
        """Disk and parsing must not hold up the others."""
        pool = self.application.settings["pool"]
        return await asyncio.get_running_loop().run_in_executor(
            pool, functools.partial(function, self.class_folder, *arguments, **options)
        )

    async def state(self, exercise: str, student: str) -> store.StudentState:
        return await self.in_thread(store.student_state, exercise, student)

    async def send_notebook(self, exercise: str, student: str, attempt: str) -> None:
        receipt = await self.in_thread(store.receipt, exercise, student, int(attempt))
        path = store.submitted_notebook(self.class_folder, exercise, student, receipt.attempt)
        self.set_header("Content-Type", "application/x-ipynb+json")
        self.set_header("Content-Disposition", f'attachment; filename="{exercise}.ipynb"')
        self.finish(await asyncio.to_thread(path.read_bytes))

    async def send_feedback(self, exercise: str, student: str, attempt: str) -> None:
        found = await self.in_thread(store.read_feedback, exercise, student, int(attempt))
        if found is None or found.page is None:
            raise web.HTTPError(404)
        # Whatever the page holds: no script, no form, no request, and no origin to act in.
        self.set_header("Content-Security-Policy", _FEEDBACK_CSP)
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.finish(await asyncio.to_thread(found.page.read_bytes))

    def log_exception(self, kind, error, trace):
        if isinstance(error, CourseError):
            logging.getLogger("exchange").info("%s %s: %s", self.request.method, self.request.path, error)
        else:
            super().log_exception(kind, error, trace)

    def explain(self, status: int, error: BaseException | None) -> tuple[int, str, dict]:
        """Status, words and further facts of an error; what is not ours to tell stays in the log."""
        if isinstance(error, store.Refused):
            status = _STATUS[error.kind]
            if status != 404:
                facts = {"kind": error.kind, "next_possible": _time(error.next_possible)}
                return status, str(error), {name: value for name, value in facts.items() if value is not None}
        elif isinstance(error, web.HTTPError) and error.reason:
            return error.status_code, error.reason, {}
        elif isinstance(error, BadRequest):
            return 400, str(error), {}
        elif isinstance(error, CourseError) and self.person is not None and self.person.instructor:
            # A mistake in what was sent, or a damaged file of the class: in both cases for this person to mend.
            return 400, str(error), {}
        words = {
            403: "You may not do this. If you should, log in again.",
            404: "There is nothing here for you.",
            405: "This cannot be done here.",
            413: "That is too long.",
        }
        sorry = "Something went wrong here, and your request was not carried out. Tell your instructor."
        return status, words.get(status, sorry if status >= 500 else HTTPStatus(status).phrase), {}


class BadRequest(CourseError):
    """What was sent cannot be meant."""


# -- the API ----------------------------------------------------------------------------------------------------------


class ApiHandler(Handler):
    """Only a token in the ``Authorization`` header counts here."""

    async def prepare(self):
        token = self.hub_auth.get_token(self, in_cookie=False)
        model = await self.hub_auth.user_for_token(token, sync=False) if token else None
        self.demand(self.person_of(model))

    def write_error(self, status_code, exc_info=(None, None, None), **_):
        status, message, facts = self.explain(status_code, exc_info[1])
        self.set_status(status)
        self.set_header("Content-Type", "application/json")
        if "next_possible" in facts:
            seconds = (exc_info[1].next_possible - store.now()).total_seconds()
            self.set_header("Retry-After", str(max(1, round(seconds))))
        self.finish({"message": message} | facts)

    def json_body(self) -> dict:
        try:
            body = json.loads(self.request.body or b"{}")
        except (ValueError, RecursionError) as error:
            raise BadRequest("The body is no JSON.") from error
        if not isinstance(body, dict):
            raise BadRequest("The body must be a JSON object.")
        return body


class ExercisesApi(ApiHandler):
    async def get(self):
        name = self.person.name
        states = [await self.state(one.exercise, name) for one in await self.in_thread(store.list_released)]
        self.finish(
            {
                "course": self.exchange.course,
                "student": name,
                "instructor": self.person.instructor,
                "exercises": [_state_as_json(state) for state in states],
            }
        )


class ReleaseNotebookApi(ApiHandler):
    async def get(self, exercise):
        await self.in_thread(store.released, exercise)
        content = await asyncio.to_thread(store.release_notebook(self.class_folder, exercise).read_bytes)
        await self.in_thread(store.note_fetched, exercise, self.person.name)
        self.set_header("Content-Type", "application/x-ipynb+json")
        self.finish(content)


@web.stream_request_body
class SubmissionsApi(ApiHandler):
    """Take one upload. Until it is complete it exists in memory only, so that a lost connection leaves nothing."""

    _holds_place = _counted = False

    async def prepare(self):
        #: When it began: neither a slow line nor others before it in the queue make a submission late.
        self.when = store.now()
        self.content, self.size, self.refusal = bytearray(), 0, None
        self.request.connection.set_max_body_size(READ_LIMIT)
        self.request.connection.set_body_timeout(BODY_TIMEOUT_S)
        try:
            await super().prepare()
            await self.admit()
        except Exception as error:
            # Who is cut off while sending does not read the answer: the body is read to its end, and thrown away.
            self.refusal = error

    async def admit(self):
        """Refuse before the body is read what will be refused anyhow, and wait for a place."""
        uploading = self.application.settings["uploading"]
        if uploading[self.person.name] >= UPLOADS_OF_ONE:
            raise web.HTTPError(429, reason=f"{UPLOADS_OF_ONE} of your uploads are under way: wait for them to end.")
        uploading[self.person.name] += 1
        self._counted = True
        await self.in_thread(store.released, self.path_args[0])
        kind = self.request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if kind.startswith("multipart/") or kind in {"application/zip", "application/gzip", "application/x-tar"}:
            raise BadRequest("Hand in one notebook and nothing else: files besides it and archives are not taken.")
        await self.application.settings["places"].acquire()
        self._holds_place = True

    def data_received(self, chunk):
        self.size += len(chunk)
        if self.size > store.SIZE_LIMIT or self.refusal:
            self.content.clear()
        else:
            self.content += chunk

    async def post(self, exercise):
        if self.refusal:
            raise self.refusal
        store.check_size(self.size)
        content = bytes(self.content)
        self.content.clear()
        earlier = await self.in_thread(store.attempts, exercise, self.person.name)
        async with self.application.settings["checks"]:
            receipt = await self.in_thread(store.receive, exercise, self.person.name, content, when=self.when)
        state = await self.state(exercise, self.person.name)
        known = receipt in earlier
        self.set_status(200 if known else 201)
        self.finish(_receipt_as_json(receipt, state) | {"known": known, "attempts_left": state.attempts_left})

    def get(self, exercise):
        raise self.refusal or web.HTTPError(404)

    put = delete = patch = get

    def _give_place_back(self):
        if self._holds_place:
            self._holds_place = False
            self.application.settings["places"].release()
        if self._counted:
            self._counted = False
            uploading = self.application.settings["uploading"]
            uploading[self.person.name] -= 1
            if not uploading[self.person.name]:
                del uploading[self.person.name]

    def on_finish(self):
        self._give_place_back()

    def on_connection_close(self):
        self._give_place_back()


class FeedbackApi(ApiHandler):
    async def get(self, exercise, attempt):
        await self.send_feedback(exercise, self.person.name, attempt)


class ClassApi(ApiHandler):
    for_instructors = True

    async def get(self, exercise):
        settings = await self.in_thread(store.released, exercise)
        names = await self.in_thread(store.students, exercise)
        states = [await self.state(exercise, name) for name in names]
        receipts = [_receipt_as_json(receipt, state) for state in states for receipt in state.receipts]
        self.finish({"exercise": exercise, "due": _time(settings.due), "submissions": receipts})

    async def put(self, exercise):
        body = self.json_body()
        sha256 = body.pop("sha256", None)
        unknown = body.keys() - {"title", "due", "attempts", "pause_s", "feedback_before_deadline", "counts"}
        if unknown:
            raise BadRequest(f"There is no setting {', '.join(sorted(unknown))[:100]}.")
        if body.get("due") is not None:
            body["due"] = store.parse_time(str(body["due"]))
        notebook = store.release_notebook(self.class_folder, exercise)
        if sha256 is not None and notebook.is_file() and hashlib.sha256(notebook.read_bytes()).hexdigest() != sha256:
            raise BadRequest(f"The student version of {exercise} that you have is not that of this class's folder.")
        settings = await self.in_thread(store.release, exercise, **body)
        self.finish({"exercise": exercise, "title": settings.title, "due": _time(settings.due)})

    async def delete(self, exercise):
        await self.in_thread(store.withdraw, exercise)
        self.finish({"exercise": exercise})


class AttemptApi(ApiHandler):
    for_instructors = True

    async def get(self, exercise, student, attempt):
        await self.send_notebook(exercise, student, attempt)

    async def put(self, exercise, student, attempt):
        body = self.json_body()
        mark, page = body.get("mark"), body.get("page")
        if not isinstance(mark, dict) or not (page is None or isinstance(page, str)):
            raise BadRequest("Send a mark (an object with points and maximum) and, if there is one, a page (a text).")
        await self.in_thread(store.put_feedback, exercise, student, int(attempt), mark=mark, page=page)
        self.finish({"exercise": exercise, "student": student, "attempt": int(attempt)})


class NoApi(ApiHandler):
    def get(self, *_):
        raise web.HTTPError(404)

    post = put = delete = patch = get


def _time(when) -> str | None:
    return when.isoformat() if when is not None else None


def _receipt_as_json(receipt: store.Receipt, state: store.StudentState) -> dict:
    read = state.feedback.get(receipt.attempt)
    return dataclasses.asdict(receipt) | {
        "received": receipt.received.isoformat(),
        "late": receipt.attempt in state.late,
        "mark": read.mark if read is not None else None,
        "feedback_sha256": read.page_sha256 if read is not None else None,
    }


def _state_as_json(state: store.StudentState) -> dict:
    settings = state.released
    return {
        "exercise": settings.exercise,
        "title": settings.title,
        "state": state.word,
        "due": _time(state.due),
        "extended": state.student in settings.extensions,
        "attempts": settings.most_attempts,
        "attempts_left": state.attempts_left,
        "pause_s": settings.pause_s,
        "next_possible": _time(state.next_possible),
        "mark": state.mark,
        "submissions": [_receipt_as_json(receipt, state) for receipt in state.receipts],
    }


# -- pages ------------------------------------------------------------------------------------------------------------


class PageHandler(Handler):
    """Pages for browsers: an unknown one is sent to the hub to log in, whatever the address."""

    async def prepare(self):
        if self.request.method not in {"GET", "HEAD"}:
            return
        headers = self.request.headers
        # A script of another page on this origin could fetch this one with its reader's cookie, and read it. Browsers
        # say what a request is for (on https and loopback); a page of ours is only ever opened as a whole.
        if headers.get("Sec-Fetch-Dest", "document") != "document":
            raise web.HTTPError(403)
        model = await self.hub_auth.get_user(self, sync=False)
        if model is None:
            self.redirect(self.get_login_url())
            return
        self.demand(self.person_of(model))

    def show(self, template: str, **values) -> None:
        self.render(
            template,
            person=self.person,
            course=self.exchange.course,
            base=self.hub_auth.base_url,
            points=points,
            time_text=store.time_text,
            duration_text=store.duration_text,
            one_line=one_line,
            now=store.now(),
            **values,
        )

    def write_error(self, status_code, exc_info=(None, None, None), **_):
        status, message, _ = self.explain(status_code, exc_info[1])
        self.set_status(status)
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.finish(self.render_string("exchange_error.html", message=message, base=self.hub_auth.base_url))


class StudentPage(PageHandler):
    async def get(self):
        exercises = await self.in_thread(store.list_released)
        states = [await self.state(one.exercise, self.person.name) for one in exercises]
        self.show("exchange_student.html", states=states)


class FeedbackPage(PageHandler):
    async def get(self, exercise, attempt):
        await self.send_feedback(exercise, self.person.name, attempt)


class NotebookPage(PageHandler):
    async def get(self, exercise, attempt):
        await self.send_notebook(exercise, self.person.name, attempt)


class ClassPage(PageHandler):
    for_instructors = True

    async def get(self):
        exercises = await self.in_thread(store.list_released)
        rows = [(one, await self.class_states(one.exercise)) for one in exercises]
        self.show("exchange_class.html", rows=rows, watch=await asyncio.to_thread(watch_words, self.class_folder))

    async def class_states(self, exercise: str) -> list[store.StudentState]:
        return [await self.state(exercise, name) for name in await self.in_thread(store.students, exercise)]


def watch_words(class_folder: Path) -> str:
    """What an instructor should know about grading on submit (`autograder.watch`); "" where nobody uses it."""
    try:
        said = json.loads((class_folder / "exchange" / "watch.json").read_text(encoding="utf-8"))
        seen = store.parse_time(said["seen"])
        words = f"{int(said['waiting'])} waiting, {int(said['graded'])} graded"
        error = one_line(str(said["error"])) if said["error"] else ""
        is_alive = bool(said["alive"]) and (store.now() - seen).total_seconds() < WATCH_SILENCE_S
    except FileNotFoundError:
        return ""
    except (OSError, ValueError, KeyError, TypeError, CourseError):
        return "Grading on submit: its state cannot be read."
    state = "runs" if is_alive else f"does not run (last seen {store.time_text(seen)})"
    return f"Grading on submit {state}; {words}.{f' Last error: {error}' if error else ''}"


class ExercisePage(ClassPage):
    async def get(self, exercise):
        await self.show_exercise(exercise, changed=self.get_query_argument("changed", ""))

    async def show_exercise(self, exercise: str, *, changed: str = "", error: str = "", entered=("", "")):
        settings = await self.in_thread(store.released, exercise)
        states = await self.class_states(exercise)
        # Those who have handed nothing in, and yet an extension, are not forgotten.
        absent = sorted(settings.extensions.keys() - {state.student for state in states})
        self.show(
            "exchange_exercise.html",
            settings=settings,
            states=states + [await self.state(exercise, name) for name in absent],
            changed=changed if store.is_name(changed) else "",
            error=error,
            entered=entered,
            zone=store.now().astimezone().tzname(),
            form_token=self.create_signed_value("extension", f"{self.person.name}/{exercise}").decode(),
        )

    async def post(self, exercise):
        # The form's signed token says who it was made for; a browser would send no cookie from a sandboxed page.
        form_token = self.get_body_argument("form_token", "")
        signed = self.get_signed_cookie("extension", value=form_token, max_age_days=FORM_AGE_DAYS)
        name, _, purpose = (signed or b"").decode("utf-8", "replace").partition("/")
        if purpose != exercise or not store.is_name(name):
            raise web.HTTPError(403)
        self.person = Person(name, instructor=True)
        student, due = self.get_body_argument("student", "").strip(), self.get_body_argument("due", "").strip()
        try:
            if self.get_body_argument("action", "extend") == "take back":
                await self.in_thread(store.extend, exercise, student, None)
            else:
                await self.in_thread(store.extend, exercise, student, store.parse_time(due))
        except CourseError as error:
            if isinstance(error, store.Refused) and error.kind != "name":
                raise
            self.set_status(400)
            await self.show_exercise(exercise, error=str(error), entered=(student[:64], due[:40]))
            return
        logging.getLogger("exchange").info("%s changed the deadline of %s for %s", name, exercise, student)
        self.redirect(f"{self.hub_auth.base_url}class/{exercise}?changed={escape.url_escape(student)}", status=303)


class ClassFeedbackPage(PageHandler):
    for_instructors = True

    async def get(self, exercise, student, attempt):
        await self.send_feedback(exercise, student, attempt)


class ClassNotebookPage(PageHandler):
    for_instructors = True

    async def get(self, exercise, student, attempt):
        await self.send_notebook(exercise, student, attempt)


class NoPage(PageHandler):
    def get(self, *_):
        raise web.HTTPError(404)


class Nowhere(Handler):
    """Outside of the service's part of the hub, where no cookie of its reaches."""

    def prepare(self):
        raise web.HTTPError(404)


class Style(Handler):
    """The look of the pages; no secret, so it is for all."""

    def get(self):
        self.set_header("Content-Type", "text/css; charset=utf-8")
        # Sandboxed pages have no origin: for them even this comes from elsewhere.
        self.set_header("Cross-Origin-Resource-Policy", "cross-origin")
        self.finish("".join((_TEMPLATES / name).read_text("utf-8") for name in ("page.css", "exchange.css")))


# -- the service ------------------------------------------------------------------------------------------------------


def application(settings: Settings) -> web.Application:
    """Return the tornado application. The hub's variables must be in the environment."""
    hub = HubOAuth.instance()
    prefix = re.escape(hub.base_url)
    attempt = f"{_EXERCISE}/{_STUDENT}/{_ATTEMPT}"
    routes = [
        ("", StudentPage),
        (f"feedback/{_EXERCISE}/{_ATTEMPT}", FeedbackPage),
        (f"notebook/{_EXERCISE}/{_ATTEMPT}", NotebookPage),
        ("class/?", ClassPage),
        (f"class/{_EXERCISE}", ExercisePage),
        (f"class/{attempt}/feedback", ClassFeedbackPage),
        (f"class/{attempt}/notebook", ClassNotebookPage),
        ("exchange\\.css", Style),
        ("oauth_callback", HubOAuthCallbackHandler),
        ("api/exercises", ExercisesApi),
        (f"api/exercises/{_EXERCISE}/notebook", ReleaseNotebookApi),
        (f"api/exercises/{_EXERCISE}/submissions", SubmissionsApi),
        (f"api/exercises/{_EXERCISE}/feedback/{_ATTEMPT}", FeedbackApi),
        (f"api/class/{_EXERCISE}", ClassApi),
        (f"api/class/{attempt}", AttemptApi),
        ("api/.*", NoApi),
        (".*", NoPage),
    ]
    return web.Application(
        [(f"{prefix}{path}", handler) for path, handler in routes],
        default_handler_class=Nowhere,
        template_path=str(_TEMPLATES),
        # Derived, so that a restart of this service alone does not log everybody out.
        cookie_secret=hashlib.sha256(b"exchange cookies " + hub.api_token.encode()).digest(),
        # Forms have signed tokens, and no script needs to read this one: so none of another page may.
        xsrf_cookie_kwargs={"httponly": True, "samesite": "Strict"},
        exchange=settings,
        pool=ThreadPoolExecutor(max_workers=8, thread_name_prefix="store"),
        places=asyncio.Semaphore(settings.uploads),
        checks=asyncio.Semaphore(CHECKS),
        uploading=Counter(),
    )


async def serve(settings: Settings, url: str) -> None:
    """Answer requests until the process is told to end (SIGTERM or SIGINT)."""
    store.clear_incoming(settings.class_folder)
    # The first upload shall not wait for imports.
    await asyncio.to_thread(store.check_notebook, b'{"cells": []}')
    address = urlparse(url)
    server = httpserver.HTTPServer(
        application(settings),
        max_body_size=BODY_LIMIT,
        max_buffer_size=READ_LIMIT,
        max_header_size=32_768,
        idle_connection_timeout=60.0,
        body_timeout=BODY_TIMEOUT_S,
    )
    sockets = netutil.bind_sockets(address.port or 0, address.hostname or "127.0.0.1")
    server.add_sockets(sockets)
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    port = sockets[0].getsockname()[1]
    logging.getLogger("exchange").info("The exchange of %s is at port %d", settings.class_folder, port)
    await ended.wait()
    server.stop()
    await server.close_all_connections()


def main() -> None:
    """Run the service as the hub starts it."""
    logging.basicConfig(level=logging.INFO, format="[%(levelname)s %(asctime)s %(name)s] %(message)s")
    try:
        settings = Settings.from_environment()
    except CourseError as error:
        sys.exit(f"exchange: {error}")
    asyncio.run(serve(settings, os.environ.get("JUPYTERHUB_SERVICE_URL") or "http://127.0.0.1:10101"))


if __name__ == "__main__":
    main()
