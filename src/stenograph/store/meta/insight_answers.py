"""What models have answered for reports, in the metadata store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from stenograph.model.insights import ModelAnswer
from stenograph.model.runs import Micros
from stenograph.store.meta import dialect, tables
from stenograph.store.meta.engine import Engine

_A: Final = tables.insight_answers.c
_P: Final = tables.projects.c


class InsightAnswers:
    """Implements `store.api.InsightAnswers`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def find(
        self, workspace: UUID, project_id: UUID, digests: Sequence[bytes]
    ) -> dict[bytes, ModelAnswer]:
        def work(connection: sa.Connection) -> dict[bytes, ModelAnswer]:
            found: dict[bytes, ModelAnswer] = {}
            for some in dialect.batches(list(dict.fromkeys(digests))):
                wanted = sa.select(tables.insight_answers).where(
                    _A.workspace_id == workspace, _A.project_id == project_id, _A.digest.in_(some)
                )
                for row in connection.execute(wanted):
                    found[bytes(row.digest)] = ModelAnswer(
                        digest=bytes(row.digest),
                        content=row.content,
                        prompt_tokens=row.prompt_tokens,
                        completion_tokens=row.completion_tokens,
                        job_id=row.job_id,
                        created_at=row.created_at,
                    )
            return found

        return await self._engine.read(work)

    async def keep(self, workspace: UUID, project_id: UUID, answer: ModelAnswer) -> bool:
        row = {name: getattr(answer, name) for name in answer.__struct_fields__}
        row |= {"workspace_id": workspace, "project_id": project_id}

        def work(connection: sa.Connection) -> bool:
            project = sa.select(_P.id).where(_P.workspace_id == workspace, _P.id == project_id)
            if connection.execute(project).first() is None:
                return False
            added = dialect.insert(connection, tables.insight_answers).values(row)
            connection.execute(added.on_conflict_do_nothing())
            return True

        return await self._engine.write(work)

    async def forget(self, before: Micros) -> int:
        gone = sa.delete(tables.insight_answers).where(_A.created_at < before)
        return await self._engine.change(gone)
