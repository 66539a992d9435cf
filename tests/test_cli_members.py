"""`stenograph members`: people invited, listed and removed without a server, and a fresh server that one opens."""

from __future__ import annotations

import json
import re
from pathlib import Path

import httpx
import pytest

from tests.commanding import Run, commands
from tests.conftest import Server
from tests.metadata import new_metadata


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Runs one command line on a data folder of the test's own."""
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    new_metadata(data / "meta.db")
    monkeypatch.setenv("STENOGRAPH_DATA_DIR", str(data))
    return commands(monkeypatch, capsys)


def listed(run: Run) -> dict[str | None, dict[str, str | None]]:
    rows: list[dict[str, str | None]] = json.loads(run("members", "list", "--json").out)
    return {row["name"]: row for row in rows}


def test_an_invitation_prints_the_link_alone(run: Run) -> None:
    told = run("members", "invite", "Ann", "--role", "admin", "--email", "ann@x.org")
    assert told.status == 0
    assert re.fullmatch(r"http://localhost:1984/ui/join#[0-9a-f]{64}\n", told.out)
    assert "Ann may join workspace default, role admin." in told.err
    assert "STENOGRAPH_PUBLIC_URL is not set" in told.err
    assert told.out.strip()[-64:] not in told.err
    ann = listed(run)["Ann"]
    assert (ann["email"], ann["workspace"], ann["role"]) == ("ann@x.org", "default", "admin")
    assert (ann["joined"], ann["seen"]) == (None, None)
    assert "ann@x.org" in run("members", "list").out


def test_a_link_is_the_address_that_others_reach(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STENOGRAPH_PUBLIC_URL", "https://steno.example.org/")
    told = run("members", "invite", "Ann")
    assert told.out.startswith("https://steno.example.org/ui/join#")
    assert "STENOGRAPH_PUBLIC_URL" not in told.err


def test_a_workspace_is_made_when_it_is_asked_for(run: Run) -> None:
    refused = run("members", "invite", "Ann", "--workspace", "Team A")
    assert (refused.status, "--new makes one" in refused.err, refused.out) == (2, True, "")
    assert run("members", "invite", "Ann", "--workspace", "Team A", "--new").status == 0
    assert listed(run)["Ann"]["workspace"] == "team-a"


def test_what_makes_no_sense_is_refused(run: Run) -> None:
    run("members", "invite", "Ann", "--email", "ann@x.org")
    run("members", "invite", "Bob")
    run("members", "invite", "bob", "--workspace", "Team", "--new")
    for arguments, says in (
        (("invite", "Eve", "--role", "ingest"), "no role of people"),
        (("invite", "Eve", "--email", "ANN@x.org"), "already exists"),
        (("invite", "Eve", "--email", "nobody"), "e-mail"),
        (("invite", ""), "A name has"),
        (("link", "Eve"), "no member 'Eve'"),
        (("remove", "Eve"), "no member 'Eve'"),
        (("remove", "BOB"), "several members"),
    ):
        told = run("members", *arguments)
        assert (told.status, told.out) == (2, ""), arguments
        assert says in told.err
    assert sorted(listed(run), key=str) == ["Ann", "Bob", "bob"]


def test_a_member_is_found_by_id_address_or_name_and_removed(run: Run) -> None:
    assert "no members" in run("members", "list").out
    for name in ("Ann", "Bob", "Cid"):
        run("members", "invite", name, "--email", f"{name}@x.org")
    found = listed(run)
    for wanted, name in ((str(found["Ann"]["id"]), "Ann"), ("bob@X.org", "Bob"), ("cid", "Cid")):
        told = run("members", "remove", wanted)
        assert (told.status, told.out) == (0, f"Removed {found[name]['id']} ({name}).\n")
    assert listed(run) == {}


def test_a_fresh_server_is_entered_by_a_link_alone(own_server: Server, run: Run) -> None:
    """No key was ever made; and a link that was made anew works where the former one does not any more."""
    data = ("--data-dir", str(own_server.data_dir))
    former = run("members", "invite", "Ann", "--role", "admin", *data).out.strip()
    link = run("members", "link", "Ann", *data).out.strip()
    own_server.options = ("--auth", "keys")
    own_server.start()
    with httpx.Client(base_url=own_server.url) as browser:
        for each, status in ((former, 404), (link, 200), (link, 404)):
            token = each.partition("#")[2]
            assert browser.post("/ui/api/join", json={"token": token}).status_code == status
        assert browser.get("/ui/api/me").json()["name"] == "Ann"
        bob = browser.post("/ui/api/members", json={"name": "Bob", "role": "read"})
        assert bob.status_code == 200
        rows = json.loads(run("keys", "list", "--json", *data).out)
        assert [(row["name"], row["role"], row["of"]) for row in rows] == [("sign-in", "admin", "Ann")]
        run("members", "remove", "Ann", *data)
        assert [row["name"] for row in json.loads(run("members", "list", "--json", *data).out)] == ["Bob"]
