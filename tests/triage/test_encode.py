"""Encoding: nothing is cut, roles are kept, every token leads back to its word."""

from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer
from tokenizers.models import WordPiece

from triage.case import Case
from triage.encode import ROLES, Encoder, collate, group
from triage.prepare import prepare
from triage.segment import Segmenter

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"我要投诉你们没人管态度差", "投诉", "你们", "没人管", "态度"]
VOCABULARY = {word: i for i, word in enumerate(dict.fromkeys(WORDS))}
TOKENIZER = Tokenizer(WordPiece(VOCABULARY, unk_token="[UNK]", continuing_subword_prefix=""))  # noqa: S106
SEGMENTER = Segmenter()
WINDOW = 16
ENCODER = Encoder(TOKENIZER, WINDOW)
TURN = st.fixed_dictionaries(
    {
        "speaker": st.sampled_from(list(ROLES)),
        "text": st.text(st.sampled_from("我要投诉你们没人管态度差,x "), max_size=60),
    }
)
TURNS = st.lists(TURN, min_size=1, max_size=8).filter(lambda turns: any(turn["text"].strip() for turn in turns))


@settings(max_examples=80, deadline=None)
@given(turns=TURNS)
def test_no_word_is_lost_and_windows_hold(turns: list[dict[str, str]]) -> None:
    utterances = prepare(Case.read({"turns": turns}), SEGMENTER)
    encoded = ENCODER(utterances)
    assert all(len(window) <= WINDOW for window in encoded.ids)
    origins = [origin for window in encoded.origins for origin in window if origin]
    covered = {(origin.utterance, origin.start) for origin in origins}
    wanted = {(i, word.start) for i, said in enumerate(utterances) for word in said.words}
    assert covered == wanted
    roles = [role for window in encoded.roles for role in window]
    for origin, role in zip((o for window in encoded.origins for o in window), roles, strict=True):
        if origin:
            assert role == ROLES[utterances[origin.utterance].speaker]


def test_a_turn_stays_whole_when_it_fits_a_window() -> None:
    turns = [{"speaker": "customer", "text": "投诉" * 8}, {"speaker": "agent", "text": "你们" * 6}]
    encoded = ENCODER(prepare(Case.read({"turns": turns}), SEGMENTER))
    homes = {(origin.utterance, i) for i, window in enumerate(encoded.origins) for origin in window if origin}
    assert homes == {(0, 0), (1, 1)}


@settings(max_examples=40, deadline=None)
@given(lengths=st.lists(st.integers(1, 30), min_size=1, max_size=20), words=st.integers(16, 200))
def test_groups_hold_every_case_once(lengths: list[int], words: int) -> None:
    encoded = [ENCODER(prepare(Case.from_text("投诉," * length), SEGMENTER)) for length in lengths]
    groups = group(encoded, words)
    assert sorted(index for chosen in groups for index in chosen) == list(range(len(lengths)))
    for chosen in groups:
        batch = collate([encoded[index] for index in chosen])
        assert batch.ids.shape == batch.roles.shape == batch.mask.shape
        assert [int(row.sum()) for row in batch.mask] == [sum(map(len, encoded[index].ids)) for index in chosen]
        assert len(chosen) == 1 or batch.ids.size <= words
