"""The pictures of the README and the docs: `make screenshots`, or some of them by name.

Starts a server with an empty data folder, fills it by `stenograph demo`, and looks at its pages in Chromium, light and
dark. A page more is a line in PICTURES.
"""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
from playwright.sync_api import Browser, Error, Page, sync_playwright

from stenograph.demo.experiments import VARIANTS
from tests.conftest import Server
from tests.page.conftest import FLAGS, chromium
from tests.page.png import smaller

FOLDER: Final = Path(__file__).parent.parent.parent / "docs" / "images"
LARGEST: Final = 150_000
"""Bytes of a picture."""
_NOT_THERE: Final = "There is no such page"
_SIZE: Final = {"width": 1440, "height": 900}


@dataclass(frozen=True)
class Demo:
    """What pictures are of: ids of what the demo made."""

    project: str
    failed: str
    answered: str
    incident: int
    """When payments failed, in microseconds."""
    audit: str
    dataset: str
    experiments: tuple[str, ...]
    """The baseline first."""
    report: str
    queue: str


@dataclass(frozen=True)
class Picture:
    """A page's address, and a text that is there once it is drawn. `then` is done before the picture is taken."""

    name: str
    path: Callable[[Demo], str]
    sign: str
    then: Callable[[Page], None] | None = None


def _open_tool(page: Page) -> None:
    """To the first error, by the key for it."""
    page.get_by_role("tree").focus()
    page.keyboard.press("e")
    page.get_by_role("region", name="Error").wait_for()


def _open_thread(page: Page) -> None:
    """To one with a few turns."""
    page.get_by_role("navigation", name="Threads").get_by_role("link").filter(
        has_text="4 turns"
    ).first.click()
    page.wait_for_url("**thread=**")


def _open_answer(page: Page) -> None:
    """To the last call of the model."""
    page.get_by_role("treeitem", name="ChatAnthropic").last.click()
    page.get_by_text("HH-").first.wait_for()


def _traces(demo: Demo) -> str:
    """Those before the last failure of payments, with what people thought of them."""
    until = demo.incident + 60_000_000
    columns = "status,input,output,tags,feedback,start,latency,tokens,cost"
    return f"/ui/projects/{demo.project}?since={until - 7 * 86_400_000_000}&until={until}&cols={columns}"


def _comparison(demo: Demo) -> str:
    return f"/ui/datasets/{demo.dataset}?tab=compare&with={','.join(demo.experiments)}"


PICTURES: Final = (
    Picture("projects", lambda demo: "/ui/", "support-agent"),
    Picture("traces", _traces, "PaymentTimeout"),
    Picture("charts", lambda demo: f"/ui/projects/{demo.project}?tab=charts", "First token"),
    Picture("threads", lambda demo: f"/ui/projects/{demo.project}?tab=threads", "turns", _open_thread),
    Picture("trace", lambda demo: f"/ui/traces/{demo.failed}", "support_agent", _open_tool),
    Picture("chat", lambda demo: f"/ui/traces/{demo.answered}", "support_agent", _open_answer),
    Picture("agents", lambda demo: f"/ui/traces/{demo.audit}", "fraud_specialist"),
    Picture("datasets", lambda demo: "/ui/datasets", "support questions"),
    Picture("dataset", lambda demo: f"/ui/datasets/{demo.dataset}", "support questions"),
    Picture("comparison", _comparison, "correctness"),
    Picture(
        "report", lambda demo: f"/ui/projects/{demo.project}/insights/{demo.report}", "Returns and refunds"
    ),
    Picture("queue", lambda demo: f"/ui/queues/{demo.queue}/review", "correctness"),
    Picture("conversations", lambda demo: "/ui/conversations", "Halden support"),
    Picture("settings", lambda demo: "/ui/settings/prices", "Model prices"),
)


def main(names: list[str]) -> int:
    """Writes the pictures, and prints what it wrote. 1 when one could not be taken, or is too large."""
    wanted = [picture for picture in PICTURES if not names or picture.name in names]
    with tempfile.TemporaryDirectory(prefix="stenograph-pictures-") as folder:
        server = Server(Path(folder) / "data").start()
        try:
            demo = fill(server)
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
                taken = [
                    take(browser, server, demo, one, dark=dark) for one in wanted for dark in (False, True)
                ]
                browser.close()
        finally:
            server.stop()
    return 0 if all(taken) else 1


def fill(server: Server) -> Demo:
    """The demo with a fixed seed, up to the last full hour: pages are about the last days."""
    until = dt.datetime.now(dt.UTC).replace(minute=0, second=0, microsecond=0)
    command = [sys.executable, "-m", "stenograph", "demo", "--url", server.url, "--seed", "1"]
    subprocess.run([*command, "--until", until.isoformat()], check=True)
    with httpx.Client(base_url=server.url, timeout=60) as http:
        projects = {each["name"]: each["id"] for each in http.get("/sessions", params={"limit": 100}).json()}
        support = projects["support-agent"]
        first = 'and(eq(metadata_key, "turn"), eq(metadata_value, 1))'
        broken = f'and(eq(status, "error"), search("PaymentTimeout"), {first})'
        failed = {"session": [support], "is_root": True, "filter": broken}
        delivery = 'and(eq(metadata_key, "topic"), eq(metadata_value, "where_is_my_order"))'
        asked = f'and({delivery}, {first}, has(tags, "en"), eq(status, "success"))'
        answered = {"session": [support], "is_root": True, "filter": asked}
        audits = {"session": [projects["refund-audit"]], "is_root": True}
        dataset = http.get("/datasets", params={"name": "support questions"}).json()[0]["id"]
        return Demo(
            project=support,
            failed=_first(http, failed)["trace_id"],
            answered=_first(http, answered)["trace_id"],
            incident=_micros(_first(http, failed)["start_time"]),
            audit=_first(http, audits)["trace_id"],
            dataset=dataset,
            experiments=tuple(projects[variant.name] for variant in VARIANTS),
            report=http.get(f"/sessions/{support}/insights").json()["clustering_jobs"][0]["id"],
            queue=http.get("/annotation-queues").json()[0]["id"],
        )


def _first(http: httpx.Client, wanted: dict[str, Any]) -> dict[str, str]:
    """The newest of such runs."""
    runs: list[dict[str, str]] = http.post("/runs/query", json={**wanted, "limit": 1}).json()["runs"]
    return runs[0]


def _micros(time: str) -> int:
    return int(dt.datetime.fromisoformat(time).replace(tzinfo=dt.UTC).timestamp() * 1_000_000)


def take(browser: Browser, server: Server, demo: Demo, picture: Picture, *, dark: bool) -> bool:
    """Writes one picture; false when it is not as it should be. A page that this build has not is passed over."""
    name = f"{picture.name}-dark" if dark else picture.name
    context = browser.new_context(
        viewport=_SIZE,  # type: ignore[arg-type]  # a TypedDict of playwright's, which it does not export
        color_scheme="dark" if dark else "light",
        locale="en-GB",
        timezone_id="Europe/London",
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.goto(server.url + picture.path(demo))
    try:
        page.get_by_text(picture.sign).or_(page.get_by_text(_NOT_THERE)).first.wait_for()
    except Error:
        print(f"{name}: {picture.sign!r} never came")
        context.close()
        return False
    if page.get_by_text(_NOT_THERE).count():
        print(f"{name}: no such page in this build")
        context.close()
        return True
    if picture.then is not None:
        picture.then(page)
    page.wait_for_load_state("networkidle")
    page.wait_for_function("!document.querySelector('.waiting')")
    found = smaller(page.screenshot(), browser.new_page())
    context.close()
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{name}.png").write_bytes(found)
    print(f"{name}: {len(found) / 1000:.0f} kB")
    return len(found) <= LARGEST


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
