# A kiosk with systemd as its init, without pins and without a network. Runs inside; boot() in story.sh reads its log.
# shellcheck shell=bash
set -euo pipefail
server=/ kiosk=/
. /srv/asserting.sh
units="floorbell-kiosk.service floorbell-camera@kiosk.service floorbell-screen.service"
active() { local unit; for unit in $units; do systemctl is-active -q "$unit" || return 1; done; }
restarts() { systemctl show -P NRestarts "$1"; }
install() { "/srv/$1/deploy/install.sh" kiosk --wheels /srv/wheels "${@:2}"; }
page() { python3 -c 'import urllib.request; urllib.request.urlopen("http://127.0.0.1:8970/", timeout=5)'; }

step "kiosk, camera and screen run, sandboxed, and stay"
# Without --screen, which would bring a whole browser here.
systemctl enable -q --now floorbell-screen.service
until_true 240 "all programs are active" active
until_true 60 "the screen has its page" quiet page
sleep 15
for unit in $units; do [ "$(restarts "$unit")" = 0 ] || broken "$unit was never started again"; done
[ -d /var/lib/floorbell/outbox ] || broken "the outbox is on the card"
[ "$(findmnt -n -o FSTYPE --target /tmp)" = tmpfs ] || broken "/tmp is in memory"

step "the second time nothing, with systemd too"
said=$(install floorbell) || broken "the second run works"
says "$said" "Nothing had to be changed"

step "an upgrade and back"
cp -a /srv/floorbell /srv/next
next_release /srv/next
said=$(install next) || broken "the upgrade works"
says "$said" "All programs run."
said=$(install next --rollback) || broken "the way back works"
says "$said" "The release 0.1.0"
until_true 60 "all programs are active again" active
rm -r /srv/next
echo "EVERYTHING HELD"
