"""Dead letters, for the page and the command line. Whose letters an admin sees: domain/recording/dead_letters.py.

GET  /ui/api/dead-letters                 notes: a letter each, without what is in it
GET  /ui/api/dead-letters/{letter_id}     one letter, with what is in it as JSON, or as base64 where nobody can read it
POST /ui/api/dead-letters/replay          {ids} -> what became of each
POST /ui/api/dead-letters/discard         {ids} -> {discarded}
"""

from __future__ import annotations

import base64
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from stenograph.domain.recording.dead_letters import said
from stenograph.errors import Invalid
from stenograph.model.access import Permission
from stenograph.model.dead_letters import DeadLetter, DeadLetterNote
from stenograph.model.feedback import Feedback
from stenograph.model.runs import RunPatch
from stenograph.wire.http import Params, body_as, encode, path_uuid, services
from stenograph.wire.ui.signing_in import viewer

MAX_IDS: Final = 100
"""Letters of one request."""

STATES: Final = {"waiting": False, "replayed": True, "all": None}


class Chosen(msgspec.Struct):
    """The body of replaying and discarding."""

    ids: Annotated[list[UUID], msgspec.Meta(min_length=1, max_length=MAX_IDS)]


def routes() -> list[BaseRoute]:
    return [
        Route("/ui/api/dead-letters", find, methods=["GET"]),
        Route("/ui/api/dead-letters/replay", replay, methods=["POST"]),
        Route("/ui/api/dead-letters/discard", discard, methods=["POST"]),
        Route("/ui/api/dead-letters/{letter_id}", read, methods=["GET"]),
    ]


async def find(request: Request) -> Response:
    """GET /ui/api/dead-letters: state, offset, limit."""
    who = await viewer(request, Permission.ADMIN)
    params = Params(request)
    state = params.text("state") or "waiting"
    if state not in STATES:
        raise Invalid(f"{state[:40]!r} is not one of {', '.join(STATES)}", where=("query", "state"))
    found = await services(request).dead_letters.find(
        who,
        replayed=STATES[state],
        offset=params.number("offset", 0, 0, 2**31),
        limit=params.number("limit", 100, 1, 1000),
    )
    return encode([_note(note) for note in found])


async def read(request: Request) -> Response:
    """GET /ui/api/dead-letters/{letter_id}."""
    who = await viewer(request, Permission.ADMIN)
    letter = await services(request).dead_letters.read(who, path_uuid(request, "letter_id"))
    return encode({**_note(letter), **_contents(letter)})


async def replay(request: Request) -> Response:
    """POST /ui/api/dead-letters/replay."""
    who = await viewer(request, Permission.ADMIN)
    chosen = await body_as(request, Chosen)
    return encode(await services(request).dead_letters.replay(who, list(dict.fromkeys(chosen.ids))))


async def discard(request: Request) -> Response:
    """POST /ui/api/dead-letters/discard."""
    who = await viewer(request, Permission.ADMIN)
    chosen = await body_as(request, Chosen)
    return encode({"discarded": await services(request).dead_letters.discard(who, chosen.ids)})


def _note(letter: DeadLetter | DeadLetterNote) -> dict[str, Any]:
    return {
        "id": letter.id,
        "workspace_id": letter.workspace,
        "kind": letter.kind,
        "subject_id": letter.subject_id,
        "reason": letter.reason,
        "size": letter.size if isinstance(letter, DeadLetterNote) else len(letter.record),
        "created_at": letter.created_at,
        "replayed_at": letter.replayed_at,
    }


def _contents(letter: DeadLetter) -> dict[str, Any]:
    try:
        items = said(letter)
    except ValueError:
        return {"contents": None, "record": base64.b64encode(letter.record).decode()}
    return {"contents": [_item(item) for item in items], "record": None}


def _item(item: RunPatch | Feedback) -> dict[str, Any]:
    """What was stated, by our own names; times are microseconds since the epoch."""
    stated: dict[str, Any] = {"kind": "run" if isinstance(item, RunPatch) else "feedback"}
    for name, value in msgspec.structs.asdict(item).items():
        if isinstance(value, bytes):
            stated[name] = msgspec.Raw(value)
        elif name == "attachments" and value is not None:
            stated[name] = [msgspec.structs.asdict(file) for file in value]
        elif value is not None:
            stated[name] = value
    return stated
