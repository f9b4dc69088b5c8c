"""An MCP server with one tool, over standard input and output; run as a program."""

from __future__ import annotations

import json
import sys
from typing import Any

SCHEMA = {"type": "object", "properties": {"word": {"type": "string"}}, "required": ["word"]}
TOOL = {"name": "find_word", "description": "Find a word.", "inputSchema": SCHEMA}


def answer(method: str, given: dict[str, Any]) -> dict[str, Any] | None:
    """What a request brings; `None` for a notification."""
    if method == "initialize":
        about = {"name": "lookup", "version": "1"}
        return {"protocolVersion": given["protocolVersion"], "capabilities": {"tools": {}}, "serverInfo": about}
    if method == "tools/list":
        return {"tools": [TOOL]}
    if method == "tools/call":
        return {"content": [{"type": "text", "text": f"Found {given['arguments']['word']}."}]}
    return None


if __name__ == "__main__":
    for line in sys.stdin:
        message = json.loads(line)
        result = answer(message["method"], message.get("params") or {})
        if result is not None:
            print(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}), flush=True)
