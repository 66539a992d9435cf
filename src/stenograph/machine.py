"""Facts about the machine that the doctor judges: file systems, memory, sync speed. Linux and macOS.

A fact that the machine does not give is None, never an exception.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import platform
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

_LINUX: bool = platform.system() == "Linux"

NETWORK_FILE_SYSTEMS = frozenset(
    {"9p", "afpfs", "afs", "ceph", "cifs", "fuse.glusterfs", "fuse.s3fs", "fuse.sshfs", "glusterfs", "lustre"}
    | {"nfs", "nfs4", "smb3", "smbfs", "virtiofs", "webdav"}
)
MEMORY_FILE_SYSTEMS = frozenset({"ramfs", "tmpfs"})
CONTAINER_FILE_SYSTEMS = frozenset({"aufs", "fuse.fuse-overlayfs", "overlay"})


@dataclass(frozen=True, slots=True)
class Memory:
    """In bytes. `total` is what the process may ever use: the machine's, or its container's limit."""

    total: int
    available: int


def file_system(path: Path) -> str | None:
    """The type of the file system that holds `path`, which exists: `ext4`, `nfs4`, `apfs` …"""
    if _LINUX:
        mounts = linux_mounts(_text("/proc/self/mounts"))
    else:
        mounts = macos_mounts(_output("mount"))
    return type_of(path.resolve(), mounts)


def type_of(path: Path, mounts: list[tuple[Path, str]]) -> str | None:
    """The type of the mount point nearest above `path`; of two at one place the later hides the first."""
    holding = [(len(point.parts), kind) for point, kind in mounts if path.is_relative_to(point)]
    deepest = max((depth for depth, _ in holding), default=0)
    return next((kind for depth, kind in reversed(holding) if depth == deepest), None)


def linux_mounts(text: str) -> list[tuple[Path, str]]:
    fields = [line.split(" ") for line in text.splitlines()]
    return [(Path(_unescape(field[1])), field[2]) for field in fields if len(field) > 2]


def _unescape(point: str) -> str:
    """The kernel writes a space in a mount point as \\040."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), point)


def macos_mounts(text: str) -> list[tuple[Path, str]]:
    """From lines such as `/dev/disk3s5 on /System/Volumes/Data (apfs, local, journaled)`."""
    found = re.findall(r"^.* on (.*) \(([^,)]+)[^)]*\)$", text, re.MULTILINE)
    return [(Path(point), kind) for point, kind in found]


def memory() -> Memory | None:
    """None where it cannot be known."""
    if not _LINUX:
        total = _number(_output("sysctl", "-n", "hw.memsize"))
        return Memory(total, total) if total else None
    fields = dict(re.findall(r"^(\w+):\s+(\d+) kB$", _text("/proc/meminfo"), re.MULTILINE))
    if not {"MemTotal", "MemAvailable"} <= fields.keys():
        return None
    total, available = int(fields["MemTotal"]) * 1024, int(fields["MemAvailable"]) * 1024
    limit, used = _container_memory()
    if limit is not None and limit < total:
        return Memory(limit, max(0, min(available, limit - (used or 0))))
    return Memory(total, available)


def _container_memory() -> tuple[int | None, int | None]:
    """Limit and use of our control group, as version 2 and version 1 give them."""
    for folder, limit, used in (
        ("/sys/fs/cgroup", "memory.max", "memory.current"),
        ("/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes"),
    ):
        found = _number(_text(f"{folder}/{limit}"))
        if found is not None:
            return found, _number(_text(f"{folder}/{used}"))
    return None, None


def sync_seconds(folder: Path, *, times: int = 5) -> float:
    """The median time to write 4 KiB into a file of `folder` and have the disk confirm it. Raises OSError."""
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".doctor-") as file:
        taken = []
        for _ in range(times):
            start = time.perf_counter()
            os.write(file.fileno(), b"\0" * 4096)
            _sync(file.fileno())
            taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def _sync(descriptor: int) -> None:
    if sys.platform == "darwin":
        fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)  # fsync alone stops at the drive's cache there
    else:
        os.fdatasync(descriptor)


def newest_change(folder: Path, *, look_at: int = 2000) -> float:
    """The latest modification among (some of) the files of `folder`, in epoch seconds; 0 if none."""
    newest = 0.0
    for at, path in enumerate(folder.rglob("*")):
        if at >= look_at:
            break
        with contextlib.suppress(OSError):  # a running server removes files while we look
            newest = max(newest, path.lstat().st_mtime)
    return newest


def why_not_bindable(host: str, port: int) -> OSError | None:
    """None when a server could listen there, else what the system says (EADDRINUSE, EACCES …)."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen(1)
    except OSError as error:
        return error
    except UnicodeError:  # a label of the name is too long, says the IDNA codec
        return OSError(errno.EADDRNOTAVAIL, "not a host name")
    return None


def _text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _output(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=10, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""


def _number(text: str) -> int | None:
    return int(text) if text.strip().isdigit() else None
