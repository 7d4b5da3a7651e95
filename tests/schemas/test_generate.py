"""What is generated is what the code says; `python -m schemas.generate` brings it up to date."""

import json

import jsonschema
import pytest

from schemas import generate
from schemas.topics import TOPICS


def test_no_generated_file_is_stale_or_left_over():
    on_disk = {path.name: path.read_text("utf-8") for path in generate.FOLDER.iterdir()}
    assert on_disk == generate.documents()


@pytest.mark.parametrize("name", [n for n in generate.documents() if n.endswith(".schema.json")])
def test_every_schema_is_a_json_schema(name):
    jsonschema.Draft202012Validator.check_schema(json.loads(generate.documents()[name]))


def test_asyncapi_names_every_topic_with_its_producer_and_consumers():
    document = json.loads(generate.documents()["asyncapi.json"])
    assert set(document["channels"]) == {topic.name for topic in TOPICS}
    for topic in TOPICS:
        actions = [
            operation["action"]
            for operation in document["operations"].values()
            if operation["channel"]["$ref"].endswith(f"/{topic.name}")
        ]
        assert sorted(actions) == ["receive"] * len(topic.consumers) + ["send"]
