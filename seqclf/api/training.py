"""One training for Python."""

from __future__ import annotations

from typing import Unpack

from seqclf.api.options import listening, read_options
from seqclf.keywords import AnyPath, Training, of_network, with_options
from seqclf.records.training import OnEvent
from seqclf.runs import Run
from seqclf.workflows.train import train_run


@with_options(Training)
def train(
    data: AnyPath = "demo",
    *,
    keep_states: bool = False,
    on_report: OnEvent | None = None,
    **options: Unpack[Training],
) -> Run:
    """Trains one classifier, and keeps its best epoch; as `seqclf train`.

    The training runs in a process of its own. A finished run of equal settings and
    data is reused.

    Args:
      data: As in `load_dataset`.
      keep_states: Whether to keep weights and optimizer before and after every epoch,
        for `seqclf classroom grade` to replay.
      on_report: Called with the run's name and each event of its progress, such as
        `EpochEnded`, see `seqclf.records.training`.
      **options: Settings by the names of `seqclf train`, such as `cell`, `units`,
        `seed`. And where the run goes: `name` (None makes one from data, cell and
        seed), `overwrite` (whether to replace another run of that name), `fresh`
        (whether to restart an interrupted training instead of resuming it),
        `models_dir`, the folder of the runs (None takes $SEQCLF_MODELS, else
        `models`), `cache_dir`, of encoded data (None takes $SEQCLF_CACHE, else
        `data/cache`). With `log_dir`, a folder, TensorBoard's event files are written
        there; `tracker="mlflow"` writes a run of MLflow. With `require_cudnn` it
        refuses to train without cuDNN.

    Returns:
      The finished run; `Classifier.open` opens it to predict.

    Raises:
      ConfigError: If a setting is unknown, out of range, or would do nothing.
      DataError: If the data cannot be used.
      RunError: If the name is taken by another run.
      TrainingError: If the training failed.
    """
    config, target, require_cudnn = read_options(data, options, Training)
    with listening(options, target, on_report) as listener:
        asked = (config, target, listener, require_cudnn, of_network(options))
        run = train_run(*asked, keep_states)
        listener.finish([run])
    return run
