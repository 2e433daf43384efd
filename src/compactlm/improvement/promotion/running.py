"""The implementation of the commands `promote` and `rollback`, from reading the registry to writing tags."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rich.console import Console

from compactlm import artifacts
from compactlm.errors import CompactLMError
from compactlm.improvement.promotion import promoting, showing
from compactlm.improvement.promotion.settings import read_settings
from compactlm.improvement.registry import ARTIFACT, assign, read_registry, register
from compactlm.params import read_params

REPORT = Path("reports/loop/promotion.json")


def run(console: Console, *, first: bool, dry_run: bool, markdown: bool, output: Path | None, report: bool) -> int:
    """Compare the model of this commit with the version in use, print the table, and write tags if it is promoted.

    Args:
        console: where the table is printed.
        first: whether there is no version to compare with.
        dry_run: whether to write no tag; the commit then need not be clean.
        markdown: whether the table is printed in Markdown.
        output: a directory for the verdict and the negative flips, or None.
        report: whether the verdict is written for the report page.

    Returns:
        0: promoted; 1: refused; 2: undecided.

    Raises:
        CompactLMError: the model or the version in use cannot be compared.
    """
    params, settings, registry = read_params(), read_settings(), read_registry()
    champion = promoting.choose_champion(registry, settings, first)
    if not dry_run:
        promoting.check_committed(registry)
    verdict = None if champion is None else promoting.judge(params, settings, champion)
    if verdict is not None:
        _show(verdict, console, markdown)
        if output is not None:
            showing.write(verdict, output)
        if report:
            artifacts.write_json(REPORT, showing.to_json(verdict))
        if verdict.status:
            return verdict.status
    if dry_run:
        return 0
    version = register(registry.next_name(), showing.message(verdict, promoting.facts(params)))
    tag = assign(version, settings.stage, f"{settings.stage}: {version.name}")
    console.print(f"{version.tag} holds the stage {settings.stage} (tag {tag}); publish it with `git push --tags`.", soft_wrap=True)
    return 0


def _show(verdict: promoting.Verdict, console: Console, markdown: bool) -> None:
    if markdown:
        console.print(showing.markdown(verdict), soft_wrap=True, markup=False, highlight=False)
        return
    console.print(showing.table(verdict))
    flips = list(showing.flips(verdict))
    for one in flips[: showing.SHOWN_FLIPS]:
        text = " ".join(one["text"].split())[:90]
        console.print(f"right before, wrong now: {one['id'][:8]} {text!r} ({one['label']})", soft_wrap=True, markup=False)
    if len(flips) > showing.SHOWN_FLIPS:
        console.print(f"... and {len(flips) - showing.SHOWN_FLIPS:,} more; --output DIRECTORY writes all of them.", soft_wrap=True)
    for sentence in showing.sentences(verdict):
        console.print(sentence, soft_wrap=True, markup=False)


def roll_back(name: str | None) -> Iterator[str]:
    """Assign the stage to an older version, and yield the consequences.

    Raises:
        CompactLMError: there is no such version, or none before the version in use.
    """
    stage, registry = read_settings().stage, read_registry()
    champion = registry.champion(stage)
    if champion is None:
        raise CompactLMError(f"no version of {ARTIFACT} holds the stage {stage}; fetch tags with `git fetch --tags`, or promote one first")
    version = registry.named(name) if name is not None else registry.before(stage)
    if version is None:
        raise CompactLMError(f"no version before {champion.tag} has held the stage {stage}; name a version")
    if version == champion:
        raise CompactLMError(f"{champion.tag} holds the stage {stage} already; name another version")
    tag = assign(version, stage, f"{stage}: back from {champion.name} to {version.name}")
    yield from showing.consequence(version, champion, stage, tag)
