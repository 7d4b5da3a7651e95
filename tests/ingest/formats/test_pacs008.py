from decimal import Decimal

import pytest

from schemas.errors import MalformedBatch
from schemas.registry import FeedFormat
from services.ingest.formats.parsed import Declared

IDS = "<InstrId>I1</InstrId><EndToEndId>E1</EndToEndId><TxId>X1</TxId><UETR>U1</UETR>"
TRANSFER = {
    "PmtId": IDS,
    "IntrBkSttlmAmt": "10.50",
    "IntrBkSttlmDt": "2024-05-03",
    "InstdAmt": "99",
    "Dbtr": "<Nm>Payer</Nm>",
    "DbtrAcct": "<Id><IBAN>DE89370400440532013000</IBAN></Id>",
    "DbtrAgt": "<FinInstnId><BICFI>COBADEFF</BICFI></FinInstnId>",
    "CdtrAgt": "<FinInstnId><ClrSysMmbId><MmbId>042962</MmbId></ClrSysMmbId></FinInstnId>",
    "Cdtr": "<Nm>Payee</Nm>",
    "CdtrAcct": "<Id><Othr><Id>4711</Id></Othr></Id>",
}


def message(*transfers, header="<NbOfTxs>1</NbOfTxs><CtrlSum>10.50</CtrlSum>"):
    def element(name, inside):
        currency = ' Ccy="EUR"' if name.endswith("Amt") else ""
        return f"<{name}{currency}>{inside}</{name}>"

    bodies = ("".join(element(*item) for item in transfer.items()) for transfer in transfers)
    content = "".join(f"<CdtTrfTxInf>{body}</CdtTrfTxInf>" for body in bodies)
    group = f"<GrpHdr><MsgId>M</MsgId><CreDtTm>2024-05-01T00:00:00Z</CreDtTm>{header}</GrpHdr>"
    namespace = "urn:iso:std:iso:20022:tech:xsd:pacs.008.001.08"
    body = f"<FIToFICstmrCdtTrf>{group}{content}</FIToFICstmrCdtTrf>"
    return f'<Document xmlns="{namespace}">{body}</Document>'.encode()


@pytest.fixture
def one(parse):
    def transaction(header="", **changes):
        transfer = {name: text for name, text in (TRANSFER | changes).items() if text}
        _, item = parse(FeedFormat.pacs008, message(transfer, header=header))
        return item.value

    return transaction


def test_a_transfer(one):
    sent = one()
    assert (sent.tx_id, sent.instruction, sent.ts) == ("X1", "E1", "2024-05-03")
    assert (sent.src, sent.dst) == ("DE89370400440532013000", "4711")
    assert (sent.src_bank, sent.dst_bank) == ("COBADEFF", "042962")
    assert (sent.amount, sent.currency) == ("10.50", "EUR")


def test_declared_totals_come_first(parse):
    declared, _ = parse(FeedFormat.pacs008, message(TRANSFER))
    assert declared == Declared(1, Decimal("10.50"))
    declared, _ = parse(FeedFormat.pacs008, message(TRANSFER, header=""))
    assert declared == Declared(None, None)


@pytest.mark.parametrize(
    "header", ["<NbOfTxs>one</NbOfTxs>", "<CtrlSum>-1</CtrlSum>", "<NbOfTxs>1.5</NbOfTxs>"]
)
def test_totals_that_are_no_numbers_are_malformed(header, parse):
    with pytest.raises(MalformedBatch, match=r"NbOfTxs|CtrlSum"):
        parse(FeedFormat.pacs008, message(TRANSFER, header=header))


@pytest.mark.parametrize(
    ("ids", "tx_id"),
    [
        (IDS.replace("<TxId>X1</TxId>", ""), "U1"),
        ("<InstrId>I1</InstrId>", "I1"),
        ("<EndToEndId>E1</EndToEndId>", "M/1"),
        ("", "M/1"),
    ],
)
def test_tx_id(ids, tx_id, one):
    assert one(PmtId=ids).tx_id == tx_id


def test_parties_without_accounts_are_known_by_name(one):
    sent = one(DbtrAcct="", CdtrAcct="")
    assert (sent.src, sent.dst) == ("name:payer", "name:payee")


def test_a_transfer_that_names_nobody_is_a_bad_record(ingest):
    outcome = ingest(
        FeedFormat.pacs008, message({"PmtId": IDS, "IntrBkSttlmAmt": "1", "IntrBkSttlmDt": "2024-05-03"})
    )
    assert [(bad.field, bad.tx_id) for bad in outcome.bad] == [("dst", "X1")]


@pytest.mark.parametrize(
    ("changes", "ts"),
    [
        ({"SttlmTmIndctn": "<DbtDtTm>2024-05-03T10:11:12Z</DbtDtTm>"}, "2024-05-03T10:11:12Z"),
        ({"IntrBkSttlmDt": "", "header": "<IntrBkSttlmDt>2024-05-02</IntrBkSttlmDt>"}, "2024-05-02"),
        ({"IntrBkSttlmDt": ""}, "2024-05-01T00:00:00Z"),
    ],
)
def test_ts(changes, ts, one):
    assert one(**changes).ts == ts


def test_the_same_id_twice_in_one_message_is_a_bad_record(ingest):
    outcome = ingest(FeedFormat.pacs008, message(TRANSFER, TRANSFER))
    assert [(bad.number, bad.field) for bad in outcome.bad] == [(2, "tx_id")]


def test_purpose_and_channel(one):
    kind = (
        "<SvcLvl><Cd>SEPA</Cd></SvcLvl><LclInstrm><Cd>INST</Cd></LclInstrm><CtgyPurp><Cd>SALA</Cd></CtgyPurp>"
    )
    sent = one(PmtTpInf=kind)
    assert (sent.channel, sent.purpose) == ("INST", "salary")
    assert one(PmtTpInf=kind, Purp="<Cd>TAXS</Cd>").purpose == "tax"
