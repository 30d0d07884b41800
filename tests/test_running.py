"""`course run`: execution, costs, failures and bad input, on small notebooks without TensorFlow."""

import io
import os
import subprocess
import sys
import time

import nbformat
import psutil
import pytest
from rich.console import Console
from test_notebook_building import HEADER

from autograder.errors import CourseError
from autograder.running import find_notebooks, print_report, run_notebooks


def code(*cells, parameters=""):
    text = HEADER + "# A chapter\n\n"
    if parameters:
        text += f"```{{code-cell}} ipython3\n:tags: [parameters]\n\n{parameters}\n```\n\n"
    return text + "\n\n".join(f"```{{code-cell}} ipython3\n{cell}\n```" for cell in cells) + "\n"


@pytest.fixture
def repository(tmp_path):
    (tmp_path / "jupytext.toml").touch()
    (tmp_path / "notebooks").mkdir()
    return tmp_path


def write(repository, name, *cells, parameters=""):
    (repository / "notebooks" / f"{name}.md").write_text(code(*cells, parameters=parameters))


def test_chapters_are_found_by_number_slug_and_file_name(repository):
    for name in ("index", "01_neurons", "08_convolutional_networks"):
        write(repository, name, "1")
    folder = repository / "notebooks"
    names = [path.stem for path in find_notebooks(folder, ["8", "index", "01_neurons.ipynb", "08"])]
    assert names == ["08_convolutional_networks", "index", "01_neurons"]
    assert len(find_notebooks(folder, [])) == 3


def test_unknown_chapter_gets_the_list_and_the_nearest_guess(repository):
    write(repository, "08_convolutional_networks", "1")
    with pytest.raises(CourseError, match=r"Unknown chapter '9'.* Known: 08_convolutional_networks"):
        run_notebooks(repository, ["9"])
    with pytest.raises(CourseError, match=r"did you mean 08_convolutional_networks\? Known"):
        run_notebooks(repository, ["convolutional"])
    assert not (repository / "_build").exists()


def test_executed_copy_has_outputs_and_the_source_is_untouched(repository):
    write(repository, "01_first", "import os\nprint(N, os.environ['COURSE_FRONT_END'])", parameters="N = 1")
    before = (repository / "notebooks" / "01_first.md").read_bytes()
    (result,) = run_notebooks(repository, parameters={"N": 41})
    assert result.ok and result.seconds > 0
    executed = nbformat.read(result.executed_copy, as_version=4)
    assert executed.cells[-1].outputs[0].text == "41 0\n"
    assert (repository / "notebooks" / "01_first.md").read_bytes() == before
    assert sorted(os.listdir(repository / "notebooks")) == ["01_first.md"]


def test_peak_memory_is_that_of_the_kernel(repository):
    write(repository, "01_small", "1")
    write(repository, "02_large", "import numpy\nvalues = numpy.ones(50_000_000)\ndel values")
    small, large = run_notebooks(repository, jobs=1)
    assert 350 < large.peak_megabytes - small.peak_megabytes < 550  # 400 MB, and numpy itself


def test_a_failing_cell_is_shown_and_the_others_still_run(repository):
    write(repository, "01_bad", "good = 1", "answer = good / 0", "never = 1")
    write(repository, "02_good", "1")
    finished = []
    bad, good = run_notebooks(repository, on_finished=lambda result: finished.append(result.name))
    assert sorted(finished) == ["01_bad", "02_good"]
    assert good.ok and not bad.ok
    assert bad.error == "ZeroDivisionError: division by zero" and "answer = good / 0" in bad.source
    console = Console(record=True, width=100, file=io.StringIO())
    print_report([bad, good], console)
    shown = console.export_text()
    assert "answer = good / 0" in shown and "ZeroDivisionError: division by zero" in shown
    assert "\x1b" not in bad.traceback


def kernels():
    """Process ids of the kernels below this process."""
    found = set()
    for process in psutil.Process().children(recursive=True):
        try:
            if "ipykernel" in " ".join(process.cmdline()):
                found.add(process.pid)
        except psutil.NoSuchProcess:
            continue
    return found


def test_a_dying_kernel_and_one_that_never_ends_are_failures(repository):
    write(repository, "01_dies", "import os\nos._exit(3)")
    write(repository, "02_loops", "while True:\n    pass")
    before = kernels()  # those of a JupyterLab that other tests started
    (dies,) = run_notebooks(repository, ["1"], timeout_seconds=300)
    assert not dies.ok and "ied" in dies.error
    (loops,) = run_notebooks(repository, ["2"], timeout_seconds=15)
    assert not loops.ok and "Timeout: still running after 15 s" in loops.error
    time.sleep(0.5)
    assert kernels() <= before, "a kernel outlived its notebook"


def test_two_run_at_the_same_time(repository):
    """Each waits for a file that only the other writes: they end only if they run side by side."""
    for mine, other in (("a", "b"), ("b", "a")):
        write(
            repository,
            f"01_{mine}",
            "import pathlib, time",
            f"pathlib.Path('{mine}').touch()",
            f"for _ in range(300):\n    if pathlib.Path('{other}').exists():\n        break\n    time.sleep(0.1)\n"
            "else:\n    raise TimeoutError",
        )
    assert all(result.ok for result in run_notebooks(repository, jobs=2))


@pytest.mark.skipif(sys.platform != "linux", reason="kernels are forked on Linux only")
def own_warm_servers():
    return {child for child in psutil.Process().children() if "import _serve" in " ".join(child.cmdline())}


def test_kernels_of_two_notebooks_that_use_keras_are_forked_from_one_import(repository):
    before = own_warm_servers()  # other tests may have their own
    parent = (
        "import os, sys\nprint('import _serve' in open(f'/proc/{os.getppid()}/cmdline').read(), 'keras' in sys.modules)"
    )
    for name in ("01_first", "02_second"):
        write(repository, name, parent, "import keras\nprint(os.getpid(), os.environ['COURSE_FRONT_END'])")
    results = run_notebooks(repository)
    for result in results:
        assert result.ok, result.error
        executed = nbformat.read(result.executed_copy, as_version=4)
        assert executed.metadata.kernelspec.name == "python3"
        assert executed.cells[-2].outputs[0].text == "True True\n" and executed.cells[-1].outputs[0].text.endswith(
            " 0\n"
        )
        assert 150 < result.peak_megabytes < 2000
    (alone,) = run_notebooks(repository, ["1"])
    assert "False False" in nbformat.read(alone.executed_copy, as_version=4).cells[-2].outputs[0].text
    assert own_warm_servers() <= before


def test_a_broken_source_and_too_few_jobs_stop_before_anything_runs(repository):
    write(repository, "01_good", "1")
    (repository / "notebooks" / "02_broken.md").write_text("no header")
    with pytest.raises(CourseError, match=r"02_broken.md has no jupytext header"):
        run_notebooks(repository)
    with pytest.raises(CourseError, match="--jobs must be at least 1, not 0"):
        run_notebooks(repository, jobs=0)
    assert not (repository / "_build" / "executed" / "01_good.ipynb").exists()


def course(repository, *arguments):
    """The command as a student types it."""
    return subprocess.run(
        [sys.executable, "-m", "autograder.cli", *arguments],
        capture_output=True,
        text=True,
        env=os.environ | {"COURSE_ROOT": str(repository), "COLUMNS": "200"},
        timeout=120,
    )


def test_the_command_prints_a_table_and_its_status_tells_a_failure(repository):
    write(repository, "01_good", "print(N)", parameters="N = 1")
    write(repository, "02_bad", "answer = 1 / 0")
    good = course(repository, "run", "1", "--parameter", "N=7")
    assert good.returncode == 0 and "peak memory / MB" in good.stdout and "01_good" in good.stdout
    assert "7" in nbformat.read(repository / "_build/executed/01_good.ipynb", as_version=4).cells[-1].outputs[0].text
    bad = course(repository, "run")
    assert bad.returncode == 1 and "ZeroDivisionError: division by zero" in bad.stdout
    assert bad.stderr == ""


def test_the_command_answers_a_mistake_with_one_line(repository):
    write(repository, "01_good", "1")
    for arguments, message in (
        (["run", "7"], "Unknown chapter '7'. Known: 01_good."),
        (["run", "--parameter", "N"], "--parameter wants NAME=VALUE, not 'N'"),
        (["build", "--check"], "Stale: 01_good.ipynb. Mend with: make notebooks"),
        (["lab"], "index.ipynb is missing: run 'make notebooks'"),
    ):
        done = course(repository, *arguments)
        assert done.returncode == 1, arguments
        assert message in done.stderr and done.stderr.count("\n") == 1, done.stderr
    assert course(repository, "build").returncode == 0
    assert course(repository, "build", "--check").returncode == 0
