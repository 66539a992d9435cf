"""Conversations of Julep's clients: listed, read as chat with their traces; recall and a message tried."""

from __future__ import annotations

import re
from typing import Any

import httpx
from julep import Client
from playwright.sync_api import expect

from tests.conftest import Server
from tests.keys import issue
from tests.openai_server import Reply, scripted
from tests.page.conftest import Visitor

REFUNDS = "Refunds are paid within ten days of the return of a lamp."
SHIPPING = "Parcels ship on working days before noon."


def furnish(julep: Any, name: str) -> tuple[str, str]:
    """An agent with docs, and its session with a user."""
    agent = julep.agents.create(name=name, about="Answers for a shop.", model="gpt-4o-mini")
    julep.agents.docs.create(agent.id, title="Refund policy", content=REFUNDS)
    julep.agents.docs.create(agent.id, title="Shipping", content=SHIPPING)
    user = julep.users.create(name=f"Zoe {name}", about="A customer.")
    situation = f"A customer of {name} asks."
    session = julep.sessions.create(agent=agent.id, user=user.id, situation=situation)
    return agent.id, session.id


def test_a_conversation_is_read_with_its_traces_and_a_message_tried(
    own_server: Server, project: str, visit: Visitor
) -> None:
    with scripted() as model:
        own_server.environment.update(
            STENOGRAPH_LLM_BASE_URL=model.url,
            STENOGRAPH_LLM_API_KEY="sk-server",
            STENOGRAPH_LLM_MODEL="gpt-4o-mini",
        )
        own_server.start()
        with Client(api_key="any", base_url=f"{own_server.url}/julep", max_retries=0) as julep:
            _, session = furnish(julep, project)
            for question in ("Where is my **lamp**?", "And the refund?"):
                julep.sessions.chat(session, messages=[{"role": "user", "content": question}])
            tab = visit(url=own_server.url)
            page = tab.go("/ui/conversations")
            row = page.get_by_role("row").filter(has_text=project)
            expect(row).to_contain_text("single agent single user")
            expect(row).to_contain_text(f"Zoe {project}")
            assert tab.serious() == []
            page.get_by_role("grid", name="Sessions").focus()
            page.keyboard.press("Enter")
            expect(page.get_by_role("heading", name=f"{project} and Zoe {project}")).to_be_visible()
            turns = page.get_by_role("region", name="What was said").get_by_role("article")
            expect(turns).to_have_count(2)
            expect(turns.nth(0).locator("strong")).to_have_text("lamp")
            expect(turns.nth(1)).to_contain_text("And the refund?")

            asked = len(model.asked)
            model.script.append(Reply(text="Ten days, at most."))
            page.get_by_role("textbox", name="Message").fill("How long does a refund take?")
            page.get_by_role("button", name="Ask").click()
            box = page.get_by_role("region", name="Try a message")
            expect(box).to_contain_text("Ten days, at most.")
            assert len(model.asked) == asked + 1
            assert tab.serious() == []
            history = julep.sessions.history(session)
            assert "How long" not in history.model_dump_json()
            box.get_by_role("link", name="Its trace").click()
            expect(page.get_by_role("treeitem", name=re.compile("gpt-4o-mini"))).to_be_visible()
            page.go_back()
            turns.nth(0).get_by_role("link", name=project).click()
            expect(page.get_by_role("region", name="Inputs")).to_contain_text("Where is my lamp?")
            model.script.append(Reply(status=400, text="no such model"))
            page.go_back()
            page.get_by_role("textbox", name="Message").fill("Again?")
            tab.expected = ("400",)
            page.get_by_role("button", name="Ask").click()
            expect(box.get_by_role("alert")).to_contain_text("no such model")
        assert own_server.stop() == 0


def test_recall_is_tried_and_says_why_a_chunk_comes(server: Server, project: str, visit: Visitor) -> None:
    with Client(api_key="any", base_url=f"{server.url}/julep", max_retries=0) as julep:
        agent, session = furnish(julep, project)
    tab = visit(narrow=True, dark=True)
    page = tab.go("/ui/conversations?tab=agents")
    page.get_by_role("link", name=project).click()
    expect(page.get_by_role("region", name="Docs").get_by_role("listitem")).to_have_count(2)
    box = page.get_by_role("region", name="Try recall")
    box.get_by_label("Text").fill("refunding a lamp")
    box.get_by_role("button", name="By words").click()
    expect(box.get_by_label(re.compile("alpha"))).to_have_count(0)
    box.get_by_label("Text").press("Enter")
    found = box.get_by_role("list", name="What was recalled").get_by_role("listitem")
    expect(found).to_have_count(1)
    expect(found).to_contain_text("1st by words.")
    expect(found.locator("mark")).to_have_text(["Refunds", "lamp"])
    assert tab.serious() == []
    box.get_by_role("button", name="Both").click()
    box.get_by_label(re.compile("alpha")).fill("0.25")
    box.get_by_label(re.compile("MMR")).fill("0.5")
    box.get_by_role("button", name="Recall", exact=True).click()
    expect(found).to_have_count(2)
    expect(found.first).to_contain_text(re.compile(r"1st by words, 1st by meaning .*meaning weighs 25%"))
    box.get_by_label("Limit").fill("1")
    box.get_by_role("button", name="By meaning").click()
    box.get_by_role("button", name="Recall", exact=True).click()
    expect(found).to_have_count(1)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert tab.serious() == []
    tab.go(f"/ui/conversations/{session}")
    expect(page.get_by_role("region", name="Try a message")).to_contain_text("STENOGRAPH_LLM_BASE_URL")
    expect(page.get_by_role("button", name="Ask")).to_have_count(0)
    path = f"{server.url}/ui/api/owned-docs/agent/{agent}/recall"
    wrong: list[dict[str, Any]] = [
        {}, {"text": ""}, {"text": "x", "alpha": 2}, {"text": "x", "limit": 0}, {"text": "x", "mode": "magic"},
        {"text": "?!"}, {"text": "x" * 10_001},
    ]  # fmt: skip
    for body in wrong:
        assert httpx.post(path, json=body).status_code == 400, body
    assert httpx.get(path.replace("/agent/", "/robot/").removesuffix("/recall")).status_code == 404


def test_a_newcomer_is_told_what_to_do_and_a_reader_not_offered_to_try(
    own_server: Server, locked_server: Server, project: str, visit: Visitor
) -> None:
    own_server.start()
    tab = visit(url=own_server.url)
    page = tab.go("/ui/conversations")
    expect(page.get_by_role("heading", name="There are no conversations yet")).to_be_visible()
    expect(page.get_by_text(f"JULEP_BASE_URL={own_server.url}/julep")).to_be_visible()
    assert tab.serious() == []
    assert own_server.stop() == 0
    keys = {role: issue(locked_server.data_dir, role=role) for role in ("read", "write")}
    with Client(api_key=keys["write"], base_url=f"{locked_server.url}/julep", max_retries=0) as julep:
        _, session = furnish(julep, project)
    reader = visit(url=locked_server.url, expected=("401",))
    page = reader.go(f"/ui/conversations/{session}")
    page.get_by_label("API key").fill(keys["read"])
    page.get_by_label("API key").press("Enter")
    expect(page.get_by_text("Nothing was said yet.")).to_be_visible()
    expect(page.get_by_role("region", name="Try a message")).to_have_count(0)
