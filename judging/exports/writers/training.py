"""Preference data for training, soft labels, and data in AlpacaEval and RewardBench format."""

import math
from collections import Counter
from collections.abc import Iterator

from annotate.kinds import Trait, kind_of, names_of
from annotate.models import Criterion, Response, Study
from judging.exports.writers.sheet import Output, Row
from judging.exports.writers.units import Unit, UnitAnswer, category, counted_items, units
from judging.results.agreement.units import levels

NO_VOTE = "pairs without a vote"
NO_WINNER = "pairs without a winner: as many votes on each side"


def criteria(study: Study, *traits: Trait) -> list[Criterion]:
    """Those whose kind has any of the traits."""
    return list(study.criteria.filter(kind__in=names_of(*traits)).order_by("position"))


def preferences(study: Study, output: Output) -> None:
    """TRL's preference format, with the votes behind each row."""
    for criterion in criteria(study, "prefers"):
        output.expected[criterion.key] += counted_items(criterion).count()
        output.jsonl(f"preferences.{criterion.key}.jsonl", "preferences", _preferences(criterion, output))


def _preferences(criterion: Criterion, output: Output) -> Iterator[Row]:
    for unit in units(criterion):
        if (winner := decided(unit, criterion, output)) is None:
            continue
        chosen, rejected = unit.responses[winner], unit.responses[1 - winner]
        signed = [_signed(g, chosen) for g in unit.answers if _is_vote(g)]
        yield {
            "prompt": unit.prompt,
            "chosen": chosen.text,
            "rejected": rejected.text,
            "chosen_source": chosen.source,
            "rejected_source": rejected.source,
            "margin": sum(signed) / len(signed),
            "vote_share": (sum(s > 0 for s in signed) + sum(s == 0 for s in signed) / 2) / len(signed),
            "votes": votes(unit, chosen),
            "item_id": unit.key,
            "prompt_id": unit.item.prompt.key,
            "criterion": criterion.key,
        }


def decided(unit: Unit, criterion: Criterion, output: Output) -> int | None:
    """The place of the response that more people preferred; units without one are left out and counted."""
    wins = Counter(g.response for g in unit.answers if g.response)
    first, second = (wins[r.key] for r in unit.responses)
    if not any(_is_vote(g) for g in unit.answers):
        output.leave_out(criterion.key, NO_VOTE)
        return None
    if first == second:
        output.leave_out(criterion.key, NO_WINNER)
        return None
    output.wrote(criterion.key)
    return 0 if first > second else 1


def _is_vote(answer: UnitAnswer) -> bool:
    return answer.value is not None


def _signed(answer: UnitAnswer, chosen: Response) -> float:
    """2 and 1 for the chosen response, -1 and -2 for the other, 0 for neither."""
    if answer.response is None or answer.value is None:
        return 0
    return answer.value if answer.response == chosen.key else -answer.value


def _signed_names(one: str, other: str) -> dict[int, str]:
    """What a signed preference is called, from the one very much better to the other very much better."""
    words = {1: "slightly", 2: "much", 3: "very_much"}
    better = {n: f"{one}_{word}" for n, word in reversed(words.items())}
    return better | {-n: f"{other}_{word}" for n, word in words.items()}


def votes(unit: Unit, chosen: Response) -> dict[str, int]:
    """How many said what, in the words of this format's reader."""
    names = _signed_names("chosen", "rejected")
    counts = Counter(
        names[int(_signed(g, chosen))] if g.response else g.label for g in unit.answers if _is_vote(g)
    )
    return dict(sorted(counts.items()))


def unpaired(study: Study, output: Output) -> None:
    """TRL's unpaired format from ratings: above the middle of the scale is desirable, below it is not."""
    for criterion in criteria(study, "rates"):
        if criterion.on == "single":
            output.expected[criterion.key] += counted_items(criterion).count()
            output.jsonl(f"unpaired.{criterion.key}.jsonl", "unpaired", _unpaired(criterion, output))


def _unpaired(criterion: Criterion, output: Output) -> Iterator[Row]:
    middle = (criterion.points[0] + criterion.points[-1]) / 2
    for unit in units(criterion):
        values = [g.value for g in unit.answers if g.value is not None]
        mean = sum(values) / len(values) if values else middle
        if mean == middle:
            why = "means at the middle of the scale" if values else "responses without a rating"
            output.leave_out(criterion.key, why)
            continue
        output.wrote(criterion.key)
        [response] = unit.responses
        yield {
            "prompt": unit.prompt,
            "completion": response.text,
            "label": mean > middle,
            "source": response.source,
            "mean": mean,
            "n": len(values),
            "item_id": unit.key,
            "criterion": criterion.key,
        }


def soft_labels(study: Study, output: Output) -> None:
    """The distribution of answers over the points of a scale or the options of a preference, one row a unit."""
    for criterion in criteria(study, "rates", "compares", "prefers"):
        output.expected[criterion.key] += counted_items(criterion).count()
        output.jsonl(f"soft_labels.{criterion.key}.jsonl", "soft_labels", _soft(criterion, output))


def _soft(criterion: Criterion, output: Output) -> Iterator[Row]:
    for unit in units(criterion):
        output.wrote(criterion.key)
        groups = [[r] for r in unit.responses] if kind_of(criterion).per_response else [unit.responses]
        for responses in groups:
            answers = unit.of(responses[0]) if kind_of(criterion).per_response else unit.answers
            yield {
                "item_id": unit.key,
                "criterion": criterion.key,
                "prompt": unit.prompt,
                "responses": [r.text for r in responses],
                "response_ids": [r.key for r in responses],
                **distribution(criterion, answers, responses),
            }


def distribution(criterion: Criterion, answers: list[UnitAnswer], responses: list[Response]) -> Row:
    """Counts, shares and entropy in bits; an undefined share is null."""
    options: dict[str, float] = {str(p): p for p in criterion.points}
    if kind_of(criterion).prefers:
        signed = _signed_names("first", "second")
        options = {signed[int(level)]: level for level in reversed(levels(criterion)) if level}
        options |= dict.fromkeys(("tie", "both_good", "both_bad", "cannot_tell"), 0)
        names = [
            signed[int(_signed(g, responses[0]))] if g.response else g.label for g in answers if _is_vote(g)
        ]
    else:
        names = [str(int(g.value)) for g in answers if g.value is not None]
    counts = Counter(names)
    n = len(names)
    shares = {name: counts[name] / n if n else None for name in options}
    entropy = -sum(c / n * math.log2(c / n) for c in counts.values()) if n else None
    mean = sum(options[name] * c for name, c in counts.items()) / n if n else None
    return {
        "n": n,
        "counts": {name: counts[name] for name in options},
        "shares": shares,
        "mean": mean,
        "entropy_bits": abs(entropy) if entropy is not None else None,
    }


def alpaca(study: Study, output: Output) -> None:
    """AlpacaEval's annotations: 1 is the first output, 2 the second, 1.5 neither."""
    for criterion in criteria(study, "prefers"):
        expected = sum(1 for _ in _votes_of(criterion))
        output.expected[criterion.key] += expected
        output.json_list(f"annotations.{criterion.key}.json", "annotations", _annotations(criterion, output))


def _votes_of(criterion: Criterion) -> Iterator[tuple[Unit, UnitAnswer]]:
    for unit in units(criterion):
        for answer in unit.answers:
            yield unit, answer


def _annotations(criterion: Criterion, output: Output) -> Iterator[Row]:
    for unit, answer in _votes_of(criterion):
        if answer.value is None:
            output.leave_out(criterion.key, "preferences left open")
            continue
        output.wrote(criterion.key)
        first, second = unit.responses
        preference = 1.5 if answer.response is None else 1 if answer.response == first.key else 2
        yield {
            "instruction": unit.prompt,
            "output_1": first.text,
            "generator_1": first.source,
            "output_2": second.text,
            "generator_2": second.source,
            "dataset": category(unit),
            "annotator": answer.annotator,
            "preference": preference,
            # Ours: which output stood first on the page, as AlpacaEval's own switch is hidden.
            "shown_first": (1 if answer.shown[0] == first.key else 2) if answer.shown else None,
        }


def rewardbench(study: Study, output: Output) -> None:
    """RewardBench's rows: what more people preferred is chosen."""
    for criterion in criteria(study, "prefers"):
        output.expected[criterion.key] += counted_items(criterion).count()
        output.jsonl(f"rewardbench.{criterion.key}.jsonl", "rewardbench", _rewardbench(criterion, output))


def _rewardbench(criterion: Criterion, output: Output) -> Iterator[Row]:
    for unit in units(criterion):
        if (winner := decided(unit, criterion, output)) is None:
            continue
        chosen, rejected = unit.responses[winner], unit.responses[1 - winner]
        yield {
            "prompt": unit.prompt,
            "chosen": chosen.text,
            "chosen_model": chosen.source,
            "rejected": rejected.text,
            "rejected_model": rejected.source,
            "subset": category(unit),
            "id": unit.key,
        }
