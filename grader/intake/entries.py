"""What every entry of a submission must satisfy, whichever kind of container it came in.

Nothing is ever written to disk, so a hostile name harms nobody here. The rules make sure that the
same submission means the same on every system, and that a name is harmless in a shell, a table, a
page or a terminal later on.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, NoReturn

from grader.errors import SubmissionRejected

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "MAX_DEPTH",
    "MAX_RATIO",
    "RATIO_FREE",
    "Basket",
    "check_ratio",
    "is_left_out",
    "reject",
    "shown",
]

MAX_DEPTH = 16
MAX_NAME_BYTES = 240
MAX_RATIO = 200
RATIO_FREE = 8 << 20  # below this many bytes no ratio is suspicious

# ASCII only: one name is then one name under every normal form. No segment starts with a character
# that an option parser or a spreadsheet acts on; none ends in what Windows drops.
_SEGMENT = re.compile(r"[A-Za-z0-9._(\[]([A-Za-z0-9._ @+=,()\[\]-]*[A-Za-z0-9_@+=,()\[\]-])?")
_DRIVE = re.compile(rb"[A-Za-z]:")

_JUNK_FOLDERS = frozenset(
    b"__MACOSX __pycache__ node_modules venv .venv .git .hg .svn .tox .nox .idea .vscode .eggs "
    b".ipynb_checkpoints .mypy_cache .ruff_cache .pytest_cache .hypothesis".split()
)
_JUNK_FILES = frozenset([b".DS_Store", b"Thumbs.db", b"desktop.ini"])

# What Windows takes for a device. With a suffix only old ones do, and aux.py is an honest name.
_DEVICE = re.compile(r"con|prn|aux|nul|com[0-9]|lpt[0-9]", re.IGNORECASE)


def shown(raw: bytes | str) -> str:
    """An entry's name for a message: ASCII, quoted, escaped and short."""
    text = raw.decode("utf-8", "backslashreplace") if isinstance(raw, bytes) else raw
    return ascii(text if len(text) <= 80 else f"{text[:60]}...{text[-15:]}")  # noqa: PLR2004


def reject(code: str, raw: bytes | str, problem: str) -> NoReturn:
    """Raise `SubmissionRejected` about one entry; `problem` also says how to mend it."""
    raise SubmissionRejected(code, f"{shown(raw)} {problem}")


def check_ratio(raw: bytes | str, packed: int, unpacked: int) -> None:
    """Reject what unpacks to more than `MAX_RATIO` times its packed size."""
    if unpacked > RATIO_FREE and unpacked > MAX_RATIO * max(packed, 1):
        reject(
            "ratio",
            raw,
            f"unpacks to more than {MAX_RATIO} times its size, like an archive bomb; "
            "send less repetitive data or leave it out",
        )


def is_left_out(raw: bytes) -> bool:
    """Whether an entry of that name is left out."""
    folder = raw.endswith(b"/")
    return _junk(raw.removesuffix(b"/").split(b"/"), folder=folder) is not None


class Basket:
    """Collects the files of one submission and enforces the rules on each.

    Args:
        max_files: most entries, folders and left-out ones included.
        max_bytes: most bytes in all, left-out files included.
        max_file_bytes: most bytes in one file.
    """

    def __init__(self, max_files: int, max_bytes: int, max_file_bytes: int) -> None:
        self.max_files = max_files
        self.max_bytes = max_bytes
        self.max_file_bytes = max_file_bytes
        self.files: dict[str, bytes] = {}
        self._entries = 0
        self._bytes = 0
        self._junk: Counter[str] = Counter()  # left out
        self._counted: Counter[str] = Counter()  # will be left out, if it gets that far
        self._spelling: dict[str, str] = {}  # casefolded path of a file or folder → as written
        self._folders: set[str] = set()

    def count(self, raw: bytes, size: int) -> None:
        """Count an entry of `size` bytes, before any of its bytes is looked at."""
        self._entries += 1
        self._bytes += size
        if junk := _junk(raw.split(b"/"), folder=False):
            self._counted[junk] += 1
        if self._entries > self.max_files:
            most = self._counted.most_common(1)
            hint = f" ({most[0][1]} of them are {most[0][0]}: leave that out)" if most else ""
            raise SubmissionRejected(
                "too-many-files",
                f"the submission holds more than {self.max_files} files and folders{hint}",
            )
        if size > self.max_file_bytes:
            reject("too-large", raw, f"is larger than {_mib(self.max_file_bytes)}; leave it out")
        if self._bytes > self.max_bytes:
            raise SubmissionRejected(
                "too-large",
                f"the submission holds more than {_mib(self.max_bytes)} (passed at {shown(raw)}); "
                "leave out data, environments and build products",
            )

    def name(self, raw: bytes, *, folder: bool = False) -> str | None:
        """Check a name.

        Returns:
            The path with "/" between its segments, or None for what is left out (caches, version
            control, environments, what operating systems add).
        """
        parts = _structure(raw, folder=folder)
        if junk := _junk(parts, folder=folder):
            self._junk[junk] += 1
            return None
        path = "/".join(_segment(raw, part) for part in parts)
        self._place(raw, path, parts, folder=folder)
        return path

    def add(self, path: str, data: bytes) -> None:
        """Keep a file under a path that `name` returned."""
        self.files[path] = data

    def notes(self) -> tuple[str, ...]:
        """What was left out, one sentence a kind."""
        return tuple(
            f"left out {what} ({count} {'entry' if count == 1 else 'entries'})"
            for what, count in sorted(self._junk.items())
        )

    def _place(self, raw: bytes, path: str, parts: list[bytes], *, folder: bool) -> None:
        above = ["/".join(p.decode() for p in parts[:i]) for i in range(1, len(parts))]
        for known in [*above, path]:
            other = self._spelling.setdefault(known.casefold(), known)
            if other != known:
                reject("collision", raw, f"and {shown(other)} differ in case only; rename one")
        for parent in above:
            if parent in self.files:
                reject("file-and-folder", raw, f"is inside {shown(parent)}, which is a file")
        self._folders.update(above)
        if folder:
            if path in self.files:
                reject("file-and-folder", raw, "is a file and a folder; rename one")
            self._folders.add(path)
        elif path in self._folders:
            reject("file-and-folder", raw, "is a file and a folder; rename one")
        elif path in self.files:
            reject("duplicate-name", raw, "is in the archive twice; pack it again")
        else:
            self.files[path] = b""  # taken


def _structure(raw: bytes, *, folder: bool) -> list[bytes]:
    """The segments of a name that is plain and relative, whatever characters it holds."""
    fix = "use a plain relative name"
    if b"\0" in raw:
        reject("bad-name", raw, f"holds a NUL character; {fix}")
    if b"\\" in raw:
        reject("bad-name", raw, f"holds a backslash; {fix}")
    if raw.startswith(b"/") or _DRIVE.match(raw):
        reject("bad-name", raw, f"is an absolute path; {fix}")
    trimmed = raw.removesuffix(b"/") if folder else raw
    parts = [part for part in trimmed.split(b"/") if part != b"."]
    if not parts or b"" in parts:
        reject("bad-name", raw, f"has an empty segment; {fix}")
    if b".." in parts:
        reject("bad-name", raw, f"climbs out of its folder; {fix}")
    if len(parts) > MAX_DEPTH:
        reject("depth", raw, f"is more than {MAX_DEPTH} folders deep; flatten the folders")
    if len(raw) > MAX_NAME_BYTES:
        reject("name-length", raw, f"has a path of more than {MAX_NAME_BYTES} bytes; shorten it")
    return parts


def _junk(parts: Iterable[bytes], *, folder: bool) -> str | None:
    """The kind of junk that an entry is, or None."""
    *above, last = parts
    # A file of that name sends git elsewhere, and some systems tell no case apart.
    if any(part.lower() == b".git" for part in (*above, last)):
        return ".git/"
    for part in [*above, last] if folder else above:
        if part in _JUNK_FOLDERS or part.endswith(b".egg-info"):
            return f"{part.decode('ascii', 'backslashreplace')}/"
    if folder:
        return None
    if last in _JUNK_FILES:
        return last.decode()
    if last.startswith(b"._"):
        return "._* files"
    return "compiled Python files" if last.endswith((b".pyc", b".pyo")) else None


def _segment(raw: bytes, part: bytes) -> str:
    text = part.decode("ascii", "replace")
    if not _SEGMENT.fullmatch(text):
        reject(
            "bad-name",
            raw,
            "has a character that is not allowed: rename it with letters, digits and ._- "
            "(a space, @+=,()[] inside are fine)",
        )
    if _DEVICE.fullmatch(text):
        reject("bad-name", raw, f"is a device on Windows ({text}); rename it")
    return text


def _mib(size: int) -> str:
    return f"{size / (1 << 20):g} MiB" if size >= 1 << 20 else f"{size:,} bytes"
