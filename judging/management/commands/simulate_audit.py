import json
import os
from dataclasses import asdict, replace
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from judging.stats.audit.conditions import CONDITIONS, condition_line, outcomes
from judging.stats.audit.simulation import StudyModel
from judging.stats.audit.validation import (  # fmt: skip
    BIAS,
    BIASED,
    DESIGNS,
    EFFECTS,
    ESTIMATORS,
    FAIR,
    Discoveries,
    Line,
    discoveries,
    prove,
    prove_family,
    summary,
)

COUNTS = ("prompts", "responses", "annotators", "ratings", "heavy")
SIZES = (
    "correlation", "validity", "quality", "severity", "taste", "noise", "heavy_share",
    "length_effect", "length_correlation",
)  # fmt: skip


class Command(BaseCommand):
    help = (
        "Simulate studies with known truth, and report how often the audit is right: bias, coverage, false alarms and "
        "power of each estimator, with Monte Carlo errors."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        default = StudyModel()
        for name in COUNTS:
            parser.add_argument(f"--{name}", type=int, help=f"default {getattr(default, name)}")
        for name in SIZES:
            option = f"--{name.replace('_', '-')}"
            parser.add_argument(option, type=float, help=f"default {getattr(default, name):g}")
        parser.add_argument("--by-item", action="store_true", help="annotators drawn anew for each response")
        parser.add_argument("--no-cut", action="store_true", help="ratings not rounded and cut to 1 to 5")
        parser.add_argument("--effects", type=float, nargs="+", default=EFFECTS, help="injected underratings")
        parser.add_argument("--studies", type=int, default=1000)
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--jobs", type=int, default=os.process_cpu_count() if hasattr(os, "process_cpu_count") else os.cpu_count())  # fmt: skip  # noqa: E501
        parser.add_argument("--all", action="store_true", help="every design of the methods page")
        parser.add_argument(
            "--condition", dest="conditions", action="append", choices=[*CONDITIONS], metavar="NAME",
            help=f"where assumptions break, and which verdicts follow; one of: {'; '.join(CONDITIONS)}",
        )  # fmt: skip
        parser.add_argument("--conditions", action="store_const", const=[*CONDITIONS], help="every condition")
        parser.add_argument(
            "--fdr", action="store_true", help=f"{BIASED + FAIR} scorers, {BIASED} of them biased"
        )
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["studies"] < 2 or options["jobs"] < 1:
            raise CommandError("need two studies or more, and a job")
        how = {name: options[name] for name in ("studies", "seed", "jobs")}
        if options["conditions"]:
            self._conditions(options["conditions"], how, as_json=options["json"])
            return
        lines: list[Line] = []
        family: list[Discoveries] = []
        try:
            for name, model in _designs(options).items():
                if not options["fdr"] or options["all"]:
                    effects = options["effects"]
                    lines += summary(name, effects, prove(model, effects, **how))
                if options["fdr"] or (options["all"] and not family):
                    family = discoveries(prove_family(model, **how))
        except ValueError as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            record = {"studies": options["studies"], "seed": options["seed"]}
            rows = {"lines": [asdict(x) for x in lines], "discoveries": [asdict(x) for x in family]}
            self.stdout.write(json.dumps(record | rows, indent=1))
            return
        self.stdout.write("Everything here is simulated. After ±: Monte Carlo error.")
        self._table(lines)
        for x in family:
            self.stdout.write(
                f"{BIASED + FAIR} scorers, {BIASED} underrating by {BIAS:g}, {x.estimator}: false discoveries "
                f"{_share(x.rate, x.rate_error)}, found {_share(x.power, x.power_error)} ({x.n:,} studies)"
            )

    def _conditions(self, names: list[str], how: dict[str, int], *, as_json: bool) -> None:
        lines = [condition_line(name, CONDITIONS[name], outcomes(CONDITIONS[name], **how)) for name in names]
        if as_json:
            record = {
                "studies": how["studies"],
                "seed": how["seed"],
                "conditions": [asdict(x) for x in lines],
            }
            self.stdout.write(json.dumps(record, indent=1))
            return
        self.stdout.write("Everybody and everything here is simulated. After ±: Monte-Carlo error.")
        for x in lines:
            shares = ", ".join(f"{name} {share * 100:.0f} %" for name, share in x.verdicts.items() if share)
            tipping = "" if x.tipping_point is None else f"; tipping point {x.tipping_point * 100:.0f} %"
            pooled = f"{x.pooled_alarms * 100:.0f} %"
            self.stdout.write(
                f"\n{x.condition}: {x.n:,} studies, bias {x.bias:+.3f} ±{x.bias_error:.3f}\n"
                f"  wrong {_share(x.wrong, x.wrong_error)} (pooled slope alone off zero {pooled}), "
                f"underrates {_share(x.found, x.found_error)}, coverage {_share(x.coverage, x.coverage_error)} where "
                f"the interval has ends ({x.bounded * 100:.0f} %){tipping}\n  {shares}"
            )

    def _table(self, lines: list[Line]) -> None:
        widths = (max(map(len, ESTIMATORS)), 14, 14, 14, 14)
        heads = ("", "bias", "coverage", "not around 0", "above 0")
        before = None
        for x in lines:
            if (x.design, x.effect) != before:
                before = (x.design, x.effect)
                weak = "" if x.strength is None else f", strength {x.strength:.1f}"
                self.stdout.write(
                    f"\n{x.design}, planted {x.effect:g}: {x.n:,} studies, can’t tell {x.cant_tell * 100:.1f} %{weak}"
                )
                self.stdout.write("  ".join(h.ljust(w) for h, w in zip(heads, widths, strict=True)))
            bias = "–" if x.bias is None else f"{x.bias:+.3f} ±{x.bias_error or 0:.3f}"
            shares = (
                (x.coverage, x.coverage_error), (x.alarms, x.alarms_error), (x.found, x.found_error),
            )  # fmt: skip
            cells = (x.estimator, bias, *(_share(*s) for s in shares))
            self.stdout.write("  ".join(c.ljust(w) for c, w in zip(cells, widths, strict=True)))


def _designs(options: dict[str, Any]) -> dict[str, StudyModel]:
    if options["all"]:
        return DESIGNS
    given = {name: options[name] for name in (*COUNTS, *SIZES) if options[name] is not None}
    model = replace(StudyModel(by_item=options["by_item"], cut=not options["no_cut"]), **given)
    way = ", by item" if model.by_item else ""
    return {f"{model.prompts} × {model.responses} × {model.ratings} of {model.annotators}{way}": model}


def _share(share: float | None, error: float | None) -> str:
    return "–" if share is None else f"{share * 100:.1f} ±{(error or 0) * 100:.1f} %"
