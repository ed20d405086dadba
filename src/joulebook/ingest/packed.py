"""Files that are packed: gzip and Zstandard, told by their first bytes."""

import gzip
import io
from pathlib import Path
from typing import Any, cast

GZIP_MAGIC = b"\x1f\x8b"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
LONGEST_MAGIC = len(ZSTD_MAGIC)


class ZstdStream(io.RawIOBase):
    """A Zstandard file, unpacked while it is read.

    Raises:
        OSError: on reading, where the file is damaged.
    """

    def __init__(self, path: Path) -> None:
        import zstandard  # noqa: PLC0415  (only packed files pay)

        self._fault = zstandard.ZstdError
        self._file = path.open("rb")
        self._reader = zstandard.ZstdDecompressor().stream_reader(self._file, read_across_frames=True)

    def readable(self) -> bool:
        """It can be read."""
        return True

    def readinto(self, buffer: Any, /) -> int:  # noqa: ANN401  (any writable buffer)
        """Fill a buffer with unpacked bytes."""
        try:
            return self._reader.readinto(buffer)
        except self._fault as error:
            raise OSError(str(error)) from error

    def close(self) -> None:
        """Close the file too."""
        self._file.close()
        super().close()


def unpacked(path: Path, magic: bytes) -> io.RawIOBase | None:
    """The unpacked content of a file that begins with these bytes; None where it is not packed."""
    if magic.startswith(GZIP_MAGIC):
        return cast("io.RawIOBase", gzip.open(path, "rb"))
    return ZstdStream(path) if magic.startswith(ZSTD_MAGIC) else None
