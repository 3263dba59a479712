"""What each study tests, trains and measures, in words.

Light, so that the help can show it at once; the studies are in `seqclf.studies`.
"""

from __future__ import annotations

from dataclasses import dataclass

# Their network has one layer, one direction, the last state and no convolution.
_PLAIN = frozenset({"layers", "bidirectional", "pooling", "conv_width"})
_ONE_SEED = "--data reviews.csv"
_TEXT, _RANGE = frozenset({"text"}), frozenset({"range_test"})
_WORDS = frozenset({"tokens"})  # of studies whose tokens are words, whatever is given


@dataclass(frozen=True, slots=True, kw_only=True)
class AboutStudy:
    """A study in words.

    Attributes:
      claim: The sentence that it tests.
      method: What it trains and measures, in one to three sentences.
      example: The options of an example, after `seqclf study NAME`.
      idle: Parameters of `seqclf study` that do nothing for it, or that it sets itself.
      trains: Whether it trains or measures your data; False if it takes neither data
        nor recipe.
      has_page: Whether `--page` writes an interactive page for it.
    """

    claim: str
    method: str
    example: str = "--data reviews.csv --seeds 3"
    idle: frozenset[str] = _TEXT | _RANGE
    trains: bool = True
    has_page: bool = False


ABOUT = {
    "flow": AboutStudy(
        claim="Gradients vanish or explode in plain RNNs by design, and gates cure it.",
        method="Measures, by back-propagation, how much of a gradient comes back over "
        "100 tokens in networks that nobody trained, while the size of the inputs, the "
        "recurrent matrix and the gates' biases are moved one by one. It takes no data "
        "and no recipe, and a few seconds. --page writes a page in which one moves the "
        "dials oneself.",
        example="--page",
        trains=False,
        has_page=True,
    ),
    "gradients": AboutStudy(
        claim="Gradients vanish or explode in plain RNNs, and gates cure it.",
        method="Trains one layer in one direction that reads out the last state, and "
        "measures the gradient of each text's loss with respect to the hidden state "
        "after every token: before training, after one epoch and at the best epoch.",
        example=_ONE_SEED,
        idle=_PLAIN | _TEXT | _RANGE,
    ),
    "memory": AboutStudy(
        claim="Gates keep long-range dependencies.",
        method="Trains on made-up texts whose answer is 10 to 500 tokens before the "
        "end, and measures the accuracy at each distance. It takes only settings from "
        "you; your data is not trained on.",
        example="--quick",
        idle=_PLAIN | _TEXT | _RANGE | _WORDS,
    ),
    "gates": AboutStudy(
        claim="z near 1 copies the old state, r near 0 drops it; LSTM hides part of "
        "its memory, GRU does not.",
        method="Trains the same network as gradients, and computes every gate and "
        "state on test texts: how often gates are open or closed, and how far the "
        "state moves in each case.",
        example='--data reviews.csv --text "not a good film, a great one"',
        idle=_PLAIN | _RANGE,
    ),
    "order": AboutStudy(
        claim="The order of words matters here at all.",
        method="Shuffles the words within each text, in training, in testing, in both "
        "or in neither, and measures the accuracy that is lost, beside a model without "
        "recurrence.",
        idle=_TEXT | _RANGE | _WORDS,
    ),
    "size": AboutStudy(
        claim="LSTM is better where data is plentiful, and overfits more.",
        method="Trains each cell on stratified samples of 64, 128, 256 … training "
        "texts and on all of them, and fits a learning curve to the test accuracy.",
    ),
    "sensitivity": AboutStudy(
        claim="The cells differ in how much their settings matter.",
        method="Trains each cell with the same 16 settings of learning rate, dropout "
        "rate, units and maximum length, and measures the spread of the validation "
        "accuracy. --range-test runs a learning-rate range test instead.",
        example=_ONE_SEED,
        idle=_TEXT | {"seeds"},
    ),
    "depth": AboutStudy(
        claim="Recurrent layers stack, and read in two directions.",
        method="Trains 1, 2 and 3 recurrent layers in one and in two directions, and "
        "compares each with one layer of the same cell.",
        idle=_TEXT | _RANGE | {"layers"},
    ),
    "mix": AboutStudy(
        claim="Recurrent layers combine with convolution and attention.",
        method="Trains each cell with a convolution before it, with attention pooling, "
        "and with both, and compares each with the same cell without them.",
        idle=_TEXT | _RANGE | {"conv_width"},
    ),
    "convergence": AboutStudy(
        claim="GRU converges in fewer steps than LSTM.",
        method="Trains the twins as compare does, and counts the training steps until "
        "three levels of validation loss are reached.",
    ),
    "cost": AboutStudy(
        claim="LSTM has the most parameters; GRU is cheaper.",
        method="Counts parameters and multiply-adds, and times training steps and "
        "predictions of all cells in turn on the same batches. It trains no model.",
        example=_ONE_SEED,
        idle=_TEXT | _RANGE | {"seeds", "epochs", "patience"},
    ),
    "wins": AboutStudy(
        claim="GRU is slightly ahead in many uses.",
        method="Reads the finished comparisons in --models-dir, one for each data set, "
        "and puts the differences of GRU and LSTM together (random effects). It trains "
        "nothing, so it takes no data and no recipe.",
        example="--models-dir models",
        trains=False,
    ),
}
