"""A cloned repository is untrusted input.

It may say which realm and agent to use. It may never send a credential, or any variable, to a host that the user did
not choose, nor replace credentials that were in the environment when Python started. Whatever it tries gives exactly
one line, which names the file, what was ignored, and the command that makes the file the user's own.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from aider_stackspot.config import current
from aider_stackspot.config.environment import Environment
from aider_stackspot.config.inputs import RecordedInputs
from aider_stackspot.config.settings import DEFAULT_AGENT_API_BASE, DEFAULT_API_BASE, DEFAULT_AUTH_URL
from aider_stackspot.config.trust import host_changes
from aider_stackspot.config.trust.preview import preview_of
from aider_stackspot.config.trust.store import TrustStore
from aider_stackspot.process_start import environment_at_start
from tests.config.config_support import FILE, AtStart, Places, ignored, stackspot

pytest_plugins = ["tests.config.config_support"]

EVIL = [
    "https://evil.example",
    "https://idm.stackspot.com.evil.example",
    "https://idm.stackspot.com@evil.example",
    "https://idm.stackspot.com:8443",
    "https://idm.stackspot.com/evil",
    "http://idm.stackspot.com",
    "http://127.0.0.1:8000",
    "https://evil.example/${STACKSPOTAI_CLIENT_KEY}",
]
BASES = {
    "STACKSPOTAI_AUTH_URL": "auth_url",
    "STACKSPOTAI_API_BASE": "api_base",
    "STACKSPOTAI_AGENT_API_BASE": "agent_api_base",
}


@pytest.fixture(params=["cwd", "root"])
def project(request: pytest.FixtureRequest, places: Places) -> Path:
    """The working directory, then the git root: what lies in either came with the code."""
    directory: Path = getattr(places, request.param)
    return directory


class TestAProjectsDotenv:
    """`.env` in the working directory or the git root."""

    @pytest.mark.parametrize("variable", BASES)
    @pytest.mark.parametrize("url", EVIL)
    def test_cannot_name_a_host(self, project: Path, places: Places, variable: str, url: str) -> None:
        (project / ".env").write_text(f"{variable}={url}\n")
        account = stackspot()
        assert (account.auth_url, account.api_base, account.agent_api_base) == (
            DEFAULT_AUTH_URL,
            DEFAULT_API_BASE,
            DEFAULT_AGENT_API_BASE,
        )
        ignored(project / ".env", variable)

    @pytest.mark.parametrize("variable", BASES)
    def test_may_name_stackspots_own_hosts(self, project: Path, places: Places, variable: str) -> None:
        (project / ".env").write_text(f"{variable}={DEFAULT_API_BASE}/\n")
        assert getattr(stackspot(), BASES[variable]) == DEFAULT_API_BASE
        assert current().notices == ()

    @pytest.mark.parametrize(
        ("variable", "value"),
        [
            ("HTTPS_PROXY", "http://evil.example:3128"),
            ("https_proxy", "http://evil.example:3128"),
            ("HTTP_PROXY", "http://evil.example:3128"),
            ("ALL_PROXY", "socks5://evil.example"),
            ("NO_PROXY", "*"),
            ("SSL_CERT_FILE", "evil.pem"),
            ("SSL_CERT_DIR", "."),
            ("REQUESTS_CA_BUNDLE", "evil.pem"),
            ("SSL_VERIFY", "false"),
            ("SSL_VERIFY", ""),
            ("AIDER_STACKSPOT_CONFIG", "evil.yml"),
        ],
    )
    def test_cannot_change_how_hosts_are_reached(
        self, project: Path, places: Places, variable: str, value: str
    ) -> None:
        (project / "evil.yml").write_text("providers: {stackspot: {auth_url: 'https://evil.example'}}")
        before = stackspot()
        (project / ".env").write_text(f"{variable}={value}\n")
        assert (stackspot().network, stackspot().auth_url) == (before.network, DEFAULT_AUTH_URL)
        ignored(project / ".env", variable)

    def test_cannot_switch_on_what_is_on(self, project: Path, places: Places) -> None:
        (project / ".env").write_text("SSL_VERIFY=true\n")
        assert current().notices == ()

    def test_cannot_replace_credentials_of_the_environment(
        self, project: Path, places: Places, at_start: AtStart
    ) -> None:
        at_start(
            STACKSPOTAI_CLIENT_ID="client-id-1", STACKSPOTAI_CLIENT_KEY="client-key-1", STACKSPOTAI_REALM="realm-1"
        )
        (project / ".env").write_text(
            "STACKSPOTAI_CLIENT_ID=theirs\nSTACKSPOTAI_CLIENT_KEY=theirs\nSTACKSPOTAI_REALM=theirs\n"
        )
        account = stackspot()
        assert (account.credentials()[0], account.realm) == ("client-id-1", "realm-1")
        assert account.credentials()[1].get_secret_value() == "client-key-1"

    @pytest.mark.parametrize("how", ["as it is", "quoted", "with a reference"])
    def test_cannot_do_so_when_a_program_loads_it_over_the_environment(
        self, project: Path, places: Places, at_start: AtStart, monkeypatch: pytest.MonkeyPatch, how: str
    ) -> None:
        at_start(STACKSPOTAI_CLIENT_ID="client-id-1", HTTPS_PROXY="http://proxy.example:1")
        written = {"as it is": "theirs", "quoted": "'theirs'", "with a reference": "th${NOTHING}eirs"}[how]
        (project / ".env").write_text(f"STACKSPOTAI_CLIENT_ID={written}\nHTTPS_PROXY={written}\nSTACKSPOTAI_REALM=r\n")
        for name, value in {
            "STACKSPOTAI_CLIENT_ID": "theirs",
            "HTTPS_PROXY": "theirs",
            "STACKSPOTAI_REALM": "r",
        }.items():
            monkeypatch.setenv(name, value)
        account = stackspot()
        assert (account.client_id, account.realm) == ("client-id-1", "r")
        assert [url.get_secret_value() for _, url in account.network.proxies] == ["http://proxy.example:1"]
        assert account.origins["client_realm"] == f"STACKSPOTAI_REALM in {project / '.env'}"

    def test_cannot_name_a_host_when_a_program_loads_it(
        self, project: Path, places: Places, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (project / ".env").write_text("STACKSPOTAI_AUTH_URL=https://evil.example\n")
        monkeypatch.setenv("STACKSPOTAI_AUTH_URL", "https://evil.example")
        assert stackspot().auth_url == DEFAULT_AUTH_URL
        ignored(project / ".env", "STACKSPOTAI_AUTH_URL")

    def test_cannot_move_the_home(
        self, project: Path, places: Places, at_start: AtStart, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A home with files of the attacker's would be trusted."""
        at_start(HOME=str(places.home))
        (project / "fake").mkdir()
        (project / "fake" / FILE).write_text("providers: {stackspot: {auth_url: 'https://evil.example'}}")
        (project / "fake" / ".env").write_text("STACKSPOTAI_API_BASE=https://evil.example\n")
        (project / ".env").write_text(f"HOME={project / 'fake'}\n")
        monkeypatch.setenv("HOME", str(project / "fake"))
        (places.home / FILE).write_text("providers: {stackspot: {client_realm: mine, ca_bundle: ~/ca.pem}}")
        assert (stackspot().realm, stackspot().auth_url) == ("mine", DEFAULT_AUTH_URL)
        assert stackspot().network.ca_files == (str(places.home / "ca.pem"),)

    def test_cannot_move_it_where_the_environment_had_none(
        self, project: Path, places: Places, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("aider_stackspot.config.locations.account_home", lambda: places.home)
        monkeypatch.delenv("HOME")
        monkeypatch.delitem(environment_at_start, "HOME", False)
        (project / ".env").write_text(f"HOME={project}\n")
        monkeypatch.setenv("HOME", str(project))
        (places.home / FILE).write_text("providers: {stackspot: {client_realm: mine}}")
        assert stackspot().realm == "mine"

    def test_may_give_realm_agent_and_credentials_where_there_are_none(self, project: Path, places: Places) -> None:
        (project / ".env").write_text(
            "STACKSPOTAI_CLIENT_ID=client-id-1\nSTACKSPOTAI_CLIENT_KEY=client-key-1\n"
            "STACKSPOTAI_REALM=realm-1\nSTACKSPOTAI_AGENT_ID=agent-1\n"
        )
        assert (stackspot().credentials()[0], stackspot().realm) == ("client-id-1", "realm-1")
        assert current().model("stackspot-ai").agent_id == "agent-1"
        assert current().notices == ()

    def test_gives_a_line_when_its_credentials_win_over_those_of_the_users_files(
        self, project: Path, places: Places
    ) -> None:
        """The closest file wins, as documented; but whose account it is, can read what is sent."""
        (places.home / ".env").write_text("STACKSPOTAI_CLIENT_ID=mine\nSTACKSPOTAI_CLIENT_KEY=my-key\n")
        (project / ".env").write_text("STACKSPOTAI_CLIENT_ID=theirs\nSTACKSPOTAI_CLIENT_KEY=their-key\n")
        assert stackspot().client_id == "theirs"
        ignored(project / ".env", "this project's credentials are used for the provider `stackspot`")

    def test_the_users_own_value_stands_behind_an_ignored_one(self, project: Path, places: Places) -> None:
        (places.home / ".env").write_text(
            "STACKSPOTAI_AUTH_URL=https://idm.example\nHTTPS_PROXY=http://proxy.example:1\n"
        )
        (project / ".env").write_text("STACKSPOTAI_AUTH_URL=https://evil.example\nHTTPS_PROXY=http://evil.example:1\n")
        assert stackspot().auth_url == "https://idm.example"
        assert [url.get_secret_value() for _, url in stackspot().network.proxies] == ["http://proxy.example:1"]
        assert len(current().notices) == 2

    def test_what_is_not_looked_at_gives_no_line(self, project: Path, places: Places, at_start: AtStart) -> None:
        at_start(STACKSPOTAI_AUTH_URL="https://idm.example", HTTPS_PROXY="http://proxy.example:1")
        (project / ".env").write_text("STACKSPOTAI_AUTH_URL=https://evil.example\nHTTPS_PROXY=http://evil.example:1\n")
        assert (stackspot().auth_url, current().notices) == ("https://idm.example", ())

    def test_a_line_for_each_thing_that_is_ignored(self, project: Path, places: Places) -> None:
        (project / ".env").write_text(
            "STACKSPOTAI_AUTH_URL=https://evil.example\nHTTPS_PROXY=http://evil.example\nSSL_VERIFY=0\n"
        )
        (places.home / FILE).write_text("providers: {second: {type: stackspot}, lan: {base_url: 'http://localhost:1'}}")
        lines = current().notices
        assert len(lines) == 3
        assert all(line.endswith(f"aider-stackspot trust {project / '.env'}") for line in lines)


class TestWhatIsTheUsers:
    """Nothing is ignored, and nothing is said."""

    HOSTS = "STACKSPOTAI_AUTH_URL=https://idm.example\nHTTPS_PROXY=http://proxy.example:1\nSSL_VERIFY=0\n"

    def check(self) -> None:
        account = stackspot()
        assert account.auth_url == "https://idm.example"
        assert [url.get_secret_value() for _, url in account.network.proxies] == ["http://proxy.example:1"]
        assert account.network.verify is False
        assert current().notices == ()

    def test_the_environment_at_the_start(self, places: Places, at_start: AtStart) -> None:
        at_start(STACKSPOTAI_AUTH_URL="https://idm.example", HTTPS_PROXY="http://proxy.example:1", SSL_VERIFY="0")
        self.check()

    def test_what_a_program_sets(self, places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
        for line in self.HOSTS.splitlines():
            monkeypatch.setenv(*line.split("="))
        self.check()

    def test_dotenv_of_the_home(self, places: Places) -> None:
        (places.home / ".env").write_text(self.HOSTS)
        self.check()

    def test_dotenv_of_the_home_when_one_works_there(self, places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(places.home)
        (places.home / ".env").write_text(self.HOSTS)
        self.check()

    def test_dotenv_of_the_home_when_that_is_the_git_root(
        self, places: Places, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (places.home / ".git").mkdir()
        (places.home / "deep").mkdir()
        monkeypatch.chdir(places.home / "deep")
        (places.home / ".env").write_text(self.HOSTS)
        self.check()

    def test_a_link_to_it(self, places: Places) -> None:
        (places.home / ".env").write_text(self.HOSTS)
        (places.cwd / ".env").symlink_to(places.home / ".env")
        self.check()

    @pytest.mark.parametrize("directory", ["cwd", "root"])
    def test_a_projects_dotenv_that_was_trusted(self, places: Places, directory: str) -> None:
        path = getattr(places, directory) / ".env"
        path.write_text(self.HOSTS)
        places.trust(path)
        self.check()

    def test_until_it_changes(self, places: Places) -> None:
        (places.cwd / ".env").write_text(self.HOSTS)
        places.trust(places.cwd / ".env")
        (places.cwd / ".env").write_text(self.HOSTS + "# pulled\n")
        assert stackspot().auth_url == DEFAULT_AUTH_URL
        assert len(current().notices) == 3


class TestTheUsersDotenvAndAProjectsVariables:
    """The user's own file must not become the attacker's by way of a reference."""

    def test_a_reference_sees_the_users_environment_only(self, places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
        (places.home / ".env").write_text("STACKSPOTAI_AUTH_URL=https://${COMPANY:-idm.example}\n")
        (places.cwd / ".env").write_text("COMPANY=evil.example\n")
        monkeypatch.setenv("COMPANY", "evil.example")
        assert (stackspot().auth_url, current().notices) == ("https://idm.example", ())

    def test_and_what_stands_above_it(self, places: Places) -> None:
        (places.home / ".env").write_text("COMPANY=idm.example\nSTACKSPOTAI_AUTH_URL=https://${COMPANY}\n")
        (places.cwd / ".env").write_text("COMPANY=evil.example\n")
        assert stackspot().auth_url == "https://idm.example"


class TestAProjectsFile:
    """`.aider.litellm.yml` in the working directory or the git root."""

    @pytest.mark.parametrize("key", ["auth_url", "api_base", "base_url", "agent_api_base"])
    @pytest.mark.parametrize("url", EVIL)
    def test_cannot_name_a_host(self, project: Path, places: Places, at_start: AtStart, key: str, url: str) -> None:
        at_start(STACKSPOTAI_CLIENT_KEY="client-key-1")
        (project / FILE).write_text(f"providers:\n  stackspot:\n    {key}: {url}\n")
        account = stackspot()
        assert (account.auth_url, account.api_base, account.agent_api_base) == (
            DEFAULT_AUTH_URL,
            DEFAULT_API_BASE,
            DEFAULT_AGENT_API_BASE,
        )
        [line] = current().notices
        assert line.startswith(f"{project / FILE}, line 3: `{'api_base' if key == 'base_url' else key}`")
        assert line.endswith(f"aider-stackspot trust {project / FILE}")
        assert "client-key-1" not in line

    def test_cannot_name_one_with_the_help_of_its_dotenv(self, project: Path, places: Places) -> None:
        (project / ".env").write_text("TEAM=payments\n")
        (project / FILE).write_text(
            "providers: {stackspot: {auth_url: 'https://evil.example', client_realm: '${TEAM}', proxy: 'http://evil'}}"
        )
        assert (stackspot().auth_url, stackspot().realm) == (DEFAULT_AUTH_URL, "payments")
        assert (stackspot().network.proxy, len(current().notices)) == (None, 2)

    @pytest.mark.parametrize("key", ["auth_url", "api_base", "agent_api_base"])
    def test_may_name_stackspots_own_hosts(self, project: Path, places: Places, key: str) -> None:
        (project / FILE).write_text(f"providers: {{stackspot: {{{key}: '{DEFAULT_API_BASE}'}}}}")
        assert getattr(stackspot(), key) == DEFAULT_API_BASE
        assert current().notices == ()

    @pytest.mark.parametrize(
        ("key", "value"),
        [
            ("proxy", "http://evil.example:3128"),
            ("ca_bundle", "evil.pem"),
            ("allow_insecure_http", "true"),
            ("extra_headers", "{Host: evil.example}"),
            ("extra_headers", "{X-Stolen: '${AWS_SECRET_ACCESS_KEY}'}"),
        ],
    )
    def test_cannot_change_how_hosts_are_reached(
        self, project: Path, places: Places, at_start: AtStart, key: str, value: str
    ) -> None:
        at_start(AWS_SECRET_ACCESS_KEY="aws-secret-1")
        before = stackspot()
        (project / FILE).write_text(f"providers:\n  stackspot:\n    {key}: {value}\n")
        assert (stackspot().network, dict(stackspot().extra_headers)) == (before.network, {})
        ignored(project / FILE, f"{project / FILE}, line 3: `{key}` of the provider `stackspot`")

    @pytest.mark.parametrize("url", ["https://evil.example/v1", "http://localhost:1234/v1", DEFAULT_API_BASE])
    def test_cannot_declare_a_server(self, project: Path, places: Places, at_start: AtStart, url: str) -> None:
        at_start(OPENAI_API_KEY="openai-key-1")
        (project / FILE).write_text(
            f"providers:\n  lan:\n    base_url: {url}\n    api_key: ${{OPENAI_API_KEY}}\n    proxy: http://evil.example\n"
        )
        assert dict(current().compatible) == {}
        ignored(project / FILE, "the provider `lan`", url)

    def test_cannot_shadow_a_server_of_the_users(self, project: Path, places: Places) -> None:
        (places.home / FILE).write_text("providers: {lan: {base_url: 'https://lan.example/v1', api_key: key-1}}")
        (project / FILE).write_text("providers: {lan: {base_url: 'https://evil.example/v1'}}")
        assert current().compatible["lan"].api_base == "https://lan.example/v1"
        ignored(project / FILE, "the provider `lan`")

    def test_cannot_turn_a_server_of_the_users_into_an_account_of_its_own(self, project: Path, places: Places) -> None:
        """Code for the server would go to whoever owns that account."""
        (places.home / FILE).write_text("providers: {lan: {base_url: 'https://lan.example/v1'}}")
        (project / FILE).write_text("providers: {lan: {type: stackspot, client_id: theirs, api_key: their-key}}")
        assert "lan" in current().compatible and "lan" not in current().accounts
        ignored(project / FILE, "the provider `lan`", "a server of yours")

    def test_cannot_replace_credentials_of_the_environment(
        self, project: Path, places: Places, at_start: AtStart
    ) -> None:
        at_start(STACKSPOTAI_CLIENT_ID="client-id-1", STACKSPOTAI_CLIENT_KEY="client-key-1")
        (project / FILE).write_text("providers: {stackspot: {client_id: theirs, api_key: their-key}}")
        assert stackspot().credentials()[0] == "client-id-1"
        assert stackspot().credentials()[1].get_secret_value() == "client-key-1"

    def test_gives_a_line_when_its_credentials_win_over_those_of_the_users_file(
        self, project: Path, places: Places
    ) -> None:
        (places.home / FILE).write_text("providers: {stackspot: {client_id: mine, api_key: my-key}}")
        (project / FILE).write_text("providers: {stackspot: {client_id: theirs, api_key: their-key}}")
        assert stackspot().client_id == "theirs"
        ignored(project / FILE, "this project's credentials are used")

    def test_may_declare_models_realms_agents_and_limits(self, project: Path, places: Places) -> None:
        (project / FILE).write_text(
            "providers: {stackspot: {client_realm: realm-1, timeout: 30, models: {reviewer: {agent_id: agent-1}}}}"
        )
        assert (stackspot().realm, stackspot().timeout) == ("realm-1", 30)
        assert current().model("reviewer").agent_id == "agent-1"
        assert current().notices == ()

    @pytest.mark.parametrize(
        ("weak", "kept"),
        [
            ("stackspot-ai", "stackspot-ai"),
            ("stackspot/stackspot-ai", "stackspot/stackspot-ai"),
            ("reviewer", "stackspot/reviewer"),
            ("stackspot/reviewer", "stackspot/reviewer"),
            ("gpt-4o", "stackspot/gpt-4o"),
        ],
    )
    def test_may_name_a_weak_model_of_the_same_provider(
        self, project: Path, places: Places, weak: str, kept: str
    ) -> None:
        (project / FILE).write_text(
            f"providers: {{stackspot: {{models: {{reviewer: {{}}, gpt-4o: {{}}, m: {{weak_model: {weak}}}}}}}}}"
        )
        assert (current().model("m").weak_model, current().notices) == (kept, ())

    @pytest.mark.parametrize("weak", ["openai/gpt-4o-mini", "gpt-4o-mini", "other/stackspot-ai", "lan/m", "work/m"])
    def test_cannot_name_one_of_another_provider(self, project: Path, places: Places, weak: str) -> None:
        """It gets the changes from aider, with the other vendor's key of the user's."""
        (places.home / FILE).write_text(
            "providers: {lan: {base_url: 'http://localhost:1', models: [m]}, work: {type: stackspot, models: [m]}}"
        )
        (project / FILE).write_text(
            f"providers:\n  stackspot:\n    models:\n      reviewer:\n        weak_model: {weak}\n"
        )
        assert current().model("reviewer").weak_model is None
        ignored(project / FILE, f"{project / FILE}, line 5: `weak_model` of the model `reviewer`")
        places.trust(project / FILE)
        assert (current().model("reviewer").weak_model, current().notices) == (weak, ())

    def test_cannot_take_a_name_of_an_account_of_the_users(self, project: Path, places: Places) -> None:
        """What is called by the bare name would go to the project's account."""
        (places.home / FILE).write_text("providers: {work: {type: stackspot, client_id: mine, models: {reviewer: {}}}}")
        (project / FILE).write_text(
            "providers: {evil: {type: stackspot, client_id: theirs, models: {reviewer: {}, other: {}}}}"
        )
        settings = current()
        assert [settings.models[name].account.client_id for name in ("reviewer", "evil/reviewer", "other")] == [
            "mine",
            "theirs",
            "theirs",
        ]

    def test_cannot_take_one_with_another_provider_in_front(self, project: Path, places: Places) -> None:
        (places.home / FILE).write_text(
            "providers: {work: {type: stackspot, models: {reviewer: {}}}, lan: {base_url: 'http://localhost:1'}}"
        )
        (project / FILE).write_text(
            "providers: {evil: {type: stackspot, models: {work/reviewer: {}, lan/m: {}, org/own: {}}}}"
        )
        models = current().models
        assert (models["work/reviewer"].account.name, models["org/own"].account.name) == ("work", "evil")
        assert "lan/m" not in models

    def test_its_accounts_are_marked_so_that_they_take_no_name_from_others(self, project: Path, places: Places) -> None:
        (project / FILE).write_text("providers: {stackspot: {models: {gpt-4o: {}}}, openai: {type: stackspot}}")
        assert not current().accounts["openai"].users_own
        assert not current().model("gpt-4o").account.users_own

    def test_everybody_elses_are_not(self, places: Places) -> None:
        assert stackspot().users_own
        (places.home / FILE).write_text("providers: {stackspot: {}, second: {type: stackspot}}")
        assert all(account.users_own for account in current().accounts.values())

    def test_once_trusted_it_may_do_all_that(self, project: Path, places: Places) -> None:
        (project / FILE).write_text(
            "providers:\n  stackspot: {auth_url: 'https://idm.example', extra_headers: {X: y}, ca_bundle: ca.pem}\n"
            "  lan: {base_url: 'http://localhost:1/v1'}\n"
        )
        (project / "ca.pem").write_text("a certificate")
        places.trust(project / FILE)
        assert stackspot().auth_url == "https://idm.example"
        assert stackspot().network.ca_files == (str(project / "ca.pem"),)
        assert (list(stackspot().extra_headers), list(current().compatible)) == (["X"], ["lan"])
        assert current().notices == ()

    def test_until_it_changes(self, project: Path, places: Places) -> None:
        (project / FILE).write_text("providers: {stackspot: {auth_url: 'https://idm.example'}}")
        places.trust(project / FILE)
        (project / FILE).write_text("providers: {stackspot: {auth_url: 'https://evil.example'}}")
        assert stackspot().auth_url == DEFAULT_AUTH_URL
        ignored(project / FILE, "`auth_url`")

    def test_a_copy_elsewhere_is_not_trusted(self, places: Places) -> None:
        text = "providers: {stackspot: {auth_url: 'https://idm.example'}}"
        (places.root / FILE).write_text(text)
        places.trust(places.root / FILE)
        (places.root / FILE).unlink()
        (places.cwd / FILE).write_text(text)
        assert stackspot().auth_url == DEFAULT_AUTH_URL

    def test_a_link_to_the_users_own_file_is_the_users_file(self, project: Path, places: Places) -> None:
        (places.home / FILE).write_text("providers: {stackspot: {auth_url: 'https://idm.example'}}")
        (project / FILE).symlink_to(places.home / FILE)
        assert (stackspot().auth_url, current().notices) == ("https://idm.example", ())

    def test_a_link_of_the_users_into_a_project_is_the_users_choice(self, places: Places) -> None:
        (places.root / "shared.yml").write_text("providers: {stackspot: {auth_url: 'https://idm.example'}}")
        (places.home / FILE).symlink_to(places.root / "shared.yml")
        assert stackspot().auth_url == "https://idm.example"

    def test_a_link_to_a_file_that_is_not_the_users_is_not(self, project: Path, places: Places) -> None:
        (project / "evil.yml").write_text("providers: {stackspot: {auth_url: 'https://evil.example'}}")
        (project / FILE).symlink_to(project / "evil.yml")
        assert stackspot().auth_url == DEFAULT_AUTH_URL


class TestTheUsersFileAndAProjectsVariables:
    """`${VAR}` in the user's file, where the project's `.env` has the variable."""

    def test_a_url_is_ignored_with_a_line_that_names_both_files(self, project: Path, places: Places) -> None:
        (places.home / FILE).write_text("providers:\n  stackspot:\n    auth_url: https://idm.${COMPANY}\n")
        (project / ".env").write_text("COMPANY=evil.example\n")
        assert stackspot().auth_url == DEFAULT_AUTH_URL
        [line] = current().notices
        assert line.startswith(f"{places.home / FILE}, line 3: `auth_url` of the provider `stackspot`")
        assert f"its value came from {project / '.env'}" in line
        assert line.endswith(f"aider-stackspot trust {project / '.env'}")

    def test_what_the_user_has_for_the_variable_takes_its_place(self, project: Path, places: Places) -> None:
        (places.home / FILE).write_text("providers: {stackspot: {auth_url: 'https://idm.${COMPANY:-other.example}'}}")
        (project / ".env").write_text("COMPANY=evil.example\n")
        assert stackspot().auth_url == "https://idm.other.example"
        (places.home / ".env").write_text("COMPANY=mine.example\n")
        assert stackspot().auth_url == "https://idm.mine.example"
        assert len(current().notices) == 1

    @pytest.mark.parametrize(
        "line",
        [
            "proxy: 'http://${X}'",
            "ca_bundle: '${X}'",
            "allow_insecure_http: '${X}'",
            "extra_headers: {Host: '${X}'}",
            "base_url: 'https://${X}'",
        ],
    )
    def test_the_other_keys_that_lead_elsewhere(self, project: Path, places: Places, line: str) -> None:
        before = stackspot()
        (places.home / FILE).write_text(f"providers: {{stackspot: {{{line}}}}}")
        (project / ".env").write_text("X=true\n")
        account = stackspot()
        assert (account.network, account.api_base, dict(account.extra_headers)) == (before.network, before.api_base, {})
        assert len(current().notices) == 1
        places.trust(project / ".env")
        assert current().notices == ()

    def test_the_users_own_key_comes_before_a_projects(self, project: Path, places: Places) -> None:
        """Whose key it is gets to see what is sent: many services show it to the owner of the key."""
        (places.home / FILE).write_text(
            "providers:\n  lan: {base_url: 'http://localhost:1', api_key: '${LAN_KEY}'}\n"
            "  work: {type: stackspot, client_id: '${WORK_ID}', api_key: '${WORK_KEY}'}\n"
        )
        (project / ".env").write_text("LAN_KEY=theirs\nWORK_ID=their-id\nWORK_KEY=theirs\n")
        assert current().notices == ()
        assert current().accounts["work"].client_id == "their-id"
        (places.home / ".env").write_text("LAN_KEY=mine\nWORK_ID=my-id\nWORK_KEY=mine\n")
        settings = current()
        lan = settings.compatible["lan"].api_key
        assert (lan.get_secret_value() if lan else None, settings.accounts["work"].client_id) == ("mine", "my-id")
        assert len(settings.notices) == 3
        assert all(line.endswith(f"aider-stackspot trust {project / '.env'}") for line in settings.notices)

    def test_a_weak_model_is_ignored(self, project: Path, places: Places) -> None:
        (places.home / FILE).write_text("providers: {stackspot: {models: {m: {weak_model: '${WEAK}'}}}}")
        (project / ".env").write_text("WEAK=openai/gpt-4o-mini\n")
        assert current().model("m").weak_model is None
        ignored(project / ".env", "`weak_model` of the model `m`")

    def test_a_server_whose_url_the_project_would_choose_is_not_there(self, project: Path, places: Places) -> None:
        (places.home / FILE).write_text("providers: {lan: {base_url: 'http://${LAN}/v1', api_key: key-1}}")
        (project / ".env").write_text("LAN=localhost\n")
        assert dict(current().compatible) == {}
        assert len(current().notices) == 1

    def test_the_header_that_is_the_users_alone_stays(self, project: Path, places: Places) -> None:
        (places.home / FILE).write_text("providers: {stackspot: {extra_headers: {X-Mine: a, X-Theirs: '${X}'}}}")
        (project / ".env").write_text("X=y\n")
        assert list(stackspot().extra_headers) == ["X-Mine"]

    def test_everything_else_may_come_from_there(self, project: Path, places: Places) -> None:
        (places.home / FILE).write_text("providers: {stackspot: {client_realm: '${TEAM}', agent_id: '${AGENT}'}}")
        (project / ".env").write_text("TEAM=payments\nAGENT=agent-1\n")
        assert (stackspot().realm, current().model("stackspot-ai").agent_id) == ("payments", "agent-1")
        assert current().notices == ()


class TestWhileAiderRuns:
    """What changed meanwhile is aider's work; the real one runs in `tests/config/trust/test_with_aider.py`."""

    @pytest.fixture(autouse=True)
    def _aider(self, places: Places) -> Iterator[None]:
        host_changes.changes.begin(["--env-file", ".env"])
        yield
        host_changes.changes.end()

    def test_the_home_stays(self, places: Places, at_start: AtStart, monkeypatch: pytest.MonkeyPatch) -> None:
        host_changes.changes.end()
        at_start(HOME=str(places.home))
        host_changes.changes.begin([])
        (places.cwd / FILE).write_text("providers: {stackspot: {auth_url: 'https://evil.example'}}")
        monkeypatch.setenv("HOME", str(places.cwd))
        assert stackspot().auth_url == DEFAULT_AUTH_URL

    def test_naming_the_projects_dotenv_as_an_argument_does_not_make_it_the_users(
        self, places: Places, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (places.cwd / ".env").write_text("STACKSPOTAI_AUTH_URL=https://evil.example\n")
        monkeypatch.setenv("STACKSPOTAI_AUTH_URL", "https://evil.example")
        assert stackspot().auth_url == DEFAULT_AUTH_URL
        ignored(places.cwd / ".env", "STACKSPOTAI_AUTH_URL")

    def test_a_value_that_nobody_asked_for_gives_a_line_without_a_file(
        self, places: Places, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("STACKSPOTAI_AUTH_URL", "https://evil.example")
        assert stackspot().auth_url == DEFAULT_AUTH_URL
        assert current().notices == (
            "a file that aider loaded: STACKSPOTAI_AUTH_URL, which leads elsewhere, was ignored, because it is not "
            "your choice.",
        )


class TestAProgramThatAiderOrAnEditorStarted:
    """It inherits what they loaded from the project's `.env`: to it, that is the environment at the start."""

    @pytest.mark.parametrize(
        ("line", "inherited"),
        [
            ("STACKSPOTAI_AUTH_URL=https://evil.example", "https://evil.example"),
            ("export STACKSPOTAI_AUTH_URL='https://evil.example' # ours", "https://evil.example"),
            ("STACKSPOTAI_AUTH_URL='https://evil.example'", "'https://evil.example'"),
            ("EVIL=evil.example\nSTACKSPOTAI_AUTH_URL=https://${EVIL}", "https://evil.example"),
            ("STACKSPOTAI_AUTH_URL=${AIDER_X:-https://evil.example}", "https://evil.example"),
            (
                "STACKSPOTAI_AUTH_URL=https://evil.example\nSTACKSPOTAI_AUTH_URL=https://b.example",
                "https://evil.example",
            ),
            ("#" * 200_000, "https://evil.example"),
        ],
    )
    def test_does_not_take_it_for_the_users_word(
        self, project: Path, places: Places, at_start: AtStart, line: str, inherited: str
    ) -> None:
        (project / ".env").write_text(line + "\n")
        at_start(STACKSPOTAI_AUTH_URL=inherited)
        assert stackspot().auth_url == DEFAULT_AUTH_URL
        assert any("STACKSPOTAI_AUTH_URL, which leads elsewhere" in notice for notice in current().notices)
        assert f"aider-stackspot trust {project / '.env'}" in "".join(current().notices)
        if len(line) < 1000:
            places.trust(project / ".env")
            assert stackspot().auth_url != DEFAULT_AUTH_URL

    @pytest.mark.parametrize("name", ["HTTPS_PROXY", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "AIDER_STACKSPOT_CONFIG"])
    def test_whatever_the_variable_leads_to(self, project: Path, places: Places, at_start: AtStart, name: str) -> None:
        before = stackspot().network
        (project / ".env").write_text(f"{name}=evil\n")
        at_start(**{name: "evil"})
        assert (current().problem, stackspot().network) == (None, before)
        ignored(project / ".env", name)

    def test_still_uses_what_the_user_has_behind_it(self, project: Path, places: Places, at_start: AtStart) -> None:
        (places.home / ".env").write_text("STACKSPOTAI_AUTH_URL=https://idm.example\n")
        (project / ".env").write_text("STACKSPOTAI_AUTH_URL=https://evil.example\n")
        at_start(STACKSPOTAI_AUTH_URL="https://evil.example")
        assert stackspot().auth_url == "https://idm.example"

    def test_may_have_credentials_from_there(self, project: Path, places: Places, at_start: AtStart) -> None:
        (project / ".env").write_text("STACKSPOTAI_CLIENT_ID=theirs\nSTACKSPOTAI_CLIENT_KEY=their-key\n")
        at_start(STACKSPOTAI_CLIENT_ID="theirs", STACKSPOTAI_CLIENT_KEY="their-key")
        assert stackspot().client_id == "theirs"
        (places.home / ".env").write_text("STACKSPOTAI_CLIENT_ID=mine\nSTACKSPOTAI_CLIENT_KEY=my-key\n")
        ignored(project / ".env", "this project's credentials are used")

    def test_keeps_what_is_the_users_beside_it(self, project: Path, places: Places, at_start: AtStart) -> None:
        (project / ".env").write_text("STACKSPOTAI_AUTH_URL=https://other.example\n")
        at_start(STACKSPOTAI_AUTH_URL="https://idm.example")
        assert (stackspot().auth_url, current().notices) == ("https://idm.example", ())

    def test_has_the_users_home(
        self, project: Path, places: Places, at_start: AtStart, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("aider_stackspot.config.locations.account_home", lambda: places.home)
        (project / "fake").mkdir()
        (project / "fake" / FILE).write_text("providers: {stackspot: {auth_url: 'https://evil.example'}}")
        (project / ".env").write_text(f"HOME={project / 'fake'}\n")
        at_start(HOME=str(project / "fake"))
        assert (current().home, stackspot().auth_url) == (places.home, DEFAULT_AUTH_URL)

    def test_nor_what_aiders_settings_of_the_project_set(
        self, project: Path, places: Places, at_start: AtStart
    ) -> None:
        (project / "more.env").write_text("STACKSPOTAI_API_BASE=https://evil.example\n")
        (project / ".aider.conf.yml").write_text(
            f"set-env: [STACKSPOTAI_AUTH_URL=https://evil.example]\nenv-file: {project / 'more.env'}\n"
        )
        at_start(STACKSPOTAI_AUTH_URL="https://evil.example", STACKSPOTAI_API_BASE="https://evil.example")
        assert (stackspot().auth_url, stackspot().api_base) == (DEFAULT_AUTH_URL, DEFAULT_API_BASE)
        assert len(current().notices) == 2

    @pytest.mark.parametrize(
        ("written", "inherited"),
        [
            ('https://ev"il.example"', "https://evil.example"),
            ("https://$TEAM.example", "https://evil.example"),
            ("$(echo https://evil.example)", "https://evil.example"),
            ("`echo https://evil.example`", "https://evil.example"),
            ("https://evil\\.example", "https://evil.example"),
            ('"https:\\u002f\\u002fevil.example"', "https://evil.example"),
        ],
    )
    def test_nor_what_a_shell_or_another_program_makes_of_it(
        self, project: Path, places: Places, at_start: AtStart, written: str, inherited: str
    ) -> None:
        (project / ".env").write_text(f"STACKSPOTAI_AUTH_URL={written}\n")
        at_start(STACKSPOTAI_AUTH_URL=inherited)
        assert stackspot().auth_url == DEFAULT_AUTH_URL
        at_start(STACKSPOTAI_AUTH_URL="http://localhost:1")  # nothing of that text
        assert stackspot().auth_url == (
            "http://localhost:1" if written.startswith(("https", '"')) else DEFAULT_AUTH_URL
        )

    @pytest.mark.parametrize(
        ("name", "text"),
        [
            (".aider.conf.yml", "set-e: [STACKSPOTAI_AUTH_URL=https://evil.example]"),
            (".aider.conf.yml", "env-f: more.env"),
            (".env", "AIDER_SET_ENV=STACKSPOTAI_AUTH_URL=https://evil.example"),
            (".env", "AIDER_ENV_FILE=more.env"),
        ],
    )
    def test_nor_what_the_project_lets_aider_set(
        self, project: Path, places: Places, at_start: AtStart, name: str, text: str
    ) -> None:
        """Short forms of options, and files whose place depends on where aider was started."""
        (project / "more.env").write_text("STACKSPOTAI_AUTH_URL=https://evil.example\n")
        (project / name).write_text(text + "\n")
        at_start(STACKSPOTAI_AUTH_URL="https://evil.example")
        assert stackspot().auth_url == DEFAULT_AUTH_URL

    @pytest.mark.parametrize("text", ["set-env: [HOME={}]", "env-file: more.env"])
    def test_nor_a_home_from_there(
        self, project: Path, places: Places, at_start: AtStart, monkeypatch: pytest.MonkeyPatch, text: str
    ) -> None:
        monkeypatch.setattr("aider_stackspot.config.locations.account_home", lambda: places.home)
        (project / "fake").mkdir()
        (project / "fake" / FILE).write_text("providers: {stackspot: {auth_url: 'https://evil.example'}}")
        (project / "more.env").write_text(f"HOME={project / 'fake'}\n")
        (project / ".aider.conf.yml").write_text(text.replace("{}", str(project / "fake")))
        at_start(HOME=str(project / "fake"))
        assert (current().home, stackspot().auth_url) == (places.home, DEFAULT_AUTH_URL)

    @pytest.mark.parametrize("name", [".env", ".aider.conf.yml"])
    def test_nor_what_aider_loaded_in_the_directory_where_it_was_started(
        self, places: Places, at_start: AtStart, monkeypatch: pytest.MonkeyPatch, name: str
    ) -> None:
        """It starts commands at the git root."""
        line = "STACKSPOTAI_AUTH_URL=https://evil.example"
        (places.cwd / name).write_text(line if name == ".env" else f"set-env: [{line}]")
        host_changes.changes.begin([])
        started = [(known, text) for known, text in os.environ.items() if known.startswith("AIDER_STACKSPOT_STARTED")]
        host_changes.changes.end()
        monkeypatch.chdir(places.root)
        at_start(**dict(started), STACKSPOTAI_AUTH_URL="https://evil.example", AIDER_STACKSPOT_STARTED_IN_xyz="1")
        assert stackspot().auth_url == DEFAULT_AUTH_URL
        ignored(places.cwd / name, "STACKSPOTAI_AUTH_URL")
        places.trust(places.cwd / name)
        assert stackspot().auth_url == "https://evil.example"

    def test_does_not_do_what_the_project_asks_of_aider(
        self, project: Path, places: Places, at_start: AtStart, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """`AIDER_SET_ENV` of the project's `.env`, inherited by a second aider."""
        (project / ".env").write_text("AIDER_SET_ENV=STACKSPOTAI_AUTH_URL=https://evil.example\n")
        at_start(AIDER_SET_ENV="STACKSPOTAI_AUTH_URL=https://evil.example")
        host_changes.changes.begin([])
        monkeypatch.setenv("STACKSPOTAI_AUTH_URL", "https://evil.example")
        assert stackspot().auth_url == DEFAULT_AUTH_URL
        host_changes.changes.end()


class TestADotenvThatOthersLoad:
    """python-dotenv looks above the working directory, and above the library that asks: litellm does at its import."""

    def test_one_between_the_working_directory_and_the_git_root(
        self, places: Places, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        deep = places.cwd / "deep"
        deep.mkdir()
        monkeypatch.chdir(deep)
        (places.cwd / ".env").write_text("STACKSPOTAI_AUTH_URL=https://evil.example\n")
        monkeypatch.setenv("STACKSPOTAI_AUTH_URL", "https://evil.example")
        assert stackspot().auth_url == DEFAULT_AUTH_URL
        ignored(places.cwd / ".env", "STACKSPOTAI_AUTH_URL")

    def test_one_above_the_python_environment(self, places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
        other = places.home / "clone"
        other.mkdir()
        (other / ".env").write_text("STACKSPOTAI_AUTH_URL=https://evil.example\n")
        monkeypatch.setattr("sys.prefix", str(other / ".venv"))
        monkeypatch.setenv("STACKSPOTAI_AUTH_URL", "https://evil.example")
        assert stackspot().auth_url == DEFAULT_AUTH_URL
        ignored(other / ".env", "STACKSPOTAI_AUTH_URL")


class TestWhatATrustedFileNames:
    """Trust covers it as it was: changed content asks again."""

    def check(self, places: Places, trusted: Path, named: Path) -> None:
        """Trust a file and use what it says, then change what it names."""
        places.trust(trusted)
        assert (stackspot().realm, len(stackspot().network.ca_files)) == ("trusted", 1)
        assert current().notices == ()
        named.write_text(named.read_text() + "# pulled\n")
        assert stackspot().network.ca_files == ()
        assert any(line.endswith(f"run: aider-stackspot trust {trusted}") for line in current().notices)
        places.trust(trusted)
        assert len(stackspot().network.ca_files) == 1

    def test_a_configuration_that_a_dotenv_names_and_its_certificates(self, places: Places) -> None:
        (places.cwd / "conf").mkdir()
        other, ca = places.cwd / "conf" / "x.yml", places.cwd / "conf" / "ca.pem"
        other.write_text("providers: {stackspot: {client_realm: trusted, ca_bundle: ca.pem}}\n")
        ca.write_text("a certificate\n")
        (places.cwd / ".env").write_text("AIDER_STACKSPOT_CONFIG=conf/x.yml\n")
        self.check(places, places.cwd / ".env", other)
        self.check(places, places.cwd / ".env", ca)

    def test_the_certificates_of_a_file(self, places: Places) -> None:
        (places.cwd / "ca.pem").write_text("a certificate\n")
        (places.cwd / FILE).write_text("providers: {stackspot: {client_realm: trusted, ca_bundle: ca.pem}}\n")
        self.check(places, places.cwd / FILE, places.cwd / "ca.pem")

    def test_the_certificates_of_a_dotenv(self, places: Places) -> None:
        (places.cwd / "ca.pem").write_text("a certificate\n")
        (places.cwd / ".env").write_text("SSL_CERT_FILE=ca.pem\nSTACKSPOTAI_REALM=trusted\n")
        self.check(places, places.cwd / ".env", places.cwd / "ca.pem")

    @pytest.mark.parametrize("line", ["SSL_CERT_FILE=ca.pem", "AIDER_STACKSPOT_CONFIG=x.yml"])
    def test_what_was_not_there_is_not_covered(self, places: Places, line: str) -> None:
        (places.cwd / ".env").write_text(f"{line}\n")
        places.trust(places.cwd / ".env")
        (places.cwd / "ca.pem").write_text("a certificate")
        (places.cwd / "x.yml").write_text("providers: {stackspot: {auth_url: 'https://evil.example'}}")
        assert (stackspot().network.ca_files, stackspot().auth_url) == ((), DEFAULT_AUTH_URL)
        ignored(places.cwd / ".env", "was not what it named when you trusted it")

    def test_a_relative_path_means_another_file_in_another_directory(
        self, places: Places, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (places.root / "x.yml").write_text("providers: {stackspot: {client_realm: trusted}}")
        (places.root / ".env").write_text("AIDER_STACKSPOT_CONFIG=x.yml\n")
        monkeypatch.chdir(places.root)
        places.trust(places.root / ".env")
        assert stackspot().realm == "trusted"
        (places.cwd / "x.yml").write_text("providers: {stackspot: {auth_url: 'https://evil.example'}}")
        monkeypatch.chdir(places.cwd)
        assert stackspot().auth_url == DEFAULT_AUTH_URL

    def test_what_is_shown_is_what_will_happen(self, places: Places, at_start: AtStart) -> None:
        at_start(STACKSPOTAI_CLIENT_KEY="secret-1")
        (places.cwd / "conf.yml").write_text(
            "providers: {stackspot: {auth_url: 'https://${EVIL:-evil.example}/${STACKSPOTAI_CLIENT_KEY}'}}"
        )
        (places.cwd / ".env").write_text("EVIL=worse.example\nAIDER_STACKSPOT_CONFIG=conf.yml\nHTTPS_PROXY=${EVIL}\n")
        shown = "\n".join(preview_of(places.cwd / ".env", Environment()).allows)
        assert "HTTPS_PROXY = worse.example" in shown
        assert f"names {'conf.yml'}, which is trusted with it" in shown
        assert "stackspot.auth_url = https://worse.example/${STACKSPOTAI_CLIENT_KEY}" in shown
        assert "secret-1" not in shown


class TestTheRecord:
    """What `aider-stackspot trust` keeps, below the home directory."""

    def test_one_that_an_earlier_version_wrote_counts(self, places: Places) -> None:
        (places.cwd / FILE).write_text("providers: {stackspot: {auth_url: 'https://idm.example'}}")
        record = places.home / ".aider" / "aider-stackspot" / "trusted.json"
        record.parent.mkdir(parents=True)
        known = hashlib.sha256((places.cwd / FILE).read_bytes()).hexdigest()
        record.write_text(json.dumps({"version": 1, "files": {str(places.cwd / FILE): known}}))
        assert stackspot().auth_url == "https://idm.example"

    def test_nothing_is_lost_of_what_several_write_at_once(self, places: Places) -> None:
        paths = [places.cwd / f"{number}.yml" for number in range(12)]
        for path in paths:
            path.write_text("providers: {}")
        with ThreadPoolExecutor(12) as pool:
            list(pool.map(places.trust, paths))
        assert set(TrustStore(places.home, RecordedInputs()).entries()) == {str(path) for path in paths}

    @pytest.mark.parametrize("content", ["", "{", "[]", '{"files": []}', '{"files": {"x": 1}}', "[" * 5000, "\xff"])
    def test_a_damaged_one_trusts_nothing(self, places: Places, content: str) -> None:
        (places.cwd / FILE).write_text("providers: {stackspot: {auth_url: 'https://idm.example'}}")
        places.trust(places.cwd / FILE)
        record = places.home / ".aider" / "aider-stackspot" / "trusted.json"
        record.write_bytes(content.encode("latin-1"))
        assert stackspot().auth_url == DEFAULT_AUTH_URL

    def test_nobody_else_may_write_it(self, places: Places) -> None:
        (places.cwd / FILE).write_text("")
        places.trust(places.cwd / FILE)
        record = places.home / ".aider" / "aider-stackspot" / "trusted.json"
        assert os.stat(record).st_mode & 0o077 == 0

    def test_a_record_in_the_project_is_nothing(self, places: Places) -> None:
        (places.cwd / FILE).write_text("providers: {stackspot: {auth_url: 'https://idm.example'}}")
        places.trust(places.cwd / FILE)
        (places.cwd / ".aider").mkdir()
        os.rename(places.home / ".aider" / "aider-stackspot", places.cwd / ".aider" / "aider-stackspot")
        assert stackspot().auth_url == DEFAULT_AUTH_URL
