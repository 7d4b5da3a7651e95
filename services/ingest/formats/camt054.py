"""camt.054 BankToCustomerDebitCreditNotification, all versions. How it is read: see camt."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, Final

from schemas.registry import FeedFormat
from services.ingest.formats import camt, iso20022
from services.ingest.formats.parsed import Item

NAME: Final = FeedFormat.camt054
MEDIA_TYPES: Final = iso20022.MEDIA_TYPES


def parse(stream: BinaryIO) -> Iterator[Item]:
    """See services.ingest.formats."""
    return camt.parse(stream, message="camt.054", report="Ntfctn")
