#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include <libconfig.h>

#include "base/text.h"
#include "config/config.h"
#include "config/secret.h"

enum {
	NAME_SIZE = 64,
	HOST_MAX = 253, /* characters of a name in the DNS (RFC 1035 section 2.3.4) */
	LABEL_MAX = 12,
	/* What the gate puts behind the local part of the return path, at most: "+", a delivery's
	 * number, "." and a code of 16 characters. */
	RETURN_PATH_TAG_MAX = 1 + 19 + 1 + 16,
	RETURN_PATH_LOCAL_MAX = TEXT_LOCAL_PART_MAX - RETURN_PATH_TAG_MAX,
	/* GnuPG puts the sockets of its agent below the state directory, and a socket's path holds
	 * 107 bytes. */
	STATE_PATH_MAX = 80,
	SOCKET_PATH_MAX = 107, /* sun_path with its NUL (unix(7)) */
	PERCENT_MAX = 99,
	MINUTE = 60,
	HOUR = 3600,
	DAY = 86400,
	WEEK = 7 * DAY,
	/* Leaves room for a frame's other fields below FRAME_BODY_MAX. */
	BYTES_MAX = 400000000,
	BYTES_MIN = 1024,
};

enum type {
	TEXT,
	LABEL,
	PATH,
	PATHS,
	SECRET,
	ADDRESS,
	HOST,
	NUMBER,
	DURATION,
	CHOICE,
	FLAG,
	PERCENTS,
};

/* `standard` is the default as it would stand in the file, NULL for a required setting; where it is
 * "", the setting may be empty. least and most bound numbers, durations in seconds, and the length
 * of a path. Choices are in the order of the enum they stand for. */
struct setting {
	const char *name;
	enum type type;
	size_t offset;
	int64_t least;
	int64_t most;
	const char *standard;
	const char *const *choices;
	const char *help;
};

static const char *const log_levels[] = {"error", "warning", "info", "debug", NULL};
static const char *const approvals[] = {
    "never", "always", "RED", "AMBER+STRICT", "AMBER", "GREEN", "CLEAR", NULL};
static const char *const imap_tls_modes[] = {"implicit", "starttls", NULL};
static const char *const sandboxes[] = {"required", "relaxed", NULL};
static const char *const tls_modes[] = {"starttls", "tls", "none", NULL};

static const char *const answer_rules[] = {"member", "contact", NULL};

_Static_assert(sizeof(enum log_level) == sizeof(int), "choices are stored as int");
_Static_assert(sizeof(enum config_approval) == sizeof(int), "choices are stored as int");
_Static_assert(sizeof(enum config_sandbox) == sizeof(int), "choices are stored as int");
_Static_assert(sizeof(enum config_tls) == sizeof(int), "choices are stored as int");
_Static_assert(sizeof(enum config_imap_tls) == sizeof(int), "choices are stored as int");
_Static_assert(sizeof(enum config_answers) == sizeof(int), "choices are stored as int");

#define AT(field) offsetof(struct config, field)

static const struct setting settings[] = {
    {"state", PATH, AT(state), 1, STATE_PATH_MAX, NULL, NULL,
	"Directory of the gateway's own: its store and its GnuPG homes. Mode 0700, on a local "
	"disk."},
    {"drop", PATH, AT(drop), 1, CONFIG_PATH_SIZE - 1, NULL, NULL,
	"Maildir into which all mail for the gateway is delivered."},
    {"log_level", CHOICE, AT(log_level), 0, 0, "info", log_levels,
	"How much goes to the log; each level holds those before it."},
    {"user", TEXT, AT(user), 0, 0, "", NULL,
	"The user that owns the state. Started as root, dewlined becomes that user for good. Empty: "
	"it stays who started it."},
    {"sandbox", CHOICE, AT(sandbox), 0, 0, "required", sandboxes,
	"What to do where the kernel lacks Landlock or seccomp filters: required: refuse to start; "
	"relaxed: do without what is missing, with a warning at every start."},
    {"sandbox_read", PATHS, AT(sandbox_read), 0, 0, "", NULL,
	"Further paths that processes which read files of the system may read and run, where GnuPG "
	"or libraries stand in unusual places."},
    {"sandbox_write", PATHS, AT(sandbox_write), 0, 0, "", NULL,
	"Further paths that these processes may write."},

    {"gateway.name", TEXT, AT(gateway.name), 0, 0, "Early warning", NULL,
	"Name of the programme, as members read it."},
    {"gateway.prefix", LABEL, AT(gateway.prefix), 0, 0, "DEW", NULL,
	"How advisory numbers begin: DEW-2026-0007."},
    {"gateway.address", ADDRESS, AT(gateway.address), 0, 0, NULL, NULL,
	"The gateway's own mailbox: From of all it sends, and where replies go."},
    {"gateway.list", ADDRESS, AT(gateway.list), 0, 0, NULL, NULL,
	"What stands in To of every advisory, in place of its recipients."},
    {"gateway.return_path", ADDRESS, AT(gateway.return_path), 0, 0, "", NULL,
	"Where bounces go: bounce@example.org becomes bounce+TAG@example.org, which must arrive in "
	"the drop too. Empty: gateway.address."},
    {"gateway.passphrase_file", SECRET, AT(gateway.passphrase_file), 0, CONFIG_PATH_SIZE - 1,
	"dewline.passphrase", NULL,
	"File whose first line is the passphrase of the gateway's key; dewctl init writes it. A "
	"credential gateway-passphrase of the service manager goes before it. Empty: only that, or "
	"the key has no passphrase."},

    {"smarthost.host", HOST, AT(smarthost.host), 0, 0, NULL, NULL,
	"The mail server that takes the gateway's mail and delivers it."},
    {"smarthost.port", NUMBER, AT(smarthost.port), 1, 65535, "587", NULL,
	"Its TCP port: 587 for submission, 465 with tls = \"tls\", 25 between servers."},
    {"smarthost.tls", CHOICE, AT(smarthost.tls), 0, 0, "starttls", tls_modes,
	"starttls: TLS is demanded after the greeting; tls: from the first byte; none: only to "
	"this "
	"machine itself."},
    {"smarthost.ca_file", PATH, AT(smarthost.ca_file), 0, CONFIG_PATH_SIZE - 1, "", NULL,
	"Certificates (PEM) that may vouch for the smarthost. Empty: those the system trusts."},
    {"smarthost.helo", HOST, AT(smarthost.helo), 0, 0, "", NULL,
	"The name to greet with. Empty: the machine's name."},
    {"smarthost.user", TEXT, AT(smarthost.user), 0, 0, "", NULL,
	"User name for the smarthost. Empty: no authentication."},
    {"smarthost.password_file", SECRET, AT(smarthost.password_file), 0, CONFIG_PATH_SIZE - 1, "",
	NULL,
	"File whose first line is the password of that user, readable by the gateway alone. A "
	"credential smarthost-password of the service manager goes before it."},
    {"smarthost.connections", NUMBER, AT(smarthost.connections), 1, 64, "2", NULL,
	"Connections to the smarthost side by side."},

    {"imap.server", HOST, AT(imap.server), 0, 0, "", NULL,
	"An IMAP server with a mailbox that is emptied into the drop. Empty: there is none, and "
	"whoever delivers puts mail into the drop."},
    {"imap.port", NUMBER, AT(imap.port), 1, 65535, "993", NULL,
	"Its TCP port: 993 for TLS from the first byte, 143 with tls = \"starttls\"."},
    {"imap.tls", CHOICE, AT(imap.tls), 0, 0, "implicit", imap_tls_modes,
	"implicit: TLS from the first byte; starttls: TLS is demanded after the greeting. The "
	"server's certificate is always verified."},
    {"imap.ca_file", PATH, AT(imap.ca_file), 0, CONFIG_PATH_SIZE - 1, "", NULL,
	"Certificates (PEM) that may vouch for the IMAP server. Empty: those the system trusts."},
    {"imap.user", TEXT, AT(imap.user), 0, 0, "", NULL, "User name for the IMAP server."},
    {"imap.password_file", SECRET, AT(imap.password_file), 0, CONFIG_PATH_SIZE - 1, "", NULL,
	"File whose first line is the password of that user, readable by the gateway alone. A "
	"credential imap-password of the service manager goes before it."},
    {"imap.mailbox", TEXT, AT(imap.mailbox), 0, 0, "INBOX", NULL,
	"The mailbox, which should be the gateway's alone. All that lies in it is taken, whatever "
	"flags it has."},
    {"imap.after", TEXT, AT(imap.after), 0, 0, "delete", NULL,
	"What becomes of a message once it is in the drop: delete, or move:NAME for another "
	"mailbox, which is made when there is none."},
    {"imap.idle", DURATION, AT(imap.idle), 1, 29 * MINUTE, "5m", NULL,
	"How long to wait for the server to tell of new mail (IDLE) before it is asked once more."},
    {"imap.poll", DURATION, AT(imap.poll), 1, HOUR, "1m", NULL,
	"How often to ask a server that does not tell of new mail."},
    {"imap.alarm", DURATION, AT(imap.alarm), 1, WEEK, "1h", NULL,
	"How long the mailbox may be out of reach before the admins get a mail."},

    {"courier.socket", PATH, AT(courier.socket), 0, SOCKET_PATH_MAX, "", NULL,
	"Socket at which another service hands out couriers (dewline-courier.socket). Empty: "
	"dewlined starts them itself."},

    {"retry.first", DURATION, AT(retry.first), 1, DAY, "60s", NULL,
	"Pause before a delivery's second attempt; it doubles from there."},
    {"retry.most", DURATION, AT(retry.most), 1, WEEK, "1h", NULL,
	"The longest pause between two attempts."},
    {"retry.give_up", DURATION, AT(retry.give_up), MINUTE, 30 * DAY, "2d", NULL,
	"Time after the first attempt until a delivery counts as failed."},

    {"release.approval", CHOICE, AT(release.approval), 0, 0, "never", approvals,
	"When another publisher must approve an advisory before it goes: never, always, or from "
	"this TLP label on. `Approval: yes` in an advisory asks for it besides."},
    {"release.name_gateway", FLAG, AT(release.name_gateway), 0, 0, "false", NULL,
	"Whether an advisory must say which gateway it is for (`Gateway: ADDRESS`), so that nobody "
	"can "
	"pass one that was signed for another gateway off here."},

    {"reminders.stages", PERCENTS, AT(reminders.stages), 0, 0, "50%, 75%", NULL,
	"Parts of the time to answer after which whoever has not answered is reminded. At its end "
	"the member's other contacts, the publisher and the admins are told."},
    {"reminders.rule", CHOICE, AT(reminders.rule), 0, 0, "member", answer_rules,
	"Whose answer it takes: member: that of any contact of a member; contact: that of each."},

    {"bounces.next_contact", FLAG, AT(bounces.next_contact), 0, 0, "false", NULL,
	"Whether an advisory that bounced goes to the member's next contact by rank who has not "
	"got it and may have it."},

    {"sealing.vaults", NUMBER, AT(sealing.vaults), 0, 64, "0", NULL,
	"Processes that encrypt side by side. 0: one for each core."},
    {"sealing.batch", NUMBER, AT(sealing.batch), 1, 1000, "300", NULL,
	"Recipients in one run of gpg."},
    {"sealing.shard", NUMBER, AT(sealing.shard), 1, 5000, "300", NULL,
	"Certificates in one keyring; gpg walks the whole keyring for each recipient."},

    {"materials.size", NUMBER, AT(materials.size), BYTES_MIN, 64000000, "20000000", NULL,
	"Bytes of one material that is kept to be handed out."},

    {"trace.most", NUMBER, AT(trace.most), 1, 200, "50", NULL,
	"Recipients that an advisory with traced copies may have: each copy is sealed on its own."},

    {"admin.four_eyes", FLAG, AT(admin.four_eyes), 0, 0, "false", NULL,
	"Confirming a key, changing a person's key and adding a publisher take two admins: one "
	"asks, another user of the operating system approves."},
    {"admin.warn_every", DURATION, AT(admin.warn_every), MINUTE, WEEK, "6h", NULL,
	"The admins are told at most so often of mails that ended the process which read them."},

    {"keep.strangers", DURATION, AT(keep.strangers), HOUR, 3650LL * DAY, "30d", NULL,
	"How long the mail of strangers is kept: what nobody signed whom the gateway knows. What "
	"was found of it stays, and all else is kept for good."},
    {"keep.strangers_mb", NUMBER, AT(keep.strangers_mb), 1, 1000000, "2000", NULL,
	"How much of it is kept, in millions of bytes; beyond that the oldest goes first."},

    {"limits.message", NUMBER, AT(limits.message), BYTES_MIN, BYTES_MAX, "35000000", NULL,
	"Bytes of a received mail."},
    {"limits.plaintext", NUMBER, AT(limits.plaintext), BYTES_MIN, BYTES_MAX, "64000000", NULL,
	"Bytes that an encrypted mail may open to."},
    {"limits.header", NUMBER, AT(limits.header), BYTES_MIN, 1048576, "65536", NULL,
	"Bytes of all header fields of a mail or one of its parts."},
    {"limits.headers", NUMBER, AT(limits.headers), 10, 10000, "500", NULL,
	"Header fields of a mail or one of its parts."},
    {"limits.header_line", NUMBER, AT(limits.header_line), 998, 1048576, "32768", NULL,
	"Bytes of one line of a header. RFC 5322 allows 998; keys in a header are far longer."},
    {"limits.comments", NUMBER, AT(limits.comments), 1, 1000, "64", NULL,
	"Parentheses that may be open at once within a header field."},
    {"limits.parts", NUMBER, AT(limits.parts), 1, 1000, "200", NULL, "MIME parts of a mail."},
    {"limits.nesting", NUMBER, AT(limits.nesting), 1, 50, "10", NULL,
	"How deep MIME parts may stand within parts."},
    {"limits.clock_skew", DURATION, AT(limits.clock_skew), 0, DAY, "5m", NULL,
	"How far a signer's clock may be ahead of ours."},
    {"limits.drop_age", DURATION, AT(limits.drop_age), MINUTE, 30 * DAY, "2d", NULL,
	"Age from which a publisher's signature is too old to act on."},
};

enum { SETTINGS = sizeof settings / sizeof settings[0] };

/* One reading of one file. */
struct reading {
	const char *path;
	char directory[PATH_MAX];
	config_t tree;
	struct config *out;
	bool seen[SETTINGS];
};

/* -- what is allowed, in words -- */

static void add_duration(struct buf *out, int64_t seconds)
{
	static const struct {
		int64_t seconds;
		const char *name;
	} units[] = {{WEEK, "w"}, {DAY, "d"}, {HOUR, "h"}, {MINUTE, "m"}, {1, "s"}};
	size_t unit = 0;
	while (units[unit].seconds > 1 && (seconds == 0 || seconds % units[unit].seconds != 0))
		unit++;
	buf_printf(out, "%lld%s", (long long)(seconds / units[unit].seconds), units[unit].name);
}

static void add_choices(struct buf *out, const char *const *choices)
{
	buf_add_text(out, "one of");
	for (size_t i = 0; choices[i] != NULL; i++)
		buf_printf(out, "%s \"%s\"", i == 0 ? "" : ",", choices[i]);
}

static bool may_be_empty(const struct setting *setting)
{
	return setting->type == SECRET ||
	       (setting->standard != NULL && setting->standard[0] == '\0');
}

static void add_allowed(struct buf *out, const struct setting *setting)
{
	switch (setting->type) {
	case TEXT:
		buf_printf(
		    out, "a text in quotes, one line of at most %d bytes", CONFIG_TEXT_SIZE - 1);
		break;
	case LABEL:
		buf_printf(out,
		    "a text in quotes, a letter A-Z and then letters A-Z or digits, at most %d",
		    LABEL_MAX);
		break;
	case PATH:
		buf_printf(out, "a path in quotes of at most %lld bytes", (long long)setting->most);
		break;
	case PATHS:
		buf_printf(out,
		    "absolute paths in quotes with \":\" between them, of at most %d bytes",
		    CONFIG_TEXT_SIZE - 1);
		break;
	case SECRET:
		buf_printf(out, "a path in quotes of at most %lld bytes, \"credential:NAME\"",
		    (long long)setting->most);
		break;
	case ADDRESS:
		buf_add_text(out, "a mail address in quotes, such as \"dewline@example.org\"");
		break;
	case HOST:
		buf_add_text(out, "a host name or an IP address in quotes");
		break;
	case NUMBER:
		buf_printf(out, "a number from %lld to %lld", (long long)setting->least,
		    (long long)setting->most);
		break;
	case DURATION:
		buf_add_text(out, "a duration from ");
		add_duration(out, setting->least);
		buf_add_text(out, " to ");
		add_duration(out, setting->most);
		buf_add_text(
		    out, ", such as \"90s\", \"15m\", \"4h\", \"2d\", or a number of seconds");
		break;
	case CHOICE:
		add_choices(out, setting->choices);
		break;
	case FLAG:
		buf_add_text(out, "true or false, without quotes");
		break;
	case PERCENTS:
		buf_printf(out,
		    "percentages in quotes from 1%% to 99%%, each more than the one before, such "
		    "as \"50%%, 75%%\", at most %d, or empty",
		    CONFIG_PERCENTS_MAX);
		break;
	}
	if (may_be_empty(setting))
		buf_add_text(out, ", or empty");
}

void config_print_settings(FILE *out)
{
	for (size_t i = 0; i < SETTINGS; i++) {
		const struct setting *setting = &settings[i];
		struct buf allowed = BUF_EMPTY(BUF_SMALL);
		add_allowed(&allowed, setting);
		fprintf(out, "%s\n\tAllowed: %s.\n", setting->name, buf_text(&allowed));
		if (setting->standard == NULL)
			fprintf(out, "\tRequired.\n");
		else if (setting->type == NUMBER || setting->type == FLAG)
			fprintf(out, "\tDefault: %s.\n", setting->standard);
		else
			fprintf(out, "\tDefault: \"%s\".\n", setting->standard);
		fprintf(out, "\t%s\n\n", setting->help);
		buf_release(&allowed);
	}
}

/* -- values -- */

static bool is_plain_text(struct view text)
{
	struct buf shown = BUF_EMPTY(BUF_SMALL);
	text_add_shown(&shown, text);
	const bool same = text_is_utf8(text) && view_equals(buf_view(&shown), text);
	buf_release(&shown);
	return same;
}

static bool is_label(struct view text)
{
	for (size_t i = 0; i < text.len; i++) {
		const char c = text.data[i];
		if (!(c >= 'A' && c <= 'Z') && (i == 0 || !(c >= '0' && c <= '9')))
			return false;
	}
	return text.len > 0 && text.len <= LABEL_MAX;
}

static bool is_ip_address(const char *host)
{
	unsigned char address[sizeof(struct in6_addr)];
	return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}

/* The domain grammar of addresses, which has it all but the length. */
static bool is_host(struct view text)
{
	char host[HOST_MAX + 1];
	const char *why;
	if (!view_copy(text, host, sizeof host))
		return false;
	if (is_ip_address(host))
		return true;
	char address[TEXT_ADDRESS_MAX + 2];
	const int len = snprintf(address, sizeof address, "a@%.*s", HOST_MAX, host);
	return len <= TEXT_ADDRESS_MAX && text_is_address(view_of(address), &why);
}

static bool is_loopback(const char *host)
{
	struct in_addr v4;
	struct in6_addr v6;
	if (inet_pton(AF_INET, host, &v4) == 1)
		return ntohl(v4.s_addr) >> 24 == IN_LOOPBACKNET;
	if (inet_pton(AF_INET6, host, &v6) == 1)
		return IN6_IS_ADDR_LOOPBACK(&v6);
	return view_is_nocase(view_of(host), "localhost");
}

static bool set_choice(const struct setting *setting, struct view text, void *out)
{
	for (int i = 0; setting->choices[i] != NULL; i++) {
		if (view_is(text, setting->choices[i])) {
			memcpy(out, &i, sizeof i);
			return true;
		}
	}
	return false;
}

static bool set_percents(struct view text, void *out)
{
	struct config_percents percents = {.count = 0};
	struct view field;
	int64_t last = 0;
	while (view_next_field(&text, ',', &field)) {
		field = view_trim(field);
		if (field.len > 0 && field.data[field.len - 1] == '%')
			field.len--;
		if (percents.count == CONFIG_PERCENTS_MAX ||
		    !text_number(field, last + 1, PERCENT_MAX, &last))
			return false;
		percents.percent[percents.count++] = last;
	}
	memcpy(out, &percents, sizeof percents);
	return true;
}

static bool set_path(
    const struct setting *setting, const char *directory, struct view text, char *out)
{
	if (text.len == 0 || !is_plain_text(text))
		return false;
	const int len =
	    text.data[0] == '/'
		? snprintf(out, CONFIG_PATH_SIZE, "%.*s", (int)text.len, text.data)
		: snprintf(out, CONFIG_PATH_SIZE, "%s/%.*s", directory, (int)text.len, text.data);
	return len > 0 && len <= setting->most;
}

static bool set_paths(struct view text, char *out)
{
	struct view rest = text;
	struct view path;
	while (view_next_field(&rest, ':', &path)) {
		if (path.len == 0 || path.data[0] != '/')
			return false;
	}
	return is_plain_text(text) && view_copy(text, out, CONFIG_TEXT_SIZE);
}

static bool set_flag(struct view text, void *out)
{
	const bool value = view_is(text, "true");
	if (!value && !view_is(text, "false"))
		return false;
	memcpy(out, &value, sizeof value);
	return true;
}

/* Stores a value that is written as it would stand in the file, without quotes. */
static bool set_value(struct reading *reading, const struct setting *setting, struct view text)
{
	char *out = (char *)reading->out + setting->offset;
	const char *why;
	int64_t number;
	bool good = false;
	if (text.len == 0 && may_be_empty(setting)) {
		out[0] = '\0';
		return true;
	}
	switch (setting->type) {
	case TEXT:
		return text.len > 0 && is_plain_text(text) &&
		       view_copy(text, out, CONFIG_TEXT_SIZE);
	case LABEL:
		return is_label(text) && view_copy(text, out, CONFIG_TEXT_SIZE);
	case SECRET:
		if (secret_is_credential(text))
			return view_copy(text, out, CONFIG_PATH_SIZE);
		return set_path(setting, reading->directory, text, out);
	case PATH:
		return set_path(setting, reading->directory, text, out);
	case PATHS:
		return set_paths(text, out);
	case ADDRESS:
		return text_is_address(text, &why) && view_copy(text, out, CONFIG_TEXT_SIZE);
	case HOST:
		return is_host(text) && view_copy(text, out, CONFIG_TEXT_SIZE);
	case NUMBER:
		good = text_number(text, setting->least, setting->most, &number);
		break;
	case DURATION:
		good = text_duration(text, &number) && number >= setting->least &&
		       number <= setting->most;
		break;
	case CHOICE:
		return set_choice(setting, text, out);
	case FLAG:
		return set_flag(text, out);
	case PERCENTS:
		return set_percents(text, out);
	}
	if (good)
		memcpy(out, &number, sizeof number);
	return good;
}

/* -- refusals -- */

static const char *file_of(const struct reading *reading, const config_setting_t *node)
{
	const char *included = node == NULL ? NULL : config_setting_source_file(node);
	return included == NULL ? reading->path : included;
}

/* `file:line: setting: what`; without the line when the setting does not stand in the file. */
__attribute__((format(printf, 5, 6))) static int refuse(const struct reading *reading,
    const config_setting_t *node, const char *name, struct err *err, const char *format, ...)
{
	char what[ERR_TEXT_SIZE];
	va_list args;
	va_start(args, format);
	vsnprintf(what, sizeof what, format, args);
	va_end(args);
	if (node == NULL)
		return err_set(err, ERR_DAEMON, ERR_NEVER, "%s: %s: %s", reading->path, name, what);
	return err_set(err, ERR_DAEMON, ERR_NEVER, "%s:%u: %s: %s", file_of(reading, node),
	    (unsigned)config_setting_source_line(node), name, what);
}

static int refuse_value(const struct reading *reading, const config_setting_t *node,
    const struct setting *setting, struct err *err)
{
	struct buf allowed = BUF_EMPTY(BUF_SMALL);
	add_allowed(&allowed, setting);
	refuse(reading, node, setting->name, err, "must be %s", buf_text(&allowed));
	buf_release(&allowed);
	return -1;
}

/* Names what stands at the same place: the settings of this group, or those and the groups at the
 * top. */
static int refuse_unknown(
    const struct reading *reading, const config_setting_t *node, const char *name, struct err *err)
{
	const char *dot = strrchr(name, '.');
	const size_t group_len = dot == NULL ? 0 : (size_t)(dot - name) + 1;
	struct buf known = BUF_EMPTY(BUF_SMALL);
	struct view former = VIEW("");
	for (size_t i = 0; i < SETTINGS; i++) {
		if (strncmp(settings[i].name, name, group_len) != 0)
			continue;
		const char *rest = settings[i].name + group_len;
		const struct view here = {rest, strcspn(rest, ".")};
		if (view_equals(here, former))
			continue;
		buf_printf(&known, "%s%.*s", known.len == 0 ? "" : ", ", (int)here.len, here.data);
		former = here;
	}
	refuse(reading, node, name, err, "unknown setting; allowed here: %s", buf_text(&known));
	buf_release(&known);
	return -1;
}

/* -- the tree -- */

static size_t find(const char *name)
{
	size_t i = 0;
	while (i < SETTINGS && strcmp(settings[i].name, name) != 0)
		i++;
	return i;
}

static bool is_group(const char *name)
{
	const size_t len = strlen(name);
	for (size_t i = 0; i < SETTINGS; i++) {
		if (strncmp(settings[i].name, name, len) == 0 && settings[i].name[len] == '.')
			return true;
	}
	return false;
}

/* The value as text, when its form in the file fits the setting's type. */
static bool value_text(
    const config_setting_t *node, enum type type, struct buf *scratch, struct view *text)
{
	const bool may_be_number = type == NUMBER || type == DURATION;
	switch (config_setting_type(node)) {
	case CONFIG_TYPE_STRING:
		*text = view_of(config_setting_get_string(node));
		return type != NUMBER && type != FLAG;
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64:
		buf_printf(scratch, "%lld", config_setting_get_int64(node));
		*text = buf_view(scratch);
		return may_be_number;
	case CONFIG_TYPE_BOOL:
		*text = view_of(config_setting_get_bool(node) ? "true" : "false");
		return type == FLAG;
	default:
		return false;
	}
}

static int read_setting(
    struct reading *reading, const config_setting_t *node, size_t index, struct err *err)
{
	struct buf scratch = BUF_EMPTY(NAME_SIZE);
	struct view text;
	const struct setting *setting = &settings[index];
	int result = 0;
	if (!value_text(node, setting->type, &scratch, &text) || !set_value(reading, setting, text))
		result = refuse_value(reading, node, setting, err);
	reading->seen[index] = true;
	buf_release(&scratch);
	return result;
}

static int read_group(
    struct reading *reading, const config_setting_t *group, const char *prefix, struct err *err)
{
	const int count = config_setting_length(group);
	for (int i = 0; i < count; i++) {
		const config_setting_t *node = config_setting_get_elem(group, (unsigned)i);
		char name[NAME_SIZE];
		int result;
		snprintf(name, sizeof name, "%s%s", prefix, config_setting_name(node));
		const size_t index = find(name);
		if (index < SETTINGS) {
			result = read_setting(reading, node, index, err);
		} else if (!is_group(name)) {
			result = refuse_unknown(reading, node, name, err);
		} else if (!config_setting_is_group(node)) {
			result =
			    refuse(reading, node, name, err, "must be a group: %s: { ... };", name);
		} else {
			char inner[NAME_SIZE + 1];
			snprintf(inner, sizeof inner, "%s.", name);
			result = read_group(reading, node, inner, err);
		}
		if (result != 0)
			return -1;
	}
	return 0;
}

static int fill_in(struct reading *reading, struct err *err)
{
	for (size_t i = 0; i < SETTINGS; i++) {
		const struct setting *setting = &settings[i];
		if (reading->seen[i])
			continue;
		if (setting->standard == NULL) {
			struct buf allowed = BUF_EMPTY(BUF_SMALL);
			add_allowed(&allowed, setting);
			refuse(reading, NULL, setting->name, err, "is required: %s",
			    buf_text(&allowed));
			buf_release(&allowed);
			return -1;
		}
		if (!set_value(reading, setting, view_of(setting->standard)))
			abort(); /* a default that its own rule refuses */
	}
	struct config *out = reading->out;
	if (out->gateway.return_path[0] == '\0')
		memcpy(out->gateway.return_path, out->gateway.address, sizeof out->gateway.address);
	return 0;
}

/* A name that stands in quotes as it is (RFC 3501 section 9, quoted). */
static bool is_mailbox(const char *name)
{
	for (const char *at = name; *at != '\0'; at++) {
		if (*at < ' ' || *at > '~' || strchr("\"\\%*", *at) != NULL)
			return false;
	}
	return name[0] != '\0';
}

static bool is_after(const char *after)
{
	static const char move[] = "move:";
	return strcmp(after, "delete") == 0 ||
	       (strncmp(after, move, sizeof move - 1) == 0 && is_mailbox(after + sizeof move - 1));
}

static bool moves_to_itself(const struct config *config)
{
	const char *colon = strchr(config->imap.after, ':');
	return colon != NULL && strcasecmp(colon + 1, config->imap.mailbox) == 0;
}

static bool is_complete(const struct config *config)
{
	return config->imap.user[0] != '\0' && config->imap.password_file[0] != '\0';
}

/* What one setting means for another. */
static int check_together(struct reading *reading, struct err *err)
{
	const struct config *config = reading->out;
	const bool has_user = config->smarthost.user[0] != '\0';
	const bool has_password = config->smarthost.password_file[0] != '\0';
	const bool is_plain = config->smarthost.tls == CONFIG_TLS_NONE;
	const bool has_imap = config->imap.server[0] != '\0';
	char long_return_path[ERR_TEXT_SIZE];
	snprintf(long_return_path, sizeof long_return_path,
	    "must have at most %d characters before the @, for a tag is put behind them",
	    RETURN_PATH_LOCAL_MAX);
	const struct {
		bool bad;
		const char *name;
		const char *allowed;
	} rules[] = {
	    {is_plain && !is_loopback(config->smarthost.host), "smarthost.tls",
		"\"none\" is allowed only where smarthost.host is this machine itself: "
		"127.0.0.0/8, ::1 or localhost; otherwise \"starttls\" or \"tls\""},
	    {is_plain && has_user, "smarthost.user",
		"is allowed only with smarthost.tls \"starttls\" or \"tls\": a password never "
		"travels in the clear"},
	    {has_user && !has_password, "smarthost.user",
		"needs smarthost.password_file beside it"},
	    {has_password && !has_user, "smarthost.password_file",
		"is allowed only beside smarthost.user"},
	    {strcspn(config->gateway.return_path, "@") > RETURN_PATH_LOCAL_MAX,
		"gateway.return_path", long_return_path},
	    {has_imap && !is_complete(config), "imap.server",
		"needs imap.user and imap.password_file beside it"},
	    {!is_mailbox(config->imap.mailbox), "imap.mailbox",
		"must be printable ASCII without \" \\ % *, other characters in the server's "
		"modified UTF-7"},
	    {!is_after(config->imap.after), "imap.after",
		"must be \"delete\", or \"move:NAME\" with a NAME as in imap.mailbox"},
	    {moves_to_itself(config), "imap.after", "must be another mailbox than imap.mailbox"},
	    {config->retry.most < config->retry.first, "retry.most",
		"must be at least retry.first"},
	    {config->retry.give_up < config->retry.first, "retry.give_up",
		"must be at least retry.first"},
	};
	for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
		if (rules[i].bad)
			return refuse(reading, config_lookup(&reading->tree, rules[i].name),
			    rules[i].name, err, "%s", rules[i].allowed);
	}
	return 0;
}

/* -- the file -- */

static int parse_file(struct reading *reading, struct err *err)
{
	struct stat about;
	FILE *file = fopen(reading->path, "re");
	if (file == NULL || fstat(fileno(file), &about) != 0 || S_ISDIR(about.st_mode)) {
		if (file != NULL) {
			fclose(file);
			errno = EISDIR;
		}
		err_system(err, "cannot read the configuration %s", reading->path);
		err->when = ERR_NEVER;
		return -1;
	}
	config_set_include_dir(&reading->tree, reading->directory);
	const int good = config_read(&reading->tree, file);
	fclose(file);
	if (good == CONFIG_TRUE)
		return 0;
	const char *included = config_error_file(&reading->tree);
	return err_set(err, ERR_DAEMON, ERR_NEVER,
	    "%s:%d: %s; allowed is: name = value; or "
	    "name: { ... };",
	    included == NULL ? reading->path : included, config_error_line(&reading->tree),
	    config_error_text(&reading->tree));
}

static int find_directory(struct reading *reading, struct err *err)
{
	char copy[PATH_MAX];
	if (strlen(reading->path) >= sizeof copy)
		return err_set(
		    err, ERR_DAEMON, ERR_NEVER, "the path of the configuration is too long");
	memcpy(copy, reading->path, strlen(reading->path) + 1);
	if (realpath(dirname(copy), reading->directory) != NULL)
		return 0;
	err_system(err, "cannot read the configuration %s", reading->path);
	err->when = ERR_NEVER;
	return -1;
}

int config_load(const char *path, struct config *out, struct err *err)
{
	struct reading *reading = calloc(1, sizeof *reading);
	if (reading == NULL)
		abort();
	memset(out, 0, sizeof *out);
	reading->path = path;
	reading->out = out;
	config_init(&reading->tree);
	int result = -1;
	if (find_directory(reading, err) == 0 && parse_file(reading, err) == 0 &&
	    read_group(reading, config_root_setting(&reading->tree), "", err) == 0 &&
	    fill_in(reading, err) == 0 && check_together(reading, err) == 0) {
		snprintf(out->file, sizeof out->file, "%s", path);
		result = 0;
	}
	config_destroy(&reading->tree);
	free(reading);
	return result;
}
