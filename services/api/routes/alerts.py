"""Alerts, their versions and their evidence."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import JSONResponse

from schemas.alert import Alert
from schemas.errors import Unknown
from services.api import evidence, examples
from services.api.answers import AlertSummary, NodeLink, Page, VersionSummary, page_of
from services.api.described import answers, page
from services.api.inquiry import Reading
from services.api.parameters import (
    AlertParameters,
    EvidenceParameters,
    PageParameters,
    PathId,
    VersionParameter,
)
from services.api.queries import alerts

router: Final = APIRouter(prefix="/v1/alerts", tags=["alerts"])


@router.get(
    "",
    summary="Alerts, the newest first 预警列表",
    responses=answers(page(examples.SUMMARY, "/v1/alerts")),
)
def list_alerts(
    request: Request, reading: Reading, asked: Annotated[AlertParameters, Query()]
) -> Page[AlertSummary]:
    """The newest version of each alert in your scope, ordered by when the alert was first provable.

    A later version keeps an alert's place, so following `next` meets each alert once, whatever
    arrives meanwhile. Filters apply to the newest version; give one several times to choose any.
    """
    found = alerts.page(reading, asked)
    return page_of(request, [AlertSummary.of(alert, raised) for raised, alert in found.rows], found.cursor)


@router.get("/{alert_id}", summary="One alert 预警详情", responses=answers(examples.ALERT, Unknown))
def read_alert(reading: Reading, alert_id: PathId, asked: Annotated[VersionParameter, Query()]) -> Alert:
    """The whole record: the arithmetic behind confidence and severity, the law, and the evidence."""
    return alerts.one(reading, alert_id, asked.version)


@router.get(
    "/{alert_id}/versions",
    summary="Versions of an alert 预警版本",
    responses=answers(page(examples.VERSION, f"/v1/alerts/{examples.ALERT.alert_id}/versions"), Unknown),
)
def list_versions(
    request: Request, reading: Reading, alert_id: PathId, asked: Annotated[PageParameters, Query()]
) -> Page[VersionSummary]:
    """How an alert grew as evidence came, the newest version first."""
    found = alerts.versions(reading, alert_id, asked)
    return page_of(request, [VersionSummary.of(alert) for alert in found.rows], found.cursor)


_EVIDENCE: Final = answers(examples.EVIDENCE, Unknown)
_EVIDENCE[200]["content"][evidence.GRAPHML] = {
    "schema": {"type": "string"},
    "example": examples.EVIDENCE_GRAPHML,
}


@router.get(
    "/{alert_id}/evidence",
    summary="Evidence graph 证据图谱",
    response_model=NodeLink,
    responses=_EVIDENCE,
)
def read_evidence(
    reading: Reading,
    alert_id: PathId,
    asked: Annotated[EvidenceParameters, Query()],
    accept: Annotated[str, Header()] = "*/*",
) -> Response:
    """The minimal subgraph that proves the alert: accounts as nodes, transfers as edges.

    JSON node-link as networkx writes it (`node_link_graph(data, edges="edges")` reads it), or
    GraphML for Gephi, yEd, Cytoscape and networkx, by `format=graphml` or the header Accept.
    """
    alert = alerts.one(reading, alert_id, asked.version)
    as_graphml = asked.format == "graphml" or (asked.format is None and evidence.GRAPHML in accept)
    if as_graphml:
        name = f"alert-{alert.alert_id}-v{alert.version}.graphml"
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "Vary": "Accept"}
        return Response(evidence.graphml(alert), media_type=evidence.GRAPHML, headers=headers)
    return JSONResponse(evidence.node_link(alert), headers={"Vary": "Accept"})
