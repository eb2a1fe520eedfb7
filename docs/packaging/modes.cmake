# SPDX-License-Identifier: GPL-2.0-or-later
#
# Run by CPack between installing and packing: folders are made under the umask of whoever
# builds, and a package must not tell of it.
file(CHMOD_RECURSE ${CPACK_TEMPORARY_INSTALL_DIRECTORY} DIRECTORY_PERMISSIONS
	OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
