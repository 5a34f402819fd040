"""A finished run as one bounded archive, from the worker's folder into the client's."""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from grader.collect.grading import key_in
from grader.errors import PlatformError, UsageError
from grader.files import zipped
from grader.record.binding import BINDING, SIGNATURE
from grader.record.results import ResultsFolder
from grader.record.signing import configured_key
from grader.report.report_json import read_report

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from grader.collect.grading import Key

__all__ = ["MOST_BYTES", "MOST_FILES", "OtherImages", "Wanted", "images_in", "packed", "published"]

MOST_BYTES = 256 << 20
MOST_FILES = 64
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class OtherImages(PlatformError):
    """A run was made with other images than those before it."""


def images_in(report: Mapping[str, Any]) -> tuple[str, str]:
    """Ids of the judge's and the candidate's image that a run was made with."""
    return report["run"]["judge_image"], report["run"]["candidate_image"]


def packed(folder: Path) -> bytes:
    """The files of a run's folder as a zip archive.

    Raises:
        PlatformError: they are more or larger than a client takes.
    """
    files = {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
    if len(files) > MOST_FILES or sum(map(len, files.values())) > MOST_BYTES:
        raise PlatformError(f"the results in {folder} are more than the client takes")
    return zipped(files, stored=lambda data: data[:2] == b"\x1f\x8b")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a run has to be to count.

    Attributes:
        key: what it answers.
        name: of its folder.
        images: exercise → ids of the images of earlier runs; the first run of an exercise adds
            its own.
    """

    key: Key
    name: str
    images: dict[str, tuple[str, str]]


def published(archive: bytes, wanted: Wanted, out: Path, hidden_root: Path) -> Path:
    """Write a run that a worker sent, whole or not at all.

    Args:
        archive: what `packed` made; not trusted.
        wanted: what it has to be.
        out: the folder of all runs.
        hidden_root: the folder ``hidden_tests``, where a signing key may be.

    Returns:
        The run's folder.

    Raises:
        OtherImages: earlier runs were made with other images; the message names both.
        PlatformError: the archive is damaged, too large, names a path outside its folder, or is
            another submission's run.
        UsageError: a signing key is configured that cannot be used.
    """
    signer = configured_key(hidden_root)
    results = ResultsFolder(out, wanted.name, sweep=False)  # the folder is locked, and was swept
    try:
        for file, data in _files(archive):
            (results.draft / file).write_bytes(data)
        try:
            report = read_report(results.draft / "report.json")
        except UsageError as error:
            raise PlatformError(f"the results that came back are damaged: {error}") from error
        _hold(report, wanted)
        if signer is not None:
            text = (results.draft / BINDING).read_bytes()
            (results.draft / SIGNATURE).write_text(signer.sign(text).to_json(), encoding="utf-8")
        return results.publish()
    except OSError as error:
        results.drop()
        raise PlatformError(
            f"the results cannot be written below {out} ({error.strerror or error}); make room or "
            "choose another place with --out"
        ) from error
    except BaseException:
        results.drop()
        raise


def _hold(report: dict[str, Any], wanted: Wanted) -> None:
    if key_in(report) != wanted.key:
        raise PlatformError("the results that came back are those of another submission")
    made = images_in(report)
    before = wanted.images.setdefault(wanted.key[0], made)
    for role, one, other in zip(("judge", "candidate"), before, made, strict=True):
        if one != other:
            raise OtherImages(
                f"its {role} image is {other[:19]}, that of earlier runs {one[:19]}; put the same "
                "images on every machine (docker save, docker load)"
            )


def _files(archive: bytes) -> list[tuple[str, bytes]]:
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            entries = opened.infolist()
            names = [entry.filename for entry in entries]
            wrong = [name for name in names if not _NAME.fullmatch(name)]
            if wrong or len(set(names)) != len(names):
                raise PlatformError(f"the results that came back name {(wrong or names)[0]!r}")
            total = sum(entry.file_size for entry in entries)
            if len(entries) > MOST_FILES or total > MOST_BYTES:
                raise PlatformError(
                    f"the results that came back hold {len(entries)} files and {total} bytes; at "
                    f"most {MOST_FILES} and {MOST_BYTES} are taken"
                )
            return [(entry.filename, _read(opened, entry)) for entry in entries]
    except (zipfile.BadZipFile, EOFError, ValueError, NotImplementedError) as error:
        raise PlatformError(f"the results that came back are damaged: {error}") from error


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """One entry, and no more of it than it says: a header can lie."""
    with archive.open(entry) as file:
        data = file.read(entry.file_size + 1)
    if len(data) != entry.file_size:
        raise PlatformError(f"{entry.filename} in the results that came back has another size")
    return data
