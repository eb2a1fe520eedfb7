// SPDX-License-Identifier: GPL-2.0-or-later

#include "health/probe.h"

#include "base/fd.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "config/config.h"
#include "config/places.h"
#include "health/record.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define UNIT "mirror.service"

enum {
	/** Room for so many cycles like the next one is comfortable. */
	SPACE_COMFORT = 3,
	/** What a snapshot wants beside its own size. */
	SPACE_SNAPSHOT = 1024 * 1024,
};

static const char *
sysroot(const struct probe *probe)
{
	return probe->input->sysroot != NULL ? probe->input->sysroot : "";
}

/* ---- space ---- */

struct volume {
	/** "the brain repo", for people. */
	const char *what;
	const char *path;
	int64_t need;
	bool known;
	uint64_t device;
	int64_t free;
	bool no_inodes;
};

// The folder itself, or the nearest one above it that exists: it is made there.
static void
measure_volume(struct volume *volume)
{
	AUTO_FREE char *path = path_normal(volume->path);
	struct statvfs space;
	struct stat info;

	while (stat(path, &info) < 0 && errno == ENOENT && strcmp(path, "/") != 0) {
		char *slash = strrchr(path, '/');

		slash[slash == path ? 1 : 0] = '\0';
	}
	if (stat(path, &info) < 0 || statvfs(path, &space) < 0) {
		return;
	}
	volume->known = true;
	volume->device = (uint64_t)info.st_dev;
	volume->free = (int64_t)(space.f_bavail * (fsblkcnt_t)space.f_frsize);
	// Some file systems count no inodes and say 0 of 0.
	volume->no_inodes = space.f_files > 0 && space.f_favail == 0;
}

// What the databases' journals hold is written once more at the next checkpoint.
static int64_t
wal_bytes(const char *state_dir)
{
	DIR *dir = opendir(state_dir);
	struct dirent *entry;
	int64_t sum = 0;

	if (dir == NULL) {
		return 0;
	}
	while ((entry = readdir(dir)) != NULL) {
		size_t len = strlen(entry->d_name);
		struct stat info;

		if (len > 4 && strcmp(entry->d_name + len - 4, "-wal") == 0 &&
			fstatat(dirfd(dir), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) ==
				0) {
			sum += info.st_size;
		}
	}
	(void)closedir(dir);
	return sum;
}

static int
largest_database(const struct evidence_row *row, void *payload)
{
	int64_t *largest = payload;

	if (strncmp(row->name, "db:", 3) == 0) {
		*largest = MAX_OF(*largest, row->value);
	}
	return 0;
}

// The next cycle: as much as the last one, and what is waiting.
static int64_t
cycle_need(struct probe *probe)
{
	struct evidence_row row;
	int64_t need = probe->totals.state[LEDGER_PENDING].bytes;

	if (probe_row(probe, RECORD_CYCLE, &row) > 0) {
		need += MAX_OF(row.value, 0);
	}
	return need;
}

// One snapshot: the copy, and the archive that is made of it.
static int64_t
snapshot_need(struct probe *probe)
{
	struct err err = { 0 };
	int64_t largest = 0;

	if (probe->evidence == NULL ||
		evidence_each(probe->evidence, largest_database, &largest, &err) < 0) {
		return 0;
	}
	return largest > 0 ? 2 * largest + SPACE_SNAPSHOT : 0;
}

static void
say_volume(struct health_fact *fact, const struct volume *volume)
{
	char free_text[32];
	char need[32];
	AUTO_FREE char *action = xasprintf("free space: df -h %s", volume->path);

	if (!volume->known) {
		probe_say(fact, HEALTH_UNKNOWN, action,
			"the free space for %s cannot be measured", volume->what);
		return;
	}
	probe_bytes(volume->free, free_text);
	probe_bytes(volume->need, need);
	if (volume->no_inodes) {
		probe_say(fact, HEALTH_FAILED, "remove files: df -i",
			"the disk of %s has no inode left", volume->what);
	} else if (volume->free <= volume->need) {
		probe_say(fact, HEALTH_FAILED, action,
			"%s free for %s, the next cycle needs %s", free_text,
			volume->what, need);
	} else if (volume->free / SPACE_COMFORT <= volume->need) {
		probe_say(fact, HEALTH_DEGRADED, action,
			"%s free for %s, the next cycle needs %s", free_text,
			volume->what, need);
	}
}

// Those on one disk need it together.
static void
add_needs(struct volume volumes[], size_t count)
{
	for (size_t i = 0; i < count; i++) {
		measure_volume(&volumes[i]);
		for (size_t j = 0; j < i; j++) {
			if (volumes[i].known && volumes[j].known &&
				volumes[i].device == volumes[j].device) {
				volumes[j].need += volumes[i].need;
				volumes[i].need = 0;
				break;
			}
		}
	}
}

// A pulse that somebody writes says that the state can be written; who only reads it,
// from a container that looks on, is not asked.
static void
say_writable(struct probe *probe, struct health_fact *fact, const struct volume *volume)
{
	struct err why = { 0 };

	if (!probe->agent_lives && file_check_folder(volume->path, &why) < 0) {
		(void)probe_say(fact, HEALTH_FAILED, why.next, "nothing can be kept: %s",
			why.msg);
	}
}

void
probe_space(struct probe *probe)
{
	const struct config *config = probe->input->config;
	struct health_fact *fact = probe_add(probe, FACT_SPACE);
	AUTO_FREE char *data = places_data_dir();
	AUTO_FREE char *kept = path_join(data, "snapshots");
	struct volume volumes[] = {
		{
			.what = "the brain repo",
			.path = config != NULL ? config->brain.repo
					       : probe->input->state_dir,
			.need = cycle_need(probe),
		},
		{
			.what = "the state",
			.path = probe->input->state_dir,
			.need = wal_bytes(probe->input->state_dir),
		},
		{
			.what = "the database snapshots",
			.path = kept,
			.need = snapshot_need(probe),
		},
	};
	char free_text[32];
	char need[32];

	add_needs(volumes, countof(volumes));
	fact->value = MIN_OF(volumes[0].free, volumes[1].free);
	for (size_t i = 0; i < countof(volumes); i++) {
		// The snapshots are of no weight while there are none.
		if (i < 2 || volumes[i].need > 0) {
			say_writable(probe, fact, &volumes[i]);
			say_volume(fact, &volumes[i]);
		}
	}
	probe_bytes(volumes[0].free, free_text);
	probe_bytes(volumes[0].need, need);
	probe_say(fact, HEALTH_HEALTHY, NULL, "%s free, the next cycle needs %s",
		free_text, need);
}

/* ---- config ---- */

void
probe_config(struct probe *probe)
{
	const struct config *config = probe->input->config;
	struct health_fact *fact = probe_add(probe, FACT_CONFIG);

	if (config == NULL) {
		probe_say(fact, HEALTH_FAILED, "mirror init",
			"there is no usable configuration%s%s",
			probe->input->config_error != NULL ? ": " : "",
			probe->input->config_error != NULL ? probe->input->config_error
							   : "");
	} else if (probe->input->config_error != NULL) {
		probe_say(fact, HEALTH_DEGRADED, NULL,
			"%s; the last good one is in force", probe->input->config_error);
	} else {
		probe_say(fact, HEALTH_HEALTHY, NULL, "%s is in force", config->file);
	}
}

/* ---- reboot ---- */

static bool
exists(const char *path)
{
	struct stat info;

	// A unit is enabled by a symbolic link, which may point into a place of its own.
	return lstat(path, &info) == 0;
}

// Enabled for everybody: "mirror.service", or "mirror@user.service".
static bool
is_enabled_beneath(const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	bool found = false;

	if (dir == NULL) {
		return false;
	}
	while (!found && (entry = readdir(dir)) != NULL) {
		size_t len = strlen(entry->d_name);

		found = strcmp(entry->d_name, UNIT) == 0 ||
			(strncmp(entry->d_name, "mirror@", 7) == 0 && len > 8 &&
				strcmp(entry->d_name + len - 8, ".service") == 0);
	}
	(void)closedir(dir);
	return found;
}

static bool
is_enabled_for_system(const struct probe *probe)
{
	AUTO_FREE char *wants = xasprintf(
		"%s/etc/systemd/system/multi-user.target.wants", sysroot(probe));

	return is_enabled_beneath(wants);
}

static bool
is_enabled_for_user(const struct probe *probe)
{
	const char *xdg = getenv("XDG_CONFIG_HOME");
	AUTO_FREE char *home = places_home();
	AUTO_FREE char *own = xdg != NULL && xdg[0] == '/'
		? xasprintf("%s%s/systemd/user/default.target.wants", sysroot(probe), xdg)
		: xasprintf("%s%s/.config/systemd/user/default.target.wants",
			  sysroot(probe), home);
	AUTO_FREE char *all =
		xasprintf("%s/etc/systemd/user/default.target.wants", sysroot(probe));

	return is_enabled_beneath(own) || is_enabled_beneath(all);
}

static char *
user_name(void)
{
	struct passwd *entry = getpwuid(getuid());

	return xstrdup(entry != NULL ? entry->pw_name : "");
}

void
probe_reboot(struct probe *probe)
{
	struct health_fact *fact = probe_add(probe, FACT_REBOOT);
	AUTO_FREE char *systemd = xasprintf("%s/run/systemd/system", sysroot(probe));
	AUTO_FREE char *user = user_name();
	AUTO_FREE char *linger =
		xasprintf("%s/var/lib/systemd/linger/%s", sysroot(probe), user);

	if (!exists(systemd)) {
		probe_say(
			fact, HEALTH_HEALTHY, NULL, "this machine is not run by systemd");
		probe_note(fact, "start `mirror run` yourself when the machine starts");
		return;
	}
	if (is_enabled_for_system(probe)) {
		probe_say(fact, HEALTH_HEALTHY, NULL,
			"the service starts with the machine");
		return;
	}
	if (!is_enabled_for_user(probe)) {
		probe_say(fact, HEALTH_DEGRADED, NULL,
			"after a restart of the machine nothing would start the agent");
		probe_acceptable(fact, "not-enabled", 0);
	} else if (user[0] != '\0' && !exists(linger)) {
		AUTO_FREE char *action = xasprintf("loginctl enable-linger %s", user);

		probe_say(fact, HEALTH_DEGRADED, action,
			"the agent runs only while %s is logged in", user);
		probe_acceptable(fact, "no-linger", 0);
	} else {
		probe_say(fact, HEALTH_HEALTHY, NULL,
			"the service starts with the machine, also before anyone logs "
			"in");
	}
}
