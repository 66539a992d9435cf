"""What is stored: runs by project with their size for everybody, bytes on the disk for the operator."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

from stenograph.domain.runs import RunReader
from stenograph.model.access import DEFAULT_WORKSPACE, PERMISSIONS, Caller, Permission
from stenograph.model.query import RunSelection

MAX_PROJECTS: Final = 2000
SAMPLED: Final = 100_000
"""Runs whose payloads are measured; of more it is a sample."""

_PARTS: Final[Mapping[str, str]] = {
    "runs": "runs",
    "inbox": "inbox",
    "blobs": "attachments",
    "insights": "reports",
    "meta.db": "metadata",
    "meta.db-wal": "metadata",
    "meta.db-shm": "metadata",
}
"""What is in the data folder, by what people call it. What is not here is `other`."""


@dataclass(frozen=True, slots=True)
class Disk:
    """Bytes by part of the data folder, and what is free beside them. Metadata in PostgreSQL are not among them."""

    parts: Mapping[str, int]
    free: int


@dataclass(frozen=True, slots=True)
class Stored:
    """Runs by project, the largest first, and about how many bytes their payloads are as they were sent, before
    compression, where that could be told. `disk` is for the operator, None for others."""

    runs: Mapping[UUID, int]
    sizes: Mapping[UUID, int]
    disk: Disk | None


class Storage:
    """`folder` is the data folder."""

    def __init__(self, folder: Path, runs: RunReader) -> None:
        self._folder = folder
        self._runs = runs

    async def of(self, who: Caller) -> Stored:
        """Of the caller's workspace; for an admin of the default one with the bytes of the whole installation."""
        chosen = RunSelection(workspace=who.workspace)
        stats = await self._runs.stats(chosen, "project", groups=MAX_PROJECTS, feedback=False)
        counts = {UUID(key): found.run_count for key, found in stats.items()}
        every = max(1, sum(counts.values()) // SAMPLED)
        means = await self._runs.mean_sizes(who.workspace, every)
        is_operator = who.workspace == DEFAULT_WORKSPACE and Permission.ADMIN in PERMISSIONS[who.role]
        return Stored(
            dict(sorted(counts.items(), key=lambda one: -one[1])),
            {project: round(means[project] * count) for project, count in counts.items() if project in means},
            await asyncio.to_thread(_disk, self._folder) if is_operator else None,
        )


def _disk(folder: Path) -> Disk:
    parts: dict[str, int] = dict.fromkeys(_PARTS.values(), 0)
    for entry in os.scandir(folder):
        name = _PARTS.get(entry.name, "other")
        parts[name] = parts.get(name, 0) + _bytes(entry)
    disk = os.statvfs(folder)
    return Disk(parts, disk.f_bavail * disk.f_frsize)


def _bytes(entry: os.DirEntry[str]) -> int:
    """What a file, or all files below a folder, take on the disk; what goes meanwhile counts as nothing."""
    try:
        if not entry.is_dir(follow_symlinks=False):
            return entry.stat(follow_symlinks=False).st_blocks * 512
        with os.scandir(entry.path) as inside:
            return sum(map(_bytes, inside))
    except OSError:
        return 0
