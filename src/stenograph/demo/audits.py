"""Large traces: each night agents go through the refunds of the day, each with agents of its own."""

from __future__ import annotations

import datetime as dt
import random
from typing import Final

from stenograph.demo.plan import Ids, Plan, moment
from stenograph.demo.runs import ANSWERING, SMALL, Json, Model, Place, Run, Trace, called, tokens, usage

_NIGHT: Final = dt.timedelta(hours=2, minutes=15)
_MOST: Final = 14
"""Nights."""
_BATCHES: Final = 14
_SYSTEM: Final = "You audit refunds. Be brief."
_REASONS: Final = (
    "damaged on arrival",
    "wrong item",
    "changed mind",
    "late delivery",
    "double charge",
    "goodwill",
)
_SUSPICIONS: Final = (
    "Third refund for damage within 60 days at the same address.",
    "The photo of the damage was used for another order.",
    "The refund went to another card than the payment.",
)
_DEADLOCK: Final = """RetryExhausted: ledger locked after 3 attempts

Traceback (most recent call last):
  File "/srv/refund-audit/audit/ledger.py", line 92, in read
    raise RetryExhausted(f"ledger locked after {attempts} attempts")
audit.ledger.RetryExhausted: ledger locked after 3 attempts"""


def audits(plan: Plan, ids: Ids, project: str) -> list[list[Run]]:
    """A trace of some hundred runs for each night, the root last."""
    nights: list[dt.datetime] = []
    night = plan.until.replace(hour=0, minute=0, second=0) + _NIGHT
    while night > plan.since and len(nights) < _MOST:
        if night < plan.until - dt.timedelta(minutes=10):
            nights.append(night)
        night -= dt.timedelta(days=1)
    nights = nights or [plan.since]
    return [_Audit(plan, ids, project, night).run() for night in reversed(nights)]


class _Audit:
    def __init__(self, plan: Plan, ids: Ids, project: str, night: dt.datetime) -> None:
        self._chance: random.Random = plan.chance("audit", night.date())
        self._trace = Trace(ids, project, f"audit/{night.date()}")
        self._night = night

    def run(self) -> list[Run]:
        root = self._trace.place(self._night)
        given = {"date": self._night.date().isoformat(), "refunds": _BATCHES * 5, "threshold": "80.00 EUR"}
        now = self._call(
            root,
            root.start,
            ANSWERING,
            "Split the refunds of the day into batches.",
            f"{_BATCHES} batches, by carrier and reason.",
            3.0,
        )
        ends = [
            self._batch(root, now + dt.timedelta(seconds=0.4 * number), number) for number in range(_BATCHES)
        ]
        report = (
            "## Refund audit\n\n70 refunds checked, **3 need a person**.\n\n"
            "| finding | refunds |\n|---|---|\n| same photo twice | 1 |\n"
            "| other card than paid with | 1 |\n| third claim in 60 days | 1 |\n"
        )
        now = self._call(root, max(ends), ANSWERING, "Write the report of the audit.", report, 6.0)
        self._trace.end(
            root, None, "refund_audit", "chain", now, given,
            outputs={"output": report},
            extra={"metadata": {"version": "1.8.0", "env": "production", "schedule": "15 2 * * *"}},
            tags=("nightly",),
        )  # fmt: skip
        return self._trace.runs

    def _seconds(self, middle: float) -> dt.timedelta:
        return dt.timedelta(seconds=middle * self._chance.lognormvariate(0, 0.35))

    def _batch(self, root: Place, start: dt.datetime, number: int) -> dt.datetime:
        """One batch, one refund after the other; batches overlap."""
        place = self._trace.place(start, root)
        now = self._tool(place, start, "list_refunds", {"batch": number}, {"refunds": 5}, 0.4)
        flagged = 0
        for refund in range(5):
            now, suspicious = self._refund(
                place, now, f"RF-{number:02d}{refund}{self._chance.randrange(100, 999)}"
            )
            flagged += suspicious
        now = self._call(place, now, SMALL, "Sum up the batch.", f"5 refunds, {flagged} for a person.", 1.0)
        self._trace.end(
            place,
            root,
            f"audit_batch {number + 1}",
            "chain",
            now,
            {"batch": number + 1},
            outputs={"flagged": flagged},
        )
        return now

    def _refund(self, batch: Place, start: dt.datetime, refund: str) -> tuple[dt.datetime, bool]:
        place = self._trace.place(start, batch)
        amount = f"{self._chance.uniform(20, 480):.2f} EUR"
        reason = self._chance.choice(_REASONS)
        now = self._tool(
            place, start, "read_ledger", {"refund": refund}, {"amount": amount, "reason": reason}, 0.2
        )
        now = self._tool(
            place,
            now,
            "lookup_order",
            {"refund": refund},
            {"order": f"HH-{self._chance.randrange(20_000, 99_999)}"},
            0.25,
        )
        suspicious = self._chance.random() < 0.09
        if suspicious or self._chance.random() < 0.2:
            now = self._specialist(place, now, refund, suspicious)
        verdict = "Needs a person." if suspicious else f"In order: {reason}, {amount}, within policy."
        now = self._call(
            place, now, SMALL, f"Is the refund {refund} in order? {amount}, {reason}.", verdict, 0.9
        )
        self._trace.end(
            place, batch, "investigate_refund", "chain", now, {"refund": refund}, outputs={"verdict": verdict}
        )
        return now, suspicious

    def _specialist(self, above: Place, start: dt.datetime, refund: str, suspicious: bool) -> dt.datetime:
        place = self._trace.place(start, above)
        now = self._tool(
            place, start, "claims_of_address", {"refund": refund}, {"claims": 3 if suspicious else 1}, 0.5
        )
        now = self._tool(place, now, "compare_photos", {"refund": refund}, {"same": suspicious}, 1.6)
        said = self._chance.choice(_SUSPICIONS) if suspicious else "Nothing unusual."
        now = self._call(place, now, ANSWERING, f"Does anything about {refund} look wrong?", said, 2.2)
        self._trace.end(
            place, above, "fraud_specialist", "chain", now, {"refund": refund}, outputs={"finding": said}
        )
        return now

    def _tool(
        self, above: Place, start: dt.datetime, name: str, given: Json, found: Json, seconds: float
    ) -> dt.datetime:
        """A tool, which now and then is tried again."""
        if name == "read_ledger" and self._chance.random() < 0.02:
            place = self._trace.place(start, above)
            start += self._seconds(1.5)
            self._trace.end(place, above, name, "tool", start, given, error=_DEADLOCK)
        place = self._trace.place(start, above)
        end = start + self._seconds(seconds)
        self._trace.end(place, above, name, "tool", end, given, outputs=found)
        return end

    def _call(
        self, above: Place, start: dt.datetime, model: Model, asked: str, said: str, seconds: float
    ) -> dt.datetime:
        place = self._trace.place(start, above)
        end = start + self._seconds(seconds)
        self._trace.end(
            place, above, model.wrapper, "llm", end,
            {"messages": [{"role": "system", "content": _SYSTEM}, {"role": "user", "content": asked}]},
            outputs={
                "messages": [{"role": "assistant", "content": said}],
                "usage_metadata": usage(420 + tokens(asked), tokens(said)),
            },
            extra=called(model, temperature=0),
            events=[{"name": "new_token", "time": moment(start + (end - start) * 0.4)}],
        )  # fmt: skip
        return end
