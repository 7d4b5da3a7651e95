"""Articles named by a dated threshold, as an alert cites them."""

from __future__ import annotations

from collections.abc import Sequence

from schemas.alert import Citation


def citations(articles: Sequence[str]) -> tuple[Citation, ...]:
    """ "RP 二.2.3" is article 二.2.3 of document RP."""
    pairs = (one.split(" ", 1) for one in articles)
    return tuple(Citation(document=document, article=article) for document, article in pairs)
