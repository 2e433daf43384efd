"""Text that any UTF-8 file can hold."""


def encodable(text: str) -> str:
    """Join surrogate pairs, and replace each lone surrogate by U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text
