# ruff: noqa: E501
"""Labelled traffic of an assistant, the same from the same seed: what reports are measured and tested with.

Twenty-nine intents in eight themes. Most texts are put together from phrases (free text with openings, reasons and
closings, some with slips of the finger), some come from a form; a share is German, French or Spanish. Failures, slow
answers, dear ones and bad scores are planted in certain intents; which ones PLANTED says.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import msgspec

NAMESPACE: Final = uuid.UUID("9d2a2ab2-8f0c-4f3a-9d3b-3c1d5a9f4f10")


@dataclass(frozen=True, slots=True)
class Intent:
    """What somebody may want. `actions` and `things` combine; `foreign` are whole texts in other languages."""

    name: str
    theme: str
    actions: tuple[str, ...]
    things: tuple[str, ...]
    answer: str
    foreign: tuple[str, ...] = ()
    form: bool = False


@dataclass(frozen=True, slots=True)
class Trace:
    """A root run's content. Times in seconds, money in dollars."""

    id: uuid.UUID
    intent: str
    theme: str
    text: str
    answer: str
    error: str | None
    seconds: float
    cost: float
    score: float | None


def _split(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split("|"))


def _intent(
    name: str, theme: str, actions: str, things: str, answer: str, *foreign: str, form: bool = False
) -> Intent:
    return Intent(name, theme, _split(actions), _split(things), answer, foreign, form)


INTENTS: Final = (
    _intent("refund", "billing", "get a refund|ask for my money back|have a payment refunded|request a refund",
            "for the headphones I returned|for a cancelled order|because I was charged twice|for last week's purchase",
            "The refund was issued and arrives within five days.",
            "Ich möchte eine Rückerstattung für meine Bestellung", "Je voudrais un remboursement pour ma commande"),
    _intent("invoice", "billing", "download the invoice|get a copy of my invoice|receive a VAT invoice|find the invoice",
            "for March|with our company's tax number|for order 88231|as a PDF for accounting",
            "Your invoice is attached as a PDF.", "Ich brauche die Rechnung als PDF", "Necesito la factura de marzo"),
    _intent("subscription", "billing", "upgrade my subscription|switch to the annual plan|downgrade my plan|cancel the subscription",
            "before the renewal|to the team plan|and keep my data|because we need fewer seats",
            "Your subscription plan has been changed from the next billing period.",
            "Wie kündige ich mein Abonnement", "Quiero cambiar mi suscripción al plan anual"),
    _intent("card declined", "billing", "fix a declined card|update my credit card|pay with another card|understand why my card was declined",
            "at the checkout|after the bank sent a new one|although there is enough credit|for the monthly payment",
            "Please enter the new card under payment methods.", "Meine Kreditkarte wurde abgelehnt"),
    _intent("password reset", "account", "reset my password|recover a forgotten password|change the password|get the password reset mail",
            "which never arrives|since the link has expired|for my login|on the new phone",
            "A link to set a new password is on its way.",
            "Ich habe mein Passwort vergessen", "J'ai oublié mon mot de passe", form=True),
    _intent("single sign-on", "account", "log in with single sign-on|set up SAML SSO|connect Okta for SSO|repair two-factor login",
            "for our organisation|after the certificate was changed|with Azure AD|because 2FA codes are rejected",
            "Check the entity ID and the assertion URL of the identity provider.", "SSO Anmeldung mit Okta funktioniert nicht"),
    _intent("delete account", "account", "delete my account|close my profile|erase all personal data|remove my user account",
            "under the GDPR|for good|since I no longer use it|and everything stored about me",
            "Your account will be erased within thirty days.", "Bitte löschen Sie mein Konto", "Supprimez mon compte"),
    _intent("invite members", "account", "invite a colleague|add team members|give a new member admin rights|change a teammate's role",
            "to our workspace|as viewers only|before Monday|from the marketing department",
            "Open the members page and send an invitation.", form=True),
    _intent("track parcel", "delivery", "track my parcel|find out where my package is|see the delivery status|get the tracking number",
            "shipped with DHL|which should have come yesterday|for order 5512|stuck at the depot",
            "The parcel left the depot and arrives tomorrow.",
            "Wo ist mein Paket", "Où est mon colis", "Dónde está mi paquete", form=True),
    _intent("damaged item", "delivery", "report a damaged item|complain about a broken vase|exchange a cracked screen|show you the damaged box",
            "that came in the mail|with the glass in pieces|and get a replacement|with photos",
            "We are sorry for the damage and send a replacement.", "Der Artikel kam beschädigt an"),
    _intent("change address", "delivery", "change the delivery address|correct the shipping address|ship it to my office address|deliver to a neighbour",
            "before it is sent|because I moved|since the street number is wrong|for the order of today",
            "The shipping address of your order was updated.", "Bitte ändern Sie die Lieferadresse"),
    _intent("opening hours", "delivery", "know the opening hours|ask when the store opens|check whether the shop is open|hear when the branch closes",
            "on Sunday|over the holidays|in the city centre|on Christmas Eve",
            "The store opens at nine and closes at six.", "Cuándo abre la tienda"),
    _intent("unit tests", "coding", "write unit tests|fix a flaky pytest fixture|mock an HTTP client in tests|raise the test coverage",
            "for this parser class|in our CI pipeline|without touching the code|with parametrize",
            "def test_parser(): assert parse('1') == 1", form=True),
    _intent("regex", "coding", "write a regex|explain this regular expression|match multiline text with a regex|escape groups in a regex",
            "for email addresses|that validates dates|with lookahead|in JavaScript",
            "The pattern ^\\d{4}-\\d{2}-\\d{2}$ matches ISO dates."),
    _intent("slow query", "coding", "optimise a slow SQL query|add an index in Postgres|read a query plan|speed up a database join",
            "on a table of ten million rows|with a sequential scan|that times out|grouped by customer",
            "CREATE INDEX ON orders (customer_id) lets the planner avoid the scan.", "Optimiza esta consulta SQL lenta"),
    _intent("stack trace", "coding", "understand an AttributeError|debug a traceback|find the cause of a NoneType exception|fix an import error",
            "in my Flask app|after the upgrade to Python 3.12|thrown in production|from a circular import",
            "The object is None because the lookup failed: check it before use."),
    _intent("docker", "coding", "build a Docker image|shrink my Dockerfile|run docker compose|debug a container that exits",
            "for a Node service|with a multi-stage build|on an ARM laptop|behind a proxy",
            "Use a slim base image and copy only what the container needs."),
    _intent("flights", "travel", "book a flight|find cheap flights|change my flight|compare airlines",
            "from Berlin to Tokyo|on Friday morning|with one stop|for two adults",
            "Three flights match your dates.", "Buche einen Flug nach Lissabon", "Réserver un vol pour Madrid", form=True),
    _intent("hotel", "travel", "book a hotel room|find a hotel|cancel a hotel booking|get a late checkout at the hotel",
            "near the station in Vienna|with breakfast|for three nights|with a pool for the kids",
            "The hotel has a double room with breakfast.", "Busco un hotel barato en Sevilla"),
    _intent("visa", "travel", "find out about visa rules|apply for a tourist visa|extend my visa|know which passport papers are required",
            "for Vietnam|as an Indian citizen|for a stay of 90 days|at the embassy",
            "Citizens may apply for an electronic visa before they enter."),
    _intent("restaurants", "travel", "find a vegan restaurant|reserve a table for dinner|get a sushi restaurant tip|eat seafood near the harbour",
            "in Lisbon tonight|for six people|with a terrace|that is open late",
            "This restaurant has a free table at eight.", "Un restaurante vegetariano cerca de aquí"),
    _intent("translate", "writing", "translate a paragraph|correct my translation|translate an email|localise these phrases",
            "into Japanese|from English to Portuguese|in a formal tone|for the product page",
            "Here is the translation.", "Übersetze diesen Absatz ins Englische", form=True),
    _intent("cover letter", "writing", "write a cover letter|improve my resume|polish my CV|tailor a job application",
            "for a nursing position|as a junior designer|after a career break|with fewer clichés",
            "Dear hiring manager, I am applying for the position.", "Schreib mir ein Bewerbungsschreiben"),
    _intent("summarise", "writing", "summarise a long article|give me the key points|shorten this report|make a summary of the minutes",
            "in three sentences|of the board meeting|about climate policy|for busy readers",
            "In short: three decisions were taken.", "Résume cet article en trois phrases"),
    _intent("poem", "writing", "write a birthday poem|compose a limerick|rhyme a verse for a wedding|draft a haiku",
            "about autumn|for my grandmother|with a funny ending|about a lazy cat",
            "Roses bloom and candles glow.", "Schreibe ein Gedicht zum Geburtstag"),
    _intent("spreadsheet", "data", "write an Excel formula|use VLOOKUP|build a pivot table|sum cells in a spreadsheet",
            "across two sheets|when a cell is empty|by month and region|in Google Sheets",
            "=SUMIFS(C:C, A:A, E1) adds up the matching cells.", "Excel Formel für die Summe nach Monat"),
    _intent("charts", "data", "draw a bar chart|plot a histogram|make a line chart|label the axes of a plot",
            "with matplotlib|of sales over time|in dark colours|with two y axes",
            "plt.plot(x, y) draws the chart."),
    _intent("symptoms", "health", "know what causes a headache|ask about a sore throat|treat a mild fever|ease back pain",
            "since yesterday|after running|for a child of five|without medicine",
            "Rest and drink enough; see a doctor when the pain lasts.", "Ich habe seit gestern Kopfschmerzen"),
    _intent("recipes", "health", "cook a lentil soup|bake bread without yeast|find a low-carb recipe|plan healthy meals",
            "for four people|in half an hour|with what is in the fridge|for the whole week",
            "Chop the onions, add the lentils and simmer for twenty minutes.", "Una receta de sopa de lentejas"),
)  # fmt: skip

PLANTED: Final[dict[str, str]] = {
    "single sign-on": "errors", "flights": "errors", "slow query": "latency", "summarise": "cost", "track parcel": "score",
}  # fmt: skip
"""Intent -> what is unlike the rest there."""

_OPENINGS: Final = ("I want to", "How do I", "Please help me", "Can you help me to", "hi, I need to", "I'd like to",
                    "What is the best way to", "Hello! I would like to", "Is it possible to", "I am trying to")  # fmt: skip
_CLOSINGS: Final = ("", "", "", "Thanks!", "Thank you so much.", "It is urgent.", "Any idea?", "Best regards",
                    "I tried everything already.", "This is the second time I ask.")  # fmt: skip
_FAILURES: Final = {
    "single sign-on": "SAMLError: assertion signature is invalid",
    "flights": "TimeoutError: the fares service did not answer",
}


def traces(count: int, *, seed: int = 1, intents: int = len(INTENTS)) -> Iterator[Trace]:
    """So many traces of the first `intents` intents, in turns."""
    draw = random.Random(seed)
    for number in range(count):
        intent = INTENTS[number % intents]
        yield _trace(draw, intent, uuid.uuid5(NAMESPACE, f"{seed}:{number}"))


def _trace(draw: random.Random, intent: Intent, trace_id: uuid.UUID) -> Trace:
    planted = PLANTED.get(intent.name)
    failed = draw.random() < (0.3 if planted == "errors" else 0.03)
    seconds = draw.lognormvariate(0.4, 0.5) * (3.0 if planted == "latency" else 1.0)
    cost = draw.lognormvariate(-6.5, 0.4) * (4.0 if planted == "cost" else 1.0)
    scored = draw.random() < 0.4
    good = draw.random() < (0.35 if planted == "score" else 0.85)
    return Trace(
        trace_id, intent.name, intent.theme, _text(draw, intent), intent.answer,
        _FAILURES.get(intent.name, "RuntimeError: something went wrong") if failed else None,
        round(seconds, 3), round(cost, 6), float(good) if scored else None,
    )  # fmt: skip


def _text(draw: random.Random, intent: Intent) -> str:
    if intent.foreign and draw.random() < 0.12:
        return f"{draw.choice(intent.foreign)} ({draw.randrange(10_000)})"
    action, thing = draw.choice(intent.actions), draw.choice(intent.things)
    if intent.form and draw.random() < 0.5:
        return (
            f"Ticket #{draw.randrange(100_000)}\nRequest: {action} {thing}\nCustomer: {draw.randrange(10**6)}"
        )
    words = f"{draw.choice(_OPENINGS)} {action} {thing}"
    if draw.random() < 0.3:
        words += f", also {draw.choice(intent.actions)}"
    if draw.random() < 0.15:
        words = _slip(draw, words)
    return f"{words}. {draw.choice(_CLOSINGS)}".strip()


def _slip(draw: random.Random, words: str) -> str:
    at = draw.randrange(1, len(words) - 1)
    return words[:at] + words[at + 1] + words[at] + words[at + 2 :]


def run(trace: Trace, project_id: str, start: float) -> dict[str, Any]:
    """A root run as LangSmith's clients send it. `start` is seconds since the epoch."""
    return {
        "id": str(trace.id),
        "trace_id": str(trace.id),
        "dotted_order": f"{_stamp(start)}{trace.id}",
        "session_id": project_id,
        "name": "assistant",
        "run_type": "llm",
        "start_time": _iso(start),
        "end_time": _iso(start + trace.seconds),
        "inputs": {"messages": [{"role": "system", "content": "You are a helpful assistant."},
                                {"role": "user", "content": trace.text}]},
        "outputs": {"messages": [{"role": "assistant", "content": trace.answer}]},
        "error": trace.error,
        "extra": {"metadata": {"theme": trace.theme, "usage_metadata": {
            "input_tokens": len(trace.text), "output_tokens": len(trace.answer),
            "total_tokens": len(trace.text) + len(trace.answer), "total_cost": trace.cost}}},
    }  # fmt: skip


def batch(runs: list[dict[str, Any]]) -> bytes:
    """The body of POST /runs/batch."""
    return msgspec.json.encode({"post": runs, "patch": []})


def _iso(seconds: float) -> str:
    import datetime as dt

    return dt.datetime.fromtimestamp(seconds, dt.UTC).isoformat()


def _stamp(seconds: float) -> str:
    import datetime as dt

    return dt.datetime.fromtimestamp(seconds, dt.UTC).strftime("%Y%m%dT%H%M%S%fZ")
