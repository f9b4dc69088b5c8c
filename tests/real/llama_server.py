"""llama.cpp's own HTTP server with a tiny model: `python llama_server.py PORT KEY`, run by a Python with `xllamacpp`.

xllamacpp is llama.cpp in a wheel: the requests are answered by its server in C++, not by a Python program around it.
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import xllamacpp  # type: ignore[import-not-found]
from tiny_model import write  # type: ignore[import-not-found]  # beside this file, where Python looks

NAME = "tiny-llama"
TRAINED, SERVED = 16384, 8192
"""Tokens: what the model claims, and what the server gives it."""
TEMPLATE = """\
{%- if tools %}<|im_start|>system
{% for tool in tools %}{{ tool | tojson }}
{% endfor %}Answer with <tool_call>
{"name": <function-name>, "arguments": <args-json-object>}
</tool_call><|im_end|>
{% endif %}
{%- for message in messages %}<|im_start|>{{ message.role }}
{% if message.reasoning_content %}<think>
{{ message.reasoning_content }}
</think>

{% endif %}{{ message.content or '' }}
{%- for call in message.tool_calls or [] %}
<tool_call>
{"name": "{{ call.function.name }}", "arguments": {{ call.function.arguments | tojson }}}
</tool_call>
{%- endfor %}<|im_end|>
{% endfor %}
{%- if add_generation_prompt %}<|im_start|>assistant
{% if messages[-1].role == 'tool' %}={% elif tools %}!{% elif 'think' in messages[-1].content %}?
{%- elif 'babble' not in messages[-1].content %}>{% endif %}{% endif %}"""
SAYINGS = {
    "=": "The tool says so.",
    "!": '<tool_call>\n{"name": "look", "arguments": {"at": "it"}}\n</tool_call>',
    "?": "<think>\nA greeting.\n</think>\n\nHello there.",
    ">": "Hello from llama.cpp.",
}


def main(port: int, key: str) -> None:
    """Serve until the process is ended."""
    model = Path("tiny.gguf")
    write(model, TRAINED, SAYINGS)
    options = xllamacpp.CommonParams()
    options.model.path = str(model)
    options.model_alias = {NAME}
    options.n_ctx, options.n_parallel = SERVED, 1
    options.hostnames, options.port, options.api_keys = ["127.0.0.1"], port, [key]
    options.chat_template, options.use_jinja = TEMPLATE, True
    # As in the program `llama-server`: thoughts apart, no shift of a full context.
    options.reasoning_format = xllamacpp.common_reasoning_format.COMMON_REASONING_FORMAT_DEEPSEEK
    server = xllamacpp.Server(options)
    print(server.listening_address, flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
