"""Podman in place of Docker: what it must be asked differently, and its answers in Docker's words.

Written for Podman 4.3, the one in Debian 12. What differs:

- it reads a seccomp profile from a file, and takes no limit on inodes;
- with a read-only root it adds writable mounts of its own, unless they are asked for: here they are
  asked for so that nobody may write to them;
- an IPC namespace of its own is called "shareable" and always has ``/dev/shm``;
- it asks for more processes a user than a host may allow, unless that is asked for;
- standard input stays open when the caller goes. A container then lives until its wall limit, or
  until the next command removes it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["adapt", "in_dockers_words"]

_MOUNTS_OF_ITS_OWN = ("/run", "/var/tmp", "/dev/shm")  # noqa: S108 - closed where not asked for
_CLOSED = "rw,noexec,nosuid,nodev,size=4096,mode=0555"
_BARE = "notmpcopyup"  # or the image's own folder lends its contents and its mode
_ADDED_VARIABLES = {"TERM", "container", "HOSTNAME"}
_OWN_NAMESPACES = ("PidMode", "UTSMode")
_PROCESSES = 4096  # a user id belongs to one container, whose own limit is lower


def adapt(body: dict[str, Any], profile: str) -> None:
    """Change the body that creates a container into what Podman takes.

    Args:
        body: of ``POST /containers/create``; changed in place.
        profile: path of the seccomp profile, as Podman's service sees it; empty for none.
    """
    host = body["HostConfig"]
    host["SecurityOpt"] = [
        option for option in host["SecurityOpt"] if not option.startswith("seccomp=")
    ]
    if profile:
        host["SecurityOpt"].append(f"seccomp={profile}")
    mounts = dict.fromkeys(_MOUNTS_OF_ITS_OWN, _CLOSED) | dict(host["Tmpfs"])
    host["Tmpfs"] = {
        path: ",".join(
            [*(part for part in options.split(",") if not part.startswith("nr_inodes=")), _BARE]
        )
        for path, options in mounts.items()
    }
    host["IpcMode"] = "shareable"
    host["Ulimits"] = [*host["Ulimits"], {"Name": "nproc", "Soft": _PROCESSES, "Hard": _PROCESSES}]
    del host["CgroupnsMode"]  # answered with an empty text, whatever it is
    body["StdinOnce"] = False


def in_dockers_words(attrs: Mapping[str, Any], native: Mapping[str, Any]) -> dict[str, Any]:
    """A created container as Docker would describe it.

    Args:
        attrs: the answer of ``GET /containers/{id}/json``.
        native: the answer of Podman's own API, which alone tells the capabilities that are left.
    """
    host = dict(attrs["HostConfig"])
    if not native["EffectiveCaps"] and not native["BoundingCaps"]:
        host["CapDrop"] = ["ALL"]
    host["SecurityOpt"] = [
        f"{option}:true" if option == "no-new-privileges" else option
        for option in host["SecurityOpt"]
    ]
    host["Tmpfs"] = {
        # What is asked for is not repeated; only its opposite is told.
        path: options if "tmpcopyup" in options else f"{options},{_BARE}"
        for path, options in (
            (path, options.replace(",rprivate", "")) for path, options in host["Tmpfs"].items()
        )
    }
    host["Ulimits"] = [
        {**limit, "Name": limit["Name"].removeprefix("RLIMIT_").lower()}
        for limit in host["Ulimits"]
    ]
    for key in _OWN_NAMESPACES:
        if host[key] == "private":
            host[key] = ""
    config = dict(attrs["Config"])
    config["Image"] = attrs["Image"]
    config["Env"] = [
        value for value in config["Env"] if value.partition("=")[0] not in _ADDED_VARIABLES
    ]
    return {**attrs, "HostConfig": host, "Config": config}
