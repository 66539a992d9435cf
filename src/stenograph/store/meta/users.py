"""Users, whom agents talk to, in the metadata store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import msgspec
import sqlalchemy as sa

from stenograph.model.agents import User
from stenograph.model.docs import Owner, OwnerKind
from stenograph.model.projects import DEFAULT_PROJECT
from stenograph.store.meta import tables
from stenograph.store.meta.docs import delete_of_owner
from stenograph.store.meta.listed import Listed, Noun
from stenograph.store.meta.projects import CANONICAL_NAME, is_project

_T: Final = tables.users.c


def _rows(workspace: UUID) -> sa.Select[Any]:
    return (
        sa.select(tables.users, CANONICAL_NAME.label("project_name"))
        .outerjoin(tables.projects, is_project(_T.workspace_id, _T.project_id))
        .where(_T.workspace_id == workspace)
    )


def _forget(connection: sa.Connection, user: User) -> None:
    delete_of_owner(connection, user.workspace, Owner(OwnerKind.USER, user.id))


def _to_row(user: User) -> dict[str, Any]:
    row = msgspec.structs.asdict(user)
    del row["project_name"]
    row["workspace_id"] = row.pop("workspace")
    row["project_id"] = row.pop("project")
    return row


def _from_rows(_: sa.Connection, workspace: UUID, rows: Sequence[sa.Row[Any]]) -> list[User]:
    return [
        User(
            id=row.id,
            workspace=workspace,
            created_at=row.created_at,
            updated_at=row.updated_at,
            name=row.name,
            about=row.about,
            metadata=row.metadata,
            project=None if row.project_name is None else row.project_id,
            project_name=row.project_name or DEFAULT_PROJECT,
        )
        for row in rows
    ]


USER: Final[Noun[User]] = Noun(
    table=tables.users,
    called="A user",
    rows=_rows,
    to_row=_to_row,
    from_rows=_from_rows,
    check=lambda _, user: user,
    forget=_forget,
)


class Users(Listed[User]):
    """Implements `store.api.Users`."""

    noun = USER
