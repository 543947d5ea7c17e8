"""Every route of the API with the scopes that it needs: the one table that guards, answers and documents."""

from edge.web.api import (
    access_requests,
    acting,
    casework,
    changes,
    devices,
    drills,
    evidence,
    exports,
    feedback,
    importing,
    incidents,
    log,
    outside,
    people,
    policies,
    reach,
    reports,
    sending,
    tokens,
    troubles,
    zones,
)
from edge.web.api.routing import Media, Route

CSV = Media("text/csv")
XLSX = Media("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
ZIP = Media("application/zip")
EVENTS = Media("text/event-stream")
RESULT = Media("application/json")

LOG, STORE, REPORTS = ("read:log",), ("read:store",), ("read:reports",)
DRILLS, DRILL = ("read:drills",), ("read:drills", "act:drills")
ACT, PEOPLE, WRITE, ADMIN = ("act:requests",), ("write:people",), ("write:store",), ("admin",)
# The answer names a silent request.
ALARM = ("act:requests", "security")

# A bundle has the length of the whole custody log, which tells of silent requests too.
EXPORTS, EXPORT = ("read:evidence", "security"), ("read:evidence", "act:evidence", "security")
CASES, CASE = ("read:incidents",), ("read:incidents", "act:incidents")
OUTSIDE = ("read:outside",)
FOOTAGE, DEEDS = ("read:evidence",), ("read:evidence", "act:evidence")

# fmt: off
ROUTES = (
    Route("GET", "/floor", log.floor_read, LOG, log.Floor, free=True),
    Route("GET", "/stream", sending.stream, LOG, EVENTS, free=True),
    Route("GET", "/interactions", log.interactions_search, LOG, log.Log, query=log.Searched),
    Route("GET", "/interactions.csv", sending.log_csv, LOG, CSV, query=log.Asked),
    Route("GET", "/interactions.xlsx", sending.log_xlsx, LOG, XLSX, query=log.Asked),
    Route("GET", "/interactions/{id}", log.interaction_read, LOG, log.Whole),

    Route("POST", "/interactions/{id}/acknowledge", acting.interaction_acknowledge, ACT, log.Interaction, body=acting.By, free=True),
    Route("POST", "/interactions/{id}/decline", acting.interaction_decline, ACT, log.Interaction, body=acting.Declined, free=True),
    Route("POST", "/interactions/{id}/attend", acting.interaction_attend, ACT, log.Interaction, body=acting.By, free=True),
    Route("POST", "/interactions/{id}/resolve", acting.interaction_resolve, ACT, log.Interaction, body=acting.Resolved, free=True),
    Route("POST", "/interactions/{id}/hand-over", acting.interaction_hand_over, ACT, log.Interaction, body=acting.HandedOver, free=True),
    Route("POST", "/interactions/{id}/take-back", acting.interaction_take_back, ACT, log.Interaction, body=acting.By, free=True),
    Route("POST", "/interactions/{id}/supervisor", acting.interaction_supervisor, ACT, log.Interaction, body=acting.By, free=True),
    Route("POST", "/interactions/{id}/call-off", acting.interaction_call_off, ACT, log.Interaction, body=acting.By, free=True),
    Route("POST", "/interactions/{id}/ask-safe", acting.interaction_ask_safe, ACT, log.Interaction, body=acting.By, free=True),
    Route("POST", "/interactions/{id}/answer-safe", acting.interaction_answer_safe, ACT, log.Interaction, body=acting.Answered, free=True),
    Route("POST", "/security", acting.security_call, ALARM, acting.Raised, body=acting.SecurityCalled, created=True, free=True),
    Route("POST", "/supervisor", acting.supervisor_call, ACT, acting.Raised, body=acting.CalledTo, created=True, free=True),
    Route("GET", "/people/{id}/pages", acting.pages_list, ACT, acting.OpenPages, free=True),
    Route("POST", "/people/{id}/pages/delivered", acting.pages_delivered, ACT, None, body=acting.Reached, free=True),
    Route("POST", "/people/{id}/pages/seen", acting.pages_seen, ACT, None, body=acting.Reached, free=True),
    Route("GET", "/people/{id}/looks", evidence.person_looks, FOOTAGE, evidence.Looks),
    Route("POST", "/people/{id}/presence", acting.presence_say, ACT, None, body=acting.Said, free=True),

    Route("GET", "/feedback", feedback.feedback_list, LOG, feedback.Feedback, query=feedback.FeedbackAsked),
    Route("POST", "/feedback", feedback.feedback_add, ACT, feedback.Saved, body=feedback.Told, created=True, free=True),
    Route("GET", "/feedback/by-code/{code}", feedback.feedback_by_code, LOG, feedback.MayRate),
    Route("POST", "/feedback/by-code/{code}", feedback.feedback_give, ACT, feedback.MayRate, body=feedback.RatedByCode, created=True, free=True),

    Route("GET", "/people", people.people_list, STORE, people.People, query=people.AllOrActive),
    Route("POST", "/people", people.person_add, PEOPLE, people.PersonAdded, body=people.NewPerson, created=True),
    Route("POST", "/people-file/plan", importing.people_plan, PEOPLE, importing.PlanOfFile, body=importing.File),
    Route("POST", "/people-file/import", importing.people_import, PEOPLE, importing.Imported, body=importing.ConfirmedFile),
    Route("GET", "/people-second-factors", people.second_factors_list, ADMIN, people.SecondFactors),
    Route("GET", "/people/{id}/sessions", people.sessions_list, ADMIN, people.Sessions),
    Route("POST", "/people/{id}/sessions/{session}/end", people.session_end, PEOPLE, None),
    Route("GET", "/people/{id}", people.person_read, STORE, people.Person),
    Route("PUT", "/people/{id}", people.person_change, PEOPLE, people.Person, body=people.ChangedPerson),
    Route("POST", "/people/{id}/disable", people.person_disable, PEOPLE, people.Person),
    Route("POST", "/people/{id}/enable", people.person_enable, PEOPLE, people.Person),
    Route("POST", "/people/{id}/pin", people.person_pin, PEOPLE, people.Secret),
    Route("POST", "/people/{id}/second-pin", people.person_second_pin, PEOPLE, people.Secret),
    Route("POST", "/people/{id}/password", people.person_password, PEOPLE, people.Secret),
    Route("POST", "/people/{id}/second-factor/reset", people.person_second_factor, PEOPLE, people.Person),
    Route("PUT", "/people/{id}/presence", people.person_presence, PEOPLE, people.Person, body=people.Presence),

    Route("GET", "/evidence", evidence.evidence_list, FOOTAGE, evidence.Evidence, query=evidence.EvidenceAsked),
    Route("GET", "/evidence/{id}", evidence.evidence_read, FOOTAGE, evidence.ClipWhole),
    Route("POST", "/evidence/{id}/view", evidence.evidence_view, DEEDS, evidence.Look, body=evidence.Why, created=True),
    Route("POST", "/evidence/{id}/hold", evidence.evidence_hold, DEEDS, evidence.ClipWhole, body=evidence.Why),
    Route("POST", "/holds/{id}/ask-release", evidence.hold_ask_release, DEEDS, evidence.ClipWhole, body=evidence.Why),
    Route("POST", "/holds/{id}/release", evidence.hold_release, DEEDS, evidence.ClipWhole),
    Route("GET", "/exports", exports.exports_list, EXPORTS, exports.Exports),
    Route("POST", "/exports", exports.export_ask, EXPORT, exports.Export, body=exports.NewExport, created=True),
    Route("GET", "/exports/{id}", exports.export_read, EXPORTS, exports.Export),
    Route("POST", "/exports/{id}/download", exports.export_download, EXPORT, ZIP),

    Route("GET", "/access-requests", access_requests.access_requests_list, EXPORTS, access_requests.AccessRequests),
    Route("POST", "/access-requests", access_requests.access_request_open, EXPORT, access_requests.AccessWhole, body=access_requests.NewAccessRequest, created=True),
    Route("GET", "/access-requests/{id}", access_requests.access_request_read, EXPORTS, access_requests.AccessWhole),
    Route("POST", "/access-requests/{id}/extend", access_requests.access_request_extend, EXPORT, access_requests.AccessWhole, body=access_requests.Extended),
    Route("POST", "/access-requests/{id}/answer", access_requests.access_request_answer, EXPORT, access_requests.AccessWhole, body=access_requests.AccessAnswered),
    Route("POST", "/access-requests/{id}/close", access_requests.access_request_close, EXPORT, access_requests.AccessWhole, body=access_requests.AccessClosed),
    Route("POST", "/access-requests/{id}/reopen", access_requests.access_request_reopen, EXPORT, access_requests.AccessWhole, body=access_requests.AccessReopened),

    Route("GET", "/incidents", incidents.incidents_search, CASES, incidents.Incidents, query=incidents.IncidentsAsked),
    Route("POST", "/incidents", casework.incident_open, CASE, incidents.IncidentWhole, body=casework.NewIncident, created=True),
    Route("GET", "/incidents/{id}", incidents.incident_read, CASES, incidents.IncidentWhole),
    Route("PUT", "/incidents/{id}", casework.incident_correct, CASE, incidents.IncidentWhole, body=casework.Corrected),
    Route("POST", "/incidents/{id}/entries", casework.incident_write, CASE, incidents.IncidentWhole, body=casework.NewEntry),
    Route("POST", "/incidents/{id}/check", casework.incident_tick, CASE, incidents.IncidentWhole, body=casework.Ticked),
    Route("POST", "/incidents/{id}/close", casework.incident_close, CASE, incidents.IncidentWhole, body=casework.Closed),
    Route("POST", "/incidents/{id}/reopen", casework.incident_reopen, CASE, incidents.IncidentWhole, body=casework.Reopened),
    Route("POST", "/incidents/{id}/link", casework.incident_link, CASE, incidents.IncidentWhole, body=casework.Linked),
    Route("POST", "/incidents/{id}/export", exports.incident_export, EXPORT, exports.Export, body=evidence.Why, created=True),
    Route("POST", "/incidents/{id}/ask-account", casework.incident_ask_account, CASE, incidents.IncidentWhole, body=casework.AccountAsked),

    Route("GET", "/zones", zones.zones_list, STORE, zones.Zones),
    Route("POST", "/zones", zones.zone_add, WRITE, zones.Zone, body=zones.NewZone, created=True),
    Route("PUT", "/zones/{name}", zones.zone_change, WRITE, zones.Zone, body=zones.ZoneChange),
    Route("DELETE", "/zones/{name}", zones.zone_remove, WRITE, None),

    Route("GET", "/devices", devices.devices_list, STORE, devices.Devices),
    Route("GET", "/devices/{name}", devices.device_read, STORE, devices.DeviceWhole),
    Route("PUT", "/devices/{name}/zone", devices.device_move, WRITE, devices.DeviceWhole, body=devices.Move),
    Route("PUT", "/devices/{name}/pager", devices.device_pager, WRITE, devices.DeviceWhole, body=devices.Handed),
    Route("POST", "/devices/{name}/identify", devices.device_identify, WRITE, None, body=devices.Blink),
    Route("POST", "/devices/{name}/replay", devices.device_replay, WRITE, devices.Replayed),
    Route("POST", "/devices/{name}/revoke", devices.device_revoke, WRITE, devices.DeviceWhole, body=devices.Revoked),
    Route("POST", "/devices/{name}/maintenance", devices.device_maintain, WRITE, None, body=devices.Maintained),
    Route("GET", "/troubles", troubles.troubles_list, STORE, troubles.Troubles),
    Route("POST", "/troubles/{id}/seen", troubles.trouble_seen, ACT, None, body=acting.By, free=True),
    Route("GET", "/refused-messages", devices.refused_list, STORE, devices.RefusedMessages),
    Route("GET", "/refused-messages/{number}", devices.refused_read, STORE, devices.RefusedWhole),

    Route("GET", "/reach", reach.reach_list, LOG, reach.WhoIsReachable),
    Route("GET", "/drills", drills.drills_list, DRILLS, drills.Drills, query=drills.DrillsAsked),
    Route("POST", "/drills", drills.drill_run, DRILL, drills.Drill, body=drills.NewDrill, created=True),
    Route("GET", "/drills/{id}", drills.drill_read, DRILLS, drills.Drill),
    Route("GET", "/drills/{id}/result", drills.drill_result, DRILLS, RESULT),
    Route("GET", "/drill-plan", drills.plan_read, DRILLS, drills.PlanInForce),
    Route("PUT", "/drill-plan", drills.plan_set, DRILL, drills.PlanInForce, body=drills.NewPlan),
    Route("PUT", "/drill-people", drills.agreed_set, DRILL, drills.PlanInForce, body=drills.Agreed),

    Route("GET", "/policies", policies.policies_list, STORE, policies.PoliciesInForce),
    Route("GET", "/policies/{kind}", policies.policy_read, STORE, policies.PolicyInForce),
    Route("PUT", "/policies/{kind}", policies.policy_set, WRITE, policies.PolicyInForce, body=policies.NewPolicy),
    Route("DELETE", "/policies/{kind}", policies.policy_reset, WRITE, policies.PolicyInForce, query=policies.Based),
    Route("POST", "/policies/{kind}/preview", policies.policy_preview, STORE, policies.Preview, body=policies.Supposed),

    Route("GET", "/outside/channels", outside.outside_channels, OUTSIDE, outside.OutsideChannels),
    Route("POST", "/outside/channels/{name}/test", outside.outside_test, WRITE, None),
    Route("GET", "/outside/messages", outside.outside_list, OUTSIDE, outside.OutsideMessages, query=outside.OutsideAsked),
    Route("GET", "/outside/messages/{id}", outside.outside_read, OUTSIDE, outside.OutsideWhole),

    Route("GET", "/changes", changes.changes_list, STORE, changes.Changes, query=changes.ChangesAsked),
    Route("GET", "/reports/answers", reports.report_answers, REPORTS, reports.Answers, query=reports.AnswersAsked),
    Route("GET", "/reports/ratings", reports.report_ratings, REPORTS, reports.Ratings, query=reports.Spanned),

    Route("GET", "/token", tokens.token_own, (), tokens.Token),
    Route("GET", "/tokens", tokens.tokens_list, ADMIN, tokens.Tokens),
    Route("POST", "/tokens", tokens.token_add, ADMIN, tokens.TokenMade, body=tokens.NewToken, created=True),
    Route("DELETE", "/tokens/{id}", tokens.token_revoke, ADMIN, None),
)
# fmt: on
