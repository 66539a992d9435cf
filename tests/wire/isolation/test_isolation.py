"""Two workspaces on one server: to one, what is the other's does not exist. And what each role may do.

Every route of the application has to be in CASES: a new one without a case fails the first test.
"""

from __future__ import annotations

import itertools
import json

import httpx
from starlette.routing import Route

from stenograph.model.access import PERMISSIONS, Permission, Role
from stenograph.wire.app import routes
from tests.wire.isolation.answers import differences, leaked, name_of, told, without_what_was_sent
from tests.wire.isolation.cases import Case
from tests.wire.isolation.changing import CHANGES
from tests.wire.isolation.house import House
from tests.wire.isolation.reading import READS
from tests.wire.isolation.things import Things
from tests.wire.isolation.unlocked import OPEN

READ, INGEST, WRITE = Permission.READ, Permission.INGEST, Permission.WRITE


CASES = READS + CHANGES + OPEN


def test_every_route_has_a_case() -> None:
    walked: set[tuple[str, str]] = set()
    for route in routes():
        assert isinstance(route, Route), f"{route}: teach this test to walk into it"
        walked |= {(method, route.path) for method in (route.methods or set()) - {"HEAD"}}
    covered = {(case.method, case.path) for case in CASES}
    assert walked - covered == set(), "a route without a case"
    assert covered - walked == set(), "a case without a route"


def test_to_a_stranger_nothing_of_the_owners_is_there(house: House) -> None:
    """The same answer as for ids that nobody has; and the owner finds everything as it was."""
    things, none = house.furnish(), Things()
    before = house.seen(things)

    def attack(case: Case) -> httpx.Response:
        answer, blank = (case.send(house.http, which, house.stranger) for which in (things, none))
        assert told(answer, things, none) == told(blank, things, none), name_of(case)
        assert answer.status_code < 500 or answer.status_code == 501, name_of(case)
        return answer

    for case in READS:
        answer = attack(case)
        assert leaked(answer, things) == [], name_of(case)
        own = case.send(house.http, things, house.owner[Role.ADMIN])
        if case.told:
            assert told(own, things) != told(answer, things), (
                f"{name_of(case)}: shows nothing to its owner, too"
            )
    for case in CHANGES:
        assert things.secret not in without_what_was_sent(attack(case)), name_of(case)
    everything = house.http.request(
        "DELETE",
        "/workspaces/current/shared",
        json={"unshare_all": True},
        headers={"x-api-key": house.stranger},
    )
    assert everything.status_code == 200
    for case in READS:
        assert things.secret not in without_what_was_sent(attack(case)), name_of(case)
    assert differences(before, house.seen(things)) == []


def test_the_owner_can_do_all_that_the_stranger_could_not(house: House) -> None:
    """Each change works with the right key: what a stranger is refused is not refused for another reason."""
    things = house.furnish()
    for case in CHANGES:
        if case.permission is WRITE and case.told:
            answer = case.send(house.http, things, house.stranger)
            own = case.send(house.http, things, house.owner[Role.WRITE])
            assert own.status_code in (200, 201, 202, 204, 207), f"{name_of(case)}: {own.text}"
            assert told(own, things) != told(answer, things), name_of(case)


def test_another_tenant_cannot_be_asked_for(house: House) -> None:
    things = house.furnish()
    headers = {
        "x-api-key": house.stranger,
        "X-Tenant-Id": house.workspace,
        "X-Organization-Id": house.workspace,
    }
    assert house.http.get(f"/runs/{things.run}", headers=headers).status_code == 404
    assert things.project not in house.http.get("/sessions", headers=headers).text
    assert house.http.get("/workspaces/current", headers=headers).json()["id"] != house.workspace


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


def test_a_revoked_link_is_closed_for_its_holder_alone(house: House) -> None:
    """Withdrawing one thing's link leaves the other's."""
    first, second = house.furnish(), house.furnish()
    key = {"x-api-key": house.owner[Role.WRITE]}
    assert house.http.delete(f"/runs/{first.run}/share", headers=key).status_code == 200
    assert house.http.get(f"/public/{first.share}/run").status_code == 404
    assert house.http.get(f"/public/{second.share}/run").json()["id"] == second.run
    assert house.http.get(f"/public/{second.share}/run/{first.run}").status_code == 404
