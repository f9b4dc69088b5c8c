"""`aider-stackspot trust`: shows what a file would do, asks, and records the file as it is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from aider_stackspot.cli.commands.trust import trust
from aider_stackspot.config import current
from aider_stackspot.config.settings import DEFAULT_AUTH_URL
from tests.config.config_support import FILE, Places, stackspot

pytest_plugins = ["tests.config.config_support"]

Run = Callable[..., Result]

TEXT = """
providers:
  stackspot:
    auth_url: https://idm.example
    extra_headers: {X-Team: header-value-1}
    proxy: http://user:proxy-password-1@proxy.example:3128
    models: {reviewer: {}}
  lan:
    base_url: http://localhost:1234/v1
    api_key: ${LAN_KEY}
"""


@pytest.fixture
def run(places: Places) -> Run:
    """Run the command with these arguments, and an answer to its question."""
    app = typer.Typer()
    app.command()(trust)

    def run(*arguments: object, answer: str | None = None) -> Result:
        return CliRunner().invoke(app, [str(argument) for argument in arguments], input=answer)

    return run


class TestTrusting:
    """Without arguments it is about the project's files, with arguments about those."""

    def test_it_shows_what_the_file_does_and_where_and_no_secret(self, places: Places, run: Run) -> None:
        (places.cwd / FILE).write_text(TEXT)
        result = run(answer="y\n")
        path = places.cwd / FILE
        assert result.exit_code == 0
        assert result.output.splitlines() == [
            f"{path}:",
            "  line 4: stackspot.auth_url = https://idm.example",
            "  line 5: stackspot.extra_headers = X-Team (values not shown)",
            "  line 6: stackspot.proxy = http://…@proxy.example:3128",
            "  line 7: stackspot.models: these names mean models of stackspot: reviewer",
            "  line 9: lan.base_url = http://localhost:1234/v1",
            "  lan is given the variables LAN_KEY",
            "Trust this file? [y/N]: y",
            f"Trusted {path}",
        ]
        assert stackspot().auth_url == "https://idm.example"
        assert current().notices == ()

    def test_a_dotenv_file(self, places: Places, run: Run) -> None:
        (places.cwd / ".env").write_text(
            "STACKSPOTAI_CLIENT_KEY=client-key-1\nSTACKSPOTAI_AUTH_URL=https://idm.example/${X}\nTEAM=x\n"
            "HTTPS_PROXY=http://u:proxy-password-1@proxy.example\nAIDER_SET_ENV=SSL_VERIFY=0\nAIDER_ENV_FILE=more.env\n"
        )
        result = run("--yes")
        assert result.output.splitlines() == [
            f"{places.cwd / '.env'}:",
            "  STACKSPOTAI_AUTH_URL = https://idm.example/${X}",
            "  HTTPS_PROXY = http://…@proxy.example",
            "  SSL_VERIFY = 0: certificates are not checked",
            "  STACKSPOTAI_CLIENT_KEY (credentials of its own)",
            "  variables for ${…} in your own files: TEAM",
            "  lets aider load more.env, if you trust that file too",
            f"Trusted {places.cwd / '.env'}",
        ]

    def test_aiders_settings(self, places: Places, run: Run) -> None:
        (places.cwd / ".aider.conf.yml").write_text(
            "set-env: [STACKSPOTAI_API_BASE=https://api.example]\nenv-file: more.env\nverify-ssl: false\nmodel: x\n"
        )
        assert run("--yes").output.splitlines() == [
            f"{places.cwd / '.aider.conf.yml'}:",
            "  STACKSPOTAI_API_BASE = https://api.example",
            "  SSL_VERIFY = (empty): certificates are not checked",
            "  loads more.env, if you trust that file too",
            "  aider follows model = x",
            f"Trusted {places.cwd / '.aider.conf.yml'}",
        ]

    def test_aiders_settings_of_models(self, places: Places, run: Run) -> None:
        path = places.cwd / ".aider.model.settings.yml"
        path.write_text("- name: stackspot-ai-code\n  extra_params: {api_base: 'https://api.example', stop: [x]}\n")
        assert run("--yes").output.splitlines() == [
            f"{path}:",
            "  stackspot-ai-code: every call is given api_base = https://api.example",
            f"Trusted {path}",
        ]

    def test_whatever_leads_calls_elsewhere_is_shown_and_no_secret(self, places: Places, run: Run) -> None:
        path = places.cwd / ".aider.model.settings.yml"
        path.write_text(
            "- name: stackspot-ai-code\n  weak_model_name: openai/x\n"
            "  extra_params: {model: openai/gpt-4o, api_key: secret-1, fallbacks: [a], top_p: 1}\n"
            "- {name: aider/extra_params, extra_params: [[model, b]]}\n"
        )
        assert run("--yes").output.splitlines()[1:-1] == [
            "  stackspot-ai-code: weak_model_name = openai/x",
            "  stackspot-ai-code: every call is given model = openai/gpt-4o",
            "  stackspot-ai-code: every call is given api_key (value not shown)",
            "  stackspot-ai-code: every call is given fallbacks (value not shown)",
            "  aider/extra_params: every call is given extra_params (value not shown)",
        ]

    def test_what_a_servers_models_lead_to_and_whose_account_it_is(self, places: Places, run: Run) -> None:
        (places.cwd / FILE).write_text(
            "providers:\n"
            "  lab:\n"
            "    base_url: http://localhost:1/v1\n"
            "    api_key: key-of-the-lab\n"
            "    models:\n"
            "      big:\n"
            "        weak_model: openai/gpt-4o\n"
            "      small: {}\n"
            "  stackspot:\n"
            "    client_id: ${THEIR_ID}\n"
            "    api_key: key-of-the-project\n"
        )
        assert run(answer="n\n").output.splitlines()[1:-2] == [
            "  line 3: lab.base_url = http://localhost:1/v1",
            "  line 4: lab.api_key (a credential of its own)",
            "  line 7: weak_model of lab/big = openai/gpt-4o",
            "  line 11: stackspot.api_key (a credential of its own)",
            "  stackspot is given the variables THEIR_ID",
        ]

    def test_the_names_that_it_gives_to_models_of_stackspot(self, places: Places, run: Run) -> None:
        """With the trust they are the user's word, which takes a name from a server of theirs or from a vendor."""
        (places.cwd / FILE).write_text(
            "providers:\n"
            "  house:\n"
            "    type: stackspot\n"
            "    api_key: ${KEY:-key-of-the-house}\n"
            "    models: {gpt-4o: {agent_id: x, weak_model: openai/o}}\n"
            "  stackspot:\n"
            "    client_realm: acme\n"
            "    models: [sonnet, {id: o1}]\n"
        )
        assert run(answer="n\n").output.splitlines()[1:-2] == [
            "  line 3: house.type = stackspot",
            "  line 4: house.api_key (a credential of its own)",
            "  line 5: house.models: these names mean models of house: gpt-4o",
            "  line 5: weak_model of house/gpt-4o = openai/o",
            "  house is given the variables KEY",
            "  line 7: stackspot.client_realm = acme",
            "  line 8: stackspot.models: these names mean models of stackspot: sonnet, o1",
        ]

    def test_all_files_of_the_project_at_once(self, places: Places, run: Run) -> None:
        for path in (places.cwd / FILE, places.root / FILE, places.root / ".env", places.root / ".aider.conf.yml"):
            path.write_text("")
        result = run("--yes")
        assert [line for line in result.output.splitlines() if line.startswith("Trusted ")] == [
            f"Trusted {path}"
            for path in (places.cwd / FILE, places.root / FILE, places.root / ".env", places.root / ".aider.conf.yml")
        ]

    def test_named_files_only(self, places: Places, run: Run) -> None:
        (places.root / ".env").write_text("STACKSPOTAI_API_BASE=https://api.example\n")
        (places.root / FILE).write_text(TEXT)
        assert run("../.env", "--yes").exit_code == 0
        assert stackspot().api_base == "https://api.example"
        assert stackspot().auth_url == DEFAULT_AUTH_URL

    def test_a_directory_means_the_files_in_it(self, places: Places, run: Run) -> None:
        (places.root / FILE).write_text(TEXT)
        (places.root / "other.yml").write_text(TEXT)
        assert run("..", "--yes").output.count("Trusted ") == 1

    def test_a_file_by_another_name(self, places: Places, run: Run) -> None:
        (places.cwd / "team.env").write_text("STACKSPOTAI_REALM=r\n")
        assert "STACKSPOTAI_REALM = r" in run("team.env", "--yes").output

    def test_declining_changes_nothing(self, places: Places, run: Run) -> None:
        (places.cwd / FILE).write_text(TEXT)
        result = run(answer="n\n")
        assert (result.exit_code, "Nothing was trusted." in result.output) == (1, True)
        assert stackspot().auth_url == DEFAULT_AUTH_URL

    def test_twice_is_as_good_as_once(self, places: Places, run: Run) -> None:
        (places.cwd / FILE).write_text(TEXT)
        run("--yes")
        result = run()
        assert (result.exit_code, result.output) == (0, f"{places.cwd / FILE}: is trusted as it is\n")

    def test_a_file_that_changed_is_shown_again(self, places: Places, run: Run) -> None:
        (places.cwd / FILE).write_text(TEXT)
        run("--yes")
        (places.cwd / FILE).write_text(TEXT.replace("idm.example", "evil.example"))
        result = run(answer="n\n")
        assert f"{places.cwd / FILE}, which has changed since you trusted it:" in result.output
        assert "stackspot.auth_url = https://evil.example" in result.output

    def test_files_of_the_home_need_no_trust(self, places: Places, run: Run) -> None:
        (places.home / FILE).write_text(TEXT)
        result = run(places.home / FILE)
        assert (result.exit_code, result.output) == (
            0,
            f"{places.home / FILE}: lies in your home directory and needs no trust\n",
        )

    def test_a_harmless_file_says_so(self, places: Places, run: Run) -> None:
        (places.cwd / FILE).write_text("providers: {stackspot: {timeout: 60}}")
        assert "  nothing that needs trust" in run("--yes").output

    def test_the_terminal_is_not_obeyed(self, places: Places, run: Run) -> None:
        """A file that could erase what is shown of it would be trusted for something else."""
        (places.cwd / ".env").write_text(
            "STACKSPOTAI_AUTH_URL=https://evil.example\x1b[2K\x1b[20Dhttps://idm.example\n"
        )
        output = run(answer="n\n").output
        assert r"https://evil.example\x1b[2K\x1b[20Dhttps://idm.example" in output
        assert "\x1b" not in output

    def test_the_record_holds_paths_and_digests_and_nothing_else(self, places: Places, run: Run) -> None:
        (places.cwd / FILE).write_text(TEXT)
        run("--yes")
        record = json.loads((places.home / ".aider" / "aider-stackspot" / "trusted.json").read_text())
        [(path, recorded)] = record["files"].items()
        assert (path, record["version"]) == (str(places.cwd / FILE), 2)
        assert (len(recorded["sha256"]), recorded["named"]) == (64, {})


class TestListing:
    """`--list`."""

    def test_nothing(self, run: Run) -> None:
        assert run("--list").output == "No file is trusted.\n"

    def test_the_state_of_each(self, places: Places, run: Run) -> None:
        for name in ("a.yml", "b.yml", "c.yml"):
            (places.cwd / name).write_text("providers: {}")
            run(name, "--yes")
        (places.cwd / "b.yml").write_text("providers: {} # pulled")
        (places.cwd / "c.yml").unlink()
        assert run("--list").output.splitlines() == [
            f"trusted  {places.cwd / 'a.yml'}",
            f"changed  {places.cwd / 'b.yml'}",
            f"gone     {places.cwd / 'c.yml'}",
        ]

    def test_for_programs(self, places: Places, run: Run) -> None:
        assert json.loads(run("--list", "--json").output) == []
        (places.cwd / "a.yml").write_text("providers: {}")
        run("a.yml", "--yes")
        assert json.loads(run("--list", "--json").output) == [{"path": str(places.cwd / "a.yml"), "state": "trusted"}]
        assert run("--json").exit_code == 2


class TestRevoking:
    """`--revoke`."""

    def test_a_file_is_the_projects_again(self, places: Places, run: Run) -> None:
        (places.cwd / FILE).write_text(TEXT)
        run("--yes")
        result = run("--revoke", FILE)
        assert (result.exit_code, result.output) == (0, f"No longer trusted: {FILE}\n")
        assert stackspot().auth_url == DEFAULT_AUTH_URL

    def test_a_file_that_is_gone(self, places: Places, run: Run) -> None:
        (places.cwd / FILE).write_text(TEXT)
        run("--yes")
        (places.cwd / FILE).unlink()
        assert run("--revoke", FILE).exit_code == 0
        assert run("--list").output == "No file is trusted.\n"

    def test_several_all_or_none(self, places: Places, run: Run) -> None:
        (places.cwd / FILE).write_text(TEXT)
        run("--yes")
        result = run("--revoke", FILE, "--revoke", "other")
        assert (result.exit_code, stackspot().auth_url) == (2, "https://idm.example")


class TestBadInput:
    """Exit status 2, one line on stderr, nothing recorded."""

    def refused(self, result: Result, says: str) -> None:
        assert result.exit_code == 2
        assert says in result.stderr
        assert result.stderr.startswith("aider-stackspot trust: ")
        assert result.stderr.count("\n") == 1

    def test_no_such_file(self, run: Run) -> None:
        self.refused(run("nowhere.yml", "--yes"), "nowhere.yml: there is no such file.")

    def test_no_file_in_the_project(self, run: Run) -> None:
        self.refused(
            run(), "none of .aider.litellm.yml, .env, .aider.conf.yml, .aider.model.settings.yml is in this project."
        )

    def test_no_file_in_the_directory(self, places: Places, run: Run) -> None:
        self.refused(run(places.root), f"{places.root}: none of .aider.litellm.yml, ")

    @pytest.mark.parametrize(
        ("name", "content", "says"),
        [
            (FILE, b"providers: [", "line 1: this is not valid YAML"),
            (FILE, b"providers: {stackspot: {zzz: 1}}", "unknown key"),
            (FILE, b"#" * (128 * 1024 + 1), "larger than 131,072 bytes"),
            (".aider.conf.yml", b"a: [", "line 1: this is not valid YAML"),
            (".aider.model.settings.yml", b"a: [", "line 1: this is not valid YAML"),
            ("picture.png", b"\x89PNG", "this is no configuration file"),
            ("README", b"Words.\n", "this is no configuration file, it sets no variable"),
        ],
    )
    def test_a_file_that_could_not_be_used(
        self, places: Places, run: Run, name: str, content: bytes, says: str
    ) -> None:
        (places.cwd / name).write_bytes(content)
        self.refused(run(name, "--yes"), says)
        assert run("--list").output == "No file is trusted.\n"

    def test_of_several_files_all_or_none(self, places: Places, run: Run) -> None:
        (places.cwd / FILE).write_text(TEXT)
        self.refused(run(FILE, "nowhere.yml", "--yes"), "there is no such file")
        assert run("--list").output == "No file is trusted.\n"

    def test_a_pipe(self, places: Places, run: Run) -> None:
        if sys.platform != "win32":
            os.mkfifo(places.cwd / "pipe.yml")
        self.refused(run("pipe.yml", "--yes"), "this is a pipe or a device")

    def test_nobody_answers(self, places: Places, run: Run) -> None:
        (places.cwd / FILE).write_text(TEXT)
        result = run()
        assert result.exit_code == 2
        assert "nobody answered, nothing was trusted. In a script, say --yes." in result.stderr
        assert stackspot().auth_url == DEFAULT_AUTH_URL

    def test_revoking_what_is_not_trusted(self, run: Run) -> None:
        self.refused(run("--revoke", "nowhere"), "nowhere: this file is not trusted; see --list.")

    @pytest.mark.parametrize("arguments", [("--list", "a"), ("--list", "--revoke", "a"), ("--revoke", "a", "b")])
    def test_two_things_at_once(self, run: Run, arguments: tuple[str, ...]) -> None:
        self.refused(run(*arguments), "exclude each other")

    def test_a_record_that_cannot_be_written(self, places: Places, run: Run) -> None:
        (places.cwd / FILE).write_text(TEXT)
        (places.home / ".aider").write_text("a file where a directory is needed")
        result = run("--yes")
        assert (result.exit_code, "the record cannot be written" in result.stderr) == (1, True)


def test_a_projects_dotenv_cannot_choose_where_the_record_is(
    places: Places, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = places.cwd / "fake"
    (places.cwd / ".env").write_text(f"HOME={fake}\n")
    monkeypatch.setattr("aider_stackspot.config.locations.account_home", lambda: places.home)
    monkeypatch.setenv("HOME", str(fake))
    (places.cwd / FILE).write_text(TEXT)
    run(FILE, "--yes")
    assert not fake.exists()


def test_running_it_imports_no_litellm(places: Places) -> None:
    (places.cwd / FILE).write_text(TEXT)
    code = (
        "import sys, typer\nfrom aider_stackspot.cli.commands.trust import trust\n"
        "try:\n    typer.run(trust)\nfinally:\n    print('litellm' in sys.modules)"
    )
    environment = {**os.environ, "HOME": str(places.home)}
    done = subprocess.run(
        [sys.executable, "-c", code, "--yes"], capture_output=True, text=True, timeout=60, env=environment
    )
    assert done.stdout.splitlines()[-1] == "False", done.stderr
    assert f"Trusted {Path.cwd() / FILE}" in done.stdout


class TestPathsThatCannotBeFiles:
    """They are named, and nothing is recorded."""

    def test_a_name_that_is_too_long(self, places: Places, run: Run) -> None:
        result = run("a" * 5000)
        assert result.exit_code == 2
        assert "File name too long" in result.output

    def test_a_link_to_itself(self, places: Places, run: Run) -> None:
        (places.cwd / "loop").symlink_to(places.cwd / "loop")
        result = run("--revoke", places.cwd / "loop")
        assert result.exit_code == 2
        assert "is not trusted" in result.output
