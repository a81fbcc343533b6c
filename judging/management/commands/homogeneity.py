from annotate.models import Study
from judging.management.result_command import ResultCommand
from judging.results.homogeneity.over_prompts import Homogeneity
from judging.results.homogeneity.report import compute
from judging.results.homogeneity.result import HomogeneityOptions
from judging.results.result import Options


class Command(ResultCommand):
    name = "homogeneity"

    def compute(self, study: Study, options: Options) -> Homogeneity:
        words = isinstance(options, HomogeneityOptions) and options.words
        return compute(study, words=words or None, progress=self._show)

    def _show(self, done: int, total: int) -> None:
        if done % 10 == 0 or done == total:
            self.stderr.write(f"{done:,} of {total:,} prompts", ending="\r" if done < total else "\n")
