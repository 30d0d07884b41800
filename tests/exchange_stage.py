"""A stage for tests of the exchange: a class, a hub that knows some people, and the real service in its own process."""

import asyncio
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import urlencode

import requests
from tornado import httpserver, netutil, web

from autograder import exchange_store as store

EXERCISE = "ex01_1"
PREFIX = "/services/exchange/"
SCOPE = "access:services!service=exchange"
#: Whom the hub knows: name -> what is special about them. The token of ada is ``token-of-ada``.
PEOPLE = {
    "ada": {},
    "emmy": {},
    "lise": {"groups": ["instructors"]},
    "vera": {},  # named as an instructor in the service's environment
    "guest": {"scopes": []},
    "watch": {"kind": "service"},
    "Odd Name": {},
} | {f"student{number:02d}": {} for number in range(40)}


def notebook(text="1 + 1", title="Means and fractions"):
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": f"# {title}", "id": "a"},
        {"cell_type": "code", "metadata": {}, "source": text, "id": "b", "outputs": [], "execution_count": None},
    ]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()


def make_class(folder, *exercises, configuration="c = get_config()\n"):
    """A class with the least in it that the exchange needs."""
    folder.mkdir(exist_ok=True)
    if not (folder / "nbgrader_config.py").is_file():
        (folder / "nbgrader_config.py").write_text(configuration)
    for exercise in exercises:
        path = folder / "release" / exercise / f"{exercise}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(notebook("raise NotImplementedError()", f"Title of {exercise}"))
        store.release(folder, exercise)
    return folder


def exercise_of(test, class_folder):
    """Make an exercise of a test's own in a class that several tests share; return its name."""
    name = "ex_" + re.sub(r"[^a-z0-9]", "_", test.name.removeprefix("test_"))[:50]
    make_class(class_folder, name)
    return name


class Hub:
    """What the service asks of a JupyterHub: whose token is this, and the three steps of a login."""

    def __init__(self):
        self.service = ""  # address of the service's host, once it is known
        self.down = False
        started = threading.Event()

        def run():
            self._loop = asyncio.new_event_loop()
            self._loop.run_until_complete(self._serve(started))

        self._thread = threading.Thread(target=run, daemon=True)
        self._thread.start()
        started.wait()

    async def _serve(self, started):
        hub = self

        class User(web.RequestHandler):
            def get(self):
                token = self.request.headers.get("Authorization", "").removeprefix("token ")
                name = token.removeprefix("token-of-")
                if hub.down:
                    raise web.HTTPError(503)
                if token == name or name not in PEOPLE:
                    raise web.HTTPError(403)
                model = {"name": name, "kind": "user", "admin": False, "groups": [], "scopes": [SCOPE]}
                self.finish(model | PEOPLE[name])

        class Authorize(web.RequestHandler):
            def get(self):
                back = {"code": self.get_cookie("person"), "state": self.get_argument("state")}
                self.redirect(f"{hub.service}{self.get_argument('redirect_uri')}?{urlencode(back)}")

        class Token(web.RequestHandler):
            def post(self):
                self.finish({"access_token": f"token-of-{self.get_argument('code')}", "token_type": "Bearer"})

        sockets = netutil.bind_sockets(0, "127.0.0.1")
        self.port = sockets[0].getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        routes = [("/hub/api/user", User), ("/hub/api/oauth2/authorize", Authorize), ("/hub/api/oauth2/token", Token)]
        httpserver.HTTPServer(web.Application(routes, log_function=lambda handler: None)).add_sockets(sockets)
        self._ended = asyncio.Event()
        started.set()
        await self._ended.wait()

    def close(self):
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join()


class Service:
    """The real service for a class, asking a `Hub`."""

    def __init__(self, class_folder, hub, log_file):
        self.class_folder, self.hub, self.log_file = Path(class_folder), hub, log_file
        self.start()

    def start(self):
        environment = os.environ | {
            "COURSE_CLASS": str(self.class_folder),
            "COURSE_NAME": "winter",
            "COURSE_INSTRUCTORS": "vera",
            "JUPYTERHUB_API_TOKEN": "token-of-the-service",
            "JUPYTERHUB_API_URL": f"{self.hub.address}/hub/api",
            "JUPYTERHUB_HOST": self.hub.address,
            "JUPYTERHUB_BASE_URL": "/",
            "JUPYTERHUB_CLIENT_ID": "service-exchange",
            "JUPYTERHUB_OAUTH_CALLBACK_URL": f"{PREFIX}oauth_callback",
            "JUPYTERHUB_SERVICE_NAME": "exchange",
            "JUPYTERHUB_SERVICE_PREFIX": PREFIX,
            "JUPYTERHUB_SERVICE_URL": "http://127.0.0.1:0",
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "autograder.exchange_service"],
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        with open(self.log_file, "a") as log:
            for line in self.process.stderr:
                log.write(line)
                if found := re.search(r"is at port (\d+)", line):
                    port = found.group(1)
                    break
            else:
                raise RuntimeError(f"The service did not start: {Path(self.log_file).read_text()}")
        self.host = self.hub.service = f"http://127.0.0.1:{port}"
        self.address = f"{self.host}{PREFIX}"
        self._reader = threading.Thread(target=self._read_log, daemon=True)
        self._reader.start()

    def _read_log(self):
        with open(self.log_file, "a") as log, contextlib.suppress(ValueError):
            for line in self.process.stderr:
                log.write(line)
                log.flush()

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        code = self.process.wait()
        self._reader.join()
        self.process.stderr.close()
        return code

    def api(self, person, method, path, **options):
        """A request of a program with a person's token."""
        headers = {"Authorization": f"token token-of-{person}"} | options.pop("headers", {})
        with requests.Session() as session:
            session.trust_env = False
            return session.request(method, f"{self.address}api/{path}", headers=headers, timeout=180, **options)

    def submit(self, person, content, exercise=EXERCISE, **options):
        return self.api(person, "POST", f"exercises/{exercise}/submissions", data=content, **options)

    def browser(self, person):
        """A session that is logged in at the hub, as a browser is."""
        session = requests.Session()
        session.trust_env = False
        session.cookies.set("person", person, domain="127.0.0.1", path="/hub/")
        return session


@contextlib.contextmanager
def running_service(class_folder, log_file):
    hub = Hub()
    service = Service(class_folder, hub, log_file)
    try:
        yield service
        assert service.stop() == 0
    finally:
        service.process.kill()
        hub.close()
