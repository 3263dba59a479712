"""The twin card: what is equal is shown by hashes, what is not has a name."""

import pytest
from conftest import seal
from test_comparison import copy

from seqclf.comparison.card import INITIAL_WEIGHTS, disagreements, twin_card
from seqclf.comparison.rows import compare_runs
from seqclf.records.plain import to_plain
from seqclf.runs import Run
from seqclf.storage import write_json


def changed(run: Run, path, **values) -> Run:
    """Copies a run and changes its proof: `batches`, `vocabulary`, …"""
    other = copy(run, path, training__seed=0, model__cell="lstm")
    write_json(path / "proof.json", to_plain(run.proof) | values)
    seal(path)
    return other


def broken(runs, chosen=()):
    return [c.what for c in twin_card(runs, chosen).checks if not c.equal]


def test_a_run_and_its_twin_disagree_in_nothing(finished_run, tmp_path):
    other = changed(finished_run, tmp_path / "b")
    card = twin_card([finished_run, other])
    assert [c.what for c in card.checks] == [
        "data",
        "division",
        "vocabulary",
        "batches and their order, by seed",
        INITIAL_WEIGHTS,
        "optimizer and schedule",
        "stopping rule",
        "keras and tensorflow",
        "processor and platform",
        "kernel of the recurrence",
        "threads in training",
    ]
    assert all(check.equal for check in card.checks)
    assert all(check.value for check in card.checks)
    assert card.different == ("model.cell",)
    assert disagreements(card) == []


def on_machine(run: Run, path, **values) -> Run:
    """Copies a run as if it had been trained on another machine."""
    other = changed(run, path)
    write_json(path / "environment.json", to_plain(run.environment) | values)
    seal(path)
    return other


def test_another_processor_is_told_and_is_no_reason_not_to_compare(
    finished_run, tmp_path
):
    other = on_machine(finished_run, tmp_path / "b", processor="another one")
    assert broken([finished_run, other]) == ["processor and platform"]
    assert disagreements(twin_card([finished_run, other])) == []
    older = on_machine(finished_run, tmp_path / "c", processor=None)
    checks = twin_card([finished_run, older]).checks
    assert "processor and platform" not in [check.what for check in checks]


def test_another_release_of_the_kernel_is_the_same_platform(finished_run, tmp_path):
    said = [
        "Linux-6.1.0-x86_64-with-glibc2.36",
        "Linux-6.8.12-2-pve-x86_64-with-glibc2.36",
    ]
    one, other = (
        on_machine(finished_run, tmp_path / f"{i}", platform=platform)
        for i, platform in enumerate(said)
    )
    assert broken([one, other]) == []
    newer = said[0].replace("2.36", "2.41")
    third = on_machine(finished_run, tmp_path / "third", platform=newer)
    assert broken([one, third]) == ["processor and platform"]


@pytest.mark.parametrize(
    ("part", "line"),
    [
        ({"vocabulary": "beef"}, "vocabulary"),
        ({"splits": {"train": "1", "validation": "2", "test": "3"}},
         "division"),
        ({"batches": ["beef", "beef"]}, "batches and their order, by seed"),
    ],
)  # fmt: skip
def test_what_disagrees_is_named_and_nothing_is_ranked(
    part, line, finished_run, tmp_path
):
    other = changed(finished_run, tmp_path / "b", **part)
    card = twin_card([finished_run, other])
    assert broken([finished_run, other]) == [line]
    check = next(c for c in card.checks if c.what == line)
    assert check.differing == ("b",)
    assert disagreements(card) == [line]
    verdict = compare_runs([finished_run, other]).verdict
    assert verdict == (
        f"These runs are not ranked, for they are no twins: they also differ in {line}."
    )


def test_a_twin_that_stopped_sooner_has_fewer_batches_and_is_a_twin(
    finished_run, tmp_path
):
    fewer = finished_run.proof.batches[:1]
    other = changed(finished_run, tmp_path / "b", batches=fewer)
    assert broken([finished_run, other]) == []


def test_weights_are_compared_where_their_shapes_agree(finished_run, tmp_path):
    weights = dict(finished_run.proof.initial_weights)
    (name,) = [n for n in weights if n.startswith("logits/kernel")]
    other_shape = {**weights, "logits/kernel [8, 2]": "beef"}
    del other_shape[name]
    narrower = changed(finished_run, tmp_path / "b", initial_weights=other_shape)
    assert broken([finished_run, narrower]) == []
    drawn_anew = {**weights, name: "beef"}
    other = changed(finished_run, tmp_path / "c", initial_weights=drawn_anew)
    assert broken([finished_run, other]) == [INITIAL_WEIGHTS]


def test_another_seed_has_batches_and_weights_of_its_own(finished_run, tmp_path):
    proof = {"batches": ["beef"] * 2, "initial_weights": {"embedding [3]": "beef"}}
    other = changed(finished_run, tmp_path / "b", **proof)
    seeded = copy(other, tmp_path / "c", training__seed=1)
    assert broken([finished_run, seeded]) == []


def test_a_rate_that_the_comparison_chose_may_differ(finished_run, tmp_path):
    training = to_plain(finished_run.proof.training)
    schedule = training["schedule"] | {"warmup_target": 0.5}
    other = changed(
        finished_run, tmp_path / "b", training=training | {"schedule": schedule}
    )
    faster = copy(other, tmp_path / "c", training__learning_rate=0.5)
    assert broken([finished_run, faster]) == ["optimizer and schedule"]
    chosen = ("training.learning_rate",)
    assert broken([finished_run, faster], chosen) == []
    assert disagreements(twin_card([finished_run, faster], chosen)) == []
    # More steps are no choice of the rate.
    longer = training | {"schedule": schedule | {"decay_steps": 1}}
    write_json(
        faster.path / "proof.json", to_plain(finished_run.proof) | {"training": longer}
    )
    seal(faster.path)
    assert broken([finished_run, faster], chosen) == ["optimizer and schedule"]


def test_what_tuning_chose_may_differ_and_is_not_told_as_equal(finished_run, tmp_path):
    training = to_plain(finished_run.proof.training)
    course = {"warmup_target": 0.5, "warmup_steps": 3, "decay_steps": 1}
    tuned = training | {
        "global_clipnorm": 0.25, "schedule": training["schedule"] | course,
    }  # fmt: skip
    changed(finished_run, tmp_path / "b", training=tuned)
    settings = {"learning_rate": 0.5, "clip_norm": 0.25, "warmup_fraction": 0.3,
                "epochs": 9}  # fmt: skip
    other = copy(
        Run(tmp_path / "b"), tmp_path / "c",
        **{f"training__{name}": value for name, value in settings.items()},
    )  # fmt: skip
    runs = [finished_run, other]
    assert broken(runs) == ["optimizer and schedule", "stopping rule"]
    chosen = [f"training.{name}" for name in settings]
    card = twin_card(runs, chosen)
    assert (broken(runs, chosen), disagreements(card)) == ([], [])
    said = {check.what: check.value for check in card.checks}
    assert (
        said["optimizer and schedule"] == "AdamW, steps that rise, then a cosine to 0"
    )
    assert said["stopping rule"].endswith("or as many as were chosen")
    for left_out in ("training.clip_norm", "training.epochs"):
        others = [name for name in chosen if name != left_out]
        assert "optimizer and schedule" in broken(runs, others)
    # Nor of the optimizer itself.
    changed(finished_run, tmp_path / "d", training=tuned | {"beta_1": 0.5})
    third = copy(Run(tmp_path / "d"), tmp_path / "e")
    assert broken([finished_run, third], chosen) == ["optimizer and schedule"]


def test_threads_and_kernels_concern_times_alone(finished_run, tmp_path):
    other = changed(finished_run, tmp_path / "b")
    environment = to_plain(finished_run.environment) | {
        "threads": 77,
        "kernel": "cuDNN",
    }
    write_json(other.path / "environment.json", environment)
    seal(other.path)
    card = twin_card([finished_run, other])
    assert broken([finished_run, other]) == [
        "kernel of the recurrence", "threads in training"
    ]  # fmt: skip
    assert disagreements(card) == []


def test_the_twin_card_names_the_dials_and_the_cells_that_have_them(
    finished_run, tmp_path
):
    assert finished_run.config.model.cell == "gru"
    dials = {"model__update_bias": 2.0, "model__recurrent_init": "identity"}
    gru = copy(finished_run, tmp_path / "a", **dials)
    rnn = copy(finished_run, tmp_path / "b", model__cell="rnn", **dials)
    card = twin_card([gru, rnn])
    said = {check.what: check.value for check in card.checks}
    assert said["update bias, of gru alone"] == "2.0"
    assert said["recurrent init"] == "identity"
    assert disagreements(card) == []
    alone = [check.what for check in twin_card([rnn]).checks]
    assert "recurrent init" in alone
    assert not [what for what in alone if "bias" in what]  # it has no such gate
    usual = twin_card([finished_run])
    assert "recurrent init" not in {check.what for check in usual.checks}
    other = copy(rnn, tmp_path / "c", model__recurrent_init="glorot")
    assert disagreements(twin_card([gru, other])) == ["model.recurrent_init"]


def test_the_twin_card_tells_momentum_from_plain_sgd(finished_run, tmp_path):
    training = to_plain(finished_run.proof.training)
    training |= {"optimizer": "SGD", "momentum": 0.9, "global_clipnorm": None}
    run = changed(finished_run, tmp_path / "b", training=training)
    said = {check.what: check.value for check in twin_card([run]).checks}
    shown = said["optimizer and schedule"]
    assert shown.startswith("SGD with momentum 0.9, ")
    assert shown.endswith("; not clipped")
