"""Questions to a student, made of what is known of the cell and the data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from seqclf.cells import CELLS
from seqclf.config import RunConfig
from seqclf.data.dataset import TEST, TRAIN
from seqclf.model.build import recurrent_parameters
from seqclf.poolings import POOLINGS
from seqclf.records.dataset import DatasetInfo
from seqclf.report.table import in_markdown
from seqclf.wording import percent

OF_CELL: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "rnn": (
            "A SimpleRNN multiplies its state by the recurrent kernel at every token. "
            "What becomes of a gradient that goes back through many tokens if the "
            "largest singular value of that kernel is 0.9, and if it is 1.1?",
            "It shrinks at least as fast as 0.9 to the power of the tokens; at 1.1 it "
            "may grow, as far as the slope of tanh, at most 1, lets it.",
        ),
        "gru": (
            "In Keras's GRU the new state is z · h + (1 − z) · candidate. What does "
            "the cell do at a token with z = 1, and with z = 0? Cho et al. (2014) and "
            "Chung et al. (2014) do not mean the same gate by z: who agrees with "
            "Keras?",
            "At z = 1 it keeps the old state, at z = 0 it takes the candidate alone; "
            "Cho et al. agree with Keras.",
        ),
        "lstm": (
            "Keras begins with a bias of 1 for the forget gate of an LSTM and 0 for "
            "all others. What does that do to the cell's state, and to its gradient, "
            "in the first steps of the training?",
            "The forget gate begins near sigmoid(1) = 0.73 in place of 0.5, so that "
            "state and gradient last over more tokens.",
        ),
        "none": (
            "Your model has no recurrent layer. Which texts of the data can it not "
            "tell apart whatever it learns, and why?",
            "Those of the same words in another order: pooling does not see order.",
        ),
    }
)


@dataclass(frozen=True, slots=True)
class Question:
    """A question, and its answer as far as it is known before the training."""

    text: str
    answer: str


def questions(config: RunConfig, about: DatasetInfo) -> list[Question]:
    """Returns the questions to who trains a config on a data set."""
    found = [*_weights(config), *_lengths(config, about)]
    if not about.has_several:
        found.insert(0, _always(about))
    if config.model.cell in OF_CELL and not _sees_order(config):
        found.append(Question(*OF_CELL[config.model.cell]))
    found.append(
        Question(
            "Which epoch had the least validation loss, and how did the loss in "
            "training go on after it? Why does the run keep that epoch, and not the "
            "last one?",
            "As history.jsonl of the run has it.",
        )
    )
    found.append(
        Question(
            "Find a test text that your model gets wrong although it is sure. What "
            "may have misled it? Change one word so that the answer turns, and show it "
            "with seqclf predict.",
            "The student's own.",
        )
    )
    return found


def _always(about: DatasetInfo) -> Question:
    counts, total = about.label_counts[TEST], about.sizes[TEST]
    commonest = about.label_counts[TRAIN].index(max(about.label_counts[TRAIN]))
    share = percent(counts[commonest] / total)
    label = in_markdown(about.labels[commonest])
    return Question(
        f"The commonest label of the training texts is {label}; of the {total:,} test "
        f"texts {counts[commonest]:,} have it. What is the accuracy of always "
        f"answering it? Is your model shown to be better: where does the 95 % "
        f"interval of its accuracy begin?",
        f"{share} %.",
    )


def _weights(config: RunConfig) -> list[Question]:
    model, cell = config.model, CELLS[config.model.cell]
    if not cell.recurs:
        return []
    directions = " in each of two directions" if model.bidirectional else ""
    layers = f" and {model.layers} layers, one upon the other" * (model.layers > 1)
    count = recurrent_parameters(model)
    return [
        Question(
            f"Your {cell.title} reads vectors of {model.embedding_size} numbers and "
            f"has {model.units} units{directions}{layers}. How many weights does it "
            f"have? Write down the calculation, and compare it with the recurrent "
            f"parameters that the training prints.",
            f"{count:,}: h ({cell.parts} (h + d) + {cell.biases}) a direction, with d "
            f"inputs and h units.",
        )
    ]


def _lengths(config: RunConfig, about: DatasetInfo) -> list[Question]:
    tokens, pooling = about.tokens.get(TRAIN), POOLINGS[config.model.pooling]
    if tokens is None or not CELLS[config.model.cell].recurs:
        return []
    other = "the largest of all states" if pooling.is_last else "the last state alone"
    return [
        Question(
            f"Half of the training texts have {tokens.median:,} tokens or fewer; "
            f"{tokens.cut:,} are longer than {config.text.max_length:,} and are cut. "
            f"What does pooling by {config.model.pooling} mean for how far a gradient "
            f"has to go back, and what would change if {other} counted?",
            "With the last state alone it goes through every token from the end; "
            "other poolings reach each state at once.",
        )
    ]


def _sees_order(config: RunConfig) -> bool:
    """Tells whether a network sees order though nothing recurs in it.

    It does with a convolution, or where the last token counts alone.
    """
    model = config.model
    if CELLS[model.cell].recurs:
        return False
    return model.conv_width is not None or POOLINGS[model.pooling].is_last
