"""The law as data: articles that alerts cite, and thresholds with the period over which each holds.

The files of schemas/law are the source. A replay applies the law in force on the transaction's date.
`secondary` marks what rests on a secondary source: nobody here has checked the official text.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from itertools import pairwise
from types import MappingProxyType
from typing import Any, Final

from pydantic import ValidationError

from schemas.errors import InvalidInput
from schemas.instant import MIN_INSTANT, Instant
from schemas.record import Bilingual, Identifier, Record, content_id
from schemas.registry import Validity

Value = int | str | tuple[str, ...]
"""A threshold: a whole number in the unit its name ends with, a word, or a list of words."""


class Article(Record):
    """`article` as printed ("二.1.1"); `meaning` is one line in our own words."""

    article: str
    title: Bilingual
    meaning: Bilingual


class Document(Record):
    """A law, order or notice. `document` is the short name that citations use."""

    document: Identifier
    number: str
    title: Bilingual
    issued_at: Instant
    in_force_from: Instant
    secondary: bool = False
    articles: tuple[Article, ...]


class Threshold(Validity):
    """`value` of parameter `name` of `rule` (a typology's id, or "risk") while it holds."""

    rule: Identifier
    name: Identifier
    value: Value
    source: str
    secondary: bool = False


@dataclass(frozen=True, eq=False)
class Rules:
    """The thresholds in force over one stretch of time. Equal and hashed by identity: see Law.at."""

    in_force: tuple[Threshold, ...]

    def of(self, rule: str) -> Mapping[str, Value]:
        return {one.name: one.value for one in self.in_force if one.rule == rule}


class Law:
    """Raises InvalidInput when two thresholds of one name hold at the same time."""

    def __init__(self, documents: Sequence[Document], thresholds: Sequence[Threshold]) -> None:
        self.documents: Mapping[str, Document] = MappingProxyType({d.document: d for d in documents})
        self.thresholds = tuple(sorted(thresholds, key=lambda one: (one.rule, one.name, one.valid_from)))
        self._articles = {(d.document, a.article): a for d in documents for a in d.articles}
        edges = {edge for one in thresholds for edge in (one.valid_from, one.valid_to)}
        self._starts: Final = sorted({MIN_INSTANT, *edges})
        self._rules: Final = [self._in_force(start) for start in self._starts]
        self.version: Final = content_id(*(one.model_dump_json() for one in self.thresholds))[:12]
        """Changes with any threshold."""

    def at(self, ts_us: int) -> Rules:
        """The same object over the whole stretch, so it may key a cache."""
        return self._rules[bisect_right(self._starts, ts_us) - 1]

    def between(self, first_us: int, last_us: int) -> tuple[Rules, ...]:
        """Those in force at some time from `first_us` to `last_us`, in order."""
        first = bisect_right(self._starts, first_us) - 1
        return tuple(self._rules[first : bisect_right(self._starts, last_us)])

    def article(self, document: str, article: str) -> Article | None:
        return self._articles.get((document, article))

    def __reduce__(self) -> tuple[type[Law], tuple[Sequence[Document], Sequence[Threshold]]]:
        return Law, (tuple(self.documents.values()), self.thresholds)

    def _in_force(self, ts_us: int) -> Rules:
        holding = tuple(one for one in self.thresholds if one.holds_at(ts_us))
        names = [(one.rule, one.name) for one in holding]
        for earlier, later in pairwise(names):
            if earlier == later:
                raise InvalidInput(f"two thresholds {later[0]}.{later[1]} hold at the same time")
        return Rules(holding)


def load_law() -> Law:
    """Reads the files of schemas/law. Raises InvalidInput naming the file that is wrong. Blocks."""
    documents: list[Document] = []
    thresholds: list[Threshold] = []
    for name, content in _files():
        try:
            if "articles" in content:
                documents.append(Document.model_validate(content))
            else:
                thresholds.extend(Threshold.model_validate(one) for one in content["thresholds"])
        except (ValidationError, KeyError) as error:
            raise InvalidInput(f"schemas/law/{name}: {error}") from None
    return Law(documents, thresholds)


def _files() -> Iterator[tuple[str, dict[str, Any]]]:
    folder = files("schemas") / "law"
    for entry in sorted(folder.iterdir(), key=lambda one: one.name):
        if entry.name.endswith(".json"):
            yield entry.name, json.loads(entry.read_text(encoding="utf-8"))
