"""The built page: its one document and what that loads, out of memory.

Built by `make page` into src/stenograph/static, which the wheel carries. Where it is not built, a placeholder says how
to do that, and everything else works.
"""

from __future__ import annotations

import functools
import gzip
import mimetypes
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from stenograph.wire.http import encode, services

FOLDER: Final = Path(__file__).parent.parent.parent / "static"

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
"""Nothing from elsewhere, no inline script or style, no HTML from text (trusted types)."""

HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-cache",
}
_FOREVER: Final = "public, max-age=31536000, immutable"
"""Names of assets carry their hash."""

_PLACEHOLDER: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Stenograph</title></head><body>
<h1>Stenograph is recording</h1>
<p>Point a LangSmith client here and run your program:</p>
<pre>export LANGSMITH_ENDPOINT={url}
export LANGSMITH_TRACING=true
export LANGSMITH_API_KEY={key}</pre>
<p>Everything it records can be read back through the same client. The page that shows it to people is not built
here: with Node 20.19 or newer, <code>make page</code> builds it.</p>
</body></html>
"""


@dataclass(frozen=True, slots=True)
class File:
    """`packed` is the same in gzip, None where that gains nothing."""

    content: bytes
    packed: bytes | None
    media_type: str


@functools.cache
def _file(path: Path) -> File | None:
    try:
        content = path.read_bytes()
    except OSError:
        return None
    packed = gzip.compress(content, 9, mtime=0)
    media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return File(content, packed if len(packed) < len(content) else None, media_type)


def is_built() -> bool:
    return _file(FOLDER / "index.html") is not None


def document(request: Request, *, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """The page's document, whatever the path below it: the page reads the address. Or the placeholder."""
    found = _file(FOLDER / "index.html")
    if found is not None:
        return _answer(request, found, {**HEADERS, **(headers or {})}, status)
    settings = services(request).settings
    url = settings.public_url or str(request.base_url).rstrip("/")
    key = "anything" if settings.auth_open else "&lt;your key&gt;"
    return HTMLResponse(_PLACEHOLDER.format(url=escape(url), key=key), headers=HEADERS)


async def asset(request: Request) -> Response:
    """GET /ui/assets/{name}."""
    name = request.path_params["name"]
    found = _file(FOLDER / "assets" / name) if _is_plain(name) else None
    if found is None:
        return encode({"message": "There is no such file: reload the page."}, 404)
    return _answer(request, found, {**HEADERS, "Cache-Control": _FOREVER}, 200)


def _is_plain(name: str) -> bool:
    """A name such as Vite gives, and no path."""
    return (
        name.replace("-", "").replace("_", "").replace(".", "").isalnum()
        and name.isascii()
        and name[0] != "."
    )


def _answer(request: Request, found: File, headers: dict[str, str], status: int) -> Response:
    headers["Vary"] = "Accept-Encoding"
    if found.packed is not None and "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return Response(found.packed, status, headers, found.media_type)
    return Response(found.content, status, headers, found.media_type)
