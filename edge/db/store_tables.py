"""The tables of the store itself: who works here, what stands here, what was set and changed."""

import sqlalchemy as sa

from edge.db.columns import Instant, counter_kind, id_kind, metadata, name_kind

zone = sa.Table(
    "zone",
    metadata,
    sa.Column("store", name_kind(), primary_key=True),
    sa.Column("name", name_kind(), primary_key=True),
    sa.Column("title", sa.String(80), nullable=False),
    # what it is watched for: edge/watching.py
    sa.Column("drawer_s", sa.Integer, nullable=False, server_default="60"),
    sa.Column("watched", sa.String(16), nullable=False, server_default="never"),
    sa.Column("opens", sa.String(5)),
    sa.Column("closes", sa.String(5)),
)

# Which zones lie beside each other; each pair stands here twice, once from either side.
neighbour = sa.Table(
    "neighbour",
    metadata,
    sa.Column("store", name_kind(), primary_key=True),
    sa.Column("zone", name_kind(), primary_key=True),
    sa.Column("beside", name_kind(), primary_key=True),
    sqlite_with_rowid=False,
)

person = sa.Table(
    "person",
    metadata,
    sa.Column("id", id_kind(), primary_key=True),
    sa.Column("store", name_kind(), nullable=False),
    sa.Column("name", sa.String(80), nullable=False),
    # associate, supervisor, security, manager or admin
    sa.Column("role", sa.String(16), nullable=False),
    sa.Column("zones", sa.JSON, nullable=False),
    sa.Column("languages", sa.JSON, nullable=False),
    sa.Column("pin_hash", sa.String(200)),
    # of the PIN that signs in as the other does and calls security
    sa.Column("duress_hash", sa.String(200)),
    sa.Column("password_hash", sa.String(200)),
    sa.Column("badge", sa.String(64)),
    # available, busy, on_break, unreachable or off; 'off' whoever is signed in nowhere
    sa.Column("presence", sa.String(16), nullable=False),
    sa.Column("presence_at", Instant, nullable=False),
    # when a break ends, as its person said; None where they did not
    sa.Column("presence_until", Instant),
    # who stands in while this person is unreachable
    sa.Column("cover", id_kind()),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("added_at", Instant, nullable=False),
    sa.UniqueConstraint("store", "name"),
    sa.UniqueConstraint("store", "badge"),
)

# A sign-in. The token itself is only in the browser; here is its SHA-256.
session = sa.Table(
    "session",
    metadata,
    sa.Column("token_sha256", sa.String(64), primary_key=True),
    sa.Column("store", name_kind(), nullable=False),
    sa.Column("person", id_kind(), nullable=False, index=True),
    # floor or manage: one browser may hold one of each
    sa.Column("audience", sa.String(16), nullable=False),
    sa.Column("started_at", Instant, nullable=False),
    sa.Column("expires_at", Instant, nullable=False),
    # when this phone last answered what the server had sent it
    sa.Column("heard_at", Instant),
    # whether it was begun with a second factor
    sa.Column("strong", sa.Boolean, nullable=False, server_default=sa.false()),
    # what the browser says of itself, as in "Firefox on Windows"
    sa.Column("browser", sa.String(80), nullable=False, server_default=""),
    # when whoever holds it last proved who they are; null for one that is older than this column
    sa.Column("proven_at", Instant),
)

# What a person proves with a phone of their own: edge/people/factors.py.
second_factor = sa.Table(
    "second_factor",
    metadata,
    sa.Column("person", id_kind(), primary_key=True),
    sa.Column("store", name_kind(), nullable=False),
    # the secret, sealed with a key that is not in the database
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    # of the last code that counted; it and older ones count no more
    sa.Column("last_step", sa.BigInteger, nullable=False),
    sa.Column("set_at", Instant, nullable=False),
)

# What lets a person in whose phone is lost, each once.
recovery_code = sa.Table(
    "recovery_code",
    metadata,
    sa.Column("person", id_kind(), primary_key=True),
    # the sign that the code begins with
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("code_hash", sa.String(200), nullable=False),
    sa.Column("used_at", Instant),
)

# Passkeys (WebAuthn): edge/people/passkeys.py.
passkey = sa.Table(
    "passkey",
    metadata,
    # of the id that the authenticator gave it, which may have 1,023 bytes
    sa.Column("credential_sha256", sa.String(64), primary_key=True),
    sa.Column("store", name_kind(), nullable=False),
    sa.Column("person", id_kind(), nullable=False, index=True),
    sa.Column("credential", sa.LargeBinary, nullable=False),
    sa.Column("public_key", sa.LargeBinary, nullable=False),
    # the host name that it was made for; it works for no other
    sa.Column("host", sa.String(253), nullable=False),
    sa.Column("name", sa.String(60), nullable=False),
    # how often the authenticator says that it has signed; 0 where it does not count
    sa.Column("count", sa.BigInteger, nullable=False),
    sa.Column("added_at", Instant, nullable=False),
    sa.Column("used_at", Instant),
    # when it counted behind what was known: it may have been copied
    sa.Column("behind_at", Instant),
)

# Challenges that were answered; nobody answers one twice.
spent_challenge = sa.Table(
    "spent_challenge",
    metadata,
    sa.Column("challenge_sha256", sa.String(64), primary_key=True),
    sa.Column("store", name_kind(), nullable=False),
    sa.Column("until", Instant, nullable=False),
)

device = sa.Table(
    "device",
    metadata,
    sa.Column("store", name_kind(), primary_key=True),
    sa.Column("name", name_kind(), primary_key=True),
    sa.Column("zone", name_kind(), nullable=False),
    sa.Column("certificate_sha256", sa.String(64)),
    sa.Column("certificate_serial", sa.String(64)),
    sa.Column("signing_key", sa.String(64)),
    sa.Column("valid_from", Instant),
    sa.Column("valid_until", Instant),
    sa.Column("added_at", Instant, nullable=False),
    # unknown, online or offline: the device's own word or its last will
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("status_at", Instant),
    sa.Column("version", sa.String(40)),
    # The pair that the age of an event is measured against, and when it arrived.
    sa.Column("boot", id_kind()),
    sa.Column("monotonic_ms", sa.BigInteger),
    sa.Column("clock_at", Instant),
    sa.Column("heartbeat", sa.JSON),
    sa.Column("heartbeat_at", Instant),
    # since when somebody works on it: nobody is told of what is wrong with it meanwhile
    sa.Column("maintained_at", Instant),
    # whether it is a pager, and the person whose pages it gets too
    sa.Column("pager", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("holder", id_kind()),
    # since when nothing of it is let in any more, and why
    sa.Column("revoked_at", Instant),
    sa.Column("revoked_reason", sa.String(200)),
    # whether it said that it takes releases of its program
    sa.Column("updates", sa.Boolean, nullable=False, server_default=sa.false()),
    # the CAs that it said it trusts: the SHA-256 of each, by commas, and when it said so
    sa.Column("trusts", sa.String(300)),
    sa.Column("trusts_at", Instant),
    # since when its identity seems to be used twice, and what was seen
    sa.Column("doubted_at", Instant),
    sa.Column("doubted_words", sa.String(300)),
)

# Every certificate that a device was given, with the signing key that came with it: what was signed in its
# time is still verified when it is revoked.
certificate = sa.Table(
    "certificate",
    metadata,
    sa.Column("store", name_kind(), primary_key=True),
    # hexadecimal
    sa.Column("serial", sa.String(64), primary_key=True),
    sa.Column("device", name_kind(), nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("signing_key", sa.String(64)),
    sa.Column("valid_from", Instant, nullable=False),
    sa.Column("valid_until", Instant, nullable=False),
    sa.Column("revoked_at", Instant),
    # SHA-256 of the CA's certificate that signed it, and of its public key; not known of those before 0030
    sa.Column("issuer", sa.String(64)),
    sa.Column("public_key", sa.String(64)),
    # of a renewal: the serial number of the one that asked for it; it is given out again until it was seen
    sa.Column("renews", sa.String(64)),
    sa.Column("pem", sa.Text),
    sa.Column("seen_at", Instant),
    sa.Index("ix_certificate_device", "store", "device"),
)

# Every change that somebody made to the store itself: people, zones, devices, policies, tokens.
audit = sa.Table(
    "audit",
    metadata,
    sa.Column("id", counter_kind, primary_key=True, autoincrement=True),
    sa.Column("store", name_kind(), nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("person", id_kind()),
    # the name as it was then: a person's, a token's, or 'command line'
    sa.Column("actor", sa.String(80), nullable=False),
    # desk, phone, api or command
    sa.Column("through", sa.String(16), nullable=False),
    # person.added, zone.renamed and so on
    sa.Column("what", sa.String(40), nullable=False),
    sa.Column("subject", sa.String(80), nullable=False),
    sa.Column("words", sa.String(500), nullable=False),
    sa.Column("before", sa.JSON, nullable=False),
    sa.Column("after", sa.JSON, nullable=False),
    sa.Index("ix_audit_at", "store", "at", "id"),
)

# What the desk has set instead of edge.toml: a name ("policy.help") and its value.
setting = sa.Table(
    "setting",
    metadata,
    sa.Column("store", name_kind(), primary_key=True),
    sa.Column("name", sa.String(40), primary_key=True),
    sa.Column("value", sa.JSON, nullable=False),
    sa.Column("changed_at", Instant, nullable=False),
)

# What an integration shows to be let in. The token itself was shown once; here is its SHA-256.
token = sa.Table(
    "token",
    metadata,
    sa.Column("id", id_kind(), primary_key=True),
    sa.Column("store", name_kind(), nullable=False),
    sa.Column("name", sa.String(80), nullable=False),
    sa.Column("token_sha256", sa.String(64), nullable=False),
    # names of edge/tokens/scopes.py
    sa.Column("scopes", sa.JSON, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    # the name of whoever made it, as it was then
    sa.Column("created_by", sa.String(80), nullable=False),
    # to the minute; None before its first use
    sa.Column("last_used_at", Instant),
    sa.Column("revoked_at", Instant),
    sa.UniqueConstraint("token_sha256"),
)

# A name is free again once its token is revoked: so a token is replaced by another of the same name.
_in_use = token.c.revoked_at.is_(None)
sa.Index(
    "uq_token_name",
    token.c.store,
    token.c.name,
    unique=True,
    sqlite_where=_in_use,
    postgresql_where=_in_use,
)

# What phones sent under an id of its own, so that a tap which comes again changes nothing.
tap = sa.Table(
    "tap",
    metadata,
    sa.Column("store", name_kind(), primary_key=True),
    sa.Column("person", id_kind(), primary_key=True),
    sa.Column("id", id_kind(), primary_key=True),
    sa.Column("at", Instant, nullable=False, index=True),
    # the sentence that it was answered with; None: it was done
    sa.Column("refused", sa.String(500)),
    sqlite_with_rowid=False,
)
