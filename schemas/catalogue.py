"""Every record by name: its JSON Schema and how its JSON is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from pydantic import BaseModel, ValidationError

from schemas.alert import Alert
from schemas.balance import Balance
from schemas.errors import InvalidRecord
from schemas.feed import BatchHeader, Receipt
from schemas.registry import Account, Feed, Filing, Institution, Licence, Party, Product, Relation
from schemas.reject import Reject
from schemas.risk import RiskScore
from schemas.transaction import Purpose, Transaction


@dataclass(frozen=True, slots=True)
class RecordType:
    """`decode` takes JSON bytes and raises InvalidRecord naming the first wrong field."""

    name: str
    json_schema: Mapping[str, Any]
    decode: Callable[[bytes], object]
    encode: Callable[[Any], bytes]


def _of_model(name: str, model: type[BaseModel]) -> RecordType:
    def decode(data: bytes) -> object:
        try:
            return model.model_validate_json(data)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            field = ".".join(str(part) for part in first["loc"])
            raise InvalidRecord(field, first["msg"]) from None

    def encode(record: BaseModel) -> bytes:
        return record.model_dump_json().encode()

    return RecordType(name, model.model_json_schema(mode="serialization"), decode, encode)


def _decode_transaction(data: bytes) -> object:
    try:
        transaction = msgspec.json.decode(data, type=Transaction)
    except msgspec.DecodeError as error:  # ValidationError is one of these
        reason, _, path = str(error).partition(" - at ")
        raise InvalidRecord(path.strip("`$."), reason) from None
    if transaction.purpose and transaction.purpose not in Purpose.__members__:
        raise InvalidRecord(
            "purpose", f"{transaction.purpose!r} is not one of {', '.join(Purpose.__members__)}"
        )
    return transaction


def _transaction_schema() -> dict[str, Any]:
    """msgspec's own schema, with the purposes that it cannot know."""
    (schema,), definitions = msgspec.json.schema_components([Transaction])
    described = dict(definitions["Transaction"]) if "$ref" in schema else dict(schema)
    properties = dict(described["properties"])
    properties["purpose"] = {"enum": ["", *Purpose.__members__], "default": ""}
    described["properties"] = properties
    return described


RECORDS: Final = (
    RecordType("transaction", _transaction_schema(), _decode_transaction, msgspec.json.encode),
    _of_model("institution", Institution),
    _of_model("party", Party),
    _of_model("relation", Relation),
    _of_model("account", Account),
    _of_model("product", Product),
    _of_model("licence", Licence),
    _of_model("filing", Filing),
    _of_model("feed", Feed),
    _of_model("balance", Balance),
    _of_model("batch-header", BatchHeader),
    _of_model("receipt", Receipt),
    _of_model("reject", Reject),
    _of_model("alert", Alert),
    _of_model("risk-score", RiskScore),
)


BY_NAME: Final = {record.name: record for record in RECORDS}
