"""What the documentation shows of a route: an example of its answer and of each of its problems."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel

from schemas.errors import Forbidden, InvalidInput, LookthroughError, Unauthenticated, Unavailable, Unknown
from services.api import problems
from services.api.answers import Page

_DETAIL: Final[Mapping[type[LookthroughError], str]] = {
    Unauthenticated: "this needs a key: send the header 'Authorization: Bearer <key>'",
    Forbidden: "the key of 'cbirc-beijing' may not read rejects, which hold account numbers in clear",
    Unknown: "no such alert, or none that you may see; /v1/alerts lists those you may",
    InvalidInput: "query.limit: Input should be less than or equal to 500. Correct the request",
    Unavailable: problems.BUSY,
}

_ALWAYS: Final[tuple[type[LookthroughError], ...]] = (Unauthenticated, InvalidInput, Unavailable)

Responses = dict[int | str, dict[str, Any]]


def answers(
    example: BaseModel | Mapping[str, Any], *more: type[LookthroughError], public: bool = False
) -> Responses:
    """`responses` of a route that answers like `example`. Every route that is not public may refuse
    the key or the parameters and be unavailable; `more` names what else it raises."""
    shown = example.model_dump(mode="json") if isinstance(example, BaseModel) else dict(example)
    raised: tuple[type[LookthroughError], ...] = (
        more if public else (Unauthenticated, InvalidInput, Unavailable, *more)
    )
    ok: Responses = {200: {"content": {"application/json": {"example": shown}}}}
    refused: Responses = {int(problems.status_of(kind)): _problem(kind) for kind in raised}
    return ok | refused


def page(item: BaseModel, path: str) -> dict[str, Any]:
    """An example page of one `item`, with a page after it."""
    following = f"{path}?limit=1&cursor=WyJ…"
    shown: dict[str, Any] = Page[Any](items=(item,), next=following).model_dump(mode="json")
    return shown


def restore_examples(operation: dict[str, Any], responses: Responses) -> None:
    """Put the examples of `responses` into the OpenAPI `operation` as they were given."""
    for status, response in responses.items():
        for media_type, content in response.get("content", {}).items():
            if "example" in content:
                shown = operation["responses"][str(status)]["content"][media_type]
                shown["example"] = content["example"]


def _problem(kind: type[LookthroughError]) -> dict[str, Any]:
    status = problems.status_of(kind)
    example = problems.body(kind.code, status, _DETAIL[kind])
    return {
        "description": status.phrase,
        "content": {problems.MEDIA_TYPE: {"schema": problems.SCHEMA, "example": example}},
    }
