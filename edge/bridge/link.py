"""One connection to the broker of Home Assistant (MQTT v5). A thin rim around paho.

Its callbacks only enqueue. Each connection gets a fresh paho client: a reused one sends again by itself what
was not acknowledged, which by then may be wrong.
"""

import contextlib
import queue
import ssl
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from edge import secret_files
from edge.errors import EdgeError
from edge.home_assistant.settings import HomeAssistant

T = TypeVar("T")
WITHIN_S = 5.0
KEEPALIVE_S = 15


class LinkFault(EdgeError):
    """The broker cannot be used; the sentence says why. Another try makes sense."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A message that came, or was kept there (`retained`)."""

    topic: str
    payload: bytes
    retained: bool


class Link:
    """See the module. For one thread. Our own messages do not come back."""

    def __init__(
        self,
        settings: HomeAssistant,
        directory: Path,
        client_id: str,
        will: tuple[str, bytes],
        filters: tuple[str, ...],
    ) -> None:
        self._settings, self._directory, self._client_id = settings, directory, client_id
        self._will, self._filters = will, filters
        self._client: mqtt.Client | None = None
        self._heard: queue.SimpleQueue[Heard] = queue.SimpleQueue()
        self._refused: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._topics: dict[int, str] = {}
        self._ended = threading.Event()
        # How the last connection ended, in a sentence; '' while it stands.
        self.end = ""

    @property
    def connected(self) -> bool:
        return self._client is not None and not self._ended.is_set()

    def open(self) -> None:
        """Connect, and subscribe. LinkFault; then there is no connection."""
        self.close()
        place = f"Home Assistant's broker at {self._settings.host}:{self._settings.port}"
        client = self._new_client()
        self._ended = ended = threading.Event()
        self.end = ""
        self._heard, self._refused, self._topics = queue.SimpleQueue(), queue.SimpleQueue(), {}
        ready, wrong = threading.Event(), queue.SimpleQueue[str]()
        heard, refused, topics = self._heard, self._refused, self._topics

        def on_connect(
            client: mqtt.Client, _data: object, _flags: object, reason: ReasonCode, _properties: object
        ) -> None:
            if reason.is_failure:
                wrong.put(f"{place} refuses the connection: {reason}.")
                ready.set()
            else:
                client.subscribe([(one, SubscribeOptions(qos=1, noLocal=True)) for one in self._filters])

        def on_subscribe(
            _client: mqtt.Client, _data: object, _mid: int, reasons: list[ReasonCode], _properties: object
        ) -> None:
            for one, reason in zip(self._filters, reasons, strict=False):
                if reason.is_failure:
                    wrong.put(f"{place} refuses to let us read {one}: {reason}.")
            ready.set()

        def on_disconnect(
            _client: mqtt.Client, _data: object, _flags: object, reason: ReasonCode, _properties: object
        ) -> None:
            self.end = f"{place} ended the connection: {reason}."
            ended.set()
            ready.set()

        def on_message(_client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
            heard.put(Heard(message.topic, bytes(message.payload), message.retain))

        def on_publish(
            _client: mqtt.Client, _data: object, mid: int, reason: ReasonCode, _properties: object
        ) -> None:
            topic = topics.pop(mid, "a topic")
            if reason.is_failure:
                refused.put(f"{place} does not take {topic}: {reason}.")

        client.on_connect = on_connect
        client.on_subscribe = on_subscribe
        client.on_disconnect = on_disconnect
        client.on_message = on_message
        client.on_publish = on_publish
        try:
            client.connect(self._settings.host, self._settings.port, keepalive=KEEPALIVE_S)
        except (OSError, ValueError) as error:
            raise LinkFault(f"{place} cannot be reached: {error}.") from None
        client.loop_start()
        self._client = client
        if not ready.wait(WITHIN_S):
            wrong.put(f"{place} did not answer within {WITHIN_S:.0f} s.")
        elif ended.is_set() and wrong.empty():
            wrong.put(self.end)
        if not wrong.empty():
            self.close()
            raise LinkFault(wrong.get())

    def tell(self, topic: str, payload: bytes) -> None:
        """Have it kept there; an empty payload takes away what is kept."""
        if self._client is not None:
            info = self._client.publish(topic, payload, qos=1, retain=True)
            self._topics[info.mid] = topic

    def heard(self) -> list[Heard]:
        """What came since the last time."""
        return _drain(self._heard)

    def refusals(self) -> list[str]:
        """What the broker did not take since the last time, a sentence each."""
        return _drain(self._refused)

    def close(self, last: tuple[str, bytes] | None = None) -> None:
        """Say a last word, if there is one, and disconnect without the will. May be called twice."""
        client, self._client = self._client, None
        if client is None:
            return
        if last is not None and not self._ended.is_set():
            said = client.publish(*last, qos=1, retain=True)
            with contextlib.suppress(RuntimeError, ValueError):
                said.wait_for_publish(2.0)
        client.disconnect()
        client.loop_stop()

    def _new_client(self) -> mqtt.Client:
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._client_id,
            protocol=mqtt.MQTTv5,
            reconnect_on_failure=False,
        )
        client.connect_timeout = WITHIN_S
        client.will_set(*self._will, qos=1, retain=True)
        if self._settings.username is not None and self._settings.password_file is not None:
            password = secret_files.read(self._directory, self._settings.password_file).strip("\r\n")
            client.username_pw_set(self._settings.username, password)
        if self._settings.tls:
            client.tls_set_context(self._trust())
        return client

    def _trust(self) -> ssl.SSLContext:
        name = self._settings.certificate
        try:
            cafile = None if name is None else str(self._directory / name)
            context = ssl.create_default_context(cafile=cafile)
        except (OSError, ssl.SSLError) as error:
            raise LinkFault(f"The CA of Home Assistant's broker, {name}, cannot be used: {error}.") from None
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context


def _drain(found: "queue.SimpleQueue[T]") -> list[T]:
    taken: list[T] = []
    while not found.empty():
        taken.append(found.get())
    return taken
