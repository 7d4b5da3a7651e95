"""快进快出: what comes into an account leaves it at once, again and again, and nothing stays.

An account takes money in, and within T of the first of it at least φ of it has left, and not more than
that over what came: a turn. It fires when the account has made R turns of at least a floor within the
window, and what passed in them is at least φ of all that came in: so nothing much stays. Money from and
to the account's own party's other accounts does not count as passing.

Settlement accounts and others that keep or collect many people's money by their registered role are not
judged, nor are agents with a filing, nor accounts with more payers than a few, which gather money rather
than pass it. Only transfers whose purpose says nothing of an ordinary business begin or end a turn: sales,
salaries, taxes, loans' instalments do not. Where the feed leaves purposes out, every transfer may, and the
finding is less sure. Each currency is judged by itself, the floor in its own minor units.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from schemas.alert import Citation, Factor, Limit, Subject, SubjectKind
from schemas.instant import DAY, HOUR
from schemas.record import Bilingual
from schemas.registry import AccountRole
from schemas.transaction import Purpose
from services.detector.books.quick_turns import QuickTurns, Rows, Rule, Turn, turns_of
from services.detector.explanations.pass_through import Passed, explanation
from services.detector.legs import Leg, legs_of, merged, some_of
from services.detector.parties.agents import is_filed_agent
from services.detector.parties.entities import Entities
from services.detector.parties.marks import KEPT_FOR_OTHERS, bits_of
from services.detector.purposes import among
from services.detector.severity import by_amount
from services.detector.sieve import Fact, either, sieve
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
_SETTLING: Final = KEPT_FOR_OTHERS | {
    AccountRole.merchant_settlement,
    AccountRole.product_vehicle,
    AccountRole.guarantee,
}
_SETTLING_MARKS: Final = bits_of(_SETTLING)
_OTHER_MARKS: Final = bits_of(set(AccountRole) - _SETTLING)
_PASSING: Final = (
    Purpose.unknown,
    Purpose.transfer,
    Purpose.recharge,
    Purpose.top_up,
    Purpose.withdraw,
    Purpose.invest,
    Purpose.disburse,
)
_MAY_PASS: Final = among(_PASSING)
_COMES: Final = either(
    sieve(not_payee=_SETTLING_MARKS, purposes=_PASSING, facts=Fact.known_payee | Fact.between_two),
    sieve(payee=_OTHER_MARKS, purposes=_PASSING, facts=Fact.known_payee | Fact.between_two),
)
_LEAVES: Final = either(
    sieve(not_payer=_SETTLING_MARKS, purposes=_PASSING, facts=Fact.known_payer | Fact.between_two),
    sieve(payer=_OTHER_MARKS, purposes=_PASSING, facts=Fact.known_payer | Fact.between_two),
)


@dataclass(frozen=True, slots=True)
class Parameters:
    """φ, T, R of the catalogue."""

    window_days: int = parameter(30, "assumption: a month")
    share_bp: int = parameter(9_000, "assumption: φ")
    within_hours: int = parameter(48, "assumption: T, by the close of the next day")
    min_turns: int = parameter(3, "assumption: R, looser than PBoC Order 2006-2 (s): three days running")
    floor_minor: int = parameter(2_000_000, "assumption: CNY 20,000, above a month's salary for most")
    max_payers: int = parameter(20, "assumption: who has more payers gathers money")
    max_legs: int = parameter(2_000, "bound on the transfers of one account that are looked at")

    @property
    def rule(self) -> Rule:
        return Rule(self.floor_minor, self.share_bp, self.within_hours * HOUR, self.window_days * DAY)


class PassThrough(Typology):
    id = "pass_through"
    name = Bilingual(zh="快进快出", en="Pass-through")
    law = (Citation(document="GO", article="十八"),)
    parameters = Parameters
    needs = ("registry.account", "feed.purpose")
    look_alikes = (
        Bilingual(zh="结算账户", en="settlement accounts"),
        Bilingual(zh="已备案的代收代付机构", en="agents with a filing"),
        Bilingual(zh="工资到账后付房租和信用卡", en="a salary that pays rent and cards"),
    )

    def __init__(self) -> None:
        self._turns = QuickTurns()

    def candidates(self, step: Step) -> Candidates:
        """Transfers that end a turn of their payer, when it may have made enough of them."""
        applied = step.applied
        comes, leaves = np.zeros((2, step.batch.rows), np.bool_)
        comes[step.passing(_COMES)] = True
        leaves[step.passing(_LEAVES)] = True
        rows = Rows(
            applied.src,
            applied.dst,
            applied.ts_us,
            applied.amount_minor,
            applied.currency,
            comes,
            leaves,
        )
        turns = self._turns.count(applied.accounts, rows, in_force(Parameters, self.id, step.rules[0]).rule)
        found = (turns >= least(Parameters, self.id, "min_turns", step)).nonzero()[0]
        return Candidates(found, applied.src[found])

    def confirm(self, context: Context, transfer: Transfer) -> Outcome:
        entities = Entities(context)
        account = transfer.account
        if transfer.is_reversal or entities.roles(account) & _SETTLING:
            return None
        party = entities.party(account)
        if party is not None and is_filed_agent(context, party):
            return None
        parameters = in_force(Parameters, self.id, context.rules)
        return _Case(context, entities, transfer, parameters).finding()


class _Case:
    """One account's month as it stands, in the currency of the transfer."""

    def __init__(
        self, context: Context, entities: Entities, transfer: Transfer, parameters: Parameters
    ) -> None:
        self._context = context
        self._entities = entities
        self._account = transfer.account
        self._currency = transfer.currency
        self._p = parameters
        since_us = context.now_us - parameters.window_days * DAY
        window = (self._account, since_us, context.now_us, context.as_of, parameters.max_legs)
        both = merged(context.graph.edges_in(*window), context.graph.edges_out(*window))
        self._edges = some_of(both, (both.currency == self._currency) & (both.src != both.dst))
        self._truncated = both.truncated

    def finding(self) -> Finding | None:
        edges, account = self._edges, self._account
        passing = legs_of(edges, _MAY_PASS[edges.purpose])
        turns = [one for one in turns_of(passing, account, self._p.rule) if self._is_others(one)]
        minor = sum(one.came_minor for one in turns)
        came_minor = int(edges.amount_minor[edges.dst == account].sum())
        payers = np.unique(edges.src[edges.dst == account]).size
        stays = minor * _WHOLE < self._p.share_bp * came_minor
        if len(turns) < self._p.min_turns or stays or payers > self._p.max_payers:
            return None
        return self._found(turns, minor, came_minor)

    def _is_others(self, turn: Turn) -> bool:
        """What it passed came from and went to other parties."""
        own = self._entities.entity(self._account)
        came = sum(leg.amount_minor for leg in turn.came if self._entities.entity(leg.src) != own)
        left = sum(leg.amount_minor for leg in turn.left if self._entities.entity(leg.dst) != own)
        return min(came, left) * _WHOLE >= self._p.share_bp * turn.came_minor

    def _found(self, turns: list[Turn], minor: int, came_minor: int) -> Finding:
        context = self._context
        legs = [leg for turn in turns for leg in (*turn.came, *turn.left)]
        token, currency = context.token(self._account), context.graph.currency(self._currency)
        ties = self._entities.ties(self._account)
        missing = self._missing(legs)
        passed = Passed(
            token,
            min(leg.ts_us for leg in legs),
            max(leg.ts_us for leg in legs),
            len(turns),
            minor,
            came_minor,
            self._p.within_hours,
            currency,
        )
        return Finding(
            subject=Subject(kind=SubjectKind.account, id=token),
            institution_id=ties[0] if ties else None,
            accounts=(self._account,),
            attributed={leg.seq: leg.amount_minor for leg in legs},
            amount_minor=minor,
            currency=currency,
            confidence=self._confidence(turns, missing),
            severity=(
                factor("rule", 25, "资金快进快出，疑似过渡账户", "an account that only passes money on"),
                by_amount(minor, currency),
            ),
            law=PassThrough.law,
            parameters=shown(self._p),
            explanation=explanation(passed),
            missing=missing,
            limits=self._limits(),
        )

    def _limits(self) -> tuple[Limit, ...]:
        cut = (Limit(name="legs", bound=self._p.max_legs),) if self._truncated else ()
        return (*cut, *self._context.limits)

    def _missing(self, legs: list[Leg]) -> tuple[str, ...]:
        missing = {
            "registry.account": not self._entities.accounts(self._account),
            "feed.purpose": 2 * sum(leg.purpose is Purpose.unknown for leg in legs) > len(legs),
        }
        return tuple(name for name, is_missing in missing.items() if is_missing)

    def _confidence(self, turns: list[Turn], missing: tuple[str, ...]) -> tuple[Factor, ...]:
        count = len(turns)
        factors = [factor("turns", min(60, 30 + 4 * count), f"共 {count} 次快进快出", f"{count} turns")]
        payees = {leg.dst for turn in turns for leg in turn.left}
        if len(payees) * 2 <= count:
            factors.append(factor("payees", 10, "收款方集中", "few receivers"))
        return (*factors, *lacking(missing))
