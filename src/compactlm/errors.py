"""The exception whose message is meant for users."""

import contextlib
from collections.abc import Iterator

LONGEST = 1_000  # the most characters of a readable message


def readable(message: str) -> str:
    """Return a message, which may quote values of a user, as one line of at most LONGEST characters.

    A long message is shortened, and characters that would garble a terminal are replaced by U+FFFD.
    """
    line = " ".join(message.split())
    plain = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in line)
    return plain if len(plain) <= LONGEST else f"{plain[: LONGEST // 2]} ... {plain[-LONGEST // 4 :]}"


class CompactLMError(Exception):
    """A failure that a user can fix.

    The message is one sentence: what is wrong, where, and how to fix it. A stage prints it without a traceback and
    exits with status 1.
    """

    def __init__(self, message: str) -> None:
        """Take the sentence, which becomes readable."""
        super().__init__(readable(message))


@contextlib.contextmanager
def needs(extra: str, feature: str) -> Iterator[None]:
    """Turn a failed import into a sentence that names the extra to install.

    Args:
        extra: an optional dependency group of the package, such as "train".
        feature: the feature that needs it, for the message.

    Raises:
        CompactLMError: a package that the block imports is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == "compactlm":
            raise
        raise CompactLMError(
            f"{feature} needs the extra {extra} (the package {error.name} is missing); install it with `pip install 'compactlm[{extra}]'`"
        ) from None
