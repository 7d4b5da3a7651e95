"""Records that were not let in, for whoever may see account numbers in clear."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Query, Request

from schemas.errors import Forbidden, Unknown
from schemas.reject import Reject
from services.api import examples
from services.api.answers import Page, RejectSummary, page_of
from services.api.described import answers, page
from services.api.inquiry import Reading
from services.api.parameters import NoParameters, PathId, RejectParameters
from services.api.queries import rejects

router: Final = APIRouter(prefix="/v1/rejects", tags=["rejects"])


@router.get(
    "",
    summary="Rejected records 拒收记录",
    responses=answers(page(examples.REJECT_SUMMARY, "/v1/rejects"), Forbidden),
)
def list_rejects(
    request: Request, reading: Reading, asked: Annotated[RejectParameters, Query()]
) -> Page[RejectSummary]:
    """Why each record was refused, the one received last first. Needs a key with `rejects`."""
    found = rejects.page(reading, asked)
    return page_of(request, found.rows, found.cursor)


@router.get(
    "/{reject_id}",
    summary="One rejected record 拒收记录详情",
    responses=answers(examples.REJECT, Forbidden, Unknown),
)
def read_reject(reading: Reading, reject_id: PathId, _: Annotated[NoParameters, Query()]) -> Reject:
    """The record as it came, account numbers in clear included. Needs a key with `rejects`."""
    return rejects.one(reading, reject_id)
