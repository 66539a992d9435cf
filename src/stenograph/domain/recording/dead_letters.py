"""Dead letters, for the operator: what the run store refused is looked at, sent in again, or thrown away.

    waiting --replay--> acknowledged again --> stored                      the letter is kept as replayed
       |                                   \\-> refused again               a new letter takes its place
       +--discard--> gone, with the files that no run names

What is replayed is old: it fills in what nobody has stated since, replaces nothing, and brings nothing back that was
deleted meanwhile. So a letter may be replayed at any time, and any number of times.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

import msgspec
import structlog

from stenograph.domain.access import require
from stenograph.domain.attachments import attachment_key
from stenograph.domain.recording.recorder import Recorder
from stenograph.domain.unclaimed_files import UnclaimedFiles
from stenograph.errors import NotFound, StoreUnavailable
from stenograph.model.access import DEFAULT_WORKSPACE, Caller, Permission
from stenograph.model.dead_letters import DeadLetter, DeadLetterNote
from stenograph.model.feedback import Feedback
from stenograph.model.runs import Run, RunPatch, merge
from stenograph.store.api import MetaStore, RunStore

log = structlog.get_logger("stenograph.dead_letters")

_decode = msgspec.msgpack.Decoder(list[RunPatch | Feedback]).decode

_FOLDED: Final = frozenset(RunPatch.__struct_fields__) - {"create", "merges"}


class Outcome(StrEnum):
    """What became of a letter that was to be replayed."""

    STORED = "stored"
    ACCEPTED = "accepted"  # durable, and the run store does not answer now: it is written once it does
    REFUSED = "refused"  # once more: a new letter has the reason
    SUPERSEDED = "superseded"  # newer feedback stands under its id; nothing is left to do
    DELETED = "deleted"  # its run, feedback or project was, since
    UNREADABLE = "unreadable"
    REPLAYED = "replayed"  # earlier
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Replayed:
    """`reason` says why, unless it was stored. `successor` is the letter that a refused one has become."""

    id: UUID
    outcome: Outcome
    reason: str | None = None
    successor: UUID | None = None


class DeadLetters:
    """For admins: of their workspace; for the operator, an admin of the default one, of all, and unreadable records."""

    def __init__(self, meta: MetaStore, runs: RunStore, recorder: Recorder, files: UnclaimedFiles) -> None:
        self._letters = meta.dead_letters
        self._runs = runs
        self._recorder = recorder
        self._files = files

    async def find(
        self, caller: Caller, *, replayed: bool | None = False, offset: int = 0, limit: int | None = None
    ) -> list[DeadLetterNote]:
        """Oldest first: those that wait, those that were replayed, or (None) both."""
        return await self._letters.notes(_scope(caller), replayed, offset=offset, limit=limit)

    async def read(self, caller: Caller, letter_id: UUID) -> DeadLetter:
        """NotFound when the caller has no such letter."""
        letter = await self._letters.read(_scope(caller), letter_id)
        if letter is None:
            raise NotFound(f"There is no dead letter {letter_id}.")
        return letter

    async def discard(self, caller: Caller, letter_ids: Sequence[UUID]) -> int:
        """How many of these there were. Their files go once it is certain that no run names them."""
        scope = _scope(caller)
        gone = 0
        for letter_id in letter_ids:
            letter = await self._letters.read(scope, letter_id)
            if letter is None:
                continue
            keys = _files_of(letter)
            await self._files.begin(keys)
            try:
                gone += await self._letters.forget([letter])
            finally:
                self._files.abandoned(keys)
        if gone:
            log.info("discarded dead letters", letters=gone)
        return gone

    async def replay(self, caller: Caller, letter_ids: Sequence[UUID]) -> list[Replayed]:
        """What became of each, in this order.

        StoreUnavailable while the run store is away; what was sent before it went is in the inbox then, and marked.
        """
        scope = _scope(caller)
        begun = time.time_ns() // 1000
        outcomes: dict[UUID, Replayed] = {}
        sent: list[tuple[DeadLetter, frozenset[tuple[UUID, UUID]]]] = []
        for letter_id in letter_ids:
            letter = await self._letters.read(scope, letter_id)
            if letter is None:
                outcomes[letter_id] = Replayed(letter_id, Outcome.UNKNOWN, "there is no such letter")
                continue
            what = await self._send(letter)
            if isinstance(what, Replayed):
                outcomes[letter_id] = what
            else:
                sent.append((letter, what))
        outcomes.update(await self._settled(sent, begun))
        if sent:
            log.info("replayed dead letters", letters=len(sent))
        return [outcomes[letter_id] for letter_id in letter_ids]

    async def _send(self, letter: DeadLetter) -> Replayed | frozenset[tuple[UUID, UUID]]:
        """Have a letter acknowledged again; (workspace, id) of what it speaks of, or why it was not sent."""
        if letter.replayed_at is not None:
            return Replayed(letter.id, Outcome.REPLAYED, "it was replayed before")
        try:
            items = said(letter)
        except ValueError as error:
            return Replayed(letter.id, Outcome.UNREADABLE, str(error))
        keys = frozenset((item.workspace, item.id) for item in items)
        for workspace in {workspace for workspace, _ in keys}:
            await self._recorder.settle(workspace)
        runs = await self._runs.stored([(i.workspace, i.id) for i in items if isinstance(i, RunPatch)])
        given = await self._runs.stored_feedback(
            [(i.workspace, i.id) for i in items if isinstance(i, Feedback)]
        )
        alive = [item for item in items if not self._is_deleted(item, runs, given)]
        patches = folded([item for item in alive if isinstance(item, RunPatch)])
        feedback = [item for item in alive if isinstance(item, Feedback) and not _superseded(item, given)]
        if not patches and not feedback:
            if alive:
                return Replayed(letter.id, Outcome.SUPERSEDED, "newer feedback stands under its id")
            return Replayed(letter.id, Outcome.DELETED, "what it speaks of was deleted since")
        await self._recorder.accept(patches, feedback)
        await self._letters.mark_replayed(letter.workspace, [letter.id], time.time_ns() // 1000)
        return frozenset([(i.workspace, i.id) for i in patches] + [(i.workspace, i.id) for i in feedback])

    def _is_deleted(
        self,
        item: RunPatch | Feedback,
        runs: Mapping[tuple[UUID, UUID], Run],
        given: Mapping[tuple[UUID, UUID], Feedback],
    ) -> bool:
        there = (runs if isinstance(item, RunPatch) else given).get((item.workspace, item.id))
        is_gone = self._recorder.deleted.gone(item.workspace, item.project_id)
        return is_gone or (there is not None and there.deleted)

    async def _settled(
        self, sent: Sequence[tuple[DeadLetter, frozenset[tuple[UUID, UUID]]]], begun: int
    ) -> dict[UUID, Replayed]:
        """What the run store did with these letters."""
        outcomes: dict[UUID, Replayed] = {}
        away: dict[UUID, str] = {}
        for workspace in {workspace for _, keys in sent for workspace, _ in keys}:
            try:
                await self._recorder.settle(workspace)
            except StoreUnavailable as trouble:
                away[workspace] = trouble.message
        for letter, keys in sent:
            waits = next((away[workspace] for workspace, _ in keys if workspace in away), None)
            again = None if waits else await self._refused_again(keys, begun)
            if waits is not None:
                outcomes[letter.id] = Replayed(letter.id, Outcome.ACCEPTED, waits)
            elif again is None:
                outcomes[letter.id] = Replayed(letter.id, Outcome.STORED)
            else:  # what was refused is in its successor, the rest is stored
                await self._letters.forget([letter])
                outcomes[letter.id] = Replayed(letter.id, Outcome.REFUSED, again.reason, again.id)
        return outcomes

    async def _refused_again(self, keys: Iterable[tuple[UUID, UUID]], begun: int) -> DeadLetterNote | None:
        for workspace, subject in keys:
            for note in await self._letters.notes(workspace, subjects=[subject]):
                if note.created_at >= begun:
                    return note
        return None


def said(letter: DeadLetter) -> list[RunPatch | Feedback]:
    """What is in a letter; ValueError when nobody can tell."""
    try:
        return _decode(letter.record)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"cannot be decoded: {error}") from None


def folded(patches: Sequence[RunPatch]) -> list[RunPatch]:
    """One patch a run, which only fills in what nothing has stated: see `Facts`."""
    of_run: dict[tuple[UUID, UUID], list[RunPatch]] = {}
    for patch in patches:
        of_run.setdefault((patch.workspace, patch.id), []).append(patch)
    made: list[RunPatch] = []
    for mine in of_run.values():
        facts = merge(None, mine)
        stated = {name: getattr(facts, name) for name in _FOLDED}
        made.append(RunPatch(create=True, merges=facts.extra_is_open and facts.extra is not None, **stated))
    return made


def _superseded(item: Feedback, given: Mapping[tuple[UUID, UUID], Feedback]) -> bool:
    there = given.get((item.workspace, item.id))
    return there is not None and there.version > item.version


def _files_of(letter: DeadLetter) -> list[str]:
    try:
        items = said(letter)
    except ValueError:
        return []
    return sorted(
        {
            attachment_key(item.workspace, item.id, file.name)
            for item in items
            if isinstance(item, RunPatch)
            for file in item.attachments or ()
        }
    )


def _scope(caller: Caller) -> UUID | None:
    """The workspace whose letters the caller may see; None for the operator, who sees all."""
    require(caller, Permission.ADMIN)
    return None if caller.workspace == DEFAULT_WORKSPACE else caller.workspace
