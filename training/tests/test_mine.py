import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer

from askbase_training.dataset import load_all_pairs
from askbase_training.embedder import TableEmbedder
from askbase_training.jsonl import write_jsonl
from askbase_training.mine import Mining, mine_locally, mine_with, search_over_http


def test_mined_passages_are_of_the_same_source_and_never_the_answer(work: Path, tokenizer_folder, table_file):
    tokenizer = Tokenizer.from_file(str(tokenizer_folder / "tokenizer.json"))
    embedder = TableEmbedder(np.load(table_file), np.load(tokenizer_folder / "classes.npy"))
    pairs = load_all_pairs(work)
    triples = list(mine_locally(pairs, tokenizer, embedder, Mining(per_query=3)))
    source_of = dict(zip(pairs.passages, pairs.passage_sources))
    assert len(triples) == len(pairs)
    for triple in triples:
        assert triple["positive"] not in triple["negatives"]
        assert {source_of[text] for text in triple["negatives"]} == {triple["source"]}


def test_a_pool_of_all_sources_mixes_them_within_a_language(tmp_path: Path, tokenizer_folder, table_file, pairs):
    renamed = [{**pair, "source": f"{pair['source']}-{number % 2}"} for number, pair in enumerate(pairs)]
    write_jsonl(tmp_path / "pairs.jsonl", renamed)
    tokenizer = Tokenizer.from_file(str(tokenizer_folder / "tokenizer.json"))
    embedder = TableEmbedder(np.load(table_file), np.load(tokenizer_folder / "classes.npy"))
    together = load_all_pairs(tmp_path)
    source_of = dict(zip(together.passages, together.passage_sources))
    triples = list(mine_locally(together, tokenizer, embedder, Mining(per_query=6, pooled=True)))
    met = {(triple["source"], source_of[text]) for triple in triples for text in triple["negatives"]}
    assert ("shop-zh-0", "shop-zh-1") in met
    assert not any(own[:7] != other[:7] for own, other in met)


def test_copies_of_the_answer_are_filtered_as_false_negatives():
    answer = "You may return the lamp within thirty days after it was delivered to your door. Keep the box."
    copy = answer + " Thank you."
    other = "The warranty of the kettle is two years and does not cover damage by water or by heat at all."
    (triple,) = mine_with(lambda _question: [copy, answer, other], [{"query": "return?", "positive": answer}], 5)
    assert triple["negatives"] == [other]


@pytest.fixture
def server():
    """A server that answers `POST /v1/search` and remembers what it was asked."""
    asked: list[dict] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            asked.append({"path": self.path, **json.loads(self.rfile.read(int(self.headers["content-length"])))})
            body = json.dumps({"candidates": [{"text": "one"}, {"text": "two"}]}).encode()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments):
            pass

    http = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=http.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{http.server_port}", asked
    http.shutdown()
    thread.join()
    http.server_close()


def test_candidates_come_from_the_running_product(server):
    url, asked = server
    assert search_over_http(url, "shop", limit=7)("return?") == ["one", "two"]
    assert asked == [{"path": "/v1/search", "knowledgeBase": "shop", "query": "return?", "limit": 7}]
