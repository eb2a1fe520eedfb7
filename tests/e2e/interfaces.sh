#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# docs/DESIGN.md, section 11, sentence by sentence: what scripts rely on, asked of the
# program by other people's programs.  A comment begins with the sentence's own words.
. "$(dirname "$0")/lib.sh"
for tool in git jq sqlite3 python3 age age-keygen; do
	needs "$tool"
done

# true_of FILE FILTER WHAT: the JSON in the file is so.
true_of() {
	jq -e "$2" "$W/$1" >/dev/null 2>&1 || {
		fail "${3:-$2}"
		head -c 3000 "$W/$1" | sed 's/^/    /' >&2
	}
}
configure() {
	cat >"$CONFIG" <<END
[[watch]]
path = "$W/notes"
[brain]
remote = "none"
branch = "host/testbox"
$*
END
}
tree() {
	git -C "$BRAIN" ls-tree -r --name-only -z HEAD -- "$@" | tr '\0' '\n'
}
# What the ledger says of a path: "state reason".
row() {
	"$MIRROR" ledger --json 2>/dev/null | jq -r --arg path "$1" 'select(.path == $path) | "\(.state) \(.reason)"'
}

pem_head='-----BEGIN RSA PRIVATE'' KEY-----'
pem_tail='-----END RSA PRIVATE'' KEY-----'
mkdir -p notes/empty notes/.mirror notes/.GIT notes/code/.git notes/node_modules notes/sub
printf '{"key": "%s", "again": "%s",\r\n "other": "%s"}\r\n' "$AWS_KEY" "$AWS_KEY" "$AWS_KEY_2" >notes/a.json
{
	echo before
	echo "$pem_head"
	for _ in 1 2 3 4 5 6 7 8 9 10; do head -c 48 /dev/urandom | base64; done
	echo "$pem_tail"
	echo after
} >notes/key.pem
printf 'mine\n' >notes/.mirror/mine
printf 'x\n' >notes/.GIT/config
printf 'y\n' >'notes/git~1'
printf 'z\n' >"notes/con"$'\n'"trol"
printf 'ref\n' >notes/code/.git/HEAD
printf 'c\n' >notes/code/main.c
printf 'm\n' >notes/node_modules/m.js
printf '*\n' >notes/.gitignore
printf 'plain\n' >notes/plain.md
printf 'latin \351\n' >"notes/caf"$'\351'
printf 'n\n' >"notes/name-$AWS_KEY.txt"
ln -s "https://h/?k=$AWS_KEY" notes/link
ln -s plain.md notes/good
mkfifo notes/pipe
mkdir notes/shut && printf 's\n' >notes/shut/s && chmod 000 notes/shut
configure

# "-c FILE or MIRROR_CONFIG names the config"
mv "$CONFIG" other.toml
expect 0 "$MIRROR" -c other.toml config check
expect 0 env MIRROR_CONFIG="$W/other.toml" "$MIRROR" config check
expect 78 "$MIRROR" config check
mv other.toml "$CONFIG"

# "--once and run create the brain repo and the state when neither exists yet"
# "mirror --once --json: one object mirror.once/1"
expect 1 "$MIRROR" --once --json
cp out once.json
true_of once.json '.schema == "mirror.once/1" and (.commit | test("^[0-9a-f]{40}$")) and .changed > 5 and .exit == 1
	and (.seconds | type == "number") and (.excluded | type) as $t | ($t == "number" or $t == "array" or $t == "object")' \
	"the object of --once"
true_of once.json '.files | has("mirrored") and has("redacted") and has("sealed") and has("snapshotted") and
	has("excluded") and has("pending") and has("failed") and has("on_disk")' "a count for each state"
true_of once.json '.files | .on_disk == .mirrored + .redacted + .sealed + .snapshotted + .excluded + .pending + .failed' "the sum"
head=$(jq -r .commit once.json)

# "state and data follow XDG_STATE_HOME, XDG_DATA_HOME, XDG_RUNTIME_DIR (systemd's $STATE_DIRECTORY wins)"
[ -d "$STATE" ] && [ -d "$BRAIN/.git" ] || fail "state or repository is elsewhere"
mkdir sd && STATE_DIRECTORY=$W/sd "$MIRROR" status --json >out 2>/dev/null || true
[ "$(jq -r '.state // .code // "none"' out)" != "" ] || fail "status with STATE_DIRECTORY"

# "[brain] repo names the brain repo"
mkdir -p c2 s2 && sed "s|^remote|repo = \"$W/elsewhere\"\nremote|" "$CONFIG" >c2/m.toml
XDG_STATE_HOME=$W/s2 "$MIRROR" -c c2/m.toml --once >out 2>&1 || true
is "$(git -C elsewhere symbolic-ref HEAD)" refs/heads/host/testbox "the branch of [brain] repo"

# "The brain repo is an ordinary git repository; the branch is host/<name> and HEAD points to it"
is "$(git -C "$BRAIN" symbolic-ref HEAD)" refs/heads/host/testbox HEAD
is "$(git -C "$BRAIN" rev-parse HEAD)" "$head" "the commit that --once names"
# "What we add lives under .mirror/"
is "$(git -C "$BRAIN" ls-tree --name-only HEAD | tr '\n' ' ')" ".mirror notes " "the top of the tree"
# "git fsck --strict is clean at every moment"
git -C "$BRAIN" fsck --strict >fsck 2>&1 || fail "git fsck: $(cat fsck)"
# "two roots with one name are a config error"; "a watched root named .mirror or .git is a config error"
mkdir -p other/notes other/.mirror other/.git
for path in other/notes other/.mirror other/.git; do
	{ cat "$CONFIG" && printf '[[watch]]\npath = "%s/%s"\n' "$W" "$path"; } >bad.toml
	expect 78 "$MIRROR" -c bad.toml config check
	expect 78 "$MIRROR" -c bad.toml --once
done

# "A redacted secret is replaced by REDACTED.<rule-id>.<8 hex>"; equal for equal secrets; "Newlines are kept"
git -C "$BRAIN" show HEAD:notes/a.json >a.json
python3 - <<'END' || fail "the marks of a.json"
import json, re
raw = open("a.json", "rb").read()
assert raw.count(b"\r\n") == 2, raw
doc = json.loads(raw)
mark = re.compile(r"REDACTED\.[a-z0-9][a-z0-9_-]*\.[0-9a-f]{8}\Z")
assert all(mark.match(value) for value in doc.values()), doc
assert doc["key"] == doc["again"] != doc["other"], doc
END
# "A PEM block keeps its BEGIN and END lines"
git -C "$BRAIN" show HEAD:notes/key.pem >key.pem
is "$(head -2 key.pem | tr '\n' '|')" "before|$pem_head|" "the begin of the PEM block"
is "$(tail -2 key.pem | tr '\n' '|')" "$pem_tail|after|" "the end of the PEM block"
is "$(wc -l <key.pem)" "$(wc -l <notes/key.pem)" "lines of the PEM block"
# "(never a bare hash)"
for hash in sha1sum sha256sum md5sum; do
	bare=$(printf %s "$AWS_KEY" | $hash | cut -c1-8)
	grep -q "$bare" a.json && fail "a bare hash"
done

# "a user may own a folder called .mirror inside a watched root, and it is mirrored like any other"
is "$(git -C "$BRAIN" show HEAD:notes/.mirror/mine)" mine "the user's .mirror"
# "Names that git or a server refuses are mirrored through the sidecar"
tree | grep -qiE '(^|/)(\.git|git~1)(/|$)' && fail "a name that git refuses stands in the tree"
is "$(row notes/.GIT/config)" "mirrored " ".GIT/config"
is "$(row 'notes/git~1')" "mirrored " "git~1"
# "Exactly .git (file or folder) is excluded: git-internals"
is "$(row notes/code/.git)" "excluded git-internals" ".git"
is "$(row notes/code/main.c)" "mirrored " "a file beside it"
# "A path, symlink target or file name that holds a secret is redacted in tree, ledger and output alike"
tree | grep -q "$AWS_KEY" && fail "a secret in the tree"
for verb in "ledger" "ledger --json" "log" "status" "today" "secrets list" "diff" "ledger --csv"; do
	# shellcheck disable=SC2086
	"$MIRROR" $verb >out 2>&1 </dev/null || true
	grep -aq "$AWS_KEY" out && fail "a secret in $verb"
done
git -C "$BRAIN" show HEAD:notes/link | grep -q '^https://h/?k=REDACTED\.' || fail "the link's target"

# "Ledger rows: each path that is not a folder stands once"; "one row and its content is not counted";
# "empty folders are in the sidecar, not in the ledger"; "The counts equal files"
"$MIRROR" ledger --json >ledger.json
is "$(jq -r '.path // .path_b64' ledger.json | sort | uniq -d)" "" "paths that stand twice"
is "$(jq -rs 'map(select((.path // "") | startswith("notes/shut"))) | map(.path + " " + .state + " " + .reason) | join("|")' ledger.json)" \
	"notes/shut failed EACCES" "an unreadable folder"
is "$(jq -rs 'map(select((.path // "") | startswith("notes/node_modules"))) | map(.path + " " + .state) | join("|")' ledger.json)" \
	"notes/node_modules excluded" "an excluded folder"
grep -q '"notes/empty' ledger.json && fail "an empty folder in the ledger"
is "$(jq -s length ledger.json)" "$(jq .files.on_disk once.json)" "rows and on_disk"
for state in mirrored redacted sealed snapshotted excluded pending failed; do
	is "$(jq -s --arg state $state 'map(select(.state == $state)) | length' ledger.json)" \
		"$(jq --arg state $state '.files[$state]' once.json)" "rows that are $state"
done
# "mirror ledger --json: one object a line"; "path_b64 instead"; "Ledger lines have no schema field"
is "$(wc -l <ledger.json)" "$(jq -s length ledger.json)" "lines"
jq -se 'all(has("state") and has("reason") and has("size") and has("oid") and has("spans") and has("since") and
	(has("path") != has("path_b64")) and (has("schema") | not))' ledger.json >/dev/null || fail "the keys of a row"
is "$(jq -r '.path_b64 // empty' ledger.json | base64 -d)" "notes/caf"$'\351' "path_b64"
is "$(row notes/pipe)" "excluded special" "a pipe"

# "mirror health --json"
chmod 755 notes/shut
"$MIRROR" --once >/dev/null 2>&1 || true
"$MIRROR" health --json >health.json 2>/dev/null && code=0 || code=$?
true_of health.json ".schema == \"mirror.health/1\" and .exit == $code and (.sentence | length > 0)" "health"
true_of health.json '[.state] | inside(["healthy", "degraded", "failed", "unknown"])' "health's state"
true_of health.json '.accounting | has("mirrored") and has("redacted") and has("sealed") and has("snapshotted") and
	has("excluded") and has("pending") and has("failed") and has("on_disk") and .unaccounted == 0' "accounting"
true_of health.json '.facts | all(has("name") and has("state") and has("evidence") and has("evidence_at") and
	has("since") and has("action"))' "the keys of a fact"
# "A fact's state is one of the four words"; "Every other state has non-empty evidence and action"
true_of health.json '.facts | all(([.state] | inside(["healthy", "degraded", "failed", "unknown"])) and
	(.state == "healthy" or ((.evidence | length > 0) and (.action | length > 0))))' "each fact"
# Section 8: the names of the facts.
for name in alive completeness exclusions unprotected_change shrink push integrity drill secrets watches space config \
	reboot clock; do
	true_of health.json ".facts | any(.name == \"$name\")" "no fact called $name"
done
# "Newly excluded too-large, rule, special, other-filesystem degrade exclusions at once; git-internals, regenerable, own-state never"
mkfifo notes/pipe2
mkdir notes/__pycache__ && : >notes/__pycache__/x
"$MIRROR" --once >/dev/null 2>&1 || true
"$MIRROR" health --json >health.json 2>/dev/null || true
true_of health.json '[.facts[] | select(.name == "exclusions")][0].state == "degraded"' "a newly excluded pipe"
# "accept --no-input without an argument accepts every acceptable condition; the reason is optional"
expect 0 "$MIRROR" accept --no-input
# "an accepted condition is healthy plus note"
"$MIRROR" health --json >health.json 2>/dev/null || true
true_of health.json '[.facts[] | select(.name == "exclusions")][0].state == "healthy"' "an accepted exclusion"
mkdir notes/.venv && : >notes/.venv/x
"$MIRROR" --once >/dev/null 2>&1 || true
"$MIRROR" health --json >health.json 2>/dev/null || true
true_of health.json '[.facts[] | select(.name == "exclusions")][0].state == "healthy"' "a regenerable folder"
# "mirror drill and mirror accept can bring a machine without systemd to healthy (then reboot is a note)"
expect 0 "$MIRROR" drill
expect 0 "$MIRROR" accept --no-input
"$MIRROR" health --json >health.json 2>/dev/null && code=0 || code=$?
is "$code" 0 "health after drill and accept"
true_of health.json '.state == "healthy"'
true_of health.json '[.facts[] | select(.name == "reboot")][0] | .state == "healthy" and (.note | length > 0)' "reboot is a note"

# Formats of the probe: section 5.
expect 0 "$MIRROR" --healthcheck
expect 0 "$MIRROR" health --format=nagios
grep -qE '^(MIRROR )?OK.*\|.*[a-z_]+=[0-9]' out || fail "nagios: $(cat out)"
is "$(head -1 out | grep -c '|')" 1 "perfdata stands on the first line"
expect 0 "$MIRROR" health --format=prometheus
grep -qE '^mirror_[a-z_]+(\{[^}]*\})? [0-9.e+-]+$' out || fail "prometheus"
grep -vqE '^(#.*|mirror_[a-z_]+(\{.*\})? [0-9.eE+-]+)?$' out && fail "a line that is no metric"
expect 0 "$MIRROR" health --format=prometheus --output "$W/mirror.prom"
[ -s mirror.prom ] || fail "--output wrote nothing"
expect 0 "$MIRROR" health --binary

# "mirror status --json"
expect 0 "$MIRROR" status --json
true_of out '.schema == "mirror.status/1" and .agent.running == false and (.agent | has("pid")) and
	(.head | test("^[0-9a-f]{40}$")) and has("watches") and has("next") and
	(.jobs.sync | has("want") and has("taken") and has("done") and has("runs"))' status
# "runs counts runs ever started"
runs=$(jq .jobs.sync.runs out)
expect 0 "$MIRROR" --once
expect 0 "$MIRROR" status --json
is "$(jq .jobs.sync.runs out)" $((runs + 1)) "runs"

# "commit (id or null when nothing changed)"
expect 0 "$MIRROR" --once --json
true_of out '.commit == null and .changed == 0 and .exit == 0' "--once when nothing changed"

# "mirror scan --json PATH...|-"
mkdir s && printf 'a\nkey = %s\n' "$AWS_KEY" >s/k && : >s/empty && printf '\0\1' >s/bin && ln -s k s/l && mkfifo s/p
printf '%s' "$(printf 'x' | tr x '\351')" >/dev/null
expect 1 "$MIRROR" scan --json s
true_of out '.schema == "mirror.scan/1" and .files == 3 and .bytes == 31 and (.seconds | type == "number") and (.findings | length == 1)' "scan's object"
true_of out '.findings[0] | (.path | endswith("s/k")) and (.rule | length > 0) and (.confidence == "certain" or .confidence == "likely")
	and .start == 8 and .end == 28 and .line == 2 and .column == 7 and .end_line == 2 and (.fingerprint | length > 0)' "scan's finding"
grep -q "$AWS_KEY" out && fail "scan prints the secret"
expect 0 "$MIRROR" scan --json notes/plain.md
expect 1 sh -c "printf 'key = %s\n' $AWS_KEY | '$MIRROR' scan --json -"
true_of out '.findings[0].start == 6 and .files == 1' "scan -"
# "Exit 2 wins over 1; findings are still printed and each unread path is named on stderr"
printf 'x\n' >s/shut && chmod 000 s/shut
expect 2 "$MIRROR" scan --json s
true_of out '.findings | length == 1' "findings beside what could not be read"
says err "s/shut"
rm -f s/shut
# "symlinks and special files are not followed and are no failure": above, 3 files.
# "no name, ignore file or folder is skipped"
mkdir -p s/.git s/node_modules && printf 'key = %s\n' "$AWS_KEY" | tee s/.git/k >s/node_modules/k && echo '*' >s/.gitignore
expect 1 "$MIRROR" scan --json s
true_of out '.findings | length == 3' "folders that git would skip"
# "A path that is not UTF-8 has path_b64"; "A path-only rule has start = end = 0, line 1; a hit in a name has in:"name""
printf 'key = %s\n' "$AWS_KEY" >"s/caf"$'\351'
: >"s/$AWS_KEY"
expect 1 "$MIRROR" scan --json s
true_of out '[.findings[] | select(has("path_b64"))] | length == 1' "path_b64"
true_of out '[.findings[] | select(.in == "name")] | length >= 1' "a hit in a name"
grep -q "$AWS_KEY" out err && fail "scan prints a name with a secret"
# "mirror scan --config FILE replaces the built-in rules; [extend] useDefault = true adds ours"
printf '[[rules]]\nid = "Mine_1"\nregex = "zebra-[0-9]+"\n[[rules]]\nid = "byname"\npath = "wanted"\n' >r.toml
printf 'zebra-77 %s\n' "$AWS_KEY" >one && : >wanted
expect 1 "$MIRROR" scan --json --config r.toml one
true_of out '[.findings[].rule] | length == 1' "the rules of --config alone"
expect 1 "$MIRROR" scan --json --config r.toml wanted
true_of out '.findings[0] | .start == 0 and .end == 0 and .line == 1' "a path-only rule"
printf '[extend]\nuseDefault = true\n' >>r.toml
expect 1 "$MIRROR" scan --json --config r.toml one
true_of out '[.findings[].rule] | length == 2' "and ours"
# "--format=sarif and --format=gitleaks besides"
expect 1 "$MIRROR" scan --format=sarif one
true_of out '.version == "2.1.0" and (.runs[0].results | length == 1)' sarif
expect 1 "$MIRROR" scan --format=gitleaks one
true_of out 'type == "array" and .[0].RuleID and .[0].StartLine == 1 and .[0].Fingerprint' gitleaks

# "<rule-id> in a mark matches [a-z0-9][a-z0-9_-]*; other ids are mapped"
printf '[[rules]]\nid = "My.Rule X"\nregex = "zebra-[0-9]+"\n' >mine.toml
configure "[secrets]
rules = [\"$W/mine.toml\"]"
printf 'zebra-12345\n' >notes/zebra
expect 0 "$MIRROR" --once
git -C "$BRAIN" show HEAD:notes/zebra | grep -qE '^REDACTED\.[a-z0-9][a-z0-9_-]*\.[0-9a-f]{8}$' || fail "the mark of My.Rule X"

# "Durations are integer + ms|s|m|h|d; no minimum above 10 ms (settle) or 1 s"
configure 'settle = "10ms"
max_wait = "1s"
sweep = "1s"
[sqlite]
every = "1s"'
expect 0 "$MIRROR" config check
for wrong in 1.5s 5 s 1w -1s; do
	configure "sweep = \"$wrong\""
	expect 78 "$MIRROR" config check
done
configure "[secrets]
rules = [\"$W/mine.toml\"]"

# "mirror restore --to DIR --json PATH...": "files land under DIR/<name>/..."; "without it the redacted text and a list"
expect 0 "$MIRROR" restore --to back --json notes
true_of out '.redacted | index("notes/a.json") and index("notes/key.pem") and (index("notes/plain.md") | not)' "the list of what is missing"
cmp -s back/notes/plain.md notes/plain.md || fail "restore: plain.md"
# "restored under their own name"
cmp -s back/notes/.GIT/config notes/.GIT/config || fail "restore: .GIT/config"
cmp -s "back/notes/git~1" "notes/git~1" || fail "restore: git~1"
cmp -s back/notes/.gitignore notes/.gitignore || fail "restore: .gitignore"
[ -d back/notes/empty ] || fail "restore: the empty folder"
# "restore PATH is <name>[/rel] or a disk path; --to acts without asking and never overwrites a different file"
expect 0 "$MIRROR" restore --to back2 "$W/notes/plain.md"
cmp -s back2/notes/plain.md notes/plain.md || fail "restore of a disk path"
echo mine >back2/notes/plain.md
expect 1 "$MIRROR" restore --to back2 notes/plain.md
is "$(cat back2/notes/plain.md)" mine "what stood there"
# "restore --from REPO works on any clone, also one made with --no-checkout"
git clone -q --no-checkout "$BRAIN" clone
expect 0 "$MIRROR" restore --from clone --to back3 notes
diff -r --no-dereference back back3 >/dev/null || fail "restore from a clone"
# "--host looks in refs/heads/host/ and refs/remotes/*/host/; reading commands ignore machine identity"
expect 0 "$MIRROR" restore --from clone --host testbox --to back4 notes/plain.md
git clone -q --bare "$BRAIN" bare.git
expect 0 "$MIRROR" restore --from bare.git --host testbox --to back5 notes/plain.md
expect 2 "$MIRROR" restore --from clone --host nobody --to back6 notes/plain.md

# "key new works when action = "seal" has no key yet; without --out it writes a named 0600 file"
configure '[secrets]
action = "seal"'
expect 0 "$MIRROR" key new --json
true_of out '(.file | length > 0) and (.recipient | startswith("age1"))' "key new"
key=$(jq -r .file out)
is "$(stat -c %a "$key")" 600 "the key's mode"
expect 0 "$MIRROR" key new --replace --out "$W/key" --json
is "$(jq -r .file out)" "$W/key" "--out"
is "$(jq -r .recipient out)" "$(age-keygen -y key)" "the public part"
# "With sealing, secret names and link targets are sealed too"; "with the recovery key byte-exact"
expect 0 "$MIRROR" --once
expect 0 "$MIRROR" restore --to whole --key key --json notes
true_of out '.redacted == []' "nothing redacted with the key"
diff -r --no-dereference -x pipe -x pipe2 -x node_modules -x .git -x __pycache__ -x .venv notes whole/notes || fail "not byte-exact with the key"
# "File bytes in the sidecar stand raw as a blob or as unwrapped standard base64"
tree .mirror/files | while read -r place; do
	git -C "$BRAIN" show "HEAD:$place" | grep -aqxE 'x|y|z|\*|n' || echo "$place"
done | grep -q . && fail "a file in the sidecar that is not raw"
# "Everything of ours is under .mirror/, RECOVERY.md too"
tree .mirror | grep -qx .mirror/RECOVERY.md || fail "no RECOVERY.md"
# "Symlinks are mode 120000 at their own path where git allows"
is "$(git -C "$BRAIN" ls-tree HEAD notes/good | cut -c1-6)" 120000 "a link"
# "A root .gitignore that a user put into the brain repo survives and never decides"
printf 'notes/\n' >"$BRAIN/.gitignore"
git -C "$BRAIN" add -f .gitignore && git -C "$BRAIN" commit -qm mine
printf 'new\n' >notes/new.md
expect 0 "$MIRROR" --once
is "$(git -C "$BRAIN" show HEAD:.gitignore)" notes/ "the user's .gitignore"
is "$(git -C "$BRAIN" show HEAD:notes/new.md)" new "what it would hide"

# Databases: "mirror db list --json", "db snapshot NAME --json", "db restore NAME FILE"
sqlite3 notes/app.db 'CREATE TABLE t(a); INSERT INTO t VALUES (1),(2)'
sqlite3 notes/other.db 'CREATE TABLE o(a); INSERT INTO o VALUES (7)'
"$MIRROR" --once >/dev/null 2>&1 || true
expect 0 "$MIRROR" db list --json
true_of out '.databases | length == 2 and all((.name | length > 0) and (.path | length > 0) and has("identity") and has("snapshots"))' "db list"
name=$(jq -r '.databases[] | select(.path | endswith("app.db")) | .name' out)
other=$(jq -r '.databases[] | select(.path | endswith("other.db")) | .name' out)
expect 0 "$MIRROR" db snapshot "$name" --json
true_of out '(.path | length > 0) and (.sha256 | test("^[0-9a-f]{64}$")) and .bytes > 0 and has("identity")' "db snapshot"
snapshot=$(jq -r .path out)
# (sha256 and bytes are the database's; what is stored has its own.)
is "$(sha256sum <"$snapshot" | cut -d' ' -f1)" "$(jq -r .stored_sha256 out)" "the sha256 of what is stored"
is "$(stat -c %s "$snapshot")" "$(jq -r .stored_bytes out)" "its bytes"
if command -v zstd >/dev/null; then
	case $snapshot in *.zst) zstd -qdc "$snapshot" >plain.sqlite ;; *) cp "$snapshot" plain.sqlite ;; esac
	is "$(sha256sum <plain.sqlite | cut -d' ' -f1)" "$(jq -r .sha256 out)" "the database's sha256"
	is "$(stat -c %s plain.sqlite)" "$(jq -r .bytes out)" "the database's bytes"
	is "$(sqlite3 plain.sqlite 'SELECT count(*) FROM t')" 2 "rows in the snapshot"
fi
# "path ends in .zst when compressed"; "Each database has its own snapshot folder with at most 3 files per snapshot"
case $snapshot in
*.zst) zstd -tq "$snapshot" 2>/dev/null || python3 -c 'import sys; sys.exit(open(sys.argv[1],"rb").read(4) != b"\x28\xb5\x2f\xfd")' "$snapshot" || fail "no zstd file" ;;
*) is "$(head -c 15 "$snapshot")" "SQLite format 3" "an uncompressed snapshot" ;;
esac
expect 0 "$MIRROR" db snapshot "$other" --json
otherfile=$(jq -r .path out)
[ "$(dirname "$snapshot")" != "$(dirname "$otherfile")" ] || fail "two databases in one folder"
# "A foreign, empty, cut or corrupt file exits 65; another database than asked for says wrong_database"
: >nothing
printf 'no database at all, only text\n' >foreign
head -c 100 "$snapshot" >cut
python3 - "$snapshot" <<'END'
import sys
data = bytearray(open(sys.argv[1], "rb").read()); data[len(data) // 2] ^= 0xff; open("corrupt.zst", "wb").write(data)
END
for file in nothing foreign cut; do
	expect 65 "$MIRROR" db restore "$name" "$file" --yes
done
expect 65 "$MIRROR" db restore "$name" "$otherfile" --yes
grep -q wrong_database out err || fail "another database is not called wrong_database"
# "db restore is beside by default"
before=$(sha256sum <notes/app.db)
expect 0 "$MIRROR" db restore "$name" "$snapshot" --yes
is "$(sha256sum <notes/app.db)" "$before" "the live database after a restore beside"

# "A replaced or emptied database turns db:<name> at least degraded"
sqlite3 notes/app.db 'DELETE FROM t; DROP TABLE t; VACUUM'
"$MIRROR" --once >/dev/null 2>&1 || true
"$MIRROR" db snapshot "$name" >/dev/null 2>&1 || true
"$MIRROR" health --json >health.json 2>/dev/null || true
true_of health.json "[.facts[] | select(.name == \"db:$name\")][0].state != \"healthy\"" "an emptied database"

# "With remote = "none" nothing leaves the machine": no remote in the repository.
is "$(git -C "$BRAIN" remote)" "" "remotes"

# "A repo that the state knows but cannot find is a failure, never recreated"
mv "$BRAIN" gone
expect 2 "$MIRROR" --once
[ -e "$BRAIN" ] && fail "the repository was made again"
mv gone "$BRAIN"

# "health and status never exit 78: on a bad config they use the last good copy kept in state and say so"
echo 'nonsense = 1' >>"$CONFIG"
"$MIRROR" health --json >health.json 2>err && code=0 || code=$?
[ "$code" -le 3 ] || fail "health on a bad config exits $code"
true_of health.json '[.facts[] | select(.name == "config")][0].state != "healthy"' "a bad config"
expect 0 "$MIRROR" status
cat out err | grep -qi "config" || fail "status does not speak of the bad config"
expect 78 "$MIRROR" --once
configure

# "After an unclean boot (boot id changed without a clean stop) the first sweep re-hashes instead of trusting size and
# times": a file whose row says that nothing changed, as after a power cut.
printf 'aaaa\n' >notes/tail
"$MIRROR" --once >/dev/null 2>&1 || true
printf 'bbbb\n' 1<>notes/tail
in_ns() {
	stat -c "%.9$1" notes/tail | tr -d .
}
sqlite3 "$STATE/ledger.sqlite" "UPDATE entries SET mtime_ns = $(in_ns Y), ctime_ns = $(in_ns Z), flags = 0
	WHERE name = CAST('tail' AS BLOB)"
"$MIRROR" --once >/dev/null 2>&1 || true
is "$(git -C "$BRAIN" show HEAD:notes/tail)" aaaa "what size and times say is unchanged"
sqlite3 "$STATE/ledger.sqlite" "UPDATE meta SET value = '00000000-0000-0000-0000-000000000000' WHERE key LIKE '%boot%'"
"$MIRROR" --once >/dev/null 2>&1 || true
is "$(git -C "$BRAIN" show HEAD:notes/tail)" bbbb "the first sweep of another boot"

# With the agent: "answer within a second" when it is stopped, "and say so"; "The API answers the same JSON objects
# under the same names"; "No connection limit or deadline ends a wait by default".
"$MIRROR" run >agent.log 2>&1 &
agent=$!
at_end='kill -CONT $agent 2>/dev/null; kill $agent 2>/dev/null; wait $agent 2>/dev/null'
tries=0
until "$MIRROR" status --json 2>/dev/null | jq -e '.agent.running and .agent.pid' >/dev/null || [ $tries -gt 200 ]; do
	tries=$((tries + 1))
	sleep 0.05
done
expect 0 "$MIRROR" status --json
true_of out ".agent.running and .agent.pid == $agent" "the agent's pid"
socket=$(find "$XDG_RUNTIME_DIR" -type s -name '*.sock' | grep -v state | head -1)
if command -v curl >/dev/null && [ -n "$socket" ]; then
	is "$(stat -c %a "$socket")" 600 "the socket's mode"
	curl -s --unix-socket "$socket" http://localhost/v1/status >api.json
	true_of api.json '.schema == "mirror.status/1"' "/v1/status"
	is "$(jq -c 'keys' api.json)" "$(jq -c 'keys' out)" "the keys of status"
	curl -s --unix-socket "$socket" http://localhost/v1/health >api.json
	"$MIRROR" health --json >health.json 2>/dev/null || true
	is "$(jq -c 'keys' api.json)" "$(jq -c 'keys' health.json)" "the keys of health"
	curl -s --unix-socket "$socket" http://localhost/v1/ledger | head -1 >api.json
	is "$(jq -c 'keys' api.json)" "$(head -1 ledger.json | jq -c 'keys')" "the keys of a row"
fi
kill -STOP "$agent"
for verb in status health; do
	began=$(date +%s%N)
	"$MIRROR" $verb >out 2>err </dev/null || true
	took=$((($(date +%s%N) - began) / 1000000))
	# A second on a machine at rest.
	[ "$took" -lt 5000 ] || fail "$verb took $took ms beside a stopped agent"
	cat out err | grep -qiE 'not answer|stopped|does not|hung' || fail "$verb does not say that the agent is stopped: $(cat out err)"
done
# "75 busy and --no-wait"
expect 75 "$MIRROR" --once --no-wait
kill -CONT "$agent"
expect 0 "$MIRROR" --once --no-push
