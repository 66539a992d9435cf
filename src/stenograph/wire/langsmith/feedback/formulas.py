"""LangSmith's routes for feedback formulas: scores computed from other scores of a run."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from stenograph.model.access import Permission
from stenograph.model.feedback_formulas import Aggregation, FeedbackFormula, Formula, FormulaPart
from stenograph.wire.http import Params, body_as, caller, encode, of_body, path_uuid, services
from stenograph.wire.langsmith.feedback.schemas import FeedbackFormulaIn, FeedbackFormulaUpdateIn
from stenograph.wire.langsmith.runs.convert import zoned_text


def from_wire(sent: FeedbackFormulaUpdateIn) -> Formula:
    return Formula(
        key=sent.feedback_key,
        aggregation=Aggregation(sent.aggregation_type),
        parts=tuple(FormulaPart(part.key, part.weight) for part in sent.formula_parts),
    )


def to_wire(found: FeedbackFormula) -> dict[str, Any]:
    """LangSmith's FeedbackFormula."""
    return {
        "id": found.id,
        "dataset_id": found.dataset_id,
        "session_id": found.project_id,
        "feedback_key": found.formula.key,
        "aggregation_type": found.formula.aggregation.value,
        "formula_parts": [
            {"part_type": "weighted_key", "weight": part.weight, "key": part.key}
            for part in found.formula.parts
        ],
        "created_at": zoned_text(found.created_at),
        "modified_at": zoned_text(found.modified_at),
    }


async def create(request: Request) -> Response:
    """POST /feedback/formulas."""
    who = await caller(request, Permission.WRITE)
    sent = await body_as(request, FeedbackFormulaIn)
    with of_body():
        made = await services(request).feedback_formulas.create(
            who.workspace, from_wire(sent), dataset=sent.dataset_id, project=sent.session_id
        )
    return encode(to_wire(made))


async def page(request: Request) -> Response:
    """GET /feedback/formulas: of a project, of a dataset, or all."""
    who = await caller(request, Permission.READ)
    params = Params(request)
    found = await services(request).feedback_formulas.page(
        who.workspace,
        dataset=params.uuid("dataset_id"),
        project=params.uuid("session_id"),
        offset=params.number("offset", 0, 0, 2**31),
        limit=params.number("limit", 20, 1, 1000),
    )
    return encode([to_wire(one) for one in found])


async def one(request: Request) -> Response:
    """GET /feedback/formulas/{formula_id}."""
    who = await caller(request, Permission.READ)
    formula_id = path_uuid(request, "formula_id")
    return encode(to_wire(await services(request).feedback_formulas.read(who.workspace, formula_id)))


async def update(request: Request) -> Response:
    """PUT /feedback/formulas/{formula_id}: the whole formula anew. Whose it is stays."""
    who = await caller(request, Permission.WRITE)
    formula_id = path_uuid(request, "formula_id")
    sent = await body_as(request, FeedbackFormulaUpdateIn)
    with of_body():
        changed = await services(request).feedback_formulas.change(who.workspace, formula_id, from_wire(sent))
    return encode(to_wire(changed))


async def delete(request: Request) -> Response:
    """DELETE /feedback/formulas/{formula_id}."""
    who = await caller(request, Permission.WRITE)
    formula_id = path_uuid(request, "formula_id")
    await services(request).feedback_formulas.delete(who.workspace, formula_id)
    return encode({"message": f"feedback formula {formula_id} deleted"})


def routes() -> list[BaseRoute]:
    """To stand before those of feedback, whose path of one piece is less special."""
    return [
        Route("/feedback/formulas", create, methods=["POST"]),
        Route("/feedback/formulas", page, methods=["GET"]),
        Route("/feedback/formulas/{formula_id}", one, methods=["GET"]),
        Route("/feedback/formulas/{formula_id}", update, methods=["PUT"]),
        Route("/feedback/formulas/{formula_id}", delete, methods=["DELETE"]),
    ]
