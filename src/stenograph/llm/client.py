"""Asking models: chat completions, whole or streamed, and embeddings, of any OpenAI-compatible server.

The package that speaks to them is loaded when the first question is asked: a server that asks none does not pay for
it. What goes wrong is our own tree of errors: ModelRefused is for the caller to change, ModelUnavailable may pass.
"""

from __future__ import annotations

import asyncio
import builtins
from collections import OrderedDict
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Final

import msgspec

from stenograph.errors import ModelRefused, ModelUnavailable
from stenograph.llm import answers
from stenograph.llm.chat import ChatChunk, ChatReply, ChatRequest, Embeddings
from stenograph.llm.endpoint import Endpoint
from stenograph.llm.failures import failures, told

if TYPE_CHECKING:
    import httpx2
    from openai import AsyncOpenAI

RETRIES: Final = 2
"""How often a call is tried again by itself, after a 408, 409, 429 or 5xx, or when no connection comes about."""

LISTING_SECONDS: Final = 20.0
"""Longest that a list of models may take."""

_CLIENTS: Final = 32
"""Endpoints whose connections are kept."""

NOT_SET_UP: Final = (
    "no model is set up on this server: set STENOGRAPH_LLM_BASE_URL and STENOGRAPH_LLM_API_KEY, or OPENAI_API_KEY, "
    "and start it again"
)
NO_MODEL: Final = (
    "no model is named: name one, or set STENOGRAPH_LLM_MODEL to the one that is asked by default"
)


class Models:
    """One a process. `operators` is where questions go that name no endpoint of their own; None: nowhere.

    No call takes longer than `seconds`, its retries and the waits between them included, unless it says so itself.
    """

    def __init__(self, operators: Endpoint | None, *, seconds: float) -> None:
        self._operators = operators
        self._seconds = seconds
        self._clients: OrderedDict[Endpoint, AsyncOpenAI] = OrderedDict()
        self._closing: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """Let go of all connections."""
        for task in self._closing:
            task.cancel()
        await asyncio.gather(*self._closing, return_exceptions=True)
        while self._clients:
            await self._clients.popitem()[1].close()

    @property
    def problem(self) -> str | None:
        """Why nothing can be asked without an endpoint of its own, as a sentence; None when it can."""
        return NOT_SET_UP if self._operators is None else None

    def endpoint(self, wanted: Endpoint | None = None) -> Endpoint:
        """That, or the operator's; ModelRefused, naming the settings, when there is none."""
        found = wanted or self._operators
        if found is None:
            raise ModelRefused(NOT_SET_UP)
        return found

    async def chat(
        self,
        request: ChatRequest,
        endpoint: Endpoint | None = None,
        *,
        retries: int = RETRIES,
        seconds: float | None = None,
    ) -> ChatReply:
        """The whole answer."""
        where, model = self._asked(endpoint, request.model)
        body = await self._post(where, "/chat/completions", request.body(model), retries, seconds)
        try:
            return answers.completion(body, model)
        except answers.UNREADABLE as error:
            raise told(error, where) from error

    async def stream(
        self,
        request: ChatRequest,
        endpoint: Endpoint | None = None,
        *,
        retries: int = RETRIES,
        seconds: float | None = None,
    ) -> AsyncGenerator[ChatChunk, None]:
        """The answer piece by piece. ModelUnavailable too where it breaks off; what has come until then was true.

        Retries are over once the answer begins. The caller's own time between two pieces counts.
        """
        where, model = self._asked(endpoint, request.model)
        loop = asyncio.get_running_loop()
        latest, ended = loop.time() + self._longest(seconds), False
        async with aclosing(
            self._pieces(where, request.body(model, stream=True), retries, seconds)
        ) as pieces:
            while True:
                try:
                    async with asyncio.timeout_at(latest):
                        piece = await anext(pieces)
                except StopAsyncIteration:
                    break
                except failures() as error:
                    raise told(error, where) from error
                ended = ended or piece.finish_reason is not None
                yield piece
        if not ended:
            raise ModelUnavailable(f"the answer of the model at {where.host} broke off")

    async def embed(
        self,
        texts: Sequence[str],
        model: str = "",
        endpoint: Endpoint | None = None,
        *,
        dimensions: int | None = None,
        retries: int = RETRIES,
        seconds: float | None = None,
    ) -> Embeddings:
        """A vector for each text. `dimensions` is sent along where it is stated; not every server heeds it."""
        where, model = self._asked(endpoint, model)
        asked: dict[str, object] = {"model": model, "input": list(texts), "encoding_format": "float"}
        if dimensions is not None:
            asked["dimensions"] = dimensions
        body = await self._post(where, "/embeddings", msgspec.json.encode(asked), retries, seconds)
        try:
            return answers.embeddings(body, len(texts), model)
        except answers.UNREADABLE as error:
            raise told(error, where) from error

    async def list(
        self, endpoint: Endpoint | None = None, *, seconds: float = LISTING_SECONDS
    ) -> builtins.list[str]:
        """The names of the models that the server has, in its order."""
        import httpx2

        where = self.endpoint(endpoint)
        try:
            async with asyncio.timeout(seconds):
                answer: httpx2.Response = await self._client(where).get(
                    "/models", cast_to=httpx2.Response, options=self._options(where, RETRIES, seconds)
                )
            return answers.models(answer.content)
        except failures() as error:
            raise told(error, where) from error

    # -- the wire ----------------------------------------------------------------------------------------

    async def _post(
        self, where: Endpoint, path: str, body: bytes, retries: int, seconds: float | None
    ) -> bytes:
        import httpx2

        client = self._client(where)
        try:
            async with asyncio.timeout(self._longest(seconds)):
                answer: httpx2.Response = await client.post(
                    path,
                    content=body,
                    cast_to=httpx2.Response,
                    options=self._options(where, retries, seconds),
                )
        except failures() as error:
            raise told(error, where) from error
        return answer.content

    async def _pieces(
        self, where: Endpoint, body: bytes, retries: int, seconds: float | None
    ) -> AsyncGenerator[ChatChunk, None]:
        from openai import AsyncStream

        kind: type[AsyncStream[object]] = AsyncStream[object]
        events = await self._client(where).post(
            "/chat/completions",
            content=body,
            cast_to=object,
            options=self._options(where, retries, seconds),
            stream=True,
            stream_cls=kind,
        )
        async with events:
            async for event in events:
                for piece in answers.chunks(event):
                    yield piece

    def _options(self, where: Endpoint, retries: int, seconds: float | None) -> Any:
        from openai import Omit

        headers: dict[str, Any] = {"Content-Type": "application/json"}
        if not where.api_key:  # then none is sent, be there one in the environment or not
            headers["Authorization"] = Omit()
        return {"max_retries": retries, "timeout": self._longest(seconds), "headers": headers}

    def _longest(self, seconds: float | None) -> float:
        return self._seconds if seconds is None else seconds

    def _asked(self, endpoint: Endpoint | None, model: str) -> tuple[Endpoint, str]:
        where = self.endpoint(endpoint)
        model = model or where.model
        if not model:
            raise ModelRefused(NO_MODEL)
        return where, model

    def _client(self, where: Endpoint) -> AsyncOpenAI:
        """The client of this endpoint, with its connections; the one that was not used for longest makes room."""
        known = self._clients.get(where)
        if known is not None:
            self._clients.move_to_end(where)
            return known
        import httpx2
        from openai import AsyncOpenAI

        from stenograph.llm.transport import PublicTransport

        made = AsyncOpenAI(
            base_url=where.base_url,
            api_key=where.api_key or "none",
            http_client=httpx2.AsyncClient(transport=None if where.trusted else PublicTransport()),
        )
        self._clients[where] = made
        if len(self._clients) > _CLIENTS:
            closing = asyncio.create_task(self._close_unused(self._clients.popitem(last=False)[1]))
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)
        return made

    async def _close_unused(self, client: AsyncOpenAI) -> None:
        """Once what it was asked last must have been answered."""
        try:
            await asyncio.sleep(2 * self._seconds)
        finally:
            await client.close()
