/* Loaded into the programs of a gateway (LD_PRELOAD): counts what each process asks of the system, by
 * role and by name, and at a chosen one kills the process or lets the call fail. tests/sweep/point.py
 * says which, in a file that all of them share: struct control.
 *
 * A process that execs another program (gpg) is followed where its sandbox lets that program open the
 * file; one that forks is followed in any case, since the mapping stays. */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
	NAME = 16,
	ROLES = 16,
	WHAT = 76,
	LOG_MOST = 16384,
	FILES = 256,
	TAIL = 40,
	FAULT_KILL = -1,
	FAULT_TORN = -2, /* half of what is written, then the end */
};

/* What the programs call the C library for; several names of one call stand for the same. */
#define CALLS(CALL)                                                                                \
	CALL(open) CALL(openat) CALL(opendir) CALL(mkdtemp) CALL(fopen) CALL(fclose) CALL(close)   \
	CALL(read) CALL(pread64) CALL(write) CALL(pwrite64) CALL(fwrite) CALL(fflush) CALL(fsync)  \
	CALL(fdatasync) CALL(ftruncate) CALL(fchmod) CALL(rename) CALL(renameat) CALL(renameat2)   \
	CALL(link) CALL(symlink) CALL(unlink) CALL(unlinkat) CALL(remove) CALL(mkdir) CALL(rmdir)  \
	CALL(memfd_create) CALL(socket) CALL(socketpair) CALL(connect) CALL(send) CALL(sendto)     \
	CALL(sendmsg) CALL(recv) CALL(recvmsg) CALL(fork) CALL(execv) CALL(waitpid)

enum call {
#define CALL(name) CALL_##name,
	CALLS(CALL)
#undef CALL
	    CALL_COUNT
};

static const char *const call_names[] = {
#define CALL(name) #name,
    CALLS(CALL)
#undef CALL
};

struct entry {
	char role[NAME];
	char call[NAME];
	uint32_t nth;
	char what[WHAT];
};

struct control {
	uint32_t armed;
	int32_t fault; /* FAULT_KILL, FAULT_TORN, or an errno */
	uint32_t nth; /* of the chosen call, from 1 */
	uint32_t lasting; /* the fault stays for whatever could meet it, as on a full disk */
	uint32_t hits;
	uint32_t logged;
	char role[NAME];
	char call[NAME];
	uint32_t counts[ROLES][CALL_COUNT];
	struct entry log[LOG_MOST];
};

static const char *const role_names[ROLES] = {
    "other", "dewlined", "starter", "gate", "reader", "vault", "courier", "gpg", "gpg-agent", "dewctl"};

static struct control *control;
static void *real[CALL_COUNT];
static unsigned role;
static char tails[FILES][TAIL];

/* A starter is named after what it starts: "vaults". */
static void take_role(const char *name)
{
	role = 0;
	for (unsigned i = 1; i < ROLES && role_names[i] != NULL; i++) {
		if (strcmp(role_names[i], name) == 0)
			role = i;
	}
	if (role == 0)
		role = 2;
}

__attribute__((constructor)) static void begin(void)
{
	const char *path = getenv("DEWLINE_SWEEP");
	for (int i = 0; i < CALL_COUNT; i++)
		real[i] = dlsym(RTLD_NEXT, call_names[i]);
	take_role(program_invocation_short_name);
	if (path == NULL)
		return;
	const int fd = ((int (*)(const char *, int, ...))real[CALL_open])(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return;
	void *mapped = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (mapped != MAP_FAILED)
		control = mapped;
	((int (*)(int))real[CALL_close])(fd);
}

/* As kill -9 would: the sandboxes let a process signal itself, and only so. */
static void end(void)
{
	for (;;)
		syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), SIGKILL);
}

static void note(enum call call, uint32_t nth, const char *what)
{
	const uint32_t at = __atomic_fetch_add(&control->logged, 1, __ATOMIC_SEQ_CST);
	if (at >= LOG_MOST)
		return;
	struct entry *entry = &control->log[at];
	snprintf(entry->role, NAME, "%s", role_names[role]);
	snprintf(entry->call, NAME, "%s", call_names[call]);
	entry->nth = nth;
	const size_t len = strlen(what);
	snprintf(entry->what, WHAT, "%s", len < WHAT ? what : what + len - WHAT + 1);
}

/* Pipes and sockets have no disk below them. */
static bool meets_full_disk(enum call call, const char *what)
{
	return strncmp(what, "descriptor", strlen("descriptor")) != 0 &&
	       (call == CALL_write || call == CALL_pwrite64 || call == CALL_ftruncate ||
		   call == CALL_mkdir || call == CALL_mkdtemp || call == CALL_fwrite);
}

/* True: the call is to fail, errno is set. torn: that half of it is to be done first. */
static bool meets_fault(enum call call, const char *what, bool *torn)
{
	const int saved = errno;
	if (control == NULL || !control->armed)
		return false;
	const uint32_t nth =
	    __atomic_add_fetch(&control->counts[role][call], 1, __ATOMIC_SEQ_CST);
	note(call, nth, what);
	errno = saved;
	if (control->fault == 0 || strcmp(control->role, role_names[role]) != 0)
		return false;
	const bool here = nth == control->nth && strcmp(control->call, call_names[call]) == 0;
	if (!here && (!control->lasting || control->hits == 0 || !meets_full_disk(call, what)))
		return false;
	__atomic_add_fetch(&control->hits, 1, __ATOMIC_SEQ_CST);
	if (control->fault == FAULT_KILL || (control->fault == FAULT_TORN && torn == NULL))
		end();
	if (control->fault == FAULT_TORN) {
		*torn = true;
		return false;
	}
	errno = control->fault;
	return true;
}

static const char *name_of(int fd)
{
	static _Thread_local char text[24];
	struct stat about;
	if (fd >= 0 && fd < FILES && tails[fd][0] != '\0' && fstat(fd, &about) == 0 &&
	    S_ISREG(about.st_mode))
		return tails[fd];
	snprintf(text, sizeof text, "descriptor %d", fd);
	return text;
}

static int named(int fd, const char *path)
{
	const size_t len = strlen(path);
	if (fd >= 0 && fd < FILES)
		snprintf(tails[fd], TAIL, "%s", len < TAIL ? path : path + len - TAIL + 1);
	return fd;
}

#define REAL(name) ((__typeof__(&name))real[CALL_##name])

/* A call under another name of it: ALIAS has the form, CALL is what it counts as. */
#define WRAP_AS(type, failure, alias, call, form, arguments, what)                                 \
	type alias form                                                                            \
	{                                                                                          \
		if (meets_fault(CALL_##call, what, NULL))                                          \
			return failure;                                                            \
		return REAL(call) arguments;                                                       \
	}
#define WRAP(type, failure, call, form, arguments, what)                                           \
	WRAP_AS(type, failure, call, call, form, arguments, what)

static int open_as(const char *path, int flags, va_list more)
{
	const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(more, mode_t) : 0;
	if (meets_fault(CALL_open, path, NULL))
		return -1;
	return named(REAL(open)(path, flags, mode), path);
}

int open(const char *path, int flags, ...)
{
	va_list more;
	va_start(more, flags);
	const int fd = open_as(path, flags, more);
	va_end(more);
	return fd;
}

int open64(const char *path, int flags, ...)
{
	va_list more;
	va_start(more, flags);
	const int fd = open_as(path, flags, more);
	va_end(more);
	return fd;
}

int openat(int directory, const char *path, int flags, ...)
{
	va_list more;
	va_start(more, flags);
	const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(more, mode_t) : 0;
	va_end(more);
	if (meets_fault(CALL_openat, path, NULL))
		return -1;
	return named(REAL(openat)(directory, path, flags, mode), path);
}

int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);
WRAP_AS(int, -1, __open_2, open, (const char *path, int flags), (path, flags), path)
WRAP_AS(int, -1, __open64_2, open, (const char *path, int flags), (path, flags), path)
WRAP(DIR *, NULL, opendir, (const char *path), (path), path)
WRAP(char *, NULL, mkdtemp, (char *path), (path), path)
WRAP(FILE *, NULL, fopen, (const char *path, const char *mode), (path, mode), path)
WRAP_AS(FILE *, NULL, fopen64, fopen, (const char *path, const char *mode), (path, mode), path)
WRAP(int, EOF, fflush, (FILE *file), (file), "a stream")

/* Whatever else fails, it is closed. */
int fclose(FILE *file)
{
	const bool fails = meets_fault(CALL_fclose, "a stream", NULL);
	const int why = errno;
	const int result = REAL(fclose)(file);
	if (!fails)
		return result;
	errno = why;
	return EOF;
}

int close(int fd)
{
	const bool fails = meets_fault(CALL_close, name_of(fd), NULL);
	const int why = errno;
	const int result = REAL(close)(fd);
	named(fd, "");
	if (!fails)
		return result;
	errno = why;
	return -1;
}

WRAP(ssize_t, -1, read, (int fd, void *data, size_t size), (fd, data, size), name_of(fd))
ssize_t __read_chk(int fd, void *data, size_t size, size_t room);
WRAP_AS(ssize_t, -1, __read_chk, read, (int fd, void *data, size_t size, size_t room),
    (fd, data, size <= room ? size : room), name_of(fd))
WRAP(ssize_t, -1, pread64, (int fd, void *data, size_t size, off64_t at), (fd, data, size, at),
    name_of(fd))
WRAP_AS(ssize_t, -1, pread, pread64, (int fd, void *data, size_t size, off_t at),
    (fd, data, size, at), name_of(fd))

ssize_t write(int fd, const void *data, size_t size)
{
	bool torn = false;
	if (meets_fault(CALL_write, name_of(fd), &torn))
		return -1;
	const ssize_t done = REAL(write)(fd, data, torn ? size / 2 : size);
	if (torn)
		end();
	return done;
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at)
{
	bool torn = false;
	if (meets_fault(CALL_pwrite64, name_of(fd), &torn))
		return -1;
	const ssize_t done = REAL(pwrite64)(fd, data, torn ? size / 2 : size, at);
	if (torn)
		end();
	return done;
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t at)
{
	return pwrite64(fd, data, size, at);
}

ssize_t send(int fd, const void *data, size_t size, int flags)
{
	bool torn = false;
	if (meets_fault(CALL_send, name_of(fd), &torn))
		return -1;
	const ssize_t done = REAL(send)(fd, data, torn ? size / 2 : size, flags);
	if (torn)
		end();
	return done;
}

WRAP(size_t, 0, fwrite, (const void *data, size_t size, size_t count, FILE *file),
    (data, size, count, file), "a stream")
WRAP(int, -1, fsync, (int fd), (fd), name_of(fd))
WRAP(int, -1, fdatasync, (int fd), (fd), name_of(fd))
WRAP(int, -1, ftruncate, (int fd, off_t size), (fd, size), name_of(fd))
WRAP_AS(int, -1, ftruncate64, ftruncate, (int fd, off64_t size), (fd, size), name_of(fd))
WRAP(int, -1, fchmod, (int fd, mode_t mode), (fd, mode), name_of(fd))
WRAP(int, -1, rename, (const char *from, const char *to), (from, to), to)
WRAP(int, -1, renameat, (int a, const char *from, int b, const char *to), (a, from, b, to), to)
WRAP(int, -1, renameat2, (int a, const char *from, int b, const char *to, unsigned flags),
    (a, from, b, to, flags), to)
WRAP(int, -1, link, (const char *from, const char *to), (from, to), to)
WRAP(int, -1, symlink, (const char *from, const char *to), (from, to), to)
WRAP(int, -1, unlink, (const char *path), (path), path)
WRAP(int, -1, unlinkat, (int directory, const char *path, int flags), (directory, path, flags), path)
WRAP(int, -1, remove, (const char *path), (path), path)
WRAP(int, -1, mkdir, (const char *path, mode_t mode), (path, mode), path)
WRAP(int, -1, rmdir, (const char *path), (path), path)
WRAP(int, -1, memfd_create, (const char *name, unsigned flags), (name, flags), name)
WRAP(int, -1, socket, (int domain, int type, int protocol), (domain, type, protocol), "")
WRAP(int, -1, socketpair, (int domain, int type, int protocol, int ends[2]),
    (domain, type, protocol, ends), "")
WRAP(int, -1, connect, (int fd, const struct sockaddr *to, socklen_t size), (fd, to, size),
    name_of(fd))
WRAP(ssize_t, -1, sendto,
    (int fd, const void *data, size_t size, int flags, const struct sockaddr *to, socklen_t len),
    (fd, data, size, flags, to, len), name_of(fd))
WRAP(ssize_t, -1, sendmsg, (int fd, const struct msghdr *message, int flags), (fd, message, flags),
    name_of(fd))
WRAP(ssize_t, -1, recv, (int fd, void *data, size_t size, int flags), (fd, data, size, flags),
    name_of(fd))
ssize_t __recv_chk(int fd, void *data, size_t size, size_t room, int flags);
WRAP_AS(ssize_t, -1, __recv_chk, recv, (int fd, void *data, size_t size, size_t room, int flags),
    (fd, data, size <= room ? size : room, flags), name_of(fd))
WRAP(ssize_t, -1, recvmsg, (int fd, struct msghdr *message, int flags), (fd, message, flags),
    name_of(fd))
WRAP(pid_t, -1, fork, (void), (), "")
WRAP(int, -1, execv, (const char *path, char *const arguments[]), (path, arguments), path)
WRAP(pid_t, -1, waitpid, (pid_t pid, int *status, int options), (pid, status, options), "")

/* By this name a process that was forked says what it is from here on. */
int prctl(int option, ...)
{
	unsigned long words[4];
	va_list more;
	va_start(more, option);
	for (int i = 0; i < 4; i++)
		words[i] = va_arg(more, unsigned long);
	va_end(more);
	if (option == PR_SET_NAME)
		take_role((const char *)words[0]);
	return (int)syscall(SYS_prctl, option, words[0], words[1], words[2], words[3]);
}
