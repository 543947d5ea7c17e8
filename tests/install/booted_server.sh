# A store server with systemd as its init, and without a network. Runs inside; boot() in story.sh reads its log.
# shellcheck shell=bash
set -euo pipefail
server=/ kiosk=/
. /srv/asserting.sh
units="floorbell-broker.service floorbell-worker.service floorbell-web.service floorbell-vault.service floorbell-messenger.service"
active() { local unit; for unit in $units; do systemctl is-active -q "$unit" || return 1; done; }
restarts() { systemctl show -P NRestarts "$1"; }
pid() { systemctl show -P MainPID "$1"; }
restarted() { [ "$(restarts "$1")" -gt "$2" ] && systemctl is-active -q "$1"; }
install() { "/srv/$1/deploy/install.sh" server --wheels /srv/wheels "${@:2}"; }

step "all programs run, sandboxed, and stay"
until_true 240 "all programs are active" active
until_true 120 "the store is ready" quiet floorbell upgrade ready --within 5
sleep 10
for unit in $units; do [ "$(restarts "$unit")" = 0 ] || broken "$unit was never started again"; done
said=$(ps -o user= -p "$(pid floorbell-worker.service)")
[ "$said" = floorbell ] || broken "the worker runs as floorbell"
grep -q 'Seccomp:.2' "/proc/$(pid floorbell-web.service)/status" || broken "system calls are filtered"
grep -q 'NoNewPrivs:.1' "/proc/$(pid floorbell-web.service)/status" || broken "no new privileges"

step "the second time nothing, with systemd too"
timers="floorbell-backup.timer floorbell-backup-note.timer"
# shellcheck disable=SC2086
systemctl stop $timers
said=$(install floorbell) || broken "the second run works"
says "$said" "Nothing had to be changed"
for timer in $timers; do holds "$timer runs without a new start of the machine" systemctl is-active "$timer"; done

step "what is killed comes back, and what hangs is found"
kill -9 "$(pid floorbell-worker.service)"
until_true 60 "a killed worker is started again" restarted floorbell-worker.service 0
for unit in worker broker web; do
    mkdir -p "/run/systemd/system/floorbell-$unit.service.d"
    printf '[Service]\nWatchdogSec=15\n' >"/run/systemd/system/floorbell-$unit.service.d/soon.conf"
done
systemctl daemon-reload
systemctl restart floorbell-worker.service floorbell-broker.service floorbell-web.service
until_true 120 "all programs are active again" active
kill -STOP "$(pid floorbell-worker.service)"
kill -STOP "$(pgrep -x mosquitto)"
kill -STOP "$(pgrep -P "$(pid floorbell-web.service)")" "$(pid floorbell-web.service)"
for unit in worker broker web; do
    until_true 120 "a hung $unit is found and started again" restarted "floorbell-$unit.service" 0
done
rm -r /run/systemd/system/floorbell-*.service.d
systemctl daemon-reload
systemctl reset-failed
until_true 120 "all programs are active again" active

step "a release that does not run is taken back by itself"
cp -a /srv/floorbell /srv/broken
sed -i 's/^        check_version(self._engine)$/        raise SystemExit("This release does not run.")/' \
    /srv/broken/edge/worker/loop.py
grep -q "does not run" /srv/broken/edge/worker/loop.py || broken "the release is broken"
running_from=$(readlink /opt/floorbell/current)
refused "The new release did not run; the release before runs again." install broken
[ "$(readlink /opt/floorbell/current)" = "$running_from" ] || broken "current leads where it led"
until_true 60 "all programs are active again" active

step "an upgrade with a migration while the store works, and back"
cp -a /srv/floorbell /srv/next
next_release /srv/next
said=$(install next) || broken "the upgrade works"
says "$said" "All programs run."
floorbell upgrade ready
said=$(install next --rollback --with-database) || broken "the way back works"
says "$said" "is back."
until_true 60 "all programs are active again" active
rm -r /srv/next /srv/broken
echo "EVERYTHING HELD"
