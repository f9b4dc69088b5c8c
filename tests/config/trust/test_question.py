"""Which of a project's files a program may ask about when it starts: those that only add servers nearby."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from aider_stackspot.config import current
from aider_stackspot.config.environment import Environment
from aider_stackspot.config.trust.question import answer, files_to_ask_about
from aider_stackspot.config.trust.store import LOCATION
from tests.config.config_support import FILE, AtStart, Places

pytest_plugins = ["tests.config.config_support"]

NEARBY = [
    "http://localhost:1234/v1",
    "localhost:1234/v1",
    "http://127.8.9.10/v1",
    "http://[::1]:8000",
    "https://10.1.2.3/v1",
    "https://172.31.255.254:8443/v1",
    "https://192.168.0.7",
    "https://[fd12:3456::7]/v1",
    "https://[::ffff:192.168.1.1]/v1",
    "https://gpu-box/v1",
    "https://lab.local/v1",
    "https://models.corp.internal./v1",
    "https://nas.home.arpa/v1",
]
ELSEWHERE = [
    "https://llm.example.com/v1",
    "https://11.1.2.3/v1",
    "https://172.32.0.1/v1",
    "https://192.169.0.1/v1",
    "https://169.254.169.254/v1",
    "https://0.0.0.0/v1",
    "https://[fe80::1]/v1",
    "https://[2001:db8::1]/v1",
    "https://134744072/v1",
    "https://0x08080808/v1",
    "https://8.8.2056/v1",
    "https://localhost.example.com/v1",
    "https://127.0.0.1.example.com/v1",
    "https://internal@llm.example.com/v1",
    "https://notlocal.com/v1",
    "https://llm\u3002example/v1",
    "https://llm\uff0eexample/v1",
    "https://llm\uff61example/v1",
    "https://llm%2eexample/v1",
    "https://llm.example%2f.local/v1",
    "https://[::1].llm.example/v1",
    "https://[::ffff:8.8.8.8]/v1",
    "https://0x/v1",
    "https://ai/v1",
]


def asked(settings_in: Path, providers: str) -> list[Path]:
    """Write a project's file, and return which files there would be a question about."""
    (settings_in / FILE).write_text(f"providers:\n  {providers}\n")
    return [file.path for file in files_to_ask_about()]


@pytest.mark.parametrize("base", NEARBY)
def test_a_server_nearby(places: Places, base: str) -> None:
    assert asked(places.cwd, f"lab: {{base_url: '{base}', api_key: '${{LAB_KEY}}'}}") == [places.cwd / FILE]


@pytest.mark.parametrize("base", ELSEWHERE)
def test_a_server_that_may_be_anywhere(places: Places, base: str) -> None:
    assert asked(places.cwd, f"lab: {{base_url: '{base}'}}") == []


LAB = "lab: {base_url: 'http://127.0.0.1:1/v1'"


@pytest.mark.parametrize(
    "providers",
    [
        f"{LAB}}}\n  far: {{base_url: 'https://llm.example.com/v1'}}",
        f"{LAB}}}\n  stackspot: {{auth_url: 'https://idm.example'}}",
        f"{LAB}}}\n  stackspot: {{api_key: of-another-account}}",
        f"{LAB}}}\n  stackspot: {{aliases: {{fast: stackspot-ai}}}}",
        f"{LAB}, proxy: 'http://127.0.0.1:2'}}",
        f"{LAB}, ca_bundle: ca.pem}}",
        f"{LAB}, client_certificate: own.pem}}",
        f"{LAB}, api_key_command: [cat, /etc/hostname]}}",
        f"{LAB}, extra_headers: {{Host: other}}}}",
        f"{LAB}, token_url: 'http://127.0.0.1:1/token', client_id: a, client_secret: b}}",
        f"{LAB}, aliases: {{gpt-4o: m}}, models: [m]}}",
        f"{LAB}, models: {{m: {{weak_model: openai/gpt-4o}}}}}}",
    ],
)
def test_a_file_that_does_anything_else_is_for_the_command(places: Places, providers: str) -> None:
    assert asked(places.cwd, providers) == []


def test_a_network_of_ones_own_without_encryption(places: Places) -> None:
    """Without the word for it the server could not be used, whatever the answer."""
    assert asked(places.cwd, "lab: {base_url: 'http://10.1.2.3:8000/v1'}") == []
    assert asked(places.cwd, "lab: {base_url: 'http://10.1.2.3:8000/v1', allow_insecure_http: true}")


@pytest.mark.parametrize(
    ("own", "project"),
    [
        ("stackspot: {models: {lab: {}}}", f"{LAB}}}"),
        ("stackspot: {models: {lab/m: {}}}", f"{LAB}}}"),
        ("stackspot: {aliases: {lab: stackspot-ai}}", f"{LAB}}}"),
        ("house: {base_url: 'https://llm.example'}", f"{LAB}}}\n  house: {{type: stackspot}}"),
        ("more: {type: stackspot, models: {reviewer: {}}}", f"{LAB}}}\n  stackspot: {{models: {{reviewer: {{}}}}}}"),
    ],
)
def test_what_the_users_own_names_mean_does_not_change(places: Places, own: str, project: str) -> None:
    (places.home / FILE).write_text(f"providers:\n  {own}\n")
    assert asked(places.cwd, project) == []


@pytest.mark.parametrize("keys", ["models: {m: {agent_id: x}}", "client_id: x", "scope: all"])
def test_a_file_that_trust_would_make_unusable(places: Places, keys: str) -> None:
    assert asked(places.cwd, f"{LAB}, {keys}}}") == []


def test_a_server_that_would_replace_another_one(places: Places) -> None:
    """Once one of them is trusted, the other one does not only add."""
    asked(places.root, "lab: {base_url: 'http://127.0.0.1:2/v1'}")
    assert asked(places.cwd, f"{LAB}}}") == [places.cwd / FILE, places.root / FILE]
    for file in files_to_ask_about():
        assert file.path == places.cwd / FILE
        answer(file, trusts=True)
    assert current().compatible["lab"].api_base == "http://127.0.0.1:1/v1"


def test_a_name_that_is_somebodys(places: Places) -> None:
    """Whoever loads LiteLLM knows its names."""
    asked(places.cwd, f"{LAB}}}\n  stackspot: {{models: {{reviewer: {{}}}}}}")
    for names, asks in (({"lab"}, False), ({"reviewer"}, False), ({"stackspot", "stackspot-ai", "m"}, True)):
        assert bool(list(files_to_ask_about(is_taken=names.__contains__))) is asks


def test_the_readmes_own_file(places: Places, at_start: AtStart) -> None:
    """It has a second account, and a certificate authority of the company's in the home directory."""
    at_start(STACKSPOTAI_CLIENT_ID="a", STACKSPOTAI_CLIENT_KEY="b", SECOND_CLIENT_ID="c", SECOND_CLIENT_KEY="d")
    (places.home / "company-ca.pem").write_text("a certificate")
    readme = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")
    block = next(part for part in readme.split("```yaml\n")[1:] if "lmstudio" in part).partition("```")[0]
    (places.cwd / FILE).write_text(block)
    [file] = files_to_ask_about()
    assert f"names {places.home / 'company-ca.pem'}, which is trusted with it, as it is now" in file.allows
    answer(file, trusts=True)
    assert current().compatible["lmstudio"].api_base == "http://localhost:1234/v1"
    assert current().notices == ()


@pytest.mark.parametrize("path", ["ca.pem", "../ca.pem", "{root}/certificates/ca.pem", "link.pem"])
def test_certificates_that_the_project_brought_are_for_the_command(places: Places, path: str) -> None:
    (places.cwd / "link.pem").symlink_to(places.root / "ca.pem")
    path = path.format(root=places.root)
    assert asked(places.cwd, f"{LAB}}}\n  stackspot: {{ca_bundle: '{path}'}}") == []
    assert asked(places.cwd, f"{LAB}, ca_bundle: '{path}'}}") == []


def test_a_link_in_the_home_to_the_projects_certificates_is_none_of_this_machines(places: Places) -> None:
    (places.home / "ca.pem").symlink_to(places.root / "ca.pem")
    assert asked(places.cwd, f"{LAB}, ca_bundle: '~/ca.pem'}}") == []


def test_an_account_that_takes_the_place_of_ones_own_is_for_the_command(places: Places) -> None:
    account = "second: {{type: stackspot, client_id: {0}, api_key: {0}}}"
    assert asked(places.cwd, f"{LAB}}}\n  {account.format('theirs')}")
    (places.home / FILE).write_text(f"providers:\n  {account.format('own')}\n")
    assert asked(places.cwd, f"{LAB}}}\n  {account.format('theirs')}") == []


def test_models_of_stackspot_beside_it_do_no_harm(places: Places) -> None:
    assert asked(places.cwd, f"{LAB}}}\n  stackspot: {{client_realm: acme, models: {{reviewer: {{}}}}}}")


def test_a_server_of_ones_own_is_not_replaced(places: Places) -> None:
    (places.home / FILE).write_text("providers: {lab: {base_url: 'https://lab.example/v1'}}")
    assert asked(places.cwd, f"{LAB}}}") == []


def test_a_variable_of_the_project_does_not_choose_the_host(places: Places, at_start: AtStart) -> None:
    (places.cwd / ".env").write_text("LAB_HOST=127.0.0.1\n")
    assert asked(places.cwd, "lab: {base_url: 'https://${LAB_HOST}/v1'}") == []
    assert asked(places.cwd, "lab: {base_url: 'https://${LAB_HOST:-127.0.0.1}/v1'}") == []
    at_start(LAB_HOST="llm.example.com")
    assert asked(places.cwd, "lab: {base_url: 'https://${LAB_HOST}/v1'}") == []
    at_start(LAB_HOST="10.0.0.1")
    assert asked(places.cwd, "lab: {base_url: 'https://${LAB_HOST}/v1'}")


def test_a_file_that_cannot_be_used_asks_nothing(places: Places) -> None:
    assert asked(places.cwd, f"{LAB}, base_urll: x}}") == []
    (places.cwd / FILE).write_bytes(b"\xff\xfe\x00")
    assert list(files_to_ask_about()) == []


def test_both_directories_of_a_project(places: Places) -> None:
    asked(places.root, "other: {base_url: 'http://127.0.0.1:2/v1'}")
    assert asked(places.cwd, f"{LAB}}}") == [places.cwd / FILE, places.root / FILE]


class TestTheAnswer:
    """It is remembered for the file as it is."""

    def test_yes(self, places: Places) -> None:
        asked(places.cwd, f"{LAB}}}")
        [file] = files_to_ask_about()
        assert file.allows == ("line 2: lab.base_url = http://127.0.0.1:1/v1",)
        answer(file, trusts=True)
        assert current().compatible["lab"].api_base == "http://127.0.0.1:1/v1"
        assert list(files_to_ask_about()) == []

    def test_no(self, places: Places) -> None:
        asked(places.cwd, f"{LAB}}}")
        [file] = files_to_ask_about()
        answer(file, trusts=False)
        assert list(files_to_ask_about()) == []
        assert "lab" not in current().compatible
        assert "lab" in current().ignored

    def test_a_file_that_changed_is_asked_about_again(self, places: Places) -> None:
        for trusts, port in ((False, 1), (True, 2), (False, 3), (True, 4)):
            assert asked(places.cwd, f"lab: {{base_url: 'http://127.0.0.1:{port}/v1'}}")
            [file] = files_to_ask_about()
            answer(file, trusts=trusts)
            assert ("lab" in current().compatible) is trusts

    def test_what_is_written_meanwhile_is_not_trusted(self, places: Places) -> None:
        asked(places.cwd, f"{LAB}}}")
        [file] = files_to_ask_about()
        (places.cwd / FILE).write_text("providers: {lab: {base_url: 'https://evil.example'}}")
        answer(file, trusts=True)
        assert "lab" not in current().compatible

    def test_others_in_the_record_stay(self, places: Places) -> None:
        asked(places.root, "other: {base_url: 'http://127.0.0.1:2/v1'}")
        asked(places.cwd, f"{LAB}}}")
        for file, trusts in zip(list(files_to_ask_about()), (False, True), strict=True):
            answer(file, trusts=trusts)
        stored = json.loads((places.home / LOCATION).read_text())
        assert list(stored["files"]) == [str(places.root / FILE)]
        assert list(stored["declined"]) == [str(places.cwd / FILE)]

    @pytest.mark.parametrize("declined", [[], "x", {"path": 7}, None])
    def test_a_broken_record_asks_again(self, places: Places, declined: object) -> None:
        (places.home / LOCATION).parent.mkdir(parents=True)
        (places.home / LOCATION).write_text(json.dumps({"version": 2, "files": {}, "declined": declined}))
        assert asked(places.cwd, f"{LAB}}}") == [places.cwd / FILE]
        assert Environment().trust.entries() == {}
