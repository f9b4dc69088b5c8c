"""Whose word a variable is: of the user, of their program, or of a file that aider or an editor loaded."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from aider_stackspot.config import current
from aider_stackspot.config.settings import DEFAULT_API_BASE, DEFAULT_AUTH_URL
from aider_stackspot.config.trust import variable_origin
from tests.config.config_support import FILE, AtStart, Places, ignored, stackspot

pytest_plugins = ["tests.config.config_support", "tests.config.trust.trust_support"]


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


class TestWhileAiderRuns:
    """What changed meanwhile is aider's work; the real one runs in `tests/config/trust/test_with_aider.py`."""

    @pytest.fixture(autouse=True)
    def _aider(self, places: Places) -> Iterator[None]:
        variable_origin.changes.begin(["--env-file", ".env"])
        yield
        variable_origin.changes.end()

    def test_the_home_stays(self, places: Places, at_start: AtStart, monkeypatch: pytest.MonkeyPatch) -> None:
        variable_origin.changes.end()
        at_start(HOME=str(places.home))
        variable_origin.changes.begin([])
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
        variable_origin.changes.begin([])
        started = [(known, text) for known, text in os.environ.items() if known.startswith("AIDER_STACKSPOT_STARTED")]
        variable_origin.changes.end()
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
        variable_origin.changes.begin([])
        monkeypatch.setenv("STACKSPOTAI_AUTH_URL", "https://evil.example")
        assert stackspot().auth_url == DEFAULT_AUTH_URL
        variable_origin.changes.end()
