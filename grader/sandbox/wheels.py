"""The packages of a pinned requirements file as a folder, fetched once for each content.

Only wheels, by hash, for the image's Python and platform: nothing of a package runs on the host.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from grader.errors import PrerequisiteError
from grader.exercise.environment import pins_for, read_packages

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["NEWEST_GLIBC", "fetched", "platforms"]

NEWEST_GLIBC = 36  # 2.36 is Debian 12's, the oldest image's
_OLDEST_GLIBC = {"x86_64": 5, "aarch64": 17}  # of which there are wheels
_NAMED = {5: "manylinux1", 12: "manylinux2010", 17: "manylinux2014"}  # before PEP 600
_WITH_PROGRAMS = {"analyst.txt"}
_PRUNED = {"tests", "test", "include", "__pycache__"}
_LARGE = 300 << 20  # bytes; an image beyond it is slow to build and to move


def fetched(
    requirements: Path,
    python: str,
    architecture: str,
    *,
    cache: Path,
    say: Callable[[str], None],
) -> Path:
    """The folder with the packages of one requirements file.

    Args:
        requirements: pinned, each line with its hashes.
        python: of the image, such as ``"3.13"``.
        architecture: of the image: ``x86_64`` or ``aarch64``.
        cache: where such folders are kept.
        say: told that packages are fetched, and that they are large.

    Raises:
        PrerequisiteError: they cannot be fetched and are not in the cache; names them.
    """
    told = f"{architecture}\n{python}\n".encode()
    digest = hashlib.sha256(told + requirements.read_bytes()).hexdigest()[:12]
    final = cache / f"site-{requirements.stem}-{digest}"
    if final.is_dir():
        return final
    say(f"fetching the packages of {requirements.name} for Python {python}")
    cache.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{final.name}.", dir=cache))
    try:
        _fetch(draft, requirements, python, architecture)
        size = sum(path.lstat().st_size for path in draft.rglob("*"))
        if size > _LARGE:
            say(f"the packages of {requirements.name} take {size >> 20} MB in the image")
        draft.rename(final)
    except OSError:
        if not final.is_dir():  # else another process was faster
            raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return final


def platforms(architecture: str) -> list[str]:
    """Platform tags of all wheels that the images run, newest first (PEP 600).

    pip takes a tag that it is given by its name alone: ``manylinux_2_28`` does not include
    ``manylinux_2_25``.

    Raises:
        PrerequisiteError: no images are made for this architecture.
    """
    if architecture not in _OLDEST_GLIBC:
        raise PrerequisiteError(
            f"no packages are pinned for {architecture}; there are {list(_OLDEST_GLIBC)}"
        )
    names = []
    for version in range(NEWEST_GLIBC, _OLDEST_GLIBC[architecture] - 1, -1):
        names.append(f"manylinux_2_{version}_{architecture}")
        if version in _NAMED:
            names.append(f"{_NAMED[version]}_{architecture}")
    return names


def _fix(told: list[str]) -> str:
    """What to do about a fault that pip told of."""
    text = "\n".join(told)
    if "DO NOT MATCH THE HASHES" in text:
        return "The index has other files than the lock pins. Lock again"
    if "conflicting dependencies" in text:
        return (
            "pip's configuration on this machine (`pip config list`) forbids a version. Change it"
        )
    if "No matching distribution" in text and "(from versions: none)" not in text:
        return "The index that pip asks has other versions than the lock pins. Lock again"
    return "Connect to a package index once"


def _fetch(target: Path, requirements: Path, python: str, architecture: str) -> None:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-compile"]
    command += ["--disable-pip-version-check", "--no-input", "--only-binary=:all:"]
    command += ["--require-hashes", "--implementation=cp", f"--python-version={python}"]
    command += [f"--platform={name}" for name in platforms(architecture)]
    with tempfile.TemporaryDirectory(prefix="grader-pins-") as folder:
        pins = Path(folder) / requirements.name
        pins.write_text(pins_for(requirements.read_text("utf-8"), architecture), "utf-8")
        done = subprocess.run(  # noqa: S603 - pip of this very Python
            [*command, "--target", str(target), "--requirement", str(pins)],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            check=False,
        )  # fmt: skip
    if done.returncode:
        found = read_packages(requirements, python, architecture)
        told = done.stdout.decode("utf-8", "replace").strip().splitlines()
        raise PrerequisiteError(
            f"the packages of {requirements.name} for Python {python} on {architecture} are not "
            f"cached and cannot be fetched. {_fix(told)}, then run `grade images`. Missing: "
            f"{', '.join(f'{name}=={version}' for name, version in found.items())}. pip says:\n"
            + "\n".join(told[-5:])
        )
    for path in sorted(target.rglob("*"), reverse=True):
        if path.is_dir() and path.name in _PRUNED:
            shutil.rmtree(path)
    if requirements.name not in _WITH_PROGRAMS:
        shutil.rmtree(target / "bin", ignore_errors=True)
