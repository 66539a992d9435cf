"""The seams: what the domain may ask of a store, and what each promises.

Every call carries its workspace, in an argument or in the query value; nothing of another workspace is
ever returned. All methods raise StoreUnavailable when the engine or disk does not answer, and only that;
after it, assume nothing was written and try again.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Literal, Protocol
from uuid import UUID

from stenograph.model.access import ApiKey, Workspace
from stenograph.model.dead_letters import DeadLetter
from stenograph.model.feedback import Feedback, FeedbackStat
from stenograph.model.feedback_setup import FeedbackConfig, FeedbackToken
from stenograph.model.prices import ModelPrice
from stenograph.model.projects import Project, ProjectPatch, ProjectQuery
from stenograph.model.query import FeedbackQuery, RunQuery, RunSelection, StatGroup, ThreadQuery
from stenograph.model.runs import Micros, Run, Usage
from stenograph.model.sharing import Share, ShareKind
from stenograph.model.stats import Facet, RunStats, ThreadSummary, TimeBucket
from stenograph.model.views import SavedView, ViewPatch, ViewType


class RejectedRows(Exception):
    """The store is well and refuses these very rows."""


class BlobStore(Protocol):
    """Attachments: immutable bytes under a key."""

    async def put(self, key: str, data: bytes) -> None:
        """Return once `data` would survive a crash. Replaces what was there."""

    async def get(self, key: str) -> bytes:
        """The bytes; NotFound when there are none."""

    async def delete(self, keys: Sequence[str]) -> None:
        """Remove what is there; absent keys are no error."""


class RunStore(Protocol):
    """Runs and feedback: written in batches, read by trace or by search. One instance serves all workspaces."""

    async def write(self, runs: Sequence[Run], feedback: Sequence[Feedback]) -> None:
        """Return once the whole batch would survive a crash.

        Idempotent, and indifferent to order: of two versions of a run or of a piece of feedback the one with
        the higher `version` wins. RejectedRows when the data itself is at fault: nothing was written then.
        """

    async def stored(self, ids: Sequence[tuple[UUID, UUID]]) -> Mapping[tuple[UUID, UUID], Run]:
        """The newest version of each of these (workspace, run id) that is stored, whole, deleted ones too."""

    async def strays(self, runs: Sequence[Run]) -> list[Run]:
        """Keys of rows of these runs that are seen by readers in another place of the table than the one given.

        A write that moves a run is two inserts, and this is what a crash between them leaves.
        """

    async def newest_version(self) -> int:
        """The highest version of anything stored; 0 when nothing is."""

    async def stored_feedback(self, ids: Sequence[tuple[UUID, UUID]]) -> Mapping[tuple[UUID, UUID], Feedback]:
        """The same for pieces of feedback, but only their place, times and whether they are deleted."""

    def known_ids(self) -> AsyncIterator[list[UUID]]:
        """Every id of a run or of feedback that there is, in batches, in no order."""

    async def page(self, query: RunQuery) -> list[Run]:
        """The runs of one page, with the columns asked for and those of their key."""

    async def usage(
        self, workspace: UUID, runs: Sequence[Run], orders: Mapping[UUID, str] | None = None
    ) -> Mapping[UUID, Usage]:
        """For each of these runs that has descendants with usage: its own and theirs together.

        `orders` are dotted orders that are known better than the store knows them.
        """

    async def stats(
        self, selection: RunSelection, group: StatGroup | None = None, path: str = "", groups: int = 5
    ) -> Mapping[str, RunStats]:
        """Statistics by group, the largest groups first; without `group` all under the key ''.

        Feedback is not in them: see feedback_stats. Nothing selected gives an empty mapping.
        """

    async def feedback_stats(
        self, selection: RunSelection, by: Literal["all", "run", "project", "thread"]
    ) -> Mapping[str, Mapping[str, FeedbackStat]]:
        """Per group (run id, project id, thread id, or ''), per key, what the feedback of the runs comes to."""

    async def project_feedback_stats(
        self, workspace: UUID, projects: Sequence[UUID]
    ) -> Mapping[UUID, Mapping[str, FeedbackStat]]:
        """The same for feedback given to whole projects."""

    async def feedback_series(
        self, selection: RunSelection, stride: Micros, origin: Micros = 0
    ) -> Mapping[Micros, Mapping[str, FeedbackStat]]:
        """The feedback of the runs that started within one stride from each time, oldest first."""

    async def last_starts(self, selection: RunSelection) -> Mapping[UUID, Micros]:
        """When the newest of the runs started, by project."""

    async def facets(self, selection: RunSelection, limit: int) -> Mapping[UUID, list[Facet]]:
        """The most frequent names, run types, statuses, tags and metadata pairs, `limit` of each, by project."""

    async def metadata_values(
        self, selection: RunSelection, keys: Sequence[str], limit: int
    ) -> Mapping[str, list[str]]:
        """The most frequent values of each metadata key (of all keys when none is named)."""

    async def series(
        self,
        selection: RunSelection,
        stride: Micros,
        group: StatGroup | None = None,
        path: str = "",
        origin: Micros = 0,
    ) -> list[TimeBucket]:
        """Statistics by time, empty buckets left out, oldest first; at most ten groups a bucket.

        Buckets begin at `origin` and at whole strides from it.
        """

    async def thread_usage(self, selection: RunSelection, threads: Sequence[str]) -> Mapping[str, Usage]:
        """Tokens and cost of the whole traces of each of these threads."""

    async def threads(self, query: ThreadQuery) -> tuple[list[ThreadSummary], int]:
        """One page of threads, and how many there are in all."""

    async def feedback(self, query: FeedbackQuery) -> list[Feedback]:
        """One page of feedback."""

    async def delete(self, selection: RunSelection, version: int) -> list[UUID]:
        """Delete these runs and their feedback; returns the ids. Durable, and seen at once by every read."""

    async def files(self, selection: RunSelection) -> list[Run]:
        """The runs that came with files: their keys and `attachments`."""

    async def drop_projects(self, workspace: UUID, projects: Sequence[UUID]) -> None:
        """Remove the runs and feedback of these projects from the disk. Returns once all are gone.

        Takes as long as rewriting what holds them, and holds up no writer. Reads see some of it until then.
        What is written meanwhile may stay.
        """

    async def projects_with_rows(self, projects: Sequence[UUID]) -> set[tuple[UUID, UUID]]:
        """(workspace, project) of those that still have runs or feedback, whatever their workspace."""

    async def close(self) -> None:
        """Finish what runs and release the files."""


class Workspaces(Protocol):
    """Workspaces and how they begin."""

    async def create(self, workspace: Workspace, first_project: Project) -> None:
        """Both or neither. Conflict, naming the handle, when that is taken."""

    async def read(self, workspace: UUID) -> Workspace | None: ...

    async def all(self) -> list[Workspace]:
        """Oldest first. The one read that is not bound to a workspace: for the operator."""


class Keys(Protocol):
    """API keys, by the SHA-256 of the key in hex. The key itself never gets here."""

    async def create(self, key: ApiKey, key_hash: str) -> None:
        """Conflict when the hash is there already."""

    async def find(self, key_hash: str) -> ApiKey | None:
        """The key in whichever workspace, revoked or not: its workspace is what is asked for."""

    async def all(self, workspace: UUID) -> list[ApiKey]:
        """Oldest first, revoked ones too."""

    async def revoke(self, workspace: UUID, key_id: UUID, at: Micros) -> ApiKey | None:
        """The key as revoked, None when there is none. A second revocation leaves the time of the first."""

    async def any_active(self) -> bool:
        """Whether any workspace has a key that is not revoked."""


class Projects(Protocol):
    """Projects. A deleted one is never returned; its name is free again, its id is not."""

    async def create(self, project: Project) -> Project:
        """As stored: an experiment gets its number. Conflict, naming what, when its name or id is taken."""

    async def ensure(self, project: Project) -> Project:
        """The project of that name, or else this one, created. Never a Conflict, whoever calls at once.

        Not for experiments: no number is given. A read when the name is there.
        """

    async def read(self, workspace: UUID, project_id: UUID) -> Project | None: ...

    async def find_named(self, workspace: UUID, name: str) -> Project | None: ...

    async def find(self, query: ProjectQuery) -> list[Project]:
        """Names sort by code point; ties fall to the id, in the same direction. `metadata` has to be JSON."""

    async def update(
        self, workspace: UUID, project_id: UUID, patch: ProjectPatch, at: Micros
    ) -> Project | None:
        """As changed, None when there is none. Conflict when the new name is taken.

        One that is bound to another dataset gets the next number there.
        """

    async def delete(self, workspace: UUID, project_ids: Sequence[UUID], at: Micros) -> list[UUID]:
        """The ids that were there. Saved views and share links go with them; runs are the run store's."""

    async def deleted(self) -> list[tuple[UUID, UUID]]:
        """(workspace, project) of every project that was ever deleted, of all workspaces: for the server itself."""


class Shares(Protocol):
    """Share links, at most one a target."""

    async def ensure(self, share: Share) -> Share:
        """The target's link: the one that is there, or else this one, created."""

    async def resolve(self, token: UUID) -> Share | None:
        """Where a link leads. The token is the permission, so no workspace is asked for."""

    async def of(self, workspace: UUID, kind: ShareKind, target_ids: Sequence[str]) -> list[Share]:
        """The links of those of these targets that have one, in no order."""

    async def page(self, workspace: UUID, offset: int = 0, limit: int | None = None) -> list[Share]:
        """Newest first."""

    async def revoke(self, workspace: UUID, tokens: Sequence[UUID]) -> int:
        """How many were there."""

    async def revoke_target(self, workspace: UUID, kind: ShareKind, target_id: str) -> bool:
        """Whether it was shared."""

    async def revoke_all(self, workspace: UUID) -> int:
        """How many there were."""


class FeedbackConfigs(Protocol):
    """The shape of feedback, one a key and workspace."""

    async def create(self, config: FeedbackConfig) -> None:
        """Conflict, naming the key, when it has one."""

    async def put(self, config: FeedbackConfig) -> None:
        """Create or replace."""

    async def read(self, workspace: UUID, key: str) -> FeedbackConfig | None: ...

    async def page(
        self,
        workspace: UUID,
        keys: Sequence[str] | None = None,
        key_contains: str | None = None,
        descending: bool = True,
        offset: int = 0,
        limit: int | None = None,
    ) -> list[FeedbackConfig]:
        """By the time of the last change, ties by key. `key_contains` ignores case."""

    async def delete(self, workspace: UUID, key: str) -> bool:
        """Whether there was one."""


class FeedbackTokens(Protocol):
    """Tokens for giving feedback without a key."""

    async def create(self, tokens: Sequence[FeedbackToken]) -> None:
        """All or none. Conflict when an id is taken."""

    async def resolve(self, token: UUID) -> FeedbackToken | None:
        """What a token allows, expired ones too. The token is the permission: no workspace is asked for."""

    async def page(
        self, workspace: UUID, run_id: UUID, offset: int = 0, limit: int | None = None
    ) -> list[FeedbackToken]:
        """A run's tokens, oldest first."""


class Prices(Protocol):
    """A workspace's own model prices."""

    async def all(self, workspace: UUID) -> list[ModelPrice]:
        """Newest first."""

    async def read(self, workspace: UUID, price_id: UUID) -> ModelPrice | None: ...

    async def create(self, price: ModelPrice) -> None:
        """Conflict when the id is taken."""

    async def replace(self, price: ModelPrice) -> bool:
        """Whether there was one of that id to replace."""

    async def delete(self, workspace: UUID, price_id: UUID) -> bool:
        """Whether there was one."""


class Views(Protocol):
    """Saved views, each in a project."""

    async def create(self, view: SavedView) -> None:
        """NotFound when the workspace has no such project; Conflict when the id is taken."""

    async def of_project(
        self, workspace: UUID, project_id: UUID, kind: ViewType | None = None
    ) -> list[SavedView]:
        """Oldest first."""

    async def read(self, workspace: UUID, project_id: UUID, view_id: UUID) -> SavedView | None: ...

    async def update(
        self, workspace: UUID, project_id: UUID, view_id: UUID, patch: ViewPatch, at: Micros
    ) -> SavedView | None:
        """As changed, None when there is none."""

    async def delete(self, workspace: UUID, project_id: UUID, view_id: UUID) -> bool:
        """Whether there was one."""


class DeadLetters(Protocol):
    """Acknowledged records that the run store would not take."""

    async def bury(self, letters: Sequence[DeadLetter]) -> None:
        """Idempotent by id. Takes any workspace, known or not, and any text as the reason."""

    async def page(
        self, workspace: UUID, replayed: bool | None = False, offset: int = 0, limit: int | None = None
    ) -> list[DeadLetter]:
        """Oldest first: those that wait, those that were replayed, or (None) both."""

    async def count(self, workspace: UUID) -> int:
        """How many wait."""

    async def mark_replayed(self, workspace: UUID, letter_ids: Sequence[UUID], at: Micros) -> int:
        """How many of these were waiting."""


class MetaStore(Protocol):
    """Everything that is not a run or a blob: few rows, changed one at a time, each change on disk at return.

    Whoever's write has returned is read at once, in this process and in others. Besides StoreUnavailable
    the methods raise Conflict where a name or id is taken, and Invalid for values that no table can hold
    (text with NUL or lone surrogates, integers beyond 64 bits). `offset` and `limit` are not negative; no
    `limit` means all. What belongs to another workspace does not exist: reads give None, changes do nothing.
    """

    @property
    def workspaces(self) -> Workspaces: ...
    @property
    def keys(self) -> Keys: ...
    @property
    def projects(self) -> Projects: ...
    @property
    def shares(self) -> Shares: ...
    @property
    def feedback_configs(self) -> FeedbackConfigs: ...
    @property
    def feedback_tokens(self) -> FeedbackTokens: ...
    @property
    def prices(self) -> Prices: ...
    @property
    def views(self) -> Views: ...
    @property
    def dead_letters(self) -> DeadLetters: ...

    async def close(self) -> None:
        """Finish what runs and release the files."""
