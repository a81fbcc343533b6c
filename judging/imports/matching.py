"""Which responses and pairs of a study somebody's file speaks of: by id, by prompt and source, by exact text."""

import hashlib
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from annotate.folder.problems import Problem
from annotate.formats.machine_scores import Named, Score, Verdict
from annotate.models import ItemResponse, Response, Study
from annotate.texts import one_newline

NAMED = 20


def _hash(text: str) -> bytes:
    return hashlib.sha256(one_newline(text).encode("utf-8", "surrogatepass")).digest()


@dataclass
class Joined:
    """What a file says of responses and pairs of the study, and what found no place."""

    scores: list[tuple[int, Score]] = field(default_factory=list)
    verdicts: list[tuple[int, bool, Verdict]] = field(default_factory=list)
    how: Counter[str] = field(default_factory=Counter)
    failed: int = 0
    unmatched: int = 0
    misses: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    # Rows that were left out, each by its first problem.
    left_out: tuple[Problem, ...] = ()

    @property
    def matched(self) -> int:
        return sum(self.how.values())

    def miss(self, line: int, why: str) -> None:
        self.unmatched += 1
        if len(self.misses) < NAMED:
            self.misses.append(f"line {line}: {why}")

    def report(self) -> str:
        """For people, before anything is stored."""
        how = ", ".join(f"{n:,} by {what}" for what, n in self.how.most_common())
        lines = [
            f"{self.matched:,} matched{f' ({how})' if how else ''}; {self.unmatched:,} not matched; "
            f"{self.failed:,} without a number"
        ]
        lines += [f"  {one}" for one in self.misses]
        if self.unmatched > len(self.misses):
            lines.append(f"  and {self.unmatched - len(self.misses):,} more")
        lines += [f"- {remark}" for remark in self.remarks]
        if self.left_out:
            lines.append(f"- Bad rows: {len(self.left_out):,} left out.")
        return "\n".join(lines)


class Joiner:
    """The study's responses by all they may be known by."""

    def __init__(self, study: Study) -> None:
        self.joined = Joined()
        self._by_key: dict[str, int] = {}
        self._by_source: dict[tuple[str, str], list[int]] = defaultdict(list)
        self._by_text: dict[bytes, list[int]] = defaultdict(list)
        self._prompt_of: dict[int, bytes] = {}
        rows = Response.objects.filter(study=study).order_by("pk")
        columns = ("pk", "key", "text", "source", "prompt__key", "prompt__text")
        for pk, key, text, source, prompt_key, prompt in rows.values_list(*columns).iterator():
            self._by_key[key] = pk
            self._by_source[prompt_key, source].append(pk)
            self._by_text[_hash(text)].append(pk)
            self._prompt_of[pk] = _hash(prompt)
        self._prompts = set(self._prompt_of.values())
        self._items: dict[frozenset[int], list[tuple[int, int]]] = defaultdict(list)
        shown: dict[int, list[int]] = defaultdict(list)
        links = ItemResponse.objects.filter(item__study=study, item__kind="pair").order_by("item", "position")
        for item, response in links.values_list("item_id", "response_id").iterator():
            shown[item].append(response)
        for item, pair in shown.items():
            self._items[frozenset(pair)].append((item, pair[0]))

    def join(self, record: Score | Verdict) -> None:
        """Add what a file says to `joined`."""
        if isinstance(record, Score):
            self._join_score(record)
        else:
            self._join_verdict(record)

    def _join_score(self, score: Score) -> None:
        responses, how = self.find(score.of)
        if not responses:
            self.joined.miss(score.line, how)
            return
        self.joined.how[how] += 1
        self.joined.failed += score.value is None
        self.joined.scores += [(pk, score) for pk in responses]

    def _join_verdict(self, verdict: Verdict) -> None:
        (first, how), (second, why) = self.find(verdict.first), self.find(verdict.second)
        if not first or not second:
            self.joined.miss(verdict.line, why if first else how)
            return
        items = [item for a in first for b in second for item in self._items.get(frozenset((a, b)), ())]
        if not items:
            self.joined.miss(verdict.line, "no pair of these two responses in the study")
            return
        self.joined.how[how] += 1
        self.joined.failed += verdict.choice.preference is None
        self.joined.verdicts += [(item, shown in first, verdict) for item, shown in dict(items).items()]

    def find(self, of: Named) -> tuple[list[int], str]:
        """Primary keys and how they were found, or none and why.

        Several are found where the same words answer the same prompt more than once: a number is of the words.
        """
        for key in of.ids:
            if key in self._by_key:
                return [self._by_key[key]], "id"
        if of.prompt_id and of.source:
            matches = self._by_source.get((of.prompt_id, of.source), [])
            if len(matches) == 1:
                return matches, "prompt and source"
            if of.text is None:
                several = f"{len(matches)} responses" if matches else "no response"
                return [], f"{several} of {of.source} to prompt {of.prompt_id}"
        if of.text is None:
            return [], f"no response with the id {of.ids[0] if of.ids else '(none given)'}"
        return self._by_words(of)

    def _by_words(self, of: Named) -> tuple[list[int], str]:
        matches = self._by_text.get(_hash(of.text or ""), [])
        if of.prompt is not None and (prompt := _hash(of.prompt)) in self._prompts:
            matches = [pk for pk in matches if self._prompt_of[pk] == prompt]
        if not matches:
            return [], f"no response with exactly these words: {(of.text or '')[:60]!r}"
        if len({self._prompt_of[pk] for pk in matches}) > 1:
            return [], f"these words answer several prompts: {(of.text or '')[:60]!r}"
        return matches, "text"
