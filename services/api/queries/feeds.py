"""Feeds, as agreed (registry) and as received (receipts), and the receipts themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from schemas.errors import Unknown
from schemas.feed import Receipt
from schemas.instant import MAX_INSTANT
from schemas.registry import Feed
from services.api import cursors
from services.api.answers import FeedDetail, FeedState, Gap
from services.api.cursors import Stretch
from services.api.inquiry import Inquiry
from services.api.parameters import PageParameters

MAX_GAPS: Final = 100

_IDS: Final = """
SELECT DISTINCT feed_id
FROM (
    SELECT substring(key, length('feed:') + 1) AS feed_id FROM registry WHERE kind = 'feed'
    UNION ALL
    SELECT feed_id FROM receipts
)
WHERE (%(all_feeds)s OR feed_id IN %(feeds)s)
    AND feed_id > %(after_id)s AND (%(only_id)s = '' OR feed_id = %(only_id)s)
ORDER BY feed_id
LIMIT %(limit)s
"""

_AGREED: Final = """
SELECT body
FROM registry FINAL
WHERE kind = 'feed' AND key IN %(keys)s AND valid_from_us <= %(now_us)s
ORDER BY key, valid_from_us DESC
LIMIT 1 BY key
"""

_RECEIVED: Final = """
SELECT
    feed_id, count(), sum(accepted), sum(rejected), max(sequence), max(last_us), max(received_us),
    if(max(sequence) < 0, 0,
        max(sequence) - minIf(sequence, sequence >= 0) + 1 - toInt64(uniqExactIf(sequence, sequence >= 0)))
FROM receipts FINAL
WHERE feed_id IN %(feed_ids)s
GROUP BY feed_id
"""

_GAPS: Final = """
SELECT first, last
FROM (
    SELECT arraySort(groupUniqArray(sequence)) AS came
    FROM receipts
    WHERE feed_id = %(feed_id)s AND sequence >= 0
)
ARRAY JOIN
    arrayMap(here -> here + 1, arrayPopBack(came)) AS first,
    arrayMap(next -> next - 1, arrayPopFront(came)) AS last
WHERE first <= last
ORDER BY first
LIMIT %(limit)s
"""

_RECEIPTS: Final = """
SELECT received_us, batch_id, body
FROM receipts FINAL
WHERE feed_id = %(feed_id)s
    AND (received_us < %(after_us)s OR (received_us = %(after_us)s AND batch_id > %(after_id)s))
ORDER BY received_us DESC, batch_id
LIMIT %(limit)s
"""

_RECEIPT: Final = """
SELECT body
FROM receipts FINAL
WHERE feed_id = %(feed_id)s AND sequence = %(sequence)s
    AND (%(all_feeds)s OR feed_id IN %(feeds)s)
LIMIT 1
"""


class _Received(NamedTuple):
    """The columns of _RECEIVED after the feed."""

    batches: int
    accepted: int
    rejected: int
    last_sequence: int
    last_us: int
    received_us: int
    missing: int


_NOTHING_RECEIVED: Final = _Received(0, 0, 0, -1, 0, 0, 0)


def page(inquiry: Inquiry, asked: PageParameters) -> Stretch[FeedState]:
    """Feeds agreed or heard of, by id."""
    (after_id,) = cursors.decode("feeds", asked.cursor, ("",))
    found = inquiry.query(_IDS, after_id=after_id, only_id="", limit=asked.limit + 1)
    shown = cursors.cut("feeds", found, asked.limit, lambda row: (row[0],))
    return Stretch(_states(inquiry, [feed_id for (feed_id,) in shown.rows]), shown.cursor)


def one(inquiry: Inquiry, feed_id: str) -> FeedDetail:
    """Raises Unknown when nobody agreed it and nothing came, or it is not in scope."""
    _require(inquiry, feed_id)
    (state,) = _states(inquiry, [feed_id])
    return FeedDetail(**state.model_dump(), gaps=_gaps(inquiry, state))


def receipts(inquiry: Inquiry, feed_id: str, asked: PageParameters) -> Stretch[Receipt]:
    """The newest first. Raises Unknown like `one`."""
    after_us, after_id = cursors.decode("receipts", asked.cursor, (MAX_INSTANT + 1, ""))
    _require(inquiry, feed_id)
    found = inquiry.query(
        _RECEIPTS, feed_id=feed_id, after_us=after_us, after_id=after_id, limit=asked.limit + 1
    )
    shown = cursors.cut("receipts", found, asked.limit, lambda row: (row[0], row[1]))
    return Stretch([Receipt.model_validate_json(body) for _, _, body in shown.rows], shown.cursor)


def receipt(inquiry: Inquiry, feed_id: str, sequence: int) -> Receipt:
    """Raises Unknown when no such batch came, or the feed is not in scope."""
    found = inquiry.query(_RECEIPT, feed_id=feed_id, sequence=sequence)
    if not found:
        raise Unknown(
            "no such batch came, or none that you may see; /v1/feeds/{feed}/receipts lists those that did"
        )
    return Receipt.model_validate_json(found[0][0])


def _require(inquiry: Inquiry, feed_id: str) -> None:
    if not inquiry.query(_IDS, after_id="", only_id=feed_id, limit=1):
        raise Unknown("no such feed, or none that you may see; /v1/feeds lists those you may")


def _states(inquiry: Inquiry, feed_ids: Sequence[str]) -> list[FeedState]:
    if not feed_ids:
        return []
    bodies = inquiry.query(_AGREED, keys=tuple(f"feed:{feed_id}" for feed_id in feed_ids))
    agreed = {feed.feed_id: feed for feed in (Feed.model_validate_json(body) for (body,) in bodies)}
    rows = inquiry.query(_RECEIVED, feed_ids=tuple(feed_ids))
    received = {row[0]: _Received(*row[1:]) for row in rows}
    return [
        _state(feed_id, agreed.get(feed_id), received.get(feed_id, _NOTHING_RECEIVED)) for feed_id in feed_ids
    ]


def _state(feed_id: str, feed: Feed | None, received: _Received) -> FeedState:
    return FeedState(
        feed_id=feed_id,
        bank=feed and feed.bank,
        format=feed and feed.format,
        policy=feed and feed.policy,
        lateness_seconds=feed and feed.lateness_seconds,
        state="no_data" if not received.batches else "gapped" if received.missing else "receiving",
        batches=received.batches,
        accepted=received.accepted,
        rejected=received.rejected,
        last_sequence=received.last_sequence if received.last_sequence >= 0 else None,
        last_transaction_at=received.last_us or None,
        last_received_at=received.received_us or None,
        missing_batches=received.missing,
    )


def _gaps(inquiry: Inquiry, state: FeedState) -> tuple[Gap, ...]:
    if not state.missing_batches:
        return ()
    found = inquiry.query(_GAPS, feed_id=state.feed_id, limit=MAX_GAPS)
    return tuple(Gap(first=first, last=last) for first, last in found)
