"""Fetches a published file once, into the user's cache, checked against its published checksum. Knows no data set."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import platformdirs
import pooch

from habitus_runners.errors import HabitusError
from habitus_runners.progress import Progress, silent


class Remote(NamedTuple):
    """A file as its publisher offers it; ``size`` in bytes."""

    url: str
    md5: str
    size: int

    @property
    def name(self) -> str:
        """The file's own name."""
        return self.url.rpartition("/")[2]


class _Bar:
    """What pooch takes for a progress bar."""

    def __init__(self, stage: str, size: int, progress: Progress) -> None:
        self.total = size
        self._stage, self._progress, self._done = stage, progress, 0

    def update(self, count: int) -> None:
        self._done = min(self._done + count, self.total)
        self._progress(self._stage, self._done, self.total)

    def reset(self) -> None:
        self._done = 0

    def close(self) -> None:
        """Nothing to release."""


def fetch(remote: Remote, progress: Progress = silent, folder: Path | None = None) -> Path:
    """The file in the cache, downloaded if it is not there.

    Raises:
        HabitusError: no network, no such file, or another checksum than the published one.
    """
    folder = folder or platformdirs.user_cache_path("habitus")
    stage = f"download {remote.name} ({remote.size:,} bytes)"
    progress(stage, 0, remote.size)
    bar = pooch.HTTPDownloader(progressbar=_Bar(stage, remote.size, progress))
    try:
        with _quiet(pooch.get_logger()):
            return Path(pooch.retrieve(remote.url, f"md5:{remote.md5}", remote.name, folder, downloader=bar))
    except (OSError, ValueError) as error:
        raise HabitusError(
            f"expected to download {remote.url} ({remote.size:,} bytes), got {_reason(error, remote)}; try again, or"
            f" fetch it another way and pass --source with the local {remote.name} or its folder"
        ) from error


def _reason(error: OSError | ValueError, remote: Remote) -> str:
    """In a few words: pooch hands on what urllib3 says, which is long and names its own classes."""
    host = urlsplit(remote.url).netloc
    answer = getattr(error, "response", None)
    if answer is not None:
        return f"answer {answer.status_code} from {host}"
    if isinstance(error, ValueError):
        return f"a file whose md5 is not the published {remote.md5}"
    if error.strerror:
        return f"{error.strerror} ({error.filename or 'the cache folder'})"
    return f"no connection: {host} could not be reached, or it broke off"


@contextmanager
def _quiet(logger: logging.Logger) -> Iterator[None]:
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)
