"""As-of answers from registry records: roles, owners, related parties. Pure.

Whatever is asked is a function of the set of record versions applied, not of the order they came in.
"""

from registry.registry import ROLE_BIT, Membership, Registry
from registry.ties import Closure, Reach, Relatedness

__all__ = ["ROLE_BIT", "Closure", "Membership", "Reach", "Registry", "Relatedness"]
