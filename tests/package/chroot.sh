#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# tests/package/chroot.sh ROOT OLD.deb NEW.deb - install, use, upgrade, remove, purge, in
# a Debian below ROOT (debootstrap --variant=minbase bookworm ROOT), as root.
#
# What must hold: it works after each step, an upgrade goes on with the state of the old
# version, and no purge takes a backup away.
set -eu

root=$1
cp "$2" "$root/tmp/old.deb"
cp "$3" "$root/tmp/new.deb"
cat >"$root/tmp/steps.sh" <<'END'
set -eu
export DEBIAN_FRONTEND=noninteractive HOME=/root LC_ALL=C.UTF-8
unset XDG_STATE_HOME XDG_DATA_HOME XDG_CONFIG_HOME
step() { echo "== $*"; }

step install
apt-get -q update >/dev/null
apt-get -q -y install --no-install-recommends /tmp/old.deb >/tmp/apt.log 2>&1 || { tail -20 /tmp/apt.log; exit 1; }
dpkg --verify mirrorkeep
mirror version
mirror doctor || true

step use
rm -rf /root/notes /root/.config/mirror /root/.local
mkdir -p /root/notes /var/lib/mirror /etc/mirror
echo 'hello' >/root/notes/a.md
echo '# mine' >/etc/mirror/kept
mirror init --yes /root/notes
mirror --once | grep -x 'nothing changed, no commit'

step upgrade
dpkg -i /tmp/new.deb
dpkg --verify mirrorkeep
mirror version
# What the old version recorded is read as it stands, before anything runs.
mirror health | grep -F '1 file accounted for: 1 protected'
echo 'more' >>/root/notes/a.md
mirror --once | grep 'committed 1 change as'
mirror why /root/notes/a.md | grep 'mirrored'

step remove
apt-get -q -y remove mirrorkeep >/dev/null
[ ! -e /usr/bin/mirror ]
[ -d /root/.local/share/mirror/brain ]

step 'install again'
dpkg -i /tmp/new.deb >/dev/null
mirror --once | grep -x 'nothing changed, no commit'

step purge
dpkg --purge mirrorkeep | grep 'mirrorkeep: kept'
[ -z "$(dpkg-query -W -f '${Status}' mirrorkeep 2>/dev/null)" ]
[ -z "$(find /usr /lib -path '*mirrorkeep*' -o -name 'mirror.service' | head -1)" ]
git -C /root/.local/share/mirror/brain fsck --strict
[ -f /etc/mirror/kept ]
step done
END
chroot "$root" /bin/bash /tmp/steps.sh
