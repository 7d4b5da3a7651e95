"""The API as a process of its own, over the store that the settings name."""

from __future__ import annotations

from typing import Final

import uvicorn
from fastapi import FastAPI

from services.api.application import create_app
from services.api.settings import Settings
from store.opening import open_database
from store.settings import Folder, Server

KEEP_ALIVE_SECONDS: Final = 30
SHUTDOWN_SECONDS: Final = 10


def run(settings: Settings, where: Server | Folder) -> None:
    """Serve until SIGINT or SIGTERM; requests under way then get SHUTDOWN_SECONDS to end.

    Blocks. Raises InvalidSetting and Unavailable before a port is opened; uvicorn exits the process
    when the port is taken.
    """
    database = open_database(where)
    try:
        server(create_app(database, settings), settings).run()
    finally:
        database.close()


def server(app: FastAPI, settings: Settings) -> uvicorn.Server:
    """The server of `app`, not started. Logging is the caller's to set up."""
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
    )
    return uvicorn.Server(config)
