"""Equity crowdfunding projects as they move money: which rows may be a project's, and whose they are."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from compiled import Int64s
from schemas.registry import AccountRole, InstitutionKind, Product, ProductKind
from services.detector.parties.entities import Entities
from services.detector.parties.marks import CUSTODY
from services.detector.parties.product_kinds import OfKind
from services.detector.typology import Context, Step, Transfer

_NO_PRODUCT: Final = 0


class Project(NamedTuple):
    """`named`: the feed says which project it is; else it is the only one its platform has."""

    product: Product
    named: bool


class Projects:
    def __init__(self) -> None:
        self._named = OfKind(ProductKind.project)

    def among(self, step: Step, rows: Int64s) -> Int64s:
        """Those of `rows` that name a project; and those that name no product, through the custody account
        of a platform for equity crowdfunding."""
        applied = step.applied
        chosen = self._named.among(step, rows)
        unnamed = np.flatnonzero(applied.product[rows] == _NO_PRODUCT)
        if unnamed.size:
            into = (step.dst_marks[rows[unnamed]] & CUSTODY) != 0
            custody = np.where(into, applied.dst[rows[unnamed]], applied.src[rows[unnamed]])
            for account in set(custody[step.marks[custody] & CUSTODY != 0].tolist()):
                if _is_for_equity(step, account):
                    chosen[unnamed[custody == account]] = True
        return rows[chosen]


def _is_for_equity(step: Step, account: int) -> bool:
    now_us = int(step.applied.clock_us[0])
    served = step.registry.institutions_touching(step.graph.token(account).hex())
    found = (step.registry.institution(one, now_us) for one in served)
    return any(
        one is not None and one.institution_kind is InstitutionKind.equity_crowdfunding for one in found
    )


def project_of(context: Context, entities: Entities, transfer: Transfer) -> Project | None:
    """The project that the transfer is for. One that names none is for the only project that the
    platform of its custody account has."""
    registry, now_us = context.registry, context.now_us
    if transfer.product != _NO_PRODUCT:
        product = registry.product(context.graph.product(transfer.product), now_us)
        is_project = product is not None and product.product_kind is ProductKind.project
        return Project(product, True) if product is not None and is_project else None
    custody = {AccountRole.custody}
    platforms = {*entities.served(transfer.src, custody), *entities.served(transfer.dst, custody)}
    projects = [
        one
        for platform in sorted(platforms)
        for one in registry.products_of(platform, now_us)
        if one.product_kind is ProductKind.project
    ]
    return Project(projects[0], False) if len(projects) == 1 else None
