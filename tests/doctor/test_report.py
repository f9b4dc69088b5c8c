"""What the doctor's masks take out, whoever says it."""

from __future__ import annotations

from pathlib import Path

from aider_stackspot.config import current
from aider_stackspot.doctor.report import Finding, Masks, masked

AGENT = "01ARZ3NDEKTSV4RRFFQ69G5FAV"


def test_secrets_ids_and_the_home_directory() -> None:
    (Path.home() / ".aider.litellm.yml").write_text(
        "providers:\n  stackspot:\n    client_id: my-client-id\n    api_key: A+secret/key==\n"
        f"    models:\n      mine: {{agent_id: {AGENT}}}\n"
        "  local:\n    api_base: http://127.0.0.1:1/v1\n    api_key: sk-of-the-other-server\n",
        encoding="utf-8",
    )
    masks = Masks.of(current())
    said = f"A+secret/key== A%2Bsecret%2Fkey%3D%3D my-client-id {AGENT} sk-of-the-other-server {Path.home()}/x"
    assert masks.text(said) == "[secret] [secret] my-c… 01AR… [secret] ~/x"


def test_the_password_of_any_url() -> None:
    assert Masks().text("see http://me:pass-word@proxy.example:3128/x") == "see http://…@proxy.example:3128/x"


def test_every_part_of_a_finding() -> None:
    masks = Masks(secrets=("the-secret",))
    told = masks.finding(
        Finding(
            "S", "a the-secret", "ok", "b the-secret", "c the-secret", data={"d": "the-secret", "e": ["the-secret"]}
        )
    )
    assert "the-secret" not in repr(told)
    assert told.data["e"] == ["[secret]"]


def test_control_characters_cannot_rewrite_the_terminal() -> None:
    assert Masks().text("a\x1b[2Jb\nc") == "a\\x1b[2Jb\\nc"


def test_a_short_id_is_not_shown_at_all() -> None:
    assert (masked("abc"), masked("abcdefgh")) == ("…", "abcd…")
