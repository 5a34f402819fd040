"""Writing a starter: a folder that is complete or not there, a commit, a zip."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from typing import TYPE_CHECKING

from grader.errors import PrerequisiteError, UsageError
from grader.files import write_whole, zipped

if TYPE_CHECKING:
    from pathlib import Path

    from grader.starter.build import Starter

__all__ = ["deliver"]

_IDENTITY = ("Take-home task", "noreply@example.com")


def deliver(starter: Starter, dest: Path, *, git: bool = False, packed: bool = False) -> list[Path]:
    """Write a starter.

    Args:
        starter: what to write.
        dest: a folder that does not exist yet, or is empty.
        git: make it a Git repository with one commit.
        packed: write ``DEST.zip`` beside it as well.

    Returns:
        What was made.

    Raises:
        UsageError: something is there already, or it cannot be written.
        PrerequisiteError: there is no Git.
    """
    if dest.exists() and (not dest.is_dir() or any(dest.iterdir())):
        raise UsageError(f"{dest} exists and is not empty; name another folder")
    target = dest.with_name(f"{dest.name}.zip")
    if packed and target.exists():
        raise UsageError(f"{target} exists; remove it or name another folder")
    draft = dest.with_name(f".{dest.name}.{secrets.token_hex(4)}.draft")
    try:
        draft.parent.mkdir(parents=True, exist_ok=True)
        for path, data in starter.files.items():
            file = draft / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
        if git:
            _commit(draft, f"{starter.title} ({starter.exercise} {starter.version})")
        if packed:
            inside = sorted(path for path in draft.rglob("*") if path.is_file())
            names = {f"{dest.name}/{p.relative_to(draft).as_posix()}": p for p in inside}
            write_whole(target, zipped({name: p.read_bytes() for name, p in names.items()}))
        draft.replace(dest)
    except OSError as error:
        raise UsageError(f"{dest} cannot be written: {error.strerror or error}") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return [dest, target] if packed else [dest]


def _commit(folder: Path, message: str) -> None:
    """One commit, whatever the organiser's own configuration says."""
    git = shutil.which("git")
    if git is None:
        raise PrerequisiteError("git is missing: install it, or leave out --git")
    name, mail = _IDENTITY
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(folder),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_AUTHOR_NAME": name,
        "GIT_AUTHOR_EMAIL": mail,
        "GIT_COMMITTER_NAME": name,
        "GIT_COMMITTER_EMAIL": mail,
    }
    for arguments in (
        ("init", "-q", "--template=", "--initial-branch=main", "."),
        ("add", "--all", "--force", "."),
        ("commit", "-q", "--no-verify", "-m", message),
    ):
        done = subprocess.run(  # noqa: S603 - fixed arguments, no shell
            [git, *arguments], cwd=folder, env=environment, capture_output=True, check=False
        )
        if done.returncode:
            said = done.stderr.decode("utf-8", "replace").strip()
            raise UsageError(f"git {arguments[0]} failed: {said}")
