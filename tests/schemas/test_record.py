"""A record that was vouched for is as one that was checked."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from pydantic import ValidationError

from schemas.alert import EvidenceEdge
from schemas.record import Record, content_id
from schemas.risk import Contribution

EDGE: dict[str, Any] = {
    "tx_id": "t1",
    "feed_id": "bank",
    "src": "ab" * 16,
    "dst": "cd" * 16,
    "ts": 1_700_000_000_000_001,
    "amount_minor": 5,
    "attributed_minor": 3,
    "currency": "CNY",
    "purpose": "invest",
}
CONTRIBUTION: dict[str, Any] = {
    "alert_id": "ef" * 16,
    "alert_version": 2,
    "typology": "pooling",
    "severity_points": 60,
    "confidence": 70,
    "age_us": 9,
    "milli_points": 42_000,
}


@pytest.mark.parametrize(("kind", "values"), [(EvidenceEdge, EDGE), (Contribution, CONTRIBUTION)])
def test_vouched_or_checked_it_is_the_same(kind: type[Record], values: dict[str, Any]) -> None:
    checked, vouched = kind(**values), kind.vouched(dict(values))
    assert vouched == checked
    assert hash(vouched) == hash(checked)
    assert repr(vouched) == repr(checked)
    assert vouched.model_dump_json(exclude_unset=True) == checked.model_dump_json()
    assert vouched.model_fields_set == checked.model_fields_set
    assert pickle.loads(pickle.dumps(vouched)) == checked
    assert kind.model_validate_json(vouched.model_dump_json()) == checked
    with pytest.raises(ValidationError, match="frozen"):
        setattr(vouched, next(iter(values)), None)


def test_a_copy_has_fields_of_its_own() -> None:
    one = EvidenceEdge.vouched(dict(EDGE))
    other = one.model_copy(update={"amount_minor": 6})
    other.model_fields_set.clear()
    assert (one.amount_minor, other.amount_minor) == (5, 6)
    assert one.model_fields_set == set(EDGE)


def test_an_id_tells_parts_apart() -> None:
    assert content_id("ab", "c") != content_id("a", "bc") != content_id("abc")
    assert content_id("alert", "资金池") == "ad89160c8ded8301d1156996288aeac7"
