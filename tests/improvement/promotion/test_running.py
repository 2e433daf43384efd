"""promote and rollback on a real git and DVC repository, with models that know some words."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from compactlm.errors import CompactLMError
from compactlm.figures.numbers import MINUS
from compactlm.improvement.promotion import promoting
from compactlm.improvement.promotion.promoting import check_committed
from compactlm.improvement.registry import Registry, read_registry
from tests.improvement.conftest import BAD, GOOD, Project, git, rows

OLD_TEST = [*rows("fine", GOOD, 60), *rows("poor", BAD, 60)]
NEW_TEST = [*rows("sturdy", GOOD, 40, "products"), *rows("broken", BAD, 40, "products")]
OLD_TRAIN, NEW_TRAIN = rows("fine", GOOD, 5, "more"), rows("sturdy", GOOD, 5, "more")


@pytest.fixture
def champion(project: Project, cli) -> Project:
    project.train(["fine"], OLD_TRAIN, OLD_TEST)
    assert cli("promote")[0] == 2
    status, output, _ = cli("promote", "--first")
    assert (status, "compactlm@v0.1.0 holds the stage production" in output) == (0, True)
    return project


def tags() -> list[str]:
    return git("tag", "--list").split()


def test_a_better_model_is_promoted_seen_by_gto_and_dvc_and_rolled_back(champion: Project, cli, tmp_path: Path) -> None:
    champion.train(["fine", "sturdy"], [*OLD_TRAIN, *NEW_TRAIN], [*OLD_TEST, *NEW_TEST])
    assert cli("promote", "--dry-run")[0] == 0
    assert len(tags()) == 2
    status, output, errors = cli("promote", "--output", tmp_path / "out")
    assert status == 0, output + errors
    assert tags() == ["compactlm#production#1", "compactlm#production#2", "compactlm@v0.1.0", "compactlm@v0.2.0"]
    said = git("for-each-ref", "--format=%(contents)", "refs/tags/compactlm@v0.2.0").strip().splitlines()
    facts = json.loads(said[-1])
    assert said[0] == "Promoted over v0.1.0"
    assert facts["metrics"] == {"sentiment": {"teacher": 0.9, "student": 0.8, "chance": 0.5}}
    assert facts["verdict"]["tasks"]["sentiment"]["new test rows"]["difference"]["value"] == 0.5
    assert json.loads((tmp_path / "out" / "verdict.json").read_text()) == facts["verdict"]
    assert (tmp_path / "out" / "negative_flips.jsonl").read_text() == ""
    # The same tags by the tools of others.
    import dvc.api
    from gto import api

    assert {one["version"] for one in api.show(".", "compactlm#production")} == {"v0.2.0"}
    assert dvc.api.artifacts_show("compactlm", stage="production") == {"rev": git("rev-parse", "HEAD").strip(), "path": "models/export"}
    assert cli("promote") == (
        2,
        "",
        "compactlm: this commit is compactlm@v0.2.0 already; train and commit a new model, or assign it with `compactlm rollback`\n",
    )

    status, output, _ = cli("rollback")
    assert (status, "compactlm@v0.1.0 holds the stage production again (tag compactlm#production#3)" in output) == (0, True)
    assert git("status", "--porcelain", "--untracked-files=no") == ""
    got = tmp_path / "got"
    command = [sys.executable, "-m", "dvc", "artifacts", "get", ".", "compactlm", "--stage", "production", "--out", str(got)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads((got / "words.json").read_text()) == ["fine"]
    assert cli("rollback")[0] == 1  # nothing is older
    assert cli("rollback", "v9.0.0")[2].startswith("compactlm: there is no version 'v9.0.0'")
    assert cli("rollback", "v0.2.0")[0] == 0
    assert read_registry().champion("production").name == "v0.2.0"


def test_a_model_that_forgets_is_refused_with_the_line_and_the_rows(champion: Project, cli, tmp_path: Path) -> None:
    champion.train(["sturdy"], [*OLD_TRAIN, *NEW_TRAIN], [*OLD_TEST, *NEW_TEST])
    status, output, _ = cli("promote", "--output", tmp_path / "out", "--report")
    assert status == 1
    assert f"Refused by sentiment, old test rows: {MINUS}50.0 points" in output
    assert "... and 50 more; --output DIRECTORY writes all of them." in output
    flips = [json.loads(line) for line in (tmp_path / "out" / "negative_flips.jsonl").read_text().splitlines()]
    assert {(one["label"], one["champion"], one["challenger"], one["source"]) for one in flips} == {(GOOD, GOOD, BAD, "movie_reviews")}
    assert len(flips) == 60
    assert json.loads(Path("reports/loop/promotion.json").read_text())["refused_by"][0] == "sentiment, old test rows"
    assert len(tags()) == 2


def test_what_is_undecided_or_cannot_be_compared_refuses_with_status_2(champion: Project, cli) -> None:
    champion.train(["fine", "sturdy"], [*OLD_TRAIN, *NEW_TRAIN], [*OLD_TEST, *NEW_TEST[:20]])
    status, output, _ = cli("promote", "--markdown")
    assert status == 2
    assert "| sentiment | new test rows | 20 |" in output
    assert "Refused by sentiment, new test rows: undecided, 20 rows; at least 40 are needed; label more test rows." in output
    Path("params.yaml").write_text(Path("params.yaml").read_text().replace("seed: 17", "seed: 18"))
    assert cli("promote")[::2] == (
        2,
        "compactlm: params.yaml is not committed, and a version is a commit; run `git commit --all`, then run the command again\n",
    )
    git("commit", "--quiet", "--all", "--message", "Change the seed")
    Path("models/export/words.json").write_text("[]")
    assert cli("promote")[2].startswith("compactlm: models/export is not that of this commit; run `dvc repro` or `dvc checkout`")
    assert cli("promote", "--first")[2].startswith(
        "compactlm: compactlm@v0.1.0 holds the stage production, so this is not the first version"
    )
    assert len(tags()) == 2


def test_figures_of_another_model_are_refused(champion: Project, cli) -> None:
    champion.train(["fine", "sturdy"], [*OLD_TRAIN, *NEW_TRAIN], [*OLD_TEST, *NEW_TEST])
    lock = {
        "distill-train": {"cmd": "x", "outs": [{"path": "models/student", "md5": "2.dir"}]},
        "evaluate": {"cmd": "x", "deps": [{"path": "models/student", "md5": "1.dir"}, {"path": "src", "md5": "3.dir"}]},
    }
    for md5, expected in (("1.dir", 2), ("2.dir", 0)):
        lock["evaluate"]["deps"][0]["md5"] = md5
        Path("dvc.lock").write_text(yaml.safe_dump({"schema": "2.0", "stages": lock}))
        git("commit", "--quiet", "--all", "--message", "Evaluate")
        status, _, errors = cli("promote")
        assert (status, "the stage evaluate has not run on this models/student; run `dvc repro`" in errors) == (expected, expected == 2)
    said = git("for-each-ref", "--format=%(contents)", "refs/tags/compactlm@v0.2.0").strip().splitlines()
    assert json.loads(said[-1])["md5"] == {"models/student": "2.dir"}


def test_rows_that_one_of_the_two_has_learnt_from_are_left_out(champion: Project, cli) -> None:
    leaked = [*NEW_TEST, *rows("fine", GOOD, 5, "more")]  # these are train rows of the champion
    champion.train(["fine", "sturdy"], [*NEW_TRAIN, *OLD_TEST[:10]], [*OLD_TEST[10:], *leaked])
    status, output, _ = cli("promote")
    assert status == 0
    assert "sentiment: 15 test rows are left out because one of the two models has learnt from their text." in output


def test_files_of_the_version_in_use_that_are_nowhere_are_told(champion: Project, cli) -> None:
    champion.train(["fine", "sturdy"], [*OLD_TRAIN, *NEW_TRAIN], [*OLD_TEST, *NEW_TEST])
    import shutil

    shutil.rmtree(".dvc/cache")
    status, _, errors = cli("promote", "--dry-run")
    assert status == 2
    assert errors.startswith("compactlm: data/split of compactlm@v0.1.0 is neither in DVC's cache nor in a remote (")


def test_a_repository_without_dvc_is_told(tmp_path, monkeypatch) -> None:
    """`make fuzz` found it."""
    monkeypatch.chdir(tmp_path)
    git("init", "--quiet")
    with pytest.raises(CompactLMError, match=r"DVC cannot read the outputs of this commit \(.+\); run it in the directory of dvc"):
        check_committed(Registry((), {}))


def test_a_damaged_lock_is_told(champion: Project, monkeypatch) -> None:
    Path("dvc.lock").write_bytes(b"[")
    monkeypatch.setattr(promoting, "WATCHED", ())
    git("commit", "--quiet", "--all", "--message", "Damage")
    with pytest.raises(CompactLMError, match=r"dvc\.lock is damaged; restore it with"):
        check_committed(Registry((), {}))
