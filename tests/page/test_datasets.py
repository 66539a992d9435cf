"""Datasets: made, read in any version, changed, compared, shared, and filled from traces."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest
from langsmith import Client
from playwright.sync_api import Page, expect

from tests.conftest import Server
from tests.page.conftest import Visitor
from tests.page.evaluating import connected, experiment, name, questions
from tests.page.test_hostile_text import ATTACKS, EVERYTHING, is_harmless
from tests.page.widths import beyond
from tests.page.writing import chat, run, send


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    yield from connected(server)


def test_a_newcomer_is_shown_how_and_uploads_a_file(own_server: Server, visit: Visitor) -> None:
    own_server.start()
    tab = visit(url=own_server.url, expected=("409",))
    page = tab.go("/ui/datasets")
    expect(page.get_by_role("heading", name="No datasets yet")).to_be_visible()
    page.get_by_role("region", name="In Python").get_by_role("button").click()
    expect(page.get_by_text("Copied")).to_be_visible()
    assert f'Client(api_url="{own_server.url}"' in page.evaluate("navigator.clipboard.readText()")
    assert tab.serious() == []

    page.get_by_role("button", name="New dataset").click()
    box = page.get_by_role("dialog", name="New dataset")
    upload = box.get_by_label(re.compile("Examples from a file"))
    upload.set_input_files({"name": "bad.csv", "mimeType": "text/csv", "buffer": b"a,b\n1\n"})
    expect(box.get_by_role("alert")).to_contain_text("Line 2 has 1 cells")
    expect(box.get_by_role("button", name="Create")).to_be_disabled()
    rows = b'question,answer,lang\n"What, exactly?",This,en\nWhy?,Because,de\n'
    upload.set_input_files({"name": "faq.csv", "mimeType": "text/csv", "buffer": rows})
    expect(box.get_by_role("status")).to_contain_text("2 examples")
    expect(box.get_by_label("Name")).to_have_value("faq")
    expect(box.get_by_label("answer")).to_have_value("outputs")
    box.get_by_label("lang").select_option("metadata")
    assert tab.serious() == []
    box.get_by_role("button", name="Create").click()
    expect(page.get_by_role("heading", name="faq")).to_be_visible()
    row = page.get_by_role("row").filter(has_text="What, exactly?")
    expect(row).to_contain_text("This")
    expect(row).to_contain_text('lang: "en"')

    page.get_by_role("link", name="Datasets", exact=True).first.click()
    expect(page.get_by_role("row").filter(has_text="faq")).to_contain_text("2")
    page.get_by_role("button", name="New dataset").click()
    box.get_by_label("Name").fill("faq")
    box.get_by_role("button", name="Create").click()
    expect(box.get_by_role("alert")).to_contain_text("faq")
    lines = b'{"inputs": {"n": 12345678901234567890}}\n'
    upload.set_input_files({"name": "lines.jsonl", "mimeType": "application/jsonl", "buffer": lines})
    box.get_by_label("Name").fill("lines")
    box.get_by_role("button", name="Create").click()
    page.get_by_role("link", name="12345678901234567890").click()
    expect(page.get_by_role("dialog", name="Example")).to_contain_text("12345678901234567890")


def test_a_dataset_is_renamed_and_deleted_by_keys(client: Client, visit: Visitor) -> None:
    dataset, other = questions(client, name()), questions(client, name())
    tab = visit(dark=True, narrow=True, expected=("409",))
    page = tab.go(f"/ui/datasets/{dataset.id}")
    page.get_by_role("button", name="Edit").press("Enter")
    panel = page.get_by_role("group", name="Edit the dataset")
    box = panel.get_by_label("Name")
    expect(box).to_be_focused()
    box.fill(other.name)
    box.press("Enter")
    expect(panel.get_by_role("alert")).to_contain_text(other.name)
    assert tab.serious() == []
    assert beyond(page) == []
    wanted = f"{dataset.name} <b>of spring</b>"
    box.fill(wanted)
    panel.get_by_label("Description").fill("What was asked in spring.")
    box.press("Enter")
    expect(page.get_by_role("heading", name=wanted)).to_be_visible()
    expect(page.get_by_text("What was asked in spring.")).to_be_visible()
    assert client.read_dataset(dataset_id=dataset.id).name == wanted

    page.get_by_role("button", name="Edit").press("Enter")
    panel.get_by_role("button", name="Delete the dataset").press("Enter")
    page.keyboard.press("Escape")
    expect(panel).to_have_count(0)
    page.get_by_role("button", name="Edit").press("Enter")
    panel.get_by_role("button", name="Delete the dataset").press("Enter")
    panel.get_by_role("button", name=re.compile("for good")).press("Enter")
    expect(page.get_by_role("link", name=other.name, exact=True)).to_be_visible()
    expect(page.get_by_role("link", name=wanted)).to_have_count(0)
    assert not client.has_dataset(dataset_id=str(dataset.id))


def test_an_example_is_edited_deleted_and_found_as_it_was(client: Client, visit: Visitor) -> None:
    dataset = questions(client, name())
    tab = visit(expected=("400",))
    page = tab.go(f"/ui/datasets/{dataset.id}")
    expect(page.get_by_role("row")).to_have_count(7)
    page.get_by_role("grid", name="Examples").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    sheet = page.get_by_role("dialog", name="Example")
    expect(sheet.get_by_role("region", name="Reference outputs")).to_contain_text("green it is")
    assert tab.serious() == []
    sheet.get_by_role("button", name="Edit").press("Enter")
    editor = page.get_by_role("dialog", name="Edit the example")
    inputs = editor.get_by_role("textbox", name="Inputs")
    inputs.fill('{"question": "green", }')
    editor.get_by_role("button", name="Save").press("Enter")
    expect(editor.get_by_role("alert")).to_contain_text("line 1 column")
    inputs.fill("[1]")
    expect(editor.get_by_role("alert")).to_contain_text("JSON object")
    assert tab.serious() == []
    inputs.fill('{"question": "emerald", "big": 12345678901234567890}')
    editor.get_by_role("button", name="Save").press("Enter")
    expect(editor).to_have_count(0)
    expect(sheet.get_by_role("region", name="Inputs")).to_contain_text("12345678901234567890")
    sheet.get_by_role("button", name="Edit").press("Enter")
    page.keyboard.press("Escape")
    expect(editor).to_have_count(0)
    expect(sheet).to_be_visible()
    page.keyboard.press("Escape")
    expect(sheet).to_have_count(0)
    page.get_by_role("link", name="blue").press("Enter")
    sheet.get_by_role("button", name="Delete").press("Enter")
    sheet.get_by_role("button", name="Delete it from the newest version").press("Enter")
    expect(page.get_by_role("row")).to_have_count(6)

    page.get_by_role("link", name="Versions").press("Enter")
    versions = page.get_by_role("region", name="Versions").get_by_role("listitem")
    expect(versions).to_have_count(3)
    versions.nth(2).get_by_role("button", name="Tag").press("Enter")
    page.get_by_label("Tag", exact=True).fill("2024-01-01")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("time")
    page.get_by_label("Tag", exact=True).fill("before")
    page.keyboard.press("Enter")
    expect(versions.nth(2)).to_contain_text("before")
    page.get_by_label("From").select_option(index=3)
    expect(page.get_by_role("button", name="changed 1")).to_be_visible()
    expect(page.get_by_role("button", name="removed 1")).to_be_visible()
    assert tab.serious() == []
    page.get_by_role("grid", name="Differences").focus()
    page.keyboard.press("Enter")
    change = page.get_by_role("dialog", name="What changed")
    expect(change.get_by_role("listitem").nth(0)).to_contain_text(
        re.compile("inputs.question.*green.*emerald", re.S)
    )
    expect(change.get_by_role("listitem").nth(1)).to_contain_text("12345678901234567890")
    assert tab.serious() == []
    page.keyboard.press("Escape")

    page.get_by_role("link", name=re.compile("^Examples [0-9]+$")).click()
    page.get_by_label("Version").select_option("before")
    expect(page.get_by_role("row").filter(has_text="blue")).to_be_visible()
    expect(page).to_have_url(re.compile("version=before"))
    page.get_by_role("link", name="green").click()
    expect(sheet.get_by_role("button", name="To the newest version")).to_be_visible()
    expect(sheet.get_by_role("button", name="Edit")).to_have_count(0)


def test_ten_thousand_examples_come_as_they_are_scrolled_to(client: Client, visit: Visitor) -> None:
    dataset = client.create_dataset(name())
    for start in range(0, 10_000, 2_000):
        batch = [{"inputs": {"n": f"number {at}"}} for at in range(start, start + 2_000)]
        client.create_examples(dataset_id=dataset.id, examples=batch)
    tab = visit()
    pages: list[str] = []
    tab.page.on("request", lambda request: pages.append(request.url) if "/examples?" in request.url else None)
    page = tab.go(f"/ui/datasets/{dataset.id}")
    expect(page.get_by_role("status").filter(has_text="10,000 examples")).to_be_visible()
    assert len(pages) == 1
    grid = page.get_by_role("grid", name="Examples")
    grid.focus()
    for size in (201, 301, 401):
        page.keyboard.press("End")
        expect(grid).to_have_attribute("aria-rowcount", str(size))
    assert len(pages) == 4
    assert tab.rows() < 1200
    page.get_by_role("searchbox").fill("number 9999")
    page.keyboard.press("Enter")
    expect(page.get_by_role("row")).to_have_count(2)


def _public(server: Server, dataset: str) -> str:
    answer = httpx.get(f"{server.url}/ui/api/datasets/{dataset}")
    return f"/public/{answer.json()['share']}/d"


def test_a_link_opens_the_dataset_and_nothing_else_until_it_is_withdrawn(
    server: Server, client: Client, visit: Visitor
) -> None:
    dataset, other = questions(client, name()), questions(client, name())
    names = [experiment(client, dataset.name, prefix, wrong=("red",)) for prefix in ("one", "two")]
    foreign = experiment(client, other.name, "foreign")
    tab = visit()
    page = tab.go(f"/ui/datasets/{dataset.id}")
    page.get_by_role("button", name="Share").click()
    page.get_by_role("button", name="Make a link").click()
    expect(page.get_by_label("Link to the dataset")).to_have_value(re.compile("/public/.+/d"))
    path = _public(server, str(dataset.id))

    guest = visit(narrow=True, expected=("404",))
    page_ = guest.go(path)
    expect(page_.get_by_role("row")).to_have_count(7)
    assert page_.evaluate("document.documentElement.scrollWidth") == 390
    assert guest.serious() == []
    page_.get_by_role("link", name="red").click()
    expect(page_.get_by_role("dialog", name="Example")).to_contain_text("red it is")
    for act in ("Edit", "Delete"):
        expect(page_.get_by_role("button", name=act)).to_have_count(0)
    page_.keyboard.press("Escape")
    page_.get_by_role("link", name=re.compile("Experiments")).click()
    expect(page_.get_by_role("button", name="Make baseline")).to_have_count(0)
    for each in names:
        page_.get_by_role("checkbox", name=f"Compare {each}").click()
    page_.get_by_role("button", name="Compare 2").click()
    page_.get_by_role("link", name=re.compile(f"Trace of {names[0]}: no red")).click()
    expect(page_.get_by_role("treeitem")).to_have_count(1)
    page_.get_by_role("link", name="Back to the dataset").click()
    expect(page_.get_by_role("grid", name="Comparison")).to_be_visible()

    token = path.split("/")[2]
    api = f"{server.url}/ui/api/public/{token}/dataset"
    mine = next(client.list_runs(project_name=names[0], is_root=True))
    alien = next(client.list_runs(project_name=foreign, is_root=True))
    foreign_example = next(client.list_examples(dataset_id=other.id))
    told = httpx.get(f"{api}/runs/{mine.id}").json()
    assert told["project"] is None
    assert "share" not in httpx.get(api).json()
    assert httpx.get(f"{api}/traces/{mine.trace_id}").status_code == 200
    assert "project" not in httpx.get(f"{api}/traces/{mine.trace_id}").json()
    for below in (f"runs/{alien.id}", f"runs/{alien.id}/inputs", f"traces/{alien.trace_id}"):
        assert httpx.get(f"{api}/{below}").status_code == 404
    assert httpx.get(f"{api}/examples/{foreign_example.id}").status_code == 404
    foreign_id = str(client.read_project(project_name=foreign).id)
    assert httpx.post(f"{api}/comparison", json={"experiments": [foreign_id]}).status_code == 404
    assert httpx.get(f"{server.url}{path}?plain").text.count("<li>") == 6
    for method, below in (("PUT", "share"), ("GET", "versions"), ("POST", "examples"), ("PUT", "baseline")):
        assert httpx.request(method, f"{api}/{below}", json={}).status_code in (404, 405)

    page.get_by_role("button", name="Stop sharing").click()
    expect(page.get_by_role("button", name="Make a link")).to_be_visible()
    page_.reload()
    expect(page_.get_by_role("heading", name="Nothing is shared here")).to_be_visible()
    assert httpx.get(api).status_code == 404
    assert httpx.get(f"{server.url}/public/not-a-token/d").status_code == 404


def test_a_run_becomes_an_example(server: Server, client: Client, project: str, visit: Visitor) -> None:
    dataset = questions(client, name())
    runs = chat(project, "t-1", "Where is my order?", "It ships today.")
    send(server, runs)
    tab = visit()
    page = tab.go(f"/ui/traces/{runs[0]['id']}")
    page.get_by_role("button", name="Add to dataset").press("Enter")
    box = page.get_by_role("dialog", name="Add to dataset")
    box.get_by_label("Dataset").select_option(label=dataset.name)
    expect(box.get_by_role("textbox", name="Inputs")).to_have_value(re.compile("Where is my order"))
    box.get_by_role("textbox", name="Reference outputs").fill('{"answer": "Tomorrow"}')
    assert tab.serious() == []
    box.get_by_role("button", name="Add").press("Enter")
    expect(box.get_by_role("status")).to_contain_text(dataset.name)
    box.get_by_role("link", name=dataset.name).click()
    sheet = page.get_by_role("dialog", name="Example")
    expect(sheet).to_contain_text("Tomorrow")
    made = next(
        each for each in client.list_examples(dataset_id=dataset.id) if "messages" in (each.inputs or {})
    )
    assert str(made.source_run_id) == runs[0]["id"]
    sheet.get_by_role("button", name="Open the run it came from").click()
    expect(page.get_by_role("tree")).to_be_visible()


def _looked_over(page: Page, url: str) -> None:
    page.goto(url)
    expect(page.get_by_role("grid", name="Examples")).to_contain_text("<script>")
    is_harmless(page)
    page.get_by_role("grid", name="Examples").get_by_role("link").first.click()
    expect(page.get_by_role("dialog", name="Example").get_by_role("region", name="Inputs")).to_contain_text(
        "<svg"
    )
    is_harmless(page)


def test_hostile_text_is_shown_and_does_nothing(server: Server, client: Client, visit: Visitor) -> None:
    dataset = client.create_dataset(f"{name()} {ATTACKS[1]}", description=EVERYTHING)
    made = client.create_example(
        dataset_id=dataset.id,
        inputs={"messages": [{"role": "user", "content": EVERYTHING}]},
        outputs={ATTACKS[0]: EVERYTHING},
        metadata={ATTACKS[1]: ATTACKS[2], "__proto__": {"polluted": 1}},
        split=[ATTACKS[0]],
    )
    client.update_example(made.id, outputs={ATTACKS[0]: f"{EVERYTHING} again"})
    moment = client.read_dataset(dataset_id=dataset.id).modified_at
    assert moment is not None
    client.update_dataset_tag(dataset_id=dataset.id, as_of=moment, tag=ATTACKS[0])
    project = client.create_project(f"{ATTACKS[1]} {dataset.id}", reference_dataset_id=dataset.id)
    answer = run(
        None, ATTACKS[0], "chain", moment.replace(tzinfo=None), 1, session_name=project.name,
        reference_example_id=str(made.id), inputs={}, outputs={"a": EVERYTHING}, error=ATTACKS[1],
    )  # fmt: skip
    send(server, [answer])
    client.create_feedback(answer["id"], ATTACKS[0], score=1, value=ATTACKS[1], trace_id=answer["id"])
    client.flush()
    tab = visit()
    requests: list[str] = []
    tab.page.on("request", lambda request: requests.append(request.url))
    page = tab.go("/ui/datasets")
    page.get_by_role("searchbox").fill(dataset.name[:16])
    expect(page.get_by_role("row").nth(1)).to_contain_text("<img src=x")
    is_harmless(page)
    here = f"{server.url}/ui/datasets/{dataset.id}"
    _looked_over(page, here)
    page.goto(f"{here}?tab=versions")
    page.get_by_role("grid", name="Differences").get_by_role("link").first.click()
    expect(page.get_by_role("dialog", name="What changed")).to_contain_text("again")
    is_harmless(page)
    page.goto(f"{here}?tab=experiments")
    expect(page.get_by_role("row").nth(1)).to_contain_text("<img src=x")
    is_harmless(page)
    page.goto(f"{here}?tab=compare&with={project.id}")
    expect(page.get_by_role("grid", name="Comparison")).to_contain_text("<img src=x")
    is_harmless(page)
    httpx.put(f"{server.url}/ui/api/datasets/{dataset.id}/share").raise_for_status()
    path = _public(server, str(dataset.id))
    _looked_over(page, server.url + path)
    page.goto(f"{server.url}{path}?plain")
    expect(page.get_by_role("heading").first).to_contain_text("<img src=x")
    assert page.evaluate("document.querySelectorAll('img, script').length") == 0
    assert [url for url in requests if not url.startswith(server.url)] == []
