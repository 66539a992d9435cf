"""Secrets, files, jobs and the server's health through Julep's own client; what is not offered; errors."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import os
import re
import sqlite3
import uuid
from pathlib import Path
from typing import Any

import httpx
import pytest
from julep import (
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    Client,
    ConflictError,
    InternalServerError,
    NotFoundError,
    UnprocessableEntityError,
)

from stenograph.domain.conversations.jobs import Jobs
from stenograph.domain.conversations.secrets import Secrets, Vault
from stenograph.model.access import DEFAULT_WORKSPACE
from stenograph.model.jobs import JobState
from stenograph.store.meta.database import open_meta
from stenograph.wire.julep import not_yet
from tests.conftest import Server

DOCS = (Path(__file__).parents[3] / "docs" / "not-yet.md").read_text()


# -- secrets ---------------------------------------------------------------------------------------------


def test_secrets(julep: Client, raw: httpx.Client, server: Server, tag: str) -> None:
    value = f"value-{tag}"
    made = julep.secrets.create(name=f"K_{tag}", value=value, description="d", metadata={"a": 1})
    assert (made.name, made.value, made.description, made.metadata) == (
        f"K_{tag}",
        "ENCRYPTED",
        "d",
        {"a": 1},
    )
    other = julep.secrets.create(name=f"L_{tag}", value=value)
    listed = julep.secrets.list(limit=2)
    assert [each.id for each in listed] == [other.id, made.id]
    assert [each.id for each in julep.secrets.list(limit=1, offset=1)] == [made.id]
    assert isinstance(raw.get("/secrets").json(), list)
    changed = julep.secrets.update(made.id, name=f"M_{tag}", value="new")
    assert (changed.name, changed.value, changed.description, changed.metadata) == (
        f"M_{tag}",
        "ENCRYPTED",
        None,
        {},
    )
    assert changed.created_at == made.created_at
    for attempt in (
        lambda: julep.secrets.create(name=f"L_{tag}", value="x"),
        lambda: julep.secrets.update(made.id, name=f"L_{tag}", value="x"),
    ):
        with pytest.raises(ConflictError) as refused:
            attempt()
        assert refused.value.response.headers["x-should-retry"] == "false"
    assert julep.secrets.delete(made.id).id == made.id
    for call in (
        lambda: julep.secrets.delete(made.id),
        lambda: julep.secrets.update(made.id, name="x", value="x"),
    ):
        with pytest.raises(NotFoundError):
            call()
    _nowhere_on_disk(server.data_dir, value)
    assert asyncio.run(_revealed(server, f"L_{tag}")) == value


def _nowhere_on_disk(folder: Path, value: str) -> None:
    meta = sqlite3.connect(folder / "meta.db")
    assert meta.execute("SELECT count(*) FROM secrets").fetchone()[0] > 0
    meta.close()
    for path in folder.rglob("*"):
        if path.is_file():
            assert value.encode() not in path.read_bytes(), path


async def _revealed(server: Server, name: str) -> str | None:
    """As the server itself reads it for a call of its own."""
    meta = await open_meta(f"sqlite:///{server.data_dir / 'meta.db'}")
    try:
        secret = (server.data_dir / "secret").read_bytes()
        return await Secrets(meta, Vault(secret)).reveal(DEFAULT_WORKSPACE, name)
    finally:
        await meta.close()


@pytest.mark.parametrize(
    ("body", "loc"),
    [
        ({"name": "A"}, ""),
        ({"value": "A"}, ""),
        ({"name": "5A", "value": "v"}, "name"),
        ({"name": "a b", "value": "v"}, "name"),
        ({"name": "", "value": "v"}, "name"),
        ({"name": "A", "value": ""}, "value"),
        ({"name": "A", "value": 5}, "value"),
        ({"name": "A", "value": "x" * 70_000}, "value"),
        ({"name": "A", "value": "v", "metadata": []}, "metadata"),
    ],
)
def test_what_is_no_secret(raw: httpx.Client, body: dict[str, Any], loc: str) -> None:
    answer = raw.post("/secrets", json=body)
    assert answer.status_code == 422
    assert answer.json()["error"]["details"][0]["loc"] == loc


# -- files -----------------------------------------------------------------------------------------------


def test_files(julep: Client, raw: httpx.Client, server: Server, tag: str) -> None:
    content = os.urandom(100_000) + tag.encode()
    sent = base64.b64encode(content).decode()
    made = julep.files.create(name=f"a {tag}.bin", content=sent, description="d", mime_type="text/plain")
    assert (made.content, made.size, made.hash) == (sent, len(content), hashlib.sha256(content).hexdigest())
    assert (made.name, made.description, made.mime_type) == (f"a {tag}.bin", "d", "text/plain")
    assert julep.files.get(made.id) == made
    other = julep.files.create(name="b", content="eA==")
    listed = julep.files.list()
    assert [each.id for each in listed[:2]] == [other.id, made.id]
    assert listed[1] == made
    bare = raw.get("/files", params={"limit": 1, "offset": 1}).json()
    assert [each["id"] for each in bare] == [made.id]
    assert raw.get("/files", params={"limit": 0}).json() == []
    gone = julep.files.delete(made.id)
    assert (gone.id, gone.jobs) == (made.id, [])
    for call in (julep.files.get, julep.files.delete):
        with pytest.raises(NotFoundError):
            call(made.id)
    assert not [path for path in (server.data_dir / "blobs").rglob("*") if path.name == made.id]


@pytest.mark.parametrize(
    ("body", "loc"),
    [
        ({"name": "a"}, ""),
        ({"content": "eA=="}, ""),
        ({"name": "", "content": "eA=="}, "name"),
        ({"name": "a", "content": ""}, "content"),
        ({"name": "a", "content": "e"}, "content"),
        ({"name": "a", "content": "ü==="}, "content"),
        ({"name": "a", "content": "e A = ="}, "content"),
        ({"name": "a", "content": "eA==", "mime_type": "plain"}, "mime_type"),
        ({"name": "a", "content": "eA==", "mime_type": "text/plain\r\nx: y"}, "mime_type"),
    ],
)
def test_what_is_no_file(raw: httpx.Client, body: dict[str, Any], loc: str) -> None:
    answer = raw.post("/files", json=body)
    assert answer.status_code == 422
    assert answer.json()["error"]["details"][0]["loc"] == loc


# -- jobs and health -------------------------------------------------------------------------------------


def test_jobs(julep: Client, server: Server) -> None:
    async def begun() -> str:
        meta = await open_meta(f"sqlite:///{server.data_dir / 'meta.db'}")
        try:
            jobs = Jobs(meta)
            job = await jobs.begin(DEFAULT_WORKSPACE, "summarise")
            await jobs.move(job, JobState.IN_PROGRESS, reason="half way", progress=50)
            return str(job.id)
        finally:
            await meta.close()

    ident = asyncio.run(begun())
    found = julep.jobs.get(ident)
    assert (found.id, found.name, found.state) == (ident, "summarise", "in_progress")
    assert (found.reason, found.has_progress, found.progress) == ("half way", True, 50)
    with pytest.raises(NotFoundError):
        julep.jobs.get(str(uuid.uuid4()))
    with pytest.raises(UnprocessableEntityError):
        julep.jobs.get("x")


def test_health(julep: Client) -> None:
    assert julep.healthz.check() == {"status": "ok", "metadata": "ok"}


# -- errors ----------------------------------------------------------------------------------------------


def test_the_shape_of_errors(raw: httpx.Client) -> None:
    nobody = uuid.uuid4()
    assert raw.get(f"/agents/{nobody}").json() == {
        "error": {"message": f"There is no agent {nobody}.", "code": "http_404", "type": "http_error"}
    }
    answer = raw.post("/sessions", json={"agent": str(nobody), "token_budget": "many"})
    message = "Expected `int | null`, got `str`"
    assert answer.json() == {
        "error": {
            "message": f"token_budget: {message}",
            "code": "validation_error",
            "type": "validation_error",
            "details": [{"type": "value_error", "msg": message, "loc": "token_budget", "received": "many"}],
        }
    }
    long = raw.post("/agents", json={"name": "x" * 5000}).json()["error"]["details"][0]["received"]
    assert len(long) == 201
    assert long.endswith("…")


def test_paths_that_nobody_knows(raw: httpx.Client) -> None:
    for method, path, status in (("GET", "/nothing", 404), ("GET", "", 404), ("DELETE", "/agents", 405)):
        answer = raw.request(method, path)
        assert answer.status_code == status
        assert answer.json()["error"]["code"] == f"http_{status}"


def test_a_key_that_is_none(locked_server: Server) -> None:
    client = Client(api_key="wrong", base_url=f"{locked_server.url}/julep", max_retries=5)
    with pytest.raises(AuthenticationError) as refused:
        client.sessions.list()
    assert refused.value.response.json()["error"]["code"] == "http_401"
    assert client.healthz.check() == {"status": "ok", "metadata": "ok"}
    client.close()


# -- what is not offered ---------------------------------------------------------------------------------


def test_tasks_and_executions_say_so_at_once(julep: Client, raw: httpx.Client) -> None:
    """A client of six attempts makes one."""
    patient, ident = julep.with_options(max_retries=5), str(uuid.uuid4())
    for call in (
        lambda: patient.tasks.list(ident),
        lambda: patient.tasks.create(ident, name="x", main=[{"evaluate": {"a": "1"}}]),
        lambda: patient.tasks.get(ident),
        lambda: patient.executions.create(ident, input={}),
        lambda: patient.executions.get(ident),
        lambda: patient.executions.change_status(ident, status="cancelled"),
        lambda: patient.executions.transitions.list(ident),
    ):
        with pytest.raises(InternalServerError) as refused:
            call()
        answer = refused.value.response
        assert (answer.status_code, answer.headers["x-should-retry"]) == (501, "false")
        assert answer.request.headers["x-stainless-retry-count"] == "0"
        assert len(answer.json()["error"]["message"]) > 20


def test_the_docs_list_all_that_is_not_offered() -> None:
    documented = re.findall(r"`([^`]+)`", DOCS)
    starts = {name.split(" ")[-1].removesuffix("…") for name in documented}
    for pattern in not_yet.LATER:
        assert [
            start
            for start in starts
            if start.startswith("/julep")
            and re.match(pattern, start.removeprefix("/julep").replace("{id}", "x"))
        ], f"docs/not-yet.md does not mention {pattern}"


def test_strangers_to_the_error_tree_tell_nothing() -> None:
    from stenograph.wire.julep.errors import failed

    answer = failed(None, RuntimeError("internals"))  # type: ignore[arg-type]
    assert answer.status_code == 500
    assert answer.headers["x-should-retry"] == "false"
    assert "internals" not in bytes(answer.body).decode()
    assert json.loads(bytes(answer.body))["error"]["code"] == "http_500"


def test_errors_are_typed_by_status(julep: Client) -> None:
    for kind, call in (
        (BadRequestError, lambda: julep.sessions.create()),
        (UnprocessableEntityError, lambda: julep.agents.create(name="")),
        (NotFoundError, lambda: julep.agents.get(str(uuid.uuid4()))),
    ):
        with pytest.raises(APIStatusError) as refused:
            call()
        assert isinstance(refused.value, kind)
