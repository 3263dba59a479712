"""What stands below a comparison's tables, in sentences."""

from __future__ import annotations

from seqclf.data.dataset import TEST
from seqclf.records.comparison import ComparisonResult
from seqclf.records.twins import TwinCard
from seqclf.records.yardstick import TrainedYardstick
from seqclf.wording import counted, joined, plural


def failed_said(result: ComparisonResult) -> str:
    """Returns how many trainings failed, and which; nothing where it was not kept."""
    rows = [row for row in result.rows if row.failed is not None]
    total = sum(len(row.seeds) for row in rows)
    failed = [
        f"{row.title}, {plural(len(row.failed), 'seed')} "
        f"{joined(list(map(str, row.failed)))}"
        for row in rows
        if row.failed
    ]
    if not failed:
        return f"Failed trainings: none of {total}." if total else ""
    return (
        f"Failed trainings: {'; '.join(failed)}. On validation these are not above "
        f"guessing, or less than half as far as their cell's median."
    )


def held_equal(card: TwinCard) -> str:
    """Returns what was checked to be equal in all runs, and what was not."""
    names = {
        equal: "; ".join(c.what for c in card.checks if c.equal == equal)
        for equal in (True, False)
    }
    said = [f"Equal in all runs: {names[True]}."] if names[True] else []
    if names[False]:
        said.append(f"Not equal: {names[False]}.")
    return " ".join(said)


def files_said(card: TwinCard) -> str:
    """Returns the files of other systems' answers, by which they can be told."""
    files: dict[str, list[str]] = {}
    for one in card.answer_files:
        files.setdefault(one.name, []).append(one.file)
    said = [f"{name} from {joined(some)}" for name, some in files.items()]
    return f"Answers from files, not trained here: {'; '.join(said)}." if said else ""


def yardstick_said(card: TwinCard) -> str:
    """Returns what the pre-trained encoder is, and how it was trained."""
    if not card.yardstick:
        return ""
    one, n = card.yardstick[0], card.dataset.sizes[TEST]
    how = {
        "fine-tune": f"fine-tuned with {counted(len(card.yardstick), 'seed')}",
        "features": "its weights as they came, under a linear model",
    }
    at = f" at commit {one.revision}" if one.revision else ""
    chosen = joined([chosen_said(one) for one in card.yardstick])
    return (
        f"Yardstick: {one.name}, a pre-trained {one.encoder} encoder from {one.source}"
        f"{at}, {how[one.mode]}; trained on the same labelled texts as the twins, of "
        f"which it reads the first {one.most_pieces:,} pieces ({one.cut:,} of {n:,} "
        f"test texts have more). Validation chose {chosen}."
    )


def chosen_said(trained: TrainedYardstick) -> str:
    """Returns what validation chose for a yardstick, such as `epoch 2`."""
    if (epoch := trained.chosen.get("epoch")) is not None:
        return f"epoch {epoch:g}"
    return f"C = {trained.chosen['C']:g}"
