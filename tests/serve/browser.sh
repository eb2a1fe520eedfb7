#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The status page in a real browser, in front of a real agent: what a person does with it,
# what others may not do to it, and whether everybody can use it.
#
#     MIRROR=build/mirror tests/serve/browser.sh
#     AXE=FILE ...       and every rule of axe-core (axe.min.js); see axe.sh
#     SHOTS=FOLDER ...   and a picture of each look
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../e2e/lib.sh"
. "$here/webdriver.sh"
wd_have || {
	echo "browser: skipped, no chromium, chromium-driver, jq or curl"
	exit 77
}
needs sqlite3
needs git

# ---- a machine with something of everything

mkdir -p notes/sub
printf 'one\ntwo\nthree\n' >notes/a.md
printf 'token = "gh%s"\nrest\n' "p_16C7e42F292c6912E7710c838347Ae178B4a" >notes/deploy.env
printf 'hostile\n' >"notes/<img src=x onerror=alert(1)>.md"
printf 'left out\n' >notes/x.tmp
sqlite3 notes/app.db 'CREATE TABLE t(id INTEGER PRIMARY KEY, x); INSERT INTO t(x) VALUES(1), (2)'
git init -q --bare remote.git
cat >"$CONFIG" <<TOML
[[watch]]
path = "$W/notes"
exclude = ["*.tmp"]
[brain]
remote = "$W/remote.git"
settle = "100ms"
[sqlite]
every = "1s"
[api]
http = "127.0.0.1:0"
TOML
agent=
cleanup() {
	wd_stop
	[ -z "$agent" ] || { kill "$agent" && wait "$agent"; } 2>/dev/null || true
}
at_end=cleanup
until_true() {
	for _ in $(seq 400); do
		if "$@" >/dev/null 2>&1; then
			return 0
		fi
		sleep 0.1
	done
	fail "never true: $*"
	return 0
}
# until_js WHAT EXPRESSION
until_js() {
	for _ in $(seq 300); do
		[ "$(wd_js "return !!($2)" 2>/dev/null)" != true ] || return 0
		sleep 0.1
	done
	fail "never so in the browser: $1"
	wd_js 'return document.body.innerText.slice(0, 1500)' | jq -r . >&2
	return 0
}
js_is() {
	is "$(wd_js "$2" | jq -r .)" "$3" "$1"
}
new_link() {
	"$MIRROR" web --no-open 2>/dev/null
}
"$MIRROR" run >agent.out 2>agent.err &
agent=$!
until_true sh -c "'$MIRROR' db list --json | jq -e '.databases[0].snapshots[0]'"
"$MIRROR" --once >/dev/null 2>&1 || true
printf 'one\n2\nthree\nfour\n' >notes/a.md
"$MIRROR" --once >/dev/null 2>&1 || true

wd_start "$W/browser" 1280 900
link=$(new_link)
base=${link%/enter*}

# ---- first load

wd_go "$link"
until_js "the page behind the link" "location.pathname === '/' && document.querySelector('.verdict')"
js_is "who it speaks of" 'return document.querySelector("h1").textContent' \
	"mirror on $("$MIRROR" machines --json | jq -r '.machines[0].name')"
js_is "the state as a word" 'return /healthy|degraded|failed|unknown/.test(document.querySelector(".badge").textContent)' true
js_is "the first words" 'return document.querySelector("main, .sentence").className' sentence
js_is "the link in the address" 'return location.href.includes("key=")' false
js_is "the cookie for scripts" 'return document.cookie' ''
js_is "a hostile name as markup" 'return document.querySelectorAll("img").length' 0

# The numbers of the page are those of the ledger.
js_is "mirrored" 'return document.querySelector("[data-live=n-mirrored]").textContent' \
	"$("$MIRROR" ledger --json --state mirrored 2>/dev/null | wc -l)"

# ---- filter, diff, why, download

wd_js 'document.querySelector("select[name=state]").value = "redacted"' >/dev/null
wd_click '.filter button'
until_js "the filter" "new URLSearchParams(location.search).get('state') === 'redacted'"
js_is "files that pass" 'return [...document.querySelectorAll("#files .file a")].map(a => a.textContent).join()' notes/deploy.env
js_is "the choice stays" 'return document.querySelector("select[name=state]").value' redacted
wd_go "$base/"
wd_click '#changes .paths a[href*="diff"]'
until_js "a diff" "document.querySelector('#diff pre')"
js_is "what was added" 'return [...document.querySelectorAll("#diff .add")].map(e => e.textContent).join()' "+2,+four"
js_is "what was removed" 'return [...document.querySelectorAll("#diff .del")].map(e => e.textContent).join()' "-two"
js_is "a version" 'return fetch(document.querySelector("#versions li:last-child a[href*=content]").href).then(r => r.text())' \
	"$(printf 'one\ntwo\nthree\n')"
wd_go "$base/"
js_is "a snapshot" 'const a = document.querySelector("#databases a[href*=snapshots]");
	return fetch(a.href).then(r => r.arrayBuffer()).then(b => crypto.subtle.digest("SHA-256", b))
	.then(h => [...new Uint8Array(h)].map(b => b.toString(16).padStart(2, "0")).join(""))' \
	"$(curl -s --unix-socket "$XDG_RUNTIME_DIR/mirror/api.sock" http://localhost/v1/databases |
		jq -r '.databases[0].snapshots[-1].stored_sha256')"

# ---- buttons

wd_click 'form[action="/v1/pause"] button'
until_js "a pause" "document.querySelector('.verdict').textContent.includes('paused until')"
js_is "what was done is told" 'return document.querySelector(".done").getAttribute("role")' status
[ "$("$MIRROR" status --json | jq -r .agent.paused)" = true ] || fail "it is not paused"
wd_click 'form[action="/v1/resume"] button'
until_js "the end of the pause" "!document.querySelector('.verdict').textContent.includes('paused until')"
wd_click 'form[action="/v1/drills"] button'
until_true sh -c "curl -s --unix-socket '$XDG_RUNTIME_DIR/mirror/api.sock' http://localhost/v1/drills | jq -e .last"
wd_go "$base/"
js_is "the drill" 'return document.querySelector("#drills .badge").textContent' healthy

wd_click '#secrets a'
until_js "the secrets of a file" "document.querySelector('form[action=\"/v1/secrets/allow\"] button')"
js_is "the secret itself" 'return document.documentElement.outerHTML.includes("16C7e42F292c")' false
wd_click 'form[action="/v1/secrets/allow"] button'
until_true sh -c "'$MIRROR' secrets list --json | jq -e '.allowed[0]'"
until_true sh -c "'$MIRROR' why notes/deploy.env --json | jq -e '.state == \"mirrored\"'"

# ---- numbers refresh themselves, and say when they are old

wd_go "$base/"
until_js "the event stream" "performance.getEntriesByType('resource').some(e => e.name.endsWith('/v1/events')) || true"
before=$(wd_js 'return document.querySelector("[data-live=n-mirrored]").textContent' | jq -r .)
sleep 1
printf 'new\n' >notes/new.md
until_js "a number that grows" "Number(document.querySelector('[data-live=n-mirrored]').textContent) > $before"
until_js "a word that there is more" "!document.getElementById('fresh').hidden"

# ---- what others may not do

js_is "a request without the page's token" 'return fetch("/v1/pause", {method: "POST"}).then(r => r.status)' 403
js_is "a token that is none" 'return fetch("/v1/pause", {method: "POST", headers: {"X-CSRF-Token": "0".repeat(64)}}).then(r => r.status)' 403
js_is "a session restores" 'return fetch("/v1/databases/notes%2Fapp.db/restore", {method: "PUT", body: "x",
	headers: {"X-CSRF-Token": document.querySelector("[name=csrf]").value}}).then(r => r.status)' 403
wd_js 'document.body.insertAdjacentHTML("beforeend", "<img src=x onerror=\"window.ran = 1\"><p onclick=\"window.ran = 1\" id=bait>x</p>")
	document.getElementById("bait").click();
	const s = document.createElement("script"); s.textContent = "window.ran = 1"; document.body.append(s);' >/dev/null
js_is "script that came in" 'return window.ran === undefined' true
wd_logs >provoked
# Another site's page: its form brings neither the cookie nor the token.
mkdir evil
printf '<!doctype html><title>evil</title><form method="post" action="%s/v1/pause"><button>win</button></form>' "$base" >evil/index.html
wd_go "file://$W/evil/index.html"
wd_click button
until_js "the answer to another site" "document.title !== 'evil'"
[ "$("$MIRROR" status --json | jq -r .agent.paused)" = false ] || fail "another site paused it"
js_is "another site framed it" 'return document.body.textContent.includes("Pause for an hour")' false
# The same address by another name of the host.
wd_go "${base/127.0.0.1/localhost}/"
js_is "without its cookie" 'return document.body.textContent.includes("mirror web")' true
wd_logs >/dev/null

# ---- everybody can use it

wd_go "$base/"
for width in 320 768 1280; do
	for look in light dark; do
		for path in / /files/notes/a.md; do
			# One file's page is simpler: its two ends.
			case $path$width$look in
			/files/*320dark | /files/*1280light | /3* | /7* | /1*) ;;
			*) continue ;;
			esac
			wd_look "$width" "$look"
			wd_go "$base$path"
			wd_js "$(cat "$here/a11y.js")" | jq -r '.[]' >wrong
			[ ! -s wrong ] || fail "$path, $width px, $look: $(cat wrong)"
			if [ -n "${AXE-}" ]; then
				wd_js_file "$AXE" >/dev/null
				wd_js 'return axe.run(document, {resultTypes: ["violations"]}).then(r => [r.testEngine.version,
					...r.violations.map(v => v.id + ": " + v.help + ": " + v.nodes[0].html)])' | jq -r '.[]' >axe
				echo "axe $(head -1 axe): $path, $width px, $look: $(($(wc -l <axe) - 1)) violations"
				sed 1d axe | grep . >&2 && fail "axe"
			fi
			[ -z "${SHOTS-}" ] || wd_shot "$SHOTS/$(basename "$path" .md)-$width-$look.png"
		done
	done
done
# The checks themselves: a page with faults is heard of.
wd_js 'document.querySelector("main").insertAdjacentHTML("beforeend", "<section><h5>deep</h5><a href=\"#nowhere\"></a>" +
	"<p id=pale>pale</p><button id=small>s</button></section>");
	document.getElementById("pale").style.color = "#777"; document.getElementById("small").style = "min-height:0;font-size:8px;padding:0"' \
	>/dev/null
wd_js "$(cat "$here/a11y.js")" | jq -r '.[]' >wrong
for fault in "a heading skips a level" "no name" "a link to nowhere" "a part without a name" "contrast" "a small target"; do
	says wrong "$fault"
done
# With the keyboard alone: the first stop leads past the head, each next one is further down.
wd_look 1280 light
wd_go "$base/"
TAB=$(printf '\356\200\204') ENTER=$(printf '\356\200\207')
keys() {
	wd POST "$WD_SESSION/actions" "$(jq -n --arg key "$1" '{actions: [{type: "key", id: "k",
		actions: [{type: "keyDown", value: $key}, {type: "keyUp", value: $key}]}]}')" >/dev/null
}
keys "$TAB"
js_is "the first stop" 'return document.activeElement.textContent' "To the content"
keys "$ENTER"
js_is "where it leads" 'return location.hash' "#main"
wd_js 'document.activeElement.blur(); window.stops = []; addEventListener("focusin", e => stops.push(e.target))' >/dev/null
for _ in 1 2 3 4 5 6 7 8; do
	keys "$TAB"
done
js_is "the order of focus" 'return stops.length >= 8 && stops.every((e, i) => i === 0 ||
	(stops[i - 1].compareDocumentPosition(e) & 4) !== 0)' true

# Zero words on the console, and nobody else was asked for anything.
wd_logs >console
[ ! -s console ] || fail "the console says: $(cat console)"
wd_requests | grep -vE "^($base|${base/127.0.0.1/localhost}|file://$W/|data:|chrome|devtools)" >elsewhere || true
[ ! -s elsewhere ] || fail "it asked elsewhere: $(cat elsewhere)"

# ---- without scripts

wd_cdp Emulation.setScriptExecutionDisabled '{"value": true}' >/dev/null
wd_go "$base/"
runs=$("$MIRROR" status --json | jq .jobs.sync.want)
wd_click 'form[action="/v1/cycles"] button'
until_true sh -c "[ \"\$('$MIRROR' status --json | jq .jobs.sync.want)\" -gt $runs ]"
wd_cdp Emulation.setScriptExecutionDisabled '{"value": false}' >/dev/null
js_is "what was done, without scripts" 'return document.querySelector(".done") !== null' true

# ---- the agent goes: the page says that it may be old

wd_go "$base/"
until_js "fresh news" "document.getElementById('stale').textContent === ''"
sleep 1
kill "$agent"
wait "$agent" || true
agent=
until_js "a word that it may be old" "document.getElementById('stale').textContent.includes('may be old')"
