"""Seeds of generated inputs: 128 bits, never in the repository.

The first use creates ``hidden_tests/.grader-seed``, which Git ignores. A team shares one through
its private repository's secrets, so that all graders ask the same questions.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from typing import TYPE_CHECKING

from grader.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["checked", "commitment", "has_team_seed", "run_seed", "team_seed"]

FILE = ".grader-seed"


def has_team_seed(hidden_root: Path) -> bool:
    """Whether there is a seed file; nothing is created."""
    return (hidden_root / FILE).is_file()


def team_seed(hidden_root: Path) -> str:
    """Read the seed file, or create it.

    Returns:
        32 hexadecimal digits.

    Raises:
        UsageError: the file holds something else.
    """
    path = hidden_root / FILE
    if not path.exists():
        draft = path.with_name(f"{FILE}.{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_hex(16) + "\n")
        try:
            os.link(draft, path)  # atomic, and never over one that another process just made
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return checked(path.read_text().strip(), str(path))


def checked(seed: str, where: str) -> str:
    """Hold that a seed has 128 bits.

    Raises:
        UsageError: it has not.
    """
    if not re.fullmatch("[0-9a-f]{32}", seed):
        raise UsageError(f"{where}: a seed is 32 hexadecimal digits (0-9, a-f); this is none")
    return seed


def run_seed(seed: str, exercise_id: str, version: str) -> str:
    """The seed of one exercise: the same for all candidates, unrelated between exercises."""
    text = f"takehome-grader run\n{seed}\n{exercise_id}\n{version}"
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def commitment(seed: str) -> str:
    """A digest that binds a run seed without telling it."""
    return hashlib.sha256(f"takehome-grader commitment\n{seed}".encode()).hexdigest()
