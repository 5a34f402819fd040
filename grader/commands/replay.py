"""``grade replay``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from grader.commands._common import checkout, parser
from grader.proof.audit import seed_checks
from grader.proof.replay import replay
from grader.report.model import EnvironmentFacts
from grader.report.report_json import read_report

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

__all__ = ["arguments", "run"]


def arguments() -> argparse.ArgumentParser:
    """What the command line takes."""
    made = parser("replay", "Recompute a run's verdicts from its transcript.")
    made.add_argument("run", type=Path, metavar="RUN", help="a results folder")
    return made


def run(argv: Sequence[str]) -> int:
    """Replay one run; a difference is an error."""
    options = arguments().parse_args(argv)
    root = checkout(options)
    evidence = replay(options.run, root=root)
    passed = sum(item.status == "passed" for item in evidence)
    console = Console(highlight=False)
    environment = EnvironmentFacts(**read_report(options.run / "report.json")["run"]["environment"])
    console.print(
        f"environment of the run: {environment} ({environment.digest[:12]})", markup=False
    )
    console.print(
        f"replayed {len(evidence)} tests without the candidate's code: {passed} passed, "
        "every verdict and the score as recorded, level by level"
    )
    for check in seed_checks(options.run, root):
        console.print(f"seed: {check.text}")
    return 0
