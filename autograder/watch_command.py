"""``course watch``: a watch in a terminal or as a service, and how it is ended."""

from __future__ import annotations

import contextlib
import datetime
import os
import signal

from autograder.classroom import Classroom
from autograder.errors import CourseError
from autograder.watch import Watch


def watch_class(
    folder: str | os.PathLike,
    console,
    *,
    jobs: int = 1,
    poll_s: float = 2.0,
    once: bool = False,
    allow_weaker: bool = False,
) -> None:
    """Run a watch until a signal ends it: what ``course watch`` does.

    Parameters
    ----------
    folder : path
        Of the class.
    console : rich.console.Console
        A terminal shows how it is going; anything else gets a line for each attempt.
    jobs, poll_s, once, allow_weaker
        As for `Watch`.

    Raises
    ------
    CourseError
        As for `Watch`; with `once` also if something could not be graded.
    """
    from rich.live import Live
    from rich.text import Text

    from autograder.sanitising import one_line

    def tell(line):
        clock = f"{datetime.datetime.now():%H:%M:%S} "
        console.print(Text(clock + one_line(line, limit=600)), soft_wrap=True)

    watch = Watch(Classroom(folder), jobs=jobs, allow_weaker=allow_weaker, on_graded=tell)
    with watch, contextlib.ExitStack() as stack:
        if console.is_terminal:
            stack.enter_context(Live(get_renderable=lambda: _shown(watch), console=console, transient=True))
        else:
            tell(f"Watching {folder}")

        def stop(number, frame):
            if watch.stopping and number == signal.SIGINT:
                raise KeyboardInterrupt  # twice: at once, which loses nothing either
            watch.stopping = True

        for number in (signal.SIGTERM, signal.SIGINT):
            stack.callback(signal.signal, number, signal.signal(number, stop))
        try:
            watch.run(poll_s=poll_s, once=once)
        except KeyboardInterrupt:
            tell("Ended at once: what was being graded is graded by the next watch")
            return
    if once and watch.failed:
        raise CourseError(f"{watch.failed} could not be graded; the last one: {watch.status.error}")
    tell(f"Ended: {watch.status.graded} graded, {watch.status.waiting} waiting")


def _shown(watch: Watch):
    """The present state as four lines."""
    from rich.table import Table
    from rich.text import Text

    from autograder.sanitising import one_line

    status = watch.status
    table = Table.grid(padding=(0, 2))
    rows = [
        ("waiting", str(status.waiting)),
        ("grading", ", ".join(map(str, status.grading)) or "nothing"),
        ("graded", f"{status.graded} since {status.alive_since.astimezone():%H:%M}"),
        ("last", status.last or "none yet"),
    ]
    if watch.stopping:
        rows.append(("ending", "after the present attempt; Ctrl-C once more ends at once"))
    for name, value in rows:
        table.add_row(Text(name, style="dim"), Text(one_line(value)))
    if status.error:
        table.add_row(Text("error", style="red"), Text(one_line(status.error)))
    return table
