"""The figures as one HTML page that needs nothing else: tables, and each share drawn with its interval."""

from __future__ import annotations

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape


def page(figures: dict[str, Any]) -> str:
    environment = Environment(
        loader=PackageLoader("lookthrough.evaluation"),
        autoescape=select_autoescape(),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("evaluation.html").render(figures)
