import json
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer

from askbase_training.average import average_checkpoints
from askbase_training.dataset import encode_texts, in_part, is_validation
from askbase_training.export import PAIR_INPUTS, compare_with_pytorch, export_onnx, open_session, quantise_onnx
from askbase_training.first_layers import fit_first_layers
from askbase_training.jsonl import read_jsonl, write_jsonl
from askbase_training.model_folder import write_model_folder
from askbase_training.pretrain import pretrain
from askbase_training.reranker import Reranker, RerankerShape
from askbase_training.restore import restore_reranker
from askbase_training.running_text import RunningText, sentence_ends
from askbase_training.train_reranker import (
    GroupSampler,
    RerankerRun,
    Variation,
    calibrated,
    load_reranker,
    train_reranker,
    validate,
)
from askbase_training.training_loop import Schedule
from askbase_training.triples import Triples, collate, load_triples

SHAPE = RerankerShape(hidden=16, layers=1, heads=2, attention=8, feed_forward=16, context=8, word=4)


@pytest.fixture
def model(tokenizer_folder: Path, table_file: Path) -> Reranker:
    torch.manual_seed(0)
    classes = np.load(tokenizer_folder / "classes.npy")
    idf = np.full(classes.max() + 1, 0.5, np.float32)
    idf[:5] = 0
    return Reranker(classes, np.load(table_file), idf, SHAPE).eval()


@pytest.fixture(scope="module")
def tokenizer(tokenizer_folder: Path) -> Tokenizer:
    return Tokenizer.from_file(str(tokenizer_folder / "tokenizer.json"))


def _language(text: str) -> str:
    return "en" if text.isascii() else "zh"


@pytest.fixture
def text(work: Path, tmp_path: Path) -> Path:
    """A folder of `prepare` with a few documents of running text."""
    folder = tmp_path / "text"
    documents: dict[str, list[str]] = {}
    for record in read_jsonl(work / "pairs.jsonl"):
        documents.setdefault(record["positive"][:2], []).append(record["positive"])
    write_jsonl(
        folder / "texts.jsonl",
        (
            {"text": paragraph, "kind": "text", "source": "manual", "group": name, "language": _language(name)}
            for name, paragraphs in documents.items()
            for paragraph in paragraphs * 3
        ),
    )
    return folder


def pairs_of(tokenizer: Tokenizer, question: str, passages: list[str]):
    def ids(text: str) -> np.ndarray:
        return np.array(tokenizer.encode(text, add_special_tokens=False).ids)

    return [(ids(question), ids(passage)) for passage in passages]


@torch.no_grad()
def test_an_untrained_model_already_ranks_by_the_words_both_texts_share(model, tokenizer):
    pairs = pairs_of(tokenizer, "耳机可以退货吗", ["键盘的保修期是两年。", "耳机在签收后可以退货。"])
    logits = model(**collate(pairs, 64))[:, 0]
    assert logits[1] > logits[0]


@torch.no_grad()
def test_the_traditional_spelling_of_a_question_matches_the_same(model, tokenizer):
    passage = ["耳机在签收后可以退货。"]
    simplified, traditional = (
        model(**collate(pairs_of(tokenizer, question, passage), 64)) for question in ("耳机退货", "耳機退貨")
    )
    assert torch.allclose(simplified, traditional, atol=1e-5)


@torch.no_grad()
def test_padding_changes_no_logit(model, tokenizer):
    short = pairs_of(tokenizer, "退货", ["可以退货。"])
    long = pairs_of(tokenizer, "退货", ["耳机的保修期是两年。人为损坏不在保修范围内。请提供发票。"])
    alone = model(**collate(short, 64))
    together = model(**collate(short + long, 64))
    assert torch.allclose(alone[0], together[0], atol=1e-5)


@torch.no_grad()
def test_questions_longer_than_the_matched_positions_are_scored(model, tokenizer):
    inputs = collate(pairs_of(tokenizer, "耳机可以退货吗" * 30, ["可以退货。"]), 512)
    assert torch.isfinite(model(**inputs)).all()


def test_the_exported_graph_gives_pytorchs_logits_and_int8_stays_close(model, tmp_path):
    vocabulary = len(model.classes)
    export_onnx(model, tmp_path / "fp32.onnx", PAIR_INPUTS, "logits", vocabulary)
    quantise_onnx(tmp_path / "fp32.onnx", tmp_path / "int8.onnx")
    assert compare_with_pytorch(model, tmp_path / "int8.onnx", PAIR_INPUTS, vocabulary) < 0.2
    assert [entry.name for entry in open_session(tmp_path / "int8.onnx").get_inputs()] == list(PAIR_INPUTS)


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_a_shipped_folder_gives_back_what_training_goes_on_from(model, precision, triples_file, tokenizer_folder, tmp_path):
    for parameter in model.parameters():  # layers that start at zero would hide a weight that was not found
        torch.nn.init.normal_(parameter, std=0.1)
    expected = model.state_dict()
    model.round_words()
    files = {"fp32": tmp_path / "fp32.onnx", "int8": tmp_path / "int8.onnx"}
    export_onnx(model, files["fp32"], PAIR_INPUTS, "logits", len(model.classes))
    quantise_onnx(files["fp32"], files["int8"])
    description = {"name": "shop", "kind": "reranker", "maxLength": 64}
    folder, out = tmp_path / "folder", tmp_path / "restored"
    golden = [{"query": "耳机可以退货吗", "passage": "耳机在签收后可以退货。"}]
    write_model_folder(folder, description, {precision: files[precision]}, tokenizer_folder / "tokenizer.json", golden)
    restore_reranker(folder, out, SHAPE)
    restored = torch.load(out / "best.pt", weights_only=True)
    assert restored.keys() == expected.keys()
    for name, weights in expected.items():
        rounding = 1e-6 if precision == "fp32" and name != "words.weight" else 5e-3
        assert torch.allclose(restored[name].float(), weights.float(), atol=rounding), name
    run = RerankerRun(Schedule(1, 0.01, 1, 1), shape=SHAPE, groups=4, negatives=3, length=64, start=out / "best.pt")
    assert train_reranker(triples_file, out, out / "table.npy", tmp_path / "tuned", run)["ndcg@10"] > 0


def test_training_is_repeatable_and_lowers_the_loss(triples_file, tokenizer_folder, table_file, tmp_path):
    run = RerankerRun(Schedule(6, 0.01, 2, 3), shape=SHAPE, groups=4, negatives=3, length=64)
    first = train_reranker(triples_file, tokenizer_folder, table_file, tmp_path / "a", run)
    second = train_reranker(triples_file, tokenizer_folder, table_file, tmp_path / "b", run)
    assert first == second
    assert 0 < first["ndcg@10"] <= 1
    assert (tmp_path / "a" / "curves.png").exists()


def test_the_first_layers_alone_learn_to_put_the_relevant_passage_first(model, triples_file, tokenizer):
    training, held_out = load_triples(triples_file, tokenizer)
    torch.nn.init.constant_(model.direct.weight, -1.0)  # the worst passage first, so that there is all to learn
    assert validate(model, held_out, 64, {})["ndcg@10"] < 0.7
    fit_first_layers(model, training, {}, groups=60, length=64, seed=1, passes=30)
    assert validate(model.eval(), held_out, 64, {})["ndcg@10"] > 0.9


@torch.no_grad()
def test_matching_only_the_positions_that_questions_take_gives_the_same_logits(model, tokenizer):
    inputs = collate(pairs_of(tokenizer, "耳机可以退货吗", ["键盘的保修期是两年。", "耳机在签收后可以退货。"]), 64)
    whole = model(**inputs)
    with model.questions_up_to(int(inputs["token_type_ids"].argmax(dim=1).max())):
        assert torch.allclose(model(**inputs), whole, atol=1e-5)


def test_negatives_come_from_the_whole_mined_list_and_from_other_questions(tokenizer):
    texts = [f"passage {number}" for number in range(60)]
    bags = encode_texts(tokenizer, texts, 8)
    triples = Triples(bags, bags, [[0, *range(1, 41)], [50, 51]], ["manual", "manual"], [[], []])
    drawn = [group for step in range(20) for group in GroupSampler(triples, {}, 4, 6, seed=1).at(step)]
    long = [group for group in drawn if group.group == 0]
    assert all(candidates[0] == 0 and len(set(candidates)) == 7 for _, candidates, _ in long)
    assert all(sum(1 <= at <= 10 for at in candidates) == 3 for _, candidates, _ in long)
    assert {passage for group in long for passage in group.easy} == {50}
    assert {(tuple(candidates), *easy) for group, candidates, easy in drawn if group == 1} == {((0, 1),), ((0, 1), 0)}


def test_a_mean_of_checkpoints_lies_between_them_and_a_reader_that_one_lacks_speaks_by_its_share(model, tokenizer, tmp_path):
    first, second = ({name: value.clone() for name, value in model.state_dict().items()} for _ in range(2))
    second["judge.2.bias"] += 2.0
    last = torch.randn_like(second["reader.judge.3.weight"])
    second["reader.judge.3.weight"] = last
    old = {name: value for name, value in first.items() if not name.startswith("reader.")}
    torch.save(old, tmp_path / "first.pt")
    torch.save(second, tmp_path / "second.pt")
    average_checkpoints(tmp_path / "first.pt", tmp_path / "second.pt", 0.25, tmp_path / "between.pt")
    between = torch.load(tmp_path / "between.pt", weights_only=True)
    assert torch.allclose(between["judge.2.bias"], first["judge.2.bias"] + 0.5)
    assert torch.allclose(between["reader.judge.3.weight"], 0.25 * last)
    assert torch.equal(between["reader.word.weight"], second["reader.word.weight"])
    del old["direct.weight"]
    torch.save(old, tmp_path / "first.pt")
    with pytest.raises(ValueError, match="shape"):
        average_checkpoints(tmp_path / "first.pt", tmp_path / "second.pt", 0.25, tmp_path / "between.pt")


def test_a_teachers_scores_can_be_distilled(triples_file, tokenizer_folder, table_file, tmp_path):
    run = RerankerRun(Schedule(2, 0.01, 1, 2), shape=SHAPE, loss="margin-mse", groups=4, negatives=3, length=64)
    assert train_reranker(triples_file, tokenizer_folder, table_file, tmp_path, run)["ndcg@10"] > 0


def test_a_pretrained_transformer_is_a_start_for_training(text, triples_file, tokenizer_folder, table_file, tmp_path):
    pretrain(text, tokenizer_folder, table_file, tmp_path / "p", Schedule(2, 0.01, 1, 2), SHAPE, groups=2, length=48)
    start = tmp_path / "p" / "reranker.pt"
    run = RerankerRun(Schedule(1, 0.01, 1, 1, mean=0.9), SHAPE, groups=4, length=64, start=start, first_groups=2)
    run = replace(run, text=text, text_share=0.5, spoil=("manual",))
    assert train_reranker(triples_file, tokenizer_folder, table_file, tmp_path / "r", run)["ndcg@10"] > 0


def test_hidden_words_are_learnt(text, tokenizer_folder, table_file, tmp_path):
    pretrain(text, tokenizer_folder, table_file, tmp_path, Schedule(60, 0.02, 5, 60), SHAPE, groups=4, length=64)
    log = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    before, after = (line for line in log if "named" in line)
    assert before["ndcg@10"] == 0 < after["ndcg@10"]  # nothing is known, and a tie is no first place
    assert after["named"] > before["named"]


def test_a_running_mean_of_the_weights_is_what_is_kept(text, tokenizer_folder, table_file, tmp_path):
    weights = {}
    for mean in (0.0, 0.999):
        folder = tmp_path / str(mean)
        pretrain(text, tokenizer_folder, table_file, folder, Schedule(8, 0.05, 1, 8, mean=mean), SHAPE, groups=2, length=48)
        saved = torch.load(folder / "last.pt", weights_only=True)
        weights[mean] = saved["model"]["reranker.reduce.weight"]
    assert torch.equal(*weights.values())  # the mean leaves training as it is
    kept = saved["mean"]
    assert not all(torch.equal(mean, now) for mean, now in zip(kept, saved["model"].values()))


def test_a_sentence_asks_for_the_paragraph_it_stands_in(text, tokenizer, tokenizer_folder):
    running = RunningText(text, tokenizer, np.load(tokenizer_folder / "classes.npy"))
    paragraphs = {tuple(running.paragraphs[at]) for at in range(len(running.paragraphs))}
    rng = random.Random(1)
    groups = [running.group(rng, 8) for _ in range(60)]
    assert all(len(passages) == 8 and len(question) for question, passages in groups)
    whole = [tuple(passages[0]) in paragraphs for _, passages in groups]
    assert 0.4 < sum(whole) / len(whole) < 0.8  # else the sentence was taken out of its paragraph
    asking = {tokenizer.encode(word, add_special_tokens=False).ids[0] for word in ("what", "who", "什么", "谁")}
    assert sum(bool(asking & set(question.tolist())) for question, _ in groups) > 5


def test_text_without_documents_is_refused(tokenizer, tokenizer_folder, tmp_path):
    write_jsonl(tmp_path / "texts.jsonl", [{"text": "Alone.", "kind": "text", "source": "s", "group": "g", "language": "en"}])
    with pytest.raises(ValueError, match="three paragraphs"):
        RunningText(tmp_path, tokenizer, np.load(tokenizer_folder / "classes.npy"))


def test_a_passage_is_spoiled_by_losing_the_sentence_that_was_asked_for(tokenizer):
    question = "耳机可以退货吗"
    texts = ["耳机在签收后三十天内可以退货。键盘的保修期是两年以上。请保留包装以及发票原件。商品送达以后请尽快检查。", "台灯"]
    bags = encode_texts(tokenizer, texts, 99)
    triples = Triples(encode_texts(tokenizer, [question], 20), bags, [[0, 1]], ["manual"], [[]])
    size = tokenizer.get_vocab_size()
    vary = Variation(triples, ["manual"], np.full(size, 0.5), sentence_ends(tokenizer, size))
    drawn = [vary(0, triples.questions[0], [bags[0], bags[1]], random.Random(seed)) for seed in range(40)]
    spoiled = [passages[2] for _, passages in drawn if len(passages) == 3]
    assert 2 <= len(spoiled) <= 16
    assert all("退货" not in tokenizer.decode(passage.tolist()) for passage in spoiled)
    assert {len(question) for question, _ in drawn} != {len(triples.questions[0])}


def test_calibration_moves_the_logits_and_keeps_their_order(
    triples_file, tokenizer_folder, table_file, tokenizer, tmp_path
):
    run = RerankerRun(Schedule(1, 0.01, 1, 1), shape=SHAPE, groups=2, length=64)
    train_reranker(triples_file, tokenizer_folder, table_file, tmp_path, run)
    model = load_reranker(tmp_path / "best.pt", tokenizer_folder, table_file, SHAPE)
    inputs = collate(pairs_of(tokenizer, "耳机退货", ["键盘保修两年。", "耳机可以退货。", "台灯"]), 64)
    before = model(**inputs).detach()
    report = calibrated(model, triples_file, tokenizer_folder)
    after = model(**inputs).detach()
    assert report["scale"] > 0
    assert torch.equal(before.argsort(dim=0), after.argsort(dim=0))


def test_about_one_paragraph_in_twenty_is_held_out():
    share = np.mean([is_validation(str(number)) for number in range(4000)])
    assert 0.03 < share < 0.07


def test_embedder_and_reranker_learn_from_different_paragraphs():
    names = [str(number) for number in range(400)]
    assert all(in_part(name, "embedder") != in_part(name, "reranker") for name in names)
    assert all(in_part(name, None) for name in names)
