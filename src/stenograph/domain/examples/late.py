"""Runs that came before the example they refer to are written anew when it is there, and so get its metadata.

docs/decisions/040-runs-carry-their-examples-metadata.md
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final
from uuid import UUID

import structlog

from stenograph.domain.recording.recorder import Recorder
from stenograph.domain.runs import RunReader
from stenograph.errors import Overloaded
from stenograph.model.projects import ProjectQuery
from stenograph.model.query import RunQuery, RunSelection
from stenograph.model.runs import RunPatch
from stenograph.store.api import MetaStore

log = structlog.get_logger("stenograph.examples")

_AT_ONCE: Final = 5_000
"""Examples that one statement names by their ids."""

_ALL: Final = 10_000_000


class LateExamples:
    """Looks for the runs that have been waiting for an example."""

    def __init__(self, meta: MetaStore, runs: RunReader, recorder: Recorder) -> None:
        self._projects = meta.projects
        self._runs = runs
        self._recorder = recorder

    async def arrived(self, workspace: UUID, dataset_id: UUID, example_ids: Sequence[UUID]) -> None:
        """To be called once new examples can be read. Returns when what it takes is durable.

        Looks among the roots of the dataset's experiments, so it costs nothing where there are none. A run that
        arrives meanwhile finds its example by itself. While the run store does not answer nothing is done: the
        examples are written, and that is what their client has to hear.
        """
        experiments = await self._projects.find(
            ProjectQuery(workspace=workspace, reference_datasets=(dataset_id,))
        )
        if not experiments:
            return
        projects = tuple(project.id for project in experiments)
        try:
            for start in range(0, len(example_ids), _AT_ONCE):
                await self._write_anew(
                    RunSelection(
                        workspace=workspace,
                        projects=projects,
                        is_root=True,
                        reference_examples=tuple(example_ids[start : start + _AT_ONCE]),
                    )
                )
        except Overloaded as error:
            log.warning("runs do not get the metadata of their new example", error=error.message[:500])

    async def _write_anew(self, selection: RunSelection) -> None:
        found = await self._runs.page(RunQuery(selection=selection, columns=frozenset(), limit=_ALL))
        now = time.time_ns() // 1000
        # An update that says nothing: a run is worked out again whenever something is said of it.
        await self._recorder.accept(
            [
                RunPatch(
                    workspace=run.workspace,
                    id=run.id,
                    create=False,
                    received_at=now,
                    project_id=run.project_id,
                )
                for run in found
            ],
            [],
        )
