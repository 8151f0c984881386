import io
import subprocess
import sys
from typing import Literal

import pytest

from backupctl.output.view_selection import make_view
from backupctl.results.backup_results import JobsResult
from backupctl.results.result import Envelope
from tests.output.samples import WHERE, a_finished_job
from tests.support.clock import FakeClock


@pytest.mark.parametrize(
    ("output", "start"),
    [("text", "JOB "), ("json", '{\n  "schema": 1'), ("jsonl", '{"schema":1,"event":"result"')],
)
def test_make_view_selects_the_view_by_output(output: Literal["text", "json", "jsonl"], start: str) -> None:
    out = io.StringIO()
    view = make_view(output, stdout=out, stderr=None, clock=FakeClock(), environ={})
    view.finish(Envelope.of("list", [JobsResult(**WHERE, jobs=(a_finished_job(),))]))
    view.close()
    assert out.getvalue().startswith(start)


@pytest.mark.parametrize("output", ["text", "json", "jsonl"])
def test_make_view_without_streams_shows_nothing_on_those_of_the_process(
    output: Literal["text", "json", "jsonl"], capfd: pytest.CaptureFixture[str]
) -> None:
    view = make_view(output, stdout=None, stderr=None, clock=FakeClock(), environ={})
    view.warn("careful", always=True)
    view.finish(Envelope.of("list", [JobsResult(**WHERE, jobs=(a_finished_job(),))]))
    view.close()
    assert capfd.readouterr() == ("", "")


@pytest.mark.real
def test_make_view_for_programs_does_not_load_rich() -> None:
    script = (
        "import sys; from backupctl.clock import SystemClock; from backupctl.output.view_selection import make_view\n"
        "make_view('json', stdout=None, stderr=None, clock=SystemClock(), environ={})\n"
        "sys.exit('rich' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
