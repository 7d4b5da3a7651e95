"""Balances in: by push and inside statements, to the partitions of the account's institutions."""

import json

import pytest

from schemas.balance import BALANCES as RECORDS
from schemas.errors import Conflict, InvalidInput, MalformedBatch, Unavailable
from schemas.registry import FeedFormat
from schemas.topics import BALANCES, KIND_HEADER, TRANSACTIONS
from services.ingest.body import Body
from services.ingest.partition import partition_of
from services.ingest.statements import is_balances
from tests.ingest.formats.test_camt_balances import balance, statement

CSV = b"account,as_of,kind,balance,currency\n"
GOOD = b"8110701,2016-05-04T23:59:59+08:00,booked,-12.50,CNY\n"
ACCOUNT = {"kind": "account", "account_id": "8110701", "party_id": "P", "bank": "b", "role": "reserve"}
INSTITUTION = {
    "kind": "institution",
    "name": "支付",
    "institution_kind": "payment",
    "sector": "banking",
    "party_id": "P",
    "registered_region": "110000",
}
ENTRY = (
    '<Ntry><Amt Ccy="CNY">100.25</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>'
    "<BookgDt><Dt>2016-05-04</Dt></BookgDt><AcctSvcrRef>R1</AcctSvcrRef></Ntry>"
)


def take(world, content, feed="bank_a"):
    with Body.of(content, 1 << 30) as body:
        return world.ingest.statements.take(world.ingest.receiver.feed(feed), body)


def sent(world):
    """Partition and balances of each message, in the order appended within its partition."""
    return [
        (message.partition, RECORDS.validate_json(message.value))
        for message in world.messages(TRANSACTIONS)
        if message.headers[KIND_HEADER] == BALANCES
    ]


def test_csv(world):
    receipt = take(world, CSV + GOOD)
    assert (receipt.records, receipt.accepted, receipt.rejected) == (1, 1, 0)
    ((_, (one,)),) = sent(world)
    assert one.account_id == world.tokens.account("8110701").hex()
    assert (one.balance_minor, one.currency, one.balance_kind) == (-1250, "CNY", "booked")
    assert one.model_dump(mode="json")["as_of"] == "2016-05-04T15:59:59Z"


def test_ndjson_says_the_same(world):
    record = {
        "kind": "balance",
        "account_id": "8110701",
        "as_of": "2016-05-04T23:59:59+08:00",
        "balance_kind": "booked",
        "balance_minor": -1250,
        "currency": "CNY",
    }
    take(world, CSV + GOOD)
    take(world, json.dumps(record).encode() + b"\n\n")
    (_, first), (_, second) = sent(world)
    assert first == second


@pytest.mark.parametrize(
    ("row", "field"),
    [
        (b",2016-05-04T23:59:59+08:00,booked,1.00,CNY", "account"),
        (b"EXT_SINK,2016-05-04T23:59:59+08:00,booked,1.00,CNY", "account"),
        (b"81\x0107,2016-05-04T23:59:59+08:00,booked,1.00,CNY", "account"),
        (b"8110701,2016-02-30,booked,1.00,CNY", "as_of"),
        (b"8110701,2017-05-04,booked,1.00,CNY", "as_of"),
        (b"8110701,2016-05-04,available,1.00,CNY", "kind"),
        (b"8110701,2016-05-04,booked,1.005,CNY", "balance"),
        (b"8110701,2016-05-04,booked,--1,CNY", "balance"),
        (b"8110701,2016-05-04,booked,99999999999999999999,CNY", "balance"),
        (b"8110701,2016-05-04,booked,1,RMB", "currency"),
        (b"8110701,2016-05-04,booked,1", ""),
    ],
)
def test_a_bad_one_is_named_and_kept_and_the_others_go_on(world, row, field):
    receipt = take(world, CSV + row + b"\n" + GOOD)
    assert (receipt.records, receipt.accepted, receipt.rejected) == (2, 1, 1)
    (named,) = receipt.rejects
    assert (named.line, named.field) == (1, field)
    reject = world.rejects()[named.reject_id]
    assert (reject.feed_id, reject.raw.encode(), reject.reason) == ("bank_a", row, named.reason)
    with pytest.raises(InvalidInput):  # it is no transaction of a batch
        world.ingest.resend.resend(named.reject_id, b"{}")


@pytest.mark.parametrize(
    ("line", "field"),
    [
        (b'{"account_id": "8110701"}', "as_of"),
        (b"{nonsense}", ""),
        (
            b'{"account_id":"8110701","as_of":"2016-05-04","balance_kind":"booked",'
            b'"balance_minor":1,"currency":"RMB"}',
            "currency",
        ),
        (
            b'{"account_id":"","as_of":"2016-05-04","balance_kind":"booked",'
            b'"balance_minor":1,"currency":"CNY"}',
            "account_id",
        ),
    ],
)
def test_bad_lines_of_ndjson(world, line, field):
    (named,) = take(world, line + b"\n").rejects
    assert named.field == field


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"tx_id,ts\n", CSV[:-1] + b",extra\n"])
def test_what_is_no_file_of_balances(world, content):
    with pytest.raises(MalformedBatch):
        take(world, content)


def test_they_go_where_the_institutions_of_the_account_are(make_world):
    world = make_world(partitions=4)
    for name in ("pay-a", "pay-b"):
        world.register({**INSTITUTION, "institution_id": name}, {**ACCOUNT, "institution_id": name})
    take(world, CSV + GOOD)
    assert {place for place, _ in sent(world)} == {partition_of(one, 4) for one in ("pay-a", "pay-b")}
    take(world, CSV + b"unregistered,2016-05-04,booked,1,CNY\n")
    assert {place for place, found in sent(world) if found[0].balance_minor == 100} == {0, 1, 2, 3}


def test_sending_again_says_the_same_under_the_same_rejects(world):
    first, second = (take(world, CSV + GOOD + b"x,y,z,1,CNY\n") for _ in range(2))
    assert first == second
    assert len(world.rejects()) == 1
    (_, one), (_, other) = sent(world)
    assert one == other


def test_nothing_is_vouched_for_that_is_not_durable(world):
    world.log.failing_flushes = 1
    with pytest.raises(Unavailable):
        take(world, CSV + GOOD)
    assert take(world, CSV + GOOD).accepted == 1


def test_balances_of_a_statement_follow_its_transfers(world):
    content = statement(balance("CLBD", "7.25", "<Dt>2016-05-04</Dt>"), entries=ENTRY)
    receipt = world.push(content, format=FeedFormat.camt053)
    assert (receipt.records, receipt.accepted, receipt.balances, receipt.balances_rejected) == (1, 1, 1, 0)
    assert world.tx_ids() == ["R1"]
    kinds = [message.headers[KIND_HEADER] for message in world.messages(TRANSACTIONS)][-2:]
    assert kinds == [b"transfers", b"balances"]
    ((_, (one,)),) = sent(world)
    assert one.balance_minor == 725
    again = world.push(content, format=FeedFormat.camt053)
    assert (again.duplicate, again.balances) == (True, 1)
    assert len(sent(world)) == 1
    with pytest.raises(Conflict):
        world.push(statement(balance("CLBD", "8")), format=FeedFormat.camt053)


def test_a_statement_without_entries_gives_its_balance(world):
    receipt = world.push(statement(balance("CLBD", "7.25", "<Dt>2016-05-04</Dt>")), format=FeedFormat.camt053)
    assert (receipt.status, receipt.records, receipt.balances) == ("accepted", 0, 1)
    assert len(sent(world)) == 1


def test_a_bad_balance_is_kept_and_does_not_stop_the_statement(world):
    content = statement(balance("CLBD", "7.255", "<Dt>2016-05-04</Dt>"), entries=ENTRY)
    receipt = world.push(content, format=FeedFormat.camt053)
    assert (receipt.status, receipt.accepted, receipt.balances_rejected) == ("accepted", 1, 1)
    (reject,) = world.rejects().values()
    assert (reject.field, reject.record_number) == ("balance", 1)
    assert reject.raw.startswith("<Bal")


def test_a_rejected_statement_gives_no_balance(world):
    wrong = "<TxsSummry><TtlNtries><NbOfNtries>9</NbOfNtries></TtlNtries></TxsSummry>" + ENTRY
    content = statement(balance("CLBD", "7.25", "<Dt>2016-05-04</Dt>"), entries=wrong)
    receipt = world.push(content, format=FeedFormat.camt053)
    assert (receipt.status, receipt.balances) == ("rejected", 0)
    assert sent(world) == []


@pytest.mark.parametrize(
    ("head", "balances"),
    [
        (CSV, True),
        (b"\xef\xbb\xbfcurrency,kind,balance,as_of,account\r\n", True),
        (b'{"kind":"balance","balance_minor":1}', True),
        (b'{"tx_id":"T1","amount":"1"}', False),
        (b"tx_id,ts,src,dst,amount,currency\n", False),
        (b"<Document>", False),
    ],
)
def test_a_file_of_balances_is_told_by_its_beginning(head, balances):
    assert is_balances(head) is balances
