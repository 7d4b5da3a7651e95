"""Which bank sends what: one feed a bank, as the registry knows it."""

from __future__ import annotations

from schemas.registry import Feed, FeedFormat


def feed_id(bank: str) -> str:
    return f"feed-{bank}"


def feed_records(banks: tuple[str, ...]) -> tuple[Feed, ...]:
    return tuple(Feed(feed_id=feed_id(bank), bank=bank, format=FeedFormat.json) for bank in banks)
