"""A scripted model that uses tools as an assistant does: it looks at two files, then says what they hold."""

from __future__ import annotations

import json
import re

SCHEMA = {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]}
CHAT_TOOL = {"type": "function", "function": {"name": "read_file", "parameters": SCHEMA}}
RESPONSES_TOOL = {"type": "function", "name": "read_file", "parameters": SCHEMA, "strict": False}
MESSAGES_TOOL = {"name": "read_file", "description": "Read a file.", "input_schema": SCHEMA}
FILES = {"a.py": "x = 1", "b.py": "y = 2"}

_RESULT = re.compile(r'<stk:tool_result id="([^"]+)"[^>]*>\n(.*?)\n</stk:tool_result>', re.DOTALL)
_CALL = re.compile(r"<stk:tool_call>\n(\{.*?\})\n</stk:tool_call>", re.DOTALL)


def tool_using_assistant(prompt: str) -> list[str] | str:
    """Answer with two calls; with their results in the prompt, with what each call brought."""
    results = dict(_RESULT.findall(prompt))
    if not results:
        calls = [
            f'<stk:tool_call>\n{{"name": "read_file", "arguments": {{"path": "{path}"}}}}\n</stk:tool_call>\n'
            for path in FILES
        ]
        return list("I look at both.\n" + "".join(calls))
    called = [json.loads(text) for text in _CALL.findall(prompt) if '"id"' in text]
    found = {call["arguments"]["path"]: results[call["id"]] for call in called}
    return f"They say {json.dumps(found)}."


FINAL = f"They say {json.dumps(FILES)}."
