"""Members on the page: invited by a link, in without a key, known by name, changed and removed."""

from __future__ import annotations

import re

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.conftest import Server
from tests.keys import issue
from tests.page.conftest import Visit, Visitor
from tests.page.widths import beyond
from tests.page.writing import chat, send
from tests.wire.langsmith.recorded import Trace, record

pytestmark = pytest.mark.filterwarnings("ignore:.*deprecated.*")


def sign_in(tab: Visit, key: str) -> Page:
    page = tab.go("/ui/settings/members")
    page.get_by_label("API key").fill(key)
    page.get_by_label("API key").press("Enter")
    expect(page.get_by_role("link", name="Members")).to_have_attribute("aria-current", "page")
    return page


def invite(page: Page, name: str, role: str = "write", email: str = "") -> str:
    """The link that is shown, once."""
    form = page.get_by_role("form", name="Invite somebody")
    form.get_by_label("Name").fill(name)
    form.get_by_label("E-mail").fill(email)
    form.get_by_label("Role").select_option(role)
    form.get_by_role("button", name="Invite").click()
    once = page.get_by_role("region", name="The link")
    expect(once).to_contain_text(name)
    link = once.get_by_label("Link").input_value()
    once.get_by_role("button", name="Copy link").click()
    expect(once.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == link
    return link


def row(page: Page, name: str) -> Locator:
    return page.get_by_role("row").filter(has=page.get_by_role("rowheader", name=name))


def test_a_person_is_invited_reviews_under_their_name_and_is_removed(
    locked_server: Server, project: str, visit: Visitor
) -> None:
    key = issue(locked_server.data_dir, project, "admin")
    headers = {"x-api-key": key}
    http = httpx.Client(base_url=locked_server.url, headers=headers, timeout=60)
    (run,) = recorded(http, project)
    queue = http.post("/ui/api/queues", json={"name": f"Queue of {project}"}).json()["id"]
    http.post(f"/annotation-queues/{queue}/runs", json=[run]).raise_for_status()

    admin = visit(url=locked_server.url, expected=("401",))
    page = sign_in(admin, key)
    expect(page.get_by_text("Nobody is a member yet.")).to_be_visible()
    link = invite(page, "Ann Lee", email="ann@example.org")
    once = page.get_by_role("region", name="The link")
    expect(once).to_contain_text("Valid until")
    expect(row(page, "Ann Lee")).to_contain_text(re.compile("invited.*link until"))
    assert admin.serious() == []
    once.get_by_role("button", name="Done").click()
    page.reload()
    assert link.partition("#")[2] not in page.content()

    theirs = visit(url=locked_server.url, expected=("401", "403", "404"))
    joining = theirs.go(link.removeprefix(locked_server.url))
    expect(joining.get_by_role("heading", name=f"Join {project}")).to_be_visible()
    expect(joining.get_by_role("main")).to_contain_text("tests invites you, Ann Lee")
    expect(joining.get_by_role("main")).to_contain_text("Your role is write: reads and writes")
    assert theirs.serious() == []
    joining.reload()  # looking uses nothing up
    joining.get_by_role("button", name="Join").press("Enter")
    expect(joining.get_by_role("heading", name="Projects")).to_be_visible()
    expect(joining.get_by_role("banner")).to_contain_text("Ann Lee")

    review = theirs.go(f"/ui/queues/{queue}/review")
    review.keyboard.press("1")
    note = review.get_by_role("complementary", name="Rubric").get_by_role("textbox").first
    note.fill("Kind enough")
    review.get_by_role("button", name="Submit").click()
    expect(
        review.get_by_text(re.compile("Nothing (more )?waits|All done|nothing left", re.IGNORECASE))
    ).to_be_visible()
    (given,) = {
        (each["feedback_source"]["user_name"], each["comment"])
        for each in http.get("/feedback", params={"run": run}).json()
    }
    assert given == ("Ann Lee", "Kind enough")

    listed = theirs.go("/ui/settings/members")
    expect(row(listed, "Ann Lee")).to_contain_text("you")
    expect(listed.get_by_role("form", name="Invite somebody")).to_have_count(0)
    expect(listed.get_by_role("button", name="Remove")).to_have_count(0)
    listed.get_by_role("link", name="API keys").click()
    form = listed.get_by_role("form", name="New key")
    expect(form.get_by_label("Role").get_by_role("option")).to_have_count(3)
    form.get_by_label("Name").fill("notebook")
    form.get_by_role("button", name="Make a key").click()
    made = listed.get_by_role("region", name="The new key").get_by_label("Key", exact=True).input_value()
    assert theirs.serious() == []

    page.reload()
    expect(row(page, "Ann Lee")).to_contain_text(re.compile("active.*1"))
    row(page, "Ann Lee").get_by_role("button", name="Edit").click()
    edit = page.get_by_role("form", name="Edit Ann Lee")
    edit.get_by_label("Role").select_option("read")
    edit.get_by_role("button", name="Save").click()
    expect(row(page, "Ann Lee")).to_contain_text("read")
    theirs.go("/ui/settings/prices")
    expect(listed.get_by_role("table")).to_be_visible()
    expect(listed.get_by_role("button", name="Add a price")).to_have_count(0)
    answer = httpx.post(f"{locked_server.url}/datasets", json={"name": "x"}, headers={"x-api-key": made})
    assert answer.status_code == 403

    row(page, "Ann Lee").get_by_role("button", name="Remove").click()
    row(page, "Ann Lee").get_by_role("button", name="Remove, with their keys").click()
    expect(page.get_by_text("Nobody is a member yet.")).to_be_visible()
    theirs.go("/ui/settings/members")
    expect(listed.get_by_text("Your sign-in has ended.")).to_be_visible()
    listed.get_by_role("button", name="Forget the former sign-in").click()
    expect(listed.get_by_text("Sign in with an API key")).to_be_visible()
    used = theirs.go(link.removeprefix(locked_server.url))
    expect(used.get_by_role("alert")).to_contain_text("does not let anybody in")
    assert theirs.serious() == []
    http.close()


def recorded(http: httpx.Client, project: str) -> list[str]:
    """One trace in the workspace of the key."""
    return [str(run) for run in record(http, project, Trace())]


def test_links_are_made_anew_and_taken_back_and_the_last_admin_stays(
    locked_server: Server, project: str, visit: Visitor
) -> None:
    key = issue(locked_server.data_dir, project, "admin")
    page = sign_in(visit(url=locked_server.url, expected=("401",)), key)
    first = invite(page, "Ann", "admin")
    row(page, "Ann").get_by_role("button", name="Make a link for Ann").click()
    once = page.get_by_role("region", name="The link")
    expect(once.get_by_label("Link")).not_to_have_value(first)
    second = once.get_by_label("Link").input_value()
    invite(page, "Bob", "read")
    row(page, "Bob").get_by_role("button", name="Take back the link of Bob").click()
    expect(row(page, "Bob")).to_contain_text("no link is out")

    tab = visit(url=locked_server.url, narrow=True, dark=True, expected=("401", "404", "409"))
    narrow = tab.go(first.removeprefix(locked_server.url))
    expect(narrow.get_by_role("alert")).to_contain_text("does not let anybody in")
    assert beyond(narrow) == []
    narrow.goto(second)  # the same page with another token: nothing is loaded anew
    expect(narrow.get_by_role("heading", name=f"Join {project}")).to_be_visible()
    assert beyond(narrow) == []
    narrow.get_by_role("button", name="Join").click()
    expect(narrow.get_by_role("heading", name="Ready to record")).to_be_visible()
    narrow = tab.go("/ui/settings/members")
    expect(row(narrow, "Ann")).to_contain_text("you")
    assert beyond(narrow) == []
    assert tab.serious() == []
    with httpx.Client(base_url=locked_server.url, headers={"x-api-key": key}) as http:
        (service,) = [one for one in http.get("/ui/api/keys").json()["keys"] if one["of"] is None]
        http.delete(f"/ui/api/keys/{service['id']}").raise_for_status()
    row(narrow, "Ann").get_by_role("button", name="Remove").click()
    row(narrow, "Ann").get_by_role("button", name="Remove, and sign out here").click()
    expect(row(narrow, "Ann").get_by_role("alert")).to_contain_text("without an admin")
    narrow.get_by_role("button", name="Sign out", exact=True).click()
    expect(narrow.get_by_label("API key")).to_be_visible()


def test_an_open_server_says_what_members_need(server: Server, project: str, visit: Visitor) -> None:
    send(server, chat(project, "t", "Question?", "Answer."))
    tab = visit()
    page = tab.go("/ui/settings/members")
    expect(page.get_by_text("This server is open")).to_contain_text("STENOGRAPH_AUTH=keys")
    hostile = f"<img src=x onerror=alert(1)>{'W' * 120} {project}"
    link = invite(page, hostile)
    assert tab.serious() == []
    other = visit(narrow=True)
    joining = other.go(link.removeprefix(server.url))
    expect(joining.get_by_text("nobody is told from anybody")).to_be_visible()
    expect(joining.get_by_role("main")).to_contain_text(hostile)
    assert beyond(joining) == []
    expect(joining.get_by_role("button", name="Join")).to_have_count(0)
    joining.get_by_role("link", name="Come in").click()
    expect(joining.get_by_role("heading", name="Projects")).to_be_visible()
    expect(joining.get_by_role("button", name="Sign out")).to_have_count(0)
