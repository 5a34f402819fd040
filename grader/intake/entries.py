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
from grader.intake.droppings import Environments, kind_of_junk, spellings

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = [
    "MAX_DEPTH",
    "MAX_RATIO",
    "RATIO_FREE",
    "Basket",
    "check_ratio",
    "plain_path",
    "reject",
    "shown",
]

MAX_DEPTH = 16
MAX_NAME_BYTES = 240
MAX_RATIO = 200
RATIO_FREE = 8 << 20  # below this many bytes no ratio is suspicious
_MOST_ENTRIES = 200_000  # left-out ones included
_NAMED = 3  # in one note

# ASCII only: one name is then one name under every normal form. No segment starts with a character
# that an option parser or a spreadsheet acts on; none ends in what Windows drops.
_SEGMENT = re.compile(rb"[A-Za-z0-9._(\[]([A-Za-z0-9._ @+=,()\[\]-]*[A-Za-z0-9_@+=,()\[\]-])?")
_DRIVE = re.compile(rb"[A-Za-z]:")
# What Windows takes for a device. With a suffix only old ones do, and aux.py is an honest name.
_DEVICE = re.compile(rb"con|prn|aux|nul|com[0-9]|lpt[0-9]", re.IGNORECASE)
_SUFFIXES = (b".py", b".pyw", b".pyi", b".ipynb")
_MARKER = b"assessment.toml"


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


def plain_path(text: str) -> str | None:
    """A relative path that would pass as a file of a submission, or None."""
    raw = text.encode("utf-8", "replace")
    parts = raw.split(b"/")
    plain = raw and b".." not in parts and not _oddity(raw, parts)
    return None if not plain or kind_of_junk(parts, folder=False) else text


class Basket:
    """Collects the files of one submission and enforces the rules on each.

    A file that nobody grades is left out with a note where its name or kind is odd. What may be
    graded (Python files, notebooks, the marker) is refused then, and so is what is dangerous
    (a path that leads out) or what two unpackers could read differently.

    Args:
        max_files: most entries that are kept, folders included.
        max_bytes: most bytes in all files that are kept.
        max_file_bytes: most bytes in one of them.
    """

    def __init__(self, max_files: int, max_bytes: int, max_file_bytes: int) -> None:
        self.max_files = max_files
        self.max_bytes = max_bytes
        self.max_file_bytes = max_file_bytes
        self.files: dict[str, bytes] = {}
        self._entries = self._skipped = 0
        self._bytes = 0
        self._junk: Counter[str] = Counter()  # left out
        self._odd: dict[str, list[bytes]] = {}  # why → names left out
        self._named: dict[bytes, bytes] = {}  # odd segment → the first name that has it
        self._links: set[bytes] = set()
        self._counted: Counter[bytes] = Counter()  # by folder
        self._spelling: dict[str, str] = {}  # casefolded path of a file or folder → as written
        self._folders: set[str] = set()
        self._environments = Environments()

    def survey(self, names: Iterable[bytes]) -> None:
        """Look for virtual environments, before anything is counted."""
        self._environments.survey(names)

    def looks_into(self, raw: bytes) -> bool:
        """Whether a folder that was left out may hold what is graded."""
        parts = _segments(raw)
        return len(parts) <= MAX_DEPTH and not self._kind_of_junk(parts, folder=True)

    def leaves_out(self, raw: bytes) -> bool:
        """Whether an entry of that name is left out."""
        folder = raw.endswith(b"/")
        parts = _segments(raw)
        return bool(not parts or self._kind_of_junk(parts, folder=folder)) or (
            not _is_graded(parts, folder=folder) and bool(_oddity(raw, parts))
        )

    def count(self, raw: bytes, size: int) -> bool:
        """Count an entry of `size` bytes, before any of its bytes is looked at.

        Returns:
            False for what is left out; it counts for no limit but that of all entries.
        """
        if self.leaves_out(raw):
            self._skipped += 1
            if self._skipped > _MOST_ENTRIES:
                raise SubmissionRejected(
                    "too-many-files", f"the submission has more than {_MOST_ENTRIES:,} entries"
                )
            return False
        self._entries += 1
        self._bytes += size
        self._counted[b"/".join(_segments(raw)[:-1][:2])] += 1
        if self._entries > self.max_files:
            where, most = self._counted.most_common(1)[0]
            hint = f" ({most} of them are in {shown(where)}: leave that out)" if where else ""
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
        return True

    def name(
        self, raw: bytes, *, folder: bool = False, odd: tuple[str, str] | None = None
    ) -> str | None:
        """Check a name.

        Args:
            raw: the name as it stands in the archive.
            folder: whether it is a folder's.
            odd: code and problem of an entry that is no regular file.

        Returns:
            The path with "/" between its segments, or None for what is left out.
        """
        parts = _structure(raw, folder=folder)
        if junk := self._kind_of_junk(parts, folder=folder):
            self._junk[junk] += 1
            return None
        code, problem = odd or _oddity(raw, parts) or ("", "")
        if code:
            if _is_graded(parts, folder=folder):
                reject(code, raw, problem)
            if code in {"symlink", "hardlink"}:
                self._links.add(b"/".join(parts).lower())
            elif code == "bad-name":
                self._named.setdefault(next(part for part in parts if _is_odd(part)), raw)
            if code != "bad-name" or not folder:  # what is in the folder is named itself
                self._odd.setdefault(_WHY[code], []).append(raw)
            return None
        path = b"/".join(parts).decode("ascii")
        self._place(raw, path, parts, folder=folder)
        return path

    def add(self, path: str, data: bytes) -> None:
        """Keep a file under a path that `name` returned."""
        self.files[path] = data

    def close(self) -> None:
        """Hold that nothing that was left out changes what the rest means.

        Raises:
            SubmissionRejected: a file stands where a link was, or the code names a left-out file.
        """
        for path in self.files:
            parts = path.lower().encode().split(b"/")
            for end in range(1, len(parts) + 1):
                if b"/".join(parts[:end]) in self._links:
                    reject("symlink", path, "is behind a link of the same name; pack it again")
        code = [d for p, d in self.files.items() if p.endswith((".py", ".ipynb"))]
        for segment, raw in list(self._named.items())[:_SEARCHED]:
            spelled = spellings(segment)
            if any(form in data for data in code for form in spelled):
                reject("bad-name", raw, f"is named in the code, and {_RENAME}, there too")

    def notes(self) -> tuple[str, ...]:
        """What was left out, one sentence a kind."""
        junk = (
            f"left out {what} ({_entries(count)})" for what, count in sorted(self._junk.items())
        )
        odd = (
            f"left out {_listed(names)}, {_IS[len(names) > 1]} {why}"
            for why, names in sorted(self._odd.items())
        )
        return (*junk, *odd)

    def _kind_of_junk(self, parts: Sequence[bytes], *, folder: bool) -> str | None:
        return kind_of_junk(parts, folder=folder) or self._environments.holding(parts)

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


_SEARCHED = 20  # odd names that are looked for in the code
_RENAME = "rename it with letters, digits and ._- (a space, @+=,()[] inside are fine)"
_IS = ("which is", "which are")
_WHY = {
    "bad-name": "named with characters that are not allowed here",
    "name-length": "too long a path",
    "depth": "too deep in folders",
    "symlink": "no regular file but a link",
    "hardlink": "no regular file but a link",
    "special-file": "no regular file",
}


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
    return parts


def _segments(raw: bytes) -> list[bytes]:
    return [part for part in raw.removesuffix(b"/").split(b"/") if part != b"."]


def _is_graded(parts: Sequence[bytes], *, folder: bool) -> bool:
    """Whether a file may be run, imported or read as the submission's code or marker."""
    # Windows and some unpackers drop what stands at the end of these.
    last = parts[-1].strip(b" .").lower()
    return not folder and (last.endswith(_SUFFIXES) or last == _MARKER)


def _oddity(raw: bytes, parts: Sequence[bytes]) -> tuple[str, str] | None:
    """Code and problem of a name that not every system and tool takes."""
    if len(parts) > MAX_DEPTH:
        return "depth", f"is more than {MAX_DEPTH} folders deep; flatten the folders"
    if len(raw) > MAX_NAME_BYTES:
        return "name-length", f"has a path of more than {MAX_NAME_BYTES} bytes; shorten it"
    for part in parts:
        if _DEVICE.fullmatch(part):
            return "bad-name", f"is a device on Windows ({part.decode()}); rename it"
        if not _SEGMENT.fullmatch(part):
            return "bad-name", f"has a character that is not allowed: {_RENAME}"
    return None


def _is_odd(part: bytes) -> bool:
    return not _SEGMENT.fullmatch(part) or bool(_DEVICE.fullmatch(part))


def _listed(names: Sequence[bytes]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(shown(name) for name in names[:_NAMED]) + more


def _entries(count: int) -> str:
    return "1 entry" if count == 1 else f"{count} entries"


def _mib(size: int) -> str:
    return f"{size / (1 << 20):g} MiB" if size >= 1 << 20 else f"{size:,} bytes"
