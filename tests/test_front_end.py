"""Who is looking, and what they get to see."""

import os
import subprocess
import sys

import pytest

from course_lib.front_end import has_front_end, load_quietly


@pytest.mark.parametrize(("value", "expected"), [("0", False), ("1", True)])
def test_the_environment_decides(monkeypatch, value, expected):
    monkeypatch.setenv("COURSE_FRONT_END", value)
    assert has_front_end() is expected


def test_a_value_that_is_neither_is_refused(monkeypatch):
    monkeypatch.setenv("COURSE_FRONT_END", "yes")
    with pytest.raises(ValueError, match=r"must be 0 .* or 1 .*, not 'yes'"):
        has_front_end()


@pytest.mark.parametrize("allow_stdin", [True, False])
def test_a_kernel_knows_from_the_request_whether_somebody_can_answer(tmp_path, allow_stdin):
    """A real kernel: a front end allows questions on standard input, nbclient and papermill do not."""
    from jupyter_client.manager import start_new_kernel

    environment = {name: value for name, value in os.environ.items() if name != "COURSE_FRONT_END"}
    manager, client = start_new_kernel(cwd=str(tmp_path), env=environment)
    try:
        reply = client.execute(
            "",
            user_expressions={"seen": "__import__('course_lib.front_end').front_end.has_front_end()"},
            allow_stdin=allow_stdin,
            reply=True,
            timeout=60,
        )
        assert reply["content"]["user_expressions"]["seen"]["data"]["text/plain"] == str(allow_stdin)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def run(code):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)


def test_tensorflow_starts_silently_and_later_errors_are_seen():
    done = run(
        "from course_lib.front_end import load_quietly; load_quietly('keras'); import keras, os, sys\n"
        "print(float(keras.ops.sum(keras.ops.ones((2, 2)))))\n"
        "os.write(2, b'from compiled code'); print('from Python', file=sys.stderr)"
    )
    assert done.stdout == "4.0\n"
    assert done.stderr == "from compiled codefrom Python\n"


def test_an_import_that_fails_is_told():
    with pytest.raises(ModuleNotFoundError, match="not_there_at_all"):
        load_quietly("not_there_at_all")
    os.write(2, b"")  # standard error is open again


def test_course_lib_loads_fast_and_without_frameworks():
    done = run(
        "import sys, course_lib, course_lib.style, course_lib.front_end, course_lib.data, course_lib.explorables\n"
        "print(sorted({'tensorflow', 'keras', 'plotly', 'anywidget', 'nbformat', 'sklearn'} & set(sys.modules)))"
    )
    assert done.stdout == "[]\n", done.stdout + done.stderr
