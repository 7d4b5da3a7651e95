"""Which listing replaced another: with what money a listing was repaid, by its borrower or by custody."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Final, NamedTuple, Protocol

import numpy as np

from compiled import Int32s, Int64s
from schemas.instant import DAY
from schemas.transaction import Purpose
from services.detector.books.listings import Listings
from services.detector.books.loan_book import Loan, LoanBook
from services.detector.books.loan_flows import ASSET, UNSTATED, Flow
from services.detector.graph import Edges
from services.detector.legs import Leg, legs_of
from services.detector.parties.entities import Entities
from services.detector.parties.marks import BORROWER, CUSTODY, REGISTERED
from services.detector.purposes import among
from services.detector.typology import Context, Transfer

MAX_LEGS: Final = 40
"""Of a replacement, the latest."""
_WHOLE: Final = 10_000
_INVESTED: Final = among({Purpose.invest, *UNSTATED})
_PRINCIPAL: Final = among({Purpose.repay, Purpose.redemption, *UNSTATED})


class Settings(Protocol):
    @property
    def days(self) -> int: ...
    @property
    def share_bp(self) -> int: ...
    @property
    def tolerance_bp(self) -> int: ...
    @property
    def max_edges(self) -> int: ...
    @property
    def max_payers(self) -> int: ...


class Replacement(NamedTuple):
    """The listing `before` was repaid with `minor` of what `after` had brought."""

    before: int
    after: int
    minor: int
    legs: tuple[Leg, ...]


def most_principal(book: LoanBook, products: Int32s) -> Int64s:
    """No row of the batch finds more principal under its listing."""
    raised = book.most(products, Flow.invested) - book.least(products, Flow.refunded)
    most: Int64s = np.maximum(book.most(products, Flow.disbursed), raised)
    return most


class Repaid:
    """One repayment of a listing, by its borrower or out of custody, and what it may have come from."""

    def __init__(self, context: Context, transfer: Transfer, settings: Settings) -> None:
        self._context = context
        self._transfer = transfer
        self._s = settings
        self._entities = Entities(context)
        self.listings = Listings(context, self._entities)
        self._product = transfer.product
        self._principal = self.principal(self._product)

    @cached_property
    def _party(self) -> str | None:
        return self.borrower(self._product)

    @property
    def is_whole(self) -> bool:
        """Nearly all of the principal is back, with the borrower's money or without."""
        book, product = self._context.book, self._product
        if self._transfer.account == self._transfer.dst:
            back = book.total(product, Flow.repaid)
        else:
            back = book.total(product, Flow.paid) - book.total(product, *ASSET)
        return self._principal > 0 and self._covers(back)

    def borrower(self, product: int) -> str | None:
        """The party that borrows under the listing."""
        loan = self._context.book.loan(product)
        return self.listings.borrower(product, loan.borrower if loan else 0)

    def principal(self, product: int) -> int:
        """What was disbursed; before anything was, what was raised."""
        book = self._context.book
        disbursed = book.total(product, Flow.disbursed)
        return disbursed or book.total(product, Flow.invested) - book.total(product, Flow.refunded)

    def replacement(self) -> Replacement | None:
        if self._transfer.account == self._transfer.dst:
            return self._by_borrower()
        return self._by_custody()

    def _by_borrower(self) -> Replacement | None:
        """By a listing disbursed within D days before to the borrower, or to the related party that repays
        for him; else by one whose borrower handed the money on to the payer."""
        payer = self._transfer.src
        for whose in dict.fromkeys((self._party, self._holder(payer))):
            for loan in self._recent(whose, payer) if self._is_near(whose) else ():
                if (found := self._replaced(loan, ())) is not None:
                    return found
        came = self._edges_in(payer, self._transfer.ts_us - self._s.days * DAY)
        for giver in self._givers(came):
            handed, whose = came.src == giver, self._holder(giver)
            if not self._covers(int(came.amount_minor[handed].sum())) or not self._is_near(whose):
                continue
            for loan in self._recent(whose, giver):
                legs = legs_of(came, handed & (came.ts_us >= loan.first_us))
                found = self._replaced(loan, legs) if self._covers(_sum(legs)) else None
                if found is not None:
                    return found
        return None

    def _givers(self, came: Edges) -> list[int]:
        """Who paid the payer, and has borrowed or is not known."""
        marks = self._context.marks[came.src]
        may = ((marks & BORROWER) != 0) | ((marks & REGISTERED) == 0)
        givers: list[int] = np.unique(came.src[may & ((marks & CUSTODY) == 0) & (came.src > 0)]).tolist()
        return givers[: self._s.max_payers]

    def _replaced(self, loan: Loan, handed: Sequence[Leg]) -> Replacement | None:
        """By that loan: None where too little of this listing was repaid since."""
        repaid = list(self._repayments(loan))
        minor = _sum(repaid)
        if not self._covers(minor):
            return None
        came = self._edges_in(loan.borrower, loan.first_us)
        lent = legs_of(came, (came.product == loan.product) & (came.src == loan.custody))
        return self._by(loan.product, minor, (*lent, *handed, *repaid))

    def _by_custody(self) -> Replacement | None:
        """By a listing whose investors' money went to the investors of this one."""
        context, book, custody = self._context, self._context.book, self._transfer.src
        since_us = self._transfer.ts_us - self._s.days * DAY
        into = self._edges_in(custody, since_us)
        is_invested = (into.product > 0) & _INVESTED[into.purpose]
        for product in reversed(np.unique(into.product[is_invested]).tolist()):
            kept = book.total(product, Flow.invested)
            kept -= book.total(product, Flow.refunded, Flow.disbursed)
            if product == self._product or not self._is_alike(product) or not self._covers(kept):
                continue
            record = self.listings.record(product)
            whose = record.borrower_party_id if record else None
            if whose is None or self._party is None or not self._is_near(whose):
                continue
            invested = legs_of(into, is_invested & (into.product == product))
            if self._covers(_sum(invested)):
                out = context.graph.edges_out(custody, since_us, *self._until)
                paid = legs_of(out, (out.product == self._product) & _PRINCIPAL[out.purpose])
                half = MAX_LEGS // 2
                return self._by(product, min(kept, _sum(paid)), (*invested[-half:], *paid[-half:]))
        return None

    def _by(self, after: int, minor: int, legs: tuple[Leg, ...]) -> Replacement:
        return Replacement(self._product, after, minor, legs[-MAX_LEGS:])

    def _recent(self, party: str | None, account: int) -> Iterator[Loan]:
        """What the party, else the account, borrowed within D days before now, of about this principal; the
        latest first."""
        now_us = self._transfer.ts_us
        loans = list(self.listings.loans(party)) if party else self._context.book.loans_of(account)
        for loan in reversed(loans):
            is_recent = now_us - self._s.days * DAY <= loan.first_us <= now_us
            if is_recent and loan.product not in (0, self._product) and self._is_alike(loan.product):
                yield loan

    def _repayments(self, after: Loan) -> Iterator[Leg]:
        """Of this listing, since the next was disbursed."""
        for account in sorted({self._transfer.src, after.borrower}):
            out = self._context.graph.edges_out(account, after.first_us, *self._until)
            into_custody = (self._context.marks[out.dst] & CUSTODY) != 0
            is_repaid = (out.product == self._product) & _PRINCIPAL[out.purpose]
            yield from legs_of(out, is_repaid & into_custody)

    @property
    def _until(self) -> tuple[int, int, int]:
        return self._context.now_us, self._context.as_of, self._s.max_edges

    def _edges_in(self, account: int, since_us: int) -> Edges:
        return self._context.graph.edges_in(account, since_us, *self._until)

    def _holder(self, account: int) -> str | None:
        return self._entities.party(account)

    def _is_near(self, party: str | None) -> bool:
        """The borrower or a related party of his, as far as anybody knows both."""
        if party is None or self._party is None or party == self._party:
            return True
        return self._context.registry.related_to(self._party, party, self._context.now_us) is not None

    def _covers(self, minor: int) -> bool:
        return minor * _WHOLE >= self._s.share_bp * self._principal

    def _is_alike(self, product: int) -> bool:
        """Of about the same principal."""
        apart = abs(self.principal(product) - self._principal)
        return apart * _WHOLE <= self._s.tolerance_bp * self._principal


def _sum(legs: Sequence[Leg]) -> int:
    return sum(leg.amount_minor for leg in legs)
