"""The scripted model: rules from Python and from YAML, and the built-in behaviours."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from aider_stackspot.emulator import MODELS, STYLES, Emulator, Fault, Rule, Script, ScriptError, Style, script
from tests.emulator.client import Client, objects, text_of


def answers(script: Script, *prompts: str) -> list[str]:
    with Emulator(script=script) as emulator, Client(emulator) as client:
        client.login()
        return [text_of(client.ask(prompt).text) for prompt in prompts]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "answers.yml"


def test_the_first_rule_that_matches_wins() -> None:
    rules = [Rule("b+", "first"), Rule("^a", ["sec", "ond"]), Rule("c$", str.upper)]
    assert answers(Script(rules, "none"), "xbx", "a\nb", "x\na", "x\nbc", "c\nd", "d") == [
        "first",
        "first",
        "second",
        "first",
        "C\nD",
        "none",
    ]


def test_a_rule_may_apply_only_so_often() -> None:
    rules = [Rule("hi", "once", times=1), Rule("hi", "twice", times=2)]
    assert answers(Script(rules, "spent"), "hi", "hi", "hi", "hi") == ["once", "twice", "twice", "spent"]


def test_a_rule_chooses_style_and_fault_for_its_prompts() -> None:
    rules = [Rule("style", "a b", style=Style(newline="\n", arrays=True)), Rule("fault", fault=Fault.status(503))]
    with Emulator(script=Script(rules, "default")) as emulator, Client(emulator) as client:
        client.login()
        assert "source" in objects(client.ask("style").text)[0]
        assert client.ask("fault").status_code == 503
        assert client.chat("fault").status_code == 503
        assert emulator.requests[-1].fault == "status:503"
        emulator.fail("agent", Fault.status(500))
        assert client.ask("fault").status_code == 500
        assert text_of(client.ask("other").text) == "default"


def test_a_script_is_read_from_yaml(path: Path) -> None:
    (path.parent / "long.txt").write_text("from a file ✅", encoding="utf-8")
    path.write_text(
        """
default: nothing
rules:
  - match: "2 \\\\+ 2"
    answer: 4
    times: 1
  - {match: list, answer: [to, ken]}
  - {match: file, answer_file: long.txt}
  - {match: echo, model: echo}
  - match: odd
    answer: odd
    style: no-space
    fault: end-after:0
""",
        encoding="utf-8",
    )
    prompts = ("2 + 2", "2 + 2", "list", "file", "echo!", "odd")
    assert answers(Script.load(path), *prompts) == ["4", "nothing", "token", "from a file ✅", "echo!", ""]


def test_the_example_of_the_documentation_works(path: Path) -> None:
    assert script.__doc__ is not None
    path.write_text(textwrap.dedent(script.__doc__.partition("::")[2]), encoding="utf-8")
    (path.parent / "fix.md").write_text("fixed")
    prompts = ("Fix the bug", "fix the bug", "slow")
    assert answers(Script.load(path), *prompts) == ["fixed", "I have nothing to say about that.", "One by one."]


def test_a_script_may_be_a_bare_list_or_empty(path: Path) -> None:
    path.write_text("- {match: a, answer: b}\n")
    assert answers(Script.load(path), "a") == ["b"]
    path.write_text("")
    assert "emulator" in answers(Script.load(path), "a")[0]


def test_the_default_may_come_from_a_file_or_be_a_model(path: Path) -> None:
    (path.parent / "d.txt").write_text("d")
    path.write_text("default_file: d.txt\n")
    assert answers(Script.load(path), "a") == ["d"]
    path.write_text("model: echo\n")
    assert answers(Script.load(path), "a") == ["a"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("rules:\n  - match: a\n    anwser: b\n", ":3: unknown key 'anwser'; did you mean 'answer'?"),
        ("rulez: []\n", ":1: unknown key 'rulez'; did you mean 'rules'?"),
        ("rules: 7\n", ":1: rules is not a list"),
        ("- a\n", ":1: a rule is a mapping with match, "),
        ("7\n", ":1: a script is a mapping with rules, "),
        ("- {answer: b}\n", ":1: a rule needs match"),
        ("- match: a\n- match: '('\n", ":2: match is no regular expression: "),
        ("- {match: a, style: no-spaces}\n", ":1: unknown style 'no-spaces'; did you mean 'no-space'?"),
        ("- {match: a, model: xyz}\n", ":1: unknown model 'xyz'; there are assistant, agent, hello, echo, edit, long"),
        ("- {match: a, fault: statos}\n", ":1: unknown fault 'statos'"),
        ("- {match: a, times: 0}\n", ":1: times is not a number from 1"),
        ("- {match: a, times: yes}\n", ":1: times is not a number from 1"),
        ("- {match: a, answer: {b: c}}\n", ":1: answer is no text"),
        ("- {match: a, answer: }\n", ":1: answer is no text"),
        ("- {match: a, answer: b, answer_file: c}\n", ":1: answer and answer_file exclude each other"),
        ("- match: a\n  answer_file: none.txt\n", ":2: answer_file cannot be read: "),
        ("- match: [\n", ":2: no YAML: "),
        ("- {match: a, answer: \x07}\n", ": no YAML: "),
    ],
)
def test_a_wrong_script_says_where_it_is_wrong(path: Path, text: str, problem: str) -> None:
    path.write_text(text)
    with pytest.raises(ScriptError) as error:
        Script.load(path)
    assert str(error.value).startswith(f"{path}{problem}")


def test_a_script_that_cannot_be_read_is_named(path: Path) -> None:
    with pytest.raises(ScriptError, match=r"answers\.yml: cannot be read: "):
        Script.load(path)
    path.write_bytes(b"\xff\xfe\xfa")
    with pytest.raises(ScriptError, match=r"answers\.yml: cannot be read: "):
        Script.load(path)


def test_every_style_has_a_name_a_script_can_use(path: Path) -> None:
    for name, style in STYLES.items():
        path.write_text(f"- {{match: a, style: {name}}}\n")
        (rule,) = Script.load(path).rules
        assert rule.style == style


def test_echo_repeats_and_long_goes_on() -> None:
    assert MODELS["echo"]("as it is\n") == "as it is\n"
    assert len("".join(MODELS["long"](""))) > 50_000
    assert MODELS["hello"]("a") == MODELS["hello"]("b")


FILES = """Use *SEARCH/REPLACE* blocks.

Example:

mathweb/flask/app.py
```python
import old
```

I have *added these files to the chat* so you can go ahead and edit them.

README.md
```
# Title
```

src/greeting.py
```

def greet():
    return "hi"
```

Add a docstring.
"""


def test_edit_answers_a_search_replace_block_for_the_last_file() -> None:
    assert MODELS["edit"](FILES) == (
        "I add one comment to `src/greeting.py`.\n\n"
        "src/greeting.py\n```\n<<<<<<< SEARCH\ndef greet():\n=======\n"
        "# Edited by the StackSpot emulator.\ndef greet():\n>>>>>>> REPLACE\n```\n"
    )


def test_edit_rewrites_the_whole_file_when_blocks_are_not_asked_for() -> None:
    answer = MODELS["edit"](FILES.replace("SEARCH/REPLACE", "whole files").replace("src/greeting.py", "a.ts"))
    assert "a.ts\n```\n// Edited by the StackSpot emulator.\n\ndef greet():\n" in answer


def test_edit_creates_a_file_when_there_is_none() -> None:
    assert "hello.py\n```\n<<<<<<< SEARCH\n=======\n# Edited" in MODELS["edit"]("SEARCH/REPLACE, please")


def test_edit_writes_commit_messages() -> None:
    assert MODELS["edit"]("Generate a one-line commit message for these diffs.") == (
        "docs: Note that the StackSpot emulator was here"
    )


PROMPT = FILES.replace(
    "Add a docstring.\n",
    "Ok, any changes I propose will be to those files.\n\nAdd a docstring like this:\n```\nnotes\n```\n",
)


def test_edit_takes_no_code_of_the_request_for_a_file() -> None:
    assert "src/greeting.py\n```\n<<<<<<< SEARCH" in MODELS["edit"](PROMPT)


def test_the_assistant_edits_what_aider_asks_it_to_edit() -> None:
    whole = PROMPT.replace("SEARCH/REPLACE* blocks", "file listing* format")
    commit = "Generate a one-line commit message for those changes."
    for prompt in (PROMPT, whole, commit):
        assert MODELS["assistant"](prompt) == MODELS["edit"](prompt)
    assert "SEARCH" not in MODELS["assistant"](whole)


@pytest.mark.parametrize(
    "prompt",
    [
        "What is SEARCH/REPLACE?",
        "Write one commit message, please.",
        PROMPT.replace("so you can go ahead and edit them", "so you see all of their contents"),
        PROMPT.replace("SEARCH/REPLACE* blocks", "unified diffs*"),
        PROMPT.replace("```", "<source>"),
    ],
    ids=["a question", "a wish", "ask mode", "another edit format", "another fence"],
)
def test_the_assistant_greets_everybody_else(prompt: str) -> None:
    assert MODELS["assistant"](prompt) == MODELS["hello"](prompt)
