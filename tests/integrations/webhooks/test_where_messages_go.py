"""Where messages may go: whatever way an address is written, and whatever its name stands for."""

from __future__ import annotations

import socket

import pytest

from integrations.webhooks.addresses import destination, sound_url
from partner_cx.errors import Invalid, Refused


def stand_for(monkeypatch: pytest.MonkeyPatch, *numbers: str) -> list[str]:
    """Let every name stand for these; returns the names that are looked up."""
    asked: list[str] = []

    def found(name: str, port: int, **_: object) -> list[tuple[object, ...]]:
        asked.append(name)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in numbers]

    monkeypatch.setattr(socket, "getaddrinfo", found)
    return asked


@pytest.mark.parametrize(
    "number",
    [
        "::127.0.0.1",
        "64:ff9b::7f00:1",  # what NAT64 leads to 127.0.0.1
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::a00:1",
        "::ffff:0:127.0.0.1",
        "2002:a00:1::",
        "2001:0:1:2:3:4:80ff:fffe",
        "fec0::1",
        "fe80::1",
        "5f00::1",
        "ff0e::1",
        "100.64.0.1",
        "198.18.0.1",
    ],
)
def test_a_number_that_leads_inside_is_refused(
    monkeypatch: pytest.MonkeyPatch, number: str
) -> None:
    stand_for(monkeypatch, number)
    with pytest.raises(Refused, match="private network"):
        destination("https://portal.example/", private=False)


@pytest.mark.parametrize("number", ["8.8.8.8", "2606:4700::1111", "64:ff9b::808:808"])
def test_a_number_of_the_internet_is_taken(monkeypatch: pytest.MonkeyPatch, number: str) -> None:
    stand_for(monkeypatch, number)
    assert number in destination("https://portal.example/", private=False).url


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://bücher.example/", "xn--bcher-kva.example"),
        ("https://straße.example/", "xn--strae-oqa.example"),  # and not strasse.example
        ("https://Portal.Example./", "portal.example"),
    ],
)
def test_a_name_is_asked_for_and_certified_as_machines_write_it(
    monkeypatch: pytest.MonkeyPatch, url: str, name: str
) -> None:
    asked = stand_for(monkeypatch, "8.8.8.8")
    to = destination(url, private=False)
    assert (asked, to.name, to.host) == ([name], name, name)


@pytest.mark.parametrize(
    "url",
    [
        "https://exa mple/",
        "https://%6c%6f/",
        "https://..example/",
        f"https://{'a' * 64}.example/",
        "https://１２７.0.0.1/",
    ],
)
def test_what_is_no_name_is_refused_when_it_is_added(url: str) -> None:
    with pytest.raises(Invalid):
        sound_url(url, private=True)


def test_what_is_readable_on_its_way_is_refused_once_that_is_no_longer_allowed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stand_for(monkeypatch, "8.8.8.8")
    assert destination("http://portal.example/", private=True).name == "portal.example"
    with pytest.raises(Refused, match="https only"):
        destination("http://portal.example/", private=False)
