"""What the inside of a container can do, found out by trying. Runs in the container, as source.

Prints one frame: a list of ``[name, holds, text]``. It uses the standard library and
``grader.wire`` only, changes nothing that outlives its container, and takes about two seconds.
The limits of processes and memory are tried only when one of them is named on the command line:
there are runtimes that end the whole container at them.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import socket
import stat
import sys
import threading
import time
from typing import TYPE_CHECKING

from grader.wire.frames import Frame, Kind, pack_json

if TYPE_CHECKING:
    from collections.abc import Callable

LIBC = ctypes.CDLL(None, use_errno=True)
_MIB = 1 << 20
_TAKEN = 50_000
_CAPABILITY_VERSION_3 = 0x20080522
_PR_CAPBSET_READ, _PR_CAP_AMBIENT, _IS_SET = 23, 47, 1
# Numbers of the x86-64 table; on another architecture they name other calls, most of them refused.
_KERNEL_CALLS = {
    "bpf": 321, "io_uring_setup": 425, "userfaultfd": 323, "perf_event_open": 298, "keyctl": 250,
    "ptrace": 101, "process_vm_readv": 310, "kexec_load": 246, "init_module": 175, "mount": 165,
    "pivot_root": 155, "open_by_handle_at": 304, "fsopen": 430, "clone3": 435, "unshare": 272,
    "setns": 308, "swapon": 167, "reboot": 169, "settimeofday": 164,
    "msgget": 68,
}  # fmt: skip
_SOCKETS = {
    "AF_ALG": (38, 5), "AF_VSOCK": (40, 1), "AF_NETLINK": (16, 3), "AF_PACKET": (17, 3),
    "raw IP": (2, 3),
}  # fmt: skip


def status(key: str) -> str:
    """One field of this process's status."""
    with open("/proc/self/status", encoding="ascii") as file:  # noqa: PTH123 - runs as plain source
        for line in file:
            if line.startswith(f"{key}:"):
                return line.partition(":")[2].strip()
    return ""


def capabilities() -> dict[str, int]:
    """The capability sets as the kernel tells them, one bit each; gVisor has no file for them.

    Raises:
        OSError: the kernel does not tell.
    """
    head = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    data = (ctypes.c_uint32 * 6)()
    if LIBC.capget(head, data) != 0:
        raise OSError(ctypes.get_errno(), "capget")
    sets = {
        name: data[at] | data[at + 3] << 32
        for at, name in enumerate(("effective", "permitted", "inheritable"))
    }
    numbers = range(64)
    sets["bounding"] = sum(1 << n for n in numbers if LIBC.prctl(_PR_CAPBSET_READ, n, 0, 0, 0) == 1)
    sets["ambient"] = sum(
        1 << n for n in numbers if LIBC.prctl(_PR_CAP_AMBIENT, _IS_SET, n, 0, 0) == 1
    )
    return sets


def call_refused(number: int) -> bool:
    """Whether a system call with all arguments zero is refused; a child makes it."""

    def attempt() -> None:
        if LIBC.syscall(number, 0, 0, 0, 0, 0, 0) == -1:
            os._exit(7)

    code = in_child(attempt)
    return os.WIFEXITED(code) and os.WEXITSTATUS(code) == 7  # noqa: PLR2004 - said above


def socket_refused(family: int, kind: int) -> bool:
    """Whether a socket of a family cannot be made."""
    try:
        socket.socket(family, kind).close()
    except OSError:
        return True
    return False


def open_refused(path: str) -> bool:
    """Whether a file cannot be opened for writing."""
    try:
        os.close(os.open(path, os.O_RDWR))
    except OSError:
        return True
    return False


def writable() -> list[str]:
    """Every folder that this user may write to, kernel file systems aside."""
    found = []
    for folder, folders, _ in os.walk("/", onerror=None):
        if folder in {"/proc", "/sys"}:
            folders[:] = []
            continue
        if os.access(folder, os.W_OK):
            with contextlib.suppress(OSError):  # what the mode allows, the mount may refuse
                os.close(os.open(f"{folder}/probe", os.O_CREAT | os.O_EXCL | os.O_WRONLY))
                os.unlink(f"{folder}/probe")  # noqa: PTH108 - as above
                found.append(folder)
                folders[:] = []
    return found


def set_id_files() -> list[str]:
    """Files with a set-user-id or set-group-id bit."""
    found = []
    for folder, folders, files in os.walk("/"):
        if folder in {"/proc", "/sys", "/dev"}:
            folders[:] = []
            continue
        for name in files:
            with contextlib.suppress(OSError):
                if os.lstat(f"{folder}/{name}").st_mode & (stat.S_ISUID | stat.S_ISGID):
                    found.append(f"{folder}/{name}")
    return found


def in_child(work: Callable[[], None]) -> int:
    """Run something that may be killed; return the wait status."""
    pid = os.fork()
    if pid == 0:
        with contextlib.suppress(BaseException):
            work()
            os._exit(0)
        os._exit(1)
    return os.waitpid(pid, 0)[1]


def memory_limit(asked: int) -> tuple[bool, str]:
    """Take more memory than was asked for, in a child that the kernel then kills."""

    def hoard() -> None:
        _ = [bytearray(os.urandom(_MIB)) * 64 for _ in range(asked // (64 * _MIB) + 4)]

    code = in_child(hoard)
    killed = os.WIFSIGNALED(code) or os.WEXITSTATUS(code) == 1
    return killed, f"{asked // _MIB} MiB: {'enforced' if killed else 'not enforced'}"


def process_limit(asked: int) -> tuple[bool, str]:
    """Fork until it is refused."""
    children: list[int] = []
    try:
        while len(children) <= asked + 8:
            pid = os.fork()
            if pid == 0:
                time.sleep(30)
                os._exit(0)
            children.append(pid)
    except OSError:
        pass
    for pid in children:
        os.kill(pid, 9)
        os.waitpid(pid, 0)
    return len(children) <= asked, f"{len(children)} processes of {asked} could be started"


def scratch_limit(folder: str, asked: int) -> tuple[bool, str]:
    """Fill the scratch space, file by file, because one file has a limit of its own."""
    written, made = 0, []
    block = b"\0" * _MIB
    try:
        for number in range(8):
            made.append(f"{folder}/fill-{number}")
            with open(made[-1], "wb") as file:  # noqa: PTH123 - as above
                while written <= asked + 8 * _MIB and file.tell() < asked // 2:
                    written += file.write(block)
    except OSError:
        pass
    for path in made:
        with contextlib.suppress(OSError):
            os.unlink(path)  # noqa: PTH108 - as above
    return written <= asked, f"{written // _MIB} MiB of {asked // _MIB} could be written"


def file_limit(folder: str) -> tuple[bool, str]:
    """Make empty files until it is refused."""
    made = 0
    with contextlib.suppress(OSError):
        while made < _TAKEN:
            open(f"{folder}/inode-{made}", "w").close()  # noqa: PTH123 - as above
            made += 1
    for number in range(made):
        os.unlink(f"{folder}/inode-{number}")  # noqa: PTH108 - as above
    return made < _TAKEN, f"{made} files could be made"


def cpu_share(asked: float) -> tuple[bool, str]:
    """Burn CPU in as many processes as there are cores, and see how much of it is given."""
    seconds, cores = 0.6, max(os.cpu_count() or 1, 2)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    end = time.monotonic() + seconds
    children = []
    for _ in range(cores):
        pid = os.fork()
        if pid == 0:
            while time.monotonic() < end:
                pass
            os._exit(0)
        children.append(pid)
    for pid in children:
        os.waitpid(pid, 0)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    share = used / seconds
    return share <= asked * 1.4 + 0.15, f"{share:.2f} of {cores} cores, {asked:g} asked"


def no_network() -> tuple[bool, str]:
    """Look for interfaces and routes, and try to get out."""
    with open("/proc/net/dev", encoding="ascii") as file:  # noqa: PTH123 - as above
        names = [line.partition(":")[0].strip() for line in file if ":" in line]
    with open("/proc/net/route", encoding="ascii") as file:  # noqa: PTH123 - as above
        routes = len(file.read().splitlines()) - 1
    reached = []
    for address in (("1.1.1.1", 53), ("169.254.169.254", 80)):
        with contextlib.suppress(OSError):
            socket.create_connection(address, timeout=0.5).close()
            reached.append(address[0])
    holds = routes <= 0 and not reached
    return (
        holds,
        f"interfaces {', '.join(names)}; {max(routes, 0)} routes; reached {reached or '-'}",
    )


def executable_scratch(folder: str) -> bool:
    """Whether a program in the scratch space runs."""
    path = f"{folder}/program"
    with open(path, "w", encoding="ascii") as file:  # noqa: PTH123 - as above
        file.write("#!/bin/true\n")
    os.chmod(path, 0o755)  # noqa: S103, PTH101 - the mount forbids it, not the mode
    allowed = not in_child(lambda: os.execv(path, [path]))  # noqa: S606 - no shell
    os.unlink(path)  # noqa: PTH108 - as above
    return allowed


def threads() -> bool:
    """Whether a thread can be started; a filter that refuses clone3 wrongly breaks this."""
    seen: list[int] = []
    thread = threading.Thread(target=lambda: seen.append(1))
    thread.start()
    thread.join()
    return seen == [1]


def examine(cpus: float, scratch: dict[str, int]) -> list[list[object]]:
    """All probes but those that may end the container, as ``[name, holds, text]``."""
    found: list[list[object]] = []

    def add(name: str, holds: bool, text: str) -> None:
        found.append([name, holds, text])

    held = capabilities()
    text = ", ".join(f"{name} {mask:#x}" for name, mask in held.items())
    add("capabilities", not any(held.values()), text)
    add("no new privileges", status("NoNewPrivs") == "1", f"NoNewPrivs {status('NoNewPrivs')}")
    add("seccomp", status("Seccomp") == "2", f"mode {status('Seccomp')}, 2 is a filter")
    add("user", os.getuid() > 60_000 and not os.getgroups()[1:], f"uid {os.getuid()}")  # noqa: PLR2004
    holds, text = no_network()
    add("network", holds, text)
    open_calls = [name for name, number in _KERNEL_CALLS.items() if not call_refused(number)]
    add("kernel calls", not open_calls, f"{len(_KERNEL_CALLS)} tried, allowed: {open_calls or '-'}")
    open_sockets = [name for name, kind in _SOCKETS.items() if not socket_refused(*kind)]
    add("sockets", not open_sockets, f"{len(_SOCKETS)} kinds tried, allowed: {open_sockets or '-'}")
    places = writable()
    add("writable paths", set(places) <= set(scratch), ", ".join(places) or "none")
    devices = sorted(name for name in os.listdir("/dev") if name not in _PLAIN_DEVICES)  # noqa: PTH208
    add("devices", not devices, f"besides the plain ones: {', '.join(devices) or '-'}")
    odd = set_id_files()
    add("set-user-id files", not odd, ", ".join(odd[:5]) or "none")
    seen = [name for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208 - as above
    add("processes in sight", len(seen) <= 2, f"{len(seen)}")  # noqa: PLR2004 - itself and a spare
    masked = ("/proc/kcore", "/proc/sysrq-trigger", "/proc/sys/kernel/core_pattern")
    bad = [path for path in masked if not open_refused(path)]
    add("kernel files", not bad, f"writable: {bad or '-'}")
    leaks = [w for w in os.environ if any(s in w for s in ("TOKEN", "SECRET", "_KEY", "GRADER"))]
    add("environment", not leaks, f"{len(os.environ)} variables, telling names: {leaks or '-'}")
    fds = [os.readlink(f"/proc/self/fd/{n}") for n in (0, 1, 2)]  # noqa: PTH115 - as above
    add("descriptors", not any(fd.startswith("/") for fd in fds), ", ".join(fds))
    add("threads", threads(), "start and end")
    folder = next(iter(scratch))
    add("programs in scratch", not executable_scratch(folder), "are not executed")
    for name, (holds, text) in {
        "CPU": cpu_share(cpus),
        "scratch bytes": scratch_limit(folder, scratch[folder]),
        "scratch files": file_limit(folder),
    }.items():
        add(f"limit of {name}", holds, text)
    core = resource.getrlimit(resource.RLIMIT_CORE)[1]
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    add("limit of descriptors", files <= 256, f"{files}")  # noqa: PLR2004 - as asked for
    add("core dumps", core == 0, f"limit {core}")
    return found


_PLAIN_DEVICES = {
    "core", "fd", "full", "mqueue", "null", "ptmx", "pts", "random", "shm", "stderr", "stdin",
    "stdout", "tty", "urandom", "zero", "console",
}  # fmt: skip


def main() -> None:
    """Read from the command line what to try and the limits, print one frame."""
    what, memory, pids, cpus = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
    match what:
        case "processes":
            told = [[f"limit of {what}", *process_limit(pids)]]
        case "memory":
            told = [[f"limit of {what}", *memory_limit(memory)]]
        case _:
            scratch = dict(pair.split("=") for pair in sys.argv[5:])
            told = examine(cpus, {path: int(size) for path, size in scratch.items()})
    os.write(1, Frame(Kind.READY, 0, pack_json({"probes": told})).pack())


if __name__ == "__main__":
    main()
