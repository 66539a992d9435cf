"""What the agent's tools are asked and what they answer."""

from __future__ import annotations

import random
from typing import Final

from stenograph.demo.phrases import Case
from stenograph.demo.runs import Json
from stenograph.demo.topics import TOOLS, Tool

SCHEMAS: Final[list[Json]] = [
    {
        "type": "function",
        "function": {
            "name": tool.name,
            "description": tool.description,
            "parameters": {"type": "object", "properties": {"order": {"type": "string"}}},
        },
    }
    for tool in TOOLS
]

PAYMENT_TIMEOUT: Final = """PaymentTimeout: POST https://payments.halden.example/v3/payments: no answer within 30.0 s

Traceback (most recent call last):
  File "/srv/support-agent/agent/tools/registry.py", line 71, in run
    return await tool.call(arguments)
  File "/srv/support-agent/agent/tools/payments.py", line 118, in call
    answer = await self._client.post(self._path, json=body, timeout=30.0)
  File "/srv/support-agent/agent/payments/client.py", line 46, in post
    raise PaymentTimeout(f"POST {url}: no answer within {timeout} s") from error
agent.payments.client.PaymentTimeout: POST https://payments.halden.example/v3/payments: no answer within 30.0 s"""

MODEL_OVERLOADED: Final = """OverloadedError: 529 {"type": "overloaded_error", "message": "Overloaded"}

Traceback (most recent call last):
  File "/srv/support-agent/agent/graph.py", line 132, in answer
    message = await self._model.ainvoke(messages, tools=self._tools)
  File "/srv/support-agent/agent/models.py", line 64, in ainvoke
    raise OverloadedError(response.status_code, response.text)
agent.models.OverloadedError: 529 {"type": "overloaded_error", "message": "Overloaded"}"""

ORDER_UNKNOWN: Final = """KeyError: 'shipments'

Traceback (most recent call last):
  File "/srv/support-agent/agent/tools/registry.py", line 71, in run
    return await tool.call(arguments)
  File "/srv/support-agent/agent/tools/orders.py", line 57, in call
    parcels = order["shipments"]
KeyError: 'shipments'"""


def arguments(tool: Tool, about: Case) -> Json:
    slots = about.slots
    match tool.name:
        case "check_coupon":
            return {"code": slots["code"], "order": about.order}
        case "check_stock":
            return {"item": slots["item"], "colour": slots["colour"], "city": slots["city"]}
        case "account_status":
            return {"customer": about.customer.id}
        case "hand_over":
            return {"customer": about.customer.id, "summary": f"Wants a person; order {about.order}"}
        case "refund_payment":
            return {"order": about.order, "amount": slots["amount"], "to": slots["payment"]}
        case _:
            return {"order": about.order}


def result(tool: Tool, about: Case, chance: random.Random) -> Json:
    slots = about.slots
    item = {"name": slots["item"], "quantity": 1, "price": slots["amount"]}
    match tool.name:
        case "lookup_order":
            return {
                "order": about.order,
                "status": "packed",
                "items": [item],
                "ship_to": {"city": slots["city"]},
            }
        case "track_shipment":
            return {
                "order": about.order,
                "carrier": slots["carrier"],
                "tracking": slots["tracking"],
                "expected": slots["weekday_after"],
                "events": [
                    {"at": slots["weekday_before"], "what": "accepted by carrier"},
                    {"at": slots["weekday_before"], "what": f"in transit, {slots['city']}"},
                ],
            }
        case "create_return_label":
            return {
                "label": f"RL-{slots['tracking'][1:7]}",
                "carrier": slots["carrier"],
                "sent_to": "customer",
            }
        case "refund_payment":
            return {"refund": slots["tracking"], "amount": slots["amount"], "state": "accepted"}
        case "list_payments":
            return {
                "order": about.order,
                "payments": [
                    {"method": slots["payment"], "amount": slots["amount"], "state": "captured"},
                    {"method": slots["payment"], "amount": slots["amount"], "state": "reversed"},
                ],
            }
        case "check_coupon":
            return {"code": slots["code"], "valid": False, "reason": chance.choice(("expired", "sale item"))}
        case "check_stock":
            return {
                "item": slots["item"],
                "online": chance.randrange(9),
                "stores": {slots["city"]: chance.randrange(4)},
            }
        case "order_replacement":
            return {
                "replacement": f"HH-{chance.randrange(20_000, 99_999)}",
                "arrives": slots["weekday_after"],
            }
        case "account_status":
            return {
                "customer": about.customer.id,
                "state": "locked",
                "plan": about.customer.plan,
                "attempts": 5,
            }
        case "issue_invoice":
            return {
                "order": about.order,
                "document": f"INV-{slots['tracking'][1:7]}.pdf",
                "total": slots["amount"],
            }
        case _:
            return {"ticket": slots["tracking"], "queue": "people", "wait_minutes": int(slots["minutes"])}
