"""HTML as a tree, to ask what stands where."""

from __future__ import annotations

from html.parser import HTMLParser
from xml.etree import ElementTree as ET

EMPTY = {"input", "br", "img", "link", "meta", "hr"}


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.builder = ET.TreeBuilder()
        self.builder.start("root", {})

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.builder.start(tag, {name: value or "" for name, value in attrs})
        if tag in EMPTY:
            self.builder.end(tag)

    def handle_endtag(self, tag: str) -> None:
        self.builder.end(tag)

    def handle_data(self, data: str) -> None:
        self.builder.data(data)


def tree(html: str) -> ET.Element:
    """The elements within one root. An attribute without a value is an empty text."""
    reader = _Reader()
    reader.feed(html)
    reader.builder.end("root")
    return reader.builder.close()
