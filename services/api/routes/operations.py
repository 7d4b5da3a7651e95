"""For those who run the service: is it alive, can it answer, how much does it answer."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from schemas.errors import Unavailable
from services.api import documentation
from services.api.answers import Health
from services.api.described import answers
from services.api.queries import migrations
from store.migrations import shipped

router: Final = APIRouter(tags=["operations"])

_OK: Final = Health(status="ok")
_METRIC: Final = 'lookthrough_api_requests_total{method="GET",route="/v1/alerts",status="200"} 7.0\n'


@router.get("/health", summary="Alive? 存活", responses=answers(_OK, public=True))
def health() -> Health:
    """The process answers. It says nothing about the store: see /ready."""
    return _OK


@router.get("/ready", summary="Ready? 就绪", responses=answers(_OK, Unavailable, public=True))
def ready(request: Request) -> Health:
    """The store answers and has every migration of this version; otherwise 503."""
    missing = {migration.number for migration in shipped()} - migrations.numbers(request.app.state.reader)
    if missing:
        raise Unavailable(f"the store lacks migration {min(missing):04d}; the recorder applies it")
    return _OK


@router.get(
    "/metrics",
    summary="Prometheus metrics 指标",
    response_class=Response,
    responses={
        200: {
            "content": {
                "text/plain": {
                    "schema": {"type": "string"},
                    "example": _METRIC,
                }
            }
        }
    },
)
def metrics(request: Request) -> Response:
    """Requests, their duration and how many are being answered, by route."""
    return Response(generate_latest(request.app.state.metrics.registry), media_type=CONTENT_TYPE_LATEST)


@router.get("/docs", include_in_schema=False)
def docs(request: Request) -> HTMLResponse:
    page = documentation.page(request.app.openapi())
    return HTMLResponse(page, headers={"Content-Security-Policy": documentation.POLICY})


@router.get("/", include_in_schema=False)
def root() -> RedirectResponse:
    return RedirectResponse("docs")
