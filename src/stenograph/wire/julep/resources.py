"""What agents, users and sessions have alike: created, listed, read, put, replaced, updated and deleted."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from stenograph.model.access import Caller, Permission
from stenograph.model.listing import ListQuery
from stenograph.wire.http import Services, caller, encode, path_uuid, services
from stenograph.wire.julep import shapes
from stenograph.wire.julep.bodies import body_as
from stenograph.wire.julep.lists import list_query

Patch = TypeVar("Patch")
Found = TypeVar("Found")
Stated_contra = TypeVar("Stated_contra", contravariant=True)
Kept_co = TypeVar("Kept_co", covariant=True)


class Keeper(Protocol[Stated_contra, Kept_co]):
    """The use-cases behind a resource."""

    async def create(self, workspace: UUID, patch: Stated_contra, /) -> Kept_co: ...

    async def find(self, query: ListQuery, /) -> Sequence[Kept_co]: ...

    async def read(self, workspace: UUID, ident: UUID, /) -> Kept_co: ...

    async def put(self, workspace: UUID, ident: UUID, patch: Stated_contra, /) -> Kept_co: ...

    async def replace(self, workspace: UUID, ident: UUID, patch: Stated_contra, /) -> Kept_co: ...

    async def update(self, workspace: UUID, ident: UUID, patch: Stated_contra, /) -> Kept_co: ...

    async def delete(self, workspace: UUID, ident: UUID, /) -> None: ...


@dataclass(frozen=True)
class Resource(Generic[Patch, Found]):
    path: str
    """`/agents`."""
    ident: str
    """What its id is called in the path: `agent_id`."""
    created: type[Any]
    """The body of POST."""
    replaced: type[Any]
    """The body of PUT."""
    updated: type[Any]
    """The body of PATCH: what is not in it stays."""
    keeper: Callable[[Services], Keeper[Patch, Found]]
    patch: Callable[[Request, Caller, Any, bool], Awaitable[Patch]]
    """What a body states; the flag is set where metadata are added to those that are there."""
    shown: Callable[[Found], shapes.Json]

    def routes(self) -> list[Route]:
        one = f"{self.path}/{{{self.ident}}}"
        return [
            Route(self.path, self.create, methods=["POST"]),
            Route(self.path, self.find, methods=["GET"]),
            Route(one, self.read, methods=["GET"]),
            Route(one, self.put, methods=["POST"]),
            Route(one, self.replace, methods=["PUT"]),
            Route(one, self.update, methods=["PATCH"]),
            Route(one, self.delete, methods=["DELETE"]),
        ]

    async def create(self, request: Request) -> Response:
        who = await caller(request, Permission.WRITE)
        async with body_as(request, self.created) as sent:
            stated = await self.patch(request, who, sent, False)
            found = await self.keeper(services(request)).create(who.workspace, stated)
        return encode(self.shown(found), 201)

    async def find(self, request: Request) -> Response:
        """A page, newest first by default."""
        who = await caller(request, Permission.READ)
        found = await self.keeper(services(request)).find(list_query(request, who))
        return encode(shapes.items([self.shown(each) for each in found]))

    async def read(self, request: Request) -> Response:
        who = await caller(request, Permission.READ)
        found = await self.keeper(services(request)).read(who.workspace, path_uuid(request, self.ident))
        return encode(self.shown(found))

    async def put(self, request: Request) -> Response:
        """POST with an id: created under it, or replaced."""
        return await self._write(request, self.keeper(services(request)).put, self.created, 201)

    async def replace(self, request: Request) -> Response:
        return await self._write(request, self.keeper(services(request)).replace, self.replaced, 200)

    async def update(self, request: Request) -> Response:
        return await self._write(
            request, self.keeper(services(request)).update, self.updated, 200, partial=True
        )

    async def delete(self, request: Request) -> Response:
        """With all that belongs to it."""
        who = await caller(request, Permission.WRITE)
        ident = path_uuid(request, self.ident)
        await self.keeper(services(request)).delete(who.workspace, ident)
        return encode(shapes.deleted(ident, time.time_ns() // 1000), 202)

    async def _write(
        self,
        request: Request,
        write: Callable[[UUID, UUID, Patch], Awaitable[Found]],
        body: type[Any],
        status: int,
        *,
        partial: bool = False,
    ) -> Response:
        who = await caller(request, Permission.WRITE)
        ident = path_uuid(request, self.ident)
        async with body_as(request, body) as sent:
            found = await write(who.workspace, ident, await self.patch(request, who, sent, partial))
        return encode(self.shown(found), status)
