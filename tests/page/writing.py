"""What journeys look at: traces in bulk, by LangSmith's batch route."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import httpx

from tests.conftest import Server

Run = dict[str, Any]


def run(parent: Run | None, name: str, kind: str, start: dt.datetime, seconds: float, **more: Any) -> Run:
    """One run as a client sends it."""
    run_id = str(uuid.uuid4())
    own = start.strftime("%Y%m%dT%H%M%S%fZ") + run_id
    made = {
        "id": run_id,
        "trace_id": parent["trace_id"] if parent else run_id,
        "dotted_order": f"{parent['dotted_order']}.{own}" if parent else own,
        "name": name,
        "run_type": kind,
        "start_time": start.isoformat(),
        "end_time": (start + dt.timedelta(seconds=seconds)).isoformat(),
        "inputs": {},
        **more,
    }
    if parent:
        made |= {"parent_run_id": parent["id"], "session_name": parent["session_name"]}
    return made


def send(server: Server, runs: list[Run]) -> None:
    with httpx.Client(base_url=server.url, timeout=120) as http:
        for at in range(0, len(runs), 5000):
            answer = http.post("/runs/batch", json={"post": runs[at : at + 5000]})
            assert answer.status_code == 202, answer.text


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC).replace(tzinfo=None)


def chat(project: str, thread: str, question: str, answer: str | None, minutes_ago: float = 5) -> list[Run]:
    """A support agent's trace: a search, a call of a model that calls a tool. It fails without an answer."""
    start = now() - dt.timedelta(minutes=minutes_ago)
    metadata = {"metadata": {"thread_id": thread, "env": "prod"}}
    ended: Run = (
        {"error": "ToolError: orders timed out"}
        if answer is None
        else {"outputs": {"messages": [{"role": "assistant", "content": answer}]}}
    )
    root = run(
        None, "support agent", "chain", start, 2, session_name=project, extra=metadata, tags=["web"],
        inputs={"messages": [{"role": "user", "content": question}]}, **ended,
    )  # fmt: skip
    call = {
        "id": "call_1",
        "type": "function",
        "function": {"name": "lookup_order", "arguments": '{"order": 4711}'},
    }
    model = run(
        root, "ChatOpenAI", "llm", start, 1,
        inputs={"messages": [{"role": "system", "content": "Be kind."}, {"role": "user", "content": question}]},
        outputs={
            "choices": [{"message": {"role": "assistant", "content": None, "tool_calls": [call]}}],
            "usage_metadata": {"input_tokens": 100, "output_tokens": 20, "total_tokens": 120},
        },
        extra={"metadata": {"ls_model_name": "gpt-4o-mini", "ls_provider": "openai"}},
    )  # fmt: skip
    failed = (
        {"error": "ToolError: orders timed out"} if answer is None else {"outputs": {"status": "shipped"}}
    )
    tool = run(
        root,
        "lookup_order",
        "tool",
        start + dt.timedelta(seconds=1),
        0.5,
        **{"inputs": {"order": 4711}, **failed},
    )
    return [root, model, tool]


def large(project: str, size: int) -> list[Run]:
    """One trace of many runs, eight below each."""
    start = now() - dt.timedelta(hours=1)
    runs = [run(None, "root of many", "chain", start, 600, session_name=project)]
    for at in range(1, size):
        below = runs[(at - 1) // 8]
        status = {"error": "boom"} if at == size // 2 else {}
        runs.append(run(below, f"step {at % 50}", "tool", start + dt.timedelta(milliseconds=at), 1, **status))
    return runs
