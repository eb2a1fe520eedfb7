// SPDX-License-Identifier: GPL-2.0-or-later
//
// The body of a function for a browser: what is wrong with this page for somebody who does
// not see it, does not use a mouse, or has a small screen (WCAG 2.2, level AA).  Returns a
// list of sentences; none is good.
const wrong = [];
const say = (what, e) => wrong.push(what + (e ? ': ' + e.outerHTML.slice(0, 120) : ''));
const all = s => [...document.querySelectorAll(s)];
const shown = e => e.checkVisibility({ visibilityProperty: true });

// 2.4.2, 3.1.1: a title, a language.
if (!document.title.trim()) say('no title');
if (document.documentElement.lang !== 'en') say('no language');

// 1.3.1, 2.4.6: one h1, no level is skipped, none is empty; landmarks.
let level = 0;
for (const h of all('h1,h2,h3,h4,h5,h6')) {
	const now = Number(h.tagName[1]);
	if (now > level + 1) say('a heading skips a level', h);
	if (!h.textContent.trim()) say('an empty heading', h);
	level = now;
}
for (const [s, n] of [['h1', 1], ['main', 1], ['header', 1]])
	if (all(s).length !== n) say(all(s).length + ' of ' + s);
for (const e of all('nav,section'))
	if (!e.ariaLabel && !document.getElementById(e.getAttribute('aria-labelledby'))) say('a part without a name', e);

// 4.1.1 of old: an id stands once; whatever refers to one finds it.
const ids = all('[id]').map(e => e.id);
for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) say('an id twice: ' + id);
for (const a of all('a[href^="#"]'))
	if (!document.getElementById(a.getAttribute('href').slice(1))) say('a link to nowhere', a);

// 4.1.2, 1.1.1: every control, link and picture has a name.
const name = e => e.ariaLabel || (e.labels && [...e.labels].map(l => l.textContent).join(' ')) || e.textContent || e.title;
for (const e of all('a[href],button,input:not([type=hidden]),select,summary,svg[role=img],[role=region]'))
	if (!String(name(e) || '').trim()) say('no name', e);
for (const e of all('svg')) if (e.getAttribute('role') !== 'img') say('a picture without a role', e);
for (const t of all('table')) {
	if (!t.querySelector('th[scope=col]')) say('a table without headings', t);
}
for (const u of all('ul,ol')) for (const c of u.children) if (c.tagName !== 'LI') say('a list with something else', u);

// 2.4.3, 2.1.1: focus goes in the order of the page, everything that does something can have it.
for (const e of all('[tabindex]')) if (e.tabIndex > 0) say('a place of its own in the order of focus', e);
for (const e of all('pre')) if (e.scrollWidth > e.clientWidth && e.tabIndex < 0) say('it scrolls and cannot have the focus', e);

// 2.4.7, 2.4.11: the focus is seen.
for (const e of all('a[href],button,input:not([type=hidden]),select')) {
	if (!shown(e)) continue;
	e.focus({ focusVisible: true });
	const s = getComputedStyle(e);
	if (document.activeElement !== e) say('it does not take the focus', e);
	else if (s.outlineStyle === 'none' || parseFloat(s.outlineWidth) < 2) say('the focus is not seen', e);
}
document.activeElement.blur();
scrollTo(0, 0);

// 2.5.8: targets of at least 24 by 24, or text in a line with room around it.
for (const e of all('button,input:not([type=hidden]),select,summary')) {
	const r = e.getBoundingClientRect();
	if (shown(e) && (r.width < 24 || r.height < 24)) say('a small target', e);
}

// 1.4.10: nothing is wider than the window.
if (document.documentElement.scrollWidth > innerWidth) {
	say('wider than the window: ' + document.documentElement.scrollWidth);
	for (const e of all('body *')) if (e.getBoundingClientRect().right > innerWidth + 1 && !e.closest('pre,.scroll')) say('  by', e);
}

// 1.4.3, 1.4.11: contrast of every text with what is behind it, and of the edges of controls.
const rgb = c => (c.match(/[\d.]+/g) || [0, 0, 0, 0]).map(Number);
const over = (top, below) => { const a = top.length > 3 ? top[3] : 1; return [0, 1, 2].map(i => top[i] * a + below[i] * (1 - a)); };
const behind = e => {
	const list = [];
	for (let at = e; at; at = at.parentElement) list.push(rgb(getComputedStyle(at).backgroundColor));
	return list.reverse().reduce((below, top) => over(top, below), [255, 255, 255]);
};
const light = c => { const [r, g, b] = c.map(v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
const ratio = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05); };
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
const seen = new Set();
while (walker.nextNode()) {
	const e = walker.currentNode.parentElement;
	if (!walker.currentNode.textContent.trim() || seen.has(e) || !shown(e) || e.closest('svg,script,style')) continue;
	seen.add(e);
	const s = getComputedStyle(e), size = parseFloat(s.fontSize), back = behind(e);
	const large = size >= 24 || (size >= 18.66 && Number(s.fontWeight) >= 700);
	const r = ratio(over(rgb(s.color), back), back);
	if (r < (large ? 3 : 4.5)) say('contrast ' + r.toFixed(2), e);
}
for (const e of all('button,input:not([type=hidden]),select')) {
	const r = ratio(rgb(getComputedStyle(e).borderTopColor), behind(e.parentElement));
	if (shown(e) && r < 3) say('an edge with contrast ' + r.toFixed(2), e);
}
for (const e of all('svg rect')) {
	const r = ratio(rgb(getComputedStyle(e).fill), behind(e.closest('section')));
	if (r < 3) say('a bar with contrast ' + r.toFixed(2), e);
}
if (seen.size < 20) say('hardly any text was seen: ' + seen.size);
return wrong;
