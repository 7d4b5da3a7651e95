"""Accounts: token to index and back, and what is known of each account at this moment."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from compiled import Array, Int32s, Int64s, kernel, prefetch, reserved, signed
from services.detector.graph.table import Table, bring_near, find, find_ranked, make_room, new_table, put

ACCOUNT: Final = np.dtype(
    [
        ("token_high", "<u8"),
        ("last_in", "<i8"),  # sequence number of the newest transfer in; -1: none
        ("last_out", "<i8"),
        ("in_minor", "<i8"),
        ("out_minor", "<i8"),
        ("in_degree", "<i4"),
        ("out_degree", "<i4"),
        ("payers", "<i4"),
        ("payees", "<i4"),
        ("marked_payers", "<i4"),
        ("marks", "<u4"),
    ]
)
"""What a transfer reads and writes of an account: one cache line."""

OUTSIDE_INDEX: Final = 0
NO_ROOM: Final = -1
AHEAD: Final = 8
"""Rows whose memory is asked for before it is used."""
_ZERO_TOKEN_KEY: Final = np.uint64(0x9E3779B97F4A7C15)


class Accounts(NamedTuple):
    records: Array
    token_lows: Array
    by_token: Table
    known: Int64s
    """One number: accounts known, OUTSIDE included."""


def new_accounts(max_accounts: int) -> Accounts:
    """Knows OUTSIDE, as index 0."""
    accounts = Accounts(
        reserved(max_accounts + 1, ACCOUNT),
        reserved(max_accounts + 1, np.uint64),
        new_table(max_accounts + 1),
        np.zeros(1, np.int64),
    )
    intern(accounts, np.uint64(0), np.uint64(0))
    return accounts


@kernel
def key_of(token_low: np.uint64) -> np.uint64:
    return token_low if token_low != 0 else _ZERO_TOKEN_KEY


@kernel
def is_of(accounts: Accounts, index: int, low: np.uint64, high: np.uint64) -> bool:
    """Whether the account, found under the key of `low`, is the token's: two low halves have one key."""
    if accounts.records[index].token_high != high:
        return False
    return bool(key_of(low) != _ZERO_TOKEN_KEY or accounts.token_lows[index] == low)


@kernel
def look_up(accounts: Accounts, low: np.uint64, high: np.uint64) -> int:
    """Index of the account of this token, or -1."""
    key = key_of(low)
    slot = find(accounts.by_token, key)
    rank = 0
    while slot >= 0:
        index = signed(accounts.by_token.values[slot])
        if is_of(accounts, index, low, high):
            return index
        slot = find_ranked(accounts.by_token, key, rank)
        rank += 1
    return -1


@kernel
def intern(accounts: Accounts, low: np.uint64, high: np.uint64) -> int:
    """Index of the account of this token, given now if it is new; NO_ROOM at the maximum."""
    index = look_up(accounts, low, high)
    if index >= 0:
        return index
    index = signed(accounts.known[0])
    key = key_of(low)
    if index >= accounts.records.size or not make_room(accounts.by_token, key):
        return NO_ROOM
    accounts.known[0] += 1
    put(accounts.by_token, key, index)
    record = accounts.records[index]
    record.token_high = high
    record.last_in = -1
    record.last_out = -1
    accounts.token_lows[index] = low
    return index


@kernel
def intern_rows(accounts: Accounts, src: Array, dst: Array, src_index: Int32s, dst_index: Int32s) -> None:
    """Payers' and payees' indexes of (rows, 2) token halves, in row order."""
    rows = src.shape[0]
    for row in range(-2 * AHEAD, rows):
        far, near = row + 2 * AHEAD, row + AHEAD
        if far < rows:
            bring_near(accounts.by_token, key_of(src[far, 0]))
            bring_near(accounts.by_token, key_of(dst[far, 0]))
        if 0 <= near < rows:
            src_index[near] = likely_index(accounts, src[near, 0])
            dst_index[near] = likely_index(accounts, dst[near, 0])
        if row >= 0:
            src_index[row] = intern_likely(accounts, src[row, 0], src[row, 1], src_index[row])
            dst_index[row] = intern_likely(accounts, dst[row, 0], dst[row, 1], dst_index[row])


@kernel
def likely_index(accounts: Accounts, low: np.uint64) -> int:
    """Index of one account whose token has this half, its record asked for; or -1."""
    slot = find(accounts.by_token, key_of(low))
    if slot < 0:
        return -1
    index = signed(accounts.by_token.values[slot])
    prefetch(accounts.records, index)
    return index


@kernel
def intern_likely(accounts: Accounts, low: np.uint64, high: np.uint64, likely: int) -> int:
    """As intern(), when the index is `likely` the one of a token that has the same low half."""
    if likely >= 0 and is_of(accounts, likely, low, high):
        return likely
    return intern(accounts, low, high)
