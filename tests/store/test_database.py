"""The contract of store.database.Database, held to by chDB and by a real ClickHouse server."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.errors import InvalidInput, Unavailable
from store.database import Columns, Database

INT64 = (-(2**63), -1, 0, 1, 2**63 - 1)
TEXTS = {
    "chinese": "穿透式监管：从钱的来源到去向",
    "astral": "𠮷 🏦",
    "quotes": 'it\'s "quoted" `so`',
    "backslashes": "\\ \\' \\\\ \\n",
    "controls": "line\none\r\n\ttab \b\f\v\a",
    "nul": "before\0after",
    "percent": "100 % %s %(tx_id)s %%",
    "injection": "'; DROP TABLE transactions; --",
    "comment": "/* */ -- #",
    "format": "{tx_id:String} $1 ?",
    "blank": " ",
    "empty": "",
}


def transfers(count: int, **given: Any) -> dict[str, Any]:
    """Columns of `transactions`, every value of a column alike but for `given` ones."""
    free = ("currency", "product", "channel", "src_bank", "dst_bank", "instruction", "reversal_of")
    text = dict.fromkeys((*free, "feed_id", "batch_id"), "x")
    plain = {"src": "a" * 32, "dst": "b" * 32, "amount_minor": 1, "purpose": 2, "appended_us": 7}
    columns: dict[str, Any] = {name: [value] * count for name, value in (plain | text).items()}
    columns["tx_id"] = [f"T{number}" for number in range(count)]
    columns["ts_us"] = [1_462_353_000_000_000 + number for number in range(count)]
    return columns | given


def one_row(table: str, columns: Columns, database: Database, key: str) -> dict[str, Any]:
    names = list(columns)
    rows = database.query(
        f"SELECT {', '.join(names)} FROM {table} FINAL WHERE {key} = %(key)s", {"key": columns[key][0]}
    )
    assert len(rows) == 1
    return dict(zip(names, rows[0], strict=True))


ROWS: dict[str, tuple[str, dict[str, Any]]] = {
    "alerts": (
        "alert_id",
        {
            "version": 3,
            "typology": "pooling",
            "subject_kind": "account",
            "subject_id": "f" * 32,
            "institution_id": "",
            "sector": "cbirc",
            "regions": ["CN-11", "CN-31", "it's"],
            "accounts": [],
            "episode_us": 0,
            "first_us": 1,
            "last_us": 253_402_300_799_999_999,
            "detected_us": 2,
            "amount_minor": 2**63 - 1,
            "currency": "CNY",
            "confidence": 100,
            "severity": "critical",
            "severity_points": 255,
            "rule_version": "1",
            "body": '{"zh": "资金池", "en": "a \\"pool\\"\\n"}',
            "appended_us": 2**63 - 1,
        },
    ),
    "risk_scores": (
        "institution_id",
        {
            "at_us": 5,
            "sector": "",
            "regions": ["CN-11"],
            "score": 61,
            "risk_class": "rectify",
            "body": "{}",
            "appended_us": 1,
        },
    ),
    "receipts": (
        "batch_id",
        {
            "feed_id": "bank-a",
            "sequence": -1,
            "format": "camt054",
            "status": "partial",
            "received_us": 9,
            "records": 10,
            "accepted": 9,
            "rejected": 1,
            "first_us": 0,
            "last_us": 0,
            "gap_before": 2,
            "body": "{}",
            "appended_us": 1,
        },
    ),
    "rejects": (
        "reject_id",
        {
            "feed_id": "bank-a",
            "batch_id": "0" * 32,
            "record_number": 7,
            "tx_id": "",
            "field": "amount",
            "reason": "'-1' is not an unsigned decimal",
            "received_us": 9,
            "status": "open",
            "resent_as": "",
            "body": '{"raw": "a,\\"b\\""}',
            "appended_us": 1,
        },
    ),
    "registry": (
        "key",
        {
            "kind": "institution",
            "valid_from_us": 0,
            "valid_to_us": 253_402_300_799_999_999,
            "institution_id": "p2p-1",
            "party_id": "C-1",
            "to_party_id": "",
            "account_id": "",
            "product_id": "",
            "role": "",
            "name": "某某金服",
            "sector": "cbirc",
            "regions": ["CN-11", "CN-44"],
            "body": "{}",
            "appended_us": 1,
        },
    ),
    "balances": (
        "account",
        {
            "balance_kind": "booked",
            "currency": "CNY",
            "as_of_us": 1_700_000_000_000_000,
            "balance_minor": -(2**63),
            "feed_id": "bank_a",
            "appended_us": 1,
        },
    ),
    "unreadable_messages": (
        "topic",
        {
            "log_partition": 3,
            "log_offset": 2**63 - 1,
            "reason": "not JSON",
            "key_base64": "",
            "value_base64": "AP8=",
            "appended_us": 1,
        },
    ),
}


@pytest.mark.parametrize("table", ROWS)
def test_a_row_of_each_table_comes_back_as_it_was(database: Database, table: str) -> None:
    key, rest = ROWS[table]
    row = {key: "round-trip"} | rest
    columns = {name: [value] for name, value in row.items()}
    database.insert(table, columns)
    found = one_row(table, columns, database, key)
    assert found == row
    assert {name: type(value) for name, value in found.items()} == {n: type(v) for n, v in row.items()}


def test_the_round_trip_names_every_column_of_every_table(database: Database) -> None:
    found = database.query("SELECT table, name FROM system.columns WHERE database = currentDatabase()")
    named = {(table, name) for table, (key, rest) in ROWS.items() for name in (key, *rest)}
    assert named <= set(found)
    assert {table for table, _ in set(found) - named} == {
        *("transactions", "transactions_by_dst", "transactions_to_by_dst"),  # below
        *("alert_versions", "alerts_to_alert_versions", "schema_migrations"),  # other cases
    }
    transfer = {name for table, name in found if table == "transactions"}
    assert transfer == set(transfers(0)) == {name for table, name in found if table == "transactions_by_dst"}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_text_survives_as_a_value_and_as_a_parameter(database: Database, text: str) -> None:
    columns = transfers(1, feed_id=["texts"], tx_id=[text], instruction=[text])
    database.insert("transactions", columns)
    question = (
        "SELECT tx_id, instruction FROM transactions FINAL WHERE feed_id = 'texts' AND tx_id = %(text)s"
    )
    assert database.query(question, {"text": text}) == [(text, text)]
    assert database.query("SELECT %(text)s AS text, length(%(text)s) AS bytes", {"text": text}) == [
        (text, len(text.encode()))
    ]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.text(st.characters(exclude_categories=["Cs"])),
    number=st.integers(-(2**63), 2**63 - 1),
    texts=st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=4),
)
def test_any_parameter_is_a_value_and_never_sql(
    database: Database, text: str, number: int, texts: list[str]
) -> None:
    question = "SELECT %(text)s AS a, toInt64(%(number)s) AS b, %(texts)s AS c, %(text)s IN %(many)s AS d"
    parameters = {"text": text, "number": number, "texts": texts, "many": tuple(texts)}
    assert database.query(question, parameters) == [(text, number, texts, int(text in texts))]


@pytest.mark.parametrize(
    "value",
    [b"bytes", None, True, {"a": 1}, {"a"}, object(), (), ["ok", b"x"], "\ud800"],
    ids=["bytes", "none", "bool", "dict", "set", "object", "no-values", "nested", "surrogate"],
)
def test_what_cannot_be_a_parameter_is_refused(database: Database, value: Any) -> None:
    with pytest.raises(InvalidInput, match="parameter value"):
        database.query("SELECT %(value)s", {"value": value})


def test_a_parameter_that_is_not_given_is_named(database: Database) -> None:
    with pytest.raises(InvalidInput, match="other"):
        database.query("SELECT %(other)s", {"value": 1})


def test_a_literal_percent(database: Database) -> None:
    assert database.query("SELECT '100 %'") == [("100 %",)]
    assert database.query("SELECT 'bc' LIKE 'b%%' AND %(one)s = 1", {"one": 1}) == [(1,)]


@pytest.mark.parametrize("amount", INT64)
def test_int64_extremes(database: Database, amount: int) -> None:
    columns = transfers(1, feed_id=["extremes"], tx_id=[str(amount)], amount_minor=[amount], ts_us=[amount])
    database.insert("transactions", columns)
    for table in ("transactions", "transactions_by_dst"):
        question = (
            f"SELECT amount_minor, ts_us FROM {table} FINAL WHERE feed_id = 'extremes' AND ts_us = %(us)s"
        )
        assert database.query(question, {"us": amount}) == [(amount, amount)]


def test_python_types_of_a_query(database: Database) -> None:
    question = (
        "SELECT toUInt8(1) AS a, toInt8(-1) AS b, toUInt64(18446744073709551615) AS c, 'x' AS d, 0.5 AS e,"
        " 1 = 1 AS f, ['a', 'b'] AS g, count() AS h, sum(toInt64(-3)) AS i, avg(toInt64(1)) AS j,"
        " CAST(NULL AS Nullable(String)) AS k, emptyArrayString() AS l, groupArray('z') AS m"
    )
    (row,) = database.query(question)
    assert row == (1, -1, 2**64 - 1, "x", 0.5, 1, ["a", "b"], 1, -3, 1.0, None, [], ["z"])
    assert [type(value) for value in row] == [
        *(int, int, int, str, float, int, list, int, int, float, type(None), list, list)
    ]


def test_no_rows_is_an_empty_list(database: Database) -> None:
    assert database.query("SELECT tx_id, ts_us FROM transactions WHERE feed_id = 'nobody'") == []


def test_inserting_nothing_is_nothing(database: Database) -> None:
    database.insert("transactions", transfers(0, feed_id=[]))
    database.insert("alerts", {"alert_id": [], "regions": []})


@pytest.mark.parametrize("table", ["transactions", "transactions_by_dst"])
def test_inserting_again_changes_nothing(database: Database, table: str) -> None:
    columns = transfers(500, feed_id=["again"] * 500)
    for _ in range(3):
        database.insert("transactions", columns)
    question = f"SELECT count(), sum(amount_minor) FROM {table} FINAL WHERE feed_id = 'again'"
    assert database.query(question) == [(500, 500)]
    database.execute(f"OPTIMIZE TABLE {table} FINAL")
    assert database.query(question.replace("FINAL ", "")) == [(500, 500)]


def test_a_later_version_wins_in_whatever_order_it_comes(database: Database) -> None:
    _, rest = ROWS["alerts"]
    for version in (2, 5, 1, 3):
        row = rest | {"alert_id": "versions", "version": version, "body": f"v{version}", "severity": "low"}
        database.insert("alerts", {name: [value] for name, value in row.items()})
    question = "SELECT version, body FROM alerts FINAL WHERE alert_id = 'versions' AND severity = 'low'"
    assert database.query(question) == [(5, "v5")]
    assert database.query(question + " AND version = 2") == []


def test_a_row_appended_later_wins_when_the_log_is_read_again(database: Database) -> None:
    _, rest = ROWS["rejects"]
    opened = rest | {"reject_id": "r1", "appended_us": 10}
    resent = opened | {"status": "resent", "resent_as": "T9", "appended_us": 20}
    for row in (opened, resent, opened):
        database.insert("rejects", {name: [value] for name, value in row.items()})
    question = "SELECT status, resent_as FROM rejects FINAL WHERE reject_id = 'r1'"
    assert database.query(question) == [("resent", "T9")]


def test_arrow_arrays_and_lists_are_the_same(database: Database) -> None:
    lists = transfers(3, feed_id=["arrow"] * 3)
    arrays = {name: pa.array(values) for name, values in lists.items()}
    database.insert("transactions", arrays)
    names = ", ".join(lists)
    rows = database.query(f"SELECT {names} FROM transactions FINAL WHERE feed_id = 'arrow' ORDER BY ts_us")
    assert rows == list(zip(*lists.values(), strict=True))


REFUSED: dict[str, tuple[str, dict[str, Any]]] = {
    "no such table": ("nothing; DROP TABLE alerts", {"a": [1]}),
    "no such column": ("alerts", {"alert_id": ["x"], "colour": ["red"]}),
    "sql as a column": ("alerts", {"alert_id) VALUES ('x'); --": ["x"]}),
    "lengths differ": ("alerts", {"alert_id": ["x", "y"], "version": [1]}),
    "too large": ("alerts", {"alert_id": ["x"], "confidence": [256]}),
    "negative": ("alerts", {"alert_id": ["x"], "version": [-1]}),
    "past int64": ("alerts", {"alert_id": ["x"], "amount_minor": [2**63]}),
    "a fraction": ("alerts", {"alert_id": ["x"], "amount_minor": [1.5]}),
    "number for text": ("alerts", {"alert_id": [1]}),
    "text for number": ("alerts", {"alert_id": ["x"], "version": ["1"]}),
    "none": ("alerts", {"alert_id": [None]}),
    "none in a list": ("alerts", {"alert_id": ["x"], "regions": [[None]]}),
    "surrogate": ("alerts", {"alert_id": ["\ud800"]}),
    "arrow too large": ("alerts", {"alert_id": ["x"], "confidence": pa.array([300])}),
}


@pytest.mark.parametrize(("table", "columns"), REFUSED.values(), ids=REFUSED)
def test_what_a_table_cannot_hold_is_refused_whole(
    database: Database, table: str, columns: dict[str, Any]
) -> None:
    before = database.query("SELECT count() FROM alerts")
    with pytest.raises(InvalidInput):
        database.insert(table, columns)
    assert database.query("SELECT count() FROM alerts") == before


def test_a_big_batch_over_centuries(database: Database) -> None:
    """More partitions in one block than a server's default bound of 100."""
    count = 65_536
    month_us = 30 * 86_400 * 1_000_000
    times = [(number % 150) * month_us for number in range(count)]
    database.insert("transactions", transfers(count, feed_id=["big"] * count, ts_us=times))
    question = "SELECT count(), uniqExact(tx_id), max(ts_us) FROM {} WHERE feed_id = 'big'"
    for table in ("transactions", "transactions_by_dst"):
        assert database.query(question.format(table)) == [(count, count, 149 * month_us)]


def test_threads_read_and_write_at_once(database: Database) -> None:
    def work(number: int) -> list[tuple[Any, ...]]:
        feed = f"thread-{number}"
        database.insert("transactions", transfers(10, feed_id=[feed] * 10))
        question = "SELECT %(feed)s AS feed, count() FROM transactions FINAL WHERE feed_id = %(feed)s"
        return database.query(question, {"feed": feed})

    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(work, range(60)))
    assert answers == [[(f"thread-{number}", 10)] for number in range(60)]


@pytest.mark.parametrize("statement", ["SELEC 1", "SELECT * FROM nothing", "DROP TABLE nothing"])
def test_a_statement_the_store_refuses(database: Database, statement: str) -> None:
    with pytest.raises(Unavailable) as refused:
        database.execute(statement)
    assert "Stack trace" not in str(refused.value)
    database.ping()
