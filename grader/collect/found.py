"""What lies in a folder of submissions, whoever laid it out.

Known layouts:

``classroom``
    ``<slug>-submissions/<slug>-<username>``, as ``gh classroom clone student-repos`` clones them.
``classroom50``
    ``<classroom>-<assignment>_submissions_<time>/<classroom>-<assignment>-<username>``, as
    ``gh teacher download`` does, or any folder with the ``scores.csv`` that it writes.
``gradescope``
    ``submission_<id>`` folders beside ``submission_metadata.yml``.
``plain``
    one folder or archive a candidate; a folder that holds archives only stands for each of them.
"""

from __future__ import annotations

import csv
import datetime as dt
import os
import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import yaml

from grader.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

__all__ = ["HANDED_IN_BY_MISTAKE", "Found", "find"]

# Kinds that cannot be graded, and that somebody means as a submission all the same.
HANDED_IN_BY_MISTAKE = (
    ".7z", ".rar", ".gz", ".bz2", ".xz", ".zst", ".ipynb.json", ".ipynb.txt", ".py.txt", ".docx",
    ".pdf", ".html",
)  # fmt: skip

_ARCHIVE = re.compile(r"\.(zip|tar|tgz|tbz2?|txz|tar\.(gz|bz2|xz)|py|ipynb)$", re.IGNORECASE)
_SUFFIXES = re.compile(
    r"(\.(zip|tar|tgz|tbz2?|txz|gz|bz2|xz|zst|7z|rar|py|ipynb|json|txt|docx|pdf|html))+$",
    re.IGNORECASE,
)
_CLASSROOM = re.compile(r"(?P<slug>.+)-submissions")
_CLASSROOM50 = re.compile(r"(?P<slug>.+)_submissions_\d{4}_\d\d_\d\d_T_\d\d_\d\d_\d\d")
# <name>_<participant>_assignsubmission_file_ and <name>_<LATE>_<user>_<submission>_<file>
_MOODLE = re.compile(r"(?P<name>.+?)_(?P<number>\d+)_assignsubmission_(?:file|onlinetext)_?.*")
_CANVAS = re.compile(r"(?P<name>[^_]+)_(?:LATE_)?(?P<number>\d+)_\d+_.+")
_SCORES = "scores.csv"
_METADATA = "submission_metadata.yml"
_DROPPINGS = frozenset({"__MACOSX", "Thumbs.db", "desktop.ini", _SCORES, _METADATA})
_METADATA_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Found:
    """One submission.

    Attributes:
        path: a folder, an archive or a file.
        handle: what its name says about whose it is.
        layout: which of the layouts it was found in.
        names: further names of whose it is: e-mail address, number, name.
        submitted: when, as far as the layout tells.
        clock: whose word that is: ``gradescope`` or ``file``.
        username: the very user name, where the layout tells it.
        number: of whose it is, where the layout tells it.
        unknown: a kind of file that nobody hands in; it counts where it is somebody's.
        doubt: why it may be somebody else's.
    """

    path: Path
    handle: str
    layout: str
    names: tuple[str, ...] = ()
    submitted: dt.datetime | None = None
    clock: str = ""
    username: str = ""
    doubt: str = ""
    number: str = ""
    unknown: bool = False


def find(folder: Path) -> tuple[Found, ...]:
    """List the submissions of a folder, in name order.

    Raises:
        UsageError: there is none, or Gradescope's metadata cannot be read.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder; give the one that holds the submissions")
    if (folder / _METADATA).is_file():
        found = tuple(_gradescope(folder))
    else:
        inner = [path for path in _folders(folder) if _slug(path)[0]]
        if not _slug(folder)[0] and len(inner) == 1 and len(_folders(folder)) == 1:
            return find(inner[0])
        layout, slug = _slug(folder)
        if not layout and (folder / _SCORES).is_file():
            layout = "classroom50"
        found = tuple(_plain(folder, layout or "plain", slug))
    if not any(
        not item.unknown or item.path.name.lower().endswith(HANDED_IN_BY_MISTAKE) for item in found
    ):
        raise UsageError(
            f"{folder} holds no submission: no folder, zip, tar archive, .py or .ipynb file"
        )
    return found


def _slug(folder: Path) -> tuple[str, str]:
    name = folder.resolve().name
    for layout, pattern in (("classroom50", _CLASSROOM50), ("classroom", _CLASSROOM)):
        if match := pattern.fullmatch(name):
            return layout, match["slug"]
    return "", ""


def _folders(folder: Path) -> list[Path]:
    return [path for path in _visible(folder) if path.is_dir() and not path.is_symlink()]


def _visible(folder: Path) -> list[Path]:
    return sorted(
        path
        for path in folder.iterdir()
        if not path.name.startswith((".", "~$")) and path.name not in _DROPPINGS
    )


def _plain(folder: Path, layout: str, slug: str) -> Iterator[Found]:
    listed = _listed(folder / _SCORES) if layout == "classroom50" and not slug else ()
    for path in _visible(folder):
        handle = _ARCHIVE.sub("", path.name)
        if not path.is_dir():
            handle = _SUFFIXES.sub("", path.name)
        name = _after(handle, slug) if slug else _ending(handle, listed)
        handle, names, number = (name, (), "") if name else _of_a_platform(handle)
        told = partial(
            Found, handle=handle, layout=layout, username=name, names=names, number=number
        )
        if path.is_symlink() or not path.is_dir():
            readable = _ARCHIVE.search(path.name) and path.is_file() and not path.is_symlink()
            moment = None if path.is_symlink() else _changed(path)
            yield told(path, submitted=moment, clock="file" if moment else "", unknown=not readable)
            continue
        inside = _visible(path)
        archives = [
            p for p in inside if p.is_file() and not p.is_symlink() and _ARCHIVE.search(p.name)
        ]
        packed = [p for p in archives if p.suffix not in {".py", ".ipynb"}]
        if packed and len(packed) == len(inside):
            yield from (told(p, submitted=_changed(p), clock="file") for p in packed)
        else:
            yield told(path)  # an empty one is refused with that reason


def _of_a_platform(handle: str) -> tuple[str, tuple[str, ...], str]:
    """Handle, names and number in the name that Moodle or Canvas gives a download."""
    for pattern in (_MOODLE, _CANVAS):
        if match := pattern.fullmatch(handle):
            return match["name"], (match["number"], match["name"]), match["number"]
    return handle, (), ""


def _after(name: str, slug: str) -> str:
    """The user name in ``<slug>-<username>``, or nothing."""
    prefix = f"{slug}-"
    return name[len(prefix) :] if name.lower().startswith(prefix.lower()) else ""


def _ending(name: str, listed: Iterable[str]) -> str:
    """The longest of some user names that ``<something>-<username>`` ends with, or nothing."""
    fitting = [user for user in listed if name.lower().endswith(f"-{user.lower()}")]
    return max(fitting, key=len, default="")


def _listed(scores: Path) -> list[str]:
    """The user names that Classroom 50's table lists: of all who submitted, on a roster or not."""
    try:
        with scores.open(encoding="utf-8-sig", newline="") as file:
            names = [(row.get("username") or "").strip() for row in csv.DictReader(file)]
    except (OSError, UnicodeDecodeError, csv.Error):
        return []
    return [name for name in names if name]


def _changed(path: Path) -> dt.datetime:
    return dt.datetime.fromtimestamp(int(path.stat().st_mtime), dt.UTC)


class _Loader(yaml.SafeLoader):
    """Plain data only; a tag of another program's is read as the data below it."""


def _untagged(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> object:
    del suffix
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_scalar(node) if isinstance(node, yaml.ScalarNode) else None


_Loader.add_multi_constructor("!", _untagged)


def _gradescope(folder: Path) -> Iterator[Found]:
    path = folder / _METADATA
    try:
        if path.stat().st_size > _METADATA_BYTES:
            raise UsageError(f"{path} is too large to be Gradescope's")
        metadata = yaml.load(path.read_text("utf-8"), _Loader)  # noqa: S506 - a safe loader
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from error
    if not isinstance(metadata, dict):
        raise UsageError(f"{path} is not what Gradescope writes: no mapping of submissions")
    for name, record in sorted(metadata.items(), key=lambda item: str(item[0])):
        place = folder / str(name)
        if os.sep in str(name) or not place.exists() or not isinstance(record, dict):
            continue
        people = [_person(item) for item in record.get(":submitters") or ()]
        for names in people or [()]:
            handle = names[0] if names else str(name)
            submitted = _time(record.get(":created_at"))
            yield Found(
                place, handle, "gradescope", names, submitted, "gradescope",
                number=_sid(record, names),
            )  # fmt: skip


def _person(item: Any) -> tuple[str, ...]:  # noqa: ANN401 - YAML of another program
    if not isinstance(item, dict):
        return ()
    values = (item.get(f":{key}") for key in ("email", "sid", "name"))
    return tuple(str(value) for value in values if value)


def _sid(record: dict[str, Any], names: tuple[str, ...]) -> str:
    """The SID of the submitter who goes by these names."""
    for item in record.get(":submitters") or ():
        if isinstance(item, dict) and _person(item) == names:
            return str(item.get(":sid") or "")
    return ""


def _time(value: object) -> dt.datetime | None:
    if isinstance(value, str):
        try:
            value = dt.datetime.fromisoformat(value.replace(" UTC", "+00:00"))
        except ValueError:
            return None
    if not isinstance(value, dt.datetime):
        return None
    return value if value.tzinfo else value.replace(tzinfo=dt.UTC)
