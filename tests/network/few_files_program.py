"""A program that may open few files: `calls N` makes 100 calls at once, `full` one when none can be opened any more."""

from __future__ import annotations

import asyncio
import collections
import os
import resource
import sys
from concurrent.futures import ThreadPoolExecutor

import httpx

from aider_stackspot import StackSpotProvider
from aider_stackspot.config.settings import Network
from aider_stackspot.network.client import build_client
from aider_stackspot.network.errors import network_error

assert sys.platform != "win32"

HI = [{"role": "user", "content": "Say hi"}]


def limited(files: int) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, hard))


def one_call(_: int) -> str:
    try:
        return str(StackSpotProvider().completion_sync(HI)["choices"][0]["finish_reason"])
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def calls(files: int) -> None:
    """Print what came of 100 calls at once."""
    limited(files)
    with ThreadPoolExecutor(100) as threads:
        for text, count in collections.Counter(threads.map(one_call, range(100))).items():
            print(count, text)


async def full() -> None:
    """Print what comes of a request when no file can be opened any more, and of the same request afterwards."""
    url = os.environ["STACKSPOTAI_AUTH_URL"]
    limited(64)
    async with build_client(Network(), url) as first:
        await first.get(url)  # what is loaded late is loaded now
    async with build_client(Network(), url) as client:
        taken = []
        try:
            while True:
                taken.append(os.dup(0))
        except OSError:
            pass
        try:
            await client.get(url)
        except httpx.HTTPError as error:
            said = network_error(error, url, "the answer")
        for file in taken:
            os.close(file)
        print(type(said).__name__, said)
        print((await client.get(url)).status_code)


if __name__ == "__main__":
    if sys.argv[1] == "calls":
        calls(int(sys.argv[2]))
    else:
        asyncio.run(full())
