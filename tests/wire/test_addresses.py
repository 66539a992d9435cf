"""Where the server answers, and to whom it answers while it is open."""

from __future__ import annotations

import asyncio
import socket
import uuid
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stenograph.wire.addresses import Addresses, canonical
from tests.conftest import Server

PREFIXES = ["", "/api", "/api/v1", "/langsmith", "/langsmith/api", "/langsmith/api/v1"]
PLATFORM = [
    "/v1/platform",
    "/platform",
    "/api/v1/platform",
    "/langsmith/v1/platform",
    "/langsmith/api/v1/platform",
]


# -- paths -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", PREFIXES)
def test_every_prefix_leads_to_the_same_path(prefix: str) -> None:
    for path in ("/runs", "/runs/query", "/public/token/run", "/attachments/w/r/a b", "/info"):
        assert canonical(prefix + path) == path
        assert canonical(f"{prefix}{path}/") == path
    assert canonical(prefix or "/") == "/"
    assert canonical(prefix + "/") == "/"


@pytest.mark.parametrize("prefix", PLATFORM)
def test_platform_paths(prefix: str) -> None:
    assert canonical(f"{prefix}/datasets/1/examples") == "/platform/datasets/1/examples"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/api/v2/runs/query", "/v2/runs/query"),
        ("/langsmith/api/v2/runs/query", "/v2/runs/query"),
        ("/v2/runs/query", "/v2/runs/query"),
        ("/otel/v1/traces", "/otel/v1/traces"),
        ("/langsmith/otel/v1/traces", "/otel/v1/traces"),
        ("/v1/traces", "/v1/traces"),
        ("/v1/traces/", "/v1/traces"),
        ("/api/v1/traces", "/v1/traces"),
        ("/api/v1/otel/v1/traces", "/otel/v1/traces"),
        ("/langsmith/api/otel/v1/logs", "/otel/v1/logs"),
        ("/honeyhive/opentelemetry/v1/traces", "/opentelemetry/v1/traces"),
        ("/honeyhive/v1/traces", "/v1/traces"),
        ("/honeyhive/v1/metrics", "/honeyhive/v1/metrics"),
        ("/honeyhive/v1/metrics/", "/honeyhive/v1/metrics"),
        ("/honeyhive/v1/metrics/run", "/honeyhive/v1/metrics/run"),
        ("/honeyhive/opentelemetry/v1/metrics", "/opentelemetry/v1/metrics"),
        ("/apis/runs", "/apis/runs"),
        ("/api/v1x/runs", "/v1x/runs"),
        ("/langsmithing", "/langsmithing"),
        ("/runs/api/v1", "/runs/api/v1"),
        ("/api/v1/api/v1/runs", "/api/v1/runs"),
        ("/v1/platformer", "/v1/platformer"),
    ],
)
def test_what_looks_like_a_prefix(path: str, expected: str) -> None:
    assert canonical(path) == expected


@given(st.lists(st.sampled_from(["/", "api", "v1", "langsmith", "platform", "runs", "é", "", ".."])))
def test_a_path_stays_a_path(steps: list[str]) -> None:
    found = canonical("/" + "/".join(steps))
    assert found.startswith("/")
    assert found == "/" or not found.endswith("/")


def test_prefixes_give_the_same_answers(http: httpx.Client, project: str) -> None:
    run_id = str(uuid.uuid4())
    run = {"id": run_id, "name": "x", "run_type": "chain", "inputs": {}, "session_name": project}
    assert http.post("/runs", json=run).status_code == 202
    token = http.put(f"/runs/{run_id}/share").json()["share_token"]
    asked: list[tuple[str, str, Any]] = [
        ("GET", "/info", None),
        ("GET", "/ok", None),
        ("GET", "/settings", None),
        ("GET", f"/runs/{run_id}", None),
        ("POST", "/runs/query", {"id": [run_id]}),
        ("POST", "/runs/query", {}),
        ("GET", f"/runs/{run_id}/share", None),
        ("GET", f"/public/{token}/run", None),
        ("GET", f"/public/{token}/r", None),
        ("GET", "/runs/no-uuid", None),
        ("GET", "/nothing", None),
    ]
    for method, path, body in asked:
        answers = [http.request(method, prefix + path, json=body) for prefix in PREFIXES]
        first = answers[0]
        for answer in answers[1:]:
            assert answer.status_code == first.status_code, (method, str(answer.url), answer.text)
            assert answer.content == first.content
            assert answer.headers["content-type"] == first.headers["content-type"]


# -- who may knock -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "localhost:1984",
        "LOCALHOST:1",
        "127.0.0.1",
        "127.0.0.1:8080",
        "127.1.2.3:1",
        "[::1]",
        "[::1]:1984",
    ],
)
def test_local_names_are_let_in(http: httpx.Client, host: str) -> None:
    assert http.get("/settings", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example", "evil.example:1984", "localhost.evil.example", "evil-localhost", "127.0.0.1.evil.example",
        "localhost@evil.example", "localhost:1984:80", "[::2]", "192.168.1.10:1984", "0.0.0.0:1984", "128.0.0.1",
        "localhost evil", "127.0.0.1:", "[::1].evil.example",
    ],
)  # fmt: skip
def test_another_name_for_this_machine_is_refused(http: httpx.Client, host: str) -> None:
    """DNS rebinding: a page's own name may be made to lead here, but the browser still sends that name."""
    for path in ("/settings", "/ok", "/metrics", "/", "/nothing"):
        answer = http.get(path, headers={"Host": host})
        assert answer.status_code == 403, path
        assert repr(host[:100]) in answer.json()["detail"]


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://localhost.evil.example",
        "null",
        "file://",
        "chrome-extension://abc",
        "x" * 5000,
    ],
)
def test_web_pages_are_refused(http: httpx.Client, project: str, origin: str) -> None:
    run = {"id": str(uuid.uuid4()), "name": "x", "run_type": "chain", "session_name": project}
    answer = http.post("/runs", json=run, headers={"Origin": origin, "Content-Type": "text/plain"})
    assert answer.status_code == 403
    assert "web page" in answer.json()["detail"]
    assert http.get(f"/runs/{run['id']}").status_code == 404


@pytest.mark.parametrize(
    "origin", ["http://localhost:3000", "https://localhost", "http://127.0.0.1:5173", "http://[::1]:1"]
)
def test_pages_of_this_machine_are_let_in(http: httpx.Client, origin: str) -> None:
    assert http.get("/settings", headers={"Origin": origin}).status_code == 200


def test_no_host_at_all_is_no_browser(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as line:
        line.sendall(b"GET /ok HTTP/1.0\r\n\r\n")
        assert line.recv(100).startswith(b"HTTP/1.1 200")


def test_with_keys_the_key_decides_and_not_the_name() -> None:
    seen = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["path"])

    scope = {
        "type": "http", "path": "/api/v1/runs", "raw_path": b"/api/v1/runs",
        "headers": [(b"host", b"traces.example.com"), (b"origin", b"https://app.example.com")],
    }  # fmt: skip

    async def unused(*_: Any) -> Any:
        raise AssertionError("nothing is to be sent or received")

    asyncio.run(Addresses(app, local_only=False)(scope, unused, unused))
    assert seen == ["/runs"]


class OnIPv6(Server):
    @property
    def url(self) -> str:
        return f"http://[::1]:{self.port}"


def test_on_ipv6(tmp_path: Path) -> None:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
            port = probe.getsockname()[1]
    except OSError:
        pytest.skip("no IPv6 on this machine")
    server = OnIPv6(tmp_path / "data", options=("--host", "::1"), port=port).start()
    try:
        assert httpx.get(f"{server.url}/settings", timeout=30).status_code == 200
        refused = httpx.get(f"{server.url}/settings", headers={"Host": "evil.example"}, timeout=30)
        assert refused.status_code == 403
    finally:
        assert server.stop() == 0
