"""Reports of insights over the project: one of the first half of the time, one of the second."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

from msgspec import Struct

from stenograph.demo.plan import Plan, moment
from stenograph.transfer.connection import Connection
from stenograph.transfer.failures import ServerTrouble

CONFIG: Final = "What customers ask"
REPORTS: Final = ((f"{CONFIG}, before", 0.0, 0.5), (CONFIG, 0.5, 1.0))
_FIRST_TURNS: Final = 'and(eq(metadata_key, "turn"), eq(metadata_value, 1))'
_CATEGORIES: Final = {
    "Delivery": "Where a parcel is, when it arrives, the tracking of a carrier, a change of the delivery address.",
    "Returns and refunds": "Sending something back, a label, a refund that has not arrived, cancelling an order.",
    "Paying": "A payment that is declined, a card charged twice, a discount code that does not work, an invoice.",
    "Damaged or wrong": "Something arrived broken, cracked or scratched, the wrong thing was in the box.",
    "Products": "Measures and materials, what is in stock, assembly and missing parts, warranty and repair.",
    "Account": "Signing in, a password, the Plus membership and how to end it, deleting data, newsletters.",
}
_EVERY: Final = 0.5
_PATIENCE: Final = 900
"""Seconds."""


class _Config(Struct, frozen=True):
    id: UUID
    name: str


class _Configs(Struct, frozen=True):
    configs: list[_Config]


class _Job(Struct, frozen=True):
    id: UUID
    name: str
    status: str
    error: str | None = None
    metadata: dict[str, Any] | None = None


class _Jobs(Struct, frozen=True):
    clustering_jobs: list[_Job]


def reports(server: Connection, plan: Plan, project: UUID, tell: Callable[[str], None]) -> int:
    """Starts those that are not there and waits for each. Answers how many there are."""
    every = f"/sessions/{project}/insights"
    config: UUID | None = None
    for name, start, end in REPORTS:
        there_are = server.get(every, _Jobs).clustering_jobs
        found = next((job for job in there_are if job.name == name and job.status != "error"), None)
        if found is None:
            config = config or _config(server, every)
            body = {
                "name": name,
                "config_id": config,
                "start_time": moment(plan.at(start)),
                "end_time": moment(plan.at(end)),
            }
            found = server.post(every, _Job, body)
        _wait(server, f"{every}/{found.id}", tell)
    return len(REPORTS)


def _config(server: Connection, every: str) -> UUID:
    """Reports of one configuration pass the ids of their clusters on."""
    found = server.get(f"{every}/configs", _Configs)
    same = next((config for config in found.configs if config.name == CONFIG), None)
    if same is None:
        kept = {
            "filter": _FIRST_TURNS,
            "hierarchy": [18],
            "partitions": _CATEGORIES,
            "attribute_schemas": {"language": {"type": "string", "description": "of the customer"}},
        }
        same = server.post(f"{every}/configs", _Config, {"name": CONFIG, "config": kept})
    return same.id


def _wait(server: Connection, job: str, tell: Callable[[str], None]) -> None:
    stage = ""
    for _ in range(int(_PATIENCE / _EVERY)):
        found = server.get(job, _Job)
        if found.status == "success":
            return
        if found.status == "error":
            raise ServerTrouble(f"the report {found.name!r} ended in an error: {found.error}")
        progress = (found.metadata or {}).get("progress") or {}
        if (now := str(progress.get("stage") or "")) != stage:
            stage = now
            tell(f"  {found.name}: {stage}")
        time.sleep(_EVERY)
    raise ServerTrouble(f"a report is not done after {_PATIENCE // 60} minutes: look at it on the page later")
