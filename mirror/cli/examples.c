// SPDX-License-Identifier: GPL-2.0-or-later

#include "cli/examples.h"

#include <string.h>

// clang-format off
static const struct {
	const char *verb;
	const char *text;
} rows[] = {
	{ "init",
		"mirror init --detect  # what is worth keeping here? then step by step\n"
		"mirror init ~/notes --remote git@git.example.org:me/brain.git\n"
		"mirror init --dry-run ~/notes ~/.config/nvim  # the plan alone\n"
		"mirror init --yes --service --drill ~/notes --remote /mnt/usb/brain.git\n"
		"mirror init --from git@git.example.org:me/brain.git --host laptop\n" },
	{ "add",
		"mirror add ~/work/journal\n"
		"mirror add ~/.claude --name claude\n" },
	{ "remove",
		"mirror remove claude  # by its name in the brain, or by its path\n" },
	{ "remote set",
		"mirror remote set git@git.example.org:me/brain.git\n"
		"mirror remote set none  # deliberately on this machine alone\n" },
	{ "service install",
		"mirror service install --dry-run  # the unit, and nothing done\n"
		"mirror service install\n" },
	{ "run",
		"mirror --once  # one full cycle and its push, from cron or by hand\n"
		"mirror --once --dry-run  # what it would take in\n"
		"mirror run  # always, as some supervisor's child\n" },
	{ "pause",
		"mirror pause 2h --reason \"moving the disk\"\n" },
	{ "accept",
		"mirror accept exclusions\n"
		"mirror accept --for 7d push --reason \"the server moves\"\n" },
	{ "milestone",
		"mirror milestone thesis-sent -m \"as it went to the printer\"\n" },
	{ "health",
		"mirror health  # 0 healthy, 1 degraded, 2 failed, 3 unknown\n"
		"mirror health --deep  # believe nothing, walk the disk and git\n"
		"mirror health --format=prometheus --output /var/lib/node_exporter/mirror.prom\n" },
	{ "why",
		"mirror why ~/notes/draft.md\n" },
	{ "ledger",
		"mirror ledger --state excluded\n"
		"mirror ledger --new  # left out, and nobody has accepted it\n"
		"mirror ledger --csv notes\n" },
	{ "machines",
		"mirror machines --fetch\n" },
	{ "log",
		"mirror log --limit 5 ~/notes/draft.md\n" },
	{ "restore",
		"mirror restore ~/notes/draft.md  # beside the folder, nothing is replaced\n"
		"mirror restore --at \"yesterday 18:00\" --to ~/back notes\n"
		"mirror restore --in-place ~/notes/draft.md\n"
		"mirror restore --undo  # takes the last one in place back\n"
		"mirror restore --host laptop --to ~/back notes\n" },
	{ "drill",
		"mirror drill\n"
		"mirror drill --files 5000\n" },
	{ "db restore",
		"mirror db restore notes/app.db ~/.local/share/mirror/snapshots/x.sqlite.zst\n" },
	{ "secrets history",
		"mirror secrets history --value ~/old-token  # was this ever committed?\n" },
	{ "secrets purge",
		"mirror secrets purge --value ~/old-token  # looks, and gives a word\n" },
	{ "key new",
		"mirror key new --out /media/stick/mirror.key\n" },
	{ "scan",
		"mirror scan  # this folder\n"
		"mirror scan --staged  # what the next commit would take\n"
		"mirror scan --format=sarif ~/work\n"
		"mirror scan --explain notes.md:12\n" },
	{ "config show",
		"mirror config show --origin\n" },
};
// clang-format on

const char *
examples_of(const char *verb)
{
	for (size_t i = 0; i < countof(rows); i++) {
		if (strcmp(rows[i].verb, verb) == 0) {
			return rows[i].text;
		}
	}
	return NULL;
}
