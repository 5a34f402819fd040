"""``grade hooks``."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from grader.commands._common import add_hook_options, hook_of, parser
from grader.errors import UsageError
from grader.hooks.outbox import FILE, Outbox
from grader.hooks.send import send_due
from grader.text import CandidateText, for_terminal

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

__all__ = ["arguments", "run"]


def arguments() -> argparse.ArgumentParser:
    """What the command line takes."""
    made = parser("hooks", "List messages to a hook; with --hook, send those that are due.")
    made.add_argument("collected", metavar="COLLECTED", type=Path, help="a folder of results")
    add_hook_options(made)
    made.add_argument("--revive", action="store_true", help="try those again that were given up")
    return made


def run(argv: Sequence[str]) -> int:
    """Print what waits and what was given up; 1 if anything was."""
    options = arguments().parse_args(argv)
    if not (options.collected / FILE).is_file():
        raise UsageError(f"{options.collected} has no {FILE}: no hook was ever told anything")
    hook = hook_of(options)
    console = Console(highlight=False)
    with Outbox(options.collected) as outbox:
        if options.revive:
            console.print(f"{outbox.revive()} messages are tried again", markup=False)
        if hook is not None:
            send_due(outbox, hook)
        messages = outbox.all()
    counts = Counter(message.state for message in messages)
    told = ", ".join(f"{n} {state}" for state, n in sorted(counts.items())) or "no messages"
    console.print(told, markup=False)
    for message in messages:
        if message.state != "sent":
            text = (
                f"{message.state}: {message.key[:12]} to {message.url}, {message.attempts} "
                f"attempts{f', {message.said}' if message.said else ''}"
            )
            console.print(for_terminal(CandidateText(text)), markup=False, soft_wrap=True)
    return 1 if counts["dead"] else 0
