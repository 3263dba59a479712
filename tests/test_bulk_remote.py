"""Folders by URL: S3 on a server of this machine, and fsspec's own memory."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import fsspec
import loopback_s3
import pytest
from conftest import run_in

from seqclf.bulk import remote
from seqclf.errors import ConfigError, DataError

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("s3fs") is None, reason="s3fs is not installed"
)
RUN = "--run=models/reviews-gru-0"
NAMES = ["a.csv", "b.csv", "c.csv"]


def csv(name: str) -> bytes:
    return f"text\na good film from {name}\nbad\n".encode()


@pytest.fixture
def store(monkeypatch) -> Iterator[type[loopback_s3.Handler]]:
    """A bucket `b` with three files in `texts`."""
    with loopback_s3.running() as (address, handler):
        for name, value in loopback_s3.ENVIRONMENT.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        for name in NAMES:
            handler.objects[f"b/texts/{name}"] = csv(name)
        yield handler
        import s3fs

        s3fs.S3FileSystem.clear_instance_cache()


def predict(folder: Path, *arguments: str):
    return run_in(folder, "predict", RUN, "--text-column=text", *arguments)


@pytest.fixture
def expected(workplace, tmp_path) -> dict[str, bytes]:
    """What the same files of this disk become."""
    (tmp_path / "texts").mkdir()
    for name in NAMES:
        (tmp_path / "texts" / name).write_bytes(csv(name))
    done = predict(workplace, f"--input={tmp_path / 'texts'}", f"--output={tmp_path}/o")
    assert done.exit_code == 0, done.output
    return {name: (tmp_path / "o" / name).read_bytes() for name in NAMES}


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("s3://b/texts", "s3://b/texts"),
        ("memory://x", "memory://x"),
        ("gs://b/a/*.csv", "gs://b/a/*.csv"),
        ("file:///data/out", "file:///data/out"),
        ("texts", None),
        ("/texts/a.csv", None),
        ("C:/texts", None),
        ("a:b/c", None),
    ],
)
def test_a_url_is_told_from_a_path(text, url):
    assert remote.url_of(Path(text)) == url


def test_a_folder_of_s3_is_answered_as_one_of_this_disk(store, expected, workplace):
    done = predict(workplace, "--input=s3://b/texts", "--output=s3://b/answers")
    assert done.exit_code == 0, done.output
    for name, content in expected.items():
        assert store.objects[f"b/answers/{name}"] == content
    assert not [key for key in store.objects if ".partial" in key]
    assert f"Written: s3://b/answers/{NAMES[0]}" in done.output


@pytest.mark.slow
def test_from_s3_to_this_disk_and_back(store, expected, workplace, tmp_path):
    there = f"--output={tmp_path / 'there'}"
    done = predict(workplace, "--input=s3://b/texts/*.csv", there)
    assert done.exit_code == 0, done.output
    for name, content in expected.items():
        assert (tmp_path / "there" / name).read_bytes() == content
    done = predict(workplace, f"--input={tmp_path}/texts", "--output=s3://b/more")
    assert done.exit_code == 0, done.output
    assert store.objects["b/more/b.csv"] == expected["b.csv"]


@pytest.mark.slow
def test_what_was_interrupted_is_kept_and_another_question_refused(
    store, expected, workplace
):
    store.objects["b/texts/b.csv"] = b"other\nx\n"  # it has no text
    asked = ["--input=s3://b/texts", "--output=s3://b/answers"]
    assert predict(workplace, *asked).exit_code == 1
    assert store.objects["b/answers/a.csv"] == expected["a.csv"]
    assert "b/answers/c.csv" not in store.objects
    assert "was begun before and interrupted" in predict(workplace, *asked).output
    store.objects["b/texts/b.csv"] = csv("b.csv")
    changed = predict(workplace, *asked, "--resume")
    assert "--resume cannot continue s3://b/answers: input was" in changed.output
    done = predict(workplace, *asked, "--overwrite")
    assert done.exit_code == 0, done.output
    for name, content in expected.items():
        assert store.objects[f"b/answers/{name}"] == content


def test_a_damaged_question_there_is_told():
    memory = fsspec.filesystem("memory")
    memory.pipe_file("/damaged/.partial/question.json", b"{")
    place = remote.open_remote("memory://damaged")
    begun = remote.begun_remote(place, [], {}, resume=True, overwrite=False)
    with pytest.raises(ConfigError, match="question.json cannot be read"), begun:
        pass


def test_a_list_of_finished_files_that_was_cut_off_is_none():
    memory = fsspec.filesystem("memory")
    memory.pipe_file("/cut/.partial/question.json", b"{}")
    memory.pipe_file("/cut/.partial/finished.json", b'["a.cs')
    place = remote.open_remote("memory://cut")
    with remote.begun_remote(place, [], {}, resume=True, overwrite=False) as begun:
        assert begun.finished == []


def test_no_file_is_left_out_and_no_input_replaced(store, workplace, tmp_path):
    for part in ("one 李", "two"):
        (tmp_path / part).mkdir()
        (tmp_path / part / "a.csv").write_bytes(csv(part))
    done = predict(workplace, f"--input={tmp_path}/**/a.csv", "--output=s3://b/out")
    assert done.exit_code == 2
    assert "two files named a.csv" in " ".join(done.output.split())
    one = f"{tmp_path}/one 李"
    (tmp_path / "link").symlink_to(one)
    link = f"file://{tmp_path}/link"
    for asked in ([f"file://{one}", one], [one, f"file://{one}"], [one, link]):
        done = predict(
            workplace, f"--input={asked[0]}", f"--output={asked[1]}", "--overwrite"
        )
        assert done.exit_code == 2
        assert "has the files of the input" in " ".join(done.output.split())
    assert (tmp_path / "one 李" / "a.csv").read_bytes() == csv("one 李")


@pytest.mark.slow
def test_resume_leaves_finished_files_alone(store, expected, workplace, monkeypatch):
    put = remote.Remote.put

    def fails_at_c(self, file, name):
        if name == "c.csv":
            raise DataError("the network is gone")
        put(self, file, name)

    asked = ["--input=s3://b/texts", "--output=s3://b/answers"]
    with monkeypatch.context() as patch:
        patch.setattr(remote.Remote, "put", fails_at_c)
        assert "the network is gone" in predict(workplace, *asked).output
    store.puts.clear()
    done = predict(workplace, *asked, "--resume")
    assert done.exit_code == 0, done.output
    assert "2 of 3 files are done; continuing." in done.output
    answers = [key for key in store.puts if ".partial" not in key]
    assert answers == ["b/answers/c.csv"]
    assert store.objects["b/answers/c.csv"] == expected["c.csv"]


@pytest.mark.slow
def test_what_is_there_is_not_replaced_unless_it_is_asked(store, workplace):
    store.objects["b/answers/b.csv"] = b"mine"
    asked = ["--input=s3://b/texts", "--output=s3://b/answers"]
    done = predict(workplace, *asked)
    assert "s3://b/answers/b.csv is there already" in done.output
    assert store.objects["b/answers/b.csv"] == b"mine"
    assert not [key for key in store.objects if ".partial" in key]
    assert predict(workplace, *asked, "--overwrite").exit_code == 0


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (["--input=s3://b/texts"], "needs --output"),
        (["--input=s3://b/texts", "--output=o.csv"], "the output is a folder"),
        (["--input=s3://b/texts", "--output=s3://b/o.csv"], "the output is a folder"),
        (["--input=s3://b/*/x", "--output=o"], "only the last part"),
        (["--input=nostore://b/x", "--output=o"], "cannot be used"),
        (["--input=s3://b/nothing", "--output=o"], "there is no such file or folder"),
        (["--input=s3://b/texts", "--output=o", "--cluster=auto"], "--cluster does"),
        (["--input=s3://b/texts/*.txt", "--output=o"], "holds no"),
        (
            ["--input=s3://b/texts", "--output=s3://b/texts", "--overwrite"],
            "name another",
        ),
    ],
)
def test_what_cannot_be_is_refused(asked, said, store, workplace):
    done = predict(workplace, *asked)
    assert done.exit_code != 0
    assert said in " ".join(done.output.split())
    assert not (workplace / "o").exists()


def test_a_package_that_is_missing_is_named(monkeypatch):
    def missing(url):
        raise ImportError("Install gcsfs to access Google Storage")

    monkeypatch.setattr(fsspec, "url_to_fs", missing)
    with pytest.raises(ConfigError, match="not installed: Install gcsfs"):
        remote.open_remote("gs://b/x")


def test_any_store_of_fsspec_will_do(expected, workplace):
    memory = fsspec.filesystem("memory")
    for name in NAMES:
        memory.pipe_file(f"/texts/{name}", csv(name))
    done = predict(workplace, "--input=memory://texts", "--output=memory://answers")
    assert done.exit_code == 0, done.output
    assert memory.cat_file("/answers/a.csv") == expected["a.csv"]
