"""Real messages against a count taken by plain XPath, which shares nothing with the reader."""

import csv
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest
from lxml import etree

from schemas.errors import MalformedBatch
from schemas.registry import FeedFormat
from services.ingest.formats.parsed import Parsed

SAMPLES = Path(__file__).parents[4] / "shared/data/iso20022"
READ = ("camt053", "camt054", "pacs008")


def manifest(*folders):
    """The manifest's rows of some folders; one skipped case where the data is not there."""
    if not SAMPLES.is_dir():
        absent = pytest.mark.skip(reason="the shared data set iso20022 is not beside the repository")
        return [pytest.param(None, marks=absent)]
    with (SAMPLES / "MANIFEST.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["file"].split("/")[0] in folders]
    return [pytest.param(row, id=row["file"]) for row in rows]


def found(node, path):
    """Nodes by a path of local names, each step one level down; ".//" in front for any depth."""
    steps = [f"*[local-name()='{step}']" for step in path.removeprefix(".//").split("/")]
    return node.xpath((".//" if path.startswith(".//") else "./") + "/".join(steps))


def text(node, path):
    nodes = found(node, path)
    return (nodes[0].text or "").strip() if nodes else ""


def money(node, path):
    nodes = found(node, path)
    return (nodes[0].get("Ccy"), Decimal(nodes[0].text)) if nodes else None


def account(node, path):
    return text(node, f"{path}/Id/IBAN") or text(node, f"{path}/Id/Othr/Id")


def amount_of_detail(detail, entry):
    currency = money(entry, "Amt")[0]
    behind = [money(detail, "AmtDtls/TxAmt/Amt"), money(detail, "AmtDtls/CntrValAmt/Amt")]
    return money(detail, "Amt") or next((m for m in behind if m and m[0] == currency), None)


def credited(detail, entry, own):
    debtor, creditor = (account(detail, f"RltdPties/{side}Acct") == own for side in ("Dbtr", "Cdtr"))
    if debtor != creditor and text(entry, "RvslInd") != "true":
        return creditor
    return (text(detail, "CdtDbtInd") or text(entry, "CdtDbtInd")) == "CRDT"


def bookings(document):
    """(account, credit?, currency, amount) of every booking of a camt message."""
    for report in found(document, ".//Stmt") + found(document, ".//Ntfctn"):
        own = account(report, "Acct")
        for entry in found(report, "Ntry"):
            details = found(entry, "NtryDtls/TxDtls")
            divided = [d for d in details if amount_of_detail(d, entry)]
            for detail in divided:
                yield own, credited(detail, entry, own), *amount_of_detail(detail, entry)
            if len(divided) < len(details) or not details:
                currency, whole = money(entry, "Amt")
                rest = whole - sum((amount_of_detail(d, entry)[1] for d in divided), Decimal(0))
                yield own, text(entry, "CdtDbtInd") == "CRDT", currency, rest


def totals(rows):
    """Sum of the amounts by currency."""
    sums = Counter()
    for *_, currency, amount in rows:
        sums[currency] += amount
    return sums


@pytest.mark.parametrize("row", manifest("camt053", "camt054"))
def test_bookings_of_statements_and_notifications(row, parse):
    content = (SAMPLES / row["file"]).read_bytes()
    document = etree.fromstring(content)
    assert len(found(document, ".//Ntry")) == int(row["entries"])
    assert len(found(document, ".//TxDtls")) == int(row["transactions"])
    items = parse(FeedFormat(row["file"].split("/")[0]), content)
    sent = [item.value for item in items if isinstance(item, Parsed)]
    expected = list(bookings(document))
    accounts = {own for own, *_ in expected}
    assert len(accounts) == 1 or len(found(document, ".//Acct")) > 1
    read = [(t.dst in accounts, t.currency, Decimal(t.amount)) for t in sent]
    assert read == [(credit, currency, amount) for _, credit, currency, amount in expected]
    assert totals(read) == totals(expected)
    assert set(totals(read)) <= set(row["currencies"].split(";"))
    for transaction, (own, credit, *_) in zip(sent, expected, strict=True):
        assert (transaction.dst if credit else transaction.src) == own


@pytest.mark.parametrize("row", manifest("pacs008"))
def test_transfers_between_banks(row, parse):
    content = (SAMPLES / row["file"]).read_bytes()
    transfers = found(etree.fromstring(content), ".//CdtTrfTxInf")
    declared, *items = parse(FeedFormat.pacs008, content)
    assert len(transfers) == int(row["transactions"]) == len(items) == declared.count
    for item, transfer in zip(items, transfers, strict=True):
        sent = item.value
        assert (sent.currency, Decimal(sent.amount)) == money(transfer, "IntrBkSttlmAmt")
        assert sent.currency in row["currencies"].split(";")
        for side, number in (("Dbtr", sent.src), ("Cdtr", sent.dst)):
            assert number == (
                account(transfer, f"{side}Acct") or f"name:{text(transfer, f'{side}/Nm').lower()}"
            )
        assert sent.ts == text(transfer, "IntrBkSttlmDt")


@pytest.mark.parametrize("row", manifest(*READ))
def test_every_sample_goes_all_the_way(row, ingest):
    content = (SAMPLES / row["file"]).read_bytes()
    name = FeedFormat(row["file"].split("/")[0])
    outcome = ingest(name, content)
    assert outcome.bad == []
    assert outcome.table.num_rows == outcome.records > 0
    assert len(set(outcome.table.column("tx_id").to_pylist())) == outcome.records
    assert ingest(name, content, read_size=97).table.equals(outcome.table)


@pytest.mark.parametrize("row", manifest("camt053"))
def test_summaries_agree_with_the_entries_of_their_statements(row, ingest):
    content = (SAMPLES / row["file"]).read_bytes()
    outcome = ingest(FeedFormat.camt053, content)
    summaries = found(etree.fromstring(content), ".//TxsSummry")
    assert len(outcome.declared) == min(len(summaries), 1)
    for declared in outcome.declared:
        assert (declared.count, declared.sum) == (outcome.records, outcome.total)


@pytest.mark.parametrize("row", manifest("other"))
@pytest.mark.parametrize("name", READ)
def test_other_messages_are_refused_by_name(row, name, parse):
    with pytest.raises(MalformedBatch) as refusal:
        parse(FeedFormat(name), (SAMPLES / row["file"]).read_bytes())
    assert row["message"] in str(refusal.value)
    assert "read are camt.053, camt.054, pacs.008" in str(refusal.value)


@pytest.mark.parametrize("row", manifest(*READ))
def test_a_message_under_another_formats_name_is_refused(row, parse):
    sent_as = next(name for name in READ if name != row["file"].split("/")[0])
    with pytest.raises(MalformedBatch, match=f"the message is {row['message']}"):
        parse(FeedFormat(sent_as), (SAMPLES / row["file"]).read_bytes())
