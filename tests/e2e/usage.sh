#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What is typed wrong is told with exit status 64 and what was probably meant; nothing is
# ever done by guessing.
. "$(dirname "$0")/lib.sh"

expect 0 "$MIRROR" --version
says out "mirror "
is "$(wc -l <err)" 0 "lines on standard error"

expect 64 "$MIRROR"
says err "mirror: no command given"
says err "  next: mirror help"

expect 64 "$MIRROR" confg check
says err 'mirror: unknown command "confg"; did you mean "config"?'

expect 64 "$MIRROR" config chekc
says err 'did you mean "config check"?'

expect 64 "$MIRROR" config
says err "config needs one more word"

expect 64 "$MIRROR" scan --formt=json
says err "mirror: unknown option --formt; did you mean --format?"

expect 64 "$MIRROR" scan --format=jsn
says err '"jsn" is not one of text|json|sarif|gitleaks; did you mean json?'

expect 64 "$MIRROR" scan --format
says err "option --format needs a value: FORMAT"

expect 64 "$MIRROR" config check --json=yes
says err "option --json takes no value"

expect 64 "$MIRROR" config check one
says err '"one" is one word too many'

expect 64 "$MIRROR" config check -n
says err "unknown option -n"

expect 64 "$MIRROR" --nope
says err "unknown option --nope"

# A control character in what was typed reaches no terminal.
expect 64 "$MIRROR" "$(printf 'a\033[31mb')"
silent_about err "$(printf '\033')"
says err 'a\x1b[31mb'

# Options may stand anywhere, help comes first.
expect 0 "$MIRROR" --help
cp out overview
expect 0 "$MIRROR" help
cmp -s out overview || fail "--help and help differ"
expect 0 "$MIRROR" config --help show
says out "usage: mirror config show"
expect 0 "$MIRROR" help config
says out "mirror config edit"

# Every command on the overview has help of its own.
"$MIRROR" help --json | sed -n 's/^      "name": "\([a-z].*\)",$/\1/p' >names
[ -s names ] || fail "no names in help --json"
while read -r name; do
	# shellcheck disable=SC2086
	expect 0 "$MIRROR" help $name
	says out "mirror $name - "
done <names

# A full disk is no success.
if [ -w /dev/full ]; then
	got=0
	"$MIRROR" help >/dev/full 2>err || got=$?
	is "$got" 73 "exit status on a full disk"
	says err "No space left on device"
fi

# What the shells make of the completions.
expect 0 "$MIRROR" completion bash
bash -n out || fail "bash does not take its completion"
expect 64 "$MIRROR" completion tcsh

expect 0 "$MIRROR" __man
says out ".SH EXIT STATUS"

# A wrong line that asks for JSON is answered in JSON as well.
expect 64 "$MIRROR" scan --json --nope
says out '"schema": "mirror.error/1"'
says out '"exit": 64'
