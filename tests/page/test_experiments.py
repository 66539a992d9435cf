"""Experiments: listed, side by side with what got worse first, pairwise, and a thousand examples at once."""

from __future__ import annotations

import datetime as dt
import re
import time
import uuid
from collections.abc import Iterator

import httpx
import pytest
from langsmith import Client
from playwright.sync_api import Page, expect

from tests.conftest import Server
from tests.page.conftest import Visitor
from tests.page.evaluating import compared, connected, experiment, name, questions
from tests.page.writing import now, run, send


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    yield from connected(server)


def rows(page: Page, label: str) -> list[str]:
    """The rows below the head, as texts."""
    return page.get_by_role("grid", name=label).get_by_role("row").all_inner_texts()[1:]


def test_from_the_list_to_a_regression_and_its_trace_by_keys_alone(client: Client, visit: Visitor) -> None:
    dataset = questions(client, name())
    first = experiment(client, dataset.name, "first", wrong=("red",))
    second = experiment(client, dataset.name, "second", wrong=("blue", "white"), fails=("grey",))
    tab = visit()
    page = tab.go(f"/ui/datasets/{dataset.id}")
    page.get_by_role("link", name=re.compile("Experiments")).press("Enter")
    expect(page.get_by_role("row").filter(has_text=first)).to_contain_text("0.83")
    expect(page.get_by_role("row").filter(has_text=second)).to_contain_text("17%")
    expect(page.get_by_role("button", name="Compare", exact=True)).to_be_disabled()
    assert tab.serious() == []
    page.get_by_role("row").filter(has_text=first).get_by_role("button", name="Make baseline").press("Enter")
    expect(page.get_by_role("row").filter(has_text=first)).to_contain_text("baseline")
    for experiment_name in (second, first):
        page.get_by_role("checkbox", name=f"Compare {experiment_name}").press("Space")
    page.get_by_role("button", name="Compare 2").press("Enter")

    expect(page.get_by_role("grid", name="Comparison")).to_be_visible()
    totals = page.get_by_role("region", name="Totals").get_by_role("row")
    expect(totals.nth(1)).to_contain_text("baseline")
    expect(totals.nth(1)).to_contain_text("compared against")
    expect(totals.nth(2)).to_contain_text(second)
    page.get_by_label("By").select_option(label="correct")
    assert tab.serious() == []
    expect(page.get_by_role("grid", name="Comparison").get_by_role("row").nth(1)).to_contain_text("too hard")
    shown = rows(page, "Comparison")
    assert len(shown) == 6
    assert {text.split()[0] for text in shown[:3]} == {"grey", "blue", "white"}
    assert shown[-1].split()[0] == "red"
    expect(totals.nth(2)).to_contain_text(re.compile("▲ 1 ▼ [23]"))
    page.get_by_role("button", name="Improved 1").press("Enter")
    expect(page.get_by_role("grid", name="Comparison").get_by_role("row")).to_have_count(2)
    expect(page.get_by_role("img", name="better")).to_have_count(1)
    page.get_by_role("button", name=re.compile("Regressed")).press("Enter")
    expect(page).to_have_url(re.compile("show=regressed"))
    page.get_by_role("link", name=re.compile(f"Trace of {second}: no blue")).press("Enter")
    expect(page.get_by_role("region", name="Outputs")).to_contain_text("no blue")
    page.go_back()
    page.get_by_role("link", name="compare against this").click()
    expect(totals.nth(1)).to_contain_text(second)
    page.get_by_role("grid", name="Comparison").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Example")).to_contain_text("it is")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_pairwise_comparisons_with_their_preferences(client: Client, visit: Visitor) -> None:
    dataset = questions(client, name())
    first = experiment(client, dataset.name, "first", wrong=("red",))
    second = experiment(client, dataset.name, "second", wrong=("blue", "white"))
    compared(client, first, second)
    tab = visit(dark=True)
    page = tab.go(f"/ui/datasets/{dataset.id}?tab=experiments")
    pairwise = page.get_by_role("region", name="Pairwise comparisons")
    expect(pairwise).to_contain_text(re.compile(rf"preferred {first} 3.5 : {second} 2.5"))
    assert tab.serious() == []
    pairwise.get_by_role("link", name=re.compile("duel")).click()
    preferences = page.get_by_role("list", name="Preferences")
    expect(preferences).to_contain_text(f"{first} preferred 2")
    expect(preferences).to_contain_text(f"{second} preferred 1")
    expect(preferences).to_contain_text("ties 3")
    assert tab.serious() == []
    assert {text.split()[0] for text in rows(page, "Comparison")[:2]} == {"blue", "white"}


def test_on_a_narrow_screen_only_the_tables_scroll_sideways(client: Client, visit: Visitor) -> None:
    dataset = questions(client, name())
    names = [experiment(client, dataset.name, prefix) for prefix in ("first", "second", "third")]
    tab = visit(narrow=True)
    page = tab.go(f"/ui/datasets/{dataset.id}?tab=experiments")
    for experiment_name in names:
        page.get_by_role("checkbox", name=f"Compare {experiment_name}").click()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.get_by_role("button", name="Compare 3").click()
    expect(page.get_by_role("grid", name="Comparison")).to_be_visible()
    expect(page.get_by_role("row").filter(has_text="grey")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert tab.serious() == []


def test_a_thousand_examples_in_three_experiments_open_at_once(
    server: Server, client: Client, visit: Visitor
) -> None:
    dataset = client.create_dataset(name())
    examples = [str(uuid.uuid4()) for _ in range(1000)]
    client.create_examples(
        dataset_id=dataset.id,
        examples=[
            {"id": each, "inputs": {"n": at}, "outputs": {"n": at}} for at, each in enumerate(examples)
        ],
    )
    runs, experiments = [], []
    for place in range(3):
        project = client.create_project(f"many {uuid.uuid4()}", reference_dataset_id=dataset.id)
        experiments.append(str(project.id))
        for at, each in enumerate(examples):
            made = run(
                None, "answer", "chain", now() + dt.timedelta(microseconds=at), 1,
                session_name=project.name, reference_example_id=each, inputs={"n": at}, outputs={"n": at + place},
            )  # fmt: skip
            runs.append(made)
            score = 0 if (at, place) == (777, 2) else 1
            client.create_feedback(made["id"], "same", score=score, trace_id=made["id"])
    send(server, runs)
    client.flush()
    with httpx.Client(base_url=server.url, timeout=120) as http:
        path, asked = f"/ui/api/datasets/{dataset.id}/comparison", {"experiments": experiments}
        http.post(path, json=asked).raise_for_status()
        began = time.perf_counter()
        answer = http.post(path, json=asked)
        alone = time.perf_counter() - began
    assert len(answer.json()["examples"]["id"]) == 1000
    tab = visit()
    calls: list[str] = []
    tab.page.on("request", lambda request: calls.append(request.url))
    began = time.perf_counter()
    page = tab.go(f"/ui/datasets/{dataset.id}?tab=compare&with={','.join(experiments)}")
    expect(page.get_by_role("grid", name="Comparison").get_by_role("row").nth(1)).to_contain_text("777")
    whole = time.perf_counter() - began
    assert whole < alone + 8, f"{whole:.2f} s where the API takes {alone:.2f}"
    assert len([url for url in calls if url.endswith("/comparison")]) == 1
    assert tab.rows() < 1500
    page.get_by_role("button", name="Regressed 1").click()
    expect(page.get_by_role("grid", name="Comparison").get_by_role("row")).to_have_count(2)
    page.get_by_role("button", name="All 1000").click()
    page.get_by_role("grid", name="Comparison").focus()
    page.keyboard.press("End")
    expect(page.get_by_role("row", selected=True)).to_be_visible()
    assert tab.rows() < 1500
