"""闲置账户突然启用: an account that lay idle for long takes in and pays out a large amount within days.

An account that had moved before rests for at least D days; then, within T days of its first movement,
at least a large amount comes in from others and at least as much goes out to others. Interest that a bank
credits and fees that it charges are no movements, so they neither wake an account nor keep it awake. The
first movement that the log has of an account is not a waking.

Not counted: money between accounts of one party; what comes in as a salary, a loan, a redemption or a
refund; what goes out as tax, salary or repayment, to schools and public bodies by the registry's trade, or
to the receiver with whom the account's last transfer before its rest was, as once a year, unless that one
gets more than twice as much now. Accounts that keep others' money or belong to a product are not judged.
Currencies are judged apart, the amount in minor units of each. Without purposes and trades all of it counts
and the finding is less sure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from schemas.alert import Citation, Factor, Limit, Subject, SubjectKind
from schemas.record import Bilingual
from schemas.registry import AccountRole
from schemas.transaction import Purpose
from services.detector.beijing import midnight_us
from services.detector.books.sleepers import Rows, Rule, Sleepers
from services.detector.explanations.dormant_wake import Wake, explanation
from services.detector.legs import Leg, legs_of
from services.detector.parties.entities import Entities
from services.detector.parties.marks import KEPT_FOR_OTHERS
from services.detector.severity import by_amount
from services.detector.sieve import Fact, sieve
from services.detector.typology import (
    Candidates,
    Context,
    Finding,
    Outcome,
    Step,
    Transfer,
    Typology,
    factor,
    in_force,
    lacking,
    least,
    parameter,
    shown,
)

_WHOLE: Final = 10_000
_YEAR_DAYS: Final = 365
_KEEPERS: Final = KEPT_FOR_OTHERS | {AccountRole.product_vehicle, AccountRole.guarantee}
_BANKS_OWN: Final = (Purpose.interest, Purpose.fee)
_MOVES: Final = sieve(purposes=set(Purpose) - set(_BANKS_OWN), facts=Fact.between_two)
_EXPLAINED_IN: Final = (
    *_BANKS_OWN,
    Purpose.salary,
    Purpose.disburse,
    Purpose.redemption,
    Purpose.refund,
)
_EXPLAINED_OUT: Final = (*_BANKS_OWN, Purpose.tax, Purpose.salary, Purpose.repay)


@dataclass(frozen=True, slots=True)
class Parameters:
    """D, T and the large amount."""

    idle_days: int = parameter(180, "Yin Fa 2016-261 (s): six months without a transaction")
    within_days: int = parameter(
        14, "PBoC Order 2006-2 (s): 'short term' is ten business days; T, counted from the day of waking"
    )
    floor_minor: int = parameter(10_000_000, "assumption: CNY 100,000, above a year's tuition")
    yearly_growth_bp: int = parameter(20_000, "assumption: what is paid once a year does not double")
    public_industries: tuple[str, ...] = parameter(("P", "S"), "GB/T 4754: education; public bodies")
    max_legs: int = parameter(1_000, "bound on the transfers after waking that are looked at")


class _Woken(NamedTuple):
    """Just after a row: when the account woke, after how long, its last counterparty before and how much
    moved between them."""

    woke_day: int
    idle_days: int
    before: int
    before_minor: int


class DormantWake(Typology):
    id = "dormant_wake"
    name = Bilingual(zh="闲置账户突然启用", en="A dormant account wakes")
    law = (Citation(document="GO", article="十八"),)
    parameters = Parameters
    needs = ("registry.account", "registry.party", "feed.purpose")
    look_alikes = (
        Bilingual(zh="每年一次的缴税", en="yearly tax"),
        Bilingual(zh="学费", en="tuition"),
    )

    def __init__(self) -> None:
        self._sleepers = Sleepers()
        self._woken: dict[tuple[int, int], _Woken] = {}
        """Of this batch, by row and account."""

    def candidates(self, step: Step) -> Candidates:
        """Movements of accounts that have woken, once they have moved enough in and out."""
        applied = step.applied
        rows = Rows(applied.src, applied.dst, applied.ts_us, applied.amount_minor, applied.currency)
        rule = Rule(*(least(Parameters, self.id, name, step) for name in Rule._fields))
        woken = self._sleepers.count(applied.accounts, rows, step.passing(_MOVES), rule)
        self._woken = {(row, account): _Woken(*one) for row, account, *one in woken.tolist()}
        return Candidates(woken["row"].astype(np.intp), woken["account"])

    def confirm(self, context: Context, transfer: Transfer) -> Outcome:
        parameters = in_force(Parameters, self.id, context.rules)
        woken = self._woken[transfer.row, transfer.account]
        entities = Entities(context)
        if (
            transfer.is_reversal
            or woken.idle_days < parameters.idle_days
            or entities.roles(transfer.account) & _KEEPERS
        ):
            return None
        return _Case(context, entities, transfer, woken, parameters).finding()


class _Case:
    """What an account has moved since it woke, in the currency of the transfer."""

    def __init__(
        self,
        context: Context,
        entities: Entities,
        transfer: Transfer,
        woken: _Woken,
        parameters: Parameters,
    ) -> None:
        self._context = context
        self._entities = entities
        self._account = transfer.account
        self._currency = transfer.currency
        self._woken = woken
        self._p = parameters
        self._own = entities.entity(transfer.account)
        since_us = midnight_us(woken.woke_day)
        until_us = midnight_us(woken.woke_day + parameters.within_days + 1) - 1
        window = (self._account, since_us, until_us, context.as_of, parameters.max_legs)
        came, left = context.graph.edges_in(*window), context.graph.edges_out(*window)
        self._truncated = came.truncated or left.truncated
        mine = (came.currency == self._currency) & ~np.isin(came.purpose, _EXPLAINED_IN)
        self._came = [leg for leg in legs_of(came, mine) if entities.entity(leg.src) != self._own]
        mine = (left.currency == self._currency) & ~np.isin(left.purpose, _EXPLAINED_OUT)
        legs = legs_of(left, mine)
        yearly = self._yearly(legs)
        self._left = [leg for leg in legs if self._is_odd(leg, yearly)]

    def _yearly(self, legs: Sequence[Leg]) -> str | None:
        """The last counterparty before the rest, where it gets no more now than what one pays once a year."""
        if self._woken.before <= 0:
            return None
        entity = self._entities.entity(self._woken.before)
        minor = sum(leg.amount_minor for leg in legs if self._entities.entity(leg.dst) == entity)
        most = self._woken.before_minor * self._p.yearly_growth_bp
        return entity if minor * _WHOLE <= most else None

    def _is_odd(self, leg: Leg, yearly: str | None) -> bool:
        """It goes to nobody whom one pays once a year."""
        if leg.dst == 0:
            return True
        entity = self._entities.entity(leg.dst)
        is_public = self._entities.industry(leg.dst) in self._p.public_industries
        return entity not in (self._own, yearly) and not is_public

    def finding(self) -> Finding | None:
        came_minor = sum(leg.amount_minor for leg in self._came)
        left_minor = sum(leg.amount_minor for leg in self._left)
        if min(came_minor, left_minor) < self._p.floor_minor:
            return None
        context, legs = self._context, [*self._came, *self._left]
        token, currency = context.token(self._account), context.graph.currency(self._currency)
        ties = self._entities.ties(self._account)
        missing = self._missing()
        wake = Wake(
            token,
            min(leg.ts_us for leg in legs),
            max(leg.ts_us for leg in legs),
            self._woken.idle_days,
            came_minor,
            left_minor,
            currency,
        )
        cut = (Limit(name="legs", bound=self._p.max_legs),) if self._truncated else ()
        return Finding(
            subject=Subject(kind=SubjectKind.account, id=token),
            institution_id=ties[0] if ties else None,
            accounts=(self._account,),
            attributed={leg.seq: leg.amount_minor for leg in legs},
            amount_minor=came_minor,
            currency=currency,
            confidence=self._confidence(came_minor, left_minor, missing),
            severity=(
                factor("rule", 20, "闲置账户突然大额收付", "a dormant account moves a large amount"),
                by_amount(came_minor, currency),
            ),
            law=DormantWake.law,
            parameters=shown(self._p),
            explanation=explanation(wake),
            missing=missing,
            limits=(*cut, *context.limits),
        )

    def _missing(self) -> tuple[str, ...]:
        unstated = sum(leg.purpose is Purpose.unknown for leg in (*self._came, *self._left))
        known = [self._is_known(leg.dst) for leg in self._left if leg.dst > 0]
        missing = {
            "registry.account": not self._entities.accounts(self._account),
            "registry.party": bool(known) and not any(known),
            "feed.purpose": 2 * unstated > len(self._came) + len(self._left),
        }
        return tuple(name for name, is_missing in missing.items() if is_missing)

    def _is_known(self, account: int) -> bool:
        party = self._entities.party(account)
        return party is not None and self._context.registry.party(party, self._context.now_us) is not None

    def _confidence(self, came_minor: int, left_minor: int, missing: tuple[str, ...]) -> tuple[Factor, ...]:
        days = self._woken.idle_days
        factors = [factor("idle", 45, f"闲置 {days} 天后启用", f"woken after {days} idle days")]
        if days >= _YEAR_DAYS:
            factors.append(factor("a_year", 10, "闲置超过一年", "idle for a year or more"))
        if left_minor * _WHOLE >= came_minor * 9_000:
            factors.append(factor("emptied", 15, "转入资金几乎全部转出", "nearly all of it left again"))
        return (*factors, *lacking(missing))
