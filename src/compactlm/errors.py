"""The one exception that a user is meant to read."""

LONGEST = 1_000  # characters of a sentence that can still be read


class CompactLMError(Exception):
    """A failure that a user can mend.

    The message is one sentence that says what is wrong, where, and how to mend it. A stage prints it
    without a traceback and exits with status 1.
    """

    def __init__(self, message: str) -> None:
        """Take the sentence; what it quotes of a file may be long, or hold characters that would garble a terminal."""
        line = " ".join(message.split())
        plain = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in line)
        short = plain if len(plain) <= LONGEST else f"{plain[: LONGEST // 2]} ... {plain[-LONGEST // 4 :]}"
        super().__init__(short)
