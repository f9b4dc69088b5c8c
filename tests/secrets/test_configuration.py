"""Secrets that stand in a configuration file itself: no complaint about the file repeats them."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path

import litellm
import pytest

import aider_stackspot
from aider_stackspot.config import current
from tests.secrets.canaries import CLIENT_KEY, HEADER, PROXY_PASSWORD, Search

GOOD = f"""providers:
  stackspot:
    client_id: canary-client
    api_key: {json.dumps(CLIENT_KEY)}
    proxy: {json.dumps(f"http://jane:{PROXY_PASSWORD}@127.0.0.1:1")}
    extra_headers:
      X-Gateway: {json.dumps(HEADER)}
"""
BROKEN = {
    "nothing": lambda text: text,
    "an open quote": lambda text: text.replace(json.dumps(CLIENT_KEY), json.dumps(CLIENT_KEY)[:-1]),
    "a tab": lambda text: text.replace("    api_key", "\tapi_key"),
    "a missing space": lambda text: text.replace("api_key: ", "api_key:"),
    "a list": lambda text: text.replace(json.dumps(CLIENT_KEY), f"[{json.dumps(CLIENT_KEY)}]"),
    "a mapping": lambda text: text.replace(json.dumps(CLIENT_KEY), f"{{key: {json.dumps(CLIENT_KEY)}}}"),
    "an unknown key": lambda text: text.replace("api_key:", "api_kye:"),
    "the key twice": lambda text: text.replace("    api_key", f"    api_key: {json.dumps(CLIENT_KEY)}\n    api_key"),
    "a text for headers": lambda text: text + f"    timeout: {json.dumps(CLIENT_KEY)}\n",
    "a headers list": lambda text: text.replace("\n      X-Gateway:", " "),
    "the key as the type": lambda text: text + f"    type: {json.dumps(CLIENT_KEY)}\n",
    "the key as a flag": lambda text: text + f"    allow_insecure_http: {json.dumps(CLIENT_KEY)}\n",
    "the key as models": lambda text: text + f"    models: {json.dumps(CLIENT_KEY)}\n",
    "a base URL with a password": lambda text: text + f"    api_base: {json.dumps(f'https://jane:{CLIENT_KEY}@h')}\n",
    "the key at the top": lambda text: f"- {json.dumps(CLIENT_KEY)}\n{text}",
    "an anchor": lambda text: text.replace("api_key: ", "api_key: &a *a "),
    "a tag": lambda text: text.replace("api_key: ", "api_key: !!python/object/apply:os.system "),
    "no end": lambda text: text + "    models: {\n",
    "no UTF-8": lambda text: text + "\udcff",
}


@pytest.mark.parametrize("name", BROKEN)
def test_no_complaint_repeats_a_secret(
    name: str, isolated: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    broken: Callable[[str], str] = BROKEN[name]
    text = broken(GOOD).encode("utf-8", "surrogateescape")
    (isolated.parent / "home" / ".aider.litellm.yml").write_bytes(text)
    aider_stackspot.register()
    shown = [repr(current()), str(current()), repr(current().problem)]
    for account in current().accounts.values():
        shown += [repr(account), str(account.extra_headers), str(account.network)]
    with pytest.raises((litellm.BadRequestError, litellm.AuthenticationError, litellm.APIConnectionError)) as caught:
        litellm.completion(model="stackspot-ai-code", messages=[{"role": "user", "content": "Hi"}], max_retries=0)
    shown += [str(caught.value), repr(caught.value), str(vars(caught.value)), *capfd.readouterr(), caplog.text]
    assert [place for text in shown for place in Search().in_bytes(text.encode("utf-8", "replace"))] == []


@pytest.mark.parametrize("line", ["STACKSPOTAI_CLIENT_KEY='{}", "STACKSPOTAI_CLIENT_KEY {}", "{}", "export {}=1"])
def test_nor_about_a_dotenv_file(
    line: str, isolated: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    (isolated / ".env").write_text(line.format(CLIENT_KEY) + "\n", encoding="utf-8")
    aider_stackspot.register()
    shown = [repr(current()), *capfd.readouterr(), caplog.text]
    assert [place for text in shown for place in Search().in_bytes(text.encode())] == []
