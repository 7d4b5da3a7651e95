"""Reading ISO 20022 messages: one pass over the XML, by local names, so that every version is read alike.

A document type declaration is refused before anything is parsed, and UTF-8 is taken whatever the
document declares, so there are no entities to expand or fetch and no encoding to hide them in.
What was read is let go of at once. Comments and envelopes (AppHdr, business message wrappers) are
passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import BinaryIO, Final, cast

from lxml import etree

from schemas.errors import MalformedBatch
from services.ingest.formats.blocks import BOM, read_block

MEDIA_TYPES: Final = ("application/xml", "text/xml")

MESSAGES: Final = {
    "BkToCstmrStmt": "camt.053",
    "BkToCstmrDbtCdtNtfctn": "camt.054",
    "FIToFICstmrCdtTrf": "pacs.008",
}
"""Element of each message that is read."""

READS: Final = f"read are {', '.join(MESSAGES.values())}"

MAX_PART_BYTES: Final = 16 << 20
"""Bound of what is held: from one part of a message to the next."""

_FEED_BYTES: Final = 1 << 16
_NAMESPACE: Final = "urn:iso:std:iso:20022:tech:xsd:"
_PROLOG = re.compile(rb"(?:\s|<\?.*?\?>|<!--.*?-->)*+(?P<root><[^?!]|<!DOCTYPE)", re.DOTALL)

Parts = Mapping[str, tuple[str, ...]]
"""Local names of the elements wanted, each with the local names of the parents it must have."""


def parts_of(stream: BinaryIO, message: str, wanted: Parts) -> Iterator[etree._Element]:
    """The wanted elements of the one message in `stream`, each when it is complete.

    An element, all before it and all it has is gone when the next one is asked for: take what is
    needed. Raises MalformedBatch for text that is not well-formed XML, has a DOCTYPE, or is another message.
    """
    head = read_block(stream, _FEED_BYTES).removeprefix(BOM)
    _check_prolog(head)
    tags = [f"{{*}}{name}" for name in ("Document", *MESSAGES, *wanted)]
    parser = etree.XMLPullParser(
        events=("start", "end"),
        tag=tags,
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        remove_comments=True,
        remove_pis=True,
    )
    found = False
    held = 0
    try:
        while head:
            parser.feed(head)
            held += len(head)
            for event, element in cast("Iterator[tuple[str, etree._Element]]", parser.read_events()):
                if event == "start":
                    found = _is_message(element, message, found) or found
                elif (parent := element.getparent()) is not None and name_of(parent) in wanted.get(
                    name_of(element), ()
                ):
                    yield element
                    _let_go(element)
                    held = 0
            if held > MAX_PART_BYTES:
                raise MalformedBatch(f"{message}: {MAX_PART_BYTES} bytes and nothing in them to be read")
            head = read_block(stream, _FEED_BYTES)
        root = parser.close()
    except etree.XMLSyntaxError as error:
        raise MalformedBatch(f"not well-formed XML: {error.msg}") from None
    if not found:
        raise MalformedBatch(f"<{name_of(root)[:80]}> holds no {message} message; {READS}")


def _check_prolog(head: bytes) -> None:
    root = _PROLOG.match(head)
    if root is None:
        raise MalformedBatch(
            f"not XML: no element at its start, {head[:20]!r}" if head else "not XML: it is empty"
        )
    if root["root"] == b"<!DOCTYPE":
        raise MalformedBatch("has a DOCTYPE: document types and entities are refused")


def _is_message(element: etree._Element, message: str, found: bool) -> bool:
    """Whether `element`, which has just begun, is the element of `message`. Raises MalformedBatch when
    it is another's, or a second one."""
    name = name_of(element)
    namespace = etree.QName(element).namespace or ""
    if name == "Document" and namespace.startswith(_NAMESPACE):
        sent = namespace.removeprefix(_NAMESPACE)
        if not sent.startswith(f"{message}."):
            raise MalformedBatch(f"the message is {sent[:40]}, not {message}; {READS}")
    if name not in MESSAGES:
        return False
    if MESSAGES[name] != message:
        raise MalformedBatch(f"the message is {MESSAGES[name]} ({name}), not {message}; {READS}")
    if found:
        raise MalformedBatch(f"more than one {message} message in one batch")
    return True


def _let_go(element: etree._Element) -> None:
    """Empty `element` and remove all that stands before it."""
    element.clear()
    here: etree._Element | None = element
    while here is not None and (parent := here.getparent()) is not None:
        while here.getprevious() is not None:
            del parent[0]
        here = parent


def name_of(element: etree._Element) -> str:
    """Its local name."""
    return str(element.tag).rpartition("}")[2]


def raw_of(element: etree._Element) -> bytes:
    """The element as it came, but for comments and how its characters and namespaces were written."""
    return etree.tostring(element, encoding="utf-8", with_tail=False)
