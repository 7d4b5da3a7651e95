"""What every planted case is made with: its own people and companies, its label, its moves.

A variant is a function of a Plan: it casts the case and returns the script that plays it. Casting
happens once, when the world is made; a script is started anew each time the world is played.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from schemas.instant import HOUR, MINUTE, SECOND
from schemas.registry import AccountRole, InstitutionKind, PartyKind, RelationKind
from schemas.transaction import Purpose
from simulator import parameters as p
from simulator.cast import Cast, PaymentInstitution, Platform
from simulator.dates import Date
from simulator.flows import NONE, Channel
from simulator.institutions import found_platform
from simulator.loans import Listing, ListingPlan, Loan
from simulator.streams import Ints, shares
from simulator.today import Script, Today

Play = Callable[[np.random.Generator], Script]
"""Starts the case's script; it draws from the generator it is given."""

CLUMSY, ORDINARY, CAREFUL = "clumsy", "ordinary", "careful"
UPKEEP = "upkeep"
"""Variant of the instalments that a platform's side pays on its planted loans: they have no end."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Where, when and with whom one case of `variant` happens. `day` is the first on which it may act."""

    cast: Cast
    listings: ListingPlan
    start_us: int
    day: int
    rng: np.random.Generator
    typology: str
    variant: Variant

    def platform(self) -> tuple[int, Platform]:
        rogues = [number for number, platform in enumerate(self.cast.platforms) if platform.rogue]
        number = int(self.rng.choice(rogues))
        return number, self.cast.platforms[number]

    def payment_institution(self) -> PaymentInstitution:
        rogues = [firm for firm in self.cast.payment_institutions if firm.rogue]
        return rogues[int(self.rng.integers(0, len(rogues)))]

    def bank(self) -> str:
        banks = self.cast.register.banks[:-1]
        return banks[int(self.rng.integers(0, len(banks)))]

    def company(self, name: str, industry: str, role: AccountRole | None = AccountRole.external) -> int:
        """Account of a new company; `role` None: the registry does not know the account."""
        party = self.cast.register.company(f"{name}{len(self.cast.register.parties)}有限公司", industry)
        return self.cast.register.account(party, self.bank(), "company", 3_000 * p.YUAN, role)

    def person(self, role: AccountRole | None = AccountRole.external) -> int:
        party = self.cast.register.party(PartyKind.person)
        return self.cast.register.account(party, self.bank(), "person", 2_000 * p.YUAN, role)

    def party_of(self, account: int) -> str:
        return self.cast.register.accounts[account].party_id

    def label(self, accounts: tuple[int, ...]) -> int:
        """The case's pattern; the first of `accounts` is its main one."""
        variant = self.variant
        return self.cast.register.pattern(
            self.typology,
            accounts,
            variant=variant.name,
            illicit=True,
            care=variant.care,
            also=variant.also,
            by_evening=variant.by_evening,
        )

    def venture(self, clients: int) -> Platform:
        """A small platform of the case's own, in nobody else's business. People of the world are its
        clients; what they do there is the script's to play."""
        register, people = self.cast.register, self.cast.people
        number = sum(i.institution_kind is InstitutionKind.p2p for i in register.institutions)
        joined = np.sort(self.rng.choice(len(people.card), clients, replace=False))
        return replace(found_platform(register, self.rng, number, joined, people), rogue=True)

    def insider(self, platform: Platform, relation: RelationKind = RelationKind.director) -> int:
        """Account of a new person who belongs to the platform."""
        account = self.person()
        self.cast.register.ties(self.party_of(account), platform.party, relation)
        return account

    def listing(
        self,
        platform: int,
        borrower: int,
        principal: int,
        pattern: int,
        sponsor: int,
        *,
        firm: bool,
        delay: int = 0,
    ) -> Listing:
        """A listing that opens in the morning, `delay` days after the case's first; `sponsor` keeps up its
        instalments, which is self-guarantee without an end where the sponsor is of the platform."""
        open_us = Date(self.day + delay, self.start_us).at(8 + int(self.rng.integers(0, 120)) / 60)
        rate_bp = int(self.rng.integers(900, 1_500)) // 10 * 10
        upkeep = NONE
        if sponsor not in (NONE, borrower) and self._belongs(sponsor, self.cast.platforms[platform]):
            accounts, also = (sponsor, borrower), (self.typology, "platform_lending")
            upkeep = self.cast.register.pattern(
                "self_guarantee", accounts, variant=UPKEEP, illicit=True, also=also
            )
        return self.listings.add(
            platform,
            borrower,
            principal,
            rate_bp,
            12,
            open_us,
            firm=firm,
            pattern=pattern,
            sponsor=sponsor,
            upkeep=upkeep,
        )

    def _belongs(self, account: int, platform: Platform) -> bool:
        """Its holder is the platform or tied to it, directly or over one other."""
        near = {platform.party}
        for _ in range(2):
            ties = [(tie.from_id, tie.to_id) for tie in self.cast.register.relations]
            near |= {one for tie in ties if near.intersection(tie) for one in tie}
        return self.party_of(account) in near

    def product(
        self,
        platform: Platform,
        borrower: int,
        principal: int,
        rate_bp: int,
        days: int,
        *,
        delay: int = 0,
    ) -> int:
        """A product the script itself sells, issued `delay` days after the case's first, for `days` days."""
        open_us = Date(self.day + delay, self.start_us).at(8)
        return self.listings.register(platform.institution_id, borrower, principal, rate_bp, open_us, days)

    def clients(self, platform: Platform, count: int) -> Ints:
        """Positions among the platform's clients."""
        chosen: Ints = self.rng.choice(
            len(platform.clients), min(count, len(platform.clients)), replace=False
        )
        return chosen

    def firms(self, count: int) -> Ints:
        """Accounts of honest firms."""
        every = np.array([firm.account for firm in self.cast.firms], dtype=np.int64)
        chosen: Ints = self.rng.choice(every, min(count, len(every)), replace=False)
        return chosen


class Variant(NamedTuple):
    """One way to do it. `days`: the days within which it has come to its end, the first one included.
    `also`: other typologies that the same conduct truthfully breaks. `by_evening`: the same transfers,
    undone on their day, are an honest correction, so that they prove nothing before the day ends."""

    prepare: Callable[[Plan], Play]
    care: str
    days: int = p.ROUND_DAYS - p.LATEST_START
    also: tuple[str, ...] = ()
    by_evening: bool = False

    @property
    def name(self) -> str:
        return self.prepare.__name__


def until(today: Today, day: int) -> Generator[None, Today, Today]:
    """Wait for `day`; returns at once when it is already there."""
    while today.day < day:
        today = yield
    return today


def until_held(today: Today, account: int, least: int) -> Generator[None, Today, Today]:
    """Wait for a morning on which the account holds so much."""
    while today.ledger.spendable[account] < least:
        today = yield
    return today


def wait(today: Today, rng: np.random.Generator, least: int, most: int) -> Generator[None, Today, Today]:
    """Some days from `least` to `most`, and then for a working day."""
    today = yield from until(today, today.day + int(rng.integers(least, most + 1)))
    while not today.date.working:
        today = yield
    return today


def until_disbursed(today: Today, listing: Listing) -> Generator[None, Today, tuple[Today, Loan]]:
    while True:
        for loan in today.disbursed:
            if loan.listing is listing:
                return today, loan
        today = yield


def until_all_disbursed(
    today: Today, listings: Sequence[Listing]
) -> Generator[None, Today, tuple[Today, list[Loan]]]:
    """The day on which the last of them is paid out, and all their loans in the order of payment."""
    loans: list[Loan] = []
    while True:
        loans += [loan for loan in today.disbursed if loan.listing in listings]
        if len(loans) == len(listings):
            return today, loans
        today = yield


def office_moment(today: Today, rng: np.random.Generator) -> int:
    return today.date.at(9) + int(rng.integers(0, 8 * 3600)) * SECOND


def gather(
    today: Today,
    rng: np.random.Generator,
    payers: Ints,
    collector: int,
    amounts: tuple[int, int],
    purpose: Purpose,
    channel: Channel,
    pattern: int,
) -> int:
    """Each payer sends the collector an amount within `amounts`, as far as it has it. Returns the total."""
    least, most = amounts
    wish = np.minimum(rng.integers(least, most + 1, len(payers)), today.ledger.spendable[payers])
    wish = np.where(wish < least, 0, wish // (100 * p.YUAN) * 100 * p.YUAN)
    at = today.date.at(8) + rng.integers(0, 13 * 3600, len(payers)) * SECOND
    paid = today.pay(payers, collector, wish, at, purpose, channel=channel, pattern=pattern)
    return int(wish[paid].sum())


def pay_on(
    today: Today,
    rng: np.random.Generator,
    src: int,
    receivers: Ints,
    total: int,
    purpose: Purpose,
    pattern: int,
    *,
    step: int = 100 * p.YUAN,
) -> None:
    """`total` out of what `src` held this morning, in uneven parts, one to each receiver."""
    at = today.date.at(9) + np.sort(rng.integers(0, 8 * 3600, len(receivers))) * SECOND
    today.pay(src, receivers, shares(rng, total, len(receivers), step), at, purpose, pattern=pattern)


def pass_on(
    today: Today,
    rng: np.random.Generator,
    src: int,
    dst: int,
    amount: int,
    received_us: int,
    pattern: int,
    purpose: Purpose = Purpose.transfer,
    product: int = NONE,
) -> int:
    """The same day, some minutes or hours after it was received. Returns when."""
    latest = max(today.date.at(23.5) - received_us, 20 * MINUTE)
    at = received_us + int(rng.integers(10 * MINUTE, min(4 * HOUR, latest))) // SECOND * SECOND
    today.flows.add(src, dst, amount, at, purpose, product=product, pattern=pattern)
    return at
