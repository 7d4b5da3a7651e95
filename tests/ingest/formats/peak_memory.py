"""How many KB the peak memory of a process grows from a camt.054 message to one 12 times as long.

The XML library's memory is not Python's, so only the process tells.
"""

import resource
import sys

from services.ingest.formats import camt054

START = (
    b'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.054.001.08"><BkToCstmrDbtCdtNtfctn>'
    b"<Ntfctn><Acct><Id><IBAN>X</IBAN></Id></Acct>"
)
END = b"</Ntfctn></BkToCstmrDbtCdtNtfctn></Document>"
HEAD = b'<Amt Ccy="EUR">1</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts>'
INFORMATION = b"<AddtlTxInf>" + b"x" * 200 + b"</AddtlTxInf>"
BALANCE = b"<Bal><Tp>x</Tp>" + INFORMATION + b"</Bal>"
SHAPES = {
    "entries": (START, (BALANCE + b"<Ntry>" + HEAD + INFORMATION + b"</Ntry>") * 1_500, END),
    "details": (
        START + b"<Ntry>" + HEAD + b"<NtryDtls>",
        (b'<TxDtls><Amt Ccy="EUR">1</Amt>' + INFORMATION + b"</TxDtls>") * 1_500,
        b"</NtryDtls></Ntry>" + END,
    ),
    "groups of details": (
        START + b"<Ntry>" + HEAD,
        (b"<NtryDtls><Btch/><TxDtls>" + INFORMATION + b"</TxDtls></NtryDtls>") * 1_500,
        b"</Ntry>" + END,
    ),
}


class Repeated:
    """A stream of `start`, `piece` so many times, `end`."""

    def __init__(self, start, piece, times, end):
        self._parts = iter([start, *[piece] * times, end])
        self._left = b""

    def read(self, size):
        while not self._left:
            part = next(self._parts, None)
            if part is None:
                return b""
            self._left = part
        taken, self._left = self._left[:size], self._left[size:]
        return taken


def peak_after(shape, times):
    start, piece, end = SHAPES[shape]
    for _ in camt054.parse(Repeated(start, piece, times, end)):
        pass
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    small = peak_after(sys.argv[1], 1)
    sys.stdout.write(str(peak_after(sys.argv[1], 12) - small))
