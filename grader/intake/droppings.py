"""What tools, editors, office programs and systems leave behind: nobody grades it."""

from __future__ import annotations

import json
import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Environments", "kind_of_junk", "spellings"]

_FOLDERS = frozenset(
    b"__MACOSX __pycache__ node_modules bower_components venv .venv .git .hg .svn CVS .tox .nox "
    b".idea .vscode .vs .fleet .history .settings .spyproject .spyproject5 .eggs site-packages "
    b"dist-packages .conda .pixi .direnv .cache .ipynb_checkpoints .virtual_documents .jupyter "
    b".mypy_cache .ruff_cache .pytest_cache .hypothesis .pytype .pyre .Rproj.user .dropbox.cache "
    b".Trashes .Spotlight-V100 .fseventsd .TemporaryItems .AppleDouble $RECYCLE.BIN".split()
) | {b"System Volume Information"}
_FILES = frozenset(
    b".DS_Store Thumbs.db ehthumbs.db ehthumbs_vista.db desktop.ini Desktop.ini .directory "
    b".localized .apdisk .LSOverride .dropbox .dropbox.attr .Rhistory .RData .python_history "
    b".bash_history".split()
)
_DROPPINGS = (  # why it is there, and its names
    ("lock files of office programs", re.compile(rb"~\$.*|\.~lock\..*#", re.DOTALL)),
    (
        "backup and swap files of editors",
        re.compile(
            rb".*~|#.*#|\.#.*|\..*\.sw[a-p]|.*\.(bak|orig|rej)|\.goutputstream-.*", re.DOTALL
        ),
    ),
    (
        "files of file managers",
        re.compile(
            rb"Icon\r|\.Trash-\d+|\.nfs[0-9a-f]+|\.fuse_hidden.*|.*\.(lnk|webloc)", re.DOTALL
        ),
    ),
    ("conflicted copies", re.compile(rb".*conflicted copy.*", re.DOTALL | re.IGNORECASE)),
    (
        "screenshots",
        re.compile(
            rb"(screen ?shot|bildschirmfoto|capture d.{0,4}.cran|captura de pantalla)"
            rb".*\.(png|jpe?g|heic|webp)",
            re.DOTALL | re.IGNORECASE,
        ),
    ),
)
_OF_ENVIRONMENTS = (b"pyvenv.cfg", b"conda-meta/history", b"conda-meta")
# Parts of an environment that was made in the folder of the project itself
_ENVIRONMENT_PARTS = frozenset(
    b"bin lib lib64 include share etc man Scripts Lib Include conda-meta pyvenv.cfg".split()
)


def kind_of_junk(parts: Sequence[bytes], *, folder: bool) -> str | None:
    """The kind of junk that an entry is, or None.

    Args:
        parts: the segments of its name.
        folder: whether it is a folder.
    """
    *above, last = parts
    # A file of that name sends git elsewhere, and some systems tell no case apart.
    if any(part.lower() == b".git" for part in parts):
        return ".git/"
    for part in parts if folder else above:
        if part in _FOLDERS or part.endswith((b".egg-info", b".dist-info")):
            return f"{part.decode('ascii', 'backslashreplace')}/"
        if part.startswith(b".Trash-"):
            return "files of file managers"
    if folder:
        return None
    if last in _FILES:
        return last.decode()
    if last.startswith(b"._"):
        return "._* files"
    if last.endswith((b".pyc", b".pyo")):
        return "compiled Python files"
    if len(last) > 1000:  # noqa: PLR2004 - no name of a file, and patterns stay cheap
        return None
    return next((kind for kind, names in _DROPPINGS if names.fullmatch(last)), None)


class Environments:
    """Virtual environments under any name: folders that hold what the tools put into each."""

    def __init__(self) -> None:
        self._whole: set[bytes] = set()
        self._mixed: set[bytes] = set()  # made in the folder where the solution is

    def survey(self, names: Iterable[bytes]) -> None:
        """Find the environments among all names of a submission."""
        folders: set[bytes] = set()
        coded: set[bytes] = set()
        for name in names:
            plain = name.removeprefix(b"./")
            for mark in _OF_ENVIRONMENTS:
                if plain == mark or plain.endswith(b"/" + mark):
                    folders.add(plain[: -len(mark)].rstrip(b"/"))
            if plain.endswith((b".py", b".ipynb")):
                coded.add(plain.rpartition(b"/")[0])
        self._mixed |= {folder for folder in folders if folder in coded or not folder}
        self._whole |= folders - self._mixed

    def holding(self, parts: Sequence[bytes]) -> str | None:
        """What to call the environment that an entry is in, or None."""
        if not self._whole and not self._mixed:
            return None
        for end in range(len(parts) + 1):
            folder = b"/".join(parts[:end])
            if folder in self._whole:
                return f"{parts[end - 1].decode('utf-8', 'replace')!a}, a virtual environment"
            if folder in self._mixed and end < len(parts) and parts[end] in _ENVIRONMENT_PARTS:
                return "a virtual environment"
        return None


def spellings(segment: bytes) -> tuple[bytes, ...]:
    """How code may spell a part of a path: in both normal forms, and as JSON escapes it."""
    try:
        text = segment.decode("utf-8")
    except UnicodeDecodeError:
        return (segment,)
    forms = {text, *(unicodedata.normalize(form, text) for form in ("NFC", "NFD"))}
    escaped = {json.dumps(form)[1:-1] for form in forms}
    return tuple(form.encode("utf-8") for form in sorted(forms | escaped) if len(form) > 3)  # noqa: PLR2004 - shorter ones are everywhere
