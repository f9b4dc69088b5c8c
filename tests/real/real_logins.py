"""Authorization servers that are no imitation, started by the tests: one on authlib, one on node's oidc-provider.

Not part of the ordinary tests (the name keeps them out): `make test-logins` makes what they need and runs them.
`REAL_AUTHLIB` is a Python with authlib and flask, `REAL_NODE_MODULES` a folder with oidc-provider in it.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx
import litellm
import pytest

import aider_stackspot
from aider_stackspot.compatible.discovery import discover
from aider_stackspot.config import current
from tests.compatible.openai_server import OpenAIServer, Reply, models

HI = [{"role": "user", "content": "Say hi"}]
SECRET = "s3cret+/ of the client"
SECONDS = 4
"""That a token lives: servers, clients and 64 callers share this machine, and a request may take seconds to arrive."""
HERE = Path(__file__).parent
KINDS = {
    "authlib": [os.environ["REAL_AUTHLIB"], str(HERE / "authlib_server.py")],
    "oidc-provider": ["node", str(HERE / "oidc_provider.mjs")],
}
INTROSPECTION = {"authlib": "introspect", "oidc-provider": "token/introspection"}


@dataclass
class Login:
    """A running authorization server."""

    url: str
    introspection: str
    http: httpx.Client

    def holds(self, token: str) -> bool:
        """Ask, as a server does, whether a token holds (RFC 7662)."""
        form = {"token": token, "client_id": "server", "client_secret": "of-the-server"}
        answer = self.http.post(f"{self.url}/{self.introspection}", data=form)
        return bool(answer.json()["active"])

    @property
    def given_out(self) -> int:
        """How many tokens there were."""
        return int(self.http.get(f"{self.url}/count").text)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture(params=[(kind, method) for kind in KINDS for method in ("post", "basic")], ids="-".join)
def login(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Login]:
    kind, method = request.param
    port = _free_port()
    http = httpx.Client(verify=False, trust_env=False, timeout=30)
    running = Login(f"http://127.0.0.1:{port}", INTROSPECTION[kind], http)
    with (tmp_path / "log").open("wb") as log:
        command = [*KINDS[kind], str(port), f"client_secret_{method}", str(SECONDS)]
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 60
        while True:
            assert process.poll() is None, (tmp_path / "log").read_text()
            assert time.monotonic() < deadline
            try:
                assert running.given_out == 0
                break
            except httpx.HTTPError:
                time.sleep(0.1)
        yield running
    finally:
        process.terminate()
        process.wait(20)
        http.close()


@pytest.fixture
def server(login: Login) -> Iterator[OpenAIServer]:
    with OpenAIServer(models("m"), key=login.holds) as running:
        yield running


@pytest.fixture
def configure(login: Login, server: OpenAIServer, isolated: Path) -> Callable[[str], None]:
    def write(secret: str) -> None:
        (isolated.parent / "home" / ".aider.litellm.yml").write_text(
            f"""providers:
  corp:
    api_base: {server.base}
    token_url: {login.url}/token
    client_id: corp client
    client_secret: {secret}
    scope: chat
""",
            encoding="utf-8",
        )
        aider_stackspot.register()

    write(SECRET)
    return write


def ask() -> str:
    return str(litellm.completion("corp/m", HI, max_retries=0).choices[0].message.content)


def test_64_callers_share_one_token_each_time_and_its_end_is_not_noticed(
    login: Login, server: OpenAIServer, configure: Callable[[str], None]
) -> None:
    assert discover([current().compatible["corp"]], 20.0)["corp"].snapshot is not None
    with ThreadPoolExecutor(64) as pool:
        for _ in range(3):
            before = login.given_out
            began = time.monotonic()
            assert set(pool.map(lambda _: ask(), range(64))) == {Reply().text}
            halves = 1 + int((time.monotonic() - began) / (SECONDS / 2))
            assert login.given_out - before <= halves
            time.sleep(SECONDS)
    assert login.given_out >= 3
    assert len(server.chats) == 3 * 64, "none was refused and repeated"


def test_a_wrong_secret(login: Login, server: OpenAIServer, configure: Callable[[str], None]) -> None:
    configure("another-secret")
    with pytest.raises(litellm.AuthenticationError, match="scope `chat`, client id `corp client`") as caught:
        ask()
    assert "another-secret" not in str(caught.value)
    assert server.requests == []


@pytest.mark.parametrize("stream", ["--stream", "--no-stream"])
def test_the_real_aider(login: Login, server: OpenAIServer, configure: Callable[[str], None], stream: str) -> None:
    aider = Path(sys.executable).with_name("aider")
    options = ["--yes-always", "--no-check-update", "--no-show-release-notes", "--analytics-disable", "--no-git"]
    done = subprocess.run(
        [str(aider), "--model", "corp/m", stream, *options, "--message", "Hi"],
        env={**os.environ, "COLUMNS": "1000"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert Reply().text in done.stdout, done.stdout + done.stderr
    assert login.given_out >= 1
