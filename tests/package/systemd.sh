#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# tests/package/systemd.sh ROOT NEW.deb - the service under a real systemd, as root.
#
# ROOT is a Debian with systemd in it:
#
#     debootstrap --variant=minbase \
#         --include=systemd,systemd-sysv,dbus,dbus-user-session,libpam-systemd bookworm ROOT
#
# It is booted with systemd-nspawn.  Inside, a person runs `mirror init --service`: the
# agent starts, keeps and pushes, comes back when it is killed and when it hangs, is there
# after a reboot without anybody logged in; then the system service; then `uninstall`.
set -eu

root=$(realpath "$1")
command -v systemd-nspawn >/dev/null || {
	echo "systemd: skipped, no systemd-nspawn"
	exit 77
}
# Not below /tmp, where the machine mounts its own.
cp "$2" "$root/opt/new.deb"
DEBIAN_FRONTEND=noninteractive chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin \
	sh -c 'apt-get -q update && apt-get -q -y install --no-install-recommends /opt/new.deb git &&
		dpkg -i /opt/new.deb' >"$root/tmp/apt.log" 2>&1 || {
	tail -20 "$root/tmp/apt.log"
	exit 1
}

chroot "$root" userdel -r kim 2>/dev/null || true
rm -rf "$root/var/lib/mirror" "$root/etc/mirror" "$root/srv/data"

cat >"$root/usr/local/bin/person" <<'END'
#!/bin/bash
# What the person does; "$1" is "before" or "after" a reboot.
set -eu
cd
within() { # SECONDS COMMAND...
	local end=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$end" ] || { echo "not within its time: $*"; return 1; }
		sleep 0.2
	done
}
pid() { systemctl --user show -p MainPID --value mirror; }
is_another() { [ "$(pid)" != "$1" ] && [ "$(pid)" != 0 ]; }
pushed() { git -C ~/brain.git show "host/box:notes/$1"; }
if [ "$1" = before ]; then
	mkdir notes
	echo hello >notes/a.md
	git init -q --bare ~/brain.git
	mirror init --yes --service --drill --host box ~/notes --remote ~/brain.git
	systemctl --user is-enabled mirror
	within 30 systemctl --user is-active mirror
	mirror service install --dry-run | sed 's/^ExecStart=.*/ExecStart=/' >mine
	sed 's/^ExecStart=.*/ExecStart=/' /usr/lib/systemd/user/mirror.service >theirs
	diff <(grep -v '^#' theirs) <(grep -v '^#' mine)
	echo more >notes/b.md
	within 60 pushed b.md
	first=$(pid)
	kill -9 "$first"
	within 60 is_another "$first"
	echo three >notes/c.md
	within 60 pushed c.md
	mkdir -p ~/.config/systemd/user/mirror.service.d
	printf '[Service]\nWatchdogSec=5\n' >~/.config/systemd/user/mirror.service.d/quick.conf
	systemctl --user daemon-reload
	systemctl --user restart mirror
	hung=$(pid)
	kill -STOP "$hung"
	within 60 is_another "$hung"
	rm -r ~/.config/systemd/user/mirror.service.d
	systemctl --user daemon-reload
	systemctl --user restart mirror
	within 60 mirror health
	mirror health --json | grep -A3 '"name": "reboot"' | grep '"state": "healthy"'
else
	# Nobody has logged in.
	within 60 systemctl --user is-active mirror
	echo four >notes/d.md
	within 60 pushed d.md
	within 60 mirror health
	mirror uninstall
	! systemctl --user is-active mirror
	[ -d ~/.local/share/mirror/brain ] && [ -f notes/a.md ]
fi
END
cat >"$root/usr/local/bin/machine" <<'END'
#!/bin/bash
# One boot, as root; leaves /result.
set -u
exec >>/result 2>&1
if [ ! -e /stage ]; then
	echo 1 >/stage
	useradd -m -s /bin/bash kim
	loginctl enable-linger kim
	systemctl start user@"$(id -u kim)"
	stage=before
else
	stage=after
	rm /stage
fi
set -e
echo "== $stage"
as_kim() {
	runuser -u kim -- env -i HOME=/home/kim USER=kim PATH=/usr/local/bin:/usr/bin:/bin LC_ALL=C.UTF-8 \
		XDG_RUNTIME_DIR="/run/user/$(id -u kim)" "$@"
}
as_kim /usr/local/bin/person "$stage"
if [ "$stage" = after ]; then
	echo "== system service"
	mkdir -p /etc/mirror /srv/data
	echo one >/srv/data/one
	printf '[[watch]]\npath = "/srv/data"\n[brain]\nremote = "none"\nrepo = "/var/lib/mirror/brain"\n' \
		>/etc/mirror/mirror.toml
	systemctl enable --now mirror
	systemctl is-active mirror
	echo two >/srv/data/two
	for _ in $(seq 300); do
		git -c safe.directory='*' -C /var/lib/mirror/brain show HEAD:data/two 2>/dev/null && break
		sleep 0.2
	done
	git -c safe.directory='*' -C /var/lib/mirror/brain show HEAD:data/two | grep -x two
	DEBIAN_FRONTEND=noninteractive dpkg -i /opt/new.deb
	systemctl is-active mirror
	DEBIAN_FRONTEND=noninteractive dpkg --purge mirrorkeep
	! systemctl is-active mirror
	[ -d /var/lib/mirror/brain ]
fi
echo "== good $stage"
END
chmod +x "$root/usr/local/bin/person" "$root/usr/local/bin/machine"
cat >"$root/etc/systemd/system/machine.service" <<'END'
[Unit]
After=multi-user.target systemd-logind.service dbus.service
[Service]
Type=oneshot
ExecStart=/usr/local/bin/machine
ExecStopPost=/bin/systemctl --no-block poweroff
TimeoutStartSec=600
[Install]
WantedBy=default.target
END
ln -sf ../machine.service "$root/etc/systemd/system/multi-user.target.wants/machine.service"
ln -sf /lib/systemd/system/multi-user.target "$root/etc/systemd/system/default.target"
rm -f "$root/result" "$root/stage"
for stage in before after; do
	timeout 700 systemd-nspawn -q --register=no --keep-unit --console=pipe -D "$root" --boot \
		>"$root/tmp/boot.log" 2>&1 </dev/null || true
	grep -qx "== good $stage" "$root/result" 2>/dev/null || {
		cat "$root/result" 2>/dev/null || tail -30 "$root/tmp/boot.log"
		echo "systemd: failed $stage the reboot; $root/result" >&2
		exit 1
	}
done
cat "$root/result"
