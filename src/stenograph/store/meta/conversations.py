"""Conversations and who takes part in them. What is said: conversation_entries.py."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import msgspec
import sqlalchemy as sa
from msgspec import UNSET, UnsetType

from stenograph.errors import NotFound
from stenograph.model.conversations import (
    ContextOverflow,
    Conversation,
    ConversationContext,
    Entry,
    History,
    KeptAnswer,
    RecallOptions,
    Relation,
    without_inherited,
)
from stenograph.model.runs import Micros
from stenograph.store.meta import conversation_answers, conversation_entries, dialect, tables
from stenograph.store.meta.agent_tools import tools_of
from stenograph.store.meta.agents import AGENT
from stenograph.store.meta.listed import Listed, Noun, load, load_all
from stenograph.store.meta.users import USER

_T: Final = tables.conversations.c
_A: Final = tables.agents.c

_ids: Final = msgspec.json.Decoder(tuple[UUID, ...])
_recall: Final = msgspec.json.Decoder(RecallOptions)
_encode: Final = msgspec.json.Encoder().encode


def _rows(workspace: UUID) -> sa.Select[Any]:
    return sa.select(tables.conversations).where(_T.workspace_id == workspace)


def _check(connection: sa.Connection, conversation: Conversation) -> Conversation:
    """NotFound for participants that are not there, unless they were in before. With the template that its first agent
    has now."""
    workspace = conversation.workspace
    before = load(connection, CONVERSATION, workspace, conversation.id)
    for called, table, sought, known in (
        ("agent", tables.agents, conversation.agents, before.agents if before else ()),
        ("user", tables.users, conversation.users, before.users if before else ()),
    ):
        if missing := set(sought).difference(known):
            # Locked, so that none can be deleted around its new conversation.
            there = sa.select(table.c.id).where(table.c.workspace_id == workspace, table.c.id.in_(missing))
            found = connection.execute(there.with_for_update(read=True, key_share=True)).scalars()
            for each in sorted(missing.difference(found))[:1]:
                raise NotFound(f"There is no {called} {each}.")
    template = _templates(connection, workspace, {conversation.agents[0]}).get(conversation.agents[0])
    return without_inherited(msgspec.structs.replace(conversation, inherited_template=template))


def _templates(connection: sa.Connection, workspace: UUID, agents: set[UUID]) -> dict[UUID, str | None]:
    """Agents' own templates; agents that are gone are absent."""
    found: dict[UUID, str | None] = {}
    for batch in dialect.batches(sorted(agents)):
        wanted = sa.select(_A.id, _A.default_system_template).where(
            _A.workspace_id == workspace, _A.id.in_(batch)
        )
        found |= {row.id: row.default_system_template for row in connection.execute(wanted)}
    return found


def _to_row(conversation: Conversation) -> dict[str, Any]:
    row = msgspec.structs.asdict(conversation)
    del row["inherited_template"]
    row["workspace_id"] = row.pop("workspace")
    row["agents"], row["users"] = _encode(conversation.agents), _encode(conversation.users)
    overflow, recall = conversation.context_overflow, conversation.recall_options
    row["context_overflow"] = None if overflow is None else overflow.value
    row["recall_options"] = None if recall is None else _encode(recall)
    return row


def _from_rows(connection: sa.Connection, workspace: UUID, rows: Sequence[sa.Row[Any]]) -> list[Conversation]:
    agents = [_ids.decode(row.agents) for row in rows]
    templates = _templates(connection, workspace, {each[0] for each in agents})
    return [
        Conversation(
            id=row.id,
            workspace=workspace,
            created_at=row.created_at,
            updated_at=row.updated_at,
            agents=taking_part,
            users=_ids.decode(row.users),
            situation=row.situation,
            system_template=row.system_template,
            summary=row.summary,
            render_templates=row.render_templates,
            token_budget=row.token_budget,
            context_overflow=None if row.context_overflow is None else ContextOverflow(row.context_overflow),
            auto_run_tools=row.auto_run_tools,
            forward_tool_calls=row.forward_tool_calls,
            recall_options=None if row.recall_options is None else _recall.decode(row.recall_options),
            metadata=row.metadata,
            inherited_template=templates.get(taking_part[0]),
        )
        for row, taking_part in zip(rows, agents, strict=True)
    ]


CONVERSATION: Final[Noun[Conversation]] = Noun(
    table=tables.conversations,
    called="A session",
    rows=_rows,
    to_row=_to_row,
    from_rows=_from_rows,
    check=_check,
    forget=lambda _, __: None,
)


class Conversations(Listed[Conversation]):
    """Implements `store.api.Conversations`."""

    noun = CONVERSATION

    async def append(
        self,
        workspace: UUID,
        conversation_id: UUID,
        entries: Sequence[Entry],
        at: Micros,
        *,
        relations: Sequence[Relation] = (),
        summary: str | UnsetType | None = UNSET,
        answer: KeptAnswer | None = None,
        delivered: Sequence[UUID] = (),
    ) -> list[Entry] | None:
        def work(connection: sa.Connection) -> list[Entry] | None:
            changed = {"updated_at": at} if summary is UNSET else {"updated_at": at, "summary": summary}
            # The row is locked by its change: positions are given to one after the other.
            if not _touch(connection, workspace, conversation_id, changed):
                return None
            stored = conversation_entries.append(connection, workspace, conversation_id, entries)
            conversation_entries.relate(connection, workspace, conversation_id, relations)
            if answer is not None:
                conversation_answers.keep(connection, workspace, conversation_id, answer, delivered)
            return stored

        return await self._engine.write(work)

    async def answered(self, workspace: UUID, conversation_id: UUID, request: UUID) -> KeptAnswer | None:
        return await self._engine.read(
            lambda connection: conversation_answers.kept(connection, workspace, conversation_id, request)
        )

    async def history(self, workspace: UUID, conversation_id: UUID) -> History | None:
        return await self._engine.read(lambda connection: _history(connection, workspace, conversation_id))

    async def forget(self, workspace: UUID, conversation_id: UUID, at: Micros) -> bool:
        def work(connection: sa.Connection) -> bool:
            if not _touch(connection, workspace, conversation_id, {"updated_at": at, "summary": None}):
                return False
            conversation_entries.delete(connection, workspace, conversation_id)
            conversation_answers.delete(connection, workspace, conversation_id)
            return True

        return await self._engine.write(work)

    async def context(self, workspace: UUID, conversation_id: UUID) -> ConversationContext | None:
        def work(connection: sa.Connection) -> ConversationContext | None:
            history = _history(connection, workspace, conversation_id)
            if history is None:
                return None
            talk = history.conversation
            return ConversationContext(
                history=history,
                agents=tuple(load_all(connection, AGENT, workspace, talk.agents)),
                users=tuple(load_all(connection, USER, workspace, talk.users)),
                tools=tools_of(connection, workspace, talk.agents),
            )

        return await self._engine.read(work)


def _touch(connection: sa.Connection, workspace: UUID, ident: UUID, changed: dict[str, Any]) -> bool:
    change = sa.update(tables.conversations).where(_T.workspace_id == workspace, _T.id == ident)
    return connection.execute(change.values(**changed)).rowcount > 0


def _history(connection: sa.Connection, workspace: UUID, ident: UUID) -> History | None:
    conversation = load(connection, CONVERSATION, workspace, ident)
    if conversation is None:
        return None
    entries, relations = conversation_entries.all_of(connection, workspace, ident)
    return History(conversation, entries, relations)
