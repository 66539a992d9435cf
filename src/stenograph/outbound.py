"""Where the server may connect to on behalf of those who use it.

A URL that a user wrote must not lead to what only this machine or its network can reach: other services, a cloud's
metadata, the server itself. What the operator has set up is not asked here: that may well be on localhost.

Names are judged by what they resolve to, and the caller connects to the very address that was judged: a name that
resolves to another address the next time (DNS rebinding) gains nothing.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from typing import Final, TypeAlias

from stenograph.errors import Invalid

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
_NAT64_LOCAL: Final = ipaddress.ip_network("64:ff9b:1::/48")


def is_public(address: Address) -> bool:
    """Whether the address belongs to the internet at large. One that carries another inside is judged by that too."""
    if isinstance(address, ipaddress.IPv6Address):
        if address in _NAT64_LOCAL:
            return False
        inner = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
        if address in _NAT64:
            inner.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if not all(is_public(each) for each in inner if each is not None):
            return False
    return address.is_global and not address.is_multicast


async def public_address(host: str, port: int) -> str:
    """An address to connect to. Invalid when the host has none, or any that is not public."""
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Invalid(f"there is no host {host[:100]!r}") from None
    addresses = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    if not addresses or not all(map(is_public, addresses)):
        raise Invalid(f"{host[:100]!r} is not a public address: this server connects to none but public ones")
    return str(addresses[0])
