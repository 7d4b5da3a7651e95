"""Feeds and receipts: what came, and what did not."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Path, Query, Request

from schemas.errors import Unknown
from schemas.feed import Receipt
from services.api import examples
from services.api.answers import FeedDetail, FeedState, Page, page_of
from services.api.described import answers, page
from services.api.inquiry import Reading
from services.api.parameters import NoParameters, PageParameters, PathId
from services.api.queries import feeds

router: Final = APIRouter(prefix="/v1/feeds", tags=["feeds"])
receipts_router: Final = APIRouter(prefix="/v1/receipts", tags=["feeds"])

Sequence = Annotated[int, Path(ge=0, le=2**62)]


@router.get(
    "", summary="Feeds and what came 报送渠道", responses=answers(page(examples.FEED_STATE, "/v1/feeds"))
)
def list_feeds(
    request: Request, reading: Reading, asked: Annotated[PageParameters, Query()]
) -> Page[FeedState]:
    """Every feed in your scope, agreed or heard of, with its last transaction and missing batches.

    No alert means something only where data came: look here before concluding from silence.
    """
    found = feeds.page(reading, asked)
    return page_of(request, found.rows, found.cursor)


@router.get("/{feed_id}", summary="One feed 报送渠道详情", responses=answers(examples.FEED, Unknown))
def read_feed(reading: Reading, feed_id: PathId, _: Annotated[NoParameters, Query()]) -> FeedDetail:
    """One feed, with the sequence numbers that never came."""
    return feeds.one(reading, feed_id)


@router.get(
    "/{feed_id}/receipts",
    summary="Receipts of a feed 回执列表",
    responses=answers(page(examples.RECEIPT, "/v1/feeds/bank_b/receipts"), Unknown),
)
def list_receipts(
    request: Request, reading: Reading, feed_id: PathId, asked: Annotated[PageParameters, Query()]
) -> Page[Receipt]:
    """What became of each batch, the one received last first."""
    found = feeds.receipts(reading, feed_id, asked)
    return page_of(request, found.rows, found.cursor)


@receipts_router.get(
    "/{feed_id}/{sequence}", summary="One receipt 回执", responses=answers(examples.RECEIPT, Unknown)
)
def read_receipt(
    reading: Reading, feed_id: PathId, sequence: Sequence, _: Annotated[NoParameters, Query()]
) -> Receipt:
    """What became of the batch with this sequence number."""
    return feeds.receipt(reading, feed_id, sequence)
