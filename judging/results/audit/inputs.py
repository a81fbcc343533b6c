"""What an audit rests on: criteria, the pool with its unusualness, and the scores."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from annotate.kinds import Measure, names_of
from annotate.models import Annotator, Criterion, Study
from judging.frames import tables as frames
from judging.frames.criteria import quality_ratings
from judging.models import PoolSummary, ScoreRun
from judging.results.audit.options import (
    CLUSTER,
    COSINE,
    DEFAULTS,
    NAMES,
    NEIGHBORS,
    ORIGINALITY,
    SIMILARITY,
    WORDS,
    AuditOptions,
)
from judging.results.result import NoCriterion, NotComputable, NotEmbedded
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

OF_VECTORS: dict[str, Callable[..., npt.NDArray[np.float64]]] = {
    COSINE: unusualness,
    CLUSTER: cluster_unusualness,
    NEIGHBORS: neighbor_unusualness,
}
COVARIATES = ("log_length", *MARKS)


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
        return self.embedder.embeddings.in_pool().filter(truncated=True).count()

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


NO_QUALITY = (
    "No criterion of this study rates single responses and measures quality, so there is no human quality to hold a "
    "scorer against. Let a rating of one response measure quality: it is a field of the criterion."
)


def sources(study: Study, options: AuditOptions = DEFAULTS) -> Sources:
    criteria = quality_ratings(study)
    if not criteria:
        raise NoCriterion(NO_QUALITY, "rates")
    return replace(pool_sources(study, options), criteria=criteria)


def pool_sources(study: Study, options: AuditOptions = DEFAULTS) -> Sources:
    """What there is without anybody's ratings: the pool with its unusualness, and the scores."""
    embedders = _embedders(study)
    embedder, run = _chosen(study, embedders, options.embedder)
    available = measures(study, embedder, run)
    unusual = next((u for u in available if u.name == options.unusualness), None)
    if unusual is None:
        names = ", ".join(u.name for u in available)
        raise NotComputable(f"no unusualness {options.unusualness!r} in {study.slug}; there are {names}")
    scores = frames.scores(study)
    pool = _measured(frames.responses(study, embedder), study, embedder, run, unusual)
    return Sources(study, [], pool, scores, embedder, embedders, run, unusual, available)


def second_measures(inputs: Sources) -> dict[str, pd.Series]:
    """People's measures of unusualness that correct the one in use, by name, in the order of the pool."""
    names = [
        u.measures[1]
        for u in inputs.available
        if u.measures[0] == inputs.unusual.name and len(u.measures) > 1
    ]
    ids = inputs.pool["response_id"]
    return {
        name: ids.map(_values(inputs.study, inputs.embedder, inputs.run, name)).astype(float)
        for name in names
    }


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
        raise NotComputable(
            f"no embedder {named!r} in {study.slug}; there are {', '.join(map(str, embedders))}"
        )
    if not isinstance(chosen, PoolSummary):
        run = _complete(study, chosen)
        return run, run
    try:
        return chosen, _complete(study, frames.embedding_run(study))
    except NotComputable:
        return chosen, None


def _complete(study: Study, embedder: ScoreRun | None) -> ScoreRun:
    if embedder is None:
        raise NotEmbedded(
            "How unusual the responses are is not known yet: "
            f"run `manage.py score {study.slug} --scorer minilm` first."
        )
    total = study.responses.in_pool().count()
    missing = total - embedder.embeddings.in_pool().count()
    if missing:
        # Unusualness against a part of the pool is another number, and may tell another story.
        raise NotEmbedded(
            f"{missing:,} of {total:,} responses are not embedded yet, and unusualness is against the whole "
            f"pool: run `manage.py score {study.slug} --scorer {embedder.scorer}` again."
        )
    return embedder


def _by(embedder: ScoreRun | PoolSummary) -> str:
    return str(embedder) if isinstance(embedder, PoolSummary) else embedder.scorer


def measures(study: Study, embedder: ScoreRun | PoolSummary, run: ScoreRun | None) -> list[Unusual]:
    """The measures that this study has, each alone, then an embedder's with people's, whose errors are not alike."""
    cosine = _by(embedder)
    there = [Unusual(COSINE, (COSINE,), cosine)]
    # A pool on disk says no more of a response than that; what needs vectors is against what is embedded here.
    there += [Unusual(name, (name,), run.scorer) for name in OF_VECTORS if run and name != COSINE]
    there.append(Unusual(WORDS, (WORDS,), "tf-idf"))
    for name in (SIMILARITY, ORIGINALITY):
        criterion = _criterion(study, name)
        if criterion is not None:
            by = f"{cosine} and {criterion.key}"
            there.append(Unusual(name, (name,), criterion.key))
            there.append(Unusual(f"{COSINE}+{name}", (COSINE, name), by))
    return sorted(there, key=lambda u: len(u.measures))


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
        raise NotComputable(f"no answers that measure {name} in {study.slug}")
    given = frames.answers(criterion)
    if name == SIMILARITY:
        return perceived_unusualness(given.dropna(subset=["response_id", "other_id"]))
    return rated_unusualness(given.dropna(subset=["response_id"]))


def by_words(study: Study) -> pd.Series:
    """Unusualness by words alone, the baseline beside an embedder's, by response."""
    rows = list(study.responses.in_pool().order_by("pk").values_list("pk", "prompt_id", "text"))
    values = lexical_unusualness([r[2] for r in rows], [r[1] for r in rows])
    return pd.Series(values, index=[r[0] for r in rows], dtype=float)


def scored_pool(inputs: Sources, scorer: str) -> pd.DataFrame:
    """The pool with one scorer's numbers: response_id, prompt_id, covariates, unusualness, score."""
    if scorer == LENGTH:
        return inputs.pool.assign(score=inputs.pool["log_length"])
    given = inputs.scores.loc[inputs.scores["scorer"] == scorer, ["response_id", "score"]]
    return inputs.pool.merge(given, how="left", on="response_id")


def wide_scores(inputs: Sources, names: Sequence[str]) -> tuple[pd.DataFrame, dict[str, str]]:
    """The pool with a column for each scorer, and which scorer each column is: names may be anything."""
    columns = {f"scorer {i}": name for i, name in enumerate(names)}
    scores = inputs.scores.pivot(index="response_id", columns="scorer", values="score")
    values = {column: inputs.pool["response_id"].map(scores[name]) for column, name in columns.items()}
    return inputs.pool.assign(**values), columns


def ratings_of(criterion: Criterion) -> pd.DataFrame:
    """Who met a response in two items judged it twice; only the first look is independent."""
    return frames.answers(criterion).drop_duplicates(["annotator_id", "response_id"])


NAMELESS = (
    "The ratings came in without the names of who gave them. Quality is calibrated, and checked on people held out, "
    "by who gave which rating."
)


def named_ratings(criterion: Criterion) -> pd.DataFrame:
    """As `ratings_of`, by people alone: labels without a name beside them may be anybody's.

    NotComputable where there are ratings, and none that names who gave it.
    """
    return by_people(criterion, ratings_of(criterion))


def by_people(criterion: Criterion, answers: pd.DataFrame) -> pd.DataFrame:
    """The answers that say who gave them; NotComputable where there are answers, and none that does."""
    slots = Annotator.objects.slots().filter(study=criterion.study_id)
    named = answers[~answers["annotator_id"].isin(list(slots.values_list("pk", flat=True)))]
    if named.empty and len(answers):
        raise NotComputable(NAMELESS)
    return named
