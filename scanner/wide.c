// SPDX-License-Identifier: GPL-2.0-or-later

#include "scanner/wide.h"

unsigned int
wide_bytes(void)
{
#if WIDE_IS_BUILT
	if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("bmi2")) {
		return 0;
	}
	return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
			__builtin_cpu_supports("avx512vbmi") &&
			__builtin_cpu_supports("avx512vbmi2")
		? WIDE_FULL
		: WIDE_HALF;
#else
	return 0;
#endif
}
