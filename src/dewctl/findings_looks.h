/* The rows of the pre-flight about the gateway itself, by subject. Each looks at one thing, says in
 * `detail` what it saw and what is to be done about it, and calls well only what goes well now. */
#ifndef DEWLINE_DEWCTL_FINDINGS_LOOKS_H
#define DEWLINE_DEWCTL_FINDINGS_LOOKS_H

#include "dewctl/findings.h"
#include "worker/pulse.h"

typedef enum finding look_fn(struct ctl *ctl, struct buf *detail);

/* findings_daemon.c: what runs. None of these but the last needs the store. */
look_fn look_at_daemon, look_at_gate, look_at_errors, look_at_processes;

/* findings_state.c: what is kept, and its room. The first two need no store. */
look_fn look_at_state, look_at_room;
look_fn look_at_store, look_at_audit, look_at_key, look_at_agreement, look_at_backup;

/* findings_mail.c: the ways in and out. The smarthost's settings need no store. */
look_fn look_at_smarthost, look_at_word, look_at_drop, look_at_mailbox;

/* findings_work.c: what is not done, or did not arrive. */
look_fn look_at_waiting, look_at_queue, look_at_bounces, look_at_answers;

/* For look_at_gate: what is to be said of a gate while dewlined runs, at a time of the day in seconds
 * and of CLOCK_MONOTONIC in milliseconds. */
enum finding findings_judge_gate(
    const struct pulse *pulse, int64_t now, int64_t now_ms, struct buf *detail);

/* For look_at_room: of a directory's file system with so many bytes and files free; files -1: it has
 * no such limit. */
enum finding findings_judge_room(
    const char *directory, int64_t bytes, int64_t files, struct buf *detail);

/* For look_at_backup: with the log begun at `first`, and the last backup made at `last`, 0: never. */
enum finding findings_judge_backup(int64_t now, int64_t first, int64_t last, struct buf *detail);

#endif
