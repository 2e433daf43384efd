"""Write ONNX files of the student and check them against the original on test rows."""

from __future__ import annotations

import dataclasses
import shutil

from tqdm import tqdm

from compactlm import artifacts
from compactlm.distillation import models
from compactlm.distillation.rows import draw
from compactlm.distillation.runtime import prepare
from compactlm.inference.onnx import check_agreement, compare_with_original, export_onnx
from compactlm.params import Params
from compactlm.stages.run import run


def main(params: Params) -> None:
    """Run the stage."""
    prepare(params.threads, params.seed)
    test = artifacts.read_table(artifacts.TOKENIZED / "test").to_pylist()
    metrics = {}
    with artifacts.replacing(artifacts.EXPORT) as unfinished:
        for name in tqdm((artifacts.MLM, *params.tasks), desc="export", unit="model"):
            source, target = artifacts.STUDENT / name, unfinished / name
            if name == artifacts.MLM:
                model, _ = models.load_masked_lm(source)
            else:
                model = models.load_classifier(source)
            model = model.cpu()
            (target / "onnx").mkdir(parents=True)
            for file in ("config.json", "tokenizer.json", "tokenizer_config.json"):
                shutil.copyfile(source / file, target / file)
            path = target / "onnx" / "model.onnx"
            export_onnx(model, path, params.export.opset)
            rows = draw([row for row in test if row["task"] == name or name == artifacts.MLM], params.export.check_rows, params.seed)
            sequences = [row["input_ids"] for row in rows]
            agreement = compare_with_original(model, path, sequences, params.batch_tokens, params.threads, f"check the ONNX of {name}")
            check_agreement(agreement, params.export.tolerance, artifacts.EXPORT / name / "onnx" / "model.onnx")
            metrics[name] = {**dataclasses.asdict(agreement), "bytes": path.stat().st_size}
    artifacts.write_json(artifacts.METRICS / "export.json", metrics)


if __name__ == "__main__":
    run("export", main)
