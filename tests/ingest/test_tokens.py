import hashlib
import hmac

import pytest

from schemas.account import OUTSIDE, OUTSIDE_NAMES
from schemas.errors import InvalidSetting
from services.ingest import tokens
from services.ingest.tokens import Tokeniser

KEY = b"0123456789abcdef"


def test_a_token_is_the_start_of_the_keyed_hmac_of_domain_and_number():
    expected = hmac.new(KEY, b"account\x00" + "6222账".encode(), hashlib.sha256).digest()[:16]
    assert Tokeniser(KEY).account("6222账") == expected


@pytest.mark.parametrize("name", sorted(OUTSIDE_NAMES))
def test_the_outside_world_is_no_account(name):
    assert Tokeniser(KEY).account(name) == OUTSIDE


def test_accounts_keep_their_order():
    tokeniser = Tokeniser(KEY)
    assert tokeniser.accounts(["b", "", "a", "b"]) == [
        tokeniser.account("b"),
        OUTSIDE,
        tokeniser.account("a"),
        tokeniser.account("b"),
    ]


def test_an_identity_and_an_account_of_the_same_number_are_not_linked():
    tokeniser = Tokeniser(KEY)
    assert tokeniser.identity("110101") != tokeniser.account("110101").hex()
    assert len(tokeniser.identity("110101")) == 32
    assert tokeniser.identity("") == ""


def test_another_key_gives_other_tokens():
    assert Tokeniser(KEY).account("1") != Tokeniser(KEY[::-1]).account("1")


def test_numbers_are_taken_as_written():
    tokeniser = Tokeniser(KEY)
    assert len({tokeniser.account(number) for number in ("1", "01", " 1", "１", "\ud800")}) == 5


def test_the_cache_is_bounded_and_tokens_do_not_depend_on_it(monkeypatch):
    monkeypatch.setattr(tokens, "CACHED_ACCOUNTS", 10)
    tokeniser = Tokeniser(KEY)
    numbers = [str(number) for number in range(35)]
    assert tokeniser.accounts(numbers) == [Tokeniser(KEY).account(number) for number in numbers]
    assert len(tokeniser._accounts) <= 10


def test_a_short_key_is_refused():
    with pytest.raises(InvalidSetting, match="has 15 bytes"):
        Tokeniser(KEY[:15])
