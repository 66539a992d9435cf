"""An assistant at the checkout whose program speaks OpenTelemetry: spans by the conventions of GenAI."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

import msgspec

from stenograph.demo.people import CODES, ITEMS, PAYMENTS, customers
from stenograph.demo.plan import Ids, Plan
from stenograph.demo.runs import Json

PROJECT: Final = "checkout-assistant"
TRACES: Final = 120
_SYSTEM: Final = "You help at the checkout of Halden: delivery, payment, discount codes. One sentence."
_ASKED: Final = (
    ("Does {code} work for the {item}?", "Yes, {code} takes 15 % off the {item}."),
    ("Can I still get the {item} by Friday?", "Yes, if you order within the next two hours."),
    ("How much is delivery for the {item}?", "Delivery of the {item} is free from a basket of 50."),
    ("Why is my {payment} not accepted?", "Your bank asks for a confirmation in its app; please try once more."),
    ("Can I pay the {item} by invoice?", "Invoice is for companies; you could split the payment in three instead."),
    ("Add a gift note, please.", "I've added a gift note to your basket; you can write it on the next page."),
    ("Is the {item} in stock in the size shown?", "Yes, there are {left} left."),
    ("Take the {item} out of my basket.", "The {item} is out of your basket."),
)  # fmt: skip


def exports(plan: Plan, ids: Ids) -> list[Json]:
    """Bodies of POST /v1/traces in JSON, each with the spans of some traces."""
    resource = _pairs(
        {"service.name": PROJECT, "service.version": "0.9.2", "deployment.environment.name": "production"}
    )
    found = []
    for start in range(0, TRACES, 20):
        spans = [
            span for number in range(start, min(start + 20, TRACES)) for span in _trace(plan, ids, number)
        ]
        scope = {"name": "checkout.assistant", "version": "0.9.2"}
        found.append(
            {
                "resourceSpans": [
                    {"resource": {"attributes": resource}, "scopeSpans": [{"scope": scope, "spans": spans}]}
                ]
            }
        )
    return found


def _trace(plan: Plan, ids: Ids, number: int) -> list[Json]:
    chance = plan.chance("checkout", number)
    who = chance.choice(customers(plan.chance("buyers"), 40))
    when = max(plan.since, plan.at(chance.random() * 0.995).replace(hour=6 + int(16 * chance.random())))
    when = min(when, plan.until - dt.timedelta(minutes=3))
    slots = {
        "code": chance.choice(CODES),
        "item": chance.choice(ITEMS).names["en"],
        "payment": chance.choice(PAYMENTS),
        "left": chance.randrange(2, 20),
    }
    asked, said = (text.format_map(slots) for text in chance.choice(_ASKED))
    trace, root, model, tool = (
        ids.uuid("checkout", number, part).hex for part in ("trace", "root", "model", "tool")
    )
    basket = f"B-{chance.randrange(10**6):06d}"
    failed = chance.random() < 0.03
    looked, spoke = chance.uniform(0.05, 0.3), chance.uniform(0.5, 1.6)
    messages = [{"role": "user", "parts": [{"type": "text", "content": asked}]}]
    answer = [{"role": "assistant", "parts": [{"type": "text", "content": said}], "finish_reason": "stop"}]
    told = {} if failed else {"gen_ai.output.messages": _json(answer)}
    error: Json = (
        {"status": {"code": 2, "message": "basket service: 503 Service Unavailable"}} if failed else {}
    )
    own = {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": "checkout assistant",
        "gen_ai.conversation.id": basket,
        "enduser.id": who.id,
        "gen_ai.input.messages": _json(messages),
        **told,
    }
    call = {
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o-mini",
        "gen_ai.response.model": "gpt-4o-mini-2024-07-18", "gen_ai.request.temperature": 0.2,
        "gen_ai.usage.input_tokens": 320 + len(asked) // 4, "gen_ai.usage.output_tokens": 4 + len(said) // 4,
        "gen_ai.system_instructions": _json([{"type": "text", "content": _SYSTEM}]),
        "gen_ai.input.messages": _json(messages), "gen_ai.output.messages": _json(answer),
    }  # fmt: skip
    use = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "read_basket",
        "gen_ai.tool.call.arguments": _json({"basket": basket}),
        **({} if failed else {"gen_ai.tool.call.result": _json({"items": 1 + number % 3})}),
    }
    end = looked + (0 if failed else spoke)
    found = [
        _span(trace, root, "", "invoke_agent checkout assistant", when, 0, end + 0.01, own) | error,
        _span(trace, tool, root, "execute_tool read_basket", when, 0.002, looked, use) | error,
    ]
    return (
        found if failed else [*found, _span(trace, model, root, "chat gpt-4o-mini", when, looked, end, call)]
    )


def _span(
    trace: str,
    span: str,
    parent: str,
    name: str,
    when: dt.datetime,
    start: float,
    end: float,
    attributes: Json,
) -> Json:
    begun = int(when.timestamp()) * 10**9
    return {
        "traceId": trace,
        "spanId": span[:16],
        "parentSpanId": parent[:16],
        "name": name,
        "kind": 1,
        "startTimeUnixNano": str(begun + int(start * 1e9)),
        "endTimeUnixNano": str(begun + int(end * 1e9)),
        "attributes": _pairs(attributes),
    }


def _pairs(attributes: dict[str, Any]) -> list[Json]:
    return [{"key": key, "value": _value(value)} for key, value in attributes.items()]


def _value(value: Any) -> Json:
    if isinstance(value, int):
        return {"intValue": str(value)}
    return {"doubleValue": value} if isinstance(value, float) else {"stringValue": value}


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
