// SPDX-License-Identifier: GPL-2.0-or-later

#include "scanner/wide.h"

bool
wide_works(void)
{
#if WIDE_IS_BUILT
	return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
		__builtin_cpu_supports("avx512vbmi") &&
		__builtin_cpu_supports("avx512vbmi2");
#else
	return false;
#endif
}
