/*
 * The least that a source and a sink can be, to measure others against.
 *
 *	pair source PORT SIZE COUNT	COUNT writes of SIZE bytes to 127.0.0.1
 *	pair sink PORT SIZE		reads of SIZE bytes, to the end
 *	pair feed SIZE COUNT PROGRAM...	as source, but to the program's standard input
 */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void
fail(const char *what)
{
	perror(what);
	exit(1);
}

static void
send_all(int fd, size_t size, long count)
{
	char *buf = malloc(size);

	if (buf == NULL)
		fail("malloc");
	memset(buf, 'x', size);
	while (count-- > 0)
		if (write(fd, buf, size) != (ssize_t)size)
			fail("write");
}

static void
receive_all(int fd, size_t size)
{
	char *buf = malloc(size);
	ssize_t n;

	if (buf == NULL)
		fail("malloc");
	memset(buf, 0, size);
	while ((n = read(fd, buf, size)) > 0)
		;
	if (n < 0)
		fail("read");
}

/* feed returns the program's status. */
static int
feed(size_t size, long count, char **argv)
{
	int fd[2], status;
	pid_t pid;

	if (pipe(fd) < 0)
		fail("pipe");
	if ((pid = fork()) < 0)
		fail("fork");
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(fd[0], 0);
		close(fd[0]);
		close(fd[1]);
		execvp(argv[0], argv);
		fail(argv[0]);
	}
	close(fd[0]);
	send_all(fd[1], size, count);
	close(fd[1]);
	if (waitpid(pid, &status, 0) < 0)
		fail("waitpid");
	return status != 0;
}

int
main(int argc, char **argv)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	int fd, peer;

	if (argc > 4 && strcmp(argv[1], "feed") == 0)
		return feed(atol(argv[2]), atol(argv[3]), argv + 4);
	if (argc < 4) {
		fprintf(stderr, "usage: see the source\n");
		return 1;
	}
	sin.sin_port = htons(atoi(argv[2]));
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if ((fd = socket(AF_INET, SOCK_STREAM, 0)) < 0)
		fail("socket");
	if (strcmp(argv[1], "source") == 0 && argc == 5) {
		if (connect(fd, (struct sockaddr *)&sin, sizeof sin) < 0)
			fail("connect");
		send_all(fd, atol(argv[3]), atol(argv[4]));
	} else {
		if (bind(fd, (struct sockaddr *)&sin, sizeof sin) < 0)
			fail("bind");
		if (listen(fd, 5) < 0)
			fail("listen");
		if ((peer = accept(fd, NULL, NULL)) < 0)
			fail("accept");
		receive_all(peer, atol(argv[3]));
	}
	return 0;
}
