"""Log lines as JSON, one object a line, for whatever collects them."""

from __future__ import annotations

import json
import logging

from schemas.instant import to_rfc3339


class JsonLines(logging.Formatter):
    """Time, level, logger and message; the traceback where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": to_rfc3339(int(record.created * 1e6)),
            "level": record.levelname.lower(),
            "from": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def configure(level: int = logging.INFO) -> None:
    """All loggers of the process to standard error, as JSON lines; the Kafka client's when it warns."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.getLogger("kafka").setLevel(logging.WARNING)
