"""Files come from the user's folder, the cache or the network, and never with a wrong hash."""

from __future__ import annotations

import gzip
import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from neuroai.errors import IntegrityError, ResourceError, UnknownName, UsageError
from neuroai.sources import download, manifest
from neuroai.sources.download import fetch, fetch_listed

CONTENT = b"recorded in 2008"
SHA256 = hashlib.sha256(CONTENT).hexdigest()
NOWHERE = "http://127.0.0.1:9/file.mat"


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """Give an empty data folder and an empty cache, with the network allowed."""
    data, cache = tmp_path / "data", tmp_path / "cache"
    data.mkdir()
    monkeypatch.setenv("NEUROAI_DATA", str(data))
    monkeypatch.setenv("NEUROAI_CACHE", str(cache))
    monkeypatch.delenv("NEUROAI_OFFLINE", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return data, cache


@pytest.fixture
def server() -> Iterator[tuple[str, list[str]]]:
    """Serve CONTENT on this machine, keeping the paths that were asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(404 if "absent" in self.path else 200)
            self.send_header("Content-Length", str(len(CONTENT)))
            self.end_headers()
            self.wfile.write(CONTENT)

        def log_message(self, *args: object) -> None:
            """Keep quiet."""

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=running.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{running.server_port}", asked
    running.shutdown()
    thread.join()
    running.server_close()


def put(path: Path, content: bytes = CONTENT) -> Path:
    """Write a file and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_data_folder_serves_first(places: tuple[Path, Path]) -> None:
    """A file in $NEUROAI_DATA is used as it stands, before the cache and the network."""
    data, cache = places
    mine = put(data / "d" / "sub" / "file.mat")
    put(cache / "d" / "sub" / "file.mat", b"another")
    assert fetch("d", "sub/file.mat", url=NOWHERE, sha256=SHA256) == mine


def test_cache_serves_next(places: tuple[Path, Path]) -> None:
    """A file in the cache is used without the network."""
    cached = put(places[1] / "d" / "file.mat")
    assert fetch("d", "file.mat", url=NOWHERE, sha256=SHA256, offline=True) == cached


def test_packed_copy_serves(places: tuple[Path, Path]) -> None:
    """A gzipped copy in $NEUROAI_DATA is unpacked into the cache and checked unpacked."""
    put(places[0] / "d" / "file.tsv.gz", gzip.compress(CONTENT))
    got = fetch("d", "file.tsv", url=NOWHERE, sha256=SHA256, offline=True)
    assert got == places[1] / "d" / "file.tsv"
    assert got.read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("packed", "message"),
    [
        (gzip.compress(b"other"), "unpacked, its sha256 is"),
        (b"no gzip at all", "cannot be unpacked"),
        (gzip.compress(CONTENT)[:-9], "cannot be unpacked"),
    ],
    # Names that do not hold the time at which the copy was packed.
    ids=["another", "not packed", "cut"],
)
def test_wrong_packed_copy_is_refused(
    packed: bytes, message: str, places: tuple[Path, Path]
) -> None:
    """A gzipped copy of something else is named and leaves nothing in the cache."""
    put(places[0] / "d" / "file.tsv.gz", packed)
    with pytest.raises(IntegrityError, match=message):
        fetch("d", "file.tsv", url=NOWHERE, sha256=SHA256)
    assert [path for path in places[1].rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(("place", "do"), [(0, "Replace it by the original"), (1, "Delete it")])
def test_wrong_hash_says_what_came_and_what_to_do(
    place: int, do: str, places: tuple[Path, Path]
) -> None:
    """A changed file is an integrity error with both hashes and a remedy."""
    path = put(places[place] / "d" / "file.mat", b"recorded in 2009")
    got = hashlib.sha256(b"recorded in 2009").hexdigest()
    with pytest.raises(IntegrityError) as error:
        fetch("d", "file.mat", url=NOWHERE, sha256=SHA256)
    for part in (str(path), got, SHA256, do):
        assert part in str(error.value)
    assert error.value.exit_code == 6


def test_downloaded_once(places: tuple[Path, Path], server: tuple[str, list[str]]) -> None:
    """What is nowhere on this machine is downloaded to the cache, and only once."""
    address, asked = server
    for _ in range(2):
        got = fetch("d", "sub/file.mat", url=f"{address}/file.mat", sha256=SHA256)
    assert got == places[1] / "d" / "sub" / "file.mat"
    assert got.read_bytes() == CONTENT
    assert asked == ["/file.mat"]


def test_corrupted_download_is_removed(
    places: tuple[Path, Path], server: tuple[str, list[str]]
) -> None:
    """A download with another hash is explained, and nothing of it is kept."""
    with pytest.raises(IntegrityError, match="is not the published file") as error:
        fetch("d", "file.mat", url=f"{server[0]}/file.mat", sha256="0" * 64)
    assert "Nothing was kept" in str(error.value)
    assert [path for path in places[1].rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("where", ["server", "nowhere"])
def test_failed_download_is_explained(
    where: str, places: tuple[Path, Path], server: tuple[str, list[str]]
) -> None:
    """A dead address is a resource error that says where else the file may be put."""
    url = f"{server[0]}/absent.mat" if where == "server" else NOWHERE
    with pytest.raises(ResourceError, match="could not be fetched") as error:
        fetch("d", "file.mat", url=url, sha256=SHA256)
    assert url in str(error.value)
    assert "$NEUROAI_DATA/d/file.mat" in str(error.value)
    assert error.value.exit_code == 5


@pytest.mark.parametrize("how", ["option", "variable"])
def test_offline_says_what_to_fetch_and_where(
    how: str, places: tuple[Path, Path], server: tuple[str, list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Offline and absent is one sentence with address, place and variable; nothing is asked."""
    address, asked = server
    monkeypatch.setenv("NEUROAI_OFFLINE", "1" if how == "variable" else "0")
    url = f"{address}/file.mat"
    with pytest.raises(ResourceError) as error:
        fetch("d", "file.mat", url=url, sha256=SHA256, offline=how == "option")
    assert str(error.value) == (
        "The file 'd/file.mat' is not on this machine and the network may not be used: fetch "
        f"{url} and put it at {places[0]}/d/file.mat, where the environment variable NEUROAI_DATA "
        "names the folder that holds 'd'."
    )
    assert asked == []


@pytest.mark.parametrize("path", ["../other/file", "/etc/passwd", "a/../../b"])
def test_paths_stay_in_their_folder(path: str, places: tuple[Path, Path]) -> None:
    """A path that leads out of the data folder is refused."""
    with pytest.raises(UsageError, match="leads out of the data folder"):
        fetch("d", path, url=NOWHERE, sha256=SHA256)


@pytest.fixture
def listed(
    monkeypatch: pytest.MonkeyPatch, server: tuple[str, list[str]], tmp_path: Path
) -> list[str]:
    """List three files of a data set 'd' that the server has."""
    names = ["a.csv", "sub/b.csv", "c.csv"]
    rows = [f"d,{name},{len(CONTENT)},{SHA256},{server[0]}/{name}" for name in names]
    text = "\n".join(["dataset_folder,file,bytes,sha256,url", *rows, ""])
    (tmp_path / "MANIFEST.csv").write_text(text)
    monkeypatch.setattr(manifest, "datasets_folder", lambda: tmp_path)
    return names


def test_all_listed_files_are_fetched(
    listed: list[str], places: tuple[Path, Path], server: tuple[str, list[str]]
) -> None:
    """Every file of the manifest comes, each once, with what is here left in place."""
    mine = put(places[0] / "d" / "c.csv")
    got = fetch_listed("d")
    assert got == {
        "a.csv": places[1] / "d/a.csv", "sub/b.csv": places[1] / "d/sub/b.csv", "c.csv": mine,
    }  # fmt: skip
    assert fetch_listed("d", offline=True) == got
    assert sorted(server[1]) == ["/a.csv", "/sub/b.csv"]


def test_only_named_files_are_fetched(
    listed: list[str], places: tuple[Path, Path], server: tuple[str, list[str]]
) -> None:
    """A choice of files fetches no other; an unknown one gets the near miss."""
    assert list(fetch_listed("d", ["sub/b.csv"])) == ["sub/b.csv"]
    assert server[1] == ["/sub/b.csv"]
    with pytest.raises(UnknownName, match="No file of 'd' is called 'sub/b.cvs'. Did you mean"):
        fetch_listed("d", ["sub/b.cvs"])


def test_offline_counts_the_absent_files(listed: list[str], places: tuple[Path, Path]) -> None:
    """With several files absent the sentence names one and counts the rest."""
    put(places[0] / "d" / "a.csv")
    with pytest.raises(ResourceError, match=r"'d/sub/b.csv' \(and 1 more of the folder\)"):
        fetch_listed("d", offline=True)


def test_unknown_folder_gets_the_near_miss() -> None:
    """A data folder that the manifest does not list is answered by the nearest."""
    with pytest.raises(UnknownName, match="Did you mean 'kriegeskorte92'"):
        manifest.manifest("kriegeskorte82")


def test_cache_defaults_to_the_systems_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without variables the cache is neuroai's own folder and there is no data folder."""
    monkeypatch.delenv("NEUROAI_CACHE", raising=False)
    monkeypatch.delenv("NEUROAI_DATA", raising=False)
    assert download.cache_folder().parts.count("neuroai") == 1
    assert download.data_folder() is None
