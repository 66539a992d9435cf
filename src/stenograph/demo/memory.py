"""The agent as Julep's clients see it: who it is, its docs, some users with what is known of them, and sessions."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from stenograph.demo.people import ITEMS, customers
from stenograph.demo.plan import Ids, Plan
from stenograph.demo.runs import Json
from stenograph.demo.topics import ARTICLES

USERS: Final = 8
_NOTES: Final = (
    "Prefers delivery to a parcel shop; works from nine to six.",
    "Bought a {item} in spring and asked about its care twice.",
    "Lives on the fourth floor without a lift: furniture only with carrying service.",
    "Wants invoices in the company's name and by email to accounting.",
)
_SITUATIONS: Final = (
    "The customer asks about a delivery that is late. Be brief and name the new date.",
    "The customer returns something. Explain the pickup.",
    "The customer is annoyed after a failed refund. Apologise once, then help.",
)


class Document(Struct, frozen=True):
    """A doc of an agent or a user, as it is sent."""

    title: str
    content: str
    metadata: Json


class User(Struct, frozen=True):
    id: str
    body: Json
    documents: list[Document]
    session: str
    session_body: Json


class Memory(Struct, frozen=True):
    agent: str
    agent_body: Json
    documents: list[Document]
    users: list[User]


def memory(plan: Plan, ids: Ids, project: str) -> Memory:
    agent = ids.of("agent")
    about: Json = {
        "name": "Halden support",
        "about": "Answers customers of a shop for furniture, lamps and kitchenware.",
        "model": "claude-sonnet-4-5",
        "instructions": [
            "Look things up before you answer.",
            "Never guess a date.",
            "Offer a replacement before a refund.",
        ],
        "metadata": {"team": "customer care", "version": "2.5.1"},
        "project": project,
    }
    documents = [
        Document(each.title, f"{each.title}. {each.text}", {"source": f"help/{name}", "language": "en"})
        for name, each in ARTICLES.items()
    ]
    return Memory(agent, about, documents, [_user(plan, ids, agent, number) for number in range(USERS)])


def _user(plan: Plan, ids: Ids, agent: str, number: int) -> User:
    chance = plan.chance("user", number)
    who = customers(chance, 1)[0]
    user = ids.of("user", number)
    note = chance.choice(_NOTES).format(item=chance.choice(ITEMS).names["en"])
    return User(
        id=user,
        body={
            "name": who.region.latin.get(who.name, who.name),
            "about": f"Customer in {who.city} with the plan {who.plan}.",
            "metadata": {"customer": who.id, "language": who.region.language},
        },
        documents=[Document("What we know", note, {"source": "notes"})],
        session=ids.of("session", number),
        session_body={
            "agent": agent,
            "user": user,
            "situation": chance.choice(_SITUATIONS),
            "metadata": {"channel": who.channel},
        },
    )
