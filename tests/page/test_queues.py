"""Annotation queues on the page: made, filled, and reviewed without a mouse."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from langsmith import Client, traceable, tracing_context
from langsmith.schemas import AnnotationQueueRubricItem
from playwright.sync_api import expect

from tests.conftest import Server
from tests.page.conftest import Visitor
from tests.page.widths import beyond

pytestmark = pytest.mark.filterwarnings("ignore:add_runs_to_annotation_queue")

RUBRIC: dict[str, dict[str, Any]] = {
    "tone": {
        "type": "categorical",
        "categories": [{"value": 1, "label": "kind"}, {"value": 0, "label": "rude"}],
    },
    "stars": {"type": "continuous", "min": 1, "max": 5},
    "reason": {"type": "freeform"},
}


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    made = Client(api_url=server.url, api_key="anything")
    yield made
    made.close()


def answered(client: Client, project: str, questions: list[str], **metadata: str) -> list[uuid.UUID]:
    """A trace a question, by the client itself; their ids in this order."""
    ids = [uuid.uuid4() for _ in questions]

    @traceable(client=client, name="support agent", project_name=project)
    def answer(messages: list[dict[str, str]]) -> dict[str, Any]:
        return {"messages": [{"role": "assistant", "content": f"About **{messages[0]['content']}**: yes."}]}

    with tracing_context(enabled=True, client=client):
        for identity, question in zip(ids, questions, strict=True):
            answer(
                [{"role": "user", "content": question}],
                langsmith_extra={"run_id": identity, "metadata": metadata},
            )
    client.flush()
    return ids


def filled(client: Client, project: str, questions: list[str]) -> tuple[str, list[uuid.UUID]]:
    """A queue with the rubric, and these in it."""
    suffix = uuid.uuid4().hex[:8]
    keys = {name: f"{name}-{suffix}" for name in RUBRIC}
    for name, config in RUBRIC.items():
        client.create_feedback_config(keys[name], feedback_config=config)  # type: ignore[arg-type]
    queue = client.create_annotation_queue(
        name=f"Queue of {project}",
        description="What the agent says",
        rubric_instructions="Judge the answer, not the question.",
        rubric_items=[
            AnnotationQueueRubricItem(
                feedback_key=keys["tone"], description="How it sounds", is_required=True
            ),
            AnnotationQueueRubricItem(feedback_key=keys["stars"], is_required=True),
            AnnotationQueueRubricItem(feedback_key=keys["reason"]),
        ],
    )
    runs = answered(client, project, questions)
    client.add_runs_to_annotation_queue(queue.id, run_ids=list(runs))
    return str(queue.id), runs


def given(client: Client, run: uuid.UUID) -> dict[str, Any]:
    """What stands under each key, without the key's suffix."""
    found = client.list_feedback(run_ids=[run])
    return {
        re.sub(r"-[0-9a-f]{8}$", "", each.key): (each.score, each.value, each.comment, each.correction)
        for each in found
    }


def test_what_others_said_is_there_when_it_is_asked_for(
    client: Client, http: httpx.Client, project: str, visit: Visitor
) -> None:
    queue, runs = filled(client, project, ["Where is my order?"])
    said_before = {"run_id": str(runs[0]), "key": "user_score", "score": 0, "comment": "No <b>help</b>"}
    http.post("/feedback", json=said_before).raise_for_status()
    tab = visit()
    page = tab.go(f"/ui/queues/{queue}/review")
    others = page.get_by_text("What others said and measured (1)")
    said = page.get_by_role("list", name="Of others")
    expect(others).to_be_visible()
    expect(said).to_have_count(0)
    others.press("Enter")
    expect(said).to_contain_text("No <b>help</b>")
    expect(said.get_by_role("button")).to_have_count(0)
    assert tab.serious() == []
    page.keyboard.press("1")
    page.keyboard.press("j")
    page.keyboard.press("4")
    page.get_by_role("button", name="Submit").click()
    page.goto(page.url.split("/review")[0])
    page.get_by_role("link", name="Done").click()
    page.get_by_role("grid").get_by_role("link").first.click()
    expect(page.get_by_role("complementary", name="Rubric")).to_contain_text("1 of 1 done")
    expect(page.get_by_text("What others said and measured (1)")).to_be_visible()


def test_a_queue_is_reviewed_by_keys_alone(
    server: Server, client: Client, project: str, visit: Visitor
) -> None:
    questions = ["Where is my order?", "And the lamp?", "A refund, please"]
    queue, runs = filled(client, project, questions)
    tab = visit()
    page = tab.go(f"/ui/queues/{queue}")
    expect(page.get_by_role("heading", name=f"Queue of {project}")).to_be_visible()
    expect(page.get_by_text("0 of 3 done")).to_be_visible()
    assert tab.serious() == []
    page.keyboard.press("r")
    item, side = page.get_by_role("region", name="Item"), page.get_by_role("complementary", name="Rubric")
    expect(item).to_contain_text(questions[0])
    expect(item.locator("strong")).to_have_text(questions[0])
    expect(side).to_contain_text("1 of 3 to review")
    expect(side).to_contain_text("Judge the answer")
    assert tab.serious() == []

    # what is required is asked for
    page.keyboard.press("Enter")
    expect(side.get_by_role("alert")).to_contain_text("needs an answer")
    page.keyboard.press("1")
    expect(side.get_by_role("button", name="kind")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("j")
    page.keyboard.press("4")
    expect(side.get_by_role("spinbutton")).to_have_value("4")
    page.keyboard.press("j")
    page.keyboard.press("e")
    page.keyboard.type("Knows the order, jnps 123")
    page.keyboard.press("Escape")
    page.keyboard.press("k")
    page.keyboard.press("c")
    page.keyboard.type("one off for length")
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    expect(item).to_contain_text(questions[1])
    expect(page.get_by_text("1 of 3 done")).to_be_visible()
    assert given(client, runs[0]) == {
        "tone": (1, "kind", None, None),
        "stars": (4, None, "one off for length", None),
        "reason": (None, "Knows the order, jnps 123", None, None),
    }

    # skipped to the end, then back and forth
    expect(side).to_contain_text("1 of 2 to review")
    page.keyboard.press("s")
    expect(item).to_contain_text(questions[2])
    page.keyboard.press("n")
    expect(item).to_contain_text(questions[1])
    expect(side).to_contain_text("2 of 2 to review")
    page.keyboard.press("p")
    expect(item).to_contain_text(questions[2])
    for question in (questions[2], questions[1]):
        expect(item).to_contain_text(question)
        for key in ("2", "j", "5", "Enter"):
            page.keyboard.press(key)
    expect(page.get_by_role("heading", name="All done")).to_be_visible()
    expect(page.get_by_text("3 of 3 done")).to_be_visible()
    assert given(client, runs[1])["tone"] == (0, "rude", None, None)


def test_what_is_done_can_be_changed_and_reopened(
    server: Server, client: Client, project: str, visit: Visitor
) -> None:
    queue, (run,) = filled(client, project, ["Where is my order?"])
    tab = visit()
    page = tab.go(f"/ui/queues/{queue}/review")
    side = page.get_by_role("complementary", name="Rubric")
    side.get_by_role("button", name="kind").click()
    side.get_by_role("spinbutton").fill("9")
    page.get_by_role("button", name="Submit").click()
    expect(side.get_by_role("alert")).to_contain_text("at most 5")
    side.get_by_role("slider").fill("3")
    side.get_by_text("Note and correction").click()
    side.get_by_label("Correction").fill('{"answer": "No."}')
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_role("heading", name="All done")).to_be_visible()
    assert given(client, run)["note"] == (None, None, None, {"answer": "No."})
    page.get_by_role("link", name="What is done").click()
    page.get_by_role("grid", name="Items").get_by_role("link").click()
    expect(side.get_by_role("button", name="kind")).to_have_attribute("aria-pressed", "true")
    expect(side.get_by_role("spinbutton")).to_have_value("3")
    side.get_by_role("button", name="rude").click()
    side.get_by_label("Correction").fill("")
    with page.expect_response(re.compile("/done$")):
        side.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="All done")).to_be_visible()
    # one piece a key, changed in place; what was taken back is gone
    assert {key: said[0] for key, said in given(client, run).items()} == {"tone": 0, "stars": 3}
    page.get_by_role("link", name="What is done").click()
    page.get_by_role("grid", name="Items").get_by_role("link").click()
    side.get_by_role("button", name="Reopen").click()
    expect(side).to_contain_text("1 of 1 to review")


def test_a_queue_is_made_edited_and_deleted(
    server: Server, client: Client, project: str, http: httpx.Client, visit: Visitor
) -> None:
    tab = visit()
    page = tab.go("/ui/queues")
    expect(page.get_by_role("heading", name="Queues")).to_be_visible()
    page.keyboard.press("c")
    form = page.get_by_role("form", name="New queue")
    form.get_by_label("Name").fill(f"Made of {project}")
    form.get_by_label("Instructions for reviewers").fill("Be fair.")
    key = form.get_by_role("group", name="Key 1")
    key.get_by_label("Key", exact=True).fill(f"right-{project}")
    key.get_by_label("Choices with their scores").fill("alone")
    form.get_by_role("button", name="Make the queue").click()
    expect(form.get_by_role("alert")).to_contain_text("two choices or more")
    key.get_by_label("Choices with their scores").fill("right=1, half=0.5, wrong=0")
    assert tab.serious() == []
    form.get_by_role("button", name="Make the queue").click()
    expect(page.get_by_role("heading", name=f"Made of {project}")).to_be_visible()
    expect(page.get_by_role("heading", name="Nothing is in this queue yet")).to_be_visible()
    (queue,) = http.get("/annotation-queues", params={"name": f"Made of {project}"}).json()
    found = http.get(f"/annotation-queues/{queue['id']}").json()
    assert found["rubric_instructions"] == "Be fair."
    (item,) = found["rubric_items"]
    assert item["is_required"] is True
    assert [each["label"] for each in item["feedback_config"]["feedback_config"]["categories"]] == [
        "right",
        "half",
        "wrong",
    ]

    page.get_by_role("button", name="Edit").click()
    form = page.get_by_role("form", name="Edit the queue")
    form.get_by_label("Description").fill("Changed")
    form.get_by_role("button", name="Add a key").click()
    second = form.get_by_role("group", name="Key 2")
    second.get_by_label("Key", exact=True).fill(f"why-{project}")
    second.get_by_label("Answered by").select_option("text")
    second.get_by_label("Required").uncheck()
    form.get_by_role("button", name="Save").click()
    expect(page.get_by_role("list", name="Keys").get_by_role("listitem")).to_have_count(2)
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Delete the queue").click()
    expect(page).to_have_url(re.compile("/ui/queues$"))
    assert http.get(f"/annotation-queues/{queue['id']}").status_code == 404


def test_two_runs_side_by_side(
    server: Server, client: Client, project: str, http: httpx.Client, visit: Visitor
) -> None:
    queue = http.post(
        "/annotation-queues", json={"name": f"Pairs of {project}", "queue_type": "pairwise"}
    ).json()
    runs = answered(client, project, ["one", "two", "three", "four"])
    client.add_runs_to_annotation_queue(queue["id"], run_ids=list(runs))
    tab = visit()
    page = tab.go(f"/ui/queues/{queue['id']}/review")
    expect(page.get_by_role("region", name="Answer A")).to_contain_text("one")
    expect(page.get_by_role("region", name="Answer B")).to_contain_text("two")
    assert tab.serious() == []
    page.keyboard.press("2")
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="Answer A")).to_contain_text("three")
    page.keyboard.press("3")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="All done")).to_be_visible()
    found = {run: list(client.list_feedback(run_ids=[run])) for run in runs}
    assert [each.score for run in runs for each in found[run]] == [0, 1, 0.5, 0.5]
    groups = [each.feedback_group_id for run in runs for each in found[run]]
    assert groups[0] == groups[1] != groups[2] == groups[3]


def test_an_item_that_somebody_else_has_open_is_theirs(
    server: Server, client: Client, project: str, http: httpx.Client, issue_key: Any, visit: Visitor
) -> None:
    queue, _ = filled(client, project, ["one", "two"])
    (first, *_) = http.get(f"/annotation-queues/{queue}/runs").json()
    tab = visit(expected=("409",))
    page = tab.page
    answer = http.post(
        f"/annotation-queues/status/{first['queue_run_id']}",
        json={"status": "viewed"},
        headers={"x-api-key": issue_key()},
    )
    assert answer.status_code == 200
    page.goto(f"{server.url}/ui/queues/{queue}/review")
    expect(page.get_by_role("region", name="Item")).to_contain_text("two")
    page.goto(f"{server.url}/ui/queues/{queue}/review/{first['queue_run_id']}")
    expect(page.get_by_text("Others review this item.")).to_be_visible()
    expect(page.get_by_role("button", name="Submit")).to_be_disabled()


def test_a_thread_is_judged_as_a_whole(
    server: Server, client: Client, project: str, http: httpx.Client, visit: Visitor
) -> None:
    thread = f"thread-{uuid.uuid4().hex[:8]}"
    runs = answered(client, project, ["First question", "Second question"], thread_id=thread)
    (found,) = http.get("/sessions", params={"name": project}).json()
    queue = client.create_annotation_queue(name=f"Threads of {project}")
    item = {"item_type": "THREAD", "thread_id": thread, "project_id": found["id"]}
    answer = http.post(f"/v1/platform/annotation-queues/{queue.id}/items", json={"items": [item]})
    assert answer.status_code == 200, answer.text
    tab = visit()
    page = tab.go(f"/ui/queues/{queue.id}/review")
    judged = page.get_by_role("region", name="Thread to judge")
    expect(judged).to_contain_text("First question")
    expect(judged).to_contain_text("Second question")
    page.get_by_label("Note").fill("Well done")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("heading", name="All done")).to_be_visible()
    assert given(client, runs[1])["note"][2] == "Well done"
    assert given(client, runs[0]) == {}


def test_hostile_text_stays_text_and_a_telephone_shows_it_all(
    server: Server, client: Client, project: str, visit: Visitor
) -> None:
    hostile = f"<img src=x onerror=alert(1)>{'w' * 300}"
    queue, _ = filled(client, project, [hostile])
    client.update_annotation_queue(
        queue, name=hostile[:200], description=hostile, rubric_instructions=hostile
    )
    tab = visit(narrow=True, dark=True)
    page = tab.go(f"/ui/queues/{queue}")
    expect(page.get_by_role("heading", level=1)).to_contain_text("<img src=x")
    assert beyond(page) == []
    assert tab.serious() == []
    page.get_by_role("link", name="Review", exact=True).click()
    expect(page.get_by_role("complementary", name="Rubric")).to_contain_text("<img src=x")
    expect(page.get_by_role("region", name="Item")).to_contain_text("<img src=x")
    assert page.locator("img").count() == 0
    assert beyond(page) == []
    assert tab.serious() == []
    page.goto(f"{server.url}/ui/queues")
    expect(page.get_by_role("list", name="Queues")).to_contain_text("<img src=x")
    assert beyond(page) == []
