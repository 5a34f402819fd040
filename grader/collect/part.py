"""One shard of a collection, as ``grade collect --shard I/N`` leaves it for ``--merge``.

A part is a folder with ``shard.json`` and the finished runs of its shard. ``shard.json`` holds the
rows of *all* submissions as they are before anything is graded: every shard reads the whole folder
and matches it with the whole roster, so that whose a submission is does not depend on the shard.
It says by what the submissions are graded, too, so that parts which differ are told apart.
"""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - msgspec reads the annotations
import re
from collections.abc import Mapping  # noqa: TC003 - msgspec reads the annotations
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec

import grader
from grader.collect.book import Row
from grader.collect.found import Found
from grader.collect.grading import Key  # noqa: TC001 - msgspec reads the annotations
from grader.collect.history import History  # noqa: TC001 - msgspec reads the annotations
from grader.collect.roster import Person  # noqa: TC001 - msgspec reads the annotations
from grader.errors import UsageError
from grader.files import open_regular, write_whole
from grader.record.seeds import commitment

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from grader.pipeline import Grading

__all__ = ["FILE", "Part", "Shard", "Terms", "read_part", "rows_of", "terms_of", "write_part"]

FILE = "shard.json"
_MOST_SHARDS = 100_000
_DIGITS = 16  # of a digest: 64 bits


@dataclass(frozen=True, slots=True, order=True)
class Shard:
    """Shard `index` of `of`, counted from 1."""

    index: int
    of: int

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Read ``I/N``.

        Raises:
            ValueError: it is something else.
        """
        match = re.fullmatch(r"([1-9][0-9]{0,5})/([1-9][0-9]{0,5})", text, re.ASCII)
        if match is None or not int(match[1]) <= int(match[2]) <= _MOST_SHARDS:
            raise ValueError(f"{text!r} is no shard like 2/8: the second of eight")
        return cls(int(match[1]), int(match[2]))

    def holds(self, digest: str) -> bool:
        """Whether a submission is graded by this shard.

        Args:
            digest: of the submission's content, hex. The number in its first 16 digits, modulo the
                number of shards, is the shard, counted from 0.
        """
        return int(digest[:_DIGITS], 16) % self.of == self.index - 1

    def __str__(self) -> str:
        return f"{self.index}/{self.of}"


@dataclass(frozen=True, slots=True)
class Terms:
    """What the submissions for one exercise are graded by.

    Attributes:
        version: of the exercise.
        suite: SHA-256 over the hidden tests, hex.
        scoring: SHA-256 over rubric, expectations and task sheet, hex.
        environment: SHA-256 over Python, base set and lock, hex.
        seed: the commitment to the run's seed.
    """

    version: str
    suite: str
    scoring: str
    environment: str
    seed: str


@dataclass(frozen=True, slots=True)
class _Row:
    """A row as it is stored; of its source, the name."""

    person: Person
    state: str
    file: str | None
    submitted: dt.datetime | None
    clock: str
    late: bool | None
    attempts: int
    key: Key | None
    history: History | None
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """What ``shard.json`` holds.

    Attributes:
        grader_version: of this package.
        terms: exercise → what it is graded by.
        rows: of all submissions.
        failed: what the platform could not grade, and why.
    """

    schema: Literal["shard/1"]
    shard: Shard
    grader_version: str
    terms: Mapping[str, Terms]
    rows: tuple[_Row, ...]
    failed: tuple[tuple[Key, str], ...]


def terms_of(grading: Grading) -> Terms:
    """What one submission is graded by."""
    exercise = grading.exercise
    return Terms(
        exercise.version,
        grading.suite.digest,
        exercise.scoring_digest,
        exercise.environment.digest,
        commitment(grading.seed),
    )


def write_part(
    out: Path,
    shard: Shard,
    terms: Mapping[str, Terms],
    rows: Iterable[Row],
    failed: Mapping[Key, Exception],
) -> None:
    """Write ``shard.json``.

    Args:
        out: the folder that holds ``runs``.
        shard: which one it is.
        terms: exercise → what it is graded by.
        rows: of all submissions, before anything is graded.
        failed: what could not be graded.

    Raises:
        UsageError: it cannot be written there.
    """
    part = Part(
        "shard/1",
        shard,
        grader.__version__,
        dict(sorted(terms.items())),
        tuple(_stored(row) for row in rows),
        tuple((key, str(error)) for key, error in sorted(failed.items())),
    )
    write_whole(out / FILE, msgspec.json.format(msgspec.json.encode(part), indent=1) + b"\n")


def _stored(row: Row) -> _Row:
    return _Row(
        row.person,
        row.state,
        row.source.path.name if row.source else None,
        row.submitted,
        row.clock,
        row.late,
        row.attempts,
        row.key,
        row.history,
        row.notes,
    )


def read_part(folder: Path) -> Part:
    """Read the ``shard.json`` of a folder.

    Raises:
        UsageError: there is none, or it is damaged.
    """
    path = folder / FILE
    try:
        with open_regular(path) as file:
            part = msgspec.json.decode(file.read(), type=Part)
        Shard.parse(str(part.shard))
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read ({error.strerror or error}); give the folders that "
            "grade collect --shard wrote"
        ) from error
    except (ValueError, RecursionError) as error:  # msgspec's errors are ValueErrors
        raise UsageError(
            f"{path} is not a shard/1 file ({error}); run that shard again with this version"
        ) from error
    return part


def rows_of(part: Part) -> Sequence[Row]:
    """The rows before anything is graded; of each source the name is left."""
    return [
        Row(
            row.person,
            row.state,
            Found(Path(row.file), "", "") if row.file is not None else None,
            row.submitted,
            row.clock,
            row.late,
            row.attempts,
            row.key,
            row.key[2] if row.key else "",
            row.history,
            notes=row.notes,
        )
        for row in part.rows
    ]
