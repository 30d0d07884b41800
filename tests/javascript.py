"""Runs the JavaScript of an explorable, so that tests can compare it with its Python twin."""

import json
import shutil
import subprocess

NODE_PROGRAM = """
import { readFileSync } from "node:fs";
const { script, calls } = JSON.parse(readFileSync(0, "utf8"));
const module = await import("data:text/javascript;base64," + Buffer.from(script).toString("base64"));
const find = (name) => name.split(".").reduce((place, part) => place[part], module);
console.log(JSON.stringify(calls.map(([name, ...inputs]) => find(name)(...inputs))));
"""

PAGE_PROGRAM = """
async ({ script, calls }) => {
  const address = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
  const module = await import(address);
  const find = (name) => name.split(".").reduce((place, part) => place[part], module);
  return calls.map(([name, ...inputs]) => find(name)(...inputs));
}
"""


def call(explorable, calls):
    """Call exported functions of an explorable's script, in node, or in the browser where node is missing.

    `explorable` is a class; `calls` a list of ``(name, *inputs)``, for example
    ``("default.summary", state)`` or ``("pixelResponse", state)``. Returns the list of results.
    """
    message = {"script": explorable.script(), "calls": calls}
    node = shutil.which("node")
    if node:
        done = subprocess.run(
            [node, "--input-type=module", "--eval", NODE_PROGRAM],
            input=json.dumps(message),
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)
    from jupyter_lab_fixture import BROWSER_ARGUMENTS
    from playwright.sync_api import sync_playwright

    from autograder.browser import find_browser

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=BROWSER_ARGUMENTS)
        try:
            return browser.new_page().evaluate(PAGE_PROGRAM, message)
        finally:
            browser.close()


def random_states(explorable, how_many, *, seed, **drawn):
    """Draw states, each field from its samples or from ``drawn[field](generator)``; not yet reconciled."""
    import numpy as np

    generator = np.random.default_rng(seed)
    states = []
    for _ in range(how_many):
        state = {name: field.default for name, field in explorable.fields.items()} | {"prediction": "skipped"}
        for name, field in explorable.fields.items():
            if name in drawn:
                state[name] = field.check(drawn[name](generator))
            elif field.samples:
                state[name] = field.samples[generator.integers(len(field.samples))]
        states.append(state)
    return states
