"""The legs between strangers, kept as they come: what triggers walk over, and confirmations list.

A leg is a transfer between two accounts in no role, with no purpose of ordinary business stated, who began
to deal within SPAN_US. Legs are numbered as they come; each is linked to the one before it of its payer and
of its payee, as in services.detector.graph.ring. What was there just after a row is what has
no higher sequence number.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from compiled import Array, Bools, Int32s, Int64s, direct, kernel, prefetch, read_only, reserved, signed
from registry import Registry
from schemas.instant import DAY
from services.detector.ascending import place_of
from services.detector.graph import Applied
from services.detector.legs import PURPOSES, Leg
from services.detector.parties.everyday import Everyday, Holders
from services.detector.parties.registered import Registered

SPAN_US: Final = 31 * DAY
"""A day more than the longest window of a shape."""
MAX_LEGS: Final = 200
"""Of one account in one direction, the latest."""
NO_LEG: Final = -1
_LEGS_NEAR: Final = 32
_FIRST_CAPACITY: Final = 1 << 12

LEG: Final = np.dtype(
    [
        ("ts_us", "<i8"),
        ("seq", "<i8"),
        ("src", "<i4"),
        ("dst", "<i4"),
        ("amount_minor", "<i8"),
        ("since_us", "<i8"),  # when payer and payee began to deal
        ("clock_us", "<i8"),  # just after it: no earlier leg is younger
        ("back_out", "<u4"),  # distance to the payer's previous leg out; 0: none
        ("back_in", "<u4"),  # distance to the payee's previous leg in; 0: none
        ("product", "<i4"),
        ("currency", "<i2"),
        ("purpose", "i1"),
        ("_", "i1"),
    ]
)


class Ledger(NamedTuple):
    legs: Array
    """By number, modulo its length (a power of two)."""
    newest: Int64s
    """By account, two each: the number of the newest leg out and of the newest leg in, else NO_LEG."""
    ends: Int64s
    """The number of the oldest leg kept, and that of the next one."""


class Scope(NamedTuple):
    """The legs that count: in one currency, from `oldest` up to `as_of`, not before `since_us` and between
    those who did not deal before it, at accounts in none of the roles `barred`."""

    oldest: int
    as_of: int
    since_us: int
    currency: int
    marks: npt.NDArray[np.uint32]
    barred: int


class Known(NamedTuple):
    """All that a kernel reads."""

    ledger: Ledger
    holders: Holders
    stamps: Int64s
    """By account, two each: scratch, to tell which were seen in a search."""
    searches: Int64s
    """How many there were: a search stamps what it sees with its number."""


class StrangerLegs:
    """Memory: 64 bytes a leg of the last SPAN_US, up to four times that; 56 bytes an account."""

    def __init__(self, registered: Registered, registry: Registry) -> None:
        self._ledger = Ledger(
            reserved(_FIRST_CAPACITY, LEG), np.full(2_048, NO_LEG, np.int64), np.zeros(2, np.int64)
        )
        self._everyday = Everyday(registered, registry)
        self._room = np.empty(MAX_LEGS, LEG)
        """For an answer, used again."""
        self._stamps = np.zeros(2_048, np.int64)
        self._searches = np.zeros(1, np.int64)
        self.known = self._known(np.zeros(0, np.int32), np.zeros(0, np.int64))

    def take(self, applied: Applied, since_us: Int64s, rows: npt.NDArray[np.intp]) -> None:
        """Take in `rows` of a batch, ascending; `since_us`: when each row's ends began to deal."""
        drop_old(self._ledger, int(applied.clock_us[0]) - SPAN_US)
        self._make_room(rows.size, applied.accounts)
        add_legs(
            self._ledger,
            rows,
            applied.src,
            applied.dst,
            read_only(applied.ts_us),
            applied.seq,
            read_only(applied.amount_minor),
            since_us,
            applied.clock_us,
            applied.product,
            applied.currency,
            read_only(applied.purpose),
        )
        now_us = applied.clock_us[rows]
        for accounts in (applied.src[rows], applied.dst[rows]):
            self.known = self._known(accounts, now_us)

    def list(
        self, account: int, inward: bool, scope: Scope, wanted: Callable[[Int32s], Bools] | None = None
    ) -> tuple[list[Leg], bool]:
        """In the order of (time, seq); and whether there were more than MAX_LEGS, the latest. `wanted`
        chooses among them by who is at the other end."""
        count, ordered = _list_legs(self._ledger, account, inward, scope, self._room)
        found = self._room[MAX_LEGS - min(count, MAX_LEGS) :]
        if wanted is not None:
            found = found[wanted(found["src" if inward else "dst"])]
        legs = [
            Leg(ts_us, seq, src, dst, minor, PURPOSES[purpose], product, currency)
            for ts_us, seq, src, dst, minor, _, _, _, _, product, currency, purpose, _ in found.tolist()
        ]
        return legs if ordered else sorted(legs), count > MAX_LEGS

    def others(self, account: int, inward: bool, scope: Scope) -> tuple[set[int], bool]:
        """Who is at the other end of the legs that list() gives; and whether there were more."""
        count, _ = _list_legs(self._ledger, account, inward, scope, self._room)
        found = self._room[MAX_LEGS - min(count, MAX_LEGS) :]
        return set(found["src" if inward else "dst"].tolist()), count > MAX_LEGS

    def paid_among(
        self, payers: Collection[int], scope: Scope, among: Collection[int]
    ) -> tuple[dict[int, set[int]], bool]:
        """By payer: which of `among` are of its others() out; and whether any payer had more legs."""
        rows, columns = np.array([*payers], np.int64), np.array(sorted(among), np.int64)
        paid = np.zeros((rows.size, columns.size), np.bool_)
        is_cut = find_paid(self._ledger, rows, scope, columns, paid)
        found: dict[int, set[int]] = {payer: set() for payer in payers}
        payer_at, payee_at = paid.nonzero()
        for payer, payee in zip(rows[payer_at].tolist(), columns[payee_at].tolist(), strict=True):
            found[payer].add(payee)
        return found, is_cut

    def around(self, accounts: Iterable[int]) -> Int32s:
        """They and all who have a leg with one of them."""
        chosen = np.array(sorted(accounts), np.int32)
        room = np.empty(_FIRST_CAPACITY, np.int32)
        count = counterparties(self._ledger, chosen, room)
        if count > room.size:
            room = np.empty(count, np.int32)
            counterparties(self._ledger, chosen, room)
        return np.unique(np.concatenate((chosen, room[:count])))

    def _known(self, accounts: Int32s, now_us: Int64s) -> Known:
        return Known(self._ledger, self._everyday.of(accounts, now_us), self._stamps, self._searches)

    def _make_room(self, rows: int, account: int) -> None:
        legs, newest, ends = self._ledger
        more = 2 * account + 2 - newest.size
        if more > 0:
            more = max(more, newest.size)
            newest = np.concatenate((newest, np.full(more, NO_LEG, np.int64)))
            self._stamps = np.concatenate((self._stamps, np.zeros(more, np.int64)))
        first, end = ends.tolist()
        if end - first + rows > legs.size:
            numbers = np.arange(first, end)
            size = legs.size
            while size < 2 * (end - first + rows):
                size *= 2
            legs = reserved(size, LEG)
            legs[numbers & (size - 1)] = self._ledger.legs[numbers & (self._ledger.legs.size - 1)]
        self._ledger = Ledger(legs, newest, ends)


@direct
@kernel
def drop_old(ledger: Ledger, until_us: int) -> None:
    """Before the first row of a batch: each of its rows sees what it needs."""
    legs, ends = ledger.legs, ledger.ends
    while ends[0] < ends[1] and legs[slot_of(ledger, ends[0])].ts_us < until_us:
        ends[0] += 1


@direct
@kernel
def add_legs(
    ledger: Ledger,
    rows: Array,
    src: Array,
    dst: Array,
    ts_us: Int64s,
    seq: Int64s,
    amount_minor: Int64s,
    since_us: Int64s,
    clock_us: Int64s,
    product: Array,
    currency: Array,
    purpose: Array,
) -> None:
    legs, newest, ends = ledger
    mask = legs.size - 1
    for row in rows:
        number = signed(ends[1])
        ends[1] += 1
        payer, payee = 2 * signed(src[row]), 2 * signed(dst[row]) + 1
        leg = legs[number & mask]
        leg.ts_us = ts_us[row]
        leg.seq = seq[row]
        leg.src = src[row]
        leg.dst = dst[row]
        leg.amount_minor = amount_minor[row]
        leg.since_us = since_us[row]
        leg.clock_us = clock_us[row]
        leg.back_out = link(number, newest[payer])
        leg.back_in = link(number, newest[payee])
        leg.product = product[row]
        leg.currency = currency[row]
        leg.purpose = purpose[row]
        newest[payer] = number
        newest[payee] = number


@kernel
def bring_lists_near(ledger: Ledger, lists: Int64s, count: int, since_us: int) -> None:
    """Ask for the newest legs since then of all these lists (two an account, as in `newest`) side by side:
    whoever reads one list after another waits for each of its legs. `lists` is scratch from then on."""
    for place in range(count):
        prefetch(ledger.newest, lists[place])
    for place in range(count):
        lists[place] = ledger.newest[lists[place]] << 1 | (lists[place] & 1)
        prefetch(ledger.legs, slot_of(ledger, lists[place] >> 1))
    for _ in range(_LEGS_NEAR):
        left = 0
        for place in range(count):
            number, inward = lists[place] >> 1, lists[place] & 1
            if number >= ledger.ends[0] and ledger.legs[slot_of(ledger, number)].clock_us >= since_us:
                number = step_back(ledger, number, inward != 0)
                prefetch(ledger.legs, slot_of(ledger, number))
                lists[left] = number << 1 | inward
                left += 1
        count = left


@kernel
def slot_of(ledger: Ledger, number: int) -> int:
    return number & (ledger.legs.size - 1)


@kernel
def link(number: int, earlier: int) -> np.uint32:
    """The distance; 0 where there is none or it is beyond what is ever kept."""
    distance = number - earlier
    return np.uint32(0) if earlier < 0 or distance >= 1 << 32 else np.uint32(distance)


@kernel
def newest_leg(ledger: Ledger, account: int, inward: bool, scope: Scope) -> int:
    """The number of the account's newest leg in scope, or NO_LEG."""
    place = 2 * account + inward
    number = ledger.newest[place] if place < ledger.newest.size else NO_LEG
    return seek(ledger, signed(number), inward, scope)


@kernel
def leg_before(ledger: Ledger, number: int, inward: bool, scope: Scope) -> int:
    """The next older one of the same account, or NO_LEG."""
    return seek(ledger, step_back(ledger, number, inward), inward, scope)


@kernel
def step_back(ledger: Ledger, number: int, inward: bool) -> int:
    leg = ledger.legs[slot_of(ledger, number)]
    back = signed(leg.back_in if inward else leg.back_out)
    return number - back if back else NO_LEG


@kernel
def seek(ledger: Ledger, number: int, inward: bool, scope: Scope) -> int:
    """`number` or the first older one of the same account that is in scope, or NO_LEG."""
    while number >= ledger.ends[0]:
        leg = ledger.legs[slot_of(ledger, number)]
        if leg.seq < scope.oldest or leg.clock_us < scope.since_us:
            break
        if (
            leg.seq <= scope.as_of
            and min(leg.ts_us, leg.since_us) >= scope.since_us
            and leg.currency == scope.currency
            and (scope.marks[leg.src] | scope.marks[leg.dst]) & scope.barred == 0
        ):
            return number
        number = step_back(ledger, number, inward)
    return NO_LEG


@kernel
def list_legs(ledger: Ledger, account: int, inward: bool, scope: Scope, room: Array) -> tuple[int, bool]:
    """Fill `room` from its end, newest first; how many there are, one more than there is room for if more,
    and whether they lie in the order of time."""
    count = 0
    ordered = True
    number = newest_leg(ledger, account, inward, scope)
    while number != NO_LEG and count <= room.size:
        leg = ledger.legs[slot_of(ledger, number)]
        if count < room.size:
            place = room.size - 1 - count
            room[place] = leg
            ordered = ordered and (count == 0 or room[place].ts_us <= room[place + 1].ts_us)
        count += 1
        number = leg_before(ledger, number, inward, scope)
    return count, ordered


_list_legs: Final = direct(list_legs)


@kernel
def find_paid(ledger: Ledger, payers: Int64s, scope: Scope, among: Int64s, paid: Array) -> bool:
    """Set where a payer has a leg, of its MAX_LEGS latest, to one of `among` (ascending); whether a payer had
    more."""
    is_cut = False
    for row, payer in enumerate(payers):
        count = 0
        number = newest_leg(ledger, payer, False, scope)
        while number != NO_LEG and count < MAX_LEGS:
            column = place_of(among, signed(ledger.legs[slot_of(ledger, number)].dst))
            if column >= 0:
                paid[row, column] = True
            count += 1
            number = leg_before(ledger, number, False, scope)
        is_cut = is_cut or number != NO_LEG
    return is_cut


@kernel
def counterparties(ledger: Ledger, accounts: Int32s, room: Int32s) -> int:
    """Who has a leg with any of `accounts`, some more than once; how many, whether there is room or not."""
    count = 0
    for account in accounts:
        for inward in (False, True):
            place = 2 * signed(account) + inward
            number = signed(ledger.newest[place]) if place < ledger.newest.size else NO_LEG
            while number >= ledger.ends[0]:
                leg = ledger.legs[slot_of(ledger, number)]
                if count < room.size:
                    room[count] = leg.src if inward else leg.dst
                count += 1
                number = step_back(ledger, number, inward)
    return count
