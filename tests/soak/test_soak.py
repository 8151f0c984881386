"""Many rounds of create and watch under random faults: no lost or second job, no open session, flat memory.

``python -m tests.soak --rounds 10000`` runs more rounds.
"""

import pytest

from tests.soak.rounds import Soak

pytestmark = pytest.mark.exhaustive

ROUNDS = 400
MOST_RESIDENT_GROWTH = 4 * 2**20
MOST_TRACED_GROWTH = 512 * 2**10


def test_rounds_of_create_and_watch_have_no_findings_and_flat_memory() -> None:
    soak = Soak()
    soak.run(ROUNDS)
    print("", *soak.lines(), sep="\n")  # noqa: T201 - the table is the result
    soak.counts.check()
    assert soak.counts.cases.total() == ROUNDS
    assert soak.watched[0] > ROUNDS / 2
    resident, traced = soak.growth
    assert resident <= MOST_RESIDENT_GROWTH
    assert traced <= MOST_TRACED_GROWTH
