/* How a run and its results travel between gate and courier; the other halves are in courier.h. */
#ifndef DEWLINE_COURIER_CODEC_H
#define DEWLINE_COURIER_CODEC_H

#include "courier/courier.h"

/* Reads a run, whose views point into body, or a probe. False for a malformed one. */
bool courier_take_run(struct view body, struct courier_run *run);
bool courier_take_probe(struct view body, struct courier_probe *probe);
void courier_put_result(struct buf *body, const struct courier_result *result);
void courier_put_watch(struct buf *body, const struct courier_watch *watch);

#endif
