"""The team of threads: results do not depend on it, threads share it, a fork starts a new one, Ctrl-C ends a loop."""

import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import nbflow as nf
from nbflow import config
from nbflow.errors import InvalidArgumentError
from nbflow.runtime import threads

LARGE = 1_500_000


def run(code, **variables):
    environment = {**os.environ, **variables}
    return subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=120)


def test_same_bits_for_any_number_of_threads():
    code = """
import hashlib, numpy as np, nbflow as nf
x = nf.constant(np.random.default_rng(0).standard_normal((1500, 1000)).astype("f"))
w = nf.constant(np.random.default_rng(1).standard_normal((1000, 70)).astype("f"))
f = nf.function(lambda x: (nf.reduce_sum(nf.exp(x) * x), nf.nn.softmax(x), nf.reduce_sum(x, 0), nf.matmul(x, w)))
print(hashlib.sha256(b"".join(np.asarray(t).tobytes() for t in f(x))).hexdigest())
"""
    answers = {run(code, NBFLOW_NUM_THREADS=str(n)).stdout for n in (1, 2, 5)}
    assert len(answers) == 1
    assert len(answers.pop()) == 65


def test_python_threads_take_turns():
    x = nf.constant(np.ones(LARGE, np.float32))
    f = nf.function(lambda x, k: x * k + 1)
    wrong = []

    def work(number):
        for _ in range(10):
            result = f(x, nf.constant(float(number)))
            if not np.all(np.asarray(result) == number + 1):
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(t.is_alive() for t in threads)
    assert wrong == []


def test_threads_that_start_the_team_get_one(monkeypatch):
    monkeypatch.setattr(threads, "_teams", [])
    barrier, found = threading.Barrier(4), []

    def work():
        barrier.wait()
        found.append(threads.team())

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(set(map(id, found))) == 1
    found[0].stop()


def test_a_program_that_never_ran_does_not_keep_python_from_ending():
    code = """
import numpy as np, nbflow as nf
f = nf.function(lambda x: nf.exp(x) * 2.0)
f.get_concrete_function(nf.constant(np.ones(1_500_000, np.float32))).compiled.program([])
"""
    assert run(code).returncode == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_forked_child_has_its_own_team():
    code = """
import os, numpy as np, nbflow as nf
x = nf.constant(np.ones(1_500_000, np.float32))
f = nf.function(lambda x: nf.exp(x) - 1)
f(x)
child = os.fork()
if child == 0:
    os._exit(0 if abs(float(f(x)[5]) - 1.7182817) < 1e-5 else 3)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
print(float(f(x)[3]) > 1.7)
"""
    result = run(f"import warnings; warnings.simplefilter('ignore'){code}")
    assert result.stdout.strip() == "True", result.stderr


def test_interrupt_ends_a_training_loop_at_once():
    code = """
import numpy as np, nbflow as nf
w = nf.Variable(np.ones((500, 500), np.float32))
f = nf.function(lambda: w.assign(nf.matmul(w, w) * 1e-3))
f()
print("ready", flush=True)
while True:
    f()
"""
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout.readline() == b"ready\n"
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=20)
    assert b"KeyboardInterrupt" in error
    assert process.returncode in (1, -signal.SIGINT, 130)


@pytest.mark.parametrize("value", ["0", "-1", "many", "1.5", "5000"])
def test_bad_thread_count(monkeypatch, value):
    monkeypatch.setenv("NBFLOW_NUM_THREADS", value)
    with pytest.raises(InvalidArgumentError, match="NBFLOW_NUM_THREADS"):
        config.num_threads()
