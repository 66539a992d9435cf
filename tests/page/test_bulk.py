"""Many runs at once: chosen by clicks and by keys, exported, put into a queue and a dataset, deleted; saved views."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx
import pytest
from langsmith import Client
from playwright.sync_api import Page, expect

from tests.conftest import Server
from tests.keys import issue
from tests.page.conftest import Visit, Visitor
from tests.page.writing import chat, send

pytestmark = pytest.mark.filterwarnings("ignore:.*deprecated.*")


def furnish(server: Server, project: str, count: int) -> Client:
    for at in range(count):
        send(server, chat(project, f"t-{at}", f"Question {at}?", f"Answer {at}.", 30 - at))
    return Client(api_url=server.url, api_key="anything")


def opened(tab: Visit, client: Client, project: str, search: str = "") -> Page:
    page = tab.go(f"/ui/projects/{client.read_project(project_name=project).id}{search}")
    page.get_by_role("grid", name="Runs").wait_for()
    return page


def test_rows_are_chosen_by_keys_exported_and_deleted(server: Server, project: str, visit: Visitor) -> None:
    client = furnish(server, project, 6)
    tab = visit()
    page = opened(tab, client, project)
    rows = page.get_by_role("row")
    expect(rows).to_have_count(7)
    bar = page.get_by_role("toolbar", name="Chosen runs")
    expect(bar).to_have_count(0)
    page.get_by_role("grid").focus()
    page.keyboard.press("x")
    expect(bar).to_contain_text("1 trace chosen")
    for key in ("ArrowDown", "ArrowDown", "Shift+X"):
        page.keyboard.press(key)
    expect(bar).to_contain_text("3 traces chosen")
    assert tab.serious() == []
    with page.expect_download() as download:
        bar.get_by_role("button", name="Export JSONL").click()
    assert download.value.suggested_filename == "runs.jsonl"
    lines = [json.loads(line) for line in download.value.path().read_text().splitlines()]
    questions = [line["inputs"]["messages"][0]["content"] for line in lines]
    assert questions == ["Question 5?", "Question 4?", "Question 3?"]
    assert {line["name"] for line in lines} == {"support agent"}
    assert all(line["start_time"] < line["end_time"] for line in lines)

    bar.get_by_role("button", name="Delete", exact=True).click()
    panel = page.get_by_role("group", name="Delete")
    expect(panel).to_contain_text("Delete 3 traces, with all runs, feedback and files?")
    expect(panel.get_by_role("button", name="Keep")).to_be_focused()
    page.keyboard.press("Escape")
    expect(panel).to_have_count(0)
    bar.get_by_role("button", name="Delete", exact=True).click()
    panel.get_by_role("button", name="Delete 3 traces").click()
    expect(rows).to_have_count(4)
    expect(bar).to_have_count(0)
    left = [
        run.inputs["messages"][0]["content"] for run in client.list_runs(project_name=project, is_root=True)
    ]
    assert sorted(left) == ["Question 0?", "Question 1?", "Question 2?"]
    client.close()


def test_rows_are_chosen_by_the_mouse_for_a_queue_and_a_dataset(
    server: Server, project: str, visit: Visitor
) -> None:
    client = furnish(server, project, 4)
    there = client.create_dataset(f"there {project}")
    tab = visit(dark=True)
    page = opened(tab, client, project)
    boxes = page.get_by_role("checkbox", name="Choose support agent")
    boxes.nth(0).click()
    boxes.nth(2).click(modifiers=["Shift"])
    bar = page.get_by_role("toolbar", name="Chosen runs")
    expect(bar).to_contain_text("3 traces chosen")
    expect(page).to_have_url(re.compile("/ui/projects/"))
    bar.get_by_role("button", name="Add to queue").click()
    page.get_by_label("Name of the new queue").fill(f"to review {project}")
    page.get_by_role("button", name="Add 3 runs").click()
    expect(bar).to_contain_text(f"3 items in to review {project}.")
    (queue,) = client.list_annotation_queues(name=f"to review {project}")
    assert client.get_run_from_annotation_queue(queue.id, index=2) is not None
    bar.get_by_role("button", name="Add to dataset").click()
    assert tab.serious() == []
    page.get_by_role("combobox", name="Dataset").select_option(label=f"there {project}")
    page.get_by_role("button", name="Add 3 runs").click()
    expect(bar).to_contain_text(f"3 examples in there {project}.")
    examples = list(client.list_examples(dataset_id=there.id))
    asked = {(example.inputs or {})["messages"][0]["content"] for example in examples}
    assert asked == {"Question 1?", "Question 2?", "Question 3?"}
    assert all(example.outputs for example in examples)
    page.get_by_role("checkbox", name="Choose all 4").click()
    expect(bar).to_contain_text("4 traces chosen")
    bar.get_by_role("button", name="Clear").click()
    expect(bar).to_have_count(0)
    client.close()


def test_below_the_roots_whole_traces_are_deleted_and_it_says_so(
    server: Server, project: str, visit: Visitor
) -> None:
    client = furnish(server, project, 2)
    tab = visit(narrow=True)
    page = opened(tab, client, project, "?tab=runs")
    rows = page.get_by_role("row")
    expect(rows).to_have_count(7)
    page.get_by_role("checkbox", name="Choose lookup_order").first.click()
    page.get_by_role("checkbox", name="Choose ChatOpenAI").first.click()
    bar = page.get_by_role("toolbar", name="Chosen runs")
    bar.get_by_role("button", name="Delete", exact=True).click()
    panel = page.get_by_role("group", name="Delete")
    expect(panel).to_contain_text("Delete 1 trace, to which the chosen 2 runs belong")
    expect(panel.get_by_role("button", name="Keep")).to_be_in_viewport(ratio=1)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert tab.serious() == []
    panel.get_by_role("button", name="Delete 1 trace").click()
    expect(rows).to_have_count(4)
    client.close()


def test_views_are_saved_applied_renamed_and_deleted(server: Server, project: str, visit: Visitor) -> None:
    client = furnish(server, project, 2)
    where = client.read_project(project_name=project).id
    tree = 'eq(status, "error")'
    of_clients = {"display_name": "of a client", "filter_string": 'eq(name, "nothing")'}
    of_clients |= {"tree_filter_string": tree}
    httpx.post(f"{server.url}/sessions/{where}/views", json=of_clients).raise_for_status()
    tab = visit()
    page = opened(tab, client, project, '?tab=runs&filter=eq(run_type,"llm")&cols=name,model&range=24h')
    expect(page.get_by_role("row")).to_have_count(3)
    page.get_by_role("button", name="Views").click()
    menu = page.get_by_role("group", name="Saved views")
    menu.get_by_label("Save what you see as").fill("model calls")
    menu.get_by_label("Save what you see as").press("Enter")
    expect(menu.get_by_role("button", name="model calls", exact=True)).to_have_attribute(
        "aria-pressed", "true"
    )
    assert tab.serious() == []
    menu.get_by_role("button", name=re.compile("^of a client")).click()
    expect(page.get_by_role("heading", name="No runs here")).to_be_visible()
    page.get_by_role("button", name="Views").click()
    menu.get_by_role("button", name="model calls", exact=True).click()
    expect(page.get_by_role("columnheader")).to_have_text(["", "Name", "Model"])
    expect(page.get_by_role("row")).to_have_count(3)
    page.get_by_role("button", name="Views: model calls").click()
    menu.get_by_role("button", name="Change model calls").click()
    menu.get_by_label("Name").fill("calls of models")
    menu.get_by_role("button", name="Rename").click()
    expect(page.get_by_role("button", name="Views: calls of models")).to_be_visible()
    found = httpx.get(f"{server.url}/sessions/{where}/views").json()
    assert [(view["display_name"], view["filter_string"]) for view in found][1:] == [
        ("calls of models", 'eq(run_type,"llm")')
    ]
    menu.get_by_role("button", name="Change calls of models").click()
    menu.get_by_role("button", name="Delete").click()
    expect(menu.get_by_role("button", name="calls of models")).to_have_count(0)
    client.close()


def test_a_reader_exports_and_does_no_more(locked_server: Server, project: str, visit: Visitor) -> None:
    keys = {role: issue(locked_server.data_dir, role=role) for role in ("read", "write")}
    runs = chat(project, "t", "Question?", "Answer.")
    with httpx.Client(base_url=locked_server.url, headers={"x-api-key": keys["write"]}) as http:
        http.post("/runs/batch", json={"post": runs}).raise_for_status()
        found = next(one for one in http.get("/ui/api/projects").json()["projects"] if one["name"] == project)
        bodies: list[dict[str, Any]] = [
            {"runs": []},
            {"runs": ["x"]},
            {"runs": [runs[0]["id"]], "name": " "},
            {"runs": [runs[0]["id"]] * 1001},
        ]
        for body in bodies:
            for kind in ("queue", "dataset"):
                assert http.post(f"/ui/api/bulk/{kind}", json=body).status_code == 400
        assert http.post("/ui/api/bulk/export", json={"runs": [found["id"]]}).status_code == 404
        assert http.post(f"/ui/api/projects/{found['id']}/views", json={"name": ""}).status_code == 400
        late = {"name": "x", "since": 10**30}
        assert http.post(f"/ui/api/projects/{found['id']}/views", json=late).status_code == 400
    tab = visit(url=locked_server.url, expected=("401",))
    page = tab.go(f"/ui/projects/{found['id']}")
    page.get_by_label("API key").fill(keys["read"])
    page.get_by_label("API key").press("Enter")
    page.get_by_role("checkbox", name="Choose support agent").click()
    bar = page.get_by_role("toolbar", name="Chosen runs")
    expect(bar.get_by_role("button")).to_have_text(["Export JSONL", "Clear"])
    page.get_by_role("button", name="Views").click()
    expect(page.get_by_role("group", name="Saved views")).to_contain_text("None yet.")
    expect(page.get_by_role("button", name="Save view")).to_have_count(0)
