"""Institutions and their risk scores."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Query, Request

from schemas.errors import Unknown
from services.api import examples
from services.api.answers import ClassedScore, InstitutionSummary, Page, page_of
from services.api.described import answers, page
from services.api.inquiry import Reading
from services.api.parameters import (
    HistoryParameters,
    InstitutionParameters,
    NoParameters,
    PathId,
    ScoreParameters,
)
from services.api.queries import institutions

router: Final = APIRouter(prefix="/v1/institutions", tags=["institutions"])


@router.get(
    "",
    summary="Institutions and how they stand 机构列表",
    responses=answers(page(examples.STANDING, "/v1/institutions")),
)
def list_institutions(
    request: Request, reading: Reading, asked: Annotated[InstitutionParameters, Query()]
) -> Page[InstitutionSummary]:
    """Institutions in your scope as registered now, by id, each with its newest risk score, its
    class (合规 compliant, 整改 rectify, 取缔 ban) and the number of its alerts."""
    found = institutions.page(reading, asked)
    return page_of(request, found.rows, found.cursor)


@router.get(
    "/{institution_id}",
    summary="One institution 机构详情",
    responses=answers(examples.STANDING, Unknown),
)
def read_institution(
    reading: Reading, institution_id: PathId, _: Annotated[NoParameters, Query()]
) -> InstitutionSummary:
    """An institution as registered now, and how it stands. `score` is null where none was computed."""
    return institutions.one(reading, institution_id)


@router.get(
    "/{institution_id}/risk-score",
    summary="Risk score at a time 风险评分",
    responses=answers(examples.CLASSED_SCORE, Unknown),
)
def read_score(
    reading: Reading, institution_id: PathId, asked: Annotated[ScoreParameters, Query()]
) -> ClassedScore:
    """The newest score at or before `at` (event time; without it the newest of all), with what each
    alert contributed. A score is written at each alert and each day of event time, so it is at most
    a day of decay behind `at`."""
    return ClassedScore.of(institutions.score(reading, institution_id, asked.at))


@router.get(
    "/{institution_id}/risk-scores",
    summary="History of risk scores 评分历史",
    responses=answers(
        page(examples.CLASSED_SCORE, f"/v1/institutions/{examples.INSTITUTION.institution_id}/risk-scores"),
        Unknown,
    ),
)
def list_scores(
    request: Request, reading: Reading, institution_id: PathId, asked: Annotated[HistoryParameters, Query()]
) -> Page[ClassedScore]:
    """Every score of an institution over event time, the newest first."""
    found = institutions.scores(reading, institution_id, asked)
    return page_of(request, [ClassedScore.of(score) for score in found.rows], found.cursor)
