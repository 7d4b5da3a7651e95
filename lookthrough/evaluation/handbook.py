"""docs/typologies: one page a typology, out of its file, the law as data and the last evaluation.

python -m lookthrough.evaluation.handbook docs/evaluation.json docs/typologies
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import fields
from inspect import getdoc
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from schemas.alert import Alert
from schemas.instant import FOREVER
from schemas.law import Law, Threshold, load_law
from schemas.registry import AccountRole
from services.detector.typologies import TYPOLOGIES
from services.detector.typology import Typology
from services.detector.wording import amount, day, masked, role


def pages(figures: dict[str, Any]) -> dict[str, str]:
    """File name to text, README.md among them. `figures` is what evaluation.json holds."""
    law = load_law()
    templates = Environment(
        loader=PackageLoader("lookthrough.evaluation"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701  Markdown of our own texts, not HTML of others'
    )
    measured = {one["id"]: one for one in figures["typologies"]}
    described = [_described(one, law, measured.get(one.id)) for one in TYPOLOGIES]
    written = {f"{one['id']}.md": templates.get_template("typology.md").render(one) for one in described}
    index = templates.get_template("typologies.md").render(typologies=described, sets=figures["sets"])
    return {"README.md": index} | written


def _described(typology: type[Typology], law: Law, figures: dict[str, Any] | None) -> dict[str, Any]:
    summary, _, rest = (getdoc(sys.modules[typology.__module__]) or "").partition("\n\n")
    example = Alert.model_validate(figures["example"]) if figures and figures["example"] else None
    return {
        "id": typology.id,
        "name": typology.name,
        "summary": summary.partition(":")[2].strip() or summary,
        "meaning": rest,
        "articles": [(one, law.article(one.document, one.article)) for one in typology.law],
        "documents": law.documents,
        "needs": typology.needs,
        "look_alikes": typology.look_alikes,
        "parameters": list(_parameters(typology, law)),
        "figures": figures,
        "example": example,
        "picture": list(_picture(example)) if example else [],
    }


def _parameters(typology: type[Typology], law: Law) -> Iterator[tuple[str, str, str, str]]:
    """(name, value, over which time, source): the law's where it sets one, else the default."""
    for one in fields(typology.parameters):
        set_by_law = [t for t in law.thresholds if (t.rule, t.name) == (typology.id, one.name)]
        for threshold in set_by_law:
            source = threshold.source + (" (s)" if threshold.secondary else "")
            yield one.name, _value(threshold.value), _validity(threshold), source
        if not set_by_law:
            yield one.name, _value(one.default), "", one.metadata["source"]


def _value(value: Any) -> str:
    return (
        ", ".join(map(str, value))
        if isinstance(value, tuple)
        else f"{value:,}"
        if isinstance(value, int)
        else value
    )


def _validity(threshold: Threshold) -> str:
    since = "" if threshold.valid_from == 0 else f"from {day(threshold.valid_from)}"
    until = "" if threshold.valid_to == FOREVER else f"before {day(threshold.valid_to)}"
    return " ".join(filter(None, (since, until)))


def _picture(alert: Alert) -> Iterator[str]:
    """The evidence as lines of a Mermaid flow chart, accounts named by letters as they come."""
    kinds = {node.account: node.role for node in alert.evidence.nodes}
    letters: dict[str, str] = {}
    for edge in alert.evidence.edges:
        for account in (edge.src, edge.dst):
            if account not in letters:
                letters[account] = f"n{len(letters)}"
                shape = ("([", "])") if account in alert.accounts else ("[", "]")
                label = f"{masked(account)}<br>{_kind(kinds[account])}"
                yield f'{letters[account]}{shape[0]}"{label}"{shape[1]}'
    for edge in alert.evidence.edges:
        moved = f"{amount(edge.amount_minor, edge.currency)}<br>{day(edge.ts)} {edge.purpose}"
        yield f'{letters[edge.src]} -->|"{moved}"| {letters[edge.dst]}'


def _kind(name: str) -> str:
    if name not in AccountRole.__members__:
        return {"outside": "体系外 outside"}.get(name, "未登记 unregistered")
    text = role(AccountRole(name))
    return f"{text.zh} {text.en}"


def write(evaluation: Path, folder: Path) -> None:
    """Raises OSError, and ValueError for a file that is no evaluation.json."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages(json.loads(evaluation.read_text(encoding="utf-8"))).items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]), Path(sys.argv[2]))
