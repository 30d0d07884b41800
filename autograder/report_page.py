"""A grading report as one page: tables and plots, light and dark, printable, without scripts."""

from __future__ import annotations

import datetime
import html
import math
import statistics
from collections import Counter

from autograder import similarity
from autograder.pages import page, points
from autograder.reports import Report, isolation_levels, listing, median, percent, put_right
from autograder.sanitising import one_line, printable
from autograder.static_figures import ticks

#: Pairs with their evidence, lines of one cell in it, rows of tables that could be long.
PAIRS_LIMIT, LINES_LIMIT, ROWS_LIMIT = 8, 45, 24


def html_report(report: Report) -> str:
    """Return a report as one page.

    Parameters
    ----------
    report : Report

    Returns
    -------
    str

    Examples
    --------
    >>> from autograder.reports import summarise
    >>> from autograder.results import Receipt, Status, SubmissionResult
    >>> right = SubmissionResult("ada", "ex01_1", (Receipt("mean-test", Status.PASS, 3.0, 3.0),))
    >>> "<svg" in html_report(summarise("ex01_1", [right]))
    True
    """
    n = len(report.records)
    reached = [record.points for record in report.records]
    maximum = max(record.maximum for record in report.records)
    waiting = sum(record.waiting > 0 for record in report.records)
    today = datetime.date.today().isoformat()
    parts = [
        f'<header><p class="kicker">Grading report · {_escaped(report.exercise)} · {today}</p>'
        f"<h1>{_escaped(report.title)}</h1></header>",
        f'<div class="score"><strong>{points(statistics.fmean(reached))} of {points(maximum)}</strong>'
        f"<span>points by tests, on average over {n} submission{'s' if n > 1 else ''}</span>"
        f'<span class="soft">half have at least {points(median(reached))}</span></div>',
    ]
    if waiting:
        parts.append(
            f'<p class="soft">{waiting} of them also hold answers that a person marks; these are not in here.</p>'
        )
    parts.append('<p class="soft small">For staff: this page names students and shows hidden tests\' messages.</p>')
    small = _marks_plot(reached, maximum) + _cost_plot(report.records)
    parts.append(f'<div class="plots"><div>{small}</div><div>{_questions_plot(report.questions)}</div></div>')
    parts += [
        _questions_table(report),
        _misunderstandings_table(report),
        _messages_table(report),
        _stopped_table(report),
        _pairs_section(report),
        _cost_section(report),
        _students_table(report),
    ]
    return page(f"{report.exercise}: grading report", "\n".join(part for part in parts if part))


def _escaped(text, limit: int = 300) -> str:
    return html.escape(one_line(str(text), limit=limit))


def _table(caption: str, heads: list[tuple[str, str]], rows: list[list[str]]) -> str:
    """A table with a caption; the first cell of each row is its heading."""
    head = "".join(f'<th scope="col"{kind and f" class={chr(34)}{kind}{chr(34)}"}>{name}</th>' for name, kind in heads)
    body = []
    for row in rows:
        cells = [f'<th scope="row">{row[0]}</th>']
        cells += [
            f"<td{kind and f' class={chr(34)}{kind}{chr(34)}'}>{cell}</td>"
            for (_, kind), cell in zip(heads[1:], row[1:], strict=True)
        ]
        body.append(f"<tr>{''.join(cells)}</tr>")
    return (
        f'<div class="wide"><table class="full"><caption>{caption}</caption><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(body)}</tbody></table></div>"
    )


def _who(students) -> str:
    names = ", ".join(_escaped(student, 60) for student in students[:60])
    more = f" and {len(students) - 60} more" if len(students) > 60 else ""
    return (
        names + more
        if len(students) <= 3
        else f"<details><summary>{len(students)} students</summary>{names}{more}</details>"
    )


def _questions_table(report) -> str:
    rows = [
        [
            f"<code>{_escaped(one.grade_id)}</code>",
            f"{points(one.mean)} / {points(one.maximum)}",
            points(one.spread),
            percent(one.full),
            percent(one.zero),
            "–" if one.discrimination is None else _apart(one.discrimination),
            ", ".join(f"{count} {status}" for status, count in sorted(one.statuses.items(), key=lambda item: -item[1])),
        ]
        for one in report.questions
    ]
    heads = ["Question", "Mean", "Spread", "All points", "No points", "Tells apart", "Outcomes"]
    caption = (
        "“Tells apart” is the correlation with the points of all other questions: near 0 it separates nobody, below 0 "
        "something is wrong with the question"
    )
    kinds = ["", "number", "number", "number", "number", "number", "small"]
    return "<h2>Questions</h2>" + _table(caption, list(zip(heads, kinds, strict=True)), rows)


def _apart(value: float) -> str:
    kind = "bad" if value < 0 else "part" if value < 0.15 else "good"
    return f'<span class="badge {kind}">{value:.2f}</span>'.replace("-", "−")


def _misunderstandings_table(report) -> str:
    if not report.misunderstandings:
        return ""
    rows = [
        [
            _escaped(one.mistake.description, 400)
            + ("" if one.certain else ' <span class="soft">(or another mistake with the same message)</span>'),
            f"<code>{_escaped(one.mistake.task)}</code>",
            str(len(one.students)),
            _who(one.students),
        ]
        for one in report.misunderstandings[:ROWS_LIMIT]
    ]
    caption = (
        "The tests say to these students what they say to a known wrong answer; what is wrong about it, by its author"
    )
    heads = [("What they seem to think", ""), ("Task", ""), ("Students", "number"), ("Who", "small")]
    return "<h2>Likely misunderstandings</h2>" + _table(caption, heads, rows)


def _messages_table(report) -> str:
    if not report.messages:
        return ""
    rows = [
        [
            f'<span class="message">{_escaped(message.text)}</span>',
            f"<code>{_escaped(message.grade_id)}</code>",
            str(len(message.students)),
            _who(message.students),
        ]
        for message in report.messages[:ROWS_LIMIT]
    ]
    left = len(report.messages) - len(rows)
    caption = "Grouped by what they say; … stands for numbers that differ" + (
        f"; {left} rarer ones are left out" if left > 0 else ""
    )
    heads = [("Message", ""), ("Question", ""), ("Students", "number"), ("Who", "small")]
    return "<h2>Messages most often seen</h2>" + _table(caption, heads, rows)


def _stopped_table(report) -> str:
    stopped = [record for record in report.records if record.reason]
    repairs = put_right(report)
    parts = []
    if stopped:
        rows = [
            [
                _escaped(record.student, 60),
                _escaped(record.reason),
                _escaped(record.explanation, 400),
                points(record.points),
            ]
            for record in stopped[:60]
        ]
        heads = [("Student", ""), ("Reason", ""), ("Explanation", ""), ("Points", "number")]
        parts.append("<h2>Submissions that did not run to their end</h2>")
        parts.append(_table(f"{len(stopped)} of {len(report.records)}; each has its marks and its reason", heads, rows))
    if repairs:
        listed = "".join(
            f"<li>{_escaped(kind)}: {count} time{'s' if count > 1 else ''}</li>"
            for kind, count in repairs.most_common()
        )
        parts.append(f"<h2>Put right before running</h2><ul>{listed}</ul>")
    return "".join(parts)


def _pairs_section(report) -> str:
    if not report.pairs:
        return "<h2>Answers that are alike</h2><p>None beyond what chance and the problem set explain.</p>"
    found = similarity.groups(report.pairs)
    parts = [
        "<h2>Answers that are alike</h2>",
        f'<p class="notice">{_escaped(similarity.CAUTION)}</p>',
        _table(
            "Share of the shorter answer that stands in the other, whatever its names; bits: how unlikely by chance",
            [("Students", ""), ("Alike", "number"), ("Evidence", "number"), ("Cells", "small")],
            [
                [
                    _escaped(listing(group.students, 12), 800),
                    percent(group.strongest.likeness),
                    f"{group.strongest.evidence_bits:.0f} bits",
                    ", ".join(f"<code>{_escaped(cell)}</code>" for cell in group.strongest.cells[:8]),
                ]
                for group in found[:40]
            ],
        ),
    ]
    parts += [_evidence(report, group.strongest) for group in found[:PAIRS_LIMIT]]
    return "".join(parts)


def _evidence(report, pair) -> str:
    both = report.answers.get(pair.first, {}), report.answers.get(pair.second, {})
    marked = similarity.common_lines(*both, list(report.given))
    names = f"{_escaped(pair.first, 60)} and {_escaped(pair.second, 60)}"
    parts = [f"<details><summary>{names}, side by side</summary>"]
    for cell in [cell for cell in both[0] if cell in marked[0] or cell in marked[1]][:6]:
        sides = []
        for student, answers, lines in zip((pair.first, pair.second), both, marked, strict=True):
            code = _marked(answers.get(cell, ""), lines.get(cell, set()))
            sides.append(f'<div><p class="small soft">{_escaped(student, 60)}</p><pre>{code}</pre></div>')
        parts.append(f'<h3><code>{_escaped(cell)}</code></h3><div class="pair">{"".join(sides)}</div>')
    return "".join([*parts, "</details>"])


def _marked(source: str, lines: set[int]) -> str:
    shown = []
    for number, line in enumerate(source.splitlines()[:LINES_LIMIT]):
        text = html.escape(one_line_of_code(line))
        shown.append(f"<mark>{text}</mark>" if number in lines else f"<span>{text}</span>")
    if source.count("\n") >= LINES_LIMIT:
        shown.append("<span>…</span>")
    return "".join(shown)


def one_line_of_code(line: str) -> str:
    """Return a line of code so that it only shows; its indentation stays.

    Examples
    --------
    >>> one_line_of_code("    x = 1")
    '    x = 1'
    """
    return printable(line, limit=200).replace("\n", " ") or " "


def _cost_section(report) -> str:
    slowest = sorted(report.records, key=lambda record: -(record.cpu_s + record.checker_cpu_s))[:10]
    rows = [
        [
            _escaped(record.student, 60),
            f"{record.cpu_s:.1f}",
            f"{record.checker_cpu_s:.1f}",
            f"{record.wall_s:.1f}",
            f"{record.peak_memory_mb:.0f}",
        ]
        for record in slowest
    ]
    levels = isolation_levels(report)
    details = Counter(line for record in report.records for line in record.isolation_details)
    listed = "".join(
        f"<li>{_escaped(line)}{f' ({count})' if count < len(report.records) else ''}</li>"
        for line, count in details.most_common(20)
    )
    total = sum(record.cpu_s + record.checker_cpu_s for record in report.records)
    heads = [
        ("Student", ""),
        ("Notebook / CPU s", "number"),
        ("Tests / CPU s", "number"),
        ("Wall / s", "number"),
        ("Peak / MB", "number"),
    ]
    return (
        "<h2>Cost and isolation</h2>"
        f"<p>{total:.0f} CPU seconds in all. Isolation: "
        + ", ".join(f"<strong>{_escaped(level)}</strong> for {count}" for level, count in levels.most_common())
        + f".</p>{f'<ul class={chr(34)}small{chr(34)}>{listed}</ul>' if listed else ''}"
        + _table("The ten that cost most", heads, rows)
    )


def _students_table(report) -> str:
    rows = [
        [
            _escaped(record.student, 60),
            f"{points(record.points)} / {points(record.maximum)}",
            points(record.waiting) if record.waiting else "",
            _escaped(record.reason),
            str(len(record.repairs) or ""),
        ]
        for record in report.records
    ]
    heads = [
        ("Student", ""),
        ("By tests", "number"),
        ("For a person", "number"),
        ("Reason", ""),
        ("Put right", "number"),
    ]
    return (
        f"<h2>All submissions</h2><details><summary>{len(rows)} rows</summary>"
        + _table("Points by tests; points that a person still gives", heads, rows)
        + "</details>"
    )


# -- plots --------------------------------------------------------------------------------------------------------


def _plot(caption: str, alternative: str, height: int, parts: list[str]) -> str:
    return (
        f'<figure><svg class="plot" role="img" viewBox="0 0 420 {height}" aria-label="{html.escape(alternative)}">'
        f"{''.join(parts)}</svg><figcaption>{caption}</figcaption></figure>"
    )


def _marks_plot(reached, maximum) -> str:
    """Histogram of the points; each bar is a round number of points wide."""
    maximum = maximum or 1.0
    width = next((w for w in (0.5, 1, 2, 5, 10, 20) if maximum / w <= 16), maximum / 10)
    n_bins = max(1, math.ceil(maximum / width - 1e-9))
    # Full marks stay in the last bar.
    counts = Counter(min(int(value / width + 1e-9), n_bins - 1) for value in reached)
    most = max(counts.values())
    left, right, top, bottom = 44.0, 410.0, 12.0, 206.0
    scale = (right - left) / (n_bins * width)
    parts = []
    for value in ticks(0, most, 4) if most > 1 else [0.0, 1.0]:
        if value == int(value):
            y = bottom - value / most * (bottom - top)
            parts.append(f'<path class="rule" d="M{left} {y:.1f}H{right}"/>')
            parts.append(f'<text class="quiet" x="{left - 8}" y="{y + 4:.1f}" text-anchor="end">{value:.0f}</text>')
    for k in range(n_bins):
        tall = counts.get(k, 0) / most * (bottom - top)
        x = left + k * width * scale
        parts.append(
            f'<rect class="fill-accent" x="{x + 1:.1f}" y="{bottom - tall:.1f}" width="{width * scale - 2:.1f}" '
            f'height="{tall:.1f}"/>'
        )
    for value in ticks(0, n_bins * width, 6):
        parts.append(
            f'<text class="quiet" x="{left + value * scale:.1f}" y="{bottom + 17}" text-anchor="middle">'
            f"{value:g}</text>"
        )
    parts.append(f'<path class="axis" d="M{left} {bottom}H{right}"/>')
    parts.append(f'<text x="{(left + right) / 2}" y="{bottom + 36}" text-anchor="middle">points by tests</text>')
    parts.append(
        f'<text x="12" y="{(top + bottom) / 2}" text-anchor="middle" transform="rotate(-90 12 {(top + bottom) / 2})">'
        "students</text>"
    )
    said = f"Histogram of points: {len(reached)} students, median {points(median(reached))} of {points(maximum)}."
    return _plot("How the points are spread over the class", said, 250, parts)


def _questions_plot(questions) -> str:
    """One bar a question: shares with all, some and no points; their order tells them apart, not colour alone."""
    row, top, left, width = 26, 30, 178.0, 232.0
    height = top + row * len(questions) + 8
    parts = []
    for x, kind, words in ((178, "good", "all points"), (265, "part", "some"), (325, "bad", "none")):
        parts.append(
            f'<rect class="fill-{kind}" x="{x}" y="6" width="12" height="12"/><text x="{x + 17}" y="16">{words}</text>'
        )
    for number, one in enumerate(questions):
        y = top + row * number
        some = max(0.0, 1 - one.full - one.zero)
        name = html.escape(one_line(one.grade_id, limit=27))
        parts.append(f'<text x="{left - 8}" y="{y + 13}" text-anchor="end" font-size="11">{name}</text>')
        x = left
        for share, kind in ((one.full, "good"), (some, "part"), (one.zero, "bad")):
            parts.append(f'<rect class="fill-{kind}" x="{x:.1f}" y="{y}" width="{width * share:.1f}" height="18"/>')
            if share >= 0.14:
                parts.append(
                    f'<text class="on-fill-{kind}" x="{x + width * share / 2:.1f}" y="{y + 13}" text-anchor="middle" '
                    f'font-size="11">{percent(share)}</text>'
                )
            x += width * share
    said = "Shares of students with all points: " + ", ".join(
        f"{one.grade_id} {percent(one.full)}" for one in questions
    )
    return _plot("Who got all, some or no points, question by question", one_line(said, limit=900), height, parts)


def _cost_plot(records) -> str:
    # What could not be read cost nothing.
    records = [record for record in records if record.cpu_s and record.peak_memory_mb]
    if not records:
        return ""
    cpu = [record.cpu_s + record.checker_cpu_s for record in records]
    memory = [record.peak_memory_mb for record in records]
    left, right, top, bottom = 54.0, 410.0, 12.0, 206.0
    most_cpu, most_memory = max(cpu) * 1.06, max(memory) * 1.06
    parts = []
    for value in ticks(0, most_memory, 4):
        y = bottom - value / most_memory * (bottom - top)
        parts.append(f'<path class="rule" d="M{left} {y:.1f}H{right}"/>')
        parts.append(f'<text class="quiet" x="{left - 8}" y="{y + 4:.1f}" text-anchor="end">{value:g}</text>')
    for value in ticks(0, most_cpu, 6):
        x = left + value / most_cpu * (right - left)
        parts.append(f'<text class="quiet" x="{x:.1f}" y="{bottom + 17}" text-anchor="middle">{value:g}</text>')
    for record, seconds, megabytes in zip(records, cpu, memory, strict=True):
        x = left + seconds / most_cpu * (right - left)
        y = bottom - megabytes / most_memory * (bottom - top)
        name = html.escape(one_line(record.student, limit=60))
        parts.append(
            f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="4">'
            f"<title>{name}: {seconds:.1f} s, {megabytes:.0f} MB</title></circle>"
        )
    parts.append(f'<path class="axis" d="M{left} {top}V{bottom}H{right}"/>')
    parts.append(f'<text x="{(left + right) / 2}" y="{bottom + 36}" text-anchor="middle">CPU time / s</text>')
    parts.append(
        f'<text x="12" y="{(top + bottom) / 2}" text-anchor="middle" transform="rotate(-90 12 {(top + bottom) / 2})">'
        "peak memory / MB</text>"
    )
    said = f"CPU time against peak memory: at most {max(cpu):.1f} s and {max(memory):.0f} MB."
    return _plot("What each submission cost; one point a student", said, 250, parts)
