"""The tables behind `dvc plots`, and the plots of dvc.yaml that draw them."""

import json
from pathlib import Path

import yaml

from compactlm.artifacts import REPORT_PLOTS
from compactlm.report.plots import plot_tables

ROOT = Path(__file__).parents[2]
TEMPLATES = {path.stem: path.read_text() for path in (ROOT / ".dvc" / "plots").glob("*.json")}


def plots():
    """Yield the file, the columns and the template of each plot of a table of the report."""
    for entry in yaml.safe_load((ROOT / "dvc.yaml").read_text())["plots"]:
        [(name, plot)] = entry.items()
        columns = [plot[axis] if isinstance(plot[axis], dict) else {name: plot[axis]} for axis in ("x", "y") if axis in plot]
        files = {file for axis in columns for file in axis if file.startswith(REPORT_PLOTS.as_posix())}
        for file in files:
            yield Path(file).name, {axis[file] for axis in columns}, plot["template"]


def test_plots_name_columns_of_their_tables(found):
    tables = {name: columns for name, columns, _ in plot_tables(found)}
    plotted = list(plots())
    assert {name for name, _, _ in plotted} == set(tables)
    for name, columns, template in plotted:
        fields = {name for name in ("task", "series", "rows") if f'"{name}"' in TEMPLATES[template]}
        assert columns | fields <= set(tables[name]), name


def test_templates_have_the_anchors_of_dvc():
    for text in TEMPLATES.values():
        assert json.loads(text)["data"]["values"] == "<DVC_METRIC_DATA>"
        assert {"<DVC_METRIC_X>", "<DVC_METRIC_Y>"} <= set(text.split('"'))


def test_every_task_is_in_the_tables(two_tasks):
    for name, columns, rows in plot_tables(two_tasks):
        assert all(len(row) == len(columns) for row in rows)
        tasks = {row[0] for row in rows}
        assert tasks >= {"sentiment", "topic"} or name in ("losses.tsv", "diversity.tsv")
