"""A response is decoded on many threads at once, in processes of their own: a crash would end them."""

import sys

import pytest

from tests.support.processes import Programs

pytestmark = pytest.mark.real

PROCESSES = 20
"""Without the lock, about one of four such processes crashes."""

FIRST_USE = """
import sys, threading
from backupctl.api.endpoints import JOB_DETAILS
from backupctl.api.endpoint import Family

BODY = b'''{"20260301-020000-1": {
    "status": "SUCCEEDED", "type": "MANUAL", "start_time": "2026-03-01T02:00:00Z", "build": {"version": "8"},
    "messages": [], "progress": {"total": 1, "completed": 1, "message": {"id": "x", "args": []}}}}'''

def decode():
    barrier.wait()
    JOB_DETAILS.decode(Family.API, BODY)

sys.setswitchinterval(1e-6)
barrier = threading.Barrier(16)
threads = [threading.Thread(target=decode) for _ in range(16)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("decoded")
"""
"""Lets sixteen threads use a type for the first time at once, as the workers of a run over many appliances do."""


def test_first_use_of_a_type_on_many_threads_crashes_no_process(programs: Programs) -> None:
    runs = [programs.start([sys.executable, "-c", FIRST_USE], programs.environ({})).wait() for _ in range(PROCESSES)]
    assert [(run.code, run.out) for run in runs] == [(0, "decoded\n")] * PROCESSES
