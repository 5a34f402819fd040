"""On which file system a folder lies."""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["network_file_system"]

_MOUNTS = Path("/proc/self/mountinfo")
_NETWORK = re.compile(
    r"nfs[34]?|cifs|smb[23fs]*|smbfs|ncpfs|afs|ceph|coda|gfs2?|glusterfs|lustre|beegfs|gpfs|ocfs2"
    r"|orangefs|pvfs2|9p|fuse\.(sshfs|s3fs|glusterfs|ceph.*|rclone|gcsfuse|davfs2?|smbnetfs|curl.*)"
    r"|davfs|webdav|afpfs"
)
_ESCAPED = re.compile(r"\\([0-7]{3})")


def network_file_system(folder: Path, mounts: Path = _MOUNTS) -> str:
    """The kind of network file system that a folder is on; empty if it is on none.

    Where the system lists no mounts in ``/proc`` (macOS), nothing is found.

    Args:
        folder: any path.
        mounts: the list of mounts, in the form of ``/proc/self/mountinfo``.
    """
    try:
        lines = mounts.read_text("utf-8", "surrogateescape").splitlines()
    except OSError:
        return ""
    path = folder.resolve()
    best, kind = -1, ""
    for line in lines:
        left, _, right = line.partition(" - ")
        fields = left.split(" ")
        if len(fields) < 5 or not right:  # noqa: PLR2004 - the fifth is the mount point
            continue
        point = Path(_ESCAPED.sub(lambda match: chr(int(match[1], 8)), fields[4]))
        depth = len(point.parts)
        if (point == path or point in path.parents) and depth >= best:
            best, kind = depth, right.split(" ")[0]
    return kind if _NETWORK.fullmatch(kind) else ""
