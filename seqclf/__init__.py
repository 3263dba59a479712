"""seqclf: twin SimpleRNN, GRU and LSTM text classifiers, compared fairly."""

__version__ = "0.1.0"
