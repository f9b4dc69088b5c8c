"""The example file and `docs/configuration.md` say what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from aider_stackspot.config import current
from aider_stackspot.config.declared import GUARDED, GUARDED_OF_MODEL
from aider_stackspot.config.schema import ModelKeys, ProviderKeys
from docs.configuration_tables import updated
from tests.config.config_support import FILE, AtStart, Places, api_of, stackspot
from tests.config.test_files import SEED

pytest_plugins = ["tests.config.config_support"]

ROOT = Path(__file__).parents[2]
EXAMPLE = (ROOT / ".aider.litellm.yml.example").read_text(encoding="utf-8")
PAGE = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")

OPTION = re.compile(r"^( *)#(?! \S)", re.MULTILINE)
UNCOMMENTED = OPTION.sub(r"\1", EXAMPLE)
"""The example with every option switched on: `#key` is one, `# text` explains."""


def blocks(language: str) -> list[str]:
    """Return the page's examples in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, flags=re.DOTALL | re.MULTILINE)


class TestTheExampleFile:
    """`.aider.litellm.yml.example`."""

    def test_is_the_documented_example_and_the_rest_is_commented_out(self) -> None:
        assert yaml.safe_load(EXAMPLE) == yaml.safe_load(SEED)

    def test_works_as_it_stands_also_in_a_project(self, places: Places, at_start: AtStart) -> None:
        (places.cwd / FILE).write_text(EXAMPLE)
        at_start(STACKSPOTAI_CLIENT_ID="client-id-1", STACKSPOTAI_CLIENT_KEY="client-key-1")
        assert stackspot().credentials()[0] == "client-id-1"
        assert (current().notices, len(current().models)) == ((), 6)

    def test_works_with_every_option_switched_on(self, places: Places, at_start: AtStart) -> None:
        at_start(WORK_CLIENT_ID="client-id-2", WORK_CLIENT_KEY="client-key-2")
        (places.home / FILE).write_text(UNCOMMENTED)
        settings = current()
        assert (settings.problem, settings.notices) == (None, ())
        assert set(settings.accounts) == {"stackspot", "work"}
        assert settings.accounts["work"].credentials()[0] == "client-id-2"
        assert api_of("reviewer")[0] == "agent"
        assert api_of("explain-code")[0] == "quick-command"
        assert settings.compatible["lan"].models["qwen2.5-coder"].max_input_tokens == 32768
        assert settings.accounts["stackspot"].extra_headers["X-Team"].get_secret_value() == "payments"

    def test_an_option_that_states_a_default_changes_nothing(self, places: Places) -> None:
        default, account = current().models["stackspot-ai"], stackspot()
        (places.home / FILE).write_text(UNCOMMENTED)
        model = current().model("stackspot-ai-code")
        same = ("max_input_tokens", "max_output_tokens", "stackspot_knowledge", "tools", "edit_format")
        assert [getattr(model, name) for name in same] == [getattr(default, name) for name in same]
        same = ("realm", "auth_url", "api_base", "agent_api_base", "max_retries")
        assert [getattr(stackspot(), name) for name in same] == [getattr(account, name) for name in same]

    def test_has_every_key_of_a_provider(self) -> None:
        providers = yaml.safe_load(UNCOMMENTED)["providers"].values()
        given = {key for provider in providers for key in provider}
        # `name` is only there for other tools' files.
        assert given - {"base_url"} == set(ProviderKeys.model_fields) - {"name"}

    def test_has_every_key_of_a_model(self) -> None:
        providers = yaml.safe_load(UNCOMMENTED)["providers"].values()
        models = [model for provider in providers for model in (provider.get("models") or {}).values()]
        assert {key for model in models for key in model} == set(ModelKeys.model_fields)

    def test_explains_every_option(self) -> None:
        """Above each group of options, which ends with an empty line, stands a sentence."""
        for paragraph in re.split(r"\n\s*\n", EXAMPLE.split("providers:", 1)[1]):
            lines = [line.strip() for line in paragraph.splitlines() if line.strip()]
            if any(OPTION.match(line) for line in lines):
                assert any(line.startswith("# ") for line in lines), paragraph


class TestThePage:
    """`docs/configuration.md`."""

    def test_its_tables_are_those_of_the_code(self) -> None:
        """If this fails: `python -m docs.configuration_tables docs/configuration.md`."""
        assert updated(PAGE) == PAGE

    def test_its_tables_have_every_key(self) -> None:
        for name in (*ProviderKeys.model_fields, *ModelKeys.model_fields):
            assert f"| `{name}`" in PAGE
        assert PAGE.count("*Needs trust.*") == len(GUARDED) + len(GUARDED_OF_MODEL)

    def test_a_page_without_the_marks_is_refused(self) -> None:
        with pytest.raises(ValueError, match="the page needs the marks <!-- variables -->"):
            updated("# Configuration\n")

    @pytest.mark.parametrize("text", blocks("yaml"))
    def test_every_example_loads(self, places: Places, text: str) -> None:
        (places.home / FILE).write_text(text)
        settings = current()
        assert (settings.problem, settings.notices) == (None, ())
        for name in settings.models:
            settings.model(name)

    def test_the_values_that_apply_without_a_file(self, places: Places) -> None:
        without = current()
        (places.home / FILE).write_text(blocks("yaml")[0])
        with_file = current()
        assert with_file.models.keys() == without.models.keys()
        for name, model in with_file.models.items():
            expected = without.models[name]
            assert (model.api, model.max_input_tokens, model.max_output_tokens) == (
                (expected.api, expected.max_input_tokens, expected.max_output_tokens)
            )
            assert (model.account.api_base, model.account.realm) == (expected.account.api_base, expected.account.realm)

    def test_the_error_that_it_shows(self, places: Places) -> None:
        (places.home / FILE).write_text("providers:\n  stackspot:\n    api_bse: x\n")
        [shown] = blocks("text")
        assert shown.strip().partition(", line")[2] == str(current().problem).partition(", line")[2]

    def test_the_links_of_the_page_lead_somewhere(self) -> None:
        headings = {re.sub(r"[^a-z -]", "", line.lower().strip("# ")).replace(" ", "-") for line in PAGE.splitlines()}
        for target in re.findall(r"\]\(([^)]+)\)", PAGE):
            if target.startswith("#"):
                assert target[1:] in headings
            else:
                assert (ROOT / "docs" / target).resolve().is_file()
