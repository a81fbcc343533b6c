from judging.management.result_command import ResultCommand


class Command(ResultCommand):
    name = "audit"
    metavars = {"unusualness": "MEASURE"}
