"""Build the sandbox images, once for each content.

An image's tag is a digest over everything that goes into it, so a second call finds it and builds
nothing, and a changed requirement or source file builds anew. Packages are fetched on the host,
by hash, as wheels for the image's Python, because a build has no network.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from grader.errors import PrerequisiteError, SandboxError

if TYPE_CHECKING:
    from collections.abc import Callable

    from grader.sandbox.engine import Engine

__all__ = ["Images", "ensure_images", "find_images"]

_PACKAGE = Path(__file__).resolve().parent.parent
_HOME = _PACKAGE.parent  # the grader's own checkout; exercises may live in another
BASE = "python:3.11-slim-bookworm"
LOCAL_BASE = "takehome-grader/base:bookworm"
_PLATFORMS = {
    "x86_64": ("manylinux2014_x86_64", "manylinux_2_27_x86_64", "manylinux_2_28_x86_64"),
    "aarch64": ("manylinux2014_aarch64", "manylinux_2_27_aarch64", "manylinux_2_28_aarch64"),
}
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
_WITH_PROGRAMS = {"analyst.txt"}
_SCRIPTS = ("strip.sh", "compile.py", "locales.py")
_PRUNED = {"tests", "test", "include", "__pycache__"}


@dataclass(frozen=True, slots=True)
class Images:
    """Content ids (``sha256:…``) of the images."""

    candidate: str
    judge: str
    analyst: str


def find_images(engine: Engine) -> Images | None:
    """The images for the present sources, or None when they have to be built."""
    base = _find_base(engine)
    if base is None:
        return None
    found = {role: engine.image_id(_tag(role, base, engine)) for role in _PARTS}
    if all(found.values()):
        return Images(**{role: str(image) for role, image in found.items()})
    return None


def ensure_images(engine: Engine, say: Callable[[str], None]) -> Images:
    """Find the images, or build what is missing.

    Args:
        engine: where the images are, or will be.
        say: told each long step as one short line.

    Raises:
        PrerequisiteError: no base image can be had; the message says what to do.
        SandboxError: a build failed; the message ends with the engine's last lines.
    """
    images = find_images(engine)
    if images:
        return images
    base = _find_base(engine) or _make_base(engine, say)
    with tempfile.TemporaryDirectory(prefix="grader-build-") as folder:
        context = Path(folder)
        tags = {role: _tag(role, base, engine) for role in _PARTS}
        _fill_context(context, engine, say)
        for role in _PARTS:
            tag = tags[role]
            if engine.image_id(tag) is None:
                say(f"building the {role} image (once; later runs find it)")
                name = BASE if engine.image_id(BASE) == base else LOCAL_BASE
                _build(context, role, tag, name)
    built = {role: engine.image_id(tag) for role, tag in tags.items()}
    return Images(**{role: str(image) for role, image in built.items()})


def _sources(role: str) -> list[Path]:
    files = [_HOME / "Dockerfile", *(_HOME / "scripts" / name for name in _SCRIPTS)]
    files += [_HOME / "requirements" / name for name in _REQUIREMENTS[role]]
    for part in _PARTS[role]:
        path = _PACKAGE / part
        files += sorted(path.rglob("*.py")) if path.is_dir() else [path]
    return files


def _tag(role: str, base: str, engine: Engine) -> str:
    digest = hashlib.sha256(f"{base}\n{engine.facts.architecture}\n".encode())
    for path in _sources(role):
        data = path.read_bytes()
        digest.update(f"{path.name}\n{len(data)}\n".encode())
        digest.update(data)
    return f"takehome-grader/{role}:{digest.hexdigest()[:12]}"


def _find_base(engine: Engine) -> str | None:
    return engine.image_id(BASE) or engine.image_id(LOCAL_BASE)


def _make_base(engine: Engine, say: Callable[[str], None]) -> str:
    """Pull the base image, or build an equivalent one from Debian's packages."""
    say(f"pulling the base image {BASE}")
    try:
        engine.api.pull(BASE)
    except Exception as error:  # noqa: BLE001 - whatever the engine says, the next way is tried
        say(f"it cannot be pulled ({str(error)[:80]}…); building one from Debian's packages")
    pulled = engine.image_id(BASE)
    if pulled:
        return pulled
    program = shutil.which("mmdebstrap")
    if program is None:
        raise PrerequisiteError(
            f"the base image {BASE} cannot be pulled, and mmdebstrap, which builds an equivalent "
            "one, is not installed. On Debian or Ubuntu: sudo apt-get install mmdebstrap"
        )
    with tempfile.TemporaryDirectory(prefix="grader-base-") as folder:
        archive = Path(folder) / "base.tar"
        _run(
            [program, "--variant=minbase", "--include=python3", "bookworm", str(archive)],
            "building a base image with mmdebstrap",
        )
        # The engine's SDK sends this stream with headers that engines refuse.
        _run([_docker(), "import", str(archive), LOCAL_BASE], "importing the base image")
    base = engine.image_id(LOCAL_BASE)
    if base is None:
        raise SandboxError("the base image was imported, but the engine does not find it")
    return base


def _fill_context(context: Path, engine: Engine, say: Callable[[str], None]) -> None:
    shutil.copy(_HOME / "Dockerfile", context)
    for name in _SCRIPTS:
        shutil.copy(_HOME / "scripts" / name, context)
    for folder, requirements in _SITES.items():
        fetched = _fetched(_HOME / "requirements" / requirements, engine, say)
        (context / folder).symlink_to(fetched)
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


def _fetched(requirements: Path, engine: Engine, say: Callable[[str], None]) -> Path:
    """A folder with the packages of one requirements file; made once for each content."""
    digest = hashlib.sha256(engine.facts.architecture.encode() + requirements.read_bytes())
    final = _HOME / "build" / f"site-{requirements.stem}-{digest.hexdigest()[:12]}"
    if final.is_dir():
        return final
    say(f"fetching the packages of requirements/{requirements.name}")
    final.parent.mkdir(exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{final.name}.", dir=final.parent))
    try:
        _fetch(draft, requirements, engine)
        draft.rename(final)
    except OSError:
        if not final.is_dir():  # else another process was faster
            raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return final


def _fetch(target: Path, requirements: Path, engine: Engine) -> None:
    platforms = _PLATFORMS.get(engine.facts.architecture)
    if platforms is None:
        raise PrerequisiteError(
            f"no packages are pinned for {engine.facts.architecture}; there are {list(_PLATFORMS)}"
        )
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-compile"]
    command += ["--disable-pip-version-check", "--no-input", "--only-binary=:all:"]
    command += ["--require-hashes", "--implementation=cp", "--python-version=3.11"]
    command += [f"--platform={name}" for name in platforms]
    command += ["--target", str(target), "--requirement", str(requirements)]
    _run(command, f"fetching {requirements.name}")
    for path in sorted(target.rglob("*"), reverse=True):
        if path.is_dir() and path.name in _PRUNED:
            shutil.rmtree(path)
    if requirements.name not in _WITH_PROGRAMS:
        shutil.rmtree(target / "bin", ignore_errors=True)


def _docker() -> str:
    """The docker command, which builds and imports (current engines build with it alone)."""
    program = shutil.which("docker")
    if program is None:
        raise PrerequisiteError(
            "the docker command is not installed; it builds the images. "
            "On Debian or Ubuntu: sudo apt-get install docker.io"
        )
    return program


def _build(context: Path, role: str, tag: str, base: str) -> None:
    stream = _packed(context)
    command = [_docker(), "build", "--network=none", f"--build-arg=BASE={base}"]
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
