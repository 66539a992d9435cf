"""Examples: added, changed and deleted, each time as one version of their dataset; and read back as of any.

Here is what changes and deletes them. Reading is `reading.py`, adding `adding.py`, the steps of a write `writing.py`;
what an example must be (its dataset's schemas and transformations) is `rules.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from stenograph.domain.datasets.datasets import check_patch, unknown
from stenograph.domain.examples.adding import ExampleAdder
from stenograph.domain.examples.drafts import ExampleEdit, Written
from stenograph.domain.examples.rules import Rules
from stenograph.domain.examples.spool import ExampleSpool
from stenograph.domain.examples.writing import Write, in_turns, now, settled
from stenograph.errors import Conflict, Invalid, NotFound
from stenograph.model.datasets import Dataset, DatasetPatch
from stenograph.model.examples import ExampleChanges, ExamplePatch, ExampleQuery, ListChange, changed


class Examples(ExampleAdder):
    """The use-cases of examples. Callers check the permission; another workspace's examples are unknown here."""

    # -- changing ------------------------------------------------------------------------------------------

    async def edit(self, workspace: UUID, dataset_id: UUID, edits: Iterable[ExampleEdit]) -> Written:
        """All of these or none, as one version. Edits are gone through once and not kept in memory.

        NotFound for an unknown example, Conflict for another dataset's; SchemaViolations as for `add`.
        """
        ids: list[UUID] = []
        with ExampleSpool(ExamplePatch) as spool:
            async with self._writing.begun(workspace, dataset_id) as write:
                async for edit in in_turns(edits):
                    ids.append(edit.id)
                    spool.add(await self._writing.patch(write, edit))
                return await self._writing.commit(write, ids, ExampleChanges(patches=spool))

    async def edit_anywhere(self, workspace: UUID, edits: Sequence[ExampleEdit]) -> Written:
        """The same where the client does not say in which dataset: one version of each that is touched."""
        homes = await self._writing.homes(workspace, [edit.id for edit in edits])
        for edit in edits:
            if edit.dataset_id not in (None, homes[edit.id]):
                raise Conflict(f"example {edit.id} belongs to another dataset")
        as_of = 0
        for dataset_id in dict.fromkeys(homes.values()):
            these = [edit for edit in edits if homes[edit.id] == dataset_id]
            as_of = max(as_of, (await self.edit(workspace, dataset_id, these)).as_of)
        return Written(as_of, tuple(edit.id for edit in edits))

    async def edit_metadata(
        self,
        workspace: UUID,
        dataset_id: UUID,
        example_ids: Sequence[UUID],
        *,
        set_members: bytes | None = None,
        unset: tuple[str, ...] = (),
        lists: tuple[ListChange, ...] = (),
    ) -> list[UUID]:
        """Change the same members of the metadata of these; the ids of those that the dataset has."""
        async with self._datasets.writing(workspace, dataset_id):
            query = ExampleQuery(workspace=workspace, dataset_id=dataset_id)
            known = await self._writing.known(query, example_ids)
            patches = tuple(
                ExamplePatch(id=each, set_members=set_members, unset_members=unset, lists=lists)
                for each in dict.fromkeys(example_ids)
                if each in known
            )
            if patches:
                await self._store.change(workspace, dataset_id, ExampleChanges(patches=patches), now())
        return [patch.id for patch in patches]

    async def update_dataset(
        self, workspace: UUID, dataset_id: UUID, patch: DatasetPatch, edits: Sequence[ExampleEdit] = ()
    ) -> Dataset:
        """Change a dataset, together with examples that a new schema would not allow as they are.

        SchemaViolations when examples would be left that the new schemas do not allow.
        """
        check_patch(patch)
        async with self._writing.begun(workspace, dataset_id) as write:
            await self._check_baseline(write.dataset, patch.baseline_experiment_id)
            write.rules = Rules(_patched(write.dataset, patch))
            patches = tuple([await self._writing.patch(write, edit) for edit in edits])
            if write.rules.demands and not {patch.inputs_schema, patch.outputs_schema} <= {UNSET}:
                await self._check_all(write, {each.id: each for each in patches})
            write.violations.raise_if_any()
            changes = ExampleChanges(patches=patches)
            update = self._dataset_store.update(workspace, dataset_id, patch, now(), changes)
            found = await settled(write, update)
            if found is None:
                write.made = False
                raise unknown(dataset_id)
        return found

    async def _check_baseline(self, dataset: Dataset, experiment: UUID | UnsetType | None) -> None:
        if experiment is UNSET or experiment is None:
            return
        project = await self._projects.read(dataset.workspace, experiment)
        if project is None or project.reference_dataset_id != dataset.id:
            raise Invalid(
                f"{experiment} is no experiment over this dataset", ("body", "baseline_experiment_id")
            )

    async def _check_all(self, write: Write, patches: Mapping[UUID, ExamplePatch]) -> None:
        """Hold every example, as it will be, against the rules."""
        async for page in self.walk(ExampleQuery(workspace=write.workspace, dataset_id=write.dataset.id)):
            for example in page:
                patch = patches.get(example.id)
                after = example if patch is None else changed(example, patch, 0, 0)
                problems = write.rules.problems(after.inputs, after.outputs)
                write.violations.add(problems, example.id, ("body",))
            await asyncio.sleep(0)

    # -- deleting ------------------------------------------------------------------------------------------

    async def delete(self, workspace: UUID, example_ids: Sequence[UUID]) -> None:
        """Gone from the newest version on, and still there as of an earlier one. NotFound for an unknown one."""
        homes = await self._writing.homes(workspace, example_ids)
        for dataset_id in dict.fromkeys(homes.values()):
            these = tuple(each for each in homes if homes[each] == dataset_id)
            await self._store.change(workspace, dataset_id, ExampleChanges(deletes=these), now())

    async def delete_from(self, workspace: UUID, dataset_id: UUID, example_id: UUID) -> None:
        """The same for one example of this dataset; nothing happens when it is deleted already."""
        async with self._datasets.writing(workspace, dataset_id):
            homes = await self._writing.homes(workspace, [example_id])
            if homes[example_id] != dataset_id:
                raise NotFound(f"example not found: {example_id}")
            query = ExampleQuery(workspace=workspace, dataset_id=dataset_id, ids=(example_id,))
            if await self._store.ids(query):
                await self._store.change(workspace, dataset_id, ExampleChanges(deletes=(example_id,)), now())

    async def wipe(self, workspace: UUID, example_ids: Sequence[UUID]) -> list[UUID]:
        """Remove examples from every version, with their files; the ids of those that were there."""
        homes = await self._store.datasets_of(workspace, example_ids)
        files = await self._store.files(workspace, list(homes))
        for dataset_id in dict.fromkeys(homes.values()):
            these = tuple(each for each in homes if homes[each] == dataset_id)
            await self._store.change(workspace, dataset_id, ExampleChanges(wipes=these), now())
        await self._blobs.delete(files)
        return [each for each in dict.fromkeys(example_ids) if each in homes]


def _patched(dataset: Dataset, patch: DatasetPatch) -> Dataset:
    stated = {field: value for field, value in msgspec.structs.asdict(patch).items() if value is not UNSET}
    found: Dataset = msgspec.structs.replace(dataset, **stated)
    return found
