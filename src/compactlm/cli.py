"""The entry point of `compactlm`. It imports nothing heavy, so that Ctrl-C during start-up ends without a traceback."""

INTERRUPTED = 130  # the status that a shell gives to Ctrl-C


def main() -> None:
    """Run the command line.

    The exit status is 0; 1 after a failure that a user can fix, with one sentence on standard error; 2 for a mistyped
    command; 130 after Ctrl-C.
    """
    try:
        from compactlm.commands.app import run

        run()
    except KeyboardInterrupt:
        raise SystemExit(INTERRUPTED) from None


if __name__ == "__main__":
    main()
