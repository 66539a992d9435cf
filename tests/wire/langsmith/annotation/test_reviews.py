"""Several reviewers at one queue: API keys of one workspace are people to it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from stenograph.model.annotation_queues import OPEN_REVIEWER
from tests.conftest import Server
from tests.wire.langsmith.annotation.test_queues import BASE, made
from tests.wire.langsmith.recorded import Trace, record


class Reviewer:
    """Somebody with a key of their own; without one the person of open mode."""

    def __init__(self, server: Server, key: str | None) -> None:
        self.http = httpx.Client(
            base_url=server.url, timeout=60, headers={} if key is None else {"x-api-key": key}
        )
        self.id = str(OPEN_REVIEWER)

    def sections(self, queue: str) -> dict[str, int]:
        return {
            status: self.http.get(f"{BASE}/{queue}/size", params={"status": status}).json()["size"]
            for status in ("needs_my_review", "needs_others_review", "completed")
        }

    def mark(self, item: str, status: str | None) -> int:
        return self.http.post(f"{BASE}/status/{item}", json={"status": status}).status_code

    def learn_id(self, queue: str, item: str) -> None:
        """From the trace that a review leaves."""
        assert self.mark(item, "viewed") == 200
        (run,) = self.http.get(f"{BASE}/{queue}/runs").json()
        (self.id,) = run["reserved_by"]
        assert self.mark(item, None) == 200


Three = tuple[Reviewer, Reviewer, Reviewer]


@pytest.fixture
def three(server: Server, http: httpx.Client, issue_key: Callable[..., str], project: str) -> Iterator[Three]:
    """Two keys and the person without one."""
    ann, ben = (Reviewer(server, issue_key("default", role)) for role in ("write", "admin"))
    open_one = Reviewer(server, None)
    (run,) = record(http, project, Trace())
    queue = made(http)["id"]
    (item,) = http.post(f"{BASE}/{queue}/runs", json=[str(run)]).json()
    for reviewer in (ann, ben):
        reviewer.learn_id(queue, item["id"])
    assert len({ann.id, ben.id, open_one.id}) == 3
    yield ann, ben, open_one
    for reviewer in (ann, ben, open_one):
        reviewer.http.close()


@pytest.fixture
def waiting(http: httpx.Client, project: str) -> Callable[..., tuple[str, str]]:
    """Makes a queue with one item; ids of both."""

    def make(**fields: Any) -> tuple[str, str]:
        (run,) = record(http, project, Trace())
        queue = made(http, **fields)["id"]
        (item,) = http.post(f"{BASE}/{queue}/runs", json=[str(run)]).json()
        return queue, item["id"]

    return make


MINE = {"needs_my_review": 1, "needs_others_review": 0, "completed": 0}
OTHERS = {"needs_my_review": 0, "needs_others_review": 1, "completed": 0}
DONE = {"needs_my_review": 0, "needs_others_review": 0, "completed": 1}


def test_a_reservation_hides_an_item_from_others(
    three: Three, waiting: Callable[..., tuple[str, str]]
) -> None:
    ann, ben, open_one = three
    queue, item = waiting()
    assert ann.mark(item, "viewed") == 200
    assert (ann.sections(queue), ben.sections(queue), open_one.sections(queue)) == (MINE, OTHERS, OTHERS)
    assert ben.http.get(f"{BASE}/{queue}/run/0").status_code == 404
    (run,) = ben.http.get(f"{BASE}/{queue}/runs").json()
    assert run["reserved_by"] == [ann.id]
    assert ben.mark(item, "viewed") == 409
    assert ann.mark(item, None) == 200
    assert ben.mark(item, "viewed") == 200
    assert ann.sections(queue) == OTHERS
    # Nobody reserves where the queue does not.
    assert ann.http.patch(f"{BASE}/{queue}", json={"enable_reservations": False}).status_code == 200
    assert ann.sections(queue) == MINE
    assert ann.mark(item, "viewed") == 200


def test_an_item_leaves_when_enough_have_reviewed_it(
    three: Three, waiting: Callable[..., tuple[str, str]]
) -> None:
    ann, ben, open_one = three
    queue, item = waiting(num_reviewers_per_item=2)
    assert ann.mark(item, "completed") == 200
    assert (ann.sections(queue), ben.sections(queue), open_one.sections(queue)) == (OTHERS, MINE, MINE)
    assert ben.mark(item, "viewed") == 200
    assert (ben.sections(queue), open_one.sections(queue)) == (MINE, OTHERS)
    assert open_one.mark(item, "viewed") == 409
    assert ben.mark(item, "completed") == 200
    for reviewer in three:
        assert reviewer.sections(queue) == DONE
    (run,) = ann.http.get(f"{BASE}/{queue}/runs", params={"archived": True}).json()
    assert run["completed_by"] == [ann.id, ben.id]
    assert ann.mark(item, None) == 200
    assert (ann.sections(queue), ben.sections(queue)) == (MINE, OTHERS)
    changed = ann.http.patch(f"{BASE}/{queue}", json={"num_reviewers_per_item": 1})
    assert changed.status_code == 200
    assert open_one.sections(queue) == DONE


def test_only_assigned_reviewers_review_where_they_are_asked_to(
    three: Three, waiting: Callable[..., tuple[str, str]]
) -> None:
    ann, ben, open_one = three
    queue, item = waiting(reviewer_access_mode="assigned")
    reviewers = f"/v1/platform{BASE}/{queue}/reviewers"
    assert ann.sections(queue) == OTHERS
    assert ann.mark(item, "completed") == 403
    for each in (ann, ben):
        assert open_one.http.post(reviewers, json={"identity_id": each.id}).status_code == 201
    names = [each["name"] for each in ann.http.get(f"{BASE}/{queue}").json()["assigned_reviewers"]]
    assert len(names) == 2
    assert None not in names
    assert [queue["id"] for queue in ann.http.get(BASE, params={"assigned_to_me": "True"}).json()] == [queue]
    assert (ann.sections(queue), ben.sections(queue), open_one.sections(queue)) == (MINE, MINE, OTHERS)
    assert ann.mark(item, "completed") == 200
    assert ann.sections(queue) == OTHERS
    assert open_one.mark(item, "completed") == 403
    assert ben.mark(item, "completed") == 200
    assert open_one.sections(queue) == DONE
    # Whoever is assigned later has to agree, too; whoever is let go has not.
    late = str(uuid.uuid4())
    assert open_one.http.post(reviewers, json={"identity_id": late}).status_code == 201
    assert ann.sections(queue) == OTHERS
    assert open_one.http.delete(f"{reviewers}/{late}").status_code == 204
    assert ann.sections(queue) == DONE


def test_each_has_an_order_of_their_own(three: Three, http: httpx.Client, project: str) -> None:
    ann, ben, _ = three
    runs = [str(run) for run in record(http, project, Trace(), Trace())]
    queue = made(http)["id"]
    first, _ = http.post(f"{BASE}/{queue}/runs", json=runs).json()
    body = {"status": None, "override_added_at": "2199-01-01T00:00:00Z"}
    assert ann.http.post(f"{BASE}/status/{first['id']}", json=body).status_code == 200
    assert ann.http.get(f"{BASE}/{queue}/run/0").json()["id"] == runs[1]
    assert ben.http.get(f"{BASE}/{queue}/run/0").json()["id"] == runs[0]
