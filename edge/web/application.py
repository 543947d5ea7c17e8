"""The Flask application: one blueprint per audience, the same guards before all of them."""

import logging
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from flask import Flask, request
from flask.sessions import SecureCookieSessionInterface
from flask_limiter import Limiter
from flask_wtf.csrf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

from edge.config import EdgeConfig
from edge.web import access, admission, denials, headers, languages, logged, refusals, words
from edge.web.api import admissions, api_blueprint
from edge.web.floor import calling, floor_blueprint, quiet
from edge.web.health import health
from edge.web.manage import manage_blueprint, navigation
from edge.web.metrics import metrics
from edge.web.secret import secret_key
from edge.web.sentences import said_here
from edge.web.services import Services
from edge.web.shopper import shopper_blueprint
from edge.web.throttle import phone_here
from edge.web.wellknown import wellknown

# A file of people has 64 KiB; around it goes a form, and line ends that a browser makes longer.
_MAX_REQUEST_BYTES = 96 * 1024


class FormCookie(SecureCookieSessionInterface):
    """Flask's own session carries the form token only, one for each audience.

    With one for all, two frames that load side by side would overwrite each other's token.
    """

    def get_cookie_path(self, app: Flask) -> str:
        return f"/{request.blueprint}" if request.blueprint in access.COOKIES else "/"


def build(config: EdgeConfig, clock: Callable[[], datetime]) -> Flask:
    """See edge.create_app."""
    table = admission.PAGES | admissions()
    app = Flask("edge.web", root_path=str(Path(__file__).parent))
    app.config.update(
        SECRET_KEY=secret_key(Path(config.directory)),
        SESSION_COOKIE_NAME="floorbell_form",
        SESSION_COOKIE_SAMESITE="Strict",
        SESSION_COOKIE_SECURE=config.web.secure_cookies,
        MAX_CONTENT_LENGTH=_MAX_REQUEST_BYTES,
        # A phone's page stays open for a whole shift; the token ends with the browser's session.
        WTF_CSRF_TIME_LIMIT=None,
        # Its referrer check cannot pass: our pages send no referrer.
        WTF_CSRF_SSL_STRICT=False,
        SEND_FILE_MAX_AGE_DEFAULT=None,
    )
    app.session_interface = FormCookie()
    if config.web.proxies:
        # Whose address it is, and nothing else that a proxy may leave as the browser sent it.
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=config.web.proxies, x_proto=0, x_host=0, x_port=0, x_prefix=0
        )
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters.update(words.FILTERS, said_here=said_here)
    app.jinja_env.globals["words"] = words
    app.jinja_env.globals["place_here"] = navigation.here
    app.jinja_env.globals["desk_places"] = lambda role: navigation.places(table, role)
    app.jinja_env.globals["quiet_bar"] = quiet.bar
    app.extensions["floorbell"] = Services(config, clock)

    # It would write a line for each; what is refused stands in the audit, bounded.
    logging.getLogger("flask_wtf.csrf").setLevel(logging.WARNING)
    limiter = Limiter(phone_here, app=app, storage_uri="memory://", strategy="moving-window")
    logged.install(app)
    access.guard(app, table)
    forms = CSRFProtect(app)
    languages.install(app)
    headers.install(app, config.web)
    refusals.install(app)
    denials.install(app, table)
    app.register_blueprint(access.door)
    app.register_blueprint(health)
    app.register_blueprint(metrics)
    app.register_blueprint(wellknown)
    app.register_blueprint(floor_blueprint(limiter))
    app.register_blueprint(manage_blueprint(limiter))
    app.register_blueprint(shopper_blueprint(limiter))
    api = api_blueprint(limiter, config.title)
    # It looks at no cookie, so no other site can make a browser ask in somebody's name.
    forms.exempt(api)
    app.register_blueprint(api)
    # They have a proof of their own that they come from here, which does not age.
    for one in (quiet.call, calling.locked_renewed, calling.locked_told):
        forms.exempt(one)

    admission.check(
        table, ((rule.endpoint, frozenset(rule.methods or ())) for rule in app.url_map.iter_rules())
    )

    @app.context_processor
    def everywhere() -> dict[str, Any]:
        # In a frame, as in the demo, it would scroll the page around it to itself.
        framed = request.headers.get("Sec-Fetch-Dest") == "iframe"
        return {
            "currency": config.currency,
            "store_title": config.title,
            "now": clock(),
            "asks_at_once": "" if framed else "autofocus",
        }

    return app
