"""A newcomer: settings to copy, then the first trace by itself; and the door of a server with keys."""

from __future__ import annotations

import subprocess
import sys

from langsmith import Client, traceable, tracing_context
from playwright.sync_api import expect

from tests.conftest import Server
from tests.page.conftest import Visitor


def test_the_first_screen_turns_into_the_first_trace(own_server: Server, visit: Visitor) -> None:
    own_server.start()
    tab = visit(url=own_server.url)
    page = tab.go("/")
    expect(page.get_by_role("heading", name="Ready to record")).to_be_visible()
    card = page.get_by_role("region", name="LangSmith")
    card.get_by_role("button").click()
    expect(card.get_by_text("Copied")).to_be_visible()
    settings = page.evaluate("navigator.clipboard.readText()")
    assert f"LANGSMITH_ENDPOINT={own_server.url}" in settings
    for name in ("HoneyHive", "Julep", "OpenTelemetry"):
        expect(page.get_by_role("region", name=name)).to_be_visible()
    assert tab.serious() == []

    client = Client(api_url=own_server.url, api_key="anything")

    @traceable(client=client, name="my first function")
    def greet(name: str) -> str:
        return f"Hello {name}"

    with tracing_context(enabled=True, client=client):
        greet("world")
    client.flush()
    expect(page.get_by_role("heading", name="my first function").first).to_be_visible()
    expect(page.get_by_text("Hello world")).to_be_visible()
    client.close()


def test_with_keys_there_is_a_door(own_server: Server, visit: Visitor) -> None:
    own_server.data_dir.mkdir()
    own_server.options = ("--auth", "keys")
    command = [sys.executable, "-m", "stenograph", "keys", "create", "--data-dir", str(own_server.data_dir)]
    key = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    own_server.start()
    tab = visit(url=own_server.url, expected=("401",))
    page = tab.go("/ui/")
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    assert tab.serious() == []
    page.get_by_label("API key").fill("sk_steno_wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("not known")
    page.get_by_label("API key").fill(key)
    page.get_by_label("API key").press("Enter")
    expect(page.get_by_role("heading", name="Ready to record")).to_be_visible()
    assert key not in page.evaluate("document.cookie + JSON.stringify(localStorage)")
    (cookie,) = page.context.cookies(f"{own_server.url}/ui/api/me")
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, "Strict", "/ui/api")
    assert key not in cookie["value"]
    page.reload()
    expect(page.get_by_role("heading", name="Ready to record")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
