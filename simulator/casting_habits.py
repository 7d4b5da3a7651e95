"""Making who has two accounts, who trades with whom, and who knows somebody at a platform."""

from __future__ import annotations

from typing import Final

import numpy as np

from schemas.registry import RelationKind
from simulator import parameters as p
from simulator.cast import Company, People, Platform
from simulator.habits import Dealings, Habits, OwnAccounts, Partners
from simulator.register import Register
from simulator.streams import stream

_FRIENDS: Final = 9


def cast_habits(
    register: Register, seed: int, people: People, firms: tuple[Company, ...], platforms: tuple[Platform, ...]
) -> Habits:
    rng = stream(seed, "habits")
    return Habits(
        own_accounts=_own_accounts(register, rng, people),
        partners=_partners(register, rng, firms),
        dealings=tuple(_dealings(register, rng, people, platform) for platform in platforms),
    )


def _own_accounts(register: Register, rng: np.random.Generator, people: People) -> tuple[OwnAccounts, ...]:
    made = []
    count = int(len(people.card) * p.TWO_BANKS)
    for person in rng.choice(len(people.card), count, replace=False).tolist():
        first = int(people.card[person])
        others = [bank for bank in register.banks[:-1] if bank != register.accounts[first].bank]
        second = register.account(
            people.party[person], others[int(rng.integers(0, len(others)))], "person", 8_000 * p.YUAN
        )
        label = register.pattern("own_account_transfer", (first, second))
        made.append(OwnAccounts(first, second, label))
    return tuple(made)


def _partners(
    register: Register, rng: np.random.Generator, firms: tuple[Company, ...]
) -> tuple[Partners, ...]:
    chosen = rng.permutation(len(firms))[: 2 * max(1, len(firms) // 10)].reshape(-1, 2)
    made = []
    for one, other in chosen.tolist():
        pair = firms[one].account, firms[other].account
        made.append(
            Partners(
                *pair, register.pattern("two_way_trade", pair), register.pattern("cancelled_order", pair)
            )
        )
    return tuple(made)


def _dealings(register: Register, rng: np.random.Generator, people: People, platform: Platform) -> Dealings:
    """The employee is a person of the world, known to be the platform's."""
    employee, *friends = rng.permutation(len(platform.clients))[: _FRIENDS + 1]
    person = int(platform.clients[employee])
    register.ties(people.party[person], platform.party, RelationKind.affiliate)
    account = int(people.card[person])
    return Dealings(
        account,
        tuple(int(people.card[platform.clients[friend]]) for friend in friends),
        register.pattern("private_dealings", (account,)),
    )
