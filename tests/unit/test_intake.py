from __future__ import annotations

import bz2
import dataclasses
import gzip
import io
import lzma
import os
import shutil
import socket
import struct
import subprocess
import sys
import tarfile
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grader.errors import SubmissionRejected, UsageError
from grader.intake import entries
from grader.intake import submission as intake
from grader.intake.submission import digest_of, told_apart
from grader.models import Submission, SubmissionFile
from grader.record.graded import pack_files

sys.path.insert(0, str(Path(__file__).parent))
from archives import Item, member, padded, raw_header, tar_of, zip_of

if TYPE_CHECKING:
    from collections.abc import Callable

SOLUTION = Item(b"solution.py")
MIB = 1 << 20


def read_submission(path: Path, *, entry: str = "solution.py", **limits: Any) -> Submission:
    return intake.for_entry(intake.read_submission(path, **limits), entry)


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Submission]:
    def read_bytes(raw: bytes, name: str = "s.zip", **limits: Any) -> Submission:
        path = tmp_path / name
        path.write_bytes(raw)
        return read_submission(path, **limits)

    return read_bytes


@pytest.fixture
def code(read: Callable[..., Submission]) -> Callable[..., str]:
    def code_of(raw: bytes, name: str = "s.zip", **limits: Any) -> str:
        with pytest.raises(SubmissionRejected) as caught:
            read(raw, name, **limits)
        assert str(caught.value).isascii()
        assert str(caught.value).isprintable()
        return caught.value.code

    return code_of


def paths(submission: Submission) -> list[str]:
    return [file.path for file in submission.files]


# What is accepted


def test_a_zip_from_the_standard_library_is_read(read: Callable[..., Submission]) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("src/", "")
        file.writestr("src/helper.py", "y = 2\n")
        file.writestr("solution.py", "x = 1\n" * 1000)
    assert [(f.path, len(f.data)) for f in read(out.getvalue()).files] == [
        ("solution.py", 6000),
        ("src/helper.py", 6),
    ]


def test_a_zip_whose_sizes_follow_the_data_is_read(read: Callable[..., Submission]) -> None:
    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.data = b""

        def writable(self) -> bool:
            return True

        def write(self, data: Any) -> int:
            self.data += bytes(data)
            return len(data)

    out = Pipe()
    with (
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file,
        file.open(  # type: ignore[arg-type]
            "solution.py", "w", force_zip64=True
        ) as target,
    ):
        target.write(b"x = 1\n")
    assert read(out.data).files[0].data == b"x = 1\n"


def test_a_tar_member_that_is_a_folder_to_some_programs_is_refused(
    read: Callable[..., Submission],
) -> None:
    hidden = raw_header(b"solution.py", b"0", 6) + padded(b"x = 2\n")
    raw = raw_header(b"d/", b"0", len(hidden)) + hidden + tar_of(member("solution.py"))
    with pytest.raises(SubmissionRejected, match="a folder has content"):
        read(raw)


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress])
@pytest.mark.parametrize("kind", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT, tarfile.USTAR_FORMAT])
def test_tar_archives_are_read_in_every_format(
    read: Callable[..., Submission], pack: Callable[[bytes], bytes], kind: int
) -> None:
    deep = "/".join(["folder_with_a_name"] * 8) + "/helper.py"
    raw = tar_of(member("solution.py", b"x" * 700), member(deep), kind=kind)
    submission = read(pack(raw), "s.bin")
    assert {f.path: len(f.data) for f in submission.files} == {"solution.py": 700, deep: 6}


def test_several_gzip_streams_are_one(read: Callable[..., Submission]) -> None:
    raw = tar_of(member("solution.py"))
    packed = gzip.compress(raw[:700]) + gzip.compress(raw[700:]) + bytes(30)
    assert paths(read(packed)) == ["solution.py"]


def test_a_large_compressible_file_streams_through(read: Callable[..., Submission]) -> None:
    data = os.urandom(1000) * 300
    raw = tar_of(member("solution.py"), member("data.bin", data))
    for pack in (gzip.compress, bz2.compress, lzma.compress):
        assert read(pack(raw)).files[0].data == data


def test_a_leading_dot_segment_is_dropped(read: Callable[..., Submission]) -> None:
    raw = tar_of(member("./", b"", type=tarfile.DIRTYPE), member("./solution.py"))
    assert paths(read(raw)) == ["solution.py"]


def test_the_kind_is_decided_by_content_not_by_name(read: Callable[..., Submission]) -> None:
    assert paths(read(zip_of(SOLUTION), "s.tar.gz")) == ["solution.py"]
    assert paths(read(tar_of(member("solution.py")), "s.zip")) == ["solution.py"]


def test_a_single_python_file_is_stored_under_the_entrys_name(
    read: Callable[..., Submission],
) -> None:
    submission = read(b"x = 1\n", "My Solution.py")
    assert paths(submission) == ["solution.py"]
    assert submission.notes == ("'My Solution.py' was a single file; graded as solution.py",)


def test_another_entry_name_can_be_asked_for(read: Callable[..., Submission]) -> None:
    assert paths(read(zip_of(Item(b"main.py")), entry="main.py")) == ["main.py"]


def test_setuid_bits_are_ignored(read: Callable[..., Submission]) -> None:
    assert paths(read(zip_of(Item(b"solution.py", mode=0o104755)))) == ["solution.py"]
    assert paths(read(tar_of(member("solution.py", mode=0o6755)))) == ["solution.py"]


def test_nested_archives_are_opaque_files(read: Callable[..., Submission]) -> None:
    inner = zip_of(Item(b"../../etc/passwd"))
    submission = read(zip_of(SOLUTION, Item(b"inner.zip", inner)))
    assert submission.files[0].data == inner


def test_a_zip_comment_is_ignored(read: Callable[..., Submission]) -> None:
    assert paths(read(zip_of(SOLUTION, comment=b"PK and hello"))) == ["solution.py"]


@pytest.mark.parametrize(
    "name",
    [
        "my notes (1).txt",
        "a+b=c,d[0].csv",
        "me@home.txt",
        ".gitignore",
        "_x/__init__.py",
        "console.py",
        "null.py",
        "com10.txt",
        "x.aux",
        "auxiliary/con_x",
    ],
)
def test_names_that_people_use_are_accepted(read: Callable[..., Submission], name: str) -> None:
    assert name in paths(read(zip_of(SOLUTION, Item(name.encode()))))


# What is left out, taken off, noted


def test_what_tools_leave_behind_is_left_out_with_a_note(read: Callable[..., Submission]) -> None:
    junk = [b"__MACOSX/._x.py", b".DS_Store", b".git/HEAD", b"a/__pycache__/x.pyc", b"x.pyc"]
    submission = read(zip_of(SOLUTION, *(Item(name) for name in junk)))
    assert paths(submission) == ["solution.py"]
    assert "left out .git/ (1 entry)" in submission.notes
    assert len(submission.notes) == 5


def test_odd_names_and_links_in_folders_that_are_left_out_do_no_harm(
    read: Callable[..., Submission],
) -> None:
    odd = Item("__MACOSX/caf\u00e9.py".encode())
    link = Item(b".venv/bin/python", b"/usr/bin/python3", mode=0o120777)
    assert paths(read(zip_of(SOLUTION, odd, link))) == ["solution.py"]


@pytest.mark.parametrize("name", [b".git", b".GIT/config", b".Git", b"a/.gIt", b"a/.GIT/b/c"])
def test_git_is_left_out_as_a_file_and_in_any_case(
    read: Callable[..., Submission], tmp_path: Path, name: bytes
) -> None:
    submission = read(zip_of(SOLUTION, Item(name, b"gitdir: docs")))
    assert (paths(submission), submission.notes) == (
        ["solution.py"],
        ("left out .git/ (1 entry)",),
    )
    assert paths(read(tar_of(member("solution.py"), member(name.decode())))) == ["solution.py"]
    place = tmp_path / "folder" / name.decode()
    place.parent.mkdir(parents=True)
    place.write_text("gitdir: docs")
    (tmp_path / "folder" / "solution.py").write_text("x = 1\n")
    assert paths(read_submission(tmp_path / "folder")) == ["solution.py"]


@pytest.mark.parametrize("top", [b"", b"docs/", b"a/B/"])
@pytest.mark.parametrize(
    "names", [(b"HEAD", b"objects/x", b"refs/x"), (b"head", b"commondir"),
              (b"HEAD", b"config", b"Objects/x/y", b"REFS/y")],
)  # fmt: skip
def test_a_repository_without_a_checkout_is_refused(
    code: Callable[..., str], top: bytes, names: tuple[bytes, ...]
) -> None:
    assert code(zip_of(SOLUTION, *(Item(top + name) for name in names))) == "repository"


def test_names_that_a_repository_has_too_are_accepted(read: Callable[..., Submission]) -> None:
    names = [b"HEAD", b"config", b"refs/x", b"a/objects/x", b"b/commondir"]
    assert len(paths(read(zip_of(SOLUTION, *(Item(name) for name in names))))) == 6


def test_what_is_left_out_counts_for_no_limit_but_that_of_all_entries(
    read: Callable[..., Submission], code: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    junk = [Item(b".git/%d" % i) for i in range(20)]
    assert paths(read(zip_of(SOLUTION, *junk), max_files=10)) == ["solution.py"]
    large = Item(b".git/x", bytes(9 * MIB))
    assert paths(read(zip_of(SOLUTION, large), max_bytes=500)) == ["solution.py"]
    tar = tar_of(member("solution.py"), member(".git/x", bytes(9 * MIB)))
    assert paths(read(tar, max_bytes=500)) == ["solution.py"]
    monkeypatch.setattr(entries, "_MOST_ENTRIES", 15)
    assert code(zip_of(SOLUTION, *junk)) == "too-many-files"


@pytest.mark.parametrize("name", ["env", "my env", "umgebung/\u00fc", ".e"])
@pytest.mark.parametrize("mark", ["pyvenv.cfg", "conda-meta/history"])
def test_an_environment_is_left_out_under_any_name(
    read: Callable[..., Submission], tmp_path: Path, name: str, mark: str
) -> None:
    inside = [f"lib/python3.12/site-packages/p{n}/x.py" for n in range(300)]
    names = [f"{name}/{inner}" for inner in (*inside, "bin/python", mark, "x/b\u00e9.py")]
    packed = zip_of(*(Item(f"top/{n}".encode()) for n in (*names, "solution.py")))
    assert paths(read(packed, max_files=20)) == ["solution.py"]
    packed = gzip.compress(tar_of(*(member(f"./{n}") for n in (*names, "solution.py"))))
    assert paths(read(packed, max_files=20)) == ["solution.py"]
    for inner in (*names, "solution.py"):
        (tmp_path / "f" / inner).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "f" / inner).write_text("x = 1\n")
    submission = read_submission(tmp_path / "f", max_files=20)
    assert paths(submission) == ["solution.py"]
    assert "a virtual environment" in submission.notes[0]


def test_an_environment_in_the_projects_own_folder_takes_nothing_else_along(
    read: Callable[..., Submission], tmp_path: Path
) -> None:
    names = ["pyvenv.cfg", "bin/python", "lib/x.py", "solution.py", "src/a.py"]
    assert paths(read(zip_of(*(Item(n.encode()) for n in names)))) == ["solution.py", "src/a.py"]
    for inner in names:
        (tmp_path / "f" / inner).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "f" / inner).write_text("x = 1\n")
    assert paths(read_submission(tmp_path / "f")) == ["solution.py", "src/a.py"]


@pytest.mark.parametrize(
    "name",
    [
        "~$notes.docx", ".~lock.notes.odt#", "solution.py~", ".solution.py.swp", "#solution.py#",
        ".#solution.py", "solution.py.orig", "solution.py.bak", "Icon\r", ".directory", "._x.py",
        ".DS_Store", "a/Thumbs.db", "Screenshot 2026-05-01 at 10.00.00\u202fAM.png", "x.lnk",
        "$RECYCLE.BIN/x.py", "System Volume Information/x", ".Trash-1000/files/solution.py",
        "solution (Sam's conflicted copy 2026-05-01).py", ".vs/x", ".nfs0001",
    ],
)  # fmt: skip
def test_droppings_are_left_out_with_a_note(read: Callable[..., Submission], name: str) -> None:
    submission = read(zip_of(SOLUTION, Item(name.encode())))
    assert paths(submission) == ["solution.py"]
    assert submission.notes[0].startswith("left out ")


@pytest.mark.parametrize(
    "name",
    [b"-rf", b"x/-rf", "x\u202eyp.txt".encode(), b"+x", b"@x", b"x.", b"a;b", b"`id`", b"~x",
     b"NUL", b"CON", b"a/COM1/b", b"lpt9", b"a\nb", b"x" * 300, b"d/" * 40 + b"f",
     b"Sam's & my notes.txt",
     "donn\u00e9es/lisez-moi.md".encode(), "donne\u0301es/x.csv".encode(), b"donn\x82es/x.csv"],
)  # fmt: skip
def test_files_of_odd_names_that_nobody_grades_are_left_out(
    read: Callable[..., Submission], name: bytes
) -> None:
    submission = read(zip_of(SOLUTION, Item(name)))
    assert paths(submission) == ["solution.py"]
    (note,) = submission.notes
    assert note.startswith("left out ")
    assert note.isascii()
    assert note.isprintable()


def test_a_name_that_two_places_of_an_archive_spell_in_two_ways_is_left_out_too(
    read: Callable[..., Submission],
) -> None:
    odd = Item(b"donn\x82es.md", extra=upath("donn\u00e9es.md".encode(), of=b"donn\x82es.md"))
    assert paths(read(zip_of(SOLUTION, odd))) == ["solution.py"]


@pytest.mark.parametrize(
    ("code_of", "name"),
    [
        ("open('donn\u00e9es/x.csv')", "donn\u00e9es/x.csv"),
        ("open('donn\u00e9es/x.csv')", "donne\u0301es/x.csv"),
        ("open('Sam\u2019s notes.txt')", "Sam\u2019s notes.txt"),
    ],
)
def test_a_file_of_an_odd_name_that_the_code_names_is_refused(
    read: Callable[..., Submission], code_of: str, name: str
) -> None:
    with pytest.raises(SubmissionRejected, match="is named in the code, and rename it") as caught:
        read(zip_of(Item(b"solution.py", code_of.encode()), Item(name.encode())))
    assert caught.value.code == "bad-name"


LINK, HARD = tarfile.SYMTYPE, tarfile.LNKTYPE


@pytest.mark.parametrize(
    "fields",
    [
        {"type": LINK, "linkname": "/etc/passwd"},
        {"type": LINK, "linkname": "../../somewhere"},
        {"type": HARD, "linkname": "solution.py"},
        {"type": tarfile.FIFOTYPE},
        {"type": tarfile.CHRTYPE, "devmajor": 1, "devminor": 5},
        {"type": tarfile.BLKTYPE},
    ],
)
def test_links_and_devices_that_nobody_grades_are_left_out(
    read: Callable[..., Submission], fields: dict[str, Any]
) -> None:
    submission = read(tar_of(member("solution.py"), member("data/x", b"", **fields)))
    assert paths(submission) == ["solution.py"]
    assert submission.notes[0].startswith("left out 'data/x', which is no regular file")


def test_a_link_that_is_graded_or_that_a_file_stands_behind_is_refused(
    code: Callable[..., str],
) -> None:
    link = {"type": LINK, "linkname": "x"}
    assert code(tar_of(member("solution.py", b"", **link))) == "symlink"
    assert code(tar_of(member("solution.py"), member("a/b.ipynb", b"", **link))) == "symlink"
    assert code(tar_of(member("solution.py"), member("a", b"", **link), member("a/x"))) == "symlink"
    assert code(tar_of(member("solution.py"), member("a"), member("A", b"", **link))) == "symlink"
    linked = Item(b"a", b"/", mode=0o120777)
    assert code(zip_of(SOLUTION, linked, Item(b"a/b.py"))) == "symlink"


def test_backslashes_of_old_tools_on_windows_separate(read: Callable[..., Submission]) -> None:
    items = [Item(b"solution.py"), Item(b"data\\x.csv"), Item(b"data\\", b"")]
    assert paths(read(zip_of(*items))) == ["data/x.csv", "solution.py"]


@pytest.mark.parametrize(
    "names", [[b"a\\b.py", b"a/b.py"], [b"a\\b.py", b"data/x"], [b"a/b\\c.txt"]]
)
def test_backslashes_beside_slashes_are_refused(
    code: Callable[..., str], names: list[bytes]
) -> None:
    assert code(zip_of(SOLUTION, *map(Item, names))) == "bad-name"


@pytest.mark.parametrize("name", [b"/", b"./"])
def test_an_entry_for_the_root_is_passed_over(
    read: Callable[..., Submission], code: Callable[..., str], name: bytes
) -> None:
    assert paths(read(zip_of(Item(name, b"", mode=0), SOLUTION))) == ["solution.py"]
    assert code(zip_of(Item(name, b"x", mode=0), SOLUTION)) in {"bad-name", "special-file"}


def test_an_archive_larger_than_all_limits_is_read_for_what_is_kept(
    read: Callable[..., Submission], code: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    junk = member("venv/x", os.urandom(3 * MIB))
    packed = gzip.compress(tar_of(junk, member("solution.py")))
    assert paths(read(packed, max_bytes=100)) == ["solution.py"]
    monkeypatch.setattr(intake, "_UNPACKED_BYTES", 2 * MIB)
    assert code(packed) == "too-large"
    monkeypatch.setattr(intake, "_ARCHIVE_BYTES", 2 * MIB)
    assert code(packed) == "too-large"


def test_a_top_folder_that_holds_everything_is_taken_off(read: Callable[..., Submission]) -> None:
    submission = read(zip_of(Item(b"repo-main/solution.py"), Item(b"repo-main/src/a.py")))
    assert paths(submission) == ["solution.py", "src/a.py"]
    assert submission.notes == ("took off the top folder 'repo-main'",)


def test_two_top_folders_one_in_the_other_are_taken_off(read: Callable[..., Submission]) -> None:
    submission = read(zip_of(Item(b"a/b/solution.py"), Item(b"__MACOSX/a/._b")))
    assert paths(submission) == ["solution.py"]


def test_the_marker_names_the_exercise(read: Callable[..., Submission]) -> None:
    marker = Item(b"assessment.toml", b'exercise = "imputation"\nversion = "1.0"\n')
    submission = read(zip_of(SOLUTION, marker))
    assert submission.exercise_id == "imputation"
    assert submission.notes == ("assessment.toml names the exercise imputation, version 1.0",)


@pytest.mark.parametrize(
    "marker",
    [
        b"",
        b"exercise = 1",
        b'exercise = "../x"',
        b"\xff",
        b"exercise",
        b"a = " + b"[" * 5000,
        b"#" * 9000 + b'\nexercise = "imputation"',
    ],
)
def test_a_broken_marker_is_a_note(read: Callable[..., Submission], marker: bytes) -> None:
    submission = read(zip_of(SOLUTION, Item(b"assessment.toml", marker)))
    assert submission.exercise_id is None
    assert submission.notes[-1].startswith("assessment.toml was ignored")


# Digest and name


def test_the_digest_does_not_depend_on_the_container(
    read: Callable[..., Submission], tmp_path: Path
) -> None:
    folder = tmp_path / "f"
    folder.mkdir()
    (folder / "solution.py").write_bytes(b"x = 1\n")
    (folder / "a.csv").write_bytes(b"1")
    digests = {
        read(zip_of(SOLUTION, Item(b"a.csv", b"1"))).digest,
        read(zip_of(Item(b"a.csv", b"1", method=0), SOLUTION)).digest,
        read(tar_of(member("top/a.csv", b"1"), member("top/solution.py"))).digest,
        read_submission(folder).digest,
    }
    assert len(digests) == 1


def test_the_digest_frames_paths_and_bytes() -> None:
    assert digest_of((SubmissionFile("a", b"bc"),)) != digest_of((SubmissionFile("ab", b"c"),))
    assert digest_of((SubmissionFile("a", b""), SubmissionFile("b", b""))) != digest_of(
        (SubmissionFile("a", b"b"),)
    )


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("jane doe.zip", "jane-doe"),
        ("x.tar.gz", "x"),
        ("-rf.zip", "rf"),
        (".zip", "submission"),
        ("=1+1.zip", "1-1"),
        ("\u202e\u00e9.zip", "submission"),
        ("a" * 90 + ".zip", "a" * 60),
    ],
)
def test_the_display_name_is_plain(read: Callable[..., Submission], file: str, name: str) -> None:
    assert read(zip_of(SOLUTION), file).name == name


# What is refused

CAFE = "caf\u00e9.py".encode()


@pytest.mark.parametrize(
    "name",
    [
        b"/etc/cron.d/x", b"C:\\x\\y.py", b"C:x.py", b"a\\..\\..\\b.py", b"../x.py", b"a/../../x",
        b"a.py\0.txt", b"a\nb.py", b"x\n.ipynb", b"-rf.py", "x\u202eyp.py".encode(),
        b"$(reboot).py", b"=1+1.py", b"<img src=x onerror=alert(1)>.py", b"a//b.py", b" x.py",
        b"x.py ", b"x.py.", b"X.PY .", b"", b"\x1b[2J.py", CAFE, b"a\xff.py", b"{{7*7}}.py", b"..",
        b".git/../../x", b"__MACOSX/a\0b", b"CON/x.py", b" assessment.toml",
    ],
)  # fmt: skip
def test_hostile_names_are_refused(code: Callable[..., str], name: bytes) -> None:
    assert code(zip_of(SOLUTION, Item(name))) == "bad-name"


@pytest.mark.parametrize("name", [b"aux.py", b"con.csv", b"null.py", b"com.py"])
def test_names_that_begin_like_a_device_are_kept(
    read: Callable[..., Submission], name: bytes
) -> None:
    assert name.decode() in paths(read(zip_of(SOLUTION, Item(name))))


@pytest.mark.parametrize("name", ["/etc/x", "../x", "a\nb.py", "-rf.py", "caf\u00e9.py", "a\\b"])
def test_hostile_names_in_a_tar_are_refused(code: Callable[..., str], name: str) -> None:
    assert code(tar_of(member("solution.py"), member(name))) == "bad-name"


def test_a_nul_in_an_extended_name_is_refused(code: Callable[..., str]) -> None:
    body = b"a.py\0.txt"
    raw = raw_header(b"x", b"L", len(body)) + padded(body) + raw_header(b"y", b"0", 0)
    assert code(raw + bytes(1024)) == "bad-name"


def test_deep_and_long_names_are_refused(code: Callable[..., str]) -> None:
    assert code(zip_of(SOLUTION, Item(b"d/" * 2000 + b"f.py"))) == "depth"
    assert code(zip_of(SOLUTION, Item(b"x" * 300 + b".py"))) == "name-length"
    assert code(tar_of(member("d/" * 2000 + "f.py"))) == "depth"


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        (Item(b"solution.py"), "duplicate-name"),
        (Item(b"./solution.py"), "duplicate-name"),
        (Item(b"Solution.py"), "collision"),
        (Item(b"solution.py/x"), "file-and-folder"),
        (Item(b"solution.py/", b"", mode=0o040755), "file-and-folder"),
        (Item(b"link.py", b"/etc/passwd", mode=0o120777), "symlink"),
        (Item(b"pipe.py", b"", mode=0o010644), "special-file"),
        (Item(b"device.py", b"", mode=0o020644), "special-file"),
        (Item(b"folder.py", b"", mode=0o040755), "special-file"),
        (Item(b"x", flags=1), "encrypted"),
        (Item(b"x", method=99), "encrypted"),
        (Item(b"x", method=12), "unsupported"),
        (Item(b"x", local_name=b"y"), "name-mismatch"),
        (Item(b"x", crc=1), "damaged"),
        (Item(b"x", size=5), "damaged"),
        (Item(b"x", size=7), "damaged"),
        (Item(b"x", local_size=7), "damaged"),
        (Item(b"x", local_method=0), "damaged"),
        (Item(b"x", packed=10**6), "damaged"),
        (Item(b"x", payload=b"\xff\xff\xff"), "damaged"),
        (Item(b"x", offset=0), "overlap"),
        (Item(b"x", offset=5), "damaged"),
        (Item(b"x", offset=2**31), "damaged"),
        (Item(b"x", size=0xFFFFFFFF, extra=b"\1\0\x08\0" + b"\xff" * 8), "too-large"),
        (Item(b"x", size=0xFFFFFFFF, extra=b"\1\0\x08\0"), "damaged"),
    ],
)
def test_each_kind_of_bad_zip_entry_has_its_code(
    code: Callable[..., str], second: Item, expected: str
) -> None:
    assert code(zip_of(SOLUTION, second)) == expected


def upath(name: bytes, of: bytes = b"good.py") -> bytes:
    """Info-ZIP's extra field with an entry's name in Unicode."""
    body = struct.pack("<BL", 1, zlib.crc32(of)) + name
    return struct.pack("<2H", 0x7075, len(body)) + body


def wide(*values: int) -> bytes:
    """A zip64 extra field."""
    return struct.pack(f"<2H{len(values)}Q", 1, 8 * len(values), *values)


PIECE = Item(b"good.py", b"x = 1\n", method=0)
CRC = zlib.crc32(b"x = 1\n")
TOLD = struct.pack("<3L", CRC, 6, 6)
TOLD_WIDE = struct.pack("<L2Q", CRC, 6, 6)
HIDDEN = zip_of(PIECE)[: 30 + 7 + 6]  # an entry's header and content
FOLLOWS = {"flags": 8, "local_crc": 0, "local_packed": 0, "local_size": 0}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"extra": upath(b"evil.py")}, "name-mismatch"),
        ({"local_extra": upath(b"evil.py")}, "name-mismatch"),
        ({"extra": upath(b"evil.py", of=b"other")}, "name-mismatch"),
        ({"name": b".git/x", "extra": upath(b"evil.py")}, "name-mismatch"),
        ({"name": b".git/x", "local_name": b"evil.py"}, "name-mismatch"),
        ({"extra": wide(99, 99)}, "damaged"),
        ({"local_extra": wide(99, 99), "local_size": 0xFFFFFFFF}, "damaged"),
        ({"extra": b"\x75\x70\xff\0x"}, "damaged"),
        ({**FOLLOWS, "local_size": 2, "after": TOLD}, "damaged"),
        ({**FOLLOWS, "local_crc": 7, "after": TOLD}, "damaged"),
        ({"flags": 8, "after": TOLD[:-1] + b"x"}, "damaged"),
        ({"after": TOLD}, "damaged"),  # no flag says that it follows
        ({"after": b"\0"}, "damaged"),
        ({"after": HIDDEN}, "damaged"),
        ({**FOLLOWS, "after": TOLD + HIDDEN}, "damaged"),
    ],
)
def test_what_two_unpackers_could_read_differently_is_refused(
    code: Callable[..., str], changes: dict[str, Any], expected: str
) -> None:
    odd = dataclasses.replace(PIECE, **changes)
    assert code(zip_of(SOLUTION, odd)) == expected
    assert code(zip_of(odd, SOLUTION)) == expected


@pytest.mark.parametrize(
    "changes",
    [
        {"extra": upath(b"good.py"), "local_extra": upath(b"good.py")},
        {"extra": b"UT\5\0\1abcd", "local_extra": b"UT\x09\0\3abcdabcd\0\0\0"},
        {**FOLLOWS, "after": TOLD},
        {**FOLLOWS, "after": b"PK\7\x08" + TOLD},
        {**FOLLOWS, "after": TOLD_WIDE},
        {**FOLLOWS, "after": b"PK\7\x08" + TOLD_WIDE},
        {**FOLLOWS, "local_size": 6, "local_packed": 6, "after": TOLD},
        {"local_size": 0xFFFFFFFF, "local_packed": 0xFFFFFFFF, "local_extra": wide(6, 6)},
        {
            **FOLLOWS,
            "local_size": 0xFFFFFFFF,
            "local_packed": 0xFFFFFFFF,
            "local_extra": wide(0, 0),
            "after": TOLD_WIDE,
        },
    ],
)
def test_what_honest_packers_write_besides_is_accepted(
    read: Callable[..., Submission], changes: dict[str, Any]
) -> None:
    odd = dataclasses.replace(PIECE, **changes)
    assert paths(read(zip_of(SOLUTION, odd))) == ["good.py", "solution.py"]
    assert paths(read(zip_of(odd, SOLUTION))) == ["good.py", "solution.py"]


def test_entries_before_the_first_are_refused(code: Callable[..., str]) -> None:
    whole = zip_of(SOLUTION)
    directory = whole.index(b"PK\1\2")
    shifted = bytearray(HIDDEN + whole)
    struct.pack_into("<L", shifted, len(HIDDEN) + directory + 42, len(HIDDEN))
    struct.pack_into("<L", shifted, len(shifted) - 6, len(HIDDEN) + directory)
    assert code(bytes(shifted)) == "damaged"


def test_a_second_end_record_behind_the_first_is_refused(code: Callable[..., str]) -> None:
    evil = bytearray(zip_of(Item(b"solution.py", b"evil = 1\n")))
    struct.pack_into("<H", evil, len(evil) - 2, 7)  # a comment that is not there
    assert code(zip_of(SOLUTION, comment=bytes(evil))) == "damaged"
    assert code(zip_of(SOLUTION, comment=b"PK\5\6")) == "damaged"


def test_an_end_record_inside_a_file_is_content(read: Callable[..., Submission]) -> None:
    inner = Item(b"inner.zip", zip_of(SOLUTION), method=0)
    assert paths(read(zip_of(SOLUTION, inner))) == ["inner.zip", "solution.py"]


@pytest.mark.skipif(shutil.which("zip") is None, reason="Info-ZIP's zip is not installed")
@pytest.mark.parametrize("options", [["-r"], ["-r", "-0"], ["-r", "-fd"], ["-rD"]])
def test_what_info_zip_packs_is_read(tmp_path: Path, options: list[str]) -> None:
    (tmp_path / "f" / "src").mkdir(parents=True)
    (tmp_path / "f" / "solution.py").write_text("x = 1\n" * 100)
    (tmp_path / "f" / "src" / "a.py").write_text("")
    with (tmp_path / "out.zip").open("wb") as out:  # a stream: sizes follow
        command = ["zip", "-q", *options, "-", "solution.py", "src"]
        subprocess.run(command, cwd=tmp_path / "f", stdout=out, check=True)
    subprocess.run(
        ["zip", "-q", *options, str(tmp_path / "second.zip"), "solution.py", "src"],
        cwd=tmp_path / "f", check=True,
    )  # fmt: skip
    for name in ("out.zip", "second.zip"):
        assert paths(read_submission(tmp_path / name)) == ["solution.py", "src/a.py"]


def test_many_entries_that_are_a_bomb_together_are_refused(code: Callable[..., str]) -> None:
    pieces = [Item(b"n%d.txt" % n, bytes(4 << 20)) for n in range(4)]
    assert code(zip_of(SOLUTION, *pieces)) == "ratio"


def test_what_was_graded_can_be_graded_again(read: Callable[..., Submission]) -> None:
    pieces = tuple(SubmissionFile(f"n{n}.txt", bytes(1 << 20)) for n in range(12))
    packed = pack_files((SubmissionFile("solution.py", b"x = 1\n"), *pieces))
    assert len(read(packed).files) == 13


def test_entries_that_share_a_local_header_overlap(code: Callable[..., str]) -> None:
    again = Item(b"solution.py", offset=0)
    assert code(zip_of(SOLUTION, again)) == "overlap"


def test_an_entry_inside_anothers_bytes_overlaps(code: Callable[..., str]) -> None:
    inner = zip_of(Item(b"inner.py", method=0))
    quine = Item(b"solution.py", inner, method=0)
    start = 30 + len(b"solution.py")
    assert code(zip_of(quine, Item(b"inner.py", method=0, offset=start))) == "overlap"


def test_an_entry_that_reaches_into_the_directory_overlaps(code: Callable[..., str]) -> None:
    assert code(zip_of(SOLUTION, Item(b"x", method=0, packed=40, size=40))) == "overlap"


@pytest.mark.parametrize("cut", [1, 10, 22, 30, 60])
def test_a_zip_that_is_cut_off_is_damaged(code: Callable[..., str], cut: int) -> None:
    assert code(zip_of(SOLUTION)[:-cut]) == "damaged"


def test_a_directory_that_counts_wrongly_is_damaged(code: Callable[..., str]) -> None:
    assert code(zip_of(SOLUTION, Item(b"x"), total=1)) == "damaged"
    assert code(zip_of(SOLUTION, total=2)) == "damaged"


def test_a_zip64_end_record_is_unsupported(code: Callable[..., str]) -> None:
    assert code(zip_of(SOLUTION, total=0xFFFF)) == "unsupported"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"type": tarfile.SYMTYPE, "linkname": "/etc/passwd"}, "symlink"),
        ({"type": tarfile.LNKTYPE, "linkname": "solution.py"}, "hardlink"),
        ({"type": tarfile.FIFOTYPE}, "special-file"),
        ({"type": tarfile.CHRTYPE, "devmajor": 1, "devminor": 5}, "special-file"),
        ({"type": tarfile.BLKTYPE}, "special-file"),
        ({"type": b"S"}, "special-file"),
        ({"type": b"Z"}, "special-file"),
        ({"pax_headers": {"GNU.sparse.major": "1"}}, "special-file"),
        ({"pax_headers": {"path": "../../x"}}, "bad-name"),
    ],
)
def test_each_kind_of_bad_tar_member_has_its_code(
    code: Callable[..., str], fields: dict[str, Any], expected: str
) -> None:
    raw = tar_of(member("solution.py"), member("x.py", b"", **fields), kind=tarfile.PAX_FORMAT)
    assert code(raw) == expected


@pytest.mark.parametrize(
    "raw",
    [
        tar_of(member("solution.py", b"x" * 2000))[:1500],
        raw_header(b"x", b"0", 10),
        raw_header(b"x", b"x", 1 << 20) + bytes(1 << 20),
        raw_header(b"x", b"x", 9) + padded(b"99999 a=b"),
        raw_header(b"x", b"x", 9) + padded(b"nonsense!"),
        raw_header(b"x", b"x", 6) + padded(b"0 a=b\n"),
        raw_header(b"x", b"x", 12) + padded(b"12 size=-10\n") + raw_header(b"y", b"0", 0),
        (raw_header(b"x", b"L", 1) + padded(b"y")) * 9,
        raw_header(b"x", b"g", 10) + padded(b"10 path=a\n"),
        b"\1" + bytes(256) + b"ustar" + bytes(300),
        raw_header(b"x", b"x", 1212) + padded(b"6 a=b\n" * 202),
    ],
)  # fmt: skip
def test_a_malformed_tar_is_damaged(code: Callable[..., str], raw: bytes) -> None:
    assert code(raw) == "damaged"


def test_a_negative_size_is_damaged(code: Callable[..., str]) -> None:
    head = bytearray(raw_header(b"x", b"0", 0))
    head[124:136] = b"\xff" * 12
    head[148:156] = b"        "
    head[148:156] = b"%06o\0 " % sum(head)
    assert code(bytes(head) + bytes(1024)) == "damaged"


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_a_compressed_archive_that_is_cut_off_or_padded_is_damaged(
    code: Callable[..., str], pack: Callable[[bytes], bytes]
) -> None:
    packed = pack(tar_of(member("solution.py", os.urandom(3000))))
    assert code(packed[:-20]) == "damaged"
    assert code(packed + b"more") == "damaged"
    assert code(packed[:40] + b"\0\xff" * 20 + packed[80:]) == "damaged"


def test_many_empty_streams_are_refused(code: Callable[..., str]) -> None:
    assert code(gzip.compress(b"") * 1000) == "damaged"


@pytest.mark.slow
@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_a_stream_bomb_is_stopped_early(
    code: Callable[..., str], pack: Callable[[bytes], bytes]
) -> None:
    assert code(pack(bytes(80 * MIB))) == "ratio"


def test_a_zip_bomb_is_refused_before_it_is_unpacked(code: Callable[..., str]) -> None:
    assert code(zip_of(SOLUTION, Item(b"x", bytes(20 * MIB)))) == "ratio"


def test_a_zip_entry_that_unpacks_to_more_than_it_declares_is_damaged(
    code: Callable[..., str],
) -> None:
    assert code(zip_of(SOLUTION, Item(b"x", bytes(20 * MIB), size=1000))) == "damaged"


def test_declared_and_summed_sizes_are_bounded(code: Callable[..., str]) -> None:
    assert code(zip_of(SOLUTION, Item(b"x", size=40 * MIB))) == "too-large"
    many = [Item(b"%d" % i, b"x" * 400) for i in range(5)]
    assert code(zip_of(SOLUTION, *many), max_bytes=1500) == "too-large"
    assert code(tar_of(member("a", bytes(900))), max_file_bytes=800) == "too-large"


def test_a_tar_size_beyond_the_limit_is_refused_before_it_is_read(
    code: Callable[..., str],
) -> None:
    assert code(raw_header(b"x", b"0", 7 << 30) + bytes(1024)) == "too-large"


def test_too_many_files_are_refused_and_the_culprit_is_named(
    read: Callable[..., Submission],
) -> None:
    raw = zip_of(SOLUTION, *(Item(b"data/images/%d" % i) for i in range(2001)))
    with pytest.raises(SubmissionRejected, match="2000 of them are in 'data/images'") as caught:
        read(raw)
    assert caught.value.code == "too-many-files"


@pytest.mark.parametrize(
    ("raw", "name", "expected"),
    [
        (b"", "s.zip", "empty"),
        (b"hello", "s.zip", "not-an-archive"),
        (b"x = 1\0", "s.py", "not-an-archive"),
        (b"Rar!\x1a\7\0", "s.zip", "not-an-archive"),
        (gzip.compress(b"hello", mtime=0), "s.tar.gz", "not-an-archive"),
        (zip_of(), "s.zip", "empty"),
        (bytes(10240), "s.tar", "empty"),
        (zip_of(Item(b"__MACOSX/._solution.py")), "s.zip", "empty"),
    ],
)
def test_what_is_no_archive_or_holds_nothing_is_refused(
    code: Callable[..., str], raw: bytes, name: str, expected: str
) -> None:
    assert code(raw, name) == expected


@pytest.mark.parametrize(
    ("names", "hint"),
    [
        ([b"Solution.py"], "found Solution.py: rename it to solution.py"),
        ([b"README.md", b"src/solution.py"], "found src/solution.py: move it"),
        ([b"a/solution.py", b"b/solution.py"], "found a/solution.py, b/solution.py: submit one"),
        ([b"main.py"], "found main.py: rename the one"),
        ([b"a.txt"], "found no Python file, only a.txt"),
        ([b"work.zip", b"README.md"], "found the archive work.zip: unpack it once"),
        ([b"work.ipynb.txt"], "suffix too many; rename it to work.ipynb"),
        ([b"work.ipynb.json", b"x.csv"], "suffix too many; rename it to work.ipynb"),
        ([b"solution/__init__.py", b"x"], "found a package (solution/__init__.py): give"),
        ([b"solution/__init__.py", b"solution/a.py"], "found a package (__init__.py): give its"),
        ([b"solution.py.py", b"a.csv"], "rename it to solution.py"),
    ],
)
def test_a_missing_entry_says_what_was_found(
    read: Callable[..., Submission], names: list[bytes], hint: str
) -> None:
    with pytest.raises(SubmissionRejected) as caught:
        read(zip_of(*(Item(name) for name in names)))
    assert caught.value.code == "no-solution"
    assert hint in str(caught.value)


# Folders


def test_a_folder_is_read_with_its_subfolders(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "solution.py").write_text("x")
    (tmp_path / "a" / "b" / "c.csv").write_text("1")
    assert paths(read_submission(tmp_path)) == ["a/b/c.csv", "solution.py"]


def test_a_folder_that_is_left_out_is_not_opened(tmp_path: Path) -> None:
    (tmp_path / "solution.py").write_text("x")
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "python").symlink_to("/usr/bin/python3")
    submission = read_submission(tmp_path, max_files=1)
    assert submission.notes == ("left out .venv/ (1 entry)",)


def test_a_folder_of_an_odd_name_is_looked_into(tmp_path: Path) -> None:
    (tmp_path / "solution.py").write_text("x")
    deep = tmp_path.joinpath("donn\u00e9es", *"abcdefghijklmnopqrstuvwxyz")
    deep.mkdir(parents=True)
    (tmp_path / "donn\u00e9es" / "x.csv").write_text("x")
    assert paths(read_submission(tmp_path)) == ["solution.py"]
    (tmp_path / "donn\u00e9es" / "x.py").write_text("x")
    with pytest.raises(SubmissionRejected) as caught:
        read_submission(tmp_path)
    assert caught.value.code == "bad-name"


@pytest.mark.parametrize("target", ["/etc/passwd", "solution.py", "missing", "."])
def test_a_link_in_a_folder_is_left_out_unless_graded(tmp_path: Path, target: str) -> None:
    (tmp_path / "solution.py").write_text("x")
    (tmp_path / "link").symlink_to(target)
    submission = read_submission(tmp_path)
    assert paths(submission) == ["solution.py"]
    assert submission.notes == ("left out 'link', which is no regular file but a link",)
    (tmp_path / "link.py").symlink_to(target)
    with pytest.raises(SubmissionRejected) as caught:
        read_submission(tmp_path)
    assert caught.value.code == "symlink"


def test_a_pipe_or_socket_in_a_folder_does_not_block(tmp_path: Path) -> None:
    (tmp_path / "solution.py").write_text("x")
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s"))
        submission = read_submission(tmp_path)
    assert paths(submission) == ["solution.py"]
    assert submission.notes == ("left out 'pipe', 's', which are no regular file",)
    os.mkfifo(tmp_path / "pipe.py")
    with pytest.raises(SubmissionRejected) as caught:
        read_submission(tmp_path)
    assert caught.value.code == "special-file"


def test_a_file_that_becomes_a_link_while_it_is_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "solution.py").write_text("x")
    (tmp_path / "x").symlink_to("/etc/passwd")
    monkeypatch.setattr(intake.stat, "S_ISLNK", lambda _mode: False)
    monkeypatch.setattr(intake.stat, "S_ISREG", lambda _mode: True)
    with pytest.raises(SubmissionRejected) as caught:
        read_submission(tmp_path)
    assert caught.value.code == "symlink"


@pytest.mark.parametrize("name", ["a\nb.py", "-rf.py", b"\xff.py", "caf\u00e9.ipynb"])
def test_hostile_names_in_a_folder_are_refused(tmp_path: Path, name: str | bytes) -> None:
    (tmp_path / "solution.py").write_text("x")
    (tmp_path / os.fsdecode(name)).write_text("x")
    with pytest.raises(SubmissionRejected) as caught:
        read_submission(tmp_path)
    assert caught.value.code == "bad-name"


def test_folders_are_bounded_too(tmp_path: Path) -> None:
    (tmp_path / "solution.py").write_bytes(bytes(100))
    for i in range(5):
        (tmp_path / f"{i}").write_bytes(bytes(100))
    for limits, expected in (
        ({"max_files": 3}, "too-many-files"),
        ({"max_bytes": 300}, "too-large"),
        ({"max_file_bytes": 99}, "too-large"),
    ):
        with pytest.raises(SubmissionRejected) as caught:
            read_submission(tmp_path, **limits)
        assert caught.value.code == expected


def test_many_sibling_folders_need_no_more_descriptors_than_the_depth(tmp_path: Path) -> None:
    (tmp_path / "solution.py").write_text("x")
    for i in range(1500):
        (tmp_path / f"d{i}").mkdir()
    assert paths(read_submission(tmp_path)) == ["solution.py"]


def test_a_missing_path_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_submission(tmp_path / "missing.zip")


def test_a_pipe_instead_of_an_archive_is_refused_without_blocking(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "s.zip")
    with pytest.raises(SubmissionRejected) as caught:
        read_submission(tmp_path / "s.zip")
    assert caught.value.code == "special-file"


def test_every_code_is_documented() -> None:
    sources = [Path(intake.__file__), *Path(intake.__file__).parent.glob("_*.py")]
    text = "".join(path.read_text() for path in sources)
    used = {line.split('"')[1] for line in text.split("reject(")[1:] if '"' in line[:40]}
    documented = set((intake.__doc__ or "").split("``")[1::2])
    assert {code for code in used if code.replace("-", "").isalpha()} <= documented


# Fuzz: only a Submission or a SubmissionRejected, whatever the bytes

FUZZ = settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
SEEDS = [
    zip_of(SOLUTION, Item(b"a/b.txt", method=0), Item(b"a/", b"", mode=0o040755)),
    tar_of(member("solution.py"), member("a" * 120), kind=tarfile.PAX_FORMAT),
    tar_of(member("solution.py"), member("a" * 120)),
    gzip.compress(tar_of(member("solution.py"))),
    bz2.compress(tar_of(member("solution.py"))),
    lzma.compress(tar_of(member("solution.py"))),
]
MAGICS = [b"PK\3\4", b"PK\5\6", b"\x1f\x8b\x08", b"BZh9", b"\xfd7zXZ\0", b""]


@FUZZ
@given(magic=st.sampled_from(MAGICS), rest=st.binary(max_size=2000))
def test_random_bytes_are_refused_cleanly(tmp_path: Path, magic: bytes, rest: bytes) -> None:
    path = tmp_path / "s.zip"
    path.write_bytes(magic + rest)
    with pytest.raises(SubmissionRejected):
        read_submission(path)


@pytest.mark.slow
@FUZZ
@given(
    seed=st.sampled_from(SEEDS),
    edits=st.lists(
        st.tuples(st.integers(0, 1 << 20), st.binary(min_size=1, max_size=4)), max_size=6
    ),
    cut=st.integers(0, 40),
)
def test_mutated_archives_are_read_or_refused_cleanly(
    tmp_path: Path, seed: bytes, edits: list[tuple[int, bytes]], cut: int
) -> None:
    raw = bytearray(seed)
    for at, data in edits:
        at %= len(raw)  # noqa: PLW2901 - into range
        raw[at : at + len(data)] = data
    path = tmp_path / "s.zip"
    path.write_bytes(bytes(raw[: len(raw) - cut]))
    try:
        submission = read_submission(path)
    except SubmissionRejected as error:
        assert str(error).isascii()  # noqa: PT017 - either outcome is right
    else:
        assert "solution.py" in paths(submission)


def test_a_lone_notebook_is_stored_under_the_entrys_name(tmp_path: Path) -> None:
    path = tmp_path / "Final analysis.ipynb"
    path.write_bytes(b"{}")
    found = read_submission(path)
    assert [file.path for file in found.files] == ["solution.ipynb"]
    assert found.notes == ("'Final analysis.ipynb' was a single file; graded as solution.ipynb",)
    assert found.name == "Final-analysis"


def test_an_archive_with_a_notebook_needs_no_module(tmp_path: Path) -> None:
    path = tmp_path / "s.zip"
    path.write_bytes(zip_of(Item(b"repo/nb/a.ipynb", b"{}"), Item(b"repo/data.csv", b"1")))
    assert [file.path for file in read_submission(path).files] == ["data.csv", "nb/a.ipynb"]


def test_submissions_of_one_name_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    found = []
    for name in ("Ada Lovelace/submission.zip", "Ada Lovelace/other.zip", "Grace/submission.zip"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(zip_of(Item(b"solution.py")))
        found.append(intake.read_submission(path))
    names = [submission.name for submission in told_apart(found)]
    assert names == ["Ada-Lovelace-submission", "other", "Grace-submission"]
