"""Which format a batch is in, from what its sender says and, failing that, how it begins."""

from __future__ import annotations

from typing import Final

from schemas.errors import MalformedBatch
from schemas.registry import Feed, FeedFormat
from services.ingest.body import Body
from services.ingest.formats import format_for_media_type, guess

HEAD_BYTES: Final = 4096


class UnknownFormat(MalformedBatch):
    code = "unknown-format"


def format_of(
    body: Body, feed: Feed, named: FeedFormat | None = None, media_type: str = "", filename: str = ""
) -> FeedFormat:
    """The format named, else the media type's, else the feed's own, else that of the first bytes.

    Raises UnknownFormat.
    """
    found = (
        named or format_for_media_type(media_type) or feed.format or guess(body.head(HEAD_BYTES), filename)
    )
    if found is None:
        names = ", ".join(FeedFormat)
        raise UnknownFormat(f"the batch does not begin like any known format; name it: format={names}")
    return found
