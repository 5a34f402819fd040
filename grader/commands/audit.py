"""``grade audit``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from grader.commands._common import checkout, parser
from grader.decisions.log import check_chain, export, open_existing
from grader.errors import ReplayMismatch, UsageError
from grader.files import write_whole
from grader.proof.audit import Check, audit
from grader.record.signing import read_public_key
from grader.text import for_terminal

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from grader.decisions.log import Log

__all__ = ["arguments", "run"]

_MARKS = {"ok": "[green]ok     [/]", "note": "[yellow]note   [/]", "differs": "[red]differs[/]"}


def arguments() -> argparse.ArgumentParser:
    """What the command line takes."""
    made = parser("audit", "Check a results folder against what its run was bound to.")
    made.add_argument(
        "run", type=Path, metavar="RUN",
        help="a results folder; or a folder of results, whose log of decisions is checked",
    )  # fmt: skip
    made.add_argument(
        "--export", type=Path, metavar="FILE", help="write the log of decisions as JSON lines"
    )
    made.add_argument(
        "--public-key", type=Path, metavar="FILE", help="the key that must have signed it"
    )
    made.add_argument(
        "--replay", action="store_true", help="recompute verdicts and score as well (needs Docker)"
    )
    return made


def run(argv: Sequence[str]) -> int:
    """Print what matches and what does not; 1 if anything does not."""
    options = arguments().parse_args(argv)
    if (log := open_existing(options.run)) is not None:
        with log:
            return _log(log, options.export)
    if options.export:
        raise UsageError(f"{options.run} has no log of decisions to export")
    root = checkout(options)
    key = read_public_key(options.public_key) if options.public_key else None
    checks = audit(options.run, root=root, public_key=key)
    if options.replay:
        checks.append(_replayed(options.run, root))
    console = Console(highlight=False)
    for check in checks:
        console.print(f"{_MARKS[check.state]} {check.name}: ", end="")
        console.print(for_terminal(check.text), markup=False, soft_wrap=True)
    return 1 if any(check.state == "differs" for check in checks) else 0


def _log(log: Log, export_to: Path | None) -> int:
    """Check the chain of a log; 1 if an event is not as it was written."""
    console = Console(highlight=False)
    wrong = check_chain(log)
    events = log.events()
    for text in wrong:
        console.print(f"{_MARKS['differs']} decisions: ", end="")
        console.print(for_terminal(text), markup=False, soft_wrap=True)
    if not wrong:
        head = events[-1].hash if events else "none"
        text = f"{len(events)} events, each as it was written; the last hash is {head}"
        console.print(f"{_MARKS['ok']} decisions: {text}", soft_wrap=True)
        note = "keep that hash elsewhere: it tells if the last events are ever cut off"
        console.print(f"{_MARKS['note']} decisions: {note}", soft_wrap=True)
    if export_to is not None:
        write_whole(export_to, export(log))
    return 1 if wrong else 0


def _replayed(folder: Path, root: Path) -> Check:
    from grader.proof.replay import replay  # noqa: PLC0415 - an audit without replay needs no engine

    try:
        evidence = replay(folder, root=root)
    except ReplayMismatch as error:
        return Check("replay", "differs", str(error))
    except UsageError as error:
        return Check("replay", "note", f"not possible here: {error}")
    return Check(
        "replay", "ok", f"{len(evidence)} verdicts and the score come out again, level by level"
    )
