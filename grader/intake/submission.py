"""Submissions: an archive, a folder or one file → checked bytes in memory.

Nothing is extracted to disk and nothing is read twice, so what is graded is byte for byte what the
digest in the report stands for. The kind of a file is decided by its content, not by its name.

Every refusal is a `SubmissionRejected` with one of these codes:

``not-an-archive`` ``empty`` ``no-solution`` ``bad-name`` ``name-length`` ``depth``
``duplicate-name`` ``collision`` ``file-and-folder`` ``symlink`` ``hardlink`` ``special-file``
``encrypted`` ``overlap`` ``name-mismatch`` ``damaged`` ``unsupported`` ``too-many-files``
``too-large`` ``ratio`` ``repository``, and of `grader.notebook` ``notebook-damaged``
``notebook-version`` ``notebook-size`` ``notebook-choice``
"""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import hashlib
import os
import re
import stat
import tomllib
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from grader.errors import SubmissionRejected, UsageError
from grader.intake.entries import Basket, reject, shown
from grader.intake.streams import source_of
from grader.intake.tar import TAR_START, is_tar, read_tar, tar_names
from grader.intake.zip import read_zip
from grader.models import Submission, SubmissionFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["digest_of", "for_entry", "read_submission", "told_apart"]

_MARKER = "assessment.toml"
_MARKER_BYTES = 8192
_SUFFIXES = re.compile(r"\.(zip|tar|tgz|tbz2?|txz|tar\.(gz|bz2|xz)|py|ipynb)$", re.IGNORECASE)
_OTHER_KINDS = {b"7z\xbc\xaf\x27\x1c": "a 7z", b"Rar!": "a rar", b"\x28\xb5\x2f\xfd": "a zstd"}
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_ARCHIVE_BYTES = 512 << 20  # what is left out of an archive counts for this alone
_UNPACKED_BYTES = 2 << 30  # that a compressed tar passes through, a piece at a time
_EITHER = "send a zip or tar archive, a folder, or one .py or .ipynb file"


def read_submission(
    path: Path,
    *,
    max_files: int = 2000,
    max_bytes: int = 64 << 20,
    max_file_bytes: int = 32 << 20,
) -> Submission:
    """Read a submission once, into memory, whichever exercise it is for.

    Args:
        path: a zip or tar archive (also gzip, bzip2, xz), a folder, one Python file or one
            notebook.
        max_files: most files and folders in it.
        max_bytes: most bytes in it, unpacked, without what is left out.
        max_file_bytes: most bytes in one file.

    Returns:
        Its files without a top folder that holds all of them; `for_entry` then holds it against
        the exercise that it is for.

    Raises:
        SubmissionRejected: it cannot be graded; the message says what to change.
        UsageError: `path` does not exist or cannot be read.
    """
    basket = Basket(max_files, max_bytes, max_file_bytes)
    sole = ""
    try:
        if path.is_dir():
            _read_folder(path, basket)
        else:
            sole = _unpack(_read_file(path), path.name, basket)
        basket.close()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from error
    notes = list(basket.notes())
    if not basket.files:
        left_out = f" ({'; '.join(basket.notes())})" if basket.notes() else ""
        raise SubmissionRejected("empty", f"the submission holds no file{left_out}")
    _refuse_repositories(basket.files)
    files = _take_off_top_folders(basket.files, notes)
    exercise_id = _read_marker(files.get(_MARKER), notes)
    ordered = tuple(SubmissionFile(name, files[name]) for name in sorted(files))
    return Submission(
        name=_display_name(path),
        source=path,
        digest=digest_of(ordered),
        files=ordered,
        notes=tuple(notes),
        exercise_id=exercise_id,
        sole=sole,
    )


def for_entry(submission: Submission, entry: str) -> Submission:
    """The submission as one for an exercise whose file is `entry`.

    A ``.py`` file or a notebook that came alone takes the entry's name.

    Raises:
        SubmissionRejected: neither the entry nor a notebook is in the root.
    """
    if submission.sole:
        (file,) = submission.files
        name = Path(entry).stem + Path(file.path).suffix
        files = (SubmissionFile(name, file.data),)
        notes = submission.notes
        if submission.sole != name:
            notes = (*notes, f"{shown(submission.sole)} was a single file; graded as {name}")
        submission = dataclasses.replace(
            submission, files=files, digest=digest_of(files), notes=notes
        )
    _require_entry([file.path for file in submission.files], entry)
    return submission


def told_apart(submissions: Sequence[Submission]) -> list[Submission]:
    """Name submissions of one command that share a name by their folders as well.

    Downloads are often all called ``submission.zip``, in a folder with each person's name.
    """
    counts = Counter(submission.name for submission in submissions)
    found = []
    for submission in submissions:
        above = submission.source.absolute().parent
        if counts[submission.name] > 1 and above.name:
            name = f"{_display_name(above)}-{submission.name}"[:60]
            submission = dataclasses.replace(submission, name=name)  # noqa: PLW2901 - the same one, renamed
        found.append(submission)
    return found


def digest_of(files: tuple[SubmissionFile, ...]) -> str:
    """SHA-256 (hex) over paths and bytes in path order, each framed by its length."""
    digest = hashlib.sha256(b"submission/1\0")
    for file in sorted(files, key=lambda file: file.path):
        for part in (file.path.encode(), file.data):
            digest.update(len(part).to_bytes(8, "big"))
            digest.update(part)
    return digest.hexdigest()


def _read_file(path: Path) -> bytes:
    """Read one regular file of bounded size; a named pipe or a device does not block."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise SubmissionRejected("special-file", f"{shown(path.name)} is not a regular file")
        raw = file.read(_ARCHIVE_BYTES + 1)
    if len(raw) > _ARCHIVE_BYTES:
        limit = f"{_ARCHIVE_BYTES >> 20} MiB"
        reject("too-large", path.name, f"is larger than {limit}; leave out data and environments")
    return raw


def _unpack(raw: bytes, name: str, basket: Basket) -> str:
    """Read a file by what its content is; the name of what is no archive, else nothing."""
    if not raw:
        raise SubmissionRejected("empty", f"{shown(name)} is an empty file; {_EITHER}")
    if raw.startswith((b"PK\3\4", b"PK\5\6")):
        read_zip(raw, basket)
        return ""
    source, compressed = source_of(raw, _UNPACKED_BYTES)
    if is_tar(source.peek(TAR_START)):
        basket.survey(tar_names(source))
        read_tar(source_of(raw, _UNPACKED_BYTES)[0], basket)
        return ""
    if compressed:
        source.drain()
        reject("not-an-archive", name, f"is compressed, but holds no tar archive; {_EITHER}")
    for magic, kind in _OTHER_KINDS.items():
        if raw.startswith(magic):
            reject("not-an-archive", name, f"is {kind} archive; {_EITHER}")
    suffix = Path(name).suffix.lower()
    if suffix not in {".py", ".ipynb"} or (suffix == ".py" and b"\0" in raw):
        if (meant := _meant(name)) and b"\0" not in raw:
            reject("not-an-archive", name, f"has a suffix too many; rename it to {meant}")
        reject("not-an-archive", name, f"is no archive that can be read; {_EITHER}")
    basket.count(f"solution{suffix}".encode(), len(raw))
    basket.add(f"solution{suffix}", raw)
    return name


def _meant(name: str) -> str:
    """The name of a Python file or notebook that got one suffix more on its way, or nothing."""
    found = re.search(r"[\w .()+-]{1,60}\.(py|ipynb)(?=\.(txt|json|html|py|ipynb|download)$)", name)
    return found[0].strip() if found and found[0].isascii() else ""


def _read_folder(top: Path, basket: Basket) -> None:
    """Read a folder without following any link.

    Folders that are left out are not opened, so unlike in an archive they do not count: a local
    folder may hold an environment.
    """
    descriptor = os.open(top, _FOLDER)
    try:
        _read_level(descriptor, b"", basket)
    finally:
        os.close(descriptor)


def _read_level(folder: int, prefix: bytes, basket: Basket) -> None:
    with os.scandir(folder) as found:
        items = sorted(found, key=lambda item: item.name)
    names = [prefix + os.fsencode(item.name) for item in items]
    basket.survey(names)  # a folder shows itself as an environment once it is open
    if prefix and not basket.looks_into(prefix):
        basket.name(prefix, folder=True)
        return
    for item, raw in zip(items, names, strict=True):
        mode = item.stat(follow_symlinks=False).st_mode
        path = _admit(raw, mode, basket)
        if stat.S_ISDIR(mode) and (path is not None or basket.looks_into(raw)):
            inner = os.open(item.name, _FOLDER | os.O_NOFOLLOW, dir_fd=folder)
            try:
                _read_level(inner, raw + b"/", basket)  # no deeper than MAX_DEPTH
            finally:
                os.close(inner)
        elif path is not None:
            basket.add(path, _read_at(folder, item.name, raw, basket))


def _admit(raw: bytes, mode: int, basket: Basket) -> str | None:
    is_folder = stat.S_ISDIR(mode)
    odd = None
    if stat.S_ISLNK(mode):
        odd = ("symlink", "is a symbolic link; put the file itself there")
    elif not is_folder and not stat.S_ISREG(mode):
        odd = ("special-file", "is not a regular file; leave it out")
    path = basket.name(raw, folder=is_folder, odd=odd)
    if path is not None and is_folder:
        basket.count(raw, 0)
    return path


def _read_at(folder: int, name: str, raw: bytes, basket: Basket) -> bytes:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        descriptor = os.open(name, flags, dir_fd=folder)
    except OSError as error:
        if error.errno == errno.ELOOP:
            reject("symlink", raw, "is a symbolic link; put the file itself there")
        raise
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            reject("special-file", raw, "is not a regular file; leave it out")
        data = file.read(basket.max_file_bytes + 1)
    basket.count(raw, len(data))
    return data


def _refuse_repositories(files: Iterable[str]) -> None:
    """Refuse a folder that git takes for a repository: its configuration can run programs.

    The graded files are kept, and somebody may call git among them.
    """
    found: dict[str, set[str]] = {}
    for name in files:
        parts = name.lower().split("/")
        for depth, part in enumerate(parts):
            if part in {"head", "commondir", "objects", "refs"}:
                found.setdefault("/".join(parts[:depth]), set()).add(part)
    for folder, inside in sorted(found.items()):
        if "head" in inside and ("commondir" in inside or {"objects", "refs"} <= inside):
            raise SubmissionRejected(
                "repository",
                f"{shown(folder or 'the submission')} is itself a git repository (it holds HEAD, "
                "objects and refs); send the files that are checked out from it",
            )


def _take_off_top_folders(files: dict[str, bytes], notes: list[str]) -> dict[str, bytes]:
    """Take off folders that hold everything, as archives of a repository have."""
    while all("/" in name for name in files):
        tops = {name.partition("/")[0] for name in files}
        if len(tops) != 1:
            break
        notes.append(f"took off the top folder {shown(next(iter(tops)))}")
        files = {name.partition("/")[2]: data for name, data in files.items()}
    return files


def _require_entry(files: Sequence[str], entry: str) -> None:
    if entry in files or any(name.endswith(".ipynb") for name in files):
        return  # `grader.notebook.resolve` decides between several
    raise SubmissionRejected(
        "no-solution", f"there is no {entry} in the root; {_advice(sorted(files), entry)}"
    )


def _advice(files: Sequence[str], entry: str) -> str:
    """What to do about files among which the entry is missing."""
    package = f"{entry.removesuffix('.py')}/__init__.py"
    elsewhere = [name for name in files if name.rpartition("/")[2] == entry]
    spelled = [name for name in files if name.casefold() == entry.casefold()]
    inner = [name for name in files if name.lower().endswith((".zip", ".tar", ".gz", ".tgz"))]
    suffixed = [(name, meant) for name in files if (meant := _meant(name.rpartition("/")[2]))]
    modules = [name for name in files if name.endswith(".py")]
    if spelled:
        return f"found {spelled[0]}: rename it to {entry}"
    if package in files or "__init__.py" in files:
        found = package if package in files else "__init__.py"
        return (
            f"found a package ({found}): give its folder another name, and put a file {entry} "
            "beside it that imports from it"
        )
    if len(elsewhere) == 1:
        return f"found {elsewhere[0]}: move it and what it imports to the root"
    if elsewhere:
        return f"found {_some(elsewhere)}: submit one of them, in the root"
    if suffixed:
        name, meant = suffixed[0]
        return f"found {_some([name])}: it has a suffix too many; rename it to {meant}"
    if modules:
        return f"found {_some(modules)}: rename the one to be graded to {entry}"
    if inner:
        return f"found the archive {_some(inner)}: unpack it once and send what is in it"
    return f"found no Python file, only {_some(files)}"


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""  # noqa: PLR2004 - fits a line
    return ", ".join(name if len(name) <= 60 else shown(name) for name in names[:5]) + more  # noqa: PLR2004


def _read_marker(raw: bytes | None, notes: list[str]) -> str | None:
    """The exercise that ``assessment.toml`` names; a broken marker is a note, no refusal."""
    if raw is None:
        return None
    marker: dict[str, object] = {}
    if len(raw) <= _MARKER_BYTES:
        with contextlib.suppress(ValueError, RecursionError):
            marker = tomllib.loads(raw.decode("utf-8"))
    exercise, version = marker.get("exercise"), marker.get("version")
    if not isinstance(exercise, str) or not re.fullmatch(r"[a-z][a-z0-9_-]{0,39}", exercise):
        notes.append(f'{_MARKER} was ignored: it holds no line like exercise = "imputation"')
        return None
    if isinstance(version, str) and re.fullmatch(r"\d{1,6}(\.\d{1,6}){0,2}", version):
        notes.append(f"{_MARKER} names the exercise {exercise}, version {version}")
    return exercise


def _display_name(path: Path) -> str:
    name = path.name or path.resolve().name
    name = re.sub(r"[^A-Za-z0-9._-]", "-", _SUFFIXES.sub("", name)).lstrip(".-")[:60]
    return name or "submission"
