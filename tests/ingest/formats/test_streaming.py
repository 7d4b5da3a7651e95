"""What holds for every format: how it is read changes nothing, no bytes break it, memory is bounded."""

import csv
import io
import subprocess
import sys
import tracemalloc
from datetime import datetime
from itertools import chain, repeat
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import MalformedBatch
from schemas.registry import FeedFormat
from schemas.transaction import FIELDS, Purpose, Transaction
from services.ingest.formats import format_named
from services.ingest.formats.parsed import Parsed
from services.ingest.normalise import normalise
from services.ingest.tokens import Tokeniser

LATEST_US = 4_000_000_000_000_000
VISIBLE = st.characters(exclude_categories=["Cc", "Cs"])
TEXT = st.text(VISIBLE, max_size=8)
TRANSACTIONS = st.builds(
    Transaction,
    tx_id=st.text(VISIBLE, min_size=1, max_size=8),
    ts=st.datetimes(datetime(1970, 1, 2), datetime(2096, 1, 1)).map(lambda moment: moment.isoformat()),
    src=st.text(VISIBLE, min_size=1, max_size=8),
    dst=TEXT,
    amount=st.integers(1, 10**15).map(lambda minor: f"{minor // 100}.{minor % 100:02d}"),
    currency=st.sampled_from(["CNY", "EUR", "USD"]),
    channel=TEXT,
    src_bank=TEXT,
    dst_bank=TEXT,
    purpose=st.sampled_from(["", *Purpose.__members__]),
    product=TEXT,
    instruction=TEXT,
    reversal_of=TEXT,
)
BATCHES = st.lists(TRANSACTIONS, max_size=8, unique_by=lambda transaction: transaction.tx_id)


def columns(records):
    return [
        (chunk.columns.to_pylist(), chunk.bad, chunk.total)
        for chunk in normalise(records, Tokeniser(b"0123456789abcdef"), LATEST_US)
    ]


def array(batch):
    return msgspec.json.encode(batch)


def lines(batch):
    return b"\n".join(map(msgspec.json.encode, batch)) + b"\n" if batch else b"[]"


def table(batch):
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(FIELDS)
    writer.writerows(map(msgspec.structs.astuple, batch))
    return text.getvalue().encode()


WRITTEN = [(FeedFormat.json, array), (FeedFormat.json, lines), (FeedFormat.csv, table)]


@pytest.mark.parametrize(("name", "write"), WRITTEN, ids=["array", "lines", "csv"])
@given(batch=BATCHES)
def test_what_is_written_is_read_back(name, write, batch):
    records = format_named(name).parse(io.BytesIO(write(batch)))
    direct = [
        Parsed(number, item.raw, sent)
        for number, (item, sent) in enumerate(zip(records, batch, strict=True), 1)
    ]
    assert columns(format_named(name).parse(io.BytesIO(write(batch)))) == columns(direct)


class Dribble(io.RawIOBase):
    """Reads that return as many bytes as `sizes` say, in turn."""

    def __init__(self, content, sizes):
        self._content, self._sizes = io.BytesIO(content), sizes

    def read(self, size=-1):
        self._sizes = self._sizes[1:] + self._sizes[:1]
        return self._content.read(min(size, self._sizes[0]) if size >= 0 else self._sizes[0])


def plain(item):
    return (item.number, item.raw, str(item.value), item.amount) if isinstance(item, Parsed) else item


def outcome(name, stream):
    """All that was yielded and how it ended. Any other error goes through and fails the test."""
    items = []
    try:
        items.extend(map(plain, format_named(name).parse(stream)))
    except MalformedBatch as error:
        return items, str(error)
    return items, ""


XML = b'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.054.001.08"><BkToCstmrDbtCdtNtfctn>'
PIECES = st.sampled_from(
    [
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b'"',
        b"\\",
        b"\n",
        b"\r\n",
        b"1e5",
        b'"tx_id":"a"',
        b"\xef\xbb\xbf",
        b"\xff",
        b"\x00",
    ]
)
MARKUP = st.sampled_from(
    [
        b"<Ntfctn>",
        b"</Ntfctn>",
        b"<Ntry>",
        b"</Ntry>",
        b"<Acct/>",
        b"<TxDtls/>",
        b"<NtryDtls>",
        b"</NtryDtls>",
        b"<!--",
        b"&lt;",
        b'<Amt Ccy="EUR">1</Amt>',
        b"<TxsSummry/>",
        b"<Sts>BOOK</Sts>",
        b"</BkToCstmrDbtCdtNtfctn></Document>",
    ]
)
STARTS = st.sampled_from(
    [b"", b"{", b"[", b"tx_id,ts,src,dst,amount,currency\n", XML, XML + b"<Ntfctn><Ntry>"]
)
JUNK = st.one_of(
    st.binary(max_size=60),
    st.builds(lambda start, pieces: start + b"".join(pieces), STARTS, st.lists(PIECES | MARKUP, max_size=25)),
)


@pytest.mark.parametrize("name", list(FeedFormat))
@given(content=JUNK)
@settings(max_examples=150)
def test_arbitrary_bytes_are_malformed_or_records_and_nothing_else(name, content):
    items, _ = outcome(name, io.BytesIO(content))
    numbers = [item[0] for item in items if isinstance(item, tuple)]
    assert numbers == list(range(1, len(numbers) + 1))


SIZES = st.lists(st.integers(1, 50), min_size=1, max_size=4)


@pytest.mark.parametrize("name", list(FeedFormat))
@given(content=JUNK, sizes=SIZES)
def test_how_junk_is_read_does_not_change_what_is_found(name, content, sizes):
    assert outcome(name, Dribble(content, sizes)) == outcome(name, io.BytesIO(content))


@pytest.mark.parametrize(("name", "write"), WRITTEN, ids=["array", "lines", "csv"])
@given(batch=BATCHES, sizes=SIZES)
def test_how_a_batch_is_read_does_not_change_what_is_found(name, write, batch, sizes):
    content = write(batch)
    assert outcome(name, Dribble(content, sizes)) == outcome(name, io.BytesIO(content))


@pytest.mark.parametrize("shape", ["entries", "details", "groups of details"])
def test_memory_does_not_grow_with_an_xml_message(shape):
    grown = subprocess.run(
        [sys.executable, "-m", "tests.ingest.formats.peak_memory", shape],
        capture_output=True,
        check=True,
        text=True,
        cwd=Path(__file__).parents[3],
    )
    assert int(grown.stdout) < 6_000  # KB; kept, the elements would be some 20 MB


def test_memory_does_not_grow_with_a_csv_file():
    rows = b"T1,2024-01-02T03:04:05Z,a,b,1.50,CNY\n" * 20_000

    def peak(times):
        text = chain([b"tx_id,ts,src,dst,amount,currency\n"], repeat(rows, times))
        tracemalloc.start()
        for _ in format_named(FeedFormat.csv).parse(Chained(text)):
            pass
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(1)
    assert peak(18) < peak(9) * 1.2


class Chained:
    """A stream of the parts given, made as they are read."""

    def __init__(self, parts):
        self._parts = iter(parts)
        self._left = b""

    def read(self, size):
        self._left = self._left or next(self._parts, b"")
        taken, self._left = self._left[:size], self._left[size:]
        return taken


def test_xml_with_nothing_to_read_is_given_up():
    text = chain([XML + b"<Ntfctn>"], repeat(b"<Note>x</Note>" * 100_000, 40))
    with pytest.raises(MalformedBatch, match="bytes and nothing in them"):
        list(format_named(FeedFormat.camt054).parse(Chained(text)))
