"""Around every request: a bound on how many there are, metrics, and the access log.

The access log is one JSON object a line on the logger "lookthrough.access", for every request that
asked who may read: allowed or not.
"""

from __future__ import annotations

import json
import logging
import time
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qsl

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from schemas.errors import Unavailable
from services.api import problems
from services.api.metrics import Metrics
from services.api.parameters import NAMES

ACCESS_LOG: Final = logging.getLogger("lookthrough.access")
_BOUNDED: Final = "/v1/"
_HIDDEN: Final = "…"
_MAX_TEXT: Final = 200
_MAX_SHOWN: Final = 100

_TOO_MANY: Final = problems.problem(
    Unavailable.code,
    HTTPStatus.SERVICE_UNAVAILABLE,
    f"Too many requests at once; try again in {problems.RETRY_SECONDS} s.",
)


class Observation:
    """ASGI middleware. Over `bound` requests under /v1 at once, the next is answered 503 at once."""

    def __init__(self, app: ASGIApp, metrics: Metrics, bound: int) -> None:
        self._app = app
        self._metrics = metrics
        self._bound = bound
        self._in_flight = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status = HTTPStatus.INTERNAL_SERVER_ERROR.value

        async def observed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        bounded = scope["path"].startswith(_BOUNDED)
        self._in_flight += bounded
        self._metrics.in_flight.inc()
        try:
            full = bounded and self._in_flight > self._bound
            await (_TOO_MANY if full else self._app)(scope, receive, observed)
        finally:
            self._in_flight -= bounded
            self._metrics.in_flight.dec()
            seconds = time.perf_counter() - started
            self._metrics.answered(_route(scope), scope["method"], status, seconds)
            _log(scope, status, seconds)


def _route(scope: Scope) -> str:
    return str(getattr(scope.get("route"), "path", "unmatched"))


def _log(scope: Scope, status: int, seconds: float) -> None:
    state = scope.get("state", {})
    if "principal" not in state:
        return
    line = {
        "principal": state["principal"] and state["principal"].name,
        "method": scope["method"],
        "path": scope["path"][:_MAX_TEXT],
        "query": _shown(scope),
        "status": status,
        "rows": state["inquiry"].rows if "inquiry" in state else 0,
        "duration_ms": round(seconds * 1000, 3),
    }
    ACCESS_LOG.info(json.dumps(line, ensure_ascii=False))


def _shown(scope: Scope) -> dict[str, list[str]]:
    """The query by name. Of a parameter that no route knows only the name is kept: it may be a
    secret that was put there by mistake."""
    shown: dict[str, list[str]] = {}
    asked = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    for name, value in asked[:_MAX_SHOWN]:
        kept = value[:_MAX_TEXT] if name in NAMES else _HIDDEN
        shown.setdefault(name[:_MAX_TEXT], []).append(kept)
    return shown
