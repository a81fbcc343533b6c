from django.urls import include, path, re_path

from annotate.api import problems
from annotate.config import health
from annotate.views import (
    desk,
    desk_criteria,
    desk_items,
    desk_links,
    desk_members,
    desk_pool,
    desk_settings,
    desk_trail,
    journey,
    task,
    tokens,
)

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.metrics, name="metrics"),
    path("", desk.home, name="home"),
    path("", include("annotate.config.account_urls")),
    path("join/<str:token>/", journey.join, name="join"),
    path("rate/<slug:slug>/", task.task, name="task"),
    path("rate/<slug:slug>/ahead/", task.ahead, name="ahead"),
    path("rate/<slug:slug>/back/", task.back, name="back"),
    path("rate/<slug:slug>/draft/", task.draft, name="draft"),
    path("rate/<slug:slug>/consent/", journey.consent, name="consent"),
    path("rate/<slug:slug>/instructions/", journey.instructions, name="instructions"),
    path("rate/<slug:slug>/check/", journey.check, name="check"),
    path("rate/<slug:slug>/practice/<int:seat>/", journey.practice, name="practice"),
    path("rate/<slug:slug>/break/", journey.pause, name="break"),
    path("rate/<slug:slug>/leave/", journey.leave, name="leave"),
    path("rate/<slug:slug>/resume/", journey.resume, name="resume"),
    path("rate/<slug:slug>/end/", journey.end, name="end"),
    path("desk/new/", desk_settings.new, name="new-study"),
    path("desk/markdown/", desk_settings.markdown, name="markdown"),
    path("studies/", desk.studies, name="studies"),
    path("studies/<slug:slug>/", desk.study, name="study"),
    path("studies/<slug:slug>/move/", desk.move, name="move-study"),
    path("studies/<slug:slug>/clone/", desk.clone, name="clone"),
    path("studies/<slug:slug>/settings/<slug:section>/", desk_settings.settings, name="settings"),
    path("studies/<slug:slug>/criteria/", desk_criteria.criteria, name="criteria"),
    path("studies/<slug:slug>/criteria/new/", desk_criteria.criterion, name="new-criterion"),
    path("studies/<slug:slug>/criteria/preview/", desk_criteria.preview, name="preview-criterion"),
    path("studies/<slug:slug>/criteria/<int:pk>/", desk_criteria.criterion, name="criterion"),
    path("studies/<slug:slug>/criteria/<int:pk>/move/", desk_criteria.move, name="move-criterion"),
    path("studies/<slug:slug>/criteria/<int:pk>/remove/", desk_criteria.remove, name="remove-criterion"),
    path("studies/<slug:slug>/pool/", desk_pool.pool, name="pool"),
    path("studies/<slug:slug>/leaks/", desk_pool.leak_page, name="leaks"),
    path("studies/<slug:slug>/leaks/hold-back/", desk_pool.hold_back, name="hold-back"),
    path("studies/<slug:slug>/items/", desk_items.items, name="items"),
    path("studies/<slug:slug>/items/plant/", desk_items.plant, name="plant"),
    path("studies/<slug:slug>/items/repeat/", desk_items.repeat, name="repeat-items"),
    path("studies/<slug:slug>/items/remove/", desk_items.remove, name="remove-items"),
    path("studies/<slug:slug>/members/", desk_members.members_page, name="members"),
    path("studies/<slug:slug>/members/<int:pk>/", desk_members.change_member, name="change-member"),
    path("studies/<slug:slug>/links/", desk_links.links, name="links"),
    path("studies/<slug:slug>/links/revoke/", desk_links.revoke, name="revoke-link"),
    path("studies/<slug:slug>/trail/", desk_trail.trail_page, name="trail"),
    path("api/v1/", include("judging.api.urls")),
    re_path("^api/", problems.nothing_here, name="api-nothing"),
    path("account/tokens/", tokens.tokens, name="tokens"),
    path("account/tokens/<int:pk>/revoke/", tokens.revoke, name="revoke-token"),
    path("", include("judging.folder.views")),
    path("", include("judging.urls")),
]

handler400 = problems.bad_request
handler403 = problems.forbidden
handler404 = problems.not_found
handler500 = problems.server_error
