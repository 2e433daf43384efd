"""Commands that test whether the student can be told from its teacher: blind, blind score, blind judge. They import no torch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from compactlm.commands.options import JsonOption, epilogue
from compactlm.commands.terminal import notice, show
from compactlm.errors import CompactLMError, needs

if TYPE_CHECKING:
    from compactlm.evaluation.paired import Answers
    from compactlm.params import Params

PAGE, KEY = "index.html", "key.json"
DIRECTORY = Path("blind")

app = typer.Typer()
blind = typer.Typer()
app.add_typer(blind, name="blind")

TaskFilter = Annotated[str | None, typer.Option("--task", "-t", help="A task with one label per text; by default all such tasks.")]
SeedOption = Annotated[int | None, typer.Option(help="The seed of the draws; by default the seed of params.yaml.")]


@blind.callback(
    invoke_without_command=True,
    epilog=epilogue(
        "compactlm blind --pairs 150 --margin 0.1",
        "compactlm blind score votes-ann.json votes-bo.json",
        "compactlm blind judge",
    ),
)
def page(
    context: typer.Context,
    pairs: Annotated[int, typer.Option("--pairs", "-n", min=1, help="Number of test rows to show.")] = 100,
    repeats: Annotated[int, typer.Option(min=0, help="Number of pairs to show twice, at most a third of them.")] = 10,
    margin: Annotated[
        float, typer.Option(help="The distance from 50 % within which the models cannot be told apart, above 0 and below 0.5.")
    ] = 0.15,
    task: TaskFilter = None,
    seed: SeedOption = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="The directory to write to.")] = DIRECTORY,
) -> None:
    """Write a page on which people judge rows that student and teacher answer differently.

    The rows come from data/predictions. The page hides the names and loads nothing from the network. A judge presses the left arrow, the
    right arrow, up for both, or down for neither, and saves the votes as a file. A second file, the key, has the sides and the margin. Do
    not give it to the judges.
    """
    if context.invoked_subcommand is not None:
        return
    if not 0 < margin < 0.5:
        raise CompactLMError(f"--margin is {margin:g}; pass a number above 0 and below 0.5, such as 0.1")
    with needs("train", "compactlm blind"):
        from compactlm import artifacts
        from compactlm.blind.page import write_page
        from compactlm.blind.pairs import draw_comparison
        from compactlm.blind.scores import can_suffice
        from compactlm.params import read_params

    params = read_params()
    answers = _answers(params, task)
    labels = {name: params.tasks[name].labels for name in answers}
    found = draw_comparison(answers, labels, pairs, repeats, margin, params.seed if seed is None else seed)
    artifacts.write_text(output / PAGE, write_page(found))
    artifacts.write_json(output / KEY, found.key.model_dump(mode="json"))
    if not can_suffice(len({place.row for place in found.key.pairs}), margin):
        notice("the pairs are too few for this margin: no votes could show that the models are alike; pass a larger --pairs or --margin")
    again = sum(place.repeats is not None for place in found.key.pairs)
    typer.echo(f"{output / PAGE}: {len(found.shown) - again:,} pairs, {again:,} of them twice; send this file to the judges")
    typer.echo(f"{output / KEY}: the sides, and the margin of {100 * margin:g} points; keep this file for `compactlm blind score`")


@blind.command(epilog=epilogue("compactlm blind score votes-ann.json votes-bo.json", "compactlm blind score --json votes-*.json"))
def score(
    votes: Annotated[list[Path], typer.Argument(help="The files that the page saved, one for each judge.")],
    key: Annotated[Path, typer.Option("--key", "-k", help="The key of the page.")] = DIRECTORY / KEY,
    json: JsonOption = False,
) -> None:
    """Score votes: how often the student is right, how often the teacher is recognised, and how much judges agree.

    Brackets hold 95 % Wilson intervals. The models cannot be told apart only if the whole interval is within the margin of the key.
    """
    with needs("train", "compactlm blind score"):
        from compactlm.blind.scores import score as score_votes
        from compactlm.blind.summary import score_lines
        from compactlm.blind.votes import read_key, read_votes
        from compactlm.figures.figure import write_figures

    read = read_key(key)
    judges = read_votes(votes, read)
    found = score_votes(read, judges)
    show(write_figures(found), json, score_lines(found))


@blind.command(epilog=epilogue("compactlm blind judge", "compactlm blind judge --task sentiment --json"))
def judge(task: TaskFilter = None, seed: SeedOption = None, json: JsonOption = False) -> None:
    """Train a classifier that tells which of a test row's two probability vectors is the teacher's.

    The area under the ROC curve is computed on held-out folds. It is compared with the same area under permutations of the sides.
    """
    with needs("train", "compactlm blind judge"):
        from compactlm.blind.judge import tell_apart
        from compactlm.blind.summary import told_line
        from compactlm.params import read_params

    params = read_params()
    found = {
        name: tell_apart(one.probabilities["teacher"], one.probabilities["student"], params.seed if seed is None else seed)
        for name, one in _answers(params, task).items()
    }
    show(found, json, (told_line(name, told) for name, told in found.items()))


def _answers(params: Params, task: str | None) -> dict[str, Answers]:
    from compactlm import artifacts
    from compactlm.evaluation.predictions import read_answers

    if task is not None and task not in params.tasks:
        raise CompactLMError(f"there is no task {task!r} in params.yaml; pass one of: {', '.join(params.tasks)}")
    try:
        rows: list[dict[str, Any]] = artifacts.read_table(artifacts.PREDICTIONS).to_pylist()
        test = artifacts.read_documents(artifacts.SPLIT / "test")
    except FileNotFoundError as error:
        raise CompactLMError(f"{error.filename or error} is missing; run `dvc repro evaluate` or `dvc pull`") from None
    chosen = {name: settings for name, settings in params.tasks.items() if task in (None, name) and settings.kind == "classification"}
    if not chosen:
        what = "no task of params.yaml gives" if task is None else f"the task {task} does not give"
        raise CompactLMError(f"{what} one label a text, and only such answers are compared blindly; pass another --task")
    kept = [row for row in rows if row["task"] in chosen]
    known = {row.id for row in test}
    if not all(
        row["id"] in known and row["label"] in (labels := chosen[row["task"]].labels) and len(row["teacher"]) == len(labels) for row in kept
    ):
        raise CompactLMError(f"{artifacts.PREDICTIONS} is of another test split or of other labels; run `dvc repro evaluate`")
    found = read_answers(kept, test, params.model_copy(update={"tasks": chosen}))
    return {name: found[name] for name in chosen if len(found[name].ids)}
