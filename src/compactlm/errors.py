"""The one exception that a user is meant to read."""


class CompactLMError(Exception):
    """A failure that a user can mend.

    The message is one sentence that says what is wrong, where, and how to mend it. A stage prints it
    without a traceback and exits with status 1.
    """
