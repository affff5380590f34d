"""S3: an archive writes nothing outside of its folder, and does not unpack without end."""

from __future__ import annotations

import gzip
import io
import stat
import tarfile
import tempfile
import zipfile
from pathlib import Path

from fault_cases import Fault, Outcome, assert_held, in_child

from neuroai.errors import NeuroaiError
from neuroai.sources.recognise import recognise
from neuroai.sources.sheets import read_sheets
from neuroai.sources.unpack import unpack
from neuroai.sources.zipped_images import read_zipped_images

ROOM, FILES, MEMORY = 2**20, 50, 2**29
# The first is the case of fatiando/pooch#543, whose extractor wrote beside its folder.
OUTSIDE = ("../x", "a/../../x", "/etc/x", "..\\x", "C:\\x", "~/x", "a/b/../../../x", "\x00x")
LINKS = (("to", "../x"), ("to", "/etc/passwd"), ("a/to", "../../x"), ("to", "."))
DEVICES = (tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE)


def _tar(path, members, mode="w"):
    with tarfile.open(path, mode) as archive:
        for info, content in members:
            archive.addfile(info, io.BytesIO(content) if content else None)


def _info(name, *, kind=tarfile.REGTYPE, to="", size=0):
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size = kind, to, size
    return info


def _zip(path, members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for info, content in members:
            archive.writestr(info, content)


def _zip_link(name, to):
    info = zipfile.ZipInfo(name)
    info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    return info, to


def _archives():
    """Give the name and the writer of every archive."""
    for n, name in enumerate(OUTSIDE):
        yield f"t{n}.tar", lambda p, o=name: _tar(p, [(_info(o, size=1), b"x")])
        yield f"z{n}.zip", lambda p, o=name: _zip(p, [(zipfile.ZipInfo(o), "x")])
    for n, (name, to) in enumerate(LINKS):
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE):
            link = _info(name, kind=kind, to=to)
            through = _info(f"{name}/x", size=1)
            yield (
                f"l{n}{kind.decode()}.tar",
                lambda p, one=link, other=through: _tar(p, [(one, b""), (other, b"x")]),
            )
        yield (
            f"l{n}.zip",
            lambda p, one=name, to=to: _zip(
                p, [_zip_link(one, to), (zipfile.ZipInfo(f"{one}/x"), "x")]
            ),
        )
    for n, kind in enumerate(DEVICES):
        yield f"d{n}.tar", lambda p, k=kind: _tar(p, [(_info("device", kind=k), b"")])
    yield from _bombs()
    yield from _broken()


def _bombs():
    zeros = bytes(64 * ROOM)
    yield "bomb.zip", lambda p: _zip(p, [(zipfile.ZipInfo("x.png"), zeros)])
    yield "bomb.tar.gz", lambda p: _tar(p, [(_info("x", size=len(zeros)), zeros)], "w:gz")
    yield "bomb.tar.xz", lambda p: _tar(p, [(_info("x", size=len(zeros)), zeros)], "w:xz")
    yield "many.zip", lambda p: _zip(p, [(zipfile.ZipInfo(f"{i}"), "") for i in range(2 * FILES)])
    yield "many.tar", lambda p: _tar(p, [(_info(f"{i}"), b"") for i in range(2 * FILES)])
    yield "lies.zip", _lying


def _lying(path):
    """A member that unpacks to more than the archive says of it."""
    _zip(path, [(zipfile.ZipInfo("x"), bytes(2 * ROOM))])
    content = path.read_bytes()
    path.write_bytes(content.replace((2 * ROOM).to_bytes(4, "little"), (10).to_bytes(4, "little")))


def _broken():
    yield "twice.tar", lambda p: _tar(p, [(_info("x", size=1), b"x"), (_info("x", size=1), b"y")])
    yield "cut.tar.gz", lambda p: p.write_bytes(gzip.compress(bytes(5000))[:-20])
    yield "none.zip", lambda p: p.write_bytes(b"PK\x03\x04 and nothing else")


def run(cases, _rng):
    """Unpack hostile archives, and hand them to whatever reads archives; look what was written."""
    found = Outcome()
    archives = list(_archives())
    step = max(1, len(archives) // cases)
    for name, write in archives[::step]:
        with tempfile.TemporaryDirectory() as place:
            root = Path(place)
            (root / "in").mkdir()
            path = root / "in" / name
            write(path)
            child = in_child(lambda p=path: _tried(p), folder=root, memory=MEMORY)
            found.check(child.said == "refused" and not child.code, f"{name}: {child}")
            left = [
                str(p.relative_to(root)) for p in root.rglob("*") if p not in (path, path.parent)
            ]
            left += [str(p) for p in (Path("/etc/x"), root.parent / "x") if p.exists()]
            found.check(not left, f"{name}: {left} was written")
            found.count("archives")
    return found


def _tried(path):
    """Unpack it, and show it to the other readers of archives, which may only refuse or read."""
    for reader in (recognise, read_zipped_images, read_sheets):
        try:
            reader(path)
        except NeuroaiError:
            continue
    try:
        unpack(path, path.parent / "out", max_bytes=ROOM, max_files=FILES)
    except NeuroaiError:
        return "refused"
    return "it was unpacked"


FAULT = Fault("S3", "an archive writes nothing outside, and no more than is allowed", 40, run)


def test_s3():
    """Paths that leave, links, devices and bombs, in tar and zip."""
    assert_held(FAULT)
