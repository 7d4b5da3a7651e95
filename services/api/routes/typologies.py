"""Typologies that have raised alerts."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Query, Request

from services.api import examples
from services.api.answers import Page, TypologySummary
from services.api.described import answers
from services.api.inquiry import Reading
from services.api.parameters import NoParameters
from services.api.queries import typologies

router: Final = APIRouter(prefix="/v1/typologies", tags=["typologies"])


@router.get(
    "",
    summary="Typologies seen 违规类型",
    responses=answers(Page[TypologySummary](items=(examples.TYPOLOGY,), next=None)),
)
def list_typologies(
    request: Request, reading: Reading, _: Annotated[NoParameters, Query()]
) -> Page[TypologySummary]:
    """The typologies with alerts in your scope: name, law and number of alerts. All on one page."""
    return Page[TypologySummary](items=tuple(typologies.raised(reading, request.app.state.law)), next=None)
