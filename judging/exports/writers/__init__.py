"""A study in other tools' formats. Every export has a manifest that reconciles it with the database."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from django.utils.module_loading import import_string

from annotate.folder import FolderError, Form
from annotate.folder import export_folder as export_tables
from annotate.folder.export import exclusions, left_out_at_import, snapshot, version
from annotate.folder.load import without_query_log
from annotate.folder.problems import Problem
from annotate.folder.progress import Progress, quiet
from annotate.folder.study_toml import spec_of
from annotate.folder.writing import MANIFEST, new_folder
from annotate.models import Answer, Study
from judging.exports.writers.card import write_card
from judging.exports.writers.sheet import Output
from judging.folder.scores import export_folder, score_sheets

__all__ = ["WRITERS", "Exported", "Writer", "export"]


@dataclass(frozen=True)
class Writer:
    name: str
    title: str
    # Where its function stands, imported when it is needed; none where it is a study folder.
    function: str
    # What of the study is not in it.
    loses: str
    # The format under which `import_study` reads it again.
    read_as: str = ""

    def write(self, study: Study, output: Output) -> None:
        function: Callable[[Study, Output], None] = import_string(f"{__name__}.{self.function}")
        function(study, output)


WRITERS: dict[str, Writer] = {
    w.name: w
    for w in (
        Writer("folder", "Study folder (canonical)", "", "nothing", "load_study"),
        Writer("huggingface", "Hugging Face data set: Parquet with a data card", "", "nothing", "load_study"),
        Writer("r", "R and SPSS: long and wide CSV, with scripts that read them", "labels.for_r",
               "settings; scores; orders of sets", "mapped"),
        Writer("trl-preference", "Preference training: prompt, chosen, rejected, margin, vote share",
               "training.preferences", "who voted; pairs without a winner", "trl-preference"),
        Writer("trl-unpaired", "Preference training, unpaired: prompt, completion, label", "training.unpaired",
               "who rated; means at the middle of the scale", "trl-unpaired"),
        Writer("soft-labels", "Soft labels: the distribution of the answers", "training.soft_labels",
               "who answered"),
        Writer("crowd-kit", "crowd-kit: task, worker, label; left, right", "labels.crowd_kit",
               "texts; ties; strengths", "crowd-kit"),
        Writer("sts", "STS: sentence pairs with mean and distribution", "labels.sts", "who answered", "sts"),
        Writer("alpaca-annotations", "AlpacaEval annotations", "training.alpaca",
               "strengths; why there is no preference", "alpaca-annotations"),
        Writer("rewardbench", "RewardBench: chosen and rejected", "training.rewardbench",
               "votes; pairs without a winner", "rewardbench"),
        Writer("tables", "Agreement and audit: CSV, JSON, LaTeX", "tables.tables", "everything but the results"),
    )
}  # fmt: skip


@dataclass(frozen=True)
class Exported:
    study: Study
    rows: dict[str, int]
    left_out: dict[str, int]

    def __str__(self) -> str:
        rows = ", ".join(f"{n:,} {name}" for name, n in self.rows.items())
        left_out = "".join(f"; left out: {n:,} {why}" for why, n in self.left_out.items())
        return f"{self.study.slug}: {rows}{left_out}"


def export(
    study: Study,
    target: Path | str,
    name: str = "folder",
    form: Form | None = None,
    *,
    escape: bool = True,
    progress: Progress = quiet,
) -> Exported:
    """Write the study to the folder `target`; FolderError leaves the folder unchanged."""
    writer = WRITERS[name]
    if name == "folder":
        done = export_folder(study, target, form, progress)
        return Exported(study, done.rows, {})
    if name == "huggingface":
        done = export_tables(study, target, Form("parquet"), progress, score_sheets, write_card)
        return Exported(study, done.rows, {})
    with without_query_log(), snapshot(), new_folder(Path(target)) as folder:
        output = Output(folder, escape)
        writer.write(study, output)
        if not any(file.table != "text" for file in output.files):
            needed = f"a criterion that this export is made of ({writer.title})"
            raise FolderError([Problem(study.slug, None, "", needed, "none")])
        _reconcile(output)
        text = json.dumps(_manifest(study, writer, output), ensure_ascii=False, indent=2)
        (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")
    rows = {file.name: file.rows for file in output.files if file.table != "text"}
    return Exported(study, rows, dict(output.left_out))


def _reconcile(output: Output) -> None:
    for of, expected in output.expected.items():
        if (came := output.came[of]) != expected:
            written = f"{came:,} written or left out"
            raise FolderError([Problem(of, None, "", f"{expected:,} rows, as in the database", written)])


def _manifest(study: Study, writer: Writer, output: Output) -> dict[str, Any]:
    return {
        "study": study.slug,
        "simulated": study.simulated,
        "export": writer.name,
        "loses": writer.loses,
        "read_again_with": f"manage.py import_study FILE --as {writer.read_as}" if writer.read_as else None,
        "software": {"name": "offbeat", "version": version()},
        "settings_sha256": spec_of(study).sha256,
        "seed": study.seed,
        "files": [asdict(file) for file in output.files],
        "formulas_escaped": output.escape,
        "database": {
            "answers": Answer.objects.filter(criterion__study=study).count(),
            "reconciled": {of: {"expected": n, "came": output.came[of]} for of, n in output.expected.items()},
        },
        "left_out": dict(output.left_out),
        "exclusions": exclusions(study),
        "left_out_at_import": left_out_at_import(study),
    }
