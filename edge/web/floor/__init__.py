"""The floor: what a person with a phone sees and does. Works as plain forms; scripts make it live."""

from flask import Blueprint
from flask_limiter import Limiter

from edge.web.floor import (
    calling,
    doing,
    door,
    feedback,
    incidents,
    installing,
    looks,
    own,
    presence,
    quiet,
    showing,
)
from edge.web.throttle import sign_in_throttle


def floor_blueprint(limiter: Limiter) -> Blueprint:
    floor = Blueprint("floor", __name__, url_prefix="/floor")
    add = floor.add_url_rule
    slowed = sign_in_throttle(limiter)
    add("/manifest.webmanifest", view_func=installing.manifest)
    add("/sign-in", view_func=door.names)
    add("/sign-in/<person_id>", view_func=door.pin)
    add("/sign-in", view_func=slowed(door.sign_in), methods=["POST"])
    add("/language", view_func=door.speak, methods=["POST"])
    add("/sign-out", view_func=door.sign_out, methods=["POST"])
    add("/", view_func=showing.pages)
    add("/pages", view_func=showing.pages_part)
    add("/stream", view_func=showing.stream)
    for act in (
        doing.acknowledge,
        doing.decline,
        doing.attend,
        doing.hand_over,
        doing.take_back,
        doing.supervisor,
        doing.call_off,
        doing.resolve,
        doing.ask_safe,
        doing.answer_safe,
    ):
        address = f"/requests/<request_id>/{act.__name__.replace('_', '-')}"
        add(address, view_func=act, methods=["POST"])
    add("/troubles/<trouble_id>/seen", view_func=doing.trouble_seen, methods=["POST"])
    add("/supervisor", view_func=doing.supervisor_to, methods=["POST"])
    add("/quiet", view_func=quiet.quiet)
    add("/quiet/sure", view_func=quiet.sure)
    add("/quiet/call", view_func=limiter.exempt(quiet.call), methods=["POST"])
    add("/quiet/take-back", "quiet_take_back", slowed(quiet.take_back), methods=["POST"])
    add("/quiet/second-pin", view_func=slowed(quiet.second_pin), methods=["POST"])
    add("/locked", view_func=calling.locked)
    add("/locked/state", view_func=calling.locked_state)
    add("/locked/on", view_func=calling.locked_on, methods=["POST"])
    add("/locked/trial", view_func=calling.locked_trial, methods=["POST"])
    add("/locked/off", view_func=calling.locked_off, methods=["POST"])
    add("/locked/renewed", view_func=calling.locked_renewed, methods=["POST"])
    add("/locked/told", view_func=calling.locked_told, methods=["POST"])
    add("/worker.js", view_func=calling.worker)
    add("/colleagues", view_func=showing.colleagues)
    add("/heard", view_func=doing.heard, methods=["POST"])
    add("/pages/delivered", view_func=doing.delivered, methods=["POST"])
    add("/pages/seen", view_func=doing.seen, methods=["POST"])
    add("/feedback", view_func=feedback.feedback)
    add("/feedback", view_func=feedback.feedback_do, methods=["POST"])
    add("/looks", view_func=looks.looks)
    add("/own", view_func=own.own)
    add("/own/sessions/<session_id>/end", view_func=own.own_end, methods=["POST"])
    add("/incidents", view_func=incidents.incident_list)
    add("/incidents/new", view_func=incidents.incident_new)
    add("/incidents/new", view_func=incidents.incident_new_do, methods=["POST"])
    add("/incidents/<incident_id>", view_func=incidents.incident_one)
    add("/incidents/<incident_id>/write", view_func=incidents.incident_write, methods=["POST"])
    add("/incidents/<incident_id>/tick", view_func=incidents.incident_tick, methods=["POST"])
    add("/presence", view_func=presence.presence_part)
    add("/presence", view_func=presence.say, methods=["POST"])
    return floor
