#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# `mirror --once`: one commit that holds every file, one sentence that counts them, an
# exit status that says whether anything is left over.
. "$(dirname "$0")/lib.sh"
needs git

mkdir -p notes/sub notes/node_modules/x
printf 'hello\n' >notes/a.md
printf 'key = %s\nand the rest\n' "$AWS_KEY" >notes/s.md
printf 'x\n' >notes/node_modules/x/y
printf '*\n' >notes/sub/.gitignore
printf 'deep\n' >notes/sub/z
printf 'z\n' >notes/skip.iso
ln -s a.md notes/l
cat >"$CONFIG" <<EOC
[[watch]]
path = "$W/notes"
exclude = ["*.iso"]
[brain]
remote = "none"
branch = "host/testbox"
EOC

expect 0 "$MIRROR" --once
says out "committed 7 changes as "
says out "all 7 files accounted for: 5 protected, 2 excluded, nothing pending"
says out "the brain repository is $BRAIN"
git -C "$BRAIN" fsck --strict >fsck 2>&1 || fail "fsck: $(cat fsck)"
is "$(git -C "$BRAIN" symbolic-ref HEAD)" refs/heads/host/testbox "the branch"
is "$(git -C "$BRAIN" show HEAD:notes/a.md)" hello "a file in the commit"
git -C "$BRAIN" show HEAD:notes/s.md >shown
says shown "key = REDACTED.aws-access-key-id."
says shown "and the rest"
git -C "$BRAIN" rev-list --objects --all | git -C "$BRAIN" cat-file --batch >objects
grep -aqF "$AWS_KEY" objects && fail "the secret is in an object"
is "$(git -C "$BRAIN" status --porcelain)" "" "git status"
cmp -s "$CONFIG" "$STATE/config.last-good.toml" || fail "no copy of the good configuration"

head=$(git -C "$BRAIN" rev-parse HEAD)
expect 0 "$MIRROR" --once
says out "nothing changed, no commit"
is "$(git -C "$BRAIN" rev-parse HEAD)" "$head" "the head after a run without changes"

expect 0 "$MIRROR" run --once --json
says out '"schema": "mirror.once/1"'
says out '"commit": null'
says out '"changed": 0'
says out '"exit": 0'
printf 'more\n' >>notes/a.md
expect 0 "$MIRROR" --once --json
says out "\"commit\": \"$(git -C "$BRAIN" rev-parse HEAD)\""
says out '"changed": 1'
if command -v jq >/dev/null; then
	is "$(jq -c '.files | [.mirrored, .redacted, .excluded, .pending, .failed, .on_disk]' out)" \
		'[4,1,2,0,0,7]' "the counts"
	is "$(jq -c .excluded_by out)" '{"rule":1,"regenerable":1}' "what is excluded"
fi

# The counts are those of the ledger.
is "$("$MIRROR" ledger --json 2>/dev/null | wc -l)" 7 "rows in the ledger"
is "$("$MIRROR" ledger --state redacted 2>/dev/null)" \
	"redacted    notes/s.md  (aws-access-key-id)" "the redacted row"

# Something is left over: exit status 1, and the next step.
if [ "$(id -u)" -ne 0 ]; then
	printf 'no\n' >notes/locked
	chmod 000 notes/locked
	expect 1 "$MIRROR" --once
	says out "1 failed"
	says out "  failed: EACCES: notes/locked"
	says out "    next: chmod u+r it, or exclude it"
	expect 1 "$MIRROR" --once --json
	says out '"failed": 1'
	rm -f notes/locked
fi

# What a restore is writing at this moment waits, and becomes what it is renamed to.
printf 'half\n' >notes/.mirror-new.0123456789abcdef
expect 1 "$MIRROR" --once
says out "1 pending"
says out "unstable"
git -C "$BRAIN" ls-tree -r HEAD | grep -F .mirror-new. && fail "a temporary was committed"
mv notes/.mirror-new.0123456789abcdef notes/whole
expect 0 "$MIRROR" --once
says out "nothing pending"
is "$(git -C "$BRAIN" show HEAD:notes/whole)" half "the file under its real name"
rm notes/whole
expect 0 "$MIRROR" --once

# A wrong configuration: nothing happens.
cp "$CONFIG" good.toml
printf 'nonsense\n' >>"$CONFIG"
printf 'later\n' >notes/later
head=$(git -C "$BRAIN" rev-parse HEAD)
expect 78 "$MIRROR" --once
says err "mirror: $CONFIG:"
expect 78 "$MIRROR" --once --json
says out '"schema": "mirror.error/1"'
is "$(git -C "$BRAIN" rev-parse HEAD)" "$head" "the head after a wrong configuration"
cmp -s good.toml "$STATE/config.last-good.toml" || fail "the good copy was replaced"
cp good.toml "$CONFIG"

# A repository that was there and is gone is a failure, never made anew.
mv "$BRAIN" away
expect 2 "$MIRROR" --once
says err "$BRAIN"
says err "  next: "
[ -e "$BRAIN" ] && fail "the repository was made anew"
expect 2 "$MIRROR" --once --json
says out '"schema": "mirror.once/1"'
says out '"exit": 2'
mv away "$BRAIN"
expect 0 "$MIRROR" --once
says out "committed "
is "$(git -C "$BRAIN" show HEAD:notes/later)" later "a file of the time between"

expect 64 "$MIRROR" run --full
