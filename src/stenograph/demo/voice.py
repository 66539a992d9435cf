"""A phone line whose program uses HoneyHive's client: sessions and events as that sends them."""

from __future__ import annotations

import datetime as dt
from typing import Final

from stenograph.demo import phrases
from stenograph.demo.people import customers
from stenograph.demo.plan import Ids, Plan
from stenograph.demo.runs import Json, tokens

PROJECT: Final = "voice-line"
CALLS: Final = 40
_TOPICS: Final = (
    "where_is_my_order",
    "refund_request",
    "damaged_item",
    "stock_availability",
    "login_problem",
)


class Call:
    """One call: the session's start, and the events of it in one batch."""

    def __init__(self, plan: Plan, ids: Ids, number: int) -> None:
        chance = plan.chance("call", number)
        who = chance.choice(customers(plan.chance("callers"), 60))
        day = plan.at(chance.random() * 0.99)
        when = max(
            plan.since, min(day.replace(hour=8 + chance.randrange(10)), plan.until - dt.timedelta(minutes=9))
        )
        about = phrases.case(chance, chance.choice(_TOPICS), who, when)
        self._session = ids.of("call", number)
        self._ids, self._number = ids, number
        self._start = int(when.timestamp() * 1000)
        self._asked, self._reply = phrases.question(chance, about), phrases.answer(chance, about)
        self._hung_up = chance.random() < 0.06
        self._heard, self._thought, self._spoke = (
            int(chance.uniform(*each)) for each in ((400, 900), (900, 2400), (600, 1500))
        )
        self._who, self._about = who, about
        self._rating = (
            None
            if chance.random() < 0.4
            else 1 + int(4.99 * chance.random() ** (2.5 if self._hung_up else 0.4))
        )

    def session(self) -> Json:
        """POST /honeyhive/session/start."""
        said: Json = {
            "project": PROJECT,
            "session_id": self._session,
            "session_name": f"call: {self._about.topic.replace('_', ' ')}",
            "source": "production",
            "start_time": self._start,
            "end_time": self._start + self._heard + self._thought + self._spoke,
            "inputs": {"caller": self._asked},
            "outputs": {"said": self._reply},
            "metadata": {"line": "service", "language": self._about.language},
            "user_properties": {
                "user_id": self._who.id,
                "plan": self._who.plan,
                "country": self._who.region.name,
            },
        }
        return {"session": said}

    def events(self) -> Json:
        """POST /honeyhive/events/batch."""
        heard = self._start + self._heard
        thought = heard + self._thought
        listen = self._event(0, "transcribe", "tool", self._start, heard)
        listen |= {
            "inputs": {"seconds_of_audio": round(self._heard / 90, 1)},
            "outputs": {"text": self._asked},
            "config": {"model": "whisper-1", "provider": "openai"},
        }
        think = self._event(1, "answer", "model", heard, thought)
        think |= {
            "inputs": {
                "chat_history": [
                    {"role": "system", "content": "You answer the phone. One or two short sentences."},
                    {"role": "user", "content": self._asked},
                ]
            },
            "outputs": {"role": "assistant", "content": self._reply},
            "config": {"model": "gpt-4o-mini", "provider": "openai", "temperature": 0.2},
            "metadata": {
                "prompt_tokens": 210 + tokens(self._asked),
                "completion_tokens": tokens(self._reply),
                "total_tokens": 210 + tokens(self._asked) + tokens(self._reply),
            },
            "metrics": {
                "politeness": round(0.72 + self._thought % 28 / 100, 2),
                "words": len(self._reply.split()),
            },
        }
        speak = self._event(2, "speak", "tool", thought, thought + self._spoke)
        speak |= {
            "inputs": {"text": self._reply, "voice": "alba"},
            "outputs": {"seconds_of_audio": round(len(self._reply) / 15, 1)},
        }
        if self._hung_up:
            speak["error"] = "CallEnded: the caller hung up while the answer was spoken"
            del speak["outputs"]
        if self._rating is not None:
            think["feedback"] = {"rating": self._rating}
        return {"events": [listen, think, speak]}

    def _event(self, place: int, name: str, kind: str, start: int, end: int) -> Json:
        return {
            "project": PROJECT,
            "source": "production",
            "session_id": self._session,
            "parent_id": self._session,
            "event_id": self._ids.of("call", self._number, place),
            "event_name": name,
            "event_type": kind,
            "start_time": start,
            "end_time": end,
            "duration": end - start,
        }  # fmt: skip


def calls(plan: Plan, ids: Ids) -> list[Call]:
    return [Call(plan, ids, number) for number in range(CALLS)]
