"""What the user has trusted: the content of a file, and of those that it names."""

from __future__ import annotations

import hashlib
import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from aider_stackspot.config import current
from aider_stackspot.config.environment import Environment
from aider_stackspot.config.locations import RecordedInputs
from aider_stackspot.config.settings import DEFAULT_AUTH_URL
from aider_stackspot.config.trust.preview import preview_of
from aider_stackspot.config.trust.store import TrustStore
from tests.config.config_support import FILE, AtStart, Places, ignored, stackspot

pytest_plugins = ["tests.config.config_support", "tests.config.trust.trust_support"]


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
