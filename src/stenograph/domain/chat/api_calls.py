"""Tools that are a call of somebody's HTTP API.

The definition says where and with which headers; a model fills in parameters and body alone, so that it cannot send a
secret elsewhere. Addresses have to be public, or named in the settings. `{{ secrets.name }}` stands for a secret of the
workspace, anywhere in the definition: it is replaced, not executed (decisions/088).
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode, urljoin, urlsplit
from uuid import UUID

import msgspec

from stenograph.domain.chat.providers import is_private
from stenograph.domain.conversations.secrets import Secrets
from stenograph.errors import Invalid, ModelUnavailable, StenographError, Unsupported

if TYPE_CHECKING:
    import httpx2

SECONDS: Final = 30.0
LONGEST: Final = 120.0
"""Seconds of a call: where its definition says nothing, and at most."""

MAX_ANSWER: Final = 1 << 20
"""Bytes of an answer that are read."""

MAX_HOPS: Final = 5
"""Redirects that are followed, on one server."""

_SECRET: Final = re.compile(r"\{\{\s*secrets\.([A-Za-z_][A-Za-z0-9_]*)\s*\}\}")
_WITHOUT_BODY: Final = frozenset({"GET", "HEAD", "DELETE", "OPTIONS"})
_NOT_OFFERED: Final = frozenset({"CONNECT", "TRACE"})
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})


class ApiCalls:
    """Makes calls. `private` are hosts with ports that may be called although they are not public."""

    def __init__(self, secrets: Secrets, private: frozenset[str]) -> None:
        self._secrets = secrets
        self._private = private

    async def run(self, workspace: UUID, definition: dict[str, Any], arguments: dict[str, Any]) -> str:
        """The answer as JSON: `status_code`, and `json` or `content`. Invalid where the call cannot be made,
        ModelUnavailable when nobody answers."""
        if definition["method"] in _NOT_OFFERED or definition.get("files"):
            what = "files" if definition.get("files") else definition["method"]
            raise Unsupported(f"calls with {what} are not made from here")
        filled = await self._filled(workspace, definition)
        request = _request(filled, arguments)
        seconds = min(float(filled.get("timeout") or SECONDS), LONGEST)
        try:
            async with asyncio.timeout(seconds):
                return await self._answer(request, follow=bool(filled.get("follow_redirects")), whole=filled)
        except TimeoutError:
            raise ModelUnavailable(f"{urlsplit(request['url']).hostname} did not answer in time") from None

    async def _filled(self, workspace: UUID, definition: dict[str, Any]) -> dict[str, Any]:
        """The definition with its secrets in place."""
        names = dict.fromkeys(_SECRET.findall(msgspec.json.encode(definition).decode()))
        aliases = definition.get("secrets") or {}
        if not names:
            return definition
        called = {name: aliases[name]["name"] if name in aliases else name for name in names}
        known = await self._secrets.reveal_all(workspace, list(called.values()))
        for missing in called.values():
            if missing not in known:
                raise Invalid(f"there is no secret {missing!r} in this workspace")
        values = {name: known[secret] for name, secret in called.items()}
        found: dict[str, Any] = _replaced(
            {key: definition[key] for key in definition if key != "secrets"}, values
        )
        return found

    async def _answer(self, request: dict[str, Any], *, follow: bool, whole: dict[str, Any]) -> str:
        import httpx2

        from stenograph.llm.transport import PublicTransport

        transport = (
            httpx2.AsyncHTTPTransport(trust_env=False)
            if is_private(request["url"], self._private)
            else PublicTransport(any_header=True)
        )
        try:
            async with httpx2.AsyncClient(transport=transport, timeout=LONGEST, trust_env=False) as client:
                answer, content = await _send(client, request)
                hops = 0
                while follow and answer.status_code in _REDIRECTS and hops < MAX_HOPS:
                    there = urljoin(request["url"], answer.headers.get("location", ""))
                    if _origin(there) != _origin(request["url"]):
                        break  # what is sent is meant for this server alone
                    hops += 1
                    request = _redirected(request, answer.status_code, there)
                    answer, content = await _send(client, request)
        except StenographError:
            raise
        except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError, ValueError) as error:
            raise ModelUnavailable(
                f"{urlsplit(request['url']).hostname}: {str(error) or type(error).__name__}"
            ) from None
        return _told(answer, content, include=whole.get("include_response_content") is not False)


def _replaced(value: Any, secrets: dict[str, str]) -> Any:
    if isinstance(value, str):
        return _SECRET.sub(lambda match: secrets[match[1]], value)
    if isinstance(value, dict):
        return {key: _replaced(member, secrets) for key, member in value.items()}
    if isinstance(value, list):
        return [_replaced(member, secrets) for member in value]
    return value


def _request(definition: dict[str, Any], arguments: dict[str, Any]) -> dict[str, Any]:
    """What is sent. A model's arguments are parameters of the query where the method has no body, else members of the
    JSON body; those called `params` and `json` are the one and the other whole."""
    method, url = definition["method"], definition["url"]
    if urlsplit(url).scheme not in ("http", "https"):
        raise Invalid(f"{url[:100]!r} is not an address of the web")
    rest = dict(arguments)
    params = _object(rest.pop("params", None), "params")
    body = _object(rest.pop("json", rest.pop("json_", None)), "json")
    if method in _WITHOUT_BODY:
        params |= rest
    else:
        body |= rest
    found: dict[str, Any] = {"method": method, "url": url, "headers": dict(definition.get("headers") or {})}
    own = definition.get("params")
    query = [own.lstrip("?")] if isinstance(own, str) and own else []
    if isinstance(own, dict):
        params |= own
    if params:
        stated = {name: _text(value) for name, value in params.items() if value is not None}
        query.append(urlencode(stated, doseq=True))
    if query:
        found["url"] = f"{url}{'&' if urlsplit(url).query else '?'}{'&'.join(query)}"
    if definition.get("cookies"):
        pairs = "; ".join(f"{name}={value}" for name, value in definition["cookies"].items())
        found["headers"]["Cookie"] = pairs
    return found | _body(definition, body)


def _body(definition: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    """What the definition states wins over what a model adds to it."""
    own = definition.get("json")
    if definition.get("content") is not None:
        try:
            return {"content": base64.b64decode(definition["content"], validate=True)}
        except (binascii.Error, ValueError):
            raise Invalid("the tool's content is not base64") from None
    if definition.get("data") is not None:
        return {"data": {name: _text(value) for name, value in {**body, **definition["data"]}.items()}}
    if isinstance(own, dict):
        return {"json": {**body, **own}}
    if own is not None:
        return {"json": own}
    return {"json": body} if body else {}


def _object(value: Any, name: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Invalid(f"{name} is an object")
    return dict(value)


def _text(value: Any) -> Any:
    """A value of a query or a form: lists repeat it, objects are JSON."""
    if isinstance(value, list):
        return [_text(each) for each in value]
    if isinstance(value, dict):
        return msgspec.json.encode(value).decode()
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


async def _send(client: httpx2.AsyncClient, request: dict[str, Any]) -> tuple[httpx2.Response, bytes]:
    """The answer, and as much of it as is read."""
    async with client.stream(**request) as answer:
        parts, size = [], 0
        async for part in answer.aiter_bytes():
            parts.append(part)
            size += len(part)
            if size > MAX_ANSWER:
                break
        return answer, b"".join(parts)[:MAX_ANSWER]


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


def _redirected(request: dict[str, Any], status: int, url: str) -> dict[str, Any]:
    """The same to another place, by the rules of RFC 9110, section 15.4: most become a GET."""
    kept = {"method": request["method"], "url": url, "headers": request["headers"]}
    if status in (307, 308):
        return kept | {name: request[name] for name in ("json", "data", "content") if name in request}
    return kept | {"method": "GET"} if request["method"] != "HEAD" else kept


def _told(answer: httpx2.Response, content: bytes, *, include: bool) -> str:
    found: dict[str, Any] = {"status_code": answer.status_code}
    if include and content:
        try:
            found["json"] = msgspec.json.decode(content)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            found["content"] = content.decode("utf-8", "replace")
    return msgspec.json.encode(found).decode()
