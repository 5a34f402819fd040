"""Several submissions in one command: progress, isolation of failures, one exit code."""

from __future__ import annotations

import itertools
import json
import sys
import threading
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Self
from urllib.parse import quote

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn

from grader import interrupts, pipeline
from grader.errors import GraderError, PlatformError, SubmissionRejected, unforeseen
from grader.exercise.contract import project_root
from grader.files import write_whole
from grader.intake.submission import told_apart
from grader.report import report_json, terminal
from grader.report.html.index import IndexRow, index_page
from grader.report.printer import printer
from grader.sandbox.workbench import Workbench, Worker
from grader.text import CandidateText, for_rich, for_terminal

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

    from grader.pipeline import Graded, Grading

__all__ = ["exit_code", "grade_all"]

_SEVERITY = (0, 1, 4, 2, 3)


def exit_code(codes: list[int]) -> int:
    """The code of several submissions: the most serious one, in the order 3, 2, 4, 1, 0."""
    return max(codes, key=_SEVERITY.index, default=0)


class _Show:
    """Progress on stderr while it is a terminal and nobody asked for quiet."""

    def __init__(self, *, quiet: bool) -> None:
        self.console = Console(stderr=True, highlight=False)
        self._quiet = quiet
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            console=self.console,
            transient=True,
            disable=quiet or not self.console.is_terminal,
        )

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._progress.stop()

    def say(self, text: str) -> None:
        """One line for a long step."""
        if not self._quiet:
            self.console.print(f"· {text}", markup=False)

    def warn(self, text: str) -> None:
        """What the user should know although nothing failed."""
        self.console.print(f"grade: warning: {text}", markup=False, soft_wrap=True)

    def tests(self, name: str) -> Callable[[int, int], None]:
        """A bar for one submission's hidden tests."""
        task = self._progress.add_task(for_rich(CandidateText(name)).plain, total=None)

        def update(done: int, total: int) -> None:
            self._progress.update(task, completed=done, total=total, visible=done < total)

        return update


def grade_all(options: argparse.Namespace) -> int:
    """Grade what the command line names.

    Returns:
        The exit code; one failed submission does not stop the others.
    """
    root: Path = options.root or project_root()
    paths: list[Path] = options.submissions
    codes: list[int] = []
    graded: list[Graded] = []
    refused: list[IndexRow] = []
    with _Show(quiet=options.quiet or options.json) as show:
        ready: list[Grading] = []
        offered = cache(partial(pipeline.Offered, root, options.exercise))
        for path in paths:
            prepared = _prepared(path, root, options, offered)
            if isinstance(prepared, GraderError):
                if len(paths) == 1:
                    raise prepared
                codes.append(_refused(show, path, prepared, refused))
            else:
                ready.append(prepared)
        names = told_apart([grading.submission for grading in ready])
        ready = [replace(item, submission=named) for item, named in zip(ready, names, strict=True)]
        if ready:
            bench = Workbench(show.say)
            for exercise in {item.exercise.id: item.exercise for item in ready}.values():
                bench.images_for(exercise)  # what is missing here concerns all of them
            for grading, outcome in _each(bench, ready, options, show):
                if isinstance(outcome, GraderError):
                    if len(paths) == 1:
                        raise outcome
                    source = Path(grading.submission.source)
                    codes.append(_refused(show, source, outcome, refused))
                    continue
                graded.append(outcome)
                for fault in outcome.faults:
                    show.warn(for_terminal(CandidateText(f"{outcome.folder}: {fault}")))
                try:
                    _print(outcome, options, several=len(paths) > 1)
                except OSError:
                    raise  # nobody reads on
                except Exception as error:  # noqa: BLE001 - the results are in their folder
                    codes.append(_refused(show, outcome.folder, unforeseen(error), []))
                below = options.fail_under is not None and (
                    outcome.report.scorecard.overall < options.fail_under
                )
                codes.append(1 if below else 0)
    _sum_up(graded, refused, options, show)
    return exit_code(codes)


def _prepared(
    path: Path, root: Path, options: argparse.Namespace, offered: Callable[[], pipeline.Offered]
) -> Grading | GraderError:
    try:
        return pipeline.prepare(
            path, root=root, exercise=options.exercise, seed=options.seed, offered=offered()
        )
    except GraderError as error:
        return error
    except Exception as error:  # noqa: BLE001 - a defect of ours costs one submission
        return unforeseen(error)


def _sum_up(
    graded: list[Graded], refused: list[IndexRow], options: argparse.Namespace, show: _Show
) -> None:
    """Of several a table, and a page beside the results folders that leads to each report."""
    if graded and (lacking := graded[0].report.moment.warnings):
        show.say(
            f"this machine offers less isolation than it could ({len(lacking)} warnings): "
            "see grade doctor"
        )
    if not graded or len(options.submissions) < 2:  # noqa: PLR2004 - one needs no table
        return
    rows = [
        IndexRow(
            item.report.submission_name,
            "graded",
            link=quote(f"{item.folder.name}/report.html"),
            card=item.report.scorecard,
        )
        for item in sorted(graded, key=lambda item: -item.report.scorecard.overall)
    ]
    title = ", ".join(dict.fromkeys(item.report.exercise_title for item in graded))
    index = graded[0].folder.parent / "index.html"
    write_whole(index, index_page(title, [*rows, *refused]).encode())
    if len(graded) > 1 and not options.json:
        terminal.summary_table([item.report for item in graded], printer())


def _refused(show: _Show, path: Path, error: GraderError, refused: list[IndexRow]) -> int:
    what = f"rejected ({error.code})" if isinstance(error, SubmissionRejected) else "error"
    text = for_terminal(CandidateText(str(error)), lines=True)
    show.console.print(f"grade: {path}: {what}: {text}", markup=False, soft_wrap=True)
    refused.append(IndexRow(path.name, what, notes=(str(error),)))
    return error.exit_code


def _each(
    bench: Workbench, ready: list[Grading], options: argparse.Namespace, show: _Show
) -> Iterator[tuple[Grading, Graded | GraderError]]:
    """Grade on as many workers as asked for; results come in the order of the command line."""
    jobs = min(options.jobs, len(ready))
    idle: SimpleQueue[Worker] = SimpleQueue()
    workers = [Worker(bench, number=number) for number in range(jobs)]
    started = itertools.count(1)
    stop = threading.Event()
    for worker in workers:
        idle.put(worker)

    def work(grading: Grading) -> Graded | GraderError:
        if stop.is_set():
            return PlatformError("interrupted")
        worker = idle.get()
        worker.ahead = next(started) < len(ready)  # nothing is warmed for nobody
        try:
            return pipeline.run(
                worker,
                bench,
                grading,
                out=options.out,
                progress=show.tests(grading.submission.name),
            )
        except GraderError as error:
            return error
        except Exception as error:  # noqa: BLE001 - a defect of ours costs one submission
            return unforeseen(error)
        finally:
            idle.put(worker)

    pool = ThreadPoolExecutor(max_workers=jobs)
    futures: list[Future[Graded | GraderError]] = [pool.submit(work, item) for item in ready]
    try:
        for grading, future in zip(ready, futures, strict=True):
            while not future.done():
                interrupts.check()
                wait([future], timeout=0.2, return_when=FIRST_COMPLETED)
            interrupts.check()
            yield grading, future.result()
    finally:
        stop.set()
        for future in futures:
            future.cancel()
        for worker in workers:
            try:
                worker.close()
            except GraderError as error:  # what was graded counts all the same
                show.warn(f"{error}. The next command removes what is left of its containers.")
        pool.shutdown(wait=True, cancel_futures=True)


def _print(outcome: Graded, options: argparse.Namespace, *, several: bool) -> None:
    report, folder = outcome.report, outcome.folder
    if options.json:
        document = report_json.build_report(report)
        text = json.dumps(document, sort_keys=True, indent=None if several else 2)
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
        return
    console = printer()
    if options.quiet:
        card = report.scorecard
        console.print(
            f"{report.submission_name}  {card.overall:.2f}  {card.band}  {folder}", markup=False
        )
        return
    terminal.render(report, console, verbose=options.verbose, results=folder)
