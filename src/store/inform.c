#include "config.h"

#include "store/inform.h"
#include "store/sql.h"

#define REPORT_COLUMNS                                                                             \
	"SELECT r.id, r.number, r.contact, r.tlp, r.advisory, r.received_at, r.arrival,"           \
	" r.message, r.receipt,"                                                                   \
	" (SELECT count(*) FROM report_reply AS a WHERE a.report = r.id)"
enum { REPORT_TITLE_COLUMN = 10 };

static void read_report(const struct sql_query *query, struct member_report *out)
{
	*out = (struct member_report){
	    .id = sql_column_int(query, 0),
	    .contact = sql_column_int(query, 2),
	    .advisory = sql_column_int(query, 4),
	    .received_at = sql_column_int(query, 5),
	    .arrival = sql_column_int(query, 6),
	    .message = sql_column_int(query, 7),
	    .receipt = sql_column_int(query, 8),
	    .replies = sql_column_int(query, 9),
	    .title = VIEW(""),
	};
	sql_column_text(query, 1, out->number, sizeof out->number);
	sql_column_text(query, 3, out->tlp, sizeof out->tlp);
}

int store_report_add(struct store *store, struct member_report *report, struct err *err)
{
	const int result = sql_run(store,
	    "INSERT INTO report (number, contact, tlp, advisory, received_at, arrival, message,"
	    " title) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
	    SQL_WITH(sql_text(report->number), sql_int(report->contact), sql_text(report->tlp),
		sql_id(report->advisory), sql_int(report->received_at), sql_int(report->arrival),
		sql_int(report->message), sql_bytes(report->title)),
	    NULL, err);
	if (result == 0)
		report->id = sql_last_id(store);
	return result;
}

static int find_report(struct store *store, const char *text, const struct sql_value *values,
    struct member_report *out, bool *found, struct err *err)
{
	struct sql_query query;
	if (sql_first(store, &query, text, values, found, err) != 0)
		return -1;
	if (*found)
		read_report(&query, out);
	sql_close(&query);
	return 0;
}

int store_report_get(struct store *store, const char *number, struct member_report *out,
    bool *found, struct err *err)
{
	return find_report(store, REPORT_COLUMNS " FROM report AS r WHERE r.number = ?1",
	    SQL_WITH(sql_text(number)), out, found, err);
}

int store_report_unanswered(
    struct store *store, struct member_report *out, bool *found, struct err *err)
{
	return find_report(store,
	    REPORT_COLUMNS " FROM report AS r WHERE r.receipt IS NULL ORDER BY r.id LIMIT 1",
	    SQL_NOTHING, out, found, err);
}

static int each_report(struct store *store, const char *text, const struct sql_value *values,
    member_report_fn *fn, void *context, struct err *err)
{
	struct sql_query query;
	int got;
	if (sql_open(store, &query, text, values, err) != 0)
		return -1;
	while ((got = sql_next(&query, err)) > 0) {
		struct member_report report;
		read_report(&query, &report);
		report.title = sql_column_view(&query, REPORT_TITLE_COLUMN);
		if (fn(context, &report, err) != 0) {
			got = -1;
			break;
		}
	}
	sql_close(&query);
	return got;
}

int store_report_each(
    struct store *store, int64_t most, member_report_fn *fn, void *context, struct err *err)
{
	return each_report(store,
	    REPORT_COLUMNS ", r.title FROM report AS r ORDER BY r.id DESC LIMIT ?1",
	    SQL_WITH(sql_int(most)), fn, context, err);
}

int store_report_open(
    struct store *store, const char *number, member_report_fn *fn, void *context, struct err *err)
{
	return each_report(store, REPORT_COLUMNS ", r.title FROM report AS r WHERE r.number = ?1",
	    SQL_WITH(sql_text(number)), fn, context, err);
}

int store_report_set_receipt(struct store *store, int64_t report, int64_t message, struct err *err)
{
	return sql_run(store, "UPDATE report SET receipt = ?2 WHERE id = ?1",
	    SQL_WITH(sql_int(report), sql_int(message)), NULL, err);
}

int store_report_reply_add(struct store *store, const struct report_reply *reply, struct err *err)
{
	return sql_run(store,
	    "INSERT INTO report_reply (message, report, publisher, arrival, sent_at)"
	    " VALUES (?1, ?2, ?3, ?4, ?5)",
	    SQL_WITH(sql_int(reply->message), sql_int(reply->report), sql_int(reply->publisher),
		sql_int(reply->arrival), sql_int(reply->sent_at)),
	    NULL, err);
}

int store_report_reply_each(
    struct store *store, int64_t report, report_reply_fn *fn, void *context, struct err *err)
{
	struct sql_query query;
	int got;
	if (sql_open(store, &query,
		"SELECT message, report, publisher, arrival, sent_at FROM report_reply"
		" WHERE report = ?1 ORDER BY message",
		SQL_WITH(sql_int(report)), err) != 0)
		return -1;
	while ((got = sql_next(&query, err)) > 0) {
		const struct report_reply reply = {
		    .message = sql_column_int(&query, 0),
		    .report = sql_column_int(&query, 1),
		    .publisher = sql_column_int(&query, 2),
		    .arrival = sql_column_int(&query, 3),
		    .sent_at = sql_column_int(&query, 4),
		};
		if (fn(context, &reply, err) != 0) {
			got = -1;
			break;
		}
	}
	sql_close(&query);
	return got;
}

#define MATERIAL_COLUMNS "SELECT id, name, audience, tlp, size, added_at, title, file"

static void read_material(const struct sql_query *query, struct material *out)
{
	*out = (struct material){
	    .id = sql_column_int(query, 0),
	    .size = sql_column_int(query, 4),
	    .added_at = sql_column_int(query, 5),
	    .title = VIEW(""),
	    .file = VIEW(""),
	    .content = VIEW(""),
	};
	sql_column_text(query, 1, out->name, sizeof out->name);
	sql_column_text(query, 2, out->audience, sizeof out->audience);
	sql_column_text(query, 3, out->tlp, sizeof out->tlp);
}

int store_material_add(struct store *store, struct material *material, bool *added, struct err *err)
{
	int64_t changes = 0;
	const int result = sql_run(store,
	    "INSERT INTO material (name, audience, tlp, size, added_at, title, file, content)"
	    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (name) DO NOTHING",
	    SQL_WITH(sql_text(material->name), sql_text(material->audience),
		sql_text(material->tlp), sql_int(material->size), sql_int(material->added_at),
		sql_bytes(material->title), sql_bytes(material->file),
		sql_bytes(material->content)),
	    &changes, err);
	*added = result == 0 && changes == 1;
	if (*added)
		material->id = sql_last_id(store);
	return result;
}

int store_material_each(struct store *store, material_fn *fn, void *context, struct err *err)
{
	struct sql_query query;
	int got;
	if (sql_open(store, &query, MATERIAL_COLUMNS " FROM material ORDER BY name", SQL_NOTHING,
		err) != 0)
		return -1;
	while ((got = sql_next(&query, err)) > 0) {
		struct material material;
		read_material(&query, &material);
		material.title = sql_column_view(&query, 6);
		material.file = sql_column_view(&query, 7);
		if (fn(context, &material, err) != 0) {
			got = -1;
			break;
		}
	}
	sql_close(&query);
	return got;
}

int store_material_get(struct store *store, const char *name, struct material *out,
    struct buf *title, struct buf *file, struct buf *content, bool *found, struct err *err)
{
	struct sql_query query;
	if (sql_first(store, &query, MATERIAL_COLUMNS " FROM material WHERE name = ?1",
		SQL_WITH(sql_text(name)), found, err) != 0)
		return -1;
	if (!*found)
		return 0;
	read_material(&query, out);
	if (title != NULL)
		buf_add_view(title, sql_column_view(&query, 6));
	if (file != NULL)
		buf_add_view(file, sql_column_view(&query, 7));
	sql_close(&query);
	return content == NULL ? 0
			       : sql_read_blob(store, "material", "content", out->id, content, err);
}

int store_material_remove(struct store *store, const char *name, bool *found, struct err *err)
{
	int64_t changes = 0;
	const int result = sql_run(
	    store, "DELETE FROM material WHERE name = ?1", SQL_WITH(sql_text(name)), &changes, err);
	*found = changes == 1;
	return result;
}

int store_label_add(struct store *store, int64_t message, const char *tlp, struct err *err)
{
	return sql_run(store, "INSERT INTO message_label (message, tlp) VALUES (?1, ?2)",
	    SQL_WITH(sql_int(message), sql_text(tlp)), NULL, err);
}

int store_label_get(struct store *store, int64_t message, char tlp[static STORE_ID_SIZE],
    bool *found, struct err *err)
{
	struct sql_query query;
	if (sql_first(store, &query, "SELECT tlp FROM message_label WHERE message = ?1",
		SQL_WITH(sql_int(message)), found, err) != 0)
		return -1;
	if (*found)
		sql_column_text(&query, 0, tlp, STORE_ID_SIZE);
	sql_close(&query);
	return 0;
}
