"""The command line: reads arguments, calls what does the work, prints.

What a command needs is imported inside it, so that `--help` answers at once.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from stenograph import __version__
from stenograph.cli_access import (
    AsJson,
    DataDir,
    InWorkspace,
    New,
    Refused,
    day,
    operator,
    print_table,
    with_access,
    workspace_for,
)
from stenograph.cli_dead_letters import dead_letters_app
from stenograph.cli_demo import demo
from stenograph.cli_members import members_app
from stenograph.cli_transfer import export_app, import_app

if TYPE_CHECKING:
    from stenograph.doctor import Finding
    from stenograph.domain.access import Access
    from stenograph.model.access import ApiKey, Workspace
    from stenograph.settings import Settings

app = typer.Typer(
    help="The record of every LLM session.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # they print local variables
)
keys_app = typer.Typer(help="API keys: create, list, revoke.", no_args_is_help=True)
app.add_typer(keys_app, name="keys")
app.add_typer(members_app, name="members")
app.add_typer(export_app, name="export")
app.add_typer(import_app, name="import")
app.add_typer(dead_letters_app, name="dead-letters")
app.command("demo")(demo)

Host = Annotated[str | None, typer.Option(help="Address to listen on.")]
Port = Annotated[str | None, typer.Option(help="Port to listen on; 0 takes any free one.")]
Auth = Annotated[str | None, typer.Option(help="auto, open or keys.")]


def main() -> None:
    """The entry point. Exits with 0, with 1 when something is wrong, with 2 when what was asked for is."""
    try:
        app(prog_name="stenograph")
    except Exception as error:
        status = _exit_status(error)
        if status is None:
            raise
        print(f"stenograph: {error}", file=sys.stderr)
        sys.exit(status)


def _exit_status(error: Exception) -> int | None:
    """None for what is a bug: its traceback is wanted."""
    from stenograph.errors import CallerError, StenographError
    from stenograph.settings import SettingsError

    if isinstance(error, SettingsError | CallerError | Refused):
        return 2
    return 1 if isinstance(error, StenographError) else None


@app.command()
def version() -> None:
    """Print the version."""
    print(__version__)


@app.command()
def serve(
    host: Host = None,
    port: Port = None,
    data_dir: DataDir = None,
    auth: Auth = None,
    log_level: Annotated[str | None, typer.Option(help="debug, info, warning or error.")] = None,
    log_format: Annotated[str | None, typer.Option(help="auto, console or json.")] = None,
) -> None:
    """Run the server. Options win over the STENOGRAPH_ variables of the environment."""
    from stenograph.settings import read_settings, unknown_variables

    settings = read_settings(
        {
            "host": host,
            "port": port,
            "data_dir": data_dir,
            "auth": auth,
            "log_level": log_level,
            "log_format": log_format,
        }
    )
    for sentence in unknown_variables():
        print(f"stenograph: warning: {sentence}", file=sys.stderr)
    if not settings.auth_open:
        _require_key(settings, data_dir)

    from stenograph import main as server

    raise typer.Exit(server.serve(settings, lambda bound: banner(bound, bound.auth_open)))


def _require_key(settings: Settings, data_dir: str | None) -> None:
    """Nobody could use a server that wants keys and has none; and nobody should find it open instead."""

    if not with_access(settings, lambda access: access.has_keys()):
        option = f" --data-dir '{data_dir}'" if data_dir else ""
        raise Refused(
            f"at {settings.host}, with auth={settings.auth}, clients need API keys and there is none yet. "
            f"Create one first, or invite a person:\n    stenograph keys create{option}\n"
            f"    stenograph members invite 'Your Name' --role admin{option}"
        )


def banner(settings: Settings, auth_open: bool) -> str:
    """What `serve` prints once it listens: where, where the data lives, who may come in, what to paste."""
    key = "anything" if auth_open else "<your key>"
    who = "open: any program of this machine, with or without a key" if auth_open else "by API key"
    return (
        f"Stenograph {__version__}\n"
        f"  listening  {settings.local_url} (address {settings.host}, port {settings.port})\n"
        f"  data       {settings.data_dir}\n"
        f"  auth       {who}\n"
        f"\n"
        f"  export LANGSMITH_ENDPOINT={settings.local_url} LANGSMITH_TRACING=true LANGSMITH_API_KEY={key}\n"
    )


# -- keys --------------------------------------------------------------------------------------------------


@keys_app.command("create")
def create_key(
    workspace: InWorkspace = "default",
    new: New = False,
    role: Annotated[str, typer.Option(help="ingest, read, write or admin.")] = "write",
    name: Annotated[str, typer.Option(help="What the key is for.")] = "command line",
    data_dir: DataDir = None,
) -> None:
    """Create a key and print it, this once: only its hash is kept."""
    from stenograph.model.access import IssuedKey, Role
    from stenograph.settings import read_settings

    if role not in list(Role):
        raise Refused(f"{role!r} is no role; there are {', '.join(Role)}")

    async def create(access: Access) -> tuple[Workspace, IssuedKey]:
        owner = await workspace_for(access, workspace, new)
        return owner, await access.create_key(operator(), name, Role(role), owner.id)

    owner, issued = with_access(read_settings({"data_dir": data_dir}), create)
    note = f"Key {issued.key.id} of workspace {owner.handle}, role {role}. It is shown this once:"
    print(note, file=sys.stderr)
    print(issued.secret)


@keys_app.command("list")
def list_keys(as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """List the keys of every workspace, revoked ones too."""
    from stenograph.settings import read_settings

    found = with_access(read_settings({"data_dir": data_dir}), _all_keys)
    if as_json:
        print(json.dumps([_key_row(workspace, key) for workspace, key in found], indent=2))
    elif not found:
        print("There are no keys. `stenograph keys create` makes one.")
    else:
        rows = [_key_row(workspace, key) for workspace, key in found]
        print_table(rows, whole=("id", "hint"), past="revoked")


async def _all_keys(access: Access) -> list[tuple[Workspace, ApiKey]]:
    return [
        (workspace, key)
        for workspace in await access.list_workspaces(operator())
        for key in await access.list_keys(operator(), workspace.id)
    ]


def _key_row(workspace: Workspace, key: ApiKey) -> dict[str, str | None]:
    return {
        "id": str(key.id),
        "hint": key.hint,
        "workspace": workspace.handle,
        "role": None if key.reach is None else key.reach.value,
        "name": key.name,
        "of": None if key.holder is None else key.holder.name,
        "created": day(key.created_at),
        "expires": day(key.expires_at),
        "revoked": day(key.revoked_at),
    }


# A hint may begin with a hyphen.
@keys_app.command("revoke", context_settings={"ignore_unknown_options": True})
def revoke_key(
    key: Annotated[str, typer.Argument(help="The key's id, or its hint: the last four characters.")],
    data_dir: DataDir = None,
) -> None:
    """Revoke a key. A running server refuses it within seconds."""
    from stenograph.settings import read_settings

    async def revoke(access: Access) -> ApiKey:
        wanted = key.lstrip("…")
        there_are = await _all_keys(access)
        active = [one for one in there_are if one[1].revoked_at is None]
        found = [one for one in there_are if str(one[1].id) == wanted]
        found = found or [one for one in active if one[1].hint == wanted]
        if not found:
            raise Refused(f"there is no active key with the id or hint {key!r}; see: stenograph keys list")
        if len(found) > 1:
            ids = ", ".join(str(one[1].id) for one in found)
            raise Refused(f"several keys end in {key!r}; say which by its id: {ids}")
        workspace, match = found[0]
        return await access.revoke_key(operator(), match.id, workspace.id)

    revoked = with_access(read_settings({"data_dir": data_dir}), revoke)
    print(f"Revoked {revoked.id} ({revoked.name}).")


# -- looking after it --------------------------------------------------------------------------------------


@app.command()
def doctor(
    as_json: AsJson = False,
    host: Host = None,
    port: Port = None,
    data_dir: DataDir = None,
    auth: Auth = None,
) -> None:
    """Check the machine, the settings and the data. Exits with 1 when there is a problem."""
    from stenograph.doctor import examine
    from stenograph.settings import read_settings

    settings = read_settings({"host": host, "port": port, "data_dir": data_dir, "auth": auth})
    findings: list[Finding] = []
    for finding in examine(settings):
        findings.append(finding)
        if not as_json:
            _print_finding(finding)
    well = all(finding.result != "problem" for finding in findings)
    if as_json:
        print(json.dumps({"version": __version__, "ok": well, "checks": [_as_dict(one) for one in findings]}))
    raise typer.Exit(0 if well else 1)


def _as_dict(finding: Finding) -> dict[str, str]:
    return {
        "check": finding.check,
        "result": finding.result,
        "found": finding.found,
        "advice": finding.advice,
    }


def _print_finding(finding: Finding) -> None:
    from rich.console import Console
    from rich.text import Text

    color = {"ok": "green", "warning": "yellow", "problem": "red"}[finding.result]
    console = Console(highlight=False, soft_wrap=True)
    console.print(Text.assemble((f"{finding.result:<8}", color), f" {finding.check:<12} {finding.found}"))
    if finding.advice:
        console.print(Text(f"{'':<21} → {finding.advice}"))


@app.command("settings-page", hidden=True)
def print_settings_page() -> None:
    """Print docs/settings.md."""
    from stenograph.settings_page import settings_page

    print(settings_page(), end="")
