"""The floor below a gateway: starlette and httpx, a stream in, a stream out, and nothing that anybody could rely on.

It asks for no key and no token, reads the request without looking at it, and takes a cut stream for an answer.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import AsyncIterator

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route

CHUNK = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}


def application(service: str) -> Starlette:
    """Return an application that passes chats on to StackSpot's agent at a URL."""
    client = httpx.AsyncClient(timeout=600, trust_env=False, limits=httpx.Limits(max_connections=None))

    async def chat(request: Request) -> StreamingResponse:
        body = json.loads(await request.body())
        prompt = {"user_prompt": body["messages"][-1]["content"], "streaming": True}

        async def events() -> AsyncIterator[str]:
            async with client.stream("POST", service, json=prompt) as response:
                async for line in response.aiter_lines():
                    if line.startswith("data: "):
                        delta = {"content": json.loads(line[6:])["message"]}
                        choice = {"index": 0, "delta": delta, "finish_reason": None}
                        yield f"data: {json.dumps({**CHUNK, 'choices': [choice]})}\n\n"
            yield "data: [DONE]\n\n"

        return StreamingResponse(events(), media_type="text/event-stream")

    async def alive(_: Request) -> PlainTextResponse:
        return PlainTextResponse("yes")

    routes = [Route("/v1/chat/completions", chat, methods=["POST"]), Route("/health/liveliness", alive)]
    return Starlette(routes=routes)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("service")
    parser.add_argument("--host")
    parser.add_argument("--port", type=int)
    given = parser.parse_args()
    uvicorn.run(application(given.service), host=given.host, port=given.port, log_level="warning", access_log=False)
