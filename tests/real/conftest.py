"""Real components: the program and the simulator in processes of their own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.processes import Program, Programs, Simulators


@pytest.fixture
def programs(tmp_path: Path) -> Iterator[Programs]:
    home = tmp_path / "home"
    home.mkdir()
    programs = Programs(home)
    try:
        yield programs
    finally:
        programs.close()


@pytest.fixture
def program(programs: Programs) -> Program:
    return Program(programs)


@pytest.fixture
def serve(program: Program) -> Iterator[Simulators]:
    simulators = Simulators(program)
    yield simulators
    simulators.close()
