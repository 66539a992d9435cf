"""A workspace's own price for a model, as LangSmith's model price map has it."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

import msgspec

from stenograph.model.runs import Micros


class ModelPrice(msgspec.Struct, frozen=True, kw_only=True):
    """Dollars a token. Of the rows that match a run, the newest whose `start_time` is not after the run wins.

    `match_pattern` is a regular expression searched in the model's name; `match_path` lists the places in
    `extra.metadata` and `extra.invocation_params` where the name may stand. Detail prices are by the
    provider's detail key (`cache_read`, `audio` …) and replace the base price for those tokens.
    """

    id: UUID
    workspace: UUID
    name: str
    match_pattern: str
    prompt_cost: Decimal
    completion_cost: Decimal
    prompt_cost_details: dict[str, Decimal] = {}
    completion_cost_details: dict[str, Decimal] = {}
    match_path: list[str] = msgspec.field(
        default_factory=lambda: ["model", "model_name", "model_id", "model_path", "endpoint_name"]
    )
    provider: str | None = None
    start_time: Micros | None = None
    created_at: Micros = 0
