"""``grade completion``."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import shtab

from grader import commands
from grader.commands._common import options_of_grade, parser
from grader.errors import UnforeseenError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["arguments", "run", "whole_parser"]

_SHELLS = ("bash", "zsh", "fish", "powershell")
# Where a script offers commands only, files as well; the other shells offer them anyway.
_FILES = {
    "bash": ("complete -o bashdefault", "complete -o bashdefault -o default"),
    "zsh": (
        "  _describe 'grade commands' _commands",
        "  _describe 'grade commands' _commands\n  _files",
    ),
}
_EPILOG = """\
bash   grade completion bash > ~/.local/share/bash-completion/completions/grade
zsh    grade completion zsh > "${fpath[1]}/_grade"
fish   grade completion fish > ~/.config/fish/completions/grade.fish
"""


def arguments() -> argparse.ArgumentParser:
    """What the command line takes."""
    made = parser("completion", "Print the completion script of a shell.")
    made.epilog = _EPILOG
    made.formatter_class = argparse.RawDescriptionHelpFormatter
    made.add_argument("shell", choices=_SHELLS)
    return made


def run(argv: Sequence[str]) -> int:
    """Print the script."""
    options = arguments().parse_args(argv)
    script = shtab.complete(whole_parser(), shell=options.shell)
    sys.stdout.write(_with_submissions(script, options.shell))
    return 0


def _with_submissions(script: str, shell: str) -> str:
    """The script, which also completes files in the place of a command: ``grade FILE``.

    Raises:
        UnforeseenError: the generator writes another script than it did.
    """
    if shell not in _FILES:
        return script
    old, new = _FILES[shell]
    if script.count(old) != 1:
        raise UnforeseenError(f"shtab's script for {shell} has no {old!r} of its own any more")
    return script.replace(old, new)


def whole_parser() -> argparse.ArgumentParser:
    """One parser with all subcommands, for the completion scripts and the tests of ``--help``."""
    top = argparse.ArgumentParser(prog="grade", parents=[options_of_grade(help_option=False)])
    below = top.add_subparsers(dest="command", metavar="COMMAND")
    for command in commands.COMMANDS:
        module = import_module(f"{commands.__name__}.{command.module}")
        own = cast("argparse.ArgumentParser", module.arguments())
        made = below.add_parser(
            command.name, help=command.summary, parents=[own], conflict_handler="resolve"
        )
        _complete_paths(made)
    _complete_paths(top)
    return top


def _complete_paths(made: argparse.ArgumentParser) -> None:
    for action in made._actions:  # noqa: SLF001 - argparse has no other list of them
        if action.type is Path and not action.choices:
            whole: Any = action
            whole.complete = shtab.FILE
