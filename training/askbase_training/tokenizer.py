"""`train-tokenizer`: one Unigram tokeniser for Chinese and English.

Chinese pieces are words (counted by jieba over the training text, with jieba's own dictionary as a prior) and single
characters; English pieces are learned inside words. A piece has no marker for "inside a word", so the same word is
the same token wherever it stands, and equal tokens on both sides of a pair mean equal text. Each traditional spelling
of a Chinese piece is a token of its own.

`classes` maps tokens to classes: traditional → simplified, English words → stem. The models look up embeddings, term
weights and exact matches by class.
"""

import collections
import functools
import itertools
import json
import math
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from askbase_training.text import HAN, simplified

PAD, UNK, CLS, SEP, MASK = range(5)
SPECIALS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
_RUN = re.compile(r"[\u3400-\u9fff]+|[a-z]+|[0-9]+|[^\s\u3400-\u9fffa-z0-9]")
_HAN_WORD = re.compile(r"^[\u3400-\u9fff]{2,4}$")
RARE_CLASSES = 512  # Han characters that stand in no training text share this many classes
_PRIOR_WEIGHT = 0.1  # one occurrence in jieba's dictionary counts as this many in the training text


def _ranges(*bounds: tuple[int, int]) -> str:
    return "".join(chr(first) if first == last else f"{chr(first)}-{chr(last)}" for first, last in bounds)


_SPACES = _ranges((0x09, 0x0D), (0x20, 0x20), (0x85, 0x85), (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A))
_SPACES += _ranges((0x2028, 0x2029), (0x202F, 0x202F), (0x205F, 0x205F), (0x3000, 0x3000))
_INVISIBLE = _ranges((0x00, 0x08), (0x0E, 0x1F), (0x7F, 0x84), (0x86, 0x9F), (0xAD, 0xAD), (0x200B, 0x200F))
_INVISIBLE += _ranges((0x202A, 0x202E), (0x2060, 0x206F), (0xFEFF, 0xFEFF), (0xE000, 0xF8FF))
# Every visible character of these blocks is a token: Latin, Greek, Cyrillic, Hangul letters, punctuation, currency,
# arrows, mathematics, kana. So are all Han characters of the basic block. What lies outside becomes one sign, so that
# no text has an unknown token (JavaScript and Rust join neighbouring unknown tokens differently).
_BLOCKS = (
    (0x21, 0x7E),
    (0xA1, 0x24F),
    (0x370, 0x3FF),
    (0x400, 0x45F),
    (0x1100, 0x11FF),
    (0x2010, 0x205E),
    (0x20A0, 0x20BF),
    (0x2190, 0x22FF),
    (0x3001, 0x30FF),
)
_HAN_BLOCK = (0x4E00, 0x9FFF)
OTHER = "\ufffd"


def normalizer() -> normalizers.Normalizer:
    known = " " + _ranges((0x21, 0x5A), (0x5E, 0x7E)) + "\\[\\]\\\\" + _ranges(*_BLOCKS[1:], _HAN_BLOCK) + OTHER
    return normalizers.Sequence(
        [
            normalizers.Replace(Regex(f"[{_INVISIBLE}]"), ""),
            normalizers.NFKD(),
            normalizers.Lowercase(),
            normalizers.StripAccents(),
            normalizers.Replace("ς", "σ"),
            normalizers.Replace(Regex(f"[{_SPACES}]"), " "),
            normalizers.Replace(Regex(f"[^{known}]"), OTHER),
        ]
    )


def build_tokenizer(pieces: list[tuple[str, float]]) -> Tokenizer:
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=UNK, byte_fallback=False))
    tokenizer.normalizer = normalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0",
        pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1",
        special_tokens=[("[CLS]", CLS), ("[SEP]", SEP)],
    )
    tokenizer.decoder = decoders.Fuse()
    tokenizer.add_special_tokens(SPECIALS)
    return tokenizer


def train_tokenizer(
    texts: Iterable[str], han_words: int = 18_000, latin_words: int = 17_000, latin_pieces: int = 6_000
) -> Tokenizer:
    han_counts, latin_counts, other_counts = _count(texts)
    pieces = [(token, 0.0) for token in SPECIALS]
    pieces += with_traditional_spellings(_han_pieces(han_counts, han_words))
    pieces += _latin_words(latin_counts, latin_words)
    pieces += _latin_pieces(latin_counts, latin_pieces)
    pieces += _log_probabilities({char: count for char, count in other_counts.items() if count >= 20})
    lowest = min(score for _, score in pieces)
    pieces += [(char, lowest - 2) for char in _every_character()]
    unique = dict(reversed(pieces))  # the first score of a piece counts
    return build_tokenizer([(piece, unique.pop(piece)) for piece, _ in pieces if piece in unique])


def _every_character() -> list[str]:
    """What is left of each known character after normalisation."""
    characters = "".join(chr(code) for first, last in (*_BLOCKS, _HAN_BLOCK) for code in range(first, last + 1))
    return sorted(set(normalizer().normalize_str(characters).replace(" ", "")) | {OTHER})


def _count(texts: Iterable[str]) -> tuple[collections.Counter, collections.Counter, collections.Counter]:
    import jieba

    jieba.setLogLevel(60)
    han, latin, other = collections.Counter(), collections.Counter(), collections.Counter()
    normal = normalizer()
    for text in texts:
        for run in _RUN.findall(simplified(normal.normalize_str(text))):
            if HAN.match(run):
                han.update(jieba.cut(run, HMM=False))
            elif run[0].isascii() and run[0].isalnum():
                latin[run] += 1
            else:
                other[run] += 1
    return han, latin, other


def _han_pieces(counts: collections.Counter, words: int) -> list[tuple[str, float]]:
    import jieba

    weights = collections.Counter(counts)
    for word, frequency in jieba.dt.FREQ.items():
        if frequency and all("\u3400" <= char <= "\u9fff" for char in word):
            weights[simplified(word)] += frequency * _PRIOR_WEIGHT
    chosen = {word: weight for word, weight in weights.items() if len(word) == 1}
    for char in itertools.chain.from_iterable(counts):
        chosen.setdefault(char, 0.01)
    longer = [(word, weight) for word, weight in weights.items() if _HAN_WORD.match(word)]
    longer.sort(key=lambda entry: (-entry[1], entry[0]))
    chosen |= dict(longer[:words])
    return _log_probabilities({word: weight for word, weight in chosen.items() if HAN.match(word)})


def _log_probabilities(weights: dict[str, float]) -> list[tuple[str, float]]:
    total = sum(weights.values())
    return sorted(
        ((piece, round(math.log(max(weight, 0.01) / total), 4)) for piece, weight in weights.items()),
        key=lambda entry: (-entry[1], entry[0]),
    )


def _latin_words(counts: collections.Counter, words: int) -> list[tuple[str, float]]:
    """Frequent words, whole: between a whole word and its parts the tokeniser then prefers the word."""
    weights = {word: count for word, count in counts.items() if count >= 3 and 3 <= len(word) <= 18}
    ranked = sorted(weights, key=lambda word: (-weights[word], word))[:words]
    return _log_probabilities({word: weights[word] for word in ranked})


def _latin_pieces(counts: collections.Counter, size: int) -> list[tuple[str, float]]:
    def repeated() -> Iterator[list[str]]:
        for word, count in counts.items():
            yield [word] * min(1 + count // 3, 400)

    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    alphabet = [chr(code) for code in itertools.chain(range(ord("a"), ord("z") + 1), range(ord("0"), ord("9") + 1))]
    trainer = trainers.UnigramTrainer(
        vocab_size=size, initial_alphabet=alphabet, special_tokens=[], show_progress=False, max_piece_length=18
    )
    tokenizer.train_from_iterator((" ".join(words) for words in repeated()), trainer)
    pieces = json.loads(tokenizer.to_str())["model"]["vocab"]
    return [(piece, round(score, 4)) for piece, score in pieces if piece.isascii() and piece.isalnum()]


@functools.cache
def _spellings() -> dict[str, list[str]]:
    """Simplified character → its traditional characters."""
    found = collections.defaultdict(list)
    for char in map(chr, range(0x3400, 0xA000)):
        folded = simplified(char)
        if folded != char:
            found[folded].append(char)
    return found


def with_traditional_spellings(pieces: list[tuple[str, float]]) -> list[tuple[str, float]]:
    """Adds, with the score of the simplified piece, how it is written in traditional characters: every spelling of a
    single character, the usual one of a word."""
    import opencc

    convert = opencc.OpenCC("s2t").convert
    known = {piece for piece, _ in pieces}
    added: dict[str, float] = {}
    for piece, score in pieces:
        spellings = _spellings().get(piece, []) if len(piece) == 1 else [convert(piece)]
        for spelling in spellings:
            if spelling not in known and simplified(spelling) == piece:
                added.setdefault(spelling, score)
    return pieces + list(added.items())


def token_classes(tokenizer: Tokenizer) -> np.ndarray:
    """Class of each token id (int32); special tokens keep their ids as classes, so classes 0 to 4 are special."""
    import snowballstemmer

    stemmer = snowballstemmer.stemmer("english")
    scores = json.loads(tokenizer.to_str())["model"]["vocab"]
    lowest = min(score for _, score in scores)
    ids: dict[str, int] = {}
    classes = np.zeros(tokenizer.get_vocab_size(), dtype=np.int32)
    for token_id in range(tokenizer.get_vocab_size()):
        piece = tokenizer.id_to_token(token_id)
        rare = scores[token_id][1] == lowest and bool(HAN.match(piece))
        key = piece if token_id < len(SPECIALS) else _class_key(piece, stemmer, rare)
        classes[token_id] = ids.setdefault(key, len(ids))
    return classes


def _class_key(piece: str, stemmer, rare: bool) -> str:
    if rare:
        return f"rare {ord(piece) % RARE_CLASSES}"
    if piece.isascii() and piece.isalpha() and len(piece) >= 4:
        return stemmer.stemWord(piece)
    return simplified(piece)


def class_names(tokenizer: Tokenizer, classes: np.ndarray) -> list[str]:
    """For each class, its first token's text (the simplified spelling of a Chinese piece)."""
    names: list[str] = []
    for token_id, class_id in enumerate(classes):
        if class_id == len(names):
            names.append(tokenizer.id_to_token(token_id))
    return names


def save_tokenizer(tokenizer: Tokenizer, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    np.save(folder / "classes.npy", token_classes(tokenizer))
