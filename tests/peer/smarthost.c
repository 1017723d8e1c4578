#include "config.h"

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "peer/smarthost.h"

enum { EVENTS = 64, PORT_MOST = 65535 };

static const char help[] =
    "Usage: smarthost [OPTION]...\n"
    "A small SMTP server on 127.0.0.1 for tests. Ends on SIGTERM and with its parent, and then\n"
    "prints how many messages it has accepted.\n"
    "\n"
    "  --port N            listen on this port (default 0: a free one)\n"
    "  --port-file FILE    write the port's number there\n"
    "  --store DIR         write each message to DIR/NNNNNN.eml: a line \"X-Envelope-From: "
    "ADDRESS\",\n"
    "                      a line \"X-Envelope-To: ADDRESS\" for each recipient, and from there on "
    "the\n"
    "                      message as it came; appears under its name when it is complete\n"
    "  --discard           count messages and throw them away (the default)\n"
    "  --tls MODE          none (default), starttls, tls\n"
    "  --cert FILE         certificate chain, PEM\n"
    "  --key FILE          its key, PEM\n"
    "  --priority STRING   GnuTLS priority string (default NORMAL)\n"
    "  --auth USER:PASSWORD  take no mail without AUTH\n"
    "  --mechanisms WORDS  AUTH mechanisms to offer (default \"PLAIN LOGIN\")\n"
    "  --size N            most bytes of a message\n"
    "  --no-pipelining     do not offer PIPELINING\n"
    "  --script FILE       misbehave; read again whenever it changes\n"
    "  --log FILE          append each command line as it came\n"
    "  --help              this text\n"
    "\n"
    "A line of a script is \"STEP PATTERN COUNT ACTION\":\n"
    "  STEP     connect, ehlo, starttls, tls, auth (each line of it), mail, rcpt, data, body (its\n"
    "           first bytes), dot\n"
    "  PATTERN  shell pattern for the recipient; before RCPT there is none, and * fits\n"
    "  COUNT    how many times the rule applies, * for ever; the first rule that fits counts\n"
    "  ACTION   reply CODE TEXT     say this instead (421 closes; so does any at body); \\n in it\n"
    "                               begins another line, or reply\n"
    "           drop                close without a reply; at dot, without keeping the message\n"
    "           drop-after-store    at dot: keep the message, then close without a reply\n"
    "           stall SECONDS       go on that much later\n"
    "           slow N              from here on send N bytes a second\n"
    "           say BYTES           go on as ever, but for these bytes in place of the reply; \\r, \\n\n"
    "                               and \\0 in it are one byte each\n"
    "           cut BYTES           say them and close\n"
    "           long N BYTES        say them and N letters, in one line\n"
    "           pass                as ever; for a rule in front of others\n"
    "Empty lines and lines that begin with # are passed over.\n";

struct options {
	struct server server;
	int64_t port;
	const char *port_file;
	const char *store;
	const char *certificate;
	const char *key;
	const char *script;
	const char *log;
};

static int64_t number_of(const char *text, int64_t most)
{
	int64_t number;
	if (!text_number(view_of(text), 0, most, &number))
		errx(EXIT_FAILURE, "not a number from 0 to %lld: %s", (long long)most, text);
	return number;
}

static enum tls_mode tls_of(const char *text)
{
	static const char *const names[] = {"none", "starttls", "tls"};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		if (strcmp(text, names[i]) == 0)
			return (enum tls_mode)i;
	}
	errx(EXIT_FAILURE, "--tls is none, starttls or tls, not %s", text);
}

static void take_option(struct options *options, int option, const char *value)
{
	switch (option) {
	case 'p':
		options->port = number_of(value, PORT_MOST);
		break;
	case 'f':
		options->port_file = value;
		break;
	case 's':
		options->store = value;
		break;
	case 'd':
		options->store = NULL;
		break;
	case 't':
		options->server.tls = tls_of(value);
		break;
	case 'c':
		options->certificate = value;
		break;
	case 'k':
		options->key = value;
		break;
	case 'y':
		options->server.priority = value;
		break;
	case 'a':
		options->server.auth = value;
		break;
	case 'm':
		options->server.mechanisms = value;
		break;
	case 'z':
		options->server.size = number_of(value, INT64_MAX);
		break;
	case 'n':
		options->server.no_pipelining = true;
		break;
	case 'r':
		options->script = value;
		break;
	case 'l':
		options->log = value;
		break;
	case 'h':
		fputs(help, stdout);
		exit(EXIT_SUCCESS);
	default:
		errx(EXIT_FAILURE, "see smarthost --help");
	}
}

static void read_options(int argc, char **argv, struct options *options)
{
	static const struct option known[] = {
	    {"port", required_argument, NULL, 'p'},
	    {"port-file", required_argument, NULL, 'f'},
	    {"store", required_argument, NULL, 's'},
	    {"discard", no_argument, NULL, 'd'},
	    {"tls", required_argument, NULL, 't'},
	    {"cert", required_argument, NULL, 'c'},
	    {"key", required_argument, NULL, 'k'},
	    {"priority", required_argument, NULL, 'y'},
	    {"auth", required_argument, NULL, 'a'},
	    {"mechanisms", required_argument, NULL, 'm'},
	    {"size", required_argument, NULL, 'z'},
	    {"no-pipelining", no_argument, NULL, 'n'},
	    {"script", required_argument, NULL, 'r'},
	    {"log", required_argument, NULL, 'l'},
	    {"help", no_argument, NULL, 'h'},
	    {NULL, 0, NULL, 0},
	};
	int option;
	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1)
		take_option(options, option, optarg);
	if (optind < argc)
		errx(EXIT_FAILURE, "what is %s? See smarthost --help", argv[optind]);
}

static void prepare(struct options *options)
{
	struct server *server = &options->server;
	if (server->tls != TLS_NONE) {
		if (options->certificate == NULL || options->key == NULL)
			errx(EXIT_FAILURE, "--tls needs --cert and --key");
		gnutls_certificate_allocate_credentials(&server->credentials);
		const int code = gnutls_certificate_set_x509_key_file(
		    server->credentials, options->certificate, options->key, GNUTLS_X509_FMT_PEM);
		if (code < 0)
			errx(EXIT_FAILURE, "%s: %s", options->certificate, gnutls_strerror(code));
	}
	if (options->log != NULL) {
		server->log = fopen(options->log, "a");
		if (server->log == NULL)
			err(EXIT_FAILURE, "%s", options->log);
		setvbuf(server->log, NULL, _IOLBF, 0);
	}
	server->script = script_new(options->script);
	server->spool = spool_new(options->store);
	server->epoll = epoll_create1(EPOLL_CLOEXEC);
}

static int listen_on(int64_t port, const char *port_file)
{
	const int one = 1;
	struct sockaddr_in where = {.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof where;
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (fd < 0 || bind(fd, (struct sockaddr *)&where, len) != 0 || listen(fd, SOMAXCONN) != 0 ||
	    getsockname(fd, (struct sockaddr *)&where, &len) != 0)
		err(EXIT_FAILURE, "cannot listen on port %lld", (long long)port);
	if (port_file != NULL) {
		char text[16];
		struct err failure;
		snprintf(text, sizeof text, "%u\n", (unsigned)ntohs(where.sin_port));
		if (file_write(port_file, view_of(text), 0644, &failure) != 0)
			errx(EXIT_FAILURE, "%s", failure.text);
	}
	return fd;
}

/* A descriptor that becomes readable when we are to end. */
static int end_signal(pid_t parent)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		raise(SIGTERM); /* the parent was gone before it could be watched */
	return signalfd(-1, &set, SFD_CLOEXEC);
}

static void watch(int epoll, int fd, void *what)
{
	struct epoll_event event = {.events = EPOLLIN, .data = {.ptr = what}};
	if (fd < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0)
		err(EXIT_FAILURE, "cannot watch a descriptor");
}

static void remove_session(struct session **all, struct session *session)
{
	if (session->previous != NULL)
		session->previous->next = session->next;
	else
		*all = session->next;
	if (session->next != NULL)
		session->next->previous = session->previous;
	session_free(session);
}

static void run_session(struct session **all, struct session *session)
{
	if (!session_run(session))
		remove_session(all, session);
}

static void accept_all(struct server *server, int listener, struct session **all)
{
	const int one = 1;
	int fd;
	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
		struct session *session = session_new(server, fd);
		session->next = *all;
		if (*all != NULL)
			(*all)->previous = session;
		*all = session;
		run_session(all, session);
	}
}

/* Milliseconds until the next session wants to go on by itself, -1: none does. */
static int next_wake(const struct session *all)
{
	int64_t least = -1;
	for (const struct session *session = all; session != NULL; session = session->next) {
		const int64_t wakes = session_wakes(session);
		if (wakes != 0 && (least < 0 || wakes < least))
			least = wakes;
	}
	if (least < 0)
		return -1;
	const int64_t left = least - clock_monotonic_ms();
	return left < 0 ? 0 : (int)left;
}

static void wake_due(struct session **all)
{
	struct session *next;
	for (struct session *session = *all; session != NULL; session = next) {
		next = session->next;
		const int64_t wakes = session_wakes(session);
		if (wakes != 0 && wakes <= clock_monotonic_ms())
			run_session(all, session);
	}
}

/* One session comes up at most once in a round, so freeing it leaves no event behind. */
static void serve(struct server *server, int listener, int ender)
{
	struct session *all = NULL;
	struct epoll_event events[EVENTS];
	bool ended = false;
	watch(server->epoll, listener, &listener);
	watch(server->epoll, ender, &ender);
	while (!ended) {
		const int count = epoll_wait(server->epoll, events, EVENTS, next_wake(all));
		for (int i = 0; i < count; i++) {
			if (events[i].data.ptr == &ender)
				ended = true;
			else if (events[i].data.ptr == &listener)
				accept_all(server, listener, &all);
			else if ((events[i].events & (EPOLLERR | EPOLLHUP)) != 0)
				remove_session(&all, events[i].data.ptr);
			else
				run_session(&all, events[i].data.ptr);
		}
		wake_due(&all);
	}
	while (all != NULL)
		remove_session(&all, all);
}

int main(int argc, char **argv)
{
	struct options options = {.server = {.mechanisms = "PLAIN LOGIN", .priority = "NORMAL"}};
	const int ender = end_signal(getppid());
	read_options(argc, argv, &options);
	prepare(&options);
	serve(&options.server, listen_on(options.port, options.port_file), ender);
	printf("%lu messages\n", spool_count(options.server.spool));
	spool_free(options.server.spool);
	script_free(options.server.script);
	if (options.server.log != NULL)
		fclose(options.server.log);
	if (options.server.credentials != NULL)
		gnutls_certificate_free_credentials(options.server.credentials);
	return EXIT_SUCCESS;
}
