r"""The call syntax: the one place where a marker is spelled.

StackSpot takes one text and gives one text, so a tool call travels inside the text::

    <stk:tool_call>
    {"name": "read_file", "arguments": {"path": "a.py"}}
    </stk:tool_call>

and its result comes back in the next prompt as::

    <stk:tool_result id="call_5f0c...">
    the content, with every marker inside it escaped
    </stk:tool_result>

Why this shape. A tag around one JSON object with ``name`` and ``arguments`` is the form most models have seen in
training, and it was measured to work behind StackSpot with the GPT models there. The bare ``<tool_call>`` is avoided
for two reasons: some servers take it for their own syntax and swallow it, and it stands in a great deal of code and
documentation. The prefix ``stk:`` (the name of StackSpot's own command line) makes a marker that ordinary code,
Markdown or XML does not contain: nobody declares an XML namespace of that name with an element ``tool_call``. The name
is in the JSON and not an attribute, so that the opening marker is one constant string.

Escaping. In free text one backslash is put before ``stk:`` (``<\stk:tool_call>``), and one more where some stand
already, so two different texts never become one. Inside JSON the ``<`` becomes ``\u003c``, which JSON reads back as the
same character.
"""

import re
import secrets

OPEN = "<stk:tool_call>"
CLOSE = "</stk:tool_call>"
RESULT_OPEN = "<stk:tool_result"
RESULT_CLOSE = "</stk:tool_result>"
PART_OPEN = "<stk:part>"
PART_CLOSE = "</stk:part>"

# Wider than the parser's own markers: a model may also take "< / STK:" for a boundary.
_MARKER = re.compile(r"<(?P<gap>[/\s]*\\*)(?=stk:)", re.IGNORECASE)
_ESCAPED = re.compile(r"<(?P<gap>[/\s]*\\*)\\(?=stk:)", re.IGNORECASE)
_SURROGATE = re.compile(r"[\ud800-\udfff]")


def escape_text(text: str) -> str:
    """Free text in which no marker is left; `unescape_text` gives the text back exactly."""
    return _MARKER.sub(r"<\g<gap>\\", text)


def unescape_text(text: str) -> str:
    """The inverse of `escape_text`."""
    return _ESCAPED.sub(r"<\g<gap>", text)


def escape_json(text: str) -> str:
    """JSON text in which no marker and no lone surrogate is left and which decodes to the same value."""
    text = _MARKER.sub(r"\\u003c\g<gap>", text)
    return _SURROGATE.sub(lambda match: f"\\u{ord(match.group()):04x}", text)


def new_call_id() -> str:
    """A new id for a tool call, unique by chance (96 random bits)."""
    return "call_" + secrets.token_hex(12)
