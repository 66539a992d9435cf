"""Sharing: links made with the real client, and what a stranger who holds one sees, and does not see."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest
from langsmith import Client
from langsmith.utils import LangSmithNotFoundError

from tests.conftest import Server

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:.*deprecated.*")

NOT_FOUND = {"detail": "not found"}
EVIL = "</pre><script>alert(1)</script><img src=x onerror=alert(2)>"


@dataclass
class Traced:
    """A trace of three runs, and one run of another trace beside it."""

    project: str
    root: str = field(default_factory=lambda: str(uuid.uuid4()))
    child: str = field(default_factory=lambda: str(uuid.uuid4()))
    grandchild: str = field(default_factory=lambda: str(uuid.uuid4()))
    other: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def all(self) -> set[str]:
        return {self.root, self.child, self.grandchild}

    def runs(self) -> list[dict[str, Any]]:
        def run(name: str, *path: str, **more: Any) -> dict[str, Any]:
            order = ".".join(f"20260101T00000{at}000000Z{step}" for at, step in enumerate(path))
            return {
                "id": path[-1], "trace_id": path[0], "dotted_order": order, "name": name, "run_type": "chain",
                "session_name": self.project, "inputs": {"q": name}, "outputs": {"a": name.upper()},
                "start_time": f"2026-01-01T00:00:0{len(path)}Z", "end_time": "2026-01-01T00:00:09Z", **more,
            }  # fmt: skip

        extra = {"metadata": {"thread_id": "thread-1", "ls_model_name": "m"}}
        usage = {"usage_metadata": {"input_tokens": 3, "output_tokens": 4, "total_tokens": 7}}
        return [
            run("root", self.root, extra=extra),
            run("child", self.root, self.child, parent_run_id=self.root, error="it broke"),
            run(
                "grandchild", self.root, self.child, self.grandchild, parent_run_id=self.child, run_type="llm",
                outputs=usage,
            ),
            run("other", self.other, extra=extra, inputs={"q": "secret of the other"}),
        ]  # fmt: skip


@pytest.fixture
def traced(http: httpx.Client, project: str) -> Traced:
    found = Traced(project)
    answer = http.post("/runs/batch", json={"post": found.runs()})
    assert answer.status_code == 202, answer.text
    return found


@pytest.fixture
def token(http: httpx.Client, traced: Traced) -> str:
    return str(http.put(f"/runs/{traced.root}/share", json={}).json()["share_token"])


@pytest.fixture
def stranger(server: Server) -> Iterator[httpx.Client]:
    """Somebody who holds a link, and whose client sends a key that is not known here."""
    with httpx.Client(base_url=server.url, timeout=60, headers={"x-api-key": "wrong"}) as found:
        yield found


def ask(http: httpx.Client, token: str, **body: Any) -> set[str]:
    answer = http.post(f"/public/{token}/runs/query", json=body)
    assert answer.status_code == 200, answer.text
    return {run["id"] for run in answer.json()["runs"]}


# -- making and closing links ----------------------------------------------------------------------------


def test_the_client_shares_reads_and_withdraws(client: Client, traced: Traced) -> None:
    assert client.read_run_shared_link(traced.root) is None
    assert not client.run_is_shared(traced.root)
    url = client.share_run(traced.root)
    assert client.share_run(traced.root) == url
    assert client.read_run_shared_link(traced.root) == url
    assert client.run_is_shared(traced.root)
    token = url.rsplit("/", 2)[-2]

    run = client.read_shared_run(token)
    assert (str(run.id), run.name, run.inputs, run.outputs) == (
        traced.root,
        "root",
        {"q": "root"},
        {"a": "ROOT"},
    )
    child = client.read_shared_run(token, run_id=traced.child)
    assert (child.name, child.error, str(child.parent_run_id)) == ("child", "it broke", traced.root)
    assert {str(run.id) for run in client.list_shared_runs(token)} == traced.all
    assert {str(run.id) for run in client.list_shared_runs(token, run_ids=[traced.child])} == {traced.child}

    client.unshare_run(traced.root)
    assert not client.run_is_shared(traced.root)
    with pytest.raises(LangSmithNotFoundError):
        client.read_shared_run(token)


def test_any_run_of_a_trace_shares_it_under_one_token(http: httpx.Client, traced: Traced) -> None:
    answers = [http.put(f"/runs/{run}/share", json={}).json() for run in (traced.child, traced.root)]
    assert [answer["run_id"] for answer in answers] == [traced.child, traced.root]
    assert answers[0]["share_token"] == answers[1]["share_token"]
    assert http.get(f"/runs/{traced.grandchild}/share").json()["share_token"] == answers[0]["share_token"]
    assert http.get(f"/public/{answers[0]['share_token']}/run").json()["id"] == traced.root
    assert http.put(f"/runs/{traced.other}/share").json()["share_token"] != answers[0]["share_token"]


def test_the_body_of_a_share_is_the_servers_business(http: httpx.Client, traced: Traced) -> None:
    """JavaScript's client sends text/plain; and a token that a client proposes could be guessed."""
    proposed = str(uuid.UUID(int=1))
    bodies = [
        (f'{{"run_id":"{traced.root}","share_token":"{proposed}"}}', "text/plain;charset=UTF-8"),
        ("", "application/json"),
        ("this is no JSON", "application/json"),
    ]
    found = set()
    for body, kind in bodies:
        answer = http.put(f"/runs/{traced.root}/share", content=body, headers={"Content-Type": kind})
        assert answer.status_code == 200, answer.text
        found.add(answer.json()["share_token"])
    assert len(found) == 1
    assert uuid.UUID(found.pop()).version == 4
    assert http.get(f"/public/{proposed}/run").status_code == 404


def test_share_state_of_a_run(http: httpx.Client, traced: Traced) -> None:
    answer = http.get(f"/runs/{traced.root}/share")
    assert (answer.status_code, answer.text) == (200, "null")
    assert http.delete(f"/runs/{traced.root}/share").status_code == 200
    for method in ("GET", "PUT", "DELETE"):
        assert http.request(method, f"/runs/{uuid.uuid4()}/share").status_code == 404, method
        assert http.request(method, "/runs/no-uuid/share").status_code == 422, method


def test_a_withdrawn_link_is_dead_and_a_new_one_is_another(
    http: httpx.Client, traced: Traced, token: str
) -> None:
    assert http.get(f"/public/{token}/run").status_code == 200
    assert http.delete(f"/runs/{traced.child}/share").status_code == 200
    assert http.get(f"/public/{token}/run").status_code == 404
    assert http.put(f"/runs/{traced.root}/share").json()["share_token"] != token


def test_a_share_dies_with_its_run(http: httpx.Client, traced: Traced, token: str) -> None:
    session = http.get(f"/runs/{traced.root}").json()["session_id"]
    http.post("/runs/delete", json={"session_id": session, "trace_ids": [traced.root]})
    assert http.get(f"/public/{token}/run").status_code == 404
    assert http.post(f"/public/{token}/runs/query", json={}).status_code == 404
    assert http.get(f"/public/{token}/r").status_code == 404


def test_the_share_token_of_a_run_is_told_to_its_owner_alone(
    http: httpx.Client, traced: Traced, token: str
) -> None:
    assert http.get(f"/runs/{traced.child}").json()["share_token"] == token
    assert http.get(f"/runs/{traced.other}").json()["share_token"] is None
    assert "share_token" not in http.get(f"/public/{token}/run").json()


# -- the list of links -----------------------------------------------------------------------------------


def test_links_are_listed_by_page_and_revoked_in_bulk(own_server: Server) -> None:
    own_server.start()
    with httpx.Client(base_url=own_server.url, timeout=60) as http:
        traces = [Traced("listed") for _ in range(5)]
        for traced in traces:
            assert http.post("/runs/batch", json={"post": traced.runs()}).status_code == 202
        tokens = [http.put(f"/runs/{traced.root}/share").json()["share_token"] for traced in traces]

        listed = http.get("/workspaces/current/shared").json()["entities"]
        assert [entity["share_token"] for entity in listed] == tokens[::-1]
        session = http.get(f"/runs/{traces[4].root}").json()["session_id"]
        created = listed[0].pop("created_at")
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", created)
        assert listed[0] == {
            "type": "run", "share_token": tokens[4], "run_id": traces[4].root, "run_name": "root",
            "run_type": "chain", "session_id": session, "session_name": "listed",
        }  # fmt: skip

        pages = [
            http.get("/api/v1/workspaces/current/shared", params={"limit": 2, "offset": at}).json()[
                "entities"
            ]
            for at in (0, 2, 4, 6)
        ]
        assert [len(page) for page in pages] == [2, 2, 1, 0]
        assert [entity["share_token"] for page in pages for entity in page] == tokens[::-1]
        for wrong in ({"limit": 0}, {"limit": 101}, {"offset": -1}, {"limit": "x"}):
            assert http.get("/workspaces/current/shared", params=wrong).status_code == 422, wrong

        def revoke(body: Any) -> int:
            return http.request("DELETE", "/workspaces/current/shared", json=body).status_code

        def alive() -> list[bool]:
            return [http.get(f"/public/{token}/run").status_code == 200 for token in tokens]

        assert revoke({}) == 422
        assert revoke({"share_tokens": []}) == 200
        assert revoke({"share_tokens": [str(uuid.uuid4())]}) == 200
        assert revoke({"share_tokens": ["no uuid"]}) == 422
        assert alive() == [True] * 5
        assert revoke({"share_tokens": tokens[:2]}) == 200
        assert alive() == [False, False, True, True, True]
        assert revoke({"unshare_all": True}) == 200
        assert alive() == [False] * 5
        assert http.get("/workspaces/current/shared").json() == {"entities": []}


# -- what a stranger sees --------------------------------------------------------------------------------


def test_a_public_run_has_the_public_shape(stranger: httpx.Client, traced: Traced, token: str) -> None:
    run = stranger.get(f"/public/{token}/run").json()
    assert {"name", "run_type", "trace_id", "dotted_order", "id", "status"} <= run.keys()
    assert run["child_run_ids"] == [traced.child, traced.grandchild]
    assert run["total_tokens"] == 7
    child = stranger.get(f"/public/{token}/run/{traced.child}").json()
    assert child["parent_run_ids"] == [traced.root]
    assert child["error"] == "it broke"
    slim = stranger.get(f"/public/{token}/run", params={"exclude_s3_stored_attributes": "true"}).json()
    assert not {"inputs", "outputs", "extra", "events", "serialized", "error"} & slim.keys()
    assert slim["name"] == "root"


def test_nothing_of_the_project_is_told(
    http: httpx.Client, stranger: httpx.Client, traced: Traced, token: str
) -> None:
    session = http.get(f"/runs/{traced.root}").json()["session_id"]
    everything = sorted(
        {*http.get(f"/runs/{traced.root}").json(), "session_id", "app_path", "thread_id"}
        - {"execution_order"}
    )
    answers = [
        stranger.get(f"/public/{token}/run"),
        stranger.get(f"/public/{token}/run/{traced.child}"),
        stranger.post(f"/public/{token}/runs/query", json={}),
        stranger.post(f"/public/{token}/runs/query", json={"select": everything}),
        stranger.get(f"/public/{token}/r"),
    ]
    private = {
        "session_id", "app_path", "share_token", "in_dataset", "trace_tier", "trace_upgrade", "ttl_seconds",
        "last_queued_at", "trace_first_received_at", "reference_dataset_id", "inserted_at",
    }  # fmt: skip
    for answer in answers:
        assert answer.status_code == 200, answer.text
        assert session not in answer.text
        assert traced.project not in answer.text
        assert token not in answer.text
        assert traced.other not in answer.text
    for answer in answers[:2]:
        assert not private & answer.json().keys()
    for answer in answers[2:4]:
        for run in answer.json()["runs"]:
            assert not private & run.keys()


def test_selectors_work_within_the_trace(stranger: httpx.Client, traced: Traced, token: str) -> None:
    assert ask(stranger, token) == traced.all
    assert ask(stranger, token, id=[traced.child, traced.grandchild]) == {traced.child, traced.grandchild}
    assert ask(stranger, token, is_root=True) == {traced.root}
    assert ask(stranger, token, parent_run=traced.child) == {traced.grandchild}
    assert ask(stranger, token, error=True) == {traced.child}
    assert ask(stranger, token, run_type="llm") == {traced.grandchild}
    assert ask(stranger, token, filter='eq(name, "child")') == {traced.child}
    assert ask(stranger, token, trace_filter='eq(name, "root")') == traced.all
    assert ask(stranger, token, tree_filter='eq(name, "grandchild")') == traced.all
    assert ask(stranger, token, filter="gt(total_tokens, 5)") == {traced.root, traced.grandchild}
    first = stranger.post(f"/public/{token}/runs/query", json={"limit": 2, "order": "asc"}).json()
    rest = {"limit": 2, "order": "asc", "cursor": first["cursors"]["next"]}
    second = stranger.post(f"/public/{token}/runs/query", json=rest).json()
    names = [run["name"] for page in (first, second) for run in page["runs"]]
    assert names == ["root", "child", "grandchild"]
    assert second["cursors"]["next"] is None


def test_no_selector_leads_out_of_the_trace(
    http: httpx.Client, stranger: httpx.Client, traced: Traced, token: str
) -> None:
    session = http.get(f"/runs/{traced.root}").json()["session_id"]
    other = traced.other
    assert ask(stranger, token, id=[other]) == set()
    assert ask(stranger, token, id=[other, traced.root]) == {traced.root}
    assert ask(stranger, token, trace=other) == set()
    assert ask(stranger, token, parent_run=other) == set()
    assert ask(stranger, token, filter='eq(name, "other")') == set()
    assert ask(stranger, token, filter='or(eq(name, "other"), eq(name, "root"))') == {traced.root}
    assert ask(stranger, token, filter=f'eq(trace_id, "{other}")') == set()
    assert ask(stranger, token, filter='eq(thread_id, "thread-1")') <= traced.all
    assert ask(stranger, token, trace_filter='eq(name, "other")') == set()
    assert ask(stranger, token, tree_filter='eq(name, "other")') == set()
    assert ask(stranger, token, tree_filter='search("secret of the other")') == set()
    assert ask(stranger, token, filter='not(eq(name, "root"))') == {traced.child, traced.grandchild}
    assert ask(stranger, token, filter='neq(feedback_key, "x")') == traced.all
    for anything in (session, str(uuid.uuid4())):
        assert ask(stranger, token, session=[anything]) == traced.all, "a project may not be guessed"
        for where in ("filter", "trace_filter", "tree_filter"):
            for text in (
                f'eq(session_id, "{anything}")', f'in(session_id, ["{anything}"])',
                f'not(and(eq(name, "x"), or(neq(session_id, "{anything}"), eq(name, "y"))))',
            ):  # fmt: skip
                answer = stranger.post(f"/public/{token}/runs/query", json={where: text})
                assert answer.status_code == 422
                assert "session_id is not a field of shared runs" in answer.text
    answer = stranger.get(f"/public/{token}/run/{other}")
    assert (answer.status_code, answer.json()) == (404, NOT_FOUND)


def test_what_opens_nothing_says_nothing(http: httpx.Client, traced: Traced, token: str) -> None:
    http.delete(f"/runs/{traced.root}/share")
    unknown = [
        token,
        str(uuid.uuid4()),
        "no-uuid",
        "%00",
        "..%2f..",
        token[:-1],
        traced.root,
        "null",
        "a" * 3000,
    ]
    for text in unknown:
        answers = [
            http.get(f"/public/{text}/run"),
            http.get(f"/public/{text}/run/{traced.root}"),
            http.get(f"/public/{text}/run/no-uuid"),
            http.post(f"/public/{text}/runs/query", json={}),
            http.post(f"/public/{text}/runs/query", content=b"no JSON"),
            http.get(f"/public/{text}/feedbacks"),
            http.get(f"/public/{text}/feedbacks", params={"limit": "x"}),
        ]
        if text == "..%2f..":
            assert {answer.status_code for answer in answers} == {404}
            continue
        for answer in answers:
            assert (answer.status_code, answer.json()) == (404, NOT_FOUND), (text, str(answer.url))


def test_nonsense_with_a_good_token(stranger: httpx.Client, token: str) -> None:
    def status(**body: Any) -> int:
        return stranger.post(f"/public/{token}/runs/query", json=body).status_code

    assert stranger.get(f"/public/{token}/run/no-uuid").status_code == 422
    assert status(id="x") == 422
    assert status(select=["nothing"]) == 422
    assert status(cursor="x") == 422
    assert status(filter="eq(") == 400
    assert status(limit=100_000) == 200
    assert stranger.put(f"/public/{token}/run").status_code == 405
    assert stranger.get(f"/public/{token}/elsewhere").status_code == 404


# -- feedback ----------------------------------------------------------------------------------------------


def test_feedback_of_the_trace_and_of_nothing_else(
    http: httpx.Client, stranger: httpx.Client, traced: Traced, token: str
) -> None:
    session = http.get(f"/runs/{traced.root}").json()["session_id"]
    judge = str(uuid.uuid4())
    source = {"type": "model", "metadata": {"__run": {"run_id": judge}}}
    given = [
        {"run_id": traced.root, "trace_id": traced.root, "key": "with-trace", "score": 1, "comment": "fine"},
        {"run_id": traced.child, "key": "without-trace", "score": True, "feedback_source": source},
        {"run_id": traced.child, "key": "text", "value": "good", "session_id": session},
        {"run_id": traced.other, "trace_id": traced.other, "key": "other", "score": 0},
        {"run_id": traced.other, "trace_id": traced.root, "key": "claims-the-trace", "score": 0},
        {"session_id": session, "key": "project", "score": 0},
    ]
    for item in given:
        answer = http.post("/feedback", json={"id": str(uuid.uuid4()), **item})
        assert answer.status_code == 200, answer.text

    def found(**params: Any) -> list[str]:
        answer = stranger.get(f"/public/{token}/feedbacks", params=params)
        assert answer.status_code == 200, answer.text
        for secret in (session, judge, traced.other):
            assert secret not in answer.text
        return sorted(item["key"] for item in answer.json())

    mine = ["text", "with-trace", "without-trace"]
    assert found() == mine
    assert found(run=traced.child) == ["text", "without-trace"]
    assert found(run=traced.other) == []
    assert found(run=[traced.other, traced.root]) == ["with-trace"]
    assert found(key="text") == ["text"]
    assert found(session=session) == found(session=str(uuid.uuid4())) == mine
    assert found(level="session") == []
    assert found(level="run") == mine
    assert found(has_comment="true") == ["with-trace"]
    assert found(has_score="false") == ["text"]
    pages = [found(limit=2, offset=at) for at in (0, 2, 4)]
    assert sorted(key for page in pages for key in page) == mine
    assert [len(page) for page in pages] == [2, 1, 0]
    item = next(i for i in stranger.get(f"/public/{token}/feedbacks").json() if i["key"] == "without-trace")
    assert item["score"] is True
    assert item["run_id"] == traced.child
    run = stranger.get(f"/public/{token}/run/{traced.child}")
    assert run.json()["feedback_stats"]["without-trace"]["n"] == 1
    assert judge not in run.text


# -- the page ----------------------------------------------------------------------------------------------


class Tags(HTMLParser):
    """The elements and attributes that a browser would make of a page, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_shows_the_tree(stranger: httpx.Client, traced: Traced, token: str) -> None:
    answer = stranger.get(f"/public/{token}/r?plain")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    text = Tags(answer.text).text
    assert text.index("root") < text.index("└ child") < text.index("  └ grandchild")
    assert '{\n  "q": "root"\n}' in text
    assert "it broke" in text
    assert "8.000 s" in text
    assert "secret of the other" not in text


def test_the_page_runs_and_loads_nothing(http: httpx.Client, stranger: httpx.Client, project: str) -> None:
    traced = Traced(project)
    (run, *_) = traced.runs()
    hostile = {**run, "name": EVIL, "error": EVIL, "inputs": {EVIL: EVIL}, "outputs": {"bidi": "\u202e\0"}}
    assert http.post("/runs/batch", json={"post": [hostile]}).status_code == 202
    token = http.put(f"/runs/{traced.root}/share").json()["share_token"]
    answer = stranger.get(f"/public/{token}/r?plain")
    assert answer.status_code == 200
    page = Tags(answer.text)
    assert page.tags <= {
        "html", "head", "meta", "title", "style", "body", "h1", "h2", "ol", "li", "details", "summary", "span",
        "bdi", "pre", "p",
    }  # fmt: skip
    assert page.attributes <= {"lang", "charset", "name", "content", "class", "open"}
    assert page.text.count("<script>alert(1)</script>") >= 4
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert "sandbox" in policy
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_the_page_stays_small(http: httpx.Client, stranger: httpx.Client, project: str) -> None:
    traced = Traced(project)
    (root, *_) = traced.runs()
    large = {**root, "inputs": {"x": "y" * 3_000_000}, "outputs": {"deep": eval("[" * 90 + "]" * 90)}}
    children = [
        {
            **root, "id": (child := str(uuid.uuid4())), "parent_run_id": traced.root, "name": f"n{at}",
            "dotted_order": f"{root['dotted_order']}.20260101T000001000000Z{child}",
            "start_time": "2026-01-01T00:00:02Z", "inputs": {"x": "z" * 30_000},
        }
        for at in range(600)
    ]  # fmt: skip
    assert http.post("/runs/batch", json={"post": [large, *children]}).status_code == 202
    token = http.put(f"/runs/{traced.root}/share").json()["share_token"]
    answer = stranger.get(f"/public/{token}/r?plain")
    assert answer.status_code == 200
    assert len(answer.content) < 5_500_000
    assert answer.text.count("<li>") == 500
    assert "Only the first 500 runs are shown." in answer.text
    assert "Not shown." in answer.text


def test_the_page_of_nothing(stranger: httpx.Client, traced: Traced) -> None:
    for text in (str(uuid.uuid4()), "no-uuid", traced.root):
        answer = stranger.get(f"/public/{text}/r")
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "Nothing is shared here" in answer.text


def test_a_deleted_trace_that_is_sent_again_is_not_shared(http: httpx.Client, project: str) -> None:
    run_id = uuid.uuid4()
    run = {"id": str(run_id), "name": "gone", "run_type": "chain", "session_name": project, "inputs": {}}
    assert http.post("/runs", json=run).status_code == 202
    token = http.put(f"/runs/{run_id}/share", json={}).json()["share_token"]
    session = http.get(f"/runs/{run_id}").json()["session_id"]
    body = {"session_id": session, "trace_ids": [str(run_id)]}
    assert http.post("/runs/delete", json=body).status_code == 202
    assert http.get(f"/public/{token}/run").status_code == 404
    assert http.post("/runs", json=run).status_code == 202
    assert http.get(f"/runs/{run_id}").status_code == 200
    assert http.get(f"/public/{token}/run").status_code == 404
