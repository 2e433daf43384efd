"""The entry point of `compactlm`. It imports nothing heavy, so that Ctrl-C during start-up ends without a traceback."""

import signal
from types import FrameType

INTERRUPTED = 130  # the status that a shell gives to Ctrl-C


class _Interrupts:
    """Raises KeyboardInterrupt at Ctrl-C, and remembers it: code that is interrupted in an import may raise another error."""

    def __init__(self) -> None:
        self.received = False
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # otherwise it is ignored, as in a background job
            signal.signal(signal.SIGINT, self._interrupt)

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        self.received = True
        signal.default_int_handler(number, frame)


def main() -> None:
    """Run the command line.

    The exit status is 0; 1 after a failure that a user can fix, with one sentence on standard error; 2 for a mistyped
    command; 130 after Ctrl-C.
    """
    interrupts = _Interrupts()
    try:
        from compactlm.commands.app import run

        run()
    except KeyboardInterrupt:
        raise SystemExit(INTERRUPTED) from None
    except Exception:
        if interrupts.received:
            raise SystemExit(INTERRUPTED) from None
        raise


if __name__ == "__main__":
    main()
