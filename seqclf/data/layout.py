"""What is at a path: one file, several, a file a split, or a folder a class."""

from __future__ import annotations

import glob
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pyarrow as pa

from seqclf.data.dataset import NO_LABEL, SPLIT_NAMES, TRAIN, UNLABELED, Found, Part
from seqclf.data.files import (
    OF_TABLES,
    READERS,
    TEXT_SUFFIX,
    decode_text,
    read_bytes,
    read_file,
    refuse,
)
from seqclf.data.formats.contents import format_of, stem_of
from seqclf.data.hub.load import is_saved, read_saved
from seqclf.data.label_ids import LABELS_FILE, read_label_names
from seqclf.errors import ConfigError, DataError
from seqclf.records.reading import NOTHING_SAID, Known
from seqclf.wording import listed

STANDARD_INPUT = "-"
# As the Hub names the parts of a split, formerly with a hash behind it.
SHARD = re.compile(r"-\d{5}-of-(\d{5})(-[0-9a-f]{16})?$")
SPARK_PART = re.compile(r"part-\d{5}")  # as Spark names the parts of a table
FILES_A_CHUNK = 1000


def is_pattern(source: str) -> bool:
    """Tells whether a source is a pattern for several files."""
    return glob.has_magic(source)


def read_standard_input(known: Known) -> Found:
    """Reads JSON Lines, CSV or TSV from standard input, as the train split.

    Raises:
      ConfigError: If nothing is piped in.
      DataError: If a line is broken.
    """
    if sys.stdin.isatty():
        raise ConfigError(
            "--data - reads JSON Lines or CSV from standard input; pipe them in, for "
            "example: seqclf compare --data - < reviews.jsonl"
        )
    place = "standard input"
    part = read_bytes(sys.stdin.buffer.read(), place, known)
    return _found(place, "stdin", {TRAIN: [part]})


def matching(pattern: str) -> list[Path]:
    """Returns the files that match a pattern, in the order of their names.

    Raises:
      DataError: If none does.
    """
    names = glob.glob(pattern, recursive=True)  # noqa: PTH207 -- absolute too
    files = sorted(file for file in map(Path, names) if file.is_file())
    if not files:
        raise DataError(f"no file matches {pattern!r} here.")
    return files


def read_pattern(pattern: str, known: Known) -> Found:
    """Reads all files that match a pattern, in the order of their names, as train.

    Raises:
      DataError: If none matches, or one cannot be read.
    """
    first, *others = files = matching(pattern)
    note = f"{pattern} matches {len(files):,} files: {listed([f.name for f in files])}."
    name = first.resolve().parent.name if others else _name_of(first)
    return _found(pattern, name, {TRAIN: _read_all(files, known)}, note)


def _read_all(files: Sequence[Path], known: Known) -> list[Part]:
    """Reads files that are written alike: the first shows how."""
    first = read_file(files[0], known)
    if first.reading != NOTHING_SAID:
        known = Known(known.given, first.reading)
    return [first, *(read_file(file, known) for file in files[1:])]


def read_path(path: Path, known: Known) -> Found:
    """Reads a file as the train split, or a folder with its splits.

    Raises:
      DataError: If a file cannot be read, or a folder holds no data.
    """
    try:
        if path.is_dir():
            return _read_folder(path, known)
        parts = {TRAIN: [read_file(path, known)]}
        return _found(str(path), _name_of(path.resolve()), parts)
    except PermissionError as error:
        raise DataError(
            f"{error.filename} may not be read: permission denied."
        ) from error


def _name_of(file: Path) -> str:
    """Returns what a file is called; one that is called after a split, its folder."""
    stem = stem_of(file)
    folder = file.resolve().parent.name
    return folder if stem.lower() in SPLIT_NAMES and folder else stem


def _found(
    source: str, name: str, parts: Mapping[str, Sequence[Part]], *notes: str
) -> Found:
    said = (note for some in parts.values() for part in some for note in part.notes)
    return Found(
        name=name,
        source=source,
        parts=parts,
        label_names={},
        notes=(*notes, *dict.fromkeys(said)),
        reading=parts[TRAIN][0].reading,
    )


def _read_folder(folder: Path, known: Known) -> Found:
    if is_saved(folder):
        refuse(known.given, ("encoding", *OF_TABLES), f"{folder}, a saved data set")
        return read_saved(folder)
    files, aside = _split_files(folder)
    if not files:
        return _read_class_folders(folder, known, aside)
    if TRAIN not in files:
        raise DataError(
            f"{folder} has no train file, only {listed(list(files))}; name one of "
            f"them train, for example train.csv."
        )
    missing = _missing_parts(files)
    parts = {TRAIN: _read_all(files.pop(TRAIN), known)}
    as_train = Known(known.given, parts[TRAIN][0].reading)
    for split, some in files.items():
        parts[split] = _read_all(some, as_train)
    why = f"left aside in {folder}, for their names are not those of splits"
    notes = [f"{why}: {listed(aside)}."] if aside else []
    notes += [*missing, *_unread(_named_after_splits(folder))]
    found = _found(str(folder), folder.resolve().name, parts, *notes)
    return read_label_names(folder, found)


def _split_files(folder: Path) -> tuple[dict[str, list[Path]], list[str]]:
    """Returns the files of each split, and the names of other data files."""
    files: dict[str, list[Path]] = {}
    aside = []
    for file in sorted(folder.iterdir()):
        stem = stem_of(file)
        split = SPLIT_NAMES.get(SHARD.sub("", stem).lower())
        is_lines = split is not None and format_of(file) == TEXT_SUFFIX
        if file.is_dir() or not (format_of(file) in READERS or is_lines):
            continue
        if split is None:
            if file.name != LABELS_FILE:
                aside.append(file.name)
            continue
        others = files.setdefault(split, [])
        if others and not (SHARD.search(stem) and SHARD.search(stem_of(others[0]))):
            raise DataError(
                f"{folder} holds {others[0].name} and {file.name}; keep one file a "
                f"split."
            )
        others.append(file)
    return files, aside


def _missing_parts(files: Mapping[str, Sequence[Path]]) -> list[str]:
    """Says of which splits parts are not there, by the names of those that are."""
    said = []
    for split, some in files.items():
        shard = SHARD.search(stem_of(some[0]))
        if shard and int(shard[1]) != len(some):
            are = f"{len(some):,} of {int(shard[1]):,} parts"
            said.append(f"of {split} there are {are}, such as {some[0].name}.")
    return said


def _read_class_folders(folder: Path, known: Known, aside: Sequence[str]) -> Found:
    """Reads a folder for each class, perhaps within a folder for each split.

    This is how aclImdb comes: train/pos/*.txt, train/neg, train/unsup, test/pos, ...
    """
    roots = _split_folders(folder)
    unread = [c for c in _named_after_splits(folder) if c not in roots.values()]
    roots = roots or {TRAIN: folder}
    parts: dict[str, list[Part]] = {}
    for split, root in roots.items():
        for child in _class_folders(root):
            if child in unread:
                continue
            is_labelled = SPLIT_NAMES.get(child.name.lower()) != UNLABELED
            name = child.name if is_labelled else None
            part = Part(str(child), _read_texts(child, name, known))
            parts.setdefault(split if is_labelled else UNLABELED, []).append(part)
    if TRAIN not in parts:
        raise DataError(_nothing_found(folder, aside))
    what = f"{folder}, where a {TEXT_SUFFIX} file is a text and its folder the label"
    refuse(known.given, OF_TABLES, what)
    others = [*_others(list(roots.values())), *_unread(unread)]
    return _found(str(folder), folder.resolve().name, parts, *others)


def _split_folders(folder: Path) -> dict[str, Path]:
    """Returns the folder of each split that has a folder for each class."""
    roots: dict[str, Path] = {}
    for child in _named_after_splits(folder):
        if _class_folders(child):
            other = roots.setdefault(SPLIT_NAMES[child.name.lower()], child)
            if other is not child:
                raise DataError(
                    f"{folder} holds {other.name} and {child.name}; keep one folder a "
                    f"split."
                )
    return roots


def _named_after_splits(folder: Path) -> list[Path]:
    """Returns the folders that are called after a split; texts alone need no class."""
    named = [c for c in _folders(folder) if c.name.lower() in SPLIT_NAMES]
    return [
        child
        for child in named
        if SPLIT_NAMES[child.name.lower()] != UNLABELED or _class_folders(child)
    ]


def _unread(folders: Sequence[Path]) -> list[str]:
    """Says which folders are called after a split and are not read."""
    if not folders:
        return []
    return [
        f"left aside, though called after a split: "
        f"{listed([f'{folder.name}/' for folder in folders])}."
    ]


def _nothing_found(folder: Path, aside: Sequence[str]) -> str:
    if aside:
        return (
            f"{folder} has no file of the name train, only {listed(aside)}. Name a "
            f"file itself, several by a pattern such as '{folder}/{_pattern(aside)}', "
            f"or call one of them train."
        )
    return (
        f"{folder} holds no data that seqclf knows. Expected train with one of "
        f"{', '.join(READERS)} (and validation, test and unlabeled, if there are any), "
        f"or a folder a label with {TEXT_SUFFIX} files: pos/1.txt, neg/2.txt."
    )


def _pattern(names: Sequence[str]) -> str:
    """Returns a pattern for files of one kind, the parts of a table if they are."""
    file = Path(names[0])
    packing = "".join(file.suffixes[-2:]) if len(file.suffixes) > 1 else file.suffix
    return f"{'part-' if SPARK_PART.match(file.name) else ''}*{packing}"


def _folders(folder: Path) -> list[Path]:
    children = sorted(folder.iterdir())
    return [c for c in children if c.is_dir() and not c.name.startswith(".")]


def _class_folders(folder: Path) -> list[Path]:
    return [child for child in _folders(folder) if next(_text_files(child), None)]


def _text_files(folder: Path) -> Iterator[Path]:
    return (f for f in folder.iterdir() if f.suffix.lower() == TEXT_SUFFIX)


def _others(roots: Sequence[Path]) -> list[str]:
    """Says what is in or beside the class folders and is not read."""
    aside = [
        str(child.relative_to(root))
        for root in roots
        for folder in _folders(root)
        for child in sorted(folder.iterdir())
        if child.suffix.lower() != TEXT_SUFFIX and not child.name.startswith(".")
    ]
    said = f"left aside, for they are no {TEXT_SUFFIX} files: {listed(aside)}."
    return [said] if aside else []


def _read_texts(folder: Path, label: str | None, known: Known) -> pa.Table:
    files = sorted(_text_files(folder))
    chunks = []
    for start in range(0, len(files), FILES_A_CHUNK):
        block = files[start : start + FILES_A_CHUNK]
        texts = [decode_text(file.read_bytes(), str(file), known) for file in block]
        chunks.append(pa.array(texts, pa.string()))
    labels = pa.repeat(NO_LABEL if label is None else label, len(files))
    return pa.table({"text": pa.chunked_array(chunks), "label": labels})
