"""The bank's side of the push endpoint: files, registry records and repaired records over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx

from schemas.errors import Conflict, Forbidden, InvalidInput, LookthroughError, Unavailable, Unknown
from schemas.feed import BatchHeader, Receipt
from schemas.registry import FeedFormat

_CHUNK_BYTES = 256 * 1024
_ERRORS: dict[int, type[LookthroughError]] = {401: Forbidden, 403: Forbidden, 404: Unknown, 409: Conflict}


class PushClient:
    """Blocking client of one ingest service at `url`; `key` is the feed's or the operator's."""

    def __init__(self, url: str, key: str | None = None) -> None:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        # A batch is answered when all of it is durable, which for a large file takes minutes.
        timeout = httpx.Timeout(10, read=3600, write=600)
        self._http = httpx.Client(base_url=url, headers=headers, timeout=timeout)

    def push(
        self,
        file: Path,
        feed_id: str,
        *,
        sequence: int | None = None,
        format: FeedFormat | None = None,
        control_count: int | None = None,
        control_sum: Decimal | None = None,
        progress: Callable[[int], None] = lambda _: None,
    ) -> Receipt:
        """Stream `file` as one batch; `progress` is told the bytes sent. A rejected batch's receipt is
        returned like any other; InvalidInput is raised for a request that got no receipt."""
        declared = {
            "sequence": sequence,
            "format": format,
            "control_count": control_count,
            "control_sum": control_sum,
            "filename": file.name,
        }
        return self._push(feed_id, declared, _chunks(file, progress))

    def push_bytes(self, content: bytes, header: BatchHeader) -> Receipt:
        """Push a batch that is in memory."""
        return self._push(header.feed_id, header.model_dump(mode="json", exclude={"feed_id"}), content)

    def _push(self, feed_id: str, declared: Mapping[str, Any], content: bytes | Iterator[bytes]) -> Receipt:
        parameters = {name: str(value) for name, value in declared.items() if value is not None}
        answer = self._post(f"/v1/feeds/{feed_id}/batches", content, parameters)
        return Receipt.model_validate_json(answer.content)

    def push_balances(
        self, file: Path, feed_id: str, progress: Callable[[int], None] = lambda _: None
    ) -> dict[str, Any]:
        """Send a file of balances; how many were taken and refused."""
        return self._json(self._post(f"/v1/feeds/{feed_id}/balances", _chunks(file, progress)))

    def push_balances_bytes(self, content: bytes, feed_id: str) -> dict[str, Any]:
        return self._json(self._post(f"/v1/feeds/{feed_id}/balances", content))

    def push_registry(self, file: Path) -> dict[str, Any]:
        """Send a file of registry records, one JSON object a line; how many were taken and refused."""
        return self._json(self._post("/v1/registry", _chunks(file, lambda _: None)))

    def push_registry_bytes(self, lines: bytes) -> dict[str, Any]:
        return self._json(self._post("/v1/registry", lines))

    def resend(self, reject_id: str, record: bytes) -> dict[str, Any]:
        """Send the repaired record of a reject."""
        return self._json(self._post(f"/v1/rejects/{reject_id}/resend", record))

    def _json(self, answer: httpx.Response) -> dict[str, Any]:
        body: dict[str, Any] = answer.json()
        return body

    def _post(
        self, path: str, content: bytes | Iterator[bytes], parameters: Mapping[str, str] | None = None
    ) -> httpx.Response:
        try:
            answer = self._http.post(path, params=parameters, content=content)
        except httpx.HTTPError as error:
            raise Unavailable(
                f"{self._http.base_url} does not answer ({error}); is `make run` or `make up` running?"
            ) from None
        if answer.is_success or answer.headers.get("x-body") == "receipt":
            return answer
        raise _error_of(answer)

    def close(self) -> None:
        self._http.close()


def _error_of(answer: httpx.Response) -> LookthroughError:
    try:
        detail = str(answer.json()["detail"])
    except (ValueError, KeyError, TypeError):
        detail = answer.text[:500]
    return _ERRORS.get(answer.status_code, InvalidInput if answer.status_code < 500 else Unavailable)(detail)


def _chunks(file: Path, progress: Callable[[int], None]) -> Iterator[bytes]:
    with file.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            yield chunk
            progress(len(chunk))
