"""The `floorbell` command. Every mistake is one sentence on stderr and exit status 1."""

import logging
import os
import signal
import sys
from pathlib import Path

import click

from broker import cutting, logs, mosquitto
from broker.errors import BrokerError
from broker.pulse import Pulse
from broker.session import Credentials
from broker.watchdog import notify
from deploy.backup import backup
from deploy.ca import ca
from deploy.drill import drill
from deploy.errors import DeployError
from deploy.evidence import evidence
from deploy.refusals import BrokerRefusals
from deploy.register import CONFIG, device, person, provision, token
from deploy.release import release_group
from deploy.rollout import ON_SERVER
from deploy.upgrade import upgrade
from edge.config import load_config
from edge.errors import EdgeError
from kiosk.errors import KioskError

log = logging.getLogger("mosquitto")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def floorbell() -> None:
    """Help buttons for a shop floor that page the right person until someone answers."""


floorbell.add_command(provision)
floorbell.add_command(device)
floorbell.add_command(ca)
floorbell.add_command(person)
floorbell.add_command(token)
floorbell.add_command(evidence)
floorbell.add_command(drill)
floorbell.add_command(release_group)
for _command in ON_SERVER:
    release_group.add_command(_command)
floorbell.add_command(backup)
floorbell.add_command(upgrade)


@floorbell.group()
def broker() -> None:
    """Mosquitto, which carries the messages."""


_LISTEN = click.option(
    "--listen", default="0.0.0.0", show_default=True, help="The address that kiosks reach the broker at."
)
_USER = click.option("--user", help="The account that Mosquitto changes to when root starts it.")


def _settings(config: Path, listen: str, user: str | None) -> mosquitto.Settings:
    loaded = load_config(config)
    if not (loaded.identity_path / "broker" / "tls.key").exists():
        raise DeployError(f"{loaded.identity_path} holds no broker's certificate; run 'floorbell provision'.")
    return mosquitto.Settings(loaded.store, loaded.identity_path, listen, loaded.broker.port, user)


@broker.command("render")
@CONFIG
@_LISTEN
@_USER
def broker_render(config: Path, listen: str, user: str | None) -> None:
    """Write mosquitto.conf and its access list, and say where. For a Mosquitto of your own, which ends no
    connection of a device that is revoked: run this again then, and start it anew."""
    click.echo(mosquitto.write(_settings(config, listen, user)))


@broker.command("run")
@CONFIG
@_LISTEN
@_USER
def broker_run(config: Path, listen: str, user: str | None) -> int:
    """Run Mosquitto with that configuration; what it refuses is shown, and is in the audit."""
    if user is None and os.geteuid() == 0:
        # Otherwise Mosquitto becomes 'mosquitto', who may not read the store's keys.
        user = "root"
    logs.begin(load_config(config).log, "broker", plain="%(message)s")
    settings = _settings(config, listen, user)
    refusals = BrokerRefusals(load_config(config))

    def say(line: str) -> None:
        log.warning("%s", line)
        refusals.hear(line)

    running = mosquitto.Broker(settings, say)
    pulse = Pulse(
        settings.host,
        settings.port,
        Credentials.in_directory(settings.directory / cutting.AS),
        lambda: notify("WATCHDOG=1"),
        say,
    )

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    refusals.start()
    running.start()
    pulse.start()
    notify("READY=1")
    try:
        return running.wait()
    except KeyboardInterrupt:
        return 0
    finally:
        pulse.stop()
        running.stop()
        refusals.stop()


@floorbell.group()
def edge() -> None:
    """The store server's programs."""


def _edge_program(name: str, what: str) -> None:
    @edge.command(name, help=what)
    @CONFIG
    def program(config: Path) -> int:
        from edge.__main__ import main as run

        return run([name, "--config", str(config)])


_edge_program("worker", "Take events in, page people, send what leaves the server.")
_edge_program("web", "Serve the associates' and the managers' pages.")
_edge_program("vault", "Take clips in from kiosks and seal them.")
_edge_program("messenger", "Call phones that are locked, and tell people outside the store.")
_edge_program("bridge", "Tell the shop's Home Assistant how the kiosks are.")
_edge_program("migrate", "Bring the database to this version.")


@floorbell.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def kiosk(arguments: tuple[str, ...]) -> int:
    """The kiosk's programs: run, check, screen, camera, enrol, renew."""
    from kiosk.__main__ import main as run

    return run(list(arguments))


@floorbell.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def camera(arguments: tuple[str, ...]) -> int:
    """A kiosk's camera: watch, or masks for a picture of what is kept."""
    from kiosk.__main__ import main as run

    return run(["camera", *arguments])


@floorbell.command()
@click.option("--data", type=click.Path(path_type=Path, file_okay=False), help="A folder to keep and reuse.")
@click.option("--port", type=click.IntRange(1, 65535), help="The page's port; without it 8080 or a free one.")
@click.option("--check", is_flag=True, help="Play one full round, print each step with its time, and end.")
@click.option(
    "--history", type=click.IntRange(1, 3660), help="First fill the log with so many days of business."
)
@click.option("--seed", type=int, help="Another story: the same seed tells the same one.")
@click.option(
    "--video", type=click.Path(path_type=Path), help="What the cameras see, instead of a drawn scene."
)
@click.option("--webcam", type=click.IntRange(0, 255), metavar="N", help="The first camera is /dev/videoN.")
def demo(
    data: Path | None,
    port: int | None,
    check: bool,
    history: int | None,
    seed: int | None,
    video: Path | None,
    webcam: int | None,
) -> int:
    """A whole store on this machine without hardware, in a browser."""
    from deploy.demo.run import run

    return run(data, port, check, history=history, seed=seed, video=video, webcam=webcam)


def main(arguments: list[str] | None = None) -> int:
    """Run one command; its exit status."""
    try:
        status = floorbell.main(arguments, prog_name="floorbell", standalone_mode=False)
    except click.ClickException as error:
        # "Error: …" and a usage block would be three lines for one sentence.
        return _fail(error.format_message())
    except (click.Abort, KeyboardInterrupt):
        return _fail("Stopped.")
    except (BrokerError, EdgeError, KioskError, DeployError) as error:
        return _fail(str(error))
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return _fail(f"{where}{error.strerror or error}.")
    return status if isinstance(status, int) else 0


def _fail(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
