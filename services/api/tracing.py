"""Following money through the payments that the store holds: pure, but for the ledger it asks.

Forward: an account's payments are the origins, and what they become is followed through the accounts they
reach. Backward: the payments into an account are what is asked about, and the origins are the payments
of whoever paid into the accounts before it and is not followed himself. Either way the accounts followed
are at most `legs - 1` payments away, in the order of time, and a method of attribution says whose money
left where money of several lay together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, NamedTuple, Protocol

import numpy as np

from attribution import Method, Payments, carry
from compiled import Int32s
from schemas.account import OUTSIDE
from schemas.alert import Limit

MAX_ACCOUNTS: Final = 500
"""Followed; the nearest first."""
MAX_ORIGINS: Final = 500
"""Told apart; the largest first. Money of the others counts as of unknown origin."""
MAX_PAYMENTS: Final = 50_000
"""Read for one trace."""

OUTSIDE_TOKEN: Final = OUTSIDE.hex()
_NOT_FOLLOWED: Final = -1


class Payment(NamedTuple):
    """One transfer; they sort in the order in which money moved."""

    ts_us: int
    feed_id: str
    tx_id: str
    src: str
    dst: str
    amount_minor: int
    purpose: int


class Ledger(Protocol):
    """What is paid in the period followed, in one currency. Each answers at most `each` payments of one
    account, the earliest, and `limit` in all."""

    def out_of(self, accounts: Collection[str], each: int, limit: int) -> Sequence[Payment]: ...
    def into(self, accounts: Collection[str], each: int, limit: int) -> Sequence[Payment]: ...


class EndKind(StrEnum):
    """Why money was not followed further."""

    rests = "rests"
    """Forward: it lies there at the end, or went on over more legs than were asked. Backward: it lay
    there before; nothing was paid in."""
    start = "start"
    """It is back at the account that the trace is about."""
    hub = "hub"
    """More payments go in or out there than were asked to be looked through."""
    outside = "outside"
    """The world outside the feeds."""
    bound = "bound"
    """Too many legs away, or past what one trace reads."""


class End(NamedTuple):
    account: str
    amount_minor: int
    kind: EndKind


@dataclass(frozen=True, slots=True)
class Traced:
    """Of `asked_minor` went to or came from `ends`, the largest first, what they say; the rest of
    what was asked backward is of unknown origin: it lay in the accounts before.

    `carried_minor`, by payment in the order of time: how much of it is the origins' money. Backward,
    which of the origins' money reached the account is known only by origin: the payments are those
    it may have come by, and None is said of each.
    """

    asked_minor: int
    ends: tuple[End, ...]
    carried_minor: dict[Payment, int | None]
    limits: tuple[Limit, ...]


def forward(ledger: Ledger, origins: Sequence[Payment], legs: int, hub: int, method: Method) -> Traced:
    """`origins`: payments of one account, of which there may be none. Blocks as `ledger` does."""
    walk = _Walk(ledger, hub, frozenset(payment.src for payment in origins))
    walk.known.update(origins)
    for _ in range(legs - 1):
        if not walk.follow(payment.dst for payment in walk.onward(origins)):
            break
    chosen, limits = _told_apart(origins)
    rows, payments = walk.payments(chosen)
    by_legs = carry(payments, len(walk.followed), legs, method).by_legs.tolist()
    carried: dict[Payment, int | None] = {}
    rests: Counter[str] = Counter()
    for row, minor in zip(rows, by_legs, strict=True):
        if minor:
            carried[row] = minor
            rests[row.dst] += minor
            rests[row.src] -= minor if row.src in walk.followed else 0
    asked = sum(payment.amount_minor for payment in origins)
    return Traced(asked, walk.ends(rests), carried, (*limits, *walk.limits()))


def backward(ledger: Ledger, asked: Sequence[Payment], legs: int, hub: int, method: Method) -> Traced:
    """`asked`: payments into one account, of which there may be none. Blocks as `ledger` does.

    How much of an origin's money `asked` brought is what is held of it when the account keeps what it is
    paid, less what is held when that goes out of sight.
    """
    wanted = frozenset(asked)
    walk = _Walk(ledger, hub, frozenset(payment.dst for payment in asked))
    walk.known.update(asked)
    for _ in range(legs - 1):
        if not walk.follow((payment.src for payment in walk.back(wanted)), only_paid=True):
            break
    ways = walk.back(wanted)
    chosen, limits = _told_apart([way for way in ways if way.src not in walk.followed])
    rows, payments = walk.payments(chosen)
    accounts = len(walk.followed) + 1
    arrives = np.array([row in wanted for row in rows], np.bool_)
    kept = payments._replace(payee=np.where(arrives, accounts - 1, payments.payee).astype(np.int32))
    held, held_without = (carry(each, accounts, legs, method).held for each in (kept, payments))
    came: Counter[str] = Counter()
    for row, minor in zip(rows, (held - held_without).tolist(), strict=True):
        came[row.src] += minor
    total = sum(payment.amount_minor for payment in asked)
    return Traced(total, walk.ends(came), dict.fromkeys(sorted(ways)), (*limits, *walk.limits()))


def _told_apart(origins: Sequence[Payment]) -> tuple[Sequence[Payment], tuple[Limit, ...]]:
    if len(origins) <= MAX_ORIGINS:
        return origins, ()
    largest = sorted(origins, key=lambda payment: (-payment.amount_minor, payment))
    return largest[:MAX_ORIGINS], (Limit(name="origins", bound=MAX_ORIGINS),)


@dataclass(slots=True)
class _Walk:
    """The accounts followed so far, and every payment in and out of them."""

    ledger: Ledger
    hub: int
    start: frozenset[str]
    known: set[Payment] = field(default_factory=set)
    followed: dict[str, int] = field(default_factory=dict)
    """Account → its place among those followed."""
    hubs: set[str] = field(default_factory=set)
    unpaid: set[str] = field(default_factory=set)
    """Nothing was paid to them: what they paid lay there before."""
    cut: set[tuple[str, int]] = field(default_factory=set)

    def follow(self, reached: Iterable[str], *, only_paid: bool = False) -> bool:
        """Follow the accounts that were not yet; False when that adds nothing."""
        passed = {*self.followed, *self.hubs, *self.unpaid, *self.start, OUTSIDE_TOKEN}
        fresh = [account for account in dict.fromkeys(reached) if account not in passed]
        room, left = MAX_ACCOUNTS - len(self.followed), MAX_PAYMENTS - len(self.known)
        if len(fresh) > room:
            self.cut.add(("accounts", MAX_ACCOUNTS))
            fresh = fresh[:room]
        if not fresh:
            return False
        found = [*self.ledger.out_of(fresh, self.hub + 1, left), *self.ledger.into(fresh, self.hub + 1, left)]
        if len(found) >= left:  # which of the accounts are whole is not known: none is followed
            self.cut.add(("payments", MAX_PAYMENTS))
            return False
        paid, got = Counter(row.src for row in found), Counter(row.dst for row in found)
        self.hubs.update(account for account in fresh if max(paid[account], got[account]) > self.hub)
        if only_paid:
            self.unpaid.update(account for account in fresh if not got[account])
        for account in fresh:
            if account not in self.hubs and account not in self.unpaid:
                self.followed[account] = len(self.followed)
        self.known.update(row for row in found if row.src in self.followed or row.dst in self.followed)
        return True

    def onward(self, origins: Collection[Payment]) -> list[Payment]:
        """The payments that money of `origins` can have taken, in the order of time."""
        first, reached = frozenset(origins), set[str]()
        ways = []
        for row in sorted(self.known):
            if row in first or row.src in reached:
                ways.append(row)
                reached.update({row.dst} & self.followed.keys())
        return ways

    def back(self, wanted: Collection[Payment]) -> list[Payment]:
        """The payments by which money of `wanted` can have come, the last first."""
        led = set[str]()
        ways = []
        for row in sorted(self.known, reverse=True):
            if row in wanted or row.dst in led:
                ways.append(row)
                led.update({row.src} & self.followed.keys())
        return ways

    def payments(self, origins: Collection[Payment]) -> tuple[list[Payment], Payments]:
        """What is known, in the order of time, and as attribution takes it."""
        rows, new = sorted(self.known), frozenset(origins)
        return rows, Payments(
            self._places(row.src for row in rows),
            self._places(row.dst for row in rows),
            np.array([row.amount_minor for row in rows], np.int64),
            np.array([row in new for row in rows], np.bool_),
        )

    def _places(self, accounts: Iterable[str]) -> Int32s:
        return np.array([self.followed.get(account, _NOT_FOLLOWED) for account in accounts], np.int32)

    def ends(self, minor: Counter[str]) -> tuple[End, ...]:
        ends = [End(account, amount, self._kind(account)) for account, amount in minor.items() if amount]
        return tuple(sorted(ends, key=lambda end: (-end.amount_minor, end.account)))

    def _kind(self, account: str) -> EndKind:
        if account in self.start:
            return EndKind.start
        if account == OUTSIDE_TOKEN:
            return EndKind.outside
        if account in self.hubs:
            return EndKind.hub
        if account in self.followed or account in self.unpaid:
            return EndKind.rests
        return EndKind.bound

    def limits(self) -> tuple[Limit, ...]:
        cut = {*self.cut, *([("hub", self.hub)] if self.hubs else [])}
        return tuple(Limit(name=name, bound=bound) for name, bound in sorted(cut))
