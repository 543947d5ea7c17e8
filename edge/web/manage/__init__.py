"""The desk: the log, each interaction's timeline and the devices. For supervisors, managers and admins."""

from flask import Blueprint
from flask_limiter import Limiter

from edge.web.manage import charts, devices, door, export, floor, reading
from edge.web.throttle import sign_in_throttle


def manage_blueprint(limiter: Limiter) -> Blueprint:
    manage = Blueprint("manage", __name__, url_prefix="/manage")
    add = manage.add_url_rule
    add("/sign-in", view_func=door.sign_in_page)
    add("/sign-in", view_func=sign_in_throttle(limiter)(door.sign_in), methods=["POST"])
    add("/sign-out", view_func=door.sign_out, methods=["POST"])
    add("/", view_func=reading.home)
    add("/log", view_func=reading.log)
    add("/log.csv", view_func=export.export_csv)
    add("/log.xlsx", view_func=export.export_xlsx)
    add("/floor", view_func=floor.floor)
    add("/charts", view_func=charts.charts)
    add("/log/<interaction_id>", view_func=reading.interaction)
    add("/stream", view_func=reading.stream)
    add("/devices", view_func=devices.devices)
    add("/devices/strip", view_func=devices.strip)
    return manage
