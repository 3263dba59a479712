"""The names of a run's files."""

from seqclf.marker import COMPLETE_FILE as COMPLETE_FILE  # written last, with checksums
from seqclf.marker import CONFIG_FILE as CONFIG_FILE  # the whole question
from seqclf.marker import DATASET_FILE as DATASET_FILE
from seqclf.marker import LABELS_FILE as LABELS_FILE
from seqclf.marker import LOCK_FILE as LOCK_FILE  # held by the process that trains
from seqclf.marker import LOG_FILE as LOG_FILE  # what libraries wrote meanwhile
from seqclf.marker import MARKER_FILE

# Other programs read them, so they keep.
VOCABULARY_FILE = "vocabulary.txt"
TOKENIZER_FILE = "tokenizer.json"
THRESHOLDS_FILE = "thresholds.json"  # of several labels a text, a number a label
MODEL_FILE = "model.keras"
FIRST_EPOCH_FILE = "first_epoch.keras"  # the model after one epoch, for studies
LINEAR_FILE = "linear.npz"  # of a linear model
ONNX_FILE = "model.onnx"  # the same weights; missing if it does not agree with Keras
HISTORY_FILE = "history.jsonl"
METRICS_FILE = "metrics.json"
ENVIRONMENT_FILE = "environment.json"
PROOF_FILE = "proof.json"  # hashes of what twins must have in common
PREDICTIONS_FOLDER = "predictions"
CHECKPOINT_FILE = "checkpoint.npz"  # while it trains: how far it is
PRETRAINING_FILE = "pretraining.npz"  # the same of what comes before
STATES_FOLDER = "states"  # what each epoch began with and ended in, if asked for

# What a training that resumes finds again.
UNDER_WAY = (CHECKPOINT_FILE, PRETRAINING_FILE)
KEPT = frozenset(
    (MARKER_FILE, LOG_FILE, LOCK_FILE, FIRST_EPOCH_FILE, STATES_FOLDER, *UNDER_WAY)
)
MAY_CHANGE = frozenset((MARKER_FILE, COMPLETE_FILE, LOCK_FILE, LOG_FILE, *UNDER_WAY))

# What others may have of a run: all that it needs to predict, to be evaluated and to be
# exported elsewhere. None holds a text of the data, and none is a program.
SHARED = {
    MARKER_FILE: "that it is a run",
    COMPLETE_FILE: "checksums",
    CONFIG_FILE: "settings",
    DATASET_FILE: "name, sizes, labels and fingerprint of the data",
    LABELS_FILE: "names of the labels",
    THRESHOLDS_FILE: "from which probability on a label applies, of several a text",
    VOCABULARY_FILE: "words of the training texts",
    TOKENIZER_FILE: "rules from text to tokens",
    MODEL_FILE: "network and weights, for Keras",
    ONNX_FILE: "the same, for ONNX Runtime",
    LINEAR_FILE: "weights of the linear model",
    HISTORY_FILE: "losses by epoch",
    METRICS_FILE: "scores",
    ENVIRONMENT_FILE: "versions, device and seconds",
    f"{PREDICTIONS_FOLDER}/validation.parquet": "labels and probabilities by text",
    f"{PREDICTIONS_FOLDER}/test.parquet": "labels and probabilities by text",
}
