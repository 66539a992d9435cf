"""Looks at a machine and an installation, and says what would keep the server from working well.

Each check is one function that returns a Finding and changes nothing: what it writes, it removes. They work
beside a running server as well as without one.
"""

from __future__ import annotations

import asyncio
import errno
import http.client
import ipaddress
import os
import resource
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from stenograph import machine
from stenograph.errors import StenographError
from stenograph.setting_values import MiB, format_bytes
from stenograph.settings import Settings, unknown_variables
from stenograph.store.meta.database import open_meta
from stenograph.store.meta.revision import revision
from stenograph.store.runs.probe import LOCKED

Result = Literal["ok", "warning", "problem"]

# The engine's own need, idle, beside what queries and pending runs may take.
_IDLE_BYTES = 350 * MiB
_FEWEST_FILES = 1024
_ENGINE_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found, and what to do about it; `advice` is empty when all is well."""

    check: str
    result: Result
    found: str
    advice: str = ""


def examine(settings: Settings) -> Iterator[Finding]:
    """Every check, in the order in which one failure explains the next."""
    return (look(check, settings) for check in CHECKS)


def look(check: str, settings: Settings) -> Finding:
    """One check, by its name in CHECKS."""
    try:
        return Finding(check, *CHECKS[check](settings))
    except OSError as error:
        return Finding(check, "problem", str(error), "Make it possible to look at this, then run again.")


def _ground(folder: Path) -> Path:
    """The folder itself, or what of its path exists already."""
    return next(place for place in (folder, *folder.parents) if place.exists())


def _settings(_: Settings) -> tuple[Result, str, str]:
    unknown = unknown_variables()
    if unknown:
        return "warning", "; ".join(unknown), "docs/settings.md lists the settings; others have no effect."
    return "ok", "every STENOGRAPH_ variable is a setting", ""


def _data_folder(settings: Settings) -> tuple[Result, str, str]:
    folder = settings.data_dir
    if not folder.exists():
        ground = _ground(folder)
        if not os.access(ground, os.W_OK | os.X_OK):
            return "problem", f"{folder} cannot be made: {ground} is not writable", "Set STENOGRAPH_DATA_DIR."
        return "ok", f"{folder} does not exist yet; the server makes it", ""
    if not folder.is_dir():
        return "problem", f"{folder} is not a folder", "Set STENOGRAPH_DATA_DIR to a folder."
    owner, us = folder.stat().st_uid, os.geteuid()
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        return "problem", f"user {us} may not write {folder} of user {owner}", f"chown -R {us} '{folder}'"
    if owner != us:
        return (
            "warning",
            f"{folder} belongs to user {owner}, and this is user {us}",
            f"Run the server and this as one user, or: chown -R {us} '{folder}'",
        )
    if stat.S_IMODE(folder.stat().st_mode) & 0o007:
        return "warning", f"every user of this machine may look into {folder}", f"chmod o= '{folder}'"
    return "ok", f"{folder} is writable", ""


def _file_system(settings: Settings) -> tuple[Result, str, str]:
    ground = _ground(settings.data_dir)
    kind = machine.file_system(ground)
    if kind is None:
        return "ok", f"the type of the file system of {ground} is not known here", ""
    if kind in machine.NETWORK_FILE_SYSTEMS:
        return (
            "warning",
            f"{ground} is on {kind}, a network file system",
            "A confirmed write may not be on a disk there, and locks may not hold. Use a local disk.",
        )
    if kind in machine.MEMORY_FILE_SYSTEMS:
        return "warning", f"{ground} is on {kind}, in memory", "A restart loses everything. Use a disk."
    if kind in machine.CONTAINER_FILE_SYSTEMS:
        return (
            "warning",
            f"{ground} is on {kind}, which goes when its container goes",
            f"Mount a volume at {settings.data_dir}.",
        )
    return "ok", f"{kind}", ""


def _disk_space(settings: Settings) -> tuple[Result, str, str]:
    free = shutil.disk_usage(_ground(settings.data_dir)).free
    found = (
        f"{format_bytes(free)} free; writes are refused under {format_bytes(settings.min_free_disk_bytes)}"
    )
    if free < settings.min_free_disk_bytes:
        return "problem", found, "Make room, or lower STENOGRAPH_MIN_FREE_DISK_BYTES."
    if free < settings.min_free_disk_bytes + settings.inbox_max_bytes:
        needed = format_bytes(settings.inbox_max_bytes)
        return (
            "warning",
            found,
            f"A full inbox needs {needed}: make room, or lower STENOGRAPH_INBOX_MAX_BYTES.",
        )
    return "ok", found, ""


def _disk_sync(settings: Settings) -> tuple[Result, str, str]:
    ground = _ground(settings.data_dir)
    try:
        seconds = machine.sync_seconds(ground)
    except OSError as error:
        return (
            "problem",
            f"a file in {ground} cannot be synced: {error}",
            "Use a local disk that is writable.",
        )
    found = f"writing 4 KiB and syncing takes {seconds * 1000:.2f} ms"
    if seconds > 0.05:
        return "warning", found, "Every acknowledgement waits for a sync: a faster disk makes clients faster."
    if seconds < 0.000_02:
        return (
            "warning",
            found,
            "That is too fast for a disk: what is acknowledged may not survive a power failure.",
        )
    return "ok", found, ""


def _memory(settings: Settings) -> tuple[Result, str, str]:
    memory = machine.memory()
    if memory is None:
        return "ok", "not known here", ""
    needed = _IDLE_BYTES + settings.engine_max_memory_bytes + settings.pending_max_bytes
    found = (
        f"{format_bytes(memory.available)} of {format_bytes(memory.total)} available; "
        f"the settings allow the server {format_bytes(needed)}"
    )
    if memory.total < needed:
        return "warning", found, "Lower STENOGRAPH_ENGINE_MAX_MEMORY_BYTES or STENOGRAPH_PENDING_MAX_BYTES."
    if memory.available < _IDLE_BYTES:
        return "warning", found, "Stop something else: the server may be killed when memory runs out."
    return "ok", found, ""


def _limits(settings: Settings) -> tuple[Result, str, str]:
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    stack, _ = resource.getrlimit(resource.RLIMIT_STACK)
    # A level of nesting takes the JSON parser a few hundred bytes of stack; the interpreter needs the rest.
    deep_enough = stack == resource.RLIM_INFINITY or stack >= MiB + 1024 * settings.max_json_depth
    found = f"{_count(files)} open files, {_size(stack)} of stack"
    if files != resource.RLIM_INFINITY and files < _FEWEST_FILES:
        return "problem", found, f"Allow {_FEWEST_FILES} open files or more: ulimit -n 65536"
    if not deep_enough:
        return "warning", found, "Raise it (ulimit -s 8192), or lower STENOGRAPH_MAX_JSON_DEPTH."
    return "ok", found, ""


def _count(limit: int) -> str:
    return "unlimited" if limit == resource.RLIM_INFINITY else str(limit)


def _size(limit: int) -> str:
    return "unlimited" if limit == resource.RLIM_INFINITY else format_bytes(limit)


def _clock(settings: Settings) -> tuple[Result, str, str]:
    now = time.time()
    found = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(now))
    newest = max(
        Path(__file__).stat().st_mtime,
        machine.newest_change(settings.data_dir) if settings.data_dir.is_dir() else 0,
    )
    if newest > now + 60:
        return (
            "warning",
            f"{found}; there are files {newest - now:.0f} s newer than that",
            "The clock was set back. Set it right: newer versions of a run win by it.",
        )
    return "ok", found, ""


def _address(settings: Settings) -> tuple[Result, str, str]:
    host, port = settings.host, settings.port
    error = machine.why_not_bindable(host, port)
    if error is None:
        return "ok", f"{host} port {port} is free", ""
    if error.errno == errno.EADDRINUSE:
        if served(settings):
            return "ok", f"a server answers at {host} port {port}", ""
        return (
            "problem",
            f"{host} port {port} is taken, and not by a Stenograph that answers",
            "Stop what has it, or set STENOGRAPH_PORT.",
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return "problem", f"port {port} is not for user {os.geteuid()}", "Set STENOGRAPH_PORT above 1023."
    return "problem", f"cannot listen at {host}: {error.strerror or error}", "Set STENOGRAPH_HOST."


def served(settings: Settings) -> bool:
    """Whether a server answers `GET /ok` with 200 at the address of the settings."""
    host = settings.host
    try:
        if ipaddress.ip_address(host).is_unspecified:
            host = "::1" if ":" in host else "127.0.0.1"
    except ValueError:
        pass  # a name
    connection = http.client.HTTPConnection(host, settings.port, timeout=3)
    try:
        connection.request("GET", "/ok")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _engine(settings: Settings) -> tuple[Result, str, str]:
    """Opens the engine where the data is, or in an empty folder when there is none yet."""
    folder = settings.runs_dir
    if folder.is_dir():
        return _try_engine(settings, folder)
    with tempfile.TemporaryDirectory(prefix="stenograph-doctor-") as empty:
        return _try_engine(settings, Path(empty))


def _try_engine(settings: Settings, folder: Path) -> tuple[Result, str, str]:
    command = [sys.executable, "-m", "stenograph.store.runs.probe"]
    command += [str(folder), str(settings.engine_max_memory_bytes)]
    try:
        tried = subprocess.run(command, capture_output=True, text=True, timeout=_ENGINE_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        found = f"the engine did not open {folder} in {_ENGINE_SECONDS} s"
        return "problem", found, "See whether the disk is slow or busy."
    if tried.returncode == 0:
        return "ok", f"version {tried.stdout.strip()} opens and answers", ""
    if tried.returncode == LOCKED:
        if served(settings):
            return "ok", "in use by the server that is running", ""
        return (
            "problem",
            f"{folder} is in use by another process, and no server answers at the address of the settings",
            "Stop that process, or let the settings name the address it serves.",
        )
    if tried.returncode < 0:
        return (
            "problem",
            f"the engine was killed by {_signal_name(-tried.returncode)}",
            "It needs a 64-bit x86 processor with SSE 4.2 or an ARM one, and enough memory.",
        )
    reason = tried.stderr.strip().splitlines()
    return "problem", reason[-1] if reason else "it ended without a word", "Restore a backup, or report this."


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _metadata(settings: Settings) -> tuple[Result, str, str]:
    try:
        found = asyncio.run(revision(settings.meta_location))
    except StenographError as error:
        return "problem", error.message, "Check STENOGRAPH_META_URL and that the database answers."
    if not found.known:
        return (
            "problem",
            f"at revision {found.stored}, which this version does not know",
            "A newer version wrote it: install that one, or restore a backup.",
        )
    if found.stored is None:
        return "ok", "nothing stored yet; the server makes it", ""
    if not found.current:
        return (
            "warning",
            f"at revision {found.stored}; the next start brings it to {found.newest}",
            "Make a backup before that start.",
        )
    return "ok", f"at revision {found.stored}, the newest", ""


def _keys(settings: Settings) -> tuple[Result, str, str]:
    if settings.auth_open:
        return "ok", f"no key is needed at {settings.host}: only this machine reaches it", ""
    try:
        there_are = asyncio.run(_any_key(settings.meta_location))
    except StenographError as error:
        return "problem", f"the keys cannot be read: {error.message}", "See the check of the metadata."
    if there_are is None:
        return "warning", "not known until the metadata is at its newest revision", "Start the server once."
    if not there_are:
        return "problem", "keys are needed and there is none", "Create one: stenograph keys create"
    return "ok", "keys are needed, and there is at least one, or a member", ""


async def _any_key(url: str) -> bool | None:
    """None where the answer would need a migration: this changes nothing."""
    found = await revision(url)
    if not found.current:
        return False if found.stored is None else None
    meta = await open_meta(url)
    try:
        return await meta.keys.any_active(time.time_ns() // 1000) or await meta.members.any()
    finally:
        await meta.close()


CHECKS: Mapping[str, Callable[[Settings], tuple[Result, str, str]]] = {
    "settings": _settings,
    "data folder": _data_folder,
    "file system": _file_system,
    "disk space": _disk_space,
    "disk sync": _disk_sync,
    "memory": _memory,
    "limits": _limits,
    "clock": _clock,
    "address": _address,
    "engine": _engine,
    "metadata": _metadata,
    "keys": _keys,
}
