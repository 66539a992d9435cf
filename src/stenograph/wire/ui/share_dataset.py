"""The page behind a link to a dataset, as plain text: its examples, for readers without a key or scripts.

Everything on it was written by strangers: see share.py, whose rules hold here.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from stenograph.errors import NotFound
from stenograph.model.examples import Example, ExampleQuery
from stenograph.wire.http import services
from stenograph.wire.ui.share import MAX_PAGE, cut, escaped, html, nothing, pretty

MAX_EXAMPLES: Final = 200


async def page(request: Request) -> Response:
    """GET /public/{share_token}/d?plain."""
    to = services(request)
    try:
        opened = await to.dataset_sharing.open(UUID(request.path_params["share_token"]), counted=True)
    except (NotFound, ValueError):
        return nothing()
    query = ExampleQuery(workspace=opened.workspace, dataset_id=opened.dataset.id)
    entries: list[str] = []
    room = MAX_PAGE
    async for some in to.examples.walk(query):
        for example in some:
            entries.append(_entry(example, shown=room > 0))
            room -= len(entries[-1])
        if len(entries) >= MAX_EXAMPLES or room <= 0:
            break
    count = opened.dataset.example_count
    more = f"<p>{len(entries)} of {count} examples are shown.</p>" if count > len(entries) else ""
    about = f"<p>{escaped(cut(opened.dataset.description))}</p>" if opened.dataset.description else ""
    body = f"<h1><bdi>{escaped(opened.dataset.name)}</bdi></h1>\n{about}<ol>\n{''.join(entries)}</ol>\n{more}"
    return html(opened.dataset.name, body, 200)


def _entry(example: Example, *, shown: bool) -> str:
    """One example, open."""
    parts = [("Inputs", example.inputs), ("Reference outputs", example.outputs)] if shown else []
    details = "".join(
        f"<h2>{title}</h2><pre>{escaped(cut(pretty(document)))}</pre>\n"
        for title, document in parts
        if document is not None
    )
    name = f"#{example.id.hex[:8]}"
    return f"<li><details open><summary>{name}</summary>\n{details or '<p>Not shown.</p>'}</details></li>\n"
