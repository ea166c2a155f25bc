"""What somebody delivers is copied into the folder of data.source, and nothing there is touched."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import fsspec
import pandas as pd
import pytest
import yaml
from fsspec.implementations.memory import MemoryFileSystem

from {{ cookiecutter.__package }}.pipeline import delivery
from {{ cookiecutter.__package }}.pipeline.errors import LifecycleError
from {{ cookiecutter.__package }}.pipeline.settings import DataSettings, Settings, read_settings

from conftest import ROOT, mlops, run

FRAME = pd.DataFrame({"x": [1, 2]})
# Each would lie elsewhere, or be called otherwise there.
BAD_NAMES = ["../x.parquet", "/x.parquet", "a/../../x.parquet", "a\\x.parquet", "./x.parquet", "a//x.parquet"]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with one file, and a folder into which somebody delivers two, one of that name."""
    for path in ("data/a.parquet", "there/a.parquet", "there/b.parquet"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def make_settings(root: Path, fetch: str | None, source: str = "data/*.parquet") -> Settings:
    """Return settings, also written into ``params.yaml``."""
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    params["data"] |= {"fetch": fetch, "source": source}
    (root / "params.yaml").write_text(yaml.safe_dump(params))
    return read_settings(root / "params.yaml")


def refuse(root: Path, fetch: str, source: str = "data/*.parquet") -> str:
    """Return the sentence with which a delivery is refused."""
    with pytest.raises(LifecycleError) as refusal:
        delivery.fetch(make_settings(root, fetch, source), root)
    return str(refusal.value)


def list_data(root: Path) -> list[str]:
    """Return all that lies in the folder, hidden files too."""
    return sorted(path.relative_to(root).as_posix() for path in (root / "data").rglob("*") if path.is_file())


def write_module(root: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> None:
    """Write what a user writes for an API: a module with the function ``fetch``."""
    lines = ["import pandas as pd", "FRAME = pd.DataFrame({'x': [1, 2]})", "def fetch(names):", f"    {body}"]
    (root / "deliveries.py").write_text("\n".join(lines))
    monkeypatch.syspath_prepend(root)
    monkeypatch.delitem(sys.modules, "deliveries", raising=False)


def test_new_files_come(root: Path) -> None:
    """What is there stays as it is, whatever is delivered under its name."""
    found = delivery.fetch(make_settings(root, "there/*.parquet"), root)
    assert (["data/b.parquet"], 1) == (found.came, found.there)
    texts = [(root / "data" / name).read_text() for name in ("a.parquet", "b.parquet")]
    assert ["data/a.parquet", "there/b.parquet"] == texts


def test_second_time_nothing_comes(root: Path) -> None:
    """Whatever was copied is there."""
    settings = make_settings(root, "there/*.parquet")
    delivery.fetch(settings, root)
    assert ([], 2) == (delivery.fetch(settings, root).came, delivery.fetch(settings, root).there)


def test_from_a_url(root: Path) -> None:
    """Any file system of fsspec will do, and the folder need not be there yet."""
    fsspec.filesystem("memory").pipe("/inbox/x.parquet", b"x")
    found = delivery.fetch(make_settings(root, "memory://inbox/*.parquet", "new/*.parquet"), root)
    assert (["new/x.parquet"], b"x") == (found.came, (root / "new/x.parquet").read_bytes())


def test_one_file_by_name(root: Path) -> None:
    """Without a wildcard, it is that file."""
    assert ["data/b.parquet"] == delivery.fetch(make_settings(root, "there/b.parquet"), root).came


def test_copy_that_breaks_off(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No half of a file is left, and the sentence says which it was."""

    def break_off(self: MemoryFileSystem, rpath: str, lpath: str, **options: object) -> None:
        Path(lpath).write_text("half")
        raise OSError("the line is cut")

    fsspec.filesystem("memory").pipe("/cut/x.parquet", b"x")
    monkeypatch.setattr(MemoryFileSystem, "get_file", break_off)
    sentence = "data.fetch 'memory:///cut/x.parquet' cannot be read: the line is cut."
    assert sentence == refuse(root, "memory://cut/*.parquet")
    assert ["data/a.parquet"] == list_data(root)


def test_name_that_the_source_would_not_list(root: Path) -> None:
    """It would lie there unseen."""
    (root / "there/c.csv").touch()
    assert "delivers 'c.csv', which data.source 'data/*.parquet' would not list" in refuse(
        root, "there/*.csv"
    )


def test_two_files_of_one_name(root: Path) -> None:
    """Which of them is meant, nobody knows."""
    (root / "there/more").mkdir()
    (root / "there/more/b.parquet").touch()
    assert "delivers two files named 'b.parquet'" in refuse(root, "there/**/*.parquet")
    assert ["data/a.parquet"] == list_data(root)


def test_password_in_the_url(root: Path) -> None:
    """A secret does not belong into a file that Git keeps."""
    sentence = refuse(root, "ftp://me:secret@example.org/*.parquet")
    assert ("data.fetch holds a password" in sentence, "secret" in sentence) == (True, False)


def test_place_that_cannot_be_reached(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """That is no empty place."""

    def refuse_access(self: MemoryFileSystem, path: str, **options: object) -> None:
        raise PermissionError("no access")

    monkeypatch.setattr(MemoryFileSystem, "glob", refuse_access)
    assert "data.fetch 'memory://x/*' cannot be read: no access." == refuse(root, "memory://x/*")


def test_nothing_delivered_yet(root: Path) -> None:
    """An empty or missing folder is no failure."""
    assert ([], 0) == (
        delivery.fetch(make_settings(root, "nowhere/*.parquet"), root).came,
        delivery.fetch(make_settings(root, "memory://nowhere/*.parquet"), root).there,
    )


def test_function(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told what is there; what it yields beyond is written as Parquet."""
    body = "yield from ((name, FRAME) for name in ('a.parquet', f'{len(names)}-{names[0]}'))"
    write_module(root, monkeypatch, body)
    found = delivery.fetch(make_settings(root, "deliveries:fetch"), root)
    assert (["data/1-a.parquet"], 1) == (found.came, found.there)
    pd.testing.assert_frame_equal(FRAME, pd.read_parquet(root / "data/1-a.parquet"))


def test_function_that_fails_half_way(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What came before is whole and stays; the bug keeps its traceback."""
    write_module(root, monkeypatch, "yield 'x.parquet', FRAME; raise RuntimeError('no more')")
    with pytest.raises(RuntimeError, match="no more"):
        delivery.fetch(make_settings(root, "deliveries:fetch"), root)
    assert ["data/a.parquet", "data/x.parquet"] == list_data(root)


def test_folders_below(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where data.source looks into them, names may have them."""
    write_module(root, monkeypatch, "yield '2013/x.parquet', FRAME")
    settings = make_settings(root, "deliveries:fetch", "data/**/*.parquet")
    assert ["data/2013/x.parquet"] == delivery.fetch(settings, root).came
    assert "would not list" in refuse(root, "deliveries:fetch", "data/*.parquet")


@pytest.mark.parametrize("name", BAD_NAMES)
def test_name_that_leaves_the_folder(root: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Whoever delivers writes nowhere else."""
    write_module(root, monkeypatch, f"yield {name!r}, FRAME")
    before = sorted(root.rglob("*"))
    assert "expected the name of a file in the folder of" in refuse(root, "deliveries:fetch", "data/**/*")
    assert [] == [path for path in root.rglob("*.parquet") if path not in before]


@pytest.mark.parametrize("answer", ["'x.parquet', 1", "'x.csv', FRAME", "'x.parquet'"])
def test_answer_that_is_no_table(root: Path, monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    """The sentence says what is expected."""
    write_module(root, monkeypatch, f"yield {answer}")
    assert "expected pairs of a name that ends in .parquet and a DataFrame" in refuse(
        root, "deliveries:fetch"
    )


@pytest.mark.parametrize(
    ("name", "expected"),
    [("nowhere:fetch", "there is no module 'nowhere'"), ("json:fetch", "'json' has no function 'fetch'")],
)
def test_no_such_function(root: Path, name: str, expected: str) -> None:
    """The sentence names what is missing."""
    assert expected in refuse(root, name)


@pytest.mark.parametrize(
    ("fetch", "source", "expected"),
    [
        (None, "data/*.parquet", "data.fetch is not set in params.yaml"),
        ("there/*", "s3://b/*.parquet", "data.source is remote, and is read where it is"),
    ],
)
def test_nothing_to_copy(root: Path, fetch: str | None, source: str, expected: str) -> None:
    """It is said, and is no failure."""
    make_settings(root, fetch, source)
    assert f"Nothing to fetch: {expected}.\n" == run("data", "fetch").output


def test_command(root: Path) -> None:
    """It prints what came, for people and for machines."""
    make_settings(root, "there/*.parquet")
    result = run("data", "fetch")
    assert ("data/b.parquet\n", "1 came, 1 of those delivered were there.\n") == (
        result.stdout,
        result.stderr,
    )
    expected = {"came": [], "there": 2, "skipped": None}
    assert expected == json.loads(run("data", "fetch", "--json").output)
    make_settings(root, "nowhere:fetch")
    assert 1 == mlops("data", "fetch").exit_code


def test_run_key_does_not_know_it(project: Path) -> None:
    """Where rows came from changes no model."""
    from {{ cookiecutter.__package }}.pipeline.runkey import compute_run_key

    before = compute_run_key(read_settings(project / "params.yaml"), project)
    settings = read_settings(project / "params.yaml")
    data = DataSettings.model_validate(settings.data.model_dump() | {"fetch": "there/*.parquet"})
    assert before == compute_run_key(settings.model_copy(update={"data": data}), project)
