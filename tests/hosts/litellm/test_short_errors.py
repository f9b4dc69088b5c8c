"""Every kind of error, with names as long as real ones: three lines in aider, with what helps."""

from __future__ import annotations

import socket
from pathlib import Path

import litellm
import pytest

from aider_stackspot.emulator import Emulator, Fault
from aider_stackspot.hosts.litellm.registration import register
from tests.lines import lines_in_aider

REALM, CLIENT = "a-company-with-a-name", "0c1ed5b0-7a1e-4c0e-9f7e-5d2f1a3b4c5d"
AGENT = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
INIT = "Run: aider-stackspot init"
LONG = {"code": "INFERENCE_6001_LLM_MODEL_BAD_REQUEST", "details": "The model refused this request. " * 40}


@pytest.fixture
def service(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Emulator:
    """A StackSpot with an account whose names are as long as real ones."""
    emulator.rotate(REALM, CLIENT, "the-key")
    account = {"REALM": REALM, "CLIENT_ID": CLIENT, "CLIENT_KEY": "the-key", "AGENT_ID": AGENT}
    for name, value in account.items():
        monkeypatch.setenv(f"STACKSPOTAI_{name}", value)
    return emulator


def failed(model: str = "stackspot-ai-code", **arguments: object) -> str:
    """Return what a call says that fails, on as many lines as aider has for it."""
    messages = [{"role": "user", "content": "Say hi"}]
    with pytest.raises(Exception) as caught:
        for _ in litellm.completion(model=model, messages=messages, stream=True, max_retries=0, **arguments):
            pass
    text = str(getattr(caught.value, "original_exception", None) or caught.value)
    assert len(lines_in_aider(text)) <= 3, lines_in_aider(text)
    return text


TOKEN = {
    400: "Check STACKSPOTAI_CLIENT_ID, STACKSPOTAI_CLIENT_KEY and STACKSPOTAI_REALM.",
    404: "There is no such realm: set STACKSPOTAI_REALM to the account's slug, or to `stackspot-freemium`.",
    429: "wait a minute",
    503: "503",
}


@pytest.mark.parametrize("status", TOKEN)
def test_a_refused_token(service: Emulator, status: int) -> None:
    service.fail("token", Fault.status(status), times=None)
    text = failed()
    assert f"realm `{REALM}`, client id `{CLIENT}`" in text
    assert TOKEN[status] in text


def test_a_wrong_secret(service: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STACKSPOTAI_CLIENT_KEY", "wrong")
    assert TOKEN[400] in failed()


def test_credentials_of_a_file_are_called_as_they_are_there(service: Emulator, tmp_path: Path) -> None:
    keys = f"{{type: stackspot, client_id: {CLIENT}, api_key: wrong, client_realm: {REALM}}}"
    (tmp_path / "home" / ".aider.litellm.yml").write_text(f"providers: {{second: {keys}}}", encoding="utf-8")
    register()
    assert "Check `client_id`, `api_key` and `client_realm`." in failed("second/stackspot-ai-code")


ANSWERS = {
    401: "was the credential revoked or rotated?",
    402: "credit",
    403: "Check that the agent is shared with this credential.",
    404: "Check the agent id, and the base URL if you set one.",
    408: "408",
    413: "too large",
    429: "wait a minute, or set `rpm`.",
    500: "500",
    502: "502",
    503: "503",
}


@pytest.mark.parametrize("status", ANSWERS)
def test_an_answer_of_the_service(service: Emulator, status: int) -> None:
    service.fail("any chat", Fault.status(status), times=None)
    text = failed()
    assert f"agent `{AGENT}` (realm `{REALM}`, client id `0c1ed5b0…`)" in text
    assert ANSWERS[status] in text


@pytest.mark.parametrize(
    ("status", "advice"),
    [(403, "may use StackSpot's chat, or choose an agent"), (404, "Check the base URL if you set one.")],
)
def test_a_chat_without_an_agent_names_none(
    service: Emulator, monkeypatch: pytest.MonkeyPatch, status: int, advice: str
) -> None:
    monkeypatch.delenv("STACKSPOTAI_AGENT_ID")
    service.fail("any chat", Fault.status(status, {"details": "No."}), times=None)
    text = failed()
    assert advice in text
    assert "the agent" not in text


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Fault.status(400, LONG), "The model refused this request."),
        (Fault.status(403, LONG), "the agent is shared with this credential."),
        (Fault.redirect("https://elsewhere.example/"), "Redirects are not followed"),
        (Fault.login_page(), "login page of a proxy"),
        (Fault.cut_after(3), "broke while the answer was awaited"),
        (Fault.end_after(1), "ended before its end marker"),
        (Fault.error_frame(1), "reported an error inside the stream"),
        (Fault.close(), "The connection to 127.0.0.1"),
    ],
)
def test_an_answer_that_is_none(service: Emulator, fault: Fault, words: str) -> None:
    service.fail("any chat", fault, times=None)
    assert words in failed()


def test_a_proxy_at_the_token_endpoint(service: Emulator) -> None:
    service.fail("token", Fault.login_page(), times=None)
    assert "login page of a proxy" in failed()


def test_a_time_that_is_over(service: Emulator) -> None:
    service.fail("any chat", Fault.silent(5.0), times=None)
    assert "Raise `timeout`" in failed(timeout=0.2)


def test_no_network(service: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        monkeypatch.setenv("STACKSPOTAI_AUTH_URL", f"http://127.0.0.1:{unused.getsockname()[1]}")
        assert "Check that the server runs, its port, HTTPS_PROXY and NO_PROXY." in failed()


def test_no_credentials(isolated: Path) -> None:
    text = failed()
    assert "STACKSPOTAI_CLIENT_ID and STACKSPOTAI_CLIENT_KEY are not set." in text
    assert text.endswith(INIT)


def test_no_credentials_in_files_with_long_names(isolated: Path, tmp_path: Path) -> None:
    for directory in (isolated, tmp_path / "home"):
        (directory / ".env").write_text("STACKSPOTAI_REALM=a\n", encoding="utf-8")
    text = failed()
    assert "`aider-stackspot doctor` shows" in text
    assert text.endswith(INIT)


def test_a_locked_keyring(isolated: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STACKSPOTAI_CLIENT_ID", CLIENT)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "tests.config.keyring_backends.Locked")
    text = failed()
    assert "The system's keyring refused (KeyringLocked: Failed to unlock the collection!)." in text
    assert text.endswith("Unlock it and try again, or set STACKSPOTAI_CLIENT_KEY.")


@pytest.mark.parametrize("name", ["stackspot/stackspot-ai-cod", "stackspot-ai-cod"])
def test_an_unknown_model(service: Emulator, name: str) -> None:
    assert "`aider-stackspot models` lists them (stackspot-ai-code, " in failed(name)


PROJECT = "providers:\n  lab: {base_url: 'http://10.1.2.3:8000/v1', models: [m]}\n"


def test_a_server_that_only_a_projects_file_has(isolated: Path) -> None:
    (isolated / ".aider.litellm.yml").write_text(PROJECT, encoding="utf-8")
    register()
    with pytest.raises(litellm.BadRequestError) as caught:
        litellm.completion(model="lab/m", messages=[{"role": "user", "content": "Say hi"}])
    text = str(caught.value).replace(str(isolated), "/home/maria/projects/web-shop")
    assert "the provider `lab`" in text
    assert "aider-stackspot trust /home/maria/projects/web-shop/.aider.litellm.yml" in text
    assert len(lines_in_aider(text)) <= 3, lines_in_aider(text)


def test_such_a_file_takes_no_name_from_anybody(isolated: Path) -> None:
    (isolated / ".aider.litellm.yml").write_text(PROJECT.replace("lab", "openai"), encoding="utf-8")
    register()
    assert litellm.get_llm_provider("openai/gpt-4o")[:2] == ("gpt-4o", "openai")
