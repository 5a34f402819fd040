"""``grade doctor``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console

from grader.commands._common import checkout, parser
from grader.sandbox.doctor import examine

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from pathlib import Path

    from grader.sandbox.doctor import Finding

__all__ = ["arguments", "run"]

_MARKS = {"ok": "[green]ok     [/]", "warning": "[yellow]warning[/]", "error": "[red]error  [/]"}


def arguments() -> argparse.ArgumentParser:
    """What the command line takes."""
    made = parser("doctor", "Examine the container engine and say what to mend.")
    made.add_argument(
        "--sandbox", action="store_true", help="also probe real containers from within"
    )
    return made


def run(argv: Sequence[str]) -> int:
    """Print what the engine offers and how to mend what it lacks; 3 where it cannot grade."""
    options = arguments().parse_args(argv)
    console = Console(highlight=False)
    worst = 0
    root = checkout(options)
    for finding in [*examine(root), *(_probed(root) if options.sandbox else [])]:
        console.print(f"{_MARKS[finding.state]} {finding.name}: ", end="")
        console.print(finding.text, markup=False, soft_wrap=True)
        if finding.fix and finding.state != "ok":
            console.print(f"        fix: {finding.fix}", markup=False, soft_wrap=True)
        worst = max(worst, 3 if finding.state == "error" else 0)
    return worst


def _probed(root: Path) -> list[Finding]:
    from grader.exercise.contract import list_exercises  # noqa: PLC0415 - only for --sandbox
    from grader.sandbox.selfcheck import self_check  # noqa: PLC0415
    from grader.sandbox.workbench import Workbench  # noqa: PLC0415

    errors = Console(stderr=True, highlight=False)
    bench = Workbench(lambda text: errors.print(f"· {text}", markup=False))
    exercise = list_exercises(root)[0]
    return list(self_check(bench.engine, bench.images_for(exercise), exercise.limits))
