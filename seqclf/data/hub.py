"""Data sets of the Hugging Face Hub, and folders that its `datasets` library saved.

A new short name is one entry in `HUB_NAMES`. The ids could not be checked against the
Hub when this was written; columns, labels and splits are read from what a data set
says of itself, and the entries are hints only.

The Hub is asked once and briefly which commit it has, so that a missing network or a
wrong name is told in seconds; the library's own tries take half a minute. What is
loaded is then that commit and no other.
"""

from __future__ import annotations

import dataclasses
import logging
import os
import re
import sys
import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pyarrow as pa

from seqclf.config import DataConfig
from seqclf.data.dataset import SPLIT_NAMES, TRAIN, Found, Part
from seqclf.errors import DataError, unknown

if TYPE_CHECKING:
    from huggingface_hub import DatasetInfo

# Seconds the Hub has to say what it holds: it takes under one as a rule, and an error
# has to come within five, imports included. HF_HUB_ETAG_TIMEOUT sets another number.
ANSWER_SECONDS = 3.0
# Seconds for the first small file. A server that answers but keeps its files back
# would otherwise hold the library for minutes.
FIRST_FILE_SECONDS = 10.0
# Seconds for what is asked about each file. The library gives 60, six times over, to a
# network that went away in the middle of a download.
FILE_SECONDS = 5
COMMIT = re.compile(r"[0-9a-f]{40}")
# How the Hub lays out the Parquet it makes itself: subset, split, number.
CONVERTED = re.compile(r"([^/]+)/[^/]+/\d{4}\.parquet")

_T = TypeVar("_T")
_Tables = Mapping[str, list[pa.Table]]


@dataclass(frozen=True, slots=True)
class HubName:
    """A data set on the Hub that has a short name here.

    Attributes:
      id: Owner and name.
      about: What it is, in a line.
      subset: Its subset; None takes the only one or the default.
      text_column: Column of the texts, or several, separated by commas. Passed over
        where the data set has no such column; the same goes for `label_column`.
      label_column: Column of the labels.
    """

    id: str
    about: str
    subset: str | None = None
    text_column: str | None = None
    label_column: str | None = None


HUB_NAMES: dict[str, HubName] = {
    "imdb": HubName(
        "stanfordnlp/imdb",
        "50,000 film reviews, good or bad, and 50,000 without labels (Maas 2011)",
    ),
    "ag_news": HubName(
        "fancyzhx/ag_news",
        "127,600 news items on 4 subjects (Zhang 2015)",
    ),
    "sst2": HubName(
        "SetFit/sst2",  # stanfordnlp/sst2 hides the labels of its test split
        "9,613 sentences of film reviews, good or bad (Socher 2013)",
    ),
    "rotten_tomatoes": HubName(
        "cornell-movie-review-data/rotten_tomatoes",
        "10,662 sentences of film reviews, good or bad (Pang & Lee 2005)",
    ),
    "trec": HubName(
        "SetFit/TREC-QC",  # CogComp/trec is a loading script
        "5,952 questions, 6 kinds of answer (Li & Roth 2002)",
        label_column="label_coarse",
    ),
    "yelp_polarity": HubName(
        "fancyzhx/yelp_polarity",
        "598,000 reviews of businesses, good or bad (Zhang 2015)",
    ),
    "amazon_polarity": HubName(
        "fancyzhx/amazon_polarity",
        "4,000,000 reviews of products, good or bad (Zhang 2015)",
        text_column="title,content",
    ),
    "dbpedia_14": HubName(
        "fancyzhx/dbpedia_14",
        "630,000 summaries of encyclopedia entries, 14 kinds (Zhang 2015)",
        text_column="title,content",
    ),
    "emotion": HubName(
        "dair-ai/emotion",
        "20,000 short messages, 6 emotions (Saravia 2018)",
    ),
    "banking77": HubName(
        "mteb/banking77",
        "13,083 questions to a bank, 77 intents (Casanueva 2020)",
    ),
    "20newsgroups": HubName(
        "SetFit/20_newsgroups",
        "18,846 postings to 20 news groups (Lang 1995)",
    ),
    "tweet_sentiment": HubName(
        "cardiffnlp/tweet_eval",
        "59,899 tweets: negative, neutral, positive (Rosenthal 2017)",
        subset="sentiment",
    ),
}


# Hints of a data set that is in no table.
NO_HINTS = HubName("", "")


class _UnreachableError(Exception):
    """The Hub gave no answer; says why, in words."""


def read_hub(source: str, config: DataConfig) -> Found:
    """Loads a data set of the Hub, from its cache where it is there already.

    Args:
      source: A key of `HUB_NAMES`, or `owner/name`.
      config: Revision and subset; the subset goes before that of `HUB_NAMES`.

    Returns:
      All columns of its splits, memory-mapped, and the commit that was loaded. If the
      Hub cannot be reached and the cache is used instead, a note says so.

    Raises:
      DataError: If it can be had neither from the Hub nor from the cache, or has no
        train split. The message says what to do.
    """
    entry = _entry(source, config.subset)
    _quieten()
    _limit_waiting()
    folder, notes = _prepared(entry, config.revision)
    tables, features = _read_prepared(folder)
    return _found(
        tables,
        features,
        name=_name(source, entry),
        source=f"{_words(entry)} on the Hugging Face Hub",
        place=_words(entry),
        hints=entry,
        revision=_commit(folder.name),
        notes=notes,
    )


def is_saved(path: Path) -> bool:
    """Tells whether a folder was written by `save_to_disk` of the datasets library."""
    if (path / "dataset_dict.json").is_file():
        return True
    return all((path / name).is_file() for name in ("state.json", "dataset_info.json"))


def read_saved(path: Path) -> Found:
    """Reads what `Dataset.save_to_disk` or `DatasetDict.save_to_disk` wrote.

    A `Dataset` alone is taken as train.

    Raises:
      DataError: If the folder is damaged, or has no train split.
    """
    import datasets

    _quieten()
    try:
        loaded = datasets.load_from_disk(str(path))
        splits = {TRAIN: loaded} if isinstance(loaded, datasets.Dataset) else loaded
        tables = {name: [split.data.table] for name, split in splits.items()}
        features: dict[str, Any] = {}
        for split in splits.values():
            features |= split.features
    except Exception as error:  # a broken file breaks in many ways
        raise DataError(
            f"{path} could not be read as a data set that save_to_disk wrote: "
            f"{_line(error)}. Save it again."
        ) from error
    return _found(
        tables, features, name=path.resolve().name, source=str(path), place=str(path)
    )


def _entry(source: str, subset: str | None) -> HubName:
    entry = HUB_NAMES.get(source, HubName(source, ""))
    return dataclasses.replace(entry, subset=subset) if subset else entry


def _name(source: str, entry: HubName) -> str:
    name = source.rpartition("/")[2]
    usual = HUB_NAMES.get(source, NO_HINTS).subset
    return name if entry.subset == usual else f"{name}-{entry.subset}"


def _words(entry: HubName) -> str:
    return f"{entry.id}, subset {entry.subset}" if entry.subset else entry.id


def _quieten() -> None:
    """Silences log lines, and progress bars where nobody would see them."""
    import datasets
    from huggingface_hub.utils.tqdm import disable_progress_bars

    for library in ("datasets", "huggingface_hub"):  # what matters is raised too
        logging.getLogger(library).setLevel(logging.CRITICAL)
    if not sys.stderr.isatty() or os.environ.get("SEQCLF_QUIET_DOWNLOADS") == "1":
        datasets.disable_progress_bars()
        disable_progress_bars()


def _limit_waiting() -> None:
    from huggingface_hub import constants, file_download

    if "HF_HUB_ETAG_TIMEOUT" not in os.environ:
        constants.HF_HUB_ETAG_TIMEOUT = FILE_SECONDS
        # There is no public setting for the retries; elsewhere this sets an idle name.
        file_download._ETAG_RETRY_TIMEOUT = FILE_SECONDS


def _prepared(entry: HubName, revision: str | None) -> tuple[Path, tuple[str, ...]]:
    """Returns the folder of Arrow files in the cache, and notes."""
    import datasets

    if datasets.config.HF_HUB_OFFLINE:
        return _cached(entry, revision, "HF_HUB_OFFLINE is set"), ()
    try:
        return _download(entry, revision), ()
    except _UnreachableError as error:
        folder = _cached(entry, revision, str(error))
        commit = _commit(folder.name) or "of unknown number"
        return folder, (f"{error}: {entry.id} comes from the cache, commit {commit}.",)


def _download(entry: HubName, revision: str | None) -> Path:
    """Downloads and prepares the commit the Hub has now; what is there is not fetched.

    Raises:
      DataError: If the Hub has it, but not so that it can be loaded.
      _UnreachableError: If the Hub gives no answer.
    """
    commit = _ask(entry, revision)
    _refuse_script(entry, commit)
    _fetch_card(entry, revision)
    builder = _builder(entry, commit)
    folder = Path(builder.cache_dir)
    if entry.subset:
        # The same, but where a subset is a folder of files: there the library's name
        # is a hash, by which the subset would not be found again.
        folder = folder.parents[2] / entry.subset / folder.parent.name / folder.name
    try:
        builder.download_and_prepare(str(folder))
    except Exception as error:  # of httpx, pyarrow, pandas, the file system, ...
        raise _load_error(entry, commit, error) from error
    return folder


def _ask(entry: HubName, revision: str | None) -> DatasetInfo:
    """Asks the Hub, once, for the commit of a revision and the names of its files."""
    from huggingface_hub import HfApi

    seconds = _patience()
    return _within(
        seconds,
        entry,
        revision,
        lambda: HfApi().dataset_info(entry.id, revision=revision, timeout=seconds),
    )


def _fetch_card(entry: HubName, revision: str | None) -> None:
    """Fetches the README by the revision's own name.

    The library then notes in its cache which commit that name stands for, and the name
    can be asked for again without a network. A closed data set is closed here.
    """
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

    def fetch() -> None:
        try:
            hf_hub_download(
                entry.id, "README.md", repo_type="dataset", revision=revision
            )
        except EntryNotFoundError as error:  # it has none, which does not matter
            if isinstance(error, LocalEntryNotFoundError):
                raise

    _within(max(FIRST_FILE_SECONDS, _patience()), entry, revision, fetch)


def _patience() -> float:
    from huggingface_hub import constants

    if "HF_HUB_ETAG_TIMEOUT" in os.environ:
        return float(constants.HF_HUB_ETAG_TIMEOUT)
    return ANSWER_SECONDS


def _within(
    seconds: float, entry: HubName, revision: str | None, call: Callable[[], _T]
) -> _T:
    """Returns what `call` returns; its errors are put into words."""
    future: Future[_T] = Future()

    def run() -> None:
        try:
            future.set_result(call())
        except Exception as error:  # handed over to the thread that waits
            future.set_exception(error)

    # No time-out of the library's covers the look-up of the host's name, which takes
    # 20 s behind some firewalls. A daemon: the program may end while it waits.
    threading.Thread(target=run, daemon=True).start()
    try:
        return future.result(timeout=seconds)
    except Exception as error:
        raise _refusal(entry, revision, error, seconds) from error


def _refusal(
    entry: HubName, revision: str | None, error: Exception, seconds: float
) -> Exception:
    """Returns the error to raise for one of the Hub's, or of the way to it."""
    from huggingface_hub import constants, errors

    page = f"{constants.ENDPOINT}/datasets/{entry.id}"
    if isinstance(error, errors.GatedRepoError):
        return _gated(entry)
    if isinstance(error, errors.RepositoryNotFoundError | errors.HFValidationError):
        return DataError(
            f"{constants.ENDPOINT} has no data set {entry.id}, or it is private. Check "
            f"the spelling (seqclf data list shows the short names); if it is private, "
            f"log in with hf auth login, or set HF_TOKEN.{_if_local(entry)}"
        )
    if isinstance(error, errors.RevisionNotFoundError):
        return DataError(
            f"{entry.id} has no revision {revision!r}. Its branches and commits stand "
            f"at {page}/tree/main; without --revision the newest is loaded."
        )
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status in (401, 403):
        return DataError(
            f"{constants.ENDPOINT} refused the access token ({status}). Log in again "
            f"with hf auth login, or set or unset HF_TOKEN."
        )
    if isinstance(error, TimeoutError) or "Timeout" in type(error).__name__:
        why = f"gave no answer within {seconds:g} s (HF_HUB_ETAG_TIMEOUT sets another)"
    else:
        why = f"answered {status}" if status else f"is out of reach ({_line(error)})"
    return _UnreachableError(f"{constants.ENDPOINT} {why}")


def _gated(entry: HubName) -> DataError:
    from huggingface_hub import constants

    return DataError(
        f"{entry.id} is gated: its owners want to be asked first. Ask for access at "
        f"{constants.ENDPOINT}/datasets/{entry.id}, then log in with hf auth login, or "
        f"set HF_TOKEN."
    )


def _refuse_script(entry: HubName, commit: DatasetInfo) -> None:
    script = f"{entry.id.rpartition('/')[2]}.py"
    if any(file.rfilename == script for file in commit.siblings or ()):
        raise DataError(
            f"{entry.id} is a loading script, {script}, and scripts are no longer run. "
            f"The Hub keeps many such data sets as Parquet too: add --revision "
            f"refs/convert/parquet."
        )


def _builder(entry: HubName, commit: DatasetInfo) -> Any:
    """Returns the library's builder of one subset of one commit.

    Raises:
      DataError: If there is no such subset, or one has to be chosen.
    """
    import datasets

    folders = _converted_subsets(commit)
    if folders:
        _refuse_subset(entry, folders)
    which = {"data_dir" if folders else "name": entry.subset}
    try:
        builder = datasets.load_dataset_builder(entry.id, revision=commit.sha, **which)
    except Exception as error:
        if isinstance(error, ValueError):
            with suppress(OSError, ValueError, RuntimeError):
                names = datasets.get_dataset_config_names(entry.id, revision=commit.sha)
                _refuse_subset(entry, names)
        raise _load_error(entry, commit, error) from error
    if builder.hash != commit.sha:  # it takes what it has rather than fail
        raise DataError(
            f"{entry.id}: instead of commit {commit.sha} something else was loaded, "
            f"from {builder.cache_dir}. Run the command again, in a folder without "
            f"{entry.id} in it."
        )
    return builder


def _converted_subsets(commit: DatasetInfo) -> list[str]:
    """Lists the subsets of a commit of the Hub's own making, where each is a folder."""
    files = [file.rfilename for file in commit.siblings or ()]
    matches = [CONVERTED.fullmatch(file) for file in files if file.endswith(".parquet")]
    subsets = {match[1] for match in matches if match}
    return sorted(subsets) if all(matches) else []


def _refuse_subset(entry: HubName, names: Collection[str]) -> None:
    """Refuses a subset that is not there, and none where there are several."""
    if entry.subset and entry.subset not in names:
        choices = unknown(f"subset of {entry.id}:", entry.subset, names)
        raise DataError(f"{choices} Set --subset, or leave it out for the default.")
    if not entry.subset and len(names) > 1:
        raise DataError(
            f"{entry.id} has several subsets: {', '.join(names)}. Choose one with "
            f"--subset."
        )


def _load_error(entry: HubName, commit: DatasetInfo, error: Exception) -> DataError:
    if commit.gated and "gated" in str(error):
        return _gated(entry)
    return DataError(
        f"{entry.id} could not be loaded ({_line(error.__cause__ or error)}). If that "
        f"is the network, run the command again; else another --revision or --subset "
        f"may do, and a file of your own does."
    )


def _line(error: BaseException) -> str:
    """Returns the first line of what an error says, with its name if it says little."""
    text = str(error).strip().partition("\n")[0].rstrip(".")
    return text or type(error).__name__


def _cached(entry: HubName, revision: str | None, why: str) -> Path:
    """Returns the prepared folder in the cache that was asked for.

    Without a revision, the commit that was last the newest; or else whatever was
    prepared last. The library itself would pass a revision over here.

    Raises:
      DataError: If there is none.
    """
    folders = _prepared_folders(entry.id)
    commit = _known_commit(entry.id, revision)
    asked = [f for f in folders if revision is None or f.name == commit]
    asked.sort(key=lambda folder: folder.name == commit)  # else as they were
    subsets = {_subset(folder): folder for folder in asked}  # the last one stays
    only = next(iter(subsets)) if len(subsets) == 1 else "default"
    if not entry.subset and only not in subsets:
        _refuse_subset(entry, subsets)
    chosen = subsets.get(entry.subset or only)
    if chosen is None:
        raise _not_cached(entry, revision, why, folders)
    return chosen


def _prepared_folders(id: str) -> list[Path]:
    """Lists the library's folders, owner___name/subset/version/commit; newest last."""
    import datasets
    from datasets.naming import camelcase_to_snakecase

    owner, _, name = id.rpartition("/")
    root = Path(datasets.config.HF_DATASETS_CACHE).expanduser()
    infos = (root / f"{owner}___{camelcase_to_snakecase(name)}").glob(
        "*/*/*/dataset_info.json"
    )
    folders = [info.parent for info in infos if info.parent.suffix != ".incomplete"]
    return sorted(folders, key=lambda folder: folder.stat().st_mtime)


def _known_commit(id: str, revision: str | None) -> str | None:
    """Returns the commit that a revision stood for when it was last asked for."""
    from huggingface_hub import constants

    if revision and COMMIT.fullmatch(revision):
        return revision
    repository = Path(constants.HF_HUB_CACHE) / f"datasets--{id.replace('/', '--')}"
    try:
        return (repository / "refs" / (revision or "main")).read_text().strip()
    except OSError:
        return None


def _subset(folder: Path) -> str:
    return folder.parents[1].name


def _not_cached(
    entry: HubName, revision: str | None, why: str, folders: Iterable[Path]
) -> DataError:
    import datasets

    what = _words(entry) + (f", revision {revision}," if revision else "")
    there = [f"{_subset(f)} of --revision {_commit(f.name)}" for f in folders]
    has = f"has only {', '.join(there)}" if there else "has nothing of it"
    return DataError(
        f"{what} could not be loaded: {why}, and the cache "
        f"({datasets.config.HF_DATASETS_CACHE}) {has}. Run the command once where the "
        f"Hub can be reached, or copy HF_HOME from such a machine; --data demo and "
        f"files of your own work without a network.{_if_local(entry)}"
    )


def _if_local(entry: HubName) -> str:
    """Returns a hint for who meant a path: owner/name looks like one."""
    known = any(entry.id == name.id for name in HUB_NAMES.values())
    return "" if known else f" There is no file or folder {entry.id} here either."


def _commit(name: str) -> str | None:
    return name if COMMIT.fullmatch(name) else None


def _read_prepared(folder: Path) -> tuple[_Tables, Any]:
    """Maps the Arrow files of a prepared folder into memory.

    Returns:
      Tables by the names that the data set gives its splits, and its features.
    """
    import datasets

    try:
        info = datasets.DatasetInfo.from_directory(str(folder))
        tables = {split: _read_split(folder, split) for split in info.splits}
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowException) as error:
        raise DataError(
            f"{folder} in the cache is damaged ({_line(error)}). Delete it, and load "
            f"the data set again."
        ) from error
    return tables, info.features


def _read_split(folder: Path, split: str) -> list[pa.Table]:
    files = sorted(
        [*folder.glob(f"*-{split}.arrow"), *folder.glob(f"*-{split}-*-of-*.arrow")]
    )
    if not files:
        raise FileNotFoundError(f"the files of split {split} are missing")
    return [pa.ipc.open_stream(pa.memory_map(str(f))).read_all() for f in files]


def _found(
    tables: _Tables,
    features: Mapping[str, Any],
    *,
    place: str,
    name: str,
    source: str,
    hints: HubName = NO_HINTS,
    revision: str | None = None,
    notes: tuple[str, ...] = (),
) -> Found:
    parts: dict[str, list[Part]] = {}
    for split, pieces in tables.items():
        if split.lower() in SPLIT_NAMES:
            where = f"{place}, split {split}"
            rows = parts.setdefault(SPLIT_NAMES[split.lower()], [])
            rows.extend(Part(where, piece) for piece in pieces)
    if TRAIN not in parts:
        raise DataError(
            f"{place} has no train split, only {', '.join(tables) or 'none at all'}. "
            f"Another --subset or --revision may have one."
        )
    left = [split for split in tables if split.lower() not in SPLIT_NAMES]
    if left:
        notes = (*notes, f"splits of {place} that were left out: {', '.join(left)}.")
    return Found(
        name=name,
        source=source,
        parts=parts,
        label_names=_label_names(features),
        text_column=_if_there(hints.text_column, features),
        label_column=_if_there(hints.label_column, features),
        revision=revision,
        notes=notes,
    )


def _label_names(features: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    from datasets import ClassLabel

    return {
        column: tuple(feature.names)
        for column, feature in features.items()
        if isinstance(feature, ClassLabel) and feature.names
    }


def _if_there(columns: str | None, features: Mapping[str, Any]) -> str | None:
    there = columns and all(column in features for column in columns.split(","))
    return columns if there else None
