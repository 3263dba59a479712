"""What seqclf uses of other packages without their promise: it is there, and works.

All of it stands in seqclf/private.py; the last tests look for more of it elsewhere.
"""

from __future__ import annotations

import ast
import importlib.util
import inspect
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
from packaging.requirements import Requirement

import seqclf
from seqclf import private

ROOT = Path(seqclf.__file__).parent
PRIVATE = ROOT / "private.py"


def adam_has_two_moments_of_each_weight():
    import keras

    optimizer = keras.optimizers.AdamW(0.1, beta_1=0.9, beta_2=0.99)
    weights = [keras.Variable(np.zeros(n, np.float32)) for n in (2, 3)]
    optimizer.build(weights)
    optimizer.apply([keras.ops.ones(2), 10 * keras.ops.ones(3)])
    for weight, gradient in zip(weights, (1, 10), strict=True):
        mean, square = private.moments(optimizer, weight.value)
        np.testing.assert_allclose(mean, np.full(weight.shape, 0.1 * gradient), 1e-5)
        np.testing.assert_allclose(square, np.full(weight.shape, 0.01 * gradient**2))
        assert {id(mean), id(square)} <= {id(v) for v in optimizer.variables}


def an_optimizer_takes_a_step_of_its_own():
    import keras

    optimizer, seen = keras.optimizers.AdamW(0.25), []
    assert callable(optimizer._all_reduce_sum_gradients)
    stock_apply = optimizer.apply
    private.replace_update(
        optimizer,
        lambda gradients, variables=None: stock_apply([2 * gradients[0]], variables),
        lambda *given: seen.append(given),
    )
    weight = keras.Variable(np.zeros(2, np.float32))
    optimizer.apply_gradients([(keras.ops.ones(2), weight)])
    ((gradient, variable, rate),) = seen
    assert gradient.numpy().tolist() == [2, 2]
    assert variable is weight.value
    assert float(rate) == 0.25
    assert int(optimizer.iterations) == 1
    assert type(optimizer) is keras.optimizers.AdamW


def gru_and_lstm_choose_cudnn_and_simple_rnn_cannot():
    import keras

    for name, has in {"GRU": True, "LSTM": True, "SimpleRNN": False}.items():
        layer = getattr(keras.layers, name)(2)
        assert private.choose_cudnn(layer, wanted=False) is has
        assert ("use_cudnn" in inspect.signature(type(layer)).parameters) is has
    assert "self.use_cudnn" in inspect.getsource(keras.layers.GRU.inner_loop)
    assert "self.use_cudnn" in inspect.getsource(keras.layers.LSTM.inner_loop)


def simple_rnn_runs_another_loop():
    import keras

    def loop(layer, sequences, initial_state, mask, training=False):
        assert layer.cell.kernel.shape == (4, 2)
        assert layer.cell.recurrent_kernel.shape == (2, 2)
        assert layer.cell.bias.shape == (2,)
        assert [state.shape for state in initial_state] == [(1, 2)]
        assert mask.shape == (1, 3)
        last = sequences[:, -1, :2]
        return last, sequences[..., :2], [last]

    layer = keras.layers.SimpleRNN(2)
    private.replace_loop(layer, loop)
    sequences = np.arange(12, dtype=np.float32).reshape(1, 3, 4)
    given = layer(sequences, mask=np.ones((1, 3), bool))
    assert given.numpy().tolist() == [[8, 9]]


def a_fitted_model_has_its_step():
    import keras
    import tensorflow as tf

    inputs = keras.Input((1,))
    model = keras.Model(inputs, keras.layers.Dense(1)(inputs))
    model.compile("sgd", loss="mse", jit_compile=False)
    data = tf.data.Dataset.from_tensors((np.ones((2, 1)), np.ones((2, 1)))).repeat(4)
    model.fit(data.take(1), shuffle=False, verbose=0)
    before, batches = int(model.optimizer.iterations), iter(data)
    for _ in range(2):
        private.train_function(model)(batches)
    assert int(model.optimizer.iterations) == before + 2


def a_litert_file_tells_its_operators():
    import tensorflow as tf

    module = tf.Module()
    shape = tf.TensorSpec([1, 2], tf.float32)
    module.call = tf.function(lambda x: tf.nn.softmax(x + 1), input_signature=[shape])
    concrete = module.call.get_concrete_function()
    made = tf.lite.TFLiteConverter.from_concrete_functions([concrete], module)
    assert private.litert_operators(made.convert()) == {"ADD", "SOFTMAX"}


def the_hub_s_library_waits_no_longer():
    from huggingface_hub import constants, file_download

    assert "etag_timeout=_ETAG_RETRY_TIMEOUT" in inspect.getsource(file_download)
    assert "= constants.HF_HUB_ETAG_TIMEOUT\n" in inspect.getsource(file_download)
    with pytest.MonkeyPatch.context() as patched:
        for module, name in (
            (constants, "HF_HUB_ETAG_TIMEOUT"),
            (file_download, "_ETAG_RETRY_TIMEOUT"),
        ):
            patched.setattr(module, name, getattr(module, name))  # put back at the end
        private.limit_hub_waiting(7)
        assert constants.HF_HUB_ETAG_TIMEOUT == 7
        assert file_download._ETAG_RETRY_TIMEOUT == 7


def the_datasets_library_has_names_for_its_cache():
    names = ("imdb", "TREC-QC", "20_newsgroups", "MyData", "HTMLPages")
    expected = ["imdb", "trec-qc", "20_newsgroups", "my_data", "html_pages"]
    assert [private.cached_name(name) for name in names] == expected


def a_child_process_does_not_run_a_script_without_a_file():
    # Not in private.py: nothing of `multiprocessing` is touched, but this is assumed.
    from multiprocessing import spawn

    from seqclf.engine import _hiding_the_script

    with _hiding_the_script():
        about = spawn.get_preparation_data("child")
    assert not {"init_main_from_name", "init_main_from_path"} & set(about)


# Package, part, and what shows that it is as private.py needs it.
PARTS = {
    "keras: Optimizer._get_variable_index, Adam._momentums, Adam._velocities":
        adam_has_two_moments_of_each_weight,
    "keras: Optimizer.apply, update_step, _all_reduce_sum_gradients of an instance":
        an_optimizer_takes_a_step_of_its_own,
    "keras: use_cudnn of a GRU or LSTM that is made":
        gru_and_lstm_choose_cudnn_and_simple_rnn_cannot,
    "keras: RNN.inner_loop, SimpleRNNCell.kernel, recurrent_kernel and bias":
        simple_rnn_runs_another_loop,
    "keras: Model.train_function": a_fitted_model_has_its_step,
    "tensorflow: lite.python.schema_py_generated": a_litert_file_tells_its_operators,
    "huggingface-hub: constants.HF_HUB_ETAG_TIMEOUT, file_download._ETAG_RETRY_TIMEOUT":
        the_hub_s_library_waits_no_longer,
    "datasets: naming.camelcase_to_snakecase":
        the_datasets_library_has_names_for_its_cache,
    "Python: multiprocessing.spawn.get_preparation_data":
        a_child_process_does_not_run_a_script_without_a_file,
}  # fmt: skip


@pytest.mark.parametrize("part", PARTS)
def test_a_private_part_does_what_is_relied_on(part):
    try:
        PARTS[part]()
    except Exception as error:
        pytest.fail(
            f"{part} is gone or does something else ({error!r}). In seqclf/private.py, "
            f"its function says what it is for and what to do; see then that trainings "
            f"give the same numbers (tests/test_training.py), and only then raise the "
            f"upper bound in pyproject.toml."
        )


def test_every_function_of_private_has_its_check():
    tree = ast.parse(PRIVATE.read_text("utf-8"))
    names = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    checks = "".join(map(inspect.getsource, PARTS.values()))
    assert [name for name in names if f"private.{name}(" not in checks] == []


@pytest.mark.parametrize("package", sorted({p.partition(":")[0] for p in PARTS}))
def test_a_package_with_private_parts_has_an_upper_bound(package):
    project = tomllib.loads((ROOT.parent / "pyproject.toml").read_text("utf-8"))
    project = project["project"]
    needed = {r.name: r for r in map(Requirement, project["dependencies"])}
    needed["Python"] = Requirement(f"Python{project['requires-python']}")
    bounds = needed[package].specifier
    assert "<" in {one.operator for one in bounds}
    there = sys.version.split()[0] if package == "Python" else version(package)
    assert bounds.contains(there), (
        f"{package} {there} is beyond {bounds}. Run this file with it, then raise the "
        f"bound in pyproject.toml, and what seqclf/private.py says it was checked with."
    )


# Modules of other packages that their documentation names.
PUBLIC = {
    "datasets", "huggingface_hub", "huggingface_hub.constants",
    "huggingface_hub.errors", "huggingface_hub.utils", "jinja2", "keras", "markupsafe",
    "matplotlib", "matplotlib.cm", "matplotlib.colors", "matplotlib.figure",
    "matplotlib.ticker", "msgspec", "numpy", "numpy.lib", "numpy.lib.format", "onnx",
    "onnx.helper", "onnx.numpy_helper",
    "onnxruntime", "onnxruntime.quantization", "pyarrow", "pyarrow.compute",
    "pyarrow.csv", "pyarrow.feather", "pyarrow.json", "pyarrow.orc", "pyarrow.parquet",
    "python_calamine", "rich", "rich.box", "rich.console", "rich.markup",
    "rich.progress", "rich.table", "rich.text", "scipy", "scipy.optimize",
    "scipy.sparse", "scipy.special",
    "scipy.stats", "sklearn.base", "sklearn.feature_extraction.text",
    "sklearn.linear_model", "sklearn.metrics", "sklearn.model_selection", "sklearn.svm",
    "sklearn.utils", "sklearn.utils.extmath", "sklearn.utils.multiclass",
    "sklearn.utils.validation",
    "fsspec", "grpc", "ray", "ray.remote_function", "ray.util.scheduling_strategies",
    "submitit",
    "prometheus_client", "starlette.applications", "starlette.exceptions",
    "starlette.middleware", "starlette.middleware.cors", "starlette.requests",
    "starlette.responses", "starlette.routing", "uvicorn",
    "tensorflow", "threadpoolctl", "tokenizers", "tokenizers.models",
    "tokenizers.trainers", "typer", "typer.core", "typing_extensions",
    # Of packages that may not be here to tell their modules from their members.
    "keras_hub.models", "keras_hub.models.Backbone", "safetensors",
    "safetensors.SafetensorError", "safetensors.safe_open", "safetensors.numpy",
    "safetensors.numpy.load_file", "safetensors.numpy.save_file",
    "mlflow", "mlflow.MlflowClient", "mlflow.entities", "mlflow.entities.Metric",
    "mlflow.entities.Param", "mlflow.exceptions", "mlflow.exceptions.MlflowException",
}  # fmt: skip
# Attributes with an underscore, or that are set, and are documented to be used so.
DOCUMENTED = {
    "_exit", "_replace", "__annotations__", "__signature__", "args", "length",  # Python
    "default_map", "info_name", "params",  # Click
    "string", "one_d_array", "two_d_array",  # scikit-learn's tags
    "supported_ops", "enabled", "weights", "table", "from_text", "from_token_ids",  # TF
    "log_severity_level", "intra_op_num_threads",  # ONNX Runtime
    "learning_rate", "stop_training",  # Keras
    # Rich
    "box", "caption", "caption_justify", "collapse_padding", "pad_edge", "show_edge",
}  # fmt: skip
# Attributes without an underscore that are no more public than those with one.
UNDOCUMENTED = {"src", "__internal__", "inner_loop", "train_function", "use_cudnn"}


def others_private(source: str, own: set[str]) -> Iterator[str]:
    """Yields what a file uses of other packages that they do not document.

    Args:
      source: The file's text.
      own: Names that seqclf itself defines.
    """
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (a.name for a in node.names if is_undocumented(a.name))
        if isinstance(node, ast.ImportFrom):
            names = [node.module, *(f"{node.module}.{a.name}" for a in node.names)]
            yield from (name for name in names if is_undocumented(name))
        if isinstance(node, ast.Attribute) and node.attr not in own | DOCUMENTED:
            hidden = node.attr.startswith("_") and not node.attr.startswith("__")
            is_set = isinstance(node.ctx, ast.Store) and not is_self(node.value)
            if hidden or is_set or node.attr in UNDOCUMENTED:
                yield ast.unparse(node)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("setattr", "vars"):
            yield ast.unparse(node)


def is_undocumented(name: str) -> bool:
    """Tells whether this is a module of another package, and none of the public."""
    package = name.partition(".")[0]
    if package in sys.stdlib_module_names:
        last = name.rpartition(".")[2]
        return last.startswith("_") and not last.startswith("__")
    return package != "seqclf" and name not in PUBLIC and is_module(name)


def is_module(name: str) -> bool:
    package, *rest = name.split(".")
    found = importlib.util.find_spec(package)
    if not rest or found is None or found.origin is None:
        return True
    place = Path(found.origin).parent.joinpath(*rest)
    return place.is_dir() or any(place.parent.glob(f"{place.name}.*"))


def is_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in ("self", "cls")


def names_of_our_own() -> set[str]:
    """Returns the names of functions, classes, fields and attributes of seqclf."""
    found = set()
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
            if isinstance(node, kinds):
                found.add(node.name)
            if isinstance(node, ast.Attribute) and is_self(node.value):
                found |= {node.attr} if isinstance(node.ctx, ast.Store) else set()
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                found.add(node.target.id)
    return found


def test_nothing_private_of_other_packages_is_used_elsewhere():
    own = names_of_our_own()
    for path in sorted(set(ROOT.rglob("*.py")) - {PRIVATE}):
        found = set(others_private(path.read_text("utf-8"), own))
        found -= {"vars(sys.modules['__main__'])"}  # see _hiding_the_script
        assert not found, (
            f"{path.relative_to(ROOT.parent)} uses {', '.join(sorted(found))}. If that "
            f"is documented, add it to PUBLIC or DOCUMENTED here; else find a "
            f"documented way, or bring it to seqclf/private.py and to PARTS."
        )


def test_the_search_for_private_parts_can_find_them():
    def found(source: str) -> list[str]:
        return sorted(others_private(source, {"_mine"}))

    assert found("import keras.src.ops") == ["keras.src.ops"]
    assert found("from keras.src import ops") == ["keras.src", "keras.src.ops"]
    assert found("from huggingface_hub import HfApi, file_download") == [
        "huggingface_hub.file_download"
    ]
    assert found("from datasets.naming import camelcase_to_snakecase") == [
        "datasets.naming"
    ]
    assert found("a._theirs + b._mine + self._mine + c.__len__()") == ["a._theirs"]
    assert found("self._theirs()") == ["self._theirs"]
    assert found("a.loop, b.c = 1, 2\nself.d = 3") == ["a.loop", "b.c"]
    assert found("model.train_function(b)") == ["model.train_function"]
    assert found("import keras\nkeras.src.ops") == ["keras.src"]
    assert found("setattr(a, 'loop', 1)") == ["setattr(a, 'loop', 1)"]
    assert set(others_private(PRIVATE.read_text("utf-8"), set())) > {"layer.inner_loop"}
