#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Churn against the program in $MIRROR, with the driver in $CHURN (tests/churn/churn of the
# build folder beside it otherwise).
#
#     MIRROR_CHURN_SECONDS   how long (20; with MIRROR_LONG an hour)
#     MIRROR_CHURN_CLOCK     1: the clock jumps as well
#     MIRROR_CHURN_SEED      which (from the clock; it is printed)
set -eu

: "${MIRROR:?the program under test}"
churn=${CHURN:-$(dirname "$MIRROR")/tests/churn/churn}
if [ -n "${MIRROR_CHURN_CLOCK:-}" ]; then
	export CLOCKSHIFT_SO="${CLOCKSHIFT_SO:-$(dirname "$MIRROR")/tests/clockshift.so}"
else
	unset CLOCKSHIFT_SO
fi
seconds=${MIRROR_CHURN_SECONDS:-$([ -n "${MIRROR_LONG:-}" ] && echo 3600 || echo 20)}
[ -x "$churn" ] || { echo "churn: skipped, no $churn"; exit 77; }
command -v git >/dev/null || { echo "churn: skipped, no git"; exit 77; }

# shellcheck disable=SC2086
exec "$churn" "$MIRROR" "$seconds" ${MIRROR_CHURN_SEED:-}
