"""The routes, one module a resource: each names a path and what it answers; queries/ finds it."""

from __future__ import annotations

from typing import Final

from services.api.routes import accounts, alerts, feeds, institutions, operations, rejects, typologies

ROUTERS: Final = (
    alerts.router,
    accounts.router,
    institutions.router,
    typologies.router,
    feeds.router,
    feeds.receipts_router,
    rejects.router,
    operations.router,
)
