#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <linux/netlink.h>
#include <unistd.h>

#include "worker/sandbox.h"
#include "worker/sandbox_parts.h"

/* By name, for the numbers differ between machines; one that this machine or this libseccomp does
 * not know is passed over. Old and new forms stand side by side: which of them the C library uses
 * depends on its version. */

static const char *const calls_of_all[] = {
    /* descriptors that it has */
    "read", "write", "readv", "writev", "pread64", "pwrite64", "close", "lseek", "fstat", "dup",
    "dup2", "dup3", "ftruncate", "memfd_create", "sendmsg", "recvmsg", "sendto", "recvfrom",
    "getsockopt", "shutdown",
    /* sleeping */
    "poll", "ppoll", "select", "pselect6", "epoll_create1", "epoll_ctl", "epoll_wait",
    "epoll_pwait", "nanosleep", "clock_nanosleep", "restart_syscall", "pause", "sched_yield",
    /* memory */
    "brk", "munmap", "mremap", "madvise",
    /* time and chance */
    "clock_gettime", "clock_getres", "gettimeofday", "time", "times", "getrandom",
    /* threads and signals of its own */
    "futex", "futex_waitv", "set_robust_list", "get_robust_list", "rseq", "rt_sigaction",
    "rt_sigprocmask", "rt_sigreturn", "rt_sigpending", "rt_sigtimedwait", "rt_sigsuspend",
    "sigreturn", "sigaltstack", "alarm", "setitimer", "getitimer", "exit", "exit_group",
    /* what it is */
    "getpid", "getppid", "gettid", "getuid", "geteuid", "getgid", "getegid", "getresuid",
    "getresgid", "getpgid", "getpgrp", "getsid", "getrlimit", "ugetrlimit", "getrusage",
    "sched_getaffinity", "getcpu", "sysinfo", "uname", NULL};

static const char *const calls_to_read_files[] = {"open", "openat", "openat2", "stat", "lstat",
    "newfstatat", "fstatat64", "statx", "statfs", "fstatfs", "access", "faccessat", "faccessat2",
    "readlink", "readlinkat", "getdents", "getdents64", "getcwd", "fadvise64", "readahead", "flock",
    "preadv", "preadv2", "umask", NULL};

static const char *const calls_to_write_files[] = {"fsync", "fdatasync", "sync_file_range",
    "fallocate", "truncate", "rename", "renameat", "renameat2", "unlink", "unlinkat", "rmdir",
    "mkdir", "mkdirat", "link", "linkat", "chmod", "fchmod", "fchmodat", "fchmodat2", "chown",
    "fchown", "fchownat", "lchown", "utime", "utimes", "futimesat", "utimensat", "pwritev",
    "pwritev2", "copy_file_range", "sendfile", NULL};

static const char *const calls_on_sockets[] = {"connect", "bind", "listen", "accept", "accept4",
    "getsockname", "getpeername", "setsockopt", "sendmmsg", "recvmmsg", NULL};

static const char *const calls_to_watch[] = {"inotify_init1", "inotify_add_watch",
    "inotify_rm_watch", "signalfd4", "eventfd2", "pipe", "pipe2", "timerfd_create",
    "timerfd_settime", "timerfd_gettime",
    /* whether the clock is synchronised; setting it with them takes CAP_SYS_TIME */
    "adjtimex", "clock_adjtime", "clock_adjtime64", NULL};

static const char *const calls_to_fork[] = {"fork", "vfork", "wait4", "waitid", "waitpid", "kill",
    "tgkill", "tkill", "setpgid", "setsid", "close_range", "setrlimit", "prlimit64", "prctl",
    "seccomp", "landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self",
    "pidfd_open", "pidfd_send_signal", NULL};

/* gpg, its agent and what they are linked with, in any version. They also lock memory, and give up
 * privileges that they do not have. */
static const char *const calls_to_run[] = {"execve", "arch_prctl", "set_tid_address",
    "set_thread_area", "mlock", "mlock2", "munlock", "mlockall", "munlockall", "mincore", "msync",
    "chdir", "fchdir", "setuid", "setgid", "setreuid", "setregid", "setresuid", "setresgid",
    "setgroups", "getgroups", "setfsuid", "setfsgid", "capget", "capset", "getpriority",
    "setpriority", "sched_setaffinity", "sched_getparam", "sched_getscheduler",
    "sched_get_priority_max", "sched_get_priority_min", "ioctl", "inotify_init", "eventfd",
    "signalfd", "epoll_create", "creat", "symlink", "symlinkat", "getxattr", "lgetxattr",
    "fgetxattr", "membarrier", "personality", "timer_create", "timer_settime", "timer_delete",
    "tee", "splice", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "sync", "syncfs", NULL};

enum {
	SOCKET_TYPE = 0xF, /* SOCK_TYPE_MASK of the kernel */
	NAMESPACES = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |
		     CLONE_NEWPID | CLONE_NEWNET
};

/* libseccomp's own macros leave a field out, about which clang complains. */
static struct scmp_arg_cmp is(unsigned argument, scmp_datum_t value)
{
	return (struct scmp_arg_cmp){.arg = argument, .op = SCMP_CMP_EQ, .datum_a = value};
}

static struct scmp_arg_cmp has_bits(unsigned argument, scmp_datum_t mask, scmp_datum_t value)
{
	return (struct scmp_arg_cmp){
	    .arg = argument, .op = SCMP_CMP_MASKED_EQ, .datum_a = mask, .datum_b = value};
}

/* A filter in the making: the first rule that fails makes the whole fail. */
struct filter {
	scmp_filter_ctx context;
	int failure; /* negative errno */
};

static void add(struct filter *filter, uint32_t action, const char *name, unsigned count,
    const struct scmp_arg_cmp *conditions)
{
	const int number = seccomp_syscall_resolve_name(name);
	if (number == __NR_SCMP_ERROR || filter->failure != 0)
		return;
	const int code = seccomp_rule_add_array(filter->context, action, number, count, conditions);
	if (code != 0 && code != -EEXIST)
		filter->failure = code;
}

static void allow(struct filter *filter, const char *name)
{
	add(filter, SCMP_ACT_ALLOW, name, 0, NULL);
}

static void allow_if(struct filter *filter, const char *name, struct scmp_arg_cmp condition)
{
	add(filter, SCMP_ACT_ALLOW, name, 1, &condition);
}

static void allow_all(struct filter *filter, const char *const *names)
{
	for (size_t i = 0; names[i] != NULL; i++)
		allow(filter, names[i]);
}

/* F_SETOWN and F_SETSIG would make the kernel send any signal to any process of the user, such as
 * SIGSTOP to the gate; Landlock forbids that since Linux 6.12 only. */
static void allow_fcntl(struct filter *filter, unsigned groups)
{
	static const char *const names[] = {"fcntl", "fcntl64"};
	static const int commands[] = {F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL, F_SETFL,
	    F_GETLK, F_SETLK, F_SETLKW, F_OFD_GETLK, F_OFD_SETLK, F_OFD_SETLKW, F_ADD_SEALS,
	    F_GET_SEALS};
	for (size_t n = 0; n < sizeof names / sizeof names[0]; n++) {
		if ((groups & CALLS_FORK) != 0)
			allow(filter, names[n]);
		for (size_t i = 0;
		     (groups & CALLS_FORK) == 0 && i < sizeof commands / sizeof commands[0]; i++)
			allow_if(
			    filter, names[n], has_bits(1, UINT32_MAX, (scmp_datum_t)commands[i]));
	}
}

/* A call that the C library tries, and does without where there is none. */
static void absent(struct filter *filter, const char *name)
{
	add(filter, SCMP_ACT_ERRNO(ENOSYS), name, 0, NULL);
}

/* Reading limits is harmless, and the first argument says whose they are: 0, its own. */
static void allow_of_all(struct filter *filter, unsigned groups)
{
	allow_all(filter, calls_of_all);
	allow_fcntl(filter, groups);
	if ((groups & CALLS_CODE) != 0) {
		allow(filter, "mmap");
		allow(filter, "mprotect");
	} else {
		const struct scmp_arg_cmp no_code = has_bits(2, PROT_EXEC, 0);
		allow_if(filter, "mmap", no_code);
		allow_if(filter, "mmap2", no_code);
		allow_if(filter, "mprotect", no_code);
	}
	if ((groups & CALLS_READ_FILES) == 0) /* fstat(3), by way of "" and the descriptor */
		allow_if(filter, "newfstatat", has_bits(3, AT_EMPTY_PATH, AT_EMPTY_PATH));
	if ((groups & CALLS_FORK) ==
	    0) { /* abort(3) and raise(3); the name of a mapping or a thread */
		allow_if(filter, "tgkill", is(0, (scmp_datum_t)getpid()));
		add(filter, SCMP_ACT_ERRNO(EINVAL), "prctl", 0, NULL);
		allow_if(filter, "prlimit64", is(2, 0));
	}
	if ((groups & CALLS_RUN) == 0) /* isatty(3), which stdio asks; never an answer */
		add(filter, SCMP_ACT_ERRNO(ENOTTY), "ioctl", 0, NULL);
}

/* Besides the type the argument holds flags. A library that would tell the system log by a datagram
 * gets an error and no signal. */
static void allow_streams(struct filter *filter)
{
	static const int others[] = {SOCK_DGRAM, SOCK_SEQPACKET};
	const struct scmp_arg_cmp streams[] = {
	    is(0, AF_UNIX), has_bits(1, SOCKET_TYPE, SOCK_STREAM)};
	add(filter, SCMP_ACT_ALLOW, "socket", 2, streams);
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
		const struct scmp_arg_cmp other[] = {
		    is(0, AF_UNIX), has_bits(1, SOCKET_TYPE, (scmp_datum_t)others[i])};
		add(filter, SCMP_ACT_ERRNO(EPROTONOSUPPORT), "socket", 2, other);
	}
}

static void allow_local_sockets(struct filter *filter, unsigned groups)
{
	const struct scmp_arg_cmp local = is(0, AF_UNIX);
	if ((groups & CALLS_UNIX_SOCKETS) != 0)
		allow_if(filter, "socket", local);
	else if ((groups & CALLS_UNIX_STREAMS) != 0)
		allow_streams(filter);
	else /* the resolver of the C library looks for a cache, and asks the servers without one */
		add(filter, SCMP_ACT_ERRNO(EAFNOSUPPORT), "socket", 1, &local);
}

static void allow_sockets(struct filter *filter, unsigned groups)
{
	const unsigned of_this_machine = CALLS_UNIX_SOCKETS | CALLS_UNIX_STREAMS;
	const struct scmp_arg_cmp routes[] = {is(0, AF_NETLINK), is(2, NETLINK_ROUTE)};
	if ((groups & (of_this_machine | CALLS_FORK)) != 0) /* what a child talks on */
		allow_if(filter, "socketpair", is(0, AF_UNIX));
	if ((groups & (of_this_machine | CALLS_INTERNET)) == 0)
		return;
	allow_all(filter, calls_on_sockets);
	allow_local_sockets(filter, groups);
	if ((groups & CALLS_INTERNET) != 0) {
		allow_if(filter, "socket", is(0, AF_INET));
		allow_if(filter, "socket", is(0, AF_INET6));
		add(filter, SCMP_ACT_ALLOW, "socket", 2, routes);
	}
}

static void allow_groups(struct filter *filter, unsigned groups)
{
	static const struct {
		unsigned group;
		const char *const *names;
	} tables[] = {
	    {CALLS_READ_FILES, calls_to_read_files},
	    {CALLS_WRITE_FILES, calls_to_write_files},
	    {CALLS_WATCH, calls_to_watch},
	    {CALLS_FORK, calls_to_fork},
	    {CALLS_RUN, calls_to_run},
	};
	for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
		if ((groups & tables[i].group) != 0)
			allow_all(filter, tables[i].names);
	}
	allow_sockets(filter, groups);
	/* The flags of clone3 lie in memory, where no filter sees them: as if it were not there. */
	absent(filter, "clone3");
	if ((groups & CALLS_FORK) != 0)
		allow_if(filter, "clone", has_bits(0, NAMESPACES, 0));
}

bool calls_are_filtered(void)
{
	const uint32_t action = SECCOMP_RET_KILL_PROCESS;
	return prctl(PR_GET_SECCOMP) >= 0 &&
	       syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

int calls_enter(unsigned groups, struct err *err)
{
	struct filter filter = {.context = seccomp_init(SCMP_ACT_KILL_PROCESS)};
	if (filter.context == NULL)
		return err_set(err, ERR_DAEMON, ERR_LATER, "no memory for a seccomp filter");
	/* Calls of another architecture of this machine could go round the filter. */
	filter.failure =
	    seccomp_attr_set(filter.context, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	allow_of_all(&filter, groups);
	allow_groups(&filter, groups);
	if (filter.failure == 0)
		filter.failure = seccomp_load(filter.context);
	seccomp_release(filter.context);
	if (filter.failure == 0)
		return 0;
	errno = -filter.failure;
	return err_system(err, "cannot set a seccomp filter");
}

const char *sandbox_unknown_call(void)
{
	const char *const *const tables[] = {calls_of_all, calls_to_read_files,
	    calls_to_write_files, calls_on_sockets, calls_to_watch, calls_to_fork, calls_to_run};
	for (size_t t = 0; t < sizeof tables / sizeof tables[0]; t++) {
		for (size_t i = 0; tables[t][i] != NULL; i++) {
			if (seccomp_syscall_resolve_name(tables[t][i]) == __NR_SCMP_ERROR)
				return tables[t][i];
		}
	}
	return NULL;
}
