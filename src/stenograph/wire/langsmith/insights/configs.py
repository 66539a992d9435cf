"""LangSmith's routes of saved insights configurations, with their schedules."""

from __future__ import annotations

import msgspec
from msgspec import UNSET
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from stenograph.domain.insights.configs import PREBUILT
from stenograph.model.access import Permission
from stenograph.model.insights import ReportRequest
from stenograph.wire.http import Params, body_as, caller, encode, of_body, path_uuid, services
from stenograph.wire.langsmith.insights import shapes
from stenograph.wire.langsmith.insights.schemas import ConfigIn, ConfigPatchIn, GenerateIn


def routes() -> list[BaseRoute]:
    every = "/sessions/{session_id}/insights/configs"
    one = every + "/{insights_config_id}"
    return [
        Route(every, find, methods=["GET"]),
        Route(every, create, methods=["POST"]),
        Route(every + "/generate", generate, methods=["POST"]),
        Route(one, update, methods=["PATCH"]),
        Route(one, delete, methods=["DELETE"]),
    ]


async def find(request: Request) -> Response:
    """GET …/configs, those that come with this server last."""
    who = await caller(request, Permission.READ)
    with_prebuilt = Params(request).flag("include_prebuilts")
    saved = await services(request).insights.configs.of_project(
        who.workspace, path_uuid(request, "session_id")
    )
    found = [shapes.config(each) for each in saved]
    if with_prebuilt:
        found += [shapes.prebuilt(each) for each in PREBUILT]
    return encode({"configs": found})


async def create(request: Request) -> Response:
    """POST …/configs."""
    who = await caller(request, Permission.WRITE)
    project_id = path_uuid(request, "session_id")
    sent = await body_as(request, ConfigIn)
    with of_body():
        saved = await services(request).insights.configs.create(
            who.workspace,
            project_id,
            sent.name,
            msgspec.json.encode(sent.config),
            sent.description,
            sent.schedule_cron,
        )
    return encode(shapes.config(saved))


async def update(request: Request) -> Response:
    """PATCH …/configs/{insights_config_id}."""
    who = await caller(request, Permission.WRITE)
    configs = services(request).insights.configs
    saved = await configs.read(
        who.workspace, path_uuid(request, "session_id"), path_uuid(request, "insights_config_id")
    )
    sent = await body_as(request, ConfigPatchIn)
    changed = msgspec.structs.replace(
        saved,
        name=saved.name if sent.name is None else sent.name,
        description=saved.description if sent.description is None else sent.description,
        config=saved.config if sent.config is None else msgspec.json.encode(sent.config),
        schedule_cron=saved.schedule_cron if sent.schedule_cron is UNSET else sent.schedule_cron or None,
    )
    with of_body():
        return encode(shapes.config(await configs.update(changed)))


async def delete(request: Request) -> Response:
    """DELETE …/configs/{insights_config_id}."""
    who = await caller(request, Permission.WRITE)
    config_id = path_uuid(request, "insights_config_id")
    await services(request).insights.configs.delete(
        who.workspace, path_uuid(request, "session_id"), config_id
    )
    return encode({"id": config_id, "message": f"insights config {config_id} deleted"})


async def generate(request: Request) -> Response:
    """POST …/configs/generate: a configuration that is not saved, drafted by a model."""
    who = await caller(request, Permission.WRITE)
    to, project_id = services(request), path_uuid(request, "session_id")
    await to.projects.read(who.workspace, project_id)
    sent = await body_as(request, GenerateIn)
    with of_body():
        wanted = ReportRequest(
            user_context=sent.user_context,
            provider=sent.model,
            cluster_model=sent.cluster_model,
            summary_model=sent.summary_model,
        )
        found = await to.insights.drafting.draft(who.workspace, project_id, wanted)
    return encode(shapes.draft(found))
