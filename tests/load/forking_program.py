"""A program that forks after it has called StackSpot; parent and child call on."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import sys
import threading

import aider_stackspot
from aider_stackspot import StackSpotProvider
from aider_stackspot.pipeline.background_loop import background_loop

assert sys.platform != "win32"

HI = [{"role": "user", "content": "Say hi"}]


def ask(_: object = None) -> str:
    return str(StackSpotProvider(timeout=10).completion_sync(HI)["choices"][0]["message"]["content"])


def in_child() -> int:
    """Call in a forked child; return its exit status."""
    child = os.fork()
    if child == 0:
        print("child", ask(), ask(), flush=True)
        sys.exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def fork_after_use() -> None:
    print("parent", ask(), flush=True)
    assert in_child() == 0
    print("parent", ask(), flush=True)


def fork_before_use() -> None:
    assert in_child() == 0
    print("parent", ask(), flush=True)


def fork_amid_an_answer() -> None:
    ask()
    stream = StackSpotProvider(timeout=10).stream(HI)
    first = next(stream)
    assert in_child() == 0
    print("parent", first + "".join(stream), flush=True)


def fork_while_another_thread_calls() -> None:
    ask()
    calling = threading.Thread(target=lambda: [ask() for _ in range(20)])
    calling.start()
    assert [in_child() for _ in range(3)] == [0, 0, 0]
    calling.join()
    print("parent", ask(), flush=True)


def fork_twice() -> None:
    ask()
    child = os.fork()
    if child == 0:
        ask()
        sys.exit(in_child())
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    print("parent", ask(), flush=True)


def fork_while_every_lock_is_held() -> None:
    ask()
    ours = [module for name, module in sys.modules.items() if name.startswith("aider_stackspot.")]
    locks = [getattr(module, "_lock", None) for module in ours]
    held, forked = threading.Event(), threading.Event()

    def hold() -> None:
        with contextlib.ExitStack() as stack:
            for lock in filter(None, locks):
                stack.enter_context(lock)
            held.set()
            forked.wait()

    holding = threading.Thread(target=hold)
    holding.start()
    held.wait()
    child = os.fork()
    if child == 0:
        os.environ["STACKSPOTAI_REALM"] = "stackspot"  # its configuration is read again
        aider_stackspot.register()
        print("child", ask(), flush=True)
        sys.exit(0)
    forked.set()
    holding.join()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    print("parent", ask(), flush=True)


def fork_while_libraries_hold_their_locks() -> None:
    import litellm
    import ulid
    from litellm.litellm_core_utils.thread_pool_executor import executor

    def ask_litellm() -> str:
        return str(litellm.completion("stackspot-ai-code", HI, timeout=10).choices[0].message.content)

    ask_litellm()
    locks = [executor._shutdown_lock, ulid.default_generator.lock]
    held, forked = threading.Event(), threading.Event()

    def hold() -> None:
        with locks[0], locks[1]:
            held.set()
            forked.wait()

    holding = threading.Thread(target=hold)
    holding.start()
    held.wait()
    child = os.fork()
    if child == 0:
        print("child", ask_litellm(), flush=True)
        os._exit(0)
    forked.set()
    holding.join()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    print("parent", ask_litellm(), flush=True)


def fork_300_times_under_load() -> None:
    """Fork at any moment of six threads' calls; each child makes one."""
    ask()
    end = threading.Event()

    def call() -> None:
        while not end.is_set():
            ask()

    calling = [threading.Thread(target=call) for _ in range(6)]
    for thread in calling:
        thread.start()
    children = set()
    for number in range(300):
        child = os.fork()
        if child == 0:
            os._exit(0 if ask().startswith("All is well") else 1)
        children.add(child)
        while len(children) > (0 if number == 299 else 3):
            ended, status = os.wait()
            children.discard(ended)
            assert os.waitstatus_to_exitcode(status) == 0
    end.set()
    for thread in calling:
        thread.join()
    print("parent", ask(), flush=True)


def pool() -> None:
    ask()
    with multiprocessing.get_context("fork").Pool(3) as workers:
        for answer in workers.map(ask, range(9)):
            print("child", answer, flush=True)
    print("parent", ask(), flush=True)


if __name__ == "__main__":
    globals()[sys.argv[1]]()
    assert background_loop().loop.is_running()
    print("done")
