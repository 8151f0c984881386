"""Real components: the program and the simulator in processes of their own."""

import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.support.apache_server import ApacheServer, apache_server
from tests.support.openssh_server import OpenSshServer, openssh_server
from tests.support.processes import Program, Programs, Simulators
from tests.support.terminal import Open, Terminal
from tests.support.vsftpd_server import VsftpdServer, vsftpd_server


@pytest.fixture(scope="session")
def vsftpd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VsftpdServer]:
    with vsftpd_server(tmp_path_factory.mktemp("vsftpd")) as server:
        yield server


@pytest.fixture(scope="session")
def apache() -> Iterator[ApacheServer]:
    with apache_server() as server:
        yield server


@pytest.fixture(scope="session")
def openssh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenSshServer]:
    with openssh_server(tmp_path_factory.mktemp("openssh")) as server:
        yield server


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


@pytest.fixture
def open_terminal(programs: Programs, tmp_path: Path) -> Open:
    """Run a command line at a terminal, and print its exit code at the end."""

    def open_it(*words: str, environ: Mapping[str, str], columns: int = 80, rows: int = 24, rest: str = "") -> Terminal:
        line = shlex.join(Program.words(*words, python=("-W", "error::ResourceWarning")))
        shell = ["sh", "-c", f"trap : INT; {line} {rest}; echo EXIT=$?; exec cat"]
        return Terminal(tmp_path, shell, programs.environ(environ), columns=columns, rows=rows)

    return open_it
