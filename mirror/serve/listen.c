// SPDX-License-Identifier: GPL-2.0-or-later

#include "serve/listen.h"

#include "base/err.h"
#include "base/mem.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

// Does somebody answer there?
static bool
is_alive(const struct sockaddr_un *addr)
{
	AUTO_CLOSE int fd =
		socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	return fd >= 0 &&
		(connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) == 0 ||
			errno == EAGAIN);
}

int
listen_unix(const char *path, struct err *err)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	AUTO_CLOSE int fd =
		socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0) {
		return err_errno(err, "socket");
	}
	if (strlen(path) >= sizeof(addr.sun_path)) {
		return err_raise(err, ERR_TOO_BIG, "%s: too long for a socket", path);
	}
	memcpy(addr.sun_path, path, strlen(path) + 1);
	if (is_alive(&addr)) {
		return err_raise(err, ERR_BUSY, "somebody listens on %s already", path);
	}
	if (unlink(path) < 0 && errno != ENOENT) {
		return err_errno(err, "remove %s", path);
	}
	// The mode is that of the socket before it has a name: it is never open to
	// others, and the process's umask is left alone.
	if (fchmod(fd, 0600) < 0 ||
		bind(fd, (const struct sockaddr *)&addr, sizeof(addr)) < 0 ||
		listen(fd, LISTEN_BACKLOG) < 0) {
		return err_errno(err, "listen on %s", path);
	}
	return STEAL_FD(fd);
}

// Fills @addr when @where names a loopback address and a port.
static bool
read_address(const char *where, struct sockaddr_storage *addr, socklen_t *len)
{
	const char *colon = strrchr(where, ':');
	char *end = NULL;
	long port = colon != NULL ? strtol(colon + 1, &end, 10) : 0;
	AUTO_FREE char *host =
		colon != NULL ? xmemdup0(where, (size_t)(colon - where)) : NULL;
	struct sockaddr_in *four = (struct sockaddr_in *)addr;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)addr;

	if (host == NULL || end == colon + 1 || *end != '\0' || port < 0 ||
		port > UINT16_MAX) {
		return false;
	}
	*addr = (struct sockaddr_storage){ 0 };
	if (strcmp(host, "[::1]") == 0) {
		six->sin6_family = AF_INET6;
		six->sin6_addr = in6addr_loopback;
		six->sin6_port = htons((uint16_t)port);
		*len = sizeof(*six);
		return true;
	}
	four->sin_family = AF_INET;
	four->sin_port = htons((uint16_t)port);
	*len = sizeof(*four);
	if (strcmp(host, "localhost") == 0) {
		four->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		return true;
	}
	return inet_pton(AF_INET, host, &four->sin_addr) == 1 &&
		(ntohl(four->sin_addr.s_addr) >> 24) == 127;
}

int
listen_tcp(const char *where, struct err *err)
{
	struct sockaddr_storage addr;
	socklen_t len = 0;
	int on = 1;

	if (!read_address(where, &addr, &len)) {
		err_raise(err, ERR_CONFIG,
			"[api] http: \"%s\" is no loopback address with a port", where);
		return err_advise(err, "http = \"127.0.0.1:7117\"");
	}
	AUTO_CLOSE int fd =
		socket(addr.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
		bind(fd, (const struct sockaddr *)&addr, len) < 0 ||
		listen(fd, LISTEN_BACKLOG) < 0) {
		return err_errno(err, "listen on %s", where);
	}
	return STEAL_FD(fd);
}

// Who is at the other end: ourselves, or root?
static bool
is_same_user(int fd)
{
	struct ucred peer = { .uid = (uid_t)-1 };
	socklen_t len = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
		(peer.uid == geteuid() || peer.uid == 0);
}

static bool
is_loopback(const struct sockaddr_storage *addr)
{
	const struct sockaddr_in *four = (const struct sockaddr_in *)addr;
	const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)addr;

	if (addr->ss_family == AF_INET) {
		return (ntohl(four->sin_addr.s_addr) >> 24) == 127;
	}
	return addr->ss_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&six->sin6_addr);
}

bool
listen_is_ours(int fd)
{
	int listening = 0;
	int type = 0;
	struct sockaddr_storage addr = { 0 };
	socklen_t len = sizeof(listening);
	socklen_t type_len = sizeof(type);
	socklen_t addr_len = sizeof(addr);

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) == 0 &&
		listening != 0 &&
		getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_len) == 0 &&
		type == SOCK_STREAM &&
		getsockname(fd, (struct sockaddr *)&addr, &addr_len) == 0 &&
		(addr.ss_family == AF_UNIX || is_loopback(&addr));
}

int
listen_accept(int fd, struct sockaddr_storage *ret_addr, socklen_t *ret_len)
{
	AUTO_CLOSE int client = -1;

	*ret_addr = (struct sockaddr_storage){ 0 };
	*ret_len = sizeof(*ret_addr);
	client = accept4(
		fd, (struct sockaddr *)ret_addr, ret_len, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (client < 0) {
		return -1;
	}
	if (ret_addr->ss_family == AF_UNIX) {
		// An unnamed peer has no path: only the family is said.
		*ret_len = MAX_OF(*ret_len, (socklen_t)sizeof(sa_family_t));
		if (!is_same_user(client)) {
			errno = EPERM;
			return -1;
		}
	} else if (!is_loopback(ret_addr)) {
		errno = EPERM;
		return -1;
	}
	return STEAL_FD(client);
}
