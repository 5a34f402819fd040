"""``grade keygen``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from grader.commands._common import checkout, parser
from grader.record.signing import KEY_FILE, VARIABLE, make_key

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

__all__ = ["arguments", "run"]


def arguments() -> argparse.ArgumentParser:
    """What the command line takes."""
    made = parser("keygen", "Make a key that signs results from now on.")
    made.add_argument(
        "path", type=Path, nargs="?", help=f"default: hidden_tests/{KEY_FILE}, which Git ignores"
    )
    return made


def run(argv: Sequence[str]) -> int:
    """Make a key that results are signed with from now on."""
    options = arguments().parse_args(argv)
    path = options.path or checkout(options) / "hidden_tests" / KEY_FILE
    public = make_key(path)
    console = Console(highlight=False)
    console.print(f"private key: {path} (keep it to yourself)", markup=False, soft_wrap=True)
    console.print(
        f"public key:  {public} (for `grade audit --public-key`)", markup=False, soft_wrap=True
    )
    if options.path:
        console.print(f"grade signs with it where {VARIABLE}={path} is set", markup=False)
    return 0
