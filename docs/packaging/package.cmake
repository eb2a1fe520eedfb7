# SPDX-License-Identifier: GPL-2.0-or-later
#
# What is installed besides the program, and the Debian package.
#
#     cmake --install BUILD [--prefix DIR]     binary, pages, completions, units, docs
#     cpack --config BUILD/CPackConfig.cmake   mirrorkeep_<version>-1_<arch>.deb
#
# The pages, the completions and the reference come out of the program that was just
# built, so they cannot tell of another one.  With SOURCE_DATE_EPOCH set, two builds give
# the same package byte for byte.

set(made ${PROJECT_BINARY_DIR}/made)
find_program(GZIP_PROGRAM gzip REQUIRED)
file(MAKE_DIRECTORY ${made})

# printed(FILE ARGUMENT...): what the program prints, as a file.
set(printed_files)
function(printed name)
	add_custom_command(OUTPUT ${made}/${name}
		COMMAND $<TARGET_FILE:mirror> ${ARGN} > ${made}/${name}.new
		COMMAND ${CMAKE_COMMAND} -E rename ${made}/${name}.new ${made}/${name}
		DEPENDS mirror VERBATIM)
	set(printed_files ${printed_files} ${made}/${name} PARENT_SCOPE)
endfunction()
printed(mirror.1 __man)
printed(mirror.toml.5 __man --toml)
printed(mirror.bash completion bash)
printed(_mirror completion zsh)
printed(mirror.fish completion fish)

# Who builds a package for others says who they are; .invalid is an address that nobody
# can mistake for one.
set(MIRROR_MAINTAINER "Unofficial build of mirror <mirrorkeep@builds.invalid>"
	CACHE STRING "Maintainer of the package: Name <address>")
configure_file(${CMAKE_CURRENT_LIST_DIR}/debian/changelog ${made}/changelog.Debian @ONLY)

# packed(FILE SOURCE): packed without a name or a time in it.
function(packed name source)
	add_custom_command(OUTPUT ${made}/${name}
		COMMAND ${GZIP_PROGRAM} -9 -n -c ${source} > ${made}/${name}
		DEPENDS ${source} VERBATIM)
	set(printed_files ${printed_files} ${made}/${name} PARENT_SCOPE)
endfunction()
packed(mirror.1.gz ${made}/mirror.1)
packed(mirror.toml.5.gz ${made}/mirror.toml.5)
packed(changelog.gz ${PROJECT_SOURCE_DIR}/docs/CHANGELOG.md)
packed(changelog.Debian.gz ${made}/changelog.Debian)
add_custom_target(package_files ALL DEPENDS ${printed_files})

install(FILES ${made}/mirror.1.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES ${made}/mirror.toml.5.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man5)
install(FILES ${made}/mirror.bash RENAME mirror
	DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(FILES ${made}/_mirror DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions)
install(FILES ${made}/mirror.fish
	DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)

install(FILES ${made}/changelog.gz ${made}/changelog.Debian.gz
	${CMAKE_CURRENT_LIST_DIR}/debian/copyright ${PROJECT_SOURCE_DIR}/README.md
	DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR}/docs
	FILE_PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ
	FILES_MATCHING PATTERN "*.md" PATTERN "*.png"
	PATTERN packaging EXCLUDE PATTERN monitoring EXCLUDE PATTERN CHANGELOG.md EXCLUDE)
foreach(example docs/packaging/mirror.toml docs/packaging/Containerfile docs/monitoring)
	if(EXISTS ${PROJECT_SOURCE_DIR}/${example})
		get_filename_component(name ${example} NAME)
		if(IS_DIRECTORY ${PROJECT_SOURCE_DIR}/${example})
			install(DIRECTORY ${PROJECT_SOURCE_DIR}/${example}
				DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples)
		else()
			install(FILES ${PROJECT_SOURCE_DIR}/${example}
				DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples)
		endif()
	endif()
endforeach()

# A unit names the program by its whole path, and where that is, is known when it is
# installed: by --prefix, or by CPack.  systemd reads <prefix>/lib/systemd for /usr and
# /usr/local both.
install(CODE "
	set(PROGRAM \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_BINDIR}/mirror\")
	foreach(manager system user)
		configure_file(${CMAKE_CURRENT_LIST_DIR}/systemd/\${manager}.service.in
			${made}/\${manager}/mirror.service @ONLY)
		file(INSTALL \"${made}/\${manager}/mirror.service\"
			DESTINATION \"\${CMAKE_INSTALL_PREFIX}/lib/systemd/\${manager}\"
			PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
	endforeach()
")

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME mirrorkeep)
set(CPACK_PACKAGE_VENDOR mirror)
set(CPACK_PACKAGE_CONTACT "${MIRROR_MAINTAINER}")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_CURRENT_LIST_DIR}/modes.cmake)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_SECTION utils)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
# dpkg-shlibdeps finds what is linked, dpkg-query the library that is loaded when it is needed;
# git is started as a program.
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "git")
find_program(DPKG_QUERY_PROGRAM dpkg-query)
if(DPKG_QUERY_PROGRAM)
	execute_process(COMMAND ${DPKG_QUERY_PROGRAM} -S "*/${MICROHTTPD_SONAME}"
		OUTPUT_VARIABLE owner ERROR_QUIET)
	if(owner MATCHES "^([^:, ]+)")
		string(APPEND CPACK_DEBIAN_PACKAGE_DEPENDS ", ${CMAKE_MATCH_1}")
	endif()
endif()
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "ca-certificates, openssh-client")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "age, curl, rclone, sqlite3, zstd")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "keep folders in a git repository, and prove it")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
"An always-on agent that keeps notes, configuration, an agent's memory and live
SQLite databases in a git repository: every secret it finds is cut out before
anything is committed, every file on disk is accounted for, and a probe says
in one line whether the backup is as it should be.

The backup is plain git, plain SQLite and text: it can be read and restored
without this program.")
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
	${CMAKE_CURRENT_LIST_DIR}/debian/postinst ${CMAKE_CURRENT_LIST_DIR}/debian/prerm
	${CMAKE_CURRENT_LIST_DIR}/debian/postrm)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
include(CPack)
