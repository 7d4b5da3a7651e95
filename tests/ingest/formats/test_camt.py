from decimal import Decimal

import pytest

from schemas.errors import InvalidRecord, MalformedBatch
from schemas.registry import FeedFormat
from services.ingest.formats.parsed import Declared

OWN, OTHER = "DE89370400440532013000", "CH5604835012345678009"
ACCT = (
    f"<Acct><Id><IBAN>{OWN}</IBAN></Id><Ownr><Nm>Own Ltd</Nm></Ownr>"
    "<Svcr><FinInstnId><BIC>COBADEFF</BIC></FinInstnId></Svcr></Acct>"
)
SUMMARY = "<TxsSummry><TtlNtries><NbOfNtries>{}</NbOfNtries><Sum>{}</Sum></TtlNtries></TxsSummry>"


def statement(
    *parts, acct=ACCT, header="<GrpHdr><MsgId>M</MsgId><CreDtTm>2024-05-01T00:00:00Z</CreDtTm></GrpHdr>"
):
    body = f"{header}<Stmt><Id>S</Id><CreDtTm>2024-05-02T00:00:00Z</CreDtTm>{acct}{''.join(parts)}</Stmt>"
    namespace = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"
    return f'<Document xmlns="{namespace}"><BkToCstmrStmt>{body}</BkToCstmrStmt></Document>'.encode()


def entry(*details, amount="100.00", side="CRDT", extra="", status="<Cd>BOOK</Cd>", booked="2024-05-03"):
    dated = f"<BookgDt><Dt>{booked}</Dt></BookgDt>" if booked else ""
    dtls = f"<NtryDtls>{''.join(details)}</NtryDtls>" if details else ""
    head = f'<Amt Ccy="EUR">{amount}</Amt><CdtDbtInd>{side}</CdtDbtInd>'
    return f"<Ntry>{head}{extra}<Sts>{status}</Sts>{dated}{dtls}</Ntry>"


def detail(amount="", side="", refs="", parties="", extra="", currency="EUR"):
    amt = f'<Amt Ccy="{currency}">{amount}</Amt>' if amount else ""
    ind = f"<CdtDbtInd>{side}</CdtDbtInd>" if side else ""
    return f"<TxDtls><Refs>{refs}</Refs>{amt}{ind}{extra}<RltdPties>{parties}</RltdPties></TxDtls>"


def party(side, name="", iban=""):
    named = f"<{side}><Pty><Nm>{name}</Nm></Pty></{side}>" if name else ""
    return named + (f"<{side}Acct><Id><IBAN>{iban}</IBAN></Id></{side}Acct>" if iban else "")


@pytest.fixture
def read(parse):
    def records(*parts, **options):
        items = parse(FeedFormat.camt053, statement(*parts, **options))
        return [item for item in items if not isinstance(item, Declared)]

    return records


@pytest.fixture
def one(read):
    """The only transaction of one entry."""

    def transaction(*parts, **options):
        (item,) = read(*parts, **options)
        return item.value

    return transaction


REF = "<AcctSvcrRef>A1</AcctSvcrRef>"


@pytest.mark.parametrize(("side", "ends"), [("CRDT", ("", OWN)), ("DBIT", (OWN, ""))])
def test_an_entry_without_details_is_one_transfer_with_the_outside(side, ends, one):
    sent = one(entry(side=side, extra=REF))
    assert ((sent.src, sent.dst), sent.amount, sent.currency) == (ends, "100.00", "EUR")
    assert (sent.tx_id, sent.ts) == ("A1", "2024-05-03")


def test_a_batch_booked_entry_without_details_is_one_transfer(one):
    batch = "<Btch><NbOfTxs>12</NbOfTxs></Btch>"
    assert one(entry(batch, amount="1200")).amount == "1200"


def test_each_detail_with_an_amount_is_a_transfer(read):
    items = read(entry(detail("60"), detail("30"), detail("10"), extra=REF))
    assert [(item.number, item.value.tx_id, item.value.amount) for item in items] == [
        (1, "A1", "60"),
        (2, "A1.2", "30"),
        (3, "A1.3", "10"),
    ]


def test_details_in_several_groups_are_all_read(read):
    content = entry(detail("60") + "</NtryDtls><NtryDtls>" + detail("40"))
    assert [item.value.amount for item in read(content)] == ["60", "40"]


def behind(name, amount, currency):
    return f'<AmtDtls><{name}><Amt Ccy="{currency}">{amount}</Amt></{name}></AmtDtls>'


@pytest.mark.parametrize(
    ("given", "amount"),
    [
        (detail("60"), "60"),
        (detail("60", extra=behind("TxAmt", "55", "EUR")), "60"),
        (detail(extra=behind("TxAmt", "55", "EUR")), "55"),
        (detail(extra=behind("TxAmt", "55", "USD")), "100.00"),
        (detail(extra=behind("CntrValAmt", "54", "EUR")), "54"),
        (detail(extra=behind("InstdAmt", "53", "EUR")), "100.00"),
        (detail(), "100.00"),
    ],
)
def test_the_amount_is_the_details_own_where_it_has_one_in_the_accounts_currency(given, amount, one):
    sent = one(entry(given))
    assert (sent.amount, sent.currency) == (amount, "EUR")


def test_details_without_amounts_are_together_what_the_entry_has_beyond_the_others(read):
    whose = [party("Dbtr", "A"), party("Dbtr", "B")]
    items = read(entry(detail("60"), detail(parties=whose[0]), detail(parties=whose[1]), extra=REF))
    assert [(i.value.amount, i.value.src) for i in items] == [("60", ""), ("40.00", "")]
    items = read(entry(detail(parties=whose[0]), detail(parties=whose[0])))
    assert [(i.value.amount, i.value.src) for i in items] == [("100.00", "name:a")]


@pytest.mark.parametrize(
    ("details", "reason"),
    [
        ([detail("100.00"), detail()], "zero"),
        ([detail("100.01"), detail()], "not an unsigned decimal"),
        ([detail("60", currency="USD"), detail()], "not an unsigned decimal"),
    ],
)
def test_a_rest_that_cannot_be_is_a_bad_record(details, reason, ingest):
    outcome = ingest(FeedFormat.camt053, statement(entry(*details, extra=REF)))
    assert [(bad.number, bad.field) for bad in outcome.bad] == [(2, "amount")]
    assert reason in outcome.bad[0].reason


def test_opposite_details_are_netted(read):
    items = read(entry(detail("150", "CRDT"), detail("80", "DBIT"), detail()))
    assert [(i.value.amount, i.value.dst == OWN) for i in items] == [
        ("150", True),
        ("80", False),
        ("30.00", True),
    ]


@pytest.mark.parametrize(
    ("entry_side", "detail_side", "parties", "credit"),
    [
        ("CRDT", "", "", True),
        ("DBIT", "", "", False),
        ("CRDT", "DBIT", "", False),
        ("DBIT", "CRDT", "", True),
        ("DBIT", "CRDT", party("Dbtr", iban=OWN) + party("Cdtr", iban=OTHER), False),
        ("CRDT", "", party("Dbtr", iban=OWN) + party("Cdtr", iban=OTHER), False),
        ("DBIT", "", party("Cdtr", iban=OWN), True),
        ("DBIT", "", party("Dbtr", iban=OWN) + party("Cdtr", iban=OWN), False),
    ],
)
def test_direction(entry_side, detail_side, parties, credit, one):
    sent = one(entry(detail("100", detail_side, parties=parties), side=entry_side))
    assert (sent.dst if credit else sent.src) == OWN


@pytest.mark.parametrize(
    ("side", "parties", "counterparty"),
    [
        ("CRDT", party("Dbtr", "Anna  Ärmel", OTHER) + party("Cdtr", "Own Ltd", OWN), OTHER),
        ("DBIT", party("Cdtr", iban="ch56 0483 5012 3456 7800 9"), OTHER),
        ("DBIT", "<CdtrAcct><Id><Othr><Id> 4711 </Id></Othr></Id></CdtrAcct>", "4711"),
        ("CRDT", party("Dbtr", "Anna \n Ärmel"), "name:anna ärmel"),
        ("CRDT", "<Dbtr><Nm>" + "x" * 140 + "</Nm></Dbtr>", "name:" + "x" * 123),
        ("CRDT", "<Dbtr><Agt><FinInstnId><Nm>Bank</Nm></FinInstnId></Agt></Dbtr>", "name:bank"),
        ("CRDT", party("Cdtr", "Somebody else"), ""),
        ("CRDT", "", ""),
    ],
)
def test_counterparty(side, parties, counterparty, one):
    sent = one(entry(detail("1", parties=parties), side=side))
    assert (sent.src if side == "CRDT" else sent.dst) == counterparty


REVERSED = "<RvslInd>true</RvslInd>"


@pytest.mark.parametrize(
    ("side", "parties", "ends"),
    [
        ("CRDT", "", ("", OWN)),
        ("DBIT", "", (OWN, "")),
        ("CRDT", party("Dbtr", iban=OTHER), (OTHER, OWN)),
        ("CRDT", party("Dbtr", iban=OWN) + party("Cdtr", iban=OTHER), (OTHER, OWN)),
        ("CRDT", party("Dbtr", "Own Ltd") + party("Cdtr", "Shop"), ("name:shop", OWN)),
        ("DBIT", party("Dbtr", iban=OTHER) + party("Cdtr", iban=OWN), (OWN, OTHER)),
    ],
)
def test_a_reversal_is_booked_as_its_indicator_says_and_is_marked(side, parties, ends, one):
    sent = one(entry(detail("100", parties=parties), side=side, extra=REVERSED))
    assert (sent.src, sent.dst) == ends
    assert sent.purpose == "refund"


def test_a_reversal_names_what_it_undoes_where_the_message_does(one):
    refs = "<AcctSvcrRef>A9</AcctSvcrRef><EndToEndId>E1</EndToEndId>"
    assert one(entry(detail("1", refs=refs + "<TxId>X1</TxId>"), extra=REVERSED)).reversal_of == "X1"
    assert one(entry(detail("1", refs=refs), extra=REVERSED)).reversal_of == "E1"
    assert one(entry(detail("1", refs="<TxId>A9</TxId>"), extra=REVERSED)).reversal_of == ""
    assert one(entry(detail("1", refs=refs))).reversal_of == ""


@pytest.mark.parametrize("status", ["<Cd>PDNG</Cd>", "PDNG", "INFO", "<Cd>FUTR</Cd>", ""])
def test_what_is_not_booked_is_rejected_not_dropped(status, read):
    first, second = read(entry(status=status, extra=REF), entry(status="BOOK"))
    assert isinstance(first.value, InvalidRecord)
    assert (first.value.field, first.tx_id, first.amount) == ("Sts", "A1", Decimal("100.00"))
    assert second.number == 2


@pytest.mark.parametrize(
    ("parts", "options", "field"),
    [
        ([entry(side="")], {}, "CdtDbtInd"),
        ([entry(side="BOTH")], {}, "CdtDbtInd"),
        ([entry()], {"acct": ""}, "Acct/Id"),
        ([entry(amount="")], {}, "amount"),
        ([entry(amount="-1")], {}, "amount"),
        ([entry(booked="x")], {}, "ts"),
        ([entry(extra="<AcctSvcrRef>" + "x" * 129 + "</AcctSvcrRef>")], {}, "tx_id"),
    ],
)
def test_what_is_wrong_is_named(parts, options, field, ingest):
    outcome = ingest(FeedFormat.camt053, statement(*parts, **options))
    assert [bad.field for bad in outcome.bad] == [field]


@pytest.mark.parametrize(
    ("refs", "extra", "tx_id"),
    [
        ("<AcctSvcrRef>B1</AcctSvcrRef><TxId>X1</TxId>", REF, "B1"),
        ("<AcctSvcrRef>A1</AcctSvcrRef><TxId>X1</TxId>", REF, "A1"),
        ("<TxId>X1</TxId><UETR>U1</UETR>", "", "X1"),
        ("<UETR>U1</UETR>", REF, "A1"),
        ("<UETR>U1</UETR>", "", "U1"),
        ("<EndToEndId>E1</EndToEndId>", "", "M/S/1.1"),
        ("<AcctSvcrRef>NOTPROVIDED</AcctSvcrRef>", "", "M/S/1.1"),
    ],
)
def test_tx_id(refs, extra, tx_id, one):
    assert one(entry(detail("1", refs=refs), extra=extra)).tx_id == tx_id


def test_a_reference_used_twice_is_told_apart_by_position(read):
    items = read(
        entry(extra=REF), entry(extra=REF), entry(detail("1", refs=REF), detail("2", refs=REF), extra=REF)
    )
    assert [item.value.tx_id for item in items] == ["A1", "M/S/2.0", "M/S/3.1", "A1.2"]


@pytest.mark.parametrize(
    ("booked", "extra", "ts"),
    [
        ("2024-05-03", "", "2024-05-03"),
        ("2024-05-03+02:00", "", "2024-05-03"),
        ("", "<ValDt><DtTm>2024-05-04T01:02:03Z</DtTm></ValDt>", "2024-05-04T01:02:03Z"),
        ("", "", "2024-05-02T00:00:00Z"),
    ],
)
def test_ts(booked, extra, ts, one):
    assert one(entry(booked=booked, extra=extra)).ts == ts


def test_comments_inside_a_value_are_not_part_of_it(one):
    sent = one(entry(amount="1<!-- thousand -->00<?pi?>.50", extra="<AcctSvcrRef><!-- x -->A1</AcctSvcrRef>"))
    assert (sent.amount, sent.tx_id) == ("100.50", "A1")


def test_codes_banks_and_references(one):
    code = "<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>RCDT</Cd><SubFmlyCd>ESCT</SubFmlyCd></Fmly></Domn></BkTxCd>"
    agents = "<RltdAgts><DbtrAgt><FinInstnId><BICFI>UBSWCHZH</BICFI></FinInstnId></DbtrAgt></RltdAgts>"
    more = code + agents + "<Purp><Cd>SALA</Cd></Purp>"
    sent = one(entry(detail("1", refs="<EndToEndId>E1</EndToEndId>", extra=more)))
    assert (sent.channel, sent.src_bank, sent.dst_bank) == ("PMNT-RCDT-ESCT", "UBSWCHZH", "COBADEFF")
    assert (sent.instruction, sent.purpose) == ("E1", "salary")


@pytest.mark.parametrize(
    ("purp", "purpose"),
    [
        ("<Cd>TAXS</Cd>", "tax"),
        ("<Prtry>disburse</Prtry>", "disburse"),
        ("<Prtry>x</Prtry>", ""),
        ("<Cd>CASH</Cd>", ""),
    ],
)
def test_purpose(purp, purpose, one):
    assert one(entry(detail("1", extra=f"<Purp>{purp}</Purp>"))).purpose == purpose


def test_a_record_is_kept_with_its_entry_and_without_the_other_details(read):
    first, second = read(entry(detail("60", refs="<TxId>X1</TxId>"), detail("40"), extra=REF))
    for item, kept, left in ((first, b">60<", b">40<"), (second, b">40<", b">60<")):
        assert kept in item.raw
        assert left not in item.raw
        assert b"A1" in item.raw


@pytest.mark.parametrize(
    ("entries", "summary", "count", "total"),
    [
        ([entry()], SUMMARY.format(1, "100.00"), 1, "100"),
        ([entry(detail("60"), detail("40"))], SUMMARY.format(1, "100"), 2, "100"),
        ([entry(detail("60"), detail("30"))], SUMMARY.format(1, "100"), 2, "90"),
        ([entry()], SUMMARY.format(3, "120"), 3, "120"),
        ([entry(status="PDNG")], SUMMARY.format(1, "100"), 1, "100"),
    ],
)
def test_a_summary_of_entries_is_declared_in_records(entries, summary, count, total, parse):
    *_, declared = parse(FeedFormat.camt053, statement(summary, *entries))
    assert declared == Declared(count, Decimal(total))


def test_a_summary_of_credits_and_debits_is_added_up(parse):
    halves = "".join(
        f"<Ttl{half}Ntries><NbOfNtries>1</NbOfNtries><Sum>{amount}</Sum></Ttl{half}Ntries>"
        for half, amount in (("Cdt", "100"), ("Dbt", "7"))
    )
    *_, declared = parse(
        FeedFormat.camt053,
        statement(f"<TxsSummry>{halves}</TxsSummry>", entry(), entry(amount="7", side="DBIT")),
    )
    assert declared == Declared(2, Decimal(107))


def test_a_message_without_a_summary_declares_nothing(parse):
    assert not [i for i in parse(FeedFormat.camt053, statement(entry())) if isinstance(i, Declared)]


@pytest.mark.parametrize("number", ["x", "-1", "1.5", "1e3"])
def test_a_summary_that_is_no_number_is_malformed(number, parse):
    with pytest.raises(MalformedBatch, match="TtlNtries/NbOfNtries"):
        parse(FeedFormat.camt053, statement(SUMMARY.format(number, "1"), entry()))


def test_reports_keep_their_own_accounts_and_totals(parse):
    second = ACCT.replace(OWN, OTHER)
    both = statement(SUMMARY.format(1, 100), entry(), "</Stmt><Stmt><Id>S2</Id>", second, entry(side="DBIT"))
    credit, debit, declared = parse(FeedFormat.camt053, both)
    assert (credit.value.dst, debit.value.src) == (OWN, OTHER)
    assert declared == Declared(2, Decimal(200))
    assert debit.value.tx_id == "M/S2/2.0"
    assert debit.value.ts == "2024-05-03"
