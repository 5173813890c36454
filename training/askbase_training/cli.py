"""Command line: `python -m askbase_training <command> --help`."""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from askbase_training.losses import RERANKER_LOSSES
from askbase_training.training_loop import Schedule

HERE = Path(__file__).resolve().parent.parent


def main(arguments: list[str] | None = None) -> None:
    options = _parser().parse_args(arguments)
    _set_threads(options.threads)
    options.run(options)


def _set_threads(threads: int | None) -> None:
    if threads:
        import torch

        torch.set_num_threads(threads)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="askbase_training", description=__doc__)
    parser.add_argument("--threads", type=int, help="CPU threads of PyTorch and ONNX Runtime (default: all)")
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")

    def command(name: str, run: Callable, text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        sub.set_defaults(run=run)
        return sub

    sub = command("prepare", _prepare, "read the sources, drop overlaps with evaluation sets, write pairs")
    sub.add_argument("--sources", type=Path, default=HERE / "sources.yaml")
    sub.add_argument("--data", type=Path, required=True, help="folder of the sets in BEIR layout")
    sub.add_argument("--repositories", type=Path, required=True, help="folder of checkouts, one `owner+name` each")
    sub.add_argument("--work", type=Path, required=True)
    sub.add_argument("--only", nargs="+", default=[], help="names of the sources to read (default: all)")

    sub = command("train-tokenizer", _train_tokenizer, "train the tokeniser on the prepared text")
    sub.add_argument("--work", type=Path, required=True)
    sub.add_argument("--out", type=Path, required=True)

    sub = command("pretrain", _pretrain, "start the reranker's transformer on running text, without questions")
    _model_inputs(sub)
    sub.add_argument("--groups", type=int, default=8, help="sentences a step, each with eight passages")
    _schedule_options(sub, steps=5000, rate=2e-3)
    _shape_options(sub)

    sub = command("train-embedder", _train_embedder, "train the bi-encoder")
    sub.add_argument("--work", type=Path, required=True)
    sub.add_argument("--tokenizer", type=Path, required=True, help="folder of train-tokenizer")
    sub.add_argument("--out", type=Path, required=True)
    sub.add_argument("--negatives", type=Path, help="triples of mine-negatives")
    sub.add_argument("--batch", type=int, default=512)
    sub.add_argument(
        "--part",
        choices=["embedder", "reranker"],
        help="use half of the pairs, so that the reranker learns from others",
    )
    _schedule_options(sub, steps=2000, rate=3e-3)

    sub = command("mine-negatives", _mine, "find hard negatives with BM25 and the embedder")
    sub.add_argument("--work", type=Path, required=True)
    sub.add_argument("--tokenizer", type=Path, required=True)
    sub.add_argument("--table", type=Path, required=True, help="table.npy of train-embedder")
    sub.add_argument("--kinds", nargs="+", default=["question", "heading", "translation"])
    sub.add_argument("--per-query", type=int, default=40)
    sub.add_argument("--limit-per-source", type=int)
    sub.add_argument("--pooled", action="store_true", help="search all sources of a kind and language together")
    sub.add_argument("--part", choices=["embedder", "reranker"], help="mine for half of the pairs only")
    sub.add_argument("--out", type=Path, required=True)

    sub = command("mine-from-server", _mine_from_server, "find hard negatives with a running Askbase (POST /v1/search)")
    sub.add_argument("--pairs", type=Path, required=True, help="JSON lines {query, positive}")
    sub.add_argument("--url", default="http://127.0.0.1:3000")
    sub.add_argument("--knowledge-base", required=True)
    sub.add_argument("--per-query", type=int, default=12)
    sub.add_argument("--out", type=Path, required=True)

    sub = command("train-reranker", _train_reranker, "train the cross-encoder on triples")
    _model_inputs(sub)
    sub.add_argument("--triples", type=Path, required=True)
    sub.add_argument("--loss", choices=[*RERANKER_LOSSES, "margin-mse"], default="listwise-bce")
    sub.add_argument("--groups", type=int, default=8)
    sub.add_argument("--candidates", type=int, default=6, help="mined passages a group")
    sub.add_argument("--length", type=int, default=260)
    sub.add_argument(
        "--first-groups",
        type=int,
        help="groups that fit the layers before the transformer (4000; with --start none unless given)",
    )
    sub.add_argument(
        "--part",
        choices=["embedder", "reranker"],
        help="use half of the pairs, so that the reranker learns from others",
    )
    sub.add_argument("--weights", type=Path, help="JSON object: source → how often it is drawn")
    sub.add_argument("--start", type=Path, help="checkpoint to go on from (pretrain's or an earlier one)")
    sub.add_argument("--spoil", nargs="+", default=[], help="sources whose passages stop answering without one sentence")
    sub.add_argument("--text-share", type=float, default=0.1, help="of the groups, from running text (with --work)")
    _schedule_options(sub, steps=4000, rate=1.5e-3)
    _shape_options(sub)

    sub = command("restore-reranker", _restore_reranker, "a checkpoint of the bundled reranker, to go on training it")
    sub.add_argument("--model-folder", type=Path, required=True)
    sub.add_argument("--out", type=Path, required=True)
    _shape_options(sub)

    sub = command("average-checkpoints", _average, "between a reranker and the one trained on from it")
    sub.add_argument("--first", type=Path, required=True)
    sub.add_argument("--second", type=Path, required=True)
    sub.add_argument("--share", type=float, default=0.6, help="of the second")
    sub.add_argument("--out", type=Path, required=True)

    sub = command("fine-tune", _fine_tune, "fine-tune a Hugging Face cross-encoder or bi-encoder on triples")
    sub.add_argument("--model", required=True, help="name or folder")
    sub.add_argument("--kind", choices=["cross-encoder", "bi-encoder"], default="cross-encoder")
    sub.add_argument("--triples", type=Path, required=True)
    sub.add_argument("--loss", choices=list(RERANKER_LOSSES), default="listwise")
    sub.add_argument("--max-length", type=int, default=512)
    sub.add_argument("--out", type=Path, required=True)
    _schedule_options(sub, steps=2000, rate=2e-5)

    sub = command("distil", _distil, "write a large cross-encoder's scores into triples, for --loss margin-mse")
    sub.add_argument("--teacher", required=True, help="name or folder of a Hugging Face cross-encoder")
    sub.add_argument("--triples", type=Path, required=True)
    sub.add_argument("--max-length", type=int, default=512)
    sub.add_argument("--out", type=Path, required=True)

    sub = command("evaluate", _evaluate, "lexical, dense, fused and reranked retrieval on BEIR sets")
    sub.add_argument("--data", type=Path, required=True)
    sub.add_argument("--sets", nargs="+", default=None)
    sub.add_argument("--embedder", type=Path, required=True, help="model folder")
    sub.add_argument("--reranker", type=Path, help="model folder")
    sub.add_argument("--queries", type=int, help="an evenly spread part of the queries only")
    sub.add_argument("--cache", type=Path, help="folder for BM25 runs")
    sub.add_argument("--out", type=Path, help="metrics as JSON")

    sub = command("export", _export, "write ONNX files, checked against PyTorch")
    sub.add_argument("--kind", choices=["embedder", "reranker"], required=True)
    sub.add_argument("--tokenizer", type=Path, required=True)
    sub.add_argument("--table", type=Path, required=True)
    sub.add_argument("--checkpoint", type=Path, help="best.pt of train-reranker")
    sub.add_argument("--calibrate", type=Path, help="triples whose validation part fits scale and shift")
    sub.add_argument("--out", type=Path, required=True)
    _shape_options(sub)

    sub = command("quantise", _quantise, "matrix products of an ONNX file in dynamic int8")
    sub.add_argument("--source", type=Path, required=True)
    sub.add_argument("--out", type=Path, required=True)

    sub = command("write-model-folder", _write_model_folder, "model folder with manifest, golden values and hashes")
    sub.add_argument("--description", type=Path, required=True, help="JSON: the manifest's own fields and `golden`")
    sub.add_argument("--file", action="append", required=True, metavar="PRECISION=PATH")
    sub.add_argument("--tokenizer", type=Path, required=True)
    sub.add_argument("--out", type=Path, required=True)
    return parser


def _model_inputs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--work", type=Path, help="folder of prepare: running text")
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--table", type=Path, required=True, help="table.npy of train-embedder")
    parser.add_argument("--out", type=Path, required=True)


def _schedule_options(parser: argparse.ArgumentParser, steps: int, rate: float) -> None:
    parser.add_argument("--steps", type=int, default=steps)
    parser.add_argument("--learning-rate", type=float, default=rate)
    parser.add_argument("--warm-up", type=int, default=100)
    parser.add_argument("--evaluate-every", type=int, default=500)
    parser.add_argument("--patience", type=int, default=4, help="validations without a new best before stopping")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--mixed-precision", action="store_true", help="bfloat16 autocast (worth it on a GPU)")
    parser.add_argument("--mean", type=float, default=0.0, help="decay of a running mean of the weights that is kept")


def _schedule(options: argparse.Namespace) -> Schedule:
    names = ("steps", "learning_rate", "warm_up", "evaluate_every", "patience", "seed", "mixed_precision", "mean")
    return Schedule(**{name: getattr(options, name) for name in names})


def _shape_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--hidden", type=int, default=128)
    parser.add_argument("--layers", type=int, default=6)
    parser.add_argument("--heads", type=int, default=2)
    parser.add_argument("--attention", type=int, default=64, help="width of all heads together")
    parser.add_argument("--feed-forward", type=int, default=256)


def _shape(options: argparse.Namespace):
    from askbase_training.reranker import RerankerShape

    names = ("hidden", "layers", "heads", "attention", "feed_forward")
    return RerankerShape(**{name: getattr(options, name) for name in names})


def _prepare(options: argparse.Namespace) -> None:
    from askbase_training.prepare import prepare

    prepare(options.sources, options.data, options.repositories, options.work, options.only)


def _train_tokenizer(options: argparse.Namespace) -> None:
    from askbase_training.prepare import tokenizer_texts
    from askbase_training.tokenizer import save_tokenizer, train_tokenizer

    save_tokenizer(train_tokenizer(tokenizer_texts(options.work)), options.out)


def _pretrain(options: argparse.Namespace) -> None:
    from askbase_training.pretrain import pretrain

    schedule, shape = _schedule(options), _shape(options)
    print(pretrain(options.work, options.tokenizer, options.table, options.out, schedule, shape, groups=options.groups))


def _train_embedder(options: argparse.Namespace) -> None:
    from askbase_training.train_embedder import train_embedder

    print(
        train_embedder(
            options.work,
            options.tokenizer,
            options.out,
            _schedule(options),
            options.batch,
            options.negatives,
            options.part,
        )
    )


def _average(options: argparse.Namespace) -> None:
    from askbase_training.average import average_checkpoints

    average_checkpoints(options.first, options.second, options.share, options.out)


def _mine(options: argparse.Namespace) -> None:
    from tokenizers import Tokenizer

    from askbase_training.dataset import load_all_pairs
    from askbase_training.embedder import TableEmbedder
    from askbase_training.mine import Mining, mine_locally, write_triples

    tokenizer = Tokenizer.from_file(str(options.tokenizer / "tokenizer.json"))
    embedder = TableEmbedder(np.load(options.table), np.load(options.tokenizer / "classes.npy"))
    mining = Mining(
        options.kinds,
        options.per_query,
        limit_per_source=options.limit_per_source,
        pooled=options.pooled,
        part=options.part,
    )
    triples = mine_locally(load_all_pairs(options.work), tokenizer, embedder, mining)
    print(write_triples(options.out, triples))


def _mine_from_server(options: argparse.Namespace) -> None:
    from askbase_training.jsonl import read_jsonl
    from askbase_training.mine import mine_with, search_over_http, write_triples

    search = search_over_http(options.url, options.knowledge_base, limit=options.per_query * 2)
    print(write_triples(options.out, mine_with(search, read_jsonl(options.pairs), options.per_query)))


def _train_reranker(options: argparse.Namespace) -> None:
    from askbase_training.train_reranker import RerankerRun, train_reranker

    run = RerankerRun(
        _schedule(options),
        shape=_shape(options),
        loss=options.loss,
        groups=options.groups,
        negatives=options.candidates,
        length=options.length,
        weights=json.loads(options.weights.read_text()) if options.weights else {},
        part=options.part,
        start=options.start,
        first_groups=options.first_groups,
        spoil=tuple(options.spoil),
        text=options.work,
        text_share=options.text_share,
    )
    print(train_reranker(options.triples, options.tokenizer, options.table, options.out, run))


def _restore_reranker(options: argparse.Namespace) -> None:
    from askbase_training.restore import restore_reranker

    difference = restore_reranker(options.model_folder, options.out, _shape(options))
    print(f"largest difference to the ONNX file: {difference:.3f}")


def _fine_tune(options: argparse.Namespace) -> None:
    from askbase_training import hugging_face
    from askbase_training.jsonl import read_jsonl

    triples = list(read_jsonl(options.triples))
    if options.kind == "cross-encoder":
        model = hugging_face.CrossEncoder(options.model, options.max_length)
        print(hugging_face.fine_tune_cross_encoder(model, triples, options.out, _schedule(options), options.loss))
    else:
        model = hugging_face.BiEncoder(options.model, limit=options.max_length)
        print(hugging_face.fine_tune_bi_encoder(model, triples, options.out, _schedule(options)))


def _distil(options: argparse.Namespace) -> None:
    from askbase_training.hugging_face import CrossEncoder, write_teacher_scores

    print(write_teacher_scores(CrossEncoder(options.teacher, options.max_length), options.triples, options.out))


def _evaluate(options: argparse.Namespace) -> None:
    from askbase_training.evaluate import POOLS, evaluate_set, load_set, table
    from askbase_training.scoring import embedder_of, reranker_of

    embed = embedder_of(options.embedder, options.threads or 0)
    rerank = reranker_of(options.reranker, options.threads or 0) if options.reranker else None
    results = {}
    for name in options.sets or POOLS:
        cache = options.cache / f"{name}.json" if options.cache else None
        results[name], _ = evaluate_set(load_set(options.data, name, limit=options.queries), embed, rerank, cache)
        print(name, results[name], file=sys.stderr, flush=True)
    print(table(results))
    if options.out:
        options.out.write_text(json.dumps(results, indent=1))


def _export(options: argparse.Namespace) -> None:
    from askbase_training.export import PAIR_INPUTS, TEXT_INPUTS, ExportedEmbedder, export_onnx
    from askbase_training.train_reranker import calibrated, load_reranker

    classes = np.load(options.tokenizer / "classes.npy")
    if options.kind == "embedder":
        model = ExportedEmbedder(classes, np.load(options.table))
        difference = export_onnx(model, options.out, TEXT_INPUTS, "sentence_embedding", len(classes))
    else:
        model = load_reranker(options.checkpoint, options.tokenizer, options.table, _shape(options))
        model.round_words()
        if options.calibrate:
            print(calibrated(model, options.calibrate, options.tokenizer))
        difference = export_onnx(model, options.out, PAIR_INPUTS, "logits", len(classes))
    print(f"largest difference to PyTorch: {difference:.2e}")


def _quantise(options: argparse.Namespace) -> None:
    from askbase_training.export import quantise_onnx

    quantise_onnx(options.source, options.out)


def _write_model_folder(options: argparse.Namespace) -> None:
    from askbase_training.model_folder import write_model_folder

    description = json.loads(options.description.read_text(encoding="utf-8"))
    golden = description.pop("golden")
    files = {precision: Path(path) for precision, path in (entry.split("=", 1) for entry in options.file)}
    write_model_folder(options.out, description, files, options.tokenizer, golden)
