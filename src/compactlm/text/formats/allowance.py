"""A bound on the bytes that a packed file unpacks to."""

from compactlm.errors import CompactLMError

EXPANSION = 200  # text compresses to a tenth, so a file that expands by more than this factor is an attack
EXPANSION_FROM = 64_000_000  # expansion to fewer bytes is harmless


class Allowance:
    """The bytes that a packed file may still unpack to: 200 times its size, and at least 64 MB.

    Args:
        packed: the size of the packed file in bytes.
        where: the name of the file, for messages.
    """

    def __init__(self, packed: int, where: str) -> None:
        self._left, self._where = max(EXPANSION_FROM, EXPANSION * packed), where

    def take(self, size: int) -> None:
        """Count `size` bytes.

        Raises:
            CompactLMError: the file unpacks to more bytes than it may.
        """
        self._left -= size
        if self._left < 0:
            raise CompactLMError(f"{self._where} unpacks to more than {EXPANSION} times its size; use a file from a trusted source")
