"""``grade doctor``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console

from grader.commands._common import checkout, parser
from grader.sandbox.doctor import examine

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["run"]

_MARKS = {"ok": "[green]ok     [/]", "warning": "[yellow]warning[/]", "error": "[red]error  [/]"}


def run(argv: Sequence[str]) -> int:
    """Print what the engine offers and how to mend what it lacks; 3 where it cannot grade."""
    description = "Examine the container engine and say what to mend."
    options = parser("doctor", description).parse_args(argv)
    console = Console(highlight=False)
    worst = 0
    for finding in examine(checkout(options)):
        console.print(f"{_MARKS[finding.state]} {finding.name}: ", end="")
        console.print(finding.text, markup=False, soft_wrap=True)
        if finding.fix and finding.state != "ok":
            console.print(f"        mend it: {finding.fix}", markup=False, soft_wrap=True)
        worst = max(worst, 3 if finding.state == "error" else 0)
    return worst
