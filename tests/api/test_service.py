"""The API as it is deployed: a real server on a real socket."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import uvicorn

from services.api.application import create_app
from services.api.service import server
from services.api.settings import Settings
from tests.api.world import World


@contextmanager
def serving(served: uvicorn.Server) -> Iterator[str]:
    thread = threading.Thread(target=served.run)
    thread.start()
    try:
        while not served.started and thread.is_alive():
            time.sleep(0.01)
        host, port = served.servers[0].sockets[0].getsockname()[:2]
        yield f"http://{host}:{port}"
    finally:
        served.should_exit = True
        thread.join(30)
    assert not thread.is_alive()


def test_it_answers_on_loopback_and_stops(world: World) -> None:
    settings = Settings(demo=True, port=0)
    with serving(server(create_app(world.database, settings), settings)) as url, httpx.Client() as client:
        assert client.get(f"{url}/ready").json() == {"status": "ok"}
        page = client.get(f"{url}/v1/alerts?limit=1").json()
        assert len(page["items"]) == 1
        assert client.get(url + page["next"]).status_code == 200
        assert "server" not in client.get(f"{url}/health").headers
        refused = client.get(f"{url}/v1/nothing")
        assert refused.headers["content-type"] == "application/problem+json"
