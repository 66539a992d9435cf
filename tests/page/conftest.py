"""The page in a real browser, against a real server with what the real clients wrote.

The browser is whichever Chromium the machine has: STENOGRAPH_BROWSER names one, else it is looked for. Without one
these tests are skipped, except where CI is set: there that is a failure. Of what the page says on the console as an
error, and of every exception in it, a test hears at its end.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Dialog,
    Page,
    expect,
    sync_playwright,
)

from tests.conftest import Server

STATIC = Path(__file__).parent.parent.parent / "src" / "stenograph" / "static"
AXE = Path(__file__).parent.parent.parent / "ui" / "node_modules" / "axe-core" / "axe.min.js"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
expect.set_options(timeout=30_000)  # by signal, not by time: a loaded machine takes long

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def _missing(what: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(f"{what}: make setup")
    pytest.skip(what)


def chromium() -> str | None:
    """The path of the machine's Chromium."""
    return os.environ.get("STENOGRAPH_BROWSER") or next(filter(None, map(shutil.which, NAMES)), None)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """For a module alone: its library keeps an event loop running in this thread, in which no other test can."""
    path = chromium()
    if path is None:
        _missing("there is no Chromium")
    if not (STATIC / "index.html").exists():
        _missing("the page is not built")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield launched
        launched.close()


@dataclass
class Visit:
    """One tab. `complaints` are the errors that it told the console."""

    page: Page
    url: str
    complaints: list[str] = field(default_factory=list)
    expected: tuple[str, ...] = ()

    def listen(self) -> None:
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.complaints.append(f"exception: {error}"))
        self.page.on("dialog", self._asked)

    def _said(self, said: ConsoleMessage) -> None:
        if said.type == "error":
            self.complaints.append(said.text)

    def _asked(self, dialog: Dialog) -> None:
        self.complaints.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def go(self, path: str) -> Page:
        self.page.goto(self.url + path)
        return self.page

    def rows(self) -> int:
        """Elements in the document."""
        count: int = self.page.evaluate("document.querySelectorAll('*').length")
        return count

    def serious(self) -> list[str]:
        """What axe finds that hinders people."""
        self.page.evaluate(AXE.read_text())
        found = self.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        return [
            f"{one['id']}: {one['help']} {[node['target'] for node in one['nodes']][:4]}"
            for one in found["violations"]
            if one["impact"] in ("serious", "critical")
        ]


Visitor = Callable[..., Visit]


@pytest.fixture
def visit(browser: Browser, server: Server) -> Iterator[Visitor]:
    """Opens a tab: of a desktop in light unless told otherwise."""
    contexts: list[BrowserContext] = []
    visits: list[Visit] = []

    def open_tab(
        *,
        dark: bool = False,
        narrow: bool = False,
        url: str | None = None,
        expected: tuple[str, ...] = (),
    ) -> Visit:
        context = browser.new_context(
            viewport={"width": 390, "height": 780} if narrow else {"width": 1280, "height": 800},
            color_scheme="dark" if dark else "light",
            permissions=["clipboard-read", "clipboard-write"],
            locale="en-GB",
            timezone_id="Asia/Shanghai",
        )
        context.set_default_timeout(30_000)
        contexts.append(context)
        page = context.new_page()
        made = Visit(page, url or server.url, expected=expected)
        made.listen()
        visits.append(made)
        return made

    yield open_tab
    for context in contexts:
        context.close()
    for made in visits:
        heard = [text for text in made.complaints if not any(part in text for part in made.expected)]
        assert heard == []
