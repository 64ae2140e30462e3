"""Runs on several threads: those of an executor, as the cvk_parallel_for of a run."""

from __future__ import annotations

import concurrent.futures
import functools
import operator
import os
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any, TypeVar, Union

from convoke._error import refuse
from convoke._library import ParallelBody, ParallelFor, ParallelLoop

Threads = Union[int, Executor, None]
T = TypeVar("T")
MOST = 1024


def count_of(role: str, value: Any) -> int:
    """How many threads; 0 is one for each CPU."""
    try:
        count = -1 if isinstance(value, bool) else operator.index(value)
    except TypeError:
        count = -1
    if not 0 <= count <= MOST:
        raise refuse(role, f"expected a number from 0 to {MOST}, got {value!r}")
    return count


def cpus() -> int:
    """Those this process may use, where the system says."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@functools.lru_cache(maxsize=None)
def own_threads() -> ThreadPoolExecutor:
    """Threads that start when there is first work for them, and stay."""
    return ThreadPoolExecutor(MOST, "convoke")


def executor_and_workers(threads: Threads) -> tuple[Executor, int]:
    """Whose threads, and how many of them with the calling one."""
    if isinstance(threads, concurrent.futures.Executor):
        if isinstance(threads, concurrent.futures.ProcessPoolExecutor):
            raise refuse("threads", "expected an executor of threads; processes do not share arrays")
        return threads, getattr(threads, "_max_workers", cpus())
    if threads is not None and not hasattr(threads, "__index__"):
        raise refuse("threads", f"expected a number or a concurrent.futures.Executor, got {threads!r}")
    count = 1 if threads is None else count_of("threads", threads)
    return own_threads(), count or cpus()


def parallel_for(executor: Executor, workers: int, refusals: list[Exception]) -> ParallelFor:
    """The cvk_parallel_for of one run. Whoever comes, the calling thread too, takes an index that nobody has taken,
    until there is none: so an executor that is busy, or that the caller is itself a task of, does not hold up the run.
    Why the executor would take no work goes to `refusals`; the run is done without it."""

    def loop(context: int, n: int, body: int, argument: int) -> None:
        call = ParallelBody(body)
        waiting, finished = deque(range(n)), threading.Semaphore(0)

        def work() -> None:
            while True:
                try:
                    index = waiting.popleft()
                except IndexError:
                    return
                call(argument, index)
                finished.release()

        try:
            for _ in range(n - 1):
                executor.submit(work)
        except Exception as error:  # it was shut down, or there are no more threads, or it is not one
            refusals.append(error)
        work()
        for _ in range(n):
            finished.acquire()

    return ParallelFor(ParallelLoop(loop), None, workers)


@functools.lru_cache(maxsize=None)
def conductor() -> SimpleQueue[Callable[[], None]]:
    """Calls what is put into it, one after another, on a thread of its own."""
    calls: SimpleQueue[Callable[[], None]] = SimpleQueue()

    def conduct() -> None:
        while True:
            calls.get()()

    threading.Thread(target=conduct, name="convoke-conductor", daemon=True).start()
    return calls


def perform(future: Future[T], call: Callable[[], T]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        future.set_result(call())
    except BaseException as error:
        future.set_exception(error)


def uninterrupted(call: Callable[[], T]) -> T:
    """Calls on a thread that signals do not reach: an exception in the middle of a loop would end the run while others
    still write to its arrays. An exception here comes out when the call has ended, or will not begin."""
    if threading.current_thread() is not threading.main_thread():
        return call()
    try:
        calls = conductor()
    except RuntimeError as error:
        raise refuse("threads", f"none can be started: {error}") from error
    future: Future[T] = Future()
    try:
        calls.put(functools.partial(perform, future, call))
        return future.result()
    except BaseException:
        if not future.cancel():
            concurrent.futures.wait([future])
        raise


def forget_threads() -> None:
    own_threads.cache_clear()
    conductor.cache_clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=forget_threads)  # they do not go along
