"""Typed reading of TOML files that authors write: every error names file, key and fix."""

from __future__ import annotations

import difflib
import re
import tomllib
from typing import TYPE_CHECKING, NoReturn

from grader.errors import ExerciseError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["Table", "read_table"]

_UNITS = {"b": 1, "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30}
_SIZE = re.compile(r"\s*(\d+)\s*([A-Za-z]+)\s*")


class Table:
    """One TOML table being read; `finish` rejects the keys that nobody asked for.

    Args:
        values: the parsed table.
        file: the file's path, for messages.
        at: the table's own place in the file, e.g. ``limits``; empty for the top.
    """

    def __init__(self, values: Mapping[str, object], file: str, at: str = "") -> None:
        self._values = values
        self._file = file
        self._at = at
        self._known: list[str] = []

    def fail(self, key: str, problem: str) -> NoReturn:
        """Raise an `ExerciseError` about `key`; `problem` also says how to mend it."""
        place = f"{self._at}.{key}" if self._at and key else self._at or key
        raise ExerciseError(f"{self._file}: {place}: {problem}")

    def keys(self) -> tuple[str, ...]:
        """All keys in file order, for a table whose keys are the author's own names."""
        self._known.extend(self._values)
        return tuple(self._values)

    def has(self, key: str) -> bool:
        """Whether the table holds an optional key."""
        self._known.append(key)
        return key in self._values

    def _take(self, key: str, wanted: str) -> object:
        self._known.append(key)
        if key in self._values:
            return self._values[key]
        guess = difflib.get_close_matches(key, self._values, n=1)
        hint = f" (there is {guess[0]!r}: a typing error?)" if guess else ""
        return self.fail(key, f"is missing; add {wanted}{hint}")

    def text(self, key: str, pattern: str = r".+", wanted: str = "a line of text") -> str:
        """A one-line string that matches `pattern` as a whole."""
        value = self._take(key, wanted)
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            self.fail(key, f"must be {wanted}, not {value!r}")
        return value

    def prose(self, key: str, longest: int = 4000) -> str:
        """A text of one or more lines, without the space around it."""
        wanted = f"a text of at most {longest} characters"
        value = self._take(key, wanted)
        if not isinstance(value, str) or not 0 < len(value.strip()) <= longest:
            self.fail(key, f"must be {wanted}, not {str(value)[:80]!r}")
        return value.strip()

    def number(self, key: str, low: float, high: float) -> float:
        """A finite number in ``[low, high]``."""
        wanted = f"a number from {low:g} to {high:g}"
        value = self._take(key, wanted)
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not low <= value <= high
        ):
            self.fail(key, f"must be {wanted}, not {value!r}")
        return float(value)

    def integer(self, key: str, low: int, high: int) -> int:
        """A whole number in ``[low, high]``."""
        wanted = f"a whole number from {low} to {high}"
        value = self._take(key, wanted)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            self.fail(key, f"must be {wanted}, not {value!r}")
        return value

    def size(self, key: str) -> int:
        """A size in bytes, written as a whole number or like ``"512 MiB"``."""
        wanted = 'a size such as "512 MiB" (B, KiB, MiB, GiB) or a number of bytes'
        value = self._take(key, wanted)
        if isinstance(value, str) and (match := _SIZE.fullmatch(value)):
            unit = _UNITS.get(match[2].lower())
            value = int(match[1]) * unit if unit else value
        if isinstance(value, bool) or not isinstance(value, int) or value <= 0:
            self.fail(key, f"must be {wanted}, not {value!r}")
        return value

    def flag(self, key: str, *, default: bool) -> bool:
        """A boolean, `default` where the key is absent."""
        if not self.has(key):
            return default
        value = self._values[key]
        if not isinstance(value, bool):
            self.fail(key, f"must be true or false, not {value!r}")
        return value

    def texts(self, key: str, pattern: str, wanted: str) -> tuple[str, ...]:
        """A list of distinct strings that match `pattern`; an absent key is an empty list."""
        if not self.has(key):
            return ()
        values = self._values[key]
        if not isinstance(values, list):
            self.fail(key, f"must be a list of {wanted}, not {values!r}")
        for value in values:
            if not isinstance(value, str) or not re.fullmatch(pattern, value):
                self.fail(key, f"must hold {wanted} only, not {value!r}")
        if len(set(values)) != len(values):
            self.fail(key, "names the same thing twice; remove one")
        return tuple(values)

    def table(self, key: str) -> Table:
        """A table inside this one."""
        value = self._take(key, f"a table [{key}]")
        if not isinstance(value, dict):
            self.fail(key, f"must be a table, not {value!r}")
        return Table(value, self._file, f"{self._at}.{key}" if self._at else key)

    def tables(self, key: str) -> tuple[Table, ...]:
        """A list of tables with at least one element."""
        value = self._take(key, f"at least one [[{key}]]")
        if not isinstance(value, list) or not value or not all(isinstance(v, dict) for v in value):
            self.fail(key, f"must be written as one or more [[{key}]] tables")
        return tuple(
            Table(item, self._file, f"{self._at}.{key}[{i}]" if self._at else f"{key}[{i}]")
            for i, item in enumerate(value)
        )

    def shares(self, key: str) -> dict[str, float]:
        """A table of ``name = share`` with each share above 0 and at most 1."""
        inner = self.table(key)
        found = {name: inner.number(name, 0.0, 1.0) for name in inner.keys()}  # noqa: SIM118 - not a dict
        for name, share in found.items():
            if not share:
                inner.fail(name, "must be above 0; leave the criterion out instead")
        return found

    def finish(self) -> None:
        """Reject the keys that were never asked for."""
        for key in self._values:
            if key not in self._known:
                guess = difflib.get_close_matches(key, self._known, n=1)
                known = ", ".join(dict.fromkeys(self._known))
                hint = f"did you mean {guess[0]!r}?" if guess else f"known keys are {known}"
                self.fail(key, f"is not a key of this table; {hint}")


def read_table(path: Path) -> tuple[Table, bytes]:
    """Parse a TOML file.

    Returns:
        The top table and the file's bytes (for its digest).

    Raises:
        ExerciseError: the file is missing, unreadable, not UTF-8 or not TOML.
    """
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise ExerciseError(f"{path}: there is no such file; create it") from None
    except OSError as error:
        raise ExerciseError(f"{path}: cannot be read: {error.strerror}") from error
    try:
        return Table(tomllib.loads(raw.decode("utf-8")), str(path)), raw
    except UnicodeDecodeError as error:
        raise ExerciseError(f"{path}: byte {error.start} is not UTF-8; save as UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise ExerciseError(f"{path}: is not valid TOML: {error}") from error
