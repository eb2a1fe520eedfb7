// SPDX-License-Identifier: GPL-2.0-or-later

#include "serve/page_style.h"

// One column, from 64rem on two; every colour is a variable, once for light and once for
// dark.  Contrast of every pair of text is at least 4.5 to 1, of edges that matter 3 to
// 1: tests/serve/browser.sh measures it.
// clang-format off
const char *const page_style[] = {
	":root{color-scheme:light dark;"
	"--bg:#f6f7f9;--card:#fff;--fg:#1b1f24;--faint:#57606c;--line:#dfe3e8;--edge:#767e89;--soft:#f0f2f5;--link:#0a53a8;"
	"--good:#0f6b33;--warn:#7f4b00;--bad:#ab1419;--note:#55458a;--bar:#44689c;"
	"--good-bg:#e7f4ec;--warn-bg:#fcf1dd;--bad-bg:#fdeaea;--note-bg:#efecf9}"
	"@media(prefers-color-scheme:dark){:root{"
	"--bg:#121519;--card:#1a1e23;--fg:#e6e9ed;--faint:#a4adb9;--line:#2c333b;--edge:#7f8994;--soft:#232930;--link:#8cbaff;"
	"--good:#74d99a;--warn:#f0b95e;--bad:#ff9893;--note:#c6b8f7;--bar:#86abdf;"
	"--good-bg:#16291e;--warn-bg:#2e2412;--bad-bg:#351b1c;--note-bg:#262136}}"
	"*{box-sizing:border-box}"
	"body{margin:0 auto;max-width:78rem;padding:1rem;background:var(--bg);color:var(--fg);"
	"font:1rem/1.5 system-ui,-apple-system,'Segoe UI',Roboto,'Noto Sans',sans-serif;overflow-wrap:anywhere}"
	"@media(min-width:40rem){body{padding:1.5rem 2rem}}"
	"a{color:var(--link)}a:hover{text-decoration-thickness:2px}"
	":focus-visible{outline:3px solid var(--link);outline-offset:2px;border-radius:4px}"
	".skip{position:absolute;left:-99rem}.skip:focus{position:static;display:inline-block;padding:.5rem}"
	"header{margin-bottom:1.25rem}"
	"h1{font-size:1.125rem;font-weight:600;margin:0}"
	"h2{font-size:1.0625rem;margin:0 0 .75rem}h3{font-size:1rem;margin:1.25rem 0 .25rem}h3:first-of-type{margin-top:0}"
	"p{margin:.5rem 0}small,.faint{color:var(--faint);font-size:.875rem}"
	"code,pre{font-family:ui-monospace,'SF Mono',Menlo,Consolas,'DejaVu Sans Mono',monospace;font-size:.875em}"
	"code{background:var(--soft);border-radius:4px;padding:.1em .35em}"
	"pre{background:var(--soft);border-radius:8px;padding:.75rem;margin:0;overflow-x:auto;white-space:pre}"
	"ul{margin:0;padding:0;list-style:none}",

	// The head: who this is, how it is, where to go.
	".bar-top{display:flex;flex-wrap:wrap;gap:.25rem 1.5rem;align-items:baseline;justify-content:space-between;margin-bottom:1rem}"
	"nav ul{display:flex;flex-wrap:wrap;gap:.125rem 1rem;font-size:.9375rem}nav a{display:inline-block;padding:.125rem 0}"
	".verdict{background:var(--card);border:1px solid var(--line);border-left:.5rem solid var(--edge);border-radius:12px;"
	"padding:1.125rem 1.25rem;margin:0}"
	".verdict p{margin:.5rem 0 0}.verdict p:first-child{margin:0}"
	".sentence{font-size:1.1875rem;line-height:1.4;text-wrap:pretty}@media(min-width:40rem){.sentence{font-size:1.375rem}}"
	".verdict.healthy{border-left-color:var(--good)}.verdict.degraded{border-left-color:var(--warn)}"
	".verdict.failed{border-left-color:var(--bad)}.verdict.unknown{border-left-color:var(--note)}"
	".done,.news{background:var(--good-bg);border-radius:8px;padding:.6rem .9rem;margin:1rem 0 0}"
	".news{background:var(--warn-bg)}.news:empty{display:none}",

	// The parts, as cards.
	"main{display:grid;gap:1rem;grid-template-columns:minmax(0,1fr)}main:focus{outline:none}"
	"section{background:var(--card);border:1px solid var(--line);border-radius:12px;padding:1.125rem 1.25rem;min-width:0;"
	"scroll-margin-top:1rem}"
	"@media(min-width:64rem){main.parts{grid-template-columns:repeat(2,minmax(0,1fr))}main.parts>*{grid-column:1/-1}"
	"main.parts>.half{grid-column:auto}}"
	".rows>li{padding:.5rem 0;border-top:1px solid var(--line)}.rows>li:first-child{border-top:0;padding-top:0}"
	".rows>li:last-child{padding-bottom:0}",

	// A state is a word in a box; its colour only helps.
	".badge{display:inline-block;padding:.05rem .55rem;border-radius:99px;font-size:.8125rem;font-weight:600;line-height:1.45;"
	"white-space:nowrap;background:var(--soft);color:var(--fg);border:1px solid currentColor}"
	".healthy.badge,.ok.badge,.mirrored.badge,.passed.badge{color:var(--good);background:var(--good-bg)}"
	".degraded.badge,.pending.badge,.cancelled.badge,.reclaimed.badge{color:var(--warn);background:var(--warn-bg)}"
	".failed.badge,.unaccounted.badge,.timeout.badge{color:var(--bad);background:var(--bad-bg)}"
	".unknown.badge,.redacted.badge,.sealed.badge,.snapshotted.badge{color:var(--note);background:var(--note-bg)}"
	".excluded.badge{color:var(--faint);background:var(--soft)}",

	// The accounting.
	"svg{display:block;width:100%}.strip{height:1.5rem;border-radius:6px;overflow:hidden}"
	".strip rect{stroke:var(--card);stroke-width:1.5;vector-effect:non-scaling-stroke}"
	".legend{display:grid;grid-template-columns:repeat(auto-fill,minmax(9.5rem,1fr));gap:.25rem 1rem;margin:.9rem 0 .5rem}"
	".legend li{display:flex;gap:.5rem;align-items:baseline;min-height:1.5rem}.legend strong{margin-left:auto;font-variant-numeric:tabular-nums}"
	".swatch{flex:none;width:.75rem;height:.75rem;border-radius:3px;align-self:center}"
	".f-mirrored{fill:var(--good);background:var(--good)}.f-redacted{fill:var(--note);background:var(--note)}"
	".f-sealed{fill:var(--link);background:var(--link)}.f-snapshotted{fill:var(--bar);background:var(--bar)}"
	".f-excluded{fill:var(--edge);background:var(--edge)}.f-pending{fill:var(--warn);background:var(--warn)}"
	".f-failed,.f-unaccounted{fill:var(--bad);background:var(--bad)}",

	// Buttons, each beside its command.
	"button,input,select{font:inherit;color:inherit;background:var(--card);border:1px solid var(--edge);border-radius:8px;"
	"padding:.375rem .8rem;max-width:100%;min-height:2.25rem}"
	"button{cursor:pointer;background:var(--soft);font-weight:500}button:hover{border-color:var(--fg)}"
	"form.do{display:flex;flex-wrap:wrap;gap:.35rem .75rem;align-items:center;margin:.5rem 0}"
	".actions form.do{display:grid;justify-items:start}.actions button{text-align:left;width:100%}"
	"@media(min-width:30rem){.actions form.do{grid-template-columns:11.5rem 1fr}}"
	".filter{display:grid;gap:.6rem;margin-bottom:1rem;align-items:end}"
	"@media(min-width:40rem){.filter{grid-template-columns:10rem 1fr 1fr auto}}.filter label{display:grid;font-size:.875rem}"
	".filter input,.filter select{font-size:1rem;width:100%}",

	// Rows with a state, a name and small print.
	".facts{display:grid;gap:0 2.5rem}.facts>li{padding:.5rem 0;border-top:1px solid var(--line)}"
	"@media(min-width:64rem){.facts{grid-template-columns:repeat(2,minmax(0,1fr))}}"
	".head{display:flex;flex-wrap:wrap;gap:.25rem .6rem;align-items:baseline}.head small{margin-left:auto}"
	".file{display:grid;gap:0 .75rem;grid-template-columns:minmax(0,1fr);align-items:baseline}.file .badge{justify-self:start}"
	"@media(min-width:48rem){.file{grid-template-columns:7rem minmax(0,1fr) auto}.file small{text-align:right}}"
	".paths{margin:.25rem 0 0}.paths li{display:flex;flex-wrap:wrap;gap:0 .6rem;padding:.125rem 0}"
	".word{color:var(--faint);min-width:4.25rem;font-size:.875rem}",

	// The picture, and a diff.
	".graph{height:4.5rem;border-bottom:1px solid var(--edge)}.graph rect{fill:var(--bar)}.graph .wait{fill:var(--warn)}"
	".ends{display:flex;justify-content:space-between;margin:.25rem 0 .75rem}"
	"table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums;font-size:.875rem}"
	"th,td{text-align:right;padding:.2rem .5rem;border-bottom:1px solid var(--line)}th:first-child,td:first-child{text-align:left}"
	"summary{cursor:pointer;padding:.25rem 0;color:var(--link)}"
	".scroll{overflow-x:auto}"
	".add{color:var(--good);background:var(--good-bg)}.del{color:var(--bad);background:var(--bad-bg)}.hunk{color:var(--note)}"
	"@media print{body{max-width:none}form,nav,.skip{display:none}section{break-inside:avoid}}",
	NULL,
};

// Words and numbers that carry data-live get the newest ones; ages grow; when there is no
// news any more, or more than numbers changed, the page says so.
const char page_script[] =
	"const q=s=>document.querySelectorAll(s),"
	"set=(k,t)=>q('[data-live=\"'+k+'\"]').forEach(e=>{if(e.textContent!==String(t))e.textContent=t}),"
	"show=(id,...words)=>{const e=document.getElementById(id);"
	"if(!words.length||!e.firstChild)e.replaceChildren(...words)},"
	"el=(tag,text)=>Object.assign(document.createElement(tag),{textContent:text}),"
	"age=s=>s<120?s+' s':s<7200?(s/60|0)+' min':s<172800?(s/3600|0)+' h':(s/86400|0)+' days';"
	"setInterval(()=>q('time[data-age]').forEach(e=>{"
	"const s=(Date.now()-Date.parse(e.dateTime))/1000|0;if(s>=0)e.textContent=age(s)+' ago'}),5000);"
	"let first;"
	"const es=new EventSource('/v1/events');"
	"es.addEventListener('status',e=>{const d=JSON.parse(e.data);"
	"set('sentence',d.sentence||'');"
	"q('[data-live=state]').forEach(b=>{b.textContent=d.state;b.className='badge '+d.state});"
	"q('.verdict').forEach(v=>{v.className='verdict '+d.state});"
	"for(const k in d.accounting||{})set('n-'+k,d.accounting[k]);"
	"for(const k in d.jobs||{})set('job-'+k,d.jobs[k]);"
	"const now=[d.state,d.head,JSON.stringify(d.accounting)].join();"
	"if(first===undefined)first=now;else if(first!==now)show('fresh','Something changed. ',"
	"Object.assign(el('a','Load the page again'),{href:'/'}));"
	"show('stale')});"
	"es.onerror=()=>show('stale','No news: the agent does not answer. What stands here may be old. Run: ',"
	"el('code','mirror health'));"
	"addEventListener('pagehide',()=>es.close());";
// clang-format on
