from __future__ import annotations

import json
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import TINY, invoke, reviews, run_cli, run_in, seal, write_csv
from typer.testing import CliRunner

from seqclf.cli import commands
from seqclf.errors import RunError
from seqclf.marker import COMPARISON, begin
from seqclf.model import kernels


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "--cell", "transformer"], "none, dense, rnn, gru, lstm"),
        (["train", "--cell", "lstn"], "did you mean 'lstm'"),
        (["train", "--epochs", "0"], "epochs must be a whole number of at least 1"),
        (["train", "--epochs", "many"], "parse string as an integer"),
        (["train", "--dropout-rate", "nan"], "got nan"),
        (["train", "--word-dropout-rate", "1"], "word_dropout_rate"),
        (["train", "--learning-rate", "0"], "learning_rate"),
        (["train", "--max-length", "0"], "max_length"),
        (["train", "--keep", "middle"], "head, tail, both"),
        (["train", "--pooling", "sum"], "last, max, mean, attention"),
        (["train", "--conv-width", "0"], "conv_width must be a whole number of at"),
        (["train", "--seed", "-1"], "seed"),
        (["train", "--data", "demo", "--limit", "0"], "limit"),
        (["train", "--name", "a/b", "--data", "demo"], "--name"),
        (["compare", "--cells", "lstm,lstm"], "twice"),
        (["compare", "--cells", "rnn,cnn"], "unknown cell 'cnn'"),
        (["compare", "--seeds", "0"], "--seeds must be"),
        (["compare", "--cell", "gru"], "No such option"),
        (["compare", "--jobs", "0"], "--jobs must be a whole number of at least 1"),
        (["compare", "--margin", "0"], "--margin takes points between 0 and 100"),
        (["compare", "a", "b", "--margin", "100"], "--margin takes points between"),
        (["compare", "--tune", "-2"], "--tune must be a whole number of at least 0"),
        (["study", "cost", "--jobs", "0"], "--jobs must be a whole number of at leas"),
        (["study", "cost", "--jobs", "-1"], "--jobs must be a whole number of at lea"),
        (["study", "cost", "--seeds", "-1"], "--seeds must be a whole number of at l"),
        (["claims", "--jobs", "-3"], "--jobs must be a whole number of at least 1"),
        (["claims", "--jobs", "0"], "--jobs must be a whole number of at least 1"),
        (["claims", "--seeds", "0"], "--seeds must be a whole number of at least 1"),
        (["predict", "--top", "0", "x"], "--top"),
        (["train", "--cell", "none", "--units", "64"], "units does nothing"),
        (["train", "--cell", "none", "--kernel", "loop"], "kernel does nothing"),
        # At its default, too: what was typed was meant to do something.
        (["train", "--cell", "none", "--units", "128"], "units does nothing"),
        (["compare", "--cells", "none", "--layers", "1"], "layers does nothing"),
        (["train", "--batch-tokens", "900", "--batch-size", "64"], "give one"),
        (["study", "wins", "--seeds", "1"], "--seeds does nothing when wins takes"),
        (
            ["study", "wins", "--cells", "rnn,gru,lstm"],
            "--cells does nothing when wins takes",
        ),
        (["study", "wins", "--data", "demo"], "--data does nothing when wins takes"),
        (["train", "--kernel", "cuda"], "auto, loop, cudnn"),
        (["train", "--batch-tokens", "0"], "batch_tokens"),
        (["train", "--batch-tokens", "900", "--batch-size", "9"], "give one"),
        (["train", "--require-cudnn", "--kernel", "loop"], "exclude each other"),
        (["train", "--overwrite"], "--overwrite replaces what stands under --name"),
        (
            ["train", "--text-column", "body"],
            "text_column does nothing with the data set demo",
        ),
        (["train", "--test-fraction", "0.5"], "test_fraction does nothing here"),
        (["compare", "a", "b", "--seeds", "2"], "--seeds does nothing when finished"),
        (["nonsense"], "No such command"),
    ],
)
def test_wrong_options_are_answered_with_what_would_do(arguments, message, tmp_path):
    result = run_in(tmp_path, *arguments)
    assert result.exit_code == 2
    assert message in " ".join(result.output.split())
    assert "Traceback" not in result.output
    assert list(tmp_path.glob("models/*")) == []


def test_a_missing_data_set_ends_with_1(tmp_path):
    result = run_in(tmp_path, "train", "--data", "reviews.csv")
    assert result.exit_code == 1
    assert "reviews.csv: there is no file or folder of that name" in result.output


def test_a_required_cudnn_is_refused_before_anything_is_done(tmp_path, monkeypatch):
    monkeypatch.setattr(kernels, "gpus", list)
    for arguments in (
        ["train", "--require-cudnn"], ["compare", "--require-cudnn"],
        ["train", "--kernel", "cudnn"],
    ):  # fmt: skip
        result = run_in(tmp_path, *arguments)
        assert result.exit_code == 2
        output = " ".join(result.output.split())
        assert "cuDNN is required and cannot run: TensorFlow sees no GPU" in output
        assert not (tmp_path / "models").exists()


def test_another_keras_backend_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    for command in ("train", "compare"):
        result = run_in(tmp_path, command)
        assert result.exit_code == 2
        assert "KERAS_BACKEND is 'jax'" in result.output


@pytest.mark.parametrize("name", commands.COMMANDS)
def test_a_command_alone_shows_the_page_it_shows_among_others(name):
    among = invoke(name, "--help").output
    alone = CliRunner().invoke(commands.command_line(name), [name, "--help"]).output
    assert alone.split("Usage", 1)[1] == among.split("Usage", 1)[1]


def test_version_is_printed():
    import seqclf

    assert invoke("--version").output == f"seqclf {seqclf.__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "code"), [(["--version"], 0), (["data", "show", "no.csv"], 1)]
)
def test_what_libraries_do_at_the_end_cannot_fail_a_command(arguments, code, tmp_path):
    # Python's own end is where threads that libraries leave behind may abort.
    program = (
        "import atexit, os, sys\n"
        "from seqclf.cli import main\n"
        "atexit.register(os.abort)\n"
        f"sys.argv = ['seqclf', *{arguments}]\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode == code
    assert done.stdout.startswith("seqclf ") if code == 0 else "no.csv" in done.stderr


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_output_that_cannot_be_written_is_no_success(stream):
    program = [sys.executable, "-m", "seqclf", "data", "list"]
    if stream == "stderr":
        program[-1] = "nothing"
    with Path("/dev/full").open("w") as full:
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, stream: full}
        done = subprocess.run(program, encoding="utf-8", **streams)
    assert done.returncode == 1
    if stream == "stdout":
        assert "No space left on device" in done.stderr


def test_debug_shows_the_traceback(tmp_path):
    environment = os.environ | {"SEQCLF_DEBUG": "1"}
    done = run_cli(["train", "--data", "nowhere"], tmp_path, env=environment)
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert "Traceback" not in run_in(tmp_path, "train", "--data=nowhere").stderr


# A finished run, its commands ------------------------------------------------------


@pytest.fixture
def models(workplace) -> str:
    return f"--models-dir={workplace / 'models'}"


def test_predict_answers_each_argument(models):
    result = invoke("predict", models, "a good film", "an awful meal")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert len(lines) == 2
    assert lines[0].endswith("\ta good film")
    assert "reviews-gru-0, trained on reviews, test accuracy" in result.stderr


def test_predict_json_has_the_agreed_shape(models):
    result = invoke("predict", models, "--json", "a good film", "")
    records = [json.loads(line) for line in result.stdout.splitlines()]
    for record, text in zip(records, ["a good film", ""], strict=True):
        assert record["text"] == text
        assert set(record["probabilities"]) == {"bad", "good"}
        assert sum(record["probabilities"].values()) == pytest.approx(1, abs=1e-6)
        assert record["probability"] == record["probabilities"][record["label"]]
        assert record["probability"] == max(record["probabilities"].values())


def test_predict_top_ranks_the_labels(models):
    line = invoke("predict", models, "--top", 2, "a good film").stdout
    first, second = line.split("\t")[0].split("  ")
    assert {first.split()[0], second.split()[0]} == {"bad", "good"}
    assert float(first.split()[1]) >= float(second.split()[1])


@pytest.mark.parametrize("end", ["\n", ""])
def test_predict_reads_lines_and_keeps_their_order(end, workplace):
    texts = [text for text, _ in reviews(150)] + ["", "emoji 🎬", "\x1b[31mred"]
    done = run_cli(["predict", "--json", "-"], workplace, input="\n".join(texts) + end)
    assert [json.loads(x)["text"] for x in done.stdout.splitlines()] == texts


def test_predict_does_not_let_a_text_steer_the_terminal(models):
    result = invoke("predict", models, "\x1b]0;title\x07\u202egood")
    assert "\x1b" not in result.stdout
    assert "\u202e" not in result.stdout


def test_predict_works_on_a_megabyte(workplace):
    done = run_cli(["predict", "-q", "-"], workplace, input="word " * 200_000 + "\n")
    assert done.returncode == 0
    assert len(done.stdout) < 200


def test_predict_refuses_standard_input_beside_other_texts(models):
    result = invoke("predict", models, "-", "hello")
    assert result.exit_code == 2
    assert "goes with no other text" in result.output


def test_predict_does_not_mind_a_reader_that_leaves(workplace):
    command = [sys.executable, "-m", "seqclf", "predict", "-q", "--json", "a", "b"]
    process = subprocess.Popen(
        command, cwd=workplace, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    process.stdout.close()
    said = process.stderr.read()
    process.stderr.close()
    assert process.wait(timeout=60) == 0, said
    assert said == b""


def test_ctrl_c_ends_a_waiting_predict_in_order(workplace):
    process = subprocess.Popen(
        [sys.executable, "-m", "seqclf", "predict", "-"],
        cwd=workplace,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    process.stdin.write("good film\n")
    process.stdin.flush()
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    said = process.stderr.read()
    assert process.wait(timeout=30) == 130
    assert "Fatal" not in said
    assert "Interrupted" in said
    for stream in (process.stdin, process.stdout, process.stderr):
        stream.close()


def test_predict_without_a_run_says_how_to_make_one(tmp_path):
    result = run_in(tmp_path, "predict", "x")
    assert result.exit_code == 1
    assert "seqclf train --cell lstm" in result.output


def test_predict_answers_each_line_as_it_comes(workplace):
    process = subprocess.Popen(
        [sys.executable, "-m", "seqclf", "predict", "-"],
        cwd=workplace,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        encoding="utf-8",
    )
    for text in ("good film", "bad meal"):
        process.stdin.write(text + "\n")
        process.stdin.flush()
        assert process.stdout.readline().endswith(f"\t{text}\n")  # before the end
    process.stdin.close()
    assert process.wait(timeout=30) == 0
    process.stdout.close()


def test_predict_waits_where_another_process_made_reading_not_wait(workplace):
    reads, writes = os.pipe()
    os.set_blocking(reads, False)
    process = subprocess.Popen(
        [sys.executable, "-m", "seqclf", "predict", "-", "--quiet"],
        cwd=workplace, stdin=reads, stdout=subprocess.PIPE, encoding="utf-8",
    )  # fmt: skip
    os.close(reads)
    time.sleep(1)
    os.write(writes, b"good film\n")
    assert process.stdout.readline().endswith("\tgood film\n")
    os.close(writes)
    assert process.wait(timeout=30) == 0
    process.stdout.close()


def test_predict_tells_what_it_cannot_read(workplace):
    closed = os.open(os.devnull, os.O_WRONLY)  # as `predict - 0>&1` has it
    done = subprocess.run(
        [sys.executable, "-m", "seqclf", "predict", "-"], cwd=workplace,
        stdin=closed, capture_output=True, encoding="utf-8", timeout=60,
    )  # fmt: skip
    os.close(closed)
    assert done.returncode == 1
    assert "Error: standard input cannot be read: [Errno 9]" in done.stderr
    assert "Traceback" not in done.stderr


def test_predict_without_text_on_a_terminal_says_what_to_type(workplace):
    controller, terminal = pty.openpty()
    done = run_cli(["predict"], workplace, stdin=terminal)
    os.close(controller)
    os.close(terminal)
    assert done.returncode == 2
    assert 'seqclf predict "text"' in done.stderr


def test_train_twice_reuses_the_finished_run(workplace):
    again = run_in(workplace, "train", "--cell=gru", "--data=reviews", *TINY)
    assert again.exit_code == 0
    assert "is finished with these settings and data: reused" in again.stderr
    quiet = run_cli(
        ["train", "--cell=gru", "--data=reviews", "--quiet", "--json", *TINY], workplace
    )
    assert quiet.stderr == ""
    assert json.loads(quiet.stdout)["run"].endswith("reviews-gru-0")


@pytest.mark.slow
def test_evaluate_scores_a_file_of_ones_own(models, tmp_path):
    path = write_csv(tmp_path / "new.csv", reviews(30, start=300))
    result = invoke("evaluate", "reviews-gru-0", models, f"--data={path}", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["n"] == 30
    table = invoke("evaluate", "reviews-gru-0", models, f"--data={path}")
    assert "By label" in table.stdout
    assert "By length" in table.stdout


def test_evaluate_refuses_a_split_that_is_not_there(workplace, models):
    data = f"--data={workplace / 'reviews'}"
    result = invoke("evaluate", "reviews-gru-0", models, data, "--split", "tset")
    assert result.exit_code == 2
    assert "did you mean 'test'" in " ".join(result.output.split())


def test_runs_are_listed_and_shown(models):
    listed = invoke("runs", "list", models, "--json")
    record = json.loads(listed.stdout)[0]
    assert (record["run"], record["cell"]) == ("reviews-gru-0", "gru")
    assert "reviews-gru-0" in invoke("runs", "list", models).stdout
    shown = invoke("runs", "show", "reviews-gru-0", models, "--json")
    values = json.loads(shown.stdout)
    assert values["config"]["model"]["units"] == 8
    assert len(values["history"]) == 2
    assert "validation loss" in invoke("runs", "show", models).stdout


def test_runs_are_removed_and_nothing_else_is(workplace, tmp_path):
    models = tmp_path / "models"
    shutil.copytree(workplace / "models", models)
    (models / "diary").mkdir()
    option = f"--models-dir={models}"
    refused = invoke("runs", "remove", "diary", "--yes", option)
    assert refused.exit_code == 1
    assert (models / "diary").exists()
    kept = invoke("runs", "remove", "reviews-gru-0", option, input="n\n")
    assert kept.exit_code == 1
    assert (models / "reviews-gru-0").exists()
    assert invoke("runs", "remove", "reviews-gru-0", "-y", option).exit_code == 0
    assert [path.name for path in models.iterdir()] == ["diary"]


def test_data_is_listed_and_shown(workplace):
    assert "demo" in invoke("data", "list").stdout
    assert "demo" in json.loads(invoke("data", "list", "--json").stdout)["names"]
    result = invoke("data", "show", workplace / "reviews", "--json")
    summary = json.loads(result.stdout)
    assert summary["splits"]["train"]["texts"] == 160
    assert summary["splits"]["train"]["labels"] == {"bad": 80, "good": 80}
    assert len(summary["examples"]) == 4
    assert "reviews" in invoke("data", "show", workplace / "reviews").stdout


def test_a_damaged_run_stops_no_other(finished_run, tmp_path):
    models = tmp_path / "models"
    for name in ("good", "damaged", "empty"):
        shutil.copytree(finished_run.path, models / name)
    (models / "damaged" / "complete").write_text("")
    (models / "empty" / "metrics.json").write_text("{}")
    seal(models / "empty", command="compare")
    option = f"--models-dir={models}"
    answered = invoke("predict", option, "a good film")
    assert answered.exit_code == 0, answered.output
    assert "good, trained on reviews" in answered.stderr
    listed = invoke("runs", "list", option)
    assert listed.exit_code == 0
    assert "damaged" in listed.stdout


def test_a_folder_that_cannot_be_written_is_named(workplace, tmp_path):
    (tmp_path / "models").write_text("this is a file")
    option = f"--models-dir={tmp_path / 'models'}"
    done = run_in(workplace, "train", "--data=reviews", option, *TINY)
    assert done.exit_code == 1
    assert str(tmp_path / "models") in done.stderr
    assert "Traceback" not in done.stderr


def test_compare_takes_finished_runs_and_says_where_they_differ(finished_run, tmp_path):
    models = tmp_path / "models"
    shutil.copytree(finished_run.path, models / "one")
    shutil.copytree(finished_run.path, models / "two")
    option = f"--models-dir={models}"
    twice = invoke("compare", "one", "two", option)
    assert twice.exit_code == 1
    assert "are the same training" in twice.output
    config = json.loads((models / "two" / "config.json").read_text())
    config["model"]["units"] = 16
    (models / "two" / "config.json").write_text(json.dumps(config))
    seal(models / "two")
    result = invoke("compare", "one", "two", option, "--markdown")
    assert result.exit_code == 0, result.output
    assert "no twins: they also differ in model.units" in result.stdout
    short, whole = (
        invoke("compare", "one", "two", option, *more).stdout
        for more in ([], ["--tables"])
    )
    assert "s to best" in " ".join(short.split())
    assert "Cost (" not in short
    assert "Cost (" in whole
    both = invoke("compare", "one", "two", option, "--tables", "--csv")
    assert both.exit_code == 2
    assert "--csv and --tables cannot be printed" in both.output
    assert "No baselines, for the data could not be read again" in result.stderr
    assert "seqclf train --cell none" in result.stderr
    assert "Not kept: --name NAME writes it" in result.stderr
    lone = invoke("compare", "one", option)
    assert "is no comparison" in lone.output


@pytest.mark.slow
def test_a_comparison_of_finished_runs_is_kept_under_its_name(finished_run, tmp_path):
    models = tmp_path / "models"
    for name, units in (("one", 8), ("two", 16), ("three", 24)):
        shutil.copytree(finished_run.path, models / name)
        config = json.loads((models / name / "config.json").read_text())
        config["model"]["units"] = units
        (models / name / "config.json").write_text(json.dumps(config))
        seal(models / name)
    option = f"--models-dir={models}"
    kept = ["compare", "one", "two", option, "--name=kept", "--json"]
    result = invoke(*kept)
    assert result.exit_code == 0, result.output
    folder = models / "kept"
    assert {file.name for file in folder.iterdir()} >= {
        "comparison.json", "details.json", "report.html"
    }  # fmt: skip
    written = json.loads((folder / "comparison.json").read_text())
    assert written == json.loads(result.stdout)
    assert written["command"] == f"seqclf compare one two --name kept {option}".replace(
        "=", " "
    )
    assert "no twins" in (folder / "report.html").read_text()
    assert written["margin"] == 0.01
    wider = [*kept, "--margin=2.5"]
    made = json.loads(invoke(*wider).stdout)
    assert made["margin"] == 0.025
    assert " --margin 2.5 " in made["command"]
    assert json.loads(invoke(*kept).stdout) == written
    # The folder is a comparison like others: it is shown, and made again, the same.
    assert json.loads(invoke("compare", "kept", option, "--json").stdout) == written
    assert invoke(*kept).exit_code == 0

    other = ["compare", "one", "three", option, "--name=kept"]
    refused = invoke(*other)
    assert refused.exit_code == 1
    assert "already holds another comparison; pass --overwrite" in refused.output
    assert json.loads((folder / "comparison.json").read_text()) == written
    assert invoke(*other, "--overwrite").exit_code == 0
    assert json.loads((folder / "comparison.json").read_text()) != written
    for arguments, words in (
        (["one", "two", "--name=one"], "is no comparison; choose another --name"),
        (["one", "two", "--overwrite"], "--overwrite replaces what stands under"),
        (["kept", "--name=x"], "--name does nothing when a finished comparison"),
        (["kept", "--margin=3"], "--margin does nothing when a finished comparison"),
        (["one", "two", "--tune=2"], "--tune does nothing when finished runs"),
    ):
        failed = invoke("compare", *arguments, option)
        assert failed.exit_code in (1, 2)
        assert words in " ".join(failed.output.split()), arguments
    assert sorted(path.name for path in models.iterdir()) == [
        "kept", "one", "three", "two"
    ]  # fmt: skip


def test_no_run_is_removed_for_a_comparison_of_it(finished_run, tmp_path):
    models = tmp_path / "models"
    inside = models / "kept" / "tuning"
    begin(models / "kept", COMPARISON)
    for path, units in ((models / "one", 8), (inside / "gru-1", 16)):
        shutil.copytree(finished_run.path, path)
        config = json.loads((path / "config.json").read_text())
        config["model"]["units"] = units
        (path / "config.json").write_text(json.dumps(config))
        seal(path)
    (models / "kept" / "question.json").write_text("{}")
    result = invoke("compare", "one", str(inside / "gru-1"), "--name=kept",
                    "--overwrite", f"--models-dir={models}")  # fmt: skip
    assert result.exit_code == 1
    assert f"lies in {models / 'kept'}; choose another --name" in result.output
    assert (inside / "gru-1" / "config.json").exists()


@pytest.mark.slow
def test_compare_fits_the_baselines_of_finished_runs_and_adds_the_none_twin(
    finished_run, workplace, tmp_path
):
    shutil.copytree(workplace / "reviews", tmp_path / "reviews")
    models = tmp_path / "models"
    for name, cell in (("one", "gru"), ("two", "rnn"), ("reviews-none-0", "none")):
        shutil.copytree(finished_run.path, models / name)
        config = json.loads((models / name / "config.json").read_text())
        config["model"]["cell"] = cell
        (models / name / "config.json").write_text(json.dumps(config))
        seal(models / name)
    command = ["compare", "one", "two", "--json"]
    first = run_cli(command, tmp_path)
    assert first.returncode == 0, first.stderr
    rows = [row["name"] for row in json.loads(first.stdout)["rows"]]
    baselines = ["majority", "tf-idf + logistic regression", "nb-svm"]
    twins = ["none", "rnn", "gru"]
    assert rows == [*baselines, *twins, *(f"{name} + nb-svm" for name in twins)]
    assert "Added, the twin without recurrence: reviews-none-0." in first.stderr
    assert "majority: done" in first.stderr
    again = run_cli(command, tmp_path)
    assert again.stdout == first.stdout
    assert "done" not in again.stderr
    write_csv(tmp_path / "reviews" / "test.csv", reviews(40))
    changed = run_cli(command, tmp_path)
    assert "reviews has changed since the training" in changed.stderr
    assert "majority" not in changed.stdout


def test_doctor_says_what_runs_where(tmp_path):
    result = run_in(tmp_path, "doctor", "--json")
    findings = json.loads(result.stdout)
    assert findings["backend"] == "tensorflow"
    assert findings["cores"] >= 1
    assert findings["versions"]["keras"]
    assert "lstm" in " ".join(findings["runs_where"])
    assert "the Hub is not asked" in findings["network"]  # HF_HUB_OFFLINE is set
    untried = " ".join(run_in(tmp_path, "doctor", "--no-network").stdout.split())
    assert "not tried (--no-network)" in untried
    assert "tensorflow" in untried


def test_doctor_tries_the_network_when_asked(tmp_path, monkeypatch):
    import socket

    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{port}")
        found = json.loads(run_in(tmp_path, "doctor", "--json", "--network").stdout)
        assert found["network"].endswith("can be reached")
    found = json.loads(run_in(tmp_path, "doctor", "--json", "--network").stdout)
    assert "cannot be reached" in found["network"]


def test_the_folder_of_runs_can_be_set_in_the_environment(workplace, monkeypatch):
    monkeypatch.setenv("SEQCLF_MODELS", str(workplace / "models"))
    assert "reviews-gru-0" in invoke("runs", "list").stdout


def test_the_tab_key_completes_cells_and_runs(workplace):
    def completed(line: str) -> list[str]:
        environment = os.environ | {
            "_SEQCLF_COMPLETE": "complete_bash",
            "COMP_WORDS": line,
            "COMP_CWORD": str(len(line.split(" ")) - 1),
        }
        script = Path(sys.executable).with_name("seqclf")
        done = subprocess.run(
            [script], cwd=workplace, env=environment, capture_output=True, text=True
        )
        return done.stdout.split()

    assert completed("seqclf train --cell l") == ["lstm"]
    assert completed("seqclf evaluate rev") == ["reviews-gru-0"]
    assert "compare" in completed("seqclf c")


def test_no_color_is_honoured(tmp_path):
    def colours(**more: str) -> list[str]:
        environment = os.environ | {"FORCE_COLOR": "1", "TERM": "xterm"} | more
        shown = run_cli(["train", "--help"], tmp_path, env=environment).stdout
        return re.findall(r"\x1b\[[\d;]*\b(?:3[0-7]|9[0-7])m", shown)

    assert colours()
    assert not colours(NO_COLOR="1")


# The file of options ----------------------------------------------------------------


@pytest.mark.slow
def test_a_config_file_sets_what_options_set_and_options_win(workplace, tmp_path):
    shutil.copytree(workplace / "reviews", tmp_path / "reviews")
    (tmp_path / "recipe.toml").write_text(
        'data = "reviews"\ncell = "rnn"\nunits = 4\nembedding-size = 8\n'
        "epochs = 2\nbidirectional = false\nlearning_rate = 0.01\nname = 'mine'\n"
    )
    done = run_cli(["train", "--config=recipe.toml", "--units=5"], tmp_path)
    assert done.returncode == 0, done.stderr
    config = json.loads((tmp_path / "models/mine/config.json").read_text())
    assert config["model"]["cell"] == "rnn"
    assert config["model"]["units"] == 5
    assert config["model"]["bidirectional"] is False
    assert config["training"]["learning_rate"] == 0.01


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("epoch = 3", "unknown setting 'epoch'; did you mean 'epochs'"),
        ("[model]\nunits = 3", "unknown setting 'model'"),
        ("[units]\nx = 3", "settings go at the top"),
        ("epochs = ", "could not be read"),
        ("epochs = 0", "epochs must be"),
        ('epochs = "many"', "parse string as an integer"),
        ("epochs = 2.5", "parse string as an integer"),
        ("epochs = true", "parse string as an integer"),
        ("epochs = [1, 2]", "parse string as an integer"),
        ("json = [true]", "json is true or false, got [True]"),
    ],
)
def test_a_wrong_config_file_is_refused(content, message, tmp_path):
    (tmp_path / "x.toml").write_text(content)
    result = run_in(tmp_path, "train", "--config=x.toml")
    assert result.exit_code == 2
    assert message in " ".join(result.output.split())


@pytest.mark.parametrize("command", ["train", "compare", "predict", "evaluate"])
def test_every_setting_of_a_config_file_is_read(command, tmp_path):
    (tmp_path / "x.toml").write_text('no-such-setting = "x"')
    result = run_in(tmp_path, command, "--config=x.toml")
    assert "unknown setting 'no-such-setting'" in " ".join(result.output.split())


def test_cells_may_be_a_list_in_a_config_file(tmp_path):
    (tmp_path / "x.toml").write_text('cells = ["rnn", "rnn"]')
    result = run_in(tmp_path, "compare", "--config=x.toml")
    assert "twice: rnn,rnn" in " ".join(result.output.split())


@pytest.mark.parametrize("text", ['["a good film", "b, c"]', '"a good film"'])
def test_an_option_that_may_be_repeated_takes_a_list(text, tmp_path, monkeypatch):
    from seqclf.workflows import study

    asked = []

    def run_study(name, question, *others):
        asked.append(question.texts)
        raise RunError("that will do")

    monkeypatch.setattr(study, "run_study", run_study)
    (tmp_path / "x.toml").write_text(f"text = {text}")
    result = run_in(tmp_path, "study", "gates", "--config=x.toml")
    assert "that will do" in result.output
    assert asked == [("a good film", "b, c") if "[" in text else ("a good film",)]


# Interruption -----------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("command", ["train", "compare"])
def test_ctrl_c_leaves_no_process_and_nothing_half_written(
    command, workplace, tmp_path
):
    shutil.copytree(workplace / "reviews", tmp_path / "reviews")
    options = [o for o in TINY if "epochs" not in o]
    process = subprocess.Popen(
        [sys.executable, "-m", "seqclf", command, "--data=reviews", "--epochs=5000",
         "--patience=5000", *options],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        encoding="utf-8",
        start_new_session=True,
    )  # fmt: skip
    for line in process.stderr:
        if "epoch 2/" in line:
            break
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: the whole group
    said = process.stderr.read()
    assert process.wait(timeout=30) == 130
    process.stderr.close()
    assert "Interrupted" in said
    assert "Traceback" not in said
    for _ in range(50):
        if not alive_in_group(process.pid):
            break
        time.sleep(0.1)
    assert not alive_in_group(process.pid)
    models = tmp_path / "models"
    whole = {path.parent.name for path in models.glob("*/complete")}
    fitted = {"reviews-majority", "reviews-tf-idf", "reviews-nb-svm"}  # before them
    assert whole == (fitted if command == "compare" else set())
    # Of those that trained side by side one had gone so far; the others may not.
    histories = [path.read_text() for path in models.glob("*/history.jsonl")]
    assert max(len(text.splitlines()) for text in histories) >= 2
    listed = json.loads(run_cli(["runs", "list", "--json"], tmp_path).stdout)
    assert {one["run"] for one in listed if one["finished"]} == whole


def alive_in_group(group: int) -> list[str]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[2]) == group and fields[0] != "Z":
            found.append(stat.parent.name)
    return found
