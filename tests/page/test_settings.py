"""Settings: keys, prices, where models are asked, storage, dead letters; and what a reader is not offered."""

from __future__ import annotations

import asyncio
import json
import re
import uuid
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import httpx
import msgspec
import pytest
from langsmith import Client
from playwright.sync_api import expect

from stenograph.model.access import DEFAULT_WORKSPACE
from stenograph.model.dead_letters import DeadLetter
from stenograph.model.runs import RunPatch
from stenograph.store.meta.database import open_meta
from tests.conftest import Server
from tests.keys import issue
from tests.page.conftest import Visitor
from tests.page.writing import chat, send

pytestmark = pytest.mark.filterwarnings("ignore:.*deprecated.*")


def test_a_key_is_made_shown_once_used_and_revoked(
    locked_server: Server, project: str, visit: Visitor
) -> None:
    admin = issue(locked_server.data_dir, role="admin")
    tab = visit(url=locked_server.url, expected=("401",))
    page = tab.go("/ui/settings")
    page.get_by_label("API key").fill(admin)
    page.get_by_label("API key").press("Enter")
    expect(page.get_by_role("link", name="API keys")).to_have_attribute("aria-current", "page")
    form = page.get_by_role("form", name="New key")
    form.get_by_label("Name").fill(project)
    form.get_by_label("Role").select_option("read")
    form.get_by_label("Until").fill("2101-02-03")
    form.get_by_label("Name").press("Enter")
    once = page.get_by_role("region", name="The new key")
    made = once.get_by_label("Key", exact=True).input_value()
    once.get_by_role("button", name="Copy key").click()
    assert page.evaluate("navigator.clipboard.readText()") == made
    assert tab.serious() == []
    reader = Client(api_url=locked_server.url, api_key=made)
    assert list(reader.list_datasets()) is not None
    once.get_by_role("button", name="Done").click()
    page.reload()
    row = page.get_by_role("row").filter(has_text=project)
    expect(row).to_contain_text("active until 03 Feb 2101")
    assert made not in page.content()
    row.get_by_role("button", name=f"Revoke {project}").click()
    row.get_by_role("button", name="Revoke for good").click()
    expect(row).to_contain_text("revoked")
    expect(row.get_by_role("button")).to_have_count(0)
    assert httpx.get(f"{locked_server.url}/sessions", headers={"x-api-key": made}).status_code == 401
    reader.close()


def test_prices_are_found_added_changed_and_removed(server: Server, project: str, visit: Visitor) -> None:
    tab = visit(narrow=True, dark=True)
    page = tab.go("/ui/settings/prices")
    page.get_by_label("Find models").fill("openai gpt-4o-mini")
    built_in = page.get_by_role("row").filter(has_text="built in")
    expect(built_in.filter(has_text=re.compile("^gpt-4o-miniOpenAI"))).to_contain_text("0.15")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.get_by_label("Find models").fill(project)
    expect(page.get_by_text("No model of this name has a price")).to_be_visible()
    page.get_by_role("button", name="Add a price").click()
    form = page.get_by_role("form", name="New price")
    form.get_by_label("Model", exact=True).fill(f"{project}.v1")
    form.get_by_label("Input").fill("2.5")
    form.get_by_role("button", name="Save").click()
    expect(form.get_by_role("alert")).to_contain_text("million")
    form.get_by_label("Output").fill("0.000001")
    form.get_by_label("Output").press("Enter")
    row = page.get_by_role("row").filter(has_text="your own")
    expect(row).to_contain_text("2.5")
    assert tab.serious() == []

    def stored() -> dict[str, object]:
        rows = httpx.get(f"{server.url}/model-price-map").json()
        return next(one for one in rows if one["name"] == f"{project}.v1")

    assert stored()["match_pattern"] == f"^{project}\\.v1$"
    assert (stored()["prompt_cost"], stored()["completion_cost"]) == ("0.0000025", "0.000000000001")
    row.get_by_role("button", name="Edit the price").click()
    form = page.get_by_role("form", name="Edit price")
    form.get_by_label("Provider").fill("at home")
    form.get_by_label("Input").fill("3")
    form.get_by_role("button", name="Save").click()
    expect(row).to_contain_text("at home")
    assert stored()["prompt_cost"] == "0.000003"
    row.get_by_role("button", name="Remove the price").click()
    row.get_by_role("button", name="Remove for good").click()
    expect(row).to_have_count(0)


def test_what_is_said_of_prices_has_to_make_sense(server: Server) -> None:
    fine = {"name": "m", "pattern": "m", "input": "1", "output": 2}
    wrong = ("x", "NaN", "-1", "1e-9999999", "9" * 80, None)
    for sent in (
        *({**fine, "input": price} for price in wrong),
        {**fine, "pattern": "("},
        {**fine, "name": " "},
    ):
        assert httpx.post(f"{server.url}/ui/api/prices", json=sent).status_code == 400, sent
    assert httpx.put(f"{server.url}/ui/api/prices/{uuid.uuid4()}", json=fine).status_code == 404


def test_secrets_go_in_and_never_come_out(own_server: Server, visit: Visitor) -> None:
    own_server.start()
    tab = visit(url=own_server.url)
    page = tab.go("/ui/settings/models")
    expect(page.get_by_role("status")).to_contain_text("STENOGRAPH_LLM_BASE_URL")
    form = page.get_by_role("form", name="Set a secret")
    answers: list[str] = []
    page.on("response", lambda answer: answers.append(answer.text()) if "/ui/api/" in answer.url else None)
    for name, value in (("OPENAI_API_KEY", "sk-quiet-1"), ("OPENAI_API_KEY", "sk-quiet-2")):
        form.get_by_label("Name").fill(name)
        form.get_by_label("Value").fill(value)
        with page.expect_response("**/ui/api/secrets"):
            form.get_by_role("button", name="Set").click()
        expect(form.get_by_label("Value")).to_have_value("")
    row = page.get_by_role("row").filter(has_text="OPENAI_API_KEY")
    expect(row).to_have_count(1)
    expect(page.get_by_role("status")).to_contain_text("the secrets below name")
    assert tab.serious() == []
    with httpx.Client(base_url=own_server.url) as http:
        http.put("/ui/api/secrets", json={"name": "OPENAI_BASE_URL", "value": "quiet://nowhere"})
        told = http.get("/ui/api/endpoints").json()
        assert "quiet" not in json.dumps(told)
        assert "is not one" in told["problem"]
        assert http.put("/ui/api/secrets", json={"name": "not a name", "value": "x"}).status_code == 400
    assert not any("quiet" in answer for answer in answers)
    row.get_by_role("button", name="Delete OPENAI_API_KEY").click()
    row.get_by_role("button", name="Delete for good").click()
    expect(row).to_have_count(0)


def test_storage_has_runs_by_project_and_bytes_by_part(server: Server, project: str, visit: Visitor) -> None:
    send(server, chat(project, "t", "Question?", "Answer."))
    tab = visit()
    page = tab.go("/ui/settings/storage")
    expect(page.get_by_role("row").filter(has_text=project)).to_contain_text(re.compile(r"3[\d.]+ (B|kB)$"))
    disk = page.get_by_role("region", name="Disk")
    expect(disk.get_by_role("heading")).to_contain_text(re.compile(r"\d.* on the disk, .* free"))
    expect(disk).to_contain_text("metadata")
    assert tab.serious() == []
    page.get_by_role("link", name=project).click()
    expect(page.get_by_role("grid", name="Runs")).to_be_visible()


def bury(server: Server, letters: list[DeadLetter]) -> None:
    async def work() -> None:
        meta = await open_meta(f"sqlite:///{server.data_dir / 'meta.db'}")
        await meta.dead_letters.bury(letters)
        await meta.close()

    with ThreadPoolExecutor(1) as aside:  # the browser's library keeps a loop in this thread
        aside.submit(lambda: asyncio.run(work())).result()


def letter(where: str, reason: str, run: UUID, record: bytes | None = None) -> DeadLetter:
    at = 1_767_225_600_000_000
    said = RunPatch(
        workspace=DEFAULT_WORKSPACE, id=run, create=True, received_at=at, trace_id=run, project_id=UUID(where),
        dotted_order=f"20260101T000000000000Z{run}", name="found again", run_type="chain", start_time=at,
        end_time=at + 5, inputs=b'{"large":123456789012345678901}',
    )  # fmt: skip
    return DeadLetter(
        id=uuid.uuid4(), workspace=DEFAULT_WORKSPACE, kind="run", subject_id=run, reason=reason,
        record=msgspec.msgpack.encode([said]) if record is None else record, created_at=at,
    )  # fmt: skip


def test_dead_letters_are_read_replayed_exported_and_discarded(
    server: Server, project: str, visit: Visitor
) -> None:
    send(server, chat(project, "t", "Question?", "Answer."))
    client = Client(api_url=server.url, api_key="anything")
    where = str(client.read_project(project_name=project).id)
    fine, broken = uuid.uuid4(), uuid.uuid4()
    bury(server, [letter(where, "too deep", fine), letter(where, "<b>odd</b>", broken, b"\xc1")])
    tab = visit()
    page = tab.go("/ui/settings/dead-letters")
    row = page.get_by_role("row").filter(has_text=str(fine)[:8])
    expect(row).to_contain_text("too deep")
    row.get_by_role("button").click()
    expect(page.get_by_text("found again")).to_be_visible()
    expect(page.get_by_text("<b>odd</b>")).to_be_visible()
    assert tab.serious() == []
    row.get_by_role("checkbox").check()
    with page.expect_download() as download:
        page.get_by_role("button", name="Export JSONL").click()
    exported = download.value.path().read_text()
    assert json.loads(exported)["subject_id"] == str(fine)
    assert "123456789012345678901" in exported
    page.get_by_role("button", name="Replay 1").click()
    expect(page.get_by_text("1 stored.")).to_be_visible()
    assert client.read_run(fine).name == "found again"
    expect(row).to_have_count(0)
    odd = page.get_by_role("row").filter(has_text=str(broken)[:8])
    odd.get_by_role("checkbox").check()
    page.get_by_role("button", name="Discard 1 letters").click()
    page.get_by_role("button", name="Discard 1 for good").click()
    expect(odd).to_have_count(0)
    page.get_by_role("button", name="replayed").click()
    expect(row).to_contain_text("replayed")
    client.close()


def test_a_reader_is_offered_nothing_that_would_be_refused(locked_server: Server, visit: Visitor) -> None:
    key = issue(locked_server.data_dir, role="read")
    tab = visit(url=locked_server.url, expected=("401",))
    page = tab.go("/ui/settings")
    page.get_by_label("API key").fill(key)
    page.get_by_label("API key").press("Enter")
    pages = page.get_by_role("navigation", name="Settings").get_by_role("link")
    expect(pages).to_have_text(["Model prices", "Model endpoints", "Retention", "Storage"])
    main = page.get_by_role("main")
    for name in ("Model prices", "Model endpoints", "Storage"):
        page.get_by_role("link", name=name).click()
        expect(page.get_by_role("link", name=name)).to_have_attribute("aria-current", "page")
        expect(main.get_by_role("button")).to_have_count(0)
        expect(page.get_by_role("region", name="Disk")).to_have_count(0)
    tab.go("/ui/settings/keys")
    expect(main).to_contain_text("That is for admins")
