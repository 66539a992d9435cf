"""`stenograph dead-letters` against a server whose metadata hold some."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import httpx
import msgspec
import pytest

from stenograph.model.dead_letters import DeadLetter
from stenograph.model.feedback import Feedback
from stenograph.model.runs import RunPatch
from stenograph.store.meta.database import open_meta
from tests.commanding import Run
from tests.conftest import Server

MOMENT = 1_767_225_600_000_000


@dataclass(frozen=True)
class Desk:
    """A workspace of the test's own, the key of its admin, and a project in it."""

    workspace: UUID
    key: str
    project: UUID
    folder: Path

    def bury(self, *letters: DeadLetter) -> None:
        async def work() -> None:
            meta = await open_meta(f"sqlite:///{self.folder / 'meta.db'}")
            await meta.dead_letters.bury(letters)
            await meta.close()

        asyncio.run(work())

    def letter(self, at: int = 0, reason: str = "too deep", record: bytes | None = None) -> DeadLetter:
        run = uuid.uuid4()
        said = RunPatch(
            workspace=self.workspace, id=run, create=True, received_at=MOMENT, trace_id=run, project_id=self.project,
            dotted_order=f"20260101T000000000000Z{run}", name="lost", run_type="chain", start_time=MOMENT,
            end_time=MOMENT + 5, inputs=b'{"q":[1,"\xc3\xa9"]}',
        )  # fmt: skip
        given = Feedback(
            workspace=self.workspace, id=uuid.uuid4(), key="k", created_at=MOMENT, modified_at=MOMENT, run_id=run,
            score=1.0,
        )  # fmt: skip
        record = msgspec.msgpack.encode([said, given]) if record is None else record
        return DeadLetter(
            id=uuid.uuid4(), workspace=self.workspace, kind="run", subject_id=run, reason=reason, record=record,
            created_at=MOMENT + at,
        )  # fmt: skip


@pytest.fixture
def desk(
    server: Server,
    http: httpx.Client,
    issue_key: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
    run: Run,
) -> Desk:
    name = f"desk-{uuid.uuid4().hex[:8]}"
    key = issue_key(name, "admin")
    headers = {"x-api-key": key}
    made = http.post("/sessions", json={"name": "theirs"}, headers=headers).json()
    monkeypatch.setenv("STENOGRAPH_API_KEY", key)
    return Desk(UUID(made["tenant_id"]), key, UUID(made["id"]), server.data_dir)


def ids(*letters: DeadLetter) -> list[str]:
    return [str(letter.id) for letter in letters]


def test_letters_are_listed_exported_replayed_and_discarded(
    desk: Desk, run: Run, http: httpx.Client, tmp_path: Path
) -> None:
    assert run("dead-letters", "list").out == "No dead letter is waiting.\n"
    good, bad = desk.letter(), desk.letter(at=1, record=b"\xc1", reason="broken\nin two")
    desk.bury(good, bad)

    listed = [line for line in run("dead-letters", "list").out.splitlines() if "2026-01-01" in line]
    assert [line.split()[0] for line in listed] == ids(good, bad)
    assert "broken in two" in listed[1]
    rows = json.loads(run("dead-letters", "list", "--json").out)
    assert rows[0] == {
        "id": str(good.id), "workspace": str(desk.workspace), "kind": "run", "of": str(good.subject_id),
        "bytes": len(good.record), "created": "2026-01-01 00:00:00", "replayed": None, "reason": "too deep",
    }  # fmt: skip

    exported = run("dead-letters", "export", "-o", "letters.jsonl")
    assert (exported.status, exported.out, exported.err) == (0, "", "Exported 2 letters.\n")
    first, second = map(json.loads, (tmp_path / "letters.jsonl").read_text().splitlines())
    assert [item["kind"] for item in first["contents"]] == ["run", "feedback"]
    assert first["contents"][0]["inputs"] == {"q": [1, "é"]}
    assert (second["contents"], second["record"]) == (None, "wQ==")
    assert run("dead-letters", "export", "-o", "letters.jsonl").status == 2  # it is there

    replayed = run("dead-letters", "replay", "--all")
    assert replayed.status == 1
    assert replayed.out == ""
    assert f"{bad.id} unreadable: cannot be decoded" in replayed.err
    assert replayed.err.endswith("Replayed 2 letters: 1 stored, 1 unreadable.\n")
    stored = http.get(f"/runs/{good.subject_id}", headers={"x-api-key": desk.key}).json()
    assert (stored["name"], stored["inputs"], stored["status"]) == ("lost", {"q": [1, "é"]}, "success")
    assert stored["feedback_stats"]["k"]["n"] == 1
    assert [row["id"] for row in json.loads(run("dead-letters", "list", "--json").out)] == ids(bad)

    assert run("dead-letters", "discard", str(bad.id)).err == "Discarded 1 letter.\n"
    again = run("dead-letters", "discard", str(bad.id))
    assert (again.status, again.err) == (1, "Discarded 0 letters; 1 letter not there.\n")
    assert run("dead-letters", "discard", "--state", "replayed").err == "Discarded 1 letter.\n"
    assert json.loads(run("dead-letters", "list", "--state", "all", "--json").out) == []


def test_more_letters_than_one_page_has(desk: Desk, run: Run) -> None:
    many = [desk.letter(at) for at in range(520)]
    desk.bury(*many)
    listed = json.loads(run("dead-letters", "list", "--json").out)
    assert [row["id"] for row in listed] == ids(*many)
    assert run("dead-letters", "replay", *ids(*many[:3])).err == "Replayed 3 letters: 3 stored.\n"
    done = run("dead-letters", "discard", "--state", "all")
    assert (done.status, done.err) == (0, "Discarded 520 letters.\n")


@pytest.mark.parametrize(
    ("words", "status", "reason"),
    [
        (["replay"], 2, "say which letters"),
        (["discard"], 2, "say which letters"),
        (["replay", "x"], 2, "'x' is no id of a letter"),
        (["discard", "x", "--state", "all"], 2, "not both"),
        (["list", "--state", "lost"], 2, "'lost' is no state"),
        (["export", "--state", "lost"], 2, "'lost' is no state"),
        (["replay", str(uuid.UUID(int=7))], 1, "unknown: there is no such letter"),
        (["export", str(uuid.UUID(int=7))], 1, "Exported 0 letters; 1 letter not there."),
    ],
)
def test_what_cannot_be_done_is_said(
    desk: Desk, run: Run, words: list[str], status: int, reason: str
) -> None:
    ended = run("dead-letters", *words)
    assert (ended.status, ended.out) == (status, "")
    assert reason in ended.err


def test_only_admins_may(run: Run, issue_key: Callable[..., str], desk: Desk) -> None:
    ended = run("dead-letters", "list", "--api-key", issue_key("nobody's", "write"))
    assert ended.status == 2
    assert "role is 'write'" in ended.err


@pytest.mark.parametrize(
    ("method", "path", "body", "where"),
    [
        ("GET", "?state=lost", None, ["query", "state"]),
        ("GET", "?limit=0", None, ["query", "limit"]),
        ("GET", "?offset=-1", None, ["query", "offset"]),
        ("GET", "/x", None, ["path", "letter_id"]),
        ("POST", "/replay", {}, ["body"]),
        ("POST", "/replay", {"ids": []}, ["body", "ids"]),
        ("POST", "/discard", {"ids": [str(uuid.UUID(int=1))] * 101}, ["body", "ids"]),
        ("POST", "/discard", {"ids": ["\0"]}, ["body", "ids", "[0]"]),
    ],
)
def test_bad_requests(http: httpx.Client, method: str, path: str, body: object, where: list[str]) -> None:
    answer = http.request(method, f"/ui/api/dead-letters{path}", json=body)
    assert answer.status_code == 400, answer.text
    assert [str(step) for step in answer.json()["where"]] == where
