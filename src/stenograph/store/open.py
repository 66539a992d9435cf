"""Chooses implementations by URL. The only place that does."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from stenograph.errors import StoreUnavailable
from stenograph.settings import Settings
from stenograph.store.api import BlobStore, MetaStore, RunStore
from stenograph.store.blobs import Blobs
from stenograph.store.file_journal import FileJournal
from stenograph.store.inbox import Inbox
from stenograph.store.meta.database import open_meta
from stenograph.store.runs.chdb import Chdb
from stenograph.store.runs.settle import Pace
from stenograph.store.runs.store import Runs


@dataclass(frozen=True, slots=True)
class Stores:
    """The stores of one server."""

    runs: RunStore
    meta: MetaStore
    blobs: BlobStore
    files: FileJournal
    inbox: Inbox


async def open_stores(settings: Settings) -> Stores:
    """Open everything, creating what is missing. StoreUnavailable names what cannot be opened and why."""
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    meta = await open_meta(settings.meta_location)
    return Stores(
        runs=await open_runs(settings),
        meta=meta,
        blobs=Blobs.open(settings.blobs_location),
        files=FileJournal(settings.data_dir / "files.journal"),
        inbox=Inbox(
            settings.inbox_dir,
            segment_bytes=settings.inbox_segment_bytes,
            max_bytes=settings.inbox_max_bytes,
            min_free_bytes=settings.min_free_disk_bytes,
        ),
    )


async def open_runs(settings: Settings) -> RunStore:
    scheme, _, rest = settings.runs_location.partition("://")
    match scheme:
        case "chdb":
            engine = Chdb(
                Path(unquote(rest)),
                readers=settings.reader_connections,
                threads=settings.engine_threads,
                memory=settings.engine_max_memory_bytes,
                seconds=settings.read_timeout_seconds,
            )
            pace = Pace(
                seconds=settings.settle_seconds,
                tail=settings.settle_tail_runs,
                longest_tail=settings.settle_longest_tail_runs,
                merge_bytes=settings.settle_merge_bytes,
            )
            return await Runs.open(engine, pace if pace.seconds else None)
        case _:
            raise StoreUnavailable(f"no run store speaks {scheme}://; use chdb:///path")
