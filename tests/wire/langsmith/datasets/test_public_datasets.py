"""Shared datasets: what a stranger who holds the link sees, what he does not, and when it ends."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from langsmith import Client
from langsmith.utils import LangSmithNotFoundError

from tests.conftest import Server

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:.*deprecated.*")

NOT_FOUND = {"detail": "not found"}
SECRET = "what nobody shared"


def fresh() -> Any:
    return field(default_factory=lambda: str(uuid.uuid4()))


@dataclass
class Shared:
    """A shared dataset of three examples with two experiments, and beside it things that are not shared."""

    dataset: str = fresh()
    examples: list[str] = field(default_factory=lambda: [str(uuid.uuid4()) for _ in range(3)])
    experiments: list[str] = field(default_factory=lambda: [str(uuid.uuid4()) for _ in range(2)])
    runs: dict[str, list[str]] = field(default_factory=dict)
    private_dataset: str = fresh()
    private_example: str = fresh()
    private_experiment: str = fresh()
    private_project: str = fresh()
    private_run: str = fresh()
    private_root: str = fresh()
    token: str = ""

    def url(self, rest: str) -> str:
        return f"/public/{self.token}/{rest}"


def run(run_id: str, project: str, example: str | None = None, **more: Any) -> dict[str, Any]:
    start = "20260101T000000000000Z"
    return {
        "id": run_id, "trace_id": run_id, "dotted_order": start + run_id, "name": "target", "run_type": "chain",
        "session_id": project, "start_time": "2026-01-01T00:00:00Z", "end_time": "2026-01-01T00:00:01Z",
        "inputs": {"q": 1}, "outputs": {"a": 2}, "reference_example_id": example, **more,
    }  # fmt: skip


@pytest.fixture
def shared(http: httpx.Client) -> Shared:
    things = Shared()
    for dataset, examples in (
        (things.dataset, things.examples),
        (things.private_dataset, [things.private_example]),
    ):
        name = {"name": f"{SECRET if dataset == things.private_dataset else 'open'} {dataset}", "id": dataset}
        _ok(http.post("/datasets", json={**name, "description": "about"}))
        sent = [
            {"id": each, "dataset_id": dataset, "inputs": {"n": at}, "outputs": {"m": at}}
            for at, each in enumerate(examples)
        ]
        _ok(http.post("/examples/bulk", json=sent))
    projects: list[tuple[str, str | None]] = [
        *((each, things.dataset) for each in things.experiments),
        (things.private_experiment, things.private_dataset),
        (things.private_project, None),
    ]
    for project, over in projects:
        sent_project = {"name": f"experiment {project}", "id": project, "reference_dataset_id": over}
        _ok(http.post("/sessions", json=sent_project))
    runs = [
        run(things.private_run, things.private_experiment, things.private_example, inputs={"q": SECRET}),
        run(things.private_root, things.private_project, inputs={"q": SECRET}),
    ]
    for project in things.experiments:
        things.runs[project] = [str(uuid.uuid4()) for _ in things.examples]
        runs += [
            run(each, project, example)
            for each, example in zip(things.runs[project], things.examples, strict=True)
        ]
    _ok(http.post("/runs/batch", json={"post": runs}))
    _give_feedback(http, things)
    things.token = _ok(http.put(f"/datasets/{things.dataset}/share"))["share_token"]
    return things


def _give_feedback(http: httpx.Client, things: Shared) -> None:
    first, second = things.experiments
    for given in (
        {"key": "good", "score": 1, "run_id": things.runs[first][0], "comment": "fine"},
        {"key": "good", "score": 0, "run_id": things.runs[second][0], "feedback_source": {"type": "model"}},
        {"key": "label", "value": "a", "run_id": things.runs[first][1], "feedback_source": {"type": "app"}},
        {"key": "overall", "score": 0.5, "session_id": first},
        {"key": "good", "score": 1, "run_id": things.private_run, "comment": SECRET},
        {"key": "overall", "score": 1, "session_id": things.private_experiment, "comment": SECRET},
        {"key": "good", "score": 1, "run_id": things.private_root, "comment": SECRET},
        # names a shared experiment, and speaks of a run that is not shared
        {"key": "sly", "score": 1, "run_id": str(uuid.uuid4()), "session_id": things.private_project},
    ):
        _ok(http.post("/feedback", json=given))


def _ok(answer: httpx.Response) -> Any:
    assert answer.is_success, (answer.request.url, answer.status_code, answer.text)
    return answer.json() if answer.content else None


@pytest.fixture
def stranger(server: Server) -> Iterator[httpx.Client]:
    """Somebody who holds a link, and whose client sends a key that is not known here."""
    with httpx.Client(base_url=server.url, timeout=60, headers={"x-api-key": "wrong"}) as found:
        yield found


# -- the link --------------------------------------------------------------------------------------------


def test_a_dataset_has_one_link_until_it_is_closed(http: httpx.Client, shared: Shared) -> None:
    again = _ok(http.put(f"/datasets/{shared.dataset}/share", params={"share_projects": True}))
    assert again == {"dataset_id": shared.dataset, "share_token": shared.token}
    assert _ok(http.get(f"/datasets/{shared.dataset}/share")) == again
    assert _ok(http.get(f"/datasets/{shared.private_dataset}/share")) is None
    _ok(http.delete(f"/datasets/{shared.dataset}/share"))
    assert _ok(http.get(f"/datasets/{shared.dataset}/share")) is None
    new = _ok(
        http.put(f"/datasets/{shared.dataset}/share", content=b"{}", headers={"Content-Type": "text/plain"})
    )
    assert new["share_token"] != shared.token


def test_an_unknown_dataset_has_no_link_and_gets_none(http: httpx.Client) -> None:
    for method in ("GET", "PUT", "DELETE"):
        answer = http.request(method, f"/datasets/{uuid.uuid4()}/share")
        assert answer.status_code == 404
        assert "not found" in answer.text


ROUTES = [
    ("GET", "datasets"), ("GET", "datasets/sessions"), ("GET", "datasets/feedback"),
    ("GET", "datasets/runs/{run}"), ("POST", "datasets/runs/query"), ("POST", "datasets/runs/stats"),
    ("POST", "datasets/runs/generate-query"), ("GET", "datasets/comparative"), ("GET", "examples"),
    ("GET", "examples/count"), ("POST", "examples/runs"), ("POST", "datasets/runs/delta"),
    ("POST", "datasets/runs/delta/stream"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "route"), ROUTES)
def test_a_closed_an_unknown_and_a_runs_token_open_nothing(
    http: httpx.Client, stranger: httpx.Client, shared: Shared, method: str, route: str
) -> None:
    path = route.format(run=shared.runs[shared.experiments[0]][0])
    body = {
        "session_ids": shared.experiments, "query": "x", "feedback_keys": ["good"], "feedback_key": "good",
        "baseline_session_id": shared.experiments[0], "comparison_session_ids": shared.experiments[1:],
    }  # fmt: skip
    content = json.dumps(body) if method == "POST" else None

    def ask(token: str) -> httpx.Response:
        return stranger.request(method, f"/public/{token}/{path}", content=content)

    assert ask(shared.token).status_code == (501 if path.endswith("generate-query") else 200), ask(
        shared.token
    ).text
    a_run = _ok(http.put(f"/runs/{shared.private_root}/share"))["share_token"]
    for token in (str(uuid.uuid4()), a_run):
        answer = ask(token)
        assert (answer.status_code, answer.json()) == (404, NOT_FOUND)
    malformed = ask("nonsense")
    assert malformed.status_code == 422
    assert malformed.json()["detail"][0]["loc"] == ["path", "share_token"]
    _ok(http.delete(f"/datasets/{shared.dataset}/share"))
    answer = ask(shared.token)
    assert (answer.status_code, answer.json()) == (404, NOT_FOUND)


def test_deleting_the_dataset_closes_its_link(
    http: httpx.Client, stranger: httpx.Client, shared: Shared
) -> None:
    _ok(http.delete(f"/datasets/{shared.dataset}"))
    assert stranger.get(shared.url("datasets")).json() == NOT_FOUND


def test_links_to_datasets_are_in_the_overview_and_are_closed_from_there(
    http: httpx.Client, stranger: httpx.Client, shared: Shared
) -> None:
    found = _ok(http.get("/workspaces/current/shared", params={"limit": 100}))["entities"]
    mine = next(each for each in found if each["share_token"] == shared.token)
    assert mine["type"] == "dataset"
    assert mine["dataset_id"] == shared.dataset
    assert mine["dataset_name"] == f"open {shared.dataset}"
    _ok(http.request("DELETE", "/workspaces/current/shared", json={"share_tokens": [shared.token]}))
    assert stranger.get(shared.url("datasets")).status_code == 404


# -- the dataset and its experiments ---------------------------------------------------------------------


def test_the_dataset_is_one_object_without_its_owner(stranger: httpx.Client, shared: Shared) -> None:
    found = _ok(stranger.get(shared.url("datasets"), params={"limit": 1, "sort_by": "name"}))
    assert found["id"] == shared.dataset
    assert found["example_count"] == 3
    assert found["description"] == "about"
    assert found["data_type"] == "kv"
    assert "tenant_id" not in found
    for wrong in ({"limit": 0}, {"limit": 101}, {"offset": -1}, {"sort_by": "size"}):
        assert stranger.get(shared.url("datasets"), params=wrong).status_code == 422


def test_experiments_are_those_over_the_dataset_with_statistics(
    stranger: httpx.Client, shared: Shared
) -> None:
    found = _ok(stranger.get(shared.url("datasets/sessions")))
    assert {each["id"] for each in found} == set(shared.experiments)
    assert all(each["reference_dataset_id"] == shared.dataset and each["tenant_id"] for each in found)
    first = next(each for each in found if each["id"] == shared.experiments[0])
    assert first["run_count"] == 3
    assert first["feedback_stats"]["good"]["n"] == 1
    assert first["session_feedback_stats"]["overall"]["avg"] == 0.5
    for foreign in (shared.private_experiment, shared.private_project):
        assert _ok(stranger.get(shared.url("datasets/sessions"), params={"id": foreign})) == []
    one = _ok(
        stranger.get(shared.url("datasets/sessions"), params={"name": f"experiment {shared.experiments[1]}"})
    )
    assert [each["id"] for each in one] == [shared.experiments[1]]


def test_experiments_of_several_datasets_at_once(
    http: httpx.Client, stranger: httpx.Client, shared: Shared
) -> None:
    other = _ok(http.put(f"/datasets/{shared.private_dataset}/share"))["share_token"]
    tokens = [shared.token, other, str(uuid.uuid4())]
    found = _ok(stranger.get("/public/datasets/sessions-bulk", params={"share_tokens": tokens}))
    assert {each["id"] for each in found} == {*shared.experiments, shared.private_experiment}
    unknown = stranger.get("/public/datasets/sessions-bulk", params={"share_tokens": str(uuid.uuid4())})
    assert (unknown.status_code, unknown.json()) == (404, NOT_FOUND)
    for wrong in ({}, {"share_tokens": "x"}):
        assert stranger.get("/public/datasets/sessions-bulk", params=wrong).status_code == 422


def test_the_real_client_reads_a_shared_dataset(client: Client, shared: Shared) -> None:
    found = client.read_shared_dataset(shared.token)
    assert str(found.id) == shared.dataset
    examples = list(client.list_shared_examples(shared.token))
    assert {str(each.id) for each in examples} == set(shared.examples)
    assert [
        str(each.id) for each in client.list_shared_examples(shared.token, example_ids=[shared.examples[1]])
    ] == [shared.examples[1]]
    projects = list(client.list_shared_projects(dataset_share_token=shared.token))
    assert {str(each.id) for each in projects} == set(shared.experiments)
    client.unshare_dataset(dataset_id=shared.dataset)
    with pytest.raises(LangSmithNotFoundError):
        client.read_shared_dataset(shared.token)


def test_the_real_client_clones_a_shared_dataset(client: Client, server: Server, shared: Shared) -> None:
    copy = client.clone_public_dataset(
        shared.token, source_api_url=server.url, dataset_name=f"copy {shared.token}"
    )
    copied = list(client.list_examples(dataset_name=f"copy {shared.token}"))
    assert copy is None or copy.name == f"copy {shared.token}"
    assert sorted(each.inputs["n"] for each in copied if each.inputs) == [0, 1, 2]


# -- examples --------------------------------------------------------------------------------------------


def test_examples_are_the_datasets_own(stranger: httpx.Client, shared: Shared) -> None:
    found = _ok(stranger.get(shared.url("examples")))
    assert {each["id"] for each in found} == set(shared.examples)
    assert "source_run_id" not in found[0]
    assert found[0]["metadata"] == {"dataset_split": ["base"]}
    assert _ok(stranger.get(shared.url("examples/count"))) == 3
    foreign = {"id": shared.private_example}
    assert _ok(stranger.get(shared.url("examples"), params=foreign)) == []
    assert _ok(stranger.get(shared.url("examples/count"), params=foreign)) == 0
    assert (
        _ok(stranger.get(shared.url("examples"), params={"dataset": shared.private_dataset, "limit": 2}))
        != []
    )
    assert stranger.get(shared.url("examples"), params={"limit": 101}).status_code == 422


# -- runs ------------------------------------------------------------------------------------------------


def test_runs_are_those_of_the_experiments(stranger: httpx.Client, shared: Shared) -> None:
    def ids(**wanted: Any) -> set[str]:
        found = _ok(stranger.post(shared.url("datasets/runs/query"), json=wanted))
        assert set(found) == {"runs", "cursors", "parsed_query"}
        return {each["id"] for each in found["runs"]}

    everything = {each for runs in shared.runs.values() for each in runs}
    first, second = shared.experiments
    assert ids() == everything
    assert ids(is_root=True, limit=100) == everything
    assert ids(session=[first]) == set(shared.runs[first])
    assert ids(session=[second, shared.private_experiment]) == set(shared.runs[second])
    assert ids(reference_example=[shared.examples[0]]) == {runs[0] for runs in shared.runs.values()}
    assert ids(session=[shared.private_experiment]) == set()
    assert ids(id=[shared.private_run, shared.private_root, shared.runs[first][0]]) == {shared.runs[first][0]}
    assert ids(trace=shared.private_root) == set()
    assert ids(reference_example=[shared.private_example]) == set()
    assert ids(filter=f'or(eq(session_id, "{shared.private_project}"), eq(name, "target"))') == everything
    wrong = stranger.post(shared.url("datasets/runs/query"), json={"filter": "eq(name"})
    assert wrong.status_code == 400


def test_pages_of_runs_go_on_with_a_cursor(stranger: httpx.Client, shared: Shared) -> None:
    seen: list[str] = []
    cursor = None
    while True:
        body = {"limit": 2, "cursor": cursor}
        found = _ok(stranger.post(shared.url("datasets/runs/query"), json=body))
        seen += [each["id"] for each in found["runs"]]
        cursor = found["cursors"]["next"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 6


def test_one_run_names_its_experiment_and_no_owner(stranger: httpx.Client, shared: Shared) -> None:
    first = shared.experiments[0]
    found = _ok(stranger.get(shared.url(f"datasets/runs/{shared.runs[first][0]}")))
    assert found["session_id"] == first
    assert found["reference_example_id"] == shared.examples[0]
    assert found["feedback_stats"]["good"]["avg"] == 1
    assert found["outputs"] == {"a": 2}
    assert found["dotted_order"]
    assert not {"app_path", "tenant_id", "share_token"} & set(found)
    apart = _ok(
        stranger.get(
            shared.url(f"datasets/runs/{shared.runs[first][0]}"),
            params={"exclude_s3_stored_attributes": True},
        )
    )
    assert apart.get("inputs") is None
    for foreign in (shared.private_run, shared.private_root, str(uuid.uuid4())):
        answer = stranger.get(shared.url(f"datasets/runs/{foreign}"))
        assert answer.status_code == 404
        assert SECRET not in answer.text
    assert stranger.get(shared.url("datasets/runs/nonsense")).status_code == 422


def test_statistics_are_of_the_experiments_alone(stranger: httpx.Client, shared: Shared) -> None:
    assert _ok(stranger.post(shared.url("datasets/runs/stats"), json={}))["run_count"] == 6
    only = {"session": [shared.experiments[0], shared.private_project]}
    assert _ok(stranger.post(shared.url("datasets/runs/stats"), json=only))["run_count"] == 3
    none = {"session": [shared.private_project]}
    assert _ok(stranger.post(shared.url("datasets/runs/stats"), json=none))["run_count"] == 0
    groups = _ok(stranger.post(shared.url("datasets/runs/stats"), json={"group_by": {"attribute": "name"}}))
    assert groups["target"]["run_count"] == 6


# -- comparisons -----------------------------------------------------------------------------------------


def test_examples_come_with_the_runs_of_experiments_over_the_dataset_alone(
    stranger: httpx.Client, shared: Shared
) -> None:
    first, second = shared.experiments
    body = {"session_ids": [first, second, shared.private_experiment, shared.private_project], "limit": 2}
    found = _ok(stranger.post(shared.url("examples/runs"), json=body))
    assert len(found) == 2
    for row in found:
        at = shared.examples.index(row["id"])
        assert {each["id"] for each in row["runs"]} == {runs[at] for runs in shared.runs.values()}
        assert {each["session_id"] for each in row["runs"]} == {first, second}
        assert not {"app_path", "tenant_id"} & set(row["runs"][0])
        assert "source_run_id" not in row
    foreign = {"session_ids": [shared.private_experiment]}
    assert _ok(stranger.post(shared.url("examples/runs"), json=foreign)) == []


def test_deltas_are_between_experiments_over_the_dataset_alone(
    stranger: httpx.Client, shared: Shared
) -> None:
    first, second = shared.experiments
    body = {
        "baseline_session_id": first, "comparison_session_ids": [second, shared.private_experiment],
        "feedback_key": "good",
    }  # fmt: skip
    found = _ok(stranger.post(shared.url("datasets/runs/delta"), json=body))["feedback_deltas"]
    assert found == {second: {"improved_examples": [], "regressed_examples": [shared.examples[0]]}}
    body = {
        "baseline_session_id": second,
        "comparison_session_ids": [first],
        "feedback_keys": ["good", "label"],
    }
    answer = stranger.post(shared.url("datasets/runs/delta/stream"), json=body)
    events = [line.removeprefix("data: ") for line in answer.text.splitlines() if line.startswith("data: ")]
    deltas: dict[str, Any] = {}
    for event in events:
        deltas |= json.loads(event)["feedback_deltas"]
    assert deltas["good"][first]["improved_examples"] == [shared.examples[0]]
    assert answer.text.rstrip().endswith("event: end")
    body = {
        "baseline_session_id": shared.private_experiment,
        "comparison_session_ids": [first],
        "feedback_key": "good",
    }
    assert _ok(stranger.post(shared.url("datasets/runs/delta"), json=body))["feedback_deltas"] == {}


def test_comparative_experiments_tell_no_owner(
    http: httpx.Client, stranger: httpx.Client, shared: Shared
) -> None:
    made = _ok(
        http.post("/datasets/comparative", json={"experiment_ids": shared.experiments, "name": "a against b"})
    )
    (found,) = _ok(stranger.get(shared.url("datasets/comparative")))
    assert found["id"] == made["id"]
    assert {each["id"] for each in found["experiments_info"]} == set(shared.experiments)
    assert not {"tenant_id", "reference_dataset_id"} & set(found)
    assert _ok(stranger.get(shared.url("datasets/comparative"), params={"name_contains": "nothing"})) == []


# -- feedback --------------------------------------------------------------------------------------------


def feedback(stranger: httpx.Client, shared: Shared, **wanted: Any) -> list[dict[str, Any]]:
    found = _ok(stranger.get(shared.url("datasets/feedback"), params=wanted))
    assert isinstance(found, list)
    assert SECRET not in json.dumps(found)
    return found


def test_feedback_is_what_was_given_to_the_experiments(stranger: httpx.Client, shared: Shared) -> None:
    found = feedback(stranger, shared)
    assert sorted(each["key"] for each in found) == ["good", "good", "label", "overall"]
    of_run = next(each for each in found if each["comment"] == "fine")
    assert of_run["session_id"] == shared.experiments[0]
    assert of_run["run_id"] == shared.runs[shared.experiments[0]][0]
    assert set(of_run) == {
        "id", "key", "score", "value", "comment", "correction", "created_at", "modified_at", "run_id", "session_id",
        "trace_id", "start_time", "is_root", "feedback_group_id", "comparative_experiment_id", "feedback_source",
        "extra", "feedback_thread_id",
    }  # fmt: skip
    assert of_run["feedback_source"] == {
        "type": "api", "metadata": None, "user_id": None, "ls_user_id": None, "user_name": None,
    }  # fmt: skip


def test_every_parameter_of_feedback_chooses(stranger: httpx.Client, shared: Shared) -> None:
    first, second = shared.experiments

    def keys(**wanted: Any) -> list[str]:
        return sorted(each["key"] for each in feedback(stranger, shared, **wanted))

    assert keys(run=shared.runs[first][0]) == ["good"]
    assert keys(run=[shared.runs[first][0], shared.runs[first][1]]) == ["good", "label"]
    assert keys(key="label") == ["label"]
    assert keys(key=["label", "overall"]) == ["label", "overall"]
    assert keys(session=second) == ["good"]
    assert keys(source="model") == ["good"]
    assert keys(source=["app", "model"]) == ["good", "label"]
    assert keys(source="auto_eval") == []
    assert keys(has_comment=True) == ["good"]
    assert keys(has_comment=False) == ["good", "label", "overall"]
    assert keys(has_score=False) == ["label"]
    assert keys(level="run") == ["good", "good", "label"]
    assert keys(level="session") == ["overall"]
    assert keys(user=str(uuid.uuid4())) == []
    assert len(feedback(stranger, shared, limit=3)) == 3
    assert len(feedback(stranger, shared, limit=3, offset=3)) == 1
    assert feedback(stranger, shared, offset=100) == []


def test_what_is_not_shared_is_not_found_by_naming_it(stranger: httpx.Client, shared: Shared) -> None:
    assert feedback(stranger, shared, session=shared.private_experiment) == []
    assert feedback(stranger, shared, session=shared.private_project) == []
    assert feedback(stranger, shared, run=shared.private_run) == []
    assert feedback(stranger, shared, run=shared.private_root) == []
    both = {"session": [shared.private_experiment, shared.experiments[1]]}
    assert [each["key"] for each in feedback(stranger, shared, **both)] == ["good"]


@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        ({"limit": 0}, "limit"), ({"limit": 101}, "limit"), ({"limit": "many"}, "limit"), ({"offset": -1}, "offset"),
        ({"run": "x"}, "run"), ({"session": "x"}, "session"), ({"user": "x"}, "user"), ({"level": "trace"}, "level"),
        ({"source": "rumour"}, "source"), ({"has_comment": "perhaps"}, "has_comment"),
        ({"min_created_at": "\u00b2"}, "min_created_at"), ({"max_created_at": "1.\u00b2"}, "max_created_at"),
    ],
)  # fmt: skip
def test_parameters_out_of_range_are_refused_in_the_documented_shape(
    stranger: httpx.Client, shared: Shared, wrong: dict[str, Any], where: str
) -> None:
    answer = stranger.get(shared.url("datasets/feedback"), params=wrong)
    assert answer.status_code == 422
    (problem,) = answer.json()["detail"]
    assert problem["loc"] == ["query", where]
    assert problem["msg"]
    assert problem["type"]


def test_a_shared_dataset_without_experiments_has_no_runs_and_no_feedback(
    http: httpx.Client, stranger: httpx.Client, shared: Shared
) -> None:
    empty = _ok(http.post("/datasets", json={"name": f"empty {uuid.uuid4()}"}))["id"]
    token = _ok(http.put(f"/datasets/{empty}/share"))["share_token"]
    assert _ok(stranger.get(f"/public/{token}/datasets/feedback")) == []
    assert _ok(stranger.get(f"/public/{token}/datasets/sessions")) == []
    assert _ok(stranger.post(f"/public/{token}/datasets/runs/query", json={}))["runs"] == []
    assert _ok(stranger.post(f"/public/{token}/datasets/runs/stats", json={}))["run_count"] == 0
