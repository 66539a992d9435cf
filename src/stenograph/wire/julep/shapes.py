"""Between Julep's JSON and our values: pure functions, both ways."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import msgspec
from msgspec import UNSET, Raw, UnsetType

from stenograph.errors import Invalid
from stenograph.model.agents import Agent, AgentPatch, User, UserPatch
from stenograph.model.conversations import (
    ContextOverflow,
    Conversation,
    ConversationPatch,
    Entry,
    History,
    RecallMode,
    RecallOptions,
    RecallPatch,
)
from stenograph.model.files import File
from stenograph.model.jobs import Job
from stenograph.model.projects import Project
from stenograph.model.projects import metadata_of as metadata_of_extra
from stenograph.model.runs import Micros
from stenograph.model.secrets import Secret
from stenograph.wire.julep.bodies import is_stated, json_object, metadata_of
from stenograph.wire.julep.schemas import (
    AgentPatchIn,
    RecallIn,
    SessionIn,
    SessionPatchIn,
    Text,
    UserIn,
)
from stenograph.wire.payloads import Payloads

SEALED: Final = "ENCRYPTED"
"""What a secret's value reads, always: clients need the member, and nobody needs the value."""

Json = dict[str, Any]

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def moment(at: Micros) -> dt.datetime:
    """Written as 2023-11-07T05:31:56.123456Z."""
    return _EPOCH + dt.timedelta(microseconds=at)


def items(found: Sequence[Json]) -> Json:
    return {"items": found}


def deleted(ident: UUID, at: Micros) -> Json:
    return {"id": ident, "deleted_at": moment(at), "jobs": []}


# -- agents and users ------------------------------------------------------------------------------------


def agent_patch(
    sent: AgentPatchIn, project: UUID | UnsetType | None, payloads: Payloads, *, partial: bool = False
) -> AgentPatch:
    """`partial`: metadata are added to those that are there, rather than taking their place."""
    instructions = sent.instructions
    return AgentPatch(
        name=_kept(sent.name),
        canonical_name=_kept(sent.canonical_name),
        about=_emptied(sent.about),
        model=_emptied(sent.model),
        instructions=UNSET if instructions is UNSET else _lines(instructions),
        default_settings=json_object(sent.default_settings, "default_settings", payloads),
        default_system_template=sent.default_system_template,
        metadata=metadata_of(sent.metadata, payloads),
        project=project,
        merge=partial and is_stated(sent.metadata),
    )


def user_patch(
    sent: UserIn, project: UUID | UnsetType | None, payloads: Payloads, *, partial: bool = False
) -> UserPatch:
    """As for agents."""
    return UserPatch(
        name=_emptied(sent.name),
        about=_emptied(sent.about),
        metadata=metadata_of(sent.metadata, payloads),
        project=project,
        merge=partial and is_stated(sent.metadata),
    )


def _kept(text: Text) -> str | UnsetType:
    """What cannot be without stays when null is sent."""
    return UNSET if text is None else text


def _emptied(text: Text) -> str | UnsetType:
    return "" if text is None else text


def _lines(instructions: str | Sequence[str] | None) -> tuple[str, ...]:
    """One text is a list of one."""
    if isinstance(instructions, str):
        return (instructions,)
    return tuple(instructions or ())


def agent(found: Agent) -> Json:
    return {
        "id": found.id,
        "created_at": moment(found.created_at),
        "updated_at": moment(found.updated_at),
        "name": found.name,
        "canonical_name": found.canonical_name,
        "about": found.about,
        "model": found.model,
        "instructions": found.instructions,
        "default_settings": Raw(found.default_settings or b"{}"),
        "default_system_template": found.template,
        "metadata": Raw(found.metadata),
        "project": found.project_name,
    }


def user(found: User) -> Json:
    return {
        "id": found.id,
        "created_at": moment(found.created_at),
        "updated_at": moment(found.updated_at),
        "name": found.name,
        "about": found.about,
        "metadata": Raw(found.metadata),
        "project": found.project_name,
    }


def project(found: Project) -> Json:
    metadata = metadata_of_extra(found.extra)
    return {
        "id": found.id,
        "created_at": moment(found.created_at),
        "updated_at": moment(found.modified_at),
        "name": found.name,
        "canonical_name": found.canonical,
        "metadata": metadata if isinstance(metadata, dict) else {},
    }


# -- sessions --------------------------------------------------------------------------------------------


def session_patch(sent: SessionPatchIn, payloads: Payloads, *, partial: bool = False) -> ConversationPatch:
    """`partial`: metadata and recall options are added to those that are there, rather than taking their place."""
    overflow, recall = sent.context_overflow, sent.recall_options
    return ConversationPatch(
        situation=sent.situation,
        system_template=sent.system_template,
        render_templates=sent.render_templates,
        token_budget=sent.token_budget,
        context_overflow=ContextOverflow(overflow) if isinstance(overflow, str) else overflow,
        auto_run_tools=sent.auto_run_tools,
        forward_tool_calls=sent.forward_tool_calls,
        recall_options=(
            _recall_patch(recall, payloads, partial=partial) if isinstance(recall, RecallIn) else recall
        ),
        metadata=metadata_of(sent.metadata, payloads),
        merge=partial and is_stated(sent.metadata),
    )


def new_session(sent: SessionIn, payloads: Payloads) -> ConversationPatch:
    """With the participants that it names, each once."""
    return msgspec.structs.replace(
        session_patch(sent, payloads),
        agents=_participants(sent.agent, sent.agents, "agent"),
        users=_participants(sent.user, sent.users, "user"),
    )


def _participants(one: UUID | None, many: Sequence[UUID] | None, name: str) -> tuple[UUID, ...]:
    if one is not None and many is not None:
        raise Invalid(f"A session is given {name} or {name}s, not both.")
    return tuple(dict.fromkeys(many or () if one is None else (one,)))


def _recall_patch(sent: RecallIn, payloads: Payloads, *, partial: bool) -> RecallPatch:
    """Null says nothing, but for the threshold of similarity. Whole options without a mode have that of what they
    state: only the hybrid one has `alpha` and `k_multiplier`."""
    stated = {
        field: value
        for field in sent.__struct_fields__
        if field not in ("mode", "metadata_filter")
        and (value := getattr(sent, field)) is not UNSET
        and (value is not None or field == "trigram_similarity_threshold")
    }
    if isinstance(sent.mode, str):
        stated["mode"] = RecallMode(sent.mode)
    elif not partial and ("alpha" in stated or "k_multiplier" in stated):
        stated["mode"] = RecallMode.HYBRID
    wanted = json_object(sent.metadata_filter, "recall_options.metadata_filter", payloads)
    if wanted is not UNSET:
        stated["metadata_filter"] = Raw(wanted or b"{}")
    return RecallPatch(**stated)


def session(found: Conversation) -> Json:
    """As Julep's page of GET /sessions prints it, and who takes part. The template is the one in effect."""
    whole: Json = {
        "situation": found.situation,
        "system_template": found.template,
        "summary": found.summary,
        "render_templates": found.render_templates is not False,
        "token_budget": found.token_budget,
        "context_overflow": found.context_overflow,
        "auto_run_tools": found.auto_run_tools,
        "forward_tool_calls": found.forward_tool_calls,
        "recall_options": _recall(found.recall),
        "id": found.id,
        "metadata": Raw(found.metadata),
        "created_at": moment(found.created_at),
        "updated_at": moment(found.updated_at),
        "kind": found.kind,
    }
    for name, participants in (("agent", found.agents), ("user", found.users)):
        if len(participants) == 1:
            whole[name] = participants[0]
        elif participants:
            whole[f"{name}s"] = participants
    return whole


def _recall(options: RecallOptions) -> Json:
    found = msgspec.structs.asdict(options)
    return {field: value for field, value in found.items() if value is not UNSET}


def history(found: History) -> Json:
    return {
        "session_id": found.conversation.id,
        "created_at": moment(found.conversation.created_at),
        "entries": [entry(each) for each in found.entries],
        "relations": [msgspec.structs.asdict(each) for each in found.relations],
    }


def entry(found: Entry) -> Json:
    return {
        "id": found.id,
        "created_at": moment(found.created_at),
        "timestamp": moment(found.timestamp),
        "role": found.role,
        "name": found.name,
        "content": Raw(found.content),
        "source": found.source,
        "model": found.model,
        "tool_calls": None if found.tool_calls is None else Raw(found.tool_calls),
        "tool_call_id": found.tool_call_id,
        "token_count": found.token_count,
        "tokenizer": found.tokenizer,
    }


# -- secrets, files, jobs --------------------------------------------------------------------------------


def secret(found: Secret) -> Json:
    return {
        "id": found.id,
        "created_at": moment(found.created_at),
        "updated_at": moment(found.updated_at),
        "name": found.name,
        "value": SEALED,
        "description": found.description,
        "metadata": Raw(found.metadata),
    }


def file(found: File, content: str) -> Json:
    """`content` is base64."""
    return {
        "id": found.id,
        "created_at": moment(found.created_at),
        "name": found.name,
        "description": found.description,
        "mime_type": found.mime_type,
        "content": content,
        "size": found.size,
        "hash": found.hash,
        "project": found.project_name,
    }


def job(found: Job) -> Json:
    return {
        "id": found.id,
        "created_at": moment(found.created_at),
        "updated_at": moment(found.updated_at),
        "name": found.name,
        "reason": found.reason,
        "has_progress": found.progress is not None,
        "progress": found.progress or 0,
        "state": found.state,
    }
