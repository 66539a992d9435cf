"""Projects: found by name on the way in, created, listed, changed and deleted.

Not here: statistics of a project's runs, which come from the run store. Callers check the permission.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final
from uuid import UUID, uuid4

import msgspec

from stenograph.errors import Conflict, Invalid, NotFound
from stenograph.model.projects import (
    CANONICAL_NAME,
    TRACE_TIERS,
    NewProject,
    Project,
    ProjectPatch,
    ProjectQuery,
)
from stenograph.model.runs import Micros
from stenograph.store.api import MetaStore

MAX_NAME: Final = 1000
# An index entry of PostgreSQL holds about 2,700 bytes, and the name is in one.
MAX_NAME_BYTES: Final = 2500
MAX_TTL_DAYS: Final = 36_500
MAX_COUNT: Final = 2**31 - 1
MAX_KEYS: Final = 1000

# What a metadata filter may ask for: containment is quadratic in arrays and recursive in depth.
MAX_FILTER_BYTES: Final = 8192
MAX_FILTER_BRACKETS: Final = 100

CACHE_SIZE: Final = 10_000
# Seconds for which a name is taken to mean the same project: how long another process's delete or rename
# may go unnoticed here. This process's own are noticed at once.
CACHE_TTL: Final = 5.0


class Projects:
    """The use-cases of projects. Another workspace's projects are unknown to all of them."""

    def __init__(self, meta: MetaStore, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = meta.projects
        self._clock = clock
        self._ids: dict[tuple[UUID, str], tuple[float, UUID]] = {}
        self._changes = 0

    async def get_or_create(self, workspace: UUID, name: str) -> UUID:
        """The id of the project of that name, created if need be. Invalid for a name that cannot be.

        Never a Conflict: callers at once get one project.
        """
        entry = self._ids.get((workspace, name))
        if entry is not None and entry[0] > self._clock():
            return entry[1]
        check_name(name)
        seen = self._changes
        now = _now()
        project = await self._store.ensure(_from_new(workspace, NewProject(name=name), now))
        # What was read before a change of names must not be remembered after it.
        if seen == self._changes:
            self._remember(project)
        return project.id

    async def read(self, workspace: UUID, project_id: UUID) -> Project:
        """NotFound when there is none."""
        project = await self._store.read(workspace, project_id)
        if project is None:
            raise _unknown(project_id)
        return project

    async def named(self, workspace: UUID, canonical_name: str) -> Project:
        """What Julep's clients call by that name. NotFound when there is none."""
        project = await self._store.find_canonical(workspace, canonical_name)
        if project is None:
            raise NotFound(f"There is no project with the canonical name {canonical_name[:100]!r}.")
        return project

    async def find(self, query: ProjectQuery) -> list[Project]:
        """One page. Invalid for a metadata filter that is not a JSON object, or is too large."""
        _check_query(query)
        return await self._store.find(query)

    async def find_all(self, query: ProjectQuery) -> list[Project]:
        """All that match, whatever the query's page: for an order that only the run store can give."""
        return await self.find(msgspec.structs.replace(query, offset=0, limit=None))

    async def reference_datasets(self, workspace: UUID, ids: Iterable[UUID]) -> dict[UUID, UUID]:
        """Of those of these projects that are experiments, the dataset each is over."""
        found = await self._store.find(ProjectQuery(workspace=workspace, ids=tuple(set(ids))))
        return {
            project.id: project.reference_dataset_id
            for project in found
            if project.reference_dataset_id is not None
        }

    async def create(self, workspace: UUID, new: NewProject, upsert: bool = False) -> Project:
        """The new project. With `upsert`, one of that name keeps its id and takes over what `new` states.

        Conflict, naming what, when the name (without `upsert`) or the id is taken.
        """
        _check(new)
        if new.canonical_name is not None:
            check_canonical_name(new.canonical_name)
        if upsert:
            found = await self._upsert(workspace, new)
            if found is not None:
                return found
        try:
            return await self._store.create(_from_new(workspace, new, _now()))
        except Conflict:
            # Somebody else may just have created it.
            found = await self._upsert(workspace, new) if upsert else None
            if found is None:
                raise
            return found

    async def update(self, workspace: UUID, project_id: UUID, patch: ProjectPatch) -> Project:
        """The project as changed. NotFound when there is none; Conflict when its new name is taken."""
        _check(patch)
        try:
            project = await self._store.update(workspace, project_id, patch, _now())
        finally:
            if patch.name is not None:
                self._forget({project_id})
        if project is None:
            raise _unknown(project_id)
        return project

    async def delete(self, workspace: UUID, project_id: UUID) -> None:
        """NotFound when there is none. The project's runs are deleted elsewhere."""
        if not await self.delete_many(workspace, [project_id]):
            raise _unknown(project_id)

    async def delete_many(self, workspace: UUID, project_ids: Sequence[UUID]) -> list[UUID]:
        """The ids of those that were there; others are no error."""
        try:
            return await self._store.delete(workspace, project_ids, _now())
        finally:
            self._forget(set(project_ids))

    async def _upsert(self, workspace: UUID, new: NewProject) -> Project | None:
        found = await self._store.find_named(workspace, new.name)
        if found is None:
            return None
        patch = msgspec.convert(new, ProjectPatch, from_attributes=True)
        return await self._store.update(workspace, found.id, patch, _now())

    def _remember(self, project: Project) -> None:
        while len(self._ids) >= CACHE_SIZE:
            del self._ids[next(iter(self._ids))]
        self._ids[project.workspace, project.name] = (self._clock() + CACHE_TTL, project.id)

    def _forget(self, project_ids: set[UUID]) -> None:
        """Called once a change is over, however it ended: a store never leaves one under way."""
        self._changes += 1
        for key in [key for key, (_, project_id) in self._ids.items() if project_id in project_ids]:
            del self._ids[key]


def check_name(name: str) -> None:
    """Invalid unless a project can be called that. Names are kept as they are, blanks and all."""
    where = ("body", "name")
    if not name:
        raise Invalid("A project's name must not be empty.", where)
    if len(name) > MAX_NAME or len(name.encode(errors="replace")) > MAX_NAME_BYTES:
        raise Invalid(
            f"A project's name has at most {MAX_NAME} characters ({MAX_NAME_BYTES} bytes of UTF-8).", where
        )
    _check_text(name, "name")


def check_canonical_name(name: str) -> None:
    """Invalid unless it is an identifier of Julep's."""
    if not CANONICAL_NAME.fullmatch(name):
        raise Invalid(
            "A canonical name has 1 to 255 letters a-z, digits and underscores, and begins with a letter.",
            ("body", "canonical_name"),
        )


def _check(stated: NewProject | ProjectPatch) -> None:
    if stated.name is not None:
        check_name(stated.name)
    if stated.description is not None:
        _check_text(stated.description, "description")
    if stated.extra is not None and not isinstance(_decode(stated.extra), dict):
        raise Invalid("A project's extra has to be a JSON object.", ("body", "extra"))
    if stated.trace_tier is not None and stated.trace_tier not in TRACE_TIERS:
        raise Invalid(f"trace_tier is one of {', '.join(sorted(TRACE_TIERS))}.", ("body", "trace_tier"))
    days = stated.longlived_ttl_days
    if days is not None and not 1 <= days <= MAX_TTL_DAYS:
        raise Invalid(f"longlived_ttl_days is 1 to {MAX_TTL_DAYS}.", ("body", "longlived_ttl_days"))
    for field in ("num_examples", "num_repetitions"):
        count = getattr(stated, field)
        if count is not None and not 0 <= count <= MAX_COUNT:
            raise Invalid(f"{field} is 0 to {MAX_COUNT}.", ("body", field))
    keys = stated.evaluator_keys or ()
    if len(keys) > MAX_KEYS:
        raise Invalid(f"At most {MAX_KEYS} evaluator_keys are taken.", ("body", "evaluator_keys"))
    for key in keys:
        if len(key) > MAX_NAME:
            raise Invalid(f"A feedback key has at most {MAX_NAME} characters.", ("body", "evaluator_keys"))
        _check_text(key, "evaluator_keys")


def _check_text(text: str, field: str) -> None:
    if "\0" in text:
        raise Invalid(f"A project's {field} must not contain the NUL character.", ("body", field))
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise Invalid(f"A project's {field} is not valid Unicode text.", ("body", field)) from None


def _check_query(query: ProjectQuery) -> None:
    if query.offset < 0 or (query.limit is not None and query.limit < 0):
        raise Invalid("offset and limit must not be negative.", ("query", "offset"))
    if query.name_contains is not None and len(query.name_contains) > MAX_NAME:
        raise Invalid(f"name_contains has at most {MAX_NAME} characters.", ("query", "name_contains"))
    text = query.metadata
    if text is None:
        return
    if len(text) > MAX_FILTER_BYTES or text.count(b"{") + text.count(b"[") > MAX_FILTER_BRACKETS:
        raise Invalid("The metadata filter is too large.", ("query", "metadata"))
    if not isinstance(_decode(text), dict):
        raise Invalid("The metadata filter has to be a JSON object.", ("query", "metadata"))


def _decode(text: bytes) -> Any:
    """None for what is not JSON, nested beyond reason, or has text that is not Unicode."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None


def _from_new(workspace: UUID, new: NewProject, now: Micros) -> Project:
    return Project(
        id=new.id or uuid4(),
        workspace=workspace,
        name=new.name,
        start_time=now if new.start_time is None else new.start_time,
        created_at=now,
        modified_at=now,
        description=new.description,
        end_time=new.end_time,
        extra=new.extra,
        default_dataset_id=new.default_dataset_id,
        reference_dataset_id=new.reference_dataset_id,
        trace_tier=new.trace_tier,
        longlived_ttl_days=new.longlived_ttl_days,
        num_examples=new.num_examples,
        num_repetitions=new.num_repetitions,
        evaluator_keys=new.evaluator_keys,
        canonical_name=new.canonical_name,
    )


def _unknown(project_id: UUID) -> NotFound:
    return NotFound(f"There is no project {project_id}.")


def _now() -> Micros:
    return time.time_ns() // 1000
