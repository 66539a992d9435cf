"""Projects, as LangSmith's clients see them: sessions."""

from __future__ import annotations

import asyncio
import time
import uuid
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from langsmith import Client
from langsmith.utils import LangSmithConflictError, LangSmithNotFoundError

from stenograph.store.meta.database import open_meta
from tests.conftest import Server
from tests.keys import issue
from tests.wire.langsmith.recorded import START, Trace, record

number = (int, float)
DOCUMENTED: dict[str, tuple[type, ...]] = {
    "id": (str,),
    "tenant_id": (str,),
    "start_time": (str,),
    "end_time": (str,),
    "extra": (dict,),
    "name": (str,),
    "description": (str,),
    "default_dataset_id": (str,),
    "reference_dataset_id": (str,),
    "trace_tier": (str,),
    "run_count": (int,),
    "latency_p50": number,
    "latency_p99": number,
    "first_token_p50": number,
    "first_token_p99": number,
    "total_tokens": (int,),
    "prompt_tokens": (int,),
    "completion_tokens": (int,),
    "total_cost": (str,),
    "prompt_cost": (str,),
    "completion_cost": (str,),
    "last_run_start_time": (str,),
    "last_run_start_time_live": (str,),
    "feedback_stats": (dict,),
    "session_feedback_stats": (dict,),
    "run_facets": (list,),
    "error_rate": number,
    "streaming_rate": number,
    "test_run_number": (int,),
    "experiment_progress": (dict,),
}
"""Every member of the documented answer of GET /api/v1/sessions/{session_id}, and its type when it has a value."""

STATISTICS = list(DOCUMENTED)[10:]


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the client announces its own deprecations
        yield


def id_of(http: httpx.Client, name: str) -> str:
    found: str = http.get("/sessions", params={"name": name}).json()[0]["id"]
    return found


def names(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [session["name"] for session in answer.json()]


# -- create, read, change --------------------------------------------------------------------------------


def test_the_client_creates_reads_and_updates(client: Client, project: str) -> None:
    created = client.create_project(
        project, description="first", metadata={"env": "test"}, project_extra={"note": [1]}
    )
    assert (created.name, created.description) == (project, "first")
    assert created.extra == {"note": [1], "metadata": {"env": "test"}}

    by_name = client.read_project(project_name=project)
    assert by_name.id == created.id
    assert by_name.run_count is None
    assert client.read_project(project_id=str(created.id)).tenant_id == created.tenant_id
    assert client.has_project(project)

    ended = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)
    changed = client.update_project(
        created.id, name=f"{project} done", metadata={"env": "prod"}, end_time=ended
    )
    assert changed.name == f"{project} done"
    assert changed.description == "first"
    assert changed.metadata == {"env": "prod"}
    assert changed.end_time is not None
    assert changed.end_time.replace(tzinfo=UTC) == ended
    assert not client.has_project(project)


def test_a_name_is_taken_once(client: Client, project: str) -> None:
    first = client.create_project(project)
    with pytest.raises(LangSmithConflictError):
        client.create_project(project)
    again = client.create_project(project, description="said later", upsert=True)
    assert (again.id, again.description) == (first.id, "said later")

    other = client.create_project(f"{project} other")
    with pytest.raises(LangSmithConflictError):
        client.update_project(other.id, name=project)


def test_nulls_change_nothing(http: httpx.Client, project: str) -> None:
    sent = {"name": project, "description": "kept", "extra": {"a": 1}, "trace_tier": "longlived"}
    created = http.post("/sessions", json=sent).json()
    nothing = dict.fromkeys(("name", "description", "extra", "trace_tier", "end_time", "default_dataset_id"))
    assert http.patch(f"/sessions/{created['id']}", json=nothing).json() == created
    assert {key: created[key] for key in sent} == sent


def test_a_project_without_a_name_gets_one(http: httpx.Client) -> None:
    first, second = (http.post("/sessions", json={}).json()["name"] for _ in range(2))
    assert first
    assert first != second


def test_a_run_makes_its_project(client: Client, http: httpx.Client, project: str) -> None:
    (root,) = record(http, project, Trace())
    assert client.read_project(project_name=project).name == project
    assert [run.id for run in client.list_runs(project_name=project, is_root=True)] == [root]


# -- the documented shape --------------------------------------------------------------------------------


def test_every_documented_field_has_its_type(http: httpx.Client, project: str) -> None:
    dataset = str(uuid.uuid4())
    created = http.post(
        "/sessions",
        json={
            "name": project,
            "description": "an experiment",
            "end_time": "2026-03-05T00:00:00Z",
            "extra": {"metadata": {"k": "v"}},
            "default_dataset_id": str(uuid.uuid4()),
            "reference_dataset_id": dataset,
            "trace_tier": "shortlived",
            "num_examples": 4,
        },
    ).json()
    record(http, project, Trace(first_token=0.5))
    found = http.get(f"/api/v1/sessions/{created['id']}", params={"include_stats": True}).json()
    assert set(found) == set(DOCUMENTED)
    for field, kinds in DOCUMENTED.items():
        assert isinstance(found[field], kinds), field
        assert not isinstance(found[field], bool), field
    assert found["test_run_number"] == 1

    bare = http.get(f"/api/v1/sessions/{created['id']}").json()
    assert set(bare) == set(DOCUMENTED)
    assert {bare[field] for field in STATISTICS} == {None}
    listed = http.get("/sessions", params={"id": created["id"]}).json()
    assert listed == [bare]
    assert http.get("/sessions", params={"id": created["id"], "include_stats": "True"}).json() == [
        {**found, "run_facets": []}
    ]
    with_facets = {"id": created["id"], "include_stats": "true", "facets": "true"}
    assert http.get("/sessions", params=with_facets).json() == [found]


def test_statistics_say_what_happened(client: Client, http: httpx.Client, project: str) -> None:
    record(
        http,
        project,
        Trace(seconds=2, first_token=0.25),
        Trace(seconds=4, start=START + timedelta(minutes=1), first_token=0.75),
        Trace(seconds=9, start=START + timedelta(minutes=2), error="it broke", cost=None),
    )
    roots = [run.id for run in client.list_runs(project_name=project, is_root=True)]
    client.create_feedback(roots[0], "helpful", score=1)
    client.create_feedback(roots[1], "helpful", score=0)
    client.create_feedback(None, "overall", score=0.5, project_id=id_of(http, project))

    found = http.get(f"/sessions/{id_of(http, project)}", params={"include_stats": "true"}).json()
    assert found["run_count"] == 6
    assert found["latency_p50"] == 4
    assert found["latency_p99"] == pytest.approx(8.9)
    assert found["first_token_p50"] == pytest.approx(0.5)
    assert found["first_token_p99"] == pytest.approx(0.745)
    assert (found["prompt_tokens"], found["completion_tokens"], found["total_tokens"]) == (30, 15, 45)
    assert (found["prompt_cost"], found["completion_cost"], found["total_cost"]) == ("1", "0.5", "1.5")
    assert found["last_run_start_time"] == "2026-03-04T05:08:08.000000"
    assert found["error_rate"] == pytest.approx(1 / 3)
    assert found["streaming_rate"] == pytest.approx(2 / 6)
    assert found["feedback_stats"]["helpful"]["n"] == 2
    assert found["feedback_stats"]["helpful"]["avg"] == 0.5
    assert list(found["session_feedback_stats"]) == ["overall"]
    assert found["session_feedback_stats"]["overall"]["avg"] == 0.5

    read = client.read_project(project_name=project, include_stats=True)
    assert read.latency_p50 == timedelta(seconds=4)
    assert read.total_cost == Decimal("1.5")
    assert read.run_count == 6
    assert client.get_run_stats(project_names=[project], run_type="llm")["run_count"] == 3


def test_a_project_without_runs_has_empty_statistics(
    client: Client, http: httpx.Client, project: str
) -> None:
    created = client.create_project(project)
    found = http.get(f"/sessions/{created.id}", params={"include_stats": "true"}).json()
    zero = ("run_count", "total_tokens", "prompt_tokens", "completion_tokens")
    assert {found[field] for field in zero} == {0}
    assert (found["feedback_stats"], found["session_feedback_stats"], found["run_facets"]) == ({}, {}, [])
    rest = set(STATISTICS) - {*zero, "feedback_stats", "session_feedback_stats", "run_facets"}
    assert {found[field] for field in rest} == {None}


def test_experiments_count_their_roots(http: httpx.Client, project: str) -> None:
    sent = {"name": project, "reference_dataset_id": str(uuid.uuid4())}
    created = http.post("/sessions", json=sent).json()
    record(http, project, Trace(), Trace())
    found = http.get(f"/sessions/{created['id']}", params={"include_stats": "true"}).json()
    assert found["run_count"] == 2
    assert found["total_tokens"] == 30


def test_stats_start_time_and_filter_bound_the_statistics(http: httpx.Client, project: str) -> None:
    record(
        http,
        project,
        Trace(name="old", start=START - timedelta(days=10), seconds=100),
        Trace(name="new", seconds=2),
        Trace(name="newer", start=START + timedelta(minutes=1), seconds=3, error="no"),
    )
    since = {"include_stats": "true", "stats_start_time": START.isoformat()}
    session = id_of(http, project)
    recent = http.get(f"/sessions/{session}", params=since).json()
    assert (recent["run_count"], recent["latency_p50"]) == (4, 2.5)

    only_new = {**since, "id": session, "stats_filter": 'eq(name, "new")'}
    found = http.get("/sessions", params=only_new).json()[0]
    assert (found["run_count"], found["latency_p50"], found["error_rate"]) == (1, 2, 0)
    assert found["last_run_start_time"] == "2026-03-04T05:06:07.000000"
    assert found["last_run_start_time_live"] == "2026-03-04T05:07:08.000000"

    some: list[tuple[str, str | int | float | bool | None]] = [
        ("id", session),
        ("include_stats", "true"),
        ("use_approx_stats", "true"),
    ]
    some += [("stats_select", "run_count"), ("stats_select", "error_rate")]
    found = http.get("/sessions", params=some).json()[0]
    assert {field for field in STATISTICS if found[field] is not None} == {"run_count", "error_rate"}


def test_facets_name_the_filter_that_selects_their_runs(
    client: Client, http: httpx.Client, project: str
) -> None:
    tricky = 'say "hi", \\ then\tgo'
    (root, *_) = record(
        http,
        project,
        Trace(name=tricky, tags=("red", "blue"), metadata={"env.stage": "pro'd"}),
        Trace(tags=("red",), error="no"),
    )
    client.create_feedback(root, "helpful", comment="only words")
    session = id_of(http, project)
    facets = http.get(f"/sessions/{session}", params={"include_stats": "true"}).json()["run_facets"]
    counts = {(facet["key"], facet["value"]): facet["count"] for facet in facets}
    assert counts["name", tricky] == 1
    assert counts["run_type", "llm"] == 2
    assert counts["status", "error"] == 2
    assert counts["tag", "red"] == 2
    assert counts["metadata.env.stage", "pro'd"] == 1
    assert counts["feedback_key", "helpful"] == 1
    for facet in facets:
        assert set(facet) == {"key", "value", "query", "count"}
        sent = {"session": [session], "filter": facet["query"]}
        runs = http.post("/runs/query", json=sent).json()["runs"]
        assert len(runs) == facet["count"], facet


# -- lists -----------------------------------------------------------------------------------------------


@pytest.fixture
def shelf(http: httpx.Client, project: str) -> dict[str, str]:
    """Four projects: a, b and c with runs, in that order of start; d without."""
    made = {}
    for index, letter in enumerate("abcd"):
        sent: dict[str, Any] = {
            "name": f"{project} {letter}",
            "start_time": (START + timedelta(hours=index)).isoformat(),
            "extra": {"metadata": {"letter": letter, "many": [1, {"deep": letter}]}},
        }
        if letter == "b":
            sent["reference_dataset_id"] = str(uuid.uuid4())
            sent["extra"]["metadata"]["dataset_version"] = "2026-01-01T00:00:00+00:00"
        made[letter] = http.post("/sessions", json=sent).json()["id"]
    late, later = START + timedelta(days=1), START + timedelta(days=2)
    record(http, f"{project} a", Trace(seconds=1, start=later), Trace(seconds=2), Trace(seconds=3))
    record(http, f"{project} b", Trace(seconds=9, error="x", start=late))
    record(http, f"{project} c", Trace(seconds=5, error="x"), Trace(seconds=6))
    return made


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ({}, "dcba"),
        ({"sort_by": "name"}, "dcba"),
        ({"sort_by": "name", "sort_by_desc": "False"}, "abcd"),
        ({"sort_by": "start_time", "sort_by_desc": "false"}, "abcd"),
        ({"sort_by": "last_run_start_time"}, "abcd"),
        ({"sort_by": "last_run_start_time", "sort_by_desc": "false"}, "cbad"),
        ({"sort_by": "latency_p50"}, "bcad"),
        ({"sort_by": "latency_p99", "sort_by_desc": "false"}, "acbd"),
        ({"sort_by": "error_rate"}, "bcad"),
        ({"sort_by": "runs_count"}, "acbd"),
        ({"sort_by": "runs_count", "sort_by_desc": "false"}, "dbca"),
        ({"sort_by": "runs_count", "stats_filter": "eq(status, 'error')"}, "cbda"),
    ],
)
def test_orders(
    http: httpx.Client, shelf: dict[str, str], project: str, order: dict[str, str], expected: str
) -> None:
    found = names(http.get("/sessions", params={"name_contains": project.upper(), **order}))
    assert "".join(name[-1] for name in found) == expected
    pages = [
        names(http.get("/sessions", params={"name_contains": project, **order, "limit": 3, "offset": offset}))
        for offset in (0, 3, 4)
    ]
    assert [len(page) for page in pages] == [3, 1, 0]
    assert pages[0] + pages[1] == found


def test_order_by_feedback(client: Client, http: httpx.Client, shelf: dict[str, str], project: str) -> None:
    for letter, score in (("a", 0.9), ("c", 0.1)):
        run = next(iter(client.list_runs(project_id=shelf[letter], is_root=True)))
        client.create_feedback(run.id, "taste", score=score)
    for letter, score in (("d", 0.9), ("b", 0.1)):
        client.create_feedback(None, "taste", score=score, project_id=shelf[letter])
    order = {"name_contains": project, "sort_by": "feedback", "sort_by_feedback_key": "taste"}
    of_runs = names(http.get("/sessions", params=order))
    assert "".join(name[-1] for name in of_runs) == "acdb"
    of_projects = names(http.get("/sessions", params={**order, "sort_by_feedback_source": "session"}))
    assert "".join(name[-1] for name in of_projects) == "dbca"


def test_what_selects_projects(
    client: Client, http: httpx.Client, shelf: dict[str, str], project: str
) -> None:
    def chosen(**params: Any) -> str:
        found = names(http.get("/sessions", params={"name_contains": project, **params}))
        return "".join(name[-1] for name in found)

    assert chosen(reference_free="true") == "dca"
    assert chosen(name=f"{project} a") == "a"
    assert chosen(name=project) == ""
    assert chosen(id=[shelf["a"], shelf["c"], str(uuid.uuid4())]) == "ca"
    assert chosen(metadata='{"letter": "c"}') == "c"
    assert chosen(metadata='{"many": [{"deep": "a"}]}') == "a"
    assert chosen(dataset_version="2026-01-01T00:00:00+00:00") == "b"
    assert chosen(dataset_version="2026-01-01T00:00:00+00:00", metadata='{"letter": "a"}') == ""
    assert chosen(tag_value_id=str(uuid.uuid4())) == ""
    dataset = http.get(f"/sessions/{shelf['b']}").json()["reference_dataset_id"]
    assert chosen(reference_dataset=[dataset, str(uuid.uuid4())]) == "b"

    listed = client.list_projects(project_ids=[shelf["b"], shelf["d"]], include_stats=True)
    assert {found.name: found.run_count for found in listed} == {f"{project} b": 1, f"{project} d": 0}
    by_metadata = client.list_projects(metadata={"letter": "d"}, name_contains=project)
    assert [str(found.id) for found in by_metadata] == [shelf["d"]]


def test_the_client_pages_through_more_than_a_page(client: Client, http: httpx.Client, project: str) -> None:
    for index in range(103):
        assert http.post("/sessions", json={"name": f"{project} {index}"}).status_code == 200
    assert len({found.id for found in client.list_projects(name_contains=project)}) == 103


def test_an_unknown_name_is_an_empty_list(client: Client, http: httpx.Client, project: str) -> None:
    assert http.get("/sessions", params={"name": project}).json() == []
    with pytest.raises(LangSmithNotFoundError):
        client.read_project(project_name=project)


def test_the_first_project_tells_the_workspace(http: httpx.Client) -> None:
    tenant = http.get("/sessions", params={"limit": 1}).json()[0]["tenant_id"]
    assert tenant == http.get("/settings").json()["id"] == http.get("/workspaces/current").json()["id"]


# -- metadata --------------------------------------------------------------------------------------------


def test_metadata_values(http: httpx.Client, project: str) -> None:
    record(
        http,
        project,
        Trace(metadata={"model": "big", "n": 1}),
        Trace(metadata={"model": "big", "n": 2}),
        Trace(metadata={"model": "small"}, start=START + timedelta(days=1)),
    )
    path = f"/sessions/{id_of(http, project)}/metadata"
    found = http.get(path, params={"metadata_keys": ["model", "n", "none"]}).json()
    assert found == {"model": ["big", "small"], "n": ["1", "2"], "none": []}
    assert http.get(path, params={"metadata_keys": "model", "k": 1}).json() == {"model": ["big"]}
    later = {"metadata_keys": "model", "start_time": (START + timedelta(hours=1)).isoformat()}
    assert http.get(path, params=later).json() == {"model": ["small"]}
    depth = {"metadata_keys": "ls_run_depth"}
    assert http.get(path, params=depth).json() == {"ls_run_depth": ["0", "1"]}
    roots = {**depth, "root_runs_only": "true"}
    assert http.get(path, params=roots).json() == {"ls_run_depth": ["0"]}


# -- deletion --------------------------------------------------------------------------------------------


def test_a_deleted_project_is_gone_at_once(client: Client, http: httpx.Client, project: str) -> None:
    (root,) = record(http, project, Trace())
    session = id_of(http, project)
    token = http.put(f"/runs/{root}/share", json={"run_id": str(root)}).json()["share_token"]
    assert http.get(f"/public/{token}/run").status_code == 200

    client.delete_project(project_name=project)

    for path in (f"/sessions/{session}", f"/runs/{root}", f"/public/{token}/run"):
        assert http.get(path).status_code == 404, path
    assert http.get("/sessions", params={"name": project}).json() == []
    for sent in ({"id": [str(root)]}, {"trace": str(root)}, {"session": [session]}):
        assert http.post("/runs/query", json=sent).json()["runs"] == []
    assert http.delete(f"/sessions/{session}").status_code == 404
    with pytest.raises(LangSmithNotFoundError):
        client.delete_project(project_id=session)


def test_the_name_is_free_and_late_runs_make_a_new_project(
    client: Client, http: httpx.Client, project: str
) -> None:
    record(http, project, Trace(), Trace())
    old = client.read_project(project_name=project).id
    client.delete_project(project_id=str(old))
    (root,) = record(http, project, Trace())
    new = client.read_project(project_name=project, include_stats=True)
    assert new.id != old
    assert new.run_count == 2
    assert [run.id for run in client.list_runs(project_name=project, is_root=True)] == [root]


def test_runs_for_the_id_of_a_deleted_project_are_refused(http: httpx.Client, project: str) -> None:
    created = http.post("/sessions", json={"name": project}).json()["id"]
    assert http.delete(f"/sessions/{created}").status_code == 200
    run = {"id": str(uuid.uuid4()), "name": "x", "run_type": "chain", "session_id": created}
    answer = http.post("/runs", json=run)
    assert answer.status_code == 422
    assert created in answer.text
    assert http.get(f"/runs/{run['id']}").status_code == 404
    assert http.post("/sessions", json={"name": project, "id": created}).status_code == 409


def test_several_are_deleted_in_one_call(http: httpx.Client, project: str) -> None:
    ids = [http.post("/sessions", json={"name": f"{project} {n}"}).json()["id"] for n in range(3)]
    (root,) = record(http, f"{project} 0", Trace())
    answer = http.delete("/sessions", params={"session_ids": [ids[0], ids[1], str(uuid.uuid4())]})
    assert answer.status_code == 200
    assert [http.get(f"/sessions/{session}").status_code for session in ids] == [404, 404, 200]
    assert http.get(f"/runs/{root}").status_code == 404
    assert http.delete("/sessions", params={"session_ids": ids[:2]}).status_code == 404


def test_deletion_frees_files_and_rows_and_spares_the_rest(
    server: Server, client: Client, http: httpx.Client, project: str
) -> None:
    kept, gone = uuid.uuid4(), uuid.uuid4()
    for run_id, name in ((kept, f"{project} kept"), (gone, project)):
        client.create_run(
            "with a file",
            {"q": 1},
            "chain",
            id=run_id,
            trace_id=run_id,
            dotted_order=f"20260304T050607000000Z{run_id}",
            start_time=START,
            end_time=START,
            project_name=name,
            attachments={"note": ("text/plain", b"some words")},
        )
    client.flush()
    for run_id in (kept, gone):
        client.create_feedback(run_id, "seen", score=1)
    client.flush()
    files = server.data_dir / "blobs" / "attachments"
    places = {run_id: next(files.glob(f"*/{run_id}/*")) for run_id in (kept, gone)}

    assert http.delete(f"/sessions/{id_of(http, project)}").status_code == 200

    assert places[kept].exists()
    assert not places[gone].exists()
    assert http.get(f"/runs/{kept}").status_code == 200
    feedback = [http.get("/feedback", params={"run": str(run_id)}).json() for run_id in (kept, gone)]
    assert [len(found) for found in feedback] == [1, 0]


def test_a_deletion_that_was_cut_short_is_taken_up(own_server: Server) -> None:
    """What a crash right after the first step leaves: the metadata says gone, the run and its file are there."""
    own_server.start()
    with httpx.Client(base_url=own_server.url, timeout=60) as http:
        (root,) = record(http, "doomed", Trace())
        (other,) = record(http, "spared", Trace())
        session, tenant = (http.get("/sessions?name=doomed").json()[0][key] for key in ("id", "tenant_id"))
    assert own_server.stop() == 0
    asyncio.run(mark_deleted(own_server.data_dir / "meta.db", uuid.UUID(tenant), uuid.UUID(session)))
    own_server.start()
    with httpx.Client(base_url=own_server.url, timeout=60) as http:
        assert http.get(f"/runs/{root}").status_code == 404
        wait_for_log(own_server, "deleted projects are freed")
        # Nothing hides the project's rows any more, so that they must be gone.
        assert http.get(f"/runs/{root}").status_code == 404
        assert http.get(f"/runs/{other}").status_code == 200
        late = {"id": str(uuid.uuid4()), "name": "x", "run_type": "chain", "session_id": session}
        assert http.post("/runs", json=late).status_code == 422


async def mark_deleted(file: Path, workspace: uuid.UUID, project: uuid.UUID) -> None:
    meta = await open_meta(f"sqlite:///{file}")
    assert await meta.projects.delete(workspace, [project], 1) == [project]
    await meta.close()


def wait_for_log(server: Server, words: str, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while words not in server.log:
        assert time.monotonic() < deadline, f"{words!r} is not in the log after {seconds} s"
        time.sleep(0.02)


# -- refusals --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("PATCH", ""),
        ("DELETE", ""),
        ("GET", "/metadata"),
        ("POST", "/dashboard"),
        ("GET", "/views"),
    ],
)
def test_unknown_ids_are_not_found(http: httpx.Client, method: str, path: str) -> None:
    body: dict[str, Any] | None = {} if method in ("PATCH", "POST") else None
    answer = http.request(method, f"/sessions/{uuid.uuid4()}{path}", json=body)
    assert answer.status_code == 404
    assert isinstance(answer.json()["detail"], str)
    answer = http.request(method, f"/sessions/not-a-uuid{path}", json=body)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["path", "session_id"]


@pytest.mark.parametrize(
    ("params", "where"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 101}, "limit"),
        ({"limit": "ten"}, "limit"),
        ({"offset": -1}, "offset"),
        ({"id": "7"}, "id"),
        ({"reference_dataset": "7"}, "reference_dataset"),
        ({"reference_free": "maybe"}, "reference_free"),
        ({"include_stats": "perhaps"}, "include_stats"),
        ({"use_approx_stats": "perhaps"}, "use_approx_stats"),
        ({"stats_start_time": "yesterday"}, "stats_start_time"),
        ({"stats_select": "everything"}, "stats_select"),
        ({"sort_by": "colour"}, "sort_by"),
        ({"sort_by": "feedback"}, "sort_by_feedback_key"),
        ({"sort_by_feedback_source": "moon"}, "sort_by_feedback_source"),
        ({"metadata": "{"}, "metadata"),
        ({"metadata": "[]"}, "metadata"),
        ({"metadata": "[]", "dataset_version": "1"}, "metadata"),
    ],
)
def test_bad_parameters_are_named(http: httpx.Client, params: dict[str, Any], where: str) -> None:
    answer = http.get("/sessions", params=params)
    assert answer.status_code == 422, answer.text
    (detail,) = answer.json()["detail"]
    assert detail["loc"] == ["query", where]
    assert set(detail) == {"loc", "msg", "type"}


def test_expressions_are_refused_in_words(http: httpx.Client) -> None:
    answer = http.get("/sessions", params={"filter": 'eq(name, "x")'})
    assert answer.status_code == 400
    assert "name_contains" in answer.json()["detail"]
    assert http.get("/sessions", params={"stats_filter": "eq(", "include_stats": "1"}).status_code == 400


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"name": ""}, ["body", "name"]),
        ({"name": "x" * 1001}, ["body", "name"]),
        ({"name": 7}, ["body", "name"]),
        ({"name": "a\0b"}, ["body", "name"]),
        ({"extra": []}, ["body", "extra"]),
        ({"start_time": "once"}, ["body", "start_time"]),
        ({"trace_tier": "eternal"}, ["body", "trace_tier"]),
        ({"id": "7"}, ["body", "id"]),
    ],
)
def test_bad_bodies_are_named(http: httpx.Client, body: dict[str, Any], where: list[str]) -> None:
    answer = http.post("/sessions", json=body)
    assert answer.status_code == 422, answer.text
    assert answer.json()["detail"][0]["loc"] == where


def test_delete_wants_to_know_which(http: httpx.Client) -> None:
    assert http.delete("/sessions").status_code == 422


# -- workspaces ------------------------------------------------------------------------------------------


def test_another_workspace_sees_nothing(locked_server: Server, project: str) -> None:
    first, second = f"our {project}", f"their {project}"
    ours, theirs = issue(locked_server.data_dir, first), issue(locked_server.data_dir, second)
    reader = issue(locked_server.data_dir, first, "read")
    with (
        httpx.Client(base_url=locked_server.url, headers={"x-api-key": ours}, timeout=60) as mine,
        httpx.Client(base_url=locked_server.url, headers={"x-api-key": theirs}, timeout=60) as other,
    ):
        (root,) = record(mine, "secret", Trace())
        session = id_of(mine, "secret")
        view = mine.post(f"/sessions/{session}/views", json={"display_name": "v"}).json()["id"]

        assert names(other.get("/sessions")) == ["default"]
        assert other.get("/sessions", params={"id": session}).json() == []
        for path in ("", "/metadata", "/views", f"/views/{view}"):
            assert other.get(f"/sessions/{session}{path}").status_code == 404, path
        assert other.patch(f"/sessions/{session}", json={"name": "mine"}).status_code == 404
        assert other.post(f"/sessions/{session}/dashboard", json={}).status_code == 404
        assert other.post(f"/sessions/{session}/views", json={"display_name": "v"}).status_code == 404
        assert other.delete(f"/sessions/{session}/views/{view}").status_code == 404
        assert other.delete(f"/sessions/{session}").status_code == 404
        assert other.delete("/sessions", params={"session_ids": session}).status_code == 404
        # Ids are a workspace's own: theirs may have the same one, and its end leaves ours alone.
        assert other.post("/sessions", json={"name": "twin", "id": session}).status_code == 200
        assert other.delete(f"/sessions/{session}").status_code == 200
        assert mine.get(f"/runs/{root}").status_code == 200
        assert mine.get(f"/sessions/{session}/views/{view}").status_code == 200

        assert [found["display_name"] for found in other.get("/workspaces").json()] == [second]
        read_only = {"x-api-key": reader}
        assert mine.get(f"/sessions/{session}", headers=read_only).status_code == 200
        assert mine.get("/workspaces/current", headers=read_only).json()["read_only"] is True
        assert mine.delete(f"/sessions/{session}", headers=read_only).status_code == 403
        assert mine.post("/sessions", json={"name": "n"}, headers=read_only).status_code == 403
        assert httpx.get(f"{locked_server.url}/sessions").status_code == 401


def test_the_workspace_and_what_is_in_it(http: httpx.Client, project: str) -> None:
    before = http.get("/workspaces/current/stats").json()
    http.post("/sessions", json={"name": project})
    after = http.get("/workspaces/current/stats").json()
    assert after["tracer_session_count"] == before["tracer_session_count"] + 1
    current = http.get("/workspaces/current").json()
    assert current["id"] == after["tenant_id"]
    assert current in http.get("/workspaces").json()


@pytest.mark.parametrize("path", ["/orgs/current/members", "/workspaces/current/tag-keys"])
def test_what_is_not_offered_says_so(http: httpx.Client, path: str) -> None:
    for answer in (http.get(path), http.put(path, json={})):
        assert answer.status_code == 501
        assert len(answer.json()["detail"].split()) > 5


# -- saved views -----------------------------------------------------------------------------------------


def test_views_are_made_listed_changed_and_deleted(http: httpx.Client, project: str) -> None:
    session = http.post("/sessions", json={"name": project}).json()["id"]
    path = f"/sessions/{session}/views"
    sent = {
        "display_name": "slow ones",
        "description": "over 5 s",
        "type": "threads",
        "filter_string": 'gt(latency, "5s")',
        "start_time": "2026-01-01T00:00:00Z",
        "duration": "7d",
    }
    made = http.post(path, json=sent).json()
    assert set(made) == {
        "id", "session_id", "display_name", "description", "type", "filter_string", "trace_filter_string",
        "tree_filter_string", "start_time", "end_time", "duration", "created_at", "updated_at",
    }  # fmt: skip
    assert made | sent | {"start_time": "2026-01-01T00:00:00.000000"} == made
    assert made["session_id"] == session
    second = http.post(path, json={"display_name": "all"}).json()
    assert second["type"] == "runs"

    assert http.get(path).json() == [made, second]
    assert http.get(path, params={"type": "threads"}).json() == [made]
    assert http.get(f"{path}/{made['id']}").json() == made

    changed = http.patch(f"{path}/{made['id']}", json={"filter_string": "x", "type": "single_run"}).json()
    assert (changed["filter_string"], changed["type"], changed["display_name"]) == (
        "x",
        "single_run",
        "slow ones",
    )
    renamed = http.patch(f"{path}/{made['id']}/rename", json={"display_name": "slower"}).json()
    assert (renamed["display_name"], renamed["description"]) == ("slower", "over 5 s")

    assert http.delete(f"{path}/{made['id']}").status_code == 200
    for method in ("GET", "DELETE", "PATCH"):
        body: dict[str, Any] | None = {} if method == "PATCH" else None
        assert http.request(method, f"{path}/{made['id']}", json=body).status_code == 404
    assert http.get(path).json() == [second]
    http.delete(f"/sessions/{session}")
    assert http.get(f"{path}/{second['id']}").status_code == 404


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({}, "body"),
        ({"display_name": ""}, "display_name"),
        ({"display_name": "v", "type": "pages"}, "type"),
        ({"display_name": "v", "start_time": "once"}, "start_time"),
        ({"display_name": "v", "filter_string": "a\0"}, "filter_string"),
    ],
)
def test_bad_views_are_named(http: httpx.Client, project: str, body: dict[str, Any], where: str) -> None:
    session = http.post("/sessions", json={"name": project}).json()["id"]
    answer = http.post(f"/sessions/{session}/views", json=body)
    assert answer.status_code == 422, answer.text
    assert answer.json()["detail"][0]["loc"][-1] == where
    assert http.get(f"/sessions/{session}/views", params={"type": "pages"}).status_code == 422
