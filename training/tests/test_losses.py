import pytest
import torch

from askbase_training.losses import RERANKER_LOSSES, info_nce, margin_mse


@pytest.mark.parametrize("name", RERANKER_LOSSES)
def test_a_higher_relevant_score_lowers_every_reranker_loss(name):
    mask = torch.tensor([[1.0, 1.0, 1.0]])
    wrong, right = torch.tensor([[-2.0, 1.0, 0.5]]), torch.tensor([[2.0, -1.0, -0.5]])
    assert RERANKER_LOSSES[name](right, mask) < RERANKER_LOSSES[name](wrong, mask)


@pytest.mark.parametrize("name", RERANKER_LOSSES)
def test_masked_candidates_change_no_reranker_loss(name):
    scores = torch.tensor([[1.0, -1.0]])
    padded = torch.tensor([[1.0, -1.0, 9.0]])
    loss = RERANKER_LOSSES[name]
    assert loss(padded, torch.tensor([[1.0, 1.0, 0.0]])) == pytest.approx(loss(scores, torch.ones(1, 2)).item())


def test_in_batch_loss_ignores_passages_of_the_same_paragraph():
    vectors = torch.nn.functional.normalize(torch.tensor([[1.0, 0.0], [0.9, 0.1]]), dim=-1)
    same = torch.ones(2, 2, dtype=torch.bool)
    assert info_nce(vectors, vectors, 0.05, same).item() == pytest.approx(0.0, abs=1e-5)
    assert info_nce(vectors, vectors, 0.05).item() > 0.1


def test_distillation_loss_is_zero_where_the_student_has_the_teachers_gaps():
    teacher = torch.tensor([[3.0, 1.0, -1.0]])
    mask = torch.ones(1, 3)
    assert margin_mse(teacher + 5.0, teacher, mask).item() == pytest.approx(0.0)
    assert margin_mse(torch.zeros(1, 3), teacher, mask).item() > 1.0
