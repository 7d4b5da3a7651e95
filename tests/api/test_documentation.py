from __future__ import annotations

import re

from starlette.testclient import TestClient

from services.api.documentation import page


def test_the_root_leads_to_the_documentation(client: TestClient) -> None:
    answer = client.get("/", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (307, "docs")
    assert client.get("/").headers["content-type"].startswith("text/html")


def test_the_page_shows_every_route_with_a_command_and_an_answer(client: TestClient) -> None:
    text = client.get("/docs").text
    for path in client.get("/openapi.json").json()["paths"]:
        assert f"<code>GET {path}</code>" in text
        assert f"http://127.0.0.1:8000{path}" in text
    assert "自融" in text
    assert "Authorization: Bearer" in text


def test_the_page_loads_nothing(client: TestClient) -> None:
    answer = client.get("/docs")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert re.findall(r"<(?:script|link|img|iframe)\b|@import|url\(", answer.text) == []
    assert set(re.findall(r"(?:src|href)=\"([^\"]*)\"", answer.text)) == {"openapi.json"}


def test_markup_in_a_description_stays_text() -> None:
    operation = {"summary": "<script>", "description": "<b>", "responses": {}}
    document = {"info": {"title": "<t>", "version": "1"}, "paths": {"/<x>": {"get": operation}}}
    text = page(document)
    assert "<script>" not in text
    assert "<b>" not in text
    assert "<x>" not in text
