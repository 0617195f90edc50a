"""The word vocabulary as one serialisable tokenizer: known words whole, unknown words by their longest known pieces."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import Lowercase

from training.recipe import VocabularyStage

SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


def build_tokenizer(passages: Iterable[list[str]], always: Iterable[str], stage: VocabularyStage) -> Tokenizer:
    """A tokenizer for texts that are already cut into words.

    `passages` are lists of words; `always` are words kept however rare. A word outside the vocabulary is cut greedily
    into its longest known pieces, down to single characters (WordPiece without a continuation mark).
    """
    words: Counter[str] = Counter()
    for passage in passages:
        words.update(word.lower() for word in passage)
    chars: Counter[str] = Counter()
    for word, count in words.items():
        for char in word:
            chars[char] += count
    kept = dict.fromkeys(SPECIAL_TOKENS)
    kept.update(dict.fromkeys(char for char, count in chars.most_common() if count >= stage.min_char_count))
    kept.update(dict.fromkeys(word.lower() for word in always))
    for word, _ in words.most_common():
        if len(kept) >= stage.size:
            break
        kept.setdefault(word)
    tokenizer = Tokenizer(
        WordPiece(
            {word: index for index, word in enumerate(kept)},
            unk_token="[UNK]",  # noqa: S106  # a token of text
            continuing_subword_prefix="",
            max_input_chars_per_word=100,
        )
    )
    tokenizer.normalizer = Lowercase()
    tokenizer.add_special_tokens(list(SPECIAL_TOKENS))
    return tokenizer
