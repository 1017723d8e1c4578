#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "worker/frame.h"
#include "worker/link.h"
#include "worker/packet.h"
#include "worker/sandbox.h"
#include "worker/spawn.h"

enum {
	/* More than any pools need together; a gate that asks for more is out of its mind. */
	CHILDREN_MAX = 256,
	MESSAGE_SIZE = 12, /* u32 and i64 */
};

/* A request is a verb and a number: START and the kind, KILL or END and the process id. The answer
 * is OK or FAILED, and for START the process id, with the socket as descriptor, for KILL the wait
 * status. ALIVE and TELL have no answer; TELL has a kind and a text. */
enum verb { VERB_START = 1, VERB_KILL, VERB_OK, VERB_FAILED, VERB_ALIVE, VERB_END, VERB_TELL };

struct child {
	LIST_ENTRY(child) entry;
	enum worker_kind kind;
	pid_t pid;
};

struct starter_children {
	struct worker_program programs[WORKER_KINDS];
	struct starter *via[WORKER_KINDS]; /* NULL: forked here */
	LIST_HEAD(, child) list;
	unsigned count;
	bool outdated; /* a worker has said so by its exit status */
	bool alive; /* the other side has said so since it was last looked at */
	starter_told_fn *told; /* NULL: nobody listens */
	void *told_context;
};

/* Of the three one is set. */
struct starter {
	struct starter_children *children; /* forks here */
	int control; /* asks another process, -1: does not */
	struct links *links; /* connects to another service */
};

/* -- the side that forks -- */

struct starter_children *starter_children_new(const struct worker_program programs[WORKER_KINDS])
{
	struct starter_children *children = calloc(1, sizeof *children);
	if (children == NULL)
		abort();
	memcpy(children->programs, programs, sizeof children->programs);
	LIST_INIT(&children->list);
	return children;
}

void starter_children_via(
    struct starter_children *children, enum worker_kind kind, struct starter *starter)
{
	children->via[kind] = starter;
}

static int children_start(
    struct starter_children *children, enum worker_kind kind, pid_t *pid, int *fd, struct err *err)
{
	if (children->count >= CHILDREN_MAX)
		return err_set(
		    err, ERR_DAEMON, ERR_LATER, "more than %d workers at once", CHILDREN_MAX);
	struct child *child = calloc(1, sizeof *child);
	if (child == NULL)
		abort();
	struct starter *via = children->via[kind];
	const int result = via != NULL ? starter_start(via, kind, &child->pid, fd, err)
				       : process_start(worker_kind_name(kind),
					     children->programs[kind], &child->pid, fd, err);
	if (result != 0) {
		free(child);
		return -1;
	}
	child->kind = kind;
	*pid = child->pid;
	LIST_INSERT_HEAD(&children->list, child, entry);
	children->count++;
	return 0;
}

/* The leader is not reaped before the kill, so that its number, which is the group's, cannot have
 * passed to somebody else. */
static int child_reap(const struct child *child)
{
	int status = 0;
	kill(-child->pid, SIGKILL);
	kill(child->pid, SIGKILL);
	while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
		;
	sandbox_explain(worker_kind_name(child->kind), child->pid, status);
	return status;
}

static int child_end(struct starter_children *children, struct child *child)
{
	struct starter *via = children->via[child->kind];
	const int status = via != NULL ? starter_kill(via, child->pid) : child_reap(child);
	if (WIFEXITED(status) && WEXITSTATUS(status) == WORKER_STATUS_OUTDATED)
		children->outdated = true;
	LIST_REMOVE(child, entry);
	children->count--;
	free(child);
	return status;
}

static struct child *children_find(const struct starter_children *children, int64_t pid)
{
	struct child *child;
	LIST_FOREACH(child, &children->list, entry)
	{
		if (child->pid == pid)
			return child;
	}
	return NULL;
}

static bool children_kill(struct starter_children *children, int64_t pid, int *status)
{
	struct child *child = children_find(children, pid);
	if (child != NULL)
		*status = child_end(children, child);
	return child != NULL;
}

static bool children_ask(struct starter_children *children, int64_t pid)
{
	const struct child *child = children_find(children, pid);
	if (child == NULL)
		return false;
	if (children->via[child->kind] != NULL)
		starter_ask_to_end(children->via[child->kind], child->pid);
	else
		kill(child->pid, SIGTERM);
	return true;
}

void starter_children_free(struct starter_children *children)
{
	struct child *child;
	if (children == NULL)
		return;
	/* All at once first: one that hangs in the kernel must not let the others go on. */
	LIST_FOREACH(child, &children->list, entry)
	{
		if (children->via[child->kind] == NULL)
			kill(-child->pid, SIGKILL);
	}
	while ((child = LIST_FIRST(&children->list)) != NULL)
		child_end(children, child);
	free(children);
}

/* -- the control socket -- */

static int message_send_text(int control, enum verb verb, int64_t number, struct view text,
    int passed, struct err *err)
{
	struct buf message = BUF_EMPTY(MESSAGE_SIZE);
	put_u32(&message, verb);
	put_i64(&message, number);
	const int result = packet_send(control, buf_view(&message), text, passed, err);
	buf_release(&message);
	return result;
}

static int message_send(int control, enum verb verb, int64_t number, int passed, struct err *err)
{
	return message_send_text(control, verb, number, VIEW(""), passed, err);
}

/* `why`, unless it is NULL, is what the text behind FAILED or TELL says, "" without one. */
static int message_receive(int control, uint32_t *verb, int64_t *number, int *passed,
    struct err *why, struct err *err)
{
	char bytes[MESSAGE_SIZE + ERR_TEXT_SIZE];
	size_t len = 0;
	const int result = packet_receive(control, bytes, sizeof bytes, &len, passed, err);
	if (result <= 0)
		return result;
	const size_t front = len < MESSAGE_SIZE ? len : MESSAGE_SIZE;
	struct taker taker = take_from((struct view){bytes, front});
	*verb = take_u32(&taker);
	*number = take_i64(&taker);
	if (why != NULL)
		err_set(why, ERR_DAEMON, ERR_LATER, "%.*s", (int)(len - front), bytes + front);
	if (take_end(&taker) &&
	    (len == front || (why != NULL && (*verb == VERB_FAILED || *verb == VERB_TELL))))
		return 1;
	if (*passed >= 0)
		close(*passed);
	*passed = -1;
	return err_set(err, ERR_PEER, ERR_NEVER, "malformed message on the control socket");
}

static int serve_start(
    struct starter_children *children, int control, enum worker_kind kind, struct err *err)
{
	pid_t pid;
	int fd;
	int status;
	if (children_start(children, kind, &pid, &fd, err) != 0) {
		log_error("%s", err->text);
		struct err why = *err;
		return message_send_text(
		    control, VERB_FAILED, 0, view_of(why.text), -1, err);
	}
	const int result = message_send(control, VERB_OK, pid, fd, err);
	close(fd);
	if (result != 0)
		children_kill(children, pid, &status);
	return result;
}

static int note_alive(struct starter_children *children)
{
	children->alive = true;
	return 0;
}

static int note_told(struct starter_children *children, enum pulse_kind kind, const char *text)
{
	if (children->told != NULL)
		children->told(children->told_context, kind, text);
	return 0;
}

void starter_children_listen(
    struct starter_children *children, starter_told_fn *told, void *context)
{
	children->told = told;
	children->told_context = context;
}

int starter_serve(struct starter_children *children, int control, struct err *err)
{
	uint32_t verb = 0;
	int64_t number = 0;
	int passed;
	int status = 0;
	struct err text;
	int result = message_receive(control, &verb, &number, &passed, &text, err);
	if (result <= 0)
		return result;
	if (passed >= 0) {
		close(passed);
		return err_set(err, ERR_PEER, ERR_NEVER, "a descriptor came with a request");
	}
	if (verb == VERB_START && number >= 0 && number < WORKER_KINDS &&
	    (children->programs[number].run != NULL || children->via[number] != NULL))
		result = serve_start(children, control, (enum worker_kind)number, err);
	else if (verb == VERB_KILL && children_kill(children, number, &status))
		result = message_send(control, VERB_OK, status, -1, err);
	else if (verb == VERB_END && children_ask(children, number))
		result = message_send(control, VERB_OK, 0, -1, err);
	else if (verb == VERB_ALIVE && number == 0)
		result = note_alive(children);
	else if (verb == VERB_TELL && number >= 0 && number < PULSE_KINDS)
		result = note_told(children, (enum pulse_kind)number, text.text);
	else
		result = err_set(err, ERR_PEER, ERR_NEVER,
		    "the control socket was asked for what it does not do");
	return result == 0 ? 1 : -1;
}

bool starter_is_outdated(const struct starter_children *children)
{
	return children->outdated;
}

bool starter_take_alive(struct starter_children *children)
{
	const bool alive = children->alive;
	children->alive = false;
	return alive;
}

/* -- the side that asks -- */

static struct starter *starter_new(struct starter_children *children, int control)
{
	struct starter *starter = calloc(1, sizeof *starter);
	if (starter == NULL)
		abort();
	*starter = (struct starter){.children = children, .control = control};
	return starter;
}

struct starter *starter_direct(const struct worker_program programs[WORKER_KINDS])
{
	return starter_new(starter_children_new(programs), -1);
}

struct starter *starter_remote(int control)
{
	return starter_new(NULL, control);
}

struct starter *starter_connected(const char *path)
{
	struct starter *starter = starter_new(NULL, -1);
	starter->links = links_new(path);
	return starter;
}

void starter_free(struct starter *starter)
{
	if (starter == NULL)
		return;
	starter_children_free(starter->children);
	links_free(starter->links);
	if (starter->control >= 0)
		close(starter->control);
	free(starter);
}

static int remote_ask(
    struct starter *starter, enum verb verb, int64_t *number, int *passed, struct err *err)
{
	uint32_t answer = 0;
	struct err why;
	if (message_send(starter->control, verb, *number, -1, err) != 0)
		return -1;
	const int result =
	    message_receive(starter->control, &answer, number, passed, &why, err);
	if (result < 0)
		return -1;
	if (result == 0)
		return err_set(
		    err, ERR_DAEMON, ERR_NEVER, "the process that starts workers is gone");
	if (answer == VERB_OK && (verb == VERB_START) == (*passed >= 0))
		return 0;
	if (*passed >= 0)
		close(*passed);
	return err_set(err, ERR_DAEMON, ERR_LATER, "%s",
	    why.text[0] != '\0' ? why.text : "the worker could not be started");
}

int starter_start(
    struct starter *starter, enum worker_kind kind, pid_t *pid, int *fd, struct err *err)
{
	if (starter->children != NULL)
		return children_start(starter->children, kind, pid, fd, err);
	int64_t number = kind;
	const int result = starter->links != NULL
			       ? link_start(starter->links, &number, fd, err)
			       : remote_ask(starter, VERB_START, &number, fd, err);
	if (result != 0)
		return -1;
	*pid = (pid_t)number;
	return 0;
}

int starter_kill(struct starter *starter, pid_t pid)
{
	struct err err;
	int64_t number = pid;
	int passed;
	int status = 0;
	if (starter->children != NULL)
		children_kill(starter->children, pid, &status);
	else if (starter->links != NULL)
		link_end(starter->links, pid);
	else if (remote_ask(starter, VERB_KILL, &number, &passed, &err) == 0)
		status = (int)number;
	else
		log_error("cannot kill worker %ld: %s", (long)pid, err.text);
	return status;
}

void starter_ask_to_end(struct starter *starter, pid_t pid)
{
	struct err err;
	int64_t number = pid;
	int passed;
	if (starter->children != NULL)
		children_ask(starter->children, pid);
	else if (starter->control >= 0 &&
		 remote_ask(starter, VERB_END, &number, &passed, &err) != 0)
		log_error("cannot ask %ld to end: %s", (long)pid, err.text);
}

void starter_alive(struct starter *starter)
{
	struct err err;
	if (starter->control >= 0 && message_send(starter->control, VERB_ALIVE, 0, -1, &err) != 0)
		log_debug("nobody hears that we are alive: %s", err.text);
}

void starter_tell(struct starter *starter, enum pulse_kind kind, const char *text)
{
	struct err err;
	if (starter->control >= 0 && message_send_text(starter->control, VERB_TELL, (int64_t)kind,
					 view_part(view_of(text), 0, ERR_TEXT_SIZE - 1), -1, &err) != 0)
		log_debug("nobody hears of what happened: %s", err.text);
}

/* -- a process that starts -- */

struct starting {
	enum worker_kind kind;
	struct worker_program program;
	struct starter_program own;
};

static int starting_main(const void *settings, int control)
{
	const struct starting *starting = settings;
	struct worker_program programs[WORKER_KINDS] = {0};
	struct err err;
	int result;
	if (starting->own.confine != NULL &&
	    starting->own.confine(starting->program.settings, &err) != 0) {
		log_error("%s", err.text);
		return EXIT_FAILURE;
	}
	programs[starting->kind] = starting->program;
	struct starter_children *children = starter_children_new(programs);
	while ((result = starter_serve(children, control, &err)) > 0)
		;
	starter_children_free(children);
	if (result < 0)
		log_error("%s", err.text);
	if (starting->own.leave != NULL)
		starting->own.leave(starting->program.settings);
	return result == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int starter_process(enum worker_kind kind, struct worker_program program,
    struct starter_program own, pid_t *pid, struct starter **out, struct err *err)
{
	const struct starting starting = {.kind = kind, .program = program, .own = own};
	int control;
	if (process_start("starter", (struct worker_program){starting_main, &starting}, pid,
		&control, err) != 0)
		return -1;
	*out = starter_remote(control);
	return 0;
}
