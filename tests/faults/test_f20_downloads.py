"""F20: a download that was changed or cut short is refused, not kept, and fetched anew."""

from __future__ import annotations

import gzip
import hashlib
import os
import tempfile
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from unittest import mock

import pooch
from fault_cases import Fault, Outcome, assert_held

from neuroai.errors import NeuroaiError
from neuroai.sources.download import fetch

SIZE = 3000
PLACES = ("downloaded", "in the cache", "packed in the data folder")


@contextmanager
def _served():
    """Serve whatever lies in the list that is given out, from this machine."""
    given = [b""]

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", str(len(given[0])))
            self.end_headers()
            self.wfile.write(given[0])

        def log_message(self, *args):
            """Keep quiet."""

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=running.serve_forever)
    thread.start()
    try:
        yield given, f"http://127.0.0.1:{running.server_port}/file.mat"
    finally:
        running.shutdown()
        thread.join()
        running.server_close()


def _mutated(content, rng):
    """Flip a bit, cut, lengthen, empty, or put a web page in place."""
    at = int(rng.integers(len(content)))
    flipped = content[:at] + bytes([content[at] ^ (1 << int(rng.integers(8)))]) + content[at + 1 :]
    choices = (flipped, content[:at], content + b"\x00", b"", b"<html>Please log in</html>")
    return choices[int(rng.integers(len(choices)))]


def run(cases, rng):
    """Hand out mutated files three ways: refused, not kept, and the original taken afterwards."""
    found, content = Outcome(), rng.bytes(SIZE)
    sha256 = hashlib.sha256(content).hexdigest()
    pooch.get_logger().setLevel("ERROR")
    with tempfile.TemporaryDirectory() as folder, _served() as (given, url):
        for case in range(cases):
            root = Path(folder) / str(case)
            data, cache = root / "data" / "d", root / "cache" / "d"
            for place in (data, cache):
                place.mkdir(parents=True)
            names = {"NEUROAI_DATA": str(data.parent), "NEUROAI_CACHE": str(cache.parent)}
            names |= {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1", "NEUROAI_OFFLINE": ""}
            kind, bad = PLACES[case % len(PLACES)], _mutated(content, rng)
            given[0] = bad
            if kind == "in the cache":
                (cache / "file.mat").write_bytes(bad)
            if kind == "packed in the data folder":
                (data / "file.mat.gz").write_bytes(gzip.compress(bad))
            with mock.patch.dict(os.environ, names):
                found.check(_refused(url, sha256), f"case {case}: taken as it was, {kind}")
                found.count(kind)
                for one in (cache / "file.mat", data / "file.mat.gz"):
                    # What the user put there is the user's to remove.
                    one.unlink(missing_ok=True)
                left = [path.name for path in root.rglob("*") if path.is_file()]
                found.check(not left, f"case {case}: {left} was left")
                given[0] = content
                again = fetch("d", "file.mat", url=url, sha256=sha256).read_bytes()
                found.check(again == content, f"case {case}: the original was not fetched again")
    return found


def _refused(url, sha256):
    try:
        fetch("d", "file.mat", url=url, sha256=sha256)
    except NeuroaiError:
        return True
    return False


FAULT = Fault("F20", "a changed or cut download is refused and fetched anew", 200, run)


def test_f20():
    """No mutated file is accepted."""
    assert_held(FAULT)
