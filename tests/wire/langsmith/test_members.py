"""LangSmith's routes of the people of a workspace, in the shapes that its API documents."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.conftest import Server
from tests.keys import issue

MEMBERS = "/api/v1/workspaces/current/members"


@pytest.fixture
def admin(locked_server: Server) -> Iterator[httpx.Client]:
    """An admin's key of a workspace of the test's own."""
    key = issue(locked_server.data_dir, f"team-{uuid.uuid4().hex[:12]}", "admin")
    with httpx.Client(base_url=locked_server.url, timeout=60, headers={"x-api-key": key}) as client:
        yield client


@pytest.fixture
def roles(admin: httpx.Client) -> dict[str, str]:
    """Their ids, by our names."""
    return {role["display_name"]: role["id"] for role in admin.get("/api/v1/orgs/current/roles").json()}


def added(admin: httpx.Client, *emails: str, **more: Any) -> list[dict[str, Any]]:
    answer = admin.post(f"{MEMBERS}/batch", json=[{"email": email, **more} for email in emails])
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()
    return found


def join(admin: httpx.Client, member: str) -> None:
    token = admin.post(f"/ui/api/members/{member}/link").json()["token"]
    assert httpx.post(f"{admin.base_url}/ui/api/join", json={"token": token}).status_code == 200


def test_members_are_added_join_and_are_listed(admin: httpx.Client, roles: dict[str, str]) -> None:
    workspace = admin.get("/workspaces/current").json()["id"]
    (ann,) = added(admin, "ann@x.org", full_name="Ann", workspace_role_id=roles["admin"])
    (bob,) = added(admin, "bob@x.org", read_only=True, workspace_ids=[workspace])
    assert (ann["full_name"], ann["role_name"], ann["read_only"]) == ("Ann", "admin", False)
    assert (bob["full_name"], bob["role_name"], bob["read_only"]) == ("bob@x.org", "read", True)
    assert (bob["password"], bob["workspace_ids"], bob["tenant_id"]) == (None, [workspace], workspace)
    everybody = admin.get(MEMBERS).json()
    assert everybody == {"tenant_id": workspace, "members": [], "pending": [ann, bob]}
    join(admin, ann["id"])
    found = admin.get(MEMBERS).json()
    assert [each["id"] for each in found["pending"]] == [bob["id"]]
    (member,) = found["members"]
    assert member == {
        "id": ann["id"], "user_id": ann["id"], "ls_user_id": ann["id"], "organization_id": workspace,
        "tenant_id": workspace, "created_at": ann["created_at"], "read_only": False, "role_id": roles["admin"],
        "role_name": "admin", "access_scope": "workspace", "email": "ann@x.org", "full_name": "Ann",
        "display_name": "Ann", "avatar_url": None, "linked_login_methods": [], "is_disabled": False,
        "org_role_id": None, "org_role_name": None,
    }  # fmt: skip
    assert admin.get(f"{MEMBERS}/active").json() == [member]
    assert [each["id"] for each in admin.get(f"{MEMBERS}/pending").json()] == [bob["id"]]


def test_pages_orders_and_conditions(admin: httpx.Client) -> None:
    names = ["Cid", "ann", "Bob"]
    for name in names:
        added(admin, f"{name}@x.org", full_name=name)

    def listed(**params: Any) -> list[str]:
        answer = admin.get(f"{MEMBERS}/pending", params=params)
        assert answer.status_code == 200, answer.text
        return [each["full_name"] for each in answer.json()]

    assert listed() == ["Bob", "ann", "Cid"]
    assert listed(sort_by_desc=False) == names
    assert listed(sort_by="name", sort_by_desc="false") == ["ann", "Bob", "Cid"]
    assert listed(sort_by="email", limit=1, offset=1) == ["Bob"]
    assert listed(q="BO") == ["Bob"]
    assert listed(emails=["ANN@x.org", "cid@X.org"]) == ["ann", "Cid"]
    assert admin.get(f"{MEMBERS}/active", params={"is_disabled": True}).json() == []
    for params in (
        {"limit": 0},
        {"limit": 501},
        {"offset": -1},
        {"sort_by": "age"},
        {"sort_by_desc": "maybe"},
    ):
        refused = admin.get(f"{MEMBERS}/pending", params=params)
        assert (refused.status_code, refused.json()["detail"][0]["loc"][0]) == (422, "query"), params
    assert admin.get(f"{MEMBERS}/active", params={"user_ids": "x"}).status_code == 422


def test_roles_are_known_by_id_and_name_and_change(admin: httpx.Client, roles: dict[str, str]) -> None:
    assert list(roles) == ["read", "write", "admin"]
    (ann,) = added(admin, "ann@x.org")
    assert ann["role_id"] == roles["write"]
    for named, role in ((roles["read"], "read"), ("WORKSPACE_ADMIN", "admin"), ("write", "write")):
        changed = admin.patch(f"{MEMBERS}/{ann['id']}", json={"role_id": named})
        assert (changed.status_code, changed.json()["role_name"]) == (200, role)
    wrong: list[dict[str, Any]] = [
        {},
        {"role_id": str(uuid.uuid4())},
        {"role_id": "ingest"},
        {"role_id": 5},
        {"role_id": roles["admin"], "read_only": True},
    ]
    for body in wrong:
        refused = admin.patch(f"{MEMBERS}/{ann['id']}", json=body)
        assert (refused.status_code, refused.json()["detail"][0]["type"]) == (422, "value_error"), body
    assert admin.patch(f"{MEMBERS}/{uuid.uuid4()}", json={"role_id": roles["read"]}).status_code == 404
    assert admin.patch(f"{MEMBERS}/x", json={"role_id": roles["read"]}).status_code == 422


def test_a_batch_is_added_whole_or_not_at_all(admin: httpx.Client) -> None:
    added(admin, "ann@x.org")
    for emails in (["new@x.org", "ANN@x.org"], ["two@x.org", "Two@x.org"]):
        refused = admin.post(f"{MEMBERS}/batch", json=[{"email": email} for email in emails])
        assert (refused.status_code, emails[1] in refused.json()["detail"]) == (409, True)
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"email": "nobody"}, "email"),
        ({"email": "x@x.org", "password": "secret"}, "password"),
        ({"email": "x@x.org", "role_id": "owner"}, "role_id"),
        ({"email": "x@x.org", "workspace_role_id": "owner"}, "workspace_role_id"),
        ({"email": "x@x.org", "full_name": "a\0b"}, "name"),
    ]
    for item, field in wrong:
        refused = admin.post(f"{MEMBERS}/batch", json=[{"email": "fine@x.org"}, item])
        assert refused.status_code == 422, item
        assert refused.json()["detail"][0]["loc"] == ["body", 1, field]
    bodies: list[Any] = [{}, [{}], [{"email": None}], [5]]
    for body in bodies:
        assert admin.post(f"{MEMBERS}/batch", json=body).status_code == 422, body
    many = [{"email": f"{index}@x.org"} for index in range(501)]
    assert admin.post(f"{MEMBERS}/batch", json=many).status_code == 422
    elsewhere = {"email": "x@x.org", "workspace_ids": [str(uuid.uuid4())]}
    assert admin.post(f"{MEMBERS}/batch", json=[elsewhere]).status_code == 404
    assert admin.post(f"{MEMBERS}/batch", json=[]).json() == []
    assert [each["email"] for each in admin.get(MEMBERS).json()["pending"]] == ["ann@x.org"]


def test_pending_ones_are_withdrawn_and_active_ones_removed(admin: httpx.Client) -> None:
    ann, bob = added(admin, "ann@x.org", "bob@x.org")
    join(admin, ann["id"])
    assert admin.delete(f"{MEMBERS}/{ann['id']}/pending").status_code == 404
    assert admin.delete(f"{MEMBERS}/{bob['id']}").status_code == 404
    assert admin.delete(f"{MEMBERS}/{bob['id']}/pending").status_code == 200
    assert admin.delete(f"{MEMBERS}/{ann['id']}").status_code == 200
    for gone in (ann, bob):
        assert admin.delete(f"{MEMBERS}/{gone['id']}").status_code == 404
        assert admin.delete(f"{MEMBERS}/{gone['id']}/pending").status_code == 404
    assert admin.get(MEMBERS).json()["members"] == []


def test_whoever_was_removed_can_be_added_by_id_as_the_same_person(
    admin: httpx.Client, roles: dict[str, str]
) -> None:
    (ann,) = added(admin, "ann@x.org")
    whom = {"ls_user_id": ann["id"], "role_id": roles["read"]}
    assert admin.post(MEMBERS, json=whom).status_code == 409
    assert admin.delete(f"{MEMBERS}/{ann['id']}/pending").status_code == 200
    back = admin.post(MEMBERS, json=whom)
    assert (back.status_code, back.json()["id"], back.json()["role_name"]) == (200, ann["id"], "read")
    assert [each["email"] for each in admin.get(MEMBERS).json()["pending"]] == ["ann@x.org"]
    assert admin.post(MEMBERS, json={"user_id": str(uuid.uuid4())}).status_code == 404
    for body in ({}, {"user_id": "x"}, {"user_id": ann["id"], "ls_user_id": str(uuid.uuid4())}):
        assert admin.post(MEMBERS, json=body).status_code == 422, body


def test_members_of_organizations_are_not_offered(admin: httpx.Client) -> None:
    for path in ("/api/v1/orgs/current/members", "/v1/platform/orgs/current/members"):
        answer = admin.get(path)
        assert (answer.status_code, "/workspaces/current/members" in answer.text) == (501, True)
