"""The accounts that an institution controls: what they hold together."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, NamedTuple

from schemas.alert import Limit
from schemas.balance import BalanceKind
from schemas.instant import DAY
from schemas.registry import AccountRole
from services.detector.books.running_balance import Between
from services.detector.parties.entities import Entities
from services.detector.typology import Context

MAX_ACCOUNTS: Final = 100
"""Of one institution; of more, those seen first are counted."""


class Held(NamedTuple):
    """`stated`: every account's balance rests on its bank's statement, not on the flows seen alone, and
    there is one."""

    minor: int
    stated: bool


class Controlled:
    """The accounts in the business of `institution_id` that have one of `roles` now, in one currency; with
    a `product`, those that keep its money. The roles are INSTITUTIONAL, services.detector.parties.marks."""

    def __init__(
        self,
        context: Context,
        institution_id: str,
        roles: Collection[AccountRole],
        currency: str,
        days: int,
        max_edges: int,
        product: str = "",
    ) -> None:
        """`days`: how far back the graph is asked for flows, at most `max_edges` of an account each way."""
        self._context = context
        self._currency = currency
        self._days = days
        self._max_edges = max_edges
        entities = Entities(context)
        found = [
            account
            for account in context.business_of(institution_id)
            if any(
                one.role in roles and one.institution_id == institution_id and product in ("", one.product_id)
                for one in entities.accounts(account)
            )
        ]
        self.accounts = tuple(found[:MAX_ACCOUNTS])
        self.limits = (Limit(name="accounts", bound=MAX_ACCOUNTS),) if len(found) > MAX_ACCOUNTS else ()

    def held(self) -> Held:
        """Now: of each account the last statement and the flows since, else what came in and has not left
        over the days that the graph is asked for."""
        balances = [self._balance(account) for account in self.accounts]
        return Held(
            sum(one.minor for one in balances), bool(balances) and all(one.stated for one in balances)
        )

    def _balance(self, account: int) -> Held:
        now_us, since_us = self._context.now_us, self._context.now_us - self._days * DAY
        flows = Between(self._context, account, self._currency, self._max_edges)
        last = self._context.balances.until(account, BalanceKind.booked, self._currency, now_us)
        if last is not None and last.as_of_us >= since_us:
            since = flows.flow(last.as_of_us, now_us)
            return Held(last.minor + (since.net if since else 0), since is not None)
        seen = flows.flow(since_us, now_us)
        return Held(max(0, seen.net) if seen else 0, False)
