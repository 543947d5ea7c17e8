"""One MQTT v5 connection with mutual TLS that comes back by itself. A thin rim around paho.

Its callbacks only hand things to `deliver`, which must only enqueue: an exception inside a paho callback
kills paho's thread while is_connected() stays true. Each connection gets a fresh paho client, because a
reused one sends its unacknowledged messages again by itself, behind the back of the outbox.
"""

import contextlib
import hashlib
import random
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from broker.errors import IdentityError
from broker.tls import Credentials, tls_context

KEEPALIVE_S = 5
CONNECT_TIMEOUT_S = 5.0
# A security request pages within 5 s of the first moment a way exists, and both ends may have to connect.
BACKOFF_S = (0.2, 1.5)
MAX_PACKET_BYTES = 256 * 1024
_TAKEN_OVER = 142  # MQTT v5, 3.14.2.1: another client has connected with the same client id
_UNSPECIFIED = 128  # what paho makes of a connection that the broker closed
NO_MATCHING_SUBSCRIBERS = 16  # MQTT v5, 3.4.2.1: accepted, and there was nobody to pass it on to
# Mosquitto 2.0.11 does not send 142, it only closes. This many connections in a row that it accepted at once
# and closed within this time mean the same.
_CUT_OFF = 3
_CUT_OFF_S = 30.0


@dataclass(frozen=True)
class Connected:
    """Connected, and every subscription answered."""

    client: int


@dataclass(frozen=True)
class Disconnected:
    """`reason` is a sentence; `taken_over` when another program uses the same identity."""

    reason: str
    taken_over: bool = False


@dataclass(frozen=True)
class Arrival:
    """A message. With `manual_ack`, give it back to Session.acknowledge once it is dealt with."""

    topic: str
    payload: bytes
    retained: bool
    qos: int
    mid: int
    client: int


@dataclass(frozen=True)
class Accepted:
    """The broker's PUBACK for what publish() gave this mid; `refused` carries the broker's reason.

    `unheard`: the broker says that nobody was there to receive it.
    """

    mid: int
    refused: str | None = None
    unheard: bool = False


Delivery = Connected | Disconnected | Arrival | Accepted


class Session:
    """See the module. `name` names the thread and begins the client id. Any thread may publish and stop."""

    def __init__(
        self,
        name: str,
        host: str,
        port: int,
        credentials: Credentials,
        deliver: Callable[[Delivery], None],
        *,
        subscriptions: Sequence[tuple[str, int]] = (),
        will: tuple[str, bytes] | None = None,
        receive_maximum: int = 32,
        manual_ack: bool = False,
        check_time: bool = True,
        backoff_s: tuple[float, float] = BACKOFF_S,
    ) -> None:
        self.name = name
        self._host, self._port = host, port
        self._deliver = deliver
        self._subscriptions = list(subscriptions)
        self._will = will
        self._receive_maximum = receive_maximum
        self._manual_ack = manual_ack
        self._backoff_s = backoff_s
        self._credentials, self._check_time = credentials, check_time
        self._read_identity()
        self._stop = threading.Event()
        self._ended = threading.Event()
        self._go = threading.Event()
        self._client: mqtt.Client | None = None
        self._generation = 0
        self._ready = False
        self._ready_s: float | None = None
        self._closed_by_broker = False
        self._cut_off = 0
        self._reason = ""
        self._thread = threading.Thread(target=self._run, name=f"mqtt-{name}", daemon=True)

    @property
    def connected(self) -> bool:
        return self._ready

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout_s: float = 3.0) -> None:
        """Disconnect without the last will and end the thread. May be called twice."""
        self._stop.set()
        self._go.set()
        client = self._client
        if client is not None:
            client.disconnect()
        self._ended.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(timeout_s)

    def publish(
        self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False, expiry_s: int | None = None
    ) -> int | None:
        """Hand a message to the connection and return its mid; None if there is none, and nothing is kept."""
        client = self._client
        if client is None or not self._ready:
            return None
        properties = None
        if expiry_s is not None:
            properties = Properties(PacketTypes.PUBLISH)
            properties.MessageExpiryInterval = expiry_s
        info = client.publish(topic, payload, qos=qos, retain=retain, properties=properties)
        return info.mid if info.rc == mqtt.MQTT_ERR_SUCCESS else None

    def acknowledge(self, arrival: Arrival) -> None:
        """PUBACK a message taken with manual_ack. One of an earlier connection is left to its sender."""
        client = self._client
        if client is not None and arrival.qos and arrival.client == self._generation:
            client.ack(arrival.mid, arrival.qos)

    def hurry(self) -> None:
        """Something urgent waits: end the pause before the next connection."""
        self._go.set()

    def drop(self) -> None:
        """End this connection at once, as a broken network would; the session then connects anew."""
        client = self._client
        sock = client.socket() if client is not None else None
        if sock is not None:
            self._reason = self._reason or "The connection was dropped."
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)  # type: ignore[attr-defined]

    def _run(self) -> None:
        wait_s = self._backoff_s[0]
        while not self._stop.is_set():
            self._ended.clear()
            self._reason = ""
            self._generation += 1
            self._ready_s, self._closed_by_broker = None, False
            # A renewed one counts from the next connection on; one that is being written is left alone.
            with contextlib.suppress(IdentityError, OSError):
                self._read_identity()
            client = self._client = self._new_client()
            try:
                client.connect(
                    self._host, self._port, keepalive=KEEPALIVE_S, properties=self._connect_properties()
                )
            except (OSError, ValueError) as error:
                self._reason = f"The broker at {self._host}:{self._port} cannot be reached: {error}."
            else:
                client.loop_start()
                while not self._ended.wait(CONNECT_TIMEOUT_S) and not self._stop.is_set():
                    if not self._ready:
                        self._reason = "The broker did not answer in time."
                        break
                if self._stop.is_set():
                    client.disconnect()
                else:
                    self.drop()
                client.loop_stop()
            self._ready = False
            taken_over = self._taken_over()
            self._deliver(Disconnected(self._reason or "The connection ended.", taken_over))
            if self._stop.is_set():
                return
            wait_s = self._backoff_s[0] if self._ready_s is not None else min(wait_s * 2, self._backoff_s[1])
            if taken_over:
                # Two programs with one identity would otherwise throw each other out many times a second.
                wait_s = 10.0
            self._go.clear()
            if not self._stop.is_set():
                self._go.wait(wait_s * random.uniform(0.7, 1.3))

    def _read_identity(self) -> None:
        tls = tls_context(self._credentials, self._check_time)
        self._tls, self._client_id = tls, client_id(self.name, self._credentials)

    def _taken_over(self) -> bool:
        """Whether the connection that has just ended was ended by a second program with this identity."""
        if self._reason.endswith(_TAKEN_OVER_SENTENCE):
            return True
        short = self._ready_s is not None and time.monotonic() - self._ready_s < _CUT_OFF_S
        self._cut_off = self._cut_off + 1 if short and self._closed_by_broker else 0
        if self._cut_off < _CUT_OFF:
            return False
        self._reason = (
            f"The broker closes each connection of {self.name}; "
            f"it seems that it is revoked, or that {_TAKEN_OVER_SENTENCE}"
        )
        return True

    def _new_client(self) -> mqtt.Client:
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._client_id,
            protocol=mqtt.MQTTv5,
            reconnect_on_failure=False,
            manual_ack=self._manual_ack,
        )
        client.tls_set_context(self._tls)
        client.connect_timeout = CONNECT_TIMEOUT_S
        client.max_inflight_messages_set(1000)
        if self._will:
            client.will_set(self._will[0], self._will[1], qos=1, retain=True)
        generation = self._generation

        def on_socket_open(_client: mqtt.Client, _data: object, sock: socket.socket) -> None:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def on_connect(
            client: mqtt.Client, _data: object, _flags: object, reason: ReasonCode, _properties: object
        ) -> None:
            if reason.is_failure:
                self._reason = f"The broker refused the connection: {reason}."
                self._ended.set()
            elif self._subscriptions:
                client.subscribe([(topic, SubscribeOptions(qos=qos)) for topic, qos in self._subscriptions])
            else:
                ready()

        def on_subscribe(
            _client: mqtt.Client, _data: object, _mid: int, reasons: list[ReasonCode], _properties: object
        ) -> None:
            refused = [
                topic
                for (topic, _), reason in zip(self._subscriptions, reasons, strict=False)
                if reason.is_failure
            ]
            if refused:
                self._reason = f"The broker refused the subscription to {', '.join(refused)}."
                self._ended.set()
            else:
                ready()

        def ready() -> None:
            self._ready, self._ready_s = True, time.monotonic()
            self._deliver(Connected(generation))

        def on_disconnect(
            _client: mqtt.Client, _data: object, _flags: object, reason: ReasonCode, _properties: object
        ) -> None:
            self._ready = False
            if not self._reason:
                if reason.value == _TAKEN_OVER:
                    self._reason = f"{self.name}: {_TAKEN_OVER_SENTENCE}"
                else:
                    self._closed_by_broker = reason.value == _UNSPECIFIED
                    why = "the broker closed it" if self._closed_by_broker else str(reason)
                    self._reason = f"The connection ended: {why}."
            self._ended.set()

        def on_message(_client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
            self._deliver(
                Arrival(
                    message.topic,
                    bytes(message.payload),
                    message.retain,
                    message.qos,
                    message.mid,
                    generation,
                )
            )

        def on_publish(
            _client: mqtt.Client, _data: object, mid: int, reason: ReasonCode, _properties: object
        ) -> None:
            refused = str(reason) if reason.is_failure else None
            self._deliver(Accepted(mid, refused, reason.value == NO_MATCHING_SUBSCRIBERS))

        client.on_socket_open = on_socket_open  # type: ignore[assignment]
        client.on_connect = on_connect
        client.on_subscribe = on_subscribe
        client.on_disconnect = on_disconnect
        client.on_message = on_message
        client.on_publish = on_publish
        return client

    def _connect_properties(self) -> Properties:
        properties = Properties(PacketTypes.CONNECT)
        properties.ReceiveMaximum = self._receive_maximum
        properties.MaximumPacketSize = MAX_PACKET_BYTES
        properties.SessionExpiryInterval = 0
        return properties


_TAKEN_OVER_SENTENCE = "another program uses the same identity."


def client_id(name: str, credentials: Credentials) -> str:
    """Always the same for one identity, and not to be guessed by another.

    A broker ends the older of two connections with one client id, whoever holds the certificate: a stolen
    device that took the server's id could keep it off the broker.
    """
    return f"{name}-{hashlib.sha256(credentials.key.read_bytes()).hexdigest()[:20]}"
