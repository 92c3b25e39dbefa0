"""The archive: what is packed comes out as it was, whatever its names; what is hostile is not unpacked outside.

The commands are the ones that run in the builder and on the host.
"""

from __future__ import annotations

import os
import shlex
import stat
import subprocess
import tarfile
import tempfile
from importlib.resources import files
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from autodeploy.adapters.build import archive
from autodeploy.model import BuildArtifact, TechStack, manifest
from autodeploy.releaser.software import artifact_step

STACK = TechStack(language="go", runtime_version="1.24", build_tool="go")
ARTIFACT = BuildArtifact(
    path="", type="archive", size_bytes=0, checksum="0" * 64, build_command="", build_duration_seconds=0
)

names = st.one_of(
    st.sampled_from(
        ["-rf", "--help", "a b", "tab\there", "line\nbreak", "*", "$HOME", "~", "é", "日本", "\\", "'", '"', ".x"]
    ),
    st.binary(min_size=1, max_size=6).map(os.fsdecode).filter(lambda name: not set(name) & {"/", "\0"}),
    st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=12),
).filter(lambda name: name not in {".", "..", ".git", "__pycache__"} and len(os.fsencode(name)) < 200)
modes = st.sampled_from([0o644, 0o755, 0o600, 0o400, 0o444, 0o700, 0o664, 0o777, 0o4755, 0o2755])
targets = st.one_of(names, st.sampled_from(["/etc/passwd", "../../..", "nowhere", "."]))
entries = st.one_of(
    st.tuples(st.just("file"), st.binary(max_size=300), modes),
    st.tuples(st.just("link"), targets),
    st.tuples(st.just("twin")),
    st.tuples(st.just("folder"), st.sampled_from([0o755, 0o700, 0o555])),
)


def grow(root: Path, tree: dict[str, tuple]) -> None:
    """Make the tree; `twin` is a hard link to the last file."""
    last: Path | None = None
    for name, entry in tree.items():
        path = root / name
        if entry[0] == "file":
            path.write_bytes(entry[1])
            path.chmod(entry[2])
            last = path
        elif entry[0] == "link":
            path.symlink_to(entry[1])
        elif entry[0] == "twin" and last:
            path.hardlink_to(last)
        elif entry[0] == "folder":
            path.mkdir()
            (path / name).write_text(name.encode("utf-8", "surrogateescape").hex())
            path.chmod(entry[1])


def told(root: Path) -> dict[bytes, tuple]:
    """Return all that is below a folder: kind, rights and content of each."""
    found: dict[bytes, tuple] = {}
    for path in root.rglob("*"):
        info = path.lstat()
        kind = stat.S_IFMT(info.st_mode)
        content: object = path.read_bytes() if kind == stat.S_IFREG else b""
        rights = info.st_mode & 0o777
        if kind == stat.S_IFLNK:
            content, rights = str(path.readlink()), 0
        found[os.fsencode(path.relative_to(root))] = (kind, rights, content)
    return found


def pack(root: Path, into: Path, excluded: Path) -> None:
    text = files("autodeploy.adapters.build").joinpath("pack.sh").read_text("utf-8")
    environment = {"PATH": os.environ["PATH"], "KEEP": "src", "EPOCH": "1700000000"}
    command = f'{text}\npack "$1" "$2" "$3"'
    subprocess.run(
        ["sh", "-euc", command, "sh", str(root), str(into), str(excluded)],
        env=environment,
        check=True,
        capture_output=True,
    )


def unpack(whole: Path, into: Path) -> int:
    """Unpack by the very command that the host is given; return how it ended."""
    [line] = [line for line in artifact_step("release", ARTIFACT).fix.splitlines() if line.startswith("tar ")]
    words = shlex.split(line)
    words[words.index("--file") + 1], words[words.index("--directory") + 1] = str(whole), str(into)
    return subprocess.run(words, capture_output=True, check=False).returncode


@given(tree=st.dictionaries(names, entries, max_size=8))
@settings(max_examples=100, deadline=None)
def test_the_archive_round_trips_modes_links_and_odd_names(tree: dict[str, tuple]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "app" / "src").mkdir(parents=True)
        grow(place / "app" / "src", tree)
        (place / "excluded").write_text(".git\n__pycache__\n")
        for name in ("one", "two"):
            pack(place / "app", place / name, place / "excluded")
        assert (place / "one").read_bytes() == (place / "two").read_bytes()
        archive.assemble(place / "one", manifest(ARTIFACT, STACK), place / "whole")
        (place / "release").mkdir()
        assert unpack(place / "whole", place / "release") == 0
        assert told(place / "release" / "src") == told(place / "app" / "src")
        assert {path.name for path in (place / "release").iterdir()} == {"manifest.json", "src"}


hostile_names = st.sampled_from(
    ["../out", "../../out", "/OUT/file", "a", "a/file", "a/../../out", "a/b/../../../out", "b", "b/file", "./../out"]
)
members = st.lists(
    st.tuples(
        hostile_names,
        st.sampled_from([tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE]),
        st.sampled_from(["../..", "/OUT", "..", "a", "../secret", "/OUT/secret"]),
    ),
    min_size=1,
    max_size=6,
)


@given(members=members)
@settings(max_examples=100, deadline=None)
def test_nothing_is_written_outside_of_the_root(members: list[tuple[str, bytes, str]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        outside = place / "outside"
        (outside / "secret").parent.mkdir()
        (outside / "secret").write_text("kept")
        (place / "secret").write_text("kept")
        (place / "releases" / "one").mkdir(parents=True)
        with tarfile.open(place / "bad.tar", "w") as bad:
            for name, kind, target in members:
                entry = tarfile.TarInfo(name.replace("/OUT", str(outside)))
                entry.type, entry.mode = kind, 0o777
                if kind in (tarfile.SYMTYPE, tarfile.LNKTYPE):
                    entry.linkname = target.replace("/OUT", str(outside))
                bad.addfile(entry)
        subprocess.run(["zstd", "-q", str(place / "bad.tar"), "-o", str(place / "bad")], check=True)
        before = {key: value for key, value in told(place).items() if not key.startswith(b"releases/one")}
        unpack(place / "bad", place / "releases" / "one")
        after = {key: value for key, value in told(place).items() if not key.startswith(b"releases/one")}
        assert after == before
