import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from judging.management.study_commands import study_named
from judging.results.audit import COSINE, NAMES
from judging.results.pairs.report import Leaning, Margin, PairsError, Rated, as_json, report
from judging.results.text import text
from judging.stats import Position


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
        study = study_named(slug)
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
        f"{who}: of {p.n_pairs:,} equally good pairs the usual one is preferred in {text(p.usual_preferred)}; "
        f"held-out gap {text(p.held_out_gap)}\n    missed of good responses: unusual {text(m.unusual)}, "
        f"n = {m.unusual.n:,}; usual {text(m.usual)}, n = {m.usual.n:,}; ratio {text(m.ratio)}, "
        f"a fair scorer's {fair}"
    )


def _margin(row: Margin) -> str:
    order = f", {row.order_text}" if row.order_text else ""
    who = f"{row.scorer}{order}, on {row.criterion.key}"
    everywhere = row.found.everywhere
    if everywhere is None:
        return f"{who}: undefined ({row.found.reason})"
    return (
        f"{who}: agrees with the majority {text(row.found.accuracy)}; Brier {text(everywhere.brier)} (one half "
        f"{_number(row.found.brier_of_half)}, other people {_number(row.found.brier_of_people)}); log-loss "
        f"{text(everywhere.log_loss)}; ECE {text(everywhere.ece)} (right predictions "
        f"{everywhere.ece_if_calibrated:.3f}); {everywhere.n_pairs:,} pairs, {row.found.n_prompts:,} prompts"
    )


def _leaning(row: Leaning) -> str:
    v = row.length
    return (
        f"{row.scorer} on {row.criterion.key}: {_position(row.position)}longer wins {text(v.judge)}, by people "
        f"{text(v.people)}, beyond them {text(v.excess)}, n = {v.excess.n:,}"
    )


def _position(p: Position | None) -> str:
    if p is None:
        return ""
    return (
        f"same winner in both orders {text(p.consistent)}, shown first {text(p.first)}, "
        f"pull {text(p.pull)}, n = {p.pull.n:,}; "
    )


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.3f}"
