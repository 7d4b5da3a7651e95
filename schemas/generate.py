"""JSON Schema of every record and the AsyncAPI document of the topics, from the code.

python -m schemas.generate            write schemas/generated/
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from schemas.catalogue import RECORDS
from schemas.topics import MAX_MESSAGE_BYTES, TOPICS, Topic

FOLDER = Path(__file__).parent / "generated"


def documents() -> dict[str, str]:
    """File name to text, for every generated document."""
    texts = {f"{record.name}.schema.json": _schema(dict(record.json_schema)) for record in RECORDS}
    texts["asyncapi.json"] = _dump(_asyncapi())
    return texts


def _schema(schema: dict[str, Any]) -> str:
    return _dump({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema})


def _dump(document: dict[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def _asyncapi() -> dict[str, Any]:
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Lookthrough 穿透",
            "version": "1",
            "description": "The topics through which custody banks, ingest, the detector and the store talk.",
        },
        "channels": {topic.name: _channel(topic) for topic in TOPICS},
        "operations": {
            f"{action}-{topic.name}-{party}".replace(" ", "-"): {
                "action": action,
                "channel": {"$ref": f"#/channels/{topic.name}"},
                "summary": f"{party} {action}s",
            }
            for topic in TOPICS
            for action, party in [("send", topic.producer), *(("receive", c) for c in topic.consumers)]
        },
    }


def _channel(topic: Topic) -> dict[str, Any]:
    payload = {"description": topic.value}
    if topic.record:
        payload["$ref"] = f"./{topic.record}.schema.json"
    return {
        "address": topic.name,
        "messages": {
            "message": {
                "payload": payload,
                "bindings": {"kafka": {"key": {"type": "string", "description": topic.key}}},
            }
        },
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "partitions": topic.partitions,
                "topicConfiguration": {
                    "cleanup.policy": ["compact" if topic.compacted else "delete"],
                    "retention.ms": -1 if topic.retention_us is None else topic.retention_us // 1000,
                    "max.message.bytes": MAX_MESSAGE_BYTES,
                },
            }
        },
    }


def write() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name, text in documents().items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write()
