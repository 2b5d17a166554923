"""Addresses: where messages may go. None that leads into a private network, unless that is allowed.

A name is looked up, what it stands for is judged, and the message goes to exactly that: a name that
stands for something else a moment later leads nowhere.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

import httpx

from partner_cx.errors import Invalid, PartnerCXError, Refused, Unreachable

LONGEST = 2_000
PORTS = {"https": 443, "http": 80}

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"{_LABEL}(\.{_LABEL})*", re.IGNORECASE | re.ASCII)

_TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")  # NAT64: the number it ends with is meant
_GIVEN_OUT = ipaddress.IPv6Network("2000::/3")  # all that is in use on the internet


@dataclass(frozen=True)
class Destination:
    """Where a message goes: the machine, and the name by which it was asked for.

    url: with the machine's number in place of its name.
    host: for the Host header; name: for the certificate.
    """

    url: str
    host: str
    name: str


def sound_url(url: str, *, private: bool) -> str:
    """The address as it is kept. Raises Invalid for one that no message could or may go to."""
    parts = _parts(url)
    try:
        destination(url, private=private)
    except Unreachable:
        pass  # a name that isn't there yet may be one day
    except Refused as refusal:
        raise Invalid(refusal.message, remedy=refusal.remedy) from None
    return parts.geturl()


def destination(url: str, *, private: bool) -> Destination:
    """Where a message to this address goes now.

    private: whether it may be in a private network, and be told without https.
    Raises Refused when it may not go there, Unreachable when the name isn't known.
    """
    parts = _parts(url, error=Refused)
    if parts.scheme == "http" and not private:
        raise Refused(
            "Messages go over https only, so that nobody reads or changes them on their way.",
            remedy="Give an address that begins with https://.",
        )
    name, port = str(_name(parts)), parts.port or PORTS[parts.scheme]
    found = _looked_up(name, port)
    allowed = found if private else [each for each in found if _is_public(each)]
    if len(allowed) < len(found):
        raise Refused(
            f"{name} leads into a private network, where messages mayn't go.",
            remedy="Give a public address, or set PARTNER_CX_WEBHOOK_PRIVATE_ADDRESSES=true.",
        )
    shown = f"[{allowed[0]}]" if allowed[0].version == 6 else str(allowed[0])
    given_port = f":{parts.port}" if parts.port else ""
    host = f"[{name}]" if ":" in name else name
    return Destination(
        url=parts._replace(netloc=f"{shown}{given_port}").geturl(),
        host=f"{host}{given_port}",
        name=name,
    )


def _parts(url: str, error: type[PartnerCXError] = Invalid) -> SplitResult:
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), 0
    sound = parts.scheme in PORTS and _name(parts) and port != 0 and len(url) <= LONGEST
    if not sound or parts.username or parts.password or not url.strip().isprintable():
        raise error(
            "That isn't an address messages can go to.",
            remedy="Give one such as https://portal.brand.example/partner-cx, without a password.",
        )
    return parts._replace(fragment="")


def _name(parts: SplitResult) -> str | None:
    """The machine's name or number, as it is looked up and certified; None where it has none."""
    given = parts.hostname or ""
    try:
        if ":" in given:
            return str(ipaddress.IPv6Address(given))
        name = httpx.URL(scheme="https", host=given).raw_host.decode().removesuffix(".")
    except (ValueError, httpx.InvalidURL):
        return None
    return name if _NAME.fullmatch(name) else None


def _looked_up(name: str, port: int) -> list[IpAddress]:
    try:
        found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Unreachable(
            f"The name {name} isn't known.", remedy="Check the address, and this machine's DNS."
        ) from None
    numbers = [str(address[0]).partition("%")[0] for *_, address in found]
    return [ipaddress.ip_address(each) for each in dict.fromkeys(numbers)]


def _is_public(address: IpAddress) -> bool:
    """Whether anybody on the internet could reach it; what is carried inside another counts."""
    if isinstance(address, ipaddress.IPv6Address):
        if inside := _carried(address):
            return _is_public(inside)
        if address not in _GIVEN_OUT:
            return False
    return address.is_global and not address.is_multicast


def _carried(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The older number that a newer one leads to, if it does."""
    if address in _TRANSLATED:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour
