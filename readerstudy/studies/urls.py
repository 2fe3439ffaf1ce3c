from django.urls import path

from .views import design, people, protocol, questions, studies

app_name = "studies"
urlpatterns = [
    path("new/", studies.create, name="create"),
    path("<str:study>/protocol/", protocol.protocol, name="protocol"),
    path("<str:study>/protocol/print/", protocol.printed, name="printed"),
    path("<str:study>/protocol/describe/", protocol.describe, name="describe"),
    path("<str:study>/protocol/freeze/", protocol.freeze, name="freeze"),
    path("<str:study>/protocol/amend/", protocol.amend, name="amend"),
    path("<str:study>/protocol/versions/<int:number>/<slug:part>.json", protocol.document, name="document"),
    path("<str:study>/protocol/rules/", design.set_rules, name="set_rules"),
    path("<str:study>/protocol/arms/new/", design.add_arm, name="add_arm"),
    path("<str:study>/protocol/arms/<slug:code>/", design.edit_arm, name="edit_arm"),
    path("<str:study>/protocol/arms/<slug:code>/<str:order>/", design.order_arm, name="order_arm"),
    path("<str:study>/protocol/periods/new/", design.add_period, name="add_period"),
    path("<str:study>/protocol/periods/<int:number>/", design.edit_period, name="edit_period"),
    path("<str:study>/protocol/periods/<int:number>/remove/", design.remove_period, name="remove_period"),
    path("<str:study>/protocol/questions/new/<str:kind>/", questions.add, name="add_question"),
    path("<str:study>/protocol/questions/<slug:key>/", questions.edit, name="edit_question"),
    path("<str:study>/protocol/questions/<slug:key>/<str:order>/", questions.order, name="order_question"),
    path("<str:study>/protocol/endpoints/new/", design.add_endpoint, name="add_endpoint"),
    path("<str:study>/protocol/endpoints/<int:position>/", design.edit_endpoint, name="edit_endpoint"),
    path("<str:study>/protocol/endpoints/<int:position>/remove/", design.remove_endpoint, name="remove_endpoint"),
    path("<str:study>/people/", people.people, name="people"),
    path("<str:study>/people/<str:enrolment>/withdraw/", people.withdraw, name="withdraw"),
]
