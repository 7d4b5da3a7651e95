"""Each typology on cases as data: it fires, it does not, and where the line is."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from schemas.alert import Alert
from services.detector.typologies import TYPOLOGIES
from services.detector.typology import points
from services.detector.wording import day

CASES = Path(__file__).parent / "cases"


def cases() -> Iterator[Any]:
    for file in sorted(CASES.glob("*.toml")):
        content = tomllib.loads(file.read_text(encoding="utf-8"))
        for case in content["case"]:
            yield pytest.param(file.stem, content["base"], case, id=f"{file.stem}: {case['id']}")


def world_of(kind: Any, base: dict[str, Any], case: dict[str, Any]) -> Any:
    given = {} if case.get("registry") == "none" else base
    names = {field.name for field in fields(kind)} - {"flows", "start"}
    lists = {name: [*given.get(name, []), *case.get(name, [])] for name in names}
    start = {"start": case["start"]} if "start" in case else {}
    return kind(flows=case["flows"], **lists, **start)


@pytest.mark.parametrize(("typology", "base", "case"), list(cases()))
def test_case(typology: str, base: dict[str, Any], case: dict[str, Any], world: Any, play: Any) -> None:
    alerts = play(world_of(world, base, case)).of(typology)
    assert bool(alerts) is case["fires"]
    if not alerts:
        return
    last = alerts[-1]
    found = {
        "institution": last.institution_id,
        "amount": last.amount_minor / 100,
        "confidence": last.confidence,
        "missing": list(last.missing),
        "subject": last.subject.kind.value,
        "alerts": len({alert.alert_id for alert in alerts}),
        "version": last.version,
        "edges": len(last.evidence.edges),
        "limits": [limit.name for limit in last.limits],
    }
    rule = next(one for one in TYPOLOGIES if one.id == typology)
    assert set(last.missing) <= set(rule.needs)
    assert last.name == rule.name
    explains(last)
    expected = {name: case[name] for name in found if name in case}
    assert {name: found[name] for name in expected} == expected
    assert set(case.get("reasons", [])) <= {factor.name for factor in last.confidence_factors}


def explains(alert: Alert) -> None:
    """Dates, the amount or the whole it is part of, and the article, in both languages."""
    for text in (alert.explanation.zh, alert.explanation.en):
        assert alert.law[0].article in text
        assert day(alert.first_at) in text
        assert f"{alert.currency} " in text
    assert alert.confidence == points(alert.confidence_factors)
    assert alert.severity_points == points(alert.severity_factors)
    assert Alert.model_validate_json(alert.model_dump_json()) == alert


@pytest.mark.parametrize("typology", TYPOLOGIES, ids=lambda one: one.id)
def test_every_look_alike_has_a_case(typology: Any) -> None:
    content = tomllib.loads((CASES / f"{typology.id}.toml").read_text(encoding="utf-8"))
    quiet = [case for case in content["case"] if case.get("look_alike")]
    assert len(quiet) >= len(typology.look_alikes)
    assert not any(case["fires"] for case in quiet)
