"""Insights on the page: a report is started, watched, read, walked through, compared, and made into work."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
import time
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from bench import traffic
from langsmith import Client
from playwright.sync_api import expect

from tests.conftest import Server
from tests.page.conftest import Visitor
from tests.page.widths import beyond

WAITING = 180.0
MEASURES = ("errors", "p50", "cost")
SEED = 1
BROKEN = "card declined"
"""An intent that fails so often that a report says so, with a link to a trace."""


def write(server: Server, project: str, first: int, count: int, minutes_ago: float, *, intents: int) -> str:
    """Traces of so many intents, by LangSmith's own client, the same but for their ids; the project's id."""
    client = Client(api_url=server.url, api_key="anything")
    session = client.create_project(project, upsert=True).id
    start = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=minutes_ago)
    for number, said in enumerate(traffic.traces(first + count, seed=SEED, intents=intents)):
        if number < first:
            continue
        error = "CardError: the bank did not answer" if said.intent == BROKEN and number % 3 else said.error
        trace = dataclasses.replace(said, id=uuid.uuid5(uuid.UUID(str(session)), str(number)), error=error)
        began = start + dt.timedelta(seconds=number - first)
        sent = traffic.run(trace, "", began.timestamp())
        del sent["session_id"]
        for name in ("start_time", "end_time"):
            sent[name] = dt.datetime.fromisoformat(sent[name])
        client.create_run(project_name=project, **sent)
        if trace.score is not None:
            client.create_feedback(
                trace.id,
                "helpful",
                score=trace.score,
                trace_id=trace.id,
                session_id=session,
                start_time=began,
            )
    client.flush()
    client.close()
    return str(session)


def report(http: httpx.Client, project: str, name: str) -> dict[str, Any]:
    made = http.post(f"/sessions/{project}/insights", json={"name": name, "hierarchy": [6, 2]}).json()
    deadline = time.monotonic() + WAITING
    while time.monotonic() < deadline:
        found: dict[str, Any] = http.get(f"/sessions/{project}/insights/{made['id']}").json()
        if found["status"] in ("success", "error"):
            assert found["status"] == "success", found["error"]
            return found
        time.sleep(0.2)
    raise AssertionError("the report is not ready")


@dataclasses.dataclass
class Reported:
    """A project with two reports: the later one has seen one subject more."""

    project: str
    id: str
    earlier: dict[str, Any]
    later: dict[str, Any]

    def finest(self) -> list[dict[str, Any]]:
        found = [each for each in self.later["clusters"] if each["level"] == 0]
        return sorted(found, key=lambda each: (-each["num_runs"], each["name"]))


@pytest.fixture(scope="module")
def reported(server: Server) -> Iterator[Reported]:
    project = f"reported-{uuid.uuid4().hex[:8]}"
    with httpx.Client(base_url=server.url, timeout=60) as http:
        identity = write(server, project, 0, 100, 40, intents=4)
        earlier = report(http, identity, "First week")
        write(server, project, 100, 100, 20, intents=7)
        yield Reported(project, identity, earlier, report(http, identity, "Second week"))


def test_from_nothing_to_a_report(server: Server, project: str, visit: Visitor) -> None:
    tab = visit()
    page = tab.go(f"/ui/projects/{write(server, project, 0, 60, 30, intents=3)}")
    page.get_by_role("link", name="Insights").click()
    expect(page.get_by_role("heading", name="What are these traces about?")).to_be_visible()
    assert tab.serious() == []
    page.get_by_role("button", name="Report on the last 7 days").click()
    expect(page.get_by_role("region", name="What was found")).to_be_visible(timeout=WAITING * 1000)
    expect(page.get_by_text("60 traces").first).to_be_visible()
    assert page.get_by_role("treeitem").count() >= 3
    page.get_by_label("Where this report is").get_by_role("link", name="Reports").click()
    expect(page.get_by_role("list", name="Reports").get_by_role("listitem")).to_have_count(1)


def test_progress_is_told_and_a_report_can_be_cancelled(
    server: Server, project: str, http: httpx.Client, visit: Visitor
) -> None:
    identity = write(server, project, 0, 20, 30, intents=2)
    page = visit().page
    # What is under way is over soon: the page is shown one that stays where it is.
    under_way = http.post(f"/ui/api/projects/{identity}/insights", json={"name": "Slow"}).json()
    address = f"{server.url}/ui/api/projects/{identity}/insights/{under_way['id']}"
    state = {"status": "running", "progress": {"stage": "embed", "done": 30, "of": 40}}

    def stand(route: Any) -> None:
        nothing: dict[str, Any] = {"report": None, "clusters": [], "map": [], "height": 0.66, "earlier": []}
        route.fulfill(json={**under_way, **nothing, **state})

    page.route(address, stand)
    page.goto(f"{server.url}/ui/projects/{identity}/insights/{under_way['id']}")
    progress = page.get_by_role("region", name="Progress")
    expect(progress.get_by_role("listitem").filter(has_text="Compare their texts")).to_have_attribute(
        "aria-current", "step"
    )
    expect(progress).to_contain_text("30 of 40")
    with page.expect_request(re.compile("/cancel$")) as cancelled:
        progress.get_by_role("button", name="Cancel").click()
    assert cancelled.value.response() is not None
    state |= {"status": "error", "error": "cancelled"}
    expect(page.get_by_role("heading", name="This report was cancelled")).to_be_visible()


def test_a_report_is_read_from_its_points_to_a_trace(
    server: Server, reported: Reported, visit: Visitor
) -> None:
    tab = visit()
    page = tab.go(f"/ui/projects/{reported.id}/insights")
    page.get_by_role("list", name="Reports").get_by_role("link", name=re.compile("Second week")).click()
    found = page.get_by_role("region", name="What was found")
    for point in reported.later["report"]["key_points"]:
        expect(found).to_contain_text(point)
    expect(found.get_by_role("listitem").get_by_role("link", name=re.compile(r"^#\d+$"))).not_to_have_count(0)
    highlighted = reported.later["report"]["highlighted_traces"]
    traces = page.get_by_role("list", name="Highlighted traces").get_by_role("listitem")
    expect(traces).to_have_count(len(highlighted))
    expect(traces.first).to_contain_text(highlighted[0]["highlight_reason"])
    assert tab.serious() == []
    traces.first.get_by_role("link").first.click()
    expect(page).to_have_url(re.compile(highlighted[0]["run_id"]))
    expect(page.get_by_role("tree")).to_be_visible()


def test_the_tree_by_keys_alone(server: Server, reported: Reported, visit: Visitor) -> None:
    tab = visit(dark=True)
    page = tab.go(f"/ui/projects/{reported.id}/insights/{reported.later['id']}")
    tree = page.get_by_role("tree", name="Clusters of traces")
    rows = tree.get_by_role("treeitem")
    expect(rows).to_have_count(8)
    for measure in MEASURES:
        expect(rows.first).to_contain_text(measure)
    assert tab.serious() == []
    rows.first.focus()
    page.keyboard.press("ArrowLeft")
    expect(rows.first).to_have_attribute("aria-expanded", "false")
    assert rows.count() < 8
    page.keyboard.press("ArrowRight")
    expect(rows).to_have_count(8)
    page.keyboard.press("j")
    expect(rows.nth(1)).to_be_focused()
    name = (rows.nth(1).get_by_role("link").text_content() or "").strip()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=re.compile(re.escape(name)))).to_be_visible()
    cluster = next(each for each in reported.later["clusters"] if each["name"] == name)
    grid = page.get_by_role("grid", name="Traces of the cluster")
    expect(grid).to_have_attribute("aria-rowcount", str(cluster["num_runs"] + 1))
    page.keyboard.press("Escape")
    expect(rows).to_have_count(8)


def test_a_group_is_renamed_and_opened_down_to_a_trace(
    server: Server, reported: Reported, visit: Visitor
) -> None:
    tab = visit(expected=("409",))
    one, other = reported.finest()[:2]
    page = tab.go(f"/ui/projects/{reported.id}/insights/{reported.later['id']}?cluster={one['id']}")
    expect(page.get_by_role("heading", name=re.compile("Rename"))).to_be_visible()
    page.keyboard.press("r")
    box = page.get_by_role("textbox", name="Name of the cluster")
    box.fill(other["name"])
    box.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("another cluster")
    wanted = f"My own name {uuid.uuid4().hex[:6]}"
    box.fill(wanted)
    box.press("Enter")
    expect(page.get_by_role("heading", name=re.compile(wanted))).to_be_visible()
    page.get_by_role("button", name="Latency").click()
    expect(page).to_have_url(re.compile("sort=latency"))
    assert tab.serious() == []
    page.get_by_role("link", name="In the table").click()
    expect(page.get_by_role("list", name="Conditions")).to_contain_text(one["id"])
    table = page.get_by_role("grid", name="Runs")
    expect(table).to_have_attribute("aria-rowcount", str(one["num_runs"] + 1))
    page.go_back()
    page.get_by_role("grid", name="Traces of the cluster").get_by_role("link").first.click()
    expect(page.get_by_role("tree")).to_be_visible()
    page.go_back()
    page.get_by_role("link", name="Second week").click()
    expect(page.get_by_role("treeitem", name=re.compile(wanted))).to_be_visible()


def test_a_group_becomes_a_dataset_and_a_queue(
    server: Server, reported: Reported, http: httpx.Client, visit: Visitor
) -> None:
    cluster = reported.finest()[-1]
    tab = visit()
    page = tab.go(f"/ui/projects/{reported.id}/insights/{reported.later['id']}?cluster={cluster['id']}")
    name = f"from-insights-{uuid.uuid4().hex[:6]}"
    for button, group in (("To a dataset", "Add to a dataset"), ("To a queue", "Add to an annotation queue")):
        page.get_by_role("button", name=button).click()
        panel = page.get_by_role("group", name=group)
        panel.get_by_label("Called").fill(name)
        panel.get_by_role("button", name="Add them").click()
        expect(panel.get_by_role("status")).to_contain_text(str(cluster["num_runs"]))
    (dataset,) = http.get("/datasets", params={"name": name}).json()
    assert dataset["example_count"] == cluster["num_runs"]
    page.get_by_role("link", name="Open the queue").click()
    expect(page.get_by_role("heading", name=name)).to_be_visible()
    expect(page.get_by_text(f"0 of {cluster['num_runs']} done")).to_be_visible()


def test_the_map_and_its_list_are_the_same_groups(server: Server, reported: Reported, visit: Visitor) -> None:
    tab = visit()
    page = tab.go(f"/ui/projects/{reported.id}/insights/{reported.later['id']}")
    page.get_by_role("link", name="Map", exact=True).click()
    expect(page.get_by_role("img", name=re.compile("A map of 6 clusters"))).to_be_visible()
    entries = page.get_by_role("list", name="Clusters on the map").get_by_role("link")
    expect(entries).to_have_count(6)
    assert page.locator("svg.map circle").count() == 6
    page.get_by_role("button", name="Errors").click()
    expect(page.get_by_text("Red fails most")).to_be_visible()
    assert tab.serious() == []
    spots = page.evaluate("[...document.querySelectorAll('svg.map circle')].map(one => one.outerHTML)")
    page.reload()
    expect(entries).to_have_count(6)
    page.get_by_role("button", name="Errors").click()
    expect(page.get_by_text("Red fails most")).to_be_visible()
    assert (
        page.evaluate("[...document.querySelectorAll('svg.map circle')].map(one => one.outerHTML)") == spots
    )
    entries.first.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("grid", name="Traces of the cluster")).to_be_visible()


def test_what_has_changed_since_the_earlier_report(
    server: Server, reported: Reported, http: httpx.Client, visit: Visitor
) -> None:
    tab = visit()
    page = tab.go(f"/ui/projects/{reported.id}/insights/{reported.later['id']}?view=changes")
    changes = http.get(
        f"/sessions/{reported.id}/insights/{reported.later['id']}/diff",
        params={"with": reported.earlier["id"]},
    ).json()["changes"]
    kinds = {each["change"] for each in changes}
    assert "new" in kinds
    for kind, title in (("new", "New"), ("gone", "Gone"), ("grown", "Grown"), ("shrunk", "Shrunk")):
        count = sum(each["change"] == kind for each in changes)
        region = page.get_by_role("region", name=title, exact=True)
        expect(region.get_by_role("listitem")).to_have_count(count)
    expect(page.get_by_label("Compared with")).to_have_value(reported.earlier["id"])
    assert tab.serious() == []


def test_what_is_asked_for_is_checked_where_it_is_written(
    server: Server, reported: Reported, visit: Visitor
) -> None:
    tab = visit(expected=("400",))
    page = tab.go(f"/ui/projects/{reported.id}/insights")
    page.get_by_role("button", name="New report").click()
    form = page.get_by_role("form", name="New report")
    form.get_by_label("At most").fill("half")
    expect(form.get_by_role("alert")).to_contain_text("whole number")
    form.get_by_label("At most").fill("50")
    form.get_by_label("Clusters a level").fill("3, many")
    expect(form.get_by_role("alert")).to_contain_text("Whole numbers")
    form.get_by_label("Clusters a level").fill("3, 9, 2")
    form.get_by_role("button", name="Start").click()
    expect(form.get_by_role("alert")).to_contain_text("levels have to shrink")
    form.get_by_label("Clusters a level").fill("3")
    form.get_by_label("Filter").fill('eq(nam, "assistant")')
    form.get_by_role("button", name="Start").click()
    expect(form.get_by_role("alert")).to_contain_text("did you mean name")
    assert tab.serious() == []


@pytest.mark.parametrize("view", ["", "?view=map", "?view=changes", "?cluster="])
def test_a_telephone_shows_it_all(server: Server, reported: Reported, visit: Visitor, view: str) -> None:
    tab = visit(narrow=True)
    search = f"?cluster={reported.finest()[2]['id']}" if view == "?cluster=" else view
    page = tab.go(f"/ui/projects/{reported.id}/insights/{reported.later['id']}{search}")
    wanted = {
        "": page.get_by_role("tree"),
        "?view=map": page.get_by_role("list", name="Clusters on the map"),
        "?view=changes": page.get_by_role("region", name="New", exact=True),
        "?cluster=": page.get_by_role("grid", name="Traces of the cluster"),
    }[view]
    expect(wanted).to_be_visible()
    assert beyond(page) == []
    assert tab.serious() == []
