"""The texts on which every artefact is compared with its run, real and difficult ones.

The list is the same each time for the same run, and no difficult text is left out.
"""

from __future__ import annotations

import contextlib
import random
from pathlib import Path

import numpy as np

from seqclf.config import WORD
from seqclf.data.dataset import TEST
from seqclf.data.demo import compose
from seqclf.errors import SeqclfError
from seqclf.records.dataset import DatasetInfo
from seqclf.records.plain import from_plain
from seqclf.runs import AnyRun, members_of
from seqclf.storage import read_object
from seqclf.text.encoding import DATASET_FILE, EncodedDataset, open_encoded
from seqclf.text.tokens import BEGIN
from seqclf.training.proof import proof_of_data

OWN_TEXTS = 100  # of the run's test split, where they are still here
DEMO_TEXTS = 80
# Tokens of texts made of the run's own vocabulary: whatever the language, every model
# is asked about tokens that it knows, and about more of them than it reads.
WORDY_LENGTHS = (*range(1, 41), 60, 90, 120, 200, 399, 400, 401, 800, 1500, 3000)

PEOPLE_WRITE = (
    "I can't believe it's over!", "<br /><br />Great—really GREAT.",
    "'quoted' rock'n'roll", "4.5/5 stars, $10", "He can’t: ‘never’", "''tis 'em'",
    "1 < 2 and 3 > 2, I <3 it", "THE WORST. FILM. EVER.",
    "not bad, not good, not anything",
    "https://example.org/a?b=c&d=%20#e and me@example.org",
    "#tag @someone RT: lol :-) ;( ^_^", "e.g. the U.S.A.'s 1,000,000 “reasons”…",
    "今天天气很好，I love it", "这部电影太无聊了，我睡着了。",
    "とても良い映画でした。カタカナも。", "좋은 영화였어요! 정말로.",
    "สวัสดีครับ หนังเรื่องนี้ดีมาก", "ຍິນດີຕ້ອນຮັບ", "សួស្តីពិភពលោក",
    "မင်္ဂလာပါ ကမ္ဘာ", "Größe DER Straße, Übermut tut selten gut",
    "ΟΔΟΣ οδος Σίσυφος ΣΊΣΥΦΟΣ", "İstanbul'da ILIK ılık DİYARBAKIR",
    "مرحبا بالعالم! كيف الحال؟", "שלום עולם, מה שלומך?",
    "Съешь же ещё этих мягких французских булок", "यह फ़िल्म बहुत अच्छी थी।",
    "এই ছবিটি খুব ভালো", "நல்ல படம்", "Ħarġa tajba ħafna, għaliex le?",
    "Việt Nam: phim này rất hay", "ქართული ფილმი ძალიან კარგია", "Հայերեն տեքստ",
    "ᏣᎳᎩ ꭳꮖꭹ", "ⴰⵣⵓⵍ ⴰⵎⴰⴹⴰⵍ",
)  # fmt: skip
NASTY = (
    "", " ", "\t\r\n\v\f", "a", "A", "!", "'", "''", "’", "<", ">", "\\",
    "\\1 \\0 $1 $& {} [] () ^ | * + ?", "[PAD] [UNK] [pad]", "<p> <br/>\t\n ",
    "<a href='x'>link</a><!-- comment --><script>alert(1)</script>&amp;&lt;b&gt;",
    "<<b>> < b > <b", "</div" + "<" * 50, "%s %d {0} ${x} `rm -rf`",
    "'; DROP TABLE runs; --", "a\u0000b", "\u0000", "\u0001'\u0001",
    "x\u0001y'z\u0001", "a\u200bb\u2028c\u2029d\ufeff", "\ufeffbyte order mark",
    "\u202eright to left\u202c \u2066isolated\u2069", "\x1b[31mred\x1b[0m \x07\x08",
    "soft\u00adhyphen non\u00a0breaking\u3000ideographic", "wow❤️!!",
    "👩‍👩‍👧‍👦 🏳️‍🌈 👍🏽 🇩🇪🇫🇷", "😀" * 200,
    "e\u0301 \u00e9 n\u0303 \u00f1 o\u0308\u0304", "\u0301leading mark",
    "Z" + "\u0335\u0321\u034d" * 30 + "a\u0489lgo", "'\u0301' a'\u0301b",
    "ﬁﬂ ｆｕｌｌ ＷＩＤＴＨ Ⅷ ① ½ ²", "𝕱𝖗𝖆𝖐𝖙𝖚𝖗 𝒮𝒸𝓇𝒾𝓅𝓉 𐐀𐐨 𞤀𞤢", "ǅ ǈ ǋ ẞ ß ŉ ǰ ΐ",
    "\ue000\uf8ff\U000f0000\U0010ffff", "\u0378\u0e3e\U0001fbff",
    "\ufffd\ufffe\uffff", "漢字かなカナ한글ไทย mixed العربية עברית words",
    "漢" * 500, "ก็" * 300, "a" * 10_000, "word " * 10_000, "w'" * 2_000,
    "<b>" * 2_000, " " * 5_000 + "end", ".!?" * 1_000,
)  # fmt: skip


def verification_texts(
    run: AnyRun, own: EncodedDataset | None = None
) -> tuple[list[str], int]:
    """Returns the texts, at least 200, and how many of them, the first, are the run's.

    The run's vocabulary makes a part of the texts, and its data set, from `own_data`.
    """
    tested = own_texts(own) if own else []
    return [*tested, *_demo(), *_wordy(run), *PEOPLE_WRITE, *NASTY], len(tested)


def own_texts(own: EncodedDataset) -> list[str]:
    """Returns at most `OWN_TEXTS` texts of the test split, spread evenly."""
    texts = own.texts(TEST)
    rows = np.linspace(0, len(texts) - 1, min(OWN_TEXTS, len(texts))).astype(int)
    return [texts[int(row)].as_py() for row in rows]


def own_data(run: AnyRun, cache: Path) -> EncodedDataset | None:
    """Finds the data set that a run was trained on, encoded and divided as it was.

    None if it is no longer in the cache; the hashes of its splits have to fit.
    """
    for file in sorted(cache.glob(f"*/{DATASET_FILE}")):
        # What is damaged or of another kind is not the run's data.
        with contextlib.suppress(OSError, ValueError, KeyError, SeqclfError):
            about = from_plain(DatasetInfo, read_object(file))
            if about.fingerprint != run.dataset.fingerprint:
                continue
            data = open_encoded(file.parent)
            if proof_of_data(data) == members_of(run)[0].proof.splits:
                data.texts(TEST)
                return data
    return None


def _demo() -> list[str]:
    rng = random.Random(0)
    return [compose(rng, i % 2).text for i in range(DEMO_TEXTS)]


def _wordy(run: AnyRun) -> list[str]:
    run = members_of(run)[0]
    words = np.array(run.vocabulary.tokens[2:] or ["word"], object)
    rng = np.random.default_rng(0)
    drawn = [rng.choice(words, length) for length in WORDY_LENGTHS]
    if run.text.tokens == WORD:
        return [" ".join(tokens) for tokens in drawn]
    return ["".join(tokens).replace(BEGIN, " ") for tokens in drawn]
