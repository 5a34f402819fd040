"""Archives, folders and files that intake must refuse, or read as what they are.

Each maker gets an empty folder and returns the path of a submission in it. An expectation is
``REJECT(code)``, or ``SAME`` where the submission is accepted and the oddity does no harm.
"""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import os
import socket
import struct
import sys
import tarfile
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "unit"))
from archives import Item, member, padded, raw_header, tar_of, zip_of

if TYPE_CHECKING:
    from collections.abc import Callable

    Maker = Callable[[Path], Path]

ARCHIVES: dict[str, tuple[str, Maker]] = {}
SOLUTION = Item(b"solution.py")


def archive(expect: str) -> Callable[[Maker], Maker]:
    """Register a maker under its name."""

    def register(make: Maker) -> Maker:
        ARCHIVES[make.__name__.replace("_", "-")] = (expect, make)
        return make

    return register


def _bytes(name: str, about: str, expect: str, raw: Callable[[], bytes], suffix: str) -> None:
    def make(folder: Path) -> Path:
        path = folder / f"submission.{suffix}"
        path.write_bytes(raw())
        return path

    make.__doc__ = about
    ARCHIVES[name] = (expect, make)


def _zip(name: str, about: str, expect: str, *items: Item, **fields: object) -> None:
    _bytes(name, about, expect, lambda: zip_of(SOLUTION, *items, **fields), "zip")  # type: ignore[arg-type]


def _tar(name: str, about: str, expect: str, entry: str = "x", **fields: object) -> None:
    kind = tarfile.PAX_FORMAT
    _bytes(
        name, about, expect,
        lambda: tar_of(member("solution.py"), member(entry, b"", **fields), kind=kind), "tar",
    )  # fmt: skip


for _name, _entry in {
    "absolute-name": b"/etc/cron.d/x",
    "drive-letter": b"C:\\x\\y.py",
    "backslashes": b"a\\..\\..\\b.py",
    "climbs-out": b"../../x.py",
    "climbs-out-deep": b"a/b/../../../x.py",
    "nul-in-name": b"a.py\0.txt",
    "line-feed-in-name": b"a\nb.py",
    "option-as-name": b"-rf.py",
    "right-to-left-override": "x\u202eyp.py".encode(),
    "shell-in-name": b"$(reboot).py",
    "formula-as-name": b"=1+1.py",
    "markup-in-name": b"<img src=x onerror=alert(1)>.py",
    "escape-in-name": b"\x1b[2J.py",
    "template-in-name": b"{{7*7}}.py",
    "not-ascii": "caf\u00e9.py".encode(),
    "not-utf-8": b"a\xff.py",
    "trailing-dot": b"solution.py.",
    "workflow-command-as-name": b"::set-output name=score::100.py",
}.items():
    _zip(_name, f"The entry {_entry!a}.", "REJECT(bad-name)", Item(_entry))

for _name, _entry in {  # nobody grades them: left out, with a note that shows the name escaped
    "option-left-out": b"-rf",
    "right-to-left-left-out": "x\u202eyp.txt".encode(),
    "workflow-command-left-out": b"::set-output name=score::100",
    "escape-left-out": b"\x1b[2J",
    "markup-left-out": b"<img src=x onerror=alert(1)>",
}.items():
    _zip(_name, f"The entry {_entry!a}.", "SAME", Item(_entry))

_zip("link-as-code", "A module that is a link to a file of the host.", "REJECT(symlink)",
     Item(b"helper.py", b"/etc/passwd", mode=0o120777))  # fmt: skip
_zip("file-behind-a-link", "A link, and a file in the folder that it names.", "REJECT(symlink)",
     Item(b"a", b"/etc", mode=0o120777), Item(b"a/passwd"))  # fmt: skip

_zip("case-collision", "Solution.py beside solution.py.", "REJECT(collision)", Item(b"Solution.py"))
_zip("folder-case-collision", "a/x and A/y.", "REJECT(collision)", Item(b"a/x"), Item(b"A/y"))
_zip("duplicate", "solution.py twice.", "REJECT(duplicate-name)", Item(b"solution.py"))
_zip("file-and-folder", "A file that is a folder.", "REJECT(file-and-folder)",
     Item(b"solution.py/x"))  # fmt: skip
_zip("symlink", "A link to a file of the host.", "SAME",
     Item(b"link", b"/etc/passwd", mode=0o120777))  # fmt: skip
_zip("fifo", "A named pipe.", "SAME", Item(b"pipe", b"", mode=0o010644))
_zip("encrypted", "An encrypted entry.", "REJECT(encrypted)", Item(b"x", flags=1))
_zip("aes", "An entry with AES.", "REJECT(encrypted)", Item(b"x", method=99))
_zip("odd-method", "An entry packed with LZMA.", "REJECT(unsupported)", Item(b"x", method=14))
_zip("two-names", "One name outside, another inside.", "REJECT(name-mismatch)",
     Item(b"x", local_name=b"y"))  # fmt: skip
_zip("wrong-checksum", "A checksum that does not fit.", "REJECT(damaged)", Item(b"x", crc=1))
_zip("lying-size", "Declares fewer bytes than there are.", "REJECT(damaged)", Item(b"x", size=2))
_zip("shared-data", "Two entries on one local header.", "REJECT(overlap)", Item(b"x", offset=0))
_zip("into-the-directory", "Data that reaches into the directory.", "REJECT(overlap)",
     Item(b"x", method=0, packed=40, size=40))  # fmt: skip
_zip("zip64-sizes", "A size of 2**64-1.", "REJECT(too-large)",
     Item(b"x", size=0xFFFFFFFF, extra=b"\1\0\x08\0" + b"\xff" * 8))  # fmt: skip
_zip("zip64-end-record", "An end record that counts 65,535.", "REJECT(unsupported)", total=0xFFFF)
_zip("hidden-entries", "Counts fewer entries than there are.", "REJECT(damaged)",
     Item(b"x"), total=1)  # fmt: skip
_zip("bomb", "300 MB of zeros in 300 kB.", "REJECT(too-large)", Item(b"x", bytes(300 << 20)))
_zip(
    "bomb-below-the-limit", "30 MB of zeros in 30 kB.", "REJECT(ratio)", Item(b"x", bytes(30 << 20))
)
_zip("deep-path", "2,000 folders deep.", "REJECT(depth)", Item(b"d/" * 2000 + b"f.py"))
_zip("long-path", "A name of 1,000 bytes.", "SAME", Item(b"x" * 1000))
_zip("many-entries", "5,000 empty files.", "REJECT(too-many-files)",
     *(Item(b"f%d" % n, b"") for n in range(5000)))  # fmt: skip
_zip("nested-archive", "An archive in the archive stays one file.", "SAME",
     Item(b"inner.zip", zip_of(Item(b"../x"), Item(b"y"))))  # fmt: skip
_zip("set-user-id-bits", "Mode bits are not taken over.", "SAME", Item(b"x", mode=0o106755))
_zip("comment-with-markup", "A comment is not read.", "SAME", comment=b"<script>alert(1)</script>")
_zip("pickle", "A model that runs code when it is loaded; nobody loads it.", "SAME",
     Item(b"model.pkl", b"cos\nsystem\n(S'touch /tmp/pwned'\ntR."))  # fmt: skip

_tar("tar-hard-link", "A hard link to a file of the host.", "SAME",
     type=tarfile.LNKTYPE, linkname="/etc/passwd")  # fmt: skip
_tar("tar-symlink", "A link out of the archive.", "SAME",
     type=tarfile.SYMTYPE, linkname="../../etc")  # fmt: skip
_tar("tar-fifo", "A pipe named like an answer.", "SAME", "answers.csv",
     type=tarfile.FIFOTYPE)  # fmt: skip
_tar("tar-device", "A character device.", "SAME",
     type=tarfile.CHRTYPE, devmajor=1, devminor=5)  # fmt: skip
_tar("tar-block-device", "A block device.", "SAME", type=tarfile.BLKTYPE)
_tar("tar-sparse", "A sparse file.", "SAME", type=b"S")
_tar("tar-renamed-by-pax", "An extended header gives another name.", "REJECT(bad-name)",
     pax_headers={"path": "../../x"})  # fmt: skip
_tar("tar-unknown-kind", "A kind that no unpacker knows.", "SAME", type=b"Z")
_bytes("tar-global-header", "A header that renames all entries.", "REJECT(damaged)",
       lambda: raw_header(b"x", b"g", 10) + padded(b"10 path=a\n"), "tar")  # fmt: skip
_bytes("tar-header-bomb", "An extended header of a megabyte.", "REJECT(damaged)",
       lambda: raw_header(b"x", b"x", 1 << 20) + bytes(1 << 20), "tar")  # fmt: skip
_bytes("tar-cut-off", "An archive that ends in the middle.", "REJECT(damaged)",
       lambda: tar_of(member("solution.py", b"x" * 2000))[:1500], "tar")  # fmt: skip
for _name, _pack in {"gzip": gzip.compress, "bzip2": bz2.compress, "xz": lzma.compress}.items():
    _bytes(f"{_name}-bomb", "Hundreds of megabytes of zeros in a stream.", "REJECT(ratio)",
           lambda pack=_pack: pack(bytes(512 << 20), 1) if pack is not lzma.compress
           else pack(bytes(512 << 20), preset=0), "tar")  # fmt: skip
_bytes("gzip-many-streams", "Thousands of empty streams.", "REJECT(damaged)",
       lambda: gzip.compress(b"") * 20_000, "tar.gz")  # fmt: skip
_bytes("rar-by-another-name", "A rar called zip.", "REJECT(not-an-archive)",
       lambda: b"Rar!\x1a\x07\x00" + bytes(200), "zip")  # fmt: skip
_bytes("program", "A program called zip.", "REJECT(not-an-archive)",
       lambda: b"\x7fELF" + bytes(300), "zip")  # fmt: skip
_bytes("empty-file", "No bytes.", "REJECT(empty)", lambda: b"", "zip")
_bytes("empty-zip", "No entries.", "REJECT(empty)", zip_of, "zip")


def _prefixed() -> bytes:
    out = io.BytesIO(b"#!/bin/sh\nexec true\n" + bytes(100))
    out.seek(0, os.SEEK_END)
    with zipfile.ZipFile(out, "a") as file:
        file.writestr("solution.py", "x = 1\n")
    return out.getvalue()


_bytes("polyglot", "A shell script that is a zip as well.", "REJECT(not-an-archive)", _prefixed,
       "zip")  # fmt: skip


def _two_directories() -> bytes:
    first = zip_of(Item(b"solution.py", b"good = 1\n"))
    return first + zip_of(Item(b"solution.py", b"evil = 1\n"))


_bytes("two-archives-in-one", "Two archives one after the other.", "REJECT(damaged)",
       _two_directories, "zip")  # fmt: skip


def _comment_holds_an_end() -> bytes:
    inner = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0, 0, 0, 0, 0)
    return zip_of(SOLUTION, comment=inner)


_bytes("second-end-record", "An end record in the comment.", "REJECT(damaged)",
       _comment_holds_an_end, "zip")  # fmt: skip


def _end_that_others_find() -> bytes:
    evil = bytearray(zip_of(Item(b"solution.py", b"evil = 1\n")))
    struct.pack_into("<H", evil, len(evil) - 2, 7)  # tells of a comment that is not there
    return zip_of(Item(b"solution.py", b"good = 1\n"), comment=bytes(evil))


_bytes("end-record-that-others-find", "A whole archive in the comment, which zipfile reads.",
       "REJECT(damaged)", _end_that_others_find, "zip")  # fmt: skip
_RENAMED = struct.pack("<BL", 1, zlib.crc32(b"good.py")) + b"evil.py"
_zip("renamed-by-an-extra-field", "A Unicode path of another name, which unzip goes by.",
     "REJECT(name-mismatch)",
     Item(b"good.py", extra=struct.pack("<2H", 0x7075, len(_RENAMED)) + _RENAMED))  # fmt: skip
_zip("entry-between-entries", "An entry that only who reads from the start sees.",
     "REJECT(damaged)", Item(b"x", after=zip_of(Item(b"evil.py"))[:50]))  # fmt: skip
_zip("git-file", "A .git file that names a folder with a configuration.", "SAME",
     Item(b".git", b"gitdir: docs\n"), Item(b"docs/config", b"[core]\n\tfsmonitor = evil\n"),
     Item(b"docs/HEAD", b"ref: refs/heads/main\n"))  # fmt: skip
_zip("git-in-capitals", "A .GIT folder, which is .git where case is not told apart.", "SAME",
     Item(b".GIT/config", b"[core]\n\tfsmonitor = evil\n"))  # fmt: skip
_zip("bare-repository", "A folder that is a repository.", "REJECT(repository)",
     Item(b"docs/HEAD", b"ref: refs/heads/main\n"), Item(b"docs/objects/x"),
     Item(b"docs/refs/x"), Item(b"docs/config", b"[core]\n\tbare = false\n"))  # fmt: skip
_zip("windows-device", "A name that is a device on Windows.", "SAME",
     Item(b"NUL"))  # fmt: skip


@archive("SAME")
def folder_with_link(folder: Path) -> Path:
    """A folder with a link to a file of the host."""
    (folder / "solution.py").write_text("x = 1\n")
    (folder / "data.csv").symlink_to("/etc/passwd")
    return folder


@archive("SAME")
def folder_link_to_folder(folder: Path) -> Path:
    """A folder with a link to the root."""
    (folder / "solution.py").write_text("x = 1\n")
    (folder / "all").symlink_to("/")
    return folder


@archive("SAME")
def folder_with_pipe(folder: Path) -> Path:
    """A folder with a pipe, which would block a reader for ever."""
    (folder / "solution.py").write_text("x = 1\n")
    os.mkfifo(folder / "answers.csv")
    return folder


@archive("SAME")
def folder_with_socket(folder: Path) -> Path:
    """A folder with a socket."""
    (folder / "solution.py").write_text("x = 1\n")
    with socket.socket(socket.AF_UNIX) as server:
        here = Path.cwd()
        os.chdir(folder)  # the name of a socket is short
        try:
            server.bind("s")
        finally:
            os.chdir(here)
    return folder


@archive("REJECT(bad-name)")
def folder_with_odd_name(folder: Path) -> Path:
    """A folder with a line feed in a name."""
    (folder / "solution.py").write_text("x = 1\n")
    (folder / "a\nb.py").write_text("x = 1\n")
    return folder


@archive("REJECT(special-file)")
def pipe_as_submission(folder: Path) -> Path:
    """A pipe in place of an archive."""
    path = folder / "submission.zip"
    os.mkfifo(path)
    return path


@archive("SAME")
def git_folder_with_hooks(folder: Path) -> Path:
    """A repository whose configuration and hooks run code; intake never calls git."""
    (folder / "solution.py").write_text("x = 1\n")
    git = folder / ".git"
    (git / "hooks").mkdir(parents=True)
    (git / "config").write_text('[core]\n\tfsmonitor = "touch /tmp/pwned"\n\tpager = evil\n')
    (git / "hooks" / "post-checkout").write_text("#!/bin/sh\ntouch /tmp/pwned\n")
    return folder


@archive("REJECT(no-solution)")
def no_solution(folder: Path) -> Path:
    """Files, and none of them the one that was asked for."""
    (folder / "main.py").write_text("x = 1\n")
    return folder


def _notebook(folder: Path, text: str) -> Path:
    path = folder / "solution.ipynb"
    path.write_text(text)
    return path


@archive("REJECT(notebook-damaged)")
def notebook_of_deep_json(folder: Path) -> Path:
    """A notebook of 100,000 nested lists."""
    return _notebook(folder, "[" * 100_000 + "]" * 100_000)


@archive("REJECT(notebook-version)")
def notebook_that_is_none(folder: Path) -> Path:
    """JSON that only looks like a notebook."""
    return _notebook(folder, json.dumps({"nbformat": "four", "cells": 7}))
