"""The words of the page, for readers who know statistics or Keras, but not both."""

from __future__ import annotations

TERMS = {
    "cell: none, rnn, gru, lstm": "The layer that reads a text token by token and "
    "keeps a state: Keras's SimpleRNN, GRU and LSTM; none has no such layer. All else "
    "is equal, or was chosen in the same way.",
    "unit": "One number of a cell's state; more units make a larger model.",
    "majority, tf-idf + logistic regression, nb-svm": "Baselines, fitted once: always "
    "the commonest label of the training texts; and two linear models on n-grams, "
    "blind to any other order: words and pairs by TF-IDF; and one to three words, "
    "weighted by naive Bayes's log-count ratio (Wang & Manning 2012, with logistic "
    "regression in place of the SVM).",
    "seed": "The number that all chance of a training is drawn from: initial weights, "
    "order of the batches, dropout. Another seed makes another model.",
    "train, validation, test": "Three disjoint sets of texts: to learn from; to choose "
    "the epoch (and, where it was asked for, settings) by; to measure with, once.",
    "epoch, best epoch": "A pass over all training texts; the one after which the "
    "validation loss was least. Its weights are the model.",
    "learning rate, dropout": "The size of a step of training; the share of values "
    "that is left out at random while training, against overfitting.",
    "accuracy": "The share of texts whose answer, the likeliest label, is right.",
    "macro F1": "The mean over labels of F1, the harmonic mean of precision and "
    "recall; rare labels count as much as common ones.",
    "example F1": "Where a text may have several labels: the mean over texts of the F1 "
    "of its labels, 1 where it has none and gets none. Accuracy then counts texts with "
    "all labels right.",
    "micro F1, mean average precision": "Of such texts: F1 over all labels of all "
    "texts; the mean over labels of the area under precision and recall, whatever the "
    "thresholds.",
    "mean absolute error, quadratic kappa": "Where labels are numbers, such as stars: "
    "the mean distance of the answer, and agreement beyond chance, distances squared.",
    "log loss": "The mean of minus the logarithm of the probability that was given to "
    "the true label, in nats; less is better, and certainty that is wrong costs most.",
    "95 % interval": "Made so that, over many comparisons, 95 of 100 such intervals "
    "hold the true value. It allows for other texts and, with several seeds, for other "
    "seeds.",
    "point": "A hundredth of accuracy, or of macro F1: from 88 % to 89 % is one point.",
    "McNemar's test": "Compares two models on the same texts by those that one alone "
    "has right.",
    "calibration error": "How far the stated probability of the answers is from the "
    "share that is right, in points, the mean over all answers in ten bins.",
    "kernel": "The program that runs the cell: cuDNN's on a GPU, or TensorFlow's loop. "
    "Times of different kernels are not compared.",
    "s to best, ms per text, peak MB": "Seconds to the best epoch; milliseconds for "
    "one text alone, by the exported model; the most memory that a training held.",
}
