"""Transfers that are each suspect by themselves, remembered together over a window of event time."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from schemas.alert import Factor, Limit
from schemas.record import Bilingual
from services.detector.legs import Leg
from services.detector.typology import factor, lacking

MAX_INCIDENTS: Final = 500
"""Of one subject; past it the earliest are forgotten."""
FAR: Final = 2**62
"""Longer than any pause."""
_MAX_SUBJECTS: Final = 20_000
"""Past it the subject longest without an incident is forgotten."""


class Reason(NamedTuple):
    """What is wrong, and how sure that makes a finding, in points of confidence."""

    name: str
    points: int
    says: Bilingual


class Incident(NamedTuple):
    """`minor`: how much of the transfer is suspect. `missing`: data that would have told more."""

    leg: Leg
    minor: int
    reason: Reason
    missing: tuple[str, ...] = ()


class Incidents:
    """By subject, whatever names it, in one currency: those of the run that goes on."""

    def __init__(self) -> None:
        self._of: OrderedDict[tuple[str | int, int], Case] = OrderedDict()

    def add(self, subject: str | int, new: Sequence[Incident], since_us: int, quiet_us: int = FAR) -> Case:
        """Take in incidents of one currency, and forget those before `since_us`. Nothing is left of a run
        that had been over for more than `quiet_us` when they came."""
        key = subject, new[0].leg.currency
        began_us = min(one.leg.ts_us for one in new)
        recent: Sequence[Incident] = ()
        run = self._of.pop(key, None)
        if run is not None and began_us - run.last_us <= quiet_us:
            recent = [one for one in run.incidents if one.leg.ts_us >= since_us]
            began_us = min(began_us, run.began_us) if recent else began_us
        self._of[key] = Case((*recent, *new)[-MAX_INCIDENTS:], began_us)
        if len(self._of) > _MAX_SUBJECTS:
            self._of.popitem(last=False)
        return self._of[key]


class Case(NamedTuple):
    """The incidents of one subject within the window, as they came; at least one. `began_us`: the first of
    the run they belong to, which may lie before the window."""

    incidents: tuple[Incident, ...]
    began_us: int = 0

    @property
    def minor(self) -> int:
        return sum(one.minor for one in self.incidents)

    @property
    def first_us(self) -> int:
        return min(one.leg.ts_us for one in self.incidents)

    @property
    def last_us(self) -> int:
        return max(one.leg.ts_us for one in self.incidents)

    @property
    def attributed(self) -> dict[int, int]:
        return {one.leg.seq: one.minor for one in self.incidents}

    @property
    def missing(self) -> tuple[str, ...]:
        return tuple(sorted({name for one in self.incidents for name in one.missing}))

    @property
    def limits(self) -> tuple[Limit, ...]:
        full = len(self.incidents) == MAX_INCIDENTS
        return (Limit(name="incidents", bound=MAX_INCIDENTS),) if full else ()

    def says(self) -> Bilingual:
        """Each reason once."""
        reasons = {one.reason.name: one.reason.says for one in self.incidents}
        told = [reasons[name] for name in sorted(reasons)]
        return Bilingual(zh="；".join(one.zh for one in told), en="; ".join(one.en for one in told))

    def confidence(self, *further: Factor) -> tuple[Factor, ...]:
        """Of the surest incident, more as they repeat."""
        surest = max(self.incidents, key=lambda one: one.reason.points - 10 * len(one.missing))
        reason = surest.reason
        return (
            factor(reason.name, reason.points, reason.says.zh, reason.says.en),
            *further,
            *self._repeated(),
            *lacking(surest.missing),
        )

    def _repeated(self) -> Iterable[Factor]:
        count = len(self.incidents)
        if count > 1:
            yield factor("repeated", min(15, 3 * count), f"共 {count} 笔", f"{count} transfers")
