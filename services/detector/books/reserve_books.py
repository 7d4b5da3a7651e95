"""The reserve accounts of one payment institution: what banks state, clients are owed and flows say."""

from __future__ import annotations

from typing import Final, NamedTuple, Protocol

import numpy as np

from schemas.alert import EvidenceEdge, Subject, SubjectKind
from schemas.balance import BalanceKind
from schemas.instant import DAY
from schemas.registry import AccountRole
from schemas.transaction import Purpose
from services.detector.books.running_balance import Between, Flow
from services.detector.evidence import keep
from services.detector.graph.accounts import OUTSIDE_INDEX
from services.detector.legs import legs_of
from services.detector.parties.entities import Entities
from services.detector.typology import Context


class Shortage(NamedTuple):
    """At `as_of_us` less was booked than clients are owed, by more than what was on its way."""

    as_of_us: int
    booked_minor: int
    claims_minor: int
    on_the_way_minor: int
    missing: tuple[str, ...]

    @property
    def minor(self) -> int:
        return self.claims_minor - self.booked_minor


class Drift(NamedTuple):
    """The statement as of `as_of_us` is not the one before it with the flows since."""

    as_of_us: int
    account: str
    before_us: int
    before_minor: int
    net_minor: int
    stated_minor: int
    missing: tuple[str, ...]

    @property
    def expected_minor(self) -> int:
        return self.before_minor + self.net_minor

    @property
    def minor(self) -> int:
        return abs(self.stated_minor - self.expected_minor)


Mismatch = Shortage | Drift


_LOOKED_AT: Final = 200
_SHOWN: Final = 20
_WITHOUT_BOUND: Final = 2**62
_SERVED: Final = frozenset(
    {AccountRole.client, AccountRole.merchant_settlement, AccountRole.clearing_house, AccountRole.reserve}
)
_ORDERED: Final = frozenset(
    {
        Purpose.withdraw,
        Purpose.refund,
        Purpose.merchant_settlement,
        Purpose.redemption,
        Purpose.invest,
        Purpose.fee,
    }
)
"""What a client may have ordered, or the institution earned."""


class Settings(Protocol):
    @property
    def cut_off_us(self) -> int: ...
    @property
    def epsilon_minor(self) -> int: ...
    @property
    def window_days(self) -> int: ...
    @property
    def max_edges(self) -> int: ...


class Check(NamedTuple):
    """Due at an instant: of an account's statement as of `as_of_us`, `late` once no feed may be late."""

    due_us: int
    late: bool
    as_of_us: int
    currency: str


class Books:
    """The reserve accounts of the institution in whose business `account` is, as their banks state them."""

    def __init__(self, context: Context, account: int, settings: Settings, since_us: int | None) -> None:
        self._context = context
        self._entities = Entities(context)
        self._account = account
        self._p = settings
        self._since_us = since_us
        records = self._entities.accounts(account)
        self.institution_id = next(
            (one.institution_id for one in records if one.role is AccountRole.reserve), None
        )
        self.reserves = self._reserves()
        self.subject = Subject(kind=SubjectKind.account, id=context.token(account))
        if self.institution_id is not None:
            self.subject = Subject(kind=SubjectKind.institution, id=self.institution_id)

    def mismatches(self, check: Check) -> list[Mismatch]:
        short = self._shortage(check)
        drift = self._drift(check) if check.late else None
        return [one for one in (short, drift) if one is not None]

    def outflows(self, currency: str, after_us: int, until_us: int, minor: int) -> dict[int, int]:
        """The largest transfers out to somebody who is neither client nor merchant, up to `minor`."""
        graph, found = self._context.graph, dict[int, int]()
        for reserve in self.reserves:
            edges = graph.edges_out(reserve, after_us + 1, until_us, self._context.as_of, self._p.max_edges)
            largest = np.lexsort((edges.seq, -edges.amount_minor))[:_LOOKED_AT]
            for place in largest.tolist():
                dst, room = int(edges.dst[place]), minor - sum(found.values())
                served = self._entities.roles(dst) & _SERVED or int(edges.purpose[place]) in _ORDERED
                same = graph.currency(int(edges.currency[place])) == currency
                if room > 0 and len(found) < _SHOWN and same and not served and dst != OUTSIDE_INDEX:
                    found[int(edges.seq[place])] = min(room, int(edges.amount_minor[place]))
        return found

    def holders(self, currency: str, after_us: int, until_us: int) -> dict[int, list[EvidenceEdge]]:
        """The largest transfers out to somebody who is neither client nor merchant, by who got them."""
        everything = self.outflows(currency, after_us, until_us, _WITHOUT_BOUND)
        if not everything:
            return {}
        found: dict[int, list[EvidenceEdge]] = {}
        for leg in legs_of(self._context.graph.edges(list(everything))):
            found.setdefault(leg.dst, []).append(keep(self._context, leg, leg.amount_minor))
        return found

    def _reserves(self) -> list[int]:
        if self.institution_id is None:
            return [self._account]
        return [one for one in self._context.business_of(self.institution_id) if self._is_reserve(one)]

    def _is_reserve(self, account: int) -> bool:
        records = self._entities.accounts(account)
        return any(
            one.role is AccountRole.reserve and one.institution_id == self.institution_id for one in records
        )

    def _shortage(self, check: Check) -> Shortage | None:
        """None too while a bank's statement as of the same time may still come."""
        claims = self._claims(check)
        booked = [self._booked(reserve, check) for reserve in self.reserves]
        told = [one for one in booked if one is not None]
        if claims is None or not told:
            return None
        if not check.late and not all(one is not None and one.fresh for one in booked):
            return None
        coming = 0
        for reserve in self.reserves:
            soon = self._between(reserve, check).flow(check.as_of_us, check.as_of_us + self._p.cut_off_us)
            coming += soon.came if soon else 0
        missing = () if len(told) == len(booked) else ("feed.balance",)
        shortage = Shortage(check.as_of_us, sum(one.minor for one in told), claims, coming, missing)
        return shortage if shortage.minor > self._p.epsilon_minor + coming else None

    def _claims(self, check: Check) -> int | None:
        """What clients are owed, over the reserve accounts on which that is stated at about the time."""
        stated = (
            self._context.balances.until(one, BalanceKind.clients, check.currency, check.as_of_us)
            for one in self.reserves
        )
        recent_us = check.as_of_us - self._p.cut_off_us
        claims = [one.minor for one in stated if one is not None and one.as_of_us >= recent_us]
        return sum(claims) if claims else None

    def _booked(self, reserve: int, check: Check) -> _Booked | None:
        history = self._context.balances
        last = history.until(reserve, BalanceKind.booked, check.currency, check.as_of_us)
        if last is None or last.as_of_us < check.as_of_us - self._p.window_days * DAY:
            return None
        since = self._between(reserve, check).flow(last.as_of_us, check.as_of_us)
        fresh = last.as_of_us >= check.as_of_us - self._p.cut_off_us
        return None if since is None else _Booked(last.minor + since.net, fresh)

    def _drift(self, check: Check) -> Drift | None:
        history, flows = self._context.balances, self._between(self._account, check)
        stated = history.until(self._account, BalanceKind.booked, check.currency, check.as_of_us)
        before = history.until(self._account, BalanceKind.booked, check.currency, check.as_of_us - 1)
        if stated is None or before is None or stated.as_of_us != check.as_of_us:
            return None
        known_us = self._context.now_us - self._p.window_days * DAY
        if self._since_us is None or before.as_of_us < max(self._since_us, known_us):
            return None
        since = flows.flow(before.as_of_us, stated.as_of_us)
        here, there = self._near(flows, stated.as_of_us), self._near(flows, before.as_of_us)
        if since is None or here is None or there is None:
            return None
        token = self._context.token(self._account)
        drift = Drift(stated.as_of_us, token, before.as_of_us, before.minor, since.net, stated.minor, ())
        # A credit just before the closing may be missing from the statement, a debit just after it may be
        # in it already: both make it less than expected, and the other two make it more. What the
        # statement before left out or took in early has the opposite effect.
        less = here[0].came + here[1].went + there[0].went + there[1].came
        more = here[0].went + here[1].came + there[0].came + there[1].went
        excused = less if stated.minor < drift.expected_minor else more
        return drift if drift.minor > self._p.epsilon_minor + excused else None

    def _near(self, flows: Between, at_us: int) -> tuple[Flow, Flow] | None:
        """Within the cut-off before `at_us` and after it."""
        before = flows.flow(at_us - self._p.cut_off_us, at_us)
        after = flows.flow(at_us, at_us + self._p.cut_off_us)
        return None if before is None or after is None else (before, after)

    def _between(self, account: int, check: Check) -> Between:
        return Between(self._context, account, check.currency, self._p.max_edges)


class _Booked(NamedTuple):
    """`fresh`: stated by its bank at about the time, not carried on from long before."""

    minor: int
    fresh: bool
