// SPDX-License-Identifier: GPL-2.0-or-later

#include "ledger/shrink.h"

static bool
is_large_share(int64_t files, int64_t lost)
{
	return lost > 0 &&
		lost >= (files / 100) * SHRINK_PERCENT +
			((files % 100) * SHRINK_PERCENT + 99) / 100;
}

bool
shrink_is_too_much(int64_t files, int64_t lost)
{
	return lost >= SHRINK_FILES && is_large_share(files, lost);
}

enum shrink_verdict
shrink_judge(const struct shrink_root *before, const struct shrink_root *after)
{
	if (!before->there) {
		return SHRINK_OK;
	}
	if (!after->there) {
		return SHRINK_VANISHED;
	}
	if (after->dev != before->dev && after->lost > 0) {
		return SHRINK_OTHER_DEVICE;
	}
	if (after->number != before->number &&
		is_large_share(before->files, after->lost)) {
		return SHRINK_REPLACED;
	}
	return shrink_is_too_much(before->files, after->lost) ? SHRINK_LOST : SHRINK_OK;
}

const char *
shrink_phrase(enum shrink_verdict verdict)
{
	switch (verdict) {
	case SHRINK_VANISHED:
		return "its folder is gone";
	case SHRINK_OTHER_DEVICE:
		return "another device is mounted there, and known files are missing";
	case SHRINK_REPLACED:
		return "another folder stands there, and known files are missing";
	case SHRINK_LOST:
		return "many of its files are gone at once";
	case SHRINK_OK:
		break;
	}
	return "nothing unusual";
}
