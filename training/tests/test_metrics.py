import numpy as np
import pytest

from askbase_training.metrics import (
    expected_calibration_error,
    hit_at_1,
    ndcg_at,
    recall_at,
    reciprocal_rank,
    summarise,
)


def test_a_relevant_passage_at_rank_two_of_three_gives_the_values_of_trec_eval():
    ranked = ["a", "b", "c"]
    assert ndcg_at(ranked, {"b": 1}) == pytest.approx(0.6309, abs=1e-4)
    assert reciprocal_rank(ranked, {"b"}) == 0.5
    assert hit_at_1(ranked, {"b"}) == 0.0
    assert recall_at(ranked, {"b", "x"}, 3) == 0.5


def test_graded_relevance_is_discounted_by_rank_and_divided_by_the_best_order():
    # gains 3, 0, 2 at ranks 1, 2, 3: (3 + 2 / 2) / (3 + 2 / log2(3))
    assert ndcg_at(["a", "b", "c"], {"a": 3, "c": 2}) == pytest.approx(4 / (3 + 2 / np.log2(3)))


def test_a_query_without_a_run_counts_as_zero():
    metrics = summarise({"q1": ["a"]}, {"q1": {"a": 1}, "q2": {"b": 1}})
    assert metrics["ndcg@10"] == 0.5
    assert metrics["hit@1"] == 0.5


def test_perfectly_calibrated_probabilities_have_no_calibration_error():
    probabilities = np.repeat([0.25, 0.75], 400)
    labels = np.concatenate([np.tile([1, 0, 0, 0], 100), np.tile([1, 1, 1, 0], 100)]).astype(float)
    assert expected_calibration_error(probabilities, labels, bins=2) == pytest.approx(0.0)
    assert expected_calibration_error(1 - probabilities, labels, bins=2) == pytest.approx(0.5)
