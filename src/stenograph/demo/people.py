"""Who writes, from where, and about which things."""

from __future__ import annotations

import random
from typing import Final

from msgspec import Struct, convert

from stenograph.demo.texts import read


class Region(Struct, frozen=True):
    """`money` is how amounts are written there; `latin` how its words are in a text of another language."""

    name: str
    language: str
    weight: float
    money: str
    cities: tuple[str, ...]
    carriers: tuple[str, ...]
    names: tuple[str, ...]
    latin: dict[str, str] = {}


class Item(Struct, frozen=True):
    """A thing of the shop, with its name in each language."""

    price: float
    names: dict[str, str]


class Customer(Struct, frozen=True):
    id: str
    name: str
    plan: str
    region: Region
    channel: str
    city: str
    device: str


_SHOP: Final = read("shop")
REGIONS: Final = convert(_SHOP["regions"], tuple[Region, ...])
ITEMS: Final = convert(_SHOP["items"], tuple[Item, ...])
COLOURS: Final = ("forest green", "natural oak", "black", "sand", "brick red", "off-white")
ROOMS: Final = ("hallway", "living room", "bedroom", "kitchen", "home office")
PAYMENTS: Final = ("Visa card", "Mastercard", "PayPal account", "bank account")
CODES: Final = ("SPRING15", "HELLO10", "NEST20")
SURGING_CODE: Final = "SPRING15"
DEVICES: Final = ("iPhone", "Android phone", "iPad", "laptop")
_CHANNELS: Final = ("web", "ios", "android", "email")
_PLANS: Final = ("free", "plus", "business")


def customers(chance: random.Random, count: int) -> list[Customer]:
    """A few of them write more often than the others."""
    found = []
    for number in range(count):
        region = chance.choices(REGIONS, [each.weight for each in REGIONS])[0]
        found.append(
            Customer(
                id=f"cus_{chance.getrandbits(32):08x}{number:03x}",
                name=chance.choice(region.names),
                plan=chance.choices(_PLANS, (62, 29, 9))[0],
                region=region,
                channel=chance.choices(_CHANNELS, (48, 24, 18, 10))[0],
                city=chance.choice(region.cities),
                device=chance.choice(DEVICES),
            )
        )
    return found
