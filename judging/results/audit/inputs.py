"""What an audit rests on: criteria, the pool with its unusualness, and the scores."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import quote

import numpy as np
import numpy.typing as npt
import pandas as pd

from annotate.kinds import ItemKind, Measure, kind_of, names_of
from annotate.models import Annotator, Criterion, Study
from judging.frames import tables as frames
from judging.models import PoolSummary, ScoreRun
from judging.scorers.length import NAME as LENGTH
from judging.scorers.markdown import MARKS
from judging.stats import (
    cluster_unusualness,
    lexical_unusualness,
    neighbor_unusualness,
    perceived_unusualness,
    rated_unusualness,
    unusualness,
)

COSINE, CLUSTER, NEIGHBORS, WORDS, SIMILARITY, ORIGINALITY = (
    "cosine", "cluster", "neighbors", "words", "similarity", "originality",
)  # fmt: skip
OF_VECTORS: dict[str, Callable[..., npt.NDArray[np.float64]]] = {
    COSINE: unusualness,
    CLUSTER: cluster_unusualness,
    NEIGHBORS: neighbor_unusualness,
}
NAMES = {
    COSINE: "1 − mean cosine to the other responses of the pool",
    CLUSTER: "−log of its cluster’s share of the pool",
    NEIGHBORS: "rank of the distance to its nearest neighbors",
    WORDS: "1 − mean cosine of its words to those of the others",
    SIMILARITY: "how unlike the others people find it",
    ORIGINALITY: "how original people find it",
}
COVARIATES = ("log_length", *MARKS)


class AuditError(ValueError):
    """Why a study cannot be audited, and what would change that."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a reader may choose: how to measure unusualness, by which embedder (its latest run where none is named), and
    how to sort the sources."""

    measure: str = COSINE
    embedder: str = ""
    groups: str = ""

    @property
    def key(self) -> str:
        """For the cache, whose keys may hold no blanks."""
        return quote(f"{self.measure}|{self.embedder}|{self.groups}")


USUAL = Asked()


@dataclass(frozen=True, slots=True)
class Unusual:
    """A way to measure unusualness, or two that correct each other."""

    name: str
    measures: tuple[str, ...]
    by: str  # the embedder or the criterion it rests on

    @property
    def words(self) -> str:
        return ", corrected by ".join(NAMES[m] for m in self.measures)


@dataclass(frozen=True, slots=True)
class Sources:
    """What an audit rests on, fetched once for all scorers."""

    study: Study
    criteria: list[Criterion]
    pool: pd.DataFrame
    scores: pd.DataFrame
    embedder: ScoreRun | PoolSummary
    """By which unusualness is measured: a run here, or a larger pool on disk."""
    embedders: list[ScoreRun | PoolSummary]
    """All that it could be measured by."""
    run: ScoreRun | None
    """The run that embedded every response of the study; none where only a pool on disk has vectors."""
    unusual: Unusual
    available: list[Unusual]

    @property
    def by(self) -> str:
        """The embedder's name, and the pool where that is not the study's own."""
        return _by(self.embedder)

    @property
    def truncated(self) -> int:
        """Responses longer than the embedder reads."""
        if isinstance(self.embedder, PoolSummary):
            return self.embedder.truncated
        return self.embedder.embeddings.filter(truncated=True).count()

    @property
    def scorers(self) -> list[str]:
        return [*sorted(set(self.scores["scorer"])), LENGTH]

    @property
    def second(self) -> str | None:
        """The column of the second measure, if two correct each other."""
        return "second" if len(self.unusual.measures) > 1 else None

    @property
    def covariates(self) -> tuple[str, ...]:
        """Length, and the marks that some response has."""
        return tuple(c for c in COVARIATES if c not in MARKS or bool((self.pool[c] > 0).any()))


def sources(study: Study, asked: Asked = USUAL) -> Sources:
    criteria = [
        c
        for c in study.criteria.all()
        if kind_of(c).rates and (c.on, c.measures) == (ItemKind.SINGLE, Measure.QUALITY)
    ]
    if not criteria:
        raise AuditError(
            "No criterion of this study rates single responses and measures quality, so there is no human "
            'quality to hold a scorer against. In study.toml: on = "single", kind = "rating", measures = "quality".'
        )
    embedders = _embedders(study)
    embedder, run = _chosen(study, embedders, asked.embedder)
    available = measures(study, embedder, run)
    unusual = next((u for u in available if u.name == asked.measure), None)
    if unusual is None:
        names = ", ".join(u.name for u in available)
        raise AuditError(f"no unusualness {asked.measure!r} in {study.slug}; there are {names}")
    scores = frames.scores(study)
    pool = _measured(frames.responses(study, embedder), study, embedder, run, unusual)
    return Sources(study, criteria, pool, scores, embedder, embedders, run, unusual, available)


def _embedders(study: Study) -> list[ScoreRun | PoolSummary]:
    """By what unusualness can be measured: first the larger pool on disk, where it is what counts, then runs here."""
    measured = frames.measured_pool(study)
    return [*([] if measured is None else [measured]), *frames.embedding_runs(study)]


def _chosen(
    study: Study, embedders: Sequence[ScoreRun | PoolSummary], named: str
) -> tuple[ScoreRun | PoolSummary, ScoreRun | None]:
    """What is asked for by its name and version, else the first; and the run that has every response's vector."""
    chosen = next((e for e in embedders if named in ("", str(e))), None)
    if chosen is None and embedders:
        raise AuditError(f"no embedder {named!r} in {study.slug}; there are {', '.join(map(str, embedders))}")
    if not isinstance(chosen, PoolSummary):
        run = _complete(study, chosen)
        return run, run
    try:
        return chosen, _complete(study, frames.embedding_run(study))
    except AuditError:
        return chosen, None


def _complete(study: Study, embedder: ScoreRun | None) -> ScoreRun:
    if embedder is None:
        raise AuditError(
            "How unusual the responses are is not known yet: "
            f"run `manage.py score {study.slug} --scorer minilm` first."
        )
    total = study.responses.count()
    missing = total - embedder.embeddings.count()
    if missing:
        # Unusualness against a part of the pool is another number, and may tell another story.
        raise AuditError(
            f"{missing:,} of {total:,} responses are not embedded yet, and unusualness is against the whole "
            f"pool: run `manage.py score {study.slug} --scorer {embedder.scorer}` again."
        )
    return embedder


def _by(embedder: ScoreRun | PoolSummary) -> str:
    return str(embedder) if isinstance(embedder, PoolSummary) else embedder.scorer


def measures(study: Study, embedder: ScoreRun | PoolSummary, run: ScoreRun | None) -> list[Unusual]:
    """The measures that this study has, each alone, then an embedder's with people's, whose errors are not alike."""
    cosine = _by(embedder)
    found = [Unusual(COSINE, (COSINE,), cosine)]
    # A pool on disk says no more of a response than that; what needs vectors is against what is embedded here.
    found += [Unusual(name, (name,), run.scorer) for name in OF_VECTORS if run and name != COSINE]
    found.append(Unusual(WORDS, (WORDS,), "tf-idf"))
    for name in (SIMILARITY, ORIGINALITY):
        criterion = _criterion(study, name)
        if criterion is not None:
            by = f"{cosine} and {criterion.key}"
            found.append(Unusual(name, (name,), criterion.key))
            found.append(Unusual(f"{COSINE}+{name}", (COSINE, name), by))
    return sorted(found, key=lambda u: len(u.measures))


def _criterion(study: Study, name: str) -> Criterion | None:
    kinds = names_of("compares" if name == SIMILARITY else "rates")
    criteria = study.criteria.filter(kind__in=kinds, measures=Measure(name)).order_by("pk")
    return next((c for c in criteria if frames.has_values(c)), None)


def _measured(
    pool: pd.DataFrame,
    study: Study,
    embedder: ScoreRun | PoolSummary,
    run: ScoreRun | None,
    unusual: Unusual,
) -> pd.DataFrame:
    """The pool with unusualness, and a second measure beside it where two are asked for."""
    if unusual.measures == (COSINE,):
        return pool  # which has it
    for column, name in zip(("unusualness", "second"), unusual.measures, strict=False):
        pool[column] = pool["response_id"].map(_values(study, embedder, run, name)).astype(float)
    return pool


def _values(study: Study, embedder: ScoreRun | PoolSummary, run: ScoreRun | None, name: str) -> pd.Series:
    if name == COSINE:
        return frames.pool_unusualness(study, embedder).set_index("response_id")["unusualness"]
    if name in OF_VECTORS:
        frame, array = frames.vectors(run)
        values = OF_VECTORS[name](array.astype(np.float64), frame["prompt_id"].to_numpy())
        return pd.Series(values, index=frame["response_id"])
    if name == WORDS:
        return by_words(study)
    criterion = _criterion(study, name)
    if criterion is None:
        raise AuditError(f"no answers that measure {name} in {study.slug}")
    given = frames.answers(criterion)
    if name == SIMILARITY:
        return perceived_unusualness(given.dropna(subset=["response_id", "other_id"]))
    return rated_unusualness(given.dropna(subset=["response_id"]))


def by_words(study: Study) -> pd.Series:
    """Unusualness by words alone, the baseline beside an embedder's, by response."""
    rows = list(study.responses.order_by("pk").values_list("pk", "prompt_id", "text"))
    values = lexical_unusualness([r[2] for r in rows], [r[1] for r in rows])
    return pd.Series(values, index=[r[0] for r in rows], dtype=float)


def scored_pool(found: Sources, scorer: str) -> pd.DataFrame:
    """The pool with one scorer's numbers: response_id, prompt_id, covariates, unusualness, score."""
    if scorer == LENGTH:
        return found.pool.assign(score=found.pool["log_length"])
    given = found.scores.loc[found.scores["scorer"] == scorer, ["response_id", "score"]]
    return found.pool.merge(given, how="left", on="response_id")


def wide_scores(found: Sources, names: Sequence[str]) -> tuple[pd.DataFrame, dict[str, str]]:
    """The pool with a column for each scorer, and which scorer each column is: names may be anything."""
    columns = {f"scorer {i}": name for i, name in enumerate(names)}
    scores = found.scores.pivot(index="response_id", columns="scorer", values="score")
    values = {column: found.pool["response_id"].map(scores[name]) for column, name in columns.items()}
    return found.pool.assign(**values), columns


def ratings_of(criterion: Criterion) -> pd.DataFrame:
    """Who met a response in two items judged it twice; only the first look is independent."""
    return frames.answers(criterion).drop_duplicates(["annotator_id", "response_id"])


NAMELESS = (
    "The ratings came in without the names of who gave them. Quality is calibrated, and checked on people held out, "
    "by who gave which rating."
)


def named_ratings(criterion: Criterion) -> pd.DataFrame:
    """As `ratings_of`, by people alone: labels without a name beside them may be anybody's.

    AuditError where there are ratings, and none that names who gave it.
    """
    ratings = ratings_of(criterion)
    slots = Annotator.objects.slots().filter(study=criterion.study_id)
    named = ratings[~ratings["annotator_id"].isin(list(slots.values_list("pk", flat=True)))]
    if named.empty and len(ratings):
        raise AuditError(NAMELESS)
    return named
