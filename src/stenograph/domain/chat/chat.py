"""Chats with agents: asked, answered, also piece by piece; and what a model would be asked. Gathers this room."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

from stenograph.domain.chat.api_calls import ApiCalls
from stenograph.domain.chat.asked import Answer, Asked, Origin, Piece, Rendered
from stenograph.domain.chat.prompts import Prompts
from stenograph.domain.chat.providers import Providers, hosts
from stenograph.domain.chat.repeats import Repeats
from stenograph.domain.chat.summaries import Summaries
from stenograph.domain.chat.system_tools import SystemTools
from stenograph.domain.chat.toolbox import Toolbox
from stenograph.domain.chat.tracing import Tracer
from stenograph.domain.chat.turns import Kit, Turn
from stenograph.domain.conversations.conversing import Conversing
from stenograph.domain.recall.recalling import Recalling
from stenograph.domain.recording.ingest import Ingest
from stenograph.domain.templates.renderer import Renderer
from stenograph.errors import ModelRefused
from stenograph.llm.client import Models
from stenograph.llm.endpoint import Endpoint
from stenograph.settings import Settings
from stenograph.store.api import MetaStore

_NO_LIST = frozenset({404, 405, 501})
"""What servers answer that cannot list their models."""


class Streaming:
    """An answer on its way: its pieces, and at last the whole."""

    def __init__(self, kit: Kit, workspace: UUID, session: UUID, asked: Asked, origin: Origin) -> None:
        self._queue: asyncio.Queue[Piece | Answer | BaseException | None] = asyncio.Queue()
        self._turn = Turn(kit, workspace, session, asked, origin, self._queue.put_nowait)
        self._first: Piece | Answer | None = None
        self._has_begun = self._is_read = False
        self.task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        try:
            self._queue.put_nowait(await self._turn.run())
        except asyncio.CancelledError as error:
            self._queue.put_nowait(error)
            raise
        except Exception as error:
            self._queue.put_nowait(error)

    async def begin(self) -> None:
        """Once there is a first piece; raises what keeps the answer from beginning."""
        try:
            self._first = await self._next()
            self._has_begun = True
        except asyncio.CancelledError:
            self.stop()
            raise

    async def __aiter__(self) -> AsyncIterator[Piece | Answer]:
        """The last is an Answer, by when the turn is on disk; or it raises what broke the answer off."""
        found = self._first if self._has_begun else await self._next()
        while found is not None:
            yield found
            self._is_read = True
            if isinstance(found, Answer):
                return
            found = await self._next()

    async def _next(self) -> Piece | Answer | None:
        found = await self._queue.get()
        if isinstance(found, BaseException):
            raise found
        return found

    def stop(self) -> None:
        """Nobody listens any more: what was said until now is kept, if any of it has been taken from here."""
        self._turn.stop(is_read=self._is_read)


class Chat:
    """The use-cases of chats. Another workspace's sessions are unknown to all of them. Callers check the permission."""

    def __init__(self, kit: Kit, renderer: Renderer) -> None:
        self._kit = kit
        self._renderer = renderer
        self._streams: set[Streaming] = set()

    @classmethod
    def over(
        cls,
        meta: MetaStore,
        conversing: Conversing,
        recalling: Recalling,
        models: Models,
        ingest: Ingest,
        settings: Settings,
    ) -> Chat:
        """Put together over these."""
        renderer, private = Renderer(), hosts(settings.private_hosts)
        prompts = Prompts(recalling.recall, renderer, renders_users=settings.render_user_messages)
        providers = Providers(models, conversing.secrets, private)
        kit = Kit(
            histories=conversing.histories,
            models=models,
            prompts=prompts,
            providers=providers,
            tools=Toolbox(ApiCalls(conversing.secrets, private), SystemTools(conversing, recalling)),
            tracer=Tracer(ingest, on=settings.record_chats),
            repeats=Repeats(conversing.histories),
            summaries=Summaries(meta, conversing.histories, conversing.jobs, models, providers.endpoint),
            rounds=settings.chat_tool_rounds,
        )
        return cls(kit, renderer)

    async def start(self) -> None:
        """Go on with the summaries that an earlier process left."""
        await self._kit.summaries.start()

    async def stop(self) -> None:
        """Answers on their way are cut off and kept as far as they came."""
        for each in list(self._streams):
            each.stop()
        await asyncio.gather(*(each.task for each in self._streams), return_exceptions=True)
        await self._kit.summaries.stop()
        await self._renderer.close()

    async def ask(self, workspace: UUID, session: UUID, asked: Asked, origin: Origin) -> Answer:
        """The answer, by when the turn is on disk.

        NotFound for a session that is not there; Invalid for what cannot be asked of it, PromptTooBig among it;
        ModelRefused and ModelUnavailable, TurnBroken when tools had run by then. Nothing is stored then.
        """
        answer = await Turn(self._kit, workspace, session, asked, origin).run()
        assert answer is not None  # nobody stops it
        return answer

    def stream(self, workspace: UUID, session: UUID, asked: Asked, origin: Origin) -> Streaming:
        """The same, piece by piece. What was said before a failure, or before nobody listened any more, is kept."""
        found = Streaming(self._kit, workspace, session, asked, origin)
        self._streams.add(found)
        found.task.add_done_callback(lambda _: self._streams.discard(found))
        return found

    def delivered(self, session: UUID, origin: Origin) -> None:
        """The client has read the answer to this request."""
        self._kit.repeats.delivered(session, origin)

    async def render(self, workspace: UUID, session: UUID, asked: Asked) -> Rendered:
        """What a model would be asked. Nothing is asked, and nothing stored."""
        context = await self._kit.histories.context(workspace, session)
        unrecorded = self._kit.tracer.begin(workspace, session, None)
        prompt = await self._kit.prompts.prepare(context, asked, unrecorded)
        return Rendered(
            messages=prompt.messages, docs=prompt.docs, tools=prompt.tools, tool_choice=asked.tool_choice
        )

    async def endpoint(self, workspace: UUID) -> Endpoint:
        """Whom this workspace's chats ask; ModelRefused, naming the settings, when nothing says where."""
        return await self._kit.providers.endpoint(workspace)

    async def models(self, workspace: UUID, api_key: str = "") -> list[str]:
        """The names of the models that this workspace may ask, as their server lists them. Of one that lists none, the
        model that is asked by default."""
        where = await self._kit.providers.endpoint(workspace, api_key)
        try:
            return await self._kit.models.list(where)
        except ModelRefused as error:
            if error.status in _NO_LIST and where.model:
                return [where.model]
            raise
