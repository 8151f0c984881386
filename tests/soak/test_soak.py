"""Many rounds of create and watch under faults by chance: nothing lost, doubled or leaked, and memory stays flat.

``python -m tests.soak --rounds 10000`` runs more of them.
"""

import pytest

from tests.soak.rounds import Soak

pytestmark = pytest.mark.exhaustive

ROUNDS = 400
MOST_RESIDENT_GROWTH = 4 * 2**20
MOST_TRACED_GROWTH = 512 * 2**10


def test_rounds_of_create_and_watch_lose_nothing_and_keep_the_memory_flat() -> None:
    soak = Soak()
    soak.run(ROUNDS)
    print("", *soak.lines(), sep="\n")  # noqa: T201 - the table is what the soak is for
    soak.tally.check()
    assert soak.tally.cases.total() == ROUNDS
    assert soak.watched[0] > ROUNDS / 2
    resident, traced = soak.growth
    assert resident <= MOST_RESIDENT_GROWTH
    assert traced <= MOST_TRACED_GROWTH
