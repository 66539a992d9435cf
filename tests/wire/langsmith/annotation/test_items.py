"""The item API of annotation queues, through the Python client's generated part, which is asynchronous."""

from __future__ import annotations

import asyncio
import json
import uuid
import warnings
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from langsmith import BadRequestError, Client, NotFoundError

from tests.wire.langsmith.annotation.test_queues import BASE, made
from tests.wire.langsmith.recorded import START, Trace, record

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:.*deprecated.*")

PLATFORM = f"/v1/platform{BASE}"


def spoken(client: Client, work: Callable[[Any], Awaitable[None]]) -> None:
    """Runs a coroutine on the client's annotation queues."""

    async def session() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it expects a newer server for this part
            queues = client.annotation_queues
        await work(queues)
        await queues._client.close()

    asyncio.run(session())


@pytest.fixture
def runs(http: httpx.Client, project: str) -> list[str]:
    return [str(run) for run in record(http, project, *(Trace(name=f"run {n}") for n in range(3)))]


def test_items_from_first_to_last(client: Client, http: httpx.Client, runs: list[str], project: str) -> None:
    queue = made(http)["id"]
    (session,) = http.get("/sessions", params={"name": project}).json()
    source = str(uuid.uuid4())

    async def work(queues: Any) -> None:
        items = queues.items
        created = await items.create(
            queue,
            extend_trace_retention=True,
            items=[
                {"item_type": "RUN", "run_id": runs[0], "source_proposed_example_id": source},
                {"run_id": runs[1], "session_id": session["id"], "start_time": START},
                {"item_type": "THREAD", "thread_id": "a thread", "project_id": session["id"]},
            ],
        )
        first, second, thread = created.items
        assert (first.run_id, first.item_type, first.source_proposed_example_id) == (runs[0], "RUN", source)
        assert (first.project_id, first.queue_id, first.last_reviewed_time) == (session["id"], queue, None)
        assert second.start_time == "2026-03-04T05:06:07.000000Z"
        assert (thread.item_type, thread.thread_id, thread.run_id) == ("THREAD", "a thread", None)
        again = await items.create(queue, items=[{"thread_id": "a thread", "project_id": session["id"]}])
        assert [item.id for item in again.items] == [thread.id]

        async def listed(status: str, **params: Any) -> list[str]:
            return [item.id async for item in items.list(queue, status=status, **params)]

        async def count(status: str, **params: Any) -> int:
            found = await items.retrieve_count(queue, status=status, **params)
            number: int = found.count
            return number

        assert await listed("needs_my_review") == [first.id, second.id, thread.id]
        assert await listed("needs_my_review", page_size=1) == [first.id, second.id, thread.id]
        assert await listed("needs_my_review", item_type="THREAD") == [thread.id]
        assert await listed("needs_my_review", min_start_time=START) == [first.id, second.id]
        assert await listed("needs_my_review", max_start_time="2026-01-01T00:00:00Z") == []
        assert len(await listed("needs_my_review", max_start_time="0001-01-01T00:00:00Z")) == 3
        assert (await count("all"), await count("archived")) == (3, 0)
        assert await count("needs_my_review", min_start_time=START) == 2

        done = await items.create_status(thread.id, status="completed")
        assert (done.queue_item_id, done.status, done.is_archived) == (thread.id, "completed", True)
        assert await listed("archived") == [thread.id]
        assert await count("archived", start_time="2026-01-01T00:00:00Z") == 1
        assert await count("archived", end_time="2026-01-01T00:00:00Z") == 0
        assert await count("all", end_time="2026-01-01T00:00:00Z") == 3
        viewed = await items.create_status(first.id, status="viewed")
        assert (viewed.status, viewed.is_archived) == ("viewed", False)
        (seen, _) = [item async for item in items.list(queue, status="needs_my_review")]
        assert (len(seen.reserved_by), seen.completed_by, seen.assigned_to) == (1, [], [])
        assert seen.effective_added_at == seen.added_at == first.added_at
        again = await items.create_status(thread.id)
        assert (again.status, again.is_archived) == (None, False)

        place = await items.retrieve_placement(second.id, queue_id=queue)
        assert (place.section, place.position, place.item_type) == ("needs_my_review", 1, "RUN")
        assert await listed("needs_my_review", cursor=place.cursor) == [second.id, thread.id]
        assert await listed("needs_my_review", cursor=place.cursor, direction="backward") == [first.id]

        last = "2199-01-01T00:00:00.000000Z"
        changed = await items.update(first.id, queue_id=queue, added_at=last, last_reviewed_time=last)
        assert (changed.id, changed.added_at, changed.last_reviewed_time) == (first.id, last, last)
        assert await listed("needs_my_review") == [second.id, thread.id, first.id]

        gone = await items.delete_all(queue, item_ids=[first.id, thread.id, str(uuid.uuid4())])
        assert "2" in gone["message"]
        assert await listed("needs_my_review") == [second.id]
        with pytest.raises(NotFoundError):
            await items.update(first.id, queue_id=queue, added_at=last)
        with pytest.raises(NotFoundError):
            await items.retrieve_placement(thread.id, queue_id=queue)
        with pytest.raises(BadRequestError):
            await items.create(queue, items=[{"item_type": "THREAD", "thread_id": "t"}])

    spoken(client, work)


def test_walking_back_and_forth(http: httpx.Client, project: str) -> None:
    runs = [str(run) for run in record(http, project, *(Trace() for _ in range(5)))]
    queue = made(http)["id"]
    http.post(f"{BASE}/{queue}/runs", json=runs)

    def page(**params: Any) -> tuple[list[str], str | None]:
        answer = http.get(
            f"{PLATFORM}/{queue}/items", params={"status": "needs_my_review", "page_size": 2, **params}
        )
        assert answer.status_code == 200, answer.text
        found = answer.json()
        return [item["run_id"] for item in found["items"]], found["next_cursor"]

    first, second = page()
    assert first == runs[:2]
    assert second is not None
    middle, third = page(cursor=second)
    assert middle == runs[2:4]
    assert page(cursor=third) == (runs[4:], None)
    assert page(cursor=third, direction="backward")[0] == runs[2:4]
    back, further = page(cursor=third, direction="backward")
    assert (back, page(cursor=further, direction="backward")) == (runs[2:4], (runs[:2], None))
    # What is done meanwhile does not make the walk skip or repeat.
    (item, *_) = http.get(f"{PLATFORM}/{queue}/items", params={"status": "needs_my_review"}).json()["items"]
    assert http.post(f"{PLATFORM}/items/{item['id']}/status", json={"status": "completed"}).status_code == 200
    assert page(cursor=second)[0] == runs[2:4]


def test_the_older_calls_do_not_see_threads(http: httpx.Client, runs: list[str]) -> None:
    queue = made(http)["id"]
    thread = {"thread_id": "t", "project_id": str(uuid.uuid4())}
    added = http.post(f"{PLATFORM}/{queue}/items", json={"items": [thread, {"run_id": runs[0]}]}).json()
    assert [run["id"] for run in http.get(f"{BASE}/{queue}/runs").json()] == [runs[0]]
    assert http.get(f"{BASE}/{queue}/total_size").json() == {"size": 1}
    assert http.get(f"{BASE}/{queue}/run/1").status_code == 404
    place = http.get(f"{BASE}/{queue}/runs/resolve/{added['items'][1]['id']}").json()
    assert place == {"section": "needs_my_review", "position": 0}
    (listed,) = http.get(BASE, params={"ids": queue}).json()
    assert listed["total_runs"] == 1
    pairwise = made(http, queue_type="pairwise")["id"]
    assert http.post(f"{PLATFORM}/{pairwise}/items", json={"items": [thread]}).status_code == 400


def test_mistakes_are_named(http: httpx.Client, runs: list[str]) -> None:
    queue = made(http)["id"]
    path = f"{PLATFORM}/{queue}/items"
    project = str(uuid.uuid4())
    for item, place in (
        ({}, "run_id"),
        ({"item_type": "RUN", "thread_id": "t", "project_id": project}, "run_id"),
        ({"item_type": "THREAD", "project_id": project}, "thread_id"),
        ({"thread_id": "t"}, "thread_id"),
        ({"run_id": runs[0], "start_time": "soon"}, "start_time"),
    ):
        answer = http.post(path, json={"items": [item]})
        assert answer.status_code == 400, item
        assert answer.json().keys() == {"error", "details"}
        assert json.loads(answer.json()["details"])["field"] == f"body.items.0.{place}"
    for item in (
        {"item_type": "SPAN"},
        {"run_id": "x"},
        {"thread_id": "t" * 10_001, "project_id": project},
        {"thread_id": "nul \0", "project_id": project},
    ):
        assert http.post(path, json={"items": [item]}).status_code == 400, item
    missing = http.post(path, json={"items": [{"run_id": str(uuid.uuid4())}]})
    assert (missing.status_code, [*missing.json()]) == (404, ["error"])
    assert http.get(f"{path}/count", params={"status": "all"}).json() == {"count": 0}
    params: Any
    for params in (
        {},
        {"status": "completed"},
        {"status": "all"},
        {"status": "archived", "page_size": 101},
        {"status": "archived", "item_type": "run"},
        {"status": "archived", "direction": "up"},
        {"status": "archived", "direction": "backward"},
        {"status": "archived", "min_start_time": "soon"},
        *(
            {"status": "archived", "cursor": cursor}
            for cursor in ("x", "YWZ0ZXI6MTp4", "bm93OjE6MQ==", "\0", "ü")
        ),
    ):
        assert http.get(path, params=params).status_code == 400, params
    assert http.get(f"{path}/count", params={"status": "some"}).status_code == 400
    unknown = uuid.uuid4()
    for method, where, body in (
        ("GET", f"{PLATFORM}/{unknown}/items?status=archived", None),
        ("GET", f"{PLATFORM}/{unknown}/items/count?status=all", None),
        ("POST", f"{PLATFORM}/{unknown}/items", {"items": []}),
        ("POST", f"{PLATFORM}/{unknown}/items/delete", {"item_ids": []}),
        ("GET", f"{path}/{unknown}/placement", None),
        ("PATCH", f"{path}/{unknown}", {}),
        ("POST", f"{PLATFORM}/items/{unknown}/status", {}),
    ):
        assert http.request(method, where, json=body).status_code == 404, where
    assert http.get(f"{path}/x/placement").status_code == 400


def test_the_generated_client_knows_the_older_calls_too(
    client: Client, http: httpx.Client, runs: list[str]
) -> None:
    async def work(queues: Any) -> None:
        made = await queues.annotation_queues(name="generated", num_reviewers_per_item=2)
        await queues.runs.create(made.id, body=runs)
        found = await queues.runs.list(made.id, limit=2)
        assert [run.id for run in found] == runs[:2]
        run = await queues.retrieve_run(1, queue_id=made.id)
        assert (run.id, run.inputs) == (runs[1], {"q": 1})
        sizes = [
            (await queues.retrieve_size(made.id, status="needs_my_review")).size,
            (await queues.retrieve_total_size(made.id)).size,
            (await queues.retrieve_total_archived(made.id)).size,
        ]
        assert sizes == [3, 3, 0]
        assert [queue.id for queue in await queues.retrieve_queues(runs[0])] == [made.id]
        await queues.create_run_status(found[0].queue_run_id, status="completed")
        await queues.runs.update(found[0].queue_run_id, queue_id=made.id, added_at="2199-01-01T00:00:00Z")
        await queues.runs.delete_queue(found[1].queue_run_id, queue_id=made.id)
        await queues.runs.delete_all(made.id, delete_all=True, exclude_run_ids=[runs[2]])
        assert [run.id for run in await queues.runs.list(made.id)] == [runs[2]]
        await queues.update(made.id, metadata={"a": 1}, reviewer_access_mode="assigned")
        whole = await queues.retrieve(made.id)
        assert (whole.metadata, whole.reviewer_access_mode) == ({"a": 1}, "assigned")
        mine = [queue.id async for queue in queues.retrieve_annotation_queues(ids=[made.id], limit=1)]
        assert mine == [made.id]
        assert await queues.export(made.id, include_annotator_detail=True) == []
        await queues.delete(made.id)
        with pytest.raises(NotFoundError):
            await queues.retrieve(made.id)

    spoken(client, work)
