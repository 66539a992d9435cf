"""The command line's `demo`: reads arguments, calls `demo`, prints where to look.

Standard output has the link alone; everything else goes to standard error.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Annotated

import typer

from stenograph.cli_transfer import DEFAULT_URL, Url

Key = Annotated[
    str | None,
    typer.Option(
        "--api-key",
        "--key",
        help="The API key of the workspace.",
        envvar=["STENOGRAPH_API_KEY", "LANGSMITH_API_KEY"],
        show_envvar=True,
    ),
]


def demo(
    url: Url = DEFAULT_URL,
    api_key: Key = None,
    days: Annotated[float, typer.Option(help="Over how many days the data is spread.")] = 7,
    seed: Annotated[int, typer.Option(help="Another seed makes other conversations.")] = 1,
    traces: Annotated[int, typer.Option(help="How many traces the support agent has.")] = 2000,
    until: Annotated[
        str | None, typer.Option(help="When the data ends. Default: now.", metavar="TIME")
    ] = None,
) -> None:
    """Fill a running server with data of a shop's support agent, to look around in.

    Conversations with errors and feedback, an audit of agents in large traces, a dataset with experiments, a queue,
    reports, and what HoneyHive's, Julep's and OpenTelemetry's clients would send. Running it again changes nothing.
    """
    from stenograph.demo.filling import Filling
    from stenograph.demo.plan import plan
    from stenograph.transfer.connection import Connection
    from stenograph.transfer.output import stoppable

    wanted = plan(until, days, seed, traces, datetime.now(UTC))
    with stoppable(), Connection(url, api_key) as server:
        page = Filling(server, _say).fill(wanted, until_was_said=until is not None)
    print(f"Have a look: {page}")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
