"""The push endpoint: batches, registry records and repaired records over HTTP."""

from __future__ import annotations

from decimal import Decimal
from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, FastAPI, Path, Query, Request, Response
from fastapi.security import HTTPBearer
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from schemas.errors import InvalidInput
from schemas.feed import BatchHeader, BatchStatus, Receipt
from schemas.record import Record
from schemas.registry import FeedFormat
from schemas.topics import TRANSACTIONS
from services.ingest.body import Body
from services.ingest.choice import format_of
from services.ingest.ingest import Ingest
from services.ingest.openapi import BALANCES_BODY, BATCH_BODY, RECEIPTS, RECORD_BODY, REGISTRY_BODY
from services.ingest.problem import documented, problem, problem_route
from services.ingest.registration import RegistryReceipt
from services.ingest.resend import Resent
from services.ingest.statements import BalancesReceipt
from services.ingest.upload import Places, receive_body

RECORD_BYTES: Final = 1 << 20
"""Bound of a repaired record."""

Sequence = Annotated[
    int | None, Query(ge=0, le=2**62, description="Counts up by one per feed; pushing it again is harmless")
]
ControlCount = Annotated[int | None, Query(ge=0, description="How many records the batch holds")]
ControlSum = Annotated[
    Decimal | None,
    Query(ge=0, max_digits=30, decimal_places=5, description="Sum of the amounts in major units"),
]
Format = Annotated[
    FeedFormat | None,
    Query(description="Else by the Content-Type, else the feed's own, else by how the batch begins"),
]


class Health(Record):
    status: str


def router(ingest: Ingest) -> APIRouter:
    """The /v1 routes, errors included, for whatever app they are mounted in."""
    routes = _Routes(ingest)
    found = APIRouter(
        route_class=problem_route(ingest.metrics.error),
        dependencies=[Depends(HTTPBearer(auto_error=False, description="The feed's or the operator's key"))],
        tags=["ingest"],
    )
    add: Any = found.add_api_route
    status = HTTPStatus
    refused = (status.UNAUTHORIZED, status.FORBIDDEN, status.NOT_FOUND, status.SERVICE_UNAVAILABLE)
    sent = (status.REQUEST_TIMEOUT, status.REQUEST_ENTITY_TOO_LARGE, status.UNSUPPORTED_MEDIA_TYPE)
    add(
        "/v1/feeds/{feed}/batches",
        routes.push,
        methods=["POST"],
        status_code=status.CREATED,
        responses={**documented(status.CONFLICT, *refused, *sent), **RECEIPTS},
        openapi_extra=BATCH_BODY,
    )
    add(
        "/v1/feeds/{feed}/balances",
        routes.state,
        methods=["POST"],
        response_model=BalancesReceipt,
        responses=documented(status.UNPROCESSABLE_ENTITY, *refused, *sent),
        openapi_extra=BALANCES_BODY,
    )
    add(
        "/v1/registry",
        routes.register,
        methods=["POST"],
        response_model=RegistryReceipt,
        responses=documented(*refused, *sent),
        openapi_extra=REGISTRY_BODY,
    )
    add(
        "/v1/rejects/{reject_id}/resend",
        routes.resend,
        methods=["POST"],
        response_model=Resent,
        responses=documented(status.CONFLICT, status.UNPROCESSABLE_ENTITY, *refused, *sent),
        openapi_extra=RECORD_BODY,
    )
    return found


def create_app(ingest: Ingest) -> FastAPI:
    """The push endpoint as a service of its own: the routes and what watches over a process."""
    app = FastAPI(title="Lookthrough ingest", version="1", docs_url="/docs", redoc_url=None)
    app.include_router(router(ingest))

    async def no_route(_: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        status = HTTPStatus(error.status_code)
        return problem(status, status.phrase.lower().replace(" ", "-"), str(error.detail))

    app.add_exception_handler(HTTPException, no_route)

    @app.get("/health", tags=["operation"])
    async def health() -> Health:
        """The process answers."""
        return Health(status="up")

    ready_route = APIRouter(route_class=problem_route(ingest.metrics.error), tags=["operation"])

    @ready_route.get("/ready", responses=documented(HTTPStatus.SERVICE_UNAVAILABLE))
    def ready() -> Health:
        """Receipts and registry have been read back, and the log is open."""
        ingest.log.partitions(TRANSACTIONS)
        return Health(status="ready")

    app.include_router(ready_route)

    @app.get("/metrics", tags=["operation"], response_class=Response)
    def metrics() -> Response:
        """Prometheus text."""
        return Response(generate_latest(ingest.metrics.registry), media_type=CONTENT_TYPE_LATEST)

    return app


class _Routes:
    def __init__(self, ingest: Ingest) -> None:
        self._ingest = ingest
        self._places = Places(ingest.settings.concurrent_batches)

    async def push(
        self,
        request: Request,
        feed: Annotated[str, Path(max_length=128)],
        sequence: Sequence = None,
        control_count: ControlCount = None,
        control_sum: ControlSum = None,
        format: Format = None,
        filename: Annotated[str, Query(max_length=255, description="Helps to tell the format")] = "",
    ) -> Response:
        """Push one batch. The receipt comes when all of it is durable, and names what was rejected."""
        known = self._ingest.receiver.feed(feed)
        self._ingest.access.feed(known, request.headers.get("authorization"))
        with self._places.one(), self._body(self._ingest.settings.max_batch_bytes) as body:
            await self._read(request, body, self._ingest.settings.max_batch_bytes)
            media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
            header = BatchHeader(
                feed_id=known.feed_id,
                sequence=sequence,
                format=format_of(body, known, format, media_type, filename),
                control_count=control_count,
                control_sum=control_sum,
            )
            receipt = await run_in_threadpool(self._ingest.receiver.receive, header, body)
        return Response(
            receipt.model_dump_json(),
            _status_of(receipt),
            media_type="application/json",
            headers={"X-Body": "receipt"},
        )

    async def state(self, request: Request, feed: Annotated[str, Path(max_length=128)]) -> BalancesReceipt:
        """Push balances, as NDJSON or CSV. Bad ones are named; the others go on. Again is harmless."""
        known = self._ingest.receiver.feed(feed)
        self._ingest.access.feed(known, request.headers.get("authorization"))
        with self._places.one(), self._body(self._ingest.settings.max_batch_bytes) as body:
            await self._read(request, body, self._ingest.settings.max_batch_bytes)
            return await run_in_threadpool(self._ingest.statements.take, known, body)

    async def register(self, request: Request) -> RegistryReceipt:
        """Push registry records, one JSON object a line. Bad lines are named; the others go on."""
        self._ingest.access.operator(request.headers.get("authorization"))
        with self._places.one(), self._body(self._ingest.settings.max_batch_bytes) as body:
            await self._read(request, body, self._ingest.settings.max_batch_bytes)
            return await run_in_threadpool(self._ingest.registration.register, body)

    async def resend(self, request: Request, reject_id: Annotated[str, Path(max_length=64)]) -> Resent:
        """Send the repaired record of a reject, as JSON. A second call gives the same answer."""
        self._ingest.access.operator(request.headers.get("authorization"))
        with self._body(RECORD_BYTES) as body:
            await self._read(request, body, RECORD_BYTES)
            record = body.head(RECORD_BYTES)
        return await run_in_threadpool(self._ingest.resend.resend, reject_id, record)

    def _body(self, max_bytes: int) -> Body:
        return Body(max_bytes, self._ingest.settings.spool_folder)

    async def _read(self, request: Request, body: Body, max_bytes: int) -> None:
        try:
            await receive_body(request, body, max_bytes)
        except ClientDisconnect:
            raise InvalidInput(f"the caller left after {body.size} bytes") from None


def _status_of(receipt: Receipt) -> HTTPStatus:
    if receipt.status is BatchStatus.rejected:
        return HTTPStatus.UNPROCESSABLE_ENTITY
    return HTTPStatus.OK if receipt.duplicate else HTTPStatus.CREATED
