#include "config.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>

#include "pgp/feed.h"

enum { PIPES_MAX = 16 }; /* GPGME has seven of them at most */

#define ENCRYPT_FLAGS (GPGME_ENCRYPT_ALWAYS_TRUST | GPGME_ENCRYPT_NO_ENCRYPT_TO)

/* What GPGME wants called when something moves on a pipe. */
struct handler {
	struct pollfd *poll; /* fd is -1 while the place is free */
	gpgme_io_cb_t call;
	void *data;
};

struct feeding {
	gpgme_ctx_t ctx;
	struct pollfd polls[PIPES_MAX];
	struct handler handlers[PIPES_MAX];
	bool done;
	gpgme_error_t code; /* what it came to, once it is done */
};

/* gpgme_register_io_cb_t */
static gpgme_error_t add_pipe(
    void *context, int fd, int reads, gpgme_io_cb_t call, void *data, void **tag)
{
	struct feeding *feeding = context;
	for (size_t i = 0; i < PIPES_MAX; i++) {
		struct handler *handler = &feeding->handlers[i];
		if (feeding->polls[i].fd >= 0)
			continue;
		feeding->polls[i] =
		    (struct pollfd){.fd = fd, .events = reads != 0 ? POLLIN : POLLOUT};
		*handler = (struct handler){&feeding->polls[i], call, data};
		*tag = handler;
		return 0;
	}
	return gpgme_error(GPG_ERR_ENFILE);
}

/* gpgme_remove_io_cb_t */
static void remove_pipe(void *tag)
{
	struct handler *handler = tag;
	*handler->poll = (struct pollfd){.fd = -1};
}

/* gpgme_event_io_cb_t */
static void on_event(void *context, gpgme_event_io_t type, void *data)
{
	struct feeding *feeding = context;
	const struct gpgme_io_event_done_data *result = data;
	if (type != GPGME_EVENT_DONE)
		return;
	feeding->done = true;
	feeding->code = result->err != 0 ? result->err : result->op_err;
}

static void feeding_begin(struct feeding *feeding, gpgme_ctx_t ctx)
{
	*feeding = (struct feeding){.ctx = ctx};
	for (size_t i = 0; i < PIPES_MAX; i++)
		feeding->polls[i].fd = -1;
	struct gpgme_io_cbs callbacks = {
	    .add = add_pipe,
	    .add_priv = feeding,
	    .remove = remove_pipe,
	    .event = on_event,
	    .event_priv = feeding,
	};
	gpgme_set_io_cbs(ctx, &callbacks);
}

/* Whatever the pipe reports is a reason to call: of an input that nobody reads any more GPGME then
 * learns by writing to it, and closes it. One handler may close the pipes of others. */
static void call_handlers(struct feeding *feeding)
{
	for (size_t i = 0; i < PIPES_MAX && !feeding->done; i++) {
		const struct handler *handler = &feeding->handlers[i];
		if (feeding->polls[i].fd >= 0 && feeding->polls[i].revents != 0)
			handler->call(handler->data, feeding->polls[i].fd);
	}
}

/* The rest of an operation whose start came to `started`. */
static gpgme_error_t feeding_end(struct feeding *feeding, gpgme_error_t started)
{
	gpgme_error_t code = started;
	while (code == 0 && !feeding->done) {
		if (poll(feeding->polls, PIPES_MAX, -1) >= 0)
			call_handlers(feeding);
		else if (errno != EINTR)
			code = gpgme_error_from_syserror();
	}
	/* Pipes that are left would call us back when there is nobody any more. */
	if (code != 0)
		gpgme_cancel(feeding->ctx);
	gpgme_set_io_cbs(feeding->ctx, NULL);
	return code != 0 ? code : feeding->code;
}

gpgme_error_t feed_import(gpgme_ctx_t ctx, gpgme_data_t certificates)
{
	struct feeding feeding;
	feeding_begin(&feeding, ctx);
	return feeding_end(&feeding, gpgme_op_import_start(ctx, certificates));
}

gpgme_error_t feed_verify(
    gpgme_ctx_t ctx, gpgme_data_t signature, gpgme_data_t text, gpgme_data_t plaintext)
{
	struct feeding feeding;
	feeding_begin(&feeding, ctx);
	return feeding_end(&feeding, gpgme_op_verify_start(ctx, signature, text, plaintext));
}

gpgme_error_t feed_decrypt(
    gpgme_ctx_t ctx, gpgme_decrypt_flags_t flags, gpgme_data_t in, gpgme_data_t out)
{
	struct feeding feeding;
	feeding_begin(&feeding, ctx);
	return feeding_end(&feeding, gpgme_op_decrypt_ext_start(ctx, flags, in, out));
}

gpgme_error_t feed_encrypt(
    gpgme_ctx_t ctx, const char *recipients, gpgme_data_t in, gpgme_data_t out)
{
	struct feeding feeding;
	feeding_begin(&feeding, ctx);
	return feeding_end(
	    &feeding, gpgme_op_encrypt_ext_start(ctx, NULL, recipients, ENCRYPT_FLAGS, in, out));
}

gpgme_error_t feed_encrypt_sign(
    gpgme_ctx_t ctx, const char *recipients, gpgme_data_t in, gpgme_data_t out)
{
	struct feeding feeding;
	feeding_begin(&feeding, ctx);
	return feeding_end(&feeding,
	    gpgme_op_encrypt_sign_ext_start(ctx, NULL, recipients, ENCRYPT_FLAGS, in, out));
}

gpgme_error_t feed_sign(gpgme_ctx_t ctx, gpgme_data_t in, gpgme_data_t signature)
{
	struct feeding feeding;
	feeding_begin(&feeding, ctx);
	return feeding_end(
	    &feeding, gpgme_op_sign_start(ctx, in, signature, GPGME_SIG_MODE_DETACH));
}
