"""What a person reads before a file is changed: the change, and no secret that stands beside it."""

from __future__ import annotations

import pytest

from aider_stackspot.cli.init_files import difference
from aider_stackspot.config.edit_yaml import with_model_key

OLD, NEW = "01ARZ3NDEKTSV4RRFFQ69G5FAV", "01BX5ZZKBKACTAV9WEVGEMMVRZ"
SECRET = "sk-very-secret-one"


def shown(before: str) -> str:
    return "\n".join(difference(before, with_model_key(before, "stackspot", "code", "agent_id", NEW), "the file"))


def test_it_shows_what_changes_and_where() -> None:
    before = f"""\
providers:
  stackspot:
    models:
      code:
        tools: false
        agent_id: "{OLD}"  # the reviewer
  lan:
    base_url: http://localhost:1/v1
"""
    assert (
        shown(before)
        == f"""\
--- the file
+++ the file
@@ -3,6 +3,6 @@
     models:
       code:
         tools: …
-        agent_id: "{OLD}"  # …
+        agent_id: "{NEW}"  # …
   lan:
     base_url: …"""
    )


@pytest.mark.parametrize(
    "before",
    [
        f"providers:\n  stackspot:\n    api_key: {SECRET}\n    models: {{}}\n",
        f"providers:\n  stackspot:\n    models: {{}}\n    # api_key: {SECRET}\n",
        f"providers:\n  stackspot:\n    models: {{}}  # {SECRET}\n",
        f"providers:\n  stackspot:\n    models:\n    extra_headers:\n      X: >-\n        {SECRET}\n",
        f"providers:\n  stackspot:\n    models:\n    extra_headers:\n      X: '{SECRET}\n        {SECRET}'\n",
        f"providers: {{stackspot: {{api_key: {SECRET}, models: {{}}}}}}\n",
        f"providers: {{stackspot: {{proxy: 'http://u:{SECRET}@proxy.example.com', models: {{}}}}}}\n",
        f"providers: {{lan: {{extra_headers: {{X: [{SECRET}]}}}}, stackspot: {{models: {{}}}}}} # {SECRET}",
    ],
)
def test_it_shows_no_secret(before: str) -> None:
    assert SECRET in before
    text = shown(before)
    assert NEW in text
    assert SECRET not in text


def test_a_name_is_no_secret_though_a_value_says_it_too() -> None:
    before = "providers:\n  stackspot:\n    aliases: {fast: stackspot-ai-code}\n    models:\n      stackspot-ai-code:\n"
    after = with_model_key(before, "stackspot", "stackspot-ai-code", "agent_id", NEW)
    assert "       stackspot-ai-code:" in difference(before, after, "the file")


def test_it_moves_no_cursor() -> None:
    before = "providers:\n  stackspot:\n    models:\n      a\u202eb:\n      code:\n"
    assert "\u202e" not in shown(before)
