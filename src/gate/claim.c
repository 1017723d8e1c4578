#include "config.h"

#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "gate/claim.h"
#include "store/arrivals.h"
#include "store/people.h"

/* What stands between the last "<" and the ">" behind it; the whole where there is none. */
static struct view behind_bracket(struct view value)
{
	size_t from = value.len;
	while (from > 0 && value.data[from - 1] != '<')
		from--;
	if (from == 0)
		return view_trim(value);
	size_t len = 0;
	while (from + len < value.len && value.data[from + len] != '>')
		len++;
	return view_part(value, from, len);
}

struct view claim_address(struct view head)
{
	struct view rest = view_part(head, 0, CLAIM_HEAD);
	struct view line;
	const char *why;
	while (view_next_line(&rest, &line) && line.len > 0) {
		if (!view_starts_nocase(line, "From:"))
			continue;
		const char *from = line.data + strlen("From:");
		const char *end = line.data + line.len;
		while (rest.len > 0 && (rest.data[0] == ' ' || rest.data[0] == '\t') &&
		       view_next_line(&rest, &line))
			end = line.data + line.len;
		const struct view address =
		    behind_bracket((struct view){from, (size_t)(end - from)});
		return text_is_address(address, &why) ? address : VIEW("");
	}
	return VIEW("");
}

int claim_of_arrival(struct gate *gate, int64_t arrival, char address[static STORE_ADDRESS_SIZE],
    struct contact *contact, bool *found, struct err *err)
{
	struct buf head = BUF_EMPTY(CLAIM_HEAD);
	int result = store_arrival_head(gate->store, arrival, CLAIM_HEAD, &head, err);
	*found = false;
	if (result == 0 &&
	    view_copy(claim_address(buf_view(&head)), address, STORE_ADDRESS_SIZE) &&
	    address[0] != '\0')
		result = store_contact_by_address(gate->store, address, contact, found, err);
	buf_release(&head);
	return result;
}

int claim_sender(struct gate *gate, struct view head, int64_t *sender, struct err *err)
{
	char address[STORE_ADDRESS_SIZE];
	struct contact contact;
	struct publisher publisher;
	bool found;
	*sender = CLAIM_NOBODY;
	if (!view_copy(claim_address(head), address, sizeof address) || address[0] == '\0')
		return 0;
	if (store_contact_by_address(gate->store, address, &contact, &found, err) != 0)
		return -1;
	if (found) {
		*sender = contact.id;
		return 0;
	}
	if (store_publisher_by_address(gate->store, address, &publisher, &found, err) != 0 ||
	    (!found && store_admin_by_address(gate->store, address, &publisher, &found, err) != 0))
		return -1;
	if (found)
		*sender = -publisher.id; /* contacts have the numbers above zero */
	return 0;
}

int claim_known(struct gate *gate, int64_t arrival, char address[static STORE_ADDRESS_SIZE],
    struct err *err)
{
	struct buf head = BUF_EMPTY(CLAIM_HEAD);
	int64_t sender = CLAIM_NOBODY;
	int result = store_arrival_head(gate->store, arrival, CLAIM_HEAD, &head, err);
	if (result == 0)
		result = claim_sender(gate, buf_view(&head), &sender, err);
	if (result != 0 || sender == CLAIM_NOBODY ||
	    !view_copy(claim_address(buf_view(&head)), address, STORE_ADDRESS_SIZE))
		address[0] = '\0';
	buf_release(&head);
	return result;
}

/* The mail server that delivered it has written the address of its envelope into the head, under a name
 * that differs from one to the other. */
bool claim_returns(const struct gate *gate, struct view head, char address[static STORE_ADDRESS_SIZE])
{
	const char *own = gate->config->gateway.return_path;
	const size_t local = strcspn(own, "@");
	char tag[EPOCH_TAG_SIZE];
	int64_t delivery;
	for (size_t at = 0; at + local < head.len; at++) {
		struct view rest = view_part(head, at, STORE_ADDRESS_SIZE - 1);
		if (rest.data[local] != '+' || strncasecmp(rest.data, own, local) != 0)
			continue;
		size_t len = 0;
		while (len < rest.len && strchr(" \t\r\n<>,;\"", rest.data[len]) == NULL)
			len++;
		rest = view_part(rest, 0, len);
		if (gate_return_path_owner(gate, rest, &delivery, tag) &&
		    view_copy(rest, address, STORE_ADDRESS_SIZE))
			return true;
	}
	return false;
}
