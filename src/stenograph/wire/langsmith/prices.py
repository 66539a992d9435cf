"""LangSmith's model price map: the workspace's own prices, which win over the public list prices."""

from __future__ import annotations

import time
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from msgspec import Struct, structs
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from stenograph.model.access import Permission
from stenograph.model.prices import ModelPrice
from stenograph.model.runs import Micros
from stenograph.wire.http import body_as, caller, encode, of_body, path_uuid, services
from stenograph.wire.langsmith.runs.convert import micros, time_text
from stenograph.wire.langsmith.runs.schemas import Moment


class PriceIn(Struct):
    """POST /model-price-map and PUT /model-price-map/{id}. Costs are numbers or texts, in dollars a token."""

    name: str
    match_pattern: str
    prompt_cost: Decimal
    completion_cost: Decimal
    prompt_cost_details: dict[str, Decimal] | None = None
    completion_cost_details: dict[str, Decimal] | None = None
    match_path: list[str] | None = None
    provider: str | None = None
    start_time: Moment = None


def from_wire(sent: PriceIn, *, workspace: UUID, price_id: UUID, now: Micros) -> ModelPrice:
    price = ModelPrice(
        id=price_id,
        workspace=workspace,
        name=sent.name,
        match_pattern=sent.match_pattern,
        prompt_cost=sent.prompt_cost,
        completion_cost=sent.completion_cost,
        prompt_cost_details=sent.prompt_cost_details or {},
        completion_cost_details=sent.completion_cost_details or {},
        provider=sent.provider,
        start_time=micros(sent.start_time, "start_time"),
        created_at=now,
    )
    return price if sent.match_path is None else structs.replace(price, match_path=sent.match_path)


def to_wire(price: ModelPrice) -> dict[str, Any]:
    """A row of the price map; costs are decimal strings."""
    return {
        "id": price.id,
        "tenant_id": price.workspace,
        "name": price.name,
        "start_time": time_text(price.start_time),
        "match_path": price.match_path,
        "match_pattern": price.match_pattern,
        "prompt_cost": format(price.prompt_cost, "f"),
        "completion_cost": format(price.completion_cost, "f"),
        "prompt_cost_details": _details(price.prompt_cost_details),
        "completion_cost_details": _details(price.completion_cost_details),
        "provider": price.provider,
    }


def _details(costs: Mapping[str, Decimal]) -> dict[str, str] | None:
    return {key: format(cost, "f") for key, cost in costs.items()} or None


async def page(request: Request) -> Response:
    """GET /model-price-map."""
    who = await caller(request, Permission.READ)
    found = await services(request).prices.all(who.workspace)
    return encode([to_wire(price) for price in found])


async def create(request: Request) -> Response:
    """POST /model-price-map."""
    who = await caller(request, Permission.WRITE)
    sent = await body_as(request, PriceIn)
    with of_body():
        price = from_wire(sent, workspace=who.workspace, price_id=uuid4(), now=time.time_ns() // 1000)
        await services(request).prices.add(price)
    return encode(to_wire(price))


async def replace(request: Request) -> Response:
    """PUT /model-price-map/{price_id}: the whole row."""
    who = await caller(request, Permission.WRITE)
    price_id = path_uuid(request, "price_id")
    sent = await body_as(request, PriceIn)
    with of_body():
        price = from_wire(sent, workspace=who.workspace, price_id=price_id, now=time.time_ns() // 1000)
        price = await services(request).prices.replace(price)
    return encode(to_wire(price))


async def delete(request: Request) -> Response:
    """DELETE /model-price-map/{price_id}. Costs that runs already have stay."""
    who = await caller(request, Permission.WRITE)
    price_id = path_uuid(request, "price_id")
    await services(request).prices.remove(who.workspace, price_id)
    return encode({"message": f"model price {price_id} deleted"})


def routes() -> list[BaseRoute]:
    return [
        Route("/model-price-map", page, methods=["GET"]),
        Route("/model-price-map", create, methods=["POST"]),
        Route("/model-price-map/{price_id}", replace, methods=["PUT"]),
        Route("/model-price-map/{price_id}", delete, methods=["DELETE"]),
    ]
