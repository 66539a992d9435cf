"""The demo's projects on the server: found by name, made when they are not there."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final
from uuid import UUID

import msgspec
from msgspec import Struct

from stenograph.demo.plan import Plan, moment
from stenograph.demo.runs import Json
from stenograph.errors import Conflict
from stenograph.transfer.connection import Connection

SUPPORT: Final = "support-agent"
AUDIT: Final = "refund-audit"


class Project(Struct, frozen=True):
    """A project as the server tells it."""

    id: UUID
    name: str
    extra: dict[str, Any] | None = None
    reference_dataset_id: UUID | None = None


class _Mark(Struct, frozen=True):
    """What the demo notes in its project: of what it was made."""

    seed: int
    traces: int
    days: float
    until: dt.datetime


def find(server: Connection, name: str) -> Project | None:
    found = server.get("/sessions", list[Project], {"name": name, "limit": 1})
    return found[0] if found else None


def ensure(server: Connection, name: str, description: str, **more: Any) -> Project:
    """`more` are members of a new one's body."""
    return find(server, name) or server.post(
        "/sessions", Project, {"name": name, "description": description, **more}
    )


def support(server: Connection, plan: Plan, *, until_was_said: bool) -> tuple[Project, Plan]:
    """The project of the support agent, and the plan that it is made by.

    A demo that is there goes on with its own time, so that running it again changes nothing. Conflict when the project
    is another's, or was made with other options: two of them would be mixed up in it.
    """
    found = find(server, SUPPORT)
    if found is None:
        mark: Json = {
            "seed": plan.seed,
            "traces": plan.traces,
            "days": plan.days,
            "until": moment(plan.until),
        }
        made = server.post(
            "/sessions",
            Project,
            {
                "name": SUPPORT,
                "description": "Answers the customers of a shop. Made by `stenograph demo`.",
                "start_time": moment(plan.since),
                "extra": {"metadata": {"demo": mark}},
            },
        )
        return made, plan
    marked = _mark(found)
    if marked is None:
        raise Conflict(
            f"there is a project {SUPPORT!r} already that this command did not make: "
            "rename it, or use another workspace"
        )
    if (marked.seed, marked.traces, marked.days) != (plan.seed, plan.traces, plan.days) or (
        until_was_said and marked.until != plan.until
    ):
        raise Conflict(
            f"there is a demo already, of --seed {marked.seed} --traces {marked.traces} --days {marked.days:g} "
            f"--until {marked.until:%Y-%m-%dT%H:%M:%SZ}: delete the project {SUPPORT!r} first to make another"
        )
    return found, Plan(marked.until, marked.days, marked.seed, marked.traces)


def _mark(project: Project) -> _Mark | None:
    metadata = (project.extra or {}).get("metadata")
    try:
        return msgspec.convert(metadata.get("demo") if isinstance(metadata, dict) else None, _Mark)
    except msgspec.ValidationError:
        return None
