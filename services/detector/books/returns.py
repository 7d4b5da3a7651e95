"""What each project's backers put in and were paid since, distribution by distribution."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final, NamedTuple

from schemas.alert import EvidenceEdge

MAX_PROJECTS: Final = 20_000
"""Past it the project longest without a movement is forgotten."""
MAX_BACKERS: Final = 20_000
"""Of one project; what further ones put in and get is not kept."""
MAX_DISTRIBUTIONS: Final = 64
"""Of one project; past it the oldest go."""
MAX_EDGES: Final = 10
"""Payments kept of one distribution, the first ones."""
SAME_DAYS: Final = 2
"""A distribution may take so many days more than its first; assumption: bank holidays."""
_MILLION: Final = 1_000_000


class Stake(NamedTuple):
    """`known`: it was seen to be paid in; else it stands for a hundred times the first payment, so
    that equal payments are equal shares of it."""

    minor: int
    since_day: int
    known: bool


@dataclass(slots=True)
class Distribution:
    """What the backers were paid on about one day, and what they had put in."""

    day: int
    paid_minor: int = 0
    stake_minor: int = 0
    known: bool = True
    """Every stake was seen to be paid in."""
    edges: list[EvidenceEdge] = field(default_factory=list)

    @property
    def ratio_ppm(self) -> int:
        """Paid to put in, in millionths, rounded down."""
        return self.paid_minor * _MILLION // max(1, self.stake_minor)


@dataclass(slots=True)
class Returns:
    """Of one project in one currency. `back`: what was given back of the stakes, and of how much."""

    stakes: dict[int, Stake] = field(default_factory=dict)
    distributions: list[Distribution] = field(default_factory=list)
    paid_now: set[int] = field(default_factory=set)
    """The backers whom the last distribution has paid."""
    back: Distribution | None = None

    def put_in(self, backer: int, minor: int, day: int) -> None:
        known = self.stakes.get(backer)
        if known is not None and known.known:
            self.stakes[backer] = known._replace(minor=known.minor + minor)
        elif known is not None or len(self.stakes) < MAX_BACKERS:
            self.stakes[backer] = Stake(minor, day, True)

    def refund(self, backer: int, minor: int) -> None:
        known = self.stakes.get(backer)
        if known is not None and minor < known.minor:
            self.stakes[backer] = known._replace(minor=known.minor - minor)
        elif known is not None:
            del self.stakes[backer]

    def pay(self, backer: int, minor: int, day: int, edge: EvidenceEdge) -> None:
        """A share of the returns. A distribution is of the day on which it began."""
        stake = self.stakes.get(backer)
        if stake is None:
            if len(self.stakes) == MAX_BACKERS:
                return
            stake = self.stakes[backer] = Stake(100 * minor, day, False)
        if not self.distributions or day > self.distributions[-1].day + SAME_DAYS:
            self.distributions.append(Distribution(day))
            del self.distributions[:-MAX_DISTRIBUTIONS]
            self.paid_now = set()
        last = self.distributions[-1]
        last.paid_minor += minor
        if backer not in self.paid_now:
            self.paid_now.add(backer)
            last.stake_minor += stake.minor
        last.known &= stake.known
        if len(last.edges) < MAX_EDGES:
            last.edges.append(edge)

    def give_back(self, backer: int, minor: int, day: int, edge: EvidenceEdge) -> Stake | None:
        """The stake, if it was seen to be paid in: it is no more."""
        stake = self.stakes.pop(backer, None)
        if stake is None or not stake.known:
            return None
        self.back = self.back or Distribution(day)
        self.back.paid_minor += minor
        self.back.stake_minor += stake.minor
        if len(self.back.edges) < MAX_EDGES:
            self.back.edges.append(edge)
        return stake

    def fixed(self, ratio_tolerance_bp: int, interval_tolerance_days: int) -> Sequence[Distribution]:
        """The last distributions that are alike: ratios and intervals each within its tolerance."""
        alike: list[Distribution] = []
        for one in reversed(self.distributions):
            ratios = [each.ratio_ppm for each in (one, *alike)]
            days = [each.day for each in (one, *alike)]
            gaps = [later - earlier for earlier, later in pairwise(days)]
            spread = max(ratios) - min(ratios)
            if spread * 10_000 > ratio_tolerance_bp * min(ratios):
                break
            if gaps and max(gaps) - min(gaps) > interval_tolerance_days:
                break
            alike.insert(0, one)
        return alike


class ReturnsBook:
    def __init__(self) -> None:
        self._of: OrderedDict[tuple[str, int], Returns] = OrderedDict()

    def of(self, project: str, currency: int) -> Returns:
        key = project, currency
        found = self._of.setdefault(key, Returns())
        self._of.move_to_end(key)
        if len(self._of) > MAX_PROJECTS:
            self._of.popitem(last=False)
        return found
