"""JupyterLab on a free loopback port, and a browser page that writes down what must not happen.

A browser test uses both::

    @pytest.mark.browser
    def test_something(jupyter_lab, browser_page):
        jupyter_lab.write("test.ipynb", ["print('hello')"])
        jupyter_lab.open(browser_page, "test.ipynb", theme="dark")
        jupyter_lab.run_all(browser_page)
        assert browser_page.console_errors == []
        assert browser_page.external_requests == []

Screenshots go to `SCREENS` (``_build/screens``).
"""

import contextlib
import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest

from autograder.browser import find_browser

REPOSITORY = Path(__file__).resolve().parent.parent
SCREENS = REPOSITORY / "_build" / "screens"

START_SECONDS = 90
LOOPBACK = {"127.0.0.1", "localhost", "::1"}

#: As root Chromium starts only without its sandbox; the others keep it from talking to its maker.
BROWSER_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


#: How long a browser test waits for what must come.
BROWSER_PATIENCE_MS = 120_000

#: anywidget gives up on a view that has not started two seconds after its message came. A page that draws many
#: figures on a shared machine needs longer; whether our views start at all is what the tests want to know.
PATIENCE = """
const timeout = AbortSignal.timeout.bind(AbortSignal);
AbortSignal.timeout = (milliseconds) => timeout(30 * milliseconds);
"""


@dataclass(frozen=True)
class JupyterLab:
    """A running server: ``url`` (without a slash at the end), ``token`` and the folder ``root`` that it serves."""

    url: str
    token: str
    root: Path

    def write(self, name, cells):
        """Write a notebook of code cells into the served folder; `cells` are sources or nbformat cells."""
        notebook = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(cell) if isinstance(cell, str) else cell for cell in cells],
            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        )
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, path)
        return path

    def open(self, page, name, *, theme="light"):
        """Open a notebook in `page` with the ``"light"`` or ``"dark"`` theme; returns when its kernel is idle."""
        settings = {
            "themes": {"theme": f"JupyterLab {theme.capitalize()}", "adaptive-theme": False},
            # The question about news would cover the corner of every screenshot.
            "notification": {"fetchNews": "false", "checkForUpdates": False, "doNotDisturbMode": True},
        }
        for plugin, values in settings.items():
            path = f"/lab/api/settings/@jupyterlab/apputils-extension:{plugin}"
            self._request("PUT", path, {"raw": json.dumps(values)})
        # A fresh workspace: nothing that an earlier test left open comes back.
        workspace = secrets.token_hex(4)
        page.goto(f"{self.url}/lab/workspaces/{workspace}/tree/{name}?token={self.token}")
        page.wait_for_selector(".jp-NotebookPanel .jp-Cell", timeout=90_000)
        page.wait_for_function(
            "() => window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'",
            timeout=90_000,
        )
        page.evaluate("() => window.jupyterapp.commands.execute('application:set-mode', {mode: 'single-document'})")
        # Only the notebook is on the picture.
        page.evaluate(
            "() => document.querySelector('.jp-SideBar .lm-mod-current') && "
            "window.jupyterapp.commands.execute('application:toggle-left-area')"
        )

    def run_all(self, page, *, timeout_s=240, wait=True):
        """Run all cells; with `wait` return when they have run, otherwise at once."""
        page.evaluate(
            "() => { window.courseRun = 'busy'; const { commands } = window.jupyterapp;"
            " commands.execute('notebook:run-all-cells').then(() => { window.courseRun = 'done'; }); }"
        )
        if wait:
            self.wait_until_run(page, timeout_s=timeout_s)

    def run_cell(self, page, index):
        """Run the cell with this index; returns when it has run."""
        page.evaluate(
            "async (index) => { const { shell, commands } = window.jupyterapp;"
            " shell.currentWidget.content.deselectAll(); shell.currentWidget.content.activeCellIndex = index;"
            " await commands.execute('notebook:run-cell'); }",
            index,
        )

    def wait_until_run(self, page, *, timeout_s=240):
        """Wait until the cells started by `run_all` have run."""
        page.wait_for_function("() => window.courseRun === 'done'", timeout=timeout_s * 1000)

    def save(self, page):
        """Save the notebook that is open and return its content."""
        page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
        path = page.evaluate("() => window.jupyterapp.shell.currentWidget.context.path")
        return nbformat.read(self.root / path, as_version=4)

    def shut_down_kernels(self):
        """End every kernel of this server, so that the next test has the machine for itself."""
        for session in self._request("GET", "/api/sessions"):
            self._request("DELETE", f"/api/sessions/{session['id']}")

    def _request(self, method, path, body=None):
        request = urllib.request.Request(
            self.url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"token {self.token}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as response:
            content = response.read()
        return json.loads(content) if content else None


def free_port():
    """Return a port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="session")
def jupyter_lab(tmp_path_factory):
    """A JupyterLab server on an empty folder, with nobody's settings and without a look at the news."""
    with serve_jupyter_lab(tmp_path_factory.mktemp("jupyter_home"), tmp_path_factory.mktemp("jupyter_root")) as lab:
        yield lab


@contextlib.contextmanager
def serve_jupyter_lab(home, root):
    """Run JupyterLab on the folder `root`; everything else that it writes goes to `home`."""
    token = secrets.token_hex(16)
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if name != "COURSE_FRONT_END"} | {
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
        "IPYTHONDIR": str(home / "ipython"),
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
    }
    command = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--expose-app-in-browser"),
        *("--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}", "--ServerApp.port_retries=0"),
        *(f"--IdentityProvider.token={token}", f"--ServerApp.root_dir={root}"),
        *("--LabApp.news_url=None", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"),
        # JupyterLab asks the package index whether its extensions are up to date.
        *("--LabApp.extension_manager=readonly", "--ServerApp.terminals_enabled=False"),
    ]
    log_path = home / "server.log"
    with log_path.open("w") as log:
        server = subprocess.Popen(command, env=environment, cwd=root, stdout=log, stderr=subprocess.STDOUT)
    try:
        lab = JupyterLab(url=f"http://127.0.0.1:{port}", token=token, root=root)
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                lab._request("GET", "/api/status")
                break
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                if server.poll() is not None or time.monotonic() > deadline:
                    pytest.fail(f"JupyterLab did not start in {START_SECONDS} s:\n{log_path.read_text()[-3000:]}")
                time.sleep(0.3)
        yield lab
        lab.shut_down_kernels()
    finally:
        server.terminate()
        try:
            server.wait(timeout=20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


@pytest.fixture
def browser_page():
    """A Playwright page with two lists: ``external_requests`` (addresses) and ``console_errors`` (texts).

    Skips where no browser is installed, or fails there if ``COURSE_REQUIRE_BROWSER=1``.
    """
    executable = find_browser()
    if executable is None:
        reason = "no browser found: install Chrome or Chromium (make test does), or set COURSE_BROWSER to its path"
        if os.environ.get("COURSE_REQUIRE_BROWSER") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    # Started for each test: a Playwright that stays open leaves an event loop running, in which asyncio.run fails.
    with open_browser_page(executable) as page:
        yield page


@contextlib.contextmanager
def open_browser_page(executable):
    """A page of a new Chromium, as the tests get it."""
    from playwright.sync_api import expect, sync_playwright

    # A busy machine may take its time; what never comes still fails.
    expect.set_options(timeout=BROWSER_PATIENCE_MS)
    SCREENS.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=BROWSER_ARGUMENTS)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(BROWSER_PATIENCE_MS)
        page.add_init_script(PATIENCE)
        page.external_requests = []
        page.console_errors = []

        def record_address(address):
            parts = urllib.parse.urlsplit(address)
            if parts.scheme in {"http", "https", "ws", "wss"} and parts.hostname not in LOOPBACK:
                page.external_requests.append(address)

        def record_message(message):
            if message.type == "error":
                page.console_errors.append(f"{message.text} ({message.location.get('url', '')})")

        page.context.on("request", lambda request: record_address(request.url))
        page.on("websocket", lambda websocket: record_address(websocket.url))
        page.on("console", record_message)
        page.on("pageerror", lambda error: page.console_errors.append(str(error)))
        yield page
        browser.close()
