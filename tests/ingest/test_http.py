import gzip
import json
import re
import socket
import threading
import time
from contextlib import contextmanager

import httpx
import pytest
import uvicorn

from schemas.feed import Receipt
from services.ingest import upload
from services.ingest.http import create_app

FEED = {"Authorization": "Bearer feed-key"}
OPERATOR = {"Authorization": "Bearer operator-key"}
PUSH = "/v1/feeds/bank_a/batches"


@contextmanager
def served(ingest):
    """A real server on loopback; its address."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(create_app(ingest), log_config=None))
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    try:
        while not server.started:
            time.sleep(0.005)
        yield "http://{}:{}".format(*listener.getsockname())
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


@pytest.fixture
def client(world):
    with served(world.ingest) as address, httpx.Client(base_url=address, headers=FEED) as client:
        yield client


def is_problem(answer, status, code):
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert (body["type"], body["status"]) == (f"urn:lookthrough:{code}", status)
    assert body["title"]
    assert body["detail"]
    return body["detail"]


def test_a_batch_is_pushed_and_pushed_again(client, world, tx, as_ndjson):
    body = as_ndjson([tx(1), tx(2, amount="x")])
    declared = {"sequence": 1, "control_count": 2, "format": "json"}
    answer = client.post(PUSH, content=body, params=declared)
    assert answer.status_code == 201
    assert answer.headers["x-body"] == "receipt"
    receipt = Receipt.model_validate_json(answer.content)
    assert world.receipts() == [receipt]
    assert (receipt.accepted, receipt.rejected, receipt.format) == (1, 1, "json")
    again = client.post(PUSH, content=body, params=declared)
    assert again.status_code == 200
    assert Receipt.model_validate_json(again.content) == receipt.model_copy(update={"duplicate": True})
    conflict = client.post(PUSH, content=as_ndjson([tx(3)]), params=declared)
    assert receipt.digest in is_problem(conflict, 409, "conflict")


def test_a_rejected_batch_gets_its_receipt(client, tx, as_ndjson):
    answer = client.post(PUSH, content=as_ndjson([tx(1)]), params={"control_sum": "1.00"})
    assert (answer.status_code, answer.headers["x-body"]) == (422, "receipt")
    receipt = Receipt.model_validate_json(answer.content)
    assert receipt.reason == "control sum: the caller declared 1.00, the amounts add up to 100.25"


def test_the_content_type_says_the_format(client, tx):
    row = tx(1)
    csv = ",".join(row) + "\n" + ",".join(row.values()) + "\n"
    answer = client.post(PUSH, content=csv, headers={"Content-Type": "text/csv; charset=utf-8"})
    assert (answer.status_code, answer.json()["format"]) == (201, "csv")


def test_a_streamed_body_of_unknown_length(client, world, tx, as_ndjson):
    def chunks():
        for number in range(300):
            yield as_ndjson(tx(number * 100 + i) for i in range(100))

    answer = client.post(PUSH, content=chunks(), params={"sequence": 1}, timeout=60)
    assert answer.json()["accepted"] == 30_000
    assert len(world.tx_ids()) == 30_000


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic feed-key"}]
)
def test_a_feed_is_opened_by_its_own_key_only(world, headers, tx, as_ndjson):
    with served(world.ingest) as address, httpx.Client(base_url=address, headers=headers) as client:
        answer = client.post(PUSH, content=as_ndjson([tx(1)]))
        is_problem(answer, 401, "unauthenticated")
        assert answer.headers["www-authenticate"] == "Bearer"
        is_problem(client.post("/v1/registry", content=b"{}"), 401, "unauthenticated")
        is_problem(client.post(f"/v1/rejects/{'0' * 32}/resend", content=b"{}"), 401, "unauthenticated")
        keyless = client.post("/v1/feeds/keyless/batches", content=as_ndjson([tx(1)]))
        is_problem(keyless, 403, "forbidden")
    assert world.receipts() == []


def test_the_demo_lets_keyless_feeds_in(make_world, tx, as_ndjson):
    world = make_world(demo=True, operator_key_sha256=None)
    with served(world.ingest) as address, httpx.Client(base_url=address) as client:
        assert client.post("/v1/feeds/keyless/batches", content=as_ndjson([tx(1)])).status_code == 201
        assert client.post("/v1/registry", content=b"").status_code == 200
        is_problem(client.post(PUSH, content=as_ndjson([tx(1)])), 401, "unauthenticated")


def test_an_unknown_feed(client):
    detail = is_problem(client.post("/v1/feeds/nobody/batches", content=b"{}"), 404, "unknown")
    assert "POST /v1/registry" in detail


@pytest.mark.parametrize(
    "params",
    [
        {"sequence": "x"},
        {"sequence": -1},
        {"control_sum": "1e3000"},
        {"control_sum": "NaN"},
        {"format": "pdf"},
    ],
)
def test_what_is_declared_must_make_sense(client, params):
    detail = is_problem(client.post(PUSH, content=b"{}", params=params), 422, "invalid-input")
    assert next(iter(params)) in detail


def test_a_format_that_nobody_knows(client, as_ndjson, tx):
    is_problem(client.post(PUSH, content=b"\x00\x01\x02"), 415, "unknown-format")
    packed = client.post(PUSH, content=gzip.compress(b"{}"), headers={"Content-Encoding": "gzip"})
    assert "uncompressed" in is_problem(packed, 415, "unknown-format")


def test_the_size_is_bounded_declared_or_not(make_world):
    world = make_world(max_batch_bytes=1000)
    with served(world.ingest) as address, httpx.Client(base_url=address, headers=FEED) as client:
        is_problem(client.post(PUSH, content=b"x" * 1001), 413, "batch-too-large")
        is_problem(client.post(PUSH, content=iter([b"x" * 600] * 2)), 413, "batch-too-large")


def test_so_many_batches_at_once_and_no_more(make_world, tx, as_ndjson):
    world = make_world(concurrent_batches=1)
    started, go_on = threading.Event(), threading.Event()

    def slowly():
        yield as_ndjson([tx(1)])
        started.set()
        go_on.wait(30)
        yield as_ndjson([tx(2)])

    with served(world.ingest) as address, httpx.Client(base_url=address, headers=FEED) as client:
        answers = []
        pushing = threading.Thread(
            target=lambda: answers.append(client.post(PUSH, content=slowly(), params={"sequence": 1}))
        )
        pushing.start()
        assert started.wait(30)
        while (busy := client.post(PUSH, content=as_ndjson([tx(3)]))).status_code == 201:
            time.sleep(0.01)  # the first one's headers are still on their way
        is_problem(busy, 503, "unavailable")
        assert int(busy.headers["retry-after"]) > 0
        assert client.get("/health").status_code == 200
        go_on.set()
        pushing.join()
        assert answers[0].json()["accepted"] == 2
        assert client.post(PUSH, content=as_ndjson([tx(4)])).status_code == 201


def test_a_caller_that_falls_silent_loses_its_place(make_world, monkeypatch):
    monkeypatch.setattr(upload, "STALL_SECONDS", 0.05)
    world = make_world(concurrent_batches=1)
    with served(world.ingest) as address:
        host, port = address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as caller:
            caller.sendall(
                f"POST {PUSH} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer feed-key\r\n"
                "Connection: close\r\nContent-Length: 100\r\n\r\n{".encode()
            )
            answer = b"".join(iter(lambda: caller.recv(4096), b""))
    assert b" 408 " in answer.splitlines()[0]
    assert b"urn:lookthrough:stalled" in answer


def test_registry_and_repair(client, world, tx, as_ndjson):
    party = {"kind": "party", "party_id": "P1", "party_kind": "person", "identity": "11010519491231002X"}
    answer = client.post("/v1/registry", content=as_ndjson([party, {"kind": "party"}]), headers=OPERATOR)
    assert answer.status_code == 200
    body = answer.json()
    assert (body["accepted"], body["rejected"], body["rejects"][0]["line"]) == (1, 1, 2)
    receipt = client.post(PUSH, content=as_ndjson([tx(1), tx(2, currency="QQQ")])).json()
    (reject_id,) = receipt["rejects"]
    resend = f"/v1/rejects/{reject_id}/resend"
    bad = client.post(resend, content=json.dumps(tx(2, amount="x")), headers=OPERATOR)
    is_problem(bad, 422, "invalid-record")
    assert bad.json()["field"] == "amount"
    for _ in range(2):
        good = client.post(resend, content=json.dumps(tx(2)), headers=OPERATOR)
        assert (good.status_code, good.json()["tx_id"]) == (200, "T2")
    assert world.tx_ids() == ["T1", "T2"]
    is_problem(client.post("/v1/rejects/ff/resend", content=b"{}", headers=OPERATOR), 404, "unknown")


def test_a_log_that_does_not_answer_is_a_problem_that_passes(client, world, tx, as_ndjson):
    world.log.failing_flushes = 1
    is_problem(client.post(PUSH, content=as_ndjson([tx(1)])), 503, "unavailable")
    assert client.post(PUSH, content=as_ndjson([tx(1)])).status_code == 201


def test_a_disk_that_takes_no_more_is_a_problem_that_passes(client, settings):
    settings.spool_folder.rmdir()
    is_problem(client.post(PUSH, content=b"x" * (2 << 20)), 503, "unavailable")
    settings.spool_folder.mkdir()
    assert client.post(PUSH, content=b"{" + b"x" * (2 << 20)).status_code == 422


def test_health_readiness_metrics_and_paths_that_are_not_there(client, tx, as_ndjson):
    client.post(PUSH, content=as_ndjson([tx(1), tx(2, amount="x")]), params={"sequence": 1})
    client.post(PUSH, content=as_ndjson([tx(3)]), params={"sequence": 4})
    client.post(PUSH, content=b"\x00")
    assert client.get("/health").json() == {"status": "up"}
    assert client.get("/ready").json() == {"status": "ready"}
    text = client.get("/metrics").text
    for sample in (
        'batches_total{feed="bank_a",outcome="partial"} 1.0',
        'records_total{feed="bank_a",outcome="rejected"} 1.0',
        'missing_batches_total{feed="bank_a"} 2.0',
        'errors_total{code="unknown-format"} 1.0',
    ):
        assert f"lookthrough_ingest_{sample}" in text
    is_problem(client.get("/nothing"), 404, "not-found")
    is_problem(client.get(PUSH), 405, "method-not-allowed")


def test_the_documentation_has_every_route_with_examples(client):
    api = client.get("/openapi.json").json()
    push = api["paths"]["/v1/feeds/{feed}/batches"]["post"]
    assert {"200", "201", "401", "403", "404", "409", "413", "415", "422", "503"} <= push["responses"].keys()
    assert {"sequence", "control_count", "control_sum", "format"} <= {p["name"] for p in push["parameters"]}
    for path in ("/v1/feeds/{feed}/batches", "/v1/registry", "/v1/rejects/{reject_id}/resend"):
        content = api["paths"][path]["post"]["requestBody"]["content"]
        assert all(one["example"] for one in content.values())
    for status in ("200", "201", "422"):
        Receipt.model_validate(push["responses"][status]["content"]["application/json"]["example"])
    assert not re.search(r"\$defs", json.dumps(api["paths"]))


def test_balances_are_pushed_with_the_feeds_key(client, world):
    content = b"account,as_of,kind,balance,currency\n8110701,2016-05-04,booked,1.00,CNY\nx,y,booked,1,CNY\n"
    answer = client.post("/v1/feeds/bank_a/balances", content=content)
    assert answer.status_code == 200
    assert (answer.json()["accepted"], answer.json()["rejected"]) == (1, 1)
    assert answer.json()["rejects"][0]["field"] == "as_of"
    assert client.post("/v1/feeds/bank_a/balances", content=content).json() == answer.json()
    is_problem(client.post("/v1/feeds/bank_a/balances", content=b"a,b\n"), 422, "malformed-batch")
    keyless = client.post("/v1/feeds/bank_a/balances", content=content, headers={"Authorization": ""})
    is_problem(keyless, 401, "unauthenticated")
    is_problem(client.post("/v1/feeds/nobody/balances", content=content), 404, "unknown")
