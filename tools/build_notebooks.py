#!/usr/bin/env python3
"""Build notebooks/*.ipynb from notebooks/*.md, or check that they are up to date.

usage: build_notebooks.py [--check] [FOLDER]

Exit status: 0 if all is well, 1 with --check if a notebook is stale, 2 if a source cannot be built.
The work is done by autograder.notebook_building, which the problem sets use too.
"""

import argparse
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY))

from autograder.errors import CourseError  # noqa: E402  (the path above makes the checkout importable)
from autograder.notebook_building import REBUILD_COMMAND, build_all  # noqa: E402


def main(arguments=None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if a notebook is stale")
    parser.add_argument("folder", nargs="?", type=Path, default=REPOSITORY / "notebooks")
    options = parser.parse_args(arguments)
    try:
        results = build_all(options.folder, check=options.check)
    except CourseError as error:
        print(error, file=sys.stderr)
        return 2
    stale = [result for result in results if result.was_stale]
    for result in stale:
        if not result.source.exists():
            print(f"{result.target.name}: has no source {result.source.name}" + (": deleted" * (not options.check)))
        else:
            print(f"{result.target.name}: " + ("differs from its source" if options.check else "built"))
    print(f"{len(results)} notebooks, {len(stale)} {'stale' if options.check else 'changed'}")
    if options.check and stale:
        print(f"mend with: {REBUILD_COMMAND}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
