"""`aider-stackspot doctor`: each thing that can be wrong, found and named, and nothing secret shown."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import trustme

from aider_stackspot.doctor import installation
from aider_stackspot.emulator import Emulator, Fault
from tests.cli.command import Done, Run
from tests.compatible.openai_server import OpenAIServer, models
from tests.network.connect_proxy import ConnectProxy

pytest_plugins = ["tests.cli.cli_fixtures"]

AGENT = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
HEALTHY: dict[str, Any] = {
    "python": "3.11.0",
    "prefix": "/home/me/env",
    "aider": "0.86.2",
    "litellm": "1.81.10",
    "package": "0.1.0",
    "providers": ["stackspot"],
}


@pytest.fixture
def probe(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the look into aider's environment finds, without the seconds that takes."""
    found = dict(HEALTHY)
    monkeypatch.setattr(installation, "_probe", lambda _python: found)
    return found


def findings(done: Done) -> dict[str, dict[str, Any]]:
    return {finding["title"]: finding for finding in json.loads(done.out)["findings"]}


def failed(done: Done) -> list[str]:
    return [title for title, finding in findings(done).items() if finding["status"] == "failed"]


def test_a_healthy_installation(emulator: Emulator, run: Run, probe: dict[str, Any]) -> None:
    done = run("doctor")
    assert done.status == 0
    assert "Nothing is broken." in done.out
    assert "token for stackspot: valid for 1200 s" in done.out
    assert "\x1b" not in done.out, "no colours where there is no terminal"
    assert len(emulator.token_requests) == 1
    assert len(emulator.chat_requests) == 1, "three names, one way, one chat"


def test_each_way_is_tried_once(emulator: Emulator, run: Run, probe: dict[str, Any], isolated: Path) -> None:
    (isolated / ".aider.litellm.yml").write_text(
        f"providers:\n  stackspot:\n    models:\n      one: {{agent_id: {AGENT}}}\n      two: {{agent_id: {AGENT}}}\n",
        encoding="utf-8",
    )
    found = findings(run("doctor", "--json"))
    assert found["chat with one, two"]["api"] == "agent"
    assert len(emulator.chat_requests) == 2
    assert AGENT not in json.dumps(found)


def test_chats_of_a_second_account_have_the_names_that_aider_takes(
    emulator: Emulator, run: Run, probe: dict[str, Any], isolated: Path
) -> None:
    (isolated / ".aider.litellm.yml").write_text("providers:\n  second:\n    type: stackspot\n", encoding="utf-8")
    assert "chat with second/stackspot-ai, second/stackspot-ai-chat, second/stackspot-ai-code" in findings(
        run("doctor", "--json")
    )


@pytest.mark.slow
def test_the_real_environment_of_aider(emulator: Emulator, run: Run) -> None:
    found = findings(run("doctor", "--offline", "--json"))
    assert found["automatic registration"]["status"] == "ok"
    assert found["aider and litellm"]["aider"].startswith("0.86")


@pytest.mark.parametrize("place", ["the environment", "a .env file"])
@pytest.mark.slow
def test_a_switched_off_registration_is_found(
    run: Run, emulator: Emulator, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    if place == "the environment":
        monkeypatch.setenv("AIDER_STACKSPOT_AUTOLOAD", "0")
    else:
        (Path.home() / ".env").write_text("AIDER_STACKSPOT_AUTOLOAD=off\n", encoding="utf-8")
    done = run("doctor", "--offline", "--json")
    assert done.status == 1
    assert "switched off by AIDER_STACKSPOT_AUTOLOAD" in findings(done)["automatic registration"]["detail"]


@pytest.mark.parametrize(
    ("changed", "title", "said"),
    [
        (
            {
                "litellm": "1.106.2",
                "error": "ValueError: PermissionDeniedError is in litellm but not in aider's exceptions list",
            },
            "aider and litellm",
            "aider-chat==0.86.2",
        ),
        ({"providers": [], "package": None}, "automatic registration", "pipx inject --include-apps aider-chat"),
        ({"providers": []}, "automatic registration", "aider_stackspot.pth is missing"),
        ({"error": "ImportError: no tokenizers"}, "aider and litellm", "Install aider again"),
    ],
)
def test_a_broken_installation(
    emulator: Emulator, run: Run, probe: dict[str, Any], changed: dict[str, Any], title: str, said: str
) -> None:
    probe.update(changed)
    done = run("doctor", "--offline", "--json")
    assert done.status == 1
    assert failed(done) == [title]
    assert said in findings(done)[title]["fix"]


def test_offline_makes_no_request(emulator: Emulator, run: Run, probe: dict[str, Any]) -> None:
    assert run("doctor", "--offline").status == 0
    assert emulator.connections == 0


def test_the_origin_of_every_value(emulator: Emulator, run: Run, probe: dict[str, Any], isolated: Path) -> None:
    (isolated / ".env").write_text("STACKSPOTAI_REALM=acme\n", encoding="utf-8")
    os.environ.pop("STACKSPOTAI_REALM")
    found = findings(run("doctor", "--offline", "--json"))
    assert found["stackspot.client_realm"]["origin"].startswith("STACKSPOTAI_REALM in ")
    assert found["stackspot.client_realm"]["origin"].endswith(".env")
    assert found["stackspot.client_id"]["origin"] == "STACKSPOTAI_CLIENT_ID in the environment"


def test_missing_credentials(run: Run, probe: dict[str, Any]) -> None:
    done = run("doctor", "--json")
    assert done.status == 1
    assert failed(done) == ["stackspot.client_id", "stackspot.api_key"]
    assert "aider-stackspot init" in findings(done)["stackspot.client_id"]["fix"]


def test_a_person_with_other_servers_only(run: Run, probe: dict[str, Any], isolated: Path) -> None:
    with OpenAIServer(models("qwen3-8b")) as server:
        (isolated.parent / "home" / ".aider.litellm.yml").write_text(
            f"providers: {{lab: {{base_url: '{server.base}'}}}}"
        )
        done = run("doctor", "--json")
        assert (done.status, failed(done)) == (0, [])
        assert findings(done)["stackspot"]["status"] == "note"
        assert "aider-stackspot init" in findings(done)["stackspot"]["detail"]
        assert findings(done)["lab"]["status"] == "ok"


def test_half_an_account_beside_other_servers_is_an_error(
    run: Run, probe: dict[str, Any], isolated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STACKSPOTAI_CLIENT_ID", "client-id")
    with OpenAIServer(models("qwen3-8b")) as server:
        (isolated.parent / "home" / ".aider.litellm.yml").write_text(
            f"providers: {{lab: {{base_url: '{server.base}'}}}}"
        )
        assert failed(run("doctor", "--json")) == ["stackspot.api_key"]


def test_a_file_that_cannot_be_used(run: Run, probe: dict[str, Any], isolated: Path) -> None:
    (isolated / ".aider.litellm.yml").write_text("providers:\n  stackspot:\n    agnet_id: x\n", encoding="utf-8")
    done = run("doctor", "--json")
    assert done.status == 1
    assert "did you mean `agent_id`" in findings(done)["files"]["detail"]


def test_a_wrong_key(emulator: Emulator, run: Run, probe: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STACKSPOTAI_CLIENT_KEY", "a-wrong-client-key")
    done = run("doctor")
    assert done.status == 1
    assert "✗ token for stackspot" in done.out
    assert "→ Copy client id, client key and realm" in done.out
    assert "1 of " in done.out
    assert emulator.chat_requests == []


@pytest.mark.parametrize(
    ("fault", "said"),
    [(Fault.status(404), "agent id"), (Fault.status(429), "Wait a minute"), (Fault.login_page(), "sign in")],
)
def test_a_refused_chat(emulator: Emulator, run: Run, probe: dict[str, Any], fault: Fault, said: str) -> None:
    emulator.fail("any chat", fault, times=None)
    done = run("doctor", "--json")
    assert done.status == 1
    (title,) = failed(done)
    assert title.startswith("chat with ")
    assert said in findings(done)[title]["fix"]


def test_a_host_that_refuses_connections(
    emulator: Emulator, run: Run, probe: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setenv("STACKSPOTAI_API_BASE", f"http://127.0.0.1:{taken.getsockname()[1]}")
        done = run("doctor", "--json")
    assert failed(done) == ["TCP 127.0.0.1"]
    assert emulator.token_requests == []


def test_a_name_that_does_not_resolve(
    emulator: Emulator, run: Run, probe: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def nowhere(*_: object, **__: object) -> Any:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nowhere)
    monkeypatch.setenv("STACKSPOTAI_AUTH_URL", "https://idm.stackspot.com")
    done = run("doctor", "--json")
    assert "DNS idm.stackspot.com" in failed(done)
    assert "Name or service not known" in findings(done)["DNS idm.stackspot.com"]["detail"]


@pytest.fixture
def inspected(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """A StackSpot behind a certificate that no public authority issued, and that authority's file."""
    import ssl

    # With truststore the system decides, which reads SSL_CERT_FILE by itself.
    monkeypatch.setitem(sys.modules, "truststore", None)
    authority = trustme.CA(organization_name="Acme TLS Inspection")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    with Emulator(ssl_context=context) as running:
        for name, value in running.environment().items():
            monkeypatch.setenv(name, value)
        yield tmp_path / "ca.pem"


def test_a_bundle_that_is_not_there_is_not_right(
    emulator: Emulator, run: Run, probe: dict[str, Any], isolated: Path
) -> None:
    own = isolated.parent / "home" / ".aider.litellm.yml"
    own.write_text("providers: {stackspot: {ca_bundle: /absent/ca.pem}}", encoding="utf-8")
    finding = findings(run("doctor", "--json"))["certificates for stackspot"]
    assert finding["status"] == "failed"
    assert "/absent/ca.pem cannot be read" in finding["detail"]


def test_an_inspecting_proxy_is_recognised(inspected: Path, run: Run, probe: dict[str, Any]) -> None:
    done = run("doctor", "--json")
    assert done.status == 1
    assert set(failed(done)) == {"TLS 127.0.0.1"}
    finding = findings(done)["TLS 127.0.0.1"]
    assert "Acme TLS Inspection" in finding["issuer"]
    assert "inspects TLS" in finding["detail"]
    assert "ca_bundle" in finding["fix"]


def test_a_trusted_inspecting_proxy_is_named(
    inspected: Path, run: Run, probe: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(inspected))
    done = run("doctor", "--json")
    assert done.status == 0
    finding = findings(done)["TLS 127.0.0.1"]
    assert finding["inspected"] is True
    assert "Acme TLS Inspection" in finding["detail"]


@pytest.mark.parametrize("how", [(), ("--json",)])
def test_it_is_safe_to_paste(
    emulator: Emulator, run: Run, probe: dict[str, Any], monkeypatch: pytest.MonkeyPatch, how: tuple[str, ...]
) -> None:
    """The service repeats everything it was told, and still nothing of it is shown."""
    key, client = "A+secret/client-key==", "0d9ab4b1-1111-4222-8333-123456789abc"
    emulator.rotate("stackspot", client, key)
    monkeypatch.setenv("STACKSPOTAI_CLIENT_ID", client)
    monkeypatch.setenv("STACKSPOTAI_CLIENT_KEY", key)
    monkeypatch.setenv("STACKSPOTAI_AGENT_ID", AGENT)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("HTTPS_PROXY", "http://me:proxy-password@proxy.example:3128")
    emulator.fail("any chat", Fault.status(403, {"details": f"{key} of {client} may not use {AGENT}"}), times=None)
    done = run("doctor", *how)
    assert done.status == 1
    for secret in (key, client, AGENT, "proxy-password", str(Path.home())):
        assert secret not in done.out + done.err
    assert "0d9a…" in done.out


@pytest.mark.slow
def test_its_own_process_works_in_a_pipe_and_without_utf8(emulator: Emulator) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "aider_stackspot", "doctor", "--offline"],
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr.decode()
    assert b"ok Python" in done.stdout


@pytest.mark.slow
def test_a_pipe_in_place_of_a_dotenv_file_is_named_and_not_waited_for(isolated: Path) -> None:
    """1Password mounts it so; LiteLLM, in the child that is asked for its version, would open it."""
    if sys.platform != "win32":
        os.mkfifo(isolated / ".env")
    done = subprocess.run(
        [sys.executable, "-m", "aider_stackspot", "doctor", "--offline"], capture_output=True, text=True, timeout=50
    )
    assert ".env: the file cannot be read and was passed over: this is a pipe" in " ".join(done.stdout.split())
    assert "automatic registration: active" in done.stdout


def test_the_missing_variables_are_named_once(run: Run, probe: dict[str, Any]) -> None:
    told = " ".join(run("doctor").out.split())
    assert told.count("→ Run: aider-stackspot init. Or set STACKSPOTAI_CLIENT_ID and STACKSPOTAI_CLIENT_KEY") == 1
    assert "token and chats of stackspot: no credentials" in told


def test_nothing_is_said_of_values_that_are_not_in_force(
    emulator: Emulator, run: Run, probe: dict[str, Any], isolated: Path
) -> None:
    (isolated / ".aider.litellm.yml").write_text("providers: 7\n", encoding="utf-8")
    found = findings(run("doctor", "--json"))
    assert [title for title in found if title.startswith("stackspot.")] == []


def test_two_accounts_share_the_way_to_one_host(
    emulator: Emulator, run: Run, probe: dict[str, Any], isolated: Path
) -> None:
    (isolated.parent / "home" / ".aider.litellm.yml").write_text(
        "providers:\n  stackspot: {}\n  second: {type: stackspot, client_id: somebody, api_key: another-key-1}\n",
        encoding="utf-8",
    )
    done = run("doctor")
    assert done.status == 1
    assert done.out.count("TCP 127.0.0.1") == 1
    assert done.out.count("Network") == 1
    told = " ".join(done.out.split())
    assert "→ Correct `client_id`, `api_key` and `client_realm` of the provider `second`." in told
    assert "chat with stackspot-ai, stackspot-ai-chat, stackspot-ai-code: chat API" in told


def test_a_proxy_is_named_and_the_way_leads_through_it(
    inspected: Path, run: Run, probe: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(inspected))
    with ConnectProxy() as proxy:
        url = proxy.url
        monkeypatch.setenv("HTTPS_PROXY", url)
        done = run("doctor", "--json")
    assert done.status == 0
    assert findings(done)["proxy for stackspot"]["detail"] == url
    assert (
        findings(done)[f"TLS 127.0.0.1 through the proxy {url.removeprefix('http://')}"]["issuer"]
        == "Acme TLS Inspection"
    )
    assert {asked.method for asked in proxy.asked} == {"CONNECT"}


def test_a_proxy_that_refuses(
    inspected: Path, run: Run, probe: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(inspected))
    with ConnectProxy(user="me:right-password") as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url.replace("//", "//me:wrong-password@"))
        done = run("doctor", "--json")
    assert done.status == 1
    (title,) = failed(done)
    assert "407" in findings(done)[title]["detail"]
    assert "HTTPS_PROXY" in findings(done)[title]["fix"]
    assert "wrong-password" not in done.out


def test_record_excludes_what_contradicts_it(emulator: Emulator, run: Run) -> None:
    done = run("doctor", "--record", "transcript.json", "--offline")
    assert (done.status, emulator.connections) == (2, 0)
    assert "leave --offline and --json out" in done.err
