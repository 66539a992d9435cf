"""The generated half of LangSmith's Python client, and runs for it to read."""

from __future__ import annotations

import asyncio
import datetime as dt
import uuid
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx
import pytest
from langsmith import Client
from langsmith._client import Langsmith

from tests.conftest import Server

T = TypeVar("T")

BEGAN = dt.datetime.now(dt.UTC).replace(microsecond=123456) - dt.timedelta(hours=1)
"""When the runs of these tests began: within the day that v2 looks back."""


def at(seconds: float) -> dt.datetime:
    return BEGAN + dt.timedelta(seconds=seconds)


@dataclass
class Traced:
    """A trace of three runs in a thread, and one of one run that failed."""

    name: str
    project: str = ""
    thread: str = field(default_factory=lambda: f"t/{uuid.uuid4().hex[:8]}")
    root: str = field(default_factory=lambda: str(uuid.uuid4()))
    child: str = field(default_factory=lambda: str(uuid.uuid4()))
    model: str = field(default_factory=lambda: str(uuid.uuid4()))
    failed: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def all(self) -> list[str]:
        """Newest first."""
        return [self.failed, self.model, self.child, self.root]

    def runs(self) -> list[dict[str, Any]]:
        order = {each: f"{at(n):%Y%m%dT%H%M%S%f}Z{each}" for n, each in enumerate(reversed(self.all))}

        def run(*path: str, **more: Any) -> dict[str, Any]:
            place = self.all[::-1].index(path[-1])
            return {
                "id": path[-1], "trace_id": path[0], "dotted_order": ".".join(order[each] for each in path),
                "run_type": "chain", "session_name": self.name, "inputs": {"q": place}, "outputs": {"a": place},
                "start_time": at(place).isoformat(), "end_time": at(place + 1.5).isoformat(),
                "parent_run_id": path[-2] if path[1:] else None,
                "extra": {"metadata": {"thread_id": self.thread, "note": f"n{place}"}}, **more,
            }  # fmt: skip

        usage = {
            "input_tokens": 30, "output_tokens": 12, "total_tokens": 42, "input_token_details": {"cache_read": 10},
            "input_cost": 0.25, "output_cost": 0.5, "total_cost": 0.75,
        }  # fmt: skip
        first = {"name": "new_token", "time": at(2.25).isoformat(), "kwargs": {"token": "a"}}
        return [
            run(self.root, name="root", tags=["one", "two"]),
            run(self.root, self.child, name="child", run_type="tool"),
            run(
                self.root, self.child, self.model, name="model", run_type="llm", events=[first],
                outputs={"usage_metadata": usage},
            ),
            run(self.failed, name="failed", error="it broke " * 100, end_time=at(3.5).isoformat()),
        ]  # fmt: skip


@pytest.fixture
def traced(http: httpx.Client, project: str) -> Traced:
    found = Traced(project)
    answer = http.post("/runs/batch", json={"post": found.runs()})
    assert answer.status_code == 202, answer.text
    found.project = http.get("/sessions", params={"name": project}).json()[0]["id"]
    return found


@pytest.fixture
def v2(server: Server) -> Iterator[Langsmith]:
    with Langsmith(base_url=server.url, api_key="any", max_retries=0) as found:
        yield found


def awaited(client: Client, answer: Coroutine[Any, Any, T]) -> T:
    """What the client's asynchronous half answers; its connections, which belong to the loop, are closed."""

    async def both() -> T:
        try:
            return await answer
        finally:
            await client._get_langsmith_api().close()

    return asyncio.run(both())
