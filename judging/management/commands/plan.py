import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from judging.results.planning.report import Design, Plan, PlanError, plan


class Command(BaseCommand):
    help = "Before a study: the smallest underrating it could detect with 80 % power, by simulation."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--prompts", type=int, required=True)
        parser.add_argument("--responses", type=int, required=True, help="of each prompt")
        parser.add_argument("--annotators", type=int, required=True, help="in all")
        parser.add_argument("--ratings", type=int, required=True, help="of each response")
        parser.add_argument(
            "--correlation", type=float, default=-0.4, help="of quality and unusualness (default: -0.4)"
        )
        parser.add_argument(
            "--reliability", type=float, default=0.12, help="of one rating, within prompts (default: 0.12)"
        )
        parser.add_argument(
            "--json", action="store_true", help="one JSON object, with numbers at full precision"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        names = ("prompts", "responses", "annotators", "ratings", "correlation", "reliability")
        try:
            outcome = plan(Design(**{name: options[name] for name in names}))
        except PlanError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(json.dumps(outcome.as_json(), indent=2) if options["json"] else _text(outcome))


def _text(outcome: Plan) -> str:
    d = outcome.design
    size = (
        "Smallest detectable underrating: undefined."
        if outcome.smallest_detectable is None
        else f"Smallest detectable underrating (80 % power, two-sided 5 %): {outcome.smallest_detectable:.3f} SD, "
        f"± {outcome.simulation_error:.3f} from simulating."
    )
    return (
        f"{d.prompts:,} prompts × {d.responses:,} responses × {d.ratings:,} ratings by {d.annotators:,} "
        f"annotators; simulated.\n{size}\n{outcome.reason}\nReliability of the mean of {d.ratings:,}: "
        f"{d.reliability_of_mean:.2f}; correlation of quality and unusualness {d.correlation:+.2f}."
    )
