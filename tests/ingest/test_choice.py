import pytest

from schemas.registry import Feed, FeedFormat
from services.ingest.body import Body
from services.ingest.choice import UnknownFormat, format_of

CSV, JSON = FeedFormat.csv, FeedFormat.json


def feed(format=None):
    return Feed(feed_id="f", bank="b", format=format)


@pytest.mark.parametrize(
    ("declared", "named", "media_type", "filename", "found"),
    [
        (JSON, CSV, "application/json", "", CSV),
        (JSON, None, "text/csv", "", CSV),
        (CSV, None, "application/octet-stream", "", CSV),
        (None, None, "application/x-www-form-urlencoded", "", JSON),
        (None, None, "", "", JSON),
    ],
    ids=["as named", "else by media type", "else the feed's own", "else as it begins", "without a type"],
)
def test_the_nearest_word_counts(declared, named, media_type, filename, found):
    with Body.of(b'{"tx_id":"T1"}', 100) as body:
        assert format_of(body, feed(declared), named, media_type, filename) is found


def test_a_file_name_helps():
    with Body.of(b"a;b", 100) as body:
        assert format_of(body, feed(), filename="day.csv") is CSV


def test_what_nobody_knows_is_refused():
    with Body.of(b"\x00\x01", 100) as body, pytest.raises(UnknownFormat, match="json, csv, camt053"):
        format_of(body, feed())
