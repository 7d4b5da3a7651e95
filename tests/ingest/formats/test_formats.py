import pytest

from schemas.registry import FeedFormat
from services.ingest.formats import FORMATS, format_for_media_type, format_named, guess


def test_each_format_is_there_once():
    assert sorted(module.NAME for module in FORMATS) == sorted(FeedFormat)
    for name in FeedFormat:
        assert format_named(name).NAME is name


@pytest.mark.parametrize(
    ("media_type", "name"),
    [
        ("application/json", FeedFormat.json),
        ("Application/JSON; charset=utf-8", FeedFormat.json),
        ("application/x-ndjson", FeedFormat.json),
        ("text/csv;header=present", FeedFormat.csv),
        ("application/xml", None),
        ("application/octet-stream", None),
        ("", None),
    ],
)
def test_a_media_type_names_a_format_only_where_one_has_it(media_type, name):
    assert format_for_media_type(media_type) is name


CAMT = (
    b'<?xml version="1.0"?><Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt>'
)


@pytest.mark.parametrize(
    ("start", "filename", "name"),
    [
        (b'{"tx_id"', "", FeedFormat.json),
        (b"\xef\xbb\xbf [", "x.csv", FeedFormat.json),
        (CAMT, "", FeedFormat.camt053),
        (CAMT.replace(b"BkToCstmrStmt", b"n:BkToCstmrDbtCdtNtfctn"), "", FeedFormat.camt054),
        (CAMT.replace(b"BkToCstmrStmt", b"FIToFICstmrCdtTrf"), "", FeedFormat.pacs008),
        (b"<html>", "x.json", None),
        (b"amount,tx_id\n1", "", FeedFormat.csv),
        (b"x", "day.CSV.gz", FeedFormat.csv),
        (b"x", "day.ndjson", FeedFormat.json),
        (b"x", "day.xml", None),
        (b"", "", None),
    ],
)
def test_a_format_is_guessed_from_the_start_then_the_name(start, filename, name):
    assert guess(start, filename) is name
