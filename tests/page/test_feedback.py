"""Feedback given, changed and taken back from a run; what else a run shows: files, pictures, HoneyHive's properties."""

from __future__ import annotations

import base64
import datetime as dt
import re
import uuid
from typing import Any

import httpx
import pytest
from langsmith import Client
from playwright.sync_api import expect

from tests.conftest import Server
from tests.keys import issue
from tests.page.conftest import Visitor
from tests.page.writing import chat, send

pytestmark = pytest.mark.filterwarnings(
    "ignore::langsmith._internal._beta_decorator.LangSmithDeprecationWarning"
)
DOT = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


@pytest.mark.parametrize("narrow", [False, True], ids=["desktop", "phone"])
def test_feedback_is_given_changed_and_taken_back(
    server: Server, project: str, visit: Visitor, narrow: bool
) -> None:
    runs = chat(project, "t", "Where is my order?", "It ships today.")
    send(server, runs)
    client = Client(api_url=server.url, api_key="anything")
    tone = f"tone {project}"
    categories: list[Any] = [{"value": 1, "label": "kind"}, {"value": 0, "label": "rude"}]
    client.create_feedback_config(
        feedback_key=tone,
        feedback_config={"type": "categorical", "categories": categories},
    )  # fmt: skip
    found = client.read_project(project_name=project)
    client.create_feedback(
        runs[0]["id"], key="judge", score=0.25, trace_id=runs[0]["id"], session_id=found.id
    )
    tab = visit(narrow=narrow, dark=narrow)
    page = tab.go(f"/ui/traces/{runs[0]['id']}")
    if narrow:
        page.get_by_role("navigation", name="Parts of the trace").get_by_role("button").last.click()
    page.get_by_role("tab", name="Feedback").click()
    expect(page.get_by_role("list", name="Measured")).to_contain_text("judge")
    expect(page.get_by_role("button", name="Edit judge")).to_have_count(0)
    page.get_by_role("button", name="Give feedback").click()
    form = page.get_by_role("form", name="Give feedback")
    form.get_by_label("Key").fill("helpful")
    form.get_by_role("button", name="Save").click()
    expect(form.get_by_role("alert")).to_contain_text("Give a score")
    form.get_by_label("Score").fill("0.5")
    form.get_by_label("Comment").fill("so so")
    assert tab.serious() == []
    form.get_by_role("button", name="Save").click()
    said = page.get_by_role("list", name="Said by people").get_by_role("listitem")
    expect(said).to_contain_text("helpful")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Edit helpful").click()
    page.get_by_label("Score").fill("0.75")
    page.get_by_label("Score").press("Enter")
    expect(said).to_contain_text("0.75")
    assert page.evaluate("document.documentElement.scrollWidth") <= (390 if narrow else 1280)

    page.get_by_role("button", name="Give feedback").click()
    options = page.locator("datalist option")
    expect(options.filter(has=page.locator(f'[value="{tone}"]')).or_(options).first).to_be_attached()
    form.get_by_label("Key").fill(tone)
    form.get_by_label("Choice").select_option("kind")
    form.get_by_role("button", name="Save").click()
    expect(said).to_have_count(2)
    assert tab.serious() == []
    stored = {item.key: item for item in client.list_feedback(run_ids=[runs[0]["id"]])}
    assert (stored["helpful"].score, stored["helpful"].comment) == (0.75, "so so")
    assert (stored[tone].score, stored[tone].value) == (1, "kind")
    assert stored["helpful"].feedback_source is not None
    assert stored["helpful"].feedback_source.type == "app"

    page.get_by_role("button", name="Delete helpful").click()
    page.get_by_role("button", name="Delete for good").click()
    expect(said).to_have_count(1)
    assert {item.key for item in client.list_feedback(run_ids=[runs[0]["id"]])} == {"judge", tone}
    client.close()


def test_a_reader_sees_feedback_and_no_buttons(locked_server: Server, project: str, visit: Visitor) -> None:
    """One's own is what one's key gave: another writer may not change it, an admin may."""
    keys = {role: issue(locked_server.data_dir, role=role) for role in ("read", "write", "admin")}
    other = issue(locked_server.data_dir, role="write")

    def ask(key: str, method: str, path: str, body: object = None) -> httpx.Response:
        return httpx.request(method, locked_server.url + path, json=body, headers={"x-api-key": key})

    runs = chat(project, "t", "Where is my order?", "It ships today.")
    assert ask(keys["write"], "POST", "/runs/batch", {"post": runs}).status_code == 202
    run = f"/ui/api/runs/{runs[0]['id']}"
    given = ask(keys["write"], "POST", f"{run}/feedback", {"key": "helpful", "score": 1})
    assert given.json()["mine"]
    assert given.json()["by"] == "tests"
    piece = f"/ui/api/judgements/{given.json()['id']}"
    assert not ask(other, "GET", run).json()["feedback"][0]["mine"]
    for method in ("PATCH", "DELETE"):
        assert ask(other, method, piece, {"score": 0}).status_code == 403
    assert ask(keys["admin"], "PATCH", piece, {"comment": "looked at"}).status_code == 200
    by_program = {"id": str(uuid.uuid4()), "run_id": runs[0]["id"], "key": "judge", "score": 1}
    assert ask(keys["write"], "POST", "/feedback", by_program).status_code == 200
    judged = f"/ui/api/judgements/{by_program['id']}"
    assert ask(keys["admin"], "DELETE", judged).status_code == 403
    for wrong in (
        "{}",
        '{"key":"k"}',
        '{"key":"","score":1}',
        '{"key":"k","score":1e400}',
        '{"key":"k\\u0000","score":1}',
        "[",
    ):
        url, key = f"{locked_server.url}{run}/feedback", {"x-api-key": keys["write"]}
        assert httpx.post(url, content=wrong, headers=key).status_code == 400, wrong
    nobody = f"/ui/api/runs/{uuid.uuid4()}/feedback"
    assert ask(keys["write"], "POST", nobody, {"key": "k", "score": 1}).status_code == 404

    tab = visit(url=locked_server.url, expected=("401",))
    page = tab.go(f"/ui/traces/{runs[0]['id']}")
    page.get_by_label("API key").fill(keys["read"])
    page.get_by_label("API key").press("Enter")
    page.get_by_role("tab", name="Feedback").click()
    expect(page.get_by_role("tabpanel")).to_contain_text("looked at")
    expect(page.get_by_role("button", name=re.compile("Give feedback|Edit|Delete"))).to_have_count(0)


def test_files_and_pictures_are_shown_and_nothing_is_loaded_from_elsewhere(
    server: Server, project: str, visit: Visitor
) -> None:
    client = Client(api_url=server.url, api_key="anything", auto_batch_tracing=True)
    run_id = uuid.uuid4()
    start = dt.datetime.now(dt.UTC)
    inline = "data:image/png;base64," + base64.b64encode(DOT).decode()
    content = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": inline}},
        {"type": "image_url", "image_url": {"url": "https://elsewhere.example/cat.png"}},
    ]
    client.create_run(
        "sees", {"messages": [{"role": "user", "content": content}]}, "llm", id=run_id, trace_id=run_id,
        dotted_order=start.strftime("%Y%m%dT%H%M%S%fZ") + str(run_id), start_time=start,
        end_time=start, project_name=project,
        attachments={"dot": ("image/png", DOT), "notes": ("text/plain", b"notes")},
    )  # fmt: skip
    client.flush()
    tab = visit()
    page = tab.go(f"/ui/traces/{run_id}")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    inputs = page.get_by_role("region", name="Inputs")
    expect(inputs.get_by_role("img", name="in the message")).to_be_visible()
    expect(inputs.get_by_role("link", name=re.compile("cat.png"))).to_have_attribute(
        "href", "https://elsewhere.example/cat.png"
    )
    files = page.get_by_role("region", name="Attachments")
    picture = files.get_by_role("img", name="dot")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") == 1
    with page.expect_download() as download:
        files.get_by_role("link", name="notes").click()
    assert download.value.path().read_bytes() == b"notes"
    assert [url for url in asked if not url.startswith((server.url, "data:"))] == []
    page.get_by_role("button", name="Copy", exact=True).first.click()
    page.get_by_role("button", name="As Python").click()
    copied = page.evaluate("navigator.clipboard.readText()")
    found: dict[str, object] = {}
    exec(compile(copied, "copied", "exec"), found)
    assert str(found["run"].id) == str(run_id)  # type: ignore[attr-defined]
    client.close()


def test_honeyhives_properties_and_metrics_are_shown(server: Server, project: str, visit: Visitor) -> None:
    session = {
        "session_name": "support", "project": project, "source": "test",
        "user_properties": {"plan": "gold"}, "metrics": {"politeness": 0.9}, "feedback": {"rating": 4},
    }  # fmt: skip
    begun = httpx.post(f"{server.url}/honeyhive/session/start", json={"session": session})
    assert begun.status_code == 200, begun.text
    tab = visit()
    page = tab.go(f"/ui/traces/{begun.json()['session_id']}")
    page.get_by_role("tab", name="Metadata").click()
    expect(page.get_by_role("region", name="User properties")).to_contain_text("gold")
    page.get_by_role("tab", name="Feedback").click()
    expect(page.get_by_role("list", name="Measured")).to_contain_text("politeness")
    expect(page.get_by_role("list", name="Said by people")).to_contain_text("rating")
