#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A wrong configuration is told with file, line and column, exit status 78, and is never
# guessed around.
. "$(dirname "$0")/lib.sh"

# wrong TEXT MESSAGE
wrong() {
	printf '%s\n' "$1" >"$CONFIG"
	expect 78 "$MIRROR" config check
	says err "mirror: $CONFIG:$2"
	says err "  next: correct the line, then: mirror config check"
	is "$(wc -c <out)" 0 "bytes on standard output"
}

expect 78 "$MIRROR" config check
says err "there is no configuration at $CONFIG"
says err "  next: mirror init PATH..."

mkdir notes
good='[[watch]]
path = "'$W'/notes"
[brain]
remote = "none"'

wrong 'watch = 1' '1:'
wrong '[[watch]]
path = "'$W'/notes"
exclud = []' '3:1: unknown key "exclud" in [watch]; did you mean "exclude"?'
wrong '[brian]
remote = "none"' '1:'
says err 'did you mean [brain]?'
wrong "$good
settle = \"2 parsecs\"" '5:'
wrong "$good
settle = 2" '5:'
wrong "$good
[secrets]
action = \"drop\"" '6:'
wrong "$good
[[watch]]
path = \"/somewhere/notes\"" '5:1: two watched folders are named "notes"'
wrong '[[watch]]
path = "/x/.mirror"' '1:1: '
wrong '[[watch]]' '1:1: [[watch]] needs a path'
wrong 'a = "' '1:'

# A file that lost what stood in it drops no folder from the backup.
printf '%s\n' "$good" >"$CONFIG"
printf 'kept\n' >notes/kept
expect 0 "$MIRROR" --once
for nothing in '' '# only a comment'; do
	printf '%s' "$nothing" >"$CONFIG"
	expect 78 "$MIRROR" --once
	says err "nothing stands in it"
	expect 78 "$MIRROR" config check
	got=0
	"$MIRROR" health >out 2>err || got=$?
	is "$((got == 1 || got == 2))" 1 "health with nothing in the configuration: $got"
	is "$(git -C "$BRAIN" show HEAD:notes/kept)" kept "what is in the backup"
done

printf '%s\n' "$good" >"$CONFIG"
expect 0 "$MIRROR" config check
is "$(cat out)" "$CONFIG is right: 1 watched folder" "the answer"
expect 0 "$MIRROR" config check --json
says out '"right": true'

# -c and $MIRROR_CONFIG name another one.
cp "$CONFIG" other.toml
rm "$CONFIG"
expect 0 "$MIRROR" -c other.toml config check
expect 0 "$MIRROR" config check --config=other.toml
expect 0 env MIRROR_CONFIG="$W/other.toml" "$MIRROR" config check
cp other.toml "$CONFIG"

# show is itself a configuration, and says where each value is from.
expect 0 "$MIRROR" config show
cp out shown.toml
expect 0 "$MIRROR" -c shown.toml config check
expect 0 "$MIRROR" config show --origin
says out "remote = \"none\"    # $CONFIG:4"
says out 'settle = "2s"    # default'

# A link to the configuration stays one, and a wrong edit is not saved.
mv "$CONFIG" real.toml
ln -s "$W/real.toml" "$CONFIG"
cat >editor <<'EOS'
#!/bin/sh
printf '%s\n' "$EDIT" >>"$1"
EOS
chmod +x editor
export EDITOR=$W/editor
EDIT='settle = "3s"' expect 0 "$MIRROR" config edit
[ -L "$CONFIG" ] || fail "the link became a file"
says real.toml 'settle = "3s"'
cp real.toml before
EDIT='settel = "3s"' expect 78 "$MIRROR" config edit
says err 'did you mean "settle"?'
says err "nothing was saved; what you wrote is in $W/real.toml.rejected"
cmp -s real.toml before || fail "a wrong edit was saved"
says real.toml.rejected 'settel'
EDIT='max_wait = "9s"' expect 0 "$MIRROR" config edit -n
cmp -s real.toml before || fail "--dry-run saved"
EDITOR=false expect 2 "$MIRROR" config edit
cmp -s real.toml before || fail "a failing editor's text was saved"
is "$(find "$W" -maxdepth 1 -name '.mirror-new*' | wc -l)" 0 "copies left behind"

# The name of a folder or of the branch goes everywhere: with a secret in it, nowhere.
rm -rf "$BRAIN" "$STATE"
mkdir "notes-$AWS_KEY"
printf 'kept\n' >"notes-$AWS_KEY/kept"
printf '[[watch]]\npath = "%s"\n[brain]\nremote = "none"\n' "$W/notes-$AWS_KEY" >"$CONFIG"
expect 2 "$MIRROR" --once
says err "would hold a secret: notes-REDACTED.aws"
silent_about err "$AWS_KEY"
says err 'next: set name = "..." under its [[watch]]'
printf '[[watch]]\npath = "%s"\nname = "notes"\n[brain]\nremote = "none"\nbranch = "host/%s"\n' \
	"$W/notes-$AWS_KEY" "$AWS_KEY" >"$CONFIG"
expect 2 "$MIRROR" --once
says err 'next: set branch = "host/NAME" under [brain]'
is "$(git -C "$BRAIN" for-each-ref | wc -l)" 0 "branches with a secret in their name"
sed -i '/^branch/d' "$CONFIG"
expect 0 "$MIRROR" --once
is "$(git -C "$BRAIN" show HEAD:notes/kept)" kept "a folder that was given another name"
git -C "$BRAIN" cat-file --batch-all-objects --batch >objects
silent_about objects "$AWS_KEY"
