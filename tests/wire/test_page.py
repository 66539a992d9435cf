"""The page's API: what it answers, what it refuses, and the files it is served with."""

from __future__ import annotations

import base64
import subprocess
import sys
import uuid
from typing import Any

import httpx
import pytest

from stenograph.domain.page import SignIns
from stenograph.wire.ui.previews import LENGTH, preview
from tests.conftest import Server

START = "20260101T000000000000Z"


def run(run_id: str, parent: str | None, project: str, **more: Any) -> dict[str, Any]:
    trace = more.pop("trace_id", parent or run_id)
    order = f"{START}{run_id}" if parent is None else f"{START}{trace}.{START}{run_id}"
    made = {
        "id": run_id, "trace_id": trace, "dotted_order": order, "name": "step", "run_type": "chain",
        "start_time": "2026-01-01T00:00:00Z", "end_time": "2026-01-01T00:00:02Z", "session_name": project,
        "inputs": {"messages": [{"role": "user", "content": "Hello there"}]}, **more,
    }  # fmt: skip
    return made | ({"parent_run_id": parent} if parent else {})


@pytest.fixture
def trace(http: httpx.Client, project: str) -> tuple[str, str, str]:
    """A root and a child; the id of their project."""
    root, child = str(uuid.uuid4()), str(uuid.uuid4())
    runs = [run(root, None, project, name="root"), run(child, root, project, error="boom", inputs={"n": 1})]
    assert http.post("/runs/batch", json={"post": runs}).status_code == 202
    return root, child, http.get("/sessions", params={"name": project}).json()[0]["id"]


# -- traces ------------------------------------------------------------------------------------------------


def test_a_trace_by_column(http: httpx.Client, project: str, trace: tuple[str, str, str]) -> None:
    root, child, _ = trace
    found = http.get(f"/ui/api/traces/{root}").json()
    ids = base64.b64decode(found["ids"])
    order = [uuid.UUID(bytes=ids[at : at + 16]) for at in (0, 16)]
    at = order.index(uuid.UUID(child))
    assert found["parent"][at] == order.index(uuid.UUID(root))
    assert found["parent"][1 - at] == -1
    assert found["statuses"][found["status"][at]] == "error"
    assert found["took"] == [2_000_000, 2_000_000]
    assert (found["projectName"], found["share"], found["more"]) == (project, None, False)


def test_what_has_lost_its_parent_stands_under_the_root(http: httpx.Client, project: str) -> None:
    root, orphan, lost = (str(uuid.uuid4()) for _ in range(3))
    runs = [run(root, None, project), run(orphan, lost, project, trace_id=root)]
    assert http.post("/runs/batch", json={"post": runs}).status_code == 202
    found = http.get(f"/ui/api/traces/{root}").json()
    assert sorted(found["parent"]) in ([-1, 0], [-1, 1])


def test_a_run_with_its_payloads_as_they_were_sent(http: httpx.Client, trace: tuple[str, str, str]) -> None:
    root, child, _ = trace
    found = http.get(f"/ui/api/runs/{child}").json()
    assert found["error"] == "boom"
    assert found["payloads"]["inputs"]["text"] == '{"n":1}'
    assert found["payloads"]["outputs"] is None
    raw = http.get(f"/ui/api/runs/{child}/inputs")
    assert raw.text == '{"n":1}'
    assert raw.headers["content-disposition"].startswith("attachment")
    assert "sandbox" in raw.headers["content-security-policy"]
    assert http.get(f"/ui/api/runs/{child}/outputs").status_code == 404
    assert http.get(f"/ui/api/runs/{root}/secrets").status_code == 404


def test_a_shared_trace_tells_neither_project_nor_thread(
    http: httpx.Client, project: str, trace: tuple[str, str, str]
) -> None:
    root, child, project_id = trace
    token = http.post(f"/ui/api/runs/{child}/share").json()["token"]
    base = f"/ui/api/public/{token}"
    answers = [
        http.get(f"{base}/trace"),
        http.get(f"{base}/runs/{child}"),
        http.get(f"{base}/runs/{root}/inputs"),
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert not any(project in answer.text or project_id in answer.text for answer in answers)
    stranger = str(uuid.uuid4())
    http.post("/runs/batch", json={"post": [run(stranger, None, project)]})
    assert http.get(f"{base}/runs/{stranger}").status_code == 404
    assert http.get(f"/public/{token}/r?plain").text.count("<details") == 2
    http.delete(f"/ui/api/runs/{root}/share")
    assert [http.get(answer.url).status_code for answer in answers] == [404, 404, 404]
    assert http.get(f"/public/{token}/r").status_code == 404


# -- tables ------------------------------------------------------------------------------------------------


def test_rows_come_in_pages(http: httpx.Client, project: str) -> None:
    runs = [run(str(uuid.uuid4()), None, project) for _ in range(5)]
    http.post("/runs/batch", json={"post": runs})
    path = f"/ui/api/projects/{http.get('/sessions', params={'name': project}).json()[0]['id']}/runs"
    seen: list[str] = []
    after = None
    while True:
        page = http.post(path, json={"limit": 2, "after": after}).json()
        seen += [row["id"] for row in page["runs"]]
        after = page["next"]
        if after is None:
            break
    assert sorted(seen) == sorted(one["id"] for one in runs)
    assert page["runs"][0]["input"] == "Hello there"


def test_a_filter_says_what_is_wrong_with_it_and_where(
    http: httpx.Client, trace: tuple[str, str, str]
) -> None:
    for path in ("/ui/api/filter", f"/ui/api/projects/{trace[2]}/runs"):
        answer = http.post(path, json={"filter": 'and(eq(name, "x"), eq(nam, 1))'})
        assert answer.status_code == 400
        assert "did you mean name" in answer.json()["message"]
        assert answer.json()["position"] == 22
    assert http.post("/ui/api/filter", json={"filter": 'eq(name, "x")'}).json() is None


BAD = [
    b"{", b"[]", b'{"limit": 0}', b'{"limit": 201}', b'{"since": -1}', b'{"since": 99999999999999999999999}',
    b'{"search": "!"}', b'{"filter": 7}', b'{"filter": "\\ud800"}', b'{"filter": "eq(name, \\"\\u0000\\")("}',
    b'{"after": {"start": -1, "id": "00000000-0000-0000-0000-000000000000"}}', b'{"after": {"start": 1, "id": "x"}}',
    b"\xff", b"[" * 5000,
]  # fmt: skip


@pytest.mark.parametrize("table", ["runs", "threads", "figures", "series", "turns"])
@pytest.mark.parametrize("body", BAD)
def test_bad_bodies_are_the_clients_mistake(
    http: httpx.Client, trace: tuple[str, str, str], table: str, body: bytes
) -> None:
    answer = http.post(f"/ui/api/projects/{trace[2]}/{table}", content=body)
    assert answer.status_code < 500, answer.text
    if table == "runs":
        assert answer.status_code == 400, answer.text
        assert answer.json()["message"]


@pytest.mark.parametrize(
    "path",
    ["traces/x", "runs/x", "projects/x", "projects?window=year", "runs/%00", "nothing", "public/x/trace"],
)
def test_bad_addresses_are_answered_in_the_pages_shape(http: httpx.Client, path: str) -> None:
    answer = http.get(f"/ui/api/{path}")
    assert answer.status_code in (400, 404)
    assert answer.json()["message"]


def test_series_say_which_strides_there_may_be(http: httpx.Client, trace: tuple[str, str, str]) -> None:
    path = f"/ui/api/projects/{trace[2]}/series"
    day = {"since": 1_767_225_600_000_000, "until": 1_767_312_000_000_000, "stride": 3_600_000_000}
    found = http.post(path, json=day).json()
    assert [(one["start"], one["runs"], one["errors"]) for one in found["traces"]] == [(day["since"], 1, 0)]
    for wrong in ({"stride": 1}, {"stride": 1_000_000}, {"until": 0}, {"group": "x"}, {"group": "metadata"}):
        assert http.post(path, json={**day, **wrong}).status_code == 400


# -- signing in --------------------------------------------------------------------------------------------


def test_a_sign_in_lasts_as_long_as_its_key(own_server: Server) -> None:
    own_server.data_dir.mkdir()
    own_server.options = ("--auth", "keys")
    command = [
        sys.executable,
        "-m",
        "stenograph",
        "keys",
        "create",
        "--new",
        "--data-dir",
        str(own_server.data_dir),
    ]
    admin, key = (
        subprocess.run([*command, "--role", role], check=True, capture_output=True, text=True).stdout.strip()
        for role in ("admin", "write")
    )
    own_server.start()
    with httpx.Client(base_url=own_server.url) as http:
        assert http.get("/ui/api/me").status_code == 401
        assert http.post("/ui/api/sign-in", json={"key": "wrong"}).status_code == 401
        assert http.post("/ui/api/sign-in", json={"key": " "}).status_code == 400
        foreign = {"sec-fetch-site": "cross-site"}
        assert http.post("/ui/api/sign-in", json={"key": key}, headers=foreign).status_code == 403
        assert http.post("/ui/api/sign-in", json={"key": key}).status_code == 200
        assert http.get("/ui/api/me").json()["role"] == "write"
        path = f"/ui/api/runs/{uuid.uuid4()}/share"
        assert http.post(path, headers=foreign).status_code == 403
        assert http.post(path, headers={"origin": "http://localhost:9"}).status_code == 403
        assert http.post(path, headers={"sec-fetch-site": "same-origin"}).status_code == 404
        sealed = http.cookies["stenograph"]
        assert http.get("/sessions", headers={"cookie": f"stenograph={sealed}"}).status_code == 401
        owner = {"x-api-key": admin}
        listed = http.get("/api-key", headers=owner)
        if listed.status_code == 200:
            (mine,) = [one for one in listed.json() if one["short_key"].endswith(key[-4:])]
            assert http.delete(f"/api-key/{mine['id']}", headers=owner).status_code == 200
            assert http.get("/ui/api/me").status_code == 401
        assert http.delete("/ui/api/sign-in").status_code == 200
        assert "stenograph" not in http.cookies


def test_seals_open_only_where_they_were_made() -> None:
    one, other = SignIns(b"1" * 32), SignIns(b"2" * 32)
    sealed = one.seal("sk_steno_x")
    assert "sk_steno_x" not in sealed
    assert one.open(sealed) == "sk_steno_x"
    for wrong in (sealed[:-2] + "xx", "", "é\ud800", "x" * 10_000):
        assert one.open(wrong) is None
    assert other.open(sealed) is None


# -- files -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["..%2findex.html", "%2e%2e", ".gitkeep", "x/../../index.html", "nothing.js", "é.js"]
)
def test_no_file_but_an_asset_is_served(http: httpx.Client, name: str) -> None:
    assert (
        http.get(f"/ui/assets/{name}").status_code == 404
        or "<!doctype" in http.get(f"/ui/assets/{name}").text
    )


def test_a_browser_at_the_root_is_sent_to_the_page(http: httpx.Client) -> None:
    assert http.get("/", headers={"accept": "text/html"}).headers["location"] == "/ui/"
    assert http.get("/").json() == {"name": "Stenograph", "ok": True}
    for path in ("/ui", "/ui/", "/ui/projects/x"):
        answer = http.get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")


# -- previews ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("document", "line"),
    [
        (None, None),
        (b'{"messages": [{"role": "user", "content": "Hi"}, {"role": "user", "content": "there"}]}', "there"),
        (b'{"choices": [{"message": {"content": "Yes"}}]}', "Yes"),
        (b'{"messages": [[{"lc": 1, "id": ["x"], "kwargs": {"content": "deep"}}]]}', "deep"),
        (b'{"role": "user", "content": [{"type": "text", "text": "part"}]}', "part"),
        (b'{"only": "one"}', "one"),
        (b'{"a": 1, "b": 2}', '{"a": 1, "b": 2}'),
        (b'{"output": "two\\n lines"}', "two lines"),
        (b"[]", "[]"),
        (b"{", "{"),
        (b'{"output": "\xff"}', '{"output": "\ufffd"}'),
    ],
)
def test_a_payload_in_a_line(document: bytes | None, line: str | None) -> None:
    assert preview(document) == line


def test_a_line_is_short_whatever_the_payload() -> None:
    for document in (
        b'{"x": "' + b"a" * 200_000 + b'"}',
        b'{"x": "' + b"a" * 2000 + b'"}',
        b"[" * 900 + b"]" * 900,
    ):
        assert len(preview(document) or "") <= LENGTH
