"""Shared traces by the v2 API: links made and closed with the generated client, and read without a key."""

from __future__ import annotations

import uuid

import httpx
import pytest
from langsmith import Client
from langsmith._client import Langsmith
from langsmith._exceptions import NotFoundError

from tests.wire.langsmith.v2.conftest import Traced, at, awaited

NOBODYS = str(uuid.UUID(int=9))
_PRIVATE = ["PROJECT_ID", "THREAD_ID", "SHARE_URL", "APP_PATH", "REFERENCE_DATASET_ID"]


def share(v2: Langsmith, traced: Traced, run: str) -> str:
    token = v2.runs.share.create(run, session_id=traced.project, trace_id=traced.root).share_token
    assert token is not None
    return token


def test_any_run_shares_its_trace_under_one_token(v2: Langsmith, http: httpx.Client, traced: Traced) -> None:
    token = share(v2, traced, traced.child)
    assert share(v2, traced, traced.root) == token
    assert http.get(f"/runs/{traced.root}/share").json()["share_token"] == token
    run = v2.runs.retrieve_v2(traced.model, project_id=traced.project, selects=["SHARE_URL"])
    assert run.share_url == f"{str(http.base_url).rstrip('/')}/public/{token}/r"
    assert httpx.get(run.share_url).status_code == 200

    v2.runs.share.delete(traced.root, session_id=traced.project)
    v2.runs.share.delete(traced.root, session_id=traced.project)
    assert http.get(f"/runs/{traced.root}/share").json() is None
    with pytest.raises(NotFoundError):
        v2.public.runs.query(token)


def test_only_what_is_named_rightly_is_shared(v2: Langsmith, traced: Traced) -> None:
    for run, project, trace in (
        (NOBODYS, traced.project, traced.root),
        (traced.root, NOBODYS, traced.root),
        (traced.root, traced.project, traced.failed),
    ):
        with pytest.raises(NotFoundError):
            v2.runs.share.create(run, session_id=project, trace_id=trace)
    for trace, project in ((traced.child, traced.project), (traced.root, NOBODYS), (NOBODYS, NOBODYS)):
        with pytest.raises(NotFoundError):
            v2.runs.share.delete(trace, session_id=project)


def test_a_stranger_reads_the_trace_and_nothing_else(
    client: Client, v2: Langsmith, http: httpx.Client, traced: Traced
) -> None:
    token = share(v2, traced, traced.root)

    async def read() -> list[str | None]:
        page = await client.public.runs.query(token, selects=["ID", "NAME"])
        return [run.name for run in page.items or ()]

    assert awaited(client, read()) == ["root", "child", "model"]
    params = {"selects": ["NAME", "STATUS", "PARENT_RUN_ID", *_PRIVATE], "start_time": at(1).isoformat()}
    answer = http.get(f"/api/v2/public/{token}/run/{traced.child}", params=params)
    assert answer.json() == {"name": "child", "status": "SUCCESS", "parent_run_id": traced.root}
    for run in (traced.failed, NOBODYS):
        assert http.get(f"/api/v2/public/{token}/run/{run}", params=params).status_code == 404
    assert http.post(f"/api/v2/public/{NOBODYS}/runs/query", json={}).status_code == 404
    assert http.post("/api/v2/public/x/runs/query", json={}).status_code == 404
    assert http.get(f"/api/v2/public/{token}/run/{traced.child}").status_code == 422, "without start_time"
    everything = http.post(f"/api/v2/public/{token}/runs/query", json={"selects": _PRIVATE}).json()
    assert everything == {"items": [{}, {}, {}]}
    assert http.post(f"/api/v2/public/{token}/runs/query", json={"selects": ["X"]}).status_code == 422
