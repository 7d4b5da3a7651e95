"""docs/typologies says what the typologies, the law and the last evaluation say."""

from __future__ import annotations

import json
from pathlib import Path

from lookthrough.evaluation.handbook import pages
from services.detector.typologies import TYPOLOGIES

DOCS = Path(__file__).parents[3] / "docs"


def test_the_pages_are_up_to_date() -> None:
    written = {file.name: file.read_text(encoding="utf-8") for file in (DOCS / "typologies").iterdir()}
    made = pages(json.loads((DOCS / "evaluation.json").read_text(encoding="utf-8")))
    assert written == made, "make docs writes them anew"
    assert set(made) == {"README.md", *(f"{one.id}.md" for one in TYPOLOGIES)}


def test_a_typology_without_figures_has_a_page() -> None:
    made = pages({"sets": [], "typologies": []})
    assert "No case of it is planted" in made["pooling.md"]
    assert "资金池" in made["README.md"]
