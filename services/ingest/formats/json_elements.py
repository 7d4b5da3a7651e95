"""The elements of a JSON array, told apart by strings, brackets and commas alone.

It needs no element to be sound: what stands between two commas of the array is one element, and
whoever decodes it finds out whether it is JSON.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_TOKEN = re.compile(
    rb'"[^"\\\x00-\x1f]*+(?:\\[^\x00-\x1f][^"\\\x00-\x1f]*+)*+"'  # a whole string
    rb'|["{}\[\],]'  # a mark; a lone quote opens a string that does not end
)
_CONTROL = re.compile(rb"[\x00-\x1f]")  # never inside a string


@dataclass(frozen=True, slots=True)
class Elements:
    """The elements read; what follows the last comma, or the array where it is `closed`."""

    elements: list[bytes]
    rest: bytes
    closed: bool


def split(text: bytes, first: bool, final: bool) -> Elements:
    """Split `text`, which starts in an array after its "[" (`first`) or after one of its commas.

    `final`: no more text will come.
    """
    elements = []
    start = depth = 0
    for token in _TOKEN.finditer(text):
        mark = token[0]
        if mark == b'"' and not final and not _CONTROL.search(text, token.start()):
            break  # the rest of the string is still to come
        if mark == b"," and depth == 0:
            elements.append(text[start : token.start()].strip())
            start = token.end()
        elif mark in (b"{", b"["):
            depth += 1
        elif mark == b"]" and depth == 0:
            last = text[start : token.start()].strip()
            if last or elements or not first:
                elements.append(last)
            return Elements(elements, text[token.end() :], closed=True)
        elif mark in (b"}", b"]"):
            depth = max(depth - 1, 0)
    return Elements(elements, text[start:], closed=False)
