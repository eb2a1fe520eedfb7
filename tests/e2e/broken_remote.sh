#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Break the remote, and the probe says so: away, a wrong key, another history, a deleted
# branch, a hook that says no; and a proof that is too old.
. "$(dirname "$0")/lib_broken.sh"

git init -q --bare remote.git
configure "$W/remote.git" 'push_timeout = "20s"'
world agent
branch=refs/heads/host/testbox

at_remote() {
	[ "$(git -C remote.git rev-parse --verify -q $branch)" = "$(git -C "$BRAIN" rev-parse HEAD)" ]
}
# change: something to push; whether the push works is not said by --once.
change() {
	printf '%s\n' "$(now_ms)" >>notes/a
	expect 0 "$MIRROR" --once
}
# mended: pushed again, by itself or at the next word of a person.
mended() {
	change
	wait_for 60 at_remote
	well 60
}

# ---- away
mv remote.git away.git
change
told 30 push 'degraded|failed'
mv away.git remote.git
mended

# ---- a key the server does not know
cat >ssh <<'SSH'
#!/bin/sh
echo 'git@git.invalid: Permission denied (publickey).' >&2
exit 255
SSH
chmod +x ssh
stop_agent
configure "git@git.invalid:me/brain.git"
export GIT_SSH_COMMAND=$W/ssh
start_agent
change
told 30 push 'degraded|failed'
says health.json "Permission denied"
stop_agent
unset GIT_SSH_COMMAND
configure "$W/remote.git"
start_agent
mended

# ---- somebody else pushed to the branch
git -C remote.git update-ref $branch "$(git -C remote.git commit-tree -m other \
	"$(git -C remote.git hash-object -t tree -w /dev/null)")"
change
told 30 push failed
at_remote && fail "what stood at the remote was overwritten"
git -C remote.git update-ref $branch "$(git -C "$BRAIN" rev-parse HEAD~1)"
mended

# ---- the branch was deleted there
git -C remote.git update-ref -d $branch
change
told 30 push failed
expect 0 "$MIRROR" accept push
mended

# ---- a hook refuses it, whatever the exit code
cat >remote.git/hooks/pre-receive <<'HOOK'
#!/bin/sh
echo "not today" >&2
exit 1
HOOK
chmod +x remote.git/hooks/pre-receive
change
told 30 push 'degraded|failed'
rm remote.git/hooks/pre-receive
mended
cat >remote.git/hooks/update <<'HOOK'
#!/bin/sh
exit 1
HOOK
chmod +x remote.git/hooks/update
change
told 30 push 'degraded|failed'
rm remote.git/hooks/update
mended

# ---- the last proof is too old
stop_agent
configure "$W/remote.git" '[health]
drill_age = ["1s", "1h"]'
start_agent
told 10 drill degraded
stop_agent
configure "$W/remote.git" '[health]
drill_age = ["1s", "2s"]'
start_agent
told 10 drill unknown
expect 0 "$MIRROR" drill
probe
is "$(of_fact drill state)" healthy "a drill made anew"
stop_agent
configure "$W/remote.git"
start_agent
well 30

# ---- a drill that finds no branch has failed, and stays failed until one passed
git -C remote.git update-ref -d $branch
expect 2 "$MIRROR" drill
told 10 drill failed
git -C "$BRAIN" push -q "$W/remote.git" HEAD:$branch
expect 0 "$MIRROR" drill
well 30
