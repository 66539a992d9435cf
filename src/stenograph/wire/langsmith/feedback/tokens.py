"""LangSmith's presigned feedback links: made with a key, used without one.

The link's last segment is the token, and the token is the permission; a key sent along is not looked at.
"""

from __future__ import annotations

import math
from typing import Any, Final
from uuid import UUID, uuid4

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from stenograph.errors import Invalid, TooLarge
from stenograph.model.access import Permission
from stenograph.model.feedback_setup import FeedbackToken
from stenograph.model.runs import Micros
from stenograph.wire.http import Params, body_as, caller, decode, encode, of_body, path_uuid, services
from stenograph.wire.langsmith.feedback.schemas import FeedbackByTokenIn, FeedbackTokenIn, TimedeltaIn
from stenograph.wire.langsmith.feedback.shapes import by_token, score_of_text, shape_from_wire
from stenograph.wire.langsmith.runs.convert import micros, zoned_text
from stenograph.wire.langsmith.runs.schemas import ABSENT
from stenograph.wire.payloads import Payloads

_DEFAULT_LIFE: Final[Micros] = 3 * 3600 * 1_000_000
_MAX_BODY: Final = 1024 * 1024
"""Bytes of feedback from people without a key."""

# Links are for web pages of any origin. In open mode the check of addresses refuses those before this.
_ANY_ORIGIN: Final = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, POST",
    "Access-Control-Allow-Headers": "content-type, x-api-key",
    "Access-Control-Max-Age": "86400",
}

# -- with a key ------------------------------------------------------------------------------------------


_ONE_OR_MANY: Final[type[list[FeedbackTokenIn] | FeedbackTokenIn]] = list[FeedbackTokenIn] | FeedbackTokenIn  # type: ignore[assignment]


async def issue(request: Request) -> Response:
    """POST /feedback/tokens: one object or a list of them; the answer has the same form."""
    who = await caller(request, Permission.INGEST)
    to = services(request)
    wanted = await body_as(request, _ONE_OR_MANY)
    now = to.feedback_tokens.now()
    with of_body():
        many = wanted if isinstance(wanted, list) else [wanted]
        tokens = [_token(sent, who.workspace, now, to.payloads) for sent in many]
        await to.feedback_tokens.issue(tokens)
    found = [to_wire(token, request) for token in tokens]
    return encode(found if isinstance(wanted, list) else found[0])


def _token(sent: FeedbackTokenIn, workspace: UUID, now: Micros, payloads: Payloads) -> FeedbackToken:
    shape = shape_from_wire(sent.feedback_config, payloads)
    return FeedbackToken(
        id=sent.id or uuid4(),
        workspace=workspace,
        run_id=sent.run_id,
        key=sent.feedback_key,
        expires_at=_expiry(sent, now),
        created_at=now,
        config=None if shape is None else msgspec.json.encode(shape),
    )


def _expiry(sent: FeedbackTokenIn, now: Micros) -> Micros:
    at = micros(sent.expires_at, "expires_at")
    if at is not None and sent.expires_in is not None:
        raise Invalid("give expires_in or expires_at, not both", ("expires_at",))
    if at is not None:
        return at
    return now + (_DEFAULT_LIFE if sent.expires_in is None else _length(sent.expires_in))


def _length(life: TimedeltaIn) -> Micros:
    minutes = (life.days or 0) * 1440 + (life.hours or 0) * 60 + (life.minutes or 0)
    if not math.isfinite(minutes):
        raise Invalid("expires_in is too long", ("expires_in",))
    return round(minutes * 60_000_000)


def to_wire(token: FeedbackToken, request: Request) -> dict[str, Any]:
    """LangSmith's FeedbackIngestTokenSchema; the link leads to where the server was asked."""
    asked = f"{request.url.scheme}://{request.url.netloc}"
    server = services(request).settings.public_url.rstrip("/") or asked
    return {
        "id": token.id,
        "url": f"{server}/feedback/tokens/{token.id}",
        "expires_at": zoned_text(token.expires_at),
        "feedback_key": token.key,
    }


async def page(request: Request) -> Response:
    """GET /feedback/tokens?run_id=. Whoever sees a token can write with it, so seeing them takes as much."""
    who = await caller(request, Permission.WRITE)
    params = Params(request)
    run_id = params.uuid("run_id")
    if run_id is None:
        raise Invalid("run_id is needed", ("query", "run_id"))
    offset, limit = params.number("offset", 0, 0, 2**31), params.number("limit", 0, 1, 100)
    found = await services(request).feedback_tokens.page(who.workspace, run_id, offset, limit or None)
    return encode([to_wire(token, request) for token in found])


# -- without a key ---------------------------------------------------------------------------------------


async def give_by_link(request: Request) -> Response:
    """GET /feedback/tokens/{token}?score=&value=&comment=&correction=. A HEAD request records nothing."""
    token = await services(request).feedback_tokens.redeem(path_uuid(request, "token"))
    if request.method == "HEAD":
        return Response(headers=_ANY_ORIGIN)
    params = Params(request)
    score = params.text("score")
    try:
        sent = FeedbackByTokenIn(
            score=score_of_text(score) if score else ABSENT,
            value=_text(params.text("value")),
            comment=params.text("comment"),
            correction=_text(params.text("correction")),
        )
        return await _give(request, token, sent)
    except Invalid as error:
        raise Invalid(error.message, ("query", *error.where)) from None


def _text(found: str | None) -> msgspec.Raw:
    return ABSENT if found is None else msgspec.Raw(msgspec.json.encode(found))


async def give_by_body(request: Request) -> Response:
    """POST /feedback/tokens/{token}. The token is looked at before the body is read."""
    to = services(request)
    token = await to.feedback_tokens.redeem(path_uuid(request, "token"))
    async with to.bodies.read(request) as body:
        if len(body) > _MAX_BODY:
            raise TooLarge(f"feedback by token has {len(body)} bytes; at most {_MAX_BODY} are taken")
        sent = decode(body, FeedbackByTokenIn)
    with of_body():
        return await _give(request, token, sent)


async def _give(request: Request, token: FeedbackToken, sent: FeedbackByTokenIn) -> Response:
    to = services(request)
    given = by_token(sent, token, new_id=uuid4(), now=to.feedback_tokens.now(), payloads=to.payloads)
    await to.feedback.give(given)
    answer = encode({"message": "feedback recorded", "id": given.id})
    answer.headers.update(_ANY_ORIGIN)
    return answer


async def preflight(_: Request) -> Response:
    """OPTIONS /feedback/tokens/{token}: what a browser asks before it sends JSON from another origin."""
    return Response(status_code=204, headers=_ANY_ORIGIN)


def routes() -> list[BaseRoute]:
    return [
        Route("/feedback/tokens", issue, methods=["POST"]),
        Route("/feedback/tokens", page, methods=["GET"]),
        Route("/feedback/tokens/{token}", give_by_link, methods=["GET"]),
        Route("/feedback/tokens/{token}", give_by_body, methods=["POST"]),
        Route("/feedback/tokens/{token}", preflight, methods=["OPTIONS"]),
    ]
