"""When the first token came, of runs together with all that is below them."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from stenograph.domain.runs import RunReader
from stenograph.model.query import RunQuery, RunSelection
from stenograph.model.runs import Micros, Run, parse_dotted_order


async def first_tokens(reader: RunReader, workspace: UUID, runs: Sequence[Run]) -> dict[UUID, Micros]:
    """The earliest first token of each of these runs and its descendants; without any it is absent."""
    traces = tuple({run.trace_id for run in runs})
    if not traces:
        return {}
    wanted = {run.id for run in runs}
    family = await reader.apart(
        RunQuery(
            selection=RunSelection(workspace=workspace, traces=traces),
            columns=frozenset({"dotted_order", "first_token_time"}),
            limit=1_000_000,
        )
    )
    found: dict[UUID, Micros] = {}
    for run in family:
        at = run.first_token_time
        if at is None:
            continue
        for each in wanted.intersection((*_above(run), run.id)):
            found[each] = min(at, found.get(each, at))
    return found


def _above(run: Run) -> list[UUID]:
    """The run's ancestors; of what a client sent malformed only the root is known."""
    try:
        return [each for _, each in parse_dotted_order(run.dotted_order or "")]
    except ValueError:
        return [run.trace_id]
