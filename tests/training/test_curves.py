import csv

from compactlm.training.curves import curves


def read(path):
    with path.open(newline="") as file:
        return [(int(row["step"]), float(next(reversed(row.values())))) for row in csv.DictReader(file, delimiter="\t")]


def test_losses_become_curves_that_dvc_can_plot(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with curves(tmp_path / "curves" / "general") as log:
        log(20, {"loss": 1.25, "soft": 0.3333333333})
        log(40, {"loss": 1.0, "soft": 0.25})
    metrics = tmp_path / "curves" / "general" / "plots" / "metrics"
    assert read(metrics / "loss.tsv") == [(20, 1.25), (40, 1.0)]
    assert read(metrics / "soft.tsv") == [(20, 0.333333), (40, 0.25)]
    assert [path.name for path in tmp_path.iterdir()] == ["curves"]


def test_a_second_run_replaces_the_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for losses in ([1.0, 2.0], [3.0]):
        with curves(tmp_path / "c") as log:
            for step, loss in enumerate(losses):
                log(step, {"loss": loss})
    assert read(tmp_path / "c" / "plots" / "metrics" / "loss.tsv") == [(0, 3.0)]
