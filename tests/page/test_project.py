"""Projects, and one of them: found, filtered, searched, followed live, charted, read as conversations."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.conftest import Server
from tests.page.conftest import Visitor
from tests.page.writing import chat, send


def furnish(server: Server, project: str) -> None:
    send(server, chat(project, "t-1", "Where is my order?", "It ships *today*.", 9))
    send(server, chat(project, "t-1", "And the lamp?", "It is on its way.", 7))
    send(server, chat(project, "t-2", "I want a refund", None, 5))


def test_from_all_projects_to_a_failed_run_by_keys_alone(
    server: Server, project: str, visit: Visitor
) -> None:
    furnish(server, project)
    tab = visit()
    page = tab.go("/ui/")
    expect(page.get_by_role("grid", name="Projects")).to_be_visible()
    page.keyboard.press("/")
    page.keyboard.type(project)
    row = page.get_by_role("row").filter(has_text=project)
    expect(row).to_have_count(1)
    expect(row).to_contain_text("33%")
    expect(row.get_by_role("img", name="3 traces")).to_be_visible()
    assert tab.serious() == []
    page.get_by_role("grid").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=project)).to_be_visible()
    expect(page.get_by_role("row")).to_have_count(4)

    page.keyboard.press("f")
    page.keyboard.type("stat")
    page.get_by_role("option", name="status is …").first.wait_for()
    page.keyboard.press("Tab")
    page.keyboard.type("err")
    expect(page.get_by_role("option")).to_have_count(1)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("row")).to_have_count(2)
    expect(page).to_have_url(re.compile(r"filter=eq%28status%2C"))
    expect(page.get_by_label("Conditions")).to_contain_text('status is "error"')
    assert tab.serious() == []
    page.get_by_role("grid").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("tree")).to_be_focused()
    page.keyboard.press("e")
    expect(page.get_by_role("treeitem", selected=True)).to_have_accessible_name(
        re.compile("lookup_order.*error")
    )
    expect(page.get_by_role("region", name="Error")).to_contain_text("orders timed out")
    page.go_back()
    expect(page.get_by_role("row")).to_have_count(2)


def test_a_link_is_the_state_and_a_bad_filter_says_where(
    server: Server, project: str, visit: Visitor
) -> None:
    furnish(server, project)
    tab = visit(expected=("400",))
    page = tab.go("/ui/")
    page.get_by_role("searchbox").fill(project)
    page.get_by_role("link", name=project).click()
    expect(page.get_by_role("row")).to_have_count(4)
    page.get_by_role("link", name="All runs").click()
    expect(page.get_by_role("row")).to_have_count(10)
    address = page.url + '&filter=eq(run_type,"llm")&q=refund&cols=name,model,tokens'
    page.goto(address)
    expect(page.get_by_role("row")).to_have_count(2)
    expect(page.get_by_role("columnheader")).to_have_text(["", "Name", "Tokens", "Model"])
    expect(page.get_by_role("row").nth(1)).to_contain_text("gpt-4o-mini")
    page.get_by_label("Filter").fill("eq(nam, 1)")
    page.get_by_label("Filter").press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("did you mean name")
    page.get_by_role("button", name="Clear", exact=True).click()
    expect(page.get_by_role("row").nth(1)).to_be_visible()


def test_live_tail_shows_what_comes(server: Server, project: str, visit: Visitor) -> None:
    furnish(server, project)
    tab = visit()
    page = tab.go("/ui/")
    page.get_by_role("searchbox").fill(project)
    page.get_by_role("link", name=project).click()
    page.get_by_role("button", name="Live").click()
    expect(page.get_by_role("row")).to_have_count(4)
    send(server, chat(project, "t-3", "Brand new question", "Yes.", 0.1))
    expect(page.get_by_role("row").nth(1)).to_contain_text("Brand new question")


def test_charts_and_threads(server: Server, project: str, visit: Visitor) -> None:
    furnish(server, project)
    tab = visit(dark=True)
    page = tab.go("/ui/")
    page.get_by_role("searchbox").fill(project)
    page.get_by_role("link", name=project).click()
    page.get_by_role("link", name="Charts").click()
    for title in ("Traces", "Error rate", "Latency", "Tokens", "Cost"):
        expect(page.get_by_role("heading", name=title, exact=True)).to_be_visible()
    expect(
        page.get_by_role("img", name=re.compile("Traces: succeeded between 0 and 2; failed between 0 and 1"))
    ).to_be_visible()
    assert tab.serious() == []
    page.get_by_label("Groups").select_option("name")
    expect(page.get_by_role("img", name=re.compile("Latency: support agent"))).to_be_visible()
    page.get_by_role("button", name=re.compile("Last 7 days")).click()
    with page.expect_response(re.compile("/series$")):
        page.get_by_role("button", name="Last hour").click()
    expect(page).to_have_url(re.compile("range=1h"))
    page.evaluate("() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
    plot = page.get_by_role("img", name=re.compile("^Traces"))
    box = plot.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.98, box["y"] + 60, steps=4)
    page.mouse.up()
    expect(page).to_have_url(re.compile("since=.*until="))
    expect(page.get_by_role("row")).to_have_count(4)

    page.get_by_role("link", name="Threads").click()
    page.get_by_role("link", name=re.compile("Where is my order")).click()
    thread = page.get_by_role("region", name="Thread")
    expect(thread.get_by_text("And the lamp?")).to_be_visible()
    expect(thread.locator("em")).to_have_text("today")
    assert tab.serious() == []
    thread.get_by_role("link", name="support agent").first.click()
    expect(page.get_by_role("tree")).to_be_visible()
