"""Figures from judged alerts: shares with their intervals, delays, and what was missed."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import median
from typing import Final, NamedTuple

from lookthrough.evaluation.labelled import LabelledSet, Pattern
from lookthrough.evaluation.matching import Judged, Outcome

_Z: Final = 1.959964
"""Of the normal distribution at 97.5 %: intervals of 95 %."""


class Share(NamedTuple):
    """`part` of `whole`, with Wilson's score interval (E. B. Wilson, JASA 22, 1927). None of none: 0 to 1."""

    part: int
    whole: int

    @property
    def value(self) -> float | None:
        return self.part / self.whole if self.whole else None

    @property
    def interval(self) -> tuple[float, float]:
        if not self.whole:
            return 0.0, 1.0
        n, p = self.whole, self.part / self.whole
        centre = p + _Z * _Z / (2 * n)
        spread = _Z * sqrt(p * (1 - p) / n + _Z * _Z / (4 * n * n))
        scale = 1 + _Z * _Z / n
        return max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale)


@dataclass(frozen=True, slots=True)
class Recall:
    """Of planted cases that came to their end. `delays_us`: of those found, from the moment the case
    could be proved to the first alert; not below 0. `amount` weighs each case by what it moved."""

    share: Share
    amount: float | None
    delays_us: tuple[int, ...]

    @property
    def median_delay_us(self) -> float | None:
        return median(self.delays_us) if self.delays_us else None


@dataclass(frozen=True, slots=True)
class Measured:
    """One typology over all sets.

    precision    right alerts of all its alerts
    recall       cases found under this name, by care: "all", "clumsy", "ordinary", "careful", ""
    any_name     cases found under this name or another that the same conduct is
    look_alikes  labelled honest patterns it was raised on, of all there are
    """

    typology: str
    precision: Share
    outcomes: Mapping[Outcome, int]
    recall: Mapping[str, Recall]
    any_name: Share
    variants: Mapping[str, Recall]
    look_alikes: Share
    hit: Mapping[str, int]


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """One data set and every alert on it, judged."""

    labelled: LabelledSet
    judged: tuple[Judged, ...]


def measure(runs: Sequence[Run]) -> tuple[Measured, ...]:
    """Each typology of which there is a case or an alert, by id."""
    planted = {one.typology for run in runs for one in run.labelled.patterns if one.illicit}
    raised = {one.alert.typology for run in runs for one in run.judged}
    return tuple(_measured(typology, runs) for typology in sorted(planted | raised))


def missed(run: Run, typology: str) -> list[Pattern]:
    """The cases of the run that no alert of the typology is about."""
    found = _first_found(run, typology)
    return [one for one in _cases(run, typology) if one.pattern_id not in found]


def _measured(typology: str, runs: Sequence[Run]) -> Measured:
    alerts = [one for run in runs for one in run.judged if one.alert.typology == typology]
    outcomes = Counter(one.outcome for one in alerts)
    counted = len(alerts) - outcomes[Outcome.ignored]
    by_care: defaultdict[str, list[_Case]] = defaultdict(list)
    by_variant: defaultdict[str, list[_Case]] = defaultdict(list)
    cases = [case for run in runs for case in _judged_cases(run, typology)]
    for case in cases:
        by_care["all"].append(case)
        by_care[case.pattern.care].append(case)
        by_variant[case.pattern.variant].append(case)
    hit = {
        (number, pattern.pattern_id): pattern.typology
        for number, run in enumerate(runs)
        for one in run.judged
        if one.alert.typology == typology and one.outcome is Outcome.look_alike
        for pattern in one.patterns
    }
    honest = sum(not one.illicit for run in runs for one in run.labelled.patterns)
    return Measured(
        typology,
        Share(outcomes[Outcome.right], counted),
        {outcome: outcomes[outcome] for outcome in Outcome},
        {care: _recall(of) for care, of in sorted(by_care.items())},
        Share(sum(case.named_otherwise or case.delay_us is not None for case in cases), len(cases)),
        {variant: _recall(of) for variant, of in sorted(by_variant.items())},
        Share(len(hit), honest),
        dict(sorted(Counter(hit.values()).items())),
    )


class _Case(NamedTuple):
    """`delay_us` None: not found under its own name."""

    pattern: Pattern
    delay_us: int | None
    named_otherwise: bool


def _judged_cases(run: Run, typology: str) -> list[_Case]:
    found = _first_found(run, typology)
    otherwise = {
        pattern.pattern_id for one in run.judged if one.outcome is Outcome.right for pattern in one.patterns
    }
    return [
        _Case(
            one,
            max(0, found[one.pattern_id] - one.detectable_us) if one.pattern_id in found else None,
            one.pattern_id in otherwise,
        )
        for one in _cases(run, typology)
    ]


def _cases(run: Run, typology: str) -> list[Pattern]:
    return [
        one
        for one in run.labelled.patterns
        if one.illicit and one.complete and not one.ignored and one.typology == typology
    ]


def _first_found(run: Run, typology: str) -> dict[str, int]:
    """When each pattern was first reported under the typology's name, by pattern id."""
    first: dict[str, int] = {}
    for one in run.judged:
        if one.alert.typology == typology and one.outcome is Outcome.right:
            for pattern in one.patterns:
                at_us = one.alert.episode_at
                first[pattern.pattern_id] = min(at_us, first.get(pattern.pattern_id, at_us))
    return first


def _recall(cases: Iterable[_Case]) -> Recall:
    listed = list(cases)
    found = [case for case in listed if case.delay_us is not None]
    moved = sum(case.pattern.amount for case in listed)
    amount = sum(case.pattern.amount for case in found) / moved if moved else None
    delays = tuple(sorted(case.delay_us for case in found if case.delay_us is not None))
    return Recall(Share(len(found), len(listed)), amount, delays)
