import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotate.models import Study
from judging.audit import COSINE, NAMES
from judging.pairs import Leaning, Margin, PairsError, Rated, as_json, report
from judging.stats import Estimate, Position


class Command(BaseCommand):
    help = (
        "Equally good pairs of which one is more unusual, good responses that scorers miss, and whether margins "
        "and judges' choices say how many people prefer a response."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("--scorer", help="only this one")
        parser.add_argument("--unusualness", default=COSINE, metavar="MEASURE", help=", ".join(NAMES))
        parser.add_argument("--json", action="store_true", help="one JSON object, numbers at full precision")

    def handle(self, *args: Any, slug: str, scorer: str | None, unusualness: str, **options: Any) -> None:
        study = Study.objects.filter(slug=slug).first()
        if study is None:
            raise CommandError(f"no study with slug {slug!r}")
        try:
            found = report(study, unusualness, scorer)
        except PairsError as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps(as_json(study, found), indent=2))
            return
        if study.simulated:
            self.stdout.write("The stored annotators and scorers of this study are simulated.")
        for row in found.rated:
            self.stdout.write(_rated(row))
        for margin in found.margins:
            self.stdout.write(_margin(margin))
        for leaning in found.leanings:
            self.stdout.write(_leaning(leaning))
        for why in filter(None, (found.no_ratings, found.no_votes)):
            self.stdout.write(f"Not here: {why}")


def _rated(row: Rated) -> str:
    p, m = row.pairs, row.missed
    who = f"{row.scorer} on {row.criterion.key}"
    if p.reason and m.reason:
        return f"{who}: can't tell. {p.reason}"
    fair = "undefined" if m.fair_ratio is None else f"{m.fair_ratio:.2f}"
    return (
        f"{who}: of {p.n_pairs:,} equally good pairs the usual one is preferred in {_shown(p.usual_preferred)}; "
        f"held-out gap {_shown(p.held_out_gap)}\n    missed of good responses: unusual {_shown(m.unusual)}, "
        f"n = {m.unusual.n:,}; usual {_shown(m.usual)}, n = {m.usual.n:,}; ratio {_shown(m.ratio)}, "
        f"a fair scorer's {fair}"
    )


def _margin(row: Margin) -> str:
    order = f", {row.order_text}" if row.order_text else ""
    who = f"{row.scorer}{order}, on {row.criterion.key}"
    everywhere = row.found.everywhere
    if everywhere is None:
        return f"{who}: undefined ({row.found.reason})"
    return (
        f"{who}: agrees with the majority {_shown(row.found.accuracy)}; Brier {_shown(everywhere.brier)} (one half "
        f"{_number(row.found.brier_of_half)}, other people {_number(row.found.brier_of_people)}); log-loss "
        f"{_shown(everywhere.log_loss)}; ECE {_shown(everywhere.ece)} (right predictions "
        f"{everywhere.ece_if_calibrated:.3f}); {everywhere.n_pairs:,} pairs, {row.found.n_prompts:,} prompts"
    )


def _leaning(row: Leaning) -> str:
    v = row.length
    return (
        f"{row.scorer} on {row.criterion.key}: {_position(row.position)}longer wins {_shown(v.judge)}, by people "
        f"{_shown(v.people)}, beyond them {_shown(v.excess)}, n = {v.excess.n:,}"
    )


def _position(p: Position | None) -> str:
    if p is None:
        return ""
    return (
        f"same winner in both orders {_shown(p.consistent)}, shown first {_shown(p.first)}, "
        f"pull {_shown(p.pull)}, n = {p.pull.n:,}; "
    )


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.3f}"


def _shown(e: Estimate) -> str:
    if e.estimate is None:
        return f"undefined ({e.reason})"
    interval = f"[{e.low:.3f}, {e.high:.3f}]" if e.low is not None else f"(no interval: {e.reason})"
    return f"{e.estimate:.3f} {interval}"
