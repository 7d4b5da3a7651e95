import json
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import InvalidRecord, MalformedBatch
from schemas.registry import FeedFormat
from schemas.transaction import Transaction
from services.ingest.formats import json as json_format
from services.ingest.formats.blocks import KEPT_BYTES, MAX_RECORD_BYTES

GOOD = {
    "tx_id": "T1",
    "ts": "2024-01-02T03:04:05Z",
    "src": "a",
    "dst": "b",
    "amount": "1.50",
    "currency": "CNY",
}
TEXT = json.dumps(GOOD).encode()


@pytest.fixture
def read(parse):
    """What was read, one line a record: its id, or what is wrong with it."""

    def lines(content):
        return [
            (item.number, item.value.tx_id if isinstance(item.value, Transaction) else item.value)
            for item in parse(FeedFormat.json, content)
        ]

    return lines


def numbered(*ids):
    return [json.dumps(GOOD | {"tx_id": tx_id}).encode() for tx_id in ids]


def wrong(parse, content):
    """The only record of `content`, which is bad."""
    (item,) = parse(FeedFormat.json, content)
    assert isinstance(item.value, InvalidRecord)
    return item


LAYOUTS = {
    "object": b"%b",
    "pretty object": json.dumps(GOOD, indent=2).encode().replace(b"%", b"%%"),
    "array": b"[%b]",
    "array with blanks": b" [ %b \r\n]\t\n",
    "line": b"%b\n",
    "line with CRLF": b"%b\r\n",
    "byte order mark": b"\xef\xbb\xbf%b",
    "byte order mark, array": b"\xef\xbb\xbf[%b]",
    "leading blanks": b"\n\n  %b",
}


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_one_record_in_each_layout(layout, read):
    assert read(layout.replace(b"%b", TEXT)) == [(1, "T1")]


SEPARATED = {
    "array": lambda texts: b"[" + b",".join(texts) + b"]",
    "spread array": lambda texts: b"[\n" + b"\n,\n".join(texts) + b"\n]",
    "lines": b"\n".join,
    "lines with blank ones": lambda texts: b"\r\n\r\n".join(texts) + b"\n\n",
}


@pytest.mark.parametrize("join", SEPARATED.values(), ids=SEPARATED)
def test_several_records_keep_order_number_and_bytes(join, parse):
    texts = numbered("A", "B", "C")
    items = parse(FeedFormat.json, join(texts))
    assert [(item.number, item.value.tx_id, item.raw.strip()) for item in items] == [
        (1, "A", texts[0]),
        (2, "B", texts[1]),
        (3, "C", texts[2]),
    ]


SELF_CONTAINED = [
    b"nonsense",
    b"42",
    b"{}",
    b'{"tx_id":}',
    TEXT[:-1] + b',"a":NaN}',
    b'"\xff"',
    b'{"a":{"b":[}]}}',
]


@pytest.mark.parametrize("join", SEPARATED.values(), ids=SEPARATED)
@pytest.mark.parametrize("bad", SELF_CONTAINED, ids=range(len(SELF_CONTAINED)))
def test_a_bad_record_is_one_bad_record(join, bad, read):
    first, last = numbered("A", "C")
    found = read(join([first, bad, last]))
    assert [number for number, _ in found] == [1, 2, 3]
    assert (found[0][1], found[2][1]) == ("A", "C")
    assert isinstance(found[1][1], InvalidRecord)


@pytest.mark.parametrize("bad", [b"{", b'{"tx_id":"X}', b'{"a":[[['], ids=range(3))
def test_a_broken_line_costs_no_other_line(bad, read):
    first, last = numbered("A", "C")
    found = read(b"\n".join([first, bad, last]))
    assert (found[0], found[2]) == ((1, "A"), (3, "C"))
    assert found[1][1].reason.startswith("not JSON")


def test_an_element_whose_string_does_not_end_is_whole_again_at_a_line_break(read):
    first, last = numbered("A", "C")
    found = read(b"[" + b",\n".join([first, b'{"tx_id":"X}', last]) + b"]")
    assert (found[0], found[2]) == ((1, "A"), (3, "C"))


def test_an_element_that_swallows_the_next_keeps_it_whole(parse):
    first, last = numbered("A", "C")
    _, second = parse(FeedFormat.json, b"[" + b",".join([first, b'{"tx_id":"X}', last]) + b"]")
    assert isinstance(second.value, InvalidRecord)
    assert second.raw == b'{"tx_id":"X},' + last


def test_an_element_that_is_not_closed_makes_the_array_malformed(read):
    first, last = numbered("A", "C")
    with pytest.raises(MalformedBatch, match="not closed"):
        read(b"[" + b",".join([first, b"{", last]) + b"]")


MALFORMED = {
    b"": "empty",
    b" \n": "empty",
    b"\xef\xbb\xbf": "empty",
    b"PK\x03\x04": "starts with",
    b"<Document/>": "starts with",
    b"[": "not closed after 0",
    b"[" + TEXT: "not closed",
    b"[" + TEXT + b",": "not closed after 1",
    b"[" + TEXT + b"]]": "follows the array",
    b"[" + TEXT + b"]\n" + TEXT: "follows the array",
    b"[]x": "follows the array",
    b"[" * 100_000: "not closed",
}


@pytest.mark.parametrize(("content", "reason"), MALFORMED.items(), ids=range(len(MALFORMED)))
def test_what_is_no_batch_is_malformed(content, reason, read):
    with pytest.raises(MalformedBatch, match=reason):
        read(content)


def test_an_empty_array_is_a_batch_of_nothing(read):
    assert read(b" [ ] ") == []


@pytest.mark.parametrize("content", [b"[%b,]", b"[,%b]", b"[%b,,%b]"])
def test_a_comma_too_many_is_a_bad_record(content, read):
    found = read(content.replace(b"%b", TEXT))
    assert next(value for _, value in found if isinstance(value, InvalidRecord)).reason.startswith("not JSON")
    assert "T1" in [value for _, value in found]


FIELD_ERRORS = [
    ({"amount": None}, "amount", "Expected `str`, got `null`"),
    ({"tx_id": ""}, "tx_id", "length >= 1"),
    ({"tx_id": "x" * 129}, "tx_id", "length <= 128"),
    ({"channel": "通" * 129}, "channel", "length <= 128"),
    ({"src": 6222}, "src", "Expected `str`, got `int`"),
    ({"memo": "x"}, "memo", "unknown field"),
    ({"amount": {}}, "amount", "got `object`"),
    ({"amount": True}, "amount", "got `bool`"),
    ({"currency": "CNYX"}, "currency", "length <= 3"),
]


@pytest.mark.parametrize(("change", "field", "reason"), FIELD_ERRORS, ids=range(len(FIELD_ERRORS)))
def test_a_wrong_field_is_named(change, field, reason, parse):
    item = wrong(parse, json.dumps(GOOD | change).encode())
    assert item.value.field == field
    assert reason in item.value.reason


def test_a_missing_field_is_named(parse):
    item = wrong(parse, b'{"tx_id":"T1"}')
    assert (item.value.field, item.tx_id) == ("ts", "T1")


def test_the_id_and_amount_of_a_bad_record_are_read_where_they_can(parse):
    item = wrong(parse, json.dumps(GOOD | {"src": 1}).encode())
    assert (item.tx_id, str(item.amount)) == ("T1", "1.50")
    item = wrong(parse, json.dumps(GOOD | {"src": 1, "tx_id": 7, "amount": "-1"}).encode())
    assert (item.tx_id, item.amount) == ("", None)


NUMBERS = {"617.20": "617.20", "1": "1", "0.1": "0.1", "12345678901234567.89": "12345678901234567.89"}


@pytest.mark.parametrize("number", [*NUMBERS, "-1", "1e3", "1E-2"])
def test_an_amount_that_is_a_number_is_its_digits(number, parse):
    (item,) = parse(FeedFormat.json, TEXT.replace(b'"1.50"', b" " + number.encode() + b" "))
    assert item.value.amount == number


@pytest.mark.parametrize("number", ["-1", "1e3", "1E-2", "0"])
def test_a_number_that_is_no_plain_decimal_is_refused_as_text_would_be(number, ingest):
    (bad,) = ingest(FeedFormat.json, TEXT.replace(b'"1.50"', number.encode())).bad
    assert bad.field == "amount"


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "01", "1.", ".5", "0x1"])
def test_what_is_no_json_number_is_no_json(number, parse):
    assert wrong(parse, TEXT.replace(b'"1.50"', number.encode())).value.reason.startswith("not JSON")


REPEATED = {
    "same": (b'"amount":"1","amount":"1"', True),
    "other": (b'"amount":"1","amount":"2"', True),
    "empty last": (b'"channel":"x","channel":"","amount":"1"', True),
    "empty first says nothing": (b'"channel":"","channel":"x","amount":"1"', False),
    "escaped": (b'"amount":"1","\\u0061mount":"2"', True),
    "spaced": (b'"amount" : "1" , "amount":\t"2"', True),
    "in a value": (b'"channel":"\\"amount\\":","amount":"1"', False),
    "number": (b'"amount":1,"amount":"1"', True),
}


@pytest.mark.parametrize(("pair", "refused"), REPEATED.values(), ids=REPEATED)
@pytest.mark.parametrize("join", SEPARATED.values(), ids=SEPARATED)
def test_a_key_given_twice_is_refused(pair, refused, join, read):
    text = TEXT.replace(b'"amount": "1.50"', pair)
    found = read(join([*numbered("A"), text, *numbered("C")]))
    assert [number for number, _ in found] == [1, 2, 3]
    if refused:
        assert found[1][1].reason == "the key is given twice"
    else:
        assert found[1][1] == "T1"


def test_deep_nesting_is_a_bad_record(parse):
    deep = b'{"tx_id":' * 100_000
    assert "nested too deeply" in wrong(parse, deep + b"1" + b"}" * 100_000).value.reason
    found = parse(FeedFormat.json, b"[" + deep + b"1" + b"}" * 100_000 + b"," + TEXT + b"]")
    assert [type(item.value) for item in found] == [InvalidRecord, Transaction]


def test_a_line_over_the_bound_is_cut_and_the_next_is_read(parse):
    long = b'{"channel":"' + b"x" * (3 * MAX_RECORD_BYTES) + b'"}'
    first, second, third = parse(FeedFormat.json, b"\n".join([TEXT, long, TEXT]))
    assert (first.value.tx_id, third.value.tx_id) == ("T1", "T1")
    assert (second.number, third.number) == (2, 3)
    assert second.value.reason.startswith(f"longer than {MAX_RECORD_BYTES} bytes")
    assert second.raw == long[:KEPT_BYTES]


def test_an_element_over_the_bound_makes_the_array_malformed(read):
    long = b'{"channel":"' + b"x" * (3 * MAX_RECORD_BYTES) + b'"}'
    with pytest.raises(MalformedBatch, match=f"record 2: longer than {MAX_RECORD_BYTES} bytes"):
        read(b"[" + TEXT + b"," + long + b"," + TEXT + b"]")


@pytest.mark.parametrize("join", SEPARATED.values(), ids=SEPARATED)
def test_records_across_blocks(join, parse):
    ids = [f"T{number}" for number in range(3 * MAX_RECORD_BYTES // len(TEXT))]
    texts = numbered(*ids)
    texts[5000] = b"[3]"
    texts[9000] = texts[9000].replace(b'"b"', b'"}, {\\""')
    items = parse(FeedFormat.json, join(texts))
    assert [item.number for item in items] == list(range(1, len(ids) + 1))
    assert [item.raw.strip() for item in items] == texts
    bad = [item.number for item in items if isinstance(item.value, InvalidRecord)]
    assert bad == [5001]
    assert items[9000].value.dst == '}, {"'


class Endless:
    """A stream of `blocks` blocks, each made when it is read."""

    def __init__(self, start, piece, end, blocks):
        self._parts = iter([start, *(piece for _ in range(blocks)), end])
        self._left = b""

    def read(self, size):
        while not self._left:
            part = next(self._parts, None)
            if part is None:
                return b""
            self._left = part
        taken, self._left = self._left[:size], self._left[size:]
        return taken


STREAMS = {
    "array": (b"[", (TEXT + b",") * 20_000, TEXT + b"]"),
    "lines": (b"", (TEXT + b"\n") * 20_000, b""),
    "array with bad ones": (b"[", (TEXT + b",7," + TEXT + b",") * 5_000, TEXT + b"]"),
}


@pytest.mark.parametrize(("start", "piece", "end"), STREAMS.values(), ids=STREAMS)
def test_memory_does_not_grow_with_the_stream(start, piece, end):
    def peak(blocks):
        tracemalloc.start()
        for _ in json_format.parse(Endless(start, piece, end, blocks)):
            pass
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    assert peak(12) < peak(3) * 1.5


JSON_TEXT = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
)


@given(st.lists(JSON_TEXT | st.just(GOOD), max_size=6), st.integers(0, 3))
def test_the_elements_of_any_array_are_counted_right(parse, values, indent):
    text = json.dumps(values, indent=indent or None, ensure_ascii=indent == 1).encode()
    items = parse(FeedFormat.json, text)
    assert len(items) == len(values)
    assert [json.loads(item.raw) for item in items] == values
