"""What a LangSmith client asks before anything else: what this server can do, and whose it is."""

from __future__ import annotations

import shutil

from starlette.requests import Request
from starlette.responses import Response

from stenograph.model.access import Permission
from stenograph.wire.http import caller, encode, services
from stenograph.wire.langsmith.runs.convert import time_text

SPOKEN_VERSION = "0.16.14"
"""The LangSmith version whose behaviour we follow. By it clients send feedback with runs (0.8.10) and stop warning that
the v2 routes (0.16.0) and items of annotation queues (0.16.14) may be missing; 0.17 has filters of threads, 0.18 agents
and addresses of projects, which are not here. docs/decisions/170-the-version-that-is-told.md"""


async def info(request: Request) -> Response:
    """GET /info. No key needed. All six numbers of the batch configuration: Python's client indexes them."""
    return encode(
        {
            "version": SPOKEN_VERSION,
            "license_expiration_time": None,
            "batch_ingest_config": {
                "use_multipart_endpoint": True,
                "size_limit": 100,
                "size_limit_bytes": 20_971_520,
                "scale_up_nthreads_limit": 16,
                "scale_up_qsize_trigger": 1000,
                "scale_down_nempty_trigger": 4,
            },
            "instance_flags": {
                "zstd_compression_enabled": True,
                "gzip_body_enabled": True,
                "ch_query_enabled": True,
                "sdb_query_enabled": False,
                "dataset_examples_multipart_enabled": True,
                "examples_multipart_enabled": True,
            },
            "customer_info": None,
        }
    )


async def ok(_: Request) -> Response:
    """GET /ok."""
    return encode({"ok": True})


async def health(request: Request) -> Response:
    """GET /info/health."""
    disk = shutil.disk_usage(services(request).settings.data_dir)
    return encode({"clickhouse_disk_free_pct": round(100 * disk.free / disk.total, 1)})


async def settings(request: Request) -> Response:
    """GET /settings: the workspace, under the name clients know it by."""
    who = await caller(request, Permission.READ)
    workspace = await services(request).access.workspace(who)
    return encode(
        {
            "id": workspace.id,
            "display_name": workspace.name,
            "created_at": time_text(workspace.created_at),
            "tenant_handle": workspace.handle,
        }
    )
