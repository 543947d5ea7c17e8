#!/bin/sh
# The first process in the guest: mounts what a Pi has, runs $COMMAND, says how it ended, and ends the guest.
# The disk is this machine's own, read-only; what tests write goes to memory.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/shm
mount -t tmpfs tmpfs /dev/shm
mount -t configfs configfs /sys/kernel/config
mount -t tmpfs tmpfs /run
mount --bind "$CPUINFO" /proc/cpuinfo
# Without randomness from outside the first key would take minutes. The number is RNDADDENTROPY, in random(4).
/usr/bin/python3 - "$SEED" <<'EOF'
import fcntl, pathlib, struct, sys
seed = pathlib.Path(sys.argv[1]).read_bytes()
with open("/dev/random", "wb") as random:
    fcntl.ioctl(random, 0x40085203, struct.pack(f"ii{len(seed)}s", 8 * len(seed), len(seed), seed))
EOF
export HOME=/run TMPDIR=/run
sh "$COMMAND"
echo "GUEST ENDED WITH $?"
echo o >/proc/sysrq-trigger
sleep 60
