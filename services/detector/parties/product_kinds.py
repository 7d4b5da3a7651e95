"""Which rows name a product of some kind: the time-free superset that triggers read."""

from __future__ import annotations

from itertools import islice

import numpy as np

from compiled import Bools, Int64s
from schemas.registry import ProductKind
from services.detector.typology import Step


class OfKind:
    """Learns each product once, from the transfers that name it or from the registry, whichever comes
    later. Marks are only ever added."""

    def __init__(self, kind: ProductKind) -> None:
        self._kind = kind
        self._is: Bools = np.zeros(1, np.bool_)
        """By the graph's product code."""
        self._known = 0
        """Products of the kind that the registry had at the last look."""

    def among(self, step: Step, rows: Int64s) -> Bools:
        """Which of `rows` name a product that was ever of the kind."""
        products = step.applied.product[rows]
        ids = step.registry.ever_of_kind(self._kind)
        if len(ids) > self._known:
            for product_id in islice(ids, self._known, None):
                code = step.graph.product_code(product_id)
                if code is not None and code < self._is.size:
                    self._is[code] = True
            self._known = len(ids)
        top = int(products.max(initial=0)) + 1
        if top > self._is.size:
            new = [step.graph.product(code) in ids for code in range(self._is.size, top)]
            self._is = np.concatenate((self._is, np.array(new, np.bool_)))
        among: Bools = self._is[products]
        return among
