"""Every record has examples; the code and the generated JSON Schema judge them alike."""

import json

import jsonschema
import pytest

from schemas import examples
from schemas.catalogue import BY_NAME, RECORDS
from schemas.errors import InvalidRecord

VALID = [(r.name, e) for r in RECORDS for e in examples.valid(r.name)]
INVALID = [(r.name, e) for r in RECORDS for e in examples.invalid(r.name)]


@pytest.mark.parametrize("record", RECORDS, ids=lambda r: r.name)
def test_every_record_has_valid_and_invalid_examples(record):
    assert examples.valid(record.name)
    assert examples.invalid(record.name)


@pytest.mark.parametrize(("name", "example"), VALID)
def test_valid_examples_round_trip(name, example):
    record = BY_NAME[name]
    decoded = record.decode(json.dumps(example).encode())
    assert record.decode(record.encode(decoded)) == decoded


@pytest.mark.parametrize(("name", "example"), VALID)
def test_valid_examples_satisfy_the_json_schema_once_encoded(name, example):
    record = BY_NAME[name]
    encoded = record.encode(record.decode(json.dumps(example).encode()))
    jsonschema.validate(json.loads(encoded), record.json_schema)


@pytest.mark.parametrize(("name", "example"), INVALID, ids=lambda v: getattr(v, "why", v))
def test_invalid_examples_are_refused_by_field(name, example):
    with pytest.raises(InvalidRecord) as refused:
        BY_NAME[name].decode(json.dumps(example.record).encode())
    assert refused.value.field == example.field
    assert refused.value.reason
