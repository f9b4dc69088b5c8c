"""What a file may hold, and what is said about one that cannot be used: the file, the line, the key, a way out."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path

import pytest

from aider_stackspot.config import current
from aider_stackspot.config.yaml_file import parse
from aider_stackspot.errors import ConfigurationError
from tests.config.config_support import FILE, AtStart, Places, stackspot

pytest_plugins = ["tests.config.config_support"]

SEED = """
providers:
  stackspot:
    api_base: "https://genai-code-buddy-api.stackspot.com"
    api_key: "${STACKSPOTAI_CLIENT_KEY}"
    client_id: "${STACKSPOTAI_CLIENT_ID}"
    client_realm: "${STACKSPOTAI_REALM}"
    models:
      stackspot-ai:
        provider: stackspot
        model: stackspot-ai
        max_tokens: 8192
        model_type: code
      stackspot-ai-chat:
        provider: stackspot
        model: stackspot-ai-chat
        max_tokens: 8192
        model_type: chat
      stackspot-ai-code:
        provider: stackspot
        model: stackspot-ai-code
        max_tokens: 8192
        model_type: code
"""
"""The example that StackSpot's integration is documented with, as it stands there."""

STATCODE = """{
  "providers": {
    "openai-compatible": {
      "name": "openai-compatible",
      "api_key": "",
      "base_url": "http://localhost:1234/v1",
      "models": []
    }
  },
  "orchestration_model": "",
  "summarize_model": ""
}
"""


class TestFilesThatAreFine:
    """What people have, and what they may write."""

    def test_the_documented_example_as_it_stands(self, places: Places, at_start: AtStart) -> None:
        (places.cwd / FILE).write_text(SEED)
        at_start(STACKSPOTAI_CLIENT_ID="client-id-1", STACKSPOTAI_CLIENT_KEY="client-key-1")
        account = stackspot()
        assert (account.credentials()[0], account.realm) == ("client-id-1", "stackspot")
        assert current().model("stackspot-ai-code").max_output_tokens == 8192
        assert current().notices == ()

    def test_the_example_means_the_same_as_no_file(self, places: Places) -> None:
        without = current()
        (places.cwd / FILE).write_text(SEED)
        assert sorted(current().models) == sorted(without.models)
        for name, model in current().models.items():
            other = without.models[name]
            assert (model.api, model.max_input_tokens, model.max_output_tokens, model.edit_format) == (
                (other.api, other.max_input_tokens, other.max_output_tokens, other.edit_format)
            )

    @pytest.mark.parametrize("name", ["providers.json", FILE])
    def test_a_statcode_file(self, places: Places, at_start: AtStart, name: str) -> None:
        path = places.home / name
        path.write_text(STATCODE)
        at_start(AIDER_STACKSPOT_CONFIG=str(path))
        server = current().compatible["openai-compatible"]
        assert (server.api_base, server.api_key, dict(server.models)) == ("http://localhost:1234/v1", None, {})
        assert current().problem is None

    def test_a_statcode_file_with_discovered_models_and_settings_of_its_own(
        self, places: Places, at_start: AtStart
    ) -> None:
        path = places.home / "providers.json"
        data = json.loads(STATCODE)
        data["theme"] = "dark"
        data["providers"]["openai-compatible"]["models"] = ["qwen2.5-coder", {"id": "llama-3.1", "context": 131072}]
        # Tabs, and JSON's own escapes, are no YAML.
        path.write_text(json.dumps(data, indent="\t").replace("/v1", "\\/v1"))
        at_start(AIDER_STACKSPOT_CONFIG=str(path))
        assert current().problem is None
        assert list(current().compatible["openai-compatible"].models) == ["qwen2.5-coder", "llama-3.1"]

    @pytest.mark.parametrize(
        "text", ["", "\n# nothing but a comment\n", "providers:\n", "providers: {stackspot: }", "{}"]
    )
    def test_an_empty_file_says_nothing(self, places: Places, text: str) -> None:
        (places.cwd / FILE).write_text(text)
        assert stackspot().realm == "stackspot"
        assert len(current().models) == 6

    def test_base_url_is_another_name_for_api_base(self, places: Places) -> None:
        (places.home / FILE).write_text("providers: {stackspot: {base_url: 'https://api.example'}}")
        assert stackspot().api_base == "https://api.example"

    def test_a_byte_order_mark_and_other_alphabets(self, places: Places) -> None:
        (places.cwd / FILE).write_bytes("\ufeffproviders: {stackspot: {client_realm: são-paulo}}".encode())
        assert stackspot().realm == "são-paulo"

    def test_aliases_and_merge_keys(self, places: Places) -> None:
        (places.cwd / FILE).write_text(
            "providers:\n"
            "  stackspot: &first\n    timeout: 30\n"
            "    models: {a: &limits {max_tokens: 100}, b: {<<: *limits, max_input_tokens: 9}}\n"
            "  second:\n    <<: *first\n    type: stackspot\n    timeout: 60\n"
        )
        assert current().problem is None
        assert (current().accounts["stackspot"].timeout, current().accounts["second"].timeout) == (30, 60)
        assert current().model("b").max_output_tokens == 100

    def test_models_as_a_list_of_names(self, places: Places) -> None:
        (places.cwd / FILE).write_text("providers: {stackspot: {models: [reviewer]}}")
        assert current().model("reviewer").api == "chat"

    def test_the_built_in_models_stay_beside_the_files(self, places: Places) -> None:
        (places.cwd / FILE).write_text("providers: {stackspot: {models: {stackspot-ai-code: {max_tokens: 100}}}}")
        assert current().model("stackspot-ai-code").max_output_tokens == 100
        assert current().model("stackspot-ai").max_output_tokens == 8192

    def test_every_key_of_a_model_arrives(self, places: Places) -> None:
        (places.cwd / FILE).write_text(
            "providers: {stackspot: {models: {m: {max_tokens: 1, max_input_tokens: 2, temperature: 0.5, agent_id: a, "
            "stackspot_knowledge: true, tools: false, edit_format: whole, weak_model: stackspot-ai}}}}"
        )
        model = current().model("m")
        assert (model.max_output_tokens, model.max_input_tokens, model.temperature) == (1, 2, 0.5)
        assert (model.stackspot_knowledge, model.tools) == (True, False)
        assert (model.edit_format, model.weak_model, model.route) == ("whole", "stackspot-ai", "stackspot/m")

    def test_every_key_of_an_account_arrives(self, places: Places) -> None:
        (places.home / FILE).write_text(
            "providers: {stackspot: {timeout: 1.5, max_retries: 0, rpm: 90, extra_headers: {X-Team: t}, "
            "allow_insecure_http: true, auth_url: 'http://idm.example'}}"
        )
        account = stackspot()
        assert (account.timeout, account.max_retries, account.rpm) == (1.5, 0, 90)
        assert account.extra_headers["X-Team"].get_secret_value() == "t"
        assert (account.auth_url, account.network.allow_insecure_http) == ("http://idm.example", True)

    def test_every_key_of_a_server_arrives(self, places: Places) -> None:
        (places.home / FILE).write_text(
            "providers: {lan: {api_base: 'https://lan.example/v1/', api_key: key-1, timeout: 2, max_retries: 1, "
            "extra_headers: {X-Team: t}, rpm: 30, end_marker: done, "
            "models: {'org/model': {max_input_tokens: 4096, temperature: 1.5}}}}"
        )
        server = current().compatible["lan"]
        assert (server.api_base, server.timeout, server.max_retries) == ("https://lan.example/v1", 2, 1)
        assert server.api_key is not None and server.api_key.get_secret_value() == "key-1"
        assert server.extra_headers["X-Team"].get_secret_value() == "t"
        assert (server.rpm, server.end_marker) == (30, "done")
        assert server.models["org/model"].max_input_tokens == 4096


def problem(places: Places, text: str | bytes) -> str:
    """Return what is said about a file, without the file's name; check that the names stay."""
    path = places.cwd / FILE
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    settings = current()
    assert settings.problem is not None
    assert "\n" not in settings.problem
    assert settings.problem.startswith(str(path))
    assert {"stackspot-ai", "stackspot-ai-chat", "stackspot-ai-code"} <= set(settings.models)
    with pytest.raises(ConfigurationError, match=re.escape(settings.problem)):
        settings.model("stackspot-ai-code")
    return settings.problem.removeprefix(str(path))


class TestWrongKeys:
    """The file, the line, and the nearest key there is."""

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("provider: {}", "1: provider: unknown key; did you mean `providers`?"),
            ("providers:\n  a:\n    api_bse: x", "3: providers.a.api_bse: unknown key; did you mean `api_base`?"),
            ("providers:\n  a:\n    baseurl: x", "3: providers.a.baseurl: unknown key; did you mean `base_url`?"),
            (
                "providers:\n  a:\n    models:\n      m:\n        max_token: 1",
                "5: providers.a.models.m.max_token: unknown key; did you mean `max_tokens`?",
            ),
        ],
    )
    def test_a_suggestion(self, places: Places, text: str, says: str) -> None:
        assert problem(places, text) == f", line {says}"

    def test_a_list_where_nothing_is_near(self, places: Places) -> None:
        says = problem(places, "providers:\n  stackspot:\n    zzz: 1")
        assert says.startswith(", line 3: providers.stackspot.zzz: unknown key; known keys are ")
        assert "base_url" in says

    def test_statcodes_own_keys_are_ignored_and_others_are_not(self, places: Places) -> None:
        (places.cwd / FILE).write_text("{summarize_model: x, orchestration_model: y}")
        assert current().problem is None
        assert "unknown key" in problem(places, "{summarise_model: x}")

    def test_a_key_that_stands_twice(self, places: Places) -> None:
        text = (
            "providers:\n  stackspot: {client_realm: a}\n  second: {type: stackspot}\n  stackspot: {client_realm: b}\n"
        )
        assert problem(places, text) == ", line 4: the key `stackspot` is given twice."

    def test_one_base_under_both_its_names(self, places: Places) -> None:
        says = problem(places, "providers:\n  a:\n    api_base: https://h\n    base_url: https://h")
        assert "api_base and base_url are the same key" in says


ONE_WORD = "an agent's id is one word, without spaces or slashes."


class TestWrongValues:
    """What was expected, never what was found: it may be a secret."""

    @pytest.mark.parametrize(
        ("line", "says"),
        [
            ("client_id: 5", "client_id: a text is expected; put a number or a date in quotes."),
            ("base_url: 5", "base_url: a text is expected; put a number or a date in quotes."),
            ("api_base: 5", "api_base: a text is expected; put a number or a date in quotes."),
            ("timeout: soon", "timeout: a number is expected."),
            ("timeout: .inf", "timeout: a number is expected."),
            ("timeout: 0", "timeout: input should be greater than 0."),
            ("timeout: yes", "timeout: a number is expected."),
            ("rpm: 1.5", "rpm: a whole number is expected."),
            ("max_retries: 99", "max_retries: input should be less than or equal to 10."),
            ("allow_insecure_http: 7", "allow_insecure_http: true or false is expected."),
            ("extra_headers: [a]", "extra_headers: a mapping of keys to values is expected."),
            ("type: openai", "type: input should be 'stackspot' or 'openai-compatible'."),
            ("type: openai-compatible", "type: the name `stackspot` is StackSpot's; give this provider another one."),
            ("models: [1]", "models: a list of models holds their ids, as texts."),
            ("models: {m: 1}", "models.m: a mapping of keys to values is expected."),
            ("models: {a b: {}}", "models.a b: a model's name has no spaces, and is not empty."),
            ("models: {m: {api: agents}}", "models.m.api: input should be 'agent', 'chat' or 'quick-command'."),
            ("models: {m: {temperature: 1.5}}", "models.m.temperature: StackSpot's temperatures are 0.0 to 1.0."),
            ("models: {m: {temperature: 3}}", "models.m.temperature: StackSpot's temperatures are 0.0 to 1.0."),
            ("models: {m: {max_tokens: -2}}", "models.m.max_tokens: input should be greater than 0."),
            ("agent_id: my agent", f"agent_id: {ONE_WORD}"),
            ("models: {m: {agent_id: a/b}}", f"models.m.agent_id: {ONE_WORD}"),
            ("models: {m: {provider: x}}", "models.m.provider: the model stands under `stackspot`."),
            (
                'client_realm: "a\\nb"',
                "client_realm: a line break or another control character stands in this text.",
            ),
        ],
    )
    def test_of_an_account_or_a_model(self, places: Places, line: str, says: str) -> None:
        assert problem(places, f"providers:\n  stackspot:\n    {line}") == f", line 3: providers.stackspot.{says}"

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("- a", ": a mapping with the key `providers` is expected at the top."),
            ("just words", ": a mapping with the key `providers` is expected at the top."),
            ("providers: [a]", ", line 1: providers: a mapping of keys to values is expected."),
            ("providers:\n  a: 5", ", line 2: providers.a: a mapping of keys to values is expected."),
            (
                "providers:\n  a/b: {type: stackspot}",
                ", line 2: providers.a/b: a provider's name has letters, digits, `.`, `_` and `-` only.",
            ),
        ],
    )
    def test_further_up(self, places: Places, text: str, says: str) -> None:
        assert problem(places, text) == says

    @pytest.mark.parametrize(
        ("line", "says"),
        [
            ('api_key: "secret\u00e9"', "api_key: this cannot be sent in an HTTP header"),
            ('extra_headers: {X-A: "secret\\nX-B: 1"}', "extra_headers.X-A: this cannot be sent in an HTTP header"),
            ("extra_headers: {X A: secret}", "extra_headers.X A: `X A` is no name of an HTTP header."),
        ],
    )
    def test_of_what_no_header_can_carry(self, places: Places, line: str, says: str) -> None:
        told = problem(places, f"providers:\n  lan:\n    {line}\n    base_url: http://localhost:1/v1")
        assert told.startswith(f", line 3: providers.lan.{says}")
        assert "secret" not in told

    def test_of_a_key_of_the_other_kind_of_provider(self, places: Places) -> None:
        says = problem(places, "providers:\n  stackspot:\n    end_marker: done")
        assert says.startswith(", line 3: providers.stackspot.end_marker: this key is for OpenAI-compatible servers")

    NEEDED = "an OpenAI-compatible provider needs a base URL, such as https://host/v1."

    def test_of_a_server_without_a_base_url(self, places: Places) -> None:
        assert problem(places, "providers:\n  lan: {}") == f", line 2: providers.lan.api_base: {self.NEEDED}"

    def test_of_a_server_whose_base_url_needs_a_variable(self, places: Places) -> None:
        says = problem(places, "providers:\n  lan:\n    base_url: 'http://${NOWHERE}/v1'")
        assert says == f", line 3: providers.lan.base_url: NOWHERE is not set, and {self.NEEDED}"


def test_a_model_for_code_writes_diffs_unless_it_is_said_otherwise(places: Places) -> None:
    models = "{a: {model_type: chat}, b: {model_type: code}, c: {}, d: {model_type: code, edit_format: udiff}}"
    (places.home / FILE).write_text(
        f"providers:\n  stackspot: {{models: {models}}}\n  lab: {{base_url: 'http://localhost:1', models: {models}}}\n"
    )
    assert [current().models[name].edit_format for name in "abcd"] == ["diff", "diff", "diff", "udiff"]
    models_of_lab = current().compatible["lab"].models
    assert [models_of_lab[name].chosen_edit_format for name in "abcd"] == [None, "diff", None, "udiff"]


def test_temperature_has_a_default(places: Places) -> None:
    (places.home / FILE).write_text("providers: {stackspot: {models: {cold: {temperature: 0}}}}")
    assert [current().models[name].temperature for name in ("cold", "stackspot-ai")] == [0.0, 0.7]


class TestWhatIsNoFileOfOurs:
    """Bad YAML, hostile YAML, and things that are not even files."""

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("providers: [", ", line 1: this is not valid YAML: expected the node content, but found '<stream end>'."),
            ("a: 1\n\tb: 2", ", line 2: this is not valid YAML: found character '\\t' that cannot start any token."),
            ("a: 1\n---\nb: 2", ", line 2: this is not valid YAML: but found another document."),
            ("a: *unknown", ", line 1: this is not valid YAML: found undefined alias 'unknown'."),
            ("a: \x01", ": this is not valid YAML: special characters are not allowed."),
            (b"a: \xff", ": this is not UTF-8 (invalid start byte at byte 3)."),
            ("a: 2024-13-45", ": this cannot be read as YAML (ValueError)."),
            ("[" * 5000, ": more than 50 lists and mappings stand inside each other."),
        ],
    )
    def test_bad_yaml(self, places: Places, text: str | bytes, says: str) -> None:
        assert problem(places, text) == says

    @pytest.mark.parametrize(
        "value",
        [
            "!!python/object/apply:os.system ['touch marker']",
            "!!python/object/new:os.system ['touch marker']",
            "!!python/name:os.system",
            "!!python/module:os",
            "!custom x",
        ],
    )
    def test_no_code_is_ever_run(self, places: Places, value: str) -> None:
        says = problem(places, f"providers:\n  stackspot:\n    client_realm: {value}")
        assert says.startswith(", line 3: this is not valid YAML: could not determine a constructor for the tag")
        assert not (places.cwd / "marker").exists()

    def test_an_alias_bomb(self, places: Places) -> None:
        lines = ["a: &a [x, x, x, x, x, x, x, x, x, x]"]
        lines += [f"{b}: &{b} [{', '.join([f'*{a}'] * 10)}]" for a, b in zip("abcdefgh", "bcdefghi", strict=True)]
        assert (
            problem(places, "\n".join(lines))
            == ": the file holds more than 5,000 values once its aliases are followed."
        )

    @pytest.mark.parametrize("text", ["providers: &a {x: *a}", "providers: &a\n  - *a"])
    def test_an_alias_that_contains_itself(self, places: Places, text: str) -> None:
        assert problem(places, text) == ", line 1: an alias contains itself."

    @pytest.mark.parametrize("size", [128 * 1024 + 1, 10 * 1024 * 1024])
    def test_a_large_file(self, places: Places, size: int) -> None:
        assert problem(places, b"#" * size) == ": the file cannot be read: the file is larger than 131,072 bytes."

    def test_a_file_that_may_not_be_read(self, places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
        path = places.cwd / FILE
        path.write_text("providers: {}")
        really_open = os.open

        def refuse(name: object, *args: object, **kwargs: object) -> int:
            if str(name) == str(path):  # the permissions of a file mean nothing to root, who runs some tests
                raise PermissionError(13, "Permission denied", str(path))
            return really_open(name, *args, **kwargs)  # type: ignore[arg-type]

        monkeypatch.setattr(os, "open", refuse)
        assert current().problem == f"{path}: the file cannot be read: Permission denied."

    def test_a_directory_in_place_of_a_file(self, places: Places) -> None:
        (places.cwd / FILE).mkdir()
        assert current().problem == f"{places.cwd / FILE}: this is a directory, not a file."

    def test_a_pipe_in_place_of_a_file_does_not_block(self, places: Places) -> None:
        if sys.platform != "win32":
            os.mkfifo(places.cwd / FILE)
        assert current().problem == f"{places.cwd / FILE}: this is a pipe or a device, not a file."

    def test_a_link_to_nowhere_is_no_file(self, places: Places) -> None:
        (places.cwd / FILE).symlink_to(places.cwd / "nowhere")
        assert current().problem is None

    def test_the_terminal_is_not_obeyed(self, places: Places) -> None:
        """A file's words go to the terminal: one that clears the screen, or turns text around, must not work."""
        says = problem(places, 'providers:\n  stackspot:\n    "api\\e[2J\\u202e\\nx": 1')
        assert says.startswith(r", line 3: providers.stackspot.api\x1b[2J\u202e\nx: unknown key")


class TestAFileThatCannotBeUsed:
    """One line at import, the names stay, and every call is refused with the same text."""

    TEXT = "providers:\n  stackspot: {models: {reviewer: {}}}\n  work: {type: stackspot}\n  bad: {zzz: 1}\n"

    def test_the_names_that_can_be_made_out_stay(self, places: Places) -> None:
        problem(places, self.TEXT)
        settings = current()
        assert {"reviewer", "stackspot/reviewer", "work/stackspot-ai", "stackspot-ai"} <= set(settings.models)
        assert set(settings.accounts) == {"stackspot", "work"}
        with pytest.raises(ConfigurationError):
            settings.model("reviewer")

    def test_the_other_files_names_stay_too(self, places: Places) -> None:
        (places.home / FILE).write_text("providers: {stackspot: {models: {mine: {}}}}")
        problem(places, "providers: [")
        assert "mine" in current().models

    def test_nobody_is_told_that_the_variables_are_missing(self, places: Places, at_start: AtStart) -> None:
        at_start(STACKSPOTAI_CLIENT_ID="client-id-1", STACKSPOTAI_CLIENT_KEY="client-key-1")
        problem(places, "providers: [")
        assert all(current().accounts["stackspot"].required().values())

    def test_a_bad_variable_is_a_problem_of_the_same_kind(self, places: Places, at_start: AtStart) -> None:
        at_start(STACKSPOTAI_AUTH_URL="idm.example")
        assert current().problem == (
            "STACKSPOTAI_AUTH_URL in the environment: a URL that begins with https:// is expected; or, for a server in "
            "a network that you trust, http:// together with `allow_insecure_http: true`."
        )
        assert "stackspot-ai-code" in current().models

    def test_a_mended_file_works_at_once(self, places: Places) -> None:
        problem(places, "providers: [")
        (places.cwd / FILE).write_text("providers: {stackspot: {client_realm: mended}}")
        assert stackspot().realm == "mended"


class TestJson:
    """A `.json` file is read as JSON, with YAML's lines where it can be had."""

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ('{"providers": {"a": {}},\n}', ", line 2: this is not valid JSON: "),
            ('{"providers": {"a":\n{"zzz": 1}}}', ", line 2: providers.a.zzz: unknown key"),
            ('{"providers":\t{"a":\n\t{"zzz": 1}}}', ": providers.a.zzz: unknown key"),
            ("[1]", ": a mapping with the key `providers` is expected at the top."),
            ("[" * 100_000, ": this cannot be read as JSON (RecursionError)."),
        ],
    )
    def test_errors(self, places: Places, at_start: AtStart, text: str, says: str) -> None:
        path = places.home / "providers.json"
        path.write_text(text)
        at_start(AIDER_STACKSPOT_CONFIG=str(path))
        assert str(current().problem).startswith(f"{path}{says}")


def test_an_error_at_a_key_that_came_by_a_merge_still_has_a_line() -> None:
    document = parse(Path("f.yml"), b"a: &a {zzz: 1}\nproviders:\n  stackspot: {<<: *a}\n")
    assert document.line(("providers", "stackspot", "zzz")) == 1
    assert document.line(("providers", "stackspot", "other")) == 3
