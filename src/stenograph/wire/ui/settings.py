"""The page's settings: API keys, model prices, where models are asked, what is stored. Dead letters have their own.

Prices are dollars for a million tokens here, as providers' own lists have them; the domain's are for one.
"""

from __future__ import annotations

import datetime as dt
import time
from decimal import Decimal
from typing import Annotated, Any, Final
from uuid import UUID, uuid4

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from stenograph.domain.chat.providers import API_KEY, BASE_URL, OPENAI_KEY, OPENAI_URL
from stenograph.domain.storage import Storage
from stenograph.errors import Invalid, ModelRefused, NotFound
from stenograph.model.access import ApiKey, Caller, KeyKind, Permission, Role
from stenograph.model.prices import ModelPrice
from stenograph.model.projects import ProjectQuery
from stenograph.model.runs import Micros
from stenograph.model.secrets import Secret
from stenograph.wire.http import Params, body_as, encode, of_body, path_uuid, services
from stenograph.wire.ui.signing_in import viewer

MAX_OFFERS: Final = 100
MAX_SECRETS: Final = 1000
_MILLION: Final = Decimal(1_000_000)

# -- keys ------------------------------------------------------------------------------------------------


class NewKeyIn(msgspec.Struct, frozen=True):
    """`expires` is a moment in microseconds since 1970; None for a key that holds until it is revoked. `own`: the
    viewer's, who is a member; else it belongs to nobody."""

    name: str
    role: Role
    own: bool = False
    expires: Annotated[Micros, msgspec.Meta(ge=0, lt=2**53)] | None = None


async def keys(request: Request) -> Response:
    """GET /ui/api/keys: oldest first, revoked ones too, but for sign-ins that have ended. A member who is no admin sees
    their own."""
    who = await viewer(request, Permission.READ)
    found = await services(request).access.list_keys(who)
    shown = [_key(key, who) for key in found]
    return encode({"keys": [key for key in shown if key["active"] or not key["signIn"]]})


async def create_key(request: Request) -> Response:
    """POST /ui/api/keys: the key with its secret, which no other answer has."""
    who = await viewer(request, Permission.READ)
    sent = await body_as(request, NewKeyIn)
    issued = await services(request).access.create_key(
        who, sent.name.strip(), sent.role, expires_at=sent.expires, own=sent.own
    )
    return encode({**_key(issued.key, who), "secret": issued.secret})


async def revoke_key(request: Request) -> Response:
    """DELETE /ui/api/keys/{key_id}."""
    who = await viewer(request, Permission.READ)
    return encode(_key(await services(request).access.revoke_key(who, path_uuid(request, "key_id")), who))


def _key(key: ApiKey, who: Caller) -> dict[str, Any]:
    """`role` is what it may do: None when its holder may do nothing of that. `own`: it is what the viewer came with."""
    return {
        "id": key.id,
        "name": key.name,
        "role": None if key.reach is None else key.reach.value,
        "hint": key.hint,
        "created": key.created_at,
        "revoked": key.revoked_at,
        "expires": key.expires_at,
        "active": key.is_active(time.time_ns() // 1000),
        "signIn": key.kind is KeyKind.SIGN_IN,
        "of": None if key.holder is None else key.holder.name,
        "own": key.id == who.key_id,
    }


# -- prices ----------------------------------------------------------------------------------------------


class PriceIn(msgspec.Struct, frozen=True, kw_only=True):
    """Costs are dollars for a million tokens, as numbers or texts."""

    name: str
    pattern: str
    provider: str | None = None
    input: Decimal
    output: Decimal

    def over(self, price: ModelPrice) -> ModelPrice:
        """That price with what is stated here; the rest of it stays."""
        return msgspec.structs.replace(
            price,
            name=self.name.strip(),
            match_pattern=self.pattern,
            provider=(self.provider or "").strip() or None,
            prompt_cost=_a_token(self.input),
            completion_cost=_a_token(self.output),
        )


def _a_token(million: Decimal) -> Decimal:
    """Exactly: a million tokens' price with its point six places to the left."""
    sign, digits, exponent = million.as_tuple()
    return Decimal((sign, digits, exponent - 6)) if isinstance(exponent, int) else million


async def prices(request: Request) -> Response:
    """GET /ui/api/prices?find=: the workspace's own, and the built-in ones that have these words."""
    from stenograph.domain.usage import catalogue  # 5 MB that a server reads when prices are first asked for

    who = await viewer(request, Permission.READ)
    words = (Params(request).text("find") or "")[:200]
    own = [_price(price) for price in await services(request).prices.all(who.workspace)]
    built_in = catalogue.offers(words, dt.datetime.now(dt.UTC), MAX_OFFERS + 1)
    return encode(
        {
            "own": own,
            "builtIn": [
                {
                    "provider": offer.provider,
                    "model": offer.model,
                    "input": None if offer.prompt is None else _plain(offer.prompt),
                    "output": None if offer.completion is None else _plain(offer.completion),
                }
                for offer in built_in[:MAX_OFFERS]
            ],
            "more": len(built_in) > MAX_OFFERS,
        }
    )


async def add_price(request: Request) -> Response:
    """POST /ui/api/prices."""
    who = await viewer(request, Permission.WRITE)
    sent = await body_as(request, PriceIn)
    fresh = ModelPrice(
        id=uuid4(),
        workspace=who.workspace,
        name="",
        match_pattern="",
        prompt_cost=Decimal(0),
        completion_cost=Decimal(0),
        created_at=time.time_ns() // 1000,
    )
    with of_body():
        price = sent.over(fresh)
        await services(request).prices.add(price)
    return encode(_price(price))


async def change_price(request: Request) -> Response:
    """PUT /ui/api/prices/{own_price_id}: prices of details, and since when it holds, stay as they are."""
    who = await viewer(request, Permission.WRITE)
    price_id = path_uuid(request, "own_price_id")
    sent = await body_as(request, PriceIn)
    book = services(request).prices
    former = next((one for one in await book.all(who.workspace) if one.id == price_id), None)
    if former is None:
        raise NotFound(f"There is no price {price_id}.")
    with of_body():
        changed = await book.replace(sent.over(former))
    return encode(_price(changed))


async def remove_price(request: Request) -> Response:
    """DELETE /ui/api/prices/{own_price_id}. Costs that runs have already stay."""
    who = await viewer(request, Permission.WRITE)
    await services(request).prices.remove(who.workspace, path_uuid(request, "own_price_id"))
    return encode({})


def _price(price: ModelPrice) -> dict[str, Any]:
    sides = (("input", price.prompt_cost_details), ("output", price.completion_cost_details))
    return {
        "id": price.id,
        "name": price.name,
        "pattern": price.match_pattern,
        "provider": price.provider,
        "input": _plain(price.prompt_cost * _MILLION),
        "output": _plain(price.completion_cost * _MILLION),
        "details": {
            f"{side} {key}": _plain(cost * _MILLION) for side, costs in sides for key, cost in costs.items()
        },
        "since": price.start_time,
    }


def _plain(amount: Decimal) -> str:
    """Without an exponent, and without zeros at its end."""
    text = format(amount, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


# -- where models are asked ------------------------------------------------------------------------------


class SecretIn(msgspec.Struct, frozen=True):
    name: str
    value: str


async def endpoints(request: Request) -> Response:
    """GET /ui/api/endpoints: by whose settings chats ask a model, or why none is asked, and the names of secrets.

    No answer has a value of a secret: not the address that one may be, nor an error that repeats it.
    """
    who = await viewer(request, Permission.READ)
    to = services(request)
    found = await to.conversing.secrets.page(who.workspace, 0, MAX_SECRETS)
    known = (BASE_URL, API_KEY, OPENAI_URL, OPENAI_KEY)
    by = "secrets" if {secret.name for secret in found} & set(known) else "server"
    model, problem = None, None
    try:
        model = (await to.chat.endpoint(who.workspace)).model or None
    except ModelRefused as refusal:
        problem = refusal.message
    except Invalid:
        problem = "The address of the model's server among the secrets is not one."
    return encode(
        {
            "by": by,
            "model": model,
            "problem": problem,
            "secrets": [_secret(secret) for secret in sorted(found, key=lambda one: one.name)],
            "known": known,
        }
    )


async def set_secret(request: Request) -> Response:
    """PUT /ui/api/secrets: a secret of this name has this value now."""
    who = await viewer(request, Permission.WRITE)
    sent = await body_as(request, SecretIn)
    secrets = services(request).conversing.secrets
    known = await secrets.page(who.workspace, 0, MAX_SECRETS)
    former = next((one for one in known if one.name == sent.name), None)
    with of_body():
        if former is None:
            kept = await secrets.create(who.workspace, sent.name, sent.value, None, b"{}")
        else:
            kept = await secrets.replace(
                who.workspace, former.id, sent.name, sent.value, former.description, former.metadata
            )
    return encode(_secret(kept))


async def remove_secret(request: Request) -> Response:
    """DELETE /ui/api/secrets/{sealed_id}."""
    who = await viewer(request, Permission.WRITE)
    await services(request).conversing.secrets.delete(who.workspace, path_uuid(request, "sealed_id"))
    return encode({})


def _secret(secret: Secret) -> dict[str, Any]:
    return {
        "id": secret.id,
        "name": secret.name,
        "description": secret.description,
        "updated": secret.updated_at,
    }


# -- what is stored --------------------------------------------------------------------------------------


async def storage(request: Request) -> Response:
    """GET /ui/api/storage."""
    who = await viewer(request, Permission.READ)
    to = services(request)
    found = await Storage(to.settings.data_dir, to.runs).of(who)
    names = await _names(request, who, tuple(found.runs))
    return encode(
        {
            "runs": sum(found.runs.values()),
            "projects": [
                {"id": project, "name": names.get(project), "runs": runs, "bytes": found.sizes.get(project)}
                for project, runs in found.runs.items()
            ],
            "disk": None if found.disk is None else {"parts": found.disk.parts, "free": found.disk.free},
        }
    )


async def _names(request: Request, who: Caller, ids: tuple[UUID, ...]) -> dict[UUID, str]:
    if not ids:
        return {}
    found = await services(request).projects.find(ProjectQuery(workspace=who.workspace, ids=ids))
    return {project.id: project.name for project in found}


def routes() -> list[BaseRoute]:
    return [
        Route("/ui/api/keys", keys, methods=["GET"]),
        Route("/ui/api/keys", create_key, methods=["POST"]),
        Route("/ui/api/keys/{key_id}", revoke_key, methods=["DELETE"]),
        Route("/ui/api/prices", prices, methods=["GET"]),
        Route("/ui/api/prices", add_price, methods=["POST"]),
        Route("/ui/api/prices/{own_price_id}", change_price, methods=["PUT"]),
        Route("/ui/api/prices/{own_price_id}", remove_price, methods=["DELETE"]),
        Route("/ui/api/endpoints", endpoints, methods=["GET"]),
        Route("/ui/api/secrets", set_secret, methods=["PUT"]),
        Route("/ui/api/secrets/{sealed_id}", remove_secret, methods=["DELETE"]),
        Route("/ui/api/storage", storage, methods=["GET"]),
    ]
