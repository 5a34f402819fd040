"""``grade collect``."""

from __future__ import annotations

import argparse
import datetime as dt
import re
import time
from collections import Counter
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from grader import pipeline
from grader.batch import exit_code
from grader.collect.book import Row, book, tasks_of
from grader.collect.cases import write_cases
from grader.collect.decided import decided_in
from grader.collect.found import find
from grader.collect.grading import Results, Work, grade_each, sandboxes
from grader.collect.hooks import put_graded
from grader.collect.merge import merge
from grader.collect.part import FILE, Shard, terms_of, write_part
from grader.collect.roster import read_roster
from grader.collect.table import GRADEBOOKS, collected_csv, print_table
from grader.commands._common import add_hook_options, checkout, count, hook_of, parser
from grader.commands.cluster import CERTS, local_workers, needs_dask
from grader.decisions.names import open_names
from grader.errors import GraderError, PlatformError, unforeseen
from grader.exercise.contract import load_exercise
from grader.files import write_whole
from grader.hooks.outbox import Outbox
from grader.hooks.send import send_due
from grader.report.html.index import IndexRow, index_page
from grader.report.printer import printer
from grader.report.stored import scored_again
from grader.text import CandidateText, for_rich, for_terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from grader.collect.decided import Decided
    from grader.collect.grading import Bench, Done, Key, Task
    from grader.collect.part import Terms
    from grader.hooks.send import Hook
    from grader.models import Exercise
    from grader.pipeline import Graded, Grading

__all__ = ["arguments", "run"]

TABLE = "collected.csv"
_OF_SHARDS = ("folder", "shard", "cluster", "roster", "due", "take", "exercise", "seed")
_END_OF_DAY = dt.time(23, 59, 59, 999_999)

_EPILOG = """\
The folder may hold clones as `gh classroom clone student-repos` or `gh teacher download` lay them
out, a Gradescope export, or one folder or archive a candidate. Stop it whenever you like: the same
command goes on where it was, and no submission is graded twice.
"""


def run(argv: Sequence[str], *, benches: Sequence[Callable[[], Bench]] | None = None) -> int:
    """Grade a folder of submissions.

    Args:
        argv: the command line.
        benches: what grades; the sandbox unless a test gives something else.
    """
    options = _options(argv)
    if options.merge:
        return _merge(options)
    root = checkout(options)
    out: Path = options.out
    shard: Shard | None = options.shard
    people = read_roster(options.roster) if options.roster else ()
    found = find(options.folder)
    show = _Show()
    show.due(options.due)
    offered = cache(partial(pipeline.Offered, root, options.exercise))

    def prepare(path: Path) -> Grading:
        return pipeline.prepare(
            path,
            root=root,
            exercise=options.exercise,
            seed=options.seed,
            offered=offered(),
        )

    terms: dict[str, Terms] = {}
    seeds: dict[str, str] = {}

    def look(path: Path) -> Grading:
        grading = prepare(path)
        terms[grading.exercise.id] = terms_of(grading)
        seeds[grading.exercise.id] = grading.seed
        return grading

    with Results(out) as results:
        with show.bar("reading", len(found)) as step:
            rows = book(
                found, people, look, due=options.due, take=options.take or "last", step=step
            )
        tasks = tasks_of(rows)
        if shard is not None:
            tasks = [task for task in tasks if shard.holds(task.key[2])]
            write_part(out, shard, terms, rows, {})
        todo = [task for task in tasks if results.find(task.key) is None]
        where, before = f" in shard {shard}" if shard else "", len(tasks) - len(todo)
        show.say(
            f"{len(found)} submissions, {len(tasks)} to be graded{where}, "
            f"{before} of them graded before"
        )
        failed: dict[Key, GraderError] = {}
        work = Work(
            todo, prepare, lambda: offered().exercises, seeds, results, root / "hidden_tests"
        )
        makers = benches or sandboxes(show.say, min(options.jobs, max(1, len(todo))))
        try:
            with show.bar("grading", len(todo)) as step:
                for task, outcome in _graded(options, work, makers, show.say):
                    if isinstance(outcome, GraderError):
                        failed[task.key] = outcome
                    else:
                        results.add(task.key, outcome.folder)
                        for fault in outcome.faults:
                            show.say(f"{outcome.folder}: {fault}")
                    step()
        finally:
            if shard is not None:
                write_part(out, shard, terms, rows, failed)
                rows = [row for row in rows if _of_shard(row, shard)]
            rows = _all_finished(rows, results, failed, options)
            if shard is None:
                _write(rows, out, options)
            done = sum(row.state == "graded" for row in rows)
            show.say(f"{out / (FILE if shard else TABLE)}: {done} of {len(rows)} rows graded")
    _ended(rows, options, show)
    return exit_code([3 if row.state == "failed" else 0 for row in rows])


def _graded(
    options: argparse.Namespace,
    work: Work,
    makers: Sequence[Callable[[], Bench]],
    say: Callable[[str], None],
) -> Iterator[tuple[Task, Graded | Done | GraderError]]:
    """Grade here, or on a cluster; local processes of a cluster end with this."""
    if not options.cluster or not work.tasks:
        yield from grade_each(work.tasks, work.prepare, makers, work.results.folder)
        return
    needs_dask()
    from grader.cluster.certs import read_certs  # noqa: PLC0415 - an extra
    from grader.cluster.crew import LocalCrew  # noqa: PLC0415
    from grader.cluster.driver import Cluster, grade_on  # noqa: PLC0415

    if number := local_workers(options.cluster):
        with LocalCrew(min(number, len(work.tasks)), say) as crew:
            yield from grade_on(Cluster(crew.address, crew.certificates(), crew), work, say)
    else:
        certs = read_certs(options.certs.absolute(), "client")
        yield from grade_on(Cluster(options.cluster, certs), work, say)


def _of_shard(row: Row, shard: Shard) -> bool:
    """Whether a shard answers for a row: it grades it, or nobody could read it."""
    return shard.holds(row.key[2]) if row.key is not None else row.state == "failed"


def _merge(options: argparse.Namespace) -> int:
    """Put parts together; 3 as long as something is to be graded again."""
    show = _Show()
    with Results(options.out) as results:
        merged = merge(options.merge, results)
        rows = _all_finished(merged.rows, results, merged.failed, options)
        _write(rows, options.out, options)
    _ended(rows, options, show)
    for shard in merged.missing:
        show.say(f"shard {shard} is missing: run it, and merge again with its folder")
    waiting = {row.key[2] for row in rows if row.state == "pending" and row.key is not None}
    if waiting and not merged.missing:
        show.say(f"{len(waiting)} submissions are not graded yet: run their shards again")
    again = merged.missing or any(row.state in {"failed", "pending"} for row in rows)
    return PlatformError.exit_code if again else 0


def _all_finished(
    rows: Sequence[Row],
    results: Results,
    failed: dict[Key, GraderError],
    options: argparse.Namespace,
) -> list[Row]:
    root = checkout(options)
    load = None if options.as_recorded else cache(partial(load_exercise, root=root))
    found = decided_in(options.out)
    return [_decided(_finished(row, results, failed, load), found, load) for row in rows]


def _decided(row: Row, found: Decided | None, load: Callable[[str], Exercise] | None) -> Row:
    """A row with the levels that count, where people decided on some."""
    if row.report is None or found is None:
        return row
    exercise = load(row.report.exercise_id) if load is not None else None
    return replace(row, report=found.over(row.report, row.person.identifier, exercise))


def _print(rows: Sequence[Row]) -> None:
    console = printer()
    print_table(rows, console)
    counts = Counter(row.state for row in rows)
    console.print(", ".join(f"{n} {state}" for state, n in sorted(counts.items())), markup=False)


def arguments() -> argparse.ArgumentParser:
    """What the command line takes."""
    made = parser("collect", "Grade a folder of submissions into one table.")
    made.epilog = _EPILOG
    made.formatter_class = argparse.RawDescriptionHelpFormatter
    made.add_argument("folder", metavar="FOLDER", type=Path, nargs="?")
    made.add_argument("--exercise", metavar="ID", help="which exercise they are for")
    made.add_argument("--roster", metavar="CSV", type=Path, help="who should have submitted")
    made.add_argument(
        "--due",
        metavar="TIME",
        type=_time,
        help="such as 2026-11-20T23:59, or a day, which ends at midnight in this machine's zone",
    )
    made.add_argument(
        "--take", choices=("last", "first"), help="which of several counts (default: last)"
    )
    made.add_argument(
        "--out", metavar="DIR", type=Path, default=Path("collected"), help="default: collected"
    )
    made.add_argument("--jobs", metavar="N", type=count, default=1, help="side by side")
    made.add_argument("--seed", metavar="HEX", help="128-bit seed in place of the seed file")
    made.add_argument(
        "--gradebook",
        action="append",
        choices=[*GRADEBOOKS, "all"],
        default=[],
        help="also write the CSV that this program reads; may be given several times",
    )
    made.add_argument(
        "--assignment", metavar="NAME", default="Take-home", help="its name in a gradebook"
    )
    made.add_argument(
        "--cluster",
        metavar="ADDRESS",
        help="grade on a Dask cluster: tls://HOST:PORT, or local:N for N workers here",
    )
    made.add_argument(
        "--certs",
        metavar="DIR",
        type=Path,
        default=CERTS,
        help=f"what grade cluster certs made (default: {CERTS})",
    )
    made.add_argument(
        "--shard", metavar="I/N", type=_shard, help="grade this share only, for --merge (2/8)"
    )
    made.add_argument(
        "--merge", metavar="DIR", type=Path, nargs="+", help="put the folders of shards together"
    )
    made.add_argument(
        "--as-recorded", action="store_true", help="keep scores also if the rubric has changed"
    )
    add_hook_options(made)
    made.add_argument(
        "--hook-names", action="store_true", help="tell the hook who the candidates are, too"
    )
    return made


def _ended(rows: Sequence[Row], options: argparse.Namespace, show: _Show) -> None:
    """Print the table, and tell a hook what was graded; what does not arrive is sent later."""
    _print(rows)
    hook: Hook | None = options.hook
    if hook is None or options.shard:
        return
    with Outbox(options.out) as outbox:
        put_graded(outbox, hook.url, rows, open_names(options.out), named=options.hook_names)
        arrived = send_due(outbox, hook)
        waiting = sum(message.state == "waiting" for message in outbox.all())
    later = f", {waiting} wait: grade hooks sends them" if waiting else ""
    show.say(f"{arrived} messages to {hook.url}{later}")


def _options(argv: Sequence[str]) -> argparse.Namespace:
    made = arguments()
    options = made.parse_args(argv)
    options.hook = hook_of(options)
    if options.merge:
        given = [name for name in _OF_SHARDS if getattr(options, name) is not None]
        if given:
            names = ", ".join("FOLDER" if name == "folder" else f"--{name}" for name in given)
            made.error(f"--merge takes no {names}: the shards were graded with it")
    elif options.cluster and options.shard:
        made.error("--cluster and --shard divide the same work; give one of them")
    elif options.folder is None:
        made.error("FOLDER is missing: the one that holds the submissions")
    elif options.shard and options.gradebook:
        made.error("--gradebook belongs to --merge: a shard has no whole table")
    if options.cluster:
        local_workers(options.cluster)
    return options


def _shard(text: str) -> Shard:
    try:
        return Shard.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _time(text: str) -> dt.datetime:
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d|\d{8}", text):  # a day: until its end
            value = dt.datetime.combine(dt.date.fromisoformat(text), _END_OF_DAY)
        else:
            value = dt.datetime.fromisoformat(text)
    except ValueError:
        message = f"{text!r} is no day like 2026-11-20 and no time like 2026-11-20T23:59+01:00"
        raise argparse.ArgumentTypeError(message) from None
    return value if value.tzinfo else value.astimezone()


def _finished(
    row: Row,
    results: Results,
    failed: dict[Key, GraderError],
    load: Callable[[str], Exercise] | None,
) -> Row:
    if row.state != "pending" or row.key is None:
        return row
    if row.key in failed:
        note = f"not graded: {failed[row.key]}"
        return replace(row, state="failed", notes=(*row.notes, note))
    folder = results.find(row.key)
    if folder is None:
        return row
    try:
        report = results.report(row.key)
        if load is not None:
            report, _ = scored_again(report, (), load(report.exercise_id))
    except GraderError:
        raise
    except Exception as error:  # noqa: BLE001 - a defect of ours costs one row
        note = f"graded, but its report cannot be read: {unforeseen(error)}"
        return replace(row, state="failed", folder=folder, notes=(*row.notes, note))
    return replace(row, state="graded", report=report, folder=folder)


def _write(rows: Sequence[Row], out: Path, options: argparse.Namespace) -> None:
    write_cases(out, rows)
    write_whole(out / TABLE, collected_csv(rows))
    names = list(GRADEBOOKS) if "all" in options.gradebook else options.gradebook
    write_whole(out / "index.html", index_page(options.assignment, _index(rows, out)).encode())
    for name in names:
        write_whole(out / f"gradebook-{name}.csv", GRADEBOOKS[name](rows, options.assignment))


def _index(rows: Sequence[Row], out: Path) -> list[IndexRow]:
    return [
        IndexRow(
            row.person.identifier,
            row.state,
            row.person.name,
            quote(f"{row.folder.relative_to(out).as_posix()}/report.html") if row.folder else "",
            row.report.scorecard if row.report else None,
            row.notes,
            row.report.machine if row.report else None,
        )
        for row in rows
    ]


class _Show:
    """Progress on stderr: a bar with an estimate on a terminal, lines elsewhere."""

    def __init__(self) -> None:
        self.console = Console(stderr=True, highlight=False)

    def say(self, text: str) -> None:
        self.console.print(f"· {for_terminal(CandidateText(text))}", markup=False, soft_wrap=True)

    def due(self, due: dt.datetime | None) -> None:
        """Say from when on a submission is late, in full: a day means its end."""
        if due:
            self.say(f"late is what came after {due.strftime('%A %Y-%m-%d %H:%M:%S %z')}")

    def bar(self, what: str, total: int) -> _Bar:
        return _Bar(self.console, what, total)


class _Bar:
    def __init__(self, console: Console, what: str, total: int) -> None:
        self._console, self._what, self._total = console, what, total
        self._done, self._began = 0, time.monotonic()
        self._progress = Progress(
            TextColumn("{task.description}"), BarColumn(bar_width=30), MofNCompleteColumn(),
            TimeRemainingColumn(), console=console, transient=True,
            disable=not console.is_terminal,
        )  # fmt: skip
        self._task = self._progress.add_task(for_rich(CandidateText(what)).plain, total=total)

    def __enter__(self) -> Callable[[], None]:
        self._progress.start()
        return self._step

    def __exit__(self, *exc: object) -> None:
        self._progress.stop()

    def _step(self) -> None:
        self._done += 1
        self._progress.advance(self._task)
        if not self._console.is_terminal and self._what == "grading":
            left = (time.monotonic() - self._began) / self._done * (self._total - self._done)
            told = f"about {left / 60:.0f} min left" if left >= 90 else f"about {left:.0f} s left"  # noqa: PLR2004 - a minute and a half
            self._console.print(f"· {self._done} of {self._total} graded, {told}", markup=False)
