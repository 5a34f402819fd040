"""What an exercise's submissions run on: a Python, the base packages and those of a lock file.

``[environment]`` in ``exercise.toml`` names the Python and a requirements file. ``grade lock``
resolves that file to ``requirements.lock`` beside it; `read_environment` reads the lock and tells
whether it still belongs to its input.
"""

from __future__ import annotations

import hashlib
import platform
import re
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from grader.contracts import Environment
from grader.errors import ExerciseError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from grader.exercise.toml import Table

__all__ = [
    "ARCHITECTURES",
    "DEFAULT_PYTHON",
    "LOCK",
    "PYTHONS",
    "architecture_here",
    "inputs_of",
    "lock_header",
    "only_for",
    "pins_for",
    "read_base",
    "read_environment",
    "read_packages",
    "read_requirements",
]

PYTHONS = ("3.11", "3.13")
DEFAULT_PYTHON = "3.13"
LOCK = "requirements.lock"
ARCHITECTURES = ("x86_64", "aarch64")
_PINNED = re.compile(
    r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)==(?P<version>[A-Za-z0-9.!+_-]+)"
    r"\s*(?:;\s*(?P<marker>[^\\#]*))?"
)
_MARKER = re.compile(r"python_(?:full_)?version\s*(<|>=)\s*['\"](\d+)\.(\d+)['\"]")
_MACHINE = re.compile(r"platform_machine\s*==\s*['\"](\w+)['\"]")
_BLOCK = re.compile(r"\n(?=[A-Za-z0-9])")  # before the first line of each package
_HEADER = re.compile(r"# (python|input|base): (\S+)")


def read_environment(top: Table, public: Path, requirements: Path) -> Environment:
    """Read ``[environment]``; an exercise without it gets Python 3.13 and the base set.

    Args:
        top: of ``exercise.toml``.
        public: the exercise's folder below ``exercises/``.
        requirements: the folder with the base set's files.

    Raises:
        ExerciseError: a value is wrong, or a file is missing or cannot be read. A lock that does
            not match its input is no error here: the environment's ``fault`` says so.
    """
    python, named = DEFAULT_PYTHON, ""
    generators: tuple[str, ...] = ()
    if top.has("environment"):
        table = top.table("environment")
        if table.has("python"):
            offered = "|".join(map(re.escape, PYTHONS))
            python = table.text("python", offered, f"one of {', '.join(PYTHONS)}, as a string")
        if table.has("requirements"):
            named = table.text(
                "requirements", r"[A-Za-z0-9_-]+\.in", 'a file name such as "requirements.in"'
            )
        if table.has("generates_code"):
            generators = table.texts("generates_code", r"[A-Za-z_]\w*", "import names of packages")
        table.finish()
    base = read_base(requirements, python)
    if not named:
        return Environment(python, base, generators=generators)
    if not (public / named).is_file():
        raise ExerciseError(
            f"{public / 'exercise.toml'}: environment.requirements: {public / named} does not "
            "exist; write it (one requirement a line), or remove the key"
        )
    wanted = read_requirements(public / named)
    lock = public / LOCK
    fix = f"run `grade lock {public.name}`"
    if not lock.is_file():
        fault = f"{lock} is missing; {fix}"
        return Environment(python, base, fault=fault, generators=generators)
    content = lock.read_bytes()
    extra = read_packages(lock, python) if wanted else {}
    common = _offered(lock, python) if wanted else {}
    fault = _fault(content.decode("utf-8", "replace"), python, wanted, base)
    told = f"{lock} {fault}; {fix}" if fault else ""
    return Environment(python, base, extra, content, told, generators, common)


def architecture_here() -> str:
    """The architecture of this machine, as Linux and wheels name it."""
    return {"arm64": "aarch64", "AMD64": "x86_64"}.get(platform.machine(), platform.machine())


def only_for(architecture: str) -> str:
    """The marker of a pin that is for one architecture."""
    return f' ; platform_machine == "{architecture}"'


def pins_for(text: str, architecture: str) -> str:
    """The pins of a requirements file for one architecture, without the markers that say so.

    pip looks at the machine that it runs on, not at the one that it installs for.
    """
    kept = []
    for block in _BLOCK.split(text):
        first, newline, rest = block.partition("\n")
        if (match := _MACHINE.search(first)) is None:
            kept.append(block)
        elif match[1] == architecture:
            before, _, after = first.partition(";")
            end = " \\" if after.rstrip().endswith("\\") else ""
            kept.append(f"{before.rstrip()}{end}{newline}{rest}")
    return "\n".join(kept)


def _offered(lock: Path, python: str) -> Mapping[str, str]:
    """What a lock pins for all architectures, by the versions that an index shows to anyone."""
    first, *others = (read_packages(lock, python, name) for name in ARCHITECTURES)
    return {
        name: version.partition("+")[0]
        for name, version in first.items()
        if all(name in found for found in others)
    }


def read_base(folder: Path, python: str = DEFAULT_PYTHON) -> Mapping[str, str]:
    """The packages that every exercise offers, as ``requirements/`` pins them, name → version."""
    found = dict(read_packages(folder / "sandbox.txt", python))
    more = folder / "notebook.txt"
    if more.is_file():
        found.update(read_packages(more, python))
    return dict(sorted(found.items()))


def inputs_of(wanted: tuple[Requirement, ...], base: Mapping[str, str]) -> dict[str, str]:
    """Digests of what a lock is resolved from: ``input`` and ``base``, 16 hexadecimal digits."""
    lines = sorted(str(item) for item in wanted)
    pins = sorted(f"{name}=={version}" for name, version in base.items())
    return {"input": _digest(lines), "base": _digest(pins)}


def lock_header(exercise: str, python: str, inputs: Mapping[str, str]) -> str:
    """The first lines of a lock, by which it is known whether it still matches."""
    return (
        f"# Made by `grade lock {exercise}`. Do not edit: change the requirements and lock again.\n"
        f"# python: {python}\n# input: {inputs['input']}\n# base: {inputs['base']}\n"
    )


def _digest(lines: list[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def _fault(text: str, python: str, wanted: tuple[Requirement, ...], base: Mapping[str, str]) -> str:
    told = dict(_HEADER.findall(text))
    now = {"python": python, **inputs_of(wanted, base)}
    if told.get("python") != now["python"]:
        return f"was made for Python {told.get('python', '(not stated)')}, not {python}"
    if told.get("input") != now["input"]:
        return "was made from other requirements than there are now"
    if told.get("base") != now["base"]:
        return "was made for another base set of packages than requirements/ holds now"
    unhashed = [
        block.split("\n", 1)[0].rstrip(" \\")
        for block in _BLOCK.split(text)
        if "==" in block.split("\n", 1)[0] and "--hash=sha256:" not in block
    ]
    return f"pins {unhashed[0]} without a hash" if unhashed else ""


def read_requirements(path: Path) -> tuple[Requirement, ...]:
    """Read an author's requirements: one a line, with comments.

    Raises:
        ExerciseError: a line is no plain requirement. Options, paths and addresses are refused:
            they would run code on the host, or name a registry.
    """
    found: dict[str, Requirement] = {}
    for number, raw in enumerate(path.read_text("utf-8").splitlines(), 1):
        line = re.sub(r"(^|\s)#.*", "", raw).strip()
        if not line:
            continue
        try:
            item = Requirement(line)
        except InvalidRequirement:
            item = None
        if item is None or item.url:
            raise ExerciseError(
                f"{path}:{number}: {line[:80]!r} is no plain requirement; write a name and "
                'versions, such as "lightgbm>=4"'
            )
        name = canonicalize_name(item.name)
        if name in found:
            raise ExerciseError(f"{path}:{number}: {item.name} is listed twice; remove one")
        found[name] = item
    return tuple(found.values())


def read_packages(
    path: Path, python: str = DEFAULT_PYTHON, architecture: str = ""
) -> Mapping[str, str]:
    """Read the pinned ``name==version`` lines of a requirements file, as the sandbox has them.

    Of lines with a marker only those for `python` and `architecture` count; without an
    architecture those of this machine.

    Raises:
        ExerciseError: the file is missing, pins nothing, or has a marker of another kind.
    """
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ExerciseError(
            f"{path}: cannot be read ({error}); restore it from the grader's own checkout"
        ) from error
    found: dict[str, str] = {}
    architecture = architecture or architecture_here()
    for line in lines:
        match = _PINNED.match(line)
        if match and _applies(match["marker"], path, python, architecture):
            found[match["name"].lower()] = match["version"]
    if not found and path.name != LOCK:
        raise ExerciseError(f"{path}: pins no package (name==version)")
    return dict(sorted(found.items()))


def _applies(marker: str | None, path: Path, python: str, architecture: str) -> bool:
    if not marker or not marker.strip():
        return True
    if machine := _MACHINE.fullmatch(marker.strip()):
        return machine[1] == architecture
    match = _MARKER.fullmatch(marker.strip())
    if not match:
        raise ExerciseError(
            f"{path}: marker {marker.strip()!r} is not like \"python_full_version < '3.12'\""
        )
    major, minor = map(int, python.split("."))
    newer = (int(match[2]), int(match[3])) > (major, minor)
    return newer if match[1] == "<" else not newer
