"""Reading back what spans became, as LangSmith's clients read it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import httpx
import pytest

Read = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def runs(http: httpx.Client) -> Read:
    """The runs that a query of /runs/query selects, oldest first; `project` may be a name."""

    def read(project: str | None = None, **query: Any) -> list[dict[str, Any]]:
        if project is not None:
            found = http.get("/sessions", params={"name": project}).json()
            assert len(found) == 1, f"there is no project {project}"
            query["session"] = [found[0]["id"]]
        answer = http.post("/runs/query", json={"order": "asc", "limit": 100, **query})
        assert answer.status_code == 200, answer.text
        listed: list[dict[str, Any]] = answer.json()["runs"]
        return listed

    return read


def as_id(trace: str) -> str:
    """The id of the run of a trace's root."""
    return str(uuid.UUID(trace))
