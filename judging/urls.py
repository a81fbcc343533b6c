from django.urls import path

from annotate.views.later import later
from judging.results.urls import urlpatterns as results

urlpatterns = [
    path("studies/<slug:slug>/monitor/", later("judging.monitor.views.monitor"), name="monitor"),
    path(
        "studies/<slug:slug>/monitor/annotators/<int:pk>/",
        later("judging.monitor.views.annotator"),
        name="monitor-annotator",
    ),
    path(
        "studies/<slug:slug>/monitor/annotators/<int:pk>/exclude/",
        later("judging.monitor.views.exclude_annotator"),
        name="exclude-annotator",
    ),
    path(
        "studies/<slug:slug>/monitor/annotators/<int:pk>/readmit/",
        later("judging.monitor.views.readmit_annotator"),
        name="readmit-annotator",
    ),
    path(
        "studies/<slug:slug>/monitor/judgments/<int:pk>/",
        later("judging.monitor.views.judgment"),
        name="monitor-judgment",
    ),
    path(
        "studies/<slug:slug>/monitor/judgments/<int:pk>/exclude/",
        later("judging.monitor.views.exclude_judgment"),
        name="exclude-judgment",
    ),
    path(
        "studies/<slug:slug>/monitor/judgments/<int:pk>/readmit/",
        later("judging.monitor.views.readmit_judgment"),
        name="readmit-judgment",
    ),
    path("studies/<slug:slug>/planning/", later("judging.results.planning.views.planning"), name="planning"),
    path(
        "studies/<slug:slug>/agreement/<str:key>/items.csv",
        later("judging.results.agreement.views.agreement_items"),
        name="agreement-items",
    ),
    path(
        "studies/<slug:slug>/agreement/<str:key>/annotators.csv",
        later("judging.results.agreement.views.agreement_annotators"),
        name="agreement-annotators",
    ),
    path("studies/<slug:slug>/exports/", later("judging.exports.views.exports"), name="exports"),
    path(
        "studies/<slug:slug>/exports/<slug:name>/",
        later("judging.exports.views.download"),
        name="download-export",
    ),
    path(
        "studies/<slug:slug>/left-out/<slug:name>/",
        later("judging.imports.views_left_out.left_out"),
        name="left-out",
    ),
    path("desk/import/", later("judging.imports.views_study.start"), name="import"),
    path("desk/import/look/", later("judging.imports.views_study.look"), name="import-look"),
    path("desk/import/left-out/", later("judging.imports.views_study.left_out"), name="import-left-out"),
    path(
        "studies/<slug:slug>/homogeneity/<int:pk>/",
        later("judging.results.homogeneity.map_views.prompt_map"),
        name="prompt-map",
    ),
    path(
        "studies/<slug:slug>/responses/", later("judging.results.responses.views.responses"), name="responses"
    ),
    path(
        "studies/<slug:slug>/responses/<int:pk>/",
        later("judging.results.responses.views.response"),
        name="response",
    ),
    path("studies/<slug:slug>/runs/", later("judging.runs.views.runs"), name="runs"),
    path("studies/<slug:slug>/runs/start/", later("judging.runs.views.start"), name="start-run"),
    path("studies/<slug:slug>/runs/files/", later("judging.imports.views_scores.files"), name="scores-files"),
    path(
        "studies/<slug:slug>/runs/files/look/", later("judging.imports.views_scores.look"), name="scores-look"
    ),
    path(
        "studies/<slug:slug>/runs/files/left-out/",
        later("judging.imports.views_scores.left_out"),
        name="scores-left-out",
    ),
    path(
        "studies/<slug:slug>/runs/files/batch/",
        later("judging.imports.views_scores.write_batch"),
        name="batch-write",
    ),
    path(
        "studies/<slug:slug>/runs/files/results/",
        later("judging.imports.views_scores.read_batch"),
        name="batch-read",
    ),
    path("studies/<slug:slug>/runs/<int:pk>/", later("judging.runs.views.run"), name="run"),
    path(
        "studies/<slug:slug>/runs/tasks/<int:pk>/cancel/",
        later("judging.runs.views.cancel"),
        name="cancel-run",
    ),
    path("studies/<slug:slug>/webhooks/", later("judging.webhooks.views.webhooks_page"), name="webhooks"),
    path("studies/<slug:slug>/webhooks/<int:pk>/", later("judging.webhooks.views.webhook"), name="webhook"),
    path(
        "studies/<slug:slug>/judges/try/", later("judging.results.judges.views.try_judge"), name="try-judge"
    ),
    path("studies/<slug:slug>/report/", later("judging.results.summary.views.report"), name="report"),
    path(
        "studies/<slug:slug>/report/report.html",
        later("judging.results.summary.views.report_file"),
        name="report-file",
    ),
    path(
        "studies/<slug:slug>/report/report.zip",
        later("judging.results.summary.views.report_folder"),
        name="report-folder",
    ),
    *results,
]
