"""Balances of statements: real ones against plain XPath, and what is taken where several are stated."""

import io
from datetime import date, timedelta

import pytest
from lxml import etree

from schemas.registry import FeedFormat
from services.ingest.formats import format_named
from services.ingest.formats.parsed import Stated
from tests.ingest.formats.test_iso20022_samples import SAMPLES, account, found, manifest, text

CLOSING = "T23:59:59.999999+08:00"


def stated(content):
    items = format_named(FeedFormat.camt053).parse(io.BytesIO(content))
    return [item for item in items if isinstance(item, Stated)]


def expected(statement):
    """The foremost balance of each currency, by plain XPath."""
    best = {}
    for balance in found(statement, "Bal"):
        code = text(balance, "Tp/CdOrPrtry/Cd") or text(balance, "Tp/Cd")
        if code in ("CLBD", "OPBD", "PRCD") and text(balance, "Tp/SubTp/Cd") != "INTM":
            amount = found(balance, "Amt")[0]
            rank = ("CLBD", "OPBD", "PRCD").index(code)
            if amount.get("Ccy") not in best or rank < best[amount.get("Ccy")][0]:
                sign = "-" if text(balance, "CdtDbtInd") == "DBIT" else ""
                when = text(balance, "Dt/DtTm") or when_of(code, text(balance, "Dt/Dt"))
                best[amount.get("Ccy")] = (rank, sign + amount.text.strip(), when)
    return [(account(statement, "Acct"), *best[one][1:], one) for one in best]


def when_of(code, day):
    if code == "OPBD":
        day = (date.fromisoformat(day[:10]) - timedelta(days=1)).isoformat()
    return day[:10] + CLOSING


@pytest.mark.parametrize("row", manifest("camt053"))
def test_the_balances_of_real_statements(row):
    content = (SAMPLES / row["file"]).read_bytes()
    wanted = [one for each in found(etree.fromstring(content), ".//Stmt") for one in expected(each)]
    got = [(one.account, one.balance, one.as_of, one.currency) for one in stated(content)]
    assert got == [("".join(number.split()), *rest) for number, *rest in wanted]


def statement(*balances, entries=""):
    return (
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt><GrpHdr>'
        "<MsgId>M</MsgId><CreDtTm>2021-06-02T01:00:00+08:00</CreDtTm></GrpHdr><Stmt><Id>S</Id>"
        "<Acct><Id><Othr><Id>8110701</Id></Othr></Id></Acct>"
        f"{''.join(balances)}{entries}</Stmt></BkToCstmrStmt></Document>"
    ).encode()


def balance(code, amount, when="<Dt>2021-06-01</Dt>", currency="CNY", sign="CRDT", sub=""):
    page = f"<SubTp><Cd>{sub}</Cd></SubTp>" if sub else ""
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry>{page}</Tp>"
        f'<Amt Ccy="{currency}">{amount}</Amt><CdtDbtInd>{sign}</CdtDbtInd><Dt>{when}</Dt></Bal>'
    )


@pytest.mark.parametrize(
    ("balances", "said"),
    [
        ([balance("OPBD", 1), balance("CLBD", 2)], [("2", f"2021-06-01{CLOSING}")]),
        ([balance("OPBD", 1), balance("PRCD", 3)], [("1", f"2021-05-31{CLOSING}")]),
        ([balance("PRCD", 3)], [("3", f"2021-06-01{CLOSING}")]),
        ([balance("CLBD", 2, sign="DBIT")], [("-2", f"2021-06-01{CLOSING}")]),
        (
            [balance("CLBD", 2, "<DtTm>2021-06-01T20:00:00+08:00</DtTm>")],
            [("2", "2021-06-01T20:00:00+08:00")],
        ),
        ([balance("CLBD", 2, sub="INTM"), balance("CLBD", 4)], [("4", f"2021-06-01{CLOSING}")]),
        ([balance("CLAV", 2), balance("ITBD", 2), balance("FWAV", 9)], []),
        (
            [balance("CLBD", 2), balance("OPBD", 1, currency="USD")],
            [("2", f"2021-06-01{CLOSING}"), ("1", f"2021-05-31{CLOSING}")],
        ),
        ([balance("OPBD", 1, "<Dt>2021-13-01</Dt>")], [("1", f"2021-13-01{CLOSING}")]),
    ],
    ids=["closing", "opening", "previous", "debit", "instant", "page", "others", "currencies", "no date"],
)
def test_which_balance_is_taken(balances, said):
    found = stated(statement(*balances))
    assert [(one.balance, one.as_of) for one in found] == said
    assert all((one.account, one.kind) == ("8110701", "booked") for one in found)
    assert all(one.raw.startswith(b"<Bal") for one in found)
