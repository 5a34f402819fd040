"""Pseudonyms, and the order in which a reviewer sees cases: both by a key of the folder's own.

Whoever holds the key can check a guess at whose a pseudonym is, and nobody else can. Letters that
could spell a name are left out.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from grader.errors import PlatformError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = ["KEY_FILE", "Names", "open_names"]

KEY_FILE = "decisions.key"
_LETTERS = "bcdfghjkmnpqrstvwxz23456789"
_LENGTH = 10


@dataclass(frozen=True, slots=True)
class Names:
    """Pseudonyms of one folder of results.

    Attributes:
        key: 32 random bytes.
    """

    key: bytes = field(repr=False)

    def case(self, exercise: str, who: str) -> str:
        """The pseudonym of somebody in one exercise: ten letters and digits, no vowels."""
        number = int.from_bytes(self._digest("case", exercise, who))
        letters = []
        for _ in range(_LENGTH):
            number, place = divmod(number, len(_LETTERS))
            letters.append(_LETTERS[place])
        return "".join(letters)

    def ordered(self, reviewer: str, cases: Iterable[str]) -> list[str]:
        """Cases in an order that is this reviewer's own, the same each time."""
        return sorted(cases, key=lambda case: self._digest("order", reviewer, case))

    def derived(self, purpose: str) -> bytes:
        """A key for something else, which does not tell this one."""
        return self._digest("key", purpose)

    def _digest(self, *parts: str) -> bytes:
        text = "\0".join(parts).encode("utf-8", "surrogatepass")
        return hmac.digest(self.key, text, hashlib.sha256)


def open_names(folder: Path) -> Names:
    """Read the key of a folder, or make one.

    Raises:
        UsageError: the file holds something else.
        PlatformError: it cannot be read or written.
    """
    path = folder / KEY_FILE
    try:
        if not path.exists():
            draft = folder / f".{KEY_FILE}.{os.getpid()}.{secrets.token_hex(4)}"
            draft.touch(mode=0o600)
            draft.write_text(f"{secrets.token_hex(32)}\n", "ascii")
            with contextlib.suppress(FileExistsError):  # another process was faster
                os.link(draft, path)
            draft.unlink()
        text = path.read_text("ascii").strip()
        key = bytes.fromhex(text)
    except OSError as error:
        raise PlatformError(f"{path} cannot be used: {error.strerror or error}") from error
    except ValueError:
        key = b""
    if len(key) != 32:  # noqa: PLR2004 - 256 bits
        raise UsageError(f"{path} should hold 64 hexadecimal digits; put the file back as it was")
    return Names(key)
