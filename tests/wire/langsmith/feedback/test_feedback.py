"""Feedback through LangSmith's routes, given and read by its own client."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from langsmith import Client
from langsmith.schemas import FeedbackSourceType
from langsmith.utils import LangSmithNotFoundError

from tests.conftest import Server
from tests.wire.langsmith.feedback.giving import give, key_name, listed, send_run, stats_of

pytestmark = pytest.mark.filterwarnings("ignore:Creating feedback for a run without session_id")

Post = Callable[..., Any]


@pytest.fixture
def key() -> str:
    return key_name()


@pytest.fixture
def run(client: Client, project: str) -> Any:
    """A finished root run, read back."""
    return send_run(client, project)


# -- giving ----------------------------------------------------------------------------------------------


def test_feedback_on_a_run_comes_back_whole(client: Client, run: Any, key: str) -> None:
    judge, group, comparison = uuid.uuid4(), uuid.uuid4(), uuid.uuid4()
    given = client.create_feedback(
        run.id,
        key,
        score=0.75,
        value="good",
        comment="well said",
        correction={"answer": 42},
        source_info={"team": "evals"},
        feedback_source_type="model",
        source_run_id=judge,
        extra={"round": 2},
        feedback_group_id=group,
        comparative_experiment_id=comparison,
    )
    found = client.read_feedback(given.id)
    assert (found.key, found.score, found.value, found.comment) == (key, 0.75, "good", "well said")
    assert found.correction == {"answer": 42}
    assert found.feedback_source is not None
    assert found.feedback_source.type == "model"
    assert found.feedback_source.metadata == {"team": "evals", "__run": {"run_id": str(judge)}}
    assert found.extra == {"round": 2}
    assert (found.feedback_group_id, found.comparative_experiment_id) == (group, comparison)
    assert found.run_id == found.trace_id == run.id
    assert found.session_id == run.session_id
    assert found.start_time == run.start_time.replace(tzinfo=dt.UTC)
    assert given.created_at is not None
    assert found.created_at == given.created_at


def test_the_answer_to_giving_is_the_feedback_with_its_run(http: httpx.Client, run: Any, key: str) -> None:
    made = str(uuid.uuid4())
    for path in ("/feedback", "/feedback/eager", "/api/v1/feedback"):
        body = {"id": made, "key": key, "run_id": str(run.id), "score": 1}
        answer = http.post(path, json=body).json()
        assert answer["id"] == made
        assert answer["trace_id"] == answer["run_id"] == str(run.id)
        assert answer["session_id"] == str(run.session_id)
        assert answer["is_root"] is True
        assert (
            answer["start_time"]
            == run.start_time.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
        )
        assert answer["feedback_source"]["type"] == "api"
        assert answer["feedback_thread_id"] is None
    assert len(listed(http, key=key)) == 1


def test_a_run_that_waits_in_memory_is_known_at_once(http: httpx.Client, project: str, key: str) -> None:
    root, child = uuid.uuid4(), uuid.uuid4()
    place = f"20240131T093000000000Z{root}.20240131T093001000000Z{child}"
    body = {
        "id": str(child),
        "trace_id": str(root),
        "parent_run_id": str(root),
        "dotted_order": place,
        "name": "c",
        "run_type": "tool",
        "session_name": project,
        "start_time": "2024-01-31T09:30:01.000000Z",
    }
    assert http.post("/runs", json=body).status_code == 202
    answer = give(http, key=key, run_id=str(child), score=1)
    assert (answer["trace_id"], answer["is_root"]) == (str(root), False)
    assert answer["start_time"] == "2024-01-31T09:30:01.000000Z"
    assert listed(http, run=str(child))[0] == answer


def test_feedback_with_a_trace_travels_with_the_runs(client: Client, project: str, key: str) -> None:
    assert client.tracing_queue is not None
    run_id = uuid.uuid4()
    now = dt.datetime.now(dt.UTC)
    client.create_run(
        "judged",
        {},
        "chain",
        id=run_id,
        trace_id=run_id,
        dotted_order=f"{now:%Y%m%dT%H%M%S%fZ}{run_id}",
        start_time=now,
        project_name=project,
    )
    given = client.create_feedback(
        run_id,
        key,
        trace_id=run_id,
        score=True,
        feedback_config={"type": "continuous", "min": 0, "max": 1},
    )
    client.flush()
    found = client.read_feedback(given.id)
    assert found.score is True
    assert found.trace_id == found.run_id == run_id
    assert found.session_id == client.read_run(run_id).session_id
    config = list(client.list_feedback_configs(feedback_key=[key]))
    assert [one.feedback_config["max"] for one in config] == [1]


def test_feedback_before_its_run(http: httpx.Client, client: Client, project: str, key: str) -> None:
    run_id = uuid.uuid4()
    given = client.create_feedback(run_id, key, score=0.5)
    early = listed(http, run=str(run_id))
    assert [item["id"] for item in early] == [str(given.id)]
    assert (early[0]["trace_id"], early[0]["session_id"], early[0]["is_root"]) == (None, None, False)

    late = send_run(client, project, id=run_id)
    assert late.feedback_stats[key]["avg"] == 0.5
    after = listed(http, run=str(run_id))[0]
    assert after["session_id"] == str(late.session_id)
    assert (after["trace_id"], after["is_root"]) == (str(run_id), True)


def test_a_trace_without_a_run_means_its_root(http: httpx.Client, run: Any, key: str) -> None:
    assert give(http, key=key, trace_id=str(run.id), score=1)["run_id"] == str(run.id)


def test_feedback_on_a_project(client: Client, http: httpx.Client, run: Any, key: str) -> None:
    client.create_feedback(key=key, score=3, project_id=run.session_id)
    client.create_feedback(run.id, key, score=4)
    of_project = listed(http, session=str(run.session_id), key=key)
    assert {item["run_id"] for item in of_project} == {None, str(run.id)}
    assert [i["score"] for i in listed(http, session=str(run.session_id), level="session")] == [3]
    assert [i["score"] for i in listed(http, session=str(run.session_id), level="run")] == [4]


@pytest.mark.parametrize("score", ["true", "false", "1", "1.0", "0.12345678", "-3", "1e-7", "null"])
def test_scores_stay_what_they_were(http: httpx.Client, score: str, key: str) -> None:
    body = f'{{"key": "{key}", "run_id": "{uuid.uuid4()}", "score": {score}}}'
    made = http.post("/feedback", content=body).json()["id"]
    assert f'"score":{score},' in http.get(f"/feedback/{made}").text


@pytest.mark.parametrize(
    "value",
    [1, True, "label", "", {"a": {"b": [1, None]}}, ["x", "y"], 2**70, "line\nbreak \u20ac \U0001f600"],
)
def test_values_are_any_json(http: httpx.Client, value: Any, key: str) -> None:
    made = give(http, key=key, run_id=str(uuid.uuid4()), value=value)["id"]
    found = http.get(f"/feedback/{made}").json()["value"]
    assert found == value
    assert type(found) is type(value)


def test_a_comment_alone_is_feedback(client: Client, http: httpx.Client, run: Any) -> None:
    client.create_feedback(run.id, "note", comment="needs a look")
    found = stats_of(http, run.id)["note"]
    assert (found["n"], found["avg"], found["comments"]) == (0, None, ["needs a look"])


def test_a_repeated_id_replaces_and_keeps_the_first_time(http: httpx.Client, run: Any, key: str) -> None:
    first = {"id": str(uuid.uuid4()), "key": key, "run_id": str(run.id), "created_at": "2024-01-01T00:00:00"}
    give(http, **first, score=0, comment="first")
    again = {**first, "created_at": "2025-01-01T00:00:00", "score": 1}
    give(http, **again)
    (found,) = listed(http, key=key)
    assert (found["score"], found["comment"]) == (1, None)
    assert found["created_at"] == "2024-01-01T00:00:00.000000Z"
    assert stats_of(http, run.id)[key]["n"] == 1
    # … whether the first is still in memory or, as now, long in the run store
    give(http, **again, comment="third")
    assert listed(http, key=key)[0]["created_at"] == "2024-01-01T00:00:00.000000Z"


def test_a_repeated_id_may_move_to_another_run(http: httpx.Client, key: str) -> None:
    made, runs = str(uuid.uuid4()), [str(uuid.uuid4()) for _ in range(3)]
    for at, run_id in enumerate(runs):
        give(http, id=made, key=key, run_id=run_id, score=at)
        assert [item["run_id"] for item in listed(http, key=key)] == [run_id]
    assert listed(http, run=runs[0]) == []
    assert http.get(f"/feedback/{made}").json()["score"] == 2
    assert http.delete(f"/feedback/{made}").status_code == 200
    assert listed(http, key=key) == []


def test_a_deleted_id_may_be_given_again(http: httpx.Client, key: str) -> None:
    body = {"id": str(uuid.uuid4()), "key": key, "run_id": str(uuid.uuid4())}
    give(http, **body, score=1, created_at="2024-01-01T00:00:00")
    http.delete(f"/feedback/{body['id']}").raise_for_status()
    give(http, **body, score=2, created_at="2025-01-01T00:00:00")
    (found,) = listed(http, key=key)
    assert (found["score"], found["created_at"]) == (2, "2025-01-01T00:00:00.000000Z")


def test_feedback_and_its_first_time_survive_a_crash(own_server: Server, key: str) -> None:
    own_server.environment["STENOGRAPH_FLUSH_SECONDS"] = "600"
    body = {"id": str(uuid.uuid4()), "key": key, "run_id": str(uuid.uuid4())}
    own_server.start()
    with httpx.Client(base_url=own_server.url, timeout=60) as http:
        give(http, **body, score=1, created_at="2024-01-01T00:00:00")
        assert len(listed(http, key=key)) == 1  # reading has it written
        give(http, **body, score=2, created_at="2025-01-01T00:00:00")
    own_server.kill()
    own_server.start()
    with httpx.Client(base_url=own_server.url, timeout=60) as http:
        (found,) = listed(http, key=key)
        assert (found["score"], found["created_at"]) == (2, "2024-01-01T00:00:00.000000Z")
    assert own_server.stop() == 0


# -- changing and withdrawing ----------------------------------------------------------------------------


def test_only_what_is_sent_changes(client: Client, http: httpx.Client, given: dict[str, Any]) -> None:
    client.update_feedback(given["id"], score=0.25)
    found = http.get(f"/feedback/{given['id']}").json()
    assert found["modified_at"] > given["modified_at"]
    assert found == {**given, "score": 0.25, "modified_at": found["modified_at"]}

    client.update_feedback(given["id"], comment=None, value="v", correction={"right": 1})
    found = http.get(f"/feedback/{given['id']}").json()
    assert (found["score"], found["comment"], found["value"]) == (0.25, None, "v")
    assert found["correction"] == {"right": 1}

    client.update_feedback(given["id"], score=None, value=None, correction=None)
    found = http.get(f"/feedback/{given['id']}").json()
    assert (found["score"], found["value"], found["correction"]) == (None, None, None)
    assert found["extra"] == {"kept": 1}


def test_a_change_of_nothing_changes_nothing(http: httpx.Client, given: dict[str, Any]) -> None:
    assert http.patch(f"/feedback/{given['id']}", json={}).json() == given


def test_changes_at_once_all_count(http: httpx.Client, given: dict[str, Any]) -> None:
    changes: list[dict[str, Any]] = [
        {"score": 7},
        {"value": "new"},
        {"comment": "new"},
        {"correction": "new"},
    ]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda change: http.patch(f"/feedback/{given['id']}", json=change), changes))
    assert [answer.status_code for answer in answers] == [200] * 4
    found = http.get(f"/feedback/{given['id']}").json()
    assert (found["score"], found["value"], found["comment"], found["correction"]) == (7, "new", "new", "new")


def test_withdrawn_feedback_is_gone(client: Client, http: httpx.Client, run: Any, key: str) -> None:
    kept = client.create_feedback(run.id, key, score=1)
    gone = client.create_feedback(run.id, key, score=0)
    client.delete_feedback(gone.id)
    assert [item.id for item in client.list_feedback(run_ids=[run.id])] == [kept.id]
    assert stats_of(http, run.id)[key]["avg"] == 1
    with pytest.raises(LangSmithNotFoundError, match="not found"):
        client.read_feedback(gone.id)
    for answer in (
        http.get(f"/feedback/{gone.id}"),
        http.patch(f"/feedback/{gone.id}", json={"score": 1}),
        http.delete(f"/feedback/{gone.id}"),
    ):
        assert answer.status_code == 404
        assert answer.json() == {"detail": f"feedback {gone.id} not found"}


# -- lists -----------------------------------------------------------------------------------------------


def test_pages_are_a_total_order_and_end(client: Client, http: httpx.Client, key: str) -> None:
    run_id = str(uuid.uuid4())
    at = "2024-01-01T00:00:00"  # all at the same time: only the id tells them apart
    made = {give(http, key=key, run_id=run_id, score=i, created_at=at)["id"] for i in range(7)}
    paged = [
        item["id"] for offset in range(0, 9, 2) for item in listed(http, key=key, limit=2, offset=offset)
    ]
    assert len(paged) == 7
    assert set(paged) == made
    assert paged == [item["id"] for item in listed(http, key=key)]
    assert len(list(client.list_feedback(run_ids=[run_id], limit=3))) == 3
    assert len(list(client.list_feedback(run_ids=[run_id]))) == 7


def test_more_than_one_page(client: Client, http: httpx.Client, key: str) -> None:
    run_id = uuid.uuid4()
    parts = {
        f"feedback.{made}": (
            None,
            json.dumps({"id": str(made), "key": key, "run_id": str(run_id), "score": 1}),
            "application/json",
        )
        for made in (uuid.uuid4() for _ in range(205))
    }
    assert http.post("/runs/multipart", files=parts).status_code == 202
    found = list(client.list_feedback(run_ids=[run_id]))
    assert len({item.id for item in found}) == len(found) == 205


def test_newest_first(http: httpx.Client, key: str) -> None:
    for year in (2024, 2026, 2025):
        give(http, key=key, run_id=str(uuid.uuid4()), score=year, created_at=f"{year}-01-01T00:00:00")
    assert [item["score"] for item in listed(http, key=key)] == [2026, 2025, 2024]
    bounds = {"min_created_at": "2025-01-01T00:00:00Z", "max_created_at": "2025-12-31T00:00:00Z"}
    assert [item["score"] for item in listed(http, key=key, **bounds)] == [2025]


@pytest.fixture
def varied(http: httpx.Client, client: Client, project: str) -> dict[str, Any]:
    """Three pieces on two runs of one project, and one on the project."""
    runs = [send_run(client, project) for _ in range(2)]
    keys = [key_name(), key_name()]
    user, comparison = str(uuid.uuid4()), str(uuid.uuid4())
    give(http, key=keys[0], run_id=str(runs[0].id), score=1, comment="a")
    give(
        http,
        key=keys[1],
        run_id=str(runs[0].id),
        value="b",
        feedback_source={"type": "app", "user_id": user, "user_name": "Ada"},
    )
    give(
        http,
        key=keys[0],
        run_id=str(runs[1].id),
        score=0,
        comment="",
        feedback_source={"type": "model", "metadata": {}},
        comparative_experiment_id=comparison,
    )
    session = str(runs[0].session_id)
    give(http, key=keys[1], session_id=session, score=9)
    return {"runs": runs, "keys": keys, "user": user, "comparison": comparison, "session": session}


def test_each_filter(http: httpx.Client, varied: dict[str, Any]) -> None:
    session, (first, second) = varied["session"], varied["keys"]

    def what(**params: Any) -> list[Any]:
        found = listed(http, session=session, **params)
        return sorted(str(item["score"] if item["value"] is None else item["value"]) for item in found)

    assert what() == ["0", "1", "9", "b"]
    assert what(run=str(varied["runs"][0].id)) == ["1", "b"]
    assert what(run=[str(run.id) for run in varied["runs"]]) == ["0", "1", "b"]
    assert what(key=first) == ["0", "1"]
    assert what(key=[first, second]) == ["0", "1", "9", "b"]
    assert what(key="nobody's") == []
    assert what(source="app") == ["b"]
    assert what(source=["app", "model"]) == ["0", "b"]
    assert what(source="api") == ["1", "9"]
    assert what(user=varied["user"]) == ["b"]
    assert what(has_comment="True") == ["1"]
    assert what(has_comment="false") == ["0", "9", "b"]
    assert what(has_score="true") == ["0", "1", "9"]
    assert what(has_score=False) == ["b"]
    assert what(level="run") == ["0", "1", "b"]
    assert what(level="session") == ["9"]
    assert what(comparative_experiment_id=varied["comparison"]) == ["0"]
    assert what(include_user_names="true", user=varied["user"]) == ["b"]
    assert listed(http, user=varied["user"])[0]["feedback_source"]["user_name"] == "Ada"
    assert listed(http, session=[session, str(uuid.uuid4())], key=first) == listed(http, key=first)


def test_filters_of_the_client(client: Client, varied: dict[str, Any]) -> None:
    runs = [run.id for run in varied["runs"]]

    def count(**filters: Any) -> int:
        return len(list(client.list_feedback(run_ids=runs, **filters)))

    assert count() == 3
    assert count(feedback_key=[varied["keys"][0]]) == 2
    assert count(feedback_source_type=[FeedbackSourceType.MODEL]) == 1
    assert count(feedback_source_type=[FeedbackSourceType.API, FeedbackSourceType.MODEL]) == 2
    assert count(has_score=True) == 2
    assert count(level="session") == 0


@pytest.mark.parametrize(
    "params",
    [
        {"limit": 0}, {"limit": 101}, {"limit": "x"}, {"offset": -1}, {"level": "x"}, {"run": "x"},
        {"session": "x"}, {"has_score": "x"}, {"min_created_at": "x"}, {"comparative_experiment_id": "x"},
    ],
)  # fmt: skip
def test_wrong_parameters_are_named(http: httpx.Client, params: dict[str, Any]) -> None:
    answer = http.get("/feedback", params=params)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["query", next(iter(params))]


# -- what it comes to ------------------------------------------------------------------------------------

STAT_KEYS = {
    "n", "avg", "stdev", "errors", "show_feedback_arrow", "comments", "sources", "session_min_score",
    "session_max_score", "values", "contains_thread_feedback",
}  # fmt: skip


def test_statistics_of_a_run_and_of_a_selection(http: httpx.Client, client: Client, project: str) -> None:
    scored, labelled, broken = key_name(), key_name(), key_name()
    runs = [send_run(client, project) for _ in range(2)]
    for score, run in zip((0.5, True, 0), (runs[0], runs[0], runs[1]), strict=True):
        give(http, key=scored, run_id=str(run.id), score=score, comment=f"c{score}")
    for label in ("GOOD", "GOOD", "BAD"):
        give(http, key=labelled, run_id=str(runs[0].id), value=label)
    give(http, key=broken, run_id=str(runs[0].id), error=True, value={"not": "a label"})

    one = stats_of(http, runs[0].id)
    assert {frozenset(stat) for stat in one.values()} == {frozenset(STAT_KEYS)}
    assert (one[scored]["n"], one[scored]["avg"], one[scored]["stdev"]) == (2, 0.75, 0.25)
    assert (one[scored]["session_min_score"], one[scored]["session_max_score"]) == (0.5, 1)
    assert sorted(one[scored]["comments"]) == ["c0.5", "cTrue"]
    assert [json.loads(source)["type"] for source in one[scored]["sources"]] == ["api"]
    assert (one[labelled]["n"], one[labelled]["avg"]) == (0, None)
    assert one[labelled]["values"] == {"GOOD": 2, "BAD": 1}
    assert (one[broken]["errors"], one[broken]["values"]) == (1, {})

    body = {"session": [str(runs[0].session_id)]}
    every = http.post("/runs/stats", json=body).json()["feedback_stats"]
    assert (every[scored]["n"], every[scored]["avg"]) == (3, 0.5)
    assert every[labelled]["values"] == {"GOOD": 2, "BAD": 1}
    assert client.read_run(runs[1].id).feedback_stats is not None
    picked = http.post("/runs/stats", json={**body, "filter": f'eq(feedback_key, "{labelled}")'})
    assert picked.json()["feedback_stats"][scored]["n"] == 2


def test_comments_are_counted_among_many_without(http: httpx.Client, run: Any, key: str) -> None:
    for _ in range(25):
        give(http, key=key, run_id=str(run.id), score=1)
    give(http, key=key, run_id=str(run.id), comment="the only one")
    assert stats_of(http, run.id)[key]["comments"] == ["the only one"]


def test_runs_are_found_by_their_feedback(http: httpx.Client, client: Client, project: str) -> None:
    good, bad, silent = (send_run(client, project) for _ in range(3))
    key, other = key_name(), key_name()
    give(http, key=key, run_id=str(good.id), score=0.9, value="YES", comment="fine")
    give(http, key=key, run_id=str(bad.id), score=0.1)
    give(http, key=other, run_id=str(bad.id), score=0.9)

    def found(text: str) -> set[Any]:
        body = {"session": [str(good.session_id)], "filter": text, "select": ["id"]}
        answer = http.post("/runs/query", json=body)
        assert answer.status_code == 200, answer.text
        return {run["id"] for run in answer.json()["runs"]}

    assert found(f'eq(feedback_key, "{key}")') == {str(good.id), str(bad.id)}
    assert found(f'and(eq(feedback_key, "{key}"), gt(feedback_score, 0.5))') == {str(good.id)}
    assert found(f'and(eq(feedback_key, "{key}"), eq(feedback_value, "YES"))') == {str(good.id)}
    assert found(f'neq(feedback_key, "{key}")') == {str(silent.id)}


def test_deleting_runs_takes_their_feedback(http: httpx.Client, run: Any, key: str) -> None:
    given = give(http, key=key, run_id=str(run.id), score=1)
    body = {"session_id": str(run.session_id), "trace_ids": [str(run.id)]}
    assert http.post("/runs/delete/traces", json=body).status_code == 202
    assert listed(http, key=key) == []
    assert http.get(f"/feedback/{given['id']}").status_code == 404


# -- who may see what ------------------------------------------------------------------------------------


def test_another_workspace_sees_and_changes_nothing(
    http: httpx.Client, neighbour: httpx.Client, run: Any, key: str
) -> None:
    mine = give(http, key=key, run_id=str(run.id), score=1)
    assert neighbour.get("/feedback", params={"key": key}).json() == []
    assert neighbour.get("/feedback", params={"run": str(run.id)}).json() == []
    assert neighbour.get(f"/feedback/{mine['id']}").status_code == 404
    assert neighbour.patch(f"/feedback/{mine['id']}", json={"score": 0}).status_code == 404
    assert neighbour.delete(f"/feedback/{mine['id']}").status_code == 404

    theirs = give(neighbour, id=mine["id"], key=key, run_id=str(run.id), score=0)
    assert (theirs["trace_id"], theirs["session_id"]) == (None, None)  # the run is not theirs to know
    assert listed(http, key=key) == [mine]
    assert [item["score"] for item in listed(neighbour, key=key)] == [0]
    assert stats_of(http, run.id)[key]["n"] == 1


def test_roles_reach_as_far_as_they_should(
    issue_key: Callable[..., str], server: Server, run: Any, http: httpx.Client, key: str
) -> None:
    given = give(http, key=key, run_id=str(run.id), score=1)

    def status(role: str, method: str, path: str, **rest: Any) -> int:
        secret = issue_key(role=role)
        with httpx.Client(base_url=server.url, headers={"x-api-key": secret}, timeout=60) as keyed:
            return keyed.request(method, path, **rest).status_code

    body = {"key": key, "run_id": str(run.id), "score": 1}
    assert status("ingest", "POST", "/feedback", json=body) == 200
    assert status("ingest", "GET", "/feedback") == 403
    assert status("read", "POST", "/feedback", json=body) == 403
    assert status("read", "GET", f"/feedback/{given['id']}") == 200
    assert status("read", "DELETE", f"/feedback/{given['id']}") == 403
    assert status("write", "DELETE", f"/feedback/{given['id']}") == 200


def test_a_key_that_only_writes_learns_nothing_of_the_run(
    issue_key: Callable[..., str], server: Server, run: Any, key: str
) -> None:
    headers = {"x-api-key": issue_key(role="ingest")}
    with httpx.Client(base_url=server.url, headers=headers, timeout=60) as keyed:
        answer = give(keyed, key=key, run_id=str(run.id), score=1)
    assert (answer["session_id"], answer["trace_id"], answer["start_time"]) == (None, None, None)


@pytest.fixture
def neighbour(issue_key: Callable[..., str], server: Server) -> Iterator[httpx.Client]:
    """A client of another workspace of the same server."""
    headers = {"x-api-key": issue_key(workspace="neighbour", role="admin")}
    with httpx.Client(base_url=server.url, headers=headers, timeout=60) as found:
        yield found
