"""The API as an application."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from fastapi import APIRouter, FastAPI
from fastapi.routing import iter_route_contexts

from schemas.law import load_law
from services.api import access, problems
from services.api.described import restore_examples
from services.api.inquiry import Reader
from services.api.metrics import Metrics
from services.api.observation import Observation
from services.api.routes import ROUTERS
from services.api.settings import Settings
from store.database import Database

TITLE: Final = "Lookthrough 穿透"
DESCRIPTION: Final = (
    "What supervisors read: alerts with their evidence, institutions and risk scores, feeds and what "
    "did not come. 监管机构查询接口：预警及证据、机构及风险评分、报送渠道及缺失数据。 Money is in minor "
    "units (分) with its currency; a time without an offset is UTC; errors are problem+json."
)


class Application(FastAPI):
    def openapi(self) -> dict[str, Any]:
        """FastAPI's document with the examples whole: it drops every null from them."""
        document = super().openapi()
        for route in iter_route_contexts(self.routes):
            operations = document["paths"].get(route.path, {})
            for method in operations.keys() & {method.lower() for method in route.methods or ()}:
                restore_examples(operations[method], route.responses)
        return document


def wall_clock_us() -> int:
    return time.time_ns() // 1000


def create_app(
    database: Database,
    settings: Settings,
    routers: Sequence[APIRouter] = (),
    clock: Callable[[], int] = wall_clock_us,
) -> FastAPI:
    """The API over `database`, which the caller closes after it; `routers` are served beside it.

    Raises InvalidSetting when the key file cannot be used. `clock`, UTC microseconds, decides which
    registry records are in force.
    """
    app = Application(
        title=TITLE,
        description=DESCRIPTION,
        version="1",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.keyring = access.load(settings)
    app.state.reader = Reader(database, settings)
    app.state.metrics = Metrics()
    app.state.clock = clock
    app.state.law = load_law()
    problems.install(app)
    app.add_middleware(Observation, metrics=app.state.metrics, bound=settings.requests)
    for router in (*ROUTERS, *routers):
        app.include_router(router)
    return app
