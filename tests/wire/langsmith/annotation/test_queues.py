"""Annotation queues: the real Python client, and plain HTTP for what it does not do."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from typing import Any

import httpx
import pytest
from langsmith import Client
from langsmith.utils import LangSmithConflictError, LangSmithNotFoundError

from stenograph.model.annotation_queues import OPEN_REVIEWER
from tests.wire.langsmith.feedback.giving import key_name
from tests.wire.langsmith.recorded import Trace, record

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:.*deprecated.*")

BASE = "/annotation-queues"


def made(http: httpx.Client, **fields: Any) -> dict[str, Any]:
    answer = http.post(BASE, json={"name": f"queue {uuid.uuid4()}", **fields})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def read(http: httpx.Client, queue_id: str) -> dict[str, Any]:
    found: dict[str, Any] = http.get(f"{BASE}/{queue_id}").json()
    return found


def refusal(answer: httpx.Response) -> tuple[int, list[Any], str]:
    """Status, place and message of a mistake in a request."""
    (mistake,) = answer.json()["detail"]
    return answer.status_code, mistake["loc"], mistake["msg"]


# -- the client ------------------------------------------------------------------------------------------


def test_the_client_makes_reads_lists_changes_and_deletes(client: Client) -> None:
    name, queue_id = f"queue {uuid.uuid4()}", uuid.uuid4()
    queue = client.create_annotation_queue(name=name, description="first", queue_id=queue_id)
    assert (queue.id, queue.name, queue.description) == (queue_id, name, "first")
    assert abs((dt.datetime.now(dt.UTC) - queue.created_at.replace(tzinfo=dt.UTC)).total_seconds()) < 60
    assert client.read_annotation_queue(queue_id).tenant_id == queue.tenant_id
    client.update_annotation_queue(queue_id, name=f"{name} ü", description="second")
    changed = client.read_annotation_queue(str(queue_id))
    assert (changed.name, changed.description) == (f"{name} ü", "second")
    assert changed.updated_at > changed.created_at
    assert [each.id for each in client.list_annotation_queues(name=f"{name} ü")] == [queue_id]
    assert [each.id for each in client.list_annotation_queues(name_contains=name.upper())] == [queue_id]
    assert [each.id for each in client.list_annotation_queues(queue_ids=[queue_id, uuid.uuid4()])] == [
        queue_id
    ]
    assert list(client.list_annotation_queues(name=name)) == []
    with pytest.raises(LangSmithConflictError, match=str(queue_id)):
        client.create_annotation_queue(name="another", queue_id=queue_id)
    client.delete_annotation_queue(queue_id)
    with pytest.raises(LangSmithNotFoundError):
        client.read_annotation_queue(queue_id)
    with pytest.raises(LangSmithNotFoundError):
        client.delete_annotation_queue(queue_id)


def test_the_client_pages_through_many_queues(client: Client, http: httpx.Client) -> None:
    mark = uuid.uuid4().hex
    ids = [made(http, name=f"{mark} {n}")["id"] for n in range(103)]
    found = [str(queue.id) for queue in client.list_annotation_queues(name_contains=mark)]
    assert found == ids[::-1]
    assert len(list(client.list_annotation_queues(name_contains=mark, limit=101))) == 101


def test_the_client_sets_and_reads_a_rubric(client: Client, http: httpx.Client) -> None:
    first, second = key_name(), key_name()
    config = http.post(
        "/feedback-configs",
        json={"feedback_key": first, "feedback_config": {"type": "continuous", "min": 0, "max": 1}},
    ).json()
    items: Any = [
        {
            "feedback_key": first,
            "description": "how good",
            "score_descriptions": {"0": "bad", "1": "good"},
            "is_required": True,
        },
        {
            "feedback_key": second,
            "value_descriptions": {"x": "y"},
            "is_assertion": False,
            "regex_validator": r"^\w+$",
            "visible_if": {"join": "any", "rules": [{"key": first, "op": "is_one_of", "values": [0, 0.5]}]},
        },
    ]
    queue = client.create_annotation_queue(
        name="with rubric", rubric_items=items, rubric_instructions="Look closely."
    )
    assert queue.rubric_items is None
    found = client.read_annotation_queue(queue.id)
    assert found.rubric_instructions == "Look closely."
    assert found.rubric_items is not None
    for sent, stored in zip(items, found.rubric_items, strict=True):
        assert {field: stored[field] for field in sent} == sent  # type: ignore[literal-required]
    assert found.rubric_items[0]["feedback_config_id"] == uuid.UUID(config["id"])
    assert read(http, str(queue.id))["rubric_items"][0]["feedback_config"] == config
    assert found.rubric_items[1]["feedback_config"] is None
    # What was read can be sent to another queue as it is, and back.
    raw = read(http, str(queue.id))["rubric_items"]
    copy = client.create_annotation_queue(name="copy", rubric_items=raw)
    assert read(http, str(copy.id))["rubric_items"] == raw
    # Conditions that are not stated stay, as long as what they speak of is asked for.
    client.update_annotation_queue(copy.id, rubric_items=[{"feedback_key": first}, {"feedback_key": second}])
    assert read(http, str(copy.id))["rubric_items"][1]["visible_if"] == raw[1]["visible_if"]
    client.update_annotation_queue(copy.id, rubric_items=[{"feedback_key": second}])
    (left,) = read(http, str(copy.id))["rubric_items"]
    assert left["visible_if"] is None
    client.update_annotation_queue(copy.id, rubric_items=[], rubric_instructions="")
    emptied = client.read_annotation_queue(copy.id)
    assert (emptied.rubric_items, emptied.rubric_instructions) == ([], "")


def test_answers_have_the_rubric_only_when_one_queue_is_read(http: httpx.Client) -> None:
    queue = made(http, rubric_items=[{"feedback_key": "a"}], rubric_instructions="x")
    assert not {field for field in queue if field.startswith("rubric")}
    plain = made(http)
    found = read(http, plain["id"])
    assert (found["rubric_items"], found["rubric_instructions"]) == (None, None)
    assert found == plain | {"rubric_items": None, "rubric_instructions": None}
    (listed,) = http.get(BASE, params={"ids": queue["id"]}).json()
    assert listed == queue | {"total_runs": 0}
    (listed,) = http.get(BASE, params={"ids": queue["id"], "include_rubric_keys": "True"}).json()
    assert listed["rubric_keys"] == ["a"]


# -- plain HTTP ------------------------------------------------------------------------------------------


def test_a_queue_has_what_was_said_and_defaults_for_the_rest(http: httpx.Client) -> None:
    assert made(http, name="plain") | {"id": "", "created_at": "", "updated_at": "", "tenant_id": ""} == {
        "id": "",
        "tenant_id": "",
        "name": "plain",
        "description": None,
        "created_at": "",
        "updated_at": "",
        "queue_type": "single",
        "default_dataset": None,
        "num_reviewers_per_item": 1,
        "enable_reservations": True,
        "reservation_minutes": 1,
        "reviewer_access_mode": "any",
        "source_rule_id": None,
        "run_rule_id": None,
        "metadata": None,
        "assigned_reviewers": [],
    }
    said = {
        "id": str(uuid.uuid4()),
        "description": "d",
        "created_at": "2026-01-02T03:04:05.000006Z",
        "updated_at": "2026-01-02T03:04:06.000000Z",
        "queue_type": "pairwise",
        "default_dataset": str(uuid.uuid4()),
        "num_reviewers_per_item": None,
        "enable_reservations": False,
        "reservation_minutes": 30,
        "reviewer_access_mode": "assigned",
        "metadata": {"a": [1, {"b": None}]},
    }
    found = made(http, **said)
    assert {field: found[field] for field in said} == said
    nothing = made(http, enable_reservations=None, reservation_minutes=None, reviewer_access_mode=None)
    assert (nothing["enable_reservations"], nothing["reservation_minutes"]) == (True, 1)
    assert nothing["reviewer_access_mode"] == "any"


def test_a_patch_leaves_alone_what_it_does_not_state(http: httpx.Client) -> None:
    queue = made(http, description="d", num_reviewers_per_item=3, metadata={"a": 1})
    missing = {"__missing__": "__missing__"}

    def patched(**fields: Any) -> dict[str, Any]:
        answer = http.patch(f"{BASE}/{queue['id']}", json=fields)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        assert found == read(http, queue["id"])
        return found

    fields = [field for field in queue if field not in ("updated_at", "assigned_reviewers")]
    for nothing in (
        {},
        {"num_reviewers_per_item": missing, "metadata": missing},
        {"name": None, "description": None, "default_dataset": None, "reservation_minutes": None},
    ):
        found = patched(**nothing)
        assert {field: found[field] for field in fields} == {field: queue[field] for field in fields}
    found = patched(num_reviewers_per_item=None, metadata=None, enable_reservations=False)
    assert (found["num_reviewers_per_item"], found["metadata"], found["enable_reservations"]) == (
        None,
        None,
        False,
    )
    dataset = str(uuid.uuid4())
    found = patched(default_dataset=dataset, metadata={}, reviewer_access_mode="assigned")
    assert (found["default_dataset"], found["metadata"]) == (dataset, {})
    assert found["reviewer_access_mode"] == "assigned"


def test_queues_are_found_by_any_filter_in_any_order(http: httpx.Client) -> None:
    mark, dataset = uuid.uuid4().hex, str(uuid.uuid4())
    first = made(http, name=f"{mark} b", default_dataset=dataset, created_at="2026-01-03T00:00:00")
    second = made(http, name=f"{mark} a", queue_type="pairwise", created_at="2026-01-02T00:00:00")
    third = made(http, name=f"{mark} c", created_at="2026-01-01T00:00:00")
    http.patch(f"{BASE}/{second['id']}", json={"description": "newest"})
    names = {queue["id"]: queue["name"][-1] for queue in (first, second, third)}
    reviewers = f"/v1/platform{BASE}/{third['id']}/reviewers"
    assert http.post(reviewers, json={"identity_id": str(OPEN_REVIEWER)}).status_code == 201

    def find(**params: Any) -> str:
        answer = http.get(BASE, params={"name_contains": mark, **params})
        assert answer.status_code == 200, answer.text
        return "".join(names[queue["id"]] for queue in answer.json())

    assert find() == "bac"
    assert find(sort_by="created_at", sort_by_desc="False") == "cab"
    assert find(sort_by="name") == "cba"
    assert find(sort_by="name", sort_by_desc="false") == "abc"
    assert find(sort_by="updated_at")[0] == "c"  # its reviewers changed last
    assert find(sort_by="total_runs", limit=2, offset=1) != ""
    assert find(limit=1) == "b"
    assert find(limit=2, offset=1) == "ac"
    assert find(offset=3) == ""
    assert find(name=f"{mark} a") == "a"
    assert find(ids=[first["id"], third["id"]]) == "bc"
    assert find(dataset_id=dataset) == "b"
    assert find(queue_type="pairwise") == "a"
    assert find(queue_type="single") == "bc"
    assert find(assigned_to_me="true") == "c"
    assert find(assigned_to_me="false") == "bac"
    assert find(tag_value_id=str(uuid.uuid4())) == ""
    for params in ({"sort_by": "size"}, {"queue_type": "triple"}, {"limit": 101}, {"ids": "x"}):
        answer = http.get(BASE, params=params)
        assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, ["query", *params])


def test_several_queues_are_deleted_at_once(http: httpx.Client) -> None:
    first, second, third = (made(http)["id"] for _ in range(3))
    unknown = str(uuid.uuid4())
    answer = http.delete(BASE, params={"queue_ids": [first, second]})
    assert (answer.status_code, answer.json()["deleted"]) == (200, sorted([first, second]))
    answer = http.delete(BASE, params={"queue_ids": [second, third, unknown]})
    assert answer.status_code == 207
    assert answer.json() == {"deleted": [third], "not_found": sorted([second, unknown])}
    assert http.delete(BASE, params={"queue_ids": [first]}).status_code == 404
    for ids in ([], [unknown] * 101):
        assert http.delete(BASE, params={"queue_ids": ids}).status_code == 422


def test_reviewers_are_assigned_and_let_go(http: httpx.Client) -> None:
    queue = made(http)["id"]
    reviewers = f"/v1/platform{BASE}/{queue}/reviewers"
    other = str(uuid.uuid4())
    for identity in (other, str(OPEN_REVIEWER), other):
        answer = http.post(reviewers, json={"identity_id": identity})
        assert (answer.status_code, answer.json()) == (201, {"identity_id": identity})
    assert read(http, queue)["assigned_reviewers"] == [
        {"id": other, "name": None, "email": None},
        {"id": str(OPEN_REVIEWER), "name": "open", "email": None},
    ]
    for _ in range(2):
        assert http.delete(f"{reviewers}/{other}").status_code == 204
    assert [each["name"] for each in read(http, queue)["assigned_reviewers"]] == ["open"]
    unknown = f"/v1/platform{BASE}/{uuid.uuid4()}/reviewers"
    assert http.post(unknown, json={"identity_id": other}).status_code == 404
    assert http.delete(f"{unknown}/{other}").status_code == 404
    wrong = http.post(reviewers, json={"identity_id": "me"})
    assert (wrong.status_code, set(wrong.json())) == (400, {"error", "details"})
    assert json.loads(wrong.json()["details"])["field"] == "body.identity_id"
    assert http.post(reviewers, json={}).status_code == 400
    assert http.delete(f"{reviewers}/me").status_code == 400


# -- filling from experiments ----------------------------------------------------------------------------


def experiment(http: httpx.Client, examples: list[str]) -> tuple[str, list[str]]:
    """An experiment with a run for each example; ids of the experiment and of its root runs."""
    body = {"name": f"exp {uuid.uuid4()}", "reference_dataset_id": str(uuid.uuid4())}
    project = http.post("/sessions", json=body).json()
    runs = [
        {
            "id": (run := str(uuid.uuid4())),
            "trace_id": run,
            "dotted_order": f"20260101T00000{n}000000Z{run}",
            "name": "target",
            "run_type": "chain",
            "session_id": project["id"],
            "start_time": f"2026-01-01T00:00:0{n}Z",
            "end_time": "2026-01-01T00:00:09Z",
            "reference_example_id": example,
        }
        for n, example in enumerate(examples)
    ]
    assert http.post("/runs/batch", json={"post": runs}).status_code == 202
    return project["id"], [run["id"] for run in runs]


def test_a_queue_is_filled_from_experiments(http: httpx.Client, project: str) -> None:
    examples = [str(uuid.uuid4()) for _ in range(3)]
    (first, first_runs), (second, second_runs) = experiment(http, examples), experiment(http, examples[:1])
    queue = made(http, session_ids=[first])["id"]

    def held() -> list[str]:
        return [run["id"] for run in http.get(f"{BASE}/{queue}/runs").json()]

    assert held() == first_runs
    body = {"queue_id": queue, "session_ids": [first, second], "extend_trace_retention": True}
    answer = http.post(f"{BASE}/populate", json=body)
    assert (answer.status_code, answer.json()["count"]) == (200, 4)
    assert held() == first_runs + second_runs
    record(http, project, Trace())
    (plain,) = http.get("/sessions", params={"name": project}).json()
    answer = http.post(f"{BASE}/populate", json={"queue_id": queue, "session_ids": [first, plain["id"]]})
    assert refusal(answer)[:2] == (422, ["body", "session_ids", 1])
    for body in (
        {"queue_id": queue, "session_ids": [str(uuid.uuid4())]},
        {"queue_id": str(uuid.uuid4()), "session_ids": [first]},
    ):
        assert http.post(f"{BASE}/populate", json=body).status_code == 404
    assert http.post(f"{BASE}/populate", json={"queue_id": queue, "session_ids": []}).status_code == 422
    assert held() == first_runs + second_runs
    # A queue that cannot be filled is not made.
    name = f"queue {uuid.uuid4()}"
    answer = http.post(BASE, json={"name": name, "session_ids": [str(uuid.uuid4())]})
    assert answer.status_code == 404
    assert http.get(BASE, params={"name": name}).json() == []


def test_a_pairwise_queue_pairs_the_runs_of_each_example(http: httpx.Client) -> None:
    a, b, c = (str(uuid.uuid4()) for _ in range(3))
    first, first_runs = experiment(http, [a, b, c, a])
    second, second_runs = experiment(http, [b, a, b])
    queue = made(http, queue_type="pairwise", session_ids=[first, second])["id"]
    found = http.get(f"{BASE}/{queue}/runs").json()
    pairs = [(run["id"], run["paired_run"]["id"]) for run in found]
    assert pairs == [(first_runs[1], second_runs[0]), (first_runs[0], second_runs[1])]
    for sessions in ([first], [first, first], [first, second, first]):
        answer = http.post(f"{BASE}/populate", json={"queue_id": queue, "session_ids": sessions})
        assert (answer.status_code, len(sessions)) in ((422, 1), (422, 2), (200, 3))


# -- mistakes --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"name": ""}, ["name"]),
        ({"name": "x" * 1001}, ["name"]),
        ({"name": "nul \0"}, ["name"]),
        ({"name": 5}, ["name"]),
        ({"description": "x" * 50_001}, ["description"]),
        ({"rubric_instructions": "nul \0"}, ["rubric_instructions"]),
        ({"id": "x"}, ["id"]),
        ({"default_dataset": "x"}, ["default_dataset"]),
        ({"created_at": "yesterday"}, ["created_at"]),
        ({"num_reviewers_per_item": 0}, ["num_reviewers_per_item"]),
        ({"num_reviewers_per_item": 10**30}, ["num_reviewers_per_item"]),
        ({"num_reviewers_per_item": {}}, ["num_reviewers_per_item"]),
        ({"reservation_minutes": -1}, ["reservation_minutes"]),
        ({"reservation_minutes": 10**9}, ["reservation_minutes"]),
        ({"reviewer_access_mode": "nobody"}, ["reviewer_access_mode"]),
        ({"queue_type": "triple"}, ["queue_type"]),
        ({"metadata": [1]}, ["metadata"]),
        ({"session_ids": ["x"]}, ["session_ids", "[0]"]),
        ({"rubric_items": [{}]}, ["rubric_items", "[0]"]),
        ({"rubric_items": [{"feedback_key": ""}]}, ["rubric_items", 0, "feedback_key"]),
        ({"rubric_items": [{"feedback_key": "k" * 181}]}, ["rubric_items", 0, "feedback_key"]),
        ({"rubric_items": [{"feedback_key": "a"}] * 2}, ["rubric_items", 1, "feedback_key"]),
        ({"rubric_items": [{"feedback_key": str(n)} for n in range(201)]}, ["rubric_items"]),
        (
            {"rubric_items": [{"feedback_key": "a", "regex_validator": "x" * 501}]},
            ["rubric_items", 0, "regex_validator"],
        ),
        (
            {"rubric_items": [{"feedback_key": "a", "score_descriptions": {"1": "x" * 10_001}}]},
            ["rubric_items", 0, "score_descriptions"],
        ),
        (
            {"rubric_items": [{"feedback_key": "a", "feedback_config_id": str(uuid.UUID(int=1))}]},
            ["rubric_items", 0, "feedback_config_id"],
        ),
    ],
)
def test_what_a_queue_cannot_be(http: httpx.Client, fields: dict[str, Any], place: list[Any]) -> None:
    answer = http.post(BASE, json={"name": "x", **fields})
    status, where, _ = refusal(answer)
    assert (status, where) == (422, ["body", *place])
    if "id" not in fields and "queue_type" not in fields and "session_ids" not in fields:
        queue = made(http)["id"]
        before = read(http, queue)
        if "created_at" not in fields:
            assert http.patch(f"{BASE}/{queue}", json=fields).status_code == 422
        assert read(http, queue) == before


@pytest.mark.parametrize(
    ("rule", "place"),
    [
        ({"key": "later", "op": "is_empty"}, "key"),
        ({"key": "b", "op": "is_empty"}, "key"),
        ({"key": "a", "op": "is"}, "values"),
        ({"key": "a", "op": "is", "values": [1, 2]}, "values"),
        ({"key": "a", "op": "is_one_of", "values": []}, "values"),
        ({"key": "a", "op": "is_not_empty", "values": [1]}, "values"),
    ],
)
def test_what_conditions_cannot_be(http: httpx.Client, rule: dict[str, Any], place: str) -> None:
    for field in ("required_if", "visible_if"):
        conditions = {"join": "all", "rules": [rule]}
        items = [{"feedback_key": "a"}, {"feedback_key": "b", field: conditions}, {"feedback_key": "later"}]
        answer = http.post(BASE, json={"name": "x", "rubric_items": items})
        where = ["body", "rubric_items", 1, field, "rules", 0, place]
        assert refusal(answer)[:2] == (422, where)


def test_conditions_need_a_rule_and_a_known_word(http: httpx.Client) -> None:
    for conditions in (
        {"join": "all", "rules": []},
        {"join": "none", "rules": [{"key": "a", "op": "is_empty"}]},
        {"join": "all", "rules": [{"key": "a", "op": "like"}]},
        {"join": "all"},
    ):
        items = [{"feedback_key": "a"}, {"feedback_key": "b", "required_if": conditions}]
        assert http.post(BASE, json={"name": "x", "rubric_items": items}).status_code == 422


def test_bodies_that_are_no_queue(http: httpx.Client) -> None:
    for body in (b"", b"{", b"[]", b'{"name": null}', b'{"name": "\xff"}'):
        assert http.post(BASE, content=body).status_code == 422, body
    half = http.post(BASE, content=b'{"name": "half \\ud800"}')
    assert half.json()["name"] == "half \ufffd"
    for method, path in (("GET", "x"), ("PATCH", "x"), ("DELETE", "x"), ("GET", "x/queues")):
        answer = http.request(method, f"{BASE}/{path}", json={} if method == "PATCH" else None)
        assert answer.status_code == 422, answer.text
    unknown = uuid.uuid4()
    assert http.patch(f"{BASE}/{unknown}", content=json.dumps({"name": "x"})).status_code == 404
    assert http.get(f"{BASE}/{unknown.hex}").status_code == 404
    assert http.get(f"{BASE}/{unknown}/queues").json() == []


def test_a_number_beyond_reach_in_metadata_is_null(http: httpx.Client) -> None:
    answer = http.post(BASE, content=b'{"name": "x", "metadata": {"a": 1e400}}')
    assert (answer.status_code, answer.json()["metadata"]) == (200, {"a": None})
