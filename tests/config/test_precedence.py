"""Which value wins: DESIGN's "most specific wins", one step after the other.

An argument of the call comes before all of this (tests of `provider`). Then: a model's own keys in the file, the
environment as it was when Python started, `.env`, the provider's keys in the file, the default.
"""

from __future__ import annotations

import pytest

from aider_stackspot.config import current
from aider_stackspot.config.settings import DEFAULT_AGENT_API_BASE, DEFAULT_API_BASE, DEFAULT_AUTH_URL
from tests.config.config_support import FILE, AtStart, Places, api_of, stackspot

pytest_plugins = ["tests.config.config_support"]


def test_with_nothing_at_all_the_built_in_defaults_apply(places: Places) -> None:
    settings = current()
    account = settings.accounts["stackspot"]
    assert (account.realm, account.auth_url) == ("stackspot", DEFAULT_AUTH_URL)
    assert (account.api_base, account.agent_api_base) == (DEFAULT_API_BASE, DEFAULT_AGENT_API_BASE)
    assert sorted(settings.models) == [
        "stackspot-ai",
        "stackspot-ai-chat",
        "stackspot-ai-code",
        "stackspot/stackspot-ai",
        "stackspot/stackspot-ai-chat",
        "stackspot/stackspot-ai-code",
    ]
    assert (settings.problem, settings.notices, settings.files) == (None, (), ())


def test_every_model_has_the_documented_limits(places: Places) -> None:
    for model in current().models.values():
        assert (model.max_input_tokens, model.max_output_tokens, model.edit_format) == (16_384, 8_192, "diff")


class TestEachStepWinsOverTheNext:
    """One value, the realm, given in every place; then the places are emptied from the most specific one on."""

    def test_default(self, places: Places) -> None:
        assert stackspot().realm == "stackspot"

    def test_provider_key_over_default(self, places: Places) -> None:
        (places.cwd / FILE).write_text("providers: {stackspot: {client_realm: of-the-file}}")
        assert stackspot().realm == "of-the-file"

    def test_dotenv_over_provider_key(self, places: Places) -> None:
        (places.cwd / FILE).write_text("providers: {stackspot: {client_realm: of-the-file}}")
        (places.home / ".env").write_text("STACKSPOTAI_REALM=of-dotenv")
        assert stackspot().realm == "of-dotenv"

    def test_environment_at_start_over_dotenv(self, places: Places, at_start: AtStart) -> None:
        (places.cwd / ".env").write_text("STACKSPOTAI_REALM=of-dotenv")
        at_start(STACKSPOTAI_REALM="at-start")
        assert stackspot().realm == "at-start"

    def test_what_the_program_sets_over_the_environment_at_start(
        self, places: Places, at_start: AtStart, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        at_start(STACKSPOTAI_REALM="at-start")
        monkeypatch.setenv("STACKSPOTAI_REALM", "of-the-program")
        assert stackspot().realm == "of-the-program"

    def test_a_models_own_key_over_all_of_them(self, places: Places, at_start: AtStart) -> None:
        at_start(STACKSPOTAI_AGENT_ID="at-start")
        (places.cwd / ".env").write_text("STACKSPOTAI_AGENT_ID=of-dotenv")
        (places.cwd / FILE).write_text(
            "providers: {stackspot: {agent_id: of-the-provider, models: {reviewer: {agent_id: its-own}}}}"
        )
        assert current().model("reviewer").agent_id == "its-own"
        assert current().model("stackspot-ai-code").agent_id == "at-start"


class TestTheEnvironment:
    """What the process has, and the `.env` files behind it."""

    def test_an_empty_variable_counts_as_not_set(self, places: Places, at_start: AtStart) -> None:
        at_start(STACKSPOTAI_REALM="")
        (places.home / ".env").write_text("STACKSPOTAI_REALM=of-dotenv")
        assert stackspot().realm == "of-dotenv"

    @pytest.mark.parametrize("clear", ["delete", "empty"])
    def test_what_the_program_clears_is_gone(
        self, places: Places, at_start: AtStart, monkeypatch: pytest.MonkeyPatch, clear: str
    ) -> None:
        at_start(STACKSPOTAI_REALM="at-start")
        if clear == "delete":
            monkeypatch.delenv("STACKSPOTAI_REALM")
        else:
            monkeypatch.setenv("STACKSPOTAI_REALM", "")
        assert stackspot().realm == "stackspot"

    def test_spaces_around_a_value_are_not_part_of_it(self, places: Places, at_start: AtStart) -> None:
        at_start(STACKSPOTAI_CLIENT_ID=" client-id-1 ", STACKSPOTAI_CLIENT_KEY="client-key-1\n")
        client_id, client_key = stackspot().credentials()
        assert (client_id, client_key.get_secret_value()) == ("client-id-1", "client-key-1")

    def test_the_three_dotenv_files_closest_first(self, places: Places) -> None:
        for directory in (places.home, places.root, places.cwd):
            (directory / ".env").write_text(f"STACKSPOTAI_REALM=of-{directory.name}\n")
            assert stackspot().realm == f"of-{directory.name}"

    def test_a_dotenv_file_gives_only_what_it_has(self, places: Places) -> None:
        (places.cwd / ".env").write_text("STACKSPOTAI_REALM=closest")
        (places.home / ".env").write_text("STACKSPOTAI_REALM=home\nSTACKSPOTAI_CLIENT_ID=client-id-of-home")
        assert (stackspot().realm, stackspot().client_id) == ("closest", "client-id-of-home")

    def test_every_variable_has_its_place(self, places: Places, at_start: AtStart) -> None:
        at_start(
            STACKSPOTAI_CLIENT_ID="client-id-1",
            STACKSPOTAI_CLIENT_KEY="client-key-1",
            STACKSPOTAI_REALM="realm-1",
            STACKSPOTAI_AGENT_ID="agent-1",
            STACKSPOTAI_AUTH_URL="https://idm.example/",
            STACKSPOTAI_API_BASE="https://api.example",
            STACKSPOTAI_AGENT_API_BASE="https://agents.example//",
        )
        account = stackspot()
        assert account.credentials()[0] == "client-id-1"
        assert account.credentials()[1].get_secret_value() == "client-key-1"
        assert (account.realm, account.auth_url) == ("realm-1", "https://idm.example")
        assert (account.api_base, account.agent_api_base) == ("https://api.example", "https://agents.example")
        assert current().model("stackspot-ai").agent_id == "agent-1"

    @pytest.mark.parametrize("text", ["my agent", "agents/01A", "01A\u2003x", "a\tb"])
    def test_an_agents_id_is_one_word(self, places: Places, at_start: AtStart, text: str) -> None:
        at_start(STACKSPOTAI_AGENT_ID=text)
        said = "STACKSPOTAI_AGENT_ID in the environment: an agent's id is one word, without spaces or slashes."
        assert current().problem == said

    def test_blanks_around_an_agents_id_do_no_harm(self, places: Places, at_start: AtStart) -> None:
        at_start(STACKSPOTAI_AGENT_ID=" agent-1 ")
        assert current().model("stackspot-ai").agent_id == "agent-1"

    def test_the_origin_of_each_value_is_known(self, places: Places, at_start: AtStart) -> None:
        at_start(STACKSPOTAI_CLIENT_ID="client-id-1")
        (places.home / ".env").write_text("STACKSPOTAI_CLIENT_KEY=client-key-1")
        (places.home / FILE).write_text("providers:\n  stackspot:\n    client_realm: realm-1\n")
        assert stackspot().origins == {
            "client_id": "STACKSPOTAI_CLIENT_ID in the environment",
            "api_key": f"STACKSPOTAI_CLIENT_KEY in {places.home / '.env'}",
            "client_realm": f"{places.home / FILE}, line 3",
            "auth_url": "default",
            "api_base": "default",
            "agent_api_base": "default",
            "agent_id": "not set",
        }


class TestTheFiles:
    """The file of the working directory, of the git root and of the home."""

    def test_the_closest_file_that_has_a_providers_name_gives_that_provider(self, places: Places) -> None:
        (places.home / FILE).write_text(
            "providers:\n  stackspot: {client_realm: home, timeout: 5}\n  lan: {base_url: 'http://localhost:1/v1'}\n"
        )
        (places.root / FILE).write_text("providers: {stackspot: {client_realm: root, timeout: 6}}")
        (places.cwd / FILE).write_text("providers: {stackspot: {client_realm: cwd}}")
        settings = current()
        # The whole provider: the timeout of the files further away is not mixed in.
        assert (settings.accounts["stackspot"].realm, settings.accounts["stackspot"].timeout) == ("cwd", None)
        assert settings.compatible["lan"].api_base == "http://localhost:1/v1"
        assert settings.files == tuple(str(directory / FILE) for directory in (places.cwd, places.root, places.home))

    def test_further_away_files_still_count_for_other_providers(self, places: Places) -> None:
        (places.root / FILE).write_text("providers: {stackspot: {client_realm: root}}")
        (places.cwd / FILE).write_text("providers: {second: {type: stackspot, client_realm: cwd}}")
        assert {name: account.realm for name, account in current().accounts.items()} == {
            "second": "cwd",
            "stackspot": "root",
        }

    def test_one_file_under_two_names_is_read_once(self, places: Places) -> None:
        (places.root / FILE).write_text("providers: {stackspot: {client_realm: root}}")
        (places.cwd / FILE).symlink_to(places.root / FILE)
        assert current().files == (str(places.cwd / FILE),)

    def test_without_a_git_root_the_directories_above_do_not_count(self, places: Places) -> None:
        (places.root / ".git").rmdir()
        (places.root / FILE).write_text("providers: {stackspot: {client_realm: root}}")
        (places.root / ".env").write_text("STACKSPOTAI_CLIENT_ID=client-id-1")
        assert (stackspot().realm, stackspot().client_id) == ("stackspot", None)

    def test_a_worktrees_git_file_marks_the_root_too(self, places: Places) -> None:
        (places.root / ".git").rmdir()
        (places.root / ".git").write_text("gitdir: elsewhere")
        (places.root / FILE).write_text("providers: {stackspot: {client_realm: root}}")
        assert stackspot().realm == "root"

    def test_the_deleted_working_directory_leaves_the_home(
        self, places: Places, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (places.home / FILE).write_text("providers: {stackspot: {client_realm: home}}")
        gone = places.root / "gone"
        gone.mkdir()
        monkeypatch.chdir(gone)
        gone.rmdir()
        assert stackspot().realm == "home"
        monkeypatch.chdir(places.root)


class TestTheFileNamedByAVariable:
    """`AIDER_STACKSPOT_CONFIG`, where the user set it."""

    def test_it_replaces_all_three(self, places: Places, at_start: AtStart) -> None:
        for directory in (places.home, places.root, places.cwd):
            (directory / FILE).write_text("providers: {other: {base_url: 'http://localhost:1/v1'}}")
        own = places.home / "own.yml"
        own.write_text("providers: {stackspot: {client_realm: named}}")
        at_start(AIDER_STACKSPOT_CONFIG=str(own))
        assert (stackspot().realm, dict(current().compatible), current().files) == ("named", {}, (str(own),))

    def test_it_is_the_users_and_may_name_hosts(self, places: Places, at_start: AtStart) -> None:
        own = places.cwd / "own.yml"
        own.write_text("providers: {stackspot: {auth_url: 'https://idm.example'}}")
        at_start(AIDER_STACKSPOT_CONFIG=str(own))
        assert stackspot().auth_url == "https://idm.example"
        assert current().notices == ()

    def test_a_program_may_name_it_too(self, places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
        (places.cwd / "own.yml").write_text("providers: {stackspot: {client_realm: named}}")
        monkeypatch.setenv("AIDER_STACKSPOT_CONFIG", "own.yml")
        assert stackspot().realm == "named"

    def test_a_tilde_means_the_home(self, places: Places, at_start: AtStart) -> None:
        (places.home / "own.yml").write_text("providers: {stackspot: {client_realm: named}}")
        at_start(AIDER_STACKSPOT_CONFIG="~/own.yml")
        assert stackspot().realm == "named"

    def test_the_users_dotenv_may_name_it(self, places: Places) -> None:
        (places.home / "own.yml").write_text("providers: {stackspot: {client_realm: named}}")
        (places.home / ".env").write_text("AIDER_STACKSPOT_CONFIG=~/own.yml")
        assert stackspot().realm == "named"

    @pytest.mark.parametrize("directory", ["cwd", "root"])
    def test_a_projects_dotenv_may_not(self, places: Places, directory: str) -> None:
        (places.cwd / "theirs.yml").write_text("providers: {stackspot: {client_realm: theirs}}")
        path = getattr(places, directory) / ".env"
        path.write_text("AIDER_STACKSPOT_CONFIG=theirs.yml")
        assert stackspot().realm == "stackspot"
        [line] = current().notices
        assert line.startswith(f"{path}: AIDER_STACKSPOT_CONFIG")
        assert line.endswith(f"aider-stackspot trust {path}")

    def test_a_file_that_is_not_there_is_a_problem(self, places: Places, at_start: AtStart) -> None:
        at_start(AIDER_STACKSPOT_CONFIG="/nowhere/own.yml")
        assert current().problem == (
            "AIDER_STACKSPOT_CONFIG in the environment names /nowhere/own.yml, and there is no such file."
        )


class TestWhichApiServesAModel:
    """`agent_id` → the Agents API; `quick_command` → quick commands; neither → `/v3/chat`."""

    def test_neither_means_chat(self, places: Places) -> None:
        assert api_of("stackspot-ai-code") == ("chat", None, None)

    def test_an_agent_in_the_environment(self, places: Places, at_start: AtStart) -> None:
        at_start(STACKSPOTAI_AGENT_ID="agent-1")
        assert api_of("stackspot-ai-code") == ("agent", "agent-1", None)

    def test_an_agent_of_the_provider(self, places: Places) -> None:
        (places.cwd / FILE).write_text("providers: {stackspot: {agent_id: agent-1}}")
        assert api_of("stackspot-ai-code") == ("agent", "agent-1", None)

    def test_an_agent_of_the_model(self, places: Places) -> None:
        (places.cwd / FILE).write_text("providers: {stackspot: {models: {stackspot-ai-code: {agent_id: agent-1}}}}")
        assert api_of("stackspot-ai-code") == ("agent", "agent-1", None)
        assert api_of("stackspot-ai-chat") == ("chat", None, None)

    def test_a_quick_command_of_the_model(self, places: Places) -> None:
        (places.cwd / FILE).write_text("providers: {stackspot: {models: {review: {quick_command: review-code}}}}")
        assert api_of("review") == ("quick-command", None, "review-code")

    def test_a_models_quick_command_wins_over_everybodys_agent(self, places: Places, at_start: AtStart) -> None:
        at_start(STACKSPOTAI_AGENT_ID="agent-1")
        (places.cwd / FILE).write_text("providers: {stackspot: {models: {review: {quick_command: review-code}}}}")
        assert api_of("review") == ("quick-command", None, "review-code")

    def test_of_both_on_one_model_the_agent_wins(self, places: Places) -> None:
        (places.cwd / FILE).write_text(
            "providers: {stackspot: {models: {review: {quick_command: review-code, agent_id: agent-1}}}}"
        )
        assert api_of("review")[:2] == ("agent", "agent-1")

    def test_api_names_it_outright(self, places: Places, at_start: AtStart) -> None:
        at_start(STACKSPOTAI_AGENT_ID="agent-1")
        (places.cwd / FILE).write_text("providers: {stackspot: {models: {plain: {api: chat}, mine: {api: agent}}}}")
        assert api_of("plain")[0] == "chat"
        assert api_of("mine")[:2] == ("agent", "agent-1")

    def test_an_agent_may_be_named_by_the_call_alone(self, places: Places) -> None:
        (places.cwd / FILE).write_text("providers: {stackspot: {models: {mine: {api: agent}}}}")
        assert (current().model("mine").api, current().model("mine").agent_id) == ("agent", None)
        assert current().model("stackspot-ai").api == "chat"

    def test_a_quick_command_without_its_slug_is_an_error(self, places: Places) -> None:
        (places.cwd / FILE).write_text("providers:\n  stackspot:\n    models:\n      mine: {api: quick-command}\n")
        assert current().problem == (
            f"{places.cwd / FILE}, line 4: providers.stackspot.models.mine.api: "
            "`quick_command` is missing: the slug of the command."
        )


class TestASecondAccount:
    """`type: stackspot` under another name."""

    FILE = """
providers:
  work:
    type: stackspot
    client_id: client-id-of-work
    api_key: client-key-of-work
    client_realm: realm-of-work
    agent_id: agent-of-work
"""

    def test_is_a_stackspot_account_under_another_name(self, places: Places) -> None:
        (places.home / FILE).write_text(self.FILE)
        work = current().model("work/stackspot-ai-code")
        assert work.account.credentials()[0] == "client-id-of-work"
        assert (work.account.realm, work.api, work.agent_id) == ("realm-of-work", "agent", "agent-of-work")

    def test_leaves_the_first_account_and_the_bare_names_alone(self, places: Places, at_start: AtStart) -> None:
        at_start(STACKSPOTAI_CLIENT_ID="client-id-1", STACKSPOTAI_CLIENT_KEY="client-key-1")
        (places.home / FILE).write_text(self.FILE)
        settings = current()
        assert settings.model("stackspot-ai-code").account.name == "stackspot"
        assert settings.accounts["stackspot"].credentials()[0] == "client-id-1"
        # Its own credentials win over the variables, which are the first account's.
        assert settings.accounts["work"].credentials()[0] == "client-id-of-work"

    def test_takes_the_variables_for_credentials_that_it_leaves_out(self, places: Places, at_start: AtStart) -> None:
        at_start(
            STACKSPOTAI_CLIENT_ID="client-id-1", STACKSPOTAI_CLIENT_KEY="client-key-1", STACKSPOTAI_REALM="realm-1"
        )
        (places.home / FILE).write_text("providers: {work: {type: stackspot}}")
        work = current().accounts["work"]
        assert (work.credentials()[0], work.realm) == ("client-id-1", "realm-1")

    def test_its_own_base_urls_win_over_the_variables(self, places: Places, at_start: AtStart) -> None:
        at_start(STACKSPOTAI_AUTH_URL="https://idm.example", STACKSPOTAI_API_BASE="https://api.example")
        (places.home / FILE).write_text("providers: {work: {type: stackspot, auth_url: 'https://idm.work.example'}}")
        work = current().accounts["work"]
        assert (work.auth_url, work.api_base) == ("https://idm.work.example", "https://api.example")
        assert stackspot().auth_url == "https://idm.example"

    def test_never_mixes_its_own_id_with_another_accounts_key(self, places: Places, at_start: AtStart) -> None:
        at_start(STACKSPOTAI_CLIENT_ID="client-id-1", STACKSPOTAI_CLIENT_KEY="client-key-1")
        (places.home / FILE).write_text("providers: {work: {type: stackspot, client_id: client-id-of-work}}")
        assert current().accounts["work"].client_key is None

    def test_its_own_models_are_known_by_their_bare_names_too(self, places: Places) -> None:
        (places.home / FILE).write_text("providers: {work: {type: stackspot, models: {reviewer: {}}}}")
        assert current().model("reviewer") == current().model("work/reviewer")


def test_missing_credentials_name_the_variables_and_where_they_were_looked_for(places: Places) -> None:
    (places.home / ".env").write_text("STACKSPOTAI_CLIENT_ID=client-id-1")
    (places.cwd / FILE).write_text("providers: {stackspot: {}}")
    with pytest.raises(Exception) as caught:
        stackspot().credentials()
    text = str(caught.value)
    assert "STACKSPOTAI_CLIENT_KEY is not set" in text
    assert "STACKSPOTAI_CLIENT_ID" not in text
    assert "Looked in 3 places, which `aider-stackspot doctor` shows. Run: aider-stackspot init" in text
    assert stackspot().looked_in == ("the environment", str(places.home / ".env"), str(places.cwd / FILE))


class TestTheNetwork:
    """Proxies and certificate authorities."""

    def test_the_variables_that_every_tool_knows(self, places: Places, at_start: AtStart) -> None:
        at_start(
            HTTPS_PROXY="http://proxy.example:3128",
            NO_PROXY="localhost",
            SSL_CERT_FILE="~/corporate.pem",
            REQUESTS_CA_BUNDLE="/etc/requests.pem",
            SSL_CERT_DIR="/etc/certs",
        )
        network = stackspot().network
        assert [(scheme, url.get_secret_value()) for scheme, url in network.proxies] == [
            ("https", "http://proxy.example:3128")
        ]
        assert network.no_proxy == "localhost"
        assert network.ca_files == (str(places.home / "corporate.pem"), "/etc/requests.pem")
        assert (network.ca_directories, network.verify) == (("/etc/certs",), True)

    def test_small_letters_win_over_capitals(self, places: Places, at_start: AtStart) -> None:
        at_start(https_proxy="http://small.example:1", HTTPS_PROXY="http://capital.example:1")
        assert stackspot().network.proxies[0][1].get_secret_value() == "http://small.example:1"

    def test_a_providers_own_keys_stand_beside_them(self, places: Places, at_start: AtStart) -> None:
        at_start(SSL_CERT_FILE="/etc/corporate.pem")
        (places.home / FILE).write_text(
            "providers: {stackspot: {proxy: 'http://user:pass@proxy.example:1', ca_bundle: certs/own.pem}}"
        )
        network = stackspot().network
        assert network.proxy is not None and network.proxy.get_secret_value() == "http://user:pass@proxy.example:1"
        # Relative to the file that names it: in a project there may be a file by this name.
        assert network.ca_files == (str(places.home / "certs" / "own.pem"), "/etc/corporate.pem")

    @pytest.mark.parametrize("off", ["", "0", "false", "No", "OFF"])
    def test_certificates_can_be_switched_off(self, places: Places, monkeypatch: pytest.MonkeyPatch, off: str) -> None:
        monkeypatch.setenv("SSL_VERIFY", off)
        assert stackspot().network.verify is False

    @pytest.mark.parametrize("on", ["1", "true", "yes"])
    def test_and_stay_on_otherwise(self, places: Places, monkeypatch: pytest.MonkeyPatch, on: str) -> None:
        monkeypatch.setenv("SSL_VERIFY", on)
        assert stackspot().network.verify is True
