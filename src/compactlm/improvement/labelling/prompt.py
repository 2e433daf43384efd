"""The prompt in a terminal: one key press labels a row."""

from __future__ import annotations

import string
import textwrap
from collections.abc import Callable, Sequence

from compactlm.errors import CompactLMError
from compactlm.improvement.labelling.session import Session

SKIP, UNDO, QUIT = "s", "u", "q"
KEYS = "123456789" + "".join(letter for letter in string.ascii_lowercase if letter not in (SKIP, UNDO, QUIT))
ENDS = ("", "\x03", "\x04")  # end of input, Ctrl-C and Ctrl-D
WIDTH = 100


def ask(session: Session, labels: Sequence[str], read_key: Callable[[], str], say: Callable[[str], object]) -> None:
    """Show the rows one by one and write the answers, until all rows have one or the annotator quits.

    Args:
        session: the rows and the answers.
        labels: the labels, at most one for each of KEYS.
        read_key: a function that returns the next key, or "" at the end of the input.
        say: a function that shows a line.

    Raises:
        CompactLMError: there are more labels than keys.
    """
    if len(labels) > len(KEYS):
        raise CompactLMError(f"there are {len(labels)} labels, but only {len(KEYS)} keys; label the rows as a table instead")
    keys = dict(zip(KEYS, labels, strict=False))
    named = "  ".join(f"[{key}] {label}" for key, label in keys.items())
    help_line = f"{named}  [{SKIP}] skip  [{UNDO}] undo  [{QUIT}] quit"
    while (row := session.current) is not None:
        say(f"\n{len(session.rows) - session.left + 1}/{len(session.rows)}  {textwrap.fill(' '.join(row['text'].split()), WIDTH)}")
        say(help_line)
        key = _next_key(read_key, {*keys, SKIP, UNDO, QUIT})
        if key == QUIT:
            return
        if key == UNDO:
            say("the last answer is taken back" if session.undo() else "there is no answer to take back")
            continue
        label = None if key == SKIP else keys[key]
        session.answer(label)
        say(f"-> {label or 'skipped'}")


def _next_key(read_key: Callable[[], str], known: set[str]) -> str:
    """Return the next key that has a meaning; QUIT at the end of the input."""
    while True:
        key = read_key()
        if key in ENDS:
            return QUIT
        if key.lower() in known:
            return key.lower()
