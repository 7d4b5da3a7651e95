from dataclasses import replace
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.account import OUTSIDE
from schemas.batch import SCHEMA
from schemas.errors import InvalidRecord, MalformedBatch
from schemas.instant import to_micros
from schemas.transaction import Purpose, Transaction
from services.ingest import columns
from services.ingest.formats.parsed import Parsed
from services.ingest.normalise import MAX_ROWS, normalise
from services.ingest.tokens import Tokeniser

KEY = b"0123456789abcdef"
LATEST_US = to_micros("2030-01-01")
GOOD = Transaction(
    tx_id="T1",
    ts="2024-03-01T12:00:00Z",
    src="6222",
    dst="6333",
    amount="617.20",
    currency="CNY",
    channel="柜台",
    src_bank="ICBC",
    dst_bank="ABC",
    purpose="invest",
    product="P1",
    instruction="I1",
    reversal_of="T0",
)


def records(*values):
    return [Parsed(number, b"raw %d" % number, value) for number, value in enumerate(values, 1)]


def run(*values, rows=8192):
    return list(normalise(records(*values), Tokeniser(KEY), LATEST_US, rows))


def changed(**fields):
    return msgspec.structs.replace(GOOD, **fields)


def numbered(count, **fields):
    return [changed(tx_id=f"T{number}", **fields) for number in range(count)]


def test_a_good_record_becomes_one_row_of_the_schema():
    (chunk,) = run(GOOD)
    assert chunk.columns.schema.equals(SCHEMA)
    tokens = Tokeniser(KEY)
    assert chunk.columns.to_pylist() == [
        {
            "tx_id": "T1",
            "ts_us": to_micros("2024-03-01T12:00:00Z"),
            "src": tokens.account("6222"),
            "dst": tokens.account("6333"),
            "amount_minor": 61720,
            "currency": "CNY",
            "purpose": Purpose.invest,
            "product": "P1",
            "channel": "柜台",
            "src_bank": "ICBC",
            "dst_bank": "ABC",
            "instruction": "I1",
            "reversal_of": "T0",
        }
    ]
    assert (chunk.records, chunk.bad, chunk.total) == (1, (), Decimal("617.20"))
    assert chunk.first_us == chunk.last_us == to_micros("2024-03-01T12:00:00Z")


BAD = [
    ("amount", {"amount": "0"}, "zero"),
    ("amount", {"amount": "0.00"}, "zero"),
    ("amount", {"amount": ""}, "unsigned decimal"),
    ("amount", {"amount": "-1"}, "unsigned decimal"),
    ("amount", {"amount": "+1"}, "unsigned decimal"),
    ("amount", {"amount": "1e2"}, "unsigned decimal"),
    ("amount", {"amount": ".5"}, "unsigned decimal"),
    ("amount", {"amount": "1,000"}, "unsigned decimal"),
    ("amount", {"amount": "1.005"}, "at most 2 decimals"),
    ("amount", {"amount": "1.5", "currency": "JPY"}, "at most 0 decimals"),
    ("amount", {"amount": "１"}, "unsigned decimal"),
    ("amount", {"amount": "NaN"}, "unsigned decimal"),
    ("amount", {"amount": "92233720368547758.08"}, "does not fit"),
    ("amount", {"amount": "0" * 25 + "1"}, "unsigned decimal"),
    ("currency", {"currency": "cny"}, "ISO 4217"),
    ("currency", {"currency": ""}, "ISO 4217"),
    ("currency", {"currency": "XXX"}, "ISO 4217"),
    ("ts", {"ts": "2024-02-30T00:00:00Z"}, "not a date-time"),
    ("ts", {"ts": "yesterday"}, "RFC 3339"),
    ("ts", {"ts": ""}, "RFC 3339"),
    ("ts", {"ts": "1969-12-31T23:59:59Z"}, "outside 1970"),
    ("ts", {"ts": "2030-01-01T00:00:01Z"}, "future"),
    ("ts", {"ts": "2024-03-01T12:00:00+08"}, "RFC 3339"),
    ("purpose", {"purpose": "laundering"}, "not a purpose"),
    ("purpose", {"purpose": "Invest"}, "not a purpose"),
    ("dst", {"src": "EXT_SOURCE", "dst": ""}, "both outside"),
    ("dst", {"src": "", "dst": "EXT_SINK"}, "both outside"),
    ("tx_id", {"tx_id": "T\x001"}, "U+0000"),
    ("tx_id", {"tx_id": "T\ud800"}, "U+D800"),
    ("src", {"src": "6222\n"}, "U+000A"),
    ("dst", {"dst": "\x7f6222"}, "U+007F"),
    ("channel", {"channel": "a\tb"}, "U+0009"),
    ("src_bank", {"src_bank": "\x9f"}, "U+009F"),
    ("dst_bank", {"dst_bank": "\udfff"}, "U+DFFF"),
    ("product", {"product": "\x1b[31m"}, "U+001B"),
    ("instruction", {"instruction": "\r"}, "U+000D"),
    ("reversal_of", {"reversal_of": "\x01"}, "U+0001"),
]


@pytest.mark.parametrize(
    ("field", "fields", "reason"), BAD, ids=[f"{f}-{r}-{i}" for i, (f, _, r) in enumerate(BAD)]
)
@pytest.mark.parametrize("neighbours", [0, 3])
def test_what_is_wrong_is_named_and_the_rest_goes_on(field, fields, reason, neighbours):
    others = numbered(neighbours)
    (chunk,) = run(*others, changed(**({"tx_id": "X"} | fields)))
    (bad,) = chunk.bad
    assert (bad.number, bad.field, bad.raw) == (neighbours + 1, field, b"raw %d" % (neighbours + 1))
    assert reason in bad.reason
    assert bad.tx_id == fields.get("tx_id", "X")
    assert chunk.columns.column("tx_id").to_pylist() == [other.tx_id for other in others]


ACCEPTED = [
    ({"amount": "5."}, 500),
    ({"amount": "1.2300"}, 123),
    ({"amount": "0.01"}, 1),
    ({"amount": "00012.50"}, 1250),
    ({"amount": "92233720368547758.07"}, 2**63 - 1),
    ({"amount": "7", "currency": "JPY"}, 7),
    ({"amount": "7.123", "currency": "KWD"}, 7123),
    ({"src": ""}, 61720),
    ({"dst": "EXT_SINK"}, 61720),
    ({"dst": "6222"}, 61720),
    ({"channel": "\u3000全角\u00a0\u200b\u202e"}, 61720),
    ({"tx_id": "🏦" * 128}, 61720),
    ({"ts": "2030-01-01T00:00:00Z"}, 61720),
    ({"ts": "1970-01-01"}, 61720),
    ({"ts": "2024-03-01T20:00:00+08:00"}, 61720),
    ({"ts": "2024-03-01 12:00:00.123456789z"}, 61720),
    ({"purpose": ""}, 61720),
]


@pytest.mark.parametrize(("fields", "minor"), ACCEPTED, ids=[str(i) for i in range(len(ACCEPTED))])
@pytest.mark.parametrize("neighbours", [0, 3])
def test_what_is_unusual_but_right_is_let_in(fields, minor, neighbours):
    (chunk,) = run(*numbered(neighbours), changed(**({"tx_id": "X"} | fields)))
    assert chunk.bad == ()
    row = chunk.columns.to_pylist()[-1]
    sent = changed(**({"tx_id": "X"} | fields))
    assert (row["tx_id"], row["amount_minor"], row["ts_us"]) == (sent.tx_id, minor, to_micros(sent.ts))
    assert row["channel"] == sent.channel


def test_a_name_for_outside_becomes_the_outside_token():
    (chunk,) = run(changed(src="EXT_SOURCE"))
    assert chunk.columns.column("src").to_pylist() == [OUTSIDE]


def test_the_later_of_two_equal_ids_is_rejected_also_across_chunks():
    chunks = run(*numbered(3), changed(tx_id="T1"), *numbered(5)[3:], changed(tx_id="T4"), rows=2)
    bad = [bad for chunk in chunks for bad in chunk.bad]
    assert [(b.number, b.tx_id, b.field) for b in bad] == [(4, "T1", "tx_id"), (7, "T4", "tx_id")]
    assert "came before" in bad[0].reason


def test_the_id_of_a_bad_record_is_still_free():
    (chunk,) = run(changed(amount="0"), GOOD)
    assert [bad.number for bad in chunk.bad] == [1]
    assert chunk.columns.num_rows == 1


def test_the_total_counts_every_amount_that_can_be_read():
    unreadable = Parsed(5, b"", InvalidRecord("", "not JSON"))
    known = Parsed(6, b"", InvalidRecord("channel", "too long"), tx_id="X", amount=Decimal("0.05"))
    sent = [
        *records(GOOD, changed(amount="1.005"), changed(amount="-9"), changed(currency="???")),
        unreadable,
        known,
    ]
    (chunk,) = normalise(sent, Tokeniser(KEY), LATEST_US)
    assert chunk.total == Decimal("617.20") + Decimal("1.005") + Decimal("617.20") + Decimal("0.05")
    assert [bad.number for bad in chunk.bad] == [2, 3, 4, 5, 6]
    assert chunk.bad[-1].tx_id == "X"
    assert chunk.records == 6


def test_the_total_of_several_currencies_is_the_plain_sum():
    (chunk,) = run(
        GOOD,
        changed(tx_id="T2", amount="100", currency="JPY"),
        changed(tx_id="T3", amount="0.001", currency="KWD"),
    )
    assert chunk.total == Decimal("717.201")
    assert chunk.columns.column("amount_minor").to_pylist() == [61720, 100, 1]


def test_chunks_are_bounded_and_say_what_they_span():
    values = [changed(tx_id=str(day), ts=f"2024-03-0{day}T00:00:00Z") for day in (3, 1, 2)]
    first, second = run(*values, rows=2)
    assert (first.columns.num_rows, second.columns.num_rows) == (2, 1)
    assert (first.first_us, first.last_us) == (to_micros("2024-03-01"), to_micros("2024-03-03"))


def test_a_chunk_without_a_good_row_spans_nothing():
    (chunk,) = run(changed(amount="0"))
    assert (chunk.columns.num_rows, chunk.first_us, chunk.last_us) == (0, None, None)
    assert chunk.columns.schema.equals(SCHEMA)


def test_no_records_no_chunks():
    assert run() == []


@pytest.mark.parametrize("rows", [0, MAX_ROWS + 1])
def test_rows_are_what_int16_codes_can_tell_apart(rows):
    with pytest.raises(ValueError, match="must be within"):
        run(GOOD, rows=rows)


def test_a_full_chunk_of_different_banks_fits_the_codes():
    values = [changed(tx_id=str(n), src_bank=f"B{n}") for n in range(MAX_ROWS)]
    (chunk,) = run(*values, rows=MAX_ROWS)
    assert chunk.columns.column("src_bank").to_pylist()[-1] == f"B{MAX_ROWS - 1}"


def test_a_malformed_batch_comes_through():
    def broken():
        yield from records(GOOD)
        raise MalformedBatch("cut off")

    with pytest.raises(MalformedBatch, match="cut off"):
        list(normalise(broken(), Tokeniser(KEY), LATEST_US, rows=1))


AMOUNTS = st.one_of(
    st.decimals(0, 10**16, allow_nan=False, places=2).map(str),
    st.from_regex(r"[0-9+\-.e, ]{0,6}", fullmatch=True),
    st.sampled_from(["9" * 19, "0.001", "1.10", "12.", ".", "0" * 30]),
)
TIMES = st.one_of(
    st.datetimes(timezones=st.just(None)).map(lambda moment: moment.isoformat() + "Z"),
    st.datetimes().map(lambda moment: moment.strftime("%Y-%m-%dT%H:%M:%S+08:00")),
    st.from_regex(
        r"20[0-9]{2}-[0-9]{2}-[0-9]{2}[T t][0-9]{2}:[0-9]{2}(:[0-9]{2})?(\.[0-9]{1,7})?"
        r"(Z|z|[+\-][0-9]{2}:?([0-9]{2})?)?",
        fullmatch=True,
    ),
)
RAW = st.builds(
    changed,
    ts=TIMES,
    amount=AMOUNTS,
    currency=st.sampled_from(["CNY", "CNY", "JPY", "KWD", "XXX"]),
    src=st.sampled_from(["", "a", "b", "EXT_SOURCE"]),
    dst=st.sampled_from(["", "a", "b", "EXT_SINK", "\x00"]),
    purpose=st.sampled_from(["", "fee", "bribe"]),
    channel=st.text(max_size=3),
)


@given(st.lists(RAW, max_size=6))
def test_columns_agree_with_checking_record_by_record(values):
    values = [msgspec.structs.replace(value, tx_id=str(number)) for number, value in enumerate(values)]
    chunks = run(*values)
    alone = [chunk for value in values for chunk in run(value)]
    assert [b.tx_id for chunk in chunks for b in chunk.bad] == [b.tx_id for chunk in alone for b in chunk.bad]
    together = [row for chunk in chunks for row in chunk.columns.to_pylist()]
    assert together == [row for chunk in alone for row in chunk.columns.to_pylist()]
    for value in values:
        refused = False
        try:
            columns.check(value, LATEST_US)
        except InvalidRecord:
            refused = True
        assert refused == (value.tx_id not in {row["tx_id"] for row in together})


def test_equal_batches_give_equal_chunks_whatever_their_size():
    values = numbered(50)
    whole = [row for chunk in run(*values) for row in chunk.columns.to_pylist()]
    for rows in (1, 7, 49):
        assert [row for chunk in run(*values, rows=rows) for row in chunk.columns.to_pylist()] == whole


def test_bad_is_a_plain_value():
    (chunk,) = run(changed(amount="0"))
    assert replace(chunk.bad[0], number=0).number == 0
