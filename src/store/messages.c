#include "config.h"

#include <inttypes.h>

#include "store/epoch.h"
#include "store/messages.h"
#include "store/sql.h"

int store_message_add(struct store *store, struct message *message, struct err *err)
{
	const int result = sql_run(store,
	    "INSERT INTO message (kind, message_id, created_at, head, tail, stash, priority)"
	    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
	    SQL_WITH(sql_text(message->kind), sql_text(message->message_id),
		sql_int(message->created_at), sql_bytes(message->head), sql_bytes(message->tail),
		sql_bytes(message->stash), sql_int(message->low_priority)),
	    NULL, err);
	if (result == 0)
		message->id = sql_last_id(store);
	return result;
}

int store_message_kind(
    struct store *store, int64_t message, char kind[static STORE_ID_SIZE], struct err *err)
{
	struct sql_query query;
	bool found;
	kind[0] = '\0';
	if (sql_first(store, &query, "SELECT kind FROM message WHERE id = ?1",
		SQL_WITH(sql_int(message)), &found, err) != 0)
		return -1;
	if (!found)
		return 0;
	sql_column_text(&query, 0, kind, STORE_ID_SIZE);
	sql_close(&query);
	return 0;
}

int store_batch_add(struct store *store, int64_t message, struct view data, int64_t sealed_at,
    int64_t *batch, struct err *err)
{
	char tag[EPOCH_TAG_SIZE];
	if (store_epoch_mark(store, message, tag, err) != 0)
		return -1;
	const int result = sql_run(store,
	    "INSERT INTO batch (message, sealed_at, tag, data) VALUES (?1, ?2, ?3, ?4)",
	    SQL_WITH(sql_int(message), sql_int(sealed_at), sql_text(tag), sql_bytes(data)), NULL,
	    err);
	if (result == 0)
		*batch = sql_last_id(store);
	return result;
}

int store_batch_tag(
    struct store *store, int64_t batch, char tag[static STORE_ID_SIZE], struct err *err)
{
	struct sql_query query;
	bool found;
	tag[0] = '\0';
	if (sql_first(store, &query, "SELECT tag FROM batch WHERE id = ?1",
		SQL_WITH(sql_int(batch)), &found, err) != 0)
		return -1;
	if (found)
		sql_column_text(&query, 0, tag, STORE_ID_SIZE);
	sql_close(&query);
	return 0;
}

int store_batch_read(struct store *store, int64_t batch, bool *clear, int64_t *sealed_at,
    struct buf *head, struct buf *data, struct buf *tail, struct err *err)
{
	struct sql_query query;
	bool found;
	if (sql_first(store, &query,
		"SELECT m.head, m.tail, m.clear, b.sealed_at FROM batch AS b JOIN message AS m ON m.id = b.message"
		" WHERE b.id = ?1",
		SQL_WITH(sql_int(batch)), &found, err) != 0)
		return -1;
	if (!found)
		return err_set(err, ERR_MESSAGE, ERR_NEVER, "there is no batch %" PRId64, batch);
	buf_add_view(head, sql_column_view(&query, 0));
	buf_add_view(tail, sql_column_view(&query, 1));
	*clear = sql_column_bool(&query, 2);
	*sealed_at = sql_column_int(&query, 3);
	sql_close(&query);
	if (head->overflow || tail->overflow)
		return err_set(err, ERR_MESSAGE, ERR_NEVER,
		    "the headers of batch %" PRId64 " are too large", batch);
	return sql_read_blob(store, "batch", "data", batch, data, err);
}
