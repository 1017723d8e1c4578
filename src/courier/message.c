#include "config.h"

#include <string.h>

#include "courier/message.h"

enum { LINE_MOST = 998, MEMORY_KEPT = 1024 * 1024 };

bool message_is_lines(struct view text)
{
	struct view line;
	if (text.len > 0 && memchr(text.data, '\0', text.len) != NULL)
		return false;
	while (text.len > 0) {
		const char *end = memchr(text.data, '\n', text.len);
		if (end == NULL || end == text.data || end[-1] != '\r')
			return false;
		line = view_part(text, 0, (size_t)(end - text.data) - 1);
		if (line.len > LINE_MOST ||
		    (line.len > 0 && memchr(line.data, '\r', line.len) != NULL))
			return false;
		text = view_part(text, line.len + 2, text.len);
	}
	return true;
}

static void add_lines(struct courier_message *message, struct view text)
{
	message->size += text.len;
	while (text.len > 0) {
		/* From one line that begins with a dot to the next: mostly everything at once. */
		if (text.data[0] == '.')
			buf_add_char(&message->bytes, '.');
		const size_t dot = view_find(text, VIEW("\n."));
		const size_t len = dot == SIZE_MAX ? text.len : dot + 1;
		buf_add(&message->bytes, text.data, len);
		text = view_part(text, len, text.len);
	}
}

void message_put(struct courier_message *message, const struct armor_tables *tables,
    const struct courier_run *run, size_t index)
{
	const struct view pkesk = run->deliveries[index].pkesk;
	const size_t armored = run->clear ? 0 : armor_size(pkesk.len + run->data.len);
	const size_t clear = run->clear ? run->data.len : 0;
	/* A head or tail of dots only would double. */
	const size_t most = 2 * run->head.len + armored + 2 * clear + 2 * run->tail.len;
	if (message->bytes.size > MEMORY_KEPT && message->bytes.size / 2 > most)
		buf_release(&message->bytes);
	buf_clear(&message->bytes);
	message->bytes.max = most;
	message->size = armored;
	buf_reserve(&message->bytes, run->head.len + armored + clear + run->tail.len);
	add_lines(message, run->head);
	if (run->clear)
		add_lines(message, run->data);
	else
		armor_add(&message->bytes, tables, pkesk, run->data);
	add_lines(message, run->tail);
}

void message_release(struct courier_message *message)
{
	buf_release(&message->bytes);
}
