"""What executing each chapter costs, next to its budget and to a kernel that only imports Keras.

Usage: python bench/bench_chapters.py [CHAPTER ...]

One notebook at a time, built from its source, executed by papermill without a front end, as `course run` does it. The
peer, in the same run, is an empty notebook with `import keras`: its time says how fast the machine is just now.
"""

import sys
import tempfile
from pathlib import Path

from autograder.repository import find_repository
from autograder.running import find_notebooks, run_notebooks

SECONDS_BUDGET = 90
MEGABYTES_BUDGET = 1536
HEADER = "\n".join(
    [
        *("---", "jupytext:", "  text_representation:", "    extension: .md", "    format_name: myst"),
        *("    format_version: 0.13", "kernelspec:", "  display_name: Python 3 (ipykernel)", "  language: python"),
        *("  name: python3", "---", "", "# Start", "", "```{code-cell} ipython3", "import keras", "```", ""),
    ]
)


def start_up_seconds():
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "notebooks").mkdir()
        (Path(folder) / "notebooks" / "start.md").write_text(HEADER)
        (result,) = run_notebooks(Path(folder))
    return result.seconds


def main():
    repository = find_repository()
    names = [source.stem for source in find_notebooks(repository / "notebooks", sys.argv[1:])]
    start = start_up_seconds()
    print(f"{'notebook':32s} {'seconds':>8s} {'of 90 s':>8s} {'of import':>9s} {'MB':>6s} {'of 1536':>8s}")
    print(f"{'import keras':32s} {start:8.1f}")
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            (result,) = run_notebooks(repository, [name], output_folder=Path(folder))
            if not result.ok:
                sys.exit(f"{name} failed in cell {result.cell}: {result.error}")
            seconds, megabytes = result.seconds, result.peak_megabytes
            print(
                f"{name:32s} {seconds:8.1f} {seconds / SECONDS_BUDGET:8.2f} {seconds / start:9.1f} "
                f"{megabytes:6.0f} {megabytes / MEGABYTES_BUDGET:8.2f}"
            )


if __name__ == "__main__":
    main()
