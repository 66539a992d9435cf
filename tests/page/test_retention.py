"""How long traces are kept: asked for, shown beforehand what goes, and seen to be gone; and what a reader is shown."""

from __future__ import annotations

import re

import httpx
from playwright.sync_api import expect

from tests.conftest import Server
from tests.keys import issue
from tests.old_traces import have_had, trace_of
from tests.page.conftest import Visitor


def _project(http: httpx.Client, name: str) -> str:
    made: str = http.post("/sessions", json={"name": name}).json()["id"]
    return made


def test_old_traces_go_after_it_was_said_how_many(own_server: Server, visit: Visitor) -> None:
    own_server.start()
    with httpx.Client(base_url=own_server.url) as http:
        chatty, quiet = _project(http, "chatty"), _project(http, "quiet")
        have_had(own_server, chatty, "a", "b", "judged")
        have_had(own_server, quiet, "c")
        http.post(
            "/feedback", json={"run_id": str(trace_of(chatty, "judged")), "key": "good", "score": 1}
        ).raise_for_status()
        tab = visit(url=own_server.url, expected=("400",))
        page = tab.go("/ui/settings/retention")
        expect(page.get_by_role("link", name="Retention")).to_have_attribute("aria-current", "page")
        expect(page.get_by_text("Traces are kept until somebody deletes them.")).to_be_visible()
        assert tab.serious() == []

        own = page.get_by_role("form", name="A project's own time")
        own.get_by_label("Project").fill("quiet")
        own.get_by_label("Its traces are kept").select_option("for ever")
        own.get_by_role("button", name="Set").click()
        row = page.get_by_role("row").filter(has_text="quiet")
        expect(row).to_contain_text("for ever")

        form = page.get_by_role("form", name="How long traces are kept")
        general, judged = (
            form.get_by_label("Traces in general, days"),
            form.get_by_label("Judged traces, days"),
        )
        general.fill("none")
        general.press("Enter")
        expect(form.get_by_role("alert")).to_contain_text("whole number from 1 to 36,500")
        general.fill("30")
        judged.fill("20")
        judged.press("Enter")
        expect(form.get_by_role("alert")).to_contain_text("shorter time than others")
        judged.fill("90")
        judged.press("Enter")
        goes = form.get_by_role("group", name="What goes")
        expect(goes).to_contain_text("2 traces (4 runs)")
        assert tab.serious() == []
        goes.get_by_role("button", name="Keep them").click()
        expect(goes).to_have_count(0)
        assert len(http.get("/ui/api/retention").json()["projects"]) == 1
        assert http.get("/ui/api/retention").json()["short"] is None

        form.get_by_role("button", name="Save").click()
        goes.get_by_role("button", name="Save and delete").click()
        expect(page.get_by_text("Traces are deleted 30 days after they were last used")).to_be_visible()
        status = page.get_by_role("status").first
        expect(status).to_contain_text("judged ones after 90 days")
        expect(status).to_contain_text("2 traces (4 runs)")
        expect(general).to_have_value("30")
        left = {
            run["name"]
            for project in (chatty, quiet)
            for run in http.post("/runs/query", json={"session": [project], "is_root": True}).json()["runs"]
        }
        assert left == {"judged", "c"}

        row.get_by_role("button", name="Keep quiet as the workspace says").click()
        row.get_by_role("button", name="Save and delete").click()
        expect(page.get_by_text("None: all projects are kept as the workspace says.")).to_be_visible()
        expect(status).to_contain_text("1 trace (2 runs)")
        general.fill("")
        judged.fill("")
        judged.press("Enter")
        expect(page.get_by_text("Traces are kept until somebody deletes them.")).to_be_visible()


def test_a_reader_is_told_and_may_not_change(locked_server: Server, visit: Visitor) -> None:
    reader = issue(locked_server.data_dir, role="read")
    tab = visit(url=locked_server.url, expected=("401",), dark=True, narrow=True)
    page = tab.go("/ui/settings/retention")
    page.get_by_label("API key").fill(reader)
    page.get_by_label("API key").press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("Traces are kept until somebody deletes them.")
    expect(page.get_by_text(re.compile("Admins change this"))).to_be_visible()
    expect(page.get_by_role("form")).to_have_count(0)
    expect(page.get_by_role("button", name="Save")).to_have_count(0)
    assert tab.serious() == []
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0
    for method, path in (("PUT", "/ui/api/retention"), ("POST", "/ui/api/retention/preview")):
        sent = httpx.request(method, locked_server.url + path, json={}, headers={"x-api-key": reader})
        assert sent.status_code == 403
