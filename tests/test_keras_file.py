"""A model file from a stranger is data: what names anything else is not opened."""

from __future__ import annotations

import io
import itertools
import json
import zipfile

import h5py
import numpy as np
import pytest
from conftest import pairs

from seqclf.cells import CELLS
from seqclf.config import ModelConfig
from seqclf.errors import RunError
from seqclf.model import keras_file
from seqclf.model.build import build_model
from seqclf.model.keras_file import open_keras
from seqclf.poolings import POOLINGS

SMALL = ModelConfig(cell="gru", units=3, embedding_size=2, pooling="attention")


@pytest.fixture(scope="module")
def members(tmp_path_factory) -> dict[str, bytes]:
    """What a file of seqclf holds, by name."""
    file = tmp_path_factory.mktemp("model") / "model.keras"
    build_model(SMALL, 5, 2, 0).save(file)
    with zipfile.ZipFile(file) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write(folder, members):
    file = folder / "model.keras"
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file


def with_layer(members, layer):
    """Returns the members with one more layer in the config."""
    config = json.loads(members["config.json"])
    config["config"]["layers"].append(layer)
    return members | {"config.json": json.dumps(config).encode()}


def test_what_seqclf_wrote_is_opened(members, tmp_path):
    model = open_keras(write(tmp_path, members))
    assert model.output_shape == (None, 2)


@pytest.mark.parametrize(("cell", "pooling"), pairs(CELLS, POOLINGS))
def test_all_models_name_only_what_is_known(cell, pooling):
    import keras

    keras.config.disable_interactive_logging()
    for both, depth in itertools.product((False, True), (1, 2)):
        config = ModelConfig(
            cell=cell, pooling=pooling, bidirectional=both, layers=depth, units=2,
            embedding_size=2,
        )  # fmt: skip
        made = json.loads(build_model(config, 5, 2, 0).to_json())
        assert list(keras_file._strange(made)) == []


def layer(module, class_name, **config):
    return {
        "module": module,
        "class_name": class_name,
        "config": {"name": "x", **config},
        "registered_name": None,
        "name": "x",
        "inbound_nodes": [],
    }


# Each is the harmless form of a flaw that Keras has had; none may even be looked at.
HOSTILE = {
    "CVE-2024-3660, Lambda": layer(
        "keras.layers", "Lambda",
        function={"class_name": "__lambda__", "config": {"code": "4wEAAA=="}},
    ),
    "CVE-2025-1550, any module": layer("os", "system", command="true"),
    "CVE-2025-1550, a function": layer(
        "keras.layers", "Dense", activation={"module": "os", "class_name": "function",
        "config": "system", "registered_name": "system"},
    ),
    "CVE-2025-8747, get_file": layer("keras.src.utils.file_utils", "get_file"),
    "CVE-2025-9906, unsafe": layer(
        "keras.src.saving.serialization_lib", "enable_unsafe_deserialization"
    ),
    "CVE-2025-12058, StringLookup": layer(
        "keras.layers", "StringLookup", vocabulary="/etc/hostname"
    ),
    "CVE-2026-1462, TFSMLayer": layer("keras.layers", "TFSMLayer", filepath="/tmp/x"),
    "CVE-2026-12479, a name that climbs": layer(
        "keras.layers", "Dropout", name="../../x", rate=0.1
    ),
    "a registered class": layer("keras.layers", "Dense", units=1)
    | {"registered_name": "evil>Dense"},
}  # fmt: skip


# Inside another layer it was once deserialised without the guard.
HOSTILE["CVE-2026-12481, Lambda in a layer"] = layer(
    "keras.layers", "Bidirectional", layer=HOSTILE["CVE-2024-3660, Lambda"]
)
HOSTILE["CVE-2025-12060 and -12638, get_file in an initialiser"] = layer(
    "keras.layers", "Dense", units=1,
    kernel_initializer={
        "module": "keras.utils", "class_name": "get_file", "registered_name": None,
        "config": {"origin": "file:///etc/hostname", "extract": True},
    },
)  # fmt: skip


@pytest.mark.parametrize("flaw", HOSTILE)
def test_a_file_that_names_anything_else_is_not_opened(
    flaw, members, tmp_path, monkeypatch
):
    monkeypatch.setattr(keras_file, "import_keras", lambda: pytest.fail("was opened"))
    file = write(tmp_path, with_layer(members, HOSTILE[flaw]))
    with pytest.raises(RunError, match="was not opened: it names"):
        open_keras(file)


@pytest.mark.parametrize(
    "change",
    [
        {"../outside.txt": b"x"},  # GHSA-hqp4-2352-xf5r: paths that climb
        {"assets/vocabulary.txt": b"x"},
        {"config.json": b"{"},
        {"config.json": b'{"config": 1, "config": 2}'},
        {"config.json": b"[]"},
        {"config.json": b" " * (2**20 + 1)},
        {"config.json": b"[" * 100_000},
    ],
)
def test_an_archive_of_another_kind_is_not_opened(
    change, members, tmp_path, monkeypatch
):
    monkeypatch.setattr(keras_file, "import_keras", lambda: pytest.fail("was opened"))
    with pytest.raises(RunError, match="could not be opened"):
        open_keras(write(tmp_path, members | change))


def test_what_is_too_large_is_not_even_parsed(members, tmp_path, monkeypatch):
    monkeypatch.setattr(keras_file, "import_keras", lambda: pytest.fail("was opened"))
    spaces = b" " * keras_file.MEMBERS["config.json"]
    padded = members | {"config.json": members["config.json"] + spaces}
    with pytest.raises(RunError, match=r"could not be opened: config\.json is huge"):
        open_keras(write(tmp_path, padded))


@pytest.mark.parametrize("levels", [1, 2, 3])
def test_missing_weights_are_not_made_up(levels, members, tmp_path):
    def change(file, place):
        group = place.rsplit("/", levels - 1)[0]
        if group in file:
            del file[group]

    weights = rewritten(members["model.weights.h5"], change)
    with pytest.raises(RunError, match="could not be opened"):
        open_keras(write(tmp_path, members | {"model.weights.h5": weights}))


def test_hdf5_under_the_name_is_not_opened(members, tmp_path, monkeypatch):
    # CVE-2025-9905: Keras's safe mode did not look at HDF5 files.
    monkeypatch.setattr(keras_file, "import_keras", lambda: pytest.fail("was opened"))
    (tmp_path / "model.keras").write_bytes(members["model.weights.h5"])
    with pytest.raises(RunError, match="could not be opened"):
        open_keras(tmp_path / "model.keras")


def test_a_folder_under_the_name_is_not_opened(tmp_path):
    (tmp_path / "model.keras").mkdir()  # an Orbax checkpoint
    with pytest.raises(RunError, match="could not be opened"):
        open_keras(tmp_path / "model.keras")


def rewritten(weights: bytes, change) -> bytes:
    stored = io.BytesIO(weights)
    with h5py.File(stored, "r+") as file:
        names: list[str] = []
        file.visititems(
            lambda name, item: names.append(name) if hasattr(item, "dtype") else None
        )
        place = next(name for name in names if "embedding" in name)
        del file[place]
        change(file, place)
    return stored.getvalue()


def test_weights_in_another_file_are_not_read(members, tmp_path):
    # CVE-2026-1669: an external data set reads a file of the reader's.
    secret = tmp_path / "secret"
    secret.write_bytes(np.full(10, 7, np.float32).tobytes())

    def change(file, place):
        outside = [(str(secret), 0, h5py.h5f.UNLIMITED)]
        file.create_dataset(place, (5, 2), np.float32, external=outside)

    weights = rewritten(members["model.weights.h5"], change)
    with pytest.raises(RunError, match="could not be opened"):
        open_keras(write(tmp_path, members | {"model.weights.h5": weights}))


@pytest.mark.parametrize("kind", ["virtual", "soft link", "external link"])
def test_weights_that_stand_elsewhere_are_not_read(kind, members, tmp_path):
    # The other ways in which an HDF5 file names what is not in it; see CVE-2026-1669.
    secret = tmp_path / "secret.h5"
    with h5py.File(secret, "w") as file:
        file["x"] = np.full((5, 2), 7, np.float32)

    def change(file, place):
        if kind == "virtual":
            layout = h5py.VirtualLayout((5, 2), np.float32)
            layout[:] = h5py.VirtualSource(str(secret), "x", shape=(5, 2))
            file.create_virtual_dataset(place, layout)
        elif kind == "soft link":
            file["elsewhere"] = np.full((5, 2), 7, np.float32)
            file[place] = h5py.SoftLink("/elsewhere")
        else:
            file[place] = h5py.ExternalLink(str(secret), "x")

    weights = rewritten(members["model.weights.h5"], change)
    with pytest.raises(RunError, match="could not be opened"):
        open_keras(write(tmp_path, members | {"model.weights.h5": weights}))


def named(value, name):
    """Yields the layers of a class, those inside others too."""
    parts = value.values() if isinstance(value, dict) else value
    for part in parts if isinstance(value, dict | list) else ():
        yield from named(part, name)
    if isinstance(value, dict) and value.get("class_name") == name:
        yield value


@pytest.mark.parametrize(
    ("name", "sizes"),
    [
        ("Embedding", {"input_dim": 10**12}),
        ("Embedding", {"output_dim": 1e300}),
        ("GRU", {"units": 3000}),  # no vector would be too large, a square matrix is
        ("Dense", {"units": 10**12}),
    ],
)
def test_layers_larger_than_their_weights_are_not_made(
    name, sizes, members, tmp_path, monkeypatch
):
    monkeypatch.setattr(keras_file, "import_keras", lambda: pytest.fail("was opened"))
    config = json.loads(members["config.json"])
    next(named(config, name))["config"] |= sizes
    content = json.dumps(config).encode()
    with pytest.raises(RunError, match="fewer weights than layers need"):
        open_keras(write(tmp_path, members | {"config.json": content}))


def test_a_huge_shape_takes_no_memory(members, tmp_path):
    # CVE-2026-0897: a shape of many terabytes, without any content.
    def change(file, place):
        file.create_dataset(place, (2**40, 2), np.float32, chunks=(1024, 2))

    weights = rewritten(members["model.weights.h5"], change)
    with pytest.raises(RunError, match="could not be opened"):
        open_keras(write(tmp_path, members | {"model.weights.h5": weights}))
