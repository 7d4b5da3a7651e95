"""Torture files of other projects, each as its manifest expects, and attacks on the XML reader."""

import csv
import io
import json
from pathlib import Path

import pytest

from schemas.errors import MalformedBatch
from schemas.registry import FeedFormat

HOSTILE = Path(__file__).parents[4] / "shared/data/hostile"
ABSENT = "the shared data set hostile is not beside the repository"

GOOD = {
    "tx_id": "T1",
    "ts": "2024-01-02T03:04:05Z",
    "src": "a",
    "dst": "b",
    "amount": "1.50",
    "currency": "CNY",
}
GOOD_JSON = json.dumps(GOOD).encode()
SYNTAX = ("not JSON", "not UTF-8")
ISO = (FeedFormat.camt053, FeedFormat.camt054, FeedFormat.pacs008)


def manifest(*folders):
    if not HOSTILE.is_dir():
        return [pytest.param("", "", marks=pytest.mark.skip(reason=ABSENT))]
    with (HOSTILE / "MANIFEST.csv").open() as file:
        rows = [(row["file"], row["expect"]) for row in csv.DictReader(file)]
    return [pytest.param(*row, id=row[0]) for row in rows if row[0].split("/")[0] in folders]


def as_csv(**fields):
    """A CSV batch of one good row with some fields changed."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(GOOD | fields))
    writer.writeheader()
    writer.writerow(GOOD | fields)
    return text.getvalue().encode("utf-8", "surrogatepass")


@pytest.fixture
def verdict(ingest):
    """Why a batch, or records of it, are bad. Checks that the next good batch is let in."""

    def reasons(name, content):
        try:
            found = [bad.reason for bad in ingest(name, content).bad]
        except MalformedBatch as error:
            found = [str(error)]
        assert ingest(FeedFormat.json, GOOD_JSON).table.num_rows == 1
        return found

    return reasons


@pytest.mark.parametrize(("file", "expect"), manifest("json_testsuite", "json_checker", "json_transform"))
def test_json(file, expect, verdict):
    content = (HOSTILE / file).read_bytes()
    whole = verdict(FeedFormat.json, content)
    element = verdict(FeedFormat.json, b"[" + GOOD_JSON + b"," + content + b"]")
    value = verdict(FeedFormat.json, GOOD_JSON[:-1] + b', "channel": ' + content + b"}")
    if expect == "accept":
        for reasons in (whole, element, value):
            assert not [reason for reason in reasons if reason.startswith(SYNTAX)]
    elif expect == "reject":
        assert any("JSON" in reason or "UTF-8" in reason for reason in whole)
        assert element
        assert value
    else:
        assert expect == "either_but_no_crash"


@pytest.mark.parametrize(
    ("file", "expect"),
    manifest("json_testsuite", "json_checker", "json_transform", "xml", "csv_spectrum", "strings", "utf8"),
)
@pytest.mark.parametrize("name", list(FeedFormat))
def test_any_file_as_any_format_is_refused_or_read_but_breaks_nothing(file, expect, name, verdict):
    verdict(name, (HOSTILE / file).read_bytes())


@pytest.mark.parametrize(("file", "expect"), manifest("xml"))
@pytest.mark.parametrize("name", ISO)
def test_xml(file, expect, name, parse):
    with pytest.raises(MalformedBatch) as refusal:
        parse(name, (HOSTILE / file).read_bytes())
    assert ("DOCTYPE" if expect == "reject" else "holds no") in str(refusal.value)


def naughty_strings():
    file = HOSTILE / "strings/blns.json"
    return json.loads(file.read_text("utf-8")) if file.exists() else []


def test_naughty_strings_survive_verbatim_or_are_refused(ingest):
    if not HOSTILE.is_dir():
        pytest.skip(ABSENT)
    strings = naughty_strings()
    assert len(strings) > 500
    survived = 0
    for string in strings:
        for field in ("tx_id", "channel"):
            for name, content in (
                (FeedFormat.json, json.dumps(GOOD | {field: string}).encode()),
                (FeedFormat.json, json.dumps([GOOD | {field: string}], ensure_ascii=False).encode()),
                (FeedFormat.csv, as_csv(**{field: string})),
            ):
                outcome = ingest(name, content)
                if outcome.bad:
                    assert [bad.field for bad in outcome.bad] == [field], string
                else:
                    assert outcome.table.column(field).to_pylist() == [string]
                    survived += 1
    assert survived > 0.9 * 6 * len(strings)


def utf8_cases():
    """(bytes, valid?) of each line of utf8tests.txt."""
    for line in (HOSTILE / "utf8/utf8tests.txt").read_text("ascii").splitlines():
        match line.split(":"):
            case [number, "valid", text] if number[:1].isdigit():
                yield text.encode(), True
            case [number, "valid hex", digits] if number[:1].isdigit():
                yield bytes.fromhex(digits), True
            case [number, "invalid hex", digits, *_] if number[:1].isdigit():
                yield bytes.fromhex(digits), False


def test_utf8_sequences(ingest):
    if not HOSTILE.is_dir():
        pytest.skip(ABSENT)
    cases = list(utf8_cases())
    assert {valid for _, valid in cases} == {True, False}
    for sequence, valid in cases:
        for name, content in (
            (FeedFormat.json, GOOD_JSON.replace(b'"T1"', b'"T' + sequence + b'"')),
            (FeedFormat.csv, as_csv(tx_id="TTT").replace(b"TTT", b"T" + sequence)),
        ):
            outcome = ingest(name, content)
            if not valid:
                assert len(outcome.bad) == 1, sequence
                assert outcome.bad[0].reason.startswith("not "), sequence
            elif outcome.bad:
                assert any(ord(character) < 0xA0 for character in sequence.decode()), sequence
            else:
                assert outcome.table.column("tx_id").to_pylist() == ["T" + sequence.decode()]


ENTITIES = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
BOMB = f'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY l0 "lol">{ENTITIES}]><Document a="&l9;">&l9;</Document>'
DOCTYPES = {
    "entity bomb": BOMB.encode(),
    "after comments": b"\n<?pi?><!-- <a> -->\n <!-- - ->-->"
    + BOMB.removeprefix('<?xml version="1.0"?>').encode(),
    "external entity": b'<!DOCTYPE d [<!ENTITY e SYSTEM "file:///etc/passwd">]><Document>&e;</Document>',
    "external subset": b'<!DOCTYPE d SYSTEM "http://127.0.0.1:9/d.dtd"><Document/>',
    "parameter entity": b'<!DOCTYPE d [<!ENTITY % p SYSTEM "file:///etc/passwd">%p;]><Document/>',
    "byte order mark": b"\xef\xbb\xbf" + BOMB.encode(),
}


@pytest.mark.parametrize("content", DOCTYPES.values(), ids=DOCTYPES)
@pytest.mark.parametrize("name", ISO)
def test_a_doctype_is_refused_by_name(content, name, parse):
    with pytest.raises(MalformedBatch, match="DOCTYPE: document types and entities are refused"):
        parse(name, content)


NOT_XML = {
    "empty": (b"", "it is empty"),
    "text": (b"hello", "no element at its start"),
    "json": (GOOD_JSON, "no element at its start"),
    "UTF-16, which could hide a DOCTYPE": (BOMB.encode("utf-16"), "not XML"),
    "UTF-16 without mark": (BOMB.encode("utf-16-le"), "not XML|not well-formed"),
    "declared as another encoding": (
        BOMB.replace("?>", ' encoding="utf-7"?>', 1).encode("utf-7"),
        "DOCTYPE",
    ),
    "Latin 1 inside": ("<Document>é</Document>".encode("latin-1"), "not well-formed"),
    "not closed": (b"<Document><a>", "not well-formed"),
    "two roots": (b"<Document/><Document/>", "not well-formed"),
    "undeclared entity": (b"<Document>&nbsp;</Document>", "not well-formed"),
    "NUL": (b"<Document>\x00</Document>", "not well-formed"),
    "too deep": (b"<a>" * 5000 + b"</a>" * 5000, "not well-formed"),
    "endless prolog": (b"<!--" + b"x" * 200_000, "no element at its start"),
    "another root": (b"<root/>", "<root> holds no"),
}


@pytest.mark.parametrize(("content", "reason"), NOT_XML.values(), ids=NOT_XML)
@pytest.mark.parametrize("name", ISO)
def test_what_is_no_message_is_malformed(content, reason, name, parse):
    with pytest.raises(MalformedBatch, match=reason):
        parse(name, content)
