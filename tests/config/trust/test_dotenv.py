"""A `.env` of a cloned repository: what it may say, and what is ignored with a line."""

from __future__ import annotations

from pathlib import Path

import pytest

from aider_stackspot.config import current
from aider_stackspot.config.settings import DEFAULT_AGENT_API_BASE, DEFAULT_API_BASE, DEFAULT_AUTH_URL
from aider_stackspot.process_start import environment_at_start
from tests.config.config_support import FILE, AtStart, Places, ignored, stackspot
from tests.config.trust.trust_support import EVIL

pytest_plugins = ["tests.config.config_support", "tests.config.trust.trust_support"]


BASES = {
    "STACKSPOTAI_AUTH_URL": "auth_url",
    "STACKSPOTAI_API_BASE": "api_base",
    "STACKSPOTAI_AGENT_API_BASE": "agent_api_base",
}


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
