"""The law as data: every threshold of every day, every article that a rule cites."""

from __future__ import annotations

import pickle
from dataclasses import fields

import pytest

from schemas.errors import InvalidInput
from schemas.instant import FOREVER, to_micros
from schemas.law import Law, Threshold, load_law
from services.detector.scoring import Parameters as Risk
from services.detector.typologies import TYPOLOGIES

LAW = load_law()
PARAMETERS = {typology.id: typology.parameters for typology in TYPOLOGIES} | {"risk": Risk}


def threshold(value: int, valid_from: int = 0, valid_to: int = FOREVER) -> Threshold:
    return Threshold(
        rule="pooling",
        name="min_clients",
        value=value,
        source="test",
        valid_from=valid_from,
        valid_to=valid_to,
    )


@pytest.mark.parametrize("typology", TYPOLOGIES, ids=lambda one: one.id)
def test_every_article_cited_is_in_the_law(typology: type) -> None:
    assert all(LAW.article(one.document, one.article) is not None for one in typology.law)


@pytest.mark.parametrize("one", LAW.thresholds, ids=lambda one: f"{one.rule}.{one.name}@{one.valid_from}")
def test_every_threshold_is_a_parameter_of_its_rule(one: Threshold) -> None:
    named = {field.name: field.default for field in fields(PARAMETERS[one.rule])}
    assert type(named[one.name]) is type(one.value)
    assert one.source


def test_every_parameter_has_a_source() -> None:
    for kind in PARAMETERS.values():
        assert all(field.metadata["source"] for field in fields(kind))


def test_secondary_sources_keep_their_mark() -> None:
    primary = {name for name, document in LAW.documents.items() if not document.secondary}
    assert {"RP", "GO"} <= primary <= {"RP", "GO", "BJ", "QD", "DP", "CP"}
    assert all(one.secondary == ("(s)" in one.source) for one in LAW.thresholds)


@pytest.mark.parametrize(
    ("moment", "reserve", "fund_sales", "partner"),
    [
        ("2019-01-13T23:59:59+08:00", True, True, False),
        ("2019-01-14T00:00:00+08:00", False, True, False),
        ("2021-02-28T23:59:59+08:00", False, True, False),
        ("2021-03-01T00:00:00+08:00", False, False, True),
    ],
)
def test_where_reserves_may_go_changes_with_the_law(
    moment: str, reserve: bool, fund_sales: bool, partner: bool
) -> None:
    allowed = LAW.at(to_micros(moment)).of("reserve_misuse")["allowed_destinations"]
    assert isinstance(allowed, tuple)
    found = {name: name in allowed for name in ("reserve", "fund_sales", "partner_reserve")}
    assert found == {"reserve": reserve, "fund_sales": fund_sales, "partner_reserve": partner}


def test_the_rules_are_the_same_object_between_two_changes() -> None:
    law = Law([], [threshold(5, 10, 20), threshold(6, 20, 30)])
    assert law.at(10) is law.at(19)
    assert [law.at(ts).of("pooling").get("min_clients") for ts in (9, 10, 19, 20, 29, 30)] == [
        None,
        5,
        5,
        6,
        6,
        None,
    ]
    assert law.between(9, 20) == (law.at(9), law.at(10), law.at(20))
    assert law.between(21, 22) == (law.at(21),)


def test_two_values_at_one_time_are_refused() -> None:
    with pytest.raises(InvalidInput, match=r"pooling\.min_clients"):
        Law([], [threshold(5, 10, 20), threshold(6, 19, 30)])


def test_it_survives_pickling() -> None:
    again = pickle.loads(pickle.dumps(LAW))
    assert again.version == LAW.version
    assert again.at(0).of("risk") == LAW.at(0).of("risk")
