"""LiteLLM's stream of a server's chunks: its errors mapped, and asked for again where it ended before any text."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any


class Chunks:
    """An iterator of chunks, sync or async.

    Args:
        inner: LiteLLM's own iterator.
        again: makes the call once more and returns its iterator, or a coroutine of it.
        wait: tells the seconds to wait before another try, or `None` if there is none.
        mapped: turns an error into the one to raise.
    """

    def __init__(
        self,
        inner: Any,
        again: Callable[[], Any],
        wait: Callable[[Exception], float | None],
        mapped: Callable[[Exception], Exception],
    ) -> None:
        self._inner: Any = inner
        self._again = again
        self._wait = wait
        self._mapped = mapped
        self._said = False

    def __iter__(self) -> Chunks:
        return self

    def __next__(self) -> Any:
        while True:
            try:
                if self._inner is None:
                    self._inner = self._again()
                return self._seen(next(self._inner))
            except StopIteration:
                raise
            except Exception as error:
                time.sleep(self._wait_after(error))

    def __aiter__(self) -> Chunks:
        return self

    async def __anext__(self) -> Any:
        while True:
            try:
                if self._inner is None:
                    self._inner = await self._again()
                return self._seen(await self._inner.__anext__())
            except StopAsyncIteration:
                raise
            except Exception as error:
                await asyncio.sleep(self._wait_after(error))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def _seen(self, chunk: Any) -> Any:
        self._said = self._said or _says_something(chunk)
        return chunk

    def _wait_after(self, error: Exception) -> float:
        """Return the seconds to wait before the call is made again; nothing is repeated once text has gone out.

        Raises:
            Exception: it is not made again.
        """
        wait = None if self._said else self._wait(error)
        if wait is None:
            raise self._mapped(error) from None
        self._inner = None
        return wait


def _says_something(chunk: Any) -> bool:
    """Tell whether a chunk has anything of an answer; a first one often has the role alone."""
    for choice in getattr(chunk, "choices", None) or []:
        delta = getattr(choice, "delta", None)
        fields = delta.model_dump(exclude={"role"}) if delta is not None else {}
        if any(fields.values()) or getattr(choice, "finish_reason", None):
            return True
    return False
