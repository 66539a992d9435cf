"""Programs traced with the real client, read back through it."""

from __future__ import annotations

import asyncio
import datetime as dt
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from langsmith import Client, traceable, tracing_context
from langsmith.schemas import Run

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:.*deprecated.*")


@pytest.fixture
def traced(client: Client, project: str) -> Iterator[Any]:
    """Tracing on, into the test's own project."""
    with tracing_context(enabled=True, client=client, project_name=project):
        yield client
    client.flush()


def runs_of(client: Client, project: str, **filters: Any) -> list[Run]:
    client.flush()
    return list(client.list_runs(project_name=project, **filters))


def by_name(runs: list[Run]) -> dict[str, Run]:
    return {run.name: run for run in runs}


def test_nested_functions_become_a_tree(traced: Client, project: str) -> None:
    @traceable(run_type="tool", name="inner", tags=["deep"], metadata={"level": 2})
    def inner(x: int) -> dict[str, int]:
        return {"doubled": 2 * x}

    @traceable(name="outer")
    def outer(x: int) -> int:
        return inner(x)["doubled"] + 1

    assert outer(4) == 9
    runs = by_name(runs_of(traced, project))
    assert set(runs) == {"inner", "outer"}
    child, root = runs["inner"], runs["outer"]
    assert child.parent_run_id == root.id
    assert child.trace_id == root.id == root.trace_id
    assert child.inputs == {"x": 4}
    assert child.outputs == {"doubled": 8}
    assert root.outputs == {"output": 9}
    assert child.tags == ["deep"]
    assert child.metadata["level"] == 2
    assert child.run_type == "tool"
    assert root.parent_run_id is None
    assert child.parent_run_ids == [root.id]
    assert {root.status, child.status} == {"success"}
    assert child.dotted_order.startswith(root.dotted_order + ".")
    assert root.end_time is not None
    assert root.start_time <= child.start_time <= root.end_time


def test_a_failing_function_keeps_its_error(traced: Client, project: str) -> None:
    @traceable(name="fails")
    def fails() -> None:
        raise ValueError("the cat sat on the keyboard")

    with pytest.raises(ValueError, match="keyboard"):
        fails()
    (run,) = runs_of(traced, project, error=True)
    assert run.status == "error"
    assert run.error is not None
    assert "the cat sat on the keyboard" in run.error
    assert runs_of(traced, project, error=False) == []


def test_async_and_streaming(traced: Client, project: str) -> None:
    @traceable(run_type="llm", name="stream")
    async def stream() -> Any:
        for word in ("a", "b", "c"):
            yield word

    @traceable(name="gather")
    async def gather() -> list[str]:
        return [word async for word in stream()]

    assert asyncio.run(gather()) == ["a", "b", "c"]
    runs = by_name(runs_of(traced, project))
    assert runs["stream"].outputs == {"output": ["a", "b", "c"]}
    assert runs["stream"].parent_run_id == runs["gather"].id
    assert runs["stream"].first_token_time is not None
    assert [event["name"] for event in runs["stream"].events or []] == [
        "new_token"
    ]  # the client sends the first


def test_many_threads_at_once(traced: Client, project: str) -> None:
    @traceable(name="leaf")
    def leaf(n: int) -> int:
        return n

    @traceable(name="work")
    def work(n: int) -> int:
        return sum(leaf(i) for i in range(4)) + n

    def one(n: int) -> int:
        with tracing_context(enabled=True, client=traced, project_name=project):
            return work(n)

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(one, range(40))) == 40 * 6 + sum(range(40))
    runs = runs_of(traced, project)
    assert len(runs) == 200
    assert len({run.id for run in runs}) == 200
    roots = runs_of(traced, project, is_root=True)
    assert sorted(root.inputs["n"] for root in roots) == list(range(40))
    assert all(run.outputs is not None for run in runs)


def test_usage_is_priced_and_rolls_up_to_the_root(traced: Client, project: str) -> None:
    @traceable(run_type="llm", name="model", metadata={"ls_model_name": "gpt-4o", "ls_provider": "openai"})
    def model(prompt: str) -> dict[str, Any]:
        return {
            "content": prompt.upper(),
            "usage_metadata": {
                "input_tokens": 1000,
                "output_tokens": 100,
                "total_tokens": 1100,
                "input_token_details": {"cache_read": 400},
            },
        }

    @traceable(name="agent")
    def agent() -> None:
        model("one")
        model("two")

    agent()
    runs = runs_of(traced, project)
    leaf = next(run for run in runs if run.name == "model")
    root = next(run for run in runs if run.name == "agent")
    # gpt-4o: 2.50 $ a million in, 1.25 $ cached, 10 $ out
    assert float(leaf.prompt_cost or 0) == pytest.approx(600 * 2.5e-6 + 400 * 1.25e-6)
    assert float(leaf.completion_cost or 0) == pytest.approx(100 * 10e-6)
    assert leaf.prompt_token_details == {"cache_read": 400}
    assert root.total_tokens == 2200
    assert float(root.total_cost or 0) == pytest.approx(2 * float(leaf.total_cost or 0))
    stats = traced.get_run_stats(project_names=[project], is_root=True)
    assert stats["total_tokens"] == 2200
    assert stats["run_count"] == 1


def test_an_update_that_comes_first_is_merged(client: Client, project: str) -> None:
    run_id = uuid.uuid4()
    start = dt.datetime.now(dt.UTC)
    order = f"{start.strftime('%Y%m%dT%H%M%S%fZ')}{run_id}"
    client.multipart_ingest(
        update=[
            {
                "id": run_id,
                "trace_id": run_id,
                "dotted_order": order,
                "outputs": {"answer": 42},
                "end_time": start + dt.timedelta(seconds=1),
            }
        ]
    )
    assert client.read_run(run_id).outputs == {"answer": 42}
    client.multipart_ingest(
        create=[
            {
                "id": run_id,
                "trace_id": run_id,
                "dotted_order": order,
                "session_name": project,
                "name": "late",
                "run_type": "chain",
                "inputs": {"question": "?"},
                "outputs": {},
                "start_time": start,
            }
        ]
    )
    (run,) = runs_of(client, project)
    assert run.id == run_id
    assert run.outputs == {"answer": 42}
    assert run.inputs == {"question": "?"}
    assert run.status == "success"


def test_a_wrong_run_type_is_refused_and_its_neighbours_are_kept(client: Client, project: str) -> None:
    good, bad = uuid.uuid4(), uuid.uuid4()

    def run(run_id: uuid.UUID, run_type: str) -> dict[str, Any]:
        now = dt.datetime.now(dt.UTC)
        return {
            "id": str(run_id),
            "trace_id": str(run_id),
            "dotted_order": f"{now.strftime('%Y%m%dT%H%M%S%fZ')}{run_id}",
            "session_name": project,
            "name": run_type,
            "run_type": run_type,
            "inputs": {},
            "start_time": now.isoformat(),
        }

    response = client.session.post(
        f"{client.api_url}/runs/batch", json={"post": [run(good, "chain"), run(bad, "agent")], "patch": []}
    )
    assert response.status_code == 422
    assert str(bad) in response.json()["error"]
    assert "chain" in response.json()["error"]  # says what is allowed
    assert [found.id for found in runs_of(client, project)] == [good]


def test_nul_and_huge_integers_are_kept(client: Client, project: str) -> None:
    run_id = uuid.uuid4()
    inputs = {"text": "nul \x00, 😀", "big": 2**200, "deep": [[[[{"a": []}]]]]}
    client.create_run("odd", inputs, "chain", id=run_id, project_name=project)
    client.flush()
    assert client.read_run(run_id).inputs == inputs


def test_lone_surrogates_become_the_replacement_character(client: Client, project: str) -> None:
    run_id = uuid.uuid4()
    body = (
        f'{{"id": "{run_id}", "name": "s\\udc00", "run_type": "chain", "session_name": "{project}",'
        ' "inputs": {"text": "lone \\ud800, pair \\ud83d\\ude00, quote \\u0022"}}'
    )
    answer = client.session.post(f"{client.api_url}/runs", data=body)
    assert answer.status_code == 202, answer.text
    run = client.read_run(run_id)
    assert run.inputs == {"text": 'lone \ufffd, pair 😀, quote "'}
    assert run.name == "s\ufffd"


def test_pages_reach_every_run_once(client: Client, project: str) -> None:
    ids = [uuid.uuid4() for _ in range(250)]
    for index, run_id in enumerate(ids):
        client.create_run("page", {"i": index}, "chain", id=run_id, project_name=project, outputs={})
    found = runs_of(client, project)
    assert len(found) == 250
    assert {run.id for run in found} == set(ids)
    starts = [run.start_time for run in found]
    assert starts == sorted(starts, reverse=True)


def test_threads(client: Client, project: str) -> None:
    for turn in range(3):
        client.create_run(
            "turn",
            {"turn": turn},
            "chain",
            project_name=project,
            extra={"metadata": {"thread_id": "conversation-1"}},
            outputs={"reply": turn},
            end_time=dt.datetime.now(dt.UTC),
        )
    client.flush()
    threads = client.list_threads(project_name=project)
    assert [(thread["thread_id"], thread["count"]) for thread in threads] == [("conversation-1", 3)]
    turns = list(client.read_thread(thread_id="conversation-1", project_name=project))
    assert [run.inputs["turn"] for run in turns] == [0, 1, 2]


@pytest.mark.parametrize("word", ["afterbreak", "aftertab", "notes", "quoted", "ünïcode", "AfterReturn"])
def test_words_are_found_whatever_json_escapes_stand_before_them(
    client: Client, project: str, word: str
) -> None:
    text = 'x\nafterbreak\taftertab\rafterreturn C:\\notes\\new "quoted" Ünïcode'
    client.create_run("escapes", {"text": text}, "chain", project_name=project)
    assert [run.name for run in runs_of(client, project, filter=f'search("{word}")')] == ["escapes"]
    assert runs_of(client, project, filter='search("otes")') == []
