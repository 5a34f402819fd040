"""What a candidate's Git history says, read without trusting the repository.

Nothing of the repository's configuration is in force: Git runs on an empty repository of ours that
borrows the candidate's object folder, so no hook, file-system monitor, pager, signature program,
attribute or alias of theirs is ever looked at. References are read here, as text. Git gets limits
on time, memory and output, because objects may be bombs. Dates are the candidate's own word.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import re
import shutil
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from grader.models import SubmissionFile

__all__ = ["History", "read_history"]

_HASH = re.compile(r"[0-9a-f]{40}")
_REF = re.compile(r"refs/heads/[A-Za-z0-9][A-Za-z0-9._/-]{0,200}")
_ADDED = frozenset({"result.json", "results.json"})  # by `gh teacher download`, beside the clone
_SECONDS = 20
_OUTPUT = 8 << 20
_MOST_COMMITS = 10_000
_FIRST = dt.datetime(2005, 4, 1, tzinfo=dt.UTC)
_MOST_OBJECTS = 200_000
_SHELL = 'ulimit -t 20; ulimit -v 4194304 2>/dev/null; exec "$@"'
_OPTIONS = ("-c", "core.commitGraph=false", "-c", "core.multiPackIndex=false", "--no-pager")


@dataclass(frozen=True, slots=True)
class History:
    """A summary.

    Attributes:
        head: the commit that is checked out; empty where nothing could be read.
        commits: how many lead to it, at most 10,000.
        first: date of the oldest of them.
        last: date of `head`; None, as for `first`, where it cannot be read.
        touched: files that came with the task and were changed by a later commit.
        differing: graded files that are not as in `head`; 0 means that `head` was graded.
        note: why nothing could be read.
    """

    head: str = ""
    commits: int = 0
    first: dt.datetime | None = None
    last: dt.datetime | None = None
    touched: tuple[str, ...] = ()
    differing: int = 0
    note: str = ""


class _UnreadableError(Exception):
    pass


def read_history(
    folder: Path, files: Sequence[SubmissionFile], protected: Sequence[str]
) -> History | None:
    """Summarise the history of a clone.

    Args:
        folder: the work tree.
        files: what was graded of it.
        protected: files of the starter that are not the candidate's to change.

    Returns:
        None where the folder is no repository.
    """
    place = folder / ".git"
    if not os.path.lexists(place):
        return None
    git = shutil.which("git")
    if git is None:
        return History(note="git is not installed, so the history was not read")
    try:
        head, objects = _head(place), _objects(place)
        with tempfile.TemporaryDirectory(prefix="grader-git-") as own:
            _own_repository(Path(own), place)
            return _summary(_Git(git, Path(own), objects), head, files, protected)
    except _UnreadableError as error:
        return History(note=f"the history was not read: {error}")


def _text(path: Path, most: int) -> str:
    """A small regular file; no link is followed and no pipe waited for."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise _UnreadableError(f"{path.name} is no regular file")
            return file.read(most).decode("ascii", "replace")
    except OSError as error:
        raise _UnreadableError(f"{path.name}: {error.strerror}") from error


def _folder(path: Path) -> Path:
    try:
        if stat.S_ISDIR(path.lstat().st_mode):
            return path
    except OSError as error:
        raise _UnreadableError(f"{path.name}: {error.strerror}") from error
    raise _UnreadableError(f"{path.name} is a link or a file, not a folder")


def _head(place: Path) -> str:
    text = _text(_folder(place) / "HEAD", 1024).strip()
    if _HASH.fullmatch(text):
        return text
    name = text.removeprefix("ref: ").strip()
    if not _REF.fullmatch(name) or ".." in name:
        raise _UnreadableError("HEAD names no branch and no commit")
    path = place
    for part in name.split("/")[:-1]:
        path /= part
        if not os.path.lexists(path):
            break
        _folder(path)
    if os.path.lexists(place / name):
        value = _text(place / name, 100).strip()
    else:
        lines = _text(place / "packed-refs", 4 << 20).splitlines()
        value = next((line[:40] for line in lines if line[40:] == f" {name}"), "")
    if not _HASH.fullmatch(value):
        raise _UnreadableError("the branch has no commit")
    return value


def _objects(place: Path) -> Path:
    objects = _folder(place / "objects")
    for name in ("alternates", "http-alternates"):
        if os.path.lexists(objects / "info" / name):
            raise _UnreadableError("it borrows objects from elsewhere")
    seen = 0
    for folder, _, names in os.walk(objects, followlinks=False):
        for entry in os.scandir(folder):
            if not (entry.is_dir(follow_symlinks=False) or entry.is_file(follow_symlinks=False)):
                raise _UnreadableError(f"objects/{entry.name} is a link, a pipe or a device")
        seen += len(names)
        if seen > _MOST_OBJECTS:
            raise _UnreadableError("it holds too many objects")
    return objects.resolve()


def _own_repository(own: Path, place: Path) -> None:
    (own / "HEAD").write_text("ref: refs/heads/none\n")
    (own / "config").write_text("[core]\n\trepositoryformatversion = 0\n\tbare = true\n")
    for name in ("refs", "objects"):
        (own / name).mkdir()
    if os.path.lexists(place / "shallow"):
        lines = _text(place / "shallow", 1 << 20).splitlines()
        (own / "shallow").write_text("".join(f"{x}\n" for x in lines if _HASH.fullmatch(x)))


@dataclass(frozen=True, slots=True)
class _Git:
    program: str
    own: Path
    objects: Path

    def ask(self, *arguments: str) -> bytes:
        environment = {
            "PATH": os.defpath,
            "HOME": str(self.own),
            "LC_ALL": "C",
            "GIT_DIR": str(self.own),
            "GIT_OBJECT_DIRECTORY": str(self.objects),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_NO_LAZY_FETCH": "1",
            "GIT_ALLOW_PROTOCOL": "none",
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_LITERAL_PATHSPECS": "1",
            "GIT_TERMINAL_PROMPT": "0",
        }
        command = ["/bin/sh", "-c", _SHELL, "sh", self.program, *_OPTIONS, *arguments]
        with tempfile.TemporaryFile() as output:
            with subprocess.Popen(  # noqa: S603 - fixed arguments; hashes and paths are ours
                command, env=environment, stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=self.own,
            ) as process:  # fmt: skip
                try:
                    code = _bounded(process, output)
                finally:
                    process.kill()
            if code:
                raise _UnreadableError(f"git {arguments[0]} failed")
            output.seek(0)
            return output.read()


def _bounded(process: subprocess.Popen[bytes], output: object) -> int:
    """Copy what a process writes, up to a limit of bytes and of seconds."""
    import selectors  # noqa: PLC0415 - only here
    import time  # noqa: PLC0415 - only here

    assert process.stdout is not None  # noqa: S101 - it is a pipe
    end, size = time.monotonic() + _SECONDS, 0
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while True:
            left = end - time.monotonic()
            if left <= 0 or not selector.select(left):
                raise _UnreadableError("git took too long")
            chunk = os.read(process.stdout.fileno(), 1 << 16)
            if not chunk:
                break
            size += len(chunk)
            if size > _OUTPUT:
                raise _UnreadableError("git had too much to say")
            output.write(chunk)  # type: ignore[attr-defined]
    try:
        return process.wait(max(end - time.monotonic(), 0.1))
    except subprocess.TimeoutExpired:
        raise _UnreadableError("git took too long") from None


def _summary(
    git: _Git, head: str, files: Sequence[SubmissionFile], protected: Sequence[str]
) -> History:
    most = f"--max-count={_MOST_COMMITS}"
    lines = git.ask("log", most, "--format=%H %ct", "--no-show-signature", head, "--").split(b"\n")
    commits = [line.split() for line in lines if line]
    if not commits:
        raise _UnreadableError("there is no commit")
    blobs = _blobs(git.ask("ls-tree", "-r", "-z", "--full-tree", head))
    return History(
        head=head,
        commits=len(commits),
        first=min((date for commit in commits if (date := _date(commit[1]))), default=None),
        last=_date(commits[0][1]),
        touched=_touched(git, head, protected),
        differing=sum(
            blobs.get(file.path) != _blob(file.data)
            for file in files
            if file.path in blobs or file.path not in _ADDED
        ),
    )


def _date(text: bytes) -> dt.datetime | None:
    """A commit's date; None where it cannot be read, or is before Git was written."""
    try:
        date = dt.datetime.fromtimestamp(int(text), dt.UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return date if date >= _FIRST else None


def _blobs(listing: bytes) -> Mapping[str, str]:
    found = {}
    for line in listing.split(b"\0"):
        head, _, path = line.partition(b"\t")
        parts = head.split()
        if len(parts) == 3:  # noqa: PLR2004 - mode, kind, hash
            found[path.decode("utf-8", "replace")] = parts[2].decode("ascii", "replace")
    return found


def _blob(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def _touched(git: _Git, head: str, protected: Sequence[str]) -> tuple[str, ...]:
    """Protected files that some commit changed which is not a first one."""
    if not protected:
        return ()
    shown = git.ask(
        "log", f"--max-count={_MOST_COMMITS}", "--format=", "--name-only", "--no-renames", "-z",
        "--no-ext-diff", "--no-textconv", "--min-parents=1", "--no-show-signature", head, "--",
        *protected,
    )  # fmt: skip
    names = {name.strip(b"\n").decode("utf-8", "replace") for name in shown.split(b"\0")}
    return tuple(path for path in protected if path in names)
