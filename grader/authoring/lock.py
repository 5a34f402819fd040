"""Resolve an exercise's requirements to a lock: versions, each with the hashes of its wheels.

uv resolves, for the exercise's Python on Linux, with the base set as constraints, so that the
packages which both sides of the wire use stay as they are. Only wheels are allowed: a source
distribution would run code on the host.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from grader.errors import ExerciseError, PrerequisiteError, UsageError
from grader.exercise.environment import (
    ARCHITECTURES,
    LOCK,
    architecture_here,
    inputs_of,
    lock_header,
    only_for,
    read_requirements,
)
from grader.files import write_whole
from grader.sandbox.wheels import NEWEST_GLIBC

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from packaging.requirements import Requirement

    from grader.models import Exercise

__all__ = ["Locked", "input_of", "lock"]

_LARGE = 300_000_000  # bytes of wheels
_FOR_A_GPU = ("nvidia-", "cuda-", "triton")
_CAUSE = re.compile(r"cause: (.*?)(?:,? we can conclude.*)?(?:\n\n|\Z)", re.DOTALL)
_UNREACHED = ("error sending request", "Failed to fetch", "dns error", "Connect", "timed out")


@dataclass(frozen=True, slots=True)
class Locked:
    """What a lock came to.

    Attributes:
        changes: one line a package that was added, removed or moved to another version.
        warnings: what the author should know.
        packages: name → version.
    """

    changes: tuple[str, ...]
    warnings: tuple[str, ...]
    packages: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Wheels:
    version: str
    hashes: tuple[str, ...]
    size: int  # bytes, of the largest wheel


def lock(exercise: Exercise, requirements: Path, say: Callable[[str], None]) -> Locked:
    """Resolve and write ``requirements.lock``.

    Args:
        exercise: whose environment is resolved.
        requirements: the input, which ``[environment]`` names.
        say: told each long step as one short line.

    Raises:
        ExerciseError: a requirement cannot be met; names it, what there is, and the fix.
        PrerequisiteError: uv is missing, or no package index can be reached.
    """
    environment = exercise.environment
    wanted = read_requirements(requirements)
    resolver = _Resolver(environment.python, environment.base)
    found: dict[str, dict[str, _Wheels]] = {}
    warnings: list[str] = []
    here = architecture_here()
    for architecture in sorted(ARCHITECTURES, key=lambda name: name != here):
        if not wanted:
            break
        say(f"resolving {requirements.name} for Python {environment.python} on {architecture}")
        try:
            resolved = resolver.resolve([str(item) for item in wanted], architecture)
        except _UnresolvedError as error:
            if found:
                warnings.append(
                    f"there are no wheels for {architecture}, so the exercise cannot be used there "
                    f"({error})"
                )
                continue
            raise ExerciseError(
                f"{requirements}: {resolver.explain(wanted, architecture, str(error))}"
            ) from error
        found[architecture] = {
            name: it for name, it in sorted(resolved.items()) if name not in environment.base
        }
        if architecture == here:
            warnings += resolver.held_back(wanted, resolved, architecture)
    first = next(iter(found.values()), {})
    warnings += _other_versions(found)
    warnings += _size_warning(found)
    text = lock_header(exercise.id, environment.python, inputs_of(wanted, environment.base))
    write_whole(exercise.public_dir / LOCK, (text + _pins(found)).encode())
    versions = {name: it.version for name, it in first.items()}
    return Locked(tuple(_changes(environment.extra, versions)), tuple(warnings), versions)


def _pins(found: Mapping[str, Mapping[str, _Wheels]]) -> str:
    """The pins of a lock; what is not the same on all architectures says for which it is."""
    text = ""
    for name in sorted({name for packages in found.values() for name in packages}):
        there = {machine: it[name] for machine, it in sorted(found.items()) if name in it}
        versions = {it.version for it in there.values()}
        if len(versions) == 1 and len(there) == len(found):
            hashes = sorted({value for it in there.values() for value in it.hashes})
            text += _pin(f"{name}=={versions.pop()}", hashes)
            continue
        for machine, it in there.items():
            text += _pin(f"{name}=={it.version}{only_for(machine)}", it.hashes)
    return text


def _pin(line: str, hashes: Sequence[str]) -> str:
    return line + "".join(f" \\\n    --hash=sha256:{value}" for value in hashes) + "\n"


def _other_versions(found: Mapping[str, Mapping[str, _Wheels]]) -> list[str]:
    """Which packages are of another version on another architecture than on this one."""
    (here, first), *others = [*found.items()] or [("", {})]
    return [
        f"{machine} gets {name} {it.version}, not {first[name].version} as {here}"
        for machine, packages in others
        for name, it in packages.items()
        if name in first and first[name].version != it.version
    ]


def _size_warning(found: Mapping[str, Mapping[str, _Wheels]]) -> list[str]:
    sizes = {machine: sum(it.size for it in of.values()) for machine, of in found.items()}
    machine = max(sizes, key=lambda name: sizes[name], default="")
    if not machine or sizes[machine] <= _LARGE:
        return []
    packages = found[machine]
    largest = max(packages, key=lambda name: packages[name].size)
    gpu = sum(it.size for name, it in packages.items() if name.startswith(_FOR_A_GPU))
    told = (
        f"the wheels for {machine} are {sizes[machine] // 1_000_000} MB, "
        f"{packages[largest].size // 1_000_000} MB of it {largest}; each machine that grades "
        "fetches and stores them"
    )
    if gpu:
        told += (
            f". {gpu // 1_000_000} MB are for a GPU, which the sandbox has not: see docs/author.md "
            "for builds without it"
        )
    return [told]


def _changes(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    lines = []
    for name in sorted({*before, *after}):
        old, new = before.get(name), after.get(name)
        if old is None:
            lines.append(f"+ {name} {new}")
        elif new is None:
            lines.append(f"- {name} {old}")
        elif old != new:
            lines.append(f"  {name} {old} → {new}")
    return lines


class _UnresolvedError(Exception):
    """The resolver's own words for why there is no solution."""


class _Resolver:
    """uv with the base set as constraints."""

    def __init__(self, python: str, base: Mapping[str, str]) -> None:
        self._python = python
        self._base = base
        try:
            from uv import find_uv_bin  # noqa: PLC0415 - only this command needs it

            self._uv = find_uv_bin()
        except (ImportError, FileNotFoundError) as error:
            raise PrerequisiteError(
                "uv, which resolves requirements, is not installed. Run: pip install uv"
            ) from error

    def resolve(
        self, lines: Sequence[str], architecture: str, *, bound: bool = True, alone: bool = False
    ) -> dict[str, _Wheels]:
        """Resolve requirements.

        Args:
            lines: the requirements.
            architecture: ``x86_64`` or ``aarch64``.
            bound: keep to the base set.
            alone: leave out what they depend on.

        Raises:
            PrerequisiteError: no package index can be reached.
            _UnresolvedError: there is no solution.
        """
        with tempfile.TemporaryDirectory(prefix="grader-lock-") as folder:
            (Path(folder) / "requirements.in").write_text("\n".join(lines) + "\n")
            pins = "".join(f"{name}=={version}\n" for name, version in self._base.items())
            (Path(folder) / "base.txt").write_text(pins)
            command = [self._uv, "pip", "compile", "requirements.in", "--no-build", "--quiet"]
            # Without an interpreter of this machine uv would download one of the wanted version.
            command += [f"--python={sys.executable}", f"--python-version={self._python}"]
            command += ["--format=pylock.toml"]
            command += [f"--python-platform={architecture}-manylinux_2_{NEWEST_GLIBC}"]
            command += ["--output-file=pylock.toml", "--color=never"]
            command += ["--constraint=base.txt"] if bound else []
            command += ["--no-deps"] if alone else []
            done = subprocess.run(  # noqa: S603 - uv, in a folder of our own
                command, cwd=folder, capture_output=True, text=True, check=False
            )
            if done.returncode:
                raise self._fault(done.stderr)
            text = (Path(folder) / "pylock.toml").read_text("utf-8")
        found: dict[str, _Wheels] = {}
        for item in tomllib.loads(text).get("packages", []):
            wheels = item.get("wheels", [])
            hashes = tuple(sorted(wheel["hashes"]["sha256"] for wheel in wheels))
            size = max((int(wheel.get("size", 0)) for wheel in wheels), default=0)
            found[canonicalize_name(item["name"])] = _Wheels(item["version"], hashes, size)
        return found

    @staticmethod
    def _fault(told: str) -> Exception:
        if "No solution found" not in told:
            if any(mark in told for mark in _UNREACHED):
                return PrerequisiteError(
                    "no package index can be reached, which `grade lock` needs; check the "
                    f"connection and UV_INDEX_URL. uv says: {' '.join(told.split())[:300]}"
                )
            return ExerciseError(f"uv cannot resolve: {' '.join(told.split())[:500]}")
        match = _CAUSE.search(told)
        return _UnresolvedError(" ".join((match[1] if match else told).split())[:500])

    def explain(self, wanted: Sequence[Requirement], architecture: str, cause: str) -> str:
        """Which requirement cannot be met, what there is, and the fix."""
        for item in wanted:
            line = str(item)
            if self._meets([line], architecture):
                continue
            pin = self._base.get(canonicalize_name(item.name))
            if pin is not None and not item.specifier.contains(pin, prereleases=True):
                return (
                    f"{line} conflicts with the base set, which has {item.name} {pin}: judge and "
                    "candidate build frames with the same versions. Remove the line"
                )
            try:
                newest = self.resolve([item.name], architecture, bound=False, alone=True)
            except _UnresolvedError:
                return (
                    f"{line} cannot be met: no version of {item.name} has a wheel for Python "
                    f"{self._python} on Linux {architecture}, or there is no package of that name. "
                    "Check the name, or choose another package"
                )
            there = newest[canonicalize_name(item.name)].version
            try:
                free = self.resolve([line], architecture, bound=False)
            except _UnresolvedError as error:
                return (
                    f"{line} cannot be met: the newest {item.name} with a wheel for Python "
                    f"{self._python} is {there} ({error}). Write {item.name}=={there}, or a range "
                    "that holds it"
                )
            clashes = [
                f"{name} {it.version} (the base set has {self._base[name]})"
                for name, it in free.items()
                if self._base.get(name, it.version) != it.version
            ]
            return (
                f"{line} conflicts with the base set: it asks for {', '.join(clashes)}. The newest "
                f"{item.name} is {there}; choose a version that goes with the base set, which "
                "requirements/sandbox.txt pins"
            )
        return f"the requirements do not go together: {cause}. Loosen one of them"

    def held_back(
        self, wanted: Sequence[Requirement], found: Mapping[str, _Wheels], architecture: str
    ) -> list[str]:
        """Which requirements got an old version because of the base set, one sentence each."""
        lines = []
        for item in wanted:
            name = canonicalize_name(item.name)
            if name in self._base or name not in found:
                continue
            free = self.resolve([str(item)], architecture, bound=False, alone=True)[name]
            if free.version != found[name].version:
                lines.append(
                    f"{item.name} is {found[name].version}, not {free.version}: newer ones do not "
                    "go with the base set"
                )
        return lines

    def _meets(self, lines: Sequence[str], architecture: str) -> bool:
        try:
            self.resolve(lines, architecture)
        except _UnresolvedError:
            return False
        return True


def input_of(exercise: Exercise) -> Path:
    """The requirements file that ``[environment]`` names.

    Raises:
        UsageError: it names none, so there is nothing to lock.
    """
    file = exercise.public_dir / "exercise.toml"
    table = tomllib.loads(file.read_text("utf-8")).get("environment", {})
    if "requirements" not in table:
        raise UsageError(
            f"{exercise.id} uses the base set alone, so there is nothing to lock. To add packages, "
            f'write [environment] with requirements = "requirements.in" into {file}'
        )
    return exercise.public_dir / str(table["requirements"])
