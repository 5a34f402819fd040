"""Build the sandbox images, once for each content.

An image's tag is a digest over everything that goes into it, so a second call finds it and builds
nothing, and a changed requirement or source file builds anew. Each Python has a base and three
images; an exercise with packages of its own has one more, the candidate's image and one layer.
Packages are fetched on the host, by hash, as wheels for the image's Python, because a build has no
network.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from grader.errors import ExerciseError, PrerequisiteError, SandboxError
from grader.exercise.environment import LOCK
from grader.files import cache_folder, recipe_folder
from grader.sandbox.generators import generators
from grader.sandbox.wheels import fetched

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from grader.contracts import Environment
    from grader.sandbox.engine import Engine

__all__ = ["NAMES", "Images", "ensure_images", "find_images"]

_PACKAGE = Path(__file__).resolve().parent.parent
_HOME = recipe_folder()  # exercises may live in another checkout
# Debian's release below each Python, whose packages make an equivalent of the image to pull.
_RELEASES = {"3.11": "bookworm", "3.13": "trixie"}
_OWNER = "takehome-grader"
# What each image holds of this package; nothing of a hidden suite, ever.
_PARTS = {
    "candidate": ("__init__.py", "wire", "candidate"),
    "judge": ("__init__.py", "wire", "judge"),
    "analyst": (
        "__init__.py",
        "wire/__init__.py",
        "wire/frames.py",
        "wire/pipes.py",
        "wire/sources.py",
        "analyst",
    ),
}
_REQUIREMENTS = {
    "candidate": ("sandbox.txt", "notebook.txt"),
    "judge": ("sandbox.txt", "judge.txt"),
    "analyst": ("analyst.txt",),
}
# folder in the build context → requirements file
_SITES = {
    "site": "sandbox.txt",
    "site-notebook": "notebook.txt",
    "site-judge": "judge.txt",
    "site-analyst": "analyst.txt",
}
_SCRIPTS = ("strip.sh", "compile.py", "locales.py")
NAMES = (*(f"{_OWNER}/{role}" for role in _PARTS), f"{_OWNER}/environment")


@dataclass(frozen=True, slots=True)
class Images:
    """Content ids (``sha256:…``) of the images of one environment."""

    candidate: str
    judge: str
    analyst: str


def find_images(engine: Engine, environment: Environment) -> Images | None:
    """The images for the present sources, or None when they have to be built."""
    base = _find_base(engine, environment.python)
    if base is None:
        return None
    return _by_tags(engine, _tags(environment, base, engine))


def _by_tags(engine: Engine, tags: Mapping[str, str]) -> Images | None:
    found = {role: engine.image_id(tag) for role, tag in tags.items()}
    if "environment" in found:
        found["candidate"] = found.pop("environment")
    return Images(**{r: str(i) for r, i in found.items()}) if all(found.values()) else None


def ensure_images(engine: Engine, environment: Environment, say: Callable[[str], None]) -> Images:
    """Find the images, or build what is missing.

    Args:
        engine: where the images are, or will be.
        environment: of the exercise.
        say: told each long step as one short line.

    Raises:
        ExerciseError: the exercise's lock does not match its requirements.
        PrerequisiteError: no base image can be had; the message says what to do.
        SandboxError: a build failed; the message ends with the engine's last lines.
    """
    if environment.fault:
        raise ExerciseError(environment.fault)
    images = find_images(engine, environment)
    if images:
        return images
    base = _find_base(engine, environment.python) or _make_base(engine, environment.python, say)
    tags = _tags(environment, base, engine)
    missing = [role for role in _PARTS if engine.image_id(tags[role]) is None]
    if missing:
        with tempfile.TemporaryDirectory(prefix="grader-build-") as folder:
            context = Path(folder)
            _fill_context(context, engine, environment.python, say)
            pulled, local = _bases(environment.python)
            name = pulled if engine.image_id(pulled) == base else local
            for role in missing:
                say(
                    f"building the {role} image for Python {environment.python} "
                    "(once; later runs find it)"
                )
                arguments = {"BASE": name, "PYTHON": environment.python}
                _build(context, role, tags[role], arguments)
    if environment.extra and engine.image_id(tags["environment"]) is None:
        _build_environment(engine, environment, tags, say)
    built = _by_tags(engine, tags)  # of the sources as they were when the build began
    if built is None:
        raise SandboxError("the images were built, but the engine does not find them")
    return built


def _bases(python: str) -> tuple[str, str]:
    """The image to pull, and the name of the one that is made where it cannot be pulled."""
    release = _RELEASES[python]
    return f"python:{python}-slim-{release}", f"{_OWNER}/base:{release}"


def _sources(role: str) -> list[Path]:
    files = [_HOME / "Dockerfile", *(_HOME / "scripts" / name for name in _SCRIPTS)]
    files += [_HOME / "requirements" / name for name in _REQUIREMENTS[role]]
    for part in _PARTS[role]:
        path = _PACKAGE / part
        files += sorted(path.rglob("*.py")) if path.is_dir() else [path]
    return files


def _tags(environment: Environment, base: str, engine: Engine) -> dict[str, str]:
    """The tags of an environment's images by role; ``environment`` only where it has its own."""
    found = {role: _tag(role, environment.python, base, engine) for role in _PARTS}
    if environment.extra:
        recipe = _HOME / "environment.Dockerfile"
        parts = (found["candidate"].encode(), recipe.read_bytes(), environment.lock)
        digest = hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts))
        found["environment"] = f"{_OWNER}/environment:{digest.hexdigest()[:12]}"
    return found


def _tag(role: str, python: str, base: str, engine: Engine) -> str:
    digest = hashlib.sha256(f"{base}\n{engine.facts.architecture}\n{python}\n".encode())
    for path in _sources(role):
        data = path.read_bytes()
        digest.update(f"{path.name}\n{len(data)}\n".encode())
        digest.update(data)
    return f"{_OWNER}/{role}:{digest.hexdigest()[:12]}"


def _find_base(engine: Engine, python: str) -> str | None:
    pulled, local = _bases(python)
    return engine.image_id(pulled) or engine.image_id(local)


def _make_base(engine: Engine, python: str, say: Callable[[str], None]) -> str:
    """Pull the base image, or build an equivalent one from Debian's packages."""
    name, local = _bases(python)
    say(f"pulling the base image {name}")
    try:
        engine.api.pull(name)
    except Exception as error:  # noqa: BLE001 - whatever the engine says, the next way is tried
        say(f"it cannot be pulled ({str(error)[:80]}…); building one from Debian's packages")
    pulled = engine.image_id(name)
    if pulled:
        return pulled
    program = shutil.which("mmdebstrap")
    if program is None:
        raise PrerequisiteError(
            f"the base image {name} cannot be pulled, and mmdebstrap, which builds an equivalent "
            "one, is not installed. On Debian or Ubuntu: sudo apt-get install mmdebstrap"
        )
    with tempfile.TemporaryDirectory(prefix="grader-base-") as folder:
        archive = Path(folder) / "base.tar"
        _run(
            [program, "--variant=minbase", "--include=python3", _RELEASES[python], str(archive)],
            f"building a base image of Debian {_RELEASES[python]} with mmdebstrap",
        )
        # The engine's SDK sends this stream with headers that engines refuse.
        _run([_docker(), "import", str(archive), local], "importing the base image")
    base = engine.image_id(local)
    if base is None:
        raise SandboxError("the base image was imported, but the engine does not find it")
    return base


def _fill_context(context: Path, engine: Engine, python: str, say: Callable[[str], None]) -> None:
    shutil.copy(_HOME / "Dockerfile", context)
    for name in _SCRIPTS:
        shutil.copy(_HOME / "scripts" / name, context)
    for folder, requirements in _SITES.items():
        file = _HOME / "requirements" / requirements
        site = fetched(file, python, engine.facts.architecture, cache=cache_folder(), say=say)
        (context / folder).symlink_to(site)
    for role, parts in _PARTS.items():
        target = context / role / "grader"
        target.mkdir(parents=True)
        for part in parts:
            source = _PACKAGE / part
            if source.is_dir():
                ignore = shutil.ignore_patterns("__pycache__")
                shutil.copytree(source, target / part, ignore=ignore)
            else:
                (target / part).parent.mkdir(exist_ok=True)
                shutil.copy(source, target / part)


def _build_environment(
    engine: Engine,
    environment: Environment,
    tags: Mapping[str, str],
    say: Callable[[str], None],
) -> None:
    """The candidate's image and one layer with the packages of one exercise."""
    with tempfile.TemporaryDirectory(prefix="grader-build-") as folder:
        context = Path(folder)
        lock = context / LOCK
        lock.write_bytes(environment.lock)
        site = fetched(
            lock, environment.python, engine.facts.architecture, cache=cache_folder(), say=say
        )
        lock.unlink()
        shutil.copy(_HOME / "environment.Dockerfile", context / "Dockerfile")
        shutil.copy(_HOME / "scripts" / "compile.py", context)
        (context / "site").symlink_to(site)
        count = len(environment.extra)
        for package, file in generators(site).items():
            if package not in environment.generators:
                say(
                    f"{package} executes text that it makes ({file}); if honest submissions use "
                    "that, name it in environment.generates_code (see docs/author.md)"
                )
        say(f"building the environment (packages: {count}; once, later runs find it)")
        arguments = {"CANDIDATE": tags["candidate"]}
        _build(context, "environment", tags["environment"], arguments)


def _docker() -> str:
    """The docker command, which builds and imports (current engines build with it alone)."""
    program = shutil.which("docker")
    if program is None:
        raise PrerequisiteError(
            "the docker command is not installed; it builds the images. "
            "On Debian or Ubuntu: sudo apt-get install docker.io"
        )
    return program


def _build(context: Path, role: str, tag: str, arguments: Mapping[str, str]) -> None:
    stream = _packed(context)
    command = [_docker(), "build", "--network=none"]
    command += [f"--build-arg={name}={value}" for name, value in arguments.items()]
    command += [f"--target={role}", f"--tag={tag}", "-"]
    try:
        _run(command, f"building the {role} image", stdin=stream)
    finally:
        stream.close()


def _packed(context: Path) -> IO[bytes]:
    """The build context as a tar stream on disk."""
    stream: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
    with tarfile.open(fileobj=stream, mode="w", dereference=True) as archive:
        for path in sorted(context.iterdir()):
            archive.add(path, path.name, filter=_plain)
    stream.seek(0)
    return stream


def _plain(info: tarfile.TarInfo) -> tarfile.TarInfo:
    """Same bytes on every machine: no owner, no time."""
    info.uid = info.gid = 0
    info.uname = info.gname = ""
    info.mtime = 0
    return info


def _run(command: list[str], what: str, stdin: IO[bytes] | None = None) -> None:
    done = subprocess.run(  # noqa: S603 - fixed programs, no shell
        command,
        stdin=stdin or subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if done.returncode:
        tail = done.stdout.decode("utf-8", "replace").strip().splitlines()[-15:]
        raise SandboxError(f"{what} failed with status {done.returncode}:\n" + "\n".join(tail))
