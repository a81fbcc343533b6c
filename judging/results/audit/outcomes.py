"""What people said that a scorer is held against: ratings of single responses, and orders or ratings inside sets."""

from dataclasses import dataclass

import pandas as pd

from annotate.kinds import ItemKind, kind_of, names_of
from annotate.models import Criterion, Study
from judging.frames import tables as frames
from judging.frames.criteria import quality_in_sets, quality_ratings
from judging.results.audit.inputs import by_people, named_ratings
from judging.results.result import NoCriterion, NotComputable
from judging.stats import set_ranks

_PLACE = ["place_id", "item_id", "prompt_id", "response_id"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What people said by one criterion, and where the responses stood when they said it."""

    criterion: Criterion
    ratings: pd.DataFrame
    """prompt_id, response_id, annotator_id, value; in sets the set is its prompt_id, the place its response_id."""
    places: pd.DataFrame | None = None
    """Of responses in sets: place_id, item_id, prompt_id, response_id."""

    @property
    def nested(self) -> bool:
        """Whether some prompt has several sets."""
        if self.places is None:
            return False
        return bool(self.places.groupby("prompt_id")["item_id"].nunique().gt(1).any())

    def laid_out(self, table: pd.DataFrame) -> pd.DataFrame:
        """The pool, or a row for each place in a set."""
        if self.places is None:
            return table
        placed = self.places.merge(table.drop(columns="prompt_id"), on="response_id")
        names = {"prompt_id": "cluster_id", "item_id": "prompt_id", "place_id": "response_id"}
        return placed.drop(columns="response_id").rename(columns=names)

    def response_of(self, ids: "pd.Series[int]") -> "pd.Series[int]":
        """The responses that stood in places."""
        if self.places is None:
            return ids
        return ids.map(self.places.set_index("place_id")["response_id"])


def in_sets(criterion: Criterion) -> bool:
    return criterion.on != ItemKind.SINGLE


NO_OUTCOME = (
    "No criterion of this study rates single responses, or rates or orders those of a set, by quality, so there is no "
    "human quality to hold a scorer against. Let a rating of one response measure quality: it is a field of the "
    "criterion."
)


BY_VOTES = "What people prefer of two responses is audited by votes alone, on Pairs and lists."


def outcomes(study: Study) -> list[Outcome]:
    """Raises NotComputable where there is none, or none with the names of who judged."""
    held: list[Outcome] = []
    why_not = (
        f"{NO_OUTCOME} {BY_VOTES}"
        if study.criteria.filter(kind__in=names_of("prefers")).exists()
        else NO_OUTCOME
    )
    shown = frames.item_responses(study)
    for criterion in [*quality_ratings(study), *quality_in_sets(study)]:
        try:
            held.append(outcome_of(criterion, shown))
        except NotComputable as error:
            why_not = str(error)
    if not held:
        raise NoCriterion(why_not, "rates")
    return held


def outcome_of(criterion: Criterion, shown: pd.DataFrame | None = None) -> Outcome:
    """`shown`: what the study's items show, where it has been fetched. Raises NotComputable without names."""
    if not in_sets(criterion):
        return Outcome(criterion, named_ratings(criterion))
    answers = by_people(criterion, frames.answers(criterion)).dropna(subset=["response_id"])
    items = frames.item_responses(criterion.study) if shown is None else shown
    own = items[items["item_id"].isin(answers["item_id"])].sort_values(["item_id", "position"])
    prompts = answers.drop_duplicates("item_id").set_index("item_id")["prompt_id"]
    places = own.assign(place_id=range(len(own)), prompt_id=own["item_id"].map(prompts))[_PLACE]
    ranks = set_ranks(answers, best_first=kind_of(criterion).ranks)
    at = ranks.drop(columns="prompt_id").merge(places, on=["item_id", "response_id"])
    columns = {
        "prompt_id": "item_id",
        "response_id": "place_id",
        "annotator_id": "annotator_id",
        "value": "value",
    }
    return Outcome(criterion, pd.DataFrame({name: at[column] for name, column in columns.items()}), places)
