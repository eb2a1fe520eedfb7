// SPDX-License-Identifier: GPL-2.0-or-later

#include "support/clock_held.h"

#include "base/clock.h"

static int64_t wall_ms = INT64_C(1763700000000);
static int64_t mono_ms = 1000;

void
clock_held_set(int64_t now_ms)
{
	wall_ms = now_ms;
}

void
clock_held_pass(int64_t ms)
{
	wall_ms += ms;
	mono_ms += ms;
}

int64_t
clock_now_ms(void)
{
	return wall_ms;
}

int64_t
clock_mono_ms(void)
{
	return mono_ms;
}
