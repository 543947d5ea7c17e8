"""The desk: the log, each interaction's timeline and the devices. For supervisors, managers and admins."""

from flask import Blueprint
from flask_limiter import Limiter

from edge.web.manage import (
    access_clip,
    access_requests,
    bundle,
    changes,
    charts,
    clip,
    device,
    devices,
    door,
    drills,
    evidence,
    export,
    feedback,
    first,
    floor,
    importing,
    incident,
    incidents,
    outside,
    passkeys,
    people,
    person,
    policy,
    reach,
    reading,
    second_factor,
    tokens,
    updates,
    zones,
)  # fmt: skip
from edge.web.throttle import passkey_throttle, sign_in_throttle


def manage_blueprint(limiter: Limiter) -> Blueprint:
    manage = Blueprint("manage", __name__, url_prefix="/manage")
    add = manage.add_url_rule
    add("/sign-in", view_func=door.sign_in_page)
    slowed = sign_in_throttle(limiter)
    add("/sign-in", view_func=slowed(door.sign_in), methods=["POST"])
    add("/sign-in/code", view_func=slowed(door.sign_in_code), methods=["POST"])
    add("/sign-in/passkey", view_func=door.sign_in_asked)
    by_phone = passkey_throttle(limiter)
    add("/sign-in/passkey", view_func=by_phone(door.sign_in_passkey), methods=["POST"])
    add("/sign-out", view_func=door.sign_out, methods=["POST"])
    add("/first", view_func=first.first_admin)
    add("/first", view_func=slowed(first.first_admin_do), methods=["POST"])
    add("/own", view_func=second_factor.own)
    add("/own/second-factor", view_func=second_factor.own_factor)
    add("/own/second-factor", view_func=second_factor.own_factor_do, methods=["POST"])
    add("/own/proof", view_func=passkeys.own_proof)
    add("/own/proof", view_func=slowed(passkeys.own_proof_do), methods=["POST"])
    add("/own/passkeys/new", view_func=passkeys.own_passkey)
    add("/own/passkeys/new", view_func=passkeys.own_passkey_do, methods=["POST"])
    add("/own/passkeys/<passkey_id>/remove", view_func=passkeys.own_passkey_remove, methods=["POST"])
    add("/own/<act>", view_func=slowed(second_factor.own_act), methods=["POST"])
    add("/own/sessions/<session_id>/end", view_func=second_factor.own_end, methods=["POST"])
    add("/", view_func=reading.home)
    add("/log", view_func=reading.log)
    add("/log.csv", view_func=export.export_csv)
    add("/log.xlsx", view_func=export.export_xlsx)
    add("/floor", view_func=floor.floor)
    add("/charts", view_func=charts.charts)
    add("/feedback", view_func=feedback.feedback)
    add("/feedback/new", view_func=feedback.feedback_new)
    add("/feedback/new", view_func=feedback.feedback_new_do, methods=["POST"])
    add("/log/<interaction_id>", view_func=reading.interaction)
    add("/incidents", view_func=incidents.incidents)
    add("/incidents.csv", view_func=incidents.incidents_csv)
    add("/incidents/new", view_func=incidents.incidents_new)
    add("/incidents/new", view_func=incidents.incidents_new_do, methods=["POST"])
    add("/incidents/<incident_id>", view_func=incident.incidents_one)
    add("/incidents/<incident_id>/<act>", view_func=incident.incidents_act, methods=["POST"])
    add("/evidence", view_func=evidence.evidence)
    add("/access-requests", view_func=access_requests.evidence_access)
    add("/access-requests/new", view_func=access_requests.evidence_access_new)
    add("/access-requests/new", view_func=access_requests.evidence_access_new_do, methods=["POST"])
    one = "/access-requests/<request_id>"
    add(one, view_func=access_requests.evidence_access_one)
    add(f"{one}/file", view_func=access_requests.evidence_access_file, methods=["POST"])
    add(f"{one}/<act>", view_func=access_requests.evidence_access_act, methods=["POST"])
    shown = f"{one}/clips/<clip_id>"
    add(shown, view_func=access_clip.evidence_access_clip)
    add(f"{shown}/look", view_func=access_clip.evidence_access_look, methods=["POST"])
    add(f"{shown}/mark", view_func=access_clip.evidence_access_mark, methods=["POST"])
    add(f"{shown}/boxes", view_func=access_clip.evidence_access_save, methods=["POST"])
    add(f"{shown}/watch", view_func=access_clip.evidence_access_watch, methods=["POST"])
    add(f"{shown}/watched", view_func=access_clip.evidence_access_watched, methods=["POST"])
    add(f"{shown}/video", view_func=access_clip.evidence_access_copy)
    add("/evidence/<clip_id>", view_func=clip.evidence_clip)
    add("/evidence/<clip_id>/view", view_func=clip.evidence_view, methods=["POST"])
    add("/evidence/<clip_id>/video", view_func=clip.evidence_video)
    add("/evidence/<clip_id>/hold", view_func=clip.evidence_hold, methods=["POST"])
    add("/evidence/<clip_id>/holds/<hold_id>/ask", view_func=clip.evidence_ask, methods=["POST"])
    add("/evidence/<clip_id>/holds/<hold_id>/release", view_func=clip.evidence_release, methods=["POST"])
    add("/incidents/<incident_id>/export", view_func=bundle.incidents_export, methods=["POST"])
    add("/evidence/<clip_id>/export", view_func=bundle.evidence_export, methods=["POST"])
    add("/evidence/exports/<export_id>", view_func=bundle.evidence_bundle)
    add("/evidence/exports/<export_id>/download", view_func=bundle.evidence_download, methods=["POST"])
    add("/stream", view_func=reading.stream)
    add("/devices", view_func=devices.devices)
    add("/devices/strip", view_func=devices.strip)
    add("/updates", view_func=updates.devices_updates)
    add("/updates/<act>", view_func=updates.devices_updates_do, methods=["POST"])
    add("/set-aside/<number>", view_func=device.device_aside)
    add("/device/<name>", view_func=device.device_one)
    add("/device/<name>/<act>", view_func=device.device_act, methods=["POST"])
    add("/drills", endpoint="drills", view_func=drills.drills_)
    add("/drills", view_func=drills.drills_do, methods=["POST"])
    add("/drills/<drill_id>", view_func=drills.drills_one)
    add("/drills/<drill_id>/result", view_func=drills.drills_result)
    add("/reach", endpoint="reach", view_func=reach.reach_)
    add("/people", view_func=people.people)
    add("/people/add", view_func=person.people_add)
    add("/people/add", view_func=person.people_add_do, methods=["POST"])
    add("/people/import", view_func=importing.people_import)
    add("/people/import", view_func=importing.people_import_look, methods=["POST"])
    add("/people/import/confirm", view_func=importing.people_import_do, methods=["POST"])
    add("/people/template.csv", view_func=importing.people_template)
    add("/people/<person_id>", view_func=person.people_one)
    add("/people/<person_id>", view_func=person.people_one_do, methods=["POST"])
    ends = "/people/<person_id>/sessions/<session_id>/end"
    add(ends, view_func=person.people_session_end, methods=["POST"])
    add("/people/<person_id>/<act>", view_func=person.people_act, methods=["POST"])
    add("/zones", view_func=zones.zones)
    add("/zones", view_func=zones.zones_add, methods=["POST"])
    add("/zones/<name>", view_func=zones.zones_change, methods=["POST"])
    add("/zones/<name>/remove", view_func=zones.zones_remove, methods=["POST"])
    add("/policy", view_func=policy.policy)
    add("/policy/<kind>", view_func=policy.policy_one)
    add("/policy/<kind>", view_func=policy.policy_do, methods=["POST"])
    add("/outside", view_func=outside.outside)
    add("/outside/channels/<name>/test", view_func=outside.outside_test, methods=["POST"])
    add("/outside/<delivery_id>", view_func=outside.outside_one)
    add("/changes", view_func=changes.changes)
    add("/tokens", view_func=tokens.tokens)
    add("/tokens", view_func=tokens.tokens_add, methods=["POST"])
    add("/tokens/<token_id>/revoke", view_func=tokens.tokens_revoke, methods=["POST"])
    return manage
