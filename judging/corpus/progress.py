"""A run's progress: a bar on a terminal, or lines with time, rate and time left for a batch system's log."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime, timedelta
from typing import TextIO

from tqdm import tqdm

from judging.corpus.steps import Done

EVERY = 10.0
"""Seconds between two lines of the log."""


class Progress:
    def __init__(self, step: str, partitions: int, out: TextIO = sys.stderr, every: float = EVERY) -> None:
        self.step, self.partitions, self.out, self.every = step, partitions, out, every
        self.done = self.responses = self.computed = 0
        self.start = self.reported_at = time.monotonic()
        self.bar = tqdm(total=partitions, desc=step, unit=" partitions", file=out) if out.isatty() else None

    def advance(self, done: Done) -> None:
        self.done += 1
        self.responses += done.responses
        self.computed += done.computed
        if self.bar is not None:
            self.bar.set_postfix_str(f"{self.rate:,.0f} responses/s")
            self.bar.update()
        elif self.done == self.partitions or time.monotonic() - self.reported_at >= self.every:
            self.reported_at = time.monotonic()
            self.out.write(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {self}\n")
            self.out.flush()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.start

    @property
    def rate(self) -> float:
        return self.responses / max(self.seconds, 1e-9)

    def __str__(self) -> str:
        remaining = self.seconds / self.done * (self.partitions - self.done) if self.done else 0
        return (
            f"{self.step}: {self.done:,} of {self.partitions:,} partitions, {self.responses:,} responses, "
            f"{self.computed:,} computed now, {self.rate:,.0f} responses/s, {timedelta(seconds=round(remaining))} left"
        )

    def close(self) -> None:
        if self.bar is not None:
            self.bar.close()
