"""The command line as a person or a script uses it: arguments in; output, errors and exit status out."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import types
from pathlib import Path

import pytest

import stenograph
from stenograph import cli
from stenograph.settings import Settings, read_settings
from tests.commanding import Ended, Run, commands

ROOT = Path(__file__).parents[1]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Runs one command line on a data folder of the test's own."""
    monkeypatch.setenv("STENOGRAPH_DATA_DIR", str(tmp_path / "data"))
    return commands(monkeypatch, capsys)


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[Settings]:
    """Collects what the server would have been started with."""
    started: list[Settings] = []

    def serve(settings: Settings, banner: object) -> int:
        started.append(settings)
        return 7

    server = types.ModuleType("stenograph.main")
    server.serve = serve  # type: ignore[attr-defined]
    monkeypatch.setattr(stenograph, "main", server, raising=False)
    return started


# -- in general ------------------------------------------------------------------------------------------


def test_version(run: Run) -> None:
    assert run("version") == Ended(0, f"{stenograph.__version__}\n", "")


def test_the_module_is_the_command() -> None:
    told = subprocess.run(
        [sys.executable, "-m", "stenograph", "version"],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout == f"{stenograph.__version__}\n"


def test_help_names_the_commands_and_not_the_hidden_one(run: Run) -> None:
    told = run("--help")
    assert told.status == 0
    assert all(command in told.out for command in ("serve", "keys", "doctor", "version"))
    assert "settings-page" not in told.out


def test_help_loads_no_server() -> None:
    code = (
        "import sys; from stenograph import cli; sys.argv = ['stenograph', '--help']\n"
        "try: cli.main()\n"
        "except SystemExit: print([n for n in ('pydantic', 'fastapi', 'sqlalchemy') if n in sys.modules])"
    )
    told = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.splitlines()[-1] == "[]"


def test_an_unknown_option_is_a_usage_error(run: Run) -> None:
    told = run("serve", "--colour", "green")
    assert told.status == 2
    assert "--colour" in told.err


def test_the_settings_page_is_what_the_docs_have(run: Run) -> None:
    assert run("settings-page").out == (ROOT / "docs" / "settings.md").read_text()


# -- serve -----------------------------------------------------------------------------------------------


def test_serve_passes_its_options_on_and_ends_with_the_servers_status(
    run: Run, served: list[Settings], tmp_path: Path
) -> None:
    told = run("serve", "--port", "0", "--log-level", "debug", "--log-format", "json", "--auth", "open")
    assert told == Ended(7, "", "")
    (settings,) = served
    assert (settings.port, settings.log_level, settings.log_format) == (0, "debug", "json")
    assert settings.data_dir == tmp_path / "data"
    assert settings.auth_open


def test_serve_refuses_a_setting_it_cannot_use(run: Run, served: list[Settings]) -> None:
    told = run("serve", "--port", "99999")
    assert told.status == 2
    assert told.err == (
        "stenograph: port (STENOGRAPH_PORT) is '99999': should be less than or equal to 65535\n"
    )
    assert not served


def test_serve_points_out_a_slip_and_goes_on(
    run: Run, served: list[Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STENOGRAPH_PROT", "80")
    told = run("serve")
    assert "STENOGRAPH_PROT is no setting; did you mean STENOGRAPH_PORT?" in told.err
    assert len(served) == 1


@pytest.mark.parametrize("option", [("--host", "0.0.0.0"), ("--auth", "keys")])
def test_serve_that_wants_keys_does_not_start_before_there_is_one(
    option: tuple[str, str], run: Run, served: list[Settings]
) -> None:
    refused = run("serve", *option)
    assert refused.status == 2
    assert "stenograph keys create\n" in refused.err
    assert not served
    run("keys", "create")
    assert run("serve", *option).status == 7
    assert not served[0].auth_open


def test_a_revoked_key_does_not_let_it_start(run: Run, served: list[Settings]) -> None:
    secret = run("keys", "create").out.strip()
    run("keys", "revoke", secret[-4:])
    assert run("serve", "--host", "0.0.0.0").status == 2
    assert not served


def test_the_command_it_names_creates_the_key_in_the_same_folder(
    run: Run, served: list[Settings], tmp_path: Path
) -> None:
    elsewhere = str(tmp_path / "else where")
    refused = run("serve", "--host", "0.0.0.0", "--data-dir", elsewhere)
    assert f"stenograph keys create --data-dir '{elsewhere}'" in refused.err
    run("keys", "create", "--data-dir", elsewhere)
    assert run("serve", "--host", "0.0.0.0", "--data-dir", elsewhere).status == 7


def test_open_on_an_address_that_others_reach_is_refused(run: Run, served: list[Settings]) -> None:
    assert run("serve", "--host", "0.0.0.0", "--auth", "open").status == 2
    assert not served


def test_the_banner_of_an_open_server() -> None:
    text = cli.banner(read_settings({"data_dir": "/data"}), auth_open=True)
    assert "\n  data       /data\n" in text
    assert "open" in text
    assert (
        "export LANGSMITH_ENDPOINT=http://localhost:1984 LANGSMITH_TRACING=true LANGSMITH_API_KEY=anything\n"
        in text
    )


def test_the_banner_of_a_server_with_keys() -> None:
    text = cli.banner(read_settings({"host": "0.0.0.0", "port": 80}), auth_open=False)
    assert "address 0.0.0.0, port 80" in text
    assert "LANGSMITH_ENDPOINT=http://localhost:80 " in text
    assert "LANGSMITH_API_KEY=<your key>" in text


# -- keys ------------------------------------------------------------------------------------------------


def listed(run: Run) -> list[dict[str, str | None]]:
    rows: list[dict[str, str | None]] = json.loads(run("keys", "list", "--json").out)
    return rows


def test_a_new_key_alone_is_on_standard_output(run: Run) -> None:
    told = run("keys", "create", "--role", "ingest", "--name", "the agent")
    assert told.status == 0
    assert re.fullmatch(r"sk_steno_\S{43}\n", told.out)
    assert told.out.strip() not in told.err
    (row,) = listed(run)
    assert row["id"] is not None
    assert row["id"] in told.err
    assert (row["role"], row["name"], row["workspace"]) == ("ingest", "the agent", "default")
    assert row["hint"] == told.out.strip()[-4:]
    assert row["revoked"] is None


def test_the_key_itself_is_not_kept(run: Run, tmp_path: Path) -> None:
    secret = run("keys", "create").out.strip()
    files = [path for path in (tmp_path / "data").rglob("*") if path.is_file()]
    assert files
    assert not any(secret.encode() in path.read_bytes() for path in files)
    assert secret not in run("keys", "list").out


def test_the_data_folder_is_made_for_its_owner_only(run: Run, tmp_path: Path) -> None:
    run("keys", "create")
    assert (tmp_path / "data").stat().st_mode & 0o077 == 0


def test_a_data_folder_that_cannot_be_made_is_said(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    told = run("keys", "list", "--data-dir", str(tmp_path / "file" / "data"))
    assert told.status == 2
    assert "cannot be made: Not a directory" in told.err


def test_a_workspace_is_made_only_when_asked_for(run: Run) -> None:
    refused = run("keys", "create", "--workspace", "Team A")
    assert refused.status == 2
    assert "there are default" in refused.err
    assert run("keys", "create", "--workspace", "Team A", "--new").status == 0
    for name in ("Team A", "team-a"):
        assert run("keys", "create", "--workspace", name, "--new").status == 0
    assert [row["workspace"] for row in listed(run)] == ["team-a"] * 3


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [("--role", "boss", "there are ingest, read, write, admin"), ("--name", "", "1 to 200 printable")],
)
def test_what_a_key_cannot_be_is_said(option: str, value: str, words: str, run: Run) -> None:
    told = run("keys", "create", option, value)
    assert (told.status, told.out) == (2, "")
    assert words in told.err
    assert listed(run) == []


def test_a_key_is_revoked_by_id_or_by_hint(run: Run) -> None:
    secrets = [run("keys", "create").out.strip() for _ in range(2)]
    first = listed(run)[0]["id"]
    assert first is not None
    assert run("keys", "revoke", first).out == f"Revoked {first} (command line).\n"
    assert run("keys", "revoke", secrets[1][-4:]).status == 0
    assert all(row["revoked"] for row in listed(run))


@pytest.mark.parametrize("key", ["zzzzz", "-abc", "--x", "00000000-0000-4000-8000-000000000009"])
def test_revoking_what_is_not_there_is_said(key: str, run: Run) -> None:
    run("keys", "create")
    told = run("keys", "revoke", key)
    assert told.status == 2
    assert key in told.err
    assert listed(run)[0]["revoked"] is None


def test_the_list_is_a_line_a_key(run: Run) -> None:
    assert "There are no keys" in run("keys", "list").out
    secret = run("keys", "create", "--name", "[bold]not markup[/bold]").out.strip()
    lines = [line for line in run("keys", "list").out.splitlines() if f"…{secret[-4:]}" in line]
    assert len(lines) == 1
    assert "[bold]not markup[/bold]" in lines[0]


# -- doctor ----------------------------------------------------------------------------------------------


def test_doctor_says_what_it_found_and_ends_with_0_when_all_is_well(run: Run) -> None:
    told = run("doctor", "--port", "0", "--json")
    report = json.loads(told.out)
    assert [one for one in report["checks"] if one["result"] == "problem"] == []
    assert (told.status, report["ok"], report["version"]) == (0, True, stenograph.__version__)
    assert {one["check"] for one in report["checks"]} >= {"engine", "metadata", "keys", "disk sync"}


def test_doctor_ends_with_1_and_says_what_to_do_when_there_is_a_problem(run: Run) -> None:
    told = run("doctor", "--port", "0", "--host", "0.0.0.0")
    assert told.status == 1
    assert re.search(r"^problem +keys +keys are needed and there is none$", told.out, re.MULTILINE)
    assert re.search(r"^ +→ Create one: stenograph keys create$", told.out, re.MULTILINE)
