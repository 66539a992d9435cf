"""One trace: walked through by keys, read as chat, JSON and raw, copied, shared, on a phone; and very large ones."""

from __future__ import annotations

import re
import time

import httpx
import pytest
from playwright.sync_api import expect

from tests.conftest import Server
from tests.page.conftest import Visitor
from tests.page.writing import chat, large, now, run, send


def test_a_trace_is_walked_through_and_read(server: Server, project: str, visit: Visitor) -> None:
    root, model, tool = runs = chat(project, "t", "Where is my order?", "It ships **today**.")
    send(server, runs)
    feedback = {"run_id": root["id"], "key": "helpful", "score": 0.5, "comment": "so so"}
    httpx.post(f"{server.url}/feedback", json=feedback).raise_for_status()
    tab = visit()
    page = tab.go(f"/ui/traces/{root['id']}")
    tree = page.get_by_role("tree")
    expect(tree.get_by_role("treeitem")).to_have_count(3)
    expect(page.get_by_role("region", name="Outputs").locator("strong")).to_have_text("today")
    page.keyboard.press("ArrowDown")
    expect(page).to_have_url(re.compile(model["id"]))
    outputs = page.get_by_role("region", name="Outputs")
    expect(outputs).to_contain_text("lookup_order")
    outputs.get_by_role("button", name="JSON").click()
    expect(outputs.get_by_role("button", name=re.compile("choices"))).to_be_visible()
    outputs.get_by_role("button", name="Raw").click()
    expect(outputs.locator("pre")).to_contain_text('"total_tokens":120')
    page.get_by_role("tab", name="Cost").click()
    expect(page.get_by_role("row", name=re.compile("Total 120"))).to_be_visible()
    assert tab.serious() == []
    page.get_by_role("tab", name="Content").click()
    page.get_by_role("button", name="Copy", exact=True).first.click()
    page.get_by_role("button", name="As curl").click()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == f"curl -s '{server.url}/api/v1/runs/{model['id']}'"
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Add to queue").click()
    into = page.get_by_role("group", name="Add to an annotation queue")
    queues = into.get_by_label("Queue", exact=True)
    expect(into.get_by_role("button", name="Add 1 run")).to_be_enabled()
    if queues.count():
        queues.select_option("")
    into.get_by_label("Name of the new queue").fill(f"From a trace of {project}")
    into.get_by_role("button", name="Add 1 run").click()
    expect(into.get_by_role("status")).to_contain_text("1 item in From a trace")
    into.get_by_role("button", name="Done").click()
    tree.focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowLeft")
    expect(tree.get_by_role("treeitem")).to_have_count(1)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("/")
    page.keyboard.type("lookup")
    expect(page.get_by_text("1 found")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(tool["id"]))
    page.keyboard.press("Home")
    page.get_by_role("tab", name="Feedback").click()
    expect(page.get_by_role("tabpanel")).to_contain_text("so so")
    page.get_by_role("tab", name="Metadata").click()
    expect(page.get_by_role("tabpanel")).to_contain_text("thread_id")


def test_a_trace_is_shared_and_the_link_taken_back(server: Server, project: str, visit: Visitor) -> None:
    runs = chat(project, "t", "Where is my order?", "It ships **today**.")
    send(server, runs)
    tab = visit()
    page = tab.go(f"/ui/traces/{runs[0]['id']}")
    page.get_by_role("button", name="Share").click()
    page.get_by_role("button", name="Make a link").click()
    link = page.get_by_label("Link to the trace").input_value()
    reader = visit(expected=("404",))
    shared = reader.page
    shared.goto(link)
    expect(shared.get_by_role("treeitem")).to_have_count(3)
    expect(shared.get_by_role("region", name="Outputs")).to_contain_text("today")
    expect(shared.get_by_role("navigation", name="Where this is")).to_have_count(0)
    assert project not in shared.content()
    assert reader.serious() == []
    page.get_by_role("button", name="Stop sharing").click()
    expect(page.get_by_role("button", name="Make a link")).to_be_visible()
    shared.reload()
    expect(shared.get_by_role("heading", name="Nothing is shared here")).to_be_visible()


def test_on_a_phone_nothing_is_wider_than_the_screen(server: Server, project: str, visit: Visitor) -> None:
    runs = chat(project, "t", "Where is my order? " * 20, "x" * 500)
    send(server, runs)
    tab = visit(narrow=True, dark=True)
    page = tab.go(f"/ui/traces/{runs[0]['id']}")
    page.get_by_role("treeitem", name=re.compile("ChatOpenAI")).click()
    page.get_by_role("navigation", name="Parts of the trace").get_by_role("button", name="ChatOpenAI").click()
    expect(page.get_by_role("region", name="Inputs")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert tab.serious() == []
    page.get_by_role("link", name=project).click()
    expect(page.get_by_role("row")).to_have_count(2)
    assert page.evaluate("document.documentElement.scrollWidth") == 390


@pytest.mark.parametrize("size", [20_000, 100_000])
def test_a_large_trace_opens_and_stays_small(server: Server, project: str, visit: Visitor, size: int) -> None:
    runs = large(project, size)
    root = runs[0]["id"]
    send(server, runs)
    with httpx.Client(base_url=server.url, timeout=60) as http:
        http.get(f"/ui/api/traces/{root}").raise_for_status()  # what was sent is in the store now
        begun = time.perf_counter()
        assert len(http.get(f"/ui/api/traces/{root}").json()["start"]) == size
        alone = time.perf_counter() - begun
    tab = visit()
    tab.go("/ui/connect")
    page = tab.page
    begun = time.perf_counter()
    tab.go(f"/ui/traces/{root}")
    page.get_by_role("treeitem").first.wait_for()
    opened = time.perf_counter() - begun
    print(f"{size} runs: {opened:.2f} s to the first row, {alone:.2f} s of it for the answer alone")
    assert opened < 3 * alone + 3, "what the page adds to the answer is bounded, on a loaded machine too"
    assert tab.rows() < 1500
    page.get_by_role("button", name="Open all").click()
    tree = page.get_by_role("tree")
    tree.focus()
    page.keyboard.press("End")
    expect(page.get_by_role("treeitem", selected=True)).to_be_in_viewport()
    assert tab.rows() < 1500
    page.keyboard.press("e")
    expect(page.get_by_role("treeitem", selected=True)).to_have_accessible_name(re.compile("error"))
    page.keyboard.press("/")
    page.keyboard.type("step 49")
    expect(page.get_by_text(re.compile("found"))).to_contain_text(re.compile(r"\d"))
    assert tab.rows() < 1500


def test_large_payloads_come_when_they_are_asked_for(server: Server, project: str, visit: Visitor) -> None:
    text = "long " * 400_000
    made = run(None, "wordy", "llm", now(), 1, session_name=project, outputs={"text": text})
    send(server, [made])
    tab = visit()
    page = tab.go(f"/ui/traces/{made['id']}")
    outputs = page.get_by_role("region", name="Outputs")
    expect(outputs.get_by_role("button", name=re.compile("Show 2.0 MB"))).to_be_visible()
    outputs.get_by_role("button", name=re.compile("Show")).click()
    expect(outputs).to_contain_text("long long long")
    assert tab.rows() < 1500
