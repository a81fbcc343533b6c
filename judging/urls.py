from django.urls import path

from judging import (
    views,
    views_agreement,
    views_exports,
    views_homogeneity,
    views_imports,
    views_judges,
    views_monitor,
    views_planning,
    views_report,
    views_responses,
    views_runs,
    views_similarity,
    views_webhooks,
)

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
    path("studies/<slug:slug>/agreement/", views_agreement.agreement, name="agreement"),
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
    path("studies/<slug:slug>/similarity/", views_similarity.similarity, name="similarity"),
    path("studies/<slug:slug>/audit/", views.audit, name="audit"),
    path("studies/<slug:slug>/exports/", views_exports.exports, name="exports"),
    path("studies/<slug:slug>/exports/<slug:name>/", views_exports.download, name="download-export"),
    path("desk/import/", views_imports.start, name="import"),
    path("desk/import/look/", views_imports.look, name="import-look"),
    path("studies/<slug:slug>/homogeneity/", views_homogeneity.homogeneity, name="homogeneity"),
    path("studies/<slug:slug>/homogeneity/<int:pk>/", views_homogeneity.prompt_map, name="prompt-map"),
    path("studies/<slug:slug>/responses/", views_responses.responses, name="responses"),
    path("studies/<slug:slug>/responses/<int:pk>/", views_responses.response, name="response"),
    path("studies/<slug:slug>/runs/", views_runs.runs, name="runs"),
    path("studies/<slug:slug>/runs/start/", views_runs.start, name="start-run"),
    path("studies/<slug:slug>/runs/<int:pk>/", views_runs.run, name="run"),
    path("studies/<slug:slug>/runs/tasks/<int:pk>/cancel/", views_runs.cancel, name="cancel-run"),
    path("studies/<slug:slug>/webhooks/", views_webhooks.webhooks_page, name="webhooks"),
    path("studies/<slug:slug>/webhooks/<int:pk>/", views_webhooks.webhook, name="webhook"),
    path("studies/<slug:slug>/judges/", views_judges.judges_page, name="judges"),
    path("studies/<slug:slug>/judges/try/", views_judges.try_judge, name="try-judge"),
    path("studies/<slug:slug>/report/", views_report.report, name="report"),
    path("studies/<slug:slug>/report/report.html", views_report.report_file, name="report-file"),
    path("studies/<slug:slug>/report/report.zip", views_report.report_folder, name="report-folder"),
    path("methods/", views.methods, name="methods"),
]
