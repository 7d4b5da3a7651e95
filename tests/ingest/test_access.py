from hashlib import sha256

import pytest

from schemas.errors import Forbidden, Unauthenticated
from schemas.registry import Feed
from services.ingest.access import Access

KEYED = Feed(feed_id="bank_a", bank="bank_a", key_sha256=sha256(b"secret").hexdigest())
KEYLESS = Feed(feed_id="bank_b", bank="bank_b")


@pytest.mark.parametrize("demo", [False, True])
@pytest.mark.parametrize("authorization", ["Bearer secret", "bearer secret", "Bearer  secret"])
def test_the_feeds_key_opens_it(demo, authorization):
    Access(demo, None).feed(KEYED, authorization)


@pytest.mark.parametrize("demo", [False, True])
@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer ", "Basic secret", "Bearer Secret"])
def test_nothing_else_does_not_even_in_the_demo(demo, authorization):
    with pytest.raises(Unauthenticated):
        Access(demo, None).feed(KEYED, authorization)


def test_a_feed_without_a_key_is_the_demos_alone():
    Access(True, None).feed(KEYLESS, None)
    with pytest.raises(Forbidden, match="bank_b has no key"):
        Access(False, None).feed(KEYLESS, "Bearer anything")


def test_the_operators_key():
    access = Access(False, sha256(b"operator").hexdigest())
    access.operator("Bearer operator")
    with pytest.raises(Unauthenticated):
        access.operator("Bearer secret")
    Access(True, None).operator(None)
    with pytest.raises(Forbidden, match="LOOKTHROUGH_OPERATOR_KEY_SHA256"):
        Access(False, None).operator("Bearer operator")
