#include "config.h"

#include <stdlib.h>

#include "base/log.h"
#include "worker/frame.h"
#include "worker/pool.h"

int pool_reply(
    struct pool_service *service, enum pool_event event, struct view body, struct err *err)
{
	if (frame_send(service->fd, event, service->number, body, err) != 0)
		return -1;
	service->answered = event == POOL_ANSWER;
	return 0;
}

int pool_cannot_serve(int fd, const struct err *why)
{
	struct err err;
	log_error("%s", why->text);
	if (frame_send(fd, POOL_TROUBLE, 0, view_of(why->text), &err) != 0)
		log_error("%s", err.text);
	return EXIT_FAILURE;
}

int pool_serve(int fd, pool_serve_fn *serve, void *context)
{
	struct err err;
	if (frame_send(fd, POOL_READY, 0, VIEW(""), &err) != 0) {
		log_error("%s", err.text);
		return EXIT_FAILURE;
	}
	for (;;) {
		struct frame frame;
		int result = frame_receive(fd, &frame, &err);
		if (result == 0)
			return EXIT_SUCCESS;
		if (result > 0) {
			struct pool_service service = {.fd = fd, .number = frame.number};
			result = serve(&service, context, frame.type, frame.body, &err);
			if (result == 0 && !service.answered)
				result = err_set(&err, ERR_DAEMON, ERR_NEVER,
				    "a request was left without an answer");
			frame_release(&frame);
		}
		if (result < 0) {
			log_error("%s", err.text);
			return EXIT_FAILURE;
		}
	}
}
