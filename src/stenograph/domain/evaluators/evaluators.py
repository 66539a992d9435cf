"""Evaluators: made, changed, versioned, deleted. A change is a new version; drafts are versions that are not live."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias
from uuid import UUID, uuid4

import msgspec

from stenograph.domain.evaluators import definitions
from stenograph.domain.evaluators.enabled import Enabled
from stenograph.domain.evaluators.python import PythonEvaluators
from stenograph.errors import Invalid, NotFound, Unsupported
from stenograph.model.evaluators import COMPUTED, Definition, Evaluator, EvaluatorType, Version
from stenograph.model.filters import Filter
from stenograph.store.api import MetaStore

MAX_MESSAGE: Final = 10_000
MAX_EVALUATORS: Final = 1000
"""Of a workspace: those that are enabled are gone through with every flush."""

ReadFilters: TypeAlias = "Callable[[bytes], Filter | None]"
"""From a list of filters in the language of the face that took it to what it means; Invalid where it means nothing."""


class Evaluators:
    """Evaluators of one workspace at a time. Callers check permissions."""

    def __init__(
        self,
        meta: MetaStore,
        enabled: Enabled,
        python: PythonEvaluators,
        read_filters: ReadFilters,
        *,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._store = meta.evaluators
        self._enabled = enabled
        self._python = python
        self._read_filters = read_filters
        self._clock = clock

    def check(self, definition: Definition) -> None:
        """Invalid for a definition that cannot be; Unsupported for one that is to run by itself, and cannot here."""
        definitions.check(definition)
        self._read_filters(bytes(definition.filters))
        if definition.enabled_in_prod and definition.type is EvaluatorType.PYTHON and self._python.problem:
            raise Unsupported(self._python.problem)

    async def create(self, workspace: UUID, definition: Definition, project: str = "") -> Evaluator:
        """With its first version, which is live. Conflict when the project has one of this name."""
        self.check(definition)
        if len(await self._store.find(workspace)) >= MAX_EVALUATORS:
            raise Invalid(f"a workspace has at most {MAX_EVALUATORS} evaluators")
        now, identity = self._clock() // 1000, uuid4()
        first = Version(
            id=uuid4(),
            workspace=workspace,
            evaluator_id=identity,
            number=1,
            message="Created",
            created_at=now,
            definition=definition,
        )
        new = Evaluator(
            id=identity, workspace=workspace, project=project, created_at=now, updated_at=None, live=first
        )
        await self._store.create(new)
        await self._enabled.refresh(workspace)
        return new

    async def find(
        self,
        workspace: UUID,
        *,
        ids: Sequence[UUID] | None = None,
        kind: EvaluatorType | None = None,
        project: str | None = None,
    ) -> list[Evaluator]:
        """Oldest first. With a `project` those for it and those for all projects."""
        return await self._store.find(workspace, ids, kind, project)

    async def read(self, workspace: UUID, evaluator_id: UUID) -> Evaluator:
        """NotFound when there is none."""
        found = await self._store.read(workspace, evaluator_id)
        if found is None:
            raise _unknown(evaluator_id)
        return found

    async def parts_of(self, workspace: UUID, definition: Definition) -> Mapping[str, Definition]:
        """The evaluators that a composite is made of, by name, as far as they are known; of any other type none."""
        if definition.type is not EvaluatorType.COMPOSITE:
            return {}
        names = {child.name for child in definition.child_metrics}
        return {
            each.definition.name: each.definition
            for each in await self._store.find(workspace)
            if each.definition.name in names
        }

    async def change(self, workspace: UUID, evaluator_id: UUID, definition: Definition) -> Evaluator:
        """A new version, live at once; none when nothing changes. NotFound, Invalid and Conflict as above."""
        found = await self.read(workspace, evaluator_id)
        if definition != found.definition:
            await self.add_version(workspace, evaluator_id, definition, "Updated", deploy=True)
        return await self.read(workspace, evaluator_id)

    async def delete(self, workspace: UUID, evaluator_id: UUID) -> None:
        """NotFound when there is none. What it has found stays with the runs."""
        if not await self._store.delete(workspace, evaluator_id):
            raise _unknown(evaluator_id)
        await self._enabled.refresh(workspace)

    # -- versions ----------------------------------------------------------------------------------------

    async def versions(self, workspace: UUID, evaluator_id: UUID) -> tuple[Evaluator, list[Version]]:
        """The evaluator, and all its versions, oldest first. NotFound when there is none."""
        return await self.read(workspace, evaluator_id), await self._store.versions(workspace, evaluator_id)

    async def add_version(
        self, workspace: UUID, evaluator_id: UUID, definition: Definition, message: str, *, deploy: bool
    ) -> Version:
        """A further version: live at once, or a draft. NotFound, Invalid and Conflict as above."""
        self.check(definition)
        if len(message) > MAX_MESSAGE or "\0" in message:
            raise Invalid(f"a message has at most {MAX_MESSAGE} characters, none of them NUL", ("message",))
        draft = Version(
            id=uuid4(),
            workspace=workspace,
            evaluator_id=evaluator_id,
            number=0,
            message=message,
            created_at=self._clock() // 1000,
            definition=definition,
        )
        added = await self._store.add(draft, deploy=deploy)
        if added is None:
            raise _unknown(evaluator_id)
        if deploy:
            await self._enabled.refresh(workspace)
        return added

    async def deploy(self, workspace: UUID, evaluator_id: UUID, name: str) -> Version:
        """The version of this name, live from now on. NotFound when there is no such evaluator or version."""
        wanted = next(
            (each for each in (await self.versions(workspace, evaluator_id))[1] if each.name == name), None
        )
        if wanted is None:
            raise NotFound(f"metric {evaluator_id} has no version {name[:100]!r}")
        self.check(wanted.definition)
        live = await self._store.deploy(workspace, evaluator_id, wanted.number, self._clock() // 1000)
        if live is None:
            raise _unknown(evaluator_id)
        await self._enabled.refresh(workspace)
        return live


def with_defaults(definition: Definition, *, enabled: bool | None) -> Definition:
    """The definition, enabled as stated; where nothing is stated, people's metrics are."""
    is_on = definition.type not in COMPUTED if enabled is None else enabled
    return msgspec.structs.replace(definition, enabled_in_prod=is_on)


def _unknown(evaluator_id: UUID) -> NotFound:
    return NotFound(f"metric {evaluator_id} not found")
