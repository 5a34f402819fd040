"""The subcommands of ``grade``, one module each.

To add one: a module here with ``arguments()``, which makes its parser, and ``run(argv) -> int``
(see `list_` for the smallest), and a row in `COMMANDS`. A module is imported when its command is
called, so no command pays for another's imports.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["COMMANDS", "Command", "call", "overview"]


@dataclass(frozen=True, slots=True)
class Command:
    """One subcommand.

    Attributes:
        name: what the user types.
        operands: for the overview, such as ``RUN``.
        summary: for the overview: one line without a full stop.
        module: of this package; holds ``run(argv) -> int``.
    """

    name: str
    operands: str
    summary: str
    module: str


COMMANDS = (
    Command("list", "", "the exercises of this checkout", "list_"),
    Command("doctor", "", "what this machine's container engine offers and lacks", "doctor"),
    Command("images", "", "build the sandbox images now", "images"),
    Command("lock", "EXERCISE", "pin the packages of an exercise alone", "lock"),
    Command("replay", "RUN", "recompute a run's verdicts from its transcript", "replay"),
    Command("audit", "RUN", "check a result against what it was bound to", "audit"),
    Command("keygen", "[FILE]", "make a key that signs results from now on", "keygen"),
    Command("verify", "EXERCISE", "lint the hidden tests and grade their labels", "verify"),
    Command("report", "RUN", "make a run's reports again, also by a changed rubric", "report"),
    Command("starter", "EXERCISE DEST", "write a candidate's folder", "starter"),
    Command("pack", "FOLDER", "pack a folder as the zip to hand in", "pack"),
    Command("collect", "FOLDER", "grade a folder of submissions into one table", "collect"),
    Command("review", "COLLECTED", "decide on levels in a local web app", "review"),
    Command("cluster", "WHAT", "certificates, scheduler and workers of a cluster", "cluster"),
    Command("hooks", "COLLECTED", "messages to a hook: what waits, what was given up", "hooks"),
    Command("purge", "COLLECTED", "delete the data of candidates", "purge"),
    Command("stats", "COLLECTED", "how submissions did on each criterion and check", "stats"),
    Command("scorecard", "[CARD]", "the stages that people score, as a form", "scorecard"),
    Command("ci", "RUN", "publish a run from a GitHub Actions job", "ci"),
    Command("completion", "SHELL", "print the completion script of a shell", "completion"),
    Command("init", "DIR", "make a team's own repository", "init"),
    Command("new", "ID", "write an exercise to start from", "new"),
    Command("label", "EXERCISE", "fill in what labelled solutions cost", "label"),
    Command("import-classroom", "FILE ID", "Classroom's tests as an exercise", "import_classroom"),
)


def overview() -> str:
    """The subcommands as lines for ``grade --help``."""
    rows = [(f"grade {c.name} {c.operands}".rstrip(), c.summary) for c in COMMANDS]
    width = max(len(left) for left, _ in rows) + 2
    return "\n".join(f"  {left:<{width}}{right}" for left, right in rows)


def call(name: str, argv: Sequence[str]) -> int | None:
    """Run a subcommand.

    Returns:
        Its exit code; None if there is no subcommand of that name.
    """
    for command in COMMANDS:
        if command.name == name:
            run = import_module(f"{__name__}.{command.module}").run
            return cast("Callable[[Sequence[str]], int]", run)(argv)
    return None
