"""Examples: added, changed and deleted, each time as one version of their dataset; and read back as of any.

What an example must be (its dataset's schemas and transformations) is `example_rules.py`. Callers check the
permission; another workspace's examples are unknown here.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterable, AsyncIterator, Coroutine, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeVar
from uuid import UUID, uuid4

import msgspec
from msgspec import UNSET, UnsetType

from stenograph.domain.attachments import attachment_key, example_file_key
from stenograph.domain.datasets.datasets import AsOf, Datasets, check_filter, check_patch, unknown
from stenograph.domain.examples.late import LateExamples
from stenograph.domain.examples.rules import Rules, SchemaViolations
from stenograph.domain.examples.spool import ExampleSpool
from stenograph.domain.runs import RunReader
from stenograph.errors import Conflict, Invalid, NotFound
from stenograph.model.datasets import Dataset, DatasetPatch
from stenograph.model.examples import (
    Example,
    ExampleChanges,
    ExampleFile,
    ExamplePatch,
    ExampleQuery,
    FileOperations,
    ListChange,
    NewExample,
    changed,
    contained,
    with_splits,
)
from stenograph.model.runs import Micros
from stenograph.store.api import BlobStore, MetaStore

PAGE: Final = 100
"""Examples read at a time where a whole dataset is gone through: they may be large."""

MAX_ASKED: Final = 1000
"""Ids asked for at a time."""

_TURN: Final = 64
_TURN_BYTES: Final = 1 << 20
"""Examples, and bytes of them, prepared before others get their turn on the event loop."""


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file that comes with an example, not stored yet."""

    name: str
    mime_type: str
    data: bytes | memoryview


@dataclass(frozen=True, slots=True, kw_only=True)
class ExampleDraft:
    """An example as a client wants it: payloads are checked JSON, nothing else has been looked at.

    Inputs are needed unless they are taken from the source run: `use_source_run_io` takes from it what the draft
    does not state, and all its files; `source_run_files` takes the files of these names. `where` is where the
    client wrote it.
    """

    id: UUID | None = None
    inputs: bytes | None = None
    outputs: bytes | None = None
    metadata: bytes | None = None
    splits: tuple[str, ...] | None = None
    created_at: Micros | None = None
    source_run_id: UUID | None = None
    use_source_run_io: bool = False
    source_run_files: tuple[str, ...] = ()
    files: tuple[NewFile, ...] = ()
    where: tuple[str | int, ...] = ("body",)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExampleEdit:
    """Changes to an example as a client wants them; see `ExamplePatch` for what they mean.

    `dataset_id` is where the client takes it to be, when it says so.
    """

    id: UUID
    dataset_id: UUID | None = None
    inputs: bytes | None = None
    outputs: bytes | None = None
    metadata: bytes | None = None
    splits: tuple[str, ...] | None = None
    files: tuple[NewFile, ...] = ()
    operations: FileOperations | None = None
    where: tuple[str | int, ...] = ("body",)


Wanted = TypeVar("Wanted", ExampleDraft, ExampleEdit)
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Written:
    """A write that is done: ids in the order of the request, and the moment from which it is seen."""

    as_of: Micros
    ids: tuple[UUID, ...]


@dataclass(slots=True)
class _Write:
    """A write in the making, and the keys of the files that were stored for it."""

    workspace: UUID
    dataset: Dataset
    rules: Rules
    with_files: bool = True
    violations: SchemaViolations = field(default_factory=SchemaViolations)
    stored: list[str] = field(default_factory=list)


class Examples:
    """The use-cases of examples."""

    def __init__(
        self, meta: MetaStore, blobs: BlobStore, datasets: Datasets, runs: RunReader, late: LateExamples
    ) -> None:
        self._store = meta.examples
        self._dataset_store = meta.datasets
        self._projects = meta.projects
        self._blobs = blobs
        self._datasets = datasets
        self._runs = runs
        self._late = late

    # -- reading -------------------------------------------------------------------------------------------

    async def find(self, query: ExampleQuery) -> list[Example]:
        """One page of what matches."""
        _check_query(query)
        return await self._store.find(query)

    async def count(self, query: ExampleQuery) -> int:
        """How many match, whatever the page."""
        _check_query(query)
        return await self._store.count(query)

    async def walk(self, query: ExampleQuery) -> AsyncIterator[list[Example]]:
        """All that match, whatever the page, some at a time; writes that go on meanwhile are not seen when the
        query says as of when."""
        _check_query(query)
        ids = await self._store.ids(query)
        for start in range(0, len(ids), PAGE):
            part = msgspec.structs.replace(query, ids=tuple(ids[start : start + PAGE]), offset=0, limit=None)
            yield await self._store.find(part)

    async def written(
        self, workspace: UUID, dataset_id: UUID, written: Written
    ) -> AsyncIterator[list[Example]]:
        """What was just written, as it was then, some at a time, in the order of the write."""
        query = ExampleQuery(workspace=workspace, dataset_id=dataset_id, as_of=written.as_of)
        for start in range(0, len(written.ids), PAGE):
            ids = written.ids[start : start + PAGE]
            found = await self._store.find(msgspec.structs.replace(query, ids=ids))
            place = {example_id: at for at, example_id in enumerate(ids)}
            yield sorted(found, key=lambda example: place[example.id])

    async def read(
        self, workspace: UUID, example_id: UUID, as_of: AsOf = None, dataset_id: UUID | None = None
    ) -> Example:
        """The example as it was then; NotFound when it was not there, or is not in that dataset."""
        home = (await self._store.datasets_of(workspace, [example_id])).get(example_id)
        if home is None or (dataset_id is not None and home != dataset_id):
            raise NotFound(f"example not found: {example_id}")
        moment = await self._datasets.moment(workspace, home, as_of)
        found = await self._store.find(
            ExampleQuery(workspace=workspace, ids=(example_id,), as_of=moment, limit=1)
        )
        if not found:
            raise NotFound(f"example not found: {example_id}")
        return found[0]

    # -- adding --------------------------------------------------------------------------------------------

    async def add(
        self, workspace: UUID, dataset_id: UUID, drafts: Iterable[ExampleDraft] | AsyncIterable[ExampleDraft]
    ) -> Written:
        """All of these or none, as one version. Drafts are gone through once and not kept in memory.

        SchemaViolations names the first examples at fault; Conflict when an id is taken; NotFound for an
        unknown dataset or source run.
        """
        with ExampleSpool(NewExample) as spool:
            async with self._writing(workspace, dataset_id) as write:
                ids = await self._prepare(write, drafts, spool)
                written = await self._commit(write, ids, ExampleChanges(creates=spool))
        await self._late.arrived(workspace, dataset_id, ids)
        return written

    async def _prepare(
        self,
        write: _Write,
        drafts: Iterable[ExampleDraft] | AsyncIterable[ExampleDraft],
        spool: ExampleSpool[NewExample],
    ) -> list[UUID]:
        """Puts all into the spool; their ids. None is in memory afterwards: the last one may be huge."""
        ids: list[UUID] = []
        async for draft in in_turns(drafts):
            new = await self._new(write, draft)
            ids.append(new.id)
            spool.add(new)
        return ids

    async def upsert(
        self, workspace: UUID, dataset_id: UUID, ids: Sequence[UUID], drafts: Iterable[ExampleDraft]
    ) -> Written:
        """Add those that are not there and change those that are, by what each draft states: one version.

        `ids` are those of the drafts, in their order. Errors as for `add` and `edit`.
        """
        with ExampleSpool(NewExample) as creates, ExampleSpool(ExamplePatch) as patches:
            async with self._writing(workspace, dataset_id) as write:
                known = await self._known(ExampleQuery(workspace=workspace), ids)
                async for draft in in_turns(drafts):
                    if draft.id in known:
                        patches.add(await self._patch(write, _as_edit(draft, draft.id)))
                    else:
                        creates.add(await self._new(write, draft))
                changes = ExampleChanges(creates=creates, patches=patches)
                written = await self._commit(write, ids, changes)
        await self._late.arrived(workspace, dataset_id, [each for each in ids if each not in known])
        return written

    async def validate(
        self, workspace: UUID, dataset_id: UUID, drafts: Sequence[ExampleDraft]
    ) -> list[NewExample]:
        """What `add` would make of these, files aside; raises what it would of their content. Writes nothing."""
        dataset = await self._datasets.read(workspace, dataset_id)
        write = _Write(workspace, dataset, Rules(dataset), with_files=False)
        checked = [await self._new(write, replace(draft, files=())) async for draft in in_turns(drafts)]
        write.violations.raise_if_any()
        return checked

    async def _new(self, write: _Write, draft: ExampleDraft) -> NewExample:
        example_id = draft.id or uuid4()
        inputs, outputs, extra = draft.inputs, draft.outputs, None
        files = {file.name: await self._put(write, file) for file in draft.files}
        if draft.source_run_id is not None and (draft.use_source_run_io or draft.source_run_files):
            run = await self._runs.one(
                write.workspace, draft.source_run_id, frozenset({"inputs", "outputs", "extra", "attachments"})
            )
            extra = run.extra
            if draft.use_source_run_io:
                inputs = run.inputs if inputs is None else inputs
                outputs = run.outputs if outputs is None else outputs
            for file in (run.attachments or ()) if write.with_files else ():
                wanted = draft.use_source_run_io or file.name in draft.source_run_files
                if wanted and file.name not in files:
                    data = await self._blobs.get(attachment_key(write.workspace, run.id, file.name))
                    copy = NewFile(file.name, file.mime_type, data)
                    files[file.name] = await self._put(write, copy)
        if inputs is None:
            raise Invalid(f"example {example_id} has no inputs", where=(*draft.where, "inputs"))
        shaped, outputs = write.rules.shaped(inputs, outputs, extra)
        inputs = inputs if shaped is None else shaped
        write.violations.add(write.rules.problems(inputs, outputs), example_id, draft.where)
        return NewExample(
            id=example_id,
            inputs=inputs,
            outputs=outputs,
            metadata=with_splits(draft.metadata, draft.splits),
            created_at=draft.created_at,
            source_run_id=draft.source_run_id,
            files=tuple(files.values()),
        )

    async def _put(self, write: _Write, file: NewFile) -> ExampleFile:
        key = example_file_key(write.workspace, uuid4())
        write.stored.append(key)
        await self._blobs.put(key, bytes(file.data))
        return ExampleFile(file.name, file.mime_type, len(file.data), key)

    @asynccontextmanager
    async def _writing(self, workspace: UUID, dataset_id: UUID) -> AsyncIterator[_Write]:
        """A write to a dataset that nobody else in this process writes to; its files go again if it fails."""
        async with self._datasets.writing(workspace, dataset_id) as dataset:
            write = _Write(workspace, dataset, Rules(dataset))
            try:
                yield write
            except BaseException:
                await self._blobs.delete(write.stored)
                raise

    async def _commit(self, write: _Write, ids: Sequence[UUID], changes: ExampleChanges) -> Written:
        write.violations.raise_if_any()
        if not ids:
            return Written(write.dataset.modified_at, ())
        change = self._store.change(write.workspace, write.dataset.id, changes, _now())
        return Written(await _settled(write, change), tuple(ids))

    # -- changing ------------------------------------------------------------------------------------------

    async def edit(self, workspace: UUID, dataset_id: UUID, edits: Iterable[ExampleEdit]) -> Written:
        """All of these or none, as one version. Edits are gone through once and not kept in memory.

        NotFound for an unknown example, Conflict for another dataset's; SchemaViolations as for `add`.
        """
        ids: list[UUID] = []
        with ExampleSpool(ExamplePatch) as spool:
            async with self._writing(workspace, dataset_id) as write:
                async for edit in in_turns(edits):
                    ids.append(edit.id)
                    spool.add(await self._patch(write, edit))
                return await self._commit(write, ids, ExampleChanges(patches=spool))

    async def _patch(self, write: _Write, edit: ExampleEdit) -> ExamplePatch:
        inputs, outputs = write.rules.shaped(edit.inputs, edit.outputs, None)
        write.violations.add(write.rules.problems(inputs, outputs, partly=True), edit.id, edit.where)
        return ExamplePatch(
            id=edit.id,
            inputs=inputs,
            outputs=outputs,
            metadata=edit.metadata,
            splits=edit.splits,
            files=tuple([await self._put(write, file) for file in edit.files]),
            operations=edit.operations,
        )

    async def edit_anywhere(self, workspace: UUID, edits: Sequence[ExampleEdit]) -> Written:
        """The same where the client does not say in which dataset: one version of each that is touched."""
        homes = await self._homes(workspace, [edit.id for edit in edits])
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
            known = await self._known(query, example_ids)
            patches = tuple(
                ExamplePatch(id=each, set_members=set_members, unset_members=unset, lists=lists)
                for each in dict.fromkeys(example_ids)
                if each in known
            )
            if patches:
                await self._store.change(workspace, dataset_id, ExampleChanges(patches=patches), _now())
        return [patch.id for patch in patches]

    async def _known(self, query: ExampleQuery, ids: Sequence[UUID]) -> set[UUID]:
        """Those of these ids that match."""
        known: set[UUID] = set()
        for start in range(0, len(ids), MAX_ASKED):
            asked = msgspec.structs.replace(query, ids=tuple(ids[start : start + MAX_ASKED]))
            known.update(await self._store.ids(asked))
        return known

    async def update_dataset(
        self, workspace: UUID, dataset_id: UUID, patch: DatasetPatch, edits: Sequence[ExampleEdit] = ()
    ) -> Dataset:
        """Change a dataset, together with examples that a new schema would not allow as they are.

        SchemaViolations when examples would be left that the new schemas do not allow.
        """
        check_patch(patch)
        async with self._writing(workspace, dataset_id) as write:
            await self._check_baseline(write.dataset, patch.baseline_experiment_id)
            write.rules = Rules(_patched(write.dataset, patch))
            patches = tuple([await self._patch(write, edit) for edit in edits])
            if write.rules.demands and not {patch.inputs_schema, patch.outputs_schema} <= {UNSET}:
                await self._check_all(write, {each.id: each for each in patches})
            write.violations.raise_if_any()
            changes = ExampleChanges(patches=patches)
            update = self._dataset_store.update(workspace, dataset_id, patch, _now(), changes)
            found = await _settled(write, update)
            if found is None:
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

    async def _check_all(self, write: _Write, patches: Mapping[UUID, ExamplePatch]) -> None:
        """Hold every example, as it will be, against the rules."""
        async for page in self.walk(ExampleQuery(workspace=write.workspace, dataset_id=write.dataset.id)):
            for example in page:
                patch = patches.get(example.id)
                after = example if patch is None else changed(example, patch, 0, 0)
                problems = write.rules.problems(after.inputs, after.outputs)
                write.violations.add(problems, example.id, ("body",))
            await asyncio.sleep(0)

    # -- deleting and copying ------------------------------------------------------------------------------

    async def delete(self, workspace: UUID, example_ids: Sequence[UUID]) -> None:
        """Gone from the newest version on, and still there as of an earlier one. NotFound for an unknown one."""
        homes = await self._homes(workspace, example_ids)
        for dataset_id in dict.fromkeys(homes.values()):
            these = tuple(each for each in homes if homes[each] == dataset_id)
            await self._store.change(workspace, dataset_id, ExampleChanges(deletes=these), _now())

    async def wipe(self, workspace: UUID, example_ids: Sequence[UUID]) -> list[UUID]:
        """Remove examples from every version, with their files; the ids of those that were there."""
        homes = await self._store.datasets_of(workspace, example_ids)
        files = await self._store.files(workspace, list(homes))
        for dataset_id in dict.fromkeys(homes.values()):
            these = tuple(each for each in homes if homes[each] == dataset_id)
            await self._store.change(workspace, dataset_id, ExampleChanges(wipes=these), _now())
        await self._blobs.delete(files)
        return [each for each in dict.fromkeys(example_ids) if each in homes]

    async def _homes(self, workspace: UUID, example_ids: Sequence[UUID]) -> Mapping[UUID, UUID]:
        homes = await self._store.datasets_of(workspace, example_ids)
        for each in example_ids:
            if each not in homes:
                raise NotFound(f"example not found: {each}")
        return homes

    async def delete_from(self, workspace: UUID, dataset_id: UUID, example_id: UUID) -> None:
        """The same for one example of this dataset; nothing happens when it is deleted already."""
        async with self._datasets.writing(workspace, dataset_id):
            homes = await self._homes(workspace, [example_id])
            if homes[example_id] != dataset_id:
                raise NotFound(f"example not found: {example_id}")
            query = ExampleQuery(workspace=workspace, dataset_id=dataset_id, ids=(example_id,))
            if await self._store.ids(query):
                await self._store.change(workspace, dataset_id, ExampleChanges(deletes=(example_id,)), _now())

    async def clone(self, target: UUID, query: ExampleQuery) -> Written:
        """Copies, under new ids, of what the query selects: one version of the target dataset."""
        return await self.add(query.workspace, target, self._copies(query))

    async def _copies(self, query: ExampleQuery) -> AsyncIterator[ExampleDraft]:
        async for page in self.walk(query):
            for example in page:
                files = [
                    NewFile(file.name, file.mime_type, await self._blobs.get(file.key))
                    for file in example.files
                ]
                yield ExampleDraft(
                    inputs=example.inputs,
                    outputs=example.outputs,
                    metadata=example.metadata,
                    source_run_id=example.source_run_id,
                    files=tuple(files),
                )


async def in_turns(wanted: Iterable[Wanted] | AsyncIterable[Wanted]) -> AsyncIterator[Wanted]:
    """The same one by one; others get their turn on the event loop after so many, or so many bytes of them."""
    if isinstance(wanted, AsyncIterable):
        async for each in wanted:
            yield each
        return
    count = size = 0
    for each in wanted:
        yield each
        count, size = count + 1, size + len(each.inputs or b"") + len(each.outputs or b"")
        if count >= _TURN or size >= _TURN_BYTES:
            count = size = 0
            await asyncio.sleep(0)


async def _settled(write: _Write, change: Coroutine[Any, Any, Result]) -> Result:
    """The result of a change in the store. Who is cancelled meanwhile still learns whether it was made: the
    files of one that was have to stay."""
    task = asyncio.ensure_future(change)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        if task.exception() is None:
            write.stored.clear()
        raise


def _as_edit(draft: ExampleDraft, example_id: UUID) -> ExampleEdit:
    return ExampleEdit(
        id=example_id,
        inputs=draft.inputs,
        outputs=draft.outputs,
        metadata=draft.metadata,
        splits=draft.splits,
        files=draft.files,
        where=draft.where,
    )


def _patched(dataset: Dataset, patch: DatasetPatch) -> Dataset:
    stated = {field: value for field, value in msgspec.structs.asdict(patch).items() if value is not UNSET}
    found: Dataset = msgspec.structs.replace(dataset, **stated)
    return found


def _check_query(query: ExampleQuery) -> None:
    if query.test is not None:
        for part in contained(query.test):
            check_filter(part)


def _now() -> Micros:
    return time.time_ns() // 1000
