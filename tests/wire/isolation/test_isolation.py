"""Two workspaces on one server: to one, what is the other's does not exist.

Every route of the application has to be in CASES: a new one without a case fails the first test.
"""

from __future__ import annotations

import httpx
from starlette.routing import Route

from stenograph.model.access import Permission, Role
from stenograph.wire.app import routes
from tests.wire.isolation.answers import differences, leaked, name_of, told, without_what_was_sent
from tests.wire.isolation.cases import Case
from tests.wire.isolation.changing import CHANGES
from tests.wire.isolation.house import House
from tests.wire.isolation.reading import READS
from tests.wire.isolation.things import Things
from tests.wire.isolation.unlocked import OPEN

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
        answer = case.send(house.http, things, house.stranger)
        assert things.secret not in without_what_was_sent(answer), name_of(case)
    assert differences(before, house.seen(things)) == []


def test_the_owner_can_do_all_that_the_stranger_could_not(house: House) -> None:
    """Each change works with the right key: what a stranger is refused is not refused for another reason."""
    things = house.furnish()
    for case in CHANGES:
        if case.permission is Permission.WRITE and case.told:
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


def test_a_revoked_link_is_closed_for_its_holder_alone(house: House) -> None:
    """Withdrawing one thing's link leaves the other's."""
    first, second = house.furnish(), house.furnish()
    key = {"x-api-key": house.owner[Role.WRITE]}
    assert house.http.delete(f"/runs/{first.run}/share", headers=key).status_code == 200
    assert house.http.get(f"/public/{first.share}/run").status_code == 404
    assert house.http.get(f"/public/{second.share}/run").json()["id"] == second.run
    assert house.http.get(f"/public/{second.share}/run/{first.run}").status_code == 404
