"""Rows to long DataFrames: the only bridge from the database to judging.stats.

Ids in these frames are primary keys: short to carry, and turned into keys and texts where something is shown.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from django.db.models import Exists, F, OuterRef, QuerySet
from django.db.models.functions import Coalesce

from annotate.kinds import ItemKind
from annotate.models import Answer, Criterion, Item, ItemResponse, Judgment, Response, Study, planted
from judging.models import Embedding, PoolSummary, PoolUnusualness, Score, ScoreRun
from judging.scorers.length import NAME as LENGTH
from judging.scorers.length import log_length
from judging.scorers.markdown import MARKS, markdown_marks
from judging.stats import unusualness

# Practice items teach, gold items have answers known before, and repeats ask the same person again.
COUNTED_ROLES = [Item.Role.MAIN]


def answers(criterion: Criterion, *, repeats: bool = False) -> pd.DataFrame:
    """Counted answers to a criterion: item_id, prompt_id, annotator_id, response_id, other_id, value, label.

    Items that are held back do not count: what they show should not have been seen. With `repeats`, answers to
    repeats come too, under the item they repeat and after the answers to it.
    """
    columns = {
        "item_id": Coalesce(
            F("judgment__assignment__item__repeat_of_id"), F("judgment__assignment__item_id")
        ),
        "prompt_id": F("judgment__assignment__item__prompt_id"),
        "annotator_id": F("judgment__assignment__annotator_id"),
        "response_key": F("response_id"),
        "other_key": F("other_id"),
    }
    rows = (
        _counted(criterion, [*COUNTED_ROLES, Item.Role.REPEAT] if repeats else COUNTED_ROLES)
        .annotate(**{f"the_{name}": f for name, f in columns.items()})
        .order_by(F("judgment__assignment__item__repeat_of_id").asc(nulls_first=True), "pk")
        .values_list(*[f"the_{name}" for name in columns], "value", "label")
    )
    frame = pd.DataFrame.from_records(
        list(rows),
        columns=["item_id", "prompt_id", "annotator_id", "response_id", "other_id", "value", "label"],
    )
    return frame.astype({"value": float, "response_id": "Int64", "other_id": "Int64"})


def _counted(criterion: Criterion, roles: Sequence[Item.Role]) -> QuerySet[Answer]:
    answers = Answer.objects.filter(criterion=criterion, judgment__in=Judgment.objects.counted())
    return answers.filter(
        judgment__assignment__item__role__in=roles, judgment__assignment__item__withheld=False
    )


def has_values(criterion: Criterion) -> bool:
    """Whether anybody's counted answer to the criterion is a number."""
    return _counted(criterion, COUNTED_ROLES).filter(value__isnull=False).exists()


def values_of(criterion: Criterion, response: int) -> pd.Series:
    """The counted answers to a criterion that say how one response is, as numbers."""
    rows = _counted(criterion, COUNTED_ROLES).filter(response=response, value__isnull=False)
    return pd.Series(list(rows.order_by("pk").values_list("value", flat=True)), dtype=float)


def source_of(study: Study) -> pd.Series:
    """The source of every response, by response_id."""
    return pd.Series(dict(study.responses.in_pool().values_list("pk", "source")), dtype=object)


def item_responses(study: Study) -> pd.DataFrame:
    """What items show: item_id, response_id, position."""
    shown = ItemResponse.objects.filter(item__study=study).exclude(planted("response__"))
    rows = shown.values_list("item_id", "response_id", "position")
    return pd.DataFrame.from_records(list(rows), columns=["item_id", "response_id", "position"])


def pairs(study: Study) -> pd.DataFrame:
    """What pairs show: pair_id (of the item), prompt_id, first and second response, and their texts."""
    shown = ItemResponse.objects.filter(item__study=study, item__kind=ItemKind.PAIR, item__withheld=False)
    rows = shown.exclude(planted("response__"))
    columns = ["item_id", "item__prompt_id", "position", "response_id", "response__text"]
    frame = pd.DataFrame.from_records(list(rows.order_by("item_id").values_list(*columns)), columns=columns)
    sides = [frame[frame["position"] == n].set_index("item_id") for n in (0, 1)]
    return pd.DataFrame(
        {
            "pair_id": sides[0].index,
            "prompt_id": sides[0]["item__prompt_id"].to_numpy(),
            "first": sides[0]["response_id"].to_numpy(dtype="int64"),
            "second": sides[1]["response_id"].reindex(sides[0].index).to_numpy(dtype="int64"),
            "first_text": sides[0]["response__text"].to_numpy(),
            "second_text": sides[1]["response__text"].reindex(sides[0].index).to_numpy(),
        }
    )


def responses(study: Study, by: ScoreRun | PoolSummary | None = None) -> pd.DataFrame:
    """The whole pool: response_id, prompt_id, log_length, markdown marks, unusualness (NaN where not embedded)."""
    rows = list(study.responses.in_pool().order_by("pk").values_list("pk", "prompt_id", "text"))
    frame = pd.DataFrame.from_records([r[:2] for r in rows], columns=["response_id", "prompt_id"])
    texts = [r[2] for r in rows]
    frame["log_length"] = log_length(texts)
    frame[list(MARKS)] = markdown_marks(texts)
    return frame.merge(pool_unusualness(study, by), how="left", on="response_id")


def embedding_run(study: Study) -> ScoreRun | None:
    """The study's latest run of an embedder."""
    return next(iter(embedding_runs(study)), None)


def embedding_runs(study: Study) -> list[ScoreRun]:
    """The study's runs of embedders, the latest first."""
    runs = ScoreRun.objects.filter(study=study, embeddings__isnull=False)
    return list(runs.distinct().order_by("-updated_at", "-pk"))


def measured_pool(study: Study) -> PoolSummary | None:
    """The larger pool on disk, where unusualness against it is what counts.

    That is where the study's own responses are not embedded here, where they are fewer than the pool's, and where
    the pool was measured later; of several columns the one measured last.
    """
    values = PoolUnusualness.objects.filter(pool=OuterRef("pk"))
    known = PoolSummary.objects.filter(Exists(values), study=study)
    pool = known.order_by("-computed_at", "-pk").first()
    run = embedding_run(study)
    if pool is None or run is None:
        return pool
    larger = pool.n_responses > run.embeddings.in_pool().count()
    return pool if larger or pool.computed_at > run.updated_at else None


def vectors(run: ScoreRun | None) -> tuple[pd.DataFrame, npt.NDArray[np.float32]]:
    """Every embedded response of a run, (response_id, prompt_id), and its vectors in that order, shape (n, d)."""
    pks, array = Embedding.objects.filter(run=run).in_pool().array(run.dtype if run else "<f4")
    responses = Response.objects.in_pool().filter(study=run.study_id if run else None)
    prompts = dict(responses.values_list("pk", "prompt_id"))
    return pd.DataFrame({"response_id": pks, "prompt_id": [prompts[pk] for pk in pks]}, dtype="int64"), array


def pool_unusualness(study: Study, by: ScoreRun | PoolSummary | None = None) -> pd.DataFrame:
    """Of every embedded response against the whole pool of its prompt: response_id, unusualness.

    By what is named, else by the larger pool on disk where it is what counts, else by the latest run here.
    """
    by = by or measured_pool(study) or embedding_run(study)
    if isinstance(by, PoolSummary):
        rows = PoolUnusualness.objects.filter(pool=by).order_by("response_id")
        values = rows.values_list("response_id", "value")
        frame = pd.DataFrame.from_records(list(values), columns=["response_id", "unusualness"])
        return frame.astype({"response_id": "int64", "unusualness": float})
    frame, array = vectors(by)
    if len(frame):
        frame["unusualness"] = unusualness(array.astype(np.float64), frame["prompt_id"].to_numpy())
    else:
        frame["unusualness"] = pd.Series(dtype=float)
    return frame[["response_id", "unusualness"]]


def scores(study: Study) -> pd.DataFrame:
    """Pointwise scores: scorer, response_id, score. A scorer with several versions has one name a version.

    Length is left out: it is everybody's baseline, and computed from the texts. A file's numbers under that name are
    another scorer's.
    """
    stored = Score.objects.filter(run__study=study, run__probe="").in_pool()
    rows = stored.exclude(run__scorer=LENGTH, run__computed_here=True).values_list(
        "run__scorer", "run__version", "response_id", "value"
    )
    frame = pd.DataFrame.from_records(list(rows), columns=["scorer", "version", "response_id", "score"])
    frame["scorer"] = frame["scorer"].replace(LENGTH, f"{LENGTH} (stored)")
    several = frame.groupby("scorer")["version"].transform("nunique") > 1
    frame.loc[several, "scorer"] += " " + frame.loc[several, "version"]
    return frame[["scorer", "response_id", "score"]].astype({"score": float})


def first_responses(study: Study) -> pd.Series:
    """The first response of every item in its canonical order, by item_id."""
    links = item_responses(study)
    return links[links["position"] == 0].set_index("item_id")["response_id"]


_JUDGED = {
    "judgment_id": F("pk"),
    "annotator_id": F("assignment__annotator_id"),
    "item_id": F("assignment__item_id"),
    "kind": F("assignment__item__kind"),
    "role": F("assignment__item__role"),
    "repeat_of": F("assignment__item__repeat_of_id"),
    "withheld": F("assignment__item__withheld"),
    "shown": F("assignment__shown"),
    "opened": F("opened_at"),
    "submitted": F("submitted_at"),
    "active_ms": F("active_ms"),
    "excluded": F("excluded"),
}


def judged(study: Study) -> pd.DataFrame:
    """Every last revision but of practice, excluded ones too: who, what, when; `counts` is what statistics use."""
    rows = Judgment.objects.in_study(study).current().exclude(assignment__item__role=Item.Role.PRACTICE)
    values = rows.annotate(**{f"the_{name}": f for name, f in _JUDGED.items()}).order_by("pk")
    records = list(values.values_list(*[f"the_{name}" for name in _JUDGED]))
    frame = pd.DataFrame.from_records(records, columns=list(_JUDGED))
    frame["repeat_of"] = frame["repeat_of"].astype("Int64")
    frame["active_ms"] = frame["active_ms"].astype(float)
    for column in ("opened", "submitted"):
        frame[column] = pd.to_datetime(frame[column], utc=True)
    frame["counts"] = (frame["excluded"] == "") & ~frame["withheld"].astype(bool)
    return frame


def given_answers(study: Study) -> pd.DataFrame:
    """Every answer's value, whatever became of its judgment: judgment_id, criterion_id, response_id, value, label."""
    columns = ["judgment_id", "criterion_id", "response_id", "value", "label"]
    rows = Answer.objects.filter(criterion__study=study).order_by("pk").values_list(*columns)
    frame = pd.DataFrame.from_records(list(rows), columns=columns)
    return frame.astype({"value": float, "response_id": "Int64"})
