"""Optimizers with a warmed-up cosine, right for token vectors and quick with them.

All have the same schedule, clip the same norm, and sum the gradients of a token that a
batch has several times.
"""

from __future__ import annotations

from typing import Any

from seqclf.config import ADAM, ADAMW, MOMENTUM, RMSPROP, TrainingConfig
from seqclf.model.backend import import_keras
from seqclf.private import moments, replace_update

# The vectors of rare words would otherwise shrink for thousands of steps in which they
# are not read; and to decay a large table takes as long as to update it.
UNDECAYED = ("bias", "embeddings")
# As BERT's (Devlin et al. 2019, N19-1423), ten times Keras's. The vector of a rare word
# has gradients of about this size, and would otherwise move as far for one text as that
# of a common one does for many: chosen on IMDB's validation split, docs/recipe.md.
EPSILON = 1e-6
# Usual since Krizhevsky, Sutskever & Hinton 2012 (NIPS 25:1097).
OF_MOMENTUM = 0.9


def optimizer_for(config: TrainingConfig, steps: int) -> Any:
    """Returns the optimizer for so many steps.

    It is one of Keras, AdamW (Loshchilov & Hutter 2019, arXiv:1711.05101) unless
    another is asked for, and is saved as such; `exact` says what is done differently.
    AdamW alone decays weights.
    """
    keras = import_keras()
    warmup = round(steps * config.warmup_fraction)
    schedule = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0 if warmup else config.learning_rate,
        decay_steps=max(steps - warmup, 1),
        warmup_target=config.learning_rate if warmup else None,
        warmup_steps=warmup,
    )
    clip_norm = config.clip_norm or None  # None does not clip
    return exact(_stock(config, learning_rate=schedule, global_clipnorm=clip_norm))


def _stock(config: TrainingConfig, **options: Any) -> Any:
    optimizers = import_keras().optimizers
    if config.optimizer == ADAMW:
        decay = config.weight_decay
        made = optimizers.AdamW(epsilon=EPSILON, weight_decay=decay, **options)
        made.exclude_from_weight_decay(var_names=list(UNDECAYED))
        return made
    if config.optimizer == ADAM:
        return optimizers.Adam(epsilon=EPSILON, **options)
    if config.optimizer == RMSPROP:
        return optimizers.RMSprop(**options)
    momentum = OF_MOMENTUM if config.optimizer == MOMENTUM else 0.0
    return optimizers.SGD(momentum=momentum, **options)


def exact(optimizer: Any) -> Any:
    """Makes an optimizer of Keras follow its formula, and Adam faster; returns it.

    A token that occurs n times in a batch has n gradients, and its gradient is their
    sum. Keras's Adam and RMSprop take the sum of their squares for the square of that
    sum, and all clip by the norm of the n, not of their sum. Here they are summed
    first.

    For Adam and AdamW, TensorFlow's fused operation then does the same update as Keras
    (Kingma & Ba 2015, arXiv:1412.6980, end of section 2: epsilon is added before the
    bias is corrected) in one pass over the embedding table, where Keras makes a dozen.

    Args:
      optimizer: Without `amsgrad`, for float32 weights.
    """
    import tensorflow as tf

    stock_apply = optimizer.apply

    def apply(gradients: Any, variables: Any = None) -> None:
        stock_apply([tf.convert_to_tensor(g) for g in gradients], variables)

    is_adam = isinstance(optimizer, import_keras().optimizers.Adam)
    update_step = _in_one_pass(optimizer) if is_adam else optimizer.update_step
    replace_update(optimizer, apply, update_step)
    return optimizer


def _in_one_pass(optimizer: Any) -> Any:
    """Returns the update of a weight by an Adam of Keras as one operation."""
    import tensorflow as tf

    beta_1, beta_2 = tf.constant(optimizer.beta_1), tf.constant(optimizer.beta_2)

    def update_step(gradient: Any, variable: Any, learning_rate: Any) -> None:
        mean, mean_of_squares = moments(optimizer, variable)
        step = tf.cast(optimizer.iterations + 1, tf.float32)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=mean.value.handle,
            v=mean_of_squares.value.handle,
            beta1_power=beta_1**step,
            beta2_power=beta_2**step,
            lr=tf.cast(learning_rate, tf.float32),
            beta1=beta_1,
            beta2=beta_2,
            epsilon=optimizer.epsilon,
            grad=gradient,
        )

    return update_step
