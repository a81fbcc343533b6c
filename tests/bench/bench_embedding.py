"""Embedding a study against sentence-transformers alone, on the same texts in the same process.

    python -m tests.bench.bench_embedding [--responses 600]

Budget: reading, sorting, embedding and storing together at least 90 % of the texts a second that `encode` alone
reaches. Both are warmed, and the better of two turns counts for each, taken in turn.
"""

import argparse
import os
import random
import sys
import tempfile
import time
from pathlib import Path

LEAST = 0.90
TOPIC = "time river stone light under slowly bright because never answer window morning people write"


def texts(n: int) -> list[str]:
    """10 to 120 words, in no order of length, as a pool comes."""
    rng = random.Random(1)
    words = TOPIC.split()
    return [" ".join(rng.choices(words, k=rng.randint(10, 120))) + f" {i}." for i in range(n)]


def main(n: int) -> int:
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"DEBUG": "1", "DATABASE_URL": f"sqlite:///{Path(folder) / 'bench.sqlite3'}"}
        os.environ |= {"DJANGO_SETTINGS_MODULE": "annotate.config.settings", "HF_HUB_OFFLINE": "1"}
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        ratio = compare(n)
    return int(ratio < LEAST)


def compare(n: int) -> float:
    from annotate.models import Prompt, Response, Study
    from judging.models import Embedding
    from judging.runs import work as scoring
    from judging.scorers.minilm import MiniLM

    model = scoring.build("minilm")
    assert isinstance(model, MiniLM)
    study = Study.objects.create(slug="bench", title="Bench")
    prompt = Prompt.objects.create(study=study, key="p", text="?")
    pool = texts(n)
    Response.objects.bulk_create(
        Response(study=study, prompt=prompt, key=str(i), text=t, source="made") for i, t in enumerate(pool)
    )
    model.embed(pool[:64])
    alone, whole = [], []
    for _ in range(2):
        begun = time.perf_counter()
        model._model.encode(pool, batch_size=32, normalize_embeddings=True, show_progress_bar=False)
        alone.append(n / (time.perf_counter() - begun))
        Embedding.objects.all().delete()
        begun = time.perf_counter()
        scoring.score(study, "minilm")
        whole.append(n / (time.perf_counter() - begun))
        assert Embedding.objects.count() == n
    ratio = max(whole) / max(alone)
    print(
        f"{n} texts: encode alone {max(alone):.0f} a second, read + embed + store {max(whole):.0f}; "
        f"ratio {ratio:.3f}, at least {LEAST}"
    )
    return ratio


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--responses", type=int, default=600)
    sys.exit(main(parser.parse_args().responses))
