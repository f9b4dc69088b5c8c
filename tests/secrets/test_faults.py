"""Every log on, every fault, every exception with its local variables: no secret is in what a program leaves behind."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

from aider_stackspot.emulator import Emulator, Fault
from tests.network.connect_proxy import ConnectProxy
from tests.secrets.canaries import CLIENT_KEY, HEADER, PROXY_PASSWORD, TOKEN, Search

AGENT = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
PROGRAM = Path(__file__).with_name("leaky_program.py")
ENCODED = (CLIENT_KEY, quote(CLIENT_KEY), quote(CLIENT_KEY, safe=""), quote_plus(CLIENT_KEY), json.dumps(CLIENT_KEY))
ECHO = f"echo: {HEADER} {PROXY_PASSWORD} {quote(PROXY_PASSWORD)} {' '.join(ENCODED)} " + " ".join(
    base64.b64encode(text.encode()).decode() for text in (CLIENT_KEY, HEADER, f"jane:{PROXY_PASSWORD}")
)
"""What a token endpoint writes that repeats everything it was sent."""
API_ECHO = f"Bearer {TOKEN} {base64.b64encode(TOKEN.encode()).decode()} {ECHO}"
"""What an API writes that does."""
CUT = f"{'.' * 470} {TOKEN}"
"""What is shortened in the middle of a secret."""


@dataclass
class Step:
    """One fault. `fault` is met by every request of its `kind`; `expected` is what comes of the call."""

    expected: str
    fault: Fault | None = None
    kind: str = "any chat"
    token: Fault | None = None
    timeout: float = 10.0
    environment: dict[str, str] = field(default_factory=dict)


def token(expected: str, fault: Fault, **more: Any) -> Step:
    return Step(expected, fault, kind="token", **more)


def handed_out(expected: str, fault: Fault, **more: Any) -> Step:
    """The token endpoint hands out a token that this file knows, and the API's fault may repeat."""
    return Step(expected, fault, token=Fault.bad_token(access_token=TOKEN), **more)


FAULTS = {
    "good": Step("answered"),
    "junk": Step("APIConnectionError", Fault.junk_events()),
    "too long": Step("ContextWindowExceededError", Fault.too_long()),
    "400": Step("BadRequestError", Fault.refused()),
    "401": Step("AuthenticationError", Fault.status(401)),
    "403": Step("AuthenticationError", Fault.status(403)),
    "404": Step("NotFoundError", Fault.status(404)),
    "429": Step("RateLimitError", Fault.status(429)),
    "500": Step("InternalServerError", Fault.status(500)),
    "503": Step("ServiceUnavailableError", Fault.status(503)),
    "a web page": Step("APIConnectionError", Fault.login_page()),
    "redirect": Step("BadRequestError", Fault.redirect("http://127.0.0.1:1/elsewhere")),
    "reset": Step("APIConnectionError", Fault.reset()),
    "silence": Step("Timeout", Fault.silent(), timeout=0.5),
    "cut": Step("APIConnectionError", Fault.cut_after(1)),
    "error frame": Step("InternalServerError", Fault.error_frame(1)),
    "big event": Step("APIConnectionError", Fault.big_event(20_000_000)),
    "400 that echoes": handed_out("BadRequestError", Fault.status(400, {"details": API_ECHO})),
    "401 that echoes": handed_out("AuthenticationError", Fault.status(401, {"details": API_ECHO})),
    "422 that echoes": handed_out("BadRequestError", Fault.status(422, API_ECHO, content_type="text/plain")),
    "500 that echoes": handed_out("InternalServerError", Fault.status(500, f"<html>{API_ECHO}</html>")),
    "frame that echoes": handed_out(
        "InternalServerError",
        Fault.status(200, f"data: {json.dumps({'error': API_ECHO})}\n\n", content_type="text/event-stream"),
    ),
    "damage that echoes": handed_out(
        "APIConnectionError",
        Fault.status(200, f'data: {{"message": "{API_ECHO}\n\n', content_type="text/event-stream"),
    ),
    "document that echoes": handed_out(
        "APIConnectionError", Fault.status(200, API_ECHO, content_type="application/json")
    ),
    "400 that is cut in a secret": handed_out("BadRequestError", Fault.status(400, {"details": CUT})),
    "code that echoes": handed_out("BadRequestError", Fault.status(400, {"code": API_ECHO, "details": "no"})),
}
TOKEN_FAULTS = {
    "400": token("AuthenticationError", Fault.status(400)),
    "401": token("AuthenticationError", Fault.status(401)),
    "404": token("AuthenticationError", Fault.status(404)),
    "429": token("RateLimitError", Fault.status(429)),
    "500": token("InternalServerError", Fault.status(500)),
    "a web page": token("APIConnectionError", Fault.login_page()),
    "redirect": token("APIConnectionError", Fault.redirect("http://127.0.0.1:1/elsewhere")),
    "no token": token("APIConnectionError", Fault.bad_token(without=("access_token",))),
    "token with a line break": token("APIConnectionError", Fault.bad_token(access_token=f"{TOKEN}\n{TOKEN}")),
    "token that is a list": token("APIConnectionError", Fault.bad_token(access_token=[TOKEN])),
    "token beyond ASCII": token("APIConnectionError", Fault.bad_token(access_token=f"{TOKEN}ä")),
    "lifetime that is a token": token("AuthenticationError", Fault.bad_token(access_token=TOKEN, expires_in=TOKEN)),
    "too large": token("APIConnectionError", Fault.bad_token(access_token=TOKEN, padding=2_000_000)),
    "reset": token("APIConnectionError", Fault.reset()),
    "silence": token("Timeout", Fault.silent(), timeout=0.5),
    "400 that echoes": token("AuthenticationError", Fault.status(400, {"error_description": ECHO})),
    "401 that echoes": token("AuthenticationError", Fault.status(401, ECHO, content_type="text/plain")),
    "503 that echoes": token("ServiceUnavailableError", Fault.status(503, {"message": ECHO})),
    "200 that echoes": token("APIConnectionError", Fault.status(200, {"oops": ECHO})),
    "200 that echoes oddly": token("APIConnectionError", Fault.status(200, f'{{"access_token": "{TOKEN}')),
    "refused": Step("APIConnectionError", environment={"STACKSPOTAI_AUTH_URL": "http://127.0.0.1:1"}),
    "no url": Step("BadRequestError", environment={"STACKSPOTAI_AUTH_URL": f"https://jane:{TOKEN}@127.0.0.1"}),
    "no key": Step("AuthenticationError", environment={"STACKSPOTAI_CLIENT_KEY": ""}),
    "header nobody can send": Step("BadRequestError", environment={"GATEWAY_SECRET": f"{HEADER}ä\r\nX: {HEADER}"}),
    "header beyond ASCII": Step("BadRequestError", environment={"GATEWAY_SECRET": f"{HEADER}ä"}),
}


@contextlib.contextmanager
def served(name: str, step: Step, api: str) -> Iterator[tuple[dict[str, Any], Emulator]]:
    """Provide a StackSpot that does a step's fault, and the step as the program takes it."""
    with Emulator(credentials={("stackspot", "canary-client"): CLIENT_KEY}) as emulator:
        if step.fault is not None:
            emulator.fail(step.kind, step.fault, times=None)
        if step.token is not None:
            emulator.fail("token", step.token, times=None)
        agent = {"STACKSPOTAI_AGENT_ID": AGENT if api == "agent" else ""}
        environment = {"GATEWAY_SECRET": HEADER, **emulator.environment(), **agent, **step.environment}
        plan = {"name": name, "environment": environment, "model": "stackspot-ai-code", "timeout": step.timeout}
        yield plan, emulator


def run(plan: list[dict[str, Any]], isolated: Path, **environment: str) -> subprocess.CompletedProcess[bytes]:
    temporary = isolated.parent / "tmp"
    temporary.mkdir()
    return subprocess.run(
        [sys.executable, str(PROGRAM)],
        input="\n".join(json.dumps(step) for step in plan).encode(),
        env={**os.environ, "TMPDIR": str(temporary), **environment},
        capture_output=True,
        timeout=240,
    )


def outcomes(output: bytes) -> list[tuple[str, ...]]:
    lines = output.decode().splitlines()
    return [tuple(line.split(": ", 1)[1].rsplit(" ", 2)) for line in lines if line.startswith("=== outcome: ")]


@pytest.fixture
def configured(isolated: Path) -> Iterator[ConnectProxy]:
    """Every request goes through a proxy with a password and carries a secret header; the file only names variables."""
    keys = {"proxy": "${COMPANY_PROXY}", "extra_headers": {"X-Gateway": "${GATEWAY_SECRET}"}}
    file = isolated.parent / "home" / ".aider.litellm.yml"
    file.write_text(json.dumps({"providers": {"stackspot": keys}}), encoding="utf-8")
    with ConnectProxy(user=f"jane:{PROXY_PASSWORD}") as proxy:
        yield proxy


WAYS = ["completion", "astream", "stream", "acompletion"]


@pytest.mark.parametrize(
    ("api", "steps"),
    [("agent", FAULTS), pytest.param("chat", TOKEN_FAULTS, marks=pytest.mark.slow)],
    ids=["api", "token"],
)
@pytest.mark.slow
def test_nothing_is_left_behind(api: str, steps: dict[str, Step], configured: ConnectProxy, isolated: Path) -> None:
    with contextlib.ExitStack() as stack:
        plans, emulators = zip(
            *(stack.enter_context(served(name, step, api)) for name, step in steps.items()), strict=True
        )
        for number, plan in enumerate(plans):
            plan["ways"] = [WAYS[number % 4], "provider"]
        proxy = f"http://jane:{quote(PROXY_PASSWORD, safe='')}@{configured.host}"
        log = {"AIDER_STACKSPOT_DEBUG": "1"} if api == "agent" else {"AIDER_STACKSPOT_LOG": "1"}
        done = run(list(plans), isolated, COMPANY_PROXY=proxy, **log)
        tokens = {
            request.headers["authorization"].removeprefix("Bearer ")
            for emulator in emulators
            for request in emulator.chat_requests
        }
        shown = [request.form.get("client_secret") for emulator in emulators for request in emulator.token_requests]
        headers = [request.headers.get("x-gateway") for emulator in emulators for request in emulator.chat_requests]
    assert done.returncode == 0, done.stderr[-3000:]
    came = {(name, outcome) for name, _, outcome in outcomes(done.stdout)}
    assert came >= {(name, step.expected) for name, step in steps.items()}
    assert CLIENT_KEY in shown, "the key was sent: it could have leaked"
    assert {asked.user for asked in configured.asked} == {f"jane:{PROXY_PASSWORD}"}
    if api == "agent":
        assert HEADER in headers
        assert len(tokens) > 5
    search = Search(tokens)
    assert search.in_bytes(done.stdout) == []
    assert search.in_bytes(done.stderr) == []
    assert search.in_files(isolated.parent) == {}
