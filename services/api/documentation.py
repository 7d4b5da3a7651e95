"""The OpenAPI document as one page that loads nothing: no script, no font, no other host.

Swagger UI, FastAPI's own page, comes from a content delivery network, which a supervisor's network
does not reach.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any, Final

POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"

_PAGE: Final = """<!doctype html>
<html lang="zh">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 16px/1.5 system-ui, "Noto Sans CJK SC", sans-serif; }}
body {{ max-width: 60rem; margin: auto; padding: 1rem; }}
summary {{ cursor: pointer; padding: .4rem 0; border-top: 1px solid #8884; }}
code, pre {{ font: 13px/1.45 ui-monospace, monospace; }}
pre {{ overflow: auto; max-height: 24rem; padding: .6rem; background: #8882; }}
table {{ border-collapse: collapse; }}
td, th {{ text-align: left; vertical-align: top; padding: .2rem .8rem .2rem 0; }}
</style>
</head>
<body>
<h1>{title} <small>{version}</small></h1>
<p>{description}</p>
<p>Machine-readable: <a href="openapi.json">openapi.json</a></p>
{sections}
</body>
</html>
"""


def page(document: Mapping[str, Any]) -> str:
    """HTML of an OpenAPI 3 document."""
    sections: dict[str, list[str]] = {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            tag = (operation.get("tags") or ["other"])[0]
            sections.setdefault(tag, []).append(_operation(method.upper(), path, operation))
    return _PAGE.format(
        title=escape(document["info"]["title"]),
        version=escape(document["info"]["version"]),
        description=escape(document["info"].get("description", "")),
        sections="\n".join(f"<h2>{escape(tag)}</h2>\n{''.join(found)}" for tag, found in sections.items()),
    )


def _operation(method: str, path: str, operation: Mapping[str, Any]) -> str:
    parameters = operation.get("parameters", [])
    summary = f"<code>{method} {escape(path)}</code> {escape(operation.get('summary', ''))}"
    return (
        f"<details><summary>{summary}</summary>\n"
        f"<p>{escape(operation.get('description', ''))}</p>\n"
        f"<pre>{escape(_curl(method, path, operation))}</pre>\n"
        f"{_parameters(parameters)}{''.join(_responses(operation.get('responses', {})))}</details>\n"
    )


def _curl(method: str, path: str, operation: Mapping[str, Any]) -> str:
    names = {parameter["name"] for parameter in operation.get("parameters", [])}
    verb = "" if method == "GET" else f" -X {method}"
    query = "?limit=10" if "limit" in names else ""
    key = " \\\n  -H 'Authorization: Bearer <key>'" if operation.get("security") else ""
    return f"curl -s{verb} 'http://127.0.0.1:8000{path}{query}'{key}"


def _parameters(parameters: list[Mapping[str, Any]]) -> str:
    rows = "".join(
        f"<tr><td><code>{escape(p['name'])}</code></td><td>{escape(p['in'])}</td>"
        f"<td>{escape(p.get('description') or p.get('schema', {}).get('description', ''))}</td></tr>\n"
        for p in parameters
    )
    return f"<table><tr><th>parameter 参数</th><th>in</th><th></th></tr>\n{rows}</table>\n" if rows else ""


def _responses(responses: Mapping[str, Any]) -> Iterator[str]:
    for status, response in responses.items():
        for media_type, content in response.get("content", {}).items():
            example = content.get("example")
            if example is None:
                continue
            text = example if isinstance(example, str) else json.dumps(example, ensure_ascii=False, indent=2)
            yield f"<p>{escape(status)} <code>{escape(media_type)}</code></p>\n<pre>{escape(text)}</pre>\n"
