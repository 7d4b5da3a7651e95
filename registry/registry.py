"""The registry: what was true of an account, party, institution, product or feed at an instant."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from registry.history import History, Span
from registry.ties import Closure, Reach, Relatedness, Ties
from schemas.instant import FOREVER, MIN_INSTANT
from schemas.registry import (
    Account,
    AccountRole,
    Feed,
    Filing,
    FilingKind,
    Institution,
    InstitutionKind,
    Licence,
    Party,
    Product,
    ProductKind,
    RegistryRecord,
    Relation,
)

ROLE_BIT: Final = {role: 1 << position for position, role in enumerate(AccountRole)}
"""The bit of each role in `Registry.role_bits`."""

_MAX_MEMBERSHIPS: Final = 500_000
"""Parties whose memberships are kept; past it all are forgotten and computed again."""

_MAX_CLOSURES: Final = 20_000
"""Closures kept; past it the oldest go and are computed again when asked for."""


class Membership(NamedTuple):
    """A client account at `institution_id` over [from_us, to_us)."""

    institution_id: str
    from_us: int
    to_us: int


class Registry:
    """Records may come late, out of order and again: only the set of versions counts.

    Instants are event time, microseconds. Accounts are named by token (32 hex digits). No method
    blocks or raises on unknown ids: they answer None or nothing.
    """

    def __init__(self, reach: Reach | None = None) -> None:
        self._institutions: History[Institution] = History()
        self._parties: History[Party] = History()
        self._products: History[Product] = History()
        self._products_of: dict[str, dict[str, None]] = {}
        self._sold_by: dict[str, dict[str, None]] = {}
        self._parts_of: dict[str, dict[str, None]] = {}
        self._of_kind: dict[ProductKind, dict[str, None]] = {kind: {} for kind in ProductKind}
        self._feeds: History[Feed] = History()
        self._licences: History[Licence] = History()
        self._licences_of: dict[str, dict[str, None]] = {}
        self._filings: History[Filing] = History()
        self._filings_of: dict[str, dict[str, None]] = {}
        self._ties = Ties(reach or Reach())
        self._in_business: dict[str, History[Account]] = {}
        self._businesses: dict[str, tuple[str, ...]] = {}
        self._accounts_of: dict[str, list[str]] = {}
        self._institutions_of: dict[str, dict[str, None]] = {}
        self._closures: dict[str, list[Closure]] = {}
        self._closure_count = 0
        self._touching: dict[str, tuple[str, ...]] = {}
        self._memberships: dict[str, tuple[Membership, ...]] = {}
        self.revision = 0
        """Counts the changes: whoever keeps answers keeps them as long as it stands."""

    def apply(self, record: RegistryRecord) -> bool:
        """Take in one version. False when it changes nothing."""
        changed = self._put(record)
        self.revision += changed
        return changed

    def _put(self, record: RegistryRecord) -> bool:
        match record:
            case Account():
                return self._apply_account(record)
            case Relation():
                return self._forget_closures(self._ties.put(record))
            case Institution():
                _note(self._institutions_of, record.party_id, record.institution_id)
                changed = self._institutions.put(record.institution_id, record)
                return self._forget_closures(changed)
            case Licence():
                _note(self._licences_of, record.institution_id, record.licence_id)
                return self._licences.put(record.licence_id, record)
            case Filing():
                _note(self._filings_of, record.institution_id, record.filing_id)
                return self._filings.put(record.filing_id, record)
            case Party():
                return self._parties.put(record.party_id, record)
            case Product():
                if record.borrower_party_id is not None:
                    _note(self._products_of, record.borrower_party_id, record.product_id)
                if record.parent_product_id is not None:
                    _note(self._parts_of, record.parent_product_id, record.product_id)
                _note(self._sold_by, record.institution_id, record.product_id)
                self._of_kind[record.product_kind][record.product_id] = None
                return self._products.put(record.product_id, record)
            case Feed():
                return self._feeds.put(record.feed_id, record)

    def institution(self, institution_id: str, ts_us: int) -> Institution | None:
        return self._institutions.at(institution_id, ts_us)

    def ever_was(self, institution_id: str, kind: InstitutionKind) -> bool:
        """Some version says that the institution is of `kind`, at whatever time."""
        return any(one.institution_kind is kind for one in self._institutions.versions(institution_id))

    def institutions(self, ts_us: int) -> tuple[Institution, ...]:
        """Every institution at `ts_us`, by id."""
        found = (self._institutions.at(key, ts_us) for key in sorted(self._institutions.keys()))
        return tuple(institution for institution in found if institution is not None)

    def party(self, party_id: str, ts_us: int) -> Party | None:
        return self._parties.at(party_id, ts_us)

    def party_span(self, party_id: str, ts_us: int) -> Span[Party]:
        """party(), and a stretch of time around `ts_us` over which the answer is the same."""
        return self._parties.span(party_id, ts_us)

    def product(self, product_id: str, ts_us: int) -> Product | None:
        return self._products.at(product_id, ts_us)

    def borrowers(self, product_id: str) -> tuple[str, ...]:
        """The parties that any version says borrow under the product, at whatever time, by id."""
        versions = self._products.versions(product_id)
        return tuple(sorted({one.borrower_party_id for one in versions if one.borrower_party_id}))

    def borrowed_by(self, party_id: str, ts_us: int) -> tuple[Product, ...]:
        """The products under which the party borrows at `ts_us`, by id."""
        found = (self._products.at(key, ts_us) for key in sorted(self._products_of.get(party_id, ())))
        return tuple(one for one in found if one is not None and one.borrower_party_id == party_id)

    def parts_of(self, product_id: str, ts_us: int) -> tuple[Product, ...]:
        """The products whose parent it is at `ts_us`: its parts, and those that feed it; by id."""
        found = (self._products.at(key, ts_us) for key in sorted(self._parts_of.get(product_id, ())))
        return tuple(one for one in found if one is not None and one.parent_product_id == product_id)

    def ever_of_kind(self, kind: ProductKind) -> Mapping[str, None]:
        """The products that any version says are of `kind`, as they came to be known: it only grows."""
        return self._of_kind[kind]

    def products_kept(self, token_hex: str) -> tuple[str, ...]:
        """Every product whose money any version says the account keeps, by id."""
        kept = {version.product_id for version in self._versions(token_hex)}
        return tuple(sorted(one for one in kept if one is not None))

    def ever_borrowed(self, party_id: str) -> bool:
        """Some version of some product has the party as its borrower."""
        return party_id in self._products_of

    def feed(self, feed_id: str, ts_us: int) -> Feed | None:
        return self._feeds.at(feed_id, ts_us)

    def licences(self, institution_id: str, ts_us: int) -> tuple[Licence, ...]:
        """The licences that `institution_id` holds at `ts_us`, by id."""
        found = (self._licences.at(key, ts_us) for key in sorted(self._licences_of.get(institution_id, ())))
        return tuple(one for one in found if one is not None and one.institution_id == institution_id)

    def filings(self, institution_id: str, kind: FilingKind, ts_us: int) -> tuple[Filing, ...]:
        """What `institution_id` has filed of `kind` and holds at `ts_us`, by id."""
        found = (self._filings.at(key, ts_us) for key in sorted(self._filings_of.get(institution_id, ())))
        return tuple(
            one
            for one in found
            if one is not None and one.institution_id == institution_id and one.filing_kind is kind
        )

    def accounts(self, token_hex: str, ts_us: int) -> tuple[Account, ...]:
        """What the account is at `ts_us`, one record for each institution it serves, by institution."""
        return self.accounts_span(token_hex, ts_us)[0]

    def accounts_span(self, token_hex: str, ts_us: int) -> tuple[tuple[Account, ...], int, int]:
        """accounts(), and a stretch of time [from, to) around `ts_us` over which the answer is the same."""
        found: list[Account] = []
        from_us, to_us = MIN_INSTANT, FOREVER
        for business in self._businesses.get(token_hex, ()):
            span = self._in_business[business].span(token_hex, ts_us)
            from_us, to_us = max(from_us, span.from_us), min(to_us, span.to_us)
            if span.holder is not None:
                found.append(span.holder)
        return tuple(found), from_us, to_us

    def account(self, token_hex: str, ts_us: int, institution_id: str | None = None) -> Account | None:
        """What the account is in the business of `institution_id`, else its foremost record.

        Foremost is a record in an institution's business with a known role, then the rest, by
        institution.
        """
        found = self.accounts(token_hex, ts_us)
        if len(found) < 2:
            return found[0] if found else None
        return min(found, key=lambda one: (institution_id not in (None, one.institution_id), *_rank(one)))

    def role(self, token_hex: str, ts_us: int, institution_id: str | None = None) -> AccountRole | None:
        """None: nobody has registered the account."""
        account = self.account(token_hex, ts_us, institution_id)
        return None if account is None else account.role

    def holder(self, token_hex: str, ts_us: int) -> str | None:
        """The party that holds the account."""
        account = self.account(token_hex, ts_us)
        return None if account is None else account.party_id

    def holders(self, token_hex: str) -> tuple[str, ...]:
        """Every party that any version says holds the account, at whatever time, by id."""
        return tuple(sorted({version.party_id for version in self._versions(token_hex)}))

    def related(self, institution_id: str, party_id: str, ts_us: int) -> Relatedness | None:
        """How `party_id` is tied to the institution at `ts_us`; None: it is not a related party."""
        closure = self.closure(institution_id, ts_us)
        return None if closure is None else closure.parties.get(party_id)

    def closure(self, institution_id: str, ts_us: int) -> Closure | None:
        """The related parties at `ts_us`, the institution's own party among them. None: unknown then.

        Kept until a relation or institution changes; each answers for a stretch of time.
        """
        known = self._closures.get(institution_id, [])
        position = bisect_right(known, ts_us, key=_from_us) - 1
        if position >= 0 and ts_us < known[position].to_us:
            return known[position]
        institution, from_us, to_us = self._institutions.span(institution_id, ts_us)
        if institution is None:
            return None
        found = self._ties.closure(institution.party_id, ts_us)
        from_us, to_us = max(from_us, found.from_us), min(to_us, found.to_us)
        closure = Closure(found.origin, found.parties, from_us, to_us, found.truncated)
        self._keep(institution_id, closure)
        return closure

    def related_to(self, origin: str, party_id: str, ts_us: int) -> Relatedness | None:
        """How `party_id` is tied to the party `origin` at `ts_us`, by the same reach; None: it is not.

        Searched anew each time, unless no relation was ever known of `party_id`.
        """
        if party_id != origin and not self._ties.any(party_id):
            return None
        return self.parties_tied(origin, ts_us).get(party_id)

    def parties_tied(self, origin: str, ts_us: int) -> Mapping[str, Relatedness]:
        """All that are tied to the party `origin` at `ts_us`, itself among them. Searched anew each time."""
        return self._ties.closure(origin, ts_us).parties

    def group(self, institution_id: str, ts_us: int) -> str | None:
        institution = self._institutions.at(institution_id, ts_us)
        return None if institution is None else institution.group_id

    def group_members(self, group_id: str, ts_us: int) -> tuple[str, ...]:
        """The institutions of a group at `ts_us`, by id."""
        return tuple(one.institution_id for one in self.institutions(ts_us) if one.group_id == group_id)

    def accounts_of(self, party_id: str) -> tuple[str, ...]:
        """Every account that any version says the party holds, at whatever time, by token."""
        return tuple(sorted(self._accounts_of.get(party_id, ())))

    def accounts_in_business(self, institution_id: str) -> tuple[str, ...]:
        """Every account that any version places in the institution's business, by token."""
        business = self._in_business.get(institution_id)
        return tuple(sorted(business.keys())) if business else ()

    def products_of(self, institution_id: str, ts_us: int) -> tuple[Product, ...]:
        """The institution's products at `ts_us`, by id."""
        found = (self._products.at(key, ts_us) for key in sorted(self._sold_by.get(institution_id, ())))
        return tuple(one for one in found if one is not None and one.institution_id == institution_id)

    def memberships(self, party_id: str) -> tuple[Membership, ...]:
        """When the party had a client account at which institution, by institution and time."""
        known = self._memberships.get(party_id)
        if known is None:
            if len(self._memberships) >= _MAX_MEMBERSHIPS:
                self._memberships.clear()
            found = (
                one for token in self.accounts_of(party_id) for one in self._client_spans(token, party_id)
            )
            known = self._memberships[party_id] = tuple(sorted(set(found)))
        return known

    def role_bits(self, token_hex: str) -> int:
        """ROLE_BIT of every role that any version gives the account, at whatever time."""
        bits = 0
        for version in self._versions(token_hex):
            bits |= ROLE_BIT[version.role]
        return bits

    def institutions_served(self, token_hex: str) -> tuple[str, ...]:
        """The institutions in whose business any version places the account, by id."""
        return tuple(one for one in self._businesses.get(token_hex, ()) if one)

    def institutions_touching(self, token_hex: str) -> tuple[str, ...]:
        """The institutions to which the account's transfers may matter, at whatever time, by id.

        Those it serves, and those of which a party that ever held it was ever a related party.
        """
        touching = {business for business in self._businesses.get(token_hex, ()) if business}
        for party_id in self.holders(token_hex):
            touching.update(self.institutions_tied(party_id))
        return tuple(sorted(touching))

    def institutions_tied(self, party_id: str) -> tuple[str, ...]:
        """The institutions of which the party was ever a related party, by id."""
        if party_id not in self._institutions_of and not self._ties.any(party_id):
            return ()
        known = self._touching.get(party_id)
        if known is None:
            reached = self._ties.closure(party_id, None).parties
            tied = {one for party in reached for one in self._institutions_with(party)}
            known = self._touching[party_id] = tuple(sorted(tied))
        return known

    @property
    def knows_accounts(self) -> bool:
        return bool(self._businesses)

    def parties_near(self, party_id: str) -> tuple[str, ...]:
        """The parties ever reachable from `party_id`: whom a change of its relations can touch."""
        return tuple(self._ties.closure(party_id, None).parties)

    def _apply_account(self, account: Account) -> bool:
        token, business = account.account_id, account.institution_id or ""
        before = self.holders(token)
        for party_id in (account.party_id, *before) if self._memberships else ():
            self._memberships.pop(party_id, None)
        if account.party_id not in before:
            self._accounts_of.setdefault(account.party_id, []).append(token)
        businesses = self._businesses.get(token, ())
        if business not in businesses:
            self._businesses[token] = tuple(sorted((*businesses, business)))
        changed = self._in_business.setdefault(business, History()).put(token, account)
        for party_id in before:
            if not self._ever_held(token, party_id):
                self._accounts_of[party_id].remove(token)
        return changed

    def _ever_held(self, token_hex: str, party_id: str) -> bool:
        return any(version.party_id == party_id for version in self._versions(token_hex))

    def _client_spans(self, token_hex: str, party_id: str) -> Iterator[Membership]:
        for business in self._businesses.get(token_hex, ()):
            for span in self._in_business[business].spans(token_hex) if business else ():
                holder = span.holder
                if holder is not None and holder.role is AccountRole.client and holder.party_id == party_id:
                    yield Membership(business, span.from_us, span.to_us)

    def _versions(self, token_hex: str) -> Iterator[Account]:
        for business in self._businesses.get(token_hex, ()):
            yield from self._in_business[business].versions(token_hex)

    def _institutions_with(self, party_id: str) -> Iterator[str]:
        for institution_id in self._institutions_of.get(party_id, ()):
            if any(v.party_id == party_id for v in self._institutions.versions(institution_id)):
                yield institution_id

    def _keep(self, institution_id: str, closure: Closure) -> None:
        if self._closure_count >= _MAX_CLOSURES:
            self._forget_closures(True)
        insort(self._closures.setdefault(institution_id, []), closure, key=_from_us)
        self._closure_count += 1

    def _forget_closures(self, changed: bool) -> bool:
        if changed:
            self._closures.clear()
            self._touching.clear()
            self._closure_count = 0
        return changed


def _from_us(closure: Closure) -> int:
    return closure.from_us


def _rank(account: Account) -> tuple[bool, bool, str]:
    return account.institution_id is None, account.role is AccountRole.external, account.institution_id or ""


def _note(index: dict[str, dict[str, None]], key: str, value: str) -> None:
    index.setdefault(key, {})[value] = None
