"""Feed formats: one module each, all of one shape.

    NAME: FeedFormat
    MEDIA_TYPES: tuple[str, ...]
    def parse(stream: BinaryIO) -> Iterator[Parsed | Declared]

`parse` is lazy and reads the stream once, in bounded memory. It raises MalformedBatch, at whatever
point it finds out, for a stream that cannot be read as its format; a single bad record is yielded.
"""

from __future__ import annotations
