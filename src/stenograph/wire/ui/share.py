"""The page behind a shared link: one trace as plain text, for readers without a key.

Everything on it was written by strangers, so that it is escaped, and the policy lets nothing run or load.
It has no links, and no script.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from contextlib import suppress
from html import escape
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from stenograph.domain.sharing import Opened
from stenograph.errors import NotFound
from stenograph.model.query import RunQuery, RunSelection
from stenograph.model.runs import Run
from stenograph.wire.http import Services, services

MAX_RUNS: Final = 500
MAX_TEXT: Final = 20_000
"""Characters of one payload."""
MAX_PAGE: Final = 4_000_000
"""Characters of payload on the page; runs after that are shown without theirs."""
_AT_ONCE: Final = 20
_PRETTY_UP_TO: Final = 1 << 20

_STYLE: Final = """
:root { color-scheme: light dark; --dim: #5b6675; --bad: #b42318; font: 15px/1.5 system-ui, sans-serif }
@media (prefers-color-scheme: dark) { :root { --dim: #a3adba; --bad: #ff8a80 } }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.3rem } h1, summary { overflow-wrap: anywhere }
ol { list-style: none; margin: 0; padding: 0 } li { border-top: 1px solid #8884; padding: .3rem 0 }
.tree { white-space: pre; color: var(--dim) } .kind, .when { color: var(--dim); font-size: .85em }
.error { color: var(--bad); font-weight: 600 }
pre { margin: .3rem 0; padding: .6rem; border: 1px solid #8884; border-radius: 4px; overflow: auto;
  max-height: 30rem; white-space: pre-wrap; overflow-wrap: anywhere; font-size: .85em }
h2 { font-size: .85em; margin: .6rem 0 0 } bdi { unicode-bidi: isolate }
"""
_STYLE_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

HEADERS: Final = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'; sandbox"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
    "Cache-Control": "no-store",
}
"""The link is a secret that may be withdrawn: no cache keeps the page, no search engine lists it."""


async def page(request: Request) -> Response:
    """GET /public/{token}/r."""
    to = services(request)
    try:
        opened = await to.sharing.open(request.path_params["token"])
        runs = await _tree(to, opened)
    except NotFound:
        runs = []
    if not runs:
        return nothing()
    shown = sorted(runs[:MAX_RUNS], key=lambda run: run.dotted_order or "")
    entries = await _entries(to, opened, shown)
    more = f"<p>Only the first {MAX_RUNS} runs are shown.</p>" if len(runs) > MAX_RUNS else ""
    title = shown[0].name or "trace"
    body = f"<h1><bdi>{escaped(title)}</bdi></h1>\n<ol>\n{entries}</ol>\n{more}"
    return html(title, body, 200)


def nothing() -> Response:
    """What a link says that leads nowhere."""
    body = "<h1>Nothing is shared here</h1>\n<p>The link is wrong, or it was withdrawn.</p>"
    return html("Not found", body, 404)


async def _tree(to: Services, opened: Opened) -> list[Run]:
    """The trace's runs without their payloads, one more than are shown when there are more."""
    selection = opened.confine(RunSelection(workspace=opened.workspace))
    columns = frozenset({"name", "run_type", "status", "end_time", "dotted_order"})
    return await to.runs.page(
        RunQuery(selection=selection, columns=columns, limit=MAX_RUNS + 1, newest_first=False)
    )


async def _entries(to: Services, opened: Opened, runs: Sequence[Run]) -> str:
    """The list's items. Payloads are read a few runs at a time, until the page is full."""
    parts: list[str] = []
    room = MAX_PAGE
    base = (runs[0].dotted_order or "").count(".")
    for start in range(0, len(runs), _AT_ONCE):
        some = runs[start : start + _AT_ONCE]
        whole: dict[object, Run] = {}
        if room > 0:
            chosen = RunSelection(workspace=opened.workspace, ids=tuple(run.id for run in some))
            columns = frozenset({"inputs", "outputs", "error"})
            question = RunQuery(selection=opened.confine(chosen), columns=columns, limit=len(some))
            whole = {run.id: run for run in await to.runs.page(question)}
        for run in some:
            details = _details(whole[run.id]) if room > 0 and run.id in whole else "<p>Not shown.</p>"
            room -= len(details)
            parts.append(_entry(run, max(0, (run.dotted_order or "").count(".") - base), details))
    return "".join(parts)


def _entry(run: Run, depth: int, details: str) -> str:
    """One run, folded; the root is open, since its inputs and outputs are what a visitor came for."""
    status = f'<span class="{"error" if run.status == "error" else "when"}">{escaped(run.status)}</span>'
    indent = "  " * min(depth, 40) + ("└ " if depth else "")
    return (
        f'<li><details{"" if depth else " open"}><summary><span class="tree">{indent}</span>'
        f'<bdi>{escaped(run.name or "")}</bdi> <span class="kind">{escaped(run.run_type or "chain")}</span> '
        f'{status} <span class="when">{_latency(run)}</span></summary>\n{details}</details></li>\n'
    )


def _details(run: Run) -> str:
    found = [("Inputs", pretty(run.inputs)), ("Outputs", pretty(run.outputs)), ("Error", run.error or "")]
    return "".join(f"<h2>{title}</h2><pre>{escaped(cut(text))}</pre>\n" for title, text in found if text)


def _latency(run: Run) -> str:
    return "" if run.end_time is None else f"{(run.end_time - run.start_time) / 1e6:,.3f} s"


def pretty(document: bytes | None) -> str:
    """JSON with a line for each member; as it is where it is too large or too deep for that."""
    if document is None:
        return ""
    if len(document) <= _PRETTY_UP_TO:
        with suppress(msgspec.DecodeError, RecursionError):  # it is shown all the same
            document = msgspec.json.format(document, indent=2)
    return document[: 4 * MAX_TEXT + 4].decode("utf-8", "replace")


def cut(text: str) -> str:
    return text if len(text) <= MAX_TEXT else text[:MAX_TEXT] + "\n…"


def escaped(text: str) -> str:
    return escape(text.replace("\0", "\ufffd"))


def html(title: str, body: str, status: int) -> Response:
    document = (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escaped(title)}</title><style>{_STYLE}</style></head>\n<body>\n{body}\n</body></html>\n"
    )
    return HTMLResponse(document.encode("utf-8", "replace"), status, headers=HEADERS)
