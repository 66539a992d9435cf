"""Which addresses are public: what the server may connect to because a user said so."""

from __future__ import annotations

import asyncio
import ipaddress

import pytest

from stenograph.errors import Invalid
from stenograph.outbound import is_public, public_address


@pytest.mark.parametrize(
    "text",
    [
        "127.0.0.1", "127.8.8.8", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254",
        "100.64.0.1", "0.0.0.0", "255.255.255.255", "224.0.0.1", "240.0.0.1", "192.0.2.1", "198.18.0.1",
        "::", "::1", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1", "::ffff:127.0.0.1",
        "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2002:7f00:1::",
        "2002:a9fe:a9fe::1",
    ],
)  # fmt: skip
def test_not_public(text: str) -> None:
    assert not is_public(ipaddress.ip_address(text))


@pytest.mark.parametrize("text", ["1.1.1.1", "93.184.216.34", "2606:4700:4700::1111", "64:ff9b::101:101"])
def test_public(text: str) -> None:
    assert is_public(ipaddress.ip_address(text))


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1", "0", "2130706433", "169.254.169.254"])
def test_a_host_is_judged_by_its_addresses(host: str) -> None:
    with pytest.raises(Invalid, match="not a public address"):
        asyncio.run(public_address(host, 80))


@pytest.mark.parametrize("host", ["nowhere.invalid", "a" * 300, "x..y", "\udcff"])
def test_a_host_that_is_none(host: str) -> None:
    with pytest.raises(Invalid, match="no host"):
        asyncio.run(public_address(host, 80))


def test_one_private_address_among_public_ones_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    async def check(*found: str) -> str:
        loop = asyncio.get_running_loop()

        async def getaddrinfo(*_: object, **__: object) -> list[object]:
            return [(0, 0, 0, "", (address, 80)) for address in found]

        monkeypatch.setattr(loop, "getaddrinfo", getaddrinfo)
        return await public_address("some.example", 80)

    assert asyncio.run(check("1.1.1.1", "2606:4700:4700::1111")) == "1.1.1.1"
    with pytest.raises(Invalid):
        asyncio.run(check("1.1.1.1", "10.0.0.1"))
