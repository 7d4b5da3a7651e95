"""Accounts: where their money went, and where it came from."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Path, Query

from schemas.account import AccountToken
from schemas.errors import Unknown
from services.api import examples
from services.api.answers import Trace
from services.api.described import answers
from services.api.inquiry import Reading
from services.api.parameters import TraceParameters
from services.api.queries import payments

router: Final = APIRouter(prefix="/v1/accounts", tags=["accounts"])


@router.get(
    "/{account}/trace",
    summary="Trace money 资金穿透",
    responses=answers(examples.TRACE, Unknown),
)
def trace(
    reading: Reading,
    account: Annotated[AccountToken, Path(description="A token, as alerts name accounts")],
    asked: Annotated[TraceParameters, Query()],
) -> Trace:
    """Look through from an account: forward to where its payments ended, or backward to who paid first.

    Money of several lies together in one account; `attribution` says whose left: `fifo` (first in,
    first out), `pro_rata` (in proportion), `lowest_balance` (others' money first). Reads only feeds in
    your scope, so a trace ends where they do. Every bound that was hit is named in `limits`.
    """
    return payments.trace(reading, account, asked)
