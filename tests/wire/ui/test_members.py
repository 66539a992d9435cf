"""People over the page's API: invited, in by a link, told apart, changed and removed."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from stenograph.store.meta.database import open_meta
from tests.conftest import Server
from tests.keys import issue
from tests.wire.langsmith.recorded import Trace, record


@dataclass
class Team:
    """A workspace of the test's own, on a server that asks for keys."""

    server: Server
    admin: httpx.Client
    """With a key that belongs to nobody."""
    name: str
    stack: ExitStack

    def browser(self) -> httpx.Client:
        """One that keeps cookies, as a browser does."""
        return self.stack.enter_context(httpx.Client(base_url=self.server.url, timeout=60))

    def with_key(self, key: str) -> httpx.Client:
        headers = {"x-api-key": key}
        return self.stack.enter_context(httpx.Client(base_url=self.server.url, timeout=60, headers=headers))

    def invite(self, name: str = "Ann", role: str = "write", **more: Any) -> dict[str, Any]:
        made = self.admin.post("/ui/api/members", json={"name": name, "role": role, **more})
        assert made.status_code == 200, made.text
        found: dict[str, Any] = made.json()
        return found

    def joined(self, name: str = "Ann", role: str = "write") -> tuple[str, httpx.Client]:
        """A member's id, and the browser that they came in by."""
        made, browser = self.invite(name, role), self.browser()
        assert browser.post("/ui/api/join", json={"token": made["token"]}).status_code == 200
        return made["id"], browser


@pytest.fixture
def team(locked_server: Server) -> Iterator[Team]:
    name = f"team-{uuid.uuid4().hex[:12]}"
    with ExitStack() as stack:
        made = Team(locked_server, httpx.Client(), name, stack)
        made.admin = made.with_key(issue(locked_server.data_dir, name, "admin"))
        yield made


def people(client: httpx.Client) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in client.get("/ui/api/members").json()["members"]}


def test_an_invited_person_joins_and_is_known_by_name(team: Team) -> None:
    made, browser = team.invite("Ann", "write", email="ann@x.org"), team.browser()
    assert round((made["until"] - made["created"]) / 1_000_000) == 7 * 24 * 3600
    body = {"token": made["token"]}
    for _ in range(2):
        looked = browser.post("/ui/api/join/look", json=body).json()
        assert looked == {
            "workspace": team.name,
            "name": "Ann",
            "role": "write",
            "by": "tests",
            "until": made["until"],
            "back": False,
            "problem": None,
        }
    assert browser.cookies == httpx.Cookies()
    assert "Ann" not in browser.get("/ui/join").text
    answer = browser.post("/ui/api/join", json=body)
    assert answer.json() == {"role": "write"}
    cookie = answer.headers["set-cookie"]
    assert all(part in cookie for part in ("HttpOnly", "SameSite=strict", "Path=/ui/api"))
    me = browser.get("/ui/api/me").json()
    assert (me["name"], me["member"], me["role"], me["workspace"]) == ("Ann", made["id"], "write", team.name)
    ann = people(browser)["Ann"]
    assert ann["you"] is True
    assert ann["joined"] is not None
    assert (ann["until"], ann["keys"], ann["email"], ann["by"]) == (None, 0, "ann@x.org", "tests")
    assert team.admin.get("/ui/api/me").json()["member"] is None
    again = team.browser().post("/ui/api/join", json=body)
    assert (again.status_code, "let anybody in" in again.json()["message"]) == (404, True)
    assert made["token"] not in team.server.log


def test_what_is_no_link_says_the_same_and_tells_nothing(team: Team) -> None:
    made = team.invite()
    withdrawn = team.invite("Bob")
    team.admin.delete(f"/ui/api/members/{withdrawn['id']}/link")
    tokens = [withdrawn["token"], made["token"][:-1], "", "\0", "x" * 100_000, made["id"]]
    said = {
        team.browser().post(f"/ui/api/{path}", json={"token": token}).text
        for token in tokens
        for path in ("join", "join/look")
    }
    assert len(said) == 1
    assert team.name not in said.pop()
    for body in (b"", b"{}", b'{"token":1}', b"[]", b'{"token":', b'{"token":"\xff"}'):
        assert team.browser().post("/ui/api/join", content=body).status_code == 400, body


def test_no_other_page_joins_or_changes_anything(team: Team) -> None:
    made = team.invite()
    elsewhere = {"sec-fetch-site": "cross-site"}
    refused = team.browser().post("/ui/api/join", json={"token": made["token"]}, headers=elsewhere)
    assert refused.status_code == 403
    _, admin = team.joined("Bob", "admin")
    assert admin.delete(f"/ui/api/members/{made['id']}", headers=elsewhere).status_code == 403
    assert admin.delete(f"/ui/api/members/{made['id']}").status_code == 200


def test_of_two_browsers_with_one_link_one_gets_in(team: Team) -> None:
    made = team.invite()

    async def both() -> list[int]:
        async with httpx.AsyncClient(base_url=team.server.url, timeout=60) as http:
            answers = await asyncio.gather(
                *(http.post("/ui/api/join", json={"token": made["token"]}) for _ in range(6))
            )
        return sorted(answer.status_code for answer in answers)

    assert asyncio.run(both()) == [200, 404, 404, 404, 404, 404]


def test_a_role_holds_at_once_for_browser_and_programs(team: Team) -> None:
    member, browser = team.joined(role="write")
    made = browser.post("/ui/api/keys", json={"name": "notebook", "role": "write", "own": True}).json()
    program = team.with_key(made["secret"])
    prices = {"name": "m", "pattern": "m", "input": 1, "output": 2}
    assert browser.post("/ui/api/prices", json=prices).status_code == 200
    assert program.post("/datasets", json={"name": "one"}).status_code == 200
    assert team.admin.patch(f"/ui/api/members/{member}", json={"role": "read"}).json()["role"] == "read"
    assert browser.post("/ui/api/prices", json=prices).status_code == 403
    assert program.post("/datasets", json={"name": "two"}).status_code == 403
    assert program.get("/sessions").status_code == 200
    (listed,) = [key for key in browser.get("/ui/api/keys").json()["keys"] if not key["signIn"]]
    assert (listed["role"], listed["of"]) == ("read", "Ann")


def test_whoever_is_removed_is_out_at_once(team: Team) -> None:
    member, browser = team.joined()
    made = browser.post("/ui/api/keys", json={"name": "notebook", "role": "read", "own": True}).json()
    program = team.with_key(made["secret"])
    assert people(team.admin)["Ann"]["keys"] == 1
    assert program.get("/sessions").status_code == 200
    assert team.admin.delete(f"/ui/api/members/{member}").status_code == 200
    assert browser.get("/ui/api/me").status_code == 401
    assert program.get("/sessions").status_code == 401
    assert people(team.admin) == {}
    for path in ("", "/link"):
        assert team.admin.delete(f"/ui/api/members/{member}{path}").status_code == 404


def test_members_handle_their_own_keys_and_nobody_elses(team: Team) -> None:
    _, browser = team.joined(role="read")
    service = team.admin.post("/ui/api/keys", json={"name": "ci", "role": "write"}).json()
    assert [key["signIn"] for key in browser.get("/ui/api/keys").json()["keys"]] == [True]
    for body, status in (
        ({"name": "x", "role": "write", "own": True}, 403),
        ({"name": "x", "role": "read"}, 403),
        ({"name": "", "role": "read", "own": True}, 400),
        ({"name": "x", "role": "owner", "own": True}, 400),
    ):
        assert browser.post("/ui/api/keys", json=body).status_code == status, body
    assert browser.delete(f"/ui/api/keys/{service['id']}").status_code == 404
    own = browser.post("/ui/api/keys", json={"name": "x", "role": "read", "own": True}).json()
    assert browser.delete(f"/ui/api/keys/{own['id']}").json()["active"] is False
    names = {key["name"]: key["of"] for key in team.admin.get("/ui/api/keys").json()["keys"]}
    assert names == {"tests": None, "ci": None, "sign-in": "Ann", "x": "Ann"}


def test_who_signs_out_leaves_no_key_behind(team: Team) -> None:
    member, browser = team.joined()
    stolen = dict(browser.cookies)
    assert browser.delete("/ui/api/sign-in").status_code == 200
    assert browser.get("/ui/api/me").status_code == 401
    thief = team.browser()
    thief.cookies.update(stolen)
    assert thief.get("/ui/api/me").status_code == 401
    assert [key["name"] for key in team.admin.get("/ui/api/keys").json()["keys"]] == ["tests"]
    link = team.admin.post(f"/ui/api/members/{member}/link").json()
    back = team.browser()
    assert back.post("/ui/api/join/look", json={"token": link["token"]}).json()["back"] is True
    assert back.post("/ui/api/join", json={"token": link["token"]}).status_code == 200
    assert back.get("/ui/api/me").json()["member"] == member


def test_a_sign_in_that_is_used_lasts(team: Team) -> None:
    _, browser = team.joined()
    former = dict(browser.cookies)
    assert "set-cookie" not in browser.get("/ui/api/me").headers
    _, other = team.joined("Bob")
    (key,) = [one for one in team.admin.get("/ui/api/keys").json()["keys"] if one["of"] == "Bob"]
    soon = time.time_ns() // 1000 + 3600 * 1_000_000
    asyncio.run(_shorten(team.server, uuid.UUID(key["id"]), soon))
    assert "Max-Age=2592000" in other.get("/ui/api/me").headers["set-cookie"]
    assert "set-cookie" not in other.get("/ui/api/me").headers
    (key,) = [one for one in team.admin.get("/ui/api/keys").json()["keys"] if one["of"] == "Bob"]
    assert key["expires"] > soon + 29 * 24 * 3600 * 1_000_000
    assert dict(browser.cookies) == former


async def _shorten(server: Server, key: uuid.UUID, until: int) -> None:
    """As if the key had been made long ago. Nobody has asked for it yet, so that the server has it nowhere else."""
    meta = await open_meta(f"sqlite:///{server.data_dir / 'meta.db'}")
    for workspace in await meta.workspaces.all():
        await meta.keys.prolong(workspace.id, key, until)
    await meta.close()


def test_a_member_makes_a_link_for_another_browser_of_theirs_alone(team: Team) -> None:
    member, browser = team.joined(role="read")
    other = team.invite("Bob")
    assert browser.post(f"/ui/api/members/{other['id']}/link").status_code == 403
    assert browser.post("/ui/api/members", json={"name": "Eve", "role": "read"}).status_code == 403
    link, phone = browser.post(f"/ui/api/members/{member}/link").json(), team.browser()
    assert phone.post("/ui/api/join", json={"token": link["token"]}).status_code == 200
    assert phone.get("/ui/api/me").json()["member"] == browser.get("/ui/api/me").json()["member"] == member


def test_the_last_admin_is_told_why_they_stay(team: Team) -> None:
    member, browser = team.joined(role="admin")
    (service,) = [key for key in team.admin.get("/ui/api/keys").json()["keys"] if key["of"] is None]
    assert browser.delete(f"/ui/api/keys/{service['id']}").status_code == 200
    for refused in (
        browser.patch(f"/ui/api/members/{member}", json={"role": "write"}),
        browser.delete(f"/ui/api/members/{member}"),
    ):
        assert refused.status_code == 409
        assert "without an admin" in refused.json()["message"]
    assert browser.get("/ui/api/me").json()["role"] == "admin"


def test_a_reviewer_is_a_person_whichever_browser_and_key(team: Team, project: str) -> None:
    (run,) = record(team.admin, project, Trace())
    queue = team.admin.post("/ui/api/queues", json={"name": project}).json()["id"]
    (added,) = team.admin.post(f"/annotation-queues/{queue}/runs", json=[str(run)]).json()
    item = f"/ui/api/queues/{queue}/items/{added['id']}"
    member, browser = team.joined()
    assigned = team.admin.post(f"/platform/annotation-queues/{queue}/reviewers", json={"identity_id": member})
    assert assigned.status_code == 201
    reviewers = team.admin.get(f"/annotation-queues/{queue}").json()["assigned_reviewers"]
    assert [(each["id"], each["name"]) for each in reviewers] == [(member, "Ann")]
    said = {"answers": [{"key": "tone", "score": 1}]}
    assert browser.post(f"{item}/done", json=said).status_code == 200
    given = browser.post(f"/ui/api/runs/{run}/feedback", json={"key": "mine", "comment": "warm"}).json()
    assert (given["by"], given["mine"]) == ("Ann", True)
    link, later = team.admin.post(f"/ui/api/members/{member}/link").json(), team.browser()
    later.post("/ui/api/join", json={"token": link["token"]})
    found = later.get(item).json()
    assert (found["mineDone"], [each["by"] for each in found["given"]]) == (True, ["Ann"])
    changed = later.patch(f"/ui/api/judgements/{given['id']}", json={"comment": "warmer"})
    assert (changed.status_code, changed.json()["mine"]) == (200, True)
    _, other = team.joined("Bob")
    refused = other.patch(f"/ui/api/judgements/{given['id']}", json={"comment": "cold"})
    assert refused.status_code == 403
    assert other.get(item).json()["mineDone"] is False
    assert team.admin.delete(f"/ui/api/members/{member}").status_code == 200
    sources = [
        each["feedback_source"] for each in team.admin.get("/feedback", params={"run": str(run)}).json()
    ]
    assert {(source["user_id"], source["user_name"]) for source in sources} == {(member, "Ann")}


@pytest.mark.parametrize(
    "body",
    [
        {"name": "Ann", "role": "ingest"},
        {"name": " ", "role": "read"},
        {"name": "a\0b", "role": "read"},
        {"name": "Ann", "role": "owner"},
        {"name": "Ann", "role": "read", "email": "ann"},
        {"name": "Ann", "role": "read", "email": 5},
        {"name": "Ann"},
        {},
        [],
    ],
)
def test_what_is_wrong_with_an_invitation_is_said(team: Team, body: Any) -> None:
    refused = team.admin.post("/ui/api/members", json=body)
    assert refused.status_code == 400
    assert refused.json()["message"]
    assert people(team.admin) == {}


def test_an_address_is_one_members(team: Team) -> None:
    first = team.invite("Ann", email="ann@x.org")
    body = {"name": "Ann again", "role": "read", "email": " ANN@x.org "}
    refused = team.admin.post("/ui/api/members", json=body)
    assert (refused.status_code, "ANN@x.org" in refused.json()["message"]) == (409, True)
    assert team.admin.patch(f"/ui/api/members/{first['id']}", json={"email": ""}).json()["email"] is None
    assert team.admin.post("/ui/api/members", json=body).status_code == 200
    assert team.admin.patch(f"/ui/api/members/{uuid.uuid4()}", json={"name": "x"}).status_code == 404
    assert team.admin.patch("/ui/api/members/nobody", json={"name": "x"}).status_code == 400


def test_on_an_open_server_people_are_invited_ahead(http: httpx.Client) -> None:
    name = f"Ann {uuid.uuid4()}"
    made = http.post("/ui/api/members", json={"name": name, "role": "read"}).json()
    me = http.get("/ui/api/me").json()
    assert (me["name"], me["member"], me["auth"]) == (None, None, "open")
    looked = http.post("/ui/api/join/look", json={"token": made["token"]}).json()
    assert "This server is open" in looked["problem"]
    refused = http.post("/ui/api/join", json={"token": made["token"]})
    assert (refused.status_code, "open" in refused.json()["message"]) == (409, True)
    assert "set-cookie" not in refused.headers
    assert people(http)[name]["until"] == made["until"]
