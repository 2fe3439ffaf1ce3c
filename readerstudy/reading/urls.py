from django.urls import path

from .views import cases, pages, sittings

app_name = "reading"
urlpatterns = [
    path("", pages.worklist, name="worklist"),
    path("start/<str:reader>/", pages.start, name="start"),
    path("paused/<str:reader>/", pages.paused, name="paused"),
    path("finished/<str:reader>/", pages.finished, name="finished"),
    path("display/<str:reader>/", sittings.display, name="display"),
    path("training/<str:reader>/", sittings.training, name="training"),
    path("debriefing/<str:reader>/", sittings.debriefing, name="debriefing"),
    path("<str:slot>/", pages.read, name="read"),
    path("<str:slot>/case.json", cases.case, name="case"),
    path("<str:slot>/frame/<int:number>", cases.frame, name="frame"),
    path("<str:slot>/frames/<int:first>-<int:last>", cases.frames, name="frames"),
    path("<str:slot>/heatmap/<int:number>", cases.overlay, {"kind": "heatmap"}, name="heatmap"),
    path("<str:slot>/mask/<int:number>", cases.overlay, {"kind": "mask"}, name="mask"),
    path("<str:slot>/draft", cases.draft, name="draft"),
    path("<str:slot>/submit", cases.submit, name="submit"),
    path("<str:slot>/output", cases.output, name="output"),
    path("<str:slot>/revise", cases.revise, name="revise"),
    path("<str:slot>/pause", cases.pause, name="pause"),
]
