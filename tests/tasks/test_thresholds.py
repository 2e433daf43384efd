import numpy as np

from compactlm.tasks.thresholds import best_threshold


def test_the_best_threshold_has_the_highest_accuracy():
    generator = np.random.default_rng(0)
    targets = generator.integers(0, 2, 400)
    probabilities = np.clip(0.2 + 0.3 * targets + generator.normal(0, 0.05, 400), 0, 1)
    found = best_threshold(probabilities, targets)
    assert 0.25 < found < 0.45
    assert ((probabilities >= found) == targets).mean() > ((probabilities >= 0.5) == targets).mean()
    assert best_threshold(probabilities[:99], targets[:99]) is None
    assert best_threshold(targets.astype(float), targets) is None
