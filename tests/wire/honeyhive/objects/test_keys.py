"""Keys in HoneyHive's forms: what they look like, what they may do, when they end; on a server that wants keys."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from honeyhive import HoneyHive
from honeyhive._generated.api_config import HTTPException

from stenograph.domain.access import Access
from stenograph.model.access import DEFAULT_WORKSPACE, Caller, Role
from stenograph.store.meta.database import open_meta
from tests.conftest import Server
from tests.wire.honeyhive.conftest import PREFIX

LATER = "2099-01-01T00:00:00.000Z"


@dataclass(frozen=True)
class Locked:
    """A server that wants keys, an admin's and a writer's, and a project."""

    server: Server
    admin: str
    writer: str
    project: str

    def send(self, method: str, path: str, key: str, body: Any = None) -> httpx.Response:
        headers = {"Authorization": f"Bearer {key}"}
        return httpx.request(method, self.server.url + PREFIX + path, json=body, headers=headers, timeout=60)

    def mint(self, kind: str, **body: Any) -> dict[str, Any]:
        path = f"/v1/projects/{self.project}/{kind}_api_keys"
        answer = self.send("POST", path, self.admin, {"name": "ci", **body})
        assert answer.status_code == 200, answer.text
        assert answer.json()["success"] is True
        data: dict[str, Any] = answer.json()["data"]
        return data

    def allowed(self, key: str) -> list[str]:
        """Which of reading, recording, changing and administering this key may do."""
        event = {"event": {"event_type": "tool", "event_name": "e", "inputs": {}}}
        asked = {
            "read": ("GET", "/v1/charts", None),
            "record": ("POST", "/events", event),
            "write": ("POST", "/v1/charts", {"name": "c", "metric": "duration"}),
            "admin": ("GET", f"/v1/projects/{self.project}/ingestion_api_keys", None),
        }
        statuses = {
            name: self.send(method, path, key, body).status_code
            for name, (method, path, body) in asked.items()
        }
        assert set(statuses.values()) <= {200, 403}
        return [name for name, status in statuses.items() if status == 200]


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Locked]:
    folder = tmp_path_factory.mktemp("locked") / "data"
    folder.mkdir()

    async def keys() -> tuple[str, str]:
        meta = await open_meta(f"sqlite:///{folder / 'meta.db'}")
        access, operator = Access(meta, is_open=False), Caller(DEFAULT_WORKSPACE, Role.ADMIN)
        made = [(await access.create_key(operator, role, role)).secret for role in (Role.ADMIN, Role.WRITE)]
        await meta.close()
        return made[0], made[1]

    admin, writer = asyncio.run(keys())
    server = Server(folder, options=("--auth", "keys")).start()
    headers = {"Authorization": f"Bearer {admin}"}
    made = httpx.post(f"{server.url}{PREFIX}/projects", json={"name": "p"}, headers=headers).json()
    yield Locked(server, admin, writer, made["id"])
    assert server.stop() == 0


PERMISSIONS: list[tuple[list[str], list[str]]] = [
    (["charts:read"], ["read"]),
    (["datasets.list", "events:view"], ["read"]),
    (["READ"], ["read"]),
    (["charts:read", "charts:write"], ["read", "record", "write"]),
    (["*"], ["read", "record", "write"]),
    (["events:ingest"], ["record"]),
    (["ingest", "events:write"], ["read", "record", "write"]),
    (["org:admin"], ["read", "record", "write", "admin"]),
]


@pytest.mark.parametrize(("permissions", "allowed"), PERMISSIONS)
def test_a_fine_grained_key_reaches_as_far_as_its_permissions(
    locked: Locked, permissions: list[str], allowed: list[str]
) -> None:
    data = locked.mint("fine_grained", permissions=permissions, expires_at=LATER)
    assert data["permissions"] == permissions
    assert re.fullmatch(r"hh_fgdp_[A-Za-z0-9]{24}_[A-Za-z0-9_-]{64}", data["key_value"])
    assert locked.allowed(data["key_value"]) == allowed


def test_an_ingestion_key_only_records(locked: Locked) -> None:
    data = locked.mint("ingestion", description="d")
    assert (data["role"], data["root_scope_type"]) == ("ingest", "workspace")
    assert data["root_scope_id"] == str(DEFAULT_WORKSPACE)
    assert locked.allowed(data["key_value"]) == ["record"]
    spans: dict[str, Any] = {"resourceSpans": []}
    assert locked.send("POST", "/opentelemetry/v1/traces", data["key_value"], spans).status_code == 200


def test_the_client_takes_minted_keys_and_uses_each_for_its_own(locked: Locked) -> None:
    fine = locked.mint("fine_grained", permissions=["charts:write"], expires_at=LATER)["key_value"]
    ingestion = locked.mint("ingestion")["key_value"]
    client = HoneyHive(
        api_key="not a key",
        ingestion_api_key=ingestion,
        data_plane_api_key=fine,
        base_url=locked.server.url + PREFIX,
        timeout=30,
    )
    started = client.sessions.start({"session": {"session_name": "s"}})
    assert uuid.UUID(started.session_id)
    assert client.charts.list(project_id=locked.project).data is not None
    with pytest.raises(HTTPException) as refused:
        client.configurations.list()
    assert refused.value.status_code == 401
    with pytest.raises(ValueError, match="different kind"):
        HoneyHive(api_key="k", ingestion_api_key=fine, base_url=locked.server.url)


def test_lists_are_without_secrets(locked: Locked) -> None:
    secrets = [locked.mint("fine_grained", permissions=["read"], expires_at=LATER)["key_value"]]
    secrets.append(locked.mint("ingestion", description="d")["key_value"])
    for kind, secret in zip(("fine_grained", "ingestion"), secrets, strict=True):
        answer = locked.send("GET", f"/v1/projects/{locked.project}/{kind}_api_keys", locked.admin)
        listed = answer.json()["data"]
        assert secret[-4:] in [key["hint"] for key in listed]
        assert {key["permissions"][0] in ("read", "ingest") for key in listed} >= {True}
        assert secret[9:] not in answer.text
        assert all("key_value" not in key for key in listed)
    assert {key["role"] for key in listed} == {"ingest"}


def test_only_an_admin_handles_keys(locked: Locked) -> None:
    for kind in ("fine_grained", "ingestion"):
        path = f"/v1/projects/{locked.project}/{kind}_api_keys"
        for method in ("GET", "POST"):
            answer = locked.send(method, path, locked.writer, {"name": "n", "permissions": ["read"]})
            assert answer.status_code == 403


def test_a_revoked_key_is_refused(locked: Locked) -> None:
    data = locked.mint("ingestion")
    command = [sys.executable, "-m", "stenograph", "keys", "revoke", data["key_id"]]
    subprocess.run([*command, "--data-dir", str(locked.server.data_dir)], check=True, capture_output=True)
    answer = locked.send("POST", "/events", data["key_value"], {"event": {}})
    assert answer.status_code == 401
    listed = locked.send("GET", f"/v1/projects/{locked.project}/ingestion_api_keys", locked.admin)
    assert next(key for key in listed.json()["data"] if key["key_id"] == data["key_id"])["revoked_at"]


def test_the_command_line_shows_when_a_key_expires(locked: Locked) -> None:
    data = locked.mint("fine_grained", permissions=["read"], expires_at=LATER)
    command = [sys.executable, "-m", "stenograph", "keys", "list", "--json"]
    command += ["--data-dir", str(locked.server.data_dir)]
    listed = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    found = next(key for key in listed if key["id"] == data["key_id"])
    assert found["expires"] == "2099-01-01 00:00"


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("fine_grained", {"permissions": ["read"]}, "name"),
    ("fine_grained", {"name": "", "permissions": ["read"]}, "name"),
    ("fine_grained", {"name": "n\0", "permissions": ["read"]}, "name"),
    ("fine_grained", {"name": "n"}, "permissions"),
    ("fine_grained", {"name": "n", "permissions": []}, "permission"),
    ("fine_grained", {"name": "n", "permissions": "read"}, "permissions"),
    ("fine_grained", {"name": "n", "permissions": ["read", "charts:see"]}, "permissions.1"),
    ("fine_grained", {"name": "n", "permissions": ["read", "ingest"]}, "write"),
    ("fine_grained", {"name": "n", "permissions": ["read"] * 1001}, "1000"),
    ("fine_grained", {"name": "n", "permissions": ["x" * 300 + ":read"]}, "200"),
    ("fine_grained", {"name": "n", "permissions": ["read"], "expires_at": "2001-01-01"}, "future"),
    ("fine_grained", {"name": "n", "permissions": ["read"], "expires_at": "soon"}, "expires_at"),
    ("fine_grained", {"name": "n", "permissions": ["read"], "expires_at": 10**400}, "expires_at"),
    ("ingestion", {"name": "n", "description": "x" * 2001}, "description"),
    ("ingestion", {"name": "n", "description": "\0"}, "description"),
    ("ingestion", {}, "name"),
]


@pytest.mark.parametrize(("kind", "body", "said"), REFUSED)
def test_what_no_key_can_be_is_refused(locked: Locked, kind: str, body: dict[str, Any], said: str) -> None:
    answer = locked.send("POST", f"/v1/projects/{locked.project}/{kind}_api_keys", locked.admin, body)
    assert answer.status_code == 400, answer.text
    assert said in answer.json()["message"]


@pytest.mark.parametrize("project", [str(uuid.uuid4()), "6638187d505c6812e4043f24"])
def test_a_project_that_is_not_there_has_no_keys(locked: Locked, project: str) -> None:
    for kind in ("fine_grained", "ingestion"):
        for method in ("GET", "POST"):
            body = {"name": "n", "permissions": ["read"]}
            path = f"/v1/projects/{project}/{kind}_api_keys"
            assert locked.send(method, path, locked.admin, body).status_code == 404


def test_alerts_are_not_offered(locked: Locked) -> None:
    for method, path in (("GET", ""), ("POST", ""), ("PATCH", "/x"), ("DELETE", "/x/y")):
        answer = locked.send(method, f"/v1/projects/{locked.project}/alerts{path}", locked.writer, {})
        assert answer.status_code == 501
        assert "Alerts" in answer.json()["message"]
