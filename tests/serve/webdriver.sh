# SPDX-License-Identifier: GPL-2.0-or-later
#
# A real browser, driven by WebDriver's JSON with curl and jq; read by browser.sh and
# shots.sh.  The browser's own programs come from Debian: chromium, chromium-driver.
#
#     wd_start FOLDER WIDTH HEIGHT     a browser with a profile of its own
#     wd_go URL                        load it, wait until it is loaded
#     wd_js 'return document.title'    run a function body; its JSON on standard output
#     wd_js_file FILE
#     wd_click CSS                     as a person would: it must be visible
#     wd_type CSS TEXT
#     wd_cdp METHOD JSON               Chromium's own protocol
#     wd_shot FILE                     the whole page as PNG
#     wd_logs                          what the console said: one JSON object a line
#     wd_stop
WD_KEY=element-6066-11e4-a52e-4f735466cecf

wd_have() {
	command -v chromium >/dev/null && command -v chromedriver >/dev/null &&
		command -v jq >/dev/null && command -v curl >/dev/null
}

# One request; the answer's value, or what went wrong and status 1.
wd() {
	local method=$1 path=$2 body=${3-} answer
	if [ "$method" = POST ]; then
		[ -n "$body" ] || body='{}'
		answer=$(curl -sS --max-time 90 -H 'Content-Type: application/json' --data-binary @- \
			"http://127.0.0.1:$WD_PORT$path" <<<"$body") || return 1
	else
		answer=$(curl -sS --max-time 90 -X "$method" "http://127.0.0.1:$WD_PORT$path") || return 1
	fi
	if jq -e '.value | type == "object" and has("error")' >/dev/null <<<"$answer"; then
		jq -r '.value | "webdriver: \(.error): \(.message)"' <<<"$answer" | head -3 >&2
		return 1
	fi
	jq -c .value <<<"$answer"
}

wd_start() {
	local folder=$1 width=$2 height=$3 log=$1/chromedriver.log
	mkdir -p "$folder/profile" "$folder/home" "$folder/cache"
	HOME=$folder/home XDG_CACHE_HOME=$folder/cache XDG_CONFIG_HOME=$folder/home \
		chromedriver --port=0 >"$log" 2>&1 &
	WD_PID=$!
	for _ in $(seq 300); do
		WD_PORT=$(sed -n 's/.*started successfully on port \([0-9]*\).*/\1/p' "$log")
		[ -z "$WD_PORT" ] || break
		sleep 0.1
	done
	[ -n "$WD_PORT" ] || { cat "$log" >&2; return 1; }
	local answer
	answer=$(jq -n --arg profile "$folder/profile" --arg size "$width,$height" '{capabilities: {alwaysMatch: {
		"goog:loggingPrefs": {browser: "ALL", performance: "ALL"},
		"goog:chromeOptions": {binary: "/usr/bin/chromium", args: ["--headless", "--no-sandbox", "--disable-gpu",
			"--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
			"--disable-sync", "--disable-dev-shm-usage", "--hide-scrollbars", "--force-device-scale-factor=1",
			"--user-data-dir=\($profile)", "--window-size=\($size)"]}}}}')
	answer=$(wd POST /session "$answer") || return 1
	WD_SESSION=/session/$(jq -r .sessionId <<<"$answer")
}

wd_stop() {
	[ -z "${WD_SESSION-}" ] || wd DELETE "$WD_SESSION" >/dev/null 2>&1 || true
	if [ -n "${WD_PID-}" ]; then
		kill "$WD_PID" 2>/dev/null || true
		wait "$WD_PID" 2>/dev/null || true
	fi
	WD_SESSION='' WD_PID=''
}

wd_go() {
	wd POST "$WD_SESSION/url" "$(jq -n --arg url "$1" '{url: $url}')" >/dev/null
}

wd_js() {
	wd POST "$WD_SESSION/execute/sync" "$(jq -n --arg script "$1" '{script: $script, args: []}')"
}

wd_find() {
	wd POST "$WD_SESSION/element" "$(jq -n --arg css "$1" '{using: "css selector", value: $css}')" |
		jq -r ".\"$WD_KEY\""
}

wd_js_file() {
	wd POST "$WD_SESSION/execute/sync" "$(jq -n --rawfile script "$1" '{script: $script, args: []}')"
}

wd_click() {
	local id
	id=$(wd_find "$1") && wd POST "$WD_SESSION/element/$id/click" >/dev/null
}

wd_type() {
	local id
	id=$(wd_find "$1") && wd POST "$WD_SESSION/element/$id/value" "$(jq -n --arg text "$2" '{text: $text}')" >/dev/null
}

wd_cdp() {
	wd POST "$WD_SESSION/goog/cdp/execute" "$(jq -n --arg cmd "$1" --argjson params "${2:-{\}}" '{cmd: $cmd, params: $params}')"
}

wd_shot() {
	wd_cdp Page.captureScreenshot '{"captureBeyondViewport": true}' | jq -r .data | base64 -d >"$1"
}

# The look of the page: width, and "light" or "dark".
wd_look() {
	wd_cdp Emulation.setDeviceMetricsOverride \
		"{\"width\": $1, \"height\": 900, \"deviceScaleFactor\": 1, \"mobile\": false}" >/dev/null
	wd_cdp Emulation.setEmulatedMedia \
		"{\"features\": [{\"name\": \"prefers-color-scheme\", \"value\": \"$2\"}]}" >/dev/null
}

wd_logs() {
	wd POST "$WD_SESSION/se/log" '{"type": "browser"}' | jq -c '.[]'
}

# Every address that was asked for, one a line.
wd_requests() {
	wd POST "$WD_SESSION/se/log" '{"type": "performance"}' |
		jq -r '.[].message | fromjson | .message | select(.method == "Network.requestWillBeSent") | .params.request.url'
}
