"""What each role may do, and what needs no key. Every route is in the cases: `test_isolation.py` sees to it."""

from __future__ import annotations

import itertools
import json

from stenograph.model.access import PERMISSIONS, Permission, Role
from tests.wire.isolation.answers import leaked, name_of, without_what_was_sent
from tests.wire.isolation.cases import Case
from tests.wire.isolation.changing import CHANGES
from tests.wire.isolation.house import House
from tests.wire.isolation.reading import READS
from tests.wire.isolation.things import Things
from tests.wire.isolation.unlocked import OPEN

READ, INGEST, WRITE = Permission.READ, Permission.INGEST, Permission.WRITE
CASES = READS + CHANGES + OPEN


def _reach(role: Role) -> int:
    return len(PERMISSIONS[role])


def test_what_each_role_may_do(house: House) -> None:
    """A key is refused exactly what its role does not reach, and refused requests change nothing. What several may do
    is tried with the role that may do least."""
    things = house.furnish()
    before = house.seen(things)
    for case in READS + CHANGES:
        permission = case.permission
        assert permission is not None
        may = sorted((role for role in Role if permission in PERMISSIONS[role]), key=_reach)
        for role in Role:
            about = f"{role}: {name_of(case)}"
            if role not in may:
                answer = case.send(house.http, things, house.owner[role])
                assert answer.status_code == 403, about
                assert things.secret not in without_what_was_sent(answer), about
            elif role is may[0]:
                status = case.send(house.http, Things(), house.owner[role]).status_code
                assert status not in (401, 403), about
                assert status < 500 or status == 501, about
    # What was allowed has added to the workspace, but not to these things.
    about_things = [
        "{" in case.path or "<" in json.dumps([case.body, dict(case.params)]) for case in READS if case.told
    ]
    after = house.seen(things)
    assert list(itertools.compress(after, about_things)) == list(itertools.compress(before, about_things))


def test_the_roles_are_what_they_are_called() -> None:
    assert PERMISSIONS[Role.INGEST] == {INGEST}
    assert PERMISSIONS[Role.READ] == {READ}
    assert PERMISSIONS[Role.WRITE] == {READ, INGEST, WRITE}
    ingest = {(case.method, case.path) for case in CASES if case.permission is INGEST}
    assert {path.split("/")[1] for _, path in ingest} == {
        "runs", "feedback", "v1", "otel", "opentelemetry", "honeyhive",
    }  # fmt: skip
    assert "GET" not in {method for method, _ in ingest}


def test_no_key_and_wrong_keys(house: House) -> None:
    things = house.furnish()
    for case in READS + CHANGES:
        answer = case.send(house.http, things, None)
        assert answer.status_code == 401, name_of(case)
        assert things.secret not in without_what_was_sent(answer)
    for key in (
        "",
        "wrong",
        "sk_steno_" + "a" * 43,
        "' OR 1=1 --",
        house.stranger[:-1],
        house.stranger + " x",
    ):
        for case in (READS[0], CHANGES[0]):
            assert case.send(house.http, things, key).status_code == 401, key
    assert house.http.get("/sessions", headers=[(b"x-api-key", "ü".encode())]).status_code == 401


def test_a_bearer_token_is_a_key_like_any_other(house: House) -> None:
    things = house.furnish()

    def status(token: str) -> int:
        return house.http.get(f"/runs/{things.run}", headers={"Authorization": token}).status_code

    assert status(f"Bearer {house.owner[Role.READ]}") == 200
    assert status(f"bearer {house.owner[Role.READ]}") == 200
    assert status(f"Bearer {house.stranger}") == 404
    assert status(f"Bearer {house.owner[Role.INGEST]}") == 403
    assert status(f"Basic {house.owner[Role.READ]}") == 401
    assert status("Bearer") == 401


_ANSWERS_TO_ALL = {
    "/ui/api/sign-in": {200, 204, 401},
    "/ui/api/join": {404},
    "/ui/api/{rest:path}": {404},
    "/ui/assets/{name}": {404},
    "/public/{share_token}/datasets/runs/generate-query": {501},
}


def _has_link(case: Case) -> bool:
    return "{" in case.path or "<token>" in json.dumps(case.body)


def test_what_needs_no_key_looks_at_none(house: House) -> None:
    things = house.furnish()
    for case in OPEN:
        keys = (None, "wrong", house.stranger, house.owner[Role.INGEST])
        answers = [case.send(house.http, things, key) for key in keys]
        wanted = _ANSWERS_TO_ALL.get(case.path, {200, 204})
        assert {answer.status_code for answer in answers} <= wanted, name_of(case)
        if case.path != "/metrics" and not case.changes:
            for first, second in itertools.pairwise(answers):
                assert first.content == second.content, name_of(case)
        if not _has_link(case) and not case.params:
            assert leaked(answers[0], things) == [], name_of(case)
    for case in OPEN:
        if _has_link(case) and case.method != "OPTIONS" and case.told:
            assert case.send(house.http, Things(), None).status_code in (403, 404), name_of(case)
