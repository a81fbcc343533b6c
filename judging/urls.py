from django.urls import path

from judging.exports import views as views_exports
from judging.imports import views_left_out
from judging.imports import views_scores as views_files
from judging.imports import views_study as views_imports
from judging.monitor import views as views_monitor
from judging.results.agreement import views as views_agreement
from judging.results.homogeneity import map_views as views_map
from judging.results.judges import views as views_judges
from judging.results.planning import views as views_planning
from judging.results.responses import views as views_responses
from judging.results.summary import views as views_report
from judging.results.urls import urlpatterns as results
from judging.runs import views as views_runs
from judging.webhooks import views as views_webhooks

urlpatterns = [
    path("studies/<slug:slug>/monitor/", views_monitor.monitor, name="monitor"),
    path(
        "studies/<slug:slug>/monitor/annotators/<int:pk>/", views_monitor.annotator, name="monitor-annotator"
    ),
    path(
        "studies/<slug:slug>/monitor/annotators/<int:pk>/exclude/",
        views_monitor.exclude_annotator,
        name="exclude-annotator",
    ),
    path(
        "studies/<slug:slug>/monitor/annotators/<int:pk>/readmit/",
        views_monitor.readmit_annotator,
        name="readmit-annotator",
    ),
    path("studies/<slug:slug>/monitor/judgments/<int:pk>/", views_monitor.judgment, name="monitor-judgment"),
    path(
        "studies/<slug:slug>/monitor/judgments/<int:pk>/exclude/",
        views_monitor.exclude_judgment,
        name="exclude-judgment",
    ),
    path(
        "studies/<slug:slug>/monitor/judgments/<int:pk>/readmit/",
        views_monitor.readmit_judgment,
        name="readmit-judgment",
    ),
    path("studies/<slug:slug>/planning/", views_planning.planning, name="planning"),
    path(
        "studies/<slug:slug>/agreement/<str:key>/items.csv",
        views_agreement.agreement_items,
        name="agreement-items",
    ),
    path(
        "studies/<slug:slug>/agreement/<str:key>/annotators.csv",
        views_agreement.agreement_annotators,
        name="agreement-annotators",
    ),
    path("studies/<slug:slug>/exports/", views_exports.exports, name="exports"),
    path("studies/<slug:slug>/exports/<slug:name>/", views_exports.download, name="download-export"),
    path("studies/<slug:slug>/left-out/<slug:name>/", views_left_out.left_out, name="left-out"),
    path("desk/import/", views_imports.start, name="import"),
    path("desk/import/look/", views_imports.look, name="import-look"),
    path("desk/import/left-out/", views_imports.left_out, name="import-left-out"),
    path("studies/<slug:slug>/homogeneity/<int:pk>/", views_map.prompt_map, name="prompt-map"),
    path("studies/<slug:slug>/responses/", views_responses.responses, name="responses"),
    path("studies/<slug:slug>/responses/<int:pk>/", views_responses.response, name="response"),
    path("studies/<slug:slug>/runs/", views_runs.runs, name="runs"),
    path("studies/<slug:slug>/runs/start/", views_runs.start, name="start-run"),
    path("studies/<slug:slug>/runs/files/", views_files.files, name="scores-files"),
    path("studies/<slug:slug>/runs/files/look/", views_files.look, name="scores-look"),
    path("studies/<slug:slug>/runs/files/left-out/", views_files.left_out, name="scores-left-out"),
    path("studies/<slug:slug>/runs/files/batch/", views_files.write_batch, name="batch-write"),
    path("studies/<slug:slug>/runs/files/results/", views_files.read_batch, name="batch-read"),
    path("studies/<slug:slug>/runs/<int:pk>/", views_runs.run, name="run"),
    path("studies/<slug:slug>/runs/tasks/<int:pk>/cancel/", views_runs.cancel, name="cancel-run"),
    path("studies/<slug:slug>/webhooks/", views_webhooks.webhooks_page, name="webhooks"),
    path("studies/<slug:slug>/webhooks/<int:pk>/", views_webhooks.webhook, name="webhook"),
    path("studies/<slug:slug>/judges/try/", views_judges.try_judge, name="try-judge"),
    path("studies/<slug:slug>/report/", views_report.report, name="report"),
    path("studies/<slug:slug>/report/report.html", views_report.report_file, name="report-file"),
    path("studies/<slug:slug>/report/report.zip", views_report.report_folder, name="report-folder"),
    *results,
]
