"""Files that clients keep here: bytes in the blob store, what is known of them beside the rest."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable
from typing import Final
from uuid import UUID

from stenograph.domain.conversations.agents import MAX_TEXT, check_length, unknown
from stenograph.errors import Invalid, NotFound
from stenograph.model.files import File
from stenograph.model.ids import new_id
from stenograph.store.api import BlobStore, MetaStore

MAX_NAME: Final = 255
_MIME_TYPE: Final = re.compile(r"[A-Za-z0-9!#$&^_.+-]{1,60}/[A-Za-z0-9!#$&^_.+-]{1,60}(?:\s*;[ -~]{0,120})?")


class Files:
    """The use-cases of files. Another workspace's are unknown to all of them. Callers check the permission."""

    def __init__(self, meta: MetaStore, blobs: BlobStore, *, clock: Callable[[], int] = time.time_ns) -> None:
        self._store = meta.files
        self._blobs = blobs
        self._clock = clock

    async def create(
        self,
        workspace: UUID,
        content: bytes,
        *,
        name: str,
        description: str,
        mime_type: str | None,
        project: UUID | None,
    ) -> File:
        """A new file, its bytes on disk."""
        check_length(name, "name", 1, MAX_NAME)
        check_length(description, "description", 0, MAX_TEXT)
        if mime_type is not None and not _MIME_TYPE.fullmatch(mime_type):
            raise Invalid("a mime_type is such as text/plain", ("mime_type",))
        if not content:
            raise Invalid("a file has at least one byte", ("content",))
        now = self._clock() // 1000
        ident = new_id(now)
        file = File(
            id=ident,
            workspace=workspace,
            name=name,
            size=len(content),
            hash=hashlib.sha256(content).hexdigest(),
            created_at=now,
            description=description,
            mime_type=mime_type,
            project=project,
        )
        # The bytes first: a file that is listed can be read.
        await self._blobs.put(file.key, content)
        try:
            await self._store.create(file)
        except BaseException:
            await self._blobs.delete([file.key])
            raise
        return await self.read(workspace, ident)

    async def read(self, workspace: UUID, file_id: UUID) -> File:
        """NotFound when there is none."""
        file = await self._store.read(workspace, file_id)
        if file is None:
            raise unknown("file", file_id)
        return file

    async def page(self, workspace: UUID, offset: int, limit: int) -> list[File]:
        """Newest first."""
        return await self._store.page(workspace, offset, limit)

    async def content(self, file: File) -> bytes | None:
        """The bytes; None when the file has just been deleted."""
        try:
            return await self._blobs.get(file.key)
        except NotFound:
            return None

    async def delete(self, workspace: UUID, file_id: UUID) -> None:
        """NotFound when there is none."""
        file = await self._store.delete(workspace, file_id)
        if file is None:
            raise unknown("file", file_id)
        await self._blobs.delete([file.key])
