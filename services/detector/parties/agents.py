"""Who collects or pays for others and has filed that."""

from __future__ import annotations

from schemas.registry import FilingKind
from services.detector.typology import Context


def is_filed_agent(context: Context, party_id: str) -> bool:
    """An agency filing that holds now names the party, or is its own and names nobody."""
    for institution in context.registry.institutions(context.now_us):
        filings = context.registry.filings(institution.institution_id, FilingKind.agency, context.now_us)
        agents = {one.party_id or institution.party_id for one in filings}
        if party_id in agents:
            return True
    return False
