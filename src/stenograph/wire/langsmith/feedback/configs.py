"""LangSmith's routes for feedback configs: what scores under a key look like.

A key has one config here, so LangSmith's `is_first` is always true, and `include_all_configs` adds those that were
deleted: each until its key has a config again.
"""

from __future__ import annotations

from typing import Any, Final

from msgspec import Raw
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from stenograph.domain.access import require
from stenograph.domain.feedback.configs import ConfigChange
from stenograph.domain.feedback.feedback import check_key
from stenograph.errors import Invalid
from stenograph.model.access import Permission
from stenograph.model.feedback_setup import FeedbackConfig
from stenograph.wire.http import Params, body_as, caller, encode, of_body, services
from stenograph.wire.langsmith.feedback.schemas import FeedbackConfigIn, FeedbackConfigUpdateIn
from stenograph.wire.langsmith.feedback.shapes import shape_from_wire
from stenograph.wire.langsmith.runs.convert import zoned_text

_MAX_KEYS: Final = 50


def to_wire(config: FeedbackConfig) -> dict[str, Any]:
    """LangSmith's FeedbackConfigSchema."""
    return {
        "id": config.id,
        "feedback_key": config.key,
        "feedback_config": Raw(config.config),
        "tenant_id": config.workspace,
        "modified_at": zoned_text(config.modified_at),
        "is_lower_score_better": config.is_lower_score_better,
        "is_enforced": config.is_enforced,
        "is_first": True,
        "is_deleted": config.deleted_at is not None,
    }


async def page(request: Request) -> Response:
    """GET /feedback-configs. Every read sees every write, so read_after_write is taken and not needed."""
    who = await caller(request, Permission.READ)
    params = Params(request)
    keys = params.texts("key")
    if len(keys) > _MAX_KEYS:
        raise Invalid(f"at most {_MAX_KEYS} keys", ("query", "key"))
    found = await services(request).feedback_configs.page(
        who.workspace,
        keys=keys or None,
        key_contains=params.text("name_contains"),
        is_enforced=params.flag("is_enforced"),
        with_deleted=params.flag("include_all_configs") or False,
        descending=params.flag("sort_by_desc") is not False,
        offset=params.number("offset", 0, 0, 2**31),
        limit=params.number("limit", 0, 1, 100) or None,
    )
    return encode([to_wire(config) for config in found])


async def create(request: Request) -> Response:
    """POST /feedback-configs."""
    who = await caller(request, Permission.WRITE)
    to = services(request)
    sent = await body_as(request, FeedbackConfigIn)
    if sent.is_enforced:
        require(who, Permission.ADMIN)
    with of_body():
        check_key(sent.feedback_key, "feedback_key")
        shape = shape_from_wire(sent.feedback_config, to.payloads)
        if shape is None:
            raise Invalid("feedback_config is null: give at least its type", ("feedback_config",))
        config = await to.feedback_configs.create(
            who.workspace,
            sent.feedback_key,
            shape,
            is_lower_score_better=sent.is_lower_score_better,
            is_enforced=bool(sent.is_enforced),
        )
    return encode(to_wire(config))


async def update(request: Request) -> Response:
    """PATCH /feedback-configs: null and what was not sent stay as they are."""
    who = await caller(request, Permission.WRITE)
    to = services(request)
    sent = await body_as(request, FeedbackConfigUpdateIn)
    if sent.is_enforced is not None:
        require(who, Permission.ADMIN)
    with of_body():
        key = sent.feedback_key
        if sent.id is not None:
            key = await to.feedback_configs.key_of(who.workspace, sent.id)
        if key is None:
            raise Invalid("say which config: feedback_key", ("feedback_key",))
        change = ConfigChange(
            shape=shape_from_wire(sent.feedback_config, to.payloads),
            remove_values=tuple(sent.remove_categories or ()),
            add_categories=tuple(sent.add_categories or ()),
            is_lower_score_better=sent.is_lower_score_better,
            is_enforced=sent.is_enforced,
        )
        config = await to.feedback_configs.change(who.workspace, key, change)
    return encode(to_wire(config))


async def delete(request: Request) -> Response:
    """DELETE /feedback-configs?feedback_key=, or ?id=."""
    who = await caller(request, Permission.WRITE)
    params = Params(request)
    configs = services(request).feedback_configs
    key, config_id = params.text("feedback_key"), params.uuid("id")
    if (key is None) == (config_id is None):
        raise Invalid("say which config: feedback_key or id, not both", ("query", "feedback_key"))
    if config_id is not None:
        key = await configs.key_of(who.workspace, config_id)
    assert key is not None
    await configs.delete(who.workspace, key)
    return Response(status_code=204)


def routes() -> list[BaseRoute]:
    return [
        Route("/feedback-configs", page, methods=["GET"]),
        Route("/feedback-configs", create, methods=["POST"]),
        Route("/feedback-configs", update, methods=["PATCH"]),
        Route("/feedback-configs", delete, methods=["DELETE"]),
    ]
