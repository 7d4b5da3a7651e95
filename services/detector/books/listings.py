"""Who is behind a listing of the loan book: its platform, its borrower, its name, as of a confirmation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from schemas.registry import AccountRole, InstitutionKind, Product
from services.detector.books.loan_book import Loan
from services.detector.parties.entities import OWN_MONEY, Entities
from services.detector.typology import Context
from services.detector.wording import masked

_PLATFORMS_ACCOUNTS: Final = OWN_MONEY | {AccountRole.custody}


class Listings:
    """Products are the graph's codes; 0 is none. `account`: of the platform, where money was booked."""

    def __init__(self, context: Context, entities: Entities) -> None:
        self._context = context
        self._entities = entities

    def record(self, product: int) -> Product | None:
        if product <= 0:
            return None
        return self._context.registry.product(self._context.graph.product(product), self._context.now_us)

    def platform(self, product: int, account: int) -> str | None:
        """The lending platform whose listing it is: as registered, else the one that `account` serves."""
        record = self.record(product)
        served = self._entities.served(account, _PLATFORMS_ACCOUNTS)
        institution_id = record.institution_id if record else next(iter(served), None)
        return institution_id if institution_id and self.is_lending(institution_id) else None

    def is_lending(self, institution_id: str) -> bool:
        institution = self._context.registry.institution(institution_id, self._context.now_us)
        return institution is not None and institution.institution_kind is InstitutionKind.p2p

    def borrower(self, product: int, account: int) -> str | None:
        """The party that borrows under the product, else the holder of the account that was paid."""
        record = self.record(product)
        return (record.borrower_party_id if record else None) or self._entities.party(account)

    def loans(self, party_id: str) -> Iterator[Loan]:
        """What the party borrowed under its products and at its accounts, in the order of first use."""
        graph, book = self._context.graph, self._context.book
        found: dict[int, Loan] = {}
        for record in self._context.registry.borrowed_by(party_id, self._context.now_us):
            loan = book.loan(graph.product_code(record.product_id) or 0)
            if loan is not None:
                found[id(loan)] = loan
        for token in self._context.registry.accounts_of(party_id):
            account = graph.index(bytes.fromhex(token))
            for loan in book.loans_of(account) if account else ():
                if self.borrower(loan.product, loan.borrower) == party_id:
                    found[id(loan)] = loan
        yield from sorted(found.values(), key=lambda one: (one.first_us, one.product, one.borrower))

    def accounts_of(self, institution_id: str) -> tuple[int, ...]:
        """The platform's accounts that money was booked at, as far as they serve it now."""
        known = self._context.in_business.get(institution_id, ())
        return tuple(
            account
            for account in self._context.book.platform_accounts
            if account in known and institution_id in self._entities.served(account, _PLATFORMS_ACCOUNTS)
        )

    def name(self, product: int, account: int) -> str:
        """As a sentence calls it: its id, else the account."""
        return self._context.graph.product(product) or masked(self._context.token(account))
