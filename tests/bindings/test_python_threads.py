"""Threads in Python: kernels that many call at once, and runs on many threads."""

import concurrent.futures
import multiprocessing
import multiprocessing.pool
import os
import signal
import subprocess
import sys
import threading
import unittest
from concurrent.futures import ThreadPoolExecutor

import numpy

import convoke

# Enough work for other threads to be woken, and many tasks.
BUSY = {"name": "busy", "input": [8, 16, 20, 20], "out_channels": 32, "kernel_size": 3, "padding": 1}


def reals(*shape):
    return numpy.random.default_rng(1).standard_normal(shape, numpy.float32)


class Counting(ThreadPoolExecutor):
    """Knows what it was asked for, and on which threads that ran."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.submitted, self.ran_on = 0, set()

    def submit(self, call, *arguments):
        self.submitted += 1

        def noted():
            self.ran_on.add(threading.get_ident())
            return call(*arguments)
        return super().submit(noted)


class Eager(concurrent.futures.Executor):
    """Runs what it is given before it returns."""

    def submit(self, call, *arguments):
        future = concurrent.futures.Future()
        future.set_result(call(*arguments))
        return future


def run_in_a_child(x, w, expected):
    kernel = convoke.compile(BUSY)
    os._exit(0 if numpy.array_equal(kernel(x, w, threads=3), expected) else 1)


class Case(unittest.TestCase):
    def setUp(self):
        self.kernel = convoke.compile(BUSY)
        self.x, self.w = reals(*self.kernel.input_shape), reals(*self.kernel.weights_shape)
        self.expected = self.kernel(self.x, self.w)

    def refuses(self, words):
        return self.assertRaisesRegex(convoke.Error, words)

    def runs(self, **how):
        y = self.kernel(self.x, self.w, **how)
        self.assertEqual(y.tobytes(), self.expected.tobytes(), "threads change no bit")


class Callers(Case):
    def test_a_kernel_called_with_other_weights_on_every_thread_gives_each_its_own_result(self):
        kernel = convoke.compile({"name": "one", "input": [1, 1, 16], "out_channels": 1, "kernel_size": 1})
        x, wrong, interval = numpy.ones((1, 1, 16), numpy.float32), [], sys.getswitchinterval()

        def call(thread):
            w = numpy.full((1, 1, 1), thread + 1, numpy.float32)
            for i in range(4000):
                if (kernel(x, w) != w).any():
                    wrong.append((thread, i))

        sys.setswitchinterval(1e-6)
        try:
            with ThreadPoolExecutor(8) as pool:
                list(pool.map(call, range(8)))
        finally:
            sys.setswitchinterval(interval)
        self.assertEqual(len(wrong), 0, f"{len(wrong)} of 32000 calls are wrong")

    def test_one_array_of_weights_that_changes_between_calls_of_many_threads(self):
        """The array is the caller's to guard; what is remembered of it is a copy."""
        kernel = convoke.compile({"name": "one", "input": [1, 1, 4], "out_channels": 1, "kernel_size": 1})
        w, lock, wrong = numpy.zeros((1, 1, 1), numpy.float32), threading.Lock(), []

        def call(thread):
            for i in range(300):
                with lock:
                    w[:] = thread * 1000 + i
                    y = kernel(numpy.ones((1, 1, 4)), w)
                    wrong.extend([i] if (y != w).any() else [])

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(call, range(4)))
        self.assertEqual(wrong, [])


class Runs(Case):
    def test_threads_change_no_bit_of_the_result(self):
        for threads in (None, 0, 1, 2, 3, 7, 1024, numpy.int32(2)):
            self.runs(threads=threads)
        out = numpy.empty(self.kernel.output_shape, numpy.float32)
        self.runs(threads=2, out=out)
        small = convoke.compile({"name": "small", "input": [1, 1, 4], "out_channels": 1, "kernel_size": 1})
        numpy.testing.assert_array_equal(small([[[1, 2, 3, 4]]], [[[2]]], threads=4), [[[2, 4, 6, 8]]])

    def test_every_worker_has_scratch_of_its_own(self):
        kernel = convoke.compile({**BUSY, "name": "bordered", "padding_mode": "reflect"})
        self.assertGreater(kernel._info.scratch.bytes, 0)
        expected = kernel(self.x, self.w)
        for threads in (2, 5, 16):
            self.assertEqual(kernel(self.x, self.w, threads=threads).tobytes(), expected.tobytes())

    def test_an_executor_of_the_caller_is_what_runs(self):
        with Counting(4) as pool:
            for _ in range(20):
                self.runs(threads=pool)
            self.assertEqual(pool.submitted, 20 * 3, "three, and the calling thread")
        self.assertTrue(pool.ran_on)
        self.runs(threads=Eager())

    def test_a_busy_executor_does_not_hold_up_a_run(self):
        held = threading.Event()
        with ThreadPoolExecutor(2) as pool:
            for _ in range(2):
                pool.submit(held.wait)
            self.runs(threads=pool)
            held.set()
            self.runs(threads=pool)

    def test_a_task_of_an_executor_may_run_on_that_executor(self):
        with ThreadPoolExecutor(2) as pool:
            for future in [pool.submit(self.runs, threads=pool) for _ in range(20)]:
                future.result(timeout=60)

    def test_many_callers_with_many_threads(self):
        with ThreadPoolExecutor(6) as pool:
            for future in [pool.submit(self.runs, threads=3) for _ in range(60)]:
                future.result(timeout=60)

    def test_threads_that_cannot_be_are_refused_with_words(self):
        for threads in (-1, 1025, True, 10 ** 30):
            with self.refuses(f"^threads: expected a number from 0 to 1024, got {threads}"):
                self.runs(threads=threads)
        with multiprocessing.pool.ThreadPool(1) as pool:
            for threads in (1.0, "2", [2], pool):
                with self.refuses("^threads: expected a number or a concurrent.futures.Executor, got "):
                    self.runs(threads=threads)
        with concurrent.futures.ProcessPoolExecutor(1) as pool, self.refuses("^threads: .*processes do not share"):
            self.runs(threads=pool)
        pool = ThreadPoolExecutor(2)
        pool.shutdown()
        with self.refuses("^threads: the executor takes no work: .*shutdown"):
            self.runs(threads=pool)

    def test_an_executor_that_refuses_work_is_told_and_the_result_is_right_all_the_same(self):
        class Moody(Eager):
            def submit(self, call, *arguments):
                raise TypeError("not today")

        out = numpy.zeros(self.kernel.output_shape, numpy.float32)
        with self.refuses("^threads: the executor takes no work: not today"):
            self.kernel(self.x, self.w, threads=Moody(), out=out)
        self.assertEqual(out.tobytes(), self.expected.tobytes())

    def test_an_executor_that_runs_work_too_late_does_no_harm(self):
        late = []

        class Late(Eager):
            def submit(self, call, *arguments):
                late.append(call)

        self.runs(threads=Late())
        for call in late:
            call()

    @unittest.skipUnless(hasattr(os, "fork"), "there is no fork")
    def test_a_forked_process_has_threads_of_its_own(self):
        self.runs(threads=3)
        child = multiprocessing.get_context("fork").Process(target=run_in_a_child, args=(self.x, self.w, self.expected))
        child.start()
        child.join(60)
        self.assertEqual(child.exitcode, 0)

    def test_an_interrupt_waits_for_the_end_of_the_run(self):
        """Control-C while threads write to memory: they are done with it before the exception is seen."""
        program = """
import convoke, numpy, os, signal, threading, time
from concurrent.futures import ThreadPoolExecutor
kernel = convoke.compile(%r)
x, w = numpy.ones(kernel.input_shape, numpy.float32), numpy.ones(kernel.weights_shape, numpy.float32)
begun, done = threading.Event(), threading.Event()
class Slow(ThreadPoolExecutor):
    def submit(self, call):
        def slowly():
            begun.set()
            time.sleep(0.3)
            call()
        begun.set()
        super().submit(slowly)
        time.sleep(0.3)
        done.set()
def interrupt():
    begun.wait()
    os.kill(os.getpid(), signal.SIGINT)
out = numpy.zeros(kernel.output_shape, numpy.float32)
threading.Thread(target=interrupt).start()
try:
    kernel(x, w, threads=Slow(2), out=out)
    print("not interrupted")
except KeyboardInterrupt:
    print(done.is_set(), (out != 0).all())
""" % {**BUSY, "padding": 0}
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
        self.assertEqual((done.stdout, done.stderr), ("True True\n", ""))


if __name__ == "__main__":
    unittest.main()
