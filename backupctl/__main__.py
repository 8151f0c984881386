"""Entry of the program; the only place that ends the process."""

import signal
import sys
from types import FrameType


def main() -> None:
    """Run the command line and exit with its code."""
    from backupctl.cli.app import App
    from backupctl.cli.root import run

    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _interrupt)
    sys.exit(run(App.of_process(sys.argv[1:])))


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
