"""Whatever is stored, the page shows it as text: nothing runs, nothing loads from elsewhere."""

from __future__ import annotations

import re
from typing import Any

import httpx
from playwright.sync_api import Page, expect

from tests.conftest import Server
from tests.page.conftest import Visitor
from tests.page.writing import now, run, send

ATTACKS = (
    "<script>window.pwned=1</script>",
    '<img src=x onerror="window.pwned=1">',
    "<svg onload=window.pwned=1><a xlink:href='javascript:window.pwned=1'>x</a></svg>",
    "[click](javascript:window.pwned=1) <javascript:window.pwned=1> [d](data:text/html,<script>1</script>)",
    "![x](http://attacker.invalid/pixel.png) <iframe src='http://attacker.invalid'></iframe>",
    "\"><style>*{display:none}</style><base href='http://attacker.invalid/'>",
    "{{constructor.constructor('window.pwned=1')()}} ${window.pwned=1} \u202eevil\u202c",
)
EVERYTHING = "\n\n".join(ATTACKS)


def hostile(project: str) -> list[dict[str, Any]]:
    content = {"role": "user", "content": EVERYTHING, "name": ATTACKS[0]}
    picture = {
        "role": "user",
        "content": [{"type": "image_url", "image_url": {"url": "javascript:window.pwned=1"}}],
    }
    vector = {
        "role": "user",
        "content": [{"type": "image_url", "image_url": {"url": "data:image/svg+xml;base64,PHN2Zy8+"}}],
    }
    call = {
        "id": ATTACKS[1],
        "function": {"name": ATTACKS[0], "arguments": '{"<img src=x onerror=window.pwned=1>": 1}'},
    }
    root = run(
        None, ATTACKS[1], "chain", now(), 1, session_name=project, error=EVERYTHING, tags=[*ATTACKS],
        inputs={"messages": [content, picture, vector]},
        outputs={"messages": [{"role": ATTACKS[0], "content": EVERYTHING, "tool_calls": [call]}]},
        extra={"metadata": {"thread_id": ATTACKS[1], ATTACKS[0]: ATTACKS[1], "__proto__": {"polluted": 1}}},
        events=[{"name": ATTACKS[0], "time": ATTACKS[1]}],
    )  # fmt: skip
    child = run(
        root, ATTACKS[2], "tool", now(), 1, inputs={ATTACKS[0]: EVERYTHING}, outputs={"text": EVERYTHING}
    )
    return [root, child]


def is_harmless(page: Page) -> None:
    assert page.evaluate("window.pwned") is None
    assert page.evaluate("({}).polluted") is None
    assert (
        page.evaluate(
            "document.querySelectorAll('#root iframe, #root script, #root base, #root style').length"
        )
        == 0
    )
    links = page.evaluate("[...document.querySelectorAll('a')].map(a => a.href)")
    assert [link for link in links if not re.match("(https?|mailto):", link)] == []
    images = page.evaluate("[...document.querySelectorAll('img')].map(a => a.getAttribute('src'))")
    assert images == []


def test_hostile_text_is_shown_and_does_nothing(server: Server, project: str, visit: Visitor) -> None:
    name = f"{project} {ATTACKS[1]}"
    root, child = runs = hostile(name)
    send(server, runs)
    feedback = {"run_id": root["id"], "key": ATTACKS[0], "value": ATTACKS[1], "comment": EVERYTHING}
    httpx.post(f"{server.url}/feedback", json=feedback).raise_for_status()
    share = httpx.put(f"{server.url}/runs/{root['id']}/share").json()["share_token"]
    tab = visit()
    requests: list[str] = []
    tab.page.on("request", lambda request: requests.append(request.url))

    page = tab.go("/ui/")
    page.get_by_role("searchbox").fill(project)
    page.get_by_role("link", name=project).click()
    expect(page.get_by_role("row").nth(1)).to_contain_text("<img src=x")
    is_harmless(page)
    table = page.url
    page.goto(
        f"{table}?cols=name,tags,thread,feedback,input,output,error,metadata.thread_id&filter=eq(name,{ATTACKS[0]!r})"
    )
    expect(page.get_by_role("heading", name="No runs here").or_(page.get_by_role("alert"))).to_be_visible()
    is_harmless(page)
    page.goto(f"{table}?tab=threads")
    expect(page.get_by_role("region", name="Thread")).to_contain_text("<script>")
    is_harmless(page)
    for tail in ("", f"?run={child['id']}"):
        tab.go(f"/ui/traces/{root['id']}{tail}")
        expect(page.get_by_role("region", name="Inputs")).to_contain_text("<svg onload")
        for tab_name in ("Metadata", "Feedback", "Cost", "Content"):
            page.get_by_role("tab", name=re.compile(tab_name)).click()
            is_harmless(page)
        for view in ("JSON", "Raw"):
            page.get_by_role("region", name="Inputs").get_by_role("button", name=view).click()
            is_harmless(page)
    tab.go(f"/public/{share}/r")
    expect(page.get_by_role("region", name="Inputs")).to_contain_text("<script>")
    is_harmless(page)
    assert [url for url in requests if not url.startswith(server.url)] == []


def test_the_policy_lets_nothing_else_run(server: Server) -> None:
    for path in ("/ui/", "/ui/traces/x", "/public/nothing/r"):
        policy = httpx.get(server.url + path).headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
    page = httpx.get(f"{server.url}/ui/").headers["content-security-policy"]
    assert "script-src 'self'" in page
    assert "require-trusted-types-for 'script'" in page
    assert "frame-ancestors 'none'" in page
