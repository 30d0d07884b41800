"""What a class of this course adds to nbgrader's steps; ``nbgrader_config.py`` of the class names it.

What executes and marks submissions is replaced as a whole: see `autograder.drop_in`.
"""

from __future__ import annotations

import os
import re
import sys

from nbgrader import utils
from nbgrader.preprocessors import ClearHiddenTests

_ANSI_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def put_environment_first_on_path() -> None:
    """Make the programs beside this Python findable: nbgrader starts ``alembic`` by its bare name."""
    programs = os.path.dirname(sys.executable)
    folders = os.environ.get("PATH", "").split(os.pathsep)
    if folders[0] != programs:
        os.environ["PATH"] = os.pathsep.join([programs, *folders])


class HideHiddenTests(ClearHiddenTests):
    """Keep hidden tests and mark schemes out of the feedback: also out of the tracebacks, which quote them."""

    secret_regions = (("BEGIN HIDDEN TESTS", "END HIDDEN TESTS"), ("BEGIN MARK SCHEME", "END MARK SCHEME"))

    def preprocess_cell(self, cell, resources, cell_index):
        if utils.is_solution(cell) or not (utils.is_grade(cell) or utils.is_task(cell)):
            return cell, resources  # the student's own; markers in there mean nothing
        before = cell.source.splitlines()
        for begin, end in self.secret_regions:
            self.begin_test_delimeter, self.end_test_delimeter = begin, end
            self._remove_hidden_test_region(cell)
        hidden = {line.strip() for line in before} - {line.strip() for line in cell.source.splitlines()}
        for output in cell.get("outputs", []):
            if output.output_type == "error" and hidden:
                quoted = _ANSI_COLOUR.sub("", "\n".join(output.traceback))
                if any(line and line in quoted for line in hidden):
                    output.traceback = [f"{output.ename}: {output.evalue}"]
        return cell, resources
