"""The page. Until it is built, a placeholder that says so; `/` sends a browser there."""

from __future__ import annotations

from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from stenograph.wire.http import encode, services
from stenograph.wire.ui import dead_letters, share

_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Stenograph</title>
<style>
  :root {{ color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }}
  body {{ max-width: 44rem; margin: 4rem auto; padding: 0 1rem }}
  pre {{ padding: 1rem; border: 1px solid #8884; border-radius: 6px; white-space: pre-wrap; overflow-wrap: anywhere }}
</style>
<h1>Stenograph is recording</h1>
<p>Point a LangSmith client here and run your program:</p>
<pre>export LANGSMITH_ENDPOINT={url}
export LANGSMITH_TRACING=true
export LANGSMITH_API_KEY={key}</pre>
<p>Everything it records can be read back through the same client. The page that shows it to people is not
part of this version yet.</p>
</html>"""


async def page(request: Request) -> Response:
    """GET /ui/."""
    settings = services(request).settings
    url = settings.public_url or str(request.base_url).rstrip("/")
    key = "anything" if settings.auth_open else "&lt;your key&gt;"
    policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'"
    return HTMLResponse(_PAGE.format(url=escape(url), key=key), headers={"Content-Security-Policy": policy})


async def root(request: Request) -> Response:
    """GET /: a browser wants the page, a program a sign of life."""
    if "text/html" in request.headers.get("accept", ""):
        return RedirectResponse("/ui")
    return encode({"name": "Stenograph", "ok": True})


def routes() -> list[BaseRoute]:
    return [Route("/", root), Route("/ui", page), *share.routes(), *dead_letters.routes()]
