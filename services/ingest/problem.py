"""Errors as application/problem+json (RFC 9457), translated once for every route."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from http import HTTPStatus
from typing import Any, Final

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute

from schemas.errors import (
    BatchTooLarge,
    Conflict,
    Forbidden,
    InvalidInput,
    InvalidRecord,
    LookthroughError,
    Unauthenticated,
    Unavailable,
    Unknown,
)
from schemas.record import Record
from services.ingest.choice import UnknownFormat

RETRY_AFTER_SECONDS: Final = 5


class Stalled(InvalidInput):
    """The caller stopped sending its batch."""

    code = "stalled"


class Problem(Record):
    """What an error looks like on the wire. `type` is stable; `detail` is for a person."""

    type: str
    title: str
    status: int
    detail: str


_STATUS: Final[Mapping[type[BaseException], HTTPStatus]] = {
    UnknownFormat: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    BatchTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    Stalled: HTTPStatus.REQUEST_TIMEOUT,
    InvalidInput: HTTPStatus.UNPROCESSABLE_ENTITY,
    Unknown: HTTPStatus.NOT_FOUND,
    Conflict: HTTPStatus.CONFLICT,
    Unauthenticated: HTTPStatus.UNAUTHORIZED,
    Forbidden: HTTPStatus.FORBIDDEN,
    Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    LookthroughError: HTTPStatus.INTERNAL_SERVER_ERROR,
}
_HEADERS: Final[Mapping[HTTPStatus, Mapping[str, str]]] = {
    HTTPStatus.UNAUTHORIZED: {"WWW-Authenticate": "Bearer"},
    HTTPStatus.SERVICE_UNAVAILABLE: {"Retry-After": str(RETRY_AFTER_SECONDS)},
}


def problem_of(error: LookthroughError) -> Response:
    status = next(_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS)
    more = {"field": error.field, "reason": error.reason} if isinstance(error, InvalidRecord) else {}
    return problem(status, error.code, str(error), more)


def problem(status: HTTPStatus, code: str, detail: str, more: Mapping[str, str] | None = None) -> Response:
    body = Problem(type=f"urn:lookthrough:{code}", title=status.phrase, status=status, detail=detail)
    return JSONResponse(
        {**body.model_dump(), **(more or {})},
        status,
        headers=dict(_HEADERS.get(status, {})),
        media_type="application/problem+json",
    )


def problem_route(count: Callable[[str], None]) -> type[APIRoute]:
    """A route that answers errors as problems, in whatever app it is mounted; `count` gets their codes."""

    class ProblemRoute(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            handle = super().get_route_handler()

            async def answer(request: Request) -> Response:
                try:
                    return await handle(request)
                except LookthroughError as error:
                    count(error.code)
                    return problem_of(error)
                except RequestValidationError as error:
                    count(InvalidInput.code)
                    return problem_of(InvalidInput(_sentence(error)))

            return answer

    return ProblemRoute


def _sentence(error: RequestValidationError) -> str:
    return "; ".join(f"{'.'.join(map(str, one['loc'][1:]))}: {one['msg']}" for one in error.errors())


def documented(*statuses: HTTPStatus) -> dict[int | str, dict[str, Any]]:
    """OpenAPI of the problems that a route may answer with."""
    content = {"application/problem+json": {"schema": Problem.model_json_schema()}}
    return {status.value: {"description": status.phrase, "content": content} for status in statuses}
