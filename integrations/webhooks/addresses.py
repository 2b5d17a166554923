"""Addresses: where messages may go. None that leads into a private network, unless that is allowed.

A name is looked up, what it stands for is judged, and the message goes to exactly that: a name that
stands for something else a moment later leads nowhere.
"""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from partner_cx.errors import Invalid, PartnerCXError, Refused, Unreachable

LONGEST = 2_000
PORTS = {"https": 443, "http": 80}

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


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
    if parts.scheme == "http" and not private:
        raise Invalid(
            "Messages go over https only, so that nobody reads or changes them on their way.",
            remedy="Give an address that begins with https://.",
        )
    try:
        destination(url, private=private)
    except Unreachable:
        pass  # a name that isn't there yet may be one day
    except Refused as refusal:
        raise Invalid(refusal.message, remedy=refusal.remedy) from None
    return parts.geturl()


def destination(url: str, *, private: bool) -> Destination:
    """Where a message to this address goes now.

    private: whether it may be in a private network.
    Raises Refused when it may not go there, Unreachable when the name isn't known.
    """
    parts = _parts(url, error=Refused)
    name, port = str(parts.hostname), parts.port or PORTS[parts.scheme]
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
    sound = parts.scheme in PORTS and parts.hostname and port != 0 and len(url) <= LONGEST
    if not sound or parts.username or parts.password or not url.strip().isprintable():
        raise error(
            "That isn't an address messages can go to.",
            remedy="Give one such as https://portal.brand.example/partner-cx, without a password.",
        )
    return parts._replace(fragment="")


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
    """Whether anybody on the internet could reach it; what is carried inside another counts too."""
    inside = [getattr(address, name, None) for name in ("ipv4_mapped", "sixtofour")]
    return all(
        each.is_global and not each.is_multicast for each in [address, *inside] if each is not None
    )
