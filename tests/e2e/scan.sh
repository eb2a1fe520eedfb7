#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# `mirror scan` reaches every regular file, finds what is there, and never shows it (I3).
. "$(dirname "$0")/lib.sh"
needs git

# count FILE PATTERN: lines of the result that hold it.
count() {
	grep -cF -- "$2" "$1" || true
}

mkdir -p d/sub/.git d/node_modules d/.hidden
printf 'a\nkey = %s\nok\n' "$AWS_KEY" >d/a.md
printf 'key = %s\n' "$AWS_KEY" >d/sub/b
printf 'key = %s\n' "$AWS_KEY_2" >d/node_modules/c.js
printf 'key = %s\n' "$AWS_KEY_2" >d/sub/.git/config
printf 'key = %s\n' "$AWS_KEY_2" >d/.hidden/package-lock.json
printf '*\n' >d/.gitignore
: >d/empty
printf '\000\001\002' >d/binary
ln -s ../elsewhere d/link
mkfifo d/fifo
printf 'key = %s\n' "$AWS_KEY" >elsewhere

expect 1 "$MIRROR" scan d
says out "d/a.md:2:7: aws-access-key-id (certain) 20 bytes ["
is "$(wc -l <out)" 5 "findings"
for file in out err; do
	silent_about $file "$AWS_KEY"
	silent_about $file "$AWS_KEY_2"
done

# Folders in order, so two runs say the same.
cp out first
expect 1 "$MIRROR" scan d
cmp -s out first || fail "two scans print different things"

expect 1 "$MIRROR" scan --json d
says out '"schema":"mirror.scan/1"'
says out '"path":"d/a.md"'
says out '"start":8,"end":28,"line":2,"column":7,"end_line":2'
says out '"files":8,'
is "$(count out '"rule"')" 5 "findings as JSON"
silent_about out "$AWS_KEY"
# Offsets are those of the secret itself.
is "$(tail -c +9 d/a.md | head -c 20)" "$AWS_KEY" "the bytes at start and end"
if command -v jq >/dev/null; then
	is "$(jq '.findings | length' out)" 5 "findings as jq counts them"
	is "$(jq .bytes out)" "$(find d -type f -printf '%s\n' | awk '{s += $1} END {print s}')" bytes
	expect 1 "$MIRROR" scan --format=sarif d
	is "$(jq '.runs[0].results | length' out)" 5 "results in SARIF"
	is "$(jq -r .version out)" 2.1.0 "SARIF's version"
	# What the schema of SARIF 2.1.0 asks for, without the schema.
	is "$(jq -r '[.runs[0] | (.tool.driver | .name, .version), (.results[] | .ruleId, .message.text,
		.level, (.locations[0].physicalLocation | .artifactLocation.uri), .partialFingerprints["mirrorSecret/v1"])
		| type] | unique | join(" ")' out)" string "the type of SARIF's texts"
	is "$(jq '[.runs[0] | (.tool.driver.rules[].id) as $id | $id] as $ids | [.runs[0].results[].ruleId | IN($ids[])] | all' out)" \
		true "each result's rule is among the rules"
	is "$(jq '[.runs[0].tool.driver.rules[] | .shortDescription.text | length > 0] | all' out)" true "words for each rule"
	is "$(jq '[.runs[0].tool.driver.rules[].id] | length == (unique | length)' out)" true "no rule twice"
	is "$(jq -r '[.runs[0].results[].level] | unique - ["error", "warning"] | length' out)" 0 "levels that SARIF knows"
	is "$(jq '[.runs[0].results[].locations[0].physicalLocation.region | .startLine >= 1 and .endLine >= .startLine
		and .byteOffset >= 0 and .byteLength >= 1] | all' out)" true "regions"
	is "$(jq .runs[0].invocations[0].executionSuccessful out)" true "an execution that succeeded"
	expect 1 "$MIRROR" scan --format=gitleaks d
	is "$(jq length out)" 5 "rows for gitleaks"
	is "$(jq -c '[.[] | keys_unsorted] | unique | map(sort)[]' out)" '["Author","Commit","Date","Description","Email","EndColumn","EndLine","Entropy","File","Fingerprint","Match","Message","RuleID","Secret","StartColumn","StartLine","SymlinkFile","Tags"]' "gitleaks' keys"
	is "$(jq -r '.[0] | "\(.Description) \(.StartColumn) \(.EndColumn) \(.Entropy > 3)"' out)" "AWS access key id 7 26 true" \
		"what gitleaks would say of it"
	is "$(jq -r '.[0].Secret' out)" REDACTED "what stands for the secret"
	expect 0 "$MIRROR" scan --json d/empty
	is "$(jq -c .findings out)" '[]' "no findings"
	is "$(jq .files out)" 1 "an empty file is a file"
fi

# Equal secrets have equal fingerprints, tomorrow too.
print=$(sed -n 's/^d.a\.md.*\[\(.*\)\]$/\1/p' first)
is "$(count first "$print")" 2 "findings with one fingerprint"
is "$(stat -c %a "$XDG_DATA_HOME/mirror/scan.key")" 600 "mode of the key"

# Standard input.
expect 1 sh -c '"$MIRROR" scan - <d/a.md'
says out "-:2:7: aws-access-key-id"
expect 0 sh -c '"$MIRROR" scan - </dev/null'
expect 1 sh -c 'cd d/sub && "$MIRROR" scan'
says out "b:1:7: aws"
says out ".git/config:1:7: aws"

# What was named may be a link; what is found below is not followed.
expect 1 "$MIRROR" scan d/link
says out "d/link:1:7:"

# Not everything could be read: 2 wins over 1, and the findings are still there.
expect 2 "$MIRROR" scan missing d/a.md
says err "mirror: missing: cannot be read: No such file or directory"
says out "d/a.md:2:7:"
if [ "$(id -u)" -ne 0 ]; then
	chmod 000 d/sub/b
	expect 2 "$MIRROR" scan d
	says err "mirror: d/sub/b: "
	is "$(wc -l <out)" 4 "findings beside an unreadable file"
	chmod 644 d/sub/b
fi

# Names: the secret in one is cut out of every path, and is a finding.
mkdir -p "names/$AWS_KEY"
printf 'key = %s\n' "$AWS_KEY_2" >"names/$AWS_KEY/x"
expect 1 "$MIRROR" scan --json names
silent_about out "$AWS_KEY"
says out '"in":"name"'
is "$(count out '"in":"name"')" 1 "findings in names"
says out '"path":"names/REDACTED.aws-access-key-id.'
rm -r names

# Bytes that are no text in a name.
mkdir odd
printf 'key = %s\n' "$AWS_KEY" >"odd/$(printf 'n\377')"
expect 1 "$MIRROR" scan --json odd
says out "\"path_b64\":\"$(printf 'odd/n\377' | base64)\""
expect 1 "$MIRROR" scan odd
says out 'odd/n\xff:1:7:'

# More than memory is wanted for: found wherever it stands.
head -c 9000000 /dev/zero | tr '\0' 'x' | fold -w 1000 >big
printf '\nkey = %s\n' "$AWS_KEY" >>big
expect 1 "$MIRROR" scan big
says out "aws-access-key-id (certain) 20 bytes"
is "$(wc -l <out)" 1 "findings in a large file"
rm big

# Deeper than any path may be long.
(
	mkdir deep && cd deep
	part=$(head -c 200 /dev/zero | tr '\0' p)
	for _ in $(seq 60); do
		mkdir "$part" && cd "$part"
	done
	printf 'key = %s\n' "$AWS_KEY" >end
)
expect 1 "$MIRROR" scan deep
is "$(wc -l <out)" 1 "findings at the end of a path of 12 kB"
rm -rf deep

# Marks and ignore files count here.
mkdir marked
printf 'key = %s # gitleaks:allow\n' "$AWS_KEY" >marked/inline
printf 'key = %s\n' "$AWS_KEY" >marked/listed
expect 1 "$MIRROR" scan marked
is "$(wc -l <out)" 1 "findings beside a mark"
says out marked/listed
printf '# a comment\n\nlisted:aws-access-key-id:1\n' >marked/.gitleaksignore
expect 0 "$MIRROR" scan marked
says err "1 more are known or ignored by place"
# A real new secret on the ignored line is not hidden by a baseline, which goes by content.
rm marked/.gitleaksignore
expect 1 "$MIRROR" scan marked --write-baseline base.json
says base.json '"schema": "mirror.baseline/1"'
silent_about base.json "$AWS_KEY"
expect 0 "$MIRROR" scan marked --baseline base.json
printf '\nkey = %s\n' "$AWS_KEY" >>marked/listed
expect 0 "$MIRROR" scan marked --baseline base.json
printf 'key = %s\n' "$AWS_KEY_2" >marked/listed
expect 1 "$MIRROR" scan marked --baseline base.json
# A report is a baseline too.
"$MIRROR" scan --json marked >report.json 2>/dev/null || true
expect 0 "$MIRROR" scan marked --baseline report.json
printf '{}' >bad.json
expect 65 "$MIRROR" scan marked --baseline bad.json
expect 2 "$MIRROR" scan marked --baseline none.json

# Why?
printf 'a\nkey = %s # gitleaks:allow\n' "$AWS_KEY" >marked/inline
expect 1 "$MIRROR" scan --explain marked/inline:2
says out "marked/inline:2:7: aws-access-key-id"
says out "fingerprint  $print"
says out "A mark on the line hides it from"
silent_about out "$AWS_KEY"
expect 0 "$MIRROR" scan --explain marked/inline:1
says out "nothing is found on line 1"
printf 'token: see the wiki\npassword = "changeme"\n' >marked/dropped
expect 0 "$MIRROR" scan --explain marked/dropped:2
says out "generic-secret"
says out "its value is a name, a word, prose or an id"
expect 0 "$MIRROR" scan --json --explain marked/dropped:1
says out '"why"'
expect 64 "$MIRROR" scan --explain marked/inline

# Somebody's own rules replace ours.
cat >rules.toml <<'EOR'
[[rules]]
id = "my-rule"
description = "mine"
regex = '''zorg-[0-9]{6}'''
keywords = ["zorg-"]
EOR
printf 'zorg-123456\nkey = %s\n' "$AWS_KEY" >mine
expect 1 "$MIRROR" scan --config rules.toml mine
says out "mine:1:1: my-rule"
is "$(wc -l <out)" 1 "findings with other rules"
printf '[extend]\nuseDefault = true\n' | cat - rules.toml >both.toml
expect 1 "$MIRROR" scan --config both.toml mine
is "$(wc -l <out)" 2 "findings with both"
mkdir target
cp rules.toml target/.gitleaks.toml
cp mine target/
expect 1 "$MIRROR" scan target
says err "rules of target/.gitleaks.toml"
is "$(wc -l <out)" 1 "findings with the target's rules"
expect 65 "$MIRROR" scan --config base.json mine
# The backup's configuration is no rule file, and a file without a rule finds nothing.
printf '[[watch]]\npath = "%s"\n' "$W/d" >mirror.toml
expect 1 "$MIRROR" -c mirror.toml scan mine
expect 1 "$MIRROR" scan -c mirror.toml mine
printf '[allowlist]\npaths = [".*"]\n' >none.toml
expect 65 "$MIRROR" scan --config none.toml mine
says err "has no rule"

# A home that cannot be written to is no reason not to scan.
if [ "$(id -u)" -ne 0 ]; then
	rm -f "$XDG_DATA_HOME/mirror/scan.key"
	chmod 500 "$XDG_DATA_HOME/mirror"
	expect 1 "$MIRROR" scan d/a.md
	says err "fingerprints of this scan are good for it alone"
	chmod 700 "$XDG_DATA_HOME/mirror"
fi

# --explain takes more than one line, and says which word is none.
printf 'nothing\nkey = %s\n' "$AWS_KEY" >two
expect 1 "$MIRROR" scan --explain two:1 two:2
says out "nothing is found on line 1 of two"
says out "two:2:7: aws-access-key-id"
expect 64 "$MIRROR" scan --explain two:2 two
says err "two: --explain needs FILE:LINE"
