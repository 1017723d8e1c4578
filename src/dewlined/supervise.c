#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "dewlined/notify.h"
#include "dewlined/supervise.h"
#include "worker/loop.h"
#include "worker/sandbox.h"

enum {
	/* A gate that dies sooner could not do its work, and each such death doubles the pause. */
	YOUNG_MS = 10 * 1000,
	PAUSE_FIRST_MS = 100,
	PAUSE_MOST_MS = 30 * 1000,
	/* From the end of its control socket to the end of the process. */
	LEAVE_MS = 2000,
	/* A starter process may have to end the gpg-agent first. */
	STARTER_MS = 8000,
	STARTER_LOOK_US = 5000,
	WHY_SIZE = 80,
	END_SIZE = 2 * WHY_SIZE + PULSE_TEXT_SIZE,
};

struct supervisor {
	const struct supervision *plan;
	struct loop *loop;
	struct notify *notify;
	int signals; /* signalfd */

	struct starter *starters[WORKER_KINDS]; /* NULL: workers of this kind are forked here */
	pid_t starter_pids[WORKER_KINDS];
	bool starter_died;
	bool outdated; /* the sandbox does not fit the machine any more */

	pid_t gate; /* 0 while there is none */
	bool gate_is_ready;
	bool was_ready; /* this or a former one */
	bool cannot_start;
	int control; /* -1 once the gate has closed its end */
	int64_t started;
	struct starter_children *children;
	struct loop_watch *watch;
	int end; /* pidfd: readable when the gate has ended */
	struct loop_watch *end_watch;
	struct loop_timer *timer; /* until the gate is killed, or until it is started anew */
	int64_t pause_ms;
	bool stopping;
	char last_error[PULSE_TEXT_SIZE]; /* that this gate logged, "" before */
};

static void start_gate(struct supervisor *supervisor);

static void on_pause_over(void *context)
{
	struct supervisor *supervisor = context;
	supervisor->timer = NULL;
	start_gate(supervisor);
}

static void start_later(struct supervisor *supervisor)
{
	const bool young = clock_monotonic_ms() - supervisor->started < YOUNG_MS;
	supervisor->pause_ms =
	    young && supervisor->pause_ms > 0 ? supervisor->pause_ms * 2 : PAUSE_FIRST_MS;
	if (supervisor->pause_ms > PAUSE_MOST_MS)
		supervisor->pause_ms = PAUSE_MOST_MS;
	supervisor->timer =
	    loop_after(supervisor->loop, supervisor->pause_ms, on_pause_over, supervisor);
}

/* -- the end of the gate -- */

static void leave_control(struct supervisor *supervisor)
{
	loop_unwatch(supervisor->loop, supervisor->watch);
	supervisor->watch = NULL;
	if (supervisor->control >= 0)
		close(supervisor->control);
	supervisor->control = -1;
}

static void describe_end(int status, char why[static WHY_SIZE])
{
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS)
		/* Of a mapped file: the system has no other way to say it. */
		snprintf(why, WHY_SIZE, "killed by SIGBUS: a disk is full, or failed to be read");
	else if (WIFSIGNALED(status))
		snprintf(why, WHY_SIZE, "killed by signal %d", WTERMSIG(status));
	else
		snprintf(why, WHY_SIZE, "exit status %d", WEXITSTATUS(status));
}

/* What it said of itself may be why. */
static void note_end(struct supervisor *supervisor, const char *why)
{
	char text[END_SIZE];
	snprintf(text, sizeof text, "the gate ended (%s)%s%s", why,
	    supervisor->last_error[0] != '\0' ? ", its last error: " : "", supervisor->last_error);
	pulse_note(supervisor->plan->pulse, PULSE_GATE_END, text);
	pulse_stage(supervisor->plan->pulse, PULSE_WAITS);
}

/* The gate tells what happened. */
static void on_told(void *context, enum pulse_kind kind, const char *text)
{
	struct supervisor *supervisor = context;
	if (kind == PULSE_ERROR)
		snprintf(supervisor->last_error, sizeof supervisor->last_error, "%.300s", text);
	if (kind == PULSE_ERROR || kind == PULSE_WORKER_END) /* the others are for us to say */
		pulse_note(supervisor->plan->pulse, kind, text);
}

/* Whether it lives or not: afterwards neither the gate nor any worker does. */
static void end_gate(struct supervisor *supervisor)
{
	char why[WHY_SIZE];
	const int status = starter_kill(supervisor->starters[WORKER_GATE], supervisor->gate);
	supervisor->gate = 0;
	loop_unwatch(supervisor->loop, supervisor->end_watch);
	close(supervisor->end);
	leave_control(supervisor);
	starter_children_free(supervisor->children);
	supervisor->children = NULL;
	loop_timer_cancel(supervisor->loop, supervisor->timer);
	supervisor->timer = NULL;
	describe_end(status, why);
	if (supervisor->stopping) {
		if (status != 0)
			log_warning("the gate did not end in good order: %s", why);
		loop_stop(supervisor->loop);
		return;
	}
	note_end(supervisor, why);
	if (!supervisor->was_ready && notify_is_heard(supervisor->notify)) {
		supervisor->cannot_start = true;
		loop_stop(supervisor->loop);
		return;
	}
	start_later(supervisor);
	log_error(
	    "the gate ended (%s); it starts anew in %lld ms", why, (long long)supervisor->pause_ms);
	notify_send(supervisor->notify, "STATUS=The gate ended, it is started anew");
}

static void on_patience_over(void *context)
{
	struct supervisor *supervisor = context;
	supervisor->timer = NULL;
	end_gate(supervisor);
}

static void kill_gate_after(struct supervisor *supervisor, int64_t ms)
{
	loop_timer_cancel(supervisor->loop, supervisor->timer);
	supervisor->timer = loop_after(supervisor->loop, ms, on_patience_over, supervisor);
}

/* Ready is the gate when it has opened the store and taken up its work, and not before. */
static void tell_alive(struct supervisor *supervisor)
{
	notify_send(supervisor->notify, supervisor->gate_is_ready
					    ? "WATCHDOG=1"
					    : "READY=1\nWATCHDOG=1\nSTATUS=The gate is running");
	if (supervisor->gate_is_ready)
		pulse_seen(supervisor->plan->pulse);
	else
		pulse_stage(supervisor->plan->pulse, PULSE_RUNS);
	supervisor->gate_is_ready = supervisor->was_ready = true;
}

/* A request from the gate, or its end. */
static void on_control(void *context, int fd)
{
	struct supervisor *supervisor = context;
	struct err err;
	const int result = starter_serve(supervisor->children, fd, &err);
	if (result > 0 && starter_take_alive(supervisor->children))
		tell_alive(supervisor);
	if (result > 0 && starter_is_outdated(supervisor->children)) {
		supervisor->outdated = true;
		loop_stop(supervisor->loop);
	}
	if (result > 0 || (result < 0 && err.when == ERR_NOW))
		return;
	if (result < 0) {
		log_error("the gate is not what it should be: %s", err.text);
		end_gate(supervisor);
		return;
	}
	leave_control(supervisor);
	if (!supervisor->stopping)
		kill_gate_after(supervisor, LEAVE_MS);
}

/* Its last words are still to be read. What else it asked for goes with it. */
static void on_gate_end(void *context, int fd)
{
	struct supervisor *supervisor = context;
	struct err err;
	(void)fd;
	while (supervisor->control >= 0 &&
	       starter_serve(supervisor->children, supervisor->control, &err) > 0)
		;
	end_gate(supervisor);
}

static void start_gate(struct supervisor *supervisor)
{
	struct err err;
	pid_t pid;
	supervisor->started = clock_monotonic_ms();
	supervisor->last_error[0] = '\0';
	pulse_stage(supervisor->plan->pulse, PULSE_STARTS);
	if (starter_start(supervisor->starters[WORKER_GATE], WORKER_GATE, &pid,
		&supervisor->control, &err) != 0) {
		log_error("%s", err.text);
		start_later(supervisor);
		return;
	}
	/* A gate that asks and does not read the answers must not hold us up. */
	const int flags = fcntl(supervisor->control, F_GETFL);
	fcntl(supervisor->control, F_SETFL, flags | O_NONBLOCK);
	supervisor->gate = pid;
	supervisor->end = (int)syscall(SYS_pidfd_open, pid, 0);
	if (supervisor->end < 0)
		abort(); /* it is there until its starter is told to reap it */
	supervisor->end_watch =
	    loop_watch(supervisor->loop, supervisor->end, on_gate_end, supervisor);
	supervisor->gate_is_ready = false;
	supervisor->children = starter_children_new(supervisor->plan->workers);
	starter_children_listen(supervisor->children, on_told, supervisor);
	for (int kind = 0; kind < WORKER_GATE; kind++)
		starter_children_via(
		    supervisor->children, (enum worker_kind)kind, supervisor->starters[kind]);
	supervisor->watch =
	    loop_watch(supervisor->loop, supervisor->control, on_control, supervisor);
}

/* -- signals -- */

static void stop(struct supervisor *supervisor, unsigned number)
{
	if (supervisor->gate == 0) {
		loop_stop(supervisor->loop);
		return;
	}
	if (supervisor->stopping) {
		log_warning("asked to end once more: killing the gate");
		end_gate(supervisor);
		return;
	}
	log_info("ending on signal %u", number);
	supervisor->stopping = true;
	notify_send(supervisor->notify, "STOPPING=1");
	starter_ask_to_end(supervisor->starters[WORKER_GATE], supervisor->gate);
	kill_gate_after(supervisor, supervisor->plan->grace_ms);
}

static void look_at_starters(struct supervisor *supervisor)
{
	for (int kind = 0; kind < WORKER_KINDS; kind++) {
		int status = 0;
		const pid_t pid = supervisor->starter_pids[kind];
		if (pid == 0 || waitpid(pid, &status, WNOHANG) != pid)
			continue;
		char why[WHY_SIZE];
		describe_end(status, why);
		log_error("the starter of every %s ended (%s): so does all, to be started again",
		    worker_kind_name((enum worker_kind)kind), why);
		sandbox_explain("starter", pid, status);
		supervisor->starter_pids[kind] = 0;
		supervisor->starter_died = true;
		loop_stop(supervisor->loop);
	}
}

static void on_signal(void *context, int fd)
{
	struct supervisor *supervisor = context;
	struct signalfd_siginfo info;
	if (read(fd, &info, sizeof info) != (ssize_t)sizeof info)
		return;
	switch (info.ssi_signo) {
	case SIGCHLD:
		look_at_starters(supervisor);
		break;
	case SIGHUP:
		log_warning(
		    "the configuration is read at the start only: restart dewlined to change it");
		break;
	default:
		stop(supervisor, info.ssi_signo);
		break;
	}
}

/* -- starter processes -- */

static int start_starters(struct supervisor *supervisor, struct err *err)
{
	const struct supervision *plan = supervisor->plan;
	if (starter_process(WORKER_GATE, plan->gate, plan->gate_starter,
		&supervisor->starter_pids[WORKER_GATE], &supervisor->starters[WORKER_GATE],
		err) != 0)
		return -1;
	for (int kind = 0; kind < WORKER_GATE; kind++) {
		if (plan->sockets[kind] != NULL && plan->sockets[kind][0] != '\0')
			supervisor->starters[kind] = starter_connected(plan->sockets[kind]);
		else if (plan->starters[kind].confine != NULL &&
			 starter_process((enum worker_kind)kind, plan->workers[kind],
			     plan->starters[kind], &supervisor->starter_pids[kind],
			     &supervisor->starters[kind], err) != 0)
			return -1;
	}
	return 0;
}

/* They end when their sockets close. */
static void end_starters(struct supervisor *supervisor)
{
	for (int kind = 0; kind < WORKER_KINDS; kind++)
		starter_free(supervisor->starters[kind]);
	const int64_t until = clock_monotonic_ms() + STARTER_MS;
	for (int kind = 0; kind < WORKER_KINDS; kind++) {
		const pid_t pid = supervisor->starter_pids[kind];
		pid_t ended = 0;
		while (pid != 0 && (ended = waitpid(pid, NULL, WNOHANG)) == 0 &&
		       clock_monotonic_ms() < until)
			usleep(STARTER_LOOK_US);
		if (pid == 0 || ended != 0)
			continue;
		log_warning("the starter of every %s takes too long to end",
		    worker_kind_name((enum worker_kind)kind));
		kill(pid, SIGKILL);
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
}

/* -- the whole -- */

static int watch_signals(struct supervisor *supervisor, sigset_t *former, struct err *err)
{
	sigset_t watched;
	sigemptyset(&watched);
	sigaddset(&watched, SIGTERM);
	sigaddset(&watched, SIGINT);
	sigaddset(&watched, SIGHUP);
	sigaddset(&watched, SIGCHLD);
	sigprocmask(SIG_BLOCK, &watched, former);
	supervisor->signals = signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK);
	if (supervisor->signals >= 0)
		return 0;
	err_system(err, "cannot watch signals");
	sigprocmask(SIG_SETMASK, former, NULL);
	return -1;
}

static int run(struct supervisor *supervisor, struct err *err)
{
	const struct supervision *plan = supervisor->plan;
	if (start_starters(supervisor, err) != 0 ||
	    (plan->confine != NULL && plan->confine(plan->gate.settings, err) != 0))
		return -1;
	loop_watch(supervisor->loop, supervisor->signals, on_signal, supervisor);
	start_gate(supervisor);
	int result = loop_run(supervisor->loop, err);
	if (supervisor->gate != 0) {
		supervisor->stopping = true;
		end_gate(supervisor);
	}
	if (result == 0 && supervisor->starter_died)
		result = err_set(err, ERR_DAEMON, ERR_NOW, "a starter process died");
	if (result == 0 && supervisor->cannot_start)
		result = err_set(err, ERR_DAEMON, ERR_LATER, "the gate cannot start: %s",
		    supervisor->last_error[0] != '\0' ? supervisor->last_error
						      : "it ended before it was ready");
	if (result == 0 && supervisor->outdated)
		result = err_set(err, ERR_DAEMON, ERR_NOW,
		    "the sandbox that was made at the start does not reach what is there now: "
		    "ending, to be started anew");
	return result;
}

int supervise(const struct supervision *supervision, struct err *err)
{
	struct supervisor supervisor = {.plan = supervision, .control = -1};
	sigset_t former;
	if (watch_signals(&supervisor, &former, err) != 0)
		return -1;
	supervisor.loop = loop_new();
	supervisor.notify = notify_new();
	const int result = run(&supervisor, err);
	end_starters(&supervisor);
	notify_free(supervisor.notify);
	loop_free(supervisor.loop);
	close(supervisor.signals);
	sigprocmask(SIG_SETMASK, &former, NULL);
	return result;
}
