"""Make a study of a stated size in the database of the environment: for tests with servers of their own."""

import argparse
import os

import django

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "annotate.config.settings")
    django.setup()
    from django.db import transaction

    from annotate.views.access import invite_path
    from tests.factories import make_study

    parser = argparse.ArgumentParser()
    parser.add_argument("slug")
    parser.add_argument("--prompts", type=int, default=10)
    parser.add_argument("--responses", type=int, default=4)
    parser.add_argument("--seats", type=int, default=5)
    parser.add_argument("--words", type=int, default=12)
    parser.add_argument("--kinds", nargs="+", default=["single", "pair", "set"])
    asked = vars(parser.parse_args())
    with transaction.atomic():
        study = make_study(asked.pop("slug"), **asked)
    print(invite_path(study), study.items.count())
