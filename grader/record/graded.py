"""The graded files of a run, kept beside its report as ``submission.zip``."""

from __future__ import annotations

import zipfile
import zlib
from typing import TYPE_CHECKING

from grader.errors import UsageError
from grader.files import open_regular, zipped
from grader.intake.entries import MAX_RATIO, RATIO_FREE
from grader.intake.submission import digest_of
from grader.models import SubmissionFile

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["SUBMISSION", "pack_files", "unpack_files"]

SUBMISSION = "submission.zip"
_MOST_BYTES = 256 << 20
_LARGE = 1 << 20


def pack_files(files: tuple[SubmissionFile, ...]) -> bytes:
    """A zip of the graded files whose bytes depend on them alone; it can be graded again."""
    content = {file.path: file.data for file in files}
    packed = zipped(content, stored=_like_a_bomb)
    size = sum(map(len, content.values()))
    if size > RATIO_FREE and size * 2 > len(packed) * MAX_RATIO:
        return zipped(content, stored=lambda _: True)
    return packed


def _like_a_bomb(data: bytes) -> bool:
    """Whether intake would take the packed file for an archive bomb."""
    return len(data) > _LARGE and len(zlib.compress(data, 6)) * MAX_RATIO < len(data) * 2


def unpack_files(path: Path, digest: str) -> tuple[SubmissionFile, ...]:
    """The graded files of a run.

    Raises:
        UsageError: there are none, or they are not those that the report's digest names.
    """
    try:
        with open_regular(path) as file, zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
            if sum(entry.file_size for entry in entries) > _MOST_BYTES:
                raise UsageError(f"{path} is not the archive of a run: it is too large")
            files = tuple(SubmissionFile(e.filename, archive.read(e)) for e in entries)
    except (OSError, EOFError, ValueError, zlib.error, zipfile.error, RuntimeError) as error:
        raise UsageError(f"{path} cannot be read: {error}; the run is incomplete") from error
    if digest_of(files) != digest:
        raise UsageError(f"{path} does not hold the files that were graded: its digest differs")
    return files
