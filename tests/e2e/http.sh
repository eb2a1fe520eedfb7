#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# git http-backend behind a real web server with basic auth: the password comes from the
# URL or from the user's own helper; a wrong one, a repository that is not there, a server
# that refuses and one that is gone are told apart.
. "$(dirname "$0")/lib.sh"
needs git
PATH=$PATH:/usr/sbin
needs lighttpd
backend=$(git --exec-path)/git-http-backend
[ -x "$backend" ] || {
	echo "$story: skipped, no git http-backend"
	exit 77
}

password=open"sesame/8"
mkdir srv log
git init -q --bare srv/brain.git
git -C srv/brain.git config http.receivepack true
printf 'me:%s\n' "$password" >users
cat >server.conf <<END
server.document-root = "$W/srv"
server.bind = "127.0.0.1"
server.errorlog = "$W/log/error"
accesslog.filename = "$W/log/access"
server.modules = ( "mod_alias", "mod_setenv", "mod_auth", "mod_authn_file", "mod_cgi", "mod_accesslog" )
alias.url = ( "/git" => "$backend" )
cgi.assign = ( "" => "" )
setenv.set-environment = ( "GIT_PROJECT_ROOT" => "$W/srv", "GIT_HTTP_EXPORT_ALL" => "1" )
auth.backend = "plain"
auth.backend.plain.userfile = "$W/users"
auth.require = ( "/git" => ( "method" => "basic", "realm" => "git", "require" => "valid-user" ) )
END

# A port that is free now may be taken in a moment: another one, then.
serve() {
	for _ in $(seq 20); do
		port=${1:-$((20000 + RANDOM % 30000))}
		{ cat server.conf && echo "server.port = $port"; } >running.conf
		lighttpd -D -f running.conf >log/out 2>&1 &
		server=$!
		for _ in $(seq 100); do
			! (: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || return 0
			kill -0 $server 2>/dev/null || break
			sleep 0.05
		done
	done
	fail "no web server: $(cat log/*)"
	exit 1
}
stop() {
	kill $server 2>/dev/null || true
	wait $server 2>/dev/null || true
}
serve
at_end='stop'
at=127.0.0.1:$port

at_remote() {
	is "$(git -C srv/brain.git rev-parse "$branch")" "$(git -C "$BRAIN" rev-parse HEAD)" "$1"
}

# ---- the password in the URL; more than a request's buffer, so that it goes in pieces
mkdir notes
printf 'hello\n' >notes/a.md
head -c 3000000 /dev/urandom >notes/big
expect 0 "$MIRROR" init notes --remote "http://me:opensesame%2F8@$at/git/brain.git"
branch=$(git -C "$BRAIN" symbolic-ref HEAD)
at_remote "what the server has"
is "$(git -C srv/brain.git cat-file -t "refs/mirror/state/${branch#refs/heads/host/}")" blob "the heartbeat"
git -C srv/brain.git fsck --strict >/dev/null 2>&1 || fail "fsck of the server"
expect 0 "$MIRROR" remote test
expect 0 "$MIRROR" machines --fetch
expect 0 "$MIRROR" drill
expect 0 "$MIRROR" milestone v1
is "$(git -C srv/brain.git cat-file -t v1)" tag "the milestone"
printf 'more\n' >>notes/a.md
expect 0 "$MIRROR" --once
at_remote "the server after a change"
silent_about err "$password"
git -C "$BRAIN" config --list >config.list
silent_about config.list sesame
! grep -rqaF -e "$password" -e 'sesame%2F8' "$BRAIN/.git" || fail "the password stands in the repository"

# ---- the password from the user's own helper
printf 'http://me:opensesame%%2F8@%s\n' "$at" >"$HOME/store"
git config --global credential.helper "store --file=$HOME/store"
expect 0 "$MIRROR" remote set "http://me@$at/git/brain.git"
printf 'more\n' >>notes/a.md
expect 0 "$MIRROR" --once
silent_about err "could not be pushed"
at_remote "the server, with a helper"
git config --global --unset credential.helper

# told WORD NEXT: the push fails for that reason, in the run, in health and for programs.
told() {
	printf 'more\n' >>notes/a.md
	expect 0 "$MIRROR" --once
	says err "could not be pushed"
	says err "$2"
	"$MIRROR" health --json >out 2>err || true
	says out "the last push failed ($1)"
	says out "$2"
	silent_about out "$password"
}

# ---- no password at all, and a wrong one: nobody is asked
told auth "mirror remote set URL"
expect 0 "$MIRROR" remote set "http://me:wrong@$at/git/brain.git"
told auth "mirror remote set URL"
expect 69 "$MIRROR" remote test
good="http://me:opensesame%2F8@$at/git/brain.git"

# ---- a repository that is not there, and one that may only be read
expect 0 "$MIRROR" remote set "http://me:opensesame%2F8@$at/git/none.git"
told no-repository "mirror remote set URL"
expect 0 "$MIRROR" remote set "$good"
git -C srv/brain.git config http.receivepack false
told auth "mirror remote set URL"
git -C srv/brain.git config http.receivepack true

# ---- too much for the server
echo 'server.max-request-size = 64' >>server.conf
stop
serve "$port"
head -c 300000 /dev/urandom >notes/big2
told too-big "mirror config edit"
sed -i '$d' server.conf
rm notes/big2

# ---- the server is gone, and comes back
stop
told refused "mirror remote test"
serve "$port"
expect 0 "$MIRROR" --once
silent_about err "could not be pushed"
at_remote "the server at the end"
"$MIRROR" health --json >out 2>err || true
silent_about out "the last push failed"
git -C srv/brain.git fsck --strict >/dev/null 2>&1 || fail "fsck of the server at the end"
