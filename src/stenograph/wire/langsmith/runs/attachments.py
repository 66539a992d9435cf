"""Downloads of the files that came with runs and examples. Clients fetch them without a key: the link permits it.

What is in a file is its sender's business and may be hostile, so that a browser is told to save it, never to
show it.
"""

from __future__ import annotations

import re
import time
from typing import Final
from urllib.parse import quote
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from stenograph.domain.attachments import attachment_key, example_file_key
from stenograph.errors import Forbidden, NotFound
from stenograph.wire.http import services

_MIME_TYPE: Final = re.compile(r"[\w!#$&^.+-]+/[\w!#$&^.+-]+", re.ASCII)
_RANGE: Final = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")
_UNSAFE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f/\\:]|[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""What has no place in the name of a file: control characters, separators, marks that turn text around."""


async def download(request: Request) -> Response:
    """GET /attachments/{workspace}/{run_id}/{name}, with a range when one is asked for.

    403 for a link that was not signed here or has expired, 404 when the run or file is gone.
    """
    to = services(request)
    workspace, run_id, name = _signed(request)
    run = await to.runs.one(workspace, run_id, frozenset({"attachments"}))
    file = next((file for file in run.attachments or () if file.name == name), None)
    if file is None:
        raise NotFound("there is no such attachment")
    data = await to.blobs.get(attachment_key(workspace, run_id, name))
    return _file(request, data, name, file.mime_type)


async def download_example_file(request: Request) -> Response:
    """GET /example-attachments/{workspace}/{file_id}, in the same way."""
    to = services(request)
    path, query = request.path_params, request.query_params
    name, mime_type = query.get("name", ""), query.get("type", "")
    try:
        workspace, file_id = UUID(path["workspace"]), UUID(path["file_id"])
        expires = int(query.get("expires", ""))
    except ValueError:
        raise Forbidden("this link to an attachment is not valid") from None
    signature = query.get("signature", "")
    to.links.check_example_file(workspace, file_id, name, mime_type, expires, signature, time.time())
    data = await to.blobs.get(example_file_key(workspace, file_id))
    return _file(request, data, name, mime_type)


def _file(request: Request, data: bytes, name: str, mime_type: str) -> Response:
    headers = {
        "Content-Type": mime_type if _MIME_TYPE.fullmatch(mime_type) else "application/octet-stream",
        "Content-Disposition": disposition(name),
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Cache-Control": "private, max-age=60",
        "Accept-Ranges": "bytes",
    }
    return _answer(data, request.headers.get("range"), headers)


def _signed(request: Request) -> tuple[UUID, UUID, str]:
    """Workspace, run and name of a link whose signature is good; Forbidden for any other."""
    path, query = request.path_params, request.query_params
    name = query.get("name", path["name"])
    try:
        workspace, run_id = UUID(path["workspace"]), UUID(path["run_id"])
        expires = int(query.get("expires", ""))
    except ValueError:
        raise Forbidden("this link to an attachment is not valid") from None
    services(request).links.check(workspace, run_id, name, expires, query.get("signature", ""), time.time())
    return workspace, run_id, name


def disposition(name: str) -> str:
    """Content-Disposition that saves under `name`: plain for old clients, then as UTF-8 (RFC 6266)."""
    safe = _UNSAFE.sub("_", name).lstrip(".") or "attachment"
    plain = "".join(c if c.isascii() and c.isprintable() and c not in '"%;' else "_" for c in safe)
    coded = quote(safe.encode("utf-8", "replace"), safe="")
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{coded}"


def _answer(data: bytes, wanted: str | None, headers: dict[str, str]) -> Response:
    """All of it, or the one range that was asked for (RFC 9110, section 14); several at once get all of it."""
    match = _RANGE.fullmatch(wanted.strip()) if wanted else None
    if match is None or not (match[1] or match[2]):
        return Response(data, headers=headers)
    size = len(data)
    if match[1]:
        start, end = int(match[1]), min(int(match[2]) + 1 if match[2] else size, size)
        if match[2] and int(match[2]) < int(match[1]):
            return Response(data, headers=headers)
    else:
        start, end = max(0, size - int(match[2])), size
    if start >= end:
        return Response(status_code=416, headers={**headers, "Content-Range": f"bytes */{size}"})
    headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    return Response(data[start:end], 206, headers=headers)


def routes() -> list[BaseRoute]:
    return [
        Route("/attachments/{workspace}/{run_id}/{name:path}", download, methods=["GET"]),
        Route("/example-attachments/{workspace}/{file_id}", download_example_file, methods=["GET"]),
    ]
