"""The command of a result: its options, its text, and `--json`."""

import json
from typing import Any, ClassVar

from django.core.management.base import BaseCommand, CommandError, CommandParser
from pydantic import ValidationError

from annotate.management.study_named import study_named
from annotate.models import Study
from judging.results import find
from judging.results.result import NotComputable, Options, Result, problems_of


class ResultCommand(BaseCommand):
    """`name` of a subclass is the result's. A flag of its options is an option without a value."""

    name: ClassVar[str]
    metavars: ClassVar[dict[str, str]] = {}

    @property
    def result(self) -> Result[Any, Any]:
        return find(self.name)

    @property
    def help(self) -> str:  # type: ignore[override]
        return self.result.summary

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug")
        for name, field in self.result.options.model_fields.items():
            how: dict[str, Any] = {"help": field.description}
            if field.annotation is bool:
                how |= {"action": "store_true"}
            else:
                how |= {"default": field.default, "metavar": self.metavars.get(name)}
            parser.add_argument(f"--{name.replace('_', '-')}", **how)
        parser.add_argument(
            "--json", action="store_true", help="one JSON object, with numbers at full precision"
        )

    def handle(self, *args: Any, slug: str, **options: Any) -> None:
        study, chosen = study_named(slug), self._options(options)
        if options["json"]:
            record = self.result.to_json(study, lambda: self.compute(study, chosen))
            self.stdout.write(json.dumps(record, indent=2))
            return
        beside = list(self.result.lines_beside(study))
        try:
            lines = self.result.lines(self.compute(study, chosen))
        except NotComputable as error:
            if not beside:
                raise CommandError(str(error)) from error
            lines = [str(error)]
        if study.simulated:
            self.stdout.write("This study is simulated: so are its annotators and its stored scores.")
        for line in (*lines, *beside):
            self.stdout.write(line)

    def _options(self, options: dict[str, Any]) -> Options:
        try:
            chosen: Options = self.result.options(**{n: options[n] for n in self.result.options.model_fields})
        except ValidationError as error:
            wrong = "; ".join(f"--{name}: {why}" for name, why in problems_of(error).items())
            raise CommandError(wrong) from error
        return chosen

    def compute(self, study: Study, options: Options) -> Any:
        return self.result.cached(study, options)
