"""Offline detection: files merged by time, bad records kept, the same input gives the same bytes."""

import csv
import gzip
import json

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lookthrough.detect import detect, merge
from schemas.account import OUTSIDE_NAMES
from schemas.batch import SCHEMA
from schemas.errors import InvalidInput, MalformedBatch
from schemas.law import load_law
from services.detector.engine import Engine
from simulator import dataset
from simulator.world import simulate


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Five simulated days on disk; each typology has a case among them."""
    folder = tmp_path_factory.mktemp("world")
    dataset.write(simulate(7, 5), folder)
    return folder


@pytest.fixture
def run(tmp_path):
    """Detect with a fresh engine; the summary, and the bytes written."""

    def run(files, registry=None, name="alerts.jsonl"):
        out = tmp_path / name
        summary = detect(files, registry, out, Engine(load_law()))
        return summary, out.read_bytes()

    return run


def test_the_same_input_gives_the_same_bytes(world, run):
    files, registry = [world / "transactions.csv"], world / "registry"
    summary, first = run(files, registry)
    assert summary.balances > 0
    assert {"pooling", "reserve_misuse"} <= {alert.typology for alert in summary.alerts.values()}
    assert run(files, registry, "again.jsonl")[1] == first


def test_alerts_name_the_accounts_of_the_files(world, run):
    _, written = run([world / "transactions.csv"], world / "registry")
    with (world / "accounts.csv").open() as file:
        known = {row["account"] for row in csv.DictReader(file)} | OUTSIDE_NAMES
    alerts = [json.loads(line) for line in written.splitlines()]
    assert alerts
    for alert in alerts:
        nodes = {node["account"] for node in alert["evidence"]["nodes"]}
        assert nodes <= known
        assert set(alert["accounts"]) <= known


def test_a_stream_cut_into_files_gives_the_bytes_of_the_whole(world, run, tmp_path):
    with (world / "transactions.csv").open() as file:
        header, *lines = file.readlines()
    halves = [tmp_path / "odd.csv", tmp_path / "even.csv.gz"]
    halves[0].write_text(header + "".join(lines[1::2]))
    halves[1].write_bytes(gzip.compress((header + "".join(lines[::2])).encode()))
    whole, split = run([world / "transactions.csv"]), run(halves, name="split.jsonl")
    assert whole[0].transfers == split[0].transfers == len(lines)
    assert run(halves, name="again.jsonl")[1] == split[1]


def test_a_record_that_cannot_be_read_is_kept_with_its_reason(run, tmp_path):
    file = tmp_path / "day.csv"
    file.write_text(
        "tx_id,ts,src,dst,amount,currency\n"
        "T1,2023-01-01T00:00:00Z,a,b,1.00,CNY\n"
        "T2,2023-01-01T00:00:01Z,a,b,1.001,CNY\n"
    )
    summary, _ = run([file])
    assert (summary.transfers, summary.rejected) == (1, 1)
    (reject,) = (json.loads(line) for line in (tmp_path / "alerts.jsonl.rejects").read_text().splitlines())
    assert (reject["record"], reject["tx_id"], reject["field"]) == (2, "T2", "amount")
    assert "T2,2023" in reject["raw"]


@pytest.mark.parametrize(
    ("name", "content", "error"),
    [
        ("notes.txt", b"\x00\x01 nothing of ours", MalformedBatch),
        ("cut.csv.gz", gzip.compress(b"tx_id,ts" * 100)[:-9], InvalidInput),
        ("not.csv.gz", b"plain", InvalidInput),
    ],
)
def test_a_file_that_cannot_be_read_is_named(run, tmp_path, name, content, error):
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(error, match=name):
        run([file])


@pytest.mark.parametrize(
    ("line", "named"),
    [(b'{"kind":"party"}\n', "line 1"), (b"\n\nnonsense\n", "line 3")],
)
def test_a_bad_registry_line_is_named(run, tmp_path, line, named):
    (tmp_path / "parties.ndjson").write_bytes(line)
    with pytest.raises(InvalidInput, match=named):
        run([], tmp_path)


def test_an_empty_registry_folder_is_refused(run, tmp_path):
    with pytest.raises(InvalidInput, match="ndjson"):
        run([], tmp_path)


def chunk(times):
    """Rows at `times`; each tells its own time as tx_id."""
    blank = {"currency": "CNY", "purpose": 0, "amount_minor": 1, "src": b"\1" * 16, "dst": b"\2" * 16}
    rows = [
        {name: blank.get(name, "") for name in SCHEMA.names} | {"tx_id": str(t), "ts_us": t} for t in times
    ]
    return pa.RecordBatch.from_pylist(rows, schema=SCHEMA)


@given(st.lists(st.lists(st.integers(0, 50), min_size=1, max_size=30), max_size=4), st.integers(1, 7))
def test_merged_rows_are_all_rows_in_time_order(streams, size):
    chunks = [
        iter([chunk(sorted(times)[i : i + size]) for i in range(0, len(times), size)]) for times in streams
    ]
    merged = list(merge(chunks))
    times = np.concatenate([batch.column("ts_us").to_numpy() for batch in merged] or [np.empty(0)])
    assert times.tolist() == sorted(t for stream in streams for t in stream)
    assert all(batch.schema.equals(SCHEMA) for batch in merged)


def test_balances_of_statements_and_beside_the_files_reach_the_engine(tmp_path, run):
    file = tmp_path / "transactions.csv"
    file.write_text("tx_id,ts,src,dst,amount,currency\nT1,2021-06-05T00:00:00Z,a,b,1.00,CNY\n")
    (tmp_path / "balances.csv").write_text(
        "account,as_of,kind,balance,currency\n"
        "r,2021-06-01T23:59:59+08:00,booked,800.00,CNY\n"
        "r,2021-06-01T23:59:59+08:00,clients,1000.00,CNY\n"
        "r,2021-06-31,clients,1000.00,CNY\n"
    )
    summary, written = run([file])
    assert (summary.transfers, summary.balances, summary.rejected) == (1, 2, 1)
    (alert,) = [json.loads(line) for line in written.splitlines()]
    assert (alert["typology"], alert["amount_minor"], alert["accounts"]) == (
        "reserve_shortfall",
        20_000,
        ["r"],
    )
