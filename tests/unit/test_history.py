"""Git histories of strangers: summarised, and nothing of theirs runs."""

from __future__ import annotations

import os
import shutil
import subprocess
import zlib
from hashlib import sha1
from typing import TYPE_CHECKING

import pytest

from grader.collect.history import History, read_history
from grader.models import SubmissionFile

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def git(folder: Path, *arguments: str, when: str = "2026-05-01T10:00:00+00:00") -> str:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_DATE": when,
        "GIT_COMMITTER_DATE": when,
    }
    command = ["git", "-c", "user.name=A", "-c", "user.email=a@example.com", *arguments]
    done = subprocess.run(
        command, cwd=folder, env=environment, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Two commits; the second one also changes a sample test."""
    folder = tmp_path / "clone"
    (folder / "tests").mkdir(parents=True)
    (folder / "solution.py").write_text("x = 1\n")
    (folder / "tests" / "test_sample.py").write_text("y = 1\n")
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "one")
    (folder / "solution.py").write_text("x = 2\n")
    (folder / "tests" / "test_sample.py").write_text("y = 2\n")
    git(folder, "commit", "-q", "-a", "-m", "two", when="2026-05-02T11:00:00+02:00")
    return folder


def graded(folder: Path) -> tuple[SubmissionFile, ...]:
    names = ("solution.py", "tests/test_sample.py")
    return tuple(SubmissionFile(name, (folder / name).read_bytes()) for name in names)


def read(folder: Path) -> History:
    found = read_history(folder, graded(folder), ("tests/test_sample.py", "README.md"))
    assert found is not None
    return found


def test_a_history_is_summarised(clone: Path) -> None:
    found = read(clone)
    assert found.head == git(clone, "rev-parse", "HEAD")
    assert found.commits == 2
    assert found.first is not None
    assert found.last is not None
    assert found.first.isoformat() == "2026-05-01T10:00:00+00:00"
    assert found.last.isoformat() == "2026-05-02T09:00:00+00:00"
    assert found.touched == ("tests/test_sample.py",)
    assert (found.differing, found.note) == (0, "")


def test_files_that_are_not_as_committed_are_counted(clone: Path) -> None:
    (clone / "solution.py").write_text("x = 3\n")
    assert read(clone).differing == 1


def test_a_folder_without_a_repository_has_no_history(tmp_path: Path) -> None:
    assert read_history(tmp_path, (), ()) is None


def test_packed_detached_and_shallow_repositories_are_read(clone: Path, tmp_path: Path) -> None:
    git(clone, "gc", "-q", "--prune=now")
    assert read(clone).commits == 2
    git(clone, "checkout", "-q", "--detach")
    assert read(clone).commits == 2
    shallow = tmp_path / "shallow"
    git(tmp_path, "clone", "-q", "--depth=1", clone.as_uri(), str(shallow))
    assert read(shallow).commits == 1


def test_nothing_that_a_repository_configures_runs(clone: Path, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    program = tmp_path / "program.sh"
    program.write_text(f"#!/bin/sh\necho ran >> {mark}\ncat >/dev/null\n")
    program.chmod(0o755)
    for key in (
        "core.fsmonitor", "core.pager", "core.sshCommand", "core.editor", "diff.external",
        "gpg.program", "core.askPass", "credential.helper", "diff.x.textconv", "filter.x.clean",
        "filter.x.smudge", "filter.x.process", "alias.log", "alias.ls-tree",
        "uploadpack.packObjectsHook",
    ):  # fmt: skip
        value = f"!{program}" if key.startswith("alias") else str(program)
        git(clone, "config", key, value)
    git(clone, "config", "log.showSignature", "true")
    git(clone, "config", "core.hooksPath", str(tmp_path))
    (clone / ".gitattributes").write_text("* filter=x diff=x\n")
    (clone / ".git" / "info").mkdir(exist_ok=True)
    (clone / ".git" / "info" / "attributes").write_text("* filter=x diff=x\n")
    for hook in ("post-index-change", "reference-transaction", "pre-commit", "fsmonitor-watchman"):
        path = clone / ".git" / "hooks" / hook
        path.parent.mkdir(exist_ok=True)
        shutil.copy(program, path)
    before = sorted(p.relative_to(clone).as_posix() for p in clone.rglob("*"))
    assert read(clone).commits == 2
    assert not mark.exists()
    assert sorted(p.relative_to(clone).as_posix() for p in clone.rglob("*")) == before


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda g: (g / "objects/info/alternates").write_text("/etc\n"), "borrows objects"),
        (lambda g: (g / "HEAD").write_text("ref: refs/heads/../../../etc/passwd\n"), "HEAD names"),
        (lambda g: (g / "HEAD").write_text("ref: refs/tags/x\n"), "HEAD names"),
        (lambda g: (g / "HEAD").write_text("0" * 40), "failed"),
        (lambda g: (g / "HEAD").unlink(), "HEAD"),
        (lambda g: ((g / "HEAD").unlink(), os.mkfifo(g / "HEAD")), "no regular file"),
        (lambda g: ((g / "HEAD").unlink(), (g / "HEAD").symlink_to("/etc/passwd")), "HEAD"),
        (lambda g: ((g / "objects").rename(g / "o"), (g / "objects").symlink_to("o")), "a link"),
        (lambda g: (g / "refs/heads/main").write_text("no hash\n"), "no commit"),
        (lambda g: shutil.rmtree(g / "objects") or (g / "objects").mkdir(), "failed"),
    ],
)  # fmt: skip
def test_a_strange_repository_gives_a_note(clone: Path, spoil: object, said: str) -> None:
    (clone / ".git/objects/info").mkdir(exist_ok=True)
    spoil(clone / ".git")  # type: ignore[operator]
    found = read(clone)
    assert found.head == ""
    assert said in found.note


def test_a_file_in_place_of_the_repository_gives_a_note(tmp_path: Path) -> None:
    (tmp_path / ".git").write_text("gitdir: /somewhere/else\n")
    found = read_history(tmp_path, (), ())
    assert found is not None
    assert "not a folder" in found.note


def put(folder: Path, kind: str, body: bytes) -> str:
    """Write one loose object."""
    raw = f"{kind} {len(body)}\0".encode() + body
    name = sha1(raw, usedforsecurity=False).hexdigest()
    path = folder / ".git/objects" / name[:2] / name[2:]
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(zlib.compress(raw))
    return name


def test_a_tree_bomb_ends_in_a_note(clone: Path) -> None:
    name, mode = put(clone, "blob", b"x"), b"100644"
    for _ in range(10):
        row = b"".join(mode + b" %d\0" % n + bytes.fromhex(name) for n in range(10))
        name, mode = put(clone, "tree", row), b"40000"
    body = f"tree {name}\nauthor A <a> 1 +0000\ncommitter A <a> 1 +0000\n\nboom\n".encode()
    (clone / ".git/refs/heads/main").write_text(put(clone, "commit", body))
    found = read(clone)
    assert "too much to say" in found.note or "too long" in found.note or "failed" in found.note
