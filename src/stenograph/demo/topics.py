"""What customers write about: how often, which tool it takes, and which articles of the help centre are of use."""

from __future__ import annotations

from typing import Final

from msgspec import Struct, convert

from stenograph.demo.texts import read


class Tool(Struct, frozen=True):
    """`seconds` is how long it takes at its middle. Those of payments go through the service that breaks one day."""

    name: str
    description: str
    seconds: float
    is_payment: bool = False


class Article(Struct, frozen=True):
    title: str
    text: str


class Topic(Struct, frozen=True):
    name: str
    weight: float
    tool: Tool | None
    articles: tuple[str, ...]
    items: tuple[str, ...] = ()
    """What this happens to, by English name; without any, everything."""


LOOKUP: Final = Tool("lookup_order", "Order, items, payment and address by order number.", 0.22)
TRACK: Final = Tool("track_shipment", "Where a parcel is, from the carrier.", 0.55)
LABEL: Final = Tool("create_return_label", "A return label, sent by email.", 0.48)
REFUND: Final = Tool("refund_payment", "Refunds a payment, whole or in part.", 0.85, is_payment=True)
PAYMENTS: Final = Tool("list_payments", "Payments and refunds of an order.", 0.6, is_payment=True)
COUPON: Final = Tool("check_coupon", "Whether a code is valid, and for what.", 0.12)
STOCK: Final = Tool("check_stock", "What is in stock, by item, colour and store.", 0.16)
REPLACE: Final = Tool("order_replacement", "Sends an item or a part once more.", 0.4)
ACCOUNT: Final = Tool("account_status", "Whether an account is open, and how it signs in.", 0.2)
DOCUMENT: Final = Tool("issue_invoice", "An invoice as PDF.", 0.9)
HANDOVER: Final = Tool("hand_over", "Hands the conversation to a person.", 0.1)

TOOLS: Final = (
    LOOKUP,
    TRACK,
    LABEL,
    REFUND,
    PAYMENTS,
    COUPON,
    STOCK,
    REPLACE,
    ACCOUNT,
    DOCUMENT,
    HANDOVER,
)

TOPICS: Final = (
    Topic("where_is_my_order", 17, TRACK, ("tracking", "delivery-times")),
    Topic(
        "refund_request",
        10,
        LABEL,
        ("returns", "pickup"),
        ("linen duvet cover", "Fjord armchair", "wool rug 160 × 230"),
    ),
    Topic("refund_status", 9, PAYMENTS, ("refunds", "returns")),
    Topic(
        "damaged_item",
        8,
        REPLACE,
        ("damage", "returns"),
        ("stoneware dinner set", "set of six glasses", "standing mirror", "wall clock"),
    ),
    Topic(
        "product_question",
        7,
        STOCK,
        ("materials", "measures"),
        ("Luma desk lamp", "Alba bookshelf", "kitchen trolley"),
    ),
    Topic("payment_declined", 6, PAYMENTS, ("paying", "3d-secure")),
    Topic("login_problem", 6, ACCOUNT, ("sign-in", "two-factor")),
    Topic("cancel_order", 6, REFUND, ("cancelling", "refunds")),
    Topic("discount_code", 5, COUPON, ("codes", "newsletter")),
    Topic("change_address", 5, LOOKUP, ("addresses", "delivery-times")),
    Topic("stock_availability", 5, STOCK, ("stock", "stores"), ("Fjord armchair", "wool rug 160 × 230")),
    Topic(
        "missing_parts",
        5,
        REPLACE,
        ("assembly", "spare-parts"),
        ("Birk oak desk", "Alba bookshelf", "kitchen trolley"),
    ),
    Topic(
        "wrong_item",
        4,
        REPLACE,
        ("exchange", "returns"),
        ("linen duvet cover", "wool rug 160 × 230", "set of six glasses"),
    ),
    Topic("double_charge", 4, REFUND, ("paying", "refunds")),
    Topic(
        "warranty",
        4,
        REPLACE,
        ("warranty", "spare-parts"),
        ("Nora floor lamp", "Luma desk lamp", "pour-over coffee maker"),
    ),
    Topic("cancel_subscription", 4, ACCOUNT, ("plus", "cancelling")),
    Topic("invoice_request", 3, DOCUMENT, ("invoices", "paying")),
    Topic("data_deletion", 2, ACCOUNT, ("privacy", "newsletter")),
    Topic("human_agent", 2, HANDOVER, ("contact", "complaints")),
)
BY_NAME: Final = {topic.name: topic for topic in TOPICS}

ARTICLES: Final = convert(read("articles"), dict[str, Article])
"""The help centre by name."""
