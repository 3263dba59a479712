"""The commands as plain functions, a file each; `cli/` and `api/` call the same.

They differ in who listens: a screen, or a logger. The files are imported one by one, so
that a prediction does not wait for what a training needs.

In all of them `target` says where results go, and `listener` hears of the progress.
`jobs` is the number of trainings at a time; None takes as many as cores and memory
allow. `given` are the settings that the user gave, and with `require_cudnn` a training
without cuDNN is refused, see `seqclf.steps`. They raise a ConfigError if a setting does
nothing or cannot be had, a DataError if the data cannot be used, a RunError if a name
is taken, and a TrainingError if a training failed.
"""
