#include "config.h"

#include <stdio.h>
#include <string.h>

#include "config/config.h"
#include "config/settings.h"

enum {
	/* GnuPG puts the sockets of its agent below the state directory, and a socket's path holds
	 * 107 bytes. */
	STATE_PATH_MAX = 80,
	SOCKET_PATH_MAX = 107, /* sun_path with its NUL (unix(7)) */
	MINUTE = 60,
	HOUR = 3600,
	DAY = 86400,
	WEEK = 7 * DAY,
	/* Leaves room for a frame's other fields below FRAME_BODY_MAX. */
	BYTES_MAX = 400000000,
	BYTES_MIN = 1024,
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

const struct setting config_settings[] = {
    {"state", SETTING_PATH, AT(state), 1, STATE_PATH_MAX, NULL, NULL,
	"Directory of the gateway's own: its store and its GnuPG homes. Mode 0700, on a local "
	"disk."},
    {"drop", SETTING_PATH, AT(drop), 1, CONFIG_PATH_SIZE - 1, NULL, NULL,
	"Maildir into which all mail for the gateway is delivered. One gateway alone can use it."},
    {"log_level", SETTING_CHOICE, AT(log_level), 0, 0, "info", log_levels,
	"How much goes to the log; each level holds those before it."},
    {"user", SETTING_TEXT, AT(user), 0, 0, "", NULL,
	"The user that owns the state. Started as root, dewlined becomes that user for good. "
	"Empty: "
	"it stays who started it."},
    {"sandbox", SETTING_CHOICE, AT(sandbox), 0, 0, "required", sandboxes,
	"What to do where the kernel lacks Landlock or seccomp filters: required: refuse to start; "
	"relaxed: do without what is missing, with a warning at every start."},
    {"sandbox_read", SETTING_PATHS, AT(sandbox_read), 0, 0, "", NULL,
	"Further paths that processes which read files of the system may read and run, where GnuPG "
	"or libraries stand in unusual places."},
    {"sandbox_write", SETTING_PATHS, AT(sandbox_write), 0, 0, "", NULL,
	"Further paths that these processes may write."},

    {"gateway.name", SETTING_TEXT, AT(gateway.name), 0, 0, "Early warning", NULL,
	"Name of the programme, as members read it."},
    {"gateway.prefix", SETTING_LABEL, AT(gateway.prefix), 0, 0, "DEW", NULL,
	"How advisory numbers begin: DEW-2026-0007."},
    {"gateway.address", SETTING_ADDRESS, AT(gateway.address), 0, 0, NULL, NULL,
	"The gateway's own mailbox: From of all it sends, and where replies go."},
    {"gateway.list", SETTING_ADDRESS, AT(gateway.list), 0, 0, NULL, NULL,
	"What stands in To of every advisory, in place of its recipients. Who answers to all writes to "
	"it as well: its mail must arrive in the drop too, and the gateway's key have a user ID for it "
	"(dewctl key addresses). The same as gateway.address is well."},
    {"gateway.return_path", SETTING_ADDRESS, AT(gateway.return_path), 0, 0, "", NULL,
	"Where bounces go: bounce@example.org becomes bounce+TAG@example.org, which must arrive in "
	"the drop too. Empty: gateway.address."},
    {"gateway.passphrase_file", SETTING_SECRET, AT(gateway.passphrase_file), 0,
	CONFIG_PATH_SIZE - 1, "dewline.passphrase", NULL,
	"File whose first line is the passphrase of the gateway's key; dewctl init writes it. A "
	"credential gateway-passphrase of the service manager goes before it. Empty: only that, or "
	"the key has no passphrase."},

    {"smarthost.host", SETTING_HOST, AT(smarthost.host), 0, 0, NULL, NULL,
	"The mail server that takes the gateway's mail and delivers it."},
    {"smarthost.port", SETTING_NUMBER, AT(smarthost.port), 1, 65535, "587", NULL,
	"Its TCP port: 587 for submission, 465 with tls = \"tls\", 25 between servers."},
    {"smarthost.tls", SETTING_CHOICE, AT(smarthost.tls), 0, 0, "starttls", tls_modes,
	"starttls: TLS is demanded after the greeting; tls: from the first byte; none: only to "
	"this "
	"machine itself."},
    {"smarthost.ca_file", SETTING_PATH, AT(smarthost.ca_file), 0, CONFIG_PATH_SIZE - 1, "", NULL,
	"Certificates (PEM) that may vouch for the smarthost. Empty: those the system trusts."},
    {"smarthost.helo", SETTING_HOST, AT(smarthost.helo), 0, 0, "", NULL,
	"The name to greet with. Empty: the machine's name, where it has a domain, else that of "
	"gateway.address."},
    {"smarthost.user", SETTING_TEXT, AT(smarthost.user), 0, 0, "", NULL,
	"User name for the smarthost. Empty: no authentication."},
    {"smarthost.password_file", SETTING_SECRET, AT(smarthost.password_file), 0,
	CONFIG_PATH_SIZE - 1, "", NULL,
	"File whose first line is the password of that user, readable by the gateway alone. A "
	"credential smarthost-password of the service manager goes before it."},
    {"smarthost.connections", SETTING_NUMBER, AT(smarthost.connections), 1, 64, "2", NULL,
	"Connections to the smarthost side by side."},
    {"smarthost.alarm", SETTING_DURATION, AT(smarthost.alarm), 1, WEEK, "30s", NULL,
	"How long mail may wait because of the smarthost before the admins get a mail about it."},

    {"imap.server", SETTING_HOST, AT(imap.server), 0, 0, "", NULL,
	"An IMAP server with a mailbox that is emptied into the drop. Empty: there is none, and "
	"whoever delivers puts mail into the drop."},
    {"imap.port", SETTING_NUMBER, AT(imap.port), 1, 65535, "993", NULL,
	"Its TCP port: 993 for TLS from the first byte, 143 with tls = \"starttls\"."},
    {"imap.tls", SETTING_CHOICE, AT(imap.tls), 0, 0, "implicit", imap_tls_modes,
	"implicit: TLS from the first byte; starttls: TLS is demanded after the greeting. The "
	"server's certificate is always verified."},
    {"imap.ca_file", SETTING_PATH, AT(imap.ca_file), 0, CONFIG_PATH_SIZE - 1, "", NULL,
	"Certificates (PEM) that may vouch for the IMAP server. Empty: those the system trusts."},
    {"imap.user", SETTING_TEXT, AT(imap.user), 0, 0, "", NULL, "User name for the IMAP server."},
    {"imap.password_file", SETTING_SECRET, AT(imap.password_file), 0, CONFIG_PATH_SIZE - 1, "",
	NULL,
	"File whose first line is the password of that user, readable by the gateway alone. A "
	"credential imap-password of the service manager goes before it."},
    {"imap.mailbox", SETTING_TEXT, AT(imap.mailbox), 0, 0, "INBOX", NULL,
	"The mailbox, which must be the gateway's alone. All that lies in it is taken, whatever "
	"flags it has."},
    {"imap.after", SETTING_TEXT, AT(imap.after), 0, 0, "delete", NULL,
	"What becomes of a message once it is in the drop: delete, or move:NAME for another "
	"mailbox, which is made when there is none."},
    {"imap.idle", SETTING_DURATION, AT(imap.idle), 1, 29 * MINUTE, "5m", NULL,
	"How long to wait for the server to tell of new mail (IDLE) before it is asked once more."},
    {"imap.poll", SETTING_DURATION, AT(imap.poll), 1, HOUR, "1m", NULL,
	"How often to ask a server that does not tell of new mail."},
    {"imap.alarm", SETTING_DURATION, AT(imap.alarm), 1, WEEK, "1h", NULL,
	"How long the mailbox may be out of reach before the admins get a mail."},

    {"courier.socket", SETTING_PATH, AT(courier.socket), 0, SOCKET_PATH_MAX, "", NULL,
	"Socket at which another service hands out couriers (dewline-courier.socket). Empty: "
	"dewlined starts them itself."},

    {"retry.first", SETTING_DURATION, AT(retry.first), 1, DAY, "60s", NULL,
	"Pause before a delivery's second attempt; it doubles from there."},
    {"retry.most", SETTING_DURATION, AT(retry.most), 1, WEEK, "1h", NULL,
	"The longest pause between two attempts."},
    {"retry.give_up", SETTING_DURATION, AT(retry.give_up), MINUTE, 30 * DAY, "2d", NULL,
	"Time after the first attempt until a delivery counts as failed."},

    {"release.approval", SETTING_CHOICE, AT(release.approval), 0, 0, "never", approvals,
	"When another publisher must approve an advisory before it goes: never, always, or from "
	"this TLP label on. `Approval: yes` in an advisory asks for it besides."},
    {"release.name_gateway", SETTING_FLAG, AT(release.name_gateway), 0, 0, "false", NULL,
	"Whether an advisory must say which gateway it is for (`Gateway: ADDRESS`), so that nobody "
	"can "
	"pass one that was signed for another gateway off here."},

    {"reminders.stages", SETTING_PERCENTS, AT(reminders.stages), 0, 0, "50%, 75%", NULL,
	"Parts of the time to answer after which whoever has not answered is reminded. At its end "
	"the member's other contacts, the publisher and the admins are told."},
    {"reminders.rule", SETTING_CHOICE, AT(reminders.rule), 0, 0, "member", answer_rules,
	"Whose answer it takes: member: that of any contact of a member; contact: that of each."},

    {"bounces.next_contact", SETTING_FLAG, AT(bounces.next_contact), 0, 0, "false", NULL,
	"Whether an advisory that bounced goes to the member's next contact by rank who has not "
	"got it and may have it."},

    {"sealing.vaults", SETTING_NUMBER, AT(sealing.vaults), 0, 64, "0", NULL,
	"Processes that run gpg side by side. 0: one for each core, and at least two."},
    {"sealing.batch", SETTING_NUMBER, AT(sealing.batch), 1, 1000, "300", NULL,
	"Recipients in one run of gpg."},
    {"sealing.shard", SETTING_NUMBER, AT(sealing.shard), 1, 5000, "300", NULL,
	"Certificates in one keyring; gpg walks the whole keyring for each recipient."},

    {"materials.size", SETTING_NUMBER, AT(materials.size), BYTES_MIN, 64000000, "20000000", NULL,
	"Bytes of one material that is kept to be handed out."},

    {"trace.most", SETTING_NUMBER, AT(trace.most), 1, 200, "50", NULL,
	"Recipients that an advisory with traced copies may have: each copy is sealed on its own."},

    {"admin.four_eyes", SETTING_FLAG, AT(admin.four_eyes), 0, 0, "false", NULL,
	"Confirming a key, changing a person's key and adding a publisher take two admins: one "
	"asks, another user of the operating system approves."},
    {"admin.warn_every", SETTING_DURATION, AT(admin.warn_every), MINUTE, WEEK, "6h", NULL,
	"The admins are told at most so often of mails that ended the process which read them."},

    {"keep.strangers", SETTING_DURATION, AT(keep.strangers), HOUR, 3650LL * DAY, "30d", NULL,
	"How long the mail of strangers is kept: what nobody signed whom the gateway knows. What "
	"was found of it stays, and all else is kept for good."},
    {"keep.strangers_mb", SETTING_NUMBER, AT(keep.strangers_mb), 1, 1000000, "2000", NULL,
	"How much of it is kept, in millions of bytes; beyond that the oldest goes first."},

    {"limits.message", SETTING_NUMBER, AT(limits.message), BYTES_MIN, BYTES_MAX, "35000000", NULL,
	"Bytes of a received mail."},
    {"limits.plaintext", SETTING_NUMBER, AT(limits.plaintext), BYTES_MIN, BYTES_MAX, "64000000",
	NULL, "Bytes that an encrypted mail may open to."},
    {"limits.header", SETTING_NUMBER, AT(limits.header), BYTES_MIN, 1048576, "65536", NULL,
	"Bytes of all header fields of a mail or one of its parts."},
    {"limits.headers", SETTING_NUMBER, AT(limits.headers), 10, 10000, "500", NULL,
	"Header fields of a mail or one of its parts."},
    {"limits.header_line", SETTING_NUMBER, AT(limits.header_line), 998, 1048576, "32768", NULL,
	"Bytes of one line of a header. RFC 5322 allows 998; keys in a header are far longer."},
    {"limits.comments", SETTING_NUMBER, AT(limits.comments), 1, 1000, "64", NULL,
	"Parentheses that may be open at once within a header field."},
    {"limits.parts", SETTING_NUMBER, AT(limits.parts), 1, 1000, "200", NULL,
	"MIME parts of a mail."},
    {"limits.nesting", SETTING_NUMBER, AT(limits.nesting), 1, 50, "10", NULL,
	"How deep MIME parts may stand within parts."},
    {"limits.clock_skew", SETTING_DURATION, AT(limits.clock_skew), 0, DAY, "5m", NULL,
	"How far a signer's clock may be ahead of ours."},
    {"limits.drop_age", SETTING_DURATION, AT(limits.drop_age), MINUTE, 30 * DAY, "2d", NULL,
	"Age from which a publisher's signature is too old to act on."},
};

const size_t config_settings_count = sizeof config_settings / sizeof config_settings[0];
_Static_assert(sizeof config_settings / sizeof config_settings[0] <= SETTINGS_MAX,
    "SETTINGS_MAX is too small");

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

bool setting_may_be_empty(const struct setting *setting)
{
	return setting->type == SETTING_SECRET ||
	       (setting->standard != NULL && setting->standard[0] == '\0');
}

void setting_add_allowed(struct buf *out, const struct setting *setting)
{
	switch (setting->type) {
	case SETTING_TEXT:
		buf_printf(
		    out, "a text in quotes, one line of at most %d bytes", CONFIG_TEXT_SIZE - 1);
		break;
	case SETTING_LABEL:
		buf_printf(out,
		    "a text in quotes, a letter A-Z and then letters A-Z or digits, at most %d",
		    SETTING_LABEL_MAX);
		break;
	case SETTING_PATH:
		buf_printf(out, "a path in quotes of at most %lld bytes", (long long)setting->most);
		break;
	case SETTING_PATHS:
		buf_printf(out,
		    "absolute paths in quotes with \":\" between them, of at most %d bytes",
		    CONFIG_TEXT_SIZE - 1);
		break;
	case SETTING_SECRET:
		buf_printf(out, "a path in quotes of at most %lld bytes, \"credential:NAME\"",
		    (long long)setting->most);
		break;
	case SETTING_ADDRESS:
		buf_add_text(out, "a mail address in quotes, such as \"dewline@example.org\"");
		break;
	case SETTING_HOST:
		buf_add_text(out, "a host name or an IP address in quotes");
		break;
	case SETTING_NUMBER:
		buf_printf(out, "a number from %lld to %lld", (long long)setting->least,
		    (long long)setting->most);
		break;
	case SETTING_DURATION:
		buf_add_text(out, "a duration from ");
		add_duration(out, setting->least);
		buf_add_text(out, " to ");
		add_duration(out, setting->most);
		buf_add_text(
		    out, ", such as \"90s\", \"15m\", \"4h\", \"2d\", or a number of seconds");
		break;
	case SETTING_CHOICE:
		add_choices(out, setting->choices);
		break;
	case SETTING_FLAG:
		buf_add_text(out, "true or false, without quotes");
		break;
	case SETTING_PERCENTS:
		buf_printf(out,
		    "percentages in quotes from 1%% to 99%%, each more than the one before, such "
		    "as \"50%%, 75%%\", at most %d, or empty",
		    CONFIG_PERCENTS_MAX);
		break;
	}
	if (setting_may_be_empty(setting))
		buf_add_text(out, ", or empty");
}

void config_print_settings(FILE *out)
{
	for (size_t i = 0; i < config_settings_count; i++) {
		const struct setting *setting = &config_settings[i];
		struct buf allowed = BUF_EMPTY(BUF_SMALL);
		setting_add_allowed(&allowed, setting);
		fprintf(out, "%s\n\tAllowed: %s.\n", setting->name, buf_text(&allowed));
		if (setting->standard == NULL)
			fprintf(out, "\tRequired.\n");
		else if (setting->type == SETTING_NUMBER || setting->type == SETTING_FLAG)
			fprintf(out, "\tDefault: %s.\n", setting->standard);
		else
			fprintf(out, "\tDefault: \"%s\".\n", setting->standard);
		fprintf(out, "\t%s\n\n", setting->help);
		buf_release(&allowed);
	}
}
