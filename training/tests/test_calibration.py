import numpy as np
import pytest

from askbase_training.calibration import calibration_report, fit_scale_and_shift


def test_overconfident_logits_are_scaled_down_to_the_true_odds():
    rng = np.random.default_rng(0)
    true_logits = rng.normal(0.5, 1.5, 20_000)
    labels = (rng.random(20_000) < 1 / (1 + np.exp(-true_logits))).astype(float)
    shown = true_logits * 4 - 2
    scale, shift = fit_scale_and_shift(shown, labels)
    assert scale == pytest.approx(0.25, abs=0.02)
    assert shift == pytest.approx(0.5, abs=0.05)
    report = calibration_report(shown, labels, scale, shift)
    assert report["ece-after"] < 0.02 < report["ece-before"]
