"""The MQTT broker of a shop's Home Assistant, with user names and passwords, and what it was sent."""

import shutil
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from broker.mosquitto import free_port
from tests.rig.receiver import Certificate

PASSWORD = "kites and herons"
USERS = ("floorbell", "home")


def _program(name: str) -> str:
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    assert found is not None, f"{name} is not installed"
    return found


class HomeBroker:
    """A real Mosquitto. `floorbell` may write what its page says, `home` may everything, nobody else may."""

    def __init__(self, folder: Path, store: str, tls: Certificate | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        passwords, access, self._conf = folder / "passwords", folder / "access", folder / "mosquitto.conf"
        passwords.touch(mode=0o600)
        for user in USERS:
            subprocess.run([_program("mosquitto_passwd"), "-b", passwords, user, PASSWORD], check=True)
        access.write_text(
            "user floorbell\ntopic write homeassistant/device/+/config\n"
            f"topic readwrite floorbell/{store}/#\ntopic read homeassistant/status\n\n"
            "user home\ntopic readwrite #\n"
        )
        access.chmod(0o600)
        secured = "" if tls is None else f"certfile {tls.chain}\nkeyfile {tls.key}\n"
        self._conf.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous false\npassword_file {passwords}\n"
            f"acl_file {access}\nuser root\n{secured}"
        )
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            [_program("mosquitto"), "-c", str(self._conf)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process = None


class Listener:
    """A subscription to everything on that broker: `got` is every message since it began, `kept` what was
    retained there when it began and since."""

    def __init__(self, port: int) -> None:
        self.got: list[tuple[str, bytes, bool]] = []
        self.kept: dict[str, bytes] = {}
        self._ready = threading.Event()
        self._client = client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        client.username_pw_set("home", PASSWORD)
        client.on_connect = lambda *_: client.subscribe("#", qos=1)
        client.on_subscribe = lambda *_: self._ready.set()
        client.on_message = self._take
        end = time.monotonic() + 30
        while True:
            try:
                client.connect("127.0.0.1", port)
                break
            except OSError:
                assert time.monotonic() < end, "the broker never listened"
                time.sleep(0.05)
        client.loop_start()
        assert self._ready.wait(30), "the broker never answered"

    def _take(self, _client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        self.got.append((message.topic, bytes(message.payload), message.retain))
        if message.payload:
            self.kept[message.topic] = bytes(message.payload)
        else:
            self.kept.pop(message.topic, None)

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        self._client.publish(topic, payload, qos=1, retain=retain).wait_for_publish(10)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()
