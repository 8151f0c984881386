"""What every target does, whatever its protocol: an adapter passes it against a server of another project."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from backupctl.errors import NotFoundError
from backupctl.targets.target import CHUNK_BYTES, Target, TargetPath
from backupctl.targets.target_errors import TargetAnswerError

ODD_NAMES = (
    "with space",
    "50%20off",
    "a+b",
    "ü",
    "#hash",
    "semi;colon",
    "back'tick`",
    "M_8.0.0.10000_20260301-020000_MFRGG===",
)


@contextmanager
def filled(folder: Path) -> Iterator[Path]:
    """Fill the folder that a server serves with what the contract wants to find there."""
    (folder / "empty").mkdir(parents=True)
    (folder / "sub" / "deeper").mkdir(parents=True)
    (folder / "names").mkdir()
    for name in ODD_NAMES:
        (folder / "names" / name).write_bytes(name.encode())
    (folder / "sub" / "large").write_bytes(bytes(range(256)) * (3 * CHUNK_BYTES // 256 + 1))
    (folder / "sub" / "zero").write_bytes(b"")
    (folder / "full").mkdir()
    (folder / "full" / "file").write_bytes(b"x")
    yield folder


def check_reading(target: Target) -> None:
    """Lists, sizes, contents, odd names and missing paths."""
    assert {(each.name, each.kind) for each in target.list(())} >= {
        ("empty", "folder"),
        ("sub", "folder"),
        ("names", "folder"),
    }
    assert target.list(("empty",)) == ()
    assert {each.name for each in target.list(("names",))} == set(ODD_NAMES)
    assert all(content(target, ("names", name)) == name.encode() for name in ODD_NAMES)
    assert {(each.name, each.kind) for each in target.list(("sub",))} == {
        ("deeper", "folder"),
        ("large", "file"),
        ("zero", "file"),
    }
    sizes = {each.name: each.size for each in target.list(("sub",)) if each.kind == "file"}
    assert sizes == {"large": 3 * CHUNK_BYTES + 256, "zero": 0}
    assert target.stat(("sub", "large")).size == 3 * CHUNK_BYTES + 256
    assert target.stat(("sub", "deeper")).kind == "folder"
    assert content(target, ("sub", "large")) == bytes(range(256)) * (3 * CHUNK_BYTES // 256 + 1)
    assert content(target, ("sub", "zero")) == b""
    with closing(target.open_read(("sub", "large"))) as chunks:
        assert next(chunks)
    assert target.list(("empty",)) == ()  # the connection survives a read that stopped early
    for missing in ("nothing",), ("sub", "nothing"), ("nothing", "below"):
        with pytest.raises(NotFoundError):
            target.stat(missing)
        with pytest.raises(NotFoundError):
            content(target, missing)
    with pytest.raises(NotFoundError):
        target.list(("nothing",))


def check_removing(target: Target, folder: Path) -> None:
    """Removes what is named and nothing else."""
    with pytest.raises(TargetAnswerError):
        target.remove_empty_dir(("full",))
    assert (folder / "full" / "file").exists()
    for name in ODD_NAMES:
        target.remove_file(("names", name))
    target.remove_empty_dir(("names",))
    assert not (folder / "names").exists()
    target.remove_file(("full", "file"))
    target.remove_empty_dir(("full",))
    assert not (folder / "full").exists()
    for missing in ("nothing",), ("nothing", "below"):
        with pytest.raises(NotFoundError):
            target.remove_file(missing)
    assert (folder / "sub" / "large").exists()


def content(target: Target, path: TargetPath) -> bytes:
    """Return the whole content of a file."""
    return b"".join(target.open_read(path))
