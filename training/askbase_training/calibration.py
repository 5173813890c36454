"""Scale and shift of the reranker's last layer, fitted so that sigmoid(logit) is the chance that a passage answers."""

import numpy as np
import torch
import torch.nn.functional as F

from askbase_training.metrics import expected_calibration_error


def fit_scale_and_shift(
    logits: np.ndarray, labels: np.ndarray, weights: np.ndarray | None = None
) -> tuple[float, float]:
    """Platt scaling by maximum likelihood; `weights` say how much each pair counts."""
    x, y = torch.tensor(logits, dtype=torch.float64), torch.tensor(labels, dtype=torch.float64)
    w = torch.ones_like(x) if weights is None else torch.tensor(weights, dtype=torch.float64)
    parameters = torch.tensor([0.0, 0.0], dtype=torch.float64, requires_grad=True)  # log of the scale; shift
    optimizer = torch.optim.LBFGS([parameters], max_iter=200, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = F.binary_cross_entropy_with_logits(x * parameters[0].exp() + parameters[1], y, weight=w)
        loss.backward()
        return loss

    optimizer.step(closure)
    log_scale, shift = parameters.detach().tolist()
    return float(np.exp(log_scale)), float(shift)


def _sigmoid(values: np.ndarray) -> np.ndarray:
    return (np.tanh(values / 2) + 1) / 2


def calibration_report(logits: np.ndarray, labels: np.ndarray, scale: float, shift: float) -> dict[str, float]:
    before, after = _sigmoid(logits), _sigmoid(logits * scale + shift)
    decided = after >= 0.5
    return {
        "scale": round(scale, 4),
        "shift": round(shift, 4),
        "ece-before": round(expected_calibration_error(before, labels), 4),
        "ece-after": round(expected_calibration_error(after, labels), 4),
        "precision-at-0.5": round(float(labels[decided].mean()) if decided.any() else 0.0, 4),
        "recall-at-0.5": round(float(decided[labels == 1].mean()) if (labels == 1).any() else 0.0, 4),
    }
