"""Downloading, without a network: the cache, the wrong file, and no answer at all."""

import hashlib
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from habitus_runners.datasets import download
from habitus_runners.datasets.download import Remote
from habitus_runners.errors import HabitusError

DATA = b"0123456789" * 1000
MD5 = hashlib.md5(DATA, usedforsecurity=False).hexdigest()


class Handler(SimpleHTTPRequestHandler):
    """Serves a folder and says nothing."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("NO_PROXY", "*")
    served = tmp_path / "served"
    served.mkdir()
    (served / "file.bin").write_bytes(DATA)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(served))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/file.bin"
        server.shutdown()
        thread.join()


def test_a_file_is_fetched_once_and_its_size_is_said_first(
    url: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    said: list[tuple[str, int, int | None]] = []
    remote = Remote(url, MD5, len(DATA))
    path = download.fetch(remote, lambda stage, done, total=None: said.append((stage, done, total)), tmp_path / "cache")
    assert path.read_bytes() == DATA
    assert said[0] == ("download file.bin (10,000 bytes)", 0, 10_000)
    assert said[-1][1] == 10_000
    assert capfd.readouterr() == ("", "")
    nowhere = Remote("http://127.0.0.1:9/file.bin", MD5, len(DATA))
    assert download.fetch(nowhere, folder=tmp_path / "cache") == path


def test_another_file_than_the_published_one_is_refused_and_not_kept(url: str, tmp_path: Path) -> None:
    with pytest.raises(
        HabitusError, match=r"file\.bin .*, got a file whose md5 is not the published 0{32}; .*--source"
    ):
        download.fetch(Remote(url, "0" * 32, 10), folder=tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_no_network_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    remote = Remote("http://127.0.0.1:9/ml-1m.zip", MD5, 5_917_549)
    with pytest.raises(HabitusError) as caught:
        download.fetch(remote, folder=tmp_path)
    assert str(caught.value) == (
        "expected to download http://127.0.0.1:9/ml-1m.zip (5,917,549 bytes), got no connection: 127.0.0.1:9 could not"
        " be reached, or it broke off; try again, or fetch it another way and pass --source with the local ml-1m.zip or"
        " its folder"
    )


def test_a_file_that_is_not_there_is_said_with_its_answer(url: str, tmp_path: Path) -> None:
    with pytest.raises(HabitusError, match=r"other\.bin .*, got answer 404 from 127\.0\.0\.1:\d+; try again"):
        download.fetch(Remote(url.replace("file", "other"), MD5, 10), folder=tmp_path)


def test_a_cache_that_cannot_be_written_is_said(url: str, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("in the way")
    with pytest.raises(HabitusError, match=r"got \w[\w ]+ \(.*cache.*\); try again"):
        download.fetch(Remote(url, MD5, len(DATA)), folder=tmp_path / "cache")
