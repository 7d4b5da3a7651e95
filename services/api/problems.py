"""Errors as problem+json (RFC 9457), from one table. `detail` says what to do next."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final
from uuid import uuid4

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.responses import Response

from schemas.errors import (
    BatchTooLarge,
    Conflict,
    Forbidden,
    InvalidInput,
    InvalidSetting,
    LookthroughError,
    Unauthenticated,
    Unavailable,
    Unknown,
)

MEDIA_TYPE: Final = "application/problem+json"
RETRY_SECONDS: Final = 5
MAX_FAULTS: Final = 20
BUSY: Final = f"The service is busy or lacks a part; try again in {RETRY_SECONDS} s."

STATUS: Final[Mapping[type[LookthroughError], HTTPStatus]] = {
    InvalidInput: HTTPStatus.UNPROCESSABLE_ENTITY,
    BatchTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    InvalidSetting: HTTPStatus.INTERNAL_SERVER_ERROR,
    Unknown: HTTPStatus.NOT_FOUND,
    Conflict: HTTPStatus.CONFLICT,
    Forbidden: HTTPStatus.FORBIDDEN,
    Unauthenticated: HTTPStatus.UNAUTHORIZED,
    Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    LookthroughError: HTTPStatus.INTERNAL_SERVER_ERROR,
}
"""By class; a class that is not here has the status of its nearest ancestor."""

SCHEMA: Final[dict[str, Any]] = {
    "title": "Problem",
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "description": "urn:lookthrough: and a stable code"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What is wrong and what to do next"},
        "instance": {"type": "string", "description": "Quote this when reporting a failure of ours"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "reason"],
                "properties": {"field": {"type": "string"}, "reason": {"type": "string"}},
            },
        },
    },
}

_HEADERS: Final[Mapping[HTTPStatus, dict[str, str]]] = {
    HTTPStatus.UNAUTHORIZED: {"WWW-Authenticate": "Bearer"},
    HTTPStatus.SERVICE_UNAVAILABLE: {"Retry-After": str(RETRY_SECONDS)},
}
_HTTP_DETAIL: Final[Mapping[int, str]] = {
    404: "There is nothing at {path}; /docs lists every route.",
    405: "{path} does not take {method}; the header Allow names what it takes, and /docs explains it.",
}
_REASONS: Final = {"extra_forbidden": "this route has no such parameter"}
"""Pydantic's words, where they do not suit a request."""

_logger = logging.getLogger("lookthrough.api")


def body(code: str, status: HTTPStatus, detail: str) -> dict[str, Any]:
    return {"type": f"urn:lookthrough:{code}", "title": status.phrase, "status": status, "detail": detail}


def problem(code: str, status: HTTPStatus, detail: str, **more: Any) -> JSONResponse:
    content = body(code, status, detail) | more
    return JSONResponse(content, status, headers=_HEADERS.get(status), media_type=MEDIA_TYPE)


def status_of(error: type[LookthroughError]) -> HTTPStatus:
    return next(STATUS[kind] for kind in error.__mro__ if kind in STATUS)


def install(app: FastAPI) -> None:
    app.add_exception_handler(LookthroughError, _deliberate)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)


async def _deliberate(request: Request, error: Exception) -> Response:
    assert isinstance(error, LookthroughError)
    status = status_of(type(error))
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR and status != HTTPStatus.SERVICE_UNAVAILABLE:
        return await _unexpected(request, error)
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        _logger.warning("unavailable: %s", error)
        return problem(error.code, status, BUSY)
    return problem(error.code, status, str(error))


async def _invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    faults = [
        {
            "field": ".".join(str(part) for part in fault["loc"]),
            "reason": _REASONS.get(fault["type"], fault["msg"]),
        }
        for fault in error.errors()[:MAX_FAULTS]
    ]
    first = faults[0]
    detail = f"{first['field']}: {first['reason']}. Correct the request; /docs describes every parameter."
    return problem("invalid-input", HTTPStatus.UNPROCESSABLE_ENTITY, detail, errors=faults)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    template = _HTTP_DETAIL.get(status)
    asked = {"path": request.url.path[:200], "method": request.method[:20]}
    detail = template.format(**asked) if template else str(error.detail)
    response = problem(status.phrase.lower().replace(" ", "-"), status, detail)
    response.headers.update(error.headers or {})
    return response


async def _unexpected(_: Request, error: Exception) -> Response:
    reference = uuid4().hex
    _logger.error("unexpected error %s", reference, exc_info=error)
    return problem(
        "error",
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "The service failed. Try again, and report `instance` to the operator if it fails again.",
        instance=f"urn:lookthrough:failure:{reference}",
    )
