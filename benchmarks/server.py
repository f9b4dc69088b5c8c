"""A fast local server for measurements: StackSpot's token and chat endpoints, and OpenAI's chat completions.

It speaks just enough HTTP/1.1 on an asyncio protocol, with bytes prepared before the clock runs. The path's last
segment carries the plan: `chunks-bytes-delay` (how many events, text per event, milliseconds between them).
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import sys
from urllib.parse import parse_qs, urlsplit

TOKEN = json.dumps({"access_token": "benchmark-token", "expires_in": 1200, "token_type": "Bearer"}).encode()


@functools.cache
def frames(kind: str, chunks: int, size: int) -> tuple[bytes, ...]:
    """Return the SSE events of an answer, each as one HTTP chunk, as real servers flush them."""
    # LiteLLM ends a stream that repeats itself, so every event is another.
    texts = [(f"{number:06d} " + "the quick brown fox jumps " * (size // 26 + 1))[:size] for number in range(chunks)]
    if kind == "openai":
        delta = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
        events = [
            {**delta, "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]} for text in texts
        ]
        events.append({**delta, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        data = [json.dumps(event).encode() for event in events] + [b"[DONE]"]
    else:
        tokens = {"user": None, "enrichment": None, "input": 9, "output": chunks}
        data = [json.dumps({"message": text}).encode() for text in texts]
        data.append(json.dumps({"message": "", "stop_reason": "stop", "tokens": tokens}).encode())
    return tuple(_chunk(b"data: " + one + b"\r\n\r\n") for one in data)


@functools.cache
def whole(chunks: int, size: int) -> bytes:
    """Return OpenAI's answer to a call that does not stream, of the same length."""
    message = {"role": "assistant", "content": "x" * (chunks * size)}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    usage = {"prompt_tokens": 9, "completion_tokens": chunks, "total_tokens": 9 + chunks}
    return json.dumps(
        {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": usage}
    ).encode()


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


class Server(asyncio.Protocol):
    """One connection."""

    latency = 0.0
    plan = ""
    connections = 0
    requests = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count the connection."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._buffer = b""
        Server.connections += 1

    def data_received(self, data: bytes) -> None:
        """Answer every complete request in the buffer."""
        self._buffer += data
        while b"\r\n\r\n" in self._buffer:
            head, _, rest = self._buffer.partition(b"\r\n\r\n")
            length = next(
                (int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
            )
            if len(rest) < length:
                return
            body, self._buffer = rest[:length], rest[length:]
            Server.requests += 1
            task = asyncio.ensure_future(self._answer(head.split(b" ", 2)[1].decode(), body))
            task.add_done_callback(lambda done: done.cancelled() or done.exception())

    async def _answer(self, target: str, body: bytes) -> None:
        if Server.latency:
            await asyncio.sleep(Server.latency)
        url = urlsplit(target)
        if url.path.endswith("/control"):
            query = parse_qs(url.query, keep_blank_values=True)
            if "latency" in query:
                Server.latency = float(query["latency"][0])
                Server.connections = Server.requests = 0
            Server.plan = query.get("plan", [Server.plan])[0]
            return self._whole(json.dumps({"connections": Server.connections, "requests": Server.requests}).encode())
        if url.path.endswith("/token"):
            return self._whole(TOKEN)
        plan = next((part for part in url.path.split("/") if part.count("-") == 2 and part[0].isdigit()), None)
        if plan is None or url.path.endswith("/models"):
            return self._transport.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        plan = Server.plan or plan
        chunks, size, delay = (int(part) for part in plan.split("-"))
        kind = "openai" if url.path.endswith("/chat/completions") else "stackspot"
        if kind == "openai" and not json.loads(body).get("stream"):
            return self._whole(whole(chunks, size))
        await self._stream(frames(kind, chunks, size), delay / 1000)

    def _whole(self, body: bytes) -> None:
        self._transport.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
        )

    async def _stream(self, events: tuple[bytes, ...], delay: float) -> None:
        write = self._transport.write
        write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        for number, event in enumerate(events):
            write(event)
            if delay:
                await asyncio.sleep(delay)
            elif number % 2000 == 1999:
                while self._transport.get_write_buffer_size() > 1 << 20 and not self._transport.is_closing():
                    await asyncio.sleep(0.001)
        write(b"0\r\n\r\n")


async def main() -> None:
    """Serve until the parent closes standard input."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Server, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
