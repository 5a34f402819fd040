"""The results folder of a run: complete or not there."""

from __future__ import annotations

import os
import secrets
import shutil
import time
from typing import TYPE_CHECKING

from grader.errors import PlatformError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["ResultsFolder"]

_DAY = 86_400.0


class ResultsFolder:
    """A draft beside its destination; :meth:`publish` renames it, leaving it unpublished drops it.

    Args:
        out: the folder that holds all results; made when missing.
        name: ``<submission>-<digest8>``. An earlier result of that name is kept: the new one gets
            ``-2``, ``-3``, ….
        sweep: whether drafts of killed commands are removed first, for which the whole of `out` is
            looked through.
    """

    def __init__(self, out: Path, name: str, *, sweep: bool = True) -> None:
        self._out = out
        self._name = name
        try:
            out.mkdir(parents=True, exist_ok=True)
            if sweep:
                _sweep(out)
            self.draft = out / f".{name}.{os.getpid()}.{secrets.token_hex(4)}.draft"
            self.draft.mkdir()
        except OSError as error:
            raise PlatformError(
                f"{out} cannot be written ({error.strerror}); choose another with --out"
            ) from error

    def publish(self) -> Path:
        """Rename the draft to its final name and return that."""
        for file in self.draft.iterdir():
            fd = os.open(file, os.O_RDONLY)
            try:
                os.fsync(fd)
            finally:
                os.close(fd)
        number = 1
        while True:
            final = self._out / (self._name if number == 1 else f"{self._name}-{number}")
            number += 1
            if final.exists():
                continue
            try:
                self.draft.rename(final)
            except OSError:
                if final.exists():  # another process was faster
                    continue
                raise
            return final

    def drop(self) -> None:
        """Remove an unpublished draft."""
        shutil.rmtree(self.draft, ignore_errors=True)


def _sweep(out: Path) -> None:
    """Remove drafts of commands that were killed: their process is gone, or a day has passed."""
    for draft in out.glob(".*.draft"):
        owner = draft.name.split(".")[-3]
        try:
            old = time.time() - draft.stat().st_mtime > _DAY
            if old or (owner.isdigit() and not _alive(int(owner))):
                shutil.rmtree(draft, ignore_errors=True)
        except OSError:  # another command was faster
            continue


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
