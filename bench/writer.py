"""A model that words reports, by a script, in a process of its own: what a report asks for, and in how many tokens,
does not depend on how good the answers are. Tokens are counted as OpenAI's models count them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import multiprocessing
from collections.abc import Iterator
from typing import Any, Final

from stenograph.llm import tokens

MODEL: Final = "gpt-4o-mini"
SETTINGS: Final = {"STENOGRAPH_LLM_API_KEY": "sk-bench", "STENOGRAPH_LLM_MODEL": MODEL}
_SUMMARY: Final = "Someone wants to know why a charge came twice, and is told when it will be given back."


@contextlib.contextmanager
def writing() -> Iterator[dict[str, str]]:
    """The settings of a server that asks it."""
    told: Any = multiprocessing.Queue()
    process = multiprocessing.Process(target=_serve, args=(told,), daemon=True)
    process.start()
    try:
        yield SETTINGS | {"STENOGRAPH_LLM_BASE_URL": f"http://127.0.0.1:{told.get(timeout=60)}/v1"}
    finally:
        process.terminate()
        process.join()


def _serve(told: Any) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
                body = _answer(json.loads(await reader.readexactly(length)))
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n")
                writer.write(b"content-length: %d\r\n\r\n" % len(body) + body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def run() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        told.put(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(run())


def _answer(asked: dict[str, Any]) -> bytes:
    system, user = (str(message["content"]) for message in asked["messages"])
    schema = asked["response_format"]["json_schema"]["schema"]
    text = json.dumps(_said(schema["required"], json.loads(user)))
    prompt = tokens.count(system + user + json.dumps(schema), MODEL) + 12
    came = tokens.count(text, MODEL)
    usage = {"prompt_tokens": prompt, "completion_tokens": came, "total_tokens": prompt + came}
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    whole = {"id": "1", "object": "chat.completion", "model": MODEL, "choices": [choice], "usage": usage}
    return json.dumps(whole).encode()


def _said(wanted: list[str], given: dict[str, Any]) -> dict[str, Any]:
    if wanted == ["name", "description"]:
        about = str(given.get("keywords") or "what its parts are about")
        return {"name": f"Ask about {about}"[:70], "description": f"{_SUMMARY} It is about {about}."}
    if wanted == ["title", "key_points"]:
        return {
            "title": "What people ask for",
            "key_points": [f"{_SUMMARY} See #{each}." for each in range(1, 6)],
        }
    return dict.fromkeys(wanted) | {"summary": _SUMMARY}
