import csv

from compactlm.training.curves import curves


def read(path):
    with path.open(newline="") as file:
        return [(int(row["step"]), float(next(reversed(row.values())))) for row in csv.DictReader(file, delimiter="\t")]


def test_curves_can_be_plotted_by_dvc_and_replace_those_of_an_earlier_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with curves(tmp_path / "curves" / "general") as log:
        for step in (60, 80, 100):
            log(step, {"loss": 9.0})
    with curves(tmp_path / "curves" / "general") as log:
        log(20, {"loss": 1.25, "soft": 0.3333333333})
        log(40, {"loss": 1.0, "soft": 0.25})
    metrics = tmp_path / "curves" / "general" / "plots" / "metrics"
    assert read(metrics / "loss.tsv") == [(20, 1.25), (40, 1.0)]
    assert read(metrics / "soft.tsv") == [(20, 0.333333), (40, 0.25)]
    assert [path.name for path in tmp_path.iterdir()] == ["curves"]


def test_losses_that_a_checkpoint_has_sorted_give_the_same_bytes(tmp_path):
    for name, losses in (("whole", {"soft": 0.5, "loss": 1.0}), ("resumed", {"loss": 1.0, "soft": 0.5})):
        with curves(tmp_path / name) as log:
            log(20, losses)
    assert (tmp_path / "whole" / "metrics.json").read_bytes() == (tmp_path / "resumed" / "metrics.json").read_bytes()
