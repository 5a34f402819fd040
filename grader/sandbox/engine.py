"""The container engine: connect, create verified containers, attach, kill, sweep."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import docker
import docker.errors
import requests.exceptions

from grader.errors import PrerequisiteError, SandboxError
from grader.sandbox.cgroups import Cgroup
from grader.sandbox.facts import EngineFacts
from grader.sandbox.hardening import ContainerSpec, create_body, verify
from grader.sandbox.podman import in_dockers_words
from grader.sandbox.stream import ContainerStream

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["Container", "Engine", "owner_labels"]

OWNER = "takehome-grader.owner"
DEADLINE = "takehome-grader.deadline"
_ENDING_SECONDS = 0.3
_REMOVING_SECONDS = 60.0  # while a fork bomb ends on a busy machine
RUNTIME = "GRADER_RUNTIME"  # environment variable: the runtime that containers are started with
_STRONGER = "runsc"  # gVisor, used where the engine knows it and nothing else is asked for
_KERNEL_NAMES = {"amd64": "x86_64", "arm64": "aarch64"}
_ERRORS = (docker.errors.DockerException, requests.exceptions.RequestException, OSError)


@contextlib.contextmanager
def _mapped(what: str) -> Iterator[None]:
    """Third-party errors become ours at this boundary."""
    try:
        yield
    except _ERRORS as error:
        raise SandboxError(f"{what}: {error}") from error


def _start_time(pid: int) -> str:
    """The kernel's start time of a process: with the pid it names one process for ever."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    return ""


def _boot_id() -> str:
    with contextlib.suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return ""


def owner_labels(*, lifetime: float) -> dict[str, str]:
    """Labels that let a later command find out whether a container's owner is still alive."""
    pid = os.getpid()
    owner = f"{socket.gethostname()}|{_boot_id()}|{pid}|{_start_time(pid)}"
    return {OWNER: owner, DEADLINE: str(int(time.time() + lifetime))}


class Container:
    """A started container with its stream. Use as a context manager: leaving it removes it."""

    def __init__(
        self,
        api: docker.APIClient,
        container_id: str,
        stream: ContainerStream,
        cgroup: Cgroup | None,
    ) -> None:
        self._api = api
        self.id = container_id
        self.stream = stream
        self.cgroup = cgroup
        self._removed = False

    def state(self) -> Mapping[str, object]:
        """The engine's view of whether and how it ended (``Running``, ``OOMKilled``, …).

        An out-of-memory kill reaches the engine a moment after the container's death.
        """
        with _mapped("asking the engine how a container ended"):
            end = time.monotonic() + 2.0
            while True:
                state: dict[str, object] = self._api.inspect_container(self.id)["State"]
                if not state.get("Running") or time.monotonic() > end:
                    return state
                time.sleep(0.02)

    def remove(self) -> None:
        """Kill and remove, whatever state it is in; a second call does nothing."""
        if self._removed:
            return
        self._removed = True
        self.stream.close()
        if self.cgroup:
            self.cgroup.close()
        with _mapped("removing a container"), contextlib.suppress(docker.errors.NotFound):
            end = time.monotonic() + _REMOVING_SECONDS
            while True:
                try:
                    self._api.remove_container(self.id, force=True, v=True)
                except docker.errors.NotFound:
                    raise
                except docker.errors.APIError:
                    # Docker, while thousands of processes end: "did not receive an exit event"
                    # after ten seconds. Podman, of one that is ending by itself just now.
                    if time.monotonic() > end:
                        raise
                    time.sleep(_ENDING_SECONDS)
                else:
                    return

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.remove()


class Engine:
    """A connection to a Docker-compatible engine.

    Raises:
        PrerequisiteError: none answers; the message holds the command that mends it.
    """

    def __init__(self, api: docker.APIClient | None = None) -> None:
        try:
            self.api = api or _connect()
            self.api.ping()
            self.facts = _facts(self.api)
        except _ERRORS as error:
            raise PrerequisiteError(
                f"no container engine answers ({error}). Start Docker Desktop, or on Linux: "
                "sudo systemctl start docker; `make engine` installs and starts it on Debian."
            ) from error

    def image_id(self, tag: str) -> str | None:
        """The content id of an image, or None when it is not there."""
        try:
            return str(self.api.inspect_image(tag)["Id"])
        except docker.errors.ImageNotFound:
            return None
        except _ERRORS as error:
            raise SandboxError(f"asking for the image {tag}: {error}") from error

    def start(self, spec: ContainerSpec, *, lifetime: float) -> Container:
        """Create, verify, attach and start one container.

        Raises:
            SandboxError: the engine refuses, or its view differs from what was asked.
        """
        labels = {**spec.labels, **owner_labels(lifetime=lifetime)}
        body = create_body(spec, self.facts)
        body["Labels"] = labels
        container_id = ""
        try:
            with _mapped(f"creating the {spec.role} container"):
                container_id = self.api.create_container_from_config(body)["Id"]
                attrs = self.inspect(container_id)
            verify(attrs, body)
            with _mapped(f"starting the {spec.role} container"):
                raw = self.api.attach_socket(
                    container_id, params={"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
                )
                self.api.start(container_id)
        except BaseException:
            if container_id:
                with contextlib.suppress(*_ERRORS):
                    self.api.remove_container(container_id, force=True, v=True)
            raise
        cgroup = Cgroup.find(container_id) if self.facts.local else None
        return Container(self.api, container_id, ContainerStream(raw), cgroup)

    def inspect(self, container_id: str) -> Mapping[str, object]:
        """A container's settings in Docker's words."""
        attrs: dict[str, object] = self.api.inspect_container(container_id)
        if self.facts.product == "Docker":
            return attrs
        address = f"{self.api.base_url}/v4.0.0/libpod/containers/{container_id}/json"
        answer = self.api.get(address, timeout=self.api.timeout)
        answer.raise_for_status()
        return in_dockers_words(attrs, answer.json())

    def sweep(self) -> int:
        """Remove containers of ours whose owner is gone or whose deadline has passed."""
        removed = 0
        with _mapped("looking for containers that were left behind"):
            found = self.api.containers(all=True, filters={"label": OWNER})
        for entry in found:
            if not _is_orphan(entry["Labels"]):
                continue
            with contextlib.suppress(*_ERRORS):
                self.api.remove_container(entry["Id"], force=True, v=True)
                removed += 1
        return removed


def _is_orphan(labels: Mapping[str, str]) -> bool:
    host, boot, pid, started = [*labels.get(OWNER, "").split("|"), "", "", "", ""][:4]
    if host == socket.gethostname() and boot and boot == _boot_id():
        return not pid.isdigit() or _start_time(int(pid)) != started
    deadline = labels.get(DEADLINE, "0")
    return not deadline.isdigit() or time.time() > int(deadline) + 60


def _connect() -> docker.APIClient:
    """The engine that the ``docker`` command would use: DOCKER_HOST, else the current context."""
    if os.environ.get("DOCKER_HOST"):
        return docker.from_env(timeout=60).api
    with contextlib.suppress(Exception):  # a broken context file: the default socket may still do
        from docker.context import ContextAPI  # noqa: PLC0415 - only where no host is set

        context = ContextAPI.get_current_context()
        if context and context.Host:
            return docker.APIClient(base_url=context.Host, tls=context.TLSConfig, timeout=60)
    return docker.APIClient(timeout=60)


def _facts(api: docker.APIClient) -> EngineFacts:
    info: dict[str, Any] = api.info()
    version: dict[str, Any] = api.version()
    security = " ".join(info.get("SecurityOptions") or [])
    components = {
        str(part.get("Name", "")): str(part.get("Version", ""))
        for part in version.get("Components") or []
    }
    product = "Podman" if "Podman Engine" in components else "Docker"
    runtime = _runtime(info, product)
    told = components.get(runtime) or components.get(f"OCI Runtime ({runtime})") or ""
    architecture = str(info.get("Architecture", ""))
    return EngineFacts(
        version=str(version.get("Version", "")),
        api_version=str(version.get("ApiVersion", "")),
        runtime=runtime,
        runtime_version=told.partition("\n")[0].removeprefix(f"{runtime} version "),
        cgroup_version=int(info.get("CgroupVersion") or 1),
        seccomp="name=seccomp" in security,
        apparmor="name=apparmor" in security,
        userns="name=userns" in security,
        rootless="name=rootless" in security,
        architecture=_KERNEL_NAMES.get(architecture, architecture),
        local=api.base_url.startswith("http+docker://") and Path("/sys/fs/cgroup").is_dir(),
        product=product,
    )


def _runtime(info: Mapping[str, Any], product: str) -> str:
    """The runtime that was asked for, else gVisor's where there is one, else the engine's own.

    Podman lists every runtime that it has heard of, installed or not, and is not told which.
    """
    own = str(info.get("DefaultRuntime") or "runc")
    known, asked = info.get("Runtimes") or {}, os.environ.get(RUNTIME)
    if product == "Podman":
        if asked and asked != own:
            raise PrerequisiteError(
                f'{RUNTIME}={asked}: Podman uses {own}. Put runtime="{asked}" below [engine] in '
                "/etc/containers/containers.conf and restart its service."
            )
        return own
    if asked and asked not in known:
        raise PrerequisiteError(
            f"{RUNTIME}={asked}: the engine has no such runtime, only {', '.join(sorted(known))}. "
            'Add it to "runtimes" in /etc/docker/daemon.json and restart the engine, or unset '
            f"{RUNTIME}."
        )
    return asked or (_STRONGER if _STRONGER in known else own)


def runtime_tuple(version: str) -> tuple[int, ...]:
    """``"1.1.5+ds1"`` → ``(1, 1, 5)``."""
    return tuple(int(part) for part in re.findall(r"\d+", version.partition("+")[0])[:3])
