"""A class as it is lived: a real hub behind its real proxy, students and an instructor in a real browser."""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import nbformat
import pytest
from jupyter_lab_fixture import BROWSER_ARGUMENTS, BROWSER_PATIENCE_MS, LOOPBACK, SCREENS

from autograder import exchange_store, hub
from autograder.browser import find_browser
from autograder.classroom import Classroom
from autograder.demo import solutions, with_answers
from autograder.hub_spawner import end_hub

pytestmark = pytest.mark.browser

EXERCISE = "ex01_1"
PATIENCE_S = 300
AS_ROOT = os.geteuid() == 0

#: Read last by the hub: the tests drive JupyterLab through its own object, and ask the hub as a service of it.
OWN_SETTINGS = """
c.Spawner.args = ["--LabApp.expose_app_in_browser=True"]
c.JupyterHub.services.append({"name": "tests", "api_token": "%(token)s"})
c.JupyterHub.load_roles.append(
    {"name": "tests", "services": ["tests"], "scopes": ["admin:users", "admin:servers", "access:servers", "tokens"]}
)
"""
TOKEN = "a-token-of-the-tests-only-" + "0" * 16

#: Ends with `failed`: a list of what a student could do and must not be able to.
ATTACKS = """
import glob, json, os, subprocess, urllib.error, urllib.request
folder, other_pid, proxy_port, address, own_token = %(facts)r
other = os.path.join(folder, "homes", "ada")
succeeded = []

def attempt(what, action):
    try:
        outcome = action()
    except (OSError, subprocess.SubprocessError):
        return
    if outcome not in (None, False, "", []):
        succeeded.append(f"{what}: {str(outcome)[:100]}")

closed = [other, "class", "class/exchange", "class/source", "class/submitted", "hub", "homes", "homes/lise"]
for name in closed:
    path = os.path.join(folder, name)
    attempt(f"list {name}", lambda: os.listdir(path))
    attempt(f"write into {name}", lambda: open(os.path.join(path, "forged"), "w").name)
files = ["class/gradebook.db", "class/nbgrader_config.py", "class/exchange/released/ex01_1.json",
    "hub/jupyterhub.sqlite", "hub/cookie_secret", "hub/proxy_token", "hub/user_numbers.json",
    "class/release/ex01_1/ex01_1.ipynb", "homes/ada/course/ex01_1/ex01_1.ipynb", "hub.toml", "notebooks.git/config"]
for name in files:
    path = os.path.join(folder, name)
    if not name.startswith(("hub.toml", "notebooks.git")):
        attempt(f"read {name}", lambda: open(path, "rb").read(10))
    attempt(f"change {name}", lambda: open(path, "ab").name)
    attempt(f"rename {name}", lambda: os.rename(path, path + "-away") or "renamed")
attempt("read the other's environment", lambda: open(f"/proc/{other_pid}/environ", "rb").read())
attempt("end the other's server", lambda: os.kill(other_pid, 0) or "could")
sockets = glob.glob("/tmp/course-server-*/*")
attempt("sockets of others", lambda: [path for path in sockets if os.stat(path).st_uid != os.getuid()])
attempt("become root", lambda: os.setuid(0) or "root")
attempt("sudo", lambda: subprocess.run(["sudo", "-n", "true"], check=True, capture_output=True) and "sudo")
attempt("further groups", lambda: [group for group in os.getgroups() if group != os.getgid()])

class NoRedirect(urllib.request.HTTPRedirectHandler):
    # To the page for logging in: that is a refusal.
    def redirect_request(self, *arguments):
        return None

def ask(url, token, method="GET", body=None):
    request = urllib.request.Request(url, method=method, data=body, headers={"Authorization": f"token {token}"})
    with urllib.request.build_opener(urllib.request.ProxyHandler({}), NoRedirect).open(request, timeout=60) as answer:
        return answer.status

hub = f"{address}/hub/api"
for method, url in [
    ("GET", f"{hub}/users"), ("GET", f"{hub}/users/ada"), ("DELETE", f"{hub}/users/ada"),
    ("POST", f"{hub}/users/mallory"), ("DELETE", f"{hub}/users/ada/server"), ("POST", f"{hub}/users/ada/tokens"),
    ("POST", f"{hub}/users/emmy/tokens"), ("POST", f"{hub}/groups/instructors/users"), ("GET", f"{hub}/proxy"),
    ("GET", f"{address}/user/ada/api/contents"), ("POST", f"{address}/user/ada/api/kernels"),
    ("GET", f"{address}/user/lise/formgrader/"), ("GET", f"{address}/user/emmy/formgrader/"),
    ("GET", f"{address}/services/exchange/api/class/ex01_1"),
    ("PUT", f"{address}/services/exchange/api/class/ex01_1"),
    ("GET", f"{address}/services/exchange/api/class/ex01_1/ada/1"),
    ("PUT", f"{address}/services/exchange/api/class/ex01_1/emmy/1"),
    ("GET", f"http://127.0.0.1:{proxy_port}/api/routes"),
]:
    for token in (own_token, ""):
        attempt(f"{method} {url}", lambda: ask(url, token, method, b"{}" if method in ("POST", "PUT") else None))

def listen():
    # A kernel prints to all who subscribe. Its one port is where processes that it forks send to, with a password.
    import zmq
    sockets = [line.split() for line in open("/proc/net/tcp").readlines()[1:]]
    ports = [int(line[1].split(":")[1], 16) for line in sockets if line[3] == "0A" and int(line[7]) == %(other)d]
    subscriber = zmq.Context().socket(zmq.SUB)
    subscriber.subscribe(b"")
    for port in ports:
        subscriber.connect(f"tcp://127.0.0.1:{port}")
    return subscriber.poll(5000) and subscriber.recv_multipart()

attempt("listen to a kernel", listen)
print("RESULT", json.dumps(succeeded))
"""


class Class:
    """The running hub: its address, folder and passwords, and how it is asked."""

    def __init__(self, folder):
        self.folder = folder
        ports = [hub.free_port() for _ in range(4)]
        self.passwords = hub.make_demo(folder, ports)
        settings = folder / "hub.toml"
        # Servers go on while the hub is restarted, as in a real class.
        settings.write_text(settings.read_text().replace("keep_servers = false", "keep_servers = true"))
        (folder / "jupyterhub_config.py").write_text(OWN_SETTINGS % {"token": TOKEN})
        self.proxy_port = ports[2]
        self.address = f"http://127.0.0.1:{ports[0]}"
        self.log = folder / "hub" / "hub.log"
        self.process = None

    def start(self):
        environment = os.environ | {"COURSE_ASSIGNMENTS_DIR": str(Path(__file__).with_name("toy_assignments"))}
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "autograder.cli", "hub", "start", str(self.folder)],
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
            )
        hub.wait_until_up(self.process, self.address, self.log, limit_s=PATIENCE_S)

    def ask(self, path, method="GET", body=None, headers=None, token=TOKEN):
        """Status and text of an answer of the hub or a server."""
        headers = ({"Authorization": f"token {token}"} if token else {}) | (headers or {})
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(self.address + path, method=method, data=data, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def server_pid(self, name):
        """The process of a user's server."""
        owner = (self.folder / "homes" / name).stat().st_uid
        for status in Path("/proc").glob("[0-9]*/status"):
            with contextlib.suppress(OSError):
                text = status.read_text()
                command = status.with_name("cmdline").read_bytes()
                if f"Uid:\t{owner}\t" in text and b"jupyterhub.singleuser" in command:
                    environment = status.with_name("environ").read_bytes()
                    if f"JUPYTERHUB_USER={name}\0".encode() in environment:
                        return int(status.parent.name)
        return None


@pytest.fixture(scope="module")
def a_class():
    # Not below pytest's own folder, which nobody else may enter: the students do.
    place = Path(tempfile.mkdtemp(prefix="course-test-hub-", dir="/tmp"))
    place.chmod(0o711)
    made = Class(place / "h")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COURSE_ASSIGNMENTS_DIR", str(Path(__file__).with_name("toy_assignments")))
        classroom = Classroom(made.folder / "class")
        classroom.release(EXERCISE)
        exchange_store.release(classroom.folder, EXERCISE, attempts=4, due=exchange_store.parse_time("2099-12-01"))
    made.start()
    yield made
    made.process.send_signal(signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        made.process.wait(timeout=60)
    made.process.kill()
    end_hub(str(made.folder))
    shutil.copy(made.log, SCREENS / "hub" / "hub.log")
    shutil.rmtree(place)


@pytest.fixture(scope="module")
def browser():
    executable = find_browser()
    if executable is None:
        if os.environ.get("COURSE_REQUIRE_BROWSER") == "1":
            pytest.fail("no browser found")
        pytest.skip("no browser found: install Chrome or Chromium (make test does), or set COURSE_BROWSER to its path")
    from playwright.sync_api import sync_playwright

    (SCREENS / "hub").mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=executable, args=BROWSER_ARGUMENTS)
        yield running
        running.close()


class Person:
    """Somebody at the browser, logged in."""

    def __init__(self, browser, a_class, name):
        self.a_class, self.name = a_class, name
        self.context = browser.new_context(viewport={"width": 1280, "height": 800})
        self.context.set_default_timeout(BROWSER_PATIENCE_MS)
        self.external = []
        self.context.on("request", lambda request: self._note(request.url))
        self.page = self.context.new_page()
        self.page.goto(a_class.address)
        self.page.fill("input[name=username]", name)
        self.page.fill("input[name=password]", a_class.passwords[name])
        self.picture("login")
        self.page.click("#login_submit")
        self.page.wait_for_url("**/lab/tree/notebooks/index.ipynb*", timeout=PATIENCE_S * 1000)
        self.wait_for_lab()
        self.page.wait_for_selector(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-RenderedMarkdown h1")

    def _note(self, url):
        parts = urllib.parse.urlsplit(url)
        if parts.scheme in {"http", "https", "ws", "wss"} and parts.hostname not in LOOPBACK:
            self.external.append(url)

    def wait_for_lab(self):
        self.page.wait_for_function("() => window.jupyterapp?.restored.then(() => true)", timeout=PATIENCE_S * 1000)

    def picture(self, what):
        self.page.screenshot(path=SCREENS / "hub" / f"{self.name}_{what}.png")

    def menu(self, entry, tab):
        """Choose an entry of the menu Nbgrader and go to the tab that it opens."""
        self.page.click(".lm-MenuBar-item:has-text('Nbgrader')")
        self.page.click(f".lm-Menu-item:has-text('{entry}')")
        self.page.click(f".lm-TabBar-tab:has-text('{tab}')")

    def open(self, path):
        """Open a file in JupyterLab; returns when its kernel is idle."""
        self.page.evaluate(
            "path => window.jupyterapp.commands.execute('docmanager:open', {path}).then(() => undefined)", path
        )
        self.page.wait_for_function(
            "path => { const widget = window.jupyterapp.shell.currentWidget; return widget?.context?.path === path &&"
            " widget.sessionContext?.session?.kernel?.status === 'idle'; }",
            arg=path,
            timeout=PATIENCE_S * 1000,
        )

    def read(self, path):
        """The notebook as the server has it."""
        return self.page.evaluate(
            "path => window.jupyterapp.serviceManager.contents.get(path, {content: true, type: 'notebook'})"
            ".then(model => model.content)",
            path,
        )

    def write(self, path, notebook):
        self.page.evaluate(
            "([path, content]) => window.jupyterapp.serviceManager.contents"
            ".save(path, {type: 'notebook', format: 'json', content}).then(() => undefined)",
            [path, notebook],
        )

    def run(self, code):
        """Run code in the kernel of this server that the tests use, and return what it printed."""
        return self.page.evaluate(
            """async code => {
                const { sessions } = window.jupyterapp.serviceManager;
                const options = {path: 'console', name: 'console', type: 'console', kernel: {name: 'python3'}};
                window.testKernel ??= (await sessions.startNew(options)).kernel;
                const future = window.testKernel.requestExecute({code});
                let text = '';
                future.onIOPub = message => {
                    text += message.content.text ?? '';
                    if (message.header.msg_type === 'error') text += message.content.traceback.join('\\n');
                };
                await future.done;
                return text;
            }""",
            code,
        )

    def exchange_page(self, what):
        """Look at the exercises and marks in a second window."""
        page = self.context.new_page()
        page.goto(f"{self.a_class.address}/services/exchange/")
        page.screenshot(path=SCREENS / "hub" / f"{self.name}_{what}.png")
        return page


@pytest.fixture(scope="module")
def ada(browser, a_class):
    return Person(browser, a_class, "ada")


@pytest.fixture(scope="module")
def emmy(browser, a_class):
    return Person(browser, a_class, "emmy")


@pytest.fixture(scope="module")
def lise(browser, a_class):
    return Person(browser, a_class, "lise")


def answers(a_class):
    source = json.loads((a_class.folder / "class" / "source" / EXERCISE / f"{EXERCISE}.ipynb").read_text())
    return solutions(source)


def wait_for(condition, what):
    deadline = time.monotonic() + PATIENCE_S
    while not (found := condition()):
        assert time.monotonic() < deadline, what
        time.sleep(0.5)
    return found


def marks(a_class, name):
    """What the exchange's folder has for a student to read: attempt -> points."""
    folder = a_class.folder / "class" / "exchange" / "feedback" / EXERCISE / name
    return {path.parent.name: json.loads(path.read_text())["mark"] for path in sorted(folder.glob("*/mark.json"))}


def test_a_class_from_the_first_login_to_the_returned_mark(a_class, ada, lise):
    work_and_hand_in(a_class, ada)
    mark_by_hand(a_class, lise)
    read_back(a_class, ada)
    assert ada.external == []
    # nbgrader's formgrader has the address of MathJax built in; it works without, formulas stay as they were typed.
    assert [url for url in lise.external if "mathjax" not in url] == []


def work_and_hand_in(a_class, ada):
    page = ada.page
    ada.picture("1_course_map")
    page.click(".jp-RenderedMarkdown a:has-text('Chapter 1')")
    page.wait_for_selector(".lm-TabBar-tab:has-text('01_scope')")
    page.wait_for_selector(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-CodeCell")
    ada.picture("2_chapter")

    ada.menu("Assignment List", "Assignments")
    assert not page.query_selector(".lm-Menu-item:has-text('Formgrader')")
    page.wait_for_selector("#released_assignments_list button:has-text('Fetch')")
    ada.picture("3_assignments")
    page.click("#released_assignments_list button:has-text('Fetch')")
    page.wait_for_selector("#fetched_assignments_list button:has-text('Submit')")

    # The first attempt is half of it.
    path = f"{EXERCISE}/{EXERCISE}.ipynb"
    right = answers(a_class)
    work = ada.read(path)
    ada.write(path, with_answers(work, {"mean-answer": right["mean-answer"]}))
    ada.open(path)
    ada.picture("4_work")
    ada.menu("Assignment List", "Assignments")
    page.click("#fetched_assignments_list button:has-text('Submit')")
    page.wait_for_selector("#submitted_assignments_list :text('attempt 1 of 4')")
    assert wait_for(lambda: marks(a_class, "ada").get("0001"), "the first attempt was not graded")["points"] == 3

    # The second is all of it, checked before.
    ada.write(path, with_answers(work, right))
    page.evaluate("() => window.jupyterapp.commands.execute('docmanager:reload').then(() => undefined)")
    ada.open(path)
    page.evaluate("() => window.jupyterapp.shell.currentWidget.context.revert().then(() => undefined)")
    page.click(".jp-NotebookPanel:not(.lm-mod-hidden) :text('Validate')")
    page.wait_for_selector(".jp-Dialog :text('Success')", timeout=PATIENCE_S * 1000)
    ada.picture("5_validated")
    page.keyboard.press("Escape")
    ada.menu("Assignment List", "Assignments")
    page.click("#fetched_assignments_list button:has-text('Submit')")
    page.wait_for_selector("#submitted_assignments_list :text('attempt 2 of 4')")
    ada.picture("6_submitted")
    second = wait_for(lambda: marks(a_class, "ada").get("0002"), "the second attempt was not graded")
    assert second["points"] == 5


def mark_by_hand(a_class, lise):
    """What no test can mark, in the formgrader inside JupyterLab; then feedback, from there too."""
    lise.menu("Formgrader", "Formgrader")
    formgrader = lise.page.frame_locator("iframe")
    formgrader.locator("a:has-text('Manual Grading')").click()
    lise.picture("1_formgrader")
    # By address: the link of the exercise and that of its notebook have the same words.
    formgrader.locator(f"td a[href$='/gradebook/{EXERCISE}']").click()
    formgrader.locator(f"td a[href$='/gradebook/{EXERCISE}/{EXERCISE}']").click()
    formgrader.locator("td a:has-text('Submission #1')").click()
    for grade, points in (("median-answer", "4"), ("sketch-task", "2.5")):
        field = formgrader.locator(f"input.score#{grade}")
        with lise.page.expect_response(lambda answer: "/formgrader/api/grade/" in answer.url and answer.ok):
            field.fill(points)
            field.blur()
    lise.picture("2_hand_marks")
    formgrader.locator("a:has-text('Manual Grading')").first.click()
    lise.page.keyboard.press("Escape")
    formgrader.locator("a:has-text('Manage Assignments')").first.click()
    row = formgrader.locator(f"tr:has-text('{EXERCISE}')")
    row.locator(".generate-feedback a, .generate-feedback button").click()
    formgrader.locator(".modal.in, .modal.show").locator("text=Success").first.wait_for(timeout=PATIENCE_S * 1000)
    formgrader.locator(".modal.in button.close, .modal.show button.close").first.click()
    row.locator(".release-feedback a, .release-feedback button").click()
    formgrader.locator(".modal.in, .modal.show").locator("text=Success").first.wait_for(timeout=PATIENCE_S * 1000)
    assert lise.exchange_page("3_exchange").locator(f"text={EXERCISE}").count()


def read_back(a_class, ada):
    final = wait_for(
        lambda: (mark := marks(a_class, "ada")["0002"]) and mark["points"] == 11.5 and mark, "hand marks did not return"
    )
    assert final["maximum"] == 14
    exchange = ada.exchange_page("7_marks")
    assert "11.5" in exchange.inner_text("body")
    exchange.locator("a:has-text('feedback'), a:has-text('Feedback')").first.click()
    exchange.wait_for_load_state()
    exchange.screenshot(path=SCREENS / "hub" / "ada_8_feedback.png")
    assert "11.5" in exchange.inner_text("body")


def test_two_at_once_and_one_loses_the_connection_while_saving(a_class, ada, emmy):
    path = "work.ipynb"
    for person in (ada, emmy):
        start = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(f"# begun by {person.name}", id="only")],
            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        )
        person.write(path, start)
        person.open(path)

    def edit(person, text):
        person.page.evaluate(
            "text => { window.jupyterapp.shell.currentWidget.content.widgets[0].model.sharedModel.setSource(text); }",
            text,
        )

    def save(person):
        return person.page.evaluate(
            "() => window.jupyterapp.shell.currentWidget.context.save().then(() => 'saved', error => 'not saved')"
        )

    def source(person):
        return person.read(path)["cells"][0]["source"]

    edit(ada, "# of ada, second state")
    edit(emmy, "# of emmy, second state")
    # The connection ends when the request is on its way.
    emmy.page.route("**/api/contents/work.ipynb*", lambda route: (emmy.context.set_offline(True), route.abort()))
    assert save(emmy) == "not saved"
    emmy.page.unroute("**/api/contents/work.ipynb*")
    assert save(ada) == "saved"
    edit(emmy, "# of emmy, third state, written without a connection")
    assert save(emmy) == "not saved"
    emmy.picture("1_no_connection")
    emmy.context.set_offline(False)
    while emmy.page.query_selector(".jp-Dialog"):
        emmy.page.keyboard.press("Escape")
    assert wait_for(lambda: save(emmy) == "saved", "the work could not be saved after the connection came back")
    assert source(emmy) == "# of emmy, third state, written without a connection"
    assert source(ada) == "# of ada, second state"

    # Half a request: the file stays as it was, as a whole.
    pid = a_class.server_pid("emmy")
    token = server_token(pid)
    host, port = urllib.parse.urlsplit(a_class.address).netloc.split(":")
    with socket.create_connection((host, int(port)), timeout=PATIENCE_S) as connection:
        head = f"PUT /user/emmy/api/contents/{path} HTTP/1.1\r\nHost: {host}:{port}\r\nAuthorization: token {token}\r\n"
        connection.sendall(
            f"{head}Content-Length: 100000\r\n\r\n".encode() + b'{"type": "notebook", "content": {"cells"'
        )
    assert source(emmy) == "# of emmy, third state, written without a connection"


def server_token(pid):
    """The token of a user's server, as its own kernels see it (root can read it here)."""
    values = Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
    return next(value.partition("=")[2] for value in values if value.startswith("JUPYTERHUB_API_TOKEN="))


@pytest.mark.skipif(not AS_ROOT, reason="only root can keep users apart")
def test_nobody_reads_or_writes_what_belongs_to_another(a_class, ada, emmy):
    emmy_pid, ada_pid = (a_class.server_pid(name) for name in ("emmy", "ada"))
    ada.run(
        "import threading\nstop = threading.Event()\ndef report():\n    while not stop.wait(0.2):\n"
        "        print('what ada computes', flush=True)\nthreading.Thread(target=report, daemon=True).start()"
    )
    facts = (str(a_class.folder), ada_pid, a_class.proxy_port, a_class.address, server_token(emmy_pid))
    other = (a_class.folder / "homes" / "ada").stat().st_uid
    printed = emmy.run(ATTACKS % {"facts": facts, "other": other})
    ada.run("stop.set()")
    assert printed.startswith("RESULT "), printed
    assert json.loads(printed.removeprefix("RESULT ")) == []

    # Each under a number of its own, in no group; the class under a third one.
    owners = {name: (a_class.folder / name).stat().st_uid for name in ("homes/ada", "homes/emmy", "class", "hub")}
    assert len(set(owners.values())) == 4 and owners["hub"] == 0
    status = Path(f"/proc/{emmy_pid}/status").read_text()
    assert re.search(r"^Groups:\s*$", status, re.MULTILINE) and "NoNewPrivs:\t1" in status
    assert f"Uid:\t{owners['homes/emmy']}\t" in status
    # The attacks can succeed: on her own things they do.
    own = f"import os; print(bool(os.listdir({str(a_class.folder / 'homes' / 'emmy')!r})))"
    assert emmy.run(own).strip() == "True"


def test_requests_from_elsewhere_are_refused(a_class, ada, lise):
    """What a page elsewhere can send: the browser's cookies, but no token of the page, and another origin."""
    request = ada.context.request
    elsewhere = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Origin": "http://elsewhere.example"}
    refused = [
        ("POST", "/user/ada/api/contents"),
        ("PUT", "/user/ada/api/contents/work.ipynb"),
        ("DELETE", "/user/ada/api/contents/work.ipynb"),
        ("POST", "/user/ada/api/kernels"),
        ("POST", "/user/ada/assignments/submit"),
        ("DELETE", "/hub/api/users/ada/server"),
        ("POST", "/hub/api/users/ada/tokens"),
        ("POST", "/hub/change-password"),
        ("POST", f"/services/exchange/api/exercises/{EXERCISE}/submissions"),
    ]
    for method, path in refused:
        answer = request.fetch(a_class.address + path, method=method, headers=elsewhere, data="{}")
        assert answer.status in {401, 403, 404}, (method, path, answer.status)
    # They fail for want of the page's token: with it the first one goes through.
    token = next(c["value"] for c in ada.context.cookies() if c["name"] == "_xsrf" and c["path"] == "/user/ada/")
    answer = request.post(
        f"{a_class.address}/user/ada/api/contents", headers={"X-XSRFToken": token}, data='{"type": "directory"}'
    )
    assert answer.status == 201
    # Approving a user is a link: it counts on its own page only.
    for headers in (elsewhere, {"Referer": f"{a_class.address}/user/lise/lab"}):
        answer = lise.context.request.get(f"{a_class.address}/hub/authorize/ada", headers=headers)
        assert answer.status == 403
    # No page of another origin or of a student shows a page of ours.
    assert "frame-ancestors 'none'" in request.get(f"{a_class.address}/user/ada/lab").headers["content-security-policy"]
    assert "frame-ancestors" in request.get(f"{a_class.address}/services/exchange/").headers["content-security-policy"]


def test_the_formgrader_and_the_class_are_for_instructors(a_class, ada, lise):
    for path in ("/user/ada/formgrader/", "/user/lise/formgrader/", f"/services/exchange/class/{EXERCISE}"):
        assert ada.context.request.get(a_class.address + path).status in {403, 404}, path
    # Instructors approve users, and do not enter students' servers: a page there could act in their name.
    assert lise.context.request.get(f"{a_class.address}/hub/authorize").ok
    assert lise.context.request.get(f"{a_class.address}/user/ada/api/contents").status == 403


def test_a_student_signs_up_and_comes_in_when_approved(a_class, browser, lise):
    page = browser.new_page()
    page.set_default_timeout(BROWSER_PATIENCE_MS)

    def sign_up(name):
        page.goto(f"{a_class.address}/hub/signup")
        page.fill("input[name=username]", name)
        for field in ("signup_password", "signup_password_confirmation"):
            page.fill(f"input[name={field}]", "a-long-password-of-noether")
        page.click("#signup_submit")
        page.wait_for_selector(".alert")

    def log_in():
        page.goto(f"{a_class.address}/hub/login")
        page.fill("input[name=username]", "noether")
        page.fill("input[name=password]", "a-long-password-of-noether")
        page.click("#login_submit")
        page.wait_for_load_state()
        return page.inner_text("body")

    sign_up("noether")
    assert "not been authorized" in log_in()
    sign_up("gauß/../lise")
    assert page.query_selector(".alert-danger")
    instructor = lise.context.new_page()
    instructor.goto(f"{a_class.address}/hub/home")
    instructor.click("a:has-text('Authorize users')")
    instructor.screenshot(path=SCREENS / "hub" / "lise_4_authorize.png")
    instructor.click("tr#noether a:has-text('Authorize')")
    instructor.wait_for_selector("tr#noether a:has-text('Unauthorize')")
    assert "not been authorized" not in log_in()
    page.close()


def test_a_killed_hub_and_proxy_lose_nothing(a_class, ada):
    before = a_class.server_pid("ada")
    ada.run("kept = 42")
    attempts = exchange_store.attempts(a_class.folder / "class", EXERCISE, "ada")
    for pid in (a_class.process.pid, int((a_class.folder / "hub" / "proxy.pid").read_text())):
        os.kill(pid, signal.SIGKILL)
    a_class.process.wait()
    a_class.start()
    assert a_class.server_pid("ada") == before
    # The page is the same, too; its login still holds.
    wait_for(lambda: "42" in ada.run("print(kept)"), "the kernel was lost")
    assert len(ada.read("work.ipynb")["cells"]) == 1
    assert exchange_store.attempts(a_class.folder / "class", EXERCISE, "ada") == attempts
    assert a_class.ask("/hub/api/users/ada")[0] == 200
    # A second hub in the same folder would answer for the first one.
    second = subprocess.run(
        [sys.executable, "-m", "autograder.cli", "hub", "start", str(a_class.folder)], capture_output=True, text=True
    )
    assert second.returncode == 1 and "runs already" in second.stderr


def test_eight_students_come_at_once(a_class, monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).resolve().parents[1] / "bench")
    import bench_hub

    result = bench_hub.come_at_once(a_class.address, TOKEN, [f"student{number}" for number in range(8)])
    assert result.failed == {}
    assert len(result.seconds) == 8
    bench_hub.leave(a_class.address, TOKEN, list(result.seconds))
    # What a server leaves behind is ended with it.
    owners = {(a_class.folder / "homes" / name).stat().st_uid for name in result.seconds}
    if AS_ROOT:
        assert len(owners) == 8
        wait_for(lambda: not owners & processes_owners(), "processes of students outlived their servers")


def processes_owners():
    owners = set()
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            owners.add(process.stat().st_uid)
    return owners
